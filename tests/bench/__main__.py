"""``make bench``: p50 and p99 with the machine named, beside the floor of the same run and the bar.

``make bench ARGS="loop idle"`` runs some of them, ``ARGS="loop --rounds 1 --seconds 2"`` a short one, ``ARGS="loop
--broker memory"`` without what the disk costs the broker; ``ARGS=--quick`` all of them, shortly. Each bench has a
folder of its own for its hall. Figures, not tests: a bar that is missed is printed, and nothing fails.
``ARGS="peers"`` runs the same load against what people use today (tests/peers/README.md), with options of its own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.bench.called import called
from tests.bench.crowd import crowd
from tests.bench.disk import slowdisk
from tests.bench.display import display
from tests.bench.halls import HALL_BENCHES, disk_floor
from tests.bench.ime import ime
from tests.bench.life import idle, start
from tests.bench.line import estimates, fairness
from tests.bench.loop import Options, burst, loop, sustained
from tests.bench.machine import machine, measurer_words
from tests.bench.pages import kiosk_pages, read_aloud
from tests.bench.paper import paper
from tests.bench.parking import parking
from tests.bench.parking_history import parking_history_size
from tests.bench.parking_map import parking_map
from tests.bench.printer_truth import printer_truth
from tests.bench.stuck import stuck_printer
from tests.bench.taking import taking
from tests.bench.voice import voice
from tests.bench.waits import waits
from tests.peers.__main__ import main as peers
from tests.whole_hall import whole_hall

LOOP_BENCHES: dict[str, Callable[[Options], None]] = {
    "loop": loop,
    "burst": burst,
    "sustained": sustained,
    "slowdisk": slowdisk,
    "parking": parking,
    "parking_map": lambda options: parking_map(options.folder, rounds=options.rounds),
    "crowd": crowd,
    "voice": voice,
    "start": start,
    "idle": idle,
    "estimate": estimates,
    "fairness": fairness,
    "tickets": lambda options: taking(options.folder, rounds=options.rounds),
    "called": lambda options: called(options.folder),
    "display": lambda options: display(options.folder, rounds=options.rounds),
    "stuck_printer": lambda options: stuck_printer(options.folder),
    "parking_history": lambda options: parking_history_size(options.folder, rounds=options.rounds),
    "figures": lambda options: waits(options.folder, rounds=options.rounds),
    "printer_truth": printer_truth,
    "ime": lambda options: ime(options.folder),
}
#: These need a whole hall; one is started for all of them.
WHOLE_HALL = {**HALL_BENCHES, "paper": paper, "kiosk_pages": kiosk_pages, "aloud": read_aloud}


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["peers"]:
        # Other people's programs, some not installed here: never part of a plain run (tests/peers/README.md).
        return peers(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Speed and size, measured.")
    parser.add_argument("bench", nargs="*", help=f"of: {', '.join([*LOOP_BENCHES, *WHOLE_HALL])}")
    parser.add_argument("--rounds", type=int, help="of each case (3)")
    parser.add_argument("--seconds", type=float, help="of each case in a round (5)")
    parser.add_argument("--rates", help="parking messages a second, as 0,500,10000")
    parser.add_argument(
        "--broker", choices=("shipped", "memory"), help="saved at each change, as shipped, or in memory"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one round of two seconds: shows that it runs, no more"
    )
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.bench if name not in LOOP_BENCHES | WHOLE_HALL]:
        parser.error(
            f"no such bench: {', '.join(unknown)}; there are: {', '.join([*LOOP_BENCHES, *WHOLE_HALL])}"
        )
    print(f"machine: {machine()}; {measurer_words()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="linli-bench-") as folder:
        options = Options(Path(folder), rounds=1, seconds=2.0) if asked.quick else Options(Path(folder))
        options = replace(
            options,
            rounds=asked.rounds or options.rounds,
            seconds=asked.seconds or options.seconds,
            broker=asked.broker or "shipped",
            rates=[int(rate) for rate in asked.rates.split(",")] if asked.rates else options.rates,
        )
        run_loop_benches(asked.bench, options, both_brokers=asked.broker is None)
        wanted = [name for name in WHOLE_HALL if name in asked.bench or not asked.bench]
        if wanted:
            disk_floor(Path(folder))
            with whole_hall(Path(folder) / "hall") as hall:
                for name in wanted:
                    print(f"{name}:", flush=True)
                    WHOLE_HALL[name](hall)
    return 0


def run_loop_benches(names: list[str], options: Options, *, both_brokers: bool) -> None:
    for name, bench in LOOP_BENCHES.items():
        if name not in names and names:
            continue
        began_s = time.monotonic()
        print(f"{name}:", flush=True)
        bench(options)
        if bench in (loop, burst) and not names and both_brokers:
            # Once, for comparison: what of it is the disk that our broker writes to at each change.
            bench(replace(options, broker="memory", rounds=1))
        print(f"  ({name}: {time.monotonic() - began_s:.0f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
