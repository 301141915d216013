"""A LoRaWAN device's own bytes, already out of hexadecimal or base64, without any envelope.

This is how captured frames are replayed and how a network server without MQTT hands them over. The
family that reads them is found from ``Heard.vendor`` and ``Heard.model``; ``Heard.fport`` is the port.
"""

from __future__ import annotations

from devices.codecs import _lorawan
from devices.codecs._shared import undecodable
from devices.reading import Heard, Reading

TRANSPORT = "raw_lorawan"


def read(heard: Heard) -> Reading:
    frame = _lorawan.Frame(heard.payload, heard.fport, heard.vendor, heard.model, heard.cls)
    if not heard.payload:
        return undecodable("an empty frame")
    reading = _lorawan.read(frame)
    if reading is None and not _lorawan.knows(heard.vendor, heard.model) and heard.fport == 85:
        reading = _lorawan.read(_lorawan.Frame(heard.payload, heard.fport, "milesight", "", heard.cls))
    return reading if reading is not None else undecodable("no family understands these bytes")
