"""`linli run`: five processes begin, live and end as one, whatever happens to whom. Only stand-ins are started here."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.backup_sets import sets_in
from gateway.house import TOKEN_FILE
from gateway.notebook import Notebook
from linli.broker import free_port
from tests.parts import PATIENCE_S, ROOT, Process, wait_until

NAMES = ("broker", "gateway", "virtual", "kiosk", "bridge", "herald")


class Desk:
    """A home, two ports, and the halls started on them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ = {
            "LINLI_HOME": str(home),
            "LINLI_HALL": str(ROOT / "hall.toml"),
            "LINLI_HTTP_PORT": str(free_port()),
            "LINLI_MQTT_PORT": str(free_port()),
        }
        self.halls: list[Process] = []

    def start(self, **environ: str) -> Process:
        self.halls.append(Process("tests.linli.stand_in", self.environ | environ))
        return self.halls[-1]

    def started(self, **environ: str) -> tuple[Process, dict[str, int]]:
        """A hall that is ready, and the pids of its parts."""
        hall = self.start(**environ)
        hall.wait_line("ready", exactly=True)
        for name in NAMES:
            if not any(f"{name} begins" in line for line in hall.lines):
                hall.wait_line(f"{name} begins")
        return hall, {m[1]: int(m[2]) for line in hall.lines if (m := re.match(r"(\w+) begins (\d+)", line))}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "home")
    yield desk
    for hall in desk.halls:
        hall.stop()


def wait_gone(pids: dict[str, int]) -> None:
    """Until each of these processes has ended (they are not our children: a pidfd tells)."""
    for name, pid in pids.items():
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            readable, _, _ = select.select([handle], [], [], PATIENCE_S)
            assert readable, f"{name} ({pid}) is still alive"
        finally:
            os.close(handle)


def test_a_hall_begins_tells_where_it_is_and_ends_in_order(desk: Desk):
    assert TOKEN_FILE == "first-admin-token", "the name that the console and the papers say"
    desk.home.mkdir()
    (desk.home / TOKEN_FILE).touch()
    hall, pids = desk.started(NOTIFY_SOCKET="/run/systemd/notify")
    assert set(pids) == set(NAMES)
    said = "\n".join(hall.lines)
    base = f"http://127.0.0.1:{desk.environ['LINLI_HTTP_PORT']}"
    for page in ("/", "/display", "/console", "/demo"):
        assert f" {base}{page}" in said
    # The last that is read before "ready", not pushed away by the parts' own lines; the command as it is typed.
    console = next(n for n, line in enumerate(hall.lines) if f"{base}/console" in line)
    assert hall.lines.index("ready") - console <= 8
    command = next(line for line in hall.lines[console:] if line.endswith(" admin-token"))
    assert (ROOT / command.split()[0]).is_file()
    assert "notify=/" not in said, "a part must not speak to our own service manager"

    (desk.home / "run" / "gateway.sock").touch()
    began = time.monotonic()
    assert hall.stop() == 0
    assert time.monotonic() - began < 5
    ends = [line.split()[0] for line in hall.lines if line.endswith(" ends")]
    assert sorted(ends) == sorted(NAMES), hall.lines
    assert set(ends[:3]) == {"virtual", "kiosk", "herald"}
    assert set(ends[3:5]) == {"bridge", "gateway"}
    assert ends[5] == "broker"
    wait_gone(pids)
    assert list((desk.home / "run").iterdir()) == []


def test_a_desk_is_backed_up_too(desk: Desk):
    desk.home.mkdir()
    Notebook(desk.home / "gateway.db", ROOT / "gateway" / "schema").close()
    hall, _ = desk.started(BACKUP_SOON="1")
    assert "admin-token" not in "\n".join(hall.lines), "it has its administrator"
    wait_until(lambda: len(sets_in(desk.home / "backups")) == 1, lambda: "a backup is there")
    assert (sets_in(desk.home / "backups")[0].folder / "gateway.db").stat().st_size > 0
    assert hall.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_a_closed_terminal_end_it_too(desk: Desk, number: int):
    hall, pids = desk.started()
    os.kill(hall.pid, number)
    assert hall.wait() == 0
    wait_gone(pids)
    assert not any("was interrupted" in line for line in hall.lines)


def test_a_part_that_dies_is_started_again_and_says_so(desk: Desk):
    hall, pids = desk.started()
    os.kill(pids["gateway"], signal.SIGKILL)
    hall.wait_line("gateway was ended by signal 9; it is started again in 0.2 s")
    again = int(hall.wait_line("gateway begins").split()[2])
    assert again != pids["gateway"]
    os.kill(again, signal.SIGKILL)
    hall.wait_line("started again in 0.4 s")
    hall.wait_line("gateway begins")


def test_what_a_dead_part_left_running_goes_with_it(desk: Desk):
    hall, pids = desk.started(FORKS="bridge")
    grandchild = next(int(line.split()[-1]) for line in hall.lines if "grandchild" in line)
    os.kill(pids["bridge"], signal.SIGKILL)
    hall.wait_line("bridge begins")
    wait_gone({"grandchild": grandchild})


def test_a_part_that_finds_a_wrong_file_stops_the_hall_with_status_2(desk: Desk):
    hall = desk.start(REFUSES="gateway")
    assert hall.wait() == 2
    assert "gateway hall.toml, line 3: no such key" in hall.lines
    assert any("gateway refuses to start" in line for line in hall.lines)


def test_a_part_that_will_not_go_is_killed_within_five_seconds(desk: Desk):
    hall, pids = desk.started(STUBBORN="kiosk")
    began = time.monotonic()
    assert hall.stop() == 0
    assert time.monotonic() - began < 5
    assert any("kiosk does not end by itself and is killed" in line for line in hall.lines)
    wait_gone(pids)


def test_kill_minus_9_of_the_hall_leaves_nobody_and_the_next_hall_begins(desk: Desk):
    hall, pids = desk.started()
    hall.kill()
    wait_gone(pids)
    _, again = desk.started()
    assert set(again) == set(NAMES)


def test_a_second_hall_on_the_same_data_says_who_is_there_and_stops(desk: Desk):
    hall, _ = desk.started()
    second = desk.start(LINLI_HTTP_PORT=str(free_port()), LINLI_MQTT_PORT=str(free_port()))
    assert second.wait() == 1
    assert f"a hall is already running on {desk.home} (pid {hall.pid})" in second.lines[0]
    assert f"kill {hall.pid}" in second.lines[1]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_make_dies_the_hall_ends(desk: Desk, number: int):
    """The Makefile's own line, under a shell in the part of make."""
    recipe = next(
        line for line in (ROOT / "Makefile").read_text().splitlines() if ".venv/bin/linli run" in line
    )
    command = (
        recipe.strip()
        .lstrip("@")
        .replace("$$", "$")
        .replace(".venv/bin/linli run", f"{sys.executable} -m tests.linli.stand_in")
    )
    shell = subprocess.Popen(
        ["sh", "-c", f"sh -c '{command}' & wait"],
        env={**os.environ, **desk.environ},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert shell.stdout
    lines: list[str] = []
    try:
        for line in shell.stdout:
            lines.append(line.strip())
            if "ready" in lines and sum(" begins " in one for one in lines) == len(NAMES):
                break
        pids = {m[1]: int(m[2]) for line in lines if (m := re.match(r"(\w+) begins (\d+)", line))}
        shell.send_signal(number)
        shell.wait(PATIENCE_S)
        wait_gone(pids)
        assert shell.stdout.read().count(" ends") == len(
            NAMES
        )  # read to its end: nobody holds the pipe any more
    finally:
        shell.kill()
        shell.wait()
        shell.stdout.close()


def test_a_taken_port_for_the_pages_is_refused_and_named(desk: Desk):
    with socket.create_server(("127.0.0.1", int(desk.environ["LINLI_HTTP_PORT"]))):
        hall = desk.start()
        assert hall.wait() == 1
    port = desk.environ["LINLI_HTTP_PORT"]
    assert re.match(
        rf"linli: port {port} for the pages is already used by \S+ \(pid {os.getpid()}\)", hall.lines[0]
    )
    assert "LINLI_HTTP_PORT=" in hall.lines[1]


def test_a_taken_port_for_the_broker_is_refused_only_if_it_was_asked_for(desk: Desk, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert desk.start(LINLI_MQTT_PORT=str(taken)).wait() == 1

        hall_file = tmp_path / "hall.toml"
        hall_file.write_text(f"[broker]\nport = {taken}\n")
        hall, _ = desk.started(LINLI_MQTT_PORT="", LINLI_HALL=str(hall_file))
        said = "\n".join(hall.lines)
        assert re.search(
            rf"port {taken} is already used by .*: this hall's own broker takes port (\d+)", said
        )
        assert f"mqtt://127.0.0.1:{taken}\n" not in said


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("[http]\nprot = 8000\n", "hall.toml, line 2: http.prot: unknown key; did you mean 'port'?"),
        ("[http\n", "hall.toml: not valid TOML: "),
    ],
)
def test_a_wrong_hall_toml_is_answered_with_its_line_and_nothing_else(
    desk: Desk, tmp_path: Path, words: str, answer: str
):
    hall_file = tmp_path / "hall.toml"
    hall_file.write_text(words)
    hall = desk.start(LINLI_HALL=str(hall_file))
    assert hall.wait() == 2
    assert len(hall.lines) == 1
    assert hall.lines[0].startswith(f"linli: {tmp_path}/{answer}")


def test_a_folder_that_cannot_be_made_is_said_in_words(desk: Desk, tmp_path: Path):
    (tmp_path / "file").touch()
    hall = desk.start(LINLI_HOME=str(tmp_path / "file" / "home"))
    assert hall.wait() == 1
    assert "cannot be made" in hall.lines[0]
