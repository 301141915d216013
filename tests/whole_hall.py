"""The whole hall for the stories and the benches: `linli run` on a home of its own, and a real browser."""

from __future__ import annotations

import atexit
import http.client
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from gateway.house import open_house
from linli.broker import free_port
from tests.parts import Device, Process, Seat, wait_until

PASSWORD = "a sentence for the tests"


class WholeHall:
    """Broker, gateway, kiosk, bridge and virtual devices, as ``make run`` starts them."""

    def __init__(self, home: Path, hall_toml: str | None = None) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        if hall_toml is not None:
            (home / "hall.toml").write_text(hall_toml, encoding="utf-8")
        self.http_port, self.mqtt_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.environ = {
            "LINLI_HOME": str(home),
            "LINLI_HTTP_PORT": str(self.http_port),
            "LINLI_MQTT_PORT": str(self.mqtt_port),
            "PYTHONUNBUFFERED": "1",
        }
        self.process = Process("linli", self.environ, "run")
        self._last_health: Any = None
        self._devices: list[Device] = []
        self._seats: list[Seat] = []

    def wait_ready(self) -> None:
        self.process.wait_line("ready", exactly=True)

    def get(self, path: str) -> Any:
        """GET a JSON answer, whatever its status."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return json.load(refused)

    def post(self, path: str, words: Mapping[str, object], *, status: int | None = None) -> Any:
        """POST JSON; its JSON answer. ``status``: the refusal that is expected."""
        request = urllib.request.Request(
            self.url + path, json.dumps(words).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                if refused.code != status:
                    raise
                return json.load(refused)

    def device(self, *topics: str) -> Device:
        device = Device(self.mqtt_port, *topics)
        self._devices.append(device)
        return device

    @property
    def run_dir(self) -> Path:
        """Where its sockets are; not under a long home: gateway/house.py."""
        return open_house(None, {"LINLI_HOME": str(self.home)}).run_dir

    def seat(self) -> Seat:
        seat = Seat(self.run_dir / "gateway.sock")
        self._seats.append(seat)
        return seat

    def children(self) -> dict[str, int]:
        """The processes of this hall: module or program → pid."""
        found = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    words = (folder / "cmdline").read_bytes().decode().split("\0")
                    parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if parent == str(self.process.pid):
                    found[words[words.index("-m") + 1] if "-m" in words else Path(words[0]).name] = int(
                        folder.name
                    )
        return found

    @contextmanager
    def full_disk_for(self, name: str) -> Iterator[None]:
        """One process may let no file grow: for it the disk is full (EFBIG), until the end of the block."""
        pid, whole = self.children()[name], resource.RLIM_INFINITY
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, whole))
        try:
            yield
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (whole, whole))

    def kill(self, name: str) -> None:
        """SIGKILL one of them, and wait until `linli run` has started it again."""
        old = self.children()[name]
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: self.children().get(name, old) != old, lambda: f"{name} is started again")

    def wait_healthy(self) -> None:
        """Until every core part answers as ready again, and the gateway's desk takes visitors."""
        wait_until(self._desk_is_open, lambda: "the gateway's desk is open")
        wait_until(self._is_healthy, lambda: f"all parts ready, not {self._last_health}")

    def wait_printed(self, number: str) -> None:
        """Until a slip with this number has come out of the virtual printer, or waits for a person as UNSURE."""
        wait_until(lambda: self._printed(number), lambda: f"{number} on paper or UNSURE")

    def wait_spooled(self) -> None:
        """Until every slip of the kiosk has a job that has come to an end, or waits for a person."""
        wait_until(self._is_spooled, lambda: "every slip printed or UNSURE", 120.0)

    def _is_spooled(self) -> bool:
        with closing(sqlite3.connect(f"file:{self.home}/kiosk.db?mode=ro", uri=True)) as book:
            slips = book.execute("SELECT count(*) FROM slips").fetchone()[0]
        with closing(sqlite3.connect(f"file:{self.home}/bridge.db?mode=ro", uri=True)) as book:
            ended = "SELECT count(*) FROM jobs WHERE state NOT IN ('QUEUED', 'SENDING')"
            return bool(book.execute(ended).fetchone()[0] == slips)

    def _desk_is_open(self) -> bool:
        with socket.socket(socket.AF_UNIX) as trial:
            return trial.connect_ex(str(self.run_dir / "gateway.sock")) == 0

    def _is_healthy(self) -> bool:
        try:
            self._last_health = self.get("/healthz")
        except (OSError, ValueError, http.client.HTTPException) as wrong:
            self._last_health = wrong
            return False
        core = ("kiosk", "gateway", "notebook", "broker", "bridge")
        return all(self._last_health["parts"].get(part, {}).get("state") == "ready" for part in core)

    def _printed(self, number: str) -> bool:
        paper = (self.home / "virtual" / "paper").rglob("*.txt")
        if any(number in slip.read_text(encoding="utf-8") for slip in paper):
            return True
        with closing(sqlite3.connect(f"file:{self.home}/bridge.db?mode=ro", uri=True)) as book:
            return bool(book.execute("SELECT 1 FROM jobs WHERE state = 'UNSURE'").fetchone())

    def close(self) -> None:
        for device in self._devices:
            device.close()
        for seat in self._seats:
            seat.close()
        self.process.stop()


@contextmanager
def whole_hall(home: Path, hall_toml: str | None = None) -> Iterator[WholeHall]:
    """A running hall, ended whatever happens."""
    hall = WholeHall(home, hall_toml)
    try:
        hall.wait_ready()
        yield hall
    finally:
        hall.close()


#: Parts of Chromium's own window that are web pages themselves. Nobody sees a window here, and each context opened
#: one: two thirds of the work of opening a page.
_PANELS = "WebUIOmniboxPopup,WebUIOmniboxFullPopup,WebUIOmniboxAimPopup,WebUIReloadButton,WebUIToolbar,InitialWebUI"


def browser_program() -> str | None:
    """The lightest Chromium of this machine: the one without windows opens a page with a fifth of the work."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """Debian's Chromium, without a screen; and without its sandbox, which neither root nor a container has.

    :param more: further flags.
    """
    program = browser_program()
    assert program, "no Chromium is installed: make test installs one"
    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--disable-features={_PANELS}",
        *more,
    ]
    browser = _driver().chromium.launch(executable_path=program, args=flags)
    try:
        yield browser
    finally:
        browser.close()


@cache
def _driver() -> Playwright:
    """Playwright's own process, one for all browsers of this one: a second beside it is refused."""
    driver = sync_playwright().start()
    # Playwright's own patience with a page is 30 s, with a statement about it 5: a machine on which four browsers work
    # has let more pass than that.
    expect.set_options(timeout=30_000)
    atexit.register(driver.stop)
    return driver


def sign_in(hall: WholeHall, page: Page, name: str = "小李") -> None:
    """Become the hall's first administrator, as its technician would, and open the console."""
    token = (hall.home / "first-admin-token").read_text(encoding="utf-8").split()[0]
    page.goto(f"{hall.url}/console/first")
    page.fill("input[name=token]", token)
    page.fill("input[name=name]", name)
    for field in page.query_selector_all("input[type=password]"):
        field.fill(PASSWORD)
    page.click("form button.main")
    page.wait_for_selector(".start-steps")
    page.goto(f"{hall.url}/console")
    page.wait_for_selector("#calls")
