"""A resident makes a request at the kiosk: by taps, by voice, with a finger; nothing that was given is lost."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from gateway.house import House
from kiosk.core import Core
from kiosk.rules.requests import FIELDS, KINDS, may_ask
from kiosk.words_ask import SAYS
from tests.kiosk.ask_walk import MICROPHONE, go_on, step_of
from tests.kiosk.conftest import ROOM, RestartingKiosk
from tests.whole_hall import chromium

pytestmark = [
    pytest.mark.slow,
    # Playwright's own event loop is left to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PORTRAIT, SMALL = (1080, 1920), (1024, 768)
Open = Callable[..., Page]
HOSTILE = "<script>alert(1)</script>'\"; DROP TABLE requests;--"


@pytest.fixture(scope="module")
def with_microphone() -> Iterator[Browser]:
    """A browser with a microphone that beeps."""
    with chromium(*MICROPHONE) as browser:
        yield browser


@pytest.fixture
def visit(with_microphone: Browser, address: str) -> Iterator[Open]:
    """Open a page; the test fails for any script error and any request that leaves this kiosk."""
    faults: list[str] = []
    context = with_microphone.new_context()
    page = context.new_page()
    page.on("pageerror", lambda wrong: faults.append(str(wrong)))
    page.on("console", lambda told: faults.append(told.text) if "Content Security" in told.text else None)
    page.on(
        "request",
        lambda asked: None if asked.url.startswith((address, "blob:")) else faults.append(asked.url),
    )

    def visit(path: str, size: tuple[int, int] = PORTRAIT, *, clock: bool = False) -> Page:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        if clock:
            page.clock.install()
        page.goto(address + path)
        return page

    yield visit
    context.close()
    assert faults == []


@pytest.fixture
def three_buildings(core: Core) -> None:
    """A hall that has written down its buildings."""
    words = json.dumps([{"zh": f"{n}栋", "en": f"Building {n}"} for n in (1, 2, 3)], ensure_ascii=False)
    row = "INSERT INTO content_edits(subject, field, value, by, at_ms) VALUES ('hall', 'buildings', ?, '小李', 1)"
    core.writer.write(lambda notebook: notebook.execute(row, (words,)))


def requests_of(core: Core) -> list[dict[str, Any]]:
    return [dict(row) for row in core.reader().execute("SELECT * FROM requests ORDER BY request_id")]


def to_the_words(page: Page) -> None:
    while step_of(page) != "words":
        go_on(page)


def send(page: Page) -> str:
    """Send with a trembling hand, five taps at once, and the code that is seen."""
    page.evaluate("for (let tap = 0; tap < 5; tap += 1) document.querySelector('[data-send]').click()")
    page.locator("[data-code]").wait_for()
    return (page.locator("[data-code]").text_content() or "").replace(" ", "")


def test_the_ordinary_requests_are_sent_by_five_taps_and_no_typing(
    visit: Open, core: Core, three_buildings: None
) -> None:
    ways = {
        "漏水": ("我家里", "2栋", "不填，跳过"),
        "噪声扰民": ("楼道、楼梯", "2栋", "3 单元"),
        "电梯坏了": ("已经安全，继续报", "2栋", "3 单元"),
        "垃圾、绿化": ("小区院子", "不在楼里，跳过"),
        "堵了消防通道": ("楼道、楼梯", "2栋", "没有单元，跳过"),
    }
    for kind, taps in ways.items():
        page = visit("/ask")
        page.get_by_role("link", name=kind, exact=True).click()
        for tap in taps:
            page.get_by_role("button", name=tap, exact=True).click()
        send(page)
        assert len(taps) + 2 <= 5
    made = [(one["kind"], one["place"], one["building"], one["unit"]) for one in requests_of(core)]
    assert made == [
        ("leak", "home", "2栋", ""),
        ("noise", "stairs", "2栋", "3单元"),
        ("lift", "lift", "2栋", "3单元"),
        ("rubbish", "yard", "", ""),
        ("fire_lane", "stairs", "2栋", ""),
    ]


def test_voice_drawing_sentences_and_hostile_words_all_arrive(visit: Open, core: Core, house: House) -> None:
    page = visit("/ask/leak", SMALL)
    to_the_words(page)
    page.get_by_role("button", name="天花板在滴水").click()
    page.get_by_role("button", name="墙面渗水、发霉").click()
    page.locator("[data-go=speak]").click()
    page.locator("[data-record]").click()
    expect(page.locator("[data-mic]")).to_contain_text("正在录音，还剩 58 秒")
    page.locator("[data-record]").click()
    page.locator("[data-play]").click()
    expect(page.locator("[data-mic]")).to_have_text("正在放给您听")
    expect(page.locator("[data-mic]")).to_contain_text("录好了")
    page.locator("[data-keep]:visible").click()
    page.locator("[data-go=draw]").click()
    box = page.locator("canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 120, steps=8)
    page.mouse.up()
    page.locator("[data-keep]:visible").click()
    page.locator("[data-go=typed]").click()
    page.locator("#text-words").fill(HOSTILE)
    page.locator("[data-keep]:visible").click()
    expect(page.locator("[data-so-far]")).to_contain_text(HOSTILE[:24] + "…")
    code = send(page)
    expect(page.locator("[data-notes-told]")).to_have_text("录音、手写也存好了")
    (made,) = requests_of(core)
    assert (made["code"], made["words"]) == (code, f"天花板在滴水；墙面渗水、发霉；{HOSTILE}")
    assert (made["building"], made["unit"], made["room"]) == ("3栋", "1单元", "502")
    files = {
        row["kind"]: row["file"] for row in core.reader().execute("SELECT kind, file FROM request_notes")
    }
    voice, drawing = (
        next(house.home.rglob(Path(files[kind]).name)).read_bytes() for kind in ("voice", "drawing")
    )
    assert (voice[:4], drawing[:8]) == (b"\x1aE\xdf\xa3", b"\x89PNG\r\n\x1a\n")
    assert drawing[16:24] == (900).to_bytes(4, "big") + (400).to_bytes(4, "big")
    assert 1.0 < seconds_of(page, voice) < 10


def seconds_of(page: Page, voice: bytes) -> float:
    """How long the sound is that a browser hears in these bytes."""
    heard: float = page.evaluate(
        """async (text) => {
          const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
          return (await new AudioContext().decodeAudioData(bytes.buffer)).duration;
        }""",
        base64.b64encode(voice).decode(),
    )
    return heard


def test_the_microphone_is_given_back_when_the_step_is_left(visit: Open) -> None:
    page = visit("/ask/leak")
    page.evaluate("""() => {
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      window.lines = [];
      navigator.mediaDevices.getUserMedia = async (what) => {
        const line = await ask(what);
        lines.push(line);
        return line;
      };
    }""")
    to_the_words(page)
    page.locator("[data-go=speak]").click()
    page.locator("[data-record]").click()
    expect(page.locator("[data-mic]")).to_contain_text("还剩 58 秒")
    page.locator("[data-step-back]").click()
    page.wait_for_function(
        "lines.every((one) => one.getTracks().every((track) => track.readyState === 'ended'))"
    )
    expect(page.locator("[data-has=voice]")).to_be_visible()
    page.locator("[data-go=speak]").click()
    page.get_by_role("button", name="删掉").click()
    expect(page.locator("[data-mic]")).to_contain_text("点红色按钮")
    page.locator("[data-keep]:visible").click()
    expect(page.locator("[data-has=voice]")).to_be_hidden()
    assert page.evaluate("lines.length") == 1


def test_where_there_is_no_microphone_the_other_ways_remain(browser: Browser, address: str) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{address}/ask/noise")
    to_the_words(page)
    page.locator("[data-go=speak]").click()
    page.locator("[data-record]").click()
    expect(page.locator("[data-mic].trouble")).to_contain_text("用手指写，或者按“叫人帮忙”")
    page.locator("[data-step-back]").click()
    expect(page.locator("[data-go=draw]")).to_be_visible()
    expect(page.locator("[data-send]")).to_be_enabled()


def test_another_language_large_text_and_the_way_back_keep_what_was_given(visit: Open, core: Core) -> None:
    page = visit("/ask/leak")
    to_the_words(page)
    page.get_by_role("button", name="天花板在滴水").click()
    page.locator("[data-go=typed]").click()
    page.locator("#text-words").fill("三楼也有水")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="Type it here")).to_be_visible()
    expect(page.locator("#text-words")).to_have_value("三楼也有水")
    page.get_by_role("link", name="Large text").click()
    page.wait_for_selector("html.large")
    page.locator("[data-keep]:visible").click()
    for told in (
        "Water leak",
        "In my home",
        "building 3",
        "room 502",
        "Water drips from the ceiling",
        "三楼也有水",
    ):
        expect(page.locator("[data-so-far]")).to_contain_text(told)
    page.get_by_role("button", name="Choose a sentence").click()
    assert page.locator("[data-preset]:visible").count() <= 6
    page.locator("[data-step-back]").click()
    page.locator("[data-step-back]").click()
    assert step_of(page) == "door"
    assert page.locator("[data-box=room] [data-shown]").text_content() == "502"
    page.locator("[data-next]:visible").click()
    page.get_by_role("link", name="中文").click()
    expect(page.locator("h1:visible")).to_have_text("还想说什么？不说也可以")
    send(page)
    (made,) = requests_of(core)
    assert (made["words"], made["room"], made["lang"]) == ("天花板在滴水；三楼也有水", "502", "zh")
    assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0


def test_a_server_that_restarts_in_between_loses_nothing(with_microphone: Browser, kiosk: RestartingKiosk) -> None:
    kiosk.begin()
    page = with_microphone.new_context().new_page()
    page.goto(f"{kiosk.address}/ask/leak?large=1")
    to_the_words(page)
    kiosk.end()
    page.locator("[data-send]").click()
    expect(page.get_by_role("dialog")).to_contain_text("正在重新连接，您填的都还在")
    core = kiosk.begin()
    code = page.locator("[data-code]")
    expect(code).to_be_visible()
    assert [one["code"] for one in requests_of(core)] == [(code.text_content() or "").replace(" ", "")]
    page.close()


def test_what_cannot_be_sent_for_half_a_minute_is_said_and_kept(visit: Open, core: Core) -> None:
    page = visit("/ask/leak", clock=True)
    to_the_words(page)
    page.route("**/api/requests", lambda route: route.abort())
    page.locator("[data-send]").click()
    expect(page.get_by_role("dialog")).to_contain_text("正在重新连接")
    for _ in range(14):
        page.clock.run_for(3000)
    expect(page.get_by_role("dialog")).to_contain_text("正在一直试")
    page.get_by_role("button", name="先不等了").click()
    page.clock.run_for(4000)
    expect(page.locator("[data-send]")).to_be_enabled()
    expect(page.locator("[data-so-far]")).to_contain_text("502 室")
    page.unroute("**/api/requests")
    # Nor is what is too long to be taken in, however it came past the field's own limit.
    page.locator("[data-go=typed]").click()
    page.evaluate("""() => { const field = document.querySelector('#text-words');
      field.value = '水'.repeat(1500000); field.dispatchEvent(new Event('input', {bubbles: true})); }""")
    page.locator("[data-keep]:visible").click()
    page.locator("[data-send]").click()
    expect(page.get_by_role("dialog")).to_contain_text("您写的还在")
    page.get_by_role("button", name="回去看看").click()
    page.locator("[data-go=typed]").click()
    assert page.evaluate("document.querySelector('#text-words').value.length") == 1_500_000
    page.locator("#text-words").fill("三楼也有水")
    page.locator("[data-keep]:visible").click()
    page.locator("[data-send]").click()
    expect(page.locator("[data-code]")).to_be_visible()
    assert [one["words"] for one in requests_of(core)] == ["三楼也有水"]


def test_after_twenty_seconds_it_goes_home_unless_somebody_still_reads(visit: Open) -> None:
    for stays in (False, True):
        page = visit("/ask/leak", clock=True)
        to_the_words(page)
        send(page)
        expect(page.locator("[data-left]")).to_contain_text("秒后回首页")
        if stays:
            page.get_by_role("button", name="不要走，我再看看").click()
        for _ in range(22):
            page.clock.run_for(1000)
            page.wait_for_function("() => true")
        if stays:
            expect(page.locator("[data-code]")).to_be_visible()
        else:
            page.wait_for_url("**/")


def test_a_minute_and_a_half_without_a_touch_leaves_nothing_of_a_draft(visit: Open, core: Core) -> None:
    page = visit("/ask/leak", clock=True)
    to_the_words(page)
    page.clock.run_for(89_000)
    assert step_of(page) == "words"
    page.clock.run_for(2_000)
    expect(page.get_by_role("dialog")).to_contain_text("您还在办吗？")
    page.clock.run_for(21_000)
    page.wait_for_url("**/")
    expect(page.get_by_role("heading", name="请点要办的事")).to_be_attached()
    assert page.evaluate("history.length + localStorage.length + sessionStorage.length") <= 2
    assert requests_of(core) == []


def test_kinds_with_other_questions_come_to_their_end_and_five_taps_are_one_request(
    visit: Open, core: Core
) -> None:
    kinds = ["complaint", "meal", "health_day", "double_report"]
    for kind in kinds:
        page = visit(f"/ask/{kind}")
        to_the_words(page)
        send(page)
    assert [one["kind"] for one in requests_of(core)] == kinds


def test_every_target_is_20_mm_and_nothing_is_wider_than_the_panel(visit: Open) -> None:
    small = """(mm) => [...document.querySelectorAll('main button, .act button, .bottom a')]
      .filter((one) => one.offsetParent && !one.closest('.keyboard'))
      .filter((one) => Math.min(one.offsetWidth, one.offsetHeight) < 20 * mm - 1).map((one) => one.textContent)"""
    for size, mm in ((SMALL, 3.36), ((1280, 800), 5.91)):
        page = visit("/ask/gas?lang=en&large=1", size)
        for _ in range(6):
            assert page.evaluate(small, mm) == [], (size, step_of(page))
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (
                size,
                step_of(page),
            )
            if step_of(page) == "words":
                break
            go_on(page)
        assert step_of(page) == "words"


def test_what_an_item_may_not_ask_is_on_no_page(client: FlaskClient, core: Core) -> None:
    asked_by = {
        "building": 'data-step="building"', "unit": 'data-step="unit"', "room": 'data-box="room"',
        "voice": "data-voice",
        "drawing": "<canvas", "words": 'data-text="typed"', "name": 'data-text="name"', "phone": 'data-box="phone"',
        "employer_branch": 'data-text="employer_branch"', "skills": 'data-text="skills"',
        "birth_year": 'data-box="birth_year"', "preferred_day": 'data-set="preferred_day"',
        "meal_choice": 'data-set="meal_choice"',
    }  # fmt: skip
    assert set(asked_by) == set(FIELDS)
    for code, kind in KINDS.items():
        service = core.catalogue.service(kind.service_code)
        assert service is not None
        page = client.get(f"/ask/{code}", headers={"Accept": "text/html"}).get_data(as_text=True)
        shown = {name for name, sign in asked_by.items() if sign in page}
        assert {name for name in shown if not may_ask(service.kiosk_fields, name)} == set(), code
        assert set(kind.fields) <= shown, code


def test_the_microphone_is_for_this_page_alone(client: FlaskClient) -> None:
    own, home = client.get("/ask/leak").headers, client.get("/").headers
    assert own["Permissions-Policy"] == "camera=(), geolocation=(), microphone=(self)"
    assert home["Permissions-Policy"] == "camera=(), geolocation=(), microphone=()"
    assert "media-src 'self' blob:" in own["Content-Security-Policy"]
    assert "blob:" not in home["Content-Security-Policy"]


def test_what_the_script_says_is_written_in_both_languages_and_used() -> None:
    scripts = "".join(path.read_text(encoding="utf-8") for path in (ROOM / "static").glob("ask*.js"))
    assert {name for name in SAYS if f'"{name}"' not in scripts} == set()
    for zh, en in SAYS.values():
        assert re.findall(r"\{\w+\}", zh) == re.findall(r"\{\w+\}", en)
        assert not re.search(r"[\u3400-\u9fff]", en)


def test_an_item_without_a_number_leads_to_its_request(client: FlaskClient) -> None:
    assert "/ask?item=WY-01" in client.get("/item/WY-01").get_data(as_text=True)
    assert "/ask/noise?lang=en" in client.get("/item/WY-03?lang=en").get_data(as_text=True)
    assert "/ask" not in client.get("/item/ZW-01").get_data(as_text=True)
    assert client.get("/ask/no-such-kind").status_code == 404


def test_elders_choose_among_six_at_most(client: FlaskClient) -> None:
    pages = ["/ask?large=1"]
    kinds: set[str] = set()
    for page in pages:
        text = client.get(page).get_data(as_text=True)
        choices = re.findall(r'class="pick[^"]*" href="([^"]+)"', text)
        assert 0 < len(choices) <= 6, page
        for address in (
            one.replace("&amp;", "&")
            for one in [*choices, *re.findall(r'class="way" href="(/ask[^"]+)"', text)]
        ):
            if found := re.match(r"/ask/(\w+)", address):
                kinds.add(found[1])
            elif address not in pages:
                pages.append(address)
    assert kinds == set(KINDS)
