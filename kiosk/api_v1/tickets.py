"""Numbers: take, look, give back."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue

from kiosk import line
from kiosk.answers import error
from kiosk.api_v1.door import choice, do_once, fields, me, own_key, route, service
from kiosk.core import Core, current_core
from kiosk.phone import OVER, TOKEN, UNKNOWN, estimate_of
from kiosk.rules.estimate_words import rounded
from kiosk.rules.queue import Ticket

Json = dict[str, Any]


def ticket_view(core: Core, ticket: Ticket) -> Json:
    """The schema ``Ticket``. Its token is the right to see and cancel it: only who took or holds it is shown one."""
    told = estimate_of(core, ticket)
    expired = ticket.state not in OVER and ticket.business_day != line.today(core)
    return {
        "ticket_id": ticket.ticket_id,
        "number": ticket.spelled,
        "token": ticket.token,
        "service": ticket.service_code,
        "state": "EXPIRED" if expired else ticket.state,
        "ahead": 0 if expired else line.ahead(core, ticket),
        "wait_min": None if expired or told is None else list(rounded(told)),
        "window_id": ticket.window_id,
        "taken_ms": ticket.taken_ms,
        "called_ms": ticket.called_ms,
        "page": f"{line.public_url(core).rstrip('/')}/t/{ticket.token}",
    }


def _known(token: str) -> Ticket | None:
    return line.by_token(current_core(), token) if TOKEN.fullmatch(token) else None


@route(
    "POST",
    "/tickets",
    "tickets:take",
    "Take a number",
    {201: "Ticket"},
    body="TakeTicket",
    about="Number and slip are one transaction. 409 hall_closed and item_closed say when it opens next.",
)
def take_ticket() -> ResponseReturnValue:
    asked = fields(("service", "lang"))
    code, lang = service(asked.get("service")), choice(asked, "lang", ("zh", "en"), "zh")
    by, key, core = me().by, own_key(), current_core()

    def do() -> tuple[int, Json]:
        taken = line.take_ticket(core, code, key, lang, by)
        return 201, ticket_view(core, taken.ticket)

    return do_once(do)


@route("GET", "/tickets/{token}", "tickets:read", "How a ticket stands", {200: "Ticket"})
def read_ticket(token: str) -> ResponseReturnValue:
    found = _known(token)
    if found is None:
        return error(404, "unknown_ticket", *UNKNOWN)
    return ticket_view(current_core(), found)


@route("POST", "/tickets/{token}/cancel", "tickets:take", "Give a number back", {200: "Ticket"})
def cancel_ticket(token: str) -> ResponseReturnValue:
    fields(())
    found, by, core = _known(token), me().by, current_core()
    if found is None:
        return error(404, "unknown_ticket", *UNKNOWN)

    def do() -> tuple[int, Json]:
        if (now := line.by_token(core, token)) is not None and now.state == "CANCELLED":
            return 200, ticket_view(core, now)
        return 200, ticket_view(core, line.cancel(core, found.ticket_id, by))

    return do_once(do)
