"""A ticket on a phone: what it shows, how cheaply it is asked, cancelling; with and without a script, in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from markupsafe import escape
from playwright.sync_api import Browser, Page, expect

from kiosk import line
from kiosk.core import Core
from kiosk.phone import FAR_S, NEAR_S, STALE_MS
from tests.kiosk.conftest import HeldClock

#: 390 x 844: the phones that people carry.
PHONE = {"width": 390, "height": 844}
FORGED = "AAAAAAAAAAAAAAAA"


def take(core: Core, count: int = 1, service: str = "ZW-01") -> list[str]:
    """So many numbers; their tokens."""
    before = core.reader().execute("SELECT count(*) FROM tickets").fetchone()[0]
    return [
        line.take_ticket(core, service, f"key-{before + number}", "zh", "kiosk-1").ticket.token
        for number in range(count)
    ]


def now(client: FlaskClient, token: str, tag: str = "") -> tuple[int, dict[str, Any], str]:
    answer = client.get(f"/t/{token}/now", headers={"If-None-Match": tag} if tag else {})
    return answer.status_code, answer.get_json(silent=True) or {}, answer.headers.get("ETag", "")


# ---------------------------------------------------------------- what it is told


def test_the_phone_is_told_its_place_and_who_is_soon(core: Core, client: FlaskClient) -> None:
    tokens = take(core, 6)
    told = [now(client, token)[1] for token in tokens]
    assert [(one["number"], one["ahead"], one["soon"]) for one in told] == [
        ("B001", 0, True),
        ("B002", 1, True),
        ("B003", 2, True),
        ("B004", 3, True),
        ("B005", 4, False),
        ("B006", 5, False),
    ]
    line.call_next(core, "W2", "li")
    first, second = now(client, tokens[0])[1], now(client, tokens[1])[1]
    assert (first["state"], first["at"]["zh"], first["calls"]) == ("CALLED", "2号 民生保障窗口", 1)
    assert (second["state"], second["ahead"], second["at"]) == ("WAITING", 0, None)


def test_the_wait_is_a_range_and_no_open_window_promises_nothing(core: Core, client: FlaskClient) -> None:
    tokens = take(core, 3)
    closed = now(client, tokens[2])[1]
    assert (closed["served_now"], closed["wait"]) == (False, None)
    assert "现在没有窗口在办这件事" in client.get(f"/t/{tokens[2]}").get_data(as_text=True)
    line.call_next(core, "W2", "li")
    told = now(client, tokens[2])[1]
    assert told["served_now"] is True
    assert "分钟" in told["wait"]["zh"]
    assert f"还要等：{told['wait']['zh']}" in client.get(f"/t/{tokens[2]}").get_data(as_text=True)
    assert f"Still to wait: {told['wait']['en']}" in client.get(f"/t/{tokens[2]}?lang=en").get_data(
        as_text=True
    )
    assert now(client, tokens[0])[1]["wait"] is None, "who is called does not wait"


def test_near_the_call_it_asks_often_and_far_from_it_seldom(core: Core, client: FlaskClient) -> None:
    tokens = take(core, 30)
    assert now(client, tokens[0])[1]["after_s"] == NEAR_S
    assert now(client, tokens[29])[1]["after_s"] == FAR_S
    line.cancel(core, line.by_token(core, tokens[29]).ticket_id, "phone")  # type: ignore[union-attr]
    assert now(client, tokens[29])[1]["after_s"] == 0, "nothing more will happen: it stops"


def test_nothing_new_is_304_without_a_look_at_the_notebook(
    core: Core, client: FlaskClient, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = take(core)[0]
    status, _, tag = now(client, token)
    assert (status, bool(tag)) == (200, True)
    with monkeypatch.context() as blind:
        blind.setattr(core, "reader", lambda: pytest.fail("the notebook was read"))
        for _ in range(20):
            assert now(client, token, tag) == (304, {}, tag)
    # Something was written that is not this phone's business: looked at once, and still 304.
    take(core, 1, "WY-04")
    status, _, later = now(client, token, tag)
    assert (status, later != tag) == (304, True)
    clock.forward(seconds=STALE_MS / 1000)
    assert now(client, token, later)[0] == 304
    line.call_next(core, "W2", "li")
    assert now(client, token, later)[0] == 200


def test_one_phones_tag_is_not_anothers(core: Core, client: FlaskClient) -> None:
    first, second = take(core, 2)
    tag = now(client, first)[2]
    status, told, _ = now(client, second, tag)
    assert (status, told["number"]) == (200, "B002")
    assert now(client, FORGED, tag)[0] == 404


@pytest.mark.parametrize(
    "token", [FORGED, "x", "A" * 500, "..%2F..%2Fetc", "'; DROP TABLE tickets; --", "王王王"]
)
def test_a_forged_token_is_404_with_clear_words(client: FlaskClient, token: str) -> None:
    answer = client.get(f"/t/{token}/now")
    assert answer.status_code == 404
    page = client.get(f"/t/{token}", headers={"Accept": "text/html"})
    assert page.status_code == 404
    if "%2F" not in token:
        assert answer.get_json()["error"]["code"] == "unknown_ticket"
        assert "没有这张号" in page.get_data(as_text=True)
        assert "请重新扫小票上的码" in page.get_data(as_text=True)
        assert client.post(f"/t/{token}/cancel").status_code == 404


def test_yesterdays_number_is_expired_and_the_token_outlives_the_process(
    core: Core, client: FlaskClient, clock: HeldClock
) -> None:
    token = take(core)[0]
    clock.forward(hours=24)
    told = now(client, token)[1]
    assert (told["state"], told["can_cancel"], told["after_s"]) == ("EXPIRED", False, 0)
    assert len(token) * 6 >= 64


# ---------------------------------------------------------------- cancelling


def test_cancelling_asks_once_more_and_is_idempotent(core: Core, client: FlaskClient) -> None:
    token, behind = take(core, 2)
    asked = client.get(f"/t/{token}?cancel=1").get_data(as_text=True)
    assert "真的不办了吗" in asked
    assert now(client, token)[1]["state"] == "WAITING", "looking changes nothing"
    for _ in range(2):
        answer = client.post(f"/t/{token}/cancel", headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/t/{token}")
    assert "这个号已取消" in client.get(f"/t/{token}").get_data(as_text=True)
    assert now(client, behind)[1]["ahead"] == 0
    assert client.post(f"/t/{token}/cancel").get_json()["state"] == "CANCELLED"


def test_what_is_done_cannot_be_cancelled(core: Core, client: FlaskClient) -> None:
    token = take(core)[0]
    called = line.call_next(core, "W2", "li")
    line.done(core, called.ticket_id, "li")
    assert client.post(f"/t/{token}/cancel").status_code == 409
    assert now(client, token)[1]["state"] == "DONE"


# ---------------------------------------------------------------- in a browser

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    """Open a page on a phone; any script error and any request that leaves the hall fails the test."""
    faults: list[str] = []
    contexts: list[Any] = []

    def visit(path: str, *, script: bool = True) -> Page:
        context = browser.new_context(viewport=PHONE, java_script_enabled=script, device_scale_factor=2)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda wrong: faults.append(str(wrong)))
        page.on("console", lambda told: faults.append(told.text) if "Content Security" in told.text else None)
        page.on("request", lambda asked: None if asked.url.startswith(address) else faults.append(asked.url))
        if script:
            page.clock.install()
        page.goto(address + path)
        return page

    yield visit
    for one in contexts:
        one.close()
    assert faults == []


def look(page: Page, event: str = "requestfinished") -> None:
    """Let the phone's time go on until it has asked once more, and wait for the end of that."""
    asked: list[object] = []
    page.once("request", lambda one: asked.append(one))  # noqa: PLW0108 - playwright takes no bound method of a list
    with page.expect_event(event):
        for _ in range(FAR_S + 5):
            page.clock.run_for(1000)
            if asked:
                break


@pytest.mark.slow
def test_a_phone_sees_its_turn_come_and_rings(visit: Open, core: Core) -> None:
    tokens = take(core, 6)
    page = visit(f"/t/{tokens[4]}")
    state, rang = page.locator("[data-state]"), page.locator("body")
    expect(state).to_have_text("排队中")
    expect(page.locator("[data-ahead]")).to_have_text("4 人")
    page.get_by_role("button", name="快到时响铃提醒我").click()
    expect(page.locator("[data-remind]")).to_have_attribute("aria-pressed", "true")
    expect(rang).to_have_attribute("data-rang", "1")  # it shows that it can be heard
    line.call_next(core, "W2", "li")
    look(page)
    expect(state).to_have_text("快到您了，请回大厅等候")
    expect(page.locator("[data-wait]")).to_contain_text("还要等：")
    expect(rang).to_have_attribute("data-rang", "2")
    for _ in range(4):
        line.call_next(core, "W2", "li")
    look(page)
    expect(state).to_have_text("到您了，请到")
    expect(page.locator("[data-where]")).to_have_text("2号 民生保障窗口")
    expect(rang).to_have_attribute("data-rang", "3")
    assert page.title().startswith("到您了！")


@pytest.mark.slow
def test_a_phone_that_hears_nothing_says_so_and_comes_back(visit: Open, core: Core) -> None:
    token = take(core)[0]
    page = visit(f"/t/{token}")
    page.route("**/now", lambda route: route.abort())
    for _ in range(2):
        look(page, "requestfailed")
    expect(page.locator("[data-offline]")).to_be_visible()
    page.unroute("**/now")
    line.call_next(core, "W2", "li")
    look(page)
    expect(page.locator("[data-offline]")).to_be_hidden()
    expect(page.locator("[data-state]")).to_have_text("到您了，请到")


@pytest.mark.slow
def test_without_a_script_the_page_says_the_same_and_can_cancel(visit: Open, core: Core) -> None:
    token = take(core, 2)[1]
    page = visit(f"/t/{token}", script=False)
    expect(page.locator("[data-state]")).to_have_text("快到您了，请回大厅等候")
    assert 'http-equiv="refresh"' in page.content()
    expect(page.locator("[data-remind]")).to_be_hidden()
    page.get_by_role("link", name="我不办了，取消这个号").click()
    page.get_by_role("button", name="取消 B002").click()
    expect(page.locator("[data-state]")).to_have_text("这个号已取消")
    assert 'http-equiv="refresh"' not in page.content()


@pytest.mark.slow
def test_on_a_phone_nothing_is_small_or_beside_the_screen(visit: Open, core: Core) -> None:
    token = take(core, 6)[5]
    for path in (f"/t/{token}", f"/t/{token}?lang=en", f"/t/{token}?lang=en&cancel=1", f"/t/{FORGED}"):
        page = visit(path)
        wide, least, tall = page.evaluate(
            """() => [document.documentElement.scrollWidth,
              Math.min(...[...document.querySelectorAll('a, button')].filter((one) => one.offsetParent)
                .map((one) => one.getBoundingClientRect().height)),
              Math.max(...[...document.querySelectorAll('a, button, .how')].filter((one) => one.offsetParent)
                .map((one) => one.getBoundingClientRect().bottom))]"""
        )
        assert wide <= PHONE["width"]
        assert least >= 44, path
        assert tall <= PHONE["height"] or "cancel" in path, "what one needs is seen without scrolling"


def test_the_phone_names_all_papers_that_the_short_slip_left_out(core: Core, client: FlaskClient) -> None:
    taken = line.take_ticket(core, "ZW-01", "papers-1", "zh", "kiosk-1", services=["ZW-01", "ZW-04"])
    for lang in ("zh", "en"):
        page = client.get(f"/t/{taken.ticket.token}?lang={lang}").text
        for code in ("ZW-01", "ZW-04"):
            service = core.catalogue.service(code)
            assert service is not None and service.materials
            assert all(str(escape(paper.say(lang))) in page for paper in service.materials)
