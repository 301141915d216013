"""The gateway's figures are read with care: an older or a newer gateway, or a mad one, never breaks a face."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.figures import BrokerLine, Statistics, read_statistics
from tests.kiosk.figures_said import figures

NOW_MS = 1_800_000_780_000


def test_everything_that_the_protocol_words_is_read() -> None:
    told = read_statistics(json.loads(json.dumps(figures(NOW_MS))))
    assert (told.up_s, told.turns, told.rss_kb) == (3 * 86_400, 1_234_567, 31_744)
    call = told.lateness["call"]["told"]
    assert (call.count, call.p50_ms, call.p99_ms, call.max_ms) == (412, 1.1, 4.0, 131.0)
    assert call.worst == "press from btn-0302"
    assert call.buckets[-1] == (math.inf, 412)
    assert told.commits is not None
    assert told.commits.max_ms == 118.2
    assert (len(told.minutes), told.minutes[-18].lanes["call"].max_ms) == (60, 131.0)
    assert [(one.what, one.waited_for) for one in told.late] == [
        ("press from btn-0302", "commit"),
        ("accept_call from kiosk", "processor"),
    ]
    assert (told.over_budget[0].device_id, told.over_budget[0].excess) == ("bay-e01", 40_210)
    assert (told.timers, told.next_timer_in_ms, told.clock_known) == (4, 38_000, True)
    assert told.lines["telemetry"] == BrokerLine(True, 2)
    assert told.phases["checkpoint"].count == 400
    assert told.waiting == {"urgent": 0, "telemetry": 3, "disk": 0}


@pytest.mark.parametrize("key", figures(NOW_MS))
def test_a_key_that_is_missing_is_not_known_and_the_others_are(key: str) -> None:
    whole, said = read_statistics(figures(NOW_MS)), figures(NOW_MS)
    del said[key]
    told = read_statistics(said)
    assert told != whole
    assert told.commits == (None if key == "commits" else whole.commits)
    assert told.late == (() if key == "late" else whole.late)


@pytest.mark.parametrize(
    "said", [None, 7, "no", [], {"lateness": 3, "minutes": {}, "clock": True, "counts": [1]}]
)
def test_what_is_no_answer_tells_nothing(said: object) -> None:
    assert read_statistics(said) == Statistics()


@pytest.mark.parametrize("number", [True, -1, "7", None, math.nan, math.inf, 10**400, [7]])
def test_what_is_no_number_is_not_known(number: object) -> None:
    told = read_statistics({"turns": number, "cpu_s": number, "counts": {"garbage": number}})
    assert (told.turns, told.cpu_s, told.counts) == (None, None, {})


@pytest.mark.parametrize(
    "buckets",
    [
        [[0.5, 3], [0.25, 4], [None, 5]],  # edges that fall
        [[0.25, 4], [0.5, 3], [None, 5]],  # counts that fall
        [[0.25, 4], [0.5, 5]],  # without an end
        [[0.25, 4, 1], [None, 5]],
        [[0.25, "4"], [None, 5]],
        {},
    ],
)
def test_half_a_histogram_is_none(buckets: object) -> None:
    told = read_statistics({"commits": {"count": 5, "p50_ms": 0.3, "buckets": buckets}})
    assert told.commits is not None
    assert (told.commits.p50_ms, told.commits.buckets) == (0.3, ())


def test_a_hostile_name_is_one_line_of_bounded_length() -> None:
    told = read_statistics({"over_budget": [{"device_id": "a\x1b[2J\nb" + "x" * 999, "excess": 1}]})
    assert told.over_budget[0].device_id.startswith("a [2J b")
    assert len(told.over_budget[0].device_id) == 120


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from([*figures(NOW_MS)]), ANYTHING),
    st.sampled_from([*figures(NOW_MS)]),
    ANYTHING,
)
def test_no_answer_whatever_its_shape_raises(said: dict[str, object], key: str, inner: object) -> None:
    spoilt = {**figures(NOW_MS), **said, key: {"call": inner, "told": inner, "waiting": inner}}
    told = read_statistics(spoilt)
    assert isinstance(told, Statistics)
    assert all(count >= 0 for count in told.counts.values())
