"""The rules of the line as this hall has set them: the table ``queue_policy``. What they mean: ``rules/policy.py``.

set_policy(core, {"cap_ms": 5_400_000}, "李主任")      # Policy; OrderRefused names what cannot be
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kiosk.core import Core
from kiosk.rules.policy import Policy, check, read_policy, to_rows


def set_policy(core: Core, changed: Mapping[str, int | Mapping[str, int]], by: str) -> Policy:
    """Change some rules; the others stay. A value that is the default has no row: a later default is then in force.

    :raises OrderRefused: a value outside its limits, an unknown rule. Nothing was changed.
    """
    values: dict[str, Any] = {
        key: check(key, json.dumps(dict(value) if isinstance(value, Mapping) else value))
        for key, value in changed.items()
    }
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Policy:
        before = read_policy(
            {str(key): str(value) for key, value in notebook.execute("SELECT * FROM queue_policy")}
        )
        after = replace(before, **values, faults=())
        old, new = to_rows(before), to_rows(after)
        notebook.execute("DELETE FROM queue_policy")
        notebook.executemany("INSERT INTO queue_policy(key, value) VALUES (?, ?)", sorted(new.items()))
        if old != new:
            notebook.execute(
                'INSERT INTO journal(at_ms, "by", event, before, detail) VALUES (?, ?, ?, ?, ?)',
                (now_ms, by, "policy", json.dumps(old), json.dumps(new)),
            )
        return after

    return core.writer.write(work)
