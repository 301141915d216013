"""Devices that need somebody: the list that a technician walks, and one touch for what was done at each.

Plain forms, as those about visits and meals (care.py). What is wrong and since when the gateway decides
(``gateway/hall/supervision.py``, ``upkeep.py``); here it is read and said.
"""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused
from gateway import views
from kiosk.console import acts, blueprint, care, door
from kiosk.console.care import Json, Unreadable, lang
from kiosk.console.words import say
from kiosk.core import current_core

#: What can be written down about a device: the words of the order ``care_device``.
DONE = ("battery_changed", "repaired", "tested", "expect_test")


@blueprint.get("/devices/rounds")
@door.allow("admin", "staff")
def device_rounds() -> ResponseReturnValue:
    told, name = request.args.get("told", ""), request.args.get("name", "")[:200]
    done = say(f"upkeep_told_{told}", lang(), name=name) if told in (*DONE, "path") else ""
    return _rounds(done=done)


def _rounds(status: int = 200, why: str = "", done: str = "") -> ResponseReturnValue:
    whole = request.args.get("all") == "1"
    now_ms = current_core().now_ms()
    try:
        rows = care.read(lambda book: views.fleet(book, now_ms))
    except Unreadable:
        return care.unreadable("console/upkeep.html", rows=[], paths=[], whole=whole, now_ms=now_ms, there=0)
    paths = sorted({str(one["path"]) for one in rows if one["path"]})
    shown = rows if whole else [one for one in rows if one["trouble"]]
    filled: Json = {"rows": shown, "paths": paths, "whole": whole, "now_ms": now_ms, "there": len(rows)}
    return care.page("console/upkeep.html", status, why=why, done=done, **filled)


@blueprint.post("/devices/rounds")
@door.allow("admin", "staff")
def device_cared() -> ResponseReturnValue:
    """A battery changed, a device mended or tested, a test announced, a gateway taken away for good."""
    form = request.form
    device_id, do, path = form.get("device_id", ""), form.get("do", ""), form.get("path_id", "")
    try:
        if path:
            care.order("forget_path", path_id=path)
            acts.did("path_forgotten", path)
            return redirect(url_for("console.device_rounds", told="path", name=path), 303)
        if not device_id or do not in DONE:
            return door.refuse(400, "bad_request")
        care.order("care_device", device_id=device_id, **{do: True})
    except OrderRefused as refused:
        return _rounds(409, care.why(refused))
    acts.did("device_cared", device_id, do)
    name = form.get("name", "")[:200] or device_id
    return redirect(url_for("console.device_rounds", told=do, name=name, all=form.get("all") or None), 303)
