"""A ticket on a phone: who scans the slip's QR code sees the place in the line. Phones poll (every 5 s)."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from kiosk import line, words
from kiosk.answers import error
from kiosk.api import ticket_view
from kiosk.core import current_core
from kiosk.paper import slip_view

blueprint = Blueprint("phone", __name__)


@blueprint.get("/t/<token>")
def ticket(token: str) -> ResponseReturnValue:
    core = current_core()
    found = line.by_token(core, token)
    if found is None:
        return error(
            404, "unknown_ticket", "没有这张号，可能已过期", "There is no such ticket; it may have expired"
        )
    asked = request.args.get("lang", found.lang)
    lang = "en" if asked == "en" else "zh"
    return render_template(
        "ticket.html",
        lang=lang,
        other="zh" if lang == "en" else "en",
        ticket=ticket_view(core, found, line.ahead(core, found), slip_view(core, found.ticket_id)),
        taken=datetime.fromtimestamp(found.taken_ms / 1000, core.zone),
        script_words=words.for_script(lang),
    )
