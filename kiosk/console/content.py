"""What residents read, edited: the page that leads to all of it, what is unconfirmed, and how each text came to be.

Items: ``content_service.py``; the six items, presets, phones, notices: ``content_lists.py``. What an edit is and how it
lies over the catalogue: ``kiosk/content.py``.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from kiosk import content as kept
from kiosk.catalogue import Service
from kiosk.console import acts, blueprint, care, door
from kiosk.console.care import Json, lang
from kiosk.console.words import WORDS, say
from kiosk.content import Edit
from kiosk.core import Core, current_core
from kiosk.rules import content as rules
from kiosk.rules.request_kinds import KINDS
from kiosk.windows import windows_now

#: What is edited on pages of its own: the page, its word, and which lines of the console's journal tell of it.
ELSEWHERE = (
    ("windows_list", "windows", ("window_saved", "window_retired", "window_back")),
    ("hall_hours", "hall_hours", ("hours_set",)),
    ("hall_hours", "ct_days", ("hall_days",)),
    ("voice_page", "voice", ("voice_set", "voice_recorded", "voice_swapped")),
)


@blueprint.get("/content")
@door.allow("admin", "staff")
def content() -> ResponseReturnValue:
    core = current_core()
    try:
        reader = core.reader()
        last, paused = kept.last_changes(reader), kept.pauses(reader)
        elsewhere = [_elsewhere(reader, *one) for one in ELSEWHERE]
        phones = sum(bool(kept.phone(reader, one)) for one in kept.HALL_PHONES)
    except (NotWritten, sqlite3.Error):
        return care.unreadable("console/content_home.html", groups=[], count=None, lists=[])
    groups = [
        (category, [_row(core, one, last, paused) for one in core.catalogue.services_in(category.id)])
        for category in core.catalogue.categories
    ]
    lists: list[tuple[str, Json, str, Edit | None, str]] = [
        ("content_quick", {}, say("ct_quick", lang()), last.get("quick"), ""),
        (
            "content_hall",
            {},
            say("ct_hall", lang()),
            last.get("hall"),
            say("ct_phones_of", lang(), n=phones, of=len(kept.HALL_PHONES)),
        ),
        ("content_notices", {}, say("ct_notices", lang()), _newest(last, "notice:"), ""),
    ]
    presets = [
        ("content_presets", {"kind": kind.code}, kind.say(lang()), last.get(f"presets:{kind.code}"), "")
        for kind in KINDS.values()
        if kind.presets
    ]
    return care.page(
        "console/content_home.html",
        groups=groups,
        count=counted(core),
        lists=lists,
        presets=presets,
        elsewhere=elsewhere,
        unsure_windows=[one for one in windows_now(core).all if one.confirm_locally],
    )


def _row(core: Core, service: Service, last: dict[str, Edit], paused: dict[str, rules.Pause]) -> Json:
    pause = paused.get(service.code)
    return {
        "service": service,
        "last": last.get(f"service:{service.code}"),
        "unconfirmed": len(service.confirm_locally),
        "paused": pause is not None and pause.on(care.today()),
    }


def _newest(last: dict[str, Edit], begins: str) -> Edit | None:
    found = [one for subject, one in last.items() if subject.startswith(begins)]
    return max(found, key=lambda one: one.edit_id, default=None)


def _elsewhere(reader: sqlite3.Connection, endpoint: str, word: str, done: tuple[str, ...]) -> Json:
    row = reader.execute(
        "SELECT at_ms, by_name FROM staff_journal WHERE what IN"
        f" ({', '.join('?' * len(done))}) ORDER BY line_id DESC LIMIT 1",
        done,
    ).fetchone()
    return {
        "endpoint": endpoint,
        "title": say(word, lang()),
        "at_ms": row and row[0],
        "by": row and row[1],
        "anchor": "days" if word == "ct_days" else "",
    }


# ---------------------------------------------------------------- what is not confirmed


def counted(core: Core) -> tuple[int, int]:
    """(confirmed here, to be confirmed in all): the fields that the file leaves to the community."""
    of = sum(len(one.confirm_locally) for one in core.shipped.services)
    left = sum(len(one.confirm_locally) for one in core.catalogue.services)
    return of - left, of


def field_name(name: str) -> str:
    """A field in the reader's words; a name that is no field of a form is an amount or age within the texts."""
    return say(f"ct_f_{name}" if f"ct_f_{name}" in WORDS else "ct_f_other", lang())


@blueprint.get("/content/unconfirmed")
@door.allow("admin", "staff")
def content_unconfirmed() -> ResponseReturnValue:
    return unconfirmed_page()


@blueprint.post("/content/unconfirmed")
@door.allow("admin", "staff")
def content_confirm() -> ResponseReturnValue:
    """One touch: what stands there is right. It names the text that was read: another one is not confirmed by it."""
    core, form = current_core(), request.form
    code, name = form.get("code", ""), form.get("field", "")
    service = core.catalogue.service(code)
    if service is None or name not in service.confirm_locally:
        return unconfirmed_page(409, say("ct_confirmed_already", lang()))
    if form.get("seen") != rules.spelled(rules.confirmable(service, name)):
        return unconfirmed_page(409, say("ct_seen_other", lang()))
    try:
        confirm(core, service, name)
    except OrderRefused as refused:
        return unconfirmed_page(409, care.why(refused))
    return redirect(
        url_for("console.content_unconfirmed", by=form.get("by") or None, saved=1)
        + f"#{form.get('next', '')[:20]}",
        303,
    )


def confirm(core: Core, service: Service, name: str) -> None:
    """:raises OrderRefused: a phone that is a placeholder cannot be right."""
    if name == "phone" and not rules.is_phone(service.phone):
        raise OrderRefused(say("ct_no_phone", "zh"), say("ct_no_phone", "en"))
    mark = {"of": rules.confirmable(service, name)}
    kept.put(core, f"service:{service.code}", {rules.CONFIRMED + name: mark}, door.me().name)
    acts.did("content_confirmed", service.code, name)


def unconfirmed_page(status: int = 200, why: str = "") -> ResponseReturnValue:
    core = current_core()
    by = "field" if request.values.get("by") == "field" else "service"
    rows: list[Json] = []
    for service in core.catalogue.services:
        for name in service.confirm_locally:
            text = rules.spelled(rules.confirmable(service, name))
            rows.append(
                {
                    "service": service,
                    "field": name,
                    "id": f"{service.code}-{name}",
                    "text": text,
                    "title": field_name(name),
                    "can": name != "phone" or rules.is_phone(service.phone),
                }
            )
    names = [one.name for one in rules.FIELDS]
    if by == "field":
        rows.sort(
            key=lambda row: (names.index(row["field"]) if row["field"] in names else 99, row["service"].code)
        )
    groups: dict[str, list[Json]] = {}
    for row in rows:
        title = (
            row["title"] if by == "field" else f"{row['service'].code} {row['service'].say('name', lang())}"
        )
        groups.setdefault(title, []).append(row)
    for at, row in enumerate(rows):
        row["next"] = rows[at + 1]["id"] if at + 1 < len(rows) else ""
    return care.page(
        "console/content_unconfirmed.html",
        status,
        why=why,
        groups=groups,
        by=by,
        count=counted(core),
        fields=Counter(row["title"] for row in rows).most_common(),
        unsure_windows=[one for one in windows_now(core).all if one.confirm_locally],
    )


# ---------------------------------------------------------------- how it came to be


def title_of(core: Core, subject: str) -> str | None:
    """What a subject is called; None: there is no such."""
    kind, _, rest = subject.partition(":")
    if kind == "service" and (service := core.catalogue.service(rest)) is not None:
        return f"{service.code} {service.say('name', lang())}"
    if kind == "presets" and rest in KINDS:
        return say("ct_presets_of", lang(), kind=KINDS[rest].say(lang()))
    if subject in ("quick", "hall"):
        return say(f"ct_{subject}", lang())
    if kind == "notice" and rest.isascii() and rest.isdigit():
        return say("ct_notice_n", lang(), n=rest)
    return None


def page_of(subject: str) -> str:
    """Where a subject is edited."""
    kind, _, rest = subject.partition(":")
    if kind == "service":
        return url_for("console.content_service", code=rest)
    if kind == "presets":
        return url_for("console.content_presets", kind=rest)
    return url_for(f"console.content_{'notices' if kind == 'notice' else kind}")


def shipped_value(core: Core, subject: str, name: str) -> Any:
    """What a field is without any edit, for people to compare with."""
    kind, _, rest = subject.partition(":")
    service = core.shipped.service(rest) if kind == "service" else None
    if service is not None and name in rules.BY_NAME:
        return rules.value_of(service, name)
    if kind == "presets" and rest in KINDS:
        return [{"zh": one.zh, "en": one.en} for one in KINDS[rest].presets]
    return None


@blueprint.get("/content/history/<path:subject>")
@door.allow("admin", "staff")
def content_history(subject: str) -> ResponseReturnValue:
    return _history(subject)


@blueprint.post("/content/history/<path:subject>")
@door.allow("admin", "staff")
def content_back(subject: str) -> ResponseReturnValue:
    """As it stood after this edit (or as it ships): a new edit, by whoever goes back."""
    core, form = current_core(), request.form
    if title_of(core, subject) is None or subject.startswith("notice:"):
        return door.refuse(404, "ct_unknown")
    number = care.number(form.get("edit_id", ""))
    found = next((one for one in kept.history(core.reader(), subject) if one.edit_id == number), None)
    if found is None:
        return door.refuse(404, "ct_unknown")
    value = None if form.get("do") == "ships" else found.value
    try:
        # It was right when it was written; the rules may have become narrower since.
        if value is not None and found.field in rules.BY_NAME:
            rules.checked(rules.BY_NAME[found.field], value)
        kept.put(core, subject, {found.field: value}, door.me().name, care.number(form.get("base", "")))
    except OrderRefused as refused:
        return _history(subject, 409, care.why(refused))
    acts.did("content_back", subject, found.field)
    return redirect(url_for("console.content_history", subject=subject, saved=1), 303)


def _history(subject: str, status: int = 200, why: str = "") -> ResponseReturnValue:
    core = current_core()
    title = title_of(core, subject)
    if title is None:
        return door.refuse(404, "ct_unknown")
    try:
        edits = kept.history(core.reader(), subject)
        # What stood before the oldest that is shown, field by field.
        earlier = kept.edits_of(core.reader(), subject, edits[-1].edit_id - 1) if edits else {}
    except (NotWritten, sqlite3.Error):
        return care.unreadable("console/content_history.html", title=title, lines=[], subject=subject, base=0)
    lines: list[Json] = []
    newer: dict[str, Json] = {}
    for (
        edit
    ) in edits:  # newest first: what stood before an edit is found one edit of the same field further on
        line: Json = {
            "edit": edit,
            "title": field_title(edit.field),
            "before": earlier.get(edit.field),
            "is_now": edit.field not in newer,
        }
        if edit.field in newer:
            newer[edit.field]["before"] = edit
        newer[edit.field] = line
        lines.append(line)
    for line in lines:
        after: Edit = line["edit"]
        before: Edit | None = line["before"]
        ships = shipped_value(core, subject, after.field)
        was = before.value if before is not None and before.value is not None else ships
        is_ = after.value if after.value is not None else ships
        if after.field.startswith(rules.CONFIRMED):  # it was read, not written
            was = is_ if after.value is not None else was
        line["parts"] = rules.difference(rules.spelled(was), rules.spelled(is_))
        line["same"] = all(what == "same" for what, _ in line["parts"])
        line["ships"] = after.value is None
    return care.page(
        "console/content_history.html",
        status,
        why=why,
        title=title,
        subject=subject,
        lines=lines,
        shown=len(lines) if earlier else 0,
        base=edits[0].edit_id if edits else 0,
        back=page_of(subject),
        may_go_back=not subject.startswith("notice:"),
    )


def field_title(name: str) -> str:
    if name.startswith(rules.CONFIRMED):
        return say("ct_confirmed_field", lang(), field=field_name(name.removeprefix(rules.CONFIRMED)))
    return field_name(name)
