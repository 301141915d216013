"""The benches' arithmetic and their measuring device: what they print must be true, fast or slow."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.disk import slow_disk
from tests.bench.figures import Bar, Floor, median, percentile, press_bars, spread, sum_percentile
from tests.bench.floor import measure_floor
from tests.bench.presser import Plan, Presser
from tests.bench.stage import stage, start_broker
from tests.bench.wire import Line, Message
from tests.flood import Flood
from tests.parts import Device, Gateway


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1.0)) == (
        51.0,
        100.0,
        100.0,
    )
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert percentile([], 0.5) != percentile([], 0.5), "of nothing there is no percentile"
    assert (spread([1.0, 3.0, 2.0]), spread([1.234])) == ("2.00 [1.00–3.00]", "1.23")


def test_the_floors_p99_is_that_of_the_sum_and_not_the_sum_of_the_p99s() -> None:
    # Each step is slow (10 ms instead of 1) once in fifty times, independently: 2 %. That at least one of three is:
    # 5.9 %; that two are: 0.12 %. So 99 % of the sums are at most 12 ms, where p99s added would say 30.
    step = (1.0,) * 49 + (10.0,)
    floor = Floor(step, step, step)
    assert floor.p50_ms == 3.0
    assert floor.p99_ms == 12.0
    dice = random.Random(7)
    noisy = [dice.gauss(5.0, 1.0) for _ in range(500)]
    once, again = (sum_percentile([noisy, noisy], 0.99, seed=seed) for seed in (1, 2))
    assert abs(once - again) / once < 0.02


def test_the_bars_follow_the_floor_of_the_same_run() -> None:
    quick, slow = Floor((0.1,), (0.15,), (0.1,)), Floor((1.0,), (2.0,), (1.0,))
    p50, p99 = press_bars([quick])
    assert (round(p50.at_most, 3), p99.at_most) == (0.805, 8.0)
    p50, p99 = press_bars([slow, slow, quick], more_ms=0.5)
    assert (p50.at_most, p99.at_most) == (1.5, 12.5)
    assert Bar(1.0, "1").verdict(1.0) == "≤ 1 met"
    assert Bar(1.0, "1").verdict(float("inf")) == "≤ 1 MISSED"


@pytest.mark.slow
def test_the_measurer_counts_each_sign_of_each_press_once(tmp_path: Path) -> None:
    with stage(tmp_path / "hall") as hall:
        hall.furnish(bays=8, buttons=5)
        flood = Flood(hall.broker.port, 200, "--bays", "8", "--change-every", "3")
        # Twelve presses on five buttons: two pauses to close the calls, then two presses more.
        plan = Plan(hall.broker.port, rate=50, presses=12, buttons=5, boot="b" * 16, desk=str(hall.socket))
        report = Presser(plan).measure()
        told = flood.stop()
        assert report["sent"] == report["acknowledged"] == 12
        assert {sign: len(ms) for sign, ms in report["ms"].items()} == {
            "lamp": 12,
            "written": 12,
            "doorbell": 12,
        }
        assert set(report["unanswered"].values()) == {0}
        assert all(ms > 0 for values in report["ms"].values() for ms in values)
        assert hall.lost_and_doubled("b" * 16, 12) == (0, 0)
        with hall.reader() as book:
            assert book.execute("SELECT count(*), sum(presses) FROM calls").fetchone() == (12, 12)
        assert hall.settled_ms(told["final"], told["ended_ns"])[1] == 0
        with hall.reader() as book:
            ends = book.execute("SELECT state, count(*) FROM calls GROUP BY state").fetchall()
            zones = book.execute("SELECT sum(free + taken), sum(total) FROM zones").fetchone()
        assert ends == [("CLOSED", 12)]
        assert zones == (8, 8), "all bays were claimed, all have spoken"


@pytest.mark.slow
def test_presses_into_an_open_call_and_written_together_are_counted_each(tmp_path: Path) -> None:
    """Where one lamp message answers for two presses, both have been answered."""
    running = Gateway(tmp_path)
    try:
        plan = Plan(
            running.broker.port,
            rate=2000,
            presses=60,
            buttons=2,
            close_calls=False,
            desk=str(tmp_path / "run" / "gateway.sock"),
        )
        report = Presser(plan).measure()
    finally:
        running.close()
    assert {sign: len(ms) for sign, ms in report["ms"].items()} == {"lamp": 60, "written": 60, "doorbell": 60}


@pytest.mark.slow
def test_the_floor_has_a_sample_of_each_step_at_each_turn(tmp_path: Path) -> None:
    broker = start_broker(tmp_path / "broker", "memory")
    try:
        floor, back_to_back_ms = measure_floor(tmp_path, broker.port, seconds=0.3)
    finally:
        broker.close()
    assert not list((tmp_path / "broker").glob("*.db")), "in memory it writes nothing"
    assert min(len(step) for step in (floor.hop_ms, floor.commit_ms, floor.push_ms)) > 15
    assert 0 < floor.p50_ms <= floor.p99_ms
    assert back_to_back_ms > 0


@pytest.mark.slow
def test_a_raw_line_speaks_with_a_real_broker_both_ways(tmp_path: Path) -> None:
    broker = start_broker(tmp_path, "shipped")
    device = Device(broker.port, "there")
    line = Line(broker.port, "raw", ["here"])
    try:
        line.publish("there", b'{"long":"%s"}' % (b"x" * 300))
        assert device.wait_heard("there") == {"long": "x" * 300}
        device.say("here", "一")
        line.socket.settimeout(20)
        heard: list[Message] = []
        while not heard:
            heard = line.messages(line.recv())
        assert (heard[0].topic, heard[0].payload.decode(), heard[0].retained) == ("here", "一", False)
        assert line.acknowledged == 1
    finally:
        line.close()
        device.close()
        broker.close()


def test_the_slow_disk_is_slow_for_whoever_was_given_it(tmp_path: Path) -> None:
    environ = slow_disk(tmp_path / "shim", 30.0)
    assert environ is not None, "a C compiler is needed: apt-get install gcc libc6-dev"
    ask = (
        "import json, os, time; began = time.monotonic(); file = os.open('some', os.O_CREAT | os.O_WRONLY); "
        "os.fsync(file); os.fdatasync(file); print(json.dumps(time.monotonic() - began))"
    )
    took_s = json.loads(
        subprocess.check_output([sys.executable, "-c", ask], cwd=tmp_path, env={**os.environ, **environ})
    )
    assert took_s >= 0.06, "two syncs, 30 ms each: the shim sleeps no less than it says"


def test_without_a_compiler_the_slow_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slow_disk(tmp_path / "shim", 30.0) is None
