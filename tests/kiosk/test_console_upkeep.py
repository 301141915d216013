"""The rounds that a technician walks: what is wrong, worst first, and one touch for what was done; a real gateway."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.kiosk.care_hall import CareHall, care_hall
from tests.parts import wait_until

pytestmark = pytest.mark.slow
BTN = "btn-0302"
ROUNDS = "/console/devices/rounds?all=1"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[CareHall]:
    with care_hall(tmp_path) as hall:
        hall.core.link.order(
            "claim_device",
            device_id=BTN,
            kind="call_button",
            name="302 床头",
            place="3栋1单元302",
            by="王主任",
        )
        yield hall


def text(answer: TestResponse) -> str:
    body = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def test_a_hall_in_which_all_is_well_says_so_and_shows_all_on_demand(hall: CareHall) -> None:
    client = hall.client()
    assert "没有要处理的设备" in text(client.get("/console/devices/rounds"))
    whole = text(client.get("/console/devices/rounds?all=1"))
    assert "3栋1单元302" in whole and "302 床头" in whole and "换了电池" in whole


def test_a_battery_that_was_changed_is_written_down(hall: CareHall) -> None:
    client = hall.client()
    answer = client.form("/console/devices/rounds", ROUNDS, device_id=BTN, do="battery_changed", all="1")
    assert answer.status_code == 303
    assert "已记下" in text(client.get(answer.location))
    row = hall.core.gateway_reader().execute(
        "SELECT battery_changed_ms FROM device_care WHERE device_id = ?", (BTN,)
    )
    assert row.fetchone()[0] > 0


def test_a_test_is_announced_and_the_page_says_that_its_press_is_awaited(hall: CareHall) -> None:
    client = hall.client()
    answer = client.form("/console/devices/rounds", ROUNDS, device_id=BTN, do="expect_test", all="1")
    assert "下一次按下算测试" in text(client.get(answer.location))
    wait_until(
        lambda: "正在等它按一下" in text(client.get("/console/devices/rounds?all=1")),
        lambda: "the page says that a press is awaited",
    )


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"device_id": "nobody", "do": "tested"}, 409),
        ({"device_id": BTN, "do": "burn"}, 400),
        ({"do": "tested"}, 400),
        ({"path_id": "no such bridge"}, 409),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(hall: CareHall, form: dict[str, str], status: int) -> None:
    assert hall.client().form("/console/devices/rounds", ROUNDS, **form).status_code == status
