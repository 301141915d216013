"""One press, one call: what buttons really say, told as histories."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from devices.codecs import decode, family_of
from devices.messages import Pressed, Released
from devices.reading import Heard
from gateway.hall.rows import Care, LastPress
from gateway.hall.rules import decide
from gateway.hall.state import Call, Decision
from gateway.translate import facts_of
from tests.gateway.hall.paper_hall import NOON, SOS, Hall

SHELLY = "shelly:button"


def closed(hall: Hall, call_id: int = 1, outcome: str = "helped") -> Hall:
    hall.order("accept_call", call_id=call_id, by="小李")
    hall.order("close_call", call_id=call_id, by="小李", outcome=outcome)
    return hall


def counted(hall: Hall) -> list[tuple[int, int, int]]:
    return [(call.call_id, call.presses, call.repeats) for call in hall.open_calls]


# ---------------------------------------------------------------- bursts, copies, repeats


def test_one_press_as_five_messages_is_one_press_and_four_copies() -> None:
    hall = Hall()
    for gap_s in (0, 0.01, 0.05, 0.4, 1.4):
        hall.later(gap_s).sos()
    assert counted(hall) == [(1, 1, 4)]
    assert hall.commits == 2, "the device that appeared, and the call: copies cost the disk nothing"


def test_a_button_that_repeats_every_few_seconds_makes_one_call_with_a_counter() -> None:
    hall = Hall()
    hall.sos()
    for _ in range(10):
        hall.later(4).sos()
    assert counted(hall) == [(1, 1, 10)]


def test_each_repeat_in_three_messages_still_keeps_its_rhythm() -> None:
    hall = Hall()
    for _ in range(6):
        hall.sos()
        hall.later(0.1).sos()
        hall.later(0.1).sos()
        hall.later(3.8)
    assert counted(hall) == [(1, 1, 17)]
    touch = hall.state.table(LastPress)[SOS, 1]
    assert (touch.train, touch.beat_ms) == (5, 4_000)


def test_hours_of_repeats_cost_a_commit_a_minute() -> None:
    hall = Hall()
    hall.sos()
    before = hall.commits
    for _ in range(1800):
        hall.later(2).sos()
    assert counted(hall) == [(1, 1, 1800)]
    assert hall.commits - before <= 20 + 60 + 1


def test_after_a_train_a_real_press_is_written_at_once() -> None:
    hall = Hall()
    hall.sos()
    for _ in range(100):
        hall.later(2).sos()
    pressed = hall.later(20).sos()
    assert counted(hall) == [(1, 2, 100)]
    assert any(isinstance(change, Call) and change.presses == 2 for change in pressed.changes)


def test_numbered_frames_of_a_train_are_repeats_and_our_own_button_never_repeats() -> None:
    hall = Hall()
    for number in range(5):
        hall.later(3).press("chirpstack_v4:a8", press_id=f"fcnt:{number}", family="chirpstack_v4")
    for number in range(5):
        hall.later(3).press("btn-01", press_id=f"9f:{number}")
    assert counted(hall) == [(1, 1, 4), (2, 5, 0)]


def test_what_the_broker_sends_twice_without_a_number_is_one_press() -> None:
    """QoS 1: we wrote it and died before PUBACK; the broker sends it again when we are back."""
    hall = Hall()
    hall.sos()
    hall.later(12).sos(redelivered=True)
    assert counted(hall) == [(1, 1, 1)]
    hall.later(3600).sos(redelivered=True)
    assert counted(hall) == [(1, 2, 1)], "an hour later it may be the one that we never had"


def test_a_sure_repeat_of_a_doubtful_press_is_a_sure_call_and_written() -> None:
    hall = Hall()
    hall.sos(doubtful=True)
    for _ in range(30):
        hall.later(2).sos(doubtful=True)
    sure = hall.later(2).sos()
    assert [call.doubtful for call in hall.open_calls] == [False] and sure.changes


# ---------------------------------------------------------------- a train after the end


def train(hall: Hall, gaps_s: list[float]) -> list[Decision]:
    return [hall.later(gap_s).sos() for gap_s in gaps_s]


def test_a_train_that_goes_on_after_the_end_joins_the_old_call_and_the_button_is_stuck() -> None:
    hall = Hall()
    hall.claim(SOS)
    train(hall, [0, 3, 3, 3])
    closed(hall.later(1))
    decisions = train(hall, [2, 3, 3, 6, 3])
    assert hall.open_calls == [] and hall.call().repeats == 8
    assert hall.state.table(Care)[SOS].fault == "stuck"
    device = hall.state.devices[SOS]
    assert device.health == "fault" and "卡住" in device.why_zh and "stuck" in device.why_en
    assert hall.journal("DeviceHealth") == ["DeviceHealth"], "said once"
    assert all(decision.call and decision.call.call_id == 1 for decision in decisions)


def test_hours_of_a_stuck_button_ring_nobody_and_spare_the_card() -> None:
    hall = Hall()
    train(hall, [0, 3, 3, 3])
    closed(hall.later(1))
    dice = random.Random(3)
    before = hall.commits
    for _ in range(1500):
        hall.later(3 * dice.choice([1, 1, 1, 1, 2]) + dice.uniform(-0.3, 0.3)).sos()
    assert hall.open_calls == [] and hall.call().repeats == 1503
    minutes = (hall.now_ms - NOON) // 60_000
    assert hall.commits - before <= minutes + 20


def test_let_go_and_pressed_anew_it_is_a_new_call_and_stuck_no_longer() -> None:
    hall = Hall()
    hall.claim(SOS)
    train(hall, [0, 3, 3, 3])
    closed(hall.later(1))
    train(hall, [2, 3, 3])
    hall.later(1).release()
    assert (hall.state.table(Care)[SOS].fault, hall.state.devices[SOS].health) == ("", "ok")
    hall.later(5).sos()
    assert counted(hall) == [(2, 1, 0)]


@pytest.mark.parametrize(
    ("gaps_s", "then_s", "why"),
    [
        ([0, 3, 3, 3], 14, "three of its beats are silence: the next is a new press"),
        ([0, 3, 3, 3], 70, "and a minute is certainly"),
        ([0], 5, "one press is no train"),
        ([0, 4], 5, "nor are two"),
        ([0, 12, 12, 12], 12, "people wait as long as that between two presses"),
        ([0, 61, 48, 75, 60], 60, "an elder who presses about once a minute because nobody comes"),
    ],
)
def test_when_in_doubt_it_rings_anew(gaps_s: list[float], then_s: float, why: str) -> None:
    hall = Hall()
    train(hall, gaps_s)
    closed(hall, outcome="false_alarm")
    hall.later(then_s).sos()
    assert [call.call_id for call in hall.open_calls] == [2], why


def test_a_hand_that_presses_on_after_the_end_is_heard_within_a_minute() -> None:
    """Staff closed it by mistake and somebody presses and presses: a machine keeps time, a hand does not."""
    hall = Hall()
    hands = [3.0, 5.5, 2.2, 8.0, 4.1, 2.4, 9.0, 3.2, 6.5, 2.1, 7.7, 3.0, 8.8, 2.6, 5.0, 9.3, 2.5]
    train(hall, [0, *hands[:4]])
    closed(hall, outcome="false_alarm")
    ended_ms = hall.now_ms
    for gap_s in hands:
        hall.later(gap_s).sos()
        if hall.open_calls:
            break
    assert [call.call_id for call in hall.open_calls] == [2] and hall.now_ms - ended_ms < 90_000


def test_a_slow_train_of_half_a_minute_is_known_by_its_rhythm() -> None:
    hall = Hall()
    train(hall, [0, 30, 30.4, 29.9, 30.1, 30, 30])
    assert counted(hall) == [(1, 7, 0)], "while the call is open each is a press: further apart than 10 s"
    closed(hall)
    train(hall, [30, 30.2, 60.1])
    assert hall.open_calls == [] and hall.state.table(Care)[SOS].fault == "stuck"


def test_our_own_button_and_a_screen_are_never_called_stuck() -> None:
    hall = Hall()
    for number in range(5):
        hall.later(3).press(press_id=f"a:{number}")
    closed(hall.later(1))
    hall.later(2).press(press_id="a:9")
    assert [call.call_id for call in hall.open_calls] == [2]
    for _ in range(4):
        hall.later(3).order("raise_call", device_id="screen:kiosk-1", kind="help", place_zh="自助机")
    closed(hall, 3)
    hall.later(3).order("raise_call", device_id="screen:kiosk-1", kind="help", place_zh="自助机")
    assert [call.call_id for call in hall.open_calls] == [2, 4]


# ---------------------------------------------------------------- releases


def test_a_release_belongs_to_its_press_and_costs_nothing() -> None:
    hall = Hall()
    hall.sos()
    before = hall.commits
    hall.later(0.8).release()
    hall.later(0.1).release()  # on a second topic
    assert counted(hall) == [(1, 1, 0)] and hall.commits == before


def test_a_release_whose_press_was_lost_is_a_press_and_no_doubt_about_it() -> None:
    hall = Hall()
    hall.claim(SOS)
    rung = hall.release(press_id="fcnt:7")
    assert counted(hall) == [(1, 1, 0)] and not hall.call().doubtful
    assert rung.call is not None and rung.call.claimed
    hall.later(0.2).release(press_id="fcnt:7")
    assert counted(hall) == [(1, 1, 0)], "through a second antenna"


def test_two_presses_of_which_one_was_lost_and_two_releases_are_two_presses() -> None:
    hall = Hall()
    hall.sos()
    hall.later(1).release()
    hall.later(20).release()
    assert counted(hall) == [(1, 2, 0)]


def test_a_release_long_after_a_press_that_had_none_is_a_press_of_its_own() -> None:
    hall = Hall()
    hall.sos()
    closed(hall)
    hall.later(3600).release()
    assert counted(hall) == [(2, 1, 0)]


def test_held_for_a_minute_it_is_one_press_also_when_the_call_is_closed_before_it_is_let_go() -> None:
    hall = Hall()
    hall.sos()
    closed(hall.later(30))
    hall.later(30).release()
    assert hall.open_calls == []


def test_each_button_of_a_remote_has_its_own_release() -> None:
    hall = Hall()
    hall.sos(button=1)
    hall.later(3).release(button=2)
    assert counted(hall) == [(1, 1, 1)] or counted(hall) == [(1, 2, 0)], "nobody pressed 2 that we know of"
    hall.later(0.5).release(button=1)
    assert len(hall.open_calls) == 1


def test_a_maker_that_says_up_before_it_says_what_that_was_has_said_one_press() -> None:
    """Shelly: btn_down, btn_up, and half a second later single_push with a number."""
    hall = Hall()
    hall.release(SHELLY, family="shelly", button=0)
    hall.later(0.5).press(SHELLY, press_id="ts:1795.5:input:0", family="shelly", button=0)
    assert counted(hall) == [(1, 1, 1)]
    again = hall.later(1).press(SHELLY, press_id="ts:1795.5:input:0", family="shelly", button=0)
    assert again.duplicate and counted(hall) == [(1, 1, 2)]


def test_long_push_and_then_up_is_one_press() -> None:
    hall = Hall()
    hall.press(SHELLY, press_id="ts:1:input:0", family="shelly", button=0)
    hall.later(2.5).release(SHELLY, family="shelly", button=0)
    assert counted(hall) == [(1, 1, 0)]


def test_what_only_tells_how_things_stand_is_never_a_press() -> None:
    hall = Hall()
    hall.release(level=True)
    hall.claim(SOS)
    hall.later(60).release(level=True)
    assert hall.open_calls == []


def test_a_parking_sensor_and_an_ignored_device_release_nothing() -> None:
    hall = Hall()
    hall.order("claim_device", device_id="bay-1", kind="bay_sensor", bay_id="e1", zone_id="east")
    hall.order("claim_device", device_id="fob", kind="ignored")
    hall.release("bay-1")
    hall.release("fob")
    assert hall.open_calls == []


def test_a_release_means_what_a_press_of_that_button_means() -> None:
    hall = Hall()
    hall.claim(SOS, call_kind="meal")
    hall.release()
    assert [call.kind for call in hall.open_calls] in (["meal"], []), "and never an emergency"


def test_an_old_release_is_a_delayed_press() -> None:
    hall = Hall()
    hall.release(age_ms=660_000)
    assert [call.delayed for call in hall.open_calls] == [True]


# ---------------------------------------------------------------- as it comes off the wire


def facts(
    topic: str, payload: bytes, *, retained: bool = False, arrived_ms: int = 0
) -> list[Pressed | Released]:
    family = family_of(topic)
    assert family is not None
    reading = decode(Heard(topic, payload, retained=retained))
    happened = facts_of(family, reading, topic, retained=retained, redelivered=False, arrived_ms=arrived_ms)
    return [fact for fact in happened if isinstance(fact, Pressed | Released)]


@pytest.mark.parametrize(
    ("topic", "payload", "level"),
    [
        ("zigbee2mqtt/fob", b'{"action": "release"}', False),
        ("stat/wall/RESULT", b'{"Button1": {"Action": "CLEAR"}}', False),
        ("stat/wall/RESULT", b'{"Switch1": {"Action": "OFF"}}', True),
        ("room/binary_sensor/cord/state", b"OFF", True),
    ],
)
def test_a_hand_lets_go_and_a_state_topic_only_tells_how_things_stand(
    topic: str, payload: bytes, level: bool
) -> None:
    [released] = facts(topic, payload)
    assert isinstance(released, Released) and released.level is level
    assert facts(topic, payload, retained=True) == [], "what the broker remembers is no news"


def shelly_push(told: object) -> Pressed:
    event = {"component": "input:0", "id": 0, "event": "single_push", "ts": told}
    body = {"src": "shelly", "method": "NotifyEvent", "params": {"ts": told, "events": [event]}}
    topic = "shellyplusi4-a8032ab1/events/rpc"
    [pressed] = facts(topic, json.dumps(body).encode(), arrived_ms=1_795_000_720_000)
    assert isinstance(pressed, Pressed)
    return pressed


@pytest.mark.parametrize("told", [1_795_000_000, 1_795_000_000_000, 1_795_000_000.5])
def test_a_press_that_tells_its_time_is_as_old_as_that(told: float) -> None:
    assert abs(shelly_push(told).age_ms - 720_000) <= 1_000


@pytest.mark.parametrize("told", [0, 12.5, 1_895_000_000, "yesterday", True, None])
def test_a_clock_that_is_ahead_or_lost_tells_nothing(told: object) -> None:
    assert shelly_push(told).age_ms == 0


def test_the_bursts_that_real_devices_made_are_one_call_each() -> None:
    rows = [
        json.loads(line) for line in Path("tests/data/devices.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    bursts: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        if row.get("burst"):
            bursts.setdefault(str(row["burst"]), []).append(row)
    assert bursts
    for burst, said in bursts.items():
        hall = Hall()
        for row in said:
            payload = row["payload"] if isinstance(row["payload"], str) else json.dumps(row["payload"])
            for fact in facts(str(row["topic"]), payload.encode(), retained=bool(row.get("retained"))):
                hall.did(decide(hall.state, fact, hall.now_ms))
            hall.later(0.2)
        assert [call.presses for call in hall.open_calls] == [1], burst
