"""How a printer is, as one word, and what the person on duty does about it. Pure.

`Health` holds what the printer has said of itself, bit by bit; `Health.state` makes one word of it (docs/protocol.md,
section 8). Words that no printer can say (silent, garbage, …) are found by ``printer_voice.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware_bridge.answers import StatusBack

#: A printer that prints, now.
WELL = frozenset({"ready", "paper_low"})
#: What tears a slip for good: whatever of it was under way will not come out whole.
TEARS = frozenset({"cover_open", "paper_out", "cutter_error", "recoverable", "unrecoverable"})
#: ``DLE ENQ 2`` may end these once a person has mended the cause.
ENDED_BY_ASKING = frozenset({"cutter_error", "recoverable"})

#: State -> what happened and what to do, Chinese and English. What still works is the same for all: numbers are given.
WORDS: dict[str, tuple[str, str]] = {
    "ready": ("", ""),
    "paper_low": ("纸快用完了：请准备一卷新纸", "paper is nearly at its end: have a new roll at hand"),
    "paper_out": (
        "缺纸：请换一卷纸，换好后会自动接着打",
        "out of paper: put in a new roll; printing goes on by itself",
    ),
    "cover_open": (
        "机盖开着：请合上，合好后会自动接着打",
        "the cover is open: close it; printing goes on by itself",
    ),
    "cutter_error": (
        "切刀卡住了：打开机盖，取出卡住的纸，再合上；不行就关机再开",
        "the knife is stuck: open the cover, take out the jammed paper, close it; if that fails switch it off and on",
    ),
    "recoverable": (
        "打印机报错（多半是卡纸）：打开机盖清理后合上，会自动接着打",
        "the printer reports an error (mostly jammed paper): clear it and close the cover; printing goes on by itself",
    ),
    "hot": (
        "打印头太热，正在歇一会儿：不用动它，凉了会自动接着打",
        "the print head is too hot and rests: leave it alone, printing goes on by itself",
    ),
    "unrecoverable": (
        "打印机坏了（它自己报的故障）：关机再开；还报就换备用机、找技术员",
        "the printer reports a failure of its own: switch it off and on; if it stays, call the technician",
    ),
    "offline": (
        "打印机脱机，没说原因：看看是不是有人按着走纸键，或要按一下联机键",
        "the printer is off line and does not say why: is its feed button held, or does its on-line key need a press?",
    ),
    "silent": (
        "打印机没有回音：检查电源和数据线；号码照常发放，屏幕上可见",
        "no answer from the printer: check power and cable; numbers are still given on the screen",
    ),
    "flow_stopped": (
        "打印机不收数据：看看它是不是停在一半；关机再开，会自动接着打",
        "the printer takes no more bytes: has it stopped half-way? switch it off and on; printing goes on by itself",
    ),
    "garbage": (
        "打印机的回音是乱码：hall.toml 里的波特率和打印机自检页上的不一样，或数据线坏了",
        "the printer's answers are noise: hall.toml has another baud rate than its self-test page, or a bad cable",
    ),
    "unknown": ("刚接上，还没问到情况", "just connected, no word from it yet"),
    "mute": (
        "这种打印机不会报告情况：有没有纸、打没打出来，请常看一眼",
        "this printer cannot tell how it is: look now and then whether it has paper and prints",
    ),
}


@dataclass(slots=True)
class Health:
    """What the printer has said of itself. None: it has not said, and unknown is neither well nor ill."""

    offline: bool | None = None
    cover_open: bool | None = None
    paper_out: bool | None = None
    paper_low: bool | None = None
    cutter: bool | None = None
    #: A mechanical error that a person clears.
    stuck: bool | None = None
    #: It never recovers by itself: short circuit, memory, voltage.
    broken: bool | None = None
    #: It recovers by itself: the head is too hot.
    hot: bool | None = None

    def hear_real_time(self, question: int, byte: int) -> None:
        """Take in the answer ``byte`` to ``DLE EOT question`` (1 printer, 2 offline cause, 3 error, 4 paper)."""
        if question == 1:
            self.offline = bool(byte & 0x08)
        elif question == 2:
            self.cover_open = bool(byte & 0x04)
        elif question == 3:
            self._errors(byte)
        elif question == 4:
            self.paper_low = bool(byte & 0x0C)
            self.paper_out = bool(byte & 0x60)

    def hear_status_back(self, status: StatusBack) -> None:
        self.offline, self.cover_open = status.offline, status.cover_open
        self._errors(status.bytes4[1])
        self.paper_low, self.paper_out = status.paper_low, status.paper_out

    def _errors(self, byte: int) -> None:
        """The same bits in ``DLE EOT 3`` and in the second byte of automatic status back."""
        self.stuck, self.cutter = bool(byte & 0x04), bool(byte & 0x08)
        self.broken, self.hot = bool(byte & 0x20), bool(byte & 0x40)

    @property
    def known(self) -> bool:
        return None not in (self.offline, self.cover_open, self.paper_out, self.cutter)

    @property
    def state(self) -> str | None:
        """The word of docs/protocol.md, or None where the printer has not yet said enough. What a person must do
        first stands first: an open cover before the paper that is being changed beneath it."""
        for word, so in (
            ("unrecoverable", self.broken),
            ("cover_open", self.cover_open),
            ("paper_out", self.paper_out),
            ("cutter_error", self.cutter),
            ("recoverable", self.stuck or self.hot),
        ):
            if so:
                return word
        if not self.known:
            return None
        if self.offline:
            return "offline"
        return "paper_low" if self.paper_low else "ready"

    @property
    def tears(self) -> bool:
        """Whether a slip under way is torn: not by heat (it goes on by itself), nor by a finger on the feed button."""
        return self.state in TEARS and not self.rests

    @property
    def rests(self) -> bool:
        """It is too hot, and nothing else is wrong."""
        return bool(self.hot) and not (
            self.broken or self.cover_open or self.paper_out or self.cutter or self.stuck
        )

    @property
    def words(self) -> tuple[str, str]:
        return WORDS["hot" if self.rests else self.state or "unknown"]
