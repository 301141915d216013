"""The loop with its doors taken off: a real notebook, a clock we hold, mouths that remember what they said."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.faults import NotWritten
from devices.messages import BayHeard, DeviceSeen, Pressed, SetLamp, ShowCount
from devices.plan import Panel
from gateway.arrival import Arrival
from gateway.hall.state import HallState
from gateway.lanes import SHARE
from gateway.loop import Loop
from gateway.notebook import Notebook
from gateway.telemetry import DEVICES_A_BATCH, LONGEST_PAUSE_NS
from gateway.timers import Clock
from tests.mouths import mouths

SCHEMA = Path("gateway/schema").absolute()
NOON_MS = 1_795_000_000_000


class HeldClock(Clock):
    """Time stands still until somebody moves it. The wall may jump; the monotonic clock may not."""

    def __init__(self) -> None:
        self.wall_ms, self.mono_s = NOON_MS, 1000.0

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic_s(self) -> float:
        return self.mono_s

    def monotonic_ns(self) -> int:
        return int(self.mono_s * 1e9)

    def pass_s(self, seconds: float) -> None:
        self.mono_s += seconds
        self.wall_ms += int(seconds * 1000)


class Desk:
    """A loop on a real notebook, and everything it has said, in order."""

    def __init__(self, path: Path, clock: HeldClock) -> None:
        self.said: list[tuple[str, object]] = []
        self.book = Notebook(path, SCHEMA, patient=True)
        self.clock = clock
        self.loop = Loop(
            self.book,
            (Panel(id="gate"),),
            {},
            mouths(
                set_lamp=lambda lamp: self.said.append(("lamp", lamp)),
                show_count=lambda count: self.said.append(("panel", count)),
                tell_written=lambda device, boot, seq: self.said.append(("written", (device, boot, seq))),
                tell_screens=lambda fact: self.said.append(("screens", fact)),
                beacon=self._beacon,
            ),
            clock,
        )
        if not self.book.trouble:
            self.loop.teller.part_is("notebook", "ready")
        self.said.clear()

    def close(self) -> None:
        self.loop.selector.close()
        self.book.close()

    def _beacon(self, state: HallState) -> None:
        self.said.append(("beacon", sorted(call.state for call in state.calls.values())))

    def arrival(self, what: str, *facts: object, device: str) -> Arrival:
        now_ns, now_ms = self.clock.monotonic_ns(), self.clock.now_ms()
        return Arrival(now_ns, now_ms, what, facts, ack=lambda: self._acked(device))  # type: ignore[arg-type]

    def press(self, device: str = "btn-01", press_id: str = "a:1") -> None:
        pressed = Pressed(device, press_id=press_id, family="linli")
        self.loop.take(
            self.arrival(f"press from {device}", DeviceSeen(device, "linli"), pressed, device=device)
        )

    def bay(self, device: str, occupied: bool) -> None:
        seen, heard = DeviceSeen(device, "linli"), BayHeard(device, occupied)
        self.loop.take(self.arrival(f"status from {device}", seen, heard, device=device))

    def order(self, name: str, **fields: object) -> list[dict[str, object]]:
        answers: list[dict[str, object]] = []
        now_ns, now_ms = self.clock.monotonic_ns(), self.clock.now_ms()
        self.loop.take(Arrival(now_ns, now_ms, name, order=name, fields=fields, answer=answers.append))
        return answers

    def turn(self) -> None:
        """One turn; and another where telemetry has waited for a turn of its own."""
        self.loop.turn(longest_wait_s=0.0)
        if len(self.loop.telemetry):
            self.clock.pass_s(LONGEST_PAUSE_NS / 1e9)
            self.loop.turn(longest_wait_s=0.0)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.said]

    def _acked(self, device: str) -> None:
        on_disk = self.book.connection.execute("SELECT count(*) FROM calls").fetchone()[0]
        self.said.append(("puback", (device, on_disk)))

    def break_disk(self) -> None:
        """The disk is full from now on. The real thing is in test_gateway_lives.py; here only its word counts."""
        self.book.write = _refuse  # type: ignore[method-assign, assignment]

    def mend_disk(self) -> None:
        del self.book.write


def _refuse(_work: object, _meanwhile: object = None) -> None:
    raise NotWritten("notebook gateway.db (database or disk is full): the disk is full")


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def desk(tmp_path: Path, clock: HeldClock) -> Iterator[Desk]:
    one = Desk(tmp_path / "gateway.db", clock)
    yield one
    one.close()


def test_nothing_is_told_before_it_is_written(desk: Desk) -> None:
    desk.press()
    desk.turn()
    assert desk.kinds() == ["lamp", "written", "puback", "screens", "screens", "beacon"]
    assert ("puback", ("btn-01", 1)) in desk.said  # at the PUBACK the call was in the notebook


def test_a_call_overtakes_a_thousand_parking_updates(desk: Desk) -> None:
    for number in range(1000):
        desk.bay(f"s{number}", True)
    desk.press()
    desk.turn()
    pubacks = [what for kind, what in desk.said if kind == "puback"]
    assert pubacks[0] == ("btn-01", 1) and len(pubacks) == 1 + DEVICES_A_BATCH
    for _ in range(1000 // DEVICES_A_BATCH):
        desk.turn()
    assert sum(kind == "puback" for kind in desk.kinds()) == 1001


def test_of_one_bays_flapping_only_the_last_is_told_to_the_panel(desk: Desk) -> None:
    desk.order("claim_device", device_id="s1", kind="bay_sensor", bay_id="e1", zone_id="east")
    desk.turn()
    desk.said.clear()
    for occupied in (True, False, True, False, True):
        desk.bay("s1", occupied)
    desk.turn()
    panels = [what for kind, what in desk.said if kind == "panel"]
    assert [count.taken for count in panels if isinstance(count, ShowCount)] == [1]


def test_while_the_disk_refuses_staff_hear_the_call_and_nobody_is_promised_anything(
    desk: Desk, clock: HeldClock
) -> None:
    desk.break_disk()
    desk.press()
    desk.turn()
    told = [what for kind, what in desk.said if kind == "screens" and isinstance(what, dict)]
    assert [fact["call"]["written"] for fact in told if fact["fact"] == "CallChanged"] == [False]
    assert not {"lamp", "written", "puback"} & set(desk.kinds())
    assert [call["written"] for call in desk.loop.snapshot()["calls"]] == [False]  # type: ignore[attr-defined]
    answers = desk.order("accept_call", call_id=1, by="小李")
    desk.turn()
    assert answers[0]["fault"] == "not_written"

    desk.said.clear()
    desk.mend_disk()
    clock.pass_s(1.1)
    desk.turn()
    assert {"lamp", "written", "puback"} <= set(desk.kinds())
    assert len(desk.loop.telemetry) == 0


def test_the_button_that_repeats_while_the_disk_refuses_is_held_once(desk: Desk, clock: HeldClock) -> None:
    desk.break_disk()
    for _ in range(30):
        desk.press()
        desk.turn()
        clock.pass_s(1)
    assert len(desk.loop.held) == 1
    desk.mend_disk()
    clock.pass_s(1)
    desk.turn()
    assert [call.presses for call in desk.loop.state.calls.values()] == [1]


def test_after_a_minute_the_call_says_that_nobody_has_answered_also_after_a_restart(
    desk: Desk, tmp_path: Path, clock: HeldClock
) -> None:
    desk.press()
    desk.turn()
    clock.pass_s(30)
    desk.close()
    again = Desk(tmp_path / "gateway.db", clock)

    def overdue_after(seconds: float) -> bool:
        clock.pass_s(seconds)
        again.turn()
        return again.loop.state.calls[1].overdue

    assert [overdue_after(29), overdue_after(2)] == [False, True]
    again.close()


def test_the_wall_clock_jumps_a_day_and_nothing_happens_that_should_not(desk: Desk, clock: HeldClock) -> None:
    desk.order("claim_device", device_id="s1", kind="bay_sensor", bay_id="e1", zone_id="east")
    desk.bay("s1", False)
    desk.press()
    desk.turn()
    for jump_ms in (24 * 3600 * 1000, -48 * 3600 * 1000):
        clock.wall_ms += jump_ms
        clock.mono_s += 6
        desk.turn()
    assert desk.loop.state.bays["e1"].state == "free"
    assert desk.loop.state.calls[1].overdue is False


def test_a_sensor_that_falls_silent_makes_its_bay_unknown_and_the_panel_honest(
    desk: Desk, clock: HeldClock
) -> None:
    desk.order("claim_device", device_id="s1", kind="bay_sensor", bay_id="e1", zone_id="east")
    desk.bay("s1", False)
    desk.turn()
    assert desk.loop.state.shown["gate"].text == "空位 1"
    for _ in range(4):
        clock.pass_s(60)
        desk.turn()
    assert desk.loop.state.bays["e1"].state == "unknown"
    assert desk.loop.state.devices["s1"].health == "silent"
    assert desk.loop.state.shown["gate"].text == "空位 --"


def test_heartbeats_stay_in_memory_and_reach_the_disk_every_quarter_of_an_hour(
    desk: Desk, clock: HeldClock
) -> None:
    def on_disk() -> int:
        row = desk.book.connection.execute("SELECT last_seen_ms FROM devices WHERE device_id='s1'").fetchone()
        return int(row[0])

    desk.bay("s1", True)
    desk.turn()
    for _ in range(20):
        clock.pass_s(40)
        desk.bay("s1", True)
        desk.turn()
    assert on_disk() == NOON_MS
    clock.pass_s(110)
    desk.turn()
    assert on_disk() == NOON_MS + 800_000


def test_a_message_that_brings_out_a_mistake_of_ours_is_set_aside_and_the_next_press_is_heard(
    desk: Desk,
) -> None:
    broken = Pressed("odd", press_id="x:1", family="linli", button="not a number")  # type: ignore[arg-type]
    desk.loop.take(desk.arrival("press from odd", broken, device="odd"))
    desk.press()
    desk.turn()
    assert desk.loop.counts["set_aside"] == 1
    calls = {call.device_id: call.doubtful for call in desk.loop.state.calls.values()}
    assert calls == {"odd": True, "btn-01": False}  # whatever was odd about it, somebody pressed
    assert ("puback", ("odd", 1)) in desk.said


def test_more_messages_wait_for_the_disk_than_the_broker_lends_and_a_press_still_rings(
    desk: Desk, clock: HeldClock
) -> None:
    """An unacknowledged message uses up one of the broker's slots; what is superseded must give its slot back."""
    desk.break_disk()
    for round_ in range(200):
        for number in range(16):
            desk.bay(f"s{number}", bool(round_ % 2))
        desk.turn()
    unacknowledged = 200 * 16 - desk.kinds().count("puback")
    assert unacknowledged == 16 == len(desk.loop.telemetry)
    for _ in range(100):
        desk.press()
    for _ in range(100 // SHARE + 1):
        desk.turn()
    assert (len(desk.loop.telemetry), len(desk.loop.held)) == (16, 1)
    desk.mend_disk()
    clock.pass_s(1.1)
    desk.turn()
    assert desk.kinds().count("puback") == 200 * 16 + 100


def test_presses_that_waited_hours_for_the_disk_keep_their_time_and_their_number(
    desk: Desk, clock: HeldClock
) -> None:
    desk.break_disk()
    for number in range(3):
        desk.press(press_id=f"a:{number}")
        desk.turn()
        clock.pass_s(60)
    clock.pass_s(3 * 3600)
    desk.mend_disk()
    desk.turn()
    call = desk.loop.state.calls[1]
    assert (call.presses, call.opened_ms, call.last_press_ms, call.delayed) == (
        3,
        NOON_MS,
        NOON_MS + 120_000,
        True,
    )


def test_a_wrong_clock_at_the_restart_does_not_put_the_reminder_off(
    desk: Desk, tmp_path: Path, clock: HeldClock
) -> None:
    desk.press()
    desk.turn()
    desk.close()
    clock.wall_ms -= 3 * 3600 * 1000  # a Pi without a clock battery
    again = Desk(tmp_path / "gateway.db", clock)
    clock.pass_s(61)
    again.turn()
    assert again.loop.state.calls[1].overdue is True
    again.close()


def test_killed_after_ten_minutes_without_a_line_on_disk_nobody_is_called_silent(
    desk: Desk, tmp_path: Path, clock: HeldClock
) -> None:
    desk.order("claim_device", device_id="s1", kind="bay_sensor", bay_id="e1", zone_id="east")
    desk.bay("s1", False)
    desk.turn()
    desk.close()  # as a kill: "last seen" on disk stays ten minutes old
    clock.pass_s(600)
    again = Desk(tmp_path / "gateway.db", clock)
    clock.pass_s(6)
    again.turn()
    assert again.loop.state.bays["e1"].state == "free"
    again.close()


def test_a_hall_that_starts_on_a_dead_disk_rings_from_memory_and_takes_up_when_it_can(
    tmp_path: Path, clock: HeldClock
) -> None:
    (tmp_path / "card").mkdir()
    before = Desk(tmp_path / "card" / "gateway.db", clock)
    before.press()
    before.turn()
    before.close()
    (tmp_path / "card").rename(tmp_path / "pulled out")

    desk = Desk(tmp_path / "card" / "gateway.db", clock)
    desk.press("btn-02", "b:1")
    desk.turn()
    calls = [
        fact["call"] for kind, fact in desk.said if isinstance(fact, dict) and fact["fact"] == "CallChanged"
    ]
    assert [(call["device_id"], call["written"]) for call in calls] == [("btn-02", False)]
    assert not {"lamp", "written", "puback"} & set(desk.kinds())

    (tmp_path / "pulled out").rename(tmp_path / "card")
    clock.pass_s(1.1)
    desk.turn()
    anew = next(fact for kind, fact in desk.said if isinstance(fact, dict) and fact["fact"] == "Snapshot")
    assert [(call["call_id"], call["device_id"]) for call in anew["calls"]] == [(1, "btn-01")]
    assert {(call.call_id, call.device_id) for call in desk.loop.state.calls.values()} == {
        (1, "btn-01"),
        (2, "btn-02"),
    }
    assert {"lamp", "written", "puback"} <= set(desk.kinds())
    desk.close()


def test_every_level_can_be_told_again(desk: Desk) -> None:
    desk.order("claim_device", device_id="btn-01", kind="call_button")
    desk.order("claim_device", device_id="btn-02", kind="call_button")
    desk.press("btn-01")
    desk.turn()
    desk.said.clear()
    desk.loop.teller.levels(desk.loop.state, NOON_MS)
    lamps = {what.device_id: what.light for kind, what in desk.said if isinstance(what, SetLamp)}
    assert lamps == {"btn-01": "blink", "btn-02": "off"}


def test_after_a_restart_the_broker_may_bring_old_presses_in_any_order_and_none_counts_twice(
    tmp_path: Path, clock: HeldClock
) -> None:
    first = Desk(tmp_path / "gateway.db", clock)
    for number in range(8, 12):
        first.press(press_id=f"a:{number}")
        first.turn()
    first.close()
    again = Desk(tmp_path / "gateway.db", clock)
    for number in (8, 11, 9, 12, 10, 12, 13):
        again.press(press_id=f"a:{number}")
        again.turn()
    assert [call.presses for call in again.loop.state.calls.values()] == [6]
    assert again.loop.counts["press_copies"] == 5
    again.close()
