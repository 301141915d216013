"""Parking sensors without end: a load generator as a process of its own. ``python -m tests.flood --port 1883``.

It speaks MQTT 3.1.1 over one raw socket (TCP_NODELAY, QoS 0) with packets that are almost ready before it begins, so
that it costs the machine under test little (0.1 µs a message beside the system calls; 200,000/s measured). Each bay
tells its state in turn; ``seq`` grows by one with every round, and a bay's state changes about every
``--change-every`` messages, by a seeded dice: the same arguments say the same words in the same order. It says
"flowing" once it is connected, and at its end, as one line of JSON, what it said and how each bay was left::

    {"sent": 50000, "rounds": 100, "seconds": 5.0, "transitions": 2481, "behind_most": 12, "behind_end": 0,
     "reconnects": 0, "cpu_s": 0.05, "started_ns": …, "ended_ns": …, "final": {"flood-0001": true, …}}

``sent`` counts what was said, whether or not a broker that was killed meanwhile took it. ``behind_…`` counts messages
that were due and that the broker did not take yet (its socket was full): with a broker that keeps up it stays below
one slice. ``…_ns`` are CLOCK_MONOTONIC, the same for all processes of a machine.

Paced in slices of ``--slice-ms``; between them it sleeps in ``select``. It ends after ``--seconds``, or, without
that, when its standard input closes; SIGTERM ends it too; either way it reports. ``--stubborn`` connects again when
the broker goes; ``--last-word`` tells every bay's state once more before it ends (QoS 0: what was under way when the
broker was killed is lost, and nobody knows which).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

Json = dict[str, Any]

#: Handed to the socket in one go at most: a broker that was away must not be met with all that it missed in one gulp.
_LARGEST_SLICE = 2000
#: A broker that does not answer CONNECT for so long is not there.
_PATIENCE_S = 5.0
#: Between two attempts to reach a broker that was killed.
_AGAIN_S = 0.05


def bay_ids(bays: int, prefix: str = "flood") -> list[str]:
    """The names of the flood's sensors: flood-0001 …"""
    return [f"{prefix}-{number:04d}" for number in range(1, bays + 1)]


def remaining_length(length: int) -> bytes:
    """MQTT's own way to write a length (3.1.1, section 2.2.3)."""
    coded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        coded.append(digit | (128 if length else 0))
        if not length:
            return bytes(coded)


def connect_packet(client_id: str, keepalive_s: int = 0) -> bytes:
    """CONNECT with a clean session. ``keepalive_s`` 0: we need not speak."""
    name = client_id.encode()
    body = b"\x00\x04MQTT\x04\x02" + struct.pack("!HH", keepalive_s, len(name)) + name
    return b"\x10" + remaining_length(len(body)) + body


def open_line(host: str, port: int, client_id: str) -> socket.socket:
    """A connected, non-blocking MQTT line.

    :raises OSError: nobody there, or no CONNACK, or refused.
    """
    line = socket.create_connection((host, port), _PATIENCE_S)
    try:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(connect_packet(client_id))
        answer = b""
        while len(answer) < 4:
            come = line.recv(4 - len(answer))
            if not come:
                raise ConnectionResetError("the broker hung up at CONNECT")
            answer += come
        if answer[0] != 0x20 or answer[3] != 0:
            raise ConnectionRefusedError(f"CONNACK {answer.hex()}")
    except BaseException:
        line.close()
        raise
    line.setblocking(False)
    return line


class Words:
    """What the bays say, in order: a pure function of its arguments.

    ``take(n)`` is the next n messages as bytes; ``final()`` the state each bay told last.
    """

    def __init__(self, bays: int, *, change_every: int = 20, seed: int = 1, prefix: str = "flood") -> None:
        dice = random.Random(seed)
        boot = f"{dice.getrandbits(64):016x}"
        self.ids = bay_ids(bays, prefix)
        self.seq = 0
        self.said = 0
        self.transitions = 0
        self._dice = dice
        self._change_every = change_every
        self._at = bays
        self._states = [dice.random() < 0.5 for _ in range(bays)]
        self._told: list[bool | None] = [None] * bays
        self._changing: dict[int, list[int]] = defaultdict(list)
        for bay in range(bays):
            self._changing[self._next_change(1)].append(bay)
        self._heads = [
            f"linli/v1/bay/{name}/state".encode() + f'{{"boot":"{boot}","seq":'.encode() for name in self.ids
        ]
        self._topic_lengths = [len(f"linli/v1/bay/{name}/state") for name in self.ids]
        self._tails = [
            {
                state: f',"occupied":{json.dumps(state)},"battery_pct":{60 + bay % 40},"every_s":20}}'.encode()
                for state in (False, True)
            }
            for bay in range(bays)
        ]
        self._digits = 0
        self._framed: list[dict[bool, bytes]] = []
        #: one round, three pieces a message: what comes before seq, seq, what comes after it
        self._pieces: list[bytes] = [b""] * (3 * bays)

    def take(self, count: int) -> bytes:
        """The next ``count`` messages."""
        bays = len(self.ids)
        out = []
        while count > 0:
            if self._at == bays:
                self._begin_round()
            step = min(count, bays - self._at)
            out.append(b"".join(self._pieces[3 * self._at : 3 * (self._at + step)]))
            self._at += step
            self.said += step
            count -= step
        return b"".join(out)

    def last_word(self) -> bytes:
        """The rest of this round and one whole round more, in which nothing changes."""
        rest = self.take(len(self.ids) - self._at)
        self._changing.pop(self.seq + 1, None)
        return rest + self.take(len(self.ids))

    def final(self) -> dict[str, bool]:
        """The state that each bay told last; a bay that has not spoken yet is left out."""
        if not self.seq:
            return {}
        told = [*self._states[: self._at], *self._told[self._at :]]
        return {name: state for name, state in zip(self.ids, told, strict=True) if state is not None}

    def _next_change(self, after: int) -> int:
        return after + self._dice.randint(1, 2 * self._change_every - 1)

    def _begin_round(self) -> None:
        self.seq += 1
        self._at = 0
        self._told = list(self._states) if self.seq > 1 else self._told
        changed = self._changing.pop(self.seq, [])
        for bay in changed:
            self._states[bay] = not self._states[bay]
            self._changing[self._next_change(self.seq)].append(bay)
        self.transitions += len(changed)
        seq = str(self.seq).encode()
        if len(seq) != self._digits:
            self._frame(len(seq))
            changed = list(range(len(self.ids)))
        for bay in changed:
            state = self._states[bay]
            self._pieces[3 * bay] = self._framed[bay][state]
            self._pieces[3 * bay + 2] = self._tails[bay][state]
        self._pieces[1::3] = [seq] * len(self.ids)

    def _frame(self, digits: int) -> None:
        """Only the number of digits of ``seq`` and "true" or "false" change a packet's length."""
        self._digits = digits
        self._framed = [
            {
                state: b"\x30"
                + remaining_length(2 + len(head) + digits + len(tails[state]))
                + struct.pack("!H", topic)
                + head
                for state in (False, True)
            }
            for head, tails, topic in zip(self._heads, self._tails, self._topic_lengths, strict=True)
        ]


class Pump:
    """Keeps the pace, and the line to the broker."""

    def __init__(self, words: Words, host: str, port: int, *, stubborn: bool, name: str) -> None:
        self._words = words
        self._address = (host, port)
        self._stubborn = stubborn
        self._name = name
        self._line: socket.socket | None = None
        self._rest = b""
        self._each = 1
        self.reconnects = 0
        self.ended = False

    def open(self) -> None:
        """Connect; a stubborn pump tries until it succeeds or is ended."""
        while not self.ended:
            try:
                self._line = open_line(*self._address, self._name)
                return
            except OSError:
                if not self._stubborn:
                    raise
                select.select([], [], [], _AGAIN_S)

    def run(self, rate: int, slice_s: float, seconds: float, until_closed: int | None) -> Json:
        """Send ``rate`` messages/s until told to end. ``until_closed``: a file descriptor whose end of file ends it."""
        words = self._words
        began = time.monotonic()
        behind = behind_most = 0
        next_s = began
        watched = [until_closed] if until_closed is not None else []
        while not self.ended and not (seconds and time.monotonic() - began >= seconds):
            due = int((time.monotonic() - began) * rate)
            if due > words.said and not self._rest:
                count = min(due - words.said, _LARGEST_SLICE)
                self._rest = words.take(count)
                self._each = max(1, len(self._rest) // count)
            blocked = not self._push()
            behind = due - words.said + len(self._rest) // self._each
            behind_most = max(behind_most, behind)
            now = time.monotonic()
            next_s = max(next_s + slice_s, now)
            wait_s = slice_s if blocked else 0.0 if behind > _LARGEST_SLICE else next_s - now
            lines = [self._line] if blocked and self._line is not None else []
            readable, _, _ = select.select(watched, lines, [], max(0.0, wait_s))
            if readable and not os.read(readable[0], 1 << 16):
                break
        seconds = time.monotonic() - began
        self._finish()
        return {
            "seconds": round(seconds, 3),
            "behind_most": behind_most,
            "behind_end": behind,
            "started_ns": int(began * 1e9),
        }

    def last_word(self) -> None:
        """Every bay's state once more, as often as it needs a line that holds."""
        self.ended = False  # told to end, we may still have to find the broker
        if self._line is None:
            self.open()
        self._rest = self._words.last_word()
        while not self._finish():
            self._rest = self._words.last_word()

    def close(self) -> None:
        if self._line is not None:
            try:
                self._line.sendall(b"\xe0\x00")
            except OSError:
                pass  # the broker has gone first: then there is nobody to say goodbye to
            self._line.close()

    def _push(self) -> bool:
        """Hand over what is to be sent; False while the socket is full."""
        if not self._rest or self._line is None:
            return True
        try:
            count = self._line.send(self._rest)
        except BlockingIOError:
            return False
        except OSError:
            self._lost()
            return True
        self._rest = self._rest[count:]
        return not self._rest

    def _finish(self) -> bool:
        """A packet that was begun is ended. False: the line broke meanwhile, and a new one is there."""
        reconnects = self.reconnects
        while self._rest and self._line is not None:
            if not self._push():
                select.select([], [self._line], [], 1.0)
        return reconnects == self.reconnects

    def _lost(self) -> None:
        assert self._line is not None
        self._line.close()
        self._line, self._rest = None, b""
        if not self._stubborn:
            raise ConnectionResetError("the broker hung up; --stubborn would try again")
        self.reconnects += 1
        self.open()


class Flood:
    """The flood as a child process, for tests, benches and campaigns.

    :param words: further arguments of this module's command line, as ``("--stubborn", "--bays", "200")``.
    """

    def __init__(self, port: int, rate: int, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.flood", "--port", str(port), "--rate", str(rate), *words],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        if first.strip() != "flowing":
            self._process.communicate()
            raise AssertionError(f"the flood did not begin: {first!r}, status {self._process.returncode}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> Json:
        """End it (it may have ended by itself) and hear its report."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        report = self._process.stdout.read()
        self._process.stdout.close()
        status = self._process.wait(60)
        if status != 0:
            raise AssertionError(f"the flood ended with status {status}")
        told: Json = json.loads(report)
        return told


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.flood", description="Parking messages at a given rate."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="the broker's port")
    parser.add_argument("--rate", type=int, default=1000, help="messages a second, all bays together")
    parser.add_argument("--seconds", type=float, default=0.0, help="0: until standard input closes")
    parser.add_argument("--bays", type=int, default=500)
    parser.add_argument("--prefix", default="flood", help="how the sensors' names begin")
    parser.add_argument("--change-every", type=int, default=20, help="a bay changes about every n messages")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slice-ms", type=float, default=2.0)
    parser.add_argument("--stubborn", action="store_true", help="connect again when the broker goes")
    parser.add_argument(
        "--last-word", action="store_true", help="every bay tells its state once more at the end"
    )
    asked = parser.parse_args(arguments)
    words = Words(asked.bays, change_every=asked.change_every, seed=asked.seed, prefix=asked.prefix)
    pump = Pump(words, asked.host, asked.port, stubborn=asked.stubborn, name=f"flood-{asked.prefix}")

    def end(*_: object) -> None:
        pump.ended = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        pump.open()
    except OSError as wrong:
        print(f"no broker at {asked.host}:{asked.port}: {wrong}", file=sys.stderr)
        return 1
    print("flowing", flush=True)
    report = pump.run(
        asked.rate, asked.slice_ms / 1000, asked.seconds, None if asked.seconds else sys.stdin.fileno()
    )
    if asked.last_word:
        pump.last_word()
    report["ended_ns"] = time.monotonic_ns()
    pump.close()
    report |= {
        "sent": words.said,
        "rounds": words.seq,
        "transitions": words.transitions,
        "reconnects": pump.reconnects,
        "cpu_s": round(time.process_time(), 3),
        "final": words.final(),
    }
    print(json.dumps(report), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
