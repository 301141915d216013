"""While nobody is there: the screen shows what can be done and how the line stands, until somebody touches it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from kiosk import attract, hours, line
from kiosk.core import Core
from kiosk.notices import Notice, put_notice
from kiosk.windows import open_window
from tests.kiosk.conftest import TEN_O_CLOCK_MS, HeldClock, RestartingKiosk
from tests.kiosk.glass import Open, forward, visits

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    page = browser.new_context(viewport={"width": 1080, "height": 1920}, has_touch=True).new_page()
    with visits(page, address) as visit:
        yield visit


def test_after_a_minute_at_home_it_begins_and_any_touch_ends_it(visit: Open) -> None:
    page = visit("/?screen=kiosk-2", clock=True)
    forward(page, 55_000)
    assert page.url.endswith("/?screen=kiosk-2")
    forward(page, 6_000)
    page.wait_for_url("**/attract?screen=kiosk-2")
    page.touchscreen.tap(500, 1500)
    page.wait_for_url("**/?screen=kiosk-2")
    expect(page.locator(".item").first).to_be_attached()


def test_the_touch_that_ends_it_presses_nothing_beneath(visit: Open) -> None:
    """Old hands tap twice: the second tap falls on the home page, where a button lies."""
    page = visit("/attract")
    page.add_init_script(
        """if (location.pathname === "/") addEventListener("DOMContentLoaded", () => {
          document.addEventListener("click", () => { window.pressed = true; });
          document.elementFromPoint(500, 1200).closest("a").click();
        })"""
    )
    page.touchscreen.tap(500, 1200)
    page.wait_for_url("**/")
    page.wait_for_function("() => performance.now() > 600")
    assert page.evaluate("window.pressed") is None
    page.touchscreen.tap(500, 1200)
    page.wait_for_url("**/item/**")


def test_it_shows_the_line_as_it_is(visit: Open, core: Core) -> None:
    page = visit("/attract")
    expect(page.locator("[data-belt] li")).to_have_count(31)
    for number in range(3):
        line.take_ticket(core, "ZW-01", f"number-{number}", "zh", "kiosk-1")
    expect(page.locator('[data-category="government"]')).to_have_text("3")
    expect(page.locator("[data-called-box]")).to_be_hidden()
    line.call_next(core, "W2", "li")
    expect(page.locator("[data-called] b")).to_have_text("B001")
    expect(page.locator("[data-called]")).to_contain_text("民生保障窗口")
    expect(page.locator('[data-category="government"]')).to_have_text("2")


def test_it_shows_hours_what_is_on_today_and_what_hangs(visit: Open, core: Core, clock: HeldClock) -> None:
    hours.set_week(core, "", {7: [(540, 1020)], 1: [(540, 1020)]})  # it is Sunday, ten o'clock
    hours.set_week(core, "ZW-14", {7: [(840, 960)]})
    page = visit("/attract")
    expect(page.locator("[data-open]")).to_contain_text("9:00-17:00")
    expect(page.locator("[data-today]")).to_contain_text("14:00-16:00")
    expect(page.locator("[data-notices-box]")).to_be_hidden()
    put_notice(core, "li", Notice(title_zh="<b>周三停水</b>", title_en="No water", from_ms=TEN_O_CLOCK_MS))
    expect(page.locator("[data-notices]")).to_contain_text("<b>周三停水</b>")
    clock.forward(hours=8)
    assert attract.now_view(core)["closed"]["zh"] != ""


def test_it_goes_on_and_stands_still_for_who_wants_no_motion(visit: Open) -> None:
    def seen(page: Page) -> list[str]:
        """Which service stands first at each of ten seconds' five steps."""
        names = []
        for _ in range(5):
            page.clock.run_for(2_000)
            names.append(page.locator("[data-belt] li span").first.inner_text())
        return names

    page = visit("/attract", clock=True)
    assert len(set(seen(page))) == 5
    assert page.evaluate("document.querySelector('[data-belt]').getAnimations().length") > 0
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_function("() => !document.querySelector('[data-belt]').getAnimations().length")
    assert len(set(seen(page))) == 2, "a screenful, once in ten seconds"
    assert page.evaluate("document.querySelector('[data-belt]').getAnimations().length") == 0


def test_nothing_burns_in(visit: Open) -> None:
    page = visit("/attract", clock=True)
    places = set()
    for _ in range(9):
        forward(page, 60_000)
        box = page.locator("[data-help]").bounding_box()
        assert box is not None
        places.add((round(box["x"]), round(box["y"])))
    assert len(places) >= 6


def test_help_and_english_are_one_touch_away_from_here_too(visit: Open, client: FlaskClient) -> None:
    page = visit("/attract")
    expect(page.get_by_role("button", name="叫人帮忙")).to_be_visible()
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**/?lang=en")
    assert client.get("/attract?large=1&screen=kiosk-3").headers["Location"] == "/?large=1&screen=kiosk-3"


def test_it_survives_a_restart_and_loads_the_new_pages(
    browser: Browser, kiosk: RestartingKiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.begin()
    page = browser.new_page(viewport={"width": 1080, "height": 1920})
    page.goto(f"{kiosk.address}/attract")
    page.evaluate("window.before = true")
    kiosk.end()
    monkeypatch.setattr(attract, "BOOT", "another")
    line.take_ticket(kiosk.begin(), "ZW-01", "first", "zh", "kiosk-1")
    page.wait_for_function("() => !window.before")
    expect(page.locator('[data-category="government"]')).to_have_text("1")
    page.close()


def test_it_is_served_whatever_is_ill(client: FlaskClient, core: Core) -> None:
    """One that answered with an error would stand there for ever."""
    open_window(core, "W2", "li")
    core.house.kiosk_db.rename(core.house.kiosk_db.with_suffix(".gone"))
    answer = client.get("/attract")
    assert answer.status_code == 200
    assert "点一下屏幕开始" in answer.text
