"""The panel's frames, byte for byte, and what a driver at the gate reads."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.faults import HallFileFault
from devices.messages import ShowCount
from devices.plan import DIGITS_ONLY, Panel
from firmware_bridge import panels
from firmware_bridge.panels import PLAIN, load_driver, xunpeng
from gateway.hall.parking_rows import Site, ZonePlan
from gateway.hall.showing import ONE_SITE, follow
from gateway.hall.state import HallState, Zone


def count(free: int, total: int = 60, unknown: int = 0, closed: int = 0, certain: bool = True) -> ShowCount:
    return ShowCount(
        "gate", f"空位 {free}", free, total - free - unknown - closed, unknown, closed, total, certain, 0
    )


def test_the_makers_own_example() -> None:
    frame = xunpeng.compose(count(888, total=2000))
    assert frame.raw == bytes.fromhex("3A 00 78 03 01 B6 0A")
    assert xunpeng.confirmed(bytes.fromhex("2A 00 78 03 01 A6 0A"), frame.raw)


@pytest.mark.parametrize(
    ("what", "raw", "shown"),
    [
        (count(41), "3A 00 29 00 01 64 0A", "41 green"),
        (count(7), "3A 00 07 00 01 42 0A", "7 green"),
        (count(6), "3A 01 06 00 01 42 0A", "6 yellow"),
        (count(1), "3A 01 01 00 01 3D 0A", "1 yellow"),
        (count(0), "3A 02 00 00 01 3D 0A", "0 red"),
        (count(10), "3A 00 0A 00 01 45 0A", "10 green"),
        (count(12, unknown=20, certain=False), "3A 01 0C 00 01 48 0A", "12 yellow least"),
        (count(0, unknown=30, certain=False), "3A 01 00 00 01 3C 0A", "0 yellow least"),
        (count(1500, total=2000), "3A 00 E7 03 01 25 0A", "999 green"),
    ],
)
def test_frames(what: ShowCount, raw: str, shown: str) -> None:
    """Yellow from a tenth of the bays down; red is only said when it is certain."""
    frame = xunpeng.compose(what)
    assert (frame.raw, frame.shown) == (bytes.fromhex(raw), shown)


def test_the_zones_own_level_and_its_reserve_are_what_is_shown() -> None:
    def shown(**more: Any) -> str:
        return xunpeng.compose(replace(count(20), **more)).shown

    assert shown(level="almost", reserved=4) == "16 yellow"
    assert shown(level="full", reserved=20) == "0 red"
    assert shown(level="open", reserved=0) == "20 green"
    assert shown(level="", certain=False, reserved=5) == "15 yellow least"


def test_a_hall_may_choose_a_red_nought_where_the_panel_has_no_dashes() -> None:
    chosen = Panel(id="gate", via="serial", unsure="full")
    frame = xunpeng.compose(count(12, unknown=20, certain=False), chosen)
    assert (frame.raw, frame.shown) == (bytes.fromhex("3A 02 00 00 01 3D 0A"), "0 red chosen")
    assert xunpeng.compose(count(12), chosen).shown == "12 green", "what is known is shown as ever"


@pytest.mark.parametrize("name", [one.name for one in pkgutil.iter_modules(panels.__path__)])
def test_the_faces_know_which_panels_have_no_dashes(name: str) -> None:
    driver = importlib.import_module(f"firmware_bridge.panels.{name}")
    shown = driver.compose(replace(count(3, certain=False), text="空位 --", text_en="Free --"), PLAIN).shown
    assert ("--" not in shown) is (name in DIGITS_ONLY)


_zone = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 5))


@given(zones=st.lists(_zone, min_size=1, max_size=3), capacity=st.integers(0, 12))
@settings(max_examples=150, deadline=None)
def test_what_it_shows_is_never_above_the_truth(zones: list[tuple[int, int, int, int]], capacity: int) -> None:
    """Free, taken, unknown, a reserve each; whatever the unknown are, at least so many are for whoever comes."""

    def shown(known: list[tuple[int, int, int, int]]) -> int:
        state = HallState()
        state.table(Site)[ONE_SITE] = Site(ONE_SITE, "场", "Site", capacity)
        for number, (free, taken, unknown, reserve) in enumerate(known):
            name = f"z{number}"
            state.zones[name] = Zone(name, name, name, free, taken, unknown)
            state.table(ZonePlan)[name] = ZonePlan(name, residents_reserve=reserve)
        (told,) = [one for one in follow(state, [PLAIN], 0).effects if isinstance(one, ShowCount)]
        return int.from_bytes(xunpeng.compose(told).raw[2:4], "little")

    most = shown(zones)
    for freed in itertools.product(*(range(zone[2] + 1) for zone in zones)):
        truth = [(f + more, t + u - more, r) for (f, t, u, r), more in zip(zones, freed, strict=True)]
        assert most <= sum(max(0, free - reserve) for free, _, reserve in truth)


def test_another_panels_answer_confirms_nothing() -> None:
    sent = xunpeng.compose(count(41)).raw
    assert not xunpeng.confirmed(bytes.fromhex("2A 00 2A 00 01 55 0A"), sent)
    assert not xunpeng.confirmed(sent, sent), "an echo of the line is not an answer"


def test_a_panel_that_takes_plain_text() -> None:
    driver = load_driver("ascii", "gate")
    frame = driver.compose(count(12))
    assert frame.raw == "空位 12".encode("gbk") + b"\r\n"
    assert not driver.ANSWERS


def test_an_unknown_driver_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(HallFileFault) as refused:
        load_driver("xunpang", "gate-count")
    assert (
        str(refused.value)
        == "hall.toml: panels: gate-count: unknown driver 'xunpang'; did you mean 'xunpeng'?"
    )
