"""The broker's file as it is shipped, and with its block for devices on the network: mosquitto itself reads both."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from linli.broker import find_mosquitto, free_port
from tests.parts import PATIENCE_S, ROOT, _listens, wait_until

CONF = ROOT / "systemd/mosquitto.conf"
#: Settings of the block for devices on the network: a # directly before the word, no space.
COMMENTED = re.compile(r"^#(?=[a-z])", re.MULTILINE)


def with_network(text: str) -> str:
    """What the technician's page says: take the # away from the last block."""
    return COMMENTED.sub("", text)


class Ports(NamedTuple):
    """Where a broker of ours was told to listen, on loopback and for the network, and where it does."""

    local: int
    network: int
    open: set[int]


@contextmanager
def broker(folder: Path, text: str) -> Iterator[Ports]:
    """A mosquitto on this text, on free ports and a folder of its own."""
    local, network = free_port(), free_port()
    (folder / "data").mkdir()
    text = text.replace("listener 1883 127.0.0.1", f"listener {local} 127.0.0.1")
    text = text.replace("listener 8883", f"listener {network} 127.0.0.1")
    text = text.replace("/run/linli-mosquitto/", f"{folder}/data/").replace("/etc/linli/", f"{folder}/")
    # As root mosquitto would become its own user, who may not read this folder.
    text += "\nuser root\n" if os.geteuid() == 0 else ""
    conf = folder / "mosquitto.conf"
    conf.write_text(text, encoding="utf-8")
    process = subprocess.Popen(
        [find_mosquitto(), "-c", str(conf)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    try:
        wait_until(
            lambda: _listens(local) or process.poll() is not None, lambda: "mosquitto listens, or has ended"
        )
        assert process.poll() is None, process.stderr.read()
        yield Ports(local, network, ports_of(process.pid))
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        process.stderr.close()


def ports_of(pid: int) -> set[int]:
    """The TCP ports on which this process itself listens: another program's port says nothing about it."""
    mine = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since the folder was read: a file the broker has just saved
            kind, _, inode = os.readlink(handle).partition(":")
            if kind == "socket":
                mine.add(inode.strip("[]"))
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{name}").read_text(encoding="ascii").splitlines()[1:]
    ]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in mine}


def may_enter(port: int, *, ca: Path | None = None, name: str = "", password: str = "") -> bool:
    """Whether the broker lets a client in."""
    answered = threading.Event()
    said: list[bool] = []
    client = paho.Client(CallbackAPIVersion.VERSION2)

    def connected(_c: object, _u: object, _f: object, reason: object, _p: object) -> None:
        said.append(not reason.is_failure)  # type: ignore[attr-defined]
        answered.set()

    client.on_connect = connected
    if ca is not None:
        client.tls_set(str(ca))
    if name:
        client.username_pw_set(name, password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert answered.wait(PATIENCE_S)
    finally:
        client.disconnect()
        client.loop_stop()
    return said[0]


def test_mosquitto_takes_the_file_as_it_is_shipped(tmp_path: Path):
    with broker(tmp_path, CONF.read_text(encoding="utf-8")) as ports:
        assert may_enter(ports.local)
        assert ports.open == {ports.local}


@pytest.fixture
def secured(tmp_path: Path) -> Path:
    """The files that the technician's page has made: its own commands, here."""
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    section = page.partition("## Devices on the network")[2].partition("\n## ")[0]
    commands = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))
    commands = commands.replace("/etc/linli/", f"{tmp_path}/").replace("sudo ", "")
    commands = commands.replace("mosquitto_passwd -c", "mosquitto_passwd -b -c").replace(" btn-0302", " btn-0302 x9")
    lines = [line for line in commands.splitlines() if not re.search(r"chown|chgrp|systemctl", line)]
    tool = shutil.which("mosquitto_passwd")
    assert tool, "mosquitto_passwd comes with Debian's mosquitto"
    done = subprocess.run(
        ["sh", "-euc", "\n".join(lines)], capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_the_block_for_the_network_works_when_its_signs_are_taken_away(secured: Path):
    shipped = CONF.read_text(encoding="utf-8")
    assert "listener 8883" not in {line for line in shipped.splitlines() if not line.startswith("#")}
    with broker(secured, with_network(shipped)) as ports:
        assert ports.open == {ports.local, ports.network}
        ca = secured / "tls/ca.crt"
        assert may_enter(ports.local), "our own processes on this machine need no password"
        assert may_enter(ports.network, ca=ca, name="btn-0302", password="x9")
        assert not may_enter(ports.network, ca=ca, name="btn-0302", password="guessed")
        assert not may_enter(ports.network, ca=ca), "nobody without a name"
