"""From when to when staff are told that the wait gets too long. Pure.

A wait that hovers about the limit must not ring again and again: an episode begins when a predicted wait passes the
limit, and ends only when all are well below it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kiosk.rules.estimate import Estimate
from kiosk.rules.estimate_words import WaitAlert, wait_alert
from kiosk.rules.policy import Policy

#: An episode ends where every prediction is below this share of the limit. Our choice: of 40 minutes, 32.
EASED = 0.8


@dataclass(frozen=True, slots=True)
class Episode:
    """A time in which staff are told: since when, and the newest words for it."""

    began_ms: int
    alert: WaitAlert


def follow(
    before: Episode | None, estimates: Iterable[tuple[str, Estimate | None]], policy: Policy, now_ms: int
) -> Episode | None:
    """The episode after a look at what newcomers would be told; None: all is well."""
    looked = list(estimates)
    alert = wait_alert(looked, policy)
    if alert is not None:
        return Episode(now_ms if before is None else before.began_ms, alert)
    if before is None:
        return None
    eased = replace(policy, alert_wait_ms=int(policy.alert_wait_ms * EASED))
    return None if wait_alert(looked, eased) is None else before
