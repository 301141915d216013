"""The residents' faces in a real browser (Debian's Chromium, headless), over the real door and a fake gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk import line
from kiosk.core import Core
from kiosk.windows import open_window, save_window
from tests.kiosk.conftest import HeldClock, RestartingKiosk
from tests.kiosk.fake_gateway import FakeGateway
from tests.kiosk.test_alarm import call as alarming

pytestmark = [
    pytest.mark.slow,
    # Playwright's own event loop is left to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PORTRAIT, LANDSCAPE, DISPLAY = (1080, 1920), (1024, 768), (1920, 1080)
Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    """Open a page; the test fails for any script error and any request that leaves this kiosk."""
    faults: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    page.on("pageerror", lambda wrong: faults.append(str(wrong)))
    page.on(
        "console", lambda told: faults.append(told.text) if "Content Security Policy" in told.text else None
    )
    page.on("request", lambda asked: None if asked.url.startswith(address) else faults.append(asked.url))

    def visit(path: str, size: tuple[int, int] = PORTRAIT, *, clock: bool = False) -> Page:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        if clock:
            page.clock.install()
        page.goto(address + path)
        return page

    yield visit
    context.close()
    assert faults == []


#: What a resident sees of the 31 items: how many, the lowest edge of them, the upper edge of the footer.
ITEMS_SEEN = """() => {
  const items = [...document.querySelectorAll('section:not(.often) .item')].map((one) => one.getBoundingClientRect());
  const main = document.querySelector('main'), footer = document.querySelector('footer').getBoundingClientRect();
  return {
    count: items.length,
    top: Math.min(...items.map((one) => one.top)),
    low: Math.max(...items.map((one) => one.bottom)),
    footer: footer.top,
    end: footer.bottom,
    more: main.scrollHeight - main.clientHeight,
  };
}"""


def test_all_31_items_are_seen_without_scrolling(visit: Open) -> None:
    for size in (PORTRAIT, LANDSCAPE, (1280, 800), DISPLAY):
        for lang in ("zh", "en"):
            seen = visit(f"/?lang={lang}", size).evaluate(ITEMS_SEEN)
            assert seen["count"] == 31
            assert seen["top"] >= 0
            assert seen["low"] <= seen["footer"] + 1, (size, lang)
            assert seen["end"] <= size[1] + 1, (size, lang)
            assert seen["more"] == 0, (size, lang)


SMALL_TARGETS = """(least) => [...document.querySelectorAll('a:not(.skip), button')].filter((one) => one.offsetParent)
  .filter((one) => Math.min(one.getBoundingClientRect().width, one.getBoundingClientRect().height) < least)
  .map((one) => one.textContent.trim())"""
SMALLEST_TEXT = """() => Math.min(...[...document.querySelectorAll('body *')].filter((one) => one.offsetParent &&
  !one.matches('.skip') && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .map((one) => parseFloat(getComputedStyle(one).fontSize)))"""


def test_every_target_is_20_mm_and_every_text_6_mm(visit: Open, gateway: FakeGateway) -> None:
    for size, px_per_mm in ((PORTRAIT, 4.03), (LANDSCAPE, 3.36)):
        for path in ("/", "/?large=1&lang=en", "/item/ZW-09", "/item/WY-02?lang=en&large=1", "/parking"):
            page = visit(path, size)
            assert page.evaluate(SMALL_TARGETS, 20 * px_per_mm - 1) == [], (path, size)
            assert page.evaluate(SMALLEST_TEXT) >= 6 * px_per_mm - 0.1, (path, size)


def test_a_touch_becomes_a_number(visit: Open, core: Core) -> None:
    page = visit("/")
    page.get_by_role("link", name="最低生活保障申请").click()
    expect(page.locator("h1.title")).to_contain_text("最低生活保障申请")
    for heading in ("谁可以办", "要带什么", "怎么办", "多久办好", "费用", "在哪里办"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    page.get_by_role("button", name="取号").click()
    expect(page.locator("[data-number]")).to_have_text("B001")
    expect(page.locator("[data-ahead]")).to_have_text("0 人")
    expect(page.locator("[data-paper]")).to_have_text("打印机没有响应：请拍下这个号码，或告诉工作人员")
    assert [one["number"] for one in line.waiting(core)] == ["B001"]


def test_a_double_tap_is_one_ticket(visit: Open, core: Core) -> None:
    page = visit("/item/ZW-01")
    page.evaluate("for (let tap = 0; tap < 5; tap += 1) document.querySelector('[data-take]').click()")
    expect(page.locator("[data-number]")).to_have_text("B001")
    assert len(line.waiting(core)) == 1


def test_after_twelve_seconds_the_screen_is_home_again_and_remembers_nothing(visit: Open) -> None:
    page = visit("/item/ZW-01?lang=en", clock=True)
    page.get_by_role("button", name="Take a number").click()
    expect(page.locator("[data-number]")).to_have_text("B001")
    for _ in range(13):
        page.clock.run_for(1000)
        page.wait_for_function("() => true")
    page.wait_for_url("**/")
    expect(page.get_by_role("heading", name="请点要办的事")).to_be_attached()
    assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0


def test_nobody_there_is_asked_once_and_then_it_goes_home(visit: Open) -> None:
    page = visit("/item/ZW-01", clock=True)
    page.clock.run_for(44_000)
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.clock.run_for(2_000)
    expect(page.get_by_role("dialog")).to_contain_text("您还在办吗？")
    page.get_by_role("button", name="我还在办").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.clock.run_for(46_000)
    expect(page.get_by_role("dialog")).to_be_visible()
    page.clock.run_for(21_000)
    page.wait_for_url("**/")


def test_language_and_size_are_one_tap_on_every_screen(visit: Open) -> None:
    for path in ("/", "/item/ZW-01", "/category/party?large=1", "/parking"):
        page = visit(path)
        page.get_by_role("link", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        switch = page.get_by_role("link", name="Large text").or_(page.get_by_role("link", name="Normal text"))
        other = "Normal text" if switch.inner_text() == "Large text" else "Large text"
        switch.click()
        expect(page.get_by_role("link", name=other)).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "en")


def test_elders_reach_a_number_in_four_touches_with_six_choices_at_most(visit: Open) -> None:
    page = visit("/?large=1")
    page.get_by_role("link", name="政务").click()
    expect(page.locator(".choices .item")).to_have_count(6)
    page.get_by_role("link", name="第 3 页").click()
    expect(page.locator(".choices .item")).to_have_count(4)
    page.get_by_role("link", name="人民调解与法律咨询").click()
    page.get_by_role("button", name="取号").click()
    expect(page.locator("[data-number]")).to_have_text("B001")


def test_an_item_without_a_number_says_so_and_shows_the_emergency_first(
    visit: Open, gateway: FakeGateway
) -> None:
    page = visit("/item/WY-02")
    assert page.locator("[data-take]").count() == 0
    urgent = page.locator(".urgent")
    expect(urgent).to_contain_text("96333")
    first_fact = page.locator(".facts").bounding_box()
    warning = urgent.bounding_box()
    assert warning is not None
    assert first_fact is not None
    assert warning["y"] < first_fact["y"]
    expect(page.get_by_role("link", name="在这里报")).to_be_visible()
    page.get_by_role("button", name="叫人帮忙").click()
    expect(page.get_by_role("dialog")).to_contain_text("已经叫了工作人员")
    assert gateway.wait_order("raise_call")["device_id"] == "screen:kiosk-1"


def test_help_stands_in_the_same_corner_of_every_screen(visit: Open) -> None:
    corners = set()
    for path in ("/", "/item/ZW-01", "/item/WY-02", "/category/party?large=0", "/parking", "/no/such/page"):
        box = visit(path).locator("footer .help").bounding_box()
        assert box is not None
        corners.add((round(box["x"] + box["width"]), round(box["y"] + box["height"])))
    assert len(corners) == 1


def test_help_that_is_called_again_rings_again(visit: Open, gateway: FakeGateway) -> None:
    """Staff came and closed the call; the same person, on the same page, needs them once more."""
    page, keys = visit("/item/ZW-01"), []
    for _ in range(2):
        page.get_by_role("button", name="叫人帮忙").click()
        page.get_by_role("button", name="知道了").click()
        keys.append(gateway.wait_order("raise_call")["key"])
    assert keys[0] != keys[1], "the gateway takes the same key for the same press"


def test_help_without_a_gateway_tells_what_to_do(visit: Open) -> None:
    page = visit("/")
    page.get_by_role("button", name="叫人帮忙").click()
    expect(page.get_by_role("dialog")).to_contain_text("没有呼叫成功，请招手或直接到服务台")
    page.get_by_role("button", name="知道了").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_keyboard_alone_takes_a_number(visit: Open) -> None:
    page = visit("/item/ZW-05")
    page.locator("[data-take]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-number]")).to_have_text("B001")


def test_a_restart_in_the_middle_is_waited_for(visit: Open) -> None:
    """The kiosk's process goes away under the finger; the page stays, says so, and goes on by itself."""
    page = visit("/")
    page.route("**/livez", lambda route: route.abort())
    page.get_by_role("link", name="党费收缴").click()
    expect(page.get_by_role("dialog")).to_contain_text("正在重新连接")
    page.unroute("**/livez")
    page.wait_for_url("**/item/DW-04")


def test_a_ticket_asked_for_in_a_restart_is_given_once(visit: Open, core: Core) -> None:
    page = visit("/item/ZW-01")
    asked = []

    def lost(route: Any) -> None:
        """The first answer is lost on its way: the ticket is written, the page does not know."""
        asked.append(route.request.post_data)
        if len(asked) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/api/tickets", lost)
    page.get_by_role("button", name="取号").click()
    expect(page.locator("[data-number]")).to_have_text("B001")
    assert asked[0] == asked[1]
    assert len(line.waiting(core)) == 1


def test_the_parking_page_follows_the_sensors(visit: Open, gateway: FakeGateway) -> None:
    page = visit("/parking")
    east = page.locator('[data-zone="east"]')
    expect(east.locator("[data-number]")).to_have_text("3")
    expect(east.locator("[data-unknown]")).to_have_text("1")
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some((one) => one.name.includes('/live.js'))"
    )
    gateway.tell("ZoneChanged", zone={**gateway.zones[0], "free": 2, "taken": 5})
    expect(east.locator("[data-number]")).to_have_text("2")
    expect(east.locator('[data-when="almost"]')).to_be_visible()
    gateway.tell("ZoneChanged", zone={**gateway.zones[0], "free": 2, "unknown": 2})
    expect(east.locator("[data-number]")).to_have_text("--")
    expect(east.locator('[data-when="unknown"]')).to_have_text("不清楚")
    gateway.tell("ZoneChanged", zone={**gateway.zones[0], "free": 3})
    expect(east.locator('[data-when="almost"]')).to_be_hidden()
    gateway.stop()
    expect(page.locator("[data-old]")).to_be_visible()


def test_a_hostile_name_is_only_text(visit: Open, gateway: FakeGateway) -> None:
    page = visit("/parking")
    gateway.tell(
        "ZoneChanged",
        zone={**gateway.zones[0], "zone_id": 'x"]<b', "name_zh": "<img src=x onerror=alert(1)>"},
    )
    expect(page.get_by_role("heading", name="<img src=x onerror=alert(1)>")).to_be_visible()


def test_the_hall_speaks_while_nobody_has_taken_a_call_and_is_quiet_after(
    visit: Open, gateway: FakeGateway
) -> None:
    page = visit("/display", DISPLAY)
    page.evaluate(
        """() => { window.spoken = 0; const voice = document.querySelector('[data-voice]');
        voice.play = () => { window.spoken += 1; return Promise.resolve(); };
        voice.pause = () => { window.hushed = true; }; }"""
    )
    assert page.evaluate("document.querySelector('[data-voice]').readyState") >= 1, "the clip is there, offline"
    gateway.tell("CallChanged", call=alarming(7))
    expect(page.locator("[data-alarm]")).to_be_visible()
    assert page.evaluate("window.spoken") == 1
    gateway.tell("CallChanged", call=alarming(8))
    gateway.tell("CallChanged", call=alarming(7, state="COMING"))
    gateway.tell("CallChanged", call=alarming(8, state="COMING"))
    expect(page.locator("[data-alarm]")).to_be_hidden()
    assert page.evaluate("[window.spoken, window.hushed]") == [1, True], "one voice for all calls"


def test_the_display_draws_each_of_eight_calls_in_its_order(
    visit: Open, core: Core, gateway: FakeGateway
) -> None:
    """How soon is measured: `make bench ARGS=called`."""
    page = visit("/display", DISPLAY)
    expect(page.locator("[data-nobody]")).to_be_visible()
    expect(page.locator("footer li").first).to_contain_text("党员组织关系接转")
    page.evaluate(
        """() => { window.seen = {}; const number = document.querySelector('[data-number]');
        new MutationObserver(() => { window.seen[number.textContent] = true; })
          .observe(number, {childList: true}); }"""
    )
    for nth in range(8):
        line.take_ticket(core, "ZW-01", f"number-{nth}", "zh", "kiosk-1")
    expect(page.locator('[data-category="government"]')).to_have_text("8")
    calls = [f"B{number:03d}" for number in range(1, 9)]
    for number in calls:
        line.call_next(core, "W2", "li")
        page.wait_for_function("(number) => window.seen[number]", arg=number)
    assert [number for number in page.evaluate("Object.keys(window.seen)") if number] == calls
    expect(page.locator("[data-before] li")).to_have_count(5)
    expect(page.locator('[data-category="government"]')).to_have_text("0")
    expect(page.locator('[data-zone="east"]')).to_contain_text("不清楚 1")


#: What stands outside the screen, is cut by its own box or has wrapped, of all that the hall must see.
DISPLAY_CUT = """() => {
  const must = ['[data-clock]', '.hall', '[data-latest]', '[data-latest] [data-number]', '[data-zh]', '[data-en]',
    '[data-before] li', '[data-line]:not([hidden])', '[data-zone]:not([hidden])', '.belt'], cut = [];
  const within = (one, box) => one.top >= box.top - 1 && one.left >= box.left - 1 && one.bottom <= box.bottom + 1
    && one.right <= box.right + 1;
  const screen = {top: 0, left: 0, right: innerWidth, bottom: innerHeight};
  for (const what of must) {
    const found = [...document.querySelectorAll(what)];
    if (!found.length) cut.push(what + ' is not there');
    for (const one of found) {
      const box = one.getBoundingClientRect();
      const room = one.closest('header, .calls, aside, footer').getBoundingClientRect();
      const sides = what === '.belt' ? {...box.toJSON(), left: 0, right: 0} : box; // it scrolls sideways by itself
      if (!box.width || !within(sides, screen) || !within(sides, room)) cut.push(what);
    }
  }
  const rows = document.querySelector('[data-clock]');
  if (rows.offsetHeight > 1.6 * parseFloat(getComputedStyle(rows).fontSize)) cut.push('the clock has wrapped');
  for (const one of document.querySelectorAll('[data-before] li')) {
    if (one.scrollWidth > one.clientWidth) cut.push('before: ' + one.textContent);
  }
  const page = document.scrollingElement, main = document.querySelector('main');
  if (page.scrollWidth > innerWidth || page.scrollHeight > innerHeight) cut.push('the page scrolls');
  if (main.scrollWidth > main.clientWidth || main.scrollHeight > main.clientHeight) cut.push('main scrolls');
  return cut;
}"""


@pytest.mark.long
def test_the_display_is_whole_on_every_screen(visit: Open, core: Core, gateway: FakeGateway) -> None:
    """A hall hangs up what it has: an old television, a monitor, a panel that stands upright."""
    for number, service in enumerate(("DW-01", "ZW-01", "ZW-02", "ZW-01", "ZW-05", "ZW-05")):
        line.take_ticket(core, service, f"number-{number}", "zh", "kiosk-1")
    for window in ("W1", "W2", "W2", "W2", "W3", "W3"):
        line.call_next(core, window, "li")
    for size in ((1366, 768), (1024, 768), (1280, 1024), PORTRAIT, DISPLAY, (3840, 2160)):
        page = visit("/display", size)
        expect(page.locator("[data-before] li")).to_have_count(5)
        assert page.evaluate(DISPLAY_CUT) == [], size


def test_the_virtual_hall_speaks_the_readers_language(visit: Open) -> None:
    """Against what the virtual devices really say of themselves, no English is left in the Chinese page."""
    told = {
        "running": True,
        "devices": {
            "button:btn-1": {
                "light": "off", "silent": False, "battery_pct": 93, "unwritten": 0, "written_after_ms": None,
            },
            "bay:bay-1": {"occupied": True, "silent": False},
            "panel:gate-count": {"port": "/x", "silent": False, "shown": "5 green", "told": 3, "rubbish": 0},
        },
        "paper": {"hall": []}, "panels": {"gate-count": "5 green", "gate": "--"}, "calls": [],
    }  # fmt: skip
    page = visit("/demo")
    page.route("**/demo/state", lambda route: route.fulfill(json=told))
    button = page.locator(".device").first
    expect(button).to_contain_text("按钮 btn-1")
    expect(button.locator("dl div")).to_have_text(["灯灭", "不出声否", "电量 %93", "还没记下的按动0"])
    expect(button.get_by_role("button")).to_have_text(["按下", "抖动连按", "不出声", "恢复", "电量低"])
    expect(page.locator("[data-panels] b")).to_have_text(["5 绿", "不确定"])
    left = page.evaluate("document.querySelector('main').innerText.match(/[a-z_]{3,}(?:-[0-9a-z]+)?/g) ?? []")
    assert set(left) <= {"btn-1", "bay-1", "gate-count", "gate"}
    page.get_by_role("link", name="English").click()
    expect(button.locator("dl div")).to_have_text(
        ["Lampoff", "Silentno", "Battery %93", "Presses not yet written0"]
    )
    expect(page.locator("[data-panels] b")).to_have_text(["5 green", "not certain"])


def test_the_display_survives_a_503_and_a_restart(browser: Browser, kiosk: RestartingKiosk) -> None:
    """One 503 closes a plain EventSource for ever. Polling is cut off here, so only a rebuilt stream can tell."""

    def call(core: Core, key: str) -> None:
        line.take_ticket(core, "ZW-01", key, "zh", "kiosk-1")
        line.call_next(core, "W2", "li")

    core = kiosk.begin()
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.route("**/api/state", lambda route: route.abort())
    page.route(
        "**/live",
        lambda route: route.fulfill(status=503, body="{}", content_type="application/json"),
        times=1,
    )
    page.goto(f"{kiosk.address}/display")
    expect(page.locator("[data-nobody]")).to_be_visible()
    call(core, "first-call")
    expect(page.locator("[data-number]")).to_have_text("B001")
    kiosk.end()
    call(kiosk.begin(), "second-call")
    expect(page.locator("[data-number]")).to_have_text("B002")
    page.close()


@pytest.mark.parametrize(("lang", "word"), [("zh", "70岁以上"), ("en", "Aged 70+")])
def test_who_goes_first_takes_a_number_by_one_touch_too(visit: Open, core: Core, lang: str, word: str) -> None:
    page = visit(f"/item/ZW-01?lang={lang}")
    page.get_by_role("button", name=word).click()
    expect(page.locator("[data-number]")).to_have_text("B001")
    expect(page.locator("[data-first]")).to_have_count(0)
    taken = line.waiting(core)
    assert [(one["number"], one["lane"], one["lane_why"]) for one in taken] == [("B001", "priority", "elder")]
    slip = core.reader().execute("SELECT body FROM slips").fetchone()[0]
    assert ("老年优先" if lang == "zh" else "Priority: elder") in slip


def test_an_item_that_no_open_window_serves_says_so(visit: Open, core: Core, clock: HeldClock) -> None:
    page = visit("/item/ZW-01")
    page.locator("[data-take]").click()
    expect(page.locator("[data-told]")).to_have_text("办这件事的窗口现在没开，开了就叫号")
    open_window(core, "W2", "li")
    clock.forward(seconds=3)
    page = visit("/item/ZW-01")
    page.locator("[data-take]").click()
    expect(page.locator("[data-number]")).to_have_text("B002")
    expect(page.locator("[data-told]")).to_be_hidden()
    expect(page.locator("[data-go-to]")).to_have_text("2号 民生保障窗口")
    expect(page.locator("[data-wait]")).to_contain_text("分钟")


def test_a_hall_s_own_window_stands_on_the_guide(visit: Open, core: Core) -> None:
    """The number that the voice says, and the name that the hall has given; not the catalogue's."""
    where = ".facts .strong"
    expect(visit("/item/ZW-01").locator(where)).to_have_text("民生保障窗口")
    save_window(core, "W2", "li", zh="低保救助台", en="Welfare desk", number=12, skills=["ZW-01"])
    expect(visit("/item/ZW-01").locator(where)).to_have_text("12号 低保救助台")
    expect(visit("/item/ZW-01?lang=en").locator(where)).to_have_text("12: Welfare desk")


def test_the_display_names_the_window_by_the_number_that_the_voice_says(visit: Open, core: Core) -> None:
    for number in range(2):
        line.take_ticket(core, "ZW-01", f"number-{number}", "zh", "kiosk-1")
        line.call_next(core, "W2", "li")
    page = visit("/display", DISPLAY)
    expect(page.locator("[data-window]")).to_have_text("2号")
    expect(page.locator("[data-zh]")).to_have_text("民生保障窗口")
    expect(page.locator("[data-before] li").first).to_contain_text("2号 民生保障窗口")


def test_the_display_s_button_for_the_voice_can_be_read(visit: Open) -> None:
    """It stood there white on white."""
    page = visit("/display", DISPLAY)
    colours = page.evaluate("""() => {
      const one = document.querySelector('[data-touch]'); one.hidden = false;
      const light = (css) => css.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255)
        .map((part) => part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
        .reduce((sum, part, at) => sum + part * [.2126, .7152, .0722][at], 0);
      const ground = light(getComputedStyle(one).backgroundColor);
      return [one, one.querySelector('small')].map((part) => {
        const ink = light(getComputedStyle(part).color);
        return (Math.max(ink, ground) + .05) / (Math.min(ink, ground) + .05); });
    }""")
    assert min(colours) >= 7, colours
