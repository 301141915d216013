"""The page behind a message's signed link: a neighbour takes a call from a telephone. Works without JavaScript.

GET shows, POST acts (kiosk/rules/link.py says why that matters). The token is the right to be here: whoever has it was
sent it; there is nothing to sign in to. What it may do is decided by the gateway (gateway/hall/messages.py) again.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from datetime import datetime
from functools import partial
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as BaseResponse

from devices.faults import NotWritten, OrderRefused, OutsideDown
from gateway import views_messages
from gateway.hall import links
from gateway.hall.kinds import DEFAULTS
from gateway.log import say_once
from kiosk.core import Core, current_core
from kiosk.rules.link import Seen, seen
from kiosk.tries import tries_of
from kiosk.words_link import say

blueprint = Blueprint("link_page", __name__)

COOKIE = "linli_link"
#: What names a telephone to the gateway, from its first look on: a double tap, a reload or an answer that was lost is
#: the same telephone again. It proves nothing; what proves is COOKIE, given when the gateway has said yes.
PHONE_COOKIE = "linli_phone"
_PHONE = re.compile(r"[0-9a-f]{32}")
#: Tokens that nobody has made, from one address in a minute. A mistyped link is one or two; guessing is hopeless (128
#: bits) and only costs the Pi.
FORGED_AT_MOST = 20

_STATUS: dict[Seen, int] = {"forged": 404, "old": 410, "over": 410, "gone": 403}


@blueprint.get("/a/<token>")
def show(token: str) -> ResponseReturnValue:
    """What there is to see. Nothing changes."""
    page = _page(current_core(), token)
    if page.status_code == 200 and not _phone():
        _keep(page, token, PHONE_COOKIE, secrets.token_hex(16))
    return page


@blueprint.post("/a/<token>")
def act(token: str) -> ResponseReturnValue:
    """ "On my way", or "I am there"."""
    core = current_core()
    looked = _look(core, token)
    if looked["seen"] in ("forged", "old", "gone", "over", "taken"):
        return _page(core, token)
    try:
        if looked["seen"] != "mine":
            core.link.order("accept_by_link", token=token, key=_phone())
        elif request.form.get("do") == "arrived":
            core.link.order("arrive_call", call_id=looked["call"]["call_id"], by=looked["helper"]["name"])
    except OrderRefused as refused:
        return _page(core, token, refused.why_en if _lang() == "en" else refused.why_zh, 409)
    except OutsideDown as wrong:
        say_once("link_page", "link_not_taken", f"a helper's tap on a link could not be passed on: {wrong}")
        return _page(core, token, say("away", _lang()), 503)
    # Back to a GET, so that a page that is loaded again does not act again.
    answer = redirect(url_for("link_page.show", token=token, lang=_lang() if _lang() == "en" else None), 303)
    _keep(answer, token, COOKIE, links.seal(_secret(core), "phone", token))
    return answer


def _phone() -> str:
    """What names this telephone; "" when it brings no such cookie."""
    name = request.cookies.get(PHONE_COOKIE, "")
    return name if _PHONE.fullmatch(name) else ""


def _keep(answer: BaseResponse, token: str, cookie: str, value: str) -> None:
    """The telephone keeps this as long as the link lives, and for its page only."""
    answer.set_cookie(
        cookie,
        value,
        max_age=links.LIFE_MS // 1000,
        path=url_for("link_page.show", token=token),
        httponly=True,
        secure=request.is_secure,
        samesite="Lax",
    )


def _lang() -> str:
    return "en" if request.args.get("lang") == "en" else "zh"


def _page(core: Core, token: str, trouble: str = "", status: int = 0) -> Response:
    lang = _lang()
    looked = _look(core, token)
    what: Seen = looked["seen"]
    if what == "forged":
        forged, who, now_ms = tries_of("link", FORGED_AT_MOST), request.remote_addr or "", core.now_ms()
        if forged.rest_ms(who, now_ms):
            return make_response(render_template("link.html", **_frame(lang), seen="many"), 429)
        forged.wrong(who, now_ms)
    if not looked["reached"]:
        trouble, status = say("away", lang), 503
    html = render_template(
        "link.html", **_frame(lang), **looked, trouble=trouble, clock=partial(_clock, core)
    )
    return make_response(html, status or _STATUS.get(what, 200))


def _frame(lang: str) -> dict[str, Any]:
    return {"lang": lang, "other": "zh" if lang == "en" else "en", "t": partial(_say, lang)}


def _say(lang: str, key: str, **gaps: object) -> str:
    return say(key, lang, **gaps)


def _clock(core: Core, at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, core.zone).strftime("%H:%M")


def _secret(core: Core) -> str:
    return views_messages.link_secret(core.gateway_reader())


def _look(core: Core, token: str) -> dict[str, Any]:
    """What stands in gateway.db about this link; nothing of a person unless it is theirs to see."""
    nothing = {"call": {}, "helper": {}, "person": {}, "kind": ("", ""), "minutes": 0, "reached": True}
    try:
        link = links.read(_secret(core), token)
        found = (
            None
            if link is None
            else views_messages.for_helper(core.gateway_reader(), link.call_id, link.helper_id)
        )
        names = views_messages.kind_names(core.gateway_reader())
        sealed = links.is_sealed(_secret(core), "phone", token, request.cookies.get(COOKIE, ""))
    except (NotWritten, sqlite3.Error) as wrong:
        say_once("link_page_db", "link_not_taken", f"the page of a link cannot read gateway.db: {wrong}")
        return {**nothing, "seen": "over", "reached": False}
    call, helper, person = found or ({}, {}, {})
    what = seen(
        known=link is not None,
        expired=link is not None and core.now_ms() > link.expires_ms,
        helper=str(helper.get("name", "")),
        active=bool(helper.get("active")),
        call_state=str(call.get("state", "")),
        accepted_by=str(call.get("accepted_by") or ""),
        this_phone=sealed,
    )
    if what in ("forged", "old", "gone", "over"):
        return {**nothing, "seen": what}
    word = str(call["kind"])
    default = DEFAULTS.get(word, DEFAULTS["emergency"])
    return {
        "seen": what,
        "reached": True,
        "call": call
        if what == "mine"
        else {name: call[name] for name in ("call_id", "opened_ms", "accepted_by")},
        "helper": helper,
        "person": person if what == "mine" else {},
        "kind": names.get(word) or (default.name_zh, default.name_en),
        "minutes": max(0, (core.now_ms() - int(str(call["opened_ms"]))) // 60_000),
    }
