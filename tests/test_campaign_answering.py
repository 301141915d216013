"""The trials of answered calls, tried in small: each sees what it is there to see, and goes red when it is spoiled."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from devices.faults import OrderRefused
from gateway.hall import rules
from gateway.hall.fields import Fields
from gateway.hall.state import Decision, HallState
from tests.campaign import _rubbish_pushes, ladders
from tests.campaign._ladder_books import Life, Verdict, judge_messages, judge_steps, judge_timers
from tests.campaign._month_books import verdict as month_verdict
from tests.campaign._month_hall import on_duty
from tests.campaign._month_rounds import Rounds, moment_ms
from tests.campaign._rubbish_orders import Orders
from tests.campaign.month import Month

Rows = list[dict[str, Any]]
T = 1_795_000_000_000
HELPERS = {
    "duty": ["h-duty-a", "h-duty-b"],
    "grid": ["h-grid"],
    "guard": ["h-guard"],
    "secretary": ["h-secretary"],
}


def step(index: int, who: str, at_ms: int, why: str = "", turn: int = 1) -> dict[str, Any]:
    return {
        "call_id": 1,
        "kind": "emergency",
        "turn": turn,
        "step": index,
        "who": who,
        "state": "skipped" if why else "told",
        "at_ms": T + at_ms,
        "helpers": json.dumps([] if why else HELPERS[who]),
        "why": why,
    }


def a_ladder() -> Rows:
    """An emergency that rang for ten seconds, as the rules let it."""
    return [
        step(0, "duty", 0),
        step(1, "grid", 1000),
        step(2, "building", 3000, "no_console nobody_on_duty"),
        step(3, "unit", 3000, "no_channel"),
        step(4, "guard", 3000),
        step(5, "secretary", 4000),
    ]


def judged(rows: Rows, deaths: list[Life] | None = None, stopped_ms: int = 10_000) -> Verdict:
    verdict = Verdict()
    journal = [(T, "Pressed", "call:1"), (T + stopped_ms, "Accepted", "call:1")]
    call = {"call_id": 1, "kind": "emergency"}
    judge_steps(verdict, [call], rows, journal, deaths or [], T + 60_000)
    return verdict


def test_a_ladder_as_the_rules_have_it_is_good() -> None:
    verdict = judged(a_ladder())
    assert (dict(verdict.wrong), verdict.told, verdict.skipped) == ({}, 4, 2)


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda rows: rows.pop(1), "not the steps of the ladder"),
        (lambda rows: rows.pop(3), "not the steps of the ladder"),
        (lambda rows: rows.pop(), "a step is lost"),
        (lambda rows: rows.append(step(0, "duty", 9000, turn=2)), "a step too many"),
        (lambda rows: rows[1].update(at_ms=T + 900), "a step too early"),
        (lambda rows: rows[5].update(at_ms=T + 6100), "a step too late"),
        (lambda rows: rows[1].update(helpers='["h-duty-off"]'), "not told to whoever is on duty"),
    ],
    ids=[
        "a step missing",
        "a skipped one missing",
        "the last missing",
        "doubled",
        "early",
        "late",
        "to another",
    ],
)
def test_a_spoiled_ladder_is_found(spoil: Callable[[Rows], object], found: str) -> None:
    rows = a_ladder()
    spoil(rows)
    assert found in judged(rows).wrong


def test_what_the_gateway_was_dead_for_is_no_lateness_and_what_follows_is_measured() -> None:
    rows = a_ladder()
    rows[5].update(at_ms=T + 8500)
    verdict = judged(rows, [Life(T + 3500, T + 7000, T + 8000)])
    assert (dict(verdict.wrong), verdict.after_start_ms, verdict.after_ready_ms) == ({}, [1500], [500])


def messages(*states: str) -> Rows:
    ids = ["call:1:1:0:h-duty-a:0", "call:1:1:0:h-duty-b:0", "call:1:1:0:h-duty-b:1"]
    return [
        {
            "message_id": name,
            "call_id": 1,
            "turn": 1,
            "helper_id": name.split(":")[4],
            "state": state,
            "why": "",
            "created_ms": T,
        }
        for name, state in zip(ids, states, strict=False)
    ]


@pytest.mark.parametrize(
    ("rows", "heard", "found"),
    [
        (messages("sent", "sent", "void"), ["a:0", "b:0"], ""),
        (messages("sent", "sent"), ["a:0", "b:0"], "a message is missing"),
        (messages("sent", "sent", "sent"), ["a:0", "b:0"], "called sent and never came"),
        (messages("sent", "sent", "queued"), ["a:0", "b:0"], "still waiting at the end"),
        (messages("sent", "sent", "void"), ["a:0", "b:0", "b:0"], "came twice without a kill"),
    ],
)
def test_a_message_that_is_missing_or_came_twice_is_found(rows: Rows, heard: list[str], found: str) -> None:
    verdict = Verdict()
    came = [(f"1:1:h-duty-{words}", T + place * 1000) for place, words in enumerate(heard)]
    judge_messages(verdict, [step(0, "duty", 0)], rows, came, [], T + 60_000)
    assert list(verdict.wrong) == ([found] if found else [])
    again = Verdict()
    judge_messages(again, [step(0, "duty", 0)], rows, came, [T + 1500], T + 60_000)
    assert "came twice without a kill" not in again.wrong, "across a kill it may"


def test_what_a_call_says_after_the_waiting_may_still_be_on_its_way() -> None:
    verdict, rows = Verdict(), messages("sent", "sent", "queued")
    rows[2]["created_ms"] = T + 60_001
    came = [(f"1:1:h-duty-{words}", T) for words in ("a:0", "b:0")]
    judge_messages(verdict, [step(0, "duty", 0)], rows, came, [], T + 60_000)
    assert not verdict.wrong


def test_an_open_call_without_its_timer_is_found() -> None:
    calls = [
        {"call_id": 1, "state": "HEARD"},
        {"call_id": 2, "state": "COMING"},
        {"call_id": 3, "state": "CLOSED"},
    ]
    assert judge_timers(calls, [{"timer_id": "call:1:step"}, {"timer_id": "call:2:coming"}]) == []
    assert judge_timers(calls, [{"timer_id": "call:1:coming"}]) == ["call 1 HEARD", "call 2 COMING"]


@pytest.mark.long
def test_a_few_kills_in_a_small_hall_with_ladders(tmp_path: Path) -> None:
    assert ladders.trial(tmp_path, presses=8, kills=3, number=4, seed=5, pace=0.1) == 0


@pytest.mark.long
def test_a_day_of_three_hundred_buttons_is_as_it_was_lived_and_a_spoiled_one_is_not(tmp_path: Path) -> None:
    month = Month(tmp_path, days=1, seed=3)
    assert month.run(600.0) == 0
    assert len(month.tale.lives) > 15 and month.tale.hours >= 24
    for spoil in (
        "UPDATE calls SET presses = presses + 1 WHERE call_id = 1",
        "UPDATE visits SET state = 'missed' WHERE visit_id = (SELECT min(visit_id) FROM visits WHERE state = 'due')",
        "DELETE FROM call_steps WHERE step = 0 AND call_id = (SELECT min(call_id) FROM call_steps)",
    ):
        month.tale.wrong.clear()
        with closing(sqlite3.connect(month.hall.path, isolation_level=None)) as book:
            book.execute("BEGIN")
            book.execute(spoil)
            assert book.total_changes == 1
            book.execute("COMMIT")
        assert month_verdict(month, month.hall.path) == 1
        assert month.tale.wrong


def test_the_paper_rounds_know_a_month() -> None:
    rounds = Rounds()
    begin_ms = moment_ms(date.fromisoformat("2026-11-20"), 9)
    rounds.written_down("p-1", "monthly", begin_ms)
    rounds.goes("p-1", "hospital", begin_ms + 1)
    rounds.comes_back("p-1", begin_ms + 2)
    rounds.day_begins(moment_ms(date.fromisoformat("2026-12-01")))
    assert {name: (one.state, one.missed) for name, one in rounds.visits.items()} == {
        "p-1:monthly:2026-11-01": ("missed", True),
        f"p-1:event:back-{begin_ms + 2}": ("missed", True),
        "p-1:monthly:2026-12-01": ("due", False),
    }


def test_the_paper_roster_knows_nights_holidays_and_the_substitute() -> None:
    asked = [
        ("2026-12-18", 9),
        ("2026-12-18", 19),
        ("2026-12-19", 9),
        ("2026-12-22", 9),
        ("2026-12-26", 9),
        ("2027-01-01", 9),
    ]
    assert [sorted(on_duty(moment_ms(date.fromisoformat(day), hour))) for day, hour in asked] == [
        ["h-day"],
        ["h-night"],
        ["h-weekend"],
        ["h-sub"],
        ["h-day", "h-weekend"],
        ["h-holiday"],
    ]


def test_a_few_hundred_orders_of_rubbish_are_done_or_refused(tmp_path: Path) -> None:
    orders = Orders(tmp_path, 7)
    assert orders.run(1000) == 0
    assert sum(orders.done.values()) > 200 and sum(orders.refused.values()) > 200


def a_mistake(_state: HallState, _fields: Fields, _now_ms: int) -> Decision:
    raise KeyError("nobody thought of that")


def a_change_that_is_refused(state: HallState, _fields: Fields, _now_ms: int) -> Decision:
    state.order_keys[f"k{len(state.order_keys)}"] = 1
    raise OrderRefused("不行", "no")


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (a_mistake, "a mistake of ours: look_at_medical"),
        (a_change_that_is_refused, "a refused order changed something"),
    ],
)
def test_an_order_that_fails_or_changes_what_it_refuses_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: Any, found: str
) -> None:
    monkeypatch.setitem(rules.ORDERS, "look_at_medical", rule)
    orders = Orders(tmp_path, 7)
    assert orders.run(200) == 1
    assert found in orders.wrong


def test_rubbish_over_http_is_answered_and_every_sos_rings(tmp_path: Path) -> None:
    assert _rubbish_pushes.trial(tmp_path, 150, 7) == 0
