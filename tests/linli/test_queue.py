"""`linli queue`: simulated days keep what was promised of the line, a hall's own past is read, and both are said."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.notebook import Notebook
from kiosk.rules.policy import DEFAULT, MINUTE_MS
from kiosk.rules.replay import Case
from linli import queue
from linli.__main__ import main
from linli.simulated_hall import DESKS, SimulatedHall, percentile
from linli.talk import open_running_house

ROOM = Path(queue.__file__).parent.parent / "kiosk"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    monkeypatch.delenv("LINLI_HALL", raising=False)
    return tmp_path


@pytest.mark.slow
@pytest.mark.long
def test_a_thousand_days_at_load_85_with_30_percent_elders_keep_the_promise() -> None:
    """The bar itself: p90 of elders ≤ half of the others', nobody beyond cap + one service time, overtaken ≤ 6."""
    found, hall = queue.fair_days(1000, 0.85, 0.30)
    assert len(found.old_ms) + len(found.other_ms) > 150_000
    assert found.ratio <= 0.5
    assert found.longest_ms <= DEFAULT.cap_ms + hall.mean_ms
    assert found.overtaken == DEFAULT.overtaken_most, "and the limit was reached, so it was tried"


@pytest.mark.parametrize(("load", "share"), [(0.75, 0.3), (0.8, 0.2), (0.85, 0.05)])
def test_less_busy_days_and_fewer_elders_keep_it_too(load: float, share: float) -> None:
    found, hall = queue.fair_days(60, load, share)
    assert found.ratio <= 0.5
    assert found.longest_ms <= DEFAULT.cap_ms + hall.mean_ms
    assert found.overtaken <= DEFAULT.overtaken_most


def test_where_hardly_anybody_waits_an_elder_waits_less_than_one_service_time() -> None:
    """At load 0.5 nobody can be twice as fast: no service is broken off. Then the wait itself is short."""
    found, hall = queue.fair_days(60, 0.5, 0.3)
    assert found.old_p90_min <= found.other_p90_min
    assert found.old_p90_min * MINUTE_MS <= hall.mean_ms


def test_too_many_people_and_a_hall_of_elders_are_first_come_and_it_is_said() -> None:
    crowd, _ = queue.fair_days(15, 1.2, 0.3)
    assert crowd.modes["overload"] > 0 and crowd.overtaken <= DEFAULT.overtaken_most
    elders, _ = queue.fair_days(15, 0.85, 1.0)
    assert elders.modes["overload"] == 0 and elders.modes["all_priority"] > 0 and elders.overtaken == 0


def test_a_simulated_day_is_a_day() -> None:
    hall = SimulatedHall(queue.the_catalogue(), seed=3)
    day = hall.day(0.8, 0.3)
    for name, _, _ in DESKS:
        at_work = sorted(
            (one.called_ms, one.ended_ms, one.service_code) for one in day.served if one.window_id == name
        )
        assert all(ended <= called for (_, ended, _), (called, _, _) in pairwise(at_work))
        assert {code for _, _, code in at_work} <= hall.skills[name]
        assert all(
            any(span.opened_ms <= called < span.closed_ms for span in day.spans if span.window_id == name)
            for called, _, _ in at_work
        )
    assert all(one.called_ms >= one.taken_ms for one in day.visitors)
    # No window idles while somebody waits whom it serves.
    for one in day.visitors:
        for name, _, _ in DESKS:
            if one.wait_ms and one.service_code in hall.skills[name]:
                open_ms = [(span.opened_ms, span.closed_ms) for span in day.spans if span.window_id == name]
                busy = sorted((it.called_ms, it.ended_ms) for it in day.served if it.window_id == name)
                middle = (one.taken_ms + one.called_ms) // 2
                if any(a <= middle < b for a, b in open_ms):
                    assert any(a <= middle < b for a, b in busy), (one, name)


def test_the_same_seed_is_the_same_day() -> None:
    first, again = (SimulatedHall(queue.the_catalogue(), seed=5).day(0.8, 0.3).served for _ in range(2))
    assert first == again


def test_percentiles_are_values_that_were() -> None:
    assert percentile([], 0.9) == 0.0
    assert percentile([5, 1, 3, 2, 4], 0.9) == 5.0 and percentile([5, 1, 3, 2, 4], 0.5) == 3.0


@pytest.mark.slow
def test_on_simulated_days_the_estimate_is_off_by_three_minutes_and_its_range_holds() -> None:
    found = queue.count(queue.simulated_cases(60))
    assert found.waited.count > 4000
    assert found.everybody.met and found.everybody.mae_min <= 2.0
    assert found.waited.mae_min <= 3.5, "of those alone who had to wait it is half of the wait at most"
    assert found.waited.mae_share <= 0.5
    assert found.held


def test_a_worse_estimate_is_seen() -> None:
    """The back-test can fail: the same days, told ten minutes too much."""
    found = queue.Backtest()
    for case in queue.simulated_cases(5):
        told = case.estimate
        assert told is not None
        wrong = type(told)(
            told.low_ms + 600_000, told.mid_ms + 600_000, told.high_ms + 600_000, told.ahead, 3, raw_ms=1
        )
        found.add(Case(case.served, wrong))
    assert (
        found.waited.mae_min > 3.0
        and found.waited.coverage < 0.75
        and not found.held
        and not found.waited.met
    )


def test_the_command_says_that_days_are_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queue", "backtest", "--simulated", "--days", "3"]) == 0
    told = capsys.readouterr().out
    assert "模拟的 3 天，不是真实大厅" in told and "3 simulated days, no real hall" in told
    assert "MAE" in told and "range held" in told


def test_the_command_for_fairness_goes_through_all_loads() -> None:
    out = io.StringIO()
    assert queue.fairness(days=2, out=out) == 0
    assert "不是真实大厅" in out.getvalue()
    assert len(out.getvalue().splitlines()) == 2 + len(queue.CASES)


# ---------------------------------------------------------------- a hall's own past


@pytest.fixture
def past(home: Path) -> Iterator[Notebook]:
    """A notebook with twelve simulated days in it, as a kiosk would have written them."""
    hall = SimulatedHall(queue.the_catalogue(), seed=2)
    house = open_running_house(None)
    book = Notebook(house.kiosk_db, ROOM / "schema")
    book.write(lambda notebook: write_days(notebook, hall))
    yield book
    book.close()


def write_days(notebook: sqlite3.Connection, hall: SimulatedHall) -> None:
    for number, (window, _, _) in enumerate(DESKS, 1):
        notebook.execute(
            "INSERT INTO windows(window_id, name_zh, name_en, number) VALUES (?1, ?1, ?1, ?2)",
            (window, number),
        )
        notebook.executemany(
            "INSERT INTO window_skills VALUES (?, ?)",
            [(window, code) for code in sorted(hall.skills[window])],
        )
    for number in range(20_000, 20_012):
        day, name = hall.day(0.8, 0.3, number), f"2024-10-{number - 19_999:02d}"
        notebook.executemany(
            "INSERT INTO window_spans(window_id, business_day, opened_ms, closed_ms, by) VALUES (?, ?, ?, ?, '')",
            [(one.window_id, name, one.opened_ms, one.closed_ms) for one in day.spans],
        )
        notebook.executemany(
            "INSERT INTO serves(ticket_id, business_day, hour, service_code, window_id, lane, outcome, wait_ms,"
            " service_ms, ended_ms) VALUES (?, ?, 9, ?, ?, ?, 'done', ?, ?, ?)",
            [
                (
                    number * 1000 + place,
                    name,
                    one.service_code,
                    one.window_id,
                    one.lane,
                    one.wait_ms,
                    one.ended_ms - one.called_ms,
                    one.ended_ms,
                )
                for place, one in enumerate(day.served)
            ],
        )


def test_a_halls_own_past_is_judged_by_one_command(
    past: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["queue", "backtest", "--days", "4"]) == 0
    told = capsys.readouterr().out
    assert "本厅自己的记录" in told and "simulated" not in told
    assert "要等的 waited" in told and "普通 normal" in told


def test_a_hall_without_a_past_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Notebook(open_running_house(None).kiosk_db, ROOM / "schema").close()
    assert main(["queue", "backtest"]) == 0
    assert "还没有可比的等候" in capsys.readouterr().out


def test_the_rules_in_force_are_shown_and_a_row_that_is_wrong_is_named(
    past: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["queue", "policy"]) == 0
    assert "90 min" in capsys.readouterr().out
    rows = [("cap_ms", "2700000"), ("late_places", "99"), ("expected_ms", json.dumps({"ZW-01": 600_000}))]
    past.write(lambda notebook: notebook.executemany("INSERT INTO queue_policy VALUES (?, ?)", rows))
    assert main(["queue", "policy"]) == 1
    told = capsys.readouterr().out
    assert "45 min  (默认 default 90 min)" in told and "✗" in told and "0 至 20" in told and "ZW-01" in told
