"""The virtual hall's page, against a small control socket that speaks docs/protocol.md, 6."""

from __future__ import annotations

import html
import json
import queue
import re
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from devices.plan import Virtual
from devices.virtual.bay import VirtualBay, VirtualTextPanel
from devices.virtual.button import VirtualButton
from devices.virtual.line import Line
from devices.virtual.panel import VirtualSerialPanel
from devices.virtual.printer import VirtualPrinter
from gateway.house import House
from kiosk.app import create_app
from kiosk.core import Core
from kiosk.demo import FACTS

PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture
def control(house: House) -> Iterator[queue.Queue[dict[str, Any]]]:
    """The orders that the virtual hall was given."""
    orders: queue.Queue[dict[str, Any]] = queue.Queue()

    class Visitor(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for raw in self.rfile:
                order = json.loads(raw)
                orders.put(order)
                answer: dict[str, Any] = {"re": order["id"], "ok": True, "state": {"paper": "out"}}
                if order["do"] == "list":
                    answer = {"re": order["id"], "ok": True, "devices": {"button:btn-1": {"light": "blink"}}}
                elif order["device"] == "bay:nowhere":
                    answer = {
                        "re": order["id"],
                        "ok": False,
                        "why_zh": "没有这个设备",
                        "why_en": "no such device",
                    }
                self.wfile.write(json.dumps(answer).encode() + b"\n")

    house.run_dir.mkdir(exist_ok=True)
    server = socketserver.ThreadingUnixStreamServer(str(house.virtual_socket), Visitor)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield orders
    server.shutdown()
    server.server_close()


def test_it_shows_the_devices_and_the_newest_paper_first(
    client: FlaskClient, house: House, control: queue.Queue[dict[str, Any]]
) -> None:
    folder = house.home / "virtual" / "paper" / "hall"
    folder.mkdir(parents=True)
    for number in (2, 10, 1):
        (folder / f"{number}.png").write_bytes(PNG)
    (folder / "notes.txt").write_text("not a slip")
    state = client.get("/demo/state").get_json()
    assert state["running"] is True
    assert state["devices"] == {"button:btn-1": {"light": "blink"}}
    assert state["paper"] == {"hall": [10, 2, 1]}
    slip = client.get("/demo/paper/hall/10.png")
    assert (slip.status_code, slip.mimetype, slip.data) == (200, "image/png", PNG)
    slip.close()


@pytest.mark.parametrize(
    "path",
    [
        "/demo/paper/hall/99.png",
        "/demo/paper/other/1.png",
        "/demo/paper/hall/../../../kiosk.db",
        "/demo/paper/..%2f..%2fkiosk.db/1.png",
        "/demo/paper/hall/-1.png",
        "/demo/paper/hall/1.txt",
    ],
)
def test_nothing_but_slips_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_device_is_told_to_misbehave(client: FlaskClient, control: queue.Queue[dict[str, Any]]) -> None:
    answer = client.post("/demo/do", json={"device": "printer:hall", "do": "slow"})
    assert (answer.status_code, answer.get_json()) == (200, {"state": {"paper": "out"}})
    assert control.get(timeout=5) == {"id": "demo", "device": "printer:hall", "do": "slow", "bps": 1200}


def test_what_a_device_cannot_do_is_refused(
    client: FlaskClient, control: queue.Queue[dict[str, Any]]
) -> None:
    for device, what, status in (
        ("printer:hall", "explode", 400),
        ("kettle:1", "press", 400),
        ("bay:nowhere", "arrive", 409),
    ):
        answer = client.post("/demo/do", json={"device": device, "do": what})
        assert answer.status_code == status
        assert answer.get_json()["error"]["zh"]


def test_the_page_has_a_word_for_all_that_a_virtual_device_says_of_itself(tmp_path: Path) -> None:
    """A fact that nobody has named would be left out without anybody noticing; so would a command."""
    line = Line("127.0.0.1", 1, lambda: None)  # never started: nobody is asked
    counter, text = VirtualSerialPanel("gate-count", tmp_path), VirtualTextPanel("gate", line)
    told = {
        "printer": set(VirtualPrinter("hall", tmp_path).state()),
        "panel": set(counter.state()) | set(text.state()),
        "button": set(VirtualButton("btn-1", line).state()),
        "bay": set(VirtualBay("bay-1", line, occupied=True).state()),
    }
    technical = {"device", "port", "paper_dir", "frames"}
    assert {kind: facts - technical for kind, facts in told.items()} == {k: set(v) for k, v in FACTS.items()}


@pytest.mark.parametrize(("lang", "light", "off"), [("zh", "灯", "灭"), ("en", "Lamp", "off")])
def test_the_page_is_given_its_words_in_the_readers_language(
    client: FlaskClient, lang: str, light: str, off: str
) -> None:
    given = dict(re.findall(r'data-(\w+)="([^"]*)"', client.get(f"/demo?lang={lang}").text))
    assert json.loads(html.unescape(given["facts"]))["button"][0] == ["light", light]
    assert json.loads(html.unescape(given["values"]))["off"] == off


def test_a_form_from_elsewhere_cannot_press_anything(client: FlaskClient) -> None:
    """A foreign page can send a form without asking, but not JSON: that needs a permission nobody gives."""
    assert client.post("/demo/do", data={"device": "button:btn-1", "do": "press"}).status_code == 415


def test_without_virtual_devices_the_page_says_so(client: FlaskClient) -> None:
    state = client.get("/demo/state").get_json()
    assert (state["running"], state["devices"], state["paper"]) == (False, {}, {"hall": []})
    assert client.get("/demo").status_code == 200


def test_a_real_hall_has_no_such_page(core: Core, house: House) -> None:
    real = replace(core, house=replace(house, plan=replace(house.plan, virtual=Virtual(on=False))))
    assert create_app(real).test_client().get("/demo").status_code == 404
