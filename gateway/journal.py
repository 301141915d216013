"""The journal's chain: each line seals the one before. Lives here: appending, and finding what was changed.

    seal  = sha256(salt, [actor, detail])                     the words, which may be erased one day
    chain = sha256(chain before, [line_id, at_ms, written_ms, event, subject, seal])

Whoever changes a word breaks that line's seal; whoever changes anything else, puts a line in or takes one away breaks
the chain from there on; whoever cuts the end off contradicts ``meta.journal_head``, which is written with each line.
Triggers refuse all of this to every program that does not take them away first; only the words of a line may be erased.
A person with the file, time and this page can still write a whole new journal: the hourly backups, each with its own
head, speak against him (``linli doctor`` compares them).

Lines written before the chain was invented have none (``chain`` is ""): it begins at the first that has one.
Cost: some 15 microseconds a line, measured.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_PUT = (
    "INSERT INTO journal(line_id, at_ms, event, subject, actor, detail, written_ms, salt, seal, chain)"
    " VALUES (?,?,?,?,?,?,?,?,?,?)"
)
_PUT_HEAD = "INSERT OR REPLACE INTO meta(key, value) VALUES ('journal_head', ?)"
_ALL = "SELECT line_id, at_ms, event, subject, actor, detail, written_ms, salt, seal, chain FROM journal"
#: In the words of a NotebookRestored line, before the lines that could not be read: "… missing 4-5 9-9".
MISSING = " missing "
#: So many breaks are named; a file that was rewritten has thousands, and the first says where to look.
MOST_NAMED = 20


class Line(Protocol):
    """What is to be written down (hall/state.py, JournalLine)."""

    @property
    def at_ms(self) -> int: ...
    @property
    def event(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def detail(self) -> str: ...


def append(connection: sqlite3.Connection, lines: Iterable[Line], written_ms: int) -> None:
    """Write lines at the journal's end, in the transaction that is open."""
    line_id, chain = before = _end(connection)
    for line in lines:
        line_id += 1
        salt = os.urandom(8).hex()
        seal = _seal(salt, line.actor, line.detail)
        chain = _link(chain, line_id, line.at_ms, written_ms, line.event, line.subject, seal)
        words = (line_id, line.at_ms, line.event, line.subject, line.actor, line.detail)
        connection.execute(_PUT, (*words, written_ms, salt, seal, chain))
    if line_id != before[0]:
        connection.execute(_PUT_HEAD, (f"{line_id}:{chain}",))


def erase(connection: sqlite3.Connection, line_ids: Iterable[int]) -> None:
    """Erase who acted and what was said in these lines; what happened, to what and when, stays."""
    connection.executemany(
        "UPDATE journal SET actor = '', detail = '', salt = '' WHERE line_id = ?", [(one,) for one in line_ids]
    )


@dataclass(frozen=True, slots=True)
class Break:
    """Where the journal is not what was written. ``line_id`` is the first line that does not fit."""

    line_id: int
    zh: str
    en: str


@dataclass(slots=True)
class Verdict:
    """What :func:`verify` found. ``explained``: breaks that a restore from a backup accounts for."""

    lines: int = 0
    #: lines from before the chain was invented
    unsealed: int = 0
    erased: int = 0
    broken: int = 0
    breaks: list[Break] = field(default_factory=list)
    explained: list[Break] = field(default_factory=list)
    head: tuple[int, str] = (0, "")


def verify(connection: sqlite3.Connection) -> Verdict:
    """Read the journal from its first line to its last and compare. A million lines take some five seconds.

    :raises sqlite3.DatabaseError: it cannot be read.
    """
    verdict = Verdict()
    if not _is_chained(connection):
        return verdict
    chain, before = "", 0
    found: list[Break] = []
    gaps: dict[str, Break] = {}
    known_gaps: set[str] = set()
    erased: set[int] = set()
    said_erased: set[str] = set()
    for line_id, at_ms, event, subject, actor, detail, written_ms, salt, seal, said in connection.execute(
        f"{_ALL} ORDER BY line_id"
    ):
        verdict.lines += 1
        if not said and not chain:
            verdict.unsealed += 1
            before = line_id
            continue
        if event == "NotebookRestored":
            known_gaps |= set(detail.partition(MISSING)[2].split())
        elif event == "WordsErased":
            said_erased.add(subject)
        if not salt and not actor and not detail and seal != _seal("", "", ""):
            erased.add(line_id)
        elif _seal(salt, actor, detail) != seal:
            found.append(Break(line_id, "操作人或内容被改过", "who acted or what was said was changed"))
        if before and line_id != before + 1:
            gone = f"{before + 1}-{line_id - 1}"
            gaps[gone] = Break(line_id, f"缺少第 {gone} 行", f"lines {gone} are missing")
        elif _link(chain, line_id, at_ms, written_ms, event, subject, seal) != said:
            found.append(
                Break(line_id, "这一行或前一行被改过", "this line, or the one before, was changed or put in")
            )
        chain, before = said, line_id
    found += [
        Break(line_id, "内容被抹去，却没有记下是谁", "its words were erased, and nobody said who did")
        for line_id in sorted(erased)
        if f"line:{line_id}" not in said_erased
    ]
    verdict.erased = len(erased)
    # A restore accounts for what it could not read, line by line, and for nothing else.
    verdict.explained = [one for gone, one in gaps.items() if gone in known_gaps]
    found += [one for gone, one in gaps.items() if gone not in known_gaps]
    found.sort(key=lambda one: one.line_id)
    verdict.head = (before, chain)
    noted = _noted_head(connection)
    if noted is not None and noted != verdict.head:
        if noted[0] > before:
            gone = f"{before + 1}–{noted[0]}"
            found.append(Break(before + 1, f"末尾缺少第 {gone} 行", f"the end is missing: lines {gone}"))
        else:
            found.append(Break(before, "末尾和记下的不一致", "the end is not the one that was noted"))
    verdict.broken = len(found)
    verdict.breaks = found[:MOST_NAMED]
    return verdict


def gaps(connection: sqlite3.Connection) -> str:
    """The lines that are not there, as a restore writes them down: " missing 4-5 9-9", or ""."""
    pairs = connection.execute(
        "SELECT before + 1, line_id - 1 FROM"
        " (SELECT line_id, lag(line_id) OVER (ORDER BY line_id) AS before, chain FROM journal)"
        " WHERE line_id > before + 1 AND chain <> ''"
    ).fetchall()
    return MISSING + " ".join(f"{first}-{last}" for first, last in pairs) if pairs else ""


def contradicts(connection: sqlite3.Connection, older: sqlite3.Connection) -> Break | None:
    """Whether a backup of this notebook remembers its newest line otherwise."""
    if not (_is_chained(connection) and _is_chained(older)):
        return None
    line_id, chain = _end(older)
    if not chain:
        return None
    here = connection.execute("SELECT chain FROM journal WHERE line_id = ?", (line_id,)).fetchone()
    if here is not None and here[0] == chain:
        return None
    return Break(line_id, "备份里的这一行和现在的不一样", "a backup has this line otherwise")


def lines(connection: sqlite3.Connection, first_ms: int = 0) -> Iterator[tuple[int, int, int, str, str, str, str]]:
    """(line_id, at_ms, written_ms, event, subject, actor, detail) from that time on, in the order of writing."""
    yield from connection.execute(
        "SELECT line_id, at_ms, written_ms, event, subject, actor, detail FROM journal"
        " WHERE at_ms >= ? ORDER BY line_id",
        (first_ms,),
    )


def _end(connection: sqlite3.Connection) -> tuple[int, str]:
    row = connection.execute("SELECT line_id, chain FROM journal ORDER BY line_id DESC LIMIT 1").fetchone()
    return (0, "") if row is None else (int(row[0]), str(row[1]))


def _noted_head(connection: sqlite3.Connection) -> tuple[int, str] | None:
    row = connection.execute("SELECT value FROM meta WHERE key = 'journal_head'").fetchone()
    if row is None:
        return None
    number, _, chain = str(row[0]).partition(":")
    return (int(number), chain) if number.isdecimal() else (0, "")


def _is_chained(connection: sqlite3.Connection) -> bool:
    return any(row[1] == "chain" for row in connection.execute("PRAGMA table_info(journal)"))


# The two below write their lists out sign by sign: the encoder is quick with a word, and makes itself anew for a list.


def _seal(salt: str, actor: str, detail: str) -> str:
    words = f"[{_encode(actor)},{_encode(detail)}]"
    return hashlib.sha256((salt + words).encode("utf-8", "surrogatepass")).hexdigest()


def _link(chain: str, line_id: int, at_ms: int, written_ms: int, event: str, subject: str, seal: str) -> str:
    words = f"[{line_id},{at_ms},{written_ms},{_encode(event)},{_encode(subject)},{_encode(seal)}]"
    return hashlib.sha256((chain + words).encode("utf-8", "surrogatepass")).hexdigest()
