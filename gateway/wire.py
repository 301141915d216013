"""The broker's socket, with packets seen from outside: what is a PUBLISH goes by a short way, the rest is paho's.

paho reads a message by three or four calls of ``recv`` and some forty lines of bookkeeping: 12.6 us, 8.7 from a
buffer; cut out of the buffer here it costs 1.2 us (measured, docs/measurements.md). Connecting, subscribing and
what is said at QoS 1 are paho's business and stay there: it gets each of those packets whole.

Words going out may be held for a moment (:meth:`hold`), so that lamp, "written" and PUBACK of a press leave in one
packet of TCP and wake the broker once.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from devices.clock import mono_s

#: One read from the kernel: some 400 messages of a parking sensor.
CHUNK = 64 * 1024
#: MQTT 3.1.1, section 3.3: PUBLISH in the upper half of the first byte, DUP, QoS and RETAIN in the lower.
_PUBLISH = 0x30
_PINGREQ = b"\xc0\x00"
_DUP, _QOS_1, _QOS_2, _RETAIN = 0x08, 0x02, 0x04, 0x01


@dataclass(slots=True)
class Published:
    """One PUBLISH, at QoS 0 or 1 (we never subscribe at 2). ``topic_bytes`` should be UTF-8, but anybody may write."""

    topic_bytes: bytes
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    mid: int

    @property
    def topic(self) -> str:
        """:raises UnicodeDecodeError: it is no text."""
        return self.topic_bytes.decode("utf-8")


def publish_packet(topic: str, payload: str, retain: bool) -> bytes:
    """A PUBLISH at QoS 0."""
    name, words = topic.encode("utf-8"), payload.encode("utf-8")
    length = 2 + len(name) + len(words)
    head = bytearray((_PUBLISH | (_RETAIN if retain else 0),))
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + len(name).to_bytes(2, "big") + name + words


def puback_packet(mid: int) -> bytes:
    """The broker may forget this message."""
    return b"\x40\x02" + mid.to_bytes(2, "big")


class Wire:
    """An open socket that reads ahead. paho sees a socket; it is given whole packets, and never waits."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._have = bytearray()
        self._at = 0
        #: paho may read up to here: the end of the packet that it is handed
        self._lent = 0
        self._out = bytearray()
        self._holding = False
        #: the kernel may have more than the last :meth:`fill` took; where it has, the selector says so again
        self.more = False
        #: when something came last, monotonic
        self.heard_s = mono_s()

    # ---------------------------------------------------------------- for the line

    def fill(self) -> bool:
        """Read once from the kernel. False: nothing there.

        :raises OSError: the line is broken or was closed by the broker; paho will meet the same.
        """
        if self._at:
            del self._have[: self._at]
            self._at = self._lent = 0
        try:
            chunk = self._socket.recv(CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        if not chunk:
            raise ConnectionResetError("the broker closed the line")
        self._have += chunk
        self.heard_s = mono_s()
        self.more = len(chunk) == CHUNK or isinstance(self._socket, ssl.SSLSocket)
        return True

    def take(self, on_publish: Callable[[Published], None]) -> bool:
        """Handle the next packet if it is a PUBLISH, else lend it to paho. False: no whole packet is here.

        :return: True with ``lent()``: paho has to read one packet; True without: the message has been handed on.
        """
        have, at = self._have, self._at
        size = len(have)
        # Remaining length: seven bits a byte, the lowest first, at most four bytes (section 2.2.3).
        length, shift, head = 0, 0, at + 1
        while True:
            if head >= size:
                return False
            digit = have[head]
            length |= (digit & 0x7F) << shift
            head += 1
            if digit < 0x80:
                break
            shift += 7
            if shift > 21:
                self._lent = size  # no MQTT at all: let paho say so
                return True
        end = head + length
        if end > size:
            return False
        first = have[at]
        if first & 0xF0 != _PUBLISH or first & _QOS_2 or length < 2:
            self._lent = end
            return True
        body = head + 2 + (have[head] << 8 | have[head + 1])
        mid = qos = 0
        topic = bytes(have[head + 2 : body])
        if first & _QOS_1:
            if body + 2 > end:
                self._lent = end
                return True
            qos, mid = 1, have[body] << 8 | have[body + 1]
            body += 2
        if body > end:
            self._lent = end  # malformed: paho hangs up, as it should
            return True
        self._at = end
        payload = bytes(have[body:end])
        on_publish(Published(topic, payload, qos, bool(first & _RETAIN), bool(first & _DUP), mid))
        return True

    def lent(self) -> bool:
        """A packet is waiting for paho."""
        return self._at < self._lent

    def waiting(self) -> bool:
        """Something is here of which the kernel does not know any more."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.fileno() >= 0 and self._socket.pending() > 0:
            return True
        return self._at < len(self._have)

    def ask(self) -> None:
        """Ask the broker for a sign of life."""
        self.send(_PINGREQ)

    def hold(self) -> None:
        """What is sent from now on waits for :meth:`let_go`."""
        self._holding = True

    def let_go(self) -> None:
        self._holding = False
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the kernel takes it."""
        while self._out and not self._holding:
            try:
                sent = self._socket.send(self._out)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError:
                return  # broken: the next read says so to everybody concerned
            del self._out[:sent]

    @property
    def wants_write(self) -> bool:
        return bool(self._out) and not self._holding

    # ---------------------------------------------------------------- what paho takes for a socket

    def recv(self, wanted: int) -> bytes:
        if self._at >= self._lent:
            raise BlockingIOError
        end = min(self._at + wanted, self._lent)
        words = bytes(self._have[self._at : end])
        self._at = end
        return words

    def send(self, words: bytes) -> int:
        self._out += words
        self.flush()
        return len(words)

    def fileno(self) -> int:
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:
        self._socket.setblocking(flag)

    def close(self) -> None:
        self._socket.close()
