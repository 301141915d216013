"""A time that was promised: its code, its slots, and what being early or late means. Pure.

    BOOKED ──check in──► ARRIVED (has a ticket)
      │ └──cancel──► CANCELLED
      └──nobody came by slot + late──► MISSED ──check in, the same day──► ARRIVED

| Checked in                                   | Place in the line (`rank`)                          |
|----------------------------------------------|-----------------------------------------------------|
| more than ``early_ms`` before the slot       | none yet: told from when, nothing is changed        |
| up to ``early_ms`` before, ``late_ms`` after | the slot's: whoever came after the slot is behind   |
| later on the same day                        | the moment of arrival, and the person is told       |
| on another day                               | none: told the day, or that it is over              |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from devices.faults import OrderRefused
from kiosk.rules.hours import Span, when

State = Literal["BOOKED", "ARRIVED", "CANCELLED", "MISSED"]

#: Without 0 O 1 I: nobody reads them wrong. 32 signs, 8 of them: 40 bits.
SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_SIGNS = 8


@dataclass(frozen=True, slots=True)
class Terms:
    """What a hall has set for appointments (table queue_policy)."""

    early_ms: int = 30 * 60_000
    late_ms: int = 10 * 60_000
    slot_min: int = 30
    """Length of a slot, minutes."""
    slot_places: int = 2
    """Appointments of one item in one slot."""
    days_ahead: int = 30


@dataclass(frozen=True, slots=True)
class Appointment:
    """One row of kiosk.db. ``slot_ms`` is its moment; it holds nothing of a person."""

    appointment_id: int
    code: str
    service_code: str
    business_day: str
    slot_ms: int
    lane_why: str
    state: State
    ticket_id: int | None
    made_ms: int
    made_by: str
    changed_ms: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """What checking in gives. ``late`` is how late, 0 for in time; the words are for the person."""

    rank: int
    late_ms: int
    words_zh: str
    words_en: str


class TooEarly(OrderRefused):
    """Check-in has not begun yet; the words say from when."""


class NotToday(OrderRefused):
    """The code is of another day."""


class SlotFull(OrderRefused):
    """All places of this slot are taken."""


class SlotWrong(OrderRefused):
    """No slot of this item: outside its hours, past, or too far ahead."""


# ---------------------------------------------------------------- the code


def make_code(random_sign: Callable[[str], str]) -> str:
    """``random_sign`` chooses one sign of a text (`secrets.choice`)."""
    return "".join(random_sign(SIGNS) for _ in range(CODE_SIGNS))


def read_code(typed: str) -> str:
    """As a person types or a scanner sends it: spaces and dashes do not count, nor does the case.

    :return: the code, or "" for what can be none.
    """
    code = "".join(sign for sign in typed.upper() if sign not in " -\t\r\n　")
    return code if len(code) == CODE_SIGNS and all(sign in SIGNS for sign in code) else ""


def spell_code(code: str) -> str:
    """In two halves, as one reads it aloud: "K7MQ 4XRT"."""
    return f"{code[:4]} {code[4:]}"


# ---------------------------------------------------------------- slots


def slots(spans: Iterable[Span], terms: Terms) -> list[int]:
    """The beginnings of the slots that fit whole into a day's spans, minutes of the day."""
    return [
        minute for first, last in spans for minute in range(first, last - terms.slot_min + 1, terms.slot_min)
    ]


def check_slot(slot: datetime, now: datetime, spans: Iterable[Span], terms: Terms) -> None:
    """:raises SlotWrong: with the reason and the way out."""
    if slot <= now:
        raise SlotWrong("这个时间已经过了，请选以后的时间", "That time is past: choose a later one")
    if (slot.date() - now.date()).days > terms.days_ahead:
        raise SlotWrong(
            f"最多可提前 {terms.days_ahead} 天预约",
            f"Appointments are made at most {terms.days_ahead} days ahead",
        )
    minute = slot.hour * 60 + slot.minute
    if slot.second or slot.microsecond or minute not in slots(spans, terms):
        raise SlotWrong(
            "这个时间不办理，请从列出的时间里选", "It is not served at that time: choose one of the slots"
        )


def check_room(taken: int, terms: Terms) -> None:
    """:raises SlotFull: somebody else has the last place."""
    if taken >= terms.slot_places:
        raise SlotFull("这个时间已约满，请选别的时间", "That slot is full: choose another one")


# ---------------------------------------------------------------- coming


def is_missed(one: Appointment, now_ms: int, terms: Terms) -> bool:
    """Nobody has come by the end of the slot's grace."""
    return one.state == "BOOKED" and now_ms > one.slot_ms + terms.late_ms


def arrive(one: Appointment, now: datetime, terms: Terms) -> Arrival:
    """Check in. An appointment that has ARRIVED is not asked again: its ticket is answered.

    :raises TooEarly: / :raises NotToday: / :raises OrderRefused: was cancelled; nothing changes.
    """
    now_ms = round(now.timestamp() * 1000)
    slot = datetime.fromtimestamp(one.slot_ms / 1000, now.tzinfo)
    if one.state == "CANCELLED":
        raise OrderRefused(
            "这个预约已经取消，请直接取号", "This appointment was cancelled: please take a number"
        )
    if slot.date() < now.date():
        raise NotToday(
            f"这个预约是 {slot.month}月{slot.day}日 的，已经过期，请直接取号",
            f"This appointment was on {slot:%Y-%m-%d} and is over: please take a number",
        )
    spoken = when(slot, now)
    if slot.date() > now.date():
        raise NotToday(
            f"您的预约是 {spoken[0]}，请到那天再来报到",
            f"Your appointment is {spoken[1]}: please check in on that day",
        )
    if now_ms < one.slot_ms - terms.early_ms:
        opens = datetime.fromtimestamp((one.slot_ms - terms.early_ms) / 1000, now.tzinfo)
        raise TooEarly(
            f"您来早了。预约是 {slot:%H:%M}，{opens:%H:%M} 起可以报到，请先坐一坐；想早办可以直接取号",
            f"You are early. Your appointment is at {slot:%H:%M}; check-in begins at {opens:%H:%M}. "
            "Please take a seat, or take an ordinary number",
        )
    late_ms = now_ms - one.slot_ms - terms.late_ms
    if late_ms > 0:
        return Arrival(
            now_ms * 1000,
            now_ms - one.slot_ms,
            f"预约是 {slot:%H:%M}，已经过了时间，现在按到达的先后排队",
            f"Your appointment was at {slot:%H:%M}; that time is past, so you now wait in the order of arrival",
        )
    return Arrival(one.slot_ms * 1000, 0, f"已报到，预约时间 {slot:%H:%M}", f"Checked in for {slot:%H:%M}")
