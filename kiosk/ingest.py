"""The door for wearables whose platform pushes over HTTP: ``POST /ingest/<id>`` (docs/protocol.md, 4.1).

A form or a JSON object; the token in a header or, because some platforms can only be given an address, in it. The
fields go to the gateway by an order and are answered when they are on disk: a platform that hears anything but 200 says
it again, and the gateway knows a repeat. Nothing is kept here.
"""

from __future__ import annotations

import hmac
import logging
from pathlib import Path
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused, OutsideDown
from devices.plan import Ingest
from gateway.log import say_once
from kiosk.answers import error, read_json
from kiosk.core import current_core

blueprint = Blueprint("ingest", __name__)

#: A shorter secret can be guessed; 16 signs of a token maker have 64 bits and more.
SHORTEST_TOKEN = 16
#: The platform's own patience is some seconds: we answer before.
TIMEOUT_S = 3.0
#: Fields of one push; the longest we met has some forty.
MOST_FIELDS = 200
_TOKEN_FIELDS = ("token", "access_token")


@blueprint.post("/ingest/<source>")
def push(source: str) -> ResponseReturnValue:
    """What one platform says of one device."""
    core = current_core()
    plan = next((one for one in core.house.plan.ingest if one.id == source), None)
    secret = _secret(plan) if plan is not None else ""
    said = _token()
    # An id that does not exist and a wrong token look the same from outside.
    if not secret or not hmac.compare_digest(secret.encode(), said.encode("utf-8", "replace")):
        say_once(
            f"ingest:{source[:32]}",
            "ingest_refused",
            f"a push to /ingest/{source[:32]!r} with a token that is not this source's, from {request.remote_addr}",
            level=logging.WARNING,
        )
        return error(401, "bad_token", "令牌不对", "The token is wrong")
    try:
        fields = _fields()
        if not fields:
            return _empty()
        core.link.order("report", timeout_s=TIMEOUT_S, source=source, fields=fields)
    except RecursionError:
        return _empty()  # brackets without end: whoever sends that has no device
    except OrderRefused as refused:
        return error(400, "not_understood", refused.why_zh, refused.why_en)
    except OutsideDown:
        return error(
            503,
            "not_written",
            "暂时没有记下来，请再推送一次",
            "It is not written yet: please push it again",
        )
    # Platforms look for one of these.
    return jsonify({"ok": True, "written": True, "code": 0, "success": True, "msg": "ok"})


def _empty() -> ResponseReturnValue:
    return error(
        400,
        "empty_push",
        "推送是空的：请用表单或 JSON 对象",
        "The push is empty: send a form or a JSON object",
    )


def _secret(plan: Ingest) -> str:
    """The token of a source; "" where there is none that could be used, which is said once."""
    try:
        secret = Path(plan.token_file).read_text(encoding="utf-8").strip() if plan.token_file else ""
    except (OSError, UnicodeDecodeError) as wrong:
        say_once(
            f"ingest-token:{plan.id}",
            "ingest_no_token",
            f"[[ingest]] {plan.id}: its token_file cannot be read ({wrong}): everything from there is refused; "
            "calls from buttons ring as ever",
            level=logging.ERROR,
        )
        return ""
    if len(secret) < SHORTEST_TOKEN:
        say_once(
            f"ingest-token:{plan.id}",
            "ingest_no_token",
            f"[[ingest]] {plan.id}: its token has fewer than {SHORTEST_TOKEN} signs: everything from there is "
            "refused; write a longer one into the file named by token_file",
            level=logging.ERROR,
        )
        return ""
    return secret


def _token() -> str:
    scheme, _, words = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and words:
        return words.strip()
    in_address = next((request.args[one] for one in _TOKEN_FIELDS if one in request.args), "")
    return request.headers.get("X-Token") or in_address


def _fields() -> dict[str, Any]:
    """The fields of the address, of the form and of the JSON; the later win. No token is handed on."""
    asked: dict[str, Any] = {**request.args.to_dict(), **request.form.to_dict()}
    words = read_json(force=not request.form)
    if isinstance(words, list) and len(words) == 1:
        words = words[0]
    if isinstance(words, dict):
        asked |= words
    for name in _TOKEN_FIELDS:
        if name in request.args:
            asked.pop(name, None)
    return asked if len(asked) <= MOST_FIELDS else {}
