"""What a panel on MQTT says of itself (docs/protocol.md, sections 1 and 9): what stands on it, or that it has gone.

    linli/v1/panel/<panel>/state    {"text": "空位 10", "number": 10, "every_s": 20}
    linli/v1/panel/<panel>/status   offline            its last will

A panel says ``text`` (in either language), ``number`` (null where it shows none), or both: whatever it has.
"""

from __future__ import annotations

from dataclasses import dataclass

from devices.codecs._shared import load_object, plain, text, whole
from devices.messages import ShowCount

#: The longest interval that a panel may promise, a day: whoever speaks more rarely cannot be told from a dead one.
LONGEST_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class PanelSaid:
    """One word of a panel. ``text`` None: it has not said; ``number`` counts where ``tells_number``.

    ``every_s``: how often it promises to speak, 0 where it does not. ``gone``: its last will.
    """

    text: str | None = None
    number: int | None = None
    tells_number: bool = False
    every_s: int = 0
    gone: bool = False

    def agrees(self, count: ShowCount) -> bool:
        """Whether this is what it was told to show. A mere sign of life contradicts nothing."""
        if self.text is not None and self.text not in (count.text, count.text_en):
            return False
        return not self.tells_number or self.number == count.number


def panel_of(topic: str) -> tuple[str, str] | None:
    """(panel, "state" or "status") where a panel speaks on this topic; None elsewhere."""
    parts = topic.split("/")
    if len(parts) == 5 and parts[:3] == ["linli", "v1", "panel"] and parts[4] in ("state", "status"):
        return parts[3], parts[4]
    return None


def read_panel(what: str, payload: bytes) -> PanelSaid:
    """:raises ValueError: it says nothing that a panel can say."""
    if what == "status" and plain(payload).lower() in ("offline", "online"):
        return PanelSaid(gone=plain(payload).lower() == "offline")
    try:
        body = load_object(payload)
    except RecursionError as wrong:
        raise ValueError("nested without end") from wrong
    if body.get("state") == "offline":
        return PanelSaid(gone=True)
    shown = body.get("text")
    if shown is not None and not isinstance(shown, str):
        raise ValueError("text is no text")
    number = body.get("number")
    if number is not None and type(number) is not int:
        raise ValueError("number is no whole number")
    every_s = whole(body.get("every_s")) or 0
    return PanelSaid(
        None if shown is None else text(shown).strip(),
        number,
        "number" in body,
        every_s if 1 <= every_s <= LONGEST_S else 0,
    )
