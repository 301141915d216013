"""What the books say of the month, compared with how it was lived (``MonthHall.tale``, ``rounds``, ``silence``)."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from gateway import journal
from gateway.hall.figures import TSA, figures, stories
from gateway.hall.kinds import DEFAULTS
from gateway.views import fleet
from tests.campaign._month_hall import BEGIN_MS, HELPERS, PRICE_FEN, MonthHall, grid_of, on_duty
from tests.campaign._month_rounds import DAY_MS, HOUR_MS
from tests.campaign._month_things import MIN_MS

Row = dict[str, Any]
#: Two clocks' reading, and the pauses in which the loop lets telemetry gather.
SOON_MS = 2_000
#: A sign that was only in memory is lost with a kill, up to an hour of it; after a dark time each home has an hour.
UNSURE_MS = HOUR_MS + 2 * MIN_MS
REMIND_MS, OVERDUE_MS = 7 * DAY_MS, 14 * DAY_MS
TEST_MS = 30 * DAY_MS


def verdict(month: MonthHall, path: Path) -> int:
    """Compare the closed notebook with the month; 0: all as it was lived."""
    tale = month.tale
    with closing(sqlite3.connect(path)) as book:
        tables = [name for (name,) in book.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: book.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
        _calls(month, book)
        _ladders(month, book)
        _meals(month, book)
        _visits(month, book)
        _silences(month, book)
        _devices(month, book)
        _figures(month, book)
        checked = journal.verify(book)
        tale.expect(not checked.breaks, "the journal's chain is broken", checked.breaks[:1])
        sound = book.execute("PRAGMA integrity_check").fetchone()[0]
        tale.expect(sound == "ok", "the notebook is not sound", sound)
        unsent = book.execute("SELECT count(*) FROM messages WHERE state = 'queued'").fetchone()[0]
        tale.expect(unsent == 0, "messages wait", unsent)
    kinds = Counter(life.kind for life in tale.lives)
    missed = sum(one.missed for one in month.rounds.visits.values())
    print(
        f"  {len(tale.lives)} calls {dict(kinds)}; {len(month.rounds.visits)} visits expected, {missed} missed; "
        f"{len(month.silence.due)} silent homes, devices {dict(tale.silences)}, low batteries {len(tale.low)}, "
        f"tests {len(tale.tested_ms)}; {tale.hours} hours looked at; dark {len(tale.dark)} times; journal "
        f"{checked.lines} lines"
    )
    print(f"  rows: {', '.join(f'{name} {count}' for name, count in rows.items() if count)}")
    print(
        f"  notebook {path.stat().st_size // 1024} KiB, {path.stat().st_size // max(1, len(tale.lives))} bytes a call"
    )
    for name, count in tale.wrong.items():
        print(f"    ! {name}: {count}, for example {tale.examples[name][:500]}")
    return 1 if tale.wrong else 0


def _rows(book: sqlite3.Connection, question: str) -> Iterator[Row]:
    cursor = book.execute(question)
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def _calls(month: MonthHall, book: sqlite3.Connection) -> None:
    """Each call as it was lived; no other; none by a button for meals but a meal."""
    tale, calls = month.tale, {row["call_id"]: row for row in _rows(book, "SELECT * FROM calls")}
    for life in tale.lives:
        row = calls.pop(life.call_id, None)
        have = (
            None
            if row is None
            else tuple(row[name] for name in ("device_id", "kind", "presses", "closed_ms"))
        )
        lived = (life.thing.id, life.kind, life.presses, life.closed_ms)
        tale.expect(have == lived, "a call is not as it was lived", f"{life.call_id}: {have}, lived {lived}")
        if row is not None:
            ended = (row["state"] == "CLOSED", row["outcome"] or "")
            tale.expect(ended == (life.closed_ms is not None, life.outcome), "a call ended otherwise", row)
    tale.expect(not calls, "calls that nobody made", list(calls.values())[:2])
    by_meal = {thing.id for thing in month.buttons if thing.kind == "meal"}
    others = book.execute("SELECT call_id, kind, device_id FROM calls WHERE kind <> 'meal'").fetchall()
    wrong = [row for row in others if row[2] in by_meal]
    tale.expect(not wrong, "a button for meals made another call", wrong[:2])
    raised = "SELECT count(*) FROM call_steps JOIN meal_orders USING (call_id)"
    tale.expect(book.execute(raised).fetchone()[0] == 0, "an ordered meal climbed a ladder")


def _ladders(month: MonthHall, book: sqlite3.Connection) -> None:
    """From the first moment somebody's turn; each step after the wait of the one before; told to whoever is on duty."""
    tale = month.tale
    steps: dict[int, list[Row]] = defaultdict(list)
    for row in _rows(book, "SELECT * FROM call_steps ORDER BY call_id, turn, step"):
        steps[row["call_id"]].append(row)
    stops: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for row in _rows(
        book, "SELECT at_ms, event, subject FROM journal WHERE subject LIKE 'call:%' ORDER BY line_id"
    ):
        stops[int(row["subject"][5:])].append((row["at_ms"], row["event"]))
    for life in tale.lives:
        if life.meal is not None:
            continue
        mine, ladder = steps[life.call_id], DEFAULTS[life.kind].ladder
        name = f"call {life.call_id} ({life.kind})"
        tale.expect(bool(mine), "a call without a ladder", name)
        began = [(row["step"], row["at_ms"]) for row in mine if row["turn"] == 1][:1]
        tale.expect(
            began == [(0, life.pressed_ms)], "a ladder that did not begin with the press", f"{name}: {began}"
        )
        told = [row for row in mine if row["state"] == "told"]
        for row in told:
            _helpers(month, life.thing.person_id, name, row)
        ends = [at_ms for at_ms, event in stops[life.call_id] if event in ("Accepted", "Arrived", "Closed")]
        for place, row in enumerate(told):
            last = row["step"] == len(ladder) - 1
            wait_ms = ladder[row["step"]][1] * 1000
            due_ms = row["at_ms"] + (max(60_000, wait_ms) if last else wait_ms)
            end_ms = min((at_ms for at_ms in ends if at_ms >= row["at_ms"]), default=month.now_ms)
            after = told[place + 1] if place + 1 < len(told) else None
            if after is not None and after["at_ms"] <= end_ms:
                late_ms = after["at_ms"] - due_ms - _dark_ms(month, due_ms, after["at_ms"])
                # At eight in the evening consoles go, and whoever was only there has had the step's turn.
                early = late_ms < -5 and not _consoles_change(row["at_ms"], due_ms)
                tale.expect(not early, "a step too early", f"{name}: {late_ms} ms {after}")
                tale.expect(late_ms <= SOON_MS, "a step too late", f"{name}: {late_ms} ms {after}")
            elif due_ms + SOON_MS < end_ms and not any(
                due_ms <= ended_ms for _, ended_ms, _ in tale.dark[-1:]
            ):
                tale.expect(False, "a step is lost", f"{name}: after {row}, rang until {end_ms}")


def _helpers(month: MonthHall, person_id: str, name: str, row: Row) -> None:
    helpers = set(json.loads(row["helpers"]))
    if row["who"] == "duty":
        wanted = on_duty(row["at_ms"])
        month.tale.expect(
            helpers == wanted, "not told to whoever is on duty", f"{name}: {helpers}, not {wanted}"
        )
    elif row["who"] == "grid" and person_id != "p-none":
        wanted = {
            helper for helper, role, grid, _ in HELPERS if role == "grid" and grid == grid_of(person_id)
        }
        month.tale.expect(helpers == wanted, "not told to the home's grid officer", f"{name}: {helpers}")


def _consoles_change(from_ms: int, to_ms: int) -> bool:
    """Whether eight in the morning or evening lies between; Shanghai is 8 h before UTC."""
    half_ms = 12 * HOUR_MS
    return from_ms // half_ms != (to_ms + 3_000) // half_ms


def _dark_ms(month: MonthHall, from_ms: int, to_ms: int) -> int:
    return sum(max(0, min(end, to_ms) - max(begin, from_ms)) for begin, end, _ in month.tale.dark)


def _meals(month: MonthHall, book: sqlite3.Connection) -> None:
    tale, orders = month.tale, {row["call_id"]: row for row in _rows(book, "SELECT * FROM meal_orders")}
    for life in tale.lives:
        if life.meal is None:
            continue
        row = orders.pop(life.call_id, None)
        free = int(life.thing.person_id[2:]) % 4 == 0
        lived = (*life.meal, life.meal_state, 1, 0 if free else PRICE_FEN)
        have = row and tuple(row[name] for name in ("day", "meal", "state", "portions", "price_fen"))
        tale.expect(
            have == lived, "a meal is not as it was ordered", f"{life.call_id}: {have}, lived {lived}"
        )
    tale.expect(not orders, "meals that nobody ordered", list(orders.values())[:2])


def _visits(month: MonthHall, book: sqlite3.Connection) -> None:
    """Opened, made, missed, void: as another one than the rules has it on paper."""
    tale, expected = month.tale, dict(month.rounds.visits)
    missed = {
        row["subject"][6:]
        for row in _rows(book, "SELECT DISTINCT subject FROM journal WHERE event = 'VisitMissed'")
    }
    for row in _rows(book, "SELECT * FROM visits WHERE reason <> 'inactivity'"):
        one = expected.pop(row["visit_id"], None)
        if one is None:
            tale.expect(False, "a visit that the rules do not know", row)
            continue
        have = (row["state"], row["due_ms"], row["visit_id"] in missed)
        lived = (one.state, one.due_ms, one.missed)
        tale.expect(
            have == lived, "a visit is not as the rules say", f"{row['visit_id']}: {have}, expected {lived}"
        )
    tale.expect(not expected, "a visit was never opened", list(expected.items())[:2])


def _silences(month: MonthHall, book: sqlite3.Connection) -> None:
    """Each silence that was long enough has its visit, at its time; and none was opened where somebody had stirred."""
    tale, silence = month.tale, month.silence
    found: dict[str, list[Row]] = defaultdict(list)
    for row in _rows(book, "SELECT * FROM visits WHERE reason = 'inactivity' ORDER BY opened_ms"):
        found[row["person_id"]].append(row)
    for person_id, _, due_ms in silence.due:
        # What nobody could hear is no silence: after a dark time it has its hour once more.
        late_ms = max([due_ms, *(end for begin, end, _ in tale.dark if begin - UNSURE_MS <= due_ms <= end)])
        if late_ms + UNSURE_MS > month.now_ms:
            continue
        covered = any(
            row["opened_ms"] <= late_ms + UNSURE_MS
            and (not row["done_ms"] or row["done_ms"] >= due_ms - UNSURE_MS)
            for row in found[person_id]
        )
        tale.expect(covered, "a silent home without a visit", f"{person_id} {due_ms}: {found[person_id]}")
    for person_id, rows in found.items():
        signs = tale.signs.get(person_id, [])
        for row in rows:
            place = bisect_right(signs, row["opened_ms"]) - 1
            last_ms = signs[place] if place >= 0 else BEGIN_MS
            short = row["opened_ms"] - last_ms < silence.after_ms[person_id] - UNSURE_MS
            tale.expect(not short, "asked after somebody who had just stirred", f"{row}, last sign {last_ms}")


def _devices(month: MonthHall, book: sqlite3.Connection) -> None:
    """Batteries are reminded of each week and overdue after two; tests are due thirty days after the last one."""
    tale = month.tale
    lines: dict[str, Counter[str]] = defaultdict(Counter)
    for row in _rows(
        book, "SELECT event, subject FROM journal WHERE event LIKE 'Battery%' OR event = 'DeviceTested'"
    ):
        lines[row["subject"].removeprefix("device:")][row["event"]] += 1
    for device_id, (low_ms, changed_ms) in tale.low.items():
        lasted_ms = (changed_ms or month.now_ms) - low_ms
        times = lasted_ms // REMIND_MS
        overdue = sum(number * REMIND_MS >= OVERDUE_MS for number in range(1, times + 1))
        have, lived = lines[device_id], (1, times - overdue, overdue)
        said = (have["BatteryLow"], have["BatteryReminder"], have["BatteryOverdue"])
        tale.expect(said == lived, "a battery's story", f"{device_id}: {said}, lived {lived}")
    low = sum(one["BatteryLow"] for one in lines.values())
    tale.expect(low == len(tale.low), "batteries called low that are not", low)
    tested = Counter(life.thing.id for life in tale.lives if life.kind == "test")
    noted = Counter({name: count["DeviceTested"] for name, count in lines.items() if count["DeviceTested"]})
    tale.expect(tested == noted, "tests are not as they were made", tested - noted or noted - tested)
    listed = {str(one["device_id"]): int(str(one["test_due_ms"])) for one in fleet(book, month.now_ms)}
    due = {name for name, due_ms in listed.items() if 0 < due_ms <= month.now_ms}
    wanted = {
        thing.id
        for thing in month.buttons
        if (tale.tested_ms.get(thing.id) or BEGIN_MS) + TEST_MS <= month.now_ms
    }
    tale.expect(due == wanted, "tests due", f"{len(due)}, lived {len(wanted)}: {sorted(due ^ wanted)[:3]}")


def _figures(month: MonthHall, book: sqlite3.Connection) -> None:
    """Recomputed from the journal alone, they are what was lived, to the millisecond."""
    tale, told = month.tale, {one.call_id: one for one in stories(journal.lines(book))}
    for life in tale.lives:
        one = told.get(life.call_id)
        marks = [
            None if at_ms is None else at_ms - life.pressed_ms
            for at_ms in (life.accepted_ms, life.arrived_ms, life.closed_ms)
        ]
        have = one and [one.accepted_ms, one.arrived_ms, one.closed_ms]
        tale.expect(have == marks, "the figures are not as it was lived", f"{life}: {have}")
    whole = figures(list(told.values()))
    counted = [life for life in tale.lives if life.kind != "test" and life.outcome != "test"]
    for share, (within_ms, _) in zip(whole.shares, TSA, strict=True):
        soon = sum(
            life.accepted_ms is not None and life.accepted_ms - life.pressed_ms <= within_ms
            for life in counted
        )
        lived = soon / len(counted) if counted else None
        tale.expect(share.share == lived, f"accepted within {within_ms} ms", f"{share.share}, lived {lived}")
    shares = ", ".join(
        f"{one.share:.1%} in {one.within_ms // 1000} s" for one in whole.shares if one.share is not None
    )
    print(f"  figures from the journal: {whole.calls} calls, {whole.accepted} accepted, {shares}")
