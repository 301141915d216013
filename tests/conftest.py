"""What every test stands on: a clean environment, a header that says what machine this is, and honest log lines."""

from __future__ import annotations

import gc
import logging
import os
import platform
import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway.log
from tests.axe import SOURCE as AXE
from tests.whole_hall import browser_program

# A hall that runs in the shell that started the tests must not become the hall under test.
for _name in [name for name in os.environ if name.startswith("LINLI_")]:
    del os.environ[_name]
for _name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM"):
    os.environ.pop(_name, None)
# Under nohup SIGHUP is ignored, in the background of a script SIGINT, and so they would be by every hall that the tests
# start; they test that it ends one.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
# Debian keeps mosquitto where an ordinary user's PATH does not look.
os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/usr/local/sbin"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """To gather thousands of stories makes 300,000 objects that stay to the end: nobody looks for rubbish there."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


#: Programs of others at our virtual printer (tests/npm): a machine without npm has none, and the header says so.
_STRANGERS = Path(__file__).with_name("npm") / "node_modules" / "receiptio"
collect_ignore = [] if _STRANGERS.exists() and shutil.which("node") else ["devices/test_strangers.py"]
#: The judge of pages comes the same way (tests/axe.py).
collect_ignore_glob = [] if AXE.exists() else ["kiosk/test_axe_*.py"]


def pytest_report_header() -> list[str]:
    """Which parts the tests ran against: a failure on another machine often begins here."""
    return [
        "strangers' programs (npm): "
        + ("NOT HERE, tests/devices/test_strangers.py is left out" if collect_ignore else "receiptio")
        + (", NO axe-core: tests/kiosk/test_axe_*.py are left out" if collect_ignore_glob else ", axe-core"),
        f"sqlite {sqlite3.sqlite_version}, {_version('mosquitto', '-h')}",
        f"browser: {_version(browser_program() or 'chromium', '--version')}",
        f"{platform.platform()}, {os.cpu_count()} cores, user {os.geteuid()}",
    ]


def _version(program: str, flag: str) -> str:
    if not shutil.which(program):
        return f"no {program}"
    said = subprocess.run([program, flag], capture_output=True, text=True, check=False, timeout=20)
    first = (said.stdout or said.stderr).strip().splitlines()
    return first[0] if first else program


@pytest.fixture(autouse=True)
def log_lines_are_well_formed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails any test in which a log line could not be formatted, or has a field that journald would refuse."""
    faults: list[str] = []
    # Each story is a new day: what another one has said may be said again.
    monkeypatch.setattr(gateway.log, "_repeats", {})
    monkeypatch.setattr(
        logging.Handler,
        "handleError",
        lambda _handler, record: faults.append(f"cannot be formatted: {record.msg!r}"),
    )

    def look(record: logging.LogRecord) -> bool:
        event = record.__dict__.get("hall_event")
        if event is not None and not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", event):
            faults.append(f"event {event!r} of {record.getMessage()!r} is no name like call_heard")
        for name in record.__dict__.get("hall_fields", {}):
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
                faults.append(f"field {name!r} of {event!r} is no name that journald takes")
            elif name.upper() in _JOURNALDS_OWN:
                faults.append(f"field {name!r} of {event!r} would overwrite a field of the journal itself")
        return True

    logger = logging.getLogger("linli")
    logger.addFilter(look)
    yield
    logger.removeFilter(look)
    assert not faults, "\n".join(faults)


#: Fields with a meaning of their own (systemd.journal-fields(7)).
_JOURNALDS_OWN = {
    "MESSAGE",
    "MESSAGE_ID",
    "PRIORITY",
    "SYSLOG_IDENTIFIER",
    "SYSLOG_FACILITY",
    "HALL_EVENT",
    "LOGGER",
}
