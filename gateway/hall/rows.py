"""Tables that rules keep besides calls, devices and bays. One frozen dataclass is one table: nothing else to write.

A rule puts a row among its changes; it is written in the decision's transaction (``gateway/store.py``), is in
``state.table(Person)`` at once and again after a restart, and whoever listens at the desk hears that it changed (its
key only: these tables know people, and a doorbell is not the place for that). ``RowGone`` takes one away.

A column is a field: ``str``, ``int``, ``bool``, ``float | None`` and their like; a ``tuple`` is kept as JSON. ``KEY``
names the primary key's columns, in order; ``LOAD`` is the SQL condition of the rows that a start brings back into
memory ("" for all): what is settled lives in the notebook only, see ``settled``.
A new table is one dataclass here (or in a file of its own, named in ``tables.py``) and one numbered migration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Row:
    """One row of one table."""

    TABLE: ClassVar[str] = ""
    KEY: ClassVar[tuple[str, ...]] = ()
    LOAD: ClassVar[str] = ""
    #: whether whoever listens at the desk is told that a row changed
    TOLD: ClassVar[bool] = True

    #: made once a table: each press asks for some keys
    _key: ClassVar[Callable[[Any], Any]]

    def __init_subclass__(cls) -> None:
        cls._key = attrgetter(*cls.KEY)

    @property
    def key(self) -> Any:
        """What tells it from the others of its table: the one column of KEY, or a tuple of them."""
        return type(self)._key(self)

    @property
    def settled(self) -> bool:
        """Nothing can happen to it any more: memory may forget it, the notebook keeps it. Agrees with LOAD."""
        return False


@dataclass(frozen=True, slots=True)
class RowGone:
    """That row is taken away."""

    table: str
    key: Any


# ---------------------------------------------------------------- people


@dataclass(frozen=True, slots=True)
class Person(Row):
    """A resident for whom somebody cares. ``medical`` is for those who may see it, and each look is journalled.

    ``place`` is the address as staff say it; ``grid``, ``building``, ``unit`` decide who is responsible.
    ``quiet_after_h``: nothing from this home for so long opens a visit (0: never). ``visit_tier``: none, weekly,
    monthly, quarterly (the ministries' guideline of 2022, and the tiers of Inner Mongolia's rules).
    """

    TABLE: ClassVar[str] = "people"
    KEY: ClassVar[tuple[str, ...]] = ("person_id",)

    person_id: str
    name: str
    phone: str = ""
    grid: str = ""
    building: str = ""
    unit: str = ""
    room: str = ""
    place: str = ""
    access: str = ""
    key_holder: str = ""
    key_holder_phone: str = ""
    family: str = ""
    family_phone: str = ""
    medical: str = ""
    note: str = ""
    visit_tier: str = "none"
    quiet_after_h: int = 0
    paused_until_ms: int = 0
    paused_why: str = ""
    meal_free: bool = False
    active: bool = True
    since_ms: int = 0


#: Who may stand on a step of a ladder: word → (Chinese, English).
ROLES: dict[str, tuple[str, str]] = {
    "duty": ("值班人员", "Duty staff"),
    "grid": ("网格员", "Grid officer"),
    "building": ("楼栋长", "Building head"),
    "unit": ("单元长", "Unit head"),
    "secretary": ("支部书记", "Branch secretary"),
    "guard": ("门岗", "Guard post"),
    "volunteer": ("志愿者", "Volunteer"),
    "kitchen": ("食堂", "Canteen"),
    "family": ("家属", "Family"),
    "repair": ("维修人员", "Repair"),
}


@dataclass(frozen=True, slots=True)
class Helper(Row):
    """Somebody who comes. ``grid``, ``building``, ``unit``: for which homes ("" for all); ``account``: at the console.

    ``channels`` are addresses as apprise spells them ("wecombot://…", "mailto://…"), or "sms:13800138000" for the
    hall's own modem.
    """

    TABLE: ClassVar[str] = "helpers"
    KEY: ClassVar[tuple[str, ...]] = ("helper_id",)

    helper_id: str
    name: str
    role: str
    phone: str = ""
    grid: str = ""
    building: str = ""
    unit: str = ""
    account: str = ""
    channels: tuple[str, ...] = ()
    active: bool = True


@dataclass(frozen=True, slots=True)
class Shift(Row):
    """When a helper is on duty. Without any shift a helper is always on duty.

    ``weekdays``: bit 0 is Monday. ``from_min``, ``to_min``: minutes of the hall's day; where ``to_min`` is not later it
    ends on the next day. ``every_weeks``/``week``: a rotation, counted in weeks from ``first_day``'s Monday.
    ``holidays``: "too", "only" or "not".
    """

    TABLE: ClassVar[str] = "shifts"
    KEY: ClassVar[tuple[str, ...]] = ("shift_id",)

    shift_id: str
    helper_id: str
    weekdays: int = 127
    from_min: int = 0
    to_min: int = 1440
    first_day: str = ""
    last_day: str = ""
    every_weeks: int = 1
    week: int = 0
    holidays: str = "too"


@dataclass(frozen=True, slots=True)
class Substitution(Row):
    """From ``first_day`` to ``last_day`` (both included) ``by_helper_id`` stands in for ``helper_id`` ("": nobody)."""

    TABLE: ClassVar[str] = "substitutions"
    KEY: ClassVar[tuple[str, ...]] = ("substitution_id",)

    substitution_id: str
    helper_id: str
    by_helper_id: str
    first_day: str
    last_day: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Holiday(Row):
    """A day off on a weekday ("holiday"), or a weekend on which the country works ("workday", 调休)."""

    TABLE: ClassVar[str] = "holidays"
    KEY: ClassVar[tuple[str, ...]] = ("day",)

    day: str
    kind: str = "holiday"
    name: str = ""


# ---------------------------------------------------------------- calls


@dataclass(frozen=True, slots=True)
class Kind(Row):
    """A kind of call: who is told when, what is said, how it may end. Edited in the console.

    ``ladder``: (who, wait_s, acts): tell ``who`` (a word of ROLES), and go on after ``wait_s`` (1-3600) unless somebody
    accepts; acts: "console", "beacon", "voice", "display", "message". The last step repeats until a person answers.
    ``coming_s``: an acceptance that has led to nothing for so long expires. ``outcomes``: (word, Chinese, English).
    ``priority``: 0 is the most urgent; trouble of devices never outranks 0.
    """

    TABLE: ClassVar[str] = "kinds"
    KEY: ClassVar[tuple[str, ...]] = ("kind",)

    kind: str
    name_zh: str
    name_en: str
    priority: int = 5
    ladder: tuple[tuple[str, int, tuple[str, ...]], ...] = ()
    coming_s: int = 900
    script_zh: str = ""
    script_en: str = ""
    outcomes: tuple[tuple[str, str, str], ...] = ()
    enabled: bool = True
    position: int = 0


@dataclass(frozen=True, slots=True)
class CallStep(Row):
    """A step of a call's ladder, as it was taken: told (and whom), or skipped because nobody was there (and why).

    ``turn``: how often the ladder has been begun, from 1 (an expired acceptance begins it anew; each repetition of the
    last step is a turn). ``state``: told, skipped. ``why``: why it was skipped, words of ``ladder.WHY``.
    """

    TABLE: ClassVar[str] = "call_steps"
    KEY: ClassVar[tuple[str, ...]] = ("call_id", "turn", "step")
    TOLD: ClassVar[bool] = False  # its call changes with it
    LOAD: ClassVar[str] = "call_id IN (SELECT call_id FROM calls WHERE state <> 'CLOSED')"

    call_id: int
    turn: int
    step: int
    who: str
    state: str
    at_ms: int
    helpers: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Message(Row):
    """Words to one helper by one channel: the herald's outbox. queued → sent | failed | void; answered comes last.

    ``text`` names no elder, flat or health: it may go to a group. ``turn`` and ``step`` are the ladder's.
    """

    TABLE: ClassVar[str] = "messages"
    KEY: ClassVar[tuple[str, ...]] = ("message_id",)
    LOAD: ClassVar[str] = (
        "state = 'queued' OR call_id IN (SELECT call_id FROM calls WHERE state <> 'CLOSED')"
    )

    message_id: str
    call_id: int
    turn: int
    step: int
    helper_id: str
    channel: str
    text: str
    created_ms: int
    state: str = "queued"
    attempts: int = 0
    changed_ms: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class LastPress(Row):
    """What the rules must remember of one button to tell a press from its copies (hall/presses.py). Times 0: never.

    ``heard_ms``: the last press or repeat; ``release_ms``: when it was let go; ``by_release``: of that press only the
    release was heard. ``train``: so many gaps in a row were a repeating button's, ``beat_ms`` is their mean and
    ``jitter_ms`` how far they lie from it on average. On disk it may be a minute old while a button repeats.
    """

    TABLE: ClassVar[str] = "device_presses"
    KEY: ClassVar[tuple[str, ...]] = ("device_id", "button")
    TOLD: ClassVar[bool] = False

    device_id: str
    button: int
    heard_ms: int
    release_ms: int = 0
    by_release: bool = False
    train: int = 0
    beat_ms: int = 0
    jitter_ms: int = 0


# ---------------------------------------------------------------- devices


@dataclass(frozen=True, slots=True)
class Care(Row):
    """What a device needs: its deadline, its battery's story, its monthly test. Times 0: never.

    ``silent_after_ms``: 0 follows its model. ``fault``: what is wrong beyond silence ("" nothing), e.g. "stuck",
    "battery_overdue"; ``test_every_d``: days between test calls (TSA: monthly), 0: never asked for.
    ``battery_worst``: the least that was seen since the battery is low, -1: never told (by flag or voltage only).
    ``test_until_ms``: until then its next press is the test that somebody has announced.
    """

    TABLE: ClassVar[str] = "device_care"
    KEY: ClassVar[tuple[str, ...]] = ("device_id",)

    device_id: str
    silent_after_ms: int = 0
    battery_low_ms: int = 0
    battery_reminded_ms: int = 0
    battery_changed_ms: int = 0
    battery_worst: int = -1
    tested_ms: int = 0
    test_every_d: int = 30
    test_until_ms: int = 0
    fault: str = ""
    fault_since_ms: int = 0


@dataclass(frozen=True, slots=True)
class Voice(Row):
    """How a device can be spoken to, and who answers for it when it calls (hall/answering.py).

    ``answers``: "" nobody (our own buttons: their lamp), "own": the device itself, or the device_id of the siren or
    lamp beside it. ``means``: how it is told, a word of its family in devices/speaking/ ("" by its model). ``part``:
    which of its relays or lights. ``via``: the beginning of its topics, learnt from what it says. ``confirm_ms``: how
    long it may take to say that it shows it, 0: as everybody.
    """

    TABLE: ClassVar[str] = "voices"
    KEY: ClassVar[tuple[str, ...]] = ("device_id",)

    device_id: str
    answers: str = ""
    means: str = ""
    part: str = ""
    via: str = ""
    confirm_ms: int = 0


@dataclass(frozen=True, slots=True)
class Telling(Row):
    """What a device was told last, and whether it shows it: sent, shown, unconfirmed. One row a device that is told.

    ``word``: heard, coming, over. ``token`` names the message where the network repeats it; ``shows`` is what the
    device says when it does as it was told. ``tries``: how often it has been told.
    """

    TABLE: ClassVar[str] = "tellings"
    KEY: ClassVar[tuple[str, ...]] = ("device_id",)

    device_id: str
    word: str
    call_id: int
    state: str = "sent"
    token: str = ""
    shows: str = ""
    tries: int = 1
    since_ms: int = 0


@dataclass(frozen=True, slots=True)
class Path(Row):
    """A bridge or radio gateway behind which devices stand (devices/paths.py). ``state``: up, down.

    While it is down none of its devices is called silent: that is one fault, and it is said once.
    """

    TABLE: ClassVar[str] = "paths"
    KEY: ClassVar[tuple[str, ...]] = ("path_id",)

    path_id: str
    state: str = "up"
    since_ms: int = 0


# ---------------------------------------------------------------- visits and meals


@dataclass(frozen=True, slots=True)
class Visit(Row):
    """Somebody is to knock on this door (敲门行动). ``reason``: weekly, monthly, quarterly, event, inactivity.

    ``step``: how far up it has been told that nobody came (0 nobody yet; hall/visits.py, LADDER). ``tries``: knocked,
    nobody at home. ``done_ms`` is when the person was seen, ``written_ms`` when that was written down.
    """

    TABLE: ClassVar[str] = "visits"
    KEY: ClassVar[tuple[str, ...]] = ("visit_id",)
    LOAD: ClassVar[str] = "state IN ('due', 'missed')"

    visit_id: str
    person_id: str
    reason: str
    opened_ms: int
    due_ms: int
    grid: str = ""
    state: str = "due"
    step: int = 0
    tries: int = 0
    tried_ms: int = 0
    done_ms: int = 0
    done_by: str = ""
    written_ms: int = 0
    outcome: str = ""
    note: str = ""

    @property
    def settled(self) -> bool:
        return self.state not in ("due", "missed")


@dataclass(frozen=True, slots=True)
class Hearth(Row):
    """What is known of life in one home, for whoever cares for it. A row only for people who are cared for.

    ``periods``: the newest period of each tier for which a visit was opened ("monthly:2026-11-01"), so that none is
    opened twice. ``stirred_ms``: the last sign of the person's own (a press, a movement, a door); it is written once an
    hour at most and newer in memory. ``watched_ms``: since when its silence counts at all. ``seen_ms``: when somebody
    of ours last saw the person.
    """

    TABLE: ClassVar[str] = "hearths"
    KEY: ClassVar[tuple[str, ...]] = ("person_id",)

    person_id: str
    periods: tuple[str, ...] = ()
    stirred_ms: int = 0
    watched_ms: int = 0
    seen_ms: int = 0


@dataclass(frozen=True, slots=True)
class Menu(Row):
    """What the canteen cooks for one meal of one day. ``day`` "2026-11-22"; ``meal``: breakfast, lunch, dinner.

    ``cutoff_min``: until when it can be ordered and given back, in minutes of that day; below 0 it is the evening
    before (-240: 20:00), as a breakfast needs it. A start brings back the newest hundred days that have a menu, those
    to come among them: no clock is asked, and a menu whose year is a slip of the finger hides one day only.
    """

    TABLE: ClassVar[str] = "menus"
    KEY: ClassVar[tuple[str, ...]] = ("day", "meal")
    LOAD: ClassVar[str] = "day IN (SELECT DISTINCT day FROM menus ORDER BY day DESC LIMIT 100)"

    day: str
    meal: str
    dish: str
    price_fen: int = 0
    cutoff_min: int = 0


@dataclass(frozen=True, slots=True)
class MealOrder(Row):
    """A meal for a door, begun by the call of that number. ordered → cancelled | delivered | over.

    ``over``: its day has ended and nobody has said that it was delivered. ``ordered_ms`` never changes: with the call's
    number it names this order for ever, also where a new notebook counts its calls from the beginning.
    """

    TABLE: ClassVar[str] = "meal_orders"
    KEY: ClassVar[tuple[str, ...]] = ("call_id",)
    LOAD: ClassVar[str] = "state = 'ordered'"

    call_id: int
    person_id: str
    device_id: str
    day: str
    meal: str
    dish: str
    price_fen: int
    portions: int = 1
    state: str = "ordered"
    ordered_ms: int = 0
    changed_ms: int = 0
    by: str = ""

    @property
    def settled(self) -> bool:
        return self.state != "ordered"


#: The order is that of writing, so that what is referred to comes first.
ANSWERING: tuple[type[Row], ...] = (
    Kind,
    Person,
    Helper,
    Shift,
    Substitution,
    Holiday,
    Care,
    Voice,
    Telling,
    Path,
    Menu,
    CallStep,
    Message,
    LastPress,
    Visit,
    Hearth,
    MealOrder,
)
