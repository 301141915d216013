"""The Things Network / The Things Stack v3.

Topics ``v3/<application>@<tenant>/devices/<device>/<up|join|…>``, described in The Things Stack's
documentation ("MQTT server", "Data formats"). An uplink::

    {"end_device_ids": {"device_id": "dev-2", "dev_eui": "A8…"},
     "uplink_message": {"f_port": 85, "f_cnt": 2, "frm_payload": "AXVc/y4D", "decoded_payload": {…},
                        "version_ids": {"brand_id": "milesight-iot", "model_id": "ws101"}}}

``frm_payload`` is base64; ``decoded_payload`` is absent without a formatter; ``f_cnt`` is left out when 0.
``normalized_payload`` lists measurements under names of their own (``[{"battery": 3.2, "air": {…}}]``): where nothing
else was decoded it is read.
"""

from __future__ import annotations

from dataclasses import replace

from devices.codecs import _lorawan
from devices.codecs._shared import (
    Json,
    child,
    is_object,
    known,
    load_object,
    number,
    radio,
    text,
    whole,
)
from devices.reading import Heard, Reading

TRANSPORT = "ttn_v3"


def read(heard: Heard) -> Reading:
    parts = heard.topic.split("/")
    body = load_object(heard.payload)
    ids = child(body, "end_device_ids")
    device = (text(ids.get("dev_eui")) or text(ids.get("device_id")) or "/".join(parts[3:4])).lower()
    up = child(body, "uplink_message")
    if not up:
        lifecycle = "join_accept" in body or parts[-1] == "join"
        return Reading("lifecycle" if lifecycle else "none", device=device)
    reading = _uplink(heard, up, text(ids.get("device_id")))
    # Its session and the address that the network gives are new at each join.
    session = known(session=text(up.get("session_key_id")) or text(ids.get("dev_addr")) or None)
    extras = {**reading.extras, **radio(up.get("rx_metadata")), **session}
    return replace(reading, device=device, press_id=_press_id(up), extras=extras)


def _uplink(heard: Heard, up: Json, name: str) -> Reading:
    version = child(up, "version_ids")
    model = text(version.get("model_id"))
    candidates = [
        (heard.vendor, heard.model or (model if heard.vendor else "")),
        (text(version.get("brand_id")), model),
        ("", name),
    ]
    port = whole(up.get("f_port"))
    port = port if port is not None else heard.fport
    decoded = up.get("decoded_payload") or _normalized(up)
    return _lorawan.read_text(heard, candidates, up.get("frm_payload"), port, decoded)


def _normalized(up: Json) -> object:
    listed = up.get("normalized_payload")
    first = listed[0] if isinstance(listed, list) and listed else None
    if not is_object(first):
        return None
    battery = number(first.get("battery"))  # volts, in this vocabulary
    said = {key: value for key, value in first.items() if key != "battery"}
    return {**child(said, "air"), **child(said, "action"), **said} | known(batteryVoltage=battery)


def _press_id(up: Json) -> str:
    count = whole(up.get("f_cnt", 0))
    return "" if count is None else f"fcnt:{count}"
