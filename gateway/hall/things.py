"""What is known of devices. Lives here: who spoke, who fell silent, who belongs to whom.

Rule 1. A device nobody knows is shown as "unclaimed"; its presses alarm all the same.
Rule 2. Being seen is kept in memory; only what a person would want to know (new, silent, offline, battery
        low, back again) is a change.
Rule 3. A claim ties a device to a name, a place, a person or a bay; it is an order, and it is journalled.
        Where it is tied to somebody in the table of people (``person_id``), name and place come from there; without,
        they are the words that staff type.
Rule 4. How long a device may be silent is supervision.py, what its battery needs upkeep.py, who answers for it
        answering.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from devices.faults import OrderRefused
from devices.messages import DeviceSeen
from gateway.hall import answering, bays, gates, upkeep
from gateway.hall.fields import Fields, fit
from gateway.hall.kinds import kinds
from gateway.hall.parking_rows import Entrance
from gateway.hall.people import place_of
from gateway.hall.rows import Person, RowGone
from gateway.hall.state import Decision, Device, DeviceKind, HallState, JournalLine, Zone
from gateway.hall.supervision import BOUGHT_EVERY_MS, judged

#: Our own devices promise a word a minute unless they say otherwise (docs/protocol.md).
OWN_EVERY_MS = 60_000
#: More unclaimed devices than this are not listed (their presses still alarm): a compound has some hundreds of
#: devices, a broken bridge that invents names has no end.
MOST_UNCLAIMED = 2000

_KINDS: tuple[DeviceKind, ...] = (
    "call_button",
    "bay_sensor",
    "hall_button",
    "companion",
    "gate_counter",
    "site_feed",
    "unclaimed",
    "ignored",
)
_DEVICE_ID = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.:-]{0,63}")


def seen(state: HallState, fact: DeviceSeen, now_ms: int, every_ms: int | None = None) -> Decision:
    """A device spoke (or its broker said that it has gone)."""
    decision = Decision()
    old = state.devices.get(fact.device_id)
    if old is None:
        if sum(one.kind == "unclaimed" for one in state.devices.values()) >= MOST_UNCLAIMED:
            return decision
        new = Device(
            fact.device_id,
            "unclaimed",
            now_ms,
            now_ms,
            every_ms or (OWN_EVERY_MS if fact.family == "linli" else BOUGHT_EVERY_MS),
            family=fact.family,
            model=fact.model,
            name="",
            battery_pct=fact.battery_pct,
        )
        new = judged(new, fact, None, now_ms)
        decision.changes += [
            new,
            JournalLine(now_ms, "DeviceAppeared", f"device:{new.device_id}", "", fact.family),
        ]
        return decision
    after = replace(
        old,
        last_seen_ms=old.last_seen_ms if fact.offline else now_ms,
        family=old.family or fact.family,
        model=old.model or fact.model,
        every_ms=every_ms or old.every_ms,
        battery_pct=fact.battery_pct if fact.battery_pct is not None else old.battery_pct,
    )
    care, cared = upkeep.battery(state, after, fact, now_ms)
    after = judged(after, fact, care, now_ms)
    decision.changes += cared
    told = (after.health, after.every_ms, after.model, after.family, after.why_en)
    if told == (old.health, old.every_ms, old.model, old.family, old.why_en):
        decision.quiet.append(after)
    else:
        decision.changes.append(after)
        if after.health != old.health:
            decision.changes.append(
                JournalLine(now_ms, "DeviceHealth", f"device:{after.device_id}", "", after.health)
            )
    return decision


def claimed(state: HallState, order: Mapping[str, object], now_ms: int) -> Decision:
    """A device is tied to a name, a place, a person, a bay. Fields that are not given stay as they are."""
    device_id = _word(order, "device_id") or ""
    if not _DEVICE_ID.fullmatch(device_id):
        raise OrderRefused("缺少设备编号", "device_id is missing")
    old = state.devices.get(device_id)
    kind = _word(order, "kind") or (old.kind if old else "")
    if kind not in _KINDS or kind == "unclaimed":
        known_kinds = ", ".join(one for one in _KINDS if one not in ("hall_button", "unclaimed"))
        raise OrderRefused("请选择设备类型", f"kind must be one of {known_kinds}")
    call_kind = _word(order, "call_kind") or (old.call_kind if old else "emergency")
    known = kinds(state).get(call_kind)
    if known is None:
        raise OrderRefused(f"没有“{call_kind}”这种呼叫", f"there is no kind of call {call_kind!r}")
    if not known.enabled and (old is None or old.call_kind != call_kind):
        raise OrderRefused(
            f"“{known.name_zh}”这种呼叫已停用", f"the kind of call {known.name_en!r} is not in use"
        )
    base = old or Device(
        device_id, "unclaimed", now_ms, now_ms, OWN_EVERY_MS if ":" not in device_id else BOUGHT_EVERY_MS
    )
    person_id = _given(order, "person_id", base.person_id) if kind == "call_button" else ""
    person = state.table(Person).get(person_id)
    if person_id and person_id != base.person_id and (person is None or not person.active):
        raise OrderRefused(
            "这位居民不在册，请重新选择", f"there is no active person {person_id!r}: choose again"
        )
    after = replace(
        base,
        kind=kind,
        call_kind=call_kind,
        name=_word(order, "name") or base.name or device_id,
        place=place_of(person) if person else _given(order, "place", base.place),
        person=person.name if person else _given(order, "person", base.person),
        person_id=person_id,
        model=_given(order, "model", base.model),
        bay_id=_word(order, "bay_id") or base.bay_id,
        zone_id=_word(order, "zone_id") or base.zone_id,
        lamp=kind == "call_button" and (":" not in device_id),
    )
    decision = Decision()
    if kind == "bay_sensor":
        for word in (after.bay_id, after.zone_id):
            if not word or not _NAME.fullmatch(word):
                raise OrderRefused("车位传感器要填车位号和区域", "a bay sensor needs a bay_id and a zone_id")
        assert after.bay_id and after.zone_id
        if after.zone_id == bays.UNCLAIMED_ZONE.zone_id:
            raise OrderRefused(
                "请选择车位所在的区域：“待认领”不是区域", "choose the bay's zone: “unclaimed” is none"
            )
        other = state.bays.get(after.bay_id)
        if (
            other is not None
            and other.device_id not in (device_id, after.bay_id)
            and other.device_id in state.devices
        ):
            raise OrderRefused(
                f"车位 {after.bay_id} 已经有传感器 {other.device_id}",
                f"bay {after.bay_id} already has the sensor {other.device_id}",
            )
        decision.changes += bays.placed(state, after.bay_id, after.zone_id, device_id, now_ms).changes
    decision.changes += bays.left(
        state, device_id, after.bay_id if kind == "bay_sensor" else None, decision, now_ms
    )
    if kind == "gate_counter":
        decision.changes += gates.claimed(state, after, now_ms)
    elif device_id in state.table(Entrance):
        decision.changes.append(RowGone(Entrance.TABLE, device_id))
    decision.changes.append(after)
    decision.changes.append(
        JournalLine(now_ms, "DeviceClaimed", f"device:{device_id}", _word(order, "by") or "", kind)
    )
    spoken = answering.claimed(state, Fields(order), after, now_ms)
    decision.changes += spoken.changes
    decision.effects += spoken.effects
    return decision


def zone_defined(
    state: HallState, zone_id: str, name_zh: str, name_en: str, by: str, now_ms: int
) -> Decision:
    """A zone gets its names (or other names)."""
    if not _NAME.fullmatch(zone_id):
        raise OrderRefused("区域编号只能用字母、数字和 - _", "zone_id: letters, digits, - and _ only")
    zone = state.zones.get(zone_id) or Zone(zone_id, zone_id, zone_id, since_ms=now_ms)
    after = replace(zone, name_zh=name_zh or zone.name_zh, name_en=name_en or zone.name_en)
    if after == state.zones.get(zone_id):
        return Decision()
    return Decision(changes=[after, JournalLine(now_ms, "ZoneDefined", f"zone:{zone_id}", by)])


def _word(order: Mapping[str, object], key: str) -> str | None:
    raw = order.get(key)
    if raw is None:
        return None
    if not isinstance(raw, str) or len(raw) > 200:
        raise OrderRefused(
            f"{key} 应为不超过 200 字的文字", f"{key} must be a text of at most 200 characters"
        )
    return fit(raw).strip() or None


def _given(order: Mapping[str, object], key: str, otherwise: str) -> str:
    return (_word(order, key) or "") if key in order else otherwise


def _claim(state: HallState, fields: Fields, now_ms: int) -> Decision:
    return claimed(state, fields.raw, now_ms)


def _define_zone(state: HallState, fields: Fields, now_ms: int) -> Decision:
    names = fields.text("name_zh", ""), fields.text("name_en", "")
    return zone_defined(state, fields.text("zone_id"), *names, fields.text("by", ""), now_ms)


ORDERS = {"claim_device": _claim, "define_zone": _define_zone}
