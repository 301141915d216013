"""A device that no codec of ours knows introduces itself; from then on its presses ring."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.reading import Heard
from gateway.discovery import MOST_ENTITIES, Introductions
from tests.gateway.test_entrance import Front

BELL = "homeassistant/event/bell/config"
ABOUT_BELL = {
    "name": "Bell",
    "state_topic": "hall/bell/what",
    "event_types": ["single", "double"],
    "value_template": "{{ value_json.event_type }}",
    "device": {"identifiers": ["acme-7"], "model": "PB-1", "manufacturer": "Acme"},
    "availability_topic": "hall/bell/there",
}


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    one = Front(tmp_path)
    yield one
    one.hall.die()


def calls(front: Front) -> list[str]:
    return [call.device_id for call in front.loop.state.calls.values()]


def test_who_has_introduced_himself_is_heard(front: Front) -> None:
    front.say("hall/bell/what", {"event_type": "single"})
    front.turn()
    assert calls(front) == [], "nobody knows yet what that means"
    front.say(BELL, ABOUT_BELL, retain=True)
    front.say("hall/bell/what", {"event_type": "single"})
    front.turn()
    assert calls(front) == ["homeassistant:acme-7"]
    assert front.loop.state.devices["homeassistant:acme-7"].model == "PB-1"
    assert front.loop.counts["introductions"] == 1


def test_what_the_broker_remembers_of_it_is_no_press(front: Front) -> None:
    front.say(BELL, ABOUT_BELL, retain=True)
    front.say("hall/bell/what", {"event_type": "single"}, retain=True)
    front.turn()
    assert calls(front) == []


def test_its_own_word_says_that_it_has_gone(front: Front) -> None:
    front.say(BELL, ABOUT_BELL, retain=True)
    front.say("hall/bell/what", {"event_type": "single"})
    front.say("hall/bell/there", b"offline")
    front.turn()
    assert front.loop.state.devices["homeassistant:acme-7"].health == "offline"


def test_an_introduction_that_is_taken_back_is_forgotten(front: Front) -> None:
    front.say(BELL, ABOUT_BELL, retain=True)
    front.say(BELL, b"", retain=True)
    front.say("hall/bell/what", {"event_type": "single"})
    front.turn()
    assert calls(front) == []
    assert front.loop.counts["unknown_topic"] == 1


def test_a_codec_of_ours_knows_more_than_an_introduction(front: Front) -> None:
    topic = "zigbee2mqtt/gate-7"
    about = {**ABOUT_BELL, "state_topic": topic, "value_template": "{{ value_json.action }}"}
    front.say(BELL, about, retain=True)
    front.say(topic, {"action": "single", "battery": 80})
    front.turn()
    assert calls(front) == ["zigbee2mqtt:gate-7"]


def test_several_speak_on_one_topic_and_who_asks_for_help_goes_first() -> None:
    known = Introductions()
    battery = {
        "device_class": "battery",
        "state_topic": "hall/bell/what",
        "value_template": "{{ value_json.battery }}",
        "unit_of_measurement": "%",
        "device": ABOUT_BELL["device"],
    }
    known.hear("homeassistant/sensor/bell/config", json.dumps(battery).encode())
    known.hear(BELL, json.dumps(ABOUT_BELL).encode())

    both = known.read(Heard("hall/bell/what", b'{"event_type": "single", "battery": 61}'))
    assert (both.event, both.alarm, both.battery_pct) == ("press", True, 61)


def test_introductions_without_end_are_not_kept_without_end() -> None:
    known = Introductions()
    for number in range(MOST_ENTITIES + 50):
        about = {**ABOUT_BELL, "state_topic": f"hall/{number}/what"}
        known.hear(f"homeassistant/event/b{number}/config", json.dumps(about).encode())
    assert len(known) == MOST_ENTITIES
    known.hear("homeassistant/event/b1/config", b"")
    assert len(known) == MOST_ENTITIES - 1
    assert not known.knows("hall/1/what")
