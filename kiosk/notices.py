"""Notices of the hall: what stands on its display for some days. The only file that reads and writes `notices`.

notices.showing(core.reader(), core.now_ms())    # now, the newest first
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from devices.faults import OrderRefused
from kiosk.core import Core
from kiosk.rules.content import text_of

#: What a display can show at once so that it can be read from 5 m (36 mm signs), and how many are kept up.
TITLE_LONGEST, BODY_LONGEST, AT_ONCE = 40, 200, 20


@dataclass(frozen=True, slots=True)
class Notice:
    """``until_ms`` None: until somebody takes it down. English may be missing: screens then show the Chinese."""

    notice_id: int
    title_zh: str
    title_en: str
    body_zh: str
    body_en: str
    from_ms: int
    until_ms: int | None
    made_ms: int
    made_by: str
    gone_ms: int | None

    def title(self, lang: str) -> str:
        return self.title_en if lang == "en" and self.title_en else self.title_zh

    def body(self, lang: str) -> str:
        return self.body_en if lang == "en" and self.body_en else self.body_zh


_ROW = "SELECT notice_id, title_zh, title_en, body_zh, body_en, from_ms, until_ms, made_ms, made_by, gone_ms"


def showing(notebook: sqlite3.Connection, now_ms: int) -> list[Notice]:
    """Those that are up now, the newest first."""
    rows = notebook.execute(
        f"{_ROW} FROM notices WHERE gone_ms IS NULL AND from_ms <= ?1 AND (until_ms IS NULL OR until_ms > ?1)"
        " ORDER BY from_ms DESC, notice_id DESC LIMIT ?2",
        (now_ms, AT_ONCE),
    )
    return [Notice(*tuple(row)) for row in rows]


def lately(notebook: sqlite3.Connection, most: int = 100) -> list[Notice]:
    """All there are and were, the newest first."""
    rows = notebook.execute(f"{_ROW} FROM notices ORDER BY notice_id DESC LIMIT ?", (most,))
    return [Notice(*tuple(row)) for row in rows]


def put_up(
    core: Core,
    texts: dict[str, Any],
    from_ms: int,
    until_ms: int | None,
    by: str,
    instead_of: int | None = None,
) -> int:
    """A new notice, or another in the place of one; answers its number.

    :param texts: title_zh, title_en, body_zh, body_en; the Chinese title must be there.
    :raises OrderRefused: empty, too long, over before it begins, or too many at once.
    """
    clean = {name: text_of(texts.get(name)) for name in ("title_zh", "title_en", "body_zh", "body_en")}
    if not clean["title_zh"]:
        raise OrderRefused("请写中文标题", "The Chinese title is missing")
    if clean["body_en"] and not clean["title_en"]:
        raise OrderRefused("有英文内容就要有英文标题", "An English text needs an English title")
    for name, one in clean.items():
        # An English sentence has about twice the signs of its Chinese, each half as wide.
        longest = (TITLE_LONGEST if name.startswith("title") else BODY_LONGEST) * (
            2 if name.endswith("en") else 1
        )
        if len(one) > longest:
            raise OrderRefused(
                f"“{one[:12]}…”有 {len(one)} 个字，最多 {longest} 个，不然在大屏上看不清",
                f"“{one[:12]}…” has {len(one)} signs; at most {longest}, or nobody can read it on the display",
            )
    now_ms = core.now_ms()
    if until_ms is not None and until_ms <= max(from_ms, now_ms):
        raise OrderRefused(
            "结束时间已经过了，或早于开始时间", "It ends before it begins, or has ended already"
        )

    def work(notebook: sqlite3.Connection) -> int:
        if instead_of is not None:
            _take_down(notebook, instead_of, now_ms)
        up = notebook.execute(
            "SELECT count(*) FROM notices WHERE gone_ms IS NULL AND (until_ms IS NULL OR until_ms > ?)",
            (now_ms,),
        ).fetchone()[0]
        if up >= AT_ONCE:
            raise OrderRefused(
                f"已经有 {up} 条通知，请先撤下一条", f"{up} notices are up already: take one down first"
            )
        row = notebook.execute(
            "INSERT INTO notices(title_zh, title_en, body_zh, body_en, from_ms, until_ms, made_ms, made_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*clean.values(), from_ms, until_ms, now_ms, by),
        )
        return int(row.lastrowid or 0)

    made = core.writer.write(work)
    core.hub.publish("hall", "content", {"subject": "notices"})
    return made


def take_down(core: Core, notice_id: int) -> None:
    """:raises OrderRefused: it is down already."""
    now_ms = core.now_ms()
    core.writer.write(lambda notebook: _take_down(notebook, notice_id, now_ms))
    core.hub.publish("hall", "content", {"subject": "notices"})


def _take_down(notebook: sqlite3.Connection, notice_id: int, now_ms: int) -> None:
    done = notebook.execute(
        "UPDATE notices SET gone_ms = ? WHERE notice_id = ? AND gone_ms IS NULL", (now_ms, notice_id)
    )
    if not done.rowcount:
        raise OrderRefused("这条通知已经撤下或换掉了", "That notice was taken down or replaced already")
