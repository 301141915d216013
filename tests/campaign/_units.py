"""The hall's processes as systemd keeps them: each started again ``RestartSec`` after it dies, however often.

`linli run` waits longer and longer for a process that cannot live, so that a person can still read the log; a hall
under systemd does not, and it is the hall that the trials are about. The pauses are read from the units themselves.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.house import House, open_house
from linli.broker import free_port, put_aside_refused
from linli.claim import make_folders
from linli.run import parts_of
from tests.parts import ROOT, wait_until

#: Units that are not called linli-<part>.service.
UNITS = {"broker": "mosquitto.service.d/linli.conf"}
#: What the hall says of itself that explains a wait.
TELLING = re.compile(r"gateway ready|broker is (?:ready|down)|broker .*trying again")


def restart_s(part: str) -> float:
    """``RestartSec`` of this part's unit, in seconds; the virtual devices have none and get half a second."""
    unit = ROOT / "systemd" / UNITS.get(part, f"linli-{part}.service")
    if not unit.exists():
        return 0.5
    found = re.search(r"^RestartSec=(\d+)(ms|s)?$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{unit.name}: no RestartSec"
    return int(found[1]) / (1000 if found[2] == "ms" else 1)


class Units:
    """All processes of one hall on a home of its own.

    ``wrap`` may change how a part is started (its argv, its environment); ``story`` is what happened, by the
    monotonic clock: kills, and what the processes said.
    """

    def __init__(
        self,
        home: Path,
        hall_toml: str = "",
        *,
        only: tuple[str, ...] = (),
        wrap: Callable[[str, list[str], dict[str, str]], list[str]] | None = None,
    ) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        (home / "hall.toml").write_text(hall_toml, encoding="utf-8")
        self.http_port, self.mqtt_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LINLI_")},
            "LINLI_HOME": str(home),
            "LINLI_RUN": str(home / "run"),
            "LINLI_HALL": str(home / "hall.toml"),
            "LINLI_HTTP_PORT": str(self.http_port),
            "LINLI_MQTT_PORT": str(self.mqtt_port),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(ROOT),
        }
        self.house: House = open_house(None, self.environ)
        make_folders(self.house)
        self.story: list[tuple[float, str]] = []
        self.lines: dict[str, list[str]] = {}
        self._wrap = wrap
        self._stopping = False
        self._held: set[str] = set()
        self._starting = threading.Lock()
        self._alive: dict[str, subprocess.Popen[str]] = {}
        parts = {part.name: part.argv for part in parts_of(self.house)}
        if "herald" in only:
            parts.setdefault("herald", (sys.executable, "-m", "herald"))
        self._keepers = [
            threading.Thread(target=self._keep, args=(name, list(argv)), daemon=True, name=name)
            for name, argv in parts.items()
            if not only or name in only
        ]
        for keeper in self._keepers:
            keeper.start()

    def pid(self, part: str) -> int:
        return self._alive[part].pid

    def kill(self, part: str) -> bool:
        """SIGKILL, whatever it is doing. False: it is dead at the moment."""
        process = self._alive.get(part)
        if process is None or process.poll() is not None:
            return False
        self.note(f"{part} killed")
        process.kill()
        return True

    def send(self, part: str, number: signal.Signals) -> None:
        self.note(f"{part}: {number.name}")
        self._alive[part].send_signal(number)

    def hold(self, part: str) -> None:
        """Kill it, and let it lie until :meth:`let_go`."""
        self._held.add(part)
        self.kill(part)
        wait_until(lambda: self._alive[part].poll() is not None, lambda: f"{part} is dead")

    def let_go(self, part: str) -> None:
        self._held.discard(part)

    def note(self, words: str) -> None:
        self.story.append((time.monotonic(), words))

    def between(self, begin_s: float, end_s: float) -> Iterator[str]:
        """What happened in that time, as seconds after its beginning."""
        for at_s, words in self.story:
            if begin_s - 1.0 <= at_s <= end_s:
                yield f"{at_s - begin_s:+.2f} s {words}"

    def wait_said(self, part: str, words: str, times: int = 1, patience_s: float = 30.0) -> None:
        """Until the part has said these words so many times since the beginning."""
        wait_until(
            lambda: sum(words in line for line in self.lines.get(part, ())) >= times,
            lambda: f"{part} says {words!r}:\n" + "\n".join(self.lines.get(part, ())[-20:]),
            patience_s,
        )

    def close(self) -> None:
        with self._starting:
            self._stopping = True
        for name in ("virtual", "kiosk", "bridge", "herald", "gateway", "broker"):
            process = self._alive.get(name)
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
        for keeper in self._keepers:
            keeper.join(10)
        store = self.broker_store()
        if store is not None and self.home not in store.parents:
            shutil.rmtree(store, ignore_errors=True)  # in the machine's memory: nobody else would

    def broker_store(self) -> Path | None:
        """The folder in which this hall's broker keeps what it must not forget."""
        conf = self.home / "mosquitto" / "mosquitto.conf"
        lines = conf.read_text(encoding="utf-8").splitlines() if conf.exists() else []
        return next(
            (Path(line.split()[1]) for line in lines if line.startswith("persistence_location ")), None
        )

    def _keep(self, name: str, argv: list[str]) -> None:
        pause = restart_s(name)
        while True:
            environ: dict[str, str] = dict(self.environ)
            words = self._wrap(name, list(argv), environ) if self._wrap else argv
            with self._starting:
                if self._stopping:
                    return
                self.note(f"{name} started")
                self._alive[name] = process = subprocess.Popen(
                    words,
                    env=environ,
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                )
            assert process.stdout is not None
            lines = self.lines.setdefault(name, [])
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if TELLING.search(line):
                    self.note(line.strip()[:160])
            process.wait()
            process.stdout.close()
            if process.returncode not in (-signal.SIGKILL, 0) and not self._stopping:
                self.note(
                    f"{name} ended by itself, status {process.returncode}: {' / '.join(lines[-2:])[:200]}"
                )
            if name == "broker" and process.returncode > 0 and not self._stopping:
                log = self.home / "mosquitto" / "mosquitto.log"
                said = "\n".join(lines[-5:]) + (log.read_text()[-2000:] if log.exists() else "")
                put_aside_refused(self.home / "mosquitto" / "mosquitto.conf", said)  # as its unit does
            halt = threading.Event()
            halt.wait(0 if self._stopping else pause)
            while name in self._held and not self._stopping:
                halt.wait(0.02)


@contextmanager
def units(
    home: Path,
    hall_toml: str = "",
    *,
    only: tuple[str, ...] = (),
    wrap: Callable[[str, list[str], dict[str, str]], list[str]] | None = None,
) -> Iterator[Units]:
    """A running hall, ended whatever happens."""
    running = Units(home, hall_toml, only=only, wrap=wrap)
    try:
        yield running
    finally:
        running.close()


def cpu_s(pid: int) -> float:
    """Processor time of a process so far, user and system."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def rss_kb(pid: int) -> int:
    """Resident memory of a process, in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
