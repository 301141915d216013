"""Taking numbers one by one, over HTTP, from a kiosk of its own: as fast with 100,000 tickets as with none?

Each case has a kiosk.db of its own, filled before the kiosk starts: tickets of today or of earlier days, done or still
waiting, each with its item, its slip and its line in the journal. No bridge and no gateway: the kiosk alone answers a
touch. The floor of the same run is a commit as large as a ticket's, on the same disk, by SQLite alone.
"""

from __future__ import annotations

import http.client
import json
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.house import open_house
from gateway.notebook import Notebook
from linli.broker import free_port
from tests.bench.figures import Bar, median, percentile, spread
from tests.bench.machine import cpu_s
from tests.parts import ROOT, Process

#: Tickets that are measured in each case and round; the first ones warm the process up and are not measured.
TICKETS, WARM = 500, 20
#: What the plan of the queue asks for, in milliseconds and seconds.
P50, P99, ALL_S = Bar(2.5, "2.5"), Bar(12.0, "12"), Bar(1.5, "1.5")
#: A median that grows by less than this from an empty notebook to a full one is flat (our choice: the noise of rounds).
FLAT = 1.25
HALL = '[[printers]]\nid = "hall"\nname_zh = "大厅打印机"\n[virtual]\non = false\n'


@dataclass(frozen=True, slots=True)
class Depth:
    """What is in the notebook before: ``today`` tickets of today of which ``waiting`` still wait, ``earlier`` done."""

    today: int = 0
    waiting: int = 0
    earlier: int = 0

    @property
    def words(self) -> str:
        parts = [f"{self.today:,} of today"] if self.today else []
        parts += [f"{self.waiting:,} of them waiting"] if self.waiting else []
        parts += [f"{self.earlier:,} of earlier days"] if self.earlier else []
        return ", ".join(parts) or "an empty notebook"


DEPTHS = (
    Depth(),
    Depth(today=10_000),
    Depth(today=100_000),
    Depth(earlier=100_000),
    Depth(today=2_000, waiting=1_000),
)


def fill(path: Path, depth: Depth, now_ms: int, zone: ZoneInfo) -> None:
    """Write tickets as a hall would have them. A ticket of ZW-01, window W2; numbers from 1 each day."""
    book = Notebook(path, ROOT / "kiosk" / "schema")
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()

    def tickets(connection: sqlite3.Connection, day: str, count: int, waiting: int, first_ms: int) -> None:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)"
            " INSERT INTO tickets(business_day, prefix, number, service_code, key, token, lang, screen, state,"
            " window_id, rank, taken_ms, waits_ms, called_ms, calls, changed_ms)"
            " SELECT ?1, 'B', i, 'ZW-01', 'fill-' || ?1 || '-' || i, 'fill-token-' || ?1 || i, 'zh', 'kiosk-1',"
            " iif(i > ?2 - ?3, 'WAITING', 'DONE'), iif(i > ?2 - ?3, NULL, 'W2'), (?4 + i) * 1000, ?4 + i, ?4 + i,"
            " iif(i > ?2 - ?3, NULL, ?4 + i), iif(i > ?2 - ?3, 0, 1), ?4 + i FROM n",
            (day, count, waiting, first_ms),
        )

    def work(connection: sqlite3.Connection) -> None:
        a_day = 2_000
        for back in range(-(-depth.earlier // a_day), 0, -1):
            day = (today - timedelta(days=back)).isoformat()
            count = min(a_day, depth.earlier - (back - 1) * a_day)
            tickets(connection, day, count, 0, now_ms - back * 86_400_000)
        if depth.today:
            tickets(
                connection, today.isoformat(), depth.today, depth.waiting, now_ms - 2 * depth.today - 1000
            )
        connection.execute(
            "INSERT INTO ticket_items"
            " SELECT ticket_id, 1, service_code, iif(state = 'DONE', 'done', 'open') FROM tickets"
        )
        body = json.dumps(
            {"v": 1, "kind": "ticket", "blocks": [{"text": "政务零三一号"}] * 12}, ensure_ascii=False
        )
        connection.execute(
            "INSERT INTO slips(printer, kind, body, created_ms, ticket_id)"
            " SELECT 'hall', 'ticket', ?, taken_ms, ticket_id FROM tickets",
            (body,),
        )
        connection.execute(
            "INSERT INTO journal(at_ms, by, event, ticket_id, before, detail)"
            ' SELECT taken_ms, screen, \'taken\', ticket_id, \'{}\', \'{"number": "B031"}\' FROM tickets'
        )

        # A window is open, so that each person is told how long: the line is played forward while the touch waits.
        connection.execute(
            "INSERT INTO windows(window_id, name_zh, name_en, number) VALUES ('W2', '民生保障窗口', 'Welfare', 2)"
        )
        connection.execute(
            "INSERT INTO window_spans(window_id, business_day, opened_ms, by) VALUES ('W2', ?, ?, 'bench')",
            (today.isoformat(), now_ms - 3_600_000),
        )

    book.write(work)
    book.rest(0)
    book.close()


class Kiosk:
    """A kiosk process on a home of its own, and one client."""

    def __init__(self, home: Path, hall_toml: str = HALL) -> None:
        home.mkdir(parents=True, exist_ok=True)
        (home / "hall.toml").write_text(hall_toml, encoding="utf-8")
        self.port = free_port()
        self.environ = {
            "LINLI_HOME": str(home),
            "LINLI_RUN": str(home / "run"),
            "LINLI_HALL": str(home / "hall.toml"),
            "LINLI_HTTP_PORT": str(self.port),
            "LINLI_MQTT_PORT": str(free_port()),
            "PYTHONUNBUFFERED": "1",
        }
        self.house = open_house(None, {**os.environ, **self.environ})

    def start(self) -> None:
        self.process = Process("kiosk", self.environ)
        self.process.wait_line("the faces are on")
        self.connect()

    def connect(self) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def take(self, key: str, screen: str = "bench") -> tuple[str, float]:
        """A number, and how long it took in milliseconds."""
        words = json.dumps({"service": "ZW-01", "key": key, "lang": "zh", "screen": screen})
        began_s = time.perf_counter()
        self.line.request("POST", "/api/tickets", words, {"Content-Type": "application/json"})
        answer = self.line.getresponse()
        said = json.loads(answer.read())
        took_ms = (time.perf_counter() - began_s) * 1000
        assert answer.status == 201, said
        return said["number"], took_ms

    def close(self) -> None:
        self.line.close()
        self.process.stop()


def commit_floor(folder: Path) -> list[float]:
    """SQLite alone: four rows of a ticket's size in one transaction, WAL and FULL, as often as a client asks."""
    took = []
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as book:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0"):
            book.execute(f"PRAGMA {pragma}")
        for table in "abcd":
            book.execute(f"CREATE TABLE {table}(id INTEGER PRIMARY KEY, words TEXT)")
        for _ in range(TICKETS):
            began_s = time.perf_counter()
            book.execute("BEGIN IMMEDIATE")
            for table in "abcd":
                book.execute(f"INSERT INTO {table}(words) VALUES (?)", ("x" * 400,))
            book.execute("COMMIT")
            took.append((time.perf_counter() - began_s) * 1000)
    return took


def taking(folder: Path, *, rounds: int = 3, depths: tuple[Depth, ...] = DEPTHS) -> None:
    """500 tickets one by one for each depth of the notebook; rounds are interleaved."""
    took: dict[Depth, list[list[float]]] = {depth: [] for depth in depths}
    work_ms: dict[Depth, list[float]] = {depth: [] for depth in depths}
    floor: list[list[float]] = []
    for turn in range(rounds):
        place = folder / f"floor-{turn}"
        place.mkdir(parents=True)
        floor.append(commit_floor(place))
        for number, depth in enumerate(depths):
            home = folder / f"taking-{turn}-{number}"
            kiosk = Kiosk(home)
            now_ms = int(datetime.now(UTC).timestamp() * 1000)
            zone = ZoneInfo(kiosk.house.plan.hall.timezone)
            fill(kiosk.house.kiosk_db, depth, now_ms, zone)
            kiosk.start()
            try:
                for one in range(WARM):
                    kiosk.take(f"warm-{one}", f"warm-{one}")
                before_s = cpu_s(kiosk.process.pid)
                took[depth].append([kiosk.take(f"t-{one}", f"s-{one}")[1] for one in range(TICKETS)])
                work_ms[depth].append((cpu_s(kiosk.process.pid) - before_s) * 1000 / TICKETS)
            finally:
                kiosk.close()
    p50s = {depth: median([percentile(one, 0.5) for one in found]) for depth, found in took.items()}
    print(
        f"  floor: a commit of four rows, SQLite alone    p50 {spread([percentile(one, 0.5) for one in floor])} ms   "
        f"p99 {spread([percentile(one, 0.99) for one in floor], 1)} ms"
    )
    for depth, found in took.items():
        all_s = [sum(one) / 1000 for one in found]
        p99s = [percentile(one, 0.99) for one in found]
        grown = p50s[depth] / p50s[depths[0]]
        flat = (
            ""
            if depth == depths[0]
            else f"   {grown:.2f} x the empty one's ({'flat' if grown <= FLAT else 'NOT FLAT'})"
        )
        print(
            f"  {TICKETS} tickets, {depth.words:<38} in all {spread(all_s)} s {ALL_S.verdict(median(all_s))}   "
            f"p50 {spread([percentile(one, 0.5) for one in found])} ms {P50.verdict(p50s[depth])}   "
            f"p99 {spread(p99s, 1)} ms {P99.verdict(median(p99s))}{flat}   "
            f"(processor {spread(work_ms[depth])} ms each)",
            flush=True,
        )
