"""讯鹏 (Sunpn, Shenzhen) remaining-bays panel on RS-485, 9600 baud 8N1. Shows one number in one of three colours.

The maker's own page gives frame and example (http://m.zhiliandun.com/index.php/proview-133-10.html)::

    3A color low high info check 0A      check = low byte of the sum of all before it
    3A 00    78  03   01   B6    0A      888 in green
    2A 00    78  03   01   A6    0A      the panel's answer: the same, begun by 2A

color 00 green, 01 yellow, 02 red. ``info`` is 01 in every example there and explained nowhere; we send 01.

What it shows: green with room, yellow when nearly full, red 0 when full (as the zone's own plan says, with its
hysteresis; a tenth of the bays where it says nothing).

The wire has no "--", no blank and no text: a number and one of three colours are all that the maker's page tells, and
we send nothing that it does not tell. Where too many bays are unknown for a number (``certain`` False), it shows in
yellow how many are *known* to be free: there are at least so many, and staff read "at least" (`LEAST`) on the console.
It is never red then: "full" would be a claim that nobody can make. A hall that would rather send nobody in than send
somebody for nothing makes that claim itself (hall.toml, `unsure = "full"`): a red 0, which staff read as the hall's
choice (`CHOSEN`). One that wants "--" there takes another panel (`bx5k`, `am03127`, `ascii`, MQTT).

The number is never above the truth: what is unknown is not counted as free, and what a zone keeps back comes off what
is known to be free there. Above 999, all that three digits can draw, it stays 999.
"""

from __future__ import annotations

from devices.messages import ShowCount
from devices.plan import Panel
from firmware_bridge.panels import PLAIN, Frame, Shown

ANSWERS = True
TELL_AGAIN_MS = 30_000
ADDRESSED = False
KINDS = frozenset({"count"})

GREEN, YELLOW, RED = 0x00, 0x01, 0x02
_INFO = 0x01
#: Stands behind what is shown where that is the least there can be; the console has words for it.
LEAST = "least"
#: Stands behind a red 0 that the hall wants where nobody knows the number.
CHOSEN = "chosen"
#: Three digits stand on the panel.
_LARGEST = 999
#: Yellow from here down: a tenth of the bays in use, but at least 3. Our choice: so many cars may be between
#: the gate and their bays at a time.
_NEARLY_FULL_SHARE, _NEARLY_FULL_LEAST = 0.10, 3


def colour(count: ShowCount) -> int:
    """Green, yellow or red for a count."""
    if not count.certain:
        return YELLOW
    if count.free == 0:
        return RED
    if count.level:
        return {"open": GREEN, "almost": YELLOW, "full": RED}[count.level]
    in_use = count.total - count.closed
    return YELLOW if count.free <= max(_NEARLY_FULL_LEAST, in_use * _NEARLY_FULL_SHARE) else GREEN


def compose(count: Shown, panel: Panel = PLAIN) -> Frame:
    """The frame for a count. It has three digits and no letters: `KINDS` keeps a window's number away."""
    assert isinstance(count, ShowCount)
    if not count.certain and panel.unsure == "full":
        return Frame(_frame(0x3A, RED, 0), f"0 red {CHOSEN}")
    number, tint = min(_number(count), _LARGEST), colour(count)
    word = ("green", "yellow", "red")[tint]
    shown = f"{number} {word}" if count.certain else f"{number} {word} {LEAST}"
    return Frame(_frame(0x3A, tint, number), shown)


def _number(count: ShowCount) -> int:
    """What a driver may hope for; where that is not certain, how many are known to be free and for anybody."""
    known = count.number
    return max(0, count.free - count.reserved) if known is None else known


def confirmed(heard: bytes, sent: bytes) -> bool:
    """Whether the panel's answer to ``sent`` stands anywhere in ``heard``."""
    return _frame(0x2A, sent[1], int.from_bytes(sent[2:4], "little")) in heard


def refused(heard: bytes, sent: bytes) -> str:
    """It has no word for no: a frame that it cannot read is not answered."""
    return ""


def _frame(begin: int, tint: int, number: int) -> bytes:
    raw = bytes([begin, tint]) + number.to_bytes(2, "little") + bytes([_INFO])
    return raw + bytes([sum(raw) & 0xFF, 0x0A])
