"""LoRaWAN through ChirpStack v4 and The Things Stack: downlinks, and what becomes of them.

ChirpStack: ``application/<id>/device/<eui>/command/down`` with an ``id`` that its events ``ack`` and ``txack`` repeat
as ``queueItemId`` (its documentation, "Integrations / MQTT"). ``txack`` says that the gateway will send it, which is no
answer of the device; an ``ack`` without ``acknowledged`` is a refusal (protobuf's JSON leaves false out).
The Things Stack: ``v3/<app>@<tenant>/devices/<id>/down/push``, and ``…/down/ack``, ``nack``, ``failed``, which repeat
our ``correlation_ids`` (its documentation, "MQTT server", "Data formats").

Only devices of class C are told, and only those whose command is documented:

* Milesight WS52x sockets (encoder of Milesight's SensorDecoders): 08, 01 on or 00 off, FF FF; port 85.
* Dragino LT-22222-L, LT-33222-L (user manual, "Type Code 03"): 03, relay 1 (01 closed, 00 open), relay 2 (11: leave).

Class A devices, nearly all call buttons, hear nothing between their own words: they have no means here.
"""

from __future__ import annotations

import base64
import re

from devices.messages import Word
from devices.speaking._shared import Reply, Saying, Speaker, child, load_object, one, text, words

FAMILIES = ("chirpstack_v4", "ttn_v3")
MEANS = {
    "ws52x": ("Milesight WS52x 插座（C 类；通：有人来）", "Milesight WS52x socket (class C; on: coming)"),
    "lt": ("Dragino LT 继电器（C 类；吸合：有人来）", "Dragino LT relay (class C; closed: coming)"),
}
_MODELS = ((re.compile(r"\bws52[0-9]"), "ws52x"), (re.compile(r"\blt-?(?:22222|33222)"), "lt"))
#: means → port, bytes for on, bytes for off
_FRAMES = {
    "ws52x": (85, bytes.fromhex("0801ffff"), bytes.fromhex("0800ffff")),
    "lt": (2, bytes.fromhex("030111"), bytes.fromhex("030011")),
}
_OURS = "linli:"


def means_of(model: str) -> str:
    return next((means for models, means in _MODELS if models.search(model)), "")


def root(topic: str, _address: str) -> str:
    parts = topic.split("/")
    known = len(parts) > 4 and (parts[0], parts[2]) in (("application", "device"), ("v3", "devices"))
    return "/".join(parts[:4]) if known else ""


def say(speaker: Speaker, means: str, word: Word, token: str) -> Saying | None:
    if word == "heard":
        return None  # a socket is on or off: on means that somebody is coming
    port, on, off = _FRAMES[means]
    data = base64.b64encode(on if word == "coming" else off).decode()
    if speaker.family == "ttn_v3":
        downlink = {
            "f_port": port,
            "frm_payload": data,
            "priority": "HIGH",
            "confirmed": True,
            "correlation_ids": [_OURS + token],
        }
        return one(f"{speaker.via}/down/push", words({"downlinks": [downlink]}), token=token, level=True)
    downlink = {"id": token, "devEui": speaker.address, "confirmed": True, "fPort": port, "data": data}
    return one(f"{speaker.via}/command/down", words(downlink), token=token, level=True)


def reply(topic: str, payload: bytes) -> Reply | None:
    parts = topic.split("/")
    if len(parts) != 6:
        return None
    if parts[0] == "application" and parts[4:] == ["event", "ack"]:
        body = load_object(payload)
        eui = text(child(body, "deviceInfo").get("devEui")) or parts[3]
        token = text(body.get("queueItemId"))
        return Reply(eui.lower(), token, body.get("acknowledged") is True) if token else None
    if parts[0] == "v3" and parts[4] == "down" and parts[5] in ("ack", "nack", "failed"):
        body = load_object(payload)
        ids = child(body, "end_device_ids")
        said = child(body, f"downlink_{parts[5]}")
        names = [body.get("correlation_ids"), said.get("correlation_ids")]
        names.append(child(said, "downlink").get("correlation_ids"))
        for name in (one for some in names if isinstance(some, list) for one in some):
            if isinstance(name, str) and name.startswith(_OURS):
                address = text(ids.get("dev_eui")) or text(ids.get("device_id")) or parts[3]
                return Reply(address.lower(), name.removeprefix(_OURS)[:64], parts[5] == "ack")
    return None
