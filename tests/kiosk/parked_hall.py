"""A hall with a car park: a real gateway over a gateway.db with zones, bays and a plan, and the kiosk's own parts.

East has a visitor's, a resident's, a disabled and a charging bay, a fire lane and general ones; west is a row of eight.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.hall.parking_rows import BayPlan, ParkingTask, Place, Site, ZonePlan
from gateway.hall.state import Bay, Change, Zone
from tests.kiosk.care_hall import CareHall, care_hall, now_ms

#: bay → (its state, its kind, where its middle lies)
EAST = {
    "e1": ("free", "visitor", 10.0, 10.0),
    "e2": ("free", "resident", 13.0, 10.0),
    "e3": ("free", "disabled", 16.0, 10.0),
    "e4": ("unknown", "general", 19.0, 10.0),
    "e5": ("taken", "general", 22.0, 10.0),
    "e6": ("closed", "general", 25.0, 10.0),
    "e7": ("free", "fire_lane", 28.0, 10.0),
    "e8": ("free", "charging", 31.0, 10.0),
}
WEST = {f"w{n}": ("free" if n > 2 else "taken", "general", 10.0 + 3 * n, 30.0) for n in range(1, 9)}


def car_park_rows(*more: Change) -> list[Change]:
    """What such a notebook holds."""
    at_ms = now_ms()
    rows: list[Change] = [Site("site", "小区停车场", "Compound", 16)]
    for zone_id, zh, en, bays in (("east", "东区", "East", EAST), ("west", "西区", "West", WEST)):
        states = [state for state, *_ in bays.values()]
        counts = {name: states.count(name) for name in ("free", "taken", "unknown", "closed")}
        rows.append(Zone(zone_id, zh, en, **counts, since_ms=at_ms))
        rows.append(ZonePlan(zone_id))
        for bay_id, (state, kind, x_m, y_m) in bays.items():
            rows.append(Bay(bay_id, zone_id, state, "", at_ms, at_ms))  # type: ignore[arg-type]
            rows.append(BayPlan(bay_id, zone_id, kind, bay_id.upper(), x_m, y_m))
    rows.append(Place("b1", "building", "1栋", "Block 1", 10.0, 2.0))
    rows.append(Place("b2", "building", "2栋", "Block 2", 34.0, 38.0))
    rows.append(Place("gate", "gate", "东门", "East gate", 40.0, 20.0))
    return [*rows, *more]


def task(task_id: int, kind: str, subject: str, zh: str, en: str) -> ParkingTask:
    return ParkingTask(task_id, kind, subject, now_ms() - 60_000 * task_id, zh, en)


@contextmanager
def parked_hall(home: Path, *more: Change) -> Iterator[CareHall]:
    with care_hall(home, car_park_rows(*more)) as hall:
        yield hall
