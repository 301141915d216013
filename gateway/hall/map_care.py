"""Whether the plan of the car park and the bays agree. Lives here: what a person who reads the map would miss.

Rule 1. In a zone that is drawn, each bay is drawn, and each bay that is drawn there is there. A zone of which nobody
        has drawn anything yet is no fault.
Rule 2. After a quarter of an hour it is a task, one a zone: who hangs sensors hands in the plan at the end.
Rule 3. hall.toml names for a panel only zones and sites that there are: a name that was written wrong leaves the panel
        without a number (showing.py).
Rule 4. The task closes itself when they agree: what it was about can be seen from here, to its end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from devices.plan import Panel
from gateway.hall import showing
from gateway.hall.bays import UNCLAIMED_ZONE
from gateway.hall.parking_rows import BayPlan, ParkingTask
from gateway.hall.parking_tasks import Why, opened, over
from gateway.hall.state import Change, Decision, HallState

#: Standing for so long, it is a task.
LONG_MS = 15 * 60_000
#: Bays that a task names; of the others it says how many.
NAMED = 6


def faults(state: HallState, panels: Sequence[Panel] = ()) -> dict[str, Why]:
    """Subject ("zone:east", "panel:gate") → what is wrong with its plan."""
    drawn: dict[str, set[str]] = {}
    for plan in state.table(BayPlan).values():
        if plan.x_m or plan.y_m:
            drawn.setdefault(plan.zone_id, set()).add(plan.bay_id)
    there: dict[str, set[str]] = {}
    for bay in state.bays.values():
        if bay.zone_id != UNCLAIMED_ZONE.zone_id:
            there.setdefault(bay.zone_id, set()).add(bay.bay_id)
    found: dict[str, Why] = {}
    for zone_id, ids in drawn.items():
        missing, beyond = there.get(zone_id, set()) - ids, ids - there.get(zone_id, set())
        zh, en = [], []
        if missing:
            zh.append(f"平面图上没有画车位 {_names(missing, '个')}")
            en.append(f"the plan does not draw bay {_names(missing, '')}")
        if beyond:
            zh.append(f"画了这一区没有的车位 {_names(beyond, '个')}")
            en.append(f"it draws bay {_names(beyond, '')}, which this zone does not have")
        if zh:
            found[f"zone:{zone_id}"] = "；".join(zh), "; ".join(en)
    for panel in panels:
        if names := showing.missing(state, panel):
            found[f"panel:{panel.id}"] = (
                f"hall.toml 给它写的{'、'.join(names)}，这个大厅没有：它显示“--”。请技术员改名字，或先把车位认领到那里",
                f"hall.toml names {', '.join(names)} for it, which is not there: it shows “--”. Mend the name there",
            )
    return found


def judged(state: HallState, due: Mapping[str, Why], still: Collection[str], now_ms: int) -> Decision:
    """Tasks for the subjects that are due; those of subjects that are not ``still`` wrong close themselves."""
    whole = Decision()

    def add(changes: list[Change]) -> None:
        state.put(Decision(changes=changes))
        whole.changes += changes

    for task in [task for task in state.table(ParkingTask).values() if task.kind == "map"]:
        if task.subject not in still:
            add(over(state, "map", task.subject, now_ms))
    for subject, why in due.items():
        add(opened(state, "map", subject, why, now_ms))
    return whole


def _names(bays: Collection[str], counted: str) -> str:
    ordered = sorted(bays)
    rest = len(ordered) - NAMED
    more = "" if rest <= 0 else f" 等 {len(ordered)} {counted}" if counted else f" and {rest} more"
    return ("、" if counted else ", ").join(ordered[:NAMED]) + more
