"""The virtual hall's page: its paper, lamps, bays and panels, and buttons to make them act or misbehave.

Only where hall.toml has ``[virtual] on = true``. Orders go through the virtual hall's own socket (docs/protocol.md, 6).
"""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, send_file
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OutsideDown
from devices.plan import Panel, Printer
from kiosk import words
from kiosk.answers import body, error, text
from kiosk.api import zones_view
from kiosk.core import Core, current_core
from kiosk.view import asked_view

blueprint = Blueprint("demo", __name__, url_prefix="/demo")

#: The page shows so many slips of each printer, the newest first.
SLIPS_SHOWN = 12
#: The virtual hall answers in a millisecond; a second means it is gone.
PATIENCE_S = 1.0
_PAPER = re.compile(r"(\d{1,9})\.png")

#: What each kind of device can be told to do, in the order of the page's buttons.
CAN = {
    "printer": (
        "paper_out",
        "paper_in",
        "paper_low",
        "cover_open",
        "cover_close",
        "jam",
        "clear",
        "silent",
        "talk",
        "slow",
        "unplug",
        "plug",
        "power_off",
        "power_on",
    ),
    "button": ("press", "bounce", "silent", "talk", "low_battery"),
    "bay": ("arrive", "leave", "silent", "talk", "noisy"),
    "panel": ("silent", "talk", "refuse", "unplug", "plug"),
}
#: What of a virtual device's state the page shows, by kind, in its order. Paths and raw frames are left out.
FACTS = {
    "printer": (
        "plugged",
        "silent",
        "paper",
        "cover_open",
        "trouble",
        "put_offline",
        "off",
        "printed",
        "drawn",
        "bps",
        "received",
        "in_buffer",
        "lost",
        "overflows",
        "unknown",
        "last_text",
    ),
    "button": ("light", "silent", "battery_pct", "unwritten", "written_after_ms"),
    "bay": ("occupied", "silent"),
    "panel": ("text", "shown", "plugged", "silent", "refuses", "told", "rubbish"),
}
#: The words that a state holds, each with the key of what the page says for it. They are put into the reader's
#: language only in the fields that hold nothing else: a slip's last line is its own.
VALUES = {
    "true": "value_true",
    "false": "value_false",
    "off": "value_off",
    "blink": "value_blink",
    "steady": "value_steady",
    "in": "value_in",
    "low": "value_low",
    "out": "value_out",
    "green": "value_green",
    "yellow": "value_yellow",
    "red": "value_red",
    "--": "value_unsure",
    "cutter": "value_cutter",
    "recoverable": "value_recoverable",
    "unrecoverable": "value_unrecoverable",
    "hot": "value_hot",
}
#: Orders that need a number with them; the page sends these.
WITH = {"slow": {"bps": 1200}, "bounce": {"n": 5}}


@blueprint.get("")
def page() -> str:
    view = asked_view()
    # Pairs, not an object: an object's keys are sorted on their way into the page.
    can = {kind: [(act, words.say(f"act_{act}", view.lang)) for act in acts] for kind, acts in CAN.items()}
    facts = {
        kind: [(one, words.say(f"fact_{one}", view.lang)) for one in ones] for kind, ones in FACTS.items()
    }
    return render_template(
        "demo.html",
        lang=view.lang,
        v=view,
        can=can,
        facts=facts,
        kinds={kind: words.say(f"kind_{kind}", view.lang) for kind in CAN},
        values={value: words.say(key, view.lang) for value, key in VALUES.items()},
        names={
            **{f"printer:{one.id}": _name(one, view.lang) for one in current_core().house.plan.printers},
            **{f"panel:{one.id}": _name(one, view.lang) for one in current_core().house.plan.panels},
        },
    )


def _name(one: Printer | Panel, lang: str) -> str:
    return (one.name_en if lang == "en" else one.name_zh) or one.id


@blueprint.get("/state")
def state() -> Response:
    core = current_core()
    try:
        devices = _ask(core, {"do": "list"}).get("devices", {})
        running = True
    except OutsideDown:
        devices, running = {}, False
    heard = core.link.snapshot()
    return jsonify(
        {
            "running": running,
            "devices": devices,
            "paper": {one.id: _slips(core, one.id) for one in core.house.plan.printers},
            "panels": _panels(core),
            "calls": [
                {key: call.get(key) for key in ("call_id", "state", "device_name")} for call in heard["calls"]
            ][:5],
            **zones_view(core),
        }
    )


@blueprint.post("/do")
def act() -> ResponseReturnValue:
    asked = body()
    device, what = text(asked, "device"), text(asked, "do")
    kind = device.split(":")[0]
    if what not in CAN.get(kind, ()):
        return error(
            400,
            "unknown_act",
            f"设备“{device[:40]}”不会“{what[:40]}”",
            f"{device[:40]!r} cannot {what[:40]!r}",
        )
    said = _ask(current_core(), {"device": device, "do": what, **WITH.get(what, {})})
    if said.get("ok") is not True:
        return error(409, "refused", str(said.get("why_zh", "")), str(said.get("why_en", "")))
    return jsonify({"state": said.get("state", {})})


@blueprint.get("/paper/<printer>/<int:number>.png")
def paper(printer: str, number: int) -> ResponseReturnValue:
    """One slip's picture. Only printers of hall.toml and whole numbers ever become part of a path."""
    core = current_core()
    if printer not in {one.id for one in core.house.plan.printers}:
        return error(404, "unknown_printer", "没有这台打印机", "There is no such printer")
    file = core.house.home / "virtual" / "paper" / printer / f"{number}.png"
    if not file.is_file():
        return error(404, "no_paper", "没有这张纸", "There is no such slip")
    return send_file(file, mimetype="image/png", conditional=True)


def _slips(core: Core, printer: str) -> list[int]:
    """The numbers of a printer's newest slips."""
    folder = core.house.home / "virtual" / "paper" / printer
    try:
        numbers = [int(found[1]) for one in folder.iterdir() if (found := _PAPER.fullmatch(one.name))]
    except OSError:
        return []  # nothing printed yet
    return sorted(numbers, reverse=True)[:SLIPS_SHOWN]


def _panels(core: Core) -> dict[str, str]:
    """What the entrance panels show: those on a serial line by the bridge's word, those on MQTT by the gateway's."""
    shown: dict[str, str] = {}
    for one in core.link.snapshot()["panels"]:
        if isinstance(one, dict) and "panel" in one:
            shown[str(one["panel"])] = str(one.get("text", ""))
    try:
        for row in core.bridge_reader().execute("SELECT panel, shown FROM panels"):
            shown[row[0]] = row[1] or ""
    except (NotWritten, sqlite3.OperationalError):
        pass  # no bridge yet: the page shows what the gateway said
    return shown


def _ask(core: Core, order: dict[str, Any]) -> dict[str, Any]:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(PATIENCE_S)
            line.connect(str(core.house.virtual_socket))
            line.sendall(json.dumps({"id": "demo", **order}).encode() + b"\n")
            answer = json.loads(line.makefile("rb").readline(1_000_000))
    except (OSError, ValueError, RecursionError) as wrong:
        raise OutsideDown("the virtual devices are not running: start them with `make run`") from wrong
    return answer if isinstance(answer, dict) else {}
