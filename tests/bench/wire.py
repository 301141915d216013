"""MQTT 3.1.1 over a raw socket, just as much as a measuring device needs: PUBLISH and SUBSCRIBE at QoS 1, and PUBACK.

A client library's thread would put its own milliseconds into what is measured; here the measurer's one loop sends a
packet made beforehand, and notes the time directly after ``recv``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tests.flood import open_line, remaining_length


@dataclass(frozen=True, slots=True)
class Message:
    """A PUBLISH that came in. ``packet_id`` 0: QoS 0, nothing to acknowledge."""

    topic: str
    payload: bytes
    packet_id: int
    retained: bool


def publish_packet(topic: str, payload: bytes, packet_id: int) -> bytes:
    """PUBLISH, QoS 1, not retained."""
    name = topic.encode()
    body = struct.pack("!H", len(name)) + name + struct.pack("!H", packet_id) + payload
    return b"\x32" + remaining_length(len(body)) + body


def subscribe_packet(topics: list[str], packet_id: int) -> bytes:
    """SUBSCRIBE, each with QoS 1."""
    body = struct.pack("!H", packet_id)
    for topic in topics:
        name = topic.encode()
        body += struct.pack("!H", len(name)) + name + b"\x01"
    return b"\x82" + remaining_length(len(body)) + body


class Line:
    """One connection to a broker. Never waits once it is open; what it receives is in ``messages()``."""

    def __init__(self, port: int, name: str, topics: list[str] | None = None) -> None:
        self.socket = open_line("127.0.0.1", port, name)
        self._come = bytearray()
        self._packet_id = 0
        self.acknowledged = 0
        """PUBACKs that came for what we published."""
        if topics:
            self.socket.setblocking(True)
            self.socket.settimeout(5.0)
            self.socket.sendall(subscribe_packet(topics, 1))
            while not self._subscribed():
                self._come += self._recv_some()
            self.socket.setblocking(False)

    def fileno(self) -> int:
        return self.socket.fileno()

    def publish(self, topic: str, payload: bytes) -> None:
        """QoS 1. The socket's buffer is larger than anything a measurer has under way."""
        self._packet_id = self._packet_id % 65535 + 1
        self.socket.send(publish_packet(topic, payload, self._packet_id))

    def recv(self) -> bytes:
        """What is there now; the caller notes the time and gives it to :meth:`messages`."""
        try:
            return self._recv_some()
        except BlockingIOError:
            return b""

    def messages(self, chunk: bytes) -> list[Message]:
        """The whole messages that ``chunk`` completes; they are acknowledged at once, in one packet."""
        self._come += chunk
        found: list[Message] = []
        acks = b""
        for kind, body in self._packets():
            if kind >> 4 == 3:
                message = _message(kind, body)
                found.append(message)
                if message.packet_id:
                    acks += b"\x40\x02" + struct.pack("!H", message.packet_id)
            elif kind >> 4 == 4:
                self.acknowledged += 1
        if acks:
            self.socket.send(acks)
        return found

    def close(self) -> None:
        self.socket.close()

    def _recv_some(self) -> bytes:
        chunk = self.socket.recv(1 << 18)
        if not chunk:
            raise ConnectionResetError("the broker hung up on the measurer")
        return chunk

    def _subscribed(self) -> bool:
        """True once SUBACK is there. Retained messages may follow it; they stay for :meth:`messages`."""
        return len(self._come) >= 5 and self._come[0] == 0x90 and self._drop_first()

    def _drop_first(self) -> bool:
        length = 2 + self._come[1]
        if len(self._come) < length:
            return False
        del self._come[:length]
        return True

    def _packets(self) -> Iterator[tuple[int, bytes]]:
        come = self._come
        at = 0
        while True:
            head = at + 1
            length = shift = 0
            while head < len(come):
                digit = come[head]
                length |= (digit & 127) << shift
                head, shift = head + 1, shift + 7
                if digit < 128:
                    break
            else:
                break
            if head + length > len(come):
                break
            yield come[at], bytes(come[head : head + length])
            at = head + length
        del come[:at]


def _message(kind: int, body: bytes) -> Message:
    (topic_length,) = struct.unpack_from("!H", body)
    at = 2 + topic_length
    packet_id = 0
    if kind & 0x06:
        (packet_id,) = struct.unpack_from("!H", body, at)
        at += 2
    return Message(body[2 : 2 + topic_length].decode(), body[at:], packet_id, bool(kind & 1))
