"""A kiosk's parts for the tests: a real notebook, a held clock, a fake gateway that speaks the contract."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import argon2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from devices.plan import Plan, Printer
from gateway.house import House
from kiosk import passwords
from kiosk.__main__ import close_door, open_door
from kiosk.catalogue import Catalogue, load_catalogue
from kiosk.core import Core
from kiosk.gateway_link import GatewayLink
from kiosk.live import Hub
from kiosk.windows import fill
from kiosk.writer import Writer
from tests.kiosk.fake_gateway import FakeGateway
from tests.kiosk.one_app import app_over
from tests.whole_hall import chromium

ROOM = Path(__file__).parent.parent.parent / "kiosk"
CATALOGUE = ROOM / "data" / "services_31.yaml"

#: What a real hall hashes with; these stories do not (see below).
PRODUCTS_HASHER = passwords._HASHER

#: Sunday, 22 November 2026, 10:00 in Shanghai.
TEN_O_CLOCK_MS = 1_795_312_800_000


class HeldClock:
    """A clock that stands until somebody moves it."""

    def __init__(self, now_ms: int = TEN_O_CLOCK_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def forward(self, *, seconds: float = 0, hours: float = 0) -> None:
        self.now_ms += int(seconds * 1000 + hours * 3_600_000)


@pytest.fixture(scope="session", autouse=True)
def _what_is_slow_on_purpose_or_always_the_same() -> Iterator[None]:
    """Passwords are hashed cheaply (their cost has a test of its own), and routes are laid once (one_app.py)."""
    with pytest.MonkeyPatch.context() as for_all:
        for_all.setattr("kiosk.passwords._HASHER", argon2.PasswordHasher(1, 8, 1))
        for_all.setattr("kiosk.__main__.create_app", app_over)
        yield


@pytest.fixture(scope="package")
def _chromium() -> Iterator[Browser]:
    """One browser for all stories of this room: to start one takes longer than most of them."""
    with chromium() as one:
        yield one


@pytest.fixture
def browser(_chromium: Browser) -> Iterator[Browser]:
    """A browser that remembers nothing of the story before."""
    yield _chromium
    for context in _chromium.contexts:
        context.close()


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(CATALOGUE.read_text(encoding="utf-8"), CATALOGUE.name)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, tmp_path / "run", Plan(printers=(Printer(id="hall"),)), "")


@pytest.fixture
def core(house: House, clock: HeldClock, catalogue: Catalogue) -> Iterator[Core]:
    """All of the kiosk but its door; no gateway is there unless the test asks for one."""
    writer = Writer(house.kiosk_db, ROOM / "schema")
    writer.start()
    hub = Hub()
    link = GatewayLink(house.gateway_socket, hub)
    core = Core(house, catalogue, writer, link, hub, clock)
    fill(core)
    yield core
    core.reading.stop()
    hub.close()
    link.stop()
    writer.stop()


class RestartingKiosk:
    """A kiosk that ends and begins again at one address, with one notebook, while a browser looks at it."""

    def __init__(self, house: House, catalogue: Catalogue) -> None:
        self._house, self._catalogue = house, catalogue
        self._up: tuple[Core, Any] | None = None
        self._port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def begin(self) -> Core:
        writer, hub = Writer(self._house.kiosk_db, ROOM / "schema"), Hub()
        writer.start()
        link = GatewayLink(self._house.gateway_socket, hub)
        core = Core(self._house, self._catalogue, writer, link, hub, HeldClock())
        server = open_door(core, port=self._port)
        self._port = server.effective_port
        threading.Thread(target=server.run, daemon=True).start()
        self._up = core, server
        return core

    def end(self) -> None:
        if self._up is not None:
            close_door(*self._up)
        self._up = None


@pytest.fixture
def kiosk(house: House, catalogue: Catalogue) -> Iterator[RestartingKiosk]:
    one = RestartingKiosk(house, catalogue)
    yield one
    one.end()


@pytest.fixture
def gateway(house: House, core: Core) -> Iterator[FakeGateway]:
    """A gateway that is there, with the kiosk connected to it."""
    fake = FakeGateway(house.gateway_socket)
    stream = core.hub.stream("staff")
    core.link.start()
    for told in stream:
        if b"event: snapshot" in told:
            break
    stream.close()
    yield fake
    fake.stop()


@pytest.fixture
def app(core: Core) -> Flask:
    app = app_over(core)
    app.testing = True
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def take(client: FlaskClient) -> Callable[..., dict[str, object]]:
    """Take a number as the touchscreen does."""

    def take(service: str, key: str, **more: str) -> dict[str, object]:
        answer = client.post("/api/tickets", json={"service": service, "key": key, **more})
        assert answer.status_code == 201, answer.text
        told = answer.get_json()
        assert isinstance(told, dict)
        return told

    return take


@pytest.fixture
def address(core: Core) -> Iterator[str]:
    """The kiosk behind its real door (waitress), on a free port."""
    server = open_door(core, port=0)
    turning = threading.Thread(target=server.run, daemon=True)
    turning.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    close_door(core, server)
