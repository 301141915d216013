"""The doctor's round for the console (kiosk/check_up.py): a process of its own; findings as JSON, and how far it is.

What it is not to look at is said by whoever asks: the kiosk's sandbox shows no devices.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial

from devices.clock import wall_ms
from gateway.finding import Check, Finding
from gateway.house import House
from kiosk.report_child import Json, Progress, answer
from linli.checks import ALL
from linli.doctor import examine


def look(wanted: Json, tell: Progress) -> Json:
    """``wanted``: ``environ`` (which hall), ``skip`` (names of checks)."""
    os.environ.update({str(name): str(value) for name, value in wanted["environ"].items()})
    checks = {name: check for name, check in ALL.items() if name not in wanted["skip"]}
    tell(0, len(checks))

    def counted(check: Check, number: int, house: House) -> Iterator[Finding]:
        yield from check(house)
        tell(number, len(checks))

    round_ = {name: partial(counted, check, number) for number, (name, check) in enumerate(checks.items(), 1)}
    found = [asdict(one) for one in examine(checks=round_)]
    return {"at_ms": wall_ms(), "findings": found}


if __name__ == "__main__":
    sys.exit(answer(look, sys.stdin, sys.stdout.buffer, sys.stderr))
