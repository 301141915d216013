"""A request that is sent twice happens once.

The key's row is written *in the work's own transaction*: a crash right after it cannot make a repeat do the work
again. Then the answer is kept beside it. The same key with the same request has the same answer for a day; with
another request 422. Whoever repeats between the two (or after a crash just there) is told the thing as it is now, and
nothing is done twice.

A refusal by a rule (409) is kept, too: the same question has the same answer. Malformed questions, unknown things and
trouble with the disk are not: mend it and ask again.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, current_app, request

from devices.faults import NotWritten, OrderRefused
from gateway.log import say_once
from kiosk.api_v1.tokens import Token
from kiosk.core import Core
from kiosk.refusals import refusal

Json = dict[str, Any]

#: docs/protocol.md, 7: "the same answer for a day".
KEPT_MS = 86_400_000
#: The status of a row whose work is done and whose answer is not kept yet.
_UNTOLD = 0


class OtherRequest(OrderRefused):
    """The key belongs to another request."""

    def __init__(self) -> None:
        super().__init__(
            "这个 Idempotency-Key 已用于另一个请求", "This Idempotency-Key was used for another request"
        )


class _Meanwhile(Exception):
    """Another request with this key was written while this one waited."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is kept: its body is JSON."""

    status: int
    body: str

    def respond(self, *, again: bool = False) -> Response:
        answer = current_app.response_class(self.body, self.status, mimetype="application/json")
        if again:
            answer.headers["Idempotent-Replayed"] = "true"
        return answer


def once(
    core: Core,
    token: Token,
    key: str,
    do: Callable[[], tuple[int, Json]],
    *,
    again: Callable[[], tuple[int, Json]] | None = None,
) -> Response:
    """Do it, or tell what it gave.

    :param do: the work, in whose first transaction the key is written, too; answers status and body.
    :param again: the body where the work is done and its answer was lost. None: ``do`` itself does nothing a second
        time (its own key sees to that).
    :raises OtherRequest: the key was used for something else.
    """
    asked, now_ms, untold = _fingerprint(), core.now_ms(), Answer(_UNTOLD, "")
    kept = _kept(core, token, key, asked, now_ms)
    if kept is None:
        try:
            with core.writer.along(lambda notebook: _put(notebook, token, key, asked, untold, now_ms)):
                status, body = do()
            return _keep(core, token, key, asked, _answer(status, body), now_ms).respond()
        except _Meanwhile:
            kept = _kept(core, token, key, asked, now_ms)
        except OrderRefused as refused:
            return _keep_refusal(core, token, key, asked, refused, now_ms)
    if kept is not None and kept.status != _UNTOLD:
        return kept.respond(again=True)
    status, body = do() if again is None else again()
    return _keep(core, token, key, asked, _answer(status, body), now_ms).respond(again=True)


def _answer(status: int, body: Json) -> Answer:
    return Answer(status, json.dumps(body, ensure_ascii=False))


def _fingerprint() -> str:
    whole = b"\n".join((request.method.encode(), request.full_path.encode(), request.get_data(cache=True)))
    return hashlib.sha256(whole).hexdigest()


def _kept(core: Core, token: Token, key: str, asked: str, now_ms: int) -> Answer | None:
    row = (
        core.reader()
        .execute(
            "SELECT asked, status, body FROM api_answers WHERE token_id = ? AND key = ? AND at_ms > ?",
            (token.token_id, key, now_ms - KEPT_MS),
        )
        .fetchone()
    )
    if row is None:
        return None
    if row["asked"] != asked:
        raise OtherRequest
    return Answer(row["status"], row["body"])


# ---------------------------------------------------------------- keeping


def _put(
    notebook: sqlite3.Connection, token: Token, key: str, asked: str, answer: Answer, now_ms: int
) -> None:
    notebook.execute("DELETE FROM api_answers WHERE at_ms <= ?", (now_ms - KEPT_MS,))
    try:
        notebook.execute(
            "INSERT INTO api_answers(token_id, key, asked, status, body, at_ms) VALUES (?, ?, ?, ?, ?, ?)",
            (token.token_id, key, asked, answer.status, answer.body, now_ms),
        )
    except sqlite3.IntegrityError:
        raise _Meanwhile from None


def _keep(core: Core, token: Token, key: str, asked: str, answer: Answer, now_ms: int) -> Answer:
    try:
        core.writer.write(
            lambda notebook: notebook.execute(
                # No row where there was nothing to write: what was asked for was so already.
                "INSERT INTO api_answers(token_id, key, asked, status, body, at_ms) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET status = excluded.status, body = excluded.body",
                (token.token_id, key, asked, answer.status, answer.body, now_ms),
            )
        )
    except NotWritten as wrong:
        # The work is on the disk, and so is its key: a repeat is told the thing as it is, and does nothing.
        say_once("api-answer", "not_written", f"the answer of a request cannot be kept: {wrong}")
    return answer


def _keep_refusal(
    core: Core, token: Token, key: str, asked: str, refused: OrderRefused, now_ms: int
) -> Response:
    status, code = refusal(refused)
    if status != 409:
        raise refused
    answer = _answer(status, {"error": {"code": code, "zh": refused.why_zh, "en": refused.why_en}})
    try:
        core.writer.write(lambda notebook: _put(notebook, token, key, asked, answer, now_ms))
    except _Meanwhile:
        kept = _kept(core, token, key, asked, now_ms)
        if kept is not None and kept.status != _UNTOLD:
            return kept.respond(again=True)
    return answer.respond()
