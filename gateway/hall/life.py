"""A call's life: the table of what can happen to it, and its picture. What follows from each step is in calls.py."""

from __future__ import annotations

from devices.faults import OrderRefused
from devices.messages import CallState, Light, SetLamp
from gateway.hall.state import Call, Decision, HallState, JournalLine, TimerSet

#: (state, what happened) -> next state. "" is "there is no call yet".
LIFE: dict[tuple[CallState | str, str], CallState] = {
    ("", "Pressed"): "HEARD",
    ("HEARD", "Pressed"): "HEARD",
    ("HEARD", "Repeated"): "HEARD",
    ("HEARD", "Unanswered"): "HEARD",
    ("HEARD", "Accepted"): "COMING",
    ("HEARD", "Arrived"): "COMING",
    ("HEARD", "Closed"): "CLOSED",
    ("COMING", "Pressed"): "COMING",
    ("COMING", "PressedLater"): "HEARD",
    ("COMING", "Repeated"): "COMING",
    ("COMING", "Arrived"): "COMING",
    ("COMING", "AcceptanceExpired"): "HEARD",
    ("COMING", "Unclosed"): "COMING",
    ("COMING", "Closed"): "CLOSED",
    ("CLOSED", "Repeated"): "CLOSED",
    ("CLOSED", "Reopened"): "COMING",
    ("CLOSED", "ReopenedUntaken"): "HEARD",
}

#: What the device's lamp shows in each state.
LAMP: dict[CallState, Light] = {"HEARD": "blink", "COMING": "steady", "CLOSED": "off"}


def step(call: Call, event: str) -> CallState:
    """The state after ``event``.

    :raises OrderRefused: it cannot happen to this call now.
    """
    after = LIFE.get((call.state, event))
    if after is None:
        raise OrderRefused(*_why_not(call, event))
    return after


def mermaid() -> str:
    """The picture of LIFE for the README; a test compares the two."""
    lines = ["stateDiagram-v2"]
    for (before, event), after in LIFE.items():
        lines.append(f"    {before or '[*]'} --> {after}: {event}")
    return "\n".join([*lines, "    CLOSED --> [*]"])


def lamp_of(call: Call, now_ms: int) -> SetLamp:
    """The level of this call's lamp, to be told again at any time."""
    return SetLamp(call.device_id, LAMP[call.state], call.call_id, now_ms)


def changed(call: Call, event: str, by: str, detail: str, now_ms: int) -> Decision:
    """The call is different now: written, journalled, its lamp told."""
    return Decision(
        changes=[call, JournalLine(now_ms, event, f"call:{call.call_id}", by, detail)],
        effects=[lamp_of(call, now_ms)],
        call=call,
    )


def newest(state: HallState, device_id: str) -> Call | None:
    """The newest call of a device, open or closed."""
    call_id = state.newest_call.get(device_id)
    return None if call_id is None else state.calls.get(call_id)


def find(state: HallState, call_id: int) -> Call:
    """:raises OrderRefused: there is no such call."""
    call = state.calls.get(call_id)
    if call is None:
        raise OrderRefused(f"没有第 {call_id} 号呼叫", f"there is no call {call_id}")
    return call


def call_of(state: HallState, timer: TimerSet) -> Call | None:
    """The call that a timer is about."""
    return state.calls.get(int(timer.subject.removeprefix("call:")))


def _why_not(call: Call, event: str) -> tuple[str, str]:
    """Why this cannot happen to the call now, in Chinese and in English."""
    number = call.call_id
    if call.state != "CLOSED":
        zh = "还没有办结，不用撤销" if event.startswith("Reopened") else "现在不能这样操作"
        return f"第 {number} 号呼叫{zh}", f"call {number} is {call.state}: {event} is not possible now"
    by = call.closed_by or ""
    return (
        f"第 {number} 号呼叫已经由 {by} 办结",
        f"call {number} has been closed by {by}: too late for {event}",
    )
