"""Everything that can be said in the house: facts in the past tense, orders in the imperative.

Facts come in by one door. A rule answers with orders (its *effects*). Neither knows how it travels.
All are frozen; times are UTC milliseconds and are handed in, never read from a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Light = Literal["off", "blink", "steady"]
BayState = Literal["free", "taken", "unknown", "closed"]
#: How full: open, almost, full; "" where nobody knows.
Level = Literal["", "open", "almost", "full"]
CallState = Literal["HEARD", "COMING", "CLOSED"]

# ---------------------------------------------------------------- facts


@dataclass(frozen=True, slots=True)
class Pressed:
    """Somebody pressed a call button (or pulled a cord, or fell: whatever asks for help).

    ``press_id`` names this press among its copies ("" where the device cannot); ``age_ms`` is how old the
    press was, by the device's own clock, when it was sent. ``doubtful``: it may not have been a press.
    """

    device_id: str
    press_id: str = ""
    button: int = 1
    press_type: str = "short"
    age_ms: int = 0
    doubtful: bool = False
    family: str = ""
    event: str = "press"
    #: the broker says that it sent this before (MQTT's DUP flag)
    redelivered: bool = False
    #: only a press if the hall has claimed the device as a call button (a 433 MHz code, a fall report)
    if_claimed: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """A button was let go. ``press_id``, ``family``, ``redelivered`` as for :class:`Pressed`.

    ``level``: it may only say how things stand (a state topic, told again at any time): never more than the end of
    a press that was heard.
    """

    device_id: str
    button: int = 1
    press_id: str = ""
    age_ms: int = 0
    family: str = ""
    redelivered: bool = False
    level: bool = False


@dataclass(frozen=True, slots=True)
class Stirred:
    """A sensor in a home has told of a person: somebody moved, a door was opened or shut. No heartbeat says that."""

    device_id: str


@dataclass(frozen=True, slots=True)
class BayHeard:
    """A parking sensor spoke of its bay: ``occupied`` True taken, False free, None it does not know."""

    device_id: str
    occupied: bool | None
    press_id: str = ""
    #: it was judged by how far away the next thing is, not by the sensor itself
    by_distance: bool = False
    #: the permit tag that it reads, "" where it reads none
    tag: str = ""


@dataclass(frozen=True, slots=True)
class BaySettled:
    """What a sensor said of its bay has stood for as long as its kind must wait. ``number`` names that wait."""

    device_id: str
    wanted: BayState
    number: int


@dataclass(frozen=True, slots=True)
class CarsCounted:
    """A counter at a gate spoke: totals, or what came since its last word (its model knows). None: it has not said.

    ``passes``: it counts in one direction only, or cannot tell directions apart.
    """

    device_id: str
    ins: int | None = None
    outs: int | None = None
    passes: int | None = None


@dataclass(frozen=True, slots=True)
class SiteHeard:
    """A feed spoke for a whole car park. Its numbers may not add up."""

    device_id: str
    free: int | None = None
    taken: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    """A device showed that it is there: any message at all. ``battery_pct`` 0-100 where it told."""

    device_id: str
    family: str = ""
    model: str = ""
    battery_pct: float | None = None
    offline: bool = False
    fault: str = ""
    #: it says by a flag that its battery is low; its voltage, where it tells no percentage
    battery_low: bool = False
    battery_mv: int | None = None
    #: the beginning of the topics by which it can be spoken to (devices/speaking/), "" where nobody needs it
    via: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A device, or the network that speaks for it, says what became of what it was told.

    ``token`` names the message where the network repeats it; else ``shows`` is what the device says that it shows now:
    "on", "off", "blink", "steady", "beep".
    """

    device_id: str
    token: str = ""
    ok: bool = True
    shows: str = ""


@dataclass(frozen=True, slots=True)
class PathSeen:
    """A bridge or radio gateway is there, or is not: its last will says so, or its own word."""

    path_id: str
    up: bool

    @property
    def device_id(self) -> str:
        """As its presence is known; no device has such a name."""
        return f"path:{self.path_id}"


# ---------------------------------------------------------------- orders that rules give (effects)


@dataclass(frozen=True, slots=True)
class SetLamp:
    """A lamp is a level: it shows what is written, and may be told again at any time."""

    device_id: str
    light: Light
    call_id: int
    since_ms: int


#: What the elder's device is to say: we have heard you; somebody is coming; it is over.
Word = Literal["heard", "coming", "over"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """One MQTT message to a device. Retained only where the topic is our own level: never to what was bought."""

    topic: str
    payload: str
    retain: bool = False


@dataclass(frozen=True, slots=True)
class SayTo:
    """Tell a bought device, or a siren or lamp beside a button, what is written."""

    device_id: str
    word: Word
    call_id: int
    messages: tuple[Spoken, ...]


@dataclass(frozen=True, slots=True)
class ShowCount:
    """What an entrance panel shows. ``certain`` is False where too many bays are unknown for a number, or none can be.

    ``free`` + ``taken`` + ``unknown`` + ``closed`` = ``total``; ``reserved`` of the free ones are not for whoever
    comes. A panel with digits shows :attr:`number`. ``level``: open, almost, full, "" where nobody knows
    or every bay is closed.
    ``arrow``: left, right, straight, up, down: where those bays lie from the panel.
    """

    panel: str
    text: str
    free: int
    taken: int
    unknown: int
    closed: int
    total: int
    certain: bool
    since_ms: int
    level: Level = ""
    reserved: int = 0
    arrow: str = ""
    text_en: str = ""

    @property
    def number(self) -> int | None:
        """How many bays a driver may hope for; None where no number may be shown."""
        if not self.certain:
            return None
        return 0 if self.level == "full" else max(0, self.free - self.reserved)
