"""The six items that staff have put on the first screen, one touch from a number.

quick.codes(core)    # ("ZW-01", "ZW-04", …): six codes of the catalogue, as staff ordered them
"""

from __future__ import annotations

import sqlite3

from devices.faults import NotWritten, OrderRefused
from kiosk import content
from kiosk.catalogue import Catalogue
from kiosk.core import Core

#: How many there are: with 24 mm targets six fit above the list on each panel.
QUICK = 6
#: Until staff choose: what elders come for most often, of those with a number (our guess, said so on the page).
SHIPPED = ("ZW-01", "ZW-04", "ZW-05", "ZW-02", "ZW-03", "WY-06")


def shipped(catalogue: Catalogue) -> tuple[str, ...]:
    """The first six of ours that the catalogue has with a number, filled up from its order."""
    with_number = [one.code for one in catalogue.services if one.needs_ticket]
    ours = [code for code in SHIPPED if code in with_number]
    return tuple([*ours, *(code for code in with_number if code not in ours)][:QUICK])


def codes(core: Core) -> tuple[str, ...]:
    """As staff ordered them; as shipped where nobody has, or where the notebook cannot be read."""
    try:
        chosen = content.value_now(core.reader(), "quick", "codes")
    except (NotWritten, sqlite3.Error):
        chosen = None
    try:
        return shipped(core.catalogue) if chosen is None else checked(core.catalogue, chosen)
    except OrderRefused:
        return shipped(core.catalogue)  # an update has taken an item away, or its number


def checked(catalogue: Catalogue, chosen: object) -> tuple[str, ...]:
    """
    :raises OrderRefused: not six, one twice, or one that has no number.
    """
    codes = [str(one) for one in chosen] if isinstance(chosen, list | tuple) else []
    for code in codes:
        service = catalogue.service(code)
        if service is None or not service.needs_ticket:
            raise OrderRefused(
                f"“{service.name_zh if service else code[:20]}”不能取号，不能放在首页六项里",
                f"“{service.name_en if service else code[:20]}” has no number and cannot be one of the six",
            )
    if len(codes) != QUICK or len(set(codes)) != QUICK:
        raise OrderRefused(f"要选 {QUICK} 个不同的事项", f"Choose {QUICK} different services")
    return tuple(codes)
