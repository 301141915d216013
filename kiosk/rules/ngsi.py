"""The car park as open data: ParkingSpot and OffStreetParking of the Smart Data Models, in the words of NGSI. Pure.

Where Linli does not know, the export does not either: a bay is ``unknown``, and a site of which too much is unknown, or
whose counts cannot be, has no number of free places (`docs/protocol.md`, section 9). Nothing of a person is in it: no
permits, no tags, no devices, no words of staff.

An entity is built once, as plain values ("keyValues"); the two normalised forms (NGSI-LD, NGSI v2) are made from that.
Fire lanes are watched, and are no places: they are left out of spots and counts alike.
A model demands a location: a site without latitude and longitude is left out with its bays, and not put at 0° 0°.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from gateway.hall.showing import is_certain

Json = dict[str, Any]

TYPES = ("ParkingSpot", "OffStreetParking")
CONTEXT = (
    "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld",
    "https://raw.githubusercontent.com/smart-data-models/dataModel.Parking/master/context.jsonld",
)
#: A sensor lies in a fire lane so that somebody is told of a car; for a driver there is no place, free or not.
NO_PARKING = "fire_lane"
#: What the models call a bay's state.
STATUS = {"free": "free", "taken": "occupied", "unknown": "unknown", "closed": "closed"}
#: The attributes that name another entity, and those whose value is true of a moment.
_RELATIONS = frozenset({"refParkingSite"})
_TIMES = frozenset({"dateModified", "occupancyModified", "observationDateTime"})
_OBSERVED = frozenset({"status", "availableSpotNumber", "occupiedSpotNumber", "occupancy"})
#: A degree of latitude, in metres (the mean; within a compound the difference is millimetres).
_DEGREE_M = 111_320.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entity:
    """``values`` as keyValues, without a context; ``seen_ms``: when what they say was observed, 0: nobody knows."""

    values: Json
    seen_ms: int

    @property
    def id(self) -> str:
        return str(self.values["id"])

    @property
    def type(self) -> str:
        return str(self.values["type"])


def urn(kind: str, hall: str, name: str) -> str:
    """The id of an entity. What may not stand in a URN is escaped."""
    return f"urn:ngsi-ld:{kind}:{quote(hall, safe='')}:{quote(name, safe='')}"


def entities(hall: str, sites: Iterable[Json], bays: Iterable[Json]) -> list[Entity]:
    """Sites first, then bays, each by id.

    :param sites: as gateway/views_parking.py tells them, each with ``said_heard``: whether its feed speaks.
    :param bays: likewise.
    """
    found: list[Entity] = []
    spots: list[Entity] = []
    everything = list(bays)
    for site in sites:
        if site["lat"] is None or site["lon"] is None:
            continue
        zones = {zone["zone_id"] for zone in site["zones"]}
        watched = [bay for bay in everything if bay["zone_id"] in zones]
        inside = [bay for bay in watched if bay["kind"] != NO_PARKING]
        found.append(_site(hall, site if inside == watched else _counted(site, inside), inside))
        middle = _middle([bay for bay in watched if bay["drawn"]])
        spots += [_spot(hall, site, bay, middle) for bay in inside]
    return sorted(found, key=lambda one: one.id) + sorted(spots, key=lambda one: one.id)


def _counted(site: Json, bays: list[Json]) -> Json:
    """The site as it counts with these bays only."""
    states = [bay["state"] for bay in bays]
    counts = {state: states.count(state) for state in STATUS}
    certain = site["certain"] and is_certain(len(bays), counts["unknown"], counts["closed"])
    return {**site, **counts, "total": len(bays), "certain": certain}


def _spot(hall: str, site: Json, bay: Json, middle: tuple[float, float]) -> Entity:
    seen_ms = max(int(bay["since_ms"]), int(bay["last_seen_ms"]))
    lat, lon = float(site["lat"]), float(site["lon"])
    if bay["drawn"]:
        lat, lon = _moved(lat, lon, float(bay["x_m"]) - middle[0], float(bay["y_m"]) - middle[1])
    values: Json = {
        "id": urn("ParkingSpot", hall, str(bay["bay_id"])),
        "type": "ParkingSpot",
        "name": bay["label"] or bay["bay_id"],
        "status": STATUS.get(str(bay["state"]), "unknown"),
        "category": ["offStreet"],
        "refParkingSite": urn("OffStreetParking", hall, str(site["site_id"])),
        "location": _point(lat, lon),
    }
    if bay["drawn"]:
        values |= {"length": bay["long_m"], "width": bay["wide_m"]}
    if bay["since_ms"]:
        values["dateModified"] = moment(int(bay["since_ms"]))
    return Entity(values, seen_ms)


def _site(hall: str, site: Json, bays: list[Json]) -> Entity:
    seen_ms = max((max(int(bay["since_ms"]), int(bay["last_seen_ms"])) for bay in bays), default=0)
    free, unknown, closed = (int(site[name]) for name in ("free", "unknown", "closed"))
    taken: int | None = int(site["taken"])
    total, certain, said = int(site["total"]), bool(site["certain"]), site["said"]
    if not bays and said is not None:
        seen_ms = int(said["at_ms"])
        free, taken, total, unknown, certain = _of_feed(said, bool(site["said_heard"]), int(site["capacity"]))
    total = total or int(site["capacity"])
    values: Json = {
        "id": urn("OffStreetParking", hall, str(site["site_id"])),
        "type": "OffStreetParking",
        "name": site["name_zh"],
        "alternateName": site["name_en"],
        "category": ["parkingLot"],
        "allowedVehicleType": ["car"],
        "location": _point(float(site["lat"]), float(site["lon"])),
    }
    if site["address"]:
        values["address"] = {"type": "PostalAddress", "streetAddress": site["address"]}
    if total:
        values |= {"totalSpotNumber": total, "outOfServiceSlotNumber": closed}
    if certain:
        values["availableSpotNumber"] = free
    if certain and taken is not None:
        values["occupiedSpotNumber"] = taken
        if free + taken:
            values["occupancy"] = round(taken / (free + taken), 4)
    if total and closed == total:
        values["status"] = ["closed"]
    elif certain:
        values["status"] = ["open", "spacesAvailable" if free else "full"]
    if total or not certain:
        values["description"] = _in_words(total, unknown, certain)
    if site["since_ms"]:
        values["dateModified"] = moment(int(site["since_ms"]))
        if certain:
            values["occupancyModified"] = moment(int(site["since_ms"]))
    if seen_ms:
        values["observationDateTime"] = moment(seen_ms)
    return Entity(values, seen_ms)


def _of_feed(said: Json, heard: bool, capacity: int) -> tuple[int, int | None, int, int, bool]:
    """free, taken, total, unknown, certain: of a site that has no bays of its own, by its feed. A feed that says its
    free places alone is held against the site's capacity; where nobody knows that, nobody knows who stands there."""
    free = said["free"]
    if free is None or said["fault"] or not heard:
        return 0, 0, int(said["total"] or 0), int(said["total"] or 0), False
    if said["total"] is None and said["taken"] is None and not capacity:
        return free, None, 0, 0, True
    total = said["total"]
    if total is None:
        total = capacity if said["taken"] is None else free + said["taken"]
    taken = said["taken"] if said["taken"] is not None else total - free
    unknown = total - free - taken
    return free, taken, total, max(0, unknown), taken >= 0 and 0 <= unknown <= total // 5


def _in_words(total: int, unknown: int, certain: bool) -> str:
    if not certain:
        return (
            f"{total} 个车位，其中 {unknown} 个的状态不知道：不给出空位数 | "
            f"{total} places, {unknown} of them unknown: no number of free ones is told"
        )
    return f"{total} 个车位，其中 {unknown} 个的状态不知道 | {total} places, {unknown} of them unknown"


def _middle(bays: list[Json]) -> tuple[float, float]:
    """The middle of the bays that are drawn: that is where the site's latitude and longitude lie."""
    if not bays:
        return 0.0, 0.0
    xs, ys = [float(bay["x_m"]) for bay in bays], [float(bay["y_m"]) for bay in bays]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def _moved(lat: float, lon: float, east_m: float, south_m: float) -> tuple[float, float]:
    """So many metres from there. Up on the plan is north."""
    narrow = max(0.01, math.cos(math.radians(lat)))
    return lat - south_m / _DEGREE_M, lon + east_m / (_DEGREE_M * narrow)


def _point(lat: float, lon: float) -> Json:
    """GeoJSON: longitude first; a centimetre is the seventh digit."""
    return {"type": "Point", "coordinates": [round(lon, 7), round(lat, 7)]}


def moment(at_ms: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    at = _EPOCH + timedelta(milliseconds=min(max(at_ms, 0), 253_402_300_799_999))
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


# ---------------------------------------------------------------- the two normalised forms


def linked(one: Entity) -> Json:
    """NGSI-LD, normalised; without its context."""
    made: Json = {"id": one.id, "type": one.type}
    for name, value in _attributes(one.values):
        if name == "location":
            made[name] = {"type": "GeoProperty", "value": value}
        elif name in _RELATIONS:
            made[name] = {"type": "Relationship", "object": value}
        elif name in _TIMES:
            made[name] = {"type": "Property", "value": {"@type": "DateTime", "@value": value}}
        else:
            made[name] = {"type": "Property", "value": value}
            if name in _OBSERVED and one.seen_ms:
                made[name]["observedAt"] = moment(one.seen_ms)
    return made


def version_2(one: Entity) -> Json:
    """NGSI v2, normalised."""
    made: Json = {"id": one.id, "type": one.type}
    for name, value in _attributes(one.values):
        made[name] = {"type": _type_of(name, value), "value": value}
        if name in _OBSERVED and one.seen_ms:
            made[name]["metadata"] = {"timestamp": {"type": "DateTime", "value": moment(one.seen_ms)}}
    return made


def _attributes(values: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    return ((name, value) for name, value in values.items() if name not in ("id", "type"))


def _type_of(name: str, value: object) -> str:
    if name == "location":
        return "geo:json"
    if name in _TIMES:
        return "DateTime"
    if isinstance(value, (dict, list)):
        return "StructuredValue"
    return "Number" if isinstance(value, (int, float)) else "Text"
