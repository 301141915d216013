"""A hall whose time we hold: the real loop on a real notebook, with doors taken off and a clock that obeys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devices.faults import NotWritten
from devices.messages import DeviceSeen, Pressed
from gateway.arrival import Arrival
from gateway.hall.clock import Witness
from gateway.hall.state import Change, Decision, TimerSet
from gateway.loop import Loop
from gateway.notebook import Notebook
from gateway.restore import GatewayRescue
from gateway.timers import Clock
from tests.mouths import mouths

SCHEMA = Path("gateway/schema").absolute()
#: 2026-11-18 UTC, later than this software was made
NOON_MS = 1_795_000_000_000
DAY_MS = 24 * 3600 * 1000
YEAR_MS = 365 * DAY_MS


class HeldClock(Clock):
    """Stands still until somebody moves it. The wall may jump; the monotonic clock may not, but for a power cut."""

    def __init__(self, wall_ms: int = NOON_MS) -> None:
        self.wall_ms, self.mono_s = wall_ms, 1000.0
        self.boot_name = "first"
        self.says = Witness(synchronised=False, own_clock=True)

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic_s(self) -> float:
        return self.mono_s

    def monotonic_ns(self) -> int:
        return int(self.mono_s * 1e9)

    def boot(self) -> str:
        return self.boot_name

    def witness(self) -> Witness:
        return self.says

    def pass_s(self, seconds: float) -> None:
        self.mono_s += seconds
        self.wall_ms += round(seconds * 1000)

    def power_cut(self, dark_s: float, *, wall_ms: int | None = None, says: Witness | None = None) -> None:
        """The machine starts anew: another boot, monotonic time from the beginning, the wall clock as given."""
        self.boot_name += "+"
        self.mono_s = 20.0
        self.wall_ms = self.wall_ms + round(dark_s * 1000) if wall_ms is None else wall_ms
        self.says = says or self.says


class HeldHall:
    """The loop on ``folder``/gateway.db. :meth:`die` is a kill: nothing is said or saved."""

    def __init__(self, folder: Path, clock: HeldClock) -> None:
        self.clock = clock
        self.told: list[Mapping[str, object]] = []
        rescue = GatewayRescue(folder / "backups", "Asia/Shanghai")
        self.book = Notebook(folder / "gateway.db", SCHEMA, patient=True, rescue=rescue)
        self.loop = Loop(
            self.book,
            (),
            {},
            mouths(tell_screens=self.told.append),
            clock,
        )

    def die(self) -> None:
        self.loop.selector.close()
        self.book.close()

    def turn(self) -> None:
        self.loop.turn(longest_wait_s=0.0)

    def after_s(self, seconds: float) -> None:
        """Time passes, and the loop turns."""
        self.clock.pass_s(seconds)
        self.turn()

    def press(self, device: str = "btn-01", press_id: str = "a:1") -> None:
        facts = (DeviceSeen(device, "linli"), Pressed(device, press_id=press_id, family="linli"))
        self.loop.take(Arrival(self.clock.monotonic_ns(), self.clock.now_ms(), f"press from {device}", facts))
        self.turn()

    def order(self, name: str, /, **fields: object) -> dict[str, object]:
        answers: list[dict[str, object]] = []
        now_ns, now_ms = self.clock.monotonic_ns(), self.clock.now_ms()
        self.loop.take(Arrival(now_ns, now_ms, name, order=name, fields=fields, answer=answers.append))
        self.turn()
        return answers[0]

    def set_timer(self, kind: str, after_ms: int, *, name: str = "", by_wall: bool = False) -> None:
        """A decision that sets a timer, by the loop's own way to the disk."""
        change: Change = TimerSet(
            name or f"test:{kind}", kind, "test", self.clock.now_ms(), after_ms, by_wall
        )
        assert self.loop.decide(lambda _state, _now_ms: Decision(changes=[change]))

    def overdue(self, call_id: int = 1) -> bool:
        return self.loop.state.calls[call_id].overdue

    @property
    def waiting_for_disk(self) -> object:
        waiting = self.loop.statistics()["waiting"]
        return waiting["disk"] if isinstance(waiting, dict) else waiting

    def rows(self) -> list[tuple[str, int]]:
        """The timers on disk, name and due time: but for a call's ladder and its sequel, which have their own tests."""
        return self.book.connection.execute(
            "SELECT timer_id, due_ms FROM timers WHERE kind NOT IN ('step', 'look', 'coming') ORDER BY 1"
        ).fetchall()

    def journal(self, *events: str) -> list[tuple[str, str]]:
        rows = self.book.connection.execute("SELECT event, detail FROM journal ORDER BY line_id").fetchall()
        return [row for row in rows if not events or row[0] in events]

    def part(self, name: str) -> Mapping[str, object]:
        return self.loop.teller.parts[name]

    def break_disk(self) -> None:
        """The disk is full from now on. The real thing is in test_notebook.py; here only its word counts."""
        self.book.write = _refuse  # type: ignore[method-assign, assignment]

    def mend_disk(self) -> None:
        del self.book.write


def _refuse(_work: object, _meanwhile: object = None) -> None:
    raise NotWritten("notebook gateway.db (database or disk is full): the disk is full", "磁盘满了")
