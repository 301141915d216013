"""What the machine is and how busy: named beside every figure, so that a noisy run is seen as such."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from linli.broker import find_mosquitto

_TICKS = os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """Processor, cores, kernel and the versions that matter, in one line."""
    model = "unknown processor"
    for text in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if text.startswith(("model name", "Model")):
            model = text.partition(":")[2].strip()
            break
    words = [find_mosquitto(), "-h"]
    broker = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()[:1]
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {broker[0] if broker else 'mosquitto ?'}"
    )


def run_first() -> bool:
    """This process before everybody else, where the kernel allows it (root).

    The measurer stands for devices and screens that are machines of their own: that it waits for a processor which
    the hall is using is nothing that the hall does to them. (Seen: a lamp's message read 0.6 ms after it had come.)
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    return True


def measurer_words() -> str:
    """How the measurer runs, for the head of a report: tried on ourselves, and taken back."""
    if not run_first():
        return "the measurer waits for a processor like everybody else (root only may let it run first)"
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return "the measurer and the floor's process run before everybody else (SCHED_FIFO)"


def cpu_s(pid: int) -> float:
    """Processor time of a process and its threads, in seconds; to the nanosecond where the kernel counts it so."""
    spent_ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            spent_ns += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    if spent_ns:
        return spent_ns / 1e9
    spent = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(spent[11]) + int(spent[12])) / _TICKS


def resident_mb(pid: int) -> tuple[float, float]:
    """Resident memory now and at its peak, in MB (10^6 bytes)."""
    sizes = {}
    for row in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if row.startswith(("VmRSS", "VmHWM")):
            sizes[row.split(":")[0]] = int(row.split()[1]) * 1024 / 1e6
    return sizes["VmRSS"], sizes["VmHWM"]


def _busy_s() -> float:
    """Seconds that all cores together were busy since boot, the host's theft included."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text(encoding="ascii").split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / _TICKS


class Stopwatch:
    """Processor time of named processes between two moments, and what others used meanwhile.

    ``cores`` after :meth:`stop`: name → share of one core; ``foreign``: cores kept busy by none of ours.

    :param helpers: measurer and flood, our children. They run already and have ended, and are waited for, at the stop.
    """

    def __init__(self, pids: Mapping[str, int], helpers: Iterable[int] = ()) -> None:
        self._pids = dict(pids)
        self._before = {name: cpu_s(pid) for name, pid in self._pids.items()}
        # What a child used is counted as ours when it has ended, its start included: that part was before our time.
        self._own_s = _own_s() + sum(cpu_s(pid) for pid in helpers)
        self._busy_s = _busy_s()
        self._began_s = time.monotonic()
        self.cores: dict[str, float] = {}
        self.wall_s = self.foreign = 0.0

    def stop(self) -> None:
        self.wall_s = time.monotonic() - self._began_s
        spent_s = {name: cpu_s(pid) - self._before[name] for name, pid in self._pids.items()}
        self.cores = {name: one / self.wall_s for name, one in spent_s.items()}
        others_s = (_busy_s() - self._busy_s) - sum(spent_s.values()) - (_own_s() - self._own_s)
        self.foreign = max(0.0, others_s / self.wall_s)


def _own_s() -> float:
    mine = os.times()
    return mine.user + mine.system + mine.children_user + mine.children_system
