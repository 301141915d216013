"""What `linli doctor` looks at in the journal: whether anybody has changed, put in or taken away a line, and where."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from devices.faults import NotWritten
from gateway import journal
from gateway.backup_sets import backups_of, sets_in
from gateway.finding import Finding, note, ok, wrong
from gateway.house import House
from gateway.notebook import open_reader

_EPOCH = "SELECT value FROM meta WHERE key = 'epoch'"
_DO = (
    "不要再改动这个文件；把它和备份文件夹一起复制下来，交给负责人核对",
    "leave the file as it is; copy it together with the backups' folder, and let whoever is responsible compare",
)


def chain(house: House) -> Iterator[Finding]:
    """Every line of the journal against its chain, and the chain against the newest backup that has one."""
    if not house.gateway_db.exists():
        return
    try:
        with closing(open_reader(house.gateway_db)) as book:
            verdict = journal.verify(book)
            found = list(verdict.breaks)
            if not found and (against := _backups_say(house, book)) is not None:
                found.append(against)
    except (NotWritten, sqlite3.DatabaseError) as unreadable:
        yield wrong("journal", f"读不出来：{unreadable}", f"cannot be read: {unreadable}", *_DO)
        return
    for one in verdict.explained:
        zh, en = f"{one.zh}（从备份恢复时丢失）", f"{one.en} (lost, then restored from a backup)"
        yield note("journal", f"第 {one.line_id} 行：{zh}", f"line {one.line_id}: {en}")
    for one in found:
        yield wrong("journal", f"第 {one.line_id} 行：{one.zh}", f"line {one.line_id}: {one.en}", *_DO)
    if verdict.broken > len(verdict.breaks):
        more = verdict.broken - len(verdict.breaks)
        yield note("journal", f"另有 {more} 处", f"and {more} more")
    if not found:
        zh, en = f"{verdict.lines} 行，链条完整", f"{verdict.lines} lines, the chain is whole"
        if verdict.unsealed:
            zh += f"（最早 {verdict.unsealed} 行没有链）"
            en += f" (the first {verdict.unsealed} are from before there was one)"
        if verdict.erased:
            zh += f"，{verdict.erased} 行按要求抹去姓名"
            en += f", the words of {verdict.erased} erased on demand"
        yield ok("journal", zh, en)


def _backups_say(house: House, book: sqlite3.Connection) -> journal.Break | None:
    for one in sets_in(backups_of(house.home)):
        copy = one.folder / house.gateway_db.name
        if not copy.exists():
            continue
        try:
            with closing(open_reader(copy)) as older:
                if older.execute(_EPOCH).fetchone() != book.execute(_EPOCH).fetchone():
                    continue  # of another life of this notebook: a restore lies in between
                return journal.contradicts(book, older)
        except (NotWritten, sqlite3.DatabaseError):
            continue  # that backup is bad: its own check says so
    return None
