"""The console's pages about visits and meals: plain forms against a real gateway; a refusal keeps what was typed."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from kiosk import kitchen
from linli.broker import free_port
from tests.kiosk.care_hall import CareHall, care_hall, today
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, Client
from tests.parts import Process, wait_until
from tests.whole_hall import chromium

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CareHall]:
    """One gateway for the tests that leave each other's people alone."""
    with care_hall(tmp_path_factory.mktemp("care")) as hall:
        yield hall


@pytest.fixture
def client(shared: CareHall) -> Client:
    return shared.client()


def text(answer: TestResponse) -> str:
    """What a person reads: no tags, no runs of blanks."""
    body = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def visit_id(person_id: str, shared: CareHall, reason: str = "") -> str:
    row = shared.core.gateway_reader().execute(
        "SELECT visit_id FROM visits WHERE person_id = ? AND state IN ('due', 'missed') AND reason LIKE ?",
        (person_id, reason or "%"),
    )
    return str(row.fetchone()[0])


def state_of(name: str, shared: CareHall) -> tuple[str, str, str]:
    row = (
        shared.core.gateway_reader()
        .execute("SELECT state, outcome, note FROM visits WHERE visit_id = ?", (name,))
        .fetchone()
    )
    return tuple(row)


# ---------------------------------------------------------------- visits


def test_the_list_is_by_grid_one_line_a_home_the_silent_one_first(shared: CareHall, client: Client) -> None:
    page = text(client.get("/console/visits?when=all"))
    assert page.index("一网格 ") < page.index("二网格 ")
    assert page.index("王秀英") < page.index("陈阿婆"), "nothing stirs there"
    assert page.count("陈阿婆") == 2, "two visits, one line (and the form below names everybody)"
    assert "过期 3 天" in page and "已报楼栋长" in page and "敲门没人" in page
    assert "高血压" not in page, "health is not for this page"
    overdue = text(client.get("/console/visits?when=overdue&grid=二网格"))
    assert "陈阿婆" in overdue and "赵德福" not in overdue.split("另开一次回访")[0]
    english = text(client.get("/console/visits?when=all&lang=en"))
    assert "Nothing stirs at home" in english and "3 days overdue" in english


def test_one_touch_is_done_and_can_be_taken_back(shared: CareHall, client: Client) -> None:
    name = visit_id("p-1", shared)
    answer = client.form("/console/visits/write?when=all", "/console/visits", visit_id=name, outcome="well")
    assert answer.status_code == 303
    page = client.get(answer.location)
    assert "已记下：3栋1单元302 平安" in text(page) and state_of(name, shared)[:2] == ("done", "well")
    assert "when=all" in answer.location, "the list stays as it was asked for"
    answer = client.form("/console/visits/undo?when=all", "/console/visits", visit_id=name)
    assert "又回到名单" in text(client.get(answer.location))
    assert state_of(name, shared)[0] == "due"


def test_what_is_refused_keeps_what_was_typed_and_says_why(shared: CareHall, client: Client) -> None:
    name = visit_id("p-2", shared)
    form = {
        "visit_id": name,
        "whole": "yes",
        "outcome": "away",
        "note": "去儿子家“过冬”",
        "until": "2020-01-01",
    }
    answer = client.form("/console/visits/write", f"/console/visits/write/{name}", **form)
    assert answer.status_code == 409
    assert "暂停要有结束日期" in text(answer) and "去儿子家“过冬”" in html.unescape(answer.text)
    assert 'value="away" required checked' in answer.text and 'value="2020-01-01"' in answer.text
    assert state_of(name, shared)[0] == "due"
    wrong = client.form(
        "/console/visits/write", f"/console/visits/write/{name}", **{**form, "until": "", "seen_at": "昨天"}
    )
    assert wrong.status_code == 409 and "时间应像" in text(wrong)


def test_needs_help_raises_a_call_and_says_its_number(shared: CareHall, client: Client) -> None:
    name = visit_id("p-4", shared)
    form = {"visit_id": name, "whole": "yes", "outcome": "help", "raise": "repair", "note": "水管漏"}
    answer = client.form("/console/visits/write", f"/console/visits/write/{name}", **form)
    assert re.search(r"第 \d+ 号呼叫", text(client.get(answer.location)))
    calls = shared.core.gateway_reader().execute(
        "SELECT kind, place, person_id FROM calls WHERE kind = 'repair'"
    )
    assert [tuple(row)[0::2] for row in calls] == [("repair", "p-4")]
    gone = client.get(f"/console/visits/write/{name}")
    assert gone.status_code == 404 and "已经记下或取消" in text(gone)


def test_nobody_opens_and_it_stays_in_the_list(shared: CareHall, client: Client) -> None:
    name = visit_id("p-5", shared, "weekly")
    form = {"visit_id": name, "whole": "yes", "outcome": "nobody", "note": "下午再去"}
    answer = client.form("/console/visits/write", f"/console/visits/write/{name}", **form)
    assert "名单里还留着" in text(client.get(answer.location))
    assert state_of(name, shared)[0] in ("due", "missed")


def test_a_visit_is_opened_once_and_a_person_is_paused_and_comes_back(
    shared: CareHall, client: Client
) -> None:
    for told in ("已开单", "已有一张"):
        answer = client.form("/console/visits/open", "/console/visits", person_id="p-3", note="刚出院")
        assert told in text(client.get(answer.location))
    page = "/console/visits/person/p-3"
    until = (today() + timedelta(days=9)).isoformat()
    answer = client.form(page, do="pause", until=until, reason="hospital")
    told = text(client.get(answer.location))
    assert "已暂停" in told and "住院" in told and "取消 住院或外出" in told
    answer = client.form(page, do="resume")
    told = text(client.get(answer.location))
    assert "已恢复" in told and "事后回访 待访" in told, "after a hospital somebody goes within a day"
    bad = client.form(page, do="pause", until="明天", reason="away")
    assert bad.status_code == 409 and "日期应像" in text(bad)
    assert client.get("/console/visits/person/nobody").status_code == 404


def test_the_months_coverage_as_page_csv_and_json_is_the_same(shared: CareHall, client: Client) -> None:
    told = json.loads(client.get("/console/api/visits/coverage").data)
    assert {one["grid"] for one in told["grids"]} <= {"一网格", "二网格"}
    assert told["whole"]["due"] == sum(one["due"] for one in told["grids"])
    answer = client.get("/console/visits/coverage.csv")
    assert answer.data.startswith("\ufeff".encode()) and "attachment" in answer.headers["Content-Disposition"]
    lines = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert lines[0][0] == "网格" and lines[-1][:2] == ["全部", str(told["whole"]["due"])]
    page = text(client.get("/console/visits/coverage"))
    assert "月探访率" in page and "100%" in page
    empty = text(client.get("/console/visits/coverage?month=2020-01&lang=en"))
    assert "Nobody is due in this month" in empty
    assert client.get("/console/visits/coverage?month=rubbish&lang=zh").status_code == 200


# ---------------------------------------------------------------- meals


def test_a_press_stands_in_the_days_list_and_is_delivered(shared: CareHall, client: Client) -> None:
    button = shared.gateway.device()
    button.press("meal-1", "9f00000000000000", 1)
    button.press("meal-1", "9f00000000000000", 2)
    reader = shared.core.gateway_reader()
    wait_until(
        lambda: reader.execute("SELECT 1 FROM calls WHERE presses = 2").fetchone() is not None,
        lambda: "pressed",
    )
    call_id = reader.execute("SELECT call_id FROM meal_orders WHERE device_id = 'meal-1'").fetchone()[0]
    day = reader.execute("SELECT day FROM meal_orders WHERE call_id = ?", (call_id,)).fetchone()[0]
    page = text(client.get(f"/console/meals?day={day}"))
    assert "张桂兰" in page and "按了 2 次，只算一份" in page and "厨房小票还没出" in page
    kitchen.tell(shared.core)
    assert "厨房已收单" in text(client.get(f"/console/meals?day={day}"))
    answer = client.form(
        f"/console/meals/act?day={day}", "/console/meals", do="deliver", call_id=str(call_id)
    )
    assert "已记下送到" in text(client.get(answer.location))
    again = client.form(f"/console/meals/act?day={day}", "/console/meals", do="cancel", call_id=str(call_id))
    assert again.status_code == 409 and "已经送到" in text(again)


def test_orders_by_telephone_sums_and_the_kitchens_list(shared: CareHall, client: Client) -> None:
    day = (today() + timedelta(days=1)).isoformat()
    where = f"/console/meals/order?day={day}"
    order = {"person_id": "p-2", "meal": "dinner", "portions": "2", "key": "k-1"}
    for _ in range(2):  # a double tap
        answer = client.form(where, f"/console/meals?day={day}", **order)
        assert "已订 2 份" in text(client.get(answer.location))
    client.form(
        where, f"/console/meals?day={day}", **{**order, "person_id": "p-3", "portions": "1", "key": "k-2"}
    )
    page = text(client.get(f"/console/meals?day={day}"))
    assert "鸡蛋面 × 3" in page and "3 栋：2 份 · 7 栋：1 份" in page and "不收费" in page
    bad = client.form(where, f"/console/meals?day={day}", **{**order, "portions": "99", "key": "k-3"})
    assert bad.status_code == 409 and 'value="99"' in bad.text and "1 到 20" in text(bad)
    answer = client.form(f"/console/meals/list?day={day}", f"/console/meals?day={day}", meal="dinner")
    assert "汇总已交给打印机" in text(client.get(answer.location))
    body = shared.core.reader().execute("SELECT body FROM slips ORDER BY slip_id DESC LIMIT 1").fetchone()[0]
    assert "鸡蛋面 × 3" in body and "共 3 份" in body
    answer = client.form(
        f"/console/meals/act?day={day}", f"/console/meals?day={day}", do="deliver_all", meal="dinner"
    )
    assert "已记下 2 份送到" in text(client.get(answer.location))


def test_a_day_without_a_menu_says_what_to_do_first(shared: CareHall, client: Client) -> None:
    day = (today() + timedelta(days=20)).isoformat()
    page = client.get(f"/console/meals?day={day}")
    assert "请先填菜单" in text(page) and f"edit={day}" in page.text


def test_the_menu_of_a_week_by_paste_by_hand_and_away_again(shared: CareHall, client: Client) -> None:
    monday = today() + timedelta(days=28 - today().weekday())
    where = f"/console/meals/menu/paste?week={monday}"
    broken = "周一 午餐 鱼 12 10:00\n周二 宵夜 肉 12 10:00"
    refused = client.form(where, "/console/meals/menu", week=broken)
    assert refused.status_code == 409 and "第 2 行：要写早餐、午餐或晚餐：宵夜" in text(refused)
    assert "周二 宵夜 肉 12 10:00" in refused.text
    answer = client.form(
        where, "/console/meals/menu", week="周一 午餐 鱼 12 10:00\n周二 早餐 粥 4 前一天20:00"
    )
    page = text(client.get(answer.location))
    assert "已写入 2 餐" in page and "鱼" in page and "前一天 20:00 截止" in page
    form = {"day": monday.isoformat(), "meal": "lunch", "dish": "虾", "price": "贵", "cutoff": "9:30"}
    bad = client.form(f"/console/meals/menu?week={monday}", "/console/meals/menu", **form)
    assert bad.status_code == 409 and 'value="虾"' in bad.text and "价格看不懂：贵" in text(bad)
    client.form(f"/console/meals/menu?week={monday}", "/console/meals/menu", **{**form, "price": "15.5"})
    edit = client.get(f"/console/meals/menu?week={monday}&edit={monday}&meal=lunch").text
    assert 'value="虾"' in edit and 'value="15.50"' in edit and 'value="09:30"' in edit
    dropped = client.form(
        f"/console/meals/menu/drop?week={monday}", "/console/meals/menu", day=form["day"], meal="lunch"
    )
    page = text(client.get(dropped.location))
    assert "已删除" in page and "虾" not in page


# ---------------------------------------------------------------- when something is away


def test_without_a_gateway_the_pages_show_what_was_written_last_and_change_nothing(tmp_path: Path) -> None:
    with care_hall(tmp_path) as hall:
        client = hall.client()
        name = visit_id("p-1", hall)
        hall.gateway.process.kill()
        wait_until(lambda: not hall.link.connected, lambda: "the link is down")
        page = client.get("/console/visits?when=all")
        assert "张桂兰" in page.text and "网关没有应答" in text(page) and "disabled" in page.text
        answer = client.form("/console/visits/write", "/console/visits", visit_id=name, outcome="well")
        assert answer.status_code == 409 and "网关没有应答" in text(answer)
        for file in tmp_path.glob("gateway.db*"):
            file.unlink()
        for path in ("/console/visits", "/console/meals", "/console/meals/menu", "/console/visits/coverage"):
            answer = client.get(path)
            assert answer.status_code == 503 and "记录读不到" in text(answer), path
        assert client.get("/console/visits/coverage.csv").status_code == 503


def test_an_empty_hall_says_what_to_do_first(tmp_path: Path) -> None:
    with care_hall(tmp_path, []) as hall:
        client = hall.client()
        assert "没有要探访的" in text(client.get("/console/visits"))
        assert "在居民资料里选" in text(client.get("/console/visits"))
        assert "请先填菜单" in text(client.get("/console/meals"))
        assert "这个月没有要探访的" in text(client.get("/console/visits/coverage"))


@pytest.mark.parametrize(
    "path", ["/console/visits", "/console/visits/coverage", "/console/meals", "/console/meals/menu"]
)
def test_nobody_reads_these_without_signing_in(shared: CareHall, path: str) -> None:
    answer = Client(shared.app).get(path)
    assert answer.status_code == 303 and "/sign-in" in answer.location


def test_a_call_rings_on_these_pages_and_one_touch_works_in_a_browser(tmp_path: Path) -> None:
    """The only screen of a small hall may stand on the list of visits when somebody presses."""
    with care_hall(tmp_path) as hall, chromium() as browser:
        hall.close()  # its files are the kiosk's, which is a process here
        port = free_port()
        kiosk = Process("kiosk", {**hall.gateway.environ, "LINLI_HTTP_PORT": str(port)})
        kiosk.wait_line("the faces are on")
        page = browser.new_page(viewport={"width": 1024, "height": 768})
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        address = f"http://127.0.0.1:{port}"
        page.goto(f"{address}/console/sign-in")
        page.fill("input[name=name]", ADMIN)
        page.fill("input[name=password]", ADMIN_PASSWORD)
        page.click("button.main")
        page.goto(f"{address}/console/visits?when=all")
        page.locator("tr", has_text="张桂兰").locator("button.main").click()
        page.wait_for_selector(".saved >> text=平安")
        hall.gateway.device().press("btn-9", "9f00000000000000", 1)
        page.wait_for_selector("#ringing >> visible=true")
        page.wait_for_function("() => document.documentElement.dataset.ringing === 'emergency'")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert wrong == []
        page.close()
        kiosk.stop()
