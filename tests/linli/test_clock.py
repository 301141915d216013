"""`linli clock` beside a real gateway; only setting the machine's clock itself is left out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from devices.faults import OutsideDown
from linli.__main__ import main
from linli.clock import read_moment
from tests.parts import gateway


@pytest.mark.slow
def test_a_person_confirms_the_clock_and_is_told_that_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with gateway(tmp_path) as hall:
        for name in ("LINLI_HOME", "LINLI_RUN", "LINLI_HALL", "LINLI_MQTT_PORT"):
            monkeypatch.setenv(name, hall.environ[name])
        assert main(["clock", "confirm"]) == 1
        assert "say who confirms the clock" in capsys.readouterr().err
        assert main(["clock", "confirm", "--by", "小李"]) == 0
        seat = hall.seat()
        seat.order("ping")
        assert main(["clock"]) == 0
        said = capsys.readouterr().out
        assert "时间可信" in said and "the time is known" in said and "Asia/Shanghai" in said
        assert any(part["part"] == "clock" for part in seat.snapshot["parts"])


def test_a_moment_is_the_halls_own_and_rubbish_is_said_so() -> None:
    assert read_moment(" 2026-12-31 09:00 ", "Asia/Shanghai") == datetime(2026, 12, 31, 1, 0, tzinfo=UTC)
    assert read_moment("2026-12-31 09:00:30", "Asia/Shanghai") == datetime(2026, 12, 31, 1, 0, 30, tzinfo=UTC)
    with pytest.raises(OutsideDown, match="请写成"):
        read_moment("tomorrow", "Asia/Shanghai")
