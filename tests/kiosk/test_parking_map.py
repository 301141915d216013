"""The map of the car park in a real browser, on residents' screens and on the console; a real gateway behind it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, Route, expect

from gateway.hall.parking_rows import BayPlan, Place
from gateway.hall.state import Bay, Zone
from kiosk.__main__ import close_door, open_door
from tests.kiosk.care_hall import CareHall, furnish
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, Ear, console_hall
from tests.kiosk.glass import CUT, PX_PER_MM, SMALL_TARGETS, SMALL_TEXTS, address, contrast
from tests.kiosk.parked_hall import car_park_rows, parked_hall

pytestmark = [
    pytest.mark.slow,
    # Playwright's own event loop is left to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SIZES = ((1080, 1920), (1024, 768), (1280, 800), (390, 844))


class Desk:
    """A hall behind its real door; ``order`` is what its gateway is told."""

    def __init__(self, hall: CareHall) -> None:
        self.hall = hall
        self._server = open_door(hall.core, port=0)
        threading.Thread(target=self._server.run, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.effective_port}"

    def order(self, name: str, **fields: Any) -> None:
        self.hall.core.link.order(name, by="t", **fields)

    def close(self) -> None:
        close_door(self.hall.core, self._server)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with parked_hall(tmp_path_factory.mktemp("mapped")) as hall:
        desk = Desk(hall)
        yield desk
        desk.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Fails for any script error and whatever the page's own policy forbids."""
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 1080, "height": 1920})
    page = context.new_page()
    page.on("pageerror", lambda wrong: faults.append(str(wrong)))
    page.on("console", lambda told: faults.append(told.text) if "Content Security" in told.text else None)
    yield page
    context.close()
    assert faults == []


def follow(page: Page, address: str) -> None:
    """Open a page and wait until its live line is answered: what happens from now on is told to it."""
    page.goto("about:blank")  # whose live line would be answered only now is gone
    with page.expect_response(lambda answer: answer.url.endswith("/live")):
        page.goto(address)


def bay(page: Page, bay_id: str) -> Any:
    return page.locator(f'[data-bay="{bay_id}"]')


# ---------------------------------------------------------------- residents


def test_a_building_is_touched_and_the_nearest_bay_is_named_and_framed(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.url}/parking")
    page.get_by_role("link", name="1栋").first.click()
    said = page.get_by_role("status").filter(has_text="最近")
    expect(said).to_contain_text("离1栋最近的空位")
    expect(said).to_contain_text("东区 E1 号")
    expect(said).to_contain_text("直线约 8 米")
    expect(page.locator(".here")).to_have_count(1)
    page.get_by_role("link", name="要无障碍车位").click()
    expect(page.get_by_role("status").filter(has_text="最近")).to_contain_text("E3")
    page.goto(f"{desk.url}/parking?to=b1&who=charging&lang=en")
    expect(page.get_by_role("status").filter(has_text="nearest")).to_contain_text("East, bay E8")


def test_the_map_follows_the_bays_and_never_leaves_somebody_with_a_bay_that_is_gone(
    page: Page, desk: Desk
) -> None:
    follow(page, f"{desk.url}/parking?to=b2")
    expect(page.locator(".near-bay")).to_contain_text("W8")
    desk.order("close_bay", bay_id="w8")
    expect(page.locator(".near-bay")).to_contain_text("W7")
    expect(bay(page, "w8")).to_have_class("bay closed")
    desk.order("close_bay", bay_id="w3")
    expect(bay(page, "w3").locator("use.sign")).to_have_attribute("href", "#p-closed")
    desk.order("open_bay", bay_id="w3")
    expect(bay(page, "w3")).to_have_class("bay unknown")
    expect(bay(page, "w3").locator("title")).to_have_text("W3 不清楚")
    desk.order("put_bay_plan", bay_id="w5", x_m=60, y_m=30)
    expect(bay(page, "w5")).to_have_attribute("transform", "translate(60.0 30.0)")
    desk.order("put_bay_plan", bay_id="w5", x_m=25, y_m=30)


#: Of each kind of bay and place: the colours of a sign and the ground it stands on, of an edge and what lies around it.
COLOURS = """() => {
  const style = (one, what) => getComputedStyle(one.querySelector(what)), found = {};
  for (const one of document.querySelectorAll('[data-plan] .bay')) {
    const box = style(one, 'rect');
    found[one.getAttribute('class')] = [
      [style(one, 'use.sign').color, box.fill], [box.stroke, 'rgb(243, 241, 236)']];
  }
  for (const one of document.querySelectorAll('[data-plan] .place'))
    found[one.getAttribute('class')] = [[style(one, '.letters').fill, style(one, 'rect').fill]];
  return found;
}"""
SIGNS = """() => [...document.querySelectorAll('[data-plan] .bay')].map(
  (one) => [one.classList[1], one.querySelector('use.sign').getAttribute('href')])"""


def test_every_state_has_its_sign_and_a_contrast_of_seven(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.url}/parking")
    found = {name: min(contrast(*two) for two in pairs) for name, pairs in page.evaluate(COLOURS).items()}
    assert {
        "bay free",
        "bay taken",
        "bay unknown",
        "bay closed",
        "bay free lane",
        "place building",
        "place gate",
    } <= set(found)
    assert {name: ratio for name, ratio in found.items() if ratio < 7} == {}
    signs = page.evaluate(SIGNS)
    assert {href for _, href in signs} == {"#p-free", "#p-taken", "#p-unknown", "#p-closed"}
    assert all(href == f"#p-{state}" for state, href in signs)


#: What lies outside the map's own frame, whether all of it is seen without scrolling, how wide the smallest bay is.
SEEN = """() => {
  const rect = (one) => one.getBoundingClientRect(), all = (what) => [...document.querySelectorAll(what)].map(rect);
  const map = rect(document.querySelector('svg[data-plan]')), main = rect(document.querySelector('main'));
  const out = (one) => one.left < map.left - 1 || one.right > map.right + 1 || one.top < map.top - 1
    || one.bottom > map.bottom + 1;
  return {
    outside: all('[data-plan] .bay, [data-plan] .place').filter(out).length,
    seen: map.bottom <= Math.min(main.bottom, innerHeight) + 1,
    across: document.documentElement.scrollWidth - innerWidth,
    bay: Math.min(...all('[data-plan] .bay rect').map((one) => one.width)),
  };
}"""


def test_the_whole_map_is_seen_on_every_screen_without_scrolling(page: Page, desk: Desk) -> None:
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for lang in ("zh", "en") if width == 1024 else ("en",):  # English is the longer one
            page.goto(f"{desk.url}/parking?lang={lang}")
            seen = page.evaluate(SEEN)
            assert seen["outside"] == 0, (width, lang)
            assert seen["across"] <= 0, (width, lang)
            assert seen["bay"] >= 10, (width, lang)
            if width > 700:
                assert seen["seen"], (width, lang)


#: Letters on the drawing and in its legend that are seen: those smaller than `least` mm, and those that lie one over
#: another or outside the picture.
LETTERS = """(least) => {
  const mm = parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--mm'));
  const seen = [...document.querySelectorAll('.touch .plan use.letters')]
    .filter((one) => getComputedStyle(one).visibility !== 'hidden');
  const text = (one) => document.getElementById(one.getAttribute('href').slice(1));
  const said = (one) => text(one).textContent;
  const high = (one) => parseFloat(text(one).getAttribute('font-size')) * one.getScreenCTM().a / mm;
  const map = document.querySelector('svg[data-plan]').getBoundingClientRect();
  const labels = seen.filter((one) => one.closest('[data-plan]') && !one.closest('.bay'))
    .map((one) => [said(one), one.getBoundingClientRect()]);
  const across = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1;
  const over = (a, b) => across(a, b) && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  return {
    small: seen.filter((one) => high(one) < least - .05).map((one) => `${said(one)} ${high(one).toFixed(1)}`),
    crowded: labels.filter(([, a], n) => labels.slice(n + 1).some(([, b]) => over(a, b))).map(([name]) => name),
    outside: labels.filter(([, box]) => box.left < map.left - 1 || box.right > map.right + 1).map(([name]) => name),
    there: labels.map(([name]) => name),
  };
}"""


@pytest.mark.parametrize("large", [0, 1], ids=["plain", "elders"])
def test_the_letters_on_the_map_are_6_or_8_mm_on_every_panel_or_left_out(
    page: Page, desk: Desk, large: int
) -> None:
    """However large the plan: the bay that was found and where somebody goes have a name on each."""
    sizes = list(PX_PER_MM)
    for path in ("/parking?step=map", "/parking?zone=east&lang=en", "/parking?to=b1", "/parking?to=b1&lang=en"):
        # Each path begins on another panel; on those that follow it is fitted anew, as it is when it is loaded there.
        sizes.append(sizes.pop(0))
        for nth, size in enumerate(sizes):
            resized(page, size)
            if nth == 0:
                page.goto(address(desk.url + path, large=large))
            told = page.evaluate(LETTERS, 8 if large else 6)
            assert (told["small"], told["crowded"], told["outside"]) == ([], [], []), (size, path)
            if "to=" in path:
                assert {"E1", "Block 1" if "lang" in path else "1栋"} <= set(told["there"]), (size, path)
    resized(page, (390, 844))
    assert page.evaluate(LETTERS, 8 if large else 6)["small"] == [], "another size, another fit"


def resized(page: Page, size: tuple[int, int]) -> None:
    """Until the map has been fitted to the new size."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.evaluate("new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))")


def test_the_elders_pages_are_large_enough_on_every_panel(page: Page, desk: Desk) -> None:
    wrong = []
    for path in ("", "&step=to", "&step=who", "&step=map", "&to=b1", "&to=b1&who=disabled&lang=en"):
        page.goto(f"{desk.url}/parking?large=1{path}")
        for size, px_per_mm in PX_PER_MM.items():
            page.set_viewport_size({"width": size[0], "height": size[1]})
            small = page.evaluate(SMALL_TARGETS, 20 * px_per_mm - 0.5)
            texts = page.evaluate(SMALL_TEXTS, 8 * px_per_mm - 0.1)
            wrong += [(path, size, what) for what in (small, texts, page.evaluate(CUT)) if what]
    assert wrong == []


def test_elders_have_one_question_a_page_and_six_choices_at_most(tmp_path: Path, client: FlaskClient) -> None:
    """However many buildings and zones: each is reached by touches alone, as is all that the page for everybody has."""
    rows: list[Any] = [
        Place(f"x{n}", "building", f"{n}栋", f"Block {n}", 2.0 * n, 50.0) for n in range(3, 17)
    ]
    rows += [Zone(f"z{n}", f"{n}区", f"Zone {n}", free=1, since_ms=1) for n in range(8)]
    for n in range(8):
        rows += [Bay(f"z{n}b", f"z{n}", "free", "", 1, 1), BayPlan(f"z{n}b", f"z{n}", x_m=5.0 * n, y_m=70)]
    furnish(tmp_path, car_park_rows(*rows))
    ways, seen, reached = ["/parking?large=1"], set(), set()
    while ways:
        way = ways.pop()
        shown = client.get(way).text
        main = shown.split("<main")[1].split("</main>")[0]
        assert len(re.findall(r"<(?:a|button)\b", main)) <= 6, way
        assert not re.search(r"<svg class=\"plan\".*<a\b", main.partition("figcaption")[0], re.DOTALL), (
            "an inert map"
        )
        for found in re.findall(r'href="(/parking[^"]*)"', main + shown.split("<footer")[1]):
            address = found.replace("&amp;", "&")
            assert "large=1" in address
            reached |= set(re.findall(r"(?:to|zone|who|step)=(\w+)", address))
            if address not in seen:
                seen.add(address)
                ways.append(address)
    assert {f"x{n}" for n in range(3, 17)} | {"b1", "b2"} <= reached
    assert {f"z{n}" for n in range(8)} | {"east", "west"} <= reached
    assert {"resident", "disabled", "charging", "to", "who", "map"} <= reached
    first = client.get("/parking?large=1&step=to").text
    assert re.findall(r">(\d+)栋</a>", first) == ["1", "2", "3", "4", "5", "6"], "as people count"


def test_a_screen_reader_hears_the_map_and_each_bay(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.url}/parking?lang=en")
    expect(page.get_by_role("group", name="Map of the bays:")).to_be_visible()
    assert bay(page, "e3").locator("title").text_content() == "E3 Free Disabled"


# ---------------------------------------------------------------- the console


def test_the_console_shows_the_same_map_live_and_a_bay_leads_to_its_form(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.url}/console/sign-in")
    page.fill("[name=name]", ADMIN)
    page.fill("[name=password]", ADMIN_PASSWORD)
    page.locator("main button").click()
    expect(page.locator("#bays")).to_be_visible()
    _the_first_picture_is_newer_than_the_page(page, desk)
    follow(page, f"{desk.url}/console/parking")
    desk.order("close_bay", bay_id="w6")
    expect(bay(page, "w6")).to_have_class("bay closed")
    zones = desk.hall.core.link.snapshot()["zones"]
    free = next(one["free"] for one in zones if one["zone_id"] == "west")
    expect(page.locator('[data-zone="west"] [data-free]')).to_have_text(str(free))
    desk.order("put_bay_plan", bay_id="w6", x_m=28, y_m=31)
    expect(bay(page, "w6")).to_have_attribute("transform", "translate(28.0 31.0)")
    bay(page, "w6").click()
    expect(page.locator("[name=y_m]")).to_have_value("31")


def _the_first_picture_is_newer_than_the_page(page: Page, desk: Desk) -> None:
    """Sums and bays that moved after the page was drawn and before its line was open: no event will tell of them."""

    def drawn_before(route: Route) -> None:
        answer = route.fetch()
        old = re.sub(r"<td data-(free|reserved)>[^<]+<", r"<td data-\1>77<", answer.text())
        old = re.sub(r"(<td data-panel[^>]*>).*?</td>", r"\g<1>77</td>", old)
        old = old.replace('class="bay free" data-bay="w5"', 'class="bay taken" data-bay="w5"')
        route.fulfill(response=answer, body=old)

    page.route("**/console/parking", drawn_before)
    follow(page, f"{desk.url}/console/parking")
    west = next(one for one in desk.hall.core.link.snapshot()["zones"] if one["zone_id"] == "west")
    row = page.locator('[data-zone="west"]')
    expect(row.locator("[data-free]")).to_have_text(str(west["free"]))
    expect(row.locator("[data-reserved]")).to_have_text("—")
    expect(row.locator("[data-panel]")).to_have_text(str(west["number"]))
    expect(bay(page, "w5")).to_have_class("bay free")
    page.unroute("**/console/parking")


# ---------------------------------------------------------------- when there is nothing, or nobody


def test_without_a_plan_the_zones_are_listed_as_before(tmp_path: Path) -> None:
    with console_hall(tmp_path) as hall:
        furnish(
            tmp_path, [Zone("east", "东区", "East", free=1, since_ms=1), Bay("e1", "east", "free", "", 1, 1)]
        )
        heard = Ear(hall.hub.stream("staff"))
        hall.gateway.zone("east", free=1, total=1)
        heard.wait("zone")
        asked = hall.client(ADMIN, ADMIN_PASSWORD).get("/console/parking")
        assert "还没有平面图" in asked.text and "data-plan" not in asked.text
        shown = hall.app.test_client().get("/parking").text
        assert 'data-zone="east"' in shown and "data-plan" not in shown


def test_two_thousand_bays_are_drawn_on_one_page(tmp_path: Path, client: FlaskClient) -> None:
    rows: list[Any] = [Zone("big", "大区", "Big", free=2000, since_ms=1)]
    for number in range(2000):
        bay_id, x_m, y_m = f"b{number}", 5 + 3.0 * (number % 60), 5 + 7.0 * (number // 60)
        rows += [Bay(bay_id, "big", "free", "", 1, 1), BayPlan(bay_id, "big", x_m=x_m, y_m=y_m)]
    furnish(tmp_path, rows)
    answer = client.get("/parking")
    assert answer.text.count("data-bay=") == 2000
    assert len(answer.data) < 1_500_000, "a kiosk reads it in a moment"


def test_while_the_gateway_is_away_the_map_says_how_old_it_is_and_sends_nobody(
    page: Page, desk: Desk
) -> None:
    """The last of this file's: its gateway does not come back."""
    follow(page, f"{desk.url}/parking?to=b1")
    desk.hall.gateway.process.kill()
    expect(page.locator("[data-old]")).to_be_visible()
    expect(page.locator("[data-old]")).to_contain_text("的情况，仅供参考")
    expect(page.locator(".near-title")).to_have_text("现在不知道哪里有空位")
    expect(page.locator(".here")).to_have_count(0)
    expect(bay(page, "e1")).to_be_visible()
    asked = desk.hall.client()
    assert "网关不在" in asked.get("/console/parking").text
