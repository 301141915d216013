"""The hall's files in a backup: recorded words (``<home>/voice``) and voice notes (``<home>/notes``).

A file there never changes once it is written (its name has a hash or a random part), so it is copied once: a later
backup into the same folder, and each automatic one, links what it has. ``files.json`` names every file with its
SHA-256; a restore believes nothing else. What espeak-ng made (``voice/made``) is made anew and not kept.

A notebook is copied before its files: a row written meanwhile may have one more, never a row without its file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from devices.faults import OutsideDown

FOLDERS = ("voice", "notes")
MANIFEST = "files.json"
#: Made anew where it is missing.
_MADE = PurePosixPath("voice/made")
#: A file that is being written: kiosk/voice writes beside and renames.
_UNFINISHED = (".new", ".part")


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a backup. ``name`` as in "voice/zh/word-please-….wav"."""

    name: str
    bytes: int
    sha256: str


def files_of(home: Path) -> Iterator[tuple[str, Path]]:
    """Name and place of each file to keep; links and what is half written are none."""
    for top in FOLDERS:
        for place, folders, names in os.walk(home / top):
            folders[:] = sorted(
                one
                for one in folders
                if not one.startswith(".") and PurePosixPath(Path(place, one).relative_to(home).as_posix()) != _MADE
            )
            for one in sorted(names):
                file = Path(place, one)
                if one.startswith(".") or one.endswith(_UNFINISHED) or file.is_symlink() or not file.is_file():
                    continue
                yield file.relative_to(home).as_posix(), file


def size_of(home: Path) -> int:
    """Bytes of all of them."""
    total = 0
    for _, file in files_of(home):
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


def keep(home: Path, folder: Path, earlier: Path | None = None) -> list[Kept]:
    """Copy every file into ``folder`` and write its manifest; what ``earlier`` has whole is linked instead.

    A hall without any leaves nothing there. What the folder has and the hall has no more goes: a note that was
    deleted is deleted.

    :raises OSError: the folder cannot be written. What a manifest there names is still whole.
    """
    before = {one.name: one for one in _manifest(folder)}
    elsewhere = {one.name: one for one in _manifest(earlier)} if earlier is not None else {}
    kept = []
    for name, file in files_of(home):
        place = folder / name
        try:
            size = file.stat().st_size
            old = before.get(name)
            if old is not None and old.bytes == size and _is(place, old):
                kept.append(old)
                continue
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            old = elsewhere.get(name)
            if old is not None and earlier is not None and old.bytes == size and _linked(earlier / name, place, old):
                kept.append(old)
                continue
            kept.append(_copied(file, place, name))
        except FileNotFoundError:
            if file.exists():
                raise
            continue  # taken away while we looked: its row is gone, too
    if kept or before:
        _write_manifest(folder, kept)
        _drop_others(folder, {one.name for one in kept})
    return kept


def checked(folder: Path) -> list[Kept]:
    """What the backup's manifest names, each read and found whole. Nothing, where an older Linli wrote it.

    :raises OutsideDown: a file is missing or is another, or the manifest cannot be read.
    """
    kept = _manifest(folder, strict=True)
    for one in kept:
        if not _is(folder / one.name, one):
            raise OutsideDown(
                f"{folder / one.name} is missing or damaged: nothing was changed. To do without the recordings, take "
                f"{MANIFEST} out of that folder. 备份里的录音缺失或损坏，未作任何更改。"
            )
    return kept


def put_back(folder: Path, home: Path, kept: list[Kept], now_ms: int) -> list[Path]:
    """Put each file in its place; another one of its name is kept aside. Gives every path that was made or laid."""
    laid: list[Path] = []
    for one in kept:
        place = home / one.name
        if not place.is_symlink() and _is(place, one):
            continue
        for parent in reversed(place.parent.relative_to(home).parents):
            _make(home / parent, laid)
        _make(place.parent, laid)
        if place.exists() or place.is_symlink():
            place.rename(place.with_name(f".{place.name}.before-restore-{now_ms}"))
        _copied(folder / one.name, place, one.name)
        laid.append(place)
    return laid


# ---------------------------------------------------------------- pieces


def _make(folder: Path, made: list[Path]) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o770)
        made.append(folder)


def _manifest(folder: Path, strict: bool = False) -> list[Kept]:
    """As it stands there. Not ``strict``: what cannot be read is nothing, and all is copied anew."""
    try:
        read = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return [Kept(_safe(name), int(one["bytes"]), str(one["sha256"])) for name, one in read["files"].items()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        if not strict:
            return []
        raise OutsideDown(
            f"{folder / MANIFEST} cannot be read ({wrong}): nothing was changed. 备份清单读不出来，未作任何更改。"
        ) from wrong


def _safe(name: str) -> str:
    """:raises ValueError: a name that leads out of the hall's folders."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or len(path.parts) < 2 or path.parts[0] not in FOLDERS:
        raise ValueError(f"{name!r} is no file of a hall's")
    return name


def _is(file: Path, kept: Kept) -> bool:
    try:
        with file.open("rb") as data:
            return (
                os.fstat(data.fileno()).st_size == kept.bytes
                and hashlib.file_digest(data, "sha256").hexdigest() == kept.sha256
            )
    except OSError:
        return False


def _linked(source: Path, place: Path, kept: Kept) -> bool:
    if not _is(source, kept):
        return False
    try:
        place.unlink(missing_ok=True)
        os.link(source, place)
    except OSError:
        return False  # a stick's file system has no links: copied
    return True


def _copied(source: Path, place: Path, name: str) -> Kept:
    part = place.with_name(f".{place.name}.part")
    part.unlink(missing_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        # A resident's or an elder's voice: for its owner's ears.
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with source.open("rb") as data, os.fdopen(handle, "wb") as out:
            while piece := data.read(1 << 20):
                digest.update(piece)
                out.write(piece)
                size += len(piece)
            out.flush()
            os.fsync(out.fileno())
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
    return Kept(name, size, digest.hexdigest())


def _write_manifest(folder: Path, kept: list[Kept]) -> None:
    part = folder / f".{MANIFEST}.part"
    words = {"v": 1, "files": {one.name: {"bytes": one.bytes, "sha256": one.sha256} for one in kept}}
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as out:
        json.dump(words, out, ensure_ascii=False, indent=1)
        out.flush()
        os.fsync(out.fileno())
    part.replace(folder / MANIFEST)


def _drop_others(folder: Path, names: set[str]) -> None:
    for top in FOLDERS:
        for place, _, files in os.walk(folder / top, topdown=False):
            for one in files:
                if Path(place, one).relative_to(folder).as_posix() not in names:
                    Path(place, one).unlink()
            with contextlib.suppress(OSError):
                os.rmdir(place)  # only where it is empty


def give(paths: list[Path], like: Path) -> None:
    """What root made belongs to whom ``like`` belongs."""
    if os.geteuid() == 0:
        owner = like.stat()
        for one in paths:
            os.chown(one, owner.st_uid, owner.st_gid)
            one.chmod(0o770 if one.is_dir() else 0o660)
