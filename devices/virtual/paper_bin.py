"""Where virtual paper falls: ``<n>.txt`` at once, ``<n>.png`` when its thread gets to it; the last ones are kept."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from devices.virtual.drawing import draw_png
from devices.virtual.paper import Piece

#: Pieces of paper kept on disk. Our choice: a day's demo; the bin is emptied from below.
KEPT_PIECES = 200


class PaperBin:
    """One printer's paper. ``drawn(n)`` is called from the bin's own thread."""

    def __init__(self, folder: Path, dots: int, drawn: Callable[[int], None]) -> None:
        self.folder = folder
        self._dots = dots
        self._drawn = drawn
        self._to_draw: queue.SimpleQueue[tuple[int, Piece] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._draw_for_ever, name=f"paper {folder.name}", daemon=True)

    def open(self) -> int:
        """Begin. Gives the number of the newest piece that is there: numbers go on after a restart."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        return max((int(one.stem) for one in self.folder.glob("*.txt") if one.stem.isdigit()), default=0)

    def close(self) -> None:
        """What has fallen in is on disk, pictures too, when this returns."""
        self._to_draw.put(None)
        self._thread.join(timeout=10)

    def take(self, number: int, piece: Piece) -> str:
        """Keep a piece; gives its text."""
        text = piece.text(self._dots)
        _write(self.folder / f"{number}.txt", text.encode("utf-8"))
        self._to_draw.put((number, piece))
        return text

    def _draw_for_ever(self) -> None:
        while (work := self._to_draw.get()) is not None:
            number, piece = work
            _write(self.folder / f"{number}.png", draw_png(piece, self._dots))
            for tail in ("txt", "png"):
                (self.folder / f"{number - KEPT_PIECES}.{tail}").unlink(missing_ok=True)
            self._drawn(number)


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all: the demo's page may look at any moment. A full disk costs the picture, not the printer."""
    fresh = file.with_name(f".{file.name}.new")
    try:
        fresh.write_bytes(data)
        fresh.replace(file)
    except OSError as wrong:
        print(f"virtual printer: {file.name} is not kept: {wrong.strerror}", file=sys.stderr)
