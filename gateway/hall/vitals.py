"""How a device is by its own word: battery, radio, temperature, firmware. Lives here: what of it can be true.

Written every quarter of an hour at most, and only what has changed: it is for whoever walks the rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from gateway.hall.parking_rows import Vitals

N = TypeVar("N", int, float)

#: The words of readings that tell of the device itself.
SAID = frozenset(
    {
        "battery_v",
        "battery_mv",
        "battery_pct",
        "temperature",
        "temperature_c",
        "rssi_dbm",
        "snr_db",
        "firmware",
    }
)
#: What a sensor in a car park can stand; outside of it, it is the sensor that is wrong (industrial parts: −40 to 85).
COLDEST_C, HOTTEST_C = -40.0, 85.0
#: A cell that still speaks; a car's battery with its charger on.
LEAST_MV, MOST_MV = 500, 15_000
#: Below is nothing but noise (thermal noise of 125 kHz is −123 dBm, LoRa hears 20 dB below it); above, the antenna.
WEAKEST_DBM, STRONGEST_DBM = -150, 20
WORST_DB, BEST_DB = -40.0, 40.0
#: Differences that are no news: a reading's own noise.
_MV, _DBM, _DB, _C = 20, 3, 3.0, 1.0
#: A battery's pace is measured over so long: within it weather comes and goes (a lithium cell gives some 100 mV less
#: in frost), and a cell that lasts years has lost something that can be told from noise.
PACE_MS = 30 * 24 * 3_600_000
#: A rise of so much is another battery (hall/upkeep.py), and its pace begins anew.
_JUMP_MV, _JUMP_PCT = 300.0, 30.0


def after(old: Vitals | None, device_id: str, said: Mapping[str, object], now_ms: int) -> Vitals | None:
    """What is known of it after these words. None: nothing that is worth a write."""
    was = old or Vitals(device_id, 0)
    battery_mv = _within(said.get("battery_mv"), LEAST_MV, MOST_MV)
    if battery_mv is None and (volts := _within(said.get("battery_v"), 0.5, 15.0)) is not None:
        battery_mv = volts * 1000
    rssi_dbm = _within(said.get("rssi_dbm"), WEAKEST_DBM, STRONGEST_DBM)
    snr_db = _within(said.get("snr_db"), WORST_DB, BEST_DB)
    temperature_c = _within(said.get("temperature_c", said.get("temperature")), COLDEST_C, HOTTEST_C)
    firmware = said.get("firmware")
    base, base_ms, a_month = _pace(was, battery_mv, _within(said.get("battery_pct"), 0, 100), now_ms)
    now = replace(
        was,
        base=base,
        base_ms=base_ms,
        a_month=a_month,
        heard_ms=now_ms,
        battery_mv=_news(was.battery_mv, None if battery_mv is None else round(battery_mv), _MV),
        rssi_dbm=_news(was.rssi_dbm, None if rssi_dbm is None else round(rssi_dbm), _DBM),
        snr_db=_news(was.snr_db, snr_db, _DB),
        temperature_c=_news(was.temperature_c, temperature_c, _C),
        firmware=firmware[:40] if isinstance(firmware, str) and firmware.isprintable() else was.firmware,
    )
    return None if replace(now, heard_ms=was.heard_ms) == was and old is not None else now


def _pace(
    was: Vitals, mv: float | None, pct: float | None, now_ms: int
) -> tuple[float | None, int, float | None]:
    """How full its battery was when it was looked at last, when that was, and what it gains or loses in thirty days."""
    kept = was.base, was.base_ms, was.a_month
    by_mv = mv is not None or was.battery_mv is not None
    full = mv if by_mv else pct
    if full is None:
        return kept
    if was.base is None or (by_mv and was.battery_mv is None):
        return full, now_ms, None  # the first word, or the first in mV
    if full - was.base >= (_JUMP_MV if by_mv else _JUMP_PCT) or now_ms < was.base_ms:
        return full, now_ms, None
    past_ms = now_ms - was.base_ms
    if past_ms < PACE_MS:
        return kept
    return full, now_ms, round((full - was.base) * PACE_MS / past_ms, 1)


def _within(value: object, least: float, most: float) -> float | None:
    """The number, where it can be true."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        return None
    return float(value)


def _news(was: N | None, now: N | None, noise: float) -> N | None:
    if now is None or (was is not None and abs(now - was) < noise):
        return was
    return now
