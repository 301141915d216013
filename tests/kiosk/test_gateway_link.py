"""The kiosk's end of the gateway's socket, against a small gateway that speaks the contract."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from devices.faults import OrderRefused, OutsideDown
from kiosk.core import Core
from kiosk.live import sse
from tests.kiosk.console_hall import Ear
from tests.kiosk.fake_gateway import FakeGateway

CALL = {"call_id": 7, "state": "HEARD", "person": "张奶奶", "closed_ms": None}


@pytest.fixture
def staff(core: Core, gateway: FakeGateway) -> Iterator[Ear]:
    stream = core.hub.stream("staff")
    next(stream)
    yield Ear(stream)
    stream.close()


def test_hello_brings_the_whole_picture(core: Core, gateway: FakeGateway) -> None:
    assert gateway.wait_order("hello")["who"] == "kiosk"
    picture = core.link.snapshot()
    assert picture["connected"] is True
    assert [zone["zone_id"] for zone in picture["zones"]] == ["east", "west"]
    assert picture["epoch"] == "fake"


def test_facts_change_the_picture_and_are_told(core: Core, gateway: FakeGateway, staff: Ear) -> None:
    hall = Ear(core.hub.stream("hall"))
    next(hall)
    gateway.tell("CallChanged", call=CALL)
    gateway.tell("ZoneChanged", zone={**gateway.zones[0], "free": 2})
    assert staff.wait("call") == CALL
    assert staff.wait("zone")["free"] == 2
    assert core.link.snapshot()["calls"] == [CALL]
    assert core.link.snapshot()["zones"][0]["free"] == 2
    assert hall.wait("zone")["free"] == 2


def test_what_the_gateway_says_in_one_breath_is_handed_to_a_screen_in_one(
    core: Core, gateway: FakeGateway
) -> None:
    """A call behind a hundred bays: each handed over by itself, for twenty screens that would be two thousand times."""
    stream = core.hub.stream("staff")
    next(stream)
    bays = [{"bay_id": f"east-{number}", "state": "taken"} for number in range(100)]
    said = [{"fact": "BayChanged", "rev": gateway.rev + 1 + at, "bay": bay} for at, bay in enumerate(bays)]
    said.append({"fact": "CallChanged", "rev": gateway.rev + 101, "call": CALL})
    gateway.say_raw(b"".join(json.dumps(one).encode() + b"\n" for one in said))
    told = next(stream)
    assert (told.count(b"event: bay\n"), told.count(b"event: call\n")) == (100, 1)
    assert told.endswith(sse("call", CALL)), "in the gateway's own order"
    assert core.link.snapshot()["calls"] == [CALL]
    stream.close()


def test_the_hall_hears_no_calls(core: Core, gateway: FakeGateway, staff: Ear) -> None:
    hall = Ear(core.hub.stream("hall"))
    next(hall)
    gateway.tell("CallChanged", call=CALL)
    staff.wait("call")
    core.hub.publish("hall", "end", {})
    assert next(hall) == b"event: end\ndata: {}\n\n"


def test_only_the_last_twenty_closed_calls_are_kept(core: Core, gateway: FakeGateway, staff: Ear) -> None:
    for number in range(30):
        gateway.tell("CallChanged", call={"call_id": number, "state": "CLOSED", "closed_ms": number})
    gateway.tell("CallChanged", call={**CALL, "call_id": 99})
    while staff.wait("call")["call_id"] != 99:
        pass
    kept = [call["call_id"] for call in core.link.snapshot()["calls"]]
    assert kept == [*range(10, 30), 99]


def test_an_order_is_answered(core: Core, gateway: FakeGateway) -> None:
    gateway.answers["accept_call"] = {"call": {"call_id": 7, "state": "COMING"}}
    assert core.link.order("accept_call", call_id=7, by="li")["call"]["state"] == "COMING"
    order = gateway.wait_order("accept_call")
    assert (order["call_id"], order["by"]) == (7, "li")


def test_a_refusal_carries_both_languages(core: Core, gateway: FakeGateway) -> None:
    gateway.answers["accept_call"] = {
        "ok": False,
        "fault": "refused",
        "why_zh": "已经有人去了",
        "why_en": "somebody goes",
    }
    with pytest.raises(OrderRefused) as refused:
        core.link.order("accept_call", call_id=7, by="li")
    assert (refused.value.why_zh, refused.value.why_en) == ("已经有人去了", "somebody goes")


def test_a_disk_that_refused_over_there_is_no_refusal_by_a_rule(core: Core, gateway: FakeGateway) -> None:
    gateway.answers["accept_call"] = {
        "ok": False,
        "fault": "not_written",
        "why_zh": "满",
        "why_en": "disk full",
    }
    with pytest.raises(OutsideDown, match="disk full"):
        core.link.order("accept_call", call_id=7, by="li")


def test_silence_is_told_as_silence(core: Core, gateway: FakeGateway) -> None:
    gateway.answers["accept_call"] = "silence"
    with pytest.raises(
        OutsideDown, match=r"has not answered accept_call for 0\.05 s: look before you repeat it"
    ):
        core.link.order("accept_call", timeout_s=0.05, call_id=7, by="li")


def test_the_gateway_goes_and_comes_back(core: Core, gateway: FakeGateway, staff: Ear) -> None:
    gateway.stop()
    assert staff.wait("link") == {"connected": False}
    assert core.link.snapshot()["connected"] is False
    assert len(core.link.snapshot()["zones"]) == 2, "the last picture stays, marked as old"
    with pytest.raises(OutsideDown, match="the gateway is not there"):
        core.link.order("ping")
    back = FakeGateway(core.house.gateway_socket)
    back.zones = [{**back.zones[0], "free": 0}]
    try:
        assert staff.wait("snapshot")["zones"][0]["free"] == 0
        assert core.link.order("ping")["ok"] is True
    finally:
        core.link.stop()
        back.stop()


def test_when_we_close_a_gateway_that_goes_too_is_no_news(
    core: Core, gateway: FakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    """The whole hall is stopped: the gateway may be gone first, and nobody is to be warned of it."""
    core.link.leave()
    assert core.link.order("ping")["ok"] is True, "what is under way is still answered"
    gateway.stop()
    core.link.stop()
    assert core.link.connected is False
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []


def test_a_bay_that_is_no_more_is_dropped_and_told(core: Core, gateway: FakeGateway, staff: Ear) -> None:
    gateway.tell("BayChanged", bay={"bay_id": "0x1", "state": "taken"})
    gateway.tell("BayGone", bay_id="0x1")
    assert staff.wait("bay_gone") == {"bay_id": "0x1"}
    assert core.link.snapshot()["bays"] == []


def test_after_a_gap_it_asks_again_instead_of_guessing(core: Core, gateway: FakeGateway, staff: Ear) -> None:
    gateway.wait_order("hello")
    gateway.rev += 5
    gateway.tell("CallChanged", call=CALL)
    assert gateway.wait_order("hello")["who"] == "kiosk"
    assert staff.wait("snapshot")["connected"] is True


@pytest.mark.parametrize(
    "nonsense",
    [
        b"{\n",
        b"[]\n",
        b"null\n",
        b"\xff\xfe\n",
        b'{"fact":"CallChanged"}\n',
        b'{"fact":"ZoneChanged","zone":5}\n',
        b'{"re":"nobody"}\n',
        b'{"fact":"Unheard","rev":"x"}\n',
        b"[" * 5000 + b"\n",
    ],
)
def test_nonsense_on_the_socket_changes_nothing(
    core: Core, gateway: FakeGateway, staff: Ear, nonsense: bytes
) -> None:
    before = core.link.snapshot()
    gateway.say_raw(nonsense)
    gateway.tell("PartChanged", part=gateway.parts[0])
    assert staff.wait("part")["part"] == "gateway"
    assert core.link.snapshot() == before


def test_the_gateway_is_told_how_many_consoles_listen_at_each_change_and_after_each_hello(
    core: Core, gateway: FakeGateway
) -> None:
    assert gateway.wait_order("consoles")["live"] == 0
    core.hub.stream("staff")  # a watcher of our own is nobody's console
    one = core.hub.stream("staff", guard=lambda: True)
    assert gateway.wait_order("consoles")["live"] == 1
    two = core.hub.stream("staff", guard=lambda: True)
    assert gateway.wait_order("consoles")["live"] == 2
    one.close()
    assert gateway.wait_order("consoles")["live"] == 1

    gateway.stop()
    again = FakeGateway(core.house.gateway_socket)
    assert again.wait_order("consoles")["live"] == 1
    two.close()
    assert again.wait_order("consoles")["live"] == 0
    again.stop()


def test_a_gateway_that_did_not_hear_how_many_consoles_there_are_is_told_again(
    core: Core, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.gateway_link.TELL_AGAIN_S", 0.01)
    assert gateway.wait_order("consoles")["live"] == 0
    gateway.answers["consoles"] = {"ok": False, "fault": "not_written", "why_zh": "满", "why_en": "disk full"}
    core.hub.stream("staff", guard=lambda: True)
    assert [gateway.wait_order("consoles")["live"] for _ in "12"] == [1, 1]
    del gateway.answers["consoles"]
    gateway.wait_order("consoles")


def test_a_row_that_changed_is_told_by_its_key_alone(core: Core, gateway: FakeGateway, staff: Ear) -> None:
    gateway.tell("RowChanged", table="messages", key="m-1")
    assert staff.wait("row") == {"table": "messages", "key": "m-1"}
    gateway.tell("RowGone", table="call_steps", key=[7, 0, 1])
    assert staff.wait("row") == {"table": "call_steps", "key": [7, 0, 1]}
