"""`linli figures`: how calls were answered, recomputed from the journal. Chinese first; `--csv` for a table program.

Read from gateway.db while the hall runs or stands still. No name, flat or illness is in it: the journal has none.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import TextIO
from zoneinfo import ZoneInfo

from devices.faults import LinliFault
from gateway import journal
from gateway.hall.figures import MARKS, Figures, Story, by_device, figures, stories
from gateway.hall.kinds import DEFAULTS
from gateway.notebook import open_reader
from linli.talk import open_running_house

_WORDS = {
    "heard": ("听到", "heard"),
    "accepted": ("有人接单", "accepted"),
    "arrived": ("到场", "arrived"),
    "closed": ("办结", "closed"),
}
#: A false-alarm list longer than this is no list for a person.
_DEVICES_NAMED = 20


class AskedWrongly(LinliFault):
    """A day that is none."""


def show(
    hall_file: str | None,
    *,
    first_day: str = "",
    last_day: str = "",
    form: str = "tables",
    out: TextIO | None = None,
) -> int:
    """Print the figures of these days (hall's time, both included; "" for the beginning and for today).

    :param form: "tables", "json" or "csv" (a line a call).
    :raises NotWritten: there is no notebook yet.
    :raises AskedWrongly: a day that is not written as 2026-11-22.
    """
    house = open_running_house(hall_file)
    zone = ZoneInfo(house.plan.hall.timezone)
    first_ms, end_ms = _midnight(first_day, zone, 0), _midnight(last_day, zone, 1)
    out = out or sys.stdout
    with closing(open_reader(house.gateway_db)) as book:
        # A call that began before the first day is not this time's; one that ended after the last day is.
        told = [one for one in stories(journal.lines(book, first_ms)) if not end_ms or one.began_ms < end_ms]
    match form:
        case "csv":
            _csv(told, zone, out)
        case "json":
            _json(told, out)
        case _:
            _tables(told, out)
    return 0


def _midnight(day: str, zone: ZoneInfo, later_days: int) -> int:
    if not day:
        return 0
    try:
        moment = datetime.combine(date.fromisoformat(day), time(), zone)
    except ValueError as wrong:
        raise AskedWrongly(f"“{day}”不是日期，请写成 2026-11-22 | {day!r} is no day: write 2026-11-22") from wrong
    return int((moment + timedelta(days=later_days)).timestamp() * 1000)


def _kinds(told: Sequence[Story]) -> list[Figures]:
    seen = {one.kind for one in told}
    return [figures(told)] + [figures(told, kind) for kind in DEFAULTS if kind in seen]


def _tables(told: Sequence[Story], out: TextIO) -> None:
    if not told:
        out.write("这段时间没有呼叫 | no calls in this time\n")
        return
    for one in _kinds(told):
        zh, en = (DEFAULTS[one.kind].name_zh, DEFAULTS[one.kind].name_en) if one.kind else ("全部", "All")
        out.write(f"{zh} {en}: {one.calls} 个呼叫 calls, {one.accepted} 个已接 accepted\n")
        for mark in MARKS:
            spread, (name_zh, name_en) = one.spreads[mark], _WORDS[mark]
            figures_ = "  ".join(
                f"{label} {_time(value)}"
                for label, value in (("p50", spread.p50_ms), ("p90", spread.p90_ms), ("p99", spread.p99_ms))
            )
            out.write(f"  按下 → {name_zh}  press → {name_en:<9} {figures_}  (n {spread.count})\n")
        for share in one.shares:
            if share.share is None:
                continue
            verdict = "达标 met" if share.met else "未达标 missed"
            out.write(
                f"  {share.within_ms // 1000} 秒内接单 accepted within {share.within_ms // 1000} s: "
                f"{share.share:.1%} (TSA {share.wanted:.1%}) {verdict}\n"
            )
    false = [one for one in by_device(told) if one.false_alarms][:_DEVICES_NAMED]
    if false:
        out.write("误按 False alarms\n")
        for device in false:
            rate = device.rate or 0.0
            out.write(f"  {device.device_id:<30} {device.false_alarms}/{device.closed}  {rate:.0%}\n")


def _json(told: Sequence[Story], out: TextIO) -> None:
    words = {
        "figures": [asdict(one) for one in _kinds(told)],
        "devices": [{**asdict(one), "rate": one.rate} for one in by_device(told)],
    }
    json.dump(words, out, ensure_ascii=False, indent=1)
    out.write("\n")


def _csv(told: Sequence[Story], zone: ZoneInfo, out: TextIO) -> None:
    table = csv.writer(out, lineterminator="\n")
    table.writerow(
        ["call_id", "kind", "device_id", "began", *(f"{mark}_ms" for mark in MARKS), "outcome", "presses"]
    )
    for one in told:
        began = datetime.fromtimestamp(one.began_ms / 1000, zone).isoformat(timespec="milliseconds")
        marks = ["" if (ms := getattr(one, f"{mark}_ms")) is None else ms for mark in MARKS]
        table.writerow([one.call_id, one.kind, one.device_id, began, *marks, one.outcome, one.presses])


def _time(ms: int | None) -> str:
    if ms is None:
        return "–"
    if ms < 1000:
        return f"{ms} ms"
    return f"{ms / 1000:.1f} s" if ms < 60_000 else f"{ms // 60_000} min {ms // 1000 % 60} s"
