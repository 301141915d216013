"""A call-button service as one writes it in an afternoon: paho-mqtt, sqlite3 and Flask, in one file.

A message comes → INSERT → COMMIT → the lamp is lit → the browsers hear of it. It is written to be good of its kind,
not to lose: the session at the broker is persistent, paho acknowledges after ``on_message`` (so after the commit), a
repeated press is recognised by its key, and an old bay message never overwrites a newer one.

    python -m tests.peers.naive <folder> <mqtt port> <http port> wal|delete
"""

from __future__ import annotations

import json
import queue
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from flask import Flask, Response
from paho.mqtt.enums import CallbackAPIVersion

SCHEMA = """
CREATE TABLE IF NOT EXISTS presses (device TEXT, boot TEXT, seq INTEGER, at TEXT DEFAULT CURRENT_TIMESTAMP,
                                    PRIMARY KEY (device, boot, seq));
CREATE TABLE IF NOT EXISTS bays (bay TEXT PRIMARY KEY, seq INTEGER, occupied INTEGER);
"""

app = Flask(__name__)
listeners: list[queue.Queue[str]] = []


@app.get("/live")
def live() -> Response:
    """Every browser has a queue of its own."""
    mine: queue.Queue[str] = queue.Queue()
    listeners.append(mine)

    def stream() -> Iterator[str]:
        try:
            while True:
                yield f"data: {mine.get()}\n\n"
        finally:
            listeners.remove(mine)

    return Response(stream(), mimetype="text/event-stream")


def on_message(client: paho.Client, book: sqlite3.Connection, message: paho.MQTTMessage) -> None:
    _, _, kind, device, _ = message.topic.split("/")
    words: dict[str, Any] = json.loads(message.payload)
    if kind == "button":
        book.execute(
            "INSERT INTO presses(device, boot, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (device, words["boot"], words["seq"]),
        )
        book.commit()
        client.publish(f"linli/v1/lamp/{device}/set", json.dumps({"light": "blink"}), qos=1, retain=True)
    else:
        book.execute(
            "INSERT INTO bays(bay, seq, occupied) VALUES (?, ?, ?) ON CONFLICT(bay) DO UPDATE SET "
            "seq=excluded.seq, occupied=excluded.occupied WHERE excluded.seq > bays.seq",
            (device, words["seq"], words["occupied"]),
        )
        book.commit()
    for listener in listeners.copy():
        listener.put(message.payload.decode())


def main(folder: str, mqtt_port: str, http_port: str, journal: str) -> None:
    book = sqlite3.connect(Path(folder) / "naive.db", check_same_thread=False)
    if journal == "wal":
        book.execute("PRAGMA journal_mode=WAL")
        book.execute("PRAGMA synchronous=FULL")
    book.executescript(SCHEMA)
    client = paho.Client(CallbackAPIVersion.VERSION2, "naive", clean_session=False, userdata=book)
    client.on_message = on_message
    client.on_connect = lambda client, *_: client.subscribe(
        [("linli/v1/button/+/press", 1), ("linli/v1/bay/+/state", 0)]
    )
    client.connect("127.0.0.1", int(mqtt_port))
    threading.Thread(target=client.loop_forever, daemon=True).start()
    app.run("127.0.0.1", int(http_port), threaded=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
