"""A car park behind the real entrance, on the real loop and a real notebook, in time that we hold."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from devices.messages import ShowCount
from devices.plan import Panel
from gateway.arrival import Arrival
from gateway.entrance import Entrance
from gateway.hall.parking_rows import ParkingTask
from gateway.loop import Loop
from gateway.notebook import Notebook
from gateway.restore import GatewayRescue
from gateway.wire import Published
from tests.gateway.held_hall import SCHEMA, HeldClock
from tests.mouths import mouths


class CarPark:
    """Sensors speak by the topics of their makers; time passes when we say so.

    :param mute: the panels cannot speak, so that nobody need speak for them.
    """

    def __init__(
        self, folder: Path, *panels: Panel, clock: HeldClock | None = None, mute: bool = True
    ) -> None:
        given = panels or (Panel(id="gate"),)
        self.folder, self.panels = folder, tuple(replace(one, answers=one.answers and not mute) for one in given)
        self.clock = clock or HeldClock()
        self.shown: list[ShowCount] = []
        self.acked: list[int] = []
        self._said = 0
        self.begin()

    def begin(self) -> None:
        """A process starts on what is in the folder."""
        rescue = GatewayRescue(self.folder / "backups", "Asia/Shanghai")
        self.book = Notebook(self.folder / "gateway.db", SCHEMA, patient=True, rescue=rescue)
        self.loop = Loop(self.book, self.panels, {}, mouths(show_count=self.shown.append), self.clock)
        self.entrance = Entrance(
            self.clock,
            self.loop.counts,
            self.loop.presences,
            lambda: self.loop.state,
            self.loop.take,
            self.loop.telemetry.read_later,
            lambda _topic: True,
            self.loop.panels.hear,
        )

    def die(self) -> None:
        self.loop.selector.close()
        self.book.close()

    def restart(self, *, kindly: bool = False) -> None:
        """A kill, or an orderly stop (``kindly``), and a start on the same file."""
        if kindly:
            self.loop.stop()
            self.loop.run(lambda: None)
        self.die()
        self.begin()

    # ---------------------------------------------------------------- time

    def turn(self) -> None:
        """Half a second passes in small turns: whatever waits for its batch has had it."""
        for _ in range(5):
            self.clock.pass_s(0.1)
            self.loop.turn(longest_wait_s=0.0)

    def after(self, seconds: float, step_s: float = 5.0) -> None:
        """Time passes in steps, and the loop turns in each."""
        end_s = self.clock.mono_s + seconds
        while self.clock.mono_s < end_s:
            self.clock.pass_s(min(step_s, end_s - self.clock.mono_s))
            self.loop.turn(longest_wait_s=0.0)
        self.turn()

    # ---------------------------------------------------------------- words

    def hear(self, topic: str, words: object, *, dup: bool = False) -> int:
        """One message at QoS 1, as it comes off the wire; its number is in ``acked`` once it is acknowledged."""
        self._said = number = self._said + 1
        payload = words if isinstance(words, bytes) else json.dumps(words).encode()
        message = Published(topic.encode(), payload, 1, False, dup, number)
        self.entrance.from_known(message, lambda: self.acked.append(number))
        return number

    @staticmethod
    def published(topic: bytes, payload: bytes) -> Published:
        """A message as the wire cuts it out, for whoever says many."""
        return Published(topic, payload, 0, False, False, 0)

    def ours(self, device: str, occupied: bool | None, seq: int | None = None, boot: str = "9f3a") -> None:
        """One of our own sensors. Without ``seq`` it counts on."""
        self._said += 1
        seq = self._said if seq is None else seq
        words = {"boot": boot, "seq": seq, "occupied": occupied, "every_s": 600}
        self.hear(f"linli/v1/bay/{device}/state", words)

    def lorawan(
        self,
        device: str,
        payload: bytes,
        fport: int,
        count: int,
        profile: str,
        **more: object,
    ) -> None:
        """An uplink of ChirpStack's."""
        words = {
            "deviceInfo": {"devEui": device, "deviceProfileName": profile},
            "fCnt": count,
            "fPort": fport,
            "data": base64.b64encode(payload).decode(),
            **more,
        }
        self.hear(f"application/1/device/{device}/event/up", words)

    # ---------------------------------------------------------------- staff

    def order(self, name: str, /, **fields: object) -> Mapping[str, object]:
        answers: list[dict[str, object]] = []
        now_ns, now_ms = self.clock.monotonic_ns(), self.clock.now_ms()
        self.loop.take(Arrival(now_ns, now_ms, name, order=name, fields=fields, answer=answers.append))
        self.loop.turn(longest_wait_s=0.0)
        return answers[0]

    def done(self, name: str, /, **fields: object) -> Mapping[str, object]:
        """An order that must be obeyed."""
        answer = self.order(name, **fields)
        assert answer["ok"] is True, answer
        return answer

    def refused(self, name: str, /, **fields: object) -> str:
        """An order that must not; why, in both languages."""
        answer = self.order(name, **fields)
        assert answer["ok"] is False, f"{name} was obeyed"
        return f"{answer['why_zh']} | {answer['why_en']}"

    def bay(self, device: str, bay: str, zone: str = "east", **fields: object) -> None:
        self.done("claim_device", device_id=device, kind="bay_sensor", bay_id=bay, zone_id=zone, **fields)

    # ---------------------------------------------------------------- what is to be seen

    def state_of(self, bay: str) -> str:
        return self.loop.state.bays[bay].state

    def counts(self, zone: str = "east") -> tuple[int, int, int, int]:
        one = self.loop.state.zones[zone]
        return one.free, one.taken, one.unknown, one.closed

    def panel(self, name: str = "gate") -> ShowCount:
        return self.loop.state.shown[name]

    def tasks(self, kind: str = "") -> Sequence[ParkingTask]:
        found = self.loop.state.table(ParkingTask).values()
        return [task for task in found if task.done_ms is None and kind in ("", task.kind)]

    def adds_up(self) -> None:
        """free + taken + unknown + closed = all, of every zone, in memory and on the disk, and as the bays say."""
        rows = self.book.connection.execute("SELECT zone_id, free, taken, unknown, closed FROM zones").fetchall()
        on_disk = {row[0]: tuple(row[1:]) for row in rows}
        bays = self.book.connection.execute("SELECT bay_id, zone_id, state FROM bays").fetchall()
        for zone_id, zone in self.loop.state.zones.items():
            inside = [bay.state for bay in self.loop.state.bays.values() if bay.zone_id == zone_id]
            counted = tuple(inside.count(word) for word in ("free", "taken", "unknown", "closed"))
            assert self.counts(zone_id) == counted, zone
            written = [row[2] for row in bays if row[1] == zone_id]
            told = tuple(written.count(word) for word in ("free", "taken", "unknown", "closed"))
            assert on_disk.get(zone_id, (0, 0, 0, 0)) == told, zone
            assert on_disk.get(zone_id, (0, 0, 0, 0)) == counted, zone
