"""A hall for the herald's tests: the gateway's real loop, notebook and desk in a thread, and a phone company we play.

What is left out is the broker: presses are put into the loop by hand, and messages are rows that we write as the ladder
would. Nothing sleeps: every wait is for a line, a row or a request.
"""

from __future__ import annotations

import http.server
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from devices.messages import DeviceSeen, Pressed
from devices.plan import Hall as HallWords
from devices.plan import Http, Plan
from gateway.arrival import Arrival, ThreadDoor
from gateway.desk import Desk, line_of
from gateway.hall.rows import Helper, Message, Person, Row
from gateway.hall.state import Call, Decision, HallState
from gateway.house import House
from gateway.loop import Loop
from gateway.notebook import Notebook, open_reader
from gateway.timers import Clock
from tests.mouths import mouths
from tests.parts import PATIENCE_S, ROOT

#: WeCom's and DingTalk's way of saying no, and Feishu's.
NO = {"errcode": 93000, "errmsg": "invalid webhook url", "code": 93000, "msg": "invalid webhook url"}
BASE_URL = "http://192.168.1.10:8000"


class QuietGateway:
    """The gateway without a broker. ``stop`` and ``start`` are a gateway that goes and comes back."""

    def __init__(self, home: Path, http_port: int = 8000, sms_port: str = "") -> None:
        home.mkdir(parents=True, exist_ok=True)
        base = BASE_URL if http_port == 8000 else f"http://127.0.0.1:{http_port}"
        plan = Plan(hall=HallWords(), http=Http(port=http_port, base_url=base))
        plan = replace(plan, virtual=replace(plan.virtual, on=False), sms=replace(plan.sms, port=sms_port))
        self.house = House(home, home / "run", plan, "")
        self._numbers = iter(range(1, 1000))
        #: ended with the hall, whatever becomes of the test
        self.closers: list[Callable[[], object]] = []
        self._thread: threading.Thread | None = None
        self.start()

    def start(self) -> None:
        self.book = Notebook(self.house.gateway_db, ROOT / "gateway/schema")
        self._door = ThreadDoor()
        self._desk: Desk | None = None
        self.loop = loop = Loop(self.book, (), {}, mouths(tell_screens=self._tell), Clock())
        loop.selector.register(self._door, 1, lambda _mask: self._door.open())
        self._desk = Desk(self.house.gateway_socket, loop.selector, loop.take, loop.snapshot, lambda *_: None)
        self._thread = threading.Thread(target=loop.run, args=(lambda: None,), daemon=True)
        self._thread.start()

    def _tell(self, fact: dict[str, object]) -> None:
        if self._desk is not None:
            self._desk.tell(line_of(fact))

    def stop(self) -> None:
        if self._thread is None:
            return
        self._door.knock(self.loop.stop)
        self._thread.join(PATIENCE_S)
        self._thread = None
        assert self._desk is not None
        self._desk.close()
        self._door.close()
        self.loop.selector.close()
        self.book.close()

    def run(self, job: Callable[[], None]) -> None:
        """Have the loop's thread do something, and wait until it has."""
        done = threading.Event()

        def do() -> None:
            try:
                job()
            finally:
                done.set()

        self._door.knock(do)
        assert done.wait(PATIENCE_S)

    def put(self, *rows: Row) -> None:
        self.run(lambda: _must(self.loop.decide(lambda _state, _now: Decision(changes=list(rows)))))

    def press(self, device: str = "btn-0302") -> None:
        facts = (
            DeviceSeen(device, "linli"),
            Pressed(device, press_id=f"a:{next(self._numbers)}", family="linli"),
        )
        self.run(lambda: self.loop.take(Arrival(time.monotonic_ns(), _now_ms(), "press", facts)))

    def order(self, name: str, /, **fields: object) -> dict[str, Any]:
        answers: queue.Queue[dict[str, Any]] = queue.Queue()
        arrival = Arrival(time.monotonic_ns(), _now_ms(), name, order=name, fields=fields, answer=answers.put)
        self._door.knock(lambda: self.loop.take(arrival))
        return answers.get(timeout=PATIENCE_S)

    def a_call_of_granny_zhang(self) -> int:
        """A claimed button, a person with secrets, a press; the call's number."""
        self.put(
            Person(
                "p-zhang", "张奶奶", phone="021-5550302", building="3栋", unit="1单元", room="302", place="3栋1单元302",
                access="门禁 4711", key_holder="钱阿姨", key_holder_phone="13900139000", medical="糖尿病",
            )
        )  # fmt: skip
        claim = {"device_id": "btn-0302", "kind": "call_button", "name": "302 床头", "call_kind": "emergency"}
        assert self.order("claim_device", **claim, place="3栋1单元302", person="张奶奶", by="小李")["ok"]
        self.press()
        call_id = self.wait(lambda state: max((call.call_id for call in _open(state)), default=0))
        call = self.loop.state.calls[call_id]
        if not call.person_id:
            self.run(
                lambda: _must(
                    self.loop.decide(lambda *_: Decision(changes=[replace(call, person_id="p-zhang")]))
                )
            )
        return int(call_id)

    def message(self, call_id: int, channel: str, helper: Helper, *, turn: int = 0, name: str = "") -> str:
        """What the ladder writes: a message to that helper."""
        message_id = name or f"m-{next(self._numbers)}"
        text = "【邻里】有一个紧急求助等人处理"
        self.put(helper, Message(message_id, call_id, turn, 0, helper.helper_id, channel, text, _now_ms()))
        return message_id

    def wait(self, question: Callable[[HallState], Any]) -> Any:
        """The first true answer of the hall's state to this question."""
        pause, until_s = threading.Event(), time.monotonic() + PATIENCE_S
        while not (answer := question(self.loop.state)):
            assert time.monotonic() < until_s, f"waited in vain; {self.loop.state.table(Message)}"
            pause.wait(0.01)
        return answer

    def wait_message(self, message_id: str, state: str) -> Message:
        """The message's row, once it is in this state."""

        def as_wanted(hall: HallState) -> Message | None:
            message = hall.table(Message).get(message_id)
            return message if message is not None and message.state == state else None

        found = self.wait(as_wanted)
        assert isinstance(found, Message)
        return found

    def ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """What stands in gateway.db."""
        reader = open_reader(self.house.gateway_db)
        try:
            return reader.execute(question, values).fetchall()
        finally:
            reader.close()


class PhoneCompany:
    """Plays a webhook. ``mood``: ok, error (500), hang (until `let_go`), refuses (200, and an errcode in the body)."""

    def __init__(self) -> None:
        self.mood = "ok"
        self.got: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.asked: queue.Queue[str] = queue.Queue()
        self._free = threading.Event()
        company = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                company.asked.put(self.path)
                mood = company.mood
                if mood == "hang":
                    company._free.wait(PATIENCE_S)
                if mood in ("ok", "hang"):
                    company.got.put((self.path, json.loads(body)))
                said = json.dumps(NO if mood == "refuses" else {})
                try:
                    self.send_response(500 if mood == "error" else 200)
                    self.send_header("Content-Length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said.encode())
                except OSError:
                    pass  # who asked has not waited

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def url(self, path: str = "x") -> str:
        """As apprise spells a JSON webhook."""
        return f"json://127.0.0.1:{self.port}/{path}"

    def let_go(self) -> None:
        self._free.set()

    def wait_got(self) -> tuple[str, str]:
        """The next message that was taken: the path, and its words."""
        path, words = self.got.get(timeout=PATIENCE_S)
        return path, str(words["message"])

    def close(self) -> None:
        self.let_go()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def phone_company() -> Iterator[PhoneCompany]:
    company = PhoneCompany()
    try:
        yield company
    finally:
        company.close()


@contextmanager
def quiet_gateway(home: Path, **more: Any) -> Iterator[QuietGateway]:
    gateway = QuietGateway(home, **more)
    try:
        yield gateway
    finally:
        for closer in gateway.closers:
            closer()
        gateway.stop()


def _open(state: HallState) -> list[Call]:
    return [call for call in list(state.calls.values()) if call.state != "CLOSED"]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _must(written: bool) -> None:
    assert written
