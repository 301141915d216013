"""The broker's edge: three connections in, levels out.

*Calls* come by a connection of their own, which the loop reads first: however much telemetry waits, at the broker, in
the kernel or here, a press is behind none of it, and telemetry cannot fill the window in which a press waits for the
disk. *Telemetry* has the second. The third hears *strangers* (``#``), so that what nobody knows is counted and named;
it hears the others' words too, lets them pass, and falls silent for a minute when it has much to hear.

Measured (2 cores, 30,000 parking messages/s): two connections p50 0.81, p99 8.7 ms; one 1.11 and 10.8 ms. Up to
10,000/s there is no difference: the second connection is insurance. The strangers' is at QoS 0 because mosquitto writes
its whole file at each PUBACK that it gets: a copy of each press at QoS 1 made half of its work.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Sequence

import paho.mqtt.client as paho

from devices.messages import SayTo, SetLamp, ShowCount
from devices.plan import Broker as BrokerPlan
from gateway.arrival import ThreadDoor
from gateway.log import say_once
from gateway.mqtt_line import Ack, MqttLine, OnMessage
from gateway.views import panel_json
from gateway.wire import Published, publish_packet

#: Messages in a second, the copies of others' included, beyond which strangers are not listened to: a hall says some
#: ten, a flood thousands, and each costs the loop and the broker its share.
STRANGERS_A_SECOND = 250
#: For how long.
PAUSE_S = 60.0
#: Made once: `json.dumps` with settings of its own makes an encoder each time.
_encode = json.JSONEncoder(ensure_ascii=False).encode
#: What an id with a lamp of ours never has: the colon of a bought device, the signs that mean something in a topic.
_NO_LAMP = re.compile(r"[:+#/\x00]")


class Broker:
    """The connections, and what is told over MQTT. All methods are the loop's.

    :param from_known: takes what comes by the connections for calls and for telemetry ...
    :param from_strangers: ... and what comes by the third.
    :param on_up: called when the broker can be heard (all connections), or not, with words for the person on duty.
    """

    def __init__(
        self,
        plan: BrokerPlan,
        thread_door: ThreadDoor,
        from_known: OnMessage,
        from_strangers: OnMessage,
        on_up: Callable[[bool, str, str], None],
    ) -> None:
        self._plan = plan
        self._on_up = on_up
        self._told_up: bool | None = None
        self._from_strangers = from_strangers
        self._strangers_heard = 0
        self._strangers_second = 0
        self._silent_until_s = 0.0
        #: how often strangers were not listened to
        self.pauses = 0
        self.calls = MqttLine(
            "calls",
            plan,
            "linli-gateway-calls",
            plan.calls,
            thread_door,
            from_known,
            self._line_changed,
            will_topic="linli/v1/gateway/status",
        )
        self.telemetry = MqttLine(
            "telemetry", plan, "linli-gateway", plan.telemetry, thread_door, from_known, self._line_changed
        )
        self.strangers = MqttLine(
            "strangers",
            plan,
            "linli-gateway-ears",
            plan.listen,
            thread_door,
            self._stranger,
            self._line_changed,
            lasting=False,
        )

    @property
    def lines(self) -> Sequence[MqttLine]:
        return (self.calls, self.telemetry, self.strangers)

    def is_known_topic(self, topic: str) -> bool:
        """Whether one of the first two connections brings this topic."""
        return any(
            paho.topic_matches_sub(pattern, topic) for pattern in (*self._plan.calls, *self._plan.telemetry)
        )

    def tick(self, now_s: float) -> None:
        self.calls.tick(now_s)
        self.telemetry.tick(now_s)
        # The strangers' line comes last: what it hears of the others' words, they have heard before.
        if self.calls.up and self.telemetry.up:
            self.strangers.tick(now_s)
        if self._silent_until_s and not self.strangers.up:
            self._silent_until_s = 0.0  # a new line listens from the beginning
        elif self._silent_until_s and now_s >= self._silent_until_s:
            self._silent_until_s = 0.0
            self.strangers.listen(True)

    def close(self) -> None:
        self.strangers.close()
        self.telemetry.close()
        self.calls.close(("linli/v1/gateway/status", "offline"))

    def statistics(self) -> dict[str, object]:
        """docs/protocol.md, `lines`."""
        lines: dict[str, dict[str, object]] = {
            line.name: {"up": line.up, "reconnects": max(0, line.reconnects)} for line in self.lines
        }
        lines["strangers"]["pauses"] = self.pauses
        return {**lines}

    # ---------------------------------------------------------------- strangers

    def _stranger(self, message: Published, ack: Ack | None) -> None:
        if not message.retain:
            heard_s = self.strangers.heard_s()
            if int(heard_s) != self._strangers_second:
                self._strangers_second, self._strangers_heard = int(heard_s), 0
            self._strangers_heard += 1
            if self._strangers_heard > STRANGERS_A_SECOND and not self._silent_until_s:
                self._silent_until_s = heard_s + PAUSE_S
                self.pauses += 1
                self.strangers.listen(False)
                say_once(
                    "strangers",
                    "strangers",
                    f"more than {STRANGERS_A_SECOND} messages a second: for {PAUSE_S:.0f} s nobody listens to topics "
                    "that hall.toml does not name; buttons and sensors on those that it names are heard as ever",
                    level=logging.INFO,
                )
        self._from_strangers(message, ack)

    # ---------------------------------------------------------------- what is told

    # At QoS 0: who was away finds a level retained, when our line was broken all levels are told anew, and a button
    # that has not heard "written" asks again after a second.

    @staticmethod
    def lamp_words(lamp: SetLamp) -> bytes:
        """A level, retained: told again at any time."""
        if _NO_LAMP.search(lamp.device_id):
            return b""  # bought devices and screens (docs/protocol.md) have no lamp that listens to us
        # Written out sign by sign, as "written" is: the encoder is quick with a word, and makes itself anew for a dict.
        words = f'{{"light":{_encode(lamp.light)},"call_id":{lamp.call_id},"since_ms":{lamp.since_ms}}}'
        return publish_packet(f"linli/v1/lamp/{lamp.device_id}/set", words, retain=True)

    @staticmethod
    def written_words(device_id: str, boot: str, seq: int) -> bytes:
        """This press is on disk."""
        words = f'{{"boot":{_encode(boot)},"seq":{seq}}}'
        return publish_packet(f"linli/v1/button/{device_id}/written", words, retain=False)

    def show_count(self, count: ShowCount) -> None:
        """A level, retained."""
        topic = f"linli/v1/panel/{count.panel}/text"
        self.calls.publish(topic, _encode(panel_json(count)), qos=0, retain=True)

    def say_to(self, saying: SayTo) -> None:
        """What a bought device is to say: QoS 1, and retained only where the topic is our own level."""
        for message in saying.messages:
            self.calls.publish(message.topic, message.payload, qos=1, retain=message.retain)

    def _line_changed(self, _up: bool, why: str) -> None:
        # Strangers are an extra: only at the beginning are they waited for, so that nobody who speaks then is missed.
        settled = self.strangers.up or self.strangers.tried
        if self.calls.up and self.telemetry.up and settled:
            if self._told_up is not True:
                self.calls.publish("linli/v1/gateway/status", "online", qos=1, retain=True)
                self._told_up = True
                self._on_up(True, "", "")
        elif not (self.calls.up and self.telemetry.up) and why:
            self._told_up = False
            address = f"{self._plan.host}:{self._plan.port}"
            self._on_up(
                False,
                f"消息服务器 {address} 连不上（{why}）：呼叫按钮和车位暂时收不到，取号和窗口照常；"
                "请检查 mosquitto 是否在运行、hall.toml 的 [broker] 是否写对",
                f"broker {address} cannot be reached ({why}): call buttons and bays are not heard, tickets and windows "
                "go on; check that mosquitto runs and that [broker] in hall.toml is right",
            )
