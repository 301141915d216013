"""The load generator tells the truth: what it says at its end is what a listener heard, also over a broken line."""

from __future__ import annotations

import itertools
import json
import socket
import struct
from collections import defaultdict
from pathlib import Path

import pytest

from tests.flood import Flood, Words, bay_ids, remaining_length
from tests.parts import Device, Mosquitto

ALL = "linli/v1/bay/+/state"


def packets(stream: bytes) -> list[tuple[str, dict]]:
    """A plain reading of MQTT 3.1.1's PUBLISH, QoS 0, written from the standard and not from the generator."""
    found = []
    while stream:
        assert stream[0] == 0x30, "PUBLISH, QoS 0, not retained"
        length = shift = 0
        at = 1
        while True:
            digit = stream[at]
            length |= (digit & 127) << shift
            at, shift = at + 1, shift + 7
            if digit < 128:
                break
        body, stream = stream[at : at + length], stream[at + length :]
        (topic,) = struct.unpack("!H", body[:2])
        found.append((body[2 : 2 + topic].decode(), json.loads(body[2 + topic :])))
    return found


def test_every_bay_speaks_in_turn_and_ends_as_the_generator_says() -> None:
    words = Words(7, change_every=3, seed=5)
    # In uneven pieces, over the round in which seq gets a second and a third digit.
    said = packets(b"".join(words.take(count) for count in (1, 5, 9, 60, 3, 640, 2)))
    assert len(said) == 720 == words.said
    heard: dict[str, list[dict]] = defaultdict(list)
    for topic, body in said:
        heard[topic.split("/")[3]].append(body)
    assert set(heard) == set(bay_ids(7))
    for one in heard.values():
        assert [body["seq"] for body in one] == list(range(1, len(one) + 1))
    assert {name: one[-1]["occupied"] for name, one in heard.items()} == words.final()
    changes = sum(
        a["occupied"] != b["occupied"] for one in heard.values() for a, b in itertools.pairwise(one)
    )
    assert 720 / 3 * 0.7 < changes < 720 / 3 * 1.3


def test_the_same_arguments_say_the_same_words_and_the_last_word_changes_nothing() -> None:
    one, other = Words(20, seed=9), Words(20, seed=9)
    assert one.take(777) == b"".join(other.take(1) for _ in range(777))
    assert Words(20, seed=9).take(50) != Words(20, seed=10).take(50)
    last = packets(one.last_word())[-20:]
    assert {topic.split("/")[3]: body["occupied"] for topic, body in last} == one.final()
    assert Words(3).final() == {}, "nobody has spoken yet"


@pytest.mark.parametrize(("length", "coded"), [(0, "00"), (127, "7f"), (128, "8001"), (16384, "808001")])
def test_lengths_are_written_as_in_the_standards_table(length: int, coded: str) -> None:
    assert remaining_length(length).hex() == coded


@pytest.mark.slow
def test_what_the_flood_says_at_its_end_is_what_came_through_a_real_broker(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    listener = Device(broker.port, ALL)
    try:
        report = Flood(broker.port, 2000, "--bays", "30", "--change-every", "4", "--seconds", "0.5").stop()
        heard: dict[str, bool] = {}
        for _ in range(report["sent"]):
            topic, payload = listener._messages.get(timeout=20)
            heard[topic.split("/")[3]] = json.loads(payload)["occupied"]
        assert listener.take_heard(0.05) == [], "no word too many"
        assert heard == report["final"]
        assert len(heard) == 30
        assert report["transitions"] > 30
    finally:
        listener.close()
        broker.close()


@pytest.mark.slow
def test_a_stubborn_flood_outlives_its_broker_and_has_the_last_word(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    listeners = [Device(broker.port, ALL)]
    try:
        flood = Flood(broker.port, 500, "--bays", "10", "--stubborn", "--last-word")
        listeners[0].wait_heard("linli/v1/bay/flood-0010/state", seq=5)
        broker.kill()
        broker.start()
        listeners.append(Device(broker.port, ALL))
        first = listeners[1].wait_heard("linli/v1/bay/flood-0001/state")
        report = flood.stop()
        assert report["reconnects"] >= 1
        assert first["seq"] > 5, "it goes on, it does not begin again"
        heard: dict[str, bool] = {}
        while len(heard) < 10:
            topic, payload = listeners[1]._messages.get(timeout=20)
            words = json.loads(payload)
            if words["seq"] == report["rounds"]:
                heard[topic.split("/")[3]] = words["occupied"]
        assert heard == report["final"]
    finally:
        for listener in listeners:
            listener.close()
        broker.close()


def test_a_flood_without_a_broker_says_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        with pytest.raises(AssertionError, match="did not begin"):
            Flood(taken.getsockname()[1], 10)
