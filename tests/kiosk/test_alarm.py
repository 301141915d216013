"""What the hall's screens know of a call: a level, and nothing of whom, where or why."""

from __future__ import annotations

import json
from pathlib import Path

from flask.testing import FlaskClient

from gateway.hall.rows import Kind
from gateway.notebook import Notebook
from gateway.store import write_changes
from kiosk.core import Core
from kiosk.rules.alarm import level
from tests.kiosk.console_hall import Ear
from tests.kiosk.fake_gateway import FakeGateway

SCHEMA = Path(__file__).parent.parent.parent / "gateway" / "schema"
ALL = "console beacon voice display message"
SECRET = {"person": "张奶奶", "place": "3栋1单元302", "device_name": "302 床头", "note": "心脏支架",
          "person_id": "p-302"}  # fmt: skip


def call(call_id: int, kind: str = "emergency", state: str = "HEARD", acts: str = ALL) -> dict[str, object]:
    return {**SECRET, "call_id": call_id, "kind": kind, "state": state, "acts": acts, "opened_ms": call_id * 1000,
            "closed_ms": None}  # fmt: skip


def test_the_most_urgent_untaken_call_that_the_hall_is_to_notice_is_the_level() -> None:
    assert level([]) is None
    assert level([call(1, acts="console message"), call(2, acts="")]) is None
    assert level([call(1, state="COMING"), call(2, state="CLOSED")]) is None
    assert level([call(3, "help", acts="voice"), call(5), call(4, acts="display")]) == {
        "kind": "emergency", "since_ms": 4000, "priority": 0, "display": True, "voice": True,
    }  # fmt: skip
    quiet = level([call(3, "help", acts="voice")])
    assert quiet is not None
    assert (quiet["display"], quiet["voice"], quiet["priority"]) == (False, True, 2)
    stranger = level([call(3, "help"), call(9, "something new")])
    assert stranger is not None
    assert stranger["kind"] == "something new", "what nobody knows is as urgent as an emergency"


def test_the_hall_hears_the_level_and_never_a_name(
    core: Core, gateway: FakeGateway, client: FlaskClient
) -> None:
    hall = Ear(core.hub.stream("hall"))
    heard = b"".join([next(hall)])
    assert client.get("/api/state").get_json()["alarm"] is None

    gateway.tell("CallChanged", call=call(7))
    wanted = {"kind": "emergency", "since_ms": 7000, "priority": 0, "display": True, "voice": True}
    assert hall.wait("alarm") == {"alarm": wanted}
    assert client.get("/api/state").get_json()["alarm"] == wanted

    gateway.tell("CallChanged", call=call(7, state="COMING"))
    assert hall.wait("alarm") == {"alarm": None}
    gateway.stop()
    heard += next(hall)
    pages = json.dumps(client.get("/api/state").get_json(), ensure_ascii=False) + client.get("/display").text
    for word in SECRET.values():
        assert word not in pages
        assert word.encode() not in heard


def test_how_urgent_a_kind_is_follows_the_halls_own_table(core: Core, gateway: FakeGateway) -> None:
    book = Notebook(core.house.gateway_db, SCHEMA)
    repair = Kind("repair", "报修", "Repair", 0, (("duty", 60, ("display",)),))
    book.write(lambda c: write_changes(c, [repair]))
    hall = Ear(core.hub.stream("hall"))
    gateway.tell("CallChanged", call=call(7, "help"))
    assert hall.wait("alarm")["alarm"]["kind"] == "help"
    gateway.tell("CallChanged", call=call(8, "repair"))
    assert hall.wait("alarm")["alarm"]["kind"] == "repair"
    book.write(lambda c: write_changes(c, [Kind("repair", "报修", "Repair", 5, repair.ladder)]))
    gateway.tell("RowChanged", table="kinds", key="repair")
    assert hall.wait("alarm")["alarm"]["kind"] == "help"
    book.close()


def test_a_gateway_that_has_gone_leaves_no_alarm_standing(core: Core, gateway: FakeGateway) -> None:
    hall = Ear(core.hub.stream("hall"))
    gateway.tell("CallChanged", call=call(7))
    assert hall.wait("alarm")["alarm"]["display"] is True
    gateway.stop()
    assert hall.wait("alarm")["alarm"] is None
