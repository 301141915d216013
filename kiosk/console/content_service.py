"""One item of the catalogue, edited: all its fields side by side in both languages, on a form that needs no script.

A form carries the newest edit that it was drawn with (``base``). Only what somebody has changed on it is written; a
field that another has changed meanwhile is refused with both texts, and what was typed stays.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from kiosk import content as kept
from kiosk.catalogue import Service
from kiosk.console import acts, blueprint, care, door
from kiosk.console.care import Json, lang
from kiosk.console.content import confirm, field_name
from kiosk.console.content_lists import line_of, seen_edit
from kiosk.console.words import Lang, say
from kiosk.content import Edit, EditedMeanwhile
from kiosk.core import current_core
from kiosk.rules import content as rules
from kiosk.rules.content import Field, Value
from kiosk.view import View
from kiosk.windows import windows_now

_LANGUAGES: tuple[Lang, Lang] = ("zh", "en")
#: What a picture of a residents' page may do: be seen.
_PICTURE = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_SCRIPTS = re.compile(r"<script\b[^>]*>.*?</script>", re.DOTALL)
_LINKS = re.compile(r"(<a\b[^>]*?)\shref=(?!\"#)")


@blueprint.get("/content/service/<code>")
@door.allow("admin", "staff")
def content_service(code: str) -> ResponseReturnValue:
    service = current_core().catalogue.service(code)
    return door.refuse(404, "ct_unknown") if service is None else _page(service)


@blueprint.post("/content/service/<code>")
@door.allow("admin", "staff")
def content_service_saved(code: str) -> ResponseReturnValue:
    core = current_core()
    service = core.catalogue.service(code)
    if service is None:
        return door.refuse(404, "ct_unknown")
    typed, do = read_form(), request.form.get("do", "save")
    if do.startswith("list:"):
        _, name, what, index = [*do.split(":"), "", "", ""][:4]
        if isinstance(typed.get(name), list):
            typed[name] = rules.moved(typed[name], what, line_of(index))
        return _page(service, typed=typed, at=name)
    if do.startswith("ships:"):
        name = do.partition(":")[2]
        if name in rules.BY_NAME and (ships := core.shipped.service(code)) is not None:
            typed[name] = rules.value_of(ships, name)
        return _page(service, typed=typed, at=name)
    if do.startswith("confirm:"):
        name = do.partition(":")[2]
        if name in service.confirm_locally:
            if _edited_since(code):
                return _page(service, 409, say("ct_seen_other", lang()), typed, at=name)
            try:
                confirm(core, service, name)
            except OrderRefused as refused:
                return _page(service, 409, care.why(refused), typed, at=name)
        return _page(core.catalogue.service(code) or service, typed=typed, at=name)
    if do == "resume":
        kept.put(core, f"service:{code}", {rules.PAUSED: None}, door.me().name)
        acts.did("content_edited", code, rules.PAUSED)
        return redirect(url_for("console.content_service", code=code, saved=1), 303)
    return _save(service, typed)


@blueprint.route("/content/service/<code>/preview", methods=["GET", "POST"])
@door.allow("admin", "staff")
def content_preview(code: str) -> ResponseReturnValue:
    """The item as the touchscreen shows it, with what is typed (POST) or as it stands: a picture, nothing acts."""
    core = current_core()
    service = core.catalogue.service(code)
    if service is None:
        return door.refuse(404, "ct_unknown")
    if request.method == "POST":
        typed = {name: value for name, value in read_form().items() if name in rules.BY_NAME}
        good, wrong = _checked(
            {name: one for name, one in typed.items() if one != rules.value_of(service, name)}
        )
        if wrong:
            return door.refuse_words(
                409, "\n".join(f"{field_name(name)}：{why}" for name, why in wrong.items())
            )
        service = rules.laid(service, good)
    seen = View("en" if request.values.get("as") == "en" else "zh", request.values.get("large") == "1")
    windows = [one for one in windows_now(core).windows_for(service.code) if one.own]
    page = render_template(
        "item.html",
        service=service,
        closed=None,
        waiting=0,
        windows=windows,
        s=service.say,
        **_frame(seen),
    )
    # Ways lead nowhere and nothing runs: a picture must not take a number.
    picture = _LINKS.sub(r"\1 data-href=", _SCRIPTS.sub("", page))
    answer: Response = make_response(picture)
    answer.headers["Content-Security-Policy"] = _PICTURE
    return answer


def _frame(seen: View) -> Json:
    from kiosk import view

    return {**view.frame(), "v": seen, "lang": seen.lang}


# ---------------------------------------------------------------- the form


def read_form() -> dict[str, Value]:
    """All fields as they were typed, unchecked; keys that the form does not have are left out."""
    form = request.form
    typed: dict[str, Value] = {}
    for field in rules.FIELDS:
        name = field.name
        if field.kind == "phone":
            if name in form:
                typed[name] = form[name]
        elif field.kind == "list":
            # A list whose lines were all taken away comes with its name alone.
            if f"{name}-there" in form:
                pairs = zip(form.getlist(f"{name}-zh"), form.getlist(f"{name}-en"), strict=False)
                typed[name] = [{"zh": zh, "en": en} for zh, en in pairs]
        elif f"{name}-zh" in form:
            typed[name] = {"zh": form[f"{name}-zh"], "en": form.get(f"{name}-en", "")}
            if field.kind == "limit":
                count = form.get(f"{name}-value", "").strip()
                number = int(count) if count.isascii() and count.isdigit() and len(count) < 5 else None
                typed[name] |= {"mode": form.get(f"{name}-mode", ""), "value": number}
    if any(f"paused-{one}" in form for one in ("from", "until", "zh", "en")):
        pause = {one: form.get(f"paused-{one}", "") for one in ("from", "until", "zh", "en")}
        typed[rules.PAUSED] = pause if any(text.strip() for text in pause.values()) else None
    return typed


def _checked(typed: dict[str, Value]) -> tuple[dict[str, Value], dict[str, str]]:
    """(the good values, what is wrong by field)."""
    good: dict[str, Value] = {}
    wrong: dict[str, str] = {}
    for name, value in typed.items():
        try:
            if name == rules.PAUSED:
                good[name] = None if value is None else rules.checked_pause(value)
            else:
                good[name] = rules.checked(rules.BY_NAME[name], value)
        except OrderRefused as refused:
            wrong[name] = care.why(refused)
    return good, wrong


def _edited_since(code: str) -> bool:
    """Whether a text of the item was edited after the page was drawn: who confirms has read the older one."""
    edits = kept.edits_of(current_core().reader(), f"service:{code}")
    return any(one.edit_id > seen_edit() for name, one in edits.items() if name in rules.BY_NAME)


def _save(service: Service, typed: dict[str, Value]) -> ResponseReturnValue:
    core, subject = current_core(), f"service:{service.code}"
    ships = core.shipped.service(service.code)
    assert ships is not None  # an item of the catalogue is one of the file's
    try:
        seen = kept.edits_of(core.reader(), subject, seen_edit())
        shipped = {name: rules.value_of(ships, name) for name in rules.BY_NAME} | {rules.PAUSED: None}
        was = {**shipped, **{name: one.value for name, one in seen.items() if one.value is not None}}
        # Only what somebody has changed here is looked at: what ships may hold a placeholder.
        good, wrong = _checked({name: value for name, value in typed.items() if value != was[name]})
        changes = {
            name: None if value == shipped[name] else value
            for name, value in good.items()
            if value != was[name]
        }
        if wrong:
            return _page(service, 400, say("ct_wrong_fields", lang(), n=len(wrong)), typed, wrong)
        made = kept.put(core, subject, changes, door.me().name, seen_edit())
    except EditedMeanwhile as refused:
        return _page(service, 409, care.why(refused), typed, theirs=refused.edits)
    except sqlite3.Error as refused:
        raise NotWritten(f"edits cannot be read: {refused}") from refused
    for edit in made:
        acts.did("content_edited", service.code, edit.field)
    return redirect(url_for("console.content_service", code=service.code, saved=1), 303)


def _page(
    service: Service,
    status: int = 200,
    why: str = "",
    typed: dict[str, Value] | None = None,
    wrong: dict[str, str] | None = None,
    theirs: dict[str, Edit] | None = None,
    at: str = "",
) -> ResponseReturnValue:
    core, subject = current_core(), f"service:{service.code}"
    try:
        edits = kept.edits_of(core.reader(), subject)
    except (NotWritten, sqlite3.Error):
        return care.unreadable(
            "console/content_service.html", service=service, fields=[], paused=None, base=0
        )
    ships = core.shipped.service(service.code) or service
    values = {field.name: rules.value_of(service, field.name) for field in rules.FIELDS} | (typed or {})
    newest = max((one.edit_id for one in edits.values()), default=0)
    # After a conflict the next save is on top of what was shown; else the form keeps what it was drawn with.
    base = newest if typed is None or theirs else seen_edit()
    paused = edits.get(rules.PAUSED)
    pause = values.get(rules.PAUSED, paused.value if paused else None) or {}
    now_paused = rules.pause_of(paused.value) if paused else None
    fields = [
        _field(one, service, ships, values[one.name], edits, wrong or {}, theirs or {})
        for one in rules.FIELDS
    ]
    return care.page(
        "console/content_service.html",
        status,
        why=why,
        service=service,
        subject=subject,
        fields=fields,
        modes=rules.MODES,
        pause={one: pause.get(one, "") for one in ("from", "until", "zh", "en")},
        paused=now_paused,
        paused_now=now_paused is not None and now_paused.on(care.today()),
        paused_wrong=(wrong or {}).get(rules.PAUSED, ""),
        paused_theirs=(theirs or {}).get(rules.PAUSED),
        others=[(one, field_name(one)) for one in service.confirm_locally if one not in rules.BY_NAME],
        base=base,
        at=at,
        last=max(edits.values(), key=lambda one: one.edit_id, default=None),
        windows_own=[one for one in windows_now(core).windows_for(service.code) if one.own],
    )


def _field(
    field: Field,
    service: Service,
    ships: Service,
    value: Value,
    edits: dict[str, Edit],
    wrong: dict[str, str],
    theirs: dict[str, Edit],
) -> Json:
    shipped = rules.value_of(ships, field.name)
    edit, other = edits.get(field.name), theirs.get(field.name)
    told: Json = {
        "name": field.name,
        "kind": field.kind,
        "longest": field.longest,
        "most": field.lines[1],
        "title": field_name(field.name),
        "value": value,
        "edit": edit if edit is not None and edit.value is not None else None,
        "unconfirmed": not service.confirmed(field.name),
        "can_confirm": not service.confirmed(field.name)
        and (field.name != "phone" or rules.is_phone(service.phone)),
        "differs": value != shipped,
        "shipped": rules.spelled(shipped),
        "wrong": wrong.get(field.name, ""),
        "other": None,
    }
    if other is not None:
        theirs_now: Any = other.value if other.value is not None else shipped
        told["other"] = {
            "by": other.by,
            "at_ms": other.at_ms,
            "parts": rules.difference(rules.spelled(theirs_now), rules.spelled(value)),
            "text": rules.spelled(theirs_now),
        }
    return told
