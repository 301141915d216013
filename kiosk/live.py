"""The hub: what has happened, told at once to every screen that listens (server-sent events).

Channels: "hall" carries nothing personal and feeds screens that anybody can see; "staff" carries calls with names
and places. Each listener holds one thread of the server and has a bounded queue: one that is too slow is told to
come again (it then begins with a fresh state) and delays nobody. Their number is bounded, so that streams can never
use up the threads that answer touches; and the hall's own share is bounded, because anybody may open one: strangers
can never take the places from which the staff's consoles ring.

An event is encoded once for all, and what became known together is told together: one hand-over a screen, however
many facts. Where a screen has heard everything so far, whoever tells hands it the bytes by the straight way
(``straight.py``); otherwise they are put into its queue and its own thread sends them.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from devices.clock import mono_s
from devices.faults import OutsideDown
from kiosk.straight import StraightWay

#: Streams at once; the server has 48 threads (``__main__``), so 16 always remain for touches.
LISTENERS_AT_MOST = 32
#: Of these, streams without staff: a hall has a few displays and kiosks; the other 16 places are kept for consoles.
HALL_AT_MOST = 16
#: Events after which a slow listener is sent away. A burst of a whole hall (a power cut: 200 buttons) fits, and what
#: became known together (all of a gateway's word that was read at once) is never cut in two.
BEHIND_AT_MOST = 256
#: live.js rebuilds the stream after 25 s without one.
HEARTBEAT_S = 10.0

#: The channel of those who have signed in.
STAFF = "staff"

Guard = Callable[[], bool]


def sse(event: str, data: dict[str, Any]) -> bytes:
    """One event as the wire wants it (WHATWG HTML, server-sent events)."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


#: An event's name and its fields.
Fact = tuple[str, dict[str, Any]]


class Told:
    """What is told at one moment: an event, or several that became known together. Its bytes are made once for all."""

    __slots__ = ("facts", "line", "veiled")

    def __init__(self, facts: Sequence[Fact], line: bytes | None = None) -> None:
        self.facts = facts
        self.line = b"".join(sse(event, data) for event, data in facts) if line is None else line
        self.veiled: bytes | None = None
        """The bytes for a locked screen, once somebody has made them (console/live.py)."""


#: How an event is said to one listener at this moment; None: its own thread has to see to it.
Dress = Callable[[Told], bytes | None]

#: Every stream begins with it: the browser comes back after a second (WHATWG HTML, 9.2.6).
RETRY = Told((), b"retry: 1000\n\n")
HEARTBEAT = Told([("heartbeat", {})])


class TooManyListeners(OutsideDown):
    """All streams are taken; the page polls instead and tries again later."""


class Hub:
    """Where facts are told. Every method may be called from any thread and none waits."""

    def __init__(
        self,
        *,
        listeners_at_most: int = LISTENERS_AT_MOST,
        hall_at_most: int = HALL_AT_MOST,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._closed = False
        self._at_most = listeners_at_most
        self._hall_at_most = hall_at_most
        self._heartbeat_s = heartbeat_s
        self.dropped = 0
        """Listeners that were too slow, since start."""
        self.on_consoles: Callable[[], None] = _nothing
        """Called when a console begins or ends to listen; must not wait."""

    @property
    def listeners(self) -> int:
        return len(self._streams)

    def listeners_of(self, channel: str) -> int:
        """How many hear this channel."""
        with self._lock:
            return sum(channel in stream.channels for stream in self._streams)

    @property
    def consoles(self) -> int:
        """How many consoles of signed-in staff listen; a locked one rings and counts."""
        with self._lock:
            return sum(stream.is_console for stream in self._streams)

    def listens(self, channel: str) -> bool:
        """Whether anybody would hear: what is costly to gather need not be gathered for nobody."""
        with self._lock:
            return any(channel in stream.channels for stream in self._streams)

    def publish(self, channel: str, event: str, data: dict[str, Any]) -> None:
        """Tell everybody on ``channel``."""
        self.publish_all(channel, [(event, data)])

    def publish_all(self, channel: str, facts: Sequence[Fact]) -> None:
        """Tell everybody on ``channel`` what became known together: as many events, in this order, in one piece."""
        with self._lock:
            hearing = [stream for stream in self._streams if channel in stream.channels]
        if not hearing:
            return
        told = Told(facts)
        for stream in hearing:
            if not stream.offer(told):
                with self._lock:
                    self.dropped += 1
                self.forget(stream)

    def stream(
        self,
        channels: str | Iterable[str],
        initial: Iterable[tuple[str, dict[str, Any]]] = (),
        guard: Guard | None = None,
    ) -> Stream:
        """A new listener: first ``initial`` (event, data) pairs, then what is published from this moment on.

        Gather ``initial`` *after* calling this where a gap would hurt, with `Stream.begin_with`.
        ``guard`` is asked before each event and heartbeat; when it says False the stream ends (signed out).

        :raises TooManyListeners: answered with 503.
        """
        self._let_go()
        wanted = frozenset([channels] if isinstance(channels, str) else channels)
        stream = Stream(self, wanted, guard, self._heartbeat_s)
        with self._lock:
            if self._closed or len(self._streams) >= self._at_most:
                raise TooManyListeners(f"{len(self._streams)} screens are listening already")
            public = sum(STAFF not in one.channels for one in self._streams)
            if STAFF not in wanted and public >= self._hall_at_most:
                raise TooManyListeners(f"{public} screens of the hall are listening already")
            self._streams.add(stream)
        stream.begin_with(initial)
        if stream.is_console:
            self.on_consoles()
        return stream

    def _let_go(self) -> None:
        """Give back the places of screens that have gone: each page of the console listens, and whoever turns pages
        quickly would hold all places until the next heartbeat finds him gone."""
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            if stream.is_gone():
                stream.cut()
                self.forget(stream)

    def forget(self, stream: Stream) -> None:
        with self._lock:
            known = stream in self._streams
            self._streams.discard(stream)
        if known and stream.is_console:
            self.on_consoles()

    def close(self) -> None:
        """End all streams, at once: the process is closing."""
        with self._lock:
            self._closed = True
            streams, self._streams = list(self._streams), set()
        for stream in streams:
            stream.end()


def _nothing() -> None:
    """Nobody wants to know."""


class Stream(Iterator[bytes]):
    """One listener's events as bytes. A class, not a generator: it must be forgotten even if never begun."""

    def __init__(self, hub: Hub, channels: frozenset[str], guard: Guard | None, heartbeat_s: float) -> None:
        self.channels = channels
        #: who listens on the staff's channel under a guard is a person's console
        self.is_console = STAFF in channels and guard is not None
        self._hub = hub
        self._guard = guard
        self._heartbeat_s = heartbeat_s
        self._first: list[Told] = [RETRY]
        self._turn = threading.Condition()
        self._waiting: deque[Told] = deque()
        self._behind = 0  # events in `_waiting`
        self._rests = False  # its thread waits in next_told: whatever it was given before is with the socket
        self._way: StraightWay | None = None
        self._dress: Dress = _as_it_is
        self._ended = False

    def begin_with(self, initial: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Say this first. Where ``initial`` is gathered while it is read and that fails, the place is given back."""
        try:
            self._first.extend(Told([fact]) for fact in initial)
        except BaseException:
            self.close()
            raise

    def go_straight(self, way: StraightWay | None, dress: Dress | None = None) -> None:
        """From its first words on, events are handed to ``way`` by whoever tells them.

        :param dress: asked before each of them, in place of the guard, by the thread that tells.
        """
        self._way, self._dress = way, dress or _as_it_is

    def offer(self, told: Told) -> bool:
        """Hand it what is told; False (and the stream's end) where it is too far behind. Never waits for the screen."""
        with self._turn:
            if self._ended:
                return True  # nothing more is said to it, and that is nobody's fault
            if self._way is not None and self._rests and not self._waiting:
                line = self._dress(told)
                if line is not None and self._way.send(line):
                    return True
            self._turn.notify()
            if self._behind < BEHIND_AT_MOST:
                self._waiting.append(told)
                self._behind += len(told.facts)
                return True
            self._ended = True
            if self._way is not None:
                self._way.cut()
            return False

    def end(self) -> None:
        with self._turn:
            self._ended = True
            self._turn.notify()

    def is_gone(self) -> bool:
        """Whether its screen has left; False where nobody can tell (no straight way)."""
        return self._way is not None and self._way.is_gone()

    def cut(self) -> None:
        """End it and its connection, so that its thread is free at once."""
        self.end()
        if self._way is not None:
            self._way.cut()

    def next_told(self) -> Told:
        """What this listener is to hear next; waits, and beats after `HEARTBEAT_S` of silence.

        :raises StopIteration: it has ended: too slow, signed out, or the process is closing.
        """
        if self._ended or not self._is_welcome():
            raise self._over()
        if self._first:
            return self._first.pop(0)
        with self._turn:
            self._rests = True
            until_s = mono_s() + self._heartbeat_s
            while not self._waiting and not self._ended:
                if not self._turn.wait(until_s - mono_s()):
                    break
            self._rests = False
            if self._waiting:
                told = self._waiting.popleft()
                self._behind -= len(told.facts)
            else:
                told = HEARTBEAT
        if self._ended or not self._is_welcome():
            raise self._over()
        return told

    def __next__(self) -> bytes:
        told = self.next_told()
        first, self._first = self._first, []
        return b"".join([told.line, *(one.line for one in first)])

    def _is_welcome(self) -> bool:
        return self._guard is None or self._guard()

    def _over(self) -> StopIteration:
        self.close()
        return StopIteration()

    def close(self) -> None:
        """Called by the server when the other side has gone."""
        self._ended = True
        self._hub.forget(self)


def _as_it_is(told: Told) -> bytes:
    return told.line
