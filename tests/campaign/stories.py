"""The tests that are too long for each ``make test``: kills again and again, years of housekeeping, sound."""

from __future__ import annotations

import sys

import pytest


def main(words: list[str]) -> int:
    """Arguments are pytest's own: ``make campaign ARGS="stories -k meals"``."""
    return int(pytest.main(["-q", "-m", "long", "--import-mode=importlib", "tests", *words]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
