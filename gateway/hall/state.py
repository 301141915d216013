"""What the hall knows at a moment, and what a rule wants changed.

The values are frozen; the tables are plain dicts. A batch of facts is decided between :meth:`HallState.begin` and
:meth:`HallState.keep`; a commit that fails leaves the hall exactly as it was (:meth:`HallState.take_back`). What only
might be is decided on a :meth:`HallState.child`, which is thrown away.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import MutableMapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any, Literal, TypeVar

from devices.messages import BayState, CallState, SayTo, SetLamp, ShowCount
from gateway.hall.parking_rows import QUIET_MS, BayPlan, ParkingTask
from gateway.hall.rows import CallStep, Message, Row, RowGone, Visit
from gateway.hall.tables import TABLES

R = TypeVar("R", bound=Row)

Health = Literal["ok", "silent", "offline", "low_battery", "fault"]
DeviceKind = Literal[
    "call_button", "bay_sensor", "hall_button", "companion", "gate_counter", "site_feed", "unclaimed", "ignored"
]


@dataclass(frozen=True, slots=True)
class Call:
    """One call for help, from the first press to its outcome. The fields are docs/protocol.md's."""

    call_id: int
    state: CallState
    kind: str
    device_id: str
    device_name: str
    claimed: bool
    place: str
    person: str
    presses: int
    button: int
    opened_ms: int
    last_press_ms: int
    accepted_ms: int | None = None
    accepted_by: str | None = None
    closed_ms: int | None = None
    closed_by: str | None = None
    outcome: str | None = None
    note: str = ""
    overdue: bool = False
    delayed: bool = False
    doubtful: bool = False
    person_id: str = ""
    #: the ladder (hall/ladder.py): how often it was begun, and the step on which it stands; -1: none
    turn: int = 0
    step: int = -1
    #: what this step does, in words of the kind's ladder: "console beacon voice display message"
    acts: str = ""
    arrived_ms: int | None = None
    arrived_by: str | None = None
    #: what the elder's own device shows of "heard" and of "somebody is coming": "" nothing yet, cannot, sent, shown,
    #: unconfirmed
    heard: str = ""
    coming: str = ""
    #: copies and repeats that are not presses of their own
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class Device:
    """A thing that speaks. ``every_ms`` is how often it promises to; silence is judged by it."""

    device_id: str
    kind: DeviceKind
    first_seen_ms: int
    last_seen_ms: int
    every_ms: int
    family: str = ""
    model: str = ""
    name: str = ""
    call_kind: str = "emergency"
    place: str = ""
    person: str = ""
    bay_id: str | None = None
    zone_id: str | None = None
    lamp: bool = False
    battery_pct: float | None = None
    health: Health = "ok"
    why_zh: str = ""
    why_en: str = ""
    person_id: str = ""


@dataclass(frozen=True, slots=True)
class Bay:
    """One parking place. ``since_ms``: when it came into this state."""

    bay_id: str
    zone_id: str
    state: BayState
    device_id: str
    since_ms: int
    last_seen_ms: int
    #: free or taken, whichever it was last ("": never); since when; and ``Zone.turns`` at that moment
    last_known: str = ""
    turned_ms: int = 0
    turned_at: int = 0


@dataclass(frozen=True, slots=True)
class Settling:
    """What a sensor says and what does not count yet. Memory only (hall/sensing.py).

    ``wanted`` "": nothing is being settled. ``readings``: how often it has been said. ``number`` grows with each new
    candidate, so that a time that was up for an older one means nothing.
    """

    device_id: str
    bay_id: str
    wanted: str
    readings: int
    hold_ms: int
    number: int
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the compound. free + taken + unknown + closed = total, always."""

    zone_id: str
    name_zh: str
    name_en: str
    free: int = 0
    taken: int = 0
    unknown: int = 0
    closed: int = 0
    since_ms: int = 0
    #: how often a bay in it has turned from free to taken or back
    turns: int = 0

    @property
    def total(self) -> int:
        return self.free + self.taken + self.unknown + self.closed


@dataclass(frozen=True, slots=True)
class PressRow:
    """A press to be remembered by its key, so that a repeat of it never makes a second call."""

    device_id: str
    press_id: str
    call_id: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class OrderKey:
    """An order's idempotency key and the call it made."""

    key: str
    call_id: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of the append-only journal. It names rows by their ids, never a person."""

    at_ms: int
    event: str
    subject: str
    actor: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WordsErased:
    """Who acted and what was said in this line of the journal is erased, on a person's demand."""

    line_id: int


@dataclass(frozen=True, slots=True)
class PersonErased:
    """Name, place and notes of this person go from all closed calls and visits, in memory and on the disk."""

    person_id: str


@dataclass(frozen=True, slots=True)
class BayGone:
    """A makeshift bay that its sensor no longer needs: the sensor has been claimed for a real one."""

    bay_id: str


@dataclass(frozen=True, slots=True)
class DeviceGone:
    """A device that nobody claimed and nobody hears any more."""

    device_id: str


@dataclass(frozen=True, slots=True)
class BayMove:
    """A bay came into this state: a row of its history, kept for a year and then counted (housekeeping.py)."""

    bay_id: str
    state: BayState
    at_ms: int


@dataclass(frozen=True, slots=True)
class TimerSet:
    """Something is to happen when time has passed; a row in the same transaction as the decision that asked for it.

    ``timer_id`` names it for ever ("call:7:unanswered"): set again it replaces the one before. ``kind`` chooses the
    rule (hall/timers.py), ``subject`` is what it is about ("call:7"). Where ``by_wall`` is False it is a lapse: what
    counts is that ``after_ms`` pass, whatever the wall clock does. Where it is True it is an appointment: what counts
    is that the wall clock says ``due_ms``, and it waits for a wall clock that is known.
    """

    timer_id: str
    kind: str
    subject: str
    set_ms: int
    after_ms: int
    by_wall: bool = False

    @property
    def due_ms(self) -> int:
        """By the wall clock, as it was when this was written."""
        return self.set_ms + self.after_ms


@dataclass(frozen=True, slots=True)
class TimerGone:
    """That timer has fired, or nobody needs it any more."""

    timer_id: str


@dataclass(frozen=True, slots=True)
class ClockFrame:
    """How the wall clock stood to the monotonic one when the rows were written (rules: hall/clock.py).

    ``boot`` names the run of the kernel: only within it do monotonic times compare. ``offset_ms`` is wall time minus
    monotonic time. ``at_ms`` is the newest wall time at which this was written. ``confirmed_by`` is the person who
    has said that the wall clock is right; it lasts as long as the frame.
    """

    boot: str
    offset_ms: int
    known: bool
    at_ms: int
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True)
class Consoles:
    """So many staff consoles are listening now. Nobody's memory: it is kept in the state and never written."""

    live: int


Change = (
    Call
    | Device
    | DeviceGone
    | Bay
    | BayGone
    | BayMove
    | Zone
    | PressRow
    | OrderKey
    | JournalLine
    | WordsErased
    | PersonErased
    | ShowCount
    | TimerSet
    | TimerGone
    | ClockFrame
    | Row
    | RowGone
)
Effect = SetLamp | ShowCount | SayTo


@dataclass(slots=True)
class Decision:
    """What a rule answers. ``changes`` are written in one transaction; ``effects`` are told after it.

    ``quiet`` changes are kept in memory only (a heartbeat: committing them would write 1.2 TB a year; a button that
    repeats for hours).
    ``call`` is the call the fact belongs to, for the answer to whoever brought it.
    """

    changes: list[Change] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    quiet: list[Device | Bay | Call | Row | Consoles | Settling] = field(default_factory=list)
    call: Call | None = None
    duplicate: bool = False


#: "This key was not there": None may be a value.
_NOTHING = object()


@dataclass(slots=True)
class HallState:
    """Everything the rules may look at."""

    calls: MutableMapping[int, Call] = field(default_factory=dict)
    devices: MutableMapping[str, Device] = field(default_factory=dict)
    bays: MutableMapping[str, Bay] = field(default_factory=dict)
    zones: MutableMapping[str, Zone] = field(default_factory=dict)
    shown: MutableMapping[str, ShowCount] = field(default_factory=dict)
    #: device_id -> its newest call, open or closed
    newest_call: MutableMapping[str, int] = field(default_factory=dict)
    #: (device_id, press_id) -> (call_id, at_ms), for presses of this run and of the last day
    presses: MutableMapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    #: an order's key -> call_id
    order_keys: MutableMapping[str, int] = field(default_factory=dict)
    gone_bays: set[str] = field(default_factory=set)
    gone_devices: set[str] = field(default_factory=set)
    #: timer_id -> what waits to happen
    timers: MutableMapping[str, TimerSet] = field(default_factory=dict)
    gone_timers: set[str] = field(default_factory=set)
    #: device_id -> what is being settled; nobody's memory but ours
    settling: MutableMapping[str, Settling] = field(default_factory=dict)
    #: (table, key) of rows that a child has seen go
    gone_rows: set[tuple[str, Any]] = field(default_factory=set)
    #: None: a notebook that has never been written with a clock beside it
    frame: ClockFrame | None = None
    #: the tables of hall/rows.py: name → key → row
    tables: dict[str, MutableMapping[Any, Any]] = field(default_factory=lambda: {name: {} for name in TABLES})
    #: the hall's own time (hall.toml), for whatever goes by days and hours
    zone: tzinfo = UTC
    #: the languages of the hall's faces and messages (hall.toml), the first one first
    languages: tuple[str, ...] = ("zh",)
    #: how many staff consoles are listening now; nobody's memory, told anew by the kiosk at each start
    consoles: int = 0
    #: what the links in messages are signed with (hall/links.py); gateway.db has it
    link_secret: str = ""
    #: the time of the newest row at start, 0 in an empty notebook: a clock that says less is behind
    newest_ms: int = 0
    last_call_id: int = 0
    #: the newest task of the car park, done ones too
    last_task_id: int = 0
    #: what is to be put back if the batch that is being decided cannot be written; None: nothing is being decided
    _undo: list[tuple[MutableMapping[Any, Any], Any, Any]] | None = None
    #: found anew when a plan has changed (None)
    _fire_lanes: tuple[str, ...] | None = None
    _before: tuple[ClockFrame | None, int, int, int] = (None, 0, 0, 0)

    def begin(self) -> None:
        """A batch is about to be decided: until :meth:`keep` everything that is put can be taken back."""
        self._undo, self._before = [], (
            self.frame,
            self.last_call_id,
            self.last_task_id,
            self.consoles,
        )

    def keep(self) -> None:
        """The batch is on the disk."""
        self._undo = None

    def take_back(self) -> None:
        """The batch is not on the disk: the hall is exactly as it was before."""
        for table, key, old in reversed(self._undo or []):
            if old is _NOTHING:
                table.pop(key, None)
            else:
                table[key] = old
        self.frame, self.last_call_id, self.last_task_id, self.consoles = self._before
        self._undo = self._fire_lanes = None

    def _set(self, table: MutableMapping[Any, Any], key: Any, value: Any) -> None:
        if self._undo is not None:
            self._undo.append((table, key, table.get(key, _NOTHING)))
        table[key] = value

    def _drop(self, table: MutableMapping[Any, Any], key: Any, gone: set[str]) -> None:
        """In a child the table below must not change: there it is noted that the key is gone."""
        if self._undo is None:
            gone.add(key)
        elif key in table:
            self._undo.append((table, key, table.pop(key)))

    def _drop_row(self, gone: RowGone) -> None:
        self._fire_lanes = None
        table = self.tables[gone.table]
        if not isinstance(table, ChainMap):
            if self._undo is not None and gone.key in table:
                self._undo.append((table, gone.key, table[gone.key]))
            table.pop(gone.key, None)
            return
        # A child reads the table below, which must not change: from here on it has its own, without that row.
        own, below = table.maps[0], ChainMap(*table.maps[1:])
        self.tables[gone.table] = ChainMap(
            {key: row for key, row in own.items() if key != gone.key},
            {key: row for key, row in below.items() if key != gone.key},
        )
        self.gone_rows.add((gone.table, gone.key))

    def child(self) -> HallState:
        """A working copy: it sees everything, what is put into it stays in it until :meth:`absorb`."""
        return HallState(
            calls=ChainMap({}, self.calls),
            devices=ChainMap({}, self.devices),
            bays=ChainMap({}, self.bays),
            zones=ChainMap({}, self.zones),
            shown=ChainMap({}, self.shown),
            newest_call=ChainMap({}, self.newest_call),
            presses=ChainMap({}, self.presses),
            order_keys=ChainMap({}, self.order_keys),
            timers=ChainMap({}, self.timers),
            settling=ChainMap({}, self.settling),
            tables={name: ChainMap({}, table) for name, table in self.tables.items()},
            zone=self.zone,
            languages=self.languages,
            consoles=self.consoles,
            link_secret=self.link_secret,
            gone_timers=set(self.gone_timers),
            frame=self.frame,
            newest_ms=self.newest_ms,
            last_call_id=self.last_call_id,
            last_task_id=self.last_task_id,
        )

    def table(self, kind: type[R]) -> MutableMapping[Any, R]:
        """The rows of one table, by key: ``state.table(Person)["p-1"]``."""
        return self.tables[kind.TABLE]

    def fire_lanes(self) -> tuple[str, ...]:
        """Bays on which nobody may park; asked with every count of a zone."""
        if self._fire_lanes is None:
            plans = self.table(BayPlan).values()
            self._fire_lanes = tuple(plan.bay_id for plan in plans if plan.kind == "fire_lane")
        return self._fire_lanes

    def timer(self, timer_id: str) -> TimerSet | None:
        """The timer of this name, if it still waits."""
        return None if timer_id in self.gone_timers else self.timers.get(timer_id)

    def absorb(self, child: HallState) -> None:
        """What the child decided is on the disk now: it becomes the state."""
        pairs: list[tuple[MutableMapping[Any, Any], MutableMapping[Any, Any]]] = [
            (self.calls, child.calls),
            (self.devices, child.devices),
            (self.bays, child.bays),
            (self.zones, child.zones),
            (self.shown, child.shown),
            (self.newest_call, child.newest_call),
            (self.presses, child.presses),
            (self.order_keys, child.order_keys),
            (self.timers, child.timers),
            (self.settling, child.settling),
            *((table, child.tables[name]) for name, table in self.tables.items()),
        ]
        for mine, theirs in pairs:
            assert isinstance(theirs, ChainMap)
            mine.update(theirs.maps[0])
        for name, key in child.gone_rows:
            self.tables[name].pop(key, None)
        for bay_id in child.gone_bays:
            self.bays.pop(bay_id, None)
        for device_id in child.gone_devices:
            self.devices.pop(device_id, None)
        for timer_id in child.gone_timers:
            self.timers.pop(timer_id, None)
        self._fire_lanes = None
        self.frame = child.frame
        self.last_call_id = child.last_call_id
        self.last_task_id = child.last_task_id
        self.consoles = child.consoles

    def put(self, decision: Decision) -> None:
        """Let the next fact of the same batch see what this one decided."""
        for change in (*decision.changes, *decision.quiet):
            match change:  # what a press brings stands first
                case Call():
                    self._set(self.calls, change.call_id, change)
                    if change.call_id >= self.newest_call.get(change.device_id, 0):
                        self._set(self.newest_call, change.device_id, change.call_id)
                    self.last_call_id = max(self.last_call_id, change.call_id)
                case Row():
                    self._set(self.tables[change.TABLE], change.key, change)
                    if isinstance(change, ParkingTask):
                        self.last_task_id = max(self.last_task_id, change.task_id)
                    elif isinstance(change, BayPlan):
                        self._fire_lanes = None
                    self.gone_rows.discard((change.TABLE, change.key))
                case JournalLine() | WordsErased() | BayMove():
                    pass
                case PersonErased():
                    self._erase(change.person_id)
                case TimerSet():
                    self._set(self.timers, change.timer_id, change)
                    self.gone_timers.discard(change.timer_id)
                case PressRow():
                    self._set(
                        self.presses, (change.device_id, change.press_id), (change.call_id, change.at_ms)
                    )
                case Device():
                    self._set(self.devices, change.device_id, change)
                case Bay():
                    self._set(self.bays, change.bay_id, change)
                case Zone():
                    self._set(self.zones, change.zone_id, change)
                case ShowCount():
                    self._set(self.shown, change.panel, change)
                case OrderKey():
                    self._set(self.order_keys, change.key, change.call_id)
                case BayGone():
                    self._drop(self.bays, change.bay_id, self.gone_bays)
                case DeviceGone():
                    self._drop(self.devices, change.device_id, self.gone_devices)
                case TimerGone():
                    self._drop(self.timers, change.timer_id, self.gone_timers)
                case RowGone():
                    self._drop_row(change)
                case ClockFrame():
                    self.frame = change
                case Settling():
                    self._set(self.settling, change.device_id, change)
                case Consoles():
                    self.consoles = change.live

    def _erase(self, person_id: str) -> None:
        theirs = [one for one in self.calls.values() if one.person_id == person_id and one.state == "CLOSED"]
        for call in theirs:
            self._set(self.calls, call.call_id, replace(call, person="", place="", note=""))
        visits = self.table(Visit)
        for visit in [one for one in visits.values() if one.person_id == person_id]:
            self._set(visits, visit.key, replace(visit, note=""))

    def forget_old(self, now_ms: int) -> None:
        """Keep memory bounded over years: closed calls and presses older than a day live in the notebook."""
        old_ms = now_ms - 24 * 3600 * 1000
        newest = set(sorted(self.calls)[-50:])
        for call_id, call in list(self.calls.items()):
            if call.closed_ms is not None and call.closed_ms < old_ms and call_id not in newest:
                del self.calls[call_id]
        for table in self.tables.values():
            for key in [key for key, row in table.items() if row.settled]:
                del table[key]
        # As at a start (their LOAD): the ladders of open calls, and what the herald has still to send.
        steps, messages = self.table(CallStep), self.table(Message)
        standing = {call_id for call_id, call in self.calls.items() if call.state != "CLOSED"}
        for step in [step for step in steps.values() if step.call_id not in standing]:
            del steps[step.key]
        for one in [one for one in messages.values() if one.call_id not in standing and one.state != "queued"]:
            del messages[one.key]
        tasks = self.table(ParkingTask)  # one that was finished a moment ago keeps its reason quiet
        for task in [one for one in tasks.values() if one.done_ms and one.done_ms <= now_ms - QUIET_MS]:
            del tasks[task.task_id]
        for press, (_, at_ms) in list(self.presses.items()):
            if at_ms < old_ms:
                del self.presses[press]
        for device_id, call_id in list(self.newest_call.items()):
            if call_id not in self.calls:
                del self.newest_call[device_id]
        if len(self.order_keys) > 1000:
            for key in list(self.order_keys)[:-1000]:
                del self.order_keys[key]
