"""`linli stats`: how late the loop is, what was late and why, what it counted; for a technician over ssh.

Tables of at most 100 columns, Chinese first. Figures are the gateway's own (docs/protocol.md, `statistics`), durations
in milliseconds; a dash stands for what the gateway did not say. `--json` is its answer untouched, `--prometheus` what
``/metrics`` would tell of it, `--watch` the tables anew every two seconds until Ctrl-C.
"""

from __future__ import annotations

import datetime
import json
import sys
import time
import unicodedata
import zoneinfo
from collections.abc import Iterator, Sequence
from typing import TextIO

from devices.faults import OutsideDown
from gateway.house import House
from kiosk.figures import (
    LANES,
    PHASES,
    RUBBISH,
    STAGES,
    Minute,
    Spread,
    Statistics,
    in_order,
    read_statistics,
)
from kiosk.words_running import WORDS
from linli.talk import Json, Line, open_running_house

#: A person reads a table in about two seconds.
WATCH_EVERY_S = 2.0
WIDTH = 100
#: No name may push the other columns off the screen.
CELL = 46
#: The last hour as one line: how tall a minute stands among these is its slowest fact, from 1 ms to 1 s.
_BARS = "▁▂▃▄▅▆▇█"
#: A bar of a share is this wide at 100 %.
_SHARE_WIDE = 40
_CLEAR = "\x1b[H\x1b[2J"


def stats(
    hall_file: str | None, *, form: str = "tables", watch: bool = False, out: TextIO | None = None
) -> int:
    """Print the gateway's figures.

    :param form: "tables", "json" or "prometheus".
    :param watch: again and again, until Ctrl-C.
    :raises OutsideDown: the gateway is not there (with `watch` only at the first look).
    """
    house = open_running_house(hall_file)
    out = out or sys.stdout
    said: Json | OutsideDown = ask(house)
    try:
        while True:
            if watch and out.isatty():
                out.write(_CLEAR)
            out.write(spell(said, form, house) if isinstance(said, dict) else f"{said}\n")
            if not watch:
                return 0
            out.flush()
            time.sleep(WATCH_EVERY_S)
            try:
                said = ask(house)
            except OutsideDown as away:
                said = away  # it may be restarting: said on the screen, and looked again
    except KeyboardInterrupt:
        return 0


def ask(house: House) -> Json:
    """The gateway's answer, as it came.

    :raises OutsideDown: nobody listens, or nobody answers.
    """
    with Line(house.gateway_socket, "the gateway") as line:
        said = line.ask(id="1", order="statistics").get("statistics")
    return said if isinstance(said, dict) else {}


def spell(said: Json, form: str, house: House) -> str:
    if form == "json":
        return json.dumps(said, ensure_ascii=False, indent=1) + "\n"
    told = read_statistics(said)
    if form == "prometheus":
        from kiosk.metrics import as_text, gateway_families

        return as_text(gateway_families(told)).decode()
    zone = zoneinfo.ZoneInfo(house.plan.hall.timezone)
    return "\n".join(line.rstrip() for line in tables(told, zone)) + "\n"


# ---------------------------------------------------------------- the tables


def tables(told: Statistics, zone: zoneinfo.ZoneInfo) -> Iterator[str]:
    """Every line of them."""
    yield from _head(told, zone)
    yield from _lateness(told, zone)
    yield from _hour(told)
    yield from _late(told, zone)
    yield from _time(told)
    yield from _loud(told, zone)
    yield from _counts(told)
    yield from _rest(told)


def _head(told: Statistics, zone: zoneinfo.ZoneInfo) -> Iterator[str]:
    share = None if not told.up_s or told.cpu_s is None else 100 * told.cpu_s / told.up_s
    memory = None if told.rss_kb is None else told.rss_kb / 1024
    yield (
        f"邻里 Linli · 网关 gateway   自 since {_moment(told.since_ms, zone)} ({_lapse(told.up_s)})"
        f"   现在 now {_moment(told.now_ms, zone)}"
    )
    yield (
        f"处理器 CPU {_plain(told.cpu_s)} s ({_plain(share)} %)   内存 memory {_plain(memory)} MB"
        f"   转 turns {_count(told.turns)}"
    )


def _lateness(told: Statistics, zone: zoneinfo.ZoneInfo) -> Iterator[str]:
    yield from _title("从收到起，毫秒 From arrival, ms")
    if not told.lateness:
        yield "  还没有任何呼叫或消息 No call and no message yet"
        return
    head = ("", "次数 n", "p50", "p99", "最慢 max", "最慢的是 the slowest")
    rows: list[tuple[str, ...]] = []
    for lane, stages in in_order(told.lateness, LANES):
        rows.append((_both(f"lane_{lane}", lane), "", "", "", "", ""))
        rows += [
            (f"  {_both(f'stage_{stage}', stage)}", *_spread(spread, zone))
            for stage, spread in in_order(stages, STAGES)
        ]
    for name, one in (("写盘 one commit", told.commits), ("离门 away from doors", told.away)):
        if one is not None:
            rows.append((name, *_spread(one, zone)))
    yield from _rows(head, rows, right=(1, 2, 3, 4))


def _spread(one: Spread, zone: zoneinfo.ZoneInfo) -> tuple[str, str, str, str, str]:
    at = "" if one.worst_at_ms is None else _moment(one.worst_at_ms, zone)
    worst = " ".join(text for text in (at, one.worst) if text)
    return _count(one.count), _ms(one.p50_ms), _ms(one.p99_ms), _ms(one.max_ms), worst


def _hour(told: Statistics) -> Iterator[str]:
    lanes = [lane for lane in LANES if any(lane in one.lanes for one in told.minutes)]
    if not lanes or told.now_ms is None:
        return
    yield from _title("最近一小时，每分钟最慢的 The slowest of each minute, last hour   ▁ ≤ 1 ms … █ ≥ 1 s")
    for lane in lanes:
        worst = max((one.lanes[lane].max_ms or 0.0 for one in told.minutes if lane in one.lanes), default=0.0)
        yield f"  {_fill(_both(f'lane_{lane}', lane), 28)}{_spark(told.minutes, lane, told.now_ms)}  {_ms(worst)}"


def _spark(minutes: Sequence[Minute], lane: str, now_ms: int) -> str:
    """Sixty signs, the running minute last; a dot where nothing came."""
    signs = ["·"] * 60
    for one in minutes:
        ago = (now_ms - now_ms % 60_000 - one.minute_ms) // 60_000
        spread = one.lanes.get(lane)
        if 0 <= ago < 60 and spread is not None and spread.count:
            signs[59 - ago] = _BARS[_height(spread.max_ms or 0.0)]
    return "".join(signs)


def _height(ms: float) -> int:
    """Eight steps from 1 ms to 1 s: each about 2.7 times the one below."""
    step, edge_ms = 0, 1.0
    while ms > edge_ms and step < len(_BARS) - 1:
        step, edge_ms = step + 1, edge_ms * 1000 ** (1 / 7)
    return step


def _late(told: Statistics, zone: zoneinfo.ZoneInfo) -> Iterator[str]:
    yield from _title("迟到的事 What was late")
    if not told.late:
        yield "  没有 nothing"
        return
    head = ("何时 when", "毫秒 ms", "什么 what", "毫秒 ms", "因为 because of")
    rows = [
        (
            _moment(one.at_ms, zone),
            _ms(one.told_ms),
            one.what,
            _ms(one.waited_ms),
            _both(f"because_{one.waited_for}", one.waited_for),
        )
        for one in told.late
    ]
    yield from _rows(head, rows, right=(1, 3))


def _time(told: Statistics) -> Iterator[str]:
    whole_ms = sum(one.total_ms for one in told.phases.values())
    if not whole_ms:
        return
    yield from _title("时间用在哪里 Where the loop's time goes")
    head = ("", "次数 n", "秒 s", "最长 max ms", "")
    rows = [
        (
            _both(f"phase_{name}", name),
            _count(one.count),
            _ms(one.total_ms / 1000),
            _ms(one.max_ms),
            f"{'█' * round(_SHARE_WIDE * one.total_ms / whole_ms)} {100 * one.total_ms / whole_ms:.0f}%",
        )
        for name, one in in_order(told.phases, PHASES)
    ]
    yield from _rows(head, rows, right=(1, 2, 3))


def _loud(told: Statistics, zone: zoneinfo.ZoneInfo) -> Iterator[str]:
    if not told.over_budget:
        return
    yield from _title("说得太多的设备 Devices that say too much: messages beyond their share")
    rows = [
        (one.device_id, _count(one.excess), f"自 since {_moment(one.since_ms, zone)}")
        for one in told.over_budget
    ]
    yield from _rows((), rows, right=(1,))


def _counts(told: Statistics) -> Iterator[str]:
    if not told.counts:
        return
    yield from _title("计数 Counters (! 值得一看 worth a look)")
    rows = [
        (("! " if name in RUBBISH and count else "  ") + _both(f"count_{name}", name), _count(count))
        for name, count in in_order(told.counts, ("messages", *RUBBISH))
    ]
    yield from _rows((), rows, right=(1,))


def _rest(told: Statistics) -> Iterator[str]:
    yield ""
    waiting = "   ".join(
        f"{_both(f'waiting_{name}', name)} {_count(count)}" for name, count in told.waiting.items()
    )
    yield f"等待 waiting   {waiting or '-'}"
    next_in = None if told.next_timer_in_ms is None else told.next_timer_in_ms / 1000
    yield f"定时 timers    {_count(told.timers)}   下一个 next in {_lapse(next_in)}"
    clock = (
        "-" if told.clock_known is None else "可信 believed" if told.clock_known else "! 不可信 NOT believed"
    )
    why = _both(f"clock_{told.clock_why}", told.clock_why) if told.clock_why else ""
    yield f"时钟 clock     {clock}   {why}"
    lines = [
        f"{_both(f'line_{name}', name)} "
        + ("-" if one.up is None else "通 up" if one.up else "! 断 DOWN")
        + (f" (断过 came back {one.reconnects})" if one.reconnects else "")
        for name, one in sorted(told.lines.items())
    ]
    yield f"线路 broker    {'   '.join(lines) or '-'}"
    desk = "   ".join(f"{name} {_count(count)}" for name, count in told.desk.items())
    yield f"柜台 desk      {desk or '-'}"
    if told.processors:
        places = " ".join(str(one) for one in told.processors)
        apart = f"和消息服务器没分开 not apart: {told.not_apart}" if told.not_apart else "和消息服务器分开 apart"
        yield f"核心 processors {places}   {apart}"
        awake = f"! 不能 cannot be: {told.not_awake}" if told.not_awake else "可以 yes"
        yield f"呼叫时保持清醒 kept awake while somebody calls: {awake}"


# ---------------------------------------------------------------- words and widths


def _title(text: str) -> Iterator[str]:
    yield ""
    yield text


def _both(key: str, otherwise: str) -> str:
    """ "呼叫 calls": both languages of one word, or the gateway's own word where it is new to us."""
    if key not in WORDS:
        return otherwise
    zh, en = WORDS[key]
    return f"{zh} {en}"


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> Iterator[str]:
    """Columns as wide as they need to be; what is too long loses its end, never its place."""
    table = [[_cut(cell, CELL) for cell in row] for row in ([head, *rows] if head else rows)]
    wide = [max(_wide(row[at]) for row in table) for at in range(len(table[0]))]
    for row in table:
        cells = [_fill(cell, wide[at], right=at in right) for at, cell in enumerate(row)]
        yield _cut("  " + "  ".join(cells).rstrip(), WIDTH)


def _wide(text: str) -> int:
    """How many columns of a terminal: a Chinese sign takes two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _fill(text: str, width: int, *, right: bool = False) -> str:
    space = " " * (width - _wide(text))
    return space + text if right else text + space


def _cut(text: str, width: int) -> str:
    if _wide(text) <= width:
        return text
    kept = ""
    for sign in text:
        if _wide(kept + sign) > width - 1:
            break
        kept += sign
    return kept + "…"


def _ms(ms: float | None) -> str:
    """A duration, whatever its unit: three digits are enough where it is measured to 7 %."""
    if ms is None:
        return "-"
    return f"{ms:.2f}" if ms < 10 else f"{ms:.1f}" if ms < 100 else f"{ms:,.0f}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _moment(at_ms: int | None, zone: zoneinfo.ZoneInfo) -> str:
    if at_ms is None:
        return "-"
    try:
        return datetime.datetime.fromtimestamp(at_ms / 1000, zone).strftime("%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "-"  # a clock that is years beyond any calendar


def _lapse(lapse_s: float | None) -> str:
    if lapse_s is None:
        return "-"
    days, rest = divmod(int(lapse_s), 86_400)
    hours, minutes, seconds = rest // 3600, rest % 3600 // 60, rest % 60
    if days:
        return f"{days} 天 d {hours} 时 h"
    if hours:
        return f"{hours} 时 h {minutes} 分 min"
    return f"{minutes} 分 min {seconds} 秒 s" if minutes else f"{seconds} 秒 s"
