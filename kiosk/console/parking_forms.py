"""What is laid down about the car park, one row a form: site, zone, bay, place, entrance. Administrators change it.

Each form is a row of `FORMS`; what a field may hold the gateway's rule says (``gateway/hall/parking.py``), and its
words come back beside what was typed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused
from gateway import views_parking
from gateway.hall.parking import COUNTS, NAMES
from gateway.hall.parking_rows import BAY_KINDS, PLACE_KINDS, BayPlan, Entrance, Place, Site, ZonePlan
from gateway.hall.rows import Row
from kiosk import plan_file
from kiosk.console import acts, blueprint, care, door
from kiosk.console.care import Json, Unreadable, lang, pair
from kiosk.console.words import WORDS, say
from kiosk.core import current_core
from kiosk.parking import CarPark, car_park

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of row: what names it, the orders that put and drop it, and its fields in groups, each with its word."""

    row: type[Row]
    key: str
    put: str
    drop: str
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    #: made on a page of its own; the others are there already (a bay, a zone)
    makes: bool = False


FORMS: dict[str, Form] = {
    "sites": Form(
        Site,
        "site_id",
        "put_site",
        "drop_site",
        (
            ("pk_group_name", ("name_zh", "name_en", "address", "capacity")),
            ("pk_group_more", ("lat", "lon", "feed")),
        ),
        makes=True,
    ),
    "zones": Form(
        ZonePlan,
        "zone_id",
        "put_zone_plan",
        "",
        (
            ("pk_group_site", ("site_id", "stays_min")),
            ("pk_group_reserve", ("residents_reserve", "disabled_reserve", "emergency_reserve")),
            ("pk_group_level", ("full_at", "full_until", "almost_at", "almost_until")),
        ),
    ),
    "bays": Form(
        BayPlan,
        "bay_id",
        "put_bay_plan",
        "drop_bay_plan",
        (
            ("pk_group_bay", ("zone_id", "kind", "label", "permits", "stays_min")),
            ("pk_group_where", ("x_m", "y_m", "long_m", "wide_m", "turn_deg")),
        ),
    ),
    "places": Form(
        Place,
        "place_id",
        "put_place",
        "drop_place",
        (("pk_group_name", ("kind", "name_zh", "name_en")), ("pk_group_where", ("x_m", "y_m"))),
        makes=True,
    ),
    "entrances": Form(
        Entrance,
        "device_id",
        "put_entrance",
        "drop_entrance",
        (("pk_group_gate", ("site_id", "zone_id", "name", "turned", "counts")),),
        makes=True,
    ),
}
_WHOLE = plan_file.WHOLE | {"capacity"}
_MEASURES = plan_file.MEASURES | {"lat", "lon"}
#: A new row begins with these where nothing is typed.
_BLANK: Json = {"kind": "building", "capacity": 0}


@blueprint.get("/parking/set-up")
@door.allow("admin", "staff")
def parking_laid_out() -> ResponseReturnValue:
    """Everything that is laid down, each with its way to its form."""
    try:
        park = care.read(lambda _: car_park(current_core()))
    except Unreadable:
        return care.unreadable("console/parking_set.html", park=None, open_tasks=0)
    told = request.args.get("told", "")
    return care.page(
        "console/parking_set.html",
        park=park,
        sites=views_parking.sites(park.state),
        entrances=list(park.state.table(Entrance).values()),
        place_kinds={kind: pair(words) for kind, words in PLACE_KINDS.items()},
        done=say("pk_told_dropped", lang()) if told == "dropped" else "",
        open_tasks=0,
    )


@blueprint.get("/parking/set-up/<any(sites, zones, bays, places, entrances):what>/<path:key>")
@door.allow("admin", "staff")
def parking_one(what: str, key: str) -> ResponseReturnValue:
    """One row; "new" is a row that is not there yet."""
    return _form(what, key, done=say("pk_told_saved", lang()) if request.args.get("told") == "saved" else "")


@blueprint.post("/parking/set-up/<any(sites, zones, bays, places, entrances):what>/<path:key>")
@door.allow("admin")
def parking_one_saved(what: str, key: str) -> ResponseReturnValue:
    form = FORMS[what]
    if request.form.get("do") == "drop" and form.drop:
        if request.form.get("sure") != "yes":
            return _form(what, key, 400, say("not_sure", lang()))
        try:
            care.order(form.drop, **{form.key: key})
        except OrderRefused as refused:
            return _form(what, key, 409, care.why(refused))
        acts.did(form.drop, key)
        return redirect(url_for("console.parking_laid_out", told="dropped"), 303)
    named = request.form.get("key", "").strip() if key == "new" else key
    typed = _typed(form)
    try:
        care.order(form.put, **{**_given(typed), form.key: named})
    except OrderRefused as refused:
        return _form(what, key, 409, care.why(refused), typed=typed)
    acts.did(form.put, named)
    return redirect(url_for("console.parking_one", what=what, key=named, told="saved"), 303)


# ---------------------------------------------------------------- pieces


def _typed(form: Form) -> Json:
    """What the form says, as it was typed."""
    names = [name for _, group in form.groups for name in group]
    return {name: request.form.get(name, "").strip()[:400] for name in names}


def _given(typed: Json) -> Json:
    """The same as an order's fields. What should be a number and is none goes on: the rule says what is wrong."""
    given: Json = {}
    for name, text in typed.items():
        if name == "turned":
            given[name] = text == "yes"
        elif name == "permits":
            given[name] = text.split()
        elif name in ("lat", "lon") and not text:
            given[name] = None
        elif name in _MEASURES:
            given[name] = _measure(text)
        elif name in _WHOLE:
            whole: Any = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text
            given["stays_ms" if name == "stays_min" else name] = (
                whole * _MINUTE_MS if name == "stays_min" and isinstance(whole, int) else whole
            )
        else:
            given[name] = text
    return given


def _measure(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _form(
    what: str, key: str, status: int = 200, why: str = "", done: str = "", typed: Json | None = None
) -> ResponseReturnValue:
    form = FORMS[what]
    try:
        park = care.read(lambda _: car_park(current_core()))
    except Unreadable:
        return care.unreadable("console/parking_one.html", form=None, open_tasks=0)
    row = park.state.table(form.row).get(key)
    bay = next((one for one in park.bays if one["bay_id"] == key), None) if what == "bays" else None
    there = {"zones": key in park.state.zones, "bays": bay is not None}.get(what, row is not None)
    if not there and not (form.makes and key == "new"):
        return door.refuse(404, "pk_row_unknown")
    values = typed if typed is not None else _values(form, row, key, park)
    return care.page(
        "console/parking_one.html",
        status,
        why=why,
        done=done,
        what=what,
        key=key,
        form=form,
        row=row,
        bay=bay,
        state=say(f"pk_{bay['state']}", lang()) if bay is not None else "",
        values=values,
        names={name: pair(words) for name, words in NAMES.items()}
        | {"stays_min": say("pk_stays_min", lang())},
        hints={
            name: say(f"pk_hint_{name}", lang())
            for name in values
            if f"pk_hint_{name}" in WORDS and not (name == "kind" and form.row is Place)
        },
        choices=_choices(form, park),
        may_change=door.me().role == "admin",
        title=_title(what, key, park),
        more_words=[word for word in WORDS if word.startswith("pk_group_")],
        open_tasks=0,
    )


def _values(form: Form, row: Row | None, key: str, park: CarPark) -> Json:
    """The row as its form shows it; what is not laid down yet as the rules take it."""
    if row is None and form.row in (ZonePlan, BayPlan):
        zone_id = park.state.bays[key].zone_id if form.row is BayPlan else key
        row = BayPlan(key, zone_id) if form.row is BayPlan else ZonePlan(key)
    stored = (
        {one.name: getattr(row, one.name) for one in fields(form.row)} if row is not None else dict(_BLANK)
    )
    shown: Json = {}
    for name in (name for _, group in form.groups for name in group):
        value = stored.get("stays_ms", 0) // _MINUTE_MS if name == "stays_min" else stored.get(name)
        if name == "turned":
            shown[name] = "yes" if value else ""
        elif isinstance(value, tuple):
            shown[name] = " ".join(value)
        else:
            shown[name] = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return shown


def _choices(form: Form, park: CarPark) -> dict[str, list[tuple[str, str]]]:
    """Fields with a list to choose from: (what is sent, what is read)."""
    zones = [(zone["zone_id"], pair((zone["name_zh"], zone["name_en"]))) for zone in park.zones]
    sites = [
        (str(site["site_id"]), pair((str(site["name_zh"]), str(site["name_en"]))))
        for site in views_parking.sites(park.state)
    ]
    kinds = PLACE_KINDS if form.row is Place else BAY_KINDS
    return {
        "zone_id": [("", say("pk_whole_site", lang())), *zones] if form.row is Entrance else zones,
        "site_id": sites,
        "kind": [(word, pair(words)) for word, words in kinds.items()],
        "counts": [(word, say(f"pk_counts_{word or 'model'}", lang())) for word in COUNTS],
    }


def _title(what: str, key: str, park: CarPark) -> str:
    if key == "new":
        return say(f"pk_new_{what}", lang())
    if what == "zones":
        zone = next(one for one in park.zones if one["zone_id"] == key)
        return pair((zone["name_zh"], zone["name_en"]))
    return f"{say(f'pk_one_{what}', lang())} {key}"
