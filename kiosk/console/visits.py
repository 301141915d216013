"""Visits in the console: who is due, by grid; writing down how it was; one person's visits; the month's coverage.

Plain forms: they work without a script, from a phone in a staircase too. What is done is the gateway's (an order);
these pages read gateway.db.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused
from gateway import views_care
from gateway.hall.coverage import Line, coverage, span_ms
from gateway.hall.days import DAY_MS, HOUR_MS, day_named, moment_ms, month_after
from gateway.hall.kinds import DEFAULTS
from gateway.hall.rows import ROLES
from gateway.hall.visits import LADDER, OUTCOMES, REASONS, TIERS, UNDO_MS
from kiosk.console import acts, blueprint, care, door
from kiosk.console.care import Json, Unreadable, lang, pair, read
from kiosk.console.words import say
from kiosk.core import current_core
from kiosk.rules.kitchen import door_of

_WHEN = ("overdue", "today", "week", "all")
#: Kinds of call that a visit may raise, beside those that the hall has made (gateway.hall.visits.kinds_to_raise).
_NOT_RAISED = frozenset({"test", "hall"})


# ---------------------------------------------------------------- the list


@blueprint.get("/visits")
@door.allow("admin", "staff")
def visit_list() -> ResponseReturnValue:
    return _list()


def _list(status: int = 200, why: str = "", typed: Json | None = None) -> ResponseReturnValue:
    """The list as the address asks for it; ``typed``: what stood in the form that was refused."""
    core, args = current_core(), request.args
    now_ms = core.now_ms()
    when = args.get("when", "week") if args.get("when") in _WHEN else "week"
    filled: Json = {
        "when": when,
        "whens": _WHEN,
        "grid": args.get("grid", ""),
        "typed": typed or {},
        "why": why,
    }
    try:
        homes = _homes(read(views_care.open_visits), now_ms)
        lately = read(lambda book: views_care.visits_done_since(book, now_ms - UNDO_MS))
        people = read(views_care.active_people)
    except Unreadable:
        return care.unreadable(
            "console/visits.html", **filled, grids=[], all_grids=[], counts={}, lately=[], people=[]
        )
    shown = [one for one in homes if not filled["grid"] or one["grid"] == filled["grid"]]
    grids: dict[str, list[Json]] = {}
    for one in shown:
        if _falls(one, when, now_ms):
            grids.setdefault(str(one["grid"]), []).append(one)
    return care.page(
        "console/visits.html",
        status,
        **filled,
        grids=sorted(grids.items()),
        all_grids=sorted({str(one["grid"]) for one in homes if one["grid"]}),
        counts={word: sum(_falls(one, word, now_ms) for one in shown) for word in _WHEN},
        anybody=bool(homes),
        lately=lately,
        people=people,
        outcomes=OUTCOMES,
        reasons=REASONS,
        now_ms=now_ms,
        done=_done_words(lately),
        done_id=args.get("done", ""),
    )


def _homes(visits: list[Json], now_ms: int) -> list[Json]:
    """One line a person: whoever knocks has made all of the visits. A silent home first, then by when it is due."""
    homes: dict[str, Json] = {}
    for one in sorted(visits, key=lambda one: (one["reason"] != "inactivity", one["due_ms"])):
        home = homes.setdefault(one["person_id"], {**_row(one, now_ms), "why": [], "notes": []})
        home["why"] += [one["reason"]] if one["reason"] not in home["why"] else []
        home["notes"] += [one["note"]] if one["note"] else []
        home["tries"] = max(home["tries"], one["tries"])
        home["due_ms"] = min(home["due_ms"], one["due_ms"])
    return list(homes.values())


def _falls(visit: Json, when: str, now_ms: int) -> bool:
    """Whether a visit is one of "overdue", "today", "week", "all". What is overdue is in each of them."""
    zone, today = current_core().zone, care.today()
    days = {"overdue": 0, "today": 1, "week": 7 - today.weekday()}
    if visit["due_ms"] <= now_ms or when == "all":
        return True
    return when != "overdue" and visit["due_ms"] <= moment_ms(zone, today, days[when] * 1440)


def _row(visit: Json, now_ms: int) -> Json:
    """A visit with what its line says of time."""
    left_ms = visit["due_ms"] - now_ms
    if left_ms <= 0:
        days, hours = -left_ms // DAY_MS, -left_ms // HOUR_MS
        until = say("visits_late_days", lang(), n=days) if days else say("visits_late_hours", lang(), n=hours)
    elif visit["reason"] not in TIERS:
        hours = left_ms // HOUR_MS
        until = say("visits_due_hours", lang(), n=hours)
        if not hours:
            until = say("visits_due_minutes", lang(), n=max(1, left_ms // 60_000))
    else:
        until = care.day_words(_last_day(visit["due_ms"]))
    told = "" if not visit["step"] else pair(ROLES[LADDER[min(visit["step"], len(LADDER)) - 1]])
    return {**visit, "late": left_ms <= 0, "until": until, "told": told}


def _last_day(due_ms: int) -> date:
    """The last day on which it is in time."""
    return datetime.fromtimestamp((due_ms - 1) / 1000, current_core().zone).date()


def _raisable() -> list[tuple[str, str]]:
    changed = read(views_care.kinds_by_hand)
    known = {kind.kind: (kind.name_zh, kind.name_en, kind.enabled) for kind in DEFAULTS.values()} | changed
    return [(word, pair(names[:2])) for word, names in known.items() if names[2] and word not in _NOT_RAISED]


def _done_words(lately: list[Json]) -> str:
    """What was just done, from the address after a redirect."""
    args = request.args
    if call_id := args.get("call", ""):
        return say("visits_saved_call", lang(), n=call_id) if call_id.isdecimal() else ""
    found = next((one for one in lately if one["visit_id"] == args.get("done")), None)
    if found is not None:
        outcome = pair(OUTCOMES.get(str(found["outcome"])), str(found["outcome"]))
        return say("visits_saved", lang(), door=door_of(found) or found["name"], outcome=outcome)
    told = {
        "tried": "visits_saved_tried",
        "undone": "visits_undone",
        "opened": "visits_opened",
        "before": "visits_opened_before",
    }
    return say(told[args["told"]], lang()) if args.get("told") in told else ""


@blueprint.get("/visits/write/<path:visit_id>")
@door.allow("admin", "staff")
def visit_form(visit_id: str) -> ResponseReturnValue:
    """All that can be said of one visit."""
    return _form(visit_id)


def _form(visit_id: str, status: int = 200, why: str = "", typed: Json | None = None) -> ResponseReturnValue:
    filled: Json = {"typed": typed or {}, "why": why, "visit": None, "kinds": [], "outcomes": OUTCOMES}
    try:
        visit = next((one for one in read(views_care.open_visits) if one["visit_id"] == visit_id), None)
        kinds = _raisable()
    except Unreadable:
        return care.unreadable("console/visits_write.html", **{**filled, "why": ""})
    if visit is None:
        return _list(404 if status == 200 else status, why or say("visits_gone", lang()))
    row = _row(visit, current_core().now_ms())
    return care.page(
        "console/visits_write.html", status, **{**filled, "visit": row, "kinds": kinds}, reasons=REASONS
    )


@blueprint.post("/visits/write")
@door.allow("admin", "staff")
def visit_write() -> ResponseReturnValue:
    """How a visit was. The one touch is the outcome "well" alone."""
    form = request.form
    visit_id, outcome = form.get("visit_id", ""), form.get("outcome", "")
    fields: Json = {"visit_id": visit_id, "outcome": outcome, "note": form.get("note", "").strip()}
    typed = {
        name: form.get(name, "") for name in ("visit_id", "outcome", "note", "seen_at", "until", "raise")
    }
    try:
        if form.get("seen_at", "").strip():
            fields["seen_ms"] = _moment_typed(form["seen_at"])
        if form.get("until", "").strip() and outcome in ("hospital", "away"):
            fields["until_ms"] = _day_typed(form["until"])
        if form.get("raise") and outcome == "help":
            fields["raise"] = form["raise"]
        answer = care.order("visit_done", **fields)
    except OrderRefused as refused:
        if form.get("whole") == "yes":
            return _form(visit_id, 409, care.why(refused), typed)
        return _list(409, care.why(refused))
    acts.did("visit_done", visit_id, f"visit_{outcome}")
    if outcome == "nobody":
        return _back(told="tried")
    call = answer.get("call")
    if fields.get("raise") and isinstance(call, dict):
        return _back(done=visit_id, call=str(call.get("call_id", "")))
    return _back(done=visit_id)


@blueprint.post("/visits/undo")
@door.allow("admin", "staff")
def visit_undo() -> ResponseReturnValue:
    visit_id = request.form.get("visit_id", "")
    try:
        care.order("reopen_visit", visit_id=visit_id)
    except OrderRefused as refused:
        return _list(409, care.why(refused))
    acts.did("visit_undone", visit_id)
    return _back(told="undone")


@blueprint.post("/visits/open")
@door.allow("admin", "staff")
def visit_open() -> ResponseReturnValue:
    person_id, note = request.form.get("person_id", ""), request.form.get("note", "").strip()
    try:
        answer = care.order("open_visit", person_id=person_id, note=note)
    except OrderRefused as refused:
        return _list(409, care.why(refused), {"person_id": person_id, "open_note": note})
    acts.did("visit_opened", f"person:{person_id}")
    return _back(told="opened" if "row" in answer else "before")


def _back(**told: str) -> ResponseReturnValue:
    """To the list as it was asked for, with a word about what was done."""
    asked = {name: request.args[name] for name in ("when", "grid") if name in request.args}
    return redirect(url_for("console.visit_list", **asked, **told), 303)  # type: ignore[arg-type]


def _moment_typed(word: str) -> int:
    """ "2026-11-22T15:30" of a browser's field, or typed by hand."""
    try:
        found = datetime.fromisoformat(word.strip().replace("/", "-"))
    except ValueError as wrong:
        raise OrderRefused(say("visits_bad_moment", "zh"), say("visits_bad_moment", "en")) from wrong
    return int(found.replace(tzinfo=current_core().zone).timestamp() * 1000)


def _day_typed(word: str) -> int:
    """Until the end of that day."""
    day = day_named(word.strip().replace("/", "-"))
    if day is None:
        raise OrderRefused(say("visits_bad_day", "zh"), say("visits_bad_day", "en"))
    return moment_ms(current_core().zone, day, 1440)


# ---------------------------------------------------------------- one person


@blueprint.get("/visits/person/<person_id>")
@door.allow("admin", "staff")
def visit_person(person_id: str) -> ResponseReturnValue:
    return _person(person_id)


def _person(
    person_id: str, status: int = 200, why: str = "", typed: Json | None = None
) -> ResponseReturnValue:
    filled: Json = {"why": why, "typed": typed or {}, "person": None, "visits": []}
    try:
        person = read(lambda book: views_care.cared_for(book, person_id))
        visits = read(lambda book: views_care.visits_of(book, person_id))
    except Unreadable:
        return care.unreadable("console/visits_person.html", **{**filled, "why": ""})
    if person is None:
        return care.page(
            "console/visits_person.html", 404, **{**filled, "why": say("visits_no_person", lang())}
        )
    now_ms = current_core().now_ms()
    told = {"paused": "visits_paused", "resumed": "visits_resumed"}.get(request.args.get("told", ""), "")
    return care.page(
        "console/visits_person.html",
        status,
        **{**filled, "person": person, "visits": [_row(one, now_ms) for one in visits]},
        tiers=TIERS,
        reasons=REASONS,
        outcomes=OUTCOMES,
        paused=int(str(person["paused_until_ms"])) > now_ms,
        pause_ends=care.day_words(_last_day(int(str(person["paused_until_ms"]))))
        if person["paused_until_ms"]
        else "",
        done=say(told, lang()) if told else "",
    )


@blueprint.post("/visits/person/<person_id>")
@door.allow("admin", "staff")
def visit_pause(person_id: str) -> ResponseReturnValue:
    form = request.form
    try:
        if form.get("do") == "resume":
            care.order("pause_visits", person_id=person_id, until_ms=0)
        else:
            until_ms = _day_typed(form.get("until", ""))
            care.order("pause_visits", person_id=person_id, until_ms=until_ms, why=form.get("reason", ""))
    except OrderRefused as refused:
        return _person(
            person_id, 409, care.why(refused), {"until": form.get("until", ""), "reason": form.get("reason")}
        )
    acts.did("visits_paused", f"person:{person_id}", form.get("do", ""))
    told = "resumed" if form.get("do") == "resume" else "paused"
    return redirect(url_for("console.visit_person", person_id=person_id, told=told), 303)


# ---------------------------------------------------------------- coverage


@blueprint.get("/visits/coverage")
@door.allow("admin", "staff")
def visit_report() -> ResponseReturnValue:
    month = _month_asked()
    filled: Json = {
        "month": month,
        "before": month_after(month, -1),
        "after": month_after(month),
        "lines": [],
    }
    try:
        lines, whole = _coverage(month)
    except Unreadable:
        return care.unreadable("console/visits_coverage.html", **filled, whole=Line(""))
    return care.page("console/visits_coverage.html", **{**filled, "lines": lines}, whole=whole)


@blueprint.get("/visits/coverage.csv")
@door.allow("admin", "staff")
def visit_report_csv() -> ResponseReturnValue:
    month = _month_asked()
    try:
        lines, whole = _coverage(month)
    except Unreadable:
        return door.refuse(503, "care_unreadable")
    names = ("grid", "due", "in_time", "late", "missed", "waiting", "excused", "people", "seen", "share")
    head = [say(f"report_{name}", lang()) for name in names]
    rows: list[list[Any]] = [[line.as_json()[name] for name in names] for line in lines]
    last = whole.as_json()
    rows.append([say("report_whole", lang()), *(last[name] for name in names[1:])])
    return care.csv_file(f"visits-{month:%Y-%m}.csv", head, rows)


@blueprint.get("/api/visits/coverage")
@door.allow("admin", "staff")
def visit_report_json() -> ResponseReturnValue:
    month = _month_asked()
    try:
        lines, whole = _coverage(month)
    except Unreadable:
        return door.refuse(503, "care_unreadable")
    return jsonify(month=f"{month:%Y-%m}", grids=[line.as_json() for line in lines], whole=whole.as_json())


def _coverage(month: date) -> tuple[list[Line], Line]:
    zone = current_core().zone
    span = span_ms(zone, month)
    return coverage(read(lambda book: views_care.visits_between(book, *span)), zone, month)


def _month_asked() -> date:
    """The month of the address, "2026-11"; this one where it names none."""
    return day_named(f"{request.args.get('month', '')}-01") or care.today().replace(day=1)
