"""The clock of the house: the one file that reads the time. Everything else asks here, or is handed the time.

A Raspberry Pi has no clock battery, so which of two clocks is meant is never left open: the *wall* clock is what a
person would read, and may jump; the *monotonic* clock only passes. What is stored is wall time (UTC milliseconds,
``…_ms``), what waits goes by the monotonic clock (``…_s``, ``…_ns``). Rules are handed both and read neither.
"""

from __future__ import annotations

import time


def wall_ms() -> int:
    """Wall time, UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def wall_s() -> float:
    """Wall time, UTC seconds since 1970, as file times are."""
    return time.time()


def mono_s() -> float:
    """Monotonic seconds: no clock jump touches them; they begin anew with the kernel."""
    return time.monotonic()


def mono_ns() -> int:
    """Monotonic nanoseconds."""
    return time.monotonic_ns()
