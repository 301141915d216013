"""The zones of the car park as residents are shown them: what a panel over each would show, kept as the counts come in.

The counts are the gateway's live word; reserves, fire lanes and whether the counts can be are read from gateway.db.
The rule is the panels' own (gateway/hall/showing.py), with a panel's memory: a level that holds on both faces alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from devices.messages import ShowCount
from gateway import views_parking
from gateway.hall import showing
from gateway.hall.state import HallState, Zone

Json = dict[str, Any]

#: Tables whose rows change what a zone shows though none of its counts has changed.
TABLES = frozenset({"zone_plans", "parking_sites", "bay_plans", "parking_feeds"})


class ZoneFaces:
    """One thread looks; any thread may read ``shown``. ``signs`` reads what stands in gateway.db, zones aside."""

    def __init__(self) -> None:
        self.signs: Callable[[], HallState] = HallState
        self.shown: dict[str, Json] = {}
        """zone → its counts and what is shown of it (views_parking.zone_face); replaced, never changed."""
        self._before: dict[str, ShowCount] = {}

    def look(self, zones: Iterable[Json]) -> list[str]:
        """Find anew what is shown of all zones; which of them look otherwise than before."""
        told = list(zones)
        state = self.signs()
        state.shown.update(self._before)
        shown, self._before = faces(state, told)
        moved = [zone_id for zone_id, one in shown.items() if one != self.shown.get(zone_id)]
        self.shown = shown
        return moved


def faces(state: HallState, told: Iterable[Json]) -> tuple[dict[str, Json], dict[str, ShowCount]]:
    """zone → its face, and what each one's panel must remember. ``told``: zones as docs/protocol.md has them."""
    raw = {str(one["zone_id"]): one for one in told}
    for zone_id, one in raw.items():
        state.zones[zone_id] = _zone(one)
    counts = {zone_id: showing.of_zone(state, zone_id, one.since_ms) for zone_id, one in state.zones.items()}
    shown = {
        zone_id: {**views_parking.zone_face(state, one, counts[zone_id]), **raw[zone_id]}
        for zone_id, one in state.zones.items()
    }
    return shown, {count.panel: count for count in counts.values()}


def _zone(told: Json) -> Zone:
    counts = (int(told.get(name) or 0) for name in ("free", "taken", "unknown", "closed", "since_ms"))
    return Zone(str(told["zone_id"]), str(told.get("name_zh") or ""), str(told.get("name_en") or ""), *counts)
