"""SIGKILL three times in mid-flood: is every press that the broker acknowledged a row in the end?

The broker lives on and its session for the peer is persistent, so that nothing has to be lost: what a peer has
acknowledged to the broker before it was on the disk is what is missing afterwards. No press is repeated (Linli's
buttons repeat theirs until they hear "written"; here they do not, as the other peers have no such word).
"""

from __future__ import annotations

import select
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.presser import Plan, Presser
from tests.flood import Flood
from tests.parts import Mosquitto
from tests.peers.load import PRESSES_A_S, WARM_UP_S, Options, wait_for_quiet
from tests.peers.peer import Peer

KILLS = 3
#: No new row for so long: whatever was to come has come. Node-RED is back after 3 s.
QUIET_S = 6.0
#: A peer with a backlog is given this long after the last press.
LONGEST_S = 60.0


def kills(options: Options) -> None:
    """Each peer at each rate: acknowledged presses against rows."""
    print(
        "| peer | parking/s | acknowledged presses | rows | lost | doubled | last row after the last press, s |"
    )
    print("|---|---|---|---|---|---|---|")
    for turn in range(1, options.rounds + 1):
        for rate in options.rates:
            for kind in options.peers:
                wait_for_quiet(options.quiet_cores)
                folder = options.folder / f"kills-{turn}-{rate}-{kind.name}"
                print(kill_case(kind, folder, rate, options.seconds, 100 * turn + rate), flush=True)


def kill_case(kind: type[Peer], folder: Path, rate: int, seconds: float, seed: int) -> str:
    """One line of the table."""
    boot = f"{seed:016x}"
    broker = Mosquitto(folder / "mosquitto")
    peer = kind(folder / "peer", broker.port)
    try:
        peer.wait_ready()
        plan = Plan(
            broker.port,
            rate=PRESSES_A_S,
            presses=int(seconds * PRESSES_A_S),
            boot=boot,
            seed=seed,
            written=False,
        )
        presser = Presser(plan)
        flood = Flood(broker.port, rate, "--seconds", str(WARM_UP_S + seconds), "--seed", str(seed))
        select.select([], [], [], WARM_UP_S)
        with ThreadPoolExecutor(1) as beside:
            measuring = beside.submit(presser.measure)
            for _ in range(KILLS):
                select.select([], [], [], seconds / (KILLS + 1))
                peer.kill()
                peer.start()
            flood.stop()
            ended_s = time.monotonic()
            rows, last_s = _settle(peer, boot, ended_s)
            report = measuring.result()
        cells = [
            kind.name,
            rate,
            report["acknowledged"],
            rows,
            report["acknowledged"] - rows,
            peer.doubled(),
            f"{max(0.0, last_s):.1f}",
        ]
        return "| " + " | ".join(map(str, cells)) + " |"
    finally:
        peer.close()
        broker.close()


def _settle(peer: Peer, boot: str, ended_s: float) -> tuple[int, float]:
    """The rows of this run once no more come, and when the last came."""
    rows, last_s = -1, 0.0
    began_s = time.monotonic()
    while True:
        now_s = time.monotonic()
        found = sum(key[1] == boot for key in peer.press_rows())
        if found != rows:
            rows, last_s = found, now_s
        if now_s - max(last_s, began_s) > QUIET_S or now_s - ended_s > LONGEST_S:
            return rows, last_s - ended_s
        select.select([], [], [], 0.25)
