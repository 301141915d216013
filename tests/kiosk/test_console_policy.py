"""The rules of the line in the console: everybody reads them, administrators change them; what is refused says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk import line, windows
from kiosk.queue_names import policy_now
from kiosk.rules.policy import DEFAULT, LIMITS, MINUTE_MS
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, STAFF, STAFF_PASSWORD, ConsoleHall, console_hall

PAGE = "/console/queue/policy"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path) as hall:
        yield hall


def as_typed(**changed: str) -> dict[str, str]:
    """The form as the page draws it, with some fields changed."""
    unit = {
        key: 1 if not key.endswith("_ms") else 1000 if key == "undo_within_ms" else MINUTE_MS
        for key in LIMITS
    }
    return {key: f"{getattr(DEFAULT, key) / unit[key]:g}" for key in LIMITS} | changed


def test_an_administrator_changes_a_rule_and_it_is_in_force_and_noted(hall: ConsoleHall) -> None:
    admin = hall.client(ADMIN, ADMIN_PASSWORD)
    answer = admin.form(PAGE, **as_typed(cap_ms="45", **{"item:ZW-01": "7.5"}))
    assert answer.status_code == 303
    policy = policy_now(hall.core)
    assert policy.cap_ms == 45 * MINUTE_MS and policy.expected_ms == {"ZW-01": 450_000}
    rows = dict(map(tuple, hall.core.reader().execute("SELECT key, value FROM queue_policy")))
    assert set(rows) == {"cap_ms", "expected_ms"}, "what is the default has no row"
    told = (
        hall.core.reader().execute("SELECT before, detail, by FROM journal WHERE event = 'policy'").fetchone()
    )
    assert (json.loads(told[0]), json.loads(told[1])["cap_ms"], told[2]) == ({}, "2700000", ADMIN)
    page = admin.get(PAGE).text
    assert 'value="45"' in page and 'value="7.5"' in page


def test_what_cannot_be_is_refused_in_words_and_what_was_typed_is_kept(hall: ConsoleHall) -> None:
    admin = hall.client(ADMIN, ADMIN_PASSWORD)
    answer = admin.form(PAGE, **as_typed(cap_ms="5", late_places="2"))
    assert answer.status_code == 409
    assert "应在 10 和 240 之间" in answer.text and 'value="5"' in answer.text and 'value="2"' in answer.text
    assert admin.form(PAGE, **as_typed(weight_priority="many")).status_code == 409
    assert admin.form(PAGE, **as_typed(**{"item:ZW-01": "nan"})).status_code == 409
    assert policy_now(hall.core) == DEFAULT


def test_staff_read_the_rules_and_cannot_change_them(hall: ConsoleHall) -> None:
    hall.make_staff()
    staff = hall.client(STAFF, STAFF_PASSWORD)
    page = staff.get(PAGE)
    assert page.status_code == 200 and "disabled" in page.text and "排队规则" in page.text
    assert "Longest wait" in staff.get(f"{PAGE}?lang=en").text
    assert staff.form(PAGE, **as_typed(cap_ms="45")).status_code == 403
    assert policy_now(hall.core) == DEFAULT


def test_a_line_that_is_first_come_says_so_to_staff_and_on_the_hall_display(hall: ConsoleHall) -> None:
    windows.open_window(hall.core, "W2", "x")
    assert line.board(hall.core)["mode"] == {"mode": "fair", "zh": "", "en": ""}
    for number in range(2):
        line.take_ticket(hall.core, "ZW-01", f"e{number}", "zh", "kiosk-1", lane_why="elder")
    told = line.board(hall.core)["mode"]
    assert told["mode"] == "all_priority" and "先来后到" in told["zh"] and "first come" in told["en"]
    assert told["zh"] in hall.client(ADMIN, ADMIN_PASSWORD).get(PAGE).text
    for number in range(30):
        line.take_ticket(hall.core, "ZW-01", f"n{number}", "zh", "kiosk-1")
    assert line.board(hall.core)["mode"]["mode"] == "overload", (
        "thirty people and one window: 90 min cannot be kept"
    )
    assert "预计要等" in hall.client(ADMIN, ADMIN_PASSWORD).get(PAGE).text
