"""Notices: they hang from a moment until a moment, the hall's screens hear of each change, wrong ones are refused."""

from __future__ import annotations

import pytest

from devices.faults import OrderRefused
from kiosk import notices
from kiosk.core import Core
from kiosk.notices import Notice
from tests.kiosk.conftest import TEN_O_CLOCK_MS, HeldClock

HOUR_MS = 3_600_000


def titles(core: Core) -> list[str]:
    return [one.title_zh for one in notices.notices_now(core)]


def test_a_notice_hangs_from_its_hour_until_its_hour_and_the_screens_are_told(
    core: Core, clock: HeldClock
) -> None:
    hall = core.hub.stream("hall")
    next(hall)
    water = notices.put_notice(
        core,
        "li",
        Notice(
            title_zh=" 明天停水 ", from_ms=TEN_O_CLOCK_MS + HOUR_MS, until_ms=TEN_O_CLOCK_MS + 2 * HOUR_MS
        ),
    )
    assert b"event: hall" in next(hall)
    assert titles(core) == []
    clock.forward(hours=1)
    assert titles(core) == ["明天停水"]
    clinic = notices.put_notice(core, "li", Notice(title_zh="义诊", body_zh="周六上午", from_ms=clock.now_ms))
    assert titles(core) == ["义诊", "明天停水"]
    clock.forward(hours=1)
    assert titles(core) == ["义诊"]
    notices.take_down(core, clinic.notice_id)
    assert titles(core) == []
    assert [one.title_zh for one in notices.all_notices(core)] == ["义诊", "明天停水"], "nothing is deleted"
    kept = notices.by_id(core, water.notice_id)
    assert kept is not None
    assert (kept.made_by, kept.gone_ms) == ("li", None)
    hall.close()


def test_a_notice_is_changed_in_place(core: Core) -> None:
    first = notices.put_notice(core, "li", Notice(title_zh="停水", from_ms=0))
    notices.put_notice(core, "wang", Notice(first.notice_id, "停水改期", "Water cut moved", from_ms=0))
    assert [(one.notice_id, one.title_zh, one.made_by) for one in notices.notices_now(core)] == [
        (first.notice_id, "停水改期", "wang")
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        Notice(title_zh="  "),
        Notice(title_zh="字" * 41),
        Notice(title_zh="停水", body_en="w" * 1203),
        Notice(title_zh="停水", from_ms=10, until_ms=10),
        Notice(7, "停水"),
    ],
)
def test_a_notice_that_nobody_could_read_is_refused_and_nothing_is_written(core: Core, wrong: Notice) -> None:
    with pytest.raises(OrderRefused):
        notices.put_notice(core, "li", wrong)
    with pytest.raises(OrderRefused):
        notices.take_down(core, 7)
    assert notices.all_notices(core) == []
