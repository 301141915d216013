"""The kitchen's paper: one slip for each meal, whatever dies in between. Real gateway, real files, a killed kiosk."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from devices.plan import Hall, Plan, Printer
from firmware_bridge.escpos import completion_mark, render
from firmware_bridge.profiles import load_profiles
from gateway.hall.rows import MealOrder, Person
from gateway.house import House
from gateway.notebook import Notebook
from gateway.store import write_changes
from kiosk import kitchen
from kiosk.catalogue import Catalogue
from kiosk.core import Core
from kiosk.rules.kitchen import compose, compose_list, listed
from linli.broker import free_port
from tests.kiosk.conftest import TEN_O_CLOCK_MS, HeldClock
from tests.parts import Process, gateway, wait_until

SCHEMA = Path(__file__).parent.parent.parent / "gateway" / "schema"
ZONE = ZoneInfo("Asia/Shanghai")
TODAY = "2026-11-22"


def meal(call_id: int = 1, **more: Any) -> MealOrder:
    fields: dict[str, Any] = {"day": TODAY, "meal": "lunch", "dish": "红烧肉", "price_fen": 1200, **more}
    return MealOrder(call_id, "p-1", "btn-1", ordered_ms=TEN_O_CLOCK_MS + call_id, **fields)


@pytest.fixture
def book(house: House) -> Iterator[Notebook]:
    """gateway.db, as the gateway would write it, with one person."""
    book = Notebook(house.gateway_db, SCHEMA)
    person = Person(
        "p-1", "张奶奶", building="3", unit="1", room="302", medical="糖尿病", phone="13800138000"
    )
    book.write(lambda connection: write_changes(connection, [person]))
    yield book
    book.close()


def put(book: Notebook, *orders: MealOrder) -> None:
    book.write(lambda connection: write_changes(connection, orders))


def slips(core: Core) -> list[str]:
    return [
        json.loads(row[0])["title"]
        for row in core.reader().execute("SELECT body FROM slips ORDER BY slip_id")
    ]


def test_each_order_is_one_slip_and_one_more_when_it_is_given_back(core: Core, book: Notebook) -> None:
    put(book, meal(1), meal(2))
    assert kitchen.tell(core) == 2
    assert kitchen.tell(core) == 0
    put(book, meal(1, state="cancelled"))
    assert kitchen.tell(core) == 1
    put(book, meal(2, state="delivered"))
    assert kitchen.tell(core) == 0
    assert slips(core) == ["订餐 1 号", "订餐 2 号", "退餐 1 号"]


def test_given_back_by_mistake_and_put_back_is_one_more_slip(core: Core, book: Notebook) -> None:
    """What the kitchen holds at the end is what is ordered; a mistake that it never heard of costs no paper."""
    for state in ("ordered", "cancelled", "ordered", "ordered", "cancelled"):
        put(book, meal(1, state=state))
        kitchen.tell(core)
    assert slips(core) == ["订餐 1 号", "退餐 1 号", "订餐 1 号", "退餐 1 号"]
    put(book, meal(2, state="cancelled"))
    assert kitchen.tell(core) == 0
    put(book, meal(2))
    assert kitchen.tell(core) == 1 and kitchen.tell(core) == 0
    assert slips(core)[4:] == ["订餐 2 号"]


def test_given_back_before_the_kitchen_heard_of_it_needs_no_paper(core: Core, book: Notebook) -> None:
    put(book, meal(1, state="cancelled"))
    assert kitchen.tell(core) == 0 and kitchen.tell(core) == 0
    assert slips(core) == []


def test_yesterdays_meals_are_eaten_and_tomorrows_are_told(
    core: Core, book: Notebook, clock: HeldClock
) -> None:
    put(book, meal(1, day="2026-11-21"), meal(2, day="2026-11-23"))
    kitchen.tell(core)
    assert slips(core) == ["订餐 2 号"]
    clock.forward(hours=48)
    put(book, meal(2, day="2026-11-23", state="cancelled"))
    assert kitchen.tell(core) == 0, "its day is over: nobody cooks it any more"


def test_a_gateway_that_had_to_begin_anew_counts_from_one_and_the_kitchen_hears_it(
    core: Core, book: Notebook
) -> None:
    put(book, meal(1))
    kitchen.tell(core)
    book.write(lambda connection: connection.execute("DELETE FROM meal_orders"))
    later = MealOrder(1, "p-1", "btn-1", TODAY, "dinner", "面", 900, ordered_ms=TEN_O_CLOCK_MS + 5_000_000)
    put(book, later)
    assert kitchen.tell(core) == 1
    assert slips(core) == ["订餐 1 号", "订餐 1 号"]


def test_two_who_look_at_once_print_one_slip(core: Core, book: Notebook) -> None:
    put(book, *(meal(number) for number in range(1, 41)))
    start = threading.Barrier(4)

    def look() -> None:
        start.wait()
        kitchen.tell(core)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(slips(core)) == sorted(f"订餐 {number} 号" for number in range(1, 41))


def test_without_a_printer_nothing_is_marked_as_told(
    core: Core, book: Notebook, house: House, catalogue: Catalogue, clock: HeldClock
) -> None:
    bare = Core(
        House(house.home, house.run_dir, Plan(), ""), catalogue, core.writer, core.link, core.hub, clock
    )
    put(book, meal(1))
    assert kitchen.tell(bare) == 0
    assert kitchen.tell(core) == 1, "a printer has come: what is of today is printed"


def test_the_kitchen_has_a_printer_of_its_own_where_the_hall_says_so(core: Core) -> None:
    plan = Plan(printers=(Printer(id="hall"), Printer(id="kitchen")))
    assert kitchen.printer_of(core) == "hall"
    core.house = House(core.house.home, core.house.run_dir, plan, "")
    assert kitchen.printer_of(core) == "kitchen"


def test_the_slip_says_dish_door_name_and_price_and_nothing_of_health(core: Core, book: Notebook) -> None:
    put(book, meal(1, portions=2, price_fen=0))
    kitchen.tell(core)
    body = json.loads(core.reader().execute("SELECT body FROM slips").fetchone()[0])
    words = json.dumps(body, ensure_ascii=False)
    for told in ("红烧肉 × 2", "3栋1单元302", "张奶奶", "不收费", "2026-11-22 午餐", "10:00"):
        assert told in words
    assert "糖尿病" not in words and "13800138000" not in words
    assert body["kind"] == "kitchen"


def test_both_slips_and_the_list_can_be_printed_on_every_paper() -> None:
    order = {
        **{name: getattr(meal(7), name) for name in MealOrder.__slots__},
        "building": "3", "unit": "", "room": "", "place": "", "name": "", "call_place": "活动室", "call_person": "",
    }  # fmt: skip
    hall = Hall()
    papers = [compose(hall, order, ZONE, cancelled=cancelled) for cancelled in (False, True)]
    papers.append(compose_list(hall, TODAY, "lunch", [order], TEN_O_CLOCK_MS, ZONE))
    for profile in load_profiles().values():
        for paper in papers:
            ink = render(paper, profile, completion_mark(profile, "0001"))
            assert len(ink.raw) > 100 and set(ink.missing) <= {"×"}
    assert "这一份不要做" in json.dumps(papers[1], ensure_ascii=False)


def test_the_list_counts_what_is_to_be_cooked_by_dish_and_building() -> None:
    def one(dish: str, building: str, portions: int, state: str = "ordered") -> dict[str, Any]:
        return {"dish": dish, "building": building, "portions": portions, "state": state}

    orders = [
        one("鱼", "3", 1),
        one("鱼", "1", 2),
        one("面", "3", 1, "delivered"),
        one("面", "3", 5, "cancelled"),
    ]
    assert listed(orders) == [("鱼", 3, [("1", 2), ("3", 1)]), ("面", 1, [("3", 1)])]


# ---------------------------------------------------------------- the whole way

HALL_TOML = (
    '[[printers]]\nid = "hall"\nname_zh = "大厅打印机"\nname_en = "Hall printer"\n[virtual]\non = false\n'
)


@pytest.mark.slow
@pytest.mark.long
def test_meals_are_pressed_while_the_kiosk_is_killed_again_and_again_and_each_has_one_slip(
    tmp_path: Path,
) -> None:
    """Sixteen buttons press, four give it back; the kiosk is killed at moments it did not choose, and comes back."""
    with gateway(tmp_path, HALL_TOML) as running:
        seat = running.seat()
        now = datetime.fromtimestamp(time.time(), ZONE)
        day = (now + timedelta(days=1)).date().isoformat()
        assert seat.order(
            "put_menu", day=day, meal="dinner", dish="面", price_fen=900, cutoff_min=1440, by="周"
        )["ok"]
        for number in range(16):
            claim = {
                "device_id": f"meal-{number:02}",
                "kind": "call_button",
                "call_kind": "meal",
                "place": f"{number}栋",
            }
            assert seat.order("claim_device", **claim)["ok"]
        environ = {**running.environ, "LINLI_HTTP_PORT": str(free_port())}
        button = running.device()
        kiosk = Process("kiosk", environ)
        kiosk.wait_line("the faces are on")
        for number in range(16):
            button.press(f"meal-{number:02}", "9f00000000000000", 1)
            seat.wait_fact("RowChanged", table="meal_orders")
            if number % 3 == 2:
                kiosk.kill()  # the doorbell has rung: it may be starting, reading, writing, or have finished
                kiosk = Process("kiosk", environ)
                if number % 2:
                    kiosk.wait_line("the faces are on")
        wait_until(lambda: len(_titles(tmp_path, "订餐")) >= 16, lambda: "sixteen slips")
        for number in range(4):
            long = {"boot": "9f00000000000000", "seq": 9, "press": "long"}
            button.say(f"linli/v1/button/meal-{number:02}/press", long)
            seat.wait_fact("RowChanged", table="meal_orders")
            kiosk.kill()
            kiosk = Process("kiosk", environ)
        wait_until(lambda: len(_titles(tmp_path, "退餐")) >= 4, lambda: "four slips that take one back")
        assert sorted(_titles(tmp_path, "订餐")) == sorted(f"订餐 {number} 号" for number in range(1, 17))
        assert sorted(_titles(tmp_path, "退餐")) == [f"退餐 {number} 号" for number in range(1, 5)]
        kiosk.wait_line("the faces are on")
        assert kiosk.stop() == 0


def _titles(home: Path, head: str) -> list[str]:
    """The titles of the kitchen's slips in kiosk.db that begin so."""
    with closing(sqlite3.connect(f"file:{home}/kiosk.db?mode=ro", uri=True)) as connection:
        bodies = connection.execute("SELECT body FROM slips WHERE kind = 'kitchen'").fetchall()
    return [title for title in (json.loads(body)["title"] for (body,) in bodies) if title.startswith(head)]
