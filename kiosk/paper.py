"""Slips as the kiosk knows them: how it stands with one, printing one again, a test slip. Alone writes reprints.

What is printed is decided in the bridge; here its notebook is read, and a row in ``slips`` is the order to print.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from devices.faults import NotWritten, OrderRefused
from devices.plan import Plan, Printer
from kiosk.core import Core
from kiosk.rules.paper_words import told

Json = dict[str, Any]

#: Why a slip is printed again: what staff touch, and what is written in ``slips.reason``.
REASONS = ("not_out", "torn", "faint", "lost")
#: The same slip again within this is the same touch, trembling.
SAME_TOUCH_MS = 5000


def fresh_slip(slip_id: int | None) -> Json:
    """Just written: the bridge cannot have said anything yet."""
    return _view("NONE" if slip_id is None else "QUEUED", None)


def slip_view(core: Core, ticket_id: int) -> Json:
    """How it stands with a ticket's paper. ``state``: a job's (docs/protocol.md, 3), or NONE without a printer;
    ``printer``: the health of the printer at which it comes out, "away" while the bridge is not there;
    ``word``: what the resident is told, a key of kiosk/words.py; ``at_zh``, ``at_en``: where it comes out."""
    return _slip_view(core, "SELECT slip_id, printer FROM slips WHERE ticket_id = ? ORDER BY slip_id DESC", ticket_id)


def one_slip_view(core: Core, slip_id: int | None) -> Json:
    """How it stands with one slip, or with the newest copy of it."""
    newest = "SELECT slip_id, printer FROM slips WHERE ?1 IN (slip_id, reprint_of) ORDER BY slip_id DESC"
    return _slip_view(core, newest, slip_id)


def _slip_view(core: Core, which: str, of: int | None) -> Json:
    row = core.reader().execute(f"{which} LIMIT 1", (of,)).fetchone()
    if row is None:
        return fresh_slip(None)
    try:
        bridge = core.bridge_reader()
        job = bridge.execute(
            "SELECT state, why_zh, why_en, printer, meant_for, voided, coalesce(confirmed_by, '') AS confirmed_by"
            " FROM jobs WHERE slip_id = ?",
            (row[0],),
        ).fetchone()
        where = row[1] if job is None else job["printer"]
        health = bridge.execute(
            "SELECT state, why_zh, why_en FROM printers WHERE printer = ?", (where,)
        ).fetchone()
    except (NotWritten, sqlite3.OperationalError):
        return _view("QUEUED", "away")
    reason = job if job is not None and job["why_zh"] else health
    state = None if health is None else health["state"]
    plain = {"why_zh": reason["why_zh"] or "", "why_en": reason["why_en"] or ""} if reason is not None else {}
    if job is None:
        return {**_view("QUEUED", state), **plain}
    moved = printer_of(core.house.plan, where) if job["meant_for"] else None
    return {**_view(job["state"], state, job["confirmed_by"], job["voided"], moved), **plain}


def _view(
    state: str, printer: str | None, confirmed_by: str = "", voided: int = 0, moved: Printer | None = None
) -> Json:
    return {
        "state": state,
        "printer": printer,
        "why_zh": "",
        "why_en": "",
        "confirmed_by": confirmed_by,
        "word": told(state, confirmed_by, voided, moved is not None, printer or ""),
        "at_zh": moved.name_zh if moved is not None else "",
        "at_en": moved.name_en if moved is not None else "",
    }


def printer_of(plan: Plan, printer: str) -> Printer | None:
    return next((one for one in plan.printers if one.id == printer), None)


# ---------------------------------------------------------------- once more


def print_again(
    notebook: sqlite3.Connection, slip_id: int, reason: str, by: str, now_ms: int, printer: str = ""
) -> int:
    """The same slip once more, marked as a copy of the first one of its line: its reader must see 补打.

    :param printer: another one than it was written for.
    :raises OrderRefused: there is no such slip, or somebody has just asked for the same.
    """
    row = notebook.execute(
        "SELECT printer, kind, body, coalesce(reprint_of, slip_id), ticket_id FROM slips WHERE slip_id = ?",
        (slip_id,),
    ).fetchone()
    if row is None:
        raise OrderRefused("没有这张纸的记录。", "There is no record of that slip.")
    meant, kind, body, original, ticket_id = tuple(row)
    since_ms = now_ms - SAME_TOUCH_MS
    if notebook.execute(
        # Until now: a clock that was set back must not refuse it for hours.
        "SELECT 1 FROM slips WHERE reprint_of = ? AND created_ms > ? AND created_ms <= ?",
        (original, since_ms, now_ms),
    ).fetchone():
        raise OrderRefused(
            "刚刚已经补打过这张，请等一下。", "This slip is being printed again already; one moment."
        )
    copied = json.dumps({**json.loads(body), "copy_of": original}, ensure_ascii=False)
    done = notebook.execute(
        "INSERT INTO slips(printer, kind, body, created_ms, reprint_of, ticket_id, reason, asked_by)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (printer or meant, kind, copied, now_ms, original, ticket_id, reason, by),
    )
    return int(done.lastrowid or 0)


def put_test(notebook: sqlite3.Connection, printer: Printer, when: str, by: str, now_ms: int) -> int:
    """A short slip that shows whether this printer prints, Chinese too, and cuts."""
    body = {
        "v": 1,
        "kind": "test",
        "title": "打印测试 Test",
        "copy_of": None,
        "blocks": [
            {"t": "text", "text": "打印测试", "size": 2, "align": "center", "bold": True},
            {"t": "text", "text": "Printer test", "align": "center"},
            {"t": "rule"},
            {"t": "pair", "left": printer.name_zh, "right": printer.id},
            {"t": "pair", "left": "时间 Time", "right": when},
            {"t": "pair", "left": "谁 By", "right": by},
            {"t": "text", "text": "横线左右到边、汉字清楚、纸自动切开，就是好的。", "align": "left"},
            {"t": "cut"},
        ],
    }
    done = notebook.execute(
        "INSERT INTO slips(printer, kind, body, created_ms, reason, asked_by) VALUES (?, 'test', ?, ?, 'test', ?)",
        (printer.id, json.dumps(body, ensure_ascii=False), now_ms, by),
    )
    return int(done.lastrowid or 0)


def new_roll(notebook: sqlite3.Connection, printer: str, by: str, now_ms: int) -> None:
    """Somebody has put in a new roll, and the printer cannot say so itself."""
    notebook.execute(
        "INSERT INTO printer_acts(printer, act, by, at_ms) VALUES (?, 'new_roll', ?, ?)",
        (printer, by, now_ms),
    )
