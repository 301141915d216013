"""The walk by all devices: a small car park and two flats, read from a real gateway's notebook."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from gateway.hall.parking_rows import BayPlan, Place, Vitals
from gateway.hall.state import Bay, Change, Device, Zone
from tests.kiosk.care_hall import CareHall, care_hall, furnished, now_ms, today

pytestmark = pytest.mark.slow
DAY_MS = 24 * 3_600_000
FLEET = "/console/devices/fleet"


def fleet_rows() -> list[Change]:
    """Zone A of six bays in two rows, drawn; a Wi-Fi companion; a button: each with another thing to see to."""
    at_ms = now_ms()
    rows = furnished()
    rows += [Zone("A", "A 区", "Zone A"), Place("hall", "hall", "大厅", "Hall", 0.5, 1.0)]
    for number in range(1, 7):
        bay_id, device_id = f"A{number:02}", f"chirpstack_v4:70b3d50000000{number:03}"
        rows.append(Bay(bay_id, "A", "free", device_id, at_ms, at_ms))
        x_m, y_m = (2.5 * number, 10.0) if number <= 3 else (2.5 * (7 - number), 20.0)
        rows.append(BayPlan(bay_id, "A", label=bay_id, x_m=x_m, y_m=y_m))
        rows.append(
            Device(
                device_id,
                "bay_sensor",
                at_ms,
                at_ms,
                DAY_MS,
                "chirpstack_v4",
                "Bosch TPS110",
                bay_id=bay_id,
                zone_id="A",
            )
        )
        rows.append(
            Vitals(
                device_id, at_ms,
                battery_mv=3480 if number == 2 else 3620,
                rssi_dbm=-119 if number == 3 else -97,
                snr_db=-13.5 if number == 3 else 6.0,
                temperature_c=58.0 if number == 4 else 21.0 + number / 2,
                firmware="0.33.2",
                service_ms={5: at_ms - DAY_MS, 1: at_ms + 90 * DAY_MS}.get(number, 0),
                base=3480.0, base_ms=at_ms - DAY_MS, a_month=-55.0 if number == 2 else -4.0,
            )
        )  # fmt: skip
    rows.append(
        Device("shelly:door", "companion", at_ms, at_ms, DAY_MS, "shelly", "SHDW-2", "大厅门磁", place="大厅")
    )
    rows.append(Vitals("shelly:door", at_ms, rssi_dbm=-61))
    return rows


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CareHall]:
    with care_hall(tmp_path_factory.mktemp("fleet"), fleet_rows()) as hall:
        yield hall


def text(answer: TestResponse) -> str:
    body = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def stops(answer: TestResponse) -> list[str]:
    return re.findall(r'<td class="door">([^<]+)<br>', answer.text)


def test_the_walk_goes_down_one_row_and_back_up_the_other(hall: CareHall) -> None:
    whole = hall.client().get(f"{FLEET}?show=all")
    assert stops(whole) == ["A01", "A02", "A03", "A04", "A05", "A06", "3栋", "大厅"]
    assert "区域 A" in text(whole) and "固件 0.33.2" in text(whole)


@pytest.mark.parametrize(
    ("show", "there"),
    [("due", ["A05"]), ("weak", ["A03"]), ("low", []), ("todo", ["A03", "A04", "A05"])],
)
def test_each_filter_keeps_the_order_and_counts(hall: CareHall, show: str, there: list[str]) -> None:
    page = hall.client().get(f"{FLEET}?show={show}")
    assert stops(page) == there
    assert re.search(rf'aria-current="page">[^<]+<strong>{len(there)}</strong>', page.text)


def test_what_is_odd_is_marked_where_it_stands_with_its_limit(hall: CareHall) -> None:
    page = hall.client().get(f"{FLEET}?show=all").text
    rows = dict(re.findall(r'<td class="door">([^<]+)<br>(.*?)</tr>', page, re.S))
    assert "降得快" in rows["A02"] and "每月 -55 mV" in rows["A02"] and "平稳" in rows["A01"]
    assert "弱" in rows["A03"] and "-119 dBm" in rows["A03"] and "弱" not in rows["大厅"]
    assert "存疑" in rows["A04"] and "存疑" not in rows["A05"]
    assert "已到期" in rows["A05"] and "没有定" in rows["A06"]
    assert "−115 dBm" in page


def test_the_next_service_is_written_and_the_order_of_it_journaled(hall: CareHall) -> None:
    client, device_id = hall.client(), "chirpstack_v4:70b3d50000000006"
    day = (today() + timedelta(days=30)).isoformat()
    answer = client.form(FLEET, f"{FLEET}?show=all", device_id=device_id, day=day, name="A06")
    assert answer.status_code == 303 and f"A06 下次保养 {day}" in text(client.get(answer.location))
    (due_ms,) = hall.core.gateway_reader().execute(
        "SELECT service_ms FROM vitals WHERE device_id = ?", (device_id,)
    ).fetchone()  # fmt: skip
    assert 29 * DAY_MS < due_ms - now_ms() < 31 * DAY_MS


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"device_id": "nobody", "day": "soon"}, 409),
        ({"device_id": "shelly:door", "day": "2001-01-01"}, 409),
        ({"device_id": "shelly:door", "day": "9999-12-31"}, 409),
        ({"day": "2030-01-01"}, 400),
    ],
)
def test_a_day_that_is_none_is_refused_in_words(hall: CareHall, form: dict[str, str], status: int) -> None:
    answer = hall.client().form(FLEET, f"{FLEET}?show=all", **form)
    assert answer.status_code == status
    assert status == 400 or "日期不对" in text(answer)


def test_a_device_that_nobody_knows_is_the_gateways_refusal(hall: CareHall) -> None:
    day = (today() + timedelta(days=30)).isoformat()
    answer = hall.client().form(FLEET, f"{FLEET}?show=all", device_id="nobody", day=day)
    assert answer.status_code == 409 and "没有设备 nobody" in text(answer)


def test_the_csv_has_every_device_of_the_filter_with_its_figures(hall: CareHall) -> None:
    answer = hall.client().get(f"{FLEET}?show=all&csv=1")
    head, *rows = csv.reader(io.StringIO(answer.text.lstrip("\ufeff")))
    assert len(rows) == 8 and all(len(row) == len(head) for row in rows)
    third = dict(zip(head, rows[2], strict=True))
    assert third["在哪里"] == "A03" and third["信号 dBm"].lstrip("'") == "-119" and third["弱"] == "弱"
    assert third["电池"] == "平稳" and third["温度 °C"] == "22.5"


def test_it_is_complete_in_english_and_reached_from_the_rounds(hall: CareHall) -> None:
    client = hall.client()
    assert f'href="{FLEET}"' in client.get("/console/devices/rounds").text
    said = text(client.get(f"{FLEET}?show=all&lang=en"))
    assert "falling fast, -55 mV a month" in said and "in doubt" in said and "overdue" in said
    client.get(f"{FLEET}?lang=zh")


def test_a_hall_without_devices_says_what_to_do(tmp_path: Path) -> None:
    with care_hall(tmp_path, []) as hall:
        assert "先到“设备”里登记" in text(hall.client().get(FLEET))
