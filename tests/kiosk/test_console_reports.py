"""A day, a week, a month of everything: the same figures as the pages of their own; on a page and in files."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import g

from gateway import journal, views_care
from gateway.hall.coverage import coverage, span_ms
from gateway.hall.days import moment_ms
from gateway.hall.figures import figures, stories
from gateway.notebook import open_reader
from kiosk import parking_history, queue_figures, queue_reports
from kiosk.console import report_pages
from kiosk.console import reports as page
from kiosk.console.report_pages import XLSX
from kiosk.console.words import WORDS as ALL
from kiosk.hall_report import Days, HallReport, Part, Section, WantedHall, from_json, gather, parking_part
from kiosk.queue_reports import Job, ReportFailed
from kiosk.rules.parking_history import Standing, quarters, walk_day
from kiosk.rules.report_spans import KINDS, compared, scale, span
from kiosk.words_reports import WORDS
from tests.kiosk.console_hall import NOON_MS, STAFF, STAFF_PASSWORD, Client, ConsoleHall, console_hall
from tests.kiosk.lived_hall import TODAY, ZONE, live

ROOT = Path(__file__).parent.parent.parent
QUIET = TODAY - timedelta(days=9)
TARGET_S = 900


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleHall]:
    """Looked at and never changed by these stories."""
    with console_hall(tmp_path_factory.mktemp("reports")) as hall:
        hall.make_staff()
        live(hall, skip=QUIET)
        yield hall


@pytest.fixture(scope="module")
def staff(hall: ConsoleHall) -> Client:
    return hall.client(STAFF, STAFF_PASSWORD)


def wanted(hall: ConsoleHall, kind: str, day: date = TODAY) -> dict[str, Any]:
    asked = WantedHall(
        kind, day.isoformat(), TODAY.isoformat(), str(hall.house.gateway_db), str(hall.house.bridge_db), ZONE.key,
        TARGET_S, NOON_MS,
    )  # fmt: skip
    return asked.asked(hall.house.kiosk_db)


def shown(client: Client, path: str) -> str:
    """The page when it is ready: it comes again by itself until then."""
    for _ in range(60):
        answer = client.get(path)
        if answer.status_code != 202:
            break
    return answer.get_data(as_text=True)


# ---------------------------------------------------------------- spans


@pytest.mark.parametrize(
    ("kind", "first", "last", "before", "after"),
    [
        ("day", "2027-01-15", "2027-01-15", "2027-01-14", "2027-01-16"),
        ("week", "2027-01-11", "2027-01-17", "2027-01-04", "2027-01-18"),
        ("month", "2027-01-01", "2027-01-31", "2026-12-01", "2027-02-01"),
    ],
)
def test_a_span_knows_its_days_and_its_neighbours(
    kind: Any, first: str, last: str, before: str, after: str
) -> None:
    of = span(kind, TODAY)
    assert (of.first, of.last) == (date.fromisoformat(first), date.fromisoformat(last))
    assert (of.before.first.isoformat(), of.after.first.isoformat()) == (before, after)
    assert of.before.after == of
    assert len(of.days()) == (of.last - of.first).days + 1
    assert span(kind, date.max).last < date.max, "a day that no hall will see is moved, not an error"


def test_a_span_that_is_not_over_is_compared_with_as_many_days_of_the_one_before() -> None:
    assert compared(span("week", TODAY), TODAY) == (date(2027, 1, 4), date(2027, 1, 8))
    assert compared(span("month", TODAY), TODAY) == (date(2026, 12, 1), date(2026, 12, 15))
    assert compared(span("month", date(2027, 3, 31)), date(2027, 3, 30)) == (
        date(2027, 2, 1),
        date(2027, 2, 28),
    )
    assert compared(span("week", TODAY).before, TODAY) == (date(2026, 12, 28), date(2027, 1, 3))


@pytest.mark.parametrize("highest", [0.3, 1, 3, 4, 5, 17, 99, 100, 101, 12345])
def test_a_scale_is_short_and_reaches_the_highest(highest: float) -> None:
    lines = scale(highest)
    assert lines[-1] >= highest
    assert len(lines) <= 5
    assert [line / lines[0] for line in lines] == pytest.approx(range(1, len(lines) + 1))


# ---------------------------------------------------------------- the same as the pages of their own


@pytest.mark.parametrize("kind", KINDS)
def test_the_figures_are_those_of_the_pages_of_their_own(hall: ConsoleHall, kind: Any) -> None:
    report, of = gather(wanted(hall, kind)), span(kind, TODAY)
    first, last = of.first.isoformat(), of.last.isoformat()
    with (
        closing(open_reader(hall.house.kiosk_db)) as book,
        closing(open_reader(hall.house.gateway_db)) as gateway,
    ):
        whole = queue_figures.gather(book, first, last, TARGET_S).whole
        queue = report.section("queue").now
        assert (queue.values["total"], queue.values["served"]) == (whole.total, whole.served)
        assert (queue.values["wait_p50_s"], queue.values["wait_p90_s"]) == (
            whole.wait.p50_s,
            whole.wait.p90_s,
        )
        assert sum(queue.course.values()) == whole.total > 0
        first_ms, end_ms = moment_ms(ZONE, of.first), moment_ms(ZONE, of.last, 1440)
        told = figures([one for one in stories(journal.lines(gateway, first_ms)) if one.began_ms < end_ms])
        calls = report.section("calls").now
        assert calls.values["calls"] == told.calls == sum(calls.course.values())
        assert calls.values["accept_p50_s"] == (told.spreads["accepted"].p50_ms or 0) / 1000
        parked = parking_history.gather(book, gateway, ZONE.key, of.first, of.last, NOON_MS).zones[0]
        parking = report.section("parking").now
        assert (parking.values["arrivals"], parking.values["bays"]) == (parked.arrivals, parked.bay_count)
        assert parking.values["occupied_share"] == parked.all.occupied
        meals = views_care.meal_orders(gateway, first, last)
        ordered = sum(int(str(one["portions"])) for one in meals if one["state"] != "cancelled")
        assert report.section("meals").now.values["portions"] == ordered
        if kind == "month":
            month = coverage(views_care.visits_between(gateway, *span_ms(ZONE, of.first)), ZONE, of.first)[1]
            visits = report.section("visits").now.values
            assert (visits["due"], visits["in_time"], visits["missed"]) == (
                month.due,
                month.in_time,
                month.missed,
            )
            assert visits["seen_share"] == month.share
    assert from_json(json.loads(json.dumps(asdict(report)))) == report, (
        "the child's words and ours are the same"
    )


def test_an_hour_of_which_too_much_is_unknown_is_no_hour_in_which_the_car_park_was_empty(hall: ConsoleHall) -> None:
    """Off from eleven to one: the chart says so there; an hour without a car is nought, one to come is nothing."""
    hour_ms, begin = 3_600_000, moment_ms(ZONE, TODAY)
    moves = [("a", "unknown", begin + 11 * hour_ms), ("a", "free", begin + 13 * hour_ms)]
    moves.append(("a", "taken", begin + 14 * hour_ms))
    zones = walk_day(TODAY.isoformat(), quarters(TODAY, ZONE, NOON_MS), moves, {"a": "z"}, {"a": Standing(0, 0)})
    books: Any = SimpleNamespace(parked=lambda: {TODAY: list(zones.values())})
    part = parking_part(books, Days(ZONE, TODAY, TODAY, True, NOON_MS))
    assert {hour for hour in range(18) if str(hour) not in part.course} == {11, 12, 16, 17}
    assert (page._told("parking", part, "11"), page._told("parking", part, "13")) == (None, 0.0)
    day = TODAY.isoformat()
    report = HallReport("day", day, day, day, day, [Section("parking", part, Part())])
    with hall.app.test_request_context():
        g.lang = "zh"
        drawn = {one.label: one.unknown for one in page.columns(report, report.sections[0])}
    assert {label for label, unknown in drawn.items() if unknown} == {"11", "12"}


def test_requests_are_counted_by_kind_and_by_whether_somebody_answered_in_time(hall: ConsoleHall) -> None:
    part = gather(wanted(hall, "day", TODAY - timedelta(days=1))).section("requests").now
    assert part.values == {"requests": 4, "urgent": 1, "closed": 2, "open": 2, "in_time": 1, "late": 2}
    assert part.lines == {"leak": 1, "noise": 1, "lift": 1, "rubbish": 1}


def test_paper_is_counted_by_how_it_came_out(hall: ConsoleHall) -> None:
    values = gather(wanted(hall, "week")).section("paper").now.values
    assert values["slips"] == 5 * 20
    assert sum(int(values[one] or 0) for one in ("printed", "unsure", "failed")) == values["slips"]
    assert values["troubles"] == 5


def test_a_notebook_that_cannot_be_read_is_one_section_and_the_others_are_as_ever(
    hall: ConsoleHall, tmp_path: Path
) -> None:
    asked = {**wanted(hall, "day"), "gateway": str(tmp_path / "nowhere.db")}
    report = gather(asked)
    assert [one.name for one in report.sections if one.trouble] == ["calls", "visits", "meals", "parking"]
    assert report.section("queue").now.values["total"]


# ---------------------------------------------------------------- page and files


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_draws_every_section_with_its_chart_and_the_way_there(
    hall: ConsoleHall, staff: Client, kind: str, lang: str
) -> None:
    drawn = shown(staff, f"/console/reports?kind={kind}&lang={lang}")
    for section in ("queue", "calls", "visits", "meals", "requests", "parking", "paper"):
        assert WORDS[f"rp_s_{section}"][lang == "en"] in drawn
    assert drawn.count('<svg class="course"') == 7
    for way in ("/console/queue/figures?", "/console/history?", "/console/parking/history?"):
        assert way in drawn
    assert not re.search(r"\sstyle=", drawn)
    assert 'rel="prev"' in drawn
    assert 'rel="next"' not in drawn, "nobody can look into the future"


def test_an_empty_day_says_so_and_a_wrong_day_is_refused(staff: Client) -> None:
    drawn = shown(staff, f"/console/reports?day={QUIET - timedelta(days=60)}&lang=zh")
    assert drawn.count(WORDS["rp_none"][0]) == 7
    assert 'rel="next"' in drawn
    assert staff.get("/console/reports?day=yesterday").status_code == 400
    assert staff.get("/console/reports.csv?day=<script>").status_code == 400
    assert "2026-09" in shown(staff, "/console/reports?kind=month&day=2026-09-30")


def test_the_csv_and_the_workbook_hold_the_same_figures(hall: ConsoleHall, staff: Client) -> None:
    report = gather(wanted(hall, "week"))
    answer = staff.get("/console/reports.csv?kind=week&lang=en")
    assert (
        answer.headers["Content-Disposition"]
        == 'attachment; filename="linli-report-2027-01-11-2027-01-17.csv"'
    )
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    told = {(row[0], row[1]): row[2] for row in rows[1:]}
    for section, name in (("queue", "total"), ("calls", "calls"), ("paper", "slips"), ("requests", "late")):
        key = (WORDS[f"rp_s_{section}"][1], WORDS[f"rp_v_{name}"][1])
        assert told[key] == str(report.section(section).now.values[name])
    items = [row for row in rows[1:] if row[1].startswith("ZW-")]
    assert items and all(row[3] for row in items), "also of an item that was no frequent one in the week before"
    book = staff.get("/console/reports.xlsx?kind=week&lang=en")
    assert book.mimetype == XLSX
    names = zipfile.ZipFile(io.BytesIO(book.get_data())).namelist()
    assert sum(name.startswith("xl/worksheets/sheet") for name in names) == 7
    assert "export_report" in {line[2] for line in hall.accounts.journal()}


def test_a_report_that_takes_its_time_shows_how_far_it_is_and_the_page_comes_again(
    hall: ConsoleHall, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow:
        def ask(self, asked: WantedHall) -> Job[HallReport]:
            return Job(asked, done=3, of=7)

    monkeypatch.setattr(page, "kept_reports", lambda _name: Slow())
    monkeypatch.setattr(page, "PATIENCE_S", 0.0)
    answer = staff.get("/console/reports?lang=en")
    assert answer.status_code == 202
    drawn = answer.get_data(as_text=True)
    head = staff.head("/console/reports?lang=en").headers
    assert (head["X-Done"], head["X-Of"]) == ("3", "7"), "the page's script asks for no more than this"
    assert "3 of 7" in drawn and '<progress max="7" value="3"' in drawn and 'http-equiv="refresh"' in drawn


def test_a_file_that_takes_its_time_shows_how_far_it_is_and_can_be_stopped(
    hall: ConsoleHall, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, end = threading.Event(), threading.Event()

    def slowly(book: Path, asked: object, job: Job[Any]) -> HallReport:
        """A child that works until it is killed."""
        job.done, job.of, job.child = 2, 7, subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        begun.set()
        job.child.wait()
        assert job.child.stdin is not None
        job.child.stdin.close()
        end.set()
        raise ReportFailed("killed")

    monkeypatch.setattr(queue_reports, "run", slowly)
    monkeypatch.setattr(report_pages, "PATIENCE_S", 0.05)
    browser = {"Accept": "text/html"}
    path = "/console/reports.xlsx?day=2026-05-05&lang=en"
    assert staff.get(path, headers=browser).status_code == 202
    assert begun.wait(10)
    answer = staff.get(path, headers=browser)
    drawn = answer.get_data(as_text=True)
    assert answer.status_code == 202
    assert "2 of 7" in drawn and 'http-equiv="refresh"' in drawn
    number = re.search(r'name="job" value="([0-9a-f]+)"', drawn)
    assert number
    stopped = staff.form("/console/reports/stop", page=path.replace(".xlsx", ""), job=number[1])
    assert WORDS["rp_stopped"][1] in stopped.get_data(as_text=True)
    assert end.wait(10), "its child has ended"
    assert "report_stopped" in {line[2] for line in hall.accounts.journal()}
    again = staff.form("/console/reports/stop", page="/console/content/quick", job=number[1])
    assert again.status_code == 200, "to stop what has ended is no fault"


@pytest.mark.parametrize(
    ("name", "now", "before", "says"),
    [
        ("total", 5, 3, "+2"),
        ("total", 3, 5, "−2"),
        ("total", 3, 3, "="),
        ("wait_p50_s", 90, 60, "+0:30"),
        ("wait_p50_s", 60, 90, "−0:30"),
        ("beyond_share", 0.25, 0.2, "+5.0"),
        ("beyond_share", 0.2, 0.29, "−9.0"),
        ("beyond_share", 0.0514, 0.0476, "+0.3"),  # of 5.1 % and 4.8 %, which stand beside it
        ("beyond_share", None, 0.2, ""),
    ],
)
def test_a_change_is_told_in_the_figures_own_unit(name: str, now: Any, before: Any, says: str) -> None:
    assert page.change(name, now, before) == says


def test_every_word_is_used_and_every_figure_has_one(hall: ConsoleHall) -> None:
    files = [
        ROOT / "kiosk" / "console" / "reports.py",
        *(ROOT / "kiosk" / "templates" / "console").glob("working*.html"),
        ROOT / "kiosk" / "templates" / "console" / "reports.html",
    ]
    seen = "".join(file.read_text(encoding="utf-8") for file in files)
    report = gather(wanted(hall, "day"))
    figures_of = {f"rp_v_{name}" for one in report.sections for name in one.now.values}
    assert figures_of == {key for key in WORDS if key.startswith("rp_v_")}
    made = ("rp_v_", "rp_s_", "rp_c_", "rp_title_", "did_", *(f"rp_{kind}" for kind in KINDS))
    unused = [k for k in WORDS if f"'{k}'" not in seen and f'"{k}"' not in seen and not k.startswith(made)]
    assert unused == []
    assert set(re.findall(r"\bsay\(['\"](rp_\w*[a-z])['\"]", seen)) - set(ALL) == set()
