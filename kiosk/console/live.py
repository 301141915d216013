"""The console's live line: what happened, told to one screen, veiled while that screen is locked.

A stream belongs to one session. It ends when the session does (signed out, password changed, disabled, 12 hours);
it goes on when the session locks, because a locked screen must ring. Listening is no sign of a person, so it
never puts off the lock.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from typing import Any, cast

from flask import Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten
from gateway.notebook import data_version
from kiosk.accounts import Accounts, Session
from kiosk.console import blueprint, door, picture
from kiosk.core import Core, current_core
from kiosk.live import RETRY, Stream, Told, TooManyListeners, sse
from kiosk.straight import straight_way

#: How often bridge.db is asked whether it changed (3 microseconds): a printer's word is on the screen within this.
PAPER_EVERY_S = 0.5
#: Looks without a change after which the whole is read anyway: 10 s.
LOOK_ANYWAY = 20

Json = dict[str, Any]


@blueprint.get("/live")
@door.allow("admin", "staff", locked=True, quiet=True)
def live() -> ResponseReturnValue:
    """Server-sent events: ``picture`` first, then each fact as it happens."""
    core = current_core()
    watch = SessionWatch(core, door.accounts(), door.me())
    try:
        stream = core.hub.stream("staff", guard=watch.is_open)
    except TooManyListeners:
        return jsonify(error={"code": "too_many_screens", **_TOO_MANY}), 503
    # Listening has begun before the picture is taken: what happens in between comes twice rather than not at all.
    try:
        _paper_watch(core).begin()
    except BaseException:
        stream.close()  # its place is for who can be served
        raise
    veil = Veil(core, stream, watch)
    stream.go_straight(straight_way(request.environ), veil.dress)
    return Response(
        veil, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"}, direct_passthrough=True
    )


_TOO_MANY = {
    "zh": "打开的屏幕太多了，请关掉一个。",
    "en": "Too many screens are open; close one.",
}


class SessionWatch:
    """Looks at one session again and again. What cannot be read stays as it was: a failing disk must not end a ring.

    Asked before each event of each console, so it reads the session only where the kiosk has written since (nobody
    else writes kiosk.db, so a number in memory says it) or where the time has come for it to lock or to end.
    """

    def __init__(self, core: Core, accounts: Accounts, session: Session) -> None:
        self._core = core
        self._accounts = accounts
        self._last: Session = session
        self._read_at = -1
        self._read_ms = 0

    def is_open(self) -> bool:
        """Whether somebody is still signed in; afterwards `session` is as it is now."""
        # Before the session is read: what is committed in between is seen by the next look.
        stands, now_ms = self._core.writer.commits, self._core.now_ms()
        if stands == self._read_at and self._read_ms <= now_ms < self._holds_until_ms():
            return True
        try:
            now = self._accounts.session_of_hash(self._last.session_hash)
        except (NotWritten, sqlite3.Error):
            return True
        if now is None:
            return False
        self._last, self._read_at, self._read_ms = now, stands, now_ms
        return True

    def _holds_until_ms(self) -> int:
        return self._last.ends_ms if self._last.locked else min(self._last.locks_ms, self._last.ends_ms)

    @property
    def session(self) -> Session:
        return self._last


class Veil(Iterator[bytes]):
    """A hub's stream, drawn over with a veil while its screen is locked."""

    def __init__(self, core: Core, stream: Stream, watch: SessionWatch) -> None:
        self._core, self._stream, self._watch = core, stream, watch
        self._was_locked: bool | None = None

    def __next__(self) -> bytes:
        told = self._stream.next_told()
        locked = self._watch.session.locked
        line = veiled_line(told) if locked else told.line
        if locked != self._was_locked:
            # The first turn, or the screen was locked or unlocked: tell it so, and everything it may know now.
            self._was_locked = locked
            line += self._anew(locked)
        return line

    def dress(self, told: Told) -> bytes | None:
        """The event as this screen may hear it at this moment; None where more is to be said than the event."""
        if not self._watch.is_open() or self._watch.session.locked != self._was_locked:
            return None
        return veiled_line(told) if self._was_locked else told.line

    def close(self) -> None:
        self._stream.close()

    def _anew(self, locked: bool) -> bytes:
        state = _lock_state(self._core, self._watch.session)
        whole = picture.whole(self._core)
        return sse("lock", state) + sse("picture", picture.veiled_whole(whole) if locked else whole)


def _lock_state(core: Core, session: Session) -> Json:
    return {
        "locked": session.locked,
        "name": session.name,
        "ends_ms": session.ends_ms,
        "now_ms": core.now_ms(),
    }


def veiled_line(told: Told) -> bytes:
    """What is told, as a locked screen may hear it; made once for all that are locked."""
    if told is RETRY:
        return told.line
    if told.veiled is None:
        facts = ((event, picture.veiled(event, data)) for event, data in told.facts)
        # Something must be sent, or the server would take the stream as ended; a comment is nothing to the page.
        told.veiled = b"".join(sse(event, fact) for event, fact in facts if fact is not None) or b":\n\n"
    return told.veiled


class PaperWatch:
    """Tells the staff channel when the bridge has written something. One thread, while somebody listens."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = threading.Lock()
        self._runs = False
        self._rest = threading.Event()

    def begin(self) -> None:
        """Begin, where it does not run already. Called once the caller listens on the hub."""
        with self._lock:
            if self._runs:
                return
            self._runs = True
        threading.Thread(target=self._run, name="paper-watch", daemon=True).start()

    def _run(self) -> None:
        seen: Json | None = None
        version: object = None
        looks = 0
        while True:
            with self._lock:
                # Under the lock, so that nobody begins to listen while we decide to stop.
                if not self._core.hub.listens("staff"):
                    self._runs = False
                    return
            now = self._version()
            # Where nothing is committed the bridge may have died: its beat grows old all by itself.
            looks = (looks + 1) % LOOK_ANYWAY
            if now != version or looks == 0:
                version, told = now, picture.paper(self._core)
                if seen is not None and told != seen:
                    self._core.hub.publish("staff", "paper", told)
                seen = told
            self._rest.wait(PAPER_EVERY_S)

    def _version(self) -> object:
        """Differs when the bridge has written, or a panel on MQTT has changed."""
        panels = picture.mqtt_panels(self._core)
        try:
            return data_version(self._core.bridge_reader()), panels
        except (NotWritten, sqlite3.Error):
            return -2, panels


def _paper_watch(core: Core) -> PaperWatch:
    """The one of this application."""
    return cast(PaperWatch, current_app.extensions.setdefault("linli.paper_watch", PaperWatch(core)))


@blueprint.post("/api/active")
@door.allow("admin", "staff")
def active() -> ResponseReturnValue:
    """A person has touched the page; the door has put off the lock by letting this in."""
    return jsonify(ok=True)


@blueprint.get("/api/calls")
@door.allow("admin", "staff", locked=True, quiet=True)
def calls() -> ResponseReturnValue:
    """The calls alone, for a page whose live line is refused or broken: it asks every 5 s and rings from this.

    A locked screen is told as little as on its live line.
    """
    core, session = current_core(), door.me()
    heard = core.link.snapshot()
    told = picture.veiled_calls(heard["calls"]) if session.locked else heard["calls"]
    return jsonify({"lock": _lock_state(core, session), "calls": told, "connected": heard["connected"]})


@blueprint.get("/api/session")
@door.anyone
def session() -> ResponseReturnValue:
    """Asked by a page whose live line broke: is there still somebody signed in? It tells the asker nothing else."""
    return jsonify(signed_in=g.staff_session is not None)


def wake(core: Core) -> None:
    """Make every staff stream look at its session now (locked, unlocked, ended) rather than at its next heartbeat."""
    core.hub.publish("staff", "heartbeat", {})
