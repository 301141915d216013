"""What a ticket's paper says, top to bottom (a PrintSlip of docs/protocol.md). Composed once, never by a printer.

The number is the largest thing on it; then what a person asks next: how many before me, how long, which window, what
do I need. The paper carries no personal data.

A ticket has `MOST_BYTES` on the wire, whatever the catalogue says: 0.63 s of a 9600 baud line, so that the paper comes
while the hand is still there. Everything but the list of papers to bring always fits; the list is shortened until it
does: first without what stands in brackets, then only its beginning, and the code on the slip leads to the whole list.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from devices.plan import Hall
from kiosk.catalogue import AS_CONFIRMED, Service
from kiosk.rules.queue import Ticket
from kiosk.rules.windows import Window

Block = dict[str, Any]

#: On the wire, for the narrowest paper and with the longest completion mark.
MOST_BYTES = 600
#: Head and tail of every slip: ESC @, GS a, ESC R, FS &, then FS ., GS ( H, or a line in which FS & begins to hold.
_ENVELOPE = 25
#: The narrowest paper: 58 mm, font A.
_COLUMNS = 32

_WORDS = {
    "ahead": ("前面等候", "Ahead of you"),
    "people": ("{n} 人", "{n}"),
    "wait": ("预计等候", "Expected wait"),
    "minutes": ("{low}-{high} 分钟", "{low}-{high} min"),
    "about": ("约 {low} 分钟", "about {low} min"),
    "window": ("办理窗口", "Window"),
    "also": ("接着办：{names}", "Then: {names}"),
    "also_many": ("接着还有 {n} 项", "{n} more items after this one"),
    "bring": ("请准备：", "Please bring:"),
    "more": ("还有 {n} 项，请扫码看", "{n} more: scan the code"),
    "see": ("要带的材料请扫码看", "What to bring: scan the code"),
    "time": ("取号时间", "Taken"),
    "scan": ("扫码看排队进度", "Scan: your place in line"),
    "today": ("当日有效，过号请到服务台", "Today only. If missed: ask us"),
    "title": ("排队号", "Queue ticket"),
}

#: Why somebody goes first (tickets.lane_why), as the paper says it: what it is for, not what the person is.
_LANES = {
    "elder": ("老年优先", "Priority: elder"),
    "disabled": ("无障碍优先", "Priority: accessible"),
    "veteran": ("军人优先", "Priority: veteran"),
    "child": ("携幼优先", "Priority: with a child"),
    "staff": ("优先", "Priority"),
}
_IN_BRACKETS = re.compile(r"\s*[（(][^（）()]*[）)]")


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
    *,
    lane_why: str = "",
    wait_min: tuple[int, int] | None = None,
    also: tuple[Service, ...] = (),
) -> dict[str, Any]:
    """The slip of one ticket, in the ticket's language.

    :param lane_why: a word of ``tickets.lane_why``; "" is the normal lane, of which the paper says nothing.
    :param wait_min: the range of the estimate in whole minutes; None where there is none.
    :param also: further items on the same ticket, in their order.
    """
    english = ticket.lang == "en"

    def say(name: str, **values: object) -> str:
        return _WORDS[name][english].format(**values)

    taken = datetime.fromtimestamp(ticket.taken_ms / 1000, zone)
    number = ticket.spelled if english else f"{service.category_zh} {ticket.spelled}"
    blocks: list[Block] = [
        _text(hall.name_en if english else hall.name_zh, align="center", bold=True),
        {"t": "feed", "lines": 1},
        _text(number, size=3, align="center", bold=True),
    ]
    blocks.append(_text(service.say("name", ticket.lang), size=2, align="center"))
    if lane_why in _LANES:
        blocks.append(_text(_LANES[lane_why][english], align="center", bold=True))
    also_at = len(blocks)
    blocks.append({"t": "rule"})
    blocks.append({"t": "pair", "left": say("ahead"), "right": say("people", n=ahead)})
    if wait_min is not None:
        low, high = wait_min
        told = say("minutes" if low < high else "about", low=low, high=high)
        blocks.append({"t": "pair", "left": say("wait"), "right": told})
    for window in windows:
        blocks.append({"t": "pair", "left": say("window"), "right": window.say(ticket.lang)})
        if window.confirm_locally or not service.confirmed("window"):
            blocks.append(_text(f"({AS_CONFIRMED['en' if english else 'zh']})", align="right"))
    blocks.append({"t": "pair", "left": say("time"), "right": f"{taken:%Y-%m-%d %H:%M}"})
    blocks.append({"t": "rule"})
    tail: list[Block] = [
        {"t": "qr", "data": ticket_url(base_url, ticket.token)},
        _text(say("scan"), align="center"),
        _text(say("today"), align="center"),
        {"t": "cut"},
    ]
    if also:
        names = ("; " if english else "、").join(one.say("name", ticket.lang) for one in also)
        blocks.insert(also_at, _text(say("also", names=names), align="center"))
        if wire_bytes([*blocks, *_elsewhere(say), *tail]) > MOST_BYTES:
            blocks[also_at] = _text(say("also_many", n=len(also)), align="center")
    if service.materials:
        blocks += _bring(blocks, tail, [one.say(ticket.lang) for one in service.materials], say)
    return {
        "v": 1,
        "kind": "ticket",
        "title": f"{say('title')} {ticket.spelled}",
        "copy_of": None,
        "blocks": blocks + tail,
    }


def _bring(
    head: list[Block], tail: list[Block], materials: list[str], say: Callable[..., str]
) -> list[Block]:
    """The papers to bring: as many of them, and as much of each, as the slip still holds."""
    short = [_IN_BRACKETS.sub("", one) for one in materials]
    for told, named in ((materials, len(materials)), *((short, n) for n in range(len(short), 0, -1))):
        blocks = [_text(say("bring"), bold=True), *(_text(f"□ {one}") for one in told[:named])]
        if named < len(told):
            blocks.append(_text(f"  {say('more', n=len(told) - named)}"))
        blocks.append({"t": "rule"})
        if wire_bytes([*head, *blocks, *tail]) <= MOST_BYTES:
            return blocks
    return _elsewhere(say)


def _elsewhere(say: Callable[..., str]) -> list[Block]:
    return [_text(say("see"), align="center"), {"t": "rule"}]


def wire_bytes(blocks: list[Block]) -> int:
    """How many bytes a slip takes on the wire at most, on the narrowest paper and with the longest mark.

    The renderer is in another room (firmware_bridge/escpos.py); a test holds the two together for every item of the
    catalogue. What a printer's character set lacks costs far more (77 bytes a character), but no text of ours has it.
    """
    total, style = _ENVELOPE, (1, False, "left")
    for block in blocks:
        kind = block["t"]
        wanted = (1, False, "center" if kind == "qr" else "left")
        if kind == "text":
            wanted = (block["size"], block["bold"], block["align"])
            lines = _lines(block["text"], _COLUMNS // block["size"])
            total += _bytes(block["text"]) + lines * (1 if block["size"] == 1 else 4)
            total += 3 * (lines - 1) if block["align"] == "left" else 0
        elif kind == "pair":
            left, right = block["left"], block["right"]
            total += _bytes(left) + _bytes(right) + 4 + (1 if _width(left) + _width(right) < _COLUMNS else 2)
        elif kind == "qr":
            # Quiet zone, module, level, print: 27; the code itself, behind 8 bytes; LF.
            total += len(block["data"].encode()) + 36
        else:
            total += {"rule": 19, "feed": 3, "cut": 4}[kind]
        if kind != "feed":
            # Size, weight and alignment: three bytes for each that changes.
            total += 3 * sum(old != new for old, new in zip(style, wanted, strict=True))
            style = wanted
    return total


def _bytes(text: str) -> int:
    """ASCII one byte, Chinese two. What a printer does not know costs far more, but no text of ours has it."""
    return 2 * len(text) - len(text.encode("ascii", "ignore"))


_width = _bytes


@lru_cache(maxsize=1024)
def _lines(text: str, columns: int) -> int:
    """Into how many lines ``columns`` wide a text breaks: Chinese anywhere, other words whole.

    Remembered: a touch waits for its slip, and most of what stands on it is the catalogue's.
    """
    lines, used = 1, 0
    for word in re.findall(r"[!-~]+ ?|.", text):
        wide = _width(word)
        if used + len(word.rstrip()) * wide // max(1, len(word)) > columns and used:
            lines, used = lines + 1, 0
        used += wide
        while used > columns + 1:
            lines, used = lines + 1, used - columns
    return lines


def _text(text: str, *, size: int = 1, align: str = "left", bold: bool = False) -> Block:
    return {"t": "text", "text": text, "size": size, "align": align, "bold": bold}
