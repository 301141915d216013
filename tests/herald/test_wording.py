"""What the herald says and understands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herald import wording


def test_the_words_that_go_out_say_how_to_accept_where_that_is_possible():
    assert wording.compose("求助", "http://h/a/x", True, ("zh",)) == "求助\n接单: http://h/a/x\n回复 1 接单"
    assert (
        wording.compose("Help", "http://h/a/x", True, ("en",))
        == "Help\nTake it: http://h/a/x\nReply 1 to take it"
    )
    assert wording.compose("求助", "http://h/a/x", False, ("zh", "en")) == "求助\n接单 Take it: http://h/a/x"
    assert wording.compose("求助", "", False, ("zh",)) == "求助\n请到工作台接单，或打电话到大厅"


@pytest.mark.parametrize("text", ["1", "１", "1。", " 来了！", "我来", "接单", "On my way", "来了\n"])
def test_a_promise_to_come_is_understood(text: str):
    assert wording.means_coming(text)


@pytest.mark.parametrize("text", ["", "收到", "11", "不来", "我来不了", "好", "2", "退订", "来了吗", "?"])
def test_anything_else_is_no_promise(text: str):
    assert not wording.means_coming(text)


def test_one_telephone_is_written_in_many_ways():
    ways = ("13800138000", "+8613800138000", "008613800138000", "86 138-0013-8000", "１３８００１３８０００")
    assert {wording.digits(way) for way in ways} == {"13800138000"}
    assert wording.digits("hotline") == wording.digits("") == wording.digits("12") == ""
    assert wording.digits("+85291234567") == "85291234567", "Hong Kong keeps its prefix"


def test_pauses_grow_and_end():
    assert [wording.pause_s(n) for n in (1, 2, 3, 5, 6, 1000)] == [2, 4, 8, 32, 60, 60]


def test_who_shares_a_lane():
    lane = wording.lane_of
    assert lane("mailto://li:secret@mail.example.cn/a?x=1") == lane("mailto://wang@mail.example.cn#b")
    assert lane("json://10.0.0.1:80/a") != lane("json://10.0.0.1:81/a") != lane("xml://10.0.0.1:81/a")
    assert lane("sms:13800138000") == lane("sms://139") == "sms"


@given(st.text(max_size=80))
def test_whatever_stands_in_an_address_nothing_is_raised(text: str):
    assert isinstance(wording.lane_of(text), str)
    assert wording.scheme(text) == "?" or ":" in text
    assert isinstance(wording.without_secrets("words", text), str)
    assert isinstance(wording.means_coming(text), bool)
    assert wording.digits(text) == "" or wording.digits(text).isdigit()
