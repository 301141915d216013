"""The pages of residents and helpers, as a browser without scripts uses them; real rules, real gateway.db."""

from __future__ import annotations

import html
import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from gateway.hall.rows import Helper, Person, Shift
from kiosk.console import imports
from kiosk.console.import_jobs import ImportJobs
from kiosk.core import Core
from kiosk.sheet import Entry
from tests.kiosk.console_hall import ORIGIN, Client
from tests.kiosk.roster_hall import RosterHall, roster_hall

ZHANG = {
    "name": "张三丰",
    "building": "3栋",
    "unit": "1单元",
    "room": "302",
    "grid": "第一网格",
    "active": "yes",
}


@pytest.fixture(scope="module")
def _hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RosterHall]:
    with roster_hall(tmp_path_factory.mktemp("people")) as hall:
        yield hall


@pytest.fixture
def hall(_hall: RosterHall) -> RosterHall:
    """The same hall for all (passwords are slow on purpose), emptied before each."""
    _hall.empty()
    return _hall


def people(hall: RosterHall) -> dict[str, Person]:
    return dict(hall.ruled.state.table(Person))


def upload(client: Client, what: str, raw: bytes, **fields: str) -> TestResponse:
    token = client.token(f"/console/lists/{what}")
    data = {"form_token": token, "file": (io.BytesIO(raw), "list.csv"), **fields}
    return client.post(f"/console/lists/{what}", data=data, headers={"Origin": ORIGIN})


def test_an_empty_hall_says_what_to_do_first(hall: RosterHall) -> None:
    page = hall.admin().get("/console/people").text
    assert "还没有登记居民" in page and "/console/people/new" in page
    assert "No residents yet" in hall.admin().get("/console/people?lang=en").text
    assert "还没有登记响应人员" in hall.admin().get("/console/helpers").text


def test_a_resident_is_written_down_found_and_changed(hall: RosterHall) -> None:
    staff = hall.staff()
    answer = staff.form("/console/people/new", **ZHANG, access="门禁 1234#")
    assert answer.status_code == 303
    (person,) = people(hall).values()
    assert (person.name, person.place, person.access) == ("张三丰", "", "门禁 1234#")
    listed = staff.get("/console/people?q=３栋").text  # full-width, as an input method gives it
    assert "张三丰" in listed and "3栋1单元302" in listed
    assert "张三丰" not in staff.get("/console/people?q=5栋").text
    saved = staff.form(
        f"/console/people/{person.person_id}", **{**ZHANG, "name": "张三"}, paused_day="2026-12-01"
    )
    assert saved.status_code == 303
    after = people(hall)[person.person_id]
    assert (after.name, after.access) == ("张三", "")
    # Paused until that day's end in the hall's zone, and the form shows the day again.
    assert after.paused_until_ms == 1_796_140_800_000
    assert 'value="2026-12-01"' in staff.get(f"/console/people/{person.person_id}").text


def test_what_was_typed_stays_when_it_is_refused_and_nothing_is_written(hall: RosterHall) -> None:
    answer = hall.staff().form("/console/people/new", **{**ZHANG, "phone": "没有电话"}, note="很爱<下棋>")
    assert answer.status_code == 409
    assert "电话：“没有电话”不像电话号码" in answer.text
    assert 'value="张三丰"' in answer.text and "很爱&lt;下棋&gt;" in answer.text
    assert people(hall) == {}


def test_medical_notes_are_shown_only_after_the_look_is_written_down(hall: RosterHall) -> None:
    hall.ruled.order("put_person", person_id="p-1", name="张三丰", medical="青霉素过敏")
    admin, staff = hall.admin(), hall.staff()
    assert "青霉素" not in admin.get("/console/people/p-1").text
    assert staff.form("/console/people/p-1/medical", page="/console/people/p-1").status_code == 403
    assert not [line for line in hall.journal() if line[0] == "MedicalSeen"]
    shown = admin.form("/console/people/p-1/medical", page="/console/people/p-1")
    assert "青霉素过敏" in shown.text
    assert [line for line in hall.journal() if line[0] == "MedicalSeen"] == [
        ("MedicalSeen", "person:p-1", "")
    ]
    admin.form(
        "/console/people/p-1/medical", page="/console/people/p-1", do="save", medical="青霉素、头孢过敏"
    )
    assert people(hall)["p-1"].medical == "青霉素、头孢过敏"
    # Saving the other fields leaves the notes alone.
    admin.form("/console/people/p-1", name="张三丰", active="yes")
    assert people(hall)["p-1"].medical == "青霉素、头孢过敏"
    assert "青霉素" not in str(hall.journal())


def test_when_the_gateway_is_away_the_pages_still_read_and_say_so(tmp_path: Path) -> None:
    with roster_hall(tmp_path) as hall:
        hall.ruled.order("put_person", person_id="p-1", name="张三丰")
        client = hall.staff()
        token = client.token("/console/people/p-1")
        stream = hall.hub.stream("staff")
        hall.gateway.close()
        while hall.link.connected:
            next(stream)
        stream.close()
        page = client.get("/console/people/p-1").text
        assert "张三丰" in page and "现在只能看，不能改" in page
        answer = client.post(
            "/console/people/p-1", data={"form_token": token, "name": "李四"}, headers={"Origin": ORIGIN}
        )
        assert answer.status_code == 503
        assert "什么也没有改" in answer.text and 'value="李四"' in answer.text


def test_a_page_says_that_somebody_calls_and_brings_the_script_that_rings(hall: RosterHall) -> None:
    client = hall.staff()
    stream = hall.hub.stream("staff")
    hall.gateway.press(7)
    while not hall.link.snapshot()["calls"]:
        next(stream)
    stream.close()
    page = client.get("/console/people").text
    assert "有 1 个呼叫没人接" in page and "console_care.js" in page


def test_a_resident_is_removed_only_by_an_administrator_who_is_sure(hall: RosterHall) -> None:
    hall.ruled.order("put_person", person_id="p-1", name="张三丰")
    at, page = "/console/people/p-1/drop", "/console/people/p-1"
    assert hall.staff().form(at, page=page, sure="yes").status_code == 403
    admin = hall.admin()
    assert admin.form(at, page=page).status_code == 400
    assert "p-1" in people(hall)
    assert admin.form(at, page=page, sure="yes").status_code == 303
    assert people(hall) == {}
    assert admin.get(page).status_code == 404


# ---------------------------------------------------------------- helpers


def test_a_helper_gets_channels_and_shifts_and_secrets_are_for_administrators(hall: RosterHall) -> None:
    admin, staff = hall.admin(), hall.staff()
    fields = {"name": "赵四", "role": "grid", "grid": "第一网格", "active": "yes"}
    wrong = admin.form("/console/helpers/new", **fields, channels="微信")
    assert wrong.status_code == 409 and "通知方式" in wrong.text and "赵四" in wrong.text
    admin.form("/console/helpers/new", **fields, channels="sms:13800000000\nwecombot://very-secret-key")
    (helper,) = hall.ruled.state.table(Helper).values()
    assert helper.channels == ("sms:13800000000", "wecombot://very-secret-key")
    page = f"/console/helpers/{helper.helper_id}"
    assert "very-secret-key" in admin.get(page).text
    assert "very-secret-key" not in staff.get(page).text
    assert staff.form(page, name="别人").status_code == 403
    # Whoever is at the desk writes down a shift.
    shift = {"day-0": "yes", "day-4": "yes", "from": "22:00", "to": "06:00", "holidays": "not", "every_weeks": "2",
             "week": "2", "first_day": "2026-11-23", "last_day": ""}  # fmt: skip
    assert staff.form(f"{page}/shifts", page=page, **shift).status_code == 303
    (made,) = hall.ruled.state.table(Shift).values()
    assert (made.weekdays, made.from_min, made.to_min, made.every_weeks, made.week) == (
        0b10001,
        1320,
        360,
        2,
        1,
    )
    shown = staff.get(page).text
    assert "周一、周五，22:00–06:00（第二天），2 周一轮的第 2 周，2026-11-23 至 …，按国家日历" in shown
    refused = staff.form(f"{page}/shifts", page=page, **{**shift, "first_day": ""})
    assert (
        refused.status_code == 409 and "轮班要有开始日期" in refused.text and 'value="22:00"' in refused.text
    )
    assert "请写成 08:30" in staff.form(f"{page}/shifts", page=page, **{**shift, "from": "晚上"}).text
    assert staff.form(f"{page}/shifts", page=page, do="drop", shift_id=made.shift_id).status_code == 303
    assert not hall.ruled.state.table(Shift)


def test_midnight_as_an_end_is_the_end_of_the_day(hall: RosterHall) -> None:
    hall.ruled.order("put_helper", helper_id="h-1", name="赵四", role="duty")
    shift = {f"day-{day}": "yes" for day in range(7)} | {"from": "18:00", "to": "00:00", "holidays": "too"}
    staff = hall.staff()
    staff.form("/console/helpers/h-1/shifts", page="/console/helpers/h-1", **shift, every_weeks="1", week="3")
    (made,) = hall.ruled.state.table(Shift).values()
    assert (made.from_min, made.to_min, made.week) == (1080, 1440, 0)
    shown = staff.get(f"/console/helpers/h-1?shift={made.shift_id}").text
    assert re.search(r'name="to"[^>]*value="00:00"', shown)


# ---------------------------------------------------------------- lists


def test_what_is_exported_comes_back_unchanged_and_without_medical_notes(hall: RosterHall) -> None:
    odd = {"name": "=张,“三”", "phone": "+86 138 0000 0000", "note": "一\n二"}
    care = {"medical": "过敏", "visit_tier": "weekly", "quiet_after_h": 24, "meal_free": True}
    hall.ruled.order("put_person", person_id="p-1", **odd, **care)
    hall.ruled.order("put_person", person_id="p-2", name="李四", active=False)
    admin = hall.admin()
    answer = admin.get("/console/lists/people.csv")
    raw = answer.get_data()
    assert answer.headers["Content-Disposition"].startswith("attachment") and raw.startswith(b"\xef\xbb\xbf")
    assert "'=张" in raw.decode() and "'+86" in raw.decode()  # no formula for a spreadsheet
    assert "过敏" not in raw.decode() and "每周" in raw.decode()
    before = people(hall)
    told = upload(admin, "people", raw).text
    assert "新增 0，修改 0，没有变化 2" in told
    assert people(hall) == before
    # As Chinese Excel saves it, with one word changed.
    text = raw.decode("utf-8-sig").replace("李四", "李肆")
    assert "修改 1" in upload(admin, "people", text.encode("gb18030")).text
    assert people(hall)["p-2"].name == "李肆" and people(hall)["p-1"].medical == "过敏"
    assert hall.staff().get("/console/lists/people.csv").status_code == 403


def test_one_wrong_line_and_nothing_is_imported_but_each_is_named(hall: RosterHall) -> None:
    raw = (
        "姓名,楼栋,房号,电话,探访,身高\n甲,1栋,101,13800000000,每月,170\n,1栋,102,,,\n"
        "乙,1栋,103,1.38E+10,,\n丙,1栋,104,,天天,\n甲,1栋,101,,,\n"
    ).encode()
    answer = upload(hall.admin(), "people", raw)
    page = html.unescape(answer.text)
    assert answer.status_code == 409 and "有 4 行不对，一行也没有导入" in page
    for said in (
        "姓名：请填写",
        "电话：“1.38E+10”",
        "探访：没有“天天”",
        "和第 2 行重复",
        "这些列没有读：身高",
    ):
        assert said in page
    assert people(hall) == {} and not [one for one in hall.gateway.orders if one["order"] == "put_many"]


def test_a_list_is_first_checked_then_imported_and_a_second_time_changes_nothing(hall: RosterHall) -> None:
    raw = "姓名\t楼栋\t房号\t在册\n甲\t1栋\t101\t是\n乙\t1栋\t102\t否\n".encode("utf-16")
    admin = hall.admin()
    assert "还没有导入：会新增 2" in upload(admin, "people", raw, check="yes").text
    assert people(hall) == {}
    assert "已导入：新增 2" in upload(admin, "people", raw).text
    assert {one.name: one.active for one in people(hall).values()} == {"甲": True, "乙": False}
    assert "新增 0，修改 0，没有变化 2" in upload(admin, "people", raw).text
    only_names = upload(admin, "people", "姓名,电话\n甲,13800000000\n".encode())
    assert only_names.status_code == 409 and "已经有同名的人" in only_names.text


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "请选择一个有内容的文件"),
        (b"PK\x03\x04rest", "这是 Excel 工作簿"),
        ("名字,电话\n甲,1\n".encode(), "其中要有“姓名”"),
        ("姓名,姓名\n甲,乙\n".encode(), "出现了两次"),
        ("姓名\n".encode(), "没有内容"),
        (b"\x81\xff\xff\x00,\n1,2", "编码看不懂"),
        ("姓名,楼栋\n甲,1栋,2,3\n".encode(), "比标题多了 2 格"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_what_to_do(hall: RosterHall, raw: bytes, said: str) -> None:
    answer = upload(hall.admin(), "people", raw)
    assert answer.status_code == 409 and said in html.unescape(answer.text)


def test_five_hundred_residents_come_in_one_order(hall: RosterHall) -> None:
    lines = [f"居民{n},{n % 30}栋,{n},1380000{n:04},第{n % 5}网格" for n in range(500)]
    answer = upload(hall.admin(), "people", ("姓名,楼栋,房号,电话,网格\n" + "\n".join(lines)).encode())
    assert "新增 500" in answer.text
    assert len(people(hall)) == 500
    assert sum(one["order"] == "put_many" for one in hall.gateway.orders) == 1


def test_a_long_list_says_which_line_it_is_at_and_can_be_stopped(
    hall: RosterHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go = threading.Event(), threading.Event()
    whole = imports.judge

    def slowly(core: Core, kind: imports.Kind, entries: list[Entry], **more: Any) -> Any:
        tell = more.pop("tell")

        def told(done: int) -> None:
            tell(done)
            if done == 2:
                reached.set()
                assert go.wait(10)

        return whole(core, kind, entries, tell=told, **more)

    monkeypatch.setattr(imports, "judge", slowly)
    monkeypatch.setattr(imports, "PATIENCE_S", 0.0)
    jobs: ImportJobs = hall.app.extensions.setdefault("linli.import_jobs", ImportJobs())
    admin, raw = hall.admin(), "姓名,楼栋\n甲,1栋\n乙,1栋\n丙,1栋\n丁,1栋\n".encode()
    for stop in (True, False):
        reached.clear()
        go.clear()
        answer = upload(admin, "people", raw)
        assert answer.status_code == 303
        where = answer.headers["Location"]
        job = jobs.of(where.rpartition("=")[2])
        assert job is not None and reached.wait(10)
        running = admin.get(where)
        assert (running.status_code, running.headers["X-Done"], running.headers["X-Of"]) == (202, "2", "4")
        assert "第 2 行，共 4 行" in running.text and 'value="2"' in running.text
        if stop:
            assert admin.form("/console/lists/people", do="stop", job=job.number).status_code == 303
        go.set()
        assert job.finished.wait(10)
        said = admin.get(where).text
        assert ("核对到第 3 行（共 4 行），一行也没有导入" if stop else "已导入：新增 4") in said
        assert len(people(hall)) == (0 if stop else 4)
    gone = admin.get("/console/lists/people?job=of-yesterday")
    assert gone.status_code == 404 and "没有留下" in gone.text


def test_helpers_come_from_a_list_too(hall: RosterHall) -> None:
    raw = "姓名,角色,网格,通知方式\n赵,网格员,第一网格,sms:13800000000 wecombot://k\n钱,duty,,\n孙,国王,,\n".encode()
    admin = hall.admin()
    assert "没有“国王”" in html.unescape(upload(admin, "helpers", raw).text)
    assert "新增 2" in upload(admin, "helpers", raw.replace("孙,国王,,\n".encode(), b"")).text
    told = {one.name: (one.role, one.channels) for one in hall.ruled.state.table(Helper).values()}
    assert told == {"赵": ("grid", ("sms:13800000000", "wecombot://k")), "钱": ("duty", ())}
