"""The touchscreens: which are calibrated, how long ago, and the code with which a technician calibrates one."""

from __future__ import annotations

from datetime import datetime

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

from kiosk import calibrations
from kiosk.calibrations import Screen
from kiosk.console import acts, blueprint, door
from kiosk.console.care import lang
from kiosk.console.words import say
from kiosk.core import Core, current_core
from kiosk.view import SCREEN

DAY_MS = 24 * 3_600_000


@blueprint.get("/screens")
@door.allow("admin", "staff")
def screens() -> ResponseReturnValue:
    return _page()


@blueprint.post("/screens")
@door.allow("admin", "staff")
def screen_code() -> ResponseReturnValue:
    """Make a code for one screen; the one before ends."""
    screen, core = request.form.get("screen", "").strip().casefold(), current_core()
    if not SCREEN.fullmatch(screen):
        return _page(
            why=say("screen_bad_name", lang()), typed=request.form.get("screen", "")[:40], status=400
        )
    code = core.screen_codes.make(screen, door.me().name, core.now_ms())
    acts.did("screen_code", screen)
    # Not a redirect: the code stands in this one answer and nowhere else.
    return _page(handed=(screen, code))


def _page(
    *, handed: tuple[str, str] | None = None, why: str = "", typed: str = "", status: int = 200
) -> ResponseReturnValue:
    core = current_core()
    page = render_template(
        "console/screens.html",
        rows=_rows(core),
        handed=handed,
        typed=typed,
        why=why,
        gateway_there=True,  # nothing here needs it
    )
    return make_response(page, status)


def _rows(core: Core) -> list[tuple[str, Screen | None, str]]:
    """(name, as it was set or None, when that was in words) of every screen that the hall knows of."""
    known = {one.screen: one for one in calibrations.every(core)}
    named = {
        screen
        for printer in core.house.plan.printers
        for screen in printer.screens
        if SCREEN.fullmatch(screen)
    }
    names = sorted({"kiosk-1", *named, *known}, key=lambda name: (len(name), name))
    return [(name, known.get(name), _when(core, known[name]) if name in known else "") for name in names]


def _when(core: Core, one: Screen) -> str:
    now_ms = core.now_ms()
    at, now = (datetime.fromtimestamp(ms / 1000, core.zone) for ms in (one.set_ms, now_ms))
    days = (now.date() - at.date()).days
    if days == 0:
        return say("screen_set_today", lang(), time=f"{at:%H:%M}", name=one.set_by)
    return say("screen_set", lang(), time=f"{at:%Y-%m-%d}", name=one.set_by, days=days)
