"""Nobody there: the screen asks, goes home, and nothing of the person remains; in a real browser, its clock held."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from tests.kiosk.conftest import HeldClock
from tests.kiosk.glass import Open, forward, visits

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: A browser that somebody has used: whatever a page could leave in it.
LEAVE_TRACES = """async () => {
  localStorage.setItem("name", "王芳");
  sessionStorage.setItem("draft", "三楼漏水");
  await caches.open("photos");
}"""
LEFT = """async () => localStorage.length + sessionStorage.length + document.cookie.length
  + (await caches.keys()).length + (await indexedDB.databases()).length"""


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    page = browser.new_context(viewport={"width": 1080, "height": 1920}).new_page()
    with visits(page, address) as open_page:

        def visit(path: str, *, form: bool = False, clock: bool = True) -> Page:
            if form:
                page.route(f"**{path}*", _as_form)
            return open_page(path, clock=clock)

        yield visit


def _as_form(route: object) -> None:
    """The page as one where something is filled in."""
    answer = route.fetch()  # type: ignore[attr-defined]
    body = answer.text().replace('<main id="main">', '<main id="main"><form><input name="words"></form>')
    route.fulfill(response=answer, body=body.replace("<body ", "<body data-form "))  # type: ignore[attr-defined]


def asks(page: Page) -> None:
    expect(page.locator("dialog[data-idle]")).to_be_visible()


def is_quiet(page: Page) -> None:
    expect(page.locator("dialog[data-idle]")).to_be_hidden()


def test_who_stays_is_asked_again_and_again_without_limit(visit: Open) -> None:
    page = visit("/item/ZW-01?lang=en")
    for _ in range(11):  # WCAG 2.2.1 wants ten
        forward(page, 44_000)
        is_quiet(page)
        forward(page, 2_000)
        asks(page)
        forward(page, 15_000)
        page.get_by_role("button", name="I am still here").click()
        is_quiet(page)
    assert "lang=en" in page.url


def test_a_touch_beside_the_question_is_an_answer_too(visit: Open) -> None:
    page = visit("/item/ZW-01")
    forward(page, 46_000)
    asks(page)
    page.mouse.click(5, 5)
    forward(page, 500)
    is_quiet(page)


def test_a_form_has_twice_the_time_and_what_is_typed_counts(visit: Open) -> None:
    page = visit("/item/ZW-01", form=True)
    forward(page, 88_000)
    is_quiet(page)
    page.locator("input[name=words]").press_sequentially("漏水")
    forward(page, 88_000)
    is_quiet(page)
    forward(page, 3_000)
    asks(page)


def test_a_recording_is_somebody_but_a_machine_s_own_voice_over_the_question_is_not(visit: Open) -> None:
    page = visit("/item/ZW-01")
    for _ in range(4):  # a voice note: its page says so again and again
        forward(page, 30_000)
        page.evaluate("document.dispatchEvent(new CustomEvent('linli:active'))")
    is_quiet(page)
    forward(page, 46_000)
    asks(page)
    page.evaluate("document.dispatchEvent(new CustomEvent('linli:active'))")
    forward(page, 21_000)
    page.wait_for_url("**/")


def test_nothing_of_the_person_remains(visit: Open, address: str) -> None:
    page = visit("/item/ZW-01?lang=en&large=1", form=True)
    page.evaluate(LEAVE_TRACES)
    page.locator("input[name=words]").fill("王芳 3 栋 1201")
    page.evaluate("document.addEventListener('linli:idle', () => { name = 'told'; })")
    forward(page, 91_000)
    asks(page)
    forward(page, 21_000)
    page.wait_for_url(f"{address}/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert page.locator("html.large").count() == 0
    assert page.evaluate(LEFT) == 0
    assert page.evaluate("name") == "told", "whoever holds a draft or a microphone was told to drop it"
    assert page.context.cookies() == []
    page.go_back()
    assert page.url in ("about:blank", f"{address}/"), "the form's place in the history was taken by home"


def test_the_way_back_leads_home_even_where_a_page_made_one(visit: Open, address: str) -> None:
    """Ours replace each other; a form that is sent the plain way, or a bookmark, would leave one behind."""
    page = visit("/item/ZW-01", form=True, clock=False)
    page.locator("input[name=words]").fill("王芳 3 栋 1201")
    page.goto(f"{address}/parking")
    page.go_back(wait_until="commit")
    page.wait_for_url(f"{address}/")
    expect(page.locator(".item").first).to_be_visible()


def test_every_page_of_the_touchscreen_is_kept_nowhere(client: FlaskClient) -> None:
    """``no-store``: neither on a disk nor in the browser's cache of whole pages, which would bring back a form."""
    for path in ("/", "/item/ZW-01", "/category/party?large=1", "/parking", "/attract", "/attract/now"):
        assert client.get(path).headers["Cache-Control"] == "no-store", path


def test_links_leave_no_history(visit: Open) -> None:
    page = visit("/")
    before = page.evaluate("history.length")
    page.locator(".item:visible").first.click()
    page.wait_for_url("**/item/**")
    page.get_by_role("link", name="返回").click()
    page.wait_for_url("**/")
    assert page.evaluate("history.length") == before


def test_the_warning_says_how_long_and_is_spoken(visit: Open, clock: HeldClock) -> None:
    page = visit("/item/ZW-01")
    with page.expect_request("**/api/read") as spoken:
        forward(page, 46_000)
    asks(page)
    assert "您还在办吗？" in json.loads(spoken.value.post_data or "")["texts"]
    expect(page.locator("dialog[data-idle] p")).to_have_text("19 秒后回首页")
    forward(page, 5_000)
    expect(page.locator("dialog[data-idle] p")).to_have_text("14 秒后回首页")
