"""The Flask application: blueprints, headers, and one manner of answering errors."""

from __future__ import annotations

import importlib
import logging
import sqlite3

from flask import Flask, Response, make_response, request
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import IntegerConverter

from devices.faults import NotWritten, OrderRefused, OutsideDown
from gateway.log import say_once
from kiosk import delivery, words
from kiosk.answers import error, page_failed, rest_first
from kiosk.core import Core, current_core
from kiosk.live import TooManyListeners
from kiosk.refusals import refusal
from kiosk.slip_limit import TooManySlips

#: Nothing a resident or the staff sends here is larger; a 1 MB body is refused before it is read.
BODY_AT_MOST = 64 * 1024

#: No inline script or style, nothing from anywhere else: what is not in our own files does not run.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

#: The faces, a blueprint each. Imported when an application is made, so that importing this file costs nothing.
ROOMS = (
    "health",
    "metrics",
    "api",
    "api_v1",
    "touch",
    "screens",
    "phone",
    "ingest",
    "link_page",
    "check_in",
    "help_call",
    "find",
    "ime.pages",
    "requests.sending",
    "requests.progress",
    "ask",
    "calibrate",
    "certificates",
    "aloud",
    "attract",
    "voice.pages",
    "too_large",
    "console",
)


class _Json(DefaultJSONProvider):
    ensure_ascii = False
    sort_keys = False


class _RowNumber(IntegerConverter):
    """A number in an address that a notebook can hold; a longer one is no page of ours, and no fault."""

    regex = r"\d{1,18}"


def create_app(core: Core) -> Flask:
    """The kiosk's faces over ``core``. Opens nothing and starts nothing by itself."""
    app = lay(open_data=core.house.plan.open_data.on, demo=core.house.plan.virtual.on)
    return move_in(app, core)


def lay(*, open_data: bool, demo: bool) -> Flask:
    """All routes and manners, still of no hall."""
    app = Flask("kiosk")
    app.json = _Json(app)
    app.config["MAX_CONTENT_LENGTH"] = BODY_AT_MOST
    app.config["CONTENT_SECURITY_POLICY"] = CONTENT_SECURITY_POLICY
    app.url_map.converters["int"] = _RowNumber
    for room in [*ROOMS, *(["open_data"] if open_data else []), *(["demo"] if demo else [])]:
        app.register_blueprint(importlib.import_module(f"kiosk.{room}").blueprint)
    app.context_processor(lambda: {"w": words.say, "hall": current_core().house.plan.hall})
    app.after_request(_headers)
    delivery.prepare(app)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OrderRefused, _refused)
    app.register_error_handler(TooManySlips, _too_many_slips)
    app.register_error_handler(OutsideDown, _outside_down)
    app.register_error_handler(Exception, _our_fault)
    return app


def move_in(app: Flask, core: Core) -> Flask:
    """Give what was laid its hall: ``core``, and what each room keeps for it (``begin`` in the room's file)."""
    app.extensions = {"linli": core}
    for room in ROOMS:
        begin = getattr(importlib.import_module(f"kiosk.{room}"), "begin", None)
        if begin is not None:
            begin(app)
    return app


def _headers(response: Response) -> Response:
    head = response.headers
    head.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    head.setdefault("X-Content-Type-Options", "nosniff")
    head.setdefault("Referrer-Policy", "same-origin")
    head.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    # Of residents' pages only a request's may hear (kiosk/ask.py); at the console staff record the hall's voice.
    microphone = "(self)" if (request.endpoint or "").startswith("console.") else "()"
    head.setdefault("Permissions-Policy", f"camera=(), geolocation=(), microphone={microphone}")
    # A shared screen: no page of one person may be there for the next. Our own files are asked for again by ETag.
    head.setdefault("Cache-Control", "no-cache" if request.endpoint == "static" else "no-store")
    return response


# ---------------------------------------------------------------- errors, in both languages


_HTTP_WORDS: dict[int, tuple[str, str, str]] = {
    400: ("bad_request", "请求的格式不对", "The request is malformed"),
    404: ("not_found", "没有这个页面", "There is no such page"),
    405: ("method_not_allowed", "这个地址不接受这种操作", "This address does not take that method"),
    413: (
        "too_large",
        f"内容太长（最多 {BODY_AT_MOST // 1024} KB），没有收下。您写的还在：请改短一点再发",
        f"Too long ({BODY_AT_MOST // 1024} KB at most): not taken in. What you wrote is still there: make it shorter",
    ),
    415: (
        "json_only",
        "只接受 JSON（Content-Type: application/json）",
        "Only JSON (Content-Type: application/json)",
    ),
}


def _http_error(wrong: HTTPException) -> ResponseReturnValue:
    # The address is the console's, but no view of it was found (a wrong method): staff are answered in their frame.
    consoles = request.blueprint is None and f"{request.path}/".startswith("/console/")
    answer = make_response(_console_error(wrong) if consoles else _residents_error(wrong))
    if isinstance(wrong, MethodNotAllowed) and wrong.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(wrong.valid_methods))
    return answer


def _residents_error(wrong: HTTPException) -> ResponseReturnValue:
    status = wrong.code or 500
    if 300 <= status < 400 and wrong.response is not None:
        return wrong.response
    code, zh, en = _HTTP_WORDS.get(status, (f"http_{status}", "无法完成", wrong.name))
    return error(status, code, zh, en)


def _console_error(wrong: HTTPException) -> ResponseReturnValue:
    door, errors = (importlib.import_module(f"kiosk.console.{name}") for name in ("door", "errors"))
    try:
        door.look()
        return door.seal(make_response(errors.refused(wrong)))
    except (OutsideDown, sqlite3.Error) as worse:  # who asks cannot be read
        return door.seal(make_response(errors.our_fault(worse)))


def _refused(wrong: OrderRefused) -> ResponseReturnValue:
    status, code = refusal(wrong)
    return error(status, code, wrong.why_zh, wrong.why_en)


def _too_many_slips(wrong: TooManySlips) -> ResponseReturnValue:
    return rest_first(wrong.rest_ms, "too_many_slips", wrong.why_zh, wrong.why_en)


def _outside_down(wrong: OutsideDown) -> ResponseReturnValue:
    if isinstance(wrong, TooManyListeners):
        zh, en = "同时观看的屏幕太多，稍后自动重试", "Too many screens are listening; try again shortly"
        return error(503, "too_many_listeners", zh, en)
    if isinstance(wrong, NotWritten):
        say_once(f"not-written:{wrong}", "not_written", str(wrong), level=logging.ERROR, part="notebook")
        zh = "暂时无法保存，请到服务台取号；工作人员已看到提示"
        return error(
            503,
            "not_written",
            zh,
            "It cannot be saved right now: please go to the desk; staff have been told",
        )
    zh = "呼叫系统暂时没有响应，请招手或直接到服务台"
    return error(503, "outside_down", zh, "The call system does not answer: please wave, or walk to the desk")


def _our_fault(wrong: Exception) -> ResponseReturnValue:
    """The person gets words and the other pages go on."""
    page_failed(wrong)
    return error(
        500, "our_fault", "系统出错了，请到服务台", "Something went wrong on our side: please go to the desk"
    )
