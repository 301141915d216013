"""Answers by SMS: what comes into the hall's modem.

Rule 1. "1" or "来了" from a helper's number is as good as a tap on the link of the newest message that had gone out to
        that helper when it was written: one that the network brings late does not take a call of which the helper knew
        nothing. The herald signs the same token and gives the same order, so the first is named to the second, too.
Rule 2. What came in is written down before the modem forgets it, and an acceptance is told until the gateway has heard.
Rule 3. Who has accepted is told where to go, and nobody else: a telephone at night cannot open a page of the hall.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from devices.faults import NotWritten
from devices.plan import Plan
from gateway import views_messages
from gateway.hall import links
from gateway.log import say, say_once
from gateway.notebook import open_reader
from herald import wording
from herald.desk_line import Json
from herald.lanes import Lanes
from herald.modem_post import Came, ModemPost
from herald.sendings import OpenReply, Sendings

#: The modem is asked what has come: often while somebody may be answering, else to see whether it is well.
INBOX_EVERY_S, INBOX_IDLE_S = 5.0, 60.0
#: Also when somebody has taken the call already: the others answer, too, and are told so.
AWAITED_MS = 15 * 60 * 1000
#: Who answers a message older than its link answers another question.
ANSWERS_MS = links.LIFE_MS

#: The network's clock and the hall's may differ by so much. Our choice: a Pi that was without internet for a week. An
#: answer that is believed to be older is not understood; the same words again are.
CLOCKS_DIFFER_MS = 2 * 60 * 1000


class Line(Protocol):
    """The line to the gateway's desk."""

    def order(self, order_id: str, name: str, /, **fields: object) -> bool: ...


@dataclass(frozen=True, slots=True)
class Looked:
    """The modem has been asked what has come in."""

    came: tuple[Came, ...]


class SmsAnswers:
    """All methods are the office's thread; the modem is asked in the lane "sms"."""

    def __init__(
        self,
        plan: Plan,
        gateway_db: Path,
        book: Sendings,
        line: Line,
        modem: ModemPost,
        lanes: Lanes,
        wall_ms: Callable[[], int],
    ) -> None:
        self._languages, self._gateway_db, self._book = plan.hall.languages, gateway_db, book
        self._line, self._modem, self._lanes, self._wall_ms = line, modem, lanes, wall_ms
        self._replies = book.open_replies()
        self._next_s = 0.0
        self._asking = self._awaits = False
        self._state = ""

    def look(self, now_s: float, looked: Callable[[Looked], None]) -> None:
        """Ask the modem, when it is time, what has come in; the answer is ``looked``."""
        if self._asking or now_s < self._next_s:
            return
        self._asking = True
        self._next_s = now_s + (INBOX_EVERY_S if self._awaits else INBOX_IDLE_S)

        def look() -> None:
            came: tuple[Came, ...] = ()
            try:
                came = tuple(self._modem.look())
            finally:
                looked(Looked(came))

        self._lanes.give("sms", "look", look, width=1)

    def expect_soon(self, now_s: float) -> None:
        """A message went out."""
        self._next_s = min(self._next_s, now_s + INBOX_EVERY_S)

    def looked(self, event: Looked, secret: str) -> None:
        """What has come in is written down, understood, and taken out of the modem."""
        self._asking = False
        try:
            self._notice_state()
            rows = self._answerable()
            recent_ms = self._wall_ms() - AWAITED_MS
            self._awaits = any(row["call_state"] == "HEARD" or row["created_ms"] > recent_ms for row in rows)
            for came in event.came:
                self._take_in(came, rows, secret)
                self._lanes.give("sms", "forget", partial(self._modem.forget, came), width=1)
        except NotWritten as wrong:
            say_once("herald_db", "not_written", f"{wrong}; answers wait in the modem", level=logging.ERROR)

    def tell_all(self) -> None:
        """What the gateway has not heard yet."""
        for reply in self._replies:
            self._line.order(f"r:{reply.reply_id}", "accept_by_link", token=reply.token)

    def answered(self, reply_id: int, answer: Json) -> None:
        """The gateway's word on an acceptance."""
        reply = next((one for one in self._replies if one.reply_id == reply_id), None)
        if reply is None:
            return
        self._replies.remove(reply)
        if answer.get("ok"):
            call = answer.get("call") or {}
            state, why = "accepted", ""
            words = wording.accepted_words(
                str(call.get("place") or call.get("device_name") or ""), self._languages
            )
        else:
            why_zh, why_en = str(answer.get("why_zh")), str(answer.get("why_en"))
            state, why = "refused", wording.why(why_zh, why_en)
            words = wording.refused_words(why_zh, why_en, self._languages)
        try:
            self._book.reply_is(reply_id, state, why)
        except NotWritten as wrong:
            say_once("herald_db", "not_written", f"{wrong}; answers are given again", level=logging.ERROR)
        self._send_back(reply_id, reply.number, words)

    def _notice_state(self) -> None:
        now = self._modem.now
        if now.state != self._state:
            self._state = now.state
            self._book.modem_is(now.state, now.why_zh, now.why_en)
            level = logging.INFO if now.state == "ready" else logging.WARNING
            say("modem", f"the modem is {now.state}" + (f": {now.why_en}" if now.why_en else ""), level=level)

    def _answerable(self) -> list[Json]:
        """Messages that may be answered by SMS, newest first.

        :raises NotWritten: gateway.db cannot be read.
        """
        reader = open_reader(self._gateway_db)
        try:
            return list(views_messages.messages_to_answer(reader, self._wall_ms() - ANSWERS_MS))
        except sqlite3.Error as wrong:
            raise NotWritten(f"gateway.db cannot be read: {wrong}") from wrong
        finally:
            reader.close()

    def _take_in(self, came: Came, rows: list[Json], secret: str) -> None:
        theirs = [row for row in rows if wording.digits(came.number) in _numbers(row)]
        if not theirs:
            self._book.reply_came(came.at_ms, came.number, came.text, "", 0, "", "stranger")
            say("sms_of_stranger", "a short message came in that answers nothing: it is kept in herald.db")
            return
        known = [row for row in theirs if self._known_to(row, came)]
        open_ones = [row for row in known if row["call_state"] == "HEARD"]
        row = (open_ones or known or theirs)[0]
        call_id, helper_id = int(row["call_id"]) if known else 0, str(row["helper_id"])
        token = ""
        if known and wording.means_coming(came.text) and secret:
            expires_ms = int(row["created_ms"]) + links.LIFE_MS
            token = links.make(secret, links.Link(call_id, helper_id, int(row["turn"]), expires_ms))
        state = "open" if token else "not_understood"
        number = self._book.reply_came(came.at_ms, came.number, came.text, helper_id, call_id, token, state)
        if not number:
            return  # it lay in the modem still: written down and seen to before
        say("sms_answer", f"{row['helper']} has answered by SMS: {state}", call_id=call_id)
        if token:
            self._replies.append(OpenReply(number, came.number, token))
            self._line.order(f"r:{number}", "accept_by_link", token=token)
        elif open_ones or not known:
            self._send_back(number, came.number, wording.not_understood_words(self._languages))

    def _known_to(self, row: Json, came: Came) -> bool:
        """Whether this message had gone out when that answer was written (``at_ms`` 0: the modem does not say when)."""
        created_ms = int(row["created_ms"])
        if came.at_ms and created_ms > came.at_ms + CLOCKS_DIFFER_MS:
            return False
        if row["state"] in ("sent", "answered"):
            return True
        # The gateway may not have heard yet that it went out, or has made it void meanwhile.
        sending = self._book.known(str(row["message_id"]), created_ms)
        return sending is not None and sending.state == "sent"

    def _send_back(self, reply_id: int, number: str, words: str) -> None:
        """Once, as well as it goes: the acceptance itself is written in gateway.db."""
        self._lanes.give("sms", f"back {reply_id}", partial(_back, self._modem, number, words), width=1)


def _back(modem: ModemPost, number: str, words: str) -> None:
    outcome = modem.send(number, words)
    if not outcome.ok:
        say("message_not_sent", f"the answer to an SMS was not sent ({outcome.why})", level=logging.WARNING)


def _numbers(row: Json) -> set[str]:
    """By which numbers this helper may answer."""
    found = {wording.digits(str(row["phone"]))}
    channel = str(row["channel"])
    if wording.scheme(channel) == "sms":
        found.add(wording.digits(channel.partition(":")[2].removeprefix("//")))
    return found - {""}
