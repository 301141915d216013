"""Is there life in a home? Nothing stirs for so long as the person's row says, and somebody is to knock.

Rule 1. A sign is what only a person does: a press, a movement, a door that was opened or shut (gateway/translate.py
        says which words tell of one), a visit of ours. A device's heartbeat is the device's life; what it repeats by
        itself, its battery, its way back to the network say nothing of whoever lives there, nor does a press that may
        have been none.
Rule 2. Signs are kept in memory and written once an hour: a corridor's sensor speaks every minute for years. What is
        lost with a power cut is less than an hour, to the careful side.
Rule 3. The silence is measured by one timer a person, a row. When it is due and there was a sign meanwhile, it is set
        for the rest; else a visit is opened, once, and the timer is set again when somebody has been there.
Rule 4. What nobody could hear is no silence: after a hall was dark each home has an hour to show itself.
Rule 5. A pause (hospital, away) stops it; the end of the pause begins it anew.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.hall import visits
from gateway.hall.days import HOUR_MS
from gateway.hall.draft import Draft
from gateway.hall.rows import Hearth, Person
from gateway.hall.state import Decision, Device, HallState, TimerSet

#: Signs go to disk at most this often for each person: an hour is the unit in which silence is told.
WRITE_MS = HOUR_MS
#: What a home has after a time in which nobody listened, and how long such a time must be to count.
GRACE_MS, DEAF_MS = HOUR_MS, HOUR_MS // 2
#: The shortest rest a timer is set for: a clock that is moved must not make it fire again and again.
SHORTEST_MS = 60_000


# ---------------------------------------------------------------- signs


def stirred(state: HallState, device: Device | None, decision: Decision, now_ms: int) -> None:
    """This device has told of a person. It costs a look where the person has no silence to be measured."""
    if device is None or not device.person_id or device.kind == "ignored":
        return
    person = state.table(Person).get(device.person_id)
    if person is None or person.quiet_after_h <= 0:
        return
    before = state.table(Hearth).get(person.person_id) or Hearth(person.person_id)
    after = replace(before, stirred_ms=now_ms)
    if now_ms // WRITE_MS == before.stirred_ms // WRITE_MS:
        decision.quiet.append(after)
    else:
        decision.changes.append(after)


def quiet(state: HallState, timer: TimerSet, now_ms: int) -> Decision:
    """The time of silence is over, if it was one."""
    draft = Draft(state, now_ms)
    person = state.table(Person).get(timer.subject.removeprefix("person:"))
    if person is None or not _is_watched(person, now_ms):
        return Decision()
    hearth = state.table(Hearth).get(person.person_id) or Hearth(person.person_id, watched_ms=timer.set_ms)
    wanted_ms = person.quiet_after_h * HOUR_MS
    silent_ms = now_ms - max(hearth.stirred_ms, hearth.watched_ms)
    if state.frame is not None and not state.frame.known:
        _set(draft, person, WRITE_MS)  # nobody knows how long it was; asked again when the clock is known
    elif silent_ms < wanted_ms:
        _set(draft, person, min(wanted_ms, max(SHORTEST_MS, wanted_ms - silent_ms)))
    else:
        visit = visits.special(draft, person, "inactivity", str(now_ms))
        if visit is not None:
            visits.tell(draft, visit, ("duty", *visits.LADDER[:1]))
            visits.arm_days(draft)
    return Decision(changes=draft.changes)


# ---------------------------------------------------------------- who is watched, and from when


def watch(draft: Draft, person: Person) -> None:
    """Begin to measure this person's silence from now on, or cease to."""
    timer_id = _timer_of(person.person_id)
    if not _is_watched(person, draft.now_ms):
        draft.disarm(timer_id)
        return
    hearth = draft.get(Hearth, person.person_id) or Hearth(person.person_id)
    draft.put(replace(hearth, watched_ms=draft.now_ms))
    _set(draft, person, person.quiet_after_h * HOUR_MS)


def heard_again(draft: Draft, person: Person) -> None:
    """Nobody listened for a while: what would be due at once has an hour to show itself."""
    if not _is_watched(person, draft.now_ms):
        return
    timer = draft.timer(_timer_of(person.person_id))
    if timer is None and not any(
        one.reason == "inactivity" for one in visits.open_visits(draft, person.person_id)
    ):
        watch(draft, person)
    elif timer is not None and timer.due_ms < draft.now_ms + GRACE_MS:
        _set(draft, person, GRACE_MS)


def _is_watched(person: Person, now_ms: int) -> bool:
    return person.quiet_after_h > 0 and visits.cared_for(person, now_ms)


def _timer_of(person_id: str) -> str:
    return f"home:{person_id}:quiet"


def _set(draft: Draft, person: Person, after_ms: int) -> None:
    draft.lapse(_timer_of(person.person_id), "quiet", f"person:{person.person_id}", after_ms)


DUE = {"quiet": quiet}
