"""The car park under load: ``parking``. 2,000 bays in one hall, 5,000 updates a second beside presses.

Five figures, each with its bar: does a backlog grow, do calls keep the loop's bars, how long is it from a bay to its
panel (with and without settling), how long until every level is there again after a kill, and what does a word cost.
"""

from __future__ import annotations

import base64
import json
import select
import tempfile
import time
from pathlib import Path

from devices.reading import Reading
from gateway.placing import Placing
from gateway.presence import Presence
from tests.bench.figures import Bar, Floor, median, percentile, press_bars, spread
from tests.bench.floor import floor_lines, measure_floor
from tests.bench.loop import (
    PRESSES_A_S,
    SETTLED_MS,
    Case,
    Options,
    bare_broker,
    print_load,
    print_sign,
    run_case,
)
from tests.bench.stage import Stage, stage
from tests.bench.wire import Line
from tests.flood import Flood
from tests.gateway.car_park import CarPark

BAYS, RATE = 2000, 5000
ZONES = 20
#: A bay of its own zone and panel, whose turns can be told from the others'.
PROBE, PROBE_MAGNET = "probe-0001", "fe00000000000001"
PANEL = "linli/v1/panel/probe/text"
#: From a bay to its panel at the 99th percentile, after settling; and every level again after a kill.
TO_PANEL, AGAIN = Bar(500.0, "500"), Bar(2000.0, "2000")
#: What the magnetic probe waits for in the bench, instead of ten seconds.
HOLD_MS = 200
#: Words of which the cost of one is measured.
WORDS = 100_000


def parking(options: Options) -> None:
    """All five."""
    floors: list[Floor] = []
    alone: list[float] = []
    case = Case()
    settled: list[float] = []
    held: list[float] = []
    again: dict[str, list[float]] = {"clean": [], "kill": []}
    for turn in range(options.rounds):
        folder = options.folder / f"parking-{turn}"
        with bare_broker(folder / "floor", options.broker) as port:
            floor, back_to_back = measure_floor(folder / "floor", port, seconds=min(2.0, options.seconds))
        floors.append(floor)
        alone.append(back_to_back)
        with stage(folder / "hall", broker=options.broker) as hall:
            _furnish(hall)
            presses = int(options.seconds * PRESSES_A_S)
            words = ("--bays", str(BAYS))
            case.runs.append(
                run_case(hall, RATE, turn + 1, flood_words=words, rate=PRESSES_A_S, presses=presses)
            )
            flood = Flood(hall.broker.port, RATE, "--bays", str(BAYS), "--seed", "99")
            settled += _to_panel(hall, options.seconds)
            held += _through_settling(hall, options.seconds)
            flood.stop()
            for kind, times in again.items():
                times.append(_again(hall, kill=kind == "kill"))
    print(f" {BAYS} bays, {RATE} updates/s, {options.rounds} rounds, broker as {options.broker}")
    for text in floor_lines(floors, alone):
        print(text)
    bars = press_bars(floors)
    for sign in ("lamp", "doorbell"):
        print_sign(case, sign, f"{RATE:>6}/s", *bars)
    print_load(case, f"{RATE:>6}/s")
    late_ms = max(run.settled_ms for run in case.runs)
    wrong = sum(run.wrong_bays for run in case.runs)
    behind = max(run.flood["behind_end"] for run in case.runs)
    grows = late_ms > SETTLED_MS or wrong or behind > RATE * 0.05
    print(
        f"  backlog: last word of every bay stored after {late_ms:.0f} ms at worst, {wrong} bays wrong, the broker "
        f"{behind} behind at the end: {'GROWS' if grows else 'none'}"
    )
    for words_, values in (
        ("bay → panel, a sensor that settles itself", settled),
        (f"bay → panel after settling ({HOLD_MS} ms)", held),
    ):
        p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
        print(f"  {words_:<46} p50 {p50:6.1f}  p99 {p99:6.1f} ms {TO_PANEL.verdict(p99)}  n {len(values)}")
    for kind, times in again.items():
        print(
            f"  every level again after a {kind:<5} stop, from the process's start: {spread(times, 0)} ms "
            f"{AGAIN.verdict(median(times))}"
        )
    _cost()


def _furnish(hall: Stage) -> None:
    hall.furnish(bays=BAYS, zones=ZONES)
    claims = [
        (PROBE, "probe-1", ""),
        (f"chirpstack_v4:{PROBE_MAGNET}", "probe-2", "PlacePod"),
    ]
    hall.order_all(
        [
            {
                "order": "claim_device",
                "device_id": device,
                "kind": "bay_sensor",
                "bay_id": bay,
                "zone_id": "probe",
                "model": model,
                "by": "bench",
            }
            for device, bay, model in claims
        ]
    )
    magnet = f"chirpstack_v4:{PROBE_MAGNET}"
    hall.order_all(
        [{"order": "put_sensor", "device_id": magnet, "hold_ms": HOLD_MS, "by": "bench"}]
        + [{"order": "put_zone_plan", "zone_id": f"zone-{n}", "residents_reserve": 2} for n in range(ZONES)]
    )


def _to_panel(hall: Stage, seconds: float) -> list[float]:
    """Turn the probe's bay, and wait for its panel; the same clock at both ends."""
    line = Line(hall.broker.port, "bench-panel", [PANEL])
    boot, took = f"{time.monotonic_ns():016x}", []
    for seq in range(int(seconds * 10)):
        words = {"boot": boot, "seq": seq, "occupied": seq % 2 == 0, "every_s": 60}
        began_ns = time.monotonic_ns()
        line.publish(f"linli/v1/bay/{PROBE}/state", json.dumps(words).encode())
        took.append(_heard_ms(line, began_ns, "taken", 1 if seq % 2 == 0 else 0))
        select.select([], [], [], 0.02)
    line.close()
    return took


def _through_settling(hall: Stage, seconds: float) -> list[float]:
    """The same for a magnetic sensor: what it takes beyond the time for which a word must hold."""
    topic = f"application/1/device/{PROBE_MAGNET}/event/up"
    line = Line(hall.broker.port, "bench-magnet", [PANEL])
    took: list[float] = []
    for seq in range(1 + int(seconds * 3)):
        occupied = seq % 2
        words = {
            "deviceInfo": {"devEui": PROBE_MAGNET, "deviceProfileName": "PlacePod"},
            "fCnt": seq,
            "fPort": 2,
            "data": base64.b64encode(bytes([0x15, 0x66, occupied])).decode(),
        }
        began_ns = time.monotonic_ns()
        line.publish(topic, json.dumps(words).encode())
        if seq:  # the first word of a bay of which nothing was known counts at once
            took.append(_heard_ms(line, began_ns, "taken", occupied) - HOLD_MS)
        else:
            select.select([], [], [], 0.5)
    line.close()
    return took


def _heard_ms(line: Line, began_ns: int, key: str, wanted: int) -> float:
    """Milliseconds until the panel is told so; infinity where it never is."""
    while (late_s := (time.monotonic_ns() - began_ns) / 1e9) < 5.0:
        select.select([line], [], [], 5.0 - late_s)
        chunk = line.recv()
        at_ns = time.monotonic_ns()
        for message in line.messages(chunk):
            if not message.retained and json.loads(message.payload)[key] == wanted:
                return (at_ns - began_ns) / 1e6
    return float("inf")


def _again(hall: Stage, *, kill: bool) -> float:
    """Stop the gateway, start it: milliseconds until both panels have been told anew."""
    hall.stop("gateway", kill=kill)
    line = Line(hall.broker.port, "bench-again", ["linli/v1/panel/+/text"])
    select.select([line], [], [], 0.5)
    line.messages(line.recv())  # what the broker remembered
    told: set[str] = set()
    began_ns = time.monotonic_ns()
    hall.start("gateway")
    while len(told) < 2 and time.monotonic_ns() - began_ns < 20e9:
        select.select([line], [], [], 1.0)
        told |= {message.topic for message in line.messages(line.recv()) if not message.retained}
    took_ms = (time.monotonic_ns() - began_ns) / 1e6
    line.close()
    return took_ms if len(told) == 2 else float("inf")


# ---------------------------------------------------------------- the cost of a word


def _cost() -> None:
    """One word of a sensor through the entrance, in this process: with and without what sensing asks of it."""
    with tempfile.TemporaryDirectory(prefix="linli-bench-") as folder:
        park = CarPark(Path(folder))
        for number in range(100):
            park.bay(f"s{number}", f"b{number}")
            park.ours(f"s{number}", False)
        park.turn()
        costs: dict[str, list[float]] = {"with": [], "without": []}
        for _ in range(5):
            for kind, times in costs.items():
                times.append(_one_word_us(park, kind == "with"))
        park.die()
    with_us, without_us = min(costs["with"]), min(costs["without"])  # another program only adds
    print(
        f"  a word that changes nothing, from the wire to a sign of life: {with_us:.2f} us, {without_us:.2f} without "
        f"sensing: {with_us - without_us:.2f} us for order and vitals"
    )


class _Blind(Placing):
    """Takes each word as it comes."""

    def word(
        self, presence: Presence, device_id: str, reading: Reading, now_s: float, now_ms: int, dup: bool
    ) -> Reading | None:
        return reading


def _one_word_us(park: CarPark, sensing: bool) -> float:
    """Microseconds of one numbered word that says what was said before."""
    entrance, placing = park.entrance, park.entrance._placing
    if not sensing:
        entrance._placing = _Blind(lambda: park.loop.state)
    boot = f"{time.monotonic_ns():016x}"
    topics = [f"linli/v1/bay/s{number}/state".encode() for number in range(100)]
    words = [
        park.published(
            topics[number % 100],
            f'{{"boot":"{boot}","seq":{number},"occupied":false,"every_s":600}}'.encode(),
        )
        for number in range(WORDS)
    ]
    for message in words[:200]:
        entrance.from_known(message, None)
        park.clock.pass_s(0.05)
    park.turn()
    step_s = 1 / 40  # within each topic's budget
    began_ns = time.perf_counter_ns()
    for message in words[200:]:
        park.clock.mono_s += step_s / 10
        entrance.from_known(message, None)
    took_us = (time.perf_counter_ns() - began_ns) / 1e3 / (WORDS - 200)
    entrance._placing = placing
    return took_us
