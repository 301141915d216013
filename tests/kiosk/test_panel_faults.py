"""A panel that does not answer is a fault on the console, whatever wire it hangs on, and a task when it lasts.

A real gateway behind a real broker, the bridge's own notebook, a browser without scripts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_bridge.jobs import Jobs
from gateway.hall.panel_care import LONG_MS
from gateway.notebook import Notebook
from kiosk.console import picture
from kiosk.panel_news import carry
from kiosk.parking_tasks import open_tasks
from tests.kiosk import care_hall
from tests.kiosk.care_hall import CareHall, now_ms
from tests.kiosk.parked_hall import parked_hall
from tests.parts import wait_until

pytestmark = pytest.mark.slow
PANELS = """
[[panels]]
id = "gate"
name_zh = "东门文字屏"
name_en = "East gate text"
[[panels]]
id = "wall"
name_zh = "东门余位屏"
name_en = "East gate counter"
via = "serial"
[[panels]]
id = "w3-sign"
kind = "window"
window = "W3"
via = "serial"
driver = "bx5k"
port = "virtual"
"""


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CareHall]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(care_hall, "HALL_TOML", care_hall.HALL_TOML + PANELS)
        with parked_hall(tmp_path_factory.mktemp("panels")) as hall:
            yield hall


@pytest.fixture
def bridge(hall: CareHall) -> Iterator[Jobs]:
    """The bridge has been silent to these panels for twenty minutes."""
    book = Notebook(hall.house.bridge_db, care_hall.ROOT / "firmware_bridge/schema")
    jobs = Jobs(book, lambda: now_ms() - LONG_MS - 300_000)
    jobs.begin(["hall"], ["wall", "w3-sign"], 1)
    for panel in ("wall", "w3-sign"):
        jobs.panel_is(panel, "silent", "", "车位屏没有回音：检查电源和 485 线", "no answer from the panel")
    Jobs(book, now_ms).beat()
    yield jobs
    book.close()
    Path(hall.house.bridge_db).unlink()


def row_of(hall: CareHall, panel: str) -> picture.Json:
    return next((one for one in picture.paper(hall.core)["panels"] if one["panel"] == panel), {})


def test_a_panel_on_mqtt_stands_beside_the_printers_and_on_the_car_parks_page(hall: CareHall) -> None:
    device, page = hall.gateway.device("linli/v1/panel/gate/text"), hall.client()
    assert row_of(hall, "gate") == {}, "nobody knows yet"
    told = device.wait_heard("linli/v1/panel/gate/text")
    device.say("linli/v1/panel/gate/state", {"text": told["text"], "number": told["number"], "every_s": 20})
    wait_until(lambda: row_of(hall, "gate").get("state") == "ready", lambda: "it has answered")
    assert row_of(hall, "gate")["shown"] == str(told["number"])
    device.say("linli/v1/panel/gate/status", b"offline")
    wait_until(lambda: row_of(hall, "gate").get("state") == "offline", lambda: "it has gone")
    row = row_of(hall, "gate")
    assert (row["name_zh"], row["name_en"], row["shown"]) == ("东门文字屏", "East gate text", "")
    shown = page.get("/console/parking/tasks").text
    assert "脱机" in shown and "东门文字屏断开了" in shown
    parts = hall.app.test_client().get("/healthz").get_json()["parts"]
    assert parts["panel:gate"]["state"] == "offline" and parts["panel:gate"]["why_en"]


def test_one_on_a_serial_line_becomes_a_task_that_goes_when_it_answers(hall: CareHall, bridge: Jobs) -> None:
    core = hall.core
    assert carry(core) == 1, "a window's sign is none of the car park's"
    wait_until(lambda: bool(open_tasks(core)), lambda: "a task for the panel")
    (task,) = open_tasks(core)
    assert (task["kind"], task["subject"]) == ("panel", "panel:wall")
    page = hall.client()
    shown = page.get("/console/parking/tasks").text
    assert "屏没有应答" in shown and "东门余位屏" in shown and "检查电源和 485 线（已超过 15 分钟）" in shown
    bridge.panel_is("wall", "ready", "4 yellow least", "", "")
    assert carry(core) == 1
    wait_until(lambda: not open_tasks(core), lambda: "it has closed itself")
    shown = page.get("/console/parking/tasks").text
    assert "系统 Linli" in shown
    assert "“4 黄 （至少；不明的车位太多）”" in shown, "what stands on it, which is no “--”"
    assert "这种屏只有数字，显示不出“--”" in shown


def test_a_bridge_that_is_away_tells_nothing(hall: CareHall, bridge: Jobs) -> None:
    bridge.beat()  # of twenty minutes ago
    assert carry(hall.core) == 0
