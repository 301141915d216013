"""People of the trials: staff who take and close calls, residents who take tickets. All of them try again."""

from __future__ import annotations

import http.client
import json
import sqlite3
import threading
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

from tests.parts import Json, Seat, wait_until

#: The pace of a member of staff: a call is looked at this often.
STAFF_S = 0.5
#: A ticket a second: what three screens see at their busiest, and the virtual printer keeps up.
RESIDENT_S = 1.0


class Staff(threading.Thread):
    """Takes the oldest open call, then closes it; remembers what the gateway called written: call → its state."""

    def __init__(self, desk: Path) -> None:
        super().__init__(name="staff", daemon=True)
        self.promised: dict[int, str] = {}
        self._desk = desk
        self._end = threading.Event()

    def finish(self) -> None:
        self._end.set()
        self.join(30)

    def run(self) -> None:
        while not self._end.wait(STAFF_S):
            try:
                seat = Seat(self._desk)
            except (OSError, AssertionError, ValueError):
                continue  # the gateway is dead at the moment
            try:
                self._look_after(seat)
            except (OSError, AssertionError, ValueError):
                pass  # killed under our hands: what was not answered was not promised
            finally:
                seat.close()

    def _look_after(self, seat: Seat) -> None:
        calls: list[Json] = [call for call in seat.snapshot["calls"] if call["state"] != "CLOSED"]
        for call in calls[:2]:
            number = int(call["call_id"])
            if call["state"] == "HEARD":
                answer = seat.order("accept_call", call_id=number, by="小李")
                state = "COMING"
            else:
                answer = seat.order("close_call", call_id=number, by="小李", outcome="helped")
                state = "CLOSED"
            if answer.get("written"):
                self.promised[number] = state


class Resident(threading.Thread):
    """Somebody at a screen: takes tickets; where no answer comes, asks again with the same key."""

    def __init__(self, url: str, who: int) -> None:
        super().__init__(name=f"resident-{who}", daemon=True)
        self.numbers: dict[str, str] = {}
        self._url, self._who = url, who
        self._end = threading.Event()

    def finish(self) -> None:
        self._end.set()
        self.join(60)

    def run(self) -> None:
        taken = 0
        while not self._end.wait(RESIDENT_S):
            taken += 1
            key = f"resident-{self._who}-{taken}"
            words = json.dumps({"service": "ZW-01", "key": key, "lang": "zh"}).encode()
            while True:
                request = urllib.request.Request(
                    f"{self._url}/api/tickets", words, {"Content-Type": "application/json"}, method="POST"
                )
                try:
                    with urllib.request.urlopen(request, timeout=10) as answer:
                        self.numbers[key] = json.load(answer)["number"]
                    break
                except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError):
                    if self._end.wait(0.1):
                        return


def lines_are_up(desk: Path) -> bool:
    """Whether the gateway has all its lines to the broker."""
    try:
        seat = Seat(desk)
    except (OSError, AssertionError, ValueError):
        return False
    try:
        lines: Json = seat.order("statistics")["statistics"]["lines"]
        return bool(lines) and all(line["up"] for line in lines.values())
    except (OSError, AssertionError, ValueError):
        return False
    finally:
        seat.close()


def wait_spooled(home: Path) -> None:
    """Until every slip of the kiosk is printed, or waits for a person."""

    def spooled() -> bool:
        with closing(sqlite3.connect(f"file:{home}/kiosk.db?mode=ro", uri=True)) as book:
            slips = book.execute("SELECT count(*) FROM slips").fetchone()[0]
        with closing(sqlite3.connect(f"file:{home}/bridge.db?mode=ro", uri=True)) as book:
            ended = "SELECT count(*) FROM jobs WHERE state NOT IN ('QUEUED', 'SENDING')"
            return bool(book.execute(ended).fetchone()[0] == slips)

    wait_until(spooled, lambda: "every slip printed or UNSURE", 180.0)
