"""What a request may bring, whose it is, and how an error is said, for every blueprint: docs/protocol.md, 4."""

from __future__ import annotations

import json
import logging
from math import ceil
from typing import Any

from flask import Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from gateway.log import say_once
from kiosk.addresses import asking
from kiosk.view import SCREEN, frame

#: The event of a page that fell over; systemd/linli.catalog explains it.
PAGE_FAILED = "page_failed"


def error(status: int, code: str, zh: str, en: str, **more: Any) -> ResponseReturnValue:
    """An error as docs/protocol.md wants it: JSON for programs, a page for people."""
    if wants_page():
        seen = frame()
        return render_template("error.html", **seen, text=en if seen["lang"] == "en" else zh), status
    return jsonify({"error": {"code": code, "zh": zh, "en": en, **more}}), status


def rest_first(rest_ms: int, code: str, zh: str, en: str) -> Response:
    """Who has tried too often waits so long, whatever comes next. ``zh``, ``en``: words with ``{wait_s}``."""
    wait_s = ceil(rest_ms / 1000)
    answer = make_response(error(429, code, zh.format(wait_s=wait_s), en.format(wait_s=wait_s), wait_s=wait_s))
    answer.headers["Retry-After"] = str(wait_s)
    return answer


def too_many_codes(rest_ms: int) -> Response:
    """So many wrong codes, from one screen or one address, that the next must wait."""
    return rest_first(
        rest_ms,
        "too_many_codes",
        "输错太多次，请等 {wait_s} 秒再试，或按“叫人帮忙”",
        "Too many wrong codes: wait {wait_s} s, or press “Call for help”",
    )


def page_failed(wrong: Exception) -> None:
    """A mistake of ours, told loudly with its traceback; what is answered the caller says."""
    logging.getLogger("linli").error("page %s failed", request.path, exc_info=wrong)
    say_once(f"page:{type(wrong).__name__}", PAGE_FAILED, f"{request.path}: {wrong!r}", level=logging.ERROR)


def asker(screen: str) -> str:
    """Whose guesses these are: the hall's own screens by their name; anybody else by the address, whatever screen it
    says it is."""
    address = asking()
    here = address is not None and address.is_loopback
    return screen if here and SCREEN.fullmatch(screen) else request.remote_addr or "?"


def paper_asker(asked: dict[str, Any]) -> str:
    """Whose paper a request uses: as `asker`. "" is a program of this machine that is no screen: whoever runs one may
    take numbers for many people, and could do worse than to print."""
    screen = asked.get("screen")
    who = asker(screen if isinstance(screen, str) else "")
    address = asking()
    return "" if who != screen and address is not None and address.is_loopback else who


def wants_page() -> bool:
    """A browser that opens a page, not a program that asks /api."""
    if request.path.startswith("/api/"):
        return False
    best = request.accept_mimetypes.best_match(["application/json", "text/html"], default="application/json")
    return best == "text/html"


def body(*, half_signs: bool = False) -> dict[str, Any]:
    """The JSON object of a POST; anything else is refused by status 400 or 415.

    :param half_signs: who asks names the field that is no text himself.
    """
    if not request.is_json:
        raise UnsupportedMediaType()
    asked = read_json()
    if not isinstance(asked, dict) or not (half_signs or is_text(asked)):
        raise BadRequest()
    return asked


def read_json(*, force: bool = False) -> object:
    """The JSON of a request, None where it is none: every door that takes JSON reads it here.

    64 KB of "[" are no JSON either: Python says so by a RecursionError, which is no ValueError.

    :param force: whatever the request calls itself.
    """
    try:
        return request.get_json(silent=True, force=force)
    except RecursionError:
        return None


def is_text(asked: dict[str, Any]) -> bool:
    """Whether all of it can be written down: JSON may bring half a sign (``"\\ud800"``), or be nested too deep."""
    if b"\\u" not in request.get_data(cache=True):
        return True
    try:
        json.dumps(asked, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest()
    return value
