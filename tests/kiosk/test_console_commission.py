"""A device is set up, labelled, retired and replaced: what is ordered of the gateway, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.hall.rows import Voice
from gateway.hall.state import JournalLine
from tests.kiosk import answered_hall
from tests.kiosk.answered_hall import write
from tests.kiosk.console_gateway import Json
from tests.kiosk.console_hall import NOON_MS, STAFF, STAFF_PASSWORD, Client, ConsoleHall, Ear, console_hall

NEW = "zigbee2mqtt:0x00158d0001a2b3c4"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path, base_url="") as hall:
        hall.make_staff()
        stream = hall.hub.stream("staff")
        answered_hall.furnish(hall)
        hall.gateway.device(NEW, kind="unclaimed", name="", family="zigbee2mqtt")
        Ear(stream).wait("call")
        stream.close()
        yield hall


@pytest.fixture
def staff(hall: ConsoleHall) -> Client:
    return hall.client(STAFF, STAFF_PASSWORD)


def ordered(hall: ConsoleHall, name: str) -> list[Json]:
    return [
        {key: value for key, value in one.items() if key not in ("id", "order", "by")}
        for one in hall.gateway.orders
        if one["order"] == name
    ]


def test_people_are_found_by_name_flat_and_telephone(staff: Client) -> None:
    def found(words: str) -> list[str]:
        return [one["name"] for one in staff.get("/console/api/people", query_string={"q": words}).get_json()["people"]]

    assert found("张桂") == ["张桂芳"]
    assert found("3栋1单元302") == ["张桂芳"]
    assert found("13800000502") == ["陈国强"]
    assert found("%") == []
    assert found("") == []


def test_somebody_new_is_added_once_however_often_it_is_tapped(hall: ConsoleHall, staff: Client) -> None:
    for _ in "12":
        told = staff.order("people", person_id="p-abc", name="孙爷爷", building="5栋", room="101").get_json()
    assert told["person"]["person_id"] == "p-abc"
    assert ordered(hall, "put_person") == [
        {"person_id": "p-abc", "name": "孙爷爷", "building": "5栋", "room": "101", "new": True}
    ] * 2


def test_of_somebody_who_is_on_the_list_the_page_is_told_only_its_own_fields(
    hall: ConsoleHall, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = type(hall.gateway)._answer

    def answers_with_all_it_knows(self: Any, order: Json) -> Json:
        if order["order"] == "put_person":
            return {"row": {"person_id": "p-302", "name": "张桂芳", "medical": "糖尿病", "access": "门禁 4711"}}
        return answer(self, order)

    monkeypatch.setattr(type(hall.gateway), "_answer", answers_with_all_it_knows)
    told = staff.order("people", person_id="p-302", name="张桂芳")
    assert told.status_code == 200 and told.get_json()["person"]["name"] == "张桂芳"
    assert ("糖尿病" in told.text, "4711" in told.text, "medical" in told.text) == (False, False, False)


def test_a_device_is_tied_to_a_person(hall: ConsoleHall, staff: Client) -> None:
    fields = {"kind": "call_button", "name": "床头", "person_id": "p-302", "person": "张桂芳", "answers": "own"}
    assert staff.order(f"devices/{NEW}/claim", **fields).status_code == 200
    assert ordered(hall, "claim_device") == [{"device_id": NEW, **fields}]


def test_what_a_device_has_just_said_is_read_from_the_journal(hall: ConsoleHall, staff: Client) -> None:
    write(hall, [JournalLine(NOON_MS, "Pressed", "call:8", NEW, "single")])
    said = staff.get(f"/console/api/said/{NEW}").get_json()["lines"]
    assert [(one["event"], one["detail"]) for one in said] == [("Pressed", "single")]


def test_a_replacement_takes_over_before_the_old_one_is_put_aside(hall: ConsoleHall, staff: Client) -> None:
    told = staff.order("devices/btn-0302/retire", by_device=NEW).get_json()
    taken = {
        "call_kind": "emergency",
        "name": "床头按钮",
        "place": "3栋1单元302",
        "person": "张桂芳",
        "person_id": "p-302",
    }
    assert ordered(hall, "claim_device") == [
        {"device_id": NEW, "kind": "call_button", **taken},
        {"device_id": "btn-0302", "kind": "ignored"},
    ]
    assert told["before"] == {"kind": "call_button", **taken}
    staff.order("devices/btn-0302/bring-back", **taken)
    assert ordered(hall, "claim_device")[-1] == {"device_id": "btn-0302", "kind": "call_button", **taken}
    did = [line[2:5] for line in hall.accounts.journal(3)]
    assert did == [
        ("bring_back_device", "btn-0302", ""),
        ("retire_device", "btn-0302", ""),
        ("replace_device", "btn-0302", NEW),
    ]


def test_the_siren_beside_the_old_button_answers_for_the_new_one(hall: ConsoleHall, staff: Client) -> None:
    write(hall, [Voice("btn-0302", answers="zigbee2mqtt:siren")])
    staff.order("devices/btn-0302/retire", by_device=NEW)
    assert ordered(hall, "claim_device")[0]["answers"] == "zigbee2mqtt:siren"


def test_a_replacement_that_stops_half_way_leaves_two_buttons_and_says_so(
    hall: ConsoleHall, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = type(hall.gateway)._answer

    def refuses_the_second(self: Any, order: Json) -> Json:
        if order.get("kind") == "ignored":
            return {"ok": False, "fault": "not_written", "why_zh": "满", "why_en": "full"}
        return answer(self, order)

    monkeypatch.setattr(type(hall.gateway), "_answer", refuses_the_second)
    told = staff.order("devices/btn-0302/retire", by_device=NEW)
    assert (told.status_code, told.get_json()["error"]["code"]) == (503, "replace_half")
    assert hall.gateway.devices[NEW]["person_id"] == "p-302"
    assert hall.gateway.devices["btn-0302"]["kind"] == "call_button"


def test_only_retired_and_nobody_knows_such_a_device(hall: ConsoleHall, staff: Client) -> None:
    assert staff.order("devices/btn-0302/retire").status_code == 200
    assert ordered(hall, "claim_device") == [{"device_id": "btn-0302", "kind": "ignored"}]
    assert staff.order("devices/nobody/retire").status_code == 409


def test_the_label_names_the_device_and_nobody(staff: Client) -> None:
    page = staff.get("/console/devices/label/btn-0302").text
    assert ("床头按钮" in page, "btn-0302" in page, "<svg" in page, "viewBox" in page) == (True,) * 4
    assert ("张桂芳" in page, "3栋1单元302" in page) == (False, False)
    assert staff.get("/console/devices/label/nobody").status_code == 404


def test_the_page_waits_for_a_device_that_nobody_has_heard_yet(staff: Client) -> None:
    assert staff.get("/console/devices/set-up/shelly:not/heard-yet").status_code == 200
