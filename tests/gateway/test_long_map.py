"""A plan of thousands of bays is read and written a step a turn: who presses meanwhile waits for one step at most."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.arrival import Arrival
from gateway.hall.parking_map import LINES_A_STEP, ROWS_A_PIECE
from gateway.hall.parking_rows import BayPlan, MapUnderWay
from tests.gateway.car_park import CarPark

BAYS = 400
WORDS = {"boot": "9f3a77c0d1e2b4f5", "press": "short"}
#: Turns that such a plan takes: each line is read once and compared once; each row is written; the row "under way".
TURNS = 2 * BAYS // LINES_A_STEP + BAYS // ROWS_A_PIECE + 1


@pytest.fixture
def park(tmp_path: Path) -> Iterator[CarPark]:
    """Bays without sensors in the east, and a button."""
    one = CarPark(tmp_path)
    one.bay("s0", "b0")
    for number in range(1, BAYS):
        one.loop.take(arrival(one, "define_bay", [], bay_id=f"b{number}", zone_id="east", by="t"))
    while one.loop.urgent:
        one.loop.turn(longest_wait_s=0.0)
    one.done("claim_device", device_id="btn", kind="call_button", name="3栋")
    yield one
    one.adds_up()
    one.die()


def plan(**more: object) -> list[dict[str, object]]:
    """A row of a hundred, and the next below."""
    return [
        {"bay_id": f"b{n}", "zone_id": "east", "x_m": 3 + 2.6 * (n % 100), "y_m": 4 + 6.0 * (n // 100), **more}
        for n in range(BAYS)
    ]


def arrival(park: CarPark, order: str, answers: list[dict[str, object]], **fields: object) -> Arrival:
    now_ns, now_ms = park.clock.monotonic_ns(), park.clock.now_ms()
    return Arrival(now_ns, now_ms, order, order=order, fields=fields, answer=answers.append)


def put(park: CarPark, bays: list[dict[str, object]]) -> list[dict[str, object]]:
    """Hand it in; where the answer will come."""
    answers: list[dict[str, object]] = []
    park.loop.take(arrival(park, "put_map", answers, bays=bays, by="t"))
    return answers


def turn(park: CarPark) -> None:
    park.loop.turn(longest_wait_s=0.0)


def drawn(park: CarPark) -> int:
    return int(park.book.connection.execute("SELECT count(*) FROM bay_plans").fetchone()[0])


def test_a_press_in_each_turn_is_written_in_that_turn(park: CarPark) -> None:
    answers, turns = put(park, plan()), 0
    while not answers:
        turns += 1
        pressed = park.hear("linli/v1/button/btn/press", {**WORDS, "seq": turns})
        assert pressed not in park.acked
        before = drawn(park)
        turn(park)
        assert pressed in park.acked, f"the press of turn {turns} waits for the map"
        assert drawn(park) - before <= ROWS_A_PIECE, "and what it waited for was bounded"
    assert answers[0]["ok"] is True and answers[0]["written"] is True
    assert drawn(park) == len(park.loop.state.table(BayPlan)) == BAYS
    assert turns <= TURNS + 2
    presses = park.book.connection.execute("SELECT count(*) FROM presses").fetchone()[0]
    assert presses == turns


def test_what_is_wrong_is_found_before_anything_is_written(park: CarPark) -> None:
    rows = plan()
    rows[-1]["x_m"] = rows[-2]["x_m"]
    answers = put(park, rows)
    while not answers:
        assert drawn(park) == 0
        turn(park)
    assert answers[0]["ok"] is False and "第 400 行" in str(answers[0]["why_zh"])
    assert drawn(park) == 0 and not park.loop.state.table(MapUnderWay)


@pytest.mark.parametrize("turns", [1, TURNS // 2, TURNS - 4, TURNS - 3, TURNS - 1])
def test_killed_in_any_turn_it_is_nothing_or_all_of_it(park: CarPark, turns: int) -> None:
    answers = put(park, plan(kind="visitor"))
    for _ in range(turns):
        turn(park)
    assert answers == [], "nobody was told that it is written"
    begun = bool(park.loop.state.table(MapUnderWay))
    park.restart()
    for _ in range(TURNS + 2):
        turn(park)
    kinds = [one.kind for one in park.loop.state.table(BayPlan).values()]
    assert kinds == ["visitor"] * (BAYS if begun else 0)
    assert drawn(park) == len(kinds) and not park.loop.state.table(MapUnderWay)


def test_a_bay_that_goes_while_it_is_written_is_left_out(park: CarPark) -> None:
    answers = put(park, plan())
    for _ in range(TURNS - 3):
        turn(park)
    park.done("drop_bay", bay_id="b399", by="t")
    while not answers:
        turn(park)
    assert answers[0]["ok"] is True
    assert drawn(park) == BAYS - 1 and "b399" not in park.loop.state.table(BayPlan)


def test_two_maps_are_put_one_after_the_other(park: CarPark) -> None:
    first, second = put(park, plan(label="old")), put(park, plan(label="new"))
    many = [put(park, plan()) for _ in range(4)]
    assert [answers[0]["ok"] for answers in many if answers] == [False, False], "four may wait, no more"
    while not (first and second):
        turn(park)
    assert {one.label for one in park.loop.state.table(BayPlan).values()} == {"new"}
    while not all(many):
        turn(park)


def test_a_plan_that_brings_out_a_mistake_of_ours_is_answered_and_the_next_one_is_read(park: CarPark) -> None:
    """Half a letter cannot be written. It must not end the hall, and least of all at each start anew."""
    odd = plan()
    odd[7]["note"] = "\ud800"
    answers, next_answers = put(park, odd), put(park, plan())
    for _ in range(2 * TURNS + 2):
        turn(park)
    assert answers[0]["ok"] is False and next_answers[0]["ok"] is True
    assert park.loop.state.table(MapUnderWay) == {} and drawn(park) == BAYS
