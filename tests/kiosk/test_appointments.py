"""Appointments, told as stories on a real notebook with a held clock (Sunday, 22 November 2026, 10:00)."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from devices.faults import OrderRefused
from kiosk import appointments, hours, line
from kiosk.appointments import Booked, UnknownCode
from kiosk.core import Core
from kiosk.line import KeyUsed
from kiosk.rules.appointment import (
    SIGNS,
    NotToday,
    SlotFull,
    SlotWrong,
    Terms,
    TooEarly,
    make_code,
    read_code,
    slots,
    spell_code,
)
from tests.kiosk.conftest import HeldClock

SHANGHAI = ZoneInfo("Asia/Shanghai")
HALF_PAST_TEN = round(datetime(2026, 11, 22, 10, 30, tzinfo=SHANGHAI).timestamp() * 1000)
MINUTE_MS = 60_000


def book(core: Core, slot_ms: int = HALF_PAST_TEN, key: str = "k", **more: str) -> Booked:
    return appointments.book(core, "ZW-09", slot_ms, key, "王芳", **more)  # type: ignore[arg-type]


def state(core: Core, code: str) -> str:
    return appointments.by_code(core, code).state


def test_who_comes_in_time_stands_at_the_slots_place(core: Core, clock: HeldClock) -> None:
    code = book(core).appointment.code
    clock.forward(seconds=20 * 60)  # 10:20
    early_walk_in = line.take_ticket(core, "ZW-09", "walk-in", "zh", "kiosk-1").ticket
    done = appointments.check_in(core, code, "zh", "kiosk-1")
    assert done.taken.new
    assert (done.appointment.state, done.appointment.ticket_id) == ("ARRIVED", done.taken.ticket.ticket_id)
    rank = {
        row["ticket_id"]: row["rank"] for row in core.reader().execute("SELECT ticket_id, rank FROM tickets")
    }
    assert rank[done.taken.ticket.ticket_id] == HALF_PAST_TEN * 1000
    assert rank[early_walk_in.ticket_id] == (HALF_PAST_TEN - 10 * MINUTE_MS) * 1000
    assert done.arrival is not None
    assert done.arrival.words_zh == "已报到，预约时间 10:30"


def test_ten_minutes_late_keeps_the_place_and_eleven_does_not(core: Core, clock: HeldClock) -> None:
    codes = [book(core, key=key).appointment.code for key in "ab"]
    clock.now_ms = HALF_PAST_TEN + 10 * MINUTE_MS
    in_grace = appointments.check_in(core, codes[0], "zh", "kiosk-1")
    assert in_grace.arrival is not None
    assert in_grace.arrival.rank == HALF_PAST_TEN * 1000
    clock.now_ms += MINUTE_MS
    late = appointments.check_in(core, codes[1], "en", "kiosk-1")
    assert late.arrival is not None
    assert (late.arrival.rank, late.arrival.late_ms) == (clock.now_ms * 1000, 11 * MINUTE_MS)
    assert "已经过了时间" in late.arrival.words_zh
    assert "order of arrival" in late.arrival.words_en


def test_who_is_too_early_is_told_when_and_nothing_changes(core: Core, clock: HeldClock) -> None:
    code = book(core, HALF_PAST_TEN + 60 * MINUTE_MS).appointment.code
    with pytest.raises(TooEarly) as told:
        appointments.check_in(core, code, "zh", "kiosk-1")
    assert "11:00 起可以报到" in told.value.why_zh
    assert (state(core, code), line.waiting(core)) == ("BOOKED", [])
    clock.forward(hours=1)
    assert appointments.check_in(core, code, "zh", "kiosk-1").taken.new


def test_another_day_is_named(core: Core, clock: HeldClock) -> None:
    code = book(core, HALF_PAST_TEN + 24 * 60 * MINUTE_MS).appointment.code
    with pytest.raises(NotToday, match="tomorrow at 10:30"):
        appointments.check_in(core, code, "zh", "kiosk-1")
    clock.forward(hours=48)
    with pytest.raises(NotToday) as told:
        appointments.check_in(core, code, "zh", "kiosk-1")
    assert "11月23日" in told.value.why_zh


def test_nobody_is_shown_a_number_that_is_over_as_his_own(core: Core, clock: HeldClock) -> None:
    booked = [book(core, key=key).appointment.code for key in ("one", "two")]
    first, second = (appointments.check_in(core, code, "zh", "kiosk-1").taken.ticket for code in booked)
    line.cancel(core, first.ticket_id, "phone")
    with pytest.raises(OrderRefused, match="was cancelled"):
        appointments.check_in(core, booked[0], "zh", "kiosk-1")
    assert appointments.check_in(core, booked[1], "zh", "kiosk-1").taken.ticket == second
    clock.forward(hours=24)
    with pytest.raises(NotToday, match="no longer valid"):
        appointments.check_in(core, booked[1], "zh", "kiosk-1")


def test_checking_in_again_is_the_same_number(core: Core, clock: HeldClock) -> None:
    code = book(core).appointment.code
    first = appointments.check_in(core, code, "zh", "kiosk-1")
    clock.forward(hours=1)
    again = appointments.check_in(core, code, "zh", "kiosk-2")
    assert (again.taken.ticket.ticket_id, again.taken.new, again.arrival) == (
        first.taken.ticket.ticket_id,
        False,
        None,
    )
    assert core.reader().execute("SELECT count(*) FROM tickets").fetchone()[0] == 1


def test_thirty_fingers_check_in_at_once_and_it_is_one_number(core: Core) -> None:
    code, seen = book(core).appointment.code, []
    fingers = [
        threading.Thread(
            target=lambda: seen.append(
                appointments.check_in(core, code, "zh", "kiosk-1").taken.ticket.spelled
            )
        )
        for _ in range(30)
    ]
    for one in fingers:
        one.start()
    for one in fingers:
        one.join()
    assert seen == ["B001"] * 30


def test_who_did_not_come_is_missed_and_still_gets_a_number_that_day(core: Core, clock: HeldClock) -> None:
    code = book(core).appointment.code
    clock.now_ms = HALF_PAST_TEN + 10 * MINUTE_MS
    assert appointments.sweep(core) == 0
    clock.now_ms += 1
    assert appointments.of_day(core, "2026-11-22")[0].state == "MISSED", (
        "the list does not wait for the sweep"
    )
    assert appointments.sweep(core) == 1
    assert state(core, code) == "MISSED"
    assert appointments.sweep(core) == 0
    assert appointments.check_in(core, code, "zh", "kiosk-1").appointment.state == "ARRIVED"


def test_a_slot_has_so_many_places_and_the_last_is_given_once(core: Core) -> None:
    outcomes: list[str] = []

    def try_one(key: str) -> None:
        try:
            book(core, key=key)
            outcomes.append("booked")
        except SlotFull:
            outcomes.append("full")

    rush = [threading.Thread(target=try_one, args=(f"k{number}",)) for number in range(12)]
    for one in rush:
        one.start()
    for one in rush:
        one.join()
    assert sorted(outcomes) == ["booked"] * 2 + ["full"] * 10
    first = appointments.of_day(core, "2026-11-22")[0]
    appointments.cancel(core, first.code, "王芳")
    assert book(core, key="after").new, "a place that was given back is free again"


def test_a_key_is_one_appointment(core: Core) -> None:
    first, again = book(core), book(core)
    assert (again.appointment, again.new) == (first.appointment, False)
    with pytest.raises(KeyUsed):
        book(core, HALF_PAST_TEN + 30 * MINUTE_MS)


@pytest.mark.parametrize(
    "slot_ms",
    [
        HALF_PAST_TEN - 60 * MINUTE_MS,  # past
        HALF_PAST_TEN + 7 * MINUTE_MS,  # between two slots
        HALF_PAST_TEN + 1,
        HALF_PAST_TEN + 12 * 60 * MINUTE_MS,  # at night
        HALF_PAST_TEN + 40 * 24 * 60 * MINUTE_MS,  # too far ahead
        2**62,
        -(2**62),
    ],
)
def test_what_is_no_slot_is_refused(core: Core, slot_ms: int) -> None:
    with pytest.raises(SlotWrong):
        book(core, slot_ms)
    assert appointments.of_day(core, "2026-11-22") == []


def test_slots_follow_the_items_hours(core: Core) -> None:
    hours.set_week(core, "", {7: [(540, 720)]})
    hours.set_week(core, "ZW-09", {7: [(630, 700)]})
    day = hours.wall(core).date()
    free = appointments.free_slots(core, "ZW-09", day)
    assert [(one.slot_ms, one.free) for one in free] == [
        (HALF_PAST_TEN, 2),
        (HALF_PAST_TEN + 30 * MINUTE_MS, 2),
    ]
    book(core)
    assert appointments.free_slots(core, "ZW-09", day)[0].free == 1


def test_a_hall_sets_its_own_terms(core: Core, clock: HeldClock) -> None:
    core.writer.write(
        lambda notebook: notebook.executemany(
            "INSERT INTO queue_policy VALUES (?, ?)",
            [("slot_places", "1"), ("late_ms", "0"), ("cap_ms", "3600000")],
        )
    )
    code = book(core).appointment.code
    with pytest.raises(SlotFull):
        book(core, key="second")
    clock.now_ms = HALF_PAST_TEN + 1
    arrival = appointments.check_in(core, code, "zh", "kiosk-1").arrival
    assert arrival is not None
    assert arrival.late_ms == 1


def test_what_is_over_cannot_be_cancelled(core: Core, clock: HeldClock) -> None:
    codes = [book(core, key=key).appointment.code for key in "ab"]
    appointments.check_in(core, codes[0], "zh", "kiosk-1")
    with pytest.raises(OrderRefused, match="has been checked in"):
        appointments.cancel(core, codes[0], "王芳")
    assert appointments.cancel(core, codes[1], "王芳").state == "CANCELLED"
    assert appointments.cancel(core, codes[1], "王芳").state == "CANCELLED"
    with pytest.raises(OrderRefused, match="cancelled"):
        appointments.check_in(core, codes[1], "zh", "kiosk-1")
    with pytest.raises(UnknownCode):
        appointments.cancel(core, "AAAAAAAA", "王芳")


def test_a_promised_person_is_let_in_whatever_the_hours_say_now(core: Core) -> None:
    code = book(core).appointment.code
    hours.set_week(core, "", {1: [(540, 720)]})
    assert appointments.check_in(core, code, "zh", "kiosk-1").taken.ticket.spelled == "B001"


def test_an_elders_appointment_stands_in_the_priority_lane(core: Core) -> None:
    code = book(core, lane_why="elder").appointment.code
    ticket = appointments.check_in(core, code, "zh", "kiosk-1").taken.ticket
    row = (
        core.reader()
        .execute("SELECT lane, lane_why FROM tickets WHERE ticket_id = ?", (ticket.ticket_id,))
        .fetchone()
    )
    assert tuple(row) == ("priority", "elder")


def test_the_slip_says_day_time_and_code_and_names_nobody(core: Core) -> None:
    booked = book(core)
    slip = (
        core.reader().execute("SELECT kind, body FROM slips WHERE slip_id = ?", (booked.slip_id,)).fetchone()
    )
    body = json.loads(slip["body"])
    texts = [block.get("text") or block.get("right") or "" for block in body["blocks"]]
    assert slip["kind"] == body["kind"] == "receipt"
    assert {"11月22日 周日", "10:30", spell_code(booked.appointment.code)} <= set(texts)
    assert {"t": "qr", "data": booked.appointment.code} in body["blocks"]
    assert "王芳" not in slip["body"]
    assert appointments.print_again(core, booked.appointment.code, "李强") == (booked.slip_id or 0) + 1


def test_the_journal_has_every_step_and_no_code(core: Core, clock: HeldClock) -> None:
    booked = book(core).appointment
    appointments.check_in(core, booked.code, "zh", "kiosk-1")
    rows = core.reader().execute("SELECT event, by, detail FROM journal ORDER BY entry_id").fetchall()
    assert [(row["event"], row["by"]) for row in rows] == [
        ("booked", "王芳"),
        ("taken", "kiosk-1"),
        ("check_in", "kiosk-1"),
    ]
    assert all(booked.code not in row["detail"] for row in rows)


def test_codes_have_no_sign_that_is_read_wrong() -> None:
    assert len(SIGNS) == 32
    assert not set("01OI") & set(SIGNS)
    assert make_code(lambda signs: signs[-1]) == "ZZZZZZZZ"
    assert read_code(" k7mq-4xrt ") == "K7MQ4XRT"
    assert [
        read_code(wrong) for wrong in ("K7MQ4XR", "K7MQ4XRT2", "K7MQ4XR0", "K7MQ4XRI", "", "王王王王王王王王")
    ] == [""] * 6


def test_slots_fit_whole_into_the_day() -> None:
    assert slots([(540, 620), (840, 870)], Terms(slot_min=30)) == [540, 570, 840]
