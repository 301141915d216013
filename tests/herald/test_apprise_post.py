"""The real apprise against a server that we play: what counts as sent, and the reason when it does not."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from herald import apprise_post
from herald.apprise_post import reason, refusal, send
from herald.wording import NO_ANSWER, NO_CONNECTION, NO_NETWORK, NOT_A_CHANNEL
from tests.herald.message_hall import PhoneCompany, phone_company


@pytest.fixture
def company() -> Iterator[PhoneCompany]:
    with phone_company() as company:
        yield company


def test_what_was_taken_is_sent_word_for_word(company: PhoneCompany):
    words = "【邻里】有一个紧急求助等人处理\n接单：http://192.168.1.10:8000/a/abc"
    assert send(company.url("hook"), words).ok
    assert company.wait_got() == ("/hook", words)


def test_what_was_not_taken_says_why(company: PhoneCompany, monkeypatch: pytest.MonkeyPatch):
    company.mood = "error"
    assert send(company.url(), "x").why == "对方拒绝（500） / refused (500)"
    monkeypatch.setattr(apprise_post, "ANSWER_S", 0.2)
    company.mood = "hang"
    assert send(company.url(), "x").why == NO_ANSWER
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert send(f"json://127.0.0.1:{nobody.getsockname()[1]}/x", "x").why == NO_CONNECTION
    assert send("json://no-such-host.invalid/x", "x").why == NO_NETWORK


@pytest.mark.parametrize("address", ["nonsense", "carrierpigeon://roof", "wecombot://", "dingtalk://!!!", ""])
def test_an_address_that_apprise_does_not_know_is_given_up_at_once(address: str):
    outcome = send(address, "x")
    assert (outcome.ok, outcome.final, outcome.why) == (False, True, NOT_A_CHANNEL)


@pytest.mark.parametrize(
    ("plugin", "name", "address"),
    [
        ("wecombot", "NotifyWeComBot", "wecombot://0123456789abcdef"),
        ("dingtalk", "NotifyDingTalk", "dingtalk://0123456789abcdef"),
        ("feishu", "NotifyFeishu", "feishu://0123456789abcdef"),
    ],
)
def test_a_service_that_refuses_with_200_is_not_believed(
    plugin: str, name: str, address: str, company: PhoneCompany, monkeypatch: pytest.MonkeyPatch
):
    """WeCom answers 200 and {"errcode": 93000} to a wrong key: the message has not gone out."""
    module = __import__(f"apprise.plugins.{plugin}", fromlist=[name])
    monkeypatch.setattr(getattr(module, name), "notify_url", company.url("send").replace("json:", "http:"))
    company.mood = "ok"
    assert send(address, "x").ok
    company.mood = "refuses"
    outcome = send(address, "x")
    assert not outcome.ok and not outcome.final
    assert outcome.why.startswith("对方拒绝（93000 invalid webhook url）")


def test_each_services_way_of_saying_no():
    assert refusal("feishu", b'{"code":19001,"msg":"param invalid"}').startswith(
        "对方拒绝（19001 param invalid）"
    )
    assert refusal("lark", b'{"StatusCode":0,"code":0,"msg":"success"}') == ""
    assert refusal("wecombot", b'{"errcode":0,"errmsg":"ok"}') == ""
    assert refusal("wecombot", b"<html>") == refusal("wecombot", b"[]") == refusal("wecombot", b"") == ""
    assert refusal("wecombot", b"[" * 100_000) == "", "brackets without end"
    assert refusal("json", b'{"errcode":5}') == "", "anybody else's body is their own matter"


def test_no_key_of_an_address_gets_into_the_reason():
    said = ["Failed with https://host/send?key=0123456789abcdef and topsecret"]
    told = reason(said, "wecombot://0123456789abcdef/topsecret")
    assert "0123456789abcdef" not in told and "topsecret" not in told
    assert told.startswith("没有发出（Failed with")
