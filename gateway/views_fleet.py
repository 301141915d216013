"""The whole fleet as a technician walks it: what each device says of itself, what is due, and in which order they lie.

Every device that somebody relies on, from one reading of gateway.db. What is wrong with each is `views.fleet`'s; here
are its battery's pace, its radio, its temperature, its firmware, its next service, and its place on the walk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from gateway.hall import walking
from gateway.hall.parking_rows import BayPlan, Entrance, Place, Vitals
from gateway.hall.walking import Stop
from gateway.views import Json, fleet, row_json, table

#: What can be asked of the walk: word → the fields of which one must be true.
FILTERS: dict[str, tuple[str, ...]] = {
    "todo": ("trouble", "due", "weak", "low", "odd"),
    "due": ("due",),
    "low": ("low",),
    "weak": ("weak",),
    "all": (),
}


def walk(connection: sqlite3.Connection, now_ms: int) -> list[Json]:
    """All devices in the order of the walk: the fields of `views.fleet` and `Vitals`, and

    ``battery_trend`` "steady", "falling", "fast" or "" where nobody knows; ``low``, ``weak``, ``odd`` (its temperature
    cannot be), ``due`` (its service is, or will be within a fortnight), ``overdue``; ``zone``, ``label``, ``x_m``,
    ``y_m`` (None: it is not drawn); ``stop``: which of the walk it is, from 1.
    """
    vitals, plans = table(connection, Vitals), table(connection, BayPlan)
    entrances, places = table(connection, Entrance), table(connection, Place)
    rows: dict[str, Json] = {}
    stops = []
    for one in fleet(connection, now_ms):
        key = str(one["device_id"])
        words = vitals.get(key) or Vitals(key, 0)
        bay_id = str(one["bay_id"] or "")
        plan, entrance = plans.get(bay_id), entrances.get(key)
        drawn = plan is not None and (plan.x_m, plan.y_m) != (0.0, 0.0)
        zone = str(one["zone_id"] or "") or (entrance.zone_id if entrance is not None else "")
        label = (plan.label if plan is not None else "") or bay_id or str(one["place"] or one["name"] or key)
        at = (plan.x_m, plan.y_m) if plan is not None and drawn else None
        stops.append(Stop(key, zone, label, at))
        rows[key] = {
            **row_json(words),
            **one,
            "zone": zone,
            "label": label,
            "x_m": at[0] if at else None,
            "y_m": at[1] if at else None,
            "battery_trend": walking.trend(words.a_month, words.battery_mv is not None),
            "low": walking.is_low(_number(one["battery_pct"]), words.battery_mv, bool(one["battery_low_ms"])),
            "weak": walking.is_weak(str(one["family"]), words.rssi_dbm, words.snr_db),
            "due": 0 < words.service_ms <= now_ms + walking.SOON_MS,
            "overdue": 0 < words.service_ms <= now_ms,
        }
    odd = walking.odd_temperatures(
        {key: said for key, row in rows.items() if (said := _number(row["temperature_c"])) is not None},
        {key: str(row["zone"]) for key, row in rows.items()},
    )
    answer = []
    for number, key in enumerate(walking.walk(stops, _start(places.values())), 1):
        answer.append({**rows[key], "odd": key in odd, "stop": number})
    return answer


def shown(rows: list[Json], wanted: str) -> list[Json]:
    """Those that a word of `FILTERS` asks for; of another word all."""
    fields = FILTERS.get(wanted, ())
    return [one for one in rows if any(one[name] for name in fields)] if fields else rows


def _start(places: Iterable[Place]) -> tuple[float, float]:
    """Where the walk begins: at the hall, else at a gate, else in the plan's corner."""
    found = sorted(
        (("hall", "gate").index(one.kind), one.place_id, one.x_m, one.y_m)
        for one in places
        if one.kind in ("hall", "gate")
    )
    return (found[0][2], found[0][3]) if found else (0.0, 0.0)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
