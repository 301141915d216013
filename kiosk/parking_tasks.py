"""What somebody must look at in the car park, as staff read it: the most urgent first, each with where it is.

Read from gateway.db; which tasks there are the gateway decides (``gateway/hall/parking_tasks.py``).
"""

from __future__ import annotations

import sqlite3
from typing import Any

from devices.faults import NotWritten
from gateway import views_parking
from gateway.hall.parking_rows import Site
from kiosk.core import Core
from kiosk.parking import CarPark, car_park_or_none
from kiosk.words_parking import WORDS

Json = dict[str, Any]

#: Open tasks on the console's first page; all are on the tasks' own.
FIRST_TASKS = 3
#: Whose turn it is, the most urgent first: a fire engine does not wait for a dead sensor.
_URGENCY = ("fire_lane", "impossible", "panel", "overstay", "permit", "drift", "map", "stuck")


def task_box(core: Core) -> Json:
    """How many tasks are open, and the first ones: nothing where the notebook cannot be read."""
    tasks = open_tasks(core)
    if not tasks:
        return {"open": 0, "first": []}
    park = car_park_or_none(core)
    if park is None:
        return {"open": 0, "first": []}
    tasks.sort(key=lambda one: urgency(park, one))
    first = [
        {
            "task_id": one["task_id"],
            "kind": kind_of(park, one),
            "zh": subject_words(core, park, str(one["subject"]), "zh"),
            "en": subject_words(core, park, str(one["subject"]), "en"),
            "opened_ms": one["opened_ms"],
            "taken_by": one["taken_by"],
        }
        for one in tasks[:FIRST_TASKS]
    ]
    return {"open": len(tasks), "first": first}


def open_tasks(core: Core) -> list[Json]:
    """Tasks that nobody has finished; none where the notebook cannot be read."""
    try:
        return [one for one in views_parking.tasks(core.gateway_reader(), done=0) if one["done_ms"] is None]
    except (NotWritten, sqlite3.Error):
        return []


def kind_of(park: CarPark, task: Json) -> str:
    """The task's kind; a car in a fire lane is a kind of its own, because it comes first."""
    kind, _, name = str(task["subject"]).partition(":")
    in_lane = kind == "bay" and name in park.state.fire_lanes()
    return "fire_lane" if in_lane and task["kind"] in ("overstay", "permit") else str(task["kind"])


def urgency(park: CarPark, task: Json) -> tuple[int, int]:
    """Sorts tasks: the most urgent kind first, of one kind the oldest."""
    kind = kind_of(park, task)
    return _URGENCY.index(kind) if kind in _URGENCY else len(_URGENCY), int(task["task_id"])


def subject_words(core: Core, park: CarPark, subject: str, language: str) -> str:
    """ "bay:e7" as people say it: "东区 E7"."""
    kind, _, name = subject.partition(":")
    english = language == "en"
    zones = {one["zone_id"]: one["name_en" if english else "name_zh"] for one in park.zones}
    if kind == "bay":
        bay = next((one for one in park.bays if one["bay_id"] == name), None)
        return f"{zones.get(bay['zone_id'], '')} {bay['label'] or name}".strip() if bay else name
    if kind == "zone":
        return str(zones.get(name, name))
    if kind == "site":
        site = park.state.table(Site).get(name)
        return (site.name_en if english else site.name_zh) if site else WORDS["pk_whole_site"][english]
    if kind == "panel":
        panel = next((one for one in core.house.plan.panels if one.id == name), None)
        return (panel.name_en if english else panel.name_zh) if panel else name
    return name
