"""What a hall may set about its line: defaults, limits, and rows that cannot be used."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.faults import OrderRefused
from kiosk.rules.policy import DEFAULT, LIMITS, Policy, check, read_policy, to_rows


def test_without_rows_the_plan_of_the_queue_is_in_force() -> None:
    policy = read_policy({})
    assert (policy.weight_normal, policy.weight_priority, policy.overtaken_most) == (1, 2, 6)
    assert (policy.late_places, policy.recalls_most, policy.undo_within_ms) == (3, 3, 30_000)
    assert policy.faults == ()


def test_every_number_has_limits_and_its_default_lies_within() -> None:
    plain = {one.name for one in fields(Policy)} - {"expected_ms", "faults"}
    assert plain == set(LIMITS)
    for key, limits in LIMITS.items():
        assert limits.least <= getattr(DEFAULT, key) <= limits.most
        assert limits.zh and limits.en and limits.source


def test_rows_are_read_and_one_that_is_wrong_is_named_and_stops_nothing() -> None:
    policy = read_policy(
        {"cap_ms": "2700000", "late_places": '"three"', "expected_ms": '{"ZW-01": 600000}', "hue": "1"}
    )
    assert policy.cap_ms == 2_700_000
    assert policy.late_places == DEFAULT.late_places
    assert policy.expected_ms == {"ZW-01": 600_000}
    assert [one.key for one in policy.faults] == ["hue", "late_places"]
    assert "three" in policy.faults[1].why_en and "0 至 20" in policy.faults[1].why_zh


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("cap_ms", "599999"),
        ("cap_ms", "true"),
        ("cap_ms", "2700000.5"),
        ("cap_ms", "[["),
        ("weight_normal", "0"),
        ("expected_ms", "[1]"),
        ("expected_ms", '{"ZW-01": 1}'),
        ("faults", "[]"),
    ],
)
def test_what_cannot_be_is_refused_in_both_languages(key: str, text: str) -> None:
    with pytest.raises(OrderRefused) as refused:
        check(key, text)
    assert refused.value.why_zh and refused.value.why_en


@given(st.dictionaries(st.sampled_from([*LIMITS, "expected_ms", "x"]), st.text(max_size=12)))
def test_no_row_of_any_kind_stops_a_hall(rows: dict[str, str]) -> None:
    policy = read_policy(rows)
    for key, limits in LIMITS.items():
        assert limits.least <= getattr(policy, key) <= limits.most
    assert {one.key for one in policy.faults} <= set(rows)


def test_what_was_set_is_read_back() -> None:
    policy = Policy(cap_ms=3_600_000, expected_ms={"ZW-01": 300_000})
    assert read_policy(to_rows(policy)) == policy
    assert json.loads(to_rows(policy)["cap_ms"]) == 3_600_000
    assert to_rows(DEFAULT) == {}
