"""What the doors hand to the loop, and the one door for other threads."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from devices.messages import Pressed, Released
from gateway.hall.rules import Fact


@dataclass(slots=True)
class Arrival:
    """Something that came in: facts of a device, or an order of the kiosk.

    ``arrived_ns`` is monotonic; ``arrived_ms`` is by the wall clock: a fact that waits for the disk keeps its time.
    ``ack`` tells the broker that the message is on disk (PUBACK). ``answer`` sends an order's answer to whoever
    gave it.
    """

    arrived_ns: int
    arrived_ms: int
    what: str
    facts: tuple[Fact, ...] = ()
    every_ms: int | None = None
    ack: Callable[[], None] | None = None
    order: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    answer: Callable[[dict[str, object]], None] | None = None

    #: what is to be told by its own key: who gave the order, or the device that spoke
    source: str = ""
    #: call, order, pin or telemetry: by which lane it came (gateway/lateness.py)
    lane: str = ""

    def __post_init__(self) -> None:
        if not self.lane:
            self.lane = "order" if self.order else "telemetry"
            for fact in self.facts:
                if isinstance(fact, Pressed):
                    self.lane = "pin" if fact.family == "gpio" else "call"
                    break
                if isinstance(fact, Released) and not fact.level:
                    self.lane = "call"  # its press may have been lost
        if not self.source:
            self.source = self.facts[0].device_id if self.facts else self.what

    @property
    def urgent(self) -> bool:
        """Calls and the kiosk's orders overtake any number of parking updates."""
        return self.lane != "telemetry"


class ThreadDoor:
    """The one door by which another thread (gpiozero's, a connector) enters the loop.

    ``knock(job)`` may be called from any thread; the loop runs the job in its own.
    """

    def __init__(self) -> None:
        self._jobs: deque[Callable[[], None]] = deque()
        self._inside, self._outside = socket.socketpair()
        self._inside.setblocking(False)
        self._outside.setblocking(False)

    def fileno(self) -> int:
        return self._inside.fileno()

    def knock(self, job: Callable[[], None]) -> None:
        self._jobs.append(job)
        try:
            self._outside.send(b"k")
        except BlockingIOError:
            pass  # the pipe is full of knocks already: the loop is on its way

    def open(self) -> None:
        """Called by the loop when the door is readable: run what has gathered."""
        try:
            while self._inside.recv(4096):
                pass
        except BlockingIOError:
            pass
        # Only those that were there: a job that knocks again waits for the next turn.
        for _ in range(len(self._jobs)):
            self._jobs.popleft()()

    def close(self) -> None:
        self._inside.close()
        self._outside.close()
