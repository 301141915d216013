"""How calls were answered, from the journal alone: press → heard, accepted, arrived, closed. Pure.

Rule 1. The journal is the only source: whoever has it can recompute every figure, and its chain says that nobody has
        changed it since.
Rule 2. A call begins with its first press, not with the last of those that were needed.
Rule 3. Heard is when the press was on the disk: that is what the lamp and "written" say. Accepted and arrived count the
        first time, closed the last (a close made by mistake and undone is none).
Rule 4. A call that nobody has accepted yet is not left out: in the shares it stands among those that took too long.
Rule 5. Percentiles are nearest-rank: a value that really occurred.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.hall.kinds import DEFAULTS

#: (answered within, share of all calls): UK TSA Quality Standards Framework, alarm calls.
TSA: tuple[tuple[int, float], ...] = ((60_000, 0.975), (180_000, 0.99))
#: What is measured from the first press, in the order in which it happens.
MARKS = ("heard", "accepted", "arrived", "closed")
FALSE_ALARM = "false_alarm"

#: (line_id, at_ms, written_ms, event, subject, actor, detail), in the order of writing: gateway/journal.py, ``lines``
Line = tuple[int, int, int, str, str, str, str]


@dataclass(slots=True)
class Story:
    """One call, as the journal tells it. Durations in ms from the first press; None: it has not happened."""

    call_id: int
    device_id: str
    kind: str
    began_ms: int
    heard_ms: int | None = None
    accepted_ms: int | None = None
    arrived_ms: int | None = None
    closed_ms: int | None = None
    outcome: str = ""
    presses: int = 1


@dataclass(frozen=True, slots=True)
class Spread:
    """Durations of one kind, ms."""

    count: int
    p50_ms: int | None
    p90_ms: int | None
    p99_ms: int | None


@dataclass(frozen=True, slots=True)
class Share:
    """How many calls were accepted within ``within_ms``; ``wanted`` is the bar, 0-1. ``share`` None: no calls."""

    within_ms: int
    wanted: float
    share: float | None

    @property
    def met(self) -> bool | None:
        return None if self.share is None else self.share >= self.wanted


@dataclass(frozen=True, slots=True)
class DeviceFigures:
    """One device's calls and how many of those that were closed had been pressed by mistake."""

    device_id: str
    calls: int
    closed: int
    false_alarms: int

    @property
    def rate(self) -> float | None:
        return self.false_alarms / self.closed if self.closed else None


@dataclass(frozen=True, slots=True)
class Figures:
    """The calls of a time, of one kind ("" for all)."""

    kind: str
    calls: int
    accepted: int
    spreads: dict[str, Spread] = field(default_factory=dict)
    shares: tuple[Share, ...] = ()


def stories(lines: Iterable[Line]) -> list[Story]:
    """Each call that the lines tell of, by number. A call whose beginning they do not hold is left out."""
    told: dict[int, Story] = {}
    for _, at_ms, written_ms, event, subject, actor, detail in lines:
        what, _, number = subject.partition(":")
        if what != "call" or not number.isdecimal():
            continue
        call_id = int(number)
        story = told.get(call_id)
        if story is None:
            if event == "Pressed":
                kind = detail.partition(" ")[0]
                story = told[call_id] = Story(call_id, actor, kind if kind in DEFAULTS else "", at_ms)
                story.heard_ms = max(0, written_ms - at_ms) if written_ms else None
            continue
        since_ms = max(0, at_ms - story.began_ms)
        match event:
            case "Pressed" | "PressedAgain" | "PressedLater":
                story.presses += 1
            case "Accepted":
                story.accepted_ms = since_ms if story.accepted_ms is None else story.accepted_ms
            case "Arrived":
                story.arrived_ms = since_ms if story.arrived_ms is None else story.arrived_ms
            case "Closed":
                story.closed_ms, story.outcome = since_ms, detail
                # Who closes without having accepted was there: that is when the call was answered.
                story.accepted_ms = since_ms if story.accepted_ms is None else story.accepted_ms
            case "Reopened" | "ReopenedUntaken":
                if event == "ReopenedUntaken" and story.accepted_ms == story.closed_ms:
                    story.accepted_ms = None  # only whoever closed it by mistake had answered it
                story.closed_ms, story.outcome = None, ""
    return [told[call_id] for call_id in sorted(told)]


def figures(of: Sequence[Story], kind: str = "") -> Figures:
    """The figures of these calls; test calls are left out of all but their own."""
    calls = [one for one in of if (one.kind == kind if kind else one.kind != "test" and one.outcome != "test")]
    spreads = {
        mark: _spread([ms for one in calls if (ms := getattr(one, f"{mark}_ms")) is not None]) for mark in MARKS
    }
    answered = [one.accepted_ms for one in calls if one.accepted_ms is not None]
    shares = tuple(
        Share(within, wanted, sum(ms <= within for ms in answered) / len(calls) if calls else None)
        for within, wanted in TSA
    )
    return Figures(kind, len(calls), len(answered), spreads, shares)


def by_device(of: Iterable[Story]) -> list[DeviceFigures]:
    """Every device that called, the one with most false alarms first."""
    counts: dict[str, list[int]] = {}
    for one in of:
        if one.outcome == "test":
            continue
        count = counts.setdefault(one.device_id, [0, 0, 0])
        count[0] += 1
        count[1] += one.closed_ms is not None
        count[2] += one.outcome == FALSE_ALARM
    rows = [DeviceFigures(device_id, *count) for device_id, count in counts.items()]
    return sorted(rows, key=lambda one: (-one.false_alarms, -one.calls, one.device_id))


def _spread(values: list[int]) -> Spread:
    values.sort()

    def rank(share: float) -> int | None:
        return values[max(0, math.ceil(share * len(values)) - 1)] if values else None

    return Spread(len(values), rank(0.5), rank(0.9), rank(0.99))
