"""Lines that `linli run` says itself. A reader that has gone away stops nobody."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from devices.clock import wall_s


def say_line(text: str) -> None:
    print_line(f"{time.strftime('%H:%M:%S', time.localtime(wall_s()))} {'linli':<8} {text}", sys.stderr)


def print_line(text: str, stream: TextIO | None = None) -> None:
    try:
        # In one piece: the parts of the hall write to the same terminal.
        stream = stream or sys.stdout
        stream.write(text + "\n")
        stream.flush()
    except OSError:
        pass  # the terminal or the pipe is gone; the hall goes on without it
