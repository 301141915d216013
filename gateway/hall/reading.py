"""Reading what a person typed into a form: each field by its name as the form shows it, each refusal says which one.

``fields.py`` guards against what is no order at all; this is for people. A field that is not given stays as it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import date

from devices.faults import OrderRefused
from gateway.hall.fields import Fields, fit
from gateway.hall.rows import Row

#: (Chinese, English)
Names = Mapping[str, tuple[str, str]]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
#: What stands in telephone numbers as people write them: digits, the signs between them, 转 before an extension.
_PHONE = re.compile(r"[0-9+*#() ,;/转、-]{3,60}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def tidy(text: str) -> str:
    """One spelling for what is compared: "３栋 " and "3栋" are one building."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


class Reader:
    """One order, beside the row it changes (None: there is none yet) and the names of its fields.

    Each method raises OrderRefused, in words for whoever filled in the form.
    """

    def __init__(self, given: Fields, old: Row | None, names: Names) -> None:
        self._fields, self._old, self._names = given, old, names

    def named(self, key: str) -> tuple[str, str]:
        return self._names.get(key, (key, key))

    def wrong(self, key: str, zh: str, en: str) -> OrderRefused:
        """That field is not what it should be: "手机：…"."""
        name_zh, name_en = self.named(key)
        return OrderRefused(f"{name_zh}：{zh}", f"{name_en}: {en}")

    def _raw(self, key: str, otherwise: object) -> object:
        if key in self._fields:
            return self._fields.raw[key]
        return otherwise if self._old is None else getattr(self._old, key)

    def words(self, key: str, longest: int = 80, *, needed: bool = False, lines: bool = False) -> str:
        """Words. ``lines``: line breaks stay; elsewhere they become spaces."""
        raw = self._raw(key, "")
        if key not in self._fields and isinstance(raw, str) and (raw or not needed):
            return raw  # as it was read when it was written
        if not isinstance(raw, str):
            raise self.wrong(key, "应为文字", "must be text")
        text = raw.strip()
        if not text.isprintable():
            text = fit(text.replace("\r\n", "\n").replace("\t", " ").replace("\u3000", " ")).strip()
        if not lines:
            text = " ".join(text.split())
        if needed and not text:
            raise self.wrong(key, "请填写", "must be filled in")
        if len(text) > longest:
            raise self.wrong(
                key,
                f"最多 {longest} 字，现在 {len(text)} 字",
                f"at most {longest} characters, not {len(text)}",
            )
        return text

    def key(self, key: str) -> str:
        """What names the row."""
        raw = self._fields.raw.get(key)
        if not isinstance(raw, str) or not _ID.fullmatch(raw):
            raise self.wrong(
                key, "编号只能用字母、数字和 . - _", "an id has letters, digits and . - _ only, 64 at most"
            )
        return raw

    def place(self, key: str) -> str:
        """A grid, a building, a unit, a flat: compared with others, so it has one spelling."""
        return tidy(self.words(key, 40))

    def phone(self, key: str) -> str:
        text = tidy(self.words(key, 60))
        if re.fullmatch(r"[0-9.]+E\+[0-9]+", text):
            raise self.wrong(
                key,
                f"“{text}”是 Excel 改写过的号码，请把这一列设为“文本”再填",
                f"“{text}” is a number that Excel has rewritten: make the column “Text” and fill it in again",
            )
        if text and not _PHONE.fullmatch(text):
            raise self.wrong(key, f"“{text}”不像电话号码", f"“{text}” does not look like a telephone number")
        return text

    def number(self, key: str, least: int, most: int, otherwise: int = 0) -> int:
        raw = self._raw(key, otherwise)
        if type(raw) is not int or not least <= raw <= most:
            raise self.wrong(
                key, f"应为 {least} 到 {most} 的整数", f"must be a whole number from {least} to {most}"
            )
        return raw

    def measure(self, key: str, least: float, most: float, otherwise: float | None) -> float | None:
        """A measure, which need not be whole; None where it need not be given."""
        raw = self._raw(key, otherwise)
        if raw is None and otherwise is None:
            return None
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not least <= raw <= most:
            raise self.wrong(
                key, f"应为 {least:g} 到 {most:g} 的数", f"must be a number from {least:g} to {most:g}"
            )
        return float(raw)

    def list(self, key: str, most: int, longest: int) -> tuple[str, ...]:
        """A list of words, none of them empty or twice."""
        raw = self._raw(key, ())
        if not isinstance(raw, list | tuple) or not all(isinstance(one, str) for one in raw):
            raise self.wrong(key, "应为文字列表", "must be a list of texts")
        words = tuple(dict.fromkeys(word for one in raw if (word := tidy(fit(one)))))
        if len(words) > most or any(len(word) > longest for word in words):
            raise self.wrong(
                key, f"最多 {most} 个，每个最多 {longest} 字", f"at most {most}, of {longest} characters each"
            )
        return words

    def flag(self, key: str, otherwise: bool) -> bool:
        raw = self._raw(key, otherwise)
        if not isinstance(raw, bool):
            raise self.wrong(key, "应为是或否", "must be yes or no")
        return raw

    def choice(self, key: str, among: Collection[str], otherwise: str) -> str:
        raw = self._raw(key, otherwise)
        if not isinstance(raw, str) or raw not in among:
            said = fit(str(raw))[:40]
            raise self.wrong(
                key, f"没有“{said}”；可以是：{'、'.join(among)}", f"no {said!r}; one of {', '.join(among)}"
            )
        return raw

    def day(self, key: str, *, needed: bool = False) -> str:
        """A day as "2026-11-22", or "" where it need not be given."""
        text = self.words(key, 40)
        if not text and not needed:
            return ""
        if not is_day(text):
            raise self.wrong(
                key,
                f"“{text}”不是日期，请写成 2026-11-22" if text else "请填写日期，如 2026-11-22",
                f"“{text}” is no day; write 2026-11-22" if text else "give a day, like 2026-11-22",
            )
        return text


def is_day(text: str) -> bool:
    """Whether it is a day of the calendar, written "2026-11-22"."""
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def in_order(reader: Reader, first: str, last: str) -> None:
    """:raises OrderRefused: the last day lies before the first."""
    if first and last and last < first:
        raise reader.wrong("last_day", f"早于开始日期 {first}", f"lies before the first day, {first}")


def changed(old: Row | None, new: Row) -> str:
    """Names of the fields that differ, for the journal (never what stands in them); "new" for a new row."""
    if old is None:
        return "new"
    return ",".join(one.name for one in fields(new) if getattr(old, one.name) != getattr(new, one.name))
