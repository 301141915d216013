"""The straight way from the gateway's word to a console's socket, over the kiosk's real door: nobody waits."""

from __future__ import annotations

import fcntl
import json
import socket
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from waitress.channel import HTTPChannel

from kiosk.__main__ import close_door, open_door
from kiosk.live import BEHIND_AT_MOST, Stream
from kiosk.straight import StraightWay
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, ConsoleHall, console_hall
from tests.parts import wait_until

pytestmark = pytest.mark.slow
PATIENCE_S = 20.0


class Console:
    """A console's live line on a plain socket. It reads only when it is told to."""

    def __init__(self, port: int, cookie: str, path: str = "/console/live", version: str = "1.1") -> None:
        self.line = socket.socket()
        # Little room: a console that does not read is behind after some kilobytes, as on a bad wireless network.
        self.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.line.settimeout(PATIENCE_S)
        self.line.connect(("127.0.0.1", port))
        self.line.sendall(f"GET {path} HTTP/{version}\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode())
        self.chunked = version == "1.1"
        self._kept = b""
        self._chunk = 0  # bytes of the chunk under way that were not read yet

    def wait(self, words: str) -> str:
        """All that comes, up to the end of these words."""
        wanted = words.encode()
        while wanted not in self._kept:
            come = self.line.recv(65536)
            if not come:
                raise AssertionError(f"hung up before {words!r}: …{self._kept[-300:]!r}")
            self._kept += come
        head, found, self._kept = self._kept.partition(wanted)
        return (head + found).decode()

    def event(self, name: str) -> Any:
        """The next event, which has to have this name. In HTTP/1.1 what was told together is a chunk of its own."""
        if self.chunked and not self._chunk:
            self._chunk = int(self.wait("\n"), 16)
        said = self.wait("\n\n")
        head, _, data = said.partition("\n")
        assert head == f"event: {name}"
        if self.chunked:
            self._chunk -= len(said.encode())
            if not self._chunk:
                assert self.wait("\n") == "\r\n"
        return json.loads(data.removeprefix("data: "))

    def wait_hung_up(self) -> None:
        """Read what is still on its way, to the end."""
        while True:
            try:
                if not self.line.recv(65536):
                    return
            except ConnectionResetError:
                return


class Served:
    """A hall behind the kiosk's own door."""

    def __init__(self, hall: ConsoleHall) -> None:
        self.hall = hall
        self.server: Any = open_door(hall.core, 0)
        self.port = int(self.server.effective_port)
        self._turning = threading.Thread(target=self.server.run, daemon=True)
        self._turning.start()
        self.cookie = f"linli_staff={hall.accounts.sign_in(ADMIN, ADMIN_PASSWORD, 'here')}"
        self.consoles: list[Console] = []

    def console(self, **more: str) -> Console:
        """One that has drawn its first picture and now waits."""
        console = Console(self.port, self.cookie, **more)
        self.consoles.append(console)
        console.wait("event: state" if "path" in more else "event: picture")
        console.wait("\n\n\r\n" if console.chunked else "\n\n")
        wait_until(lambda: resting(self.hall) == self.hall.hub.listeners, lambda: "its thread rests")
        return console

    def close(self) -> None:
        for one in self.consoles:
            one.line.close()
        close_door(self.hall.core, self.server)


def resting(hall: ConsoleHall) -> int:
    return sum(stream._rests for stream in hall.hub._streams)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with console_hall(tmp_path, heartbeat_s=PATIENCE_S) as hall:
        one = Served(hall)
        yield one
        one.close()


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The events for which a stream's own thread had to be woken."""
    woken: list[str] = []
    as_it_was = Stream.next_told

    def next_told(stream: Stream) -> Any:
        told = as_it_was(stream)
        woken.append(",".join(event for event, _ in told.facts) or "retry")
        return told

    monkeypatch.setattr(Stream, "next_told", next_told)
    return woken


def test_a_screen_that_was_closed_meanwhile_is_cut_without_a_fault() -> None:
    """Whoever opens the next page cuts the screens that have gone; a fault there was that page's 500."""
    pulled: list[str] = []
    channel = SimpleNamespace(socket=socket.socket(), server=SimpleNamespace(pull_trigger=lambda: pulled.append("")))
    way = StraightWay(cast(HTTPChannel, channel), chunked=True)
    channel.socket.close()
    way.cut()
    channel.socket = None
    way.cut()
    assert len(pulled) == 2


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_press_goes_straight_to_every_console(served: Served, woken: list[str], version: str) -> None:
    """No thread is woken for it, and the bytes are a whole answer in either version of HTTP."""
    consoles = [served.console(version=version) for _ in range(3)]
    display = served.console(path="/live", version=version)
    served.hall.gateway.press(7)
    served.hall.gateway.zone("east", free=3)
    for one in consoles:
        call, zone = one.event("call"), one.event("zone")
        assert (call["place"], zone["free"]) == ("3栋1单元302", 3)
    assert display.event("zone")["free"] == 3
    assert woken == ["retry"] * 4


def test_a_press_does_not_let_go_of_the_interpreter_at_each_console(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's own send does, and beside a page each console would wait for that page's turn: it is not used."""
    consoles = [served.console() for _ in range(3)]
    sent: list[HTTPChannel] = []
    as_it_was = HTTPChannel.send

    def send(channel: HTTPChannel, *words: Any, **more: Any) -> int:
        sent.append(channel)
        return int(as_it_was(channel, *words, **more))

    monkeypatch.setattr(HTTPChannel, "send", send)
    served.hall.gateway.press(7)
    assert [one.event("call")["call_id"] for one in consoles] == [7, 7, 7]
    assert sent == []


def test_a_console_that_was_behind_has_heard_everything_whole_and_in_order(served: Served) -> None:
    """The kernel takes a part of an event, then nothing: what is left goes by the slow way, without a seam."""
    behind, quick = served.console(), served.console()
    for number in range(200):
        served.hall.gateway.press(number, note="长" * 3000)
        quick.wait(f'"call_id":{number},')
    assert [behind.event("call")["call_id"] for _ in range(200)] == list(range(200))
    assert served.hall.hub.dropped == 0


def test_each_connection_sends_at_once(served: Served) -> None:
    """40 ms of nothing (the design's first trap) is a matter of one socket option."""
    served.console()
    lines = [one.socket for one in served.server._map.values() if hasattr(one, "requests")]
    assert [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in lines] == [1]


def test_who_locks_a_screen_hears_no_name_from_that_moment_on(served: Served) -> None:
    """The straight way looks at the session each time, so no press after the lock comes unveiled."""
    console = served.console()
    account = served.hall.accounts
    session = account.session(served.cookie.partition("=")[2])
    assert session is not None
    for turn in range(3):
        account.lock(session)
        served.hall.gateway.press(100 * turn, note="心脏支架")
        # With the first event after it the screen hears that it is locked, and all that it may still know.
        said = console.wait("event: picture") + console.wait("\n\n")
        for number in range(1, 20):
            served.hall.gateway.press(100 * turn + number, note="心脏支架")
        said += console.wait(f'"call_id":{100 * turn + 19},')
        assert "心脏支架" not in said
        account.unlock(session, ADMIN_PASSWORD, "here")
        served.hall.gateway.press(100 * turn + 50, note="心脏支架")
        # What it may know again comes with the whole picture.
        assert "心脏支架" in console.wait("event: picture")
        console.wait("\n\n")


def test_a_console_that_reads_nothing_is_cut_off_and_nobody_else_notices(served: Served) -> None:
    """It is frozen (its browser hangs, its network is gone). The gateway can say what it wants; all others hear all."""
    stalled, quick = served.console(), served.console()
    gateway, told = served.hall.gateway, 0
    guest = gateway._guests[0]
    while served.hall.hub.dropped == 0:
        gateway.press(told, note="长" * 3000)
        quick.wait(f'"call_id":{told},')
        unread = fcntl.ioctl(guest, termios.TIOCOUTQ, bytes(4))
        # Less than one of these presses: an answer may just be under way (how many consoles listen).
        assert int.from_bytes(unread, sys.byteorder) < 3000, "at the gateway's end something gathers"
        told += 1
        assert told < 50 * BEHIND_AT_MOST, "it is never found out"
    # The place and the thread of the frozen one are free again at once, not when TCP gives up on it.
    wait_until(lambda: served.server.task_dispatcher.active_count == 1, lambda: "one thread is held, not two")
    assert served.hall.hub.listeners == 1
    stalled.wait_hung_up()
    gateway.press(told)
    quick.wait(f'"call_id":{told},')


def test_who_turns_pages_holds_one_place_and_not_each_that_was_left(served: Served) -> None:
    """Every page of the console listens. The browser hangs up as a page is left; a heartbeat would find it later."""
    for _ in range(5):
        left = served.console()
        left.line.close()
    here = served.console()
    wait_until(lambda: served.server.task_dispatcher.active_count == 1, lambda: "the threads of the five are free")
    assert served.hall.hub.listeners == 1
    served.hall.gateway.press(7)
    here.wait('"call_id":7,')
