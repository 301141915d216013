"""The plan of the compound as a picture: what lies where on it, in metres, for the SVG that the server draws.

Lengths are metres on the plan (gateway/hall/parking_rows.py): x to the right, y down. A picture shows all bays, or one
zone's, or what lies between a building and the bay that somebody is sent to.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

#: Around what is shown, metres: half a lane.
MARGIN_M = 3.0
#: A picture is never closer than this: one bay alone would fill a screen and say nothing.
LEAST_M = 24.0
#: Bays' own names are written where the picture is at most this wide; on a wider one nobody could read them.
NAMES_WITHIN_M = 70.0
#: Text and pins are this share of the picture's longer side, so that they are as large on any plan.
PIN_SHARE = 0.028
#: Smallest pin, metres: as large as a bay is wide.
LEAST_PIN_M = 1.5


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the plan."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def wide(self) -> float:
        return self.right - self.left

    @property
    def tall(self) -> float:
        return self.bottom - self.top

    def with_margin(self, by_m: float) -> Box:
        return Box(self.left - by_m, self.top - by_m, self.right + by_m, self.bottom + by_m)

    def at_least(self, size_m: float) -> Box:
        """As it is, or as wide and tall as that around its middle."""
        across, down = max(0.0, size_m - self.wide) / 2, max(0.0, size_m - self.tall) / 2
        return Box(self.left - across, self.top - down, self.right + across, self.bottom + down)


@dataclass(frozen=True, slots=True)
class Picture:
    """What a template draws. ``pin_m`` is the height of a text on it; ``names``: bays bear their own."""

    box: Box
    bays: list[Json]
    places: list[Json]
    zones: list[tuple[Json, Box]]
    pin_m: float
    names: bool

    @property
    def view_box(self) -> str:
        """The attribute of that name."""
        return f"{self.box.left:.2f} {self.box.top:.2f} {self.box.wide:.2f} {self.box.tall:.2f}"


def picture(
    bays: Sequence[Json], places: Sequence[Json], zones: Sequence[Json], around: Iterable[Json] = ()
) -> Picture | None:
    """The picture of these bays and places, None where none of the bays has a place on the plan.

    A place has a ``name`` and ``wide``, the width of that name in heights of its letters.

    :param around: where given, bays and places that are to fill the picture; the others are drawn where they fall.
    """
    drawn = [one for one in bays if one["drawn"]]
    if not drawn:
        return None
    middle = [one for one in around if one.get("drawn", True)]
    whole = _around(middle or [*drawn, *places])
    box = whole.with_margin(MARGIN_M).at_least(LEAST_M)
    pin_m = max(LEAST_PIN_M, PIN_SHARE * max(box.wide, box.tall))
    boxes = []
    for zone in zones:
        inside = [one for one in drawn if one["zone_id"] == zone["zone_id"]]
        if inside:
            boxes.append((zone, _around(inside).with_margin(0.8)))
    # Room for the name of a zone above its uppermost row, and for the names of places beside their points.
    reach = max(
        (float(one["wide"]) * pin_m / 2 for one in places if not middle or one in middle), default=0.0
    )
    box = Box(
        min(box.left, whole.left - reach),
        box.top - pin_m,
        max(box.right, whole.right + reach),
        box.bottom + pin_m,
    )
    pins = [
        one for one in places if not middle or any(one["place_id"] == near.get("place_id") for near in middle)
    ]
    pins += [one for one in places if one not in pins and _pin_within(one, box, pin_m)]
    return Picture(box, drawn, pins, boxes, round(pin_m, 2), box.wide <= NAMES_WITHIN_M)


def _pin_within(place: Json, box: Box, pin_m: float) -> bool:
    """Whether all of its name would be seen: half a name says nothing."""
    half = float(place["wide"]) * pin_m / 2
    return bool(
        box.left <= place["x_m"] - half
        and place["x_m"] + half <= box.right
        and box.top <= place["y_m"] - pin_m
        and place["y_m"] + pin_m <= box.bottom
    )


def _around(things: Iterable[Json]) -> Box:
    boxes = [_reach(one) for one in things]
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def _reach(one: Json) -> Box:
    """The upright rectangle in which a turned bay lies; a place is a point."""
    angle = math.radians(float(one.get("turn_deg", 0.0)))
    long_m, wide_m = float(one.get("long_m", 0.0)), float(one.get("wide_m", 0.0))
    across = (abs(wide_m * math.cos(angle)) + abs(long_m * math.sin(angle))) / 2
    down = (abs(wide_m * math.sin(angle)) + abs(long_m * math.cos(angle))) / 2
    return Box(one["x_m"] - across, one["y_m"] - down, one["x_m"] + across, one["y_m"] + down)
