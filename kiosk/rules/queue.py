"""The life of a ticket, as a table. What is not in the table cannot happen.

    WAITING ──call──► CALLED ──done────► DONE
                      │  ▲ └─no_show──► NO_SHOW
                recall└──┘◄───recall────┘

A ticket is bound to a window only when it is called: until then whichever window serves its item and is free
first may take it. Within `UNDO_WITHIN_MS` the last step of a ticket can be taken back. A ticket lives for one
business day; yesterday's cannot be called.

What must not live here: numbers' storage, clocks, screens. An illegal step raises `OrderRefused` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Literal

from devices.faults import OrderRefused

State = Literal["WAITING", "CALLED", "NO_SHOW", "DONE", "CANCELLED"]
Step = Literal["call", "recall", "no_show", "done", "cancel"]

LIFE: dict[tuple[State, Step], State] = {
    ("WAITING", "call"): "CALLED",
    ("CALLED", "recall"): "CALLED",
    ("CALLED", "no_show"): "NO_SHOW",
    ("CALLED", "done"): "DONE",
    ("NO_SHOW", "recall"): "CALLED",
    ("WAITING", "cancel"): "CANCELLED",
    ("CALLED", "cancel"): "CANCELLED",
    ("NO_SHOW", "cancel"): "CANCELLED",
}

#: A wrong tap is noticed at once or by the person who walks up. Our choice.
UNDO_WITHIN_MS = 30_000

_STATE_WORDS: dict[State, tuple[str, str]] = {
    "WAITING": ("还在排队", "still waiting"),
    "CALLED": ("正在办理", "being served"),
    "NO_SHOW": ("已过号", "marked as absent"),
    "DONE": ("已办结", "done"),
    "CANCELLED": ("已取消", "cancelled"),
}
_STEP_WORDS: dict[Step, tuple[str, str]] = {
    "call": ("叫号", "be called"),
    "recall": ("重呼", "be called again"),
    "no_show": ("标为过号", "be marked as absent"),
    "done": ("办结", "be finished"),
    "cancel": ("取消", "be cancelled"),
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """One number in the line. ``window_id`` is None exactly while it waits; ``calls`` counts its calls."""

    ticket_id: int
    business_day: str
    prefix: str
    number: int
    service_code: str
    token: str
    lang: str
    screen: str
    state: State
    window_id: str | None
    taken_ms: int
    called_ms: int | None
    calls: int
    changed_ms: int

    @property
    def spelled(self) -> str:
        """As it is printed and called: "B031"."""
        return spell(self.prefix, self.number)


def spell(prefix: str, number: int) -> str:
    """Three digits, more only when a day needs them: ("B", 31) is "B031"."""
    return f"{prefix}{number:03d}"


def business_day(now_ms: int, zone: tzinfo, last_day: str) -> str:
    """The hall's day ("2026-11-22"), never before ``last_day`` ("" on the first day of all).

    A Pi without a clock wakes up in the past; numbering must go on where it was, not give B001 out twice.
    """
    today = datetime.fromtimestamp(now_ms / 1000, zone).date().isoformat()
    return max(today, last_day)


def step(ticket: Ticket, what: Step, now_ms: int, window_id: str | None = None) -> Ticket:
    """Take one step of the table. ``window_id`` is needed for "call" alone; a recall stays at its window."""
    after = LIFE.get((ticket.state, what))
    if after is None:
        state, verb = _STATE_WORDS[ticket.state], _STEP_WORDS[what]
        raise OrderRefused(
            f"{ticket.spelled} {state[0]}，不能{verb[0]}",
            f"{ticket.spelled} is {state[1]} and cannot {verb[1]}",
        )
    if what in ("call", "recall"):
        return replace(
            ticket,
            state=after,
            window_id=window_id or ticket.window_id,
            called_ms=now_ms,
            calls=ticket.calls + 1,
            changed_ms=now_ms,
        )
    return replace(ticket, state=after, changed_ms=now_ms)


@dataclass(frozen=True, slots=True)
class LastStep:
    """The latest journal entry of a ticket, with what stood before it."""

    event: str
    at_ms: int
    state: State
    window_id: str | None
    called_ms: int | None
    calls: int


def undo(ticket: Ticket, last: LastStep | None, now_ms: int) -> Ticket:
    """Take the last step back, while it is fresh. Its place in the line was never lost."""
    if last is None or last.event not in _STEP_WORDS:
        raise OrderRefused(
            f"{ticket.spelled} 没有可撤销的操作", f"{ticket.spelled}: there is nothing to undo"
        )
    # A clock that was set back must not keep the door open: a step "in the future" is not fresh either.
    if not 0 <= now_ms - last.at_ms <= UNDO_WITHIN_MS:
        seconds = UNDO_WITHIN_MS // 1000
        raise OrderRefused(f"已超过{seconds}秒，不能撤销", f"Undo is possible for {seconds} seconds only")
    return replace(
        ticket,
        state=last.state,
        window_id=last.window_id,
        called_ms=last.called_ms,
        calls=last.calls,
        changed_ms=now_ms,
    )


def next_in_line(waiting: Iterable[Ticket], serves: Set[str]) -> Ticket:
    """Whom a window that ``serves`` these items calls next: who has waited longest."""
    able = [one for one in waiting if one.state == "WAITING" and one.service_code in serves]
    if not able:
        raise OrderRefused("这个窗口没有人在等", "Nobody is waiting for this window")
    return min(able, key=lambda one: one.ticket_id)


def ahead_of(ticket: Ticket, waiting: Iterable[Ticket], serves: Set[str]) -> int:
    """How many people are served before this one by the windows that serve its item (``serves``: their items)."""
    return sum(
        one.state == "WAITING" and one.ticket_id < ticket.ticket_id and one.service_code in serves
        for one in waiting
    )


def check_day(ticket: Ticket, today: str) -> None:
    """A ticket of another day has no place in today's line."""
    if ticket.business_day != today:
        raise OrderRefused(
            f"{ticket.spelled} 是 {ticket.business_day} 的号，已过期",
            f"{ticket.spelled} is of {ticket.business_day} and no longer valid",
        )
