"""What a process tells systemd: ready, still turning, stopping. Says nothing where systemd does not listen.

    notifier = begin_notifier()
    notifier.ready()
    while turning:
        notifier.beat()      # every turn: it decides itself whether anything is due

The watchdog is fed by the loop that does the work and by nothing else: a beat from a helper thread would say
"alive" of a loop that hangs. (gunicorn sends none at all, so WatchdogSec= kills it while it is healthy.)
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping

from devices.clock import mono_s


class Notifier:
    """One process's line to its service manager (sd_notify(3)). Every method is cheap and never raises."""

    def __init__(self, address: str, watchdog_us: int, clock: Callable[[], float]) -> None:
        """
        :param address: systemd's datagram socket; "@..." is in the abstract namespace; "" means nobody listens.
        :param watchdog_us: microseconds without a beat after which systemd restarts us; 0 means it does not.
        """
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._clock = clock
        # A quarter: sd_watchdog_enabled(3) asks for at least a half, and one late turn must not look like a death.
        self.beat_every_s = watchdog_us / 4_000_000
        self._next_beat = float("-inf") if watchdog_us else float("inf")
        self._status = ""
        self.unheard = 0
        self._socket: socket.socket | None = None
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    def ready(self) -> None:
        """All doors are open."""
        self._tell("READY=1")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``; sent when it changes."""
        if text != self._status:
            self._status = text
            self._tell("STATUS=" + " ".join(text.split()))

    def beat(self) -> None:
        """This turn of the loop was made. Sends at most every quarter of the watchdog's time."""
        now = self._clock()
        if now >= self._next_beat:
            self._next_beat = now + self.beat_every_s
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """We were asked to go and are closing the doors."""
        self._tell("STOPPING=1")

    def close(self) -> None:
        """Hang up; what is said after this is said to nobody."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, words: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(words.encode("utf-8"), self._address)
        except OSError:
            self.unheard += 1  # systemd is re-executing itself or gone; the next beat tries again


def begin_notifier(
    environ: Mapping[str, str] = os.environ, *, clock: Callable[[], float] = mono_s
) -> Notifier:
    """The notifier that systemd's environment asks for; a silent one on a desk."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return Notifier("", 0, clock)
    meant_for = environ.get("WATCHDOG_PID", "")
    watchdog = environ.get("WATCHDOG_USEC", "") if meant_for in ("", str(os.getpid())) else ""
    return Notifier(address, int(watchdog) if watchdog.isascii() and watchdog.isdigit() else 0, clock)
