"""The shim of shim.c from Python: compiled into a temporary folder, steered and read while its process runs."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
#: The numbers of shim.c's enum, in its order.
NUMBERS = (
    *("wall_offset_ns", "sync_errno", "sync_skip", "sync_fail", "write_errno", "write_skip", "write_fail"),
    *("read_errno", "read_skip", "read_fail", "syncs", "syncs_failed", "writes", "writes_failed"),
    *("reads", "reads_failed", "write_torn"),
)
_HEAD = struct.Struct("=BBHiqqq")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: shim.c's ``struct head`` with its name and bytes."""

    kind: str
    name: str
    fd: int
    offset: int
    data: bytes
    time_ns: int


class Shim:
    """One shim for one process (or for its lives, one after the other)."""

    def __init__(self, folder: Path, *, record: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "shim.log"
        self._record = record
        self._control = folder / "shim.control"
        self._control.write_bytes(bytes(32 * 8))
        with self._control.open("r+b") as handle:
            self._numbers = mmap.mmap(handle.fileno(), 32 * 8)
        self._library = folder / "shim.so"
        compiler = shutil.which("cc")
        if compiler is None:
            raise SystemExit("this trial needs a C compiler: apt-get install gcc libc6-dev")
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", str(self._library), str(SOURCE), "-ldl"], check=True
        )

    def environ(self) -> dict[str, str]:
        """What the process's environment needs."""
        words = {"LD_PRELOAD": str(self._library), "SHIM_CONTROL": str(self._control)}
        if self._record:
            words["SHIM_LOG"] = str(self.log)
        return words

    def set(self, **numbers: int) -> None:
        for name, number in numbers.items():
            struct.pack_into("=q", self._numbers, 8 * NUMBERS.index(name), number)

    def get(self, name: str) -> int:
        return int(struct.unpack_from("=q", self._numbers, 8 * NUMBERS.index(name))[0])

    def events(self) -> Iterator[Event]:
        """Everything recorded so far, in its order."""
        with self.log.open("rb") as handle:
            while head := handle.read(_HEAD.size):
                kind, _, name_length, fd, offset, length, time_ns = _HEAD.unpack(head)
                name = handle.read(name_length).decode()
                yield Event(chr(kind), name, fd, offset, handle.read(length), time_ns)
