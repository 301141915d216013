"""The residents' touchscreen: home with all 31 items, an item's guide, taking a number, the parking page."""

from __future__ import annotations

from math import ceil

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from kiosk import appointments, hours, line
from kiosk.answers import error
from kiosk.core import current_core
from kiosk.parking_page import parking_page
from kiosk.view import frame
from kiosk.windows import windows_now

blueprint = Blueprint("touch", __name__)

#: Elders' mode: choices on one screen (Miller is not the reason; 24 mm targets with 8 mm text are).
LARGE_CHOICES = 6


blueprint.context_processor(frame)


@blueprint.get("/")
def home() -> str:
    core = current_core()
    return render_template(
        "home.html",
        catalogue=core.catalogue,
        closed=hours.closed_notice(core),
        codes=appointments.in_use(core),
    )


@blueprint.get("/category/<category_id>")
def category(category_id: str) -> ResponseReturnValue:
    """One category's items, six at a time: the elders' way to the same services."""
    catalogue = current_core().catalogue
    chosen = catalogue.category(category_id)
    if chosen is None:
        return error(404, "unknown_category", "没有这一类事项", "There is no such group of services")
    items = catalogue.services_in(category_id)
    pages = ceil(len(items) / LARGE_CHOICES)
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    shown = items[(page - 1) * LARGE_CHOICES : page * LARGE_CHOICES]
    return render_template("category.html", category=chosen, items=shown, page=page, pages=pages)


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
