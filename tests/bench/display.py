"""How long until the hall display is live again: ``display``. After a restart of the kiosk, and after it answered 503.

A real kiosk process, Chromium on /display. The clock starts when the kiosk answers again (its own word "the faces
are on"; the front before it lets requests through again); at that moment somebody takes a number, and it stops when the
display shows that one more waits. The 503s come from a small front between the two, which cuts every line at first: so
does a kiosk that is updated behind a proxy. A short outage is met by the stream's own second, a long one by its longest
pause, which is ten.
"""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import threading
import time
from pathlib import Path

from playwright.sync_api import Page

from tests.bench.figures import Bar, percentile
from tests.bench.taking import Kiosk
from tests.whole_hall import chromium

#: From the kiosk's return to the number on the display, milliseconds: the project's own bar.
BAR = Bar(20_000.0, "20000")
#: How long it answers 503, seconds: less than the stream's first pauses together, and until each pause is the longest.
SHORT_S, LONG_S = 3.0, 25.0
#: Outages of each kind in one round.
OUTAGES = 3
_REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_SHOWS = "wanted => document.querySelector('[data-total]').textContent === String(wanted)"


class Front:
    """Stands before the kiosk on a port of its own: passes everything on, or answers 503 to everybody."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._refuses = threading.Event()
        self._lines: set[socket.socket] = set()
        front = self

        class OneLine(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                front._serve(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), OneLine)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def refuse(self, on: bool) -> None:
        """503 from now on, on every line; or no more."""
        if not on:
            self._refuses.clear()
            return
        self._refuses.set()
        for line in list(self._lines):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.refuse(True)
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, asker: socket.socket) -> None:
        self._lines.add(asker)
        try:
            if self._refuses.is_set():
                if asker.recv(65536):
                    asker.sendall(_REFUSAL)
                return
            with socket.create_connection(("127.0.0.1", self._behind)) as kiosk:
                self._pass_on(asker, kiosk)
        except OSError:
            pass  # a line that was cut is a line that was cut
        finally:
            self._lines.discard(asker)

    @staticmethod
    def _pass_on(asker: socket.socket, kiosk: socket.socket) -> None:
        while True:
            ready, _, _ = select.select([asker, kiosk], [], [])
            for line in ready:
                data = line.recv(65536)
                if not data:
                    return
                (kiosk if line is asker else asker).sendall(data)


class _Display:
    """The page, and how many wait."""

    def __init__(self, kiosk: Kiosk, page: Page) -> None:
        self._kiosk, self._page = kiosk, page
        self.waiting = 0

    def open(self, port: int) -> None:
        self._page.goto(f"http://127.0.0.1:{port}/display")
        self.live_ms()

    def live_ms(self) -> float:
        """Somebody takes a number now: milliseconds until the display shows it."""
        began_s = time.perf_counter()
        self.waiting += 1
        self._kiosk.connect()
        self._kiosk.take(f"display-{self.waiting}", f"bench-{self.waiting}")
        self._page.wait_for_function(_SHOWS, arg=self.waiting, timeout=120_000)
        return (time.perf_counter() - began_s) * 1000


def display(folder: Path, rounds: int = 3) -> None:
    kiosk = Kiosk(folder / "display")
    kiosk.start()
    with contextlib.ExitStack() as stack:
        stack.callback(kiosk.close)
        front = Front(kiosk.port)
        stack.callback(front.close)
        browser = stack.enter_context(chromium())
        shown = _Display(kiosk, browser.new_page(viewport={"width": 1920, "height": 1080}))
        shown.open(kiosk.port)
        _line("while all is well", [shown.live_ms() for _ in range(5)], None)
        restarts, since_kill = [], []
        for _ in range(rounds * OUTAGES):
            kiosk.line.close()
            killed_s = time.perf_counter()
            kiosk.process.kill()
            kiosk.start()
            away_ms = (time.perf_counter() - killed_s) * 1000
            restarts.append(shown.live_ms())
            since_kill.append(away_ms + restarts[-1])
        _line("a kiosk that was killed is there → live", restarts, BAR)
        _line("killed → live (its own start in it)", since_kill, None)
        shown.open(front.port)
        for seconds in (SHORT_S, LONG_S):
            took = []
            for _ in range(rounds * OUTAGES if seconds == SHORT_S else rounds):
                front.refuse(True)
                threading.Event().wait(seconds)
                front.refuse(False)
                took.append(shown.live_ms())
            _line(f"it answered 503 for {seconds:g} s, and does not → live", took, BAR)


def _line(what: str, values: list[float], bar: Bar | None) -> None:
    p50, p99, most = (percentile(values, share) for share in (0.5, 0.99, 1.0))
    verdict = bar.verdict(most) if bar is not None else ""
    print(f"  {what:<52} p50 {p50:7.0f}  p99 {p99:7.0f}  max {most:7.0f} ms {verdict}  n {len(values)}", flush=True)
