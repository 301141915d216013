"""The plan of a car park as a file: JSON or CSV in, one order ``put_map`` out, and the other way round.

JSON is one object with ``site``, ``zones``, ``bays`` and ``places``, each a list of rows as in
gateway/hall/parking_rows.py. CSV has one line for each zone, bay or place, and a first column that says which
(docs/operations.md).
What a row may hold the gateway's own rule decides; here it is only told apart, and each row keeps where it stood.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn

from devices.faults import OrderRefused
from gateway.hall.fields import fit
from gateway.hall.parking import NAMES
from gateway.hall.parking_rows import BAY_KINDS, PLACE_KINDS, BayPlan, Place, Site, ZonePlan
from kiosk.sheet import LONGEST_FILE, Column, read_sheet, write_sheet

Json = dict[str, Any]

#: The lists of a plan, and what a row of each is.
LISTS: dict[str, type[Any]] = {"zones": ZonePlan, "bays": BayPlan, "places": Place}
#: What the first column of a CSV line says: list → (Chinese, English, key of its rows).
WHAT = {
    "zones": ("区域", "zone", "zone_id"),
    "bays": ("车位", "bay", "bay_id"),
    "places": ("地点", "place", "place_id"),
}
_MINUTE_MS = 60_000
#: Fields of rows that are no words: read as numbers where they are some.
WHOLE = frozenset(
    {
        "residents_reserve",
        "disabled_reserve",
        "emergency_reserve",
        "full_at",
        "full_until",
        "almost_at",
        "almost_until",
        "stays_min",
    }
)
MEASURES = frozenset({"x_m", "y_m", "long_m", "wide_m", "turn_deg"})
COLUMNS = (
    Column("what", "类别", "What"),
    Column("id", "编号", "Id"),
    Column("zone_id", *NAMES["zone_id"]),
    Column("kind", *NAMES["kind"]),
    Column("label", *NAMES["label"]),
    Column("name_zh", *NAMES["name_zh"]),
    Column("name_en", *NAMES["name_en"]),
    *(Column(key, *NAMES[key]) for key in ("x_m", "y_m", "long_m", "wide_m", "turn_deg", "permits")),
    Column("stays_min", "可停分钟", "May stay (minutes)"),
    Column("site_id", *NAMES["site_id"]),
    *(Column(key, *NAMES[key]) for key in sorted(WHOLE - {"stays_min"})),
)


@dataclass(slots=True)
class PlanFile:
    """``fields``: those of the order ``put_map``. ``stood``: (list, number from 1) → its line in the file, its text.

    A row of JSON has no line of its own: 0."""

    fields: Json
    stood: dict[tuple[str, int], tuple[int, str]] = field(default_factory=dict)

    @property
    def bays(self) -> int:
        return len(self.fields.get("bays", ()))


def read_plan(raw: bytes) -> PlanFile:
    """Take a file apart. :raises OrderRefused: it is no plan; in words for whoever handed it in."""
    if not raw.strip():
        raise OrderRefused(
            "请选择一个有内容的文件，或粘贴内容", "choose a file that is not empty, or paste one"
        )
    if len(raw) > LONGEST_FILE:
        most = LONGEST_FILE // 1000
        raise OrderRefused(f"文件太大，最多 {most} KB", f"the file is larger than {most} KB")
    start = raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return _from_json(raw) if start in (b"{", b"[") else _from_csv(raw)


def plan_words(plan: Mapping[str, Any]) -> str:
    """A plan as a JSON file that people can read and edit: a line for each row."""
    parts = []
    if plan.get("site"):
        parts.append(f'  "site": {_line(plan["site"])}')
    for name in LISTS:
        rows = ",\n".join(f"    {_line(row)}" for row in plan.get(name, ()))
        parts.append(f'  "{name}": [\n{rows}\n  ]' if rows else f'  "{name}": []')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def plan_sheet(plan: Mapping[str, Any]) -> bytes:
    """The same as CSV, for a spreadsheet. A site has no line of its own there."""
    lines: list[dict[str, str]] = []
    for name, (zh, _, key) in WHAT.items():
        for row in plan.get(name, ()):
            cells = {one.key: "" for one in COLUMNS} | {"what": zh, "id": str(row[key])}
            for column, value in row.items():
                if column == "stays_ms":
                    cells["stays_min"] = str(value // _MINUTE_MS) if value else ""
                elif column in cells and column != key:
                    cells[column] = " ".join(value) if isinstance(value, list | tuple) else str(value)
            if name == "zones":
                cells["zone_id"] = ""
            lines.append(cells)
    return write_sheet(COLUMNS, lines)


# ---------------------------------------------------------------- JSON


def _line(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False)


def _no_number(word: str) -> NoReturn:
    raise OrderRefused(f"{word} 不是数", f"{word} is not a number")


def _once(pairs: list[tuple[str, Any]]) -> Json:
    """An object in which no name stands twice: of two, nobody could say which was meant."""
    found: Json = {}
    for name, value in pairs:
        if name in found:
            raise OrderRefused(
                f"“{fit(name)[:40]}”在同一条里写了两次", f"“{fit(name)[:40]}” stands twice in one row"
            )
        found[name] = value
    return found


def _from_json(raw: bytes) -> PlanFile:
    try:
        plan = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_number, object_pairs_hook=_once)
    except UnicodeDecodeError as wrong:
        raise OrderRefused("文件的编码应为 UTF-8", "the file must be UTF-8") from wrong
    except json.JSONDecodeError as wrong:
        raise OrderRefused(
            f"第 {wrong.lineno} 行第 {wrong.colno} 个字起不是 JSON",
            f"from line {wrong.lineno}, column {wrong.colno} on it is no JSON",
        ) from wrong
    except OrderRefused:
        raise  # said by one of the two hooks
    except (RecursionError, ValueError) as wrong:
        raise OrderRefused("文件的结构看不懂", "the file's structure cannot be read") from wrong
    if not isinstance(plan, dict):
        raise OrderRefused("应为一个对象：{“bays”: […]}", 'it must be one object: {"bays": […]}')
    unknown = [name for name in plan if name not in ("site", *LISTS)]
    if unknown:
        raise OrderRefused(
            f"不认识“{fit(unknown[0])[:40]}”；可以有：site、zones、bays、places",
            f"“{fit(unknown[0])[:40]}” is not known; there may be site, zones, bays, places",
        )
    if isinstance(plan.get("site"), dict):
        _known_fields("site", 1, plan["site"], Site)
    found = PlanFile(plan)
    for name, kind in LISTS.items():
        rows = plan.get(name, [])
        if not isinstance(rows, list):
            raise OrderRefused(f"{name} 应为列表", f"{name} must be a list")
        for number, row in enumerate(rows, 1):
            if isinstance(row, dict):
                _known_fields(name, number, row, kind)
            found.stood[name, number] = 0, _line(row)[:600]
    if not any(plan.get(name) for name in ("site", *LISTS)):
        raise OrderRefused("文件里没有车位、区域或地点", "the file has no bays, zones or places")
    return found


def _known_fields(name: str, number: int, row: Json, kind: type[Any]) -> None:
    """A name that is written wrong would be left out without a word."""
    known = [one.name for one in fields(kind)]
    for key in row:
        if key not in known:
            said = fit(key)[:40]
            raise OrderRefused(
                f"{name} 第 {number} 条：不认识“{said}”；可以有：{'、'.join(known)}",
                f"{name}, row {number}: “{said}” is not known; there may be {', '.join(known)}",
            )


# ---------------------------------------------------------------- CSV


def _from_csv(raw: bytes) -> PlanFile:
    sheet = read_sheet(raw, COLUMNS, "id")
    if sheet.unknown:
        said = "、".join(fit(one)[:30] for one in sheet.unknown[:5])
        raise OrderRefused(f"不认识这些标题：{said}", f"these headings are not known: {said}")
    plan: Json = {}
    found = PlanFile(plan)
    for entry in sheet.entries:
        try:
            if entry.wrong:
                raise OrderRefused(*entry.wrong)
            name, row = _row(entry.cells)
        except OrderRefused as refused:
            raise OrderRefused(
                f"第 {entry.line} 行：{refused.why_zh}", f"line {entry.line}: {refused.why_en}"
            ) from refused
        rows = plan.setdefault(name, [])
        rows.append(row)
        text = ", ".join(cell for cell in entry.cells.values() if cell)
        found.stood[name, len(rows)] = entry.line, fit(text)[:600]
    return found


def _row(cells: Mapping[str, str]) -> tuple[str, Json]:
    said = cells.get("what", "").strip().casefold()
    # A file of bays alone needs no first column.
    name = "bays" if not said else next((one for one, words in WHAT.items() if said in words[:2]), "")
    if not name:
        raise OrderRefused(
            f"类别“{fit(said)[:20]}”应为：区域、车位、地点", f"“{fit(said)[:20]}” must be zone, bay or place"
        )
    kinds: Mapping[str, Sequence[str]] = PLACE_KINDS if name == "places" else BAY_KINDS
    allowed = {one.name for one in fields(LISTS[name])} | {"stays_min"}
    row: Json = {WHAT[name][2]: cells.get("id", "")}
    for key, cell in cells.items():
        if not cell or key in ("what", "id") or key not in allowed:
            continue
        if key == "kind":
            row[key] = next((word for word, pair in kinds.items() if cell in (word, *pair)), cell)
        elif key == "permits":
            row[key] = cell.split()
        elif key == "stays_min":
            row["stays_ms"] = int(cell) * _MINUTE_MS if _is_whole(cell) else cell
        elif key in WHOLE:
            row[key] = int(cell) if _is_whole(cell) else cell
        elif key in MEASURES:
            row[key] = _measure(cell)
        else:
            row[key] = cell
    return name, row


def _is_whole(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and len(cell) < 9


def _measure(cell: str) -> float | str:
    """What is no number goes on as it is: the rule says which field is wrong, and what it should be."""
    try:
        value = float(cell)
    except ValueError:
        return cell
    return value if abs(value) < 1e9 else cell
