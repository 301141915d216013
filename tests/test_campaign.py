"""The long trials' own tools, tried in small: a trial that cannot fail proves nothing."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from devices.messages import DeviceSeen, Pressed
from gateway.arrival import Arrival
from tests.campaign import _wire, powercut
from tests.campaign._buttons import Buttons
from tests.campaign._shim import Event
from tests.campaign._units import restart_s
from tests.campaign._words import parameters
from tests.campaign.days import Days
from tests.campaign.rubbish import InProcess, faults_of
from tests.gateway.held_hall import SCHEMA
from tests.parts import Mosquitto

FRAME = 24 + 4096


def five_presses(folder: Path) -> list[Event]:
    """The log of a notebook into which five presses are written, each synced, then called written."""
    path = folder / "gateway.db"
    events: list[Event] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as book:
        book.execute("PRAGMA journal_mode=WAL")
        book.executescript("".join(step.read_text(encoding="utf-8") for step in sorted(SCHEMA.glob("*.sql"))))
        book.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        events += [Event("W", str(path), 3, 0, path.read_bytes(), 0), Event("S", str(path), 3, 0, b"", 0)]
        wal, have = path.with_name("gateway.db-wal"), 0
        for seq in range(1, 6):
            book.execute("BEGIN")
            book.execute(
                "INSERT INTO calls(call_id, state, kind, device_id, device_name, claimed, place, person, presses, "
                "button, opened_ms, last_press_ms) VALUES (?,'HEARD','help','b','b',0,'','',1,1,1,1)",
                (seq,),
            )
            book.execute("INSERT INTO presses VALUES ('b', ?, ?, 1)", (f"x:{seq}", seq))
            book.execute("COMMIT")
            data = wal.read_bytes()
            places = [0, *range(32, len(data), FRAME)] if not have else range(have, len(data), FRAME)
            for place in places:
                end = 32 if place == 0 else place + FRAME
                events.append(Event("W", str(wal), 4, place, data[place:end], 0))
            events.append(Event("S", str(wal), 4, 0, b"", 0))
            have = len(data)
            words = json.dumps({"boot": "x", "seq": seq}).encode()
            events.append(Event(">", "", 7, 0, _wire.publish("linli/v1/button/b/written", words, mid=seq), 0))
    return events


def test_a_power_cut_at_every_write_of_five_presses_loses_none_that_was_called_written(
    tmp_path: Path,
) -> None:
    verdict = powercut.Verdict.of(five_presses(tmp_path), random.Random(1), 60)
    assert (verdict.promises, verdict.broken, verdict.breaches) == (5, 0, 0)
    assert verdict.states > 60


@pytest.mark.parametrize("normal", [True, False], ids=["only a checkpoint's fsync", "no fsync"])
def test_the_power_cut_finds_the_presses_that_are_lost_without_fsync(tmp_path: Path, normal: bool) -> None:
    events = powercut.without_syncs(five_presses(tmp_path), normal=normal)
    verdict = powercut.Verdict.of(events, random.Random(1), 60)
    assert verdict.breaches > 0
    assert verdict.worst == 5


def test_an_fsync_that_failed_takes_its_bytes_with_it(tmp_path: Path) -> None:
    """Called written all the same, the press is found missing: the power cut sees through it."""
    events = five_presses(tmp_path)
    last = max(place for place, event in enumerate(events) if event.kind == "S")
    events[last] = Event("F", events[last].name, 4, 0, b"", 0)
    verdict = powercut.Verdict.of(events, random.Random(1), 10)
    assert (verdict.breaches > 0, verdict.worst) == (True, 1)


def test_buttons_repeat_every_second_until_written_and_not_after(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker")
    line, packets = _wire.open_line(broker.port, "hall", "linli/v1/button/+/press")
    line.settimeout(20)
    buttons = Buttons(broker.port, "t", 2, 100.0, 2)
    buttons.start()
    heard: list[tuple[str, int]] = []
    while len(heard) < 4:  # both presses, and both again
        for kind, flags, body in packets.feed(line.recv(65536)):
            if kind == _wire.PUBLISH:
                topic, mid, payload = _wire.published(flags, body)
                line.sendall(_wire.puback(mid))
                heard.append((topic.split("/")[3], json.loads(payload)["seq"]))
    for device, seq in heard[:2]:
        words = json.dumps({"boot": buttons.boot, "seq": seq}).encode()
        line.sendall(_wire.publish(f"linli/v1/button/{device}/written", words))
    buttons.finish(20)
    line.close()
    broker.close()
    assert sorted(heard) == [("t-0", 1), ("t-0", 1), ("t-1", 2), ("t-1", 2)]
    assert all(len(press.sent_s) == 2 and press.waited_ms >= 1000 for press in buttons.written)
    assert len(buttons.written) == 2


def test_a_few_thousand_pieces_of_rubbish_go_the_whole_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each source is named once a day, of the first thousand: other tests have had their say before.
    monkeypatch.setattr("gateway.log._repeats", {})
    assert InProcess(tmp_path, 7).run(2000) == 0


@pytest.mark.parametrize(
    ("fact", "fault"),
    [
        (DeviceSeen("b", "linli", battery_pct=101), "ill-formed battery_pct"),
        (DeviceSeen("b", "nobody's"), "ill-formed family"),
        (DeviceSeen("\ud800", "linli"), "ill-formed device_id"),
        (Pressed("b", press_id="a\nb", family="linli"), "ill-formed press_id"),
        (Pressed("b", age_ms=True, family="linli"), "ill-formed age_ms"),
    ],
)
def test_the_trial_knows_an_ill_formed_fact(fact: DeviceSeen | Pressed, fault: str) -> None:
    assert faults_of(Arrival(0, 0, "b", (fact,))) == [fault]


def test_three_hours_with_the_clock_in_our_hand_add_up(tmp_path: Path) -> None:
    days = Days(tmp_path, days=1, seed=3, day_s=3 * 3600)
    assert days.run() == 0
    assert len(days.tale.lives) > 10


def test_the_days_notice_a_call_that_nobody_remembers(tmp_path: Path) -> None:
    days = Days(tmp_path, days=0, seed=3)
    days._press(1)
    days._finish_calls()
    days.hall.book.write(lambda book: book.execute("UPDATE calls SET presses = presses + 1"))
    assert days._verdict([0], [0]) == 1


def test_a_trial_takes_its_words_by_name_and_refuses_others() -> None:
    assert parameters(["50", "seed=7"], kills=200, seed=1) == {"kills": 50, "seed": 7}
    with pytest.raises(SystemExit, match="roundz=3: this trial has kills=200"):
        parameters(["roundz=3"], kills=200)


def test_the_pauses_between_lives_are_the_units_own() -> None:
    assert [restart_s(part) for part in ("gateway", "broker", "kiosk")] == [0.2, 0.5, 0.5]
