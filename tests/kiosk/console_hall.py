"""A hall for the console's tests: a real kiosk.db, bridge.db, hub and link, a small gateway, a clock that is held."""

from __future__ import annotations

import functools
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import BrowserContext
from waitress.server import create_server
from werkzeug.test import TestResponse

from gateway.house import TOKEN_FILE, open_house
from gateway.notebook import Notebook
from kiosk import account_rows
from kiosk.accounts import Accounts
from kiosk.catalogue import load_catalogue
from kiosk.console.door import COOKIE
from kiosk.core import Core
from kiosk.gateway_link import GatewayLink
from kiosk.live import Hub
from kiosk.passwords import hash_password
from kiosk.rules.account import Role
from kiosk.windows import fill
from kiosk.writer import Writer
from tests.kiosk.console_gateway import ConsoleGateway
from tests.kiosk.one_app import app_over

ROOT = Path(__file__).parent.parent.parent
NOON_MS = 1_800_000_000_000
PATIENCE_S = 10.0
ORIGIN = "http://localhost"
ADMIN, ADMIN_PASSWORD = "王芳", "春眠不觉晓，处处闻啼鸟"
STAFF, STAFF_PASSWORD = "李强", "correct horse battery"

_CATALOGUE = ROOT / "kiosk" / "data" / "services_31.yaml"
CATALOGUE = load_catalogue(_CATALOGUE.read_text(encoding="utf-8"), _CATALOGUE.name)


@functools.cache
def hashed_once(password: str) -> str:
    """Hashing is slow on purpose: once for all halls of a run."""
    return hash_password(password)


class Clock:
    """Says what it was set to."""

    def __init__(self, now_ms: int = NOON_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def go(self, *, s: float = 0, min: float = 0, h: float = 0) -> None:
        self.now_ms += int((s + 60 * min + 3600 * h) * 1000)


class ConsoleHall:
    """``app`` over real parts. ``serve`` puts it on a port for a browser."""

    def __init__(self, home: Path, *, base_url: str = "", heartbeat_s: float = 0.5) -> None:
        home.mkdir(parents=True, exist_ok=True)
        hall = home / "hall.toml"
        hall.write_text(
            f'[http]\nbase_url = "{base_url}"\n'
            '[[printers]]\nid = "hall"\nname_zh = "大厅打印机"\nname_en = "Hall printer"\n'
            "[virtual]\non = false\n",
            encoding="utf-8",
        )
        self.clock = Clock()
        self.house = open_house(environ={"LINLI_HOME": str(home), "LINLI_HALL": str(hall)})
        self.gateway = ConsoleGateway(self.house.gateway_socket, NOON_MS)
        self.bridge = Notebook(self.house.bridge_db, ROOT / "firmware_bridge" / "schema")
        self.bridge.write(
            lambda c: c.execute("INSERT INTO bridge_alive VALUES (1, 1, ?, ?)", (NOON_MS, NOON_MS))
        )
        self.writer = Writer(self.house.kiosk_db, ROOT / "kiosk" / "schema")
        self.writer.start()
        self.hub = Hub(heartbeat_s=heartbeat_s)
        self.link = GatewayLink(self.house.gateway_socket, self.hub)
        self.core = Core(self.house, CATALOGUE, self.writer, self.link, self.hub, self.clock)
        fill(self.core)
        self.app: Flask = app_over(self.core)
        self.accounts = Accounts(self.writer.write, self.core.reader, self.clock, home)
        self._server: Any = None
        self._wait_link()

    def _wait_link(self) -> None:
        """Listen first, then connect: the link's own word is waited for, not a time."""
        stream = self.hub.stream("staff")
        self.link.start()
        Ear(stream).wait("snapshot")
        stream.close()

    def reopen_gateway(self) -> None:
        """A gateway that was closed is there again, and has forgotten its calls."""
        self.gateway = ConsoleGateway(self.house.gateway_socket, NOON_MS)

    def serve(self) -> str:
        """On a free port; answers the address."""
        self._server = create_server(self.app, host="127.0.0.1", port=0, threads=16, asyncore_use_poll=True)
        thread = threading.Thread(target=self._server.run, daemon=True)
        thread.start()
        return f"http://127.0.0.1:{self._server.effective_port}"

    # ---- people

    def make_admin(self) -> None:
        """As if somebody had used the token; that door has tests of its own (test_console_door.py)."""
        self._make(ADMIN, "admin", ADMIN_PASSWORD, "first-admin-token")
        (self.house.home / TOKEN_FILE).unlink()

    def make_staff(self, name: str = STAFF, password: str = STAFF_PASSWORD) -> None:
        """Added by the administrator, with a password of her own already."""
        self._make(name, "staff", password, ADMIN)

    def _make(self, name: str, role: Role, password: str, by: str) -> None:
        hashed, now_ms = hashed_once(password), self.clock.now_ms
        self.writer.write(lambda c: account_rows.insert_staff(c, name, role, hashed, False, by, now_ms))

    def client(self, name: str = "", password: str = "") -> Client:
        client = Client(self.app)
        if name:
            assert client.sign_in(name, password).status_code == 303
        return client

    def let_in(self, context: BrowserContext, name: str, password: str) -> None:
        """Signed in without the form's two pages: they have stories of their own (test_console_door.py)."""
        cookie = self.client(name, password).get_cookie(COOKIE, path="/console")
        assert cookie
        context.add_cookies(
            [{"name": COOKIE, "value": cookie.value, "domain": "127.0.0.1", "path": cookie.path}]
        )

    # ---- paper

    def job(self, state: str, title: str = "B001") -> int:
        """A slip in kiosk.db and its job in bridge.db; answers the slip's number."""
        body = json.dumps({"v": 1, "kind": "ticket", "title": title, "copy_of": None, "blocks": []})
        slip_id = self.writer.write(
            lambda c: (
                c.execute(
                    "INSERT INTO slips(printer, kind, body, created_ms) VALUES ('hall', 'ticket', ?, ?)",
                    (body, NOON_MS),
                ).lastrowid
            )
        )
        self.bridge.write(
            lambda c: c.execute(
                "INSERT INTO jobs(slip_id, printer, state, created_ms, changed_ms, body)"
                " VALUES (?, 'hall', ?, ?, ?, ?)",
                (slip_id, state, NOON_MS, NOON_MS, body),
            )
        )
        assert slip_id is not None
        return slip_id

    def printer(self, state: str) -> None:
        self.bridge.write(
            lambda c: c.execute(
                "INSERT INTO printers(printer, state, since_ms) VALUES ('hall', ?, ?)"
                " ON CONFLICT(printer) DO UPDATE SET state = excluded.state",
                (state, NOON_MS),
            )
        )

    def close(self) -> None:
        self.hub.close()
        if self._server is not None:
            self._server.task_dispatcher.shutdown(timeout=5)
            self._server.close()
        self.link.stop()
        self.gateway.close()
        self.writer.stop()
        self.bridge.close()


class Client(FlaskClient):
    """A browser without scripts: keeps cookies, sends Origin, fills in the form's token as our own pages do."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app, TestResponse, use_cookies=True)

    def token(self, page: str = "/console/sign-in") -> str:
        """The token that a page's form or its scripts would send."""
        html = self.get(page, follow_redirects=True).get_data(as_text=True)
        found = re.search(r'(?:name="form_token" value|name="form-token" content)="([0-9a-f]{64})"', html)
        assert found, html
        return found[1]

    def form(self, path: str, page: str = "", **fields: str) -> TestResponse:
        fields.setdefault("form_token", self.token(page or path))
        return self.post(path, data=fields, headers={"Origin": ORIGIN})

    def sign_in(self, name: str, password: str) -> TestResponse:
        return self.form("/console/sign-in", name=name, password=password)

    def order(self, path: str, **body: object) -> TestResponse:
        headers = {"Origin": ORIGIN, "X-Form-Token": self.token("/console")}
        return self.post(f"/console/api/{path}", json=body, headers=headers)


class Ear(Iterator[bytes]):
    """Listens to a stream of server-sent events; what was not waited for yet is kept."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self._stream = stream
        self._kept: list[str] = []

    def __next__(self) -> bytes:
        told = next(self._stream)
        self._kept += [block for block in told.decode().split("\n\n") if block.startswith("event: ")]
        return told

    def wait(self, event: str) -> dict[str, Any]:
        """The next event of this name; the stream's own heartbeats bound the wait."""
        seen: list[str] = []
        for _ in range(200):  # on a slow machine what is conflated comes in more pieces
            while self._kept:
                block = self._kept.pop(0)
                seen.append(block)
                if block.startswith(f"event: {event}\n"):
                    data: dict[str, Any] = json.loads(block.split("\ndata: ", 1)[1])
                    return data
            next(self)
        raise AssertionError(f"no {event} in {seen}")


@contextmanager
def console_hall(home: Path, **more: Any) -> Iterator[ConsoleHall]:
    """A hall with an administrator, ended whatever happens."""
    hall = ConsoleHall(home, **more)
    try:
        hall.make_admin()
        yield hall
    finally:
        hall.close()
