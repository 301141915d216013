"""What the kitchen's paper says: a slip for each meal, a slip that takes one back, the list of a meal by dish and
building. Pure. For the cook and for whoever carries it: dish, portions, door, name, price; nothing of anybody's health.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from devices.plan import Hall
from gateway.hall.meals import MEALS

Json = dict[str, Any]


def door_of(order: Mapping[str, Any]) -> str:
    """Where the meal is to be brought: the person's place, else the button's."""
    parts = (("building", "栋"), ("unit", "单元"), ("room", ""))
    said = ((str(order[name]), word) for name, word in parts if order.get(name))
    spelled = "".join(value if value.endswith(word) else value + word for value, word in said)  # "3" and "3栋"
    return str(order.get("place") or spelled or order.get("call_place") or order.get("device_id") or "")


def name_of(order: Mapping[str, Any]) -> str:
    return str(order.get("name") or order.get("call_person") or "")


def price(order: Mapping[str, Any]) -> str:
    """ "12.00 元"; a meal that costs nothing says so, so that nobody asks at the door."""
    fen = int(order["price_fen"])
    return "不收费" if fen == 0 else f"{fen // 100}.{fen % 100:02d} 元"


def compose(hall: Hall, order: Mapping[str, Any], zone: tzinfo, *, cancelled: bool) -> Json:
    """One meal's slip, or the slip that takes it back."""
    meal = MEALS.get(str(order["meal"]), (str(order["meal"]), ""))[0]
    at_ms = int(order["changed_ms"] if cancelled else order["ordered_ms"])
    head = "退餐" if cancelled else "订餐"
    blocks: list[Json] = [
        _text(hall.name_zh, align="center", bold=True),
        _text(f"{head} {order['call_id']} 号", size=3, align="center", bold=True),
        _text(f"{order['day']} {meal}", size=2, align="center"),
        {"t": "rule"},
        _text(f"{order['dish']} × {order['portions']}", size=2, bold=True),
        {"t": "rule"},
        _text(door_of(order), size=2, bold=True),
    ]
    if name_of(order):
        blocks.append(_text(name_of(order), size=2))
    blocks += [
        {"t": "pair", "left": "价格", "right": price(order)},
        {"t": "pair", "left": "退餐时间" if cancelled else "订餐时间", "right": _clock(at_ms, zone)},
    ]
    if cancelled:
        blocks.append(_text("这一份不要做；已做好的请告诉服务台", bold=True))
    blocks += [{"t": "feed", "lines": 2}, {"t": "cut"}]
    return _slip(f"{head} {order['call_id']} 号", blocks)


def listed(orders: Iterable[Mapping[str, Any]]) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """Dish → portions, and by building: [(dish, portions, [(building, portions), …]), …]; the most wanted first."""
    dishes: dict[str, dict[str, int]] = {}
    for one in orders:
        if one["state"] in ("ordered", "delivered", "over"):
            houses = dishes.setdefault(str(one["dish"]), {})
            house = str(one.get("building") or "") or door_of(one)
            houses[house] = houses.get(house, 0) + int(one["portions"])
    found = [(dish, sum(houses.values()), sorted(houses.items())) for dish, houses in dishes.items()]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def compose_list(
    hall: Hall, day: str, meal: str, orders: Iterable[Mapping[str, Any]], now_ms: int, zone: tzinfo
) -> Json:
    """The list of one meal: dish × portions, by building, and the sum."""
    dishes = listed(orders)
    blocks: list[Json] = [
        _text(hall.name_zh, align="center", bold=True),
        _text(f"{day} {MEALS.get(meal, (meal, ''))[0]}", size=2, align="center", bold=True),
        {"t": "pair", "left": "打印时间", "right": _clock(now_ms, zone)},
    ]
    for dish, portions, houses in dishes:
        blocks += [{"t": "rule"}, _text(f"{dish} × {portions}", size=2, bold=True)]
        blocks += [{"t": "pair", "left": _house(house), "right": f"{count} 份"} for house, count in houses]
    total = sum(portions for _, portions, _ in dishes)
    blocks += [
        {"t": "rule"},
        _text(f"共 {total} 份", size=2, bold=True),
        {"t": "feed", "lines": 2},
        {"t": "cut"},
    ]
    return _slip(f"{day} {MEALS.get(meal, (meal, ''))[0]} 汇总", blocks)


def _house(building: str) -> str:
    return f"{building} 栋" if building.isdecimal() else building or "未写楼栋"


def _slip(title: str, blocks: list[Json]) -> Json:
    return {"v": 1, "kind": "kitchen", "title": title, "copy_of": None, "blocks": blocks}


def _clock(at_ms: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, zone):%m-%d %H:%M}"


def _text(text: str, *, size: int = 1, align: str = "left", bold: bool = False) -> Json:
    return {"t": "text", "text": text, "size": size, "align": align, "bold": bold}
