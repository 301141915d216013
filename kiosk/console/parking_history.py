"""The car park's history: occupancy by hour and weekday as a picture, turnover, stays; when it will be full today.

The page draws its picture as SVG on the server, its figures as a table beside it; it needs no script and can be
printed. The work is done by a process of its own (queue_reports.py).
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
from kiosk.core import current_core
from kiosk.parking_history import History, WantedHistory, ZoneOutlook
from kiosk.queue_reports import Job
from kiosk.rules.parking_history import Cell, ZoneFigures, figures

Json = dict[str, Any]

#: The words for a child that could not read.
FAILED = "ph_failed"
#: Bays in the page's table; the files hold all of them.
BAYS_SHOWN = 20
#: The ranges that most people want: word → so many days, today among them.
_PICKS = {"week": 7, "month": 30, "quarter": 90, "year": 365}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days and which zone ("" all) somebody looks at. ``pick``: the word of the choice, "own" for own days."""

    pick: str
    first: date
    last: date
    zone_id: str


@blueprint.get("/parking/history")
@door.allow("admin", "staff")
def parking_history() -> ResponseReturnValue:
    lang = care.lang()
    filled: Json = {"picks": _PICKS, "asked": None, "history": None, "job": None, "wait_s": AGAIN_S}
    try:
        asked = _asked()
        filled["asked"] = asked
        job = _ask(asked)
        if not job.finished.wait(PATIENCE_S):
            return care.page("console/parking_history.html", 202, **{**filled, "job": job})
        history = job.result()
        filled["history"] = history
        one = _zone(history, asked)
    except OrderRefused as refused:
        return care.page("console/parking_history.html", 400, **{**filled, "why": care.why(refused)})
    except OutsideDown as wrong:
        return care.page("console/parking_history.html", 503, **{**filled, "why": trouble(wrong, FAILED)})
    shown = {
        "one": one,
        "zone_name": lambda name: _zone_name(history, name, lang),
        "bays_shown": BAYS_SHOWN,
        "outlook": [_outlook(look, lang) for look in history.outlook if asked.zone_id in ("", look.zone_id)],
        "figure": cell_figure,
        "share": share_words,
        "a_day": a_day_words,
        "spell": spell_hours,
    }
    return care.page("console/parking_history.html", **{**filled, **shown})


@blueprint.get("/parking/history.csv")
@door.allow("admin", "staff")
def parking_history_csv() -> ResponseReturnValue:
    """All tables under one another as one: the first column says which. UTF-8 with its mark; stays in minutes."""
    found = _file()
    if not isinstance(found, History):
        return found
    made = tables(found, care.lang(), request.args.get("zone", ""))
    width = max(len(table["head"]) for table in made)
    rows = [
        [table["title"], *row] + [""] * (width - len(row)) for table in made for row in (table["head"], *table["rows"])
    ]
    acts.did("export_parking_history", f"{found.first} {found.last} csv")
    head = [say("qf_name_all", care.lang()), *[""] * width]
    return care.csv_file(f"linli-parking-{found.first}-{found.last}.csv", head, rows)


@blueprint.get("/parking/history.xlsx")
@door.allow("admin", "staff")
def parking_history_xlsx() -> ResponseReturnValue:
    """A workbook: a sheet a table."""
    found = _file()
    if not isinstance(found, History):
        return found
    return workbook(
        lambda: tables(found, care.lang(), request.args.get("zone", "")),
        f"linli-parking-{found.first}-{found.last}",
        "export_parking_history",
        f"{found.first} {found.last}",
        FAILED,
    )


def _ask(asked: Asked) -> Job[History]:
    return kept_reports("linli.parking_reports").ask(_wanted(asked))


def _file() -> History | ResponseReturnValue:
    return file_of(
        lambda: _ask(_asked()),
        "console.parking_history",
        FAILED,
        check=lambda history: _zone(history, _asked()),
    )


def _wanted(asked: Asked) -> WantedHistory:
    """To the minute: who asks twice within it gets the same figures."""
    core = current_core()
    minute_ms = core.now_ms() // 60_000 * 60_000
    timezone = core.house.plan.hall.timezone
    return WantedHistory(
        str(core.house.gateway_db), timezone, asked.first.isoformat(), asked.last.isoformat(), minute_ms
    )


def _asked() -> Asked:
    """
    :raises OrderRefused: days that are none, or the wrong way round.
    """
    today, zone_id = care.today(), request.args.get("zone", "")
    pick, first, last = (request.args.get(name, "") for name in ("range", "from", "to"))
    if pick in _PICKS or not (first or last):
        pick = pick if pick in _PICKS else "month"
        return Asked(pick, today - timedelta(days=_PICKS[pick] - 1), today, zone_id)
    wrong_days = OrderRefused(say("qf_day_wrong", "zh"), say("qf_day_wrong", "en"))
    try:
        asked = Asked("own", date.fromisoformat(first or last), date.fromisoformat(last or first), zone_id)
    except ValueError as wrong:
        raise wrong_days from wrong
    if asked.first > asked.last or asked.first.year < 2000 or asked.last.year > 2200:
        raise wrong_days
    return asked


def _zone(history: History, asked: Asked) -> ZoneFigures:
    """:raises OrderRefused: there is no such zone, now or in these days."""
    for one in history.zones:
        if one.zone_id == asked.zone_id:
            return one
    if asked.zone_id in history.names:
        return figures(asked.zone_id, ())
    raise OrderRefused(say("ph_zone_wrong", "zh"), say("ph_zone_wrong", "en"))


def _zone_name(history: History, zone_id: str, lang: Lang) -> str:
    if not zone_id:
        return say("ph_all_zones", lang)
    return history.names.get(zone_id, (zone_id, zone_id))[lang == "en"]


# ---------------------------------------------------------------- in people's words


def cell_figure(cell: Cell) -> str:
    """What stands in a cell of the picture: a percentage, "?" where too much is unknown, "–" where nothing is."""
    if cell.unknown is None:
        return "–"
    return f"{100 * (cell.occupied or 0):.0f}" if cell.certain else "?"


def share_words(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def a_day_words(cars: float | None) -> str:
    """Cars a day; "?" where nobody watched for most of every day."""
    return "?" if cars is None else f"{cars:.1f}"


def spell_hours(seconds: int | None) -> str:
    """A stay as hours and minutes, 1:05."""
    return "–" if seconds is None else f"{seconds // 3600}:{seconds // 60 % 60:02}"


def _clock(quarter: int) -> str:
    return f"{quarter // 4}:{quarter % 4 * 15:02}"


def _outlook(look: ZoneOutlook, lang: Lang) -> Json:
    said, errors = look.forecast, look.errors
    if said is None:
        full = say("ph_too_few", lang)
    elif said.now_full:
        full = say("ph_full_now", lang)
    elif said.full is None or said.early is None or said.late is None:
        full = say("ph_not_today", lang)
    else:
        full = say("ph_between", lang, clock=_clock(said.full), early=_clock(said.early), late=_clock(said.late))
    usual = ""
    if said is not None and look.usual_known:
        usual = (
            say("ph_usually_full", lang, clock=_clock(look.usual_full))
            if look.usual_full is not None
            else say("ph_usually_not", lang)
        )
    typical = errors.typical_min
    ahead = dict(said.ahead) if said is not None else {}
    at = said.at if said is not None else 0
    return {
        "zone_id": look.zone_id,
        "now": share_words(look.now) if look.now is not None else "?",
        "full": full,
        "usual": usual,
        "error": say("ph_error_none", lang)
        if typical is None
        else say("ph_error_min", lang, minutes=f"{max(15, typical):.0f}"),
        "right": "–"
        if errors.right_share is None
        else say("ph_right_of", lang, n=errors.asked, share=share_words(errors.right_share)),
        "ahead": [share_words(ahead.get(at + 4 * hours)) for hours in (1, 2, 3)],
    }


def tables(history: History, lang: Lang, zone_id: str = "") -> list[Json]:
    """The files' tables: title, note, head, rows. Shares are floats, stays whole minutes."""
    note = say("qf_days", lang, first=history.first, last=history.last)
    if history.days_without:
        note += " · " + say("ph_days_without", lang, n=history.days_without)
    columns = ("bay_count", "days", "occupied", "unknown_share", "arrivals", "departures", "turnover")
    stay, minutes = say("ph_stay", lang), say("ph_minutes", lang)
    stays = [f"{stay} {say(f'ph_stay_{one}', lang)} ({minutes})" for one in ("p50", "p90")]
    one = next((zone for zone in history.zones if zone.zone_id == zone_id), None) or figures(zone_id, ())
    made = [
        {
            "title": say("ph_zones", lang),
            "note": note,
            "head": [say("ph_zone", lang), *(say(f"ph_{name}", lang) for name in columns), *stays],
            "rows": [
                [
                    _zone_name(history, zone.zone_id, lang),
                    zone.bay_count,
                    zone.days,
                    zone.all.occupied,
                    zone.all.unknown,
                    zone.arrivals,
                    zone.departures,
                    _hundredths(zone.turnover),
                    *(None if time is None else time // 60 for time in (zone.stay.p50_s, zone.stay.p90_s)),
                ]
                for zone in history.zones
            ],
        }
    ]
    for name, of in (("heat", "occupied"), ("unknown_share", "unknown")):
        made.append(
            {
                "title": say(f"ph_{name}", lang).replace("（%）", "").replace(" (%)", ""),
                "note": f"{_zone_name(history, one.zone_id, lang)} · {note}",
                "head": [say("ph_weekday", lang), *(str(hour) for hour in range(24))],
                "rows": [
                    [say(f"ph_day_{day}", lang), *(getattr(cell, of) for cell in row)]
                    for day, row in enumerate(one.heat)
                ],
            }
        )
    made.append(
        {
            "title": say("ph_bays", lang),
            "note": f"{_zone_name(history, one.zone_id, lang)} · {note}",
            "head": [say(f"ph_{name}", lang) for name in ("bay", "turnover", "occupied", "known_share")],
            "rows": [[bay, _hundredths(a_day), taken, known] for bay, a_day, taken, known in one.bays],
        }
    )
    return made


def _hundredths(number: float | None) -> str | None:
    """A text: in the workbook a float would be a percentage."""
    return None if number is None else f"{number:.2f}"
