"""Finding a MicroPython for this machine: the chip's own language, built for Unix."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.parts import ROOT


def find_micropython() -> str:
    """Its program: the one beside this Python (requirements-dev.in brings it where it is built), or the system's."""
    beside = Path(sys.executable).parent / "micropython"
    return str(beside) if beside.exists() else shutil.which("micropython") or ""


#: how the firmware is run here: name -> (command, environment)
INTERPRETERS: dict[str, tuple[list[str], dict[str, str]]] = {
    "cpython": ([sys.executable], {"PYTHONPATH": str(ROOT)})
}
if find_micropython():
    INTERPRETERS["micropython"] = ([find_micropython()], {"MICROPYPATH": f".frozen:{ROOT}"})


def environ_of(interpreter: str) -> dict[str, str]:
    return {**os.environ, **INTERPRETERS[interpreter][1]}
