"""What is too large is answered like everything else: by our own pages, in the reader's language, and it is heard.

By itself waitress answers a body of some megabytes, or an address of 256 kB, with an English line of its own, and
closes while the browser is still sending: then most browsers show no answer at all, and a page that tries again until
it is answered tries for ever. Here such a body is read to its end and kept nowhere (no memory, no card), and the
request goes on without it, with the length it had: Flask says that it is too large, as each page says it. Of an address
that is too long nobody knows where it ends, so it is taken to a page that says so.

This file alone knows how waitress' parser keeps a request (kiosk/straight.py its channel).
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import RequestEntityTooLarge, RequestHeaderFieldsTooLarge, find_double_newline

from kiosk.answers import error

blueprint = Blueprint("too_large", __name__)

#: What waitress keeps of one body, beyond 512 kB in a file without a name: the largest thing that is taken in here is
#: the plan of a car park, pasted into a form (console/parking_plan.py), 4,000,000 bytes; a voice has one million.
KEPT_AT_MOST = 4 * 1024 * 1024
#: Who sends more than this gets the answer at once, and the connection is closed; a photograph has a tenth of this.
HEARD_AT_MOST = 64 * 1024 * 1024
#: An address, and what a browser says with it.
ADDRESS_HEARD_AT_MOST = 4 * 1024 * 1024
#: What is kept of such an address' end, where browsers say who they are: staff are answered in their own frame.
_END_KEPT = 16 * 1024
_COOKIE = re.compile(rb"\r\ncookie:[ \t]*([^\r\n]*)\r\n", re.IGNORECASE)
_CONSOLE, _CONSOLE_SCRIPTS = re.compile(rb"/console[/? ]"), re.compile(rb"/console/(api/|live)")


@blueprint.get("/too-long")
@blueprint.get("/api/too-long")
def too_long() -> ResponseReturnValue:
    """Where a request goes whose address was too long."""
    return error(
        431,
        "address_too_long",
        "内容太长，没有收下。请返回，写短一点再试",
        "That is too long and was not taken in. Go back, and make it shorter",
    )


def answer_in_our_words(server: Any) -> None:
    """From now on ``server``, one of waitress, takes in as this file says."""
    doors = getattr(server, "map", None) or server._map
    for one in doors.values():
        if hasattr(one, "channel_class"):
            one.channel_class = _Channel


class _Nothing:
    """Where the bytes go that nobody keeps."""

    def append(self, data: bytes) -> None:
        """They are gone."""

    def __len__(self) -> int:
        return 0

    def getfile(self) -> BytesIO:
        return BytesIO()

    def close(self) -> None:
        """There is nothing to close."""


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """One request as it comes in; ``_heard``: bytes of it that were too many and were not kept."""

    _heard = 0
    _too_large = ""
    _end = b""

    def received(self, data: bytes) -> int:
        """Take in what has come; how much of it belongs to this request."""
        if self.completed:
            return 0
        if self._too_large:
            return self._body(data) if self._too_large == "body" else self._header(data)
        before = self.header_plus
        consumed = int(super().received(data))
        if isinstance(self.error, RequestEntityTooLarge):
            self._begin_body()
        elif isinstance(self.error, RequestHeaderFieldsTooLarge):
            self._begin_header(before + data[:consumed])
        return consumed

    def _begin_body(self) -> None:
        """The length that was said, or what came in pieces, is more than is kept."""
        self._too_large, self.error = "body", None
        self._heard = self.body_bytes_received
        self.body_rcv.buf.close()
        self.body_rcv.buf = _Nothing()
        self.completed = False
        self._look()

    def _body(self, data: bytes) -> int:
        consumed = int(self.body_rcv.received(data))
        self._heard += consumed
        self._look()
        return consumed

    def _look(self) -> None:
        """Whether it is all there, or enough of it."""
        if self.body_rcv.error:
            self.error, self.completed = self.body_rcv.error, True
        elif self.body_rcv.completed or max(self._heard, self.content_length) > HEARD_AT_MOST:
            if not self.body_rcv.completed:
                self.headers["CONNECTION"] = "close"
            self.headers["CONTENT_LENGTH"] = str(max(self._heard, self.content_length))
            self.completed = True

    def _begin_header(self, begun: bytes) -> None:
        """Which page it was for can be seen, and as a rule in which language; waitress has made it a plain GET of /."""
        self._too_large, self.error, self.completed = "header", None, False
        line = begun.lstrip().partition(b"\r\n")[0]
        self.path, program = _answered_by(line.partition(b" ")[2])
        self.query = "lang=en" if b"lang=en" in line else ""
        self.headers["ACCEPT"] = "application/json" if program else "text/html"
        self.headers["CONNECTION"] = "close"
        self._end = begun[-_END_KEPT:]
        if find_double_newline(begun) >= 0:
            self._header_ends()

    def _header(self, data: bytes) -> int:
        self._heard += len(data)
        before = self._end[-3:]
        end = find_double_newline(before + data)
        consumed = len(data) if end < 0 else end - len(before)
        self._end = (self._end + data[:consumed])[-_END_KEPT:]
        if end >= 0 or self._heard > ADDRESS_HEARD_AT_MOST:
            self._header_ends()
        return consumed

    def _header_ends(self) -> None:
        self.completed = True
        if found := _COOKIE.search(self._end):
            self.headers["COOKIE"] = found[1].decode("latin-1")


def _answered_by(asked: bytes) -> tuple[str, bool]:
    """The page that says it to whoever asked for this address, and whether a program did."""
    if _CONSOLE.match(asked):
        program = _CONSOLE_SCRIPTS.match(asked) is not None
        return "/console/api/too-long" if program else "/console/too-long", program
    program = asked.startswith(b"/api/")
    return "/api/too-long" if program else "/too-long", program


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser
