"""Wiring of the gateway: the one place where its real things are chosen. ``python -m gateway``."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from devices.clock import mono_ns
from devices.faults import HallFileFault, NotWritten
from devices.messages import Light, Pressed
from gateway.arrival import Arrival, ThreadDoor
from gateway.awake import Wakefulness
from gateway.backup_sets import backups_of
from gateway.broker import Broker
from gateway.desk import Desk, line_of
from gateway.entrance import Entrance
from gateway.hall.state import HallState
from gateway.house import House, open_house
from gateway.log import begin_log, end_log, say
from gateway.loop import Loop
from gateway.mqtt_line import MqttLine
from gateway.notebook import Notebook
from gateway.pins import Pins
from gateway.processors import keep_loop_apart
from gateway.restore import GatewayRescue
from gateway.service import begin_notifier
from gateway.teller import Mouths
from gateway.timers import Clock
from gateway.views import Json

SCHEMA = Path(__file__).parent / "schema"
#: Reading calls stops after this time too, some 100 presses: with 2,000 in a turn the first of them would wait.
READING_CALLS_NS = 5_000_000


class Gateway:
    """The gateway's parts, tied together.

    :param not_apart: why it could not be kept off the broker's processor, or "".
    """

    def __init__(self, house: House, not_apart: str = "") -> None:
        self.house = house
        self.clock = Clock()
        self._not_apart = not_apart
        house.home.mkdir(parents=True, exist_ok=True)
        house.run_dir.mkdir(parents=True, exist_ok=True, mode=0o770)
        rescue = GatewayRescue(backups_of(house.home), house.plan.hall.timezone)
        self.book = Notebook(house.gateway_db, SCHEMA, patient=True, rescue=rescue, reserve=True)
        self.door = ThreadDoor()
        self.pins = Pins(house.plan.gpio, self._pin_pressed)
        self.broker = Broker(
            house.plan.broker,
            self.door,
            lambda message, ack: self.entrance.from_known(message, ack),  # noqa: PLW0108 (made below)
            lambda message, ack: self.entrance.from_strangers(message, ack),  # noqa: PLW0108
            self._broker_up,
        )
        self.desk: Desk | None = None
        self.loop = Loop(
            self.book,
            tuple(one for one in house.plan.panels if one.kind == "count"),
            {f"gpio-{pin.id}": pin.name_zh for pin in house.plan.gpio.buttons},
            Mouths(
                lamp_words=self.broker.lamp_words,
                written_words=self.broker.written_words,
                tell_devices=self.broker.calls.send,
                show_count=self.broker.show_count,
                fact_words=line_of,
                tell_screens=self._tell_screens,
                beacon=self._beacon,
                say_to=self.broker.say_to,
                hold_devices=self.broker.calls.hold,
                let_go_devices=self.broker.calls.let_go,
                hold_screens=self._hold_screens,
                let_go_screens=self._let_go_screens,
            ),
            self.clock,
            ZoneInfo(house.plan.hall.timezone),
            house.plan.hall.languages,
        )
        self.entrance = Entrance(
            self.clock,
            self.loop.counts,
            self.loop.presences,
            lambda: self.loop.state,
            self.loop.take,
            self.loop.telemetry.read_later,
            self.broker.is_known_topic,
            self.loop.panels.hear,
        )
        self.loop.read_telemetry = self._read_telemetry
        self.wakefulness = Wakefulness()
        self.loop.on_call = self.wakefulness.pressed
        self.loop.rounds.timezone = house.plan.hall.timezone
        selector = self.loop.selector
        selector.register(self.door, 1, lambda _mask: self.door.open())
        self.desk = Desk(
            house.gateway_socket,
            selector,
            self.loop.take,
            self.loop.snapshot,
            self._ask,
            self.entrance.report,
        )
        self._unread: list[MqttLine] = []
        self._calls_left = False
        self._watched: dict[str, tuple[int, int]] = {}
        self.loop.teller.part_is("gateway", "ready")
        self.loop.teller.part_is("broker", "down", "正在连接", "connecting")
        self._say_gpio()

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
        # What is alive now stays alive for years: the collector need not walk it again while a press waits.
        gc.collect()
        gc.freeze()
        notifier.ready()
        self.loop.timers.every(0.1, self._tick)
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
            self.wakefulness.close()
            self.book.close()

    def _tick(self) -> None:
        self.broker.tick(self.clock.monotonic_s())
        self.wakefulness.rest(self.clock.monotonic_ns())

    # ---------------------------------------------------------------- doors

    def _each_turn(self, beat: Callable[[], None]) -> None:
        beat()
        for line in self.broker.lines:
            self._watch(line)

    def _watch(self, line: MqttLine) -> None:
        """paho opens and closes its socket when it likes: keep the selector in step."""
        fileno = line.fileno()
        wanted = None if fileno is None else (fileno, 3 if line.wants_write() else 1)
        watched = self._watched.get(line.name)
        if wanted == watched:
            return
        selector = self.loop.selector
        if watched is not None:
            del self._watched[line.name]
            try:
                selector.unregister(watched[0])
            except (KeyError, ValueError):
                pass  # closed under us: epoll has forgotten it already
        if wanted is not None:
            is_calls = line is self.broker.calls
            ready = self._calls_ready if is_calls else partial(self._others_ready, line)
            selector.register(wanted[0], wanted[1], ready)
            self._watched[line.name] = wanted

    def _calls_ready(self, mask: int) -> None:
        if mask & 2:
            self.broker.calls.write()
        if mask & 1 and not self._calls_left:
            self._read_calls()
        self._watch(self.broker.calls)

    def _read_calls(self) -> None:
        self._calls_left = self.broker.calls.read(mono_ns() + READING_CALLS_NS)
        if self._calls_left:
            # What is left is in our buffer, of which no selector knows: the next turn goes on.
            self.door.knock(self._read_calls)

    def _others_ready(self, line: MqttLine, mask: int) -> None:
        """Telemetry and strangers are not read here but when the loop has time for them."""
        if mask & 2:
            line.write()
        if mask & 1:
            if line not in self._unread:
                self._unread.append(line)
            self.loop.telemetry_ready = True

    def _read_telemetry(self, until_ns: int) -> bool:
        lines, self._unread = self._unread, []
        for line in lines:
            if line.read(until_ns):
                self._unread.append(line)
            self._watch(line)
        return bool(self._unread)

    def _pin_pressed(self, pin_id: str, press_id: str, arrived_ns: int) -> None:
        """In gpiozero's thread: only knock."""
        fact = Pressed(f"gpio-{pin_id}", press_id=press_id, family="gpio", event="press")
        arrival = Arrival(arrived_ns, self.clock.now_ms(), f"press of pin {pin_id}", (fact,))
        self.door.knock(lambda: self.loop.take(arrival))

    # ---------------------------------------------------------------- mouths

    def _tell_screens(self, lines: bytes) -> None:
        if self.desk is not None:
            self.desk.tell(lines)

    def _hold_screens(self) -> None:
        if self.desk is not None:
            self.desk.hold()

    def _let_go_screens(self) -> None:
        if self.desk is not None:
            self.desk.let_go()

    def _beacon(self, state: HallState) -> None:
        light: Light = "off"
        for call in state.calls.values():
            if call.state == "CLOSED" or "beacon" not in call.acts:
                continue  # a meal, a chat: no beacon on any step of theirs so far
            if call.state == "HEARD":
                light = "blink"
                break
            light = "steady"
        self.pins.show(light)

    def _statistics(self) -> Json:
        return {
            **self.loop.statistics(),
            "over_budget": self.entrance.over_budget(),
            "lines": self.broker.statistics(),
            "desk": self.desk.statistics() if self.desk is not None else {},
            "beacon": self.pins.shown,
            "awake": {"now": self.wakefulness.awake, "why_not": self.wakefulness.why},
            "processors": {"ours": sorted(os.sched_getaffinity(0)), "why_not_apart": self._not_apart},
        }

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
                return {"ok": True, "statistics": self._statistics()}
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
        if self.pins.why and self.pins.state != "down":
            self.loop.teller.part_is(
                "gpio",
                "degraded",
                f"大厅的这些按钮或警示灯不能用（{self.pins.why}），其余照常；请技术员检查引脚和接线",
                f"these hall buttons or beacons do not work ({self.pins.why}), the others do; check pins and wiring",
            )
            return
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
    not_apart = keep_loop_apart()  # before any thread begins: threads inherit it
    begin_log("gateway")
    try:
        Gateway(open_house(), not_apart).run()
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
