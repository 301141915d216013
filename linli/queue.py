"""`linli queue`: is the line fair, do its estimates hold, which rules are in force. Chinese first.

    linli queue backtest                    # on this hall's own past: error and how often the range held
    linli queue backtest --simulated        # on simulated days (and it says so)
    linli queue fairness --days 1000        # simulated: elders against others, the longest wait, who was overtaken
    linli queue policy                      # the rules in force, their limits, where each number comes from

Reads kiosk.db while the hall runs or stands still; writes nothing.
"""

from __future__ import annotations

import random
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TextIO
from zoneinfo import ZoneInfo

from gateway.notebook import open_reader
from kiosk import estimates
from kiosk.catalogue import Catalogue, load_catalogue
from kiosk.rules.estimate import Estimate
from kiosk.rules.policy import DEFAULT, LIMITS, MINUTE_MS, Policy
from kiosk.rules.replay import Case, Student
from linli.simulated_hall import SimulatedHall, percentile
from linli.talk import open_running_house

#: The first simulated days teach and are not counted: a hall that is a week old.
TAUGHT = 10
#: Days of a simulated back-test where none were asked for.
SIMULATED_DAYS = 120
#: Loads of simulated days: a quiet Friday to a full Monday.
LOADS = (0.60, 0.85)
#: Items with fewer cases than this have no line of their own.
ENOUGH = 20


@cache
def the_catalogue() -> Catalogue:
    """The one that ships."""
    file = resources.files("kiosk").joinpath("data/services_31.yaml")
    return load_catalogue(file.read_text(encoding="utf-8"), file.name)


# ---------------------------------------------------------------- how long


@dataclass(slots=True)
class Score:
    """How well estimates held: absolute error, and how often the range of 80 % did."""

    count: int = 0
    off_ms: int = 0
    waited_ms: int = 0
    held: int = 0
    wide_ms: int = 0

    def add(self, told: Estimate, wait_ms: int) -> None:
        self.count += 1
        self.off_ms += abs(wait_ms - told.mid_ms)
        self.waited_ms += wait_ms
        self.held += told.low_ms <= wait_ms <= told.high_ms
        self.wide_ms += told.high_ms - told.low_ms

    @property
    def mae_min(self) -> float:
        return self.off_ms / self.count / MINUTE_MS if self.count else 0.0

    @property
    def mae_share(self) -> float:
        """Of the mean wait."""
        return self.off_ms / self.waited_ms if self.waited_ms else 0.0

    @property
    def coverage(self) -> float:
        return self.held / self.count if self.count else 0.0

    @property
    def met(self) -> bool:
        """MAE ≤ 3 min, or ≤ 25 % of the mean wait."""
        return self.mae_min <= 3.0 or self.mae_share <= 0.25

    def line(self, name: str) -> str:
        if not self.count:
            return f"  {name:<16} n 0\n"
        mean, width = self.waited_ms / self.count / MINUTE_MS, self.wide_ms / self.count / MINUTE_MS
        return (
            f"  {name:<16} n {self.count:>6}  平均等 mean wait {mean:5.1f} min   误差 MAE {self.mae_min:4.1f} min"
            f" = {self.mae_share:4.0%}   80 % 范围守住 range held {self.coverage:5.1%}   宽 width {width:4.1f} min\n"
        )


@dataclass(slots=True)
class Backtest:
    """What a back-test counts. ``waited``: of those who were told that they would have to wait; the harder judge."""

    waited: Score = field(default_factory=Score)
    everybody: Score = field(default_factory=Score)
    by_item: defaultdict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    by_lane: defaultdict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    no_window: int = 0

    def add(self, case: Case) -> None:
        told, wait_ms = case.estimate, case.served.wait_ms
        if told is None:
            self.no_window += 1
            return
        self.everybody.add(told, wait_ms)
        if told.raw_ms > 0 or told.ahead > 0:
            for score in (
                self.waited,
                self.by_item[case.served.service_code],
                self.by_lane[case.served.lane],
            ):
                score.add(told, wait_ms)

    @property
    def held(self) -> bool:
        """The range of 80 % held in 75–85 % of those who had to wait: who is called at once has no range."""
        return 0.75 <= self.waited.coverage <= 0.85


def simulated_cases(
    days: int, seed: int = 1, share: float = 0.3, loads: tuple[float, float] = LOADS, taught: int = TAUGHT
) -> Iterator[Case]:
    """Simulated days, each estimated with what the days before it taught; the first ``taught`` are not given."""
    catalogue = the_catalogue()
    hall, chance = SimulatedHall(catalogue, seed), random.Random(seed)
    student = Student(estimates.First(catalogue, {}), hall.skills)
    for number in range(days + taught):
        day = hall.day(chance.uniform(*loads), share, number)
        for case in student.live(day.served, day.spans):
            if number >= taught:
                yield case


def own_cases(
    notebook: sqlite3.Connection, catalogue: Catalogue, zone: ZoneInfo, days: int
) -> Iterator[Case]:
    """This hall's own past, oldest first; the last ``days`` days (0: all) are given, those before only teach."""
    student = estimates.student(catalogue, zone, notebook, estimates.policy_of(notebook))
    past = estimates.past_days(notebook, "", "")
    for number, day in enumerate(past):
        for case in student.live(*estimates.read_day(notebook, day)):
            if not days or number >= len(past) - days:
                yield case


def count(cases: Iterable[Case]) -> Backtest:
    found = Backtest()
    for case in cases:
        found.add(case)
    return found


def backtest(
    hall_file: str | None, *, days: int = 0, simulated: bool = False, seed: int = 1, out: TextIO | None = None
) -> int:
    """Print how well estimates hold.

    :param days: of the past, the newest (0: all); simulated: how many (0: `SIMULATED_DAYS`).
    :raises NotWritten: there is no notebook yet.
    """
    out = out or sys.stdout
    catalogue = the_catalogue()
    if simulated:
        days = days or SIMULATED_DAYS
        out.write(
            f"模拟的 {days} 天，不是真实大厅 | {days} simulated days, no real hall (load {LOADS[0]:.2f}–{LOADS[1]:.2f},"
            f" 30 % priority; {TAUGHT} days before them taught)\n"
        )
        _print_backtest(count(simulated_cases(days, seed)), catalogue, out)
        return 0
    house = open_running_house(hall_file)
    with closing(open_reader(house.kiosk_db)) as notebook:
        found = count(own_cases(notebook, catalogue, ZoneInfo(house.plan.hall.timezone), days))
        out.write(
            "本厅自己的记录；每天只用之前的日子来估 | this hall's own past, each day estimated from those before\n"
        )
        _print_backtest(found, catalogue, out)
        _print_told(notebook, out)
    return 0


def _print_backtest(found: Backtest, catalogue: Catalogue, out: TextIO) -> None:
    if not found.everybody.count:
        out.write("  还没有可比的等候 | no waits to compare yet\n")
        return
    out.write(found.waited.line("要等的 waited"))
    out.write(found.everybody.line("所有人 everybody"))
    for lane, name in (("priority", "优先 priority"), ("normal", "普通 normal")):
        if found.by_lane[lane].count:
            out.write(found.by_lane[lane].line(name))
    for code, score in sorted(found.by_item.items(), key=lambda one: -one[1].count):
        if score.count >= ENOUGH:
            out.write(score.line(code))
    if found.no_window:
        out.write(f"  没有窗口开着，没有估 | no open window, not estimated: {found.no_window}\n")
    words = {True: "达标 met", False: "未达标 missed"}
    out.write(
        f"  误差 MAE ≤ 3 min 或 or ≤ 25 %: 所有人 everybody {words[found.everybody.met]}, 要等的 waited"
        f" {words[found.waited.met]}   范围守住 75–85 % range held (要等的 waited): {words[found.held]}\n"
    )


def _print_told(notebook: sqlite3.Connection, out: TextIO) -> None:
    """What people were really told when they took their number, against what came."""
    row = notebook.execute(
        "SELECT count(*), avg(abs(wait_ms - told_ms)), avg(wait_ms BETWEEN told_low_ms AND told_high_ms) FROM serves"
        " WHERE told_ms IS NOT NULL AND told_high_ms > 0 AND window_id <> ''"
    ).fetchone()
    if row[0]:
        out.write(
            f"  取号时真正告诉过的 really told: n {row[0]}  MAE {row[1] / MINUTE_MS:.1f} min"
            f"  80 % 范围守住 range held {row[2]:.1%}\n"
        )


# ---------------------------------------------------------------- elders first, and fair


@dataclass(slots=True)
class Fairness:
    """What days of one kind came to."""

    old_ms: list[int] = field(default_factory=list)
    other_ms: list[int] = field(default_factory=list)
    longest_ms: int = 0
    overtaken: int = 0
    days_beyond: int = 0
    modes: Counter[str] = field(default_factory=Counter)

    @property
    def old_p90_min(self) -> float:
        return percentile(self.old_ms, 0.9) / MINUTE_MS

    @property
    def other_p90_min(self) -> float:
        return percentile(self.other_ms, 0.9) / MINUTE_MS

    @property
    def ratio(self) -> float:
        return self.old_p90_min / self.other_p90_min if self.other_p90_min else 0.0

    @property
    def first_come(self) -> float:
        """The part of calls at which the line said that it was first come, first served."""
        return 1 - self.modes["fair"] / max(1, sum(self.modes.values()))


def fair_days(
    days: int,
    load: float | tuple[float, float],
    share: float,
    seed: int = 1,
    policy: Policy = DEFAULT,
    fair: bool = True,
) -> tuple[Fairness, SimulatedHall]:
    """Simulated days at one load (or each at another, between two), by the shipped rule, or first come."""
    hall, chance, found = SimulatedHall(the_catalogue(), seed, policy), random.Random(seed), Fairness()
    for number in range(days):
        day = hall.day(load if isinstance(load, float) else chance.uniform(*load), share, number, fair)
        longest = 0
        for one in day.visitors:
            (found.old_ms if one.lane == "priority" else found.other_ms).append(one.wait_ms)
            longest = max(longest, one.wait_ms)
            found.overtaken = max(found.overtaken, one.overtaken)
        found.longest_ms = max(found.longest_ms, longest)
        found.days_beyond += longest > policy.cap_ms + hall.mean_ms
        found.modes += day.modes
    return found, hall


#: (load, share of priority): what `linli queue fairness` goes through.
CASES: Sequence[tuple[float | tuple[float, float], float]] = (
    ((0.50, 0.85), 0.30),
    (0.85, 0.30),
    (0.85, 0.20),
    (0.85, 0.10),
    (0.80, 0.30),
    (0.70, 0.30),
    (0.60, 0.30),
    (0.50, 0.30),
    (0.85, 0.60),
    (0.85, 1.00),
    (1.10, 0.30),
)


def fairness(*, days: int = 1000, seed: int = 1, out: TextIO | None = None) -> int:
    """Print how the rule treats elders and everybody else, by load and by share of priority, on simulated days."""
    out = out or sys.stdout
    policy = DEFAULT
    mean_min = SimulatedHall(the_catalogue(), seed).mean_ms / MINUTE_MS
    out.write(
        f"每行模拟 {days} 天，不是真实大厅 | {days} simulated days a line, no real hall. 权重 weights"
        f" {policy.weight_normal}:{policy.weight_priority}, 上限 cap {policy.cap_ms // MINUTE_MS} min,"
        f" 办一件 one service {mean_min:.1f} min\n"
        "负荷 load  优先 share   p90 优先 elders  普通 others  比 ratio   最久 longest  超 cap+1 的天 days beyond"
        "   最多被超 overtaken   先来后到 first come   先来后到时最久 longest if all first come\n"
    )
    for load, share in CASES:
        found, _ = fair_days(days, load, share, seed, policy)
        plain, _ = fair_days(days, load, share, seed, policy, fair=False)
        name = f"{load:.2f}" if isinstance(load, float) else f"{load[0]:.2f}–{load[1]:.2f}"
        out.write(
            f"{name:<10} {share:6.0%} {found.old_p90_min:16.1f} {found.other_p90_min:13.1f} {found.ratio:10.2f}"
            f" {found.longest_ms / MINUTE_MS:14.1f} {found.days_beyond:20d} {found.overtaken:25d}"
            f" {found.first_come:18.1%} {plain.longest_ms / MINUTE_MS:30.1f}\n"
        )
        out.flush()
    return 0


# ---------------------------------------------------------------- the rules in force


def policy(hall_file: str | None, out: TextIO | None = None) -> int:
    """Print the rules in force. 1 where a row cannot be used and its default is in force instead."""
    out = out or sys.stdout
    house = open_running_house(hall_file)
    with closing(open_reader(house.kiosk_db)) as notebook:
        found = estimates.policy_of(notebook)
    for key, limits in LIMITS.items():
        value, usual = getattr(found, key), getattr(DEFAULT, key)
        own = "" if value == usual else f"  (默认 default {said(key, usual)})"
        out.write(f"{key:<16} {said(key, value):>8}{own}  {limits.zh} | {limits.en} [{limits.source}]\n")
    for code, value in sorted(found.expected_ms.items()):
        out.write(f"expected_ms      {said('_ms', value):>8}  {code}\n")
    for fault in found.faults:
        out.write(f"✗ {fault.why_zh}；用默认值 | {fault.why_en}; the default is in force\n")
    return 1 if found.faults else 0


def said(key: str, value: int) -> str:
    """A value with its unit, as a person reads it."""
    if not key.endswith("_ms"):
        return str(value)
    return f"{value // MINUTE_MS} min" if value % MINUTE_MS == 0 else f"{value / 1000:g} s"
