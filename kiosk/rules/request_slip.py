"""What the paper of a request says (a PrintSlip of docs/protocol.md): what it is, its number, by when, the query code.

The code is on it large in two halves to be typed; as a QR code it is the progress page's address where phones can reach
one, else the code itself for the kiosk's scanner. No name, no phone, no door: a slip lies on the floor one day.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from devices.plan import Hall
from kiosk.rules.appointment import spell_code
from kiosk.rules.request_kinds import Kind

Block = dict[str, Any]

_WORDS = {
    "title": ("诉求登记单", "Request slip"),
    "number": ("登记编号", "Log number"),
    "time": ("登记时间", "Received"),
    "code": ("查询码", "Query code"),
    "scan": ("手机扫码，或在自助机按“查进度”输入查询码", "Scan it, or touch “Progress” on the kiosk and type the code"),
    "type": ("在自助机按“查进度”，扫码或输入查询码", "On the kiosk touch “Progress”, then scan or type the code"),
    "keep": ("凭查询码查看办理进度，请收好", "Whoever has the code can see how it goes: keep it"),
}


def compose_request(
    hall: Hall, kind: Kind, number: str, code: str, made_ms: int, answer_by: str, zone: tzinfo, lang: str, url: str
) -> dict[str, Any]:
    """The slip of one request.

    :param answer_by: by when somebody answers, in words.
    :param url: where a phone sees how it goes; "" in a hall that phones cannot reach.
    """
    english = lang == "en"

    def say(name: str) -> str:
        return _WORDS[name][english]

    made = datetime.fromtimestamp(made_ms / 1000, zone)
    blocks: list[Block] = [
        _text(hall.name_en if english else hall.name_zh, align="center", bold=True),
        _text(say("title"), size=2, align="center", bold=True),
        {"t": "rule"},
        _text(kind.say(lang), size=2, align="center", bold=True),
        {"t": "pair", "left": say("number"), "right": number},
        {"t": "pair", "left": say("time"), "right": f"{made:%Y-%m-%d %H:%M}"},
        _text(answer_by),
    ]
    if kind.first is not None:
        blocks += [{"t": "rule"}, _text(kind.first.say(lang), bold=True)]
    blocks += [
        {"t": "rule"},
        _text(say("code"), align="center"),
        _text(spell_code(code), size=2, align="center", bold=True),
        {"t": "qr", "data": url or code},
        _text(say("scan" if url else "type"), align="center"),
        _text(say("keep"), align="center"),
        {"t": "feed", "lines": 2},
        {"t": "cut"},
    ]
    return {"v": 1, "kind": "receipt", "title": f"{say('title')} {number}", "copy_of": None, "blocks": blocks}


def _text(text: str, *, size: int = 1, align: str = "left", bold: bool = False) -> Block:
    return {"t": "text", "text": text, "size": size, "align": align, "bold": bold}
