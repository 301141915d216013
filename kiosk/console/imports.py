"""Lists of residents and helpers as files: out for Excel, in after each line has been looked at.

A file is taken as a whole or not at all. Each line is first tried against the gateway's own rules, here, on what
stands on the disk; only if none is refused does the whole list go to the gateway, as one order. A thread does it
(import_jobs.py): a short list is answered at once, of a long one the page says which line it is at.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from gateway.hall import people as rules
from gateway.hall.fields import Fields
from gateway.hall.reading import tidy
from gateway.hall.rows import ROLES, Helper, Person, Row
from gateway.hall.state import Decision, HallState
from gateway.log import say as log
from kiosk.accounts import Accounts
from kiosk.console import blueprint, door
from kiosk.console.care import how_far
from kiosk.console.import_jobs import Job, Verdict, import_jobs
from kiosk.console.report_pages import AGAIN_S, PATIENCE_S
from kiosk.console.tables import (
    LIST_PATIENCE_S,
    Trouble,
    lang,
    may_see_medical,
    now,
    pick,
    read,
    read_of,
    why_of,
)
from kiosk.console.words import WORDS, say
from kiosk.core import Core, current_core
from kiosk.sheet import LONGEST_FILE, Column, Entry, read_sheet, write_sheet

#: What one order may hold (gateway/desk.py takes lines of 1 MiB).
LONGEST_ORDER = 1_000_000
_YES, _NO = ("是", "yes", "y", "true", "1", "√", "有"), ("否", "no", "n", "false", "0", "无")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a list is about: its table, columns, and the rule that each line is put to."""

    table: str
    row: type[Row]
    key: str
    prefix: str
    columns: tuple[Column, ...]
    rule: Callable[[HallState, Fields, int], Decision]
    #: words of a column that stand for others: field → word → (Chinese, English)
    choices: Mapping[str, Mapping[str, tuple[str, str]]]
    flags: frozenset[str]
    numbers: frozenset[str]


def _columns(names: Mapping[str, tuple[str, str]], leave_out: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(Column(key, *pair) for key, pair in names.items() if key not in leave_out)


KINDS = {
    "people": Kind(
        "people",
        Person,
        "person_id",
        "p-",
        _columns(rules.PERSON_NAMES, ("paused_until_ms", "paused_why")),
        rules.person_put,
        {"visit_tier": rules.TIERS},
        frozenset({"meal_free", "active"}),
        frozenset({"quiet_after_h"}),
    ),
    "helpers": Kind(
        "helpers",
        Helper,
        "helper_id",
        "h-",
        _columns(rules.HELPER_NAMES, ()),
        rules.helper_put,
        {"role": ROLES},
        frozenset({"active"}),
        frozenset(),
    ),
}


@blueprint.before_request
def roomy() -> None:
    """A list may be larger than any other form. Asked before the form is read."""
    if request.endpoint == "console.import_list":
        request.max_content_length = LONGEST_FILE + 20_000


@blueprint.get("/lists/<any(people, helpers):what>.csv")
@door.allow("admin")
def export_list(what: str) -> ResponseReturnValue:
    """Everything but medical notes: those are looked at one by one."""
    kind = KINDS[what]
    columns = tuple(one for one in kind.columns if one.key != "medical")
    rows = sorted(read(kind.row).table(kind.row).values(), key=lambda one: str(one.key))
    answer = Response(
        write_sheet(columns, (_cells(kind, row, columns) for row in rows)),
        mimetype="text/csv; charset=utf-8",
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="{what}-{now():%Y%m%d}.csv"'
    door.accounts().note(door.me().name, f"export_{what}", str(len(rows)))
    return answer


@blueprint.get("/lists/<any(people, helpers):what>")
@door.allow("admin")
def lists(what: str) -> ResponseReturnValue:
    """Also how far a list is, and what has become of it (``job``)."""
    number = request.args.get("job", "")
    job = import_jobs().of(number) if number else None
    if number and (job is None or job.what != what):
        return _page(what, Trouble(say("import_forgotten", lang()), 404))
    return _page(what, job=job)


@blueprint.post("/lists/<any(people, helpers):what>")
@door.allow("admin")
def import_list(what: str) -> ResponseReturnValue:
    """A file; or ``do`` = "stop": the list that is looked at is not wanted any more."""
    if request.form.get("do") == "stop":
        return _stopped(what, request.form.get("job", ""))
    core, kind, given = current_core(), KINDS[what], request.files.get("file")
    try:
        sheet = read_sheet(given.read(LONGEST_FILE + 1) if given else b"", kind.columns, "name")
        if len(sheet.entries) > rules.MOST_ROWS:
            most, many = rules.MOST_ROWS, len(sheet.entries)
            raise OrderRefused(
                f"一次最多 {most} 行，这里有 {many} 行", f"{many} lines; at most {most} at once"
            )
    except OrderRefused as refused:
        return _page(what, Trouble(why_of(refused), 409))
    medical, unknown = may_see_medical(), list(sheet.unknown)
    if "medical" in sheet.entries[0].cells and not medical:
        unknown.append(next(one.zh for one in kind.columns if one.key == "medical"))
    job = Job(what, len(sheet.entries), request.form.get("check") == "yes", unknown)
    import_jobs().begin(
        job,
        lambda job: judge(core, kind, sheet.entries, medical=medical, tell=job.tell),
        partial(_write, core, kind, door.me().name, door.accounts()),
    )
    if job.finished.wait(PATIENCE_S):
        return _page(what, job=job)
    return redirect(url_for("console.lists", what=what, job=job.number), 303)


def _stopped(what: str, number: str) -> ResponseReturnValue:
    job = import_jobs().of(number)
    if job is not None:
        job.stop()
        job.finished.wait(PATIENCE_S)
    return redirect(url_for("console.lists", what=what, job=number), 303)


def _write(core: Core, kind: Kind, by: str, accounts: Accounts, rows: Sequence[dict[str, Any]]) -> None:
    """The order, and a line in the console's journal; the gateway's own has each row."""
    if len(json.dumps(rows, ensure_ascii=False).encode()) > LONGEST_ORDER:
        raise OrderRefused(*WORDS["import_too_long"])
    if not core.link.connected:
        raise OrderRefused(*WORDS["outside_gateway"])
    core.link.order("put_many", timeout_s=LIST_PATIENCE_S, by=by, table=kind.table, rows=rows)
    try:
        accounts.note(by, "put_many", f"{kind.table} {len(rows)}")
    except NotWritten as wrong:
        log("journal_not_written", f"put_many was done, but not noted: {wrong}", level=logging.WARNING)


def judge(
    core: Core,
    kind: Kind,
    entries: list[Entry],
    *,
    medical: bool,
    tell: Callable[[int], None] = lambda _done: None,
) -> tuple[list[Verdict], list[dict[str, Any]]]:
    """Put each line to the rule, on a copy of the hall that is thrown away. Lines see what those before have made.

    :param tell: is told how many lines are done; may raise to end it.
    :return: what becomes of each line, and the rows of the order (only what is new or changed).
    """
    state, now_ms = read_of(core, kind.row), core.now_ms()
    there = state.table(kind.row)
    homes = {_identity(row): key for key, row in there.items()}
    names = {identity[0] for identity in homes}
    lines: dict[str, int] = {}
    verdicts: list[Verdict] = []
    rows: list[dict[str, Any]] = []
    for number, entry in enumerate(entries):
        tell(number)
        name = entry.cells.get("name", "")
        try:
            if entry.wrong:
                raise OrderRefused(*entry.wrong)
            fields = _fields(kind, entry, medical=medical)
            meant = _identity_of(entry.cells)
            key = entry.cells.get(kind.key) or homes.get(meant, "")
            if not key and meant[0] in names and not any(meant[1:4]):
                raise OrderRefused(
                    "已经有同名的人：请填编号，或写上楼栋、房号",
                    "somebody of that name is there already: give the id, or building and flat",
                )
            key = key or f"{kind.prefix}{secrets.token_hex(4)}"
            if key in lines:
                raise OrderRefused(f"和第 {lines[key]} 行重复", f"the same as line {lines[key]}")
            old = there.get(key)
            decision = kind.rule(state, Fields({**fields, kind.key: key}), now_ms)
        except OrderRefused as refused:
            verdicts.append(Verdict(entry.line, name, "refused", (refused.why_zh, refused.why_en)))
            continue
        state.put(decision)
        lines[key] = entry.line
        homes[_identity(there[key])] = key
        what = "same" if not decision.changes else "new" if old is None else "changed"
        verdicts.append(Verdict(entry.line, name, what))
        if what != "same":
            rows.append({kind.key: key, **_worth_sending(fields, old)})
    return verdicts, rows


def _fields(kind: Kind, entry: Entry, *, medical: bool) -> dict[str, Any]:
    """The cells as an order's fields. An empty number or yes/no stays as it is."""
    fields: dict[str, Any] = {}
    for key, cell in entry.cells.items():
        if key == kind.key or (key == "medical" and not medical):
            continue
        if key in kind.flags:
            if cell:
                word = cell.casefold()
                fields[key] = True if word in _YES else False if word in _NO else cell
        elif key in kind.numbers:
            if cell:
                fields[key] = int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 9 else cell
        elif key in kind.choices:
            if cell:
                fields[key] = next(
                    (word for word, pair in kind.choices[key].items() if cell in (word, *pair)), cell
                )
        elif key == "channels":
            fields[key] = cell.split()
        else:
            fields[key] = cell
    return fields


def _worth_sending(fields: dict[str, Any], old: Row | None) -> dict[str, Any]:
    """Of a new row what is not empty; of one that is there what differs. The order stays short."""
    if old is None:
        return {key: value for key, value in fields.items() if value or value is False}
    return {
        key: value
        for key, value in fields.items()
        if (tuple(value) if isinstance(value, list) else value) != getattr(old, key)
    }


def _identity(row: Row) -> tuple[str, ...]:
    """Who is meant where a line has no id: the same name in the same home, or of the same role."""
    return _identity_of(
        {key: str(getattr(row, key, "")) for key in ("name", "building", "unit", "room", "role")}
    )


def _identity_of(cells: Mapping[str, str]) -> tuple[str, ...]:
    role = cells.get("role", "")
    role = next((word for word, pair in ROLES.items() if role in (word, *pair)), role)
    return (*(tidy(cells.get(key, "")) for key in ("name", "building", "unit", "room")), role)


def _cells(kind: Kind, row: Row, columns: tuple[Column, ...]) -> dict[str, str]:
    """A row as a file has it, in Chinese."""
    cells: dict[str, str] = {}
    for one in columns:
        value = getattr(row, one.key)
        if one.key in kind.choices:
            value = kind.choices[one.key].get(value, (value,))[0]
        elif isinstance(value, bool):
            value = _YES[0] if value else _NO[0]
        elif isinstance(value, tuple):
            value = " ".join(value)
        cells[one.key] = str(value)
    return cells


def _page(what: str, trouble: Trouble | None = None, *, job: Job | None = None) -> ResponseReturnValue:
    """The page; with the list that is looked at, or what has become of it."""
    kind = KINDS[what]
    running = job is not None and not job.finished.is_set()
    verdicts = list(job.verdicts) if job is not None and not running else []
    why = trouble.why if trouble else ""
    if job is not None and not running and job.wrong[0]:
        why = pick(job.wrong)
    page = render_template(
        "console/import.html",
        what=what,
        columns=kind.columns,
        total=len(read(kind.row).table(kind.row)),
        verdicts=verdicts,
        counts={
            word: sum(one.what == word for one in verdicts) for word in ("new", "changed", "same", "refused")
        },
        job=job,
        running=running,
        wait_s=AGAIN_S,
        most=rules.MOST_ROWS,
        why=why,
    )
    answer = make_response(page, trouble.status if trouble else 202 if running else job.status if job else 200)
    return how_far(answer, job) if running else answer
