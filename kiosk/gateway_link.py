"""The kiosk's end of the gateway's unix socket: orders up, facts down (docs/protocol.md, 2).

Theory of operation. One thread keeps the line (gateway/far_end.py), keeps what it hears as `snapshot()` and tells it on
the hub. When the gateway goes, the last picture stays and is marked ``connected: False``. `order()` may be called by
any thread: it writes one line and waits for the line that answers it.
Every fact carries ``rev``; after a gap the link asks hello again rather than guess.
A second thread tells the gateway how many consoles listen, at each change and after each hello: a ladder's step for a
console that nobody has open is no step. When we go, the gateway counts none by itself.
"""

from __future__ import annotations

import itertools
import json
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from devices.faults import OrderRefused, OutsideDown
from gateway.far_end import FarEnd
from gateway.hall.bays import UNCLAIMED_ZONE
from gateway.log import say, say_once
from kiosk.live import Fact, Hub
from kiosk.rules.alarm import Level, default_priorities, level
from kiosk.zones import TABLES as ZONE_TABLES
from kiosk.zones import ZoneFaces

#: A gateway that did not answer how many consoles there are is told again after this (our choice).
TELL_AGAIN_S = 5.0
#: Tables whose rows say how the plan of the car park looks: a map is drawn anew when one of them changes.
PLAN_TABLES = frozenset({"bay_plans", "zone_plans", "parking_sites", "parking_places"})
#: docs/protocol.md: a Snapshot brings the last 20 closed calls; we keep as many.
CLOSED_CALLS_KEPT = 20

Json = dict[str, Any]
#: fact → (where it stands in the fact and in the Snapshot, the key that names it, the hub's event)
_KINDS: dict[str, tuple[str, str, str, str]] = {
    "CallChanged": ("call", "calls", "call_id", "call"),
    "ZoneChanged": ("zone", "zones", "zone_id", "zone"),
    "BayChanged": ("bay", "bays", "bay_id", "bay"),
    "DeviceChanged": ("device", "devices", "device_id", "device"),
    "PanelChanged": ("panel", "panels", "panel", "panel"),
    "PartChanged": ("part", "parts", "part", "part"),
}


class GatewayLink:
    """Begin with `start`, end with `stop`.

    :param path: the gateway's socket.
    :param who: how we introduce ourselves.
    :param hub: where facts are told: all on "staff"; on "hall" zones, but for unclaimed sensors, and the alarm's level.

    ``priorities`` says how urgent each kind of call is (0: the most urgent); the core sets it to the hall's own table.
    """

    def __init__(self, path: Path, hub: Hub, *, who: str = "kiosk") -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._answers: dict[str, _Answer] = {}
        self._connected = False
        self._rev: int | None = None
        self._things: dict[str, dict[str, Json]] = {kind[1]: {} for kind in _KINDS.values()}
        self._news: dict[str, list[Fact]] = {}
        self._extra: Json = {"lamps": [], "epoch": ""}
        self.priorities: Callable[[], Mapping[str, int]] = default_priorities
        self._alarm: Level | None = None
        self._calls_moved = False
        #: bays that this reading has told of, for the hall's map; and whether the plan itself has changed
        self._bays_moved: dict[str, Json] = {}
        self._plan_moved = False
        #: what residents are shown of each zone; zones of this reading; whether all are to be looked at anew
        self.zone_faces = ZoneFaces()
        self._zones_moved: dict[str, None] = {}
        self._signs_moved = False
        #: table of gateway.db → whoever wants to know that a row of it may have changed
        self._row_bells: dict[str, list[Callable[[], None]]] = {}
        hello = {"id": "k-0", "order": "hello", "who": who}
        self._line = FarEnd(path, "gateway-link", hello, self._hear_all, self._lost)
        #: set when the number of consoles may have changed, or the gateway may not know it
        self._recount = threading.Event()
        self._consoles_told: int | None = None
        self._counter = threading.Thread(target=self._tell_consoles, name="consoles", daemon=True)
        hub.on_consoles = self._recount.set

    def start(self) -> None:
        self._line.start()
        self._counter.start()

    def leave(self) -> None:
        """We are closing: a gateway that goes from now on is no news. Orders under way are still answered."""
        self._line.leaving.set()

    def stop(self) -> None:
        self.leave()
        self._recount.set()
        self._line.stop()
        if self._counter.ident is not None:
            self._counter.join(2)

    @property
    def connected(self) -> bool:
        return self._connected

    def order(self, name: str, /, *, timeout_s: float = 2.0, **fields: Any) -> Json:
        """Give the gateway an order and wait for its word.

        :return: its answer, e.g. ``{"re": …, "ok": true, "written": true, "call": {…}}``.
        :raises OrderRefused: the rules do not allow it; nothing changed.
        :raises OutsideDown: the gateway is away, could not write, or has not answered in ``timeout_s``.
        """
        if not self._connected:
            raise _away()
        order_id = f"k-{next(self._ids)}"
        answer = _Answer()
        with self._lock:
            self._answers[order_id] = answer
        try:
            if not self._line.send({"id": order_id, "order": name, **fields}):
                raise _away()
            if not answer.come.wait(timeout_s):
                raise OutsideDown(
                    f"the gateway has not answered {name} for {timeout_s:g} s: look before you repeat it"
                )
        finally:
            with self._lock:
                self._answers.pop(order_id, None)
        said = answer.said
        if said is None:
            raise _away()
        if said.get("ok") is True:
            return said
        why_zh, why_en = (
            str(said.get("why_zh") or "网关拒绝"),
            str(said.get("why_en") or "the gateway refused"),
        )
        if said.get("fault") == "not_written":
            raise OutsideDown(why_en)
        raise OrderRefused(why_zh, why_en)

    def on_row(self, table: str, ring: Callable[[], None]) -> None:
        """Have ``ring`` called when a row of that table has changed or may have (a reconnect): in the link's thread,
        so it only sets an event."""
        self._row_bells.setdefault(table, []).append(ring)

    def snapshot(self) -> Json:
        """The gateway's state as last heard. Lists of dicts; ``connected`` says whether it is still true."""
        with self._lock:
            things: Json = {name: list(kept.values()) for name, kept in self._things.items()}
        faces = self.zone_faces.shown
        things["zones"] = [faces.get(str(one["zone_id"]), one) for one in things["zones"]]
        return {**things, **self._extra, "connected": self._connected}

    @property
    def alarm(self) -> Level | None:
        """What the hall may know of its calls: nothing of a person (kiosk/rules/alarm.py)."""
        return self._alarm

    # ---------------------------------------------------------------- how many consoles listen

    def _tell_consoles(self) -> None:
        """Whoever opens or closes a console never waits for the gateway: this thread does."""
        unsure = False
        while True:
            self._recount.wait(TELL_AGAIN_S if unsure else None)
            self._recount.clear()
            if self._line.leaving.is_set():
                return
            unsure = False
            live = self._hub.consoles
            if not self._connected or live == self._consoles_told:
                continue
            try:
                self.order("consoles", live=live)
            except OrderRefused as refused:
                say_once("consoles", "consoles_refused", f"the gateway counts no consoles: {refused}")
            except OutsideDown:
                unsure = True  # it hangs or has gone: told again soon, or after the next hello
                continue
            self._consoles_told = live
            if live != self._hub.consoles:
                self._recount.set()

    # ---------------------------------------------------------------- the link's thread

    def _lost(self) -> None:
        was, self._connected, self._rev = self._connected, False, None
        with self._lock:
            waiting, self._answers = list(self._answers.values()), {}
        for answer in waiting:
            answer.come.set()
        if was and not self._line.leaving.is_set():
            say("gateway_lost", "the gateway is away: calls ring only where it runs", level=logging.WARNING)
            self._tell_link()
            self._tell_all()
            self._tell_alarm()

    def _tell_link(self) -> None:
        self._tell("staff", "link", {"connected": self._connected})
        self._tell("hall", "link", {"connected": self._connected})

    def _tell(self, channel: str, event: str, data: Json) -> None:
        """To be told with all else that is heard in one reading (`_tell_all`)."""
        self._news.setdefault(channel, []).append((event, data))

    def _tell_all(self) -> None:
        if self._bays_moved or self._plan_moved:
            bays, self._bays_moved = list(self._bays_moved.values()), {}
            plan, self._plan_moved = self._plan_moved, False
            self._tell("hall", "bays", {"bays": bays, "plan": plan})
        news, self._news = self._news, {}
        for channel, facts in news.items():
            self._hub.publish_all(channel, facts)
        # Behind all else: for it gateway.db is read, and a call does not wait for that.
        if self._zones_moved or self._signs_moved:
            self._tell_zones()

    def _tell_zones(self) -> None:
        """Zones that have been told of, and those that look otherwise since (a reserve, counts that cannot be)."""
        moved, self._zones_moved, self._signs_moved = self._zones_moved, {}, False
        with self._lock:
            zones = list(self._things["zones"].values())
        others = self.zone_faces.look(zones)
        faces = self.zone_faces.shown
        facts: list[Fact] = [("zone", faces[zone_id]) for zone_id in dict.fromkeys([*moved, *others])]
        self._hub.publish_all("staff", facts)
        # The zone of sensors that nobody has claimed is for staff only.
        self._hub.publish_all("hall", [one for one in facts if one[1]["zone_id"] != UNCLAIMED_ZONE.zone_id])

    def _hear_all(self, group: list[bytes]) -> None:
        """What one reading brought. It is kept fact by fact and told at once, so that a call which comes behind a
        hundred bays does not wait until each of them has been handed to each screen."""
        try:
            for raw in group:
                self._hear(raw)
        finally:
            self._tell_all()
            if self._calls_moved:
                self._tell_alarm()

    def _tell_alarm(self) -> None:
        """The hall's screens, after the consoles: that somebody calls, and no more; only where it has changed."""
        self._calls_moved = False
        with self._lock:
            calls = list(self._things["calls"].values())
        now = level(calls, self.priorities) if self._connected else None
        if now != self._alarm:
            self._alarm = now
            self._hub.publish("hall", "alarm", {"alarm": now})

    def _hear(self, raw: bytes) -> None:
        try:
            heard = json.loads(raw)
        except (ValueError, RecursionError):
            heard = None
        if not isinstance(heard, dict):
            say_once(
                "gateway-line", "gateway_nonsense", f"the gateway's socket said what is no JSON: {raw[:80]!r}"
            )
            return
        if "re" in heard:
            with self._lock:
                answer = self._answers.pop(str(heard["re"]), None)
            if answer is not None:
                answer.said = heard
                answer.come.set()
            return
        fact, rev = heard.get("fact"), heard.get("rev")
        if fact == "Snapshot":
            self._rev = rev if isinstance(rev, int) else None
            self._hear_snapshot(heard)
            return
        if isinstance(rev, int):
            if self._rev is not None and rev != self._rev + 1:
                self._rev = None
                self._line.again()
            elif self._rev is not None:
                self._rev = rev
        if fact in _KINDS:
            self._hear_thing(fact, heard)
        elif fact == "BayGone":
            with self._lock:
                self._things["bays"].pop(str(heard.get("bay_id")), None)
            self._plan_moved = True
            self._tell("staff", "bay_gone", {"bay_id": str(heard.get("bay_id"))})
        elif fact in ("RowChanged", "RowGone"):
            # Its key alone: who shows that table asks gateway.db (docs/protocol.md, "A call is answered").
            self._calls_moved |= heard.get("table") == "kinds"
            self._plan_moved |= heard.get("table") in PLAN_TABLES
            self._signs_moved |= heard.get("table") in ZONE_TABLES
            self._tell("staff", "row", {"table": str(heard.get("table")), "key": heard.get("key")})
            for ring in self._row_bells.get(str(heard.get("table")), ()):
                ring()

    def _hear_snapshot(self, heard: Json) -> None:
        with self._lock:
            for _, plural, key, _ in _KINDS.values():
                things = heard.get(plural)
                listed = things if isinstance(things, list) else []
                self._things[plural] = {
                    str(one[key]): one for one in listed if isinstance(one, dict) and key in one
                }
            self._extra = {name: heard.get(name, empty) for name, empty in self._extra.items()}
        was, self._connected = self._connected, True
        self._calls_moved = True
        self._consoles_told = None
        self._recount.set()
        for bells in list(self._row_bells.values()):
            for ring in bells:
                ring()
        if not was:
            say("gateway_found", "the gateway is there")
        self._tell_link()
        self.zone_faces.look(list(self._things["zones"].values()))
        self._tell("staff", "snapshot", self.snapshot())
        for zone_id, face in self.zone_faces.shown.items():
            if zone_id != UNCLAIMED_ZONE.zone_id:
                self._tell("hall", "zone", face)

    def _hear_thing(self, fact: str, heard: Json) -> None:
        single, plural, key, event = _KINDS[fact]
        thing = heard.get(single)
        # A PartChanged may carry its fields beside "fact", where "part" is the part's name.
        if not isinstance(thing, dict):
            thing = {name: value for name, value in heard.items() if name not in ("fact", "rev")}
        if key not in thing:
            return
        with self._lock:
            self._things[plural][str(thing[key])] = thing
            self._calls_moved |= plural == "calls"
            if plural == "calls" and thing.get("state") == "CLOSED":
                _keep_few_closed(self._things[plural])
        if event == "zone":
            self._zones_moved[str(thing[key])] = None
            return
        self._tell("staff", event, thing)
        if event == "bay" and thing.get("zone_id") != UNCLAIMED_ZONE.zone_id:
            # However many have moved: one event a reading, and nothing in it of sensors.
            self._bays_moved[str(thing[key])] = {"bay_id": thing[key], "state": thing.get("state")}


class _Answer:
    __slots__ = ("come", "said")

    def __init__(self) -> None:
        self.come = threading.Event()
        self.said: Json | None = None


def _away() -> OutsideDown:
    return OutsideDown("the gateway is not there: calls cannot be passed on; walk to the desk")


def _keep_few_closed(calls: dict[str, Json]) -> None:
    closed = [key for key, call in calls.items() if call.get("state") == "CLOSED"]
    for key in sorted(closed, key=lambda one: int(calls[one].get("closed_ms") or 0))[:-CLOSED_CALLS_KEPT]:
        del calls[key]
