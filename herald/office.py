"""The herald's office: one thread that reads what waits, hands it to the lanes, and tells the gateway the end of it.

    read (gateway.db, woken by the desk) → write down the attempt → send (in a lane) → write down its end → tell

Rule 1. The ladder never waits for this process, and this process never decides whom to tell.
Rule 2. At least once: see the head of this room (``__init__.py``). A disk that refuses stops no message.
Rule 3. While its call is open a message is tried again, after growing pauses. What is void in gateway.db is dropped; of
        several that wait for the same helper, way and call only the newest is sent.
Rule 4. Each end is told until the gateway has written it. What gateway.db calls queued and we call sent is told again.
Rule 5. What comes in by SMS is sms_answers.py's matter.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devices.faults import NotWritten
from devices.plan import Plan
from gateway import views_messages
from gateway.hall import links
from gateway.log import say, say_once
from gateway.notebook import open_reader
from herald import wording
from herald.desk_line import Json
from herald.lanes import Lanes
from herald.modem_post import ModemPost
from herald.sendings import Sending, Sendings
from herald.sms_answers import Line, Looked, SmsAnswers
from herald.wording import Outcome

#: Without a doorbell gateway.db is looked into so often.
LOOK_EVERY_S = 5.0
ALIVE_EVERY_S = 15.0
#: An attempt that has not come back after this is counted as failed (apprise's own limits: 6 s and 10 s, twice).
PATIENCE_S, MODEM_PATIENCE_S = 30.0, 150.0
#: A message without a call (a visit's) is tried for so long.
CALL_LESS_MS = 3600 * 1000


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt has come back."""

    message_id: str
    attempt: int
    outcome: Outcome


#: "bell", "up", "stop"; an attempt's end; the modem's; the gateway's answer to an order (None: the line broke).
Event = str | Ended | Looked | tuple[str, Json | None]


class Office:
    """See the head of this file. ``turn`` is called for ever by one thread; ``events`` is every other thread's door.

    :param post: sends one message by apprise; :param modem: the hall's own, or None.
    :param load: makes ``post`` ready beforehand, once it is known to be needed.
    :param now_s: monotonic seconds; :param wall_ms: UTC milliseconds.
    """

    def __init__(
        self,
        plan: Plan,
        gateway_db: Path,
        book: Sendings,
        line: Line,
        post: Callable[[str, str], Outcome],
        modem: ModemPost | None,
        now_s: Callable[[], float],
        wall_ms: Callable[[], int],
        pid: int,
        events: queue.SimpleQueue[Event] | None = None,
        load: Callable[[], None] = lambda: None,
    ) -> None:
        self._plan, self._gateway_db, self._book, self._line = plan, gateway_db, book, line
        self._post, self._modem, self._now_s, self._wall_ms = post, modem, now_s, wall_ms
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue() if events is None else events
        self.lanes = Lanes()
        self._look_s = self._alive_s = self._tell_s = 0.0
        self._secret = ""
        self._load, self._loaded = load, False
        self.stopping = False
        kept: list[Sending] = []
        torn = 0
        try:
            kept, torn = book.begin(pid)
        except NotWritten as wrong:
            say_once(
                "herald_db", "not_written", f"{wrong}; messages go out all the same", level=logging.ERROR
            )
        self._sendings = {one.message_id: one for one in kept}
        self._answers = (
            None if modem is None else SmsAnswers(plan, gateway_db, book, line, modem, self.lanes, wall_ms)
        )
        if modem is None:
            self._written(book.no_modem)
        if torn:
            say("sent_again", f"{torn} message(s) were being sent when we stopped: they are sent again")

    # ---------------------------------------------------------------- a turn

    def turn(self, longest_s: float = 1.0) -> None:
        """Wait for something to happen, at most so long; then do what is due."""
        try:
            event = self.events.get(timeout=self._wait_s(longest_s))
            while True:
                self._hear(event)
                event = self.events.get_nowait()
        except queue.Empty:
            pass
        self._work(self._now_s())

    def finish(self, longest_s: float) -> None:
        """We are closing: only what comes back is written down and told; nothing new is begun."""
        try:
            event = self.events.get(timeout=longest_s)
            self._hear(event)
        except queue.Empty:
            pass

    def status(self) -> str:
        """One line for the person who looks."""
        waiting = sum(one.state in ("waiting", "sending") for one in self._sendings.values())
        return f"{waiting} message(s) on their way" + (
            f", modem {self._modem.now.state}" if self._modem else ""
        )

    def _wait_s(self, longest_s: float) -> float:
        now_s = self._now_s()
        due = [one.due_s for one in self._sendings.values() if one.state == "waiting" and one.address]
        due += [one.until_s for one in self._sendings.values() if one.state == "sending"]
        return max(0.0, min([longest_s, self._look_s - now_s, *(at - now_s for at in due)]))

    def _hear(self, event: Event) -> None:
        match event:
            case "bell":
                self._look_s = 0.0
            case "up":
                self._look_s = self._tell_s = 0.0
            case "stop":
                self.stopping = True
            case Ended():
                self._ended(event)
            case Looked() if self._answers is not None:
                self._answers.looked(event, self._secret)
            case (str() as order_id, answer):
                self._answered(order_id, answer)

    def _work(self, now_s: float) -> None:
        if now_s >= self._alive_s:
            self._alive_s = now_s + ALIVE_EVERY_S
            self._written(self._book.beat)
        if now_s >= self._look_s:
            self._look_s = now_s + LOOK_EVERY_S
            self._look(now_s)
        for one in list(self._sendings.values()):
            if one.state == "sending" and now_s >= one.until_s:
                self.lanes.overdue(_job_id(one))
                self._ended(Ended(one.message_id, one.attempts, Outcome(False, wording.NO_ANSWER)))
        self._send_due(now_s)
        if self._answers is not None:
            self._answers.look(now_s, self.events.put)
        if now_s >= self._tell_s:
            self._tell_s = now_s + LOOK_EVERY_S
            self._tell_all()
        self._book.rest()

    @staticmethod
    def _written(write: Callable[[], None]) -> None:
        """Write it down, if the disk takes it. Where it refuses, messages go out all the same: killed now, we should
        send them again, and a doubled message is better than a lost one."""
        try:
            write()
        except NotWritten as wrong:
            words = f"{wrong}; messages go out all the same, after a restart perhaps twice"
            say_once("herald_db", "not_written", words, level=logging.ERROR)

    # ---------------------------------------------------------------- what waits

    def _look(self, now_s: float) -> None:
        """Bring what we have in step with what gateway.db calls queued."""
        try:
            reader = open_reader(self._gateway_db)
        except NotWritten:
            return  # the gateway has not begun its notebook yet, or a restore is under way
        try:
            rows: list[Json] = list(views_messages.queued_messages(reader))
            queued = {str(row["message_id"]): row for row in rows}
            self._secret = views_messages.link_secret(reader)
            if not self._loaded and views_messages.helpers_by_network(reader):
                self._loaded = True
                self.lanes.give("load", "load", self._load)
        except sqlite3.Error as wrong:
            say_once(
                "gateway_db", "outbox_unreadable", f"gateway.db cannot be read: {wrong}; tried every 5 s"
            )
            return
        finally:
            reader.close()
        news: list[Sending] = []
        for message_id, row in queued.items():
            known = self._sendings.get(message_id)
            if known is None or known.created_ms != int(row["created_ms"]):
                known = self._meet(message_id, row, now_s)
                if not known.told:
                    news.append(known)
            elif known.state in ("sent", "failed"):
                known.told = False
            _fill(known, row)
        for one in self._sendings.values():
            if one.state == "waiting" and one.message_id not in queued:
                one.state, one.told = "void", True
                news.append(one)
        news += self._give_up_old(queued)
        self._written(lambda: self._book.put(news))
        self._forget_told()

    def _meet(self, message_id: str, row: Json, now_s: float) -> Sending:
        created_ms = int(row["created_ms"])
        known = self._book.known(message_id, created_ms) or Sending(message_id, created_ms, "waiting")
        known.due_s, known.told = now_s, False
        if known.state == "void":
            known.state = "waiting"
        self._sendings[message_id] = known
        return known

    def _give_up_old(self, queued: dict[str, Json]) -> list[Sending]:
        """What need not be sent any more."""
        given_up = []
        newest: dict[tuple[int, str, str], Sending] = {}
        for message_id, row in queued.items():  # oldest first
            one = self._sendings[message_id]
            if one.state != "waiting":
                continue
            about = (one.call_id, one.helper_id, one.address)
            if one.call_id and about in newest:
                given_up.append(_fail(newest[about], wording.REPLACED))
            newest[about] = one
            if row["call_state"] == "CLOSED":
                given_up.append(_fail(one, wording.CALL_OVER))
            elif row["call_state"] is None and self._wall_ms() - one.created_ms > CALL_LESS_MS:
                given_up.append(_fail(one, wording.TOO_OLD))
        return given_up

    def _forget_told(self) -> None:
        for message_id in [name for name, one in self._sendings.items() if one.told and one.state in _OVER]:
            del self._sendings[message_id]

    # ---------------------------------------------------------------- sending

    def _send_due(self, now_s: float) -> None:
        due = [
            one
            for one in self._sendings.values()
            if one.state == "waiting" and one.address and now_s >= one.due_s
        ]
        for one in due:
            one.state = "sending"
            one.attempts += 1
            by_modem = wording.scheme(one.address) == "sms"
            one.until_s = now_s + (MODEM_PATIENCE_S if by_modem else PATIENCE_S)
        if due:
            self._written(lambda: self._book.put(due))
        for one in due:
            self._give(one)

    def _give(self, one: Sending) -> None:
        message_id, attempt, address = one.message_id, one.attempts, one.address
        by_modem = wording.scheme(address) == "sms"
        text = one.text
        if one.call_id:
            text = wording.compose(text, self._link(one), by_modem, self._plan.hall.languages)

        def send() -> None:
            outcome = Outcome(False, wording.why("程序出错", "a fault of Linli"))
            try:
                outcome = self._by_modem(address, text) if by_modem else self._post(address, text)
            finally:
                self.events.put(Ended(message_id, attempt, outcome))

        self.lanes.give(wording.lane_of(address), _job_id(one), send, width=1 if by_modem else 2)

    def _by_modem(self, address: str, text: str) -> Outcome:
        if self._modem is None:
            return Outcome(False, wording.NO_MODEM, final=True)
        return self._modem.send(address.partition(":")[2].removeprefix("//"), text)

    def _link(self, one: Sending) -> str:
        base = self._plan.http.base_url.rstrip("/")
        if not base or not self._secret or not one.call_id:
            return ""
        link = links.Link(one.call_id, one.helper_id, one.turn, one.created_ms + links.LIFE_MS)
        return f"{base}/a/{links.make(self._secret, link)}"

    def _ended(self, event: Ended) -> None:
        one = self._sendings.get(event.message_id)
        if one is None or one.state not in ("sending", "waiting"):
            return
        if not event.outcome.ok and (one.state == "waiting" or event.attempt != one.attempts):
            return  # it was given up as overdue, and has failed as expected
        now_s = self._now_s()
        if event.outcome.ok:
            one.state, one.why, one.told = "sent", "", False
        elif event.outcome.final:
            _fail(one, event.outcome.why)
        else:
            pause_s = wording.pause_s(one.attempts)
            one.told = one.told and one.why == event.outcome.why
            one.state, one.why, one.due_s = "waiting", event.outcome.why, now_s + pause_s
        _say_ended(one, event.outcome)
        if event.outcome.ok and self._answers is not None and wording.scheme(one.address) == "sms":
            self._answers.expect_soon(now_s)
        next_ms = self._wall_ms() + round((one.due_s - now_s) * 1000)
        self._written(lambda: self._book.put([one], next_ms))
        if not one.told:
            self._tell(one)

    # ---------------------------------------------------------------- telling

    def _tell_all(self) -> None:
        for one in list(self._sendings.values()):
            if not one.told and (one.state in _OVER or one.why):
                self._tell(one)
        if self._answers is not None:
            self._answers.tell_all()

    def _tell(self, one: Sending) -> None:
        words = {"message_id": one.message_id, "state": _word(one), "attempts": one.attempts, "why": one.why}
        self._line.order(_order_id(one), "message_state", **words)

    def _answered(self, order_id: str, answer: Json | None) -> None:
        if answer is None or answer.get("fault") == "not_written":
            return  # said again in a while
        kind, _, name = order_id.partition(":")
        if kind == "r" and self._answers is not None:
            self._answers.answered(int(name), answer)
        elif (
            kind == "m" and (one := self._sendings.get(name.split(":", 2)[2])) and _order_id(one) == order_id
        ):
            if not answer.get("ok"):
                why = f"message {one.message_id}: {answer.get('why_en')}"
                say_once(f"told:{one.message_id}", "message_word_refused", why)
            one.told = True
            self._written(lambda: self._book.put([one]))


_OVER = ("sent", "failed", "void")


def _job_id(one: Sending) -> str:
    return f"{one.message_id} {one.attempts}"


def _word(one: Sending) -> str:
    """What the gateway calls it: until its end it is queued."""
    return one.state if one.state in ("sent", "failed") else "queued"


def _order_id(one: Sending) -> str:
    """Names this word about this message: an answer to an earlier one settles nothing."""
    return f"m:{_word(one)}:{hash(one.why) & 0xFFFFFF}:{one.message_id}"


def _say_ended(one: Sending, outcome: Outcome) -> None:
    what = f"message {one.message_id} by {wording.scheme(one.address)}"
    if outcome.ok:
        say("message_sent", f"{what}: sent", call_id=one.call_id)
    elif one.state == "failed" or one.attempts & (one.attempts - 1) == 0:  # the 1st, 2nd, 4th, 8th … attempt
        words = f"{what}: not sent, attempt {one.attempts} ({outcome.why})"
        say("message_not_sent", words, level=logging.WARNING, call_id=one.call_id)


def _fail(one: Sending, why: str) -> Sending:
    one.state, one.why, one.told = "failed", why, False
    return one


def _fill(one: Sending, row: Json) -> None:
    one.address, one.text = str(row["channel"]), str(row["text"])
    one.call_id, one.helper_id, one.turn = int(row["call_id"]), str(row["helper_id"]), int(row["turn"])
