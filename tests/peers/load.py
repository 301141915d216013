"""The load: 100 presses a second beside parking messages, for each peer in turn.

The rounds are interleaved (every peer at one rate, then at the next, then all again), because a shared machine has good
and bad minutes. Each case has a folder, a broker and a start of its own.
"""

from __future__ import annotations

import math
import select
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.figures import median, percentile
from tests.bench.machine import Stopwatch
from tests.bench.presser import Plan, Presser
from tests.flood import Flood
from tests.parts import Mosquitto
from tests.peers.peer import Peer

PRESSES_A_S = 100
#: The flood flows so long before the first press: at 500/s every bay has then spoken once.
WARM_UP_S = 1.0
#: A bay is right at once when it is right this long after the last parking message.
SOON_S = 1.0
#: A peer that has a backlog is watched so long, then it is left.
SETTLE_S = 15.0
_LOOK_S = 0.25
#: Whoever shares the machine is waited for so long before a case, where that is asked for.
LONGEST_QUIET_S = 120.0
#: A peer that answers fewer presses than this share is not asked to carry more.
GIVEN_UP = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for. ``rates``: parking messages a second."""

    folder: Path
    peers: Sequence[type[Peer]]
    rounds: int = 3
    seconds: float = 5.0
    rates: Sequence[int] = (0, 500, 2000, 5000, 10_000)
    quiet_cores: float = math.inf
    """Each case waits until others keep fewer cores busy than this."""


@dataclass(frozen=True, slots=True)
class Run:
    """One case of one round."""

    sent: int
    ms: list[float]
    """press → lamp, of the presses that lit theirs within 10 s of the last press"""
    dark: int
    """presses whose lamp had not been lit by then"""
    unstored: int
    """presses without a row once the peer has settled or is left: lost, or still in its queue"""
    doubled: int
    bays: int
    right_soon: int
    """bays whose row says what their sensor said last, SOON_S after it"""
    settled_s: float
    """after the last parking message, until all are right; inf: not within SETTLE_S"""
    cores: float
    broker_cores: float
    foreign: float
    peak_mb: float


def load(options: Options) -> None:
    """All cases, then the table."""
    runs: dict[tuple[str, int], list[Run]] = defaultdict(list)
    given_up: set[str] = set()
    for turn in range(1, options.rounds + 1):
        for rate in options.rates:
            for kind in options.peers:
                if kind.name in given_up and (kind.name, rate) not in runs:
                    continue
                folder = options.folder / f"{turn}-{rate}-{kind.name}"
                wait_for_quiet(options.quiet_cores)
                run = run_case(kind, folder, rate, options.seconds, 100 * turn + rate)
                runs[kind.name, rate].append(run)
                print(f"  round {turn}: {line(kind.name, rate, [run])}", flush=True)
                if run.dark > GIVEN_UP * run.sent:
                    given_up.add(kind.name)
    print()
    print(HEAD)
    for rate in options.rates:
        for kind in options.peers:
            if case := runs.get((kind.name, rate)):
                print(line(kind.name, rate, case))
            else:
                print(
                    f"| {kind.name} | {rate} | not tried: at a lower rate most lamps stayed dark"
                    + " |" * (len(_COLUMNS) - 2)
                )


def wait_for_quiet(cores: float) -> None:
    """On a shared machine, let others finish first, but wait no longer than LONGEST_QUIET_S."""
    until_s = time.monotonic() + LONGEST_QUIET_S
    while not math.isinf(cores) and time.monotonic() < until_s:
        watch = Stopwatch({})
        select.select([], [], [], 2.0)
        watch.stop()
        if watch.foreign < cores:
            return


def run_case(kind: type[Peer], folder: Path, rate: int, seconds: float, seed: int) -> Run:
    """One peer, one rate: what came back, what was stored, what it cost."""
    boot = f"{seed:016x}"
    broker = Mosquitto(folder / "mosquitto")
    peer = kind(folder / "peer", broker.port)
    try:
        peer.wait_ready()
        presses = int(seconds * PRESSES_A_S)
        presser = Presser(
            Plan(broker.port, rate=PRESSES_A_S, presses=presses, boot=boot, seed=seed, written=False)
        )
        flowing_s = str(WARM_UP_S + seconds)
        flood = Flood(broker.port, rate, "--seconds", flowing_s, "--seed", str(seed)) if rate else None
        select.select([], [], [], WARM_UP_S)
        assert broker._process is not None
        watch = Stopwatch(
            {"peer": peer.pids[0], "broker": broker._process.pid},
            [presser.pid] + ([flood.pid] if flood else []),
        )
        with ThreadPoolExecutor(1) as beside:
            measuring = beside.submit(presser.measure)
            told: dict[str, Any] = flood.stop() if flood else {"final": {}, "ended_ns": time.monotonic_ns()}
            right_soon, settled_s = _settle(peer, told["final"], told["ended_ns"])
            report = measuring.result()
        watch.stop()
        rows = peer.press_rows()
        return Run(
            sent=report["sent"],
            ms=report["ms"].get("lamp", []),
            dark=report["unanswered"]["lamp"],
            unstored=report["sent"] - sum(key[1] == boot for key in rows),
            doubled=peer.doubled(),
            bays=len(told["final"]),
            right_soon=right_soon,
            settled_s=settled_s,
            cores=watch.cores["peer"],
            broker_cores=watch.cores["broker"],
            foreign=watch.foreign,
            peak_mb=peer.peak_mb(),
        )
    finally:
        peer.close()
        broker.close()


def _settle(peer: Peer, final: dict[str, bool], ended_ns: int) -> tuple[int, float]:
    """How many bays were right SOON_S after the last message, and when all were."""
    if not final:
        return 0, 0.0
    right_soon: int | None = None
    while True:
        stands = peer.bay_states()
        late_s = (time.monotonic_ns() - ended_ns) / 1e9
        right = sum(stands.get(bay) == state for bay, state in final.items())
        if right_soon is None and (late_s >= SOON_S or right == len(final)):
            right_soon = right
        if right == len(final):
            return right_soon or right, late_s
        if late_s > SETTLE_S:
            return right_soon or 0, math.inf
        select.select([], [], [], _LOOK_S)


_COLUMNS = (
    "peer",
    "parking/s",
    "press → lamp p50 ms",
    "p99 ms",
    "max ms",
    "dark lamps",
    "not stored",
    "doubled",
    "bays right after 1 s",
    "all right after s",
    "cores",
    "broker",
    "peak MB",
    "foreign cores",
)
HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"


def line(name: str, rate: int, runs: Sequence[Run]) -> str:
    """One line of the table: medians of the rounds and their range, sums of what must be 0."""

    def each(share: float) -> str:
        return _spread([percentile([*run.ms, *[math.inf] * run.dark], share) for run in runs])

    sent, bays = sum(run.sent for run in runs), sum(run.bays for run in runs)
    right = f"{100 * sum(run.right_soon for run in runs) / bays:.0f} %" if bays else "–"
    cells = [
        name,
        str(rate),
        each(0.5),
        each(0.99),
        each(1.0),
        f"{sum(run.dark for run in runs)}/{sent}",
        f"{sum(run.unstored for run in runs)}/{sent}",
        str(sum(run.doubled for run in runs)),
        right,
        _spread([run.settled_s for run in runs], 1) if bays else "–",
        f"{median([run.cores for run in runs]):.2f}",
        f"{median([run.broker_cores for run in runs]):.2f}",
        f"{max(run.peak_mb for run in runs):.0f}",
        f"{median([run.foreign for run in runs]):.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _spread(values: Sequence[float], digits: int = 2) -> str:
    """The median of the rounds and their range; "never" for what did not come."""

    def one(value: float) -> str:
        return "never" if math.isinf(value) else f"{value:.{digits if value < 100 else 0}f}"

    if len(values) == 1:
        return one(values[0])
    return f"{one(median(values))} [{one(min(values))}–{one(max(values))}]"
