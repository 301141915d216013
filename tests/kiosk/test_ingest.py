"""A wearable's platform pushes over HTTP: written before it is answered, refused in clear words, never twice.

The kiosk's door with a real gateway behind it (no broker: none is needed).
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from devices.plan import Ingest, Plan
from gateway.house import House
from kiosk.core import Core
from linli.broker import free_port
from tests.kiosk.one_app import app_over
from tests.parts import Process, wait_until

TOKEN = "0123456789abcdef-watch"


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "token").write_text(TOKEN + "\n", encoding="utf-8")
    (tmp_path / "short").write_text("secret", encoding="utf-8")
    watch = Ingest("watch", token_file=str(tmp_path / "token"))
    short = Ingest("short", token_file=str(tmp_path / "short"))
    return House(tmp_path, tmp_path / "run", dataclasses.replace(Plan(), ingest=(watch, short)), "")


@pytest.fixture
def client(core: Core) -> FlaskClient:
    return app_over(core).test_client()


@pytest.fixture
def hall(house: House, core: Core) -> Iterator[Process]:
    environ = {"LINLI_HOME": str(house.home), "LINLI_RUN": str(house.run_dir), "LINLI_MQTT_PORT": str(free_port())}
    gateway = Process("gateway", environ)
    core.link.start()
    wait_until(lambda: core.link.connected, lambda: "the kiosk has the gateway")
    yield gateway
    gateway.stop()


def push(client: FlaskClient, source: str = "watch", token: str = TOKEN, **words: Any) -> tuple[int, dict[str, Any]]:
    said = client.post(f"/ingest/{source}?token={token}", **words)
    return said.status_code, json.loads(said.data)


def calls(house: House) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(f"file:{house.gateway_db}?mode=ro", uri=True)) as book:
        return book.execute("SELECT device_id, presses FROM calls ORDER BY call_id").fetchall()


def test_an_sos_in_a_form_is_a_call_before_the_platform_is_answered(
    client: FlaskClient, hall: Process, house: House
) -> None:
    status, said = push(client, data={"imei": "861230001", "type": "1", "time": "1700000000"})
    assert (status, said["written"], said["code"]) == (200, True, 0)
    assert calls(house) == [("http_push:861230001", 1)]


def test_a_retry_is_the_same_press_and_json_is_as_good_as_a_form(
    client: FlaskClient, hall: Process, house: House
) -> None:
    words = {"deviceId": "W7", "alarmType": "fall", "msgId": "m-1"}
    for _ in range(3):
        assert push(client, json=words)[0] == 200
    assert calls(house) == [("http_push:W7", 1)]


def test_a_heart_rate_rings_nobody_and_is_taken(client: FlaskClient, hall: Process, house: House) -> None:
    for beat in (70, 71, 72):
        assert push(client, json={"imei": "861230001", "type": 3, "heartrate": beat})[0] == 200
    assert calls(house) == []


def test_the_token_may_stand_in_a_header(client: FlaskClient, hall: Process) -> None:
    head = {"Authorization": f"Bearer {TOKEN}"}
    assert client.post("/ingest/watch", data={"imei": "1", "type": "67"}, headers=head).status_code == 200


@pytest.mark.parametrize(
    ("source", "token"), [("watch", "wrong"), ("watch", ""), ("nobody", TOKEN), ("short", "secret")]
)
def test_who_has_no_token_is_refused_alike(client: FlaskClient, source: str, token: str) -> None:
    status, said = push(client, source, token, data={"imei": "1", "type": "1"})
    assert (status, said["error"]["code"]) == (401, "bad_token")


def test_a_form_without_a_device_is_told_so_in_chinese(client: FlaskClient, hall: Process, house: House) -> None:
    status, said = push(client, data={"type": "1"})
    assert status == 400
    assert "没有设备编号" in said["error"]["zh"] and "names no device" in said["error"]["en"]
    assert calls(house) == []


@pytest.mark.parametrize("words", [{"data": {}}, {"data": b"\xff\xfe\x00"}, {"json": []}, {"json": "SOS"}])
def test_a_push_that_says_nothing_is_told_so(client: FlaskClient, words: dict[str, Any]) -> None:
    head = {"Authorization": f"Bearer {TOKEN}"}
    said = client.post("/ingest/watch", headers=head, **words)
    assert (said.status_code, json.loads(said.data)["error"]["code"]) == (400, "empty_push")


def test_brackets_without_end_are_no_push_and_nobody_s_fault(client: FlaskClient, hall: Process) -> None:
    head = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    said = client.post("/ingest/watch", headers=head, data=b"[" * 50_000)
    assert (said.status_code, json.loads(said.data)["error"]["code"]) == (400, "empty_push")


def test_an_sos_with_half_a_sign_in_its_words_rings_all_the_same(
    client: FlaskClient, hall: Process, house: House
) -> None:
    head = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    body = b'{"imei": "8613", "type": 1, "content": "\\ud83c", "\\ud800": 1}'
    assert client.post("/ingest/watch", headers=head, data=body).status_code == 200
    assert calls(house) == [("http_push:8613", 1)]


def test_while_the_gateway_is_away_the_platform_is_asked_to_say_it_again(client: FlaskClient) -> None:
    status, said = push(client, data={"imei": "1", "type": "1"})
    assert (status, said["error"]["code"]) == (503, "not_written")
