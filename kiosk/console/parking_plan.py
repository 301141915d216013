"""Handing in the plan of the car park: looked at first, nothing changed until confirmed, and the one before is kept.

A file (or pasted text) becomes a draft in kiosk.db; its page says what would change or which line is wrong
(plan_jobs.py). Only its button gives the gateway the order. What stood before is kept as a plan of its own: to undo is
to use that one.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from kiosk.console import acts, blueprint, care, door
from kiosk.console.care import Json, lang
from kiosk.console.plan_jobs import Job, plan_jobs, plan_now
from kiosk.console.report_pages import AGAIN_S
from kiosk.console.words import say
from kiosk.core import Core, current_core
from kiosk.plan_file import PlanFile, plan_sheet, plan_words, read_plan
from kiosk.sheet import LONGEST_FILE
from kiosk.writer import Writer

#: Plans that are kept besides the one that is looked at.
KEPT = 12
#: How long a page waits for a plan to be checked before it shows how far that is; most are done sooner.
PATIENCE_S = 1.5
#: A request may be this much larger than the longest file, so that whoever hands in too much is told so on the page.
ROOM = 4 * LONGEST_FILE


@blueprint.before_request
def roomy_plan() -> None:
    """A plan may be larger than any other form. Asked before the form is read."""
    if request.endpoint == "console.parking_plan_given":
        request.max_content_length = request.max_form_memory_size = ROOM


@blueprint.get("/parking/plan")
@door.allow("admin")
def parking_plan() -> ResponseReturnValue:
    return _page()


@blueprint.post("/parking/plan")
@door.allow("admin")
def parking_plan_given() -> ResponseReturnValue:
    """A file or text: read, kept as a draft, and shown. Nothing is changed."""
    given, pasted = request.files.get("file"), request.form.get("text", "")
    name = (given.filename or "").strip()[:80] if given is not None else ""
    raw = pasted.encode("utf-8", "replace")
    if given is not None:
        raw = given.read(LONGEST_FILE + 1) if name else raw
        given.close()  # a large one lies in a file of its own
    try:
        plan = read_plan(raw)
        body = json.dumps({"fields": plan.fields, "stood": _flat(plan)}, ensure_ascii=False)
    except OrderRefused as refused:
        return _page(409, care.why(refused), pasted[:LONGEST_FILE])
    core, by = current_core(), door.me().name
    plan_id = keep(core.writer, "draft", name, plan.bays, body, by, core.now_ms())
    return redirect(url_for("console.parking_plan_one", plan_id=plan_id), 303)


@blueprint.get("/parking/plan/<int:plan_id>")
@door.allow("admin")
def parking_plan_one(plan_id: int) -> ResponseReturnValue:
    """What this plan would change, or how far it is, or what has become of it."""
    core = current_core()
    row, plan = _kept(core, plan_id)
    if row is None or plan is None:
        return door.refuse(404, "pk_plan_unknown")
    job = plan_jobs(core).of(plan_id)
    again = request.args.get("again") == "1"
    if job is None or again:
        job = plan_jobs(core).check(plan_id, plan)
    if again:  # asked for once: the page that says how far it is asks for its own address again and again
        return redirect(url_for("console.parking_plan_one", plan_id=plan_id), 303)
    job.finished.wait(PATIENCE_S)
    return _one(row, job)


@blueprint.post("/parking/plan/<int:plan_id>")
@door.allow("admin")
def parking_plan_used(plan_id: int) -> ResponseReturnValue:
    """Use it: one order, all of it or nothing. How it stood before is kept first. ``do`` = "stop": it is not wanted."""
    core, by = current_core(), door.me().name
    if request.form.get("do") == "stop":
        return _stopped(core, plan_id)
    row, plan = _kept(core, plan_id)
    if row is None or plan is None:
        return door.refuse(404, "pk_plan_unknown")
    now_ms, writer = core.now_ms(), core.writer
    try:
        before = care.read(lambda _: plan_now(core))
    except care.Unreadable:
        return _page(503, say("care_unreadable", lang()))
    body = json.dumps({"fields": before, "stood": {}}, ensure_ascii=False)
    name = f"{datetime.fromtimestamp(now_ms / 1000, core.zone):%Y-%m-%d %H:%M}"
    bays = len(before["bays"])

    def written() -> None:
        keep(writer, "before", name, bays, body, by, now_ms)
        writer.write(
            lambda notebook: notebook.execute(
                "UPDATE parking_plans SET state = 'used', at_ms = ?, by = ? WHERE plan_id = ? AND state = 'draft'",
                (now_ms, by, plan_id),
            )
        )

    job = plan_jobs(core).use(plan_id, plan, by, whole=row["state"] == "before", then=written)
    acts.did("put_map", row["name"], str(plan.bays))
    job.finished.wait(PATIENCE_S)
    return redirect(url_for("console.parking_plan_one", plan_id=plan_id), 303)


def _stopped(core: Core, plan_id: int) -> ResponseReturnValue:
    job = plan_jobs(core).of(plan_id)
    if job is not None:
        job.stop()
        job.finished.wait(PATIENCE_S)
    return redirect(url_for("console.parking_plan_one", plan_id=plan_id), 303)


@blueprint.get("/parking/plan.<any(json, csv):ending>")
@door.allow("admin")
def parking_plan_file(ending: str) -> ResponseReturnValue:
    """The plan as it stands: to keep, or to change and hand in again."""
    try:
        plan = care.read(lambda _: plan_now(current_core()))
    except care.Unreadable:
        return _page(503, say("care_unreadable", lang()))
    body: str | bytes = plan_words(plan) if ending == "json" else plan_sheet(plan)
    kind = "application/json" if ending == "json" else "text/csv; charset=utf-8"
    answer = Response(body, mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="parking_plan.{ending}"'
    return answer


# ---------------------------------------------------------------- pieces


def keep(writer: Writer, state: str, name: str, bays: int, body: str, by: str, now_ms: int) -> int:
    """Keep a plan; the oldest beyond `KEPT` are forgotten, drafts that nobody used first. :return: its number."""

    def put(notebook: sqlite3.Connection) -> int:
        row = notebook.execute(
            "INSERT INTO parking_plans(name, state, bays, at_ms, by, body) VALUES (?, ?, ?, ?, ?, ?)",
            (name, state, bays, now_ms, by, body),
        )
        notebook.execute(
            "DELETE FROM parking_plans WHERE plan_id NOT IN"
            " (SELECT plan_id FROM parking_plans ORDER BY state = 'draft' AND plan_id <> ?, plan_id DESC LIMIT ?)",
            (row.lastrowid, KEPT),
        )
        return int(row.lastrowid or 0)

    return writer.write(put)


def _flat(plan: PlanFile) -> dict[str, list[Any]]:
    return {f"{name} {number}": list(stood) for (name, number), stood in plan.stood.items()}


def _kept(core: Core, plan_id: int) -> tuple[Json | None, PlanFile | None]:
    found = core.reader().execute("SELECT * FROM parking_plans WHERE plan_id = ?", (plan_id,)).fetchone()
    if found is None:
        return None, None
    row = dict(found)
    body: dict[str, Any] = json.loads(row.pop("body"))
    stood: dict[tuple[str, int], tuple[int, str]] = {}
    for key, (where, text) in body["stood"].items():
        name, _, number = key.partition(" ")
        stood[name, int(number)] = where, text
    return row, PlanFile(body["fields"], stood)


def _one(row: Json, job: Job) -> ResponseReturnValue:
    running = not job.finished.is_set()
    if job.failed is not None:
        why = care.pair(job.failed)
    elif not running and job.wrong:
        why = say("pk_plan_wrong", lang())
    else:
        why = ""
    used = job.use and not running and not why and not job.stopped
    return care.page(
        "console/parking_plan_one.html",
        202 if running else 409 if why and not job.use else 200,
        why=why,
        done=say("pk_plan_used", lang(), n=row["bays"]) if used else "",
        plan=row,
        job=job,
        used=used,
        running=running,
        wait_s=AGAIN_S,
        open_tasks=0,
    )


def _page(status: int = 200, why: str = "", pasted: str = "") -> ResponseReturnValue:
    core = current_core()
    try:
        plan = plan_now(core)
        there = {name: len(plan.get(name, ())) for name in ("bays", "zones", "places")}
    except (NotWritten, sqlite3.Error):
        there = {}
    rows = core.reader().execute(
        "SELECT plan_id, name, state, bays, at_ms, by FROM parking_plans ORDER BY plan_id DESC"
    )
    kept = [dict(row) for row in rows]
    return care.page(
        "console/parking_plan.html",
        status,
        why=why,
        pasted=pasted,
        there=there,
        kept=kept,
        most_kb=LONGEST_FILE // 1000,
        open_tasks=0,
    )
