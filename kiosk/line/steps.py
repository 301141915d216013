"""What may happen to a number besides being called: the rest of `queue.LIFE`, each step one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from devices.faults import OrderRefused
from kiosk import windows
from kiosk.core import Core
from kiosk.line import act, rows, telling
from kiosk.line.act import Act
from kiosk.rules import queue
from kiosk.rules.queue import Ticket


def begin(core: Core, ticket_id: int, by: str) -> Ticket:
    """The person is at the window."""

    def work(one: Act, ticket: Ticket) -> Ticket:
        after = one.change(ticket, queue.step(ticket, "begin", one.now_ms))
        one.sign(after.window_id, after.spelled)
        one.write("begin", after)
        return after

    return _step(core, ticket_id, by, work)


def hold(core: Core, ticket_id: int, by: str) -> Ticket:
    """A paper is missing: the person fetches it, and the window is free meanwhile."""

    def work(one: Act, ticket: Ticket) -> Ticket:
        after = one.change(ticket, queue.step(ticket, "hold", one.now_ms))
        one.sign(ticket.window_id, "")
        one.write("hold", after)
        return after

    return _step(core, ticket_id, by, work)


def resume(core: Core, ticket_id: int, by: str, window_id: str = "") -> Ticket:
    """Who was on hold is served again, at the same window or at any other that serves the item.

    :raises OrderRefused: besides the table's reasons: the window is busy, or does not serve the item.
    """

    def work(one: Act, ticket: Ticket) -> Ticket:
        where = window_id or ticket.window_id or ""
        if ticket.state == "HELD":
            if ticket.service_code not in windows.usable(one.core, one.notebook, where).skills:
                raise OrderRefused("这个窗口不办这一事项", "This window does not serve that item")
            one.open_window(where)
        after = one.change(ticket, queue.step(ticket, "resume", one.now_ms, where))
        one.sign(where, after.spelled)
        one.write("resume", after)
        return after

    return _step(core, ticket_id, by, work)


def transfer(core: Core, ticket_id: int, service_code: str, by: str) -> Ticket:
    """To another item (or the same one at whichever window is free): waits again, at the place it had from the start.

    :raises OrderRefused: besides the table's reasons: no window serves that item.
    """

    def work(one: Act, ticket: Ticket) -> Ticket:
        _known_item(one, service_code)
        after = queue.step(ticket, "transfer", one.now_ms, service_code=service_code)
        one.serve(ticket, "transferred")
        if service_code != ticket.service_code:
            one.item(ticket.ticket_id, ticket.service_code, "dropped")
            if service_code not in rows.open_items(one.notebook, ticket):
                one.item(ticket.ticket_id, service_code, "open")
        one.change(ticket, after)
        _leaves(one, ticket)
        one.write("transfer", after)
        return after

    return _step(core, ticket_id, by, work)


def no_show(core: Core, ticket_id: int, by: str) -> Ticket:
    """Nobody came. The number can still be called again, or come back to the line, today."""

    def work(one: Act, ticket: Ticket) -> Ticket:
        after = queue.step(ticket, "no_show", one.now_ms)
        one.serve(ticket, "no_show")
        one.change(ticket, after)
        _leaves(one, ticket)
        one.write("no_show", after)
        return after

    return _step(core, ticket_id, by, work)


def late(core: Core, ticket_id: int, by: str) -> Ticket:
    """Who missed the call is there after all: back into the line, some places back (`policy.late_places`)."""

    def work(one: Act, ticket: Ticket) -> Ticket:
        places = rows.policy_of(one.notebook).late_places
        serves = windows.windows_now(one.core, one.notebook).same_line(ticket.service_code)
        waiting = rows.in_line(one.notebook, ticket.business_day, serves)
        rank = queue.late_rank(ticket, waiting, serves, places, one.now_ms)
        after = one.change(ticket, queue.step(ticket, "late", one.now_ms, rank=rank))
        one.write("late", after)
        return after

    return _step(core, ticket_id, by, work)


def add_item(core: Core, ticket_id: int, service_code: str, by: str) -> Ticket:
    """One more item on the same ticket, after the present one."""

    def work(one: Act, ticket: Ticket) -> Ticket:
        _known_item(one, service_code)
        items = rows.items_of(one.notebook, ticket_id)
        if ticket.state in queue.OVER:
            raise OrderRefused(
                f"{ticket.spelled} 已结束，请重新取号", f"{ticket.spelled} is over: take a new number"
            )
        if any(code == service_code and state == "open" for _, code, state in items):
            raise OrderRefused("这张号上已有这一事项", "This item is on the ticket already")
        if sum(state == "open" for _, _, state in items) >= queue.ITEMS_AT_MOST:
            raise OrderRefused(
                f"一张号最多办 {queue.ITEMS_AT_MOST} 项",
                f"One number holds {queue.ITEMS_AT_MOST} services at most",
            )
        one.item(ticket_id, service_code, "open")
        one.touched.append(ticket)
        one.write("item_added", ticket)
        return ticket

    return _step(core, ticket_id, by, work)


def next_item(core: Core, ticket_id: int, by: str, *, stay: bool = True) -> Ticket:
    """This item is done, the ticket's next one comes: here at once where this window serves it, else in the line.

    :param stay: False: into the line in any case.
    :raises OrderRefused: besides the table's reasons: nothing else is open on the ticket.
    """

    def work(one: Act, ticket: Ticket) -> Ticket:
        event, after = _end_item(one, ticket, stay)
        if event != "next_item":
            raise OrderRefused(f"{ticket.spelled} 没有别的事项了", f"{ticket.spelled} has no other item")
        one.write("next_item", after)
        return after

    return _step(core, ticket_id, by, work)


def done(core: Core, ticket_id: int, by: str) -> Ticket:
    """The person has been served; items that were not done are dropped."""

    def work(one: Act, ticket: Ticket) -> Ticket:
        after = _done(one, ticket)
        one.write("done", after)
        return after

    return _step(core, ticket_id, by, work)


def cancel(core: Core, ticket_id: int, by: str) -> Ticket:
    """The person goes without."""

    def work(one: Act, ticket: Ticket) -> Ticket:
        after = queue.step(ticket, "cancel", one.now_ms)
        one.serve(ticket, "cancelled")
        one.drop_items(ticket.ticket_id)
        one.change(ticket, after)
        _leaves(one, ticket)
        one.write("cancel", after)
        return after

    return _step(core, ticket_id, by, work)


def set_lane(core: Core, ticket_id: int, lane_why: str, by: str) -> Ticket:
    """Put a number into the priority lane, or ("") back into the normal one. Its place stays its own."""
    why = queue.read_lane(lane_why)

    def work(one: Act, ticket: Ticket) -> Ticket:
        if ticket.state in queue.OVER:
            raise OrderRefused(f"{ticket.spelled} 已结束", f"{ticket.spelled} is over")
        after = one.change(ticket, queue.in_lane(ticket, why))
        one.write("lane", after)
        return after

    return _step(core, ticket_id, by, work)


def undo(core: Core, ticket_id: int, by: str) -> Ticket:
    """Take the last step of a ticket back, within 30 s: all that it changed is as it was before."""
    now_ms = core.now_ms()
    was = (rows.by_id(core.reader(), ticket_id).window_id,)
    back = core.writer.write(lambda notebook: act.undo(core, notebook, ticket_id, by, now_ms))
    windows.tell(core, *{one.window_id for one in back}, *was)
    for one in back:
        telling.tell_ticket(core, one)
    telling.tell_line(core)
    return back[0]


# ---------------------------------------------------------------- what steps have in common


def finish(one: Act, ticket: Ticket, before: str) -> tuple[str, Ticket]:
    """The window calls somebody else: who was there is done with it. Answers the step and the ticket after it.

    :param before: "no_show": who was called and never came is written down as absent.
    """
    if ticket.state == "CALLED" and before == "no_show":
        after = queue.step(ticket, "no_show", one.now_ms)
        one.serve(ticket, "no_show")
        return "no_show", one.change(ticket, after)
    return _end_item(one, ticket, stay=False)


def _end_item(one: Act, ticket: Ticket, stay: bool) -> tuple[str, Ticket]:
    """The present item is done; with another one open the ticket goes on, else it is done."""
    left = rows.open_items(one.notebook, ticket)
    if not left:
        return "done", _done(one, ticket)
    window = windows.windows_now(one.core, one.notebook).window(ticket.window_id)
    here = stay and window is not None and left[0] in window.skills
    after = queue.step(
        ticket, "next_item", one.now_ms, to="SERVING" if here else "WAITING", service_code=left[0]
    )
    one.serve(ticket, "done")
    one.item(ticket.ticket_id, ticket.service_code, "done")
    one.change(ticket, after)
    one.sign(ticket.window_id, after.spelled if here else "")
    return "next_item", after


def _done(one: Act, ticket: Ticket) -> Ticket:
    after = queue.step(ticket, "done", one.now_ms)
    one.serve(ticket, "done")
    one.item(ticket.ticket_id, ticket.service_code, "done")
    one.drop_items(ticket.ticket_id)
    one.change(ticket, after)
    _leaves(one, ticket)
    return after


def _leaves(one: Act, ticket: Ticket) -> None:
    """Who stood at the window does so no more."""
    if ticket.state in queue.AT_WINDOW:
        one.sign(ticket.window_id, "")


def _known_item(one: Act, code: str) -> None:
    service = one.core.catalogue.service(code)
    if service is None or not service.needs_ticket:
        raise OrderRefused(
            f"没有要排队的事项“{code[:20]}”", f"There is no item {code[:20]!r} that needs a number"
        )
    if not windows.windows_now(one.core, one.notebook).windows_for(code):
        raise OrderRefused(f"没有窗口办“{service.name_zh}”", f"No window serves “{service.name_en}”")


def _step(core: Core, ticket_id: int, by: str, work: Callable[[Act, Ticket], Ticket]) -> Ticket:
    now_ms = core.now_ms()

    def piece(notebook: sqlite3.Connection) -> tuple[Ticket, Act]:
        one = Act(core, notebook, by, now_ms)
        after = work(one, rows.of_today(core, notebook, ticket_id, now_ms))
        return after, one

    after, done = core.writer.write(piece)
    windows.tell(core, *done.opened)
    for ticket in done.touched:
        telling.tell_ticket(core, ticket)
    telling.tell_line(core)
    return after
