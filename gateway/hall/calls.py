"""What people do to a call, and what follows. Must not live here: the table of what can happen at all (life.py),
whether a message was a press (presses.py), whose turn it is (ladder.py), how a lamp is driven, what time it is.

Rule 1. What is not in ``LIFE`` cannot happen: an illegal step raises OrderRefused and changes nothing.
Rule 2. One press, one call. A press of a device whose call is open belongs to that call, unless it asks for something
        more urgent than that call does: then that one is closed, and this is a call of its own.
Rule 3. ``(device, press_id)`` names a press for ever. What numbers nothing is told apart by time (presses.py).
Rule 4. A doubtful press alarms. We may be wrong in one direction only.
Rule 5. A lamp shows only what is written: the lamp is an effect, told after the commit.
Rule 6. At any moment it is somebody's turn. A call that rings has a timer of its ladder, a call that somebody took has
        one for the case that nothing comes of it; all are rows of the transaction that makes them necessary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from devices.faults import OrderRefused
from devices.messages import Pressed, Released
from gateway.hall import ladder, presses
from gateway.hall.fields import Fields
from gateway.hall.kinds import OUTCOMES, kind_of, kinds
from gateway.hall.life import LAMP, LIFE, call_of, changed, find, lamp_of, mermaid, newest, step
from gateway.hall.presses import NETWORK_COPY_MS, OWN_FAMILIES, REDELIVERED_MS
from gateway.hall.rows import LastPress, Person
from gateway.hall.state import (
    Call,
    Change,
    Decision,
    Device,
    HallState,
    JournalLine,
    OrderKey,
    PressRow,
    TimerGone,
    TimerSet,
)

__all__ = ["LAMP", "LIFE", "lamp_of", "mermaid"]

#: Unanswered for a minute: the telecare bar is 97.5 % answered in 60 s (TSA Quality Standards Framework).
UNANSWERED_MS = 60_000
#: Somebody said "on my way" this long ago and the elder presses again: nobody has come, and the call rings anew. Our
#: choice: across the largest compound on foot, and back.
FORGOTTEN_MS = 600_000
#: Somebody is there and has not written how it ended: noted so often. Our choice: an ambulance has come and gone.
UNCLOSED_MS = 3_600_000
#: A close made by mistake is undone within this time.
UNDO_MS = 60_000
#: Older than this by its own clock, a press still alarms, marked as delayed.
DELAYED_MS = 600_000
#: The kinds of timers here; the ladder has its own.
_UNANSWERED, _COMING = "unanswered", "coming"
#: The timer by which the call of an ordered meal waits for its day to end (hall/meals.py): it is the canteen's turn.
MEAL = "meal"


def pressed(state: HallState, fact: Pressed, device: Device | None, now_ms: int) -> Decision:
    """A press: a new call, one more press of an open one, or a copy or repeat of one already written."""
    last = newest(state, fact.device_id)
    known = state.presses.get((fact.device_id, fact.press_id)) if fact.press_id else None
    if known is not None and (
        fact.family in OWN_FAMILIES
        or abs(now_ms - known[1]) < (REDELIVERED_MS if fact.redelivered else NETWORK_COPY_MS)
    ):
        return _copy(state.calls.get(known[0]))
    touch = state.table(LastPress).get((fact.device_id, fact.button))
    word, after = presses.heard(touch, last, fact, now_ms)
    if last is not None and _outranked(state, last, device) and (word != "copy" or fact.event == "raised"):
        ended = _ended_for_another(state, last, now_ms)
        child = state.child()
        child.put(ended)
        decision = _press(child, newest(child, fact.device_id), fact, device, after, now_ms)
        decision.changes[:0], decision.effects[:0] = ended.changes, ended.effects
        return decision
    if word == "press" or last is None:
        return _press(state, last, fact, device, after, now_ms)
    if word == "copy":
        decision = _copy(last)
        if fact.press_id:  # it names what was known only by its release
            decision.changes.append(PressRow(fact.device_id, fact.press_id, last.call_id, now_ms))
        return decision
    return _repeat(state, last, fact, touch, after, now_ms)


def released(
    state: HallState,
    fact: Released,
    device: Device | None,
    now_ms: int,
    ask: Callable[[HallState, Pressed, Device | None, int], Decision] = pressed,
) -> Decision:
    """A button was let go. If its press never came, this was one: at the edge of range only the release may arrive.

    ``ask`` says what a press of this button means; hall/rules.py knows that of meals and of tests.
    """
    touch = state.table(LastPress).get((fact.device_id, fact.button))
    a_press, after = presses.released(touch, fact, now_ms)
    if a_press:
        words = fact.device_id, fact.press_id, fact.button
        press = Pressed(
            *words, age_ms=fact.age_ms, family=fact.family, event="release", redelivered=fact.redelivered
        )
        return ask(state, press, device, now_ms)
    decision = Decision()
    if after is not None:
        decision.quiet.append(after)
        decision.changes += presses.free(state, fact.device_id, now_ms)
    return decision


def _outranked(state: HallState, last: Call, device: Device | None) -> bool:
    """Whether the device's open call is about something less urgent than what its presses ask for now.

    Staff have given the button another kind meanwhile, or somebody at the screen asks for another. An emergency comes
    before all other kinds. A claimed button's own test is not ended here, but by hall/upkeep.py.
    """
    if last.state == "CLOSED" or (
        last.kind == "test" and device is not None and device.kind == "call_button"
    ):
        return False
    wanted = device.call_kind if device else "emergency"
    if wanted == last.kind:
        return False
    before, now = (
        (kind_of(state, word).priority, word != "emergency") if word in kinds(state) else (0, False)
        for word in (last.kind, wanted)
    )
    return now < before


def _ended_for_another(state: HallState, last: Call, now_ms: int) -> Decision:
    """The less urgent call, closed. A meal that is ordered goes on without its call (hall/meals.py)."""
    words = [word for word, _, _ in kind_of(state, last.kind).outcomes] or list(OUTCOMES)
    ordered = state.timer(f"call:{last.call_id}:{MEAL}") is not None
    liked = ["meal_ordered"] if ordered else ["meal_cancelled" if last.kind == MEAL else "referred"]
    outcome = next((word for word in liked if word in words), words[0])
    return closed(state, last.call_id, "系统 Linli", outcome, "来了更紧急的呼叫，另起呼叫", now_ms)


def _copy(call: Call | None) -> Decision:
    """Said again: counted in memory, and told to the device again."""
    decision = Decision(call=call, duplicate=True)
    if call is not None:
        decision.call = replace(call, repeats=call.repeats + 1)
        decision.quiet.append(decision.call)
    return decision


def _repeat(
    state: HallState, last: Call, fact: Pressed, touch: LastPress | None, after: LastPress, now_ms: int
) -> Decision:
    """A button that says it again and again: its call counts it; once the call is closed, it is stuck."""
    call = replace(
        last,
        state=step(last, "Repeated"),
        repeats=last.repeats + 1,
        doubtful=last.doubtful and fact.doubtful,
    )
    decision = Decision(call=call, duplicate=True)
    if call.state == "CLOSED":
        decision.changes += presses.stuck(state, fact.device_id, now_ms)
    before_ms = touch.heard_ms if touch is not None else 0
    if decision.changes or call.doubtful != last.doubtful or presses.shown(call.repeats, before_ms, now_ms):
        decision.changes += [call, after]
    else:
        decision.quiet += [call, after]
    return decision


def _press(
    state: HallState,
    last: Call | None,
    fact: Pressed,
    device: Device | None,
    touch: LastPress,
    now_ms: int,
) -> Decision:
    decision = Decision()
    if last is not None and last.state != "CLOSED":
        forgotten = last.accepted_ms is not None and now_ms - last.accepted_ms > FORGOTTEN_MS
        event = "PressedLater" if last.state == "COMING" and forgotten else "Pressed"
        call = replace(
            last,
            state=step(last, event),
            presses=last.presses + 1,
            last_press_ms=now_ms,
            doubtful=last.doubtful and fact.doubtful,
            delayed=last.delayed or fact.age_ms > DELAYED_MS,
        )
        if event == "PressedLater":
            call, decision.changes = _ring_anew(state, call, now_ms)
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
            person_id=device.person_id if device else "",
        )
        event = "Pressed"
        call, decision.changes = _ring(state, call, now_ms)
        decision.changes += presses.free(state, fact.device_id, now_ms)
    decision.call = call
    decision.changes.append(call)
    # What our own buttons say anew is a new press, whatever is remembered of the last: memory is enough for theirs.
    (decision.quiet if fact.family in OWN_FAMILIES else decision.changes).append(touch)
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
    decision.effects.append(lamp_of(call, now_ms))
    return decision


def raised(
    state: HallState,
    device_id: str,
    kind: str,
    name: str,
    place: str,
    by: str,
    key: str,
    now_ms: int,
    of: Person | None = None,
) -> Decision:
    """A call raised on a screen (叫人帮忙). With a ``key``, the same order again is the same call.

    ``of``: for whom, where that is known; the first step tells the helpers of that home.

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
    if of is not None:
        device = replace(device, person_id=of.person_id, person=of.name)
    decision = pressed(state, Pressed(device_id, event="raised", button=1), device, now_ms)
    if key and decision.call is not None:
        decision.changes.append(OrderKey(key, decision.call.call_id, now_ms))
    return decision


def accepted(state: HallState, call_id: int, by: str, now_ms: int) -> Decision:
    """Somebody is on the way. The second to say so is told who was first."""
    call = find(state, call_id)
    if call.state == "COMING":
        if call.accepted_by == by:
            return Decision(call=call, duplicate=True)
        raise OrderRefused(
            f"{call.accepted_by} 已经接了这个呼叫", f"{call.accepted_by} has already taken this call"
        )
    after = replace(call, state=step(call, "Accepted"), accepted_ms=now_ms, accepted_by=by)
    decision = changed(after, "Accepted", by, "", now_ms)
    decision.changes += _quiet_down(state, after, "accepted", now_ms)
    decision.changes.append(_coming(after, kind_of(state, after.kind).coming_s * 1000, now_ms))
    return decision


def arrived(state: HallState, call_id: int, by: str, now_ms: int) -> Decision:
    """Somebody is with the elder. Who comes without having said so has taken the call with that."""
    call = find(state, call_id)
    if call.state == "COMING" and call.arrived_ms is not None:
        if call.arrived_by == by:
            return Decision(call=call, duplicate=True)
        raise OrderRefused(f"{call.arrived_by} 已经到了", f"{call.arrived_by} is there already")
    after = replace(
        call,
        state=step(call, "Arrived"),
        arrived_ms=now_ms,
        arrived_by=by,
        accepted_ms=now_ms if call.accepted_ms is None else call.accepted_ms,
        accepted_by=call.accepted_by or by,
    )
    decision = changed(after, "Arrived", by, "", now_ms)
    decision.changes += _quiet_down(state, after, "arrived", now_ms)
    decision.changes.append(_coming(after, UNCLOSED_MS, now_ms))
    return decision


def closed(state: HallState, call_id: int, by: str, outcome: str, note: str, now_ms: int) -> Decision:
    """The call has an outcome, one of its kind's. Only now does its lamp go dark."""
    call = find(state, call_id)
    words = {word: (zh, en) for word, zh, en in kind_of(state, call.kind).outcomes} or OUTCOMES
    if outcome not in words:
        named = "、".join(zh for zh, _ in words.values())
        raise OrderRefused(f"请选择办理结果：{named}", f"choose an outcome: {', '.join(words)}")
    if call.state == "CLOSED" and call.closed_by == by and call.outcome == outcome:
        return Decision(call=call, duplicate=True)
    after = replace(
        call,
        state=step(call, "Closed"),
        closed_ms=now_ms,
        closed_by=by,
        outcome=outcome,
        note=note[:500],
        accepted_by=call.accepted_by or by,
        accepted_ms=now_ms if call.accepted_ms is None else call.accepted_ms,
    )
    decision = changed(after, "Closed", by, outcome, now_ms)
    decision.changes += _quiet_down(state, after, "closed", now_ms)
    return decision


def reopened(state: HallState, call_id: int, by: str, now_ms: int) -> Decision:
    """A close made by mistake is undone. Who had taken the call has it again; if nobody had, it rings anew."""
    call = find(state, call_id)
    taken = call.accepted_ms is not None and call.accepted_ms != call.closed_ms
    event = "Reopened" if taken else "ReopenedUntaken"
    state_after = step(call, event)
    if call.closed_ms is None or abs(now_ms - call.closed_ms) > UNDO_MS:
        raise OrderRefused(
            "办结已经超过一分钟，不能撤销：需要的话请重新叫人",
            "it was closed more than a minute ago and cannot be undone: raise a new call if one is needed",
        )
    later = newest(state, call.device_id)
    if later is not None and later.call_id != call_id:
        raise OrderRefused(
            f"这里又有了第 {later.call_id} 号呼叫，请处理那一个",
            f"there is a newer call from here, {later.call_id}: answer that one",
        )
    after = replace(call, state=state_after, closed_ms=None, closed_by=None, outcome=None)
    rung: list[Change] = []
    if not taken:
        after, rung = _ring_anew(state, after, now_ms)
    decision = changed(after, event, by, call.outcome or "", now_ms)
    if taken:
        kind_ms = kind_of(state, call.kind).coming_s * 1000
        decision.changes.append(_coming(after, kind_ms if call.arrived_ms is None else UNCLOSED_MS, now_ms))
    decision.changes += rung
    return decision


def unanswered(state: HallState, timer: TimerSet, now_ms: int) -> Decision:
    """A minute has passed. If nobody has answered, the call says so, louder."""
    call = call_of(state, timer)
    if call is None or call.state != "HEARD" or call.overdue:
        return Decision()
    after = replace(call, state=step(call, "Unanswered"), overdue=True)
    return changed(after, "Unanswered", "", "", now_ms)


def coming_due(state: HallState, timer: TimerSet, now_ms: int) -> Decision:
    """Somebody took the call, and nothing came of it: the ladder goes on. Who is there is only reminded to close it."""
    call = call_of(state, timer)
    if call is None or call.state != "COMING":
        return Decision()
    if call.arrived_ms is not None:
        step(call, "Unclosed")
        line = JournalLine(now_ms, "Unclosed", f"call:{call.call_id}", call.arrived_by or "")
        return Decision(changes=[_coming(call, UNCLOSED_MS, now_ms), line])
    before = call.accepted_by or ""
    after, rung = _ring_anew(state, replace(call, state=step(call, "AcceptanceExpired")), now_ms)
    decision = changed(after, "AcceptanceExpired", before, "", now_ms)
    decision.changes += rung
    return decision


def watched(state: HallState, now_ms: int) -> Decision:
    """Rule 6 for calls of an older notebook, or whose timer's rule failed: it becomes somebody's turn again."""
    decision = Decision()
    for call in state.calls.values():
        name = f"call:{call.call_id}:{ladder.STEP if call.state == 'HEARD' else _COMING}"
        if call.state == "CLOSED" or state.timer(name) is not None:
            continue
        if state.timer(f"call:{call.call_id}:{MEAL}") is not None:
            continue  # a meal that is ordered: its day's end closes the call (hall/meals.py)
        if call.state == "HEARD":
            after, rung = ladder.begin(state, call, now_ms)
            decision.changes += [after, *rung]
        else:
            wait_ms = kind_of(state, call.kind).coming_s * 1000
            decision.changes.append(
                _coming(call, wait_ms if call.arrived_ms is None else UNCLOSED_MS, now_ms)
            )
    return decision


def _ring(state: HallState, call: Call, now_ms: int) -> tuple[Call, list[Change]]:
    """The call begins to ring: its ladder, and the minute after which it is overdue."""
    call, changes = ladder.begin(state, call, now_ms)
    subject = f"call:{call.call_id}"
    changes.append(TimerSet(f"{subject}:{_UNANSWERED}", _UNANSWERED, subject, now_ms, UNANSWERED_MS))
    return call, changes


def _ring_anew(state: HallState, call: Call, now_ms: int) -> tuple[Call, list[Change]]:
    """Nobody has it any more."""
    call = replace(
        call,
        accepted_ms=None,
        accepted_by=None,
        arrived_ms=None,
        arrived_by=None,
        overdue=False,
        coming="",
    )
    gone = _timers_gone(state, call, _COMING)
    call, changes = _ring(state, call, now_ms)
    return call, [*gone, *changes]


def _quiet_down(state: HallState, call: Call, why: str, now_ms: int) -> list[Change]:
    """It rings no more: what still waited is void."""
    return ladder.stop(state, call, why, now_ms) + _timers_gone(state, call, _UNANSWERED, _COMING)


def _timers_gone(state: HallState, call: Call, *words: str) -> list[Change]:
    names = [f"call:{call.call_id}:{word}" for word in words]
    return [TimerGone(name) for name in names if state.timer(name) is not None]


def _coming(call: Call, after_ms: int, now_ms: int) -> TimerSet:
    """The timer of a call that somebody has taken."""
    subject = f"call:{call.call_id}"
    return TimerSet(f"{subject}:{_COMING}", _COMING, subject, now_ms, after_ms)


def _accept(state: HallState, fields: Fields, now_ms: int) -> Decision:
    return accepted(state, fields.number("call_id"), fields.name("by"), now_ms)


def _arrive(state: HallState, fields: Fields, now_ms: int) -> Decision:
    return arrived(state, fields.number("call_id"), fields.name("by"), now_ms)


def _close(state: HallState, fields: Fields, now_ms: int) -> Decision:
    words = fields.name("by"), fields.text("outcome", ""), fields.text("note", "")
    return closed(state, fields.number("call_id"), *words, now_ms)


def _reopen(state: HallState, fields: Fields, now_ms: int) -> Decision:
    return reopened(state, fields.number("call_id"), fields.name("by"), now_ms)


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


ORDERS = {
    "accept_call": _accept,
    "arrive_call": _arrive,
    "close_call": _close,
    "reopen_call": _reopen,
    "raise_call": _raise,
}
DUE = {_UNANSWERED: unanswered, _COMING: coming_due}
