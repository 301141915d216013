"""The line of waiting people: what the API and the console may do to it.

Each function decides by the rules in ``rules/queue.py`` inside the writer's transaction, and tells the hub only
when the change is on the disk: "ticket" and "line" to staff, "called" and "state" to the hall.

    ticket = call_next(core, "W2", "window2")      # raises OrderRefused with words for the person who tapped
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import dataclass, replace
from typing import Any

from devices.faults import NotWritten, OrderRefused
from gateway.log import say_once
from kiosk import hours, second_touch
from kiosk.catalogue import Service, Window
from kiosk.core import Core
from kiosk.rules import queue
from kiosk.rules.queue import Ticket
from kiosk.rules.slip import compose_ticket

#: docs/protocol.md: hall screens show the last six numbers called.
CALLED_SHOWN = 6

#: Nobody repeats a tap of yesterday.
KEYS_KEPT_MS = 86_400_000

#: SQLite's largest rowid: "before nobody in particular".
NEVER_REACHED = 2**63 - 1

_FIELDS = (
    "ticket_id, business_day, prefix, number, service_code, token, lang, screen, state, window_id, taken_ms, "
    "called_ms, calls, changed_ms"
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking a number gives. ``new`` is False when the same key had taken it before."""

    ticket: Ticket
    ahead: int
    windows: tuple[Window, ...]
    slip_id: int | None
    new: bool
    second_touch: bool = False
    """Another key, but the same item at the same screen within 2 s: the first one's ticket."""


class KeyUsed(OrderRefused):
    """The same idempotency key came with another service or window."""


class NoTicketNeeded(OrderRefused):
    """The item is a guide or a request; a number would make somebody wait for nothing."""


class UnknownService(OrderRefused):
    """No such item in the catalogue."""


# ---------------------------------------------------------------- residents


def take_ticket(
    core: Core, service_code: str, key: str, lang: str, screen: str, *, touched: bool = False
) -> Taken:
    """Take the next number of the item's letter; number and slip are one transaction.

    :param key: the client's idempotency key: the same key again is the same ticket.
    :param touched: by a finger at this screen: a second one within 2 s gets the same ticket.
    :raises kiosk.rules.hours.HallClosed: / :raises kiosk.rules.hours.ItemClosed: with the time of the next opening.
    """
    service = item_with_numbers(core, service_code)
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Taken:
        if (before := _taken_before(core, notebook, service, key)) is not None:
            return before
        hours.must_be_open(core, notebook, service, now_ms)
        day = _today(core, notebook, now_ms)
        if touched and (
            first := second_touch.just_taken(
                notebook, day, service.ticket_prefix, service.code, screen, now_ms
            )
        ):
            second_touch.keep(notebook, key, first, now_ms)
            return replace(_as_taken(core, notebook, _by_id(notebook, first)), second_touch=True)
        return give_number(core, notebook, service, key, lang, screen, now_ms)

    return tell_taken(core, core.writer.write(work))


def tell_taken(core: Core, taken: Taken) -> Taken:
    """To the screens, once it is on the disk."""
    if taken.new:
        _tell_ticket(core, taken.ticket)
        _tell_line(core)
    return taken


def item_with_numbers(core: Core, service_code: str) -> Service:
    """:raises UnknownService: / :raises NoTicketNeeded: there is no number for this."""
    service = core.catalogue.service(service_code)
    if service is None:
        raise UnknownService(
            f"没有编号为“{service_code[:20]}”的事项", f"There is no service {service_code[:20]!r}"
        )
    if not service.needs_ticket:
        raise NoTicketNeeded(
            f"“{service.name_zh}”不用取号，请看办事指南或按“叫人帮忙”",
            f"“{service.name_en}” needs no number: see its guide, or press “Call for help”",
        )
    return service


def _taken_before(core: Core, notebook: sqlite3.Connection, service: Service, key: str) -> Taken | None:
    row = notebook.execute(f"SELECT {_FIELDS} FROM tickets WHERE key = ?", (key,)).fetchone()
    touch = second_touch.known(notebook, key) if row is None else None
    if row is None and touch is None:
        return None
    before = _ticket(row) if row is not None else _by_id(notebook, touch or 0)
    if before.service_code != service.code:
        raise KeyUsed(
            "这个操作号已用于另一事项，请返回重试",
            "This key was used for another service; go back and retry",
        )
    return replace(_as_taken(core, notebook, before), second_touch=touch is not None)


def taken_again(core: Core, notebook: sqlite3.Connection, ticket_id: int) -> Taken:
    """What taking it gave, told once more."""
    return _as_taken(core, notebook, _by_id(notebook, ticket_id))


def _as_taken(core: Core, notebook: sqlite3.Connection, before: Ticket) -> Taken:
    slip = notebook.execute(
        "SELECT min(slip_id) FROM slips WHERE ticket_id = ?", (before.ticket_id,)
    ).fetchone()[0]
    windows = core.catalogue.windows_for(before.service_code)
    return Taken(before, _ahead(core, notebook, before), windows, slip, new=False)


def give_number(
    core: Core,
    notebook: sqlite3.Connection,
    service: Service,
    key: str,
    lang: str,
    screen: str,
    now_ms: int,
    *,
    rank: int | None = None,
    lane_why: str = "",
) -> Taken:
    """The next number, in the writer's transaction; `tell_taken` when it is written.

    :param rank: microseconds, where it is not the moment of taking: an appointment's slot.
    :param lane_why: why it stands in the priority lane; "" in the normal one.
    """
    windows = core.catalogue.windows_for(service.code)
    day = _today(core, notebook, now_ms)
    last = notebook.execute(
        # After a restore a number that somebody may hold on paper is not given again: number_floor remembers it.
        "SELECT max(coalesce((SELECT max(number) FROM tickets WHERE business_day = ?1 AND prefix = ?2), 0),"
        " coalesce((SELECT number FROM number_floor WHERE business_day = ?1 AND prefix = ?2), 0))",
        (day, service.ticket_prefix),
    ).fetchone()[0]
    token = secrets.token_urlsafe(12)  # 96 bits: nobody finds another's ticket by trying
    cursor = notebook.execute(
        "INSERT INTO tickets(business_day, prefix, number, service_code, key, token, lang, screen, state, lane,"
        " lane_why, rank, taken_ms, waits_ms, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'WAITING', ?, ?, ?, ?, ?, ?)",
        (
            *(day, service.ticket_prefix, last + 1, service.code, key, token, lang, screen),
            *("priority" if lane_why else "normal", lane_why),
            *(now_ms * 1000 if rank is None else rank, *[now_ms] * 3),
        ),
    )
    notebook.execute(
        "INSERT INTO ticket_items(ticket_id, seq, service_code, state) VALUES (?, 1, ?, 'open')",
        (cursor.lastrowid, service.code),
    )
    ticket = _by_id(notebook, int(cursor.lastrowid or 0))
    ahead = _ahead(core, notebook, ticket)
    slip_id = _add_slip(core, notebook, ticket, service, windows, ahead, now_ms)
    _journal(notebook, now_ms, screen, "taken", ticket, None)
    return Taken(ticket, ahead, windows, slip_id, new=True)


def _add_slip(
    core: Core,
    notebook: sqlite3.Connection,
    ticket: Ticket,
    service: Service,
    windows: tuple[Window, ...],
    ahead: int,
    now_ms: int,
) -> int | None:
    """The outbox row the bridge prints; None in a hall without a printer (the number stays on the screen)."""
    plan = core.house.plan
    if not plan.printers:
        return None
    body = compose_ticket(plan.hall, ticket, service, windows, ahead, core.zone, public_url(core))
    cursor = notebook.execute(
        "INSERT INTO slips(printer, kind, body, created_ms, ticket_id) VALUES (?, 'ticket', ?, ?, ?)",
        (plan.printers[0].id, json.dumps(body, ensure_ascii=False), now_ms, ticket.ticket_id),
    )
    return int(cursor.lastrowid or 0)


def public_url(core: Core) -> str:
    """What links on paper begin with: ``base_url`` of hall.toml, else this machine's own address."""
    http = core.house.plan.http
    host = "127.0.0.1" if http.listen in ("0.0.0.0", "::", "") else http.listen
    return http.base_url or f"http://{host}:{http.port}"


# ---------------------------------------------------------------- staff


def call_next(core: Core, window_id: str, by: str, key: str = "") -> Ticket:
    """Call who has waited longest for this window. Who was being served there is done with that.

    :param key: the console's idempotency key: the same key again is the same call, told once more. "": none.
    """
    if core.catalogue.window(window_id) is None:
        raise OrderRefused(f"没有窗口“{window_id[:20]}”", f"There is no window {window_id[:20]!r}")
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> tuple[Ticket | None, Ticket]:
        if key and (before := _called_before(notebook, key, window_id)):
            return None, before
        day = _today(core, notebook, now_ms)
        chosen = queue.next_in_line(_in_line(notebook, day), core.catalogue.served_at(window_id))
        row = notebook.execute(
            f"SELECT {_FIELDS} FROM tickets WHERE business_day = ? AND window_id = ? AND state = 'CALLED'",
            (day, window_id),
        ).fetchone()
        finished = None
        if row is not None:
            finished = _apply(
                notebook, _ticket(row), queue.step(_ticket(row), "done", now_ms), "done", by, now_ms
            )
        called = queue.step(chosen, "call", now_ms, window_id)
        if key:
            _keep_key(notebook, key, window_id, called.ticket_id, now_ms)
        return finished, _apply(notebook, chosen, called, "call", by, now_ms)

    finished, called = core.writer.write(work)
    if finished is not None:
        _tell_ticket(core, finished)
    if called.state == "CALLED":
        # Also where the key had called it before: who asks again has not heard, and perhaps nobody has.
        _tell_called(core, called)
    return called


def _called_before(notebook: sqlite3.Connection, key: str, window_id: str) -> Ticket | None:
    row = notebook.execute("SELECT window_id, ticket_id FROM call_keys WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    if row[0] != window_id:
        raise KeyUsed(
            "这个操作号已用于另一窗口，请再按一次", "This key was used for another window; press once more"
        )
    return _known(notebook, row[1])


def _keep_key(notebook: sqlite3.Connection, key: str, window_id: str, ticket_id: int, now_ms: int) -> None:
    notebook.execute("DELETE FROM call_keys WHERE at_ms < ?", (now_ms - KEYS_KEPT_MS,))
    notebook.execute(
        "INSERT INTO call_keys(key, window_id, ticket_id, at_ms) VALUES (?, ?, ?, ?)",
        (key, window_id, ticket_id, now_ms),
    )


def recall(core: Core, ticket_id: int, by: str) -> Ticket:
    """Call a number again: nobody came yet, or an absent person has come back."""
    called = _step(core, ticket_id, "recall", by)
    _tell_called(core, called)
    return called


def no_show(core: Core, ticket_id: int, by: str) -> Ticket:
    """Nobody came. The number can still be recalled today."""
    return _told(core, _step(core, ticket_id, "no_show", by))


def done(core: Core, ticket_id: int, by: str) -> Ticket:
    """The person has been served."""
    return _told(core, _step(core, ticket_id, "done", by))


def cancel(core: Core, ticket_id: int, by: str) -> Ticket:
    """The person does not want it any more."""
    return _told(core, _step(core, ticket_id, "cancel", by))


def undo(core: Core, ticket_id: int, by: str) -> Ticket:
    """Take the last step of a ticket back, within 30 s."""
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Ticket:
        ticket = _known(notebook, ticket_id)
        queue.check_day(ticket, _today(core, notebook, now_ms))
        row = notebook.execute(
            "SELECT event, at_ms, before FROM journal WHERE ticket_id = ? ORDER BY entry_id DESC LIMIT 1",
            (ticket_id,),
        ).fetchone()
        last = None
        if row is not None:
            before = json.loads(row[2])
            last = queue.LastStep(row[0], row[1], **before) if before else None
        return _apply(notebook, ticket, queue.undo(ticket, last, now_ms), "undo", by, now_ms)

    return _told(core, core.writer.write(work))


def _step(core: Core, ticket_id: int, what: queue.Step, by: str) -> Ticket:
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Ticket:
        ticket = _known(notebook, ticket_id)
        queue.check_day(ticket, _today(core, notebook, now_ms))
        return _apply(notebook, ticket, queue.step(ticket, what, now_ms), what, by, now_ms)

    return core.writer.write(work)


def _apply(
    notebook: sqlite3.Connection, before: Ticket, after: Ticket, event: str, by: str, now_ms: int
) -> Ticket:
    try:
        notebook.execute(
            "UPDATE tickets SET state = ?1, window_id = ?2, called_ms = ?3, calls = ?4, changed_ms = ?5,"
            " waits_ms = iif(?1 = 'WAITING', taken_ms, NULL) WHERE ticket_id = ?6",
            (after.state, after.window_id, after.called_ms, after.calls, after.changed_ms, after.ticket_id),
        )
    except sqlite3.IntegrityError as wrong:
        # one_person_at_a_window: the window has called somebody else meanwhile
        raise OrderRefused(
            "这个窗口正在办理另一个号，请先办结", "This window is serving another number; finish it first"
        ) from wrong
    _journal(notebook, now_ms, by, event, after, before)
    return after


# ---------------------------------------------------------------- looking


def waiting(core: Core) -> list[dict[str, Any]]:
    """Everybody in today's line, who waits longest first, as the console shows them."""
    reader = core.reader()
    return [ticket_view(core, one) for one in _in_line(reader, _today(core, reader, core.now_ms()))]


def today(core: Core) -> str:
    """The hall's business day as the notebook counts it."""
    return _today(core, core.reader(), core.now_ms())


def tickets_today(core: Core, states: tuple[queue.State, ...]) -> list[Ticket]:
    """Today's tickets in these states, the latest change first (at most 200)."""
    reader = core.reader()
    marks = ", ".join("?" * len(states))
    rows = reader.execute(
        f"SELECT {_FIELDS} FROM tickets WHERE business_day = ? AND state IN ({marks})"
        " ORDER BY changed_ms DESC LIMIT 200",
        (_today(core, reader, core.now_ms()), *states),
    )
    return [_ticket(row) for row in rows]


def board(core: Core) -> dict[str, Any]:
    """What the hall may see: the last six calls and how many wait, for each window and category. Nothing personal."""
    reader = core.reader()
    day = _today(core, reader, core.now_ms())
    called = reader.execute(
        f"SELECT {_FIELDS} FROM tickets WHERE business_day = ? AND called_ms IS NOT NULL"
        f" ORDER BY called_ms DESC, ticket_id DESC LIMIT {CALLED_SHOWN}",
        (day,),
    )
    categories = {one.id: 0 for one in core.catalogue.categories}
    windows = {one.id: 0 for one in core.catalogue.windows}
    for code, count in reader.execute(
        "SELECT service_code, count(*) FROM tickets WHERE business_day = ? AND state = 'WAITING' GROUP BY service_code",
        (day,),
    ):
        service = core.catalogue.service(code)
        if service is not None:  # an item that a new catalogue no longer has
            categories[service.category] += count
            for window in core.catalogue.windows_for(code):
                windows[window.id] += count
    return {
        "day": day,
        "called": [called_view(core, _ticket(row)) for row in called],
        "waiting": {"categories": categories, "windows": windows, "total": sum(categories.values())},
    }


def by_token(core: Core, token: str) -> Ticket | None:
    row = core.reader().execute(f"SELECT {_FIELDS} FROM tickets WHERE token = ?", (token,)).fetchone()
    return None if row is None else _ticket(row)


def by_id(core: Core, ticket_id: int) -> Ticket | None:
    row = core.reader().execute(f"SELECT {_FIELDS} FROM tickets WHERE ticket_id = ?", (ticket_id,)).fetchone()
    return None if row is None else _ticket(row)


def ahead(core: Core, ticket: Ticket) -> int:
    """People before this one at the windows that serve its item; 0 once it is called."""
    return _ahead(core, core.reader(), ticket) if ticket.state == "WAITING" else 0


def waiting_for(core: Core, service_code: str) -> int:
    """How many people would be before somebody who takes a number for this item now."""
    reader = core.reader()
    return _count_in_line(core, reader, service_code, _today(core, reader, core.now_ms()), None)


def called_view(core: Core, ticket: Ticket) -> dict[str, Any]:
    """A called number as hall screens show it."""
    window = core.catalogue.window(ticket.window_id or "")
    service = core.catalogue.service(ticket.service_code)
    return {
        "number": ticket.spelled,
        "category": service.category if service is not None else "",
        "window_id": ticket.window_id,
        "window_zh": window.zh if window is not None else ticket.window_id,
        "window_en": window.en if window is not None else ticket.window_id,
        "called_ms": ticket.called_ms,
        "calls": ticket.calls,
        "state": ticket.state,
    }


def ticket_view(core: Core, ticket: Ticket) -> dict[str, Any]:
    """A ticket as staff see it."""
    service = core.catalogue.service(ticket.service_code)
    return {
        **called_view(core, ticket),
        "ticket_id": ticket.ticket_id,
        "business_day": ticket.business_day,
        "service_code": ticket.service_code,
        "service_zh": service.name_zh if service is not None else ticket.service_code,
        "service_en": service.name_en if service is not None else ticket.service_code,
        "windows": [one.id for one in core.catalogue.windows_for(ticket.service_code)],
        "lang": ticket.lang,
        "screen": ticket.screen,
        "taken_ms": ticket.taken_ms,
        "changed_ms": ticket.changed_ms,
    }


# ---------------------------------------------------------------- telling


def _told(core: Core, ticket: Ticket) -> Ticket:
    _tell_ticket(core, ticket)
    _tell_line(core)
    return ticket


def _tell_called(core: Core, ticket: Ticket) -> None:
    core.hub.publish("hall", "called", called_view(core, ticket))
    _told(core, ticket)


def _tell_ticket(core: Core, ticket: Ticket) -> None:
    if core.hub.listens("staff"):
        core.hub.publish("staff", "ticket", ticket_view(core, ticket))


def _tell_line(core: Core) -> None:
    """The line as it is, to all screens. A level: of many changes at once only the last is told."""

    def tell() -> None:
        hall, staff = core.hub.listens("hall"), core.hub.listens("staff")
        if not (hall or staff):
            return
        try:
            now = board(core)
        except (NotWritten, sqlite3.Error) as wrong:
            # The ticket is on disk all the same; the screens have what they had, and hear the next change.
            say_once("line_not_told", "line_not_told", f"the line could not be read for the screens: {wrong}")
            return
        core.hub.publish("hall", "state", now)
        core.hub.publish("staff", "line", now)

    core.line_bell(tell)


# ---------------------------------------------------------------- rows


def _today(core: Core, notebook: sqlite3.Connection, now_ms: int) -> str:
    last = notebook.execute("SELECT max(business_day) FROM tickets").fetchone()[0]
    return queue.business_day(now_ms, core.zone, last or "")


def _in_line(notebook: sqlite3.Connection, day: str) -> list[Ticket]:
    rows = notebook.execute(
        f"SELECT {_FIELDS} FROM tickets WHERE business_day = ? AND state = 'WAITING' ORDER BY ticket_id",
        (day,),
    )
    return [_ticket(row) for row in rows]


def _ahead(core: Core, notebook: sqlite3.Connection, ticket: Ticket) -> int:
    """As `queue.ahead_of`, counted by SQLite (a test compares the two): a long line must not slow a touch."""
    if ticket.state != "WAITING":
        return 0
    return _count_in_line(core, notebook, ticket.service_code, ticket.business_day, ticket.ticket_id)


def _count_in_line(
    core: Core, notebook: sqlite3.Connection, service_code: str, day: str, before: int | None
) -> int:
    codes = sorted(core.catalogue.same_line(service_code))
    marks = ", ".join("?" * len(codes))
    return int(
        notebook.execute(
            "SELECT count(*) FROM tickets WHERE business_day = ? AND state = 'WAITING'"
            f" AND service_code IN ({marks}) AND ticket_id < ?",
            (day, *codes, NEVER_REACHED if before is None else before),
        ).fetchone()[0]
    )


def _by_id(notebook: sqlite3.Connection, ticket_id: int) -> Ticket:
    return _ticket(
        notebook.execute(f"SELECT {_FIELDS} FROM tickets WHERE ticket_id = ?", (ticket_id,)).fetchone()
    )


def _known(notebook: sqlite3.Connection, ticket_id: int) -> Ticket:
    row = notebook.execute(f"SELECT {_FIELDS} FROM tickets WHERE ticket_id = ?", (ticket_id,)).fetchone()
    if row is None:
        raise OrderRefused("没有这个号", "There is no such ticket")
    return _ticket(row)


def _ticket(row: Any) -> Ticket:
    return Ticket(*row)


def _journal(
    notebook: sqlite3.Connection, now_ms: int, by: str, event: str, ticket: Ticket, before: Ticket | None
) -> None:
    was = {}
    if before is not None:
        was = {name: getattr(before, name) for name in ("state", "window_id", "called_ms", "calls")}
    now = {"number": ticket.spelled, "state": ticket.state, "window_id": ticket.window_id}
    notebook.execute(
        "INSERT INTO journal(at_ms, by, event, ticket_id, before, detail) VALUES (?, ?, ?, ?, ?, ?)",
        (now_ms, by, event, ticket.ticket_id, json.dumps(was), json.dumps(now)),
    )
