"""How a request goes: by its code, on the touchscreen or on a phone (docs/protocol.md, 10).

A person types eight signs, or holds the slip under a scanner; nothing of a person is shown to whoever has the code.
"""

from __future__ import annotations

from datetime import datetime
from math import ceil

from flask import Blueprint, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from kiosk.answers import error, too_many_codes
from kiosk.core import Core, current_core
from kiosk.paper import one_slip_view
from kiosk.requests import looking, tries
from kiosk.requests.looking import Row
from kiosk.rules import request_life as life
from kiosk.rules.hours import when
from kiosk.rules.requests import SIGNS, read_code, spell_code
from kiosk.view import frame

blueprint = Blueprint("progress", __name__)
blueprint.context_processor(frame)


@blueprint.get("/api/progress/<code>")
def as_json(code: str) -> ResponseReturnValue:
    core = current_core()
    row, refused = asked_for(core, code)
    if row is None:
        return refused
    return jsonify({**looking.progress_view(core, row), "slip": one_slip_view(core, row.slip_id)})


@blueprint.get("/progress")
def page() -> ResponseReturnValue:
    """The keypad; with ``?code=`` (a form without a script) the way to that code's page."""
    view = frame()["v"]
    typed = request.args.get("code", "")
    if code := read_code(typed):
        return make_response("", 303, {"Location": view.url("progress.of", code=code)})
    rest = tries.rest_ms(current_core(), tries.asker())
    return render_template("progress_type.html", signs=SIGNS, typed=typed[:20], rest_s=ceil(rest / 1000))


@blueprint.get("/progress/<code>")
def of(code: str) -> ResponseReturnValue:
    core = current_core()
    row, _ = asked_for(core, code)
    if row is None:
        rest_s = ceil(tries.rest_ms(core, tries.asker()) / 1000)
        drawn = render_template(
            "progress_type.html", signs=SIGNS, typed="", rest_s=rest_s, wrong=read_code(code) or code[:12]
        )
        answer = make_response(drawn, 429 if rest_s else 404)
        if rest_s:
            answer.headers["Retry-After"] = str(rest_s)
        return answer
    told = looking.progress_view(core, row)
    lang, now = frame()["lang"], _moment(core, core.now_ms())
    service = core.catalogue.service(row.service_code)
    shown = [(when(_moment(core, one["at_ms"]), now)[lang == "en"], one[lang]) for one in told["steps"]]
    by = life.answer_words(
        row.answer_by_ms, core.now_ms(), core.zone, confirmed=service is not None and service.confirmed("promised")
    )
    waits = row.state in life.UNANSWERED
    # The address on the slip says that it was scanned by a phone: there nobody is brought home after a while.
    return render_template(
        "progress_phone.html" if request.args.get("phone") == "1" else "progress.html",
        row=row,
        told=told,
        spelled=spell_code(row.code),
        shown=list(reversed(shown)),
        answer_by=by.say(lang) if waits and not life.is_overdue(row.state, row.answer_by_ms, core.now_ms()) else "",
        late=life.is_overdue(row.state, row.answer_by_ms, core.now_ms()),
        stages=_stages(row, lang),
    )


def _stages(row: Row, lang: str) -> list[tuple[str, str]]:
    """The road of a request: (word, "past" | "now" | "ahead"), so that nobody has to read to see how far it is."""
    road: list[life.State] = ["RECEIVED", "ACCEPTED", "DOING", "DONE"]
    if row.state in ("REFERRED", "CANCELLED"):
        road = ["RECEIVED", row.state]
    at = road.index(row.state)
    return [
        (life.STATE_WORDS[one].say(lang), "past" if place < at else "now" if place == at else "ahead")
        for place, one in enumerate(road)
    ]


def _moment(core: Core, at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, core.zone)


# ---------------------------------------------------------------- the code


def asked_for(core: Core, typed: str) -> tuple[Row | None, ResponseReturnValue]:
    """The request of this code, or the answer that says why not. A locked asker is told nothing, right or wrong."""
    who, code = tries.asker(), read_code(typed)
    rest = tries.rest_ms(core, who)
    if not rest and code:
        if row := looking.by_code(core, code):
            return row, ""
        rest = tries.wrong(core, who)
    if rest:
        return None, too_many_codes(rest)
    if not code:
        zh = "查询码是 8 个字，没有 0、O、1、I，请再看一看单子"
        return None, error(400, "bad_code", zh, "A code has 8 signs and no 0, O, 1 or I: look at your slip once more")
    zh = "没有这个查询码，请对照单子再输一次"
    return None, error(404, "unknown_code", zh, "There is no such code: compare it with your slip and try again")
