"""Finding and the keyboard as axe-core sees them: each state, in both languages, normal and for elders."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.axe import judge
from tests.kiosk.test_keyboard import PANEL, touch, writing
from tests.kiosk.test_pages import LANDSCAPE, Open, visit

__all__ = ["visit", "writing"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize(
    ("lang", "large"),
    [
        ("en", "&large=1"),
        pytest.param("zh", "", marks=pytest.mark.long),
        pytest.param("en", "", marks=pytest.mark.long),
        pytest.param("zh", "&large=1", marks=pytest.mark.long),
    ],
)
def test_finding_has_no_fault(visit: Open, lang: str, large: str) -> None:
    for size, what in ((LANDSCAPE, "ls"), (PANEL, "" if large else "xqxqxq")):
        assert judge(visit(f"/find?q={what}&lang={lang}{large}", size)) == [], (size, what)


@pytest.mark.parametrize("lang", ["zh", pytest.param("en", marks=pytest.mark.long)])
def test_the_keyboard_with_its_candidates_has_no_fault(writing: str, visit: Open, lang: str) -> None:
    page = visit(f"{writing}?lang={lang}")
    touch(page, "loushui")
    expect(page.locator("[data-candidates] button").first).to_be_visible()
    assert judge(page) == []
    page.locator("[data-digits]").click()
    assert judge(page) == []
