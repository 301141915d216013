"""MQTT 3.1.1 for one button: what a press needs, and nothing that waits.

Why not micropython-lib's ``umqtt.simple``: its ``publish`` at QoS 1 blocks until the broker answers, for ever if it
does not; ``check_msg`` blocks in the middle of a message that has half arrived; nothing notices a line that died in
silence (it sends pings and expects no answer); and what it did not expect is an ``assert``. During all that nobody
would look at the button, and the lamp would stand still. This one is fed by ``check``, returns at once, and raises
``LineLost`` when the broker has not answered in time.

Not here, because a button does not need it: QoS 2, a persistent session, retransmission. What matters is said again
by the protocol, with its own key, and a broker's PUBACK is no promise to an elder.
"""

#: An answer (CONNACK, SUBACK, PUBACK, PINGRESP) that takes longer will not come: the line is dead.
ANSWER_MS = 10_000
#: A message larger than this is let pass unread. Ours have some 100 bytes.
MOST_BYTES = 2_048

_CONNECT, _CONNACK, _PUBLISH, _PUBACK = 1, 2, 3, 4
_SUBSCRIBE, _SUBACK, _PINGREQ, _PINGRESP, _DISCONNECT = 8, 9, 12, 13, 14
#: MQTT 3.1.1, table 3.1
_REFUSED = {
    1: "protocol version",
    2: "client id",
    3: "server unavailable",
    4: "user name or password",
    5: "not authorised",
}


class LineLost(Exception):
    """The connection is of no more use; its text says why, for a technician."""


class Stream:
    """A connection's bytes. Nothing here waits."""

    def read(self, most: int) -> bytes | None:
        """Up to ``most`` bytes; None: nothing now; b"": the other side has hung up.

        :raises OSError: the line is broken.
        """
        raise NotImplementedError

    def write(self, data: bytes) -> int | None:
        """How many of them were taken; None: none now.

        :raises OSError: the line is broken.
        """
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class Event:
    """Something that came: ``what`` is "up", "message" (topic, payload), "acked" (tag), or "deaf".

    "deaf": the broker's access list does not let us hear a topic that we asked for.
    """

    def __init__(self, what: str, topic: str = "", payload: bytes = b"", tag: str = "") -> None:
        self.what = what
        self.topic = topic
        self.payload = payload
        self.tag = tag


class Mqtt:
    """One connection to the broker, from CONNECT to its end.

    :param will: (topic, payload) that the broker says at QoS 1 when we are gone without a goodbye, or None.
    """

    def __init__(
        self,
        stream: Stream,
        client_id: str,
        user: str,
        password: str,
        keepalive_s: int,
        will: tuple[str, bytes] | None,
        now_ms: int,
    ) -> None:
        self.stream = stream
        self._in = bytearray()
        self._skip = 0
        self._out = bytearray()
        self._packet_id = 0
        #: what the broker owes us: packet id (0: CONNACK, -1: PINGRESP) -> (since when, tag)
        self._owed: dict[int, tuple[int, str]] = {}
        self._keepalive_ms = keepalive_s * 1000
        self._said_ms = now_ms
        flags, rest = 2, _text(client_id)  # clean session
        if will is not None:
            flags |= 4 | 8  # will, at QoS 1
            rest += _text(will[0]) + _short(len(will[1])) + will[1]
        if user:
            flags |= 0x80
            rest += _text(user)
            if password:
                flags |= 0x40
                rest += _text(password)
        self._owed[0] = (now_ms, "CONNACK")
        self._send(_CONNECT, 0, _text("MQTT") + bytes((4, flags)) + _short(keepalive_s) + rest, now_ms)

    def subscribe(self, topics: list[str], now_ms: int) -> None:
        """At QoS 0: lamps are levels, and "written" is said again when the press is."""
        number = self._number("SUBACK", now_ms)
        self._send(
            _SUBSCRIBE, 2, _short(number) + b"".join([_text(topic) + b"\0" for topic in topics]), now_ms
        )

    def publish(self, topic: str, payload: bytes, tag: str, now_ms: int) -> None:
        """At QoS 1; an event "acked" with this tag follows, or the line is lost."""
        number = self._number(tag, now_ms)
        self._send(_PUBLISH, 2, _text(topic) + _short(number) + payload, now_ms)

    def check(self, now_ms: int) -> list[Event]:
        """Read and write what can be, and say what came.

        :raises LineLost: refused, hung up, broken, out of step, or without an answer for ``ANSWER_MS``.
        """
        events: list[Event] = []
        try:
            while True:
                data = self.stream.read(256)
                if data is None:
                    break
                if not data:
                    raise LineLost("the broker has hung up")
                self._in += data
                self._take(events, now_ms)
            if -1 not in self._owed and now_ms - self._said_ms >= self._keepalive_ms // 2:
                self._owed[-1] = (now_ms, "PINGRESP")
                self._send(_PINGREQ, 0, b"", now_ms)
            self._flush()
        except OSError as wrong:
            raise LineLost("the line broke: " + str(wrong)) from None
        for since_ms, tag in self._owed.values():
            if now_ms - since_ms >= ANSWER_MS:
                raise LineLost("no answer from the broker: " + tag)
        return events

    def goodbye(self, now_ms: int) -> None:
        """Leave in peace: the will is not said."""
        try:
            self._send(_DISCONNECT, 0, b"", now_ms)
            self._flush()
        except OSError:
            pass  # then it is gone already
        self.stream.close()

    # ---------------------------------------------------------------- out

    def _number(self, tag: str, now_ms: int) -> int:
        self._packet_id = self._packet_id % 65_535 + 1
        self._owed[self._packet_id] = (now_ms, tag)
        return self._packet_id

    def _send(self, kind: int, flags: int, body: bytes, now_ms: int) -> None:
        size = len(body)
        head = bytearray((kind << 4 | flags,))
        while True:
            head.append(size & 0x7F | (0x80 if size > 0x7F else 0))
            size >>= 7
            if not size:
                break
        self._out += head
        self._out += body
        self._said_ms = now_ms

    def _flush(self) -> None:
        while self._out:
            taken = self.stream.write(bytes(self._out))
            if not taken:
                break
            self._out = self._out[taken:]

    # ---------------------------------------------------------------- in

    def _take(self, events: list[Event], now_ms: int) -> None:
        """Whole packets out of what has arrived."""
        while self._in:
            if self._skip:
                passed = min(self._skip, len(self._in))
                self._in = self._in[passed:]
                self._skip -= passed
                continue
            size, at = 0, 1
            while True:
                if at >= len(self._in):
                    return
                byte = self._in[at]
                size |= (byte & 0x7F) << 7 * (at - 1)
                at += 1
                if not byte & 0x80:
                    break
                if at > 4:
                    raise LineLost("not MQTT: a length of more than four bytes")
            if size > MOST_BYTES:
                self._in, self._skip = self._in[at:], size
                continue
            if len(self._in) < at + size:
                return
            first, body = self._in[0], bytes(self._in[at : at + size])
            self._in = self._in[at + size :]
            self._packet(first >> 4, first & 0x0F, body, events, now_ms)

    def _packet(self, kind: int, flags: int, body: bytes, events: list[Event], now_ms: int) -> None:
        if kind == _PUBLISH and len(body) >= 2:
            end = 2 + _number(body)
            start = end + 2 if flags & 6 else end
            if len(body) < start:
                raise LineLost("not MQTT: a message shorter than its topic")
            if flags & 6:
                self._send(_PUBACK, 0, body[end:start], now_ms)
            try:
                topic = body[2:end].decode()
            except UnicodeError:
                return  # no topic that we have asked for
            events.append(Event("message", topic, body[start:]))
        elif kind == _CONNACK and len(body) == 2:
            if body[1]:
                raise LineLost("the broker refused us: " + _REFUSED.get(body[1], str(body[1])))
            self._owed.pop(0, None)
            events.append(Event("up"))
        elif kind == _PUBACK and len(body) == 2:
            owed = self._owed.pop(_number(body), None)
            if owed is not None:
                events.append(Event("acked", tag=owed[1]))
        elif kind == _SUBACK and len(body) >= 3:
            self._owed.pop(_number(body), None)
            if 0x80 in body[2:]:
                events.append(Event("deaf"))
        elif kind == _PINGRESP:
            self._owed.pop(-1, None)
        else:
            raise LineLost("not MQTT, or not for us: packet of kind " + str(kind))


def _short(number: int) -> bytes:
    return bytes((number >> 8, number & 0xFF))


def _number(body: bytes) -> int:
    return body[0] << 8 | body[1]


def _text(words: str) -> bytes:
    data = words.encode()
    return _short(len(data)) + data
