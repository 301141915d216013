"""``GET /metrics``: the hall's figures as Prometheus text, for a monitoring system in the hall's own network.

No label names a person, a place or a device. A device's id (``btn-0302``) is as good as a door number, a topic is
chosen by whoever sends it, and each new label is a series for ever: so devices over their budget are counted here, and
named in the console and by ``linli stats``, where somebody has signed in. What is late is named there, too.

prometheus_client keeps the format's rules of escaping. Nothing is registered with it: the families are made from the
gateway's answer when somebody asks (the library costs 1.2 MB, from the first question on). While the gateway does not
answer its figures are absent rather than old: ``linli_part_up{part="gateway"}`` says why.
"""

from __future__ import annotations

import ipaddress
import math
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten
from kiosk import line
from kiosk.addresses import read_address
from kiosk.answers import error
from kiosk.core import Core, current_core
from kiosk.figures import LANES, PHASES, STAGES, Spread, Statistics, in_order
from kiosk.health import parts_of
from kiosk.live import STAFF
from kiosk.requests.looking import open_counts

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

blueprint = Blueprint("metrics", __name__)

#: The text format that every Prometheus reads (prometheus.io/docs/instrumenting/exposition_formats).
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    core = current_core()
    if not may_look(request.remote_addr or "", core.house.plan.metrics.allow):
        return error(
            403,
            "not_allowed",
            "这个地址不能读取监控数据；技术员可在 hall.toml 的 [metrics] allow 中加入它",
            "This address may not read the metrics; a technician can add it to [metrics] allow in hall.toml",
        )
    return Response(as_text([*hall_families(core), *gateway_families_of(core)]), content_type=CONTENT_TYPE)


def may_look(address: str, allow: Iterable[str]) -> bool:
    """This machine always; another address only where hall.toml names it or its network."""
    asks = read_address(address)
    if asks is None:
        return False
    return asks.is_loopback or any(asks in ipaddress.ip_network(one, strict=False) for one in allow)


def as_text(families: Iterable[Metric]) -> bytes:
    from prometheus_client import generate_latest

    class Gathered:
        def collect(self) -> Iterable[Metric]:
            return families

    return generate_latest(Gathered())


# ---------------------------------------------------------------- the gateway's figures


def gateway_families_of(core: Core) -> list[Metric]:
    """What the gateway says now; nothing while it does not answer."""
    heard = core.running.latest()
    return list(gateway_families(heard.statistics)) if heard.statistics is not None and heard.answers else []


def gateway_families(told: Statistics) -> Iterator[Metric]:
    """The gateway's answer as families of metrics; what it did not say is left out. Durations are seconds here."""
    lateness = _Family(
        "histogram", "linli_lateness_seconds", "From a fact's arrival to this stage", "lane", "stage"
    )
    worst = _Family("gauge", "linli_lateness_max_seconds", "The latest fact since start", "lane", "stage")
    for lane, stages in in_order(told.lateness, LANES):
        for stage, spread in in_order(stages, STAGES):
            lateness.histogram(spread, lane, stage)
            worst.add(_seconds(spread.max_ms), lane, stage)
    yield from lateness
    yield from worst
    for name, what, one in (
        ("linli_commit_seconds", "One transaction of the notebook, BEGIN to COMMIT", told.commits),
        ("linli_away_seconds", "Between two looks at the doors", told.away),
    ):
        yield from _Family("histogram", name, what).histogram(one)
    phases = _Family("summary", "linli_loop_phase_seconds", "Where the loop's time goes", "phase")
    for name, phase in in_order(told.phases, PHASES):
        phases.summary(phase.count, phase.total_ms / 1000, name)
    yield from phases
    yield from _counters("linli_events", "What was counted since the gateway started", "event", told.counts)
    yield from _counters("linli_desk", "At the gateway's socket", "event", _without(told.desk, "visitors"))
    yield from _Family("gauge", "linli_desk_visitors", "Who is at the gateway's socket").add(
        told.desk.get("visitors")
    )
    yield from _Family(
        "gauge",
        "linli_over_budget_devices",
        "Devices that say more than their share, or did in the last hour",
    ).add(len(told.over_budget))
    yield from _Family(
        "gauge", "linli_over_budget_messages", "Their messages beyond that share"
    ).add(sum(one.excess for one in told.over_budget))
    waiting = _Family(
        "gauge", "linli_waiting", "Facts not yet decided (urgent, telemetry), not yet on disk", "where"
    )
    for name, count in sorted(told.waiting.items()):
        waiting.add(count, name)
    yield from waiting
    up = _Family("gauge", "linli_broker_line_up", "A connection to the broker", "line")
    again = _Family("counter", "linli_broker_line_reconnects", "How often it came back", "line")
    for name, one_line in sorted(told.lines.items()):
        up.add(None if one_line.up is None else int(one_line.up), name)
        again.add(one_line.reconnects, name)
    yield from up
    yield from again
    for name, what, value in (
        ("linli_timers_waiting", "Timers that wait", told.timers),
        ("linli_clock_known", "Whether the wall clock is believed", _as_number(told.clock_known)),
        ("linli_gateway_start_time_seconds", "When it started", _seconds(told.since_ms)),
        (
            "linli_gateway_resident_bytes",
            "Resident memory",
            None if told.rss_kb is None else told.rss_kb * 1024,
        ),
    ):
        yield from _Family("gauge", name, what).add(value)
    yield from _Family("counter", "linli_gateway_turns", "Turns of the loop").add(told.turns)
    yield from _Family("counter", "linli_gateway_cpu_seconds", "Processor time").add(told.cpu_s)


# ---------------------------------------------------------------- the kiosk's own


def hall_families(core: Core) -> Iterator[Metric]:
    """The parts of the hall, today's tickets, and who listens."""
    parts = parts_of(core)
    up = _Family("gauge", "linli_part_up", "1: ready; 0: anything else", "part")
    state = _Family("gauge", "linli_part_state", "The word for it", "part", "state")
    for name, part in sorted(parts.items()):
        up.add(int(part["state"] == "ready"), name)
        state.add(1, name, str(part["state"]))
    yield from up
    yield from state
    tickets = _Family("gauge", "linli_tickets_today", "Tickets of this business day", "state")
    for name, count in _tickets(core).items():
        tickets.add(count, name)
    yield from tickets
    asked = _Family("gauge", "linli_requests", "Requests that are not closed: open, new, urgent, overdue", "which")
    for name, count in _requests(core).items():
        asked.add(count, name)
    yield from asked
    streams = _Family("gauge", "linli_streams", "Screens on a live line", "channel")
    staff = core.hub.listeners_of(STAFF)
    streams.add(staff, STAFF)
    streams.add(core.hub.listeners - staff, "hall")
    yield from streams
    yield from _Family("counter", "linli_streams_dropped", "Screens that were too slow to follow").add(
        core.hub.dropped
    )
    yield from _Family("counter", "linli_slips_refused", "Slips beyond what people can ask for").add(
        core.slip_limit.refusals().count
    )
    yield from _Family("counter", "linli_kiosk_cpu_seconds", "Processor time").add(sum(os.times()[:2]))


def _tickets(core: Core) -> dict[str, int]:
    """Today's tickets by state; nothing where the notebook cannot be read (then ``linli_part_up`` says so)."""
    try:
        counted = core.reader().execute(
            "SELECT state, count(*) FROM tickets WHERE business_day = ? GROUP BY state", (line.today(core),)
        )
        found = {str(row[0]).lower(): int(row[1]) for row in counted}
    except (NotWritten, sqlite3.Error):
        return {}
    return {state: found.get(state, 0) for state in ("waiting", "called", "no_show", "done")}


def _requests(core: Core) -> dict[str, int]:
    """What residents asked and nobody has closed; nothing where the notebook cannot be read."""
    try:
        return open_counts(core.reader(), core.now_ms())
    except (NotWritten, sqlite3.Error):
        return {}


# ---------------------------------------------------------------- making them


class _Family:
    """One family of metrics under way; yields nothing where nothing is known."""

    def __init__(self, kind: str, name: str, what: str, *labels: str) -> None:
        from prometheus_client.metrics_core import Metric

        self._metric = Metric(name, what, kind)
        self._labels = labels

    def __iter__(self) -> Iterator[Metric]:
        if self._metric.samples:
            yield self._metric

    def add(self, value: float | None, *labels: str) -> _Family:
        suffix = "_total" if self._metric.type == "counter" else ""
        if value is not None:
            self._sample(suffix, labels, value)
        return self

    def summary(self, count: int, sum_s: float, *labels: str) -> _Family:
        self._sample("_count", labels, count)
        self._sample("_sum", labels, sum_s)
        return self

    def histogram(self, spread: Spread | None, *labels: str) -> _Family:
        """Only a whole one: Prometheus needs the buckets, their sum and their count to agree."""
        if spread is None or not spread.buckets or spread.sum_ms is None:
            return self
        for edge_ms, count in spread.buckets:
            self._sample("_bucket", labels, count, le="+Inf" if edge_ms == math.inf else repr(edge_ms / 1000))
        return self.summary(spread.buckets[-1][1], spread.sum_ms / 1000, *labels)

    def _sample(self, suffix: str, labels: tuple[str, ...], value: float, **more: str) -> None:
        named = {**dict(zip(self._labels, labels, strict=True)), **more}
        self._metric.add_sample(self._metric.name + suffix, named, value)


def _counters(name: str, what: str, label: str, counted: Mapping[str, int]) -> Iterator[Metric]:
    family = _Family("counter", name, what, label)
    for key, count in sorted(counted.items()):
        # Our own words and nothing else: a counter that was named after a device would be its label.
        if key.replace("_", "").isalpha() and key.isascii():
            family.add(count, key)
    yield from family


def _without(counted: Mapping[str, int], name: str) -> dict[str, int]:
    return {key: count for key, count in counted.items() if key != name}


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else ms / 1000


def _as_number(known: bool | None) -> int | None:
    return None if known is None else int(known)
