"""The door where facts meet rules: ``decide(state, fact, now_ms) -> Decision``. Pure.

Rule 1. Whoever speaks has been seen: a press of an unknown device makes the device *and* the call.
Rule 2. A retained message is what the broker remembered, never a press (translate.py leaves such out).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from devices.faults import OrderRefused
from devices.messages import (
    Answered,
    BayHeard,
    BaySettled,
    CarsCounted,
    DeviceSeen,
    PathSeen,
    Pressed,
    Released,
    SiteHeard,
    Stirred,
)
from devices.plan import Panel
from gateway.hall import (
    answering,
    bays,
    calls,
    caring,
    clock,
    forgetting,
    gates,
    kind_orders,
    ladder,
    meals,
    messages,
    panel_care,
    parking,
    parking_map,
    parking_tasks,
    people,
    rostering,
    showing,
    stirring,
    supervision,
    things,
    upkeep,
    visiting,
)
from gateway.hall.fields import Fields
from gateway.hall.rows import Helper, Holiday, Kind, RowGone, Shift, Substitution
from gateway.hall.state import Decision, Device, HallState

Fact = (
    Pressed
    | Released
    | BayHeard
    | BaySettled
    | CarsCounted
    | SiteHeard
    | DeviceSeen
    | Stirred
    | Answered
    | PathSeen
)


def decide(
    state: HallState, fact: Fact, now_ms: int, every_ms: int | None = None, panels: Sequence[Panel] = ()
) -> Decision:
    """What one fact means for the hall. ``state`` is read, never changed."""
    match fact:
        case DeviceSeen():
            return answering.learnt(state, fact, things.seen(state, fact, now_ms, every_ms))
        case Pressed():
            device = state.devices.get(fact.device_id)
            if device is not None and device.kind == "ignored":
                return Decision()
            if fact.if_claimed and (device is None or device.kind != "call_button"):
                return Decision()
            decision = _asked(state, fact, device, now_ms)
            if not fact.doubtful:
                stirring.stirred(state, device, decision, now_ms)
            return answering.follow(state, decision, now_ms)
        case Released():
            device = state.devices.get(fact.device_id)
            if device is not None and device.kind in ("ignored", "bay_sensor", "gate_counter", "site_feed"):
                return Decision()
            decision = calls.released(state, fact, device, now_ms, _asked)
            return answering.follow(state, decision, now_ms)
        case Stirred():
            decision = Decision()
            stirring.stirred(state, state.devices.get(fact.device_id), decision, now_ms)
            return decision
        case Answered():
            return answering.answered(state, fact, now_ms)
        case PathSeen():
            return supervision.path_seen(state, fact, now_ms)
        case BayHeard():
            device = state.devices.get(fact.device_id)
            if device is None or device.kind not in ("bay_sensor", "unclaimed"):
                return Decision()
            if device.kind == "unclaimed" and fact.occupied is None:
                return Decision()
            return with_panels(state, bays.heard(state, fact, device, now_ms), panels, now_ms)
        case BaySettled():
            return with_panels(state, bays.settled(state, fact, now_ms), panels, now_ms)
        case CarsCounted():
            return gates.counted(state, fact, now_ms)
        case SiteHeard():
            return with_panels(state, gates.site_said(state, fact, now_ms), panels, now_ms)


def _asked(state: HallState, fact: Pressed, device: Device | None, now_ms: int) -> Decision:
    """What a press means, a test call that is being waited for among it."""
    return upkeep.pressed(state, fact, device, now_ms, _pressed)


def _pressed(state: HallState, fact: Pressed, device: Device | None, now_ms: int) -> Decision:
    """What a press of this button asks for."""
    if device is not None and device.call_kind == meals.KIND:
        return meals.pressed(state, fact, device, now_ms)
    return calls.pressed(state, fact, device, now_ms)


#: What an order means: its name → the rule. Each subject brings its own, in its own file.
ORDERS: dict[str, Callable[[HallState, Fields, int], Decision]] = {
    **calls.ORDERS,
    **ladder.ORDERS,
    **things.ORDERS,
    **bays.ORDERS,
    **parking.ORDERS,
    **parking_map.ORDERS,
    **parking_tasks.ORDERS,
    **panel_care.ORDERS,
    **gates.ORDERS,
    **clock.ORDERS,
    **forgetting.ORDERS,
    **people.ORDERS,
    **rostering.ORDERS,
    **kind_orders.ORDERS,
    **meals.ORDERS,
    **visiting.ORDERS,
    **supervision.ORDERS,
    **upkeep.ORDERS,
    **messages.ORDERS,
}


def obey(
    state: HallState, order: str, fields: Mapping[str, object], now_ms: int, panels: Sequence[Panel] = ()
) -> Decision:
    """What an order of the kiosk or a technician means.

    :raises OrderRefused: the rules do not allow it; nothing changes.
    """
    rule = ORDERS.get(order)
    if rule is None:
        raise OrderRefused(f"没有“{order}”这个指令", f"there is no order {order!r}")
    decision = rule(state, Fields(fields), now_ms)
    meals.follow(state, decision, now_ms)
    caring.follow(state, decision, now_ms)
    answering.follow(state, decision, now_ms)
    return with_panels(state, _with_ladders(state, decision, now_ms), panels, now_ms)


_ROSTER = (Helper, Shift, Substitution, Holiday, Kind)
_ROSTER_TABLES = frozenset(table.TABLE for table in _ROSTER)


def _with_ladders(state: HallState, decision: Decision, now_ms: int) -> Decision:
    """If it was changed who comes, calls that ring on a step with nobody behind it are told at once, with it."""
    if any(
        isinstance(change, _ROSTER) or (isinstance(change, RowGone) and change.table in _ROSTER_TABLES)
        for change in decision.changes
    ):
        after = state.child()
        after.put(decision)
        for gone in decision.changes:
            if isinstance(gone, RowGone):  # a child cannot hide what lies below it
                after.tables[gone.table] = {
                    key: row for key, row in after.tables[gone.table].items() if key != gone.key
                }
        decision.changes += ladder.look_again(after, now_ms).changes
    return decision


def with_panels(state: HallState, decision: Decision, panels: Sequence[Panel], now_ms: int) -> Decision:
    """If a zone's count changed, the panels that add it up follow, in the same transaction."""
    if panels and showing.concerned(decision.changes):
        after = state.child()
        after.put(decision)
        follows = showing.follow(after, panels, now_ms)
        decision.changes += follows.changes
        decision.effects += follows.effects
    return decision
