"""A small gateway on a real unix socket: speaks docs/protocol.md, 2, and nothing else.

It keeps calls, bays and devices in memory and follows the call's life so far as the console needs it, so that the
console's tests need no broker. ``press`` is a press; ``close`` is a gateway that dies.
"""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

Json = dict[str, Any]

CALL: Json = {
    "state": "HEARD", "kind": "emergency", "device_id": "btn-0302", "device_name": "302 床头按钮", "claimed": True,
    "place": "3栋1单元302", "person": "张奶奶", "presses": 1, "button": 1, "accepted_ms": None, "accepted_by": None,
    "closed_ms": None, "closed_by": None, "outcome": None, "note": "", "written": True, "delayed": False,
    "doubtful": False, "overdue": False, "person_id": "", "turn": 0, "step": -1, "acts": "", "arrived_ms": None,
    "arrived_by": None, "heard": "", "coming": "", "repeats": 0,
}  # fmt: skip


class ConsoleGateway:
    """Listens on ``path`` from the moment it is made; ``close`` hangs up on everybody."""

    def __init__(self, path: Path, now_ms: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self.now_ms = now_ms
        self.orders: list[Json] = []
        self.calls: dict[int, Json] = {}
        self.devices: dict[str, Json] = {}
        self.bays: dict[str, Json] = {}
        self.zones: dict[str, Json] = {}
        self.parts = {
            "broker": {"part": "broker", "state": "ready", "since_ms": now_ms, "why_zh": "", "why_en": ""}
        }
        self.statistics: object = {}
        self._rev = 0
        self._lock = threading.RLock()
        self._guests: list[socket.socket] = []
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._door.bind(str(path))
        self._door.listen()
        threading.Thread(target=self._welcome, daemon=True).start()

    # ---- what happens in the hall

    def press(self, call_id: int = 7, **more: object) -> Json:
        with self._lock:
            self.calls[call_id] = {
                **CALL,
                "call_id": call_id,
                "opened_ms": self.now_ms,
                "last_press_ms": self.now_ms,
                **more,
            }
            return self._tell("CallChanged", "call", self.calls[call_id])

    def device(self, device_id: str, **more: object) -> Json:
        with self._lock:
            self.devices[device_id] = {
                "device_id": device_id, "kind": "call_button", "family": "linli", "model": "", "name": device_id,
                "call_kind": "emergency", "place": "", "person": "", "bay_id": None, "zone_id": None, "lamp": True,
                "battery_pct": 87, "health": "ok", "last_seen_ms": self.now_ms, "why_zh": "", "why_en": "", **more,
            }  # fmt: skip
            return self._tell("DeviceChanged", "device", self.devices[device_id])

    def zone(self, zone_id: str, **counts: int) -> Json:
        with self._lock:
            self.zones[zone_id] = {"zone_id": zone_id, "name_zh": "东区", "name_en": "East", "free": 0, "taken": 0,
                                   "unknown": 0, "closed": 0, "total": 0, "since_ms": 0, **counts}  # fmt: skip
            return self._tell("ZoneChanged", "zone", self.zones[zone_id])

    def bay(self, bay_id: str, state: str, zone_id: str = "east") -> Json:
        with self._lock:
            self.bays[bay_id] = {"bay_id": bay_id, "zone_id": zone_id, "state": state, "device_id": f"bay-{bay_id}",
                                 "since_ms": self.now_ms, "last_seen_ms": self.now_ms}  # fmt: skip
            return self._tell("BayChanged", "bay", self.bays[bay_id])

    def bay_gone(self, bay_id: str) -> None:
        with self._lock:
            del self.bays[bay_id]
            self._tell("BayGone", "bay_id", bay_id)

    def part(self, part: str, state: str, why_zh: str = "", why_en: str = "") -> Json:
        with self._lock:
            self.parts[part] = {
                "part": part,
                "state": state,
                "since_ms": self.now_ms,
                "why_zh": why_zh,
                "why_en": why_en,
            }
            return self._tell("PartChanged", "part", self.parts[part])

    def row(self, table: str, key: object) -> None:
        """A row of hall/rows.py has changed."""
        with self._lock:
            self._rev += 1
            for guest in self._guests:
                self._send(guest, {"fact": "RowChanged", "rev": self._rev, "table": table, "key": key})

    def close(self) -> None:
        with self._lock:
            guests, self._guests = self._guests, []
        for one in [self._door, *guests]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it had hung up already
            one.close()

    # ---- orders

    def _answer(self, order: Json) -> Json:
        name = order["order"]
        self.orders.append(order)
        if name in ("accept_call", "arrive_call", "close_call", "reopen_call"):
            return self._step(order)
        if name in ("care_device", "consoles", "look_at_medical"):
            return {}
        if name == "put_person":
            return {"row": {key: value for key, value in order.items() if key not in ("id", "order", "by")}}
        if name == "statistics":
            return {"statistics": self.statistics}
        if name in ("close_bay", "open_bay"):
            return {"bay": self.bay(order["bay_id"], "closed" if name == "close_bay" else "unknown")}
        if name == "claim_device":
            known = {key: value for key, value in order.items() if key not in ("id", "order", "by")}
            return {"device": self.device(**known)}
        if name == "raise_call" and order["device_id"].startswith("screen:"):
            told = {key: order[key] for key in ("device_id", "kind")}
            return {"call": self.press(len(self.calls) + 1, place=order["place_zh"], **told)}
        if name == "define_zone":
            return {"zone": self.zone(order["zone_id"])}
        return {"ok": False, "fault": "bad_order", "why_zh": "没有这个命令", "why_en": f"no order {name}"}

    def _step(self, order: Json) -> Json:
        call, name, by = self.calls.get(order["call_id"]), order["order"], order["by"]
        refused = {"ok": False, "fault": "refused", "why_zh": "不行", "why_en": "no"}
        if call is None or (call["state"] == "CLOSED") != (name == "reopen_call"):
            return refused
        if name == "accept_call":
            if call["accepted_by"]:
                return refused
            call.update(state="COMING", accepted_by=by, accepted_ms=self.now_ms)
        elif name == "arrive_call":
            call.update(arrived_by=by, arrived_ms=self.now_ms)
        elif name == "reopen_call":
            back = "COMING" if call["accepted_by"] else "HEARD"
            call.update(state=back, closed_by=None, closed_ms=None, outcome=None)
        else:
            outcome, note = order["outcome"], order["note"]
            call.update(state="CLOSED", closed_by=by, closed_ms=self.now_ms, outcome=outcome, note=note)
        return {"call": self._tell("CallChanged", "call", call)}

    # ---- the socket

    def _welcome(self) -> None:
        while True:
            try:
                guest, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(guest,), daemon=True).start()

    def _serve(self, guest: socket.socket) -> None:
        try:
            for raw in guest.makefile("r", encoding="utf-8"):
                order = json.loads(raw)
                with self._lock:
                    if order["order"] == "hello":
                        self._guests.append(guest)
                        self._send(guest, self._snapshot())
                        continue
                    answer = {"re": order["id"], "ok": True, "written": True, **self._answer(order)}
                    self._send(guest, answer)
        except OSError:
            pass  # hung up
        with self._lock:
            if guest not in self._guests:  # who only asked something; the others are closed with us
                guest.close()

    def _snapshot(self) -> Json:
        lists: dict[str, dict[Any, Json]] = {
            "calls": self.calls,
            "zones": self.zones,
            "bays": self.bays,
            "devices": self.devices,
            "parts": self.parts,
        }
        told: Json = {name: list(kept.values()) for name, kept in lists.items()}
        return {
            "fact": "Snapshot",
            "rev": self._rev,
            **told,
            "panels": [],
            "lamps": [],
            "now_ms": self.now_ms,
            "epoch": "e",
        }

    def _tell(self, fact: str, name: str, thing: Json | str) -> Json:
        self._rev += 1
        for guest in self._guests:
            self._send(guest, {"fact": fact, "rev": self._rev, name: thing})
        return dict(thing) if isinstance(thing, dict) else {}

    def _send(self, guest: socket.socket, message: Json) -> None:
        try:
            guest.sendall(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        except OSError:
            pass  # hung up
