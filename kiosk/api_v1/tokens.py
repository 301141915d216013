"""Who may use the interface: tokens, of which kiosk.db has only the hash.

    secret = make(core, "排队小程序", ["queue:read"], "王芳")     # "linli-3-…": shown once
    find(core, secret)                                        # Token, or None

A token's secret has 256 random bits, so its SHA-256 needs no salt and no slowness: nobody finds it by trying.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from devices.faults import NotWritten, OrderRefused
from gateway.log import say_once
from kiosk.core import Core
from kiosk.rules import scopes as rules

_TOKEN = re.compile(r"linli-([1-9][0-9]{0,8})-([A-Za-z0-9_-]{43})")
#: "Last used" is for people who tidy up: an hour is exact enough, and a busy program does not wear the card.
USED_EVERY_MS = 3_600_000
NAME_AT_MOST = 60
#: A hall has a handful of programs; more is a mistake (our choice).
LIVE_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Token:
    """One token. ``scopes`` as written by `rules.read_scopes`."""

    token_id: int
    name: str
    scopes: str
    made_ms: int
    made_by: str
    last_used_ms: int | None
    ended_ms: int | None

    @property
    def by(self) -> str:
        """How the journal names whatever this token does."""
        return f"api:{self.name}"


_FIELDS = "token_id, name, scopes, made_ms, made_by, last_used_ms, ended_ms"


def make(core: Core, name: str, scopes: Iterable[str], by: str) -> str:
    """A new token; its secret is answered here and never again.

    :raises OrderRefused: no name, no scope, too many tokens.
    """
    name = " ".join(name.split())[:NAME_AT_MOST]
    if not name:
        raise OrderRefused("请写明给谁用", "Say who will use it")
    written, secret, now_ms = rules.read_scopes(scopes), secrets.token_urlsafe(32), core.now_ms()

    def work(notebook: sqlite3.Connection) -> int:
        live = notebook.execute("SELECT count(*) FROM api_tokens WHERE ended_ms IS NULL").fetchone()[0]
        if live >= LIVE_AT_MOST:
            raise OrderRefused(
                f"已有 {LIVE_AT_MOST} 个令牌，请先停用不用的",
                f"There are {LIVE_AT_MOST} tokens: end some first",
            )
        cursor = notebook.execute(
            "INSERT INTO api_tokens(name, token_hash, scopes, made_ms, made_by) VALUES (?, ?, ?, ?, ?)",
            (name, _hash(secret), written, now_ms, by),
        )
        return int(cursor.lastrowid or 0)

    return f"linli-{core.writer.write(work)}-{secret}"


def end(core: Core, token_id: int) -> Token:
    """It opens nothing any more, from now on."""
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Token:
        notebook.execute(
            "UPDATE api_tokens SET ended_ms = ? WHERE token_id = ? AND ended_ms IS NULL", (now_ms, token_id)
        )
        row = notebook.execute(f"SELECT {_FIELDS} FROM api_tokens WHERE token_id = ?", (token_id,)).fetchone()
        if row is None:
            raise OrderRefused("没有这个令牌", "There is no such token")
        return Token(*row)

    return core.writer.write(work)


def every(core: Core) -> list[Token]:
    """All tokens, those in use first."""
    rows = core.reader().execute(f"SELECT {_FIELDS} FROM api_tokens ORDER BY ended_ms IS NOT NULL, token_id")
    return [Token(*row) for row in rows]


def find(core: Core, shown: str) -> Token | None:
    """Whose token this is; None for a forged, ended or malformed one. The secret is compared in constant time."""
    parts = _TOKEN.fullmatch(shown)
    if parts is None:
        return None
    row = (
        core.reader()
        .execute(f"SELECT token_hash, {_FIELDS} FROM api_tokens WHERE token_id = ?", (int(parts[1]),))
        .fetchone()
    )
    known = row["token_hash"] if row is not None else "0" * 64
    if not hmac.compare_digest(_hash(parts[2]), known) or row is None or row["ended_ms"] is not None:
        return None
    token = Token(*tuple(row)[1:])
    now_ms = core.now_ms()
    if token.last_used_ms is None or now_ms - token.last_used_ms >= USED_EVERY_MS:
        _used(core, token, now_ms)
    return token


def _used(core: Core, token: Token, now_ms: int) -> None:
    try:
        core.writer.write(
            lambda notebook: notebook.execute(
                "UPDATE api_tokens SET last_used_ms = ? WHERE token_id = ?", (now_ms, token.token_id)
            )
        )
    except NotWritten as wrong:
        # A full disk must not keep a program from reading the line.
        say_once("api-used", "not_written", f"that a token was used cannot be noted: {wrong}")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
