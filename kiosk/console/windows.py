"""The hall's windows: what each serves, who is there. Staff open and close them, administrators add and change them.

Plain forms, which work without a script. The rules are in ``kiosk/windows.py``.
"""

from __future__ import annotations

import re
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused
from kiosk import windows
from kiosk.catalogue import Service
from kiosk.console import blueprint, door
from kiosk.console.acts import did
from kiosk.console.queue import PAUSES
from kiosk.console.tables import number, why_of
from kiosk.core import current_core
from kiosk.rules.windows import Window
from kiosk.windows import windows_now

#: What a hall's own window may be called, in addresses and in the journal.
_WINDOW_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")


@blueprint.get("/windows")
@door.allow("admin", "staff")
def windows_list() -> ResponseReturnValue:
    return _list()


def _list(status: int = 200, why: str = "") -> ResponseReturnValue:
    core = current_core()
    here = windows_now(core)
    named = {one.code: one for one in core.catalogue.services}
    shown = [
        (one, [named[code] for code in sorted(one.skills) if code in named and named[code].needs_ticket])
        for one in (*here.all, *here.retired)
    ]
    unserved = [one for one in core.catalogue.services if one.needs_ticket and not here.windows_for(one.code)]
    return render_template(
        "console/windows.html",
        gateway_there=True,
        shown=shown,
        unserved=unserved,
        pauses=PAUSES,
        may_change=_is_admin(),
        why=why,
    ), status


@blueprint.post("/windows")
@door.allow("admin", "staff")
def window_switched() -> ResponseReturnValue:
    """Open, close, or close for a while."""
    window_id, do, by = request.form.get("window_id", ""), request.form.get("do", ""), door.me().name
    core = current_core()
    try:
        if do == "open":
            windows.open_window(core, window_id, by)
        elif do == "close" or do in PAUSES:
            windows.close_window(core, window_id, by, "" if do == "close" else do)
        else:
            return door.refuse(400, "bad_request")
    except OrderRefused as refused:
        return _list(409, why_of(refused))
    did(
        "window_opened" if do == "open" else "window_closed", window_id, "" if do in ("open", "close") else do
    )
    return redirect(url_for("console.windows_list", saved=1), 303)


@blueprint.get("/windows/new")
@door.allow("admin")
def window_new() -> ResponseReturnValue:
    taken = {one.number for one in windows_now(current_core()).all}
    free = next(n for n in range(1, windows.NUMBER_AT_MOST + 2) if n not in taken)
    blank: dict[str, Any] = {
        "zh": "",
        "en": "",
        "number": free,
        "skills": frozenset(),
        "printer": "",
        "sign": "",
    }
    return _form("", blank, None)


@blueprint.post("/windows/new")
@door.allow("admin")
def window_made() -> ResponseReturnValue:
    ids = {one.id for one in (*windows_now(current_core()).all, *windows_now(current_core()).retired)}
    typed = _typed()
    word = f"W{typed['number']}"
    tail = 2
    while word in ids:
        word, tail = f"W{typed['number']}-{tail}", tail + 1
    return _save(word, typed, None)


@blueprint.get("/windows/<window_id>")
@door.allow("admin")
def window(window_id: str) -> ResponseReturnValue:
    found = windows_now(current_core()).window(window_id)
    return door.refuse(404, "window_unknown") if found is None else _form(window_id, _typed_of(found), found)


@blueprint.post("/windows/<window_id>")
@door.allow("admin")
def window_saved(window_id: str) -> ResponseReturnValue:
    core = current_core()
    found = windows_now(core).window(window_id)
    if found is None:
        return door.refuse(404, "window_unknown")
    do = request.form.get("do", "save")
    if do not in ("retire", "back"):
        return _save(window_id, _typed(), found)
    try:
        windows.retire_window(core, window_id, door.me().name, retired=do == "retire")
    except OrderRefused as refused:
        return _form(window_id, _typed_of(found), found, why_of(refused), 409)
    did("window_retired" if do == "retire" else "window_back", window_id)
    return redirect(url_for("console.windows_list", saved=1), 303)


def _save(window_id: str, typed: dict[str, Any], found: Window | None) -> ResponseReturnValue:
    # The rule says in words what is wrong with a number; what is none at all is no number of a window.
    typed_number = typed["number"] if isinstance(typed["number"], int) else 0
    try:
        if not _WINDOW_ID.fullmatch(window_id):
            raise OrderRefused("窗口号须为 1 至 99", "The window's number must be 1 to 99")
        windows.save_window(current_core(), window_id, door.me().name, **{**typed, "number": typed_number})
    except OrderRefused as refused:
        return _form("" if found is None else window_id, typed, found, why_of(refused), 409)
    did("window_saved", window_id, " ".join(sorted(typed["skills"])))
    return redirect(url_for("console.windows_list", saved=1), 303)


def _form(
    window_id: str, typed: dict[str, Any], found: Window | None, why: str = "", status: int = 200
) -> ResponseReturnValue:
    core = current_core()
    groups: list[tuple[Any, list[Service]]] = [
        (category, [one for one in core.catalogue.services_in(category.id) if one.needs_ticket])
        for category in core.catalogue.categories
    ]
    page = render_template(
        "console/window.html",
        gateway_there=True,  # windows are the kiosk's own: nothing here waits for the gateway
        window_id=window_id,
        window=found,
        typed=typed,
        groups=groups,
        printers=core.house.plan.printers,
        panels=core.house.plan.panels,
        why=why,
    )
    return page, status


def _typed_of(one: Window) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("zh", "en", "number", "skills", "printer", "sign")}


def _typed() -> dict[str, Any]:
    form = request.form
    # An item without numbers stays where the catalogue has it: the form does not show it.
    kept = {one.code for one in current_core().catalogue.services if not one.needs_ticket}
    old = windows_now(current_core()).window(
        request.view_args.get("window_id", "") if request.view_args else ""
    )
    skills = set(form.getlist("skill")) | (kept & old.skills if old is not None else set())
    return {
        "zh": form.get("zh", "").strip()[:40],
        "en": form.get("en", "").strip()[:80],
        "number": number("number"),
        "skills": frozenset(skills),
        "printer": form.get("printer", "")[:64],
        "sign": form.get("sign", "")[:64],
    }


def _is_admin() -> bool:
    return door.me().role == "admin"
