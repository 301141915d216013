"""Read-only questions about the car park, for the kiosk, the open data and whoever walks the rounds.

Each answer is plain JSON and read in one transaction of SQLite's: counts and bays of one answer agree.
Ages are ``since_ms`` and ``last_seen_ms``; the latter may be a quarter of an hour behind (docs/protocol.md).
"""

from __future__ import annotations

import sqlite3

from devices.messages import ShowCount
from gateway.hall import reckoning, showing, supervision
from gateway.hall.bays import UNCLAIMED_ZONE
from gateway.hall.parking_rows import (
    TABLES,
    BayPlan,
    BayTag,
    Entrance,
    ParkingTask,
    Place,
    Reckoning,
    SensorSetting,
    Site,
    SiteSaid,
    Vitals,
    ZonePlan,
)
from gateway.hall.rows import Care
from gateway.hall.state import Bay, Device, HallState, Zone
from gateway.views import Json, bay_json, device_json, row_json, table, zone_json

_COUNTS = ("free", "taken", "unknown", "closed")


def known(connection: sqlite3.Connection) -> HallState:
    """The car park as the rules see it: zones, bays, plans, tasks. No calls, no people; devices only where asked."""
    state = HallState()
    for row in _dicts(
        connection, "SELECT zone_id, name_zh, name_en, free, taken, unknown, closed, since_ms, turns FROM zones"
    ):
        state.zones[str(row["zone_id"])] = Zone(**row)  # type: ignore[arg-type]
    for row in _dicts(connection, "SELECT * FROM bays"):
        state.bays[str(row["bay_id"])] = Bay(**row)  # type: ignore[arg-type]
    for kind in TABLES:
        state.tables[kind.TABLE] = table(connection, kind)
    return state


def sites(state: HallState) -> list[Json]:
    """Each site with its counts, its zones, and what its feed said. A hall that has named none has one.

    ``certain`` False: too much is unknown, or the counts cannot be; then a face shows no number. ``number`` is how many
    bays a driver may hope for, None where nobody knows.
    """
    rows = dict(state.table(Site))
    named = {showing.site_of(state, zone_id) for zone_id in state.zones if zone_id != UNCLAIMED_ZONE.zone_id}
    for site_id in sorted(named - rows.keys()):
        rows[site_id] = Site(site_id, "停车场", "Car park")
    wrong = showing.impossible(state)
    answer = []
    for site_id, site in sorted(rows.items()):
        inside = [zone(state, one) for one in showing.zones_of(state, site_id)]
        said = state.table(SiteSaid).get(site.feed) if site.feed else None
        counts = {name: sum(_int(one[name]) for one in inside) for name in _COUNTS}
        total = sum(counts.values())
        certain = showing.is_certain(total, counts["unknown"], counts["closed"]) and f"site:{site_id}" not in wrong
        # Zone by zone, as on a panel: what one zone cannot keep back is not taken from its neighbour.
        reserved = sum(min(_int(one["free"]), _int(one["reserved"])) for one in inside)
        answer.append(
            {
                **row_json(site),
                **counts,
                "total": total,
                "reserved": reserved,
                "certain": certain,
                "number": max(0, counts["free"] - reserved) if certain else None,
                "since_ms": max((_int(one["since_ms"]) for one in inside), default=0),
                "zones": inside,
                "said": row_json(said) if said is not None else None,
            }
        )
    return answer


def signs(connection: sqlite3.Connection) -> HallState:
    """As :func:`known`, but of bays only the fire lanes: enough for :func:`zone_face`, and read in about a millisecond.

    No zones are in it: whoever has heard their counts puts them there.
    """
    state = HallState()
    for kind in (Site, ZonePlan, SiteSaid):
        state.tables[kind.TABLE] = table(connection, kind)
    lanes = "SELECT bays.* FROM bays JOIN bay_plans USING (bay_id) WHERE bay_plans.kind = 'fire_lane'"
    for row in _dicts(connection, lanes):
        bay = Bay(**row)  # type: ignore[arg-type]
        state.bays[bay.bay_id] = bay
        state.tables[BayPlan.TABLE][bay.bay_id] = BayPlan(bay.bay_id, bay.zone_id, "fire_lane")
    return state


def zone_face(state: HallState, one: Zone, count: ShowCount | None = None) -> Json:
    """A zone's counts, and what a panel over it shows: ``number``, ``level``, ``certain``, ``text``, ``text_en``.

    ``shut``: every bay is closed. ``possible`` False: its site's counts cannot
    be. ``reserved``: of the free bays, those not for whoever comes.
    """
    count = count or showing.of_zone(state, one.zone_id, one.since_ms)
    return {
        **zone_json(one),
        "level": count.level,
        "shut": count.certain and showing.is_closed(one.closed, one.total),
        "reserved": showing.kept_back(state, one.zone_id),
        "certain": count.certain,
        "possible": f"site:{showing.site_of(state, one.zone_id)}" not in showing.impossible(state),
        "number": count.number,
        "text": count.text,
        "text_en": count.text_en,
    }


def zone(state: HallState, one: Zone) -> Json:
    """:func:`zone_face` with the zone's plan."""
    plan = state.table(ZonePlan).get(one.zone_id) or ZonePlan(one.zone_id)
    plan_words = {name: value for name, value in row_json(plan).items() if name not in ("zone_id", "level")}
    return {**plan_words, **zone_face(state, one)}


def bays(state: HallState) -> list[Json]:
    """Every bay with its plan, by zone and id: what a map draws. ``drawn``: whether it has a place on the plan."""
    plans, tags = state.table(BayPlan), state.table(BayTag)
    answer = []
    for bay in sorted(state.bays.values(), key=lambda one: (one.zone_id, one.bay_id)):
        if bay.zone_id == UNCLAIMED_ZONE.zone_id:
            continue
        row = plans.get(bay.bay_id)
        plan = row or BayPlan(bay.bay_id, bay.zone_id)
        tag = tags.get(bay.bay_id)
        answer.append(
            {
                **row_json(plan),
                **bay_json(bay),
                "drawn": row is not None and (plan.x_m, plan.y_m) != (0.0, 0.0),
                "tag": tag.tag if tag is not None else "",
                "turned_ms": bay.turned_ms,
            }
        )
    return answer


def places(state: HallState) -> list[Json]:
    """Buildings, gates and lifts of the plan."""
    return [row_json(place) for _, place in sorted(state.table(Place).items())]


def tasks(connection: sqlite3.Connection, *, done: int = 50) -> list[Json]:
    """What somebody must look at, oldest first; then the newest that are done."""
    rows = table(connection, ParkingTask)
    still = sorted((row for row in rows.values() if row.done_ms is None), key=lambda row: row.task_id)
    over = sorted((row for row in rows.values() if row.done_ms is not None), key=lambda row: -row.task_id)
    return [row_json(row) for row in (*still, *over[:done])]


def reckonings(state: HallState) -> list[Json]:
    """Entrances against bays as they stand now: ``drift``, ``limit``, and what each counter said."""
    entrances = state.table(Entrance).values()
    return [
        {
            **row_json(row),
            "drift": reckoning.drift_of(state, row),
            "limit": reckoning.limit_of(state, subject),
            "taken": sum(one.taken for one in reckoning.zones_under(state, subject)),
            "entrances": [row_json(one) for one in entrances if reckoning.subject_of(one) == subject],
        }
        for subject, row in sorted(state.table(Reckoning).items())
    ]


def fleet(connection: sqlite3.Connection, now_ms: int) -> list[Json]:
    """The car park's devices with what they said of themselves, as one walks: what is wrong first, then by bay.

    ``service_due``: somebody is to look after it. ``deadline_ms``: how long it may be silent (0: for ever).
    """
    vitals, care = table(connection, Vitals), table(connection, Care)
    settings = table(connection, SensorSetting)
    answer = []
    for row in _dicts(
        connection, "SELECT * FROM devices WHERE kind IN ('bay_sensor', 'gate_counter', 'site_feed')"
    ):
        device = Device(**{**row, "lamp": bool(row["lamp"])})  # type: ignore[arg-type]
        one = vitals.get(device.device_id) or Vitals(device.device_id, 0)
        setting = settings.get(device.device_id) or SensorSetting(device.device_id)
        answer.append(
            {
                **device_json(device),
                **row_json(one),
                **row_json(setting),
                "service_due": 0 < one.service_ms <= now_ms,
                "deadline_ms": supervision.deadline_ms(device, care.get(device.device_id)),
            }
        )
    answer.sort(
        key=lambda one: (
            one["health"] == "ok" and not one["service_due"],
            str(one["zone_id"] or ""),
            str(one["bay_id"] or one["device_id"]),
        )
    )
    return answer


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _dicts(connection: sqlite3.Connection, question: str) -> list[dict[str, object]]:
    cursor = connection.execute(question)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
