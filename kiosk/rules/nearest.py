"""The nearest free bay to a building: which bay, how far. Distances are straight lines on the plan, in metres.

Rule 1. Only a bay that is free now: one of which nobody knows is never offered.
Rule 2. Only a bay that this person may use: bays with permits, fire lanes and bays for emergency vehicles are nobody's.
Rule 3. A zone's reserve is kept for whom it is: where no more is left than is reserved for others, nobody is sent; nor
        where its panel says "full" at so many (gateway/hall/showing.py), or the two would contradict each other.
Rule 4. Whoever asks for a bay of a kind (accessible, charging) gets that kind where one is free; where none is, the
        nearest of the others, and is told so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: Who asks → the kinds of bay that are his own, and the kinds that he may use besides.
WHO: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "visitor": (frozenset({"visitor", "general"}), frozenset()),
    "resident": (frozenset({"resident", "general"}), frozenset()),
    "disabled": (frozenset({"disabled"}), frozenset({"visitor", "general"})),
    "charging": (frozenset({"charging"}), frozenset()),
}
#: Who asks → the reserve of a zone (gateway/hall/parking_rows.py, ZonePlan) that is kept for him.
_OWN_RESERVE = {"resident": "residents", "disabled": "disabled"}


@dataclass(frozen=True, slots=True)
class Spot:
    """A bay as it is now: ``x_m``, ``y_m`` is its middle on the plan."""

    bay_id: str
    zone_id: str
    kind: str
    state: str
    x_m: float
    y_m: float
    drawn: bool = True
    permits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reserve:
    """How many free bays of a zone are kept for whom. ``shut``: nobody is sent there (its counts cannot be).

    ``full_at``: with so many left beyond the reserves, or fewer, the zone is full as it stands now.
    """

    residents: int = 0
    disabled: int = 0
    emergency: int = 0
    shut: bool = False
    full_at: int = 0

    def kept_from(self, who: str) -> int:
        """How many of the zone's free bays are not for whoever asks."""
        own = _OWN_RESERVE.get(who, "")
        return sum(getattr(self, name) for name in ("residents", "disabled", "emergency") if name != own)


@dataclass(frozen=True, slots=True)
class Found:
    """The answer. ``fitting`` False: no bay of the kind that was asked for is free; this is the nearest other one."""

    bay_id: str
    zone_id: str
    metres: int
    fitting: bool = True


def nearest(
    spots: Iterable[Spot], reserves: Mapping[str, Reserve], x_m: float, y_m: float, who: str
) -> Found | None:
    """The nearest bay that ``who`` may use, or None where there is none. Of two as near, the first by its name.

    :param who: a word of `WHO`; any other is a visitor.
    """
    own, besides = WHO.get(who, WHO["visitor"])
    free = [one for one in spots if one.state == "free"]
    open_zones = _with_room(free, reserves, who)
    for kinds, fitting in ((own, True), (besides, False)):
        near = min(
            (
                (math.hypot(one.x_m - x_m, one.y_m - y_m), one.bay_id, one)
                for one in free
                if one.kind in kinds and one.drawn and not one.permits and one.zone_id in open_zones
            ),
            key=lambda found: found[:2],
            default=None,
        )
        if near is not None:
            return Found(near[2].bay_id, near[2].zone_id, round(near[0]), fitting)
    return None


def _with_room(free: list[Spot], reserves: Mapping[str, Reserve], who: str) -> set[str]:
    """Zones with more free bays than are kept for others. Fire lanes are no bays to park in."""
    counts: dict[str, int] = {}
    for one in free:
        if one.kind != "fire_lane":
            counts[one.zone_id] = counts.get(one.zone_id, 0) + 1
    room: set[str] = set()
    for zone_id, count in counts.items():
        reserve = reserves.get(zone_id, Reserve())
        if not reserve.shut and count > reserve.kept_from(who) + reserve.full_at:
            room.add(zone_id)
    return room
