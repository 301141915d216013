"""`linli doctor`: each thing that can be wrong is made wrong, and the doctor names it and says what to do."""

from __future__ import annotations

import io
import json
import os
import pty
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from devices.plan import Broker, Http, OpenData, Panel, Plan, Printer
from gateway.finding import Finding, wrong
from gateway.hall.parking_rows import Site
from gateway.house import House
from gateway.notebook import Notebook
from gateway.store import write_changes
from linli import checks_hall, checks_machine, checks_paper
from linli.broker import find_mosquitto, free_port, write_conf
from linli.doctor import doctor, examine, spell
from tests.parts import ROOT, Mosquitto


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A hall that has never run, its broker on a port where nobody is."""
    plan = Plan(broker=Broker(port=free_port()), http=Http(port=free_port()))
    (tmp_path / "run").mkdir()
    return House(tmp_path, tmp_path / "run", plan, "")


def with_broker(house: House, port: int) -> House:
    return replace(house, plan=replace(house.plan, broker=replace(house.plan.broker, port=port)))


def marks(findings: Iterator[Finding]) -> dict[str, str]:
    return {one.part: one.mark for one in findings}


def only(findings: Iterator[Finding]) -> Finding:
    (one,) = findings
    return one


# ---------------------------------------------------------------- hall.toml, and how it is told


def test_a_wrong_hall_toml_is_found_before_anything_else(tmp_path: Path, monkeypatch):
    (tmp_path / "hall.toml").write_text("[htpp]\n")
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    out = io.StringIO()
    assert doctor(lang="en", out=out) == 1
    first, second, last = out.getvalue().splitlines()
    assert first == f"✗ hall.toml      {tmp_path}/hall.toml, line 1: htpp: unknown key; did you mean 'http'?"
    assert second == "  → mend that line, then run this again"
    assert last == "1 wrong"


def test_both_languages_one_language_and_json(tmp_path: Path, monkeypatch):
    one = wrong("disk", "满了", "full", "删文件", "delete files")
    assert spell(one, "both") == "✗ disk           满了 | full\n  → 删文件 | delete files"
    assert spell(one, "zh") == "✗ disk           满了\n  → 删文件"
    (tmp_path / "hall.toml").write_text("[http]\nport = 'x'\n")
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    out = io.StringIO()
    assert doctor(as_json=True, out=out) == 1
    said = json.loads(out.getvalue())
    assert said["well"] is False
    assert said["findings"][0]["part"] == "hall.toml"


def test_every_check_is_asked_and_a_hall_that_never_ran_is_well_but_for_this_machine(
    house: House, monkeypatch
):
    monkeypatch.setenv("LINLI_HOME", str(house.home))
    monkeypatch.setenv("LINLI_HALL", str(ROOT / "hall.toml"))
    monkeypatch.setenv("LINLI_MQTT_PORT", str(house.plan.broker.port))
    monkeypatch.setenv("LINLI_HTTP_PORT", str(house.plan.http.port))
    found = list(examine())
    assert [
        one for one in found if one.mark == "wrong" and one.part not in ("packages", "disk", "clock")
    ] == []
    assert {"hall.toml", "python", "sqlite", "mosquitto", "packages", "clock", "disk", "hall", "broker"} <= {
        one.part for one in found
    }


# ---------------------------------------------------------------- broker


def test_a_broker_with_the_halls_settings_is_well(house: House, tmp_path: Path):
    mosquitto = Mosquitto(tmp_path / "mosquitto")
    try:
        found = only(checks_hall.broker(with_broker(house, mosquitto.port)))
    finally:
        mosquitto.close()
    assert found.mark == "ok"
    assert "nodelay works" in found.en


def test_a_broker_without_nodelay_is_found_by_measuring(house: House, tmp_path: Path):
    port = free_port()
    conf = write_conf(tmp_path / "mosquitto", port)
    conf.write_text(conf.read_text().replace("set_tcp_nodelay true", ""))
    process = subprocess.Popen(
        [find_mosquitto(), "-c", str(conf)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        wait_listening(port)
        # A machine that is busy with other things may acknowledge early and hide the delay: then it is asked again.
        for _ in range(30):
            found = only(checks_hall.broker(with_broker(house, port)))
            if found.mark == "wrong":
                break
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert found.mark == "wrong"
    assert "set_tcp_nodelay true" in found.do_en


def wait_listening(port: int) -> None:
    pause = threading.Event()
    for _ in range(500):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        pause.wait(0.02)
    raise AssertionError(f"nobody listens on {port}")


def test_a_broker_that_is_away_is_wrong_in_a_hall_whose_broker_is_not_ours(house: House):
    assert only(checks_hall.broker(house)).mark == "note"  # `linli run` would start it
    real = replace(house, plan=replace(house.plan, broker=replace(house.plan.broker, own=False)))
    found = only(checks_hall.broker(real))
    assert found.mark == "wrong"
    assert "call buttons cannot be heard" in found.do_en


# ---------------------------------------------------------------- notebooks


def test_a_notebook_is_examined_without_being_changed(house: House):
    Notebook(house.gateway_db, ROOT / "gateway/schema").close()
    before = house.gateway_db.read_bytes()
    found = {one.part: one for one in checks_hall.notebooks(house)}
    assert found["gateway.db"].mark == "ok"
    assert "epoch" in found["gateway.db"].en
    assert found["kiosk.db"].mark == "note"
    assert house.gateway_db.read_bytes() == before


def test_a_damaged_notebook_one_from_the_future_and_one_put_aside(house: House):
    for path, room in (
        (house.gateway_db, "gateway"),
        (house.kiosk_db, "kiosk"),
        (house.bridge_db, "firmware_bridge"),
    ):
        Notebook(path, ROOT / room / "schema").close()
    with house.gateway_db.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    future = sqlite3.connect(house.kiosk_db)
    future.execute("PRAGMA user_version = 9999")
    future.close()
    (house.home / "bridge.db.corrupt-1793000000000").touch()
    found = {(one.part, one.mark): one for one in checks_hall.notebooks(house)}
    assert "backup" in found["gateway.db", "wrong"].do_en
    assert "newer Linli" in found["kiosk.db", "wrong"].en
    assert found["bridge.db", "ok"]
    assert "bridge.db.corrupt-1793000000000" in found["bridge", "wrong"].en


# ---------------------------------------------------------------- clock, disk, packages


def test_a_clock_of_1970_and_a_clock_behind_the_data(house: House, monkeypatch):
    Notebook(house.gateway_db, ROOT / "gateway/schema").close()
    now = house.gateway_db.stat().st_mtime
    monkeypatch.setattr("linli.checks_machine.time.time", lambda: 100.0)
    assert (
        marks(checks_machine.clock(house))["clock"] != "ok"
        and next(checks_machine.clock(house)).mark == "wrong"
    )
    monkeypatch.setattr("linli.checks_machine.time.time", lambda: now - 3600)
    behind = next(checks_machine.clock(house))
    assert (behind.mark, "minutes before the newest data" in behind.en) == ("wrong", True)
    monkeypatch.setattr("linli.checks_machine.time.time", lambda: now + 1)
    assert next(checks_machine.clock(house)).mark == "ok"


def test_a_time_zone_that_does_not_exist(house: House):
    hall = replace(house.plan.hall, timezone="Asia/Guiyang")
    found = list(checks_machine.clock(replace(house, plan=replace(house.plan, hall=hall))))
    assert "Asia/Shanghai" in found[-1].do_en


def test_little_space_is_said_before_the_disk_is_full(house: House, monkeypatch):
    monkeypatch.setattr(checks_machine, "LEAST_FREE_BYTES", 1 << 62)
    assert next(checks_machine.disk(house)).mark == "wrong"
    monkeypatch.setattr(checks_machine, "LEAST_FREE_BYTES", 1)
    assert next(checks_machine.disk(house)).mark == "ok"


def test_a_package_that_is_not_the_locked_one_is_named():
    lock = "flask==0.0.1 \\\n    --hash=sha256:00\nno-such-thing==1.0 \\\n    --hash=sha256:00\n"
    elsewhere = (
        "lgpio==0.0.1 ; platform_machine == 'a-machine-that-is-not-this-one' \\\n    --hash=sha256:00\n"
    )
    named = list(checks_machine._differing(lock + elsewhere))
    assert [one.split()[0] for one in named] == ["flask", "no-such-thing"]
    assert named[1] == "no-such-thing none (locked: 1.0)"


# ---------------------------------------------------------------- serial ports


def ports(house: House, port: str) -> Finding:
    plan = replace(house.plan, printers=(Printer(id="hall", port=port),))
    return only(checks_machine.serial_ports(replace(house, plan=plan)))


def test_a_printer_that_is_unplugged_and_one_that_is_a_plain_file(house: House, tmp_path: Path):
    gone = ports(house, "/dev/ttyUSB77")
    assert (gone.mark, gone.part) == ("wrong", "printer:hall")
    assert "check cable and power" in gone.do_en
    (tmp_path / "file").touch()
    assert "is not a serial port" in ports(house, str(tmp_path / "file")).en


def test_a_port_is_well_and_says_who_holds_it(house: House):
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    try:
        assert f"python (pid {os.getpid()})" in ports(house, name).en or "pytest" in ports(house, name).en
        os.close(slave)
        assert ports(house, name).en.endswith("free")
    finally:
        os.close(master)


def test_a_port_held_by_another_program_is_wrong(house: House):
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    cat = subprocess.Popen(["cat"], stdin=slave, stdout=subprocess.DEVNULL)
    os.close(slave)
    try:
        found = ports(house, name)
    finally:
        os.close(master)
        cat.kill()
        cat.wait()
    assert found.mark == "wrong"
    assert f"held by cat (pid {cat.pid})" in found.en
    assert "modemmanager" in found.do_en


def test_a_virtual_port_and_a_panel_on_mqtt_are_no_trouble(house: House):
    plan = replace(house.plan, printers=(Printer(id="hall"),), panels=(Panel(id="gate", via="mqtt"),))
    found = only(checks_machine.serial_ports(replace(house, plan=plan)))
    assert (found.part, found.mark) == ("printer:hall", "note")


# ---------------------------------------------------------------- paper


def test_a_printer_is_told_with_what_to_do_and_slips_that_ask_for_a_look_are_counted(house: House):
    there = replace(house, plan=replace(house.plan, printers=(Printer(id="hall"), Printer(id="desk"))))
    assert list(checks_paper.printers(there)) == [], "the bridge has never run"
    book = Notebook(house.bridge_db, ROOT / "firmware_bridge" / "schema")
    book.write(
        lambda db: db.execute(
            "INSERT INTO printers(printer, state, since_ms, why_zh, why_en, paper_mm) VALUES"
            " ('hall', 'paper_out', 1, '缺纸：请换一卷纸', 'out of paper: put in a new roll', 79000),"
            " ('desk', 'ready', 1, '', '', 12345)"
        )
    )
    book.write(
        lambda db: db.execute(
            "INSERT INTO jobs(slip_id, printer, state, created_ms, changed_ms, body) VALUES"
            " (1, 'hall', 'QUEUED', 1, 1, '{}'), (2, 'hall', 'UNSURE', 1, 1, '{}')"
        )
    )
    book.close()
    hall, desk, slips = checks_paper.printers(there)
    assert (hall.mark, hall.en, hall.do_en) == ("wrong", "out of paper, 1 slip(s) wait", "put in a new roll")
    assert (hall.zh, hall.do_zh) == ("缺纸，1 张等着", "请换一卷纸")
    assert (desk.mark, desk.en) == ("ok", "ready, about 12.3 m of its roll used")
    assert (slips.mark, slips.en) == ("note", "1 slip(s) ask for a look: console, printers")


# ---------------------------------------------------------------- processes


def test_half_a_hall_is_wrong_and_names_the_half_that_is_missing(house: House, monkeypatch):
    kiosk = {"status": "degraded", "parts": {
        "kiosk": {"state": "ready"},
        "gpio": {"state": "degraded", "why_en": "mock pins stand in", "why_zh": "模拟"},
        "printer:hall": {"state": "paper_out", "why_en": "put in a roll", "why_zh": "请换纸"},
    }}  # fmt: skip
    monkeypatch.setattr(checks_hall, "health", lambda *_: (200, kiosk))
    found = {one.part: one for one in checks_hall.processes(house)}
    assert {part: one.mark for part, one in found.items()} == {
        "gateway": "wrong", "kiosk": "ok", "bridge": "wrong", "herald": "wrong", "gpio": "note",
        "printer:hall": "wrong",
    }  # fmt: skip
    assert "put in a roll" in found["printer:hall"].en
    assert "journalctl -u linli-gateway" in found["gateway"].do_en


def test_a_hall_that_is_switched_off_is_no_trouble(house: House):
    assert marks(checks_hall.processes(house)) == {"hall": "note"}


def test_open_data_without_a_place_on_earth_is_named(house: House):
    shown = replace(house, plan=replace(house.plan, open_data=OpenData(on=True)))
    book = Notebook(house.gateway_db, ROOT / "gateway" / "schema")
    assert list(checks_hall.open_data(house)) == [], "nobody asked for it"
    assert only(checks_hall.open_data(shown)).mark == "wrong"
    for site_id, lat in (("east", 26.6), ("west", None)):
        site = Site(site_id, "小区", "Compound", 40, lat=lat, lon=lat and 106.7)
        book.write(partial(write_changes, changes=[site]))
    found = only(checks_hall.open_data(shown))
    assert found.mark == "wrong"
    assert "west" in found.en
    assert "east" not in found.en
    there = Site("west", "小区", "Compound", 40, lat=26.6, lon=106.7)
    book.write(lambda c: write_changes(c, [there]))
    assert only(checks_hall.open_data(shown)).mark == "ok"
    book.close()
