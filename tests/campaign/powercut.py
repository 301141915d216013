"""A power cut at any moment: the notebook opens, is whole, and holds everything that was acknowledged.

``powercut [presses=300] [bays=20] [subsets=3000] [failing=10] [seed=…]``: a real gateway writes its notebook while a
shim (shim.c) records, in their order, its writes, its fsyncs and what it says to its sockets. From this log every state
of the files is rebuilt that a power cut could have left: what was synced, and of the writes since then any beginning
(all of them), or any handful in any order, some torn at a sector (``subsets`` of them, by a seeded dice). Each is
opened, ``integrity_check`` is asked, and what is in it is compared with what had been acknowledged by then: "written"
to a button, PUBACK of a press, "written":true to an order. Then the same with fsyncs that fail now and then
(``failing``): what was to be synced counts as lost for ever, as Linux treats it.

Two negative controls follow, the same log with the fsyncs left out that ``synchronous=NORMAL`` would not make, and with
none at all: the trial must find losses there, or it proves nothing.

What it takes for granted: a file's length is as good as its bytes, and a new file's name is on the disk with its first
fsync (ext4, XFS and btrfs keep that; SQLite asks for it besides). A deleted file comes back unless its folder was
synced.
"""

from __future__ import annotations

import errno
import json
import random
import re
import sqlite3
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign import _wire
from tests.campaign._buttons import Buttons, spread
from tests.campaign._shim import Event, Shim
from tests.campaign._units import Units, units
from tests.campaign._words import parameters
from tests.parts import Device, Seat

SECTOR = 512
#: The gateway checkpoints when so many pages of its write-ahead log have gathered; here early, to see many of them.
CHECKPOINT_PAGES = 200
#: In memory where there is such a folder: thousands of small files are written and read.
FAST = Path("/dev/shm")
_WRITTEN = re.compile(r"linli/v1/button/([^/]+)/written\Z")
_PRESS = re.compile(r"linli/v1/button/([^/]+)/press\Z")

#: In a SUBSCRIBE: the line by which calls come, and whose PUBACK is a promise.
_LISTENS_TO_CALLS = b"linli/v1/button/"

#: Who starts the gateway in this trial: the real one, told to checkpoint early.
_BOOT = f"import gateway.notebook as n; n.CHECKPOINT_PAGES = {CHECKPOINT_PAGES}; import gateway.__main__ as g; g.main()"


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that was acknowledged: a press ("press", device, "boot:seq") or an order ("call", id, state)."""

    kind: str
    subject: str
    what: str


@dataclass(slots=True)
class Disk:
    """The notebook's files by name: what is surely on the disk, and what was written since, in its order."""

    durable: dict[str, bytearray] = field(default_factory=dict)
    pending: list[Event] = field(default_factory=list)

    def sync(self, name: str) -> None:
        for event in self.pending:
            if event.name == name:
                apply(self.durable, event)
        self.pending = [event for event in self.pending if event.name != name]

    def lose(self, name: str) -> None:
        """An fsync failed: Linux calls those pages clean, and no later fsync will ever write them."""
        self.pending = [event for event in self.pending if event.name != name or event.kind in "UR"]

    def sync_folder(self) -> None:
        """Which names there are is on the disk now: what was deleted stays deleted (all is in one folder)."""
        while (place := next((at for at, one in enumerate(self.pending) if one.kind in "UR"), -1)) >= 0:
            gone = self.pending[place]
            apply(self.durable, gone)
            self.pending = [one for at, one in enumerate(self.pending) if at > place or one.name != gone.name]


def apply(files: dict[str, bytearray], event: Event) -> None:
    """One recorded change to the files."""
    match event.kind:
        case "W":
            data = files.setdefault(event.name, bytearray())
            if len(data) < event.offset:
                data.extend(bytes(event.offset - len(data)))
            data[event.offset : event.offset + len(event.data)] = event.data
        case "T":
            data = files.setdefault(event.name, bytearray())
            del data[event.offset :]
            data.extend(bytes(event.offset - len(data)))
        case "U":
            files.pop(event.name, None)
        case "R":
            if event.name in files:
                files[event.data.decode()] = files.pop(event.name)


class Ears:
    """Reads the recorded bytes of the sockets: which promise was given with which of them?"""

    def __init__(self) -> None:
        self._sent: dict[int, _wire.Packets] = {}
        self._heard: dict[int, _wire.Packets] = {}
        self._lines: dict[int, bytes] = {}
        self._mids: dict[tuple[int, int], Promise] = {}
        self._for_calls: set[int] = set()

    def heard(self, event: Event) -> None:
        """What came in: a press has a number by which it will be PUBACKed."""
        if event.data[:1] == b"{" or event.fd in self._lines:
            return
        for kind, flags, body in self._heard.setdefault(event.fd, _wire.Packets()).feed(event.data):
            if kind != _wire.PUBLISH:
                continue
            topic, mid, payload = _wire.published(flags, body)
            found = _PRESS.match(topic)
            if mid and found:
                words = json.loads(payload)
                self._mids[event.fd, mid] = Promise("press", found[1], f"{words['boot']}:{words['seq']}")

    def said(self, event: Event) -> Iterator[Promise]:
        """What went out."""
        if event.data[:1] == b"{" or event.fd in self._lines:
            yield from self._said_at_the_desk(event)
            return
        for kind, flags, body in self._sent.setdefault(event.fd, _wire.Packets()).feed(event.data):
            if kind == _wire.SUBSCRIBE:
                # The line that listens to everything hears copies of presses; the broker keeps them for this one.
                (self._for_calls.add if _LISTENS_TO_CALLS in body else self._for_calls.discard)(event.fd)
            elif kind == _wire.PUBACK:
                promise = self._mids.pop((event.fd, int.from_bytes(body[:2], "big")), None)
                # A copy may be acknowledged while the press itself is not: the broker still keeps that one.
                kept = any(fd == event.fd and one == promise for (fd, _), one in self._mids.items())
                if promise is not None and event.fd in self._for_calls and not kept:
                    yield promise
            elif kind == _wire.CONNECT:
                self._mids = {key: one for key, one in self._mids.items() if key[0] != event.fd}
            elif kind == _wire.PUBLISH:
                topic, _, payload = _wire.published(flags, body)
                found = _WRITTEN.match(topic)
                if found:
                    words = json.loads(payload)
                    yield Promise("press", found[1], f"{words['boot']}:{words['seq']}")

    def _said_at_the_desk(self, event: Event) -> Iterator[Promise]:
        *lines, self._lines[event.fd] = (self._lines.get(event.fd, b"") + event.data).split(b"\n")
        for line in lines:
            words = json.loads(line)
            if words.get("written") is True and "call" in words and "re" in words:
                yield Promise("call", str(words["call"]["call_id"]), words["call"]["state"])


def main(words: list[str]) -> int:
    given = parameters(words, presses=300, bays=20, subsets=3000, failing=10, seed=20261122)
    dice, subsets = random.Random(int(given["seed"])), int(given["subsets"])
    presses, bays, failing = int(given["presses"]), int(given["bays"]), int(given["failing"])
    events = record(presses, bays)
    asked = Verdict.of(events, dice, subsets)
    print(f"  as it is:              {asked}")
    held = asked.promises > 0 and asked.checkpoints >= 2 and not asked.breaches and not asked.broken
    if failing:
        sick = Verdict.of(record(presses, bays, failing), dice, subsets)
        print(f"  fsyncs that failed:    {sick}")
        held = held and sick.promises > 0 and not sick.breaches and not sick.broken
    normal = Verdict.of(without_syncs(events, normal=True), dice, subsets // 4, stop_after=2000)
    print(f"  control, as NORMAL:    {normal}")
    none = Verdict.of(without_syncs(events, normal=False), dice, subsets // 4, stop_after=2000)
    print(f"  control, no fsync:     {none}")
    if not (normal.breaches and (none.breaches or none.broken)):
        print("  the controls found nothing: this trial proves nothing")
        held = False
    return 0 if held else 1


def record(presses: int, bays: int, failing: int = 0) -> list[Event]:
    """A gateway's history in so many presses; ``failing`` fsyncs in it report an error."""
    with tempfile.TemporaryDirectory(prefix="linli-powercut-") as folder:
        shim = Shim(Path(folder) / "shim", record=True)
        _write_a_history(Path(folder) / "hall", shim, presses, bays, failing)
        events = list(shim.events())
    kinds = Counter(event.kind for event in events)
    print(
        f"  recorded: {kinds['W']} writes, {kinds['S']} fsyncs, {kinds['F']} that failed, "
        f"{kinds['>']} times something said"
    )
    return events


def without_syncs(events: list[Event], *, normal: bool) -> list[Event]:
    """The same history as if fsync had not been asked for: all but a checkpoint's (NORMAL), or every one."""
    kept = []
    for place, event in enumerate(events):
        if event.kind == "D" and not normal:
            continue
        if event.kind == "S":
            # A checkpoint syncs the log, then writes the file, then syncs the file.
            following = next((one for one in events[place + 1 :] if one.kind in "WTS"), None)
            checkpoint = not event.name.endswith("-wal") or (
                following is not None and following.kind == "W" and not following.name.endswith("-wal")
            )
            if not (normal and checkpoint):
                continue
        kept.append(event)
    return kept


@dataclass(slots=True)
class Verdict:
    """What the power cuts found. ``breaches``: something acknowledged was not there. ``broken``: could not be read."""

    states: int = 0
    promises: int = 0
    checkpoints: int = 0
    breaches: int = 0
    broken: int = 0
    worst: int = 0
    example: str = ""

    def __str__(self) -> str:
        return (
            f"{self.states} states of the files ({self.checkpoints} checkpoints), {self.promises} promises; "
            f"not readable {self.broken}, with something acknowledged missing {self.breaches}"
            + (f" (up to {self.worst} in one; {self.example})" if self.example else "")
        )

    @classmethod
    def of(cls, events: list[Event], dice: random.Random, subsets: int, stop_after: int = 1 << 30) -> Verdict:
        """Cut the power everywhere in this history."""
        verdict = cls()
        windows = max(1, sum(event.kind in "SU" for event in events))
        disk, ears = Disk(), Ears()
        given: set[Promise] = set()
        where = str(FAST) if FAST.is_dir() else None
        with tempfile.TemporaryDirectory(prefix="linli-cut-", dir=where) as folder:

            def cut(count: int) -> None:
                verdict._window(disk, given, Path(folder), dice, count)

            for event in events:
                if verdict.breaches + verdict.broken >= stop_after:
                    break
                if event.kind == ">":
                    given |= set(ears.said(event))
                elif event.kind == "<":
                    ears.heard(event)
                elif event.kind == "S":
                    if any(one.name == event.name for one in disk.pending):
                        cut(max(1, subsets // windows))
                    if not event.name.endswith("-wal"):
                        verdict.checkpoints += 1
                    disk.sync(event.name)
                elif event.kind == "F":
                    disk.lose(event.name)
                elif event.kind == "D":
                    disk.sync_folder()
                elif event.kind in "WTUR":
                    disk.pending.append(event)
            cut(max(1, subsets // windows))
        verdict.promises = len(given)
        return verdict

    def _window(
        self, disk: Disk, given: set[Promise], folder: Path, dice: random.Random, subsets: int
    ) -> None:
        """Between two fsyncs: every beginning of what was written, and some handfuls of it."""
        files = {name: bytearray(data) for name, data in disk.durable.items()}
        self._look(files, given, folder, "nothing of it")
        # A long window (a control's) is sampled: its beginnings at the end of each commit say the same as all.
        step = max(1, len(disk.pending) // 400)
        for place, event in enumerate(disk.pending):
            apply(files, event)
            if place % step == 0 or place == len(disk.pending) - 1:
                self._look(files, given, folder, f"the first {place + 1} of {len(disk.pending)} writes")
        for _ in range(subsets if len(disk.pending) > 1 else 0):
            files = {name: bytearray(data) for name, data in disk.durable.items()}
            share = dice.random()
            for event in disk.pending:
                if dice.random() < share:
                    apply(files, _torn(event, dice) if dice.random() < 0.1 else event)
            self._look(files, given, folder, "some of its writes in any order")

    def _look(self, files: dict[str, bytearray], given: set[Promise], folder: Path, what: str) -> None:
        self.states += 1
        for old in folder.iterdir():
            old.unlink()
        base = None
        for name, data in files.items():
            short = Path(name).name
            (folder / short).write_bytes(data)
            if short == "gateway.db":
                base = folder / short
        have: set[Promise] = set()
        if base is not None:
            try:
                have = promises_in(base)
            except sqlite3.DatabaseError as wrong:
                self.broken += 1
                self.example = self.example or f"{what}: {wrong}"
                return
        missing = {one for one in given if one not in have}
        if missing:
            self.breaches += 1
            self.worst = max(self.worst, len(missing))
            self.example = self.example or f"{what}: {sorted(missing, key=str)[0]}"


def _torn(event: Event, dice: random.Random) -> Event:
    """Of a write only some sectors reached the disk."""
    if event.kind != "W" or len(event.data) <= SECTOR:
        return event
    end = SECTOR * dice.randrange(1, (len(event.data) - 1) // SECTOR + 1)
    return Event(event.kind, event.name, event.fd, event.offset, event.data[:end], event.time_ns)


def promises_in(path: Path) -> set[Promise]:
    """Everything in this notebook that may have been promised, as SQLite finds it after the cut.

    :raises sqlite3.DatabaseError: it cannot be opened, or its integrity_check finds something.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as book:
        verdict = str(book.execute("PRAGMA integrity_check").fetchone()[0])
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        if not book.execute("SELECT 1 FROM sqlite_master WHERE name = 'presses'").fetchone():
            return set()
        have = {Promise("press", *row) for row in book.execute("SELECT device_id, press_id FROM presses")}
        for call_id, state in book.execute("SELECT call_id, state FROM calls"):
            # What is further on has been through the states before.
            for passed in ("HEARD", "COMING", "CLOSED"):
                have.add(Promise("call", str(call_id), passed))
                if passed == state:
                    break
        return have


def _write_a_history(home: Path, shim: Shim, presses: int, bays: int, failing: int) -> None:
    """Presses, orders and bays that come and go, with the shim in the gateway."""

    def wrap(part: str, argv: list[str], environ: dict[str, str]) -> list[str]:
        if part != "gateway":
            return argv
        environ.update(shim.environ())
        return [argv[0], "-c", _BOOT]

    with units(home, "[virtual]\non = false\n", only=("broker", "gateway"), wrap=wrap) as hall:
        hall.wait_said("gateway", "broker is ready")
        buttons = Buttons(hall.mqtt_port, "p", 10, 40.0, presses)
        buttons.start()
        _live(hall, buttons, bays, shim, failing)
        buttons.finish()
        print(f"  {len(buttons.written)} presses, {spread([one.waited_ms for one in buttons.written])}")


def _live(hall: Units, buttons: Buttons, bays: int, shim: Shim, failing: int) -> None:
    """Until all is pressed: staff answer, cars come and go; now and then an fsync fails."""
    sensor, seat = Device(hall.mqtt_port), Seat(hall.house.gateway_socket)
    pause, turn = threading.Event(), 0
    try:
        while not buttons.enough.is_set():
            turn += 1
            if turn % 10 == 9 and shim.get("syncs_failed") < failing:
                shim.set(sync_errno=errno.EIO, sync_skip=turn % 4, sync_fail=1)
            bay = turn % bays
            sensor.say(
                f"linli/v1/bay/cut-{bay}/state",
                {"boot": "c", "seq": turn, "occupied": bool(turn // bays % 2)},
            )
            if turn % 5 == 0:
                snapshot = Seat(hall.house.gateway_socket)
                waiting = [call for call in snapshot.snapshot["calls"] if call["state"] != "CLOSED"]
                snapshot.close()
                for call in waiting[:1]:
                    number = call["call_id"]
                    seat.order("accept_call", call_id=number, by="小李")
                    seat.order("close_call", call_id=number, by="小李", outcome="test")
            pause.wait(0.03)
    finally:
        seat.close()
        sensor.close()
