"""One press is one meal, told as mornings at an old button. The clock is held; pure rules, and a real notebook."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from devices.faults import OrderRefused
from devices.messages import DeviceSeen, Pressed, SetLamp
from gateway.hall import calls, meals, timers
from gateway.hall.rows import CallStep, MealOrder, Menu, Message, Person
from gateway.hall.rules import decide, obey
from gateway.hall.state import Call, Decision, Device, HallState, JournalLine, TimerSet
from tests.gateway.held_hall import HeldClock, HeldHall

SHANGHAI = ZoneInfo("Asia/Shanghai")


def ms(word: str) -> int:
    return int(datetime.fromisoformat(word).replace(tzinfo=SHANGHAI).timestamp() * 1000)


class Hall:
    """A hall on paper with one button for meals, "btn-1", that is 张奶奶's. It begins on a Monday at eight."""

    def __init__(self) -> None:
        self.state = HallState(zone=SHANGHAI)
        self.now_ms = ms("2026-11-23T08:00")
        self.journal: list[JournalLine] = []
        self.count = 0
        person = Person("p-1", "张奶奶", place="3栋302")
        button = Device(
            "btn-1", "call_button", 0, 0, 0, "linli", call_kind="meal", person_id="p-1", place="3栋302"
        )
        self._did(Decision(changes=[person, button]))

    def _did(self, decision: Decision) -> Decision:
        self.state.begin()
        self.state.put(decision)
        self.state.keep()
        self.journal += [one for one in decision.changes if isinstance(one, JournalLine)]
        return decision

    def menu(self, *menus: tuple[str, str, int, str]) -> None:
        for day, meal, cutoff_min, dish in menus:
            fields = {"day": day, "meal": meal, "dish": dish, "price_fen": 1200, "cutoff_min": cutoff_min}
            self.order("put_menu", **fields, by="食堂小周")

    def order(self, name: str, /, **fields: object) -> Decision:
        return self._did(obey(self.state, name, fields, self.now_ms))

    def press(self, kind: str = "short", **more: object) -> Decision:
        self.count += 1
        self._did(decide(self.state, DeviceSeen("btn-1", "linli"), self.now_ms))
        fact = Pressed("btn-1", f"9f:{self.count}", press_type=kind, family="linli", **more)  # type: ignore[arg-type]
        return self._did(decide(self.state, fact, self.now_ms))

    def at(self, word: str) -> Hall:
        self.now_ms = ms(word)
        for timer in sorted(self.state.timers.values(), key=lambda one: one.due_ms):
            if timer.due_ms <= self.now_ms:
                self._did(timers.due(self.state, timer.timer_id, self.now_ms))
        return self

    @property
    def orders(self) -> list[tuple[str, str, str, int]]:
        found = self.state.table(MealOrder).values()
        return [(one.day, one.meal, one.state, one.price_fen) for one in found]

    @property
    def calls(self) -> list[tuple[str, int, str | None]]:
        return [(one.state, one.presses, one.outcome) for one in self.state.calls.values()]


@pytest.fixture
def hall() -> Hall:
    one = Hall()
    one.menu(
        ("2026-11-23", "lunch", 10 * 60, "红烧肉、青菜"),
        ("2026-11-23", "dinner", 15 * 60, "面条"),
        ("2026-11-24", "breakfast", -4 * 60, "粥"),
    )
    return one


def lamp(decision: Decision) -> list[str]:
    return [effect.light for effect in decision.effects if isinstance(effect, SetLamp)]


def test_one_press_is_the_next_meal_and_the_lamp_is_steady_until_it_stands_on_the_table(hall: Hall) -> None:
    pressed = hall.press()
    assert hall.orders == [("2026-11-23", "lunch", "ordered", 1200)]
    assert (lamp(pressed), hall.calls) == (["steady"], [("COMING", 1, None)])
    assert hall.state.calls[1].accepted_by == "食堂"
    hall.at("2026-11-23T11:40")
    delivered = hall.order("deliver_meal", call_id=1, by="小周")
    assert (lamp(delivered), hall.calls) == (["off"], [("CLOSED", 1, "meal_ordered")])
    assert hall.orders == [("2026-11-23", "lunch", "delivered", 1200)]
    told = [one.event for one in hall.journal if one.subject == "call:1"]
    assert told == ["Pressed", "MealOrdered", "Accepted", "MealDelivered", "Closed"]
    assert "张奶奶" not in str(hall.journal)


def test_it_begins_no_ladder_and_leaves_no_timer_but_its_own(hall: Hall) -> None:
    decision = hall.press()
    assert set(hall.state.timers) == {"call:1:meal"}
    assert not [one for one in decision.changes if isinstance(one, (CallStep, Message))]
    call = hall.state.calls[1]
    assert (call.step, call.acts, call.overdue) == (-1, "", False)


def test_whoever_looks_after_open_calls_sees_that_it_is_the_canteens_turn(hall: Hall) -> None:
    """Every minute each open call is looked at: one without a timer would ring again after its kind's two hours."""
    hall.press()
    assert calls.watched(hall.state, hall.now_ms).changes == []
    hall.at("2026-11-23T11:30")
    assert calls.watched(hall.state, hall.now_ms).changes == []
    assert hall.calls == [("COMING", 1, None)]


@pytest.mark.parametrize("expiring", [False, True])
def test_an_ordered_meal_whose_timer_was_lost_waits_for_its_days_end_again(
    hall: Hall, expiring: bool
) -> None:
    hall.press()
    timer = hall.state.timers.pop("call:1:meal")
    if expiring:  # what took its place would let it ring after two hours
        hall.state.timers["call:1:coming"] = TimerSet("call:1:coming", "coming", "call:1", 0, 1)
    hall.now_ms += 60_000
    hall._did(meals.watched(hall.state, hall.now_ms))
    assert {name: one.due_ms for name, one in hall.state.timers.items()} == {"call:1:meal": timer.due_ms}
    hall.at("2026-11-24T00:00")
    assert hall.orders[0][2] == "over" and hall.calls == [("CLOSED", 1, "meal_ordered")]


def test_a_trembling_hand_orders_one_meal(hall: Hall) -> None:
    for second in (0, 3, 9, 40, 300, 599):
        hall.now_ms = ms("2026-11-23T08:00") + second * 1000
        hall.press()
    assert hall.orders == [("2026-11-23", "lunch", "ordered", 1200)]
    assert hall.calls == [("COMING", 6, None)]


def test_whoever_has_forgotten_the_first_press_gets_no_second_portion(hall: Hall) -> None:
    hall.press()
    again = hall.at("2026-11-23T09:30").press()
    assert hall.orders == [("2026-11-23", "lunch", "ordered", 1200)]
    assert (hall.calls, lamp(again)) == ([("COMING", 2, None)], ["steady"]), (
        "taken by the canteen, not forgotten"
    )
    assert set(hall.state.timers) == {"call:1:meal"}


def test_after_the_cut_off_a_press_is_about_the_next_meal(hall: Hall) -> None:
    hall.press()
    hall.at("2026-11-23T10:30").press()
    assert [one[1:3] for one in hall.orders] == [("lunch", "ordered"), ("dinner", "ordered")]
    assert hall.calls == [("CLOSED", 1, "meal_ordered"), ("COMING", 1, None)]
    hall.order("deliver_meal", call_id=1, by="小周")
    assert [one[1:3] for one in hall.orders] == [("lunch", "delivered"), ("dinner", "ordered")]
    assert hall.calls[1][0] == "COMING", "the lamp belongs to the dinner now"


def test_pressed_a_minute_before_the_cut_off_and_again_after_it_is_one_wish(hall: Hall) -> None:
    hall.at("2026-11-23T09:59").press()
    hall.at("2026-11-23T10:03").press()
    assert hall.orders == [("2026-11-23", "lunch", "ordered", 1200)]


def test_breakfast_is_ordered_the_evening_before(hall: Hall) -> None:
    hall.at("2026-11-23T19:59").press()
    assert hall.orders == [("2026-11-24", "breakfast", "ordered", 1200)]
    late = Hall()
    late.menu(("2026-11-24", "breakfast", -4 * 60, "粥"))
    late.at("2026-11-23T20:00").press()
    assert late.orders == [] and late.state.calls[1].note == meals.NO_MENU


@pytest.mark.parametrize("word", ["long", "hold"])
def test_a_long_press_gives_it_back_before_the_cut_off(hall: Hall, word: str) -> None:
    hall.press()
    back = hall.at("2026-11-23T09:59").press(word)
    assert hall.orders == [("2026-11-23", "lunch", "cancelled", 1200)]
    assert (hall.calls, lamp(back)) == ([("CLOSED", 2, "meal_cancelled")], ["off"])
    assert not hall.state.timers
    hall.now_ms += 30_000
    hall.press()
    assert [one[2] for one in hall.orders] == ["cancelled", "ordered"], "and may be wanted again"


def test_a_long_press_that_can_give_nothing_back_rings_for_a_person(hall: Hall) -> None:
    hall.press("long")
    assert hall.orders == [] and hall.calls == [("HEARD", 1, None)]
    assert hall.state.calls[1].note == meals.NOT_NOW and hall.state.timers
    hall.order("close_call", call_id=1, by="小李", outcome="test")
    hall.now_ms += 120_000
    hall.press()
    late = hall.at("2026-11-23T10:45").press("long")
    assert hall.orders == [("2026-11-23", "lunch", "ordered", 1200)], "it is cooked: it will be brought"
    assert hall.calls[1:] == [("CLOSED", 1, "meal_ordered"), ("HEARD", 1, None)] and lamp(late) == ["blink"]


@pytest.mark.parametrize("more", [{"doubtful": True}, {"age_ms": 660_000}])
def test_what_may_be_no_wish_for_a_meal_costs_nobody_money(hall: Hall, more: dict[str, Any]) -> None:
    hall.press(**more)
    assert hall.orders == [] and hall.calls == [("HEARD", 1, None)]
    assert hall.state.calls[1].note == meals.NOT_SURE


def test_with_no_menu_the_call_stays_for_staff_and_says_so() -> None:
    hall = Hall()
    hall.menu(("2026-11-25", "lunch", 600, "鱼"))  # the day after tomorrow
    pressed = hall.press()
    assert (hall.calls, lamp(pressed)) == ([("HEARD", 1, None)], ["blink"])
    assert hall.state.calls[1].note == meals.NO_MENU and "没有菜单" in meals.NO_MENU
    hall.now_ms += 60_000
    hall.menu(("2026-11-23", "lunch", 600, "鱼"))
    hall.press()
    assert hall.orders == [] and hall.calls == [("HEARD", 2, None)], "a person is on it"


def test_free_for_whom_the_hall_has_decided_so(hall: Hall) -> None:
    hall._did(Decision(changes=[Person("p-1", "张奶奶", meal_free=True)]))
    hall.press()
    hall.order("order_meal", person_id="p-1", day="2026-11-23", meal="dinner", portions=3, by="小李")
    assert [one[3] for one in hall.orders] == [0, 0]


def test_a_button_that_is_nobodys_orders_for_its_place(hall: Hall) -> None:
    hall._did(
        Decision(changes=[Device("btn-1", "call_button", 0, 0, 0, "linli", call_kind="meal", place="活动室")])
    )
    hall.press()
    assert hall.orders == [("2026-11-23", "lunch", "ordered", 1200)]
    assert hall.state.calls[1].place == "活动室"


# ---------------------------------------------------------------- staff


def test_staff_order_by_telephone_more_portions_and_late(hall: Hall) -> None:
    hall.at("2026-11-23T10:30")
    first = hall.order(
        "order_meal", person_id="p-1", day="2026-11-23", meal="lunch", portions=2, by="小李", key="k1"
    )
    again = hall.order(
        "order_meal", person_id="p-1", day="2026-11-23", meal="lunch", portions=2, by="小李", key="k1"
    )
    assert first.call is not None and again.duplicate
    order = hall.state.table(MealOrder)[first.call.call_id]
    assert (order.portions, order.price_fen, order.by) == (2, 2400, "小李")
    assert first.call.place == "3栋302" and first.call.state == "COMING"
    hall.order("order_meal", person_id="p-1", day="2026-11-23", meal="dinner", by="小李")
    assert [one[2] for one in hall.orders] == ["ordered", "ordered"]
    assert [state for state, _, _ in hall.calls] == ["CLOSED", "COMING"], "one open call a device"
    closed = [(one.subject, one.actor, one.detail) for one in hall.journal if one.event == "Closed"]
    assert closed == [("call:1", "小李", "meal_ordered")]


def test_what_was_ordered_by_telephone_is_not_ordered_again_by_the_button(hall: Hall) -> None:
    hall.order("order_meal", person_id="p-1", day="2026-11-23", meal="lunch", by="小李")
    hall.press()
    assert [one[1] for one in hall.orders] == ["lunch", "dinner"]


def test_staff_cancel_at_any_time_and_the_first_word_counts(hall: Hall) -> None:
    hall.press()
    hall.at("2026-11-23T11:00")
    cancelled = hall.order("cancel_meal", call_id=1, by="小李")
    assert (lamp(cancelled), hall.calls) == (["off"], [("CLOSED", 1, "meal_cancelled")])
    assert hall.order("cancel_meal", call_id=1, by="小王").duplicate
    with pytest.raises(OrderRefused) as refused:
        hall.order("deliver_meal", call_id=1, by="小周")
    assert refused.value.why_zh == "这份餐已经退了（小李）"


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("meal_ordered", "ordered"), ("meal_cancelled", "cancelled"), ("false_alarm", "cancelled")],
)
def test_a_meals_call_that_staff_close_by_hand_takes_its_order_with_it(
    hall: Hall, outcome: str, state: str
) -> None:
    hall.press()
    hall.order("close_call", call_id=1, by="小李", outcome=outcome)
    assert [one[2] for one in hall.orders] == [state]


def test_a_close_that_is_undone_brings_the_meal_back_and_it_waits_for_its_day(hall: Hall) -> None:
    hall.press()
    before = hall.state.table(MealOrder)[1]
    for order, words in (
        ("close_call", {"outcome": "false_alarm"}),
        ("cancel_meal", {}),
        ("deliver_meal", {}),
        ("close_call", {"outcome": "meal_ordered"}),
    ):
        hall.now_ms += 30_000
        hall.order(order, call_id=1, by="小李", **words)
        hall.now_ms += 30_000
        undone = hall.order("reopen_call", call_id=1, by="小李")
        assert (lamp(undone), hall.calls) == (["steady"], [("COMING", 1, None)])
        assert hall.orders == [("2026-11-23", "lunch", "ordered", 1200)]
        assert hall.state.table(MealOrder)[1].ordered_ms == before.ordered_ms, "the kitchen knows it by that"
        assert {name: one.due_ms for name, one in hall.state.timers.items()} == {
            "call:1:meal": ms("2026-11-24T00:00")
        }
    assert [one.event for one in hall.journal].count("MealOrdered") == 4


@pytest.mark.parametrize("why", ["cut_off", "ordered_again", "forgotten"])
def test_a_close_undone_where_the_meal_cannot_come_back_rings_for_a_person(hall: Hall, why: str) -> None:
    hall.press()
    hall.now_ms += 1000
    if why == "cut_off":
        hall.at("2026-11-23T10:30")
    hall.order("cancel_meal", call_id=1, by="小李")
    if why == "ordered_again":
        hall.order("order_meal", person_id="p-1", day="2026-11-23", meal="lunch", by="小李")
    if why == "forgotten":
        hall.state.forget_old(hall.now_ms)
    hall.now_ms += 1000
    undone = hall.order("reopen_call", call_id=1, by="小王")
    call = hall.state.calls[1]
    assert (call.state, call.accepted_by, call.note) == ("HEARD", None, meals.NOT_BACK)
    assert lamp(undone) == ["blink"] and undone.call == call
    assert "call:1:step" in hall.state.timers and "call:1:meal" not in hall.state.timers
    assert [one.actor for one in hall.journal if one.event.startswith("Reopened")] == ["小王"]
    assert [one.event for one in hall.journal if one.event.startswith("Reopened")] == ["ReopenedUntaken"]


def test_a_question_that_a_person_had_taken_comes_back_to_that_person(hall: Hall) -> None:
    hall.press("long")
    hall.order("accept_call", call_id=1, by="小李")
    hall.now_ms += 1000
    hall.order("close_call", call_id=1, by="小李", outcome="meal_cancelled")
    hall.order("reopen_call", call_id=1, by="小李")
    assert hall.state.calls[1].accepted_by == "小李" and set(hall.state.timers) == {"call:1:coming"}


def test_its_day_ends_and_nobody_has_said_that_it_was_delivered(hall: Hall) -> None:
    hall.press()
    hall.at("2026-11-23T23:59")
    assert hall.calls == [("COMING", 1, None)]
    hall.at("2026-11-24T00:00")
    assert hall.orders == [("2026-11-23", "lunch", "over", 1200)]
    assert hall.calls == [("CLOSED", 1, "meal_ordered")] and not hall.state.timers


def test_a_menu_that_changes_changes_nothing_that_was_ordered(hall: Hall) -> None:
    hall.press()
    hall.order("put_menu", day="2026-11-23", meal="lunch", dish="鱼", price_fen=900, by="小周")
    order = hall.state.table(MealOrder)[1]
    assert (order.dish, order.price_fen) == ("红烧肉、青菜", 1200)
    hall.order("drop_menu", day="2026-11-23", meal="lunch", by="小周")
    assert hall.order("drop_menu", day="2026-11-23", meal="lunch", by="小周").duplicate
    hall.press("long")
    assert [one[2] for one in hall.orders] == ["cancelled"]


def test_a_week_of_menus_comes_in_whole_or_not_at_all(hall: Hall) -> None:
    monday = date(2026, 11, 30)
    week: list[dict[str, object]] = [
        {
            "day": (monday + timedelta(days=day)).isoformat(),
            "meal": meal,
            "dish": "菜",
            "price_fen": 1200,
            "cutoff_min": 600,
        }
        for day in range(5)
        for meal in ("lunch", "dinner")
    ]
    before = dict(hall.state.table(Menu))
    broken = [*week[:7], {**week[7], "meal": "supper"}, *week[8:]]
    with pytest.raises(OrderRefused) as refused:
        hall.order("put_menus", menus=broken, by="小周")
    assert refused.value.why_zh.startswith("第 8 行") and refused.value.why_en.startswith("line 8")
    assert dict(hall.state.table(Menu)) == before
    hall.order("put_menus", menus=week, by="小周")
    assert len(hall.state.table(Menu)) == len(before) + 10


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        (
            "put_menu",
            {"day": "2026-02-30", "meal": "lunch", "dish": "鱼", "price_fen": 1, "cutoff_min": 1, "by": "周"},
        ),
        (
            "put_menu",
            {"day": "2026-2-3", "meal": "lunch", "dish": "鱼", "price_fen": 1, "cutoff_min": 1, "by": "周"},
        ),
        (
            "put_menu",
            {"day": "2026-12-01", "meal": "tea", "dish": "鱼", "price_fen": 1, "cutoff_min": 1, "by": "周"},
        ),
        (
            "put_menu",
            {"day": "2026-12-01", "meal": "lunch", "dish": " ", "price_fen": 1, "cutoff_min": 1, "by": "周"},
        ),
        (
            "put_menu",
            {
                "day": "2026-12-01",
                "meal": "lunch",
                "dish": "鱼",
                "price_fen": -1,
                "cutoff_min": 1,
                "by": "周",
            },
        ),
        (
            "put_menu",
            {
                "day": "2026-12-01",
                "meal": "lunch",
                "dish": "鱼",
                "price_fen": 1,
                "cutoff_min": 1441,
                "by": "周",
            },
        ),
        ("put_menu", {"day": "2026-12-01", "meal": "lunch", "dish": "鱼", "cutoff_min": 1, "by": "周"}),
        ("put_menus", {"menus": [], "by": "周"}),
        ("put_menus", {"menus": ["鱼"], "by": "周"}),
        ("put_menus", {"by": "周"}),
        ("drop_menu", {"day": "2026-12-01", "meal": "lunch"}),
        ("cancel_meal", {"call_id": 99, "by": "周"}),
        ("cancel_meal", {"call_id": "1", "by": "周"}),
        ("deliver_meal", {"by": "周"}),
        ("order_meal", {"person_id": "p-9", "day": "2026-11-23", "meal": "lunch", "by": "李"}),
        ("order_meal", {"person_id": "p-1", "day": "2026-11-25", "meal": "lunch", "by": "李"}),
        (
            "order_meal",
            {"person_id": "p-1", "day": "2026-11-23", "meal": "lunch", "by": "李", "portions": 21},
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    hall: Hall, name: str, fields: dict[str, object]
) -> None:
    before = {table: dict(rows) for table, rows in hall.state.tables.items()}
    with pytest.raises(OrderRefused) as refused:
        hall.order(name, **fields)
    assert refused.value.why_zh and refused.value.why_en
    assert {table: dict(rows) for table, rows in hall.state.tables.items()} == before


def test_an_emergency_button_never_orders_a_meal(hall: Hall) -> None:
    hall._did(Decision(changes=[Device("btn-1", "call_button", 0, 0, 0, "linli", person_id="p-1")]))
    hall.press()
    assert hall.orders == [] and hall.state.calls[1].kind == "emergency"


# ---------------------------------------------------------------- the real notebook


def held_press(hall: HeldHall, press_id: str, kind: str = "short") -> None:
    from gateway.arrival import Arrival

    facts = (
        DeviceSeen("btn-1", "linli"),
        Pressed("btn-1", press_id=press_id, press_type=kind, family="linli"),
    )
    hall.loop.take(Arrival(hall.clock.monotonic_ns(), hall.clock.now_ms(), "press", facts))
    hall.turn()


@pytest.mark.long
def test_thirty_days_of_lunches_with_a_kill_at_every_step(tmp_path: Path) -> None:
    """Ordered, killed, ordered again, killed, given back on Fridays, delivered, forgotten on Sundays: each once."""
    clock = HeldClock(ms("2026-11-20T17:00"))

    def begin() -> HeldHall:
        hall = HeldHall(tmp_path, clock)
        hall.loop.state.zone = SHANGHAI
        return hall

    hall = begin()
    hall.order("claim_device", device_id="btn-1", kind="call_button", call_kind="meal", place="3栋302")
    first = date(2026, 11, 21)
    days = [(first + timedelta(days=at)).isoformat() for at in range(30)]
    for at, day in enumerate(days):
        menu = {"meal": "lunch", "dish": "菜", "price_fen": 1200, "cutoff_min": 600}
        assert hall.order("put_menus", menus=[{"day": day, **menu}], by="周")["ok"]
        for step in range(5):
            clock.pass_s((ms(f"{day}T0{5 + step}:00") - clock.wall_ms) / 1000)
            hall.turn()
            weekday = date.fromisoformat(day).weekday()
            if step in (0, 1):
                held_press(hall, f"{at:04x}:{step}")
            elif step == 2 and weekday == 4:
                held_press(hall, f"{at:04x}:{step}", "long")
            elif step == 3 and weekday < 4:
                newest = max(hall.loop.state.table(MealOrder))
                assert hall.order("deliver_meal", call_id=newest, by="周")["ok"]
            hall.die()
            hall = begin()
    clock.pass_s(24 * 3600)
    hall.turn()
    found = dict(hall.book.connection.execute("SELECT day, state FROM meal_orders ORDER BY day").fetchall())
    count = hall.book.connection.execute("SELECT count(*) FROM meal_orders").fetchone()[0]
    expected = {
        day: {4: "cancelled", 5: "over", 6: "over"}.get(date.fromisoformat(day).weekday(), "delivered")
        for day in days
    }
    assert found == expected and count == 30
    open_calls = [one for one in hall.loop.state.calls.values() if one.state != "CLOSED"]
    assert open_calls == [] and hall.rows() == []
    presses = hall.book.connection.execute("SELECT sum(presses) FROM calls").fetchone()[0]
    assert presses == 60 + sum(state == "cancelled" for state in expected.values()), "each press is counted"
    hall.die()


def test_a_menu_is_a_row_with_two_keys_and_comes_back(tmp_path: Path, clock: HeldClock) -> None:
    hall = HeldHall(tmp_path, clock)
    answer = hall.order(
        "put_menu", day="2026-11-23", meal="lunch", dish="鱼", price_fen=1200, cutoff_min=600, by="周"
    )
    assert answer["ok"] is True and answer["row"] == {
        "day": "2026-11-23",
        "meal": "lunch",
        "dish": "鱼",
        "price_fen": 1200,
        "cutoff_min": 600,
    }
    told = [one for one in hall.told if one.get("fact") == "RowChanged"]
    assert told and told[0]["key"] == ("2026-11-23", "lunch")
    hall.die()
    again = HeldHall(tmp_path, clock)
    assert list(again.loop.state.table(Menu)) == [("2026-11-23", "lunch")]
    again.die()


def test_menus_of_long_ago_do_not_come_back_and_one_of_a_wrong_year_hides_none(
    tmp_path: Path, clock: HeldClock
) -> None:
    hall = HeldHall(tmp_path, clock)
    first = date(2026, 8, 1)
    days = [(first + timedelta(days=at)).isoformat() for at in range(120)] + ["2062-11-23"]
    for day in days:
        menu = {"dish": "鱼", "price_fen": 1200, "cutoff_min": 600, "by": "周"}
        assert hall.order(
            "put_menus", by="周", menus=[{"day": day, "meal": one, **menu} for one in meals.MEALS]
        )["ok"]
    hall.die()
    again = HeldHall(tmp_path, clock)
    assert sorted(again.loop.state.table(Menu)) == sorted(
        (day, meal) for day in days[-100:] for meal in meals.MEALS
    )
    plan = "EXPLAIN QUERY PLAN SELECT * FROM meal_orders WHERE " + MealOrder.LOAD
    assert "meal_orders_open" in str(again.book.connection.execute(plan).fetchall())
    again.die()


def test_a_call_of_another_kind_on_the_same_button_is_left_alone(hall: Hall) -> None:
    """The claim was changed while an emergency is open: the press belongs to the emergency."""
    call = Call(1, "HEARD", "emergency", "btn-1", "b", True, "", "", 1, 1, hall.now_ms, hall.now_ms)
    hall._did(Decision(changes=[call]))
    hall.now_ms += 20_000
    hall.press()
    assert hall.orders == [] and hall.calls == [("HEARD", 2, None)]


def test_a_button_that_becomes_an_emergency_button_rings_as_one_and_the_meal_still_comes(hall: Hall) -> None:
    hall.press()
    assert hall.calls == [("COMING", 1, None)]
    hall.order("claim_device", device_id="btn-1", kind="call_button", call_kind="emergency", by="小李")
    hall.at("2026-11-23T08:05").press()
    assert hall.calls == [("CLOSED", 1, "meal_ordered"), ("HEARD", 1, None)]
    assert hall.state.calls[2].kind == "emergency"
    assert [order[2] for order in hall.orders] == ["ordered"]
    hall.at("2026-11-24T00:01")
    assert [order[2] for order in hall.orders] == ["over"] and hall.calls[1][0] == "HEARD"
