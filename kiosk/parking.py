"""The car park as the faces show it: bays on the plan, zones with their counts, how old all that is.

Read from gateway.db as it stands (what is told has been written before), so a page and its picture agree; while the
gateway is away the last word is shown with its age, and nobody is sent anywhere by it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devices.faults import NotWritten
from gateway import views_parking
from gateway.hall import showing
from gateway.hall.bays import UNCLAIMED_ZONE
from gateway.hall.parking_rows import ZonePlan
from gateway.hall.state import HallState
from kiosk.core import Core
from kiosk.rules.nearest import WHO, Found, Reserve, Spot, nearest
from kiosk.rules.plan_view import Picture, picture

Json = dict[str, Any]

STATES = ("free", "taken", "unknown", "closed")


@dataclass(frozen=True, slots=True)
class CarPark:
    """The car park at one moment. ``live`` False: as it was at ``as_of_ms`` (0: nobody knows when)."""

    state: HallState
    bays: list[Json]
    zones: list[Json]
    places: list[Json]
    live: bool
    as_of_ms: int

    @property
    def counts(self) -> dict[str, int]:
        """Bays by state over all zones; their sum is all bays."""
        return {name: sum(int(zone[name]) for zone in self.zones) for name in STATES}


def car_park(core: Core) -> CarPark:
    """:raises NotWritten: there is no gateway.db yet. :raises sqlite3.Error: it cannot be read."""
    reader = core.gateway_reader()
    reader.execute("BEGIN")
    try:
        state = views_parking.known(reader)
    finally:
        reader.execute("COMMIT")
    bays = views_parking.bays(state)
    zones = [
        views_parking.zone(state, one)
        for _, one in sorted(state.zones.items())
        if one.zone_id != UNCLAIMED_ZONE.zone_id
    ]
    as_of_ms = max((max(one.since_ms, one.last_seen_ms) for one in state.bays.values()), default=0)
    return CarPark(state, bays, zones, views_parking.places(state), core.link.connected, as_of_ms)


def car_park_or_none(core: Core) -> CarPark | None:
    """None: it cannot be read just now, or no gateway has ever run here."""
    try:
        return car_park(core)
    except (NotWritten, sqlite3.Error):
        return None


def asked_for(park: CarPark) -> list[str]:
    """Who may ask for the nearest bay here: those for whom the plan has bays of their own."""
    kinds = {one["kind"] for one in park.bays if one["drawn"]}
    if kinds <= {"general", "fire_lane", "emergency"}:
        return ["visitor"]
    return [who for who, (own, _) in WHO.items() if who in ("visitor", "resident") or own & kinds]


def nearest_to(park: CarPark, place: Json, who: str) -> Found | None:
    """The nearest bay to a place of the plan that ``who`` may use; nobody is sent by an old word."""
    if not park.live:
        return None
    wrong = showing.impossible(park.state)
    reserves: dict[str, Reserve] = {}
    for zone in park.zones:
        plan = park.state.table(ZonePlan).get(zone["zone_id"]) or ZonePlan(zone["zone_id"])
        shut = f"zone:{plan.zone_id}" in wrong or f"site:{plan.site_id}" in wrong
        kept = plan.residents_reserve, plan.disabled_reserve, plan.emergency_reserve
        full_at = plan.full_until - 1 if plan.level == "full" else plan.full_at
        reserves[plan.zone_id] = Reserve(*kept, shut, full_at)
    return nearest(map(_spot, park.bays), reserves, place["x_m"], place["y_m"], who)


def clock_words(core: Core, at_ms: int) -> str:
    """ "14:03", or "11-22 14:03" where that was another day."""
    at = datetime.fromtimestamp(at_ms / 1000, core.zone)
    today = datetime.fromtimestamp(core.now_ms() / 1000, core.zone).date()
    return f"{at:%H:%M}" if at.date() == today else f"{at:%m-%d %H:%M}"


def _spot(bay: Json) -> Spot:
    return Spot(
        bay["bay_id"],
        bay["zone_id"],
        bay["kind"],
        bay["state"],
        bay["x_m"],
        bay["y_m"],
        bay["drawn"],
        tuple(bay["permits"]),
    )


# ---------------------------------------------------------------- the map

#: What is written on a bay of a kind, so that no colour has to say it; "" is drawn (templates/parking_map.html).
KIND_SIGNS: dict[str, tuple[str, str]] = {
    "general": ("", ""),
    "resident": ("业", "R"),
    "visitor": ("访", "V"),
    "disabled": ("", ""),
    "emergency": ("急", "E"),
    "charging": ("", ""),
    "fire_lane": ("禁", "NO"),
}


@dataclass(frozen=True, slots=True)
class Map:
    """What the template draws. ``line``: from a building to the bay that was found, or None."""

    picture: Picture
    zone_id: str
    place_id: str
    found: str
    line: tuple[float, float, float, float] | None


def map_of(
    park: CarPark,
    lang: str,
    *,
    zone_id: str = "",
    place: Json | None = None,
    found: Found | None = None,
) -> Map | None:
    """The picture of the whole plan, of one zone, or of the way from a building to a bay. None: there is no plan."""
    known = {zone["zone_id"] for zone in park.zones}
    zone_id = zone_id if zone_id in known and place is None else ""
    bay = next((one for one in park.bays if found is not None and one["bay_id"] == found.bay_id), None)
    around: list[Json] = []
    if zone_id:
        around = [one for one in park.bays if one["zone_id"] == zone_id]
    elif place is not None and bay is not None:
        around = [place, bay, *(one for one in park.bays if one["drawn"] and _near(one, bay))]
    bays = [
        {
            **one,
            "name": one["label"] or one["bay_id"].rpartition("-")[2] or one["bay_id"],
            "sign": KIND_SIGNS[one["kind"]][lang == "en"],
        }
        for one in park.bays
    ]
    places = [{**one, **_pin(one["name_en"] if lang == "en" else one["name_zh"])} for one in park.places]
    zones = [
        {"zone_id": one["zone_id"], **_pin(one["name_en"] if lang == "en" else one["name_zh"])}
        for one in park.zones
    ]
    drawn = picture(bays, places, zones, around)
    if drawn is None:
        return None
    line = (place["x_m"], place["y_m"], bay["x_m"], bay["y_m"]) if place is not None and bay else None
    return Map(drawn, zone_id, place["place_id"] if place else "", bay["bay_id"] if bay else "", line)


#: Bays within this of the one that was found are shown with it, metres: a row or two, so that one finds one's way.
_NEAR_M = 15.0


def _near(one: Json, other: Json) -> bool:
    return abs(one["x_m"] - other["x_m"]) <= _NEAR_M and abs(one["y_m"] - other["y_m"]) <= _NEAR_M


def _pin(name: str) -> Json:
    """A name and how wide it is in heights of its letters: a hanzi is as wide as it is high, a letter 0.6 of that."""
    return {"name": name, "wide": sum(1.0 if ord(sign) > 0x2E7F else 0.62 for sign in name) + 0.8}
