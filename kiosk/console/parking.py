"""The car park for staff: the map, what somebody must look at, and the cars that somebody has counted.

Plain forms, as those about visits and meals (care.py); the map follows the live line (static/console_parking.js). What
is wrong, and when it is not any more, the gateway decides (``gateway/hall/reckoning.py``, ``parking_tasks.py``).
"""

from __future__ import annotations

from flask import jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused
from gateway import views_parking
from gateway.hall.parking_rows import BAY_KINDS
from gateway.hall.reckoning import zones_under
from kiosk.console import acts, blueprint, care, door, picture
from kiosk.console.care import Json, Unreadable, lang, pair
from kiosk.console.tables import number
from kiosk.console.words import WORDS, say
from kiosk.core import Core, current_core
from kiosk.parking import KIND_SIGNS, STATES, CarPark, car_park, clock_words, map_of
from kiosk.parking_tasks import kind_of, open_tasks, subject_words, task_box, urgency

#: Tasks that are done, on the page.
DONE_SHOWN = 30


@blueprint.get("/parking")
@door.allow("admin", "staff")
def parking() -> ResponseReturnValue:
    return _map("console/parking.html")


@blueprint.get("/parking/map")
@door.allow("admin", "staff", quiet=True)
def parking_map() -> ResponseReturnValue:
    """The map alone, which the page's script fetches when the plan has changed: no sign of a person."""
    return _map("console/parking_map_only.html")


def _map(template: str) -> ResponseReturnValue:
    core = current_core()
    try:
        park = care.read(lambda _: car_park(core))
    except Unreadable:
        return care.unreadable(template, map=None, zones=[], sites=[], zone_id="", undrawn=[], open_tasks=0)
    zone_id = request.args.get("zone", "")
    shown = map_of(park, lang(), zone_id=zone_id)
    inside = [one for one in park.bays if not zone_id or one["zone_id"] == zone_id]
    filled: Json = {
        "map": shown,
        "map_label": say("pk_map_label", lang(), **park.counts),
        "states": {name: say(f"pk_{name}", lang()) for name in STATES},
        "kind_names": {kind: pair(words) for kind, words in BAY_KINDS.items()},
        "signs": {kind: pair(words) for kind, words in KIND_SIGNS.items()},
        "shown_kinds": [kind for kind in BAY_KINDS if kind != "general" and _any_of(park, kind)],
        "zones": park.zones,
        "zone_id": zone_id if any(zone["zone_id"] == zone_id for zone in park.zones) else "",
        "undrawn": [one for one in inside if not one["drawn"]],
        "inside": inside if zone_id else [],
        "as_of": "" if park.live or not park.as_of_ms else clock_words(core, park.as_of_ms),
        "open_tasks": len(open_tasks(core)),
        "bay_way": lambda bay_id: url_for("console.parking_one", what="bays", key=bay_id),
        "zone_way": lambda one: url_for("console.parking", zone=one),
    }
    return care.page(template, **filled)


def _any_of(park: CarPark, kind: str) -> bool:
    return any(one["kind"] == kind and one["drawn"] for one in park.bays)


# ---------------------------------------------------------------- tasks


@blueprint.get("/parking/tasks")
@door.allow("admin", "staff")
def parking_tasks() -> ResponseReturnValue:
    told = request.args.get("told", "")
    done = say(f"pk_told_{told}", lang()) if told in ("taken", "finished", "counted") else ""
    return _tasks(done=done)


@blueprint.post("/parking/tasks")
@door.allow("admin", "staff")
def parking_task_act() -> ResponseReturnValue:
    """Somebody sees to it, or has seen to it."""
    do, task_id = request.form.get("do", ""), number("task_id")
    note = request.form.get("note", "")[: acts.NOTE_AT_MOST]
    if do not in ("take", "finish"):
        return door.refuse(400, "bad_request")
    try:
        if do == "take":
            care.order("take_task", task_id=task_id)
        else:
            care.order("finish_task", task_id=task_id, note=note)
    except OrderRefused as refused:
        return _tasks(409, care.why(refused))
    acts.did(f"{do}_task", f"#{task_id}")
    return redirect(url_for("console.parking_tasks", told="taken" if do == "take" else "finished"), 303)


@blueprint.post("/parking/count")
@door.allow("admin", "staff")
def parking_counted() -> ResponseReturnValue:
    """Somebody has walked through and counted: from here on the gates are added to that."""
    subject, taken = request.form.get("subject", "")[:200], number("taken")
    try:
        if not isinstance(taken, int):
            raise OrderRefused(say("pk_count_number", "zh"), say("pk_count_number", "en"))
        care.order("count_site", subject=subject, taken=taken)
    except OrderRefused as refused:
        return _tasks(409, care.why(refused))
    acts.did("count_site", subject, str(taken))
    return redirect(url_for("console.parking_tasks", told="counted", _anchor="counts"), 303)


@blueprint.get("/api/parking/tasks")
@door.allow("admin", "staff", quiet=True)
def parking_task_list() -> ResponseReturnValue:
    """What the box on the console's first page shows; asked when a task has changed."""
    return jsonify(task_box(current_core()))


def _tasks(status: int = 200, why: str = "", done: str = "") -> ResponseReturnValue:
    core = current_core()
    try:
        park = care.read(lambda _: car_park(core))
        rows = care.read(lambda book: views_parking.tasks(book, done=DONE_SHOWN))
    except Unreadable:
        nothing: Json = {"tasks": [], "over": [], "sums": [], "sites": [], "panels": [], "tags": []}
        return care.unreadable("console/parking_tasks.html", **nothing, open_tasks=0)
    for one in rows:
        one["kind_word"] = kind_of(park, one)
        one["where"] = subject_words(core, park, str(one["subject"]), lang())
        kind, _, name = str(one["subject"]).partition(":")
        one["bay_id"] = name if kind == "bay" and name in park.state.bays else ""
    still = sorted((one for one in rows if one["done_ms"] is None), key=lambda one: urgency(park, one))
    sums = views_parking.reckonings(park.state)
    for one in sums:
        one["where"] = subject_words(core, park, str(one["subject"]), lang())
        zones = zones_under(park.state, str(one["subject"]))
        one["unknown"], one["closed"] = sum(zone.unknown for zone in zones), sum(zone.closed for zone in zones)
    filled: Json = {
        "tasks": still,
        "over": [one for one in rows if one["done_ms"] is not None],
        "sums": sums,
        "sites": views_parking.sites(park.state),
        "counted": {one["subject"] for one in sums},
        "panels": _panels(core),
        "tags": [one for one in park.bays if one["tag"]],
        "open_tasks": len(still),
        "mine": door.me().name,
    }
    return care.page("console/parking_tasks.html", status, why=why, done=done, **filled)


def _shown_words(shown: str) -> str:
    """What the bridge says stands on a panel ("5 yellow least"), in the reader's words."""
    return " ".join(say(f"panel_{word}", lang()) if f"panel_{word}" in WORDS else word for word in shown.split(" "))


def _panels(core: Core) -> list[Json]:
    """Each panel that shows bays: what it is to show, and, where it hangs on our own wire, whether it answers."""
    told = {one["panel"]: one for one in core.link.snapshot()["panels"]}
    wires = {one["panel"]: one for one in picture.paper(core)["panels"]}
    shown = []
    for plan in core.house.plan.panels:
        if plan.kind != "count" or (plan.id not in told and plan.id not in wires):
            continue
        wire = wires.get(plan.id, {})
        shown.append(
            {
                "panel": plan.id,
                "name": plan.name_en if lang() == "en" else plan.name_zh,
                # One that has digits only shows what its driver could make of it: no "--".
                "text": _shown_words(str(wire["shown"]))
                if wire.get("shown") and plan.digits_only
                else told.get(plan.id, {}).get("text_en" if lang() == "en" else "text", ""),
                "digits": plan.unsure if plan.digits_only else "",
                "state": wire.get("state", ""),
                "why": pair((wire["why_zh"], wire["why_en"])) if wire.get("why_zh") else "",
            }
        )
    return sorted(shown, key=lambda one: one["state"] in ("", "ready"))
