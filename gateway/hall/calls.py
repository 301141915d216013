"""A call's life. Lives here: every rule about presses and calls. Must not live here: how a press arrived,
how a lamp is driven, what time it is.

Rule 1. What is not in ``LIFE`` cannot happen: an illegal step raises OrderRefused and changes nothing.
Rule 2. One press, one call. A press of a device whose call is open belongs to that call.
Rule 3. ``(device, press_id)`` names a press for ever. Where the device numbers nothing, copies within
        ``BURST_MS`` are one press (zigbee2mqtt says one press on up to five topics).
Rule 4. A doubtful press alarms. We may be wrong in one direction only.
Rule 5. A lamp shows only what is written: the lamp is an effect, told after the commit.
Rule 6. While a call rings, the steps of its LADDER are timers, rows written with the call; they go in the same
        transaction in which somebody takes or closes it.
"""

from __future__ import annotations

from dataclasses import replace

from devices.faults import OrderRefused
from devices.messages import CallState, Light, Pressed, SetLamp
from gateway.hall.fields import Fields
from gateway.hall.kinds import OUTCOMES, kinds
from gateway.hall.state import (
    Call,
    Decision,
    Device,
    HallState,
    JournalLine,
    OrderKey,
    PressRow,
    TimerGone,
    TimerSet,
)

#: (state, what happened) -> next state. "" is "there is no call yet".
LIFE: dict[tuple[CallState | str, str], CallState] = {
    ("", "Pressed"): "HEARD",
    ("HEARD", "Pressed"): "HEARD",
    ("HEARD", "Unanswered"): "HEARD",
    ("HEARD", "Accepted"): "COMING",
    ("HEARD", "Closed"): "CLOSED",
    ("COMING", "Pressed"): "COMING",
    ("COMING", "PressedLater"): "HEARD",
    ("COMING", "Accepted"): "COMING",
    ("COMING", "Closed"): "CLOSED",
}

#: What the device's lamp shows in each state.
LAMP: dict[CallState, Light] = {"HEARD": "blink", "COMING": "steady", "CLOSED": "off"}

#: Copies of one unnumbered press come within 2 s of each other: live zigbee2mqtt logs show 0-1 s, we double it.
BURST_MS = 2_000
#: Copies of a press that the *network* numbers (a LoRaWAN frame counter starts again after a re-join, an
#: event counter after a reboot) are the same press within this time; later the same number is a new press.
NETWORK_COPY_MS = 30_000
#: Unanswered for a minute: the telecare bar is 97.5 % answered in 60 s (TSA Quality Standards Framework).
UNANSWERED_MS = 60_000
#: What happens while nobody takes a call: kind of timer (hall/timers.py) -> how long after it began to ring.
LADDER: tuple[tuple[str, int], ...] = (("unanswered", UNANSWERED_MS),)
#: Somebody said "on my way" this long ago and the elder presses again: nobody has come, and the call rings anew. Our
#: choice: across the largest compound on foot, and back.
FORGOTTEN_MS = 600_000
#: A redelivery (MQTT's DUP) of the same number is believed for a day; after that the number has been used anew.
REDELIVERED_MS = 24 * 3600 * 1000
#: Older than this by its own clock, a press still alarms, marked as delayed.
DELAYED_MS = 600_000

_OWN_FAMILIES = frozenset({"linli", "gpio"})


def pressed(state: HallState, fact: Pressed, device: Device | None, now_ms: int) -> Decision:
    """A press: a new call, one more press of an open one, or a copy of a press already written."""
    decision = Decision()
    last = _newest(state, fact.device_id)
    known = state.presses.get((fact.device_id, fact.press_id)) if fact.press_id else None
    if known is not None and (
        fact.family in _OWN_FAMILIES
        or abs(now_ms - known[1]) < (REDELIVERED_MS if fact.redelivered else NETWORK_COPY_MS)
    ):
        decision.duplicate, decision.call = True, state.calls.get(known[0])
        return decision
    if not fact.press_id and last is not None and 0 <= now_ms - last.last_press_ms < BURST_MS:
        decision.duplicate, decision.call = True, last
        return decision

    if last is not None and last.state != "CLOSED":
        forgotten = last.accepted_ms is not None and now_ms - last.accepted_ms > FORGOTTEN_MS
        event = "PressedLater" if last.state == "COMING" and forgotten else "Pressed"
        call = replace(
            last,
            state=_step(last, event),
            presses=last.presses + 1,
            last_press_ms=now_ms,
            doubtful=last.doubtful and fact.doubtful,
            delayed=last.delayed or fact.age_ms > DELAYED_MS,
        )
        if event == "PressedLater":
            call = replace(call, accepted_ms=None, accepted_by=None, overdue=False)
            decision.changes += _ladder(call, now_ms)
        event = {"Pressed": "PressedAgain"}.get(event, event)
    else:
        call = Call(
            call_id=state.last_call_id + 1,
            state=LIFE["", "Pressed"],
            kind=device.call_kind if device else "emergency",
            device_id=fact.device_id,
            device_name=(device.name if device else "") or fact.device_id,
            claimed=device is not None and device.kind != "unclaimed",
            place=device.place if device else "",
            person=device.person if device else "",
            presses=1,
            button=fact.button,
            opened_ms=now_ms,
            last_press_ms=now_ms,
            delayed=fact.age_ms > DELAYED_MS,
            doubtful=fact.doubtful,
        )
        event = "Pressed"
        decision.changes += _ladder(call, now_ms)
    decision.call = call
    decision.changes.append(call)
    if fact.press_id:
        decision.changes.append(PressRow(fact.device_id, fact.press_id, call.call_id, now_ms))
    decision.changes.append(
        # The kind first: the figures of each kind are made from the journal alone.
        JournalLine(
            now_ms,
            event,
            f"call:{call.call_id}",
            fact.device_id,
            f"{call.kind} {fact.press_id or fact.event}",
        )
    )
    decision.effects.append(_lamp(call, now_ms))
    return decision


def raised(
    state: HallState, device_id: str, kind: str, name: str, place: str, by: str, key: str, now_ms: int
) -> Decision:
    """A call raised on a screen (叫人帮忙). With a ``key``, the same order again is the same call.

    A screen may speak only for itself: its ids begin with "screen:", so that nobody at a screen can light an
    elder's lamp or hide in an elder's call.
    """
    if not device_id.startswith("screen:"):
        raise OrderRefused("屏幕编号不对", 'a screen\'s device_id begins with "screen:"')
    if kind not in kinds(state):
        raise OrderRefused(f"没有“{kind}”这种呼叫", f"there is no kind of call {kind!r}")
    known = state.order_keys.get(key) if key else None
    if known is not None:
        return Decision(call=state.calls.get(known), duplicate=True)
    device = Device(device_id, "hall_button", now_ms, now_ms, 0, name=name, call_kind=kind, place=place)
    decision = pressed(state, Pressed(device_id, event="raised", button=1), device, now_ms)
    if key and decision.call is not None:
        decision.changes.append(OrderKey(key, decision.call.call_id, now_ms))
    return decision


def accepted(state: HallState, call_id: int, by: str, now_ms: int) -> Decision:
    """Somebody is on the way. The second to say so is told who was first."""
    call = _find(state, call_id)
    if call.state == "COMING":
        if call.accepted_by == by:
            return Decision(call=call, duplicate=True)
        raise OrderRefused(
            f"{call.accepted_by} 已经接了这个呼叫", f"{call.accepted_by} has already taken this call"
        )
    after = replace(call, state=_step(call, "Accepted"), accepted_ms=now_ms, accepted_by=by)
    decision = _changed(after, "Accepted", by, "", now_ms)
    decision.changes += _ladder_down(state, after)
    return decision


def closed(state: HallState, call_id: int, by: str, outcome: str, note: str, now_ms: int) -> Decision:
    """The call has an outcome. Only now does its lamp go dark."""
    if outcome not in OUTCOMES:
        raise OrderRefused("请选择办理结果", f"choose an outcome: {', '.join(OUTCOMES)}")
    call = _find(state, call_id)
    if call.state == "CLOSED" and call.closed_by == by and call.outcome == outcome:
        return Decision(call=call, duplicate=True)
    after = replace(
        call,
        state=_step(call, "Closed"),
        closed_ms=now_ms,
        closed_by=by,
        outcome=outcome,
        note=note[:500],
        accepted_by=call.accepted_by or by,
        accepted_ms=call.accepted_ms or now_ms,
    )
    decision = _changed(after, "Closed", by, outcome, now_ms)
    decision.changes += _ladder_down(state, after)
    return decision


def unanswered(state: HallState, timer: TimerSet, now_ms: int) -> Decision:
    """A minute has passed. If nobody has answered, the call says so, louder."""
    call = state.calls.get(int(timer.subject.removeprefix("call:")))
    if call is None or call.state != "HEARD" or call.overdue:
        return Decision()
    after = replace(call, state=_step(call, "Unanswered"), overdue=True)
    return _changed(after, "Unanswered", "", "", now_ms)


def lamp_of(call: Call, now_ms: int) -> SetLamp:
    """The level of this call's lamp, to be told again at any time."""
    return _lamp(call, now_ms)


def mermaid() -> str:
    """The picture of LIFE for the README; a test compares the two."""
    lines = ["stateDiagram-v2"]
    for (before, event), after in LIFE.items():
        lines.append(f"    {before or '[*]'} --> {after}: {event}")
    return "\n".join([*lines, "    CLOSED --> [*]"])


def _ladder(call: Call, now_ms: int) -> list[TimerSet]:
    """The call begins to ring: each step of its ladder."""
    subject = f"call:{call.call_id}"
    return [TimerSet(f"{subject}:{kind}", kind, subject, now_ms, after_ms) for kind, after_ms in LADDER]


def _ladder_down(state: HallState, call: Call) -> list[TimerGone]:
    """It rings no more: the steps that still wait are void."""
    names = [f"call:{call.call_id}:{kind}" for kind, _ in LADDER]
    return [TimerGone(name) for name in names if state.timer(name) is not None]


def _changed(call: Call, event: str, by: str, detail: str, now_ms: int) -> Decision:
    return Decision(
        changes=[call, JournalLine(now_ms, event, f"call:{call.call_id}", by, detail)],
        effects=[_lamp(call, now_ms)],
        call=call,
    )


def _lamp(call: Call, now_ms: int) -> SetLamp:
    return SetLamp(call.device_id, LAMP[call.state], call.call_id, now_ms)


def _newest(state: HallState, device_id: str) -> Call | None:
    call_id = state.newest_call.get(device_id)
    return None if call_id is None else state.calls.get(call_id)


def _find(state: HallState, call_id: int) -> Call:
    call = state.calls.get(call_id)
    if call is None:
        raise OrderRefused(f"没有第 {call_id} 号呼叫", f"there is no call {call_id}")
    return call


def _step(call: Call, event: str) -> CallState:
    after = LIFE.get((call.state, event))
    if after is None:
        raise OrderRefused(
            f"第 {call.call_id} 号呼叫已经办结",
            f"call {call.call_id} is {call.state}: {event} is not possible any more",
        )
    return after


def _accept(state: HallState, fields: Fields, now_ms: int) -> Decision:
    return accepted(state, fields.number("call_id"), fields.text("by"), now_ms)


def _close(state: HallState, fields: Fields, now_ms: int) -> Decision:
    words = fields.text("by"), fields.text("outcome"), fields.text("note", "")
    return closed(state, fields.number("call_id"), *words, now_ms)


def _raise(state: HallState, fields: Fields, now_ms: int) -> Decision:
    place = fields.text("place_zh", "")
    return raised(
        state,
        fields.text("device_id"),
        fields.text("kind", "help"),
        fields.text("name", "") or place,
        place,
        fields.text("by", ""),
        fields.text("key", ""),
        now_ms,
    )


ORDERS = {"accept_call": _accept, "close_call": _close, "raise_call": _raise}
