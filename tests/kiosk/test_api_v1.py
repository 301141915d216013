"""The interface for other programs: who may do what, what is sent twice, what a mistake is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from devices.faults import NotWritten, OrderRefused
from kiosk import appointments, hours, line
from kiosk.api_v1 import once, tokens
from kiosk.api_v1.door import OPERATIONS
from kiosk.core import Core
from kiosk.rules.scopes import SCOPES, allows, read_scopes
from tests.kiosk.conftest import TEN_O_CLOCK_MS, HeldClock

SLOT_MS = TEN_O_CLOCK_MS + 30 * 60_000
Ask = Callable[..., TestResponse]

#: operation → the scope that it needs ("": none). Written out: a route that changes its scope changes this table, too.
MATRIX = {
    "read_openapi": "",
    "take_ticket": "tickets:take",
    "read_ticket": "tickets:read",
    "cancel_ticket": "tickets:take",
    "read_queue": "queue:read",
    "call_next": "queue:call",
    "take_step": "queue:call",
    "read_slots": "appointments:read",
    "read_appointments": "appointments:read",
    "read_appointment": "appointments:read",
    "book_appointment": "appointments:write",
    "cancel_appointment": "appointments:write",
    "check_in_appointment": "appointments:write",
    "read_figures": "figures:read",
}


@pytest.fixture
def ask(core: Core, client: FlaskClient) -> Ask:
    """Ask as a program with all scopes; a POST has a key of its own unless it brings one."""
    secret, count = tokens.make(core, "小程序", SCOPES, "王芳"), iter(range(10_000))

    def ask(method: str, path: str, *, key: str = "", token: str = secret, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"}
        if method == "POST":
            headers["Idempotency-Key"] = key or f"key-{next(count)}"
        return client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    return ask


def complaint(answer: TestResponse) -> tuple[int, str]:
    error = answer.get_json()["error"]
    assert set(error) >= {"code", "zh", "en"}
    assert error["zh"] and error["en"]
    return answer.status_code, error["code"]


# ---------------------------------------------------------------- who may


def test_every_operation_has_its_row_and_every_route_is_an_operation(app: Flask) -> None:
    assert {name: one.scope for name, one in OPERATIONS.items()} == MATRIX
    routes = {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api_v1.")}
    assert routes == {f"api_v1.{name}" for name in MATRIX}


@pytest.mark.parametrize("scope", [*SCOPES, ""])
def test_a_token_opens_what_its_scope_names_and_nothing_else(
    core: Core, client: FlaskClient, scope: str
) -> None:
    secret = tokens.make(core, "one scope", [scope], "王芳") if scope else ""
    opened = set()
    for name, one in OPERATIONS.items():
        path = f"/api/v1{one.path}"
        for place, value in (
            ("token", "A" * 16),
            ("ticket_id", "1"),
            ("window_id", "W2"),
            ("code", "22222222"),
        ):
            path = path.replace("{" + place + "}", value)
        path = path.replace("{step}", "done")
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": f"k-{name}"}
        answer = client.open(path, method=one.method, headers=headers)
        if answer.status_code not in (401, 403):
            opened.add(name)
        else:
            assert complaint(answer) == ((403, "scope_missing") if scope else (401, "bad_token"))
    assert opened == {name for name, needed in MATRIX.items() if needed in ("", scope)}


def test_a_forged_an_ended_and_a_missing_token_are_told_the_same(
    core: Core, client: FlaskClient, ask: Ask
) -> None:
    good = tokens.make(core, "good", ["queue:read"], "王芳")
    number, secret = good.split("-", 2)[1:]
    assert ask("GET", "/queue", token=good).status_code == 200
    for wrong in (
        "",
        "x",
        good[:-1],
        good + "A",
        f"linli-{int(number) + 1}-{secret}",
        f"linli-0{number}-{secret}",
        f"linli-{number}-{'A' * 43}",
        "linli-999999999-" + "A" * 43,
    ):
        answer = ask("GET", "/queue", token=wrong)
        assert complaint(answer) == (401, "bad_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.get("/api/v1/queue", headers={"Authorization": f"Basic {good}"}).status_code == 401
    tokens.end(core, int(number))
    assert complaint(ask("GET", "/queue", token=good)) == (401, "bad_token")


def test_the_notebook_has_no_secret(core: Core) -> None:
    secret = tokens.make(core, "小程序", ["queue:read"], "王芳")
    rows = [str(tuple(row)) for row in core.reader().execute("SELECT * FROM api_tokens")]
    assert secret.split("-", 2)[2] not in "".join(rows)
    assert tokens.find(core, secret) is not None


def test_last_used_is_noted_once_an_hour(core: Core, ask: Ask, clock: HeldClock) -> None:
    ask("GET", "/queue")
    first = core.writer.commits
    ask("GET", "/queue")
    assert core.writer.commits == first
    clock.forward(hours=1)
    ask("GET", "/queue")
    assert tokens.every(core)[0].last_used_ms == clock.now_ms


def test_scopes_are_read_and_written_in_one_order() -> None:
    assert read_scopes(["queue:call", "tickets:read", "queue:call"]) == "tickets:read queue:call"
    assert not allows("tickets:read", "tickets:take")
    assert not allows("no:such", "no:such")
    for wrong in ([], ["admin"], ["tickets"]):
        with pytest.raises(OrderRefused):
            read_scopes(wrong)


def test_a_token_needs_a_name(core: Core) -> None:
    with pytest.raises(OrderRefused, match="who will use it"):
        tokens.make(core, "  ", ["queue:read"], "王芳")


# ---------------------------------------------------------------- a ticket's life by program


def test_a_program_takes_calls_and_finishes_a_number(ask: Ask) -> None:
    taken = ask("POST", "/tickets", json={"service": "ZW-01"})
    ticket = taken.get_json()
    assert (taken.status_code, ticket["number"], ticket["state"], ticket["ahead"]) == (
        201,
        "B001",
        "WAITING",
        0,
    )
    assert [one["number"] for one in ask("GET", "/queue").get_json()["line"]] == ["B001"]
    called = ask("POST", "/windows/W2/next").get_json()
    assert (called["number"], called["state"], called["window_id"]) == ("B001", "CALLED", "W2")
    assert "token" not in called
    assert ask("POST", f"/queue/tickets/{ticket['ticket_id']}/done").get_json()["state"] == "DONE"
    assert ask("GET", f"/tickets/{ticket['token']}").get_json()["state"] == "DONE"
    assert complaint(ask("POST", f"/queue/tickets/{ticket['ticket_id']}/recall")) == (409, "refused")
    assert complaint(ask("POST", "/windows/W2/next")) == (409, "refused")


def test_a_program_books_and_checks_in(ask: Ask, core: Core) -> None:
    slots = ask("GET", "/slots?service=ZW-09").get_json()["slots"]
    assert {"slot_ms": SLOT_MS, "free": 2} in slots
    booked = ask("POST", "/appointments", json={"service": "ZW-09", "slot_ms": SLOT_MS})
    code = booked.get_json()["code"]
    assert booked.status_code == 201
    assert [one["code"] for one in ask("GET", "/appointments").get_json()["appointments"]] == [code]
    arrived = ask("POST", f"/appointments/{code}/check-in").get_json()
    assert arrived["number"] == "B001"
    assert ask("GET", f"/appointments/{code}").get_json()["state"] == "ARRIVED"
    assert complaint(ask("POST", f"/appointments/{code}/cancel")) == (409, "refused")


def test_a_day_has_its_figures(ask: Ask, core: Core) -> None:
    core.writer.write(
        lambda notebook: notebook.executemany(
            "INSERT INTO serves(ticket_id, business_day, hour, service_code, window_id, lane, outcome, wait_ms,"
            " service_ms, ended_ms) VALUES (?, '2026-11-22', 10, 'ZW-01', 'W2', 'normal', ?, ?, ?, 0)",
            [(1, "done", 60_000, 120_000), (2, "done", 120_000, 240_000), (3, "no_show", 5_000, None)],
        )
    )
    item = ask("GET", "/figures?day=2026-11-22").get_json()["items"][0]
    assert (item["service"], item["done"], item["no_show"]) == ("ZW-01", 2, 1)
    assert (item["mean_wait_ms"], item["mean_service_ms"]) == (90_000, 180_000)


# ---------------------------------------------------------------- sent twice


def test_the_same_key_has_the_same_answer_for_a_day(ask: Ask, clock: HeldClock) -> None:
    first = ask("POST", "/tickets", key="one", json={"service": "ZW-01"})
    ask("POST", "/tickets", json={"service": "ZW-01"})
    ask("POST", "/windows/W2/next")
    again = ask("POST", "/tickets", key="one", json={"service": "ZW-01"})
    assert (again.status_code, again.get_json()) == (first.status_code, first.get_json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    for other in ({"service": "ZW-02"}, {"service": "ZW-01", "lang": "en"}):
        assert complaint(ask("POST", "/tickets", key="one", json=other)) == (422, "key_used")
    assert complaint(ask("POST", "/windows/W2/next", key="one")) == (422, "key_used")


def test_a_refusal_is_the_same_again_and_a_mended_mistake_is_not(
    ask: Ask, core: Core, clock: HeldClock
) -> None:
    hours.set_week(core, "", {1: [(540, 720)]})
    closed = ask("POST", "/tickets", key="sunday", json={"service": "ZW-01"})
    assert complaint(closed) == (409, "hall_closed")
    hours.set_week(core, "", {})
    assert ask("POST", "/tickets", key="sunday", json={"service": "ZW-01"}).get_json() == closed.get_json()
    assert complaint(ask("POST", "/tickets", key="typo", json={"service": "ZW-99"})) == (
        404,
        "unknown_service",
    )
    assert ask("POST", "/tickets", key="typo", json={"service": "ZW-01"}).status_code == 201
    clock.forward(hours=24)
    assert ask("POST", "/tickets", key="sunday", json={"service": "ZW-01"}).status_code == 201


def test_two_tokens_have_their_own_keys(ask: Ask, core: Core) -> None:
    other = tokens.make(core, "other", ["tickets:take"], "王芳")
    assert ask("POST", "/tickets", key="one", json={"service": "ZW-01"}).get_json()["number"] == "B001"
    answer = ask("POST", "/tickets", key="one", token=other, json={"service": "ZW-01"})
    assert answer.get_json()["number"] == "B002"


def test_twenty_at_once_with_one_key_are_one_number(app: Flask, core: Core) -> None:
    secret, seen = tokens.make(core, "rush", ["tickets:take"], "王芳"), []
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "one"}

    def take() -> None:
        answer = app.test_client().post("/api/v1/tickets", json={"service": "ZW-01"}, headers=headers)
        seen.append((answer.status_code, answer.get_json()["number"]))

    rush = [threading.Thread(target=take) for _ in range(20)]
    for one in rush:
        one.start()
    for one in rush:
        one.join()
    assert set(seen) == {(201, "B001")}
    assert core.reader().execute("SELECT count(*) FROM tickets").fetchone()[0] == 1


def test_a_crash_between_the_work_and_its_answer_does_nothing_twice(
    ask: Ask, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power goes after the step is on the disk and before its answer is kept: the repeat is told, not done."""
    tickets = [ask("POST", "/tickets", json={"service": "ZW-01"}).get_json() for _ in range(2)]
    path = f"/queue/tickets/{tickets[0]['ticket_id']}/recall"
    ask("POST", "/windows/W2/next")

    def power_cut(*_: object) -> None:
        raise NotWritten("the power is gone")

    with monkeypatch.context() as dark:
        dark.setattr(once, "_keep", power_cut)
        assert complaint(ask("POST", path, key="recall")) == (503, "not_written")
        assert complaint(ask("POST", "/windows/W2/next", key="next")) == (503, "not_written")
    assert ask("POST", path, key="recall").headers["Idempotent-Replayed"] == "true"
    calls = core.reader().execute("SELECT number, calls, state FROM tickets ORDER BY number").fetchall()
    assert [tuple(row) for row in calls] == [(1, 2, "DONE"), (2, 1, "CALLED")]
    assert ask("POST", "/windows/W2/next", key="next").get_json()["number"] == "B002", "nobody else is called"


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/tickets", {}, (400, "bad_field")),
        ("/tickets", {"service": ""}, (400, "bad_field")),
        ("/tickets", {"service": 7}, (400, "bad_field")),
        ("/tickets", {"service": "x" * 17}, (400, "bad_field")),
        ("/tickets", {"service": "\ud800"}, (400, "bad_field")),
        ("/tickets", {"service": "ZW-01", "\ud800": 1}, (400, "bad_field")),
        ("/tickets", {"service": "ZW-01", "lang": "fr"}, (400, "bad_field")),
        ("/tickets", {"service": "ZW-01", "lang": None}, (400, "bad_field")),
        ("/tickets", {"service": "ZW-01", "window": "W2"}, (400, "bad_field")),
        ("/tickets", [], (400, "bad_request")),
        ("/tickets", {"service": "XX-01"}, (404, "unknown_service")),
        ("/tickets", {"service": "WY-02"}, (409, "no_ticket_needed")),
        ("/windows/W99/next", None, (404, "unknown_window")),
        ("/windows/%00/next", None, (404, "unknown_window")),
        ("/queue/tickets/99/done", None, (404, "unknown_ticket")),
        ("/queue/tickets/99999999999999999999999/done", None, (404, "not_found")),
        ("/queue/tickets/1/explode", None, (404, "not_found")),
        ("/tickets/AAAAAAAAAAAAAAAA/cancel", None, (404, "unknown_ticket")),
        ("/tickets/AAAAAAAAAAAAAAAA/cancel", {"why": "x"}, (400, "bad_field")),
        ("/appointments/22222222/cancel", None, (404, "unknown_code")),
        ("/appointments/x/check-in", None, (404, "unknown_code")),
        ("/appointments", {"service": "ZW-09", "slot_ms": True}, (400, "bad_field")),
        ("/appointments", {"service": "ZW-09", "slot_ms": 1e18}, (400, "bad_field")),
        ("/appointments", {"service": "ZW-09", "slot_ms": SLOT_MS + 1}, (409, "slot_wrong")),
        ("/appointments", {"service": "ZW-09", "slot_ms": SLOT_MS, "paper": "no"}, (400, "bad_field")),
        ("/appointments", {"service": "ZW-09", "slot_ms": SLOT_MS, "lane_why": "friend"}, (400, "bad_field")),
    ],
)
def test_each_mistake_is_named(ask: Ask, path: str, body: Any, expected: tuple[int, str]) -> None:
    # As JSON's own escapes: half a sign ("\\ud800") can be sent, though it is no text.
    sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    assert complaint(ask("POST", path, **sent)) == expected


def test_malformed_requests_are_told_what_is_wrong(ask: Ask, client: FlaskClient, core: Core) -> None:
    bearer = {"Authorization": f"Bearer {tokens.make(core, 't', ['tickets:take'], 'x')}"}
    for key in ({}, {"Idempotency-Key": ""}, {"Idempotency-Key": "x" * 65}, {"Idempotency-Key": "a b"}):
        answer = client.post("/api/v1/tickets", json={"service": "ZW-01"}, headers={**bearer, **key})
        assert complaint(answer) == (400, "bad_key")
    assert complaint(ask("POST", "/tickets", data="service=ZW-01")) == (415, "json_only")
    assert complaint(ask("POST", "/tickets", data="{", content_type="application/json")) == (
        400,
        "bad_request",
    )
    assert complaint(ask("POST", "/tickets", json={"service": "x" * 70_000})) == (413, "too_large")
    for day in ("2026-02-30", "today", "", "2026-1-1", "0000-01-01"):
        assert complaint(ask("GET", f"/appointments?day={day}")) == (400, "bad_field")
        assert complaint(ask("GET", f"/slots?service=ZW-01&day={day}")) == (400, "bad_field")
    for day in ("0001-01-01", "9999-12-31"):
        assert ask("GET", f"/slots?service=ZW-01&day={day}").get_json()["slots"] == []
    assert complaint(ask("GET", "/slots")) == (400, "bad_field")
    answer = ask("DELETE", "/tickets")
    assert (complaint(answer), "POST" in answer.headers["Allow"]) == ((405, "method_not_allowed"), True)
    assert complaint(ask("GET", "/nothing")) == (404, "not_found")


# ---------------------------------------------------------------- the description


def test_the_description_is_valid_and_names_every_operation(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").get_json()
    OpenAPIV31SpecValidator(document).validate()
    told = {each["operationId"] for path in document["paths"].values() for each in path.values()}
    assert told == set(MATRIX)
    assert document["paths"]["/api/v1/tickets"]["post"]["responses"].keys() >= {
        "201",
        "400",
        "401",
        "403",
        "409",
        "422",
    }


def test_who_does_something_by_program_stands_in_the_journal(ask: Ask, core: Core) -> None:
    ask("POST", "/tickets", json={"service": "ZW-01"})
    ask("POST", "/windows/W2/next")
    assert {row["by"] for row in core.reader().execute("SELECT by FROM journal")} == {"api:小程序"}
    assert line.waiting(core) == []
    assert appointments.of_day(core, "2026-11-22") == []
