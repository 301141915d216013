"""The processors are kept awake while people press, and not longer."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from gateway.awake import AWAKE_NS, Wakefulness

ANY, NONE = 2_000_000_000, 0


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """A plain file in the kernel's place: it keeps every request, one after the other."""
    path = tmp_path / "cpu_dma_latency"
    path.touch()
    return path


def asked(device: Path) -> list[int]:
    return [number for (number,) in struct.iter_unpack("i", device.read_bytes())]


def test_a_hall_in_which_nobody_presses_sleeps(device: Path) -> None:
    wakefulness = Wakefulness(device)
    wakefulness.rest(10 * AWAKE_NS)
    assert asked(device) == [ANY]
    assert not wakefulness.awake


def test_awake_from_the_first_press_until_a_second_after_the_last(device: Path) -> None:
    wakefulness = Wakefulness(device)
    wakefulness.pressed(1_000)
    wakefulness.pressed(1_000 + AWAKE_NS // 2)
    wakefulness.rest(1_000 + AWAKE_NS)
    assert asked(device) == [ANY, NONE]  # asked once, not at each press, and not given back too early
    wakefulness.rest(1_000 + AWAKE_NS // 2 + AWAKE_NS)
    assert asked(device) == [ANY, NONE, ANY]


def test_where_the_kernel_may_not_be_asked_a_press_is_a_press_all_the_same(tmp_path: Path) -> None:
    wakefulness = Wakefulness(tmp_path / "not-there")
    wakefulness.pressed(1_000)
    wakefulness.rest(2 * AWAKE_NS)
    wakefulness.close()
    assert not wakefulness.awake
    assert wakefulness.why == "No such file or directory"


def test_a_kernel_that_refuses_later_is_asked_no_more() -> None:
    wakefulness = Wakefulness(Path("/dev/full"))  # takes the opening and refuses every word
    wakefulness.pressed(1_000)
    assert not wakefulness.awake
    assert wakefulness.why == "No space left on device"
