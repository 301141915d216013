"""Three weeks that a hall has lived, in the notebooks of all rooms: for reports. The same ones each time."""

from __future__ import annotations

import random
import sqlite3
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.hall.days import moment_ms
from gateway.notebook import Notebook
from tests.kiosk.console_hall import NOON_MS, ConsoleHall

ROOT = Path(__file__).parent.parent.parent
ZONE = ZoneInfo("Asia/Shanghai")
#: The day of the console halls' noon.
TODAY = date(2027, 1, 15)
DAYS = 21
A_MINUTE_MS = 60_000
KINDS = ("emergency", "meal", "hall")


def live(hall: ConsoleHall, skip: date | None = None) -> None:
    """:param skip: a day on which nothing at all was."""
    days = [TODAY - timedelta(days=back) for back in reversed(range(DAYS))]
    days = [day for day in days if day != skip]
    hall.writer.write(lambda notebook: _kiosk(notebook, days))
    gateway = Notebook(hall.house.gateway_db, ROOT / "gateway" / "schema")
    gateway.write(lambda notebook: _gateway(notebook, days))
    gateway.close()
    hall.bridge.write(lambda notebook: _bridge(notebook, days))


def _moments(dice: random.Random, day: date, count: int) -> list[int]:
    """Some moments between eight and noon."""
    return sorted(moment_ms(ZONE, day, dice.randint(480, 719)) for _ in range(count))


def _kiosk(notebook: sqlite3.Connection, days: list[date]) -> None:
    dice = random.Random(1)
    ticket = 0
    for day in days:
        for at_ms in _moments(dice, day, 40 + 5 * day.weekday()):
            ticket += 1
            outcome = dice.choices(("done", "no_show", "cancelled"), (90, 6, 4))[0]
            notebook.execute(
                "INSERT INTO serves(ticket_id, business_day, hour, service_code, window_id, lane, outcome, wait_ms,"
                " service_ms, ended_ms) VALUES (?, ?, ?, ?, 'W1', 'normal', ?, ?, ?, ?)",
                (
                    ticket,
                    day.isoformat(),
                    8 + (at_ms - moment_ms(ZONE, day, 480)) // (60 * A_MINUTE_MS),
                    f"ZW-{dice.randint(1, 12):02}",
                    outcome,
                    int(dice.expovariate(1 / 600_000)),
                    300_000 if outcome == "done" else None,
                    at_ms,
                ),
            )
        for number, at_ms in enumerate(_moments(dice, day, 4)):
            kind = ("leak", "noise", "lift", "rubbish")[number]
            state = ("DONE", "ACCEPTED", "RECEIVED", "CANCELLED")[number]
            request_id = notebook.execute(
                "INSERT INTO requests(code, key, service_code, kind, urgent, state, place, lang, screen, business_day,"
                " made_ms, answer_by_ms, changed_ms, closed_ms)"
                " VALUES (?, ?, 'WY-01', ?, ?, ?, 'home', 'zh', 'kiosk-1', ?, ?, ?, ?, ?)",
                (
                    f"C{day:%m%d}{number}",
                    f"k{day}{number}",
                    kind,
                    int(kind == "lift"),
                    state,
                    day.isoformat(),
                    at_ms,
                    at_ms + 30 * A_MINUTE_MS,
                    at_ms,
                    at_ms if state in ("DONE", "CANCELLED") else None,
                ),
            ).lastrowid
            steps = [("received", 0)]
            if 0 < number < 3:  # a word to the resident and a slip of the finger answer nothing
                steps += [("say", 5), ("accept", 6), ("undo", 7)]
            if number < 2:  # the leak is answered in time, the noise late, the lift not at all
                steps.append(("accept", (10, 45)[number]))
            for event, after_min in steps:
                notebook.execute(
                    'INSERT INTO request_steps(request_id, at_ms, "by", event) VALUES (?, ?, ?, ?)',
                    (request_id, at_ms + after_min * A_MINUTE_MS, "x", event),
                )


def _gateway(notebook: sqlite3.Connection, days: list[date]) -> None:
    dice = random.Random(2)
    notebook.execute(
        "INSERT INTO zones(zone_id, name_zh, name_en, free, taken, unknown, closed, total, since_ms)"
        " VALUES ('east', '东区', 'East', 10, 0, 0, 0, 10, 0)"
    )
    for bay in range(10):
        notebook.execute(
            "INSERT INTO bays(bay_id, zone_id, state, device_id, since_ms, last_seen_ms)"
            " VALUES (?, 'east', 'free', '', ?, 0)",
            (f"e{bay}", NOON_MS),
        )
    call = 0
    for day in days:
        for number, at_ms in enumerate(_moments(dice, day, 3 + day.weekday())):
            call += 1
            kind = KINDS[number % 3]
            marks = [("Pressed", 0, kind), ("Accepted", dice.randint(5, 90), ""), ("Arrived", 200, "")]
            marks.append(("Closed", 400, "false_alarm" if number == 2 else "helped"))
            for event, after_s, detail in marks:
                notebook.execute(
                    "INSERT INTO journal(at_ms, event, subject, actor, detail, written_ms) VALUES (?, ?, ?, 'b', ?, ?)",
                    (at_ms + after_s * 1000, event, f"call:{call}", detail, at_ms + after_s * 1000 + 2),
                )
            if number < 2:
                notebook.execute(
                    "INSERT INTO meal_orders VALUES (?, ?, 'b', ?, 'lunch', '红烧肉', 900, ?, ?, ?, ?, 'x')",
                    (call, f"p{number}", day.isoformat(), number + 1, ("delivered", "cancelled")[day.day % 2], at_ms,
                     at_ms),
                )  # fmt: skip
                notebook.execute(
                    "INSERT INTO visits VALUES (?, ?, 'tier', ?, ?, '1', ?, 0, 0, 0, ?, 'x', ?, ?, '')",
                    (
                        f"v{day}{number}",
                        f"p{number}",
                        at_ms,
                        moment_ms(ZONE, day, 1440),
                        ("done", "missed")[number],
                        (at_ms, 0)[number],
                        at_ms,
                        ("well", "")[number],
                    ),
                )
        moves = []
        for bay in range(10):
            came = moment_ms(ZONE, day, dice.randint(420, 600))
            moves += [
                (came, f"e{bay}", "taken"),
                (came + dice.randint(20, 110) * A_MINUTE_MS, f"e{bay}", "free"),
            ]
        notebook.executemany("INSERT INTO bay_moves(at_ms, bay_id, state) VALUES (?, ?, ?)", sorted(moves))


def _bridge(notebook: sqlite3.Connection, days: list[date]) -> None:
    dice = random.Random(3)
    slip = 10_000
    for day in days:
        for at_ms in _moments(dice, day, 20):
            slip += 1
            state = dice.choices(("PRINTED", "UNSURE", "FAILED"), (95, 3, 2))[0]
            notebook.execute(
                "INSERT INTO jobs(slip_id, printer, state, created_ms, changed_ms, body)"
                " VALUES (?, 'hall', ?, ?, ?, '{}')",
                (slip, state, at_ms, at_ms),
            )
        notebook.execute(
            "INSERT INTO printer_moves(printer, state, at_ms) VALUES ('hall', 'paper_out', ?)",
            (moment_ms(ZONE, day, 600),),
        )
