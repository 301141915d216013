"""400 days of 2,000 bays: how large the history is, and how long a month's report takes by its own process.

gateway.db holds bay_moves as the gateway writes them, with bays named as real ones are. A sample of days is written and
the size is scaled up from its bytes a move (said so); the report is measured over a month that is there in full.
"""

from __future__ import annotations

import random
import resource
import time
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.hall.days import moment_ms
from gateway.notebook import Notebook, open_reader
from kiosk import parking_history
from kiosk.parking_history import WantedClosed, WantedHistory, rows_by_child
from kiosk.queue_reports import Job, run
from tests.parts import ROOT

BAYS, ZONES, MOVES_A_DAY, KEPT_DAYS = 2_000, 10, (12, 20), 400
DAYS = 100
FIRST = date(2026, 8, 3)
TIMEZONE = "Asia/Shanghai"
#: Seconds for a month, as the page asks for it.
BAR_S = 1.0


def parking_history_size(folder: Path, *, rounds: int = 3, days: int = DAYS) -> None:
    folder = folder / "parking"
    folder.mkdir(parents=True, exist_ok=True)
    zone = ZoneInfo(TIMEZONE)
    gateway = Notebook(folder / "gateway.db", ROOT / "gateway" / "schema")
    kiosk = Notebook(folder / "kiosk.db", ROOT / "kiosk" / "schema")
    began_s, empty = time.perf_counter(), _size(gateway)
    moves = _fill(gateway, days)
    written = _size(gateway) - empty
    each = written / moves
    print(
        f"  {moves:,} moves of {BAYS:,} bays on {days} days, written in {time.perf_counter() - began_s:.0f} s: "
        f"{written / 1e6:.0f} MB, {each:.1f} bytes a move"
    )
    for a_day in MOVES_A_DAY:
        print(
            f"  scaled up: {KEPT_DAYS} days of {BAYS:,} bays with {a_day} moves a day: "
            f"{each * BAYS * a_day * KEPT_DAYS / 1e9:.2f} GB (bar: 1 GB)"
        )
    now_ms = moment_ms(zone, FIRST + timedelta(days=days - 1), 18 * 60)
    gateway_file, book = folder / "gateway.db", folder / "kiosk.db"
    began_s, closed, empty = time.perf_counter(), 0, _size(kiosk)
    while rows := rows_by_child(book, WantedClosed(str(gateway_file), TIMEZONE, now_ms)):
        kiosk.write(lambda notebook, rows=rows: parking_history.close(notebook, rows))  # type: ignore[misc]
        closed += len({day for day, *_ in rows})
    each_day = (_size(kiosk) - empty) / closed
    print(
        f"  {closed} days closed, {(time.perf_counter() - began_s) * 1000 / closed:.0f} ms a day (in a child, at "
        f"night); {each_day / 1000:.0f} kB a day in kiosk.db, {each_day * parking_history.KEEP_DAYS / 1e6:.0f} MB "
        f"for the {parking_history.KEEP_DAYS} days that are kept"
    )
    last = FIRST + timedelta(days=days - 1)
    for name, first in (("a month", last - timedelta(days=29)), ("all days", FIRST)):
        wanted = WantedHistory(str(gateway_file), TIMEZONE, first.isoformat(), last.isoformat(), now_ms)
        took, worked = [], []
        for _ in range(rounds):
            began_s, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            history = run(book, wanted, Job(wanted))
            took.append(time.perf_counter() - began_s)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            worked.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        cars = history.zones[0].arrivals
        print(
            f"  report of {name} by its own process: {_s(took)} s (bar: {BAR_S:g}), "
            f"of a processor {_s(worked)}; {cars:,} cars"
        )
    with closing(open_reader(book)) as reader, closing(open_reader(gateway_file)) as moved:
        began_s = time.perf_counter()
        parking_history.anything_to_close(reader, moved, TIMEZONE, now_ms)
        print(f"  looking whether a day is to be closed: {(time.perf_counter() - began_s) * 1e6:.0f} µs")
    gateway.close()
    kiosk.close()


def _s(took: list[float]) -> str:
    return " ".join(f"{one:.2f}" for one in sorted(took))


def _size(book: Notebook) -> int:
    return int(
        book.connection.execute(
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        ).fetchone()[0]
    )


def _fill(gateway: Notebook, days: int) -> int:
    """Each bay comes and goes with its own turn: 12 to 20 moves a day, by day more than by night."""
    dice = random.Random(7)
    zone = ZoneInfo(TIMEZONE)
    bays = [(f"Z{number % ZONES}-B{number:04}", f"zone{number % ZONES}") for number in range(BAYS)]
    gateway.write(
        lambda c: [
            c.execute("INSERT INTO zones(zone_id, name_zh, name_en, free, taken, unknown, closed, total, since_ms)"
                      " VALUES (?, ?, ?, 200, 0, 0, 0, 200, 0)", (f"zone{n}", f"{n} 区", f"Zone {n}"))
            for n in range(ZONES)
        ]
    )
    gateway.write(
        lambda c: c.executemany(
            "INSERT INTO bays(bay_id, zone_id, state, device_id, since_ms, last_seen_ms)"
            " VALUES (?, ?, 'free', ?, 0, 0)",
            [(bay, name, f"dev-{bay}") for bay, name in bays],
        )
    )
    turn = {bay: False for bay, _ in bays}
    written = 0
    for number in range(days):
        begin_ms = moment_ms(zone, FIRST + timedelta(days=number))
        rows = []
        for bay, _ in bays:
            moments = sorted(
                begin_ms + int(min(0.9999, dice.betavariate(4, 3)) * 86_400_000)
                for _ in range(2 * dice.randint(MOVES_A_DAY[0] // 2, MOVES_A_DAY[1] // 2))
            )
            for at_ms in moments:
                turn[bay] = not turn[bay]
                rows.append((bay, "taken" if turn[bay] else "free", at_ms))
        rows.sort(key=lambda row: row[2])
        gateway.write(
            lambda c, rows=rows: c.executemany(  # type: ignore[misc]
                "INSERT INTO bay_moves(bay_id, state, at_ms) VALUES (?,?,?)", rows
            )
        )
        written += len(rows)
    return written
