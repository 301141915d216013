"""The queue's figures on a real kiosk.db: the same whether a day was closed or not; as page, files and command."""

from __future__ import annotations

import csv
import io
import random
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest

from gateway.notebook import Notebook
from kiosk import queue_figures
from kiosk.console import figures as page
from kiosk.queue_figures import NO_END, Report, from_json, gather, to_json
from kiosk.queue_reports import Job, Question, ReportFailed, Reports, TooBusy, Wanted
from kiosk.queue_sheets import workbook
from linli.queue_figures import show
from tests.kiosk.console_hall import STAFF, STAFF_PASSWORD, ConsoleHall, console_hall

ROOM = Path(__file__).parent.parent.parent / "kiosk"
#: The day of the console halls' noon.
TODAY = date(2027, 1, 15)
INSERT = (
    "INSERT INTO serves(ticket_id, business_day, hour, service_code, window_id, lane, outcome, wait_ms, service_ms,"
    " ended_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
)


def lived(days: int, a_day: int = 60, last: date = TODAY) -> list[tuple[object, ...]]:
    """Rows of ``serves`` as a hall lives them; the same ones each time."""
    dice = random.Random(days)
    rows: list[tuple[object, ...]] = []
    for back in range(days):
        for number in range(a_day):
            outcome = dice.choices(("done", "transferred", "no_show", "cancelled"), (90, 2, 5, 3))[0]
            rows.append(
                (
                    len(rows) + 1,
                    (last - timedelta(days=back)).isoformat(),
                    8 + number % 9,
                    f"ZW-{dice.randint(1, 12):02}",
                    "" if outcome == "cancelled" else f"W{dice.randint(1, 4)}",
                    dice.choice(("normal", "normal", "priority")),
                    outcome,
                    int(dice.expovariate(1 / 600_000)),
                    int(dice.lognormvariate(12.8, 0.6)) if outcome in ("done", "transferred") else None,
                )
            )
    return rows


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    book = Notebook(tmp_path / "kiosk.db", ROOM / "schema")
    book.write(lambda c: c.executemany(INSERT, lived(10)))
    yield book
    book.close()


def close_all(notebook: Notebook, before: str) -> int:
    closed = 0
    while day := queue_figures.next_to_close(notebook.connection, before):
        rows = queue_figures.day_rows(notebook.connection, day)
        notebook.write(partial(queue_figures.close_day, rows=rows))
        closed += 1
    return closed


def test_a_report_is_the_same_before_and_after_its_days_were_closed(notebook: Notebook) -> None:
    before = gather(notebook.connection, "", NO_END, 900)
    assert close_all(notebook, TODAY.isoformat()) == 9
    after = gather(notebook.connection, "", NO_END, 900)
    assert after == before
    assert [line.name for line in after.of("day")] == [
        (TODAY - timedelta(days=back)).isoformat() for back in range(9, -1, -1)
    ]
    assert [line.name for line in after.of("hour")] == [str(hour) for hour in range(8, 17)]
    for part in ("item", "hour", "lane", "day"):
        assert sum(line.total for line in after.of(part)) == after.whole.total == 600
    # Nobody called those who left: they are at no window.
    assert sum(line.total for line in after.of("window")) == 600 - after.whole.cancelled


def test_only_the_days_that_were_asked_for_are_counted(notebook: Notebook) -> None:
    close_all(notebook, (TODAY - timedelta(days=2)).isoformat())
    first, last = (TODAY - timedelta(days=3)).isoformat(), (TODAY - timedelta(days=1)).isoformat()
    told: list[tuple[int, int]] = []
    report = gather(notebook.connection, first, last, 900, lambda done, of: told.append((done, of)))
    assert [line.name for line in report.of("day")] == [
        (TODAY - timedelta(days=back)).isoformat() for back in (3, 2, 1)
    ]
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert gather(notebook.connection, "1999-01-01", "1999-12-31", 900).whole.total == 0


def test_a_row_that_comes_late_makes_its_day_be_counted_again(notebook: Notebook) -> None:
    close_all(notebook, TODAY.isoformat())
    late = (TODAY - timedelta(days=5)).isoformat()
    notebook.write(
        lambda c: c.execute(INSERT, (9999, late, 23, "ZW-99", "W1", "normal", "done", 5_000, 1_000))
    )
    assert gather(notebook.connection, "", NO_END, 900).whole.total == 601
    assert close_all(notebook, TODAY.isoformat()) == 1
    report = gather(notebook.connection, "", NO_END, 900)
    assert report.whole.total == 601
    assert [line.wait.p99_s for line in report.of("item") if line.name == "ZW-99"] == [5]


def test_figures_go_to_another_process_and_come_back(notebook: Notebook) -> None:
    report = gather(notebook.connection, "", NO_END, 900)
    assert from_json(to_json(report)) == report


def test_a_workbook_has_texts_where_texts_are_and_runs_nothing() -> None:
    table = {
        "title": "By item [evil]",
        "note": "=1+1",
        "head": ["Item", "n", "share", "none"],
        "rows": [['=HYPERLINK("http://evil.example")', 31, 0.25, None], ["http://evil.example", 2, 1.0, 3]],
    }
    with zipfile.ZipFile(io.BytesIO(workbook([table]))) as made:
        sheet = made.read("xl/worksheets/sheet1.xml").decode()
        texts = ["".join(one.itertext()) for one in ET.fromstring(made.read("xl/sharedStrings.xml"))]
        names = ET.fromstring(made.read("xl/workbook.xml"))
        assert not any("hyperlink" in name.lower() for name in made.namelist())
    assert "<f>" not in sheet
    assert '=HYPERLINK("http://evil.example")' in texts
    assert "=1+1" in texts
    assert "<v>31</v>" in sheet
    assert "<v>0.25</v>" in sheet
    assert [one.get("name") for one in names.iter() if one.tag.endswith("}sheet")] == ["By item  evil"]


# ---------------------------------------------------------------- in the console


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path_factory.mktemp("figures")) as hall:
        hall.make_staff()
        hall.writer.write(lambda c: c.executemany(INSERT, lived(10)))
        hall.writer.write(
            lambda c: c.execute("UPDATE windows SET name_zh = '=党群窗口', name_en = '=Party' WHERE window_id = 'W1'")
        )
        yield hall


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine makes no page of progress of any page here: only where a test wants one."""
    monkeypatch.setattr(page, "PATIENCE_S", 60.0)


@pytest.mark.slow
def test_the_page_says_how_long_people_waited_in_plain_words(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    html = client.get("/console/queue/figures?range=month&lang=zh").get_data(as_text=True)
    assert "共 600 个号" in html
    assert "一半人等了不到" in html
    assert html.count("<svg") == 5
    assert " style=" not in html
    assert "ZW-01 最低生活保障" in html
    assert "九成不超过" in html
    english = client.get("/console/queue/figures?from=2027-01-15&to=2027-01-15&lang=en").get_data(
        as_text=True
    )
    assert "60 numbers" in english
    assert english.count('<th scope="row">2027-01-') == 1


@pytest.mark.slow
def test_the_target_is_the_halls_own_or_the_one_that_was_asked_for(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    assert "超过目标（15 分钟）" in client.get("/console/queue/figures?range=week&lang=zh").get_data(
        as_text=True
    )
    assert "超过目标（3 分钟）" in client.get("/console/queue/figures?range=week&target=3").get_data(
        as_text=True
    )


@pytest.mark.slow
def test_files_hold_the_same_figures_and_no_formula(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    answer = client.get("/console/queue/figures.csv?range=month&lang=en")
    assert (
        answer.headers["Content-Disposition"]
        == 'attachment; filename="linli-queue-2027-01-01-2027-01-15.csv"'
    )
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert {len(row) for row in rows} == {17}
    assert rows[1][:3] == ["All", "2027-01-01 to 2027-01-15", "600"]
    assert sum(int(row[2]) for row in rows[1:] if row[0] == "By day") == 600
    assert any(row[1] == "W1 =Party" for row in rows)
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    made = client.get("/console/queue/figures.xlsx?range=month&lang=zh")
    assert made.headers["Content-Disposition"].endswith('.xlsx"')
    with zipfile.ZipFile(io.BytesIO(made.data)) as book:
        names = [
            one.get("name") for one in ET.fromstring(book.read("xl/workbook.xml")).iter() if one.get("name")
        ]
        texts = book.read("xl/sharedStrings.xml").decode()
    assert names[:6] == ["合计", "按事项", "按窗口", "按钟点", "按队列", "按天"]
    assert "W1 =党群窗口" in texts
    journal = client.get("/console/journal").get_data(as_text=True)
    assert "下载排队统计" in journal


@pytest.mark.parametrize(
    "days", ["from=2027-02-31&to=2027-03-01", "from=x&to=", "from=2027-02-01&to=2027-01-01", "to=1899-01-01"]
)
def test_days_that_are_none_are_answered_with_words(hall: ConsoleHall, days: str) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    answer = client.get(f"/console/queue/figures?{days}&lang=zh")
    assert answer.status_code == 400
    assert "日期不对" in answer.get_data(as_text=True)
    assert client.get(f"/console/queue/figures.csv?{days}").status_code == 400


@pytest.mark.slow
def test_days_without_anybody_say_so(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    html = client.get("/console/queue/figures?range=last_month&lang=zh").get_data(as_text=True)
    assert "这些天没有办结的号" in html
    assert client.get("/console/queue/figures.xlsx?range=last_month").status_code == 200


def test_a_report_that_takes_long_shows_how_far_it_is_and_comes_again(
    hall: ConsoleHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Reports[Report]):
        def ask(self, wanted: Question[Report]) -> Job[Report]:
            return Job(wanted, 120, 400)

    monkeypatch.setitem(hall.app.extensions, "linli.reports", Slow(hall.house.kiosk_db))
    monkeypatch.setattr(page, "PATIENCE_S", 0.0)
    answer = hall.client(STAFF, STAFF_PASSWORD).get("/console/queue/figures?lang=zh")
    html = answer.get_data(as_text=True)
    assert answer.status_code == 202
    assert "已数 120 天，共 400 天" in html
    assert '<progress max="400" value="120"' in html
    assert '<meta http-equiv="refresh" content="1">' in html


def test_a_report_that_cannot_be_made_says_what_still_works(
    hall: ConsoleHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(hall.app.extensions, "linli.reports", Reports(hall.house.home / "nowhere.db"))
    answer = hall.client(STAFF, STAFF_PASSWORD).get("/console/queue/figures?lang=zh")
    assert answer.status_code == 503
    assert "取号和叫号不受影响" in answer.get_data(as_text=True)


def test_who_asks_for_the_same_gets_the_same_and_too_many_are_sent_away(
    hall: ConsoleHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [0.0]
    reports: Reports[Report] = Reports(hall.house.kiosk_db, lambda: now_s[0])
    wanted = Wanted(TODAY.isoformat(), TODAY.isoformat(), 900)
    job = reports.ask(wanted)
    assert reports.ask(wanted) is job
    assert job.finished.wait(20)
    assert job.result().whole.total == 60
    now_s[0] = 29.0
    assert reports.ask(wanted) is job
    now_s[0] = 31.0
    again = reports.ask(wanted)
    assert again is not job
    assert again.finished.wait(20)
    with reports._turn:  # nobody gets on
        waiting = [reports.ask(Wanted("", NO_END, target)) for target in range(4)]
        with pytest.raises(TooBusy):
            reports.ask(Wanted("", NO_END, 4))
    assert all(one.finished.wait(20) and isinstance(one.result(), Report) for one in waiting)


def test_a_child_that_fails_says_why(tmp_path: Path) -> None:
    reports: Reports[Report] = Reports(tmp_path / "kiosk.db")
    job = reports.ask(Wanted("", NO_END, 900))
    assert job.finished.wait(20)
    with pytest.raises(ReportFailed, match=r"kiosk\.db"):
        job.result()


# ---------------------------------------------------------------- at the shell


@pytest.mark.slow
def test_the_command_prints_tables_csv_and_json(hall: ConsoleHall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINLI_HOME", str(hall.house.home))
    out = io.StringIO()
    assert show(None, out=out) == 0
    text = out.getvalue()
    assert "按事项 By item" in text
    assert "2027-01-06" in text
    said = subprocess.run(
        [sys.executable, "-m", "linli", "queue", "figures", "--csv", "--from", "2027-01-15"],
        cwd=ROOM.parent, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(said)))
    assert [row["Numbers"] for row in rows if row["part"] == "all"] == ["60"]
    out = io.StringIO()
    assert show(None, first_day="2030-01-01", form="json", out=out) == 0
    assert '"lines": []' in out.getvalue()
