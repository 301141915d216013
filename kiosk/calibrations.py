"""Each touchscreen by its name: how large its pixels are, where it stands, whether it hangs for who sits.

The table ``screens`` keeps it, written by the kiosk's writer and noted in the staff journal. A screen without a row is
not calibrated: the style sheet guesses its millimetre from the panel's size, which is right for the three panels that
it names and for no other.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from dataclasses import dataclass

from devices.faults import NotWritten, OrderRefused
from gateway.log import say_once
from kiosk import account_rows
from kiosk.core import Core
from kiosk.live import STAFF

#: ISO/IEC 7810 ID-1, the format of bank cards and of the residents' ID card: 85.60 mm wide.
CARD_MM = 85.6
#: CSS pixels in a millimetre. The smallest and the largest panel one may stand before: a 75-inch television with
#: 1920 x 1080 has 1.16, a 5.5-inch one with 1080 x 1920 has 15.8; the table refuses what lies outside 1 to 20.
PX_PER_MM_LEAST, PX_PER_MM_MOST = 1.1, 16.0
PLACE_AT_MOST = 40

_PLAIN_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Screen:
    """One touchscreen as it was set. ``px_per_mm``: CSS pixels in a millimetre of its glass. ``address``: the machine
    at which it was measured; from there, a call for help is this screen's (kiosk/help_call.py)."""

    screen: str
    place_zh: str
    place_en: str
    px_per_mm: float
    low: bool
    printer: str
    set_ms: int
    set_by: str
    address: str = ""


def of(core: Core, screen: str) -> Screen | None:
    """The screen of this name as it was set, or None. A notebook that cannot be read now is as if it were not."""
    try:
        row = core.reader().execute("SELECT * FROM screens WHERE screen = ?", (screen,)).fetchone()
    except (NotWritten, sqlite3.Error) as wrong:
        say_once("screens-unread", "screens_unread", f"screens cannot be read: {wrong}", level=logging.INFO)
        return None
    return None if row is None else _screen(row)


def is_low(core: Core, screen: str) -> bool:
    """Whether this screen hangs so that only its lower part can be reached."""
    set_ = of(core, screen)
    return set_ is not None and set_.low


def every(core: Core) -> list[Screen]:
    """All screens that were set, by name: kiosk-2 before kiosk-10."""
    rows = core.reader().execute("SELECT * FROM screens").fetchall()
    return sorted((_screen(row) for row in rows), key=lambda one: (len(one.screen), one.screen))


def read_size(typed: str) -> float:
    """``px_per_mm`` from what a form brought.

    :raises OrderRefused: it is no number, or no panel can be like that.
    """
    number = float(typed) if _PLAIN_NUMBER.fullmatch(typed) else 0.0
    if not PX_PER_MM_LEAST <= number <= PX_PER_MM_MOST:
        raise OrderRefused(
            "长度不对：请把卡放在屏幕上，让黑条和卡一样长，再按保存。原来的设置没有改。",
            "That length cannot be right: hold the card to the glass, make the bar as long as the card, then save."
            " Nothing was changed.",
        )
    return number


def save(
    core: Core,
    screen: str,
    by: str,
    *,
    px_per_mm: float,
    place_zh: str,
    place_en: str,
    low: bool,
    address: str = "",
) -> Screen:
    """Write down how this screen is; which printer it has stays as it was. The new row.

    :raises OrderRefused: a place's name is too long.
    """
    place_zh, place_en = " ".join(place_zh.split()), " ".join(place_en.split())
    if max(len(place_zh), len(place_en)) > PLACE_AT_MOST:
        raise OrderRefused(
            f"位置名称最多 {PLACE_AT_MOST} 个字。没有保存，请改短一点。",
            f"A place's name has at most {PLACE_AT_MOST} letters. Nothing was saved: make it shorter.",
        )
    now_ms = core.now_ms()

    def work(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO screens(screen, place_zh, place_en, px_per_mm, low, set_ms, set_by, address)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(screen) DO UPDATE SET place_zh = excluded.place_zh,"
            " place_en = excluded.place_en, px_per_mm = excluded.px_per_mm, low = excluded.low,"
            " set_ms = excluded.set_ms, set_by = excluded.set_by, address = excluded.address",
            (screen, place_zh, place_en, px_per_mm, int(low), now_ms, by, address),
        )
        account_rows.note(
            connection, now_ms, by, "screen_set", screen, f"{px_per_mm:.3f} px/mm low={int(low)}"
        )

    core.writer.write(work)
    if core.hub.listens(STAFF):
        core.hub.publish(STAFF, "screens", {"screen": screen})
    return Screen(screen, place_zh, place_en, px_per_mm, low, "", now_ms, by, address)


def _screen(row: sqlite3.Row) -> Screen:
    told = dict(row)
    return Screen(**{**told, "low": bool(told["low"])})
