"""What systemd hears of a process: ready, a beat at most every quarter of the watchdog's time, stopping."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from gateway.service import Notifier, begin_notifier


@pytest.fixture
def systemd(tmp_path: Path):
    """systemd's end of the socket; ``heard()`` gives what has come so far."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as here:
        here.bind(str(tmp_path / "notify"))
        here.setblocking(False)
        yield here


@pytest.fixture
def begin():
    """`begin_notifier`, hung up after the test."""
    begun: list[Notifier] = []

    def begin(environ: dict[str, str], **more) -> Notifier:
        begun.append(begin_notifier(environ, **more))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


def heard(systemd: socket.socket) -> list[str]:
    words = []
    while True:
        try:
            words.append(systemd.recv(4096).decode())
        except BlockingIOError:
            return words


def test_the_life_of_a_unit(systemd: socket.socket, begin, tmp_path: Path):
    notifier = begin({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    notifier.ready()
    notifier.status("3 calls\nopen")
    notifier.status("3 calls\nopen")
    notifier.beat()  # no WATCHDOG_USEC: nobody asked for it
    notifier.stopping()
    assert heard(systemd) == ["READY=1", "STATUS=3 calls open", "STOPPING=1"]


def watched(tmp_path: Path, seconds: int) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": str(seconds * 1_000_000)}


def test_a_loop_that_turns_a_thousand_times_a_second_beats_four_times_in_a_watchdogs_time(
    systemd, begin, tmp_path
):
    now_s = 100.0
    notifier = begin(watched(tmp_path, 20), clock=lambda: now_s)
    for _ in range(20_000):
        notifier.beat()
        now_s += 0.001
    assert heard(systemd) == ["WATCHDOG=1"] * 4


def test_a_beat_that_comes_late_is_sent_at_once(systemd, begin, tmp_path: Path):
    now_s = 0.0
    notifier = begin(watched(tmp_path, 20), clock=lambda: now_s)
    notifier.beat()
    now_s = 19.9
    notifier.beat()
    assert heard(systemd) == ["WATCHDOG=1", "WATCHDOG=1"]


def test_on_a_desk_nobody_listens_and_nothing_happens(begin):
    notifier = begin({})
    notifier.ready()
    notifier.beat()
    notifier.stopping()
    assert notifier.unheard == 0


def test_an_abstract_socket_is_systemds_too(begin):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as here:
        here.bind(f"\0linli-test-{os.getpid()}")
        here.setblocking(False)
        begin({"NOTIFY_SOCKET": f"@linli-test-{os.getpid()}"}).ready()
        assert heard(here) == ["READY=1"]


def test_a_watchdog_meant_for_another_process_is_not_ours(systemd, begin, tmp_path: Path):
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}
    begin(environ).beat()
    assert heard(systemd) == []
    begin(environ | {"WATCHDOG_PID": str(os.getpid())}).beat()
    assert heard(systemd) == ["WATCHDOG=1"]


def test_systemd_re_executing_itself_is_counted_not_raised(begin, tmp_path: Path):
    notifier = begin({"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "1000000"})
    notifier.ready()
    notifier.beat()
    assert notifier.unheard == 2
