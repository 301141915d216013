"""The wire: however the kernel cuts the stream, the same messages come out of it; whatever it takes, all of it leaves.

On one side a real socket pair, on the other what a broker may say. What is no PUBLISH is lent to paho, which
stands here as somebody who reads all that he is lent.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import paho.mqtt.client as paho
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from gateway.wire import CHUNK, Published, Wire, puback_packet, publish_packet

PRESS = Published(b"linli/v1/button/btn-01/press", b'{"boot":"9f","seq":1}', 1, False, False, 7)
PINGRESP = b"\xd0\x00"
#: What came out of a stream: a message, or a packet that paho was lent.
Heard = Published | bytes


def length_of(size: int) -> bytes:
    """MQTT 3.1.1, section 2.2.3, as its own pseudo code has it."""
    digits = bytearray()
    while True:
        size, digit = divmod(size, 128)
        digits.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(digits)


def as_packet(message: Published) -> bytes:
    first = 0x30 | message.dup << 3 | message.qos << 1 | message.retain
    mid = message.mid.to_bytes(2, "big") if message.qos else b""
    body = len(message.topic_bytes).to_bytes(2, "big") + message.topic_bytes + mid + message.payload
    return bytes((first,)) + length_of(len(body)) + body


@dataclass
class Line:
    """A wire, and the broker's end of it."""

    wire: Wire
    broker: socket.socket

    def hear(self) -> list[Heard]:
        """All that is whole by now."""
        heard: list[Heard] = []
        while self.wire.fill():
            while self.wire.take(heard.append):
                lent = bytearray()
                with contextlib.suppress(BlockingIOError):
                    while True:
                        lent += self.wire.recv(1)  # paho reads head and length byte by byte
                if lent:
                    heard.append(bytes(lent))
            if not self.wire.more:
                break
        return heard

    def say(self, words: bytes) -> list[Heard]:
        """The broker sends this, as fast as it is read."""
        heard, at = [], 0
        while at < len(words):
            with contextlib.suppress(BlockingIOError):
                at += self.broker.send(words[at:])
            heard += self.hear()
        return heard

    def read_all(self) -> bytes:
        """What has reached the broker."""
        words = bytearray()
        with contextlib.suppress(BlockingIOError):
            while chunk := self.broker.recv(CHUNK):
                words += chunk
        return bytes(words)


@contextlib.contextmanager
def open_line() -> Iterator[Line]:
    ours, brokers = socket.socketpair()
    ours.setblocking(False)
    brokers.setblocking(False)
    try:
        yield Line(Wire(ours), brokers)
    finally:
        ours.close()
        brokers.close()


@pytest.fixture
def line() -> Iterator[Line]:
    with open_line() as one:
        yield one


# ---------------------------------------------------------------- in

_messages = st.integers(0, 1).flatmap(
    lambda qos: st.builds(
        Published,
        topic_bytes=st.one_of(st.just(b""), st.binary(max_size=40), st.just(PRESS.topic_bytes)),
        payload=st.one_of(st.just(b""), st.binary(max_size=300), st.binary(min_size=120, max_size=130)),
        qos=st.just(qos),
        retain=st.booleans(),
        dup=st.booleans(),
        mid=st.integers(1, 65_535) if qos else st.just(0),
    )
)
#: CONNACK, SUBACK, PINGRESP … and a PUBLISH at QoS 2, which we never ask for: all paho's
_for_paho = st.builds(
    lambda first, body: bytes((first,)) + length_of(len(body)) + body,
    st.sampled_from([0x20, 0x40, 0x50, 0x62, 0x90, 0xB0, 0xD0, 0x34, 0x3D]),
    st.binary(max_size=140),
)


@given(
    said=st.lists(st.one_of(_messages, _for_paho), max_size=12),
    cuts=st.lists(st.integers(1, 60), min_size=1, max_size=40),
)
@settings(deadline=None)
def test_wherever_the_stream_is_cut_the_same_words_are_heard_in_the_same_order(
    said: Sequence[Heard], cuts: Sequence[int]
) -> None:
    stream = b"".join(one if isinstance(one, bytes) else as_packet(one) for one in said)
    heard: list[Heard] = []
    with open_line() as line:
        at = number = 0
        while at < len(stream):
            size = cuts[number % len(cuts)]
            heard += line.say(stream[at : at + size])
            at, number = at + size, number + 1
        assert not line.wire.waiting(), "nothing is left of a stream of whole packets"
    assert heard == list(said)


@pytest.mark.parametrize("size", [0, 127 - 2 - 3, 128 - 2 - 3, 16_383 - 5, 16_384 - 5, CHUNK, 2_000_000])
def test_a_payload_at_each_border_of_the_length_is_whole(line: Line, size: int) -> None:
    letter = Published(b"a/b", bytes(range(256)) * (size // 256) + bytes(size % 256), 0, True, False, 0)
    assert line.say(as_packet(letter) + PINGRESP + as_packet(PRESS)) == [letter, PINGRESP, PRESS]


def test_half_a_packet_is_not_a_message_and_is_not_forgotten(line: Line) -> None:
    whole = as_packet(PRESS)
    heard = [one for at in range(len(whole) - 1) for one in line.say(whole[at : at + 1])]
    assert heard == [] and line.wire.waiting()
    assert line.say(whole[-1:]) == [PRESS] and not line.wire.waiting()


def test_a_length_that_never_ends_is_left_to_paho_to_hang_up_over(line: Line) -> None:
    endless = b"\x30\xff\xff\xff\xff\x7f" + as_packet(PRESS)
    assert line.say(endless) == [endless], "not a message of ours: nobody knows where it ends"


@pytest.mark.parametrize(
    "packet",
    [
        b"\x30\x00",
        b"\x30\x01\x00",
        b"\x30\x04\x00\x09ab",
        b"\x32\x05\x00\x03a/b",
        b"\x32\x06\x00\x03a/b\x01",
        b"\x30\x03\xff\xffa",
        b"\x36\x05\x00\x01a\x00\x01",
    ],
    ids=["empty", "one byte", "topic too long", "no mid", "half a mid", "64 KiB in a byte", "QoS 3"],
)
def test_a_publish_that_is_none_is_paho_s_whole_and_alone(line: Line, packet: bytes) -> None:
    """It hangs up over it; and should it not, the next message is not swallowed with it."""
    assert line.say(packet + as_packet(PRESS)) == [packet, PRESS]


def test_a_topic_that_is_no_text_is_a_message_whose_topic_cannot_be_read(line: Line) -> None:
    letter = Published(b"\xff\xfe", b"x", 0, False, False, 0)
    [heard] = line.say(as_packet(letter))
    assert heard == letter and isinstance(heard, Published)
    with pytest.raises(UnicodeDecodeError):
        print(heard.topic)


def test_the_broker_that_closes_the_line_is_no_silence(line: Line) -> None:
    line.broker.close()
    with pytest.raises(ConnectionResetError, match="the broker closed the line"):
        line.wire.fill()


def test_paho_reads_no_further_than_the_packet_it_is_lent(line: Line) -> None:
    line.broker.send(PINGRESP + as_packet(PRESS))
    line.wire.fill()
    heard: list[Published] = []
    assert line.wire.take(heard.append) and line.wire.lent()
    assert line.wire.recv(1000) == PINGRESP and not line.wire.lent()
    with pytest.raises(BlockingIOError):
        line.wire.recv(1)
    assert line.wire.take(heard.append) and heard == [PRESS]


# ---------------------------------------------------------------- out


def test_what_is_held_leaves_in_one_piece_and_in_its_order(line: Line) -> None:
    words = [publish_packet("linli/v1/lamp/btn-01/set", "{}", True), puback_packet(7), puback_packet(8)]
    line.wire.send(words[0])
    assert line.read_all() == words[0], "what is not held leaves at once"
    line.wire.hold()
    for one in words:
        line.wire.send(one)
    line.wire.flush()  # the selector may come by meanwhile
    assert line.read_all() == b"" and not line.wire.wants_write
    line.wire.let_go()
    assert line.broker.recv(CHUNK) == b"".join(words)
    line.wire.ask()
    assert line.read_all() == b"\xc0\x00"


@given(
    sizes=st.lists(st.integers(0, 9000), min_size=1, max_size=30),
    held=st.sets(st.integers(0, 29)),
    fetches=st.lists(st.integers(1, 5000), min_size=1, max_size=10),
)
@settings(deadline=None)
def test_a_kernel_that_takes_only_part_loses_nothing_and_turns_nothing_round(
    sizes: Sequence[int], held: set[int], fetches: Sequence[int]
) -> None:
    words = [publish_packet(f"t/{number}", "x" * size, False) for number, size in enumerate(sizes)]
    got = bytearray()
    with open_line() as line:
        line.wire._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel's least: some 4 KiB
        for number, one in enumerate(words):
            if number in held:
                line.wire.hold()
            line.wire.send(one)
            if number in held:
                line.wire.let_go()
            with contextlib.suppress(BlockingIOError):
                got += line.broker.recv(fetches[number % len(fetches)])
        while line.wire.wants_write:
            got += line.read_all()
            line.wire.flush()
        got += line.read_all()
    assert bytes(got) == b"".join(words)


def test_a_line_that_broke_while_words_wait_says_so_when_it_is_read(line: Line) -> None:
    line.broker.close()
    line.wire.send(b"x" * 100)
    line.wire.send(b"y" * 100)
    with pytest.raises(OSError):
        line.wire.fill()


@given(
    letters=st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="+#"), min_size=1),
            st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=100), st.just("空" * 6000)),
            st.booleans(),
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(deadline=None, max_examples=50)
def test_what_we_publish_is_what_paho_reads(letters: Sequence[tuple[str, str, bool]]) -> None:
    got: list[tuple[str, str, bool]] = []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = _Reader(theirs)
        reader.on_message = lambda _c, _u, one: got.append((one.topic, one.payload.decode(), one.retain))
        ours.sendall(b"\x20\x02\x00\x00")
        reader.loop_read()
        for topic, payload, retain in letters:
            ours.sendall(publish_packet(topic, payload, retain))
            reader.loop_read()
        assert got == list(letters)
        reader.disconnect()


class _Reader(paho.Client):
    """paho at the other end of a socket pair."""

    def __init__(self, line: socket.socket) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        self._given = line
        self.connect("nobody")

    def _create_socket(self) -> socket.socket:
        return self._given
