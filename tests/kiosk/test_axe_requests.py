"""The pages about requests, judged by axe: in both languages, normal and large, on the touchscreen and the console."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from kiosk import requests
from kiosk.core import Core
from kiosk.requests import notes
from kiosk.rules.requests import KINDS, Both, clean
from tests.axe import judge
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, ConsoleHall, console_hall
from tests.kiosk.note_samples import png, webm

pytestmark = pytest.mark.slow


def ask(core: Core, kind: str = "leak") -> str:
    one, service = KINDS[kind], core.catalogue.service(KINDS[kind].service_code)
    assert service is not None
    given = {"place": one.places[0], "building": "3", "words": "天花板在滴水", "name": "张大伟", "phone": "13812345678"}
    row = requests.take(core, clean(one, service.kiosk_fields, given, date(2026, 11, 22)), kind, "zh", "kiosk-1").row
    notes.add(core, row, "voice", webm(2))
    notes.add(core, row, "drawing", png())
    return row.code


@pytest.mark.long
def test_how_it_goes_can_be_read_by_everybody(browser: Browser, address: str, core: Core) -> None:
    code = ask(core)
    requests.do(core, 1, "accept", "王芳")
    page = browser.new_context(viewport={"width": 1080, "height": 1920}).new_page()
    faults = {}
    for path in ("/progress", f"/progress/{code}", "/progress/22222222", f"/progress/{code}?phone=1"):
        for lang in ("zh", "en"):
            for large in ("", "&large=1"):
                where = f"{path}{'&' if '?' in path else '?'}lang={lang}{large}"
                page.goto(address + where)
                faults[where] = judge(page)
    assert {where: found for where, found in faults.items() if found} == {}


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path) as one:
        yield one


@pytest.mark.long
def test_the_pages_of_staff_can_be_read_by_everybody(hall: ConsoleHall, browser: Browser) -> None:
    base, page = hall.serve(), browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"{base}/console/sign-in")
    page.get_by_label("姓名").fill(ADMIN)
    page.get_by_label("密码").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_selector("#queue h2")
    empty = _judged(page, base, ["/console/requests"])
    page.goto("about:blank")  # the list would load itself anew at what comes now
    ask(hall.core)
    ask(hall.core, "gas")
    requests.do(hall.core, 2, "done", "王芳", Both("已修好", ""))
    hall.clock.go(min=4)
    paths = ["/console/requests", "/console/requests?state=CANCELLED", "/console/requests/1", "/console/requests/2"]
    full = _judged(page, base, paths)
    assert "\n".join(f"{where}: {one}" for where, found in {**empty, **full}.items() for one in found) == ""


def _judged(page: Page, base: str, paths: list[str]) -> dict[str, list[str]]:
    faults = {}
    for path in paths:
        for lang in ("zh", "en"):
            page.goto(f"{base}{path}{'&' if '?' in path else '?'}lang={lang}")
            for one in page.locator("details.step").all():
                one.evaluate("one => { one.open = true; }")
            # The head of every page is judged with the console's own (test_axe_console.py).
            page.evaluate("document.querySelector('header.bar').replaceChildren()")
            faults[f"{path} {lang}"] = judge(page)
    return {where: found for where, found in faults.items() if found}
