"""The journal's explanations and the code say the same: whoever reads a warning finds what to do, in two languages."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gateway.log import message_id

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("gateway", "kiosk", "firmware_bridge", "herald")


def entries(file: str) -> dict[str, tuple[str, str]]:
    """A catalogue: event → (message id, text). The event stands in the comment before its entry."""
    text = (ROOT / "systemd" / file).read_text(encoding="utf-8")
    found = re.findall(
        r"^# (\w+)\n-- ([0-9a-f]{32})\n(.*?)(?=^# \w+\n-- |\Z)", text, re.MULTILINE | re.DOTALL
    )
    return {event: (number, words) for event, number, words in found}


@cache
def warnings_said() -> tuple[tuple[str, str], ...]:
    return tuple(_warnings_said())


def _warnings_said() -> Iterator[tuple[str, str]]:
    """Every ``say("name", …, level=WARNING or ERROR)`` and ``say_once(key, "name", …)`` in the rooms."""
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                    continue
                place = {"say": 0, "say_once": 1}.get(node.func.id)
                if place is None or len(node.args) <= place or not isinstance(node.args[place], ast.Constant):
                    continue
                levels = [ast.unparse(word.value) for word in node.keywords if word.arg == "level"]
                loud = (
                    levels == [] if node.func.id == "say_once" else any("logging." in one for one in levels)
                )
                if loud or any(re.search(r"WARNING|ERROR|CRITICAL", one) for one in levels):
                    yield ast.literal_eval(node.args[place]), str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", ["linli.catalog", "linli.zh_CN.catalog"])
def test_every_warning_of_the_code_is_explained(file: str):
    explained = entries(file)
    missing = {event: where for event, where in warnings_said() if event not in explained}
    assert missing == {}, f"add them to systemd/{file}; the id is gateway.log.message_id(event)"


def test_both_languages_explain_the_same_events_under_the_same_numbers():
    english, chinese = entries("linli.catalog"), entries("linli.zh_CN.catalog")
    assert {event: number for event, (number, _) in english.items()} == {
        e: n for e, (n, _) in chinese.items()
    }
    assert {event: number for event, (number, _) in english.items()} == {
        event: message_id(event) for event in english
    }


def test_systemd_itself_reads_the_catalogue(tmp_path: Path):
    folder = tmp_path / "usr/lib/systemd/catalog"
    folder.mkdir(parents=True)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    for name in ("linli.catalog", "linli.zh_CN.catalog"):
        (folder / name).write_text((ROOT / "systemd" / name).read_text(encoding="utf-8"), encoding="utf-8")
    run = ["journalctl", f"--root={tmp_path}"]
    updated = subprocess.run(
        [*run, "--update-catalog"], capture_output=True, text=True, check=True, timeout=30
    )
    assert updated.stderr == ""
    listed = subprocess.run(
        [*run, "--list-catalog"], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert set(re.findall(r"^([0-9a-f]{32}) Linli:", listed, re.MULTILINE)) == {
        n for n, _ in entries("linli.catalog").values()
    }
