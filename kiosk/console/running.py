"""How the hall runs, for its page: the gateway's figures as JSON, and what is known of the screens that listen.

The page asks every few seconds; asking is no sign of a person and never puts off the lock. However many pages ask, the
gateway is asked once a second (``kiosk/running.py``) and its answer is made into JSON once.
"""

from __future__ import annotations

import json
from typing import Any, cast

from flask import Response, current_app
from flask.typing import ResponseReturnValue

from kiosk.console import blueprint, door
from kiosk.core import Core, current_core
from kiosk.figures import LANES, STAGES, Spread, Statistics, in_order
from kiosk.live import STAFF
from kiosk.running import Heard

Json = dict[str, Any]


@blueprint.get("/api/running")
@door.allow("admin", "staff", quiet=True)
def running_figures() -> ResponseReturnValue:
    core = current_core()
    heard = core.running.latest()
    written = cast(_Written, current_app.extensions.setdefault("linli.running", _Written()))
    mine = json.dumps({"now_ms": core.now_ms(), "screens": screens(core)})
    return Response(f'{mine[:-1]},"heard":{written.of(heard)}}}', mimetype="application/json")


def screens(core: Core) -> Json:
    """Who listens on a live line here."""
    staff = core.hub.listeners_of(STAFF)
    return {"staff": staff, "hall": core.hub.listeners - staff, "dropped": core.hub.dropped}


class _Written:
    """The newest answer as JSON, made by whoever asks first."""

    def __init__(self) -> None:
        self._last: tuple[Heard, str] = (Heard(), json.dumps(heard_json(Heard())))

    def of(self, heard: Heard) -> str:
        kept, text = self._last
        if kept is not heard:
            text = json.dumps(heard_json(heard), ensure_ascii=False, separators=(",", ":"))
            self._last = (heard, text)
        return text


def heard_json(heard: Heard) -> Json:
    """What the page draws. ``statistics`` null: the gateway has said nothing yet."""
    return {
        "answers": heard.answers,
        "heard_ms": heard.heard_ms,
        "statistics": None if heard.statistics is None else statistics_json(heard.statistics),
    }


def statistics_json(told: Statistics) -> Json:
    return {
        "now_ms": told.now_ms,
        "up_s": told.up_s,
        "turns": told.turns,
        "cpu_s": told.cpu_s,
        "rss_kb": told.rss_kb,
        "lateness": [
            {"lane": lane, "stages": {stage: _spread(one) for stage, one in in_order(stages, STAGES)}}
            for lane, stages in in_order(told.lateness, LANES)
        ],
        "commits": _spread(told.commits),
        "away": _spread(told.away),
        "phases": {
            name: {"count": one.count, "total_ms": one.total_ms, "max_ms": one.max_ms}
            for name, one in told.phases.items()
        },
        "minutes": [
            {
                "minute_ms": one.minute_ms,
                "lanes": {lane: _spread(spread) for lane, spread in one.lanes.items()},
            }
            for one in told.minutes
        ],
        "late": [
            {
                "at_ms": one.at_ms,
                "what": one.what,
                "lane": one.lane,
                "told_ms": one.told_ms,
                "waited_for": one.waited_for,
                "waited_ms": one.waited_ms,
            }
            for one in told.late
        ],
        "counts": dict(told.counts),
        "over_budget": [
            {"device_id": one.device_id, "excess": one.excess, "since_ms": one.since_ms}
            for one in told.over_budget
        ],
        "waiting": dict(told.waiting),
        "timers": {"waiting": told.timers, "next_in_ms": told.next_timer_in_ms},
        "clock": {"known": told.clock_known, "why": told.clock_why},
        "lines": {name: {"up": one.up, "reconnects": one.reconnects} for name, one in told.lines.items()},
    }


def _spread(one: Spread | None) -> Json | None:
    """Without its buckets: a page draws three of its figures."""
    if one is None:
        return None
    return {"count": one.count, "p50_ms": one.p50_ms, "p99_ms": one.p99_ms, "max_ms": one.max_ms}
