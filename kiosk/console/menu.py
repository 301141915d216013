"""The console's pages, in groups: the one table from which the menu, the search and the tests know them.

A new page adds one line to :data:`GROUPS`. A page whose view is not there (yet) is left out, and so is one that the
reader's role may not open: the menu never leads to a refusal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import current_app, request, url_for

from kiosk.console import blueprint, door
from kiosk.rules.account import ROLES, Role

#: The posts, in the order of the menu: words of `/console/desk/<post>`, each with a word `post_…`.
POSTS = ("window", "duty", "grid", "property", "branch", "technician", "admin")


@dataclass(frozen=True, slots=True)
class Page:
    """``endpoint`` without "console."; ``word`` its key in words.py; ``begins``: how the names of the views begin that
    are beneath it (saving, one of its things); ``values``: of its address.
    """

    endpoint: str
    word: str
    roles: tuple[Role, ...] = ROLES
    begins: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return url_for(f"console.{self.endpoint}", **self.values)  # type: ignore[arg-type]

    @property
    def is_there(self) -> bool:
        return f"console.{self.endpoint}" in current_app.view_functions

    def fits(self, endpoint: str, values: Mapping[str, Any]) -> int:
        """How well this page is where one is: 0 not at all; the page itself more than any page above it."""
        if endpoint == self.endpoint and all(
            values.get(name) == value for name, value in self.values.items()
        ):
            return 1000 + len(self.values)
        return max((len(one) for one in self.begins if endpoint.startswith(one)), default=0)


@dataclass(frozen=True, slots=True)
class Group:
    word: str
    pages: tuple[Page, ...]


ADMIN: tuple[Role, ...] = ("admin",)

GROUPS: tuple[Group, ...] = (
    Group(
        "nav_desk",
        (
            Page("page", "nav_overview"),
            *(
                Page("desk", f"post_{post}", ADMIN if post == "admin" else ROLES, values={"post": post})
                for post in POSTS
            ),
        ),
    ),
    Group(
        "nav_queue",
        (
            Page("windows_list", "windows", begins=("window",)),
            Page("book_day", "book", begins=("book_",)),
            Page("hall_hours", "hall_hours", begins=("hall_hours",)),
            Page("queue_policy", "policy", begins=("queue_policy",)),
            Page("voice_page", "voice", begins=("voice_",)),
        ),
    ),
    Group(
        "nav_calls",
        (
            Page("history", "history", begins=("call_page",)),
            Page("visit_list", "visits", begins=("visit_",)),
            Page("visit_report", "visits_tab_report"),
            Page("meal_day", "meals", begins=("meal_",)),
            Page("menu_week", "meals_tab_menu", begins=("menu_",)),
            Page("kinds_list", "kinds", begins=("kind",)),
        ),
    ),
    Group("nav_requests", (Page("requests", "nav_requests", begins=("request",)),)),
    Group(
        "parking",
        (
            Page("parking", "pk_tab_map", begins=("parking_map",)),
            Page("parking_tasks", "pk_tab_tasks", begins=("parking_task", "parking_counted")),
            Page("parking_laid_out", "pk_tab_set", begins=("parking_laid_out", "parking_one")),
            Page("parking_plan", "pk_tab_plan", ADMIN, begins=("parking_plan",)),
        ),
    ),
    Group(
        "nav_people",
        (
            Page("people", "people", begins=("people", "person", "medical")),
            Page("lists", "nav_lists", ADMIN, begins=("lists", "import_list"), values={"what": "people"}),
            Page("roster", "roster", begins=("roster",)),
            Page("helpers", "helpers", begins=("helper",)),
            Page("away", "substitutions", begins=("away",)),
            Page("holidays", "holidays", begins=("holidays",)),
        ),
    ),
    Group(
        "devices",
        (
            Page("devices", "nav_all_devices", begins=("setup_page", "device_label")),
            Page("device_rounds", "upkeep", begins=("device_",)),
            Page("device_fleet", "fleet_title", begins=("device_serviced",)),
            Page("printer_list", "printers", begins=("printer",)),
            Page("screens", "nav_screens", begins=("screen",)),
            Page("running", "running"),
            Page("check_up", "check", begins=("check_up",)),
        ),
    ),
    Group(
        "nav_reports",
        (
            Page("reports", "nav_all_reports", begins=("report",)),
            Page("queue_figures", "qf", begins=("queue_figures",)),
            Page("parking_history", "ph", begins=("parking_history",)),
            Page("journal", "journal"),
        ),
    ),
    Group(
        "nav_settings",
        (
            Page("content", "nav_content", begins=("content",)),
            Page("staff", "staff", ADMIN, begins=("staff",)),
            Page("token_list", "tokens", ADMIN, begins=("token",)),
            Page("start", "nav_start", ADMIN, begins=("start",)),
            Page("password", "password_page", begins=("password",)),
        ),
    ),
)


def pages() -> Iterator[tuple[Group, Page]]:
    """Every page that is there and that the reader may open, in the menu's order."""
    role = door.me().role
    for group in GROUPS:
        for page in group.pages:
            if role in page.roles and page.is_there:
                yield group, page


@dataclass(frozen=True, slots=True)
class Row:
    """A group as the menu draws it: its pages are addresses with their words; ``here``: the present page is in it."""

    word: str
    here: bool
    pages: tuple[tuple[str, str, bool], ...]

    @property
    def url(self) -> str:
        return self.pages[0][0]


def rows() -> list[Row]:
    """The menu for whoever reads this page. ``pages`` of a row: (address, word, whether one is there now)."""
    endpoint = (request.endpoint or "").rpartition(".")[2]
    values = request.view_args or {}
    found = list(pages())
    best = max((page.fits(endpoint, values) for _, page in found), default=0)
    here = next((page for _, page in found if best and page.fits(endpoint, values) == best), None)
    drawn = []
    for group in GROUPS:
        mine = [page for other, page in found if other is group]
        if mine:
            drawn.append(
                Row(group.word, here in mine, tuple((one.url, one.word, one is here) for one in mine))
            )
    return drawn


@blueprint.context_processor
def _for_templates() -> dict[str, Any]:
    return {"menu_rows": rows}
