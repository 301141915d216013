"""What a ticket's paper says, top to bottom (a PrintSlip of docs/protocol.md). Composed once, never by a printer.

The number is the largest thing on it; then what a person asks next: how many before me, which window, what do I
need. The paper carries no personal data.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from devices.plan import Hall
from kiosk.catalogue import AS_CONFIRMED, Service
from kiosk.rules.queue import Ticket
from kiosk.rules.windows import Window

Block = dict[str, Any]

_WORDS = {
    "ahead": ("前面等候", "Ahead of you"),
    "people": ("{n} 人", "{n}"),
    "window": ("办理窗口", "Window"),
    "bring": ("请准备：", "Please bring:"),
    "time": ("取号时间", "Taken"),
    "scan": ("扫码看排队进度", "Scan to see your place in line"),
    "today": ("当日有效，过号请到服务台", "Valid today. Missed your call? Ask at the desk"),
    "title": ("排队号", "Queue ticket"),
}


def ticket_url(base_url: str, token: str) -> str:
    """Where a phone sees this ticket."""
    return f"{base_url.rstrip('/')}/t/{token}"


def compose_ticket(
    hall: Hall,
    ticket: Ticket,
    service: Service,
    windows: tuple[Window, ...],
    ahead: int,
    zone: tzinfo,
    base_url: str,
) -> dict[str, Any]:
    """The slip of one ticket, in the ticket's language."""
    english = ticket.lang == "en"

    def say(name: str) -> str:
        return _WORDS[name][english]

    taken = datetime.fromtimestamp(ticket.taken_ms / 1000, zone)
    category = service.category_en if english else service.category_zh
    blocks: list[Block] = [
        _text(hall.name_en if english else hall.name_zh, align="center", bold=True),
        {"t": "feed", "lines": 1},
        _text(
            f"{category} {ticket.spelled}" if not english else ticket.spelled,
            size=3,
            align="center",
            bold=True,
        ),
        {"t": "feed", "lines": 1},
        _text(service.say("name", ticket.lang), size=2, align="center"),
        {"t": "rule"},
        {"t": "pair", "left": say("ahead"), "right": say("people").format(n=ahead)},
    ]
    for window in windows:
        blocks.append({"t": "pair", "left": say("window"), "right": window.en if english else window.zh})
        if window.confirm_locally or not service.confirmed("window"):
            blocks.append(_text(f"({AS_CONFIRMED['en' if english else 'zh']})", align="right"))
    blocks.append({"t": "rule"})
    if service.materials:
        blocks.append(_text(say("bring"), bold=True))
        blocks.extend(_text(f"□ {one.say(ticket.lang)}") for one in service.materials)
        blocks.append({"t": "rule"})
    blocks += [
        {"t": "pair", "left": say("time"), "right": f"{taken:%Y-%m-%d %H:%M}"},
        {"t": "qr", "data": ticket_url(base_url, ticket.token)},
        _text(say("scan"), align="center"),
        _text(say("today"), align="center"),
        {"t": "feed", "lines": 2},
        {"t": "cut"},
    ]
    return {
        "v": 1,
        "kind": "ticket",
        "title": f"{say('title')} {ticket.spelled}",
        "copy_of": None,
        "blocks": blocks,
    }


def _text(text: str, *, size: int = 1, align: str = "left", bold: bool = False) -> Block:
    return {"t": "text", "text": text, "size": size, "align": align, "bold": bold}
