"""A request's steps, judged one by one: in both languages, in normal and in large text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from kiosk.core import Core
from tests.axe import judge
from tests.kiosk.ask_walk import MICROPHONE, go_on, step_of
from tests.whole_hall import chromium

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SEEN = (
    "lang=en&large=1",
    pytest.param("", marks=pytest.mark.long),
    pytest.param("lang=en", marks=pytest.mark.long),
    pytest.param("large=1", marks=pytest.mark.long),
)


@pytest.fixture(scope="module")
def with_microphone() -> Iterator[Browser]:
    with chromium(*MICROPHONE) as browser:
        yield browser


@pytest.fixture
def page(with_microphone: Browser, core: Core) -> Iterator[Page]:
    page = with_microphone.new_page(viewport={"width": 1080, "height": 1920})
    yield page
    page.close()


@pytest.mark.parametrize("seen", SEEN)
def test_every_step_of_a_request_can_be_used_by_everybody(page: Page, address: str, seen: str) -> None:
    found: dict[str, list[str]] = {}
    page.goto(f"{address}/ask?{seen}")
    found["kinds"] = judge(page)
    page.goto(f"{address}/ask/gas?{seen}")
    while (step := step_of(page)) != "words":
        found[step] = judge(page)
        go_on(page)
    found["words"] = judge(page)
    for way in ("pick", "speak", "draw", "typed"):
        button = page.locator(f"[data-go={way}]")
        if way == "pick" and not button.is_visible():
            continue
        button.click()
        found[way] = judge(page)
        page.locator("[data-step-back]").click()
    page.locator("[data-send]").click()
    page.locator("[data-code]").wait_for()
    found["sent"] = judge(page)
    assert {step: faults for step, faults in found.items() if faults} == {}
    assert {"kinds", "place", "building", "words", "speak", "draw", "typed", "sent"} <= set(found)
