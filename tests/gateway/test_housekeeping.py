"""Bounded for years: old moves become counts, the file stops growing, and nobody ever waits for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from devices.messages import BayHeard, DeviceSeen
from gateway.arrival import Arrival
from gateway.hall.clock import Witness
from gateway.hall.forgetting import FORGET_AFTER_MS
from gateway.hall.rows import LastPress
from gateway.housekeeping import AT_A_TIME, KEEP_DETAILS_DAYS, _day_of, anything_to_tidy, tidy
from gateway.notebook import Notebook
from tests.gateway.held_hall import DAY_MS, NOON_MS, SCHEMA, YEAR_MS, HeldClock, HeldHall

BEIJING = ZoneInfo("Asia/Shanghai")
ZONE = "Asia/Shanghai"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Notebook]:
    one = Notebook(tmp_path / "gateway.db", SCHEMA)
    yield one
    one.close()


def move(book: Notebook, *moves: tuple[str, str, int]) -> None:
    put = "INSERT INTO bay_moves(bay_id, state, at_ms) VALUES (?,?,?)"
    book.write(lambda db: db.executemany(put, moves))


def count(book: Notebook, table: str) -> int:
    return int(book.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def tidy_up(book: Notebook, now_ms: int) -> int:
    """As the loop does, without the waiting; how many steps it took."""
    steps = 0
    while anything_to_tidy(book.connection, now_ms):
        steps += 1
        book.write(lambda db: tidy(db, now_ms, ZONE))
    return steps


def days(book: Notebook, bay_id: str) -> dict[str, tuple[int, int]]:
    rows = book.connection.execute(
        "SELECT day_ms, arrivals, departures FROM bay_days WHERE bay_id = ?", (bay_id,)
    )
    return {
        f"{datetime.fromtimestamp(ms / 1000, BEIJING):%Y-%m-%d %H:%M}": (came, went)
        for ms, came, went in rows
    }


def test_what_is_old_becomes_one_row_a_bay_and_day_and_the_rest_stays(book: Notebook) -> None:
    begin = datetime(2025, 3, 1, 12, tzinfo=BEIJING)

    def at(day: int, hour: int, minute: int = 0) -> int:
        return int((begin + timedelta(days=day, hours=hour - 12, minutes=minute)).timestamp() * 1000)

    move(
        book,
        ("e1", "free", at(0, 7)),
        ("e1", "taken", at(0, 8)),
        ("e1", "free", at(0, 17)),
        ("e1", "taken", at(0, 23, 59)),  # a minute before Beijing's midnight, on another day than UTC's
        ("e1", "unknown", at(1, 3)),
        ("e1", "taken", at(1, 4)),  # its sensor speaks again: nobody came
        ("e1", "free", at(1, 8)),
        ("e2", "closed", at(1, 9)),
        ("e2", "free", at(1, 10)),
        ("e1", "taken", NOON_MS),
    )
    tidy_up(book, NOON_MS)
    assert days(book, "e1") == {"2025-03-01 00:00": (2, 1), "2025-03-02 00:00": (0, 1)}
    assert days(book, "e2") == {"2025-03-02 00:00": (0, 0)}
    rows = book.connection.execute("SELECT bay_id, state, at_ms FROM bay_moves").fetchall()
    assert rows == [("e1", "taken", NOON_MS)]


def test_folded_in_pieces_or_at_once_the_counts_are_the_same(book: Notebook) -> None:
    """A day's moves lie in two steps, and a bay stands taken over the seam."""
    old_ms = NOON_MS - 500 * DAY_MS
    moves = [
        (f"b{n % 7}", ("taken", "free")[n // 7 % 2], old_ms + n * 60_000) for n in range(AT_A_TIME * 5 + 3)
    ]
    move(book, *moves, ("b0", "free", NOON_MS))
    assert tidy_up(book, NOON_MS) == 6
    came, went = book.connection.execute("SELECT sum(arrivals), sum(departures) FROM bay_days").fetchone()
    assert came == sum(state == "taken" for _, state, _ in moves)
    assert went == sum(state == "free" for _, state, _ in moves)
    assert count(book, "bay_moves") == 1


@pytest.mark.slow
@pytest.mark.long
def test_the_file_stops_growing(tmp_path: Path, book: Notebook) -> None:
    """Five years of twenty busy bays; after the first 400 days every page that is needed has become free before."""
    pages: list[int] = []
    begin_ms = NOON_MS - 5 * YEAR_MS
    for month in range(60):
        moves = [
            (
                f"b{bay}",
                ("taken", "free")[turn % 2],
                begin_ms + (month * 30 + day) * DAY_MS + turn * 3_600_000,
            )
            for day in range(30)
            for bay in range(20)
            for turn in range(4)
        ]
        move(book, *moves)
        tidy_up(book, begin_ms + (month + 1) * 30 * DAY_MS)
        pages.append(book.connection.execute("PRAGMA page_count").fetchone()[0])
    bay_days = count(book, "bay_days")
    assert count(book, "bay_moves") <= (KEEP_DETAILS_DAYS + 30) * 80
    # What still grows is the one row a bay and day: some 40 bytes.
    assert pages[-1] - pages[15] <= bay_days * 60 // 4096, pages


def test_rows_of_a_wrong_clock_keep_nobody_waiting(book: Notebook) -> None:
    move(book, ("b", "taken", NOON_MS + 10 * YEAR_MS), ("b", "free", 12_000), ("b", "taken", NOON_MS))
    tidy_up(book, NOON_MS)
    assert count(book, "bay_moves") == 1 and count(book, "bay_days") == 2


def test_a_clock_ten_years_ahead_folds_nothing_away(book: Notebook) -> None:
    move(book, ("b", "taken", NOON_MS), ("b", "free", NOON_MS + 1))
    assert anything_to_tidy(book.connection, NOON_MS + 10 * YEAR_MS) is False


def test_an_empty_hall_has_nothing_to_tidy(book: Notebook) -> None:
    assert anything_to_tidy(book.connection, NOON_MS) is False
    assert book.write(lambda db: tidy(db, NOON_MS, ZONE)) is False


def ladder(book: Notebook, call_id: int, at_ms: int, *, call: str = "CLOSED", message: str = "sent") -> None:
    """A call that was told to one helper by one message."""
    step = (call_id, 1, 0, "duty", "told", at_ms, "[]", "")
    closed = (at_ms, "小李", "helped") if call == "CLOSED" else (None, None, None)
    words = (f"call:{call_id}:1:0:h:0", call_id, 1, 0, "h", "sms:1", "…", at_ms, message, 1, at_ms, "")
    book.write(
        lambda db: (
            db.execute(
                "INSERT INTO calls(call_id, state, kind, device_id, device_name, claimed, place, person, presses,"
                " button, opened_ms, last_press_ms, closed_ms, closed_by, outcome)"
                " VALUES (?, ?, 'emergency', ?, 'b', 1, '', '', 1, 1, ?, ?, ?, ?, ?)",
                (call_id, call, f"btn-{call_id}", at_ms, at_ms, *closed),
            ),
            db.execute(f"INSERT INTO call_steps VALUES ({','.join('?' * 8)})", step),
            db.execute(f"INSERT INTO messages VALUES ({','.join('?' * 12)})", words),
        )
    )


def left(book: Notebook, table: str) -> list[int]:
    return [row[0] for row in book.connection.execute(f"SELECT call_id FROM {table} ORDER BY call_id")]


def test_whom_old_calls_told_is_forgotten_but_for_what_is_still_open(book: Notebook) -> None:
    old_ms = NOON_MS - (KEEP_DETAILS_DAYS + 1) * DAY_MS
    ladder(book, 1, old_ms, call="HEARD")
    ladder(book, 2, old_ms, message="queued")
    for number in range(3, AT_A_TIME * 2 + 10):
        ladder(book, number, old_ms + number)
    ladder(book, 500, NOON_MS)
    ladder(book, 501, NOON_MS + YEAR_MS)
    assert tidy_up(book, NOON_MS) == 6, "small steps: three for each table"
    assert left(book, "call_steps") == [1, 500, 501]
    assert left(book, "messages") == [1, 2, 500, 501]
    assert book.write(lambda db: tidy(db, NOON_MS, ZONE)) is False
    assert count(book, "calls") == AT_A_TIME * 2 + 11, "calls are kept"


def test_a_clock_ten_years_ahead_forgets_no_ladder(book: Notebook) -> None:
    ladder(book, 1, NOON_MS)
    assert anything_to_tidy(book.connection, NOON_MS + 10 * YEAR_MS) is False


# ---------------------------------------------------------------- in the loop


def old_moves(hall: HeldHall, number: int) -> None:
    rows = [("b", ("taken", "free")[n % 2], NOON_MS - 500 * DAY_MS + n * 60_000) for n in range(number)]
    move(hall.book, *rows, ("b", "free", NOON_MS))


def test_the_loop_folds_a_step_a_second_and_a_press_goes_first(hall: HeldHall) -> None:
    old_moves(hall, 3 * AT_A_TIME)
    left = []
    for number in range(5):
        if number == 1:
            hall.clock.pass_s(1)
            hall.press()
        else:
            hall.after_s(1)
        left.append(count(hall.book, "bay_moves") - 1)
    assert left == [2 * AT_A_TIME, 2 * AT_A_TIME, AT_A_TIME, 0, 0] or left == [
        2 * AT_A_TIME,
        AT_A_TIME,
        0,
        0,
        0,
    ]
    assert 1 in hall.loop.state.calls


def test_nothing_is_folded_while_the_time_is_not_known(tmp_path: Path, clock: HeldClock) -> None:
    clock.says = Witness(synchronised=False, own_clock=False)
    hall = HeldHall(tmp_path, clock)
    old_moves(hall, 10)
    for _ in range(5):
        hall.after_s(1)
    assert count(hall.book, "bay_moves") == 11
    hall.order("confirm_clock", by="小李")
    for _ in range(3):
        hall.after_s(1)
    assert count(hall.book, "bay_moves") == 1
    hall.die()


def test_a_disk_that_refuses_the_housekeeping_is_said_and_nothing_is_lost(hall: HeldHall) -> None:
    old_moves(hall, 10)
    hall.break_disk()
    hall.after_s(2)
    assert hall.part("notebook")["state"] == "down"
    hall.mend_disk()
    hall.after_s(2)
    assert count(hall.book, "bay_moves") == 1
    came = hall.book.connection.execute("SELECT sum(arrivals) FROM bay_days").fetchone()[0]
    assert came == 5


# ---------------------------------------------------------------- devices that nobody claimed


def hear(hall: HeldHall, device: str, *facts: object) -> None:
    now_ns, now_ms = hall.clock.monotonic_ns(), hall.clock.now_ms()
    hall.loop.take(Arrival(now_ns, now_ms, f"from {device}", (DeviceSeen(device, "tpms"), *facts)))  # type: ignore[arg-type]
    hall.turn()


def on_disk(hall: HeldHall, table: str, key: str) -> set[str]:
    rows: sqlite3.Cursor = hall.book.connection.execute(f"SELECT {key} FROM {table}")
    return {row[0] for row in rows}


def test_a_stranger_that_is_not_heard_for_a_month_is_forgotten_and_a_claimed_device_never(
    hall: HeldHall,
) -> None:
    hall.order("claim_device", device_id="btn-01", kind="call_button")
    hear(hall, "tyre", BayHeard("tyre", True))
    hear(hall, "rings")
    hall.press("rings", "r:1")
    assert "tyre" in hall.loop.state.bays
    hall.after_s(FORGET_AFTER_MS / 1000 - 3600)
    hear(hall, "thermometer")
    hall.after_s(7200)
    assert set(hall.loop.state.devices) == {"btn-01", "thermometer", "rings"}, "rings: its call is still open"
    assert on_disk(hall, "devices", "device_id") == {"btn-01", "thermometer", "rings"}
    assert "tyre" not in hall.loop.state.bays and "tyre" not in on_disk(hall, "bays", "bay_id")
    assert hall.loop.state.zones["unclaimed"].total == 0
    assert hall.journal("DeviceForgotten") == [("DeviceForgotten", "tpms")]
    snapshots = [one for one in hall.told if one["fact"] == "Snapshot"]
    assert len(snapshots) == 1
    hear(hall, "tyre")
    hall.after_s(1)
    assert hall.loop.state.devices["tyre"].kind == "unclaimed", "heard again, it appears again"
    for _ in range(3):
        hall.after_s(1800)
    assert len([one for one in hall.told if one["fact"] == "Snapshot"]) == 1


def test_presses_of_what_is_no_device_are_forgotten_after_a_month(hall: HeldHall) -> None:
    """A screen calls by a name of its own, and each name would be remembered for ever."""
    for number in range(3):
        answer = hall.order("raise_call", device_id=f"screen:{number}", kind="help", place_zh="大厅")
        assert answer["ok"] is True
        if number < 2:
            hall.order("close_call", call_id=number + 1, by="小李", outcome="helped")
    assert count(hall.book, "device_presses") == 3
    hall.after_s(FORGET_AFTER_MS / 1000 - 7200)
    hall.order("raise_call", device_id="screen:1", kind="help", place_zh="大厅")
    hall.order("close_call", call_id=4, by="小李", outcome="helped")
    hall.after_s(7200 + 3600)
    assert on_disk(hall, "device_presses", "device_id") == {"screen:1", "screen:2"}, (
        "2: its call is still open"
    )
    assert {key[0] for key in hall.loop.state.table(LastPress)} == {"screen:1", "screen:2"}


@pytest.mark.slow
@pytest.mark.long
def test_strangers_come_and_go_for_years_and_memory_is_bounded(hall: HeldHall) -> None:
    for month in range(36):
        for number in range(40):
            hear(hall, f"stranger-{month}-{number}")
        for _ in range(3):
            hall.after_s(11 * 24 * 3600)
    assert len(hall.loop.state.devices) <= 80 and len(hall.loop.presences._all) <= 80
    assert count(hall.book, "devices") <= 80


def test_the_day_begins_at_the_halls_midnight() -> None:
    noon_utc = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)  # 01:00 on the 19th in Beijing
    midnight = datetime(2026, 11, 19, tzinfo=BEIJING)
    begin_ms, end_ms = _day_of(int(noon_utc.timestamp() * 1000), BEIJING)
    assert (begin_ms, end_ms - begin_ms) == (midnight.timestamp() * 1000, DAY_MS)
