"""How long the line takes, from the kiosk's own notebook: what `kiosk/rules/estimate.py` needs, read and kept.

    told = estimate_for(core, notebook, ticket)          # as the number is given; None: no open window for the item
    told_words = estimate_words.told(told, "zh")         # "约 12–20 分钟"
    newcomers(core, notebook)                            # {"ZW-01": Estimate, …}: who would come now

What was learned is kept in memory, one `Memory` for each writer. A thread of its own reads the past (the last
`DAYS` days, once; then each day when it is over, and today's windows after every `FRESH` people): a touch never waits
for it. Until it has read anything an estimate is a guess from the catalogue, and says so (``cold``).
"""

from __future__ import annotations

import copy
import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from weakref import WeakKeyDictionary

from devices.faults import NotWritten
from gateway.log import say_once
from kiosk.catalogue import Catalogue
from kiosk.core import Core
from kiosk.rules.durations import Times, cold_ms
from kiosk.rules.estimate import Estimate, Spread, estimate, fluid
from kiosk.rules.estimate_words import WaitAlert, wait_alert
from kiosk.rules.fairness import Waiting, paces
from kiosk.rules.play import Desk
from kiosk.rules.policy import MINUTE_MS, Policy, read_policy
from kiosk.rules.replay import Served, Span, Student
from kiosk.windows import windows_now
from kiosk.writer import Writer

#: So many days of the past are learned at the start; older ones say little about today.
DAYS = 40
#: After so many people were served today's durations are looked at again.
FRESH = 20
#: A longer line is not played person by person: it is added up.
PLAYED = 60
#: The sums of such a line are kept for so long, so that a touch costs the same however long the line is.
TALLY_MS = 20_000
#: Stands behind everybody who came in the same millisecond.
NEWCOMER = 2**62
#: Between two days of the past the learning thread lets the others go first.
BREATH_S = 0.05


@dataclass(frozen=True, slots=True)
class InLine:
    """Somebody who waits, as the rules want to see them."""

    ticket_id: int
    service_code: str
    lane: str
    rank: int
    taken_ms: int
    waits_ms: int | None
    overtaken: int


@dataclass(slots=True)
class Memory:
    """What this process knows. Replaced whole when something was learned: a reader never sees half of it."""

    times: Times
    spread: Spread
    #: the newest row of ``serves`` that is in ``times``
    serve_id: int = 0
    day: str = ""
    learning: threading.Lock = field(default_factory=threading.Lock)
    student: Student | None = None
    learned_day: str = ""
    tally: tuple[int, str, Counter[tuple[str, str]]] | None = None


_MEMORIES: WeakKeyDictionary[Writer, Memory] = WeakKeyDictionary()
_MEMORIES_LOCK = threading.Lock()


def memory_of(core: Core) -> Memory:
    """This kiosk's memory; empty at first."""
    with _MEMORIES_LOCK:
        found = _MEMORIES.get(core.writer)
        if found is None:
            found = _MEMORIES[core.writer] = Memory(Times(First(core.catalogue, {})), Spread())
        return found


# ---------------------------------------------------------------- asked for


def estimate_for(core: Core, notebook: sqlite3.Connection, ticket: Waiting) -> Estimate | None:
    """How long the holder of this ticket still waits. None: no open window serves the item."""
    memory = memory_of(core)
    now_ms = core.now_ms()
    day = _day_of(notebook, ticket.ticket_id)
    _look_again(core, notebook, memory, day)
    return _estimate(core, notebook, memory, ticket, day, now_ms, _desks(core, notebook, day), None)


def newcomers(core: Core, notebook: sqlite3.Connection, lane: str = "normal") -> dict[str, Estimate | None]:
    """What somebody who came now would be told, for each item with tickets. One look at the line for all of them."""
    memory = memory_of(core)
    now_ms = core.now_ms()
    day = _last_day(notebook)
    _look_again(core, notebook, memory, day)
    desks, line = _desks(core, notebook, day), _line(notebook, day, PLAYED)
    found: dict[str, Estimate | None] = {}
    for service in core.catalogue.services:
        if service.needs_ticket:
            mine = InLine(NEWCOMER, service.code, lane, now_ms * 1000, now_ms, now_ms, 0)
            found[service.code] = _estimate(core, notebook, memory, mine, day, now_ms, desks, line)
    return found


def alert_now(core: Core) -> WaitAlert | None:
    """The alert for staff: somebody who came now would wait longer than the hall wants.

    :raises sqlite3.Error: the notebook cannot be read just now. :raises NotWritten: likewise.
    """
    notebook = core.reader()
    return wait_alert(newcomers(core, notebook).items(), policy_of(notebook))


def _estimate(
    core: Core,
    notebook: sqlite3.Connection,
    memory: Memory,
    mine: Waiting,
    day: str,
    now_ms: int,
    desks: list[Desk],
    line: list[InLine] | None,
) -> Estimate | None:
    line = _line(notebook, day, PLAYED) if line is None else line
    policy = policy_of(notebook)
    hour = datetime.fromtimestamp(now_ms / 1000, core.zone).hour
    if len(line) <= PLAYED:
        return estimate(mine, line, desks, now_ms, hour, memory.times, memory.spread, policy)
    if any(one.ticket_id == mine.ticket_id for one in line):
        return estimate(mine, line, desks, now_ms, hour, memory.times, memory.spread, policy)
    newest = mine.taken_ms >= now_ms - TALLY_MS
    tally = _tally(notebook, memory, day, now_ms, mine) if newest else _count(notebook, day, mine)
    told = fluid(mine, tally, desks, now_ms, hour, memory.times, memory.spread)
    if newest and mine.ticket_id != NEWCOMER:
        tally[mine.service_code, mine.lane] += 1
    return told


def policy_of(notebook: sqlite3.Connection) -> Policy:
    """The rules of the line as this hall has set them."""
    return read_policy(
        {str(key): str(value) for key, value in notebook.execute("SELECT key, value FROM queue_policy")}
    )


# ---------------------------------------------------------------- the line and the windows now


def _day_of(notebook: sqlite3.Connection, ticket_id: int) -> str:
    row = notebook.execute("SELECT business_day FROM tickets WHERE ticket_id = ?", (ticket_id,)).fetchone()
    return str(row[0]) if row is not None else _last_day(notebook)


def _last_day(notebook: sqlite3.Connection) -> str:
    return str(notebook.execute("SELECT coalesce(max(business_day), '') FROM tickets").fetchone()[0])


def _line(notebook: sqlite3.Connection, day: str, most: int) -> list[InLine]:
    """Who waits, by place; one more than ``most`` where there are more."""
    rows = notebook.execute(
        "SELECT ticket_id, service_code, lane, rank, taken_ms, waits_ms, overtaken FROM tickets"
        " WHERE business_day = ? AND state = 'WAITING' ORDER BY rank, ticket_id LIMIT ?",
        (day, most + 1),
    )
    return [InLine(*row) for row in rows]


def _tally(
    notebook: sqlite3.Connection, memory: Memory, day: str, now_ms: int, mine: Waiting
) -> Counter[tuple[str, str]]:
    """How many wait besides this person, by item and lane; counted anew every few seconds, added up meanwhile."""
    kept = memory.tally
    if kept is not None and kept[1] == day and 0 <= now_ms - kept[0] < TALLY_MS:
        return kept[2]
    tally = _count(notebook, day, mine)
    memory.tally = (now_ms, day, tally)
    return tally


def _count(notebook: sqlite3.Connection, day: str, mine: Waiting) -> Counter[tuple[str, str]]:
    """By item and lane: who stands before this person, or may overtake it."""
    rows = notebook.execute(
        "SELECT service_code, lane, count(*) FROM tickets INDEXED BY tickets_in_line"
        " WHERE business_day = ? AND state = 'WAITING'"
        " AND (lane = 'priority' OR (rank, ticket_id) < (?, ?)) AND ticket_id <> ? GROUP BY 1, 2",
        (day, mine.rank, mine.ticket_id, mine.ticket_id),
    )
    return Counter({(str(code), str(lane)): int(count) for code, lane, count in rows})


def _desks(core: Core, notebook: sqlite3.Connection, day: str) -> list[Desk]:
    """The windows that are open, and what each is busy with."""
    busy = {
        str(window_id): (str(code), int(called_ms))
        for window_id, code, called_ms in notebook.execute(
            "SELECT window_id, service_code, coalesce(called_ms, changed_ms) FROM tickets"
            " WHERE business_day = ? AND state IN ('CALLED', 'SERVING')",
            (day,),
        )
    }
    here = windows_now(core, notebook)
    return [Desk(one.skills, *busy.get(one.id, (None, 0))) for one in here.all if one.open]


def pace_now(core: Core, notebook: sqlite3.Connection) -> dict[str, float]:
    """How fast the line of each item moves at the windows open now, ms (`fairness.choose`)."""
    times, hour = memory_of(core).times, datetime.fromtimestamp(core.now_ms() / 1000, core.zone).hour
    open_windows = [one.skills for one in windows_now(core, notebook).all if one.open]
    return paces(open_windows, lambda code: times.took_ms(code, hour))


# ---------------------------------------------------------------- learning


def _look_again(core: Core, notebook: sqlite3.Connection, memory: Memory, day: str) -> None:
    """Start the learning thread where there is something new; at most one learns."""
    newest = int(notebook.execute("SELECT coalesce(max(serve_id), 0) FROM serves").fetchone()[0])
    if (newest - memory.serve_id >= FRESH or (newest and day != memory.day)) and not memory.learning.locked():
        threading.Thread(target=_learn_aside, args=(core,), name="estimates", daemon=True).start()


def _learn_aside(core: Core) -> None:
    try:
        learn(core, breath_s=BREATH_S)
    except (sqlite3.Error, NotWritten) as trouble:
        # An estimate is a courtesy: without its past it stays what it was. The next touch tries again.
        say_once(
            "estimates_not_learned",
            "estimates_not_learned",
            f"the past waits could not be read: {trouble}",
            level=logging.INFO,
        )


def learn(core: Core, breath_s: float = 0.0) -> Memory:
    """Read what is new in the past into the memory. Waits for nobody but another learner.

    :param breath_s: pause between two days of the past, so that pages go first.
    """
    memory = memory_of(core)
    with memory.learning:
        notebook = core.reader()
        newest = int(notebook.execute("SELECT coalesce(max(serve_id), 0) FROM serves").fetchone()[0])
        today = _last_day(notebook)
        if memory.student is None:
            policy = policy_of(notebook)
            memory.student = student(core.catalogue, core.zone, notebook, policy)
        rest = threading.Event()
        for day in past_days(notebook, memory.learned_day, today)[-DAYS:]:
            for _ in memory.student.live(*read_day(notebook, day)):
                pass
            memory.learned_day = day
            if breath_s:
                rest.wait(breath_s)
        times = copy.deepcopy(memory.student.times)
        for one in read_day(notebook, today)[0]:
            if one.window_id:
                times.add(
                    one.service_code, memory.student.hour_of(one.called_ms), one.ended_ms - one.called_ms
                )
        memory.times, memory.spread = times, copy.deepcopy(memory.student.spread)
        memory.serve_id, memory.day = newest, today
    return memory


def student(catalogue: Catalogue, zone: tzinfo, notebook: sqlite3.Connection, policy: Policy) -> Student:
    """Somebody who knows nothing yet of this hall but its windows and its catalogue."""
    skills: dict[str, set[str]] = {}
    for window_id, code in notebook.execute("SELECT window_id, service_code FROM window_skills"):
        skills.setdefault(str(window_id), set()).add(str(code))
    return Student(
        First(catalogue, policy.expected_ms),
        skills,
        lambda at_ms: datetime.fromtimestamp(at_ms / 1000, zone).hour,
        policy,
    )


class First:
    """The first guess of an item's duration: what the hall has set, else the catalogue's kind of item."""

    def __init__(self, catalogue: Catalogue, expected_ms: Mapping[str, int]) -> None:
        self._known = {one.code: cold_ms(one) for one in catalogue.services} | dict(expected_ms)

    def __call__(self, code: str) -> int:
        return self._known.get(code, 9 * MINUTE_MS)


def past_days(notebook: sqlite3.Connection, after: str, before: str) -> list[str]:
    """The business days with anybody served, later than ``after`` and earlier than ``before``."""
    rows = notebook.execute(
        "SELECT DISTINCT business_day FROM serves WHERE business_day > ? AND business_day < ? ORDER BY 1",
        (after, before or "9999"),
    )
    return [str(row[0]) for row in rows]


def read_day(notebook: sqlite3.Connection, day: str) -> tuple[list[Served], list[Span]]:
    """A day as it was: every wait and every window that was open.

    A ticket's first wait began when its number was taken; of later ones (a second item, a late return) the notebook has
    the length and the end.
    """
    served = list(_served(notebook, day))
    spans = [
        Span(str(window_id), int(opened_ms), int(closed_ms))
        for window_id, opened_ms, closed_ms in notebook.execute(
            "SELECT window_id, opened_ms, coalesce(closed_ms, ?) FROM window_spans WHERE business_day = ?",
            (2**62, day),
        )
    ]
    return served, spans


def _served(notebook: sqlite3.Connection, day: str) -> Iterator[Served]:
    rows: Any = notebook.execute(
        "SELECT s.ticket_id, s.service_code, s.window_id, s.lane, s.outcome, s.wait_ms, s.service_ms, s.ended_ms,"
        " t.taken_ms FROM serves s LEFT JOIN tickets t USING (ticket_id) WHERE s.business_day = ?"
        " ORDER BY s.ticket_id, s.serve_id",
        (day,),
    )
    seen = None
    for ticket_id, code, window_id, lane, outcome, wait_ms, service_ms, ended_ms, taken_ms in rows:
        first = ticket_id != seen and taken_ms is not None
        seen = ticket_id
        arrived = taken_ms if first else ended_ms - (service_ms or 0) - wait_ms
        called = min(arrived + wait_ms, ended_ms)
        yield Served(
            arrived, called, ended_ms, str(code), str(lane), str(window_id), gone=outcome == "no_show"
        )
