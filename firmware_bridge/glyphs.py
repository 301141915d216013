"""Draws the characters that a printer cannot know: 䶮, 𠮷 and the other rare names. An edge: reads a font file.

Pillow is imported at the first such character only, so that a bridge that never meets one stays small. Without
Pillow or without a font nothing can be drawn; the slip then shows 〓, and the log says which package is missing.
"""

from __future__ import annotations

import functools
import unicodedata
from pathlib import Path
from typing import Any

from firmware_bridge.escpos import Picture

#: Debian's fonts-noto-cjk (linli/install.sh installs it), then others that a hall's machine may have. The first that
#: has the glyph draws it. Noto Sans CJK has all of Extension A and of the 8,105 characters of 通用规范汉字表 (names
#: and places included); of Extension B as a whole it has one in twenty-five. Debian's fonts-hanazono (52 MB) has the
#: rest of B to F: for a hall that must print a name that is in no table.
FONT_FILES = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/hanazono/HanaMinA.ttf",
    "/usr/share/fonts/truetype/hanazono/HanaMinB.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
)
#: Noto's collection has one face a region; the third is Simplified Chinese.
_FACE = {"NotoSansCJK-Regular.ttc": 2}


def draw(text: str, dots_high: int, bold: bool) -> Picture | None:
    """``text`` as dots, ``dots_high`` rows; None where no font here has one of its characters."""
    pictures = [_glyph(one, dots_high, bold) for one in text]
    if any(one is None for one in pictures):
        return None
    whole = [one for one in pictures if one is not None]
    rows = []
    width = sum(one.width_dots for one in whole)
    for y in range(dots_high):
        row = 0
        for one in whole:
            spare = len(one.rows[y]) * 8 - one.width_dots
            row = row << one.width_dots | int.from_bytes(one.rows[y], "big") >> spare
        across = -(-width // 8)
        rows.append((row << (across * 8 - width)).to_bytes(across, "big"))
    return Picture(width, tuple(rows))


@functools.lru_cache(maxsize=256)
def _glyph(character: str, dots_high: int, bold: bool) -> Picture | None:
    """One character in its cell: as wide as high for Han, half of it for ASCII and other narrow ones."""
    font = _font_with(character, dots_high)
    if font is None:
        return None
    from PIL import Image, ImageChops, ImageDraw

    wide = unicodedata.east_asian_width(character) in ("W", "F", "A")
    width = dots_high if wide else dots_high // 2
    canvas = Image.new("1", (width, dots_high), 0)
    pen = ImageDraw.Draw(canvas)
    # Baseline at 0.88 of the cell: the em box of a Han glyph then fills the cell.
    pen.text((width / 2, dots_high * 0.88), character, fill=1, font=font, anchor="ms")
    if bold:
        # As the printer does it: struck twice, one dot apart. A thicker stroke would fill 24 dots with a blot.
        beside = Image.new("1", canvas.size, 0)
        beside.paste(canvas, (1, 0))
        canvas = ImageChops.logical_or(canvas, beside)
    across = -(-width // 8)
    packed = canvas.tobytes()
    return Picture(width, tuple(packed[y * across : (y + 1) * across] for y in range(dots_high)))


@functools.lru_cache(maxsize=16)
def _fonts(dots_high: int) -> tuple[Any, ...]:
    try:
        from PIL import ImageFont
    except ImportError:
        return ()
    return tuple(
        ImageFont.truetype(name, dots_high, index=_FACE.get(Path(name).name, 0))
        for name in FONT_FILES
        if Path(name).exists()
    )


def _font_with(character: str, dots_high: int) -> Any | None:
    """The first font that has ``character``. A font without it draws its own "missing" box: that is compared."""
    for font in _fonts(dots_high):
        here, missing = font.getmask(character), font.getmask("\uffff")
        drawn = here.getbbox() is not None and (here.size, bytes(here)) != (missing.size, bytes(missing))
        if drawn or character.isspace():
            return font
    return None
