"""Reading requests: one, a list of them, how one goes in its resident's words."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from kiosk import content
from kiosk.core import Core
from kiosk.rules import request_life as life
from kiosk.rules.request_life import OPEN, STATE_WORDS, UNANSWERED, Event, State
from kiosk.rules.requests import KINDS, Both, Kind, masked_name, masked_phone

Json = dict[str, Any]

#: Which of its day a request is, for :func:`number_of`.
NTH = (
    "(SELECT count(*) FROM requests earlier WHERE earlier.business_day = requests.business_day"
    " AND earlier.request_id <= requests.request_id)"
)
_COLUMNS = (
    "request_id, code, service_code, kind, urgent, state, place, building, unit, room, name, phone, words, extra, lang,"
    " screen, business_day, made_ms, answer_by_ms, changed_ms, closed_ms, slip_id,"
    f" {NTH} AS nth"
)
#: In which order somebody should see to them: open ones first; of those the urgent ones, then by whose answer is due
#: first. Among closed ones nobody is waited for: the newest.
_AS_DUE = (
    "closed_ms IS NOT NULL, iif(closed_ms IS NULL, NOT urgent, 0),"
    " iif(closed_ms IS NULL, coalesce(answer_by_ms, made_ms), 0), iif(closed_ms IS NULL, made_ms, 0), request_id DESC"
)


def number_of(business_day: str, nth: int) -> str:
    """As people say it: the 3rd of 22 November is 1122-03. Tells nobody anything, opens nothing."""
    return f"{business_day[5:7]}{business_day[8:10]}-{nth:02d}"


@dataclass(frozen=True, slots=True)
class Row:
    """One request as it is written. Names a person: only the console shows it, and masked."""

    request_id: int
    code: str
    service_code: str
    kind_code: str
    urgent: bool
    state: State
    place: str
    building: str
    unit: str
    room: str
    name: str
    phone: str
    words: str
    extra: Mapping[str, str]
    lang: str
    screen: str
    business_day: str
    made_ms: int
    answer_by_ms: int | None
    changed_ms: int
    closed_ms: int | None
    slip_id: int | None
    nth: int

    @property
    def number(self) -> str:
        return number_of(self.business_day, self.nth)

    @property
    def kind(self) -> Kind:
        """A kind that a later Linli no longer has keeps its code as its name."""
        return KINDS.get(self.kind_code) or Kind(self.kind_code, self.service_code, self.kind_code, self.kind_code)

    @property
    def door(self) -> str:
        """3-2-502: building, unit, room, as far as they are known."""
        return "-".join(part for part in (self.building, self.unit, self.room) if part)

    @property
    def place_words(self) -> str:
        """3栋 1单元 302: as `door`, to be read aloud; "" where none was given."""
        return " ".join(part for part in (self.building, self.unit, self.room) if part)

    @property
    def who_masked(self) -> tuple[str, str]:
        return masked_name(self.name), masked_phone(self.phone)


@dataclass(frozen=True, slots=True)
class StepDone:
    """One row of ``request_steps``."""

    step_id: int
    at_ms: int
    by: str
    event: Event
    told: Both
    note: str


@dataclass(frozen=True, slots=True)
class NoteKept:
    """A voice or a drawing. ``gone_ms``: its file is no longer there."""

    note_id: int
    request_id: int
    kind: str
    file: str
    bytes: int
    made_ms: int
    gone_ms: int | None


def row_of(found: Any) -> Row:
    values = list(found)
    values[4], values[13] = bool(values[4]), json.loads(values[13])
    return Row(*values)


def by_id(notebook: sqlite3.Connection, request_id: int) -> Row | None:
    found = notebook.execute(f"SELECT {_COLUMNS} FROM requests WHERE request_id = ?", (request_id,)).fetchone()
    return None if found is None else row_of(found)


def by_code(core: Core, code: str) -> Row | None:
    found = core.reader().execute(f"SELECT {_COLUMNS} FROM requests WHERE code = ?", (code,)).fetchone()
    return None if found is None else row_of(found)


def by_key(notebook: sqlite3.Connection, key: str) -> Row | None:
    found = notebook.execute(f"SELECT {_COLUMNS} FROM requests WHERE key = ?", (key,)).fetchone()
    return None if found is None else row_of(found)


def listed(
    notebook: sqlite3.Connection,
    *,
    states: tuple[str, ...] = (),
    kind: str = "",
    building: str = "",
    first_day: str = "",
    last_day: str = "",
    most: int = 500,
    as_due: bool = False,
) -> list[Row]:
    """Requests that fit, the newest first; "" and () ask for nothing in particular.

    :param as_due: in the order in which somebody should see to them, so that ``most`` cuts off no one who waits.
    """
    asked: list[tuple[str, object]] = [
        ("kind = ?", kind), ("building = ?", building),
        ("business_day >= ?", first_day), ("business_day <= ?", last_day),
    ]  # fmt: skip
    where = [(sql, value) for sql, value in asked if value]
    clauses = [sql for sql, _ in where]
    if states:
        clauses.append(f"state IN ({', '.join('?' * len(states))})")
    found = notebook.execute(
        f"SELECT {_COLUMNS} FROM requests WHERE {' AND '.join(clauses) or '1'}"
        f" ORDER BY {_AS_DUE if as_due else 'request_id DESC'} LIMIT ?",
        (*(value for _, value in where), *states, most),
    )
    return [row_of(one) for one in found]


def open_requests(
    notebook: sqlite3.Connection,
    services: Sequence[str] = (),
    buildings: Sequence[str] | None = None,
    most: int = 8,
) -> tuple[list[Row], int]:
    """The first ``most`` that nobody has closed, the most urgent first, and how many there are.

    :param services: of these items only; none named: of all.
    :param buildings: in these only; None: anywhere.
    """
    where, values = ["closed_ms IS NULL"], list[object]()
    for column, among in (("service_code", services or None), ("building", buildings)):
        if among is not None:
            where.append(f"{column} IN ({', '.join('?' * len(among))})")
            values += among
    fit = " AND ".join(where)
    count = notebook.execute(f"SELECT count(*) FROM requests WHERE {fit}", values).fetchone()[0]
    found = notebook.execute(f"SELECT {_COLUMNS} FROM requests WHERE {fit} ORDER BY {_AS_DUE} LIMIT ?", [*values, most])
    return [row_of(one) for one in found], int(count)


def steps(notebook: sqlite3.Connection, request_id: int) -> list[StepDone]:
    """In the order in which they happened."""
    found = notebook.execute(
        'SELECT step_id, at_ms, "by", event, told_zh, told_en, note FROM request_steps WHERE request_id = ?'
        " ORDER BY step_id",
        (request_id,),
    )
    return [StepDone(r[0], r[1], r[2], cast(Event, r[3]), Both(r[4], r[5]), r[6]) for r in map(tuple, found)]


def notes(notebook: sqlite3.Connection, request_id: int) -> list[NoteKept]:
    found = notebook.execute(
        "SELECT note_id, request_id, kind, file, bytes, made_ms, gone_ms FROM request_notes WHERE request_id = ?"
        " ORDER BY note_id",
        (request_id,),
    )
    return [NoteKept(*tuple(one)) for one in found]


def buildings(notebook: sqlite3.Connection) -> list[str]:
    """Every building that a request has named, for choosing one."""
    found = notebook.execute("SELECT DISTINCT building FROM requests WHERE building <> '' ORDER BY building LIMIT 500")
    return [str(one[0]) for one in found]


def answered_ms(notebook: sqlite3.Connection, request_id: int) -> int | None:
    """When staff took it up, passed it on or closed it (`rules.request_life.answered_ms`)."""
    return life.answered_ms((one.event, one.at_ms) for one in steps(notebook, request_id))


def open_counts(notebook: sqlite3.Connection, now_ms: int) -> dict[str, int]:
    """``{"open", "urgent", "new", "overdue"}``: what a console and /metrics say first."""
    open_states, unanswered = sorted(OPEN), sorted(UNANSWERED)
    found = notebook.execute(
        "SELECT count(*), coalesce(sum(urgent), 0), coalesce(sum(state = 'RECEIVED'), 0),"
        f" coalesce(sum(state IN ({', '.join('?' * len(unanswered))}) AND answer_by_ms < ?), 0)"
        f" FROM requests WHERE closed_ms IS NULL AND state IN ({', '.join('?' * len(open_states))})",
        (*unanswered, now_ms, *open_states),
    ).fetchone()
    return dict(zip(("open", "urgent", "new", "overdue"), map(int, tuple(found)), strict=True))


def presets_of(notebook: sqlite3.Connection, kind: Kind) -> tuple[Both, ...]:
    """A kind's sentences of one touch: the hall's own where staff have written some, else those that ship."""
    told = content.presets(notebook, kind.code)
    if told is None:
        return kind.presets
    found = [Both(str(one.get("zh", "")), str(one.get("en", ""))) for one in told]
    return tuple(Both(one.zh or one.en, one.en or one.zh) for one in found if one.zh or one.en)


def hall_phone(notebook: sqlite3.Connection, whose: str) -> str:
    """The hall's own number of "gas", "lift" or "property"; "" while nobody has written it down."""
    return content.phone(notebook, whose) if whose else ""


# ---------------------------------------------------------------- in the resident's words


def progress_view(core: Core, row: Row) -> Json:
    """How it goes, for whoever holds the code: nothing of a person, no place, no words of anybody but the staff's."""
    kind, state = row.kind, STATE_WORDS[row.state]
    told = [one for one in steps(core.reader(), row.request_id) if one.told.zh or one.told.en]
    return {
        "code": row.code,
        "number": row.number,
        "kind": {"zh": kind.zh, "en": kind.en},
        "state": row.state,
        "state_words": {"zh": state.zh, "en": state.en},
        "steps": [{"at_ms": one.at_ms, "zh": one.told.zh, "en": one.told.en} for one in told],
        "answer_by_ms": row.answer_by_ms,
        "made_ms": row.made_ms,
    }
