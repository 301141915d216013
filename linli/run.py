"""`linli run`: the whole hall on one desk. Starts the broker and our processes, watches them, ends them.

Under systemd this file has no part: there every process is a unit of its own.

Laws: a folder of data has one hall (a lock that every child holds too, so it lasts as long as the last of them);
a process that dies is started again; when this process ends, however it ends, all of them end.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from devices.clock import mono_s
from devices.faults import HallFileFault, OutsideDown
from gateway.house import House, open_house
from gateway.processors import keep_broker_apart
from linli.broker import find_mosquitto, put_aside_refused, write_conf
from linli.claim import lock, make_folders, sweep, take_ports
from linli.say import print_line, say_line

#: Status of a hall (or a process) whose hall.toml or catalogue is wrong: starting it again changes nothing.
WRONG_FILE = 2
#: Backoff of a process that dies: quick the first time (nobody notices 0.2 s), never more often than every 5 s
#: when it cannot live (our choice: a log a person can still read). A life of 10 s counts as a recovery.
FIRST_BACKOFF_S, LAST_BACKOFF_S, RECOVERED_S = 0.2, 5.0, 10.0
#: Stopping takes at most the sum of these; then SIGKILL. The broker goes last: it takes down what others still say.
STOP_ORDER: tuple[tuple[tuple[str, ...], float], ...] = (
    (("virtual", "kiosk", "herald"), 1.5),
    (("bridge", "gateway"), 2.0),
    (("broker",), 1.0),
)

#: On a desk the hall is backed up so long after it is ready, and then as often (systemd/linli-backup.timer does the
#: same in a hall). Not at once: whoever started it is waiting for its pages.
FIRST_BACKUP_S, BACKUP_EVERY_S = 30.0, 3600.0

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the hall: its name and how it is started.

    ``log``: a file for what it says, where that should not go to the terminal (the broker's lines, and a paused
    terminal must not stop the broker). None: to the terminal.
    """

    name: str
    argv: tuple[str, ...]
    log: Path | None = None


@dataclass(slots=True)
class _Child:
    part: Part
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    backoff_s: float = FIRST_BACKOFF_S
    due_s: float = 0.0
    lives: int = 0


def run(hall_file: str | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run the hall until SIGINT, SIGTERM or SIGHUP. Returns the status for the shell."""
    with _signals() as wakeup:
        if not stop_with_parent(environ):
            return 0
        try:
            house = open_house(hall_file, environ)
            make_folders(house)
            with lock(house) as held:
                house, environ_of_children = take_ports(house, environ)
                return Supervisor(house, parts_of(house), environ_of_children, held, wakeup).run()
        except HallFileFault as wrong:
            print(f"linli: {wrong}", file=sys.stderr)
            return WRONG_FILE
        except OutsideDown as wrong:
            print(f"linli: {wrong}", file=sys.stderr)
            return 1


def parts_of(house: House) -> tuple[Part, ...]:
    """What this hall consists of, in the order of starting."""
    parts = []
    if house.plan.broker.own:
        conf = write_conf(house.home / "mosquitto", house.plan.broker.port)
        parts.append(Part("broker", (find_mosquitto(), "-c", str(conf)), conf.with_name("mosquitto.log")))
    parts.append(Part("gateway", (sys.executable, "-m", "gateway")))
    if house.plan.virtual.on:
        parts.append(Part("virtual", (sys.executable, "-m", "devices.virtual")))
    parts.append(Part("kiosk", (sys.executable, "-m", "kiosk")))
    parts.append(Part("bridge", (sys.executable, "-m", "firmware_bridge")))
    parts.append(Part("herald", (sys.executable, "-m", "herald")))
    return tuple(parts)


class Supervisor:
    """Starts, watches and ends the parts. One thread, one loop, woken by signals and by the nearest timer."""

    def __init__(
        self, house: House, parts: Sequence[Part], environ: Mapping[str, str], lock: int, wakeup: int
    ) -> None:
        self._house = house
        self._children = [_Child(part) for part in parts]
        self._environ = dict(environ)
        self._lock = lock
        self._wakeup = wakeup
        self._stopping = False
        self._ready = False
        self._asked_s = 0.0
        self._complained = False
        self._announced = False
        self._began_s = mono_s()
        self._backup: subprocess.Popen[bytes] | None = None
        self._backup_due_s = 0.0

    def run(self) -> int:
        status = 0
        print_line("邻里 Linli: 正在启动大厅，几秒钟就好。 The hall is starting; it takes some seconds.")
        try:
            for child in self._children:
                self._start(child)
                if child.part.name == "broker":
                    self._wait_for_broker(child)
                if child.part.name == "kiosk" and self._house.plan.virtual.on:
                    self._wait_for_virtual_lines()
            while not self._stopping:
                self._sleep(self._next_timer())
                self._ask_whether_ready()
                self._back_up_now_and_then()
                for child in self._children:
                    if self._look_after(child) == WRONG_FILE:
                        say_line(f"{child.part.name} refuses to start (its words are above): the hall stops")
                        status = WRONG_FILE
                if status:
                    break
        finally:
            self._stop()
        return status

    # ------------------------------------------------ children

    def _start(self, child: _Child) -> None:
        child.lives += 1
        child.started_s = mono_s()
        us = os.getpid()

        def die_with_us() -> None:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != us:  # we died between fork and here
                os._exit(1)

        # A session of its own: Ctrl-C in the terminal reaches us alone, and we end them in the right order.
        # It keeps the lock open: the data stays locked until the last process of the hall is gone.
        with _open_log(child.part.log) as log:
            child.process = subprocess.Popen(
                child.part.argv,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_us,  # noqa: PLW1509 (unsafe with threads: this process has none)
                pass_fds=(self._lock,),
            )
        if child.part.name == "broker":
            keep_broker_apart(child.process.pid)

    def _look_after(self, child: _Child) -> int | None:
        """Start a dead child again when its time has come. Returns the status of one that has just died."""
        now = mono_s()
        if child.process is None:
            if now >= child.due_s:
                self._start(child)
            return None
        status = child.process.poll()
        if status is None:
            return None
        _kill_group(child.process.pid)
        child.process = None
        if now - child.started_s > RECOVERED_S:
            child.backoff_s = FIRST_BACKOFF_S
        child.due_s = now + child.backoff_s
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        if child.part.log:
            say_line(f"{child.part.name} said: {_last_line(child.part.log)}")
        words = "\n".join(_lines(child.part.log)[-5:]) if child.part.log and status > 0 else ""
        if child.part.name == "broker" and (aside := put_aside_refused(Path(child.part.argv[-1]), words)):
            say_line(f"what the broker remembered may be damaged: kept as {aside}, it begins without")
        if status != WRONG_FILE:
            say_line(f"{child.part.name} {how}; it is started again in {child.backoff_s:.1f} s")
        child.backoff_s = min(child.backoff_s * 2, LAST_BACKOFF_S)
        return status

    def _wait_for_broker(self, child: _Child) -> None:
        """Give the broker its moment, so that nobody begins with a failed connection. Not a condition for going on."""
        address = ("127.0.0.1", self._house.plan.broker.port)
        while mono_s() < child.started_s + 3.0 and child.process and child.process.poll() is None:
            try:
                socket.create_connection(address, timeout=0.2).close()
                return
            except OSError:
                self._sleep(0.02)
                if self._stopping:
                    return

    def _wait_for_virtual_lines(self) -> None:
        """Give the virtual things their moment to lay their lines: the bridge comes next, and would call a line that is
        not there yet an unplugged cable, and count a fault. Not a condition for going on."""
        plan, until_s = self._house.plan, mono_s() + 3.0
        things = [(one.id, one.port) for one in plan.printers]
        things += [(one.id, one.port) for one in plan.panels if one.via == "serial"]
        lines = [self._house.serial_port(*thing) for thing in things if thing[1].startswith("virtual")]
        while mono_s() < until_s and not self._stopping and not all(map(os.path.exists, lines)):
            self._sleep(0.02)

    def _next_timer(self) -> float:
        """Seconds until something is due; a second at most, for the case that a signal was missed."""
        now = mono_s()
        due = [child.due_s for child in self._children if child.process is None]
        if not self._ready:
            due.append(self._asked_s + 0.1)
        return min(1.0, max(0.0, min(due, default=now + 1.0) - now))

    def _sleep(self, timeout_s: float) -> None:
        """Wait for a signal. SIGCHLD only wakes us; any other of ours means stop."""
        readable, _, _ = select.select([self._wakeup], [], [], timeout_s)
        if readable and any(number != signal.SIGCHLD for number in os.read(self._wakeup, 64)):
            self._stopping = True

    # ------------------------------------------------ ready

    def _ask_whether_ready(self) -> None:
        now = mono_s()
        if self._ready or now < self._asked_s + 0.1:
            return
        self._asked_s = now
        status, answer = health(self._house)
        took_s = now - self._began_s
        if status == 200:
            self._ready = True
            self._backup_due_s = now + FIRST_BACKUP_S
            self._announce_once()
            print_line("ready")
        elif took_s > 15 and not self._complained:
            self._complained = True
            self._announce_once()
            waiting = [
                f"{name} ({part.get('state')})"
                for name, part in answer.get("parts", {}).items()
                if part.get("state") not in ("ready", "degraded")
            ]
            say_line(
                f"not ready after {took_s:.0f} s; still waiting for: {', '.join(waiting) or 'the kiosk'}"
            )

    def _announce_once(self) -> None:
        """When the hall is ready, below what its parts have said by then; or when it takes its time."""
        if not self._announced:
            self._announced = True
            _announce(self._house)

    def _back_up_now_and_then(self) -> None:
        """In a process of its own, behind all others; what it says when something is wrong goes to the terminal."""
        now = mono_s()
        if self._backup is not None and self._backup.poll() is not None:
            self._backup = None
        if not self._ready or now < self._backup_due_s or self._backup is not None:
            return
        self._backup_due_s = now + BACKUP_EVERY_S
        command = ("nice", "-n", "19", sys.executable, "-m", "linli", "backup", "--auto")
        self._backup = subprocess.Popen(
            command, env=self._environ, stdin=subprocess.DEVNULL, start_new_session=True
        )

    # ------------------------------------------------ the end

    def _stop(self) -> None:
        alive = {child.part.name: child.process for child in self._children if child.process}
        for names, patience_s in STOP_ORDER:
            group = {name: alive[name] for name in names if name in alive}
            for process in group.values():
                process.terminate()
            until_s = mono_s() + patience_s
            for name, process in group.items():
                try:
                    process.wait(max(0.0, until_s - mono_s()))
                except subprocess.TimeoutExpired:
                    say_line(f"{name} does not end by itself and is killed")
        if self._backup is not None and self._backup.poll() is None:
            _kill_group(self._backup.pid)  # half a copy is no backup; the next one sweeps it away
            self._backup.wait()
        for process in alive.values():
            _kill_group(process.pid)
            process.wait()
        sweep(self._house)


# ---------------------------------------------------------------- small things


def health(house: House, timeout_s: float = 1.0) -> tuple[int, dict[str, dict[str, dict[str, str]]]]:
    """Ask the kiosk's /healthz. Returns its status (0: no answer) and what it said."""
    host = house.plan.http.listen
    connection = http.client.HTTPConnection(
        {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), house.plan.http.port, timeout=timeout_s
    )
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        said = json.loads(answer.read(1_000_000))
        return answer.status, said if isinstance(said, dict) else {}
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return 0, {}
    finally:
        connection.close()


def stop_with_parent(environ: Mapping[str, str]) -> bool:
    """Where ``LINLI_STOP_WITH_PARENT`` is set (the Makefile gives its own pid), our parent's death is our SIGTERM.

    Returns False if that parent is already gone.
    """
    parent = environ.get("LINLI_STOP_WITH_PARENT", "")
    if not parent:
        return True
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    return parent == "1" or parent == str(os.getppid())


#: A log of warnings and errors only; beyond this size it begins anew.
_LONGEST_LOG = 1_000_000


@contextlib.contextmanager
def _open_log(path: Path | None) -> Iterator[BinaryIO | None]:
    if path is None:
        yield None
        return
    full = path.exists() and path.stat().st_size > _LONGEST_LOG
    with path.open("wb" if full else "ab") as log:
        yield log


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def _last_line(path: Path) -> str:
    lines = _lines(path)
    return lines[-1] if lines else "nothing"


_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    _libc.prctl(option, value, 0, 0, 0)


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # nobody is left in it


@contextlib.contextmanager
def _signals() -> Iterator[int]:
    """Signals become bytes in a pipe: the loop reads them when it is ready, and none is lost."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    ours = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
    old = {
        number: signal.signal(number, lambda _number, _frame: None)
        for number in ours
        # nohup asks us to outlive the terminal
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield reading
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        os.close(reading)
        os.close(writing)


def _announce(house: House) -> None:
    """Where to look. The addresses are for this machine; another in the hall's network uses base_url."""
    http_, broker = house.plan.http, house.plan.broker
    host = "127.0.0.1" if http_.listen in ("0.0.0.0", "::") else http_.listen
    base = f"http://{host}:{http_.port}"
    lines = [
        f"邻里 Linli · {house.plan.hall.name_zh} · {house.plan.hall.name_en}",
        f"  自助机  kiosk     {base}/",
        f"  叫号屏  display   {base}/display",
        f"  工作台  console   {base}/console",
    ]
    if house.plan.virtual.on:
        lines.append(
            f"  演示页  demo      {base}/demo   虚拟的按钮、车位和纸 virtual buttons, bays, panels, paper"
        )
    lines += [
        f"  消息    broker    mqtt://{broker.host}:{broker.port}",
        f"  数据    data      {house.home}",
    ]
    if house.first_token.exists():
        command = os.path.relpath(Path(sys.executable).with_name("linli"))
        lines += [
            "  第一步：用浏览器打开工作台；另开一个终端，在这个目录里运行下面的命令，把令牌填进去。",
            "  First: open the console in a browser. A second terminal in this folder prints the token it asks for:",
            f"      {command} admin-token",
        ]
    lines.append("  按 Ctrl-C 结束。 Ctrl-C ends everything.")
    print_line("\n".join(lines))
