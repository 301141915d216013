"""The queue's figures: how long people waited and were served, for any days; as a page, as CSV and as a workbook.

The page draws its charts as SVG on the server, each with its table beside it; it needs no script and can be printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused, OutsideDown
from kiosk.console import acts, blueprint, care, door
from kiosk.console.report_pages import AGAIN_S, PATIENCE_S, file_of, kept_reports, trouble, workbook
from kiosk.console.words import Lang, say
from kiosk.core import Core, current_core
from kiosk.queue_figures import Report
from kiosk.queue_names import part_table, policy_now, spell_s, titled
from kiosk.queue_reports import Job, Wanted
from kiosk.rules.charts import chart
from kiosk.rules.spreads import PARTS, Line

Json = dict[str, Any]

#: A chart of more columns than this says nothing; the table has them all.
COLUMNS_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days somebody looks at. ``pick`` is the word of the choice, "own" for days of their own."""

    pick: str
    first: date
    last: date
    target_s: int

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.first.isoformat(), self.last.isoformat(), self.target_s)


@blueprint.get("/queue/figures")
@door.allow("admin", "staff")
def queue_figures() -> ResponseReturnValue:
    core, lang = current_core(), care.lang()
    filled: Json = {
        "picks": _picks(care.today()),
        "asked": None,
        "report": None,
        "job": None,
        "wait_s": AGAIN_S,
    }
    try:
        asked = _asked(core)
        filled["asked"] = asked
        job = _ask(asked)
        if not job.finished.wait(PATIENCE_S):
            return care.page("console/queue_figures.html", 202, **{**filled, "job": job})
        report = job.result()
    except OrderRefused as refused:
        return care.page("console/queue_figures.html", 400, **{**filled, "why": care.why(refused)})
    except OutsideDown as wrong:
        return care.page("console/queue_figures.html", 503, **{**filled, "why": trouble(wrong)})
    shown = {
        "report": report,
        "parts": [_part(core, report, part, lang) for part in PARTS[1:] if report.of(part)],
        "minutes": asked.target_s // 60,
        "spell_s": spell_s,
    }
    return care.page("console/queue_figures.html", **{**filled, **shown})


@blueprint.get("/queue/figures.csv")
@door.allow("admin", "staff")
def queue_figures_csv() -> ResponseReturnValue:
    """All tables under one another as one: the first column says which. UTF-8 with its mark, seconds as numbers."""
    core, lang = current_core(), care.lang()
    found = _file()
    if not isinstance(found, Report):
        return found
    tables = [part_table(core, found, part, lang) for part in PARTS if found.of(part)]
    head = [say("qf_name_all", lang), *(tables[0]["head"] if tables else ())]
    rows = [[table["title"], *row] for table in tables for row in table["rows"]]
    acts.did("export_queue_figures", f"{found.first} {found.last} csv")
    return care.csv_file(f"linli-queue-{found.first}-{found.last}.csv", head, rows)


@blueprint.get("/queue/figures.xlsx")
@door.allow("admin", "staff")
def queue_figures_xlsx() -> ResponseReturnValue:
    """A workbook: a sheet a table."""
    core, lang = current_core(), care.lang()
    found = _file()
    if not isinstance(found, Report):
        return found
    return workbook(
        lambda: [part_table(core, found, part, lang) for part in PARTS if part == "all" or found.of(part)],
        f"linli-queue-{found.first}-{found.last}",
        "export_queue_figures",
        f"{found.first} {found.last}",
    )


def _ask(asked: Asked) -> Job[Report]:
    return kept_reports("linli.reports").ask(asked.wanted)


def _file() -> Report | ResponseReturnValue:
    return file_of(lambda: _ask(_asked(current_core())), "console.queue_figures")


def _picks(today: date) -> dict[str, tuple[date, date]]:
    """The ranges that most people want: word → first and last day."""
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    return {
        "today": (today, today),
        "week": (today - timedelta(days=today.weekday()), today),
        "month": (month, today),
        "last_month": (before, month - timedelta(days=1)),
    }


def _asked(core: Core) -> Asked:
    """
    :raises OrderRefused: days that are none, or the wrong way round.
    """
    picks = _picks(care.today())
    pick = request.args.get("range", "")
    policy = policy_now(core)
    minutes = request.args.get("target", "")
    target_s = (
        int(minutes) * 60 if minutes.isascii() and minutes.isdigit() and 0 < int(minutes[:4]) <= 480 else 0
    )
    target_s = target_s or policy.target_wait_ms // 1000
    first, last = request.args.get("from", ""), request.args.get("to", "")
    if pick in picks or not (first or last):
        pick = pick if pick in picks else "today"
        return Asked(pick, *picks[pick], target_s)
    try:
        asked = Asked("own", date.fromisoformat(first or last), date.fromisoformat(last or first), target_s)
    except ValueError as wrong:
        raise OrderRefused(say("qf_day_wrong", "zh"), say("qf_day_wrong", "en")) from wrong
    if asked.first > asked.last or asked.first.year < 2000 or asked.last.year > 2200:
        raise OrderRefused(say("qf_day_wrong", "zh"), say("qf_day_wrong", "en"))
    return asked


def _part(core: Core, report: Report, part: Any, lang: Lang) -> Json:
    lines: list[tuple[str, Line]] = titled(core, report, part, lang)
    drawn = chart([line for _, line in lines], report.target_s) if len(lines) <= COLUMNS_AT_MOST else None
    return {
        "part": part,
        "lines": lines,
        "chart": drawn,
        "names": {line.name: title for title, line in lines},
        "upright": part in ("hour", "day"),
    }
