"""The hall's windows: skills, opening and closing, and that no window idles while somebody waits whom it can serve."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devices.faults import NotWritten, OrderRefused
from kiosk import line, windows
from kiosk.core import Core
from kiosk.windows import windows_now
from tests.kiosk.conftest import HeldClock


def save(core: Core, window_id: str, number: int, *skills: str, **more: Any) -> None:
    windows.save_window(
        core, window_id, "王芳", zh="流动窗口", en="Mobile Window", number=number, skills=skills, **more
    )


def test_the_catalogues_windows_are_there_from_the_start_with_their_skills(core: Core) -> None:
    here = windows_now(core)
    assert [(one.id, one.number) for one in here.all][:3] == [("W1", 1), ("W2", 2), ("W3", 3)]
    assert here.served_at("W2") >= {"ZW-01", "ZW-02", "ZW-03", "ZW-04", "ZW-11"}
    assert here.same_line("ZW-01") == here.served_at("W2")
    assert [one.id for one in here.windows_for("ZW-01")] == ["W2"]
    assert here.open_for("ZW-01") == ()
    assert here.window("W9") is None


def test_a_window_is_opened_paused_and_opened_again_and_each_span_is_kept(
    core: Core, clock: HeldClock
) -> None:
    windows.open_window(core, "W2", "li")
    windows.open_window(core, "W2", "li")
    clock.forward(hours=1)
    assert windows.close_window(core, "W2", "li", "午休").why == "午休"
    assert not windows_now(core).window("W2").open  # type: ignore[union-attr]
    clock.forward(hours=1)
    assert windows.open_window(core, "W2", "wang").by == "wang"
    spans = core.reader().execute(
        'SELECT closed_ms - opened_ms, "by", why FROM window_spans ORDER BY span_id'
    )
    assert [tuple(row) for row in spans] == [(3_600_000, "li", "午休"), (None, "wang", "")]
    events = core.reader().execute("SELECT event, detail FROM journal ORDER BY entry_id").fetchall()
    assert [row[0] for row in events] == ["opened", "closed", "opened"]
    assert json.loads(events[1][1]) == {"window_id": "W2", "detail": "午休"}


def test_a_call_at_a_closed_window_opens_it_and_undo_closes_it_again(core: Core) -> None:
    line.take_ticket(core, "ZW-01", "first-key", "zh", "kiosk-1")
    called = line.call_next(core, "W2", "li")
    assert windows_now(core).window("W2").open  # type: ignore[union-attr]
    with pytest.raises(OrderRefused, match="is serving B001: finish it first"):
        windows.close_window(core, "W2", "li")
    line.undo(core, called.ticket_id, "li")
    assert not windows_now(core).window("W2").open  # type: ignore[union-attr]


def test_a_second_window_that_learns_the_item_takes_from_the_same_line(core: Core) -> None:
    for number in range(3):
        line.take_ticket(core, "ZW-01", f"key-{number}", "zh", "kiosk-1")
    with pytest.raises(OrderRefused, match="There is no window 'W8'"):
        line.call_next(core, "W8", "li")
    save(core, "W8", 8, "ZW-01")
    assert [one.id for one in windows_now(core).windows_for("ZW-01")] == ["W2", "W8"]
    calls = [(window, line.call_next(core, window, "li").spelled) for window in ("W8", "W2", "W8")]
    assert calls == [("W8", "B001"), ("W2", "B002"), ("W8", "B003")]


def test_the_writer_sees_its_own_changes_and_a_change_that_was_refused_leaves_no_trace(core: Core) -> None:
    def learn(notebook: Any) -> None:
        notebook.execute("DELETE FROM window_skills WHERE window_id = 'W2' AND service_code = 'ZW-02'")
        assert "ZW-02" not in windows_now(core, notebook).served_at("W2")
        assert "ZW-02" in windows_now(core).served_at("W2"), "nobody else sees it before it is written"
        raise ValueError("and back")

    with pytest.raises(ValueError, match="and back"):
        core.writer.write(learn)
    assert "ZW-02" in windows_now(core).served_at("W2")
    save(core, "W2", 2, "ZW-01")
    assert windows_now(core).served_at("W2") == {"ZW-01"}


def test_a_window_that_is_the_halls_own_survives_a_new_catalogue(core: Core) -> None:
    save(core, "W2", 2, "ZW-01")
    windows.fill(core)
    mine = windows_now(core).window("W2")
    assert mine is not None
    assert (mine.zh, mine.skills, mine.own) == ("流动窗口", frozenset({"ZW-01"}), True)
    core.writer.write(
        lambda notebook: notebook.execute("INSERT INTO windows VALUES ('W0','旧','Old',90,0,'','',NULL,0)")
    )
    windows.fill(core)
    assert [one.id for one in windows_now(core).retired] == ["W0"], (
        "a catalogue without it takes it out of use"
    )


@pytest.mark.parametrize(
    ("window_id", "number", "skills", "why"),
    [
        ("W8", 2, (), "Number 2 is"),
        ("W8", 0, (), "must be 1 to 99"),
        ("W8", 100, (), "must be 1 to 99"),
        ("W8", 8, ("ZW-99",), "There is no service 'ZW-99'"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(
    core: Core, window_id: str, number: int, skills: tuple[str, ...], why: str
) -> None:
    with pytest.raises(OrderRefused, match=why):
        save(core, window_id, number, *skills)
    assert windows_now(core).window(window_id) is None


def test_a_window_is_retired_only_when_nobody_needs_it_and_comes_back(core: Core) -> None:
    ticket = line.take_ticket(core, "ZW-01", "first-key", "zh", "kiosk-1").ticket
    windows.open_window(core, "W2", "li")
    with pytest.raises(OrderRefused, match="close it first"):
        windows.retire_window(core, "W2", "wang")
    windows.close_window(core, "W2", "li")
    with pytest.raises(
        OrderRefused, match="Somebody waits for ZW-01, which only Welfare & Assistance Window serves"
    ):
        windows.retire_window(core, "W2", "wang")
    line.cancel(core, ticket.ticket_id, "li")
    windows.retire_window(core, "W2", "wang")
    windows.fill(core)
    assert windows_now(core).windows_for("ZW-01") == ()
    with pytest.raises(OrderRefused, match="was retired"):
        line.call_next(core, "W2", "li")
    assert windows.retire_window(core, "W2", "wang", retired=False).retired_ms is None


def test_what_was_left_open_overnight_ended_at_midnight(core: Core, clock: HeldClock) -> None:
    windows.open_window(core, "W2", "li")
    clock.forward(hours=22)
    assert not windows_now(core).window("W2").open  # type: ignore[union-attr]
    line.take_ticket(core, "ZW-01", "first-key", "zh", "kiosk-1")
    span = core.reader().execute("SELECT closed_ms, why FROM window_spans").fetchone()
    assert tuple(span) == (1_795_363_200_000, "midnight"), "2026-11-23 00:00 in Shanghai"
    windows.open_window(core, "W2", "li")
    assert core.reader().execute("SELECT count(*) FROM window_spans").fetchone()[0] == 2


def test_without_a_notebook_the_pages_still_know_the_windows(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> Any:
        raise NotWritten("no disk")

    monkeypatch.setattr(core, "reader", gone)
    core.windows_read = None
    assert [one.id for one in windows_now(core).windows_for("ZW-01")] == ["W2"]
