"""Who lives in the demo hall: invented people, places and bays, told to the gateway by order at first start.

The same orders the console gives. What staff have changed since is left alone: only devices that nobody has
claimed are claimed.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

_HOMES = (
    ("3栋1单元302", "张奶奶", "emergency"),
    ("3栋2单元101", "李爷爷", "emergency"),
    ("5栋1单元504", "王婆婆", "emergency"),
    ("2栋1单元201", "赵爷爷", "meal"),
    ("7栋3单元102", "陈奶奶", "repair"),
    ("1栋2单元603", "刘爷爷", "company"),
)
_ZONES = (("east", "东区", "East"), ("west", "西区", "West"))

#: The gateway answers in milliseconds; if it is not there yet we are called again.
ANSWER_S = 2.0


def button_id(number: int) -> str:
    return f"btn-{number:02d}"


def bay_id(number: int) -> str:
    """Odd ones in the east, even ones in the west: east-01, west-01, east-02 …"""
    return f"{_ZONES[(number - 1) % 2][0]}-{(number + 1) // 2:02d}"


def claims(buttons: int, bays: int) -> list[dict[str, Any]]:
    """The orders that furnish the demo hall."""
    orders: list[dict[str, Any]] = [
        {"order": "define_zone", "zone_id": zone, "name_zh": zh, "name_en": en, "by": "demo"}
        for zone, zh, en in (_ZONES if bays else ())
    ]
    for number in range(1, buttons + 1):
        place, person, kind = _HOMES[(number - 1) % len(_HOMES)]
        if number > len(_HOMES):
            place, person = f"{8 + number // 10}栋1单元{number % 10 + 1}01", ""
        orders.append(
            {
                "order": "claim_device",
                "device_id": button_id(number),
                "kind": "call_button",
                "name": place,
                "place": place,
                "person": person,
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
            for number, order in enumerate(orders):
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
