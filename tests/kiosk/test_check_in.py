"""The kiosk's page for codes: a keypad for old fingers, a limit for guessers."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import expect
from werkzeug.test import TestResponse

from kiosk import appointments, hours
from kiosk.core import Core
from tests.kiosk.conftest import HeldClock
from tests.kiosk.test_pages import (
    LANDSCAPE,
    PORTRAIT,
    SMALL_TARGETS,
    SMALLEST_TEXT,
    Open,
    visit,
)

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
__all__ = ["visit"]  # fixtures of the residents' pages

SLOT_MS = round(datetime(2026, 11, 22, 10, 30, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1000)


@pytest.fixture
def code(core: Core) -> str:
    return appointments.book(core, "ZW-09", SLOT_MS, "k", "王芳").appointment.code


def check_in(client: FlaskClient, code: str, screen: str = "kiosk-1", **more: str) -> TestResponse:
    return client.post("/api/check-in", json={"code": code, "screen": screen, **more})


def wrong(number: int) -> str:
    return f"2222222{'23456789'[number]}"


def test_a_code_gives_the_number_and_says_how_it_stands(client: FlaskClient, code: str) -> None:
    answer = check_in(client, f" {code[:4].lower()}-{code[4:]} ")
    told = answer.get_json()
    assert (answer.status_code, told["number"], told["note"]["zh"]) == (201, "B001", "已报到，预约时间 10:30")
    again = check_in(client, code)
    assert (again.status_code, again.get_json()["token"]) == (200, told["token"])


def test_five_wrong_codes_a_minute_and_then_even_the_right_one_waits(
    client: FlaskClient, clock: HeldClock, code: str
) -> None:
    for number in range(5):
        answer = check_in(client, wrong(number))
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "unknown_code")
        clock.forward(seconds=2)
    held = check_in(client, code)
    assert (held.status_code, held.headers["Retry-After"]) == (429, "50")
    assert "请等 50 秒再试" in held.get_json()["error"]["zh"]
    assert check_in(client, code, "kiosk-2").status_code == 201, (
        "another screen of the hall is another person"
    )
    clock.forward(seconds=50)
    assert check_in(client, code).status_code == 200


def test_a_stranger_on_the_network_is_counted_by_address_whatever_screen_it_says(
    client: FlaskClient, code: str
) -> None:
    statuses = [
        client.post(
            "/api/check-in",
            json={"code": wrong(number % 8), "screen": f"kiosk-{number + 1}"},
            environ_overrides={"REMOTE_ADDR": "192.168.1.77"},
        ).status_code
        for number in range(7)
    ]
    assert statuses == [404] * 5 + [429] * 2
    assert check_in(client, code).status_code == 201, "the hall's own screens are not held up by it"


@pytest.mark.parametrize("typed", ["0123ABCD", "ABC", "ABCDEFGHI", "王王王王王王王王"])
def test_what_can_be_no_code_is_told_so_and_not_counted(client: FlaskClient, typed: str, code: str) -> None:
    for _ in range(9):
        assert check_in(client, typed).get_json()["error"]["code"] == "bad_code"
    assert check_in(client, code).status_code == 201
    mistakes: list[object] = [
        {},
        {"code": code},
        {"code": 7, "screen": "kiosk-1"},
        {"code": code, "screen": "desk"},
        [],
    ]
    for asked in mistakes:
        assert client.post("/api/check-in", json=asked).status_code == 400


def test_the_home_screen_has_the_button_only_where_codes_are_in_use(client: FlaskClient, core: Core) -> None:
    assert "预约报到" not in client.get("/").get_data(as_text=True)
    appointments.book(core, "ZW-09", SLOT_MS, "k", "王芳")
    assert "预约报到" in client.get("/").get_data(as_text=True)


# ---------------------------------------------------------------- in a browser


@pytest.mark.slow
def test_old_fingers_type_a_code_and_get_a_number(visit: Open, code: str) -> None:
    page = visit("/")
    page.get_by_role("link", name="预约报到").click()
    do = page.locator("[data-check-in]")
    expect(do).to_be_disabled()
    page.locator(f'[data-sign="{code[0]}"]').click()
    page.get_by_role("button", name="退格").click()
    for sign in code:
        page.locator(f'[data-sign="{sign}"]').click()
    assert page.locator("[data-box]").all_text_contents() == list(code)
    do.click()
    expect(page.locator("[data-number]")).to_have_text("B001")
    expect(page.locator("[data-told]")).to_have_text("已报到，预约时间 10:30")
    expect(page.locator("[data-go-to]")).not_to_be_empty()


@pytest.mark.slow
def test_a_scanner_types_and_a_wrong_code_stays_to_be_mended(visit: Open, code: str) -> None:
    page = visit("/check-in?lang=en")
    page.keyboard.type("2222-2222")
    page.keyboard.press("Enter")
    expect(page.locator("[data-dialog] p")).to_contain_text("There is no such code")
    page.get_by_role("button", name="OK").click()
    assert "".join(page.locator("[data-box]").all_text_contents()) == "22222222"
    page.get_by_role("button", name="Clear").click()
    page.keyboard.type(code.lower())
    page.get_by_role("heading", name="Type your code").click()
    page.keyboard.press("Enter")
    expect(page.locator("[data-number]")).to_have_text("B001")


@pytest.mark.slow
def test_the_keypad_is_for_old_fingers_and_fits_the_glass(visit: Open) -> None:
    for size, px_per_mm in ((PORTRAIT, 4.03), (LANDSCAPE, 3.36)):
        for path in ("/check-in", "/check-in?lang=en&large=1"):
            page = visit(path, size)
            assert page.evaluate(SMALL_TARGETS, 20 * px_per_mm - 1) == [], (path, size)
            assert page.evaluate(SMALLEST_TEXT) >= 5 * px_per_mm - 0.1
            more = page.evaluate(
                "(() => { const m = document.querySelector('main'); return m.scrollHeight - m.clientHeight; })()"
            )
            assert more == 0, (path, size)


@pytest.mark.slow
def test_a_closed_hall_says_so_before_anybody_touches_in_vain(visit: Open, core: Core) -> None:
    hours.set_week(core, "", {1: [(540, 720)]})
    page = visit("/")
    expect(page.get_by_role("note")).to_contain_text("大厅现在不办理，明天 9:00 开始办理")
    page.get_by_role("link", name="最低生活保障申请").click()
    expect(page.locator(".act")).to_contain_text("明天 9:00 开始办理")
    expect(page.locator("[data-take]")).to_have_count(0)
    visit("/item/WY-02")  # a guide needs no hours
    expect(page.get_by_role("link", name="在这里报")).to_be_visible()
