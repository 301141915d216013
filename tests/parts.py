"""Real parts for the tests: a mosquitto, a gateway process, a place at its desk, an MQTT device.

Nothing here sleeps: each ``wait_…`` blocks on the thing itself (a line of output, a message, a socket) and gives up
after ``PATIENCE_S``, long enough for a loaded two-core machine, with the history of what it saw in its message.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from linli.broker import find_mosquitto, free_port, write_conf

PATIENCE_S = 20.0
ROOT = Path(__file__).parent.parent

Json = dict[str, Any]


class Mosquitto:
    """A real broker with the hall's own settings; may be killed and started again on the same port and data."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._conf = write_conf(folder, self.port)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [find_mosquitto(), "-c", str(self._conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: _listens(self.port), lambda: "mosquitto listens")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


class Process:
    """One of our processes, its output read line by line."""

    def __init__(self, module: str, environ: dict[str, str], *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            env={**os.environ, **environ},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self.lines: list[str] = []
        self._new: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))
            self._new.put(line)

    def wait_line(self, words: str, *, exactly: bool = False) -> str:
        """The next line (from now on or already read and not yet waited for) that holds (or is) ``words``."""
        while True:
            try:
                line = self._new.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"no line with {words!r} in:\n" + "\n".join(self.lines)) from None
            if line.strip() == words if exactly else words in line:
                return line

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self._process.kill()
        self.wait()

    def stop(self) -> int:
        """SIGTERM, and its exit status."""
        if self._process.poll() is None:
            self._process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Its exit status, once it has ended and all its lines are read."""
        status = self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status


class Seat:
    """A seat at the gateway's desk: gives orders, hears facts."""

    def __init__(self, path: Path) -> None:
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._line.settimeout(PATIENCE_S)
        self._line.connect(str(path))
        # For reading only: a text file for both throws away what it has read ahead with each write, and facts with it.
        self._words = self._line.makefile("r", encoding="utf-8", newline="\n")
        self.heard: list[Json] = []
        self.snapshot: Json = {}
        self.order("hello", who="test")
        self.snapshot = self.wait_fact("Snapshot")

    def order(self, name: str, /, **fields: object) -> Json:
        """Give an order; its answer. Facts that come in between are kept."""
        self.send({"id": "t", "order": name, **fields})
        while True:
            words = self._read()
            if "re" in words:
                return words
            self.heard.append(words)

    def send(self, words: object) -> None:
        self._line.sendall(((words if isinstance(words, str) else json.dumps(words)) + "\n").encode())

    def wait_fact(self, fact: str, **wanted: object) -> Json:
        """The first fact of this name whose subject has these values."""
        seen: list[Json] = []
        while True:
            words = self.heard.pop(0) if self.heard else self._read()
            seen.append(words)
            if words.get("fact") != fact:
                continue
            subject = next((value for value in words.values() if isinstance(value, dict)), words)
            if all(subject.get(key) == value for key, value in wanted.items()):
                return words if fact == "Snapshot" else subject

    def _read(self) -> Json:
        line = self._words.readline()
        if not line:
            raise AssertionError(f"the gateway hung up; heard {self.heard}")
        words: Json = json.loads(line)
        return words

    def close(self) -> None:
        self._words.close()
        self._line.close()


class Device:
    """An MQTT client that remembers what it hears, as a device would."""

    def __init__(self, port: int, *topics: str) -> None:
        self._messages: queue.Queue[tuple[str, str]] = queue.Queue()
        self.heard: list[tuple[str, str]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        ready = threading.Event()
        # A device that leaves this out waits 40 ms for nothing (Nagle's algorithm and a delayed ACK).
        self._client.on_socket_open = _no_delay
        self._client.on_message = lambda _c, _u, message: self._messages.put(
            (message.topic, message.payload.decode())
        )
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(topic, 1) for topic in topics or ("none",)]
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port, keepalive=5)
        self._client.loop_start()
        assert ready.wait(PATIENCE_S)

    def say(self, topic: str, payload: object, *, qos: int = 1, retain: bool = False) -> None:
        """Publish, and wait for the broker's word (QoS 1)."""
        data = payload if isinstance(payload, bytes | str) else json.dumps(payload)
        self._client.publish(topic, data, qos=qos, retain=retain).wait_for_publish(PATIENCE_S)

    def press(self, device: str, boot: str, seq: int) -> None:
        self.say(f"linli/v1/button/{device}/press", {"boot": boot, "seq": seq, "press": "short"})

    def wait_heard(self, topic: str, **wanted: object) -> Json:
        """The next message on ``topic`` whose JSON has these values."""
        while True:
            try:
                heard = self._messages.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"nothing on {topic} with {wanted}; heard {self.heard}") from None
            self.heard.append(heard)
            if heard[0] != topic:
                continue
            words: Json = json.loads(heard[1])
            if all(words.get(key) == value for key, value in wanted.items()):
                return words

    def take_heard(self, patience_s: float) -> list[tuple[str, str]]:
        """What has come since, or the first that comes within ``patience_s``; may be nothing."""
        taken: list[tuple[str, str]] = []
        try:
            taken.append(self._messages.get(timeout=patience_s))
            while True:
                taken.append(self._messages.get_nowait())
        except queue.Empty:
            return taken

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        # The library's thread may have ended before it said goodbye: then the socket is still open.
        if (line := self._client.socket()) is not None:
            line.close()


class Gateway:
    """A broker and a gateway process on a home of their own."""

    def __init__(self, home: Path, hall_toml: str = "") -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        (home / "hall.toml").write_text(hall_toml, encoding="utf-8")
        self.broker = Mosquitto(home / "mosquitto")
        self.environ = {
            "LINLI_HOME": str(home),
            "LINLI_RUN": str(home / "run"),
            "LINLI_HALL": str(home / "hall.toml"),
            "LINLI_MQTT_PORT": str(self.broker.port),
            "PYTHONUNBUFFERED": "1",
        }
        self._closers: list[Callable[[], object]] = []
        try:
            self.process = self.start()
        except BaseException:
            self.close()  # nobody else would: there is no hall yet to be handed out
            raise

    def start(self) -> Process:
        self.process = Process("gateway", self.environ)
        self.process.wait_line("gateway ready")
        seat = self.seat()
        if not any(part["part"] == "broker" and part["state"] == "ready" for part in seat.snapshot["parts"]):
            seat.wait_fact("PartChanged", part="broker", state="ready")
        return self.process

    def forget_session(self) -> None:
        """Let the broker forget the gateway's sessions: what comes at its next start is only what is retained."""
        for name in ("linli-gateway", "linli-gateway-calls"):
            gone = paho.Client(CallbackAPIVersion.VERSION2, name, clean_session=True)
            done = threading.Event()
            gone.on_connect = lambda *_, done=done: done.set()
            gone.connect("127.0.0.1", self.broker.port)
            gone.loop_start()
            assert done.wait(PATIENCE_S)
            gone.disconnect()
            gone.loop_stop()

    def seat(self) -> Seat:
        seat = Seat(self.home / "run" / "gateway.sock")
        self._closers.append(seat.close)
        return seat

    def device(self, *topics: str) -> Device:
        device = Device(self.broker.port, *topics)
        self._closers.append(device.close)
        return device

    def close(self) -> None:
        for closer in reversed(self._closers):
            closer()
        self.process.stop()
        self.broker.close()


@contextmanager
def gateway(home: Path, hall_toml: str = "") -> Iterator[Gateway]:
    """A running gateway with its broker, ended whatever happens."""
    running = Gateway(home, hall_toml)
    try:
        yield running
    finally:
        running.close()


def _no_delay(_client: paho.Client, _userdata: Any, line: Any) -> None:
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def wait_until(
    condition: Callable[[], bool], what: Callable[[], str], patience_s: float = PATIENCE_S
) -> None:
    """For what cannot tell by itself when it is ready (a foreign program's port, a restarted process)."""
    pause = threading.Event()
    for _ in range(int(patience_s / 0.02)):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError(f"waited {patience_s} s in vain until {what()}")
