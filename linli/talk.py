"""Talking to a hall that runs: its ports, its unix sockets, its broker."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from devices.clock import mono_s
from devices.faults import OrderRefused, OutsideDown
from gateway.house import House, open_house

Json = dict[str, Any]

#: Our own processes answer in milliseconds; a Pi that checkpoints a slow card may take a second (our choice).
ANSWER_WITHIN_S = 5.0


def open_running_house(hall_file: str | None = None, environ: Mapping[str, str] = os.environ) -> House:
    """The house as the running `linli run` has it: it may have taken another port for its broker.

    The environment of the caller still comes first.
    """
    house = open_house(hall_file, environ)
    try:
        note = json.loads((house.run_dir / "hall.json").read_text(encoding="utf-8"))
        found = {"LINLI_HTTP_PORT": str(note["http_port"]), "LINLI_MQTT_PORT": str(note["mqtt_port"])}
        if not Path(f"/proc/{int(note['pid'])}").exists():
            return house
    except (OSError, ValueError, KeyError, TypeError):
        return house  # no `linli run` here: the units use the ports of hall.toml
    return open_house(hall_file, {**found, **{name: value for name, value in environ.items() if value}})


class Line:
    """JSON lines over one of our unix sockets (docs/protocol.md, sections 2 and 6).

    :raises OutsideDown: nobody listens there, or nobody answers.
    """

    def __init__(self, path: Path, whose: str) -> None:
        self._whose = whose
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(ANSWER_WITHIN_S)
        try:
            self._socket.connect(str(path))
        except PermissionError as wrong:
            self._socket.close()
            raise OutsideDown(
                f"{path}: you may not talk to {whose}: be in the group linli, or use sudo. 没有权限。"
            ) from wrong
        except OSError as wrong:
            self._socket.close()
            raise OutsideDown(
                f"{path}: {whose} does not listen ({wrong.strerror}). Is the hall running? 没有在运行。"
            ) from wrong
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, **words: object) -> Json:
        """Send one object and return its answer; facts in between are passed over.

        :raises OrderRefused: it answered ``ok: false``.
        """
        self.send(**words)
        while True:
            answer = self.next()
            if answer.get("re") == words.get("id"):
                if answer.get("ok") is not True:
                    raise OrderRefused(str(answer.get("why_zh", "")), str(answer.get("why_en", answer)))
                return answer

    def send(self, **words: object) -> None:
        try:
            self._socket.sendall(json.dumps(words).encode() + b"\n")
        except OSError as wrong:
            raise OutsideDown(f"{self._whose} has hung up: {wrong}") from wrong

    def next(self) -> Json:
        """The next object that comes."""
        try:
            line = self._lines.readline(16_000_000)
        except TimeoutError as wrong:
            raise OutsideDown(
                f"{self._whose} does not answer within {ANSWER_WITHIN_S:.0f} s. 没有回答。"
            ) from wrong
        except OSError as wrong:
            raise OutsideDown(f"{self._whose} has hung up: {wrong}") from wrong
        if not line:
            raise OutsideDown(f"{self._whose} has hung up. 连接已断开。")
        try:
            said = json.loads(line)
        except (ValueError, RecursionError) as wrong:
            raise OutsideDown(f"{self._whose} speaks no JSON: {line[:80]!r}") from wrong
        return said if isinstance(said, dict) else {}

    def wait_at_most(self, timeout_s: float) -> None:
        self._socket.settimeout(max(0.01, timeout_s))


def connect_broker(house: House, who: str) -> mqtt.Client:
    """A client connected to the hall's broker, its loop running in a thread; the caller stops and disconnects it.

    :raises OutsideDown: the broker is not there or does not let us in.
    """
    broker = house.plan.broker
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"{who}-{os.urandom(4).hex()}")
    # Trap 1 of the design: without it every message waits 40 ms.
    client.on_socket_open = _no_delay
    try:
        if broker.username:
            secret = (
                Path(broker.password_file).read_text(encoding="utf-8").strip()
                if broker.password_file
                else None
            )
            client.username_pw_set(broker.username, secret)
        if broker.tls_ca:
            client.tls_set(broker.tls_ca)
        client.connect_timeout = ANSWER_WITHIN_S
        client.connect(broker.host, broker.port, keepalive=10)
    except OSError as wrong:
        raise OutsideDown(
            f"the broker at {broker.host}:{broker.port} cannot be reached: {wrong}. 无法连接消息服务（broker）。"
        ) from wrong
    client.loop_start()
    until_s = mono_s() + ANSWER_WITHIN_S
    while not client.is_connected():
        if mono_s() > until_s:
            client.loop_stop()
            raise OutsideDown(
                f"the broker at {broker.host}:{broker.port} does not let us in: check username and password"
            )
        time.sleep(0.002)
    return client


def _no_delay(_client: object, _data: object, line: Any) -> None:
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def hang_up(client: mqtt.Client) -> None:
    client.disconnect()
    client.loop_stop()
