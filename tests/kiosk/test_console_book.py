"""The console's pages about appointments, opening hours and tokens: forms without a script, on a real kiosk.db."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from kiosk import appointments, hours
from kiosk.api_v1 import tokens
from kiosk.rules.appointment import read_code
from kiosk.rules.hours import HallDay
from tests.kiosk.console_hall import (
    ADMIN,
    ADMIN_PASSWORD,
    STAFF,
    STAFF_PASSWORD,
    Client,
    ConsoleHall,
    console_hall,
)

MORNING, AFTERNOON = (540, 720), (840, 1020)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path) as hall:
        hall.make_staff()
        yield hall


@pytest.fixture
def staff(hall: ConsoleHall) -> Client:
    return hall.client(STAFF, STAFF_PASSWORD)


def page(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def today(hall: ConsoleHall) -> datetime:
    return datetime.fromtimestamp(hall.clock.now_ms / 1000, hall.core.zone)


# ---------------------------------------------------------------- hours


def test_the_halls_week_is_typed_as_people_write_it(hall: ConsoleHall, staff: Client) -> None:
    week = {f"day-{number}": "9:00－12:00，14-17" for number in range(1, 6)} | {"day-6": "休", "day-7": ""}
    answer = staff.form("/console/hours", do="week", item="", **week)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/hours?saved=1")
    assert hours.book(hall.core.reader()).hall.spans == dict.fromkeys(range(1, 6), (MORNING, AFTERNOON))
    assert 'value="9:00-12:00 14:00-17:00"' in page(staff.get("/console/hours"))


def test_a_wrong_line_is_named_and_nothing_of_the_form_is_lost(hall: ConsoleHall, staff: Client) -> None:
    answer = staff.form("/console/hours", do="week", item="", **{"day-1": "9-12", "day-3": "early"})
    assert answer.status_code == 409
    assert "周三：看不懂时间“early”" in page(answer)
    assert 'value="9-12"' in page(answer)
    assert not hours.book(hall.core.reader()).hall


def test_an_item_has_its_own_week_and_loses_it_again(hall: ConsoleHall, staff: Client) -> None:
    staff.form("/console/hours", do="week", item="ZW-09", **{"day-2": "9:00-11:00"})
    assert hours.book(hall.core.reader()).items["ZW-09"].spans == {2: ((540, 660),)}
    assert "周二 9:00-11:00" in page(staff.get("/console/hours?item=ZW-09"))
    staff.form("/console/hours", do="week", item="ZW-09")
    assert hours.book(hall.core.reader()).items == {}
    assert staff.form("/console/hours", do="week", item="XX-99", **{"day-2": "9-11"}).status_code == 409


def test_holidays_are_pasted_with_working_days_and_short_days(hall: ConsoleHall, staff: Client) -> None:
    hours.set_week(hall.core, "", dict.fromkeys(range(1, 6), (MORNING, AFTERNOON)))
    first = today(hall).date() + timedelta(days=3)
    days = [(first + timedelta(days=ahead)).isoformat() for ahead in range(5)]
    pasted = f"{days[0]} 至 {days[1]} 春节\n{days[2]} 调休上班\n{days[3]} 年终 9:00-12:00"
    assert staff.form("/console/hours", do="days", list=pasted).status_code == 303
    assert hours.book(hall.core.reader()).days == {
        days[0]: HallDay((), "春节", "春节"),
        days[1]: HallDay((), "春节", "春节"),
        days[2]: HallDay((MORNING, AFTERNOON), "", ""),
        days[3]: HallDay((MORNING,), "年终", "年终"),
    }
    wrong = staff.form("/console/hours", do="days", list=f"{days[4]} 元旦\nnext week 休息")
    assert wrong.status_code == 409
    assert "第 2 行看不懂" in page(wrong)
    assert f"{days[4]} 元旦" in page(wrong)
    assert days[4] not in hours.book(hall.core.reader()).days, "all of it or nothing"
    staff.form("/console/hours", do="drop", day=days[0])
    assert days[0] not in hours.book(hall.core.reader()).days
    assert staff.form("/console/hours", do="roster").status_code == 409, "the roster has none"


# ---------------------------------------------------------------- appointments


def booked(hall: ConsoleHall, staff: Client, item: str = "ZW-09") -> str:
    """Book the last slot of tomorrow as staff do; the code as it is shown."""
    day = (today(hall).date() + timedelta(days=1)).isoformat()
    form = page(staff.get(f"/console/appointments?day={day}&item={item}"))
    slot = re.findall(r'name="slot_ms" value="(\d+)"', form)[-1]
    answer = staff.form(
        "/console/appointments", do="book", day=day, item=item, slot_ms=slot, lane_why="elder"
    )
    assert answer.status_code == 303
    where = answer.headers["Location"]
    shown = re.search(r'class="secret">([^<]+)<', page(staff.get(where)))
    assert shown is not None
    assert read_code(shown[1]) not in where, "no code in an address"
    return read_code(shown[1])


def test_staff_book_a_slot_and_hand_over_the_code(hall: ConsoleHall, staff: Client) -> None:
    code = booked(hall, staff)
    one = appointments.by_code(hall.core, code)
    assert (one.state, one.made_by, one.lane_why) == ("BOOKED", STAFF, "elder")
    kinds = [row["kind"] for row in hall.core.reader().execute("SELECT kind FROM slips")]
    assert kinds == ["receipt"]
    journal = str([tuple(row) for row in hall.core.reader().execute("SELECT * FROM staff_journal")])
    assert "booked" in journal
    assert code not in journal


def test_at_the_desk_somebody_is_checked_in_and_others_did_not_come(hall: ConsoleHall, staff: Client) -> None:
    codes = [booked(hall, staff), booked(hall, staff)]
    day = appointments.by_code(hall.core, codes[0]).business_day
    early = staff.form("/console/appointments", do="check_in", day=day, code=codes[0])
    assert early.status_code == 409
    assert "请到那天再来报到" in page(early)
    hall.clock.now_ms = appointments.by_code(hall.core, codes[0]).slot_ms
    # The night has signed everybody out.
    staff = hall.client(STAFF, STAFF_PASSWORD)
    answer = staff.form("/console/appointments", do="check_in", day=day, code=codes[0])
    assert "号码 B001" in page(staff.get(answer.headers["Location"]))
    assert staff.form("/console/appointments", do="miss", day=day, code=codes[1]).status_code == 303
    listed = page(staff.get(f"/console/appointments?day={day}"))
    assert "已报到" in listed
    assert "未到" in listed


def test_a_slip_is_printed_again_and_a_slot_given_back(hall: ConsoleHall, staff: Client) -> None:
    code = booked(hall, staff)
    staff.form("/console/appointments", do="print", code=code)
    assert hall.core.reader().execute("SELECT count(*) FROM slips").fetchone()[0] == 2
    assert staff.form("/console/appointments", do="cancel", code=code).status_code == 303
    assert appointments.by_code(hall.core, code).state == "CANCELLED"


@pytest.mark.parametrize(
    "fields", [{}, {"do": "explode"}, {"do": "cancel"}, {"do": "cancel", "code": "22222222"}]
)
def test_an_order_that_makes_no_sense_is_refused(staff: Client, fields: dict[str, str]) -> None:
    assert staff.form("/console/appointments", **fields).status_code in (400, 409)


@pytest.mark.parametrize("slot", ["", "x", "-1", "9" * 14, "1" * 40, "²"])
def test_a_slot_that_is_none_is_refused(staff: Client, slot: str) -> None:
    answer = staff.form("/console/appointments", do="book", item="ZW-09", slot_ms=slot, lane_why="")
    assert answer.status_code == 409


def test_days_that_are_none_show_today(hall: ConsoleHall, staff: Client) -> None:
    for day in ("", "x", "0001-01-01", "9999-12-31", "2026-02-30"):
        assert today(hall).date().isoformat() in page(staff.get(f"/console/appointments?day={day}"))


# ---------------------------------------------------------------- tokens


def test_a_token_is_shown_once_and_opens_what_was_ticked(hall: ConsoleHall) -> None:
    admin = hall.client(ADMIN, ADMIN_PASSWORD)
    ticks = {"queue:read": "yes", "tickets:take": "yes"}
    answer = admin.form("/console/tokens", do="make", name="叫号屏 <b>", **ticks)
    assert answer.status_code == 200
    found = re.search(r'class="secret token">(linli-[^<]+)<', page(answer))
    assert found is not None
    token = tokens.find(hall.core, found[1])
    assert token is not None
    assert (token.name, token.scopes, token.made_by) == ("叫号屏 <b>", "tickets:take queue:read", ADMIN)
    listed = page(admin.get("/console/tokens"))
    assert found[1] not in listed
    assert "叫号屏 &lt;b&gt;" in listed
    admin.form("/console/tokens", do="end", token_id=str(token.token_id))
    assert tokens.find(hall.core, found[1]) is None
    assert "已停用" in page(admin.get("/console/tokens"))


def test_a_token_without_name_or_scope_is_refused_and_the_form_stays(hall: ConsoleHall) -> None:
    admin = hall.client(ADMIN, ADMIN_PASSWORD)
    answer = admin.form("/console/tokens", do="make", name="小程序")
    assert answer.status_code == 409
    assert "请至少选一项权限" in page(answer)
    assert 'value="小程序"' in page(answer)
    assert admin.form("/console/tokens", do="make", name=" ", **{"queue:read": "yes"}).status_code == 409
    assert admin.form("/console/tokens", do="end", token_id="99").status_code == 409
    assert tokens.every(hall.core) == []


def test_all_pages_speak_english_and_have_no_script_inside(hall: ConsoleHall) -> None:
    admin = hall.client(ADMIN, ADMIN_PASSWORD)
    booked(hall, admin)
    for path, heading in (
        ("/console/hours?lang=en&item=ZW-09", "Opening hours"),
        ("/console/appointments?lang=en&item=ZW-09", "Appointments of"),
        ("/console/tokens?lang=en", "API tokens"),
    ):
        html = page(admin.get(path))
        assert f"<h1>{heading}" in html
        assert " style=" not in html
        assert " onclick=" not in html
