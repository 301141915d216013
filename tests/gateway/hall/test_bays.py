"""Parking that does not lie: free + taken + unknown + closed = all, whatever happens."""

import random

import pytest

from devices.faults import OrderRefused
from devices.messages import BayHeard, DeviceSeen, ShowCount
from devices.plan import Panel
from gateway.hall import bays, supervision, things
from gateway.hall.rules import decide, obey, with_panels
from gateway.hall.state import Bay, Decision, HallState, Zone

NOON = 1_795_000_000_000
GATE = Panel(id="gate")


class Compound:
    """A compound on paper."""

    def __init__(self, *panels: Panel) -> None:
        self.state = HallState()
        self.now_ms = NOON
        self.panels = panels or (GATE,)

    def _did(self, decision: Decision) -> Decision:
        child = self.state.child()
        child.put(decision)
        self.state.absorb(child)
        return decision

    def hear(self, device: str, occupied: bool | None, family: str = "linli") -> Decision:
        self._did(decide(self.state, DeviceSeen(device, family), self.now_ms, None, self.panels))
        return self._did(decide(self.state, BayHeard(device, occupied), self.now_ms, None, self.panels))

    def order(self, name: str, /, **fields: object) -> Decision:
        return self._did(obey(self.state, name, fields, self.now_ms, self.panels))

    def bay(self, name: str, zone: str = "east") -> None:
        self.order("claim_device", device_id=f"s-{name}", kind="bay_sensor", bay_id=name, zone_id=zone)

    def silence(self, name: str) -> Decision:
        decision = bays.fell_silent(self.state, self.state.bays[name], self.now_ms)
        return self._did(with_panels(self.state, decision, self.panels, self.now_ms))

    def text(self) -> str:
        return self.state.shown["gate"].text

    def counts(self, zone: str = "east") -> tuple[int, int, int, int]:
        one = self.state.zones[zone]
        return one.free, one.taken, one.unknown, one.closed


def test_a_car_comes_and_the_panel_counts_one_less() -> None:
    compound = Compound()
    for name in ("e1", "e2", "e3"):
        compound.bay(name)
        compound.hear(f"s-{name}", False)
    assert (compound.counts(), compound.text()) == ((3, 0, 0, 0), "空位 3")

    decision = compound.hear("s-e2", True)

    assert (compound.counts(), compound.text()) == ((2, 1, 0, 0), "空位 2")
    assert [effect.text for effect in decision.effects if isinstance(effect, ShowCount)] == ["空位 2"]


def test_a_full_compound_says_so() -> None:
    compound = Compound()
    compound.bay("e1")
    compound.hear("s-e1", True)
    assert compound.text() == "车位已满"


def test_the_same_word_again_is_no_change_and_is_not_written() -> None:
    compound = Compound()
    compound.bay("e1")
    compound.hear("s-e1", True)
    assert compound.hear("s-e1", True).changes == []


def test_a_silent_sensor_is_unknown_never_free_and_the_panel_does_not_guess() -> None:
    compound = Compound()
    for name in ("e1", "e2", "e3"):
        compound.bay(name)
        compound.hear(f"s-{name}", False)
    compound.silence("e1")
    assert (compound.counts(), compound.text()) == ((2, 0, 1, 0), "空位 --")
    compound.hear("s-e1", True)
    assert (compound.counts(), compound.text()) == ((2, 1, 0, 0), "空位 2")


def test_one_unknown_bay_in_five_still_shows_a_number_two_do_not() -> None:
    compound = Compound()
    for number in range(10):
        compound.bay(f"e{number}")
        compound.hear(f"s-e{number}", False)
    compound.silence("e0")
    compound.silence("e1")
    assert compound.text() == "空位 8"
    compound.silence("e2")
    assert compound.text() == "空位 --"


def test_a_closed_bay_stays_closed_whatever_its_sensor_says() -> None:
    compound = Compound()
    compound.bay("e1")
    compound.order("close_bay", bay_id="e1", by="小李")
    compound.hear("s-e1", False)
    assert compound.counts() == (0, 0, 0, 1)
    compound.order("open_bay", bay_id="e1", by="小李")
    assert compound.counts() == (0, 0, 1, 0)


def test_an_unclaimed_sensor_shows_its_bay_and_no_panel_counts_it() -> None:
    compound = Compound()
    compound.bay("e1")
    compound.hear("s-e1", True)
    compound.hear("chirpstack_v4:a8", False, family="chirpstack_v4")
    assert compound.state.bays["chirpstack_v4:a8"].state == "free"
    assert compound.counts("unclaimed") == (1, 0, 0, 0)
    assert compound.text() == "车位已满"


def test_a_claim_takes_the_sensor_out_of_the_unclaimed() -> None:
    compound = Compound()
    compound.hear("chirpstack_v4:a8", False, family="chirpstack_v4")
    compound.order(
        "claim_device", device_id="chirpstack_v4:a8", kind="bay_sensor", bay_id="e9", zone_id="east"
    )
    compound.hear("chirpstack_v4:a8", True)
    assert (compound.counts("unclaimed"), compound.counts()) == ((0, 0, 0, 0), (0, 1, 0, 0))
    assert set(compound.state.bays) == {"e9"}


def test_two_sensors_cannot_have_one_bay() -> None:
    compound = Compound()
    compound.bay("e1")
    with pytest.raises(OrderRefused) as refused:
        compound.order("claim_device", device_id="other", kind="bay_sensor", bay_id="e1", zone_id="east")
    assert refused.value.why_en == "bay e1 already has the sensor s-e1"


def test_a_sensor_that_moves_leaves_an_unknown_bay_never_a_free_one() -> None:
    compound = Compound()
    compound.bay("e1")
    compound.hear("s-e1", False)
    compound.order("claim_device", device_id="s-e1", kind="bay_sensor", bay_id="w9", zone_id="west")
    assert (compound.counts("east"), compound.counts("west")) == ((0, 0, 1, 0), (0, 0, 1, 0))
    compound.hear("s-e1", True)
    assert (compound.counts("east"), compound.counts("west")) == ((0, 0, 1, 0), (0, 1, 0, 0))


def test_a_sensor_that_is_ignored_from_now_on_leaves_an_unknown_bay_for_another() -> None:
    compound = Compound()
    compound.bay("e1")
    compound.hear("s-e1", False)
    compound.order("claim_device", device_id="s-e1", kind="ignored")
    assert (compound.counts(), compound.text()) == ((0, 0, 1, 0), "空位 --")
    compound.order("claim_device", device_id="new", kind="bay_sensor", bay_id="e1", zone_id="east")
    compound.hear("new", True)
    assert compound.counts() == (0, 1, 0, 0)


def test_a_panel_of_one_zone_counts_only_that_zone() -> None:
    compound = Compound(GATE, Panel(id="east-gate", zones=("east",)))
    compound.bay("e1", "east")
    compound.bay("w1", "west")
    compound.hear("s-e1", False)
    compound.hear("s-w1", False)
    assert {panel: count.free for panel, count in compound.state.shown.items()} == {"gate": 2, "east-gate": 1}


def test_whatever_happens_the_sum_is_all_bays() -> None:
    """Ten thousand random events with a fixed seed; after each one the sum holds and agrees with the bays."""
    dice = random.Random(20261122)
    compound = Compound()
    names = [f"b{number}" for number in range(30)]
    for name in names:
        compound.bay(name, dice.choice(("east", "west")))
    for _ in range(10_000):
        name = dice.choice(names)
        match dice.randrange(6):
            case 0 | 1 | 2:
                compound.hear(f"s-{name}", dice.choice((True, False, None)))
            case 3:
                compound.silence(name)
            case 4:
                compound.order(dice.choice(("close_bay", "open_bay")), bay_id=name, by="x")
            case 5:
                compound.bay(name, dice.choice(("east", "west")))
        for zone in compound.state.zones.values():
            mine = [bay.state for bay in compound.state.bays.values() if bay.zone_id == zone.zone_id]
            assert zone.total == len(mine)
            assert (zone.free, zone.taken, zone.unknown, zone.closed) == tuple(
                mine.count(word) for word in ("free", "taken", "unknown", "closed")
            )
        assert compound.state.shown["gate"].total == len(names)


def test_a_device_that_misses_three_of_its_intervals_is_silent_and_comes_back() -> None:
    state = HallState()
    child = state.child()
    child.put(things.seen(state, DeviceSeen("s", "linli"), NOON, 20_000))
    state.absorb(child)
    silent = supervision.fell_silent(state.devices["s"], NOON + 61_000)
    assert [
        change.health
        for change in silent.changes
        if not isinstance(change, (Bay, Zone)) and hasattr(change, "health")
    ] == ["silent"]
    child = state.child()
    child.put(silent)
    child.put(things.seen(child, DeviceSeen("s", "linli"), NOON + 70_000))
    state.absorb(child)
    assert state.devices["s"].health == "ok"
