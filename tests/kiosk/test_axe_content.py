"""What staff see of contents and reports, judged by axe-core: every page, in both languages, full and empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk import content, notices
from kiosk.notices import Notice
from kiosk.rules import content as rules
from tests.axe import judge
from tests.kiosk.console_hall import ADMIN, NOON_MS, STAFF, STAFF_PASSWORD, ConsoleHall, console_hall
from tests.kiosk.lived_hall import live

PAGES = (
    "content",
    "content/service/ZW-01",
    "content/unconfirmed",
    "content/history/service:ZW-01",
    "content/history/hall",
    "content/quick",
    "content/presets/leak",
    "content/phones",
    "content/notices",
    "reports",
    "reports?kind=month",
    "reports?day=2026-01-01",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A hall with three weeks behind it and some edits."""
    with console_hall(tmp_path_factory.mktemp("axe")) as hall:
        hall.make_staff()
        live(hall)
        _edit(hall)
        yield hall.serve()


def _edit(hall: ConsoleHall) -> None:
    fee, pause = (
        {"zh": "10 元", "en": "10 yuan"},
        {"zh": "升级", "en": "renewed", "from": "2027-01-01", "until": ""},
    )
    content.put(hall.core, "service:ZW-01", {"fee": fee, "paused": pause}, ADMIN)
    content.put(hall.core, "service:ZW-01", {"fee": {"zh": "免费", "en": "Free"}}, STAFF)
    # Most are confirmed: axe takes its time for each line, and one more tells it nothing.
    for service in hall.core.catalogue.services[3:]:
        marks = {
            f"confirmed:{name}": {"of": rules.confirmable(service, name)} for name in service.confirm_locally
        }
        content.put(hall.core, f"service:{service.code}", marks, ADMIN)
    for from_ms in (NOON_MS - 1000, NOON_MS + 1000):
        notices.put_notice(hall.core, ADMIN, Notice(title_zh="停水", title_en="No water", from_ms=from_ms))


@pytest.fixture
def signed_in(address: str, browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{address}/console/sign-in?lang=zh")
    page.fill("[name=name]", STAFF)
    page.fill("[name=password]", STAFF_PASSWORD)
    page.click("main button.main")
    page.wait_for_url("**/console")
    return page


@pytest.mark.long
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_page_has_a_fault(address: str, signed_in: Page, lang: str) -> None:
    faults: dict[str, list[str]] = {}
    for path in PAGES:
        signed_in.goto(f"{address}/console/{path}{'&' if '?' in path else '?'}lang={lang}")
        if path.startswith("reports"):
            expect(signed_in.locator(".compared")).to_be_visible(
                timeout=20_000
            )  # it comes again until it is ready
        if found := judge(signed_in):
            faults[path] = found
        assert signed_in.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert faults == {}


@pytest.mark.long
def test_a_form_with_faults_and_one_with_a_conflict_have_none_of_axes(address: str, signed_in: Page) -> None:
    signed_in.goto(f"{address}/console/content/service/ZW-02?lang=zh")
    signed_in.fill("[name=fee-zh]", "")
    signed_in.fill("[name=phone]", "call me")
    signed_in.click(".save-bar button.main")
    expect(signed_in.locator("[aria-invalid=true]")).to_have_count(3)
    assert judge(signed_in) == []
    signed_in.fill("[name=fee-zh]", "一元")
    signed_in.fill("[name=phone]", "0851-86870000")
    signed_in.evaluate("document.querySelector('[name=base]').value = 0")
    signed_in.click(".save-bar button.main")
    expect(signed_in.locator(".saved")).to_be_visible()
    signed_in.goto(f"{address}/console/content/service/ZW-01")
    signed_in.evaluate("document.querySelector('[name=base]').value = 0")
    signed_in.fill("[name=fee-zh]", "另一个")
    signed_in.click(".save-bar button.main")
    expect(signed_in.locator(".theirs")).to_contain_text(STAFF)
    assert signed_in.input_value("[name=fee-zh]") == "另一个"
    assert judge(signed_in) == []
