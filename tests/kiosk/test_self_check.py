"""The kiosk's look at itself: only what a restart can mend may starve systemd's watchdog."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.notebook import Notebook, data_version, open_reader
from kiosk import __main__ as wiring
from kiosk.core import Core
from tests.kiosk.conftest import ROOM


@pytest.fixture
def port(address: str) -> int:
    return int(address.rpartition(":")[2])


def test_all_is_well(core: Core, port: int) -> None:
    assert wiring._self_check(core, "127.0.0.1", port) == ""


def test_a_card_that_is_slow_does_not_starve_the_watchdog_but_a_stuck_writer_does(
    core: Core, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(_notebook: object) -> None:
        inside.set()
        assert go_on.wait(10)

    writing = threading.Thread(target=lambda: core.writer.write(slow))
    writing.start()
    assert inside.wait(5)
    monkeypatch.setattr("kiosk.writer.PATIENCE_S", 0.05)
    assert wiring._self_check(core, "127.0.0.1", port) == ""
    assert core.writer.trouble, "staff are told"
    monkeypatch.setattr(wiring, "STUCK_AFTER_S", 0.01)
    assert "has not answered" in wiring._self_check(core, "127.0.0.1", port)
    monkeypatch.undo()
    go_on.set()
    writing.join(5)
    assert wiring._self_check(core, "127.0.0.1", port) == ""
    assert core.writer.trouble == ""


def test_a_writer_that_has_ended_is_told(core: Core, port: int) -> None:
    core.writer.stop()
    assert wiring._self_check(core, "127.0.0.1", port) == "the kiosk is closing: nothing more is written"


@pytest.fixture
def nonsense_port() -> Iterator[int]:
    """Something answers there, but no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def answer() -> None:
            guest, _ = door.accept()
            with guest:
                guest.recv(4096)
                guest.sendall(b"SSH-2.0-nonsense\r\n")

        threading.Thread(target=answer, daemon=True).start()
        yield int(door.getsockname()[1])


def test_an_answer_that_is_no_http_is_told_and_not_raised(core: Core, nonsense_port: int) -> None:
    told = wiring._self_check(core, "127.0.0.1", nonsense_port)
    assert told.startswith("/livez does not answer: BadStatusLine")


def test_the_trial_of_a_troubled_disk_writes_each_time(tmp_path: Path) -> None:
    """SQLite leaves a page alone that would be overwritten by the same bytes: such a trial would prove nothing."""
    book = Notebook(tmp_path / "kiosk.db", ROOM / "schema")
    reader = open_reader(tmp_path / "kiosk.db")
    versions = set()
    for _ in range(3):
        book.write(wiring._really_write)
        versions.add(data_version(reader))
    assert len(versions) == 3
    reader.close()
    book.close()
