"""The log: readable lines for a person, fields for journald, and never a wait for the one who speaks."""

from __future__ import annotations

import logging
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gateway import log
from gateway.log import begin_log, end_log, message_id, repeats, say, say_once


def _speak(code: str, **popen: object) -> subprocess.CompletedProcess[str]:
    """What a process of its own writes: its standard error is the thing under test."""
    script = f"import logging\nfrom gateway.log import *\nbegin_log('gateway')\n{code}\nend_log()\n"
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
        **popen,  # type: ignore[call-overload]
    )


def test_a_press_reads_as_one_plain_line_on_a_terminal():
    said = _speak("say('call_heard', 'call 7 HEARD: 3栋1单元302 (btn-0302)', call_id=7, device='btn-0302')")
    assert re.fullmatch(r"\d\d:\d\d:\d\d gateway  call 7 HEARD: 3栋1单元302 \(btn-0302\)\n", said.stderr)
    assert said.stdout == ""


def test_trouble_is_marked_and_a_percent_sign_is_only_a_percent_sign():
    said = _speak("say('disk', '97% full', level=logging.WARNING); say('disk', 'full', level=logging.ERROR)")
    assert [line[9:] for line in said.stderr.splitlines()] == ["gateway  ! 97% full", "gateway  !! full"]


def test_a_device_cannot_write_escape_sequences_to_the_technicians_terminal():
    said = _speak(r"say('unknown_topic', 'topic \x1b]0;evil\x07\nsecond line\u2028third')")
    assert said.stderr.rstrip("\n").endswith(r"topic \x1b]0;evil\x07\x0asecond line\x2028third")


def test_a_traceback_keeps_its_lines_but_not_its_escape_sequences():
    said = _speak(
        "try:\n    raise ValueError('\\x1b[31m')\nexcept ValueError:\n    logging.getLogger('paho').exception('lost')"
    )
    lines = said.stderr.splitlines()
    assert lines[0].endswith("!! lost")
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == r"ValueError: \x1b[31m"


@pytest.fixture
def journald(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A datagram socket where journald's would be."""
    here = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    here.bind(str(tmp_path / "journal"))
    here.settimeout(10)
    monkeypatch.setattr(log, "JOURNAL_SOCKET", str(tmp_path / "journal"))
    about = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{about.st_dev}:{about.st_ino}")
    root = logging.getLogger()
    level = root.level
    yield here
    end_log()
    root.setLevel(level)
    here.close()


def _fields(datagram: bytes) -> dict[str, str]:
    """journald's native protocol, read by its description: NAME=value, or NAME, 8 bytes of length, the value."""
    fields = {}
    while datagram:
        head, _, datagram = datagram.partition(b"\n")
        name, equals, value = head.partition(b"=")
        if not equals:
            length = int.from_bytes(datagram[:8], "little")
            value, datagram = datagram[8 : 8 + length], datagram[8 + length + 1 :]
        fields[name.decode()] = value.decode()
    return fields


def test_under_systemd_the_same_press_is_an_entry_with_fields(journald: socket.socket):
    begin_log("gateway")
    say("call_heard", "call 7 HEARD: 3栋1单元302", call_id=7, device="btn-0302", printer=None)
    fields = _fields(journald.recv(65536))
    assert fields == {
        "MESSAGE": "call 7 HEARD: 3栋1单元302",
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "linli-gateway",
        "LOGGER": "linli",
        "HALL_EVENT": "call_heard",
        "MESSAGE_ID": message_id("call_heard"),
        "CALL_ID": "7",
        "DEVICE": "btn-0302",
    }


def test_a_topic_that_is_no_utf8_and_has_lines_in_it_still_reaches_the_journal(journald: socket.socket):
    begin_log("gateway")
    say("unknown_topic", "unknown topic", level=logging.WARNING, topic="a\udcffb\nPRIORITY=0")
    fields = _fields(journald.recv(65536))
    assert fields["TOPIC"] == "a?b\nPRIORITY=0"
    assert fields["PRIORITY"] == "4"


def test_the_message_id_of_an_event_never_changes():
    # Written into the journal's catalogue and into people's notes: a new value would orphan both.
    assert message_id("call_heard") == "96e08fb04d7359d9af2a26effdc2c65c"


def test_with_journald_away_the_line_goes_to_standard_error(journald: socket.socket, tmp_path: Path, capfd):
    about = os.fstat(2)
    os.environ["JOURNAL_STREAM"] = f"{about.st_dev}:{about.st_ino}"  # capfd has put another file there
    (tmp_path / "journal").unlink()
    begin_log("gateway")
    say("call_heard", "call 7 HEARD")
    end_log()
    assert capfd.readouterr().err.endswith("gateway  call 7 HEARD\n")


def test_a_stuck_reader_never_stops_the_speaker_and_the_loss_is_told():
    """The reader of a pipe pauses; the process says more than pipe and queue hold; then the reader reads on."""
    reading, writing = os.pipe()
    code = (
        "import gateway.log as log\nlog.WAITING_LINES = 100\nbegin_log('gateway')\n"
        "[say('bay', 'x' * 200) for _ in range(5000)]\n"
        "print('spoke', flush=True)\nimport sys; sys.stdin.readline()\nsay('bay', 'after')\nend_log()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", "from gateway.log import *\n" + code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=writing,
    )
    os.close(writing)
    assert process.stdout and process.stdin
    with process, os.fdopen(reading, "rb") as pipe:
        assert process.stdout.readline() == b"spoke\n"  # all 5000 said while nobody read a byte
        lines: list[bytes] = []
        reader = threading.Thread(target=lambda: lines.extend(pipe))
        reader.start()
        process.stdin.write(b"go on\n")
        process.stdin.close()
        process.wait(20)
        reader.join(20)
    told = [re.search(rb"(\d+) log lines were lost", line) for line in lines]
    lost = sum(int(one[1]) for one in told if one)
    written = sum(b"xxx" in line for line in lines)
    assert lost > 0
    assert lost + written == 5000 + (not any(line.endswith(b"after\n") for line in lines))


def test_what_a_broken_device_repeats_is_written_once_and_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch
):
    monkeypatch.setattr(log, "_repeats", {})
    said = [say_once("garbage:btn-7", "garbage", "btn-7 sends garbage", device="btn-7") for _ in range(1000)]
    assert said == [True] + [False] * 999
    assert [record.getMessage() for record in caplog.records] == ["btn-7 sends garbage"]
    assert repeats() == {"garbage:btn-7": 999}


def test_a_flood_of_different_troubles_fills_neither_the_memory_nor_the_log(caplog, monkeypatch):
    monkeypatch.setattr(log, "_repeats", {})
    monkeypatch.setattr(log, "KINDS_REMEMBERED", 10)
    for number in range(1000):
        say_once(f"topic:{number}", "unknown_topic", f"unknown topic {number}")
    assert len(caplog.records) == 11
    assert caplog.records[-1].getMessage().endswith("new kinds of trouble are counted, not written)")
    assert repeats()[""] == 989
    assert len(repeats()) == 11


def test_after_a_day_a_trouble_is_told_again(caplog, monkeypatch):
    monkeypatch.setattr(log, "_repeats", {})
    monkeypatch.setattr(log, "_repeats_since", time.monotonic() - log.FORGET_AFTER_S - 1)
    log._repeats["paper"] = 41
    assert say_once("paper", "paper_out", "no paper")
    assert [record.getMessage() for record in caplog.records] == [
        "in the last day 41 more lines like earlier ones were counted, not written",
        "no paper",
    ]
