"""The page of the hall's windows, as forms without a script: staff open and close, administrators change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk import line
from kiosk.rules.windows import Window
from kiosk.windows import windows_now
from tests.kiosk.console_hall import (
    ADMIN,
    ADMIN_PASSWORD,
    STAFF,
    STAFF_PASSWORD,
    Client,
    ConsoleHall,
    console_hall,
)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path) as hall:
        hall.make_staff()
        yield hall


@pytest.fixture
def admin(hall: ConsoleHall) -> Client:
    return hall.client(ADMIN, ADMIN_PASSWORD)


def window(hall: ConsoleHall, window_id: str) -> Window:
    found = windows_now(hall.core).window(window_id)
    assert found is not None
    return found


def test_staff_open_a_window_pause_it_and_close_it(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    assert client.form("/console/windows", window_id="W2", do="open").status_code == 303
    assert window(hall, "W2").open
    page = client.get("/console/windows").get_data(as_text=True)
    assert "李强 在岗" in page
    assert "/console/windows/W2" not in page, "only an administrator changes a window"
    client.form("/console/windows", window_id="W2", do="lunch")
    assert (window(hall, "W2").open, window(hall, "W2").why) == (False, "lunch")
    assert "午休" in client.get("/console/windows").get_data(as_text=True)
    assert client.form("/console/windows", window_id="W2", do="dance").status_code == 400


def test_a_window_where_somebody_stands_is_not_closed_and_the_page_says_why(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    line.take_ticket(hall.core, "ZW-01", "first-key", "zh", "kiosk-1")
    line.call_next(hall.core, "W2", STAFF)
    refused = client.form("/console/windows", window_id="W2", do="close")
    assert refused.status_code == 409
    assert "民生保障窗口正在办理 B001，请先办完" in refused.get_data(as_text=True)
    assert window(hall, "W2").open


def test_an_administrator_adds_a_window_that_calls_at_once(hall: ConsoleHall, admin: Client) -> None:
    line.take_ticket(hall.core, "ZW-01", "first-key", "zh", "kiosk-1")
    answer = admin.form(
        "/console/windows/new",
        zh="流动窗口",
        en="Mobile Window",
        number="8",
        skill="ZW-01",
        printer="",
        sign="",
    )
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert window(hall, "W8").skills == {"ZW-01"}
    assert line.call_next(hall.core, "W8", STAFF).window_id == "W8"


def test_what_was_typed_stays_when_it_is_refused(hall: ConsoleHall, admin: Client) -> None:
    refused = admin.form("/console/windows/new", zh="流动窗口", en="Mobile Window", number="2", skill="ZW-09")
    page = refused.get_data(as_text=True)
    assert refused.status_code == 409
    assert "2 号已是“民生保障窗口”" in page
    assert 'value="流动窗口"' in page
    assert 'value="ZW-09" checked' in page
    for number, why in (("many", "窗口号须为 1 至 99"), ("", "窗口号须为 1 至 99")):
        refused = admin.form("/console/windows/new", zh="窗口", en="Window", number=number)
        assert refused.status_code == 409
        assert why in refused.get_data(as_text=True)


def test_a_window_is_changed_retired_and_brought_back(hall: ConsoleHall, admin: Client) -> None:
    before = window(hall, "W4").skills
    admin.form("/console/windows/W4", zh="四号窗口", en="Window Four", number="4", skill="ZW-09")
    changed = window(hall, "W4")
    assert (changed.zh, changed.own) == ("四号窗口", True)
    tickets = {one.code for one in hall.core.catalogue.services if one.needs_ticket}
    assert changed.skills & tickets == {"ZW-09"}
    assert changed.skills - tickets == before - tickets, "guides stay where the catalogue has them"
    page = admin.get("/console/windows").get_data(as_text=True)
    assert "没有窗口能办：" in page, "what nobody serves now is said aloud"
    assert admin.form("/console/windows/W4", do="retire").status_code == 303
    assert window(hall, "W4").retired_ms is not None
    admin.form("/console/windows/W4", do="back")
    assert window(hall, "W4").retired_ms is None
    assert admin.get("/console/windows/W99").status_code == 404
    events = [row[2] for row in hall.accounts.journal()][:3]
    assert events == ["window_back", "window_retired", "window_saved"]
