"""The loop under load: ``loop``, ``burst``, ``sustained``.

A case is one rate of parking messages beside the presses. The rounds are interleaved (floor, then every case, then
again), because a shared machine has good and bad minutes; the table shows the median of the rounds and their range.
"""

from __future__ import annotations

import math
import select
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.figures import Bar, Floor, median, percentile, press_bars, spread
from tests.bench.floor import floor_lines, measure_floor
from tests.bench.machine import Stopwatch, cpu_s, resident_mb
from tests.bench.presser import Plan, Presser
from tests.bench.stage import Stage, pid_of, stage, start_broker
from tests.flood import Flood

#: Presses a second beside the load: far more than any hall's, so that one case has hundreds of them.
PRESSES_A_S = 100
#: The flood runs so long before the first press: its bays' first words change half of them.
WARM_UP_S = 0.7
#: Telemetry may wait 250 ms for its commit; what is on disk within a second of the last word had no backlog before it.
SETTLED_MS = 1000.0
#: What the hop through the kiosk's process may add.
KIOSK_MS = 0.5

SIGNS = {
    "lamp": "press → lamp",
    "written": 'press → "written"',
    "doorbell": "press → doorbell",
    "console": "press → console (SSE)",
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for. ``rates``: parking messages a second."""

    folder: Path
    rounds: int = 3
    seconds: float = 5.0
    rates: Sequence[int] = (0, 500, 2000, 5000, 10_000)
    broker: str = "shipped"


@dataclass(slots=True)
class Run:
    """One case of one round."""

    ms: dict[str, list[float]]
    unanswered: dict[str, int]
    lost: int
    doubled: int
    settled_ms: float
    wrong_bays: int
    flood: dict[str, Any]
    cores: dict[str, float]
    foreign: float
    resident_mb: float
    lag_p99_ms: float
    console_breaks: int
    sent: int
    #: the loop's own account of its time, ms in each phase
    phases: dict[str, float]


@dataclass(slots=True)
class Case:
    """All rounds of one case."""

    runs: list[Run] = field(default_factory=list)

    def of(self, sign: str, share: float) -> list[float]:
        """This percentile of each round. A sign that never came took for ever."""
        return [
            percentile(run.ms.get(sign, []) + [math.inf] * run.unanswered[sign], share) for run in self.runs
        ]

    def core(self, name: str) -> float:
        return median([run.cores[name] for run in self.runs])


def run_case(
    hall: Stage,
    parking: int,
    number: int,
    *,
    beside: Mapping[str, int] | None = None,
    flood_words: Sequence[str] = (),
    **plan: Any,
) -> Run:
    """Press beside a flood of ``parking`` messages a second; what came back, what was stored, what it cost.

    ``number`` makes the boot of the presses and the flood's dice; ``beside``: further processes of ours, name → pid;
    ``flood_words``: further arguments of the flood.
    """
    boot = f"{number:016x}"
    presser = Presser(Plan(hall.broker.port, boot=boot, seed=number, desk=str(hall.socket), **plan))
    flood = Flood(hall.broker.port, parking, "--seed", str(number), *flood_words) if parking else None
    select.select([], [], [], WARM_UP_S)
    before = _phases(hall)
    watch = Stopwatch({**hall.pids, **(beside or {})}, [presser.pid] + ([flood.pid] if flood else []))
    report = presser.measure()
    told = flood.stop() if flood else {}
    watch.stop()
    phases = {name: ms - before.get(name, 0.0) for name, ms in _phases(hall).items()}
    settled_ms, wrong = hall.settled_ms(told["final"], told["ended_ns"]) if told else (0.0, 0)
    lost, doubled = hall.lost_and_doubled(boot, report["sent"])
    return Run(
        report["ms"],
        report["unanswered"],
        lost,
        doubled,
        settled_ms,
        wrong,
        told,
        watch.cores,
        watch.foreign,
        resident_mb(hall.pids["gateway"])[0],
        percentile(report["lag_ms"], 0.99),
        report["console_breaks"],
        report["sent"],
        phases,
    )


def _phases(hall: Stage) -> dict[str, float]:
    return {name: one["total_ms"] for name, one in hall.statistics()["phases"].items()}


def loop(options: Options) -> None:
    """Press → lamp, doorbell and console at each rate, beside the floor of the same rounds."""
    floors: list[Floor] = []
    back_to_back: list[float] = []
    bare: dict[int, Case] = {rate: Case() for rate in options.rates}
    whole: dict[int, Case] = {rate: Case() for rate in options.rates}
    presses = int(options.seconds * PRESSES_A_S)
    for turn in range(options.rounds):
        folder = options.folder / f"loop-{options.broker}-{turn}"
        with bare_broker(folder / "floor", options.broker) as port:
            floor, alone = measure_floor(folder / "floor", port, seconds=min(2.0, options.seconds))
        floors.append(floor)
        back_to_back.append(alone)
        for faces, cases in ((False, bare), (True, whole)):
            with stage(folder / ("whole" if faces else "bare"), broker=options.broker, faces=faces) as hall:
                hall.furnish()
                plan: dict[str, Any] = {"rate": PRESSES_A_S, "presses": presses}
                if faces:
                    plan |= {"console_port": hall.http_port, "console_cookie": hall.cookie}
                for number, rate in enumerate(options.rates, 1):
                    cases[rate].runs.append(run_case(hall, rate, 100 * (turn + 1) + number, **plan))
    print(
        f" press beside parking messages, broker as {options.broker}, {options.rounds} rounds of {presses} presses"
    )
    for text in floor_lines(floors, back_to_back):
        print(text)
    print(" gateway and broker alone (p50 and p99 in ms, the median of the rounds [their range])")
    _table(bare, floors, ("lamp", "doorbell", "written"))
    print(" the whole hall, a staff console listening")
    _table(whole, floors, ("lamp", "console"))


def burst(options: Options) -> None:
    """1,500 presses a second: every resident of a compound at once, and then some."""
    case = Case()
    presses = int(min(3.0, options.seconds) * 1500)
    for turn in range(options.rounds):
        with stage(options.folder / f"burst-{options.broker}-{turn}", broker=options.broker) as hall:
            hall.furnish(bays=0, buttons=500)
            # A short one first: 500 new calls at once are one story, presses into open calls another.
            run_case(hall, 0, 1, rate=300, presses=500, buttons=500, close_calls=False)
            case.runs.append(run_case(hall, 0, 2, rate=1500, presses=presses, buttons=500, close_calls=False))
    print(
        f" a burst of 1,500 presses/s, broker as {options.broker}, {options.rounds} rounds of {presses} presses"
    )
    for sign in ("lamp", "doorbell"):
        print_sign(case, sign, "", Bar(0.6, "0.6"), Bar(5.0, "5"))
    print_load(case, "")


def sustained(options: Options) -> None:
    """Telemetry alone: does a backlog grow, and what does one message cost the gateway at each rate?"""
    rates = (0, 500, 2000, 10_000, 30_000, 40_000)
    rows: dict[int, list[_Telemetry]] = {rate: [] for rate in rates}
    for turn in range(max(1, options.rounds // 2)):
        with stage(options.folder / f"sustained-{turn}", broker=options.broker) as hall:
            hall.furnish(buttons=0)
            for number, rate in enumerate(rates, 1):
                rows[rate].append(_telemetry(hall, rate, number, options.seconds))
    print(" parking messages alone; settled: the last word of every bay stored, after it was sent")
    idle = median([row.cores["gateway"] for row in rows[0]])
    costs: dict[int, float] = {}
    for rate in rates[1:]:
        row = sorted(rows[rate], key=lambda one: one.settled_ms)[len(rows[rate]) // 2]
        core = median([one.cores["gateway"] for one in rows[rate]])
        costs[rate] = median(
            [(one.gateway_s - idle * one.wall_s) / one.flood["sent"] * 1e6 for one in rows[rate]]
        )
        bar = Bar(0.4, "0.4").verdict(core) if rate == 10_000 else ""
        keeps_up = row.settled_ms <= SETTLED_MS and not row.wrong and row.flood["behind_end"] < rate * 0.05
        backlog = ("met" if keeps_up else "MISSED") if rate == 30_000 else ("yes" if keeps_up else "no")
        print(
            f"  {rate:>6}/s (sent {row.flood['sent'] / row.flood['seconds']:6.0f}/s)  no backlog: {backlog:<6} "
            f"settled after {row.settled_ms:6.0f} ms, {row.wrong} bays wrong   gateway {core:.3f} cores {bar:<12} "
            f"{costs[rate]:6.1f} µs a message   mosquitto {row.cores['mosquitto']:.2f}   foreign {row.foreign:.2f}"
        )
    falls = costs[500] >= costs[2000] >= costs[10_000]
    print(f"  cost per message falls with the rate, 500 → 2,000 → 10,000/s: {'met' if falls else 'MISSED'}")


@dataclass(frozen=True, slots=True)
class _Telemetry:
    flood: dict[str, Any]
    settled_ms: float
    wrong: int
    cores: dict[str, float]
    foreign: float
    gateway_s: float
    """the gateway's processor time from the first message until the last was settled"""
    wall_s: float


def _telemetry(hall: Stage, rate: int, number: int, seconds: float) -> _Telemetry:
    began_s, spent_s = time.monotonic(), cpu_s(hall.pids["gateway"])
    flood = Flood(hall.broker.port, rate, "--seed", str(number)) if rate else None
    select.select([], [], [], WARM_UP_S)
    watch = Stopwatch(hall.pids, [flood.pid] if flood else [])
    select.select([], [], [], seconds)
    told = flood.stop() if flood else {}
    watch.stop()
    settled_ms, wrong = hall.settled_ms(told["final"], told["ended_ns"]) if told else (0.0, 0)
    spent_s = cpu_s(hall.pids["gateway"]) - spent_s
    return _Telemetry(
        told, settled_ms, wrong, watch.cores, watch.foreign, spent_s, time.monotonic() - began_s
    )


@contextmanager
def bare_broker(folder: Path, kind: str) -> Iterator[int]:
    """A broker with the same settings to which nothing of ours listens: its port."""
    broker = start_broker(folder / "mosquitto", kind)
    try:
        assert pid_of(broker)
        yield broker.port
    finally:
        broker.close()


def _table(cases: Mapping[int, Case], floors: list[Floor], signs: Sequence[str]) -> None:
    floor_ms = median([one.p50_ms for one in floors])
    for rate, case in cases.items():
        for sign in signs:
            bars: tuple[Bar | None, Bar | None] = (None, None)
            if sign != "written":
                bars = press_bars(floors, more_ms=KIOSK_MS if sign == "console" else 0.0)
            p50 = median(case.of(sign, 0.5))
            print_sign(case, sign, f"{rate:>6}/s", *bars, tail=f"{p50 / floor_ms:.1f} x floor")
        print_load(case, f"{rate:>6}/s")
    rates = sorted(cases)
    if rates[0] == 0 and rates[-1] >= 10_000:
        for sign in [one for one in signs if one != "written"]:
            ratio = median(cases[rates[-1]].of(sign, 0.5)) / median(cases[0].of(sign, 0.5))
            print(
                f"  {SIGNS[sign]}: p50 at {rates[-1]}/s is {ratio:.2f} x idle {Bar(1.2, '1.2').verdict(ratio)}"
            )


def print_sign(
    case: Case, sign: str, where: str, p50: Bar | None, p99: Bar | None, *, tail: str = ""
) -> None:
    def part(share: float, bar: Bar | None) -> str:
        values = case.of(sign, share)
        digits = 2 if median(values) < 100 else 0
        return f"{spread(values, digits):<20} {bar.verdict(median(values)) if bar else '':<13}"

    all_ms = [ms for run in case.runs for ms in run.ms.get(sign, [])]
    print(
        f"  {where} {SIGNS[sign]:<21}  p50 {part(0.5, p50)}  p99 {part(0.99, p99)}  "
        f"max {max(all_ms, default=float('nan')):7.1f}  n {len(all_ms):<5} "
        f"lost {sum(run.lost for run in case.runs)}  doubled {sum(run.doubled for run in case.runs)}  {tail}",
        flush=True,
    )


def print_load(case: Case, where: str) -> None:
    runs = case.runs
    cores = "  ".join(f"{name} {case.core(name):.2f}" for name in runs[0].cores)
    bays = ""
    if runs[0].flood:
        bays = (
            f"bays settled after {max(run.settled_ms for run in runs):.0f} ms at worst, "
            f"{sum(run.wrong_bays for run in runs)} wrong; "
        )
    breaks = sum(run.console_breaks for run in runs)
    never = sum(sum(run.unanswered.values()) for run in runs)
    print(
        f"  {where}   {bays}cores: {cores}  foreign {median([run.foreign for run in runs]):.2f}; gateway "
        f"{max(run.resident_mb for run in runs):.0f} MB; signs that never came {never}; "
        f"the measurer itself late p99 {median([run.lag_p99_ms for run in runs]):.2f} ms"
        + (f"; console sent away {breaks} times" if breaks else ""),
        flush=True,
    )
    spent = {
        name: median([run.phases.get(name, 0.0) / run.sent * 1000 for run in runs]) for name in runs[0].phases
    }
    print(f"  {where}   the loop's time, us a press: " + "  ".join(f"{name} {us:.0f}" for name, us in spent.items()))
