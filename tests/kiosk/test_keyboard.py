"""The keyboard in the page and the page that finds, in a real browser: touched, typed, unanswered, on each panel."""

from __future__ import annotations

import re

import pytest
from flask import Flask, render_template_string
from playwright.sync_api import Page, expect

from kiosk import app as kiosk_app
from kiosk.core import Core
from kiosk.view import frame
from tests.kiosk.test_pages import LANDSCAPE, PORTRAIT, SMALL_TARGETS, SMALLEST_TEXT, Open, visit

__all__ = ["visit"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PANEL, NARROW = (1280, 800), (720, 1280)
#: CSS pixels a millimetre of each panel (kiosk/static/linli.css); the 7-inch one is calibrated.
PX_PER_MM = {PORTRAIT: 4.03, LANDSCAPE: 3.36, PANEL: 5.91}

WRITING = """{% extends "touch.html" %}{% from "keyboard.html" import keyboard with context %}
{% block head %}{{ super() }}<link rel="stylesheet" href="/static/keyboard.css">{% endblock %}
{% block scripts %}<script src="/static/keyboard.js" defer></script>{% endblock %}
{% block main %}<div class="with-keyboard"><div class="written"><h1>x</h1>
<textarea id="words" maxlength="10" aria-label="x"></textarea>
<input id="room" data-keyboard="digits" aria-label="y"></div>
{{ keyboard("words") }}</div>{% endblock %}"""

#: Keys that stand beyond the page's room, and would have to be scrolled to.
OUTSIDE = """() => {
  const room = document.querySelector('main').getBoundingClientRect();
  return [...document.querySelectorAll('.keyboard button')].filter((one) => one.offsetParent).filter((one) => {
    const key = one.getBoundingClientRect();
    return key.bottom > room.bottom + 1 || key.top < room.top - 1 || key.right > room.right + 1;
  }).map((one) => one.textContent);
}"""


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> str:
    """A page where words are written, as a request's is: the keyboard in its full mode."""
    whole = kiosk_app.create_app

    def with_page(core: Core) -> Flask:
        made = whole(core)
        made.add_url_rule("/writing", "writing", lambda: render_template_string(WRITING, **frame()))
        return made

    monkeypatch.setattr("kiosk.__main__.create_app", with_page)
    return "/writing"


def touch(page: Page, letters: str) -> None:
    for letter in letters:
        page.locator(f"[data-letters-keys] [data-sign={letter}]").click()


def test_loushui_is_touched_and_the_right_word_chosen(writing: str, visit: Open) -> None:
    page = visit(writing)
    page.evaluate(
        "document.querySelector('#words').addEventListener('input', (e) => { window.told = e.data; })"
    )
    touch(page, "loushui")
    expect(page.locator("[data-letters]")).to_have_text("loushui")
    expect(page.locator("[data-heard]")).to_contain_text("1 漏水")
    page.get_by_role("group", name="选字").get_by_role("button", name="漏水", exact=True).click()
    expect(page.locator("#words")).to_have_value("漏水")
    assert page.evaluate("window.told") == "漏水"
    expect(page.locator("[data-candidates] button")).to_have_count(0)
    touch(page, "le")
    # Whoever is quicker than the answer gets the letters.
    expect(page.locator("[data-heard]")).to_contain_text("1 了, 2 乐")
    page.get_by_role("button", name="空格").click()
    expect(page.locator("#words")).to_have_value("漏水了")
    page.get_by_role("button", name="删除").click()
    expect(page.locator("#words")).to_have_value("漏水")


def test_words_turn_their_pages_and_what_is_left_goes_on(writing: str, visit: Open) -> None:
    page = visit(writing, LANDSCAPE)
    touch(page, "shu")
    words = page.locator("[data-candidates] button")
    # Each letter asks anew: what stands there before the last one is answered are the words of "s" or "sh".
    expect(words.first).to_have_text(re.compile("[书数树]"))
    first = words.all_inner_texts()
    page.get_by_role("button", name="更多").click()
    expect(words.first).not_to_have_text(first[0])
    page.get_by_role("button", name="上一页").click()
    expect(words.first).to_have_text(first[0])
    page.get_by_role("button", name="更多").click()
    touch(page, "daole")  # new letters begin at their own first page
    expect(page.locator("[data-letters]")).to_have_text("shudaole")
    expect(words.first).to_have_text(re.compile("^[书数树]..?$"))
    expect(page.get_by_role("button", name="上一页")).to_be_disabled()
    wanted = page.get_by_role("group", name="选字").get_by_role("button", name="树", exact=True)
    while not wanted.is_visible():
        page.get_by_role("button", name="更多").click()
    wanted.click()
    expect(page.locator("#words")).to_have_value("树")
    expect(page.locator("[data-letters]")).to_have_text("daole")


def test_digits_english_and_another_field(writing: str, visit: Open) -> None:
    page = visit(writing)
    page.get_by_role("button", name="英文").click()
    touch(page, "wifi")
    expect(page.locator("#words")).to_have_value("wifi")
    page.get_by_role("button", name="数字").click()
    for sign in ("3", "栋"):
        page.get_by_role("button", name=sign, exact=True).click()
    expect(page.locator("#words")).to_have_value("wifi3栋")
    page.locator("#room").click()
    page.get_by_role("button", name="7", exact=True).click()
    expect(page.locator("#room")).to_have_value("7")
    page.get_by_role("button", name="完成").click()
    expect(page.locator(".keyboard")).to_be_hidden()
    page.locator("#words").click()
    expect(page.locator(".keyboard")).to_be_visible()


def test_a_real_keyboard_gathers_letters_too(writing: str, visit: Open) -> None:
    page = visit(writing)
    page.locator("#words").focus()
    page.keyboard.type("dibao")
    expect(page.locator("[data-candidates] button").first).to_have_text("低保")
    page.keyboard.press("1")
    page.keyboard.type("sq")
    page.keyboard.press("Backspace")
    page.keyboard.press("Escape")
    page.keyboard.type("abc")
    page.keyboard.press("Enter")
    expect(page.locator("#words")).to_have_value("低保abc")


def test_nothing_typed_is_lost_without_an_answer_nor_beyond_the_fields_end(writing: str, visit: Open) -> None:
    page = visit(writing)
    page.route("**/api/ime*", lambda route: route.fulfill(status=503, body="{}"))
    touch(page, "loushui")
    expect(page.locator("[data-heard]")).to_contain_text("先用字母也可以")
    page.get_by_role("button", name="loushui").click()
    expect(page.locator("#words")).to_have_value("loushui")
    touch(page, "loushui")
    page.get_by_role("button", name="loushui").click()
    expect(page.locator("[data-heard]")).to_contain_text("写满了")
    expect(page.locator("#words")).to_have_value("loushui")
    expect(page.locator("[data-letters]")).to_have_text("loushui")


def test_keys_are_sixteen_millimetres_on_each_panel(writing: str, visit: Open) -> None:
    for size, px_per_mm in PX_PER_MM.items():
        for large in ("", "?large=1"):
            page = visit(writing + large, size)
            page.locator("#words").click()
            expect(page.locator(".keyboard .done")).to_be_visible()
            touch(page, "l")
            expect(page.locator("[data-candidates] button").first).to_be_visible()
            small = page.evaluate(
                SMALL_TARGETS.replace("'a:not(.skip), button'", "'.keyboard button'"), 16 * px_per_mm - 1
            )
            assert small == [], size
            outside = page.evaluate(OUTSIDE)
            assert outside == [], size


def test_nine_keys_open_their_letters_on_a_narrow_panel(writing: str, core: Core, visit: Open) -> None:
    """A 7-inch upright panel (8.29 px a millimetre) is 87 mm wide: four keys of 16 mm in a row."""
    calibrated = "INSERT INTO screens(screen, px_per_mm, set_ms, set_by) VALUES ('kiosk-7', 8.29, 0, 'x')"
    core.writer.write(lambda book: book.execute(calibrated))
    page = visit(writing + "?screen=kiosk-7", NARROW)
    for group, letter in (("def", "d"), ("ghi", "i")):
        page.get_by_role("button", name=group, exact=True).click()
        page.locator("[data-candidates]").get_by_role("button", name=letter, exact=True).click()
    expect(page.locator("[data-letters]")).to_have_text("di")


# ---------------------------------------------------------------- finding


def test_three_touches_find_an_item_while_they_are_made(visit: Open) -> None:
    page = visit("/find")
    touch(page, "lnz")
    page.get_by_role("link", name="高龄津贴与老年优待证").click()
    expect(page.locator("h1.title")).to_contain_text("高龄津贴与老年优待证")


def test_an_example_is_one_touch_and_the_other_language_keeps_the_words(visit: Open) -> None:
    page = visit("/find", LANDSCAPE)
    expect(page.locator(".examples .item")).to_have_count(6)
    page.get_by_role("link", name="漏水").click()
    expect(page.locator("#q")).to_have_value("漏水")
    expect(page.locator(".tiles .item").first).to_contain_text("公共设施与渗漏报修")
    page.get_by_role("link", name="English").click()
    expect(page.locator("#q")).to_have_value("漏水")
    expect(page.locator(".tiles .item").first).to_contain_text("Repairs to shared facilities")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".examples .item")).to_have_count(6)


def test_without_an_answer_the_words_stay_and_it_is_tried_again(visit: Open) -> None:
    page = visit("/find")
    page.route("**/find?*", lambda route: route.abort())
    touch(page, "ls")
    expect(page.get_by_role("alert")).to_contain_text("您打的字还在")
    expect(page.locator("#q")).to_have_value("ls")
    page.unroute("**/find?*")
    expect(page.locator(".tiles .item").first).to_contain_text("人民调解")
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.long
def test_every_target_of_finding_is_large_enough(visit: Open) -> None:
    for size, px_per_mm in PX_PER_MM.items():
        for path in ("/find", "/find?q=s&large=1&lang=en", "/find?q=xqxqxq"):
            page = visit(path, size)
            beside = SMALL_TARGETS.replace("button'", "button:not(.keyboard *)'")
            assert page.evaluate(beside, 20 * px_per_mm - 1) == [], (path, size)
            assert page.evaluate(SMALLEST_TEXT) >= 5 * px_per_mm - 0.1, (path, size)
            assert page.locator(".tiles .item").count() <= 6
