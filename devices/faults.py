"""Whose fault is it? Three answers, three ways to behave.

LinliFault
├── DeviceFault        the thing (or whoever speaks for it) said nonsense: count it, go on
│   └── SlipFault          a slip that no printer could print
├── OrderRefused       an order that the rules do not allow: nothing changed, say why
├── HallFileFault      hall.toml or the catalogue is wrong: refuse to start, name file, line, key
├── OutsideDown        broker, disk, serial line, network: wait, say so, try again
│   └── NotWritten         the notebook could not be written: nothing may be promised
└── OwnRuleBroken      we broke our own rule: stop loudly
"""

from __future__ import annotations


class LinliFault(Exception):
    """The root. Its text is for the person on duty: what happened, what still works, what to do."""


class DeviceFault(LinliFault, ValueError):
    """A device spoke nonsense. Count it and go on."""


class SlipFault(DeviceFault):
    """A slip that cannot be put on paper as it stands."""


class OrderRefused(LinliFault, ValueError):
    """An order the rules do not allow. Nothing was changed.

    ``why_zh`` and ``why_en`` are shown to the person who gave it.
    """

    def __init__(self, why_zh: str, why_en: str) -> None:
        super().__init__(why_en)
        self.why_zh = why_zh
        self.why_en = why_en


class HallFileFault(LinliFault, ValueError):
    """A file that a person wrote is wrong. The text names file, line and key, and the nearest right name."""


class OutsideDown(LinliFault, OSError):
    """Something outside is down. It may come back; the other paths go on meanwhile."""


class NotWritten(OutsideDown):
    """The notebook could not be written. Whatever hangs on it must not be promised.

    ``why_zh`` is the same in Chinese, for the faces; the text itself is for the log.
    """

    def __init__(self, why_en: str, why_zh: str = "") -> None:
        super().__init__(why_en)
        self.why_zh = why_zh or "记录本写不进去，请技术员检查磁盘"


class OwnRuleBroken(LinliFault, AssertionError):
    """We broke a rule of our own. Never caught: better to stop aloud than to go on wrong."""
