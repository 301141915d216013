"""Calling: who is next, a chosen number, once more. A number is bound to a window here and nowhere else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Literal

from devices.faults import OrderRefused
from kiosk import estimates, windows
from kiosk.core import Core
from kiosk.line import rows, telling
from kiosk.line.act import Act
from kiosk.line.steps import finish
from kiosk.line.taking import KeyUsed
from kiosk.rules import fairness, queue
from kiosk.rules.queue import Ticket

#: Nobody repeats a tap of yesterday.
KEYS_KEPT_MS = 86_400_000

#: (notebook, everybody who waits, what the window serves) → whom to call.
Choose = Callable[[sqlite3.Connection, list[Ticket], frozenset[str]], fairness.Choice[Ticket]]

#: What the window says of who was called there and never began to be served.
Before = Literal["done", "no_show"]


def call_next(core: Core, window_id: str, by: str, key: str = "", *, before: Before = "done") -> Ticket:
    """Call whoever the rules say is next for this window. Who was there is done with it. Opens a closed window.

    :param key: the console's idempotency key: the same key again is the same call, told once more. "": none.
    :param before: what to write of somebody who was called there and for whom nobody tapped "begin".
    :raises OrderRefused: nobody waits whom this window serves; there is no such window.
    """

    def choose(
        notebook: sqlite3.Connection, waiting: list[Ticket], serves: frozenset[str]
    ) -> fairness.Choice[Ticket]:
        run = notebook.execute(
            "SELECT priority_run FROM windows WHERE window_id = ?", (window_id,)
        ).fetchone()
        return fairness.choose(
            waiting,
            serves,
            core.now_ms(),
            rows.policy_of(notebook),
            0 if run is None else int(run[0]),
            estimates.pace_now(core, notebook),
        )

    return _call(core, window_id, by, key, before, choose)


def call_number(
    core: Core, window_id: str, ticket_id: int, by: str, key: str = "", *, before: Before = "done"
) -> Ticket:
    """Call a chosen number that waits; an absent one is called again, at this window.

    :raises OrderRefused: as `call_next`; or the window does not serve its item.
    """
    absent = rows.by_id(core.reader(), ticket_id)
    if absent.state == "NO_SHOW":
        return recall(core, ticket_id, by, window_id)

    def choose(
        notebook: sqlite3.Connection, waiting: list[Ticket], serves: frozenset[str]
    ) -> fairness.Choice[Ticket]:
        ticket = rows.of_today(core, notebook, ticket_id, core.now_ms())
        queue.step(ticket, "call", core.now_ms(), window_id)  # refuses in words what is not waiting
        _serves_it(core, notebook, window_id, ticket)
        return fairness.Choice(ticket, "first_come", fairness.overtaken_by(ticket, waiting, serves), "fair")

    return _call(core, window_id, by, key, before, choose, chosen=True)


def _call(
    core: Core, window_id: str, by: str, key: str, before: Before, choose: Choose, chosen: bool = False
) -> Ticket:
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> tuple[Act | None, Ticket]:
        if key and (answered := _called_before(notebook, key, window_id)):
            return None, answered
        window = windows.usable(core, notebook, window_id)
        day = rows.begin_day(core, notebook, now_ms)
        choice = choose(notebook, rows.in_line(notebook, day, window.skills), window.skills)
        act = Act(core, notebook, by, now_ms)
        act.open_window(window_id)
        former = rows.at_window(notebook, day, window_id)
        ended: tuple[str, Ticket] | None = None
        if former is not None:
            ended = finish(act, former, before)
        called = act.change(choice.ticket, queue.step(choice.ticket, "call", now_ms, window_id))
        act.run(window_id, called.lane)
        act.overtake([one.ticket_id for one in choice.overtakes])
        act.announce(called)
        act.sign(window_id, called.spelled, blink=True)
        if ended is not None:
            act.write_with(ended[0], ended[1], called)
        act.write("call", called, why="chosen" if chosen else choice.why)
        if key:
            _keep_key(notebook, key, window_id, called.ticket_id, now_ms)
        return act, called

    done, called = core.writer.write(work)
    if done is not None:
        for one in done.touched:
            if one.ticket_id != called.ticket_id:
                telling.tell_ticket(core, one)
    if called.state == "CALLED":
        # Also where the key had called it before: who asks again has not heard, and perhaps nobody has.
        telling.tell_called(core, called)
    if done is not None:
        windows.tell(core, *done.opened)
    return called


def recall(core: Core, ticket_id: int, by: str, window_id: str = "") -> Ticket:
    """Call a number again: nobody came yet, or an absent person has come back. At most three times.

    :param window_id: another window than before, for an absent person; it must serve the item.
    """
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> tuple[Act, Ticket]:
        ticket = rows.of_today(core, notebook, ticket_id, now_ms)
        act = Act(core, notebook, by, now_ms)
        where = window_id or ticket.window_id
        if window_id and window_id != ticket.window_id:
            if ticket.state == "CALLED":
                raise OrderRefused(
                    f"{ticket.spelled} 正在另一窗口叫号",
                    f"{ticket.spelled} is being called at another window",
                )
            _serves_it(core, notebook, window_id, ticket)
        most = rows.policy_of(notebook).recalls_most
        called = queue.step(ticket, "recall", now_ms, where, recalls_most=most)
        if where:
            act.open_window(where)
        act.change(ticket, called)
        act.announce(called)
        act.sign(where, called.spelled, blink=True)
        act.write("recall", called)
        return act, called

    done, called = core.writer.write(work)
    telling.tell_called(core, called)
    windows.tell(core, *done.opened)
    return called


def _serves_it(core: Core, notebook: sqlite3.Connection, window_id: str, ticket: Ticket) -> None:
    window = windows.usable(core, notebook, window_id)
    if ticket.service_code not in window.skills:
        raise OrderRefused(
            f"{window.zh}不办 {ticket.spelled} 的事项，请转办或换窗口叫",
            f"{window.en} does not serve what {ticket.spelled} is for: transfer it, or call it elsewhere",
        )


def _called_before(notebook: sqlite3.Connection, key: str, window_id: str) -> Ticket | None:
    row = notebook.execute("SELECT window_id, ticket_id FROM call_keys WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    if row[0] != window_id:
        raise KeyUsed(
            "这个操作号已用于另一窗口，请再按一次", "This key was used for another window; press once more"
        )
    return rows.by_id(notebook, row[1])


def _keep_key(notebook: sqlite3.Connection, key: str, window_id: str, ticket_id: int, now_ms: int) -> None:
    notebook.execute("DELETE FROM call_keys WHERE at_ms < ?", (now_ms - KEYS_KEPT_MS,))
    notebook.execute(
        "INSERT INTO call_keys(key, window_id, ticket_id, at_ms) VALUES (?, ?, ?, ?)",
        (key, window_id, ticket_id, now_ms),
    )
