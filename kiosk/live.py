"""The hub: what has happened, told at once to every screen that listens (server-sent events).

Channels: "hall" carries nothing personal and feeds screens that anybody can see; "staff" carries calls with names
and places. Each listener holds one thread of the server and has a bounded queue: one that is too slow is told to
come again (it then begins with a fresh state) and delays nobody. Their number is bounded, so that streams can never
use up the threads that answer touches; and the hall's own share is bounded, because anybody may open one: strangers
can never take the places from which the staff's consoles ring.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from devices.faults import OutsideDown

#: Streams at once; the server has 48 threads (``__main__``), so 16 always remain for touches.
LISTENERS_AT_MOST = 32
#: Of these, streams without staff: a hall has a few displays and kiosks; the other 16 places are kept for consoles.
HALL_AT_MOST = 16
#: Events a slow listener may be behind. A burst of a whole hall (a power cut: 200 buttons) fits.
BEHIND_AT_MOST = 256
#: live.js rebuilds the stream after 25 s without one.
HEARTBEAT_S = 10.0

#: The channel of those who have signed in.
STAFF = "staff"

Guard = Callable[[], bool]


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

    @property
    def listeners(self) -> int:
        return len(self._streams)

    def listens(self, channel: str) -> bool:
        """Whether anybody would hear: what is costly to gather need not be gathered for nobody."""
        with self._lock:
            return any(channel in stream.channels for stream in self._streams)

    def publish(self, channel: str, event: str, data: dict[str, Any]) -> None:
        """Tell everybody on ``channel``."""
        with self._lock:
            hearing = [stream for stream in self._streams if channel in stream.channels]
        if not hearing:
            return
        line = sse(event, data)
        for stream in hearing:
            if not stream.offer(line):
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
        return stream

    def forget(self, stream: Stream) -> None:
        with self._lock:
            self._streams.discard(stream)

    def close(self) -> None:
        """End all streams, at once: the process is closing."""
        with self._lock:
            self._closed = True
            streams, self._streams = list(self._streams), set()
        for stream in streams:
            stream.end()


class Stream(Iterator[bytes]):
    """One listener's events as bytes. A class, not a generator: it must be forgotten even if never begun."""

    def __init__(self, hub: Hub, channels: frozenset[str], guard: Guard | None, heartbeat_s: float) -> None:
        self.channels = channels
        self._hub = hub
        self._guard = guard
        self._heartbeat_s = heartbeat_s
        self._first: list[bytes] = [b"retry: 1000\n\n"]
        self._waiting: queue.Queue[bytes | None] = queue.Queue(BEHIND_AT_MOST)
        self._ended = False

    def begin_with(self, initial: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Say this first. Where ``initial`` is gathered while it is read and that fails, the place is given back."""
        try:
            self._first.extend(sse(event, data) for event, data in initial)
        except BaseException:
            self.close()
            raise

    def offer(self, line: bytes) -> bool:
        """Hand it one event; False (and the stream's end) where it is too far behind."""
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            self._ended = True
            return False
        return True

    def end(self) -> None:
        self._ended = True
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            pass  # it is awake and busy; it sees _ended with its next event

    def __next__(self) -> bytes:
        if self._ended or (self._guard is not None and not self._guard()):
            self.close()
            raise StopIteration
        if self._first:
            line, self._first = b"".join(self._first), []
            return line
        try:
            told = self._waiting.get(timeout=self._heartbeat_s)
        except queue.Empty:
            told = sse("heartbeat", {})
        if told is None or (self._guard is not None and not self._guard()):
            self.close()
            raise StopIteration
        return told

    def close(self) -> None:
        """Called by the server when the other side has gone."""
        self._ended = True
        self._hub.forget(self)


def sse(event: str, data: dict[str, Any]) -> bytes:
    """One event as the wire wants it (WHATWG HTML, server-sent events)."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
