"""A week of menus as people paste it: from a spreadsheet, a chat, by hand. Pure.

One meal a line: day, meal, dish, price, cut-off. Columns come with tabs, commas or bars; with blanks alone the first
two and the last two words are the others, and all between is the dish. A line that will not do is named with its number
and what is wrong with it; nothing is guessed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

_MEALS = {
    "早餐": "breakfast", "早饭": "breakfast", "早": "breakfast", "breakfast": "breakfast",
    "午餐": "lunch", "午饭": "lunch", "中餐": "lunch", "中饭": "lunch", "午": "lunch", "lunch": "lunch",
    "晚餐": "dinner", "晚饭": "dinner", "晚": "dinner", "dinner": "dinner", "supper": "dinner",
}  # fmt: skip
_WEEKDAYS = {
    **{f"{head}{word}": at for head in ("周", "星期", "礼拜") for at, word in enumerate("一二三四五六日")},
    **{f"{head}天": 6 for head in ("周", "星期", "礼拜")},
    **{word: at for at, word in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
}
_PRICE = re.compile(r"[¥￥]?\s*(\d{1,4})(?:\.(\d{1,2}))?\s*(?:元|块|yuan)?")
_CUTOFF = re.compile(r"(前一天|前一日|前日|前晚|eve|-)?\s*(\d{1,2})[:：](\d{2})")
_SPLIT = re.compile(r"\t|[|｜]|,(?!\d{3}\b)|，|;|；")


@dataclass(frozen=True, slots=True)
class Meal:
    """One line, understood."""

    day: str
    meal: str
    dish: str
    price_fen: int
    cutoff_min: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """One line that will not do: its number, the key of the word for it (``words_care.py``), and what stood there."""

    number: int
    key: str
    what: str = ""


def read_week(text: str, monday: date) -> tuple[list[Meal], list[Wrong]]:
    """All lines of a paste. ``monday``: the week that "周一" and "11-23" are about."""
    meals: list[Meal] = []
    wrong: list[Wrong] = []
    seen: set[tuple[str, str]] = set()
    for number, raw in enumerate(text.splitlines(), start=1):
        line = unicodedata.normalize("NFKC", raw).strip(" ,")
        if not line or _is_heading(line):
            continue
        found = _line(line, monday)
        if isinstance(found, tuple):
            wrong.append(Wrong(number, *found))
        elif (found.day, found.meal) in seen:
            wrong.append(Wrong(number, "menu_bad_twice"))
        else:
            seen.add((found.day, found.meal))
            meals.append(found)
    return meals, wrong


def _is_heading(line: str) -> bool:
    return ("日期" in line and "菜" in line) or line.lower().startswith(("day\t", "day,", "date\t", "date,"))


def _line(line: str, monday: date) -> Meal | tuple[str, str]:
    parts = [one.strip() for one in _SPLIT.split(line) if one.strip()]
    if len(parts) > 5:  # a dish with commas of its own
        parts = [*parts[:2], "、".join(parts[2:-2]), *parts[-2:]]
    if len(parts) < 5:
        words = line.split()
        if len(words) < 5:
            return "menu_bad_line", ""
        parts = [*words[:2], " ".join(words[2:-2]), *words[-2:]]
    day, meal = day_of(parts[0], monday), _MEALS.get(parts[1].lower())
    price_fen, cutoff_min = price_of(parts[3]), cutoff_of(parts[4])
    if day is None:
        return "menu_bad_day", parts[0]
    if meal is None:
        return "menu_bad_meal", parts[1]
    if price_fen is None:
        return "menu_bad_price", parts[3]
    if cutoff_min is None:
        return "menu_bad_cutoff", parts[4]
    return Meal(day.isoformat(), meal, parts[2], price_fen, cutoff_min)


def day_of(word: str, monday: date) -> date | None:
    """ "2026-11-23", "2026/11/23", "11-23", "11月23日", "周一", "Mon"; without a year it is the nearest one."""
    found = re.fullmatch(r"(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})日?", word)
    if found is None:
        at = _WEEKDAYS.get(word.lower()[:3] if word.isascii() else word)
        return None if at is None else monday + timedelta(days=at)
    month, day = int(found[2]), int(found[3])
    years = [int(found[1])] if found[1] else [monday.year - 1, monday.year, monday.year + 1]
    days = [one for one in (_date(year, month, day) for year in years) if one is not None]
    return min(days, key=lambda one: abs(one - monday), default=None)


def price_of(word: str) -> int | None:
    """ "12", "12.5元", "免费" → fen."""
    if word.lower() in ("免费", "不收费", "free"):
        return 0
    found = _PRICE.fullmatch(word)
    return None if found is None else int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


def cutoff_of(word: str) -> int | None:
    """ "10:00", "前一天20:00" → minutes of the day, below 0 the evening before."""
    found = _CUTOFF.fullmatch(word)
    if found is None or int(found[2]) > 24 or int(found[3]) > 59:
        return None
    minute = int(found[2]) * 60 + int(found[3])
    if minute > 1440:
        return None
    return minute - 1440 if found[1] else minute


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
