"""The button's own MQTT client: against bytes that come as they please, and against a real broker."""

from __future__ import annotations

import select
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from devices.reference_button.mqtt import ANSWER_MS, MOST_BYTES, Event, LineLost, Mqtt, Stream
from devices.reference_button.wire import open_wire
from linli.broker import free_port
from tests.parts import PATIENCE_S, Device, Mosquitto, wait_until

CONNACK = b"\x20\x02\x00\x00"
KEEPALIVE_S = 30


class Played(Stream):
    """A wire whose other end is the test."""

    def __init__(self) -> None:
        self.coming: list[bytes] = []
        self.gone = bytearray()
        self.takes = 1_000_000
        self.closed = False

    def read(self, most: int) -> bytes | None:
        return self.coming.pop(0)[:most] if self.coming else None

    def write(self, data: bytes) -> int | None:
        taken = data[: self.takes]
        self.gone += taken
        return len(taken) or None

    def close(self) -> None:
        self.closed = True


def connected(stream: Played) -> Mqtt:
    line = Mqtt(stream, "btn-1", "", "", KEEPALIVE_S, None, 0)
    stream.coming.append(CONNACK)
    assert [event.what for event in line.check(0)] == ["up"]
    stream.gone.clear()
    return line


def published(topic: bytes, payload: bytes, first: int = 0x30, number: bytes = b"") -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + number + payload
    size = bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 127 | 128, len(body) >> 7])
    return bytes([first]) + size + body


def brief(events: list[Event]) -> list[tuple[str, str, bytes]]:
    return [(event.what, event.topic or event.tag, event.payload) for event in events]


def test_connect_says_who_we_are_and_leaves_a_will() -> None:
    stream = Played()
    Mqtt(stream, "btn-1", "btn-1", "geheim", 30, ("a/b", b"offline"), 0).check(0)
    # MQTT 3.1.1, 3.1: clean session, will at QoS 1, user, password
    assert bytes(stream.gone) == (
        b"\x10\x2e\x00\x04MQTT\x04\xce\x00\x1e\x00\x05btn-1\x00\x03a/b\x00\x07offline\x00\x05btn-1\x00\x06geheim"
    )


def test_a_message_may_come_byte_by_byte_or_many_at_once() -> None:
    stream = Played()
    line = connected(stream)
    long = b"x" * 300
    both = published(b"t/1", b"one") + published(b"t/2", long)
    stream.coming += [both[at : at + 1] for at in range(len(both))]
    assert brief(line.check(0)) == [("message", "t/1", b"one"), ("message", "t/2", long)]
    stream.coming += [both[:100], both[100:200], both[200:]]
    assert len(line.check(0)) == 2


def test_a_message_larger_than_we_hold_is_let_pass_and_the_next_is_heard() -> None:
    stream = Played()
    line = connected(stream)
    much = published(b"t/1", b"x" * (MOST_BYTES + 5000)) + published(b"t/2", b"two")
    stream.coming += [much[at : at + 200] for at in range(0, len(much), 200)]
    assert brief(line.check(0)) == [("message", "t/2", b"two")]


def test_a_message_at_qos_1_is_acknowledged() -> None:
    stream = Played()
    line = connected(stream)
    stream.coming.append(published(b"t", b"one", 0x32, b"\x12\x34"))
    assert brief(line.check(0)) == [("message", "t", b"one")]
    assert bytes(stream.gone) == b"\x40\x02\x12\x34"


def test_what_we_publish_is_acknowledged_by_its_name_and_only_once() -> None:
    stream = Played()
    line = connected(stream)
    line.publish("t", b"p", "press", 0)
    line.publish("t", b"s", "status", 0)
    line.check(0)
    assert bytes(stream.gone) == b"\x32\x06\x00\x01t\x00\x01p\x32\x06\x00\x01t\x00\x02s"
    stream.coming.append(b"\x40\x02\x00\x02\x40\x02\x00\x02\x40\x02\x77\x77")
    assert brief(line.check(0)) == [("acked", "status", b"")]


def test_a_wire_that_takes_little_at_a_time_gets_everything_in_order() -> None:
    stream = Played()
    line = connected(stream)
    stream.takes = 3
    line.publish("topic", b"payload", "press", 0)
    for _ in range(20):
        line.check(0)
    assert bytes(stream.gone) == b"\x32\x10\x00\x05topic\x00\x01payload"
    stream.takes = 0
    line.publish("topic", b"later", "press", 0)
    line.check(0)
    stream.takes = 100
    line.check(0)
    assert stream.gone.endswith(b"later")


@pytest.mark.parametrize("owed", ["CONNACK", "PUBACK", "PINGRESP", "SUBACK"])
def test_no_answer_in_time_is_a_lost_line(owed: str) -> None:
    stream = Played()
    line = Mqtt(stream, "btn-1", "", "", KEEPALIVE_S, None, 0) if owed == "CONNACK" else connected(stream)
    asked_ms = 0
    if owed == "PUBACK":
        line.publish("t", b"p", "press", 0)
    if owed == "SUBACK":
        line.subscribe(["t"], 0)
    if owed == "PINGRESP":
        asked_ms = KEEPALIVE_S * 500
        line.check(asked_ms - 1)
        assert not stream.gone, "half of the time that the broker was told has not passed"
        line.check(asked_ms)
        assert bytes(stream.gone) == b"\xc0\x00"
    line.check(asked_ms + ANSWER_MS - 1)
    with pytest.raises(LineLost, match="no answer"):
        line.check(asked_ms + ANSWER_MS)


def test_a_line_that_is_answered_lives_for_days() -> None:
    stream = Played()
    line = connected(stream)
    for second in range(0, 3 * 24 * 3600, 5):
        if stream.gone:
            stream.gone.clear()
            stream.coming.append(b"\xd0\x00")
        line.check(second * 1000)
    assert not stream.closed


@pytest.mark.parametrize(
    ("bytes_", "why"),
    [
        (b"\x20\x02\x00\x05", "not authorised"),
        (b"\x20\x02\x00\x04", "user name or password"),
        (b"\x20\x02\x00\x77", "119"),
        (b"", "hung up"),
        (b"\x30\xff\xff\xff\xff\x01", "length"),
        (b"\x30\x04\x00\x09ab", "shorter than its topic"),
        (b"\xf0\x00", "not MQTT"),
        (b"\x00\x00", "not MQTT"),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n" + b"x" * 60, "not MQTT"),
    ],
)
def test_whoever_answers_otherwise_is_no_broker_of_ours(bytes_: bytes, why: str) -> None:
    stream = Played()
    line = Mqtt(stream, "btn-1", "", "", KEEPALIVE_S, None, 0)
    stream.coming.append(bytes_)
    with pytest.raises(LineLost, match=why):
        line.check(0)


def test_an_access_list_that_does_not_let_us_hear_is_told_and_we_may_still_speak() -> None:
    stream = Played()
    line = connected(stream)
    line.subscribe(["a", "b"], 0)
    stream.coming.append(b"\x90\x04\x00\x01\x00\x80")
    assert [event.what for event in line.check(0)] == ["deaf"]
    line.publish("t", b"p", "press", 0)
    line.check(0)
    assert stream.gone.endswith(b"p")


# ---------------------------------------------------------------- a real broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with closing(Mosquitto(tmp_path / "mosquitto")) as running:
        yield running


def opened(port: int, user: str = "", password: str = "") -> Mqtt:
    wire = open_wire("127.0.0.1", port, "", b"")
    return Mqtt(wire, "btn-1", user, password, KEEPALIVE_S, ("linli/v1/button/btn-1/status", b"offline"), 0)


def until(line: Mqtt, what: str) -> Event:
    """Turn until such an event comes."""
    for _ in range(int(PATIENCE_S / 0.05)):
        for event in line.check(0):
            if event.what == what:
                return event
        select.select([line.stream.raw], [], [], 0.05)  # type: ignore[attr-defined]
    raise AssertionError(f"no {what}")


@pytest.mark.slow
def test_a_real_broker_takes_it_answers_and_says_its_will(broker: Mosquitto) -> None:
    with closing(Device(broker.port, "linli/v1/#")) as hall:
        line = opened(broker.port)
        until(line, "up")
        line.subscribe(["linli/v1/lamp/btn-1/set"], 0)
        line.publish("linli/v1/button/btn-1/press", b'{"n":1}', "press", 0)
        assert until(line, "acked").tag == "press"
        assert hall.wait_heard("linli/v1/button/btn-1/press") == {"n": 1}
        hall.say("linli/v1/lamp/btn-1/set", {"light": "blink"}, qos=0, retain=True)
        assert until(line, "message").payload == b'{"light": "blink"}'
        line.stream.close()  # dead, without a goodbye
        wait_until(
            lambda: ("linli/v1/button/btn-1/status", "offline") in hall.heard + hall.take_heard(0.05),
            lambda: "the will is said",
        )


@pytest.mark.slow
def test_a_goodbye_leaves_no_will(broker: Mosquitto) -> None:
    with closing(Device(broker.port, "linli/v1/#")) as hall:
        line = opened(broker.port)
        until(line, "up")
        line.goodbye(0)
        second = opened(broker.port)
        until(second, "up")
        second.publish("linli/v1/button/btn-1/press", b'{"n":2}', "press", 0)
        until(second, "acked")
        hall.wait_heard("linli/v1/button/btn-1/press", n=2)
        assert [payload for _, payload in hall.heard] == ['{"n":2}']
        second.goodbye(0)


@pytest.mark.slow
def test_a_broker_that_stops_is_noticed(broker: Mosquitto) -> None:
    line = opened(broker.port)
    until(line, "up")
    broker.kill()
    with pytest.raises(LineLost, match=r"hung up|broke"):
        until(line, "message")
    with pytest.raises(OSError, match="refused"):
        opened(broker.port)
    line.stream.close()


@pytest.mark.slow
def test_a_wrong_password_is_named(tmp_path: Path) -> None:
    port = free_port()
    passwords, conf = tmp_path / "passwords", tmp_path / "mosquitto.conf"
    subprocess.run(
        ["mosquitto_passwd", "-c", "-b", passwords, "btn-1", "right"], check=True, capture_output=True
    )
    passwords.chmod(0o644)
    user = "user root\n" if Path("/proc/self").owner() == "root" else ""
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n{user}")
    broker = subprocess.Popen(["mosquitto", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listens(port), lambda: "mosquitto listens")
        right = opened(port, "btn-1", "right")
        until(right, "up")
        right.goodbye(0)
        wrong = opened(port, "btn-1", "wrong")
        with pytest.raises(LineLost, match="not authorised"):
            until(wrong, "up")
        wrong.stream.close()
    finally:
        broker.terminate()
        broker.wait()


def _listens(port: int) -> bool:
    try:
        open_wire("127.0.0.1", port, "", b"").close()
    except OSError:
        return False
    return True
