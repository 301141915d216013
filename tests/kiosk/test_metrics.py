"""``/metrics``: what a monitoring system reads of the hall, from where, and what it is never told."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from devices.plan import Metrics
from kiosk import line
from kiosk.core import Core
from kiosk.figures import read_statistics
from kiosk.metrics import as_text, gateway_families, may_look
from kiosk.running import ASK_EVERY_S, Running
from tests.kiosk.conftest import HeldClock
from tests.kiosk.fake_gateway import FakeGateway
from tests.kiosk.figures_said import EDGES_MS, figures
from tests.kiosk.one_app import app_over

#: Prometheus' own grammar of the text format, written down a second time and strictly: a name, labels whose values
#: escape \\, " and newlines, a number.
LINE = re.compile(
    r'(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?P<labels>[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
    r'(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")*)\})? '
    r"(?P<value>[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)"
)
COMMENT = re.compile(r"# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* \S.*")

Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str) -> Values:
    """Every sample, by prometheus_client's parser; and every line must also obey the grammar above."""
    for one in text.splitlines():
        assert COMMENT.fullmatch(one) or LINE.fullmatch(one), one
    assert text.endswith("\n")
    found: Values = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, f"{key} twice"
            found[key] = sample.value
    return found


def at(found: Values, name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


@pytest.fixture
def told(gateway: FakeGateway, clock: HeldClock) -> FakeGateway:
    gateway.answers["statistics"] = {"statistics": figures(clock())}
    return gateway


def test_lateness_is_a_histogram_in_seconds(told: FakeGateway, client: FlaskClient) -> None:
    answer = client.get("/metrics")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = read(answer.text)
    call = {"lane": "call", "stage": "told"}
    edges = {
        dict(labels)["le"]: value
        for (name, labels), value in found.items()
        if name == "linli_lateness_seconds_bucket" and call.items() <= dict(labels).items()
    }
    assert [float(edge) for edge in edges] == [*sorted(edge / 1000 for edge in EDGES_MS), float("inf")]
    assert (edges["0.00025"], edges["0.002"], edges["+Inf"]) == (0, 206, 412)
    assert at(found, "linli_lateness_seconds_count", **call) == 412
    assert at(found, "linli_lateness_seconds_sum", **call) == pytest.approx(412 * 0.0011)
    assert at(found, "linli_lateness_max_seconds", **call) == 0.131
    assert at(found, "linli_commit_seconds_bucket", le="+Inf") == 52_103


def test_the_hall_is_there_in_one_page(told: FakeGateway, client: FlaskClient, core: Core) -> None:
    line.take_ticket(core, "ZW-01", "abcdefgh", "zh", "kiosk-1")
    line.take_ticket(core, "ZW-01", "abcdefgi", "zh", "kiosk-1")
    line.call_next(core, "W2", "li")
    stream = core.hub.stream("hall")
    found = read(client.get("/metrics").text)
    stream.close()
    assert at(found, "linli_part_up", part="gateway") == 1
    assert at(found, "linli_part_up", part="bridge") == 0
    assert at(found, "linli_part_state", part="bridge", state="down") == 1
    assert at(found, "linli_tickets_today", state="waiting") == 1
    assert at(found, "linli_tickets_today", state="called") == 1
    assert (at(found, "linli_streams", channel="hall"), at(found, "linli_streams", channel="staff")) == (1, 0)
    assert at(found, "linli_streams_dropped_total") == 0
    assert at(found, "linli_events_total", event="garbage") == 17
    assert (at(found, "linli_over_budget_devices"), at(found, "linli_over_budget_messages")) == (1, 40_210)
    assert at(found, "linli_broker_line_up", line="calls") == 1
    assert at(found, "linli_broker_line_reconnects_total", line="telemetry") == 2
    assert at(found, "linli_waiting", where="telemetry") == 3
    assert (at(found, "linli_timers_waiting"), at(found, "linli_clock_known")) == (4, 1)
    assert at(found, "linli_loop_phase_seconds_sum", phase="commit") == 31
    assert at(found, "linli_gateway_resident_bytes") == 31_744 * 1024
    assert at(found, "linli_gateway_cpu_seconds_total") == 812.4


def test_it_names_no_device_no_place_and_nobody(
    told: FakeGateway, client: FlaskClient, clock: HeldClock
) -> None:
    evil = 'x"} 7\nlinli_part_up{part="gateway'
    told.answers["statistics"] = {
        "statistics": figures(
            clock(),
            over_budget=[{"device_id": evil, "excess": 5, "since_ms": 1}],
            counts={"garbage": 1, "btn-0302": 2, "3栋1单元302": 3, evil: 4},
            lines={evil: {"up": True, "reconnects": 0}},
        )
    }
    told.tell(
        "CallChanged", call={"call_id": 7, "state": "HEARD", "person": "张奶奶", "place": "3栋1单元302"}
    )
    text = client.get("/metrics").text
    found = read(text)
    for name in ("张奶奶", "3栋", "btn-0302", "bay-e01"):
        assert name not in text
    assert {dict(labels)["event"] for name, labels in found if name == "linli_events_total"} == {"garbage"}
    assert at(found, "linli_over_budget_messages") == 5
    assert at(found, "linli_part_up", part="gateway") == 1, "nobody forges a line"


def test_what_the_gateway_does_not_say_is_absent_rather_than_nought(
    told: FakeGateway, client: FlaskClient, core: Core
) -> None:
    told.answers["statistics"] = {"statistics": {"turns": 5, "commits": {"count": 3, "buckets": [[None, 3]]}}}
    found = read(client.get("/metrics").text)
    assert at(found, "linli_gateway_turns_total") == 5
    names = {name for name, _ in found}
    assert not {"linli_clock_known", "linli_commit_seconds_count", "linli_lateness_seconds_count"} & names


def test_without_the_gateway_its_figures_are_absent_rather_than_old(
    told: FakeGateway, client: FlaskClient, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.running.ASK_EVERY_S", 0.0)
    assert ("linli_gateway_turns_total", ()) in read(client.get("/metrics").text)
    listening = core.hub.stream("staff")
    told.stop()
    for event in listening:
        if event.startswith(b"event: link"):
            break
    found = read(client.get("/metrics").text)
    assert at(found, "linli_part_up", part="gateway") == 0
    assert ("linli_gateway_turns_total", ()) not in found
    assert at(found, "linli_tickets_today", state="waiting") == 0


# ---------------------------------------------------------------- who may look


@pytest.mark.parametrize(
    ("address", "allow", "may"),
    [
        ("127.0.0.1", (), True),
        ("::1", (), True),
        ("::ffff:127.0.0.1", (), True),
        ("192.168.1.5", (), False),
        ("192.168.1.5", ("192.168.1.5",), True),
        ("::ffff:192.168.1.5", ("192.168.1.5",), True),
        ("192.168.1.6", ("192.168.1.5",), False),
        ("192.168.1.6", ("10.0.0.0/8", "192.168.1.5/24"), True),
        ("fd00::7", ("fd00::/8",), True),
        ("fd00::7", ("192.168.1.0/24",), False),
        ("", ("0.0.0.0/0",), False),
        ("monitor", ("0.0.0.0/0",), False),
    ],
)
def test_this_machine_may_always_look_others_where_hall_toml_says_so(
    address: str, allow: tuple[str, ...], may: bool
) -> None:
    assert may_look(address, allow) is may


def test_a_stranger_is_told_why_not(told: FakeGateway, core: Core, client: FlaskClient) -> None:
    elsewhere = {"REMOTE_ADDR": "192.168.1.5"}
    answer = client.get("/metrics", environ_base=elsewhere, headers={"X-Forwarded-For": "127.0.0.1"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "not_allowed")
    assert "[metrics] allow" in answer.get_json()["error"]["en"]
    plan = dataclasses.replace(core.house.plan, metrics=Metrics(allow=("192.168.1.5",)))
    core.house = dataclasses.replace(core.house, plan=plan)
    allowed: Flask = app_over(core)
    assert allowed.test_client().get("/metrics", environ_base=elsewhere).status_code == 200


# ---------------------------------------------------------------- what it costs


def asked(gateway: FakeGateway) -> Iterator[str]:
    while not gateway.orders.empty():
        yield gateway.orders.get()["order"]


def test_the_gateway_is_asked_once_a_second_however_many_look(told: FakeGateway, core: Core) -> None:
    now_s = 100.0
    running = Running(core.link, core.now_ms, monotonic_s=lambda: now_s)
    for _ in range(50):
        assert running.latest().answers
    assert [*asked(told)].count("statistics") == 1
    now_s += ASK_EVERY_S
    heard = running.latest()
    assert heard.statistics is not None
    assert [*asked(told)].count("statistics") == 1


def test_a_gateway_that_hangs_is_not_asked_by_everybody(
    told: FakeGateway, core: Core, monkeypatch: pytest.MonkeyPatch, clock: HeldClock
) -> None:
    monkeypatch.setattr("kiosk.running.ANSWER_WITHIN_S", 0.05)
    now_s = 100.0
    running = Running(core.link, core.now_ms, monotonic_s=lambda: now_s)
    first = running.latest()
    told.answers["statistics"] = "silence"
    now_s += 5
    clock.forward(seconds=5)
    hung = running.latest()
    assert (hung.answers, hung.statistics, hung.heard_ms) == (False, first.statistics, first.heard_ms)
    assert running.latest() is hung
    assert [*asked(told)].count("statistics") == 2


def test_the_library_is_loaded_by_the_first_question_and_not_before() -> None:
    """A hall without monitoring does not pay for it."""
    loaded = "import kiosk.app, kiosk.metrics, sys; print('prometheus_client' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", loaded],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "False\n"


def test_the_whole_answer_of_a_gateway_can_be_told_without_a_kiosk(clock: HeldClock) -> None:
    """`linli stats --prometheus` has no kiosk at hand."""
    found = read(
        as_text(gateway_families(read_statistics(json.loads(json.dumps(figures(clock())))))).decode()
    )
    assert at(found, "linli_gateway_turns_total") == 1_234_567
