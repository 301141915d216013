"""From a reading to facts: whoever asks for help has a name, and what the broker remembers is no news."""

import json
from pathlib import Path

import pytest

from devices.codecs import decode, family_of
from devices.messages import BayHeard, DeviceSeen, Pressed
from devices.reading import Heard, Reading
from gateway.translate import LONGEST_NAME, facts_of

ROWS = [
    json.loads(line) for line in Path("tests/data/devices.jsonl").read_text(encoding="utf-8").splitlines()
]


def facts(topic: str, payload: bytes, *, retained: bool = False) -> tuple[object, ...]:
    family = family_of(topic)
    assert family is not None
    reading = decode(Heard(topic, payload, retained=retained))
    return facts_of(family, reading, topic, retained=retained, redelivered=False)


#: A Milesight frame whose one bit may be a door's or a desk's: without its model the bay is unknown, not guessed.
NEEDS_ITS_MODEL = {"P-197"}


@pytest.mark.parametrize("row", [row for row in ROWS if row.get("topic")], ids=lambda row: row["id"])
def test_each_captured_message_is_a_press_exactly_when_somebody_asks_for_help(row: dict[str, object]) -> None:
    topic = str(row["topic"]).replace("<", "").replace(">", "").replace("{name}", "name")
    payload = row["payload"] if isinstance(row["payload"], str) else json.dumps(row["payload"])
    happened = facts(topic, payload.encode(), retained=bool(row.get("retained")))
    pressed = any(isinstance(fact, Pressed) and not fact.if_claimed for fact in happened)
    expected = row["expect"]
    assert isinstance(expected, dict)
    assert pressed is bool(expected.get("alarm"))
    if expected.get("occupied") is not None and row["id"] not in NEEDS_ITS_MODEL:
        assert any(isinstance(fact, BayHeard) and fact.occupied == expected["occupied"] for fact in happened)


def test_a_call_for_help_without_a_name_goes_by_its_topic() -> None:
    happened = facts("info/alarm", b'{"alarm_type":"SOS"}')
    assert [fact.device_id for fact in happened if isinstance(fact, Pressed)] == ["generic_json:info/alarm"]


def test_a_name_without_end_is_cut_and_still_one_device() -> None:
    one, other = (facts(f"zigbee2mqtt/{'x' * 300}{tail}", b'{"action":"emergency"}') for tail in "ab")
    names = {fact.device_id for fact in (*one, *other) if isinstance(fact, Pressed)}
    assert len(names) == 2 and all(len(name) <= LONGEST_NAME + len("zigbee2mqtt:") for name in names)


def test_broken_unicode_and_control_signs_do_not_reach_the_notebook() -> None:
    reading = Reading("press", alarm=True, device="a\ud800\x00b", press_id="p\ud800")
    happened = facts_of("zigbee2mqtt", reading, "t", retained=False, redelivered=False)
    assert all("\ud800" not in str(fact) and "\x00" not in str(fact) for fact in happened)
    assert "".join(str(fact) for fact in happened).encode()


def test_what_is_retained_is_news_only_where_a_device_has_gone() -> None:
    assert facts("zigbee2mqtt/0x01", b'{"action":"emergency"}', retained=True) == ()
    gone = facts("zigbee2mqtt/0x01/availability", b"offline", retained=True)
    assert gone == (DeviceSeen("zigbee2mqtt:0x01", "zigbee2mqtt", offline=True),)
