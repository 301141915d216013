"""Tells the consoles when who takes a number now will wait too long, while another window can still be opened.

One thread looks at what newcomers would be told (a millisecond of work), while a console listens. What it tells is a
level, so a console that comes later finds it in its first picture; only the beginning of an episode sounds.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from devices.faults import NotWritten
from gateway.log import say_once
from kiosk import estimates
from kiosk.core import Core
from kiosk.live import STAFF
from kiosk.rounds import Rounds
from kiosk.rules.wait_watch import Episode, follow

Json = dict[str, Any]

#: A line grows by a few people a minute: nobody needs to know sooner.
LOOK_S = 5.0


class WaitWatch(Rounds):
    """The thread that looks, and the episode that it has told of."""

    def __init__(self, core: Core) -> None:
        super().__init__("wait-watch", LOOK_S)
        self._core = core
        self._episode: Episode | None = None

    def round(self) -> float:
        try:
            self.look()
        except (NotWritten, sqlite3.Error) as wrong:
            say_once(
                f"wait_watch:{type(wrong).__name__}",
                "wait_watch_waits",
                f"how long newcomers wait cannot be read just now ({wrong}): consoles are not told of long waits; "
                "tickets and calls go on; it is tried again every five seconds",
                level=logging.WARNING,
            )
        return LOOK_S

    def look(self) -> None:
        """Look once, and tell the consoles where anything has changed.

        :raises NotWritten: the notebook cannot be read.
        """
        core, before = self._core, self._episode
        if not core.hub.listens(STAFF):
            # Who opens a console later is told anew, with its sound.
            self._episode, core.wait_alert = None, None
            return
        notebook = core.reader()
        told = estimates.newcomers(core, notebook).items()
        after = follow(before, told, estimates.policy_of(notebook), core.now_ms())
        self._episode = after
        if view(after) != view(before):
            core.wait_alert = view(after)
            core.hub.publish(STAFF, "wait", {"alert": core.wait_alert, "began": before is None})


def view(episode: Episode | None) -> Json | None:
    """An episode as consoles show it."""
    if episode is None:
        return None
    alert = episode.alert
    return {
        "began_ms": episode.began_ms,
        "item": alert.key,
        "how_many": alert.how_many,
        "why_zh": alert.why_zh,
        "why_en": alert.why_en,
    }
