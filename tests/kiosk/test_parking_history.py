"""The car park's history: bays' moves on a real gateway.db, walked, closed, shown; forecasts of days that are over."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.hall.days import moment_ms
from gateway.hall.parking_rows import Gap, ZonePlan
from gateway.hall.state import Bay, BayMove, Change, Zone
from gateway.notebook import Notebook, open_reader
from gateway.store import write_changes
from gateway.views_parking_history import first_from
from kiosk.console import parking_history as page
from kiosk.housekeeping import tidy
from kiosk.parking_history import History, close, days, from_json, gather, rows_to_close, to_json
from kiosk.queue_reports import Job, Question, Reports
from kiosk.rules import parking_forecast as forecasting
from kiosk.rules.parking_forecast import Course
from kiosk.rules.parking_history import (
    QUARTERS,
    Cell,
    Standing,
    ZoneDay,
    curve,
    figures,
    quarters,
    unpacked,
    walk_day,
)
from linli.parking import backtest
from linli.played_parking import played_days
from tests.kiosk.console_hall import NOON_MS, STAFF, STAFF_PASSWORD, ConsoleHall, console_hall

ROOT = Path(__file__).parent.parent.parent
BEIJING = ZoneInfo("Asia/Shanghai")
DAY = date(2027, 1, 4)
HOUR_MS = 3_600_000
BEGIN = moment_ms(BEIJING, DAY)


def at(hour: float) -> int:
    return BEGIN + round(hour * HOUR_MS)


def one_day(*moves: tuple[str, str, float], standing: dict[str, Standing] | None = None) -> ZoneDay:
    told = [(bay, state, at(hour)) for bay, state, hour in moves]
    bays = {bay for bay, *_ in told} | set(standing or {})
    return walk_day(DAY.isoformat(), quarters(DAY, BEIJING), told, dict.fromkeys(bays, "z"), standing or {})["z"]


# ---------------------------------------------------------------- a day of one bay


def test_time_is_weighed_and_what_is_unknown_is_left_out() -> None:
    free = {"a": Standing(0, 0)}
    day = one_day(("a", "taken", 8), ("a", "unknown", 10.5), ("a", "free", 11), standing=free)
    told = figures("z", [day])
    monday = told.heat[0]
    assert [cell.occupied for cell in monday[7:12]] == [0, 1, 1, 1, 0]
    assert [cell.unknown for cell in monday[9:12]] == [0, 0.5, 0]
    assert monday[10].certain is False
    assert told.all.occupied == pytest.approx(2.5 / 23.5)
    assert told.all.unknown == pytest.approx(0.5 / 24)
    assert all(cell == Cell(None, None) for row in told.heat[1:] for cell in row)
    assert (told.arrivals, told.departures, told.turnover) == (1, 1, 1.0)
    # Nobody saw when it left: so nobody says how long it stood.
    assert told.stay.count == 0


def test_a_sensor_that_speaks_again_is_no_car_and_a_stay_may_cross_midnight() -> None:
    standing = {"a": Standing(0, 0), "b": Standing(0, 0)}
    first = one_day(
        ("a", "taken", 20), ("b", "taken", 21), ("a", "unknown", 22), ("a", "taken", 23), standing=standing
    )
    assert sum(first.arrivals) == 2
    tomorrow = DAY + timedelta(days=1)
    moves = [("b", "free", at(31.5))]
    second = walk_day(tomorrow.isoformat(), quarters(tomorrow, BEIJING), moves, dict.fromkeys("ab", "z"), standing)["z"]
    assert dict(second.stays) == {630: 1}
    assert (sum(second.arrivals), second.departures) == (0, 1)
    assert figures("z", [first, second]).stay.p50_s == 37_800


def test_a_day_that_an_earlier_linli_has_closed_is_told_as_it_was() -> None:
    """It kept three numbers a bay, none of them the time in which nobody knew."""
    today = one_day(("a", "taken", 8), ("a", "free", 9))
    course, bays, ends = today.packed()
    three = json.dumps({bay: numbers[:3] for bay, numbers in json.loads(bays).items()})
    old = unpacked(today.day, today.zone_id, course, three, ends)
    assert figures("z", [old]) == figures("z", [unpacked(today.day, today.zone_id, course, bays, ends)])
    assert figures("z", [unpacked(today.day, today.zone_id, course)]).departures == 1, "without its bays"


def test_hours_in_which_nobody_watched_are_not_hours_without_cars() -> None:
    """Bay a: two cars on Monday. On Tuesday the gateway is off all day; its car may have been another one by then."""
    standing = {"a": Standing(0, 0)}
    monday = one_day(("a", "taken", 8), ("a", "free", 9), ("a", "taken", 22), standing=standing)
    tomorrow = DAY + timedelta(days=1)
    dark = [("a", "unknown", at(24)), ("a", "taken", at(46)), ("a", "free", at(47))]
    tuesday = walk_day(tomorrow.isoformat(), quarters(tomorrow, BEIJING), dark, {"a": "z"}, standing)["z"]
    told = figures("z", [monday, tuesday])
    assert told.turnover == 2.0, "one day was watched, and two cars came on it"
    assert told.bays[0][:2] == ("a", 2.0)
    assert told.stay.count == 1, "from 22:00 to 23:00 of the next day nobody knows whose car it was"
    blind = walk_day(tomorrow.isoformat(), quarters(tomorrow, BEIJING), [], {"a": "z"}, {"a": Standing(2, 0)})["z"]
    nothing = figures("z", [blind])
    assert (nothing.days, nothing.turnover, nothing.bays[0][1]) == (0, None, None)
    assert page.a_day_words(nothing.turnover) == "?"


def test_a_clock_that_was_set_back_loses_no_time() -> None:
    day = one_day(("a", "taken", 10), ("a", "free", 9), ("a", "taken", 12), standing={"a": Standing(0, 0)})
    assert sum(day.areas) == 24 * HOUR_MS
    assert figures("z", [day]).all.occupied == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_the_bays_do_their_four_states_fill_the_day(seed: int) -> None:
    """Against a slow count, minute by minute."""
    dice = random.Random(seed)
    bays = [f"b{number}" for number in range(4)]
    states = ("free", "taken", "unknown", "closed")
    moves = sorted(
        ((dice.choice(bays), dice.choice(states), dice.randrange(1440) / 60) for _ in range(60)), key=lambda one: one[2]
    )
    day = one_day(*moves, standing={bay: Standing(0, 0) for bay in bays})
    now = dict.fromkeys(bays, "free")
    slow = [[0, 0, 0, 0] for _ in range(QUARTERS)]
    waiting = list(moves)
    for minute in range(1440):
        while waiting and round(waiting[0][2] * 60) <= minute:
            bay, state, _ = waiting.pop(0)
            now[bay] = state
        for state in now.values():
            slow[minute // 15][states.index(state)] += 60_000
    assert [day.areas[4 * number : 4 * number + 4] for number in range(QUARTERS)] == slow


@pytest.mark.parametrize(("day", "count", "longest"), [(date(2026, 3, 29), 92, 4), (date(2026, 10, 25), 100, 8)])
def test_days_on_which_the_clock_is_turned(day: date, count: int, longest: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    edges = quarters(day, berlin)
    assert len(edges) == count
    by_hour = [sum(1 for number, *_ in edges if number // 4 == hour) for hour in range(24)]
    assert max(by_hour) == longest
    assert by_hour[3] == 4
    assert edges[-1][0] == QUARTERS - 1


# ---------------------------------------------------------------- forecasts


def full_from(hour: int) -> Course:
    return Course([0.5 if number < 4 * hour else 1.0 for number in range(QUARTERS)])


def test_a_zone_is_full_when_it_was_on_such_days() -> None:
    today = date(2027, 1, 15)
    days = {today - timedelta(days=7 * week): full_from(16 + week) for week in (1, 2, 3)}
    days |= {today - timedelta(days=back): full_from(9) for back in (1, 2, 3)}  # no Fridays
    said = forecasting.forecast(48, 0.5, forecasting.alike(today, days), 0.99)
    assert said is not None
    assert (said.full, said.early, said.late, said.members) == (72, 68, 76, 3)
    assert said.ahead == ((52, 0.5), (56, 0.5), (60, 0.5))
    fuller = forecasting.forecast(48, 0.995, forecasting.alike(today, days), 0.99)
    assert fuller is not None and fuller.now_full


def test_what_is_still_full_of_the_night_is_not_when_a_zone_usually_becomes_full() -> None:
    night = Course([1.0] * 28 + [0.99] * 4 + [1.0] * 4 + [0.4] * 30 + [1.0] * 30)
    office = Course([0.0] * 40 + [1.0] * 20 + [0.0] * 36)
    always, never = Course([1.0] * QUARTERS), Course([0.6] * QUARTERS)
    assert [one.becomes_full_at(0.995) for one in (night, office, always, never)] == [66, 40, 0, None]
    assert forecasting.usual([night, night, never], 0.995) == (True, 66)
    assert forecasting.usual([night, never], 0.995) == (True, None)


def test_too_few_days_say_nothing_and_unknown_days_are_no_examples() -> None:
    today = date(2027, 1, 15)
    dark = Course([None] * 40 + [0.5] * 56)
    days = {today - timedelta(days=back): dark for back in range(1, 60)}
    assert forecasting.forecast(48, 0.5, forecasting.alike(today, days), 0.99) is None
    quiet = {today - timedelta(days=7 * week): Course([0.4] * QUARTERS) for week in range(1, 5)}
    said = forecasting.forecast(48, 0.4, forecasting.alike(today, quiet), 0.99)
    assert said is not None and said.full is None


def test_an_evening_in_which_nobody_watched_is_neither_full_nor_not_full() -> None:
    """The gateway was off from five to nine; then the zone is half empty, or full since who knows when."""
    off = Course([0.5] * 68 + [None] * 16 + [0.5] * 12)
    full_after = Course([0.5] * 68 + [None] * 16 + [1.0] * 12)
    today = date(2027, 1, 15)
    for dark in (off, full_after):
        days = {today - timedelta(days=7 * week): dark for week in (1, 2, 3)}
        assert dark.example
        assert forecasting.forecast(48, 0.5, forecasting.alike(today, days), 0.99) is None
        assert forecasting.usual([dark] * 3, 0.99) == (False, None)
        assert forecasting.backtest(days, 0.99, [today - timedelta(days=7)]).asked == 0
    seen = {today - timedelta(days=7 * week): full_from(16) for week in (1, 2, 3)}
    said = forecasting.forecast(48, 0.5, [*seen.values(), off, off], 0.99)
    assert said is not None and said.full == 64, "three of five were seen to become full, whatever the others did"
    assert forecasting.backtest(seen | {today: off}, 0.99, [today]).asked == 0, "nobody knows what came"
    short = Course([0.5] * 70 + [None] * 2 + [0.5] * 24)
    told = forecasting.forecast(48, 0.5, [short] * 3, 0.99)
    assert told is not None and told.full is None, "half an hour hides no full evening"


def test_a_back_test_finds_the_error_that_is_there() -> None:
    first = date(2026, 10, 5)
    days = {first + timedelta(days=number): full_from(18) for number in range(28)}
    late = first + timedelta(days=28)
    days[late] = full_from(20)
    found = forecasting.backtest(days, 0.99, [late])
    assert (found.hits, found.missed, found.false, found.typical_min) == (6, 0, 0, 120)
    assert forecasting.backtest(days, 0.99, [late - timedelta(days=1)]).typical_min == 0


def test_nothing_of_the_day_itself_is_used_to_foretell_it() -> None:
    days = {date(2026, 10, 5) + timedelta(days=number): full_from(18) for number in range(28)}
    asked = [date(2026, 10, 26)]
    before = forecasting.backtest({day: one for day, one in days.items() if day <= asked[0]}, 0.99, asked)
    assert forecasting.backtest(days, 0.99, asked) == before


def test_the_command_prints_the_error_of_played_days_and_says_that_they_are_played() -> None:
    out = io.StringIO()
    assert backtest(None, days=7, simulated=True, out=out) == 0
    assert "模拟的日子，不是这个大厅的" in out.getvalue()
    assert re.search(r"误差 error p50 ±\d+ 分 min, p90 ±\d+ 分 min", out.getvalue())


# ---------------------------------------------------------------- on real notebooks

BAYS = [f"E-{number:02}" for number in range(1, 31)]
#: The console halls' noon is 16:00 in Beijing on this day.
TODAY = date(2027, 1, 15)
LIVED = 40


def fill(book: Notebook) -> None:
    """Thirty bays for forty days, and a zone of which nobody has ever heard anything."""
    moves = [
        one for one in played_days(BAYS, TODAY - timedelta(days=LIVED - 1), LIVED, seed=3) if one[2] <= NOON_MS
    ]
    last = {bay: (state, at_ms) for bay, state, at_ms in moves}
    states = [state for state, _ in last.values()]
    rows: list[Change] = [
        Zone("east", "东区", "East", free=states.count("free"), taken=states.count("taken")),
        ZonePlan("east", full_at=1),
        Zone("=west", "西区", "West", unknown=1),
        Bay("W-1", "=west", "unknown", "", 0, 0),
    ]
    rows += [Bay(bay, "east", state, "", at_ms, at_ms) for bay, (state, at_ms) in last.items()]  # type: ignore[arg-type]
    rows += [BayMove(bay, state, at_ms) for bay, state, at_ms in moves]  # type: ignore[arg-type]
    book.write(lambda c: write_changes(c, rows))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page waits for its figures as long as a busy machine takes; what it shows meanwhile has a test of its own."""
    monkeypatch.setattr(page, "PATIENCE_S", 60.0)


@pytest.fixture(scope="module")
def gateway_book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    book = Notebook(tmp_path_factory.mktemp("parked") / "gateway.db", ROOT / "gateway" / "schema")
    fill(book)
    yield book
    book.close()


@pytest.fixture(scope="module")
def hall(gateway_book: Notebook) -> Iterator[ConsoleHall]:
    with console_hall(gateway_book.path.parent) as made:
        made.make_staff()
        yield made


def test_a_report_is_the_same_before_and_after_its_days_were_closed(
    hall: ConsoleHall, gateway_book: Notebook
) -> None:
    first = TODAY - timedelta(days=20)
    book, gateway = open_reader(hall.house.kiosk_db), open_reader(hall.house.gateway_db)

    def told() -> History:
        return gather(book, gateway, "Asia/Shanghai", first, TODAY, NOON_MS)

    before = told()
    assert [one.zone_id for one in before.zones] == ["", "east"]
    assert before.zones[1].days == 21
    assert before.zones[1].bay_count == 30
    assert before.outlook[1].forecast is not None
    assert before.outlook[1].errors.asked > 20
    assert rows_to_close(book, gateway, "Asia/Shanghai", NOON_MS)
    while tidy(hall.core):
        pass
    assert book.execute("SELECT count(*), max(day) FROM parking_days").fetchone() == (LIVED - 1, "2027-01-14")
    assert told() == before
    assert from_json(to_json(before)) == before
    # What gateway.db has folded meanwhile is still known.
    midnight = (moment_ms(BEIJING, TODAY),)
    kept = gateway_book.connection.execute("SELECT * FROM bay_moves WHERE at_ms < ?", midnight).fetchall()
    gateway_book.write(lambda c: c.execute("DELETE FROM bay_moves WHERE at_ms < ?", midnight))
    assert told() == before
    gateway_book.write(lambda c: c.executemany("INSERT INTO bay_moves VALUES (?, ?, ?, ?)", kept))
    for reader in (book, gateway):
        reader.close()


def test_the_first_move_of_a_day_is_found_by_halving(hall: ConsoleHall) -> None:
    reader = open_reader(hall.house.gateway_db)
    for later in (-1, 0, 1, 17, 39, 60):
        from_ms = moment_ms(BEIJING, TODAY - timedelta(days=LIVED - 1 - later))
        slow = reader.execute("SELECT min(move_id) FROM bay_moves WHERE at_ms >= ?", (from_ms,)).fetchone()[0]
        newest = reader.execute("SELECT max(move_id) FROM bay_moves").fetchone()[0]
        assert first_from(reader, from_ms) == (slow or newest + 1)
    reader.close()


def test_the_page_shows_the_picture_its_figures_and_the_forecast_with_its_error(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    html = client.get("/console/parking/history?zone=east&range=month&lang=zh").get_data(as_text=True)
    assert html.count("<rect class=") == 7 * 24
    assert "每个车位每天" in html
    assert re.search(r"±\d+ 分钟", html)
    assert re.search(r"一般 \d+:\d\d 前后停满|一般停不满", html)
    assert "这段时间里有" not in html
    english = client.get("/console/parking/history?range=quarter&lang=en").get_data(as_text=True)
    assert "Days of this range without any data: 50." in english
    assert "Full at about" in english
    west = client.get("/console/parking/history?zone=%3Dwest&lang=zh").get_data(as_text=True)
    assert "这些天没有车位数据" in west
    assert "历史还不够" in west


@pytest.mark.parametrize("asked", ["zone=moon", "from=2027-02-31", "from=2027-02-02&to=2027-01-01"])
def test_what_is_no_zone_or_no_day_is_answered_with_words(hall: ConsoleHall, asked: str) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    for path in ("history", "history.csv", "history.xlsx"):
        answer = client.get(f"/console/parking/{path}?{asked}&lang=zh")
        assert answer.status_code == 400
        assert "没有这个区域" in answer.get_data(as_text=True) or "日期不对" in answer.get_data(as_text=True)


def test_the_files_hold_every_table(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    made = client.get("/console/parking/history.csv?zone=east&range=month&lang=en")
    rows = list(csv.reader(io.StringIO(made.data.decode("utf-8-sig"))))
    heat = [row for row in rows if row[0] == "How full, by hour"]
    assert [row[1] for row in heat] == ["Weekday", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert all(0 <= float(cell) <= 1 for row in heat[1:] for cell in row[2:26])
    assert [row[1] for row in rows if row[0] == "By bay"][1:] == sorted(
        BAYS, key=lambda bay: next(-float(row[2]) for row in rows if row[:2] == ["By bay", bay])
    )
    sheet = client.get("/console/parking/history.xlsx?range=month&lang=zh")
    with zipfile.ZipFile(io.BytesIO(sheet.data)) as book:
        assert "几点有多满" in book.read("xl/workbook.xml").decode()
    assert "下载车位历史" in client.get("/console/journal?lang=zh").get_data(as_text=True)


def test_figures_that_take_long_show_how_far_they_are(hall: ConsoleHall, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Reports[History]):
        def ask(self, wanted: Question[History]) -> Job[History]:
            return Job(wanted, 120, 400)

    monkeypatch.setitem(hall.app.extensions, "linli.parking_reports", Slow(hall.house.kiosk_db))
    monkeypatch.setattr(page, "PATIENCE_S", 0.0)
    answer = hall.client(STAFF, STAFF_PASSWORD).get("/console/parking/history?zone=east&lang=zh")
    assert answer.status_code == 202
    html = answer.get_data(as_text=True)
    assert "已数 120 天，共 400 天" in html
    assert '<meta http-equiv="refresh" content="1">' in html
    assert '<option value="east" selected>' in html


def test_a_gateway_that_was_never_there_is_said(tmp_path: Path) -> None:
    with console_hall(tmp_path) as hall:
        hall.make_staff()
        answer = hall.client(STAFF, STAFF_PASSWORD).get("/console/parking/history?lang=zh")
        assert answer.status_code == 503
        assert "车位和屏幕不受影响" in answer.get_data(as_text=True)


def test_a_course_is_unknown_where_too_much_was() -> None:
    day = one_day(("a", "taken", 8), ("a", "unknown", 10), ("a", "free", 10.1), standing={"a": Standing(0, 0)})
    course = curve(day)
    assert (course[31], course[32], course[40], course[41]) == (0.0, 1.0, None, 0.0)


def test_while_the_gateway_was_off_nobody_knows(tmp_path: Path) -> None:
    """One bay is taken, one free, one closed by staff; off from ten to one, and over midnight until six."""
    yesterday = moment_ms(BEIJING, TODAY - timedelta(days=1))
    hour_ms = 3_600_000
    book, kiosk = Notebook(tmp_path / "gateway.db", ROOT / "gateway" / "schema"), tmp_path / "kiosk.db"
    Notebook(kiosk, ROOT / "kiosk" / "schema").close()
    states = {"E-1": "taken", "E-2": "free", "E-3": "closed"}
    rows: list[Change] = [Zone("east", "东区", "East", free=1, taken=1, closed=1), ZonePlan("east")]
    rows += [Bay(bay, "east", state, "", yesterday, yesterday) for bay, state in states.items()]  # type: ignore[arg-type]
    rows += [BayMove(bay, state, yesterday) for bay, state in states.items()]  # type: ignore[arg-type]
    rows += [
        Gap(yesterday + 10 * hour_ms, yesterday + 13 * hour_ms),
        Gap(yesterday + 22 * hour_ms, yesterday + 30 * hour_ms),
    ]
    book.write(lambda c: write_changes(c, rows))
    readers = open_reader(kiosk), open_reader(tmp_path / "gateway.db")
    days_told = list(
        days(*readers, "Asia/Shanghai", TODAY - timedelta(days=1), TODAY, yesterday + 36 * hour_ms)
    )
    unknown = [[quarter // 4 for quarter in range(96) if one[0].areas[4 * quarter + 2]] for one in days_told]
    assert [sorted(set(hours)) for hours in unknown] == [[10, 11, 12, 22, 23], [0, 1, 2, 3, 4, 5]]
    assert days_told[0][0].areas[4 * 40 + 3], "the closed one stays closed"
    assert days_told[1][0].areas[4 * 28 : 4 * 28 + 4] == [900_000, 900_000, 0, 900_000], "and then as they stood"
    assert [one[0].bays["E-1"][0] for one in days_told] == [0, 0], "no car came"
    # A day that was closed meanwhile is walked on from its end.
    first = rows_to_close(*readers, "Asia/Shanghai", yesterday + 36 * hour_ms)
    with closing(Notebook(kiosk, ROOT / "kiosk" / "schema")) as own:
        own.write(lambda c: close(c, first))
    (again,) = list(days(*readers, "Asia/Shanghai", TODAY, TODAY, yesterday + 36 * hour_ms))
    assert again[0].areas == days_told[1][0].areas
    for reader in readers:
        reader.close()
    book.close()
