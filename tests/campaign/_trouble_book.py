"""Faults of the notebook: full, read-only, failing in every place, corrupt at start and under way."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.campaign._buttons import spread
from tests.campaign._trouble import HEALED_AIM_S, Hall, Outcome, hall
from tests.campaign._trouble_lines import small_disk
from tests.parts import PATIENCE_S, ROOT

#: Staff hear of a press that cannot be written within this time (R3 of our guarantees).
LOUD_S = 5.0


def disk_full(folder: Path, given: dict[str, int]) -> Outcome:
    """The card is full: not a page more. Presses alarm; what is called written is; with room again all is well."""
    home = folder / "hall"
    home.mkdir(parents=True)
    # Large enough for the reserve that the notebook keeps for such a day, and for room beside it.
    with small_disk(home, 128 * 1024) as fill, hall(folder) as one:
        one.all_written(one.press(5))
        return _refused(one, lambda: fill(True), lambda: fill(False), loud=False)


def read_only(folder: Path, given: dict[str, int]) -> Outcome:
    """The card has become read-only, as worn-out ones do: each write says EROFS."""
    return _shimmed(folder, "write", errno.EROFS)


def writes_fail(folder: Path, given: dict[str, int]) -> Outcome:
    """Each write of the notebook fails (EIO), and leaves its first half behind."""
    return _shimmed(folder, "write", errno.EIO, write_torn=1)


def syncs_fail(folder: Path, given: dict[str, int]) -> Outcome:
    """Each fsync of the notebook fails (EIO)."""
    return _shimmed(folder, "sync", errno.EIO)


def reads_fail(folder: Path, given: dict[str, int]) -> Outcome:
    """Each read of the notebook fails (EIO): the card has let go."""
    return _shimmed(folder, "read", errno.EIO, loud=False)


def _shimmed(folder: Path, what: str, error: int, *, loud: bool = True, **more: int) -> Outcome:
    with hall(folder) as one:
        one.all_written(one.press(5))
        break_, heal = {f"{what}_errno": error, f"{what}_fail": -1, **more}, {f"{what}_errno": 0}
        return _refused(one, lambda: one.shim.set(**break_), lambda: one.shim.set(**heal), loud=loud)


def _refused(one: Hall, begin: Callable[[], None], heal: Callable[[], None], *, loud: bool) -> Outcome:
    """Presses while the notebook refuses; ``loud``: nothing can be written, so the part must say that it is down."""
    begin()
    began_s = time.monotonic()
    during = one.press(30)
    outcome = Outcome("")
    outcome.expect(one.wait_alarmed(during), "a press did not alarm while the notebook refused")
    waits = [
        (one.ear.alarmed(press.device) or float("inf")) - press.began_s for press in during.presses.values()
    ]
    outcome.expect(max(waits) <= LOUD_S, f"an alarm took {max(waits):.1f} s")
    told_s = one.ear.heard_part("notebook", ("down", "degraded"), began_s)
    if loud:
        outcome.expect(told_s is not None, "the notebook's part did not say that it is down")
    early = len(during.written)
    outcome.expect(one.false_written() == 0, f"{one.false_written()} were called written that are not there")
    pause = threading.Event()
    pause.wait(1.0)
    heal()
    healed_s = time.monotonic()
    outcome.expect(one.all_written(during, 20.0), f"{len(during.unwritten)} were never written after healing")
    late_s = max((press.written_s or 0.0) - healed_s for press in during.presses.values())
    outcome.expect(late_s <= HEALED_AIM_S, f"the last was written {late_s:.1f} s after healing")
    outcome.expect(
        one.wait_part("notebook", "ready", patience_s=30.0),
        f"the part stays {one.ear.part('notebook')} after healing",
    )
    after = one.press(10)
    outcome.expect(one.all_written(after), "a press after healing was not written")
    one.restart()
    outcome.expect(one.false_written() == 0, f"{one.false_written()} written and not there after a restart")
    outcome.expect(one.doubled() == 0, f"{one.doubled()} calls count a press twice")
    outcome.counts = (
        f"30 presses meanwhile: alarmed after {max(waits):.2f} s at most, {early} could be written, part told "
        f"{'-' if told_s is None else f'{told_s - began_s:.2f} s'} after; all written {late_s:.2f} s after healing"
    )
    return outcome


def every_place(folder: Path, given: dict[str, int]) -> Outcome:
    """An error at the Nth write and the Nth fsync, N = 1, 2, …; each time the gateway is killed and started anew."""
    places, failures, outcome = given["sweep"], 0, Outcome("")
    worst_ms: list[float] = []
    with hall(folder) as one:
        one.all_written(one.press(3))
        for what, error, torn in (
            ("sync", errno.EIO, 0),
            ("write", errno.EIO, 0),
            ("write", errno.ENOSPC, 1),
        ):
            for place in range(1, places + 1):
                before = one.shim.get(f"{what}s_failed")
                one.shim.set(write_torn=torn)
                one.shim.set(**{f"{what}_errno": error, f"{what}_skip": place - 1, f"{what}_fail": 2})
                pressing = one.press(4, 40.0)
                if not one.all_written(pressing):
                    outcome.bad.append(f"{what} {place} fails: {len(pressing.unwritten)} never written")
                failures += one.shim.get(f"{what}s_failed") - before
                one.shim.set(**{f"{what}_errno": 0})
                worst_ms += [press.waited_ms for press in pressing.written]
                # Killed at once: what was called written must be found by whoever opens the files next.
                one.units.kill("gateway")
                false = one.false_written()
                if false:
                    outcome.bad.append(f"{what} {place} fails: {false} called written and not there")
                _wait_back(one)
        outcome.expect(one.doubled() == 0, f"{one.doubled()} calls count a press twice")
        presses = sum(len(buttons.presses) for buttons in one.buttons)
    outcome.counts = (
        f"{places} places each for fsync EIO, write EIO, write ENOSPC (torn): {failures} failures met, {presses} "
        f"presses, {spread(worst_ms)}"
    )
    return outcome


def _wait_back(one: Hall) -> None:
    one.units.wait_said("gateway", "gateway ready", 1 + _kills(one))


def _kills(one: Hall) -> int:
    return sum(words == "gateway killed" for _, words in one.units.story)


def corrupt_at_start(folder: Path, given: dict[str, int]) -> Outcome:
    """The notebook is damaged while the gateway is down: rubbish, header, a middle page, cut short, its log, empty."""
    counts, outcome = [], Outcome("")
    for how in ("rubbish", "header", "middle page", "cut short", "log", "empty"):
        with hall(folder / how.replace(" ", "-")) as one:
            outcome.expect(one.all_written(one.press(60, 60.0)), f"{how}: not written before the damage")
            _back_up(one)
            outcome.expect(one.all_written(one.press(10, 60.0)), f"{how}: not written after the backup")
            book = one.units.home / "gateway.db"
            # Stopped while it is mended: its unit would start it again under our hands.
            one.units.hold("gateway")
            damage(book, how)
            one.units.let_go("gateway")
            began_s = time.monotonic()
            pressing = one.press(5)
            rung = one.wait_alarmed(pressing)
            outcome.expect(rung, f"{how}: presses do not alarm")
            outcome.expect(one.all_written(pressing), f"{how}: presses are not written afterwards")
            state = one.ear.part("notebook")
            asides = [path.name for path in one.units.home.glob("gateway.db.corrupt-*")]
            # A spoilt log is, to SQLite, the end of it: what was in it alone is gone, and nothing can know of it.
            loud = state != "ready" or how == "log"
            outcome.expect(loud, f"{how}: the old notebook is gone, and nobody is told (put aside: {asides})")
            kept = len({row for row in one.rows() if row[0].startswith("b1-")})
            took_s = max((press.written_s or began_s) for press in pressing.presses.values()) - began_s
            if how != "log":
                outcome.expect(kept == 60, f"{how}: {kept} of 60 presses of before the backup are there")
            lost = f", {kept} of 60 presses of before the backup are there"
            counts.append(f"{how}: back in {took_s:.1f} s, part {state}{lost}")
    outcome.counts = "; ".join(counts)
    return outcome


def _back_up(one: Hall) -> None:
    """What the hourly timer does."""
    words = [sys.executable, "-m", "linli", "backup", "--auto"]
    done = subprocess.run(words, env=one.units.environ, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words} said: {done.stdout}{done.stderr}"


def damage(book: Path, how: str) -> None:
    """Damage a notebook that nobody has open."""
    if how != "log":
        with closing(sqlite3.connect(book)) as writer:
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # or the log would heal the file
    data = bytearray(book.read_bytes())
    match how:
        case "rubbish":
            book.write_bytes(os.urandom(len(data)))
        case "header":
            book.write_bytes(bytes(100) + bytes(data[100:]))
        case "middle page":
            # A page in use (the root of "calls"), or SQLite's check would rightly not mind.
            with closing(sqlite3.connect(f"file:{book}?mode=ro&immutable=1", uri=True)) as reader:
                row = reader.execute("SELECT rootpage FROM sqlite_master WHERE name='calls'").fetchone()
            place = (int(row[0]) - 1) * 4096
            data[place : place + 4096] = os.urandom(4096)
            book.write_bytes(data)
        case "cut short":
            book.write_bytes(data[: len(data) // 2 // 4096 * 4096])
        case "log":
            book.with_name(book.name + "-wal").write_bytes(os.urandom(40_000))
        case "empty":
            book.write_bytes(b"")


def corrupt_under_way(folder: Path, given: dict[str, int]) -> Outcome:
    """Every page but the first of the open notebook turns to rubbish. Presses alarm, then and after a restart."""
    with hall(folder) as one:
        one.all_written(one.press(60, 60.0))
        book = one.units.home / "gateway.db"
        one.units.hold("gateway")
        damage(book, "nothing")
        one.units.let_go("gateway")
        _wait_back(one)
        with book.open("r+b") as handle:
            for page in range(1, book.stat().st_size // 4096):
                handle.seek(page * 4096)
                handle.write(os.urandom(4096))
        outcome = Outcome("")
        during = one.press(10)
        outcome.expect(one.wait_alarmed(during), "a press did not alarm")
        one.all_written(during, 3.0)
        first = f"{len(during.written)} of 10 written, part {one.ear.part('notebook')}"
        one.restart()
        after = one.press(10)
        outcome.expect(one.wait_alarmed(after), "a press did not alarm after the restart")
        lived = one.all_written(after, PATIENCE_S)
        state = one.ear.part("notebook")
        outcome.expect(
            lived, f"{len(after.unwritten)} of 10 were not written after the restart (part {state})"
        )
        outcome.expect(state != "ready", "after the restart nobody is told")
        outcome.counts = (
            f"under way: {first}; after a restart {len(after.written)} of 10 written, part {state}"
        )
        return outcome


def dead_at_start(folder: Path, given: dict[str, int]) -> Outcome:
    """The card cannot be read at start, and comes back later: presses ring from memory, then all is taken up."""
    with hall(folder) as one:
        one.all_written(one.press(10))
        one.shim.set(read_errno=errno.EIO, read_fail=-1)
        one.restart()
        outcome = Outcome("")
        during = one.press(10)
        outcome.expect(one.wait_alarmed(during), "a press did not alarm while the card could not be read")
        outcome.expect(not during.written, f"{len(during.written)} were called written on a dead card")
        told = one.wait_part("notebook", "down")
        outcome.expect(told, f"the part says {one.ear.part('notebook')}")
        one.shim.set(read_errno=0)
        healed_s = time.monotonic()
        outcome.expect(one.all_written(during), "not written after the card came back")
        late_s = max((press.written_s or 0.0) - healed_s for press in during.presses.values())
        outcome.expect(late_s <= HEALED_AIM_S, f"written {late_s:.1f} s after the card came back")
        outcome.expect(one.false_written() == 0, "called written and not there")
        outcome.expect(one.doubled() == 0, "a call counts a press twice")
        kept = len(one.rows())
        outcome.expect(kept == 20, f"{kept} of 20 presses are in the notebook")
        outcome.counts = f"10 pressed meanwhile, all written {late_s:.2f} s after the card came back"
        return outcome
