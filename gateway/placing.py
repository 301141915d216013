"""What a word about a place is worth, before it is a fact: is it new, how near is the car, how is the device.

The rules are ``hall/sensing.py`` and ``hall/vitals.py``; here is what they cannot know: which device a topic belongs
to, what was heard of it before. It is asked for each message of a sensor, so it does little where nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from devices.reading import Reading
from gateway.hall import sensing
from gateway.hall.parking_rows import SensorSetting
from gateway.hall.sensing import Order
from gateway.hall.state import HallState
from gateway.hall.vitals import SAID
from gateway.presence import Presence


class Placing:
    """Asked by the entrance for each word that nobody calls with."""

    def __init__(self, state: Callable[[], HallState]) -> None:
        self._state = state

    def word(
        self, presence: Presence, device_id: str, reading: Reading, now_s: float, now_ms: int, dup: bool
    ) -> Reading | None:
        """As it is to be understood. None: it is older than a word that was taken in, or that word again.

        Nearly all that come are the next word of one of our own sensors: those go by the short way, 1 us.
        """
        extras = reading.extras
        if reading.occupied is not None or reading.event in sensing.OF_A_PLACE:
            order, seq = presence.order, extras.get("seq")
            if (
                order is not None
                and type(seq) is int
                and order.number is not None
                and seq > order.number
                and extras.get("boot") == order.run
            ):
                order.number, order.older_since_s = seq, None
            elif not self._is_news(presence, reading, now_s, now_ms, dup):
                return None
            if presence.by_distance or not sensing.DISTANCES.isdisjoint(extras):
                reading = self._measured(presence, device_id, reading)
        if reading.battery_pct is not None or not SAID.isdisjoint(extras):
            self._note(presence, reading)
        return reading

    def _is_news(self, presence: Presence, reading: Reading, now_s: float, now_ms: int, dup: bool) -> bool:
        place = sensing.place_of(reading, now_ms)
        if place is None:
            return True
        if presence.order is None:
            presence.order = Order()
        run, number, dated = place
        # What the broker sends again we may not have on disk: of the newest word it is taken once more.
        return presence.order.is_news(run, number, now_s, again=dated or dup)

    def joined(self, presence: Presence) -> None:
        """The device has joined its network anew."""
        if presence.order is not None:
            presence.order.begin_anew()

    def _measured(self, presence: Presence, device_id: str, reading: Reading) -> Reading:
        """A distance becomes a state of the bay, or a fault of the sensor."""
        extras = reading.extras
        speaks = not sensing.DISTANCES.isdisjoint(extras)
        state = self._state()
        device = state.devices.get(device_id)
        if device is None or device.kind != "bay_sensor":
            return reading
        distance_mm = sensing.distance_mm(extras)
        if distance_mm is None:
            # It has measured before: a word without a distance is no echo, unless it is not about the place at all.
            if reading.event != "status" or (reading.occupied is not None and not speaks):
                return reading
            return replace(reading, occupied=None, extras={**extras, "fault": "no_echo"})
        presence.by_distance = True
        setting = state.table(SensorSetting).get(device_id)
        if reading.occupied is not None and (setting is None or setting.threshold_mm == 0):
            return reading  # it has judged itself
        near_mm = sensing.near_mm(setting, device.model)
        return replace(reading, occupied=distance_mm < near_mm)

    def _note(self, presence: Presence, reading: Reading) -> None:
        """What the device says of itself, until it is put on disk."""
        extras = reading.extras
        if presence.vitals is None:
            presence.vitals = {}
        presence.vitals.update((key, extras[key]) for key in SAID & extras.keys())
        if reading.battery_pct is not None:
            presence.vitals["battery_pct"] = reading.battery_pct
