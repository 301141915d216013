"""The rows behind staff accounts: each function is one step of a transaction that ``accounts.py`` has begun."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import unicodedata
from typing import cast

from devices.faults import OrderRefused
from kiosk.rules import account as rules
from kiosk.rules.account import Role


def hash_of(cookie: str) -> str:
    """A session's name in the notebook. The cookie has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def clean_name(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip()


def insert_staff(
    connection: sqlite3.Connection,
    name: str,
    role: Role,
    hashed: str,
    must_change: bool,
    by: str,
    now_ms: int,
) -> int:
    done = connection.execute(
        "INSERT INTO staff(name, name_key, role, password_hash, must_change, created_ms, created_by,"
        " password_changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (clean_name(name), rules.name_key(name), role, hashed, int(must_change), now_ms, by, now_ms),
    )
    return cast(int, done.lastrowid)


def name_of(connection: sqlite3.Connection, staff_id: int) -> str:
    row = connection.execute("SELECT name FROM staff WHERE staff_id = ?", (staff_id,)).fetchone()
    if row is None:
        raise OrderRefused("没有这个账号。", "There is no such account.")
    return cast(str, row[0])


def open_session(connection: sqlite3.Connection, staff_id: int, address: str, now_ms: int) -> str:
    cookie = secrets.token_urlsafe(32)
    # Ended sessions are of no use after a month; the journal keeps who came and went.
    connection.execute("DELETE FROM staff_sessions WHERE created_ms < ?", (now_ms - 30 * 86_400_000,))
    connection.execute(
        "INSERT INTO staff_sessions(session_hash, staff_id, created_ms, active_ms, address) VALUES (?, ?, ?, ?, ?)",
        (hash_of(cookie), staff_id, now_ms, now_ms, address),
    )
    return cookie


def end_session(connection: sqlite3.Connection, session_hash: str, why: str, now_ms: int) -> None:
    connection.execute(
        "UPDATE staff_sessions SET ended_ms = ?, ended_why = ? WHERE session_hash = ? AND ended_ms IS NULL",
        (now_ms, why, session_hash),
    )


def end_all(connection: sqlite3.Connection, staff_id: int, why: str, now_ms: int) -> None:
    connection.execute(
        "UPDATE staff_sessions SET ended_ms = ?, ended_why = ? WHERE staff_id = ? AND ended_ms IS NULL",
        (now_ms, why, staff_id),
    )


def tried(key: str, address: str) -> str:
    """What a try is counted under. Not the name as typed: a password often stands in that field."""
    return hashlib.sha256(f"{address}\n{key}".encode()).hexdigest()


def forget_tries(connection: sqlite3.Connection, key: str, address: str) -> None:
    connection.execute(
        "DELETE FROM login_attempts WHERE name_key = ? AND address = ?", (tried(key, address), address)
    )


def note(
    connection: sqlite3.Connection, now_ms: int, by: str, what: str, subject: str = "", detail: str = ""
) -> None:
    connection.execute(
        "INSERT INTO staff_journal(at_ms, by_name, what, subject, detail) VALUES (?, ?, ?, ?, ?)",
        (now_ms, by, what, subject[:200], detail[:500]),
    )
