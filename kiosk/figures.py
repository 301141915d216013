"""What the gateway says of its own lateness, read with care: docs/protocol.md, `statistics`.

For a minute during an update one side may be newer than the other, so nothing here trusts what it is given: a key that
is missing, or is not what the protocol says, is None (or left out of a list), and never an error. Three faces show
these figures: `linli stats`, the console's page "How the hall runs", and ``/metrics``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

#: How an arrival came in, and how far it has come: in the order in which people want to read them.
LANES = ("call", "order", "pin", "telemetry")
STAGES = ("decided", "written", "told")
#: Where the loop's time goes.
PHASES = ("read", "timers", "decide", "commit", "tell", "telemetry", "checkpoint")
#: What could not be understood, or was not looked at: counters that somebody should know when they grow.
#: garbage, oversized: a payload; unknown_topic: nobody of ours speaks there; set_aside: a fault of our own;
#: codec_failed: a fault of ours in reading; unread: a model that no codec knows; over_budget: conflated unread.
RUBBISH = ("garbage", "oversized", "unknown_topic", "set_aside", "codec_failed", "unread", "over_budget")
#: Names of counters are our own words; whatever else stands there is no counter. More than these are not ours.
NAMES_AT_MOST = 100
#: No number of ours is as large (milliseconds of ten thousand years); it also keeps infinity and nonsense out.
_BEYOND = 10**15
#: The longest name of a thing that is shown (a topic of a device nobody knows).
NAME_AT_MOST = 120

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Spread:
    """One histogram. Durations in milliseconds; ``buckets``: (upper edge, count up to it), cumulative; inf is last."""

    count: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    sum_ms: float | None = None
    worst: str = ""
    worst_at_ms: int | None = None
    buckets: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Phase:
    """What the loop's time goes to."""

    count: int
    total_ms: float
    max_ms: float | None


@dataclass(frozen=True, slots=True)
class Minute:
    """Arrival → told within one minute, by lane."""

    minute_ms: int
    lanes: Mapping[str, Spread]


@dataclass(frozen=True, slots=True)
class Late:
    """One fact that was late, and what it waited for."""

    at_ms: int
    what: str
    lane: str
    told_ms: float
    waited_for: str
    waited_ms: float | None


@dataclass(frozen=True, slots=True)
class OverBudget:
    """A device that says more than its share; ``excess``: its messages beyond that share."""

    device_id: str
    excess: int
    since_ms: int | None


@dataclass(frozen=True, slots=True)
class BrokerLine:
    """One of the connections to the broker."""

    up: bool | None
    reconnects: int | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """All of it, checked. None: the gateway did not say."""

    since_ms: int | None = None
    now_ms: int | None = None
    turns: int | None = None
    cpu_s: float | None = None
    rss_kb: int | None = None
    lateness: Mapping[str, Mapping[str, Spread]] = field(default_factory=dict)
    commits: Spread | None = None
    away: Spread | None = None
    phases: Mapping[str, Phase] = field(default_factory=dict)
    minutes: tuple[Minute, ...] = ()
    late: tuple[Late, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    over_budget: tuple[OverBudget, ...] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)
    timers: int | None = None
    next_timer_in_ms: float | None = None
    clock_known: bool | None = None
    clock_why: str = ""
    lines: Mapping[str, BrokerLine] = field(default_factory=dict)
    desk: Mapping[str, int] = field(default_factory=dict)
    #: where the gateway may run, and why it is not kept off the broker's processor ("": it is)
    processors: tuple[int, ...] = ()
    not_apart: str = ""
    #: why the processors cannot be kept awake while somebody calls ("": they can)
    not_awake: str = ""

    @property
    def up_s(self) -> float | None:
        """How long the gateway has been turning, by its own clock; None where that clock was set back."""
        if self.since_ms is None or self.now_ms is None or self.now_ms < self.since_ms:
            return None
        return (self.now_ms - self.since_ms) / 1000


def read_statistics(said: object) -> Statistics:
    """The gateway's words, whatever they are."""
    told = _table(said)
    timers, clock = _table(told.get("timers")), _table(told.get("clock"))
    processors = _table(told.get("processors"))
    return Statistics(
        since_ms=_whole(told.get("since_ms")),
        now_ms=_whole(told.get("now_ms")),
        turns=_whole(told.get("turns")),
        cpu_s=_number(told.get("cpu_s")),
        rss_kb=_whole(told.get("rss_kb")),
        lateness={
            lane: read
            for lane, stages in _named(told.get("lateness"))
            if (read := _kept(_spread, _named(stages)))
        },
        commits=_spread(told.get("commits")),
        away=_spread(told.get("away")),
        phases=_kept(_phase, _named(told.get("phases"))),
        minutes=_listed(told.get("minutes"), _minute),
        late=_listed(told.get("late"), _late),
        counts=_kept(_whole, _named(told.get("counts"))),
        over_budget=_listed(told.get("over_budget"), _over_budget),
        waiting=_kept(_whole, _named(told.get("waiting"))),
        timers=_whole(timers.get("waiting")),
        next_timer_in_ms=_number(timers.get("next_in_ms")),
        clock_known=_yes_no(clock.get("known")),
        clock_why=_text(clock.get("why")),
        lines=_kept(_line, _named(told.get("lines"))),
        desk=_kept(_whole, _named(told.get("desk"))),
        processors=_listed(processors.get("ours"), _whole),
        not_apart=_text(processors.get("why_not_apart")),
        not_awake=_text(_table(told.get("awake")).get("why_not")),
    )


def in_order(named: Mapping[str, Thing], first: tuple[str, ...]) -> list[tuple[str, Thing]]:
    """The known ones in the order of ``first``, then what a newer gateway may say besides."""
    known = [(name, named[name]) for name in first if name in named]
    return known + [(name, thing) for name, thing in sorted(named.items()) if name not in first]


# ---------------------------------------------------------------- one thing


def _spread(said: object) -> Spread | None:
    told = _table(said)
    count = _whole(told.get("count"))
    if count is None:
        return None
    return Spread(
        count,
        _number(told.get("p50_ms")),
        _number(told.get("p99_ms")),
        _number(told.get("max_ms")),
        _number(told.get("sum_ms")),
        _text(told.get("worst")),
        _whole(told.get("worst_at_ms")) or None,
        _buckets(told.get("buckets")),
    )


def _buckets(said: object) -> tuple[tuple[float, int], ...]:
    """Only a whole histogram is one: edges that grow, counts that never fall, the last edge infinite."""
    kept: list[tuple[float, int]] = []
    for pair in said if isinstance(said, list) else []:
        if not isinstance(pair, list) or len(pair) != 2:
            return ()
        edge = math.inf if pair[0] is None else _number(pair[0])
        count = _whole(pair[1])
        if edge is None or count is None or (kept and (edge <= kept[-1][0] or count < kept[-1][1])):
            return ()
        kept.append((edge, count))
    return tuple(kept) if kept and kept[-1][0] == math.inf else ()


def _phase(said: object) -> Phase | None:
    told = _table(said)
    count, total_ms = _whole(told.get("count")), _number(told.get("total_ms"))
    if count is None or total_ms is None:
        return None
    return Phase(count, total_ms, _number(told.get("max_ms")))


def _minute(said: object) -> Minute | None:
    told = _table(said)
    minute_ms = _whole(told.get("minute_ms"))
    if minute_ms is None:
        return None
    return Minute(
        minute_ms, _kept(_spread, [(name, one) for name, one in _named(told) if name != "minute_ms"])
    )


def _late(said: object) -> Late | None:
    told = _table(said)
    at_ms, told_ms = _whole(told.get("at_ms")), _number(told.get("told_ms"))
    if at_ms is None or told_ms is None:
        return None
    what, lane, waited_for = (_text(told.get(name)) for name in ("what", "lane", "waited_for"))
    return Late(at_ms, what, lane, told_ms, waited_for, _number(told.get("waited_ms")))


def _over_budget(said: object) -> OverBudget | None:
    told = _table(said)
    device_id, excess = _text(told.get("device_id")), _whole(told.get("excess"))
    if not device_id or excess is None:
        return None
    return OverBudget(device_id, excess, _whole(told.get("since_ms")))


def _line(said: object) -> BrokerLine | None:
    told = _table(said)
    up, reconnects = _yes_no(told.get("up")), _whole(told.get("reconnects"))
    return None if up is None and reconnects is None else BrokerLine(up, reconnects)


# ---------------------------------------------------------------- plain values


def _table(said: object) -> dict[str, Any]:
    return said if isinstance(said, dict) else {}


def _named(said: object) -> list[tuple[str, object]]:
    return [(_text(name), one) for name, one in list(_table(said).items())[:NAMES_AT_MOST]]


def _kept(read: Callable[[object], Thing | None], named: list[tuple[str, object]]) -> dict[str, Thing]:
    return {name: thing for name, said in named if (thing := read(said)) is not None}


def _listed(said: object, read: Callable[[object], Thing | None]) -> tuple[Thing, ...]:
    listed = said if isinstance(said, list) else []
    return tuple(thing for one in listed if (thing := read(one)) is not None)


def _number(said: object) -> float | None:
    """A duration or a size: never negative, never infinite. True is no number."""
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said < _BEYOND:
        return None
    return said


def _whole(said: object) -> int | None:
    number = _number(said)
    return None if number is None else int(number)


def _yes_no(said: object) -> bool | None:
    return said if isinstance(said, bool) else None


def _text(said: object) -> str:
    """What is shown to people: one line, no control signs."""
    text = said if isinstance(said, str) else ""
    return "".join(sign if sign.isprintable() else " " for sign in text[:NAME_AT_MOST])
