"""An estimate in words, and the alert of a wait that gets too long. Pure.

told(Estimate(720_000, 900_000, 1_200_000, …), "zh")       # "约 12–20 分钟"
wait_alert([("ZW-01", estimate), …], policy)                # None, or who waits longest and the words for staff
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.rules.estimate import Estimate
from kiosk.rules.policy import MINUTE_MS, Policy

#: Whole minutes up to here, then steps of five: nobody can know minute 47 from minute 48.
FINE_MIN, STEP_MIN = 20, 5
#: Longer than this is said without a range: it is a matter of coming back.
LONG_MIN = 180


def rounded(told: Estimate) -> tuple[int, int]:
    """(low, high) in the minutes that are said: each to the nearest that is said at all, the high one at least 1."""
    low, high = _nearest(told.low_ms), max(1, _nearest(told.high_ms))
    return min(low, high), high


def told(estimate: Estimate | None, lang: str) -> str:
    """What a person reads: a range in whole minutes. "": no open window serves the item; nothing is promised."""
    if estimate is None:
        return ""
    english = lang == "en"
    low, high = rounded(estimate)
    if estimate.high_ms < MINUTE_MS:
        return "any moment now" if english else "马上就到"
    if low >= LONG_MIN:
        hours = LONG_MIN // 60
        return f"more than {hours} hours" if english else f"{hours} 小时以上"
    if low == 0:
        return f"within {high} min" if english else f"{high} 分钟以内"
    if low == high:
        return f"about {low} min" if english else f"约 {low} 分钟"
    return f"about {low}–{high} min" if english else f"约 {low}–{high} 分钟"


def _nearest(wait_ms: int) -> int:
    minutes = wait_ms / MINUTE_MS
    return round(minutes) if minutes < FINE_MIN else round(minutes / STEP_MIN) * STEP_MIN


@dataclass(frozen=True, slots=True)
class WaitAlert:
    """Somebody is predicted to wait longer than the hall wants. ``key`` names whose estimate is the worst."""

    key: str
    predicted_ms: int
    limit_ms: int
    how_many: int
    why_zh: str
    why_en: str


def wait_alert(estimates: Iterable[tuple[str, Estimate | None]], policy: Policy) -> WaitAlert | None:
    """The alert when a predicted wait (its middle) passes ``policy.alert_wait_ms``; None: all is well.

    :param estimates: (an item's code or a number, what would be told). None there: no window is open for it; that is
        another alert.
    """
    over = [
        (one.mid_ms, key) for key, one in estimates if one is not None and one.mid_ms > policy.alert_wait_ms
    ]
    if not over:
        return None
    worst_ms, key = max(over)
    minutes, limit = round(worst_ms / MINUTE_MS), round(policy.alert_wait_ms / MINUTE_MS)
    return WaitAlert(
        key,
        worst_ms,
        policy.alert_wait_ms,
        len(over),
        f"预计要等约 {minutes} 分钟，超过 {limit} 分钟。请多开一个窗口，或告诉大家可改时间来",
        f"The predicted wait is about {minutes} min, more than {limit} min."
        " Open another window, or tell people that they may come at another time",
    )
