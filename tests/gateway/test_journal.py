"""The journal's chain: whatever somebody does to a line, it is found, and where."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import journal
from gateway.hall.state import JournalLine
from gateway.notebook import Notebook, copy_notebook, open_reader

SCHEMA = Path("gateway/schema").absolute()
STAYS = ("journal_stays", "journal_is_not_changed")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Notebook]:
    book = Notebook(tmp_path / "gateway.db", SCHEMA)
    for number in range(1, 11):
        say(book, JournalLine(number * 1000, "Pressed", f"call:{number}", "btn-1", f"emergency boot:{number}"))
    yield book
    book.close()


def say(book: Notebook, *lines: JournalLine) -> None:
    book.write(lambda connection: journal.append(connection, lines, lines[0].at_ms + 2))


def forge(book: Notebook, sql: str, *values: object) -> None:
    """What a person does who has the file, SQLite and no respect: first the triggers go."""
    for name in STAYS:
        book.connection.execute(f"DROP TRIGGER IF EXISTS {name}")
    book.write(lambda connection: connection.execute(sql, values))


def broken_at(book: Notebook) -> list[int]:
    return [one.line_id for one in journal.verify(book.connection).breaks]


def test_a_journal_that_nobody_touched_is_whole(book: Notebook) -> None:
    verdict = journal.verify(book.connection)
    assert (verdict.lines, verdict.breaks, verdict.unsealed, verdict.erased) == (10, [], 0, 0)


def test_seal_and_chain_are_what_the_journal_says_of_them(tmp_path: Path) -> None:
    """Whoever reads the head of gateway/journal.py and has a JSON library can check a journal without ours."""

    def digest(before: str, words: list[object]) -> str:
        text = before + json.dumps(words, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    book = Notebook(tmp_path / "gateway.db", SCHEMA)
    odd = ("", "张奶奶", 'say "hello"', "back\\slash", "line\nfeed \x00\x1f\x7f", "\u2028", "\U0001f9d3")
    say(book, *(JournalLine(-1, word, f"call:{word}", word, word[::-1]) for word in odd))
    chain = ""
    rows = book.connection.execute(
        "SELECT line_id, at_ms, written_ms, event, subject, actor, detail, salt, seal, chain FROM journal"
    ).fetchall()
    assert len(rows) == len(odd)
    for *outer, actor, detail, salt, seal, said in rows:
        assert seal == digest(salt, [actor, detail])
        assert said == (chain := digest(chain, [*outer, seal]))
    book.close()


@pytest.mark.parametrize(
    ("sql", "where"),
    [
        ("UPDATE journal SET detail = 'emergency boot:99' WHERE line_id = 4", [4]),
        ("UPDATE journal SET actor = '李四' WHERE line_id = 1", [1]),
        ("UPDATE journal SET at_ms = at_ms + 1 WHERE line_id = 7", [7]),
        ("UPDATE journal SET written_ms = 0 WHERE line_id = 7", [7]),
        ("UPDATE journal SET subject = 'call:1' WHERE line_id = 10", [10]),
        ("UPDATE journal SET event = 'Closed' WHERE line_id = 10", [10]),
        ("DELETE FROM journal WHERE line_id = 5", [6]),
        ("DELETE FROM journal WHERE line_id = 1", [2]),
        ("DELETE FROM journal WHERE line_id >= 9", [9]),
        ("UPDATE journal SET line_id = 20 WHERE line_id = 10", [20, 20]),
        ("INSERT INTO journal(at_ms, event, subject) VALUES (11000, 'Closed', 'call:3')", [11, 11, 11]),
        ("UPDATE journal SET seal = '', salt = '', actor = '', detail = '' WHERE line_id = 3", [3, 3]),
        ("UPDATE meta SET value = '10:0' WHERE key = 'journal_head'", [10]),
    ],
)
def test_an_edit_is_found_and_said_where(book: Notebook, sql: str, where: list[int]) -> None:
    forge(book, sql)
    assert broken_at(book) == where


def test_two_lines_that_change_places_are_found(book: Notebook) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        forge(book, "UPDATE journal SET line_id = ? WHERE line_id = ?", new, old)
    assert broken_at(book)[0] == 3


@pytest.mark.parametrize("sql", ["DELETE FROM journal", "UPDATE journal SET detail = 'x' WHERE line_id = 1"])
def test_the_notebook_itself_refuses(book: Notebook, sql: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        book.write(lambda connection: connection.execute(sql))


def test_words_may_be_erased_and_the_chain_stays_whole(book: Notebook) -> None:
    book.write(lambda connection: journal.erase(connection, [2, 3]))
    for line_id in (2, 3):
        say(book, JournalLine(11_000, "WordsErased", f"line:{line_id}", "admin"))
    verdict = journal.verify(book.connection)
    assert (verdict.breaks, verdict.erased) == ([], 2)
    left = book.connection.execute("SELECT actor, detail FROM journal WHERE line_id = 2").fetchone()
    assert left == ("", "")


def test_words_that_somebody_erased_on_the_quiet_are_found(book: Notebook) -> None:
    """The triggers let it pass: it is what an order does, too. But the order says so in a line of its own."""
    book.write(lambda connection: journal.erase(connection, [2, 3]))
    say(book, JournalLine(11_000, "WordsErased", "line:3", "admin"))
    assert broken_at(book) == [2]


def test_who_rewrites_the_whole_journal_is_contradicted_by_a_backup(book: Notebook, tmp_path: Path) -> None:
    copy_notebook(book.path, tmp_path / "backup.db")
    say(book, JournalLine(11_000, "Closed", "call:1", "王五", "helped"))
    older = open_reader(tmp_path / "backup.db")
    assert journal.contradicts(book.connection, older) is None
    forge(book, "DELETE FROM journal")
    say(book, *(JournalLine(number, "Pressed", "call:1", "btn-2", "test x") for number in range(12)))
    assert broken_at(book) == [], "by itself it looks whole"
    against = journal.contradicts(book.connection, older)
    older.close()
    assert against is not None and against.line_id == 10


def test_a_journal_from_before_there_was_a_chain_goes_on_with_one(tmp_path: Path) -> None:
    book = Notebook(tmp_path / "gateway.db", SCHEMA)
    book.write(
        lambda connection: connection.execute("INSERT INTO journal(at_ms, event, subject) VALUES (1, 'Old', 'x')")
    )
    say(book, JournalLine(2_000, "Pressed", "call:1", "btn-1", "emergency a:1"))
    verdict = journal.verify(book.connection)
    book.close()
    assert (verdict.lines, verdict.unsealed, verdict.breaks) == (2, 1, [])


def test_what_a_restore_lost_is_told_apart_from_what_a_person_did(book: Notebook) -> None:
    forge(book, "DELETE FROM journal WHERE line_id IN (4, 5, 8)")
    missing = journal.gaps(book.connection)
    assert missing == " missing 4-5 8-8"
    say(book, JournalLine(20_000, "NotebookRestored", "notebook", "", f"gateway.db.corrupt-1 no backup{missing}"))
    verdict = journal.verify(book.connection)
    assert verdict.breaks == []
    assert [one.line_id for one in verdict.explained] == [6, 9]
    forge(book, "UPDATE journal SET actor = '李四' WHERE line_id = 1")
    assert broken_at(book) == [1], "a restore explains what it could not read, no changed word"
    forge(book, "DELETE FROM journal WHERE line_id = 2")
    assert broken_at(book) == [1, 3], "and no line that went later"
    forge(book, "UPDATE journal SET event = 'Closed' WHERE line_id = 11")
    assert broken_at(book) == [1, 3, 6, 9, 11], "it is no cover for itself"


def test_a_commit_that_fails_leaves_the_chain_as_it_was(book: Notebook) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        journal.append(connection, [JournalLine(1, "Lost", "call:1")], 1)
        raise ValueError("a mistake of ours")

    with pytest.raises(ValueError, match="a mistake"):
        book.write(fail)
    say(book, JournalLine(12_000, "Closed", "call:2", "王五", "helped"))
    assert broken_at(book) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.long
def test_any_change_of_any_cell_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    book = Notebook(tmp_path_factory.mktemp("book") / "gateway.db", SCHEMA)
    words = st.text(max_size=8)
    for number in range(1, data.draw(st.integers(2, 6)) + 1):
        say(book, JournalLine(number, "Pressed", f"call:{number}", data.draw(words), data.draw(words)))
    newest = book.connection.execute("SELECT max(line_id) FROM journal").fetchone()[0]
    victim = data.draw(st.integers(1, newest))
    column, value = data.draw(
        st.one_of(
            st.tuples(st.sampled_from(["at_ms", "written_ms"]), st.integers(100, 200)),
            st.tuples(
                st.sampled_from(["event", "subject", "actor", "detail", "salt", "seal", "chain"]),
                st.text(max_size=8),
            ),
        )
    )
    before = book.connection.execute(f"SELECT {column} FROM journal WHERE line_id = ?", (victim,)).fetchone()[0]
    forge(book, f"UPDATE journal SET {column} = ? WHERE line_id = ?", value, victim)
    found = broken_at(book)
    book.close()
    assert bool(found) == (before != value)
    assert not found or min(found) in (victim, victim + 1)


