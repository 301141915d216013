"""What a hall may set about its line: one frozen `Policy`, its defaults, its limits, and where each number comes from.

The notebook's table ``queue_policy(key, value)`` holds what a hall has changed, a JSON value a row; what is missing
has the default here. A row that cannot be used is named in `Policy.faults` and its default is used: a wrong row must
not stop a hall.

    policy = read_policy({"cap_ms": "2700000"})
    policy.cap_ms                                  # 2700000
    read_policy({"cap_ms": '"soon"'}).faults       # one fault, with words for the console

What must not live here: the database, the clock, the rules themselves (``fairness.py``, ``queue.py``, ``estimate.py``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from devices.faults import OrderRefused

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Limits:
    """The smallest and largest value that a hall may set, in the key's own unit, and the words for it."""

    least: int
    most: int
    zh: str
    en: str
    source: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of ``queue_policy`` that could not be used; the default is in force."""

    key: str
    value: str
    why_zh: str
    why_en: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of the line as this hall has set them. Durations are milliseconds; `LIMITS` has the bounds."""

    weight_normal: int = 1
    weight_priority: int = 2
    cap_ms: int = 90 * MINUTE_MS
    overtaken_most: int = 6
    late_places: int = 3
    recalls_most: int = 3
    undo_within_ms: int = 30_000
    early_ms: int = 30 * MINUTE_MS
    late_ms: int = 10 * MINUTE_MS
    slot_length_ms: int = 30 * MINUTE_MS
    slot_places: int = 2
    book_days_ahead: int = 30
    target_wait_ms: int = 15 * MINUTE_MS
    alert_wait_ms: int = 40 * MINUTE_MS
    #: how long an item takes at the window where the hall has set it itself: code → ms. Others: `estimate.cold_ms`.
    expected_ms: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    faults: tuple[Fault, ...] = ()


#: Every plain number of `Policy`. "Ours" is our own choice, open to each hall in its console.
LIMITS: Mapping[str, Limits] = MappingProxyType(
    {
        "weight_normal": Limits(
            1, 10, "普通号的权重", "weight of the normal lane", "the plan of the queue: 1 : 2"
        ),
        "weight_priority": Limits(
            1, 10, "优先号的权重", "weight of the priority lane", "the plan of the queue: 1 : 2"
        ),
        "cap_ms": Limits(
            10 * MINUTE_MS,
            240 * MINUTE_MS,
            "最长等候（到时下一个就叫）",
            "longest wait: who reaches it is next",
            "ours: at load 0.85 it held in 4,000 simulated days; 75 min did not in 1 of 1,000 (linli queue fairness)",
        ),
        "overtaken_most": Limits(
            0,
            50,
            "最多被后到的人超过几次",
            "overtaken at most by how many later arrivals",
            "the plan of the queue: 6",
        ),
        "late_places": Limits(
            0, 20, "过号回来后顺延几位", "places back after a missed call", "the plan of the queue: 3"
        ),
        "recalls_most": Limits(0, 10, "最多重呼几次", "recalls at most", "the plan of the queue: 3"),
        "undo_within_ms": Limits(5_000, 120_000, "撤销时限", "undo within", "the plan of the queue: 30 s"),
        "early_ms": Limits(
            0,
            120 * MINUTE_MS,
            "预约最早提前多久签到",
            "appointment: check in how early",
            "ours: half an hour",
        ),
        "late_ms": Limits(
            0,
            60 * MINUTE_MS,
            "预约迟到多久仍按预约时间",
            "appointment: how late keeps the slot",
            "ours: ten minutes",
        ),
        "slot_length_ms": Limits(
            5 * MINUTE_MS,
            240 * MINUTE_MS,
            "预约时段的长度",
            "length of a slot for appointments",
            "ours: half an hour",
        ),
        "slot_places": Limits(
            1, 50, "一个时段每个事项可约几人", "appointments of one item in one slot", "ours: two"
        ),
        "book_days_ahead": Limits(
            1, 180, "最多提前几天预约", "appointments at most how many days ahead", "ours: a month"
        ),
        "target_wait_ms": Limits(
            1 * MINUTE_MS, 240 * MINUTE_MS, "目标等候时间", "target wait", "ours: a quarter of an hour"
        ),
        "alert_wait_ms": Limits(
            1 * MINUTE_MS,
            480 * MINUTE_MS,
            "预计等候超过多久提醒工作人员",
            "alert when the predicted wait passes",
            "ours",
        ),
    }
)

#: One item at the window, for ``expected_ms``: shorter is a slip of the finger, longer is an appointment of its own.
EXPECTED = Limits(30_000, 180 * MINUTE_MS, "预计办理时间", "expected time at the window", "ours")

DEFAULT = Policy()


def read_policy(rows: Mapping[str, str]) -> Policy:
    """The policy in force, from the rows of ``queue_policy``. Never raises: what is wrong is in ``faults``."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for key, text in sorted(rows.items()):
        try:
            values[key] = check(key, text)
        except OrderRefused as wrong:
            faults.append(Fault(key, text, wrong.why_zh, wrong.why_en))
    return replace(DEFAULT, **values, faults=tuple(faults))


def check(key: str, text: str) -> int | Mapping[str, int]:
    """The value of one row, read from its JSON.

    :raises OrderRefused: an unknown key, no JSON, another type, or a number outside its limits; with words for both.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise OrderRefused(
            f"排队规则“{key[:40]}”的值 {text[:40]!r} 读不懂",
            f"queue rule {key[:40]!r}: cannot read {text[:40]!r}",
        ) from None
    if key == "expected_ms":
        if not isinstance(value, dict):
            raise OrderRefused(
                "“预计办理时间”应为事项编号对毫秒的表",
                "expected_ms must be a table of item code to milliseconds",
            )
        return MappingProxyType(
            {
                str(code): _number(f"{EXPECTED.zh} {code}", f"expected_ms of {code}", one, EXPECTED)
                for code, one in value.items()
            }
        )
    limits = LIMITS.get(key)
    if limits is None:
        raise OrderRefused(f"没有名为“{key[:40]}”的排队规则", f"there is no queue rule {key[:40]!r}")
    return _number(limits.zh, f"{limits.en} ({key})", value, limits)


def _number(zh: str, en: str, value: object, limits: Limits) -> int:
    # bool is an int to Python; a rule that is "true" is a mistake.
    if not isinstance(value, int) or isinstance(value, bool) or not limits.least <= value <= limits.most:
        raise OrderRefused(
            f"“{zh}”应为 {limits.least} 至 {limits.most} 的整数，不能是 {str(value)[:40]}",
            f"{en} must be a whole number from {limits.least} to {limits.most}, not {str(value)[:40]}",
        )
    return value


def to_rows(policy: Policy) -> dict[str, str]:
    """The rows that a notebook needs for this policy: only what differs from the defaults."""
    rows: dict[str, str] = {}
    for one in fields(Policy):
        value = getattr(policy, one.name)
        if one.name == "faults" or value == getattr(DEFAULT, one.name):
            continue
        rows[one.name] = json.dumps(dict(value) if isinstance(value, Mapping) else value)
    return rows
