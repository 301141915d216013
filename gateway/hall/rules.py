"""The door where facts meet rules: ``decide(state, fact, now_ms) -> Decision``. Pure.

Rule 1. Whoever speaks has been seen: a press of an unknown device makes the device *and* the call.
Rule 2. A retained message is what the broker remembered, never a press (translate.py leaves such out).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devices.faults import OrderRefused
from devices.messages import BayHeard, DeviceSeen, Pressed, Released
from devices.plan import Panel
from gateway.hall import bays, calls, clock, things
from gateway.hall.state import Decision, HallState, Zone

Fact = Pressed | Released | BayHeard | DeviceSeen


def decide(
    state: HallState, fact: Fact, now_ms: int, every_ms: int | None = None, panels: Sequence[Panel] = ()
) -> Decision:
    """What one fact means for the hall. ``state`` is read, never changed."""
    match fact:
        case DeviceSeen():
            return things.seen(state, fact, now_ms, every_ms)
        case Pressed():
            device = state.devices.get(fact.device_id)
            if device is not None and device.kind == "ignored":
                return Decision()
            if fact.if_claimed and (device is None or device.kind != "call_button"):
                return Decision()
            return calls.pressed(state, fact, device, now_ms)
        case Released():
            return Decision()
        case BayHeard():
            device = state.devices.get(fact.device_id)
            if device is None or device.kind not in ("bay_sensor", "unclaimed"):
                return Decision()
            if device.kind == "unclaimed" and fact.occupied is None:
                return Decision()
            return with_panels(state, bays.heard(state, fact, device, now_ms), panels, now_ms)


def obey(
    state: HallState, order: str, fields: Mapping[str, object], now_ms: int, panels: Sequence[Panel] = ()
) -> Decision:
    """What an order of the kiosk or a technician means.

    :raises OrderRefused: the rules do not allow it; nothing changes.
    """
    match order:
        case "accept_call":
            return calls.accepted(state, _number(fields, "call_id"), _text(fields, "by"), now_ms)
        case "close_call":
            return calls.closed(
                state,
                _number(fields, "call_id"),
                _text(fields, "by"),
                _text(fields, "outcome"),
                _text(fields, "note", ""),
                now_ms,
            )
        case "raise_call":
            return calls.raised(
                state,
                _text(fields, "device_id"),
                _text(fields, "kind", "help"),
                _text(fields, "name", "") or _text(fields, "place_zh", ""),
                _text(fields, "place_zh", ""),
                _text(fields, "by", ""),
                _text(fields, "key", ""),
                now_ms,
            )
        case "claim_device":
            return with_panels(state, things.claimed(state, fields, now_ms), panels, now_ms)
        case "define_zone":
            decision = things.zone_defined(
                state,
                _text(fields, "zone_id"),
                _text(fields, "name_zh", ""),
                _text(fields, "name_en", ""),
                _text(fields, "by", ""),
                now_ms,
            )
            return with_panels(state, decision, panels, now_ms)
        case "close_bay" | "open_bay":
            decision = bays.set_closed(
                state, _text(fields, "bay_id"), order == "close_bay", _text(fields, "by", ""), now_ms
            )
            return with_panels(state, decision, panels, now_ms)
        case "confirm_clock":
            return clock.confirmed(state, _text(fields, "by"), now_ms)
    raise OrderRefused(f"没有“{order}”这个指令", f"there is no order {order!r}")


def with_panels(state: HallState, decision: Decision, panels: Sequence[Panel], now_ms: int) -> Decision:
    """If a zone's count changed, the panels that add it up follow, in the same transaction."""
    if panels and any(isinstance(change, Zone) for change in decision.changes):
        after = state.child()
        after.put(decision)
        counts = bays.shown(after, panels, now_ms)
        decision.changes += counts
        decision.effects += counts
    return decision


def _text(fields: Mapping[str, object], key: str, otherwise: str | None = None) -> str:
    raw = fields.get(key, otherwise)
    if not isinstance(raw, str) or len(raw) > 2000:
        raise OrderRefused(f"指令缺少 {key}", f"the order needs {key} as text")
    return things.fit(raw)


def _number(fields: Mapping[str, object], key: str) -> int:
    raw = fields.get(key)
    if type(raw) is not int:
        raise OrderRefused(f"指令缺少 {key}", f"the order needs {key} as a whole number")
    return raw
