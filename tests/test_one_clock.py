"""Nobody reads the time but the clock module: rules can be held to any moment, and a jump of the clock has one door.

Also for SQL, where ``datetime('now')`` is a clock nobody would look for. The reference button is a chip of its own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("devices", "gateway", "kiosk", "firmware_bridge", "herald", "linli")
CLOCK = "devices/clock.py"
ELSEWHERE = "devices/reference_button/"
#: Reading the time; sleeping, converting a given moment and counting processor time are not.
READS = {
    "time": {
        "time",
        "time_ns",
        "monotonic",
        "monotonic_ns",
        "perf_counter",
        "perf_counter_ns",
        "clock_gettime",
        "clock_gettime_ns",
    },
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}
#: Without the moment as an argument these read it, with it they convert it: how many arguments are no reading.
CONVERTS = {"localtime": 1, "gmtime": 1, "ctime": 1, "asctime": 1, "strftime": 2}
SQL_CLOCK = re.compile(r"'now'|CURRENT_(?:TIME|DATE|TIMESTAMP)|unixepoch\(\s*\)|julianday\(\s*\)", re.IGNORECASE)


def production(pattern: str) -> list[Path]:
    found = [path for room in ROOMS for path in sorted((ROOT / room).rglob(pattern))]
    return [path for path in found if not name_of(path).startswith((CLOCK, ELSEWHERE))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def readings(tree: ast.AST) -> Iterator[str]:
    """Each place at which the time is read: ``line 12: time.monotonic``."""
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            wrong = {one.name for one in node.names} & (READS["time"] | CONVERTS.keys())
            yield from (f"line {node.lineno}: from time import {one}" for one in sorted(wrong))
        if not isinstance(node, ast.Attribute):
            continue
        owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        if node.attr in READS.get(owner, ()) and not (owner == "datetime" and node.attr == "time"):
            yield f"line {node.lineno}: {owner}.{node.attr}"
        if owner == "time" and node.attr in CONVERTS:
            call = calls.get(id(node))
            if call is None or len(call.args) < CONVERTS[node.attr]:
                yield f"line {node.lineno}: time.{node.attr} without a moment"


def test_nobody_else_reads_the_time() -> None:
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in production("*.py")}
    assert len(texts) > 400
    assert {name: wrong for name, text in texts.items() if (wrong := list(readings(ast.parse(text))))} == {}
    assert {name: wrong for name, text in texts.items() if (wrong := SQL_CLOCK.findall(text))} == {}


def test_no_schema_reads_the_time() -> None:
    schemas = {name_of(path): path.read_text(encoding="utf-8") for path in production("*.sql")}
    assert len(schemas) > 3
    assert {name: wrong for name, text in schemas.items() if (wrong := SQL_CLOCK.findall(text))} == {}


@pytest.mark.parametrize(
    "code",
    [
        "import time\ntime.time()",
        "import time\nclock = time.monotonic_ns",
        "from time import monotonic",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.now(UTC)",
        "from datetime import date\ndate.today()",
        "import time\ntime.strftime('%H')",
        "import time\ntime.localtime()",
    ],
)
def test_this_test_would_find_it(code: str) -> None:
    assert list(readings(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "import time\ntime.sleep(1)",
        "import time\ntime.localtime(3)",
        "import time\ntime.strftime('%H', moment)",
        "import datetime\ndatetime.time(8)",
        "from datetime import datetime\ndatetime.fromtimestamp(3, UTC)",
    ],
)
def test_what_only_converts_is_no_reading(code: str) -> None:
    assert list(readings(ast.parse(code))) == []
