"""The herald as a process, between a real gateway's loop and a phone company that misbehaves; and killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.hall import links
from gateway.hall.rows import Helper
from tests.herald.message_hall import BASE_URL, PhoneCompany, QuietGateway, phone_company, quiet_gateway
from tests.parts import PATIENCE_S, Process

LI = Helper("h-li", "李四", "grid", phone="13800138000")


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[QuietGateway]:
    with quiet_gateway(tmp_path) as gateway:
        yield gateway


@pytest.fixture
def company() -> Iterator[PhoneCompany]:
    with phone_company() as company:
        yield company


def herald_of(hall: QuietGateway) -> Process:
    hall_toml = hall.house.home / "hall.toml"
    hall_toml.write_text(f'[http]\nbase_url = "{BASE_URL}"\n', encoding="utf-8")
    environ = {
        "LINLI_HOME": str(hall.house.home),
        "LINLI_RUN": str(hall.house.run_dir),
        "LINLI_HALL": str(hall_toml),
        "PYTHONUNBUFFERED": "1",
    }
    process = Process("herald", environ)
    hall.closers.append(process.stop)
    process.wait_line("ready: no modem")
    return process


def test_a_press_reaches_a_helper_at_home_whose_tap_is_the_answer(hall: QuietGateway, company: PhoneCompany):
    """Nobody at a console, nobody on duty but a grid officer: the ladder's own message, and its link."""
    herald = herald_of(hall)
    hall.put(replace(LI, channels=(company.url(),)))
    call_id = hall.a_call_of_granny_zhang()
    _, words = company.wait_got()
    assert words.startswith("【邻里】有一个紧急求助等人处理\n")
    assert "\n接单 Take it: http://192.168.1.10:8000/a/" in words
    assert "张" not in words and "302" not in words, "it may go to a group"
    ((message_id,),) = hall.ask("SELECT message_id FROM messages WHERE call_id = ?", call_id)
    assert hall.wait_message(message_id, "sent").attempts == 1

    token = words.rpartition("/")[2]
    answer = hall.order("accept_by_link", token=token)
    assert (answer["call"]["state"], answer["call"]["accepted_by"]) == ("COMING", "李四")
    assert hall.wait_message(message_id, "answered").why == ""
    assert herald.stop() == 0


def test_one_that_hangs_delays_nobody_and_one_that_was_away_gets_it_when_it_is_back(
    hall: QuietGateway, company: PhoneCompany
):
    herald = herald_of(hall)
    call_id = hall.a_call_of_granny_zhang()
    with phone_company() as slow:
        slow.mood = "hang"
        stuck = [
            hall.message(call_id, slow.url(str(n)), Helper(f"h-{n}", f"{n}号", "grid")) for n in range(4)
        ]
        assert slow.asked.get(timeout=PATIENCE_S)
        quick = hall.message(call_id, company.url(), LI)
        assert company.wait_got()
        hall.wait_message(quick, "sent")
        assert hall.loop.state.calls[call_id].state == "HEARD", "the ladder waits for none of this"

        company.mood = "error"
        again = hall.message(call_id, company.url("again"), LI)
        hall.wait(lambda state: state.tables["messages"][again].why == "对方拒绝（500） / refused (500)")
        company.mood = "ok"
        assert company.wait_got()[0] == "/again"
        assert hall.wait_message(again, "sent").attempts >= 2

        slow.let_go()
        for message_id in stuck:
            hall.wait_message(message_id, "sent")
    assert herald.stop() == 0


def test_the_gateway_may_go_and_come_and_is_told_what_it_missed(hall: QuietGateway, company: PhoneCompany):
    herald = herald_of(hall)
    call_id = hall.a_call_of_granny_zhang()
    company.mood = "hang"
    message_id = hall.message(call_id, company.url(), LI)
    assert company.asked.get(timeout=PATIENCE_S)
    hall.stop()
    company.mood = "ok"
    company.let_go()
    herald.wait_line(f"message {message_id} by json: sent")
    hall.start()
    hall.wait_message(message_id, "sent")
    assert company.got.qsize() == 1, "what is written down as sent is not sent again"
    assert herald.stop() == 0


def test_killed_in_the_middle_it_sends_again_and_killed_after_it_does_not(
    hall: QuietGateway, company: PhoneCompany
):
    """At least once: a doubled message is better than a lost one, and doubled only where nobody can know."""
    herald = herald_of(hall)
    call_id = hall.a_call_of_granny_zhang()
    company.mood = "hang"
    first = hall.message(call_id, company.url("first"), LI)
    assert company.asked.get(timeout=PATIENCE_S) == "/first"
    herald.kill()
    company.mood = "ok"
    herald = herald_of(hall)
    assert any("1 message(s) were being sent when we stopped" in line for line in herald.lines)
    assert company.wait_got()[0] == "/first"
    assert hall.wait_message(first, "sent").attempts == 2
    herald.kill()
    company.let_go()

    herald = herald_of(hall)
    second = hall.message(call_id, company.url("second"), LI)
    hall.wait_message(second, "sent")
    paths = [company.got.get(timeout=PATIENCE_S)[0] for _ in range(company.got.qsize())]
    # The request that was hanging when its herald was killed has been taken as well: that is the doubled one.
    assert sorted(paths) == ["/first", "/second"]
    assert herald.stop() == 0


def test_whoever_is_killed_at_any_moment_no_message_is_lost(hall: QuietGateway, company: PhoneCompany):
    """Five kills at moments that come as they come, while messages keep being written."""
    call_id = hall.a_call_of_granny_zhang()
    herald = herald_of(hall)
    sent = []
    for n in range(5):
        sent.append(hall.message(call_id, company.url(f"m{n}"), Helper(f"h-{n}", f"{n}号", "grid")))
        if n % 2 == 0:
            company.asked.get(timeout=PATIENCE_S)
        herald.kill()
        herald = herald_of(hall)
    for message_id in sent:
        hall.wait_message(message_id, "sent")
    arrived = {company.got.get(timeout=PATIENCE_S)[0] for _ in range(company.got.qsize())}
    assert arrived == {f"/m{n}" for n in range(5)}
    assert herald.stop() == 0


def test_the_link_is_signed_with_the_halls_own_secret_and_only_this_process_and_the_gateway_need_it(
    hall: QuietGateway,
):
    (secret,) = hall.ask("SELECT value FROM meta WHERE key = 'link_secret'")[0]
    assert len(secret) == 64 and hall.loop.state.link_secret == secret
    assert os.stat(hall.house.gateway_db).st_mode & 0o007 == 0, "nobody outside the hall's group reads it"
    forged = links.make("0" * 64, links.Link(1, "h-li", 0, 2**40))
    assert hall.order("accept_by_link", token=forged)["why_zh"].startswith("链接无效")
