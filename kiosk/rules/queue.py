"""The life of a ticket, as a table. What is not in the table cannot happen.

A ticket is bound to a window only when it is called: until then whichever window serves its item and is free first
may take it. Its place in the line is its ``rank``: a transfer keeps it, a late return puts it some places back.
Several items may stand on one ticket; it waits for one of them at a time. The last step can be taken back for a short
while (`check_fresh`). A ticket lives for one business day; yesterday's cannot be called.

What must not live here: numbers' storage, clocks, screens, who is next (``fairness.py``). An illegal step raises
`OrderRefused` with words for the person who tapped, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Literal, get_args

from devices.faults import OrderRefused
from kiosk.rules.policy import Policy

State = Literal["WAITING", "CALLED", "SERVING", "HELD", "NO_SHOW", "DONE", "CANCELLED"]
Step = Literal[
    "call", "recall", "begin", "hold", "resume", "transfer", "no_show", "late", "next_item", "done", "cancel"
]
Lane = Literal["normal", "priority"]
#: Why somebody is in the priority lane: 70 and older, disabled, veteran or soldier, with a small child, staff's word.
LaneWhy = Literal["", "elder", "disabled", "veteran", "child", "staff"]

#: (state, step) → the states it may lead to; the first is where it leads unless `step` is told otherwise.
LIFE: dict[tuple[State, Step], tuple[State, ...]] = {
    ("WAITING", "call"): ("CALLED",),
    ("WAITING", "cancel"): ("CANCELLED",),
    ("CALLED", "recall"): ("CALLED",),
    ("CALLED", "begin"): ("SERVING",),
    ("CALLED", "transfer"): ("WAITING",),
    ("CALLED", "no_show"): ("NO_SHOW",),
    ("CALLED", "next_item"): ("WAITING", "SERVING"),
    ("CALLED", "done"): ("DONE",),
    ("CALLED", "cancel"): ("CANCELLED",),
    ("SERVING", "hold"): ("HELD",),
    ("SERVING", "transfer"): ("WAITING",),
    ("SERVING", "next_item"): ("WAITING", "SERVING"),
    ("SERVING", "done"): ("DONE",),
    ("HELD", "resume"): ("SERVING",),
    ("HELD", "transfer"): ("WAITING",),
    ("HELD", "cancel"): ("CANCELLED",),
    ("NO_SHOW", "recall"): ("CALLED",),
    ("NO_SHOW", "late"): ("WAITING",),
    ("NO_SHOW", "cancel"): ("CANCELLED",),
}

#: In these a person stands at the window: one at a time.
AT_WINDOW: tuple[State, ...] = ("CALLED", "SERVING")
#: In these nothing more can happen to a ticket, on its day or any other.
OVER: tuple[State, ...] = ("DONE", "CANCELLED")
#: Most items on one ticket (our choice): what one person can carry papers for.
ITEMS_AT_MOST = 5

_STATE_WORDS: dict[State, tuple[str, str]] = {
    "WAITING": ("还在排队", "still waiting"),
    "CALLED": ("正在叫号", "being called"),
    "SERVING": ("正在办理", "being served"),
    "HELD": ("已挂起，在等材料", "on hold"),
    "NO_SHOW": ("已过号", "marked as absent"),
    "DONE": ("已办结", "done"),
    "CANCELLED": ("已取消", "cancelled"),
}
_STEP_WORDS: dict[Step, tuple[str, str]] = {
    "call": ("叫号", "be called"),
    "recall": ("重呼", "be called again"),
    "begin": ("开始办理", "be begun"),
    "hold": ("挂起", "be put on hold"),
    "resume": ("恢复办理", "be taken up again"),
    "transfer": ("转办", "be transferred"),
    "no_show": ("标为过号", "be marked as absent"),
    "late": ("重新排队", "come back to the line"),
    "next_item": ("办下一项", "go on with its next item"),
    "done": ("办结", "be finished"),
    "cancel": ("取消", "be cancelled"),
}
#: Changes that are no step of the life, and can be taken back like one.
BESIDES = ("lane", "item_added")


@dataclass(frozen=True, slots=True)
class Ticket:
    """One number in the line. Times are UTC milliseconds, ``rank`` is microseconds; the columns of ``tickets``.

    ``window_id`` is None exactly while it waits (or was cancelled while it did). ``waits_ms``: since when it waits for
    the present item, or waited before it was called. ``began_ms``: since when it is being served, time on hold left
    out. ``calls`` counts the calls for this item. ``changed_ms``: when it came into this state.
    """

    ticket_id: int
    business_day: str
    prefix: str
    number: int
    service_code: str
    token: str
    lang: str
    screen: str
    state: State
    lane: Lane
    lane_why: LaneWhy
    window_id: str | None
    rank: int
    overtaken: int
    taken_ms: int
    waits_ms: int
    called_ms: int | None
    began_ms: int | None
    calls: int
    changed_ms: int

    @property
    def spelled(self) -> str:
        """As it is printed and called: "B031"."""
        return spell(self.prefix, self.number)


#: What a step may change of a ticket, and every line of the journal about it says; ``overtaken`` is a counter and is
#: counted back, not put back.
CHANGING = (
    "service_code",
    "state",
    "lane",
    "lane_why",
    "window_id",
    "rank",
    "waits_ms",
    "called_ms",
    "began_ms",
    "calls",
    "changed_ms",
)


def spell(prefix: str, number: int) -> str:
    """Three digits, more only when a day needs them: ("B", 31) is "B031"."""
    return f"{prefix}{number:03d}"


def business_day(now_ms: int, zone: tzinfo, last_day: str) -> str:
    """The hall's day ("2026-11-22"), never before ``last_day`` ("" on the first day of all).

    A Pi without a clock wakes up in the past; numbering must go on where it was, not give B001 out twice.
    """
    today = datetime.fromtimestamp(now_ms / 1000, zone).date().isoformat()
    return max(today, last_day)


def lane_of(why: LaneWhy) -> Lane:
    return "priority" if why else "normal"


def in_lane(ticket: Ticket, why: LaneWhy) -> Ticket:
    """The same number in the lane that this reason gives; its place stays its own."""
    return replace(ticket, lane=lane_of(why), lane_why=why)


def read_lane(why: str) -> LaneWhy:
    """The reason for the priority lane, from outside."""
    for one in get_args(LaneWhy):
        if one == why:
            return one  # type: ignore[no-any-return]
    raise OrderRefused(f"没有“{why[:20]}”这种优先", f"There is no priority called {why[:20]!r}")


# ---------------------------------------------------------------- steps


def step(
    ticket: Ticket,
    what: Step,
    now_ms: int,
    window_id: str | None = None,
    *,
    to: State | None = None,
    service_code: str = "",
    rank: int | None = None,
    recalls_most: int = 3,
) -> Ticket:
    """Take one step of the table.

    :param window_id: where: for "call"; for "recall" and "resume" at another window than before.
    :param to: which of several outcomes ("next_item": SERVING where this window serves that, too).
    :param service_code: the item that comes now ("transfer", "next_item").
    :param rank: the new place ("late").
    :raises OrderRefused: the table does not know this, or it was called too often.
    """
    onward = LIFE.get((ticket.state, what))
    if onward is None or (to is not None and to not in onward):
        state, verb = _STATE_WORDS[ticket.state], _STEP_WORDS[what]
        raise OrderRefused(
            f"{ticket.spelled} {state[0]}，不能{verb[0]}",
            f"{ticket.spelled} is {state[1]} and cannot {verb[1]}",
        )
    after = replace(
        ticket, state=to or onward[0], changed_ms=now_ms, service_code=service_code or ticket.service_code
    )
    if what == "recall" and ticket.calls > recalls_most:
        raise OrderRefused(
            f"{ticket.spelled} 已重呼 {recalls_most} 次，请标为过号；人来了可以顺延重新排队",
            f"{ticket.spelled} was called again {recalls_most} times: mark it as absent; "
            "who comes after all can be put back into the line",
        )
    if after.state == "CALLED":
        return replace(
            after,
            window_id=window_id or ticket.window_id,
            called_ms=now_ms,
            began_ms=None,
            calls=ticket.calls + 1,
        )
    if after.state == "WAITING":
        place = ticket.rank if rank is None else rank
        return replace(
            after, window_id=None, rank=place, waits_ms=now_ms, called_ms=None, began_ms=None, calls=0
        )
    if what == "resume":
        # What was served before the hold counts, the hold itself does not.
        return replace(
            after, window_id=window_id or ticket.window_id, began_ms=now_ms - (served_ms(ticket, now_ms) or 0)
        )
    if what == "next_item":
        # It goes on at the window: for this item nobody has waited.
        return replace(after, began_ms=now_ms, waits_ms=ticket.called_ms or now_ms)
    if after.state == "SERVING":
        return replace(after, began_ms=now_ms)
    return after


def served_ms(ticket: Ticket, now_ms: int) -> int | None:
    """How long somebody has been served by now, holds left out; None where nobody came (or nobody was called).

    A number that was called and finished without a tap on "begin" counts from its call: the way to the window is in it.
    """
    if ticket.state == "HELD":
        return max(0, ticket.changed_ms - (ticket.began_ms or ticket.changed_ms))
    since = ticket.began_ms if ticket.began_ms is not None else ticket.called_ms
    return None if since is None or ticket.state not in AT_WINDOW else max(0, now_ms - since)


def waited_ms(ticket: Ticket, now_ms: int) -> int:
    """How long it waited for the present item: until the call that was answered, else until now."""
    return max(0, (now_ms if ticket.called_ms is None else ticket.called_ms) - ticket.waits_ms)


def check_fresh(ticket: Ticket, event: str, at_ms: int, now_ms: int, within_ms: int) -> None:
    """Whether the last thing that happened to a ticket can still be taken back."""
    if event not in _STEP_WORDS and event not in BESIDES:
        raise OrderRefused(
            f"{ticket.spelled} 没有可撤销的操作", f"{ticket.spelled}: there is nothing to undo"
        )
    # A clock that was set back must not keep the door open: a step "in the future" is not fresh either.
    if not 0 <= now_ms - at_ms <= within_ms:
        seconds = within_ms // 1000
        raise OrderRefused(f"已超过{seconds}秒，不能撤销", f"Undo is possible for {seconds} seconds only")


def check_day(ticket: Ticket, today: str) -> None:
    """A ticket of another day has no place in today's line."""
    if ticket.business_day != today:
        raise OrderRefused(
            f"{ticket.spelled} 是 {ticket.business_day} 的号，已过期",
            f"{ticket.spelled} is of {ticket.business_day} and no longer valid",
        )


# ---------------------------------------------------------------- places in the line


def place(ticket: Ticket) -> tuple[int, int]:
    """The order of the line; equal ranks (a clock that was set back) go by who was written first."""
    return ticket.rank, ticket.ticket_id


def ahead_of(ticket: Ticket, waiting: Iterable[Ticket], serves: Set[str], policy: Policy) -> int:
    """How many are called before, as things are, of those who wait for the windows that serve its item (``serves``:
    their items). Nobody is told "you are next" while an elder who came later goes first."""
    counts = {(old, better): 0 for old in (False, True) for better in (False, True)}
    for one in waiting:
        if one.state == "WAITING" and one.service_code in serves and one.ticket_id != ticket.ticket_id:
            counts[one.lane == "priority", place(one) < place(ticket)] += 1
    return ahead_by_lane(ticket.lane, ticket.overtaken, counts, policy)


def ahead_by_lane(lane: Lane, overtaken: int, counts: Mapping[tuple[bool, bool], int], policy: Policy) -> int:
    """As `ahead_of`, of counted people.

    :param counts: (is in the priority lane, has a better place) → how many wait.
    """
    olds, others = counts.get((True, True), 0), counts.get((False, True), 0)
    if lane == "priority":
        # Between elders comes a turn for who was there before them.
        return olds + min(others, olds * policy.weight_normal // policy.weight_priority)
    return olds + others + min(counts.get((True, False), 0), max(0, policy.overtaken_most - overtaken))


def late_rank(ticket: Ticket, waiting: Sequence[Ticket], serves: Set[str], places: int, now_ms: int) -> int:
    """The place of somebody who missed the call and came back: behind the next ``places`` of the same lane who wait
    for the same windows; behind all of them where there are fewer; never better than it was."""
    line = sorted(
        (one for one in waiting if one.lane == ticket.lane and one.service_code in serves), key=place
    )
    if not places:
        return ticket.rank  # a hall that lets nobody lose a place
    behind = line[:places][-1].rank + 1 if line else now_ms * 1000
    return max(ticket.rank, behind)


# ---------------------------------------------------------------- the picture


def mermaid() -> str:
    """The picture of LIFE for the README; a test compares the two."""
    lines = ["stateDiagram-v2", "    [*] --> WAITING: taken"]
    lines += [
        f"    {before} --> {after}: {what}" for (before, what), onward in LIFE.items() for after in onward
    ]
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in OVER)])
