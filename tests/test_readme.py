"""Documents that cannot lie: the functions they name exist, the pictures are the tables, both languages agree."""

import importlib
import re
from pathlib import Path

import pytest

from firmware_bridge import spool
from gateway.hall import calls
from kiosk.rules import queue, request_life
from linli.__main__ import _COMMANDS

READMES = ["README.md", "README.zh-CN.md"]
_NAME = re.compile(r"`((?:devices|gateway|kiosk|firmware_bridge|herald|linli)(?:\.\w+)+)`")


def names(file: str) -> list[str]:
    found = set(_NAME.findall(Path(file).read_text(encoding="utf-8")))
    return sorted(name for name in found if not name.endswith(".target"))


def find(name: str) -> object:
    """The thing a dotted name means: modules first, then attributes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            thing: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            thing = getattr(thing, part)
        return thing
    raise AttributeError(name)


@pytest.mark.parametrize("name", names("README.md"))
def test_each_function_that_the_readme_names_exists(name: str) -> None:
    assert find(name) is not None


def test_both_languages_name_the_same_functions_commands_and_pictures() -> None:
    english, chinese = (Path(file).read_text(encoding="utf-8") for file in READMES)
    assert names("README.zh-CN.md") == names("README.md")
    for pattern in (r"docs/images/\w+\.png", r"`make (\w+)`", r"`linli ([a-z-]+)"):
        assert set(re.findall(pattern, chinese)) == set(re.findall(pattern, english))


@pytest.mark.parametrize("file", READMES)
@pytest.mark.parametrize(
    ("mark", "picture"),
    [
        ("calls.LIFE", calls.mermaid()),
        ("queue.LIFE", queue.mermaid()),
        ("spool.LIFE", spool.mermaid()),
        ("request_life.LIFE", request_life.mermaid()),
    ],
)
def test_the_pictures_are_the_tables(file: str, mark: str, picture: str) -> None:
    text = Path(file).read_text(encoding="utf-8")
    drawn = re.search(rf"<!-- {re.escape(mark)} -->\n```mermaid\n(.*?)```\n<!-- end -->", text, re.S)
    assert drawn is not None
    assert drawn[1].strip() == picture.strip()


@pytest.mark.parametrize("file", READMES)
def test_each_file_that_is_linked_is_there(file: str) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", Path(file).read_text(encoding="utf-8")):
        assert Path(link).exists(), f"{file} links to {link}"


def test_each_target_and_command_of_the_readme_is_there() -> None:
    text = Path("README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", Path("Makefile").read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"`make ([a-z]+)`", text)) | set(re.findall(r"^make ([a-z]+) ", text, re.M))
    assert {"run", "test"} <= named <= targets
    assert set(re.findall(r"`linli ([a-z-]+)", text)) <= set(_COMMANDS)
