"""Who is on duty. A minimal stand-in: every active helper of the role; shifts, scopes and substitutions come later."""

from __future__ import annotations

from collections.abc import Collection

from gateway.hall.rows import Helper
from gateway.hall.state import Call, HallState


def on_duty(state: HallState, who: str, call: Call, now_ms: int) -> tuple[Helper, ...]:
    """The helpers of role ``who`` who are on duty for this call's home."""
    helpers = state.table(Helper).values()
    return tuple(one for one in helpers if one.role == who and one.active)


def reachable(state: HallState, helper: Helper, acts: Collection[str]) -> bool:
    """Whether a step that does ``acts`` can reach this helper."""
    return "message" in acts and bool(helper.channels)
