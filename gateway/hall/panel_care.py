"""Panels that do not show what they are told. Lives here: when somebody is sent to one.

Rule 1. That a panel is silent or shows something else stands on the console within minutes, by itself, and goes by
        itself (gateway/panel_watch.py for MQTT, the bridge for serial lines).
Rule 2. After a quarter of an hour somebody must go there: a task. A panel that starts anew, a switch that is changed, a
        power cut that the compound's own people mend are over by then.
Rule 3. The task closes itself when the panel answers: what it was about can be seen from here, to its end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from devices.faults import OrderRefused
from gateway.hall.fields import Fields
from gateway.hall.parking_rows import ParkingTask
from gateway.hall.parking_tasks import opened, over
from gateway.hall.state import Change, Decision, HallState
from gateway.hall.supervision import for_long

#: Ill for so long, it is a task.
LONG_MS = 15 * 60_000
#: More than any hall has.
MOST_PANELS = 200


@dataclass(frozen=True, slots=True)
class PanelIs:
    """How a panel is: "ready", or what is wrong with it since ``since_ms``, with words for the person on duty."""

    panel: str
    state: str
    since_ms: int
    why_zh: str = ""
    why_en: str = ""


def judged(
    state: HallState, panels: Sequence[PanelIs], now_ms: int, known: Collection[str] | None = None
) -> Decision:
    """Tasks for those that have been ill for long, none for those that are well.

    :param known: all panels of hall.toml, where it is to be looked for tasks of others: they were taken down.
    """
    whole = Decision()

    def add(changes: list[Change]) -> None:
        # The next one sees what this one has changed: numbers of tasks among it.
        state.put(Decision(changes=changes))
        whole.changes += changes

    for one in panels:
        if one.state == "ready":
            add(over(state, "panel", f"panel:{one.panel}", now_ms))
        elif now_ms - one.since_ms >= LONG_MS:
            zh, en = for_long(LONG_MS)
            why = f"{one.why_zh}（已超过{zh}）", f"{one.why_en} (for more than {en})"
            add(opened(state, "panel", f"panel:{one.panel}", why, now_ms, one.since_ms))
    if known is not None:
        for task in [task for task in state.table(ParkingTask).values() if task.kind == "panel"]:
            if task.subject.removeprefix("panel:") not in known:
                add(over(state, "panel", task.subject, now_ms))
    return whole


def _told(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """The order ``panels``: how panels on serial lines are, by the bridge's notebook."""
    rows = fields.raw.get("panels")
    if not isinstance(rows, list) or len(rows) > MOST_PANELS or not all(isinstance(row, Mapping) for row in rows):
        raise OrderRefused(
            f"panels 应为列表，最多 {MOST_PANELS} 行", f"panels must be a list of at most {MOST_PANELS} rows"
        )
    panels = []
    for row in map(Fields, rows):
        since_ms = row.number("since_ms")
        why = row.text("why_zh", ""), row.text("why_en", "")
        panels.append(PanelIs(row.name("panel", longest=64), row.name("state", longest=40), since_ms, *why))
    return judged(state.child(), panels, now_ms)


ORDERS = {"panels": _told}
