"""Lists of residents and helpers as files: out for Excel, in after each line has been looked at.

A file is taken as a whole or not at all. Each line is first tried against the gateway's own rules, here, on what
stands on the disk; only if none is refused does the whole list go to the gateway, as one order.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused
from gateway.hall import people as rules
from gateway.hall.fields import Fields
from gateway.hall.reading import tidy
from gateway.hall.rows import ROLES, Helper, Person, Row
from gateway.hall.state import Decision, HallState
from kiosk.console import blueprint, door
from kiosk.console.tables import LIST_PATIENCE_S, Trouble, attempt, lang, may_see_medical, now, read, why_of
from kiosk.console.words import say
from kiosk.core import current_core
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one line: "new", "changed", "same" or "refused", and why."""

    line: int
    name: str
    what: str
    why: str = ""


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
    return _page(what)


@blueprint.post("/lists/<any(people, helpers):what>")
@door.allow("admin")
def import_list(what: str) -> ResponseReturnValue:
    kind, given = KINDS[what], request.files.get("file")
    try:
        sheet = read_sheet(given.read(LONGEST_FILE + 1) if given else b"", kind.columns, "name")
        if len(sheet.entries) > rules.MOST_ROWS:
            most, many = rules.MOST_ROWS, len(sheet.entries)
            raise OrderRefused(
                f"一次最多 {most} 行，这里有 {many} 行", f"{many} lines; at most {most} at once"
            )
    except OrderRefused as refused:
        return _page(what, Trouble(why_of(refused), 409))
    unknown = list(sheet.unknown)
    if "medical" in sheet.entries[0].cells and not may_see_medical():
        unknown.append(next(one.zh for one in kind.columns if one.key == "medical"))
    verdicts, rows = judge(kind, sheet.entries, medical=may_see_medical())
    refused_ones = [one for one in verdicts if one.what == "refused"]
    trouble, done = None, False
    if refused_ones:
        trouble = Trouble(say("import_refused", lang(), n=len(refused_ones)), 409)
    elif request.form.get("check") != "yes" and rows:
        if len(json.dumps(rows, ensure_ascii=False).encode()) > LONGEST_ORDER:
            trouble = Trouble(say("import_too_long", lang()), 409)
        else:
            trouble = attempt("put_many", f"{what} {len(rows)}", LIST_PATIENCE_S, table=kind.table, rows=rows)
            done = trouble is None
    return _page(what, trouble, verdicts, unknown, done)


def judge(kind: Kind, entries: list[Entry], *, medical: bool) -> tuple[list[Verdict], list[dict[str, Any]]]:
    """Put each line to the rule, on a copy of the hall that is thrown away. Lines see what those before have made.

    :return: what becomes of each line, and the rows of the order (only what is new or changed).
    """
    state, now_ms = read(kind.row), current_core().now_ms()
    there = state.table(kind.row)
    homes = {_identity(row): key for key, row in there.items()}
    names = {identity[0] for identity in homes}
    lines: dict[str, int] = {}
    verdicts: list[Verdict] = []
    rows: list[dict[str, Any]] = []
    for entry in entries:
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
            verdicts.append(Verdict(entry.line, name, "refused", why_of(refused)))
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


def _page(
    what: str,
    trouble: Trouble | None = None,
    verdicts: list[Verdict] | None = None,
    unknown: list[str] | None = None,
    done: bool = False,
) -> ResponseReturnValue:
    verdicts = verdicts or []
    kind = KINDS[what]
    page = render_template(
        "console/import.html",
        what=what,
        columns=kind.columns,
        total=len(read(kind.row).table(kind.row)),
        verdicts=verdicts,
        counts={
            word: sum(one.what == word for one in verdicts) for word in ("new", "changed", "same", "refused")
        },
        unknown=unknown or [],
        done=done,
        most=rules.MOST_ROWS,
        why=trouble.why if trouble else "",
    )
    return make_response(page, trouble.status if trouble else 200)
