"""`linli backup` and `linli restore`: the hall's three notebooks and its recordings, whole, to another disk and back.

A backup may be taken while the hall runs. A restore needs the hall to stand still, and keeps three promises that a
plain copy of the files would break:

* Nothing is lost: what was in place is kept aside as ``<name>.before-restore-<moment>``.
* No number is given twice: numbers given since the backup are gathered from what is still readable (the kiosk's
  tickets and the bridge's slips) and written into the kiosk's table ``number_floor``.
* No slip is printed twice, and every new one once: each notebook gets a new epoch, and kiosk.db says which slips were
  in the backup (``meta.restored_slip_id``); the bridge keeps those as settled (``firmware_bridge/jobs.py``).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from devices.clock import wall_ms
from devices.faults import NotWritten, OutsideDown
from gateway.house import House, open_house
from gateway.notebook import Notebook, copy_notebook, open_reader
from gateway.restore import forget_bays
from linli import backup_files

_ROOT = Path(__file__).resolve().parents[1]
#: Each notebook with its migrations and a table that tells it from the others, in the order of putting back: the
#: bridge's comes last, so that a cut of the power in between leaves it beside a kiosk.db it has not met, never beside
#: one whose slips it would print again.
NOTEBOOKS = (
    ("gateway.db", _ROOT / "gateway" / "schema", "bays"),
    ("kiosk.db", _ROOT / "kiosk" / "schema", "slips"),
    ("bridge.db", _ROOT / "firmware_bridge" / "schema", "jobs"),
)
#: The number at the end of a ticket slip's title, as kiosk/rules/queue.py spells it: "排队号 B031".
_SPELLED = re.compile(r"(?:^|\s)([A-Z]+)(\d{3,})$")

#: (business day, letter) -> the largest number given.
Floors = dict[tuple[str, str], int]


def backup(hall_file: str | None, folder: Path) -> int:
    """Copy each notebook into ``folder``. All copies are whole before the first takes its name there.

    :raises LinliFault: there is nothing to copy, or a copy could not be made; older copies there are untouched.
    """
    house = open_house(hall_file)
    _not_the_hall_itself(house, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise OutsideDown(f"{folder} cannot be made: {wrong.strerror}. 无法创建备份目录。") from wrong
    names = [name for name, _, _ in NOTEBOOKS if (house.home / name).exists()]
    if not names:
        raise OutsideDown(f"{house.home}: there is no notebook to copy. Is LINLI_HOME right? 没有可备份的数据。")
    parts = {name: folder / f"{name}.part" for name in names}
    try:
        for name, part in parts.items():
            part.unlink(missing_ok=True)
            # Names of elders and hashes of passwords are in it: made for its owner's eyes before anything is inside.
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            copy_notebook(house.home / name, part)
        kept = backup_files.keep(house.home, folder)
        for name, part in parts.items():
            part.replace(folder / name)
        _sync(folder)
    except OSError as wrong:
        raise OutsideDown(f"{folder} cannot be written: {wrong.strerror}. 无法写入备份目录。") from wrong
    finally:
        for part in parts.values():
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    for name in names:
        print(f"{folder / name}: {(folder / name).stat().st_size / 1e6:.1f} MB, whole   已备份")
    if kept:
        size = sum(one.bytes for one in kept)
        print(f"{folder / backup_files.MANIFEST}: {len(kept)} recordings, {size / 1e6:.1f} MB, whole   录音已备份")
    for name, _, _ in NOTEBOOKS:
        if name not in names:
            print(f"{name}: the hall has none (yet)   尚无此文件")
    return 0


def restore(hall_file: str | None, folder: Path, after: Sequence[str] = ()) -> int:
    """Put the notebooks of ``folder`` in place. Nothing is changed before all of them are found whole.

    :param after: numbers of today that are known from paper ("B031"): the line goes on after them.
    :raises LinliFault: the hall runs, or a backup cannot be used; in both cases nothing was changed.
    """
    house = open_house(hall_file)
    _not_the_hall_itself(house, folder)
    on_paper = _read_numbers(after)
    found = [one for one in NOTEBOOKS if (folder / one[0]).exists()]
    if not found:
        names = ", ".join(name for name, _, _ in NOTEBOOKS)
        raise OutsideDown(f"{folder}: there is no backup here ({names}). 该目录没有备份。")
    now_ms = wall_ms()
    try:
        house.home.mkdir(parents=True, exist_ok=True, mode=0o770)
        with _hall_stands_still(house):
            fresh = {}
            recordings = backup_files.checked(folder)
            try:
                for name, schema, table in found:
                    fresh[name] = _prepare(folder / name, house.home / f"{name}.restoring", schema, table)
                _keep_promises(house, fresh, on_paper, now_ms)
                if "gateway.db" in fresh:
                    _write(fresh["gateway.db"], NOTEBOOKS[0][1], lambda db: forget_bays(db, now_ms))
                # Before the notebooks: a file without its row is only a file that nobody plays.
                laid = backup_files.put_back(folder, house.home, recordings, now_ms)
                backup_files.give(laid, house.home)
                for name in fresh:
                    _put_in_place(house.home / name, fresh[name], now_ms)
            finally:
                for file in house.home.glob("*.restoring*"):
                    file.unlink(missing_ok=True)
            _sync(house.home)
    except OSError as wrong:
        raise OutsideDown(f"{house.home} cannot be written: {wrong}. With sudo? 数据目录不可写。") from wrong
    if recordings:
        print(f"{len(recordings)} recordings: put back   录音已恢复")
    print("Start the hall, then: linli doctor   请启动大厅，然后运行 linli doctor")
    return 0


# ---------------------------------------------------------------- before anything is changed


def _not_the_hall_itself(house: House, folder: Path) -> None:
    if folder.resolve() == house.home.resolve():
        raise OutsideDown(f"{folder} is the hall's own folder: name another one. 不能用大厅自己的数据目录。")


@contextlib.contextmanager
def _hall_stands_still(house: House) -> Iterator[None]:
    """Hold the locks of all three notebooks (gateway/notebook.py): no process of the hall can begin meanwhile."""
    held: list[int] = []
    try:
        for name, _, _ in NOTEBOOKS:
            path = house.home / f"{name}.lock"
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
            held.append(lock)
            _give_to_the_hall(path)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutsideDown(
                    f"the hall is running ({name} is in use): nothing was changed. 大厅正在运行，未作任何更改。\n"
                    "       Stop it first: sudo systemctl stop 'linli-*'   (on a desk: Ctrl-C)"
                ) from None
        yield
    finally:
        for lock in held:
            os.close(lock)


def _prepare(source: Path, copy: Path, schema: Path, table: str) -> Path:
    """A checked copy beside the notebook's place, brought to this version's schema, with an epoch of its own."""
    for left in copy.parent.glob(copy.name + "*"):
        left.unlink()
    copy_notebook(source, copy)
    reader = open_reader(copy)
    try:
        known = reader.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
    finally:
        reader.close()
    if known is None:
        raise OutsideDown(f"{source} is not a hall's {source.name}: nothing was changed. 不是有效的备份。")
    _write_meta(copy, schema, {"epoch": secrets.token_hex(8)})
    return copy


def _keep_promises(house: House, fresh: dict[str, Path], on_paper: dict[str, int], now_ms: int) -> None:
    """Write into the kiosk.db that will be in place which slips are old and which numbers were given."""
    kiosk_schema = NOTEBOOKS[1][1]
    if "kiosk.db" not in fresh and "bridge.db" in fresh and house.kiosk_db.exists():
        # An older bridge.db beside a kiosk.db that went on: it has forgotten what it printed since.
        copy_notebook(house.kiosk_db, house.home / "kiosk.db.restoring")
        fresh["kiosk.db"] = house.home / "kiosk.db.restoring"
        _write_meta(fresh["kiosk.db"], kiosk_schema, {"epoch": secrets.token_hex(8)})
        fresh["bridge.db"] = fresh.pop("bridge.db")  # still the last
    if "kiosk.db" not in fresh:
        return
    zone = ZoneInfo(house.plan.hall.timezone)
    given, readable = _numbers_given(house, fresh, zone)
    today = datetime.fromtimestamp(now_ms / 1000, zone).date().isoformat()
    notebook = Notebook(fresh["kiosk.db"], kiosk_schema)
    try:
        notebook.write(lambda db: _mark_restored(db, given, on_paper, today, now_ms))
    finally:
        notebook.close()
    if not readable and not on_paper:
        print(
            "The kiosk.db that was in place cannot be read (or there was none): numbers given since the backup are\n"
            "  skipped only where bridge.db knows their slips. Look at the last slips on paper; if they are higher,\n"
            "  restore once more with them: linli restore FOLDER --after B031 C007\n"
            "  备份后发出的部分号码无法读取：请核对今天最后的纸质号票，必要时加 --after 再恢复一次。"
        )


def _read_numbers(spelled: Sequence[str]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for one in spelled:
        found = _SPELLED.fullmatch(one.strip().upper())
        if not found:
            raise OutsideDown(f"{one!r} is not a ticket's number, for example B031. 号码格式不对。")
        numbers[found[1]] = max(int(found[2]), numbers.get(found[1], 0))
    return numbers


def _mark_restored(
    db: sqlite3.Connection, given: Floors, on_paper: dict[str, int], today: str, now_ms: int
) -> None:
    (last_day,) = db.execute("SELECT coalesce(max(business_day), '') FROM tickets").fetchone()
    for prefix, number in on_paper.items():
        _raise_to(given, max(today, last_day), prefix, number)
    for (day, prefix), number in given.items():
        if day >= last_day:  # the business day never goes back: earlier ones are over
            db.execute(
                "INSERT INTO number_floor VALUES (?, ?, ?) ON CONFLICT(business_day, prefix)"
                " DO UPDATE SET number = max(number, excluded.number)",
                (day, prefix, number),
            )
    db.execute(
        "INSERT OR REPLACE INTO meta SELECT 'restored_slip_id', CAST(coalesce(max(slip_id), 0) AS TEXT) FROM slips"
    )
    # Who signed out since the backup stays signed out.
    db.execute("UPDATE staff_sessions SET ended_ms = ?, ended_why = 'restored' WHERE ended_ms IS NULL", (now_ms,))


def _numbers_given(house: House, fresh: dict[str, Path], zone: ZoneInfo) -> tuple[Floors, bool]:
    """The largest numbers that anything still readable knows of, and whether the kiosk.db in place was readable."""
    given: Floors = {}
    readable = _gather(house.kiosk_db, _of_tickets, given, zone)
    _gather(house.bridge_db, _of_slips, given, zone)
    if "bridge.db" in fresh:  # copied a moment after its kiosk.db: it may know one slip more
        _gather(fresh["bridge.db"], _of_slips, given, zone)
    return given, readable


def _gather(
    path: Path, ask: Callable[[sqlite3.Connection, Floors, ZoneInfo], None], given: Floors, zone: ZoneInfo
) -> bool:
    """Whether the file was there and readable to its end."""
    if not path.exists():
        return False
    try:
        reader = open_reader(path)
        try:
            ask(reader, given, zone)
        finally:
            reader.close()
    except (NotWritten, sqlite3.Error):
        return False  # exactly what a restore is for; what the others know still counts
    return True


def _of_tickets(reader: sqlite3.Connection, given: Floors, zone: ZoneInfo) -> None:
    for table in ("tickets", "number_floor"):
        if reader.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is None:
            continue  # written by an older Linli
        for day, prefix, number in reader.execute(
            f"SELECT business_day, prefix, max(number) FROM {table} GROUP BY business_day, prefix"
        ):
            _raise_to(given, day, prefix, number)


def _of_slips(reader: sqlite3.Connection, given: Floors, zone: ZoneInfo) -> None:
    """The numbers on slips. Their day is the calendar's, and never goes back, as the kiosk's (rules/queue.py)."""
    day = ""
    for created_ms, title in reader.execute(
        "SELECT created_ms, json_extract(body, '$.title') FROM"
        " (SELECT created_ms, body FROM old_jobs UNION ALL SELECT created_ms, body FROM jobs)"
        " WHERE json_valid(body) AND json_extract(body, '$.kind') = 'ticket' ORDER BY created_ms"
    ):
        day = max(day, datetime.fromtimestamp(created_ms / 1000, zone).date().isoformat())
        if isinstance(title, str) and (found := _SPELLED.search(title)):
            _raise_to(given, day, found[1], int(found[2]))


def _raise_to(given: Floors, day: str, prefix: str, number: int) -> None:
    given[day, prefix] = max(number, given.get((day, prefix), 0))


def _write_meta(path: Path, schema: Path, values: dict[str, str]) -> None:
    _write(path, schema, lambda db: db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items()))


def _write(path: Path, schema: Path, what: Callable[[sqlite3.Connection], object]) -> None:
    notebook = Notebook(path, schema)
    try:
        notebook.write(what)
    finally:
        notebook.close()  # the last one out folds the write-ahead log into the file


# ---------------------------------------------------------------- the change itself


def _put_in_place(place: Path, fresh: Path, now_ms: int) -> None:
    """The old one gets a second name, then its place is taken in one step: no cut of the power leaves it empty."""
    aside = place.with_name(f"{place.name}.before-restore-{now_ms}")
    kept = place.exists()
    if kept:
        os.link(place, aside)
    for tail in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            place.with_name(place.name + tail).rename(aside.with_name(aside.name + tail))
    _sync(fresh)
    _give_to_the_hall(fresh)
    fresh.replace(place)
    print(f"{place}: put back   已恢复" + (f"; the one before is {aside.name}" if kept else ""))


def _give_to_the_hall(path: Path) -> None:
    """What root puts here belongs to whom the folder belongs: the hall's processes must write it."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
        path.chmod(0o660)


def _sync(path: Path) -> None:
    """To the disk, a file or a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
