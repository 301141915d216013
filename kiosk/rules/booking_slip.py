"""What the paper of an appointment says (a PrintSlip of docs/protocol.md): when, what for, the code, how to check in.

The code is on it twice: large in two halves to be typed, and as a QR code for a scanner that types by itself. No name.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from devices.plan import Hall
from kiosk.catalogue import Service
from kiosk.rules.appointment import Appointment, Terms, spell_code

Block = dict[str, Any]

_WORDS = {
    "title": ("预约单", "Appointment"),
    "code": ("预约码", "Code"),
    "day": ("日期", "Day"),
    "time": ("时间", "Time"),
    "how": (
        "到大厅后，在自助机点“预约报到”，输入预约码",
        "In the hall: touch “Check in” on the kiosk and type the code",
    ),
    "early": ("提前 {early} 分钟起可以报到", "Check-in begins {early} minutes before"),
    "late": (
        "迟到超过 {late} 分钟，按到达先后排队",
        "More than {late} minutes late: you wait in the order of arrival",
    ),
    "bring": ("请准备：", "Please bring:"),
    "keep": ("凭预约码办理，请保管好", "Whoever has the code is served: keep it safe"),
}
_WEEKDAYS = ("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))


def compose_booking(
    hall: Hall, one: Appointment, service: Service, slot: datetime, terms: Terms, lang: str
) -> dict[str, Any]:
    """The slip of one appointment. ``slot``: its moment on the hall's wall clock."""
    english = lang == "en"

    def say(name: str, **filled: object) -> str:
        return _WORDS[name][english].format(**filled)

    weekday = _WEEKDAYS[english][slot.weekday()]
    day = f"{slot:%Y-%m-%d} {weekday}" if english else f"{slot.month}月{slot.day}日 周{weekday}"
    blocks: list[Block] = [
        _text(hall.name_en if english else hall.name_zh, align="center", bold=True),
        _text(say("title"), size=2, align="center", bold=True),
        {"t": "rule"},
        _text(service.say("name", lang), bold=True),
        {"t": "pair", "left": say("day"), "right": day},
        {"t": "pair", "left": say("time"), "right": f"{slot:%H:%M}"},
        {"t": "rule"},
        _text(say("code"), align="center"),
        _text(spell_code(one.code), size=2, align="center", bold=True),
        {"t": "qr", "data": one.code},
        _text(say("how"), align="center"),
        _text(say("early", early=terms.early_ms // 60_000)),
        _text(say("late", late=terms.late_ms // 60_000)),
    ]
    if service.materials:
        blocks += [{"t": "rule"}, _text(say("bring"), bold=True)]
        blocks += [_text(f"□ {material.say(lang)}") for material in service.materials]
    blocks += [{"t": "rule"}, _text(say("keep"), align="center"), {"t": "feed", "lines": 2}, {"t": "cut"}]
    return {
        "v": 1,
        "kind": "receipt",
        "title": f"{say('title')} {day} {slot:%H:%M}",
        "copy_of": None,
        "blocks": blocks,
    }


def _text(text: str, *, size: int = 1, align: str = "left", bold: bool = False) -> Block:
    return {"t": "text", "text": text, "size": size, "align": align, "bold": bold}
