"""What a sensor's word is worth: it settles, it is in order, and a silent one is unknown. By the real entrance."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from devices.faults import NotWritten
from devices.messages import BayHeard, DeviceSeen
from devices.virtual import noise
from gateway import log
from gateway.hall.parking_rows import SensorSetting, WordOrder
from gateway.hall.rules import Fact, decide
from gateway.hall.sensing import DISTANCE, MAGNETIC
from gateway.hall.state import Decision, HallState
from tests.gateway.car_park import CarPark

PLACEPOD = "ff00000000000001"
EYE = "ff00000000000002"


@pytest.fixture
def park(tmp_path: Path) -> Iterator[CarPark]:
    """Two magnetic sensors and an ultrasonic one, bought; all bays free."""
    one = CarPark(tmp_path)
    one.bay(f"chirpstack_v4:{PLACEPOD}", "m1", model="PlacePod")
    one.bay(f"chirpstack_v4:{EYE}", "d1", model="EM310-UDL")
    magnet(one, False, 1)
    eye(one, 2400, 1)
    one.turn()
    assert one.state_of("m1") == one.state_of("d1") == "free"
    yield one
    one.adds_up()
    one.die()


def magnet(park: CarPark, occupied: bool, count: int) -> None:
    """PNI's protocol: channel 15 66, one byte."""
    park.lorawan(PLACEPOD, bytes([0x15, 0x66, occupied]), 2, count, "PlacePod")


def eye(park: CarPark, distance_mm: int, count: int) -> None:
    """Milesight's protocol: channel 03 82, two bytes, the low one first."""
    frame = bytes([0x03, 0x82]) + distance_mm.to_bytes(2, "little")
    park.lorawan(EYE, frame, 85, count, "EM310-UDL")


# ---------------------------------------------------------------- settling


def test_a_magnetic_sensors_new_word_counts_after_ten_seconds_and_not_before(park: CarPark) -> None:
    magnet(park, True, 2)
    park.after(MAGNETIC.hold_ms / 1000 - 1, 1)
    assert park.state_of("m1") == "free"
    park.after(1, 0.5)
    assert park.state_of("m1") == "taken"
    assert park.panel().taken == 1


def test_a_lorry_that_passes_is_no_car(park: CarPark) -> None:
    commits = park.loop.lateness.commits.total
    magnet(park, True, 2)
    park.after(5, 1)
    magnet(park, False, 3)
    park.after(30, 1)
    assert park.state_of("m1") == "free"
    assert park.loop.lateness.commits.total == commits, "and nothing of it was written"


def test_a_second_candidate_is_not_helped_by_the_time_of_the_first(park: CarPark) -> None:
    magnet(park, True, 2)
    park.after(7, 1)
    magnet(park, False, 3)
    magnet(park, True, 4)
    park.after(6, 1)
    assert park.state_of("m1") == "free"
    park.after(5, 1)
    assert park.state_of("m1") == "taken"


def test_three_readings_of_a_distance_that_agree_are_a_car(park: CarPark) -> None:
    for count in (2, 3):
        eye(park, 900, count)
        park.turn()
    assert park.state_of("d1") == "free"
    eye(park, 910, 4)
    park.turn()
    assert park.state_of("d1") == "taken"


def test_a_distance_that_is_said_once_and_never_contradicted_is_believed_in_the_end(park: CarPark) -> None:
    eye(park, 900, 2)
    park.after(DISTANCE.hold_ms / 1000 - 60, 30)
    assert park.state_of("d1") == "free"
    park.after(120, 30)
    assert park.state_of("d1") == "taken"


def test_our_own_sensor_has_settled_its_word_itself(park: CarPark) -> None:
    park.bay("s-1", "o1")
    park.ours("s-1", False)
    park.turn()
    park.ours("s-1", True)
    park.turn()
    assert park.state_of("o1") == "taken"


def test_staff_can_set_how_a_sensor_is_read(park: CarPark) -> None:
    eye_id = f"chirpstack_v4:{EYE}"
    park.done("put_sensor", device_id=eye_id, threshold_mm=800, readings=1, by="t")
    eye(park, 900, 2)
    park.turn()
    assert park.state_of("d1") == "free", "it is not nearer than 800 mm"
    eye(park, 700, 3)
    park.turn()
    assert park.state_of("d1") == "taken", "and one reading is enough"
    park.restart()
    assert park.loop.state.table(SensorSetting)[eye_id].threshold_mm == 800


@pytest.mark.parametrize("wrong", [0, 65535])
def test_no_echo_is_a_fault_and_no_state(park: CarPark, wrong: int) -> None:
    eye(park, wrong, 2)
    park.turn()
    assert park.state_of("d1") == "unknown"
    device = park.loop.state.devices[f"chirpstack_v4:{EYE}"]
    assert device.health == "fault" and "回波" in device.why_zh and "echo" in device.why_en
    eye(park, 2400, 3)
    park.turn()
    assert park.state_of("d1") == "free"
    assert park.loop.state.devices[f"chirpstack_v4:{EYE}"].health == "ok"


def test_a_negative_distance_is_a_fault_and_no_state(park: CarPark) -> None:
    park.bay("tasmota:probe", "t1")
    park.hear("tele/probe/SENSOR", {"SR04": {"Distance": 240.0}})
    park.turn()
    assert park.state_of("t1") == "free"
    park.hear("tele/probe/SENSOR", {"SR04": {"Distance": -16.7}})
    park.turn()
    assert park.state_of("t1") == "unknown"
    assert park.loop.state.devices["tasmota:probe"].health == "fault"


def test_an_orderly_stop_takes_what_is_being_settled_as_it_is(park: CarPark) -> None:
    """The sensor has been acknowledged, and may not say it again for hours."""
    magnet(park, True, 2)
    park.turn()
    park.restart(kindly=True)
    assert park.state_of("m1") == "taken"


def test_a_disk_that_refuses_loses_no_settled_word(park: CarPark) -> None:
    def refuse(_work: object, _meanwhile: object = None) -> object:
        raise NotWritten("disk full", "磁盘已满")

    magnet(park, True, 2)
    park.turn()
    park.book.write = refuse  # type: ignore[method-assign, assignment]
    park.after(20, 1)
    assert park.state_of("m1") == "free"
    del park.book.write
    park.after(5, 1)
    assert park.state_of("m1") == "taken"


# ---------------------------------------------------------------- a noisy trace


class Watcher:
    """Notes each turn of a bay, and whether a car had really come or gone."""

    def __init__(self, park: CarPark, bay: str) -> None:
        self.park, self.bay = park, bay
        self.last, self.turns, self.false = "free", 0, 0

    def look(self, truth: bool) -> None:
        state = self.park.state_of(self.bay)
        if state in ("unknown", self.last):
            return
        self.last = state
        self.turns += 1
        self.false += (state == "taken") is not truth


def test_a_thousand_noisy_words_of_a_magnetic_sensor_make_at_most_one_false_flip(park: CarPark) -> None:
    words, watcher = noise.magnetic(), Watcher(park, "m1")
    began_s, truth = park.clock.mono_s + 1, False
    for word in words:
        while park.clock.mono_s < began_s + word.at_s:
            park.clock.pass_s(min(1.0, max(0.01, began_s + word.at_s - park.clock.mono_s)))
            park.loop.turn(longest_wait_s=0.0)
            watcher.look(truth)
        truth = word.truth
        magnet(park, word.occupied, word.seq + 10)
    park.after(30, 1)
    watcher.look(truth)
    real = noise.flips([word.truth for word in words])
    assert len(words) == 1000 and real > 20, "the trace has cars in it"
    assert watcher.false <= 1
    assert watcher.turns == real + 2 * watcher.false, "and no car was missed"


def test_a_thousand_noisy_readings_of_a_distance_make_at_most_one_false_flip(park: CarPark) -> None:
    words, watcher = noise.ultrasonic(), Watcher(park, "d1")
    began_s = park.clock.mono_s + 1
    for word in words:
        park.clock.pass_s(max(0.01, began_s + word.at_s - park.clock.mono_s))
        eye(park, word.distance_mm, word.seq + 10)
        park.turn()
        watcher.look(word.truth)
    real = noise.flips([word.truth for word in words])
    assert len(words) == 1000 and real > 10
    assert watcher.false <= 1
    assert watcher.turns == real + 2 * watcher.false


# ---------------------------------------------------------------- order


def test_an_old_word_and_a_word_that_comes_again_change_nothing(park: CarPark) -> None:
    park.bay("s-1", "o1")
    for seq, occupied in ((5, False), (7, True), (6, False), (5, False), (7, True)):
        park.ours("s-1", occupied, seq)
        park.turn()
    assert park.state_of("o1") == "taken"
    assert park.loop.counts["old_words"] == 3
    park.ours("s-1", False, 8)
    park.turn()
    assert park.state_of("o1") == "free"


def test_a_sensor_that_starts_anew_is_heard_at_once_and_its_last_life_is_over(park: CarPark) -> None:
    park.bay("s-1", "o1")
    park.ours("s-1", True, 900, boot="first")
    park.turn()
    park.ours("s-1", False, 1, boot="second")
    park.turn()
    assert park.state_of("o1") == "free"
    park.ours("s-1", True, 901, boot="first")
    park.turn()
    assert park.state_of("o1") == "free"


def test_a_lorawan_sensor_that_joins_anew_counts_from_zero(park: CarPark) -> None:
    magnet(park, True, 4000)
    park.after(11, 1)
    park.hear(f"application/1/device/{PLACEPOD}/event/join", {"deviceInfo": {"devEui": PLACEPOD}})
    magnet(park, False, 0)
    park.after(11, 1)
    assert park.state_of("m1") == "free"


def test_one_whose_joining_nobody_heard_is_believed_after_an_hour(park: CarPark) -> None:
    magnet(park, True, 4000)
    park.after(11, 1)
    for count in range(5):
        magnet(park, False, count)
        park.after(900, 300)
    assert park.state_of("m1") == "free"


def test_a_platforms_word_is_ordered_by_its_own_time(park: CarPark) -> None:
    park.bay("generic_json:p-1", "g1")
    park.done("put_sensor", device_id="generic_json:p-1", hold_ms=0, by="t")

    def said(minute: int, occupied: bool) -> None:
        stamp = f"2026-11-18T00:{minute:02d}:00Z"
        words = {"id": "p-1", "timestamp": stamp, "occupied": occupied, "packettype": "Status"}
        park.hear("v1/up/p-1", words)
        park.turn()

    said(1, False)
    said(3, True)
    said(2, False)
    assert park.state_of("g1") == "taken"


def test_what_is_replayed_after_a_kill_changes_nothing(park: CarPark) -> None:
    park.bay("s-1", "o1")
    park.ours("s-1", True, 50, boot="first")
    park.turn()
    park.ours("s-1", True, 100)
    park.turn()
    park.ours("s-1", False, 104)
    park.turn()
    park.ours("s-1", False, 105)
    park.turn()
    park.restart()
    for seq, boot in ((50, "9f3a"), (100, "9f3a"), (103, "9f3a"), (51, "first")):
        park.ours("s-1", True, seq, boot=boot)
        park.turn()
        assert park.state_of("o1") == "free", f"{seq} of {boot} is older than what was taken in before the kill"
    assert park.loop.counts["old_words"] == 4
    park.ours("s-1", True, 106)
    park.turn()
    assert park.state_of("o1") == "taken", "its next word is news"
    park.restart()
    park.ours("s-1", False, 0, boot="anew")
    park.turn()
    assert park.state_of("o1") == "free", "one that started while we were away is believed at once"


def test_a_lorry_of_before_a_kill_does_not_come_back(park: CarPark) -> None:
    magnet(park, True, 2)
    park.after(5, 1)
    magnet(park, False, 3)
    park.after(60, 5)
    park.restart()
    magnet(park, True, 2)
    park.after(30, 1)
    assert park.state_of("m1") == "free"


def test_silence_is_not_ended_by_an_old_word_after_a_kill(park: CarPark) -> None:
    park.bay("s-1", "o1")
    for seq in (1, 2, 3):
        park.ours("s-1", True, seq)
        park.turn()
    park.after(3 * 600 + 60, 30)
    assert park.state_of("o1") == "unknown"
    park.restart()
    park.ours("s-1", True, 2)
    park.turn()
    assert park.state_of("o1") == "unknown"


def test_a_lorawan_sensor_that_joined_anew_while_we_were_away_is_heard_at_once(park: CarPark) -> None:
    def says(occupied: bool, count: int, address: str) -> None:
        park.lorawan(PLACEPOD, bytes([0x15, 0x66, occupied]), 2, count, "PlacePod", devAddr=address)
        park.after(11, 1)

    says(True, 4000, "01a2b3c4")
    park.restart()
    says(False, 3999, "01a2b3c4")
    assert park.state_of("m1") == "taken", "a replay"
    says(False, 0, "017f0009")
    assert park.state_of("m1") == "free", "the network gave it another address: its counter began anew"
    says(True, 4001, "01a2b3c4")
    assert park.state_of("m1") == "free", "and what it said before is over"


def test_a_joining_that_was_heard_outlives_a_kill(park: CarPark) -> None:
    magnet(park, True, 4000)
    park.after(11, 1)
    park.hear(f"application/1/device/{PLACEPOD}/event/join", {"deviceInfo": {"devEui": PLACEPOD}})
    park.after(60, 5)
    park.restart()
    magnet(park, False, 0)
    park.after(11, 1)
    assert park.state_of("m1") == "free"


def test_without_a_session_an_hour_of_lower_numbers_is_believed_after_a_kill_too(park: CarPark) -> None:
    magnet(park, True, 4000)
    park.after(11, 1)
    park.restart()
    for count in range(5):
        magnet(park, False, count)
        park.after(900, 300)
    assert park.state_of("m1") == "free"


def test_an_orderly_stop_keeps_the_newest_word_of_all_and_a_quiet_quarter_of_an_hour_writes_nothing(
    park: CarPark,
) -> None:
    park.bay("s-1", "o1")
    for seq in (1, 2, 3):
        park.ours("s-1", False, seq)
        park.turn()
    park.restart(kindly=True)
    assert park.loop.state.table(WordOrder)["s-1"].number == 3
    park.after(60)
    commits = park.loop.lateness.commits.total
    park.loop.parking.persist_words()
    assert park.loop.lateness.commits.total == commits


@pytest.mark.parametrize("seq", ["-4", "true", "1e999", '"5"', "null", "2147483648", "[]", "7.5"])
def test_a_number_that_is_none_is_counted_and_named_and_turns_no_bay(
    park: CarPark, seq: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_repeats", {})  # a new day: nobody has been named in it
    device = "s-odd"
    park.bay(device, "o1")
    park.ours(device, False, 5)
    park.turn()
    park.hear(f"linli/v1/bay/{device}/state", f'{{"boot":"9f3a","seq":{seq},"occupied":true}}'.encode())
    park.turn()
    assert park.state_of("o1") == "free"
    assert park.loop.counts["garbage"] == 1
    assert f"linli/v1/bay/{device}/state" in caplog.text and "seq" in caplog.text


def test_what_a_lorry_owes_is_put_on_disk_though_its_candidate_was_due_in_the_same_turn(park: CarPark) -> None:
    """A loop that was kept from turning does everything at once; the minute's look must not be a minute late for it."""
    park.after(65, 65)
    park.after(5, 5)  # the minute's look was 5 s ago: the candidate is due before the next one
    magnet(park, True, 2)
    park.turn()
    magnet(park, False, 3)
    park.turn()
    park.after(61, 61)
    park.after(3, 1)
    park.restart()
    magnet(park, True, 2)
    park.after(61, 1)
    assert park.state_of("m1") == "free"


@given(
    words=st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=10),
    chance=st.randoms(use_true_random=False),
    kind=st.sampled_from(["ours", "magnetic", "distance"]),
)
@example(words=[True, False, True, False], chance=Random(2), kind="magnetic")  # a minute that fell on a word
@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_kills_and_replays_at_any_point_end_as_the_ordered_history(
    tmp_path_factory: pytest.TempPathFactory, words: list[bool | None], chance: Random, kind: str
) -> None:
    """What is being settled may be lost by a kill; so a sensor that does not settle itself has had its time."""
    park = CarPark(tmp_path_factory.mktemp("park"))
    park.bay(f"chirpstack_v4:{PLACEPOD}", "b-magnetic", model="PlacePod")
    park.bay(f"chirpstack_v4:{EYE}", "b-distance", model="EM310-UDL")
    park.done("put_sensor", device_id=f"chirpstack_v4:{EYE}", hold_ms=120_000, by="t")  # sooner than it falls silent
    park.bay("s-1", "b-ours")

    def says(seq: int, occupied: bool | None) -> None:
        if kind == "ours":
            park.ours("s-1", occupied, seq)
        elif kind == "magnetic":
            magnet(park, occupied is True, seq)
        else:
            eye(park, {True: 900, False: 2400, None: 0}[occupied], seq)
        park.turn()

    wait_s = {"ours": 0, "magnetic": 61, "distance": 181}[kind]
    try:
        for seq, occupied in enumerate(words):
            says(seq, occupied)
            if chance.random() < 0.5:
                park.after(wait_s, 60)
                stands = park.state_of(f"b-{kind}")
                park.restart()
                for old in chance.sample(range(seq + 1), chance.randint(1, seq + 1)):
                    says(old, words[old])
                park.after(wait_s, 60)
                assert park.state_of(f"b-{kind}") == stands
        park.after(wait_s, 60)
        newest = words[-1] is True if kind == "magnetic" else words[-1]
        assert park.state_of(f"b-{kind}") == {True: "taken", False: "free", None: "unknown"}[newest]
        park.adds_up()
    finally:
        park.die()


@given(
    words=st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=12).flatmap(
        lambda states: st.permutations([*enumerate(states, 1), *list(enumerate(states, 1))[::2]])
    ),
    kind=st.sampled_from(["ours", "magnetic", "distance"]),
)
@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.long
def test_any_order_of_a_numbered_history_ends_as_the_ordered_one(
    tmp_path_factory: pytest.TempPathFactory, words: list[tuple[int, bool | None]], kind: str
) -> None:
    ends = []
    for history in (sorted(set(words), key=lambda word: word[0]), words):
        park = CarPark(tmp_path_factory.mktemp("park"))
        park.bay(f"chirpstack_v4:{PLACEPOD}", "m1", model="PlacePod")
        park.bay(f"chirpstack_v4:{EYE}", "d1", model="EM310-UDL")
        park.bay("s-1", "o1")
        for seq, occupied in history:
            if kind == "ours":
                park.ours("s-1", occupied, seq)
            elif kind == "magnetic" and occupied is not None:
                magnet(park, occupied, seq)
            elif kind == "distance":
                eye(park, {True: 900, False: 2400, None: 0}[occupied], seq)
            park.turn()
        park.after(DISTANCE.hold_ms / 1000 + 10 if kind == "distance" else 20, 60)
        park.adds_up()
        ends.append([park.state_of(bay) for bay in ("m1", "d1", "o1")])
        park.die()
    assert ends[0] == ends[1]


# ---------------------------------------------------------------- silence


@pytest.mark.parametrize(
    ("device", "model", "hours"),
    [
        ("chirpstack_v4:ff00000000000011", "TPS110", 25),
        ("chirpstack_v4:ff00000000000012", "Smart Parking v2", 7),
        ("chirpstack_v4:ff00000000000013", "EM400-MUD", 1),
        ("chirpstack_v4:ff00000000000014", "R718PE", 3),
        ("chirpstack_v4:ff00000000000015", "PlacePod", 37),
        ("generic_json:p-9", "", 25),
        ("ngsi:spot-9", "", 25),
    ],
)
def test_silent_for_longer_than_its_model_may_it_is_unknown_within_a_minute(
    park: CarPark, device: str, model: str, hours: int
) -> None:
    park.bay(device, "x1", model=model)
    family, _, address = device.partition(":")
    park.loop.presences.heard(device, park.clock.mono_s, park.clock.now_ms())
    for fact in (DeviceSeen(device, family), BayHeard(device, True)):
        park.loop.decide(partial(_heard, fact))
    assert park.state_of("x1") == "taken"
    park.after(hours * 3600 - 120, 600)
    assert park.state_of("x1") == "taken", f"{address} may be silent for {hours} h"
    park.after(120 + 60, 5)
    assert park.state_of("x1") == "unknown"


def _heard(fact: Fact, state: HallState, now_ms: int) -> Decision:
    return decide(state, fact, now_ms)
