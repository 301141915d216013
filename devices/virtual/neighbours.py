"""Who lives in the demo hall: invented people, places and bays, told to the gateway by order at first start.

The same orders the console gives. What staff have changed since is left alone: only devices that nobody has
claimed are claimed, with whoever lives there; rosters are written down only where none of these devices is claimed.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Collection
from pathlib import Path
from typing import Any

#: Nobody is called so: every name of the demo says that it is invented (演, "played").
#: grid, building, unit, flat, name, what the button means, how often somebody knocks, how to get in
_HOMES = (
    (
        "第一网格",
        "3栋",
        "1单元",
        "302",
        "张奶奶（演）",
        "emergency",
        "weekly",
        "门上密码锁，值班室有密码；老人耳背，多敲一会儿",
    ),
    ("第一网格", "3栋", "2单元", "101", "李爷爷（演）", "emergency", "monthly", "备用钥匙在楼栋长家"),
    ("第二网格", "5栋", "1单元", "504", "王婆婆（演）", "emergency", "weekly", "家里有一只小狗，不咬人"),
    ("第一网格", "2栋", "1单元", "201", "赵爷爷（演）", "meal", "monthly", ""),
    ("第二网格", "7栋", "3单元", "102", "陈奶奶（演）", "repair", "quarterly", "后门常开"),
    ("第一网格", "1栋", "2单元", "603", "刘爷爷（演）", "company", "monthly", ""),
)
#: role, name, scope (grid, building, unit), shifts (weekdays, from, to, holidays). No telephone number begins with 000.
_DAY, _NIGHT = (127, 480, 1200, "too"), (127, 1200, 480, "too")
_HELPERS = (
    ("duty", "值班甲（演）", ("", "", ""), (_DAY,)),
    ("duty", "值班乙（演）", ("", "", ""), (_NIGHT,)),
    ("grid", "网格员丙（演）", ("第一网格", "", ""), ((0b0011111, 510, 1050, "not"),)),
    ("grid", "网格员丁（演）", ("第二网格", "", ""), ((0b0011111, 510, 1050, "not"),)),
    ("building", "楼栋长戊（演）", ("第一网格", "3栋", ""), ()),
    ("building", "楼栋长己（演）", ("第二网格", "5栋", ""), ()),
    ("unit", "单元长庚（演）", ("第一网格", "3栋", "1单元"), ()),
    ("guard", "门岗（演）", ("", "", ""), ()),
    ("secretary", "书记辛（演）", ("", "", ""), ((127, 420, 1320, "too"),)),
    ("volunteer", "志愿者壬（演）", ("", "", ""), ((0b1100000, 540, 1080, "too"),)),
    ("kitchen", "食堂癸（演）", ("", "", ""), ((127, 360, 1140, "too"),)),
)
#: The demo hall's car park, as a hall's own would be written (docs/operations.md, "The plan of the car park").
_PLAN = Path(__file__).with_name("parking_plan.json")
_ZONES = (("east", "东区", "East"), ("west", "西区", "West"))

#: The gateway answers in milliseconds; if it is not there yet we are called again.
ANSWER_S = 2.0


def button_id(number: int) -> str:
    return f"btn-{number:02d}"


def _person_id(number: int) -> str:
    """Who has the button of that number."""
    return f"p-demo-{number}"


def _button_of(person_id: str) -> str:
    return button_id(int(person_id.removeprefix("p-demo-")))


def bay_id(number: int) -> str:
    """Odd ones in the east, even ones in the west: east-01, west-01, east-02 …"""
    return f"{_ZONES[(number - 1) % 2][0]}-{(number + 1) // 2:02d}"


def claims(buttons: int, bays: int) -> list[dict[str, Any]]:
    """The orders that furnish the demo hall: people first, so that a button can be tied to one."""
    orders: list[dict[str, Any]] = people(buttons) + [
        {"order": "define_zone", "zone_id": zone, "name_zh": zh, "name_en": en, "by": "demo"}
        for zone, zh, en in (_ZONES if bays else ())
    ]
    for number in range(1, buttons + 1):
        _, building, unit, room, _, kind, _, _ = _HOMES[(number - 1) % len(_HOMES)]
        place, person_id = f"{building}{unit}{room}", _person_id(number)
        if number > len(_HOMES):
            place, person_id = f"{8 + number // 10}栋1单元{number % 10 + 1}01", ""
        orders.append(
            {
                "order": "claim_device",
                "device_id": button_id(number),
                "kind": "call_button",
                "name": place,
                "place": place,
                "person_id": person_id,
                "call_kind": kind,
                "model": "virtual button",
                "by": "demo",
            }
        )
    for number in range(1, bays + 1):
        name = bay_id(number)
        orders.append(
            {
                "order": "claim_device",
                "device_id": f"bay-{name}",
                "kind": "bay_sensor",
                "name": name,
                "bay_id": name,
                "zone_id": name.partition("-")[0],
                "model": "virtual bay sensor",
                "by": "demo",
            }
        )
    if bays:
        orders.append(
            {"order": "put_map", **plan({bay_id(number) for number in range(1, bays + 1)}), "by": "demo"}
        )
    return orders


def plan(there: Collection[str]) -> dict[str, Any]:
    """The demo's plan with those of its bays that are there; further ones are counted, but not drawn."""
    drawn: dict[str, Any] = json.loads(_PLAN.read_text(encoding="utf-8"))
    drawn["bays"] = [one for one in drawn["bays"] if one["bay_id"] in there]
    return drawn


def people(buttons: int) -> list[dict[str, Any]]:
    """The orders that write down who lives in the demo hall and who comes when a button rings."""
    orders: list[dict[str, Any]] = [
        {
            "order": "put_person",
            "person_id": _person_id(number),
            "name": name,
            "grid": grid,
            "building": building,
            "unit": unit,
            "room": room,
            "phone": f"000-0000-{number:04}",
            "access": access,
            "visit_tier": tier,
            "by": "demo",
        }
        for number, (grid, building, unit, room, name, _, tier, access) in enumerate(_HOMES[:buttons], 1)
    ]
    for number, (role, name, (grid, building, unit), shifts) in enumerate(_HELPERS if buttons else (), 1):
        helper_id = f"h-demo-{number}"
        scope = {"grid": grid, "building": building, "unit": unit}
        phone = f"000-1111-{number:04}"
        orders.append(
            {
                "order": "put_helper",
                "helper_id": helper_id,
                "name": name,
                "role": role,
                "phone": phone,
                **scope,
                "by": "demo",
            }
        )
        for turn, (weekdays, from_min, to_min, holidays) in enumerate(shifts, 1):
            orders.append(
                {
                    "order": "put_shift",
                    "shift_id": f"s-demo-{number}-{turn}",
                    "helper_id": helper_id,
                    "weekdays": weekdays,
                    "from_min": from_min,
                    "to_min": to_min,
                    "holidays": holidays,
                    "by": "demo",
                }
            )
    return orders


def furnish(gateway_socket: Path, orders: list[dict[str, Any]]) -> bool:
    """Give the orders for what is not known yet. False: the gateway is not there, ask again."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(ANSWER_S)
            line.connect(str(gateway_socket))
            words = line.makefile("rw", encoding="utf-8", newline="\n")
            words.write(json.dumps({"id": "hello", "order": "hello", "who": "virtual"}) + "\n")
            words.flush()
            snapshot: dict[str, Any] = {}
            while snapshot.get("fact") != "Snapshot":
                snapshot = json.loads(words.readline())
            zones = {zone["zone_id"] for zone in snapshot["zones"]}
            known = {one["device_id"] for one in snapshot["devices"] if one["kind"] != "unclaimed"}
            ours = {order["device_id"] for order in orders if "device_id" in order}
            for number, order in enumerate(orders):
                if order["order"] == "put_person" and _button_of(order["person_id"]) in known:
                    continue
                if order["order"] in ("put_helper", "put_shift", "put_map") and ours & known:
                    continue
                if order.get("zone_id") in zones and order["order"] == "define_zone":
                    continue
                if order.get("device_id") in known:
                    continue
                words.write(json.dumps({"id": number, **order}, ensure_ascii=False) + "\n")
                words.flush()
                answer: dict[str, Any] = {}
                while answer.get("re") != number:
                    answer = json.loads(words.readline())
    except (OSError, ValueError, KeyError):
        return False
    return True
