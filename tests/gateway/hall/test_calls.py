"""A call's life, told as histories: what happened, then one question. The clock is a number we hold."""

import itertools

import pytest

from devices.faults import OrderRefused
from gateway.hall import calls, timers
from gateway.hall.life import step
from gateway.hall.state import Call, JournalLine, PressRow, TimerSet
from tests.gateway.hall.paper_hall import NOON, SOS, Hall, lamps


def test_a_press_is_heard_answered_and_closed_and_its_lamp_follows() -> None:
    hall = Hall()
    hall.claim(person="张奶奶")

    heard = hall.press(press_id="9f:1")
    coming = hall.later(20).order("accept_call", call_id=1, by="小李")
    closed = hall.later(300).order("close_call", call_id=1, by="小李", outcome="helped", note="摔倒，已扶起")

    assert [lamps(one) for one in (heard, coming, closed)] == [["blink"], ["steady"], ["off"]]
    call = hall.state.calls[1]
    assert (call.state, call.person, call.accepted_by, call.outcome) == ("CLOSED", "张奶奶", "小李", "helped")
    assert call.accepted_ms is not None and call.accepted_ms - call.opened_ms == 20_000


def test_an_unknown_button_alarms_all_the_same() -> None:
    hall = Hall()
    hall.press("zigbee2mqtt:0x01", family="zigbee2mqtt")
    assert [(call.device_id, call.claimed) for call in hall.open_calls] == [("zigbee2mqtt:0x01", False)]
    assert hall.state.devices["zigbee2mqtt:0x01"].kind == "unclaimed"


def test_our_button_repeats_until_written_and_it_is_one_press() -> None:
    hall = Hall()
    hall.press(press_id="9f:1")
    for _ in range(5):
        assert hall.later(1).press(press_id="9f:1").duplicate
    assert [call.presses for call in hall.open_calls] == [1]


def test_the_same_press_comes_again_after_a_year_in_a_drawer_and_makes_no_call() -> None:
    hall = Hall()
    hall.press(press_id="9f:1")
    hall.order("close_call", call_id=1, by="小李", outcome="helped")
    hall.later(365 * 24 * 3600)
    assert hall.press(press_id="9f:1").duplicate
    assert hall.open_calls == []


def test_two_presses_of_an_open_call_are_two_facts_on_it() -> None:
    hall = Hall()
    hall.press(press_id="9f:1")
    hall.later(12).press(press_id="9f:2")
    assert [(call.call_id, call.presses) for call in hall.open_calls] == [(1, 2)]


def test_one_zigbee_press_on_three_topics_is_one_press() -> None:
    hall = Hall()
    hall.press("zigbee2mqtt:b", family="zigbee2mqtt")
    hall.later(0.05).press("zigbee2mqtt:b", family="zigbee2mqtt")
    hall.later(0.9).press("zigbee2mqtt:b", family="zigbee2mqtt")
    assert [call.presses for call in hall.open_calls] == [1]


def test_identical_messages_over_ten_seconds_apart_are_two_presses() -> None:
    hall = Hall()
    hall.press("zigbee2mqtt:b", family="zigbee2mqtt")
    hall.later(10.1).press("zigbee2mqtt:b", family="zigbee2mqtt")
    assert [(call.presses, call.repeats) for call in hall.open_calls] == [(2, 0)]


def test_a_frame_counter_that_began_again_is_a_new_press() -> None:
    """A LoRaWAN button that re-joined counts from 1 again: the same number an hour later is somebody new in need."""
    hall = Hall()
    hall.press("chirpstack_v4:a8", press_id="fcnt:1", family="chirpstack_v4")
    hall.order("close_call", call_id=1, by="小李", outcome="test")
    hall.later(3600).press("chirpstack_v4:a8", press_id="fcnt:1", family="chirpstack_v4")
    assert [call.call_id for call in hall.open_calls] == [2]


def test_copies_through_two_gateways_and_a_redelivery_are_one_press() -> None:
    hall = Hall()
    hall.press("chirpstack_v4:a8", press_id="fcnt:7", family="chirpstack_v4")
    hall.later(0.2).press("chirpstack_v4:a8", press_id="fcnt:7", family="chirpstack_v4")
    hall.later(600).press("chirpstack_v4:a8", press_id="fcnt:7", family="chirpstack_v4", redelivered=True)
    assert [(call.call_id, call.presses) for call in hall.open_calls] == [(1, 1)]


def test_a_code_that_may_be_a_press_alarms_only_where_the_hall_has_claimed_it() -> None:
    hall = Hall()
    hall.press("tasmota:7028D2", family="tasmota", if_claimed=True, doubtful=True)
    assert hall.open_calls == []
    hall.claim("tasmota:7028D2")
    hall.press("tasmota:7028D2", family="tasmota", if_claimed=True, doubtful=True)
    assert [call.doubtful for call in hall.open_calls] == [True]


def test_an_ignored_device_is_ignored() -> None:
    hall = Hall()
    hall.press("zigbee2mqtt:doorbell", family="zigbee2mqtt")
    hall.order("close_call", call_id=1, by="小李", outcome="false_alarm")
    hall.order("claim_device", device_id="zigbee2mqtt:doorbell", kind="ignored")
    hall.later(60).press("zigbee2mqtt:doorbell", family="zigbee2mqtt")
    assert hall.open_calls == []


def test_an_old_press_alarms_marked_as_delayed() -> None:
    hall = Hall()
    hall.press(press_id="9f:1", age_ms=660_000)
    assert [call.delayed for call in hall.open_calls] == [True]


def test_nobody_answers_for_a_minute_and_the_call_says_so_once() -> None:
    hall = Hall()
    decision = hall.press(press_id="9f:1")
    due = {change.kind: change.due_ms - NOON for change in decision.changes if isinstance(change, TimerSet)}
    assert due == {"step": 60_000, "unanswered": 60_000}
    overdue = timers.due(hall.state, "call:1:unanswered", NOON + 60_000)
    assert [change.overdue for change in overdue.changes if isinstance(change, Call)] == [True]
    hall.did(overdue)
    assert timers.due(hall.state, "call:1:unanswered", NOON + 61_000).changes == []


def test_the_second_to_take_a_call_is_told_who_was_first() -> None:
    hall = Hall()
    hall.press(press_id="9f:1")
    hall.order("accept_call", call_id=1, by="小李")
    with pytest.raises(OrderRefused) as refused:
        hall.order("accept_call", call_id=1, by="老王")
    assert (refused.value.why_zh, refused.value.why_en) == (
        "小李 已经接了这个呼叫",
        "小李 has already taken this call",
    )
    assert hall.state.calls[1].accepted_by == "小李"


def test_to_take_it_twice_oneself_changes_nothing() -> None:
    hall = Hall()
    hall.press(press_id="9f:1")
    hall.order("accept_call", call_id=1, by="小李")
    assert hall.later(5).order("accept_call", call_id=1, by="小李").changes == []


@pytest.mark.parametrize(
    ("order", "fields"),
    [
        ("accept_call", {"call_id": 99, "by": "小李"}),
        ("accept_call", {"call_id": True, "by": "小李"}),
        ("accept_call", {"by": "小李"}),
        ("close_call", {"call_id": 1, "by": "小李", "outcome": "eaten"}),
        ("close_call", {"call_id": 1, "by": 7, "outcome": "helped"}),
        ("raise_call", {"device_id": "screen:kiosk-1", "kind": "revolution"}),
        ("make_coffee", {}),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_and_changes_nothing(
    order: str, fields: dict[str, object]
) -> None:
    hall = Hall()
    hall.press(press_id="9f:1")
    before = dict(hall.state.calls)
    with pytest.raises(OrderRefused) as refused:
        hall.order(order, **fields)
    assert refused.value.why_zh and refused.value.why_en
    assert dict(hall.state.calls) == before


@pytest.mark.parametrize(
    ("state", "event"),
    sorted(
        set(itertools.product(("HEARD", "COMING", "CLOSED"), {event for _, event in calls.LIFE}))
        - set(calls.LIFE)
    ),
)
def test_what_is_not_in_the_table_cannot_happen(state: str, event: str) -> None:
    call = Call(1, state, "help", "b", "b", True, "", "", 1, 1, NOON, NOON)  # type: ignore[arg-type]
    with pytest.raises(OrderRefused):
        step(call, event)


def test_a_screen_asks_for_help_and_a_double_tap_is_one_call() -> None:
    hall = Hall()
    first = hall.order(
        "raise_call", device_id="screen:kiosk-1", kind="help", place_zh="大厅自助机", key="abc"
    )
    again = hall.later(5).order(
        "raise_call", device_id="screen:kiosk-1", kind="help", place_zh="大厅自助机", key="abc"
    )
    assert first.call is not None and again.duplicate
    assert [(call.kind, call.place, call.presses) for call in hall.open_calls] == [("help", "大厅自助机", 1)]


@pytest.mark.parametrize("taken", [False, True], ids=["rings", "taken"])
@pytest.mark.parametrize("kind", ["company", "meal", "repair", "hall", "help", "test"])
@pytest.mark.parametrize("after_s", [0, 5, 60])
def test_an_emergency_at_a_screen_does_not_hide_in_a_lesser_call_from_there(
    kind: str, taken: bool, after_s: int
) -> None:
    hall = Hall(consoles=1)
    hall.order("raise_call", device_id="screen:kiosk-1", kind=kind)
    if taken:
        hall.order("accept_call", call_id=1, by="小李")
    rung = hall.later(after_s).order("raise_call", device_id="screen:kiosk-1", kind="emergency")

    assert [(call.call_id, call.kind, call.state, call.presses) for call in hall.open_calls] == [
        (2, "emergency", "HEARD", 1)
    ]
    assert rung.call is not None and rung.call.call_id == 2 and lamps(rung)[-1] == "blink"
    before = hall.state.calls[1]
    assert (before.state, before.closed_by) == ("CLOSED", "系统 Linli") and before.outcome
    assert not [one for one in hall.state.timers.values() if one.subject == "call:1"]


def test_a_lesser_wish_joins_the_emergency_that_stands() -> None:
    hall = Hall()
    for kind in ("emergency", "company", "emergency"):
        hall.later(20).order("raise_call", device_id="screen:kiosk-1", kind=kind)
    assert [(call.kind, call.presses) for call in hall.open_calls] == [("emergency", 3)]


def test_a_button_that_became_an_emergency_button_while_its_call_stood_rings_as_one() -> None:
    hall = Hall()
    hall.claim(SOS, call_kind="company")
    hall.sos()
    hall.order("accept_call", call_id=1, by="小李")
    hall.later(5).claim(SOS, call_kind="emergency")
    hall.later(1).sos()
    assert [(call.call_id, call.kind, call.state) for call in hall.open_calls] == [(2, "emergency", "HEARD")]
    hall.later(3).sos()
    assert [(call.call_id, call.repeats) for call in hall.open_calls] == [(2, 1)]


def test_somebody_said_on_my_way_and_nobody_came_and_the_next_press_rings_anew() -> None:
    hall = Hall()
    hall.press(press_id="9f:1")
    hall.order("accept_call", call_id=1, by="小李")
    hall.later(60).press(press_id="9f:2")
    assert [call.state for call in hall.open_calls] == ["COMING"]  # he has only just left: no second alarm
    rung = hall.later(14 * 3600).press(press_id="9f:3")
    assert [(call.state, call.accepted_by, call.presses) for call in hall.open_calls] == [("HEARD", None, 3)]
    assert lamps(rung) == ["blink"] and any(isinstance(change, TimerSet) for change in rung.changes)


def test_the_clock_is_set_back_and_a_press_is_still_a_press() -> None:
    hall = Hall()
    hall.press("chirpstack_v4:a8", press_id="fcnt:1", family="chirpstack_v4")
    hall.order("close_call", call_id=1, by="小李", outcome="test")
    hall.later(-24 * 3600).press("chirpstack_v4:a8", press_id="fcnt:1", family="chirpstack_v4")
    assert [call.call_id for call in hall.open_calls] == [2]


@pytest.mark.parametrize("somebody_elses", ["btn-01", "gpio-desk", "zigbee2mqtt:0x01", ""])
def test_a_screen_cannot_light_an_elders_lamp(somebody_elses: str) -> None:
    hall = Hall()
    with pytest.raises(OrderRefused, match="screen:"):
        hall.order("raise_call", device_id=somebody_elses, kind="help", place_zh="自助机")
    assert hall.open_calls == []


def test_the_journal_names_rows_never_people() -> None:
    hall = Hall()
    hall.claim(person="张奶奶")
    decision = hall.press(press_id="9f:1")
    lines = [change for change in decision.changes if isinstance(change, JournalLine)]
    assert lines and "张奶奶" not in str(lines)
    assert any(isinstance(change, PressRow) for change in decision.changes)
