"""The life of a request: who may do what with it, what its resident is told, and by when somebody answers. Pure.

    RECEIVED ──accept──► ACCEPTED ──start──► DOING ──done──► DONE
        │                   │                  │ ▲
        └───────────────────┴──────refer───────┼─┼─► REFERRED ──done──► DONE
                            └──────cancel──────┘ └─reopen── (DONE, REFERRED, CANCELLED)

Each step may be skipped forwards. A mistake is taken back within `UNDO_MS`: the state before it comes back, and the
resident reads that it was a mistake (what was told is not untold). Later a closed request is opened again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal, cast

from devices.faults import OrderRefused
from kiosk.catalogue import FirstResponse
from kiosk.rules.hours import DAY_MIN, Book, hall_spans, when
from kiosk.rules.request_kinds import Both

State = Literal["RECEIVED", "ACCEPTED", "DOING", "DONE", "REFERRED", "CANCELLED"]
Event = Literal["received", "accept", "start", "done", "refer", "cancel", "reopen", "undo", "say", "note"]

#: A slip of the hand is seen at once or the next day; a minute is what the console shows the button for.
UNDO_MS = 60_000
#: Notes are kept so long after closing (the contract's number), what names a person two years (a complaint about the
#: answer comes within that time; our choice), a wrong code a day.
NOTES_KEPT_MS = 30 * 86_400_000
PERSON_KEPT_MS = 2 * 365 * 86_400_000
WRONG_KEPT_MS = 86_400_000

OPEN: frozenset[State] = frozenset({"RECEIVED", "ACCEPTED", "DOING"})
CLOSED: frozenset[State] = frozenset({"DONE", "REFERRED", "CANCELLED"})
#: Nobody has answered yet: only these can be overdue.
UNANSWERED: frozenset[State] = frozenset({"RECEIVED"})

STATE_WORDS: dict[State, Both] = {
    "RECEIVED": Both("已收到", "Received"),
    "ACCEPTED": Both("已受理", "Accepted"),
    "DOING": Both("正在办理", "Being done"),
    "DONE": Both("已办结", "Done"),
    "REFERRED": Both("已转交", "Passed on"),
    "CANCELLED": Both("已取消", "Cancelled"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One row of `LIFE`: from where, to where (None: the state stays), and what the resident reads ("" for nothing).

    ``{words}`` is what staff have written for the resident.
    """

    event: Event
    of: frozenset[State]
    to: State | None
    told: Both
    console: Both
    """The button's word."""
    needs_words: bool = False


_ANY: frozenset[State] = OPEN | CLOSED

LIFE: dict[Event, Step] = {one.event: one for one in (
    Step("accept", frozenset({"RECEIVED"}), "ACCEPTED",
         Both("已有工作人员受理", "A member of staff has taken it up"), Both("受理", "Accept")),
    Step("start", frozenset({"RECEIVED", "ACCEPTED"}), "DOING",
         Both("正在办理", "It is being done"), Both("开始办理", "Start")),
    Step("done", frozenset({"RECEIVED", "ACCEPTED", "DOING", "REFERRED"}), "DONE",
         Both("已办结：{words}", "Done: {words}"), Both("办结", "Done"), needs_words=True),
    Step("refer", OPEN, "REFERRED",
         Both("已转交：{words}", "Passed on to: {words}"), Both("转交", "Pass on"), needs_words=True),
    Step("cancel", OPEN, "CANCELLED",
         Both("已取消：{words}", "Cancelled: {words}"), Both("取消", "Cancel"), needs_words=True),
    Step("reopen", CLOSED, "DOING",
         Both("重新办理", "Taken up again"), Both("重新办理", "Open again")),
    Step("say", _ANY, None, Both("{words}", "{words}"), Both("告诉居民", "Tell the resident"), needs_words=True),
    Step("note", _ANY, None, Both("", ""), Both("内部备注", "Note for staff"), needs_words=True),
)}  # fmt: skip

RECEIVED_TOLD = Both("已收到，工作人员会看到", "Received: staff can see it")
_UNDONE = Both("刚才那一步点错了，现在是：{state}", "The last step was a mistake; it now stands at: {state}")

#: One touch for the words to the resident, by event; the hall may write others.
SAY_PRESETS: dict[str, tuple[Both, ...]] = {
    "done": (
        Both("已修好", "It has been repaired"), Both("已上门处理", "We came and saw to it"),
        Both("已劝阻，请再观察几天", "We asked them to stop; please watch for some days"),
        Both("已清理", "It has been cleared"), Both("已电话答复您", "We answered you by phone"),
    ),
    "refer": (
        Both("物业公司", "the property company"), Both("电梯维保单位", "the lift maintenance company"),
        Both("燃气公司", "the gas company"), Both("供水公司", "the water company"),
        Both("供电公司", "the power company"),
        Both("街道办事处", "the sub-district office"), Both("党建联盟单位", "a partner of the Party alliance"),
    ),
    "cancel": (
        Both("重复提交，已并到另一单", "Sent twice: joined with the other one"),
        Both("居民自己取消", "Taken back by the resident"), Both("没有找到地点", "The place could not be found"),
    ),
    "say": (
        Both("今天上门，请留人", "We come today: please be at home"), Both("正在等配件", "We are waiting for a part"),
        Both("请到服务大厅来一趟", "Please come to the service hall"),
    ),
}  # fmt: skip


class StepRefused(OrderRefused):
    """The request does not stand where this step begins: somebody else was quicker, or the page is old."""


def step(state: State, event: str) -> Step:
    """The row for this event from this state.

    :raises StepRefused: with how it stands, so that nobody works on an old page.
    """
    row = LIFE.get(cast(Event, event))
    if row is None or state not in row.of:
        now = STATE_WORDS[state]
        raise StepRefused(
            f"这件事现在是“{now.zh}”，不能这样操作，请看最新情况",
            f"It stands at “{now.en}” now, so that cannot be done: look at it once more",
        )
    return row


def steps_from(state: State) -> tuple[Step, ...]:
    """What may be done now, in the table's order."""
    return tuple(one for one in LIFE.values() if state in one.of)


def told(row: Step, words: Both) -> Both:
    """What the resident reads. ``words``: as staff wrote them; one language may stand for both."""
    words = Both(words.zh or words.en, words.en or words.zh)
    return Both(row.told.zh.replace("{words}", words.zh), row.told.en.replace("{words}", words.en))


def undone(before: State) -> Both:
    now = STATE_WORDS[before]
    return Both(_UNDONE.zh.format(state=now.zh), _UNDONE.en.format(state=now.en))


def state_before(events: Sequence[str]) -> State:
    """Where a request stood after these steps, in their order; a step that was taken back counts for nothing."""
    return _moves((event, 0) for event in events)[-1][0]


def answered_ms(steps: Iterable[tuple[str, int]]) -> int | None:
    """When somebody took a request up, passed it on or closed it, from (event, at_ms) in their order; None while it
    stands as it came in. A word to the resident is no answer: it waits on, and is overdue, until somebody does
    something about it."""
    moves = _moves(steps)
    return moves[1][1] if len(moves) > 1 else None


def _moves(steps: Iterable[tuple[str, int]]) -> list[tuple[State, int]]:
    """The states that it went through, each with when it came to it, without those that were taken back."""
    moves: list[tuple[State, int]] = [("RECEIVED", 0)]
    for event, at_ms in steps:
        if event == "undo":
            moves = moves[:-1] or moves
        elif event in LIFE and (to := LIFE[event].to) is not None:
            moves.append((to, at_ms))
    return moves


def may_undo(event: str, at_ms: int, now_ms: int) -> bool:
    """Whether a step may still be taken back. A clock that was set back does not give it for ever."""
    return event in LIFE and LIFE[event].to is not None and 0 <= now_ms - at_ms <= UNDO_MS


# ---------------------------------------------------------------- by when somebody answers


def is_overdue(state: State, answer_by_ms: int | None, now_ms: int) -> bool:
    return state in UNANSWERED and answer_by_ms is not None and now_ms > answer_by_ms


def answer_by(first: FirstResponse, urgent: bool, made_ms: int, book: Book, zone: tzinfo) -> int | None:
    """The catalogue's first answer as a moment; None where it counts in nothing that can be awaited.

    Minutes and hours run through nights and holidays. Working days are the hall's: one that comes in on a free day
    counts from the next working day, the first day itself does not count (民法典 201), and the last one ends when the
    hall closes. Calendar days end with the day.
    """
    if urgent and first.urgent_minutes is not None:
        return made_ms + first.urgent_minutes * 60_000
    if first.mode in ("minutes", "hours"):
        return made_ms + first.value * {"minutes": 60_000, "hours": 3_600_000}[first.mode]
    made = datetime.fromtimestamp(made_ms / 1000, zone)
    if first.mode == "calendar_days":
        return _ms(made, first.value, DAY_MIN)
    if first.mode != "working_days":
        return None
    return _working_days(first.value, made, book)


#: Longer than any run of holidays: whoever has closed a hall for good promises nothing.
_LOOK_DAYS = 60


def _working_days(count: int, made: datetime, book: Book) -> int | None:
    free, days = 0, 0
    left = count + 1  # the day on which the clock begins is not one of them
    while left:
        if free > _LOOK_DAYS:
            return None
        spans = hall_spans(book, (made + timedelta(days=days)).date())
        works = is_working_day(book, made + timedelta(days=days))
        free, left = (0, left - 1) if works else (free + 1, left)
        if not left:
            return _ms(made, days, spans[-1][1])
        days += 1
    return None


def is_working_day(book: Book, day: datetime) -> bool:
    """A weekday on which the hall is open, or a day worked by exception (调休). Without hours: Monday to Friday."""
    date = day.date()
    if not hall_spans(book, date):
        return False
    return date.isoformat() in book.days or date.isoweekday() <= 5


def _ms(made: datetime, days: int, minute: int) -> int:
    """``minute`` of the wall clock's day ``days`` after ``made``; its end (1440) is the next day's 0:00."""
    midnight = datetime(made.year, made.month, made.day, tzinfo=made.tzinfo) + timedelta(days=days, minutes=minute)
    return round(midnight.timestamp() * 1000)


def answer_words(answer_by_ms: int | None, now_ms: int, zone: tzinfo, *, confirmed: bool) -> Both:
    """By when somebody answers, as a person says it; a time that nobody in this hall has confirmed is "usually"."""
    if answer_by_ms is None:
        return Both("工作人员会尽快答复", "Staff will answer as soon as they can")
    due, now = datetime.fromtimestamp(answer_by_ms / 1000, zone), datetime.fromtimestamp(now_ms / 1000, zone)
    # The end of a day is that day's, to whoever reads it: "by Friday 0:00" is no Friday.
    by = when(due - timedelta(minutes=1) if (due.hour, due.minute) == (0, 0) else due, now)
    if confirmed:
        return Both(f"{by[0]} 前有人答复", f"Answer by: {by[1].removeprefix('on ')}")
    return Both(
        f"一般{by[0]} 前有人答复（以窗口答复为准）",
        f"Usual answer by: {by[1].removeprefix('on ')} (as the window confirms)",
    )


def mermaid() -> str:
    """The picture of `LIFE` for the README, without what leaves the state as it is."""
    order = list(STATE_WORDS)
    lines = [
        f"    {state} --> {one.to}: {one.event}"
        for state in order
        for one in LIFE.values()
        if state in one.of and one.to is not None
    ]
    ends = [f"    {state} --> [*]" for state in order if state in CLOSED]
    return "\n".join(["stateDiagram-v2", "    [*] --> RECEIVED: received", *lines, *ends])
