"""The virtual printer as a machine: what it says in each trouble, what it does with bytes it cannot print yet.

The bytes expected here are those of Epson's ESC/POS reference, written out, not computed from the code under test.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from devices.clock import mono_s
from devices.plan import read_plan
from devices.virtual.__main__ import virtual_printers
from devices.virtual.paper import Make
from devices.virtual.printer import VirtualPrinter
from linli.broker import free_port

CUT = b"\x1dVB\x00"


class Host:
    """The computer's end of the line."""

    def __init__(self, printer: VirtualPrinter, xonxoff: bool = False) -> None:
        self.line = serial.Serial(str(printer.link), timeout=0, write_timeout=0, xonxoff=xonxoff)

    def say(self, data: bytes) -> None:
        os.write(self.line.fileno(), data)

    def hear(self, count: int, within_s: float = 3.0) -> bytes:
        """``count`` bytes, or as many as have come when the time is over."""
        heard, until_s = b"", mono_s() + within_s
        while len(heard) < count and (left_s := until_s - mono_s()) > 0:
            if select.select([self.line], [], [], left_s)[0]:
                heard += os.read(self.line.fileno(), count - len(heard))
        return heard

    def ask(self, question: bytes, count: int) -> bytes:
        self.say(question)
        return self.hear(count)


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[VirtualPrinter]:
    printer = VirtualPrinter("hall", tmp_path)
    printer.start()
    yield printer
    printer.stop()


@pytest.fixture
def host(printer: VirtualPrinter) -> Iterator[Host]:
    host = Host(printer)
    yield host
    host.line.close()


#: What is done to it; the answers to DLE EOT 1 to 4; automatic status back.
TROUBLES: list[tuple[str, dict[str, Any], str, str]] = [
    ("paper_in", {}, "12 12 12 12", "10 00 00 0f"),
    ("paper_low", {}, "12 12 12 1e", "10 00 03 0f"),
    ("paper_out", {}, "1a 32 12 7e", "18 00 0f 0f"),
    ("cover_open", {}, "1a 16 12 12", "38 00 00 0f"),
    ("offline", {}, "1a 12 12 12", "18 00 00 0f"),
    ("jam", {}, "1a 52 1a 12", "18 08 00 0f"),
    ("trouble", {"what": "recoverable"}, "1a 52 16 12", "18 04 00 0f"),
    ("trouble", {"what": "unrecoverable"}, "1a 52 32 12", "18 20 00 0f"),
    ("trouble", {"what": "hot"}, "1a 52 52 12", "18 40 00 0f"),
]


@pytest.mark.parametrize(("what", "how", "answers", "status"), TROUBLES)
def test_each_trouble_is_told_in_its_own_bits_and_at_once(
    printer: VirtualPrinter, host: Host, what: str, how: dict[str, Any], answers: str, status: str
) -> None:
    assert host.ask(b"\x1da\xff", 4) == bytes.fromhex("10 00 00 0f")
    printer.do(what, **how)
    if what != "paper_in":
        assert host.hear(4) == bytes.fromhex(status)
    # Bytes that cannot be printed lie in the buffer; the questions behind them are answered all the same.
    four = b"".join(b"\x10\x04" + bytes([number]) for number in (1, 2, 3, 4))
    assert host.ask(b"waiting\n" + four, 4) == bytes.fromhex(answers)


def test_only_the_causes_that_were_asked_for_are_told(printer: VirtualPrinter, host: Host) -> None:
    assert len(host.ask(b"\x1da\x08", 4)) == 4  # paper alone
    printer.do("trouble", what="cutter")
    printer.do("clear")
    printer.do("paper_low")
    assert host.hear(8, within_s=0.3) == bytes.fromhex("10 00 03 0f")


def test_a_recoverable_error_ends_by_dle_enq_and_a_stuck_knife_does_not(printer: VirtualPrinter, host: Host) -> None:
    printer.do("trouble", what="recoverable")
    host.say(b"one\n" + CUT)
    printer.wait_until(lambda now: now["in_buffer"] == 8, 3)
    host.say(b"\x10\x05\x01")  # go on from here
    assert printer.wait_until(lambda now: now["printed"] == 1, 3)["last_text"] == "one\n"
    printer.do("trouble", what="recoverable")
    host.say(b"two\n")
    printer.wait_until(lambda now: now["in_buffer"] == 4, 3)
    host.say(b"\x10\x05\x02")  # throw away what waits
    host.say(b"three\n" + CUT)
    assert printer.wait_until(lambda now: now["printed"] == 2, 3)["last_text"] == "three\n"
    printer.do("jam")
    assert host.ask(b"\x10\x05\x01\x10\x04\x03", 1) == b"\x1a"


def test_clearing_the_buffers_is_answered_and_leaves_nothing_behind(printer: VirtualPrinter, host: Host) -> None:
    printer.do("cover_open")
    assert host.ask(b"half a slip\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08", 3) == b"\x37\x25\x00"
    assert printer.do("cover_close")["in_buffer"] == 0
    host.say(b"whole\n" + CUT)
    assert printer.wait_until(lambda now: now["printed"] == 1, 3)["last_text"] == "whole\n"


def test_it_says_done_by_number_when_the_paper_is_out_and_not_before(printer: VirtualPrinter, host: Host) -> None:
    printer.do("cover_open")
    host.say(b"slip\n" + CUT + b"\x1d(H\x06\x0000" + b"0A7Z" + b"\x1dr\x01\x1dI\x42\x1dI\x43")
    assert host.hear(1, within_s=0.2) == b""
    printer.do("cover_close")
    assert host.hear(7 + 1 + 7 + 9) == b"\x37\x220A7Z\x00" + b"\x00" + b"_LINLI\x00" + b"_VIRTUAL\x00"


def test_with_hard_flow_control_a_full_buffer_takes_no_byte_more_and_loses_none(tmp_path: Path) -> None:
    printer = VirtualPrinter("hall", tmp_path, buffer_bytes=64)
    printer.start()
    host = Host(printer)
    printer.do("cover_open")
    host.say(b"0123456789" * 10 + b"\n" + CUT)
    state = printer.wait_until(lambda now: now["in_buffer"] == 64, 3)
    assert (state["received"], state["lost"]) == (64, 0)
    printer.do("cover_close")
    text = printer.wait_until(lambda now: now["printed"] == 1, 3)["last_text"]
    assert text.replace("\n", "") == "0123456789" * 10
    host.line.close()
    printer.stop()


def test_without_flow_control_a_full_buffer_loses_what_comes(tmp_path: Path) -> None:
    printer = VirtualPrinter("hall", tmp_path, buffer_bytes=64)
    printer.start()
    host = Host(printer)
    printer.do("handshake", how="none")
    printer.do("cover_open")
    host.say(b"0123456789" * 10)
    assert printer.wait_until(lambda now: now["received"] == 100, 3)["lost"] == 36
    host.line.close()
    printer.stop()


def test_xoff_stops_the_computers_line_and_xon_starts_it(printer: VirtualPrinter) -> None:
    host = Host(printer, xonxoff=True)
    printer.do("handshake", how="soft")
    printer.do("cover_open")
    host.say(b"0123456789ABCDE\n" * 250)
    sent = 4000
    printer.wait_until(lambda now: now["in_buffer"] == sent, 3)
    assert not select.select([], [host.line], [], 0.3)[1], "XOFF: the kernel itself has stopped the line"
    printer.do("cover_close")
    state = printer.wait_until(lambda now: now["received"] == sent and now["in_buffer"] == 0, 5)
    assert state["lost"] == 0
    assert select.select([], [host.line], [], 3)[1], "XON: it may go on"
    host.line.close()


@pytest.mark.parametrize("at", [0, 1, 9, 17])
def test_the_power_goes_at_exactly_that_byte(printer: VirtualPrinter, host: Host, at: int) -> None:
    printer.do("power_off", after_bytes=at)
    host.say(b"first\nsecond\n" + CUT)
    state = printer.wait_until(lambda now: now["received"] == 17, 3)
    assert (state["off"], state["lost"], state["printed"]) == (True, 17 - at, 1 if at == 17 else 0)
    host.say(b"\x10\x04\x01")
    assert host.hear(1, within_s=0.1) == b""
    printer.do("power_on")
    host.say(b"again\n" + CUT)
    text = printer.wait_until(lambda now: now["printed"] == (2 if at == 17 else 1), 3)["last_text"]
    # A line that was only in memory is gone; one that was printed is still on the paper, above.
    assert text == ("first\nagain\n" if 6 <= at < 17 else "again\n")


def test_a_power_cycle_takes_its_time_and_leaves_no_code_behind(printer: VirtualPrinter, host: Host) -> None:
    """One that was back at once would take the rest of a slip for a slip of its own, and nobody could know."""
    code = b"\x1d(k\x05\x00\x31\x50\x30AB"
    host.say(code)
    printer.wait_until(lambda now: now["received"] == len(code), 3)
    printer.do("power_cycle")
    host.say(b"\x10\x04\x01")
    assert host.hear(1, within_s=0.5) == b""
    assert printer.wait_until(lambda now: not now["off"], 3)["lost"] == 3
    assert len(host.ask(b"\x10\x04\x01", 1)) == 1
    host.say(b"\x1d(k\x03\x00\x31\x51\x30next\n" + CUT)
    assert printer.wait_until(lambda now: now["printed"] == 1, 3)["last_text"] == "next\n"


def test_a_dark_printer_says_nothing_at_all(printer: VirtualPrinter, host: Host) -> None:
    printer.do("power_off")
    host.say(b"\x10\x04\x01\x1da\xff")
    assert host.hear(1, within_s=0.3) == b""


def test_noise_on_the_line_is_no_answer_of_any_kind(printer: VirtualPrinter, host: Host) -> None:
    printer.do("garbage")
    heard = host.ask(b"\x10\x04\x01\x1da\xff\x1dr\x01\x1d(H\x06\x00000001", 1 + 4 + 1 + 7)
    assert len(heard) == 13
    # Neither 0xx1xx10, 0xx1xx00, 0xx0xxxx nor the head of a block.
    assert all(byte & 0x80 for byte in heard)
    printer.do("clean")
    assert host.ask(b"\x10\x04\x01", 1) == b"\x12"


def test_the_paper_moves_at_its_own_pace_and_done_is_said_after_it(printer: VirtualPrinter, host: Host) -> None:
    printer.do("pace", mm_s=100)
    began_s = mono_s()
    # Ten lines of 30 dots and a line of text: 330 dots are 41 mm, 0.41 s.
    assert host.ask(b"\n" * 10 + b"slip\n" + b"\x1dr\x01", 1) == b"\x00"
    assert mono_s() - began_s > 0.4


def test_over_tcp_it_is_the_same_machine_and_each_end_has_its_own_answers(tmp_path: Path) -> None:
    printer = VirtualPrinter("hall", tmp_path, tcp=("127.0.0.1", 0))
    printer.start()
    host = Host(printer)
    assert printer.tcp is not None
    with socket.create_connection(printer.tcp, timeout=3) as net:
        net.sendall(b"\x10\x04\x01")
        assert net.recv(16) == b"\x12"
        assert host.ask(b"\x1da\xff", 4) == bytes.fromhex("10 00 00 0f")
        net.sendall(b"by net\n" + CUT + b"\x1dr\x01")
        assert net.recv(16) == b"\x00"
        printer.do("paper_low")
        assert host.hear(4) == bytes.fromhex("10 00 03 0f")
        assert printer.state()["last_text"] == "by net\n"
    with socket.create_connection(printer.tcp, timeout=3) as net:
        net.sendall(b"\x10\x04\x04")
        assert net.recv(16) == b"\x1e"
    host.line.close()
    printer.stop()


def test_a_machine_with_a_smaller_character_memory_prints_boxes_for_the_rest(tmp_path: Path) -> None:
    printer = VirtualPrinter("hall", tmp_path, make=Make(charset="gb2312", kanji_next_line=True))
    printer.start()
    host = Host(printer)
    host.say(b"\x1c&" + "啊\n啊龘\n".encode("gbk") + CUT)
    state = printer.wait_until(lambda now: now["printed"] == 1, 3)
    assert state["last_text"] == "░í\n啊□\n", "FS & holds from the next line on"
    assert state["unknown"] == 1
    host.line.close()
    printer.stop()


@pytest.mark.parametrize(
    ("what", "how", "why"),
    [
        ("explode", {}, "a printer knows"),
        ("trouble", {"what": "sadness"}, "no such trouble"),
        ("handshake", {"how": "firm"}, "no such handshake"),
        ("paper_out", {"bps": 1}, "paper_out takes no 'bps'"),
    ],
)
def test_an_order_that_it_does_not_know_is_refused(
    printer: VirtualPrinter, what: str, how: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        printer.do(what, **how)


def test_the_demos_printers_listen_on_the_loopback_where_the_hall_says_so(tmp_path: Path) -> None:
    port = free_port()
    plan = read_plan(f"""
        [[printers]]\nid = "hall"\nport = "virtual"
        [[printers]]\nid = "desk"\nport = "virtual"
        [virtual]\nprinter_port = {port}""")
    ports = [printer.tcp for printer in virtual_printers(plan, tmp_path)]
    assert ports == [("127.0.0.1", port), ("127.0.0.1", port + 1)]


def test_where_its_port_is_taken_it_says_so_and_keeps_its_serial_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        printer = VirtualPrinter("hall", tmp_path, tcp=other.getsockname())
        printer.start()
        assert "it has its serial line alone" in capsys.readouterr().err
        host = Host(printer)
        assert host.ask(b"\x10\x04\x01", 1) == b"\x12"
        host.line.close()
        printer.stop()
