"""What the hall's display and its voice may know of the calls: that somebody needs help, since when, how urgently.

Pure. No name, no flat, no health: the values below are all that ever leaves for a screen that everybody sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict

from gateway.hall.kinds import DEFAULTS


class Level(TypedDict):
    """The most urgent call that the hall is to notice. ``display``, ``voice``: who is to tell of calls at all now."""

    kind: str
    since_ms: int
    priority: int
    display: bool
    voice: bool


def default_priorities() -> dict[str, int]:
    """As a hall begins."""
    return {word: kind.priority for word, kind in DEFAULTS.items()}


def level(
    calls: Iterable[Mapping[str, Any]], priorities: Callable[[], Mapping[str, int]] = default_priorities
) -> Level | None:
    """The level that the calls make, None for quiet. Only calls that nobody has taken, and whose step says so.

    :param priorities: asked only where somebody calls. A kind that it does not know is as urgent as an emergency.
    """
    noticed = [one for one in calls if one.get("state") == "HEARD" and _acts(one) & {"display", "voice"}]
    urgent = priorities() if noticed else {}
    loud = [
        (urgent.get(str(call.get("kind", "")), 0), int(call.get("opened_ms") or 0), call) for call in noticed
    ]
    if not loud:
        return None
    priority, since_ms, first = min(loud, key=lambda one: one[:2])
    acts = frozenset().union(*(_acts(call) for _, _, call in loud))
    return {
        "kind": str(first.get("kind", "")),
        "since_ms": since_ms,
        "priority": priority,
        "display": "display" in acts,
        "voice": "voice" in acts,
    }


def _acts(call: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(str(call.get("acts") or "").split())
