"""No payload, however strange, makes the gateway do anything but count it: no crash, no call, no silence.

``rubbish [messages] [seed]``: random bytes, mutated captures, random topics (default 100,000), sent through the real
broker; between them a real press must be heard every time.
"""

from __future__ import annotations

import json
import random
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from tests.parts import gateway

CAPTURES = Path("tests/data/devices.jsonl")
EACH = 2_000


def main(words: list[str]) -> int:
    wanted = int(words[0]) if words else 100_000
    dice = random.Random(int(words[1]) if len(words) > 1 else 20261122)
    rows = [json.loads(line) for line in CAPTURES.read_text(encoding="utf-8").splitlines()]
    captures = [
        (row["topic"].replace("<", "").replace(">", ""), json.dumps(row["payload"]).encode())
        for row in rows
        if row.get("topic") and not set("+#") & set(row["topic"])
    ]
    with (
        tempfile.TemporaryDirectory(prefix="linli-rubbish-") as folder,
        gateway(Path(folder) / "hall") as hall,
    ):
        button, seat = hall.device("linli/v1/button/real/written"), hall.seat()
        for batch in range(wanted // EACH):
            for _ in range(EACH):
                topic, payload = dice.choice(captures)
                if dice.random() < 0.3:
                    topic = "/".join(f"{dice.randrange(99999):x}" for _ in range(dice.randrange(1, 6)))
                if dice.random() < 0.5:
                    payload = dice.randbytes(dice.randrange(0, 300))
                else:
                    spoiled = bytearray(payload)
                    for _ in range(dice.randrange(1, 8)):
                        if spoiled:
                            spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
                    payload = bytes(spoiled[: dice.randrange(len(spoiled) + 1)])
                button._client.publish(topic, payload, qos=0)
            button.press("real", "r", batch)
            button.wait_heard("linli/v1/button/real/written", seq=batch)
        counts = seat.order("statistics")["statistics"]["counts"]
        with closing(sqlite3.connect(f"file:{hall.home}/gateway.db?mode=ro", uri=True)) as book:
            real = book.execute("SELECT sum(presses) FROM calls WHERE device_id = 'real'").fetchone()[0]
        print(f"  {counts['messages']} messages: {counts}; real presses {real} of {wanted // EACH}")
        return 0 if real == wanted // EACH and hall.process.pid else 1
