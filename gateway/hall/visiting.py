"""What staff order about visits: done and how, opened by hand, taken back, paused. The rules are in hall/visits.py.

Rule 1. The first who writes a visit down is named to the second.
Rule 2. It may be written down later than it was made (a list on paper): what counts is when the person was seen.
Rule 3. "Needs help" may raise a call of a kind in the same transaction; "nobody opened" is no end, the visit stays.
"""

from __future__ import annotations

from dataclasses import replace

from devices.faults import OrderRefused
from gateway.hall import calls, visits
from gateway.hall.days import DAY_MS
from gateway.hall.draft import Draft
from gateway.hall.fields import Fields
from gateway.hall.kinds import kind_of
from gateway.hall.rows import Hearth, Person, Visit
from gateway.hall.state import Call, Change, Decision, HallState
from gateway.hall.visits import OUTCOMES, SEEN, UNDO_MS


def done(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """``visit_done``: somebody has been there (or knocked in vain)."""
    visit = _find(state, fields.name("visit_id"))
    by, outcome = fields.name("by"), fields.choice("outcome", OUTCOMES, "")
    note = fields.text("note", "", longest=visits.NOTE_LONGEST).strip()
    person = _person(state, visit.person_id)
    if visit.settled:
        if visit.done_by == by and visit.outcome == outcome:
            return Decision(changes=[], duplicate=True)
        raise _settled(visit)
    seen_ms = fields.number("seen_ms", now_ms)
    if not visit.opened_ms <= seen_ms <= now_ms:
        raise OrderRefused(
            "探访时间应在开单之后、现在之前", "the visit was made after it was opened, and before now"
        )
    draft = Draft(state, now_ms)
    if outcome == "nobody":
        return _tried(draft, visit, by, note, seen_ms)
    call = _settle(draft, visit, person, outcome, by, note, seen_ms, fields)
    return Decision(changes=_about(draft, visit), call=call)


def _tried(draft: Draft, visit: Visit, by: str, note: str, seen_ms: int) -> Decision:
    words = "；".join(one for one in (visit.note, note) if one)[-visits.NOTE_LONGEST :]
    after = replace(visit, tries=visit.tries + 1, tried_ms=seen_ms, note=words)
    draft.put(after)
    draft.journal("VisitTried", f"visit:{visit.visit_id}", by)
    if visit.reason == "inactivity":
        # Nothing stirs and nobody opens: that is not a matter for tomorrow.
        visits.climb(draft, after)
    return Decision(changes=_about(draft, visit))


def _settle(
    draft: Draft, visit: Visit, person: Person, outcome: str, by: str, note: str, seen_ms: int, fields: Fields
) -> Call | None:
    now_ms = draft.now_ms
    for one in visits.open_visits(draft, person.person_id):
        if one.visit_id == visit.visit_id:
            after = _ended(one, "done", outcome, by, note, seen_ms, now_ms)
        elif outcome not in SEEN:
            after = _ended(
                one, "void", "moved" if outcome == "moved" else "paused", by, one.note, now_ms, now_ms
            )
        elif seen_ms >= one.opened_ms:
            after = _ended(one, "done", outcome, by, one.note, seen_ms, now_ms)
        else:
            continue  # it was opened since: what was seen before says nothing of it
        draft.put(after)
        if after.state == "void" and outcome != "moved":
            visits.note_period(draft, one, opened=False)
        draft.journal(
            "VisitDone" if after.state == "done" else "VisitVoid", f"visit:{one.visit_id}", by, outcome
        )
        draft.disarm(visits.timer_of(one))
    if outcome in SEEN:
        hearth = draft.get(Hearth, person.person_id) or Hearth(person.person_id)
        stirred_ms = max(hearth.stirred_ms, seen_ms)
        draft.put(replace(hearth, seen_ms=max(hearth.seen_ms, seen_ms), stirred_ms=stirred_ms))
    elif outcome == "moved":
        draft.put(replace(person, visit_tier="none", quiet_after_h=0, paused_until_ms=0, paused_why=""))
        draft.journal("PersonMoved", f"person:{person.person_id}", by)
    else:
        until_ms = fields.number("until_ms", draft.now_ms + visits.PAUSE_D * DAY_MS)
        draft.put(_paused(draft, person, until_ms, outcome))
        draft.journal("PersonPaused", f"person:{person.person_id}", by, outcome)
    wanted = fields.text("raise", "")
    return _raised(draft, visit, person, wanted, by) if outcome == "help" and wanted else None


def _raised(draft: Draft, visit: Visit, person: Person, kind: str, by: str) -> Call | None:
    """A call for whoever needs help, begun by the visit; it names the person and the place."""
    if kind not in visits.kinds_to_raise(draft.state):
        raise OrderRefused(f"不能发起“{kind}”这种呼叫", f"a visit cannot raise a call of kind {kind!r}")
    device_id, name = f"screen:visit-{person.person_id}", f"{kind_of(draft.state, kind).name_zh}（探访）"
    key = f"{visit.visit_id}:{kind}"
    raised = calls.raised(draft.state, device_id, kind, name, person.place, by, key, draft.now_ms, person)
    draft.put(*raised.changes)
    return raised.call


def opened(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """``open_visit``: something happened that the hall does not know of; within 24 h somebody is to look."""
    person = _person(state, fields.name("person_id"))
    by, why = fields.name("by"), fields.text("note", "", longest=visits.NOTE_LONGEST).strip()
    fields.choice("reason", ("event",), "event")
    if not person.active:
        raise OrderRefused("这位居民已停用，请先启用", "this person is not active: activate the row first")
    draft = Draft(state, now_ms)
    if visits.special(draft, person, "event", str(now_ms), by, why) is None:
        return Decision(duplicate=True)
    visits.arm_days(draft)
    return Decision(changes=draft.changes)


def taken_back(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """``reopen_visit``: a slip of the finger, for ten minutes; whatever else it settled is open again, too."""
    visit, by = _find(state, fields.name("visit_id")), fields.name("by")
    if visit.state != "done" or visit.outcome == "moved":
        raise OrderRefused(
            "只能撤销刚记下的探访；“已搬走”请在居民页面改回",
            "only a visit that was just written down can be taken back; mend “moved” in the person's page",
        )
    draft, person = Draft(state, now_ms), _person(state, visit.person_id)
    if not 0 <= now_ms - visit.written_ms <= UNDO_MS:
        raise OrderRefused("只能在 10 分钟内撤销", "it can be taken back within 10 minutes only")
    for one in list(state.table(Visit).values()):
        together = (one.done_by, one.written_ms) == (visit.done_by, visit.written_ms)
        if one.person_id != visit.person_id or not one.settled or not together:
            continue
        again = replace(
            one,
            state="missed" if one.due_ms <= now_ms else "due",
            done_ms=0,
            done_by="",
            written_ms=0,
            outcome="",
        )
        draft.put(again)
        visits.note_period(draft, one, opened=True)
        draft.journal("VisitReopened", f"visit:{one.visit_id}", by)
        if one.reason in visits.DUE_MS:
            step_ms = 0 if one.due_ms > now_ms else visits.STEP_MS[one.reason]
            at_ms = max(one.due_ms, now_ms + step_ms)
            draft.appoint(visits.timer_of(one), "visit", f"visit:{one.visit_id}", at_ms)
    if visit.outcome in ("hospital", "away") and person.paused_until_ms > now_ms:
        draft.put(replace(person, paused_until_ms=0, paused_why=""))
    return Decision(changes=_about(draft, visit))


def paused(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """``pause_visits``: in hospital or away until then; 0 ends the pause now."""
    person, by = _person(state, fields.name("person_id")), fields.name("by")
    why, until_ms = fields.choice("why", ("hospital", "away"), "away"), fields.number("until_ms")
    draft = Draft(state, now_ms)
    if until_ms == 0:
        if person.paused_until_ms <= now_ms:
            return Decision(duplicate=True)
        draft.journal("PersonBack", f"person:{person.person_id}", by)
        # A moment before now, not never: what follows a pause follows this one, too.
        draft.put(replace(person, paused_until_ms=now_ms))
    else:
        draft.put(_paused(draft, person, until_ms, why))
        draft.journal("PersonPaused", f"person:{person.person_id}", by, why)
    return Decision(changes=draft.changes)


def _paused(draft: Draft, person: Person, until_ms: int, why: str) -> Person:
    if not draft.now_ms < until_ms <= draft.now_ms + visits.PAUSE_AT_MOST_D * DAY_MS:
        raise OrderRefused(
            "暂停要有结束日期：从明天起，最长一年", "a pause has an end: after now, and within a year"
        )
    return replace(person, paused_until_ms=until_ms, paused_why=why)


def _about(draft: Draft, visit: Visit) -> list[Change]:
    """What was decided, the visit that was asked about first, as it is at the end: an answer brings its first row."""
    others = [one for one in draft.changes if not isinstance(one, Visit) or one.visit_id != visit.visit_id]
    final = draft.get(Visit, visit.visit_id)
    return others if final is None else [final, *others]


def _ended(visit: Visit, state: str, outcome: str, by: str, note: str, done_ms: int, now_ms: int) -> Visit:
    return replace(
        visit, state=state, outcome=outcome, done_by=by, note=note, done_ms=done_ms, written_ms=now_ms
    )


def _find(state: HallState, visit_id: str) -> Visit:
    visit = state.table(Visit).get(visit_id)
    if visit is None:
        raise OrderRefused("没有这次探访，或早已办完", "there is no such visit, or it was settled long ago")
    return visit


def _person(state: HallState, person_id: str) -> Person:
    person = state.table(Person).get(person_id)
    if person is None:
        raise OrderRefused("没有这位居民", "there is no such person")
    return person


def _settled(visit: Visit) -> OrderRefused:
    if visit.state == "void":
        return OrderRefused("这次探访已经取消", "this visit has become void")
    zh, en = OUTCOMES.get(visit.outcome, (visit.outcome, visit.outcome))
    return OrderRefused(
        f"{visit.done_by} 已经记下这次探访：{zh}",
        f"{visit.done_by} has written this visit down already: {en}",
    )


ORDERS = {
    "visit_done": done,
    "open_visit": opened,
    "reopen_visit": taken_back,
    "pause_visits": paused,
}
