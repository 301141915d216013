"""Telling the screens, always after the change is on the disk: "ticket" and "line" to staff, "called" and "state" to
the hall."""

from __future__ import annotations

import sqlite3

from devices.faults import NotWritten
from gateway.log import say_once
from kiosk.core import Core
from kiosk.line import looking
from kiosk.rules.queue import Ticket


def tell_called(core: Core, ticket: Ticket) -> None:
    core.voice_bell.set()
    core.hub.publish("hall", "called", looking.called_view(core, ticket))
    tell_ticket(core, ticket)
    tell_line(core)


def tell_ticket(core: Core, ticket: Ticket) -> None:
    if core.hub.listens("staff"):
        core.hub.publish("staff", "ticket", looking.ticket_view(core, ticket))


def tell_line(core: Core) -> None:
    """The line as it is, to all screens. A level: of many changes at once only the last is told."""

    def tell() -> None:
        hall, staff = core.hub.listens("hall"), core.hub.listens("staff")
        if not (hall or staff):
            return
        try:
            now = looking.board(core)
        except (NotWritten, sqlite3.Error) as wrong:
            # The ticket is on disk all the same; the screens have what they had, and hear the next change.
            say_once("line_not_told", "line_not_told", f"the line could not be read for the screens: {wrong}")
            return
        core.hub.publish("hall", "state", now)
        core.hub.publish("staff", "line", now)

    core.line_bell(tell)
