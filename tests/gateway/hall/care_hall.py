"""A hall on paper: facts and orders go in, timers fall due at their time; the clock stands where we put it."""

from __future__ import annotations

from typing import Any

from devices.messages import Answered, DeviceSeen, PathSeen, Pressed, SayTo
from gateway.hall import timers
from gateway.hall.rows import Care, Telling
from gateway.hall.rules import Fact, decide, obey
from gateway.hall.state import Call, Decision, HallState, JournalLine

NOON = 1_795_000_000_000
DAY_S = 24 * 3600


class PaperHall:
    def __init__(self) -> None:
        self.state = HallState()
        self.now_ms = NOON
        self.journal: list[JournalLine] = []
        #: what bought devices were told, oldest first
        self.said: list[SayTo] = []

    def did(self, decision: Decision) -> Decision:
        self.state.begin()
        self.state.put(decision)
        self.state.keep()
        self.journal += [change for change in decision.changes if isinstance(change, JournalLine)]
        self.said += [one for one in decision.effects if isinstance(one, SayTo)]
        return decision

    def hear(self, fact: Fact) -> Decision:
        return self.did(decide(self.state, fact, self.now_ms))

    def seen(self, device: str, model: str = "", **more: Any) -> Decision:
        family = device.partition(":")[0] if ":" in device else "linli"
        via = more.pop("via", f"{family}/{device.partition(':')[2]}" if ":" in device else "")
        return self.hear(DeviceSeen(device, family, model, via=str(via), **more))

    def press(self, device: str = "btn-01", press_id: str = "", **more: object) -> Decision:
        self.seen(device)
        family = device.partition(":")[0] if ":" in device else "linli"
        return self.hear(Pressed(device, press_id, family=family, **more))  # type: ignore[arg-type]

    def shows(self, device: str, light: str = "", *, token: str = "", ok: bool = True) -> Decision:
        return self.hear(Answered(device, token, ok, light))

    def path(self, path_id: str, up: bool) -> Decision:
        return self.hear(PathSeen(path_id, up))

    def order(self, name: str, /, **fields: object) -> Decision:
        return self.did(obey(self.state, name, fields, self.now_ms))

    def claim(self, device: str, kind: str = "call_button", **more: object) -> Decision:
        words = {"device_id": device, "kind": kind, "name": device, "by": "小李", **more}
        return self.order("claim_device", **words)

    def button_with(self, companion: str, *, button: str = "zigbee2mqtt:btn", **how: object) -> None:
        """A bought button, and beside it what answers for it."""
        self.seen(button)
        self.seen(companion, via=how.pop("via", f"zigbee2mqtt/{companion.partition(':')[2]}"))
        self.claim(companion, "companion", **how)
        self.claim(button, answers=companion, place="3栋302")

    def pass_s(self, seconds: float) -> PaperHall:
        """Time passes, and the timers that fall due meanwhile are asked, each at its time."""
        until_ms = self.now_ms + int(seconds * 1000)
        while True:
            due = [one for one in self.state.timers.values() if one.due_ms <= until_ms]
            if not due:
                break
            timer = min(due, key=lambda one: one.due_ms)
            self.now_ms = max(self.now_ms, timer.due_ms)
            self.did(timers.due(self.state, timer.timer_id, self.now_ms))
        self.now_ms = until_ms
        return self

    def call(self, call_id: int = 0) -> Call:
        return self.state.calls[call_id or max(self.state.calls)]

    def care(self, device: str) -> Care:
        return self.state.table(Care)[device]

    def telling(self, device: str) -> Telling:
        return self.state.table(Telling)[device]

    def events(self, *names: str) -> list[str]:
        return [line.event for line in self.journal if not names or line.event in names]
