"""A hall with people to be visited and fed: a real gateway over a furnished gateway.db, and the kiosk's own parts.

The kiosk answers to a test client in this process; its clock is the machine's, as the gateway's is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.hall.days import DAY_MS, HOUR_MS, moment_ms, period
from gateway.hall.rows import Hearth, Helper, Menu, Person, Visit
from gateway.hall.state import Change, Device
from gateway.house import TOKEN_FILE, open_house
from gateway.notebook import Notebook
from gateway.store import write_changes
from kiosk.accounts import Accounts
from kiosk.core import Core
from kiosk.gateway_link import GatewayLink
from kiosk.kitchen import Kitchen
from kiosk.live import Hub
from kiosk.writer import Writer
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, CATALOGUE, Client, Ear
from tests.kiosk.one_app import app_over
from tests.parts import Gateway, gateway

ROOT = Path(__file__).parent.parent.parent
ZONE = ZoneInfo("Asia/Shanghai")
HALL_TOML = (
    '[hall]\ntimezone = "Asia/Shanghai"\n[[printers]]\nid = "hall"\nname_zh = "大厅打印机"\n'
    'name_en = "Hall printer"\n[virtual]\non = false\n'
)
#: Invented people: name, grid, building, unit, room, tier.
PEOPLE = (
    ("张桂兰", "一网格", "3", "1", "302", "weekly"),
    ("李长庚", "一网格", "3", "2", "501", "monthly"),
    ("王秀英", "二网格", "7", "1", "101", "monthly"),
    ("赵德福", "二网格", "7", "1", "602", "quarterly"),
    ("陈阿婆", "二网格", "8", "3", "204", "weekly"),
)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def today() -> date:
    return datetime.fromtimestamp(now_ms() / 1000, ZONE).date()


def furnished() -> list[Change]:
    """People, their visits of now, a missed one, a silent home, a menu of today and tomorrow, a button for meals."""
    rows: list[Change] = []
    at_ms, day = now_ms(), today()
    for number, (name, grid, building, unit, room, tier) in enumerate(PEOPLE, start=1):
        person_id = f"p-{number}"
        rows.append(
            Person(
                person_id, name, f"1380000000{number}", grid, building, unit, room, visit_tier=tier,
                access="门口地垫下没有钥匙，请按门铃", key_holder="女儿 小芳", key_holder_phone="13900000000",
                medical="高血压", meal_free=number == 2,
            )
        )  # fmt: skip
        first, after = period(tier, day)
        visit = Visit(
            f"{person_id}:{tier}:{first}",
            person_id,
            tier,
            moment_ms(ZONE, first),
            moment_ms(ZONE, after),
            grid,
        )
        rows.append(visit)
        rows.append(
            Hearth(person_id, (f"{tier}:{first}",), at_ms - 5 * HOUR_MS, 0, at_ms - number * 9 * DAY_MS)
        )
    missed = Visit(
        "p-5:weekly:old", "p-5", "weekly", at_ms - 12 * DAY_MS, at_ms - 3 * DAY_MS, "二网格", "missed", 2
    )
    rows.append(replace(missed, tries=1, tried_ms=at_ms - 2 * DAY_MS, note="敲门没人，邻居说去买菜了"))
    silent = Visit("p-3:inactivity:1", "p-3", "inactivity", at_ms - HOUR_MS, at_ms + 3 * HOUR_MS, "二网格")
    rows.append(silent)
    for offset in (0, 1):
        word = (day + timedelta(days=offset)).isoformat()
        rows.append(Menu(word, "lunch", "红烧肉、清炒青菜、米饭", 1200, 1440))
        rows.append(Menu(word, "dinner", "鸡蛋面", 850, 1440))
    rows.append(
        Device(
            "meal-1",
            "call_button",
            at_ms,
            at_ms,
            60_000,
            "linli",
            call_kind="meal",
            person_id="p-1",
            name="3栋",
        )
    )
    rows.append(Helper("h-1", "周网格", "grid", grid="一网格"))
    return rows


class CareHall:
    """``client()`` is a browser without scripts; ``gateway`` is a process of its own."""

    def __init__(self, running: Gateway) -> None:
        self.gateway = running
        self.house = open_house(environ=running.environ)
        self.writer = Writer(self.house.kiosk_db, ROOT / "kiosk" / "schema")
        self.writer.start()
        self.hub = Hub()
        self.link = GatewayLink(self.house.gateway_socket, self.hub)
        self.core = Core(self.house, CATALOGUE, self.writer, self.link, self.hub, now_ms)
        self.app = app_over(self.core)
        self.kitchen = Kitchen(self.core)
        stream = self.hub.stream("staff")
        self.link.start()
        Ear(stream).wait("snapshot")
        stream.close()
        accounts = Accounts(self.writer.write, self.core.reader, now_ms, self.house.home)
        token = (self.house.home / TOKEN_FILE).read_text(encoding="ascii")
        accounts.first(token, ADMIN, ADMIN_PASSWORD, "here")

    def client(self) -> Client:
        client = Client(self.app)
        assert client.sign_in(ADMIN, ADMIN_PASSWORD).status_code == 303
        return client

    def close(self) -> None:
        self.kitchen.stop()
        self.hub.close()
        self.link.stop()
        self.writer.stop()


def furnish(home: Path, rows: list[Change] | None = None) -> None:
    """A gateway.db with these rows, before the gateway begins."""
    home.mkdir(parents=True, exist_ok=True)
    book = Notebook(home / "gateway.db", ROOT / "gateway" / "schema")
    changes = furnished() if rows is None else rows
    book.write(lambda connection: write_changes(connection, changes))
    book.close()


@contextmanager
def care_hall(home: Path, rows: list[Change] | None = None) -> Iterator[CareHall]:
    furnish(home, rows)
    with gateway(home, HALL_TOML) as running:
        hall = CareHall(running)
        try:
            yield hall
        finally:
            hall.close()
