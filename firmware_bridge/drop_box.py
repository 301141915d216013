"""The technician's drop box: ``linli print`` lays a test slip into ``<home>/spool-in/<slip_id>.json`` and we take it.

The file is ``{"v":1,"slip_id":-1793000000000,"printer":"hall","body":{PrintSlip}}``. Its number is negative, so it
never meets a slip of the kiosk. It is taken away only when the job is on the disk; taken twice it is still one job
(UNIQUE). What is not such a file is put aside as ``….bad`` and said, never printed.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path

from devices.faults import SlipFault
from firmware_bridge.outbox import Slip

#: How often we look. A technician waits for the paper; half a second is not a wait.
LOOK_EVERY_MS = 500
#: A slip is at most 16 KiB on the wire; as JSON with escapes a few times that.
LONGEST_FILE = 131_072


class DropBox:
    """The folder, looked at twice a second. It need not be there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._look_ms = 0

    def waiting(self, tick_ms: int) -> list[Path]:
        """The files that lie there, oldest name first; empty when it is not yet time to look again."""
        if tick_ms < self._look_ms:
            return []
        self._look_ms = tick_ms + LOOK_EVERY_MS
        try:
            return sorted(one for one in self._folder.iterdir() if one.suffix == ".json")
        except OSError:
            return []  # nobody has made it yet


def read_slip(file: Path, now_ms: int) -> Slip:
    """The slip in a dropped file.

    :raises SlipFault: it is not such a file; the text says why.
    """
    try:
        # Looked at before it is opened: opening a pipe would wait for its writer.
        if not stat.S_ISREG(file.stat().st_mode):
            raise SlipFault(f"{file.name}: not a plain file")
        with file.open("rb") as opened:
            raw = opened.read(LONGEST_FILE + 1)
        if len(raw) > LONGEST_FILE:
            raise SlipFault(f"{file.name}: longer than {LONGEST_FILE} bytes")
        said = json.loads(raw)
    except (OSError, ValueError, RecursionError) as wrong:
        raise SlipFault(f"{file.name}: cannot be read: {wrong}") from wrong
    if not isinstance(said, dict):
        raise SlipFault(f"{file.name}: must be a JSON object")
    slip_id, printer, body = said.get("slip_id"), said.get("printer"), said.get("body")
    if type(slip_id) is not int or not -(2**62) < slip_id < 0:
        raise SlipFault(f"{file.name}: 'slip_id' must be a negative whole number, not {slip_id!r:.40}")
    if not isinstance(printer, str) or not isinstance(body, dict):
        raise SlipFault(f"{file.name}: needs 'printer' (a text) and 'body' (an object)")
    try:
        text = json.dumps(body, ensure_ascii=False)
        # JSON can spell half a sign ("\\ud800"); no notebook can hold it.
        (printer + text).encode("utf-8")
    except (ValueError, RecursionError) as wrong:
        raise SlipFault(f"{file.name}: cannot be written down: {wrong}") from wrong
    return Slip(slip_id, printer, text, now_ms)
