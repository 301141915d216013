"""The broker's edge: two connections in, levels out.

Calls come by a connection of their own, which the loop reads first: however much telemetry waits, at the broker, in
the kernel or here, a press is behind none of it, and telemetry cannot fill the window in which a press waits for the
disk. The other connection hears everything (``#``), so that what nobody knows is counted and named; of what the first
one brings it hears copies, which the entrance leaves alone.

Measured (2 cores, 30,000 parking messages/s): two connections p50 0.81, p99 8.7 ms; one 1.11 and 10.8 ms. Up to
10,000/s there is no difference: the second connection is insurance.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho

from devices.messages import SetLamp, ShowCount
from devices.plan import Broker as BrokerPlan
from gateway.arrival import ThreadDoor
from gateway.mqtt_line import MqttLine, OnMessage
from gateway.views import panel_json

#: Where the broker remembered the session of telemetry but not that of calls, the first may hold presses from before
#: the second began: for so long its copies are taken too. A repeated key never makes a second call.
NEW_SESSION_S = 10.0


class Broker:
    """Both connections, and what is told over MQTT. All methods are the loop's.

    :param on_up: called when the broker can be heard (both connections), or not, with words for the person on duty.
    """

    def __init__(
        self,
        plan: BrokerPlan,
        thread_door: ThreadDoor,
        from_calls: OnMessage,
        from_telemetry: OnMessage,
        on_up: Callable[[bool, str, str], None],
    ) -> None:
        self._plan = plan
        self._on_up = on_up
        self._told_up: bool | None = None
        self.calls = MqttLine(
            "calls",
            plan,
            "linli-gateway-calls",
            plan.calls,
            thread_door,
            from_calls,
            self._line_changed,
            will_topic="linli/v1/gateway/status",
        )
        self.telemetry = MqttLine(
            "telemetry", plan, "linli-gateway", plan.listen, thread_door, from_telemetry, self._line_changed
        )

    @property
    def lines(self) -> Sequence[MqttLine]:
        return (self.calls, self.telemetry)

    def is_call_topic(self, topic: str) -> bool:
        """Whether the connection for calls brings this topic."""
        return any(paho.topic_matches_sub(pattern, topic) for pattern in self._plan.calls)

    def calls_are_heard(self, now_s: float) -> bool:
        """Whether what is on a call topic surely comes by the connection for calls."""
        line = self.calls
        if not line.up:
            return False
        all_of_it = line.session_kept or not self.telemetry.session_kept
        return all_of_it or now_s - line.up_since_s > NEW_SESSION_S

    def tick(self, now_s: float) -> None:
        self.calls.tick(now_s)
        # Calls first: then a new session for telemetry never has what a new session for calls has missed.
        if self.calls.up or self.telemetry.fileno() is not None:
            self.telemetry.tick(now_s)

    def close(self) -> None:
        self.telemetry.close()
        self.calls.close(("linli/v1/gateway/status", "offline"))

    def statistics(self) -> dict[str, object]:
        """docs/protocol.md, `lines`."""
        return {line.name: {"up": line.up, "reconnects": max(0, line.reconnects)} for line in self.lines}

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
        """This press is on disk. At QoS 0: where it is lost, the button asks again after a second."""
        words = json.dumps({"boot": boot, "seq": seq})
        self.calls.publish(f"linli/v1/button/{device_id}/written", words, qos=0, retain=False)

    def _level(self, topic: str, payload: dict[str, Any]) -> None:
        self.calls.publish(topic, json.dumps(payload, ensure_ascii=False), qos=1, retain=True)

    def _line_changed(self, _up: bool, why: str) -> None:
        up = self.calls.up and self.telemetry.up
        if self.calls.up and self._told_up is not True:
            self.calls.publish("linli/v1/gateway/status", "online", qos=1, retain=True)
        if up:
            self._told_up = True
            self._on_up(True, "", "")
        elif why:
            self._told_up = False
            address = f"{self._plan.host}:{self._plan.port}"
            self._on_up(
                False,
                f"消息服务器 {address} 连不上：呼叫按钮和车位暂时收不到，取号和窗口照常；请检查 mosquitto 是否在运行",
                f"broker {address} cannot be reached ({why}): call buttons and bays are not heard, tickets and windows "
                "go on; check that mosquitto runs",
            )
