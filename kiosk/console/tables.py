"""People, helpers, rosters and kinds for the console's pages: read from gateway.db, changed by orders.

The pages read with the gateway's own rows and ask the gateway's own rules (who is on duty, whether a line of a file
would be taken), so that a page never says something else than the hall does.
"""

from __future__ import annotations

import datetime
import logging
from dataclasses import dataclass
from typing import Any

from flask import g, request

from devices.faults import NotWritten, OrderRefused, OutsideDown
from gateway import views
from gateway.hall.rows import Row
from gateway.hall.state import HallState
from gateway.log import say as log
from kiosk.console import blueprint, care, door
from kiosk.console.words import Lang, say
from kiosk.core import Core, current_core

#: A list of 2,000 lines is written in about a tenth of a second; a slow card takes its time.
PATIENCE_S, LIST_PATIENCE_S = 3.0, 20.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a form was not taken, and the status of the answer. What was typed stays on the page."""

    why: str
    status: int


def read(*kinds: type[Row]) -> HallState:
    """The hall's state as far as these tables go, as they stand on the disk.

    :raises NotWritten: there is no gateway.db yet.
    """
    return read_of(current_core(), *kinds)


def read_of(core: Core, *kinds: type[Row]) -> HallState:
    """The same, in a thread that answers no request."""
    state, connection = HallState(zone=core.zone), core.gateway_reader()
    for kind in kinds:
        state.tables[kind.TABLE] = views.table(connection, kind)
    return state


def attempt(
    order: str, subject: str = "", patience_s: float = PATIENCE_S, /, **fields: Any
) -> Trouble | None:
    """Give the gateway an order. None: it is written."""
    core = current_core()
    try:
        core.link.order(order, timeout_s=patience_s, by=door.me().name, **fields)
    except OrderRefused as refused:
        return Trouble(why_of(refused), 409)
    except OutsideDown:
        return Trouble(say("outside_order" if core.link.connected else "outside_gateway", lang()), 503)
    try:
        door.accounts().note(door.me().name, order, subject)
    except NotWritten as wrong:
        # The gateway's own journal has its line; this one is the console's.
        log("journal_not_written", f"{order} was done, but not noted: {wrong}", level=logging.WARNING)
    return None


def why_of(refused: OrderRefused) -> str:
    return refused.why_zh if lang() == "zh" else refused.why_en


def lang() -> Lang:
    return "en" if g.lang == "en" else "zh"


def pick(pair: tuple[str, str]) -> str:
    """Of (Chinese, English) the one that is read here."""
    return pair[0] if lang() == "zh" else pair[1]


def number(name: str) -> int | str:
    """A field of a form as a number; what is none goes on as it is, and the gateway's rule says what is wrong."""
    raw = request.form.get(name, "").strip()
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else raw


def now() -> datetime.datetime:
    """The hall's wall clock."""
    core = current_core()
    return datetime.datetime.fromtimestamp(core.now_ms() / 1000, core.zone)


def may_see_medical() -> bool:
    """Administrators, and whoever has been given the right (kiosk/accounts.py)."""
    me = door.me()
    return bool(getattr(me, "medical", False)) or me.role == "admin"


@blueprint.context_processor
def _for_templates() -> dict[str, Any]:
    heard = current_core().link.snapshot()
    return {
        "pick": pick,
        "script_facts": care.script_facts,
        "gateway_there": heard["connected"],
        # Without a script a page does not ring: whoever reads it is told in words that somebody calls.
        "ringing": sum(call.get("state") == "HEARD" for call in heard["calls"]),
        "saved": request.method == "GET" and request.args.get("saved") == "1",
    }
