"""A million waits: how long a report takes, alone and over the page, and what a touch feels of it.

kiosk.db holds 400 days of 2,500 numbers in ``serves``. Measured: closing the days (what housekeeping does in idle
moments, here without its pauses); the report by its own process, as the page has it made; the report where no day was
closed; the page itself over HTTP; and touches, 20 a second, alone, beside a report that is made again and again by its
own process, and beside one that is made in the kiosk's own process (which it never is: that is why).

``python -m tests.bench.waits`` is that kiosk with a report in it.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from gateway.house import open_house
from gateway.notebook import Notebook, open_reader
from kiosk import queue_figures
from kiosk.__main__ import main as kiosk_main
from kiosk.queue_figures import NO_END
from kiosk.queue_reports import Job, Wanted, run
from tests.bench.called import line
from tests.bench.figures import Bar
from tests.bench.hop import Door
from tests.bench.taking import HALL, Kiosk
from tests.parts import ROOT, Process

DAYS, A_DAY = 400, 2_500
LAST = date(2026, 11, 21)
TOUCHES, EVERY_S = 100, 0.05
ITEMS, WINDOWS = [f"ZW-{number:02}" for number in range(1, 14)], [f"W{number}" for number in range(1, 8)]
ALL_DAYS = Wanted("2000-01-01", "2100-12-31", 900)
BAR = Bar(1.0, "1")


def waits(folder: Path, *, days: int = DAYS, a_day: int = A_DAY, rounds: int = 3) -> None:
    kiosk = Kiosk(folder / "waits")
    book = kiosk.house.kiosk_db
    began_s = time.perf_counter()
    fill(book, days, a_day)
    print(f"  {days * a_day:,} rows of {days} days written in {time.perf_counter() - began_s:.0f} s")
    _reported("report of all days, none closed", book, 1, None)
    began_s = time.perf_counter()
    closed = close_days(book)
    each_ms = (time.perf_counter() - began_s) * 1000 / max(1, closed)
    print(f"  {closed} days closed, {each_ms:.1f} ms each; kiosk.db {book.stat().st_size / 1e6:.0f} MB")
    _reported("report of all days, by its own process", book, rounds, BAR)
    kiosk.start()
    try:
        _page(kiosk, rounds)
        _touches(kiosk, "alone", None)
        stop = threading.Event()
        asking = threading.Thread(target=_ask_on, args=(book, stop))
        asking.start()
        _touches(kiosk, "beside a report by its own process", None)
        stop.set()
        asking.join()
    finally:
        kiosk.close()
    inside = Kiosk(folder / "waits", HALL)
    inside.process = Process("tests.bench.waits", inside.environ)
    inside.process.wait_line("the faces are on")
    try:
        inside.connect()
        _touches(inside, "beside a report in the kiosk's process", None)
    finally:
        inside.close()


def fill(book: Path, days: int, a_day: int) -> None:
    """Rows of ``serves`` as a hall has them: waits of a quarter of an hour, some who left, some who stayed away."""
    dice = random.Random(5)
    notebook = Notebook(book, ROOT / "kiosk" / "schema")

    def of_day(day: str) -> list[tuple[object, ...]]:
        made: list[tuple[object, ...]] = []
        for number in range(a_day):
            outcome = dice.choices(("done", "transferred", "no_show", "cancelled"), (90, 2, 5, 3))[0]
            made.append(
                (
                    number,
                    day,
                    8 + int(dice.random() * 9),
                    dice.choice(ITEMS),
                    "" if outcome == "cancelled" else dice.choice(WINDOWS),
                    "normal" if dice.random() < 0.8 else "priority",
                    outcome,
                    int(dice.expovariate(1 / 900_000)),
                    int(dice.lognormvariate(12.8, 0.6)) if outcome in ("done", "transferred") else None,
                )
            )
        return made

    insert = (
        "INSERT INTO serves(ticket_id, business_day, hour, service_code, window_id, lane, outcome, wait_ms, service_ms,"
        " ended_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
    )
    for back in range(days, 0, -1):
        day = (LAST - timedelta(days=back - 1)).isoformat()
        notebook.write(lambda c, day=day: c.executemany(insert, of_day(day)))  # type: ignore[misc]
        notebook.rest()
    notebook.close()


def close_days(book: Path) -> int:
    """All that are over; how many those were."""
    notebook, closed = Notebook(book, ROOT / "kiosk" / "schema"), 0
    while day := queue_figures.next_to_close(notebook.connection, NO_END):
        notebook.write(
            partial(queue_figures.close_day, rows=queue_figures.day_rows(notebook.connection, day))
        )
        notebook.rest()
        closed += 1
    notebook.rest(0)
    notebook.close()
    return closed


def _reported(words: str, book: Path, rounds: int, bar: Bar | None) -> None:
    took = []
    for _ in range(rounds):
        began_s = time.perf_counter()
        report = run(book, ALL_DAYS, Job(ALL_DAYS))
        took.append(time.perf_counter() - began_s)
    whole = report.whole
    verdict = "" if bar is None else f"   {bar.verdict(max(took))}"
    print(
        f"  {words:<46} {', '.join(f'{one:.2f}' for one in took)} s{verdict}   ({whole.total:,} numbers, wait p50 "
        f"{whole.wait.p50_s} p90 {whole.wait.p90_s} p99 {whole.wait.p99_s} s)",
        flush=True,
    )


def _page(kiosk: Kiosk, rounds: int) -> None:
    door = Door(kiosk.port)
    door.begin((kiosk.house.home / "first-admin-token").read_text(encoding="ascii").strip())
    first = (LAST - timedelta(days=DAYS)).isoformat()
    for ending in ("", ".csv", ".xlsx"):
        took = []
        for turn in range(rounds):
            began_s = time.perf_counter()
            # another target each time: nothing is remembered
            asked = (
                f"/console/queue/figures{ending}?from={first}&to={LAST}&target={20 + turn + len(ending) * 10}"
            )
            size = _size(door, asked)
            took.append(time.perf_counter() - began_s)
        verdict = BAR.verdict(max(took))
        what = f"GET /console/queue/figures{ending}, all days"
        print(
            f"  {what:<46} {', '.join(f'{one:.2f}' for one in took)} s   {verdict}   ({size // 1000} kB)",
            flush=True,
        )


def _size(door: Door, path: str) -> int:
    said = subprocess.run(
        ["curl", "--silent", "--fail", "--cookie", door.cookie(), f"http://127.0.0.1:{door.port}{path}"],
        capture_output=True,
        check=True,
    ).stdout
    return len(said)


def _ask_on(book: Path, stop: threading.Event) -> None:
    while not stop.is_set():
        run(book, ALL_DAYS, Job(ALL_DAYS))


def _touches(kiosk: Kiosk, beside: str, bar: Bar | None) -> None:
    took, pause = [], threading.Event()
    for number in range(TOUCHES):
        pause.wait(EVERY_S)
        took.append(kiosk.take(f"{beside}-{number}".replace(" ", "-").replace("'", ""), f"s-{number}")[1])
    line(f"touch, {beside}", took, bar)


def main() -> int:
    """A kiosk with a report in its own process, again and again."""
    house = open_house(None)

    def report_on() -> None:
        with closing(open_reader(house.kiosk_db)) as notebook:
            while True:
                queue_figures.gather(notebook, ALL_DAYS.first, ALL_DAYS.last, ALL_DAYS.target_s)

    threading.Thread(target=report_on, daemon=True).start()
    return kiosk_main([])


if __name__ == "__main__":
    sys.exit(main())
