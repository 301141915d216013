"""Whatever breaks beside it: a press alarms, nothing is called written that is not, and the hall comes back by itself.

``faults [only=…] [depth=3] [sweep=40]``: one case after the other, each on a hall of its own (a real broker, a real
gateway in its own process, shim.c between it and the kernel): broker, gateway and line stopped for up to 20 s, the
broker's and the notebook's disk full, read-only, failing in every place, corrupt at start and under way, the wall clock
moved, memory short, a codec that raises. ``only``: the cases whose names hold these letters; ``depth`` 1 is short;
``sweep``: at how many places a write and an fsync fail. Some cases mount a small disk and need root.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.campaign import _trouble_book as book
from tests.campaign import _trouble_lines as lines
from tests.campaign import _trouble_rest as rest
from tests.campaign._trouble import Outcome
from tests.campaign._words import parameters

CASES: tuple[Callable[[Path, dict[str, int]], Outcome], ...] = (
    lines.stopped_broker,
    lines.stopped_gateway,
    lines.cut_line,
    lines.broker_disk_full,
    lines.broker_forgets,
    book.disk_full,
    book.read_only,
    book.writes_fail,
    book.syncs_fail,
    book.reads_fail,
    book.dead_at_start,
    book.corrupt_at_start,
    book.corrupt_under_way,
    book.every_place,
    rest.wall_clock,
    rest.short_memory,
    rest.raising_codec,
)


def main(words: list[str]) -> int:
    given = parameters(words, only="", depth=3, sweep=40)
    numbers = {name: int(value) for name, value in given.items() if name != "only"}
    failed = 0
    for case in CASES:
        if str(given["only"]) not in case.__name__:
            continue
        began_s = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="linli-faults-") as folder:
            try:
                outcome = case(Path(folder), numbers)
            except (AssertionError, OSError, sqlite3.Error) as wrong:
                # Something waited in vain, or was not there: that is what a fault looks like that did harm.
                outcome = Outcome("", [f"the case stopped with {type(wrong).__name__}: {wrong}"])
        took_s = time.monotonic() - began_s
        verdict = "FAILED" if outcome.bad else "held"
        print(f"  {case.__name__:18} {verdict:6} ({took_s:.0f} s) {outcome.counts}", flush=True)
        for words_of_it in outcome.bad:
            print(f"    ! {words_of_it}", flush=True)
        failed += bool(outcome.bad)
    return 1 if failed else 0
