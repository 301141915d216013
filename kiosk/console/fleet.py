"""The fleet: every device with what it says of itself, in the order in which a technician walks by.

A plain form beside each: it was looked after, and when it is to be done again. What needs somebody *now* is the rounds'
page (upkeep.py); what is near, weak, low or due the gateway's rules say (``gateway/hall/walking.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from datetime import time as clock_time

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused
from gateway import views_fleet
from kiosk.console import acts, blueprint, care, door
from kiosk.console.care import Json, Unreadable, lang
from kiosk.console.words import say
from kiosk.core import current_core

#: Devices on one page: 200 rows are 0.3 MB of HTML. The sheet on paper and the CSV have all of them.
ON_A_PAGE = 200
#: What the form proposes: half a year, as makers of bay sensors ask for a look at battery and seal.
NEXT_D = 182
#: The order's own limit (``service_device``).
MOST_D = 20 * 365


@blueprint.get("/devices/fleet")
@door.allow("admin", "staff")
def device_fleet() -> ResponseReturnValue:
    name, day = request.args.get("name", "")[:200], request.args.get("day", "")[:10]
    return _page(done=say("fleet_saved", lang(), name=name, day=day) if name and day else "")


def _page(status: int = 200, why: str = "", done: str = "") -> ResponseReturnValue:
    wanted = request.args.get("show", "todo")
    wanted = wanted if wanted in views_fleet.FILTERS else "todo"
    now_ms = current_core().now_ms()
    filled: Json = {"wanted": wanted, "filters": tuple(views_fleet.FILTERS), "propose": _day(NEXT_D)}
    filled |= {"first_day": _day(1), "last_day": _day(MOST_D - 2), "date_of": _date_of}
    try:
        rows = care.read(lambda book: views_fleet.walk(book, now_ms))
    except Unreadable:
        nothing: Json = {"rows": [], "there": 0, "counts": {}, "page_no": 1, "pages": 1, "paper": False}
        return care.unreadable("console/fleet.html", **filled, **nothing)
    if request.args.get("csv") == "1":
        return _csv(views_fleet.shown(rows, wanted))
    shown = views_fleet.shown(rows, wanted)
    paper = request.args.get("paper") == "1"
    pages = 1 if paper else max(1, -(-len(shown) // ON_A_PAGE))
    asked = request.args.get("page", "1")
    page_no = min(max(1, int(asked)), pages) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    filled |= {
        "rows": shown if paper else shown[(page_no - 1) * ON_A_PAGE : page_no * ON_A_PAGE],
        "there": len(rows),
        "counts": {word: len(views_fleet.shown(rows, word)) for word in views_fleet.FILTERS},
        "page_no": page_no,
        "pages": pages,
        "paper": paper,
    }
    return care.page("console/fleet.html", status, why=why, done=done, **filled)


@blueprint.post("/devices/fleet")
@door.allow("admin", "staff")
def device_serviced() -> ResponseReturnValue:
    """It was looked after; the day on which it is to be done again."""
    device_id, typed = request.form.get("device_id", ""), request.form.get("day", "")
    if not device_id:
        return door.refuse(400, "bad_request")
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return _page(409, say("fleet_day_wrong", lang()))
    if not date.fromisoformat(_day(1)) <= day <= date.fromisoformat(_day(MOST_D)):
        return _page(409, say("fleet_day_wrong", lang()))
    # At eight in the morning of that day: whoever opens the list then sees it as due.
    due = datetime.combine(day, clock_time(8), current_core().zone)
    try:
        care.order("service_device", device_id=device_id, service_ms=int(due.timestamp() * 1000))
    except OrderRefused as refused:
        return _page(409, care.why(refused))
    acts.did("device_serviced", device_id, typed)
    name, show = request.form.get("name", "")[:200] or device_id, request.args.get("show")
    page = request.args.get("page")
    return redirect(url_for("console.device_fleet", show=show, page=page, name=name, day=typed), 303)


# ---------------------------------------------------------------- pieces


def _day(ahead_d: int) -> str:
    return (care.today() + timedelta(days=ahead_d)).isoformat()


def _date_of(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, current_core().zone):%Y-%m-%d}"


#: The CSV's columns: the key of a word, and the field.
_COLUMNS: Sequence[tuple[str, str]] = (
    ("fleet_stop", "stop"),
    ("fleet_zone", "zone"),
    ("fleet_where", "label"),
    ("upkeep_device", "device_id"),
    ("fleet_how", "trouble"),
    ("fleet_battery", "battery_pct"),
    ("fleet_battery", "battery_mv"),
    ("fleet_battery", "battery_trend"),
    ("fleet_signal", "rssi_dbm"),
    ("fleet_signal", "snr_db"),
    ("fleet_temperature", "temperature_c"),
    ("fleet_firmware", "firmware"),
)
_UNITS = {"battery_pct": " %", "battery_mv": " mV", "rssi_dbm": " dBm", "snr_db": " dB", "temperature_c": " °C"}


def _csv(rows: Sequence[Json]) -> ResponseReturnValue:
    head = [say(word, lang()) + _UNITS.get(name, "") for word, name in _COLUMNS]
    head += [say(word, lang()) for word in ("fleet_is_weak", "fleet_is_odd", "fleet_seen", "fleet_service")]

    def cell(one: Json, name: str) -> object:
        if name == "trouble":
            return say(f"trouble_{one[name]}", lang())
        if name == "battery_trend":
            return say(f"fleet_{one[name]}", lang()) if one[name] else ""
        return "" if one[name] is None else one[name]

    return care.csv_file(
        "linli-fleet.csv",
        head,
        (
            [
                *(cell(one, name) for _, name in _COLUMNS),
                say("fleet_is_weak", lang()) if one["weak"] else "",
                say("fleet_is_odd", lang()) if one["odd"] else "",
                care.moment(one["last_seen_ms"]),
                _date_of(one["service_ms"]) if one["service_ms"] else "",
            ]
            for one in rows
        ),
    )
