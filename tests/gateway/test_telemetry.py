"""The lane of telemetry beside a plain model: whatever is conflated, squeezed or put back, the end is what was said."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.messages import BayHeard, CarsCounted, DeviceSeen
from gateway.arrival import Arrival
from gateway.hall.rules import Fact
from gateway.telemetry import (
    DEVICES_A_BATCH,
    LONGEST_PAUSE_NS,
    MOST_DEVICES_A_BATCH,
    MOST_STEPS,
    SHORTEST_PAUSE_NS,
    Telemetry,
)
from tests.gateway.held_hall import HeldClock, HeldHall

FAST_NS, GOOD_CARD_NS, OLD_CARD_NS = 300_000.0, 8_000_000.0, 80_000_000.0
OFFLINE = "offline"
#: What a device may say: a bay's state, that it has gone, or a heartbeat with what only heartbeats tell.
Word = bool | None | str | tuple[float | None, str]


def facts_of(device: str, word: Word) -> tuple[Fact, ...]:
    if word == OFFLINE:
        return (DeviceSeen(device, "linli", offline=True),)
    if isinstance(word, tuple):
        battery_pct, model = word
        return (DeviceSeen(device, "linli", model, battery_pct),)
    assert word is None or isinstance(word, bool)
    return (DeviceSeen(device, "linli"), BayHeard(device, word))


@dataclass
class Known:
    """What the hall would know of a device if it had been told everything, one by one."""

    occupied: bool | None = None
    offline: bool = False
    battery_pct: float | None = None
    model: str = ""
    every_ms: int | None = None
    #: each time the bay's state, or whether the device is there, became another
    steps: list[object] = field(default_factory=list)

    def hear(self, facts: Sequence[Fact], every_ms: int | None) -> None:
        before = (self.occupied, self.offline)
        for fact in facts:
            if isinstance(fact, DeviceSeen):
                self.offline = fact.offline
                self.battery_pct = self.battery_pct if fact.battery_pct is None else fact.battery_pct
                self.model = fact.model or self.model
            elif isinstance(fact, BayHeard):
                self.occupied = fact.occupied
        self.every_ms = every_ms or self.every_ms
        if before != (self.occupied, self.offline):
            self.steps.append((self.occupied, self.offline))


class Lane:
    """A lane, what was said to it and what came out of it as written; who has been acknowledged, and when."""

    def __init__(self) -> None:
        self.telemetry = Telemetry()
        self.said: dict[str, Known] = {}
        self.written: dict[str, Known] = {}
        self.acked: list[int] = []
        self.on_disk: list[int] = []
        self.count = 0

    def say(self, device: str, word: Word, every_ms: int | None = None, *, later: bool = False) -> int:
        self.count += 1
        number, facts = self.count, facts_of(device, word)
        self.said.setdefault(device, Known()).hear(facts, every_ms)
        arrival = Arrival(number, number, str(number), facts, every_ms, lambda: self.acked.append(number))
        if later:
            self.telemetry.read_later(lambda: self.telemetry.put(arrival))
        else:
            self.telemetry.put(arrival)
        return number

    def write(self, *, refused: bool = False) -> list[Arrival]:
        """A batch is decided and written, and then acknowledged; or the disk refuses it."""
        batch = self.telemetry.take(self.count, FAST_NS)
        self.telemetry.squeezed = refused
        if refused:
            self.telemetry.put_back(batch)
            return []
        for arrival in batch:
            self.written.setdefault(arrival.source, Known()).hear(arrival.facts, arrival.every_ms)
            assert arrival.ack is not None
            arrival.ack()
        return batch

    def write_all(self) -> None:
        while len(self.telemetry):
            self.write()


@pytest.fixture
def lane() -> Lane:
    return Lane()


# ---------------------------------------------------------------- what is kept


def test_transitions_are_kept_in_order_and_numbers_take_the_place_of_numbers(lane: Lane) -> None:
    for word in (True, (90.0, ""), (89.0, ""), (88.0, ""), True, True, False, False, True):
        lane.say("s1", word)
    kept = [(arrival.what, arrival.facts[-1]) for arrival in lane.write()]
    assert [what for what, _ in kept] == ["1", "4", "6", "8", "9"]
    assert [fact.occupied for _, fact in kept if isinstance(fact, BayHeard)] == [True, True, False, True]
    assert lane.telemetry.conflated == 4


def test_who_was_superseded_is_acknowledged_at_once_and_who_was_not_only_when_it_is_written(
    lane: Lane,
) -> None:
    first, second, third = (lane.say("s1", word) for word in (False, False, True))
    assert lane.acked == [first], "the broker lends only so many unacknowledged messages"
    assert lane.write(refused=True) == [] and set(lane.acked) == {first, second}, "squeezed: one word each"
    lane.write()
    assert lane.acked == [first, second, third]


def test_the_one_that_stands_for_two_has_waited_as_long_as_the_first(lane: Lane) -> None:
    lane.say("s1", True)
    for _ in range(5):
        lane.say("s1", True)
    assert [(one.arrived_ns, one.arrived_ms) for one in lane.write()] == [(1, 6)]


def test_a_sensor_that_flaps_beyond_all_measure_keeps_its_last_word(lane: Lane) -> None:
    for number in range(1001):
        lane.say("s1", number % 2 == 0)
    assert len(lane.telemetry._waiting["s1"]) == MOST_STEPS
    assert lane.write()[-1].facts[-1] == BayHeard("s1", True)
    assert len(lane.acked) == 1001


@pytest.mark.parametrize("flaps", [0, MOST_STEPS], ids=["the disk refuses", "beyond the steps"])
def test_a_heartbeat_does_not_take_the_place_of_the_car_that_came_before_it(lane: Lane, flaps: int) -> None:
    """Both stand for each other: a bought sensor speaks of its bay again in hours."""
    lane.telemetry.squeezed = not flaps
    for number in range(flaps):
        lane.say("s1", number % 2 == 0)
    lane.say("s1", (55.0, "Bay-1"), 20_000)
    lane.say("s1", True)
    lane.say("s1", (None, ""))
    lane.write_all()
    assert lane.written["s1"].occupied is True
    assert (lane.written["s1"].battery_pct, lane.written["s1"].model) == (55.0, "Bay-1")
    assert lane.written["s1"].every_ms == 20_000
    assert sorted(lane.acked) == list(range(1, lane.count + 1))


def test_what_could_not_be_written_waits_before_whatever_came_since(lane: Lane) -> None:
    for device in ("s1", "s2"):
        lane.say(device, True)
    batch = lane.telemetry.take(0, FAST_NS)
    lane.say("s3", True)
    lane.say("s1", False)
    lane.telemetry.put_back(batch)
    assert [(one.source, one.what) for one in lane.write()] == [
        ("s1", "1"),
        ("s1", "4"),
        ("s2", "2"),
        ("s3", "3"),
    ]


def test_while_the_disk_refuses_no_device_keeps_more_than_one_of_the_broker_s_slots(lane: Lane) -> None:
    for _ in range(5):
        for device in range(30):
            lane.say(f"s{device}", True)
            lane.say(f"s{device}", False)
    lane.write(refused=True)
    assert lane.count - len(lane.acked) == 30
    lane.write_all()
    assert {known.occupied for known in lane.written.values()} == {False}


# ---------------------------------------------------------------- when it goes


@pytest.mark.parametrize(
    ("commit_ns", "pause_ns"),
    [
        (0.0, SHORTEST_PAUSE_NS),
        (FAST_NS, SHORTEST_PAUSE_NS),
        (GOOD_CARD_NS, 10 * GOOD_CARD_NS),
        (OLD_CARD_NS, LONGEST_PAUSE_NS),
        (1e12, LONGEST_PAUSE_NS),
    ],
)
def test_commits_are_as_far_apart_as_the_disk_is_slow_but_no_further_than_a_panel_may_be_behind(
    lane: Lane, commit_ns: float, pause_ns: float
) -> None:
    assert lane.telemetry.due_in_s(0, commit_ns) is None, "nothing waits"
    lane.say("s1", True)
    assert lane.telemetry.due_in_s(0, commit_ns) == 0.0, "after a rest the first one waits for nothing"
    lane.telemetry.take(1_000, commit_ns)
    lane.say("s1", False)
    assert lane.telemetry.due_in_s(1_000, commit_ns) == pause_ns / 1e9
    assert lane.telemetry.due_in_s(1_000 + int(pause_ns), commit_ns) == 0.0


def test_what_is_to_be_read_later_is_due_like_what_has_been_read(lane: Lane) -> None:
    lane.say("s1", True, later=True)
    assert len(lane.telemetry) == 1 and lane.telemetry.due_in_s(0, FAST_NS) == 0.0
    assert [one.source for one in lane.write()] == ["s1"]


@pytest.mark.parametrize(
    ("commit_ns", "devices"),
    [
        (FAST_NS, DEVICES_A_BATCH),
        (GOOD_CARD_NS, 66),
        (OLD_CARD_NS, MOST_DEVICES_A_BATCH),
        (1e12, MOST_DEVICES_A_BATCH),
    ],
)
def test_a_backlog_goes_in_batches_that_fit_the_disk_oldest_first(
    lane: Lane, commit_ns: float, devices: int
) -> None:
    for number in range(2000):
        lane.say(f"s{number}", True)
    went: list[int] = []
    while waiting := len(lane.telemetry):
        assert lane.telemetry.due_in_s(0, commit_ns) == 0.0, "no pause within a backlog"
        batch = lane.telemetry.take(0, commit_ns)
        assert len(batch) == min(devices, waiting)
        went += [one.arrived_ns for one in batch]
    assert went == list(range(1, 2001))


def test_a_counter_that_floods_is_decided_in_pieces_and_each_car_once(lane: Lane) -> None:
    """Its words are cars and stand for no others; a batch of thousands would keep a call waiting."""
    for number in range(1000):
        cars = Arrival(number, number, str(number), (CarsCounted("gate", 1, 0, None),))
        lane.telemetry.put(cars)
    lane.say("s1", True)
    first, second = (lane.telemetry.take(0, FAST_NS) for _ in range(2))
    assert len(first) <= DEVICES_A_BATCH + 1 and "s1" in {one.source for one in first}, "the others do not wait"
    went = [one.arrived_ns for one in (*first, *second) if one.source == "gate"]
    while batch := lane.telemetry.take(0, FAST_NS):
        assert len(batch) <= DEVICES_A_BATCH
        went += [one.arrived_ns for one in batch]
    assert went == list(range(1000))


# ---------------------------------------------------------------- any history

_word = st.one_of(
    st.booleans(),
    st.none(),
    st.just(OFFLINE),
    st.tuples(st.one_of(st.none(), st.floats(0, 100)), st.sampled_from(["", "A", "B"])),
)
_said = st.tuples(
    st.sampled_from(["s1", "s2", "s3"]), _word, st.one_of(st.none(), st.sampled_from([20_000, 60_000]))
)


@given(history=st.lists(st.one_of(_said, st.sampled_from(["write", "refused"])), max_size=80))
@settings(deadline=None)
def test_after_any_history_the_hall_knows_what_was_said(
    history: Sequence[str | tuple[str, Word, int | None]],
) -> None:
    lane = Lane()
    refused = False
    for one in history:
        if isinstance(one, str):
            refused = refused or one == "refused"
            lane.write(refused=one == "refused")
        else:
            lane.say(*one)
    lane.write_all()
    assert sorted(lane.acked) == list(range(1, lane.count + 1)), "each exactly once"
    for device, said in lane.said.items():
        written = lane.written[device]
        words = sum(one[0] == device for one in history)
        if words <= MOST_STEPS and not refused:
            assert written.steps == said.steps
        said.steps, written.steps = [], []
        assert written == said


class CarPark:
    """A hall of twelve claimed bays, and a plain model of it: what each sensor said last, what staff closed."""

    def __init__(self, folder: Path) -> None:
        self.hall = HeldHall(folder, HeldClock())
        self.bays = [f"e{number}" for number in range(12)]
        self.model = dict.fromkeys(self.bays, "unknown")
        self.moves: list[tuple[str, str]] = [(bay, "unknown") for bay in self.bays]
        for bay in self.bays:
            order = {"device_id": f"s-{bay}", "kind": "bay_sensor", "bay_id": bay, "zone_id": "east"}
            assert self.hall.order("claim_device", **order)["ok"] is True

    def hear(self, bay: str, occupied: bool) -> None:
        clock = self.hall.clock
        facts = facts_of(f"s-{bay}", occupied)
        self.hall.loop.take(Arrival(clock.monotonic_ns(), clock.now_ms(), "status", facts))
        if self.model[bay] != "closed":
            self._move(bay, "taken" if occupied else "free")

    def order(self, name: str, bay: str) -> None:
        self.settle()  # an order overtakes what waits; the model does not
        assert self.hall.order(name, bay_id=bay, by="小李")["ok"] is True
        closed = self.model[bay] == "closed"
        if closed != (name == "close_bay"):
            self._move(bay, "unknown" if closed else "closed")

    def settle(self) -> None:
        while len(self.hall.loop.telemetry):
            self.hall.after_s(0.3)

    def _move(self, bay: str, to: str) -> None:
        if self.model[bay] != to:
            self.model[bay] = to
            self.moves.append((bay, to))

    def counted(self) -> dict[str, int]:
        zone = self.hall.loop.state.zones["east"]
        return {"free": zone.free, "taken": zone.taken, "unknown": zone.unknown, "closed": zone.closed}


@pytest.fixture
def car_park(tmp_path: Path) -> Iterator[CarPark]:
    one = CarPark(tmp_path)
    yield one
    one.hall.die()


@pytest.mark.parametrize("seed", range(4))
def test_a_day_of_any_kind_ends_as_the_sensors_said_and_its_history_is_what_happened(
    car_park: CarPark, seed: int
) -> None:
    dice = random.Random(seed)
    for _ in range(1500):
        bay = dice.choice(car_park.bays)
        throw = dice.random()
        if throw < 0.02:
            car_park.order(dice.choice(["close_bay", "open_bay"]), bay)
        elif throw < 0.06:
            car_park.hall.after_s(dice.choice([0.0, 0.01, 0.3, 5.0]))
        else:
            for _ in range(dice.choice([1, 1, 1, 3])):
                car_park.hear(bay, dice.random() < 0.5)
        assert sum(car_park.counted().values()) == len(car_park.bays)
    car_park.settle()
    assert {bay: car_park.hall.loop.state.bays[bay].state for bay in car_park.bays} == car_park.model
    by_hand = {state: list(car_park.model.values()).count(state) for state in car_park.counted()}
    assert car_park.counted() == by_hand
    rows = car_park.hall.book.connection.execute(
        "SELECT bay_id, state FROM bay_moves ORDER BY move_id"
    ).fetchall()
    for bay in car_park.bays:
        assert [to for one, to in rows if one == bay] == [to for one, to in car_park.moves if one == bay]


@pytest.mark.parametrize("seed", range(4))
def test_a_disk_that_comes_and_goes_changes_nothing_of_the_end(car_park: CarPark, seed: int) -> None:
    dice, broken = random.Random(seed), False
    for _ in range(1500):
        if dice.random() < 0.02:
            (car_park.hall.mend_disk if broken else car_park.hall.break_disk)()
            broken = not broken
        car_park.hear(dice.choice(car_park.bays), dice.random() < 0.5)
        if dice.random() < 0.1:
            car_park.hall.after_s(dice.choice([0.01, 0.3, 1.1]))
        assert sum(car_park.counted().values()) == len(car_park.bays)
    if broken:
        car_park.hall.mend_disk()
    car_park.hall.after_s(1.1)
    car_park.settle()
    assert {bay: car_park.hall.loop.state.bays[bay].state for bay in car_park.bays} == car_park.model
    rows = car_park.hall.book.connection.execute(
        "SELECT bay_id, state FROM bay_moves ORDER BY move_id"
    ).fetchall()
    for bay in car_park.bays:
        moves = [to for one, to in rows if one == bay]
        assert all(before != after for before, after in pairwise(moves)), "a step is a step"
        assert moves[-1:] == [car_park.model[bay]]
