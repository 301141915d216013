"""Knocking before there is need (敲门行动): who is to be visited, until when, and what became of it.

Rule 1. A visit is opened when its week, month or quarter begins and is due when that ends: whoever plans a round sees
        the whole of it from the first day. What happened to somebody (an emergency) opens one for within 24 h; a home
        in which nothing stirs (hall/stirring.py) opens one for within hours.
Rule 2. No period is opened twice for a person, and none is forgotten: what a hall that was dark could not open is
        opened afterwards, as missed, for five weeks back.
Rule 3. Seen is seen: one visit settles all of this person's that are open. Nobody knocks twice for the paper.
Rule 4. A missed visit climbs LADDER, a step a day at nine in the morning; whoever has been told once is told each
        morning until somebody has been there. One message a helper and day, with numbers and no names. The visits
        after an event or a silence have times of their own and climb faster.
Rule 5. Whoever is in hospital or away is not visited: what is open becomes void and counts for nobody. A pause always
        has an end, and after a hospital a visit within 24 h.
Rule 6. The journal names visits by their ids; what was seen and said stands in the visit.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from gateway.hall import rosters
from gateway.hall.days import DAY_MS, HOUR_MS, day_of, moment_ms, period
from gateway.hall.draft import Draft
from gateway.hall.kinds import kinds
from gateway.hall.rows import Hearth, Helper, Message, Person, Visit
from gateway.hall.state import Decision, HallState, TimerSet

#: How often whom: Inner Mongolia's rules ask for a week where the risk is high, a month where it matters, else a
#: quarter; the ministries' guideline of 2022 for 100 % of a month's.
TIERS: dict[str, tuple[str, str]] = {
    "none": ("不定期", "Not regularly"),
    "weekly": ("每周", "Weekly"),
    "monthly": ("每月", "Monthly"),
    "quarterly": ("每季度", "Quarterly"),
}
REASONS: dict[str, tuple[str, str]] = {
    "weekly": ("每周探访", "Weekly visit"),
    "monthly": ("每月探访", "Monthly visit"),
    "quarterly": ("每季探访", "Quarterly visit"),
    "event": ("事后回访", "After an event"),
    "inactivity": ("家里久无动静", "Nothing stirs at home"),
}
#: How a visit ended: word → (Chinese, English). SEEN is what the ministries count.
OUTCOMES: dict[str, tuple[str, str]] = {
    "well": ("平安", "Seen, well"),
    "help": ("需要帮助", "Needs help"),
    "nobody": ("没人应门", "Nobody opened"),
    "hospital": ("在住院", "In hospital"),
    "away": ("外出不在", "Away"),
    "moved": ("已搬走", "Moved away"),
}
SEEN = frozenset({"well", "help"})
#: Why a visit became void; with hospital, away and moved it counts as excused where it says so in EXCUSED.
EXCUSED = frozenset({"hospital", "away", "moved", "paused"})

#: Whom a missed visit climbs to (grid officer, building head, branch secretary).
LADDER = ("grid", "building", "secretary")
#: Within 24 h of an event (the same rules); a home that fell silent sooner: somebody may lie on the floor (our choice).
DUE_MS = {"event": DAY_MS, "inactivity": 4 * HOUR_MS}
STEP_MS = {"event": DAY_MS, "inactivity": 4 * HOUR_MS}
#: Emergencies that ended so were one: a visit follows. Not a false alarm, not a test.
EVENTFUL = frozenset({"helped", "hospital", "no_answer", "referred"})

#: The two appointments of a day, rows like all timers.
NIGHT, MORNING = "visits:night", "visits:morning"
#: When offices open: a message about a round is no reason to wake anybody.
MORNING_MIN = 9 * 60
#: Visits opened or missed in one transaction, some 3 ms: on the first of a month it is everybody, and no call waits.
AT_A_TIME = 40
#: Periods that were missed while the hall was dark are opened for so long back; older ones help nobody any more.
MOST_BACK_D = 35
#: How long a slip of the finger can be taken back, and how long a pause is where nobody says (our choices).
UNDO_MS = 10 * 60_000
PAUSE_D, PAUSE_AT_MOST_D = 7, 366
NOTE_LONGEST = 500


# ---------------------------------------------------------------- whom, and when


def cared_for(person: Person | None, now_ms: int) -> bool:
    """Whether this person is to be visited at all just now."""
    return person is not None and person.active and person.paused_until_ms <= now_ms


def routine(draft: Draft, person: Person) -> int:
    """Open the visits of this person whose period has begun; how many were opened."""
    state, now_ms, tier = draft.state, draft.now_ms, person.visit_tier
    if tier not in TIERS or tier == "none" or not cared_for(person, now_ms):
        return 0
    hearth = draft.get(Hearth, person.person_id) or Hearth(person.person_id)
    today = day_of(state.zone, now_ms)
    current, ends = period(tier, today)
    known = _newest(hearth, tier)
    if known is None:
        # Who is added on a period's last day begins with the next one: nobody can be asked for today's visit tonight.
        starts = [current] if moment_ms(state.zone, ends) - now_ms >= DAY_MS else []
    else:
        starts, first = [], period(tier, known)[1]
        while first <= current:
            starts.append(first)
            first = period(tier, first)[1]
        starts = [one for one in starts if one >= today - timedelta(days=MOST_BACK_D) or one == current]
    for first in starts:
        due_ms = moment_ms(state.zone, period(tier, first)[1])
        visit_id = f"{person.person_id}:{tier}:{first.isoformat()}"
        draft.put(Visit(visit_id, person.person_id, tier, now_ms, due_ms, person.grid))
        draft.journal("VisitOpened", f"visit:{visit_id}", "", tier)
    if starts:
        rest = tuple(one for one in hearth.periods if not one.startswith(f"{tier}:"))
        draft.put(replace(hearth, periods=(*rest, f"{tier}:{starts[-1].isoformat()}")))
    return len(starts)


def special(
    draft: Draft, person: Person, reason: str, name: str, by: str = "", note: str = ""
) -> Visit | None:
    """Open a visit for a reason of its own, unless one for that reason is open already."""
    if any(one.reason == reason for one in open_visits(draft, person.person_id)):
        return None
    visit_id = f"{person.person_id}:{reason}:{name}"
    due_ms = draft.now_ms + DUE_MS[reason]
    visit = Visit(visit_id, person.person_id, reason, draft.now_ms, due_ms, person.grid, note=note)
    draft.put(visit)
    draft.journal("VisitOpened", f"visit:{visit_id}", by, reason)
    draft.appoint(timer_of(visit), "visit", f"visit:{visit_id}", due_ms)
    return visit


def open_visits(draft: Draft, person_id: str) -> list[Visit]:
    return [one for one in draft.having(Visit, "person_id", person_id) if not one.settled]


def timer_of(visit: Visit) -> str:
    return f"visit:{visit.visit_id}"


def void(draft: Draft, visit: Visit, why: str) -> None:
    """It need not be made any more. Its period may be opened again, should the reason go."""
    draft.put(replace(visit, state="void", outcome=why, done_ms=draft.now_ms, written_ms=draft.now_ms))
    draft.journal("VisitVoid", f"visit:{visit.visit_id}", "", why)
    draft.disarm(timer_of(visit))
    note_period(draft, visit, opened=False)


def note_period(draft: Draft, visit: Visit, *, opened: bool) -> None:
    """Its period counts as opened, or may be opened again when the reason why it was void has gone."""
    hearth = draft.get(Hearth, visit.person_id)
    if visit.reason not in TIERS or hearth is None:
        return
    word = visit.visit_id.removeprefix(f"{visit.person_id}:")
    periods = tuple(one for one in hearth.periods if one != word)
    if opened and visit.due_ms > draft.now_ms and _newest(hearth, visit.reason) is None:
        periods = (*periods, word)
    elif opened:
        return  # a later one is open, or its own is over
    if periods != hearth.periods:
        draft.put(replace(hearth, periods=periods))


def only_current(draft: Draft, person: Person) -> None:
    """Forget the periods before this one: whoever was not cared for meanwhile has missed none of them."""
    hearth = draft.get(Hearth, person.person_id)
    if hearth is None:
        return
    today = day_of(draft.state.zone, draft.now_ms)
    kept = tuple(one for one in hearth.periods if one == _word(one.partition(":")[0], today))
    if kept != hearth.periods:
        draft.put(replace(hearth, periods=kept))


def arm_days(draft: Draft) -> None:
    """The two appointments, where there is somebody to be visited and they are not made yet."""
    for timer_id, minute in ((NIGHT, 0), (MORNING, MORNING_MIN)):
        if draft.timer(timer_id) is None:
            _appoint_next(draft, timer_id, minute)


def _appoint_next(draft: Draft, timer_id: str, minute: int) -> None:
    zone, day = draft.state.zone, day_of(draft.state.zone, draft.now_ms)
    at_ms = moment_ms(zone, day, minute)
    if at_ms <= draft.now_ms:
        at_ms = moment_ms(zone, day + timedelta(days=1), minute)
    draft.appoint(timer_id, timer_id.replace(":", "_"), "visits", at_ms)


def _newest(hearth: Hearth, tier: str) -> date | None:
    found = [one.partition(":")[2] for one in hearth.periods if one.startswith(f"{tier}:")]
    return date.fromisoformat(found[0]) if found else None


def _word(tier: str, day: date) -> str:
    return f"{tier}:{period(tier, day)[0].isoformat()}"


# ---------------------------------------------------------------- the day's two appointments


def night(state: HallState, _timer: TimerSet, now_ms: int) -> Decision:
    """Midnight: what was due yesterday is missed, and what begins today is opened; some at a time."""
    draft, left = Draft(state, now_ms), AT_A_TIME
    for visit in list(state.table(Visit).values()):
        if left > 0 and visit.state == "due" and visit.due_ms <= now_ms and visit.reason in TIERS:
            draft.put(replace(visit, state="missed"))
            draft.journal("VisitMissed", f"visit:{visit.visit_id}")
            left -= 1
    people = [one for one in state.table(Person).values() if one.visit_tier != "none" and one.active]
    for person in people:
        if left <= 0:
            break
        left -= routine(draft, person)
    if left <= 0:
        draft.appoint(NIGHT, "visits_night", "visits", now_ms)  # the rest in the next turn
    elif people or any(not one.settled for one in draft.rows(Visit)):
        _appoint_next(draft, NIGHT, 0)
    return Decision(changes=draft.changes)


def morning(state: HallState, _timer: TimerSet, now_ms: int) -> Decision:
    """Nine o'clock: missed visits go up a step, and everybody concerned is told how many there are."""
    draft, rota = Draft(state, now_ms), _Rota(state, now_ms)
    tonight_ms = moment_ms(state.zone, day_of(state.zone, now_ms) + timedelta(days=1))
    numbers: dict[str, tuple[Helper, int, int]] = {}
    for visit in sorted(
        (one for one in state.table(Visit).values() if not one.settled), key=lambda one: one.due_ms
    ):
        missed = visit.state == "missed" or visit.due_ms <= now_ms
        if not missed and visit.due_ms > tonight_ms:
            continue
        step = visit.step
        if missed and visit.reason in TIERS:
            step = rota.climbed(visit)
            if step != visit.step or visit.state != "missed":
                draft.put(replace(visit, state="missed", step=step))
                draft.journal("VisitStep", f"visit:{visit.visit_id}", "", LADDER[step - 1])
        for helper in rota.told(visit, LADDER[: max(1, step)]):
            _, due, over = numbers.get(helper.helper_id, (helper, 0, 0))
            numbers[helper.helper_id] = (helper, due + (not missed), over + missed)
    today = day_of(state.zone, now_ms).isoformat()
    for helper, due, over in numbers.values():
        words = [f"今天到期 {due} 次"] * (due > 0) + [f"已过期 {over} 次"] * (over > 0)
        text = f"【邻里】上门探访：{'，'.join(words)}。请打开工作台“探访”查看名单。"
        draft.put(*_messages(state, helper, f"visits:{today}", 0, text, now_ms))
    if any(one.visit_tier != "none" and one.active for one in state.table(Person).values()) or numbers:
        _appoint_next(draft, MORNING, MORNING_MIN)
    return Decision(changes=draft.changes)


def overdue(state: HallState, timer: TimerSet, now_ms: int) -> Decision:
    """The hour of a visit with a time of its own has come, and nobody has been there: up a step."""
    draft = Draft(state, now_ms)
    visit = state.table(Visit).get(timer.subject.removeprefix("visit:"))
    if visit is not None and not visit.settled:
        climb(draft, visit)
    return Decision(changes=draft.changes)


def climb(draft: Draft, visit: Visit) -> None:
    """One step up, told at once; the last step is told again and again until somebody was there."""
    state, now_ms = draft.state, draft.now_ms
    missed = visit.due_ms <= now_ms
    step = _Rota(state, now_ms).climbed(visit)
    after = replace(visit, state="missed" if missed else visit.state, step=step)
    if missed and visit.state != "missed":
        draft.journal("VisitMissed", f"visit:{visit.visit_id}")
    draft.put(after)
    draft.journal("VisitStep", f"visit:{visit.visit_id}", "", LADDER[after.step - 1])
    tell(draft, after, LADDER[: after.step])
    draft.appoint(timer_of(after), "visit", f"visit:{after.visit_id}", now_ms + STEP_MS[after.reason])


def tell(draft: Draft, visit: Visit, roles: tuple[str, ...]) -> None:
    """A message about one visit, without a name: which home it is stands in the console."""
    text = f"【邻里】有一户要上门看看（{REASONS[visit.reason][0]}），请打开工作台“探访”查看。"
    for helper in _Rota(draft.state, draft.now_ms).told(visit, roles):
        draft.put(*_messages(draft.state, helper, f"visit:{visit.visit_id}", visit.step, text, draft.now_ms))


class _Rota:
    """Who is on duty at this moment, asked once for each role: there may be hundreds of homes."""

    def __init__(self, state: HallState, now_ms: int) -> None:
        self._state = state
        self._at = rosters.local(state.zone, now_ms)
        self._book = rosters.book_of(state)
        self._there: dict[str, list[rosters.Duty]] = {}
        self._known: dict[tuple[str, rosters.Home], list[Helper]] = {}

    def told(self, visit: Visit, roles: tuple[str, ...]) -> list[Helper]:
        """Who of these is on duty for this home and has a channel, each once."""
        found = {helper.helper_id: helper for role in roles for helper in self._of(visit, role)}
        return list(found.values())

    def climbed(self, visit: Visit) -> int:
        """The next step on which somebody can be told; the last one where there is nobody."""
        step = min(visit.step + 1, len(LADDER))
        while step < len(LADDER) and not self._of(visit, LADDER[step - 1]):
            step += 1
        return step

    def _of(self, visit: Visit, role: str) -> list[Helper]:
        person = self._state.table(Person).get(visit.person_id)
        home = rosters.Home(visit.grid)
        if person is not None:
            home = rosters.Home(person.grid, person.building, person.unit)
        if (role, home) not in self._known:
            if role not in self._there:
                self._there[role] = rosters.duties(self._book, role, self._at)
            there = rosters.responsible(self._there[role], home)
            self._known[role, home] = [
                one for one in there if rosters.reachable(self._state, one, ("message",))
            ]
        return self._known[role, home]


def _messages(
    state: HallState, helper: Helper, name: str, step: int, text: str, now_ms: int
) -> list[Message]:
    """``call_id`` 0: they are about no call, and the herald adds no link."""
    made = [
        Message(
            f"{name}:{step}:{helper.helper_id}:{now_ms}:{at}",
            0,
            0,
            step,
            helper.helper_id,
            channel,
            text,
            now_ms,
        )
        for at, channel in enumerate(helper.channels)
    ]
    return [one for one in made if one.message_id not in state.table(Message)]


# ---------------------------------------------------------------- what became of it


def kinds_to_raise(state: HallState) -> list[str]:
    """The kinds of call that whoever knocks may raise for the person."""
    return [word for word, kind in kinds(state).items() if kind.enabled and word not in ("test", "hall")]


DUE = {"visits_night": night, "visits_morning": morning, "visit": overdue}
