"""A day, a week or a month of everything on one sheet: on the page, on paper, as CSV and as a workbook.

The figures are those of the pages of their own (hall_report.py); each section leads there. Charts are SVG drawn here,
each with its table; no script is needed. A child works it out, and the page shows how far it is.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused, OutsideDown
from gateway import views
from gateway.hall.meals import MEALS
from kiosk.console import acts, blueprint, care, door
from kiosk.console.care import Json, lang
from kiosk.console.report_pages import AGAIN_S, PATIENCE_S, file_of, kept_reports, trouble, workbook
from kiosk.console.words import say
from kiosk.core import Core, current_core
from kiosk.hall_report import HallReport, Part, Section, WantedHall
from kiosk.kinds import kinds_now
from kiosk.queue_names import policy_now, spell_s
from kiosk.queue_reports import Job
from kiosk.rules.report_spans import KINDS, Kind, Span, scale, span
from kiosk.rules.request_kinds import KINDS as REQUESTS

#: Where a section's own page is; parking and the queue are asked for the same days there.
PAGES = {
    "queue": "queue_figures",
    "calls": "history",
    "visits": "visit_report",
    "meals": "meal_day",
    "requests": "requests",
    "parking": "parking_history",
    "paper": "printer_list",
}
#: The hours of a day's chart where nothing was (our choice: a hall's usual hours).
HOURS = range(8, 18)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a chart: shares of its height; ``before``: of the mark of the span before. None: nobody knows.

    ``unknown``: that time has begun, and too much of it is not known for a figure.
    """

    label: str
    name: str
    value: float | None
    before: float | None
    high: float | None
    before_high: float | None
    unknown: bool


@blueprint.get("/reports")
@door.allow("admin", "staff")
def reports() -> ResponseReturnValue:
    core = current_core()
    filled: Json = {
        "of": None,
        "report": None,
        "job": None,
        "wait_s": AGAIN_S,
        "kinds": KINDS,
        "today": care.today(),
    }
    try:
        of = _asked()
        filled["of"] = of
        job = _ask(of)
        if not job.finished.wait(PATIENCE_S):
            return care.page("console/reports.html", 202, **{**filled, "job": job})
        report = job.result()
    except OrderRefused as refused:
        return care.page("console/reports.html", 400, **{**filled, "why": care.why(refused)})
    except OutsideDown as wrong:
        return care.page("console/reports.html", 503, **{**filled, "why": trouble(wrong)})
    shown = [_section(core, report, one) for one in report.sections]
    return care.page("console/reports.html", **{**filled, "report": report, "sections": shown})


@blueprint.get("/reports.csv")
@door.allow("admin", "staff")
def reports_csv() -> ResponseReturnValue:
    """Every section's figures and course under one another: the first columns say which. UTF-8 with its mark."""
    core = current_core()
    report = _file()
    if not isinstance(report, HallReport):
        return report
    head = [say(f"rp_{one}", lang()) for one in ("c_section", "c_what", "c_now", "c_before")]
    rows = [[table["title"], *row] for table in tables(core, report) for row in table["rows"]]
    acts.did("export_report", f"{report.first} {report.last} csv")
    return care.csv_file(f"linli-report-{report.first}-{report.last}.csv", head, rows)


@blueprint.get("/reports.xlsx")
@door.allow("admin", "staff")
def reports_xlsx() -> ResponseReturnValue:
    """A workbook: a sheet a section."""
    core = current_core()
    report = _file()
    if not isinstance(report, HallReport):
        return report
    name, span_of_days = f"linli-report-{report.first}-{report.last}", f"{report.first} {report.last}"
    return workbook(lambda: tables(core, report), name, "export_report", span_of_days)


# ---------------------------------------------------------------- what is asked


def _ask(of: Span) -> Job[HallReport]:
    return kept_reports("linli.hall_reports").ask(_wanted(current_core(), of))


def _file() -> HallReport | ResponseReturnValue:
    return file_of(lambda: _ask(_asked()), "console.reports")


def _asked() -> Span:
    """:raises OrderRefused: a day that is none."""
    raw = request.args.get("kind", "day")
    kind: Kind = next((one for one in KINDS if one == raw), "day")
    day = request.args.get("day", "")
    try:
        return span(kind, date.fromisoformat(day) if day else care.today())
    except ValueError as wrong:
        raise OrderRefused(say("qf_day_wrong", "zh"), say("qf_day_wrong", "en")) from wrong


def _wanted(core: Core, of: Span) -> WantedHall:
    house = core.house
    return WantedHall(
        of.kind,
        of.first.isoformat(),
        care.today().isoformat(),
        str(house.gateway_db),
        str(house.bridge_db),
        house.plan.hall.timezone,
        policy_now(core).target_wait_ms // 1000,
        core.now_ms(),
    )


# ---------------------------------------------------------------- what is shown


def _section(core: Core, report: HallReport, one: Section) -> Json:
    names = line_names(core, one.name)
    drawn = columns(report, one)
    return {
        "name": one.name,
        "title": say(f"rp_s_{one.name}", lang()),
        "trouble": one.trouble,
        "empty": one.empty,
        "rows": [_row(name, value, one.before.values.get(name)) for name, value in one.now.values.items()],
        "lines": [(_named(names, name), count) for name, count in one.now.lines.items()],
        "columns": drawn,
        "scale": _scale(one, drawn),
        "unit": say("rp_percent" if one.name == "parking" else "rp_pieces", lang()),
        "url": _own_page(report, one.name),
    }


def _row(name: str, now: float | int | None, before: float | int | None) -> tuple[str, str, str, str]:
    return say(f"rp_v_{name}", lang()), spelled(name, now), spelled(name, before), change(name, now, before)


def _named(names: dict[str, str], name: str) -> str:
    return names.get(name, name) or say("rp_nameless", lang())


def _own_page(report: HallReport, name: str) -> str:
    endpoint = f"console.{PAGES[name]}"
    if endpoint not in current_app.view_functions:
        return ""
    days: dict[str, str] = {}
    if name in ("queue", "parking"):
        days = {"from": report.first, "to": report.last}
    elif name == "calls":
        days = {"day_from": report.first, "day_to": report.last}
    elif name == "visits":
        days = {"month": report.first[:7]}
    return url_for(endpoint, **days)  # type: ignore[arg-type]


def keys(report: HallReport, one: Section) -> list[tuple[str, str, str]]:
    """The chart's columns: (label, key of this span, key of the span before; "" where it has no such day)."""
    if report.kind == "day":
        there = {int(key) for part in (one.now, one.before) for key in part.course}
        hours = range(min({*there, HOURS[0]}), max({*there, HOURS[-1]}) + 1)
        return [(str(hour), str(hour), str(hour)) for hour in hours]
    first, last = date.fromisoformat(report.first), date.fromisoformat(report.last)
    before = date.fromisoformat(report.before_first)
    shown = []
    for number in range((last - first).days + 1):
        day, past = first + timedelta(days=number), before + timedelta(days=number)
        label = say(f"weekday_{day.weekday()}", lang()) if report.kind == "week" else str(day.day)
        shown.append(
            (label, day.isoformat(), past.isoformat() if past.isoformat() <= report.before_last else "")
        )
    return shown


def columns(report: HallReport, one: Section) -> list[Column]:
    """The course as columns; none where nothing was."""
    found = keys(report, one)
    highest = max([*one.now.course.values(), *one.before.course.values()], default=0)
    if not highest:
        return []
    top = scale(highest)[-1]
    made = []
    for label, key, past in found:
        value, before = _told(one.name, one.now, key), one.before.course.get(past) if past else None
        name = say("qf_hour", lang(), hour=label) if report.kind == "day" else care.day_words(key)
        made.append(
            Column(
                label,
                name,
                value,
                before,
                None if value is None else value / top,
                None if before is None else before / top,
                value is None and _has_begun(report, key),
            )
        )
    return made


def _has_begun(report: HallReport, key: str) -> bool:
    """Whether a column's hour or day is not one to come."""
    today, day = care.today(), report.first if report.kind == "day" else key
    if report.kind != "day" or day != today.isoformat():
        return day <= today.isoformat()
    core = current_core()
    return int(key) < datetime.fromtimestamp(core.now_ms() / 1000, core.zone).hour


def _told(section: str, part: Part, key: str) -> float | None:
    """What stands at a column. Nothing there is nought where things are counted; where bays are watched, not known."""
    return part.course.get(key, None if section == "parking" else 0)


def _scale(one: Section, drawn: list[Column]) -> list[tuple[float, str]]:
    """(share of the height, what stands beside it) of each line."""
    if not drawn:
        return []
    lines = scale(max([*one.now.course.values(), *one.before.course.values()]))
    return [(value / lines[-1], f"{value:g}") for value in lines]


def spelled(name: str, value: float | int | None) -> str:
    """A figure as people read it: its name says its unit."""
    if value is None:
        return "–"
    if name.endswith("_share"):
        return f"{100 * value:.1f} %"
    if name.endswith("_s"):
        return spell_s(round(value))
    return f"{value:g}" if isinstance(value, float) else f"{value:,}"


def change(name: str, now: float | int | None, before: float | int | None) -> str:
    """How much more or less than before; "" where one of them is not known."""
    if now is None or before is None:
        return ""
    more = now - before
    if name.endswith("_share"):
        # Of the two figures as they are shown: 5.1 % and 4.8 % are 0.3 apart, whatever stands behind them.
        points = round(100 * now, 1) - round(100 * before, 1)
        return "=" if abs(points) < 0.05 else f"{points:+.1f}".replace("-", "−")
    if name.endswith("_s"):
        return "=" if not round(more) else f"{'+' if more > 0 else '−'}{spell_s(abs(round(more)))}"
    return "=" if not more else f"{more:+g}".replace("-", "−")


def line_names(core: Core, section: str) -> dict[str, str]:
    """What the lines of a section's table are called."""
    at = lang() == "en"
    match section:
        case "queue":
            return {one.code: f"{one.code} {one.say('name', lang())}" for one in core.catalogue.services}
        case "calls":
            return {one["kind"]: one["name_en" if at else "name_zh"] for one in kinds_now(core)}
        case "meals":
            return {meal: care.pair(words) for meal, words in MEALS.items()}
        case "requests":
            return {one.code: one.say(lang()) for one in REQUESTS.values()}
        case "parking":
            try:
                zones = views.zones(core.gateway_reader())
            except (NotWritten, sqlite3.Error):
                return {}
            return {str(one["zone_id"]): str(one["name_en" if at else "name_zh"]) for one in zones}
        case "paper":
            return {
                one.id: (one.name_en if at else one.name_zh) or one.id for one in core.house.plan.printers
            }
    return {}


def tables(core: Core, report: HallReport) -> list[Json]:
    """A table a section for files: its figures, its course, its lines. Durations are seconds, shares are floats."""
    made = []
    for one in report.sections:
        names = line_names(core, one.name)
        rows: list[list[Any]] = [[say("rp_unread", lang()), None, None]] if one.trouble else []
        rows += [
            [_file_name(name), _cell(name, one.now.values[name]), _cell(name, one.before.values.get(name))]
            for name in one.now.values
        ]
        rows += [
            [care.day_words(key) if report.kind != "day" else say("qf_hour", lang(), hour=label),
             _whole(_told(one.name, one.now, key)), _whole(_told(one.name, one.before, past)) if past else None]
            for label, key, past in (keys(report, one) if one.now.course or one.before.course else [])
        ]  # fmt: skip
        rows += [
            [_named(names, name), count, one.before.lines.get(name, 0)]
            for name, count in one.now.lines.items()
        ]
        made.append(
            {
                "title": say(f"rp_s_{one.name}", lang()),
                "note": say("qf_days", lang(), first=report.first, last=report.last),
                "head": [say(f"rp_{column}", lang()) for column in ("c_what", "c_now", "c_before")],
                "rows": rows,
            }
        )
    return made


def _file_name(name: str) -> str:
    unit = f" ({say('qf_seconds', lang())})" if name.endswith("_s") else ""
    return f"{say(f'rp_v_{name}', lang())}{unit}"


def _cell(name: str, value: float | int | None) -> float | int | None:
    """A workbook shows a float as a percentage: so only shares are floats."""
    if value is None:
        return None
    return round(float(value), 4) if name.endswith("_share") else _whole(value)


def _whole(value: float | int | None) -> int | None:
    return None if value is None else round(value)


__all__ = ["Part", "change", "columns", "keys", "reports", "spelled", "tables"]
