"""When a zone will be full, as residents read it: only where the back-test allows, never late, never waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk import outlooks as module
from kiosk.core import Core
from kiosk.parking_history import ZoneOutlook
from kiosk.queue_reports import ReportFailed
from kiosk.rules.parking_forecast import Errors, Forecast, worth_telling
from tests.kiosk.care_hall import CareHall
from tests.kiosk.conftest import HeldClock
from tests.kiosk.parked_hall import parked_hall

#: Made at ten, for a quarter to six; right in nine of ten cases, off by half an hour at the median.
SAID = Forecast(40, 71, 69, 74, 7, 8, ())
GOOD = Errors(28, 40, 111, 9, 8, 30.0, 75.0, 45.0, 5.0)


def test_a_forecast_is_told_where_it_has_been_right_and_nowhere_else() -> None:
    assert worth_telling(SAID, GOOD) == 71
    for wrong in (
        replace(GOOD, days=13),
        replace(GOOD, hits=7),
        replace(GOOD, typical_min=45.0),
        replace(GOOD, typical_min=None),
        replace(GOOD, missed=40),
    ):
        assert worth_telling(SAID, wrong) is None, wrong
    assert worth_telling(None, GOOD) is None
    assert worth_telling(replace(SAID, full=None), GOOD) is None
    assert worth_telling(replace(SAID, full=40), GOOD) is None, "it is full already: that is no forecast"


@pytest.fixture
def zones(core: Core) -> list[ZoneOutlook]:
    """What the child would say; a gateway has run here."""
    core.house.gateway_db.touch()
    return [
        ZoneOutlook("east", 0.95, 0.7, 70, SAID, GOOD),
        ZoneOutlook("west", 0.95, 0.7, 70, SAID, replace(GOOD, typical_min=60.0)),
    ]


def made(core: Core) -> module.Lines:
    """Ask, let it be made, ask again."""
    core.outlooks.lines()
    assert core.outlooks.busy is not None
    core.outlooks.busy.join(10)
    return core.outlooks.lines()


def test_it_is_made_once_a_quarter_and_told_until_it_is_old(
    core: Core, clock: HeldClock, zones: list[ZoneOutlook]
) -> None:
    asked = []

    def work() -> tuple[ZoneOutlook, ...]:
        asked.append(clock.now_ms)
        if len(asked) > 1:
            raise ReportFailed("the disk is away")
        return tuple(zones)

    core.outlooks.work = work
    hall = core.hub.stream("hall")
    next(hall)
    assert core.outlooks.lines() == {}, "nobody waits for it"
    assert made(core) == {"east": {"zh": "约 17:45 停满", "en": "full at about 17:45"}}
    assert b"event: hall" in next(hall), "screens that stand there look anew"
    assert len(asked) == 1
    clock.forward(seconds=15 * 60)
    assert list(made(core)) == ["east"], "the next one failed: the last one stands for a while"
    clock.forward(seconds=16 * 60)
    assert made(core) == {}
    hall.close()


def test_a_moment_that_has_passed_is_no_forecast(
    core: Core, clock: HeldClock, zones: list[ZoneOutlook]
) -> None:
    core.outlooks.work = lambda: (replace(zones[0], forecast=replace(SAID, full=41)),)
    assert made(core)["east"]["zh"] == "约 10:15 停满"
    clock.forward(seconds=15 * 60)
    assert core.outlooks.lines() == {}


@pytest.fixture
def parked(tmp_path: Path) -> Iterator[CareHall]:
    with parked_hall(tmp_path) as hall:
        yield hall


def test_the_parking_page_and_the_way_to_the_nearest_bay_say_it(
    parked: CareHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = parked.app.test_client()
    assert made(parked.core) == {}, "a car park without history: its own child has found nothing to tell"
    assert "停满" not in page.get("/parking?to=b2").text
    lines = {zone: {"zh": "约 17:45 停满", "en": "full at about 17:45"} for zone in ("east", "west")}
    monkeypatch.setattr(parked.core.outlooks, "lines", lambda: lines)
    assert "data-outlook>约 17:45 停满" in page.get("/parking").text
    assert "data-outlook>full at about 17:45" in page.get("/parking?lang=en").text
    assert "这一区约 17:45 停满，请尽快" in page.get("/parking?to=b2").text
    assert "This zone is full at about 17:45" in page.get("/parking?to=b2&lang=en").text
