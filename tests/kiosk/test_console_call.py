"""The responder's screen and the history over HTTP: what they tell, to whom, and what they never tell."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.hall.rows import Kind
from kiosk.console.history import COLUMNS
from kiosk.console.words import WORDS
from kiosk.words_answering import WORDS as ANSWERING
from tests.kiosk import answered_hall
from tests.kiosk.answered_hall import CALL, MEDICAL, earlier, write
from tests.kiosk.console_gateway import Json
from tests.kiosk.console_hall import (
    ADMIN,
    ADMIN_PASSWORD,
    NOON_MS,
    ROOT,
    STAFF,
    STAFF_PASSWORD,
    Client,
    ConsoleHall,
    Ear,
    console_hall,
)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path) as hall:
        hall.make_staff()
        stream = hall.hub.stream("staff")
        answered_hall.furnish(hall)
        Ear(stream).wait("call")
        stream.close()
        yield hall


@pytest.fixture
def staff(hall: ConsoleHall) -> Client:
    return hall.client(STAFF, STAFF_PASSWORD)


def story(client: Client, call_id: int = 7) -> Json:
    told: Json = client.get(f"/console/api/call/{call_id}").get_json()
    return told


def go_away(hall: ConsoleHall) -> None:
    stream = hall.hub.stream("staff")
    hall.gateway.close()
    Ear(stream).wait("link")
    stream.close()


# ---------------------------------------------------------------- what it tells


def test_whose_call_it_is_how_to_get_in_and_who_lives_beside(staff: Client) -> None:
    told = story(staff)
    assert (told["call"]["call_id"], told["known"], told["connected"]) == (7, True, True)
    person = told["person"]
    assert (person["name"], person["access"][:7], person["key_holder_phone"]) == (
        "张桂芳",
        "门锁密码问物业",
        "13800000301",
    )
    assert [(one["name"], one["same_unit"]) for one in told["neighbours"]] == [("刘秀英", True), ("陈国强", False)]
    assert [(one["call_id"], one["outcome"]) for one in told["earlier"]] == [
        (5, "test"),
        (4, "false_alarm"),
        (3, "helped"),
    ]
    assert [one["name"] for one in told["devices"]] == ["床头按钮"]
    assert [line["event"] for line in told["lines"]] == ["Pressed", "PressedAgain"]


def test_who_was_told_by_which_channel_but_never_its_address(staff: Client) -> None:
    told = story(staff)
    assert [(one["who"], one["state"], [who["name"] for who in one["helpers"]]) for one in told["steps"]] == [
        ("duty", "skipped", []),
        ("grid", "told", ["李四", "赵楼长"]),
    ]
    assert [(one["helper"]["name"], one["way"], one["state"], one["why"]) for one in told["messages"]] == [
        ("李四", "sms", "sent", ""),
        ("赵楼长", "wecombot", "failed", "网络不通"),
    ]
    assert told["timers"]["step"] == NOON_MS - 94_000 + 120_000
    assert "secret-key" not in json.dumps(told)


def test_no_answer_but_the_asked_one_holds_medical_notes(hall: ConsoleHall) -> None:
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    for path in ("/console/call/7", "/console/api/call/7", "/console/history", "/console/history.csv",
                 "/console/api/people?q=302", "/console", "/api/state", "/display"):  # fmt: skip
        text = client.get(path).get_data(as_text=True)
        assert (MEDICAL in text, json.dumps(MEDICAL)[1:-1] in text) == (False, False), path
    assert story(client)["person"]["has_medical"] is True


def test_a_call_whose_person_is_known_by_its_device_alone(hall: ConsoleHall, staff: Client) -> None:
    answered_hall.tell(hall, replace(CALL, call_id=8, person_id=""))
    assert story(staff, 8)["person"]["name"] == "张桂芳"
    # A call that is over says whose it was; its device may have come to somebody else since.
    write(hall, [earlier(6, person_id="", device_id="btn-0302")])
    assert story(staff, 6)["person"] is None


def test_a_call_that_rings_from_memory_is_shown_with_its_person(hall: ConsoleHall, staff: Client) -> None:
    stream = hall.hub.stream("staff")
    hall.gateway.press(9, device_id="btn-0302", written=False)
    Ear(stream).wait("call")
    told = story(staff, 9)
    assert (told["call"]["written"], told["person"]["name"], told["steps"]) == (False, "张桂芳", [])


def test_with_the_gateway_away_the_screen_shows_what_was_written(hall: ConsoleHall, staff: Client) -> None:
    go_away(hall)
    told = story(staff)
    assert (told["connected"], told["person"]["name"], len(told["messages"])) == (False, "张桂芳", 2)
    assert staff.get("/console/call/7").status_code == 200
    assert staff.order("calls/7/arrive").status_code == 503


def test_without_the_notebook_the_gateways_word_is_shown(hall: ConsoleHall, staff: Client) -> None:
    hall.house.gateway_db.rename(hall.house.gateway_db.with_suffix(".gone"))
    told = story(staff)
    assert (told["known"], told["call"]["place"], told["person"]) == (False, "3栋1单元302", None)
    assert staff.get("/console/call/7").status_code == 200
    assert staff.get("/console/history").status_code == 503


def test_a_call_that_nobody_knows(staff: Client) -> None:
    answer = staff.get("/console/call/4711")
    assert (answer.status_code, "没有第 4711 号呼叫" in answer.text) == (404, True)
    assert staff.get("/console/api/call/4711").status_code == 404


def test_behind_a_locked_screen_nothing_of_it_is_told(hall: ConsoleHall, staff: Client) -> None:
    hall.clock.go(min=16)
    assert staff.get("/console/api/call/7").status_code == 423
    assert staff.get("/console/call/7").headers["Location"] == "/console"
    assert staff.get("/console/history.csv").status_code in (303, 423)
    for path in ("/console/api/people?q=302", "/console/api/said/btn-0302"):
        assert staff.get(path).status_code == 423
    stranger = hall.client()
    assert stranger.get("/console/api/call/7").status_code == 401
    assert stranger.get("/console/history.csv").headers["Location"] == "/console/sign-in"


def test_a_kind_that_was_edited_is_told_in_its_own_words(hall: ConsoleHall, staff: Client) -> None:
    fire = Kind("emergency", "救命", "Rescue", 1, (("guard", 5, ("console",)),), outcomes=(("safe", "平安", "Safe"),))
    write(hall, [fire])
    told = {one["kind"]: one for one in staff.get("/console/api/kinds").get_json()}
    assert (told["emergency"]["name_zh"], told["emergency"]["outcomes"]) == ("救命", [["safe", "平安", "Safe"]])
    assert told["meal"]["priority"] == 4, "the others are as a hall begins"
    assert '"safe"' in staff.get("/console").text


# ---------------------------------------------------------------- medical notes


def looks(hall: ConsoleHall) -> list[Json]:
    return [
        {key: value for key, value in order.items() if key != "id"}
        for order in hall.gateway.orders
        if order["order"] == "look_at_medical"
    ]


def test_medical_notes_come_after_the_look_is_written_down(hall: ConsoleHall) -> None:
    admin = hall.client(ADMIN, ADMIN_PASSWORD)
    assert admin.order("calls/7/medical").get_json()["medical"] == MEDICAL
    assert looks(hall) == [{"order": "look_at_medical", "person_id": "p-302", "by": ADMIN, "call_id": 7}]
    assert hall.accounts.journal(1)[0][1:4] == (ADMIN, "look_at_medical", "#7")
    go_away(hall)
    answer = admin.order("calls/7/medical")
    assert (answer.status_code, MEDICAL in answer.text) == (503, False)


def test_a_look_that_the_gateway_did_not_call_written_shows_nothing(
    hall: ConsoleHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = hall.client(ADMIN, ADMIN_PASSWORD)
    monkeypatch.setattr(type(hall.gateway), "_answer", lambda *_: {"written": False})
    answer = admin.order("calls/7/medical")
    assert (answer.status_code, "medical" in answer.get_json()) == (503, False)


def test_medical_notes_are_for_whom_an_administrator_has_named(hall: ConsoleHall, staff: Client) -> None:
    answer = staff.order("calls/7/medical")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "medical_not_allowed")
    assert looks(hall) == []

    admin = hall.client(ADMIN, ADMIN_PASSWORD)
    staff_id = next(one.staff_id for one in hall.accounts.members() if one.name == STAFF)
    asked = {"do": "medical", "staff_id": str(staff_id)}
    assert staff.form("/console/staff", page="/console/password", **asked).status_code == 403
    assert admin.form("/console/staff", **asked).status_code == 303
    assert staff.order("calls/7/medical").get_json()["medical"] == MEDICAL
    assert admin.form("/console/staff", do="no_medical", staff_id=str(staff_id)).status_code == 303
    assert staff.order("calls/7/medical").status_code == 403
    did = [line[2] for line in hall.accounts.journal(20)]
    assert did[0] == "medical_withdrawn"
    assert "medical_granted" in did
    seen = staff.get("/console/journal").text
    assert ("查看健康备注" in seen, "允许看健康备注" in seen) == (True, False), "rights are the administrators' matter"


# ---------------------------------------------------------------- what is ordered


def test_taken_arrived_closed_and_the_close_undone(hall: ConsoleHall, staff: Client) -> None:
    assert staff.order("calls/7/accept").get_json()["call"]["accepted_by"] == STAFF
    assert staff.order("calls/7/arrive").get_json()["call"]["arrived_by"] == STAFF
    assert staff.order("calls/7/close", outcome="false_alarm").get_json()["call"]["state"] == "CLOSED"
    back = staff.order("calls/7/reopen").get_json()["call"]
    assert (back["state"], back["accepted_by"]) == ("COMING", STAFF)
    assert staff.order("calls/7/reopen").status_code == 409
    did = [line[2:4] for line in hall.accounts.journal(4)]
    assert did == [(what, "#7") for what in ("reopen_call", "close_call", "arrive_call", "accept_call")]


# ---------------------------------------------------------------- the history


def table(client: Client, **asked: str) -> list[dict[str, str]]:
    answer = client.get("/console/history.csv", query_string=asked)
    assert answer.mimetype == "text/csv"
    raw = answer.get_data()
    assert raw.startswith(b"\xef\xbb\xbf"), "or a spreadsheet reads Chinese as rubbish"
    return [*csv.DictReader(io.StringIO(raw.decode("utf-8-sig")))]


def test_the_history_is_asked_by_day_kind_outcome_and_words(hall: ConsoleHall, staff: Client) -> None:
    write(hall, [earlier(2, "meal_ordered", kind="meal", person="孙爷爷", person_id="p-1", place="5栋")])
    since = {"day_from": "2026-11-01"}
    assert [one["call_id"] for one in table(staff)] == ["7"], "today, unless asked for more"
    assert [one["call_id"] for one in table(staff, **since)] == ["7", "5", "4", "3", "2"]
    assert [one["call_id"] for one in table(staff, **since, kind="meal")] == ["2"]
    assert [one["call_id"] for one in table(staff, **since, outcome="false_alarm")] == ["4"]
    assert [one["call_id"] for one in table(staff, **since, outcome="open")] == ["7"]
    assert [one["call_id"] for one in table(staff, **since, words="孙爷")] == ["2"]
    assert [one["call_id"] for one in table(staff, **since, words="李强")] == ["5", "4", "3", "2"]
    assert [one["call_id"] for one in table(staff, **since, words="3栋")] == ["7", "5", "4", "3"]
    assert [one["call_id"] for one in table(staff, **since, words="4")] == ["4"], "its number"
    assert table(staff, **since, words="' OR 1=1 --") == []
    page = staff.get("/console/history", query_string={**since, "kind": "meal"}).text
    assert ("孙爷爷" in page, "已订餐" in page, "误按</strong>" in page) == (True, True, False)
    wrong = staff.get("/console/history?day_from=yesterday")
    assert (wrong.status_code, "请写成 2026-11-22" in wrong.text) == (400, True)


def test_the_file_holds_no_notes_runs_nothing_and_is_noted(hall: ConsoleHall, staff: Client) -> None:
    write(hall, [earlier(6, person="=cmd|'/c calc'!A1", place="@SUM(1)", note=MEDICAL)])
    rows = table(staff, day_from="2026-11-01")
    assert [*rows[0]] == [*COLUMNS]
    assert {"note", "medical"}.isdisjoint(COLUMNS)
    odd = next(one for one in rows if one["call_id"] == "6")
    assert (odd["person"], odd["place"]) == ("'=cmd|'/c calc'!A1", "'@SUM(1)")
    assert (odd["opened"], odd["outcome"]) == ("2026-12-22 16:00:00", "误按")
    assert not any(MEDICAL in value for row in rows for value in row.values())
    assert hall.accounts.journal(1)[0][1:4] == (STAFF, "export_calls", "5")


def test_older_calls_are_one_page_further(
    hall: ConsoleHall, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.console.history.ON_A_PAGE", 2)
    first = staff.get("/console/history?day_from=2026-11-01").text
    assert ("/console/call/7" in first, "/console/call/4" in first, "before=5" in first) == (True, False, True)
    second = staff.get("/console/history?day_from=2026-11-01&before=5").text
    assert ("/console/call/4" in second, "/console/call/3" in second, "before=" in second) == (True, True, False)


# ---------------------------------------------------------------- its words


def test_every_word_is_used_and_every_word_that_is_used_exists() -> None:
    kiosk = ROOT / "kiosk"
    files = [*kiosk.glob("static/console*.js"), *kiosk.glob("console/*.py"), *kiosk.glob("templates/console/*.html")]
    seen = "".join(one.read_text(encoding="utf-8") for one in files)
    families = tuple(set(re.findall(r"[`'\"]([a-z]+_(?:why_)?)(?:\$\{|' ~)", seen)) | {"did_", "heard_", "coming_"})
    unused = [key for key in ANSWERING if not re.search(rf"['\"`]{key}['\"`]", seen) and not key.startswith(families)]
    assert unused == []
    script = "".join(one.read_text(encoding="utf-8") for one in kiosk.glob("static/console*.js"))
    assert set(re.findall(r'\bt\("(\w+)"', script)) - set(WORDS) == set()
