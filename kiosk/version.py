"""Which Linli runs, and whether the files on the disk are still those with which it was begun.

An update that was laid down without a restart runs nowhere: the console says so. Times of files are compared with each
other and never with the clock, which on a machine without one may have stood in 1970 at the start.
"""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path

from devices.clock import mono_s

_ROOT = Path(__file__).parent.parent
_ROOMS = ("devices", "firmware_bridge", "gateway", "herald", "kiosk", "linli")
#: Some 500 files are looked at in milliseconds; a desk asks often.
_LOOK_S = 60.0


@cache
def version() -> str:
    """As pyproject.toml has it; "?" where that cannot be read."""
    try:
        project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])
    except (OSError, KeyError, TypeError, ValueError):
        return "?"


@cache
def own_files() -> Files:
    """Those of this process, as they are at the first question: it is asked when the process begins."""
    return Files()


class Files:
    """The program's own files. Made when the program begins."""

    def __init__(self, root: Path = _ROOT) -> None:
        self._root = root
        self._begun = self._now()
        self._looked_s = mono_s()
        self._others = False

    def are_others(self) -> bool:
        """Whether they have changed since; looked at once a minute at most. What was restored is as before."""
        if mono_s() - self._looked_s >= _LOOK_S:
            self._others, self._looked_s = self._now() != self._begun, mono_s()
        return self._others

    def _now(self) -> tuple[int, int]:
        """How many there are, and the newest's time."""
        many, newest = 0, 0
        for room in _ROOMS:
            for place, folders, names in os.walk(self._root / room):
                folders[:] = [one for one in folders if one != "__pycache__"]
                for name in names:
                    if name.endswith((".py", ".html", ".sql")):
                        try:
                            newest = max(newest, os.stat(os.path.join(place, name)).st_mtime_ns)
                        except OSError:
                            continue  # gone meanwhile
                        many += 1
        return many, newest
