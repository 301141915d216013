"""MQTT 3.1.1 as bytes: enough of it to press buttons without a library's own pauses, and to read what others said.

A trial must not add its own waiting to what it measures: a library that reconnects once a second would.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
PINGREQ = b"\xc0\x00"


def _text(words: str) -> bytes:
    data = words.encode()
    return struct.pack(">H", len(data)) + data


def _packet(first: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while True:
        left, digit = divmod(left, 128)
        length.append(digit | (0x80 if left else 0))
        if not left:
            return bytes((first,)) + bytes(length) + body


def connect(client_id: str, keepalive_s: int = 0) -> bytes:
    """CONNECT with a clean session."""
    return _packet(0x10, _text("MQTT") + bytes((4, 2)) + struct.pack(">H", keepalive_s) + _text(client_id))


def subscribe(mid: int, *topics: str) -> bytes:
    return _packet(0x82, struct.pack(">H", mid) + b"".join(_text(topic) + b"\x01" for topic in topics))


def publish(topic: str, payload: bytes, *, mid: int = 0, retain: bool = False) -> bytes:
    """QoS 1 where a ``mid`` (1-65535) is given, else QoS 0."""
    body = _text(topic) + (struct.pack(">H", mid) if mid else b"") + payload
    return _packet(0x30 | (2 if mid else 0) | retain, body)


def puback(mid: int) -> bytes:
    return b"\x40\x02" + struct.pack(">H", mid)


class Packets:
    """Cuts a stream of bytes into packets."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """(type, flags, body) of each packet that is whole now."""
        self._data += data
        while True:
            length, shift, at = 0, 0, 1
            while True:
                if at >= len(self._data):
                    return
                digit = self._data[at]
                length |= (digit & 0x7F) << shift
                at, shift = at + 1, shift + 7
                if not digit & 0x80:
                    break
            if len(self._data) < at + length:
                return
            first, body = self._data[0], bytes(self._data[at : at + length])
            del self._data[: at + length]
            yield first >> 4, first & 15, body


def published(flags: int, body: bytes) -> tuple[str, int, bytes]:
    """A PUBLISH packet's topic, its mid (0 at QoS 0) and its payload."""
    end = 2 + int.from_bytes(body[:2], "big")
    topic = body[2:end].decode(errors="replace")
    if flags & 6:
        return topic, int.from_bytes(body[end : end + 2], "big"), body[end + 2 :]
    return topic, 0, body[end:]


def open_line(
    port: int, client_id: str, *topics: str, timeout_s: float = 5.0
) -> tuple[socket.socket, Packets]:
    """A line to the broker on this machine, connected and subscribed (QoS 1).

    :raises OSError: nobody is there, or whoever is there does not answer in time.
    """
    line = socket.create_connection(("127.0.0.1", port), timeout_s)
    try:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        packets, wanted = Packets(), SUBACK if topics else CONNACK
        line.sendall(connect(client_id) + (subscribe(1, *topics) if topics else b""))
        while True:
            data = line.recv(65536)
            if not data:
                raise ConnectionResetError("the broker hung up")
            for kind, _flags, _body in packets.feed(data):
                if kind == wanted:
                    return line, packets
    except BaseException:
        line.close()
        raise
