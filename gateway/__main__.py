"""Wiring of the gateway: the one place where its real things are chosen. ``python -m gateway``."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as paho

from devices.codecs import decode, family_of
from devices.faults import HallFileFault, NotWritten
from devices.messages import Light, Pressed
from devices.reading import Heard, Reading
from gateway.arrival import Arrival, ThreadDoor
from gateway.broker import BrokerEdge
from gateway.desk import Desk
from gateway.hall.state import HallState
from gateway.house import House, open_house
from gateway.log import begin_log, end_log, say, say_once
from gateway.loop import Loop
from gateway.notebook import Notebook
from gateway.pins import Pins
from gateway.service import begin_notifier
from gateway.teller import Mouths
from gateway.timers import Clock
from gateway.translate import NOT_UNDERSTOOD, device_id_of, every_ms_of, facts_of
from gateway.views import Json

SCHEMA = Path(__file__).parent / "schema"
#: Longer than any device's message (zigbee2mqtt's longest, with its device block, has 4 KiB).
LONGEST_PAYLOAD = 64 * 1024
#: Network servers whose envelope may not say what the device is: there the claim's model decides how it is read.
NAMELESS = frozenset({"chirpstack_v4", "ttn_v3"})
#: What we say ourselves, and hear again because we listen to everything.
OUR_OWN = ("linli/v1/lamp/", "linli/v1/panel/", "linli/v1/gateway/")


class Gateway:
    """The gateway's parts, tied together."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.clock = Clock()
        house.home.mkdir(parents=True, exist_ok=True)
        house.run_dir.mkdir(parents=True, exist_ok=True, mode=0o770)
        self.book = Notebook(house.gateway_db, SCHEMA, patient=True)
        self.door = ThreadDoor()
        self.pins = Pins(house.plan.gpio, self._pin_pressed)
        self.broker = BrokerEdge(
            house.plan.broker, "linli-gateway", self.door, self._message, self._broker_up
        )
        self.desk: Desk | None = None
        self.loop = Loop(
            self.book,
            house.plan.panels,
            {f"gpio-{pin.id}": pin.name_zh for pin in house.plan.gpio.buttons},
            Mouths(
                set_lamp=self.broker.set_lamp,
                show_count=self.broker.show_count,
                tell_written=self.broker.tell_written,
                tell_screens=self._tell_screens,
                beacon=self._beacon,
            ),
            self.clock,
        )
        selector = self.loop.selector
        selector.register(self.door, 1, lambda _mask: self.door.open())
        self.desk = Desk(house.gateway_socket, selector, self.loop.take, self.loop.snapshot, self._ask)
        self._watched: int | None = None
        self.loop.teller.part_is("gateway", "ready")
        if not self.book.trouble:
            self.loop.teller.part_is("notebook", "ready")
        self.loop.teller.part_is("broker", "down", "正在连接", "connecting")
        self._say_gpio()
        if self.book.quarantined:
            self.loop.teller.part_is(
                "notebook",
                "degraded",
                f"旧的呼叫记录读不出来，已另存为 {self.book.quarantined}，现在用的是空记录；请技术员恢复备份",
                f"the old gateway.db was unreadable and was kept as {self.book.quarantined}; this one began empty: "
                "have a technician restore the backup",
            )

    def run(self) -> None:
        """Turn until SIGTERM or SIGINT."""
        notifier = begin_notifier()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.loop.stop())
        wake_read, wake_write = _wakeup_pair()
        self.loop.selector.register(wake_read, 1, lambda _mask: wake_read.recv(64))
        signal.set_wakeup_fd(wake_write.fileno())
        say(
            "ready",
            f"gateway ready: {len(self.loop.state.devices)} devices, {len(self.loop.state.bays)} bays",
        )
        notifier.ready()
        self.loop.timers.every(0.25, lambda: self.broker.tick(self.clock.monotonic_s()))
        self.broker.tick(self.clock.monotonic_s())
        try:
            self.loop.run(lambda: self._each_turn(notifier.beat))
        finally:
            notifier.stopping()
            signal.set_wakeup_fd(-1)
            self.broker.close()
            if self.desk is not None:
                self.desk.close()
            self.pins.close()
            self.book.close()

    # ---------------------------------------------------------------- doors

    def _each_turn(self, beat: Callable[[], None]) -> None:
        beat()
        self._watch_broker()

    def _watch_broker(self) -> None:
        """paho opens and closes its socket when it likes: keep the selector in step."""
        selector, fileno = self.loop.selector, self.broker.fileno()
        wanted = 3 if fileno is not None and self.broker.wants_write() else 1
        if self._watched is not None and self._watched != fileno:
            try:
                selector.unregister(self._watched)
            except (KeyError, ValueError):
                pass  # closed under us: epoll has forgotten it already
            self._watched = None
        if fileno is None:
            return
        if self._watched is None:
            selector.register(fileno, wanted, self._broker_ready)
            self._watched = fileno
        elif selector.get_key(fileno).events != wanted:
            selector.modify(fileno, wanted, self._broker_ready)

    def _broker_ready(self, mask: int) -> None:
        if mask & 2:
            self.broker.write()
        if mask & 1:
            self.broker.read()
        self._watch_broker()

    def _message(self, message: paho.MQTTMessage) -> None:
        """One MQTT message: understood, or counted and named once. It never becomes an exception."""
        arrived_ns = self.clock.monotonic_ns()
        counts = self.loop.counts
        counts["messages"] += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        ack = (lambda: self.broker.ack(message)) if message.qos else None
        if topic.startswith(OUR_OWN) or (topic.startswith("linli/v1/button/") and topic.endswith("/written")):
            counts["our_own"] += 1
            if ack is not None:
                ack()
            return
        if len(message.payload) > LONGEST_PAYLOAD:
            self._not_understood("oversized", topic, f"a payload of {len(message.payload)} bytes", ack)
            return
        family = family_of(topic)
        if family is None:
            self._not_understood("unknown_topic", topic, "no family of devices speaks there", ack)
            return
        heard = Heard(topic, bytes(message.payload), retained=bool(message.retain))
        reading = self._as_claimed(heard, family, decode(heard))
        if reading.event in NOT_UNDERSTOOD:
            self._not_understood("garbage", topic, "the payload is not understood", ack)
            return
        facts = facts_of(family, reading, topic, retained=bool(message.retain), redelivered=bool(message.dup))
        if message.retain:
            counts["retained"] += 1
        if not facts:
            counts["without_news"] += 1
            if ack is not None:
                ack()
            return
        what = f"{reading.event} from {device_id_of(family, reading, topic)}"
        self.loop.take(Arrival(arrived_ns, self.clock.now_ms(), what, facts, every_ms_of(reading), ack))

    def _as_claimed(self, heard: Heard, family: str, reading: Reading) -> Reading:
        """What the console's claim knows of the device helps to read it, where its maker's envelope does not tell."""
        device = self.loop.state.devices.get(device_id_of(family, reading, heard.topic))
        if device is None:
            return reading
        cls = {"bay_sensor": "parking_sensor", "call_button": "button"}.get(device.kind, "")
        model = device.model if family in NAMELESS else ""
        return decode(replace(heard, model=model, cls=cls)) if model or cls else reading

    def _not_understood(self, kind: str, topic: str, why: str, ack: Callable[[], None] | None) -> None:
        self.loop.counts[kind] += 1
        source = topic[:80]
        say_once(f"{kind}:{source}", kind, f"{source!r}: {why}; counted, not repeated here", topic=source)
        if ack is not None:
            ack()

    def _pin_pressed(self, pin_id: str, press_id: str, arrived_ns: int) -> None:
        """In gpiozero's thread: only knock."""
        fact = Pressed(f"gpio-{pin_id}", press_id=press_id, family="gpio", event="press")
        arrival = Arrival(arrived_ns, self.clock.now_ms(), f"press of pin {pin_id}", (fact,))
        self.door.knock(lambda: self.loop.take(arrival))

    # ---------------------------------------------------------------- mouths

    def _tell_screens(self, fact: Json) -> None:
        if self.desk is not None:
            self.desk.tell(fact)

    def _beacon(self, state: HallState) -> None:
        states = {call.state for call in state.calls.values()}
        light: Light = "blink" if "HEARD" in states else ("steady" if "COMING" in states else "off")
        self.pins.show(light)

    def _broker_up(self, up: bool, why_zh: str, why_en: str) -> None:
        self.loop.teller.part_is("broker", "ready" if up else "down", why_zh, why_en)
        if up:
            self.loop.teller.levels(self.loop.state, self.clock.now_ms())

    def _ask(self, name: str, order: Json) -> Json | None:
        """What needs no writing is answered at once."""
        match name:
            case "ping":
                return {"ok": True, "now_ms": self.clock.now_ms(), "turns": self.loop.turns}
            case "statistics":
                desk = self.desk.statistics() if self.desk is not None else {}
                return {
                    "ok": True,
                    "statistics": {**self.loop.statistics(), "desk": desk, "beacon": self.pins.shown},
                }
            case "press_pin":
                if self.pins.press_mock(str(order.get("pin_id", ""))):
                    return {"ok": True, "written": False}
                return {
                    "ok": False,
                    "fault": "refused",
                    "why_zh": "没有这个模拟按钮（真按钮请用手按）",
                    "why_en": "there is no mock pin of that name (press a real one by hand)",
                }
        return None

    def _say_gpio(self) -> None:
        match self.pins.state:
            case "mock":
                # On a desk that is as it should be; a hall that has switched its virtual devices off expects pins.
                state = "ready" if self.house.plan.virtual.on else "degraded"
                self.loop.teller.part_is(
                    "gpio", state, "本机没有 GPIO，用的是模拟引脚", "no GPIO here: mock pins stand in"
                )
            case "down":
                self.loop.teller.part_is(
                    "gpio",
                    "down",
                    f"大厅按钮和警示灯不能用（{self.pins.why}）：无线按钮照常；请技术员检查引脚和权限",
                    f"hall buttons and beacon do not work ({self.pins.why}): radio buttons do; check pins and rights",
                )
            case "ready":
                self.loop.teller.part_is("gpio", "ready")


def _wakeup_pair() -> tuple[socket.socket, socket.socket]:
    """A signal must end a ``select`` that waits: Python writes a byte here when one arrives."""
    inside, outside = socket.socketpair()
    inside.setblocking(False)
    outside.setblocking(False)
    return inside, outside


def main() -> int:
    begin_log("gateway")
    try:
        Gateway(open_house()).run()
    except HallFileFault as wrong:
        say("cannot_start", str(wrong), level=logging.ERROR)
        return 2  # a person must mend a file: to start again by itself would help nobody
    except NotWritten as wrong:
        say("cannot_start", str(wrong), level=logging.ERROR)
        return 1  # the disk may come back: whoever started us tries again
    finally:
        end_log()
    return 0


if __name__ == "__main__":
    sys.exit(main())
