"""The line: who waits, what is open, and the steps that a window takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask.typing import ResponseReturnValue

from kiosk import hours, line
from kiosk.answers import error
from kiosk.api_v1.door import do_once, fields, me, own_key, route
from kiosk.core import Core, current_core
from kiosk.rules import hours as hour_rules
from kiosk.rules.queue import Ticket
from kiosk.windows import windows_now

Json = dict[str, Any]

#: The steps that need no more than the ticket: word → what does it.
STEPS: dict[str, Callable[[Core, int, str], Ticket]] = {
    "recall": line.recall,
    "begin": line.begin,
    "hold": line.hold,
    "resume": line.resume,
    "next_item": line.next_item,
    "late": line.late,
    "no_show": line.no_show,
    "done": line.done,
    "cancel": line.cancel,
    "undo": line.undo,
}


def called_view(core: Core, ticket: Ticket) -> Json:
    """The schema ``InLine``: a ticket as a window sees it, without its token."""
    seen = line.ticket_view(core, ticket)
    return {name: seen[name] for name in IN_LINE}


IN_LINE = (
    "ticket_id", "number", "service_code", "state", "window_id", "taken_ms", "called_ms", "calls", "lang",
)  # fmt: skip


@route("GET", "/queue", "queue:read", "The line, the windows, and what is open", {200: "Queue"})
def read_queue() -> ResponseReturnValue:
    core = current_core()
    board = line.board(core)
    book, now = hours.book(core.reader()), hours.wall(core)
    hall = hour_rules.standing(book, "", now)
    return {
        "day": board["day"],
        "now_ms": core.now_ms(),
        "open": hall.open,
        "opens_ms": None if hall.opens is None else round(hall.opens.timestamp() * 1000),
        "waiting": board["waiting"]["total"],
        "line": [{name: one[name] for name in IN_LINE} for one in line.waiting(core)],
        "called": [{name: one[name] for name in CALLED} for one in board["called"]],
        "windows": [
            {
                "window_id": one.id,
                "zh": one.zh,
                "en": one.en,
                "open": one.open,
                "waiting": board["waiting"]["windows"].get(one.id, 0),
            }
            for one in windows_now(core).all
        ],
        "services": [
            {
                "service": one.code,
                "zh": one.name_zh,
                "en": one.name_en,
                "open": hour_rules.standing(book, one.code, now).open,
                "ahead": line.waiting_for(core, one.code),
            }
            for one in core.catalogue.services
            if one.needs_ticket
        ],
    }


CALLED = ("number", "window_id", "called_ms", "calls", "state")


@route(
    "POST",
    "/windows/{window_id}/next",
    "queue:call",
    "Call the next number to a window",
    {200: "InLine"},
    about="Who was served there is done with it. 409 where nobody waits for this window.",
)
def call_next(window_id: str) -> ResponseReturnValue:
    fields(())
    by, key, core = me().by, own_key(), current_core()
    if windows_now(core).window(window_id) is None:
        return error(404, "unknown_window", "没有这个窗口", "There is no such window")

    def do() -> tuple[int, Json]:
        return 200, called_view(core, line.call_next(core, window_id, by, key))

    return do_once(do)


@route(
    "POST",
    "/queue/tickets/{ticket_id}/{step}",
    "queue:call",
    "Take a step with a ticket",
    {200: "InLine"},
    parts={"step": {"type": "string", "enum": list(STEPS)}},
    about="A step that the life of a ticket does not know is refused (409) and changes nothing.",
)
def take_step(ticket_id: int, step: str) -> ResponseReturnValue:
    fields(())
    by, core = me().by, current_core()
    if line.by_id(core, ticket_id) is None:
        return error(404, "unknown_ticket", "没有这个号", "There is no such ticket")

    def again() -> tuple[int, Json]:
        now = line.by_id(core, ticket_id)
        assert now is not None  # tickets are never deleted
        return 200, called_view(core, now)

    return do_once(lambda: (200, called_view(core, STEPS[step](core, ticket_id, by))), again)
