"""The hall's display before axe: at rest and with an alarm, busy and empty, lying and upright, fresh and dimmed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from kiosk import hours
from kiosk.core import Core
from kiosk.rules.hours import Week
from tests.axe import judge
from tests.kiosk import display_hall
from tests.kiosk.conftest import HeldClock
from tests.kiosk.fake_gateway import FakeGateway
from tests.kiosk.test_alarm import call as alarming

pytestmark = [
    pytest.mark.slow,
    # Playwright's own event loop is left to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_the_display_has_no_fault_in_any_of_its_states(
    browser: Browser, address: str, core: Core, gateway: FakeGateway, clock: HeldClock
) -> None:
    # A number that flashes or a belt on its way has no colour that could be judged.
    page = browser.new_context(reduced_motion="reduce", viewport={"width": 1920, "height": 1080}).new_page()
    page.goto(address + "/display")
    assert judge(page) == [], "nobody called yet"
    display_hall.fill_line(core)
    display_hall.zones(gateway, 6)
    display_hall.hang(core)
    expect(page.locator("[data-before] li")).to_have_count(5)
    assert judge(page) == [], "a number has just been called"
    gateway.tell("CallChanged", call=alarming(7))
    expect(page.locator("[data-alarm]")).to_be_visible()
    assert judge(page) == [], "somebody calls for help"
    page.set_viewport_size({"width": 1080, "height": 1920})
    assert judge(page) == [], "upright, with an alarm"
    clock.forward(seconds=300)
    page.reload()
    expect(page.locator("body")).not_to_have_class("fresh")
    assert judge(page) == [], "the number has dimmed"
    hours.set_week(core, "", Week(dict.fromkeys(range(1, 6), ((540, 720), (840, 1020)))).spans)
    clock.forward(hours=1)
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.reload()
    expect(page.locator("[data-shut]")).to_be_visible()
    assert judge(page) == [], "closed"
