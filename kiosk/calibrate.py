"""How large this screen's pixels are: measured by a technician with a bank card, and told to every page."""

from __future__ import annotations

from flask import Blueprint, Response, request

from kiosk import calibrations
from kiosk.core import current_core
from kiosk.view import SCREEN, frame

blueprint = Blueprint("calibrate", __name__)
blueprint.context_processor(frame)


@blueprint.get("/screen/<screen>.css")
def screen_css(screen: str) -> Response:
    """One rule with the screen's own millimetre; no rule while nobody has measured it.

    Asked for again with every page (``no-cache`` and an ETag): a new calibration is seen at the next touch.
    """
    known = calibrations.of(current_core(), screen) if SCREEN.fullmatch(screen) else None
    rule = f":root {{ --mm: {known.px_per_mm:g}px; }}\n" if known is not None else "/* not calibrated */\n"
    answer = Response(rule, mimetype="text/css")
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
