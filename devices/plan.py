"""hall.toml: which wire goes where. Read once at start, refused as a whole if one word of it is wrong.

A technician writes this file with a screwdriver in the other hand, so a mistake is answered with the file,
the line, the key and the nearest right name. People, places and devices are not wiring: they live in the
gateway's notebook and are edited in the console.

The dataclasses below *are* the schema: a key is a field, its default is the default, ``metadata`` holds the
limits. Adding a key is adding a field (and its line in ``hall.toml``; a test compares the two).
"""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import re
import tomllib
import typing
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.faults import HallFileFault

#: The languages of the faces: each text exists in both.
LANGUAGES = ("zh", "en")

_ID = r"[a-z0-9][a-z0-9_-]{0,31}"


def _int(default: int, low: int, high: int) -> int:
    return field(default=default, metadata={"min": low, "max": high})


def _one_of(default: str, *words: str) -> str:
    return field(default=default, metadata={"one_of": words})


def _id() -> str:
    return field(default="", metadata={"pattern": _ID, "required": True})


@dataclass(frozen=True, slots=True)
class Hall:
    """Who we are. ``timezone`` decides when a business day ends."""

    name_zh: str = "示例社区便民服务大厅"
    name_en: str = "Example Community Service Hall"
    timezone: str = "Asia/Shanghai"
    languages: tuple[str, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Http:
    """Where the faces are served. Loopback unless the hall says otherwise."""

    listen: str = "127.0.0.1"
    port: int = _int(8000, 1, 65535)
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Broker:
    """The MQTT broker. ``own`` True: ``linli run`` starts a mosquitto for this hall; False: one runs already.

    ``calls`` are the topics on which somebody may call for help, ``telemetry`` those on which nobody does and much may
    be said: each list has a connection and a session of its own, and the calls are read first. No two patterns should
    cover the same topic. ``listen`` is what is heard besides, at QoS 0 and while there is time for it: strangers, who
    are named or counted; a press among them rings as well.
    """

    own: bool = True
    host: str = "127.0.0.1"
    port: int = _int(1883, 1, 65535)
    username: str = ""
    password_file: str = ""
    tls_ca: str = ""
    listen: tuple[str, ...] = ("#",)
    calls: tuple[str, ...] = (
        "linli/v1/button/+/press",
        "linli/v1/button/+/status",
        "zigbee2mqtt/#",
        "application/#",
        "v3/#",
        "stat/#",
        "tele/#",
        "shellies/#",
        "info/#",
        "+/binary_sensor/+/state",
        "+/+/binary_sensor/+/state",
        "+/event/+/state",
        "+/button/+/state",
        "+/events/rpc",
        "+/+/events/rpc",
        "+/status/+",
        "+/433toMQTT",
        "+/+/433toMQTT",
        "+/BTtoMQTT/+",
        "+/+/BTtoMQTT/+",
        "v1/up/+",
        "+/text_sensor/+/state",
        "rtl_433/#",
        "+/RTL_433toMQTT/#",
        "+/+/RTL_433toMQTT/#",
        "+/LORAtoMQTT",
        "+/+/LORAtoMQTT",
    )
    telemetry: tuple[str, ...] = ("linli/v1/bay/#", "linli/v1/panel/+/state", "linli/v1/panel/+/status")


@dataclass(frozen=True, slots=True)
class Printer:
    """A queue printer on a serial line. ``port`` is a device ("/dev/ttyUSB0") or "virtual".

    ``flow``: who holds the line when the printer is busy, XON/XOFF ("software") or the wires RTS/CTS ("hardware").
    ``screens``: the screens whose slips come out here; ``spare``: the id of the printer that steps in for this one.
    ``roll_m``: metres on a new roll, 0 where nobody says.
    """

    id: str = _id()
    name_zh: str = "取号打印机"
    name_en: str = "Ticket printer"
    port: str = "virtual"
    baud: int = _int(9600, 1200, 460800)
    profile: str = "generic80"
    flow: str = _one_of("software", "software", "hardware")
    screens: tuple[str, ...] = ()
    spare: str = ""
    roll_m: int = _int(0, 0, 500)


#: Drivers of panels whose wire has digits and nothing else (firmware_bridge/panels): the faces must say so.
DIGITS_ONLY = frozenset({"xunpeng"})


@dataclass(frozen=True, slots=True)
class Panel:
    """An LED panel at an entrance. ``via`` "mqtt": it listens to its topic; "serial": the bridge drives ``port``.

    ``zones`` are the parking zones whose free bays it adds up; empty means all, or those of ``site``. A site without
    bays of ours is shown as its feed tells it. ``arrow``: where those bays lie from the panel.
    ``answers``: one on MQTT repeats what it shows (docs/protocol.md, section 9); False: it cannot, and nobody knows how
    it is. ``kind`` "window": an LED sign above a service window (``window`` "W3") that shows the number called there.
    ``unsure``: what a panel that has digits only (`DIGITS_ONLY`) shows where too much is unknown: "least", yellow, how
    many are known to be free; "full", a red 0. All others show "--".
    ``address`` is the sign's own on its line, ``width_px`` and ``height_px`` its face, where its driver asks for them.
    """

    id: str = _id()
    name_zh: str = "入口屏"
    name_en: str = "Entrance panel"
    kind: str = _one_of("count", "count", "window")
    window: str = ""
    zones: tuple[str, ...] = ()
    site: str = ""
    arrow: str = _one_of("", "", "left", "right", "straight", "up", "down")
    via: str = _one_of("mqtt", "mqtt", "serial")
    answers: bool = True
    driver: str = "xunpeng"
    unsure: str = _one_of("least", "least", "full")
    port: str = "virtual"
    baud: int = _int(9600, 1200, 460800)
    address: int = _int(1, 1, 255)
    width_px: int = _int(64, 8, 2048)
    height_px: int = _int(16, 8, 256)

    @property
    def digits_only(self) -> bool:
        """Whether it cannot show "--"."""
        return self.via == "serial" and self.kind == "count" and self.driver in DIGITS_ONLY


@dataclass(frozen=True, slots=True)
class Pin:
    """A hall button or a beacon on a GPIO pin, numbered as Broadcom numbers them (BCM)."""

    id: str = _id()
    name_zh: str = "服务台按钮"
    name_en: str = "Desk button"
    pin: int = _int(17, 0, 27)


@dataclass(frozen=True, slots=True)
class Gpio:
    """``pins`` "auto": real pins where the machine has them, else gpiozero's mock pins, and says so."""

    pins: str = _one_of("auto", "auto", "mock", "off")
    buttons: tuple[Pin, ...] = ()
    beacons: tuple[Pin, ...] = ()


@dataclass(frozen=True, slots=True)
class Metrics:
    """Who may read ``/metrics`` besides this machine itself: addresses or networks ("192.168.1.0/24")."""

    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ingest:
    """Who may push what wearables say, by HTTP, to ``/ingest/<id>`` (docs/protocol.md, 4.1).

    ``token_file`` holds the secret that the platform sends with each push, 16 signs or more.
    """

    id: str = _id()
    name_zh: str = "手环平台"
    name_en: str = "Wearables"
    token_file: str = ""


@dataclass(frozen=True, slots=True)
class Sms:
    """The hall's own modem for short messages. ``port`` is a device, "virtual", or "" where there is none."""

    port: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who calls numbers aloud: "display" (the browser that shows ``/display``), "hall" (this machine), or "off".

    ``player`` and ``device`` are for "hall": "auto" takes pw-play where PipeWire runs, else aplay; ``device`` is what
    that player calls it ("" its default; ``aplay -L``, ``wpctl status`` list them).
    """

    by: str = _one_of("display", "hall", "display", "off")
    player: str = _one_of("auto", "auto", "pw-play", "aplay")
    device: str = ""


@dataclass(frozen=True, slots=True)
class OpenData:
    """The car park for a city's platform (NGSI). ``hall`` stands in every id, so that two halls' are never the same."""

    on: bool = False
    hall: str = "linli"


@dataclass(frozen=True, slots=True)
class Virtual:
    """The demo's virtual devices. A real hall sets ``on = false``; every count here is only the demo's."""

    on: bool = True
    buttons: int = _int(6, 0, 200)
    bays: int = _int(16, 0, 2000)
    printer_port: int = _int(0, 0, 65000)
    """The virtual printers listen here as well, on 127.0.0.1: the first at this port, the next at the next. 0: none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole hall.toml, checked. ``file`` is where it was read from ("" = nothing but defaults)."""

    hall: Hall = field(default_factory=Hall)
    http: Http = field(default_factory=Http)
    broker: Broker = field(default_factory=Broker)
    printers: tuple[Printer, ...] = ()
    panels: tuple[Panel, ...] = ()
    gpio: Gpio = field(default_factory=Gpio)
    metrics: Metrics = field(default_factory=Metrics)
    ingest: tuple[Ingest, ...] = ()
    sms: Sms = field(default_factory=Sms)
    voice: Voice = field(default_factory=Voice)
    open_data: OpenData = field(default_factory=OpenData)
    virtual: Virtual = field(default_factory=Virtual)


def read_plan(text: str, file: str = "hall.toml") -> Plan:
    """Read the text of a hall.toml.

    Raises :class:`HallFileFault` naming file, line and key for: what is not TOML, an unknown table or key (with
    the nearest right name), a wrong type, a value out of its limits, an id given twice.
    """
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as wrong:
        raise HallFileFault(f"{file}: not valid TOML: {wrong}") from wrong
    reader = _Reader(text, file)
    plan = typing.cast(Plan, reader.table(Plan, raw, ()))
    seen: dict[str, str] = {}
    lists: dict[str, list[str]] = {
        "printers": [one.id for one in plan.printers],
        "panels": [one.id for one in plan.panels],
        "gpio.buttons": [one.id for one in plan.gpio.buttons],
        "gpio.beacons": [one.id for one in plan.gpio.beacons],
        "ingest": [one.id for one in plan.ingest],
    }
    for kind, ids in lists.items():
        for number, name in enumerate(ids):
            if name in seen:
                where: _Path = (*kind.split("."), number, "id")
                raise reader.fault(where, f"id {name!r} is already used by {seen[name]}")
            seen[name] = kind
    _check_printers(plan, reader)
    _check_wiring(plan, reader)
    return plan


def _check_printers(plan: Plan, reader: _Reader) -> None:
    """A spare is another printer of this hall, and a screen has one printer."""
    ids = [one.id for one in plan.printers]
    printer_of: dict[str, str] = {}
    for number, one in enumerate(plan.printers):
        if one.spare and (one.spare not in ids or one.spare == one.id):
            others = [name for name in ids if name != one.id]
            near = difflib.get_close_matches(one.spare, others, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"others here: {', '.join(others) or 'none'}"
            raise reader.fault(("printers", number, "spare"), f"there is no other printer {one.spare!r}; {hint}")
        for place, screen in enumerate(one.screens):
            if screen in printer_of:
                raise reader.fault(
                    ("printers", number, "screens", place),
                    f"the slips of {screen!r} come out at {printer_of[screen]!r} already",
                )
            printer_of[screen] = one.id


def _check_wiring(plan: Plan, reader: _Reader) -> None:
    """One pin, one thing; one serial line, one thing; a zone of time, languages and addresses that exist."""
    pins: dict[int, str] = {}
    for kind, things in (("buttons", plan.gpio.buttons), ("beacons", plan.gpio.beacons)):
        for number, pin in enumerate(things):
            if pin.pin in pins:
                raise reader.fault(
                    ("gpio", kind, number, "pin"), f"pin {pin.pin} is already used by {pins[pin.pin]!r}"
                )
            pins[pin.pin] = pin.id
    lines: dict[str, str] = {}
    ports = [("printers", number, one.id, one.port) for number, one in enumerate(plan.printers)]
    ports += [
        ("panels", number, one.id, one.port) for number, one in enumerate(plan.panels) if one.via == "serial"
    ]
    sms = plan.sms.port
    if sms not in ("", "virtual"):
        taken = next((name for _, _, name, port in ports if port == sms), None)
        if taken is not None:
            raise reader.fault(("sms", "port"), f"{sms} is already used by {taken!r}")
    serial = {one.id: one for one in plan.panels if one.via == "serial"}
    for kind, number, name, port in ports:
        if port != "virtual" and port in lines:
            other = lines[port]
            if not (name in serial and other in serial):
                raise reader.fault((kind, number, "port"), f"{port} is already used by {other!r}")
            _check_shared_line(plan, reader, number, port)
        lines.setdefault(port, name)
    for number, panel in enumerate(plan.panels):
        if panel.unsure != "least" and not panel.digits_only:
            raise reader.fault(
                ("panels", number, "unsure"),
                "this panel shows '--' where too much is unknown; only one that has digits alone needs 'unsure': "
                f"via = 'serial' with driver = {' or '.join(map(repr, sorted(DIGITS_ONLY)))}",
            )
        for place, zone in enumerate(panel.zones):
            if zone in panel.zones[:place]:
                raise reader.fault(
                    ("panels", number, "zones", place), f"{zone!r} stands there twice: its bays would be counted twice"
                )
        if panel.kind == "window" and not panel.window:
            raise reader.fault(
                ("panels", number, "window"), "a sign needs the window above which it hangs, 'W3'"
            )
        if panel.kind == "window" and panel.via != "serial":
            raise reader.fault(
                ("panels", number, "via"), "a window's sign is driven over a line: via = 'serial'"
            )
    try:
        zoneinfo.ZoneInfo(plan.hall.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = difflib.get_close_matches(plan.hall.timezone, zoneinfo.available_timezones(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "; for example 'Asia/Shanghai'"
        raise reader.fault(
            ("hall", "timezone"), f"there is no time zone {plan.hall.timezone!r}{hint}"
        ) from None
    for number, word in enumerate(plan.metrics.allow):
        try:
            ipaddress.ip_network(word, strict=False)
        except ValueError:
            raise reader.fault(
                ("metrics", "allow", number),
                f"must be an address or a network, for example '192.168.1.5' or '192.168.1.0/24', not {word!r}",
            ) from None
    for number, word in enumerate(plan.hall.languages):
        if word not in LANGUAGES:
            raise reader.fault(
                ("hall", "languages", number), f"must be one of {', '.join(LANGUAGES)}, not {word!r}"
            )


def _check_shared_line(plan: Plan, reader: _Reader, number: int, port: str) -> None:
    """Panels on one RS-485 line: each its own address, all one speed."""
    mine = plan.panels[number]
    for one in plan.panels[:number]:
        if one.via != "serial" or one.port != port:
            continue
        if one.address == mine.address:
            raise reader.fault(
                ("panels", number, "address"),
                f"{port} is already used by {one.id!r} with address {one.address}; on one line each has its own",
            )
        if one.baud != mine.baud:
            raise reader.fault(
                ("panels", number, "baud"), f"{one.id!r} on the same line speaks {one.baud}: all must"
            )


_Path = tuple[str | int, ...]


class _Reader:
    """Walks the parsed tables beside the dataclasses, and knows on which line each key stands."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._lines = _lines_of_keys(text)

    def fault(self, path: _Path, why: str) -> HallFileFault:
        line = None
        for length in range(len(path), 0, -1):
            line = self._lines.get(path[:length])
            if line is not None:
                break
        where = f"{self._file}, line {line}" if line is not None else self._file
        return HallFileFault(f"{where}: {_spell(path)}: {why}")

    def table(self, cls: type, raw: object, path: _Path) -> object:
        if not isinstance(raw, Mapping):
            raise self.fault(path, f"must be a table, not {_say(raw)}")
        fields = {one.name: one for one in dataclasses.fields(cls)}
        hints = typing.get_type_hints(cls)
        for key in raw:
            if key not in fields:
                near = difflib.get_close_matches(key, fields, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(fields)}"
                raise self.fault((*path, key), f"unknown key; {hint}")
        values: dict[str, object] = {}
        for name, one in fields.items():
            if name in raw:
                values[name] = self.value(hints[name], raw[name], (*path, name), one.metadata)
            elif one.metadata.get("required"):
                raise self.fault(path, f"needs {name!r}")
        return cls(**values)

    def value(self, hint: object, raw: object, path: _Path, limits: Mapping[str, typing.Any]) -> object:
        if typing.get_origin(hint) is tuple:
            inner = typing.get_args(hint)[0]
            if not isinstance(raw, list):
                raise self.fault(path, f"must be a list, not {_say(raw)}")
            return tuple(self.value(inner, one, (*path, number), {}) for number, one in enumerate(raw))
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            return self.table(hint, raw, path)
        assert isinstance(hint, type)
        # bool is an int in Python; "port = true" must not be port 1.
        if type(raw) is not hint:
            raise self.fault(path, f"must be {_NAMES[hint]}, not {_say(raw)}")
        if "min" in limits and not limits["min"] <= typing.cast(int, raw) <= limits["max"]:
            raise self.fault(path, f"must be from {limits['min']} to {limits['max']}, not {raw}")
        if "one_of" in limits and raw not in limits["one_of"]:
            raise self.fault(path, f"must be one of {', '.join(limits['one_of'])}, not {raw!r}")
        if "pattern" in limits and not re.fullmatch(limits["pattern"], typing.cast(str, raw)):
            raise self.fault(
                path, f"must be 1-32 of a-z 0-9 _ - and begin with a letter or digit, not {raw!r}"
            )
        return raw


_NAMES = {bool: "true or false", int: "a whole number", str: "text in quotes", float: "a number"}


def _say(raw: object) -> str:
    return f"{_NAMES.get(type(raw), 'a table' if isinstance(raw, Mapping) else 'a list')} ({raw!r:.60})"


def _spell(path: _Path) -> str:
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-\" ]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-\.\"]+)\s*=")


def _lines_of_keys(text: str) -> dict[_Path, int]:
    """Where each table and key stands. tomllib does not tell; this small scan is only for messages.

    It knows headers and simple keys, which is what people write; a key it cannot find is reported with the
    line of its table.
    """
    lines: dict[_Path, int] = {}
    counts: dict[tuple[str, ...], int] = {}
    here: _Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            names = tuple(part.strip(' "') for part in header[2].split("."))
            if header[1] == "[[":
                counts[names] = counts.get(names, -1) + 1
                here = (*names, counts[names])
            else:
                here = names
            lines.setdefault(here, number)
            lines.setdefault(names, number)
        elif key := _KEY.match(line):
            lines.setdefault((*here, *(part.strip('"') for part in key[1].split("."))), number)
    return lines
