"""The truth about a printer, timed: something happens to it → bridge.db says so.

The bridge is the real process, the printer a virtual one at the other end of a pseudo-terminal. Taken from the moment
in which the printer changes; bridge.db is looked at every 2 ms.
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

from tests.bench.halls import line
from tests.bench.loop import Options
from tests.firmware_bridge.paper_hall import Hall

ROUNDS = 30
LOOK_EVERY_S = 0.002
#: What is done, with what; what is then said; what ends it; the bar in ms: 300 for what the printer says by itself.
CASES: list[tuple[str, dict[str, str], str, str, int]] = [
    ("paper_low", {}, "paper_low", "paper_in", 300),
    ("paper_out", {}, "paper_out", "paper_in", 300),
    ("cover_open", {}, "cover_open", "cover_close", 300),
    ("jam", {}, "cutter_error", "clear", 300),
    ("trouble", {"what": "hot"}, "recoverable", "clear", 300),
    ("trouble", {"what": "unrecoverable"}, "unrecoverable", "clear", 300),
    ("offline", {}, "offline", "online", 300),
    ("garbage", {}, "garbage", "clean", 3000),
    ("silent", {}, "silent", "talk", 3000),
    ("power_off", {}, "silent", "power_on", 3000),
    ("flow_stop", {}, "flow_stopped", "flow_go", 3000),
    ("unplug", {}, "port_missing", "plug", 300),
]


def printer_truth(options: Options) -> None:
    """State change at the printer → state in bridge.db, and back to well."""
    rounds = ROUNDS if options.rounds > 1 else 3
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="truth-") as folder:
        hall = Hall(Path(folder))
        hall.printer.start()
        hall.panel.start()
        try:
            hall.start_bridge()
            hall.printer.do("handshake", how="soft")
            with closing(sqlite3.connect(f"file:{hall.home}/bridge.db?mode=ro", uri=True)) as book:

                def wait(state: str) -> float:
                    began = time.perf_counter()
                    while book.execute("SELECT state FROM printers WHERE printer = 'hall'").fetchone()[0] != state:
                        if time.perf_counter() - began > 15:
                            raise TimeoutError(f"never {state}: {hall.printer_row()}, {hall.printer.state()}")
                        threading.Event().wait(LOOK_EVERY_S)
                    return (time.perf_counter() - began) * 1000

                wait("ready")
                for does, how, said, well, bar in CASES:
                    there, back = [], []
                    few = min(rounds, 8) if bar > 300 else rounds
                    for number in range(few):
                        # Not in step with the bridge's own questions, which come once a second.
                        threading.Event().wait(0.05 + 0.937 * number / few)
                        hall.printer.do(does, **how)
                        there.append(wait(said))
                        hall.printer.do(well)
                        back.append(wait("ready"))
                    line(f"{does}{' ' + how['what'] if how else ''} → {said}", there, f"{bar} ms")
                    line(f"  {well} → ready", back, "-")
        finally:
            hall.close()
