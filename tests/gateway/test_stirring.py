"""Which words of a home's sensors tell of a person: messages off the wire, the real entrance, loop and notebook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.hall.rows import Hearth, Person
from gateway.hall.state import Decision
from tests.gateway.test_entrance import Front

MOTION, DOOR = "zigbee2mqtt/pir-hall", "zigbee2mqtt/door-302"


def furnish(folder: Path) -> Front:
    """A home with a movement sensor, a door sensor and a button, all of them 张奶奶's."""
    one = Front(folder)
    one.loop.decide(lambda _state, _now_ms: Decision(changes=[Person("p-1", "张奶奶", quiet_after_h=12)]))
    for name in ("pir-hall", "door-302", "btn-1"):
        device_id = name if name == "btn-1" else f"zigbee2mqtt:{name}"
        one.hall.order("claim_device", device_id=device_id, kind="call_button")
        device = replace(one.loop.state.devices[device_id], person_id="p-1")
        one.loop.decide(lambda _state, _now_ms, device=device: Decision(changes=[device]))  # type: ignore[misc]
    one.turn()
    return one


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    one = furnish(tmp_path)
    yield one
    one.hall.die()


def stirred_ms(front: Front) -> int:
    """When the hall last heard of the person; 0: never."""
    hearth = front.loop.state.table(Hearth).get("p-1")
    return hearth.stirred_ms if hearth is not None else 0


def heard(front: Front, topic: str, words: object, *, retain: bool = False) -> bool:
    """Whether this message, an hour after all others, tells of the person."""
    front.hall.after_s(3600)
    before = stirred_ms(front)
    front.say(topic, words, retain=retain)
    front.turn()
    return stirred_ms(front) != before


def test_somebody_moves_and_moves_again(front: Front) -> None:
    """The same words twice are two movements: what is no news for a parking bay is news for a home."""
    for _ in range(3):
        assert heard(front, MOTION, {"occupancy": True, "battery": 80})
    assert not heard(front, MOTION, {"occupancy": False, "battery": 80}), "nobody moves any more"
    assert not heard(front, MOTION, {"battery": 79}), "a heartbeat is the device's life"


def test_a_door_tells_of_a_person_when_it_is_moved_and_not_when_it_repeats_itself(front: Front) -> None:
    assert not heard(front, DOOR, {"contact": True, "battery": 90}), "how it stood when we began to listen"
    assert heard(front, DOOR, {"contact": False, "battery": 90})
    assert not heard(front, DOOR, {"contact": False, "battery": 89})
    assert not heard(front, DOOR, {"contact": False, "battery": 89})
    assert heard(front, DOOR, {"contact": True, "battery": 89})


def test_what_the_broker_remembered_is_no_life(front: Front) -> None:
    assert not heard(front, MOTION, {"occupancy": True}, retain=True)


def test_a_press_is_a_sign_and_the_buttons_heartbeat_is_none(front: Front) -> None:
    assert not heard(front, "linli/v1/button/btn-1/status", {"boot": "9f", "uptime_s": 7, "battery_pct": 80})
    assert heard(front, "linli/v1/button/btn-1/press", {"boot": "9f", "seq": 1, "press": "short"})


def test_a_movement_is_not_lost_behind_a_heartbeat_of_the_same_moment(front: Front) -> None:
    """Between two commits of telemetry a device's older words give way to its newest; a sign of a person does not."""
    front.hall.after_s(3600)
    front.say(MOTION, {"occupancy": True, "battery": 80})
    front.say(MOTION, {"occupancy": False, "battery": 80})
    front.say(MOTION, {"occupancy": False, "battery": 79})
    front.turn()
    assert stirred_ms(front) > 0


def test_a_neighbours_sensor_that_is_tied_to_nobody_wakes_no_rule(front: Front) -> None:
    assert not heard(front, "zigbee2mqtt/pir-stairs", {"occupancy": True})
    assert front.loop.counts["set_aside"] == 0


def test_where_everything_stirs_the_card_is_written_once_an_hour(front: Front) -> None:
    front.hall.after_s(3600)
    front.hall.told.clear()
    for _ in range(60):
        front.say(MOTION, {"occupancy": True, "battery": 80})
        front.hall.after_s(59)
    assert len([fact for fact in front.hall.told if fact.get("table") == "hearths"]) == 2, "two wall hours begun"
    assert front.clock.now_ms() - stirred_ms(front) < 120_000, "in memory it is known to the minute"


def test_silence_is_found_by_the_loop_after_a_restart_and_told_by_key_only(tmp_path: Path) -> None:
    furnish(tmp_path).hall.die()
    front = Front(tmp_path)  # its clock stands where the first one began: no time has passed
    for _ in range(14):
        front.hall.after_s(3600)
    found = front.hall.book.connection.execute("SELECT reason, state FROM visits").fetchall()
    assert ("inactivity", "due") in found
    rows = [fact for fact in front.hall.told if fact.get("fact") == "RowChanged" and fact["table"] == "visits"]
    assert rows and "张奶奶" not in str(front.hall.told)
    front.hall.die()
