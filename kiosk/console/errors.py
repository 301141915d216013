"""What the console says where no page answers: in staff's own frame, not on the residents' page."""

from __future__ import annotations

from flask import g
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from kiosk.console import blueprint, door

#: status → its word in words_menu.py
_WORDS = {400: "bad_request", 404: "not_found", 405: "not_found", 413: "too_large"}


@blueprint.get("/<path:nothing>")
@door.allow("admin", "staff")
def no_such_page(nothing: str) -> ResponseReturnValue:
    """An address of yesterday, or a slip of the finger: without this the residents' own page would answer."""
    return door.refuse(404, "not_found")


@blueprint.errorhandler(HTTPException)
def _refused(wrong: HTTPException) -> ResponseReturnValue:
    status = wrong.code or 500
    if 300 <= status < 400 and wrong.response is not None:
        return wrong.response
    g.setdefault("lang", "zh")
    return door.refuse(status, _WORDS.get(status, "bad_request"))
