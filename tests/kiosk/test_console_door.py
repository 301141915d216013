"""The console's door: who comes in, to what, from which page. Every route for every kind of person."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Rule

from tests.kiosk.console_hall import (
    ADMIN,
    ADMIN_PASSWORD,
    ORIGIN,
    STAFF,
    STAFF_PASSWORD,
    Client,
    ConsoleHall,
    console_hall,
)

#: One row of the car park's set-up.
SET_UP = "/console/parking/set-up/<any(sites, zones, bays, places, entrances):what>/<path:key>"
POST = "<any(window, duty, grid, property, branch, technician, admin):post>"
#: route → what it answers to: nobody, a locked screen of staff, a handed-over password, staff, an administrator.
#: 303→x is a way to the page where the reason can be mended. What an open door answers to an empty order is the
#: route's own affair (400, 409 …): here it is "in".
MATRIX = {
    "GET /console": ("303→sign-in", "in", "303→password", "in", "in"),
    f"GET /console/desk/{POST}": ("303→sign-in", "303→console", "303→password", "in", "in"),
    f"POST /console/desk/{POST}": ("401", "423", "403", "in", "in"),
    f"GET /console/api/desk/{POST}": ("401", "423", "403", "in", "in"),
    "GET /console/<path:nothing>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/too-long": ("in", "in", "in", "in", "in"),
    "GET /console/api/too-long": ("in", "in", "in", "in", "in"),
    "GET /console/search": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/api/search": ("401", "423", "403", "in", "in"),
    "GET /console/start": ("303→sign-in", "403", "403", "403", "in"),
    "POST /console/start": ("401", "403", "403", "403", "in"),
    "GET /console/api/start": ("401", "403", "403", "403", "in"),
    "GET /console/sign-in": ("in", "in", "in", "in", "in"),
    "POST /console/sign-in": ("in", "in", "in", "in", "in"),
    "GET /console/first": ("in", "in", "in", "in", "in"),
    "POST /console/first": ("in", "in", "in", "in", "in"),
    "POST /console/sign-out": ("401", "in", "in", "in", "in"),
    "GET /console/password": ("303→sign-in", "303→console", "in", "in", "in"),
    "POST /console/password": ("401", "423", "in", "in", "in"),
    "GET /console/staff": ("303→sign-in", "403", "403", "403", "in"),
    "POST /console/staff": ("401", "403", "403", "403", "in"),
    "GET /console/devices": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/devices/set-up/<path:device_id>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/devices/label/<path:device_id>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/call/<int:call_id>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/history": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/history.csv": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/running": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/api/running": ("401", "423", "403", "in", "in"),
    "GET /console/check-up": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/check-up": ("401", "423", "403", "in", "in"),
    "GET /console/queue/policy": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/queue/policy": ("401", "403", "403", "403", "in"),
    "GET /console/queue/figures": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/queue/figures.csv": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/queue/figures.xlsx": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/parking/history": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/parking/history.csv": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/parking/history.xlsx": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/content": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/content/unconfirmed": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/content/unconfirmed": ("401", "423", "403", "in", "in"),
    "GET /console/content/history/<path:subject>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/content/history/<path:subject>": ("401", "423", "403", "in", "in"),
    "GET /console/content/service/<code>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/content/service/<code>": ("401", "423", "403", "in", "in"),
    "GET /console/content/service/<code>/preview": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/content/service/<code>/preview": ("401", "423", "403", "in", "in"),
    "GET /console/content/quick": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/content/quick": ("401", "423", "403", "in", "in"),
    "GET /console/content/presets/<kind>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/content/presets/<kind>": ("401", "423", "403", "in", "in"),
    "GET /console/content/phones": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/content/phones": ("401", "423", "403", "in", "in"),
    "GET /console/content/notices": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/content/notices": ("401", "423", "403", "in", "in"),
    "GET /console/reports": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/reports/stop": ("401", "423", "403", "in", "in"),
    "GET /console/reports.csv": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/reports.xlsx": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/voice": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/voice": ("401", "423", "403", "in", "in"),
    "POST /console/voice/try": ("401", "423", "403", "in", "in"),
    "GET /console/voice/sound": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/voice/clip": ("401", "423", "403", "in", "in"),
    "POST /console/api/voice/clip": ("401", "423", "403", "in", "in"),
    "GET /console/screens": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/screens": ("401", "423", "403", "in", "in"),
    "GET /console/journal": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/visits": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/visits/write/<path:visit_id>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/visits/write": ("401", "423", "403", "in", "in"),
    "POST /console/visits/undo": ("401", "423", "403", "in", "in"),
    "POST /console/visits/open": ("401", "423", "403", "in", "in"),
    "GET /console/visits/person/<person_id>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/visits/person/<person_id>": ("401", "423", "403", "in", "in"),
    "GET /console/visits/coverage": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/visits/coverage.csv": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/api/visits/coverage": ("401", "423", "403", "in", "in"),
    "GET /console/meals": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/meals/act": ("401", "423", "403", "in", "in"),
    "POST /console/meals/order": ("401", "423", "403", "in", "in"),
    "POST /console/meals/list": ("401", "423", "403", "in", "in"),
    "GET /console/meals/menu": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/meals/menu": ("401", "423", "403", "in", "in"),
    "POST /console/meals/menu/drop": ("401", "423", "403", "in", "in"),
    "POST /console/meals/menu/paste": ("401", "423", "403", "in", "in"),
    "GET /console/printers": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/printers": ("401", "423", "403", "in", "in"),
    "GET /console/devices/rounds": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/devices/rounds": ("401", "423", "403", "in", "in"),
    "GET /console/parking": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/parking/map": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/parking/tasks": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/parking/tasks": ("401", "423", "403", "in", "in"),
    "POST /console/parking/count": ("401", "423", "403", "in", "in"),
    "GET /console/api/parking/tasks": ("401", "423", "403", "in", "in"),
    "GET /console/parking/set-up": ("303→sign-in", "303→console", "303→password", "in", "in"),
    f"GET {SET_UP}": ("303→sign-in", "303→console", "303→password", "in", "in"),
    f"POST {SET_UP}": ("401", "403", "403", "403", "in"),
    "GET /console/parking/plan": ("303→sign-in", "403", "403", "403", "in"),
    "POST /console/parking/plan": ("401", "403", "403", "403", "in"),
    "GET /console/parking/plan/<int:plan_id>": ("303→sign-in", "403", "403", "403", "in"),
    "POST /console/parking/plan/<int:plan_id>": ("401", "403", "403", "403", "in"),
    "GET /console/parking/plan.<any(json, csv):ending>": ("303→sign-in", "403", "403", "403", "in"),
    "GET /console/devices/fleet": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/devices/fleet": ("401", "423", "403", "in", "in"),
    "GET /console/live": ("401", "in", "403", "in", "in"),
    "GET /console/api/session": ("in", "in", "in", "in", "in"),
    "GET /console/api/calls": ("401", "in", "403", "in", "in"),
    "GET /console/api/kinds": ("401", "in", "403", "in", "in"),
    "GET /console/api/call/<int:call_id>": ("401", "423", "403", "in", "in"),
    "GET /console/api/people": ("401", "423", "403", "in", "in"),
    "POST /console/api/people": ("401", "423", "403", "in", "in"),
    "GET /console/api/said/<path:device_id>": ("401", "423", "403", "in", "in"),
    "POST /console/api/active": ("401", "423", "403", "in", "in"),
    "POST /console/api/lock": ("401", "in", "403", "in", "in"),
    "POST /console/api/unlock": ("401", "in", "403", "in", "in"),
    "POST /console/api/calls/<int:call_id>/accept": ("401", "423", "403", "in", "in"),
    "POST /console/api/calls/<int:call_id>/close": ("401", "423", "403", "in", "in"),
    "POST /console/api/calls/<int:call_id>/arrive": ("401", "423", "403", "in", "in"),
    "POST /console/api/calls/<int:call_id>/reopen": ("401", "423", "403", "in", "in"),
    "POST /console/api/calls/<int:call_id>/medical": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/next": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/call": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/recall": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/begin": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/hold": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/no-show": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/late": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/next-item": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/done": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/cancel": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/undo": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/resume": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/transfer": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/item": ("401", "423", "403", "in", "in"),
    "POST /console/api/queue/<int:ticket_id>/lane": ("401", "423", "403", "in", "in"),
    "POST /console/api/windows/<window_id>/open": ("401", "423", "403", "in", "in"),
    "POST /console/api/windows/<window_id>/close": ("401", "423", "403", "in", "in"),
    "GET /console/windows": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/windows": ("401", "423", "403", "in", "in"),
    "GET /console/windows/new": ("303→sign-in", "403", "403", "403", "in"),
    "GET /console/windows/<window_id>": ("303→sign-in", "403", "403", "403", "in"),
    "POST /console/windows/new": ("401", "403", "403", "403", "in"),
    "POST /console/windows/<window_id>": ("401", "403", "403", "403", "in"),
    "POST /console/api/bays/<bay_id>/<any(close, open):what>": ("401", "423", "403", "in", "in"),
    "POST /console/api/zones": ("401", "403", "403", "403", "in"),
    "POST /console/api/devices/<path:device_id>/claim": ("401", "423", "403", "in", "in"),
    "POST /console/api/devices/<path:device_id>/retire": ("401", "423", "403", "in", "in"),
    "POST /console/api/devices/<path:device_id>/bring-back": ("401", "423", "403", "in", "in"),
    "POST /console/api/devices/<path:device_id>/expect-test": ("401", "423", "403", "in", "in"),
    "POST /console/api/slips/<int:slip_id>/<any(printed, again, given_up):what>": (
        "401",
        "423",
        "403",
        "in",
        "in",
    ),
    "GET /console/requests": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/requests.csv": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/requests/<int:request_id>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/requests/<int:request_id>": ("401", "423", "403", "in", "in"),
    "GET /console/requests/note/<int:note_id>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/people": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/people/new": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/people/new": ("401", "423", "403", "in", "in"),
    "GET /console/people/<person_id>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/people/<person_id>": ("401", "423", "403", "in", "in"),
    "POST /console/people/<person_id>/drop": ("401", "403", "403", "403", "in"),
    "POST /console/people/<person_id>/medical": ("401", "423", "403", "in", "in"),
    "GET /console/helpers": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/helpers/new": ("303→sign-in", "403", "403", "403", "in"),
    "POST /console/helpers/new": ("401", "403", "403", "403", "in"),
    "GET /console/helpers/<helper_id>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/helpers/<helper_id>": ("401", "403", "403", "403", "in"),
    "POST /console/helpers/<helper_id>/drop": ("401", "403", "403", "403", "in"),
    "POST /console/helpers/<helper_id>/shifts": ("401", "423", "403", "in", "in"),
    "GET /console/roster": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/roster/away": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/roster/away": ("401", "423", "403", "in", "in"),
    "GET /console/roster/holidays": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/roster/holidays": ("401", "423", "403", "in", "in"),
    "GET /console/appointments": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/appointments": ("401", "423", "403", "in", "in"),
    "GET /console/hours": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/hours": ("401", "423", "403", "in", "in"),
    "GET /console/tokens": ("303→sign-in", "403", "403", "403", "in"),
    "POST /console/tokens": ("401", "403", "403", "403", "in"),
    "GET /console/kinds": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "GET /console/kinds/new": ("303→sign-in", "403", "403", "403", "in"),
    "POST /console/kinds/new": ("401", "403", "403", "403", "in"),
    "GET /console/kinds/<kind>": ("303→sign-in", "303→console", "303→password", "in", "in"),
    "POST /console/kinds/<kind>": ("401", "403", "403", "403", "in"),
    "GET /console/lists/<any(people, helpers):what>": ("303→sign-in", "403", "403", "403", "in"),
    "POST /console/lists/<any(people, helpers):what>": ("401", "403", "403", "403", "in"),
    "GET /console/lists/<any(people, helpers):what>.csv": ("303→sign-in", "403", "403", "403", "in"),
}
#: Rows after which the asker may be somebody else, or locked.
CHANGES_WHO = {"sign-in", "sign-out", "first", "password", "lock", "unlock"}
PEOPLE = ("anonymous", "locked", "new", "staff", "admin")


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path_factory.mktemp("door")) as hall:
        hall.make_staff()
        yield hall


def routes(hall: ConsoleHall) -> dict[str, Rule]:
    return {
        f"{method} {rule.rule}": rule
        for rule in hall.app.url_map.iter_rules()
        if rule.endpoint.startswith("console.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_has_its_row(hall: ConsoleHall) -> None:
    assert set(routes(hall)) == set(MATRIX)


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_use_what(tmp_path: Path, person: str) -> None:
    """A fresh hall for each kind of person, and after a row that may sign out, in or lock a fresh client too."""
    with console_hall(tmp_path) as hall:
        hall.make_staff()
        found = {}
        client, token = somebody(hall, person)
        for name, rule in routes(hall).items():
            method, path = name.split(" ")[0], address(rule)
            headers = {"Origin": ORIGIN, "X-Form-Token": token}
            body: dict[str, Any] = {"json": {}} if path.startswith("/console/api/") else {"data": {}}
            answer = client.get(path) if method == "GET" else client.post(path, headers=headers, **body)
            found[name] = verdict(answer, name)
            answer.close()
            if name.startswith("POST") and name.rsplit("/", 1)[-1] in CHANGES_WHO:
                client, token = somebody(hall, person)
        assert found == {name: row[PEOPLE.index(person)] for name, row in MATRIX.items()}


def address(rule: Rule) -> str:
    """The route with something in each of its places."""
    parts = {
        "<int:call_id>": "1",
        "<int:ticket_id>": "1",
        "<int:slip_id>": "1",
        "<bay_id>": "x",
        "<path:device_id>": "a/b",
        "<any(close, open):what>": "close",
        "<any(printed, again, given_up):what>": "again",
        "<any(people, helpers):what>": "people",
        "<any(sites, zones, bays, places, entrances):what>/<path:key>": "bays/x",
        "<int:plan_id>": "1",
        "<int:request_id>": "1",
        "<int:note_id>": "1",
        "<any(json, csv):ending>": "json",
        "<person_id>": "p-1",
        "<helper_id>": "h-1",
        "<kind>": "help",
        "<window_id>": "W2",
        POST: "duty",
    }
    path = rule.rule
    for place, value in parts.items():
        path = path.replace(place, value)
    return path


def somebody(hall: ConsoleHall, person: str) -> tuple[Client, str]:
    hall.clock.go(min=1)  # wrong passwords of one route must not use up the tries of the next
    if person == "anonymous":
        client = hall.client()
        return client, client.token()
    if person == "new":
        admin = hall.accounts.session(hall.accounts.sign_in(ADMIN, ADMIN_PASSWORD, "here"))
        assert admin is not None
        name = f"new {hall.clock.now_ms}"
        client = hall.client(name, hall.accounts.add(admin, name, "staff"))
        return client, client.token("/console/password")
    client = hall.client(ADMIN, ADMIN_PASSWORD) if person == "admin" else hall.client(STAFF, STAFF_PASSWORD)
    token = client.token("/console")
    if person == "locked":
        assert client.order("lock").status_code == 200
    return client, token


def verdict(answer, name: str) -> str:
    where = answer.headers.get("Location", "")
    kind = (
        answer.get_json()["error"]["code"] if answer.is_json and "error" in (answer.get_json() or {}) else ""
    )
    if answer.status_code == 303 and name.startswith("GET") and not name.endswith(("/sign-in", "/first")):
        return f"303→{where.rsplit('/', 1)[-1]}"
    if answer.status_code == 401 or answer.status_code == 423 or kind in ("not_allowed", "must_change_first"):
        return str(answer.status_code)
    if (
        answer.status_code == 403
        and not answer.is_json
        and "<form" not in answer.get_data(as_text=True).split("<main")[1]
    ):
        return "403"
    assert kind not in ("form_stale", "our_fault"), name
    return "in"


# ---------------------------------------------------------------- forged forms


def test_a_form_without_its_token_changes_nothing(hall: ConsoleHall) -> None:
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    answer = client.post(
        "/console/staff", data={"do": "add", "name": "evil", "role": "admin"}, headers={"Origin": ORIGIN}
    )
    assert answer.status_code == 403
    assert "evil" not in [one.name for one in hall.accounts.members()]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "", "http://localhost.evil.example", "https://localhost:1"]
)
def test_a_form_from_elsewhere_changes_nothing_even_with_the_token(hall: ConsoleHall, origin: str) -> None:
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    data = {"do": "add", "name": "evil", "role": "admin", "form_token": client.token("/console/staff")}
    headers = {"Origin": origin} if origin else {}
    assert client.post("/console/staff", data=data, headers=headers).status_code == 403
    assert "evil" not in [one.name for one in hall.accounts.members()]


def test_the_token_of_one_session_is_worth_nothing_in_another(hall: ConsoleHall) -> None:
    admin, staff = hall.client(ADMIN, ADMIN_PASSWORD), hall.client(STAFF, STAFF_PASSWORD)
    headers = {"Origin": ORIGIN, "X-Form-Token": staff.token("/console")}
    assert admin.post("/console/api/lock", json={}, headers=headers).status_code == 403


def test_signing_in_cannot_be_forged_either(hall: ConsoleHall) -> None:
    stranger = hall.client()
    data = {"name": ADMIN, "password": ADMIN_PASSWORD, "form_token": hall.client().token()}
    assert stranger.post("/console/sign-in", data=data, headers={"Origin": ORIGIN}).status_code == 403


# ---------------------------------------------------------------- cookies and headers


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(hall: ConsoleHall) -> None:
    answer = hall.client().sign_in(ADMIN, ADMIN_PASSWORD)
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("linli_staff="))
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/console" in cookie
    assert "Secure" not in cookie


def test_behind_https_the_cookie_never_travels_in_the_clear(tmp_path: Path) -> None:
    with console_hall(tmp_path, base_url="https://hall.example") as hall:
        client = Client(hall.app)
        page = client.get("/console/sign-in", base_url="https://hall.example").get_data(as_text=True)
        token = page.split('name="form_token" value="')[1][:64]
        data = {"name": ADMIN, "password": ADMIN_PASSWORD, "form_token": token}
        headers = {"Origin": "https://hall.example"}
        answer = client.post("/console/sign-in", data=data, headers=headers, base_url="https://hall.example")
        cookie = next(one for one in answer.headers.getlist("Set-Cookie") if "linli_staff=" in one)
        assert cookie.startswith("__Host-linli_staff=")
        assert "Secure" in cookie
        assert "Path=/" in cookie.split("; ")
        plain = client.post(
            "/console/sign-in",
            data=data,
            headers={"Origin": "http://hall.example"},
            base_url="https://hall.example",
        )
        assert plain.status_code == 403


@pytest.mark.parametrize("path", ["/console/sign-in", "/console", "/console/live", "/console/api/session"])
def test_every_answer_is_sealed(hall: ConsoleHall, path: str) -> None:
    answer = hall.client(ADMIN, ADMIN_PASSWORD).get(path, buffered=False)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    answer.close()


def test_no_page_has_a_script_or_a_style_inside(hall: ConsoleHall) -> None:
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    for path in (
        "/console",
        "/console/staff",
        "/console/journal",
        "/console/password",
        "/console/devices",
        "/console/running",
    ):
        html = client.get(path).get_data(as_text=True)
        scripts = [tag.split(">")[0] for tag in html.split("<script")[1:]]
        assert all(" src=" in tag or 'type="application/json"' in tag for tag in scripts), path
        assert " style=" not in html, path
        assert " onclick=" not in html, path


def test_wrong_passwords_are_answered_with_429_and_when_to_come_back(tmp_path: Path) -> None:
    with console_hall(tmp_path) as hall:
        client = hall.client()
        for _ in range(3):
            assert client.sign_in(ADMIN, "wrong").status_code == 403
        answer = client.sign_in(ADMIN, ADMIN_PASSWORD)
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "60"
        assert "请 60 秒后再试" in answer.get_data(as_text=True)


def test_the_first_administrator_signs_in_through_the_page(tmp_path: Path) -> None:
    hall = ConsoleHall(tmp_path / "hall")
    try:
        client = hall.client()
        assert client.get("/console/sign-in").headers["Location"] == "/console/first"
        token = (tmp_path / "hall" / "first-admin-token").read_text(encoding="ascii")
        fields = {"token": token, "name": ADMIN, "password": ADMIN_PASSWORD}
        assert client.form("/console/first", **fields, again="other").status_code == 403
        answer = client.form("/console/first", **fields, again=ADMIN_PASSWORD)
        assert answer.headers["Location"] == "/console/start", "the first steps of a new hall"
        assert client.get("/console").status_code == 200
        assert client.get("/console/first").headers["Location"] == "/console/sign-in"
        assert not (tmp_path / "hall" / "first-admin-token").exists()
    finally:
        hall.close()


def test_an_administrator_adds_resets_and_disables(hall: ConsoleHall) -> None:
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    html = client.form("/console/staff", do="add", name="<b>赵敏</b>", role="staff").get_data(as_text=True)
    assert "&lt;b&gt;赵敏" in html
    assert "<b>赵敏" not in html
    handed = html.split('class="secret">')[1].split("<")[0]
    new = hall.client("<b>赵敏</b>", handed)
    staff_id = str(next(one.staff_id for one in hall.accounts.members() if "赵敏" in one.name))
    assert client.form("/console/staff", do="disable", staff_id=staff_id).status_code == 303
    assert new.get("/console/password").headers["Location"] == "/console/sign-in"
    assert "没有这个账号" in client.form("/console/staff", do="reset", staff_id="999").get_data(as_text=True)


def test_the_pages_speak_english_by_one_tap(hall: ConsoleHall) -> None:
    client = hall.client()
    assert "工作人员登录" in client.get("/console/sign-in").get_data(as_text=True)
    assert "Staff sign-in" in client.get("/console/sign-in?lang=en").get_data(as_text=True)
    assert "Staff sign-in" in client.get("/console/sign-in").get_data(as_text=True)
