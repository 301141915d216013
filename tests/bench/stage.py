"""Where the benches play: a broker, a gateway and, where asked for, kiosk and bridge, in a folder of their own.

No virtual devices and no printers: they would be load that nobody measured. The processes write their log to a file,
as under systemd, and are started plainly, without `linli run`, so that one of them alone can be given a slower disk.
"""

from __future__ import annotations

import html
import http.cookiejar
import os
import re
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from gateway.house import open_house
from gateway.processors import keep_broker_apart
from linli.broker import free_port
from tests.bench.presser import button_ids
from tests.flood import bay_ids
from tests.parts import ROOT, Mosquitto, Seat, wait_until
from tests.whole_hall import PASSWORD

Json = dict[str, Any]

#: How long the last telemetry is waited for after a run; what is not there then is lost.
SETTLE_S = 10.0
#: A hall that runs in the shell that started the bench must not become the hall that is measured.
_ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
#: Orders under way at once while the hall is furnished.
_ORDERS = 40
_HALL_TOML = """\
[broker]
own = false
[[panels]]
id = "gate"
name_zh = "东门入口屏"
name_en = "East gate panel"
zones = []
via = "mqtt"
answers = false
[[panels]]
id = "probe"
zones = ["probe"]
via = "mqtt"
answers = false
[gpio]
pins = "off"
[virtual]
on = false
"""


class MemoryMosquitto(Mosquitto):
    """The hall's settings, but everything in memory: what the disk costs the broker is then left out."""

    def start(self) -> None:
        lines = self._conf.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith(("persistence", "autosave"))]
        self._conf.write_text("\n".join([*kept, "persistence false", ""]), encoding="utf-8")
        super().start()


def start_broker(folder: Path, kind: str) -> Mosquitto:
    """``shipped`` (linli/broker.py: saved at each change) or ``memory``."""
    return MemoryMosquitto(folder) if kind == "memory" else Mosquitto(folder)


def pid_of(broker: Mosquitto) -> int:
    assert broker._process is not None
    return broker._process.pid


class Stage:
    """A running hall for one bench.

    :param faces: with kiosk and bridge.
    :param gateway_environ: for the gateway alone (LD_PRELOAD).
    """

    def __init__(
        self,
        home: Path,
        *,
        broker: str = "shipped",
        faces: bool = False,
        gateway_environ: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        (home / "hall.toml").write_text(_HALL_TOML, encoding="utf-8")
        self.broker = start_broker(home / "mosquitto", broker)
        self.http_port = free_port()
        self.environ = {
            "LINLI_HOME": str(home),
            "LINLI_HALL": str(home / "hall.toml"),
            "LINLI_MQTT_PORT": str(self.broker.port),
            "LINLI_HTTP_PORT": str(self.http_port),
        }
        self.socket = open_house(None, self.environ).gateway_socket
        self._gateway_environ = dict(gateway_environ or {})
        self._parts: dict[str, subprocess.Popen[bytes]] = {}
        self._seats: list[Seat] = []
        self._cookie = ""
        self._console = socket.socket(socket.AF_UNIX)
        try:
            self._begin(faces)
        except BaseException:
            self.close()  # nobody else would: there is no stage yet to be handed out
            raise

    def _begin(self, faces: bool) -> None:
        keep_broker_apart(pid_of(self.broker))
        self.start("gateway", self._gateway_environ)
        wait_until(self._hears, lambda: f"the gateway hears its broker\n{self.log('gateway')}")
        # A hall has somebody at a console: without one each press climbs the whole ladder in vain.
        self._console.connect(str(self.socket))
        self._console.sendall(b'{"id":"c","order":"consoles","live":1}\n')
        assert b'"ok":true' in self._console.recv(4096)
        if faces:
            self.start("firmware_bridge")
            self.start("kiosk")
            wait_until(self._is_served, lambda: f"the kiosk answers\n{self.log('kiosk')}")

    def start(self, module: str, environ: Mapping[str, str] | None = None) -> None:
        with (self.home / f"{module}.log").open("ab") as log:
            self._parts[module] = subprocess.Popen(
                [sys.executable, "-m", module],
                env={**_ENVIRON, **self.environ, **(environ or {})},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self, module: str, *, kill: bool = False) -> None:
        """End one of them, and wait until it has ended."""
        process = self._parts.pop(module)
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        process.wait(30)

    @property
    def pids(self) -> dict[str, int]:
        """What belongs to the hall: name → pid."""
        return {"mosquitto": pid_of(self.broker), **{name: one.pid for name, one in self._parts.items()}}

    def log(self, module: str) -> str:
        """The last lines it said."""
        return "\n".join((self.home / f"{module}.log").read_text(encoding="utf-8").splitlines()[-20:])

    # ---------------------------------------------------------------- its furniture

    def furnish(self, *, bays: int = 500, buttons: int = 200, zones: int = 4) -> None:
        """Claim the flood's sensors (some zones, counted on a panel) and the measurer's buttons, as staff would."""
        orders: list[Json] = [
            {
                "order": "claim_device",
                "device_id": name,
                "kind": "bay_sensor",
                "by": "bench",
                "bay_id": f"bay-{name}",
                "zone_id": f"zone-{number % zones}",
            }
            for number, name in enumerate(bay_ids(bays))
        ]
        orders += [
            {
                "order": "claim_device",
                "device_id": name,
                "kind": "call_button",
                "by": "bench",
                "name": f"3栋1单元{number:04d}",
                "place": f"3栋1单元{number:04d}",
                "person": "张奶奶",
            }
            for number, name in enumerate(button_ids(buttons))
        ]
        self.order_all(orders)

    def order_all(self, orders: list[Json]) -> None:
        """Give orders, many at once, and wait for each answer."""
        seat = Seat(self.socket)
        for at in range(0, len(orders), _ORDERS):
            some = orders[at : at + _ORDERS]
            for number, order in enumerate(some):
                seat.send({"id": f"b-{number}", **order})
            answered = 0
            while answered < len(some):
                words = seat._read()
                if "re" in words:
                    answered += 1
                    assert words["ok"], words
        seat.close()

    def close_calls(self) -> None:
        """Close every open call, as staff would at the end of the day."""
        with closing(self.reader()) as book:
            open_ids = [row[0] for row in book.execute("SELECT call_id FROM calls WHERE state <> 'CLOSED'")]
        self.order_all(
            [{"order": "close_call", "call_id": one, "by": "bench", "outcome": "test"} for one in open_ids]
        )

    # ---------------------------------------------------------------- what it knows

    def reader(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.home}/gateway.db?mode=ro", uri=True, isolation_level=None)

    def statistics(self) -> Json:
        seat = Seat(self.socket)
        told: Json = seat.order("statistics")["statistics"]
        seat.close()
        return told

    def settled_ms(self, final: Mapping[str, bool], ended_ns: int) -> tuple[float, int]:
        """How long after the flood's last message every bay stood as it was told; and how many never did."""
        wanted = {name: "taken" if taken else "free" for name, taken in final.items()}
        with closing(self.reader()) as book:
            while True:
                stands = dict(book.execute("SELECT device_id, state FROM bays"))
                wrong = sum(stands.get(name) != state for name, state in wanted.items())
                late_ms = (time.monotonic_ns() - ended_ns) / 1e6
                if not wrong or late_ms > SETTLE_S * 1000:
                    return late_ms, wrong
                select.select([], [], [], 0.005)

    def lost_and_doubled(self, boot: str, sent: int) -> tuple[int, int]:
        """Of the presses of this boot: not in the notebook; and counted in a call, over all boots, without a row.

        Lost is what is not there although nothing has come for ``SETTLE_S``: late is not lost.
        """
        with closing(self.reader()) as book:
            rows, since_s = -1, time.monotonic()
            while time.monotonic() < since_s + SETTLE_S:
                said = book.execute(
                    "SELECT count(*) FROM presses WHERE press_id LIKE ?", (f"{boot}:%",)
                ).fetchone()[0]
                if said != rows:
                    rows, since_s = said, time.monotonic()
                if rows >= sent:
                    break
                select.select([], [], [], 0.1)
            # In one reading, so that both are of the same moment.
            counted, all_rows = book.execute(
                "SELECT (SELECT coalesce(sum(presses), 0) FROM calls), (SELECT count(*) FROM presses)"
            ).fetchone()
        return sent - rows, counted - all_rows

    # ---------------------------------------------------------------- the console's door

    @property
    def cookie(self) -> str:
        """A signed-in console's cookie; at first its owner becomes the hall's administrator, as a technician would."""
        if not self._cookie:
            self._cookie = self._sign_in()
        return self._cookie

    def _sign_in(self) -> str:
        token = (self.home / "first-admin-token").read_text(encoding="utf-8").split()[0]
        jar = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        url = f"http://127.0.0.1:{self.http_port}/console/first"
        with browser.open(url, timeout=10) as page:
            form = re.search(r'name="form_token" value="([^"]+)"', page.read().decode())
        assert form, "no form at /console/first"
        words = {
            "token": token,
            "name": "小李",
            "password": PASSWORD,
            "again": PASSWORD,
            "form_token": html.unescape(form[1]),
        }
        request = urllib.request.Request(
            url,
            urllib.parse.urlencode(words).encode(),
            {"Origin": f"http://127.0.0.1:{self.http_port}"},
        )
        with browser.open(request, timeout=30) as page:
            page.read()
        return "; ".join(f"{one.name}={one.value}" for one in jar)

    def _is_served(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/livez", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _hears(self) -> bool:
        """The desk is open, and behind it the broker's line is up."""
        if self._parts["gateway"].poll() is not None:
            raise AssertionError(f"the gateway ended:\n{self.log('gateway')}")
        with socket.socket(socket.AF_UNIX) as trial:
            if trial.connect_ex(str(self.socket)) != 0:
                return False
        seat = Seat(self.socket)
        parts = {one["part"]: one["state"] for one in seat.snapshot["parts"]}
        seat.close()
        return parts.get("broker") == "ready"

    def close(self) -> None:
        self._console.close()
        for module in reversed(list(self._parts)):
            self.stop(module)
        self.broker.close()


@contextmanager
def stage(home: Path, **words: Any) -> Iterator[Stage]:
    """A running stage, ended whatever happens."""
    one = Stage(home, **words)
    try:
        yield one
    finally:
        one.close()
