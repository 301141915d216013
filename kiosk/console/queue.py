"""What a member of staff orders about the queue: one tap, one step of a number's life; JSON in, the ticket as it is.

The rules decide (``kiosk/line``); refusals come back in words, and nothing was changed then (``acts.py`` answers them).
"""

from __future__ import annotations

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from kiosk import line, windows
from kiosk.console import blueprint, door
from kiosk.console.acts import KEY_AT_MOST, Incomplete, did, json_body, text_of
from kiosk.core import current_core
from kiosk.rules.queue import Ticket
from kiosk.rules.windows import Window
from kiosk.windows import window_view

Json = dict[str, Any]


@blueprint.post("/api/queue/next")
@door.allow("admin", "staff")
def call_next() -> ResponseReturnValue:
    """``key``: a repeated tap that carries the same key calls nobody else. ``absent``: who was called never came."""
    body = json_body()
    window_id, key = text_of(body, "window_id"), text_of(body, "key", KEY_AT_MOST)
    before: line.Before = "no_show" if body.get("absent") is True else "done"
    ticket = line.call_next(current_core(), window_id, door.me().name, key, before=before)
    return _ticket_told("call_next", ticket)


@blueprint.post("/api/queue/<int:ticket_id>/call")
@door.allow("admin", "staff")
def call_number(ticket_id: int) -> ResponseReturnValue:
    """A chosen number."""
    window_id = text_of(json_body(), "window_id")
    return _ticket_told("call_number", line.call_number(current_core(), window_id, ticket_id, door.me().name))


@blueprint.post("/api/queue/<int:ticket_id>/recall")
@door.allow("admin", "staff")
def recall(ticket_id: int) -> ResponseReturnValue:
    return _ticket_told("recall", line.recall(current_core(), ticket_id, door.me().name))


@blueprint.post("/api/queue/<int:ticket_id>/begin")
@door.allow("admin", "staff")
def begin(ticket_id: int) -> ResponseReturnValue:
    return _ticket_told("begin", line.begin(current_core(), ticket_id, door.me().name))


@blueprint.post("/api/queue/<int:ticket_id>/hold")
@door.allow("admin", "staff")
def hold(ticket_id: int) -> ResponseReturnValue:
    return _ticket_told("hold", line.hold(current_core(), ticket_id, door.me().name))


@blueprint.post("/api/queue/<int:ticket_id>/no-show")
@door.allow("admin", "staff")
def no_show(ticket_id: int) -> ResponseReturnValue:
    return _ticket_told("no_show", line.no_show(current_core(), ticket_id, door.me().name))


@blueprint.post("/api/queue/<int:ticket_id>/late")
@door.allow("admin", "staff")
def late(ticket_id: int) -> ResponseReturnValue:
    return _ticket_told("late", line.late(current_core(), ticket_id, door.me().name))


@blueprint.post("/api/queue/<int:ticket_id>/next-item")
@door.allow("admin", "staff")
def next_item(ticket_id: int) -> ResponseReturnValue:
    return _ticket_told("next_item", line.next_item(current_core(), ticket_id, door.me().name))


@blueprint.post("/api/queue/<int:ticket_id>/done")
@door.allow("admin", "staff")
def done(ticket_id: int) -> ResponseReturnValue:
    return _ticket_told("done", line.done(current_core(), ticket_id, door.me().name))


@blueprint.post("/api/queue/<int:ticket_id>/cancel")
@door.allow("admin", "staff")
def cancel(ticket_id: int) -> ResponseReturnValue:
    return _ticket_told("cancel", line.cancel(current_core(), ticket_id, door.me().name))


@blueprint.post("/api/queue/<int:ticket_id>/undo")
@door.allow("admin", "staff")
def undo(ticket_id: int) -> ResponseReturnValue:
    return _ticket_told("undo", line.undo(current_core(), ticket_id, door.me().name))


@blueprint.post("/api/queue/<int:ticket_id>/resume")
@door.allow("admin", "staff")
def resume(ticket_id: int) -> ResponseReturnValue:
    """At the window of whoever taps."""
    window_id = text_of(json_body(), "window_id")
    return _ticket_told("resume", line.resume(current_core(), ticket_id, door.me().name, window_id))


@blueprint.post("/api/queue/<int:ticket_id>/transfer")
@door.allow("admin", "staff")
def transfer(ticket_id: int) -> ResponseReturnValue:
    code = text_of(json_body(), "service_code")
    return _ticket_told("transfer", line.transfer(current_core(), ticket_id, code, door.me().name), code)


@blueprint.post("/api/queue/<int:ticket_id>/item")
@door.allow("admin", "staff")
def add_item(ticket_id: int) -> ResponseReturnValue:
    code = text_of(json_body(), "service_code")
    return _ticket_told("item_added", line.add_item(current_core(), ticket_id, code, door.me().name), code)


@blueprint.post("/api/queue/<int:ticket_id>/lane")
@door.allow("admin", "staff")
def lane(ticket_id: int) -> ResponseReturnValue:
    why = text_of(json_body(), "lane_why")
    return _ticket_told(
        "lane", line.set_lane(current_core(), ticket_id, why, door.me().name), why or "normal"
    )


@blueprint.post("/api/windows/<window_id>/open")
@door.allow("admin", "staff")
def open_window(window_id: str) -> ResponseReturnValue:
    return _window_told("window_opened", windows.open_window(current_core(), window_id, door.me().name))


@blueprint.post("/api/windows/<window_id>/close")
@door.allow("admin", "staff")
def close_window(window_id: str) -> ResponseReturnValue:
    """``why`` makes it a pause: the word is shown until it opens again."""
    why = text_of(json_body(), "why")
    if why and why not in PAUSES:
        raise Incomplete(f"no pause is called {why!r}")
    return _window_told("window_closed", windows.close_window(current_core(), window_id, door.me().name, why))


#: Why a window is closed for a while; words of the console (``pause_…``).
PAUSES = ("lunch", "meeting", "away")


def _ticket_told(what: str, ticket: Ticket, detail: str = "") -> ResponseReturnValue:
    did(what, ticket.spelled, detail or ticket.window_id or "")
    return jsonify(ok=True, ticket=line.ticket_view(current_core(), ticket))


def _window_told(what: str, window: Window) -> ResponseReturnValue:
    did(what, window.id, window.why)
    return jsonify(ok=True, window=window_view(window))
