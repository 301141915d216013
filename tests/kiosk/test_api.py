"""The public API on a real notebook."""

from __future__ import annotations

import http.client
import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.house import House
from gateway.notebook import Notebook
from herald.sendings import Sendings
from kiosk import line
from kiosk.app import BODY_AT_MOST
from kiosk.core import Core
from tests.kiosk.conftest import ROOM, HeldClock
from tests.kiosk.fake_gateway import FakeGateway

Take = Callable[..., dict[str, object]]


def complaint(answer: object) -> tuple[int, str]:
    """Status and code of a refusal; both languages must be there."""
    told = answer.get_json()["error"]  # type: ignore[attr-defined]
    assert told["zh"]
    assert told["en"]
    return answer.status_code, told["code"]  # type: ignore[attr-defined]


def test_the_thirty_one_services(client: FlaskClient) -> None:
    services = client.get("/api/services").get_json()
    assert len(services) == 31
    dibao = next(one for one in services if one["code"] == "ZW-01")
    assert dibao["name_zh"] == "最低生活保障申请"
    assert dibao["time_limit"]["promised"]["zh"] == "以窗口答复为准"
    assert dibao["phone"] is None
    assert [one["services"] for one in client.get("/api/categories").get_json()] == [7, 16, 8]
    assert len(client.get("/api/windows").get_json()) == 7


def test_a_number_with_its_place_and_its_window(take: Take) -> None:
    take("ZW-01", "first-key")
    told = take("ZW-02", "second-key")
    assert (told["number"], told["ahead"], told["state"]) == ("B002", 1, "WAITING")
    assert told["windows"] == [
        {"id": "W2", "zh": "2号 民生保障窗口", "en": "2: Welfare & Assistance Window", "open": False}
    ]
    slip: Any = told["slip"]
    assert (slip["state"], slip["printer"], slip["word"]) == ("QUEUED", None, "js_paper_coming")


def test_a_double_tap_is_one_ticket(take: Take, client: FlaskClient) -> None:
    told = take("ZW-01", "one-and-the-same")
    again = client.post("/api/tickets", json={"service": "ZW-01", "key": "one-and-the-same"})
    assert (again.status_code, again.get_json()["number"], again.get_json()["token"]) == (
        200,
        told["number"],
        told["token"],
    )
    other = client.post("/api/tickets", json={"service": "ZW-02", "key": "one-and-the-same"})
    assert complaint(other) == (409, "key_used")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"service": "XX-99", "key": "abcdefgh"}, (404, "unknown_service")),
        ({"service": "WY-02", "key": "abcdefgh"}, (409, "no_ticket_needed")),
        ({"service": "ZW-01", "key": "x" * 65}, (400, "bad_key")),
        ({"service": "ZW-01", "key": "<script>alert(1)</script>"}, (400, "bad_key")),
        ({"service": "ZW-01", "key": "abcdefgh", "lang": "fr"}, (400, "bad_lang")),
        ({"service": "ZW-01", "key": "abcdefgh", "lang": ["zh"]}, (400, "bad_lang")),
        ({"service": "ZW-01", "key": "abcdefgh", "screen": "../etc"}, (400, "bad_screen")),
        ({"service": "ZW-01", "key": 12345678}, (400, "bad_request")),
        ({"service": "ZW-01", "key": ""}, (400, "bad_request")),
        ({"service": None, "key": "abcdefgh"}, (400, "bad_request")),
        (["ZW-01"], (400, "bad_request")),
    ],
)
def test_what_makes_no_sense_is_refused_in_two_languages(
    client: FlaskClient, asked: object, expected: tuple[int, str]
) -> None:
    assert complaint(client.post("/api/tickets", json=asked)) == expected
    assert client.get("/api/state").get_json()["waiting"]["total"] == 0


@pytest.mark.parametrize("path", ["/api/tickets", "/api/check-in", "/api/help"])
@pytest.mark.parametrize("name", ["service", "key", "screen", "code", "\ud800"])
def test_half_a_sign_is_no_text(client: FlaskClient, path: str, name: str) -> None:
    """JSON can say it, UTF-8 cannot: it is malformed, and no fault of ours."""
    asked = {"service": "ZW-01", "screen": "kiosk-1", "code": "K7MQ4XRT", name: "\ud800"}
    answer = client.post(path, data=json.dumps(asked), content_type="application/json")
    assert complaint(answer) == (400, "bad_request")


def test_an_item_beside_the_list_of_items_is_never_dropped_silently(client: FlaskClient) -> None:
    asked = {"service": "ZW-05", "services": ["ZW-01", "ZW-05"], "key": "two-minds"}
    assert complaint(client.post("/api/tickets", json=asked)) == (400, "bad_services")
    assert client.post("/api/tickets", json={**asked, "service": "ZW-01"}).status_code == 201


def test_bodies_that_are_no_json_or_too_large(client: FlaskClient) -> None:
    form = client.post("/api/tickets", data={"service": "ZW-01", "key": "abcdefgh"})
    assert complaint(form) == (415, "json_only")
    broken = client.post("/api/tickets", data="{", content_type="application/json")
    assert complaint(broken) == (400, "bad_request")
    deep = client.post("/api/tickets", data="[" * 30_000, content_type="application/json")
    assert complaint(deep) == (400, "bad_request"), "so deep that Python's reader gives up"
    huge = client.post("/api/tickets", json={"service": "ZW-01", "key": "x" * BODY_AT_MOST})
    assert complaint(huge) == (413, "too_large")
    assert complaint(client.get("/api/nothing")) == (404, "not_found")
    assert complaint(client.delete("/api/tickets")) == (405, "method_not_allowed")


def test_a_ticket_follows_its_life(take: Take, client: FlaskClient, core: Core, clock: HeldClock) -> None:
    told = take("ZW-01", "abcdefgh")
    where = f"/api/tickets/{told['token']}"
    line.call_next(core, "W2", "li")
    called = client.get(where).get_json()
    assert (called["state"], called["called_at"]["zh"], called["ahead"]) == ("CALLED", "2号 民生保障窗口", 0)
    clock.forward(hours=24)
    assert client.get(where).get_json()["state"] == "EXPIRED"
    assert complaint(client.get("/api/tickets/AAAAAAAAAAAAAAAA")) == (404, "unknown_ticket")


BRIDGE = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE jobs(job_id INTEGER PRIMARY KEY, slip_id INTEGER UNIQUE, printer TEXT, state TEXT, attempts INTEGER,
                  created_ms INTEGER, changed_ms INTEGER, why_zh TEXT DEFAULT '', why_en TEXT DEFAULT '',
                  confirmed_by TEXT, meant_for TEXT DEFAULT '', voided INTEGER DEFAULT 0);
CREATE TABLE printers(printer TEXT PRIMARY KEY, state TEXT, since_ms INTEGER, why_zh TEXT, why_en TEXT,
                      last_printed_ms INTEGER);
CREATE TABLE panels(panel TEXT PRIMARY KEY, state TEXT, shown TEXT, since_ms INTEGER, why_zh TEXT, why_en TEXT);
CREATE TABLE bridge_alive(pid INTEGER, started_ms INTEGER, beat_ms INTEGER);
"""


@pytest.fixture
def bridge(house: House, clock: HeldClock) -> sqlite3.Connection:
    """The bridge's notebook, as the contract describes it."""
    bridge = sqlite3.connect(house.bridge_db, isolation_level=None)
    bridge.executescript("PRAGMA journal_mode=WAL;" + BRIDGE)
    bridge.execute("INSERT INTO bridge_alive VALUES (1, ?, ?)", (clock.now_ms, clock.now_ms))
    bridge.execute("INSERT INTO printers VALUES ('hall', 'ready', 0, '', '', NULL)")
    return bridge


@pytest.fixture
def herald(house: House, clock: HeldClock) -> Iterator[Notebook]:
    """The herald's notebook, with its own schema, and a modem in it."""
    book = Notebook(house.herald_db, ROOM.parent / "herald/schema")
    sendings = Sendings(book, clock)
    sendings.begin(7)
    sendings.modem_is("ready", "", "")
    yield book
    book.close()


def test_the_slips_real_state_is_shown(take: Take, client: FlaskClient, bridge: sqlite3.Connection) -> None:
    where = f"/api/tickets/{take('ZW-01', 'abcdefgh')['token']}"
    assert client.get(where).get_json()["slip"]["state"] == "QUEUED"
    bridge.execute("UPDATE printers SET state = 'paper_out', why_zh = '缺纸', why_en = 'no paper'")
    waiting = client.get(where).get_json()["slip"]
    assert (waiting["state"], waiting["printer"], waiting["word"]) == ("QUEUED", "paper_out", "js_paper_out")
    assert (waiting["why_zh"], waiting["why_en"]) == ("缺纸", "no paper")
    bridge.execute("INSERT INTO jobs(slip_id, printer, state) VALUES (1, 'hall', 'PRINTED')")
    assert client.get(where).get_json()["slip"]["state"] == "PRINTED"
    bridge.close()


def test_healthz_waits_for_every_core_part(
    client: FlaskClient,
    gateway: FakeGateway,
    bridge: sqlite3.Connection,
    herald: Notebook,
    clock: HeldClock,
) -> None:
    whole = client.get("/healthz")
    assert (whole.status_code, whole.get_json()["status"]) == (200, "ready")
    assert set(whole.get_json()["parts"]) == {
        "kiosk",
        "gateway",
        "broker",
        "notebook",
        "bridge",
        "printer:hall",
        "herald",
        "sms",
        "voice",
    }
    bridge.execute("UPDATE printers SET state = 'paper_out'")
    no_paper = client.get("/healthz")
    assert (no_paper.status_code, no_paper.get_json()["status"]) == (200, "degraded")
    Sendings(herald, clock).modem_is("no_sim", "没有 SIM 卡", "no SIM card")
    no_card = client.get("/healthz").get_json()["parts"]["sms"]
    assert (no_card["state"], no_card["why_zh"]) == ("degraded", "没有 SIM 卡")
    clock.forward(seconds=51)
    silent = client.get("/healthz")
    assert silent.status_code == 503
    assert silent.get_json()["parts"]["bridge"]["why_en"] == "the bridge does not answer"
    assert silent.get_json()["parts"]["herald"]["why_en"] == "the herald does not answer"
    bridge.close()


def test_without_gateway_and_bridge_a_number_is_still_given(client: FlaskClient, take: Take) -> None:
    health = client.get("/healthz")
    assert (health.status_code, health.get_json()["status"]) == (503, "down")
    assert health.get_json()["parts"]["kiosk"]["state"] == "ready"
    assert client.get("/livez").status_code == 200
    assert take("ZW-01", "abcdefgh")["number"] == "B001"


def test_help_is_a_call_written_by_the_gateway(client: FlaskClient, gateway: FakeGateway) -> None:
    answer = client.post("/api/help", json={"screen": "kiosk-1", "key": "abcdefgh"})
    assert (answer.status_code, answer.get_json()) == (202, {"call_id": 7, "written": True})
    order = gateway.wait_order("raise_call")
    assert {name: order[name] for name in ("device_id", "kind", "place_zh", "key")} == {
        "device_id": "screen:kiosk-1",
        "kind": "help",
        "place_zh": "大厅自助机 1",
        "key": "abcdefgh",
    }


@pytest.mark.parametrize(
    "screen",
    ["btn-0302", "gpio-desk", "screen:kiosk-1", "kiosk-0", "kiosk-01", "kiosk-100", "kiosk-1\n", "lobby"],
)
def test_a_stranger_calls_in_no_other_name_than_a_screen_s(
    client: FlaskClient, gateway: FakeGateway, screen: str
) -> None:
    """An invented name neither takes over an elder's button nor makes one more call ring."""
    assert complaint(client.post("/api/help", json={"screen": screen, "key": "abcdefgh"})) == (
        400,
        "bad_request",
    )
    assert client.post("/api/help", json={"screen": "kiosk-12", "key": "abcdefgh"}).status_code == 202
    assert gateway.wait_order("raise_call")["device_id"] == "screen:kiosk-12"


def test_help_from_another_machine_is_nobody_s_kiosk_until_a_technician_was_there(
    client: FlaskClient, gateway: FakeGateway, core: Core, clock: HeldClock
) -> None:
    """A telephone in the hall's network raises a call, but in no screen's name, and is told what to do."""
    asked, phone = {"screen": "kiosk-1"}, {"REMOTE_ADDR": "::ffff:192.168.1.7"}
    told = client.post("/api/help", json=asked, environ_overrides=phone)
    assert told.status_code == 202
    assert (
        "请到服务台" in told.get_json()["note"]["zh"] and "walk to the desk" in told.get_json()["note"]["en"]
    )
    order = gateway.wait_order("raise_call")
    assert (order["device_id"], order["by"]) == ("screen:elsewhere", "kiosk-1 192.168.1.7")
    assert "192.168.1.7" in order["place_zh"] and "自助机 1" not in order["name"] + order["place_zh"]
    codes = [client.post("/api/help", json=asked, environ_overrides=phone).status_code for _ in range(5)]
    assert codes == [202, 202, 202, 202, 429]
    clock.forward(seconds=61)
    code = core.screen_codes.make("kiosk-2", "小李", core.now_ms())
    form = {"do": "save", "code": code, "px_per_mm": "4.03"}
    assert client.post("/calibrate?screen=kiosk-2", data=form, environ_overrides=phone).status_code == 303
    told = client.post("/api/help", json={"screen": "kiosk-2"}, environ_overrides=phone)
    assert (told.status_code, "note" in told.get_json()) == (202, False)
    raised = [gateway.wait_order("raise_call")["device_id"] for _ in range(5)]
    assert raised == ["screen:elsewhere"] * 4 + ["screen:kiosk-2"]


def test_help_without_a_gateway_says_so(client: FlaskClient) -> None:
    answer = client.post("/api/help", json={"screen": "kiosk-1", "key": "abcdefgh"})
    assert complaint(answer) == (503, "outside_down")
    assert answer.get_json()["error"]["zh"] == "呼叫系统暂时没有响应，请招手或直接到服务台"


def test_the_state_of_hall_screens_holds_nothing_of_a_person(
    client: FlaskClient, take: Take, core: Core, gateway: FakeGateway
) -> None:
    gateway.calls = [{"call_id": 1, "person": "张奶奶"}]
    token = str(take("ZW-01", "abcdefgh")["token"])
    line.call_next(core, "W2", "李四")
    state = client.get("/api/state")
    assert [one["number"] for one in state.get_json()["called"]] == ["B001"]
    assert [one["number"] for one in state.get_json()["zones"]] == [3, 6]
    for secret in ("张奶奶", "李四", token):
        assert secret not in state.text


def test_residents_are_not_told_of_sensors_that_nobody_has_claimed(
    client: FlaskClient, core: Core, gateway: FakeGateway
) -> None:
    """They may lie in a drawer: a free bay among them is none. Staff see them, to claim them."""
    unclaimed = {**gateway.zones[0], "zone_id": "unclaimed", "name_zh": "待认领", "name_en": "Unclaimed"}
    hall, staff = core.hub.stream("hall"), core.hub.stream("staff")
    gateway.tell("ZoneChanged", zone=unclaimed)
    gateway.tell("ZoneChanged", zone={**gateway.zones[0], "free": 2})
    heard: dict[str, list[str]] = {"hall": [], "staff": []}
    for name, stream in (("staff", staff), ("hall", hall)):
        for told in stream:
            heard[name] += re.findall(r'"zone_id": ?"(\w+)"', told.decode())
            if "east" in heard[name]:
                break
        stream.close()
    assert heard == {"hall": ["east"], "staff": ["unclaimed", "east"]}
    assert [one["zone_id"] for one in client.get("/api/state").get_json()["zones"]] == ["east", "west"]
    for path in ("/parking", "/display"):
        assert "东区" in client.get(path).text or "east" in client.get(path).text
        assert "unclaimed" not in client.get(path).text
    assert "unclaimed" in [one["zone_id"] for one in core.link.snapshot()["zones"]]


@pytest.mark.slow
def test_ten_clients_at_once_get_ten_times_twenty_numbers(address: str, core: Core) -> None:
    host = address.removeprefix("http://")
    numbers: list[str] = []

    def client(name: int) -> None:
        door = http.client.HTTPConnection(host, timeout=10)
        for count in range(20):
            asked = json.dumps({"service": "ZW-01", "key": f"client-{name}-{count}"})
            door.request("POST", "/api/tickets", asked, {"Content-Type": "application/json"})
            numbers.append(json.loads(door.getresponse().read())["number"])
        door.close()

    threads = [threading.Thread(target=client, args=(name,)) for name in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(numbers) == [f"B{number:03d}" for number in range(1, 201)]
    assert core.reader().execute("SELECT count(*) FROM slips").fetchone()[0] == 200


def test_every_answer_forbids_foreign_scripts_and_remembers_nothing(client: FlaskClient) -> None:
    for path in ("/", "/item/ZW-01", "/display", "/parking", "/api/state"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
