"""The screen while nobody is there, and a page while it is read aloud, judged by axe-core."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from kiosk import line
from kiosk.core import Core
from kiosk.notices import Notice, put_notice
from tests.axe import judge
from tests.kiosk.conftest import TEN_O_CLOCK_MS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_the_attract_screen_has_no_faults(browser: Browser, address: str, core: Core) -> None:
    for number, service in enumerate(("DW-01", "ZW-01", "WY-07")):
        line.take_ticket(core, service, f"number-{number}", "zh", "kiosk-1")
    line.call_next(core, "W1", "li")
    put_notice(
        core, "li", Notice(title_zh="周三停水", title_en="No water on Wednesday", from_ms=TEN_O_CLOCK_MS)
    )
    for width, height in ((1080, 1920), (1024, 768), (1280, 800)):
        page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
        page.goto(address + "/attract")
        expect(page.locator("[data-notices]")).to_contain_text("周三停水")
        assert judge(page) == [], (width, height)
        page.close()


@pytest.mark.parametrize("how", [pytest.param("", marks=pytest.mark.long), "?lang=en&large=1"])
def test_the_idle_warning_and_reading_aloud_have_no_faults(browser: Browser, address: str, how: str) -> None:
    page = browser.new_page(viewport={"width": 1080, "height": 1920})
    page.clock.install()
    page.goto(f"{address}/parking{how}")
    page.evaluate("document.querySelector('h1').classList.add('aloud-now')")
    page.evaluate("document.querySelector('[data-aloud-button]').classList.add('reading')")
    assert judge(page) == []
    page.clock.fast_forward(46_000)
    page.clock.run_for(300)
    expect(page.locator("dialog[data-idle]")).to_be_visible()
    assert judge(page) == []
    page.close()
