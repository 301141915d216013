"""Taking a number: ticket, items, slip and what was told about the wait are one transaction."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from devices.faults import OrderRefused
from kiosk import estimates, hours, second_touch
from kiosk.catalogue import Service
from kiosk.core import Core
from kiosk.line import act, rows, telling
from kiosk.rules import estimate_words, queue
from kiosk.rules.estimate import Estimate
from kiosk.rules.queue import LaneWhy, Ticket
from kiosk.rules.routing import printer_for
from kiosk.rules.slip import compose_ticket
from kiosk.rules.windows import Window
from kiosk.windows import windows_now


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking a number gives. ``new`` is False when the same key had taken it before.

    ``windows`` serve its item; ``is_open``: one of them is open now. ``estimate``: what was told of the wait, or None.
    """

    ticket: Ticket
    ahead: int
    windows: tuple[Window, ...]
    slip_id: int | None
    new: bool
    estimate: Estimate | None = None
    #: another key, but the same items at the same screen within 2 s: the first one's ticket
    second_touch: bool = False

    @property
    def is_open(self) -> bool:
        return any(one.open for one in self.windows)


class KeyUsed(OrderRefused):
    """The same idempotency key came with another service or window."""


class NoTicketNeeded(OrderRefused):
    """The item is a guide or a request; a number would make somebody wait for nothing."""


class UnknownService(OrderRefused):
    """No such item in the catalogue."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants: one or more items, in this order. ``rank`` (microseconds) is an appointment's slot."""

    items: tuple[Service, ...]
    key: str
    lang: str
    screen: str
    lane_why: LaneWhy = ""
    rank: int | None = None


def take_ticket(
    core: Core,
    service_code: str,
    key: str,
    lang: str,
    screen: str,
    *,
    services: Sequence[str] = (),
    lane_why: str = "",
    rank: int | None = None,
    touched: bool = False,
    may_print: Callable[[], None] = lambda: None,
) -> Taken:
    """Take the next number of the item's letter; number and slip are one transaction.

    :param key: the client's idempotency key: the same key again is the same ticket.
    :param services: all items, where there are several; the first is ``service_code``.
    :param lane_why: why this person has priority ("elder", "disabled", "veteran", "child", "staff"); "" not.
    :param touched: by a finger at this screen: a second one within 2 s gets the same ticket.
    :param may_print: asked before a new slip is written; it raises `OrderRefused` where this asker has had too many.
    :raises OrderRefused: besides `check_items`' reasons: hall or item is closed (`kiosk.rules.hours`), with the time of
        the next opening.
    """
    asked = check_items(core, service_code, key, lang, screen, services, lane_why, rank)
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Taken:
        if (before := _before(core, notebook, asked)) is not None:
            return before
        hours.must_be_open(core, notebook, asked.items, now_ms)
        day = rows.today(core, notebook, now_ms)
        codes = [one.code for one in asked.items]
        if touched and (
            first := second_touch.just_taken(
                notebook, day, asked.items[0].ticket_prefix, codes, screen, now_ms
            )
        ):
            second_touch.keep(notebook, key, first, now_ms)
            return replace(taken_again(core, notebook, first), second_touch=True)
        may_print()
        return _give(core, notebook, asked, now_ms)

    return tell_taken(core, core.writer.write(work))


def tell_taken(core: Core, taken: Taken) -> Taken:
    """To the screens, once it is on the disk."""
    if taken.new:
        telling.tell_ticket(core, taken.ticket)
        telling.tell_line(core)
    return taken


def check_items(
    core: Core,
    service_code: str,
    key: str,
    lang: str,
    screen: str,
    services: Sequence[str] = (),
    lane_why: str = "",
    rank: int | None = None,
) -> Asked:
    """What was asked, understood.

    :raises OrderRefused: an item that is unknown, doubled or needs no number; too many; no such priority.
    """
    codes = list(services) or [service_code]
    items = tuple(item_with_numbers(core, code) for code in codes)
    if len(set(codes)) < len(codes):
        raise OrderRefused("同一事项选了两次", "The same service was chosen twice")
    if len(codes) > queue.ITEMS_AT_MOST:
        raise OrderRefused(
            f"一张号最多办 {queue.ITEMS_AT_MOST} 项，其余请再取一张",
            f"One number holds {queue.ITEMS_AT_MOST} services at most; take another for the rest",
        )
    return Asked(items, key, lang, screen, queue.read_lane(lane_why), rank)


def item_with_numbers(core: Core, code: str) -> Service:
    """:raises UnknownService: / :raises NoTicketNeeded: there is no number for this."""
    service = core.catalogue.service(code)
    if service is None:
        raise UnknownService(f"没有编号为“{code[:20]}”的事项", f"There is no service {code[:20]!r}")
    if not service.needs_ticket:
        raise NoTicketNeeded(
            f"“{service.name_zh}”不用取号，请看办事指南或按“叫人帮忙”",
            f"“{service.name_en}” needs no number: see its guide, or press “Call for help”",
        )
    return service


def take_here(core: Core, notebook: sqlite3.Connection, asked: Asked, now_ms: int) -> Taken:
    """As `take_ticket`, inside a transaction of the writer and whatever the hours (an appointment is checked in within
    its own)."""
    return _before(core, notebook, asked) or _give(core, notebook, asked, now_ms)


def _before(core: Core, notebook: sqlite3.Connection, asked: Asked) -> Taken | None:
    """The same key again: the same ticket, wherever it is by now."""
    row = notebook.execute("SELECT ticket_id FROM tickets WHERE key = ?", (asked.key,)).fetchone()
    touch = second_touch.known(notebook, asked.key) if row is None else None
    ticket_id = touch if row is None else int(row[0])
    if ticket_id is None:
        return None
    first = rows.items_of(notebook, ticket_id)[:1]
    if [code for _, code, _ in first] != [asked.items[0].code]:
        raise KeyUsed(
            "这个操作号已用于另一事项，请返回重试", "This key was used for another service; go back and retry"
        )
    return replace(taken_again(core, notebook, ticket_id), second_touch=touch is not None)


def taken_again(core: Core, notebook: sqlite3.Connection, ticket_id: int) -> Taken:
    """What taking it gave, told once more."""
    before, here = rows.by_id(notebook, ticket_id), windows_now(core, notebook)
    slip = notebook.execute(
        "SELECT min(slip_id) FROM slips WHERE ticket_id = ?", (before.ticket_id,)
    ).fetchone()[0]
    ahead = 0
    if before.state == "WAITING":
        codes = sorted(here.same_line(before.service_code))
        ahead = rows.count_ahead(notebook, before.business_day, codes, before)
    return Taken(before, ahead, here.windows_for(before.service_code), slip, new=False)


def _give(core: Core, notebook: sqlite3.Connection, asked: Asked, now_ms: int) -> Taken:
    """The next number."""
    service, here = asked.items[0], windows_now(core, notebook)
    day = rows.begin_day(core, notebook, now_ms)
    last = notebook.execute(
        # After a restore a number that somebody may hold on paper is not given again: number_floor remembers it.
        "SELECT max(coalesce((SELECT max(number) FROM tickets WHERE business_day = ?1 AND prefix = ?2), 0),"
        " coalesce((SELECT number FROM number_floor WHERE business_day = ?1 AND prefix = ?2), 0))",
        (day, service.ticket_prefix),
    ).fetchone()[0]
    # A clock that was set back gives nobody a better place than who came before.
    came_ms = rows.came(notebook, now_ms)
    cursor = notebook.execute(
        "INSERT INTO tickets(business_day, prefix, number, service_code, key, token, lang, screen, state, lane,"
        " lane_why, rank, taken_ms, waits_ms, changed_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'WAITING', ?, ?, ?, ?, ?, ?)",
        (
            day,
            service.ticket_prefix,
            last + 1,
            service.code,
            asked.key,
            secrets.token_urlsafe(12),  # 96 bits: nobody finds another's ticket by trying
            asked.lang,
            asked.screen,
            queue.lane_of(asked.lane_why),
            asked.lane_why,
            came_ms * 1000 if asked.rank is None else asked.rank,
            now_ms,
            now_ms,
            now_ms,
        ),
    )
    ticket = rows.by_id(notebook, int(cursor.lastrowid or 0))
    notebook.executemany(
        "INSERT INTO ticket_items(ticket_id, seq, service_code, state) VALUES (?, ?, ?, 'open')",
        [(ticket.ticket_id, seq, one.code) for seq, one in enumerate(asked.items, 1)],
    )
    ahead = rows.count_ahead(notebook, day, sorted(here.same_line(service.code)), ticket)
    estimate = _estimate(core, notebook, ticket)
    slip_id = _add_slip(core, notebook, ticket, asked.items, here.windows_for(service.code), ahead, estimate)
    fixed = {name: getattr(ticket, name) for name in ("business_day", "prefix", "lang", "screen", "taken_ms")}
    fixed |= {"n": ticket.number}
    act.journal(notebook, now_ms, asked.screen, "taken", ticket, {}, fixed)
    return Taken(ticket, ahead, here.windows_for(service.code), slip_id, new=True, estimate=estimate)


def _estimate(core: Core, notebook: sqlite3.Connection, ticket: Ticket) -> Estimate | None:
    """What the person is told about the wait; kept, to be compared with what came (``serves``)."""
    told = estimates.estimate_for(core, notebook, ticket)
    if told is not None:
        notebook.execute(
            "INSERT INTO estimates(ticket_id, low_ms, mid_ms, high_ms, ahead, open_windows) VALUES (?, ?, ?, ?, ?, ?)",
            (ticket.ticket_id, told.low_ms, told.mid_ms, told.high_ms, told.ahead, told.open_windows),
        )
    return told


def _add_slip(
    core: Core,
    notebook: sqlite3.Connection,
    ticket: Ticket,
    items: tuple[Service, ...],
    windows: tuple[Window, ...],
    ahead: int,
    estimate: Estimate | None,
) -> int | None:
    """The outbox row the bridge prints; None in a hall without a printer (the number stays on the screen)."""
    plan = core.house.plan
    if not plan.printers:
        return None
    body = compose_ticket(
        plan.hall,
        ticket,
        items[0],
        windows,
        ahead,
        core.zone,
        public_url(core),
        lane_why=ticket.lane_why,
        wait_min=None if estimate is None else estimate_words.rounded(estimate),
        also=items[1:],
    )
    cursor = notebook.execute(
        "INSERT INTO slips(printer, kind, body, created_ms, ticket_id) VALUES (?, 'ticket', ?, ?, ?)",
        (
            printer_for(plan.printers, screen=ticket.screen),
            json.dumps(body, ensure_ascii=False),
            ticket.taken_ms,
            ticket.ticket_id,
        ),
    )
    return int(cursor.lastrowid or 0)


def public_url(core: Core) -> str:
    """What links on paper begin with: ``base_url`` of hall.toml, else this machine's own address."""
    http = core.house.plan.http
    host = "127.0.0.1" if http.listen in ("0.0.0.0", "::", "") else http.listen
    return http.base_url or f"http://{host}:{http.port}"
