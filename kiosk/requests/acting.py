"""What staff do with a request: each act is one row of `rules.request_life.LIFE`, one step, one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from devices.faults import OrderRefused
from kiosk import account_rows
from kiosk.core import Core
from kiosk.requests import looking, telling
from kiosk.requests.looking import Row
from kiosk.rules import request_life as life
from kiosk.rules.requests import Both, RequestWrong

#: What staff write for the resident, or for each other.
WORDS_AT_MOST = 300


class UnknownRequest(OrderRefused):
    """There is no such request."""


@dataclass(frozen=True, slots=True)
class Done:
    """How it stands now."""

    row: Row
    step_id: int


def do(
    core: Core, request_id: int, event: str, by: str, words: Both | None = None, note: str = "", seen: str = ""
) -> Done:
    """One step.

    :param words: what the resident reads beside the table's own words; None for nothing.
    :param seen: the state that the page had shown; another one now means that somebody was quicker.
    :raises life.StepRefused: it does not stand where this step begins. / :raises UnknownRequest:
    :raises RequestWrong: words are missing or too long; the page keeps what was typed.
    """
    written = words or Both("", "")
    if max(len(written.zh), len(written.en), len(note)) > WORDS_AT_MOST:
        zh, en = f"最多写 {WORDS_AT_MOST} 个字", f"At most {WORDS_AT_MOST} characters"
        raise RequestWrong("words", zh, en)

    def work(notebook: sqlite3.Connection, now_ms: int) -> Done:
        row = _row(notebook, request_id)
        step = life.step(row.state, event if not seen or seen == row.state or event in ("say", "note") else "")
        if step.needs_words and not (note if event == "note" else written.zh or written.en):
            raise RequestWrong("words", "请写一句话，或点一个现成的", "Write a line, or choose one")
        return _step(notebook, row, event, step.to or row.state, by, life.told(step, written), note, now_ms)

    return _written(core, work, by, f"request_{event}", request_id)


def undo(core: Core, request_id: int, step_id: int, by: str) -> Done:
    """Take back the last step, within a minute; the resident reads that it was a mistake.

    :param step_id: the step that the page showed as the last one.
    """

    def work(notebook: sqlite3.Connection, now_ms: int) -> Done:
        row, done = _row(notebook, request_id), looking.steps(notebook, request_id)
        last = next((one for one in reversed(done) if one.event not in ("say", "note")), None)
        if last is None or last.step_id != step_id or not life.may_undo(last.event, last.at_ms, now_ms):
            raise life.StepRefused(
                "已经不能撤销（超过一分钟，或者别人又动过）；可以“重新办理”",
                "It can no longer be undone (a minute is over, or somebody else went on); it can be opened again",
            )
        before = life.state_before(tuple(one.event for one in done if one.step_id < step_id))
        return _step(notebook, row, "undo", before, by, life.undone(before), "", now_ms)

    return _written(core, work, by, "request_undo", request_id)


def show_person(core: Core, request_id: int, by: str) -> Row:
    """Who asked, unmasked: shown only after a line in the journal says who has looked."""

    def work(notebook: sqlite3.Connection) -> Row:
        row = _row(notebook, request_id)
        account_rows.note(notebook, core.now_ms(), by, "request_person_shown", f"#{request_id}", "")
        return row

    return core.writer.write(work)


def _row(notebook: sqlite3.Connection, request_id: int) -> Row:
    row = looking.by_id(notebook, request_id)
    if row is None:
        raise UnknownRequest("没有这件诉求", "There is no such request")
    return row


def _step(
    notebook: sqlite3.Connection, row: Row, event: str, to: life.State, by: str, told: Both, note: str, now_ms: int
) -> Done:
    closed_ms = None if to in life.OPEN else row.closed_ms if to == row.state else now_ms
    notebook.execute(
        "UPDATE requests SET state = ?, changed_ms = ?, closed_ms = ? WHERE request_id = ?",
        (to, now_ms, closed_ms, row.request_id),
    )
    cursor = notebook.execute(
        'INSERT INTO request_steps(request_id, at_ms, "by", event, told_zh, told_en, note)'
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (row.request_id, now_ms, by, event, told.zh, told.en, note),
    )
    return Done(_row(notebook, row.request_id), int(cursor.lastrowid or 0))


def _written(
    core: Core, work: Callable[[sqlite3.Connection, int], Done], by: str, what: str, request_id: int
) -> Done:
    """In one transaction with its line in the staff's journal, then told."""
    now_ms = core.now_ms()

    def whole(notebook: sqlite3.Connection) -> Done:
        done = work(notebook, now_ms)
        account_rows.note(notebook, now_ms, by, what, f"#{request_id}", done.row.state)
        return done

    done = core.writer.write(whole)
    telling.told_changed(core, request_id)
    return done
