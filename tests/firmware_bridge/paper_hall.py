"""The bridge's bench: a hall's folder, the kiosk's notebook as the bridge sees it, a printer on a real pty.

Parts are real: SQLite files, pseudo-terminals, the process ``python -m firmware_bridge``.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devices.virtual.panel import VirtualSerialPanel
from devices.virtual.printer import VirtualPrinter
from gateway.notebook import Notebook, open_reader

ROOT = Path(__file__).parents[2]

TICKET: dict[str, Any] = {
    "v": 1,
    "kind": "ticket",
    "title": "B031",
    "copy_of": None,
    "blocks": [
        {"t": "text", "text": "示例社区便民服务大厅", "align": "center", "bold": True},
        {"t": "text", "text": "政务 B031", "size": 3, "align": "center", "bold": True},
        {"t": "text", "text": "社会保障卡申领与补换", "size": 2, "align": "center"},
        {"t": "rule"},
        {"t": "pair", "left": "前面等候", "right": "3 人"},
        {"t": "pair", "left": "办理窗口", "right": "3号、4号窗口"},
        {"t": "pair", "left": "取号时间", "right": "2026-11-22 10:31"},
        {"t": "rule"},
        {
            "t": "text",
            "text": "请带好：\n1. 本人居民身份证\n2. 一寸白底照片（电子版可）\n3. 他人代办的，还要代办人身份证和委托书",
        },
        {"t": "qr", "data": "http://192.168.1.10:8000/t/Jx8dkQ2mPz4vB7wN"},
        {"t": "text", "text": "扫码看前面还有几人；过号请到服务台", "align": "center"},
        {"t": "cut"},
    ],
}


def slip(words: str, copy_of: int | None = None) -> dict[str, Any]:
    """A short slip that says ``words``."""
    return {
        "v": 1,
        "kind": "ticket",
        "title": words,
        "copy_of": copy_of,
        "blocks": [{"t": "text", "text": words, "size": 2}, {"t": "rule"}, {"t": "cut"}],
    }


class Hall:
    """One hall's folder with everything around the bridge: it can be started, killed, and watched."""

    def __init__(self, home: Path, profile: str = "generic80", baud: int = 9600) -> None:
        self.home = home
        (home / "kiosk").mkdir(parents=True, exist_ok=True)
        (home / "kiosk" / "0001_kiosk.sql").write_text(_KIOSK, encoding="utf-8")
        (home / "hall.toml").write_text(_HALL.format(profile=profile, baud=baud), encoding="utf-8")
        self._kiosk: Notebook | None = None
        self._gateway: Notebook | None = None
        self.printer = VirtualPrinter("hall", home)
        self.panel = VirtualSerialPanel("gate-count", home)
        self.bridge: subprocess.Popen[str] | None = None
        self.log: list[str] = []
        self._said = threading.Condition()
        self._reader: threading.Thread | None = None
        self._ended = False

    @property
    def kiosk(self) -> Notebook:
        if self._kiosk is None:
            self._kiosk = Notebook(self.home / "kiosk.db", self.home / "kiosk")
        return self._kiosk

    @property
    def gateway(self) -> Notebook:
        if self._gateway is None:
            self._gateway = Notebook(self.home / "gateway.db", ROOT / "gateway" / "schema")
        return self._gateway

    def order(self, body: dict[str, Any], printer: str = "hall") -> int:
        """The kiosk writes a slip. Gives its number."""
        now = time.time_ns() // 1_000_000
        text = json.dumps(body, ensure_ascii=False)

        def work(db: sqlite3.Connection) -> int:
            done = db.execute(
                "INSERT INTO slips(printer, kind, body, created_ms) VALUES (?, 'ticket', ?, ?)",
                (printer, text, now),
            )
            return int(done.lastrowid or 0)

        return self.kiosk.write(work)

    def verdict(self, slip_id: int, word: str) -> None:
        """A member of staff has looked."""
        self.kiosk.write(
            lambda db: db.execute(
                "INSERT INTO slip_verdicts(slip_id, verdict, by, at_ms) VALUES (?, ?, '李', 1)",
                (slip_id, word),
            )
        )

    def count(self, free: int, certain: bool = True, total: int = 60) -> None:
        """The gateway writes what the panel is to show."""
        self.gateway.write(
            lambda db: db.execute(
                "INSERT OR REPLACE INTO panels(panel, text, free, taken, unknown, closed, total, certain, since_ms)"
                " VALUES ('gate-count', ?, ?, ?, 0, 0, ?, ?, 1)",
                (f"空位 {free}", free, total - free, total, int(certain)),
            )
        )

    def start_bridge(self) -> None:
        """Start the real process and wait until it says that it is ready."""
        self.bridge = subprocess.Popen(
            [sys.executable, "-m", "firmware_bridge"],
            cwd=ROOT,
            env={
                **os.environ,
                "LINLI_HOME": str(self.home),
                "PYTHONPATH": str(ROOT),
                "PYTHONUNBUFFERED": "1",
            },
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.log, self._ended = [], False
        self._reader = threading.Thread(target=self._read_log, args=(self.bridge,), daemon=True)
        self._reader.start()
        self.wait_said("ready:")

    def wait_said(self, words: str, timeout_s: float = 10) -> None:
        """Wait for a line in the bridge's log."""
        with self._said:
            self._said.wait_for(lambda: self._ended or any(words in line for line in self.log), timeout_s)
            if not any(words in line for line in self.log):
                raise TimeoutError(f"the bridge did not say {words!r}: {self.log}")

    def stop_bridge(self, number: int = signal.SIGTERM) -> float:
        """Send a signal; gives the seconds until the process was gone."""
        assert self.bridge is not None
        assert self._reader is not None
        began = time.monotonic()
        self.bridge.send_signal(number)
        self.bridge.wait(timeout=10)
        took = time.monotonic() - began
        self._reader.join(timeout=5)
        if self.bridge.stderr is not None:
            self.bridge.stderr.close()
        self.bridge = None
        return took

    def _read_log(self, bridge: subprocess.Popen[str]) -> None:
        assert bridge.stderr is not None
        for line in bridge.stderr:
            with self._said:
                self.log.append(line.rstrip())
                self._said.notify_all()
        with self._said:
            self._ended = True
            self._said.notify_all()

    def job(self, slip_id: int) -> dict[str, Any]:
        """What bridge.db says of a slip."""
        return self._row("SELECT * FROM jobs WHERE slip_id = ?", slip_id)

    def printer_row(self) -> dict[str, Any]:
        return self._row("SELECT * FROM printers WHERE printer = 'hall'")

    def panel_row(self) -> dict[str, Any]:
        return self._row("SELECT * FROM panels WHERE panel = 'gate-count'")

    def _row(self, question: str, *values: object) -> dict[str, Any]:
        reader = open_reader(self.home / "bridge.db")
        try:
            reader.row_factory = sqlite3.Row
            row = reader.execute(question, values).fetchone()
            return dict(row) if row else {}
        finally:
            reader.close()

    def all_rows(self, question: str) -> list[dict[str, Any]]:
        """Rows of bridge.db."""
        reader = open_reader(self.home / "bridge.db")
        try:
            reader.row_factory = sqlite3.Row
            return [dict(row) for row in reader.execute(question)]
        finally:
            reader.close()

    def wait_for(
        self, ask: Callable[[], dict[str, Any]], timeout_s: float = 8, **fields: object
    ) -> dict[str, Any]:
        """Look into bridge.db, whenever the bridge has said something, until the row has these fields."""
        ends = time.monotonic() + timeout_s
        while True:
            with self._said:
                row = ask()
                if all(row.get(name) == value for name, value in fields.items()):
                    return row
                if time.monotonic() >= ends:
                    raise TimeoutError(
                        f"not {fields} within {timeout_s} s: {row}; the bridge said {self.log}"
                    )
                # Almost every step of a job is said; SENDING is not, so look again soon all the same.
                self._said.wait(0.02)

    def wait_job(self, slip_id: int, state: str, timeout_s: float = 8) -> dict[str, Any]:
        return self.wait_for(lambda: self.job(slip_id), timeout_s, state=state)

    def pieces(self) -> list[str]:
        """The texts of all pieces of paper so far, in order."""
        files = sorted(self.printer.paper_dir.glob("*.txt"), key=lambda one: int(one.stem))
        return [one.read_text(encoding="utf-8") for one in files]

    def close(self) -> None:
        if self.bridge is not None:
            self.stop_bridge(signal.SIGKILL)
        self.printer.stop()
        self.panel.stop()
        for notebook in (self._kiosk, self._gateway):
            if notebook is not None:
                notebook.close()


_HALL = """
[[printers]]
id = "hall"
port = "virtual"
baud = {baud}
profile = "{profile}"

[[panels]]
id = "gate-count"
via = "serial"
driver = "xunpeng"
port = "virtual"

[[panels]]
id = "gate"
via = "mqtt"
"""

#: The part of kiosk.db that the bridge reads (docs/protocol.md, section 3).
_KIOSK = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE slips (slip_id INTEGER PRIMARY KEY, printer TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
                    created_ms INTEGER NOT NULL, reprint_of INTEGER, ticket_id INTEGER);
CREATE TABLE slip_verdicts (verdict_id INTEGER PRIMARY KEY, slip_id INTEGER NOT NULL, verdict TEXT NOT NULL,
                    by TEXT NOT NULL, at_ms INTEGER NOT NULL);
CREATE TABLE printer_acts (act_id INTEGER PRIMARY KEY, printer TEXT NOT NULL, act TEXT NOT NULL, by TEXT NOT NULL,
                    at_ms INTEGER NOT NULL);
"""
