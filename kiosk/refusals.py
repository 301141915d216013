"""Which status and which code a refusal by a rule has for programs (docs/protocol.md, 4 and 7)."""

from __future__ import annotations

from devices.faults import OrderRefused
from kiosk.appointments import UnknownCode
from kiosk.line import KeyUsed, NoTicketNeeded, UnknownService
from kiosk.requests.acting import UnknownRequest
from kiosk.requests.taking import UnknownKind
from kiosk.rules.appointment import NotToday, SlotFull, SlotWrong, TooEarly
from kiosk.rules.hours import HallClosed, ItemClosed
from kiosk.rules.request_life import StepRefused

#: kind → (status, code). All others are 409 "refused".
REFUSALS: dict[type[OrderRefused], tuple[int, str]] = {
    UnknownService: (404, "unknown_service"),
    UnknownCode: (404, "unknown_code"),
    NoTicketNeeded: (409, "no_ticket_needed"),
    KeyUsed: (409, "key_used"),
    UnknownKind: (404, "unknown_kind"),
    UnknownRequest: (404, "unknown_request"),
    StepRefused: (409, "step_refused"),
    HallClosed: (409, "hall_closed"),
    ItemClosed: (409, "item_closed"),
    TooEarly: (409, "too_early"),
    NotToday: (409, "not_today"),
    SlotFull: (409, "slot_full"),
    SlotWrong: (409, "slot_wrong"),
}


def refusal(wrong: OrderRefused) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return REFUSALS.get(type(wrong), (409, "refused"))
