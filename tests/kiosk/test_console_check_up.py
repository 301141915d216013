"""The check-up on the console: what the doctor finds in a real hall's folder, kept, shown, looked at anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.finding import Finding
from kiosk.check_up import AGAIN_AFTER_S, FIRST_AFTER_S, CheckUp, Round, WantedRound
from kiosk.queue_reports import Job
from kiosk.version import Files, version
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, Client, ConsoleHall, console_hall


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path) as hall:
        yield hall
        hall.core.check_up.stop()


@pytest.fixture
def admin(hall: ConsoleHall) -> Client:
    return hall.client(ADMIN, ADMIN_PASSWORD)


def section(client: Client, post: str, key: str) -> dict:
    told = client.get(f"/console/api/desk/{post}").get_json()["sections"]
    return next(one for one in told if one["key"] == key)


def test_the_doctor_looks_for_the_console_in_a_process_of_its_own(hall: ConsoleHall, admin: Client) -> None:
    """The real one, over this hall's folder: its gateway is a small one and has no notebook."""
    assert "还没有检查过" in admin.get("/console/check-up").text
    assert section(admin, "technician", "desk_check")["lines"][0]["key"] == "never"
    assert admin.form("/console/check-up").status_code == 303
    job = hall.core.check_up.under_way or hall.core.check_up.look()
    assert job.finished.wait(60)
    answer = admin.get("/console/check-up")
    assert answer.status_code == 200
    assert job.report is not None and job.done == job.of > 5, job.trouble
    parts = {one.part for one in job.report.findings}
    assert {"hall.toml", "kiosk.db", "disk", "python"} <= parts
    assert not [part for part in parts if part.startswith("printer:") and "port" in part]
    assert "kiosk.db" in answer.text and "再检查一次" in answer.text
    note = section(admin, "technician", "desk_check")["note"]
    assert "检查" in note[0] and "Looked at" in note[1]


def test_a_round_under_way_is_shown_with_its_count_and_what_was_found_before(
    hall: ConsoleHall, admin: Client
) -> None:
    check = hall.core.check_up
    found = (
        Finding("wrong", "broker", "连不上", "cannot be reached", "看 mosquitto", "see mosquitto"),
        Finding("ok", "disk", "剩余 9 GB", "9 GB free"),
    )
    check._last = Round(hall.clock.now_ms, found)
    check._job = Job(check._wanted, done=3, of=11)
    answer = admin.get("/console/check-up?lang=en")
    assert answer.status_code == 202
    assert (answer.headers["X-Done"], answer.headers["X-Of"]) == ("3", "11")
    assert "Looking: 3 of 11" in answer.text and "see mosquitto" in answer.text
    line = section(admin, "technician", "desk_check")["lines"][0]
    assert line["what"] == ["broker 连不上", "broker cannot be reached"]
    assert line["more"] == ["看 mosquitto", "see mosquitto"]
    house = section(admin, "admin", "desk_house")["lines"]
    assert {"version", "backup", "disk", "check"} <= {one["key"] for one in house}
    check._job.trouble = "it took too long"
    check._job.finished.set()
    assert "it took too long" in admin.get("/console/check-up?lang=en").text


def test_it_looks_by_itself_after_the_start_and_once_a_day(
    hall: ConsoleHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, looked = [0.0], list[float]()
    check = CheckUp(hall.house, lambda: now_s[0])

    def ask(wanted: WantedRound) -> Job[Round]:
        looked.append(now_s[0])
        return Job(wanted)

    monkeypatch.setattr(check._reports, "ask", ask)
    for second in (5, FIRST_AFTER_S - 1, FIRST_AFTER_S, FIRST_AFTER_S + 5, FIRST_AFTER_S + AGAIN_AFTER_S):
        now_s[0] = second
        check.look_if_due()
    assert looked == [FIRST_AFTER_S, FIRST_AFTER_S + AGAIN_AFTER_S]


def test_files_that_were_laid_down_and_do_not_run_ask_for_a_restart(
    hall: ConsoleHall, admin: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new" / "kiosk").mkdir(parents=True)
    monkeypatch.setattr("kiosk.version._LOOK_S", 0.0)
    hall.core.files = Files(tmp_path / "new")
    house = section(admin, "admin", "desk_house")["lines"]
    before = next(one for one in house if one["key"] == "version")
    assert version() in before["what"][1] and before["level"] == ""
    (tmp_path / "new" / "kiosk" / "app.py").write_text("", encoding="utf-8")
    after = next(one for one in section(admin, "admin", "desk_house")["lines"] if one["key"] == "version")
    assert after["level"] == "warn" and "restart" in after["more"][1]
