"""Whom a window calls next: elders first, and fair. One pure function, `choose`, and its reasons.

In words for the people in the hall:

1. **Two lanes.** The priority lane goes first; after ``weight_priority`` of it in a row at a window comes a turn of the
   normal lane (``weight_normal`` of them). A turn never puts somebody before an elder who was there before him.
2. **Nobody is pushed too far.** Who has been overtaken ``overtaken_most`` times by later arrivals is overtaken no more.
3. **Nobody waits past the cap for others' sake.** Who has waited ``cap_ms`` is next. And nobody is called before
   somebody who would thereby pass it: the line's own pace says who would.
4. **When that is all there is, it is first come, first served, and says so**: a hall of elders only, or one in which
   the cap can no longer be held for everybody (overload).

*Arrival*: when a person could first claim to be next: the later of taking the number and the place in the line
(``rank``). So a late return does not count as having been there all the time, and who checks in after the slot of an
appointment overtakes those who came before. *Overtaken*: somebody who arrived later is called first, at a window that
serves both. Rules 2 and 3 give way to nobody but a hand-picked call (``overtaken_by`` says whom that overtakes).

What must not live here: tickets' storage, the clock, the number of open windows (the caller knows the pace).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Literal, Protocol, TypeVar

from devices.faults import OrderRefused
from kiosk.rules.policy import Policy

Lane = Literal["normal", "priority"]
Why = Literal["cap", "overtaken", "priority", "normal", "first_come"]
Mode = Literal["fair", "all_priority", "overload"]


class Waiting(Protocol):
    """Of a ticket in the line, what the rule needs to know. ``rank`` is microseconds, ``…_ms`` milliseconds."""

    @property
    def ticket_id(self) -> int: ...
    @property
    def service_code(self) -> str: ...
    @property
    def lane(self) -> str: ...
    @property
    def rank(self) -> int: ...
    @property
    def taken_ms(self) -> int: ...
    @property
    def waits_ms(self) -> int | None: ...
    @property
    def overtaken(self) -> int: ...


W = TypeVar("W", bound=Waiting)


@dataclass(frozen=True, slots=True)
class Choice(Generic[W]):
    """Whom to call, and why. ``overtakes``: who was there before; each of them is overtaken once more (write it).

    ``mode`` is ``fair``, or why the line is first come, first served just now: ``all_priority``, ``overload``.
    """

    ticket: W
    why: Why
    overtakes: tuple[W, ...]
    mode: Mode

    @property
    def first_come(self) -> bool:
        return self.mode != "fair"


#: Nothing is known of how fast the line moves.
UNKNOWN_PACE: Mapping[str, float] = MappingProxyType({})


def paces(open_windows: Iterable[Set[str]], took_ms: Callable[[str], float]) -> dict[str, float]:
    """How fast the line of each item moves: what its windows take on average, divided by how many they are.

    :param open_windows: the items of each window that is open. :param took_ms: code → ms at the window.
    """
    able: dict[str, list[float]] = {}
    for skills in open_windows:
        if skills:
            mean = sum(map(took_ms, skills)) / len(skills)
            for code in skills:
                able.setdefault(code, []).append(mean)
    return {code: sum(means) / len(means) ** 2 for code, means in able.items()}


def arrival(one: Waiting) -> tuple[int, int]:
    """Since when this person may claim to be next: (microseconds, ticket), the smallest was there first."""
    return max(one.rank, one.taken_ms * 1000), one.ticket_id


def choose(
    waiting: Sequence[W],
    serves: Set[str],
    now_ms: int,
    policy: Policy,
    priority_run: int,
    pace: Mapping[str, float] = UNKNOWN_PACE,
) -> Choice[W]:
    """Whom a window that ``serves`` these items calls next.

    :param waiting: everybody who waits in the hall, in any order; others' items are left out here.
    :param priority_run: how many of the priority lane this window has called since its last normal one.
    :param pace: code → ms until the line for that item moves by one, at the windows open now (`paces`). Where it is
        not known only who has passed the cap is protected from being passed over, not who is about to.
    :raises OrderRefused: nobody waits whom this window serves.
    """
    line = sorted((one for one in waiting if one.service_code in serves), key=arrival)
    if not line:
        raise OrderRefused("这个窗口没有人在等", "Nobody is waiting for this window")
    mode = mode_of(line, now_ms, policy, pace)
    first = line[0]
    if mode != "fair":
        return Choice(first, "first_come", (), mode)
    picked, why = _by_lane(line, policy, priority_run)
    overtakes = tuple(line[: line.index(picked)])
    for place, one in enumerate(overtakes, 1):
        if one.overtaken >= policy.overtaken_most:
            return Choice(first, "overtaken", (), mode)
        if _waited_ms(one, now_ms) + place * pace.get(one.service_code, 0) > policy.cap_ms:
            return Choice(first, "cap", (), mode)
    return Choice(picked, why, overtakes, mode)


def mode_of(
    line: Sequence[Waiting], now_ms: int, policy: Policy, pace: Mapping[str, float] = UNKNOWN_PACE
) -> Mode:
    """Whether this line (sorted by arrival) can be fair to the old, or can only be first come, first served."""
    if len(line) > 1 and all(one.lane == "priority" for one in line):
        return "all_priority"
    if _waited_ms(line[0], now_ms) + len(line) * max(pace.values(), default=0.0) <= policy.cap_ms:
        return "fair"  # nobody has waited longer than the first, so nobody comes near the cap
    # Somebody will pass the cap even if nobody is put before anybody: favours would only move the pain.
    late = sum(
        _waited_ms(one, now_ms) + place * pace.get(one.service_code, 0) > policy.cap_ms
        for place, one in enumerate(line)
    )
    return "overload" if late > 1 else "fair"


def overtaken_by(called: W, waiting: Iterable[W], serves: Set[str]) -> tuple[W, ...]:
    """Whom a call overtakes at a window that ``serves`` these items; for a call of a number chosen by hand."""
    there = arrival(called)
    return tuple(
        one
        for one in waiting
        if one.ticket_id != called.ticket_id and one.service_code in serves and arrival(one) < there
    )


def mode_words(mode: Mode) -> tuple[str, str]:
    """A sentence for console and display, in both languages; empty while the line is fair."""
    return _MODE_WORDS[mode]


_MODE_WORDS: dict[Mode, tuple[str, str]] = {
    "fair": ("", ""),
    "all_priority": (
        "现在排队的都是优先号，按先来后到叫号",
        "Everybody waiting has priority just now: first come, first served",
    ),
    "overload": (
        "现在人多，等候已超上限，暂按先来后到叫号",
        "Very busy: the longest wait cannot be kept just now, so it is first come, first served",
    ),
}


def _by_lane(line: Sequence[W], policy: Policy, priority_run: int) -> tuple[W, Why]:
    """The pick of the two lanes by their weights. Within a lane the smallest rank is first (an appointment's slot)."""
    old = min((one for one in line if one.lane == "priority"), key=_rank, default=None)
    other = min((one for one in line if one.lane != "priority"), key=_rank, default=None)
    if old is None or other is None:
        only = old or other
        assert only is not None
        return only, "first_come"
    # A turn for every weight_priority / weight_normal of the priority lane, and only for who was there before.
    if priority_run * policy.weight_normal >= policy.weight_priority and arrival(other) < arrival(old):
        return other, "normal"
    return old, "priority"


def _rank(one: Waiting) -> tuple[int, int]:
    return one.rank, one.ticket_id


def _waited_ms(one: Waiting, now_ms: int) -> int:
    """How long it counts as waiting: since its arrival, as the cap means it."""
    return now_ms - arrival(one)[0] // 1000
