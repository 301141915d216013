"""A plan of 5,000 bays is handed in: ``parking_map``. How long is a turn of the loop meanwhile, and all of it?

The real loop and a real notebook in this process, with a press in each turn: what a press waits for is its turn.
"""

from __future__ import annotations

import time
from pathlib import Path

from gateway.arrival import Arrival
from gateway.hall.parking_map import MOST_LINES
from tests.bench.figures import Bar, percentile, spread
from tests.gateway.car_park import CarPark

#: A turn with a step of the map in it. Our choice: the bar of a press at the 99th percentile is 8 ms.
TURN, WHOLE = Bar(20.0, "20"), Bar(5000.0, "5000")
#: Bays in a row on the plan, and how far apart they lie, metres.
A_ROW, ACROSS_M, DOWN_M = 100, 2.6, 6.0


def parking_map(folder: Path, rounds: int = 3, bays: int = MOST_LINES) -> None:
    turns: list[float] = []
    whole: list[float] = []
    plain: list[float] = []
    for one in range(rounds):
        home = folder / f"parking-map-{one}"
        home.mkdir(parents=True)
        park = CarPark(home)
        _furnish(park, bays)
        plain += [_turn_ms(park, seq) for seq in range(50)]
        answers: list[dict[str, object]] = []
        rows = [
            {
                "bay_id": f"b{n}",
                "zone_id": "east",
                "label": f"A{n}",
                "x_m": 3 + ACROSS_M * (n % A_ROW),
                "y_m": 4 + DOWN_M * (n // A_ROW),
            }
            for n in range(bays)
        ]
        park.loop.take(_arrival(park, "put_map", answers, bays=rows, by="bench"))
        began_s, seq = time.perf_counter(), 50
        while not answers:
            turns.append(_turn_ms(park, seq))
            seq += 1
        whole.append((time.perf_counter() - began_s) * 1000)
        assert answers[0]["ok"] is True, answers[0]
        park.die()
    print(f"  a plan of {bays} bays, {rounds} rounds, a press in each turn")
    for name, values in (("a turn with a press", plain), ("a turn with a press and a step of the map", turns)):
        p50, p99, most = (percentile(values, share) for share in (0.5, 0.99, 1.0))
        verdict = TURN.verdict(p99) if values is turns else ""
        print(f"  {name:<46} p50 {p50:6.2f}  p99 {p99:6.2f}  max {most:6.2f} ms {verdict}  n {len(values)}")
    print(f"  {'the whole plan, presses included':<46} {spread(whole, 0)} ms {WHOLE.verdict(max(whole))}")


def _furnish(park: CarPark, bays: int) -> None:
    park.bay("s0", "b0")
    for number in range(1, bays):
        park.loop.take(_arrival(park, "define_bay", [], bay_id=f"b{number}", zone_id="east", by="bench"))
    while park.loop.urgent:
        park.loop.turn(longest_wait_s=0.0)
    park.done("claim_device", device_id="btn", kind="call_button", name="bench")


def _turn_ms(park: CarPark, seq: int) -> float:
    """Milliseconds of one turn in which somebody presses."""
    words = {"boot": "9f3a77c0d1e2b4f5", "seq": seq, "press": "short"}
    number = park.hear("linli/v1/button/btn/press", words)
    began_s = time.perf_counter()
    park.loop.turn(longest_wait_s=0.0)
    took_ms = (time.perf_counter() - began_s) * 1000
    assert number in park.acked
    return took_ms


def _arrival(park: CarPark, order: str, answers: list[dict[str, object]], **fields: object) -> Arrival:
    now_ns, now_ms = park.clock.monotonic_ns(), park.clock.now_ms()
    return Arrival(now_ns, now_ms, order, order=order, fields=fields, answer=answers.append)
