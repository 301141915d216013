"""A desk for each post: what whoever stands there does next, the most urgent first, one touch from doing it.

Calls ring above everything (the live frame's own); below are the sections of `DESKS`. The page is drawn by the server
and drawn anew by its script (static/console_post.js) whenever the live line says that something has changed.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from flask import jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten
from gateway.log import say_once
from kiosk import posts
from kiosk.console import blueprint, desk_care, desk_house, desk_things, door, pages
from kiosk.console.care import Unreadable
from kiosk.console.desk_lines import Section, section_json, unread
from kiosk.console.menu import POSTS
from kiosk.core import Core, current_core

Gather = Callable[[Core], Section]


def _requests_of(category: str, but: tuple[str, ...] = ()) -> Gather:
    def gather(core: Core) -> Section:
        items = core.catalogue.services
        codes = [one.code for one in items if one.category == category and one.code not in but]
        return desk_care.requests(core, codes)

    return gather


def _requests_of_my_grid(core: Core) -> Section:
    grid = desk_care.my_grid(door.me().name)
    return desk_care.requests(core, (), desk_care.buildings_of(grid) if grid else None)


#: post → its sections, in this order: (key of the title and of the words for "nothing to do", what gathers it)
DESKS: dict[str, tuple[tuple[str, Gather], ...]] = {
    "window": (("desk_line", desk_care.in_line), ("desk_today", desk_care.today)),
    "duty": (
        ("desk_visits", desk_care.visits),
        ("desk_requests", desk_care.requests),
        ("desk_on_duty", desk_care.on_duty),
        ("desk_silent_devices", desk_care.silent_devices),
        ("desk_late", desk_care.late_calls),
    ),
    "grid": (
        ("desk_visits", lambda core: desk_care.visits(core, desk_care.my_grid(door.me().name))),
        ("desk_requests", _requests_of_my_grid),
        ("desk_silent_devices", desk_care.silent_devices),
        ("desk_late", desk_care.late_calls),
    ),
    "property": (
        ("desk_lifts", desk_care.lifts),
        ("desk_requests", _requests_of("property", but=desk_care.LIFT_ITEMS)),
        ("desk_parking", desk_things.parking),
        ("desk_panels", desk_things.panels),
        ("desk_line", lambda core: desk_care.in_line(core, "property")),
    ),
    "branch": (
        ("desk_requests", _requests_of("party")),
        (
            "desk_volunteers",
            lambda core: desk_care.on_duty(core, ("volunteer", "secretary"), "desk_volunteers"),
        ),
        ("desk_line", lambda core: desk_care.in_line(core, "party")),
    ),
    "technician": (
        ("desk_parts", desk_things.parts),
        ("desk_fleet", desk_things.fleet),
        ("desk_printers", desk_things.printers),
        ("desk_check", desk_house.check),
        ("desk_machine", desk_things.machine),
    ),
    "admin": (
        ("desk_staff", desk_things.staff),
        ("desk_unconfirmed", desk_things.unconfirmed),
        ("desk_house", desk_house.house),
        ("desk_yesterday", desk_things.yesterday),
    ),
}
assert tuple(DESKS) == POSTS

_POST = "<any(window, duty, grid, property, branch, technician, admin):post>"


@blueprint.get(f"/desk/{_POST}")
@door.allow("admin", "staff")
def desk(post: str) -> ResponseReturnValue:
    if not _may(post):
        return door.refuse(403, "not_allowed")
    return pages.live_page(
        "post",
        post=post,
        sections=[section_json(one) for one in sections(current_core(), post)],
        mine=_my_post() == post,
    )


@blueprint.post(f"/desk/{_POST}")
@door.allow("admin", "staff")
def desk_chosen(post: str) -> ResponseReturnValue:
    """My post from now on: signing in leads here. ``do`` = "leave": no post."""
    if not _may(post):
        return door.refuse(403, "not_allowed")
    posts.set_post(current_core(), door.me().staff_id, "" if request.form.get("do") == "leave" else post)
    return redirect(url_for("console.desk", post=post), 303)


@blueprint.get(f"/api/desk/{_POST}")
@door.allow("admin", "staff", quiet=True)
def desk_now(post: str) -> ResponseReturnValue:
    """The same sections anew, asked by the page when something has changed: no sign of a person."""
    if not _may(post):
        return door.refuse(403, "not_allowed")
    core = current_core()
    return jsonify(now_ms=core.now_ms(), sections=[section_json(one) for one in sections(core, post)])


def sections(core: Core, post: str) -> Iterator[Section]:
    """What cannot be read is said to be so, and costs no other section."""
    for key, gather in DESKS[post]:
        try:
            yield gather(core)
        except (NotWritten, Unreadable, sqlite3.Error) as wrong:
            say_once(f"desk:{key}", "desk_unread", f"{key} cannot be read: {wrong}", level=logging.INFO)
            yield unread(key)


def _may(post: str) -> bool:
    return post != "admin" or door.me().role == "admin"


def _my_post() -> str:
    """ "" also where the notebook cannot be read: it is a convenience."""
    try:
        post = posts.post_of(current_core().reader(), door.me().staff_id)
    except (NotWritten, sqlite3.Error):
        return ""
    return post if post in POSTS and _may(post) else ""


@blueprint.context_processor
def _for_templates() -> dict[str, Any]:
    return {"my_post": _my_post}
