"""What waits to be said, in order: the one owner of the rows in ``announcements`` once they are written.

    said = desk.take("display-1")          # the next one, given to one speaker at a time; None: nothing now
    desk.began(said); desk.ended(said)     # or desk.cut(said, …): it goes back and is said whole

Theory of operation. A row waits until somebody takes it, is spoken whole, and only then the next is given out: two
windows that call in the same moment are two rows, and neither is cut short. What nobody could say within the hall's
`expires_s` expires with a word; in quiet hours it is marked quiet. A speaker that dies in the middle (a browser that is
closed, a power cut) gives its row back: it is said again from the beginning. The same row fails for good after
`MOST_TRIES`, so that one bad clip does not silence the hall.

Rows are written by the kiosk's writer. Where the disk refuses, what was said is remembered here and written later: a
hall never hears the same call again and again because its disk is full.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devices.clock import mono_s
from devices.faults import NotWritten
from gateway.log import say, say_once
from kiosk.rules import voice_policy
from kiosk.rules.calling_words import VOICE_ID
from kiosk.rules.queue import State
from kiosk.rules.voice_policy import VoicePolicy
from kiosk.voice.asking import policy_of
from kiosk.voice.clips import Clips, Spoken

if TYPE_CHECKING:
    from kiosk.core import Core

#: How often the same call is begun: once more for a browser that was closed, once more for luck (our choice).
MOST_TRIES = 3
#: A speaker is given the sentence's own length and so much more before it counts as gone.
GRACE_S = 6.0
#: A display that asks for nothing so long speaks no more, and another one may (it asks every 3 s).
DISPLAY_GONE_S = 10.0
#: Rows looked at together: what waits longer than that many calls has expired anyway.
LOOKED_AT = 50
#: Nobody is sent to a window any more whose number waits again, was given up, put aside or marked as absent before the
#: voice came to it. One that is already done is still said: a slip of a finger on "next" must not silence a call.
GONE: tuple[State, ...] = ("WAITING", "CANCELLED", "HELD", "NO_SHOW")
#: What was said is kept for so long, for "why did nobody call me?" (our choice).
KEPT_MS = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class Saying:
    """One announcement in somebody's hands. ``claim`` names this taking of it: an old one cannot end a new one."""

    announcement_id: int
    voice: str
    words: tuple[str, ...]
    asked_ms: int
    claim: str
    by: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What keeps the voice from speaking, for the person on duty. ``kind``: a word for code and log."""

    kind: str
    zh: str
    en: str
    since_ms: int


class VoiceDesk:
    """See the head of this file. Every method may be called from any thread."""

    def __init__(self, core: Core, *, monotonic_s: Callable[[], float] = mono_s) -> None:
        self._core = core
        self._mono_s = monotonic_s
        self.clips = Clips(core.house.home / "voice", self._recorded)
        self._lock = threading.RLock()
        self._saying: Saying | None = None
        self._until_s = 0.0
        self._tries: dict[int, int] = {}
        #: what could not be written yet: id → columns
        self._owed: dict[int, dict[str, Any]] = {}
        self._faults: dict[str, Fault] = {}
        #: displays that asked, and when; the first of them that still asks speaks
        self._displays: dict[str, float] = {}
        #: displays that may not make a sound (autoplay) until they ask anew with a person's touch
        self._muted: set[str] = set()
        self.spoken = 0
        """Announcements said since we started."""

    # ---------------------------------------------------------------- settings

    def policy(self) -> VoicePolicy:
        """What the hall has set; the defaults where the notebook cannot be read."""
        try:
            return policy_of(self._core.reader())
        except (NotWritten, sqlite3.Error):
            return voice_policy.DEFAULT

    def minute(self) -> int:
        """Minutes of the hall's day, now."""
        now = datetime.fromtimestamp(self._core.now_ms() / 1000, self._core.zone)
        return now.hour * 60 + now.minute

    def _recorded(self, voice: str, part: str) -> Path | None:
        try:
            row = (
                self._core.reader()
                .execute(
                    "SELECT file FROM voice_clips WHERE voice = ? AND part = ? AND in_use = 1", (voice, part)
                )
                .fetchone()
            )
        except (NotWritten, sqlite3.Error):
            return None  # espeak-ng says it meanwhile
        return None if row is None else self.clips.folder / str(row[0])

    # ---------------------------------------------------------------- in order

    def open(self) -> None:
        """At start: what was being said when we ended is said again, and what is old is put away.

        :raises NotWritten: the disk refuses; nothing is lost, the rows stay.
        """
        before_ms = self._core.now_ms() - KEPT_MS

        def work(notebook: sqlite3.Connection) -> None:
            notebook.execute(
                "UPDATE announcements SET state = 'waiting', began_ms = NULL WHERE state = 'speaking'"
            )
            notebook.execute("DELETE FROM announcements WHERE asked_ms < ?", (before_ms,))

        self._core.writer.write(work)

    def take(self, by: str) -> Saying | None:
        """The next announcement for this speaker; None where nothing waits, or somebody is speaking."""
        with self._lock:
            self._look_after()
            if self._saying is not None:
                return None
            self._pay()
            policy, now_ms, minute = self.policy(), self._core.now_ms(), self.minute()
            for row in self._waiting():
                number = int(row["announcement_id"])
                if number in self._owed:
                    continue
                fate, why = self._fate(row, now_ms, minute, policy)
                if fate == "say":
                    words = tuple(str(one) for one in json.loads(row["words"]))
                    claim = secrets.token_urlsafe(9)
                    self._saying = Saying(number, str(row["lang"]), words, int(row["asked_ms"]), claim, by)
                    self._tries[number] = self._tries.get(number, 0) + 1
                    self._until_s = self._mono_s() + GRACE_S
                    return self._saying
                self._settle(number, fate, now_ms, why=why)
            return None

    def waiting(self) -> int:
        """How many wait to be said."""
        return len(self._waiting())

    def find(self, announcement_id: int) -> Saying | None:
        """The announcement that is being said, if it is this one."""
        with self._lock:
            now = self._saying
            return now if now is not None and now.announcement_id == announcement_id else None

    def sound_of(self, saying: Saying) -> Spoken:
        """Its sentence, ready to be played. A clip that is missing is a fault and is told."""
        found = self.clips.sentence(saying.words, saying.voice, self.policy())
        if found.missing:
            self.fault(
                "clips",
                f"有的词没有录音，espeak-ng 也读不出（{'、'.join(found.missing[:3])}）：只敲锣，请看屏幕叫号；"
                "请安装 espeak-ng 或补录",
                f"no recording and no espeak-ng for {', '.join(found.missing[:3])}: only the gong sounds, the screens "
                f"show the number; install espeak-ng or record them ({self.clips.trouble})",
            )
        else:
            self.well("clips")
        return found

    def began(self, saying: Saying, seconds: float) -> bool:
        """It is being spoken and takes so long. False: it is no longer this speaker's."""
        with self._lock:
            if self._saying is None or self._saying.claim != saying.claim:
                return False
            self._until_s = self._mono_s() + seconds + GRACE_S
            self._write(saying.announcement_id, state="speaking", began_ms=self._core.now_ms())
            return True

    def ended(self, saying: Saying, *, why: str = "") -> bool:
        """It was said whole. ``why``: it could only be gonged, which is told as a failure of its row."""
        with self._lock:
            if self._saying is None or self._saying.claim != saying.claim:
                return False
            self._saying = None
            if saying.by in self._displays:
                self._displays[saying.by] = self._mono_s()
            self.spoken += not why
            self._settle(saying.announcement_id, "failed" if why else "spoken", self._core.now_ms(), why=why)
            self._core.voice_bell.set()
            return True

    def cut(self, saying: Saying, why: str, *, harmless: bool = False) -> bool:
        """It was not said to its end. It goes back to the line, at its place, and is said whole.

        :param harmless: an emergency came before it: that is no try.
        """
        with self._lock:
            if self._saying is None or self._saying.claim != saying.claim:
                return False
            self._saying = None
            self._give_back(saying, why, harmless=harmless)
            return True

    def hush(self) -> int:
        """Nobody speaks here (``by = "off"``): what waits is marked quiet; how many."""
        with self._lock:
            rows = self._waiting()
            for row in rows:
                self._settle(int(row["announcement_id"]), "quiet", self._core.now_ms(), why="off")
            return len(rows)

    # ---------------------------------------------------------------- displays

    def display_asks(self, display: str, *, touched: bool = False) -> bool:
        """A display's browser is there. True: it is the one that speaks (the first that is able to)."""
        with self._lock:
            self._look_after()
            now_s = self._mono_s()
            speaking = self._saying.by if self._saying is not None else ""
            # Who is speaking asks for nothing meanwhile; `_look_after` knows when it has gone.
            gone = [
                name
                for name, seen_s in self._displays.items()
                if now_s - seen_s > DISPLAY_GONE_S and name != speaking
            ]
            for name in gone:
                del self._displays[name]
                self._muted.discard(name)
            self._displays[display] = now_s  # a name that is known keeps its place in the dict
            if touched:
                self._muted.discard(display)
            able = [name for name in self._displays if name not in self._muted]
            if able:
                self.well("muted")
                self.well("no_display")
            return bool(able) and able[0] == display

    def display_is_mute(self, display: str) -> None:
        """Its browser lets it make no sound until somebody has touched it."""
        with self._lock:
            self._muted.add(display)
            if all(name in self._muted for name in self._displays):
                self.fault(
                    "muted",
                    "叫号屏的浏览器不让出声：在叫号屏上点一下，或按操作手册设置浏览器",
                    "the display's browser makes no sound: touch that screen once, or set the browser as "
                    "docs/operations.md says",
                )

    def is_mute(self, display: str) -> bool:
        """Whether this display still waits for a touch: a page that was loaded anew does not know it by itself."""
        with self._lock:
            return display in self._muted

    def watch(self) -> None:
        """Now and then: what is due without anybody asking (rows that expire, a browser that has gone)."""
        with self._lock:
            self._look_after()
            self._pay()
            policy, now_ms, minute = self.policy(), self._core.now_ms(), self.minute()
            stale = 0
            for row in self._waiting():
                number = int(row["announcement_id"])
                if number in self._owed or (self._saying and self._saying.announcement_id == number):
                    continue
                fate, why = self._fate(row, now_ms, minute, policy)
                if fate != "say":
                    stale += fate == "expired"
                    self._settle(number, fate, now_ms, why=why)
            now_s = self._mono_s()
            heard = any(now_s - seen_s <= DISPLAY_GONE_S for seen_s in self._displays.values())
            if self._core.house.plan.voice.by == "display" and stale and not heard:
                self.fault(
                    "no_display",
                    '没有叫号屏在播报：请打开叫号屏的页面 /display，或在 hall.toml 里改用 by = "hall"',
                    'no display speaks: open the page /display on the hall\'s screen, or set by = "hall" in hall.toml',
                )

    # ---------------------------------------------------------------- faults

    def fault(self, kind: str, zh: str, en: str) -> None:
        """Something keeps the voice from speaking; told once, until `well`."""
        with self._lock:
            before = self._faults.get(kind)
            if before is not None:
                self._faults[kind] = replace(before, zh=zh, en=en)
                return
            self._faults[kind] = Fault(kind, zh, en, self._core.now_ms())
        say("voice_failed", en, level=logging.WARNING, part="voice")

    def well(self, kind: str) -> None:
        """That is over."""
        with self._lock:
            over = self._faults.pop(kind, None)
        if over is not None:
            say("voice_well", f"the voice is well again: {kind}", part="voice")

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong now, the oldest first."""
        return tuple(self._faults.values())

    # ---------------------------------------------------------------- rows

    def _fate(self, row: sqlite3.Row, now_ms: int, minute: int, policy: VoicePolicy) -> tuple[str, str]:
        """What becomes of a row that waits, and why."""
        if row["gone"]:
            return "quiet", "gone"
        fate = voice_policy.fate(int(row["asked_ms"]), now_ms, minute, policy)
        return fate, self._why_expired() if fate == "expired" else ""

    def _why_expired(self) -> str:
        return ", ".join(one.kind for one in self.faults) or "waited too long"

    def _waiting(self) -> list[sqlite3.Row]:
        try:
            return (
                self._core.reader()
                .execute(
                    "SELECT announcement_id, announcements.lang, words, asked_ms, coalesce(tickets.state, '') IN"
                    f" ({', '.join('?' * len(GONE))}) AS gone FROM announcements LEFT JOIN tickets USING (ticket_id)"
                    " WHERE announcements.state IN ('waiting', 'speaking') ORDER BY announcement_id LIMIT ?",
                    (*GONE, LOOKED_AT),
                )
                .fetchall()
            )
        except (NotWritten, sqlite3.Error) as wrong:
            say_once("voice_rows", "voice_failed", f"what is to be said cannot be read: {wrong}")
            return []

    def _look_after(self) -> None:
        """A speaker that has said nothing for too long has gone: its row goes back."""
        now = self._saying
        if now is None or self._mono_s() < self._until_s:
            return
        self._saying = None
        self._displays.pop(now.by, None)
        self._give_back(now, f"{now.by} did not say whether it has spoken", harmless=False)

    def _give_back(self, saying: Saying, why: str, *, harmless: bool) -> None:
        number = saying.announcement_id
        if harmless:
            self._tries[number] -= 1
        if self._tries.get(number, 0) >= MOST_TRIES:
            self._settle(number, "failed", self._core.now_ms(), why=why)
        else:
            self._write(number, state="waiting", began_ms=None, why=why)
        self._core.voice_bell.set()

    def _settle(self, number: int, state: str, now_ms: int, *, why: str) -> None:
        self._tries.pop(number, None)
        if state in ("expired", "failed"):
            say_once(
                f"voice:{state}",
                "call_not_spoken",
                f"announcement {number} was not spoken ({state}: {why}); the screens show the number",
                level=logging.WARNING,
            )
        self._write(number, state=state, ended_ms=now_ms, why=why)

    def _write(self, number: int, **columns: Any) -> None:
        self._owed[number] = self._owed.get(number, {}) | columns
        self._pay()

    def _pay(self) -> None:
        """Write what is owed. A disk that refuses now is tried with the next piece of news."""
        if not self._owed:
            return
        owed = dict(self._owed)

        def work(notebook: sqlite3.Connection) -> None:
            for number, columns in owed.items():
                names = ", ".join(f"{name} = ?" for name in columns)
                notebook.execute(
                    f"UPDATE announcements SET {names} WHERE announcement_id = ?", (*columns.values(), number)
                )

        try:
            self._core.writer.write(work)
        except NotWritten:
            return  # the writer's trouble stands on the console; what was said is remembered here
        self._owed.clear()


def is_display(name: str) -> bool:
    """Whether a display may call itself so: the same signs as a voice's id."""
    return VOICE_ID.fullmatch(name) is not None
