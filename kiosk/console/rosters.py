"""The roster's pages: the week as a table, who stands in for whom, the country's holidays."""

from __future__ import annotations

import secrets
from collections import Counter
from datetime import date, timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway.hall.kinds import kind_of, kinds
from gateway.hall.reading import is_day, tidy
from gateway.hall.rostering import DAY_KINDS
from gateway.hall.rosters import Home, book_of
from gateway.hall.rows import ROLES, Helper, Holiday, Kind, Person, Shift, Substitution
from kiosk.console import blueprint, door
from kiosk.console.helpers import WEEKDAYS, clock_of
from kiosk.console.tables import LIST_PATIENCE_S, Trouble, attempt, lang, now, read
from kiosk.console.words import say
from kiosk.rules.week import DAYS, Alone, Span, alone, monday_of, week

#: The country's word for a weekend on which it works, as it stands in the lists that offices send round.
_WORKDAY = ("调休上班", "上班", "补班", "workday")


@blueprint.get("/roster")
@door.allow("admin", "staff")
def roster() -> ResponseReturnValue:
    state = read(Helper, Shift, Substitution, Holiday, Kind, Person)
    asked, today = request.args.get("week", ""), now().date()
    # The calendar's own ends have no week before or after them.
    day = date.fromisoformat(asked) if is_day(asked) and "1900" < asked < "9000" else today
    first = monday_of(day)
    helpers = state.table(Helper).values()
    wanted = [who for kind in kinds(state).values() if kind.enabled for who, _, _ in kind.ladder]
    roles = [role for role in ROLES if role in wanted or any(one.role == role for one in helpers)]
    residents = [one for one in state.table(Person).values() if one.active]
    grids = Counter(one.grid for one in residents)
    homes = Counter(Home(one.grid, one.building, one.unit) for one in residents)
    urgent = [who for who, _, _ in kind_of(state, "emergency").ladder]
    book = book_of(state)
    lines = week(book, roles, first, state.zone, grids)
    return render_template(
        "console/roster.html",
        lines=[line for line in lines if line.helpers or line.homes],
        urgent=urgent,
        alone=alone(book, urgent, first, state.zone, homes or Counter([Home()])) if helpers else [],
        residents=bool(residents),
        nobody=[line.role for line in lines if not line.helpers and not line.homes],
        first=first,
        days=[first + timedelta(days=number) for number in range(DAYS)],
        today=today,
        before=(first - timedelta(days=7)).isoformat(),
        after=(first + timedelta(days=7)).isoformat(),
        holidays=state.table(Holiday),
        day_kinds=DAY_KINDS,
        roles=ROLES,
        hours=_hours,
        home=home_words,
        total=len(helpers),
    )


def home_words(home: Home) -> str:
    """The part of the compound: "第一网格 3栋 1单元", "全部"."""
    return " ".join(word for word in (home.grid, home.building, home.unit) if word) or say(
        "everywhere", lang()
    )


def _hours(span: Span | Alone) -> str:
    if (span.from_min, span.to_min) == (0, 1440):
        return say("all_day", lang())
    return f"{clock_of(span.from_min)}–{clock_of(span.to_min)}"


# ---------------------------------------------------------------- substitutions


@blueprint.get("/roster/away")
@door.allow("admin", "staff")
def away() -> ResponseReturnValue:
    today = now().date().isoformat()
    typed = {"helper_id": request.args.get("helper", ""), "first_day": today, "last_day": today}
    return _away_page(typed)


@blueprint.post("/roster/away")
@door.allow("admin", "staff")
def away_saved() -> ResponseReturnValue:
    substitution_id = request.form.get("substitution_id", "")
    typed = {
        name: request.form.get(name, "")
        for name in ("helper_id", "by_helper_id", "first_day", "last_day", "why")
    }
    if request.form.get("do") == "drop":
        trouble = attempt("drop_substitution", substitution_id, substitution_id=substitution_id)
    else:
        new_id = f"u-{secrets.token_hex(4)}"
        trouble = attempt("put_substitution", new_id, substitution_id=new_id, **typed)
    if trouble is not None:
        return _away_page(typed, trouble)
    return redirect(url_for("console.away", saved=1), 303)


def _away_page(typed: dict[str, str], trouble: Trouble | None = None) -> ResponseReturnValue:
    state, today = read(Helper, Substitution), now().date().isoformat()
    listed = sorted(state.table(Substitution).values(), key=lambda one: (one.first_day, one.substitution_id))
    page = render_template(
        "console/away.html",
        typed=typed,
        helpers=sorted(
            (one for one in state.table(Helper).values() if one.active), key=lambda one: (one.role, one.name)
        ),
        names={one.helper_id: one.name for one in state.table(Helper).values()},
        roles=ROLES,
        coming=[one for one in listed if one.last_day >= today],
        over=[one for one in reversed(listed) if one.last_day < today][:20],
        today=today,
        why=trouble.why if trouble else "",
    )
    return page, trouble.status if trouble else 200


# ---------------------------------------------------------------- holidays


@blueprint.get("/roster/holidays")
@door.allow("admin", "staff")
def holidays() -> ResponseReturnValue:
    return _holidays_page("")


@blueprint.post("/roster/holidays")
@door.allow("admin", "staff")
def holidays_saved() -> ResponseReturnValue:
    """A pasted list is taken as a whole, or each line that is wrong is named."""
    if request.form.get("do") == "drop":
        day = request.form.get("day", "")
        if trouble := attempt("drop_holiday", day, day=day):
            return _holidays_page("", trouble)
        return redirect(url_for("console.holidays", saved=1), 303)
    typed = request.form.get("list", "")
    rows, wrong = read_holidays(typed)
    if wrong or not rows:
        why = [say("holiday_line_wrong", lang(), n=number, line=line) for number, line in wrong]
        return _holidays_page(typed, Trouble("\n".join(why) or say("holidays_none_typed", lang()), 409))
    trouble = attempt("put_many", f"{len(rows)}", LIST_PATIENCE_S, table="holidays", rows=rows)
    if trouble is not None:
        return _holidays_page(typed, trouble)
    return redirect(url_for("console.holidays", saved=1), 303)


def _holidays_page(typed: str, trouble: Trouble | None = None) -> ResponseReturnValue:
    days = read(Holiday).table(Holiday)
    years: dict[str, list[tuple[Holiday, int]]] = {}
    for day in sorted(days, reverse=False):
        years.setdefault(day[:4], []).append(
            (days[day], date.fromisoformat(day).weekday() if is_day(day) else 0)
        )
    page = render_template(
        "console/holidays.html",
        typed=typed,
        years=years,
        this_year=str(now().year),
        day_kinds=DAY_KINDS,
        weekdays=WEEKDAYS,
        why=trouble.why if trouble else "",
    )
    return page, trouble.status if trouble else 200


def read_holidays(typed: str) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """Lines like "2026-10-01 国庆节", "2026-10-01 至 2026-10-07 国庆节", "2026-10-10 国庆节 调休上班".

    :return: the rows, and the lines that cannot be read with their numbers.
    """
    rows: dict[str, dict[str, Any]] = {}
    wrong: list[tuple[int, str]] = []
    for number, raw in enumerate(typed.splitlines(), 1):
        words = tidy(raw.replace("，", " ").replace(",", " ")).split()
        if not words:
            continue
        first = last = _day(words.pop(0))
        if words and words[0] in ("至", "到", "-", "~", "–", "to"):
            words.pop(0)
            last = _day(words.pop(0)) if words else ""
        if not first or not last or not first <= last or _length(first, last) > 31:
            wrong.append((number, raw.strip()[:40]))
            continue
        works = [word for word in words if word.casefold() in _WORKDAY]
        name = " ".join(word for word in words if word not in works)
        day = date.fromisoformat(first)
        while day.isoformat() <= last:
            word = day.isoformat()
            rows[word] = {"day": word, "kind": "workday" if works else "holiday", "name": name}
            day += timedelta(days=1)
    return list(rows.values()), wrong


def _day(word: str) -> str:
    """ "2026/10/1", "2026.10.1", "2026年10月1日" as "2026-10-01"; "" for what is no day."""
    parts = [*"".join(sign if sign.isdecimal() else " " for sign in word).split()]
    if len(parts) != 3 or len(parts[0]) != 4 or any(len(part) > 2 for part in parts[1:]):
        return ""
    day = f"{parts[0]}-{parts[1]:0>2}-{parts[2]:0>2}"
    return day if is_day(day) else ""


def _length(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days
