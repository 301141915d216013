"""No number is given twice, none is left out, and none that a resident saw is lost: under load, and under SIGKILLs.

``queue [processes=4] [threads=16] [each=2000] [kills=50] [seed=…]``. First life: ``processes`` clients of ``threads``
screens take ``each`` numbers per screen, of three letters, every seventh with a double tap. Second life: as many
screens take numbers while a hand kills the kiosk ``kills`` times at random moments; a screen whose answer does not come
asks again with the same key. Afterwards the book is compared with what the screens were told: each letter's numbers are
1 … n without a gap and without a second one; each key that was answered has one ticket with that very number and token,
with one slip and one line in the journal; no ticket is there that nobody asked for.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.campaign._units import Units, units
from tests.campaign._words import parameters
from tests.parts import ROOT, wait_until

#: Seconds before a kill, and how many kills wait until the kiosk answers again: the others may find it beginning.
PAUSE_S, AT_WORK = (0.05, 1.0), 0.8
HALL = '[[printers]]\nid = "hall"\n[virtual]\non = false\n'


@dataclass(slots=True)
class Told:
    """What the screens saw: key → every answer (status, number, token) for it."""

    answers: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    tries: int = 0
    took_s: float = 0.0

    @property
    def fickle(self) -> list[str]:
        """Keys that were told two different numbers, or were new twice."""
        return [
            key
            for key, answers in self.answers.items()
            if len({answer[1:] for answer in answers}) > 1 or sum(answer[0] == 201 for answer in answers) > 1
        ]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the book differs from what was told; all zero (and sound) where nothing is wrong."""

    tickets: int
    lost: int
    other_number: int
    unasked: int
    doubled: int
    gaps: int
    without_slip: int
    without_line: int
    sound: str

    @property
    def held(self) -> bool:
        wrong = (
            self.lost,
            self.other_number,
            self.unasked,
            self.doubled,
            self.gaps,
            self.without_slip,
            self.without_line,
        )
        return not any(wrong) and self.sound == "ok"


def main(words: list[str]) -> int:
    given = parameters(words, processes=4, threads=16, each=2000, kills=50, seed=20261122)
    processes, threads = int(given["processes"]), int(given["threads"])
    worst = 0
    for kills, each in ((0, int(given["each"])), (int(given["kills"]), 0)):
        if not kills and not each:
            continue
        with tempfile.TemporaryDirectory(prefix="linli-queue-") as folder:
            told, verdict = one_life(Path(folder), processes, threads, each, kills, int(given["seed"]))
        print(
            f"  {processes} processes x {threads} screens, {kills} kills: {len(told.answers):,} numbers told in "
            f"{told.took_s:.0f} s ({len(told.answers) / told.took_s:.0f}/s, {told.tries:,} requests, "
            f"{sum(len(one) > 1 for one in told.answers.values()):,} told twice)"
        )
        print(
            f"  in the book {verdict.tickets:,}; lost {verdict.lost}, other number {verdict.other_number}, doubled "
            f"{verdict.doubled}, gaps {verdict.gaps}, unasked {verdict.unasked}, told two numbers {len(told.fickle)}, "
            f"refused {len(told.refused)}, without slip {verdict.without_slip}, without a line {verdict.without_line}; "
            f"{verdict.sound}"
        )
        for line in told.refused[:3]:
            print(f"    {line}")
        worst |= int(not verdict.held or bool(told.fickle) or bool(told.refused))
    return worst


def one_life(
    folder: Path, processes: int, threads: int, each: int, kills: int, seed: int
) -> tuple[Told, Verdict]:
    """A kiosk of its own, its clients, a hand that kills. ``each`` 0: the clients take numbers until it has killed."""
    with units(folder, HALL, only=("kiosk",)) as hall:
        wait_until(lambda: _answers(hall, 0), lambda: "the kiosk answers")
        began_s = time.monotonic()
        clients = [_client(hall.http_port, who, threads, each) for who in range(processes)]
        readers = [
            threading.Thread(target=_hear, args=(client, said), daemon=True) for client, said in clients
        ]
        for reader in readers:
            reader.start()
        _kill(hall, kills, random.Random(seed))
        for client, _ in clients:
            assert client.stdin is not None
            client.stdin.close()
        for reader in readers:
            reader.join()
        told = Told(took_s=time.monotonic() - began_s)
        for client, said in clients:
            assert client.wait() == 0
            words = json.loads(b"".join(said))
            told.answers.update(
                {key: [tuple(one) for one in answers] for key, answers in words["told"].items()}
            )
            told.refused += words["refused"]
            told.tries += words["tries"]
        hall.close()
        return told, compare(hall.house.kiosk_db, told)


def _client(port: int, who: int, threads: int, each: int) -> tuple[subprocess.Popen[bytes], list[bytes]]:
    words = json.dumps({"port": port, "who": who, "threads": threads, "each": each})
    client = subprocess.Popen(
        [sys.executable, "-m", "tests.campaign._queue_client", words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    return client, []


def _hear(client: subprocess.Popen[bytes], said: list[bytes]) -> None:
    assert client.stdout is not None
    said.append(client.stdout.read())
    client.stdout.close()


def _kill(hall: Units, kills: int, dice: random.Random) -> None:
    pause, killed, since = threading.Event(), 0, 0
    while killed < kills:
        if dice.random() < AT_WORK:
            wait_until(partial(_answers, hall, since), lambda: "the kiosk answers again", 60.0)
        pause.wait(dice.uniform(*PAUSE_S))
        since = len(hall.lines.get("kiosk", ()))
        killed += hall.kill("kiosk")


def _answers(hall: Units, since: int) -> bool:
    """Whether the kiosk has opened its door since that line of its log."""
    return any("the faces are on" in line for line in hall.lines.get("kiosk", [])[since:])


def compare(book: Path, told: Told) -> Verdict:
    """The book of a kiosk that stands still, against what was told."""
    rows: dict[str, tuple[str, str]] = {}
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    with closing(sqlite3.connect(f"file:{book}?mode=ro", uri=True)) as kept:
        for key, day, prefix, number, token in kept.execute(
            "SELECT key, business_day, prefix, number, token FROM tickets"
        ):
            rows[key] = (f"{prefix}{number:03d}", token)
            numbers[day, prefix].append(number)
        slips, lines = (_odd(kept, question) for question in (_SLIPS, _LINES))
        sound = str(kept.execute("PRAGMA integrity_check").fetchone()[0])
    return Verdict(
        tickets=len(rows),
        lost=sum(key not in rows for key in told.answers),
        other_number=sum(
            rows[key] != tuple(said[0][1:]) for key, said in told.answers.items() if key in rows
        ),
        unasked=sum(key not in told.answers for key in rows),
        doubled=sum(len(given) - len(set(given)) for given in numbers.values()),
        gaps=sum(max(given) - len(set(given)) for given in numbers.values()),
        without_slip=slips,
        without_line=lines,
        sound=sound,
    )


#: Tickets that do not have exactly one slip, or exactly one line that says that they were taken.
_SLIPS = (
    "SELECT count(*) FROM tickets t WHERE (SELECT count(*) FROM slips s WHERE s.ticket_id = t.ticket_id) <> 1"
)
_LINES = (
    "SELECT count(*) FROM tickets t WHERE (SELECT count(*) FROM journal j WHERE j.ticket_id = t.ticket_id"
    " AND j.event = 'taken') <> 1"
)


def _odd(kept: sqlite3.Connection, question: str) -> int:
    found: Any = kept.execute(question).fetchone()
    return int(found[0])
