"""Where the hall's automatic backups lie, and which there are: for whoever restores, examines or shows them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_SET = re.compile(r"(\d{6,})-(\d{8}T\d{6}Z)")


@dataclass(frozen=True, slots=True)
class BackupSet:
    """One automatic backup: a folder with whole copies of the notebooks.

    ``number`` grows by one with each and is what tells older from newer: the clock may have been wrong.
    """

    folder: Path
    number: int
    taken_ms: int


def backups_of(home: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Where this hall's automatic backups are: ``$LINLI_BACKUPS``, better on another disk, or ``<home>/backups``."""
    return Path(environ.get("LINLI_BACKUPS") or home / "backups")


def sets_in(folder: Path) -> list[BackupSet]:
    """The automatic backups there, newest first. A folder that cannot be read has none."""
    found = []
    try:
        names = [one.name for one in folder.iterdir()]
    except OSError:
        return []
    for name in names:
        if spelled := _SET.fullmatch(name):
            taken = datetime.strptime(spelled[2] + "+0000", "%Y%m%dT%H%M%SZ%z")
            found.append(BackupSet(folder / name, int(spelled[1]), int(taken.timestamp() * 1000)))
    return sorted(found, key=lambda one: one.number, reverse=True)
