"""What follows for visits and silence from whatever else was decided: a person's row changed, an emergency was closed.

The rules of visits do not ask those of people or calls to think of them: each order's decision is looked at once
(:func:`follow`), and what it means for a home is decided in the same transaction.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.hall import stirring, visits
from gateway.hall.draft import Draft
from gateway.hall.rows import Hearth, Person, RowGone, Visit
from gateway.hall.state import Call, Decision, HallState, TimerSet
from gateway.hall.visits import EVENTFUL, TIERS


def follow(state: HallState, decision: Decision, now_ms: int) -> None:
    """Add to a decision what it means for those who are cared for. ``state`` is as it was before it."""
    concerned = [one for one in decision.changes if isinstance(one, (Person, Call, Visit, RowGone))]
    if not concerned:
        return
    draft = Draft(state, now_ms, decision.changes)
    for change in concerned:
        match change:
            case Person():
                if draft.get(Person, change.person_id) is change:
                    _person_changed(draft, state.table(Person).get(change.person_id), change)
            case Call():
                _call_changed(draft, change)
            case Visit() if change.reason == "inactivity" and change.settled:
                person = draft.get(Person, change.person_id)
                if person is not None:
                    stirring.watch(draft, person)
            case RowGone() if change.table == Person.TABLE:
                _person_gone(draft, str(change.key))
            case _:
                pass
    decision.changes += draft.changes


def begin(state: HallState, now_ms: int) -> Decision:
    """The hall has started: whoever is cared for has his timers, and time to show himself after a dark time."""
    draft = Draft(state, now_ms)
    was_deaf = state.newest_ms > 0 and now_ms - state.newest_ms > stirring.DEAF_MS
    for person in state.table(Person).values():
        if not person.active:
            continue
        if person.quiet_after_h > 0 and (was_deaf or draft.timer(f"home:{person.person_id}:quiet") is None):
            stirring.heard_again(draft, person)
        if person.visit_tier != "none":
            visits.arm_days(draft)
    return Decision(changes=draft.changes)


def pause_over(state: HallState, timer: TimerSet, now_ms: int) -> Decision:
    """The day until which somebody was away has come."""
    draft = Draft(state, now_ms)
    person = state.table(Person).get(timer.subject.removeprefix("person:"))
    if person is not None and visits.cared_for(person, now_ms):
        _back(draft, person)
    return Decision(changes=draft.changes)


def _person_changed(draft: Draft, old: Person | None, new: Person) -> None:
    now_ms = draft.now_ms
    cared = visits.cared_for(new, now_ms)
    was_cared = visits.cared_for(old, now_ms)
    for visit in visits.open_visits(draft, new.person_id):
        if not cared:
            visits.void(draft, visit, "paused" if new.active else "inactive")
        elif visit.reason in {*TIERS, "inactivity"} - _wanted(new):
            visits.void(draft, visit, "tier_changed")
        elif visit.grid != new.grid:
            draft.put(replace(visit, grid=new.grid))
    pause = f"home:{new.person_id}:pause"
    if new.active and new.paused_until_ms > now_ms:
        draft.appoint(pause, "pause", f"person:{new.person_id}", new.paused_until_ms)
    else:
        draft.disarm(pause)
    if old is not None and cared and not was_cared and old.active:
        _back(draft, new)
        return
    if old is not None and (old.visit_tier != new.visit_tier or cared != was_cared):
        visits.only_current(draft, new)
    visits.routine(draft, new)
    if cared and new.visit_tier != "none":
        visits.arm_days(draft)
    if old is None or (old.quiet_after_h, was_cared) != (new.quiet_after_h, cared):
        stirring.watch(draft, new)


def _wanted(person: Person) -> set[str]:
    """For which of the standing reasons this person is to be visited."""
    return {person.visit_tier} | ({"inactivity"} if person.quiet_after_h > 0 else set())


def _back(draft: Draft, person: Person) -> None:
    """Somebody is at home again."""
    draft.journal("PersonBack", f"person:{person.person_id}")
    visits.only_current(draft, person)
    if visits.routine(draft, person) or person.visit_tier != "none":
        visits.arm_days(draft)
    if was_in_hospital(person):
        visits.special(draft, person, "event", f"back-{draft.now_ms}")
        visits.arm_days(draft)
    stirring.watch(draft, person)


def was_in_hospital(person: Person) -> bool:
    """``paused_why`` is a word of ours or what somebody wrote."""
    return person.paused_why == "hospital" or "住院" in person.paused_why or "医院" in person.paused_why


def _person_gone(draft: Draft, person_id: str) -> None:
    for visit in visits.open_visits(draft, person_id):
        visits.void(draft, visit, "inactive")
    for timer_id in (f"home:{person_id}:quiet", f"home:{person_id}:pause"):
        draft.disarm(timer_id)
    if draft.get(Hearth, person_id) is not None:
        draft.put(RowGone(Hearth.TABLE, person_id))


def _call_changed(draft: Draft, call: Call) -> None:
    """An emergency that was one: within 24 h somebody is to look. A close that is taken back takes the visit back."""
    if call.kind != "emergency":
        return
    device = draft.state.devices.get(call.device_id)
    person_id = call.person_id or (device.person_id if device is not None else "")
    person = draft.get(Person, person_id) if person_id else None
    if person is None:
        return
    name = f"call-{call.call_id}"
    known = draft.get(Visit, f"{person_id}:event:{name}")
    if call.state == "CLOSED" and call.outcome in EVENTFUL and visits.cared_for(person, draft.now_ms):
        fresh = known is None or known.state == "void"
        if fresh and visits.special(draft, person, "event", name, call.closed_by or "") is not None:
            visits.arm_days(draft)
    elif call.state != "CLOSED" and known is not None and not known.settled:
        visits.void(draft, known, "reopened")


DUE = {"pause": pause_over, **visits.DUE, **stirring.DUE}
