"""How it goes, by code: typed on the glass, scanned from the slip, opened by a phone; in a real browser."""

from __future__ import annotations

import re
from datetime import date

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk import requests
from kiosk.core import Core
from kiosk.rules.request_notes import read_note
from kiosk.rules.requests import KINDS, Both, clean
from tests.kiosk.conftest import HeldClock
from tests.kiosk.test_pages import Open, visit

__all__ = ["visit"]  # a fixture

pytestmark = pytest.mark.slow
#: A 21.5-inch panel upright, a 15-inch, a 10.1-inch; the last one's millimetre is the largest.
PANELS = {"21.5": (1080, 1920, 4.03), "15": (1024, 768, 3.36), "10.1": (1280, 800, 5.91)}


@pytest.fixture
def code(core: Core) -> str:
    """The code of a leak that has just been reported."""
    kind = KINDS["leak"]
    service = core.catalogue.service("WY-01")
    assert service is not None
    given = {"place": "home", "building": "3", "words": "天花板在滴水", "name": "张大伟"}
    asked = clean(kind, service.kiosk_fields, given, date(2026, 11, 22))
    return requests.take(core, asked, "key-1", "zh", "kiosk-1").row.code


@pytest.fixture
def page(browser: Browser) -> Page:
    return browser.new_context(viewport={"width": 1080, "height": 1920}).new_page()


def touch(page: Page, code: str) -> None:
    for sign in code:
        page.locator(f"[data-sign='{sign}']").click()


def test_two_touches_and_the_code_lead_to_how_it_goes(page: Page, address: str, code: str) -> None:
    """From home: "查进度", the eight signs. The eighth looks it up by itself."""
    page.goto(address)
    page.get_by_role("link", name="查进度").first.click()
    page.wait_for_url("**/progress")
    touch(page, code)
    page.wait_for_url(f"**/progress/{code}")
    expect(page.locator("h1")).to_have_text("漏水")
    expect(page.locator(".road [aria-current=step]")).to_contain_text("已收到")
    expect(page.locator("main")).not_to_contain_text("张")
    expect(page.locator("main")).not_to_contain_text("滴水")


def test_a_wrong_code_is_said_and_stays_to_be_mended(page: Page, address: str, code: str) -> None:
    wrong = code[:7] + ("2" if code[7] != "2" else "3")
    page.goto(f"{address}/progress?lang=en")
    touch(page, wrong)
    expect(page.get_by_role("alert")).to_contain_text("There is no such code")
    assert page.locator("[data-box]").all_text_contents() == list(wrong), "nothing that was typed is lost"
    page.get_by_role("button", name="Erase one").click()
    touch(page, code[7])
    page.wait_for_url(f"**/progress/{code}?lang=en")


def test_on_the_smallest_panel_why_a_code_was_refused_can_be_read(page: Page, address: str) -> None:
    """There it lies over keys, so it goes as soon as one is touched."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{address}/progress/AAAABBBB")
    said = page.locator("[data-why-not]")
    said.click(trial=True)  # refused where anything lies over it
    expect(page.get_by_role("heading", name="请输入查询码")).to_be_in_viewport()
    page.locator("[data-erase]").click()
    expect(said).to_be_empty()


def test_the_fifth_wrong_code_locks_and_counts_down(page: Page, address: str, code: str, clock: HeldClock) -> None:
    page.goto(f"{address}/progress")
    wrong = "23456789"
    for _ in range(4):
        touch(page, wrong)
        expect(page.get_by_role("alert")).to_contain_text("没有这个查询码")
        page.get_by_role("button", name="重输").click()
    touch(page, wrong)
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"请等 (60|59|58) 秒"))
    expect(page.locator("[data-look]")).to_be_disabled()
    # Another load of the page is no way around it; with the minute over it is as before.
    page.goto(f"{address}/progress")
    expect(page.get_by_role("alert")).to_contain_text("输错太多次")
    clock.forward(seconds=61)
    page.goto(f"{address}/progress")
    touch(page, code)
    page.wait_for_url(f"**/progress/{code}")


@pytest.mark.parametrize("held", ["{code}", "https://hall.example/progress/{code}?phone=1"], ids=["code", "address"])
def test_a_scanner_types_what_the_slip_holds(held: str, page: Page, address: str, code: str) -> None:
    """A scanner is a keyboard: the code or a whole address, quickly, and Enter."""
    page.goto(f"{address}/progress")
    page.keyboard.type(held.format(code=code))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/progress/{code}")


def test_without_the_server_the_page_says_so_and_keeps_what_was_typed(page: Page, address: str, code: str) -> None:
    page.goto(f"{address}/progress")
    page.route("**/api/progress/**", lambda route: route.abort())
    touch(page, code)
    expect(page.get_by_role("dialog")).to_contain_text("正在重新连接")
    page.unroute("**/api/progress/**")
    page.get_by_role("dialog").get_by_role("button").click()
    page.locator("[data-look]").click()
    page.wait_for_url(f"**/progress/{code}")


@pytest.mark.parametrize(
    "panel", [pytest.param("21.5", marks=pytest.mark.long), pytest.param("15", marks=pytest.mark.long), "10.1"]
)
def test_every_key_is_large_enough_and_nothing_is_cut_off(panel: str, visit: Open) -> None:
    wide, high, mm = PANELS[panel]
    for query in ("", "?large=1", "?lang=en&large=1"):
        page = visit(f"/progress{query}", (wide, high))
        keys = [one.bounding_box() for one in page.locator("[data-sign]").all()]
        assert len(keys) == 32
        for box in keys:
            assert box is not None
            assert min(box["width"], box["height"]) >= 15.9 * mm, (panel, query, box)
        bar = page.locator("footer").bounding_box()
        assert bar is not None
        assert max(box["y"] + box["height"] for box in keys if box) <= bar["y"] + 1, (panel, query)


def test_a_phone_sees_the_same_and_nobody_brings_it_home(visit: Open, code: str, core: Core) -> None:
    requests.do(core, 1, "refer", "王芳", Both("电梯维保单位", "the lift maintenance company"))
    phone = visit(f"/progress/{code}?phone=1&lang=en", (390, 844))
    expect(phone.locator(".road [aria-current=step]")).to_contain_text("Passed on")
    expect(phone.locator(".steps")).to_contain_text("Passed on to: the lift maintenance company")
    assert phone.locator("[data-help], script").count() == 0
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_a_real_browser_records_is_a_voice_note(page: Page, address: str) -> None:
    """Chromium's own recorder, half a second of a tone: the container as it really is."""
    page.goto(f"{address}/progress")
    recorded = page.evaluate(
        """async () => {
          const sound = new AudioContext(), tone = sound.createOscillator();
          const line = sound.createMediaStreamDestination();
          tone.connect(line); tone.start(); await sound.resume();
          const recorder = new MediaRecorder(line.stream, {mimeType: "audio/webm;codecs=opus"}), parts = [];
          recorder.ondataavailable = (event) => parts.push(event.data);
          const over = new Promise((done) => { recorder.onstop = done; });
          recorder.start(200); setTimeout(() => recorder.stop(), 600); await over;
          return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
        }"""
    )
    note = read_note("voice", bytes(recorded))
    assert note.mime == "audio/webm"
    assert 0.3 < note.long_s < 3


def test_the_page_says_when_it_is_late(page: Page, address: str, code: str, clock: HeldClock) -> None:
    page.goto(f"{address}/progress/{code}")
    expect(page.locator("main")).to_contain_text("一般明天 10:00 前有人答复（以窗口答复为准）")
    clock.forward(hours=25)
    page.goto(f"{address}/progress/{code}")
    expect(page.get_by_role("note")).to_contain_text("比约定的时间晚了")
