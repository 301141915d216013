"""A busy house: twenty consoles listen, and somebody asks for reports without a pause. Must not reach the lamp.

``python -m tests.bench.crowd PORT COOKIE`` is the crowd, a process of its own, until its standard input closes.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import subprocess
import sys
import threading
from collections import Counter

from tests.bench.figures import Bar
from tests.bench.loop import PRESSES_A_S, Case, Options, print_load, print_sign, run_case
from tests.bench.stage import Stage, stage
from tests.parts import ROOT

CONSOLES = 20
#: The heaviest pages that the kiosk's process has: they are asked in turn, without a pause.
REPORTS = ("/console/journal", "/console/devices", "/console/api/calls", "/api/state", "/healthz")
#: Parking messages a second meanwhile.
PARKING = 500


class Crowd:
    """The crowd as a child process."""

    def __init__(self, hall: Stage) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.crowd", str(hall.http_port), hall.cookie],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == "listening"

    @property
    def pid(self) -> int:
        return self._process.pid

    def disperse(self) -> str:
        """End it; what it says it did."""
        return self._process.communicate("")[0].strip()


def crowd(options: Options) -> None:
    """Presses while twenty consoles listen and reports are drawn: p99 ≤ 20 ms."""
    case, words = Case(), ""
    presses = int(options.seconds * PRESSES_A_S)
    for turn in range(max(1, options.rounds // 2)):
        with stage(options.folder / f"crowd-{turn}", broker=options.broker, faces=True) as hall:
            hall.furnish()
            people = Crowd(hall)
            case.runs.append(
                run_case(
                    hall,
                    PARKING,
                    turn + 1,
                    rate=PRESSES_A_S,
                    presses=presses,
                    console_port=hall.http_port,
                    console_cookie=hall.cookie,
                    beside={"crowd": people.pid},
                )
            )
            words = people.disperse()
    print(
        f" {CONSOLES} consoles and a report query without a pause, beside {PARKING} parking messages/s ({words})"
    )
    for sign in ("lamp", "doorbell", "console"):
        print_sign(case, sign, "", None, Bar(20.0, "20"))
    print_load(case, "")


# ---------------------------------------------------------------- in the crowd's own process


def main() -> int:
    port, cookie = int(sys.argv[1]), {"Cookie": sys.argv[2]}
    counts: Counter[str] = Counter()
    gone = threading.Event()
    lines = [_listen(port, cookie) for _ in range(CONSOLES)]

    def ask() -> None:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while not gone.is_set():
            for page in REPORTS:
                client.request("GET", page, headers=cookie)
                answer = client.getresponse()
                said = answer.read()
                counts["reports" if answer.status == 200 else _refusal(page, answer.status, said)] += 1
        client.close()

    def listen() -> None:
        """One thread for all: what has come is read and thrown away. Who is sent away comes again, as the page does."""
        while not gone.is_set():
            for line in select.select(lines, [], [], 0.2)[0]:
                chunk = line.recv(1 << 16)
                counts["kB heard"] += len(chunk) // 1024
                if not chunk:
                    counts["consoles sent away"] += 1
                    lines[lines.index(line)] = _listen(port, cookie)
                    line.close()

    helpers = [threading.Thread(target=ask), threading.Thread(target=listen)]
    for helper in helpers:
        helper.start()
    print("listening", flush=True)
    sys.stdin.read()
    gone.set()
    for helper in helpers:
        helper.join()
    for line in lines:
        line.close()
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    return 0


def _refusal(page: str, status: int, said: bytes) -> str:
    """What was answered in place of a report, with the reason where there is one."""
    try:
        words = json.loads(said)
    except ValueError:
        words = {}
    parts = words.get("parts", {})
    why = [
        f"{name} {part['state']}: {part['why_en']}"
        for name, part in parts.items()
        if part["state"] != "ready"
    ]
    return f"{page} answered {status}" + (f" ({'; '.join(why)})" if why else "")


def _listen(port: int, cookie: dict[str, str]) -> socket.socket:
    """A console's live stream. HTTP/1.0: it comes as it is, without chunks."""
    line = socket.create_connection(("127.0.0.1", port), 30)
    line.sendall(
        f"GET /console/live HTTP/1.0\r\nHost: 127.0.0.1\r\nCookie: {cookie['Cookie']}\r\n\r\n".encode()
    )
    first = line.recv(12)
    assert first.endswith(b" 200"), first
    return line


if __name__ == "__main__":
    sys.exit(main())
