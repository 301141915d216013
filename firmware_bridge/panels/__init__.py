"""LED panels and signs on a serial line: one driver a file, found by the name in hall.toml. Pure.

A driver is a module with

    ANSWERS: bool                                     whether the panel confirms what it was told
    TELL_AGAIN_MS: int                                a panel that lost its power shows it again after so long
    ADDRESSED: bool                                   several on one line are told apart by their addresses
    KINDS: frozenset[str]                             "count" (free bays at a gate), "window" (the number called there)
    def compose(what: Shown, panel: Panel = PLAIN) -> Frame      the bytes, and what a passer-by then sees
    def confirmed(heard: bytes, sent: bytes) -> bool  whether ``heard`` contains the panel's answer to ``sent``
    def refused(heard: bytes, sent: bytes) -> str     why the panel would not have it; "" where it did not say no

``driver = "xunpeng"`` is ``panels/xunpeng.py``; there is no registry to edit. Begin reading there.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from dataclasses import dataclass
from typing import Protocol, cast

from devices.faults import HallFileFault
from devices.messages import ShowCount
from devices.plan import Panel


@dataclass(frozen=True, slots=True)
class ShowCalled:
    """The number called at a window: "B031"; "" while nobody stands there. ``blink``: it was called just now."""

    text: str
    blink: bool = False


Shown = ShowCount | ShowCalled

#: A panel of which hall.toml says nothing but what every panel has.
PLAIN = Panel(id="panel", via="serial")


@dataclass(frozen=True, slots=True)
class Frame:
    """``raw`` goes over the wire; ``shown`` is what somebody before the panel then reads, in words."""

    raw: bytes
    shown: str


class Driver(Protocol):
    """What a driver file must have."""

    ANSWERS: bool
    TELL_AGAIN_MS: int
    ADDRESSED: bool
    KINDS: frozenset[str]

    def compose(self, what: Shown, panel: Panel = PLAIN) -> Frame: ...

    def confirmed(self, heard: bytes, sent: bytes) -> bool: ...

    def refused(self, heard: bytes, sent: bytes) -> str: ...


def load_driver(name: str, panel: str, kind: str = "count") -> Driver:
    """The driver that hall.toml names for a panel.

    :raises HallFileFault: there is no such file here (the message has the nearest name), or it cannot show that.
    """
    known = sorted(one.name for one in pkgutil.iter_modules(__path__))
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise HallFileFault(f"hall.toml: panels: {panel}: unknown driver {name!r}; {hint}")
    driver = cast(Driver, importlib.import_module(f"{__name__}.{name}"))
    if kind not in driver.KINDS:
        able = [one for one in known if kind in importlib.import_module(f"{__name__}.{one}").KINDS]
        raise HallFileFault(
            f"hall.toml: panels: {panel}: driver {name!r} cannot be kind = {kind!r}; these can: {', '.join(able)}"
        )
    return driver
