"""From what a sensor says to what counts. Lives here: order, thresholds, settling. Must not live here: clocks, heaps.

Rule 1. Order. What is older than a word that was taken in, or is that word again, changes nothing. The device numbers
        its words (``boot`` and ``seq``, LoRaWAN's session and frame counter), or dates them by its own clock. The
        newest that turned anything is on disk: a crash makes no old word new.
Rule 2. Distance. Nearer than the threshold stands a car. No echo (0, 65535, less than nothing) is a fault, no state.
Rule 3. Settling. A state that differs from the one that stands must hold for its kind's time, or be said so often that
        it is no accident; a word that agrees with what stands ends that. What a sensor has settled itself counts at
        once; so does the first word about a bay of which nothing was known, and "I do not know".
Rule 4. What is being settled is memory only. An orderly stop takes it as it is; after a crash it begins with the
        sensor's next word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from devices.messages import BayState
from devices.reading import Reading
from gateway.hall.parking_rows import SensorSetting, WordOrder
from gateway.hall.state import Bay, Device, HallState, Settling

_S, _MIN = 1_000, 60_000

# ---------------------------------------------------------------- order

#: A device whose words have all been "older" for so long has begun to count anew without telling: it is believed again.
#: Replays come in one burst, when a line is mended; a device that counts anew goes on.
OLDER_AT_MOST_S = 3600.0
#: Runs of a device that are over, by their names: a late word of one of them is no news.
_RUNS_REMEMBERED = 8
#: Ways of ordering that end with no run: a device may date one word and number the next (ChirpStack leaves out a frame
#: counter of 0).
_NO_RUNS = frozenset({"fcnt", "clock"})
#: What is put on disk of a run's name: a device's start is 16 signs, a LoRaWAN session 16 bytes in base64.
_LONGEST_RUN = 100
#: A device's clock that is further ahead of ours than this dates nothing.
_AHEAD_AT_MOST_MS = 5 * _MIN
#: 2020-01-01 UTC: a clock that says less has lost its time.
_A_CLOCK_MS = 1_577_836_800_000

#: What such words are about: the bay, the gate, the site.
OF_A_PLACE = frozenset({"status", "fault", "count", "site", "alarm"})


class Order:
    """The newest word of one device, kept beside its presence. What outlives the process is :class:`WordOrder`."""

    __slots__ = ("_over", "kept", "number", "older_since_s", "owes", "run")

    def __init__(self, kept: WordOrder | None = None) -> None:
        self.run = kept.run if kept else ""
        self.number: int | None = kept.number if kept else None
        self._over: tuple[str, ...] = kept.over if kept else ()
        self.older_since_s: float | None = None
        #: the number that was looked at last when these were put on disk
        self.kept = self.number
        #: an older word, said again after a crash, would mean something: it is to be put on disk soon
        self.owes = False

    def row(self, device_id: str) -> WordOrder | None:
        """What is to be put on disk. None: nothing, or what no disk can hold (a name without end, broken Unicode)."""
        number, run = self.number, self.run
        if number is None or not abs(number) < 1 << 63 or len(run) > _LONGEST_RUN or not run.isprintable():
            return None
        over = tuple(one for one in self._over if len(one) <= _LONGEST_RUN and one.isprintable())
        return WordOrder(device_id, run, number, over)

    def is_news(self, run: str, number: int, now_s: float, *, again: bool = False) -> bool:
        """Take this word in, if it is newer than all before it. ``again``: the newest number may come twice."""
        known = self.number
        if known is None:
            self.run, self.number = run, number
            return True
        if run != self.run:
            if run in self._over:
                return False
            if self.run not in _NO_RUNS and run not in _NO_RUNS:
                self._over = (*self._over[1 - _RUNS_REMEMBERED :], self.run)
        elif number == known:
            return again
        elif number < known:
            since_s = self.older_since_s
            if since_s is None:
                self.older_since_s = now_s
            if since_s is None or now_s - since_s < OLDER_AT_MOST_S:
                return False
        self.run, self.number, self.older_since_s = run, number, None
        return True

    def begin_anew(self) -> None:
        """The device has joined its network anew: its counter begins at zero."""
        if self.number is not None:
            self.number, self.older_since_s, self.owes = -1, None, True


def place_of(reading: Reading, now_ms: int) -> tuple[str, int, bool] | None:
    """The run, the number in it, and whether that is a time. None: nothing in it can be ordered."""
    extras = reading.extras
    seq = extras.get("seq")
    if type(seq) is int:
        boot = extras.get("boot")
        return (boot, seq, False) if isinstance(boot, str) and boot and seq >= 0 else None
    press_id = reading.press_id
    if press_id.startswith("fcnt:"):
        # A session is one join: the network gives another address, and the counter begins at zero.
        session = extras.get("session")
        return (f"fcnt:{session}" if session else "fcnt", int(press_id[5:]), False)
    at_ms = _told_ms(extras)
    if at_ms is None or not _A_CLOCK_MS < at_ms <= now_ms + _AHEAD_AT_MOST_MS:
        return None
    return ("clock", at_ms, True)


def _told_ms(extras: Mapping[str, object]) -> int | None:
    """The device's own time: seconds or milliseconds since 1970, or ISO 8601 with its zone."""
    told = extras.get("device_time")
    if isinstance(told, int | float) and not isinstance(told, bool) and math.isfinite(told):
        return int(told * 1000 if told < _A_CLOCK_MS / 10 else told)
    told = extras.get("measured_at")
    if not isinstance(told, str) or not told:
        return None
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return None
    # Without a zone nobody knows which; then it is no order between two feeds, but it is within one device.
    return int(moment.timestamp() * 1000) if moment.tzinfo is not None else None


# ---------------------------------------------------------------- distance

#: Under a roof 2.4 m high the floor is 2.4 m away and a car's roof (1.4 to 1.8 m high) 1.0 m at most: about halfway.
NEAR_MM = 1_500
#: model → its own threshold, where its reach is shorter than a garage is high.
_NEAR_BY_MODEL: tuple[tuple[re.Pattern[str], int], ...] = (
    # Milesight WS201 measures up to 550 mm (WS201 user guide): a shelf, not a bay; half of that.
    (re.compile(r"ws201"), 275),
)
DISTANCES = frozenset({"distance_mm", "distance_cm", "distances_cm", "no_echo"})


def near_mm(setting: SensorSetting | None, model: str) -> int:
    """Nearer than this stands a car."""
    if setting is not None and setting.threshold_mm > 0:
        return setting.threshold_mm
    small = model.lower()
    return next((near for models, near in _NEAR_BY_MODEL if models.search(small)), NEAR_MM)


def distance_mm(extras: Mapping[str, object]) -> float | None:
    """How far away the next thing is. None: it does not say, or it says what no distance is."""
    if not DISTANCES & extras.keys():
        return None
    told = extras.get("distance_mm")
    if told is None:
        in_cm = extras.get("distance_cm")
        if isinstance(several := extras.get("distances_cm"), list | tuple):
            # Several probes over one bay: the nearest echo is the car.
            echoes = [one for one in several if _is_number(one) and 0 < one < 6553.5]
            in_cm = min(echoes, default=None)
        told = in_cm * 10 if isinstance(in_cm, int | float) and _is_number(in_cm) else None
    if not isinstance(told, int | float) or not _is_number(told) or not 0 < told < 65_535:
        return None
    return float(told)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value  # NaN is not


# ---------------------------------------------------------------- settling


@dataclass(frozen=True, slots=True)
class Sense:
    """How a kind of sensor is believed. ``readings``: so many that agree count at once (0: no number of them does)."""

    hold_ms: int
    readings: int = 0


#: The sensor has looked twice itself.
SETTLED = Sense(0)
#: A magnetic field, a beam, a movement: a lorry that passes or a neighbour's door is over within seconds. Ten of them
#: are shorter than anybody needs to park and walk away.
MAGNETIC = Sense(10 * _S)
#: Ultrasound and light: rain, a leaf, a person. Three readings that agree; or one that nothing contradicts for as long
#: as three take at the interval these sensors come with (Milesight EM310-UDL: 10 min), for one that speaks only when
#: something changes says it once.
DISTANCE = Sense(30 * _MIN, 3)

#: family, model → those that settle themselves.
_SETTLED: tuple[tuple[frozenset[str] | None, re.Pattern[str]], ...] = (
    # Our own: a bay's state is said once the firmware is sure (docs/protocol.md).
    (frozenset({"linli"}), re.compile("")),
    # Nwave tells a state some 3 s after the vehicle stands still (its product pages).
    (None, re.compile(r"nps\d\d\d|nwave")),
    # A whole platform's word about a bay: what its own sensors said has been settled there.
    (frozenset({"ngsi"}), re.compile("")),
)


@lru_cache(maxsize=4096)
def _sense_by_model(family: str, model: str, by_distance: bool) -> Sense:
    small = model.lower()
    for families, models in _SETTLED:
        if (families is None or family in families) and models.search(small):
            return SETTLED
    return DISTANCE if by_distance else MAGNETIC


def sense_of(device: Device, setting: SensorSetting | None, by_distance: bool) -> Sense:
    """How this sensor is believed: as staff have set it, else as its model."""
    sense = _sense_by_model(device.family, device.model, by_distance)
    if setting is None:
        return sense
    return Sense(
        sense.hold_ms if setting.hold_ms < 0 else setting.hold_ms,
        sense.readings if setting.readings < 0 else setting.readings,
    )


def counts(
    state: HallState, device: Device, bay: Bay, spoken: BayState, by_distance: bool
) -> tuple[bool, Settling | None]:
    """Whether this word counts now, and what is being settled after it (None: as before)."""
    old = state.settling.get(device.device_id)
    pending = old is not None and old.wanted != "" and old.bay_id == bay.bay_id
    if spoken == bay.state or spoken == "unknown" or bay.state not in ("free", "taken"):
        return spoken != bay.state, _nothing(old) if old is not None and old.wanted else None
    sense = sense_of(device, state.table(SensorSetting).get(device.device_id), by_distance)
    readings = old.readings + 1 if old is not None and pending and old.wanted == spoken else 1
    if sense.hold_ms == 0 or (sense.readings and readings >= sense.readings):
        return True, _nothing(old) if old is not None and old.wanted else None
    if old is not None and readings > 1:
        return False, replace(old, readings=readings)
    number = old.number + 1 if old is not None else 1
    return False, Settling(
        device.device_id, bay.bay_id, spoken, 1, sense.hold_ms, number, counted=sense.readings > 0
    )


def _nothing(old: Settling) -> Settling:
    return replace(old, wanted="", readings=0)


def has_settled(
    state: HallState, device_id: str, wanted: str, number: int
) -> tuple[Bay | None, Settling | None]:
    """The time of that candidate is up: the bay that is to turn (None: nothing stands any more), and what follows."""
    old = state.settling.get(device_id)
    if old is None or old.number != number or old.wanted != wanted:
        return None, None
    bay = state.bays.get(old.bay_id)
    if bay is None or bay.device_id != device_id or bay.state not in ("free", "taken") or bay.state == wanted:
        return None, _nothing(old)
    return bay, _nothing(old)
