"""LED panels on a serial line: one driver a file, found by the name in hall.toml. Pure.

A driver is a module with

    ANSWERS: bool                                     whether the panel confirms what it was told
    def compose(count: ShowCount) -> Frame            the bytes for a count, and what a passer-by then sees
    def confirmed(heard: bytes, sent: bytes) -> bool  whether ``heard`` contains the panel's answer to ``sent``

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


@dataclass(frozen=True, slots=True)
class Frame:
    """``raw`` goes over the wire; ``shown`` is what a driver at the gate then reads, in words."""

    raw: bytes
    shown: str


class Driver(Protocol):
    """What a driver file must have."""

    ANSWERS: bool

    def compose(self, count: ShowCount) -> Frame: ...

    def confirmed(self, heard: bytes, sent: bytes) -> bool: ...


def load_driver(name: str, panel: str) -> Driver:
    """The driver that hall.toml names for a panel.

    :raises HallFileFault: there is no such file here; the message has the nearest name.
    """
    known = sorted(one.name for one in pkgutil.iter_modules(__path__))
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise HallFileFault(f"hall.toml: panels: {panel}: unknown driver {name!r}; {hint}")
    return cast(Driver, importlib.import_module(f"{__name__}.{name}"))
