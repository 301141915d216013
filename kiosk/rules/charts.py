"""Where the marks of a chart of waits stand, as shares of its height: drawn by a template as SVG, without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kiosk.rules.spreads import Line

#: Steps between the lines of the scale, in minutes: as clocks are read.
_STEPS_MIN = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480)
#: Lines of the scale at most.
_LINES_AT_MOST = 6
MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Mark:
    """One column (or bar): half waited no longer than ``half``, nine of ten than ``most``, 99 % than ``nearly_all``."""

    line: Line
    half: float
    most: float
    nearly_all: float


@dataclass(frozen=True, slots=True)
class Chart:
    """``grid``: (share of the height, minutes) of each line of the scale; ``target``: of the line of the target."""

    marks: tuple[Mark, ...]
    grid: tuple[tuple[float, int], ...]
    target: float | None


def chart(lines: Sequence[Line], target_s: int) -> Chart | None:
    """The waits of ``lines``; None where nobody was served. The target is drawn where it lies within the scale."""
    shown = [one for one in lines if one.wait.count]
    if not shown:
        return None
    highest_s = max(one.wait.p99_s or 0 for one in shown)
    step_min = next(
        (step for step in _STEPS_MIN if step * MINUTE_S * _LINES_AT_MOST >= highest_s),
        -(-highest_s // (MINUTE_S * _LINES_AT_MOST)),
    )
    steps = max(1, -(-highest_s // (step_min * MINUTE_S)))
    top_s = steps * step_min * MINUTE_S
    marks = tuple(
        Mark(one, (one.wait.p50_s or 0) / top_s, (one.wait.p90_s or 0) / top_s, (one.wait.p99_s or 0) / top_s)
        for one in shown
    )
    grid = tuple((number / steps, number * step_min) for number in range(steps + 1))
    return Chart(marks, grid, target_s / top_s if target_s <= top_s else None)
