"""How a gateway begins and how it rests: ``start`` with a long journal, ``idle``."""

from __future__ import annotations

import os
import select
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from gateway.notebook import Notebook
from tests.bench.figures import Bar, median, spread
from tests.bench.loop import Options
from tests.bench.machine import Stopwatch, resident_mb
from tests.bench.stage import Stage, stage
from tests.parts import ROOT, Device, Process

#: Years of a large hall.
EVENTS = 1_000_000
CALLS = 100_000


def start(options: Options) -> None:
    """From the process's start to "ready" and to the first press on disk, with a journal of a million events."""
    home = options.folder / "start"
    with stage(home, broker=options.broker) as hall:
        hall.furnish()
        device = Device(hall.broker.port, "linli/v1/button/press-0001/written")
        hall.stop("gateway")
        _fill(home / "gateway.db")
        ready, written, after_kill = [], [], []
        for turn in range(max(3, options.rounds)):
            ready_ms, written_ms, process = _begin(hall, device, f"{turn:016x}")
            ready.append(ready_ms)
            written.append(written_ms)
            process.kill()
            ready_ms, _, process = _begin(hall, device, f"{turn + 1000:016x}")
            after_kill.append(ready_ms)
            process.stop()
        device.close()
    size_mb = (home / "gateway.db").stat().st_size / 1e6
    print(f" start with a journal of {EVENTS:,} events and {CALLS:,} calls ({size_mb:.0f} MB)")
    for words, values, bar in (
        ("process started → ready", ready, Bar(1000.0, "1000").verdict(median(ready))),
        ("the same after a kill -9", after_kill, Bar(1000.0, "1000").verdict(median(after_kill))),
        ("process started → a press that waited is written", written, ""),
    ):
        print(f"  {words:<52} {spread(values, 0):>20} ms  {bar}")


def idle(options: Options) -> None:
    """A furnished hall in which nothing happens."""
    with stage(options.folder / "idle", broker=options.broker) as hall:
        hall.furnish(bays=50, buttons=50)
        select.select([], [], [], 1.0)
        watch = Stopwatch(hall.pids)
        seconds = 6 * options.seconds
        select.select([], [], [], seconds)
        watch.stop()
        core = watch.cores["gateway"]
        now_mb, peak_mb = resident_mb(hall.pids["gateway"])
    print(f" nothing happens, for {seconds:.0f} s, in a hall of 50 buttons and 50 bays")
    print(
        f"  gateway: {core * 100:.2f} % of a core {Bar(0.01, '1 %').verdict(core)}; resident {now_mb:.1f} MB "
        f"{Bar(40.0, '40').verdict(now_mb)} (peak {peak_mb:.1f}); mosquitto {watch.cores['mosquitto'] * 100:.2f} %; "
        f"foreign {watch.foreign:.2f} cores"
    )


def _begin(hall: Stage, device: Device, boot: str) -> tuple[float, float, Process]:
    """Start the gateway, a press waiting for it at the broker. Milliseconds to "ready" and to "written"."""
    device.press("press-0001", boot, 1)
    began_s = time.monotonic()
    process = Process("gateway", {**hall.environ, "PYTHONUNBUFFERED": "1"})
    process.wait_line("gateway ready")
    ready_ms = (time.monotonic() - began_s) * 1000
    device.wait_heard("linli/v1/button/press-0001/written", boot=boot)
    return ready_ms, (time.monotonic() - began_s) * 1000, process


def _fill(path: Path) -> None:
    """A hundred thousand calls of the last three years, closed, ten journal lines each; all of it in one go."""
    Notebook(path, ROOT / "gateway" / "schema").close()
    now_ms = time.time_ns() // 1_000_000
    step_ms = 3 * 365 * 86_400_000 // CALLS
    with closing(sqlite3.connect(path, isolation_level=None)) as book:
        book.execute("BEGIN")
        book.executemany(
            "INSERT INTO calls(call_id, state, kind, device_id, device_name, claimed, place, person, presses, button,"
            " opened_ms, last_press_ms, accepted_ms, accepted_by, closed_ms, closed_by, outcome)"
            " VALUES (?, 'CLOSED', 'emergency', ?, '3栋', 1, '3栋', '张奶奶', 1, 1,"
            " ?, ?, ?, '小李', ?, '小李', 'helped')",
            (
                (number, f"press-{number % 200 + 1:04d}", *[now_ms - (CALLS - number) * step_ms] * 4)
                for number in range(1, CALLS + 1)
            ),
        )
        book.executemany(
            "INSERT INTO presses(device_id, press_id, call_id, at_ms) VALUES (?, ?, ?, ?)",
            (
                (
                    f"press-{number % 200 + 1:04d}",
                    f"old:{number}",
                    number,
                    now_ms - (CALLS - number) * step_ms,
                )
                for number in range(1, CALLS + 1)
            ),
        )
        book.executemany(
            "INSERT INTO journal(at_ms, event, subject, actor, detail) VALUES (?, 'Pressed', ?, 'bench', 'old')",
            ((now_ms - (EVENTS - line) * step_ms // 10, f"call:{line // 10}") for line in range(EVENTS)),
        )
        book.execute("COMMIT")
        book.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    os.sync()
