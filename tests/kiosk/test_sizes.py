"""Millimetres on the glass: what a finger must hit and an old eye must read, on each panel, in each way to be seen."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import expect

from kiosk import calibrations
from kiosk.calibrations import CARD_MM
from kiosk.core import Core
from tests.kiosk.fake_gateway import FakeGateway
from tests.kiosk.glass import CUT, PANEL, PORTRAIT, PX_PER_MM, SMALL, SMALL_TARGETS, SMALL_TEXTS, address
from tests.kiosk.test_pages import Open, visit  # noqa: F401  (the fixture)

pytestmark = [
    pytest.mark.slow,
    # Playwright's own event loop is left to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: Every page that the frame itself brings, and the ones that begin another room's way.
PAGES = (
    "/",
    "/category/government?page=2",
    "/often",
    "/more",
    "/item/ZW-09",
    "/item/WY-02",
    "/certificates",
    "/certificates/kinship",
    "/calibrate",
    "/no/such/page",
)


@pytest.mark.parametrize(
    ("large", "lang", "paths"),
    [
        pytest.param(0, "", PAGES, id="zh", marks=pytest.mark.long),
        pytest.param(1, "en", PAGES, id="en-elders"),
        pytest.param(0, "en", PAGES, id="en", marks=pytest.mark.long),
        pytest.param(1, "", PAGES, id="zh-elders", marks=pytest.mark.long),
    ],
)
def test_targets_are_20_mm_and_texts_6_or_8_on_every_panel(
    visit: Open,  # noqa: F811
    large: int,
    lang: str,
    paths: tuple[str, ...],
) -> None:
    wrong = []
    for path in paths:
        page = visit(address(path, large=large, lang=lang))
        for size, px_per_mm in PX_PER_MM.items():
            page.set_viewport_size({"width": size[0], "height": size[1]})
            small = page.evaluate(SMALL_TARGETS, 20 * px_per_mm - 0.5)
            texts = page.evaluate(SMALL_TEXTS, (8 if large else 6) * px_per_mm - 0.1)
            cut = page.evaluate(CUT)
            wrong += [(path, size, what) for what in (small, texts, cut) if what]
    assert wrong == []


#: The least side of what a page is for, in px.
MAIN = (
    "(what) => Math.min(...[...document.querySelectorAll(what)].filter((one) => one.checkVisibility())"
    ".flatMap((one) => [one.getBoundingClientRect().width, one.getBoundingClientRect().height]))"
)


def test_what_a_page_is_for_is_24_mm(visit: Open) -> None:  # noqa: F811
    """A tile on the 10.1-inch panel has 20 mm: 31 of them have no more room there."""
    for path, what in (
        ("/", ".item"),
        ("/?large=1", ".group"),
        ("/item/ZW-01", "[data-take]"),
        ("/certificates", ".item"),
    ):
        page = visit(path)
        for size, px_per_mm in PX_PER_MM.items():
            page.set_viewport_size({"width": size[0], "height": size[1]})
            least_mm = 20 if (path, size) == ("/", PANEL) else 24
            assert page.evaluate(MAIN, what) >= least_mm * px_per_mm - 0.5, (path, size)


#: The upper edge of the highest thing that can be touched, as a part of the glass's height.
HIGHEST = """() => Math.min(...[...document.querySelectorAll('a:not(.skip), button, input')]
  .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().top)) / innerHeight"""


def test_in_low_position_nothing_to_be_touched_stands_in_the_upper_forty_per_cent(visit: Open) -> None:  # noqa: F811
    for path in (
        "/",
        "/?large=1",
        "/?lang=en",
        "/item/ZW-01",
        "/certificates?large=1",
        "/parking",
        "/parking?large=1",
        "/no/such/page",
    ):
        page = visit(address(path, low=1), PORTRAIT)
        assert page.evaluate(HIGHEST) >= 0.4, path
        assert page.evaluate(CUT) == [], path
        page.set_viewport_size({"width": SMALL[0], "height": SMALL[1]})
        assert page.evaluate(HIGHEST) < 0.1, "a lying panel is low enough as it is"


def test_a_screen_that_hangs_low_is_so_without_being_asked(visit: Open, core: Core) -> None:  # noqa: F811
    calibrations.save(core, "kiosk-3", "li", px_per_mm=4.03, place_zh="东门", place_en="East", low=True)
    page = visit("/item/ZW-01?screen=kiosk-3", PORTRAIT)
    assert page.evaluate(HIGHEST) >= 0.4
    page.get_by_role("link", name="标准位").click()
    page.wait_for_url("**low=0**")
    assert page.evaluate(HIGHEST) < 0.1
    page.get_by_role("link", name="返回").click()
    page.wait_for_url("**/?low=0**")
    assert page.locator("body").get_attribute("data-home") == "/?screen=kiosk-3", (
        "the next person finds it low again"
    )


@pytest.mark.parametrize(
    "px_per_mm",
    [2.71, pytest.param(5.58, marks=pytest.mark.long), 8.29],
    ids=["32-inch", "15.6-inch", "7-inch"],
)
def test_a_calibrated_screen_shows_its_own_millimetres(visit: Open, core: Core, px_per_mm: float) -> None:  # noqa: F811
    """Panels whose size alone tells nothing: a television, a notebook's panel, a small one on a wall."""
    calibrations.save(core, "kiosk-2", "li", px_per_mm=px_per_mm, place_zh="", place_en="", low=False)
    size = {2.71: (1920, 1080), 5.58: PORTRAIT, 8.29: (720, 1280)}[px_per_mm]
    for path, least_mm in (("/item/ZW-01", 6), ("/?large=1", 8)):
        page = visit(address(path, screen="kiosk-2"), size)
        assert page.evaluate(SMALL_TARGETS, 20 * px_per_mm - 0.5) == []
        assert page.evaluate(SMALL_TEXTS, least_mm * px_per_mm - 0.1) == []


def test_a_new_calibration_is_told_at_once(core: Core, client: FlaskClient) -> None:
    told = client.get("/screen/kiosk-1.css")
    assert ":root" not in told.text
    calibrations.save(core, "kiosk-1", "li", px_per_mm=4.25, place_zh="", place_en="", low=False)
    again = client.get("/screen/kiosk-1.css", headers={"If-None-Match": told.headers["ETag"]})
    assert again.status_code == 200
    assert again.text == ":root { --mm: 4.25px; }\n"
    assert again.headers["Cache-Control"] == "no-cache"
    same = client.get("/screen/kiosk-1.css", headers={"If-None-Match": again.headers["ETag"]})
    assert same.status_code == 304
    assert ":root" not in client.get("/screen/nobody.css").text


#: A long page in pages: what can be read without dragging.
READ = """() => { const main = document.querySelector('main');
  return [main.scrollTop, main.scrollHeight - main.clientHeight]; }"""


def test_a_long_page_is_turned_by_a_button_and_by_the_keyboard(visit: Open) -> None:  # noqa: F811
    page = visit("/item/ZW-09?large=1", SMALL)
    up, down = page.get_by_role("button", name="上一页"), page.get_by_role("button", name="下一页")
    assert up.is_disabled()
    for _ in range(20):
        if down.is_disabled():
            break
        down.click()
    at_px, end_px = page.evaluate(READ)
    assert at_px >= end_px - 1 > 0
    up.click()
    assert page.evaluate(READ)[0] < at_px
    page.locator("main").focus()
    page.keyboard.press("End")
    expect(down).to_be_disabled()
    assert visit("/item/ZW-09", PORTRAIT).get_by_role("button", name="下一页").is_hidden(), "it fits"


CORNER = """() => { const box = document.querySelector('.help').getBoundingClientRect();
  return [innerWidth - box.right, innerHeight - box.bottom].map(Math.round); }"""


def test_help_stands_in_the_same_corner_of_every_screen(visit: Open, gateway: FakeGateway) -> None:  # noqa: F811
    """Of all panels and ways to be seen: within a millimetre or two of the lower right corner."""
    asked: list[tuple[str, dict[str, object]]] = [
        ("/", {}),
        ("/", {"large": 1}),
        ("/item/ZW-01", {"large": 1, "lang": "en"}),
        ("/item/ZW-01", {"low": 1}),
        *(
            (path, {})
            for path in ("/certificates", "/find", "/progress", "/ask", "/parking", "/check-in", "/no/such")
        ),
    ]
    for path, ways in asked:
        page = visit(address(path, **ways))
        for size, px_per_mm in PX_PER_MM.items():
            page.set_viewport_size({"width": size[0], "height": size[1]})
            assert max(page.evaluate(CORNER)) <= 4 * px_per_mm, (path, ways, size)


# ---------------------------------------------------------------- calibrating, with a card


def code_for(core: Core, screen: str = "kiosk-1") -> str:
    return core.screen_codes.make(screen, "小李", core.now_ms())


def test_a_technician_measures_a_screen_in_a_minute(visit: Open, core: Core) -> None:  # noqa: F811
    page = visit("/", SMALL)
    for _ in range(5):
        page.locator("[data-hall]").click()
    page.wait_for_url("**/calibrate?screen=kiosk-1")
    assert page.locator("#code").is_visible()


def test_a_bar_as_long_as_the_card_is_the_screen_s_millimetre(client: FlaskClient, core: Core) -> None:
    code = code_for(core)
    asked = {"do": "save", "code": code, "px_per_mm": f"{450 / CARD_MM:.4f}", "place_zh": "东门", "low": "1"}
    assert client.post("/calibrate?screen=kiosk-1", data=asked).status_code == 303
    set_ = calibrations.of(core, "kiosk-1")
    assert set_ is not None
    assert (round(set_.px_per_mm, 2), set_.place_zh, set_.low, set_.set_by) == (5.26, "东门", True, "小李")
    noted = core.reader().execute("SELECT by_name, what, subject FROM staff_journal").fetchall()
    assert [tuple(one) for one in noted] == [("小李", "screen_set", "kiosk-1")]
    assert client.post("/calibrate?screen=kiosk-1", data=asked).status_code == 403, (
        "a code is for one calibration"
    )


@pytest.mark.parametrize("typed", ["", "0", "-4", "nan", "inf", "1e9", "400", "四", "4.03px", "4" * 400])
def test_a_bad_length_is_refused_and_nothing_typed_is_lost(
    client: FlaskClient, core: Core, typed: str
) -> None:
    code = code_for(core)
    asked = {"do": "save", "code": code, "px_per_mm": typed, "place_zh": "东门"}
    answer = client.post("/calibrate?screen=kiosk-1", data=asked)
    assert answer.status_code == 400
    assert "长度不对" in answer.text
    assert 'value="东门"' in answer.text
    assert calibrations.of(core, "kiosk-1") is None
    assert client.post("/calibrate?screen=kiosk-1", data=asked | {"px_per_mm": "4.03"}).status_code == 303


def test_without_the_code_nobody_measures(client: FlaskClient, core: Core) -> None:
    code = code_for(core)
    other = code_for(core, "kiosk-2")
    for wrong in ("", "abcdef", other if other != code else "x", "四四四四四四", "0" * 4000):
        answer = client.post("/calibrate?screen=kiosk-1", data={"do": "open", "code": wrong})
        assert answer.status_code == 403
    late = client.post("/calibrate?screen=kiosk-1", data={"do": "open", "code": code})
    assert late.status_code == 429, "after five wrong ones also the right one waits"
    assert int(late.headers["Retry-After"]) <= 60
    assert calibrations.every(core) == []


def test_a_code_is_good_for_a_quarter_of_an_hour(client: FlaskClient, core: Core) -> None:
    code = code_for(core)
    core.now_ms.forward(seconds=14 * 60)  # type: ignore[attr-defined]
    assert client.post("/calibrate?screen=kiosk-1", data={"do": "open", "code": code}).status_code == 200
    core.now_ms.forward(seconds=61)  # type: ignore[attr-defined]
    assert client.post("/calibrate?screen=kiosk-1", data={"do": "open", "code": code}).status_code == 403
