"""The helpers' pages: who comes, how a message reaches them, and each one's shifts."""

from __future__ import annotations

import secrets
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway.hall import rosters
from gateway.hall.rostering import MOST_WEEKS, ON_HOLIDAYS
from gateway.hall.rows import ROLES, Helper, Holiday, Person, Shift, Substitution
from kiosk.console import blueprint, door
from kiosk.console.tables import Trouble, attempt, lang, number, pick, read
from kiosk.console.words import say
from kiosk.core import current_core

_TEXTS = ("name", "role", "phone", "grid", "building", "unit", "account")
#: Bits of a shift's weekdays, Monday first.
WEEKDAYS = tuple(range(7))


@blueprint.get("/helpers")
@door.allow("admin", "staff")
def helpers() -> ResponseReturnValue:
    state = read(Helper, Shift, Substitution, Holiday)
    at, book = rosters.local(state.zone, current_core().now_ms()), rosters.book_of(state)
    now_there = {duty.owner.helper_id: duty for role in ROLES for duty in rosters.duties(book, role, at)}
    by_role = [
        (role, sorted((one for one in state.table(Helper).values() if one.role == role), key=_by_name))
        for role in ROLES
    ]
    return render_template(
        "console/helpers.html",
        by_role=[(role, ones) for role, ones in by_role if ones],
        roles=ROLES,
        now_there=now_there,
        shifts_of=book.shifts_of,
        total=len(state.table(Helper)),
    )


@blueprint.get("/helpers/new")
@door.allow("admin")
def helper_new() -> ResponseReturnValue:
    role = request.args.get("role", "")
    return _form({"role": role if role in ROLES else "duty", "active": True, "channels": ""}, None)


@blueprint.post("/helpers/new")
@door.allow("admin")
def helper_made() -> ResponseReturnValue:
    return _save(f"h-{secrets.token_hex(4)}", None)


@blueprint.get("/helpers/<helper_id>")
@door.allow("admin", "staff")
def helper(helper_id: str) -> ResponseReturnValue:
    found = read(Helper).table(Helper).get(helper_id)
    return door.refuse(404, "helper_unknown") if found is None else _form(_typed_of(found), found)


@blueprint.post("/helpers/<helper_id>")
@door.allow("admin")
def helper_saved(helper_id: str) -> ResponseReturnValue:
    found = read(Helper).table(Helper).get(helper_id)
    return door.refuse(404, "helper_unknown") if found is None else _save(helper_id, found)


@blueprint.post("/helpers/<helper_id>/drop")
@door.allow("admin")
def helper_drop(helper_id: str) -> ResponseReturnValue:
    found = read(Helper).table(Helper).get(helper_id)
    if found is None:
        return door.refuse(404, "helper_unknown")
    if request.form.get("sure") != "yes":
        return _form(_typed_of(found), found, Trouble(say("not_sure", lang()), 400))
    if trouble := attempt("drop_helper", helper_id, helper_id=helper_id):
        return _form(_typed_of(found), found, trouble)
    return redirect(url_for("console.helpers", saved=1), 303)


@blueprint.post("/helpers/<helper_id>/shifts")
@door.allow("admin", "staff")
def helper_shift(helper_id: str) -> ResponseReturnValue:
    """A shift is added, changed (``shift_id`` given) or dropped (``do=drop``)."""
    found = read(Helper).table(Helper).get(helper_id)
    if found is None:
        return door.refuse(404, "helper_unknown")
    given = request.form.get("shift_id", "")
    if request.form.get("do") == "drop":
        if trouble := attempt("drop_shift", given, shift_id=given):
            return _form(_typed_of(found), found, trouble)
        return redirect(url_for("console.helper", helper_id=helper_id, saved=1, _anchor="shifts"), 303)
    typed: dict[str, Any] = {
        "weekdays": sum(1 << day for day in WEEKDAYS if request.form.get(f"day-{day}") == "yes"),
        "from": request.form.get("from", ""),
        "to": request.form.get("to", ""),
        "first_day": request.form.get("first_day", ""),
        "last_day": request.form.get("last_day", ""),
        "every_weeks": number("every_weeks"),
        "week": number("week"),
        "holidays": request.form.get("holidays", ""),
    }
    from_min, to_min = _minutes(typed["from"]), _minutes(typed["to"])
    trouble = None
    if from_min is None or to_min is None:
        trouble = Trouble(say("time_wrong", lang()), 409)
    else:
        # People count weeks from one.
        week = typed["week"] - 1 if isinstance(typed["week"], int) else typed["week"]
        trouble = attempt(
            "put_shift",
            given or helper_id,
            shift_id=given or f"s-{secrets.token_hex(4)}",
            helper_id=helper_id,
            weekdays=typed["weekdays"],
            from_min=from_min % 1440,
            # "00:00" as an end is the end of the day, not its beginning.
            to_min=to_min or 1440,
            first_day=typed["first_day"],
            last_day=typed["last_day"],
            every_weeks=typed["every_weeks"],
            week=week if typed["every_weeks"] != 1 else 0,
            holidays=typed["holidays"],
        )
    if trouble is not None:
        return _form(_typed_of(found), found, trouble, shift={**typed, "shift_id": given})
    return redirect(url_for("console.helper", helper_id=helper_id, saved=1, _anchor="shifts"), 303)


# ---------------------------------------------------------------- pieces


def _save(helper_id: str, old: Helper | None) -> ResponseReturnValue:
    typed: dict[str, Any] = {name: request.form.get(name, "") for name in _TEXTS}
    typed["active"] = request.form.get("active") == "yes"
    typed["channels"] = request.form.get("channels", "")
    fields = {**typed, "channels": typed["channels"].split()}
    if trouble := attempt("put_helper", helper_id, helper_id=helper_id, **fields):
        return _form(typed, old, trouble)
    return redirect(url_for("console.helper", helper_id=helper_id, saved=1), 303)


def _form(
    typed: dict[str, Any],
    old: Helper | None,
    trouble: Trouble | None = None,
    shift: dict[str, Any] | None = None,
) -> ResponseReturnValue:
    state = read(Helper, Shift, Substitution, Person)
    asked = request.args.get("shift", "")
    mine = [one for one in state.table(Shift).values() if old and one.helper_id == old.helper_id]
    mine.sort(key=lambda one: (one.from_min, one.first_day, one.shift_id))
    known = next((one for one in mine if one.shift_id == asked), None)
    people = state.table(Person).values()
    page = render_template(
        "console/helper.html",
        typed=typed,
        helper=old,
        roles=ROLES,
        shifts=[(one, shift_words(one)) for one in mine],
        shift=shift or (_typed_shift(known) if known else dict(_NEW_SHIFT)),
        weekdays=WEEKDAYS,
        on_holidays=ON_HOLIDAYS,
        most_weeks=MOST_WEEKS,
        names={one.helper_id: one.name for one in state.table(Helper).values()},
        away=sorted(
            (
                one
                for one in state.table(Substitution).values()
                if old and old.helper_id in (one.helper_id, one.by_helper_id)
            ),
            key=lambda one: one.first_day,
        ),
        grids=sorted({one.grid for one in people if one.grid}),
        buildings=sorted({one.building for one in people if one.building}),
        staff=[one.name for one in door.accounts().members() if not one.disabled_ms],
        # A channel's address may hold a secret: only who may change it sees it.
        may_change=door.me().role == "admin",
        why=trouble.why if trouble else "",
    )
    return page, trouble.status if trouble else 200


def _typed_of(found: Helper) -> dict[str, Any]:
    typed: dict[str, Any] = {name: getattr(found, name) for name in _TEXTS}
    return typed | {"active": found.active, "channels": "\n".join(found.channels)}


_NEW_SHIFT: dict[str, Any] = {
    "shift_id": "",
    "weekdays": 0b0011111,
    "from": "08:00",
    "to": "18:00",
    "first_day": "",
    "last_day": "",
    "every_weeks": 1,
    "week": 1,
    "holidays": "too",
}


def _typed_shift(one: Shift) -> dict[str, Any]:
    return {
        "shift_id": one.shift_id,
        "weekdays": one.weekdays,
        "from": clock_of(one.from_min),
        "to": clock_of(one.to_min % 1440),
        "first_day": one.first_day,
        "last_day": one.last_day,
        "every_weeks": one.every_weeks,
        "week": one.week + 1,
        "holidays": one.holidays,
    }


def clock_of(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _minutes(typed: str) -> int | None:
    """ "08:30" as minutes; None for what is no time of day."""
    hour, colon, minute = typed.strip().replace("：", ":").partition(":")
    if not colon or not (hour + minute).isascii() or not hour.isdigit() or not minute.isdigit():
        return None
    minutes = int(hour) * 60 + int(minute)
    return minutes if int(minute) < 60 and minutes <= 1440 else None


def shift_words(one: Shift) -> str:
    """A shift in a line of words: "周一至周五 08:00–18:00，节假日也上"."""
    parts = [weekday_words(one.weekdays)]
    if (one.from_min, one.to_min) in ((0, 1440), (0, 0)):
        parts.append(say("all_day", lang()))
    else:
        over = one.to_min <= one.from_min
        hours = f"{clock_of(one.from_min)}–{clock_of(one.to_min)}"
        parts.append(say("next_day", lang(), hours=hours) if over else hours)
    if one.every_weeks > 1:
        parts.append(say("turn_words", lang(), n=one.every_weeks, k=one.week + 1))
    if one.first_day or one.last_day:
        parts.append(say("days_words", lang(), first=one.first_day or "…", last=one.last_day or "…"))
    parts.append(pick(ON_HOLIDAYS.get(one.holidays, (one.holidays, one.holidays))))
    return say("and_so", lang()).join(parts)


def weekday_words(bits: int) -> str:
    """ "周一至周五", "周六、周日", "每天"."""
    for known, key in ((127, "every_day"), (0b0011111, "mon_to_fri"), (0b1100000, "weekend")):
        if bits == known:
            return say(key, lang())
    return say("and", lang()).join(say(f"weekday_{day}", lang()) for day in WEEKDAYS if bits >> day & 1)


def _by_name(one: Helper) -> tuple[bool, str, str]:
    return not one.active, one.name, one.helper_id
