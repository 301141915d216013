"""Appointments: book, cancel, check in. The rules are in ``rules/appointment.py``.

booked = book(core, "ZW-09", slot_ms, "key-1", "王芳")      # a code of 8 signs, and a slip where a printer is
check_in(core, booked.code, "zh", "kiosk-1")               # a ticket at the slot's place in the line
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from devices.faults import NotWritten, OrderRefused
from gateway.log import say_once
from kiosk import hours, line
from kiosk.catalogue import Service
from kiosk.core import Core
from kiosk.line import KeyUsed, Taken
from kiosk.line.rows import policy_of, today
from kiosk.rules import appointment as rules
from kiosk.rules import hours as hour_rules
from kiosk.rules.appointment import Appointment, Arrival, NotToday, Terms
from kiosk.rules.booking_slip import compose_booking
from kiosk.rules.queue import OVER

_FIELDS = (
    "appointment_id, code, service_code, business_day, slot_ms, lane_why, state, ticket_id, made_ms, made_by, "
    "changed_ms"
)
#: What staff may give as the reason for the priority lane (the table's own words).
LANE_WHY = ("", "elder", "disabled", "veteran", "child", "staff")


class UnknownCode(OrderRefused):
    """No appointment has this code."""


@dataclass(frozen=True, slots=True)
class Booked:
    """``new`` is False where the same key had booked it before."""

    appointment: Appointment
    slip_id: int | None
    new: bool


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """``arrival`` is None where it had been checked in before: the same ticket is answered."""

    appointment: Appointment
    taken: Taken
    arrival: Arrival | None


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of an item on a day, and how many places it still has."""

    slot_ms: int
    free: int


# ---------------------------------------------------------------- booking


def terms(notebook: sqlite3.Connection) -> Terms:
    """What this hall has set about appointments."""
    policy = policy_of(notebook)
    return Terms(
        early_ms=policy.early_ms,
        late_ms=policy.late_ms,
        slot_min=policy.slot_length_ms // 60_000,
        slot_places=policy.slot_places,
        days_ahead=policy.book_days_ahead,
    )


def free_slots(core: Core, service_code: str, day: date) -> list[Slot]:
    """The slots of an item on a day that are still to come, with what is free in each."""
    service = line.item_with_numbers(core, service_code)
    reader, now = core.reader(), hours.wall(core)
    having = terms(reader)
    spans = hour_rules.spans_of(_working(hours.book(reader)), service.code, day)
    found = []
    for minute in rules.slots(spans, having):
        slot = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=core.zone)
        if slot > now and (day - now.date()).days <= having.days_ahead:
            slot_ms = round(slot.timestamp() * 1000)
            taken = _places_taken(reader, service.code, day.isoformat(), slot_ms)
            found.append(Slot(slot_ms, max(0, having.slot_places - taken)))
    return found


def _working(book: hour_rules.Book) -> hour_rules.Book:
    """Appointments of a hall without hours: 8:00-18:00; nobody promises a place at three in the morning."""
    return book if book.hall else replace(book, hall=hour_rules.Week(dict.fromkeys(range(1, 8), OFFICE)))


#: Our choice for a hall that has set no hours.
OFFICE: tuple[hour_rules.Span, ...] = ((8 * 60, 18 * 60),)


def book(
    core: Core, service_code: str, slot_ms: int, key: str, by: str, *, lane_why: str = "", lang: str = "zh",
    paper: bool = True,
) -> Booked:  # fmt: skip
    """Promise a time. The last place of a slot is given once: it is counted in the transaction that takes it.

    :param key: idempotency: the same key again is the same appointment.
    :raises OrderRefused: unknown item, no such slot, full.
    """
    service = line.item_with_numbers(core, service_code)
    if lane_why not in LANE_WHY:
        raise OrderRefused("没有这种优先原因", "There is no such reason for priority")
    now_ms = core.now_ms()
    try:
        slot = datetime.fromtimestamp(slot_ms / 1000, core.zone)
    except (ValueError, OverflowError, OSError):
        raise rules.SlotWrong("没有这个时间", "There is no such time") from None

    def work(notebook: sqlite3.Connection) -> Booked:
        _settle(notebook, now_ms)
        row = notebook.execute(f"SELECT {_FIELDS} FROM appointments WHERE key = ?", (key,)).fetchone()
        if row is not None:
            before = Appointment(*row)
            if (before.service_code, before.slot_ms) != (service.code, slot_ms):
                raise KeyUsed("这个操作号已用于另一预约", "This key was used for another appointment")
            return Booked(before, None, new=False)
        having = terms(notebook)
        spans = hour_rules.spans_of(_working(hours.book(notebook)), service.code, slot.date())
        rules.check_slot(slot, hours.wall(core, now_ms), spans, having)
        rules.check_room(_places_taken(notebook, service.code, slot.date().isoformat(), slot_ms), having)
        code = _new_code(notebook)
        cursor = notebook.execute(
            "INSERT INTO appointments(code, key, service_code, business_day, slot_ms, lane_why, state, made_ms,"
            " made_by, changed_ms) VALUES (?, ?, ?, ?, ?, ?, 'BOOKED', ?, ?, ?)",
            (code, key, service.code, slot.date().isoformat(), slot_ms, lane_why, now_ms, by, now_ms),
        )
        made = _by_id(notebook, int(cursor.lastrowid or 0))
        slip_id = _put_slip(core, notebook, made, service, lang, by, now_ms) if paper else None
        _journal(notebook, now_ms, by, "booked", made)
        return Booked(made, slip_id, new=True)

    return _told(core, core.writer.write(work))


def _places_taken(notebook: sqlite3.Connection, service_code: str, day: str, slot_ms: int) -> int:
    return int(
        notebook.execute(
            "SELECT count(*) FROM appointments WHERE business_day = ? AND slot_ms = ? AND service_code = ?"
            " AND state <> 'CANCELLED'",
            (day, slot_ms, service_code),
        ).fetchone()[0]
    )


def _new_code(notebook: sqlite3.Connection) -> str:
    for _ in range(10):
        code = rules.make_code(secrets.choice)
        if notebook.execute("SELECT 1 FROM appointments WHERE code = ?", (code,)).fetchone() is None:
            return code
    raise OrderRefused("暂时排不出预约码，请再试一次", "No free code was found: try again")


def cancel(core: Core, code: str, by: str) -> Appointment:
    """Give the place back. A cancelled one stays cancelled, and says so without complaint."""
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Appointment:
        one = _known(notebook, code)
        if one.state == "CANCELLED":
            return one
        if one.state != "BOOKED":
            zh, en = _STATE_WORDS[one.state]
            raise OrderRefused(f"这个预约{zh}，不能取消", f"This appointment {en} and cannot be cancelled")
        return _set_state(notebook, one, "CANCELLED", by, "cancel_booking", now_ms)

    return _told(core, core.writer.write(work))


_STATE_WORDS = {
    "ARRIVED": ("已经报到", "has been checked in"),
    "MISSED": ("已经过时", "was missed"),
    "CANCELLED": ("已经取消", "was cancelled"),
    "BOOKED": ("还没到时间", "is still to come"),
}


def miss(core: Core, code: str, by: str) -> Appointment:
    """Staff's word that nobody came; checking in on the same day still gives a number."""
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Appointment:
        one = _known(notebook, code)
        if one.state == "MISSED":
            return one
        if one.state != "BOOKED" or now_ms < one.slot_ms:
            zh, en = _STATE_WORDS[one.state]
            raise OrderRefused(
                f"这个预约{zh}，不能标为未到", f"This appointment {en}: it cannot be marked as missed"
            )
        return _set_state(notebook, one, "MISSED", by, "miss_booking", now_ms)

    return _told(core, core.writer.write(work))


# ---------------------------------------------------------------- checking in


def check_in(core: Core, code: str, lang: str, screen: str) -> CheckedIn:
    """Who has the code gets a number at the slot's place in the line, in one transaction; again is the same number.

    Whoever was promised a time is let in whatever the opening hours say now.

    :raises UnknownCode: / :raises OrderRefused: too early, another day, cancelled; with words for the person.
    """
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> CheckedIn:
        one = _known(notebook, code)
        if one.ticket_id is not None:
            taken = line.taken_again(core, notebook, one.ticket_id)
            _must_be_alive(core, notebook, taken, now_ms)
            return CheckedIn(one, taken, None)
        arrival = rules.arrive(one, hours.wall(core, now_ms), terms(notebook))
        asked = line.check_items(
            core,
            one.service_code,
            f"appointment:{one.code}",
            lang,
            screen,
            lane_why=one.lane_why,
            rank=arrival.rank,
        )
        taken = line.take_here(core, notebook, asked, now_ms)
        notebook.execute(
            "UPDATE appointments SET state = 'ARRIVED', ticket_id = ?, changed_ms = ? WHERE appointment_id = ?",
            (taken.ticket.ticket_id, now_ms, one.appointment_id),
        )
        arrived = _by_id(notebook, one.appointment_id)
        _journal(notebook, now_ms, screen, "check_in", arrived)
        return CheckedIn(arrived, taken, arrival)

    done = core.writer.write(work)
    line.tell_taken(core, done.taken)
    _told(core, done)
    return done


def _must_be_alive(core: Core, notebook: sqlite3.Connection, taken: Taken, now_ms: int) -> None:
    """Nobody is shown a number as his own for which he will not be called.

    :raises OrderRefused: it is over. :raises NotToday: it was of another day.
    """
    ticket = taken.ticket
    if ticket.business_day != today(core, notebook, now_ms):
        raise NotToday(
            f"这个预约在 {ticket.business_day} 已经报到过，号 {ticket.spelled} 已过期，请直接取号",
            f"This appointment was checked in on {ticket.business_day}, and {ticket.spelled} is no longer valid: "
            "please take a number",
        )
    if ticket.state in OVER:
        word_zh, word_en = ("已取消", "was cancelled") if ticket.state == "CANCELLED" else ("已办结", "is done")
        raise OrderRefused(
            f"这个预约的号 {ticket.spelled} {word_zh}；还要办就请直接取号，或到服务台",
            f"The number {ticket.spelled} of this appointment {word_en}: take a number if you need one, "
            "or ask at the desk",
        )


def sweep(core: Core) -> int:
    """Mark who did not come by the end of the slot's grace as MISSED; how many that were.

    Looks first and writes only where there is something. :raises NotWritten: the disk refused; the next look mends it.
    """
    now_ms = core.now_ms()
    if not _overdue(core.reader(), now_ms):
        return 0
    missed = core.writer.write(lambda notebook: _settle(notebook, now_ms))
    if missed:
        _told(core, None)
    return missed


def sweep_later(core: Core) -> None:
    """`sweep`, where trouble with the disk only means: at the next look."""
    try:
        sweep(core)
    except (NotWritten, sqlite3.Error) as wrong:
        say_once(
            "appointments-sweep", "not_written", f"missed appointments cannot be marked just now: {wrong}"
        )


def _overdue(notebook: sqlite3.Connection, now_ms: int) -> list[Appointment]:
    having = terms(notebook)
    rows = notebook.execute(
        f"SELECT {_FIELDS} FROM appointments WHERE state = 'BOOKED' AND slot_ms < ?",
        (now_ms - having.late_ms,),
    )
    return [one for one in (Appointment(*row) for row in rows) if rules.is_missed(one, now_ms, having)]


def _settle(notebook: sqlite3.Connection, now_ms: int) -> int:
    overdue = _overdue(notebook, now_ms)
    for one in overdue:
        _set_state(notebook, one, "MISSED", "linli", "missed", now_ms)
    return len(overdue)


# ---------------------------------------------------------------- looking


def by_code(core: Core, code: str) -> Appointment:
    """:raises UnknownCode:"""
    return _known(core.reader(), code)


def of_day(core: Core, day: str) -> list[Appointment]:
    """A day's appointments in order; who is overdue counts as MISSED though nobody has written it yet."""
    reader, now_ms = core.reader(), core.now_ms()
    having = terms(reader)
    rows = reader.execute(
        f"SELECT {_FIELDS} FROM appointments WHERE business_day = ? ORDER BY slot_ms, appointment_id", (day,)
    )
    return [
        replace(one, state="MISSED") if rules.is_missed(one, now_ms, having) else one
        for one in (Appointment(*row) for row in rows)
    ]


def in_use(core: Core) -> bool:
    """Whether this hall has made any appointment lately: else its screens need no page for codes."""
    since = (hours.wall(core).date() - timedelta(days=30)).isoformat()
    return (
        core.reader()
        .execute("SELECT 1 FROM appointments WHERE business_day >= ? LIMIT 1", (since,))
        .fetchone()
        is not None
    )


def print_again(core: Core, code: str, by: str, lang: str = "zh") -> int | None:
    """The slip with the code once more; None in a hall without a printer."""
    one = by_code(core, code)
    service = line.item_with_numbers(core, one.service_code)
    now_ms = core.now_ms()
    return core.writer.write(lambda notebook: _put_slip(core, notebook, one, service, lang, by, now_ms))


# ---------------------------------------------------------------- rows


def _known(notebook: sqlite3.Connection, code: str) -> Appointment:
    """Compared in constant time beyond the index's own look-up: the code is the whole secret."""
    row = notebook.execute(f"SELECT {_FIELDS} FROM appointments WHERE code = ?", (code,)).fetchone()
    if not code or row is None:
        raise UnknownCode(
            "没有这个预约码。请对照预约单再输一次，或到服务台",
            "There is no such code. Compare it with your slip and try again, or ask at the desk",
        )
    return Appointment(*row)


def _by_id(notebook: sqlite3.Connection, appointment_id: int) -> Appointment:
    return Appointment(
        *notebook.execute(
            f"SELECT {_FIELDS} FROM appointments WHERE appointment_id = ?", (appointment_id,)
        ).fetchone()
    )


def _set_state(
    notebook: sqlite3.Connection, one: Appointment, state: rules.State, by: str, event: str, now_ms: int
) -> Appointment:
    notebook.execute(
        "UPDATE appointments SET state = ?, changed_ms = ? WHERE appointment_id = ?",
        (state, now_ms, one.appointment_id),
    )
    after = _by_id(notebook, one.appointment_id)
    _journal(notebook, now_ms, by, event, after)
    return after


def _journal(notebook: sqlite3.Connection, now_ms: int, by: str, event: str, one: Appointment) -> None:
    """A line of kiosk.db's journal. It names the row, never the code: who reads a journal must not check in."""
    detail: dict[str, Any] = {
        "appointment_id": one.appointment_id,
        "service_code": one.service_code,
        "slot_ms": one.slot_ms,
        "state": one.state,
    }
    notebook.execute(
        'INSERT INTO journal(at_ms, "by", event, ticket_id, detail) VALUES (?, ?, ?, NULL, ?)',
        (now_ms, by, event, json.dumps(detail)),
    )


def _put_slip(
    core: Core,
    notebook: sqlite3.Connection,
    one: Appointment,
    service: Service,
    lang: str,
    by: str,
    now_ms: int,
) -> int | None:
    plan = core.house.plan
    if not plan.printers:
        return None
    slot = datetime.fromtimestamp(one.slot_ms / 1000, core.zone)
    body = compose_booking(plan.hall, one, service, slot, terms(notebook), lang)
    cursor = notebook.execute(
        "INSERT INTO slips(printer, kind, body, created_ms, asked_by) VALUES (?, 'receipt', ?, ?, ?)",
        (plan.printers[0].id, json.dumps(body, ensure_ascii=False), now_ms, by),
    )
    return int(cursor.lastrowid or 0)


def _told(core: Core, what: Any) -> Any:
    """Consoles that show the day's list read it anew."""
    core.hub.publish("staff", "appointments", {})
    return what
