"""`linli devices`: the walk list. Which devices need somebody, where they are, and what is to be done there."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from devices.clock import wall_ms
from gateway import views
from gateway.hall.supervision import for_long
from gateway.house import open_house
from gateway.notebook import open_reader

#: What is to be done: trouble → (Chinese, English). "" is nothing.
TODO = {
    "fault": ("去看设备", "look at the device"),
    "offline": ("查电源和网络", "check its power and network"),
    "silent": ("查电池和信号", "check its battery and signal"),
    "path": ("先修网关", "mend its gateway first"),
    "battery_overdue": ("换电池（已超期）", "change its battery (overdue)"),
    "low_battery": ("换电池", "change its battery"),
    "test_due": ("做每月测试", "make the monthly test call"),
    "": ("", ""),
}


def walk_list(hall_file: str | None, *, everything: bool = False) -> int:
    """Print it, worst first. Reads the notebook only: the hall may run or stand still."""
    house = open_house(hall_file)
    connection = open_reader(house.gateway_db)
    try:
        fleet: list[dict[str, Any]] = [dict(one) for one in views.fleet(connection, _now_ms())]
    finally:
        connection.close()
    listed = fleet if everything else [one for one in fleet if one["trouble"]]
    zone = ZoneInfo(house.plan.hall.timezone)
    for number, one in enumerate(listed, 1):
        print(_line(number, one, zone))
    well = sum(not one["trouble"] for one in fleet)
    print(
        f"{len(fleet)} 个设备，{len(fleet) - well} 个要去看 | {len(fleet)} devices, {len(fleet) - well} need somebody"
    )
    return 0


def _line(number: int, one: dict[str, Any], zone: ZoneInfo) -> str:
    mark = "✗" if one["trouble"] else "✓"
    where = " · ".join(word for word in (one["place"], one["person"], one["name"]) if word)
    seen = datetime.fromtimestamp(one["last_seen_ms"] / 1000, zone)
    battery = "" if one["battery_pct"] is None else f" {one['battery_pct']:.0f}%"
    zh, en = TODO.get(one["trouble"], TODO["fault"])
    silent_zh, silent_en = for_long(one["deadline_ms"]) if one["deadline_ms"] else (" 不限", "no limit")
    lines = [f"{mark} {number:3d}. {where or one['device_id']}  ({one['device_id']}){battery}"]
    lines.append(
        f"       最后消息 {seen:%m-%d %H:%M}，时限{silent_zh} | last heard {seen:%m-%d %H:%M}, limit {silent_en}"
    )
    if one["trouble"]:
        why = f"：{one['why_zh']}" if one["why_zh"] else ""
        why_en = f": {one['why_en']}" if one["why_en"] else ""
        lines.append(f"       → {zh}{why} | {en}{why_en}")
    return "\n".join(lines)


def _now_ms() -> int:
    return wall_ms()
