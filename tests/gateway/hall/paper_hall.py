"""A hall on paper: facts and orders go in, the state follows, the clock stands where we put it."""

from __future__ import annotations

from devices.messages import DeviceSeen, Pressed, Released, SetLamp
from gateway.hall import timers
from gateway.hall.rows import CallStep, Helper, Message
from gateway.hall.rules import decide, obey
from gateway.hall.state import Call, Decision, HallState, JournalLine, TimerSet

NOON = 1_795_000_000_000
SOS = "zigbee2mqtt:sos"


class Hall:
    """Time passes only in :meth:`later` (and nothing happens) or :meth:`wait` (and timers that are due fire)."""

    def __init__(self, consoles: int = 0) -> None:
        self.state = HallState(consoles=consoles)
        self.now_ms = NOON
        self.lines: list[JournalLine] = []
        #: transactions that the disk would have seen
        self.commits = 0

    def later(self, seconds: float) -> Hall:
        self.now_ms += int(seconds * 1000)
        return self

    def wait(self, seconds: float) -> Hall:
        until_ms = self.now_ms + int(seconds * 1000)
        while True:
            due = [one for one in self.state.timers.values() if one.due_ms <= until_ms]
            if not due:
                break
            first = min(due, key=lambda one: (one.due_ms, one.timer_id))
            self.now_ms = max(self.now_ms, first.due_ms)
            self.did(timers.due(self.state, first.timer_id, self.now_ms))
        self.now_ms = until_ms
        return self

    def did(self, decision: Decision) -> Decision:
        self.state.begin()
        self.state.put(decision)
        self.state.keep()
        self.lines += [change for change in decision.changes if isinstance(change, JournalLine)]
        self.commits += bool(decision.changes)
        return decision

    def press(
        self, device: str = "btn-01", press_id: str = "", family: str = "linli", **more: object
    ) -> Decision:
        self.did(decide(self.state, DeviceSeen(device, family), self.now_ms))
        fact = Pressed(device, press_id=press_id, family=family, **more)  # type: ignore[arg-type]
        return self.did(decide(self.state, fact, self.now_ms))

    def sos(self, **more: object) -> Decision:
        """A bought button that numbers nothing."""
        return self.press(SOS, family="zigbee2mqtt", **more)  # type: ignore[arg-type]

    def release(self, device: str = SOS, family: str = "zigbee2mqtt", **more: object) -> Decision:
        self.did(decide(self.state, DeviceSeen(device, family), self.now_ms))
        return self.did(decide(self.state, Released(device, family=family, **more), self.now_ms))  # type: ignore[arg-type]

    def order(self, name: str, /, **fields: object) -> Decision:
        return self.did(obey(self.state, name, fields, self.now_ms))

    def claim(self, device: str = "btn-01", **more: object) -> Decision:
        fields = {
            "device_id": device,
            "kind": "call_button",
            "name": "3栋302",
            "place": "3栋1单元302",
            **more,
        }
        return self.order("claim_device", **fields)

    def helper(self, helper_id: str, role: str, *channels: str) -> Helper:
        """Somebody who is always on duty."""
        one = Helper(helper_id, f"某{helper_id}", role, channels=channels)
        self.did(Decision(changes=[one]))
        return one

    @property
    def open_calls(self) -> list[Call]:
        return [call for call in self.state.calls.values() if call.state != "CLOSED"]

    def call(self, call_id: int = 1) -> Call:
        return self.state.calls[call_id]

    def steps(self, call_id: int = 1) -> list[tuple[int, str, str]]:
        """(turn, who, state), in the order in which they were taken."""
        rows = [row for row in self.state.table(CallStep).values() if row.call_id == call_id]
        return [(row.turn, row.who, row.state) for row in sorted(rows, key=lambda row: (row.turn, row.step))]

    def messages(self, call_id: int = 1) -> list[tuple[str, str]]:
        """(helper, state), oldest first."""
        rows = [row for row in self.state.table(Message).values() if row.call_id == call_id]
        return [(row.helper_id, row.state) for row in sorted(rows, key=lambda row: row.created_ms)]

    def timer_kinds(self) -> list[str]:
        return sorted(timer.kind for timer in self.state.timers.values())

    def timer(self, kind: str, call_id: int = 1) -> TimerSet:
        return self.state.timers[f"call:{call_id}:{kind}"]

    def journal(self, *events: str) -> list[str]:
        return [line.event for line in self.lines if not events or line.event in events]


def lamps(decision: Decision) -> list[str]:
    return [effect.light for effect in decision.effects if isinstance(effect, SetLamp)]
