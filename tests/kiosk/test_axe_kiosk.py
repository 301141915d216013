"""Every page of the touchscreen's frame before axe: normal and elders' mode, Chinese and English.

Pages of other rooms have stories of their own (test_axe_<room>.py). A way to be seen is judged at one size, so that
each of the four is met once; what a size alone changes is measured in test_sizes.py.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from kiosk.core import Core
from tests.axe import judge
from tests.kiosk.glass import PANEL, PORTRAIT, SMALL, WIDE, address
from tests.kiosk.test_pages import Open, visit  # noqa: F401  (the fixture)

pytestmark = [
    pytest.mark.slow,
    # Playwright's own event loop is left to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PAGES = (
    "/",
    "/item/ZW-09",
    "/item/WY-02",
    "/certificates",
    "/certificates/kinship",
    "/calibrate",
    "/no/such/page",
)
#: Pages of the elders' mode besides.
FEW = ("/often", "/more", "/category/government?page=3")
WAYS = [
    pytest.param({}, PORTRAIT, id="zh", marks=pytest.mark.long),
    pytest.param({"lang": "en"}, PANEL, id="en", marks=pytest.mark.long),
    pytest.param({"large": 1}, SMALL, id="zh-elders", marks=pytest.mark.long),
    pytest.param({"large": 1, "lang": "en", "low": 1}, PORTRAIT, id="en-elders-low"),
]


@pytest.mark.parametrize(("ways", "size"), WAYS)
def test_axe_finds_nothing(visit: Open, ways: dict[str, object], size: tuple[int, int]) -> None:  # noqa: F811
    faults = {}
    for path in (*PAGES, *(FEW if ways.get("large") else ())):
        page = visit(address(path, **ways), size)
        faults[path] = judge(page)
    page = visit(address("/item/ZW-01", **ways), size)
    page.locator("[data-take]").click()
    expect(page.locator("[data-number]")).to_be_visible()
    faults["the number"] = judge(page)
    assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.parametrize("lang", ["zh", pytest.param("en", marks=pytest.mark.long)])
def test_axe_finds_nothing_where_a_screen_is_measured(visit: Open, core: Core, lang: str) -> None:  # noqa: F811
    page: Page = visit(f"/calibrate?lang={lang}", WIDE)
    for sign in core.screen_codes.make("kiosk-1", "li", core.now_ms()):
        page.locator(f'[data-key="{sign}"]').click()
    page.locator(".act .main").click()
    bar = page.locator("[data-bar]")
    before = bar.bounding_box()
    page.locator('[data-by="10"]').click()
    page.keyboard.press("ArrowLeft")
    after = bar.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] == pytest.approx(before["width"] + 9, abs=0.1)
    faults = judge(page)
    page.locator(".act .main").click()
    page.wait_for_url("**saved=1**")
    expect(page.locator(".measured-well")).to_be_visible()
    assert faults + judge(page) == []
