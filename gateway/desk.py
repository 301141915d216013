"""The front desk: a unix socket for our own processes. Orders up, answers and live facts down (docs/protocol.md, 2).

It works while the broker is dead. Nobody on the other side can make the loop wait: sockets do not block, what
a slow reader has not fetched is bounded, and past the bound the reader is sent away (it comes back and says hello).
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import socket
from collections.abc import Callable
from pathlib import Path

from devices.clock import mono_ns, wall_ms
from gateway.arrival import Arrival
from gateway.log import say

Json = dict[str, object]

#: The longest order. A claim with all its texts has under 4 KiB; a list of 2,000 residents from a file has 800 KiB.
LONGEST_LINE = 1024 * 1024
#: What a reader may leave unfetched: a Snapshot of 2,000 bays is 400 KiB.
LONGEST_BACKLOG = 4 * 1024 * 1024
#: Our own processes are three or four; technicians' commands come on top.
MOST_VISITORS = 64


class Visitor:
    """One connection."""

    def __init__(self, line: socket.socket, number: int) -> None:
        self.line = line
        #: the how-maniest since start: its orders are one source, whatever they are called (lanes.py)
        self.number = number
        self.who = ""
        self.listening = False
        #: it tells how many consoles listen: when it hangs up, none of them does
        self.has_consoles = False
        self.incoming = bytearray()
        self.outgoing = bytearray()
        #: the kernel takes no more for now: the selector will say when
        self.stuck = False

    def fileno(self) -> int:
        return self.line.fileno()


class Desk:
    """The listening socket and everybody at it. All methods are the loop's."""

    def __init__(
        self,
        path: Path,
        selector: selectors.BaseSelector,
        take: Callable[[Arrival], None],
        hello: Callable[[], Json],
        ask: Callable[[str, Json], Json | None],
        report: Callable[[Json, Callable[[Json], None]], None] | None = None,
    ) -> None:
        self._path = path
        self._selector = selector
        self._take = take
        self._hello = hello
        self._ask = ask
        self._report = report
        self._visitors: dict[int, Visitor] = {}
        self._holding = False
        self._welcomed = 0
        self.bad_lines = 0
        self.sent_away = 0
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o770)
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        os.chmod(path, 0o660)
        self._listener.listen(16)
        self._listener.setblocking(False)
        selector.register(self._listener, selectors.EVENT_READ, self._welcome)

    def tell(self, line: bytes) -> None:
        """To everybody who said hello: whole lines, made once (:func:`line_of`)."""
        for visitor in list(self._visitors.values()):
            if visitor.listening:
                self._send(visitor, line)

    def hold(self) -> None:
        """What is told from now on waits for :meth:`let_go`: one call of the kernel a visitor, not one a fact."""
        self._holding = True

    def let_go(self) -> None:
        self._holding = False
        for visitor in list(self._visitors.values()):
            if visitor.outgoing and not visitor.stuck:
                self._flush(visitor)

    def close(self) -> None:
        for visitor in list(self._visitors.values()):
            self._send_away(visitor)
        self._selector.unregister(self._listener)
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def statistics(self) -> Json:
        return {"visitors": len(self._visitors), "bad_lines": self.bad_lines, "sent_away": self.sent_away}

    # ---------------------------------------------------------------- in

    def _welcome(self, _mask: int) -> None:
        try:
            line, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        if len(self._visitors) >= MOST_VISITORS:
            line.close()
            self.sent_away += 1
            return
        line.setblocking(False)
        self._welcomed += 1
        visitor = Visitor(line, self._welcomed)
        self._visitors[visitor.fileno()] = visitor
        self._selector.register(line, selectors.EVENT_READ, lambda mask: self._serve(visitor, mask))

    def _serve(self, visitor: Visitor, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._flush(visitor)
        if mask & selectors.EVENT_READ and visitor.fileno() in self._visitors:
            self._read(visitor)

    def _read(self, visitor: Visitor) -> None:
        try:
            chunk = visitor.line.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._send_away(visitor)
            return
        arrived_ns = mono_ns()
        visitor.incoming += chunk
        # A visitor who was sent away in the middle of a chunk is not listened to any further.
        while visitor.fileno() in self._visitors and (end := visitor.incoming.find(b"\n")) >= 0:
            line = bytes(visitor.incoming[:end])
            del visitor.incoming[: end + 1]
            if line.strip():
                self._understand(visitor, line, arrived_ns)
        if len(visitor.incoming) > LONGEST_LINE:
            self.bad_lines += 1
            self._send_away(visitor)

    def _understand(self, visitor: Visitor, line: bytes, arrived_ns: int) -> None:
        try:
            order = json.loads(line)
            name = order["order"]
            if not isinstance(name, str) or not isinstance(order, dict) or not name:
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError):
            self.bad_lines += 1
            self._answer(
                visitor, None, _refusal("bad_order", "指令不是有效的 JSON", "the order is not a JSON object")
            )
            return
        order_id = order.pop("id", None)
        if not isinstance(order_id, str | int):
            order_id = None  # an id is a word or a number; anything deeper could not be written back
        if name == "hello":
            visitor.who = str(order.get("who", ""))[:40]
            visitor.listening = True
            self._answer(visitor, order_id, {"ok": True})
            self._send(visitor, line_of(self._hello()))
            return
        if name == "report" and self._report is not None:
            # What a device said, brought by the kiosk: it goes the way of all that devices say.
            self._report(order, lambda words: self._answer(visitor, order_id, words))
            return
        if name == "consoles":
            visitor.has_consoles = True
        at_once = self._ask(name, order)
        if at_once is not None:
            self._answer(visitor, order_id, at_once)
            return
        self._take(
            Arrival(
                arrived_ns,
                wall_ms(),
                f"{name} from {visitor.who or 'a visitor'}",
                order=name,
                fields=order,
                answer=lambda words: self._answer(visitor, order_id, words),
                source=f"visitor {visitor.number}",
            )
        )

    # ---------------------------------------------------------------- out

    def _answer(self, visitor: Visitor, order_id: object, words: Json) -> None:
        self._send(visitor, line_of({"re": order_id, **words}))

    def _send(self, visitor: Visitor, line: bytes) -> None:
        if visitor.fileno() not in self._visitors:
            return
        visitor.outgoing += line
        if len(visitor.outgoing) > LONGEST_BACKLOG:
            say("desk_slow", f"{visitor.who or 'a visitor'} does not read: sent away", level=logging.WARNING)
            self.sent_away += 1
            self._send_away(visitor)
        elif not visitor.stuck and not self._holding:
            self._flush(visitor)

    def _flush(self, visitor: Visitor) -> None:
        try:
            while visitor.outgoing:
                sent = visitor.line.send(visitor.outgoing)
                del visitor.outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._send_away(visitor)
            return
        if bool(visitor.outgoing) != visitor.stuck:
            visitor.stuck = not visitor.stuck
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if visitor.stuck else 0)
            self._selector.modify(visitor.line, wanted, self._selector.get_key(visitor.line).data)

    def _send_away(self, visitor: Visitor) -> None:
        if self._visitors.pop(visitor.fileno(), None) is None:
            return
        self._selector.unregister(visitor.line)
        visitor.line.close()
        if visitor.has_consoles:
            self._take(
                Arrival(
                    mono_ns(),
                    wall_ms(),
                    f"{visitor.who or 'a visitor'} hung up",
                    order="consoles",
                    fields={"live": 0},
                    source=f"visitor {visitor.number}",
                )
            )


#: Made once: `json.dumps` with settings of its own makes an encoder each time.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def line_of(words: Json) -> bytes:
    """One line of the desk's: JSON, and its end."""
    return _encode(words).encode("utf-8", "replace") + b"\n"


def _refusal(fault: str, zh: str, en: str) -> Json:
    return {"ok": False, "fault": fault, "why_zh": zh, "why_en": en}
