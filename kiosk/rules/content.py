"""What staff may write in place of the catalogue's words, and how their edits lie over it. Pure.

    service = laid(shipped, {"fee": {"zh": "10 元", "en": "10 yuan"}})    # edits of one item, newest of each field

Theory of operation. The file that ships stays as it is. An edit is a value for a field of a subject ("service:ZW-01",
"fee"); the newest counts, and None means "as it ships". A field that the file leaves unconfirmed is confirmed by an
edit, or by a mark of its own (field "confirmed:fee") that holds the text which somebody has read and confirmed: when
an update brings another text, the mark does not fit it and the field is unconfirmed again.

Values are JSON: a text is ``{"zh", "en"}``, both empty where there is none; a list is a list of these; a limit is one
with ``mode`` and ``value`` besides; a phone is a string.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, cast, get_args, get_type_hints

from devices.faults import OrderRefused
from kiosk.catalogue import Catalogue, Limit, Service, Text

Value = Any
Edits = Mapping[str, Value]
Kind = Literal["text", "maybe", "list", "limit", "phone"]

CONFIRMED = "confirmed:"
PAUSED = "paused"
MODES: tuple[str, ...] = get_args(get_type_hints(Limit)["mode"])
#: The longest count of days, hours … of a limit: nothing here takes three years of working days.
COUNT_AT_MOST = 999
#: A day as a form sends it.
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an item. ``longest``: signs of one text; ``lines``: fewest and most of a list.

    kind "text" must be there in both languages; "maybe" may be empty in both; the others say what they are.
    """

    name: str
    kind: Kind
    longest: int = 120
    lines: tuple[int, int] = (0, 0)


#: What of an item may be edited, in the order of its page. Lengths are those of the longest shipped text, doubled.
FIELDS: tuple[Field, ...] = (
    Field("desc", "text", 200),
    Field("who", "text", 300),
    Field("materials", "list", 200, (0, 20)),
    Field("steps", "list", 200, (1, 12)),
    Field("promised", "limit", 160),
    Field("fee", "text", 160),
    Field("window", "text", 60),
    Field("phone", "phone", 40),
    Field("agent_note", "maybe", 300),
    Field("result", "text", 160),
    Field("note", "maybe", 400),
    Field("season", "maybe", 200),
    Field("urgent", "maybe", 200),
)
BY_NAME = {one.name: one for one in FIELDS}
_EMPTY = {"zh": "", "en": ""}
_PAIRS = ("desc", "who", "window", "agent_note", "result", "note")


@dataclass(frozen=True, slots=True)
class Pause:
    """An item is not offered from one day to another (both included, "2026-12-01"); "" for no end."""

    from_day: str
    until_day: str
    words: Text

    def on(self, day: date) -> bool:
        return self.from_day <= day.isoformat() and (not self.until_day or day.isoformat() <= self.until_day)


# ---------------------------------------------------------------- reading and checking values


def text_of(raw: object) -> str:
    """What was typed, on one line and without signs that nobody sees."""
    typed = raw if isinstance(raw, str) else ""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in typed).split())


def checked(field: Field, value: Value) -> Value:
    """The value as it is written.

    :raises OrderRefused: it is too long, empty where something must stand, or in one language alone.
    """
    if field.kind == "phone":
        return _phone(value, field.longest)
    if field.kind == "list":
        return checked_lines(value, field.longest, field.lines)
    pair = _pair(value, field.longest)
    if field.kind == "maybe":
        return pair or dict(_EMPTY)
    if pair is None:
        raise OrderRefused(
            "这里不能空着：中文、英文都要写", "This must not be empty: write Chinese and English"
        )
    if field.kind == "limit":
        return _limit(value, pair)
    return pair


def checked_lines(value: Value, longest: int, lines: tuple[int, int]) -> list[dict[str, str]]:
    """A list of texts; lines that are empty in both languages fall out.

    :raises OrderRefused: too few or too many lines, or one that is wrong by itself.
    """
    found: list[dict[str, str]] = []
    for number, one in enumerate(value if isinstance(value, list) else [], 1):
        try:
            pair = _pair(one, longest)
        except OrderRefused as wrong:
            raise OrderRefused(f"第 {number} 行：{wrong.why_zh}", f"line {number}: {wrong.why_en}") from wrong
        if pair is not None:
            found.append(pair)
    fewest, most = lines
    if not fewest <= len(found) <= most:
        raise OrderRefused(
            f"要有 {fewest} 到 {most} 行，现在是 {len(found)} 行",
            f"there must be {fewest} to {most} lines, not {len(found)}",
        )
    return found


def _pair(value: Value, longest: int) -> dict[str, str] | None:
    """None where both are empty."""
    told = value if isinstance(value, dict) else {}
    zh, en = text_of(told.get("zh")), text_of(told.get("en"))
    for name_zh, name_en, one in (("中文", "the Chinese", zh), ("英文", "the English", en)):
        if len(one) > longest:
            raise OrderRefused(
                f"{name_zh}有 {len(one)} 个字，最多 {longest} 个",
                f"{name_en} has {len(one)} signs; at most {longest}",
            )
    if not zh and not en:
        return None
    if not zh or not en:
        raise OrderRefused(
            "中文、英文要一起写；还缺" + ("英文" if zh else "中文"),
            f"Chinese and English go together; {'English' if zh else 'Chinese'} is missing",
        )
    return {"zh": zh, "en": en}


def _limit(value: Value, pair: dict[str, str]) -> Value:
    mode, count = value.get("mode"), value.get("value")
    if mode not in MODES:
        raise OrderRefused("请选时限的单位", "choose what the limit counts in")
    if mode in ("none", "local"):
        count = None
    elif mode == "instant":
        count = 0
    elif isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= COUNT_AT_MOST:
        raise OrderRefused(
            f"时限的数字要在 1 到 {COUNT_AT_MOST} 之间", f"the limit's number must be 1 to {COUNT_AT_MOST}"
        )
    return {**pair, "mode": mode, "value": count}


def _phone(value: Value, longest: int) -> str:
    typed = text_of(value)
    if not is_phone(typed):
        raise OrderRefused(
            "电话只能写数字、短横和“转”，例如 0851-12345678 转 3",
            "a phone is digits and dashes, like 0851-12345678",
        )
    if len(typed) > longest:
        raise OrderRefused(f"电话最多 {longest} 个字", f"a phone has at most {longest} signs")
    return typed


def is_phone(typed: str) -> bool:
    """Whether somebody could dial it: 0851-XXXXXXXX, which ships, is none."""
    return bool(re.fullmatch(r"[0-9+()（）、,，;；/ 转-]+", typed)) and any(sign.isdigit() for sign in typed)


def checked_phone(value: Value, longest: int = 40) -> str:
    """A phone of the hall: "" for none. :raises OrderRefused: it is no phone."""
    return _phone(value, longest) if text_of(value) else ""


def checked_pause(value: Value) -> Value:
    """:raises OrderRefused: a day that is none, the wrong way round, or no words."""
    told = value if isinstance(value, dict) else {}
    first, last = text_of(told.get("from")), text_of(told.get("until"))
    for one in (first, last):
        if one and not _is_day(one):
            raise OrderRefused("日期请写成 2026-12-01", "write a day as 2026-12-01")
    if not first:
        raise OrderRefused("请写从哪一天开始暂停", "say from which day it pauses")
    if last and last < first:
        raise OrderRefused("“到”不能早于“从”", "“until” is before “from”")
    pair = _pair(told, 120)
    if pair is None:
        raise OrderRefused("请写明为什么暂停，居民会看到", "say why: residents read it")
    return {**pair, "from": first, "until": last}


def _is_day(typed: str) -> bool:
    try:
        return bool(_DAY.fullmatch(typed)) and bool(date.fromisoformat(typed))
    except ValueError:
        return False


def pause_of(value: Value) -> Pause | None:
    """A kept pause; None for none (and for a row that is not understood)."""
    if not isinstance(value, dict) or not value.get("from"):
        return None
    return Pause(
        str(value["from"]), str(value.get("until", "")), Text(str(value.get("zh")), str(value.get("en")))
    )


# ---------------------------------------------------------------- laying edits over the catalogue


def value_of(service: Service, name: str) -> Value:
    """A field of an item as an edit would write it."""
    if name in _PAIRS:
        zh, en = getattr(service, f"{name}_zh"), getattr(service, f"{name}_en")
        return {"zh": zh, "en": en}
    if name == "phone":
        return service.phone
    if name == "promised":
        limit = service.time_limit.promised
        return {"zh": limit.zh, "en": limit.en, "mode": limit.mode, "value": limit.value}
    whole = getattr(service, name)
    if isinstance(whole, tuple):
        return [{"zh": one.zh, "en": one.en} for one in whole]
    return dict(_EMPTY) if whole is None else {"zh": whole.zh, "en": whole.en}


def laid(service: Service, edits: Edits) -> Service:
    """The item with its edits over it.

    :raises OrderRefused: an edit that breaks a rule (only a kept row from elsewhere can: forms are checked before).
    """
    changes: dict[str, Any] = {}
    for name, value in edits.items():
        field = BY_NAME.get(name)
        if field is None or value is None:
            continue
        good = checked(field, value)
        if name in _PAIRS:
            changes[f"{name}_zh"], changes[f"{name}_en"] = good["zh"], good["en"]
        elif name == "phone":
            changes[name] = good
        elif name == "promised":
            limit = Limit(good["zh"], good["en"], cast(Any, good["mode"]), good["value"])
            changes["time_limit"] = replace(service.time_limit, promised=limit)
        elif field.kind == "list":
            changes[name] = tuple(Text(one["zh"], one["en"]) for one in good)
        else:
            changes[name] = Text(good["zh"], good["en"]) if good["zh"] else None
    now_is = replace(service, **changes) if changes else service
    left = tuple(one for one in service.confirm_locally if not is_confirmed(now_is, one, edits))
    return now_is if left == service.confirm_locally else replace(now_is, confirm_locally=left)


def is_confirmed(now_is: Service, name: str, edits: Edits) -> bool:
    """Whether somebody here has edited the field, or confirmed the text that stands there now."""
    if name in BY_NAME and edits.get(name) is not None:
        return True
    mark = edits.get(CONFIRMED + name)
    return isinstance(mark, dict) and mark.get("of") == confirmable(now_is, name)


def confirmable(service: Service, name: str) -> Value:
    """What somebody reads who confirms it. A name that is no field (an age, a tier) stands in the item's texts."""
    if name in BY_NAME:
        return value_of(service, name)
    return {one: value_of(service, one) for one in ("who", "materials", "steps", "fee", "note")}


def overlaid(
    shipped: Catalogue, edits: Mapping[tuple[str, str], Value]
) -> tuple[Catalogue, list[tuple[str, str, OrderRefused]]]:
    """The catalogue with all edits, and those that do not fit it (left out, one by one)."""
    by_code: dict[str, dict[str, Value]] = {}
    for (subject, name), value in edits.items():
        kind, _, code = subject.partition(":")
        if kind == "service":
            by_code.setdefault(code, {})[name] = value
    unfit: list[tuple[str, str, OrderRefused]] = []
    services = []
    for service in shipped.services:
        own = by_code.get(service.code, {})
        for name in list(own):
            try:
                laid(service, {name: own[name]})
            except (OrderRefused, AttributeError, TypeError, KeyError) as wrong:
                why = wrong if isinstance(wrong, OrderRefused) else OrderRefused(repr(wrong), repr(wrong))
                unfit.append((f"service:{service.code}", name, why))
                del own[name]
        services.append(laid(service, own) if own else service)
    return replace(shipped, services=tuple(services)), unfit


# ---------------------------------------------------------------- what changed, for people

Part = tuple[Literal["same", "gone", "new"], str]


def spelled(value: Value) -> str:
    """A value as lines that one can read and compare."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(
            f"{number}. {spelled(one)}" if isinstance(one, dict) else str(one)
            for number, one in enumerate(value, 1)
        )
    if isinstance(value, dict):
        if "of" in value:
            return spelled(value["of"])
        texts = [str(value[name]) for name in ("zh", "en") if value.get(name)]
        days = [str(value[name]) for name in ("from", "until") if value.get(name)]
        rest = [spelled(one) for name, one in value.items() if isinstance(one, dict | list)]
        count = [f"（{value['value']}）"] if isinstance(value.get("value"), int) else []
        return " / ".join([*texts, *count, *days, *rest])
    return str(value)


def difference(before: str, after: str) -> list[Part]:
    """What stood and what stands, word by word (sign by sign in Chinese)."""
    old, new = _words(before), _words(after)
    parts: list[Part] = []
    for what, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            parts.append(("same", "".join(old[a:b])))
            continue
        if b > a:
            parts.append(("gone", "".join(old[a:b])))
        if d > c:
            parts.append(("new", "".join(new[c:d])))
    return parts


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z0-9']+|\s+|.", text)


def moved(lines: list[Value], what: str, index: int) -> list[Value]:
    """A list with one line moved up or down, removed, or a new empty one at its end."""
    whole = list(lines)
    if what == "add":
        return [*whole, {"zh": "", "en": ""}]
    if not 0 <= index < len(whole):
        return whole
    one = whole.pop(index)
    if what == "up":
        whole.insert(max(0, index - 1), one)
    elif what == "down":
        whole.insert(index + 1, one)
    return whole


def newest(rows: Iterable[tuple[str, str, Value]]) -> dict[tuple[str, str], Value]:
    """Of edits in their order the last of each field."""
    return {(subject, name): value for subject, name, value in rows}
