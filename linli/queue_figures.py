"""`linli queue figures`: how long people waited and were served, from kiosk.db. Chinese first; `--csv`, `--json`.

Read while the hall runs or stands still. Nothing of a person is in it.
"""

from __future__ import annotations

import csv
import json
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TextIO

import kiosk
from gateway.notebook import open_reader
from kiosk.catalogue import load_catalogue
from kiosk.queue_figures import NO_END, Report, gather, to_json
from kiosk.queue_names import name_lines, spell_s, table, window_names
from kiosk.rules.policy import read_policy
from kiosk.rules.spreads import PARTS, Line, Part
from kiosk.words_figures import WORDS
from linli.figures import AskedWrongly
from linli.talk import open_running_house

#: Columns of a terminal for a name: a Chinese sign takes two.
_NAME = 40


def show(
    hall_file: str | None,
    *,
    first_day: str = "",
    last_day: str = "",
    form: str = "tables",
    out: TextIO | None = None,
) -> int:
    """Print the figures of these days (business days, both included; "": from the beginning, to the end).

    :param form: "tables", "json", or "csv" (a line for each line of the tables, durations in seconds).
    :raises NotWritten: there is no notebook yet.
    :raises AskedWrongly: a day that is none.
    """
    house = open_running_house(hall_file)
    out = out or sys.stdout
    first, last = _day(first_day, ""), _day(last_day, NO_END)
    with closing(open_reader(house.kiosk_db)) as book:
        policy = read_policy(
            {str(key): str(value) for key, value in book.execute("SELECT key, value FROM queue_policy")}
        )
        report = gather(book, first, last, policy.target_wait_ms // 1000, _progress)
        names = {lang: window_names(book, lang) for lang in ("zh", "en")}
    if form == "json":
        json.dump(to_json(report), out, ensure_ascii=False, indent=1)
        out.write("\n")
        return 0
    file = Path(kiosk.__file__).parent / "data" / "services_31.yaml"
    catalogue = load_catalogue(file.read_text(encoding="utf-8"), file.name)
    if not report.whole.total:
        out.write(f"{WORDS['qf_none'][0]} | {WORDS['qf_none'][1]}\n")
        return 0
    titled = {
        part: [
            (zh if zh == en else f"{zh} {en.removeprefix(line.name).strip()}", line)
            for (zh, line), (en, _) in zip(
                name_lines(catalogue, names["zh"], report, part, "zh"),
                name_lines(catalogue, names["en"], report, part, "en"),
                strict=True,
            )
        ]
        for part in PARTS
    }
    if form == "csv":
        _csv(titled, report, out)
    else:
        out.writelines(f"{text}\n" for text in _tables(titled, report))
    return 0


def _day(said: str, otherwise: str) -> str:
    if not said:
        return otherwise
    try:
        return date.fromisoformat(said).isoformat()
    except ValueError as wrong:
        raise AskedWrongly(
            f"“{said}”不是日期，请写成 2026-11-22 | {said!r} is no day: write 2026-11-22"
        ) from wrong


def _progress(done: int, of: int) -> None:
    """For a person who waits; days that are closed already come all at once."""
    if sys.stderr.isatty() and of > 1:
        sys.stderr.write(
            f"\r{done}/{of} {'天 days' if done < of else '       '}" + ("" if done < of else "\r")
        )
        sys.stderr.flush()


def _csv(titled: Mapping[Part, list[tuple[str, Line]]], report: Report, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    head_written = False
    for part in PARTS:
        made = table(titled[part], report, part, "en")
        if not head_written:
            writer.writerow(["part", "name", *made["head"][1:]])
            head_written = True
        writer.writerows([part, *row] for row in made["rows"])


def _tables(titled: Mapping[Part, list[tuple[str, Line]]], report: Report) -> Iterator[str]:
    for part in PARTS:
        if not titled[part]:
            continue
        zh, en = WORDS[f"qf_part_{part}"]
        yield f"{zh} {en}"
        yield (
            f"  {'':<{_NAME}}{'号数 n':>8} | {'等候 wait p50':>12}{'p90':>9}{'p99':>9}{'>目标':>8} | "
            f"{'办理 service p50':>13}{'p90':>9}{'p99':>9} | {'过号 no-show':>8}"
        )
        for name, line in titled[part]:
            wait, service = line.wait, line.service
            yield (
                f"  {_fill(name, _NAME)}{line.total:>9,} | {spell_s(wait.p50_s):>14}{spell_s(wait.p90_s):>9}"
                f"{spell_s(wait.p99_s):>9}{_share(line.beyond_share):>10} | {spell_s(service.p50_s):>15}"
                f"{spell_s(service.p90_s):>9}{spell_s(service.p99_s):>9} | {_share(line.no_show_share):>10}"
            )
    minutes = report.target_s // 60
    yield f"分:秒 min:s; 目标 target {minutes} 分 min; 百分位精确到秒 percentiles are exact to the second"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _fill(text: str, width: int) -> str:
    kept, wide = "", 0
    for sign in text:
        wide += 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        if wide > width - 1:
            return (
                kept
                + "…"
                + " "
                * max(0, width - 1 - sum(2 if unicodedata.east_asian_width(s) in "WF" else 1 for s in kept))
            )
        kept += sign
    return kept + " " * (width - wide)
