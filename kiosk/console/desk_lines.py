"""What a desk shows: sections of lines, each line one thing that somebody has to do, and where it is done.

Every text is a pair (Chinese, English), so that the page can be read in either without being loaded anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flask import current_app, url_for

from kiosk.console.words import WORDS

Pair = tuple[str, str]
Json = dict[str, Any]
#: "hot": at once; "warn": today; "": when there is time.
Level = Literal["hot", "warn", ""]
#: Lines of one section: more than these nobody reads standing.
SHOWN = 8


def same(text: object) -> Pair:
    """A name or a number: the same in both languages."""
    return str(text), str(text)


def words(key: str, **filled: object) -> Pair:
    """A sentence of words.py; a filled pair is filled in its own language."""
    said = []
    for number, text in enumerate(WORDS[key]):
        for name, value in filled.items():
            text = text.replace("{" + name + "}", str(value[number] if isinstance(value, tuple) else value))
        said.append(text)
    return said[0], said[1]


def joined(*pairs: Pair, by: str = " · ") -> Pair:
    """Those that say something, with a dot between."""
    return by.join(one[0] for one in pairs if one[0]), by.join(one[1] for one in pairs if one[1])


def page(endpoint: str, **values: Any) -> str:
    """The address of a page of the console, or "" where there is none (yet)."""
    return (
        url_for(f"console.{endpoint}", **values)
        if f"console.{endpoint}" in current_app.view_functions
        else ""
    )


@dataclass(frozen=True, slots=True)
class Line:
    """``key`` names it in its section; ``since_ms`` since when it waits; ``do`` is what the touch does, at ``url``;
    ``off``: there is nothing to do it to now, and ``more`` says why."""

    key: str
    what: Pair
    more: Pair = ("", "")
    level: Level = ""
    since_ms: int | None = None
    url: str = ""
    do: Pair = ("", "")
    off: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """``empty`` is said where there is no line; ``unread``: it could not be read, so nobody knows.

    ``count`` are all its lines, shown or not; ``chip`` the number beside the title where its lines are not what is
    counted (a line for each window, and people who wait).
    """

    key: str
    lines: Sequence[Line] = ()
    count: int = 0
    chip: int | None = None
    empty: str = ""
    url: str = ""
    unread: bool = False
    note: Pair = field(default=("", ""))

    @property
    def hot(self) -> int:
        return sum(one.level == "hot" for one in self.lines)


def section(
    key: str, lines: Sequence[Line], *, count: int | None = None, url: str = "", **more: Any
) -> Section:
    """The first `SHOWN` of the lines, the loudest first; how many there are in all."""
    order = {"hot": 0, "warn": 1, "": 2}
    lines = sorted(lines, key=lambda one: order[one.level])
    return Section(key, lines[:SHOWN], len(lines) if count is None else count, empty=f"{key}_none", url=url, **more)


def unread(key: str) -> Section:
    return Section(key, unread=True)


def section_json(one: Section) -> Json:
    """A section as the page's script draws it; the template draws the same."""
    return {
        "key": one.key,
        "title": WORDS[one.key],
        "count": one.count if one.chip is None else one.chip,
        "more": one.count - len(one.lines),
        "url": one.url,
        "note": one.note,
        "empty": WORDS["desk_unread"] if one.unread else WORDS[one.empty] if not one.lines else ("", ""),
        "unread": one.unread,
        "lines": [
            {
                "key": line.key,
                "what": line.what,
                "more": line.more,
                "level": line.level,
                "since_ms": line.since_ms,
                "url": line.url,
                "do": line.do if line.url else ("", ""),
                "off": line.off,
            }
            for line in one.lines
        ],
    }
