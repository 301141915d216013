"""Notices to the hall: what staff have to say to everybody, from a day until a day. Alone reads the table ``notices``.

    for one in notices_now(core): …          # what hangs there now, the newest first
    put_notice(core, "li", Notice(…))         # staff hang one up, or change it; the display hears of it at once

A notice is in Chinese; English is asked for and may be missing. Nothing is deleted: one that was taken down keeps its
row (``gone_ms``), for whoever asks what hung there.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import Any

from devices.faults import OrderRefused
from kiosk.core import Core

#: More at once nobody reads: the newest (our choice).
SHOWN_AT_MOST = 12
TITLE_AT_MOST, BODY_AT_MOST = 40, 400

Json = dict[str, Any]

_FIELDS = "notice_id, title_zh, title_en, body_zh, body_en, from_ms, until_ms, made_ms, made_by, gone_ms"


@dataclass(frozen=True, slots=True)
class Notice:
    """A row. ``until_ms`` None: until somebody takes it down (``gone_ms``). ``notice_id`` 0: not written yet."""

    notice_id: int = 0
    title_zh: str = ""
    title_en: str = ""
    body_zh: str = ""
    body_en: str = ""
    from_ms: int = 0
    until_ms: int | None = None
    made_ms: int = 0
    made_by: str = ""
    gone_ms: int | None = None

    def hangs(self, now_ms: int) -> bool:
        """Whether everybody sees it at this moment."""
        ended = self.until_ms is not None and self.until_ms <= now_ms
        return self.gone_ms is None and self.from_ms <= now_ms and not ended


class ChangedMeanwhile(OrderRefused):
    """Nothing was written. ``now``: how the notice stands."""

    def __init__(self, now: Notice) -> None:
        if now.gone_ms is not None:
            super().__init__(
                "这条通知已经撤下，没有保存，您写的还在。再保存就另挂一条。",
                "This notice was taken down. Nothing was saved, what you typed is kept: saved again, it hangs anew.",
            )
        else:
            super().__init__(
                f"{now.made_by} 刚才改过这条通知，没有保存，您写的还在。",
                f"{now.made_by} has just changed this notice; nothing was saved, what you typed is kept.",
            )
        self.now = now


def notices_now(core: Core) -> list[Notice]:
    """What hangs there now, the newest first, at most `SHOWN_AT_MOST`.

    :raises NotWritten: / :raises sqlite3.Error: the notebook cannot be read.
    """
    found = core.reader().execute(
        f"SELECT {_FIELDS} FROM notices WHERE gone_ms IS NULL AND from_ms <= ?1 AND (until_ms IS NULL OR until_ms > ?1)"
        f" ORDER BY from_ms DESC, notice_id DESC LIMIT {SHOWN_AT_MOST}",
        (core.now_ms(),),
    )
    return [Notice(*row) for row in found]


def all_notices(core: Core, at_most: int = 200) -> list[Notice]:
    """Those that hang or will hang, then the newest that have come down: what staff look at."""
    found = core.reader().execute(
        f"SELECT {_FIELDS} FROM notices"
        " ORDER BY gone_ms IS NOT NULL OR coalesce(until_ms <= ?, 0), from_ms DESC, notice_id DESC LIMIT ?",
        (core.now_ms(), at_most),
    )
    return [Notice(*row) for row in found]


def by_id(core: Core, notice_id: int) -> Notice | None:
    row = core.reader().execute(f"SELECT {_FIELDS} FROM notices WHERE notice_id = ?", (notice_id,)).fetchone()
    return None if row is None else Notice(*row)


def view(notice: Notice) -> Json:
    """A notice as hall screens show it: nothing of who wrote it."""
    return {
        "id": notice.notice_id,
        "title": {"zh": notice.title_zh, "en": notice.title_en},
        "body": {"zh": notice.body_zh, "en": notice.body_en},
    }


# ---------------------------------------------------------------- what staff do


def put_notice(core: Core, by: str, notice: Notice) -> Notice:
    """Hang one up (``notice_id`` 0) or change it; what was written. All screens of the hall are told.

    :param notice: ``made_ms``: of what stood there when whoever writes has read it; 0: no matter what stands there.
    :raises ChangedMeanwhile: another has changed it since, or taken it down.
    :raises OrderRefused: no title, too long, or over before it begins; nothing is written.
    """
    clean = replace(
        notice,
        title_zh=notice.title_zh.strip(),
        title_en=notice.title_en.strip(),
        body_zh=notice.body_zh.strip(),
        body_en=notice.body_en.strip(),
    )
    _check(clean)
    written = core.writer.write(lambda notebook: _put(notebook, clean, by, core.now_ms()))
    tell(core)
    return written


def take_down(core: Core, notice_id: int) -> None:
    """It hangs no more. One that has come down already stays as it is.

    :raises OrderRefused: there is no such notice.
    """
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> None:
        known = notebook.execute("SELECT 1 FROM notices WHERE notice_id = ?", (notice_id,)).fetchone()
        if known is None:
            raise _unknown(notice_id)
        notebook.execute(
            "UPDATE notices SET gone_ms = ? WHERE notice_id = ? AND gone_ms IS NULL", (now_ms, notice_id)
        )

    core.writer.write(work)
    tell(core)


def tell(core: Core) -> None:
    """Screens of the hall look anew at what hangs there (docs/protocol.md, 10)."""
    core.hub.publish("hall", "hall", {})


def _check(notice: Notice) -> None:
    if not notice.title_zh:
        raise OrderRefused("请写中文标题", "Please write a Chinese title")
    if max(len(notice.title_zh), len(notice.title_en) // 3) > TITLE_AT_MOST:
        raise OrderRefused(
            f"标题最多 {TITLE_AT_MOST} 字，英文 {3 * TITLE_AT_MOST} 个字母",
            f"A title has at most {TITLE_AT_MOST} Chinese signs, or {3 * TITLE_AT_MOST} English letters",
        )
    if max(len(notice.body_zh), len(notice.body_en) // 3) > BODY_AT_MOST:
        raise OrderRefused(
            f"内容最多 {BODY_AT_MOST} 字，英文 {3 * BODY_AT_MOST} 个字母",
            f"A text has at most {BODY_AT_MOST} Chinese signs, or {3 * BODY_AT_MOST} English letters",
        )
    if notice.until_ms is not None and notice.until_ms <= notice.from_ms:
        raise OrderRefused("结束时间要在开始之后", "It must end after it begins")


def _put(notebook: sqlite3.Connection, notice: Notice, by: str, now_ms: int) -> Notice:
    if not notice.notice_id:
        row = replace(notice, notice_id=0, made_ms=now_ms, made_by=by, gone_ms=None)
        done = notebook.execute(
            "INSERT INTO notices(title_zh, title_en, body_zh, body_en, from_ms, until_ms, made_ms, made_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.title_zh,
                row.title_en,
                row.body_zh,
                row.body_en,
                row.from_ms,
                row.until_ms,
                row.made_ms,
                row.made_by,
            ),
        )
        return replace(row, notice_id=int(done.lastrowid or 0))
    found = notebook.execute(f"SELECT {_FIELDS} FROM notices WHERE notice_id = ?", (notice.notice_id,)).fetchone()
    if found is None:
        raise _unknown(notice.notice_id)
    there = Notice(*found)
    if there.gone_ms is not None or (notice.made_ms and notice.made_ms != there.made_ms):
        raise ChangedMeanwhile(there)
    notebook.execute(
        "UPDATE notices SET title_zh = ?, title_en = ?, body_zh = ?, body_en = ?, from_ms = ?, until_ms = ?,"
        " made_ms = ?, made_by = ? WHERE notice_id = ?",
        (
            notice.title_zh,
            notice.title_en,
            notice.body_zh,
            notice.body_en,
            notice.from_ms,
            notice.until_ms,
            now_ms,
            by,
            notice.notice_id,
        ),
    )
    return replace(notice, made_ms=now_ms, made_by=by)


def _unknown(notice_id: int) -> OrderRefused:
    return OrderRefused(f"没有 {notice_id} 号通知", f"There is no notice {notice_id}")
