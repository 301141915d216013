"""A count panel while no gateway runs: what was true once is not told for ever."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.plan import Panel
from firmware_bridge.gateway_life import AWAY_AT_MOST_MS, somebody_has
from firmware_bridge.panels import load_driver
from tests.firmware_bridge.test_bus import Line
from tests.gateway.car_park import CarPark


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """Two free bays, written by a real gateway's loop, and the panel that shows them."""
    park = CarPark(tmp_path, Panel(id="gate"))
    for number in range(2):
        park.bay(f"s{number}", f"e{number}")
        park.ours(f"s{number}", False)
    park.turn()
    one = Line(tmp_path)
    yield one
    one.close()
    park.die()


def look(line: Line, ms: int) -> str:
    """So much later the bridge looks at the counts and tells the panel; what the panel shows then."""
    line.bridge._look_at_counts(line.tick + ms)
    line.turn(ms)
    return line.shown()["gate"]


def listening(line: Line) -> socket.socket:
    path = line.bridge.gateway._path
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    gateway = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    gateway.bind(str(path))
    gateway.listen()
    return gateway


def test_a_panel_does_not_go_on_telling_the_last_count_of_a_gateway_that_is_gone(line: Line) -> None:
    with listening(line) as gateway:
        assert look(line, 10) == "空位 2"
        assert look(line, 2 * AWAY_AT_MOST_MS) == "空位 2"
        gateway.setblocking(False)
        with pytest.raises(BlockingIOError):
            gateway.accept()  # it is not disturbed by the question
    assert look(line, 6_000) == "空位 2", "it may only begin anew"
    assert look(line, AWAY_AT_MOST_MS) == "空位 --"
    with listening(line):
        assert look(line, 6_000) == "空位 2"


def test_a_panel_of_digits_promises_nothing_then(line: Line) -> None:
    look(line, 10)
    look(line, AWAY_AT_MOST_MS + 10)
    told = line.desks["gate"]._what
    assert told is not None
    assert load_driver("xunpeng", "gate").compose(told).shown == "0 yellow least"


def test_a_socket_that_was_left_behind_is_nobody(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    assert not somebody_has(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as gateway:
        gateway.bind(str(path))
        gateway.listen()
        assert somebody_has(path)
    assert path.exists() and not somebody_has(path)
