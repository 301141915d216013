"""Every page of the console before axe-core: both languages, signed in, with an open call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from kiosk.console.menu import GROUPS
from tests.axe import judge
from tests.kiosk.glass import contrast
from tests.whole_hall import PASSWORD, WholeHall, sign_in, whole_hall

LIVE = ("/console/desk/", "/console/devices", "/console/running", "/console/call/")
#: Pages that no menu names: forms, one of a list, searches.
BESIDES = (
    "/console/people/new",
    "/console/helpers/new",
    "/console/windows/new",
    "/console/windows/W1",
    "/console/kinds/new",
    "/console/kinds/emergency",
    "/console/lists/helpers",
    "/console/devices/fleet?show=all",
    "/console/devices/set-up/btn-0302",
    "/console/devices/label/btn-0302",
    "/console/visits/coverage",
    "/console/call/999999",
    "/console/of-yesterday",
)


#: axe-core cannot tell what lies behind a text of a drawing, so these are measured here and hidden from it: each
#: text's words, its colour, and the colour of the sheet around the drawing.
_SVG_TEXTS = """() => [...document.querySelectorAll('svg text')].map((text) => {
  const seen = [text.textContent.trim(), getComputedStyle(text).fill];
  let sheet = text.ownerSVGElement;
  while (sheet && /, 0\\)$|transparent/.test(getComputedStyle(sheet).backgroundColor)) sheet = sheet.parentElement;
  text.style.visibility = 'hidden';
  if (text.closest('.plan')) return null;  // on a bay's own colour
  return [...seen, sheet ? getComputedStyle(sheet).backgroundColor : 'rgb(255, 255, 255)'];
}).filter(Boolean)"""


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeHall]:
    with whole_hall(tmp_path_factory.mktemp("axe")) as one:
        yield one


def addresses(page: Page, base: str) -> list[str]:
    """Every page of the menu, as the menu itself links them, and what else there is."""
    page.goto(base + "/console/staff")
    person = (
        page.request.get(base + "/console/people").text().partition("/console/people/p")[2].partition('"')[0]
    )
    linked = page.eval_on_selector_all(".all-pages a", "all => all.map(one => one.getAttribute('href'))")
    named = sum(len(group.pages) for group in GROUPS)
    assert named * 0.7 < len(linked) <= named
    whole = [
        *linked,
        f"/console/people/p{person}",
        f"/console/visits/person/p{person}",
        "/console/call/1",
        *BESIDES,
    ]
    # The live pages first: a line that was left is noticed at its next heartbeat, and there are only so many.
    return sorted(whole, key=lambda one: not (one == "/console" or one.startswith(LIVE)))


def examine(hall: WholeHall, page: Page, address: str, lang: str) -> list[str]:
    """What is wrong with a page once it is drawn."""
    page.goto(f"{hall.url}{address}{'&' if '?' in address else '?'}lang={lang}")
    page.wait_for_selector("#main[aria-busy=true], .is-counting", state="detached")
    pale = [one for one in page.evaluate(_SVG_TEXTS) if contrast(one[1], one[2]) < 7]
    return [*judge(page), *(f"pale in a drawing: {one}" for one in pale)]


def test_some_pages_of_the_console(hall: WholeHall, browser: Browser) -> None:
    """Every ninth, in one of its languages; all pages in both are judged by the campaign (`ARGS=stories`)."""
    page = open_console(hall, browser)
    some = ("/console/desk/duty", "/console/desk/window")
    menu = [one for one in addresses(page, hall.url) if "/desk/" not in one or one in some]
    menu = [*(one for one in menu if one not in BESIDES), "/console/search?q=001"]
    found = {one: examine(hall, page, one, "zh" if n % 2 else "en") for n, one in enumerate(menu[::9])}
    page.set_viewport_size({"width": 390, "height": 844})
    found["on a telephone"] = examine(hall, page, "/console/desk/window", "en")
    assert {one: wrong for one, wrong in found.items() if wrong} == {}


@pytest.mark.long
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_and_form_of_the_console(hall: WholeHall, browser: Browser, lang: str) -> None:
    page = open_console(hall, browser)
    found = {one: examine(hall, page, one, lang) for one in addresses(page, hall.url)}
    assert {one: wrong for one, wrong in found.items() if wrong} == {}


def open_console(hall: WholeHall, browser: Browser) -> Page:
    """Signed in, with a number that waits and a call that rings."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    enter(hall, page)
    hall.post("/api/tickets", {"service": "ZW-01", "key": "axe-ticket", "lang": "zh"})
    hall.post("/api/help", {"screen": "kiosk-1", "key": "axe-help-call"})
    return page


def enter(hall: WholeHall, page: Page) -> None:
    """The first administrator is made once; whoever comes later signs in."""
    if (hall.home / "first-admin-token").exists():
        sign_in(hall, page)
        return
    page.goto(hall.url + "/console/sign-in")
    page.fill("input[name=name]", "小李")
    page.fill("input[name=password]", PASSWORD)
    page.click("form button.main")
    page.wait_for_selector("#calls")
