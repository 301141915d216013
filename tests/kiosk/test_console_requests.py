"""Staff see to what residents asked: the urgent and the late first, each step one form, who asked only on demand."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk import requests
from kiosk.console import picture
from kiosk.console import requests as console_requests
from kiosk.requests import looking, notes
from kiosk.requests.taking import Taken
from kiosk.rules.request_kinds import Both
from kiosk.rules.requests import KINDS, clean
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, Client, ConsoleHall, Ear, console_hall
from tests.kiosk.note_samples import ogg, png


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path) as one:
        yield one


@pytest.fixture
def admin(hall: ConsoleHall) -> Client:
    return hall.client(ADMIN, ADMIN_PASSWORD)


def ask(hall: ConsoleHall, key: str, kind: str = "leak", **more: str) -> Taken:
    """As the kiosk's screen does."""
    one, service = KINDS[kind], hall.core.catalogue.service(KINDS[kind].service_code)
    assert service is not None
    who = {"name": "张大伟", "phone": "13812345678", "words": "天花板在滴水"} if "name" in one.fields else {}
    given = {"place": (one.places or ("",))[0], "building": "3栋", "unit": "2", "room": "502", **who, **more}
    asked = clean(one, service.kiosk_fields, given, date(2027, 1, 15))
    return requests.take(hall.core, asked, key, "zh", "kiosk-1")


def order_on(page: str) -> list[str]:
    return re.findall(r"(\d{4}-\d{2})</a>", page)


def test_the_urgent_stand_first_then_whose_answer_is_due_and_closed_ones_last(hall: ConsoleHall, admin: Client) -> None:
    assert "没有诉求" in admin.get("/console/requests").text
    leak, noise, gas, idea = (ask(hall, kind, kind).row for kind in ("leak", "noise", "gas", "idea"))
    requests.do(hall.core, idea.request_id, "cancel", "王芳", Both("不办了", ""))
    hall.clock.go(h=2)  # her screen has locked itself meanwhile
    page = hall.client(ADMIN, ADMIN_PASSWORD).get("/console/requests").text
    assert order_on(page) == [gas.number, noise.number, leak.number, idea.number]
    assert page.count("⚠ 超时") == 3, "two of the rows, and the count above them: said in words, not by colour alone"
    assert "紧急" in page
    assert "张*伟" in page
    assert "138****5678" in page
    assert "张大伟" not in page
    assert "13812345678" not in page


def test_of_more_than_a_page_the_one_that_waits_longest_is_there_and_it_says_that_there_are_more(
    hall: ConsoleHall, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_requests, "ON_A_PAGE", 3)
    first = ask(hall, "first").row.number
    for number in range(3):
        hall.clock.go(s=1)
        last = ask(hall, f"{number}").row.number
    for asked in ("", "?state=open", "?kind=leak", "?building=3栋"):
        page = admin.get(f"/console/requests{asked}").text
        assert order_on(page)[0] == first, asked
        assert last not in order_on(page), asked
        assert "只显示前" in page, asked
    assert "只显示前" not in admin.get("/console/requests?kind=gas").text


def test_the_list_is_asked_by_kind_state_building_and_day_and_exported_without_names(
    hall: ConsoleHall, admin: Client
) -> None:
    ask(hall, "a", building="3栋")
    other = ask(hall, "b", "noise", building="9栋").row
    requests.do(hall.core, 1, "accept", "王芳")
    for query, found in (
        ("kind=noise", [other.number]),
        ("building=9栋", [other.number]),
        ("state=RECEIVED", [other.number]),
        ("state=closed", []),
        ("from=2099-01-01", []),
        (f"from={other.business_day}&to={other.business_day}&kind=noise", [other.number]),
        ("from=nonsense&state=<script>", [other.number, "0115-01"]),
    ):
        assert order_on(admin.get(f"/console/requests?{query}").text) == found, query
    assert "没有这样的诉求" in admin.get("/console/requests?state=closed").text
    answer = admin.get("/console/requests.csv?kind=leak")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert len(rows) == 2
    assert rows[1][0] == "0115-01"
    assert rows[1][9], "when it was first answered"
    assert not any(secret in answer.get_data(as_text=True) for secret in ("张", "138", "502", "滴水"))
    assert hall.accounts.journal()[0][2] == "export_requests"


def test_who_asked_is_shown_on_demand_and_noted(hall: ConsoleHall, admin: Client) -> None:
    ask(hall, "a")
    url = "/console/requests/1"
    assert "张大伟" not in admin.get(url).text
    shown = admin.form(url, do="show").text
    assert "张大伟" in shown
    assert "tel:13812345678" in shown
    assert next(line[1:4] for line in hall.accounts.journal()) == (ADMIN, "request_person_shown", "#1")
    assert "张大伟" not in admin.get(url).text, "only that once"


def test_each_step_is_one_form_and_its_resident_reads_what_was_done(hall: ConsoleHall, admin: Client) -> None:
    code = ask(hall, "a").row.code
    url = "/console/requests/1"
    assert admin.form(url, do="accept", seen="RECEIVED").status_code == 303
    assert admin.form(url, do="note", note="钥匙在门卫").status_code == 303
    assert admin.form(url, do="done", seen="ACCEPTED", preset="0").status_code == 303
    told = admin.get(f"/api/progress/{code}").get_json()
    assert [one["zh"] for one in told["steps"]] == ["已收到，工作人员会看到", "已有工作人员受理", "已办结：已修好"]
    assert told["steps"][-1]["en"] == "Done: It has been repaired"
    page = admin.get(url).text
    assert "钥匙在门卫" in page
    assert "钥匙" not in admin.get(f"/progress/{code}", headers={"Accept": "text/html"}).text
    assert [line[2] for line in hall.accounts.journal()][:3] == ["request_done", "request_note", "request_accept"]


def test_a_step_without_words_or_on_an_old_page_is_refused_and_what_was_typed_stays(
    hall: ConsoleHall, admin: Client
) -> None:
    ask(hall, "a")
    url = "/console/requests/1"
    empty = admin.form(url, do="refer", seen="RECEIVED")
    assert empty.status_code == 409
    assert "请写一句话" in empty.text
    requests.do(hall.core, 1, "start", "李强")
    late = admin.form(url, do="done", seen="RECEIVED", words="我修好了", words_en="I mended it")
    assert late.status_code == 409
    assert "正在办理" in late.text
    assert "我修好了" in late.text
    assert "I mended it" in late.text
    too_long = admin.form(url, do="done", seen="DOING", words="长" * 301)
    assert too_long.status_code == 409
    assert "长" * 301 in too_long.text
    assert looking.by_id(hall.core.reader(), 1).state == "DOING"  # type: ignore[union-attr]
    assert admin.form(url, do="fly").status_code == 400
    assert admin.form("/console/requests/99", url, do="accept").status_code == 404


def test_a_mistaken_close_is_taken_back_within_a_minute_and_opened_again_later(
    hall: ConsoleHall, admin: Client
) -> None:
    code = ask(hall, "a").row.code
    url = "/console/requests/1"
    admin.form(url, do="accept", seen="RECEIVED")
    admin.form(url, do="done", seen="ACCEPTED", preset="1")
    admin.form(url, do="say", seen="DONE", words="请把水阀开一下试试")
    page = admin.get(url).text
    step = re.search(r'name="step" value="(\d+)"', page)
    assert step is not None
    assert "撤销“办结”" in page, "what is taken back is named: the words said since then stay said"
    hall.clock.go(s=59)
    assert admin.form(url, do="undo", step=step[1]).status_code == 303
    row = looking.by_id(hall.core.reader(), 1)
    assert row is not None
    assert (row.state, row.closed_ms) == ("ACCEPTED", None)
    assert admin.get(f"/api/progress/{code}").get_json()["steps"][-1]["zh"] == "刚才那一步点错了，现在是：已受理"
    assert admin.form(url, do="undo", step=step[1]).status_code == 409, "once"
    admin.form(url, do="done", seen="ACCEPTED", words="好了")
    closed = looking.by_id(hall.core.reader(), 1)
    assert closed is not None
    assert closed.closed_ms == hall.clock.now_ms
    hall.clock.go(s=61)
    assert 'name="step"' not in admin.get(url).text
    assert admin.form(url, do="reopen", seen="DONE").status_code == 303
    again = looking.by_id(hall.core.reader(), 1)
    assert again is not None
    assert (again.state, again.closed_ms) == ("DOING", None)


def test_a_voice_is_played_in_parts_and_only_to_staff(hall: ConsoleHall, admin: Client) -> None:
    row = ask(hall, "a").row
    notes.add(hall.core, row, "voice", ogg(4))
    notes.add(hall.core, row, "drawing", png())
    page = admin.get("/console/requests/1").text
    assert '<audio controls preload="metadata" src="/console/requests/note/1">' in page
    assert "居民用手指写的" in page
    whole = admin.get("/console/requests/note/1")
    assert (whole.mimetype, whole.data) == ("audio/ogg", ogg(4))
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Cache-Control"] == "no-store"
    part = admin.get("/console/requests/note/1", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.data) == (206, b"OggS")
    assert admin.get("/console/requests/note/2").mimetype == "image/png"
    assert admin.get("/console/requests/note/3").status_code == 404
    assert hall.client().get("/console/requests/note/1").status_code in (303, 401)


def test_consoles_are_told_what_came_and_a_locked_one_is_not(hall: ConsoleHall) -> None:
    stream = hall.hub.stream("staff")
    ear = Ear(stream)
    row = ask(hall, "a", "gas").row
    told = ear.wait("requests")
    assert (told["open"], told["urgent"], told["new"], told["overdue"]) == (1, 1, 1, 0)
    assert told["came"] == {
        "request_id": row.request_id, "urgent": True, "kind_zh": "燃气泄漏", "kind_en": "Gas leak", "building": "3栋",
    }  # fmt: skip
    assert picture.veiled("requests", told) is None
    assert picture.whole(hall.core)["requests"]["open"] == 1
    requests.do(hall.core, 1, "accept", "王芳")
    assert ear.wait("requests")["changed"] == 1
    stream.close()


@pytest.fixture
def desk(hall: ConsoleHall, browser: Browser) -> Page:
    """A console that somebody has just opened, in a browser."""
    base = hall.serve()
    page = browser.new_context(base_url=base).new_page()
    page.goto("/console/sign-in")
    page.get_by_label("姓名").fill(ADMIN)
    page.get_by_label("密码").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_selector("#queue h2")
    return page


@pytest.mark.slow
def test_an_urgent_request_comes_by_itself_and_is_seen_to_without_a_reload(hall: ConsoleHall, desk: Page) -> None:
    rings = int(desk.evaluate("document.documentElement.dataset.rings || 0"))
    ask(hall, "a", "gas")
    expect(desk.locator("#requests .warn-line")).to_contain_text("紧急诉求：燃气泄漏 3栋")
    expect(desk.locator("#toast")).to_contain_text("紧急诉求")
    assert int(desk.evaluate("document.documentElement.dataset.rings || 0")) > rings, "and it is heard"
    desk.locator("#requests .warn-line a").click()
    desk.get_by_role("button", name="受理").click()
    expect(desk.locator(".saved").first).to_be_visible()
    desk.get_by_label("内部备注").fill("正在写一半")
    requests.do(hall.core, 1, "start", "李强")
    expect(desk.locator("[data-news]")).to_be_visible()
    assert desk.get_by_label("内部备注").input_value() == "正在写一半", "nothing typed is lost"
    desk.goto("/console/requests")
    ask(hall, "b", "trapped")
    expect(desk.locator("table")).to_contain_text("电梯困人")
