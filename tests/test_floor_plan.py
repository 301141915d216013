"""The floor plan: who may import whom. Read from the code itself, so that it cannot drift.

    linli → everything
    kiosk | firmware_bridge | herald → gateway.{notebook, views, house, log, service, hall, far_end …} → devices
    kiosk, firmware_bridge and herald never import each other; devices imports nothing of ours.

Pure rooms have an allow-list: what is not on it (``time``, ``random``, ``sqlite3``, ``threading`` …) fails here.
"""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
ROOMS = ("devices", "gateway", "kiosk", "firmware_bridge", "herald", "linli")
COMMON_FLOOR = {"notebook", "house", "log", "service", "hall", "far_end", "backup_sets", "finding"}
#: read-only questions to gateway.db
COMMON_FLOOR |= {"views", "views_answering", "views_care", "views_fleet", "views_messages"}
COMMON_FLOOR |= {"views_parking", "views_parking_history"}

PURE = [
    "devices",
    "gateway/hall",
    "gateway/translate.py",
    "gateway/lateness.py",
    "kiosk/rules",
    "kiosk/catalogue.py",
    "kiosk/figures.py",
    "firmware_bridge/spool.py",
    "firmware_bridge/escpos.py",
    "firmware_bridge/panels",
    "herald/wording.py",
]
NOT_PURE = ["devices/virtual", "devices/reference_button", "devices/clock.py"]
ALLOWED = {
    "__future__",
    "abc",
    "array",
    "ast",
    "base64",
    "binascii",
    "bisect",
    "collections",
    "copy",
    "dataclasses",
    "datetime",
    "difflib",
    "enum",
    "functools",
    "hashlib",
    "hmac",  # comparing in constant time
    "heapq",
    "importlib",
    "ipaddress",  # addresses as text; opens no connection
    "itertools",
    "json",
    "math",
    "operator",
    "pkgutil",
    "re",
    "string",
    "struct",
    "tomllib",
    "types",
    "typing",
    "unicodedata",
    "urllib",  # escaping of names; its parse only
    "zoneinfo",
    "yaml",  # the catalogue's parser: text in, data out
}


class Seen(NamedTuple):
    """What the rules here ask of a file. Not its tree: half a million nodes kept make every later test slower."""

    imports: tuple[str, ...]
    calls_connect: bool


@cache
def seen(path: Path) -> Seen:
    """Reads a file once: each absolute module name that it imports, wherever in the file it does, and the rest."""
    names: list[str] = []
    connects = False
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "connect":
            connects = connects or ast.unparse(node.func) == "sqlite3.connect"
    return Seen(tuple(names), connects)


def files(*places: str) -> list[Path]:
    found: list[Path] = []
    for place in places:
        path = ROOT / place
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def above(path: Path) -> list[str]:
    """What a file imports of rooms that are not below its own."""
    room = path.relative_to(ROOT).parts[0]
    wrong = []
    for module in seen(path).imports:
        target, _, rest = module.partition(".")
        if target not in ROOMS or target == room or room == "linli":
            continue
        allowed = target == "devices" and room != "devices"
        if target == "gateway" and room in ("kiosk", "firmware_bridge", "herald"):
            allowed = not rest or rest.split(".")[0] in COMMON_FLOOR
        if not allowed:
            wrong.append(module)
    return wrong


def test_nobody_imports_a_room_that_is_not_below() -> None:
    assert {name_of(path): wrong for path in files(*ROOMS) if (wrong := above(path))} == {}


def test_pure_rooms_import_only_what_cannot_wait() -> None:
    pure = [path for path in files(*PURE) if not any(name_of(path).startswith(place) for place in NOT_PURE)]
    assert len(pure) > 100
    outside = {name_of(path): {module.split(".")[0] for module in seen(path).imports} for path in pure}
    assert {name: wrong for name, of in outside.items() if (wrong := of - set(ROOMS) - ALLOWED)} == {}
    readers = [name_of(path) for path in pure if "devices.clock" in seen(path).imports]
    assert readers == [], "rules are handed the time"


def test_only_the_notebook_opens_sqlite() -> None:
    openers = {name_of(path) for path in files(*ROOMS) if seen(path).calls_connect}
    assert openers <= {"gateway/notebook.py"}


def test_no_relative_imports_and_no_file_longer_than_one_sitting() -> None:
    for path in files(*ROOMS, "tests"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 600, f"{name_of(path)} knows too much: split it along the rooms"
        assert not re.search(r"^\s*from\s*\.", text, re.MULTILINE), f"{name_of(path)}: relative import"


def test_each_room_says_what_belongs_there() -> None:
    for room in ROOMS:
        doc = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8"))) or ""
        assert "Begin reading at" in doc, f"{room}/__init__.py does not say where to begin"
