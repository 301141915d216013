"""Which printer a slip goes to. Pure.

The window's own printer, where the slip is asked for at a window that has one; else the printer that hall.toml names
for the screen; else the hall's first. When that printer cannot print, the bridge hands the slip to its spare
(``firmware_bridge/sparing.py``): here nobody knows how a printer is, and a number never waits for one.
"""

from __future__ import annotations

from collections.abc import Sequence

from devices.plan import Printer


def printer_for(printers: Sequence[Printer], *, window: str = "", screen: str = "") -> str:
    """The id of the printer; "" in a hall without any.

    :param window: the printer of the window where the slip is asked for, "" where it has none. One that left hall.toml
        counts as none.
    :param screen: the screen that was touched.
    """
    if any(one.id == window for one in printers):
        return window
    for one in printers:
        if screen and screen in one.screens:
            return one.id
    return printers[0].id if printers else ""
