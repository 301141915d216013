"""A full day without network, and without a gateway: numbers are given, and what does not work says so in words."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from kiosk import line
from kiosk.core import Core
from tests.kiosk.glass import Open
from tests.kiosk.test_idle import visit as visit  # fails for any request that leaves this kiosk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_without_gateway_and_network_the_kiosk_goes_on(visit: Open, core: Core) -> None:
    page = visit("/attract", clock=False)
    page.get_by_role("link", name="点一下屏幕开始").click()
    page.wait_for_url("**/")
    page.wait_for_function("() => performance.now() > 600")  # a second tap of the same finger is not heard before
    page.locator(".item:visible", has_text="最低生活保障申请").first.click()
    page.get_by_role("button", name="取号").first.click()
    expect(page.locator("[data-number]")).to_have_text("B001")
    assert [one["number"] for one in line.waiting(core)] == ["B001"]
    page.get_by_role("button", name="叫人帮忙").click()
    expect(page.get_by_role("dialog")).to_contain_text("没有呼叫成功，请招手或直接到服务台")


def test_no_page_names_another_machine(visit: Open, core: Core) -> None:
    """What a browser would fetch from elsewhere it could not: neither scripts, styles, fonts nor pictures."""
    for path in ("/", "/item/ZW-01", "/category/party?large=1", "/parking", "/attract", "/display"):
        page = visit(path, clock=False)
        page.wait_for_load_state("load")
        named = page.evaluate(
            "() => performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)"
            ".filter((one) => one !== location.origin)"
        )
        assert named == [], path
