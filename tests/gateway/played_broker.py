"""A line to the broker, and a broker played by hand: for what a real one says only in its worst hour."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

from devices.plan import Broker as BrokerPlan
from gateway.arrival import ThreadDoor
from gateway.mqtt_line import MqttLine
from gateway.wire import Published
from tests.gateway.test_wire import as_packet
from tests.parts import PATIENCE_S

CONNACK, PINGREQ, PINGRESP = b"\x20\x02\x00\x00", b"\xc0\x00", b"\xd0\x00"
NOT_AUTHORISED = b"\x20\x02\x00\x05"
PRESS = "linli/v1/button/btn-01/press"
STRANGER = Published(b"a/b", b"x", 0, False, False, 0)


def suback(mid: int = 1, qos: int = 1) -> bytes:
    return b"\x90\x03" + mid.to_bytes(2, "big") + bytes((qos,))


def a_press(number: int) -> bytes:
    return as_packet(Published(PRESS.encode(), str(number).encode(), 1, False, False, number))


class Line:
    """A line and all that it has said. The other end is ours (:meth:`open`) or a real broker's (:meth:`until`)."""

    def __init__(self, port: int = 1883, client_id: str = "linli-test", *, lasting: bool = True) -> None:
        self.door = ThreadDoor()
        self.heard: list[Published] = []
        self.acks: list[Callable[[], None] | None] = []
        self.ups: list[tuple[bool, str]] = []
        self.acknowledge = True
        self.line = MqttLine(
            "calls",
            BrokerPlan(port=port),
            client_id,
            ("linli/v1/button/#",),
            self.door,
            self._take,
            lambda up, why: self.ups.append((up, why)),
            lasting=lasting,
        )
        self._far: list[socket.socket] = []

    def _take(self, message: Published, ack: Callable[[], None] | None) -> None:
        self.heard.append(message)
        self.acks.append(ack)
        if self.acknowledge and ack is not None:
            ack()

    def open(self) -> Broken:
        """A connection as the connector brings it; our end of it."""
        ours, far = socket.socketpair()
        ours.setblocking(False)
        far.settimeout(PATIENCE_S)
        self._far.append(far)
        self.line._attempt_done(ours)
        self.line._connecting = True  # the connector's thread stays at home: here we open the lines
        broken = Broken(self, far)
        assert broken.fetch()[0] == 0x10, "CONNECT"
        return broken

    def up(self) -> Broken:
        broker = self.open()
        broker.say(CONNACK)
        assert broker.fetch()[0] == 0x82, "SUBSCRIBE"
        broker.say(suback())
        assert self.line.up
        return broker

    def until(self, condition: Callable[[], bool]) -> None:
        """Turn, as the loop does, until something is true."""
        give_up_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < give_up_s, f"in vain; {self.ups}, {len(self.heard)} messages"
            fileno = self.line.fileno()
            watched = [self.door.fileno(), *([] if fileno is None else [fileno])]
            if self.door.fileno() in select.select(watched, [], [], 0.05)[0]:
                self.door.open()
            self.line.read(time.monotonic_ns() + 20_000_000)
            self.line.write()
            self.line.tick(time.monotonic())

    def vanish(self) -> None:
        """As a kill: no goodbye."""
        if self.line._line is not None:
            self.line._line.close()
        for far in self._far:
            far.close()
        self.door.close()

    def payloads(self) -> list[str]:
        return [message.payload.decode() for message in self.heard]


class Broken:
    """A broker played by hand, for what a real one does only in its worst hour."""

    def __init__(self, line: Line, far: socket.socket) -> None:
        self._line, self._far = line, far

    def say(self, words: bytes) -> None:
        self._far.sendall(words)
        self._line.line.read(time.monotonic_ns() + 10**12)
        self._line.line.write()

    def fetch(self) -> bytes:
        """What the line has said; b"" where it has hung up."""
        return self._far.recv(1 << 20)

    def fetch_all(self) -> bytes:
        """What the line has said by now and still has to say."""
        words = b""
        while not self.said_nothing():
            words += self.fetch()
            self._line.line.write()
        return words

    def said_nothing(self) -> bool:
        return not select.select([self._far], [], [], 0)[0]

    def close(self) -> None:
        self._far.close()
