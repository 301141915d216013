"""What was lived in the days of a hall, and what its books say of it afterwards."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

#: What a day may add to the resident memory once all tables are there: Python's own unrest.
FLAT_KIB = 2048
#: What a call with all its rows, and a car's coming or going, may take on disk (measured: about 1 KiB and 100 bytes).
CALL_BYTES, CAR_BYTES = 4096, 400


@dataclass(slots=True)
class Life:
    """One call as it was lived: when it was pressed, and what staff will do when (simulated seconds)."""

    device: str
    pressed_s: float
    accept_s: float
    close_s: float
    again_s: float
    call_id: int = 0
    presses: int = 1
    done: int = 0

    @property
    def unanswered(self) -> bool:
        return self.accept_s - self.pressed_s > 60


@dataclass(slots=True)
class Tale:
    """What happened, to be compared with what the books say."""

    lives: list[Life] = field(default_factory=list)
    cars: int = 0
    silences: int = 0
    restarts: int = 0
    outage: bool = False
    after_outage: int = 0
    wrong: Counter[str] = field(default_factory=Counter)


def verdict(path: Path, tale: Tale, rss: list[int], sizes: list[int]) -> int:
    """Compare the closed notebook with the tale; ``rss`` in KiB and ``sizes`` in bytes, one a day. 0: all as lived."""
    with closing(sqlite3.connect(path)) as book:
        calls = {
            row[0]: row[1:] for row in book.execute("SELECT call_id, device_id, presses, state FROM calls")
        }
        overdue = Counter(
            int(subject.partition(":")[2])
            for (subject,) in book.execute("SELECT subject FROM journal WHERE event = 'Unanswered'")
        )
        presses = book.execute("SELECT count(*) FROM presses").fetchone()[0]
        sound = book.execute("PRAGMA integrity_check").fetchone()[0]
        rows = {
            table: book.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for (table,) in book.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        }
    wrong = tale.wrong
    for life in tale.lives:
        if calls.get(life.call_id) != (life.device, life.presses, "CLOSED"):
            wrong["a call is not as it was lived"] += 1
        if overdue[life.call_id] != int(life.unanswered):
            wrong[f"overdue {overdue[life.call_id]} times instead of {int(life.unanswered)}"] += 1
    wrong["calls too many or too few"] += abs(len(calls) - len(tale.lives))
    wrong["presses too many or too few"] += abs(presses - sum(life.presses for life in tale.lives))
    early = min(len(rss) - 1, 3)
    grown_kib, grown = rss[-1] - rss[early], sizes[-1] - sizes[early]
    share = (len(sizes) - 1 - early) / len(sizes)
    allowed = share * (len(tale.lives) * CALL_BYTES + tale.cars * CAR_BYTES) + 64 * 1024
    if grown_kib > FLAT_KIB:
        wrong["memory grows"] += grown_kib
    if grown > allowed:
        wrong["the notebook grows by more than happened"] += int(grown - allowed)
    print(
        f"  {len(tale.lives)} calls ({sum(life.unanswered for life in tale.lives)} unanswered for a minute), "
        f"{tale.cars} cars, {tale.restarts} restarts, {tale.silences} silences; "
        f"integrity {sound}"
    )
    print(f"  rows: {', '.join(f'{table} {count}' for table, count in rows.items())}")
    print(
        f"  since day {early + 1}: memory +{grown_kib} KiB (allowed {FLAT_KIB}), notebook +{grown // 1024} KiB "
        f"(allowed {int(allowed) // 1024}: {CALL_BYTES} bytes a call, {CAR_BYTES} a car)"
    )
    print(f"  after the night without power called silent until they spoke: {tale.after_outage}")
    found = {name: count for name, count in wrong.items() if count}
    for name, count in found.items():
        print(f"    ! {name}: {count}")
    return 1 if found or sound != "ok" else 0
