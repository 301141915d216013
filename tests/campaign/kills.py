"""No SIGKILL of any process at any moment loses a press that was called written, or a ticket that was answered.

Twenty buttons press, three clients take tickets, and a hand kills gateway, broker, kiosk or bridge at random moments
(``kills [rounds] [seed]``; default 40 rounds). Afterwards the books are compared: every press that heard "written" is
in the notebook, no press made two calls, every answered ticket is there, no number was given twice, and every slip is
printed, or a person is asked (UNSURE). A number is on paper twice only where a person was asked.
"""

from __future__ import annotations

import json
import random
import sqlite3
import tempfile
import threading
import time
import urllib.error
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.parts import Device
from tests.whole_hall import WholeHall, whole_hall

VICTIMS = ("gateway", "mosquitto", "kiosk", "firmware_bridge")
BUTTONS = 20
CLIENTS = 3
#: A button repeats every second (docs/protocol.md); here it looks after its presses ten times a second.
TICK_S = 0.1


class Buttons(threading.Thread):
    """Twenty buttons that speak the end-to-end protocol: each presses again only when its last press is written."""

    def __init__(self, hall: WholeHall, stop: threading.Event) -> None:
        super().__init__(name="buttons")
        self.device = Device(
            hall.mqtt_port, *(f"linli/v1/button/k-{number}/written" for number in range(BUTTONS))
        )
        self.stop_pressing = stop
        self.written: dict[tuple[str, int], float] = {}
        self.waits_ms: list[float] = []

    def run(self) -> None:
        open_presses: dict[str, tuple[int, float, float]] = {}
        seq = 0
        while open_presses or not self.stop_pressing.is_set():
            now = time.monotonic()
            for number in range(BUTTONS):
                name = f"k-{number}"
                if name not in open_presses and not self.stop_pressing.is_set():
                    seq += 1
                    open_presses[name] = (seq, now, 0.0)
                if name in open_presses:
                    mine, began, sent = open_presses[name]
                    if now - sent >= 1.0:
                        open_presses[name] = (mine, began, now)
                        words = {"boot": "k", "seq": mine, "press": "short"}
                        self.device._client.publish(f"linli/v1/button/{name}/press", json.dumps(words), qos=1)
            for topic, payload in self.device.take_heard(TICK_S):
                name, answer = topic.split("/")[3], json.loads(payload)
                if name in open_presses and open_presses[name][0] == answer["seq"]:
                    mine, began, _ = open_presses.pop(name)
                    self.written[name, mine] = began
                    self.waits_ms.append((time.monotonic() - began) * 1000)
        self.device.close()


class Client(threading.Thread):
    """Somebody at a screen: takes tickets; where no answer comes, asks again with the same key."""

    def __init__(self, hall: WholeHall, who: int, stop: threading.Event) -> None:
        super().__init__(name=f"client-{who}")
        self.hall, self.who, self.stop_taking = hall, who, stop
        self.numbers: dict[str, str] = {}

    def run(self) -> None:
        taken = 0
        while not self.stop_taking.is_set():
            taken += 1
            key = f"client-{self.who}-{taken}"
            while key not in self.numbers:
                try:
                    words = {"service": "ZW-01", "key": key, "lang": "zh"}
                    self.numbers[key] = self.hall.post("/api/tickets", words)["number"]
                except (urllib.error.URLError, ConnectionError, TimeoutError, ValueError, OSError):
                    self.stop_taking.wait(0.1)
                    if self.stop_taking.is_set():
                        break
            self.stop_taking.wait(0.3)


def main(words: list[str]) -> int:
    rounds = int(words[0]) if words else 40
    dice = random.Random(int(words[1]) if len(words) > 1 else 20261122)
    with tempfile.TemporaryDirectory(prefix="linli-kills-") as folder, whole_hall(Path(folder)) as hall:
        stop = threading.Event()
        buttons = Buttons(hall, stop)
        clients = [Client(hall, who, stop) for who in range(CLIENTS)]
        for thread in (buttons, *clients):
            thread.start()
        killed: Counter[str] = Counter()
        for _ in range(rounds):
            stop.wait(dice.uniform(0.3, 2.0))
            victim = dice.choice(VICTIMS)
            hall.kill(victim)
            killed[victim] += 1
        hall.wait_healthy()
        stop.set()
        for thread in (buttons, *clients):
            thread.join()
        hall.wait_healthy()
        hall.wait_spooled()
        return _compare(hall, buttons, clients, killed)


def _compare(hall: WholeHall, buttons: Buttons, clients: list[Client], killed: Counter[str]) -> int:
    with closing(sqlite3.connect(f"file:{hall.home}/gateway.db?mode=ro", uri=True)) as book:
        presses = {
            (device, int(press_id.partition(":")[2]))
            for device, press_id in book.execute(
                "SELECT device_id, press_id FROM presses WHERE device_id LIKE 'k-%'"
            )
        }
        counted = dict(
            book.execute("SELECT device_id, sum(presses) FROM calls WHERE device_id LIKE 'k-%' GROUP BY 1")
        )
        sound = [book.execute("PRAGMA integrity_check").fetchone()[0]]
    with closing(sqlite3.connect(f"file:{hall.home}/kiosk.db?mode=ro", uri=True)) as book:
        tickets = [
            f"{prefix}{number:03d}" for prefix, number in book.execute("SELECT prefix, number FROM tickets")
        ]
        slips = book.execute("SELECT count(*) FROM slips").fetchone()[0]
        sound.append(book.execute("PRAGMA integrity_check").fetchone()[0])
    with closing(sqlite3.connect(f"file:{hall.home}/bridge.db?mode=ro", uri=True)) as book:
        jobs = Counter(state for (state,) in book.execute("SELECT state FROM jobs"))
        sound.append(book.execute("PRAGMA integrity_check").fetchone()[0])
    answered = [number for client in clients for number in client.numbers.values()]
    paper = [slip.read_text(encoding="utf-8") for slip in (hall.home / "virtual" / "paper").rglob("*.txt")]
    copies = Counter(
        number for number in set(answered) for text in paper if f" {number}" in text and "补打" not in text
    )
    lost = set(buttons.written) - presses
    invented = {
        name: counted[name] for name in counted if counted[name] != sum(key[0] == name for key in presses)
    }
    waits = sorted(buttons.waits_ms)
    print(
        f"  killed {dict(killed)}; {len(buttons.written)} presses written, {len(answered)} tickets answered"
    )
    print(
        f"  press → written under fire: p50 {waits[len(waits) // 2]:.1f} ms, "
        f"p99 {waits[int(len(waits) * 0.99)]:.0f} ms, "
        f"worst {waits[-1]:.0f} ms"
    )
    print(
        f"  presses lost {len(lost)}, counted twice {len(invented)}; answered tickets missing "
        f"{len(set(answered) - set(tickets))}, numbers given twice {len(tickets) - len(set(tickets))}"
    )
    print(
        f"  slips {slips}, jobs {dict(jobs)}; numbers on paper more than once {sum(n > 1 for n in copies.values())}; "
        f"notebooks {sound}"
    )
    bad = (
        lost
        or invented
        or set(answered) - set(tickets)
        or len(tickets) != len(set(tickets))
        or sum(jobs.values()) != slips
        or jobs["QUEUED"] + jobs["SENDING"] + jobs["FAILED"]
        or sum(n > 1 for n in copies.values()) > jobs["UNSURE"]
        or set(sound) != {"ok"}
    )
    return 1 if bad else 0
