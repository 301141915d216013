"""Devices are looked after: who has fallen silent, who is not well, which path is broken.

Rule 1. A fault is told within a minute of its deadline, and only when something has changed. Trouble never outranks a
        call: a fault is no call, and every kind of call comes before ``TROUBLE_PRIORITY`` (UL 2560: emergency, routine,
        trouble).
Rule 2. The deadline of a device is its own promise, else its model's, else what staff have set (``Care``).
Rule 3. What stands behind a broken path is not called silent: the path is one fault, said once.

Batteries and test calls are upkeep.py.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from devices.faults import OrderRefused
from devices.messages import DeviceSeen, PathSeen
from gateway.hall import presses
from gateway.hall.fields import Fields
from gateway.hall.rows import Care, Path, RowGone
from gateway.hall.state import Decision, Device, DeviceKind, HallState, Health, JournalLine

_MIN, _H, _D = 60_000, 3_600_000, 24 * 3_600_000

#: After every kind of call (a kind's priority is 0 to 6).
TROUBLE_PRIORITY = 9
#: Those that are looked after: somebody relies on them.
CARED: frozenset[DeviceKind] = frozenset(
    {"call_button", "bay_sensor", "companion", "gate_counter", "site_feed"}
)

#: Bridges and radio gateways that are looked after. A compound has a handful; who invents names gets no further.
MOST_PATHS = 64

#: How often a device must speak when nobody knows better: three times this is 37 h, see ``_DEADLINES``.
BOUGHT_EVERY_MS = 37 * _H // 3
#: A whole site's feed is said anew every one to five minutes (five of the city feeds that were looked at): three times
#: that. Its number is on a panel.
FEED_SILENT_MS = 15 * _MIN
#: A bay that a platform speaks for: its sensor beats once a day. Of the city feeds that were looked at, 16 and 54 % of
#: the bays had not been heard for longer and were shown as taken all the same.
BAY_OF_FEED_SILENT_MS = 25 * _H
_OF_CITIES = frozenset({"ngsi", "generic_json", "http_push"})
#: A device that promises an interval is silent after three of them: one lost message is weather, three are a fault.
MISSED = 3

_LORAWAN = frozenset({"chirpstack_v4", "ttn_v3", "raw_lorawan"})
_PENDANTS = re.compile(
    r"abeeway|micro.?tracker|compact.?tracker|badge|\blw00[1-8]|\bh7\b|trackerd|t1000|oyster|pendant|sos.?watch"
)
#: family, model → how long it may be silent. 0: its silence means nothing, its last will tells, or a test call.
_DEADLINES: tuple[tuple[frozenset[str], re.Pattern[str], int], ...] = (
    # zigbee2mqtt calls a battery device offline after 25 h (its "availability" page: 1500 min).
    (frozenset({"zigbee2mqtt"}), re.compile(""), 25 * _H),
    # Parking. Bosch TPS: a heartbeat once a day (its communication interface, 0.29): a day and an hour. One that is
    # lost makes its bay unknown for a day, and that is what it is.
    (_LORAWAN, re.compile(r"\btps|parking.?lot.?sensor"), 25 * _H),
    # Libelium Smart Parking: a keep-alive every 2 h by day, 3 h by night (its technical guide): twice that and an hour.
    (_LORAWAN, re.compile(r"smart.?parking|libelium"), 2 * 3 * _H + _H),
    # Milesight's ultrasound sensors report every 10 min (EM310-UDL, EM400-MUD guides); some are lost: an hour.
    (_LORAWAN, re.compile(r"em310|em400|em500"), _H),
    # Pendants and trackers: 72 h, the 18 missed signs of life of 4 h each of Tunstall's manuals.
    (_LORAWAN, _PENDANTS, 72 * _H),
    # Milesight's buttons report every 18 h (WS101/WS136 user guide): twice that and an hour.
    (_LORAWAN, re.compile(r"ws1\d\d"), 2 * 18 * _H + _H),
    # Netvox: Max Interval 3600 s by default (R311/R313 user manuals): twice that and an hour.
    (_LORAWAN, re.compile(r"\br\d{3}|\brb02|\bra\d\d"), 2 * _H + _H),
    # 433 MHz remotes say nothing until they are pressed: only a test call finds a dead one.
    (frozenset({"rtl_433"}), re.compile(""), 0),
    # ESPHome says nothing for days while all is well; its last will (birth and will message) tells when it has gone.
    (frozenset({"esphome"}), re.compile(""), 0),
    # Tasmota has a last will, too, and says its state every 300 s unless somebody has turned that off.
    (frozenset({"tasmota"}), re.compile(""), 25 * _H),
    (frozenset({"generic_json", "wearable"}), re.compile(""), 72 * _H),
)

#: Faults that can be said more plainly.
FAULT_WORDS = {
    "no_echo": (
        "测不到距离（没有回波）：请看探头有没有被挡住、结霜或歪了",
        "it measures no distance (no echo): is its probe covered, frosted or askew?",
    ),
    "unread": (
        "它在说话，但 Linli 看不懂：请技术员在认领里写对型号；还不行，看日志 HALL_EVENT=unread",
        "it speaks, and Linli cannot read it: have its model named at the claim; else see HALL_EVENT=unread in the log",
    ),
}
#: Below this a battery is "low": zigbee2mqtt's and the vendors' common limit.
LOW_BATTERY_PCT = 20
#: A cell of 3 V is low at 2.4 V (Netvox user manuals, "Low Voltage 2.4V"); nominal 3.6 V and more hold theirs until
#: just before the end, so that a reading below this is late but never wrong.
LOW_MV = 2_400


# ---------------------------------------------------------------- silence


def deadline_ms(device: Device, care: Care | None) -> int:
    """How long it may be silent before that is a fault; 0: for ever."""
    if care is not None and care.silent_after_ms:
        return care.silent_after_ms
    if device.kind == "site_feed":
        return FEED_SILENT_MS
    if device.kind == "bay_sensor" and device.family in _OF_CITIES:
        return BAY_OF_FEED_SILENT_MS
    return _deadline_of(device.family, device.model, device.device_id, device.every_ms)


@lru_cache(maxsize=4096)
def _deadline_of(family: str, model: str, device_id: str, every_ms: int) -> int:
    if every_ms != BOUGHT_EVERY_MS or family in ("linli", "gpio"):
        return MISSED * every_ms  # it has promised an interval (a pin: none)
    if "433" in device_id:
        return 0
    small = model.lower()
    for families, models, deadline in _DEADLINES:
        if family in families and models.search(small):
            return deadline
    return MISSED * every_ms


def fell_silent(device: Device, now_ms: int, after_ms: int = 0) -> Decision:
    """The device has said nothing for longer than it may."""
    if device.health in ("silent", "offline"):
        return Decision()
    zh, en = for_long(after_ms or MISSED * device.every_ms)
    after = replace(
        device,
        health="silent",
        why_zh=f"{zh}没有消息：请查看电池和信号",
        why_en=f"nothing heard for {en}: check its battery and signal",
    )
    return Decision(
        changes=[after, JournalLine(now_ms, "DeviceHealth", f"device:{device.device_id}", "", "silent")]
    )


def for_long(ms: int) -> tuple[str, str]:
    """A time as people say it, in Chinese and English."""
    if ms < 2 * _H:
        minutes = max(1, ms // _MIN)
        return f" {minutes} 分钟", f"{minutes} min"
    if ms < 3 * _D:
        return f" {ms // _H} 小时", f"{ms // _H} h"
    return f" {ms // _D} 天", f"{ms // _D} days"


# ---------------------------------------------------------------- health and battery


def judged(device: Device, fact: DeviceSeen | None, care: Care | None, now_ms: int) -> Device:
    """How it is, by its last word and by what is remembered of it."""
    health: Health = "ok"
    why = ("", "")
    if fact is not None and fact.offline:
        health = "offline"
        why = ("设备已离线：请查看电源和网络", "it has gone offline: check its power and network")
    elif fact is not None and fact.fault:
        named = "" if fact.fault in ("fault", "true") else fact.fault
        health = "fault"
        why = ("设备报告故障：请去看一下", f"it reports a fault: go and look ({named or 'not named'})")
        why = FAULT_WORDS.get(fact.fault, why)
    elif care is not None and care.fault == presses.STUCK:
        health, why = "fault", presses.STUCK_WHY
    elif care is not None and care.fault and care.fault != "battery_overdue":
        health = "fault"
        why = (f"设备有故障（{care.fault}）：请去看一下", f"it has a fault ({care.fault}): go and look")
    elif care is not None and care.battery_low_ms:
        health = "low_battery"
        level_zh, level_en = _level(device.battery_pct)
        if care.fault == "battery_overdue":
            zh, en = for_long(max(0, now_ms - care.battery_low_ms))
            why = (
                f"电池低了{zh}，超期未换{level_zh}：今天就去换",
                f"battery low for {en} and not changed{level_en}: change it today",
            )
        else:
            why = (f"电池快没电了{level_zh}：请换电池", f"battery low{level_en}: change it")
    elif device.battery_pct is not None and device.battery_pct <= LOW_BATTERY_PCT:
        health = "low_battery"
        pct = f"{device.battery_pct:.0f}"
        why = (f"电量只剩 {pct}%：请换电池", f"battery {pct} %: change it")
    return replace(device, health=health, why_zh=why[0], why_en=why[1])


def _level(pct: float | None) -> tuple[str, str]:
    return ("", "") if pct is None else (f"（{pct:.0f}%）", f" ({pct:.0f} %)")


# ---------------------------------------------------------------- paths


def path_seen(state: HallState, fact: PathSeen, now_ms: int) -> Decision:
    """A bridge or radio gateway came or went."""
    wanted = "up" if fact.up else "down"
    old = state.table(Path).get(fact.path_id)
    if old is not None and old.state == wanted:
        return Decision()
    if old is None and len(state.table(Path)) >= MOST_PATHS:
        return Decision()
    after = Path(fact.path_id, wanted, now_ms)
    if old is None and fact.up:
        return Decision(changes=[after])
    event = "PathUp" if fact.up else "PathDown"
    return Decision(changes=[after, JournalLine(now_ms, event, f"path:{fact.path_id}")])


def path_words(path_id: str) -> tuple[str, str]:
    """What staff are told when this path is down."""
    if path_id.startswith("lorawan:"):
        which = path_id.removeprefix("lorawan:")
        return (
            f"LoRaWAN 网关 {which} 没有消息：它覆盖的按钮可能收不到；请检查网关的电源和网线",
            f"the LoRaWAN gateway {which} is not heard: buttons in its reach may not be; check its power and network",
        )
    return (
        f"Zigbee 网桥 {path_id} 离线：它的按钮现在收不到；请检查 zigbee2mqtt 和 USB 接收器",
        f"the Zigbee bridge {path_id} is offline: its buttons are not heard; check zigbee2mqtt and its USB stick",
    )


def _forget_path(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """A gateway that was taken away for good."""
    path_id = fields.name("path_id")
    if path_id not in state.table(Path):
        raise OrderRefused(f"没有网关 {path_id}", f"there is no gateway {path_id}")
    return Decision(
        changes=[
            RowGone(Path.TABLE, path_id),
            JournalLine(now_ms, "PathForgotten", f"path:{path_id}", fields.text("by", "")),
        ]
    )


ORDERS = {"forget_path": _forget_path}
