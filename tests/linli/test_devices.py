"""`linli devices`: what a technician takes along on the round through the compound."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.messages import DeviceSeen
from gateway.arrival import Arrival
from linli.__main__ import main
from tests.gateway.held_hall import HeldClock, HeldHall


def test_the_walk_list_says_where_to_go_and_what_to_do_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    monkeypatch.setattr("linli.devices._now_ms", lambda: HeldClock().now_ms() + 3_600_000)
    hall = HeldHall(tmp_path, HeldClock())
    for number, pct in ((1, 5.0), (2, 90.0)):
        name = f"zigbee2mqtt:b{number}"
        hall.order(
            "claim_device",
            device_id=name,
            kind="call_button",
            name="床头",
            place=f"{number}栋302",
            person="张奶奶",
        )
        seen = DeviceSeen(name, "zigbee2mqtt", battery_pct=pct)
        hall.loop.take(Arrival(hall.clock.monotonic_ns(), hall.clock.now_ms(), "heard", (seen,)))
        hall.after_s(0.3)
    hall.die()

    assert main(["devices"]) == 0
    said = capsys.readouterr().out
    assert "1栋302 · 张奶奶 · 床头" in said and "换电池" in said and "change its battery" in said
    assert "时限 25 小时" in said and "2栋302" not in said and "2 devices, 1 need somebody" in said
    assert main(["devices", "--all"]) == 0
    assert "2栋302" in capsys.readouterr().out


def test_without_a_notebook_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINLI_HOME", str(tmp_path / "nowhere"))
    assert main(["devices"]) == 1
    assert "gateway.db" in capsys.readouterr().err


def test_the_fleet_is_listed_in_the_order_of_the_walk_with_what_each_says_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    at_ms = HeldClock().now_ms()
    monkeypatch.setattr("linli.devices._now_ms", lambda: at_ms + 3_600_000)
    hall = HeldHall(tmp_path, HeldClock())
    for place in ("10栋101", "9栋101"):
        name = f"zigbee2mqtt:{place}"
        hall.order("claim_device", device_id=name, kind="call_button", name="床头", place=place)
    hall.order("service_device", device_id="zigbee2mqtt:10栋101", service_ms=at_ms)
    hall.die()
    assert main(["devices", "--fleet", "--all"]) == 0
    said = capsys.readouterr().out
    assert said.index("9栋101") < said.index("10栋101"), "by place, not by what is wrong"
    assert "下次保养" in said and "next service 20" in said and "fw –" in said
    assert main(["devices", "--fleet"]) == 0
    said = capsys.readouterr().out
    assert "10栋101" in said and "9栋101" not in said and "1 need somebody" in said
