"""Amplus AM03127 and AM004-03128 signs (7 or 8 rows of LEDs, sold under many names), RS-232, 9600 baud 8N1.

The maker's "LED Display Board Communication", version 2.2 of 2005-08-13::

    <ID01><L1><PA><FE><MA><WC><FE>Hello36<E>         "Hello" into page A; 36 is the XOR of <L1> … Hello
    ACK                                              the sign's answer; NACK where the check was wrong;
                                                     nothing where the number of the sign is another one

``<Ln>`` line, ``<Px>`` page, ``<Fx>`` how it comes (A at once), ``<Mx>`` how it stays (A steady, B blinking, both at
the fastest speed), ``<Wx>`` for how long (Z 25 s, then again), the second ``<Fx>`` how it goes (K: it stays). Page A is
what a sign shows from the factory on. It has Latin letters only, which is all that a number needs; ``<`` and ``>``
begin commands and never get past `_plain`.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import xor

from devices.messages import ShowCount
from devices.plan import Panel
from firmware_bridge.panels import PLAIN, Frame, Shown

ANSWERS = True
#: It keeps its pages without power, in a memory that wears with each writing: it is told again only to see that it is
#: still there.
TELL_AGAIN_MS = 600_000
ADDRESSED = True
KINDS = frozenset({"count", "window"})

_STEADY, _BLINKING = "A", "B"
#: What its font has, and what is no command.
_UNKNOWN = re.compile(r"[^A-Za-z0-9 .,:+*/%()-]")


def compose(what: Shown, panel: Panel = PLAIN) -> Frame:
    """A count as its number ("--" where nobody knows it), a window's number as it is called; dark is one space."""
    if isinstance(what, ShowCount):
        text, stays = "--" if what.number is None else str(what.number), _STEADY
    else:
        text, stays = _plain(what.text), _BLINKING if what.blink and what.text else _STEADY
    data = f"<L1><PA><FA><M{stays}><WZ><FK>{text or ' '}".encode("ascii")
    raw = b"<ID%02X>" % panel.address + data + b"%02X<E>" % reduce(xor, data)
    return Frame(raw, f"{text} blinking" if stays == _BLINKING else text)


def confirmed(heard: bytes, sent: bytes) -> bool:
    """ACK, and not the end of NACK."""
    return re.search(rb"(?<!N)ACK", heard) is not None


def refused(heard: bytes, sent: bytes) -> str:
    """It heard something else than we sent: a bad line."""
    return "NACK" if b"NACK" in heard else ""


def _plain(text: str) -> str:
    return _UNKNOWN.sub("", text)
