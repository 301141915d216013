"""Pictures of virtual paper: what a piece looks like, dot by dot, for the demo's page and for the eye of a developer.

Needs Pillow and, for letters, fonts-noto-cjk; what the bytes mean was decided in ``paper.py``.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devices.virtual.paper import Ink, Piece

#: 80 mm paper: 576 dots across at 203 dpi, font A 12 x 24 dots, 48 columns.
DOTS_80MM = 576


def qr_rows(data: str, level: str, module: int) -> tuple[bytes, ...]:
    """A QR code as rows of dots (0 or 1), without the quiet zone."""
    import segno

    code = segno.make_qr(data, error=level.lower(), boost_error=False)
    rows = []
    for line in code.matrix:
        row = b"".join(bytes([cell & 1]) * module for cell in line)
        rows += [row] * module
    return tuple(rows)


_FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-{weight}.ttc"
#: Noto's collection: the eighth face is Mono SC, whose Latin letters are half as wide as a Han character.
_MONO_SC = 7
_MARGIN = 32
_PAPER, _SHADE = 252, 176


def draw_png(piece: Piece, dots: int = DOTS_80MM) -> bytes:
    """The piece as a PNG picture: a dot is a pixel."""
    from PIL import Image, ImageDraw

    tall = sum(line.advance for line in piece.lines) + 2 * _MARGIN + 24
    page = Image.new("L", (dots + 2 * _MARGIN, tall), _PAPER)
    pen = ImageDraw.Draw(page)
    y = _MARGIN
    for line in piece.lines:
        shift = _MARGIN + (dots - line.width) * line.align // 2
        deepest = max((ink.height for ink in line.inks), default=0)
        for ink in line.inks:
            left, top = shift + ink.x, y + deepest - ink.height
            if ink.rows:
                dots_of = Image.frombytes("L", (ink.width, len(ink.rows)), b"".join(ink.rows))
                page.paste(0, (left, top), dots_of.point(lambda dot: 255 * dot))
            elif ink.text != " ":
                _letter(page, pen, ink, left, top)
        y += line.advance
    _edge(pen, page.width, page.height, piece.whole)
    out = io.BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def _letter(page: Any, pen: Any, ink: Ink, left: int, top: int) -> None:
    """One character in its cell. A printer widens and heightens the same 24 dots; so is it done here."""
    from PIL import Image, ImageDraw

    wide, tall = ink.size
    font = _font(24 * tall, ink.bold)
    if font is None:
        pen.rectangle((left + 1, top + 1, left + ink.width - 2, top + ink.height - 2), outline=0)
        return
    cell = Image.new("L", (ink.width * tall // wide, ink.height), 0)
    if ink.text in "─━│┃┄":
        ImageDraw.Draw(cell).line((0, ink.height // 2, cell.width, ink.height // 2), fill=255, width=2)
    else:
        # Baseline at 0.86 of the cell: Noto's ideographs then fill it from top to bottom. Latin letters stand higher,
        # as in a printer's own font, so that g and y have their tails.
        baseline = ink.height * (0.8 if ink.text.isascii() else 0.86)
        ImageDraw.Draw(cell).text((cell.width / 2, baseline), ink.text, fill=255, font=font, anchor="ms")
    if cell.width != ink.width:
        cell = cell.resize((ink.width, ink.height))
    page.paste(0, (left, top), cell)


_fonts: dict[tuple[int, bool], Any] = {}


def _font(height: int, bold: bool) -> Any | None:
    if (height, bold) not in _fonts:
        from PIL import ImageFont

        name = _FONT.format(weight="Bold" if bold else "Regular")
        _fonts[height, bold] = (
            ImageFont.truetype(name, height, index=_MONO_SC) if Path(name).exists() else None
        )
    return _fonts[height, bold]


def _edge(pen: Any, width: int, height: int, whole: bool) -> None:
    """The paper's edges, and the saw-tooth below: even where it was cut, ragged where it was torn."""
    pen.line((0, 0, 0, height), fill=_SHADE)
    pen.line((width - 1, 0, width - 1, height), fill=_SHADE)
    step = 8 if whole else 24
    depth = 4 if whole else 16
    teeth = [(x, height - 1 - (depth if x // step % 2 else 0)) for x in range(0, width + step, step)]
    pen.polygon([(0, height), *teeth, (width, height)], fill=_SHADE)
