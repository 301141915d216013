"""A panel on MQTT repeats what it shows: its silence, its last will and another number than it was told are faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.plan import Panel
from devices.virtual.bay import VirtualTextPanel
from devices.virtual.line import Line
from gateway.hall.panel_care import LONG_MS
from gateway.wire import Published
from tests.gateway.car_park import CarPark
from tests.parts import gateway

GATE = Panel(id="gate", name_zh="东门屏", name_en="East gate panel")
SERIAL = Panel(id="wall", via="serial")
MUTE = Panel(id="mute", answers=False)
WELL = {"text": "空位 2", "number": 2, "every_s": 20}


@pytest.fixture
def park(tmp_path: Path) -> Iterator[CarPark]:
    one = CarPark(tmp_path, GATE, SERIAL, MUTE, mute=False)
    for number in range(2):
        one.bay(f"s{number}", f"e{number}")
        one.ours(f"s{number}", False)
    one.after(60)
    yield one
    one.die()


def says(park: CarPark, what: str = "state", **words: object) -> None:
    park.hear(f"linli/v1/panel/gate/{what}", {**WELL, **words})


def state_of(park: CarPark, panel: str = "gate") -> str:
    return str(park.loop.teller.parts.get(f"panel:{panel}", {}).get("state", ""))


def panel_is(panel: str, state: str, since_ms: int) -> dict[str, object]:
    return {"panel": panel, "state": state, "since_ms": since_ms, "why_zh": "没有回音", "why_en": "no answer"}


def test_a_panel_that_says_what_it_was_told_is_well_until_three_of_its_words_are_missing(park: CarPark) -> None:
    says(park)
    assert state_of(park) == "ready"
    park.after(55)
    assert state_of(park) == "ready"
    park.after(10)
    part = park.loop.teller.parts["panel:gate"]
    assert part["state"] == "silent" and "东门屏" in str(part["why_zh"]) and "East gate" in str(part["why_en"])
    says(park)
    assert state_of(park) == "ready", "it goes by itself"


def test_one_that_has_never_spoken_is_silent_after_three_minutes_and_one_that_cannot_speak_never(
    park: CarPark,
) -> None:
    park.after(110)
    assert state_of(park) == "", "its time is not over: nobody knows"
    park.after(15)
    assert state_of(park) == "silent"
    assert (state_of(park, "mute"), state_of(park, "wall")) == ("", "")


def test_another_number_than_it_was_told_is_a_fault_but_not_the_number_of_a_moment_ago(park: CarPark) -> None:
    says(park)
    park.ours("s0", True)
    park.turn()
    assert park.panel().number == 1
    says(park)
    assert state_of(park) == "ready", "it is still on its way"
    park.after(15)
    says(park)
    assert state_of(park) == "differs"
    says(park, text="Free 1", number=1)
    assert state_of(park) == "ready", "in either language"
    says(park, text=None, number=7)
    assert state_of(park) == "differs"
    park.hear("linli/v1/panel/gate/state", {"every_s": 20})
    assert state_of(park) == "ready", "a sign of life alone contradicts nothing"


def test_its_last_will_is_a_fault_at_once_and_what_the_broker_remembers_no_sign_of_life(park: CarPark) -> None:
    says(park)
    park.hear("linli/v1/panel/gate/status", b"offline")
    assert state_of(park) == "offline"
    park.loop.counts.clear()
    remembered = Published(b"linli/v1/panel/gate/state", json.dumps(WELL).encode(), 1, True, False, 1)
    park.entrance.from_known(remembered, None)
    assert state_of(park) == "offline" and park.loop.counts["retained"] == 1
    park.hear("linli/v1/panel/gate/status", b"online")
    assert state_of(park) == "ready"


@pytest.mark.parametrize(
    ("topic", "payload", "counted"),
    [
        ("gate/state", b"{", "garbage"),
        ("gate/state", b'{"text": 7}', "garbage"),
        ("gate/state", b'{"number": "many"}', "garbage"),
        ("gate/status", b"", "garbage"),
        ("nobody/state", b'{"text": "x"}', "unknown_topic"),
        ("wall/state", b'{"text": "x"}', "unknown_topic"),
    ],
)
def test_what_no_panel_says_is_counted_and_acknowledged(
    park: CarPark, topic: str, payload: bytes, counted: str
) -> None:
    number = park.hear(f"linli/v1/panel/{topic}", payload)
    assert park.loop.counts[counted] == 1 and number in park.acked
    assert state_of(park) == ""


def test_while_the_broker_is_away_no_panel_is_called_silent(park: CarPark) -> None:
    says(park)
    park.loop.teller.part_is("broker", "down", "断了", "gone")
    park.after(600)
    assert state_of(park) == "ready"
    park.loop.teller.part_is("broker", "ready")
    park.after(50)
    assert state_of(park) == "ready"
    park.after(20)
    assert state_of(park) == "silent"


def test_a_quarter_of_an_hour_is_a_task_that_closes_itself_when_the_panel_answers(park: CarPark) -> None:
    says(park)
    park.after(70)
    assert state_of(park) == "silent"
    park.after(LONG_MS / 1000 - 30)
    assert park.tasks("panel") == []
    park.after(60)
    (task,) = park.tasks("panel")
    assert task.subject == "panel:gate" and "15 分钟" in task.why_zh and "15 min" in task.why_en
    park.restart()
    park.after(60)
    assert len(park.tasks("panel")) == 1, "after a start nobody knows, and nothing is closed"
    says(park)
    park.after(10)
    assert park.tasks("panel") == []
    done_by, done_ms = park.book.connection.execute("SELECT done_by, done_ms FROM parking_tasks").fetchone()
    assert done_by == "系统 Linli" and done_ms


def test_a_panel_on_a_serial_line_is_told_of_by_the_order_panels(park: CarPark) -> None:
    now_ms = park.clock.now_ms()
    park.done("panels", panels=[panel_is("wall", "silent", now_ms - LONG_MS + 1000)])
    assert park.tasks("panel") == []
    told = [panel_is("wall", "silent", now_ms - LONG_MS), panel_is("east", "port_missing", now_ms - 2 * LONG_MS)]
    park.done("panels", panels=told)
    park.done("panels", panels=told)
    assert [(one.subject, one.task_id) for one in park.tasks("panel")] == [("panel:wall", 1), ("panel:east", 2)]
    park.after(10)
    assert [one.subject for one in park.tasks("panel")] == ["panel:wall"], "hall.toml has no panel east any more"
    park.done("panels", panels=[panel_is("wall", "ready", now_ms)])
    assert park.tasks("panel") == []


@pytest.mark.parametrize("panels", [None, {}, ["x"], [{"panel": "wall"}], [panel_is("", "silent", 1)]])
def test_panels_that_are_none_are_refused(park: CarPark, panels: object) -> None:
    assert park.refused("panels", panels=panels)


def test_a_virtual_panel_answers_through_a_real_broker_and_is_missed_when_it_goes(tmp_path: Path) -> None:
    with gateway(tmp_path, '[[panels]]\nid = "gate"\n') as running:
        seat, device = running.seat(), running.device()
        line = Line("127.0.0.1", running.broker.port, lambda: None)
        panel = VirtualTextPanel("gate", line)
        line.start()
        try:
            seat.wait_fact("PartChanged", part="panel:gate", state="ready")
            assert panel.state()["text"] == "空位 --", "no bay is known yet"
            device.say("linli/v1/panel/gate/status", b"offline")
            seat.wait_fact("PartChanged", part="panel:gate", state="offline")
            panel.do("talk")
            seat.wait_fact("PartChanged", part="panel:gate", state="ready")
        finally:
            line.stop()
