"""The comparison's own code does not rot: each Python peer stores what it is told, lights the lamp, survives SIGKILL.

Node-RED is not installed for this; what can be known without it is that its flow has the others' topics and tables.
"""

import json
import math
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.parts import Device, Mosquitto, wait_until
from tests.peers.load import HEAD, Run, line
from tests.peers.naive import SCHEMA
from tests.peers.nodered import HERE
from tests.peers.peer import Peer
from tests.peers.python_peers import Linli, Naive, NaiveWal


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Linli, Naive, NaiveWal], ids=lambda kind: kind.name)
def test_a_peer_stores_what_it_is_sent_and_lights_the_lamp_and_a_kill_loses_nothing(
    kind: type[Peer], tmp_path: Path
) -> None:
    broker = Mosquitto(tmp_path / "mosquitto")
    peer = kind(tmp_path / "peer", broker.port)
    elder = Device(broker.port, "linli/v1/lamp/btn-1/set")
    try:
        peer.wait_ready()

        for occupied, seq in ((True, 1), (False, 2)):
            words = {"boot": "b", "seq": seq, "occupied": occupied, "every_s": 20}
            elder.say("linli/v1/bay/east-01/state", words, qos=0)
        elder.press("btn-1", "b", 1)
        elder.wait_heard("linli/v1/lamp/btn-1/set", light="blink")
        assert peer.press_rows()["btn-1", "b", 1] == 1, "the lamp shines before the press is stored"
        wait_until(lambda: peer.bay_states().get("east-01") is False, lambda: "the bay is free again")

        peer.kill()
        elder.press("btn-1", "b", 2)  # the broker keeps it, and says so
        peer.start()
        peer.wait_ready()
        wait_until(
            lambda: peer.press_rows()["btn-1", "b", 2] == 1, lambda: "the press of meanwhile is stored"
        )
        assert peer.doubled() == 0
        assert peer.bay_states()["east-01"] is False
    finally:
        elder.close()
        peer.close()
        broker.close()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "journal"), [(Naive, "delete"), (NaiveWal, "wal")])
def test_the_two_naive_peers_differ_in_their_journal(kind: type[Naive], journal: str, tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "mosquitto")
    peer = kind(tmp_path / "peer", broker.port)
    try:
        peer.wait_ready()
        with sqlite3.connect(peer.folder / peer.file) as book:
            assert book.execute("PRAGMA journal_mode").fetchone() == (journal,)
        book.close()
    finally:
        peer.close()
        broker.close()


def test_the_flow_of_nodered_hears_and_stores_what_the_naive_peer_does() -> None:
    flow: list[dict[str, Any]] = json.loads((HERE / "flow.json").read_text(encoding="utf-8"))
    heard = {(node["topic"], node["qos"]) for node in flow if node["type"] == "mqtt in"}
    assert heard == {("linli/v1/button/+/press", "1"), ("linli/v1/bay/+/state", "0")}
    (lamps,) = [node for node in flow if node["type"] == "mqtt out"]
    assert (lamps["qos"], lamps["retain"]) == ("1", "true")

    statements = [node["sql"] for node in flow if node["type"] == "sqlite"]
    assert {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"} <= set(statements)
    assert _tables(";".join(one for one in statements if one.startswith("CREATE"))) == _tables(SCHEMA)

    by_id = {node["id"]: node for node in flow}
    chain = ["presses"]
    while by_id[chain[-1]]["wires"]:
        chain.append(by_id[chain[-1]]["wires"][0][0])
    assert chain == ["presses", "press", "store press", "lamp", "lamps"], "the lamp hangs on the stored row"


def test_a_lamp_that_stayed_dark_counts_as_later_than_all_others() -> None:
    run = Run(
        sent=4,
        ms=[1.0, 2.0, 3.0],
        dark=1,
        unstored=1,
        doubled=0,
        bays=500,
        right_soon=250,
        settled_s=math.inf,
        cores=0.25,
        broker_cores=0.1,
        foreign=0.0,
        peak_mb=35.0,
    )
    assert line("naive", 2000, [run]) == (
        "| naive | 2000 | 3.00 | never | never | 1/4 | 1/4 | 0 | 50 % | never | 0.25 | 0.10 | 35 | 0.00 |"
    )
    assert line("naive", 2000, [run]).count("|") == HEAD.splitlines()[0].count("|")


def _tables(script: str) -> list[tuple[str, str, int]]:
    """Each column's table, name and place in the key."""
    book = sqlite3.connect(":memory:")
    try:
        book.executescript(script)
        return book.execute(
            "SELECT m.name, c.name, c.pk FROM sqlite_schema m, pragma_table_info(m.name) c ORDER BY 1, 2"
        ).fetchall()
    finally:
        book.close()
