"""Setting up a device: press it, say whose it is, try it, print its label; later retire or replace it.

The page is a live one (``console_setup.js``): it shows that exactly this device has just spoken. What is said here
goes to the gateway as orders; a new device takes over before the old one is put aside, so that nobody is ever without.
"""

from __future__ import annotations

import io
import secrets
from typing import Any

import segno
from flask import g, jsonify, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from devices.faults import OrderRefused, OutsideDown
from gateway import views_answering
from kiosk.console import acts, blueprint, care, door, pages
from kiosk.console.words import say
from kiosk.core import Core, current_core
from kiosk.kinds import kinds_now

Json = dict[str, Any]

#: What a replacement takes over from the old device.
TAKEN_OVER = ("call_kind", "name", "place", "person", "person_id")
_PERSON_FIELDS = ("name", "phone", "grid", "building", "unit", "room", "place")


@blueprint.get("/devices/set-up/<path:device_id>")
@door.allow("admin", "staff")
def setup_page(device_id: str) -> ResponseReturnValue:
    """Also for a device that nobody has heard yet: its id stands on its back, and the press is waited for."""
    return pages.live_page("setup", setup={"device_id": device_id[:200]})


@blueprint.get("/devices/label/<path:device_id>")
@door.allow("admin", "staff")
def device_label(device_id: str) -> ResponseReturnValue:
    """For the device's back. No name of a person on it: whoever finds it need not know."""
    core = current_core()
    device = _device(core, device_id)
    if device is None:
        return door.refuse(404, "devices_none")
    hall = core.house.plan
    address = f"{hall.http.base_url or request.host_url.rstrip('/')}/console/devices?device={device_id}"
    drawn = io.BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", xmldecl=False, svgclass=None, lineclass=None, border=2, omitsize=True
    )
    names = {one["kind"]: one[f"name_{g.lang}"] for one in kinds_now(core)}
    return care.page(
        "console/label.html",
        device=device,
        kind=names.get(device["call_kind"], device["call_kind"]),
        code=Markup(drawn.getvalue().decode()),  # made by segno from our own address; nothing of it is typed
    )


@blueprint.get("/api/people")
@door.allow("admin", "staff")
def find_people() -> ResponseReturnValue:
    words = request.args.get("q", "").strip()[:40]
    found = views_answering.people_like(current_core().gateway_reader(), words) if words else []
    return jsonify(people=found)


@blueprint.post("/api/people")
@door.allow("admin", "staff")
def new_person() -> ResponseReturnValue:
    """Somebody who is not on the list yet. ``person_id`` from the page, so that a repeated tap is the same person.

    Whoever is on the list already is neither changed nor shown: here is no right to see a whole resident.
    """
    body = acts.json_body()
    fields: Json = {name: acts.text_of(body, name) for name in _PERSON_FIELDS if name in body}
    person_id = acts.text_of(body, "person_id", 40) or f"p-{secrets.token_hex(6)}"
    answer = current_core().link.order(
        "put_person", person_id=person_id, **fields, new=True, by=door.me().name
    )
    acts.did("put_person", person_id)
    row = answer.get("row") or fields
    return jsonify(
        ok=True, person={"person_id": person_id, **{name: row.get(name, "") for name in _PERSON_FIELDS}}
    )


@blueprint.get("/api/said/<path:device_id>")
@door.allow("admin", "staff", quiet=True)
def device_said(device_id: str) -> ResponseReturnValue:
    """The last presses of one device, as the journal has them."""
    return jsonify(lines=views_answering.device_lines(current_core().gateway_reader(), device_id))


@blueprint.post("/api/devices/<path:device_id>/expect-test")
@door.allow("admin", "staff")
def expect_test(device_id: str) -> ResponseReturnValue:
    """Its next press within ten minutes is a test: it rings nobody out of bed, and is recorded as tested."""
    answer = current_core().link.order(
        "care_device", device_id=device_id, expect_test=True, by=door.me().name
    )
    acts.did("expect_test", device_id)
    return jsonify(ok=True, care=answer.get("row"))


@blueprint.post("/api/devices/<path:device_id>/retire")
@door.allow("admin", "staff")
def retire_device(device_id: str) -> ResponseReturnValue:
    """Its presses ring no more. ``by_device``: the device that takes over its person, place and name first."""
    core, body = current_core(), acts.json_body()
    successor = acts.text_of(body, "by_device", 200)
    old = _device(core, device_id)
    if old is None:
        raise OrderRefused(say("devices_none", "zh"), say("devices_none", "en"))
    by = door.me().name
    if successor:
        taken: Json = {name: old.get(name) or "" for name in TAKEN_OVER}
        if companion := views_answering.companion_of(core.gateway_reader(), device_id):
            taken["answers"] = companion
        core.link.order("claim_device", device_id=successor, kind="call_button", **taken, by=by)
        acts.did("replace_device", device_id, successor)
    try:
        answer = core.link.order("claim_device", device_id=device_id, kind="ignored", by=by)
    except (OrderRefused, OutsideDown):
        if successor:
            return door.refuse(503, "replace_half")
        raise
    acts.did("retire_device", device_id)
    before = {name: old.get(name) or "" for name in ("kind", *TAKEN_OVER)}
    return jsonify(ok=True, device=answer.get("device"), before=before)


@blueprint.post("/api/devices/<path:device_id>/bring-back")
@door.allow("admin", "staff")
def bring_back_device(device_id: str) -> ResponseReturnValue:
    """As it was before it was retired. Its successor stays as well: two buttons are better than none."""
    body = acts.json_body()
    fields: Json = {name: acts.text_of(body, name) for name in TAKEN_OVER if name in body}
    answer = current_core().link.order(
        "claim_device", device_id=device_id, kind="call_button", **fields, by=door.me().name
    )
    acts.did("bring_back_device", device_id)
    return jsonify(ok=True, device=answer.get("device"))


def _device(core: Core, device_id: str) -> Json | None:
    devices: list[Json] = core.link.snapshot()["devices"]
    return next((one for one in devices if one.get("device_id") == device_id), None)
