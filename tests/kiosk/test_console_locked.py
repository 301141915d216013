"""A locked screen still rings, and shows no more than everybody in the hall may see."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from kiosk.console import live, picture
from kiosk.live import Told, sse
from tests.kiosk.console_gateway import CALL
from tests.kiosk.console_hall import STAFF, STAFF_PASSWORD, Client, ConsoleHall, Ear, console_hall

SECRETS = ("张奶奶", "床头", "心脏支架")


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path, heartbeat_s=0.05) as hall:
        hall.make_staff()
        yield hall


def listen(client: Client) -> Ear:
    answer = client.get("/console/live", buffered=False)
    assert answer.status_code == 200
    return Ear(cast("Iterator[bytes]", iter(answer.response)))


def test_a_locked_screen_is_told_that_somebody_calls_and_where(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    assert client.order("lock").status_code == 200
    stream = listen(client)
    assert stream.wait("lock")["locked"] is True
    hall.gateway.press(7, note="心脏支架")
    call = stream.wait("call")
    assert (call["state"], call["place"]) == ("HEARD", "3栋1单元302")
    assert not any(secret in json.dumps(call, ensure_ascii=False) for secret in SECRETS)


def test_the_whole_of_a_locked_line_names_nobody(hall: ConsoleHall) -> None:
    hall.gateway.press(7, note="心脏支架")
    hall.gateway.device("btn-0302", name="302 床头", person="张奶奶")
    client = hall.client(STAFF, STAFF_PASSWORD)
    client.order("lock")
    stream, told = listen(client), b""
    for number in range(5):
        hall.gateway.press(10 + number, person="张奶奶", note="心脏支架")
        hall.gateway.device(f"btn-{number}", name="床头", person="张奶奶")
    while told.count(b"event: call") < 5:
        told += next(stream)
    assert not any(secret in told.decode() for secret in SECRETS)


def test_of_what_is_told_together_a_locked_screen_hears_the_calls_alone() -> None:
    device = ("device", {"device_id": "btn-0302", "person": "张奶奶"})
    call = ("call", {"call_id": 7, "state": "HEARD", "person": "张奶奶", "note": "心脏支架"})
    assert live.veiled_line(Told([device, call])) == sse("call", {"call_id": 7, "state": "HEARD"})
    assert live.veiled_line(Told([device])) == b":\n\n", "nothing, but the server must have something to send"


def test_idleness_locks_while_the_line_goes_on_and_listening_does_not_put_it_off(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    stream = listen(client)
    assert stream.wait("lock")["locked"] is False
    for _ in range(14):
        hall.clock.go(min=1)
        next(stream)
    hall.clock.go(min=1)
    assert stream.wait("lock")["locked"] is True
    hall.gateway.press(7)
    assert "person" not in stream.wait("call")
    assert client.order("calls/7/accept").status_code == 423

    assert client.order("unlock", password="wrong").status_code == 409
    assert client.order("unlock", password=STAFF_PASSWORD).status_code == 200
    assert stream.wait("lock")["locked"] is False
    assert stream.wait("picture")["calls"][0]["person"] == "张奶奶"
    assert client.order("calls/7/accept").status_code == 200


def test_without_a_live_line_the_calls_are_asked_for(hall: ConsoleHall) -> None:
    """All places are taken: the page polls, a locked one is told as little as on its line, a stranger nothing."""
    stream = hall.hub.stream("staff")
    hall.gateway.press(7, note="心脏支架")
    hall.gateway.press(8, state="CLOSED", outcome="helped", closed_ms=1)
    assert Ear(stream).wait("call")["call_id"] == 7
    client = hall.client(STAFF, STAFF_PASSWORD)
    others = [hall.hub.stream("staff") for _ in range(31)]
    assert client.get("/console/live").status_code == 503
    told = client.get("/console/api/calls").get_json()
    assert (told["calls"][0]["person"], told["connected"], told["lock"]["locked"]) == ("张奶奶", True, False)
    client.order("lock")
    told = client.get("/console/api/calls").get_json()
    assert [(one["call_id"], one["place"]) for one in told["calls"]] == [(7, "3栋1单元302")]
    assert told["lock"]["locked"] is True
    assert not any(secret in json.dumps(told, ensure_ascii=False) for secret in SECRETS)
    assert hall.client().get("/console/api/calls").status_code == 401
    assert len(others) == 31


def test_asking_for_the_calls_does_not_put_off_the_lock(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    for _ in range(15):
        hall.clock.go(min=1)
        told = client.get("/console/api/calls").get_json()
    assert told["lock"]["locked"] is True


def test_a_live_line_that_could_not_begin_keeps_no_place(
    hall: ConsoleHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)

    def no_thread(_watch: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(live.PaperWatch, "begin", no_thread)
    for _ in range(3):
        assert client.get("/console/live").status_code == 500
    assert hall.hub.listeners == 0


@pytest.mark.parametrize("end", ["sign out", "disable", "twelve hours", "another password"])
def test_the_line_ends_with_its_session(hall: ConsoleHall, end: str) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    stream = listen(client)
    stream.wait("picture")
    session = next(one for one in hall.accounts.members() if one.name == STAFF)
    if end == "sign out":
        client.form("/console/sign-out", page="/console/password")
    elif end == "disable":
        admin = hall.accounts.session(hall.accounts.sign_in("王芳", "春眠不觉晓，处处闻啼鸟", "here"))
        assert admin is not None
        hall.accounts.set_disabled(admin, session.staff_id, True)
    elif end == "twelve hours":
        hall.clock.go(h=12)
    else:
        other = hall.accounts.session(hall.accounts.sign_in(STAFF, STAFF_PASSWORD, "here"))
        assert other is not None
        hall.accounts.change_password(other, STAFF_PASSWORD, "a new one, quite long", "here")
    left = b"".join(stream)
    assert b"event: call" not in left
    assert hall.hub.listeners == 0
    assert client.get("/console/api/session").get_json() == {"signed_in": False}


def test_what_a_locked_screen_is_not_known_to_need_it_is_not_told() -> None:
    for event in ("ticket", "device", "bay", "zone", "paper", "line", "slip_settled", "invented tomorrow"):
        assert picture.veiled(event, {"person": "张奶奶"}) is None
    told = picture.veiled("call", {**CALL, "call_id": 7, "medical": "invented tomorrow"})
    assert told is not None
    assert set(told) == {
        "call_id",
        "state",
        "kind",
        "device_id",
        "claimed",
        "place",
        "presses",
        "written",
        "overdue",
        "acts",
    }


def test_a_closed_call_is_gone_from_a_locked_screen() -> None:
    calls = [{**CALL, "call_id": 7, "state": "CLOSED"}, {**CALL, "call_id": 8}]
    told = picture.veiled(
        "snapshot", {"calls": calls, "parts": [], "connected": True, "devices": [{"person": "张奶奶"}]}
    )
    assert told is not None
    assert [one["call_id"] for one in told["calls"]] == [8]
    assert "devices" not in told


def test_the_printer_s_word_comes_by_itself(hall: ConsoleHall) -> None:
    stream = listen(hall.client(STAFF, STAFF_PASSWORD))
    stream.wait("picture")
    stream.wait("heartbeat")
    hall.printer("paper_out")
    hall.job("UNSURE", "政务 B031")
    told = stream.wait("paper")
    assert told["printers"][0]["state"] == "paper_out"
