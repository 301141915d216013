"""What `linli doctor` looks at in bridge.db: how each printer is, slips that ask for a look, the udev rules."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from devices.faults import NotWritten
from gateway.finding import Finding, note, ok, wrong
from gateway.house import House
from gateway.notebook import open_reader

RULES = Path("/etc/udev/rules.d/60-linli-serial.rules")
#: A printer that prints; "unknown" is one that has not answered yet, or never does.
_WELL, _UNKNOWN = ("ready", "paper_low"), "unknown"


def printers(house: House) -> Iterator[Finding]:
    """Each printer of hall.toml as the bridge knows it, with what to do; and slips of which nobody can know."""
    if not house.plan.printers or not house.bridge_db.exists():
        return
    try:
        with closing(open_reader(house.bridge_db)) as book:
            rows = {
                row[0]: row[1:]
                for row in book.execute("SELECT printer, state, why_zh, why_en, paper_mm FROM printers")
            }
            waiting = dict(
                book.execute("SELECT printer, count(*) FROM jobs WHERE state = 'QUEUED' GROUP BY printer").fetchall()
            )
            asking = book.execute("SELECT count(*) FROM jobs WHERE state IN ('UNSURE', 'FAILED')").fetchone()[0]
    except (NotWritten, sqlite3.Error):
        return  # an old schema or a file that cannot be read: said by "notebooks"
    for one in house.plan.printers:
        if one.id in rows:
            state, why_zh, why_en, paper_mm = rows[one.id]
            yield _printer(one.id, state, why_zh, why_en, paper_mm, waiting.get(one.id, 0))
    if asking:
        yield note(
            "slips",
            f"{asking} 张小票不知道打没打出来，请工作人员在“打印机”页上点一下",
            f"{asking} slip(s) ask for a look: console, printers",
        )
    virtual = all(one.port == "virtual" for one in house.plan.printers)
    if not virtual and Path("/run/udev").exists() and not RULES.exists():
        yield wrong(
            "udev",
            f"没有 {RULES}：插拔后端口名会变，ModemManager 会往小票上打乱码",
            f"{RULES} is not there: port names change, and ModemManager prints garbage on slips",
            "sudo cp systemd/60-linli-serial.rules /etc/udev/rules.d/ && sudo udevadm control --reload",
            "sudo cp systemd/60-linli-serial.rules /etc/udev/rules.d/ && sudo udevadm control --reload",
        )


def _printer(name: str, state: str, why_zh: str, why_en: str, paper_mm: int, waiting: int) -> Finding:
    part = f"printer:{name}"
    used = (f"这卷纸已用约 {paper_mm / 1000:.1f} 米", f"about {paper_mm / 1000:.1f} m of its roll used")
    if state == "ready":
        return ok(part, f"正常，{used[0]}", f"ready, {used[1]}")
    if state in _WELL or state == _UNKNOWN:
        return note(part, f"{why_zh or state}（{used[0]}）", f"{why_en or state} ({used[1]})")
    zh, _, do_zh = why_zh.partition("：")
    en, _, do_en = why_en.partition(": ")
    behind = (f"，{waiting} 张等着", f", {waiting} slip(s) wait") if waiting else ("", "")
    return wrong(part, (zh or state) + behind[0], (en or state) + behind[1], do_zh or zh, do_en or en)
