"""Nights without internet: real gammu, a modem's real AT commands on a pseudo-terminal, answers from the street."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from devices.virtual.modem import VirtualModem
from gateway.hall import links
from gateway.hall.rows import Helper, Message
from gateway.notebook import Notebook, open_reader
from herald import modem_post, sms_answers
from herald.desk_line import DeskLine
from herald.lanes import Lanes
from herald.modem_post import Came, ModemPost
from herald.office import Office
from herald.sendings import SCHEMA, Sending, Sendings
from herald.sms_answers import Looked, SmsAnswers
from herald.wording import NOT_A_NUMBER, Outcome
from tests.herald.message_hall import QuietGateway, quiet_gateway
from tests.parts import PATIENCE_S, wait_until

LI = Helper("h-li", "李四", "grid", phone="13800138000")
WANG = Helper("h-wang", "王五", "building", phone="139-0013-9000")


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[VirtualModem]:
    modem = VirtualModem("modem", tmp_path)
    modem.start()
    yield modem
    modem.stop()


@contextmanager
def office_of(hall: QuietGateway, modem: VirtualModem) -> Iterator[Office]:
    """The herald's office in a thread, with the modem's process; it looks for answers four times a second."""
    post = ModemPost(str(modem.link))
    book = Notebook(hall.house.herald_db, SCHEMA)
    line = DeskLine(
        hall.house.gateway_socket,
        on_up=lambda: office.events.put("up"),
        on_bell=lambda: office.events.put("bell"),
        on_answer=lambda order_id, answer: office.events.put((order_id, answer)),
    )
    office = Office(
        hall.house.plan,
        hall.house.gateway_db,
        Sendings(book, lambda: time.time_ns() // 1_000_000),
        line,
        lambda *_: Outcome(False, "no internet tonight"),
        post,
        time.monotonic,
        lambda: time.time_ns() // 1_000_000,
        7,
    )

    def run() -> None:
        while not office.stopping:
            office.turn(0.05)

    thread = threading.Thread(target=run)
    line.start()
    thread.start()
    try:
        yield office
    finally:
        office.events.put("stop")
        thread.join(PATIENCE_S)
        line.stop()
        post.close()
        book.close()


def sent_to(modem: VirtualModem, number: str, count: int = 1) -> list[str]:
    """The texts that this number has been sent, once there are so many."""

    def theirs(state: dict[str, list[dict[str, str]]]) -> list[str]:
        return [one["text"] for one in state["sent"] if one["number"] == number]

    return theirs(modem.wait_until(lambda state: len(theirs(state)) >= count, PATIENCE_S))


def test_a_helper_answers_by_sms_and_the_second_hears_who_was_first(
    tmp_path: Path, modem: VirtualModem, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sms_answers, "INBOX_EVERY_S", 0.25)
    with quiet_gateway(tmp_path, sms_port="virtual") as hall, office_of(hall, modem):
        call_id = hall.a_call_of_granny_zhang()
        to_li = hall.message(call_id, "sms:13800138000", LI)
        to_wang = hall.message(call_id, "sms:+86 139 0013 9000", WANG)
        (words,) = sent_to(modem, "13800138000")
        assert words.startswith("【邻里】有一个紧急求助等人处理\n接单 Take it: http://192.168.1.10:8000/a/")
        assert words.endswith("\n回复 1 接单 Reply 1 to take it")
        assert modem.state()["sent"][0]["parts"] == 2, "a long text is one text on the telephone"
        hall.wait_message(to_li, "sent")
        hall.wait_message(to_wang, "sent")

        modem.do("receive", number="+8613900139000", text="什么事？")
        assert "没有看懂" in sent_to(modem, "+8613900139000", 2)[1]
        assert hall.loop.state.calls[call_id].state == "HEARD"

        modem.do("receive", number="+8613800138000", text="来了！")
        hall.wait(lambda state: state.calls[call_id].accepted_by == "李四")
        hall.wait_message(to_li, "answered")
        assert sent_to(modem, "+8613800138000") == [
            "【邻里】已登记您去处理：3栋1单元302。到了请告诉服务大厅。"
        ]

        modem.do("receive", number="+8613900139000", text="1")
        assert sent_to(modem, "+8613900139000", 3)[2] == "【邻里】李四 已经接了这个呼叫。"
        modem.do("receive", number="10086", text="您的套餐余量 1GB")
        modem.wait_until(lambda state: state["stored"] == 0, PATIENCE_S)
        reader = open_reader(hall.house.herald_db)
        kept = reader.execute("SELECT number, state FROM replies ORDER BY reply_id").fetchall()
        reader.close()
        assert kept == [
            ("+8613900139000", "not_understood"),
            ("+8613800138000", "accepted"),
            ("+8613900139000", "refused"),
            ("10086", "stranger"),
        ]


class Told:
    """The line to the gateway: what was ordered by it."""

    def __init__(self) -> None:
        self.tokens: list[object] = []

    def order(self, order_id: str, name: str, /, **fields: object) -> bool:
        assert name == "accept_by_link"
        self.tokens.append(fields["token"])
        return True


@pytest.mark.long
def test_an_answer_takes_only_a_call_of_whose_message_its_writer_knew(tmp_path: Path, modem: VirtualModem):
    """Granny Zhang's call is over when the network brings the answer to it; by then another rings."""
    with quiet_gateway(tmp_path, sms_port="virtual") as hall:
        first = hall.a_call_of_granny_zhang()
        sent = hall.message(first, "sms:13800138000", LI)
        row = hall.loop.state.table(Message)[sent]
        hall.put(replace(row, state="sent"))
        assert hall.order("close_call", call_id=first, by="张三", outcome="helped", note="")["ok"]
        hall.press("btn-0502")
        second = int(hall.wait(lambda state: max(state.calls) if max(state.calls) > first else 0))
        later_ms = row.created_ms + 600_000
        later = replace(row, message_id="later", call_id=second, created_ms=later_ms)

        post, line, lanes = ModemPost(str(modem.link)), Told(), Lanes()
        book = Notebook(hall.house.herald_db, SCHEMA)
        kept = Sendings(book, lambda: later_ms)
        plan, secret = hall.house.plan, hall.loop.state.link_secret
        answers = SmsAnswers(plan, hall.house.gateway_db, kept, line, post, lanes, lambda: later_ms)

        def takes(state: str, at_ms: int, text: str = "1") -> int:
            """The call that an answer written at that time takes; 0: none."""
            hall.put(replace(later, state=state))
            told = len(line.tokens)
            answers.looked(Looked((Came("+8613800138000", text, at_ms, ()),)), secret)
            link = links.read(secret, str(line.tokens[-1])) if len(line.tokens) > told else None
            return link.call_id if link else 0

        try:
            assert takes("sent", row.created_ms + 5_000) == first, "written when there was only the first"
            assert takes("sent", later_ms - 60_000) == second, "the network's clock is a minute behind"
            assert takes("sent", later_ms + 5_000) == second
            assert takes("sent", 0) == second, "the modem does not say when"
            for state in ("queued", "void"):
                assert takes(state, later_ms + 5_000, f"1{'!' * len(state)}") == first, "nobody has read it"
            assert takes("sent", row.created_ms - 600_000) == 0, "older than all that was sent"
            assert "没有看懂" in sent_to(modem, "+8613800138000")[0]
            kept.put([Sending("later", later_ms, "sent")])
            assert takes("queued", later_ms + 7_000) == second, "the gateway has not heard yet that it went out"
            states = book.connection.execute("SELECT state, call_id FROM replies ORDER BY reply_id").fetchall()
            assert ("not_understood", 0) in states and "stranger" not in dict(states)
        finally:
            wait_until(lambda: not lanes.busy(), lambda: "the modem has forgotten what came")
            post.close()
            book.close()


@pytest.mark.long
def test_a_modem_in_trouble_says_which_and_the_message_goes_when_it_is_well_again(
    modem: VirtualModem, monkeypatch: pytest.MonkeyPatch
):
    post = ModemPost(str(modem.link))
    try:
        assert post.send("hotline", "x") == Outcome(False, NOT_A_NUMBER, final=True)
        for trouble, mended, state in (
            ("no_network", "network", "no_network"),
            ("no_sim", "sim", "no_sim"),
            ("refuse", "accept", "ready"),
        ):
            assert post.look() == [] and post.now.state == "ready"
            modem.do(trouble)
            outcome = post.send("13800138000", "一" * 10)
            assert (outcome.ok, outcome.final, post.now.state) == (False, False, state), outcome
            modem.do(mended)
        assert post.send("13800138000", "终于").ok
        assert sent_to(modem, "13800138000") == ["终于"]
        monkeypatch.setattr(modem_post, "PATIENCE_S", 0.5)
        modem.do("silent")
        assert not post.send("13800138000", "一").ok and post.now.state == "silent"
        modem.do("unplug")
        monkeypatch.undo()
        assert "没有插好" in post.send("13800138000", "一").why and post.now.state == "port_missing"
    finally:
        post.close()
