"""Appointments: free slots, book, look, cancel, check in."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from kiosk import appointments, hours
from kiosk.api_v1.door import (
    SERVICE,
    asked_day,
    choice,
    do_once,
    fields,
    me,
    moment,
    own_key,
    route,
    service,
    wrong_field,
)
from kiosk.api_v1.tickets import ticket_view
from kiosk.appointments import LANE_WHY
from kiosk.core import current_core
from kiosk.rules.appointment import Appointment, read_code

Json = dict[str, Any]

_DAY: Json = {"type": "string", "format": "date"}
_SERVICE: Json = {"type": "string", "pattern": f"^{SERVICE.pattern}$"}


def appointment_view(one: Appointment) -> Json:
    """The schema ``Appointment``. The code is the right to check in: this scope is for programs that book."""
    return {
        "code": one.code,
        "service": one.service_code,
        "day": one.business_day,
        "slot_ms": one.slot_ms,
        "state": one.state,
        "lane_why": one.lane_why,
        "made_ms": one.made_ms,
    }


@route(
    "GET",
    "/slots",
    "appointments:read",
    "The slots of an item on a day, and how many places are free",
    {200: "Slots"},
    query={"service": {**_SERVICE, "required": True}, "day": _DAY},
)
def read_slots() -> ResponseReturnValue:
    core = current_core()
    day = asked_day(hours.wall(core).date().isoformat())
    code = service(request.args.get("service"))
    free = appointments.free_slots(core, code, date.fromisoformat(day))
    return {
        "day": day,
        "service": code,
        "slots": [{"slot_ms": one.slot_ms, "free": one.free} for one in free],
    }


@route(
    "GET",
    "/appointments",
    "appointments:read",
    "A day's appointments",
    {200: "Appointments"},
    query={"day": _DAY},
)
def read_appointments() -> ResponseReturnValue:
    core = current_core()
    day = asked_day(hours.wall(core).date().isoformat())
    return {"day": day, "appointments": [appointment_view(one) for one in appointments.of_day(core, day)]}


@route("GET", "/appointments/{code}", "appointments:read", "One appointment", {200: "Appointment"})
def read_appointment(code: str) -> ResponseReturnValue:
    return appointment_view(appointments.by_code(current_core(), read_code(code)))


@route(
    "POST",
    "/appointments",
    "appointments:write",
    "Book a slot",
    {201: "Appointment"},
    body="BookAppointment",
    about="slot_full and slot_wrong (409) say why not. With paper true the hall's printer makes a slip.",
)
def book_appointment() -> ResponseReturnValue:
    asked = fields(("service", "slot_ms", "lane_why", "lang", "paper"))
    code, slot_ms = service(asked.get("service")), moment(asked, "slot_ms")
    why, lang = choice(asked, "lane_why", LANE_WHY, ""), choice(asked, "lang", ("zh", "en"), "zh")
    paper, by, key, core = asked.get("paper", False), me().by, own_key(), current_core()
    if not isinstance(paper, bool):
        raise wrong_field("paper", "应为 true 或 false", "must be true or false")

    def do() -> tuple[int, Json]:
        booked = appointments.book(core, code, slot_ms, key, by, lane_why=why, lang=lang, paper=paper)
        return 201, appointment_view(booked.appointment)

    return do_once(do)


@route("POST", "/appointments/{code}/cancel", "appointments:write", "Give a slot back", {200: "Appointment"})
def cancel_appointment(code: str) -> ResponseReturnValue:
    fields(())
    by = me().by
    return do_once(lambda: (200, appointment_view(appointments.cancel(current_core(), read_code(code), by))))


@route(
    "POST",
    "/appointments/{code}/check-in",
    "appointments:write",
    "Check in: a number at the slot's place in the line",
    {200: "Ticket"},
    about="too_early and not_today (409) say when. Checked in before: the same ticket.",
)
def check_in_appointment(code: str) -> ResponseReturnValue:
    fields(())
    by, core = me().by, current_core()

    def do() -> tuple[int, Json]:
        return 200, ticket_view(core, appointments.check_in(core, read_code(code), "zh", by).taken.ticket)

    return do_once(do)
