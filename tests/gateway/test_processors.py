"""Loop and broker stay on processors of their own; a machine that has only one is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.processors import keep_broker_apart, keep_loop_apart
from tests.systemd.test_units import UNITS

ALL = os.sched_getaffinity(0)
several = pytest.mark.skipif(len(ALL) < 2, reason="one processor: nothing to keep apart")


@pytest.fixture
def broker() -> Iterator[int]:
    """Somebody who waits to be put somewhere."""
    process = subprocess.Popen(["sleep", "60"])
    yield process.pid
    process.kill()
    process.wait()


def in_a_process(words: str) -> object:
    """What a process of its own prints: where this one runs is not touched."""
    lines = f"import json, os\nfrom gateway import processors\n{words}"
    root = Path(__file__).parent.parent.parent
    return json.loads(
        subprocess.run([sys.executable, "-c", lines], cwd=root, capture_output=True, check=True).stdout
    )


@several
def test_the_broker_has_the_first_processor_and_the_loop_any_other(broker: int) -> None:
    keep_broker_apart(broker)
    assert os.sched_getaffinity(broker) == {min(ALL)}
    words = "why = processors.keep_loop_apart()\nprint(json.dumps([why, sorted(os.sched_getaffinity(0))]))"
    assert in_a_process(words) == ["", sorted(ALL - {min(ALL)})]


def test_where_there_is_one_processor_both_share_it(broker: int) -> None:
    only = sorted(ALL)[:1]
    words = (
        f"os.sched_setaffinity(0, {only})\nwhy = processors.keep_loop_apart()\nprocessors.keep_broker_apart({broker})\n"
        f"print(json.dumps([why, sorted(os.sched_getaffinity(0)), sorted(os.sched_getaffinity({broker}))]))"
    )
    assert in_a_process(words) == ["one processor", only, only]


@several
def test_where_the_kernel_refuses_nothing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_pid: int, _where: set[int]) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    keep_broker_apart(1)
    assert keep_loop_apart() == "Operation not permitted"


def test_the_units_say_the_same() -> None:
    assert "\nCPUAffinity=0\n" in (UNITS / "mosquitto.service.d" / "linli.conf").read_text()
    assert "\nSystemCallFilter=sched_setaffinity\n" in (UNITS / "linli-gateway.service").read_text()
