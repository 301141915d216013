"""The hall's display: what is read from eight metres, what does not fit, what must not burn in, what comes back."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from kiosk import hours, line, screens
from kiosk.core import Core
from kiosk.notices import Notice
from kiosk.rules.hours import Week, week_words
from kiosk.windows import save_window
from tests.kiosk import display_hall
from tests.kiosk.conftest import TEN_O_CLOCK_MS, HeldClock
from tests.kiosk.fake_gateway import FakeGateway
from tests.kiosk.test_alarm import call as alarming
from tests.kiosk.test_pages import DISPLAY_CUT

SLOW = [
    pytest.mark.slow,
    # Playwright's own event loop is left to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
#: 43 inches, 1920 px on 952 mm.
PX_PER_MM = 2.02
WEEK = Week(dict.fromkeys(range(1, 6), ((540, 720), (840, 1020))))

#: The height of what is drawn of a text: of its glyphs, not of the box around them.
GLYPHS_PX = """(what) => {
  const one = document.querySelector(what), style = getComputedStyle(one);
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const text = [...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
  const drawn = pen.measureText(text);
  return [text, drawn.actualBoundingBoxAscent + drawn.actualBoundingBoxDescent];
}"""


#: Whether each row that is shown is whole within its card.
ALL_WITHIN = """() => [...document.querySelectorAll('[data-line]:not([hidden]), [data-zone]:not([hidden])')]
.every((one) => {
  const box = one.getBoundingClientRect(), card = one.closest(".card").getBoundingClientRect();
  return box.bottom <= card.bottom + 1 && one.scrollWidth <= one.clientWidth + 1;
})"""


@pytest.fixture
def show(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """The display at a size, its clock in the test's hand; any script error fails the test."""
    faults: list[str] = []
    pages: list[Page] = []

    def show(width: int = 1920, height: int = 1080) -> Page:
        page = browser.new_context(
            reduced_motion="reduce", viewport={"width": width, "height": height}
        ).new_page()
        page.on("pageerror", lambda wrong: faults.append(str(wrong)))
        page.on("request", lambda asked: None if asked.url.startswith(address) else faults.append(asked.url))
        page.clock.install()
        page.goto(address + "/display")
        pages.append(page)
        return page

    yield show
    for page in pages:
        page.context.close()
    assert faults == []


class TestInABrowser:
    pytestmark = SLOW

    def test_it_is_read_from_eight_metres(self, show: Callable[..., Page], core: Core) -> None:
        display_hall.fill_line(core)
        page = show()
        text, height_px = page.evaluate(GLYPHS_PX, "[data-number]")
        assert text == "B005"
        assert height_px / PX_PER_MM >= 100
        text, height_px = page.evaluate(GLYPHS_PX, ".belt li")
        assert text == "党员组织关系接转"
        assert height_px / PX_PER_MM >= 36

    @pytest.mark.parametrize(
        "sizes",
        [
            ((1920, 1080), (1080, 1920)),
            pytest.param(((1366, 768), (3840, 2160)), marks=pytest.mark.long),
        ],
        ids=["usual", "odd"],
    )
    def test_each_open_window_shows_its_line_and_nothing_is_cut_at_any_size(
        self, show: Callable[..., Page], core: Core, gateway: FakeGateway, sizes: tuple[tuple[int, int], ...]
    ) -> None:
        display_hall.fill_line(core)
        display_hall.zones(gateway, 6)
        for size in sizes:
            page = show(*size)
            expect(page.locator("[data-zone]")).to_have_count(8)
            seen_lines, seen_zones = set(), set()
            for _ in range(8):
                assert page.evaluate(DISPLAY_CUT) == [], size
                lines = page.locator("[data-line]:visible")
                assert page.evaluate(ALL_WITHIN), size
                seen_lines |= {one.get_attribute("data-line") for one in lines.all()}
                seen_zones |= {
                    one.get_attribute("data-zone") for one in page.locator("[data-zone]:visible").all()
                }
                page.clock.run_for(8000)
            assert seen_lines == set(display_hall.OPEN), size
            assert len(seen_zones) == 8, size
            second = page.locator('[data-line="W2"]')
            expect(second).to_contain_text("12")
            expect(second.locator("[data-first]")).to_have_text("B006 B007 B008")
            expect(second.locator("[data-line-waiting]")).to_have_text("3")
            page.context.close()

    def test_notices_take_their_turn_and_a_long_one_is_turned_like_a_book(
        self, show: Callable[..., Page], core: Core, gateway: FakeGateway
    ) -> None:
        display_hall.hang(core, Notice(title_zh="周六义诊", title_en="Doctors on Saturday", from_ms=1))
        page = show()
        label = page.locator('[data-turn-of="notices"]')
        expect(page.locator("[data-bays]")).to_be_visible()
        page.clock.run_for(8000)
        expect(page.locator("[data-notices]")).to_contain_text("周六义诊")
        expect(page.locator("[data-bays]")).to_be_hidden()
        page.clock.run_for(16_000)
        expect(page.locator("[data-notice]")).to_contain_text(display_hall.LONG.title_zh)
        found = re.fullmatch(r"2/2 · 1/(\d)", label.inner_text())
        assert found is not None
        leaves = int(found.group(1))
        assert leaves > 1
        seen = {page.evaluate("document.querySelector('[data-notice]').scrollLeft")}
        for _ in range(leaves - 1):
            page.clock.run_for(16_000)
            seen.add(page.evaluate("document.querySelector('[data-notice]').scrollLeft"))
        assert len(seen) == leaves, "each of its pages was seen"
        page.clock.run_for(16_000)
        expect(page.locator("[data-bays]")).to_be_visible()

    def test_a_closed_hall_says_when_it_opens_and_its_hours(
        self, show: Callable[..., Page], core: Core, clock: HeldClock
    ) -> None:
        hours.set_week(core, "", WEEK.spans)
        page = show()
        shut = page.locator("[data-shut]")
        expect(shut).to_contain_text("大厅现在不办理，明天 9:00 开始办理")
        expect(shut).to_contain_text("it opens tomorrow at 9:00")
        expect(shut.locator("li").first).to_contain_text("周一至周五 9:00-12:00 14:00-17:00")
        expect(page.locator("[data-nobody]")).to_be_hidden()
        expect(page.locator("[data-no-window]")).to_contain_text("窗口还没有开")
        clock.forward(hours=23)
        page.clock.run_for(30_000)
        expect(shut).to_be_hidden()
        expect(page.locator("[data-nobody]")).to_be_visible()

    def test_nothing_stands_still_for_long(
        self, show: Callable[..., Page], core: Core, clock: HeldClock
    ) -> None:
        display_hall.fill_line(core)
        page = show()
        where = "document.querySelector('[data-number]').getBoundingClientRect().x"
        ground = "getComputedStyle(document.querySelector('[data-latest]')).backgroundColor"
        assert page.evaluate(ground) == "rgb(255, 255, 255)"
        places = set()
        for _ in range(12):
            places.add(round(page.evaluate(where)))
            clock.forward(seconds=60)
            with page.expect_response("**/display/now"):
                page.clock.run_for(60_000)
        assert page.evaluate(ground) != "rgb(255, 255, 255)", "the one bright box dims"
        assert len(places) >= 6, "the picture walks"
        assert max(places) - min(places) > 500, "and changes sides"

    def test_a_ticket_taken_while_somebody_calls_for_help_does_not_hide_the_alarm(
        self, show: Callable[..., Page], core: Core, gateway: FakeGateway
    ) -> None:
        page = show()
        gateway.tell("CallChanged", call=alarming(7))
        expect(page.locator("[data-alarm]")).to_be_visible()
        line.take_ticket(core, "ZW-01", "while-alarmed", "zh", "kiosk-1")
        expect(page.locator('[data-category="government"]')).to_have_text("1")
        expect(page.locator("[data-alarm]")).to_be_visible()

    def test_a_forecast_stands_at_a_zone_that_has_room_and_at_no_other(
        self, show: Callable[..., Page], core: Core, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = {zone: {"zh": "约 17:45 停满", "en": "full at about 17:45"} for zone in ("east", "west")}
        monkeypatch.setattr(core.outlooks, "lines", lambda: told)
        page = show()
        expect(page.locator('[data-zone="west"] [data-outlook]')).to_have_text(
            "约 17:45 停满 full at about 17:45"
        )
        gateway.tell("ZoneChanged", zone={**gateway.zones[1], "free": 0, "taken": 8})
        expect(page.locator('[data-zone="west"] [data-outlook]')).to_be_hidden()

    def test_a_new_version_of_itself_is_loaded_and_the_same_one_never(
        self, show: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = show()
        page.evaluate("window.first = true")
        with page.expect_response("**/display/now"):
            page.clock.run_for(30_000)
        assert page.evaluate("window.first") is True
        monkeypatch.setattr(screens, "build", lambda: "another")
        with page.expect_navigation():
            page.clock.run_for(30_000)
        assert page.evaluate("window.first") is None


def test_the_page_comes_even_while_the_notebook_cannot_be_read(
    client: FlaskClient, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that answered with an error would hang on the wall for ever."""

    def torn() -> sqlite3.Connection:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(core, "reader", torn)
    answer = client.get("/display")
    assert answer.status_code == 200
    assert 'data-state="null"' in answer.text
    told = client.get("/display/now").get_json()
    assert (told["hall"], told["notices"]) == (None, None)


def test_what_the_clock_changes_is_told_with_nothing_of_staff(client: FlaskClient, core: Core) -> None:
    hours.set_week(core, "", WEEK.spans)
    display_hall.hang(core)
    told = client.get("/display/now").get_json()
    assert told["now_ms"] == TEN_O_CLOCK_MS
    assert told["hall"]["open"] is False
    assert [one["title"]["zh"] for one in told["notices"]] == [display_hall.LONG.title_zh]
    assert "li" not in json.dumps(told["notices"], ensure_ascii=False).split('"')


def test_a_number_for_an_item_that_no_window_serves_any_more_is_given(
    client: FlaskClient, core: Core
) -> None:
    """Its line is empty, and the touch is answered."""
    save_window(core, "W2", "li", zh="民生保障窗口", en="Welfare", number=2, skills=["ZW-01"])
    answer = client.post("/api/tickets", json={"service": "ZW-03", "key": "nobody-serves"})
    assert (answer.status_code, answer.get_json()["ahead"]) == (201, 0)


def test_the_week_is_said_as_on_a_door() -> None:
    assert week_words(WEEK) == [
        ("周一至周五 9:00-12:00 14:00-17:00", "Monday to Friday 9:00-12:00 14:00-17:00"),
        ("周六至周日 休息", "Saturday to Sunday closed"),
    ]
    assert week_words(Week()) == []
    assert week_words(Week({1: ((540, 720),)}))[0] == ("周一 9:00-12:00", "Monday 9:00-12:00")
