"""``make bench ARGS="peers"``: Linli, Node-RED and an afternoon's Python under the same load.

``peers install`` fetches Node-RED by npm (once, some 340 MB in ``.peers/``); ``peers`` compares speed, ``peers kills``
what SIGKILL loses. ``--peers linli,nodered --rates 0,2000 --rounds 1 --seconds 5`` for less.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path

from devices.faults import OutsideDown
from tests.bench.machine import machine
from tests.peers import nodered
from tests.peers.kills import kills
from tests.peers.load import Options, load
from tests.peers.peer import Peer
from tests.peers.python_peers import Linli, Naive, NaiveWal

PEERS: dict[str, type[Peer]] = {
    kind.name: kind for kind in (Linli, nodered.NodeRed, NaiveWal, Naive, nodered.NodeRedShipped)
}
#: The others only where they are named: five peers take a quarter more time than four.
USUAL = "linli,nodered,naive-wal,naive"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.peers", description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("load", "kills", "install"), default="load")
    parser.add_argument("--peers", default=USUAL, help=f"of: {', '.join(PEERS)}")
    parser.add_argument("--rounds", type=int, help="of each case (load 3, kills 1)")
    parser.add_argument("--seconds", type=float, help="of presses in each case (load 5, kills 12)")
    parser.add_argument(
        "--rates", help="parking messages a second (load 0,500,2000,5000,10000; kills 1000,5000)"
    )
    parser.add_argument(
        "--quiet",
        type=float,
        default=math.inf,
        help="on a shared machine: begin each case when others use fewer cores (2 min at most)",
    )
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.peers.split(",") if name not in PEERS]:
        parser.error(f"no such peer: {', '.join(unknown)}; there are: {', '.join(PEERS)}")
    if asked.what == "install":
        return _install()
    kinds = [PEERS[name] for name in asked.peers.split(",")]
    if not nodered.is_installed() and any(issubclass(kind, nodered.NodeRed) for kind in kinds):
        kinds = [kind for kind in kinds if not issubclass(kind, nodered.NodeRed)]
        print(
            'Node-RED is left out, it is not installed here. Once: make bench ARGS="peers install"\n'
            '没有安装 Node-RED，本次不比较它。安装一次即可：make bench ARGS="peers install"',
            file=sys.stderr,
        )
    defaults = {"load": (3, 5.0, "0,500,2000,5000,10000"), "kills": (1, 12.0, "1000,5000")}
    rounds, seconds, rates = defaults[asked.what]
    print(f"machine: {machine()}; {nodered.versions()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="linli-peers-") as folder:
        options = Options(
            Path(folder),
            kinds,
            asked.rounds or rounds,
            asked.seconds or seconds,
            [int(rate) for rate in (asked.rates or rates).split(",")],
            asked.quiet,
        )
        (load if asked.what == "load" else kills)(options)
    return 0


def _install() -> int:
    try:
        nodered.install()
    except OutsideDown as wrong:
        print(wrong, file=sys.stderr)
        return 1
    print(f"installed in {nodered.INSTALLED}: {nodered.versions()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
