"""What a hall may set about its voice, and what becomes of one announcement at one moment. Pure.

The notebook's table ``voice_policy(key, value)`` holds what a hall has changed, a JSON value a row; what is missing has
the default here. A row that cannot be used is named in `VoicePolicy.faults` and its default is used: a wrong row must
not make a hall dumb.

    policy = read_policy({"volume": "60", "quiet": "[[720, 840]]"})
    fate(asked_ms, now_ms, minute, policy)              # "say" | "quiet" | "expired"
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from devices.faults import OrderRefused
from kiosk.rules.calling_words import ENGLISH, GONG, MANDARIN, VOICE_ID

Fate = Literal["say", "quiet", "expired"]

#: Between the two times that a sentence is said, where a hall wants it said twice (our choice: a breath).
TWICE_GAP_MS = 1500
#: A call that could not be spoken for so long is stale: who was called has long looked at the screen. `expires_s`.
_LEAST_EXPIRES_S, _MOST_EXPIRES_S = 10, 300
#: More than four voices one after the other and the next call waits half a minute (our choice).
_MOST_VOICES = 4
_MOST_QUIET = 6
_DAY_MIN = 1440


@dataclass(frozen=True, slots=True)
class VoicePolicy:
    """The hall's choices. ``dialects``: id and name of each ("gy", "贵阳话"). ``quiet``: spans of minutes of the hall's
    day; one that ends before it begins goes over midnight. ``voices``: who says each call, one after the other;
    English is added for a ticket that was taken in English, where ``follow_ticket`` says so."""

    volume: int = 80
    gong: bool = True
    twice: bool = False
    voices: tuple[str, ...] = (MANDARIN,)
    follow_ticket: bool = True
    dialects: tuple[tuple[str, str], ...] = ()
    quiet: tuple[tuple[int, int], ...] = ()
    expires_s: int = 60
    faults: tuple[str, ...] = ()


DEFAULT = VoicePolicy()


def read_policy(rows: Mapping[str, str]) -> VoicePolicy:
    """The policy in force. Never raises: keys whose row is wrong are in ``faults``."""
    values: dict[str, Any] = {}
    faults = []
    for key, text in sorted(rows.items()):
        try:
            values[key] = check(key, json.loads(text))
        except (OrderRefused, ValueError, RecursionError):
            faults.append(key)
    return replace(DEFAULT, **values, faults=tuple(faults))


def check(key: str, value: object) -> Any:
    """One value as the policy holds it.

    :raises OrderRefused: an unknown key, another type, or beyond its limits; with words for both.
    """
    if key == "volume":
        return _whole("音量", "volume", value, 0, 100)
    if key == "expires_s":
        return _whole("过时不报（秒）", "expires after (s)", value, _LEAST_EXPIRES_S, _MOST_EXPIRES_S)
    if key in ("gong", "twice", "follow_ticket"):
        if isinstance(value, bool):
            return value
        raise OrderRefused(f"“{key}”应为是或否", f"{key} must be true or false")
    if key == "voices":
        return _voices(value)
    if key == "quiet":
        return _quiet(value)
    if key == "dialects":
        return _dialects(value)
    raise OrderRefused(f"没有名为“{key[:40]}”的语音设置", f"there is no voice setting {key[:40]!r}")


def to_rows(policy: VoicePolicy) -> dict[str, str]:
    """The rows that a notebook needs for this policy: only what differs from the defaults."""
    return {
        one.name: json.dumps(getattr(policy, one.name))
        for one in fields(VoicePolicy)
        if one.name != "faults" and getattr(policy, one.name) != getattr(DEFAULT, one.name)
    }


def fate(asked_ms: int, now_ms: int, minute: int, policy: VoicePolicy) -> Fate:
    """What becomes of an announcement that waits.

    :param minute: minutes of the hall's day, now.
    """
    # A clock that was set back makes it young again; it is then said late once, rather than never.
    if now_ms - asked_ms > policy.expires_s * 1000:
        return "expired"
    return "quiet" if is_quiet(minute, policy) else "say"


def is_quiet(minute: int, policy: VoicePolicy) -> bool:
    """Whether the hall wants silence at this minute of its day."""
    return any(
        begin <= minute < end if begin <= end else minute >= begin or minute < end
        for begin, end in policy.quiet
    )


def voices_for(ticket_lang: str, policy: VoicePolicy) -> tuple[str, ...]:
    """Who says this call, one after the other."""
    if policy.follow_ticket and ticket_lang == ENGLISH and ENGLISH not in policy.voices:
        return (*policy.voices, ENGLISH)
    return policy.voices


def spoken(words: list[str], policy: VoicePolicy) -> list[str]:
    """The parts that are really said, in a hall that wants no gong."""
    return words if policy.gong else [part for part in words if part != GONG]


def _whole(zh: str, en: str, value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise OrderRefused(
            f"“{zh}”应为 {least} 至 {most} 的整数", f"{en} must be a whole number from {least} to {most}"
        )
    return value


def _voices(value: object) -> tuple[str, ...]:
    good = isinstance(value, list | tuple) and 1 <= len(value) <= _MOST_VOICES
    if good and all(isinstance(one, str) and VOICE_ID.fullmatch(one) for one in value):  # type: ignore[attr-defined]
        return tuple(dict.fromkeys(value))  # type: ignore[call-overload]
    raise OrderRefused(
        f"播报的声音须为 1 至 {_MOST_VOICES} 种，代号用小写字母、数字和连字符",
        f"1 to {_MOST_VOICES} voices, each named by a-z, 0-9 and -, beginning with a letter",
    )


def _dialects(value: object) -> tuple[tuple[str, str], ...]:
    found = (
        [tuple(one) if isinstance(one, list | tuple) else () for one in value]
        if isinstance(value, list | tuple)
        else None
    )
    if found is not None and len(found) <= _MOST_VOICES and all(_is_dialect(one) for one in found):
        return tuple(found)
    raise OrderRefused(
        f"方言最多 {_MOST_VOICES} 种，每种要有代号（小写字母、数字、连字符）和名称（1 至 20 字）",
        f"at most {_MOST_VOICES} dialects, each with an id of a-z, 0-9 and - and a name of 1 to 20 signs",
    )


def _is_dialect(one: tuple[object, ...]) -> bool:
    if len(one) != 2 or not all(isinstance(part, str) for part in one):
        return False
    word, name = str(one[0]), str(one[1])
    return bool(VOICE_ID.fullmatch(word)) and word not in (MANDARIN, ENGLISH) and 1 <= len(name.strip()) <= 20


def _quiet(value: object) -> tuple[tuple[int, int], ...]:
    spans = value if isinstance(value, list | tuple) else None
    if spans is not None and len(spans) <= _MOST_QUIET:
        found = [tuple(one) if isinstance(one, list | tuple) else () for one in spans]
        if all(len(one) == 2 and one[0] != one[1] and all(_is_minute(part) for part in one) for one in found):
            return tuple((one[0], one[1]) for one in found)
    raise OrderRefused(
        f"静音时段最多 {_MOST_QUIET} 段，写成 12:00-14:00，起止不能相同",
        f"at most {_MOST_QUIET} quiet spans, written 12:00-14:00, beginning and end not the same",
    )


def _is_minute(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _DAY_MIN
