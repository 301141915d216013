"""The floor: each step that no design can leave out, measured alone. ``python -m tests.bench.floor`` is its process.

At the presses' own pace (100/s, jittered), because a broker and a disk that are asked without a pause answer faster
than ones that had gone to sleep; what they reach without a pause is printed beside it.
"""

from __future__ import annotations

import json
import os
import random
import select
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.hall.state import Call
from gateway.views import call_json
from tests.bench.figures import Floor, median, percentile
from tests.bench.machine import run_first
from tests.bench.presser import Words
from tests.bench.wire import Line

_SCHEMA = Path(__file__).parent.parent.parent / "gateway" / "schema"
_HOP = "bench/floor"
#: A call as the console hears it.
_CALL = call_json(
    Call(
        7,
        "HEARD",
        "emergency",
        "btn-0302",
        "3栋1单元302",
        True,
        "3栋1单元302",
        "张奶奶",
        1,
        1,
        opened_ms=0,
        last_press_ms=0,
    )
)


def measure_floor(
    folder: Path, port: int, *, seconds: float = 2.0, rate: float = 100.0
) -> tuple[Floor, float]:
    """The floor on this disk and through this broker (to which nothing of ours listens), and a commit without pauses.

    Each of the three steps takes ``seconds``.
    """
    told = _ask(folder, {"port": port, "seconds": seconds, "rate": rate}, {})
    return (
        Floor(tuple(told["hop"]), tuple(told["commit"]), tuple(told["push"])),
        median(told["commit_back_to_back"]),
    )


def measure_commit(folder: Path, environ: dict[str, str], *, seconds: float = 2.0) -> list[float]:
    """A press's commit alone, in an environment of its own (a slowed disk)."""
    commits: list[float] = _ask(folder, {"port": 0, "seconds": seconds, "rate": 20.0}, environ)["commit"]
    return commits


def floor_lines(floors: list[Floor], back_to_back_ms: list[float]) -> list[str]:
    """The floor as it is printed, medians of the rounds."""

    def step(words: str, of: Callable[[Floor], tuple[float, ...]] | None) -> str:
        p50 = median([one.p50_ms if of is None else percentile(of(one), 0.5) for one in floors])
        p99 = median([one.p99_ms if of is None else percentile(of(one), 0.99) for one in floors])
        return f"  floor: {words:<58} p50 {p50:6.2f}  p99 {p99:6.2f} ms"

    return [
        step("broker hop, QoS 1 → QoS 1", lambda one: one.hop_ms),
        step(f"commit of a press (without pauses {median(back_to_back_ms):.2f})", lambda one: one.commit_ms),
        step("one SSE push, socket to socket", lambda one: one.push_ms),
        step("their sum (p99 drawn, not added)", None),
    ]


def _ask(folder: Path, words: dict[str, Any], environ: dict[str, str]) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    said = subprocess.run(
        [sys.executable, "-m", "tests.bench.floor", json.dumps({**words, "folder": str(folder)})],
        cwd=Path(__file__).parent.parent.parent,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    told: dict[str, Any] = json.loads(said)
    return told


# ---------------------------------------------------------------- in the floor's own process


def _paced(seconds: float, rate: float, seed: int, step: Callable[[], None]) -> None:
    dice = random.Random(seed)
    next_s = began_s = time.monotonic()
    while next_s < began_s + seconds:
        next_s += dice.uniform(0.5, 1.5) / rate
        while (left_s := next_s - time.monotonic()) > 0:
            select.select([], [], [], left_s)
        step()


def _hops(port: int, seconds: float, rate: float) -> list[float]:
    out, ear = Line(port, "floor-out"), Line(port, "floor-in", [_HOP])
    took: list[float] = []
    payload = b'{"boot":"00000000bench000","seq":1234,"press":"short"}'

    def hop() -> None:
        began_ns = time.monotonic_ns()
        out.publish(_HOP, payload)
        heard = False
        while not heard:
            ready, _, _ = select.select([out, ear], [], [])
            if ear in ready:
                chunk = ear.recv()
                at_ns = time.monotonic_ns()
                heard = bool(ear.messages(chunk))
            if out in ready:
                out.messages(out.recv())
        took.append((at_ns - began_ns) / 1e6)

    _paced(seconds, rate, 1, hop)
    out.close()
    ear.close()
    return took


def _commits(folder: Path, seconds: float, rate: float) -> tuple[list[float], list[float]]:
    """Paced, and a hundred without pauses. The write-ahead log is moved in between, as an idle gateway does."""
    path = folder / f"floor-{time.monotonic_ns()}.db"
    book = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0"):
        book.execute(f"PRAGMA {pragma}")
    for step in sorted(_SCHEMA.glob("*.sql")):
        book.executescript(step.read_text(encoding="utf-8"))
    took: list[float] = []
    number = 0

    def commit() -> None:
        nonlocal number
        number += 1
        began_ns = time.monotonic_ns()
        book.execute("BEGIN IMMEDIATE")
        book.execute(
            "INSERT INTO calls(call_id, state, kind, device_id, device_name, claimed, place, person, presses, button,"
            " opened_ms, last_press_ms) VALUES (?, 'HEARD', 'emergency', ?, '3栋1单元302', 1, '3栋1单元302',"
            " '张奶奶', 1, 1, ?, ?) ON CONFLICT(call_id) DO UPDATE SET state = excluded.state",
            (number, f"press-{number % 200:04d}", began_ns, began_ns),
        )
        book.execute(
            "INSERT INTO presses(device_id, press_id, call_id, at_ms) VALUES (?, ?, ?, ?)",
            (f"press-{number % 200:04d}", f"00000000bench000:{number}", number, began_ns),
        )
        book.execute(
            "INSERT INTO journal(at_ms, event, subject, actor) VALUES (?, 'Pressed', ?, ?)",
            (began_ns, f"call:{number}", f"press-{number % 200:04d}"),
        )
        book.execute("COMMIT")
        took.append((time.monotonic_ns() - began_ns) / 1e6)
        if number % 125 == 0:
            book.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    _paced(seconds, rate, 2, commit)
    paced = list(took)
    took.clear()
    for _ in range(100):
        commit()
    book.close()
    return paced, took


def _pushes(seconds: float, rate: float) -> list[float]:
    """A child pushes events that carry their time (CLOCK_MONOTONIC is the machine's); we note when they are here."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        child = os.fork()
        if child == 0:
            _push(listener.getsockname()[1], seconds, rate)
            os._exit(0)
        line, _ = listener.accept()
    stream = Words(line, b"\n\n")
    took = []
    while chunk := stream.recv():
        at_ns = time.monotonic_ns()
        for event in stream.words(chunk):
            call = json.loads(event.partition(b"\ndata: ")[2])
            took.append((at_ns - call["opened_ms"]) / 1e6)
    os.waitpid(child, 0)
    line.close()
    return took


def _push(port: int, seconds: float, rate: float) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def push() -> None:
            words = json.dumps(
                {**_CALL, "opened_ms": time.monotonic_ns()}, ensure_ascii=False, separators=(",", ":")
            )
            line.sendall(f"event: call\ndata: {words}\n\n".encode())

        _paced(seconds, rate, 3, push)


def main() -> int:
    run_first()
    asked = json.loads(sys.argv[1])
    seconds, rate = asked["seconds"], asked["rate"]
    told: dict[str, list[float]] = {}
    told["commit"], told["commit_back_to_back"] = _commits(Path(asked["folder"]), seconds, rate)
    if asked["port"]:
        told["hop"] = _hops(asked["port"], seconds, rate)
        told["push"] = _pushes(seconds, rate)
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
