"""A batch that is not on the disk has not happened: the hall is, field by field, what it was before."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.messages import BayHeard, DeviceSeen, Pressed, ShowCount
from gateway.arrival import Arrival
from gateway.hall import rules
from gateway.hall.state import (
    Bay,
    BayGone,
    BayMove,
    Call,
    Change,
    ClockFrame,
    Decision,
    Device,
    DeviceGone,
    HallState,
    JournalLine,
    OrderKey,
    PressRow,
    Settling,
    TimerGone,
    TimerSet,
    Zone,
)
from tests.gateway.held_hall import NOON_MS, HeldClock, HeldHall


def whole(state: HallState) -> dict[str, object]:
    """Every field of it, copied."""
    return {
        one.name: dict(value) if isinstance(value := getattr(state, one.name), Mapping) else copy.copy(value)
        for one in fields(HallState)
        if not one.name.startswith("_")
    }


# ---------------------------------------------------------------- the state alone

_name = st.sampled_from(["a", "b", "c"])
_number = st.integers(1, 4)
_change: st.SearchStrategy[Change] = st.one_of(
    st.builds(
        lambda number, device, presses: Call(
            number, "HEARD", "help", device, device, False, "", "", presses, 1, 0, 0
        ),
        _number,
        _name,
        _number,
    ),
    st.builds(Device, _name, st.just("unclaimed"), _number, _number, _number),
    st.builds(DeviceGone, _name),
    st.builds(Bay, _name, _name, st.sampled_from(["free", "taken"]), _name, _number, _number),
    st.builds(BayGone, _name),
    st.builds(BayMove, _name, st.just("free"), _number),
    st.builds(Zone, _name, _name, _name, _number),
    st.builds(PressRow, _name, _name, _number, _number),
    st.builds(OrderKey, _name, _number, _number),
    st.builds(JournalLine, _number, _name, _name),
    st.builds(lambda name, free: ShowCount(name, "", free, 0, 0, 0, free, True, 0), _name, _number),
    st.builds(TimerSet, _name, _name, _name, _number, _number),
    st.builds(TimerGone, _name),
    st.builds(Settling, _name, _name, st.sampled_from(["", "free"]), _number, _number, _number),
    st.builds(ClockFrame, _name, _number, st.booleans(), _number),
)
_batch = st.lists(_change, max_size=12)


def put_all(state: HallState, changes: Sequence[Change]) -> None:
    for change in changes:
        state.put(Decision(changes=[change]))


def kept(*batches: Sequence[Change]) -> HallState:
    state = HallState()
    for changes in batches:
        state.begin()
        put_all(state, changes)
        state.keep()
    return state


@given(before=_batch, refused=_batch, after=_batch)
@settings(deadline=None)
def test_what_is_taken_back_leaves_nothing_behind(
    before: Sequence[Change], refused: Sequence[Change], after: Sequence[Change]
) -> None:
    state = kept(before)
    was = whole(state)
    state.begin()
    put_all(state, refused)
    state.take_back()
    assert whole(state) == was
    state.begin()
    put_all(state, after)
    state.keep()
    assert whole(state) == whole(kept(before, after)), "and the next batch finds nothing of it"


@given(before=_batch, after=_batch)
@settings(deadline=None)
def test_what_only_might_be_shows_staff_the_calls_that_there_would_be(
    before: Sequence[Change], after: Sequence[Change]
) -> None:
    """A press that is held for the disk is alarmed from a child; what it will become must be no surprise."""
    state = kept(before)
    was = whole(state)
    child = state.child()
    put_all(child, after)
    assert whole(state) == was, "a child changes nothing below it"
    would_be = kept(before, after)
    assert dict(child.calls) == would_be.calls and child.last_call_id == would_be.last_call_id
    assert dict(child.newest_call) == would_be.newest_call and dict(child.presses) == would_be.presses
    assert [child.timer(name) for name in "abc"] == [would_be.timer(name) for name in "abc"]


# ---------------------------------------------------------------- the loop


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[HeldHall]:
    """A hall in which much is known: six claimed bays, some of them closed, calls in every state."""
    one = HeldHall(tmp_path, HeldClock())
    for number in range(6):
        order = {"device_id": f"s{number}", "kind": "bay_sensor", "bay_id": f"e{number}", "zone_id": "east"}
        assert one.order("claim_device", **order)["ok"] is True
    for number in range(4):
        one.press(f"btn-{number}", "a:0")
    one.order("accept_call", call_id=1, by="小李")
    one.order("close_call", call_id=2, by="小李", outcome="helped")
    one.order("close_bay", bay_id="e5", by="小李")
    yield one
    one.die()


def any_batch(dice: random.Random, number: int) -> list[Arrival]:
    batch = []
    for step in range(dice.randrange(1, 8)):
        device, press_id = f"btn-{dice.randrange(6)}", f"a:{number * 10 + step}"
        match dice.randrange(4):
            case 0:
                facts: tuple[Any, ...] = (
                    DeviceSeen(device, "linli"),
                    Pressed(device, press_id=press_id, family="linli"),
                )
            case 1:
                sensor = f"s{dice.randrange(8)}"
                facts = (DeviceSeen(sensor, "linli"), BayHeard(sensor, dice.random() < 0.5))
            case 2:
                facts = (DeviceSeen(f"s{dice.randrange(8)}", "linli", offline=dice.random() < 0.5),)
            case _:
                batch.append(any_order(dice, press_id))
                continue
        batch.append(Arrival(step + 1, NOON_MS + number, "something", facts))
    return batch


def any_order(dice: random.Random, key: str) -> Arrival:
    call_id, bay = dice.randrange(1, 8), f"e{dice.randrange(7)}"
    sensor = f"s{dice.randrange(9)}"
    orders: list[tuple[str, dict[str, object]]] = [
        ("accept_call", {"call_id": call_id}),
        ("close_call", {"call_id": call_id, "outcome": "helped"}),
        ("raise_call", {"device_id": "screen:kiosk-1", "place_zh": "自助机", "key": key}),
        ("close_bay", {"bay_id": bay}),
        ("open_bay", {"bay_id": bay}),
        ("define_zone", {"zone_id": "east", "name_zh": key}),
        (
            "claim_device",
            {"device_id": sensor, "kind": "bay_sensor", "bay_id": bay, "zone_id": dice.choice("ab")},
        ),
        ("claim_device", {"device_id": sensor, "kind": "ignored"}),
    ]
    name, words = dice.choice(orders)
    fields_: dict[str, object] = {"by": "小李", **words}
    return Arrival(1, NOON_MS, name, order=name, fields=fields_, answer=lambda _words: None)


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_that_the_disk_refuses_changes_nothing(hall: HeldHall, seed: int) -> None:
    dice = random.Random(seed)
    changed = 0
    for number in range(150):
        batch, state = any_batch(dice, number + 1), hall.loop.state
        was = whole(state)
        hall.break_disk()
        written = hall.loop._write(batch)
        hall.mend_disk()
        assert written is None or not written.changes, "what changes nothing needs no disk"
        if written is None:
            changed += 1
            assert hall.loop.state is state and whole(state) == was
        assert (
            hall.loop._write(batch) is not None
        )  # and then it happens, so that the next one finds another hall
    assert changed > 100


@pytest.mark.parametrize("seed", range(3))
def test_a_rule_that_fails_in_the_midst_of_a_batch_changes_nothing(
    hall: HeldHall, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice, real = random.Random(seed), rules.decide
    failed = 0
    for number in range(100):
        batch = any_batch(dice, number + 1)
        last = sum(len(one.facts) for one in batch)

        def decide(*words: Any, countdown: list[int] = [last], **more: Any) -> Decision:  # noqa: B006 (made anew)
            countdown[0] -= 1
            if countdown[0] == 0:
                raise ZeroDivisionError("a mistake of ours")
            return real(*words, **more)

        was = whole(hall.loop.state)
        monkeypatch.setattr(rules, "decide", decide)
        if last:
            failed += 1
            with pytest.raises(ZeroDivisionError):
                hall.loop._write(batch)
            assert whole(hall.loop.state) == was
        monkeypatch.setattr(rules, "decide", real)
        assert hall.loop._write(batch) is not None
    assert failed > 50


def test_a_rule_of_the_rounds_that_fails_or_is_refused_changes_nothing(hall: HeldHall) -> None:
    was = whole(hall.loop.state)
    change = Device("new", "unclaimed", 0, 0, 0)

    def fails(state: HallState, _now_ms: int) -> Decision:
        state.put(Decision(changes=[change]))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        hall.loop.decide(fails)
    assert whole(hall.loop.state) == was
    hall.break_disk()
    assert hall.loop.decide(lambda _state, _now_ms: Decision(changes=[change])) is False
    assert whole(hall.loop.state) == was
    hall.mend_disk()
    assert hall.loop.decide(lambda _state, _now_ms: Decision(changes=[change])) is True
    assert whole(hall.loop.state) != was


def test_what_is_on_disk_is_what_the_hall_knows_after_any_history_of_refusals(
    hall: HeldHall, tmp_path: Path
) -> None:
    dice = random.Random(5)
    for number in range(200):
        if dice.random() < 0.3:
            hall.break_disk()
            hall.loop._write(any_batch(dice, number + 1))
            hall.mend_disk()
        else:
            hall.loop._write(any_batch(dice, number + 1))
    state = hall.loop.state
    quiet: list[Change] = [*state.devices.values(), *state.bays.values(), *state.calls.values()]
    assert hall.loop.write(lambda: quiet)  # "last seen" and the count of copies are in memory until now
    knew = whole(hall.loop.state)
    hall.die()
    again = HeldHall(tmp_path, hall.clock)
    knows = whole(again.loop.state)
    for table in (
        "calls",
        "devices",
        "bays",
        "zones",
        "shown",
        "newest_call",
        "order_keys",
        "timers",
        "last_call_id",
    ):
        assert knows[table] == knew[table], table
    again.die()
