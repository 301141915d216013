"""What the elder is told, as histories: the call says what her device shows, and never more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from devices.faults import OrderRefused
from devices.messages import DeviceSeen, Pressed, SetLamp
from gateway.arrival import Arrival
from gateway.hall import answering
from gateway.hall.rows import Telling, Voice
from tests.gateway.hall.care_hall import PaperHall
from tests.gateway.held_hall import HeldClock, HeldHall

BTN, SIREN, PLUG, RELAY = "zigbee2mqtt:btn", "zigbee2mqtt:siren", "zigbee2mqtt:plug", "chirpstack_v4:a840"


def payloads(hall: PaperHall) -> list[object]:
    said = [message.payload for saying in hall.said for message in saying.messages]
    return [json.loads(one) if one.startswith("{") else one for one in said]


def test_our_own_lamp_says_what_it_shows_and_only_then_is_it_called_shown() -> None:
    hall = PaperHall()
    hall.claim("btn-01")
    decision = hall.press(press_id="a:1")
    assert decision.call is not None and decision.call.heard == "sent"
    assert [effect.light for effect in decision.effects if isinstance(effect, SetLamp)] == ["blink"]
    hall.shows("btn-01", "blink")
    hall.order("accept_call", call_id=1, by="小李")
    assert (hall.call().heard, hall.call().coming) == ("shown", "sent")
    hall.shows("btn-01", "blink")  # an old word: it is not yet steady
    assert hall.call().coming == "sent"
    hall.shows("btn-01", "steady")
    assert (hall.call().heard, hall.call().coming) == ("shown", "shown")
    assert hall.events("Shown") == ["Shown", "Shown"] and hall.said == []


def test_a_lamp_that_says_nothing_is_unconfirmed_and_may_still_say_it_later() -> None:
    hall = PaperHall()
    hall.claim("btn-01")
    hall.press(press_id="a:1")
    hall.did(answering.overdue(hall.state, hall.now_ms + answering.CONFIRM_MS - 1))
    assert hall.call().heard == "sent"
    hall.pass_s(10)
    hall.did(answering.overdue(hall.state, hall.now_ms))
    assert hall.call().heard == "unconfirmed" and hall.events("Unconfirmed") == ["Unconfirmed"]
    hall.shows("btn-01", "blink")
    assert hall.call().heard == "shown"


@pytest.mark.parametrize(
    "button", ["chirpstack_v4:24e1", "ttn_v3:24e1", BTN, "esphome:esp", "generic_json:433-A1"]
)
def test_a_bought_button_without_a_lamp_cannot_hear_and_the_call_says_so(button: str) -> None:
    hall = PaperHall()
    hall.seen(button, "WS101")
    hall.claim(button)
    hall.press(button)
    hall.order("accept_call", call_id=1, by="小李")
    assert (hall.call().heard, hall.call().coming) == ("cannot", "cannot")
    assert hall.said == [] and not any(timer.kind == "told" for timer in hall.state.timers.values())


def test_a_siren_beside_the_button_answers_and_its_word_is_waited_for() -> None:
    hall = PaperHall()
    hall.button_with(SIREN, means="alarm")
    hall.press(BTN)
    assert payloads(hall) == [{"duration": 2, "alarm": True}] and hall.call().heard == "sent"
    hall.shows(SIREN, "on")
    assert hall.call().heard == "shown"
    hall.pass_s(60).order("accept_call", call_id=1, by="小李")
    hall.shows(SIREN, "on")
    hall.order("close_call", call_id=1, by="小李", outcome="helped")
    assert payloads(hall)[1:] == [{"duration": 8, "alarm": True}], (
        "long for coming; that it is over makes no noise"
    )
    assert (hall.call().heard, hall.call().coming) == ("shown", "shown")


def test_without_an_echo_it_is_told_three_times_and_then_left_alone() -> None:
    hall = PaperHall()
    hall.button_with(SIREN, means="alarm")
    hall.press(BTN)
    hall.pass_s(9)
    assert hall.call().heard == "sent"
    hall.pass_s(1)
    assert hall.call().heard == "unconfirmed" and len(hall.said) == 2
    hall.pass_s(3600)
    assert len(hall.said) == answering.TRIES and hall.events("Unconfirmed") == ["Unconfirmed"]
    hall.shows(SIREN, "on")
    assert hall.call().heard == "shown"


def test_what_can_never_say_whether_it_sounded_is_unconfirmed_at_once_and_not_repeated() -> None:
    hall = PaperHall()
    hall.button_with(SIREN, means="siren")
    hall.press(BTN)
    hall.pass_s(3600)
    assert hall.call().heard == "unconfirmed" and len(hall.said) == 1


def test_a_socket_is_lit_while_somebody_is_coming_and_dark_when_nobody_is() -> None:
    hall = PaperHall()
    hall.button_with(PLUG, means="switch")
    hall.press(BTN)
    assert hall.call().heard == "cannot" and hall.said == []
    hall.pass_s(20).order("accept_call", call_id=1, by="小李")
    hall.shows(PLUG, "on")
    assert hall.call().coming == "shown"
    # Ten minutes later nobody has come, and she presses again: the lamp may not go on promising.
    hall.pass_s(700).press(BTN)
    assert hall.call().state == "HEARD" and hall.call().coming == ""
    assert payloads(hall) == [{"state": "ON"}, {"state": "OFF"}]
    hall.order("accept_call", call_id=1, by="小王")
    hall.shows(PLUG, "on")
    hall.order("close_call", call_id=1, by="小王", outcome="helped")
    hall.shows(PLUG, "off")
    assert payloads(hall)[2:] == [{"state": "ON"}, {"state": "OFF"}]
    assert hall.telling(PLUG).state == "shown"


def test_a_lamp_that_will_not_go_dark_is_told_again() -> None:
    hall = PaperHall()
    hall.button_with(PLUG, means="switch")
    hall.press(BTN)
    hall.order("accept_call", call_id=1, by="小李")
    hall.shows(PLUG, "on")
    hall.order("close_call", call_id=1, by="小李", outcome="helped")
    hall.pass_s(15)
    assert payloads(hall) == [{"state": "ON"}, {"state": "OFF"}, {"state": "OFF"}]
    assert [saying.word for saying in answering.levels(hall.state)] == ["over"], (
        "told anew, too, when the broker is back"
    )
    hall.shows(PLUG, "off")
    assert list(answering.levels(hall.state)) == []


def test_a_network_says_what_became_of_which_message() -> None:
    hall = PaperHall()
    hall.button_with(RELAY, means="lt", via="application/7/device/a840")
    hall.press(BTN)
    hall.order("accept_call", call_id=1, by="小李")
    token = hall.telling(RELAY).token
    assert json.loads(hall.said[0].messages[0].payload)["id"] == token and len(token) == 36
    hall.shows(RELAY, token="somebody-else's")
    assert hall.call().coming == "sent"
    hall.shows(RELAY, token=token, ok=False)
    assert hall.call().coming == "unconfirmed"
    hall.pass_s(10)
    again = hall.telling(RELAY).token
    assert again != token and len(hall.said) == 2
    hall.shows(RELAY, token=again)
    assert hall.call().coming == "shown"


def test_one_lamp_for_two_buttons_shows_the_more_urgent_and_claims_nothing_for_the_other() -> None:
    hall = PaperHall()
    lamp, bed, bath = "tasmota:lamp", "zigbee2mqtt:bed", "zigbee2mqtt:bath"
    hall.button_with(lamp, button=bed, means="relay", via="cmnd/lamp")
    hall.seen(bath)
    hall.claim(bath, answers=lamp)
    hall.press(bed)
    hall.shows(lamp, "blink")
    hall.order("accept_call", call_id=1, by="小李")
    hall.shows(lamp, "on")
    hall.pass_s(30).press(bath)
    assert payloads(hall) == ["BLINK", "ON", "BLINK"]
    hall.shows(lamp, "blink")
    assert (hall.call(1).coming, hall.call(2).heard) == ("shown", "shown")
    hall.order("accept_call", call_id=2, by="小李")
    hall.shows(lamp, "on")
    assert hall.call(2).coming == "shown"
    hall.order("close_call", call_id=1, by="小李", outcome="helped")
    assert payloads(hall) == ["BLINK", "ON", "BLINK", "ON"], "somebody is still coming to the other"
    hall.order("close_call", call_id=2, by="小李", outcome="helped")
    assert payloads(hall)[-1] == "OFF"


def test_who_presses_again_is_answered_again_but_not_at_every_press() -> None:
    hall = PaperHall()
    hall.button_with(SIREN, means="alarm")
    hall.press(BTN)
    hall.shows(SIREN, "on")
    hall.pass_s(4).press(BTN)
    assert hall.call().repeats == 1 and len(hall.said) == 1
    hall.pass_s(10).press(BTN)
    assert len(hall.said) == 2 and hall.call().heard == "sent"


def test_a_screen_and_a_pin_answer_where_one_stands() -> None:
    hall = PaperHall()
    hall.order("raise_call", device_id="screen:kiosk-1", kind="help", place_zh="自助机", key="k")
    assert hall.call().heard == "" and hall.said == []


def test_levels_are_told_anew_and_a_siren_that_has_sounded_is_not() -> None:
    hall = PaperHall()
    hall.button_with(SIREN, means="alarm")
    hall.button_with(PLUG, button="zigbee2mqtt:b2", means="switch")
    for button in (BTN, "zigbee2mqtt:b2"):
        hall.press(button)
    for call_id in (1, 2):
        hall.order("accept_call", call_id=call_id, by="小李")
    assert [(saying.device_id, saying.word) for saying in answering.levels(hall.state)] == [(PLUG, "coming")]


def test_a_lamp_of_ours_beside_a_bought_button_is_a_retained_level() -> None:
    hall = PaperHall()
    hall.button_with("lamp-302", via="")
    hall.press(BTN)
    (message,) = hall.said[0].messages
    assert (message.topic, message.retain) == ("linli/v1/lamp/lamp-302/set", True)
    hall.shows("lamp-302", "blink")
    assert hall.call().heard == "shown"


def test_a_lamp_that_answers_no_more_does_not_stay_lit() -> None:
    hall = PaperHall()
    hall.button_with(PLUG, means="switch")
    hall.press(BTN)
    hall.order("accept_call", call_id=1, by="小李")
    hall.claim(BTN, answers="")
    assert payloads(hall) == [{"state": "ON"}, {"state": "OFF"}]


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (lambda hall: hall.claim(BTN, answers="zigbee2mqtt:nobody"), "警号或指示灯"),
        (lambda hall: hall.claim(BTN, answers="own"), "不能显示回应"),
        (lambda hall: hall.claim(PLUG, "companion", means="loud"), "loud"),
        (lambda hall: hall.claim(BTN, answers=PLUG), "警号或指示灯"),
    ],
)
def test_a_claim_that_promises_too_much_is_refused_and_changes_nothing(
    claim: Callable[[PaperHall], object], why: str
) -> None:
    hall = PaperHall()
    hall.seen(BTN)
    hall.seen(PLUG)
    hall.claim(BTN)
    before = dict(hall.state.table(Voice))
    with pytest.raises(OrderRefused) as refused:
        claim(hall)
    assert why in refused.value.why_zh and refused.value.why_en
    assert dict(hall.state.table(Voice)) == before


def test_by_which_topic_a_device_listens_is_learnt_and_written_once() -> None:
    hall = PaperHall()
    assert any(isinstance(change, Voice) for change in hall.seen(PLUG).changes)
    assert not hall.seen(PLUG).changes
    moved = hall.seen(PLUG, via="zigbee2mqtt_p/plug").changes
    assert [change.via for change in moved if isinstance(change, Voice)] == ["zigbee2mqtt_p/plug"]


def test_a_call_that_is_not_on_disk_says_nothing_of_the_lamp_that_stays_dark(tmp_path: Path) -> None:
    hall = HeldHall(tmp_path, HeldClock())
    hall.break_disk()
    hall.press()
    told = [fact["call"] for fact in hall.told if fact["fact"] == "CallChanged"]
    assert [(call["written"], call["heard"]) for call in told if isinstance(call, dict)] == [(False, "")]
    hall.mend_disk()
    hall.after_s(2)
    hall.turn()
    assert hall.loop.state.calls[1].heard == "sent"
    hall.die()


def test_what_was_told_and_not_confirmed_goes_on_after_a_restart(tmp_path: Path) -> None:
    clock = HeldClock()
    hall = HeldHall(tmp_path, clock)
    for name in (SIREN, BTN):
        seen = DeviceSeen(name, "zigbee2mqtt", via=name.replace(":", "/"))
        hall.loop.take(Arrival(clock.monotonic_ns(), clock.now_ms(), "heard", (seen,), source=name))
    hall.after_s(0.3)
    hall.order("claim_device", device_id=SIREN, kind="companion", means="alarm")
    hall.order("claim_device", device_id=BTN, kind="call_button", answers=SIREN)
    press = Pressed(BTN, "n:1", family="zigbee2mqtt")
    hall.loop.take(Arrival(clock.monotonic_ns(), clock.now_ms(), "press", (press,)))
    hall.turn()
    assert hall.loop.state.calls[1].heard == "sent"
    hall.die()
    hall = HeldHall(tmp_path, clock)
    hall.after_s(11)
    assert hall.loop.state.calls[1].heard == "unconfirmed"
    assert hall.loop.state.table(Telling)[SIREN].tries == 2
    hall.die()
