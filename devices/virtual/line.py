"""The virtual devices' line to the broker: one MQTT client for all of them, as a radio bridge would have."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

#: Called in the line's own thread with the payload of a message.
Listener = Callable[[bytes], None]


class Line:
    """Publishes, and hands each message to whoever listens to its topic. Reconnects by itself within a second."""

    def __init__(self, host: str, port: int, on_up: Callable[[], None]) -> None:
        self._listeners: dict[str, Listener] = {}
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        client.reconnect_delay_set(1, 1)
        # Without this each press waits 40 ms for nothing: see gateway/broker.py.
        client.on_socket_open = _no_delay
        client.on_connect = self._connected
        client.on_message = self._message
        client.connect_async(host, port, keepalive=10)
        self._client = client
        self._on_up = on_up

    def start(self) -> None:
        self._client.loop_start()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def up(self) -> bool:
        return bool(self._client.is_connected())

    def listen(self, topic: str, listener: Listener) -> None:
        """Must be called before :meth:`start`."""
        self._listeners[topic] = listener

    def say(self, topic: str, words: dict[str, Any], qos: int = 1) -> None:
        """Publish, if there is a line; nothing is queued: a device repeats what matters."""
        if self.up:
            self._client.publish(topic, json.dumps(words, ensure_ascii=False), qos=qos)

    def _connected(self, client: paho.Client, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if not reason.is_failure and self._listeners:
            client.subscribe([(topic, 1) for topic in self._listeners])
            self._on_up()

    def _message(self, _c: paho.Client, _u: Any, message: paho.MQTTMessage) -> None:
        listener = self._listeners.get(message.topic)
        if listener is not None:
            listener(bytes(message.payload))


def _no_delay(_client: paho.Client, _userdata: Any, line: Any) -> None:
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def words_of(payload: bytes) -> dict[str, Any]:
    """A JSON object, or nothing: a virtual device is not broken by what others publish."""
    try:
        words = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return words if isinstance(words, dict) else {}
