"""What is heard in a hall is in its backup: recorded words and voice notes, each by its own hash."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from linli import backup_files
from linli.__main__ import main
from tests.linli.test_backup import home

__all__ = ["home"]

NOTE, WORD = "notes/4f/4fd1-71a2.opus", "voice/zh/word-please-1763800000000-a1b2c3.wav"


@pytest.fixture
def heard(home: Path) -> Path:
    for name, sound in ((NOTE, b"OggS" + bytes(range(200))), (WORD, b"RIFF" + bytes(3000))):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_bytes(sound)
    (home / "voice" / "made").mkdir()
    (home / "voice" / "made" / "made-anew.wav").write_bytes(b"RIFF")
    (home / "voice" / "zh" / "half.77.new").write_bytes(b"RI")
    return home


def manifest(folder: Path) -> dict[str, dict[str, object]]:
    read: dict[str, dict[str, dict[str, object]]] = json.loads((folder / "files.json").read_text())
    return read["files"]


def test_recordings_are_kept_with_their_hash_and_come_back_as_they_were(heard: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    before = {name: (heard / name).read_bytes() for name in (NOTE, WORD)}
    assert main(["backup", str(stick)]) == 0
    said = manifest(stick)
    assert set(said) == {NOTE, WORD}, "what is made anew and what is half written is none of it"
    assert {name: one["sha256"] for name, one in said.items()} == {
        name: hashlib.sha256(sound).hexdigest() for name, sound in before.items()
    }
    (heard / NOTE).unlink()
    (heard / WORD).write_bytes(b"RIFF, and then the card rotted")
    assert main(["restore", str(stick)]) == 0
    assert {name: (heard / name).read_bytes() for name in before} == before
    (aside,) = (heard / WORD).parent.glob(".*.before-restore-*")
    assert aside.read_bytes().startswith(b"RIFF, and"), "what was in place is kept aside"


def test_what_came_after_the_backup_stays_where_it_is(heard: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    assert main(["backup", str(stick)]) == 0
    newer = heard / "notes" / "later.opus"
    newer.write_bytes(b"OggS later")
    assert main(["restore", str(stick)]) == 0
    assert newer.read_bytes() == b"OggS later"


def test_a_damaged_recording_stops_the_restore_before_anything_is_changed(
    heard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stick = tmp_path / "stick"
    assert main(["backup", str(stick)]) == 0
    sound = bytearray((stick / NOTE).read_bytes())
    sound[40] ^= 1
    (stick / NOTE).write_bytes(sound)
    (heard / WORD).unlink()
    assert main(["restore", str(stick)]) == 1
    said = capsys.readouterr().err
    assert NOTE in said and "nothing was changed" in said and "未作任何更改" in said
    assert not (heard / WORD).exists() and not list(heard.glob("*restor*"))


@pytest.mark.parametrize("name", ["/etc/passwd", "voice/../../x", "gateway.db", "voice", "photos/x.jpg"])
def test_a_manifest_that_leads_out_of_the_hall_is_refused(heard: Path, tmp_path: Path, name: str) -> None:
    stick = tmp_path / "stick"
    assert main(["backup", str(stick)]) == 0
    (stick / "files.json").write_text(json.dumps({"v": 1, "files": {name: {"bytes": 1, "sha256": "0"}}}))
    assert main(["restore", str(stick)]) == 1


def test_the_next_backup_copies_what_is_new_and_drops_what_was_deleted(heard: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    assert main(["backup", str(stick)]) == 0
    kept_inode = (stick / WORD).stat().st_ino
    (heard / NOTE).unlink()
    (heard / "notes" / "new.opus").write_bytes(b"OggS new")
    assert main(["backup", str(stick)]) == 0
    assert set(manifest(stick)) == {WORD, "notes/new.opus"}
    assert not (stick / NOTE).exists(), "a note that was deleted is deleted"
    assert (stick / WORD).stat().st_ino == kept_inode, "what it has is not written again"


def test_hourly_backups_keep_each_recording_once(
    heard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINLI_BACKUPS", str(tmp_path / "hourly"))
    for _ in range(3):
        assert main(["backup", "--auto"]) == 0
    places = sorted((tmp_path / "hourly").glob(f"*/{WORD}"))
    assert len(places) == 3 and len({place.stat().st_ino for place in places}) == 1
    newest = places[-1].parents[2]
    (heard / WORD).unlink()
    assert main(["restore", str(newest)]) == 0
    assert (heard / WORD).read_bytes() == places[0].read_bytes()


def test_a_copy_that_rotted_in_one_set_is_made_anew_in_the_next(
    heard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINLI_BACKUPS", str(tmp_path / "hourly"))
    assert main(["backup", "--auto"]) == 0
    (first,) = (tmp_path / "hourly").glob(f"*/{NOTE}")
    first.write_bytes(bytes(first.stat().st_size))
    assert main(["backup", "--auto"]) == 0
    newest = sorted((tmp_path / "hourly").glob(f"*/{NOTE}"))[-1]
    assert newest.read_bytes() == (heard / NOTE).read_bytes()


def test_a_hall_without_recordings_has_no_manifest(home: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    assert main(["backup", str(stick)]) == 0
    assert sorted(one.name for one in stick.iterdir()) == ["bridge.db", "gateway.db", "kiosk.db"]
    assert backup_files.checked(stick) == []
