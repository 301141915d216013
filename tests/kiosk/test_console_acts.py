"""What staff order at the console, against real notebooks and a small gateway on a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.faults import NotWritten
from gateway.house import TOKEN_FILE
from kiosk import line
from kiosk.console.words import KINDS, OUTCOMES, WORDS
from kiosk.windows import windows_now
from kiosk.writer import NotKnown
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, STAFF, STAFF_PASSWORD, ConsoleHall, console_hall


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path) as hall:
        hall.make_staff()
        yield hall


def why(answer) -> str:
    return answer.get_json()["error"]["en"]


def test_a_press_is_accepted_and_closed_with_an_outcome(hall: ConsoleHall) -> None:
    hall.gateway.press(7)
    client = hall.client(STAFF, STAFF_PASSWORD)
    call = client.order("calls/7/accept").get_json()["call"]
    assert (call["state"], call["accepted_by"]) == ("COMING", STAFF)
    call = client.order("calls/7/close", outcome="helped", note="血压已量").get_json()["call"]
    assert (call["state"], call["outcome"], call["note"]) == ("CLOSED", "helped", "血压已量")
    did = [(by, what, subject, detail) for _, by, what, subject, detail in hall.accounts.journal(2)]
    assert did == [(STAFF, "close_call", "#7", "helped"), (STAFF, "accept_call", "#7", "")]


def test_the_second_to_accept_is_told_who_was_first(hall: ConsoleHall) -> None:
    stream = hall.hub.stream("staff")
    hall.gateway.press(7)
    hall.client(STAFF, STAFF_PASSWORD).order("calls/7/accept")
    while b'"COMING"' not in next(stream):
        pass
    answer = hall.client(ADMIN, ADMIN_PASSWORD).order("calls/7/accept")
    assert answer.status_code == 409
    assert answer.get_json()["error"]["zh"] == "李强 已经去了，不用重复前往。"
    assert why(answer) == "Already taken by 李强; no need to go twice."


def test_with_the_gateway_away_the_answer_says_what_still_works(hall: ConsoleHall) -> None:
    stream = hall.hub.stream("staff")
    hall.gateway.close()
    while b"event: link" not in next(stream):
        pass
    client = hall.client(STAFF, STAFF_PASSWORD)
    answer = client.order("calls/7/accept")
    assert answer.status_code == 503
    assert why(answer).startswith(
        "The gateway does not answer; nothing was changed. Queue, printing and accounts still work"
    )
    line.take_ticket(hall.core, "ZW-01", "k1", "zh", "kiosk-1")
    window = windows_now(hall.core).windows_for("ZW-01")[0].id
    assert client.order("queue/next", window_id=window).get_json()["ticket"]["number"] == "B001"


def test_the_queue_at_one_window(hall: ConsoleHall) -> None:
    window = windows_now(hall.core).windows_for("ZW-01")[0].id
    for number in range(3):
        line.take_ticket(hall.core, "ZW-01", f"k{number}", "zh", "kiosk-1")
    client = hall.client(STAFF, STAFF_PASSWORD)
    first = client.order("queue/next", window_id=window).get_json()["ticket"]
    assert (first["number"], first["state"]) == ("B001", "CALLED")
    assert client.order(f"queue/{first['ticket_id']}/recall").get_json()["ticket"]["calls"] == 2
    assert client.order(f"queue/{first['ticket_id']}/no-show").get_json()["ticket"]["state"] == "NO_SHOW"
    hall.clock.go(s=20)
    assert client.order(f"queue/{first['ticket_id']}/undo").get_json()["ticket"]["state"] == "CALLED"
    assert client.order(f"queue/{first['ticket_id']}/done").get_json()["ticket"]["state"] == "DONE"
    hall.clock.go(s=31)
    answer = client.order(f"queue/{first['ticket_id']}/undo")
    assert (answer.status_code, why(answer)) == (409, "Undo is possible for 30 seconds only")
    second = client.order("queue/next", window_id=window).get_json()["ticket"]
    assert second["number"] == "B002"
    assert why(client.order("queue/next", window_id="W99")) == "There is no window 'W99'"


def test_call_next_repeated_after_a_lost_answer_calls_nobody_else(hall: ConsoleHall) -> None:
    windows = [one.id for one in windows_now(hall.core).windows_for("ZW-01")] + ["W1"]
    for number in range(3):
        line.take_ticket(hall.core, "ZW-01", f"k{number}", "zh", "kiosk-1")
    client = hall.client(STAFF, STAFF_PASSWORD)
    called = [
        client.order("queue/next", window_id=windows[0], key="tap-1").get_json()["ticket"]["number"]
        for _ in "123"
    ]
    assert called == ["B001"] * 3
    assert hall.core.reader().execute("SELECT calls FROM tickets WHERE number = 1").fetchone()[0] == 1
    assert why(client.order("queue/next", window_id=windows[-1], key="tap-1")).startswith("This key was used")
    after = client.order("queue/next", window_id=windows[0], key="tap-2").get_json()["ticket"]
    assert after["number"] == "B002"
    assert client.order("queue/next", window_id=windows[0], key="x" * 65).status_code == 400


def test_a_disk_too_slow_to_say_is_not_told_as_nothing_changed(
    hall: ConsoleHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    client.token("/console")

    def slow(*_: object, **_more: object) -> None:
        raise NotKnown("the disk has not answered for 10 s: it may or may not be written")

    monkeypatch.setattr(line, "call_next", slow)
    answer = client.order("queue/next", window_id="W2", key="tap-1")
    assert answer.status_code == 503
    assert why(answer).startswith("The disk is slow: it may or may not be written.")


@pytest.mark.parametrize(
    ("what", "verdict"), [("printed", "printed"), ("again", "reprinted"), ("given_up", "given_up")]
)
def test_staff_give_their_word_on_an_unsure_slip_once(hall: ConsoleHall, what: str, verdict: str) -> None:
    slip_id = hall.job("UNSURE", "政务 B031")
    client = hall.client(STAFF, STAFF_PASSWORD)
    assert client.order(f"slips/{slip_id}/{what}").status_code == 200
    said = [
        tuple(row) for row in hall.core.reader().execute('SELECT slip_id, verdict, "by" FROM slip_verdicts')
    ]
    assert said == [(slip_id, verdict, STAFF)]
    again = hall.client(ADMIN, ADMIN_PASSWORD).order(f"slips/{slip_id}/again")
    assert (again.status_code, why(again)) == (409, "Somebody has settled this slip already.")
    copies = (
        hall.core.reader()
        .execute("SELECT reprint_of, body FROM slips WHERE slip_id > ?", (slip_id,))
        .fetchall()
    )
    assert [row["reprint_of"] for row in copies] == ([slip_id] if what == "again" else [])
    assert all(json.loads(row["body"])["copy_of"] == slip_id for row in copies)


def test_a_printed_slip_asks_nobody(hall: ConsoleHall) -> None:
    slip_id = hall.job("PRINTED")
    assert hall.client(STAFF, STAFF_PASSWORD).order(f"slips/{slip_id}/again").status_code == 409


def test_a_device_is_claimed_with_what_it_is(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    fields = {
        "kind": "call_button",
        "name": "302 床头",
        "call_kind": "help",
        "place": "3栋1单元302",
        "person": "张奶奶",
    }
    assert (
        client.order("devices/0x00158d0001a2b3c4/claim", **fields).get_json()["device"]["name"] == "302 床头"
    )
    order = hall.gateway.orders[-1]
    del order["id"]
    assert order == {"order": "claim_device", "device_id": "0x00158d0001a2b3c4", "by": STAFF, **fields}


def test_bays_are_closed_and_opened_and_zones_made(hall: ConsoleHall) -> None:
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    assert client.order("zones", zone_id="east", name_zh="东区", name_en="East").status_code == 200
    assert client.order("bays/east-01/close").get_json()["bay"]["state"] == "closed"
    assert client.order("bays/east-01/open").get_json()["bay"]["state"] == "unknown"


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "null",
        "{",
        '"x"',
        '{"window_id": 7}',
        '{"window_id": "' + "x" * 100 + '"}',
        "[" * 60_000,
    ],
    ids=["list", "null", "open", "text", "number", "long", "deep"],
)
def test_what_is_no_order_changes_nothing(hall: ConsoleHall, body: str) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    headers = {
        "Origin": "http://localhost",
        "X-Form-Token": client.token("/console"),
        "Content-Type": "application/json",
    }
    answer = client.post("/console/api/queue/next", data=body, headers=headers)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "bad_request")


def test_no_depth_of_nesting_is_a_mistake_of_ours(hall: ConsoleHall) -> None:
    """Somewhere between, it is shallow enough to be read, and too deep to be looked at as text."""
    client = hall.client(STAFF, STAFF_PASSWORD)
    headers = {
        "Origin": "http://localhost",
        "X-Form-Token": client.token("/console"),
        "Content-Type": "application/json",
    }
    answers = {
        client.post(
            "/console/api/queue/next", data='{"\\u4e00":' + "[" * deep + "]" * deep + "}", headers=headers
        ).status_code
        for deep in range(700, 1000, 10)
    }
    assert answers <= {400, 409}


def test_with_a_full_disk_an_accepted_call_stays_accepted(
    hall: ConsoleHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway has written it; that the kiosk cannot note it is said in the log and changes nothing."""
    hall.gateway.press(7)
    client = hall.client(STAFF, STAFF_PASSWORD)
    headers = {"Origin": "http://localhost", "X-Form-Token": client.token("/console")}

    def full(_work):
        raise NotWritten("notebook kiosk.db (disk is full)")

    monkeypatch.setattr(hall.core.writer, "write", full)
    hall.clock.go(min=2)
    answer = client.post("/console/api/calls/7/accept", json={}, headers=headers)
    assert answer.get_json()["call"]["state"] == "COMING"


def test_the_first_page_says_where_its_token_is_and_how_to_see_it(tmp_path: Path) -> None:
    """In words for the person in front of the machine: a shell's variable is no place."""
    hall = ConsoleHall(tmp_path)
    try:
        for lang, command in (("zh", "在这台机器上运行"), ("en", "terminal on this machine type this command")):
            page = hall.client().get(f"/console/first?lang={lang}").text
            assert "$LINLI_HOME" not in page
            for told in (TOKEN_FILE, "linli admin-token", command):
                assert told in page, (lang, told)
    finally:
        hall.close()


def test_words_are_complete_in_both_languages() -> None:
    for key, (zh, en) in WORDS.items():
        assert zh.strip(), key
        assert en.strip(), key
        assert sorted(_places(zh)) == sorted(_places(en)), key
    assert {f"outcome_{key}" for key in OUTCOMES} | {f"call_kind_{key}" for key in KINDS} <= set(WORDS)


def _places(text: str) -> list[str]:
    return [part.split("}")[0] for part in text.split("{")[1:]]
