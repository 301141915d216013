"""The whole plan of a car park at once: all of it, or nothing and the line that is wrong.

Rule 1. Each line is read as its own order would be (parking.py).
Rule 2. A map moves nothing: a bay that it draws in one zone and the hall has in another is in two zones.
Rule 3. No two bays lie on each other.
Rule 4. What the map leaves out is not on the plan any more: plans of bays in the zones that it draws, and places.

Reading 5,000 bays and looking whether any two lie on each other takes half a second, so it is done in steps
(`read_map`); a long map is also written in pieces, from a row of its own that says that it is under way (Rule 5,
gateway/long_orders.py).

Rule 5. A long map that has passed is finished, whatever comes: after a crash the next start goes on with it. What has
        changed under it meanwhile (a bay that is no more) is left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from devices.faults import OrderRefused
from gateway.hall import parking
from gateway.hall.fields import Fields, fit
from gateway.hall.parking_rows import BayPlan, MapUnderWay, Place
from gateway.hall.reading import Reader
from gateway.hall.rows import RowGone
from gateway.hall.state import Change, Decision, HallState, JournalLine

#: Bays, zones and places on one plan.
MOST_LINES = 5_000
#: So much of two bays may lie on each other, metres: a line that was painted or drawn a little askew.
SLACK_M = 0.2

_LISTS = {"zones": "区域", "bays": "车位", "places": "地点"}


#: Lines that are read, or compared with those around them, in one step; rows that are written in one: 5 ms each here.
LINES_A_STEP = 50
ROWS_A_PIECE = 100

Steps = Generator[None, None, Decision]


def put_map(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """The whole plan. :raises OrderRefused: names the list and the line, counted from 1."""
    steps = read_map(state, fields, now_ms)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            decision: Decision = done.value
            return decision


def read_map(state: HallState, fields: Fields, now_ms: int) -> Steps:
    """The same in steps, between which the hall may change.

    :raises OrderRefused: names the list and the line, counted from 1.
    """
    after, whole = state.child(), Decision()

    def do(rule: Callable[[HallState, Fields, int], Decision], row: Mapping[str, object]) -> None:
        decision = rule(after, Fields(row), now_ms)
        after.put(decision)
        whole.changes += [one for one in decision.changes if not isinstance(one, JournalLine)]

    site = fields.raw.get("site")
    if isinstance(site, Mapping):
        _at("site", 1, do, parking.put_site, site)
    elif site is not None and not isinstance(site, str):
        raise OrderRefused("site 应为一条记录", "site must be a row")
    for number, row in enumerate(_rows(fields, "zones"), 1):
        _at("zones", number, do, parking.put_zone_plan, row)
        if number % LINES_A_STEP == 0:
            yield
    drawn = yield from _bays(after, fields)
    for plan in drawn:
        if state.table(BayPlan).get(plan.bay_id) != plan:
            whole.changes.append(plan)
    for number, row in enumerate(_rows(fields, "places"), 1):
        _at("places", number, do, parking.put_place, row)
        if number % LINES_A_STEP == 0:
            yield
    whole.changes += _left_out(state, fields, drawn)
    line = JournalLine(now_ms, "MapPut", "map", fields.text("by", ""), f"{len(drawn)} bays")
    whole.changes.append(line)
    return whole


def is_long(fields: Mapping[str, object]) -> bool:
    """Whether a map is to be read and written in steps."""
    lists = (fields.get(name) for name in _LISTS)
    return sum(len(rows) for rows in lists if isinstance(rows, list)) > LINES_A_STEP


def under_way(fields: Mapping[str, object]) -> MapUnderWay:
    """The row that says so, with all that it takes to begin anew."""
    words = {name: fields[name] for name in ("site", *_LISTS, "by") if name in fields}
    return MapUnderWay("map", json.dumps(words, ensure_ascii=False))


def pieces(decision: Decision) -> list[list[Change]]:
    """What a map changes, in the order in which it is written; the last piece says that it is done."""
    changes = decision.changes
    parts = [list(changes[at : at + ROWS_A_PIECE]) for at in range(0, len(changes), ROWS_A_PIECE)]
    parts[-1].append(RowGone(MapUnderWay.TABLE, "map"))
    return parts


def still_true(state: HallState, changes: Sequence[Change]) -> list[Change]:
    """A piece without bays that have gone or moved since it was read."""
    bays = state.bays
    return [
        one
        for one in changes
        if not isinstance(one, BayPlan) or ((bay := bays.get(one.bay_id)) and bay.zone_id == one.zone_id)
    ]


def _bays(after: HallState, fields: Fields) -> Generator[None, None, list[BayPlan]]:
    drawn: dict[str, tuple[int, BayPlan]] = {}
    for number, row in enumerate(_rows(fields, "bays"), 1):
        plan: BayPlan = _at("bays", number, _bay, after, Fields(row))
        if plan.bay_id in drawn:
            first, other = drawn[plan.bay_id]
            where = f"在区域 {other.zone_id}" if other.zone_id != plan.zone_id else ""
            raise _wrong(
                "bays",
                number,
                f"车位 {plan.bay_id} 在第 {first} 行已经画过{where}",
                f"bay {plan.bay_id} stands in line {first} already, in zone {other.zone_id}",
            )
        drawn[plan.bay_id] = (number, plan)
        if number % LINES_A_STEP == 0:
            yield
    ground = _Ground()
    for at, lower in enumerate(drawn.values(), 1):
        for upper in ground.put(lower):
            raise _wrong(
                "bays",
                lower[0],
                f"车位 {lower[1].bay_id} 和第 {upper[0]} 行的 {upper[1].bay_id} 叠在一起",
                f"bay {lower[1].bay_id} lies on {upper[1].bay_id} of line {upper[0]}",
            )
        if at % LINES_A_STEP == 0:
            yield
    return [plan for _, plan in drawn.values()]


def _bay(state: HallState, fields: Fields) -> BayPlan:
    bay_id = fields.text("bay_id", "")
    bay = state.bays.get(bay_id)
    if bay is None or bay.zone_id == "unclaimed":
        raise OrderRefused(f"没有车位 {bay_id}", f"there is no bay {bay_id}")
    zone_id = fields.text("zone_id", bay.zone_id)
    if zone_id not in state.zones or zone_id == "unclaimed":
        raise OrderRefused(f"没有区域 {zone_id}", f"there is no zone {zone_id}")
    if zone_id != bay.zone_id:
        raise OrderRefused(
            f"车位 {bay_id} 已经在区域 {bay.zone_id}，不能也在 {zone_id}",
            f"bay {bay_id} is in zone {bay.zone_id}, it cannot be in {zone_id} as well",
        )
    return parking.plan_of(Reader(fields, state.table(BayPlan).get(bay_id), parking.NAMES), bay_id, zone_id)


def _left_out(state: HallState, fields: Fields, drawn: list[BayPlan]) -> list[RowGone]:
    gone: list[RowGone] = []
    if "bays" in fields:
        ids, zones = {plan.bay_id for plan in drawn}, {plan.zone_id for plan in drawn}
        gone += [
            RowGone(BayPlan.TABLE, plan.bay_id)
            for plan in state.table(BayPlan).values()
            if plan.zone_id in zones and plan.bay_id not in ids
        ]
    if "places" in fields:
        ids = {str(row.get("place_id")) for row in _rows(fields, "places")}
        gone += [RowGone(Place.TABLE, key) for key in state.table(Place) if key not in ids]
    return gone


# ---------------------------------------------------------------- lines


def _rows(fields: Fields, key: str) -> list[Mapping[str, object]]:
    raw: Any = fields.raw.get(key, [])
    if not isinstance(raw, list) or len(raw) > MOST_LINES:
        raise OrderRefused(
            f"{_LISTS[key]}应为列表，最多 {MOST_LINES} 行",
            f"{key} must be a list of at most {MOST_LINES} rows",
        )
    for number, row in enumerate(raw, 1):
        if not isinstance(row, Mapping):
            raise _wrong(key, number, "应为一条记录", "must be a row")
    return raw


def _at(key: str, number: int, read: Callable[..., Any], *what: Any) -> Any:
    """Do it; whatever is refused names its line."""
    try:
        return read(*what)
    except OrderRefused as refused:
        raise _wrong(key, number, refused.why_zh, refused.why_en) from refused


def _wrong(key: str, number: int, zh: str, en: str) -> OrderRefused:
    return OrderRefused(
        f"{_LISTS.get(key, key)}第 {number} 行：{fit(zh)}", f"{key}, line {number}: {fit(en)}"
    )


# ---------------------------------------------------------------- bays that lie on each other

_Line = tuple[int, BayPlan]


#: Somewhat more than a bay is long.
_CELL_M = 8.0


class _Ground:
    """The bays that have been drawn so far, by where they lie. Those that were not drawn (at 0, 0) lie nowhere."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[_Line]] = {}

    def put(self, line: _Line) -> list[_Line]:
        """Lay one down. Those that it lies on, by their lines."""
        plan = line[1]
        if plan.x_m == plan.y_m == 0.0:
            return []
        # Whatever touches it reaches into one of the cells that it reaches into itself: a bay lies in one to four.
        far = math.hypot(plan.long_m, plan.wide_m) / 2
        inside = [
            self._cells.setdefault((across, down), [])
            for across in range(int((plan.x_m - far) // _CELL_M), int((plan.x_m + far) // _CELL_M) + 1)
            for down in range(int((plan.y_m - far) // _CELL_M), int((plan.y_m + far) // _CELL_M) + 1)
        ]
        near = sorted({one[0]: one for cell in inside for one in cell}.items())
        for cell in inside:
            cell.append(line)
        return [other for _, other in near if _overlap(other[1], plan)]


def _overlap(one: BayPlan, other: BayPlan) -> bool:
    """Whether two rectangles share more than the slack: no side of either has the other wholly beyond it."""
    far = math.hypot(one.long_m, one.wide_m) / 2 + math.hypot(other.long_m, other.wide_m) / 2
    if math.hypot(one.x_m - other.x_m, one.y_m - other.y_m) >= far:
        return False
    first, second = _corners(one), _corners(other)
    for plan in (one, other):
        angle = math.radians(plan.turn_deg)
        for axis in ((math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))):
            a = [x * axis[0] + y * axis[1] for x, y in first]
            b = [x * axis[0] + y * axis[1] for x, y in second]
            if max(a) - SLACK_M <= min(b) or max(b) - SLACK_M <= min(a):
                return False
    return True


def _corners(plan: BayPlan) -> list[tuple[float, float]]:
    angle = math.radians(plan.turn_deg)
    cos, sin = math.cos(angle), math.sin(angle)
    half_w, half_l = plan.wide_m / 2, plan.long_m / 2
    return [
        (plan.x_m + x * cos - y * sin, plan.y_m + x * sin + y * cos)
        for x, y in ((-half_w, -half_l), (half_w, -half_l), (half_w, half_l), (-half_w, half_l))
    ]


ORDERS = {"put_map": put_map}
