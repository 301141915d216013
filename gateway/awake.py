"""The processors, kept awake while people press: a request to the kernel (PM QoS), for a second after each call.

A processor with nothing to do halts. Waking it, for the packet, for the disk's answer, for the broker's turn, costs
each time; a press has six such wakings on its way. Measured with 100 presses/s on a machine that sleeps in between
(docs/measurements.md): a sync of the disk 0.50 ms asleep and 0.27 awake, press → lamp 1.6 and 1.0.
While ``/dev/cpu_dma_latency`` holds a 0 the kernel polls instead of halting (Documentation/power/pm_qos_interface).
That costs current, not other programs' time: hence a second only, and never for telemetry. A hall in which nobody
presses sleeps as before. Where the device may not be opened, nothing is kept awake and nothing else changes.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

DEVICE = Path("/dev/cpu_dma_latency")
#: A call is followed by others: the elder presses again, staff take it. Our choice.
AWAKE_NS = 1_000_000_000
#: PM_QOS_CPU_LATENCY_DEFAULT_VALUE: "as you like".
_ANY_US = struct.pack("i", 2_000_000_000)
_NONE_US = struct.pack("i", 0)


class Wakefulness:
    """Asks that no processor goes to sleep, and gives it back. All methods are the loop's and cost microseconds."""

    def __init__(self, device: Path = DEVICE) -> None:
        #: why it cannot be asked for, or ""
        self.why = ""
        self._until_ns = 0
        self._handle = -1
        try:
            self._handle = os.open(device, os.O_WRONLY | os.O_CLOEXEC)
            os.write(self._handle, _ANY_US)  # opening alone asks for 0
        except OSError as wrong:
            self._give_up(wrong)

    @property
    def awake(self) -> bool:
        return self._until_ns > 0

    def pressed(self, now_ns: int) -> None:
        """Somebody calls, or answers: stay awake for a second from now."""
        if self._handle < 0:
            return
        if not self._until_ns:
            self._ask(_NONE_US)
        self._until_ns = now_ns + AWAKE_NS

    def rest(self, now_ns: int) -> None:
        """Sleep again once a second has passed."""
        if self._until_ns and now_ns >= self._until_ns:
            self._until_ns = 0
            self._ask(_ANY_US)

    def close(self) -> None:
        """The kernel forgets what was asked when the handle goes, at a crash too."""
        self._until_ns = 0
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _ask(self, latency_us: bytes) -> None:
        try:
            os.write(self._handle, latency_us)
        except OSError as wrong:
            self._give_up(wrong)

    def _give_up(self, wrong: OSError) -> None:
        self.close()
        self.why = wrong.strerror or str(wrong)
