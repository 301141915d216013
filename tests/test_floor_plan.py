"""The floor plan: who may import whom. Read from the code itself, so that it cannot drift.

    linli → everything
    kiosk | firmware_bridge | herald → gateway.{notebook, views, house, log, service, hall, far_end …} → devices
    kiosk, firmware_bridge and herald never import each other; devices imports nothing of ours.

Pure rooms have an allow-list: what is not on it (``time``, ``random``, ``sqlite3``, ``threading`` …) fails here.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

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


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imports(path: Path) -> Iterator[str]:
    """Each absolute module name that a file imports, wherever in the file it does."""
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(*places: str) -> list[Path]:
    found: list[Path] = []
    for place in places:
        path = ROOT / place
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", files(*ROOMS), ids=name_of)
def test_nobody_imports_a_room_that_is_not_below(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    wrong = []
    for module in imports(path):
        target, _, rest = module.partition(".")
        if target not in ROOMS or target == room or room == "linli":
            continue
        allowed = target == "devices" and room != "devices"
        if target == "gateway" and room in ("kiosk", "firmware_bridge", "herald"):
            allowed = not rest or rest.split(".")[0] in COMMON_FLOOR
        if not allowed:
            wrong.append(module)
    assert wrong == []


@pytest.mark.parametrize(
    "path",
    [path for path in files(*PURE) if not any(name_of(path).startswith(place) for place in NOT_PURE)],
    ids=name_of,
)
def test_pure_rooms_import_only_what_cannot_wait(path: Path) -> None:
    outside = {module.split(".")[0] for module in imports(path)} - set(ROOMS)
    assert outside - ALLOWED == set()
    assert not {"devices.clock"} & set(imports(path)), "rules are handed the time"


def test_only_the_notebook_opens_sqlite() -> None:
    openers = [
        name_of(path)
        for path in files(*ROOMS)
        for node in _nodes(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "sqlite3.connect"
    ]
    assert set(openers) <= {"gateway/notebook.py"}


def test_no_relative_imports_and_no_file_longer_than_one_sitting() -> None:
    for path in files(*ROOMS, "tests"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 600, f"{name_of(path)} knows too much: split it along the rooms"
        for node in _nodes(path):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{name_of(path)}: relative import"


def test_each_room_says_what_belongs_there() -> None:
    for room in ROOMS:
        doc = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8"))) or ""
        assert "Begin reading at" in doc, f"{room}/__init__.py does not say where to begin"
