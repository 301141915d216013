"""Staff are told once when the wait gets too long: a level on every console, one soft tone an episode."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from devices.faults import NotWritten
from kiosk import line, queue_alert, windows
from kiosk.queue_alert import WaitWatch
from kiosk.rules.estimate import Estimate
from kiosk.rules.policy import MINUTE_MS, Policy
from kiosk.rules.wait_watch import follow
from tests.kiosk.console_hall import STAFF, STAFF_PASSWORD, ConsoleHall, Ear, console_hall

POLICY = Policy(alert_wait_ms=40 * MINUTE_MS)


def waits(minutes: int | None) -> list[tuple[str, Estimate | None]]:
    """What a newcomer would be told; None: no window is open."""
    if minutes is None:
        return [("ZW-01", None)]
    some = Estimate(0, minutes * MINUTE_MS, 2 * minutes * MINUTE_MS, 1, 1)
    return [("ZW-01", some), ("ZW-02", replace(some, mid_ms=0))]


def test_an_episode_begins_at_the_limit_and_ends_well_below_it() -> None:
    told = None
    seen = []
    for now_ms, minutes in enumerate((10, 40, 41, 39, 41, 60, 33, 31, 39, 41, None)):
        told = follow(told, waits(minutes), POLICY, now_ms)
        seen.append(None if told is None else told.began_ms)
    #                10   | 40   | 41 39 41 60 33 | 31  | 39  | 41 | nobody is at work
    assert seen == [None, None, 2, 2, 2, 2, 2, None, None, 9, None]


def test_the_words_follow_the_worst_prediction() -> None:
    first = follow(None, waits(41), POLICY, 0)
    worse = follow(first, waits(75), POLICY, 1)
    eased = follow(worse, waits(35), POLICY, 2)
    assert first is not None
    assert worse is not None
    assert "41" in first.alert.why_zh
    assert "75" in worse.alert.why_en
    assert eased == worse  # the last that was told: it is not over yet


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path) as hall:
        hall.make_staff()
        yield hall


def queue_up(hall: ConsoleHall, people: int) -> None:
    """One window is open, and so many people have come, a second apart."""
    windows.open_window(hall.core, "W2", "李强")
    for number in range(people):
        hall.clock.go(s=1)
        line.take_ticket(hall.core, "ZW-01", f"wait-{number}", "zh", f"s-{number}")
    hall.clock.go(s=1)


def test_consoles_hear_of_it_once_and_of_its_end(hall: ConsoleHall) -> None:
    watch = WaitWatch(hall.core)
    queue_up(hall, 40)
    watch.look()
    assert hall.core.wait_alert is None  # no console listens: nobody would hear the beginning
    stream = hall.hub.stream("staff")
    ear = Ear(stream)
    watch.look()
    told = ear.wait("wait")
    assert told["began"] is True
    assert told["alert"]["why_zh"].startswith("预计要等约")
    assert told["alert"]["item"] == "ZW-01" or told["alert"]["how_many"] > 1
    assert hall.core.wait_alert == told["alert"]
    watch.look()  # nothing has changed: nothing is told
    for ticket in line.waiting(hall.core)[:-1]:
        line.cancel(hall.core, ticket["ticket_id"], "李强")
    watch.look()
    over = ear.wait("wait")
    assert over == {"alert": None, "began": False}
    stream.close()


@pytest.mark.slow
def test_the_console_shows_it_and_sounds_softly_once(hall: ConsoleHall, browser: Browser) -> None:
    watch = WaitWatch(hall.core)
    queue_up(hall, 40)
    page = browser.new_context().new_page()
    page.goto(f"{hall.serve()}/console/sign-in")
    page.fill("[name=name]", STAFF)
    page.fill("[name=password]", STAFF_PASSWORD)
    page.click("main button.main")
    page.wait_for_selector("#queue h2")
    watch.look()
    alert = page.locator("#queue [role=status]", has_text="预计要等约")
    expect(alert).to_contain_text("请多开一个窗口")
    expect(page.locator("html")).to_have_attribute("data-rings", "1")
    assert page.evaluate("document.documentElement.dataset.ringing") == "no"
    for number in range(20):  # longer and longer: the words follow, no second tone
        hall.clock.go(s=1)
        line.take_ticket(hall.core, "ZW-01", f"more-{number}", "zh", f"m-{number}")
    before = alert.inner_text()
    watch.look()
    expect(alert).not_to_have_text(before)
    page.reload()  # whoever comes later finds it in the first picture, without a tone
    expect(alert).to_contain_text("请多开一个窗口")
    assert page.evaluate("document.documentElement.dataset.rings ?? '0'") == "0"
    for ticket in line.waiting(hall.core):
        line.cancel(hall.core, ticket["ticket_id"], "李强")
    watch.look()
    expect(alert).to_have_count(0)
    page.context.close()


def test_a_locked_screen_is_told_nothing_of_it(hall: ConsoleHall) -> None:
    hall.core.wait_alert = {"why_zh": "预计要等约 50 分钟"}
    client = hall.client(STAFF, STAFF_PASSWORD)
    assert client.order("lock").status_code == 200
    answer = client.get("/console/live", buffered=False)
    told = b""
    for chunk in answer.response:
        told += chunk if isinstance(chunk, bytes) else chunk.encode()
        if b"event: picture" in told:
            break
    answer.close()
    assert "预计".encode() not in told


def test_a_notebook_that_cannot_be_read_is_said_once_and_tried_again(
    hall: ConsoleHall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []
    enough = threading.Event()

    def refuse() -> None:
        tries.append(1)
        if len(tries) == 3:
            enough.set()
        raise NotWritten("the card is gone")

    monkeypatch.setattr(queue_alert, "LOOK_S", 0.01)
    watch = WaitWatch(hall.core)
    monkeypatch.setattr(watch, "look", refuse)
    with caplog.at_level(logging.WARNING):
        watch.start()
        assert enough.wait(10)
        watch.stop()
    said = [record.getMessage() for record in caplog.records if "the card is gone" in record.getMessage()]
    assert len(said) == 1
    assert "tickets and calls go on" in said[0]
