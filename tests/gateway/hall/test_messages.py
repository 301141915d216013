"""What becomes of a message, and a call that is accepted by its link. On paper: the clock is a number we hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.faults import OrderRefused
from gateway.hall import links
from gateway.hall.links import Link
from gateway.hall.rows import Helper, Message
from gateway.hall.state import Decision
from tests.gateway.hall.paper_hall import NOON, Hall

SECRET = "5" * 64
LI, WANG = Helper("h-li", "李四", "grid"), Helper("h-wang", "王五", "building")


def hall_with_a_call() -> Hall:
    """One open call, and a message of it to each of two helpers."""
    hall = Hall()
    hall.state.link_secret = SECRET
    hall.claim()
    hall.press()
    for helper in (LI, WANG):
        message = Message(
            f"m-{helper.helper_id}", 1, 0, 0, helper.helper_id, "sms:13800138000", "有人求助", NOON
        )
        hall.did(Decision(changes=[helper, message]))
    return hall


def token(helper: Helper, call_id: int = 1, turn: int = 0, expires_ms: int = NOON + links.LIFE_MS) -> str:
    return links.make(SECRET, Link(call_id, helper.helper_id, turn, expires_ms))


def state_of(hall: Hall, helper: Helper) -> str:
    return hall.state.table(Message)[f"m-{helper.helper_id}"].state


def why(hall: Hall, name: str, **fields: object) -> tuple[str, str]:
    with pytest.raises(OrderRefused) as refused:
        hall.order(name, **fields)
    return refused.value.why_zh, refused.value.why_en


# ---------------------------------------------------------------- a message's life


@pytest.mark.parametrize("before", ["queued", "sent", "failed", "answered", "void"])
@pytest.mark.parametrize("word", ["queued", "sent", "failed", "answered"])
def test_a_message_goes_forward_only(before: str, word: str):
    hall = hall_with_a_call()
    message = hall.state.table(Message)["m-h-li"]
    hall.did(Decision(changes=[replace(message, state=before)]))
    legal = {("queued", "queued"), ("queued", "sent"), ("queued", "failed"), ("sent", "answered")}
    words = {"message_id": "m-h-li", "state": word, "attempts": 3, "why": "超时"}
    if before == "void" or (before == word != "queued"):
        assert hall.order("message_state", **words).changes == [], "late words change nothing"
        assert state_of(hall, LI) == before
    elif (before, word) in legal:
        hall.order("message_state", **words)
        after = hall.state.table(Message)["m-h-li"]
        assert (after.state, after.attempts, after.why, after.changed_ms) == (word, 3, "超时", NOON)
    else:
        assert "不能改为" in why(hall, "message_state", **words)[0]
        assert state_of(hall, LI) == before


def test_the_herald_that_still_tries_is_believed_and_costs_no_line_of_the_journal():
    hall = hall_with_a_call()
    words = {"message_id": "m-h-li", "state": "queued", "attempts": 2, "why": "没有网络"}
    assert len(hall.order("message_state", **words).changes) == 1
    assert hall.order("message_state", **words).changes == [], "the same word again is not written again"
    assert state_of(hall, LI) == "queued"


def test_words_that_come_a_day_late_are_no_mistake_and_change_nothing():
    """The herald was without the gateway; the call is closed, and memory has let its messages go."""
    hall = hall_with_a_call()
    message_id = "call:1:1:0:h-li:0"
    hall.did(Decision(changes=[replace(hall.state.table(Message)["m-h-li"], message_id=message_id, state="sent")]))
    hall.order("close_call", call_id=1, by="张三", outcome="helped")
    hall.state.forget_old(hall.later(2 * 86_400).now_ms)
    assert message_id not in hall.state.table(Message)
    for late in (message_id, "visit:p-1:monthly:2026-11-01:1:h-li:1795000000000:0"):
        assert hall.order("message_state", message_id=late, state="sent", attempts=1).changes == []


def test_words_about_a_message_that_nobody_knows_are_refused():
    assert "没有" in why(hall_with_a_call(), "message_state", message_id="m-0", state="sent")[0]
    assert "只能是" in why(hall_with_a_call(), "message_state", message_id="m-h-li", state="void")[0]


# ---------------------------------------------------------------- the link


@given(
    call_id=st.integers(0, 2**40),
    turn=st.integers(0, 10_000),
    minute=st.integers(0, 2**32),
    name=st.text("abcdef-0123456789甲", max_size=12),
)
def test_a_token_says_what_was_put_into_it(call_id: int, turn: int, minute: int, name: str):
    link = Link(call_id, name, turn, minute * 60_000)
    assert links.read(SECRET, links.make(SECRET, link)) == link
    assert links.read("another secret", links.make(SECRET, link)) is None


@given(place=st.integers(0, 200), sign=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567=-_/19 \u0131é"))
def test_a_token_in_which_one_sign_is_another_is_no_token(place: int, sign: str):
    good = token(LI)
    place %= len(good)
    bent = good[:place] + sign + good[place + 1 :]
    assert (links.read(SECRET, bent) is not None) == (bent == good)


@given(st.text(max_size=300))
def test_whatever_somebody_types_raises_nothing(text: str):
    assert links.read(SECRET, text) is None
    assert links.read("", text) is None


def test_who_holds_the_link_accepts_under_that_helpers_name():
    hall = hall_with_a_call()
    hall.order("message_state", message_id="m-h-li", state="sent", attempts=1)
    decision = hall.order("accept_by_link", token=token(LI))
    assert decision.call is not None
    assert (decision.call.state, decision.call.accepted_by) == ("COMING", "李四")
    assert state_of(hall, LI) == "answered"


def test_a_message_that_nobody_has_called_sent_yet_is_answered_all_the_same():
    hall = hall_with_a_call()
    hall.order("accept_by_link", token=token(LI))
    assert state_of(hall, LI) == "answered"
    assert hall.order("message_state", message_id="m-h-li", state="answered").changes == []


def test_tapping_twice_is_one_acceptance_and_the_second_helper_hears_who_was_first():
    hall = hall_with_a_call()
    hall.order("accept_by_link", token=token(LI))
    assert not [
        one for one in hall.order("accept_by_link", token=token(LI)).changes if one == hall.state.calls[1]
    ]
    zh, en = why(hall, "accept_by_link", token=token(WANG))
    assert zh == "李四 已经接了这个呼叫"
    assert "李四 has already taken" in en
    assert hall.state.calls[1].accepted_by == "李四"


def test_a_link_is_refused_when_it_is_forged_old_or_over():
    hall = hall_with_a_call()
    assert "无效" in why(hall, "accept_by_link", token="abcdefgh")[0]
    assert "无效" in why(hall, "accept_by_link", token=links.make("6" * 64, Link(1, "h-li", 0, NOON)))[0]
    assert "已过期" in why(hall, "accept_by_link", token=token(LI, expires_ms=NOON - 60_000))[0]
    assert "办结" in why(hall, "accept_by_link", token=token(LI, call_id=9))[0]
    hall.did(Decision(changes=[replace(WANG, active=False)]))
    assert "名单" in why(hall, "accept_by_link", token=token(WANG))[0]
    hall.order("accept_call", call_id=1, by="张三")
    hall.order("close_call", call_id=1, by="张三", outcome="helped")
    assert why(hall, "accept_by_link", token=token(LI))[0] == "这个呼叫已经由 张三 办结"
    assert hall.state.calls[1].accepted_by == "张三", "nothing of all that has changed the call"


def test_the_hall_without_a_secret_signs_nothing_and_believes_nothing():
    hall = hall_with_a_call()
    hall.state.link_secret = ""
    assert "无效" in why(hall, "accept_by_link", token=token(LI))[0]
    with pytest.raises(ValueError):
        links.make("", Link(1, "h-li", 0, NOON))
