"""Checking and using a plan of up to some thousand bays: in a thread of its own, so that a page can show how far it is.

Until the order has gone it can be stopped, and nothing was done.

A plan is judged here by the gateway's own rule, on a copy of what stands on the disk; only what passes is sent, as one
order: all of it is written, or nothing. Going back to a plan that drew fewer bays also takes the others off the plan.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from flask import current_app

from devices.faults import NotWritten, OrderRefused, OutsideDown
from gateway import views, views_parking
from gateway.hall.fields import Fields
from gateway.hall.parking_map import put_map
from gateway.hall.parking_rows import BayPlan, Place, Site, ZonePlan
from gateway.hall.rows import Row, RowGone
from gateway.hall.state import Device, HallState
from kiosk.core import Core
from kiosk.plan_file import PlanFile

Json = dict[str, Any]

#: What one order may hold (gateway/desk.py takes lines of 1 MiB).
LONGEST_ORDER = 1_000_000
#: The gateway writes 2,000 bays in about a second on a desk machine; a slow card takes its time.
WRITE_S = 60.0
#: How many wrong lines are looked for; in a long plan only the first, because each look judges all of it again.
WRONG_AT_MOST, LONG_PLAN = 8, 300
#: Where a refusal of ``put_map`` says which row it is about (gateway/hall/parking_map.py).
_WHERE = re.compile(r"(site|zones|bays|places), line (\d+): (.*)", re.S)
_WHERE_ZH = re.compile(r"(?:site|区域|车位|地点)第 \d+ 行：(.*)", re.S)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A row that is refused: of which list the how-maniest, in which line of the file (0: it has none), and why.

    ``name`` "": it is the plan as a whole.
    """

    name: str
    number: int
    line: int
    text: str
    why_zh: str
    why_en: str


class Stopped(Exception):
    """Nothing was written, and nothing will be."""


@dataclass(slots=True)
class Job:
    """One look at a plan, or one use of it. ``stage``: a word of the page; ``done`` of ``of`` steps are behind it."""

    plan_id: int
    use: bool
    stage: str = "reading"
    done: int = 0
    of: int = 4
    wrong: list[Wrong] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    failed: tuple[str, str] | None = None
    stopped: bool = False
    finished: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        self._stop.set()

    def begin(self, stage: str) -> None:
        """:raises Stopped: whoever handed it in does not want it any more."""
        self.go_on()
        self.done, self.stage = self.done + 1, stage

    def go_on(self) -> None:
        """:raises Stopped: as `begin`."""
        if self._stop.is_set():
            raise Stopped


class PlanJobs:
    """The newest job of each plan; one runs at a time."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._turn = threading.Lock()
        self._jobs: dict[int, Job] = {}

    def of(self, plan_id: int) -> Job | None:
        return self._jobs.get(plan_id)

    def check(self, plan_id: int, plan: PlanFile) -> Job:
        return self._begin(Job(plan_id, False), lambda job: self._check(job, plan))

    def use(self, plan_id: int, plan: PlanFile, by: str, *, whole: bool, then: Callable[[], None]) -> Job:
        """:param whole: bays that the plan does not draw are taken off it in every zone. :param then: it is written."""
        return self._begin(Job(plan_id, True), lambda job: self._use(job, plan, by, whole, then))

    def _begin(self, job: Job, work: Callable[[Job], None]) -> Job:
        running = self._jobs.get(job.plan_id)
        if running is not None and not running.finished.is_set():
            return running
        self._jobs = {
            **{key: one for key, one in self._jobs.items() if not one.finished.is_set()},
            job.plan_id: job,
        }

        def run() -> None:
            try:
                with self._turn:
                    work(job)
            except Stopped:
                job.stopped = True
            except OrderRefused as refused:
                job.failed = refused.why_zh, refused.why_en
            except (OutsideDown, sqlite3.Error) as wrong:
                job.failed = (
                    f"网关没有答复，请看一下图是不是已经改了，再试一次（{wrong}）",
                    f"the gateway did not answer: look whether the map has changed, then try again ({wrong})",
                )
            finally:
                job.finished.set()

        threading.Thread(target=run, name="plan", daemon=True).start()
        return job

    def _check(self, job: Job, plan: PlanFile) -> None:
        job.of = 2
        self._look(job, plan)
        job.done = 2

    def _use(self, job: Job, plan: PlanFile, by: str, whole: bool, then: Callable[[], None]) -> None:
        state = self._look(job, plan)
        if job.wrong:
            return
        if len(json.dumps(plan.fields, ensure_ascii=False).encode()) > LONGEST_ORDER:
            raise OrderRefused("平面图太大，一次写不下", "the plan is too large for one order")
        job.begin("writing")
        self._core.link.order("put_map", timeout_s=WRITE_S, by=by, **plan.fields)
        drawn = {row["bay_id"] for row in plan.fields.get("bays", ())}
        over = sorted(set(state.table(BayPlan)) - drawn) if whole else []
        job.of, job.done = 4 + len(over), 3
        for bay_id in over:
            self._take_off(bay_id, by)
            job.done += 1
        then()
        job.done = job.of

    def _look(self, job: Job, plan: PlanFile) -> HallState:
        """What is wrong with it, else what it would change; the car park as it stands."""
        job.begin("checking")
        state = hall_now(self._core)
        job.wrong = wrong_rows(state, plan, self._core.now_ms(), job.go_on)
        if not job.wrong:
            job.go_on()
            job.counts = what_changes(state, plan, self._core.now_ms())
        return state

    def _take_off(self, bay_id: str, by: str) -> None:
        try:
            self._core.link.order("drop_bay_plan", timeout_s=WRITE_S, bay_id=bay_id, by=by)
        except OrderRefused:
            pass  # put_map itself has taken it off: it drew other bays of that zone


def plan_jobs(core: Core) -> PlanJobs:
    """The one of this application."""
    return cast(PlanJobs, current_app.extensions.setdefault("linli.plan_jobs", PlanJobs(core)))


def hall_now(core: Core) -> HallState:
    """The car park as the gateway's rule sees it, with the feeds that a site may name."""
    reader = core.gateway_reader()
    state = views_parking.known(reader)
    for one in views.devices(reader):
        if one["kind"] == "site_feed":
            name = str(one["device_id"])
            state.devices[name] = Device(name, "site_feed", 0, 0, 0)
    return state


def wrong_rows(
    state: HallState, plan: PlanFile, now_ms: int, go_on: Callable[[], None] = lambda: None
) -> list[Wrong]:
    """The rows that the rule refuses: of a short plan several, of a long one the first.

    :param go_on: asked before each look; may raise to end it.
    """
    wrong: list[Wrong] = []
    rows = {name: list(enumerate(plan.fields.get(name, ()), 1)) for name in ("zones", "bays", "places")}
    tries = WRONG_AT_MOST if sum(map(len, rows.values())) <= LONG_PLAN else 1
    for _ in range(tries):
        go_on()
        left = {**plan.fields, **{name: [row for _, row in ones] for name, ones in rows.items() if ones}}
        try:
            put_map(state, Fields(left), now_ms)
            break
        except OrderRefused as refused:
            where = _WHERE.fullmatch(refused.why_en)
            if where is None:
                wrong.append(Wrong("", 0, 0, "", refused.why_zh, refused.why_en))
                break
            name, index = where[1], int(where[2]) - 1
            zh = _WHERE_ZH.fullmatch(refused.why_zh)
            if name == "site":
                wrong.append(Wrong("site", 1, 0, "", zh[1] if zh else refused.why_zh, where[3]))
                break
            number, _row = rows[name].pop(index)
            line, text = plan.stood.get((name, number), (0, ""))
            why = (zh[1] if zh else refused.why_zh, where[3])
            wrong.append(Wrong(name, number, line, text, *_in_the_file(why, name, rows[name], plan)))
    return wrong


def _in_the_file(
    why: tuple[str, str], name: str, left: list[tuple[int, Any]], plan: PlanFile
) -> tuple[str, str]:
    """A refusal that names another row counts those that were judged: told by where that row stands in the file."""

    def place(found: re.Match[str]) -> str:
        number = left[int(found[2]) - 1][0] if int(found[2]) <= len(left) else int(found[2])
        line, _ = plan.stood.get((name, number), (0, ""))
        return f"{found[1]}{line or number}{found[3]}"

    return re.sub(r"(第 )(\d+)( 行)", place, why[0]), re.sub(r"(line )(\d+)()", place, why[1])


def what_changes(state: HallState, plan: PlanFile, now_ms: int) -> dict[str, int]:
    """How many rows of the plan would be new, changed, gone, or stay as they are."""
    counts = {"new": 0, "changed": 0, "gone": 0, "bays": 0}
    for change in put_map(state, Fields(plan.fields), now_ms).changes:
        if isinstance(change, RowGone):
            counts["gone"] += 1
        elif isinstance(change, Row):
            there = change.key in state.tables[change.TABLE]
            counts["changed" if there else "new"] += 1
    rows = sum(len(plan.fields.get(name, ())) for name in ("zones", "bays", "places"))
    counts["same"] = max(0, rows + bool(plan.fields.get("site")) - counts["new"] - counts["changed"])
    counts["bays"] = plan.bays
    return counts


def plan_now(core: Core) -> Json:
    """The plan as it stands, as a file would say it. :raises NotWritten, sqlite3.Error: it cannot be read."""
    state = views_parking.known(core.gateway_reader())
    plan: Json = {}
    sites = list(state.table(Site).values())
    if len(sites) == 1:
        plan["site"] = views.row_json(sites[0])
    kinds: tuple[tuple[str, type[Row]], ...] = (("zones", ZonePlan), ("bays", BayPlan), ("places", Place))
    for name, kind in kinds:
        rows = (views.row_json(row) for _, row in sorted(state.table(kind).items()))
        plan[name] = [{key: value for key, value in row.items() if key != "level"} for row in rows]
    return plan


__all__ = ["Job", "NotWritten", "PlanJobs", "Wrong", "plan_jobs", "plan_now", "what_changes", "wrong_rows"]
