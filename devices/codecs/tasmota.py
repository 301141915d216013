"""Tasmota: flashed Wi-Fi buttons and switches, its 433 MHz receiver and its Zigbee bridge.

Documented at tasmota.github.io under "Buttons and Switches", "RF Protocol", "Zigbee" and "MQTT".
``stat/<t>/RESULT`` ``{"Button1": {"Action": "SINGLE"}}`` (SetOption73), ``{"Switch1": {"Action": "ON"}}``
(SetOption114); ``tele/<t>/SENSOR`` carries states and measurements and may be retained; ``tele/<t>/LWT`` is
``Online``/``Offline``, always retained; ``tele/<t>/RESULT`` ``{"RfReceived": {"Data": "0x7028D2"}}``.

A 433 MHz code is a matter of policy (``alarm`` None): only the hall knows which codes are its buttons. So each code
is a device of its own, whichever receiver heard it: many frames of one press have one name, and a hall claims a code.

Over its Zigbee bridge a remote control *sends* a command (``0006!01``); the same ``Power`` without one is a lamp or a
plug telling where it stands. ``0500!00`` is an alarm zone's report: a door, or an SOS button. SetOption100 leaves
``ZbReceived`` away, SetOption118 moves it into the topic; before version 8.2 it was ``ZigbeeReceived``, and newer ones
write the zone's report ``0500<00``. A dimmer's or a shutter's "stop" is a key let go. Aqara's buttons send no command
but report a value: ``Power`` at each click, ``0006/8000`` how many clicks, ``MultiInValue`` which kind. That is a press
only where the hall knows the thing as a button. ``Panic`` and ``PersonalAlarm`` are zones that say what they are.

An infrared code (``IrReceived``) is a matter of policy like a radio's. ``LwReceived`` is its LoRaWAN bridge, with the
words of its own decoders (``DoorOpen``, ``ButtonPress`` …). ``POWER`` is where a relay stands.
"""

from __future__ import annotations

import re

from devices.codecs._shared import (
    BUTTON_CLASSES,
    Json,
    celsius,
    child,
    flag,
    is_object,
    known,
    load_object,
    millimetres,
    no_echo,
    number,
    offline,
    percent,
    plain,
    text,
    whole,
)
from devices.reading import Heard, Reading

TRANSPORT = "tasmota"

_INPUT = re.compile(r"(Button|Switch)(\d{1,2})\Z")
#: Zigbee clusters a remote control *sends* commands on: on/off, level, scenes, emergency console.
_COMMAND = re.compile(r"(0005|0006|0008|0102|0300|0501)!([0-9A-Fa-f]{2})\Z")
#: Commands of the alarm console (cluster 0501): emergency, fire, panic.
_EMERGENCIES = frozenset({"02", "03", "04"})
_ZONE_STATUS = ("0500!00", "0500<00")
_ZONES_THAT_CALL = ("Panic", "PersonalAlarm")
_CLICKS = {1: "single", 2: "double", 3: "triple", 4: "quadruple", 128: "many"}
_VALUES = {0: "hold", 1: "single", 2: "double", 3: "triple"}
_VALUE_LET_GO = 255
_TUYA_KINDS = {"00": "single", "01": "double", "02": "hold"}
_SOS_WORDS = frozenset({"sos", "emergency", "panic"})
_POWER = {0: "off", 1: "on", 2: "toggle"}
_STOPS = frozenset({("0008", "03"), ("0008", "07"), ("0102", "02"), ("0005", "09")})
#: Names beside a command that say which key it was.
_NAMED_KEY = re.compile(
    r"(?:Dimmer|Shutter)(?:Up|Down|Open|Close|Lift|Tilt|Move|Step)\Z|(?:Scene|ArrowClick|ArrowHold)\Z"
)
#: Claimed as one of these, what reports an alarm zone or a value is a button and no door, plug or leak sensor.
_BUTTONS = BUTTON_CLASSES - {"door_sensor_button", "room_sensor_button", "wifi_button"}


def read(heard: Heard) -> Reading:
    parts = heard.topic.split("/")
    device, what = "/".join(parts[1:-1]), parts[-1]
    if what == "LWT":
        gone = plain(heard.payload).lower() == "offline"
        return offline(device) if gone else Reading("online", device=device)
    if what.startswith("INFO"):
        return Reading("lifecycle", device=device)
    if what.startswith("POWER") and not heard.payload.lstrip().startswith(b"{"):
        return Reading("state", device=device, extras={"state": text(plain(heard.payload))})
    if what.startswith("UPTIME"):
        return Reading("state", device=device)
    body = load_object(heard.payload)
    match = _INPUT.match(what.capitalize())
    if match:  # firmware before 9 said it on stat/<t>/BUTTON1 with {"ACTION": "SINGLE"}
        return _input(match[1], int(match[2]), body, device)
    if what == "STATE":
        return Reading("heartbeat", device=device, extras=known(uptime_s=number(body.get("UptimeSec"))))
    if is_object(body.get("RfReceived")):
        return _radio(child(body, "RfReceived"), device)
    for name in ("ZbReceived", "ZigbeeReceived"):
        if is_object(body.get(name)):
            return _zigbee(child(body, name), device, heard.cls)
    if is_object(body.get("IrReceived")):
        return _infrared(child(body, "IrReceived"), device)
    if is_object(body.get("LwReceived")):
        return _lorawan(child(body, "LwReceived"), device)
    if what == "ZbReceived" or any(is_object(said) and "LinkQuality" in said for said in body.values()):
        return _zigbee(body, device, heard.cls)
    best = Reading("none", device=device)
    for key, value in body.items():
        match = _INPUT.match(key)
        if match:
            reading = _input(match[1], int(match[2]), value, device)
            if reading.alarm:
                return reading
            best = reading
    if best.event != "none":
        return best
    power = next((text(value) for key, value in body.items() if re.fullmatch(r"POWER\d{0,2}", key)), "")
    return Reading("state", device=device, extras={"state": power}) if power else _measured(body, device)


def _input(kind: str, index: int, value: object, device: str) -> Reading:
    if not is_object(value):
        # Telemetry tells where the switch stands, at any moment: not that somebody moved it.
        return Reading("state", device=device, extras=known(state=text(value) or None, button=index))
    word = text(value.get("Action", value.get("ACTION"))).upper()
    extras: dict[str, object] = {"button": index, "press_type": word.lower()}
    if not word:
        return Reading("none", device=device)
    if word in ("CLEAR", "RELEASE") or (kind == "Switch" and word == "OFF"):
        return Reading("release", device=device, extras=extras)
    return Reading("press", True, device=device, extras=extras)


def _radio(received: Json, device: str) -> Reading:
    code = received.get("Data", received.get("Code"))
    word = f"{code:X}" if isinstance(code, int) else text(code).upper().removeprefix("0X")
    return Reading(
        "rf_code",
        alarm=None if word else False,
        device=f"433/{word}" if word else device,
        extras=known(
            code=word or None,
            bits=whole(received.get("Bits")),
            protocol=whole(received.get("Protocol")),
            button=whole(received.get("RfKey")),
            bridge=device or None,
        ),
    )


def _infrared(received: Json, bridge: str) -> Reading:
    code = received.get("Data", received.get("Hash"))
    word = f"{code:X}" if isinstance(code, int) else text(code).upper().removeprefix("0X")
    return Reading(
        "rf_code",  # a code through the air, as the 433 MHz ones
        alarm=None if word else False,
        device=f"ir/{word}" if word else bridge,
        extras=known(code=word or None, bits=whole(received.get("Bits")), bridge=bridge or None),
    )


def _lorawan(received: Json, bridge: str) -> Reading:
    for address, said in received.items():
        if not is_object(said):
            continue
        device = text(said.get("Name")) or text(address) or bridge
        extras = known(battery_v=number(said.get("Battery")), temperature=celsius(said.get("Temperature")))
        if flag(said.get("ButtonPress")):
            return Reading("press", True, device=device, extras=extras)
        opened = flag(said.get("DoorOpen"))
        return Reading(
            "heartbeat" if opened is None else "contact", device=device, extras=extras | known(open=opened)
        )
    return Reading("none", device=bridge)


def _zigbee(received: Json, bridge: str, cls: str) -> Reading:
    for address, said in received.items():
        if is_object(said):
            return _zigbee_device(said, text(said.get("Name")) or text(address) or bridge, cls)
    return Reading("none", device=bridge)


def _zigbee_device(said: Json, device: str, cls: str) -> Reading:
    pct = percent(said.get("BatteryPercentage", said.get("Battery")))
    commands = [match for key in said if (match := _COMMAND.match(key))]
    word = text(said.get("Click", said.get("Action"))).lower()
    calls = any(match[1] == "0501" and match[2] in _EMERGENCIES for match in commands)
    if calls or word in _SOS_WORDS or any(flag(said.get(name)) for name in _ZONES_THAT_CALL):
        return Reading("sos", True, battery_pct=pct, device=device)
    power = number(said.get("Power"))
    if word == "release":
        return Reading("release", battery_pct=pct, device=device, extras={"press_type": word})
    opened = flag(said.get("Contact"))
    if opened is not None and cls not in _BUTTONS:
        return Reading("contact", battery_pct=pct, device=device, extras={"open": opened})
    zone = next((text(said[name]) for name in _ZONE_STATUS if name in said), "")
    if zone:
        return _zone(zone, pct, device, cls)
    reported = _reported(said, cls) if not commands and not word else None
    if reported is not None:
        event = "release" if reported == "release" else "press"
        return Reading(
            event, event == "press", battery_pct=pct, device=device, extras={"press_type": reported}
        )
    if commands and all(match.groups() in _STOPS for match in commands) and not word:
        return Reading("release", battery_pct=pct, device=device, extras={"press_type": "release"})
    if commands or word:
        named = next((key for key in said if _NAMED_KEY.match(key)), "")
        kind = word or _POWER.get(int(power) if power is not None else -1)
        kind = kind or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", named).lower()
        kind = kind or _TUYA_KINDS.get(text(said.get("0006!FD")))
        return Reading("press", True, battery_pct=pct, device=device, extras=known(press_type=kind or None))
    extras = known(
        battery_v=number(said.get("Voltage", said.get("BatteryVoltage"))),
        temperature=celsius(said.get("Temperature")),
        humidity=number(said.get("Humidity")),
    )
    beats = pct is not None or "battery_v" in extras
    return Reading("heartbeat" if beats else "none", battery_pct=pct, device=device, extras=extras)


def _reported(said: Json, cls: str) -> str | None:
    """The kind of press in a value that an Aqara button reports; None where it reports none."""
    clicks = whole(said.get("0006/8000"))
    if clicks is not None:  # no other thing has this attribute
        return _CLICKS.get(clicks, "many")
    if cls not in _BUTTONS:
        return None
    value = whole(said.get("MultiInValue", said.get("0012/0055")))
    if value is not None:
        return "release" if value == _VALUE_LET_GO else _VALUES.get(value, "many")
    # Pressed is one value, let go the other; which is which differs by model, and either may be all that arrives.
    return "single" if flag(said.get("Power")) is not None else None


def _zone(status: str, pct: float | None, device: str, cls: str) -> Reading:
    """``010000FF0000``: sixteen bits, the low byte first; bits 0 and 1 the alarms, bit 2 torn off, bit 3 battery low.
    A door and an SOS button say it alike, so the hall's claim decides."""
    bits = int(status[2:4] + status[:2], 16)
    if bits & 3 and cls in _BUTTONS:
        low = known(battery_low=True if bits & 8 else None)
        return Reading("sos", True, battery_pct=pct, device=device, extras=low)
    return Reading(
        "state" if bits & 3 else "release",
        None if bits & 3 else False,
        battery_pct=pct,
        device=device,
        extras=known(
            state="ON" if bits & 3 else "OFF", tamper=bool(bits & 4), battery_low=True if bits & 8 else None
        ),
    )


def _measured(body: Json, device: str) -> Reading:
    """An ultrasonic sensor reports centimetres, the laser ones millimetres."""
    extras: dict[str, object] = {}
    for name, value in body.items():
        if is_object(value):
            if "Distance" in value:
                unit = "distance_mm" if name.upper().startswith("VL53") else "distance_cm"
                told = value.get("Distance")
                extras.update(known(**{unit: millimetres(told)}, no_echo=no_echo(told)))
            extras.update(
                known(temperature=celsius(value.get("Temperature")), humidity=number(value.get("Humidity")))
            )
    return Reading("status" if extras else "none", device=device, extras=extras)
