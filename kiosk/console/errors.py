"""What the console says where no page answers: in staff's own frame, not on the residents' page.

The frame listens, so a call rings on such a page, too. Where even the frame cannot be drawn (what has failed is
something that every page needs), a bare page says the same words.
"""

from __future__ import annotations

import logging

from flask import current_app, g, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from kiosk.answers import PAGE_FAILED, page_failed
from kiosk.console import blueprint, door
from kiosk.console.words import say

#: status → its word in words_menu.py
_WORDS = {400: "bad_request", 404: "not_found", 405: "wrong_method", 413: "too_large"}


@blueprint.get("/<path:nothing>")
@door.allow("admin", "staff")
def no_such_page(nothing: str) -> ResponseReturnValue:
    """An address of yesterday, or a slip of the finger: without this the residents' own page would answer."""
    return door.refuse(404, "not_found")


@blueprint.get("/too-long")
@blueprint.get("/api/too-long")
@door.anyone
def too_long() -> ResponseReturnValue:
    """Where a request goes whose address was too long (kiosk/too_large.py)."""
    return door.refuse(431, "address_too_long")


@blueprint.errorhandler(HTTPException)
def refused(wrong: HTTPException) -> ResponseReturnValue:
    """Also asked by the application where an address is the console's but no view of it was found (a wrong method)."""
    status = wrong.code or 500
    if 300 <= status < 400 and wrong.response is not None:
        return wrong.response
    if status >= 500:
        return our_fault(wrong)
    g.setdefault("lang", "zh")
    return door.refuse(status, _WORDS.get(status, "bad_request"))


@blueprint.errorhandler(Exception)
def our_fault(wrong: Exception) -> ResponseReturnValue:
    """Staff hear what still works, and whom to tell what: the event's name, so that whoever looks knows what to look
    for."""
    page_failed(wrong)
    g.setdefault("lang", "zh")
    words = {key: tuple(say(key, lang, event=PAGE_FAILED) for lang in ("zh", "en")) for key in _FAULT}
    if door.is_script():
        zh, en = (" ".join(words[key][number] for key in _FAULT) for number in (0, 1))
        return jsonify(error={"code": "our_fault", "zh": zh, "en": en}), 500
    told = [pair[g.lang == "en"] for pair in words.values()]
    again = request.full_path if request.method == "GET" else ""
    try:
        return door.draw("console/fault.html", told=told, again=again), 500
    except Exception as worse:  # whatever the frame trips over: the words are said all the same
        logging.getLogger("linli").error("the frame of %s failed, too", request.path, exc_info=worse)
        bare = current_app.jinja_env.get_template("console/fault_bare.html")
        back = say("nav_overview", g.lang)
        return bare.render(lang=g.lang, told=told, console="/console", back=back), 500


#: What has happened, what still works, what to do.
_FAULT = ("fault_what", "fault_works", "fault_do")
