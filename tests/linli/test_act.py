"""`linli press`, `park`, `print`, `virtual`, `admin-token`: what a technician types, against real parts."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.notebook import Notebook
from linli import act
from linli.__main__ import main
from linli.broker import free_port
from tests.parts import PATIENCE_S, ROOT, Device, Gateway, Mosquitto, gateway


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A broker and a gateway; the commands find them by the environment."""
    with gateway(tmp_path / "home") as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


def test_a_press_is_written_and_a_call_is_there(hall: Gateway, capsys):
    assert main(["press", "btn-0302"]) == 0
    assert re.fullmatch(r"btn-0302: written after \d+\.\d ms   已记录\n", capsys.readouterr().out)
    assert [call["device_id"] for call in hall.seat().snapshot["calls"]] == ["btn-0302"]


def test_a_car_comes_and_a_second_time_there_is_nothing_to_write(hall: Gateway, capsys):
    assert main(["park", "bay-e01", "arrive"]) == 0
    assert "is taken, written after" in capsys.readouterr().out
    assert main(["park", "bay-e01", "arrive"]) == 0
    assert "was already taken" in capsys.readouterr().out
    assert main(["park", "bay-e01", "leave"]) == 0
    assert "is free, written after" in capsys.readouterr().out


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path / "mosquitto")
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    monkeypatch.setenv("LINLI_MQTT_PORT", str(mosquitto.port))
    yield mosquitto
    mosquitto.close()


def test_a_press_is_repeated_with_the_same_key_until_it_is_written(broker: Mosquitto, capsys, monkeypatch):
    monkeypatch.setattr(act, "REPEAT_S", 0.05)
    gateway_ = Device(broker.port, "linli/v1/button/btn-1/press")
    presses: list[dict] = []

    def answer_the_third() -> None:
        presses.extend(gateway_.wait_heard("linli/v1/button/btn-1/press") for _ in range(3))
        gateway_.say("linli/v1/button/btn-1/written", {"boot": "another", "seq": 1})
        gateway_.say("linli/v1/button/btn-1/written", {"boot": presses[0]["boot"], "seq": 1})

    thread = threading.Thread(target=answer_the_third)
    thread.start()
    assert main(["press", "btn-1", "--long"]) == 0
    thread.join()
    gateway_.close()
    assert re.search(r"\(said \d+ times\)", capsys.readouterr().out)
    assert {(press["boot"], press["seq"], press["press"]) for press in presses} == {
        (presses[0]["boot"], 1, "long")
    }
    assert presses[0]["age_ms"] <= presses[1]["age_ms"] <= presses[2]["age_ms"]


def test_a_press_that_nobody_writes_is_no_success(broker: Mosquitto, capsys, monkeypatch):
    monkeypatch.setattr(act, "REPEAT_S", 0.02)
    monkeypatch.setattr(act, "GIVE_UP_S", 0.1)
    assert main(["press", "btn-1"]) == 1
    assert "linli doctor" in capsys.readouterr().err


def test_without_a_hall_each_command_says_so_in_words(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    monkeypatch.setenv("LINLI_MQTT_PORT", str(free_port()))
    for words in (["press", "btn-1"], ["park", "bay-1", "leave"], ["stats"], ["virtual"], ["admin-token"]):
        assert main(words) == 1
        said = capsys.readouterr().err
        assert said.startswith("linli: "), words
        assert "Traceback" not in said


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "x" * 101])
def test_a_name_that_is_no_device_is_refused(name: str, capsys):
    assert main(["press", name]) == 1
    assert "is no device's name" in capsys.readouterr().err


def test_a_virtual_device_is_told_what_to_do(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    (tmp_path / "run").mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as desk:
        desk.bind(str(tmp_path / "run" / "virtual.sock"))
        desk.listen()
        heard = []

        def answer() -> None:
            line, _ = desk.accept()
            with line, line.makefile("rwb") as words:
                heard.append(json.loads(words.readline()))
                words.write(b'{"re":"1","ok":true,"state":{"bps":300}}\n')

        thread = threading.Thread(target=answer)
        thread.start()
        assert main(["virtual", "printer:hall", "slow", "bps=300"]) == 0
        thread.join()
    assert heard == [{"id": "1", "device": "printer:hall", "do": "slow", "bps": 300}]
    assert json.loads(capsys.readouterr().out) == {"state": {"bps": 300}}


# ---------------------------------------------------------------- paper


@pytest.fixture
def printer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A pseudo-terminal as the hall's printer, with no bridge on it. Gives the printer's end."""
    master, slave = pty.openpty()
    os.set_blocking(master, True)
    (tmp_path / "hall.toml").write_text(
        f'[[printers]]\nid = "hall"\nport = "{os.ttyname(slave)}"\nprofile = "epson-tm-t82"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    yield master
    os.close(master)
    os.close(slave)


def test_without_a_bridge_the_test_slip_goes_straight_to_the_port(printer: int, capsys):
    paper = bytearray()

    def print_it() -> None:
        """A printer: reads until it is asked whether it is done, and says yes by that number."""
        while not (asked := re.search(rb"\x1d\(H\x06\x00\x30\x30(.{4})", paper, re.DOTALL)):
            if not select.select([printer], [], [], PATIENCE_S)[0]:
                return
            paper.extend(os.read(printer, 4096))
        os.write(printer, b"\x37\x22" + asked[1] + b"\x00")

    thread = threading.Thread(target=print_it)
    thread.start()
    status = main(["print", "hall"])
    thread.join()
    assert "打印测试".encode("gbk") in paper
    said = capsys.readouterr().out
    assert "bytes sent on /dev/pts/" in said
    assert (status, "done" in said) == (0, True)


def test_with_a_bridge_the_slip_is_laid_into_its_folder_and_followed(printer: int, tmp_path: Path, capsys):
    bridge = Notebook(tmp_path / "bridge.db", ROOT / "firmware_bridge/schema")
    now_ms = 1_793_000_000_000
    bridge.write(
        lambda c: c.execute("INSERT INTO bridge_alive VALUES (1, ?, ?, ?)", (os.getpid(), now_ms, 1 << 62))
    )
    from linli import paper

    assert not paper.bridge_is_alive(_house(tmp_path), (1 << 62) + paper.BRIDGE_ALIVE_MS)
    assert paper.bridge_is_alive(_house(tmp_path), 1 << 62)

    def take_it() -> None:
        folder, pause = tmp_path / "spool-in", threading.Event()
        for _ in range(int(PATIENCE_S / 0.01)):
            if files := sorted(folder.glob("*.json")):
                break
            pause.wait(0.01)
        order = json.loads(files[0].read_text(encoding="utf-8"))
        files[0].unlink()
        bridge.write(
            lambda c: c.execute(
                "INSERT INTO jobs(slip_id, printer, state, created_ms, changed_ms, body)"
                " VALUES (?, ?, 'PRINTED', 1, 1, ?)",
                (order["slip_id"], order["printer"], json.dumps(order["body"])),
            )
        )
        taken.append(order)

    taken: list[dict] = []
    thread = threading.Thread(target=take_it)
    thread.start()
    status = main(["print"])
    thread.join()
    bridge.close()
    assert (status, capsys.readouterr().out) == (0, "hall: PRINTED\n")
    assert taken[0]["slip_id"] < 0
    assert taken[0]["body"]["kind"] == "test"


def _house(home: Path):
    from gateway.house import open_house

    return open_house(None, {"LINLI_HOME": str(home)})


def test_a_printer_that_is_not_in_hall_toml_is_refused_with_those_that_are(printer: int, capsys):
    assert main(["print", "hal"]) == 2
    assert capsys.readouterr().err == 'linli: there is no printer "hal"; known: hall\n'


# ---------------------------------------------------------------- the first administrator


def test_the_first_administrators_token_is_told_once_and_only_while_it_is_needed(
    tmp_path: Path, monkeypatch, capsys
):
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    kiosk = Notebook(tmp_path / "kiosk.db", ROOT / "kiosk/schema")
    assert main(["admin-token"]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == (tmp_path / "first-admin-token").read_text().strip()
    assert "/console/first" in said.err
    assert (tmp_path / "first-admin-token").stat().st_mode & 0o077 == 0
    columns = {
        row[1]: row[2]
        for row in kiosk.connection.execute("PRAGMA table_info(staff)")
        if row[3] and row[4] is None and not row[5]
    }
    values = {
        name: {"role": "admin"}.get(name, 1 if kind == "INTEGER" else "x") for name, kind in columns.items()
    }
    kiosk.write(
        lambda c: c.execute(
            f"INSERT INTO staff({','.join(values)}) VALUES ({','.join('?' * len(values))})",
            [*values.values()],
        )
    )
    kiosk.close()
    assert main(["admin-token"]) == 1
    assert "administrator already" in capsys.readouterr().err
