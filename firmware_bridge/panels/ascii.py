"""A panel that shows whatever line of text it is sent: GBK, ended by CR LF; it answers nothing.

Many controllers of scrolling signs have such a "transparent" mode beside their own (Armfly LED-485 calls it ASCII
mode). Because it never answers, nobody knows whether it shows anything: its health is the line's, no more.
"""

from __future__ import annotations

from devices.messages import ShowCount
from firmware_bridge.lettering import clean
from firmware_bridge.panels import Frame

ANSWERS = False


def compose(count: ShowCount) -> Frame:
    """The gateway's own words for the count."""
    text = clean(count.text).replace("\n", " ")
    return Frame(text.encode("gbk", errors="ignore") + b"\r\n", text)


def confirmed(heard: bytes, sent: bytes) -> bool:
    """It never says anything."""
    return False
