"""Residents for whom somebody cares, and the helpers who come. Lives here: the orders that write them down.

Rule 1. Fields that are not given stay as they are; the same order again changes nothing and leaves no line.
Rule 2. The journal names rows by their ids and says which fields changed, never what stands in them.
Rule 3. Medical notes are seen only after the look has been written down (``look_at_medical``).
Rule 4. A device that is tied to a person shows that person's name and place, also when they change.
Rule 5. A list from a file is one order and one transaction: all of it, or nothing and the line that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from devices.faults import OrderRefused
from gateway.hall import rostering
from gateway.hall.fields import Fields, fit
from gateway.hall.reading import Names, Reader, changed
from gateway.hall.rows import ROLES, Helper, Person, Row, RowGone, Shift, Substitution, Visit
from gateway.hall.state import Change, Decision, HallState, JournalLine, PersonErased

#: How often somebody is to be visited (the ministries' guideline of 2022): word → (Chinese, English).
TIERS: dict[str, tuple[str, str]] = {
    "none": ("不定期", "Not regularly"),
    "weekly": ("每周", "Weekly"),
    "monthly": ("每月", "Monthly"),
    "quarterly": ("每季度", "Quarterly"),
}
#: As the form and the first line of a file call them.
PERSON_NAMES: Names = {
    "person_id": ("编号", "Id"),
    "name": ("姓名", "Name"),
    "phone": ("电话", "Telephone"),
    "grid": ("网格", "Grid"),
    "building": ("楼栋", "Building"),
    "unit": ("单元", "Unit"),
    "room": ("房号", "Flat"),
    "place": ("地址说法", "Address as said"),
    "access": ("怎么进门", "How to get in"),
    "key_holder": ("谁有钥匙", "Key holder"),
    "key_holder_phone": ("钥匙电话", "Key holder's telephone"),
    "family": ("家属", "Family"),
    "family_phone": ("家属电话", "Family's telephone"),
    "medical": ("健康备注", "Medical notes"),
    "note": ("备注", "Note"),
    "visit_tier": ("探访", "Visits"),
    "quiet_after_h": ("多少小时没动静就探访", "Visit after so many quiet hours"),
    "paused_until_ms": ("暂停到", "Paused until"),
    "paused_why": ("暂停原因", "Paused because"),
    "meal_free": ("餐费免", "Meals free"),
    "active": ("在册", "On the list"),
}
HELPER_NAMES: Names = {
    "helper_id": ("编号", "Id"),
    "name": ("姓名", "Name"),
    "role": ("角色", "Role"),
    "phone": ("电话", "Telephone"),
    "grid": ("网格", "Grid"),
    "building": ("楼栋", "Building"),
    "unit": ("单元", "Unit"),
    "account": ("工作台账号", "Console account"),
    "channels": ("通知方式", "Channels"),
    "active": ("在岗", "Active"),
}

#: As apprise spells an address ("wecombot://…"), or a number for the hall's own modem.
_CHANNEL = re.compile(r"sms:\+?[0-9]{5,15}|(?!sms:)[a-z][a-z0-9+.-]{1,30}://\S{1,490}")
MOST_CHANNELS = 8
#: The most rows of one list. A neighbourhood committee cares for some hundred. Deciding takes 40 microseconds a person
#: with the visits, with the writing it is 150 (2000 new ones in 0.3 s, measured on a desk machine); a press waits.
MOST_ROWS = 2000
#: Thirty days: what is quiet for longer is no longer news.
QUIET_MOST_H = 720


def place_of(person: Person) -> str:
    """The address as staff say it."""
    return person.place or f"{person.building}{person.unit}{person.room}"


def person_put(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """``new``: somebody who is not on the list yet. The same words again are the same person; nobody is overwritten."""
    key = Reader(fields, None, PERSON_NAMES).key("person_id")
    old = state.table(Person).get(key)
    read = Reader(fields, old, PERSON_NAMES)
    new = Person(
        person_id=key,
        name=read.words("name", 40, needed=True),
        phone=read.phone("phone"),
        grid=read.place("grid"),
        building=read.place("building"),
        unit=read.place("unit"),
        room=read.place("room"),
        place=read.words("place", 80),
        access=read.words("access", 300, lines=True),
        key_holder=read.words("key_holder", 60),
        key_holder_phone=read.phone("key_holder_phone"),
        family=read.words("family", 60),
        family_phone=read.phone("family_phone"),
        medical=read.words("medical", 1000, lines=True),
        note=read.words("note", 500, lines=True),
        visit_tier=read.choice("visit_tier", TIERS, "none"),
        quiet_after_h=read.number("quiet_after_h", 0, QUIET_MOST_H),
        paused_until_ms=read.number("paused_until_ms", 0, 2**53),
        paused_why=read.words("paused_why", 80),
        meal_free=read.flag("meal_free", False),
        active=read.flag("active", True),
        since_ms=old.since_ms if old else now_ms,
    )
    if fields.flag("new") and old is not None and new != old:
        raise OrderRefused(
            "这位居民已经在册，没有改动。请在“居民”页修改",
            "this resident is on the list already, nothing was changed: edit them on the page “Residents”",
        )
    decision = _put(old, new, "Person", f"person:{key}", fields, now_ms)
    if old is not None and (old.name, place_of(old)) != (new.name, place_of(new)):
        decision.changes += [
            replace(device, person=new.name, place=place_of(new))
            for device in state.devices.values()
            if device.person_id == key
        ]
    return decision


def person_dropped(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """What is known of this person goes from gateway.db, as the law wants it for who asks: the row, and name, place and
    notes of all their closed calls and visits. History keeps the id, and that something happened, when and who came.

    What stays: what a device is called ("302 床头") in the calls it made; calls that were never tied to this person by
    its id; the kitchen's slips (kiosk.db), and the backups that were made before.
    """
    key = fields.name("person_id")
    person = state.table(Person).get(key)
    if person is None:
        return Decision()
    tied = [device.name or device.device_id for device in state.devices.values() if device.person_id == key]
    if tied:
        raise OrderRefused(
            f"{person.name} 家还有设备：{'、'.join(tied[:5])}。请先在“设备”页解除登记",
            f"{person.name} still has devices: {', '.join(tied[:5])}. Untie them on the page “Devices” first",
        )
    if any(call.person_id == key and call.state != "CLOSED" for call in state.calls.values()):
        raise OrderRefused(
            f"{person.name} 有呼叫还没办结", f"a call of {person.name} is still open: close it first"
        )
    decision = _gone(Person.TABLE, key, "PersonDropped", f"person:{key}", fields, now_ms)
    # Open visits become void with this (hall/caring.py), from what stands here.
    decision.changes += [
        replace(visit, note="")
        for visit in state.table(Visit).values()
        if visit.person_id == key and visit.note
    ]
    decision.changes.append(PersonErased(key))
    return decision


def medical_seen(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """Somebody is about to read medical notes. ``call_id``: for which call, 0 for none."""
    key, call_id = fields.name("person_id"), fields.number("call_id", 0)
    if key not in state.table(Person):
        raise OrderRefused("没有这位居民", f"there is no person {key!r}")
    why = f"call:{call_id}" if call_id else ""
    return Decision(changes=[JournalLine(now_ms, "MedicalSeen", f"person:{key}", fields.name("by"), why)])


def helper_put(state: HallState, fields: Fields, now_ms: int) -> Decision:
    key = Reader(fields, None, HELPER_NAMES).key("helper_id")
    old = state.table(Helper).get(key)
    read = Reader(fields, old, HELPER_NAMES)
    new = Helper(
        helper_id=key,
        name=read.words("name", 40, needed=True),
        role=read.choice("role", ROLES, ""),
        phone=read.phone("phone"),
        grid=read.place("grid"),
        building=read.place("building"),
        unit=read.place("unit"),
        account=read.words("account", 32),
        channels=_channels(read, fields, old),
        active=read.flag("active", True),
    )
    return _put(old, new, "Helper", f"helper:{key}", fields, now_ms)


def helper_dropped(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """Helper, shifts and substitutions go together: nothing may name somebody who is not there."""
    key = fields.name("helper_id")
    if key not in state.table(Helper):
        return Decision()
    decision = _gone(Helper.TABLE, key, "HelperDropped", f"helper:{key}", fields, now_ms)
    decision.changes += [
        RowGone(Shift.TABLE, one.key) for one in state.table(Shift).values() if one.helper_id == key
    ]
    decision.changes += [
        RowGone(Substitution.TABLE, one.key)
        for one in state.table(Substitution).values()
        if key in (one.helper_id, one.by_helper_id)
    ]
    return decision


def _channels(read: Reader, fields: Fields, old: Helper | None) -> tuple[str, ...]:
    if "channels" not in fields:
        return old.channels if old else ()
    raw = fields.raw["channels"]
    if not isinstance(raw, list | tuple) or not all(isinstance(one, str) for one in raw):
        raise read.wrong("channels", "应为列表，一行一个", "must be a list, one a line")
    channels = tuple(dict.fromkeys(one.strip() for one in raw if one.strip()))
    if len(channels) > MOST_CHANNELS:
        raise read.wrong("channels", f"最多 {MOST_CHANNELS} 个", f"at most {MOST_CHANNELS}")
    for one in channels:
        if not _CHANNEL.fullmatch(one):
            # An address may hold a secret: only its beginning is said back.
            said = fit(one[:16])
            raise read.wrong(
                "channels",
                f"“{said}…”看不懂。短信写 sms:13800138000，其他写 wecombot://… 这样的地址",
                f"“{said}…” is no address: sms:13800138000, or one like wecombot://…",
            )
    return channels


# ---------------------------------------------------------------- many at once

_PUT: Mapping[str, Callable[[HallState, Fields, int], Decision]] = {
    "people": person_put,
    "helpers": helper_put,
    "shifts": rostering.shift_put,
    "holidays": rostering.holiday_put,
}


def many_put(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """``rows`` of one ``table``, all or none. The line that is wrong is named."""
    rule = _PUT[fields.choice("table", _PUT)]
    rows = fields.raw.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise OrderRefused("rows 应为列表", "rows must be a list of objects")
    if len(rows) > MOST_ROWS:
        raise OrderRefused(
            f"一次最多 {MOST_ROWS} 行，这里有 {len(rows)} 行，请分开",
            f"{len(rows)} rows; at most {MOST_ROWS} at once",
        )
    by = fields.text("by", "")
    # The second line of a list may speak of what the first has made.
    child, changes = state.child(), list[Change]()
    for number, row in enumerate(rows, 1):
        try:
            decision = rule(child, Fields({**row, "by": by}), now_ms)
        except OrderRefused as refused:
            raise OrderRefused(
                f"第 {number} 行：{refused.why_zh}", f"line {number}: {refused.why_en}"
            ) from refused
        child.put(decision)
        changes += decision.changes
    return Decision(changes=changes)


# ---------------------------------------------------------------- pieces


def _put(old: Row | None, new: Row, what: str, subject: str, fields: Fields, now_ms: int) -> Decision:
    if new == old:
        return Decision()
    line = JournalLine(now_ms, f"{what}Put", subject, fields.text("by", ""), changed(old, new))
    return Decision(changes=[new, line])


def _gone(table: str, key: str, event: str, subject: str, fields: Fields, now_ms: int) -> Decision:
    return Decision(changes=[RowGone(table, key), JournalLine(now_ms, event, subject, fields.text("by", ""))])


ORDERS = {
    "put_person": person_put,
    "drop_person": person_dropped,
    "look_at_medical": medical_seen,
    "put_helper": helper_put,
    "drop_helper": helper_dropped,
    "put_many": many_put,
}
