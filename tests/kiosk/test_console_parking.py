"""The car park's pages for staff, as a browser without scripts uses them; a real gateway with a real gateway.db."""

from __future__ import annotations

import html
import io
import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, stream_encode_multipart

from gateway.hall.parking_rows import BayTag, Entrance, Reckoning
from gateway.hall.state import Device
from kiosk.accounts import Accounts
from kiosk.console import plan_jobs
from tests.kiosk.care_hall import CareHall, now_ms
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, ORIGIN, Client
from tests.kiosk.parked_hall import parked_hall, task
from tests.parts import wait_until

pytestmark = pytest.mark.slow
PLAN = "/console/parking/plan"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CareHall]:
    at_ms = now_ms()
    rows = (
        task(1, "stuck", "bay:e2", "3 天没有变过", "It has not changed for 3 days"),
        task(2, "overstay", "bay:e7", "停了 12 分钟", "12 min already"),
        task(3, "drift", "site:site", "进减出是 9 辆", "In minus out says 9"),
        Device("gate-1", "gate_counter", at_ms, at_ms, 86_400_000, name="东门计数器"),
        Entrance("gate-1", "site", "", "东门", False, 41, 32, 41, 32, at_ms, at_ms),
        Reckoning("site:site", 0, at_ms, 9, 5, at_ms, "王芳"),
        BayTag("e1", "A·1", at_ms),
    )
    with parked_hall(tmp_path_factory.mktemp("parked"), *rows) as hall:
        yield hall


@pytest.fixture(scope="module")
def admin(hall: CareHall) -> Client:
    return hall.client()


def text(answer: TestResponse) -> str:
    body = re.sub(r"<(script|style|svg).*?</\1>", "", answer.text, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def plans(hall: CareHall) -> dict[str, tuple[object, ...]]:
    """What gateway.db has of each bay's plan."""
    rows = hall.core.gateway_reader().execute(
        "SELECT bay_id, zone_id, kind, label, x_m, y_m, permits FROM bay_plans"
    )
    return {row["bay_id"]: tuple(row) for row in rows}


def hand_in(client: Client, raw: bytes | str, name: str = "plan.json") -> TestResponse:
    file = FileStorage(io.BytesIO(raw if isinstance(raw, bytes) else raw.encode()), name)
    # In memory: the test client's own way leaves a file open behind a large body.
    body, length, boundary = stream_encode_multipart(
        {"form_token": client.token(PLAN), "text": "", "file": file}, use_tempfile=False
    )
    kind = f'multipart/form-data; boundary="{boundary}"'
    return client.post(
        PLAN, input_stream=body, content_type=kind, content_length=length, headers={"Origin": ORIGIN}
    )


# ---------------------------------------------------------------- tasks and sums


def test_a_car_in_a_fire_lane_stands_before_all_else(admin: Client) -> None:
    page = text(admin.get("/console/parking/tasks"))
    order = [page.index(word) for word in ("占用消防通道", "数目对不上", "传感器可能坏了")]
    assert order == sorted(order)
    assert "东区 E7" in page and "停了 12 分钟" in page
    assert "进 41，出 32" in page and "+4" in page
    assert "另有 1 个不明" in page and "另有 1 个停用" in page
    assert "A·1" in page
    box = admin.get("/console/api/parking/tasks").get_json()
    assert (box["open"], [one["kind"] for one in box["first"]]) == (3, ["fire_lane", "drift", "stuck"])


def test_a_task_is_taken_and_finished_with_a_note(hall: CareHall, admin: Client) -> None:
    page = "/console/parking/tasks"
    assert admin.form(page, task_id="1", do="take").status_code == 303
    assert f"{ADMIN} 在办" in text(admin.get(page))
    done = admin.form(page, task_id="1", do="finish", note="换了传感器 <b>新的</b>")
    assert "记下了：办完" in text(admin.get(done.location))
    row = hall.core.gateway_reader().execute("SELECT * FROM parking_tasks WHERE task_id = 1").fetchone()
    assert (row["done_by"], row["note"]) == (ADMIN, "换了传感器 <b>新的</b>")
    again = admin.form(page, task_id="1", do="take")
    assert again.status_code == 409 and re.search("没有待办 1|已经办完", text(again))
    assert admin.form(page, task_id="x", do="take").status_code == 409
    assert admin.form(page, task_id="2", do="burn").status_code == 400


def test_whoever_has_counted_says_so_and_the_sum_begins_anew(hall: CareHall, admin: Client) -> None:
    count, tasks = "/console/parking/count", "/console/parking/tasks"
    for wrong in ("-3", "", "3.5", "NaN", "九"):
        assert admin.form(count, tasks, subject="site:site", taken=wrong).status_code == 409
    assert admin.form(count, tasks, subject="site:nowhere", taken="3").status_code == 409
    assert admin.form(count, tasks, subject="site:site", taken="3").status_code == 303
    row = hall.core.gateway_reader().execute("SELECT * FROM parking_reckonings").fetchone()
    assert (row["base"], row["counted"], row["by"]) == (3, 3, ADMIN)


# ---------------------------------------------------------------- the plan


def test_a_plan_is_looked_at_then_used_then_undone(hall: CareHall, admin: Client) -> None:
    before = plans(hall)
    rows = [{"bay_id": f"e{n}", "x_m": 10 + 3 * n, "y_m": 50} for n in range(1, 5)]
    draft = hand_in(admin, json.dumps({"bays": rows}), "新图.json")
    assert draft.status_code == 303
    shown = text(admin.get(draft.location))
    assert "新图.json" in shown and re.search(r"改的 4 从图上拿掉 4", shown), shown
    assert plans(hall) == before, "looking changes nothing"
    used = admin.form(draft.location)
    assert "已经用上了，4 个车位" in text(admin.get(used.location))
    assert plans(hall)["e1"][4:6] == (13.0, 50.0)
    assert "e8" not in plans(hall) and "w8" in plans(hall)
    kept = re.findall(r'href="(/console/parking/plan/\d+)\?again=1">用回这一份', admin.get(PLAN).text)
    admin.form(kept[0])
    assert plans(hall) == before, "all of it is as it was"


def test_going_back_also_takes_off_what_the_earlier_plan_did_not_draw(hall: CareHall, admin: Client) -> None:
    before = plans(hall)
    for bay_id in [one for one in before if one.startswith("w")]:
        hall.core.link.order("drop_bay_plan", bay_id=bay_id, by="t")
    draft = hand_in(admin, '{"bays": [{"bay_id": "w1", "x_m": 60, "y_m": 60}]}')
    admin.form(draft.location)
    assert "w1" in plans(hall)
    kept = re.findall(r'href="(/console/parking/plan/\d+)\?again=1">用回这一份', admin.get(PLAN).text)
    admin.form(kept[0])
    assert not [one for one in plans(hall) if one.startswith("w")]
    whole = re.findall(r'href="(/console/parking/plan/\d+)\?again=1">用回这一份', admin.get(PLAN).text)
    admin.form(whole[-1])
    assert plans(hall) == before


@pytest.mark.parametrize(
    ("raw", "name", "zh", "en"),
    [
        (b"x" * 2_000_000, "plan.csv", "文件太大，最多 1000 KB", "larger than 1000 KB"),
        ('{"bays": [{"bay_id": "e1", "x_m": NaN}]}', "nan.json", "NaN 不是数", "NaN is not a number"),
        ('{"bays": [', "half.json", "不是 JSON", "no JSON"),
        (b"PK\x03\x04....", "plan.xlsx", "Excel 工作簿", "Excel workbook"),
    ],
)
def test_a_file_that_is_no_plan_is_answered_in_words(
    hall: CareHall, admin: Client, raw: bytes | str, name: str, zh: str, en: str
) -> None:
    before = plans(hall)
    answer = hand_in(admin, raw, name)
    assert answer.status_code == 409 and zh in text(answer)
    admin.get("/console/parking?lang=en")
    assert en in text(hand_in(admin, raw, name))
    admin.get("/console/parking?lang=zh")
    assert plans(hall) == before


def test_the_line_that_is_wrong_is_shown_as_it_was_written_and_cannot_be_used(
    hall: CareHall, admin: Client
) -> None:
    before = plans(hall)
    hostile = "<script>alert(1)</script>\u202e"
    lines = ("类别,编号,横坐标（米）,纵坐标（米）", "车位,e1,10,10", f"车位,{hostile},5,5", "车位,e2,-4,10")
    raw = "\n".join(lines)
    draft = hand_in(admin, raw, "<b>图</b>.csv")
    page = admin.get(draft.location)
    assert page.status_code == 409
    assert "文件第 3 行： 没有车位 &lt;script&gt;alert(1)" in re.sub(r"</?strong>", "", page.text)
    assert "文件第 4 行： 横坐标（米）：应为 0 到 5000 的数" in text(page)
    assert "<script>alert" not in page.text and "<b>图" not in page.text
    assert "确认，用这份图" not in page.text
    admin.form(draft.location, PLAN)
    assert plans(hall) == before, "the rule is asked again when it is used"


def test_a_zone_of_a_hundred_bays_is_laid_down_at_once_and_taken_off_again(
    hall: CareHall, admin: Client
) -> None:
    order = hall.core.link.order
    order("define_zone", zone_id="big", name_zh="大区", name_en="Big", by="t")
    rows = []
    for number in range(100):
        order("define_bay", bay_id=f"b{number}", zone_id="big", by="t")
        rows.append(
            {"bay_id": f"b{number}", "x_m": 5 + 3.0 * (number % 40), "y_m": 100 + 7.0 * (number // 40)}
        )
    draft = hand_in(admin, json.dumps({"bays": rows}))
    wait_until(
        lambda: "新的 100" in text(admin.get(draft.location)), lambda: text(admin.get(draft.location))[-300:]
    )
    admin.form(draft.location)
    wait_until(lambda: len(plans(hall)) >= 116, lambda: str(len(plans(hall))))
    picture = admin.get("/console/parking?zone=big")
    assert picture.text.count('data-bay="b') == 100
    kept = re.findall(r'href="(/console/parking/plan/\d+)\?again=1">用回这一份', admin.get(PLAN).text)
    admin.form(kept[0])
    wait_until(lambda: len(plans(hall)) == 16, lambda: str(len(plans(hall))))


def test_a_plan_says_how_far_it_is_and_can_be_stopped_until_it_is_written(
    hall: CareHall, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go, whole = threading.Event(), threading.Event(), plan_jobs.wrong_rows
    before = plans(hall)

    def slowly(*args: Any) -> Any:
        reached.set()
        assert go.wait(10)
        return whole(*args)

    draft = hand_in(admin, '{"bays": [{"bay_id": "e1", "x_m": 20, "y_m": 20}]}').location
    assert admin.get(draft).status_code == 200
    token = admin.token(draft)
    monkeypatch.setattr(plan_jobs, "wrong_rows", slowly)
    monkeypatch.setattr("kiosk.console.parking_plan.PATIENCE_S", 0.0)
    use, here = {"form_token": token}, {"Origin": ORIGIN}
    assert admin.post(draft, data=use, headers=here).status_code == 303
    assert reached.wait(10)
    running = admin.get(draft)
    told = [running.headers[name] for name in ("X-Done", "X-Of", "X-Stage")]
    assert (running.status_code, told) == (202, ["1", "4", "checking"])
    assert "正在检查每一个车位" in text(running) and "http-equiv" not in running.text.split("<noscript>")[0]
    assert admin.post(draft, data={**use, "do": "stop"}, headers=here).status_code == 303
    go.set()
    wait_until(lambda: admin.get(draft).status_code == 200, lambda: admin.get(draft).text)
    assert "已停下，什么也没有改" in text(admin.get(draft)) and plans(hall) == before
    # Looked at again, at an address that may be asked for any number of times.
    again = admin.get(f"{draft}?again=1")
    assert (again.status_code, again.location) == (303, draft)
    wait_until(lambda: "改的 1" in text(admin.get(draft)), lambda: admin.get(draft).text)


def test_the_plan_is_exported_as_it_is_handed_in(admin: Client) -> None:
    for ending in ("json", "csv"):
        raw = admin.get(f"{PLAN}.{ending}").data
        draft = hand_in(admin, raw, f"plan.{ending}")
        shown = text(admin.get(draft.location))
        assert re.search(r"新的 0 改的 0 从图上拿掉 0", shown), shown


# ---------------------------------------------------------------- the forms


def test_each_thing_has_a_form_whose_mistakes_keep_what_was_typed(hall: CareHall, admin: Client) -> None:
    bay = "/console/parking/set-up/bays/e1"
    fields = {"zone_id": "east", "kind": "visitor", "label": "E1", "permits": "A·1 B2", "stays_min": "30",
              "x_m": "10.5", "y_m": "10", "long_m": "5.3", "wide_m": "2.5", "turn_deg": "0"}  # fmt: skip
    assert admin.form(bay, **fields).status_code == 303
    assert plans(hall)["e1"][4] == 10.5 and json.loads(str(plans(hall)["e1"][6])) == ["A·1", "B2"]
    for wrong in (
        {"long_m": "-5"},
        {"x_m": "nan"},
        {"x_m": "inf"},
        {"stays_min": "soon"},
        {"zone_id": "moon"},
    ):
        answer = admin.form(bay, **{**fields, "label": "新号", **wrong})
        assert answer.status_code == 409, wrong
        assert 'value="新号"' in answer.text, "what was typed is still there"
    zone = "/console/parking/set-up/zones/east"
    limits = {"site_id": "site", "stays_min": "0", "residents_reserve": "1", "disabled_reserve": "0", "full_at": "0",
              "emergency_reserve": "0", "full_until": "1", "almost_at": "2", "almost_until": "4"}  # fmt: skip
    assert admin.form(zone, **limits).status_code == 303
    assert "解除的数" in text(admin.form(zone, **{**limits, "full_until": "0"}))
    admin.form(zone, **{**limits, "residents_reserve": "0"})
    place = admin.form("/console/parking/set-up/places/new", key="b9", kind="building", name_zh="<i>9栋", name_en="B 9",
                       x_m="50", y_m="5")  # fmt: skip
    assert place.status_code == 303 and "<i>" not in admin.get("/console/parking").text
    assert admin.form("/console/parking/set-up/places/b9", do="drop").status_code == 400, (
        "not without being sure"
    )
    assert admin.form("/console/parking/set-up/places/b9", do="drop", sure="yes").status_code == 303
    gate = "/console/parking/set-up/entrances/new"
    named = {"site_id": "site", "zone_id": "", "name": "西门", "counts": ""}
    assert admin.form(gate, key="gate-1", **named).status_code == 303
    assert "不是已认领" in text(admin.form(gate, key="e1", **named))
    assert admin.get("/console/parking/set-up/bays/nobody").status_code == 404


def test_staff_look_and_see_to_tasks_but_lay_nothing_down(hall: CareHall) -> None:
    accounts = Accounts(hall.writer.write, hall.core.reader, now_ms, hall.house.home)
    boss = accounts.session(accounts.sign_in(ADMIN, ADMIN_PASSWORD, "here"))
    assert boss is not None
    word = accounts.add(boss, "李强", "staff")
    staff = Client(hall.app)
    staff.sign_in("李强", word)
    staff.form("/console/password", old=word, password="一句很长的话，够了", again="一句很长的话，够了")
    page = staff.get("/console/parking/set-up/bays/e1")
    assert page.status_code == 200 and "只有管理员能改" in text(page) and ">保存<" not in page.text
    assert staff.form("/console/parking/tasks", task_id="2", do="take").status_code == 303
    assert staff.get(PLAN).status_code == 403
