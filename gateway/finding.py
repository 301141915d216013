"""One line of the doctor's: what was looked at, how it is, what to do. Found by linli, shown by the console, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.house import House


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ``mark`` is "ok", "wrong" or "note"; ``part`` is what was looked at; ``do_…``: "" where nothing is."""

    mark: str
    part: str
    zh: str
    en: str
    do_zh: str = ""
    do_en: str = ""


Check = Callable[[House], Iterator[Finding]]


def ok(part: str, zh: str, en: str) -> Finding:
    return Finding("ok", part, zh, en)


def note(part: str, zh: str, en: str) -> Finding:
    return Finding("note", part, zh, en)


def wrong(part: str, zh: str, en: str, do_zh: str, do_en: str) -> Finding:
    return Finding("wrong", part, zh, en, do_zh, do_en)
