"""Click → hall display: from the console's POST to the number on the displays, over SSE and in a real Chromium.

A kiosk process of its own with four displays and four consoles that listen; a line of forty waits, and before each call
somebody takes a number, so that the line is as long at the end as at the start. The clock starts before the POST is
sent. ``heard`` is when the bytes of `called` have come over a socket; ``drawn`` is when the number stands in the
display's document, ``painted`` two frames later (a screen of 60 Hz: some 33 ms more).
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.figures import Bar, percentile
from tests.bench.hop import Door
from tests.bench.taking import Kiosk
from tests.whole_hall import chromium

CALLS, WAITING = 200, 40
DISPLAYS, CONSOLES = 4, 4
WINDOW = "W2"
BAR = Bar(300.0, "300")

#: Runs in the display: notes when a number is in the document and when it has been painted.
_WATCH = """() => {
  window.seen = {};
  const number = document.querySelector("[data-number]");
  const note = () => {
    const key = number.textContent;
    if (key && !(key in window.seen)) {
      const entry = window.seen[key] = { drawn: performance.timeOrigin + performance.now(), painted: 0 };
      const paint = () => { entry.painted = performance.timeOrigin + performance.now(); };
      requestAnimationFrame(() => requestAnimationFrame(paint));
    }
  };
  new MutationObserver(note).observe(number, { childList: true, characterData: true, subtree: true });
}"""


class Staff:
    """Somebody signed in at a console, who calls."""

    def __init__(self, kiosk: Kiosk) -> None:
        self.door = Door(kiosk.port)
        self.door.begin((kiosk.house.home / "first-admin-token").read_text(encoding="ascii").strip())
        page = self.door.ask("GET", "/console")
        form = page.partition('name="form-token" content="')[2][:64]
        self._head = {
            "Cookie": self.door.cookie(),
            "Origin": f"http://127.0.0.1:{kiosk.port}",
            "X-Form-Token": form,
            "Content-Type": "application/json",
        }
        self.line = http.client.HTTPConnection("127.0.0.1", kiosk.port, timeout=30)

    def click(self, key: str) -> None:
        """Send the order; its answer is not waited for."""
        words = json.dumps({"window_id": WINDOW, "key": key}).encode()
        self.line.request("POST", "/console/api/queue/next", words, self._head)

    def answer(self) -> str:
        """The number that was called."""
        said = self.line.getresponse()
        words = json.loads(said.read())
        assert said.status == 200, words
        return str(words["ticket"]["number"])


def called(folder: Path, calls: int = CALLS) -> None:
    kiosk = Kiosk(folder / "called")
    kiosk.start()
    try:
        staff = Staff(kiosk)
        for number in range(WAITING):
            kiosk.take(f"wait-{number}", f"wait-{number}")
        ears = [_listen(kiosk.port) for _ in range(DISPLAYS)]
        consoles = [staff.door.listen() for _ in range(CONSOLES)]
        first, last, answered = _heard(kiosk, staff, ears, consoles, calls)
        _line("POST → `called` at the first display (SSE)", first, BAR)
        _line(f"POST → `called` at the last of {DISPLAYS}", last, BAR)
        _line("POST → its own answer", answered, None)
        for ear in (*ears, *consoles):
            ear.close()
        drawn, painted = _drawn(kiosk, staff, calls // 2)
        _line("POST → the number in the display (Chromium)", drawn, BAR)
        _line("POST → painted (two frames later)", painted, BAR)
        staff.line.close()
    finally:
        kiosk.close()


def _heard(
    kiosk: Kiosk, staff: Staff, ears: list[socket.socket], consoles: list[socket.socket], calls: int
) -> tuple[list[float], list[float], list[float]]:
    first, last, answered = [], [], []
    everybody = [*ears, *consoles]
    for turn in range(calls):
        kiosk.take(f"next-{turn}", f"next-{turn}")
        _quiet(everybody)
        rest = dict.fromkeys(ears, b"")
        came: list[float] = []
        began_s = time.perf_counter()
        staff.click(f"call-{turn}")
        while rest:
            ready = select.select(everybody, [], [], 10)[0]
            assert ready, f"no display was told; the order was answered {staff.answer()}"
            for ear in ready:
                come = ear.recv(1 << 20)
                assert come, "a display or console was sent away"
                if ear in rest:
                    rest[ear] += come
                    if b"event: called\n" in rest[ear]:
                        came.append((time.perf_counter() - began_s) * 1000)
                        del rest[ear]
        number = staff.answer()
        answered.append((time.perf_counter() - began_s) * 1000)
        assert number
        first.append(came[0])
        last.append(came[-1])
    return first, last, answered


def _drawn(kiosk: Kiosk, staff: Staff, calls: int) -> tuple[list[float], list[float]]:
    drawn, painted = [], []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(f"http://127.0.0.1:{kiosk.port}/display")
        page.evaluate(_WATCH)
        for turn in range(-5, calls):  # the first ones warm the page up
            kiosk.take(f"drawn-{turn}", f"drawn-{turn + 5}")
            began_ms = time.time() * 1000
            staff.click(f"draw-{turn}")
            number = staff.answer()
            entry = page.wait_for_function(
                f"() => window.seen[{json.dumps(number)}]?.painted && window.seen[{json.dumps(number)}]"
            ).json_value()
            if turn >= 0:
                drawn.append(entry["drawn"] - began_ms)
                painted.append(entry["painted"] - began_ms)
    return drawn, painted


def _listen(port: int) -> socket.socket:
    """A display's live line, its first picture read."""
    ear = socket.create_connection(("127.0.0.1", port), 20)
    ear.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ear.sendall(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
    come = b""
    while b"event: state" not in come:
        come += ear.recv(1 << 20)
    ear.setblocking(False)
    return ear


def _quiet(ears: list[socket.socket], for_s: float = 0.06) -> None:
    """Until nobody has been told anything for a moment: the line after the last ticket is told within 50 ms."""
    while ready := select.select(ears, [], [], for_s)[0]:
        for ear in ready:
            ear.recv(1 << 20)


def _line(what: str, values_ms: list[float], bar: Bar | None) -> None:
    p99 = percentile(values_ms, 0.99)
    print(
        f"  {what:<46} p50 {percentile(values_ms, 0.5):7.2f}  p99 {p99:7.2f}  max {max(values_ms):7.2f} ms  "
        f"n {len(values_ms):<4} {'' if bar is None else 'p99 ' + bar.verdict(p99)}",
        flush=True,
    )


#: Printed by ``stuck_printer`` in the same manner.
line: Callable[[str, list[float], Bar | None], None] = _line
