"""Linli's gateway and the afternoon's Python, as peers."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping

from linli.broker import free_port
from tests.peers.peer import Peer, PressKey, TwoTables, rows


class Linli(Peer):
    """The gateway alone, as the hall runs it; no kiosk, no virtual devices."""

    name = "linli"

    def command(self) -> tuple[list[str], Mapping[str, str]]:
        (self.folder / "hall.toml").write_text("", encoding="utf-8")
        return [sys.executable, "-m", "gateway"], {
            "LINLI_HOME": str(self.folder),
            "LINLI_RUN": str(self.folder / "run"),
            "LINLI_HALL": str(self.folder / "hall.toml"),
            "LINLI_MQTT_PORT": str(self.mqtt_port),
        }

    def bay_states(self) -> dict[str, bool]:
        question = "SELECT bay_id, state FROM bays WHERE state IN ('free', 'taken')"
        return {bay: state == "taken" for bay, state in rows(self.folder / "gateway.db", question)}

    def press_rows(self) -> Counter[PressKey]:
        found: Counter[PressKey] = Counter()
        for device, press_id in rows(self.folder / "gateway.db", "SELECT device_id, press_id FROM presses"):
            boot, _, seq = press_id.rpartition(":")
            found[device, boot, int(seq)] += 1
        return found

    def doubled(self) -> int:
        """A call counts its presses: one more than there are rows would be a press that was taken for two."""
        ((counted,),) = rows(self.folder / "gateway.db", "SELECT coalesce(sum(presses), 0) FROM calls")
        return int(counted) - self.press_rows().total()


class Naive(TwoTables):
    """naive.py with SQLite's journal as SQLite creates it (DELETE; synchronous is FULL there too)."""

    name = "naive"
    file = "naive.db"
    journal = "delete"

    def command(self) -> tuple[list[str], Mapping[str, str]]:
        words = [str(self.folder), str(self.mqtt_port), str(free_port()), self.journal]
        return [sys.executable, "-m", "tests.peers.naive", *words], {}


class NaiveWal(Naive):
    """naive.py by somebody who has read about WAL."""

    name = "naive-wal"
    journal = "wal"
