"""What this machine says of its clock: the edge of ``gateway/hall/clock.py``.

No privilege is needed. Under ``ProtectClock=yes`` the kernel's own word (adjtimex) is refused with EPERM; then
systemd-timesyncd's mark is what is left. With another time service there (chrony) a person confirms the clock, or
``systemd-timesyncd`` is used. A reading costs some 30 microseconds (measured).
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

from gateway.hall.clock import Witness

#: systemd-timesyncd touches it when it has heard a time server; /run is empty after a start of the machine.
SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
#: "1": the kernel has set its clock from this battery-backed one at start (drivers/rtc/hctosys).
FROM_BATTERY = Path("/sys/class/rtc/rtc0/hctosys")
#: There on boards that tell their parts by a device tree: a Raspberry Pi and its like. Desks and their virtual
#: machines have none, and a clock with a battery.
BOARD = Path("/proc/device-tree/model")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_TIME_ERROR = 5  # timex.h: the clock is not synchronised
_libc = ctypes.CDLL(None, use_errno=True)


def read_witness() -> Witness:
    """Ask the machine now."""
    if SYNCHRONISED.exists():
        return Witness(True, _own_clock())
    room = ctypes.create_string_buffer(512)  # struct timex has 208 bytes; modes = 0 only reads
    state = int(_libc.adjtimex(room))
    return Witness(None if state < 0 else state != _TIME_ERROR, _own_clock())


@cache
def _own_clock() -> bool:
    """A clock that goes on without power. It does not change while we run."""
    try:
        return FROM_BATTERY.read_text(encoding="ascii").strip() == "1"
    except OSError:
        return not BOARD.exists()


@cache
def boot_id() -> str:
    """Which run of the kernel this is: within it, monotonic times of all processes compare."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""  # never equal to a boot that was written: the wall clock decides, as for another run
