"""Appointments at the desk: a day's list, booking, checking in, cancelling, the slip with the code."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused
from gateway.hall.reading import is_day
from kiosk import appointments, line
from kiosk.appointments import LANE_WHY, Slot
from kiosk.console import acts, blueprint, door
from kiosk.console.tables import Trouble, lang, now, why_of
from kiosk.console.words import say
from kiosk.core import Core, current_core
from kiosk.rules.appointment import Appointment, read_code, spell_code

#: The screen whose name stands on tickets that the desk has given.
DESK = "desk"


@blueprint.get("/appointments")
@door.allow("admin", "staff")
def book_day() -> ResponseReturnValue:
    return _page(request.args.get("day", ""), request.args.get("item", ""))


@blueprint.post("/appointments")
@door.allow("admin", "staff")
def book_done() -> ResponseReturnValue:
    form, core, by = request.form, current_core(), door.me().name
    do, day, code = form.get("do", ""), form.get("day", ""), read_code(form.get("code", ""))
    told: dict[str, object] = {"told": "done"}
    try:
        if do == "book":
            told = _book(core, by)
        elif do == "cancel":
            acts.did("booking_cancelled", _named(appointments.cancel(core, code, by)))
        elif do == "miss":
            acts.did("booking_missed", _named(appointments.miss(core, code, by)))
        elif do == "check_in":
            done = appointments.check_in(core, code, lang(), DESK)
            acts.did("booking_checked_in", _named(done.appointment), done.taken.ticket.spelled)
            told = {"told": "checked_in", "number": done.taken.ticket.spelled}
        elif do == "print":
            slip_id = appointments.print_again(core, code, by, lang())
            acts.did("booking_printed", _named(appointments.by_code(core, code)))
            told = {"told": "no_printer" if slip_id is None else "printed"}
        else:
            return door.refuse(400, "bad_request")
    except OrderRefused as refused:
        return _page(day, form.get("item", ""), Trouble(why_of(refused), 409))
    return redirect(url_for("console.book_day", day=day or None, **told), 303)  # type: ignore[arg-type]


def _book(core: Core, by: str) -> dict[str, object]:
    form = request.form
    slot = form.get("slot_ms", "")
    if not (slot.isascii() and slot.isdigit() and len(slot) < 15):
        raise OrderRefused("请选一个时间", "Choose a time")
    key = form.get("key", "")[:40] or secrets.token_hex(12)
    booked = appointments.book(
        core,
        form.get("item", ""),
        int(slot),
        f"desk:{key}",
        by,
        lane_why=form.get("lane_why", ""),
        lang=lang(),
    )
    acts.did("booked", _named(booked.appointment))
    # By its row, not by its code: an address is written down in many places.
    return {"made": booked.appointment.appointment_id}


def _named(one: Appointment) -> str:
    """For the journal: the row, never the code."""
    return f"#{one.appointment_id} {one.service_code}"


def _page(day: str, item: str, trouble: Trouble | None = None) -> ResponseReturnValue:
    core, today = current_core(), now().date()
    chosen_day = date.fromisoformat(day) if is_day(day) and "1971" < day < "9000" else today
    listed = appointments.of_day(core, chosen_day.isoformat())
    service = core.catalogue.service(item)
    slots: list[Slot] | None = None
    if service is not None and service.needs_ticket:
        slots = appointments.free_slots(core, item, chosen_day)
    made = next((one for one in listed if str(one.appointment_id) == request.args.get("made")), None)
    told = request.args.get("told", "")
    notice = ""
    if told in ("done", "checked_in", "printed", "no_printer"):
        notice = say(f"book_{told}", lang(), number=request.args.get("number", "")[:10])
    page = render_template(
        "console/appointments.html",
        day=chosen_day,
        today=today,
        before=(chosen_day - timedelta(days=1)).isoformat(),
        after=(chosen_day + timedelta(days=1)).isoformat(),
        rows=[_row(core, one) for one in listed],
        services=[one for one in core.catalogue.services if one.needs_ticket],
        item=item,
        slots=slots,
        clock_of=lambda moment_ms: _clock(core, moment_ms),
        lanes=LANE_WHY,
        key=secrets.token_hex(12),
        made=None if made is None else (_clock(core, made.slot_ms), spell_code(made.code)),
        notice=notice,
        gateway_there=True,  # nothing here needs it
        why=trouble.why if trouble else "",
    )
    return page, trouble.status if trouble else 200


def _clock(core: Core, moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1000, core.zone):%H:%M}"


def _row(core: Core, one: Appointment) -> dict[str, Any]:
    service = core.catalogue.service(one.service_code)
    ticket = line.by_id(core, one.ticket_id) if one.ticket_id is not None else None
    return {
        "time": _clock(core, one.slot_ms),
        "service": service.say("name", lang()) if service is not None else one.service_code,
        "code": spell_code(one.code),
        "state": one.state,
        "lane_why": one.lane_why,
        "number": ticket.spelled if ticket is not None else "",
        "by": one.made_by,
        "due": one.slot_ms <= core.now_ms(),
    }
