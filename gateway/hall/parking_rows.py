"""Tables of the car park: what staff have laid down about it, and what the hall has found out and must not forget.

`Bay` and `Zone` (state.py) are what is: the state of each bay, the counts of each zone. Here is what is meant: where a
bay lies and for whom it is, how a zone is shown, which device counts at which gate. Lengths are metres on the plan of
the compound, x to the right and y down, from its upper left corner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gateway.hall.rows import Row

#: For whom a bay is: word → (Chinese, English).
BAY_KINDS: dict[str, tuple[str, str]] = {
    "general": ("普通车位", "General"),
    "resident": ("业主车位", "Residents"),
    "visitor": ("访客车位", "Visitors"),
    "disabled": ("无障碍车位", "Disabled"),
    "emergency": ("应急车位", "Emergency vehicles"),
    "charging": ("充电车位", "Charging"),
    "fire_lane": ("消防通道", "Fire lane"),
}
#: What stands on the plan besides bays: word → (Chinese, English).
PLACE_KINDS: dict[str, tuple[str, str]] = {
    "building": ("楼栋", "Building"),
    "gate": ("大门", "Gate"),
    "lift": ("电梯", "Lift"),
    "hall": ("服务大厅", "Service hall"),
}


@dataclass(frozen=True, slots=True)
class Site(Row):
    """A car park as a whole: what the open-data export calls an OffStreetParking. A zone belongs to one.

    ``capacity``: bays by the plan, 0 where nobody has said. ``feed``: the device of a whole-site feed, "" for none.
    """

    TABLE: ClassVar[str] = "parking_sites"
    KEY: ClassVar[tuple[str, ...]] = ("site_id",)

    site_id: str
    name_zh: str
    name_en: str
    capacity: int = 0
    lat: float | None = None
    lon: float | None = None
    address: str = ""
    feed: str = ""


@dataclass(frozen=True, slots=True)
class ZonePlan(Row):
    """How a zone is shown to drivers. Numbers are bays.

    What a panel shows is free − the reserves, never below 0. ``full_at`` and ``almost_at``: at so many or fewer the
    zone becomes full (almost full); from ``full_until`` (``almost_until``) on it is not: the gap is the hysteresis
    that DATEX II calls fullIncreasing and fullDecreasing. ``stays_ms``: how long a car may stand (0: as it likes).
    """

    TABLE: ClassVar[str] = "zone_plans"
    KEY: ClassVar[tuple[str, ...]] = ("zone_id",)

    zone_id: str
    site_id: str = "site"
    residents_reserve: int = 0
    disabled_reserve: int = 0
    emergency_reserve: int = 0
    full_at: int = 0
    full_until: int = 1
    almost_at: int = 2
    almost_until: int = 4
    stays_ms: int = 0
    level: str = "open"


@dataclass(frozen=True, slots=True)
class BayPlan(Row):
    """Where a bay lies and for whom it is.

    ``x_m``, ``y_m`` is its middle (both 0: it is not drawn). At ``turn_deg`` 0 its long side lies along y; it is turned
    clockwise. ``permits``: tags that may stand here; none: whoever its kind allows.

    ``stays_ms``: how long a car may stand here, 0 for what its zone says; in a fire lane a minute is too long.
    """

    TABLE: ClassVar[str] = "bay_plans"
    KEY: ClassVar[tuple[str, ...]] = ("bay_id",)

    bay_id: str
    zone_id: str
    kind: str = "general"
    label: str = ""
    x_m: float = 0.0
    y_m: float = 0.0
    long_m: float = 5.3
    wide_m: float = 2.5
    turn_deg: float = 0.0
    permits: tuple[str, ...] = ()
    stays_ms: int = 0


@dataclass(frozen=True, slots=True)
class Place(Row):
    """A building, a gate or a lift on the plan: what "the nearest free bay to building 3" is measured from."""

    TABLE: ClassVar[str] = "parking_places"
    KEY: ClassVar[tuple[str, ...]] = ("place_id",)

    place_id: str
    kind: str
    name_zh: str
    name_en: str
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True)
class Entrance(Row):
    """A device that counts cars at a gate. ``zone_id`` "" : it counts for its whole site.

    ``ins`` and ``outs`` have been added up since ``since_ms``; ``last_in``, ``last_out`` are what the device said last,
    so that a counter that begins anew at zero is not taken for cars that drove backwards. ``turned``: it hangs the
    other way round, what it calls in goes out. ``counts``: whether each word is a total or what came since the last
    word: totals, deltas, "" as its model does (hall/gates.py).
    """

    TABLE: ClassVar[str] = "parking_entrances"
    KEY: ClassVar[tuple[str, ...]] = ("device_id",)

    device_id: str
    site_id: str
    zone_id: str = ""
    name: str = ""
    turned: bool = False
    ins: int = 0
    outs: int = 0
    last_in: int | None = None
    last_out: int | None = None
    heard_ms: int = 0
    since_ms: int = 0
    counts: str = ""


@dataclass(frozen=True, slots=True)
class Reckoning(Row):
    """Entrances against bays, for a site (``subject`` "site:<id>") or a zone ("zone:<id>").

    ``base`` cars stood there at ``base_ms``, when somebody counted or the two agreed; ``counted`` = base + in − out
    since. ``drift`` = counted − taken bays. Nothing is corrected by itself: a member of staff says what is true.
    """

    TABLE: ClassVar[str] = "parking_reckonings"
    KEY: ClassVar[tuple[str, ...]] = ("subject",)

    subject: str
    base: int
    base_ms: int
    counted: int
    drift: int = 0
    drift_since_ms: int = 0
    by: str = ""


#: SiteSaid.fault: nothing is wrong with its numbers but their age.
OLD = "old"


@dataclass(frozen=True, slots=True)
class SiteSaid(Row):
    """What a whole-site feed said last: its own numbers, kept beside ours and never mixed with them.

    ``fault``: why they cannot be (a word of gates.FAULTS), or `OLD`; then nobody shows them.
    """

    TABLE: ClassVar[str] = "parking_feeds"
    KEY: ClassVar[tuple[str, ...]] = ("device_id",)

    device_id: str
    free: int | None
    taken: int | None
    total: int | None
    at_ms: int
    fault: str = ""


#: After a task was finished the same reason opens another one only after so long: the repair takes its time.
QUIET_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class ParkingTask(Row):
    """Something in the car park that a person must look at. ``kind``: drift, stuck, impossible, overstay,
    permit, panel, map.

    One open task a kind and subject; ``cleared_ms`` is when the reason went away by itself, which closes nothing but
    is shown.
    """

    TABLE: ClassVar[str] = "parking_tasks"
    KEY: ClassVar[tuple[str, ...]] = ("task_id",)
    #: those that were finished within an hour of the newest that was, too (parking_tasks.py, Rule 3)
    LOAD: ClassVar[str] = (
        f"done_ms IS NULL OR done_ms > (SELECT max(done_ms) FROM parking_tasks) - {QUIET_MS}"
    )

    task_id: int
    kind: str
    subject: str
    opened_ms: int
    why_zh: str
    why_en: str
    taken_by: str = ""
    cleared_ms: int | None = None
    done_ms: int | None = None
    done_by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class BayTag(Row):
    """The permit tag that a bay's sensor reads now, "" once the car has left."""

    TABLE: ClassVar[str] = "bay_tags"
    KEY: ClassVar[tuple[str, ...]] = ("bay_id",)

    bay_id: str
    tag: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Vitals(Row):
    """What a device said of itself last, for whoever walks the rounds. None: it has never said. Written every 15 min.

    ``rssi_dbm``, ``snr_db``: as its radio gateway heard it. ``service_ms``: when somebody is to look after it again.
    ``base`` is how full its battery was at ``base_ms``, some weeks ago, and ``a_month`` what it has gained or lost in
    thirty days since: all three in mV where it tells ``battery_mv``, else in percent. None: not known yet.
    """

    TABLE: ClassVar[str] = "vitals"
    KEY: ClassVar[tuple[str, ...]] = ("device_id",)
    TOLD: ClassVar[bool] = False

    device_id: str
    heard_ms: int
    battery_mv: int | None = None
    rssi_dbm: int | None = None
    snr_db: float | None = None
    temperature_c: float | None = None
    firmware: str = ""
    service_ms: int = 0
    base: float | None = None
    base_ms: int = 0
    a_month: float | None = None


@dataclass(frozen=True, slots=True)
class SensorSetting(Row):
    """How one sensor is to be read, where its model's rule does not fit (hall/sensing.py).

    ``threshold_mm``: nearer than this stands a car (0: as its model). ``hold_ms``: how long a new state must stand, and
    ``readings``: how many readings that agree make it true at once (-1: as its model; 0 readings: no number does).
    """

    TABLE: ClassVar[str] = "sensor_settings"
    KEY: ClassVar[tuple[str, ...]] = ("device_id",)

    device_id: str
    threshold_mm: int = 0
    hold_ms: int = -1
    readings: int = -1


@dataclass(frozen=True, slots=True)
class WordOrder(Row):
    """A word of a device that was taken in, as hall/sensing.py orders them: after a crash nothing older is news.

    Written with each move of its bay, every 15 min besides: a lower bound, so it never refuses what is newer. ``run``
    and ``number`` in it (-1: it is to begin anew); ``over``: its runs that have ended.
    """

    TABLE: ClassVar[str] = "word_orders"
    KEY: ClassVar[tuple[str, ...]] = ("device_id",)
    TOLD: ClassVar[bool] = False

    device_id: str
    run: str
    number: int
    over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap(Row):
    """The gateway was off: what the bays did meanwhile nobody knows. ``from_ms`` is the newest moment of which the
    notebook knows that we were there, at most a quarter of an hour before we went (gateway/parking_rounds.py)."""

    TABLE: ClassVar[str] = "parking_gaps"
    KEY: ClassVar[tuple[str, ...]] = ("from_ms",)
    TOLD: ClassVar[bool] = False

    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class MapUnderWay(Row):
    """A long plan of the car park that has passed and is being written, piece by piece: all of it, as it was handed in.

    After a crash the next start goes on with it; the last piece takes this row away. ``one`` is "map".
    """

    TABLE: ClassVar[str] = "maps_under_way"
    KEY: ClassVar[tuple[str, ...]] = ("one",)
    TOLD: ClassVar[bool] = False

    one: str
    words: str


TABLES: tuple[type[Row], ...] = (
    Site,
    ZonePlan,
    BayPlan,
    Place,
    Entrance,
    Reckoning,
    SiteSaid,
    ParkingTask,
    BayTag,
    Vitals,
    SensorSetting,
    WordOrder,
    Gap,
    MapUnderWay,
)
