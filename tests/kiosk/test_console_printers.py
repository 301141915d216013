"""The printers' page: each state in plain words, one touch for a slip nobody can know of, a reprint with a reason."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from firmware_bridge.printer_state import WORDS as STATES
from kiosk import line
from kiosk.paper import print_again
from tests.kiosk.console_hall import NOON_MS, STAFF, STAFF_PASSWORD, Client, ConsoleHall, console_hall

PAGE = "/console/printers"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path) as hall:
        hall.make_staff()
        yield hall


@pytest.fixture
def client(hall: ConsoleHall) -> Client:
    return hall.client(STAFF, STAFF_PASSWORD)


def text(answer: TestResponse) -> str:
    body = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def slips(hall: ConsoleHall) -> list[dict[str, object]]:
    rows = hall.core.reader().execute("SELECT * FROM slips ORDER BY slip_id").fetchall()
    return [{**dict(row), "copy_of": json.loads(row["body"])["copy_of"]} for row in rows]


@pytest.mark.parametrize(
    "state",
    [one for one in STATES if one not in ("hot", "mute")] + ["port_missing"],
)
def test_each_state_of_a_printer_is_said_with_what_to_do(hall: ConsoleHall, client: Client, state: str) -> None:
    why_zh, why_en = STATES.get(state, ("插好数据线", "plug it in"))
    hall.printer(state)
    hall.bridge.write(lambda c: c.execute("UPDATE printers SET why_zh = ?, why_en = ?", (why_zh, why_en)))
    for lang, why in (("zh", why_zh), ("en", why_en)):
        shown = text(client.get(f"{PAGE}?lang={lang}"))
        assert why in shown
        assert "printer_" not in shown


def test_a_slip_that_nobody_can_know_of_is_settled_by_one_touch(hall: ConsoleHall, client: Client) -> None:
    first, second = hall.job("UNSURE", "政务 B031"), hall.job("UNSURE", "政务 B032")
    assert "政务 B031" in text(client.get(PAGE))
    answer = client.form(PAGE, slip_id=str(first), do="printed", name="政务 B031")
    assert "记下了：政务 B031" in text(client.get(answer.location))
    client.form(PAGE, slip_id=str(second), do="again", name="政务 B032")
    said = hall.core.reader().execute("SELECT slip_id, verdict FROM slip_verdicts ORDER BY slip_id").fetchall()
    assert [tuple(one) for one in said] == [(first, "printed"), (second, "reprinted")]
    (again,) = [one for one in slips(hall) if one["reprint_of"]]
    assert (again["reprint_of"], again["reason"], again["asked_by"]) == (second, "unsure", STAFF)
    refused = client.form(PAGE, slip_id=str(first), do="given_up")
    assert refused.status_code == 409
    assert "已经有人处理过" in text(refused)


def test_a_reprint_is_one_touch_and_says_why_and_a_trembling_one_is_one(hall: ConsoleHall, client: Client) -> None:
    slip_id = hall.job("PRINTED", "政务 B031")
    answer = client.form(PAGE, slip_id=str(slip_id), do="lost", name="政务 B031")
    assert "正在补打 政务 B031" in text(client.get(answer.location))
    (again,) = [one for one in slips(hall) if one["reprint_of"]]
    assert (again["reason"], again["asked_by"], again["copy_of"]) == ("lost", STAFF, slip_id)
    twice = client.form(PAGE, slip_id=str(slip_id), do="lost")
    assert twice.status_code == 409
    assert "刚刚已经补打过" in text(twice)
    hall.clock.go(s=6)
    hall.bridge.write(
        lambda c: c.execute(
            "INSERT INTO jobs(slip_id, printer, state, created_ms, changed_ms, body)"
            " VALUES (?, 'hall', 'PRINTED', 0, 0, '{}')",
            (again["slip_id"],),
        )
    )
    client.form(PAGE, slip_id=str(again["slip_id"]), do="torn")
    assert slips(hall)[-1]["copy_of"] == slip_id, "a copy of a copy names the first"
    assert "弄丢了" in text(client.get(PAGE))


def test_a_clock_that_was_set_back_does_not_hold_up_a_reprint(hall: ConsoleHall) -> None:
    slip_id = hall.job("PRINTED", "政务 B031")
    for reason in ("lost", "torn"):
        now_ms = hall.clock.now_ms
        hall.core.writer.write(lambda notebook: print_again(notebook, slip_id, reason, STAFF, now_ms))  # noqa: B023
        hall.clock.go(s=-7200)
    assert [one["reason"] for one in slips(hall)][-2:] == ["lost", "torn"]


@pytest.mark.parametrize("state", ["QUEUED", "SENDING", "UNSURE"])
def test_a_slip_that_may_still_come_is_not_printed_beside_itself(
    hall: ConsoleHall, client: Client, state: str
) -> None:
    slip_id = hall.job(state, "政务 B031")
    answer = client.form(PAGE, slip_id=str(slip_id), do="not_out")
    assert (answer.status_code, "还没打完" in text(answer)) == (409, True)
    assert len(slips(hall)) == 1


def test_a_number_of_this_morning_is_found(hall: ConsoleHall, client: Client) -> None:
    for number in range(40):
        hall.job("PRINTED", f"政务 B{number:03}")
    assert "政务 B003" not in text(client.get(PAGE))
    assert "政务 B003" in text(client.get(f"{PAGE}?number=b003"))
    assert "没有找到“B999”" in text(client.get(f"{PAGE}?number=B999"))


def test_a_test_slip_and_a_new_roll(hall: ConsoleHall, client: Client) -> None:
    hall.printer("ready")
    answer = client.form(PAGE, printer="hall", do="test")
    assert "已送去试打" in text(client.get(answer.location))
    assert (slips(hall)[-1]["kind"], slips(hall)[-1]["printer"]) == ("test", "hall")
    client.form(PAGE, printer="hall", do="new_roll")
    acts = hall.core.reader().execute('SELECT printer, act, "by", at_ms FROM printer_acts').fetchall()
    assert [tuple(one) for one in acts] == [("hall", "new_roll", STAFF, NOON_MS)]


@pytest.mark.parametrize(
    "form",
    [{"do": "burn", "slip_id": "1"}, {"do": "printed"}, {"do": "lost", "slip_id": "x"}, {"do": "test", "printer": "x"}],
)
def test_what_makes_no_sense_is_refused(client: Client, form: dict[str, str]) -> None:
    assert client.form(PAGE, **form).status_code == 400


def test_a_slip_that_is_not_there_is_refused_in_words(client: Client) -> None:
    answer = client.form(PAGE, slip_id="77", do="lost")
    assert (answer.status_code, "没有这张纸的记录" in text(answer)) == (409, True)


def test_where_a_slip_comes_out_at_the_spare_the_resident_is_told_so(hall: ConsoleHall) -> None:
    taken = line.take_ticket(hall.core, "ZW-01", "key-0001", "zh", "kiosk-1")
    hall.bridge.write(
        lambda c: c.execute(
            "INSERT INTO jobs(slip_id, printer, state, created_ms, changed_ms, body, meant_for)"
            " VALUES (?, 'hall', 'QUEUED', 0, 0, '{}', 'other')",
            (taken.slip_id,),
        )
    )
    told = hall.app.test_client().get(f"/api/tickets/{taken.ticket.token}").get_json()["slip"]
    assert (told["word"], told["at_zh"]) == ("js_paper_there", "大厅打印机")
