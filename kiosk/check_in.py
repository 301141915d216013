"""Checking in by code at the kiosk: eight large signs, a keypad of 32, and the same number page as everybody's.

Guessing is limited: five wrong codes a minute from one screen, then a minute's rest, and staff help meanwhile. A code
has 40 bits: at five tries a minute all of them take some 400,000 years, and a code lives for weeks at most.
"""

from __future__ import annotations

from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue

from kiosk import appointments
from kiosk.answers import asker, body, error, text, too_many_codes
from kiosk.api import taken_view
from kiosk.appointments import UnknownCode
from kiosk.core import Core, current_core
from kiosk.rules.appointment import SIGNS, read_code
from kiosk.tries import tries_of
from kiosk.view import SCREEN, frame

blueprint = Blueprint("check_in", __name__)

@blueprint.get("/check-in")
def page() -> str:
    return render_template("check_in.html", **frame(), signs=SIGNS)


@blueprint.post("/api/check-in")
def check_in() -> ResponseReturnValue:
    """``{"code","screen","lang"}`` → 201 with the ticket as `POST /api/tickets` gives it, and a `note` on the time."""
    core, asked = current_core(), body()
    typed, screen, lang = text(asked, "code"), text(asked, "screen"), asked.get("lang", "zh")
    if not SCREEN.fullmatch(screen) or lang not in ("zh", "en"):
        return error(400, "bad_request", "请求的格式不对", "The request is malformed")
    code = read_code(typed)
    if not code:
        return error(
            400,
            "bad_code",
            "预约码是 8 个字，没有 0、O、1、I，请再看一看预约单",
            "A code has 8 signs and no 0, O, 1 or I: look at your slip once more",
        )
    return _checked_in(core, code, lang, screen)


def _checked_in(core: Core, code: str, lang: str, screen: str) -> ResponseReturnValue:
    who, now_ms = asker(screen), core.now_ms()
    tries = tries_of("code")
    if rest_ms := tries.rest_ms(who, now_ms):
        return too_many_codes(rest_ms)
    try:
        done = appointments.check_in(core, code, lang, screen)
    except UnknownCode:
        tries.wrong(who, now_ms)
        raise
    view = taken_view(core, done.taken)
    if done.arrival is not None:
        view["note"] = {"zh": done.arrival.words_zh, "en": done.arrival.words_en}
    return jsonify(view), 201 if done.taken.new else 200
