"""The hop alone: a fact on the gateway's socket → its bytes on a console's live line, through a real kiosk process.

    python -m tests.bench.hop [--consoles 1 20] [--facts 1000] [--every-ms 10] [--bays 3] [--pages] [--locked]

The measuring process plays the gateway (a unix socket that says ``CallChanged``) and all consoles (plain sockets in
one selector, no threads), so both ends of each figure are read from one clock. ``last`` is the time until the last
of them has heard. ``--bays`` tells so many bays directly before each call, ``--pages`` has somebody turn pages
meanwhile, ``--locked`` locks the consoles' screens.
The floor beside it is the same bytes through a process that only hands them on (recv, send).
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import selectors
import socket
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.house import open_house
from linli.broker import free_port
from tests.parts import Process

PASSWORD = "a sentence for the bench"


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def call_fact(rev: int) -> bytes:
    """A press as the gateway tells it: docs/protocol.md, 2."""
    call = {
        "call_id": rev, "state": "HEARD", "kind": "emergency", "device_id": "btn-0302", "device_name": "3栋1单元302",
        "claimed": True, "place": "3栋1单元302", "person": "张奶奶", "presses": 1, "button": 1, "opened_ms": 1,
        "last_press_ms": 1, "accepted_ms": None, "accepted_by": None, "closed_ms": None, "closed_by": None,
        "outcome": None, "note": "", "overdue": False, "written": True, "delayed": False, "doubtful": False,
    }  # fmt: skip
    fact = {"fact": "CallChanged", "rev": rev, "call": call}
    return json.dumps(fact, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def bay_fact(rev: int) -> bytes:
    """One of 500 bays, taken and free in turn."""
    bay = {
        "bay_id": f"bay-{rev % 500:04d}", "zone_id": f"zone-{rev % 4}", "state": "free" if rev // 500 % 2 else "taken",
        "device_id": f"bay-{rev % 500:04d}", "since_ms": 1, "last_seen_ms": 1,
    }  # fmt: skip
    return json.dumps({"fact": "BayChanged", "rev": rev, "bay": bay}, separators=(",", ":")).encode() + b"\n"


SNAPSHOT = {
    "fact": "Snapshot", "rev": 0, "epoch": "e", "now_ms": 1, "calls": [], "zones": [], "bays": [], "devices": [],
    "panels": [], "lamps": {}, "parts": [],
}  # fmt: skip


class Desk:
    """The gateway's place: one kiosk comes, says hello, and is told what we like."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._door.bind(str(path))
        self._door.listen()
        self._door.settimeout(20)

    def welcome(self) -> socket.socket:
        kiosk, _ = self._door.accept()
        kiosk.recv(65536)
        kiosk.sendall(b'{"re":"k-0","ok":true}\n' + json.dumps(SNAPSHOT).encode() + b"\n")
        return kiosk


class Door:
    """A person at the kiosk's HTTP door, with cookies."""

    def __init__(self, port: int) -> None:
        self.port = self._port = port
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> str:
        head = {"Cookie": self.cookie(), "Origin": f"http://127.0.0.1:{self._port}"}
        body = None
        if fields is not None:
            head["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(fields)
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)) as line:
            line.request(method, path, body, head)
            answer = line.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    self.cookies[key] = rest.partition(";")[0]
            return answer.read().decode()

    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def begin(self, token: str) -> None:
        """The first administrator, signed in."""
        page = self.ask("GET", "/console/first")
        form = page.partition('name="form_token" value="')[2][:64]
        self.ask(
            "POST",
            "/console/first",
            {"form_token": form, "token": token, "name": "bench", "password": PASSWORD, "again": PASSWORD},
        )

    def lock(self) -> None:
        page = self.ask("GET", "/console")
        form = page.partition('name="form-token" content="')[2][:64]
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)) as line:
            head = {"Cookie": self.cookie(), "Origin": f"http://127.0.0.1:{self._port}", "X-Form-Token": form}
            line.request("POST", "/console/api/lock", "{}", {**head, "Content-Type": "application/json"})
            assert line.getresponse().status == 200

    def listen(self) -> socket.socket:
        """A live line, its first picture read."""
        ear = socket.create_connection(("127.0.0.1", self._port))
        ear.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ear.sendall(f"GET /console/live HTTP/1.1\r\nHost: x\r\nCookie: {self.cookie()}\r\n\r\n".encode())
        come = b""
        ear.settimeout(20)
        while b"event: picture" not in come:
            come += ear.recv(1 << 20)
        ear.setblocking(False)
        return ear


@contextmanager
def kiosk() -> Iterator[tuple[socket.socket, Door]]:
    """A kiosk process with us as its gateway and an administrator signed in."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {"LINLI_HOME": folder, "LINLI_HTTP_PORT": str(free_port())}
        desk = Desk(open_house(None, {"LINLI_HOME": folder}).gateway_socket)
        process = Process("kiosk", environ)
        try:
            line = desk.welcome()
            process.wait_line("the faces are on")
            door = Door(int(environ["LINLI_HTTP_PORT"]))
            door.begin((Path(folder) / "first-admin-token").read_text(encoding="ascii").strip())
            yield line, door
        finally:
            process.stop()


def measure(
    line: socket.socket, ears: list[socket.socket], facts: int, every_s: float, bays: int = 0
) -> list[list[float]]:
    """For each call, the milliseconds until each ear had heard it. ``bays`` of them are told directly before it."""
    selector = selectors.DefaultSelector()
    for ear in ears:
        selector.register(ear, selectors.EVENT_READ)
    took: list[list[float]] = []
    for number in range(facts):
        rev = (bays + 1) * (number + 1)
        fact, mark = call_fact(rev), f'"call_id":{rev},'.encode()
        if bays:
            line.sendall(b"".join(bay_fact(one) for one in range(rev - bays, rev)))
        rest: dict[socket.socket, bytes] = dict.fromkeys(ears, b"")
        row: list[float] = []
        began = time.perf_counter()
        line.sendall(fact)
        while rest:
            for key, _ in selector.select(10):
                assert isinstance(key.fileobj, socket.socket)
                come = key.fileobj.recv(1 << 20)
                if key.fileobj in rest:
                    rest[key.fileobj] += come
                    if mark in rest[key.fileobj]:
                        row.append((time.perf_counter() - began) * 1000)
                        del rest[key.fileobj]
        took.append(row)
        until = time.perf_counter() + every_s
        while (left := until - time.perf_counter()) > 0:
            for key, _ in selector.select(left):
                assert isinstance(key.fileobj, socket.socket)
                key.fileobj.recv(1 << 20)  # heartbeats
    selector.close()
    return took


def _hand_on(path: str, port: int, ears: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as door:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.connect(path)
        outs = [door.accept()[0] for _ in range(ears)]
        for out in outs:
            out.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while come := line.recv(65536):
            for out in outs:
                out.send(come)


def floor(consoles: int, facts: int, every_s: float, bays: int) -> list[list[float]]:
    """The same bytes through a process that only hands them on."""
    with tempfile.TemporaryDirectory() as folder:
        path, port = f"{folder}/desk", free_port()
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        door.bind(path)
        door.listen()
        process = multiprocessing.get_context("spawn").Process(target=_hand_on, args=(path, port, consoles))
        process.start()
        line, _ = door.accept()
        ears = [socket.create_connection(("127.0.0.1", port)) for _ in range(consoles)]
        for ear in ears:
            ear.setblocking(False)
        took = measure(line, ears, facts, every_s, bays)
        line.close()
        process.join(10)
        return took


def show(what: str, took: list[list[float]]) -> None:
    each, last = [one for row in took for one in row], [row[-1] for row in took]
    print(
        f"  {what:<34} each p50 {percentile(each, 0.5):6.2f}  p99 {percentile(each, 0.99):6.2f} ms"
        f"   last p50 {percentile(last, 0.5):6.2f}  p99 {percentile(last, 0.99):6.2f}  max {max(last):6.2f} ms",
        flush=True,
    )


def turn_pages(door: Door, stop: threading.Event) -> None:
    paths = ("/", "/api/services", "/console", "/console/journal", "/display", "/console/api/calls")
    while not stop.is_set():
        for path in paths:
            door.ask("GET", path)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hop")
    parser.add_argument("--consoles", type=int, nargs="+", default=[1, 20])
    parser.add_argument("--facts", type=int, default=1000)
    parser.add_argument("--every-ms", type=float, default=10)
    parser.add_argument("--bays", type=int, default=0, help="bays told directly before each call")
    parser.add_argument("--pages", action="store_true", help="somebody turns pages meanwhile")
    parser.add_argument("--locked", action="store_true", help="the screens are locked")
    asked = parser.parse_args()
    every_s = asked.every_ms / 1000
    print(f"the hop, desk socket → live line; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for consoles in asked.consoles:
        show(f"floor, {consoles} consoles", floor(consoles, asked.facts, every_s, asked.bays))
        with kiosk() as (line, door):
            ears = [door.listen() for _ in range(consoles)]
            if asked.locked:
                door.lock()
            stop = threading.Event()
            reader = multiprocessing.get_context("fork").Process(target=turn_pages, args=(door, stop))
            if asked.pages:
                reader.start()
            measure(line, ears, 50, every_s, asked.bays)  # the first ones warm caches up
            line.sendall(json.dumps(SNAPSHOT).encode() + b"\n")
            show(f"kiosk, {consoles} consoles", measure(line, ears, asked.facts, every_s, asked.bays))
            if asked.pages:
                reader.kill()
                reader.join()
            for ear in ears:
                ear.close()
            line.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
