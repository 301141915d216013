"""The walk: in which order a technician comes by the devices, and what there is to see to at each.

Pure. Lengths are metres on the plan of the compound. Whoever walks wants the next device near, and a zone finished
before the next is begun; what has no place on the plan comes after it, by zone and label.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.hall.supervision import LOW_BATTERY_PCT, LOW_MV

_DAY_MS = 24 * 3_600_000

#: Below it a LoRa device is heard badly. Its chip still reads −20 dB at spreading factor 12 (Semtech SX1276, table of
#: demodulator SNR); network servers plan with 10 dB in reserve (ChirpStack's installation margin).
WEAK_SNR_DB = -10.0
#: 8 dB above what a radio gateway can hear at spreading factor 7 (Semtech SX1276: −123 dBm at 125 kHz): rain, or a car
#: on top of the sensor, takes that much.
WEAK_LORA_DBM = -115
#: Wi-Fi: an ESP8266 needs −72 dBm at its fastest and −91 dBm at 11 Mbit/s (its datasheet); below −80 it drops out.
WEAK_WIFI_DBM = -80
_WIFI = frozenset({"shelly", "tasmota", "esphome"})

#: What loses more than this in thirty days, mV or percent, will not last: a cell of 3.6 V that is to live five years
#: may lose some 15 mV or 2 %.
FALLS_MV, FALLS_PCT = -30.0, -4.0
#: A gain, or less than this, is noise.
STEADY_MV, STEADY_PCT = -10.0, -1.0

#: A part that is outside of this in a compound is not that warm: it is broken (asphalt in the sun: 70 °C).
COLDEST_C, HOTTEST_C = -35.0, 75.0
#: So far from the median of its neighbours, of whom at least so many must have said something: shade explains 25 K.
ODD_K, NEIGHBOURS = 25.0, 4

#: Due within a fortnight: it is on the walk today anyhow.
SOON_MS = 14 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Stop:
    """A device on the walk. ``at`` is where it lies, None where nobody has drawn it."""

    key: str
    zone: str
    label: str
    at: tuple[float, float] | None


def walk(stops: Iterable[Stop], start: tuple[float, float]) -> list[str]:
    """The keys in the order of the walk: always to the nearest that is left, and a zone is finished before the next.

    What is not drawn comes with its zone where others of it are drawn, else at the end, by zone and label.
    """
    zones: dict[str, list[Stop]] = {}
    for stop in sorted(stops, key=lambda one: (one.zone, natural(one.label), one.key)):
        zones.setdefault(stop.zone, []).append(stop)
    drawn = {zone: [one for one in inside if one.at is not None] for zone, inside in zones.items()}
    here, order = start, list[str]()
    left = {zone for zone, inside in drawn.items() if inside}
    while left:
        zone = min(left, key=lambda name: (min(_far(here, one) for one in drawn[name]), name))
        left.remove(zone)
        to_do = _Ground(drawn[zone])
        while (next_one := to_do.take_nearest(here)) is not None:
            assert next_one.at is not None
            here = next_one.at
            order.append(next_one.key)
        order += [one.key for one in zones[zone] if one.at is None]
    for zone, inside in zones.items():
        if zone not in drawn or all(one.at is None for one in inside):
            order += [one.key for one in inside]
    return order


#: Side of a square of ground: a few bays lie in each.
_SIDE_M = 10.0


class _Ground:
    """What is left of a zone, by squares: asking all of 2,000 bays in one zone took 3 s, this takes 50 ms."""

    def __init__(self, stops: Iterable[Stop]) -> None:
        self._squares: dict[tuple[int, int], list[Stop]] = {}
        for stop in stops:
            assert stop.at is not None
            self._squares.setdefault(_square(stop.at), []).append(stop)

    def take_nearest(self, here: tuple[float, float]) -> Stop | None:
        if not self._squares:
            return None
        x, y = _square(here)
        ring, best = 0, None
        while best is None or _far(here, best) > ((ring - 1) * _SIDE_M) ** 2:
            # Squares are few where bays are few: rings are not walked beyond the number of squares.
            if (2 * ring + 1) ** 2 > 4 * len(self._squares):
                best = min(
                    (stop for stops in self._squares.values() for stop in stops), key=lambda one: _far(here, one)
                )
                break
            for square in _ring(x, y, ring):
                for stop in self._squares.get(square, ()):
                    if best is None or _far(here, stop) < _far(here, best):
                        best = stop
            ring += 1
        assert best.at is not None
        square = _square(best.at)
        self._squares[square].remove(best)
        if not self._squares[square]:
            del self._squares[square]
        return best


def _square(at: tuple[float, float]) -> tuple[int, int]:
    return math.floor(at[0] / _SIDE_M), math.floor(at[1] / _SIDE_M)


def _ring(x: int, y: int, ring: int) -> Iterable[tuple[int, int]]:
    if ring == 0:
        return ((x, y),)
    side = range(-ring, ring + 1)
    edges = [(x + step, y + sign * ring) for step in side for sign in (-1, 1)]
    return edges + [(x + sign * ring, y + step) for step in side[1:-1] for sign in (-1, 1)]


def _far(here: tuple[float, float], stop: Stop) -> float:
    assert stop.at is not None
    return (here[0] - stop.at[0]) ** 2 + (here[1] - stop.at[1]) ** 2


def natural(words: str) -> tuple[tuple[int, int, str], ...]:
    """ "A2" comes before "A10"."""
    parts: list[tuple[int, int, str]] = []
    digits = ""
    for sign in words + "\0":
        if sign.isascii() and sign.isdigit() and len(digits) < 9:
            digits += sign
            continue
        if digits:
            parts.append((0, int(digits), ""))
            digits = ""
        parts.append((1, 0, sign))
    return tuple(parts)


# ---------------------------------------------------------------- what there is to see


def is_weak(family: str, rssi_dbm: int | None, snr_db: float | None) -> bool:
    """Whether it is heard so badly that it should hang elsewhere, or its gateway should."""
    if family in _WIFI:
        return rssi_dbm is not None and rssi_dbm < WEAK_WIFI_DBM
    return (rssi_dbm is not None and rssi_dbm < WEAK_LORA_DBM) or (snr_db is not None and snr_db < WEAK_SNR_DB)


def is_low(pct: float | None, mv: int | None, remembered: bool) -> bool:
    """``remembered``: it has called its battery low, and nobody has recorded another (hall/upkeep.py)."""
    if remembered:
        return True
    if pct is not None:
        return pct <= LOW_BATTERY_PCT
    return mv is not None and mv < LOW_MV


def trend(a_month: float | None, in_mv: bool) -> str:
    """ "steady", "falling", "fast"; "" where nobody knows yet."""
    if a_month is None:
        return ""
    if a_month <= (FALLS_MV if in_mv else FALLS_PCT):
        return "fast"
    return "falling" if a_month <= (STEADY_MV if in_mv else STEADY_PCT) else "steady"


def odd_temperatures(said: Mapping[str, float], zone_of: Mapping[str, str]) -> set[str]:
    """Devices whose temperature cannot be: beyond what a compound has, or far from what its neighbours say."""
    by_zone: dict[str, list[float]] = {}
    for key, celsius in said.items():
        by_zone.setdefault(zone_of.get(key, ""), []).append(celsius)
    odd = set()
    for key, celsius in said.items():
        near = by_zone[zone_of.get(key, "")]
        far_off = len(near) >= NEIGHBOURS and abs(celsius - _median(near)) > ODD_K
        if far_off or not COLDEST_C <= celsius <= HOTTEST_C:
            odd.add(key)
    return odd


def _median(numbers: Sequence[float]) -> float:
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else math.fsum(ordered[middle - 1 : middle + 1]) / 2
