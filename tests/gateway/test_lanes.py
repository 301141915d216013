"""The lane of calls and orders: whoever presses waits for nobody's flood, nothing is lost, order is kept."""

from __future__ import annotations

import json
import random
import selectors
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.messages import Pressed
from gateway.arrival import Arrival
from gateway.desk import Desk
from gateway.lanes import MOST_A_TURN, SHARE, UrgentLane


def press(device: str, at_ns: int) -> Arrival:
    return Arrival(at_ns, at_ns, f"press {at_ns} from {device}", (Pressed(device, press_id=f"a:{at_ns}"),))


@given(
    history=st.lists(
        st.one_of(st.tuples(st.integers(0, 30), st.integers(1, 60)), st.just("turn")), max_size=40
    )
)
def test_nothing_is_lost_and_each_device_is_heard_in_its_order(history: Sequence[object]) -> None:
    lane, now_ns = UrgentLane(), 0
    said: dict[str, list[int]] = {}
    heard: dict[str, list[int]] = {}

    def turn() -> None:
        batch = lane.take()
        assert len(batch) < MOST_A_TURN + SHARE
        assert batch == sorted(batch, key=lambda one: one.arrived_ns), "the hall's order is that of arrival"
        for device in {one.source for one in batch}:
            mine = [one.arrived_ns for one in batch if one.source == device]
            assert len(mine) <= SHARE
            heard.setdefault(device, []).extend(mine)

    for one in history:
        if not isinstance(one, tuple):
            turn()
            continue
        number, times = one
        for _ in range(times):
            now_ns += 1
            said.setdefault(f"btn-{number}", []).append(now_ns)
            lane.put(press(f"btn-{number}", now_ns))
        assert len(lane) == sum(map(len, said.values())) - sum(map(len, heard.values()))
    while lane:
        turn()
    assert heard == said


@pytest.mark.parametrize("before", [0, 3])
def test_one_press_waits_for_one_turn_of_another_s_flood_and_no_more(before: int) -> None:
    lane = UrgentLane()
    for at_ns in range(10_000):
        lane.put(press("stuck", at_ns))
    for _ in range(before):
        lane.take()
    lane.put(press("btn-01", 20_000))
    assert [one.source for one in lane.take()] == ["stuck"] * SHARE + ["btn-01"]
    lane.put(press("btn-02", 20_001))
    assert lane.take()[-1].source == "btn-02"


def test_where_a_whole_compound_floods_everybody_has_a_turn_before_anybody_has_two() -> None:
    lane, devices = UrgentLane(), [f"btn-{number}" for number in range(50)]
    for at_ns in range(50 * 100):
        lane.put(press(devices[at_ns % 50], at_ns))
    lane.put(press("last", 9_000))
    turns_until_last = 0
    shares = dict.fromkeys(devices, 0)
    while True:
        turns_until_last += 1
        batch = lane.take()
        for one in batch:
            if one.source != "last":
                shares[one.source] += 1
        if any(one.source == "last" for one in batch):
            break
    assert turns_until_last == -(-51 * SHARE // MOST_A_TURN)
    assert set(shares.values()) <= {SHARE, 2 * SHARE} and min(shares.values()) == SHARE


def test_an_order_between_two_presses_stays_between_them() -> None:
    lane, dice = UrgentLane(), random.Random(1)
    arrivals = [
        press(f"btn-{dice.randrange(4)}", at_ns)
        if dice.random() < 0.6
        else Arrival(at_ns, at_ns, "close_call from kiosk", order="close_call", source="visitor 1")
        for at_ns in range(SHARE)
    ]
    for one in arrivals:
        lane.put(one)
    assert lane.take() == arrivals


def test_what_one_visitor_orders_in_one_breath_is_carried_out_in_that_order(tmp_path: Path) -> None:
    """Different orders, one clock reading, more of them than go into a turn: still one after another."""
    lane, selector = UrgentLane(), selectors.DefaultSelector()
    desk = Desk(tmp_path / "desk.sock", selector, lane.put, dict, lambda _name, _order: None)
    names = ["claim_device", "close_bay", "claim_device", "raise_call"] * 10
    with socket.socket(socket.AF_UNIX) as kiosk:
        kiosk.connect(str(tmp_path / "desk.sock"))
        kiosk.sendall(
            b"".join(json.dumps({"order": name, "n": n}).encode() + b"\n" for n, name in enumerate(names))
        )
        while len(lane) < len(names):
            for key, mask in selector.select(10):
                key.data(mask)
    given_: list[object] = []
    while lane:
        given_ += [one.fields["n"] for one in lane.take()]
    desk.close()
    selector.close()
    assert given_ == list(range(len(names)))


def test_two_visitors_are_two_sources(tmp_path: Path) -> None:
    """A technician's script that claims a thousand devices must not keep the console's "on my way" waiting."""
    lane, selector = UrgentLane(), selectors.DefaultSelector()
    desk = Desk(tmp_path / "desk.sock", selector, lane.put, dict, lambda _name, _order: None)
    with socket.socket(socket.AF_UNIX) as script, socket.socket(socket.AF_UNIX) as kiosk:
        for visitor, order, times in ((script, "claim_device", 200), (kiosk, "accept_call", 1)):
            visitor.connect(str(tmp_path / "desk.sock"))
            visitor.sendall((json.dumps({"order": order}) + "\n").encode() * times)
        while len(lane) < 201:
            for key, mask in selector.select(10):
                key.data(mask)
        assert sorted(one.order for one in lane.take()) == ["accept_call"] + ["claim_device"] * SHARE
    desk.close()
    selector.close()
