"""`linli devices`: the walk list. Which devices need somebody, where they are, and what is to be done there."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from devices.clock import wall_ms
from gateway import views, views_fleet
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


def walk_list(hall_file: str | None, *, everything: bool = False, by_place: bool = False) -> int:
    """Print it, worst first. Reads the notebook only: the hall may run or stand still.

    ``by_place``: in the order of the walk, with what each device says of itself.
    """
    house = open_house(hall_file)
    connection = open_reader(house.gateway_db)
    try:
        ask = views_fleet.walk if by_place else views.fleet
        fleet: list[dict[str, Any]] = [dict(one) for one in ask(connection, _now_ms())]
    finally:
        connection.close()
    wanted = views_fleet.shown(fleet, "todo") if by_place else [one for one in fleet if one["trouble"]]
    listed = fleet if everything else wanted
    zone = ZoneInfo(house.plan.hall.timezone)
    for number, one in enumerate(listed, 1):
        print(_line(one["stop"] if by_place else number, one, zone))
        if by_place:
            print(_vitals(one, zone))
    well = len(fleet) - len(wanted)
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


#: How a battery goes: trend → (Chinese, English).
TREND = {"steady": ("平稳", "steady"), "falling": ("在降", "falling"), "fast": ("降得快", "falling fast")}


def _vitals(one: dict[str, Any], zone: ZoneInfo) -> str:
    """What it says of itself, in one line: figures once, the words about them in both languages."""

    def said(name: str, unit: str) -> str:
        return "–" if one[name] is None else f"{one[name]:g} {unit}"

    judged = [TREND[one["battery_trend"]]] if one["battery_trend"] else []
    judged += [("电量低", "battery low")] if one["low"] else []
    judged += [("信号弱", "weak signal")] if one["weak"] else []
    judged += [("温度存疑", "temperature in doubt")] if one["odd"] else []
    if one["service_ms"]:
        day = f"{datetime.fromtimestamp(one['service_ms'] / 1000, zone):%Y-%m-%d}"
        judged.append((f"下次保养 {day}", f"next service {day}"))
    figures = [said("battery_mv", "mV"), said("rssi_dbm", "dBm"), said("snr_db", "dB"), said("temperature_c", "°C")]
    where = f"{one['zone'] or '–'} {one['label']}"
    words = f": {'、'.join(zh for zh, _ in judged)} | {', '.join(en for _, en in judged)}" if judged else ""
    return f"       {where} · {' · '.join(figures)} · fw {one['firmware'] or '–'}{words}"


def _now_ms() -> int:
    return wall_ms()
