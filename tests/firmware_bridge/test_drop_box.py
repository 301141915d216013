"""The technician's drop box: whatever lies in it, it is a slip or it is put aside with words."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from devices.faults import SlipFault
from firmware_bridge.drop_box import DropBox, read_slip
from tests.firmware_bridge.paper_hall import Hall, slip


@pytest.mark.parametrize(
    "text",
    [
        '{"slip_id": -5, "printer": "hall", "body": {"title": "\\ud800"}}',
        '{"slip_id": -5, "printer": "hall", "body": {"\\udfff": 1}}',
        '{"slip_id": -5, "printer": "\\ud800", "body": {}}',
        '{"slip_id": -5, "printer": "hall", "body": ' + '{"a":' * 3000 + "1" + "}" * 3001,
        '{"slip_id": -5, "printer": "hall", "body": {"n": ' + "9" * 5000 + "}}",
        '{"slip_id": 5, "printer": "hall", "body": {}}',
        "[]",
        "",
    ],
    ids=["half a sign", "half a key", "half a name", "deep", "long number", "positive", "list", "empty"],
)
def test_what_is_not_a_slip_is_refused_in_words(tmp_path: Path, text: str) -> None:
    file = tmp_path / "one.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SlipFault, match=r"one\.json: .+"):
        read_slip(file, 1)


def test_a_pipe_in_the_box_makes_nobody_wait(tmp_path: Path) -> None:
    file = tmp_path / "pipe.json"
    os.mkfifo(file)
    before = signal.signal(signal.SIGALRM, _waited)
    signal.alarm(5)
    try:
        with pytest.raises(SlipFault, match=r"pipe\.json: not a plain file"):
            read_slip(file, 1)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _waited(*_: object) -> None:
    raise TimeoutError("it waits for a writer that never comes")


def test_the_oldest_name_comes_first_and_only_slips_are_looked_at(tmp_path: Path) -> None:
    for name in ("-2.json", "-1.json", "-3.new", "-4.bad"):
        (tmp_path / name).touch()
    box = DropBox(tmp_path)
    assert [one.name for one in box.waiting(0)] == ["-1.json", "-2.json"]
    assert box.waiting(100) == [], "twice a second is enough"


def test_a_poisoned_file_is_put_aside_and_the_bridge_lives(hall: Hall) -> None:
    hall.start_bridge()
    box = hall.home / "spool-in"
    box.mkdir()
    (box / "poison.new").write_text('{"slip_id": -5, "printer": "hall", "body": {"title": "\\ud800"}}')
    (box / "poison.new").rename(box / "poison.json")
    hall.wait_said("spool-in: poison.json: ")
    hall.wait_job(hall.order(slip("政务 B001")), "PRINTED")
    assert [one.name for one in box.iterdir()] == ["poison.bad"]
