"""What the page of a signed link shows, and to whom. Pure.

Rule 1. Looking changes nothing: chat programs open links by themselves to make a preview.
Rule 2. So looking shows nobody's name or address either, a preview may stand in a group. Place, name and the way in are
        shown to the helper who has the call, on the telephone that said so, while the call is open. No medical notes.
        Another telephone with the same link, or a helper of the same name, is told that the call is taken.
"""

from __future__ import annotations

from typing import Literal

#: forged, old, gone (no helper any more), over, taken (by somebody else), open, yours (but not this telephone), mine
Seen = Literal["forged", "old", "gone", "over", "taken", "open", "yours", "mine"]


def seen(
    *,
    known: bool,
    expired: bool,
    helper: str,
    active: bool,
    call_state: str,
    accepted_by: str,
    this_phone: bool,
) -> Seen:
    """What whoever opens the link gets to see.

    :param known: the token is ours; :param helper: the name of whom it was made for; :param this_phone: it has said
        "on my way" by this very link.
    """
    if not known:
        return "forged"
    if call_state in ("", "CLOSED"):
        return "over"
    if expired:
        return "old"
    if not active:
        return "gone"
    if call_state == "HEARD":
        return "open"
    if accepted_by != helper:
        return "taken"
    return "mine" if this_phone else "yours"
