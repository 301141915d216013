"""Several panels on one RS-485 line: a real pseudo-terminal, two signs and a count panel, and one that is dead."""

from __future__ import annotations

import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.faults import HallFileFault
from devices.messages import ShowCount
from devices.plan import Panel, Plan, read_plan
from devices.virtual.__main__ import virtual_lines
from devices.virtual.bus import VirtualBus
from firmware_bridge.__main__ import Bridge
from firmware_bridge.jobs import SCHEMA
from firmware_bridge.panel_desk import ANSWER_WITHIN_MS, MOST_TRIES, PanelDesk
from firmware_bridge.panels import ShowCalled, load_driver
from firmware_bridge.serial_port import SerialPort
from firmware_bridge.turns import Turns
from gateway.house import House
from gateway.notebook import Notebook

PANELS = (
    Panel(id="w1", kind="window", window="W1", via="serial", driver="am03127", port="virtual:east", address=1),
    Panel(id="w2", kind="window", window="W2", via="serial", driver="bx5k", port="virtual:east", address=2),
    Panel(id="gate", kind="count", via="serial", driver="bx5k", port="virtual:east", address=3),
)
ALL = {panel.id for panel in PANELS}


def free(number: int) -> ShowCount:
    return ShowCount("gate", f"空位 {number}", number, 60 - number, 0, 0, 60, True, 0)


class Line:
    """The bridge's own desks on one line; each turn waits for the line, not for the clock, whose time is held."""

    def __init__(self, home: Path) -> None:
        (self.bus,) = virtual_lines(Plan(panels=PANELS), home)
        self.bus.start()
        self.bridge = Bridge(House(home, home / "run", Plan(panels=PANELS), ""), Notebook(home / "bridge.db", SCHEMA))
        self.desks = {desk.panel.id: desk for desk in self.bridge.panels}
        self.tick = 0
        #: tick at which each frame was said, and by whom
        self.said: list[tuple[int, str]] = []

    def turn(self, ms: int = 0) -> None:
        """One turn of the line: who may speak does, and whoever is alive has answered before it ends."""
        self.tick += ms
        before = self._asking()
        for desk in self.desks.values():
            desk.turn(self.tick)
        speaker = self.speaker
        if speaker is None or self._asking() == before:
            return
        self.said.append((self.tick, speaker.panel.id))
        while speaker.wants_to_write:
            speaker.writable(self.tick)
        if not self.bus.panels[speaker.panel.id].state()["silent"]:
            while self.speaker is speaker and not speaker._no:  # whoever was refused gives up its turn in the next
                ready, _, _ = select.select([speaker.port.fileno()], [], [], 5)
                assert ready, "no answer on the line"
                speaker.readable(self.tick)

    def _asking(self) -> tuple[PanelDesk, int] | None:
        speaker = self.speaker
        return None if speaker is None else (speaker, speaker._tries)

    @property
    def speaker(self) -> PanelDesk | None:
        return self.bridge.panels[0].turns.speaker

    def states(self) -> dict[str, str | None]:
        return {name: desk.state for name, desk in self.desks.items()}

    def shown(self) -> dict[str, str]:
        return {name: panel.state()["shown"] for name, panel in self.bus.panels.items()}

    def close(self) -> None:
        self.bridge.close()
        self.bus.stop()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    one = Line(tmp_path)
    yield one
    one.close()


def show_all(line: Line, number: int) -> None:
    line.desks["w1"].show(ShowCalled(f"A{number:03}"))
    line.desks["w2"].show(ShowCalled(f"B{number:03}"))
    line.desks["gate"].show(free(number))


def test_three_panels_share_one_port_and_each_shows_its_own(line: Line) -> None:
    assert len({id(desk.port) for desk in line.bridge.panels}) == 1
    show_all(line, 31)
    for _ in range(4):
        line.turn(20)
    assert line.shown() == {"w1": "A031", "w2": "B031", "gate": "空位 31"}
    assert line.states() == dict.fromkeys(ALL, "ready")
    assert line.bus.state()["answered"] == ["w1", "w2", "gate"], "one after the other, each asked once"


def test_one_that_is_dead_costs_the_others_one_answers_time_and_no_more(line: Line) -> None:
    line.bus.panels["w2"].do("silent")
    waited_ms: list[int] = []
    asked_ms = {"w1": 0, "gate": 0}
    for number in range(1, 21):
        for name in asked_ms:
            asked_ms[name] = line.tick
        line.desks["w1"].show(ShowCalled(f"A{number:03}"))
        line.desks["gate"].show(free(number))
        if number == 1:
            line.desks["w2"].show(ShowCalled("B001"))
        while not (line.shown()["w1"] == f"A{number:03}" and line.shown()["gate"] == f"空位 {number}"):
            line.turn(20)
            assert line.tick - asked_ms["w1"] <= 2 * ANSWER_WITHIN_MS, "it is starved"
        waited_ms.append(line.tick - asked_ms["w1"])
        line.turn(100)
    assert max(waited_ms) <= ANSWER_WITHIN_MS + 60
    assert line.states() == {"w1": "ready", "gate": "ready", "w2": "silent"}
    assert sum(name == "w2" for _, name in line.said) >= MOST_TRIES + 1, "it is tried on"
    line.bus.panels["w2"].do("talk")
    while line.shown()["w2"] != "B001":
        line.turn(100)
        assert line.tick < 60_000
    assert line.states()["w2"] == "ready"


def test_whoever_changes_all_the_time_does_not_keep_the_line(line: Line) -> None:
    show_all(line, 1)
    for number in range(2, 32):
        line.desks["w1"].show(ShowCalled(f"A{number:03}"))
        if number == 10:
            line.desks["gate"].show(free(10))
        line.turn(20)
    first = line.said.index(next(one for one in line.said if one[0] > 180 and one[1] == "gate"))
    asked = next(index for index, one in enumerate(line.said) if one[0] >= 180)
    assert first - asked <= len(PANELS), line.said


def test_a_panel_that_refuses_is_told_of_and_the_others_are_ready(line: Line) -> None:
    line.bus.panels["w1"].do("refuse")
    show_all(line, 5)
    for _ in range(4 * MOST_TRIES):
        line.turn(20)
    assert line.states() == {"w1": "silent", "w2": "ready", "gate": "ready"}
    assert line.shown()["gate"] == "空位 5"


def test_a_line_that_was_pulled_is_a_fault_of_all_and_all_are_told_anew(line: Line) -> None:
    show_all(line, 8)
    for _ in range(4):
        line.turn(20)
    line.bus.panels["w1"].do("unplug")
    line.turn(1100)
    assert line.states() == dict.fromkeys(ALL, "port_missing")
    line.bus.panels["w1"].do("plug")
    assert set(line.shown().values()) == {""}
    for _ in range(5):
        line.turn(600)
    assert line.states() == dict.fromkeys(ALL, "ready")
    assert line.shown()["w1"] == "A008"


def test_what_is_shown_anew_is_not_confirmed_by_the_answer_to_what_was_before(tmp_path: Path) -> None:
    """Amplus answers ACK and nothing else: the ACK of the old text must not stand for the new one."""
    line = Line(tmp_path)
    w1 = line.desks["w1"]
    w1.show(ShowCalled("A001"))
    w1.turn(0)
    while w1.wants_to_write:
        w1.writable(0)
    line.bus.wait_until(lambda state: state["w1"]["told"] == 1, 5)
    w1.show(ShowCalled("A002"))
    select.select([w1.port.fileno()], [], [], 5)
    w1.readable(0)
    assert w1._written == ("ready", "A001"), "what staff see is what the sign shows"
    line.turn(20)
    assert line.shown()["w1"] == "A002" and w1._written == ("ready", "A002")
    line.close()


def test_the_bridges_own_loop_serves_them_all(line: Line) -> None:
    line.bus.panels["w2"].do("silent")
    show_all(line, 12)
    turns = 0
    while line.states()["w1"] != "ready" or line.states()["gate"] != "ready":
        line.bridge.turn(50)
        turns += 1
        assert turns < 200, line.states()
    assert line.shown()["w1"] == "A012" and line.shown()["gate"] == "空位 12"


def test_turns_are_in_the_order_of_asking() -> None:
    turns: Turns[str] = Turns()
    assert turns.take("a") and not turns.take("b") and not turns.take("c") and turns.take("a")
    turns.give("a")
    assert not turns.take("c") and not turns.take("a") and turns.take("b")
    turns.give("c")  # its line is lost: it waits no more
    turns.give("b")
    assert turns.take("a")


@pytest.mark.parametrize("driver", ["xunpeng", "ascii"])
def test_a_panel_without_an_address_needs_a_line_of_its_own(tmp_path: Path, driver: str) -> None:
    alone = Panel(id="old", via="serial", driver=driver, port="virtual:east", address=9)
    plan = Plan(panels=(PANELS[0], alone))
    book = Notebook(tmp_path / "bridge.db", SCHEMA)
    with pytest.raises(HallFileFault, match=f"{driver}.*has no address.*没有地址"):
        Bridge(House(tmp_path, tmp_path / "run", plan, ""), book)
    book.close()


TWO = (
    "[[panels]]\nid='a'\nvia='serial'\nport='/dev/ttyS1'\ndriver='bx5k'\naddress=1\n"
    "[[panels]]\nid='b'\nvia='serial'\nport='/dev/ttyS1'\ndriver='bx5k'\n"
)


def test_the_wiring_of_a_shared_line_is_checked() -> None:
    assert [one.address for one in read_plan(TWO + "address=2\n").panels] == [1, 2]
    with pytest.raises(HallFileFault, match=r"line 12: panels\[2\]\.address: .*'a' with address 1"):
        read_plan(TWO + "address=1\n")
    with pytest.raises(HallFileFault, match=r"panels\[2\]\.baud: 'a' on the same line speaks 9600"):
        read_plan(TWO + "address=2\nbaud=19200\n")


def test_alone_on_its_line_a_desk_needs_no_turn(tmp_path: Path) -> None:
    bus = VirtualBus("one", tmp_path, [("x", "bx5k", 4)])
    bus.start()
    book = Notebook(tmp_path / "bridge.db", SCHEMA)
    bridge = Bridge(House(tmp_path, tmp_path / "run", Plan(), ""), book)
    panel = Panel(id="x", via="serial", kind="window", window="W1", driver="bx5k", address=4)
    desk = PanelDesk(panel, SerialPort(str(bus.link), 9600, "none"), load_driver("bx5k", "x", "window"), bridge.jobs)
    desk.show(ShowCalled("C003"))
    desk.turn(0)
    assert bus.wait_until(lambda state: state["x"]["told"] == 1, 5)["x"]["shown"] == "C003"
    desk.close()
    bridge.close()
    bus.stop()
