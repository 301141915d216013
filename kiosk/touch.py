"""The residents' touchscreen: home with all 31 items, an item's guide, taking a number, the parking page."""

from __future__ import annotations

from math import ceil

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from kiosk import appointments, hours, line, words
from kiosk.answers import error
from kiosk.catalogue import Service
from kiosk.core import Core, current_core
from kiosk.parking_page import parking_page
from kiosk.quick import quick_codes
from kiosk.short_names import parted_zh, short_name_en
from kiosk.view import asked_view, frame
from kiosk.windows import windows_now

blueprint = Blueprint("touch", __name__)

#: Elders' mode: choices on one screen (Miller is not the reason; 24 mm targets with 8 mm text are).
LARGE_CHOICES = 6

blueprint.context_processor(frame)
blueprint.add_app_template_filter(short_name_en, "brief")
blueprint.add_app_template_filter(parted_zh, "parted")


@blueprint.get("/")
def home() -> str:
    core = current_core()
    quick = _quick(core)
    return render_template(
        "home.html",
        catalogue=core.catalogue,
        closed=hours.closed_notice(core),
        quick=quick,
        items={one.id: _quick_first(core, one.id, quick) for one in core.catalogue.categories},
        others=_others(core, finding=True),
    )


@blueprint.get("/often")
def often() -> str:
    """The six items that this hall's people ask for most."""
    items = _quick(current_core())
    return _choices(words.say("often", asked_view().lang), "", items)


@blueprint.get("/more")
def more() -> str:
    """What is no item: how a request goes, certificates, parking. The elders' home has no room for them."""
    return render_template("more.html", others=_others(current_core(), finding=False))


@blueprint.get("/category/<category_id>")
def category(category_id: str) -> ResponseReturnValue:
    """One category's items, six at a time: the elders' way to the same services."""
    core = current_core()
    chosen = core.catalogue.category(category_id)
    if chosen is None:
        return error(404, "unknown_category", "没有这一类事项", "There is no such group of services")
    items = _quick_first(core, category_id, _quick(core))
    pages = ceil(len(items) / LARGE_CHOICES)
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    shown = items[(page - 1) * LARGE_CHOICES : page * LARGE_CHOICES]
    title = chosen.en if asked_view().lang == "en" else chosen.zh
    return _choices(title, category_id, shown, page, pages if pages > 1 else 0)


def _choices(title: str, tone: str, items: list[Service], page: int = 1, numbered: int = 0) -> str:
    """A page of at most six items; ``numbered``: of how many pages it is one, 0 where it is the only one."""
    marked = not all(one.needs_ticket for one in items)
    return render_template(
        "category.html", title=title, tone=tone, items=items, page=page, numbered=numbered, marked=marked
    )


def _quick(core: Core) -> list[Service]:
    found = (core.catalogue.service(code) for code in quick_codes(core))
    return [one for one in found if one is not None]


def _quick_first(core: Core, category_id: str, quick: list[Service]) -> list[Service]:
    """The items of a category: those that are asked for most, then the rest in the catalogue's order."""
    items = core.catalogue.services_in(category_id)
    first = [one for one in quick if one in items]
    return [*first, *(one for one in items if one not in first)]


def _others(core: Core, *, finding: bool) -> list[tuple[str, str]]:
    """(endpoint, name) of what one can do here that is no item, in the order of how often it is asked for."""
    lang = asked_view().lang
    ways = [
        ("find.page", words.say("find_item", lang), finding),
        ("progress.page", words.say("progress_way", lang), True),
        ("certificates.page", words.say("certificates_way", lang), True),
        ("touch.parking", words.say("parking", lang), True),
        ("check_in.page", words.say("check_in", lang), appointments.in_use(core)),
    ]
    return [
        (endpoint, name) for endpoint, name, use in ways if use and endpoint in current_app.view_functions
    ]


@blueprint.get("/item/<code>")
def item(code: str) -> ResponseReturnValue:
    core = current_core()
    service = core.catalogue.service(code)
    if service is None:
        return error(404, "unknown_service", "没有这个事项", "There is no such service")
    waiting = line.waiting_for(core, service.code) if service.needs_ticket else 0
    closed = hours.closed_notice(core, service) if service.needs_ticket else None
    # A hall that has made a window its own knows better than the catalogue where the item is served.
    windows = [one for one in windows_now(core).windows_for(service.code) if one.own]
    return render_template(
        "item.html", service=service, closed=closed, waiting=waiting, windows=windows, s=service.say
    )


@blueprint.get("/parking")
def parking() -> str:
    return parking_page(current_core())
