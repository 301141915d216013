"""People, helpers and a ladder for the console's tests: real rows in a real gateway.db, the same calls on the line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from gateway.hall.rows import CallStep, Helper, Message, Person, Row
from gateway.hall.state import Call, Change, Device, JournalLine, TimerSet
from gateway.notebook import Notebook
from gateway.store import write_changes
from gateway.views import call_json, device_json
from tests.kiosk.console_hall import NOON_MS, ROOT, ConsoleHall

MEDICAL = "心脏支架，青霉素过敏"
ZHANG = Person(
    "p-302", "张桂芳", "13800000302", "南一网格", "3栋", "1单元", "302", "3栋1单元302",
    access="门锁密码问物业；敲门要大声，耳背", key_holder="刘姐（301）", key_holder_phone="13800000301",
    family="儿子 张明", family_phone="13900000001", medical=MEDICAL, note="养了一只小狗，不咬人",
)  # fmt: skip
NEIGHBOURS = [
    replace(ZHANG, person_id="p-301", name="刘秀英", phone="13800000301", room="301", place="3栋1单元301"),
    replace(ZHANG, person_id="p-502", name="陈国强", phone="13800000502", unit="2单元", room="502",
            place="3栋2单元502", medical=""),
    replace(ZHANG, person_id="p-901", name="远处的人", phone="13800000901", building="9栋", place="9栋1单元101"),
]  # fmt: skip
HELPERS = [
    Helper("h-1", "王值班", "duty", "13700000001"),
    Helper("h-2", "李四", "grid", "13700000002", grid="南一网格", channels=("sms:13700000002",)),
    Helper("h-3", "赵楼长", "building", "13700000003", building="3栋", channels=("wecombot://secret-key/",)),
]
BUTTON = Device(
    "btn-0302", "call_button", NOON_MS, NOON_MS, 60_000, family="linli", name="床头按钮", place="3栋1单元302",
    person="张桂芳", person_id="p-302", lamp=True, battery_pct=64.0,
)  # fmt: skip
CALL = Call(
    7, "HEARD", "emergency", "btn-0302", "床头按钮", True, "3栋1单元302", "张桂芳", 2, 1, NOON_MS - 95_000,
    NOON_MS - 60_000, overdue=True, person_id="p-302", turn=1, step=1, acts="console beacon voice display message",
    heard="cannot", repeats=3,
)  # fmt: skip
LADDER: list[Change] = [
    CallStep(7, 1, 0, "duty", "skipped", NOON_MS - 95_000, (), "no_console nobody_on_duty"),
    CallStep(7, 1, 1, "grid", "told", NOON_MS - 94_000, ("h-2", "h-3")),
    Message("m-1", 7, 1, 1, "h-2", "sms:13700000002", "…", NOON_MS - 94_000, "sent", 1, NOON_MS - 92_000),
    Message("m-2", 7, 1, 1, "h-3", "wecombot://secret-key/", "…", NOON_MS - 94_000, "failed", 3, NOON_MS - 80_000,
            "网络不通"),
    TimerSet("call:7:step", "step", "call:7", NOON_MS - 94_000, 120_000),
    JournalLine(NOON_MS - 95_000, "Pressed", "call:7", "btn-0302", "9f3a:12"),
    JournalLine(NOON_MS - 60_000, "PressedAgain", "call:7", "btn-0302", "9f3a:13"),
]  # fmt: skip


def earlier(number: int, outcome: str = "false_alarm", **more: Any) -> Call:
    """A call of last month that is over."""
    opened_ms = NOON_MS - (30 - number) * 86_400_000
    closed: dict[str, Any] = {
        "state": "CLOSED", "opened_ms": opened_ms, "last_press_ms": opened_ms, "accepted_ms": opened_ms + 20_000,
        "accepted_by": "李强", "closed_ms": opened_ms + 900_000, "closed_by": "李强", "outcome": outcome,
        "call_id": number, "overdue": False, "repeats": 0, "presses": 1, "step": -1, "acts": "", "note": "",
    }  # fmt: skip
    return replace(CALL, **{**closed, **more})


def write(hall: ConsoleHall, changes: Iterable[Change]) -> None:
    """As the gateway writes: one transaction into gateway.db."""
    book = Notebook(hall.house.gateway_db, ROOT / "gateway" / "schema")
    try:
        book.write(lambda connection: write_changes(connection, list(changes)))
    finally:
        book.close()


def tell(hall: ConsoleHall, call: Call) -> None:
    """Written, then told: what every console hears."""
    write(hall, [call])
    hall.gateway.press(**call_json(call))  # type: ignore[arg-type]  # a call's fields by name


def row_told(hall: ConsoleHall, row: Row) -> None:
    write(hall, [row])
    hall.gateway.row(row.TABLE, row.key)


def furnish(hall: ConsoleHall) -> None:
    """A resident with neighbours, helpers, former calls; and call 7, which rings."""
    write(hall, [ZHANG, *NEIGHBOURS, *HELPERS, BUTTON, *LADDER])
    write(hall, [earlier(3, "helped", note="血压已量"), earlier(4), earlier(5, "test")])
    hall.gateway.device(**device_json(BUTTON))  # type: ignore[arg-type]
    tell(hall, CALL)

#: What people have typed, as far as the screen of call 7 shows it: never translated.
WORDS_OF_PEOPLE = (
    MEDICAL, ZHANG.access, ZHANG.note, ZHANG.key_holder, ZHANG.family, ZHANG.place, "3栋1单元301", "3栋2单元502",
    BUTTON.name, "网络不通", "血压已量",
)  # fmt: skip
