"""Sections of the desks that are about people: who answers calls, visits, what residents asked for, the line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway import views, views_care
from gateway.hall.rosters import book_of, duties, local
from gateway.hall.rows import ROLES, Helper, Holiday, Person, Shift, Substitution
from gateway.hall.visits import TIERS
from kiosk import line
from kiosk.console.desk_lines import Line, Pair, Section, joined, page, same, section, words
from kiosk.console.pages import spell
from kiosk.console.tables import read
from kiosk.core import Core
from kiosk.kinds import kinds_now
from kiosk.requests.looking import hall_phone, open_requests
from kiosk.rules.kitchen import door_of
from kiosk.rules.request_life import UNANSWERED, is_overdue
from kiosk.rules.requests import KINDS
from kiosk.windows import windows_now

#: Calls of this long ago still want a word with whoever was late.
LATELY_MS = 12 * 3_600_000
HOUR_MS = 3_600_000
#: The items under which residents report lifts.
LIFT_ITEMS: tuple[str, ...] = tuple(sorted({one.service_code for one in KINDS.values() if one.ask_for == "lift"}))
#: Whom somebody at the desk sends first; the other roles are on the roster's page.
_ON_DUTY = ("duty", "grid", "repair", "volunteer", "secretary", "guard")


def late_calls(core: Core) -> Section:
    """Presses that nobody answered within their minute, or that came late: of the last twelve hours, closed by now."""
    found = core.gateway_reader().execute(
        "SELECT call_id, kind, place, device_id, opened_ms, accepted_ms, overdue, delayed FROM calls"
        " WHERE state = 'CLOSED' AND closed_ms >= ? AND (overdue = 1 OR delayed = 1) AND outcome <> 'test'"
        " ORDER BY call_id DESC LIMIT 50",
        (core.now_ms() - LATELY_MS,),
    )
    names = {one["kind"]: (one["name_zh"], one["name_en"]) for one in kinds_now(core)}
    lines = [
        Line(
            f"late-{one['call_id']}",
            joined(names.get(one["kind"], same(one["kind"])), same(one["place"] or one["device_id"])),
            words("call_overdue" if one["overdue"] else "call_delayed"),
            "",
            one["opened_ms"],
            page("call_page", call_id=one["call_id"]),
            words("look"),
        )
        for one in found
    ]
    return section("desk_late", lines, url=page("history"))


def on_duty(core: Core, roles: Sequence[str] = _ON_DUTY, key: str = "desk_on_duty") -> Section:
    """Who of each role is on duty at this moment, and where nobody is."""
    state = read(Helper, Shift, Substitution, Holiday, Person)
    book, at = book_of(state), local(state.zone, core.now_ms())
    known = {one.role for one in book.helpers.values() if one.active}
    lines = []
    for role in roles:
        if role not in known and role != "duty":
            continue
        there = list({one.helper.helper_id: one.helper for one in duties(book, role, at)}.values())
        names = "、".join(one.name for one in there)
        phones = " ".join(one.phone for one in there if one.phone)
        lines.append(
            Line(
                f"duty-{role}",
                joined(ROLES[role], same(names) if there else words("nobody"), by="："),
                same(phones),
                "" if there else "warn" if role == "duty" else "",
                url=page("roster"),
                do=words("look" if there else "desk_do_roster"),
            )
        )
    return section(key, lines, url=page("roster"))


def visits(core: Core, grid: str = "") -> Section:
    """Homes at which somebody must knock: silent ones first, then by when it is due; a home once."""
    now_ms, homes = core.now_ms(), dict[str, Line]()
    found = sorted(
        views_care.open_visits(core.gateway_reader()),
        key=lambda one: (one["reason"] != "inactivity", int(str(one["due_ms"]))),
    )
    for one in found:
        person, due_ms = str(one["person_id"]), int(str(one["due_ms"]))
        if person in homes or (grid and one["grid"] != grid):
            continue
        late, silent = due_ms <= now_ms, one["reason"] == "inactivity"
        hours = abs(due_ms - now_ms) // HOUR_MS
        until = words("visits_late_hours" if late else "visits_due_hours", n=hours)
        if hours >= 48:
            until = (
                words("visits_late_days", n=hours // 24) if late else words("desk_due_days", n=hours // 24)
            )
        homes[person] = Line(
            f"visit-{one['visit_id']}",
            joined(same(door_of(one)), same(one["name"]), by=" "),
            joined(
                words("desk_silent")
                if silent
                else words("desk_visit" if one["reason"] in TIERS else "desk_visit_asked"),
                until,
            ),
            "hot" if silent else "warn" if late else "",
            None,
            page("visit_form", visit_id=one["visit_id"]),
            words("desk_do_visit"),
        )
    return section("desk_visits", list(homes.values()), url=page("visit_list"))


def my_grid(name: str) -> str:
    """The grid of whoever has this account, as the roster of helpers has it; "" where it says none."""
    helpers = read(Helper).table(Helper).values()
    return next((one.grid for one in helpers if one.active and one.account == name and one.grid), "")


def buildings_of(grid: str) -> list[str]:
    people = read(Person).table(Person).values()
    return sorted({one.building for one in people if one.grid == grid and one.building})


def lifts(core: Core) -> Section:
    """Which lifts residents report, and whom the hall calls for them."""
    phone = hall_phone(core.reader(), "lift")
    note = words("desk_lift_phone", phone=phone) if phone else words("desk_lift_no_phone")
    return replace(requests(core, LIFT_ITEMS, key="desk_lifts"), note=note)


def requests(
    core: Core, services: Sequence[str] = (), buildings: list[str] | None = None, *, key: str = "desk_requests"
) -> Section:
    """What residents asked for, of these items, in these buildings; how loud is decided by the hour of the promised
    answer until somebody has answered."""
    found, count = open_requests(core.reader(), services, buildings)
    names = {one.code: (one.name_zh, one.name_en) for one in core.catalogue.services}
    now_ms, lines = core.now_ms(), []
    for one in found:
        late = is_overdue(one.state, one.answer_by_ms, now_ms)
        until: Pair = ("", "")
        if one.answer_by_ms is not None and one.state in UNANSWERED:
            ms = abs(one.answer_by_ms - now_ms)
            span = (spell(ms, "zh"), spell(ms, "en"))
            until = words("desk_answer_late" if late else "desk_answer_in", n=span)
        lines.append(
            Line(
                f"request-{one.request_id}",
                joined(names.get(one.service_code, same(one.service_code)), same(one.place_words)),
                joined(
                    same(one.number), words("desk_request_new") if one.state == "RECEIVED" else same(""), until
                ),
                "hot" if one.urgent else "warn" if late or one.state == "RECEIVED" else "",
                one.made_ms,
                page("request_page", request_id=one.request_id) or page("requests"),
                words("desk_do_open"),
            )
        )
    return section(key, lines, count=count, url=page("requests"))


def in_line(core: Core, category: str = "") -> Section:
    """How many wait at each window that serves such items, and for how long the first has."""
    codes = {one.code for one in core.catalogue.services if not category or one.category == category}
    tickets = [one for one in line.waiting(core) if one["service_code"] in codes]
    lines = []
    for window in windows_now(core).all:
        if not window.skills & codes:
            continue
        mine = [one for one in tickets if window.id in one["windows"]]
        state = words("window_open" if window.open else "window_closed")
        if not mine and not window.open:
            continue
        lines.append(
            Line(
                f"window-{window.id}",
                joined(words("window_number", n=window.number), (window.zh, window.en), by=" "),
                joined(state, words("waiting", n=len(mine)) if mine else words("waiting_none")),
                "warn" if mine and not window.open else "",
                min((int(one["waits_ms"]) for one in mine), default=None),
                page("desk", post="window", window=window.id),
                words("desk_do_window"),
                off=not mine,
            )
        )
    return section("desk_line", lines, chip=len(tickets), url=page("windows_list"))


def silent_devices(core: Core) -> Section:
    """Buttons that say nothing: whoever relies on one cannot call."""
    lines = []
    for one in views.fleet(core.gateway_reader(), core.now_ms()):
        if one["kind"] == "bay_sensor" or one["trouble"] not in ("fault", "offline", "silent"):
            continue
        lines.append(
            Line(
                f"silent-{one['device_id']}",
                joined(same(one["place"] or one["name"] or one["device_id"]), same(one["person"])),
                words(f"trouble_{one['trouble']}"),
                "warn",
                int(str(one["last_seen_ms"])),
                page("device_rounds"),
                words("desk_do_look"),
            )
        )
    return section("desk_silent_devices", lines, url=page("device_rounds"))


def today(core: Core) -> Section:
    """What each window has done today: served, missed, how long people waited."""
    day = line.today(core)
    rows = core.reader().execute(
        "SELECT window_id, sum(outcome = 'done') AS done, sum(outcome = 'no_show') AS missed,"
        " avg(wait_ms) FILTER (WHERE outcome = 'done') AS wait_ms FROM serves WHERE business_day = ?"
        " AND window_id <> '' GROUP BY window_id",
        (day,),
    )
    found = {row["window_id"]: row for row in rows}
    lines = []
    for window in windows_now(core).all:
        row = found.get(window.id)
        if row is None:
            continue
        minutes = round((row["wait_ms"] or 0) / 60_000)
        lines.append(
            Line(
                f"today-{window.id}",
                joined(words("window_number", n=window.number), (window.zh, window.en), by=" "),
                words("desk_today_of", done=row["done"], missed=row["missed"], n=minutes),
                url=page("queue_figures"),
                do=words("look"),
            )
        )
    return section("desk_today", lines, chip=sum(int(row["done"]) for row in found.values()), url=page("queue_figures"))
