"""Every page of the console where there is nothing yet, and where nothing can be read: each says which of the two."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.notebook import Notebook
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, ROOT, Client, ConsoleHall, console_hall

#: Pages with a place in their address are about a thing that is there.
PLACES = {
    "<any(window, duty, grid, property, branch, technician, admin):post>": "duty",
    "<any(people, helpers):what>": "people",
}
#: A list or a table without a line, which leaves whoever reads it to guess.
BLANK = re.compile(r"<(tbody|ul|ol)\b[^>]*>\s*</\1>")
#: What says that there is nothing.
NOTHING = re.compile(r'class="empty')


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    """Just installed: nobody has been written down, nothing has been pressed, no gateway has run."""
    with console_hall(tmp_path) as hall:
        yield hall


def pages(hall: ConsoleHall, client: Client) -> dict[str, tuple[int, str]]:
    """address → status and what stands in the middle of the page; files and what scripts fetch are left out."""
    found = {}
    for rule in hall.app.url_map.iter_rules():
        path = rule.rule
        for place, value in PLACES.items():
            path = path.replace(place, value)
        if not rule.endpoint.startswith("console.") or "GET" not in (rule.methods or ()) or "<" in path:
            continue
        if "/api/" in path or path.endswith(("/live", "/sound", "/parking/map", "/too-long", ".csv", ".xlsx")):
            continue
        answer = client.get(path, headers={"Accept": "text/html"})
        if answer.status_code != 303:
            text = answer.get_data(as_text=True)
            found[path] = answer.status_code, text.partition("<main")[2].partition("</main>")[0] or text
    assert len(found) > 45
    return found


def test_every_page_says_that_there_is_nothing_yet_or_that_it_cannot_be_read(hall: ConsoleHall) -> None:
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    unread = pages(hall, client)
    assert {path: status for path, (status, _) in unread.items() if status not in (200, 202, 503)} == {}
    assert {path for path, (_, text) in unread.items() if BLANK.search(text)} == set()
    unreadable = {path: text for path, (status, text) in unread.items() if status == 503}
    assert len(unreadable) > 15
    assert {path for path, text in unreadable.items() if NOTHING.search(text)} == set(), "nobody knows that"
    assert {path for path, text in unreadable.items() if "写不进" in text} == set(), "nothing was to be written"
    assert {path for path, text in unreadable.items() if not re.search(r"读不到|看不了|没有做成", text)} == set()

    Notebook(hall.house.gateway_db, ROOT / "gateway" / "schema").close()
    empty = pages(hall, client)
    assert {path: status for path, (status, _) in empty.items() if status not in (200, 202)} == {}
    assert {path for path, (_, text) in empty.items() if BLANK.search(text)} == set()
