"""A panel that shows whatever line of text it is sent: GBK, ended by CR LF; it answers nothing.

Many controllers of scrolling signs have such a "transparent" mode beside their own (Armfly LED-485 calls it ASCII
mode). Because it never answers, nobody knows whether it shows anything: its health is the line's, no more.
"""

from __future__ import annotations

from devices.messages import ShowCount
from devices.plan import Panel
from firmware_bridge.lettering import clean
from firmware_bridge.panels import PLAIN, Frame, Shown

ANSWERS = False
TELL_AGAIN_MS = 30_000
ADDRESSED = False
KINDS = frozenset({"count", "window"})


def compose(what: Shown, panel: Panel = PLAIN) -> Frame:
    """The gateway's own words for a count; a window's number as it is called, a space while nobody stands there."""
    text = clean(what.text).replace("\n", " ")
    line = text if isinstance(what, ShowCount) else text or " "
    return Frame(line.encode("gbk", errors="ignore") + b"\r\n", text)


def confirmed(heard: bytes, sent: bytes) -> bool:
    """It never says anything."""
    return False


def refused(heard: bytes, sent: bytes) -> str:
    """It never says anything."""
    return ""
