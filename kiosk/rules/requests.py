"""What a request may bring, and how much of it is shown. Pure.

    kind = KINDS["leak"]
    clean(kind, item.kiosk_fields, asked, today)     # checked values, or `RequestWrong` with the field and the words
    masked_phone("13812345678")                      # 138****5678

Only what the item's ``kiosk_fields`` name may be asked: `FIELDS` is the one table from our fields to those words.
A field that is not allowed is refused even when it is empty of sense; a field left empty was not given.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from devices.faults import OrderRefused
from gateway.hall.meals import MEALS
from kiosk.rules.appointment import SIGNS, make_code, read_code, spell_code
from kiosk.rules.request_kinds import KINDS, PLACES, PLACES_IN_A_BUILDING, Both, Kind, kinds_of

__all__ = [
    "EXTRA", "FIELDS", "FIELD_WORDS", "KINDS", "NOTES", "PLACES", "PLACES_IN_A_BUILDING", "SIGNS", "Asked", "Both",
    "FieldNotAsked", "Kind", "RequestWrong", "clean", "kinds_of", "locked_ms", "make_code", "masked_name",
    "masked_phone", "may_ask", "must_ask", "not_asked", "note_wrong", "read_code", "spell_code",
]  # fmt: skip

#: our field → the words of the catalogue's ``kiosk_fields`` that allow to ask for it
FIELDS: dict[str, frozenset[str]] = {
    "name": frozenset({"contact_name", "contact_name_optional"}),
    "phone": frozenset({"phone", "phone_optional"}),
    "building": frozenset({"building"}),
    "unit": frozenset({"unit_room"}),
    "room": frozenset({"unit_room"}),
    "words": frozenset({"text_or_voice_note"}),
    "voice": frozenset({"text_or_voice_note"}),
    "drawing": frozenset({"text_or_voice_note"}),
    "employer_branch": frozenset({"employer_branch"}),
    "skills": frozenset({"skills"}),
    "birth_year": frozenset({"birth_year"}),
    "preferred_day": frozenset({"preferred_day"}),
    "meal_choice": frozenset({"meal_choice"}),
}
#: Fields that travel in ``extra``: few kinds have them, and no kind has many.
EXTRA = ("employer_branch", "skills", "birth_year", "preferred_day", "meal_choice")
#: Fields that are no text: bytes that come after the request.
NOTES = ("voice", "drawing")
#: Without these nobody could do anything; the others are the resident's choice. (A word of ``kiosk_fields`` that ends
#: in ``_optional`` never is one of them.)
_NEEDED = frozenset({"contact_name", "phone", "birth_year", "preferred_day", "meal_choice", "employer_branch"})

FIELD_WORDS: dict[str, Both] = {
    "name": Both("怎么称呼您", "Your name"),
    "phone": Both("电话", "Phone"),
    "building": Both("楼栋", "Building"),
    "unit": Both("单元", "Unit"),
    "room": Both("房号", "Room"),
    "words": Both("想说的话", "In your words"),
    "voice": Both("语音", "Voice note"),
    "drawing": Both("手写", "Finger note"),
    "employer_branch": Both("单位党组织", "Your employer's branch"),
    "skills": Both("特长、能做的事", "What you can do"),
    "birth_year": Both("出生年份", "Year of birth"),
    "preferred_day": Both("想哪天来", "Preferred day"),
    "meal_choice": Both("哪一餐", "Which meal"),
}

#: The longest that is taken, signs (our choice): a name, a door, a page of words.
LONGEST = {
    "name": 20, "phone": 20, "building": 12, "unit": 8, "room": 12, "words": 500, "employer_branch": 60, "skills": 200,
}  # fmt: skip
#: A health day is arranged within half a year (twice a year, says the catalogue).
DAYS_AHEAD = 183
OLDEST_YEAR = 1900

#: A mobile number, or one with its area code, or a local one; spaces and dashes are taken out before.
_PHONE = re.compile(r"1[3-9]\d{9}|0\d{9,11}|[2-8]\d{6,7}|(?:\+86)1[3-9]\d{9}|\+\d{8,14}")
_DOOR = re.compile(r"[0-9A-Za-z一-鿿#号\- ]+")
#: 18 signs of an identity card anywhere in what somebody has written: never at a kiosk (the catalogue's rule).
_ID_CARD = re.compile(r"(?<!\d)[1-9]\d{5}(?:19|20)\d{9}[\dXx](?!\d)")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


class RequestWrong(OrderRefused):
    """A field cannot be taken as it is. ``field`` is ours; what was typed elsewhere stays."""

    def __init__(self, field_name: str, why_zh: str, why_en: str) -> None:
        super().__init__(why_zh, why_en)
        self.field = field_name


class FieldNotAsked(RequestWrong):
    """A field that this item may not ask for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be written: every field checked, "" for what was not given."""

    kind: Kind
    place: str = ""
    building: str = ""
    unit: str = ""
    room: str = ""
    name: str = ""
    phone: str = ""
    words: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


# ---------------------------------------------------------------- what may be asked


def may_ask(kiosk_fields: Collection[str], name: str) -> bool:
    """Whether an item with these ``kiosk_fields`` may ask for our field."""
    return not FIELDS[name].isdisjoint(kiosk_fields)


def must_ask(kind: Kind, kiosk_fields: Collection[str], name: str, place: str = "") -> bool:
    """Whether the request cannot be taken without this field."""
    if name not in kind.fields or not may_ask(kiosk_fields, name):
        return False
    if name == "building":
        # A report says in which building where its place is in one; a meal or a visit needs the door.
        return place in PLACES_IN_A_BUILDING if kind.places else "contact_name" in kiosk_fields
    return any(word in _NEEDED for word in FIELDS[name] & set(kiosk_fields))


def not_asked(kiosk_fields: Collection[str], given: Iterable[str]) -> tuple[str, ...]:
    """Which of the fields given the item may not ask for; a name that is none of ours is one of them."""
    return tuple(name for name in given if name not in FIELDS or not may_ask(kiosk_fields, name))


def clean(
    kind: Kind, kiosk_fields: Collection[str], given: Mapping[str, Any], today: date, presets: Iterable[Both] = ()
) -> Asked:
    """Check what somebody has sent.

    :param given: ``place``, our fields, and ``extra``; what is "" was not given.
    :param presets: sentences of one touch; none: the kind's own. Choosing one is no personal field: an item that may
        not ask for a note takes them, and only them, as its words.
    :raises FieldNotAsked: / :raises RequestWrong: the first field that is wrong, in both languages.
    """
    place = _text(given, "place", 20)
    extra = given.get("extra") or {}
    if not isinstance(extra, Mapping):
        raise RequestWrong("extra", "请求的格式不对", "extra must be an object")
    every = {**{name: value for name, value in given.items() if name not in ("place", "extra")}, **extra}
    told = {name: value for name, value in every.items() if value not in ("", None)}
    chosen = [text for one in presets or kind.presets for text in (one.zh, one.en)]
    for name in not_asked(kiosk_fields, told):
        if not (name == "words" and told[name] in chosen):
            word = FIELD_WORDS.get(name, Both(ascii(name)[:24], ascii(name)[:24]))
            raise FieldNotAsked(
                name, f"这件事不需要填写“{word.zh}”，请不要填", f"“{word.en}” is not asked for here: leave it out"
            )
    if (place not in kind.places) if kind.places else place:
        raise RequestWrong("place", "请选在哪里", "Choose where it is")
    fields = {name: _text(told, name, LONGEST.get(name, 20)) for name in told if name not in NOTES}
    for name in kind.fields:
        if not fields.get(name) and must_ask(kind, kiosk_fields, name, place):
            word = FIELD_WORDS[name]
            raise RequestWrong(name, f"请填写“{word.zh}”", f"Please fill in “{word.en}”")
    for name, value in fields.items():
        if value:
            fields[name] = _checked(name, value, today)
    plain = {name: value for name, value in fields.items() if name not in EXTRA}
    return Asked(kind, place, **plain, extra={name: fields[name] for name in EXTRA if fields.get(name)})


def _text(given: Mapping[str, Any], name: str, longest: int) -> str:
    value = given.get(name, "")
    if isinstance(value, int) and not isinstance(value, bool) and name == "birth_year":
        value = str(value)
    word = FIELD_WORDS.get(name, Both("在哪里", "place"))
    if value is None:
        return ""
    if not isinstance(value, str) or _UNSEEN.search(value):
        raise RequestWrong(name, f"“{word.zh}”里有不能保存的字", f"“{word.en}” has signs that cannot be kept")
    value = value.strip()
    if len(value) > longest:
        raise RequestWrong(
            name,
            f"“{word.zh}”太长，最多 {longest} 个字（现在 {len(value)} 个）",
            f"“{word.en}” is too long: at most {longest} characters (now {len(value)})",
        )
    if _ID_CARD.search(value):
        raise RequestWrong(name, "请不要写身份证号", "Please do not write an ID-card number")
    return value


def _checked(name: str, value: str, today: date) -> str:
    if name == "phone":
        value = re.sub(r"[\s\-()（）]", "", value)
        if not _PHONE.fullmatch(value):
            zh, en = "电话号码不对，请再看一看（手机 11 位）", "That is no phone number: a mobile has 11 digits"
            raise RequestWrong(name, zh, en)
    elif name in ("building", "unit", "room") and not _DOOR.fullmatch(value):
        raise RequestWrong(name, f"“{FIELD_WORDS[name].zh}”只写数字、字母和汉字", "Only digits, letters and hanzi here")
    elif name == "birth_year":
        if not re.fullmatch(r"[0-9]{4}", value) or not OLDEST_YEAR <= int(value) <= today.year:
            raise RequestWrong(name, "出生年份是 4 位数字，比如 1948", "A year of birth has 4 digits, such as 1948")
    elif name == "preferred_day":
        days = (_day(value) - today).days
        if not 0 < days <= DAYS_AHEAD:
            zh, en = "请选明天以后、半年以内的一天", "Choose a day from tomorrow on, within half a year"
            raise RequestWrong(name, zh, en)
    elif name == "meal_choice" and value not in MEALS:
        raise RequestWrong(name, "请选早餐、午餐或晚餐", "Choose breakfast, lunch or dinner")
    return value


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return date.min + timedelta(days=1)


# ---------------------------------------------------------------- voice and drawing

#: A voice note: an Opus stream of 60 s at 48 kbit/s is 360 KB, with a browser's worst habits under 1 MB.
VOICE_AT_MOST, VOICE_AT_MOST_S = 1_000_000, 60.0
#: A drawing of the screen's area in two colours is 20-80 KB.
DRAWING_AT_MOST = 300_000
DRAWING_SIDE_AT_MOST = 4096


def note_wrong(kind: str, why: str) -> tuple[str, str]:
    """Why a note cannot be taken, for the resident. The request itself stays as it is."""
    zh, en = _NOTE_WRONG[kind if why in ("too_large", "kind") else "any", why]
    return f"{zh}。诉求已经收到，不用重来", f"{en}. Your request itself is safe: nothing needs to be sent again"


_NOTE_WRONG: dict[tuple[str, str], tuple[str, str]] = {
    ("voice", "too_large"): ("语音太大，最多 1 MB", "The voice note is too large: at most 1 MB"),
    ("drawing", "too_large"): ("手写太大，最多 300 KB", "The drawing is too large: at most 300 KB"),
    ("voice", "kind"): ("这不是语音（要 webm 或 ogg，Opus 编码）", "This is no voice note (webm or ogg with Opus)"),
    ("drawing", "kind"): ("这不是图画（要 PNG）", "This is no drawing (PNG)"),
    ("any", "too_long"): ("语音太长，最多 60 秒", "The voice note is too long: at most 60 seconds"),
    ("any", "broken"): ("文件不完整", "The file is incomplete"),
    ("any", "empty"): ("里面什么也没有", "There is nothing in it"),
    ("any", "not_asked"): ("这件事不需要语音或手写", "This item asks for no voice or drawing"),
    ("any", "again"): ("已经收到过一份", "One has been received already"),
    ("any", "late"): ("已经过了一小时，请叫工作人员", "An hour has passed: please ask the staff"),
    ("any", "closed"): ("这件事已经办结", "This request is closed already"),
    ("any", "disk"): ("现在存不下，请告诉工作人员", "It cannot be saved right now: please tell the staff"),
}


# ---------------------------------------------------------------- wrong codes

#: The contract's numbers: five lock the asker for a minute. An old hand takes half a minute for eight signs, so five
#: within ten minutes count together.
WRONG_AT_MOST, LOCK_MS, WRONG_WITHIN_MS = 5, 60_000, 600_000


def locked_ms(wrong_ms: Iterable[int], now_ms: int) -> int:
    """How long this asker has to wait; 0: not at all.

    :param wrong_ms: when wrong codes came from there. Those of the future (the clock was set back) lock nobody.
    """
    until_ms = 0
    together: list[int] = []
    for at_ms in sorted(one for one in wrong_ms if one <= now_ms):
        together = [*(one for one in together if at_ms - one < WRONG_WITHIN_MS), at_ms]
        if len(together) >= WRONG_AT_MOST:
            until_ms, together = at_ms + LOCK_MS, []
    return max(0, until_ms - now_ms)


# ---------------------------------------------------------------- how much of a person is shown


def masked_name(name: str) -> str:
    """张伟 → 张*, 张大伟 → 张*伟, 欧阳小明 → 欧**明; never more than three stars, so that length tells little."""
    if len(name) < 3:
        return name[:1] + "*" * len(name[1:])
    return name[0] + "*" * min(3, len(name) - 2) + name[-1]


def masked_phone(phone: str) -> str:
    """13812345678 → 138****5678; a short number shows its last two digits."""
    if len(phone) >= 10:
        return f"{phone[:3]}****{phone[-4:]}"
    return f"****{phone[-2:]}" if phone else ""
