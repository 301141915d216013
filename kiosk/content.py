"""What staff have written in place of the catalogue's words: the only file that reads and writes `content_edits`.

    content.put(core, "service:ZW-01", {"fee": {"zh": "10 元", "en": "10 yuan"}}, base=17, by="王芳")

Each edit is a row and stays; the newest of a subject and field counts (rules/content.py says how edits lie over the
catalogue). ``core.catalogue`` is the catalogue with all edits over it, made anew after each; ``core.shipped`` is the
file's own.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.faults import NotWritten, OrderRefused
from gateway.log import say_once
from kiosk.core import Core
from kiosk.rules import content as rules
from kiosk.rules.content import Value

#: One at a time: else who read first could put an older catalogue in the place of a newer one.
_LAYING = threading.Lock()
#: Phones of the hall that screens may name, besides 110, 119 and 120: subject "hall", field "phone_lift".
HALL_PHONES = ("community", "property", "lift", "gas", "water", "power")
#: Preset sentences of one kind of request: at most, and signs of one.
PRESETS_AT_MOST, PRESET_LONGEST = 12, 40


@dataclass(frozen=True, slots=True)
class Edit:
    """One row. ``value`` None: as it ships."""

    edit_id: int
    subject: str
    field: str
    value: Value
    by: str
    at_ms: int


class EditedMeanwhile(OrderRefused):
    """Somebody has edited these fields since the page was opened; nothing was written. ``edits``: field → theirs."""

    def __init__(self, edits: Mapping[str, Edit]) -> None:
        names = "、".join(sorted({one.by for one in edits.values()}))
        super().__init__(
            f"{names}刚才改过同一处。什么也没有保存，您写的还在；请看两边的文字，再决定。",
            f"{names} edited the same meanwhile. Nothing was saved and what you typed is kept: compare, then decide.",
        )
        self.edits = dict(edits)


# ---------------------------------------------------------------- reading


def _edit(row: Any) -> Edit:
    edit_id, subject, name, value, by, at_ms = tuple(row)
    return Edit(edit_id, subject, name, json.loads(value), by, at_ms)


_ROW = 'SELECT edit_id, subject, field, value, "by", at_ms FROM content_edits'


def edits_of(notebook: sqlite3.Connection, subject: str, upto: int | None = None) -> dict[str, Edit]:
    """The newest edit of each field of a subject; ``upto``: as it was with this edit and before."""
    found: dict[str, Edit] = {}
    for row in notebook.execute(
        f"{_ROW} WHERE subject = ? AND edit_id <= ? ORDER BY edit_id",
        (subject, 2**62 if upto is None else upto),
    ):
        one = _edit(row)
        found[one.field] = one
    return found


def value_now(notebook: sqlite3.Connection, subject: str, name: str) -> Value:
    """None: as it ships."""
    row = notebook.execute(
        "SELECT value FROM content_edits WHERE subject = ? AND field = ? ORDER BY edit_id DESC LIMIT 1",
        (subject, name),
    ).fetchone()
    return None if row is None else json.loads(row[0])


#: Edits of one subject that its history shows: more nobody reads.
HISTORY_AT_MOST = 200


def history(notebook: sqlite3.Connection, subject: str, most: int = HISTORY_AT_MOST) -> list[Edit]:
    """Newest first."""
    rows = notebook.execute(f"{_ROW} WHERE subject = ? ORDER BY edit_id DESC LIMIT ?", (subject, most))
    return [_edit(row) for row in rows]


def last_changes(notebook: sqlite3.Connection) -> dict[str, Edit]:
    """subject → its newest edit."""
    rows = notebook.execute(
        f"{_ROW} WHERE edit_id IN (SELECT max(edit_id) FROM content_edits GROUP BY subject)"
    )
    return {one.subject: one for one in map(_edit, rows)}


def phone(notebook: sqlite3.Connection, name: str) -> str:
    """A phone of the hall (`HALL_PHONES`); "" where nobody has written one."""
    return str(value_now(notebook, "hall", f"phone_{name}") or "")


def presets(notebook: sqlite3.Connection, kind: str) -> list[dict[str, str]] | None:
    """The sentences that staff offer for a kind of request, ``{"zh", "en"}``; None: as they ship."""
    found = value_now(notebook, f"presets:{kind}", "lines")
    return found if isinstance(found, list) else None


def pauses(notebook: sqlite3.Connection) -> dict[str, rules.Pause]:
    """Items that are, were or will be paused, by code."""
    rows = notebook.execute(
        "SELECT subject, value FROM content_edits WHERE edit_id IN (SELECT max(edit_id) FROM content_edits"
        " WHERE field = ? GROUP BY subject)",
        (rules.PAUSED,),
    )
    found = {str(row[0]).partition(":")[2]: rules.pause_of(json.loads(row[1])) for row in rows}
    return {code: one for code, one in found.items() if one is not None}


# ---------------------------------------------------------------- writing


def put(
    core: Core, subject: str, values: Mapping[str, Value], by: str, base: int | None = None
) -> list[Edit]:
    """Write edits, all or none; what does not change anything is not written. The catalogue is made anew.

    :param base: the newest edit that whoever typed has seen; None: no matter what stood there.
    :raises EditedMeanwhile: a field was edited after ``base``, to something else.
    """
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> list[Edit]:
        there = edits_of(notebook, subject)
        theirs = {
            name: there[name]
            for name, value in values.items()
            if base is not None
            and name in there
            and there[name].edit_id > base
            and there[name].value != value
        }
        if theirs:
            raise EditedMeanwhile(theirs)
        made = []
        for name, value in values.items():
            if (there[name].value if name in there else None) == value:
                continue
            row = notebook.execute(
                'INSERT INTO content_edits(subject, field, value, "by", at_ms) VALUES (?, ?, ?, ?, ?)',
                (subject, name, json.dumps(value, ensure_ascii=False), by, now_ms),
            )
            made.append(Edit(int(row.lastrowid or 0), subject, name, value, by, now_ms))
        return made

    made = core.writer.write(work)
    if made:
        lay(core)
    return made


# ---------------------------------------------------------------- laying it over the catalogue


def lay(core: Core) -> bool:
    """Make ``core.catalogue`` anew. False: the edits cannot be read just now, and the words stay as they are."""
    with _LAYING:
        try:
            rows = core.reader().execute("SELECT subject, field, value FROM content_edits ORDER BY edit_id")
            edits = rules.newest((row[0], row[1], json.loads(row[2])) for row in rows)
        except (NotWritten, sqlite3.Error) as wrong:
            say_once(
                "content", "content_unread", f"edits of texts cannot be read: {wrong}", level=logging.WARNING
            )
            core.laid = False  # the main loop tries again: an edit that is saved must not wait for the next one
            return False
        core.catalogue, unfit = rules.overlaid(core.shipped, edits)
        core.laid = True
    for subject, name, why in unfit:
        say_once(
            f"content:{subject}:{name}",
            "content_unfit",
            f"the edit of {name} of {subject} is left out: {why.why_en}",
            level=logging.WARNING,
        )
    return True
