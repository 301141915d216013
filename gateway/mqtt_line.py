"""One connection to the broker: a paho client, driven by the loop's own selector, its socket brought to it open.

Measured or read, each costly to find again (docs/measurements.md):

* TCP_NODELAY on both sides: 42 ms → 1.2 ms press → lamp. Neither paho nor mosquitto sets it by itself.
* ``manual_ack``: PUBACK leaves only after the commit. The broker's own PUBACK to a device proves nothing, so our
  buttons repeat until they hear "written".
* Connecting may wait for seconds (a host that swallows packets, a TLS handshake), so a helper thread does it and
  brings the open socket in by the thread door. Nothing that waits is in the loop.
* An open line that says nothing (a broker that hangs, was killed behind a firewall, or died between accept and
  CONNACK) is given up after 1.5 or 5 s, not after one and a half keepalives: under kills a press waited 8.3 s.
* Messages are cut out of the stream before paho sees them (wire.py): 1.2 us each instead of 12.6.
* MQTT 3.1.1, not 5: mosquitto 2.0.11 lets properties through (a user property with U+FEFF) that paho calls malformed
  and hangs up on; in a persistent session the broker sends that message first again, for ever. In 3.1.1 the broker
  strips properties. The price is that we hear ourselves on ``#``: the entrance drops our own topics.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from devices.clock import mono_ns, mono_s
from devices.plan import Broker as BrokerPlan
from gateway.arrival import ThreadDoor
from gateway.log import say
from gateway.wire import Published, Wire, puback_packet, publish_packet

#: What we promise the broker: it hangs up after one and a half of it. Long, because a hall on a bad card may once be
#: deaf for some seconds; we ask far oftener than that ourselves.
KEEPALIVE_S = 30
#: A line on which nothing has come for so long is asked for a sign of life (PINGREQ) …
ASK_AFTER_S = 2.0
#: … and given up when nothing has come for so long, and since it was asked for the rest of it: where it was we who
#: were stopped, nobody had asked. A broker behind a backlog still says something: only silence counts, not a late
#: answer. (paho's own check waits for the answer alone: a burst made it hang up 27 times.)
SILENT_S = 5.0
#: A connection attempt that takes longer is given up: our choice, twice a bad Wi-Fi's round trip with retries.
CONNECT_TIMEOUT_S = 3.0
#: An open line must have greeted us (CONNACK) after this time.
GREETING_S = 1.5
#: Pauses between attempts grow to this: a broker that comes back is found within half a second.
LONGEST_PAUSE_S = 0.5

Ack = Callable[[], None]
OnMessage = Callable[[Published, Ack | None], None]
OnUp = Callable[[bool, str], None]


class MqttLine:
    """One of the gateway's connections.

    :param name: for the log: "calls" or "telemetry".
    :param topics: what it subscribes to.
    :param lasting: at QoS 1, in a session of its own that the broker keeps while we are away; else at QoS 0 and not.
    :param on_message: called in the loop for each message, with what acknowledges it (None at QoS 0).
    :param on_up: called in the loop when the line comes, or goes and why.
    """

    def __init__(
        self,
        name: str,
        plan: BrokerPlan,
        client_id: str,
        topics: Sequence[str],
        thread_door: ThreadDoor,
        on_message: OnMessage,
        on_up: OnUp,
        will_topic: str = "",
        lasting: bool = True,
    ) -> None:
        self.name = name
        #: it hears: the broker has taken our subscription
        self.up = False
        #: an attempt has failed, once at least
        self.tried = False
        #: it can speak: what the broker kept for us comes before the subscription is confirmed, and wants an answer
        self._greeted = False
        self.reconnects = -1
        self._plan = plan
        self._topics = [(topic, 1 if lasting else 0) for topic in topics]
        self._door = thread_door
        self._on_up = on_up
        self._connecting = False
        self._closing = False
        self._pause_s = 0.1
        self._next_try_s = 0.0
        self._opened_s = 0.0
        self._line: Wire | None = None
        self._why = ""
        #: why the broker sends us away, between its saying so and the end of the line
        self._refusal = ""
        #: when a silent line was asked for a sign of life, monotonic; 0.0: it was not
        self._asked_s = 0.0
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=paho.MQTTv311,
            clean_session=not lasting,
            manual_ack=True,
        )
        client.bring_socket = self._take_socket
        client.max_inflight_messages_set(1000)
        if will_topic:
            client.will_set(will_topic, "offline", qos=1, retain=True)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        self._on_message = on_message
        # paho wants the host before reconnect(); it opens nothing yet.
        client.connect_async(plan.host, plan.port, keepalive=KEEPALIVE_S)
        self._client = client

    # ---------------------------------------------------------------- what the loop calls

    def fileno(self) -> int | None:
        """The socket to watch, or None while there is no line."""
        return None if self._line is None or self._line.fileno() < 0 else self._line.fileno()

    def wants_write(self) -> bool:
        return self._line is not None and (self._line.wants_write or self._client.want_write())

    def read(self, until_ns: int) -> bool:
        """Read packets until there are none, or until this monotonic moment. Returns whether some may be left."""
        line, filled = self._line, False
        try:
            while line is not None:
                while line.take(self._published_to_us):
                    if line.lent():
                        # A packet for paho. It may hang up over it; then this line is no longer ours.
                        self._client.loop_read()
                        if self._line is line and self._client.want_write():
                            self._client.loop_write()  # its answer from within a callback
                        if self._line is not line:
                            return False
                    if mono_ns() >= until_ns:
                        return True
                if filled and not line.more:
                    return False
                filled = line.fill()
                if not filled:
                    return False
        except OSError as wrong:
            self._give_up(str(wrong))
        return False

    def write(self) -> None:
        if self._line is not None:
            self._client.loop_write()
        if self._line is not None:
            self._line.flush()

    def hold(self) -> None:
        """What is told from now on leaves together, at :meth:`let_go`: one packet of TCP, one waking of the broker."""
        if self._line is not None:
            self._line.hold()

    def let_go(self) -> None:
        if self._line is not None:
            self._line.let_go()

    def tick(self, now_s: float) -> None:
        """A few times a second: keepalive, a line that is silent, a new attempt where there is none."""
        if self._line is not None:
            self._look_after(self._line, now_s)
        elif not self._connecting and not self._closing and now_s >= self._next_try_s:
            self._connecting = True
            threading.Thread(target=self._connect, name=f"{self.name}-connector", daemon=True).start()

    def publish(self, topic: str, payload: str, *, qos: int, retain: bool) -> None:
        """While there is no line nothing is queued: every level is told anew when it comes back."""
        if not self._greeted:
            return
        if qos:
            self._client.publish(topic, payload, qos=qos, retain=retain)
        else:
            self.send(publish_packet(topic, payload, retain))

    def send(self, packets: bytes) -> None:
        """Packets at QoS 0: there is nothing to remember, so nothing for paho to do (4 us instead of 40)."""
        if self._greeted and self._line is not None and packets:
            self._line.send(packets)

    def listen(self, on: bool) -> None:
        """Stop listening for a while, or begin again; the line stays open."""
        if self._greeted and on:
            self._client.subscribe(self._topics)
        elif self._greeted:
            self._client.unsubscribe([topic for topic, _ in self._topics])

    def heard_s(self) -> float:
        """When something came last, monotonic; 0.0 where there is no line."""
        return self._line.heard_s if self._line is not None else 0.0

    def close(self, last_words: tuple[str, str] | None = None) -> None:
        """Say goodbye; the session and what it holds stay at the broker."""
        self._closing = True
        if self._greeted:
            if last_words is not None:
                self._client.publish(*last_words, qos=1, retain=True)
            self._client.disconnect()

    # ---------------------------------------------------------------- connecting, beside the loop

    def _connect(self) -> None:
        """In the connector thread: everything that may wait."""
        try:
            # Here and not at the start: a file that is missing must not take hall buttons and console along, and a
            # password that was changed is the next attempt's.
            password = _password(self._plan) if self._plan.username else None
            opened = socket.create_connection((self._plan.host, self._plan.port), CONNECT_TIMEOUT_S)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._plan.tls_ca:
                opened = ssl.create_default_context(cafile=self._plan.tls_ca).wrap_socket(
                    opened, server_hostname=self._plan.host
                )
        except (OSError, ValueError) as wrong:  # ValueError: a name that cannot be one, a password that is no text
            why = str(wrong)
            self._door.knock(lambda: self._attempt_failed(why))
            return
        self._door.knock(lambda: self._attempt_done(opened, password))

    def _attempt_failed(self, why: str) -> None:
        self._connecting = False
        self._pause()
        self._down(why)

    def _attempt_done(self, opened: socket.socket, password: str | None = None) -> None:
        self._connecting = False
        if self._closing:
            opened.close()
            return
        if self._plan.username:
            self._client.username_pw_set(self._plan.username, password)
        self._line = Wire(opened)
        self._opened_s = mono_s()
        self._asked_s = 0.0
        try:
            self._client.reconnect()
        except OSError as wrong:
            self._attempt_failed(str(wrong))

    def _take_socket(self) -> Wire:
        if self._line is None:
            raise OSError("no open line to the broker")
        return self._line

    def _pause(self) -> None:
        self._line = None
        self._greeted = False
        self._next_try_s = mono_s() + self._pause_s
        self._pause_s = min(LONGEST_PAUSE_S, self._pause_s * 2)

    def _look_after(self, line: Wire, now_s: float) -> None:
        """Is somebody there? This line may be dead, whatever TCP believes."""
        if not self._greeted:
            if now_s - self._opened_s > GREETING_S:
                self._give_up("the broker took the connection and does not answer")
            return
        # From here on only silence counts: before it confirms our subscription it may send a long backlog first.
        silent_s = now_s - line.heard_s
        if silent_s < ASK_AFTER_S:
            self._asked_s = 0.0
        elif not self._asked_s:
            self._asked_s = now_s
            line.ask()
        elif now_s - self._asked_s > SILENT_S - ASK_AFTER_S:
            try:
                # It may be we who were deaf: what has come meanwhile lies in the kernel.
                if not line.fill():
                    self._give_up(f"nothing has come for {silent_s:.0f} s")
            except OSError as wrong:
                self._give_up(str(wrong))

    def _give_up(self, why: str) -> None:
        line = self._line
        self._pause()
        if line is not None:
            line.close()
        self._down(f"the line broke: {why}")

    # ---------------------------------------------------------------- what paho says

    def _connected(self, _c: Any, _u: Any, _flags: Any, reason: ReasonCode, _p: Any) -> None:
        if reason.is_failure:
            self._refusal = f"the broker refuses us: {reason}"  # paho hangs up over it
            return
        self._greeted = True
        self._client.subscribe(self._topics)

    def _subscribed(self, _c: Any, _u: Any, _mid: int, reasons: list[ReasonCode], _p: Any) -> None:
        """Only now does the broker send us what devices say: the line is up when it hears, not when it is open."""
        if any(reason.is_failure for reason in reasons):
            # A line that hears nothing is no line.
            self._refusal = "the broker refuses our subscription: check its access list"
            self._client.disconnect()
            return
        self._pause_s = 0.1
        self._why = ""
        if not self.up:
            self.up = True
            self.reconnects += 1
            self._on_up(True, "")

    def _disconnected(self, _c: Any, _u: Any, _flags: Any, reason: ReasonCode, _p: Any) -> None:
        self._pause()
        why, self._refusal = self._refusal or f"the line broke: {reason}", ""
        if not self._closing:
            self._down(why)

    def _down(self, why: str) -> None:
        was_up, self.up, self._greeted, self.tried = self.up, False, False, True
        if was_up or why != self._why:
            self._why = why
            address = f"{self._plan.host}:{self._plan.port}"
            say(
                "broker_down",
                f"broker {address} ({self.name}): {why}; trying again",
                level=logging.WARNING,
                part="broker",
            )
            self._on_up(False, why)

    def _published_to_us(self, message: Published) -> None:
        self._on_message(message, self._ack_of(message.mid) if message.qos else None)

    def _ack_of(self, mid: int) -> Ack:
        line = self._line

        def ack() -> None:
            # A PUBACK belongs to the line that brought the message: on a new one the broker sends it again.
            if line is not None and self._line is line:
                line.send(puback_packet(mid))

        return ack


class _Client(paho.Client):
    """paho with one change: the socket is brought to it already open, because opening one may wait."""

    bring_socket: Callable[[], Wire]

    def _create_socket(self) -> Wire:  # type: ignore[override]
        return self.bring_socket()


def _password(plan: BrokerPlan) -> str | None:
    return Path(plan.password_file).read_text(encoding="utf-8").strip() if plan.password_file else None
