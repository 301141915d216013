"""A number's longer life, as stories on a real notebook: held, transferred, late, several items, lanes, midnight."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devices.faults import OrderRefused
from kiosk import line
from kiosk.api import ticket_view
from kiosk.core import Core
from kiosk.rules.queue import Ticket
from tests.kiosk.conftest import HeldClock

HOUR_MS = 3_600_000


def take(core: Core, *codes: str, why: str = "", lang: str = "zh", screen: str = "kiosk-1") -> Ticket:
    count = core.reader().execute("SELECT count(*) FROM tickets").fetchone()[0]
    return line.take_ticket(
        core, codes[0], f"key-number-{count}", lang, screen, services=codes, lane_why=why
    ).ticket


def call(core: Core, window: str = "W2", **more: Any) -> str:
    return line.call_next(core, window, "li", **more).spelled


def numbers(core: Core) -> list[str]:
    return [str(one["number"]) for one in line.waiting(core)]


def serves(core: Core) -> list[tuple[Any, ...]]:
    rows = core.reader().execute(
        "SELECT service_code, window_id, outcome, wait_ms / 1000, service_ms / 1000 FROM serves ORDER BY serve_id"
    )
    return [tuple(row) for row in rows]


def test_who_must_fetch_a_paper_is_held_and_the_window_goes_on(core: Core, clock: HeldClock) -> None:
    first, _ = take(core, "ZW-01"), take(core, "ZW-01")
    clock.forward(seconds=300)
    call(core)
    line.begin(core, first.ticket_id, "li")
    clock.forward(seconds=60)
    line.hold(core, first.ticket_id, "li")
    assert call(core) == "B002"
    with pytest.raises(OrderRefused, match="serving another number"):
        line.resume(core, first.ticket_id, "li")
    clock.forward(seconds=600)
    line.done(core, 2, "li")
    line.resume(core, first.ticket_id, "li")
    clock.forward(seconds=30)
    line.done(core, first.ticket_id, "li")
    assert serves(core) == [("ZW-01", "W2", "done", 360, 600), ("ZW-01", "W2", "done", 300, 90)], (
        "the hold left out"
    )


def test_a_transfer_keeps_the_place_it_had_from_the_start(core: Core, clock: HeldClock) -> None:
    first = take(core, "ZW-01")
    clock.forward(seconds=10)
    take(core, "ZW-05")
    clock.forward(seconds=10)
    call(core)
    line.begin(core, first.ticket_id, "li")
    clock.forward(seconds=60)
    moved = line.transfer(core, first.ticket_id, "ZW-05", "li")
    assert (moved.state, moved.service_code, moved.rank) == ("WAITING", "ZW-05", first.rank)
    assert numbers(core) == ["B001", "B002"]
    assert call(core, "W3") == "B001"
    assert [row[:3] for row in serves(core)] == [("ZW-01", "W2", "transferred")]
    items = line.ticket_view(core, moved)["items"]
    assert [(one["code"], one["state"]) for one in items] == [("ZW-01", "dropped"), ("ZW-05", "open")]
    with pytest.raises(OrderRefused, match="There is no item 'XX-01'"):
        line.transfer(core, first.ticket_id, "XX-01", "li")


def test_who_missed_the_call_comes_back_three_places_later(core: Core, clock: HeldClock) -> None:
    for _ in range(6):
        take(core, "ZW-01")
        clock.forward(seconds=1)
    call(core)
    line.no_show(core, 1, "li")
    clock.forward(seconds=120)
    back = line.late(core, 1, "li")
    assert numbers(core) == ["B002", "B003", "B004", "B001", "B005", "B006"]
    assert (back.calls, back.window_id, back.called_ms) == (0, None, None)
    assert [call(core) for _ in range(4)] == ["B002", "B003", "B004", "B001"]


def test_several_items_on_one_ticket_go_from_window_to_window(core: Core, clock: HeldClock) -> None:
    """一票到底: the next item here at once where the window serves it, else back into the line at the old place."""
    first = take(core, "ZW-01", "ZW-02", "WY-04")
    clock.forward(seconds=5)
    take(core, "WY-04")
    call(core)
    line.begin(core, first.ticket_id, "li")
    clock.forward(seconds=60)
    assert line.next_item(core, first.ticket_id, "li").state == "SERVING"
    clock.forward(seconds=30)
    went_on = line.next_item(core, first.ticket_id, "li")
    assert (went_on.state, went_on.service_code) == ("WAITING", "WY-04")
    assert call(core, "W5") == "B001", "who has been here longest"
    line.begin(core, first.ticket_id, "wang")
    clock.forward(seconds=10)
    with pytest.raises(OrderRefused, match="B001 has no other item"):
        line.next_item(core, first.ticket_id, "wang")
    line.add_item(core, first.ticket_id, "WY-06", "wang")
    with pytest.raises(OrderRefused, match="on the ticket already"):
        line.add_item(core, first.ticket_id, "WY-06", "wang")
    line.done(core, first.ticket_id, "wang")
    view = line.ticket_view(core, line.by_token(core, first.token))  # type: ignore[arg-type]
    assert [(one["code"], one["state"]) for one in view["items"]] == [
        ("ZW-01", "done"),
        ("ZW-02", "done"),
        ("WY-04", "done"),
        ("WY-06", "dropped"),
    ]
    assert serves(core) == [
        ("ZW-01", "W2", "done", 5, 60),
        ("ZW-02", "W2", "done", 0, 30),
        ("WY-04", "W5", "done", 0, 10),
    ]


def test_calling_the_next_one_sends_who_has_more_to_do_on_the_way(core: Core) -> None:
    take(core, "ZW-01", "WY-04")
    take(core, "ZW-01")
    call(core)
    assert call(core) == "B002"
    waits = line.waiting(core)
    assert [(one["number"], one["service_code"]) for one in waits] == [("B001", "WY-04")]


def test_who_was_called_and_never_came_is_written_down_as_absent_by_one_tap(core: Core) -> None:
    take(core, "ZW-01")
    take(core, "ZW-01")
    call(core)
    assert call(core, before="no_show") == "B002"
    assert [one.spelled for one in line.tickets_today(core, ("NO_SHOW",))] == ["B001"]
    line.begin(core, 2, "li")
    take(core, "ZW-01")
    call(core, before="no_show")
    assert [one.spelled for one in line.tickets_today(core, ("DONE",))] == ["B002"], (
        "who was served was there"
    )


def test_a_chosen_number_is_called_where_its_item_is_served(core: Core, clock: HeldClock) -> None:
    for code in ("ZW-01", "ZW-01", "WY-04"):
        take(core, code)
        clock.forward(seconds=1)
    with pytest.raises(OrderRefused, match="does not serve what C001 is for"):
        line.call_number(core, "W2", 3, "li")
    assert line.call_number(core, "W2", 2, "li").spelled == "B002"
    assert line.by_token(core, line.tickets_today(core, ("WAITING",))[-1].token).overtaken == 1  # type: ignore[union-attr]
    with pytest.raises(OrderRefused, match="B002 is being called and cannot be called"):
        line.call_number(core, "W2", 2, "li")
    line.no_show(core, 2, "li")
    assert line.call_number(core, "W2", 2, "li").calls == 2, "an absent one is called again"


def test_elders_go_first_and_whom_they_passed_is_counted(core: Core, clock: HeldClock) -> None:
    for why in ("", "", "elder"):
        take(core, "ZW-01", why=why)
        clock.forward(seconds=1)
    elder = line.call_next(core, "W2", "li")
    assert (elder.spelled, elder.lane, elder.lane_why) == ("B003", "priority", "elder")
    assert [one["overtaken"] for one in line.waiting(core)] == [1, 1]
    assert core.reader().execute("SELECT priority_run FROM windows WHERE window_id = 'W2'").fetchone()[0] == 1
    line.undo(core, elder.ticket_id, "li")
    assert [one["overtaken"] for one in line.waiting(core)] == [0, 0, 0]
    assert core.reader().execute("SELECT priority_run FROM windows WHERE window_id = 'W2'").fetchone()[0] == 0
    assert line.set_lane(core, 1, "veteran", "li").lane == "priority"
    assert call(core) == "B001"
    with pytest.raises(OrderRefused, match="There is no priority called 'rich'"):
        line.set_lane(core, 2, "rich", "li")


def test_who_cancels_is_called_by_nobody(core: Core) -> None:
    first = take(core, "ZW-01")
    line.cancel(core, first.ticket_id, "phone")
    with pytest.raises(OrderRefused, match="Nobody is waiting"):
        call(core)
    with pytest.raises(OrderRefused, match="B001 is cancelled and cannot be called"):
        line.call_number(core, "W2", first.ticket_id, "li")
    assert line.board(core)["waiting"]["total"] == 0


def test_undo_of_a_call_brings_back_who_was_served_before_it(core: Core) -> None:
    take(core, "ZW-01")
    take(core, "ZW-01")
    call(core)
    line.begin(core, 1, "li")
    second = line.call_next(core, "W2", "li")
    back = line.undo(core, second.ticket_id, "li")
    assert back.state == "WAITING"
    assert [(one.spelled, one.state) for one in line.tickets_today(core, ("SERVING", "DONE"))] == [
        ("B001", "SERVING")
    ]
    assert serves(core) == []


def test_undo_by_the_number_that_the_call_has_finished_is_the_same_undo(core: Core) -> None:
    take(core, "ZW-01")
    take(core, "ZW-01")
    call(core)
    second = line.call_next(core, "W2", "li")
    assert line.undo(core, 1, "li").state == "CALLED"
    assert line.by_token(core, second.token).state == "WAITING"  # type: ignore[union-attr]


def test_a_step_that_others_have_built_upon_is_not_taken_back(core: Core) -> None:
    take(core, "ZW-01")
    take(core, "ZW-01")
    call(core)
    line.done(core, 1, "li")
    call(core)
    with pytest.raises(OrderRefused) as refused:
        line.undo(core, 1, "li")
    assert refused.value.why_zh == "这个窗口正在办理另一个号，请先办结"


def test_each_call_and_recall_is_announced_and_lights_the_sign(core: Core, clock: HeldClock) -> None:
    core.writer.write(
        lambda notebook: notebook.execute("UPDATE windows SET sign = 'led-2' WHERE window_id = 'W2'")
    )

    def sign() -> tuple[Any, ...]:
        return tuple(
            core.reader().execute("SELECT window_id, text, blink FROM signs WHERE sign = 'led-2'").fetchone()
        )

    def said() -> list[tuple[str, list[str]]]:
        rows = core.reader().execute("SELECT lang, words FROM announcements ORDER BY announcement_id")
        return [(row[0], json.loads(row[1])) for row in rows]

    take(core, "ZW-01", lang="en")
    call(core)
    assert sign() == ("W2", "B001", 1)
    line.recall(core, 1, "li")
    assert [lang for lang, _ in said()] == ["zh", "en"] * 2, "who took it in English hears both"
    assert {"digit:0", "digit:1", "window:2", "category:government"} <= set(said()[0][1])
    line.begin(core, 1, "li")
    assert sign() == ("W2", "B001", 0)
    line.hold(core, 1, "li")
    assert sign() == ("W2", "", 0)
    line.undo(core, 1, "li")
    assert sign() == ("W2", "B001", 0)
    clock.forward(hours=15)
    take(core, "ZW-01")
    assert sign() == ("W2", "", 0), "nothing of yesterday stays lit"


def test_a_call_that_is_taken_back_before_it_was_said_is_not_said(core: Core) -> None:
    take(core, "ZW-01")
    call(core)
    line.undo(core, 1, "li")
    assert core.reader().execute("SELECT count(*) FROM announcements").fetchone()[0] == 0
    call(core)
    core.writer.write(lambda notebook: notebook.execute("UPDATE announcements SET state = 'speaking'"))
    line.undo(core, 1, "li")
    assert core.reader().execute("SELECT count(*) FROM announcements").fetchone()[0] == 1, (
        "what is said is said"
    )


def test_one_ticket_holds_five_items_and_each_once(core: Core) -> None:
    with pytest.raises(OrderRefused, match="chosen twice"):
        take(core, "ZW-01", "ZW-01")
    with pytest.raises(OrderRefused, match="5 services at most"):
        take(core, "ZW-01", "ZW-02", "ZW-03", "ZW-04", "ZW-05", "ZW-06")
    with pytest.raises(OrderRefused, match="There is no service"):
        take(core, "ZW-01", "nothing")
    assert core.reader().execute("SELECT count(*) FROM tickets").fetchone()[0] == 0


# ---------------------------------------------------------------- midnight, and clocks that lie


def test_midnight_restarts_the_numbers_and_keeps_the_history(core: Core, clock: HeldClock) -> None:
    """22 November 2026, 23:59:59 in Shanghai is still the 22nd of both calendars; two seconds later only of UTC's."""
    clock.now_ms = 1_795_363_199_000
    called, waits = take(core, "ZW-01"), take(core, "ZW-01")
    call(core)
    clock.forward(seconds=2)
    assert take(core, "ZW-01").spelled == "B001"
    assert line.today(core) == "2026-11-23"
    assert numbers(core) == ["B001"]
    for one in (called, waits):
        held = line.by_token(core, one.token)
        assert held is not None
        view = ticket_view(core, held, line.ahead(core, held), {})
        assert (view["state"], view["ahead"]) == ("EXPIRED", 0)
        with pytest.raises(OrderRefused, match="no longer valid"):
            line.cancel(core, one.ticket_id, "li")
    days = core.reader().execute(
        "SELECT business_day, count(*) FROM tickets GROUP BY business_day ORDER BY 1"
    )
    assert [tuple(row) for row in days] == [("2026-11-22", 2), ("2026-11-23", 1)]
    assert call(core) == "B001", "nobody of yesterday stands at the window"


def test_a_clock_set_back_two_hours_gives_no_number_twice_and_nobody_a_better_place(
    core: Core, clock: HeldClock
) -> None:
    clock.now_ms = 1_795_363_199_000 + 3_600_000  # 01:00 of the 23rd
    before = [take(core, "ZW-01") for _ in range(2)]
    clock.forward(hours=-2)
    after = [take(core, "ZW-01") for _ in range(2)]
    assert {one.business_day for one in (*before, *after)} == {"2026-11-23"}
    assert [one.spelled for one in (*before, *after)] == ["B001", "B002", "B003", "B004"]
    assert numbers(core) == ["B001", "B002", "B003", "B004"], "who came later stands behind"
    assert [call(core) for _ in range(4)] == ["B001", "B002", "B003", "B004"]
    line.done(core, 4, "li")
    assert all(row[3] >= 0 and row[4] >= 0 for row in serves(core)), "no wait is negative"


def test_a_line_that_cannot_be_kept_fair_says_so(core: Core, clock: HeldClock) -> None:
    """A hall of elders: nobody can be put before anybody, so it is first come, first served, and the screens say it."""
    for why in ("elder", "elder", "child", "disabled"):
        take(core, "ZW-01", why=why)
        clock.forward(seconds=1)
    assert line.board(core)["first_come"] == {}, "no window is open"
    assert call(core) == "B001"
    said = line.board(core)["first_come"]
    assert said == {
        "W2": {
            "zh": "现在排队的都是优先号，按先来后到叫号",
            "en": "Everybody waiting has priority just now: first come, first served",
        }
    }
    take(core, "ZW-01")
    assert line.board(core)["first_come"] == {}
