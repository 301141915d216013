"""The loop's own watch: what it says of durations is true, and it names what a late fact really waited for."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.messages import BayHeard, DeviceSeen, Pressed
from gateway.arrival import Arrival
from gateway.lateness import EDGES_MS, LATE_MS, Histogram, Lateness
from tests.gateway.held_hall import NOON_MS, HeldClock, HeldHall
from tests.mouths import mouths

#: What the buckets cover, in microseconds.
_durations_us = st.floats(16, 200_000_000)
MINUTE_MS = 60_000
#: A full minute.
FIRST_MS = NOON_MS - NOON_MS % MINUTE_MS


# ---------------------------------------------------------------- histograms


@given(
    durations_us=st.lists(_durations_us, min_size=1, max_size=200),
    share=st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]),
)
def test_a_percentile_is_at_most_seven_per_cent_above_the_exact_one(
    durations_us: Sequence[float], share: float
) -> None:
    histogram = Histogram()
    for us in durations_us:
        histogram.add(us)
    exact_ms = sorted(durations_us)[math.ceil(share * len(durations_us)) - 1] / 1000
    told_ms = histogram.percentile_ms(share)
    assert told_ms is not None
    assert exact_ms - 0.001 <= told_ms <= exact_ms * 1.072 + 0.001


@given(
    durations_us=st.lists(
        st.one_of(_durations_us, st.sampled_from(EDGES_MS).map(lambda ms: ms * 1000), st.just(0.0)),
        max_size=200,
    )
)
def test_the_cumulative_buckets_are_an_exact_count_at_every_edge(durations_us: Sequence[float]) -> None:
    histogram = Histogram()
    for us in durations_us:
        histogram.add(us)
    buckets: Any = histogram.as_json()["buckets"]
    assert [edge for edge, _ in buckets] == [*EDGES_MS, None]
    for edge_ms, below in buckets:
        limit_us = math.inf if edge_ms is None else edge_ms * 1000
        assert below == sum(us <= limit_us for us in durations_us), f"up to and including {edge_ms} ms"


def test_a_histogram_names_its_worst_and_says_nothing_where_there_is_nothing() -> None:
    histogram = Histogram()
    assert histogram.short() == {"count": 0, "p50_ms": None, "p99_ms": None, "max_ms": 0.0}
    for us, what in ((300.0, "a"), (9_000.0, "b"), (300.0, "c")):
        histogram.add(us, what, NOON_MS)
    told = histogram.as_json()
    assert (told["count"], told["max_ms"], told["worst"], told["worst_at_ms"]) == (3, 9.0, "b", NOON_MS)
    assert told["sum_ms"] == 9.6


def test_a_duration_longer_than_any_bucket_is_counted_in_the_last() -> None:
    histogram = Histogram()
    histogram.add(1e12)
    assert histogram.as_json()["max_ms"] == 1e9
    assert [below for _, below in histogram.as_json()["buckets"]] == [0] * len(EDGES_MS) + [1]  # type: ignore[attr-defined]


# ---------------------------------------------------------------- minutes


def told_at(lateness: Lateness, at_ms: int, told_ms: float, lane: str = "call") -> None:
    told_ns = int(told_ms * 1e6)
    lateness.told(lane, "press", (0, told_ns, told_ns, told_ns), at_ms)


def minutes(lateness: Lateness) -> list[dict[str, Any]]:
    rows: Any = lateness.as_json()["minutes"]
    return rows


def test_each_minute_has_its_own_figures_and_the_last_sixty_are_kept() -> None:
    lateness = Lateness()
    for minute in range(100):
        for second in range(minute % 3 + 1):
            told_at(lateness, FIRST_MS + minute * MINUTE_MS + second * 1000, float(minute + 1))
        told_at(lateness, FIRST_MS + minute * MINUTE_MS + 59_999, 5000.0, "telemetry")
    rows = minutes(lateness)
    assert [row["minute_ms"] for row in rows] == [FIRST_MS + minute * MINUTE_MS for minute in range(39, 100)]
    assert [row["call"]["count"] for row in rows] == [minute % 3 + 1 for minute in range(39, 100)]
    assert [row["call"]["max_ms"] for row in rows] == [float(minute + 1) for minute in range(39, 100)]
    assert all(row["telemetry"]["count"] == 1 for row in rows)


def test_minutes_in_which_nothing_happened_are_no_rows() -> None:
    lateness = Lateness()
    assert minutes(lateness) == []
    told_at(lateness, FIRST_MS, 1.0)
    told_at(lateness, FIRST_MS + 10 * MINUTE_MS, 1.0)
    assert [row["minute_ms"] for row in minutes(lateness)] == [FIRST_MS, FIRST_MS + 10 * MINUTE_MS]


def test_only_the_last_twenty_late_facts_are_kept_and_telemetry_is_never_late() -> None:
    lateness = Lateness()
    told_at(lateness, FIRST_MS, LATE_MS)
    told_at(lateness, FIRST_MS, 10_000.0, "telemetry")
    assert lateness.as_json()["late"] == []
    for number in range(30):
        told_at(lateness, FIRST_MS + number, LATE_MS + 1 + number)
    late: Any = lateness.as_json()["late"]
    assert [one["told_ms"] for one in late] == [LATE_MS + 1 + number for number in range(10, 30)]


# ---------------------------------------------------------------- what it waited for


class SlowHall(HeldHall):
    """A hall in which pieces of the loop's work take the time that we say."""

    def commit_takes(self, seconds: float) -> None:
        whole = type(self.book).write.__get__(self.book)

        def write(work: Callable[..., object], _meanwhile: object = None) -> object:
            self.clock.pass_s(seconds)
            return whole(work)

        self.book.write = write  # type: ignore[method-assign, assignment]

    def late(self) -> list[tuple[str, str, float]]:
        rows: Any = self.loop.statistics()["late"]
        return [(row["what"], row["waited_for"], row["waited_ms"]) for row in rows]


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[SlowHall]:
    one = SlowHall(tmp_path, HeldClock())
    yield one
    one.die()


def test_a_press_in_time_is_not_named(hall: SlowHall) -> None:
    hall.commit_takes(0.09)
    hall.press()
    assert hall.late() == []
    assert hall.loop.statistics()["lateness"]["call"]["told"]["max_ms"] == 90.0  # type: ignore[index]


def test_a_commit_that_took_long_is_named(hall: SlowHall, caplog: pytest.LogCaptureFixture) -> None:
    hall.commit_takes(0.3)
    hall.press()
    assert hall.late() == [("press from btn-01", "commit", 300.0)]
    assert any("press from btn-01 (300 ms of it: commit" in line for line in caplog.messages)
    stages: Any = hall.loop.statistics()["lateness"]
    assert stages["call"]["decided"]["max_ms"] == 0.0
    assert stages["call"]["written"]["max_ms"] == stages["call"]["told"]["max_ms"] == 300.0


def test_the_commit_of_somebody_else_is_named_too(hall: SlowHall) -> None:
    """It came while the batch before was being written: what it waited for is that commit, then its own."""
    hall.commit_takes(0.08)
    arrived_ns, arrived_ms = hall.clock.monotonic_ns(), hall.clock.now_ms()
    hall.press("btn-01", "a:1")
    facts = (DeviceSeen("btn-02", "linli"), *_pressed("btn-02"))
    hall.loop.take(Arrival(arrived_ns, arrived_ms, "press from btn-02", facts))
    hall.turn()
    assert hall.late() == [("press from btn-02", "commit", 160.0)]


def test_telling_that_took_long_is_named(hall: SlowHall) -> None:
    hall.loop.teller._mouths = mouths(set_lamp=lambda _lamp: hall.clock.pass_s(0.15))
    hall.press()
    assert hall.late() == [("press from btn-01", "tell", 150.0)]


def test_reading_of_telemetry_that_took_long_is_named(hall: SlowHall) -> None:
    def read(_until_ns: int) -> bool:
        came = (hall.clock.monotonic_ns(), hall.clock.now_ms())
        hall.clock.pass_s(0.2)
        hall.loop.take(Arrival(*came, "press from btn-01", _pressed("btn-01")))
        return False

    hall.loop.read_telemetry, hall.loop.telemetry_ready = read, True
    hall.turn()
    hall.turn()
    assert hall.late() == [("press from btn-01", "telemetry", 200.0)]


def test_what_no_phase_of_ours_accounts_for_is_the_processor_s(hall: SlowHall) -> None:
    arrived = (hall.clock.monotonic_ns(), hall.clock.now_ms())
    hall.clock.pass_s(0.5)  # another program had it
    hall.loop.take(Arrival(*arrived, "press from btn-01", _pressed("btn-01")))
    hall.turn()
    assert hall.late() == [("press from btn-01", "processor", 500.0)]


def test_a_press_that_waited_for_a_disk_that_refused_names_the_disk(hall: SlowHall) -> None:
    hall.break_disk()
    hall.press()
    for _ in range(40):
        hall.after_s(0.25)
    hall.mend_disk()
    hall.after_s(1.0)
    [(what, waited_for, waited_ms)] = hall.late()
    assert (what, waited_for) == ("press from btn-01", "disk")
    assert 10_000 <= waited_ms <= 11_000
    hall.commit_takes(0.3)
    hall.press("btn-02", "b:1")
    assert hall.late()[-1] == ("press from btn-02", "commit", 300.0), "the disk is well again"


def test_a_disk_that_telemetry_found_well_again_was_still_what_the_held_press_waited_for(
    hall: SlowHall,
) -> None:
    """Between the first write that succeeds and the next try of what is held lies up to a second more."""
    hall.break_disk()
    hall.press()
    hall.after_s(0.05)
    hall.mend_disk()
    hall.set_timer("unanswered", 3_600_000)
    hall.after_s(1.0)
    assert hall.late() == [("press from btn-01", "disk", 1050.0)]


def test_random_hours_of_the_loop_add_up(hall: SlowHall) -> None:
    """Counts of all lanes and stages agree with what was handed in, whatever was late."""
    dice, presses = random.Random(7), 0
    for number in range(300):
        hall.commit_takes(dice.choice([0.0, 0.001, 0.2]))
        if dice.random() < 0.5:
            presses += 1
            hall.press(f"btn-{dice.randrange(9)}", f"a:{number}")
        else:
            came = (hall.clock.monotonic_ns(), hall.clock.now_ms())
            hall.loop.take(
                Arrival(*came, "status", (DeviceSeen("s1", "linli"), BayHeard("s1", dice.random() < 0.5)))
            )
            hall.after_s(0.3)
    stages: Any = hall.loop.statistics()["lateness"]
    assert {stage: stages["call"][stage]["count"] for stage in stages["call"]} == dict.fromkeys(
        ("decided", "written", "told"), presses
    )
    assert stages["telemetry"]["told"]["count"] == 300 - presses
    for lane in stages.values():
        assert lane["decided"]["sum_ms"] <= lane["written"]["sum_ms"] <= lane["told"]["sum_ms"]
    rows: Any = hall.loop.statistics()["minutes"]
    assert sum(row.get("call", {"count": 0})["count"] for row in rows) == presses


def _pressed(device: str) -> tuple[Any, ...]:
    return (Pressed(device, press_id="x:1", family="linli"),)
