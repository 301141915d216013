"""The broker's edge: MQTT in, levels out. One paho client, driven by the loop's own selector.

Measured or read, each costly to find again (docs/measurements.md):

* TCP_NODELAY on both sides: 42 ms → 1.2 ms press → lamp. Neither paho nor mosquitto sets it by itself.
* ``manual_ack``: PUBACK leaves only after the commit. The broker's own PUBACK to a device proves nothing, so our
  buttons repeat until they hear "written".
* Connecting may wait for seconds (a host that swallows packets, a TLS handshake), so a helper thread does it and
  brings the open socket in by the thread door. Nothing that waits is in the loop.
* MQTT 3.1.1, not 5: mosquitto 2.0.11 lets properties through (a user property with U+FEFF) that paho calls malformed
  and hangs up on; in a persistent session the broker sends that message first again, for ever. In 3.1.1 the broker
  strips properties. The price is that we hear ourselves on ``#``: the gateway drops its own topics by their beginning.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from devices.messages import SetLamp, ShowCount
from devices.plan import Broker as BrokerPlan
from gateway.arrival import ThreadDoor
from gateway.log import say
from gateway.views import panel_json

#: The broker is asked for a sign of life at this pace; half of it again and the line counts as dead.
KEEPALIVE_S = 5
#: A connection attempt that takes longer is given up: our choice, twice a bad Wi-Fi's round trip with retries.
CONNECT_TIMEOUT_S = 3.0
#: Pauses between attempts grow to this: a broker that comes back is found within a second.
LONGEST_PAUSE_S = 1.0
#: Packets read in one turn before the other doors get their turn.
PACKETS_A_TURN = 64

OnMessage = Callable[[paho.MQTTMessage], None]


class BrokerEdge:
    """The connection to the broker.

    ``on_message`` is called in the loop for each message; ``on_up(bool, why_zh, why_en)`` when the line comes or
    goes. All methods are the loop's; only the connector thread runs beside it.
    """

    def __init__(
        self,
        plan: BrokerPlan,
        client_id: str,
        thread_door: ThreadDoor,
        on_message: OnMessage,
        on_up: Callable[[bool, str, str], None],
    ) -> None:
        self._plan = plan
        self._door = thread_door
        self._on_up = on_up
        self.connected = False
        self._connecting = False
        self._closing = False
        self._pause_s = 0.1
        self._next_try_s = 0.0
        self._socket: socket.socket | None = None
        self._ready_socket: socket.socket | None = None
        self._why = ""
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=paho.MQTTv311,
            clean_session=False,
            manual_ack=True,
        )
        client.bring_socket = self._take_socket
        client.max_inflight_messages_set(1000)
        if plan.username:
            client.username_pw_set(plan.username, _password(plan))
        client.will_set("linli/v1/gateway/status", "offline", qos=1, retain=True)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_message = lambda _client, _userdata, message: on_message(message)
        # paho wants the host before reconnect(); it opens nothing yet.
        client.connect_async(plan.host, plan.port, keepalive=KEEPALIVE_S)
        self._client = client

    # ---------------------------------------------------------------- what the loop calls

    def fileno(self) -> int | None:
        """The socket to watch, or None while there is no line."""
        return None if self._socket is None or self._socket.fileno() < 0 else self._socket.fileno()

    def wants_write(self) -> bool:
        return bool(self._client.want_write())

    def read(self) -> None:
        """Read what is there, at most PACKETS_A_TURN packets."""
        for _ in range(PACKETS_A_TURN):
            if self._client.loop_read() != paho.MQTT_ERR_SUCCESS or not self._more():
                return

    def write(self) -> None:
        self._client.loop_write()

    def tick(self, now_s: float) -> None:
        """Once a second or oftener: keepalive, and a new attempt where there is no line."""
        if self._socket is not None:
            self._client.loop_misc()
        elif not self._connecting and not self._closing and now_s >= self._next_try_s:
            self._connecting = True
            threading.Thread(target=self._connect, name="broker-connector", daemon=True).start()

    def close(self) -> None:
        """Say goodbye; the session and what it holds stay at the broker."""
        self._closing = True
        if self.connected:
            self._client.publish("linli/v1/gateway/status", "offline", qos=1, retain=True)
            self._client.disconnect()
            self._client.loop_write()

    def ack(self, message: paho.MQTTMessage) -> None:
        if message.qos:
            self._client.ack(message.mid, message.qos)

    # ---------------------------------------------------------------- what is told

    def set_lamp(self, lamp: SetLamp) -> None:
        """A level, retained: told again at any time."""
        if ":" in lamp.device_id or any(sign in lamp.device_id for sign in "+#/\x00"):
            return  # bought devices and screens (docs/protocol.md) have no lamp that listens to us
        self._level(
            f"linli/v1/lamp/{lamp.device_id}/set",
            {"light": lamp.light, "call_id": lamp.call_id, "since_ms": lamp.since_ms},
        )

    def show_count(self, count: ShowCount) -> None:
        """A level, retained."""
        self._level(f"linli/v1/panel/{count.panel}/text", panel_json(count))

    def tell_written(self, device_id: str, boot: str, seq: int) -> None:
        """This press is on disk. Not retained: it belongs to one press."""
        if self.connected:
            self._client.publish(
                f"linli/v1/button/{device_id}/written", json.dumps({"boot": boot, "seq": seq}), qos=1
            )

    def _level(self, topic: str, payload: dict[str, Any]) -> None:
        # While there is no line nothing is queued: every level is told anew when it comes back.
        if self.connected:
            self._client.publish(topic, json.dumps(payload, ensure_ascii=False), qos=1, retain=True)

    # ---------------------------------------------------------------- connecting, beside the loop

    def _connect(self) -> None:
        """In the connector thread: everything that may wait."""
        opened: socket.socket | None = None
        try:
            opened = socket.create_connection((self._plan.host, self._plan.port), CONNECT_TIMEOUT_S)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._plan.tls_ca:
                opened = ssl.create_default_context(cafile=self._plan.tls_ca).wrap_socket(
                    opened, server_hostname=self._plan.host
                )
        except (OSError, ssl.SSLError) as wrong:
            why = str(wrong)
            self._door.knock(lambda: self._attempt_failed(why))
            return
        self._door.knock(lambda: self._attempt_done(opened))

    def _attempt_failed(self, why: str) -> None:
        self._connecting = False
        self._pause()
        self._down(why)

    def _attempt_done(self, opened: socket.socket) -> None:
        self._connecting = False
        if self._closing:
            opened.close()
            return
        self._ready_socket = opened
        self._socket = opened
        try:
            self._client.reconnect()
        except OSError as wrong:
            self._attempt_failed(str(wrong))

    def _take_socket(self) -> socket.socket:
        if self._ready_socket is None:
            raise OSError("no open line to the broker")
        opened, self._ready_socket = self._ready_socket, None
        return opened

    def _pause(self) -> None:
        self._socket = None
        self._next_try_s = time.monotonic() + self._pause_s
        self._pause_s = min(LONGEST_PAUSE_S, self._pause_s * 2)

    def _connected(self, _c: Any, _u: Any, _flags: Any, reason: ReasonCode, _p: Any) -> None:
        if reason.is_failure:
            self._down(f"the broker refuses us: {reason}")
            return
        self._pause_s, self._why = 0.1, ""
        self.connected = True
        self._client.subscribe([(topic, 1) for topic in self._plan.listen])
        self._client.publish("linli/v1/gateway/status", "online", qos=1, retain=True)

    def _subscribed(self, _c: Any, _u: Any, _mid: int, reasons: list[ReasonCode], _p: Any) -> None:
        """Only now does the broker send us what devices say: the line is up when it hears, not when it is open."""
        if any(reason.is_failure for reason in reasons):
            self._down("the broker refuses our subscription: check its access list")
            return
        self._on_up(True, "", "")

    def _disconnected(self, _c: Any, _u: Any, _flags: Any, reason: ReasonCode, _p: Any) -> None:
        self._pause()
        if not self._closing:
            self._down(f"the line broke: {reason}")

    def _down(self, why: str) -> None:
        was_up, self.connected = self.connected, False
        if was_up or why != self._why:
            self._why = why
            address = f"{self._plan.host}:{self._plan.port}"
            say("broker_down", f"broker {address}: {why}; trying again", level=logging.WARNING, part="broker")
            self._on_up(
                False,
                f"消息服务器 {address} 连不上：呼叫按钮和车位暂时收不到，取号和窗口照常；请检查 mosquitto 是否在运行",
                f"broker {address} cannot be reached ({why}): call buttons and bays are not heard, tickets and windows "
                "go on; check that mosquitto runs",
            )

    def _more(self) -> bool:
        """Is another packet waiting? One peek is cheaper than a turn of the loop."""
        line = self._socket
        if line is None or line.fileno() < 0:
            return False
        if isinstance(line, ssl.SSLSocket):
            return line.pending() > 0
        try:
            return bool(line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return False
        except OSError:
            return True  # let paho meet the error and tell us properly


class _Client(paho.Client):
    """paho with one change: the socket is brought to it already open, because opening one may wait."""

    bring_socket: Callable[[], socket.socket]

    def _create_socket(self) -> socket.socket:
        return self.bring_socket()


def _password(plan: BrokerPlan) -> str | None:
    return Path(plan.password_file).read_text(encoding="utf-8").strip() if plan.password_file else None
