"""A ticket's paper: its bytes, and how long after the touch its last byte is on a 9600 baud line.

The whole hall runs (``linli run``); its printer is virtual, at the end of a pseudo-terminal that takes 960 bytes a
second. "The last byte": the moment at which the printer's own "done" is in bridge.db; it is said after the last byte,
so the figure is too long by the answer's way back and one commit, never too short.
"""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
import threading
import time

from firmware_bridge.profiles import load_profiles
from tests.bench.figures import percentile
from tests.bench.halls import line
from tests.firmware_bridge.test_ticket_bytes import catalogue, slip, variants, wire
from tests.whole_hall import WholeHall

BAUD = 9600
BAR_BYTES, BAR_MS = 600, 1200.0


def paper(hall: WholeHall) -> None:
    """Bytes of all tickets that can be; then one ticket of each item, in both languages, one after another."""
    for at, what in enumerate(("plain", "with lane and wait", "with three items more")):
        sizes = [
            len(wire(slip(service, lang, **list(variants(service))[at]), profile))
            for service in catalogue().services
            for lang in ("zh", "en")
            for profile in load_profiles().values()
        ]
        print(
            f"  {'ticket ' + what + ', all profiles':<44} p50 {percentile(sizes, 0.5):8.0f} B    "
            f"p99 {percentile(sizes, 0.99):8.0f} B    max {max(sizes):8.0f} B    n {len(sizes):<5} bar ≤ {BAR_BYTES}",
            flush=True,
        )
    _tell(hall, "slow", bps=BAUD)
    codes = [service.code for service in catalogue().services if service.needs_ticket]
    took = [_touch_to_done(hall, code, lang) for lang in ("zh", "en") for code in codes]
    _tell(hall, "slow", bps=0)
    line(f"touch → last byte on the wire at {BAUD} baud", took, f"≤ {BAR_MS:.0f}")


def _tell(hall: WholeHall, what: str, **how: int) -> None:
    with socket.socket(socket.AF_UNIX) as line_to:
        line_to.settimeout(10)
        line_to.connect(str(hall.run_dir / "virtual.sock"))
        line_to.sendall(json.dumps({"id": "1", "device": "printer:hall", "do": what, **how}).encode() + b"\n")
        answer = json.loads(line_to.makefile().readline())
    assert answer["ok"], answer


def _touch_to_done(hall: WholeHall, code: str, lang: str) -> float:
    client = http.client.HTTPConnection("127.0.0.1", hall.http_port, timeout=30)
    began_ms = time.time() * 1000
    words = {"service": code, "key": f"paper-{code}-{lang}", "lang": lang, "screen": f"bench-{code}-{lang}".lower()}
    client.request("POST", "/api/tickets", json.dumps(words), {"Content-Type": "application/json"})
    answer = client.getresponse()
    said = json.loads(answer.read())
    assert answer.status == 201, said
    client.close()
    with sqlite3.connect(f"file:{hall.home}/bridge.db?mode=ro", uri=True) as book:
        while True:
            row = book.execute(
                "SELECT state, changed_ms FROM jobs WHERE created_ms >= ? ORDER BY job_id DESC", (int(began_ms),)
            ).fetchone()
            if row and row[0] not in ("QUEUED", "SENDING"):
                assert row[0] == "PRINTED", row
                return float(row[1]) - began_ms
            threading.Event().wait(0.01)
