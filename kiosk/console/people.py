"""The residents' pages: the list, one person, the medical notes that are shown only after the look is written down."""

from __future__ import annotations

import datetime
import secrets
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway.hall import rosters
from gateway.hall.kinds import kind_of
from gateway.hall.people import TIERS, place_of
from gateway.hall.reading import is_day, tidy
from gateway.hall.rows import ROLES, Helper, Holiday, Kind, Person, Shift, Substitution
from gateway.hall.state import HallState
from kiosk.console import blueprint, door
from kiosk.console.tables import Trouble, attempt, lang, may_see_medical, number, pick, read
from kiosk.console.words import say
from kiosk.core import current_core

#: So many names at once; whoever looks for one of more types a part of it.
SHOWN_AT_MOST = 500
#: Fields of the form that are plain text.
_TEXTS = (
    "name", "phone", "grid", "building", "unit", "room", "place", "access", "key_holder", "key_holder_phone",
    "family", "family_phone", "note", "paused_why",
)  # fmt: skip


@blueprint.get("/people")
@door.allow("admin", "staff")
def people() -> ResponseReturnValue:
    everybody = read(Person).table(Person)
    asked, grid = tidy(request.args.get("q", "")).casefold(), request.args.get("grid", "")
    gone = request.args.get("gone") == "1"
    found = [
        one
        for one in everybody.values()
        if one.active is not gone and (not grid or one.grid == grid) and asked in _searched(one)
    ]
    found.sort(key=_by_home)
    grids: dict[str, list[Person]] = {}
    for one in found[:SHOWN_AT_MOST]:
        grids.setdefault(one.grid, []).append(one)
    return render_template(
        "console/people.html",
        grids=grids,
        found=len(found),
        shown=min(len(found), SHOWN_AT_MOST),
        total=len(everybody),
        all_grids=sorted({one.grid for one in everybody.values() if one.grid}),
        q=request.args.get("q", ""),
        grid=grid,
        gone=gone,
        place_of=place_of,
        tiers=TIERS,
        devices=_devices_of,
    )


@blueprint.get("/people/new")
@door.allow("admin", "staff")
def person_new() -> ResponseReturnValue:
    return _form({"grid": request.args.get("grid", ""), "visit_tier": "none", "active": True}, None)


@blueprint.post("/people/new")
@door.allow("admin", "staff")
def person_made() -> ResponseReturnValue:
    person_id = f"p-{secrets.token_hex(4)}"
    return _save(person_id, None)


@blueprint.get("/people/<person_id>")
@door.allow("admin", "staff")
def person(person_id: str) -> ResponseReturnValue:
    found = read(Person).table(Person).get(person_id)
    if found is None:
        return door.refuse(404, "resident_unknown")
    return _form(_typed_of(found), found)


@blueprint.post("/people/<person_id>")
@door.allow("admin", "staff")
def person_saved(person_id: str) -> ResponseReturnValue:
    found = read(Person).table(Person).get(person_id)
    if found is None:
        return door.refuse(404, "resident_unknown")
    return _save(person_id, found)


@blueprint.post("/people/<person_id>/drop")
@door.allow("admin")
def person_drop(person_id: str) -> ResponseReturnValue:
    found = read(Person).table(Person).get(person_id)
    if found is None:
        return door.refuse(404, "resident_unknown")
    if request.form.get("sure") != "yes":
        return _form(_typed_of(found), found, Trouble(say("not_sure", lang()), 400))
    if trouble := attempt("drop_person", person_id, person_id=person_id):
        return _form(_typed_of(found), found, trouble)
    return redirect(url_for("console.people", saved=1), 303)


# ---------------------------------------------------------------- medical notes


@blueprint.post("/people/<person_id>/medical")
@door.allow("admin", "staff")
def medical(person_id: str) -> ResponseReturnValue:
    """A look: first it is written down who looks, then the notes are shown. ``do=save`` changes them."""
    found = read(Person).table(Person).get(person_id)
    if found is None:
        return door.refuse(404, "resident_unknown")
    if not may_see_medical():
        return door.refuse(403, "not_allowed")
    if request.form.get("do") == "save":
        typed = request.form.get("medical", "")
        trouble = attempt("put_person", person_id, person_id=person_id, medical=typed)
        if trouble is None:
            return redirect(url_for("console.person", person_id=person_id, saved=1), 303)
        return _medical_page(found, typed, trouble)
    if trouble := attempt("look_at_medical", person_id, person_id=person_id):
        return _form(_typed_of(found), found, trouble)
    return _medical_page(found, found.medical)


def _medical_page(found: Person, typed: str, trouble: Trouble | None = None) -> ResponseReturnValue:
    page = render_template(
        "console/medical.html",
        person=found,
        place=place_of(found),
        typed=typed,
        why=trouble.why if trouble else "",
    )
    return page, trouble.status if trouble else 200


# ---------------------------------------------------------------- pieces


def _save(person_id: str, old: Person | None) -> ResponseReturnValue:
    typed: dict[str, Any] = {name: request.form.get(name, "") for name in _TEXTS}
    typed["visit_tier"] = request.form.get("visit_tier", "none")
    typed["quiet_after_h"] = number("quiet_after_h") or 0
    typed["meal_free"] = request.form.get("meal_free") == "yes"
    typed["active"] = request.form.get("active") == "yes"
    typed["paused_day"] = request.form.get("paused_day", "").strip()
    day = typed["paused_day"]
    if day and not is_day(day):
        return _form(typed, old, Trouble(say("paused_day_wrong", lang()), 409))
    fields = {name: value for name, value in typed.items() if name != "paused_day"}
    if day != (_paused_day(old) if old else ""):
        fields["paused_until_ms"] = _end_of(day) if day else 0
    if trouble := attempt("put_person", person_id, person_id=person_id, **fields):
        return _form(typed, old, trouble)
    return redirect(url_for("console.person", person_id=person_id, saved=1), 303)


def _form(typed: dict[str, Any], old: Person | None, trouble: Trouble | None = None) -> ResponseReturnValue:
    page = render_template(
        "console/person.html",
        typed=typed,
        person=old,
        place=place_of(old) if old else "",
        tiers=TIERS,
        medical_right=may_see_medical(),
        devices=_devices_of(old.person_id) if old else [],
        comes=_who_comes(old) if old else [],
        grids=sorted({one.grid for one in read(Person).table(Person).values() if one.grid}),
        why=trouble.why if trouble else "",
    )
    return page, trouble.status if trouble else 200


def _typed_of(found: Person) -> dict[str, Any]:
    typed: dict[str, Any] = {name: getattr(found, name) for name in _TEXTS}
    return typed | {
        "visit_tier": found.visit_tier,
        "quiet_after_h": found.quiet_after_h,
        "meal_free": found.meal_free,
        "active": found.active,
        "paused_day": _paused_day(found),
    }


def _paused_day(found: Person) -> str:
    if not found.paused_until_ms:
        return ""
    # The pause ends with that day: a millisecond before its midnight.
    at = datetime.datetime.fromtimestamp((found.paused_until_ms - 1) / 1000, current_core().zone)
    return at.date().isoformat()


def _end_of(day: str) -> int:
    after = datetime.date.fromisoformat(day) + datetime.timedelta(days=1)
    midnight = datetime.datetime.combine(after, datetime.time(), current_core().zone)
    return int(midnight.timestamp() * 1000)


def _devices_of(person_id: str) -> list[dict[str, Any]]:
    heard = current_core().link.snapshot()["devices"]
    return [one for one in heard if one.get("person_id") == person_id]


def _who_comes(found: Person) -> list[tuple[str, list[Helper]]]:
    """For each step of an emergency: who would be told now, of this home."""
    state: HallState = read(Helper, Shift, Substitution, Holiday, Kind)
    at = rosters.local(state.zone, current_core().now_ms())
    home, book = rosters.Home(found.grid, found.building, found.unit), rosters.book_of(state)
    steps = dict.fromkeys(who for who, _, _ in kind_of(state, "emergency").ladder)
    return [
        (pick(ROLES[who]), rosters.responsible(rosters.duties(book, who, at), home))
        for who in steps
        if who in ROLES
    ]


def _searched(one: Person) -> str:
    words = (one.name, one.phone, place_of(one), one.building, one.unit, one.room, one.grid, one.person_id)
    return tidy(" ".join(words)).casefold()


def _by_home(one: Person) -> tuple[object, ...]:
    return (
        one.grid == "",
        one.grid,
        *(_natural(word) for word in (one.building, one.unit, one.room)),
        one.name,
        one.person_id,
    )


def _natural(word: str) -> tuple[int, str]:
    """3栋 comes before 12栋."""
    digits = "".join(sign for sign in word if sign.isdecimal())[:9]
    return int(digits or 0), word
