"""The loop's order of things: what goes first, what waits for whom, and what a hall does in its worst hour."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from devices.messages import BayHeard, DeviceSeen, Pressed, Released, SetLamp
from gateway.arrival import Arrival
from gateway.hall import rules
from gateway.hall.rules import Fact
from gateway.lanes import SHARE
from gateway.rounds import PERSIST_SEEN_S, SEEN_AT_ONCE, SILENT_AT_ONCE
from tests.gateway.held_hall import HeldClock, HeldHall
from tests.mouths import mouths


class Hall(HeldHall):
    """A held hall that remembers what it did, in order: commits, lamps, PUBACKs, "written"."""

    def __init__(self, folder: Path, clock: HeldClock) -> None:
        self.did: list[tuple[str, object]] = []
        super().__init__(folder, clock)
        self.loop.teller._mouths = mouths(
            set_lamp=self._lamp,
            tell_written=lambda device, boot, seq: self.did.append(("written", (device, boot, seq))),
            tell_screens=self.told.append,
        )
        self._mend()

    def _lamp(self, lamp: SetLamp) -> None:
        self.did.append(("lamp", lamp.device_id))

    def commit_takes(self, seconds: float) -> None:
        self._mend(seconds)

    def _mend(self, seconds: float = 0.0) -> None:
        whole = type(self.book).write.__get__(self.book)

        def write(work: object, _meanwhile: object = None) -> object:
            self.clock.pass_s(seconds)
            answer = whole(work)
            self.did.append(("commit", None))
            return answer

        self.book.write = write  # type: ignore[method-assign, assignment]

    def mend_disk(self) -> None:
        self._mend()

    def arrive(self, what: str, *facts: Fact) -> None:
        now_ns, now_ms = self.clock.monotonic_ns(), self.clock.now_ms()
        self.loop.take(Arrival(now_ns, now_ms, what, facts, ack=lambda: self.did.append(("puback", what))))

    def pressed(self, device: str, seq: int, boot: str = "9f", *, dup: bool = False, what: str = "") -> None:
        fact = Pressed(device, press_id=f"{boot}:{seq}", family="linli", redelivered=dup)
        self.arrive(what or f"{device} {seq}", DeviceSeen(device, "linli"), fact)

    def bay(self, device: str, occupied: bool) -> None:
        self.arrive(f"{device} {occupied}", DeviceSeen(device, "linli"), BayHeard(device, occupied))

    def settle(self) -> None:
        """All telemetry that waits has its batch."""
        while len(self.loop.telemetry):
            self.after_s(0.3)

    def done(self, kind: str) -> list[object]:
        return [what for one, what in self.did if one == kind]

    def presses(self) -> dict[str, int]:
        """Presses counted of each device, over all its calls."""
        counted: dict[str, int] = {}
        for call in self.loop.state.calls.values():
            counted[call.device_id] = counted.get(call.device_id, 0) + call.presses
        return counted


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def hall(tmp_path: Path, clock: HeldClock) -> Iterator[Hall]:
    one = Hall(tmp_path, clock)
    yield one
    one.die()


# ---------------------------------------------------------------- one turn


def test_what_came_in_one_turn_is_one_transaction_and_everybody_is_told_after_it(hall: Hall) -> None:
    hall.did.clear()
    for number in range(5):
        hall.pressed(f"btn-{number}", 1)
    hall.turn()
    kinds = [kind for kind, _ in hall.did]
    assert kinds[0] == "commit" and kinds.count("commit") == 1
    assert kinds[1:6] == ["lamp"] * 5, "somebody is looking at it"
    assert kinds[6:] == ["written"] * 5 + ["puback"] * 5


def test_what_is_due_is_done_before_what_has_come_and_both_before_telemetry_is_read(hall: Hall) -> None:
    hall.did.clear()
    hall.loop.timers.at(hall.clock.mono_s, lambda: hall.did.append(("timer", None)))

    def read(_until_ns: int) -> bool:
        hall.did.append(("read", None))
        return False

    hall.loop.read_telemetry, hall.loop.telemetry_ready = read, True
    hall.pressed("btn-01", 1)
    hall.turn()
    assert [kind for kind, _ in hall.did] == ["timer", "commit", "lamp", "written", "puback", "read"]


def test_telemetry_waits_for_a_turn_in_which_nobody_calls(hall: Hall) -> None:
    hall.did.clear()
    hall.bay("s1", True)
    hall.pressed("btn-01", 1)
    hall.turn()
    assert hall.done("puback") == ["btn-01 1"]
    hall.turn()
    assert hall.done("puback") == ["btn-01 1", "s1 True"]


def test_a_button_that_never_stops_does_not_freeze_the_panels(hall: Hall) -> None:
    """Stuck or hostile: there is never a turn without a press of it. The bays have theirs all the same."""
    seq = 0
    hall.bay("s1", True)
    for _ in range(100):
        for _ in range(2 * SHARE):
            seq += 1
            hall.pressed("btn-01", seq)
        hall.after_s(0.005)
        assert hall.loop.urgent
    assert "s1 True" in hall.done("puback")


def test_on_a_slow_disk_telemetry_rides_with_a_call(hall: Hall) -> None:
    hall.commit_takes(0.008)
    for number in range(30):
        hall.pressed("btn-01", number)
        hall.turn()
    hall.bay("s1", False)
    hall.turn()
    hall.clock.pass_s(0.1)
    hall.pressed("btn-01", 31)
    hall.turn()
    hall.did.clear()
    hall.bay("s1", True)
    hall.turn()
    assert hall.did == [], "while calls keep coming it waits for the next one's transaction ..."
    hall.pressed("btn-01", 32)
    hall.turn()
    assert [kind for kind, _ in hall.did].count("commit") == 1
    assert hall.done("puback") == ["btn-01 32", "s1 True"]
    hall.did.clear()
    hall.bay("s1", False)
    hall.after_s(0.26)
    assert hall.done("puback") == ["s1 False"], (
        "... but a panel is never further behind than a quarter of a second"
    )


# ---------------------------------------------------------------- the same press again


def test_killed_before_written_was_heard_the_presses_that_come_again_are_no_new_ones(
    tmp_path: Path, clock: HeldClock
) -> None:
    """Three presses on disk, none acknowledged: the broker, or the button, says all three again to the next gateway."""
    hall = Hall(tmp_path, clock)
    for seq in (10, 11, 12):
        hall.pressed("btn-01", seq)
    hall.turn()
    hall.die()
    again = Hall(tmp_path, clock)
    for seq in (10, 11, 12, 13):
        again.pressed("btn-01", seq, dup=seq < 13)
        again.turn()
    assert again.presses() == {"btn-01": 4}
    assert again.done("written") == [("btn-01", "9f", seq) for seq in (10, 11, 12, 13)]
    again.die()


def test_a_press_that_was_lost_does_not_make_those_after_it_new(tmp_path: Path, clock: HeldClock) -> None:
    """10 never reached us, 11 did; after the kill the button repeats both."""
    hall = Hall(tmp_path, clock)
    hall.pressed("btn-01", 11)
    hall.turn()
    hall.order("close_call", call_id=1, by="小李", outcome="helped")
    hall.die()
    again = Hall(tmp_path, clock)
    for seq in (10, 11):
        again.pressed("btn-01", seq)
    again.turn()
    assert again.presses() == {"btn-01": 2}
    assert len(again.loop.state.calls) == 2, "for 10, and not one more for 11"
    again.die()


def test_what_was_pressed_before_the_notebook_could_be_read_is_compared_with_it_when_it_can(
    tmp_path: Path, clock: HeldClock
) -> None:
    (tmp_path / "card").mkdir()
    before = Hall(tmp_path / "card", clock)
    for seq in (10, 11):
        before.pressed("btn-01", seq)
    before.turn()
    before.die()
    (tmp_path / "card").rename(tmp_path / "pulled out")
    hall = Hall(tmp_path / "card", clock)
    hall.pressed("btn-01", 10)
    hall.turn()
    (tmp_path / "pulled out").rename(tmp_path / "card")
    hall.after_s(1.1)
    hall.pressed("btn-01", 11)
    hall.turn()
    assert hall.presses() == {"btn-01": 2}
    hall.die()


def test_a_button_of_many_years_is_asked_for_once_and_not_at_each_press(hall: Hall) -> None:
    asked: list[str] = []
    hall.book.connection.set_trace_callback(lambda sql: asked.append(sql) if "FROM presses" in sql else None)
    for seq in range(1, 40):
        hall.pressed("btn-01", seq)
        hall.turn()
    assert len(asked) == 1
    for seq in (7, 40):
        hall.pressed("btn-01", seq)
        hall.turn()
    hall.book.connection.set_trace_callback(None)
    assert hall.presses() == {"btn-01": 40}


# ---------------------------------------------------------------- while the disk refuses


def test_a_press_that_brings_out_a_mistake_of_ours_still_rings_while_the_disk_refuses(hall: Hall) -> None:
    """In the worst hour the two come together; the gateway must not die of it, again and again."""
    hall.break_disk()
    hall.pressed("btn-01", 1)
    hall.turn()
    hall.arrive("press from odd", Pressed("odd", press_id="x:1", family="linli", button="x", age_ms="?"))  # type: ignore[arg-type]
    hall.pressed("btn-02", 1)
    hall.turn()
    told = {fact["call"]["device_id"] for fact in hall.told if fact.get("fact") == "CallChanged"}  # type: ignore[index]
    assert told == {"btn-01", "odd", "btn-02"}
    hall.mend_disk()
    hall.after_s(1.1)
    assert hall.presses() == {"btn-01": 1, "odd": 1, "btn-02": 1}
    assert hall.waiting_for_disk == 0 and "press from odd" in hall.done("puback")


def test_the_broker_that_says_a_held_press_again_is_not_told_to_forget_it(hall: Hall) -> None:
    """The line broke and came back: the press that comes again is the same message, and the only one that counts."""
    hall.break_disk()
    hall.pressed("btn-01", 1, what="on the old line")
    hall.turn()
    hall.pressed("btn-01", 1, what="the button's own repeat")
    hall.pressed("btn-01", 1, what="on the new line", dup=True)
    hall.turn()
    assert hall.done("puback") == ["the button's own repeat"]
    assert hall.waiting_for_disk == 1
    hall.mend_disk()
    hall.after_s(1.1)
    assert hall.done("puback") == ["the button's own repeat", "on the new line"]
    assert hall.presses() == {"btn-01": 1}


def test_a_disk_that_refuses_while_a_whole_antenna_is_silent_is_tried_each_second_and_not_each_turn(
    hall: Hall,
) -> None:
    for number in range(3 * SILENT_AT_ONCE):
        order = {"kind": "bay_sensor", "bay_id": f"e{number}", "zone_id": "east"}
        assert hall.order("claim_device", device_id=f"s{number}", **order)["ok"] is True
        hall.bay(f"s{number}", True)
    hall.settle()
    tries = 0

    def refuse() -> None:
        hall.break_disk()
        refusing = hall.book.write

        def write(work: object, _meanwhile: object = None) -> object:
            nonlocal tries
            tries += 1
            return refusing(work)  # type: ignore[arg-type]

        hall.book.write = write  # type: ignore[method-assign, assignment]

    refuse()
    hall.after_s(200)
    for _ in range(100):
        hall.turn()
    assert tries <= 3
    hall.mend_disk()
    hall.after_s(5)
    for _ in range(3):
        hall.turn()
    assert {bay.state for bay in hall.loop.state.bays.values()} == {"unknown"}
    assert {device.health for device in hall.loop.state.devices.values()} == {"silent"}


# ---------------------------------------------------------------- the rounds, in small pieces


def test_a_silent_antenna_is_written_in_pieces_and_a_press_goes_between_them(hall: Hall) -> None:
    for number in range(3 * SILENT_AT_ONCE + 1):
        order = {"kind": "bay_sensor", "bay_id": f"e{number}", "zone_id": "east"}
        hall.order("claim_device", device_id=f"s{number}", **order)
        hall.bay(f"s{number}", True)
    hall.settle()
    hall.clock.pass_s(200)
    hall.commit_takes(0.006)  # longer than timers may keep a turn
    silent: list[int] = []
    turn_of_the_press = None
    for turn in range(6):
        if turn == 1:
            hall.pressed("btn-01", 1)
        hall.turn()
        if hall.presses() and turn_of_the_press is None:
            turn_of_the_press = turn
        silent.append(sum(one.health == "silent" for one in hall.loop.state.devices.values()))
    assert silent[:4] == [SILENT_AT_ONCE, 2 * SILENT_AT_ONCE, 3 * SILENT_AT_ONCE, 3 * SILENT_AT_ONCE + 1]
    zone = hall.loop.state.zones["east"]
    assert (zone.unknown, zone.total) == (3 * SILENT_AT_ONCE + 1,) * 2
    assert turn_of_the_press == 1


def test_last_seen_of_a_thousand_devices_goes_to_disk_in_pieces(hall: Hall) -> None:
    devices = [f"s{number}" for number in range(3 * SEEN_AT_ONCE + 50)]
    for device in devices:
        order = {"kind": "bay_sensor", "bay_id": f"e-{device}", "zone_id": "east"}
        hall.order("claim_device", device_id=device, **order)
    hall.commit_takes(0.006)  # longer than timers may keep a turn
    for _ in range(int(PERSIST_SEEN_S / 50) - 1):
        hall.after_s(50)
    heard_ms = hall.clock.now_ms()
    for _ in range(2):
        for device in devices:
            hall.loop.presences.heard(device, hall.clock.mono_s, heard_ms)
        hall.after_s(50)

    def fresh() -> int:
        row = hall.book.connection.execute(
            "SELECT count(*) FROM devices WHERE last_seen_ms = ?", (heard_ms,)
        ).fetchone()
        return int(row[0])

    pieces = [0, fresh()]
    for _ in range(20):
        hall.turn()
        pieces.append(fresh())
    assert pieces[-1] == len(devices)
    assert max(after - before for before, after in pairwise(pieces)) == SEEN_AT_ONCE


def test_a_mistake_that_one_message_brings_out_does_not_take_its_neighbours_along(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = rules.decide

    def decide(*words: object, **more: object) -> object:
        if isinstance(words[1], Pressed) and words[1].device_id == "btn-03" and not words[1].doubtful:
            raise LookupError("a mistake of ours")
        return real(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(rules, "decide", decide)
    for number in range(6):
        hall.pressed(f"btn-{number:02}", 1)
    hall.turn()
    assert hall.presses() == {f"btn-{number:02}": 1 for number in range(6)}
    assert [call.device_id for call in hall.loop.state.calls.values() if call.doubtful] == ["btn-03"]
    assert len(hall.done("puback")) == 6


@pytest.mark.parametrize("level", [False, True], ids=["a release", "a level"])
def test_a_release_that_brings_out_a_mistake_of_ours_rings_like_a_press(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, level: bool
) -> None:
    """At the edge of range only the release arrives: to let it go unheard would be to let a press go unheard."""
    real = rules.decide

    def decide(*words: object, **more: object) -> object:
        if isinstance(words[1], Released):
            raise LookupError("a mistake of ours")
        return real(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(rules, "decide", decide)
    hall.arrive("release from sos", Released("zigbee2mqtt:sos", family="zigbee2mqtt", level=level))
    hall.turn()
    rang = [(call.device_id, call.state, call.doubtful) for call in hall.loop.state.calls.values()]
    assert rang == ([] if level else [("zigbee2mqtt:sos", "HEARD", True)])
    assert hall.done("puback") == ["release from sos"]
