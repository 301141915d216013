"""Opening hours: is it open, when next, in whose words; and a number that is refused with the time."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from devices.faults import OrderRefused
from kiosk import hours
from kiosk.core import Core
from kiosk.rules.hours import (
    Book,
    HallDay,
    Week,
    both,
    closed_words,
    hall_spans,
    merged,
    read_spans,
    say_spans,
    spans_of,
    standing,
)
from tests.kiosk.conftest import HeldClock

SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING, AFTERNOON = (540, 720), (840, 1020)
WORKDAYS = Week(dict.fromkeys(range(1, 6), (MORNING, AFTERNOON)))
#: 22 November 2026 is a Sunday.
HOLIDAY = {
    "2026-11-24": HallDay((), "消防演习", "Fire drill"),
    "2026-11-28": HallDay((MORNING,), "调休上班", "Workday"),
}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


def test_a_fresh_hall_without_hours_is_always_open() -> None:
    now_is = standing(Book(), "ZW-01", at(22, 3))
    assert (now_is.open, now_is.closes) == (True, None)


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        (at(23, 9), None),
        (at(23, 11, 59), None),
        (at(23, 12), at(23, 14)),  # the lunch break begins with its minute
        (at(23, 8, 59), at(23, 9)),
        (at(23, 17), at(25, 9)),  # Tuesday is a drill: Wednesday
        (at(22, 10), at(23, 9)),  # Sunday
        (at(27, 18), at(28, 9)),  # a Saturday that is worked
    ],
)
def test_the_halls_week_its_lunch_break_and_its_exceptions(moment: datetime, opens: datetime | None) -> None:
    now_is = standing(Book(WORKDAYS, HOLIDAY), "", moment)
    assert (now_is.open, now_is.opens) == (opens is None, opens)


def test_it_says_today_tomorrow_or_the_day() -> None:
    book = Book(WORKDAYS, HOLIDAY)

    def said(moment: datetime) -> tuple[str, str]:
        return closed_words(standing(book, "", moment), moment)

    assert said(at(23, 12))[0] == "大厅现在不办理，今天 14:00 开始办理"
    assert said(at(22, 12)) == (
        "大厅现在不办理，明天 9:00 开始办理",
        "The hall is closed now; it opens tomorrow at 9:00",
    )
    assert said(at(24, 10)) == (
        "消防演习，大厅现在不办理，明天 9:00 开始办理",
        "The hall is closed now (Fire drill); it opens tomorrow at 9:00",
    )
    assert said(at(21, 10))[1] == "The hall is closed now; it opens on Monday, 23 November, at 9:00"
    assert said(at(21, 10))[0] == "大厅现在不办理，周一（11月23日）9:00 开始办理"


def test_an_item_has_hours_of_its_own_within_the_halls() -> None:
    book = Book(WORKDAYS, HOLIDAY, {"ZW-09": Week({2: ((480, 660),), 4: ((480, 660),)})})
    assert spans_of(book, "ZW-09", date(2026, 11, 26)) == ((540, 660),)  # not before the hall opens
    now_is = standing(book, "ZW-09", at(23, 10))
    assert (now_is.open, now_is.whose) == (False, "item")
    assert now_is.opens == at(26, 9)  # Tuesday is a drill
    assert (
        closed_words(now_is, at(23, 10), "低保", "Allowance")[0]
        == "“低保”现在不办理，周四（11月26日）9:00 开始办理"
    )
    assert standing(book, "ZW-01", at(23, 10)).open


def test_on_a_worked_saturday_daily_items_are_served_and_tuesdays_are_not() -> None:
    daily = Week(dict.fromkeys(range(1, 6), ((540, 600),)))
    book = Book(WORKDAYS, HOLIDAY, {"ZW-01": daily, "ZW-09": Week({2: ((540, 600),)})})
    saturday = date(2026, 11, 28)
    assert spans_of(book, "ZW-01", saturday) == ((540, 600),)
    assert spans_of(book, "ZW-09", saturday) == ()
    assert hall_spans(book, saturday) == (MORNING,)


def test_a_hall_that_never_opens_again_says_ask_at_the_desk() -> None:
    book = Book(WORKDAYS, {}, {"ZW-01": Week({7: (MORNING,)})})
    now_is = standing(book, "ZW-01", at(23, 10))
    assert now_is.opens is None
    assert "请问服务台" in closed_words(now_is, at(23, 10), "甲", "A")[0]


def test_open_over_midnight_is_one_span() -> None:
    night = Book(Week({1: ((1200, 1440),), 2: ((0, 360),)}))
    assert standing(night, "", at(23, 21)).closes == at(24, 6)


def test_spans_are_read_as_people_write_them() -> None:
    assert read_spans("9:00-12:00 14:00-17:00") == (MORNING, AFTERNOON)
    assert read_spans("9－12，14：00至17:00") == (MORNING, AFTERNOON)
    assert read_spans("休") == read_spans("  ") == ()
    assert read_spans("0-24") == ((0, 1440),)
    assert read_spans(say_spans((MORNING, AFTERNOON))) == (MORNING, AFTERNOON)
    for wrong in ("12-9", "9:60-12", "25-26", "morning", "9", "9-9", "9:5-10", "²-3", "-5-9"):
        with pytest.raises(OrderRefused):
            read_spans(wrong)


def test_spans_are_merged_and_crossed() -> None:
    assert merged([(720, 840), MORNING, (800, 1020)]) == ((540, 1020),)
    assert both((MORNING, AFTERNOON), ((600, 900),)) == ((600, 720), (840, 900))


# ---------------------------------------------------------------- on a real notebook


def closed_on_sundays(core: Core) -> None:
    hours.set_week(core, "", WORKDAYS.spans)


def test_a_closed_hall_gives_no_number_and_says_when_it_opens(
    core: Core, client: FlaskClient, clock: HeldClock
) -> None:
    closed_on_sundays(core)
    answer = client.post("/api/tickets", json={"service": "ZW-01", "key": "sunday"})
    assert answer.status_code == 409
    assert answer.get_json()["error"] == {
        "code": "hall_closed",
        "zh": "大厅现在不办理，明天 9:00 开始办理",
        "en": "The hall is closed now; it opens tomorrow at 9:00",
    }
    clock.forward(hours=23)
    assert client.post("/api/tickets", json={"service": "ZW-01", "key": "sunday"}).status_code == 201


def test_an_item_outside_its_hours_says_when_and_others_go_on(core: Core, client: FlaskClient) -> None:
    hours.set_week(core, "ZW-01", {7: [AFTERNOON]})
    error = client.post("/api/tickets", json={"service": "ZW-01", "key": "k"}).get_json()["error"]
    assert error["code"] == "item_closed"
    assert "今天 14:00 开始办理" in error["zh"]
    assert client.post("/api/tickets", json={"service": "ZW-02", "key": "k"}).status_code == 201


def test_a_number_that_was_taken_is_answered_again_after_closing(core: Core, client: FlaskClient) -> None:
    asked = {"service": "ZW-01", "key": "one"}
    number = client.post("/api/tickets", json=asked).get_json()["number"]
    closed_on_sundays(core)
    again = client.post("/api/tickets", json=asked)
    assert (again.status_code, again.get_json()["number"]) == (200, number)


def test_days_and_weeks_are_kept_and_taken_back(core: Core) -> None:
    closed_on_sundays(core)
    hours.put_days(core, HOLIDAY)
    assert hours.book(core.reader()) == Book(WORKDAYS, HOLIDAY)
    hours.drop_day(core, "2026-11-24")
    hours.set_week(core, "", {})
    assert hours.book(core.reader()).days.keys() == {"2026-11-28"}
    assert not hours.book(core.reader()).hall
    with pytest.raises(OrderRefused, match="no service"):
        hours.set_week(core, "XX-99", {})


# ---------------------------------------------------------------- a second touch


def touch(
    client: FlaskClient, key: str, service: str = "ZW-01", screen: str = "kiosk-1"
) -> tuple[int, dict[str, object]]:
    answer = client.post("/api/tickets", json={"service": service, "key": key, "screen": screen})
    return answer.status_code, answer.get_json()


def test_a_second_touch_within_two_seconds_is_the_same_ticket_and_says_so(
    client: FlaskClient, clock: HeldClock
) -> None:
    first = touch(client, "first")
    clock.forward(seconds=1.9)
    second = touch(client, "second")
    assert (first[0], second[0]) == (201, 200)
    assert first[1]["number"] == second[1]["number"] == "B001"
    assert second[1]["second_touch"] is True
    assert "刚才已经取过号" in str(second[1]["note"])
    clock.forward(seconds=60)
    assert touch(client, "second")[1]["number"] == "B001", "the key that was answered stays answered"
    assert touch(client, "third")[1]["number"] == "B002"


def test_after_two_seconds_at_another_screen_or_for_another_item_it_is_a_new_ticket(
    client: FlaskClient, clock: HeldClock
) -> None:
    touch(client, "first")
    assert touch(client, "other-screen", screen="kiosk-2")[1]["number"] == "B002"
    assert touch(client, "other-item", "ZW-02")[1]["number"] == "B003"
    clock.forward(seconds=2)
    assert touch(client, "later")[1]["number"] == "B004"
    program = {"service": "ZW-01"}
    numbers = [client.post("/api/tickets", json={**program, "key": key}).get_json()["number"] for key in "ab"]
    assert numbers == ["B005", "B006"], "a program that takes numbers for many people names no screen"


def test_the_key_of_a_second_touch_is_no_key_for_another_item(client: FlaskClient) -> None:
    touch(client, "first")
    touch(client, "second")
    status, said = touch(client, "second", "ZW-02")
    assert (status, said["error"]["code"]) == (409, "key_used")  # type: ignore[index]
