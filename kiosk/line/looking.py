"""Looking at the line: for staff, for the hall's screens, for the person who holds the ticket. Changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from kiosk import estimates
from kiosk.core import Core
from kiosk.line import rows
from kiosk.rules import fairness, queue
from kiosk.rules.fairness import Mode
from kiosk.rules.policy import Policy
from kiosk.rules.queue import Ticket
from kiosk.rules.windows import Window, Windows
from kiosk.windows import windows_now

#: docs/protocol.md: hall screens show the last six numbers called.
CALLED_SHOWN = 6
#: Of each open window's line the hall sees how many wait, and so many of their numbers: one row of the display.
FIRST_SHOWN = 4
#: What staff are shown of a day; the rest of a very long day is in its figures.
SHOWN_AT_MOST = 200


def waiting(core: Core) -> list[dict[str, Any]]:
    """Everybody in today's line by place, as the console shows them."""
    reader = core.reader()
    return [ticket_view(core, one) for one in rows.in_line(reader, rows.today(core, reader, core.now_ms()))]


def today(core: Core) -> str:
    """The hall's business day as the notebook counts it."""
    return rows.today(core, core.reader(), core.now_ms())


def tickets_today(core: Core, states: tuple[queue.State, ...]) -> list[Ticket]:
    """Today's tickets in these states, the latest change first (at most 200)."""
    reader = core.reader()
    marks = ", ".join("?" * len(states))
    found = reader.execute(
        f"SELECT {rows.FIELDS} FROM tickets WHERE business_day = ? AND state IN ({marks})"
        f" ORDER BY changed_ms DESC, ticket_id DESC LIMIT {SHOWN_AT_MOST}",
        (rows.today(core, reader, core.now_ms()), *states),
    )
    return [rows.ticket_of(row) for row in found]


def board(core: Core) -> dict[str, Any]:
    """What the hall may see: the last six calls and who waits, for each window and category. Nothing personal."""
    reader = core.reader()
    day = rows.today(core, reader, core.now_ms())
    here, waits = windows_now(core), rows.in_line(reader, day)
    modes = _modes(core, reader, waits, here)
    called = reader.execute(
        f"SELECT {rows.FIELDS} FROM tickets WHERE business_day = ? AND called_ms IS NOT NULL AND state <> 'CANCELLED'"
        f" ORDER BY called_ms DESC, ticket_id DESC LIMIT {CALLED_SHOWN}",
        (day,),
    )
    categories = {one.id: 0 for one in core.catalogue.categories}
    at_windows = {one.id: 0 for one in here.all}
    for code, count in reader.execute(
        "SELECT service_code, count(*) FROM tickets INDEXED BY tickets_in_line"
        " WHERE business_day = ? AND state = 'WAITING' GROUP BY service_code",
        (day,),
    ):
        service = core.catalogue.service(code)
        if service is not None:  # an item that a new catalogue no longer has
            categories[service.category] += count
            for window in here.windows_for(code):
                at_windows[window.id] += count
    return {
        "day": day,
        "called": [called_view(core, rows.ticket_of(row)) for row in called],
        "waiting": {"categories": categories, "windows": at_windows, "total": sum(categories.values())},
        "open": [one.id for one in here.all if one.open],
        "lines": [_line_at(one, waits) for one in here.all if one.open],
        "mode": _in_words(_worst(modes)),
        "first_come": {window_id: _words(mode) for window_id, mode in modes.items() if mode != "fair"},
    }


def open_items(core: Core, ticket: Ticket) -> list[str]:
    """The codes of what is still to be done on this ticket, in their order."""
    return [code for _, code, state in rows.items_of(core.reader(), ticket.ticket_id) if state == "open"]


def by_id(core: Core, ticket_id: int) -> Ticket | None:
    """A ticket of any day."""
    row = (
        core.reader()
        .execute(f"SELECT {rows.FIELDS} FROM tickets WHERE ticket_id = ?", (ticket_id,))
        .fetchone()
    )
    return None if row is None else rows.ticket_of(row)


def mode_view(core: Core) -> dict[str, str]:
    """Whether the line is fair to the old just now, or first come, first served, in words: "" while it is fair."""
    reader = core.reader()
    day = rows.today(core, reader, core.now_ms())
    return _in_words(_worst(_modes(core, reader, rows.in_line(reader, day), windows_now(core))))


def _line_at(window: Window, waits: Sequence[Ticket]) -> dict[str, Any]:
    """An open window and who waits for it, by place: the line as hall screens show it. Who waits for an item of two
    windows stands at both."""
    mine = [one.spelled for one in waits if one.service_code in window.skills]
    return {
        "window_id": window.id,
        "number": window.number,
        "sign": window.sign_of("zh"),
        "zh": window.zh,
        "en": window.en,
        "waiting": len(mine),
        "first": mine[:FIRST_SHOWN],
    }


def _modes(core: Core, reader: sqlite3.Connection, waits: Sequence[Ticket], here: Windows) -> dict[str, Mode]:
    """window_id → whether its line can be fair to the old, for the open windows where anybody waits."""
    now_ms, policy = core.now_ms(), rows.policy_of(reader)
    pace = estimates.pace_now(core, reader)
    found: dict[str, Mode] = {}
    for window in here.all:
        mine = sorted((one for one in waits if one.service_code in window.skills), key=fairness.arrival)
        if window.open and mine:
            found[window.id] = fairness.mode_of(mine, now_ms, policy, pace)
    return found


def _worst(modes: Mapping[str, Mode]) -> Mode:
    """What the hall as a whole is told, where its windows differ."""
    told = set(modes.values())
    return "overload" if "overload" in told else "all_priority" if "all_priority" in told else "fair"


def _in_words(mode: Mode) -> dict[str, str]:
    return {"mode": mode, **_words(mode)}


def _words(mode: Mode) -> dict[str, str]:
    zh, en = fairness.mode_words(mode)
    return {"zh": zh, "en": en}


def policy(core: Core) -> Policy:
    """The rules of the line as the hall has set them."""
    return rows.policy_of(core.reader())


def by_token(core: Core, token: str) -> Ticket | None:
    row = core.reader().execute(f"SELECT {rows.FIELDS} FROM tickets WHERE token = ?", (token,)).fetchone()
    return None if row is None else rows.ticket_of(row)


def ahead(core: Core, ticket: Ticket) -> int:
    """Who is called before this one at the windows that serve its item; 0 once it is called, or its day is over."""
    if ticket.state != "WAITING" or ticket.business_day != today(core):
        return 0
    codes = sorted(windows_now(core).same_line(ticket.service_code))
    return rows.count_ahead(core.reader(), ticket.business_day, codes, ticket)


def waiting_for(core: Core, service_code: str) -> int:
    """How many people would be before somebody who takes a number for this item now."""
    reader = core.reader()
    codes = sorted(windows_now(core).same_line(service_code))
    return rows.count_ahead(reader, rows.today(core, reader, core.now_ms()), codes, None)


def called_view(core: Core, ticket: Ticket) -> dict[str, Any]:
    """A called number as hall screens show it."""
    window = windows_now(core).window(ticket.window_id)
    service = core.catalogue.service(ticket.service_code)
    return {
        "number": ticket.spelled,
        "category": service.category if service is not None else "",
        "window_id": ticket.window_id,
        "window_sign": window.sign_of("zh") if window is not None else "",
        "window_zh": window.zh if window is not None else ticket.window_id,
        "window_en": window.en if window is not None else ticket.window_id,
        "called_ms": ticket.called_ms,
        "calls": ticket.calls,
        "state": ticket.state,
    }


def ticket_view(core: Core, ticket: Ticket) -> dict[str, Any]:
    """A ticket as staff see it. ``items``: each with its state; ``windows`` serve the present one."""
    service = core.catalogue.service(ticket.service_code)
    return {
        **called_view(core, ticket),
        "ticket_id": ticket.ticket_id,
        "business_day": ticket.business_day,
        "service_code": ticket.service_code,
        "service_zh": service.name_zh if service is not None else ticket.service_code,
        "service_en": service.name_en if service is not None else ticket.service_code,
        "windows": [one.id for one in windows_now(core).windows_for(ticket.service_code)],
        "items": [
            _item_view(core, code, state) for _, code, state in rows.items_of(core.reader(), ticket.ticket_id)
        ],
        "lane": ticket.lane,
        "lane_why": ticket.lane_why,
        "rank": ticket.rank,
        "overtaken": ticket.overtaken,
        "lang": ticket.lang,
        "screen": ticket.screen,
        "taken_ms": ticket.taken_ms,
        "waits_ms": ticket.waits_ms,
        "began_ms": ticket.began_ms,
        "changed_ms": ticket.changed_ms,
    }


def _item_view(core: Core, code: str, state: str) -> dict[str, str]:
    service = core.catalogue.service(code)
    zh, en = (service.name_zh, service.name_en) if service is not None else (code, code)
    return {"code": code, "zh": zh, "en": en, "state": state}
