"""How large this screen's pixels are: measured by a technician with a bank card, and told to every page.

The technician makes a code at the console (Kiosks), taps the hall's name on the screen five times, types the code,
makes a bar as long as the card, and saves: a minute. The code is the only key. A console's session would not do: its
cookie stays in ``/console``, and a kiosk is no place to sign in.
"""

from __future__ import annotations

from math import ceil
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused
from kiosk import calibrations, words
from kiosk.addresses import asking
from kiosk.calibrations import Screen
from kiosk.core import current_core
from kiosk.delivery import FOR_GOOD
from kiosk.tries import tries_of
from kiosk.view import SCREEN, View, asked_view, frame

blueprint = Blueprint("calibrate", __name__)
blueprint.context_processor(frame)

def _version(screen: str) -> str:
    """What stands in the address of the screen's own rule: its millimetre in pixels, "0" while nobody measured it."""
    known = calibrations.of(current_core(), screen) if SCREEN.fullmatch(screen) else None
    return f"{known.px_per_mm:g}" if known is not None else "0"


@blueprint.app_url_defaults
def _with_version(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "calibrate.screen_css":
        values.setdefault("v", _version(str(values.get("screen", ""))))


@blueprint.get("/screen/<screen>.css")
def screen_css(screen: str) -> Response:
    """One rule with the screen's own millimetre; no rule while nobody has measured it.

    Its address names the millimetre, so a browser keeps it until the next calibration: no page waits for it.
    """
    known = calibrations.of(current_core(), screen) if SCREEN.fullmatch(screen) else None
    rule = f":root {{ --mm: {known.px_per_mm:g}px; }}\n" if known is not None else "/* not calibrated */\n"
    answer = Response(rule, mimetype="text/css")
    answer.headers["Cache-Control"] = FOR_GOOD if request.args.get("v") == _version(screen) else "no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@blueprint.get("/calibrate")
def page() -> str:
    """Asks for the code; after a calibration, shows what was saved."""
    known = calibrations.of(current_core(), asked_view().screen)
    return render_template("calibrate_code.html", saved=known if request.args.get("saved") == "1" else None)


@blueprint.post("/calibrate")
def act() -> ResponseReturnValue:
    """``do=open`` with the code shows the bar; ``do=save`` with the same code writes what was measured."""
    core, view, form = current_core(), asked_view(), request.form
    tries, now_ms = tries_of("screen"), core.now_ms()
    who = f"{request.remote_addr} {view.screen}"
    if rest_ms := tries.rest_ms(who, now_ms):
        wait_s = ceil(rest_ms / 1000)
        answer = _refused(words.say("calibrate_rest", view.lang, n=wait_s), 429)
        answer.headers["Retry-After"] = str(wait_s)
        return answer
    code = form.get("code", "").strip()
    by = core.screen_codes.whose(view.screen, code, now_ms)
    if not by:
        tries.wrong(who, now_ms)
        return _refused(words.say("calibrate_wrong", view.lang), 403)
    known = calibrations.of(core, view.screen)
    if form.get("do") != "save":
        return _bar(code, _typed(known))
    try:
        calibrations.save(
            core,
            view.screen,
            by,
            px_per_mm=calibrations.read_size(form.get("px_per_mm", "")),
            place_zh=form.get("place_zh", ""),
            place_en=form.get("place_en", ""),
            low=form.get("low") == "1",
            address=str(asking() or ""),
        )
    except OrderRefused as refused:
        typed = {name: form.get(name, "") for name in ("px_per_mm", "place_zh", "place_en", "low")}
        return _bar(code, typed, refused.why_en if view.lang == "en" else refused.why_zh, 400)
    core.screen_codes.spend(view.screen)
    # Without low= in the address: the screen is seen as it was just set.
    seen = View(lang=view.lang, large=view.large, screen=view.screen)
    return redirect(seen.url("calibrate.page", saved=1), 303)


def _typed(known: Screen | None) -> dict[str, str]:
    if known is None:
        return {"px_per_mm": "", "place_zh": "", "place_en": "", "low": ""}
    return {
        "px_per_mm": f"{known.px_per_mm:g}",
        "place_zh": known.place_zh,
        "place_en": known.place_en,
        "low": "1" if known.low else "",
    }


def _bar(code: str, typed: dict[str, str], why: str = "", status: int = 200) -> Response:
    page = render_template(
        "calibrate.html",
        code=code,
        typed=typed,
        why=why,
        card_mm=calibrations.CARD_MM,
        least=calibrations.PX_PER_MM_LEAST,
        most=calibrations.PX_PER_MM_MOST,
        longest=calibrations.PLACE_AT_MOST,
    )
    return make_response(page, status)


def _refused(why: str, status: int) -> Response:
    return make_response(render_template("calibrate_code.html", why=why, saved=None), status)
