"""The hall of the ladder trial: kinds with steps of seconds, helpers of every role, their telephones, and who answers.

Nothing here judges; it says what was arranged (``LADDERS``, ``HELPERS``) and what was seen (``Telephones.heard``).
"""

from __future__ import annotations

import http.server
import json
import random
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts import Json, Seat

#: kind → its ladder: (who, wait_s, acts). Short, so that many steps happen; and on some of them there is nobody.
Ladder = tuple[tuple[str, int, tuple[str, ...]], ...]
LADDERS: dict[str, Ladder] = {
    "emergency": (
        ("duty", 1, ("console", "message")),
        ("grid", 2, ("message",)),
        ("building", 1, ("console",)),
        ("unit", 1, ("message",)),
        ("guard", 1, ("message",)),
        ("secretary", 3, ("console", "beacon", "message")),
    ),
    "help": (("volunteer", 1, ("console", "voice")), ("duty", 2, ("message",)), ("grid", 3, ("message",))),
    "repair": (("repair", 5, ("message",)), ("duty", 1, ("message",)), ("grid", 4, ("message",))),
    "company": (("family", 3, ("message",)), ("volunteer", 2, ("console",)), ("secretary", 2, ("message",))),
}
#: role → who is on duty there, and by how many ways each is reached. Nobody listens at a console in this trial.
HELPERS: dict[str, tuple[tuple[str, int], ...]] = {
    "duty": (("h-duty-a", 1), ("h-duty-b", 2)),
    "grid": (("h-grid", 1),),
    "unit": (("h-unit", 0),),
    "guard": (("h-guard", 1),),
    "repair": (("h-repair", 1),),
    "secretary": (("h-secretary", 1),),
}
#: Helpers who are never on duty: their shift ended last year.
OFF_DUTY = {"duty": "h-duty-off", "building": "h-building-off"}
#: What the buttons call: most of them for help in need.
KINDS = ("emergency", "emergency", "help", "repair", "company")
#: An acceptance that leads to nothing expires after this, the least that the console allows.
COMING_S = 60
#: What becomes of a call: the shares of a hundred.
FATES = (
    ("alone", 10),
    ("accepted", 12),
    ("link", 18),
    ("closed", 12),
    ("reopened", 12),
    ("second", 8),
    ("whole", 28),
)
STAFF = ("小李", "小王", "小赵")
_LINK = re.compile(r"/a/([a-z2-7]+)")


def hall_toml() -> str:
    """No toys, no printer; links begin with an address that nobody serves: who takes one goes to the desk."""
    return '[http]\nbase_url = "http://hall.invalid"\n[virtual]\non = false\n[hall]\ntimezone = "Asia/Shanghai"\n'


def furnish(desk: Path, buttons: list[str], url: str) -> None:
    """Kinds, helpers and claimed buttons, by the orders that the console gives."""
    seat = Seat(desk)

    def must(name: str, /, **fields: object) -> None:
        answer = seat.order(name, by="t", **fields)
        assert answer.get("written"), f"{name} {fields}: {answer}"

    for kind, ladder in LADDERS.items():
        must(
            "put_kind",
            kind=kind,
            ladder=[[who, wait, list(acts)] for who, wait, acts in ladder],
            coming_s=COMING_S,
        )
    for role, helpers in HELPERS.items():
        for helper_id, ways in helpers:
            channels = [f"{url}/{helper_id}/{way}" for way in range(ways)]
            must("put_helper", helper_id=helper_id, name=helper_id, role=role, channels=channels)
    for role, helper_id in OFF_DUTY.items():
        must("put_helper", helper_id=helper_id, name=helper_id, role=role, channels=[f"{url}/{helper_id}/0"])
        must(
            "put_shift",
            shift_id=f"s-{helper_id}",
            helper_id=helper_id,
            first_day="2025-01-01",
            last_day="2025-01-02",
        )
    for number, device_id in enumerate(buttons):
        kind = KINDS[number % len(KINDS)]
        must("claim_device", device_id=device_id, kind="call_button", call_kind=kind, name=device_id)
    seat.close()


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that came to a telephone: when (wall time), whose, by which of its ways, with which link."""

    at_ms: int
    helper_id: str
    way: int
    token: str


class Telephones:
    """Plays every helper's webhook."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        phones = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                _, helper_id, way = self.path.split("/")
                found = _LINK.search(body["message"])
                phones.heard.append(Heard(_now_ms(), helper_id, int(way), found[1] if found else ""))
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # who said it was killed

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._server.daemon_threads = True
        self.url = f"json://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        ).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass(slots=True)
class _Plan:
    """What staff will do with one call, and when: (monotonic seconds, order, by, outcome)."""

    fate: str
    left: list[tuple[float, str, str, str]] = field(default_factory=list)


class Answerers(threading.Thread):
    """Staff at one console and helpers with telephones: each call has a fate, drawn from its number.

    ``promised``: what the gateway called written: (call, the journal's word for it, by whom). ``pace``: below 1 they
    are that much quicker.
    """

    def __init__(self, desk: Path, telephones: Telephones, seed: int, pace: float = 1.0) -> None:
        super().__init__(name="answerers", daemon=True)
        self.promised: list[tuple[int, str, str]] = []
        self.refused: list[str] = []
        self._desk, self._telephones, self._seed, self._pace = desk, telephones, seed, pace
        self._plans: dict[int, _Plan] = {}
        self._read = 0
        self._tokens: list[str] = []
        self._end = threading.Event()

    def finish(self) -> None:
        self._end.set()
        self.join(30)

    @property
    def idle(self) -> bool:
        """Nobody has anything left to do, as far as anybody has met the calls."""
        return all(not plan.left for plan in list(self._plans.values()))

    def run(self) -> None:
        while not self._end.is_set():
            try:
                seat = Seat(self._desk)
            except (OSError, AssertionError, ValueError):
                self._end.wait(0.1)  # the gateway is dead at the moment
                continue
            try:
                self._meet(seat.snapshot["calls"])
                while not self._end.wait(0.2):
                    self._look_after(seat)
            except (OSError, AssertionError, ValueError):
                pass  # killed under our hands: what was not answered was not promised
            finally:
                seat.close()

    def _look_after(self, seat: Seat) -> None:
        seat.order("ping")
        heard, seat.heard = seat.heard, []
        self._meet([fact["call"] for fact in heard if fact.get("fact") == "CallChanged"])
        self._take_by_link(seat)
        now_s = time.monotonic()
        for call_id, plan in self._plans.items():
            while plan.left and plan.left[0][0] <= now_s:
                _, order, by, outcome = plan.left[0]
                fields = {"outcome": outcome} if outcome else {}
                self._do(seat, order, call_id, by, **fields)
                plan.left.pop(0)

    def _meet(self, calls: list[Json]) -> None:
        now_s = time.monotonic()
        for call in calls:
            call_id = int(call["call_id"])
            if call["state"] != "CLOSED" and call_id not in self._plans:
                plan = _plan(random.Random(f"{self._seed}:{call_id}"))
                plan.left = [
                    (now_s + at_s * self._pace, order, by, outcome) for at_s, order, by, outcome in plan.left
                ]
                self._plans[call_id] = plan

    def _take_by_link(self, seat: Seat) -> None:
        """Whoever has a message of a call with that fate takes its link to the hall."""
        new, self._read = self._telephones.heard[self._read :], len(self._telephones.heard)
        self._tokens += [heard.token for heard in new if heard.token]
        while self._tokens:
            token = self._tokens[0]
            if _is_taken(token):
                answer = seat.order("accept_by_link", token=token)
                if answer.get("written"):
                    call = answer["call"]
                    self.promised.append((call["call_id"], "Accepted", call["accepted_by"]))
            self._tokens.pop(0)

    def _do(self, seat: Seat, order: str, call_id: int, by: str, **fields: str) -> None:
        answer = seat.order(order, call_id=call_id, by=by, **fields)
        if answer.get("written"):
            word = {"accept_call": "Accepted", "arrive_call": "Arrived", "close_call": "Closed"}.get(
                order, "Reopened"
            )
            self.promised.append((call_id, word, by))
        else:
            self.refused.append(f"{order} {call_id}: {answer.get('why_en')}")


def _is_taken(token: str) -> bool:
    """Some of the links are used; which, only their letters say."""
    return sum(map(ord, token)) % 4 == 0


def _plan(dice: random.Random) -> _Plan:
    """Times are seconds after the call was met."""
    (fate,) = dice.choices([name for name, _ in FATES], [share for _, share in FATES])
    by, other = dice.sample(STAFF, 2)
    at_s = dice.choice((0.2, 1.0, 2.5, 4.0, 7.0, 11.0)) * dice.uniform(0.7, 1.3)
    arrive_s = at_s + dice.uniform(0.3, 4.0)
    close_s = arrive_s + dice.uniform(0.3, 4.0)
    outcome = dice.choice(("helped", "false_alarm", "no_answer"))
    accept, arrive = (at_s, "accept_call", by, ""), (arrive_s, "arrive_call", by, "")
    close = (close_s, "close_call", by, "referred" if outcome == "no_answer" else "false_alarm")
    steps = {
        "alone": [],
        "accepted": [accept],
        "link": [(close_s + 12.0, *close[1:])],
        "closed": [(at_s, *close[1:])],
        "reopened": [
            (at_s, *close[1:]),
            (at_s + 1.5, "reopen_call", by, ""),
            (at_s + 6.0 + dice.uniform(0, 4), *close[1:]),
        ],
        "second": [accept, (at_s + 0.4, "accept_call", other, ""), arrive, close],
        "whole": [accept, arrive, close],
    }
    return _Plan(fate, steps[fate])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
