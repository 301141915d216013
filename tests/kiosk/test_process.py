"""The kiosk as a process: it ends at once, refuses plainly, and loses nothing that it acknowledged."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from linli.broker import free_port

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 20


class Kiosk:
    """One ``python -m kiosk``, its words read line by line."""

    def __init__(self, home: Path, port: int, how: Sequence[str] = ("-m", "kiosk")) -> None:
        environ = {
            **os.environ,
            "LINLI_HOME": str(home),
            "LINLI_HTTP_PORT": str(port),
            "PYTHONPATH": str(ROOT),
        }
        self.port = port
        self.process = subprocess.Popen([sys.executable, *how], env=environ, stderr=subprocess.PIPE, cwd=home)

    def wait_line(self, words: str) -> str:
        seen = b""
        assert self.process.stderr is not None
        while words.encode() not in seen:
            ready, _, _ = select.select([self.process.stderr], [], [], PATIENCE_S)
            assert ready, seen.decode()
            more = os.read(self.process.stderr.fileno(), 4096)
            assert more, seen.decode()
            seen += more
        return seen.decode()

    def door(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()


@contextmanager
def kiosk(home: Path, port: int) -> Iterator[Kiosk]:
    one = Kiosk(home, port)
    try:
        yield one
    finally:
        one.close()


@pytest.fixture
def port() -> int:
    return free_port()


def take(door: http.client.HTTPConnection, key: str) -> str:
    door.request(
        "POST",
        "/api/tickets",
        json.dumps({"service": "ZW-01", "key": key}),
        {"Content-Type": "application/json"},
    )
    return str(json.loads(door.getresponse().read())["number"])


#: The kiosk as ever, and at its end one more word: how many objects the collector was told to leave alone.
WITH_A_LAST_WORD = """
import atexit, gc, sys
atexit.register(lambda: print(f"{gc.get_freeze_count()} objects put aside", file=sys.stderr))
from kiosk.__main__ import main
sys.exit(main([]))
"""


def test_the_collector_does_not_look_at_the_whole_program_again_and_again(tmp_path: Path, port: int) -> None:
    """A full round of it is a tenth of a second in which no console hears a call."""
    one = Kiosk(tmp_path, port, ["-c", WITH_A_LAST_WORD])
    try:
        one.wait_line("the faces are on")
        one.process.send_signal(signal.SIGTERM)
        last_word = one.wait_line("objects put aside").splitlines()[-1]
    finally:
        one.close()
    # Flask, its templates' engine and the catalogue alone are more than fifty thousand.
    assert int(last_word.split()[0]) > 20_000


def test_killed_at_any_moment_it_has_kept_what_it_acknowledged(tmp_path: Path, port: int) -> None:
    """Numbers are taken as fast as they are given; in the middle of it comes kill -9. Then it begins again."""
    acknowledged: dict[str, str] = {}
    with kiosk(tmp_path, port) as first:
        first.wait_line("the faces are on")
        door = first.door()
        try:
            for count in range(10_000):
                acknowledged[f"before-{count}"] = take(door, f"before-{count}")
                if count == 60:
                    first.process.send_signal(signal.SIGKILL)
        except (OSError, http.client.HTTPException):
            pass  # the line was cut, as it should be
        door.close()
    assert len(acknowledged) > 60
    with kiosk(tmp_path, port) as second:
        second.wait_line("the faces are on")
        door = second.door()
        again = {key: take(door, key) for key in acknowledged}
        following = take(door, "after-the-crash")
        door.close()
    assert again == acknowledged, "the same key must still be the same ticket"
    assert following not in acknowledged.values()
    notebook = sqlite3.connect(tmp_path / "kiosk.db")
    tickets, slips = (
        notebook.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("tickets", "slips")
    )
    notebook.close()
    # No hall.toml in this home: a hall without printers writes no slips.
    assert (tickets >= len(acknowledged) + 1, slips) == (True, 0)


def test_asked_to_end_it_ends_within_two_seconds_with_screens_listening(tmp_path: Path, port: int) -> None:
    with kiosk(tmp_path, port) as one:
        one.wait_line("the faces are on")
        doors = [one.door() for _ in range(5)]
        for door in doors:
            door.request("GET", "/live")
            assert door.getresponse().readline() == b"retry: 1000\n"
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(timeout=2) == 0
        one.wait_line("the faces are closed")
        for door in doors:
            door.close()


def test_a_port_that_is_taken_is_named(tmp_path: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with kiosk(tmp_path, port) as one:
            told = one.wait_line("set LINLI_HTTP_PORT")
            assert one.process.wait(timeout=PATIENCE_S) == 1
    assert f"127.0.0.1:{port} cannot be opened (Address already in use)" in told


def test_systemd_is_told_ready_and_fed_and_stopping(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "20000000")
        with kiosk(tmp_path, port) as one:
            heard = [systemd.recv(4096).decode() for _ in range(3)]
            one.process.send_signal(signal.SIGTERM)
            while heard[-1] != "STOPPING=1":
                heard.append(systemd.recv(4096).decode())
    assert heard == ["READY=1", "STATUS=0 screens are listening", "WATCHDOG=1", "STOPPING=1"]
