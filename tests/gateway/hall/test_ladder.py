"""Whose turn it is: ladders told as histories. Nobody looks at a screen here; the rows say who was told."""

from __future__ import annotations

import pytest

from devices.faults import OrderRefused
from gateway.hall import calls, ladder, rules, timers
from gateway.hall.kinds import DEFAULTS
from gateway.hall.rows import CallStep, Helper, Kind, Message, RowGone
from gateway.hall.state import Call, Decision, TimerGone, TimerSet
from tests.gateway.hall.paper_hall import NOON, Hall, lamps


def staffed(consoles: int = 1) -> Hall:
    """A hall with a grid officer and a secretary who can be reached, a building head without a telephone."""
    hall = Hall(consoles)
    hall.helper("duty-1", "duty")
    hall.helper("grid-1", "grid", "wecombot://a", "sms:13800000001")
    hall.helper("head-1", "building")
    hall.helper("sec-1", "secretary", "sms:13800000009")
    return hall


def kind(hall: Hall, *steps: tuple[str, int, tuple[str, ...]], word: str = "emergency") -> None:
    old = DEFAULTS[word]
    new = Kind(word, old.name_zh, old.name_en, 0, steps, 300, outcomes=old.outcomes)
    hall.did(Decision(changes=[new]))


# ---------------------------------------------------------------- climbing


def test_nobody_answers_and_each_step_has_its_turn() -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    assert hall.steps() == [(1, "duty", "told")]
    assert (hall.call().turn, hall.call().step, hall.call().acts) == (
        1,
        0,
        "console beacon voice display message",
    )
    hall.wait(60)
    assert hall.steps()[-1] == (1, "grid", "told") and hall.messages() == [("grid-1", "queued")] * 2
    hall.wait(60 + 60 + 60 + 60)
    assert [who for _, who, _ in hall.steps()] == ["duty", "grid", "building", "unit", "guard", "secretary"]
    assert hall.state.table(CallStep)[1, 1, 1].helpers == ("grid-1",)


def test_at_night_the_steps_of_whom_nobody_can_be_reached_are_skipped_in_the_same_moment() -> None:
    hall = staffed(consoles=0)
    rung = hall.press(press_id="a:1")
    assert hall.steps() == [(1, "duty", "skipped"), (1, "grid", "told")]
    assert hall.state.table(CallStep)[1, 1, 0].why == "no_console no_channel"
    assert all(word in ladder.WHY for word in ("no_console", "no_channel", "nobody_on_duty"))
    assert sum(isinstance(change, CallStep) for change in rung.changes) == 2, "one transaction"
    hall.wait(60)
    assert hall.steps()[2:] == [
        (1, "building", "skipped"),
        (1, "unit", "skipped"),
        (1, "guard", "skipped"),
        (1, "secretary", "told"),
    ]


def test_a_message_names_no_elder_no_flat_and_no_illness() -> None:
    hall = staffed(consoles=0)
    hall.state.languages = ("zh", "en")
    hall.claim(person="张奶奶", place="3栋1单元302")
    hall.press(press_id="a:1")
    texts = {message.text for message in hall.state.table(Message).values()}
    assert texts == {
        (
            "【邻里】有一个紧急求助等人处理\n"
            "[Linli] Emergency: somebody is waiting"
        )
    }


def test_the_last_step_never_gives_up_and_floods_nobody() -> None:
    hall = staffed(consoles=0)
    kind(hall, ("secretary", 1, ("voice", "message")))
    hall.press(press_id="a:1")
    hall.wait(3600)
    assert len(hall.steps()) == 61 and {state for _, _, state in hall.steps()} == {"told"}
    assert [turn for turn, _, _ in hall.steps()] == list(range(1, 62))
    assert hall.messages() == [("sec-1", "queued")], "what still waits to be sent need not wait twice"


def test_who_has_got_the_message_gets_it_again_with_the_next_repetition() -> None:
    hall = staffed(consoles=0)
    kind(hall, ("secretary", 1, ("message",)))
    hall.press(press_id="a:1")
    for _ in range(3):
        for one in list(hall.state.table(Message).values()):
            if one.state == "queued":
                sent = Message(**{name: getattr(one, name) for name in Message.__slots__} | {"state": "sent"})
                hall.did(Decision(changes=[sent]))
        hall.wait(60)
    texts = [one.text for one in hall.state.table(Message).values()]
    assert len(texts) == 4 and texts[-1].endswith("（第 4 次提醒）")


def test_one_who_stands_on_two_short_steps_is_not_written_to_twice_within_a_minute() -> None:
    hall = Hall()
    for who in ("grid", "building", "unit"):
        hall.helper(f"{who}-1", who, "sms:1")
    kind(hall, ("grid", 1, ("message",)), ("building", 1, ("message",)), ("unit", 90, ("message",)))
    hall.press(press_id="a:1")
    hall.wait(30)
    assert len(hall.steps()) == 3 and len(hall.messages()) == 1


def test_steps_of_a_second_and_of_an_hour() -> None:
    hall = Hall(consoles=1)
    kind(hall, ("duty", 1, ("console",)), ("grid", 3600, ("console",)), ("guard", 60, ("console",)))
    hall.press(press_id="a:1")
    hall.wait(1)
    assert hall.call().step == 1
    hall.wait(3599)
    assert hall.call().step == 1
    hall.wait(1)
    assert hall.call().step == 2


def test_nobody_is_anywhere_and_the_call_rings_with_all_it_has_and_looks_each_minute() -> None:
    hall = Hall()
    hall.press(press_id="a:1")
    assert {state for _, _, state in hall.steps()} == {"skipped"} and len(hall.steps()) == 6
    assert hall.call().acts == "console beacon voice display message"
    commits = hall.commits
    hall.wait(3600)
    assert len(hall.steps()) == 6, "looking again costs a timer, not rows"
    assert hall.commits - commits <= 61 and hall.timer_kinds() == ["step"]
    hall.did(Decision(changes=[Helper("grid-1", "某人", "grid", channels=("sms:1",))]))
    hall.wait(60)
    assert hall.steps()[6:] == [(2, "duty", "skipped"), (2, "grid", "told")]


def test_a_quiet_kind_stays_quiet_when_nobody_is_there() -> None:
    hall = Hall()
    hall.claim(call_kind="meal")
    hall.press(press_id="a:1")
    assert hall.call().acts == "console message"
    hall.order("raise_call", device_id="screen:kiosk-1", kind="help", place_zh="自助机")
    assert "beacon" in hall.call(2).acts, "somebody in the hall sees it when no console is open"


def test_a_meal_never_enters_the_emergencys_ladder() -> None:
    hall = staffed()
    hall.helper("kitchen-1", "kitchen", "sms:5")
    hall.claim(call_kind="meal")
    hall.press(press_id="a:1")
    hall.wait(24 * 3600)
    assert {who for _, who, _ in hall.steps()} == {"kitchen", "duty"}
    assert {helper for helper, _ in hall.messages()} == {"kitchen-1"}


def test_further_up_is_nobody_and_those_further_down_are_asked_again() -> None:
    hall = Hall()
    hall.helper("grid-1", "grid", "sms:1")
    kind(hall, ("grid", 60, ("message",)), ("building", 60, ("message",)), ("secretary", 60, ("message",)))
    hall.press(press_id="a:1")
    hall.wait(61)
    assert hall.steps() == [
        (1, "grid", "told"),
        (1, "building", "skipped"),
        (1, "secretary", "skipped"),
        (2, "grid", "told"),
    ]
    hall.wait(600)
    assert len(hall.steps()) < 4 * 12, "and not more often than once a minute"


# ---------------------------------------------------------------- who comes and goes


def test_a_console_that_opens_is_told_at_once() -> None:
    hall = Hall()
    hall.press(press_id="a:1")
    hall.later(7).order("consoles", live=1)
    assert hall.steps()[-1] == (2, "duty", "told") and hall.state.consoles == 1
    assert hall.timer("step").due_ms == hall.now_ms + 60_000


def test_the_last_console_goes_and_does_not_come_back_and_the_next_step_is_told() -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    hall.later(10).order("consoles", live=0)
    assert hall.steps() == [(1, "duty", "told")], (
        "a page that is loaded anew is no reason to wake the grid officer"
    )
    hall.wait(2)
    assert hall.steps() == [(1, "duty", "told"), (1, "grid", "told")]


def test_a_page_that_is_loaded_anew_changes_nothing() -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    hall.order("consoles", live=0)
    hall.later(0.3).order("consoles", live=1)
    hall.wait(58)
    assert hall.steps() == [(1, "duty", "told")]
    hall.wait(2)
    assert hall.steps()[-1] == (1, "grid", "told")


def test_a_helper_who_is_entered_while_it_rings_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever order changes a roster."""
    hall = Hall()
    hall.press(press_id="a:1")
    new = Helper("guard-1", "老周", "guard", channels=("sms:7",))
    monkeypatch.setitem(rules.ORDERS, "enter", lambda _state, _fields, _now_ms: Decision(changes=[new]))
    hall.order("enter")
    assert hall.steps()[-1] == (2, "guard", "told") and hall.messages() == [("guard-1", "queued")]


def test_the_only_one_on_the_step_is_taken_off_the_roster_and_the_next_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hall = staffed(consoles=0)
    hall.press(press_id="a:1")
    assert hall.steps()[-1] == (1, "grid", "told")
    gone = Decision(changes=[RowGone(Helper.TABLE, "grid-1")])
    monkeypatch.setitem(rules.ORDERS, "leave", lambda _state, _fields, _now_ms: gone)
    hall.order("leave")
    hall.wait(2)
    assert hall.steps()[-1] == (1, "secretary", "told")


@pytest.mark.parametrize("live", [-1, "1", None, True, 1.5])
def test_a_count_of_consoles_that_is_none_is_refused(live: object) -> None:
    hall = Hall(consoles=2)
    with pytest.raises(OrderRefused):
        hall.order("consoles", live=live)
    assert hall.state.consoles == 2


# ---------------------------------------------------------------- answered


def test_who_takes_it_stops_the_ladder_and_the_messages_that_have_not_gone_out() -> None:
    hall = staffed(consoles=0)
    hall.press(press_id="a:1")
    hall.later(5).order("accept_call", call_id=1, by="小李")
    assert hall.messages() == [("grid-1", "void")] * 2 and hall.timer_kinds() == ["coming"]
    hall.wait(600)
    assert len(hall.steps()) == 2


def test_nothing_comes_of_it_and_the_ladder_goes_on() -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    hall.later(5).order("accept_call", call_id=1, by="小李")
    hall.wait(899)
    assert hall.call().state == "COMING"
    hall.wait(1)
    assert (hall.call().state, hall.call().accepted_by, hall.call().turn) == ("HEARD", None, 2)
    assert hall.steps()[-1] == (2, "duty", "told")
    assert [(line.event, line.actor) for line in hall.lines if line.event == "AcceptanceExpired"] == [
        ("AcceptanceExpired", "小李")
    ]
    hall.wait(60)
    assert hall.steps()[-1] == (2, "grid", "told") and hall.call().overdue
    hall.order("accept_call", call_id=1, by="老王")
    assert hall.call().accepted_by == "老王"


def test_who_has_arrived_is_not_overtaken_only_reminded() -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    hall.order("accept_call", call_id=1, by="小李")
    arrived = hall.later(300).order("arrive_call", call_id=1, by="小李")
    assert (hall.call().arrived_ms, hall.call().arrived_by) == (NOON + 300_000, "小李")
    assert lamps(arrived) == ["steady"]
    hall.wait(3 * 3600 + 60)
    assert hall.call().state == "COMING" and hall.journal("Unclosed") == ["Unclosed"] * 3
    assert hall.later(1).order("arrive_call", call_id=1, by="小李").duplicate
    with pytest.raises(OrderRefused, match="小李"):
        hall.order("arrive_call", call_id=1, by="老王")


def test_who_comes_without_having_said_so_has_taken_it_with_that() -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    hall.later(40).order("arrive_call", call_id=1, by="小李")
    call = hall.call()
    assert (call.state, call.accepted_by, call.accepted_ms) == ("COMING", "小李", NOON + 40_000)
    assert hall.timer_kinds() == ["coming"]


def test_two_people_take_it_in_the_same_moment_and_the_second_hears_who_was_first() -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    hall.order("accept_call", call_id=1, by="小李")
    with pytest.raises(OrderRefused) as refused:
        hall.order("accept_call", call_id=1, by="老王")
    assert "小李" in refused.value.why_zh and "小李" in refused.value.why_en


@pytest.mark.parametrize("by", ["", "   "])
@pytest.mark.parametrize("order", ["accept_call", "arrive_call", "close_call", "reopen_call"])
def test_nobody_is_not_a_name(order: str, by: str) -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    with pytest.raises(OrderRefused):
        hall.order(order, call_id=1, by=by, outcome="helped")
    assert hall.call().state == "HEARD"


def test_an_outcome_is_one_of_its_kinds() -> None:
    hall = staffed()
    hall.claim(call_kind="meal")
    hall.press(press_id="a:1")
    for outcome in ("", "hospital", "已订餐"):
        with pytest.raises(OrderRefused) as refused:
            hall.order("close_call", call_id=1, by="小李", outcome=outcome)
        assert "已订餐" in refused.value.why_zh and "meal_ordered" in refused.value.why_en
    hall.order("close_call", call_id=1, by="小李", outcome="meal_ordered")
    assert hall.call().outcome == "meal_ordered" and hall.timer_kinds() == []


def test_words_that_staff_added_to_a_kind_are_outcomes() -> None:
    hall = staffed()
    new = Kind(
        "emergency", "紧急", "E", 0, (("duty", 9, ("console",)),), outcomes=(("cat", "猫碰的", "The cat"),)
    )
    hall.did(Decision(changes=[new]))
    hall.press(press_id="a:1")
    with pytest.raises(OrderRefused):
        hall.order("close_call", call_id=1, by="小李", outcome="helped")
    hall.order("close_call", call_id=1, by="小李", outcome="cat")
    assert hall.call().state == "CLOSED"


# ---------------------------------------------------------------- undone


def test_a_close_by_mistake_is_undone_and_who_had_it_has_it_again() -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    hall.later(5).order("accept_call", call_id=1, by="小李")
    hall.later(60).order("close_call", call_id=1, by="小李", outcome="helped", note="好了")
    undone = hall.later(59).order("reopen_call", call_id=1, by="小李")
    call = hall.call()
    assert (call.state, call.accepted_by, call.outcome, call.closed_ms, call.turn) == (
        "COMING",
        "小李",
        None,
        None,
        1,
    )
    assert lamps(undone) == ["steady"] and hall.timer_kinds() == ["coming"]


def test_a_close_of_a_call_that_nobody_had_taken_is_undone_and_it_rings_anew() -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    hall.later(5).order("close_call", call_id=1, by="小李", outcome="false_alarm")
    undone = hall.later(20).order("reopen_call", call_id=1, by="小李")
    assert (hall.call().state, hall.call().accepted_by, hall.call().turn) == ("HEARD", None, 2)
    assert lamps(undone) == ["blink"] and hall.timer_kinds() == ["step", "unanswered"]


def test_after_a_minute_or_a_new_call_there_is_nothing_to_undo() -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    with pytest.raises(OrderRefused, match="not possible") as refused:
        hall.order("reopen_call", call_id=1, by="小李")
    assert "还没有办结" in refused.value.why_zh
    hall.order("close_call", call_id=1, by="小李", outcome="helped")
    hall.later(61)
    with pytest.raises(OrderRefused) as refused:
        hall.order("reopen_call", call_id=1, by="小李")
    assert "超过一分钟" in refused.value.why_zh and "more than a minute" in refused.value.why_en
    hall.press(press_id="a:2")
    hall.order("close_call", call_id=2, by="小李", outcome="helped")
    hall.later(3).press(press_id="a:3")
    with pytest.raises(OrderRefused) as refused:
        hall.order("reopen_call", call_id=2, by="小李")
    assert "第 3 号" in refused.value.why_zh
    assert [call.call_id for call in hall.open_calls] == [3]


def test_too_late_one_hears_who_closed_it() -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    hall.order("close_call", call_id=1, by="小李", outcome="helped")
    for order in ("accept_call", "arrive_call", "close_call"):
        with pytest.raises(OrderRefused) as refused:
            hall.order(order, call_id=1, by="老王", outcome="test")
        assert "小李" in refused.value.why_zh and "小李" in refused.value.why_en


# ---------------------------------------------------------------- older notebooks, odd kinds


def old_call(state: str, **more: object) -> Call:
    words = {"place": "", "person": "", "presses": 1, "button": 1, "opened_ms": NOON, "last_press_ms": NOON}
    return Call(1, state, "emergency", "btn-01", "btn-01", True, **words, **more)  # type: ignore[arg-type]


def test_calls_of_an_older_notebook_become_somebodys_turn_at_the_start() -> None:
    hall = staffed()
    hall.did(Decision(changes=[old_call("HEARD", overdue=True)]))
    hall.did(calls.watched(hall.state, hall.now_ms))
    assert hall.steps() == [(1, "duty", "told")] and hall.timer_kinds() == ["step"]
    hall.did(
        Decision(changes=[old_call("COMING", accepted_by="小李", accepted_ms=NOON), TimerGone("call:1:step")])
    )
    hall.did(calls.watched(hall.state, hall.now_ms))
    assert hall.timer("coming").after_ms == 900_000
    assert calls.watched(hall.state, hall.now_ms).changes == []


def test_the_minute_that_an_older_linli_set_is_understood() -> None:
    hall = staffed()
    timer = TimerSet("call:1:unanswered", "unanswered", "call:1", NOON, 60_000)
    hall.did(Decision(changes=[old_call("HEARD"), timer]))
    hall.wait(60)
    assert hall.call().overdue


@pytest.mark.parametrize("kind_of_timer", ["step", "look", "coming", "unanswered"])
def test_a_timer_of_a_call_that_is_closed_or_gone_does_nothing(kind_of_timer: str) -> None:
    hall = staffed()
    for call in (None, old_call("CLOSED", closed_ms=NOON)):
        stray = TimerSet(f"call:1:{kind_of_timer}", kind_of_timer, "call:1", NOON, 0)
        hall.did(Decision(changes=[stray] if call is None else [call, stray]))
        decision = timers.due(hall.state, stray.timer_id, NOON)
        assert decision.changes == [TimerGone(stray.timer_id)]


def test_a_kind_whose_ladder_was_emptied_climbs_the_emergencys() -> None:
    hall = staffed()
    kind(hall)
    hall.press(press_id="a:1")
    assert hall.steps() == [(1, "duty", "told")]


def test_a_ladder_that_was_shortened_while_a_call_stood_high_on_it_goes_on() -> None:
    hall = staffed()
    hall.press(press_id="a:1")
    hall.wait(240)
    assert hall.call().step == 4
    kind(hall, ("duty", 30, ("console",)), ("grid", 30, ("message",)))
    hall.wait(60)
    assert hall.steps()[-1] == (2, "grid", "told") and hall.call().step == 1


def test_memory_forgets_the_ladder_of_a_call_that_is_over_and_keeps_the_one_that_rings() -> None:
    hall = staffed()
    hall.press("btn-01", "a:1")
    hall.press("btn-02", "b:1")
    hall.order("close_call", call_id=1, by="小李", outcome="helped")
    hall.state.forget_old(hall.now_ms)
    assert {row.call_id for row in hall.state.table(CallStep).values()} == {2}
    hall.wait(60)
    assert hall.call(2).step == 1
