"""Residents of the trial ``queue``, a process of its own: threads that take numbers and remember what they were told.

``python -m tests.campaign._queue_client {"port": 8000, "who": 0, "threads": 16, "each": 2000}``; ``each`` 0: until
standard input closes. What was told goes to standard output as JSON at the end: key → every answer that came for it.
Where no answer comes (the kiosk was killed) the same key is sent again, as a screen does.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
from collections import defaultdict
from typing import Any

#: Items of three letters, so that three rows of numbers grow at once.
ITEMS = ("ZW-01", "DW-01", "WY-04", "ZW-02", "ZW-07")
#: How soon a screen asks again where nobody answered.
AGAIN_S = 0.05
#: Of so many answered numbers one is asked for a second time with the same key, as a double tap does.
DOUBLE_TAP_EACH = 7

Json = dict[str, Any]


class Resident(threading.Thread):
    """One screen: takes one number after another."""

    def __init__(self, port: int, who: str, each: int, end: threading.Event) -> None:
        super().__init__(name=who, daemon=True)
        self.told: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        self.tries = 0
        self.refused: list[str] = []
        self._port, self._who, self._each, self._end = port, who, each, end
        self._line: http.client.HTTPConnection | None = None

    def run(self) -> None:
        number = 0
        while (number < self._each) if self._each else not self._end.is_set():
            number += 1
            key = f"{self._who}-{number}"
            self._take(key, number)
            if number % DOUBLE_TAP_EACH == 0:
                self._take(key, number)

    def _take(self, key: str, number: int) -> None:
        """Until somebody answers."""
        words = {
            "service": ITEMS[number % len(ITEMS)],
            "key": key,
            "lang": "zh",
            "screen": f"{self._who}-{number}",
        }
        pause = threading.Event()
        while True:
            self.tries += 1
            try:
                if self._line is None:
                    self._line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
                self._line.request(
                    "POST", "/api/tickets", json.dumps(words), {"Content-Type": "application/json"}
                )
                answer = self._line.getresponse()
                said: Json = json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError):
                self._line = None
                pause.wait(AGAIN_S)
                continue
            if answer.status in (200, 201):
                self.told[key].append((answer.status, said["number"], said["token"]))
                return
            if answer.status < 500:
                self.refused.append(f"{key}: {answer.status} {said}")
                return
            pause.wait(AGAIN_S)


def main(words: Json) -> int:
    end = threading.Event()
    residents = [
        Resident(words["port"], f"c{words['who']}t{number}", words["each"], end)
        for number in range(words["threads"])
    ]
    for one in residents:
        one.start()
    if not words["each"]:
        sys.stdin.read()
        end.set()
    for one in residents:
        one.join()
    told = {key: answers for one in residents for key, answers in one.told.items()}
    refused = [line for one in residents for line in one.refused]
    json.dump({"told": told, "refused": refused, "tries": sum(one.tries for one in residents)}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
