"""A report's own process, the other side of ``queue_reports.py``: what is wanted as JSON in, the answer as JSON out.

How far it is goes to ``progress`` as lines "done of"; then "told", or "wrong" and the reason.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from typing import Any, BinaryIO, TextIO

from devices.faults import LinliFault

Json = dict[str, Any]
Progress = Callable[[int, int], None]


def answer(work: Callable[[Json, Progress], Json], said: TextIO, out: BinaryIO, progress: TextIO) -> int:
    """Do ``work(wanted, tell)`` below everybody's touches. The process's exit status: 1 where it could not be read."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the kiosk blocks its own: we end when we are told to
    wanted = json.load(said)
    try:
        os.nice(10)  # touches first
    except PermissionError:
        pass  # under systemd nobody may set priorities (linli-kiosk.service, ~@resources)

    def tell(done: int, of: int) -> None:
        print(done, of, file=progress, flush=True)

    try:
        told = work(wanted, tell)
    except (LinliFault, sqlite3.Error) as wrong:
        print(f"wrong {wrong}", file=progress, flush=True)
        return 1
    print("told", file=progress, flush=True)
    out.write(json.dumps(told).encode())
    out.flush()
    return 0
