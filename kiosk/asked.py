"""What residents have asked for and what is still open, for the desks and the search: reads ``requests``, no more.

The life of a request is not here (``kiosk/rules/request_life.py``), nor is its page.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from kiosk.requests.looking import NTH, number_of

#: Urgent ones first, then by when an answer was promised, then the oldest.
_ORDER = "urgent DESC, answer_by_ms IS NULL, answer_by_ms, request_id"


@dataclass(frozen=True, slots=True)
class Asked:
    """An open request. ``number`` is what people say; its code is the resident's alone: with it one sees how it goes.
    ``place`` are the words of a door ("3栋 1单元 302"), "" where none was given.
    """

    request_id: int
    number: str
    service_code: str
    kind: str
    urgent: bool
    state: str
    place: str
    made_ms: int
    answer_by_ms: int | None


def open_requests(
    connection: sqlite3.Connection,
    services: Sequence[str] = (),
    buildings: Sequence[str] | None = None,
    most: int = 8,
) -> tuple[list[Asked], int]:
    """The first ``most`` that nobody has closed, the most urgent first, and how many there are.

    :param services: of these items only; none named: of all.
    :param buildings: in these only; None: anywhere.
    """
    where, with_ = ["closed_ms IS NULL"], list[object]()
    for column, among in (("service_code", services or None), ("building", buildings)):
        if among is not None:
            where.append(f"{column} IN ({','.join('?' * len(among))})")
            with_ += among
    condition = " AND ".join(where)
    count = connection.execute(f"SELECT count(*) FROM requests WHERE {condition}", with_).fetchone()[0]
    found = connection.execute(
        f"SELECT request_id, business_day, {NTH}, service_code, kind, urgent, state, building, unit, room, made_ms,"
        f" answer_by_ms FROM requests WHERE {condition} ORDER BY {_ORDER} LIMIT ?",
        [*with_, most],
    )
    return [_asked(*row) for row in found], int(count)


def _asked(
    request_id: int, day: str, nth: int, service: str, kind: str, urgent: int, state: str,
    building: str, unit: str, room: str, made_ms: int, answer_by_ms: int | None,
) -> Asked:  # fmt: skip
    place = " ".join(one for one in (building, unit, room) if one)
    number = number_of(day, nth)
    return Asked(request_id, number, service, kind, bool(urgent), state, place, made_ms, answer_by_ms)
