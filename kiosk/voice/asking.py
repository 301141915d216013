"""Ask the voice to call a number: rows in ``announcements``, written in the call's own transaction.

    ask(notebook, ticket_id, "government", "B", 31, 3, "zh", now_ms)      # inside the writer's work
    core.voice_bell.set()                                                       # after it: the voice looks at once

One row for each voice that says it; they follow each other, for ids only grow.
"""

from __future__ import annotations

import json
import sqlite3

from kiosk.rules import voice_policy
from kiosk.rules.calling_words import GONG, words_of
from kiosk.rules.voice_policy import VoicePolicy


def ask(
    notebook: sqlite3.Connection,
    ticket_id: int | None,
    category: str,
    prefix: str,
    number: int,
    window_number: int,
    ticket_lang: str,
    now_ms: int,
) -> list[int]:
    """Have a number called to a window; the rows' ids, in the order in which they will be said.

    :param category: the item's category in the catalogue, "" where the catalogue no longer has it.
    """
    made: list[int] = []
    for voice in voice_policy.voices_for(ticket_lang, policy_of(notebook)):
        words = words_of(category, prefix, number, window_number, voice)
        if made:
            words.remove(GONG)  # one gong a call, whatever number of voices says it
        made.append(put(notebook, ticket_id, voice, words, now_ms))
    return made


def put(
    notebook: sqlite3.Connection, ticket_id: int | None, voice: str, words: list[str], now_ms: int
) -> int:
    """One announcement, of any words."""
    cursor = notebook.execute(
        "INSERT INTO announcements(ticket_id, lang, words, asked_ms, state) VALUES (?, ?, ?, ?, 'waiting')",
        (ticket_id, voice, json.dumps(words), now_ms),
    )
    return int(cursor.lastrowid or 0)


def policy_of(notebook: sqlite3.Connection) -> VoicePolicy:
    """What the hall has set."""
    return voice_policy.read_policy(
        {str(row[0]): str(row[1]) for row in notebook.execute("SELECT * FROM voice_policy")}
    )
