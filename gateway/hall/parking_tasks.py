"""What somebody must look at in the car park. Lives here: opening, clearing, taking and finishing a task.

Rule 1. One open task a kind and subject.
Rule 2. A reason that goes away by itself clears a task and closes nothing: somebody looks, and says so. But for `panel`
        and `map`: what they are about the house sees whole, so they close themselves (`over`).
Rule 3. What was finished a moment ago and is still so is not opened again at once.
"""

from __future__ import annotations

from dataclasses import replace

from devices.faults import OrderRefused
from gateway.hall.fields import Fields
from gateway.hall.parking_rows import QUIET_MS, ParkingTask, Reckoning
from gateway.hall.state import Change, Decision, HallState, JournalLine

#: Who has finished a task that closed itself.
BY_ITSELF = "系统 Linli"

Why = tuple[str, str]


def opened(
    state: HallState, kind: str, subject: str, why: Why, now_ms: int, since_ms: int = 0
) -> list[Change]:
    """There is a reason, since ``since_ms`` (0: nobody knows). Nothing, where it is known.

    What began after the last task was finished is another matter, and does not wait.
    """
    old = find(state, kind, subject)
    if old is not None and old.done_ms is None:
        if old.cleared_ms is None:
            return []
        return [replace(old, cleared_ms=None, why_zh=why[0], why_en=why[1])]
    if old is not None and old.done_ms is not None and since_ms <= old.done_ms > now_ms - QUIET_MS:
        return []
    task = ParkingTask(state.last_task_id + 1, kind, subject, now_ms, *why)
    return [task, JournalLine(now_ms, "ParkingTaskOpened", f"task:{task.task_id}", "", f"{kind} {subject}")]


def cleared(state: HallState, kind: str, subject: str, now_ms: int) -> list[Change]:
    """The reason has gone."""
    old = find(state, kind, subject)
    if old is None or old.done_ms is not None or old.cleared_ms is not None:
        return []
    return [replace(old, cleared_ms=now_ms)]


def over(state: HallState, kind: str, subject: str, now_ms: int) -> list[Change]:
    """The reason has gone, and that can be seen from here: nobody need look."""
    old = find(state, kind, subject)
    if old is None or old.done_ms is not None:
        return []
    done = replace(old, cleared_ms=now_ms, done_ms=now_ms, done_by=BY_ITSELF)
    return [done, JournalLine(now_ms, "ParkingTaskDone", f"task:{old.task_id}", BY_ITSELF)]


def find(state: HallState, kind: str, subject: str) -> ParkingTask | None:
    """The newest of that kind and subject that memory knows: open ones, and those of the last hour."""
    tasks = state.table(ParkingTask).values()
    found = [task for task in tasks if task.kind == kind and task.subject == subject]
    return max(found, key=lambda task: task.task_id, default=None)


def _open_task(state: HallState, fields: Fields) -> ParkingTask:
    task_id = fields.number("task_id", least=1)
    task = state.table(ParkingTask).get(task_id)
    if task is None:
        raise OrderRefused(f"没有待办 {task_id}", f"there is no open task {task_id}")
    if task.done_ms is not None:
        raise OrderRefused(f"{task.done_by} 已经办完这件事", f"{task.done_by} has finished this already")
    return task


def _take(state: HallState, fields: Fields, now_ms: int) -> Decision:
    task, by = _open_task(state, fields), fields.name("by")
    if task.taken_by and task.taken_by != by:
        raise OrderRefused(f"{task.taken_by} 已经在办", f"{task.taken_by} is seeing to it already")
    if task.taken_by == by:
        return Decision()
    line = JournalLine(now_ms, "ParkingTaskTaken", f"task:{task.task_id}", by)
    return Decision(changes=[replace(task, taken_by=by), line])


def _finish(state: HallState, fields: Fields, now_ms: int) -> Decision:
    task, by = _open_task(state, fields), fields.name("by")
    note = fields.text("note", "", longest=500)
    done = replace(task, done_ms=now_ms, done_by=by, note=note)
    decision = Decision(changes=[done, JournalLine(now_ms, "ParkingTaskDone", f"task:{task.task_id}", by)])
    if task.kind == "stuck" and (bay := state.bays.get(task.subject.removeprefix("bay:"))) is not None:
        # Somebody has looked: it is watched from here on.
        zone = state.zones.get(bay.zone_id)
        decision.changes.append(replace(bay, turned_ms=now_ms, turned_at=zone.turns if zone else 0))
    if task.kind == "drift" and (row := state.table(Reckoning).get(task.subject)) is not None:
        decision.changes.append(replace(row, drift_since_ms=now_ms if row.drift_since_ms else 0))
    return decision


ORDERS = {"take_task": _take, "finish_task": _finish}
