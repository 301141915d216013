"""The tickets, told again from the journal alone: what every number's life was, and so how each stands now.

The journal is complete where the tickets that come out of it are those of the table (a test compares them after every
step; a technician may, after a restore). What stands on no line of it — the token that only the slip carries, the
client's key — cannot be told again, and is left empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kiosk.rules.queue import CHANGING, Ticket


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal; ``detail`` is its JSON, read."""

    event: str
    ticket_id: int | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A ticket and its items, (seq, service_code, state), as the journal knows them."""

    ticket: Ticket
    items: tuple[tuple[int, str, str], ...]


#: What the line of "taken" says once; every line of a ticket says `queue.CHANGING`.
_FIRST = ("business_day", "prefix", "lang", "screen", "taken_ms")


def retell(lines: Iterable[Line]) -> dict[int, Told]:
    """ticket_id → how it stands after all these lines, which must begin with the first."""
    told: dict[int, Told] = {}
    for line in lines:
        if line.ticket_id is None:
            continue  # a window was opened, a rule was changed
        now = {name: line.detail[name] for name in CHANGING}
        if line.event == "taken":
            first = {name: line.detail[name] for name in _FIRST}
            ticket = Ticket(
                ticket_id=line.ticket_id, number=line.detail["n"], token="", overtaken=0, **first, **now
            )
        else:
            ticket = replace(told[line.ticket_id].ticket, **now)
        items = tuple((int(seq), str(code), str(state)) for seq, code, state in line.detail["items"])
        told[line.ticket_id] = Told(ticket, items)
        for name, more in (("overtook", 1), ("overtook_not", -1)):
            for other in line.detail.get(name, ()):
                before = told[other].ticket
                told[other] = replace(told[other], ticket=replace(before, overtaken=before.overtaken + more))
    return told
