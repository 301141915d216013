"""Programs of others that print, at our virtual printer: what they say of it is what is so.

The client is receiptio (npm, Apache-2.0): it asks DLE EOT 2 and GS I, wants automatic status back, and believes a job
only when ``GS r 1`` is answered. The generator is receiptline. Both are in ``tests/npm`` (``linli/install.sh test``
installs them where npm is there); without them this file is left out, and the head of the test report says so.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import serial

from devices.virtual.printer import VirtualPrinter

pytestmark = pytest.mark.slow

NPM = Path(__file__).parents[1] / "npm"
RECEIPTIO = NPM / "node_modules" / "receiptio" / "bin" / "cli.js"
#: The client knows no other port.
PORT = 9100
#: A host of our own on the loopback, so that tests that run beside each other do not meet at the one port.
HOST = f"127.77.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}"

SLIP = """^^^政务 B031
---
前面等候 | 3 人
{code:http://192.168.1.10:8000/t/Jx8dkQ2mPz4vB7wN; option:qrcode,6,m}
办事人：刘䶮
"""


def start(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["node", str(RECEIPTIO), "-d", HOST, "-l", "zh", "-t", "20", *options],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def receiptio(*options: str) -> str:
    """What the client says of the job, or of the printer (``-q``)."""
    return start(*options).communicate(SLIP, timeout=60)[1].strip()


@contextmanager
def wired_to(printer: VirtualPrinter) -> Iterator[None]:
    """A serial server: whoever calls HOST:9100 is wired to the printer's serial line."""
    stopping, wake = socket.socketpair()
    listener = socket.create_server((HOST, PORT))

    def turn() -> None:
        with serial.Serial(str(printer.link), timeout=0) as line:
            caller: socket.socket | None = None
            while True:
                ends: list[Any] = [stopping, line, caller or listener]
                ready = select.select(ends, [], [])[0]
                if stopping in ready:
                    break
                if listener in ready:
                    caller, _ = listener.accept()
                    line.reset_input_buffer()
                    continue
                if line in ready and (said := line.read(4096)) and caller:
                    caller.sendall(said)
                if caller in ready and caller:
                    heard = b""
                    try:
                        heard = caller.recv(256)
                    except ConnectionResetError:
                        pass  # it hung up with our last words unread
                    if heard:
                        line.write(heard)
                    else:
                        caller.close()
                        caller = None
            if caller:
                caller.close()

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield
    finally:
        wake.send(b"!")
        thread.join(timeout=10)
        for one in (stopping, wake, listener):
            one.close()


@pytest.fixture(params=["tcp", "pty"])
def printer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VirtualPrinter]:
    over_tcp = request.param == "tcp"
    printer = VirtualPrinter("hall", tmp_path, tcp=(HOST, PORT) if over_tcp else None)
    printer.start()
    try:
        if over_tcp:
            yield printer
        else:
            with wired_to(printer):
                yield printer
    finally:
        printer.stop()


def test_a_stranger_prints_and_hears_of_success_paper_cover_and_trouble(printer: VirtualPrinter) -> None:
    assert receiptio() == "success"
    state = printer.wait_until(lambda now: now["printed"] == 1, timeout_s=5)
    assert (state["unknown"], state["overflows"], state["lost"]) == (0, 0, 0)
    text = state["last_text"].splitlines()
    assert "政务 B031" in [line.strip() for line in text]
    assert "前面等候" + " " * 36 + "3 人" in text
    assert "办事人：刘䶮" in [line.strip() for line in text]
    assert receiptio("-q") == "online"

    printer.do("paper_out")
    assert receiptio() == "paperempty"
    printer.do("paper_in")
    printer.do("cover_open")
    assert receiptio("-q") == "coveropen"
    printer.do("cover_close")
    printer.do("trouble", what="unrecoverable")
    assert receiptio() == "error"
    printer.do("clear")

    # The roll ends in the middle of a slip: the client learns it from automatic status back, and half a slip is torn.
    printer.do("paper_out", after_bytes=2000)
    assert receiptio() == "paperempty"
    printer.do("paper_in")
    assert receiptio() == "success"
    assert printer.state()["printed"] >= 3


@pytest.mark.long
def test_a_dead_printer_is_offline_and_comes_back(printer: VirtualPrinter) -> None:
    printer.do("power_off")
    assert receiptio() == "offline"  # after the 12 seconds that it waits
    printer.do("power_on")
    assert receiptio() == "success"


def test_the_code_of_a_stranger_can_be_read_from_the_picture(tmp_path: Path) -> None:
    reader = shutil.which("zbarimg")
    assert reader, "zbar-tools is installed by linli/install.sh test"
    with_printer = VirtualPrinter("hall", tmp_path, tcp=(HOST, PORT))
    with_printer.start()
    try:
        assert receiptio() == "success"
        with_printer.wait_until(lambda now: now["drawn"] == 1, timeout_s=20)
    finally:
        with_printer.stop()
    picture = tmp_path / "virtual" / "paper" / "hall" / "1.png"
    read = subprocess.run([reader, "-q", "--raw", str(picture)], capture_output=True, text=True, check=False)
    assert read.stdout.splitlines()[0] == "http://192.168.1.10:8000/t/Jx8dkQ2mPz4vB7wN"
