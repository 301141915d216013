"""叫人帮忙: a call for a member of staff from a touchscreen, and from which one it honestly is.

A screen's name in a request proves nothing: whoever is in the hall's network can open these pages and press the button.
So a call speaks in a screen's name only from this machine itself, or from where that screen was calibrated (with a
code of the console, kiosk/calibrate.py). From anywhere else it is raised all the same, because an elder at a new
screen must not wait for a technician: but as another device, with its address and the name it gave itself, so that who
is on duty knows what is known. All such devices together hold one open call, and none calls more than five times a
minute: a prank costs one look.
"""

from __future__ import annotations

import secrets

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from kiosk import calibrations
from kiosk.addresses import Address, asking
from kiosk.answers import body, error, rest_first, text
from kiosk.api import KEY
from kiosk.core import Core, current_core
from kiosk.tries import tries_of
from kiosk.view import SCREEN

blueprint = Blueprint("help_call", __name__)

#: The device of all calls that come from no screen of ours.
ELSEWHERE = "screen:elsewhere"
#: What whoever pressed there is told.
_NOTE = {
    "zh": "已经告诉工作人员，但他们不知道您在哪里：请到服务台，或招手。有人有危险，拨打 110、119、120",
    "en": "Staff are told, but not where you are: walk to the desk, or wave. In danger: call 110, 119 or 120",
}


@blueprint.post("/api/help")
def help_me() -> ResponseReturnValue:
    """A call, written by the gateway like any other press."""
    core, asked = current_core(), body()
    screen = text(asked, "screen")
    key = text(asked, "key") if "key" in asked else secrets.token_urlsafe(12)
    if not SCREEN.fullmatch(screen) or not KEY.fullmatch(key):
        return error(400, "bad_request", "请求的格式不对", "The request is malformed")
    address = asking()
    return (
        _from_screen(core, screen, key)
        if speaks_for(core, address, screen)
        else _from_elsewhere(core, screen, key, str(address or ""))
    )


def speaks_for(core: Core, address: Address | None, screen: str) -> bool:
    """Whether who asks from this address is that screen."""
    if address is None:
        return False
    if address.is_loopback:
        return True
    known = calibrations.of(core, screen)
    return known is not None and known.address == str(address)


def _from_screen(core: Core, screen: str, key: str) -> ResponseReturnValue:
    number = screen.removeprefix("kiosk-")
    # A screen's own namespace: whatever a stranger sends as its name, it is never the button of an elder.
    return _raise(core, f"screen:{screen}", f"大厅自助机 {number}", f"Hall kiosk {number}", screen, key)


def _from_elsewhere(core: Core, screen: str, key: str, address: str) -> ResponseReturnValue:
    tries, now_ms = tries_of("help"), core.now_ms()
    if rest_ms := tries.rest_ms(address, now_ms):
        return rest_first(
            rest_ms,
            "too_many_calls",
            "刚才已经叫过几次，请等 {wait_s} 秒再叫，或直接到服务台。有人有危险，拨打 110、119、120",
            "It has called several times just now: wait {wait_s} s, or walk to the desk. In danger: call 110, 119 or"
            " 120",
        )
    tries.wrong(address, now_ms)
    at = address or "?"
    zh = f"别的设备 {at}，自称 {screen}，不知道在哪里"
    en = f"Another device, {at}, that says it is {screen}; nobody knows where it is"
    return _raise(core, ELSEWHERE, zh, en, f"{screen} {at}", key, note=_NOTE)


def _raise(
    core: Core, device_id: str, zh: str, en: str, by: str, key: str, **more: object
) -> ResponseReturnValue:
    said = core.link.order(
        "raise_call", device_id=device_id, kind="help", name=zh, place_zh=zh, place_en=en, by=by, key=key
    )
    call = said.get("call")
    call_id = call.get("call_id") if isinstance(call, dict) else None
    return jsonify({"call_id": call_id, "written": bool(said.get("written")), **more}), 202
