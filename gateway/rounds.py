"""What the hall does by the clock: timers that are due, devices that fell silent, "last seen" put on disk.

Nobody waits for any of it, so it is done in small pieces between the calls. Every decision goes the way of the loop:
decided, written, then told.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from devices import paths
from devices.messages import PathSeen
from devices.plan import Panel
from gateway.hall import answering, bays, caring, forgetting, meals, showing, supervision
from gateway.hall import clock as clock_rules
from gateway.hall import timers as timer_rules
from gateway.hall.parking_rows import WordOrder
from gateway.hall.rows import Care, Path, Voice
from gateway.hall.sensing import Order
from gateway.hall.state import Change, ClockFrame, Decision, Device, HallState
from gateway.log import say
from gateway.presence import Presence
from gateway.timers import MISTAKES, Alarms, Clock

if TYPE_CHECKING:
    from gateway.loop import Loop

#: How often silence is looked for; a device's own deadline is minutes or hours.
SWEEP_S = 5.0
#: After a start, or after a path came back, a device has one of its intervals to speak, but no more than this.
LONGEST_GRACE_S = 3600.0
#: Devices called silent in one transaction: after a broken antenna it is all of them, and no call must wait for that.
SILENT_AT_ONCE = 32
#: "Last seen" goes to disk this often (docs/protocol.md: heartbeats stay in memory).
PERSIST_SEEN_S = 15 * 60
#: "Last seen" of so many devices in one transaction, some 2 ms; the others in the next turns.
SEEN_AT_ONCE = 100
#: How often the wall clock is looked at: a step is noticed within this, and costs no timer anything meanwhile.
LOOK_AT_CLOCK_S = 1.0
#: How often it is made sure that each open call is somebody's turn; only a fault of ours can find one that is not.
WATCH_S = 60.0
#: How often memory is relieved of what only the notebook need know.
FORGET_S = 3600.0
#: One small step of housekeeping at most as often as this, where no call waits; and after there was nothing to do.
TIDY_S, NOTHING_TO_TIDY_S = 1.0, 600.0


class Rounds:
    """The loop's rounds.

    :param hall_buttons: the buttons on our own pins, id → name: wiring, so nobody has to claim them.
    """

    def __init__(
        self, loop: Loop, clock: Clock, hall_buttons: Mapping[str, str], panels: Sequence[Panel]
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._hall_buttons = hall_buttons
        self._panels = panels
        self.alarms = Alarms(loop.timers, clock, self._fire)
        self.believed = clock_rules.Judgement(False, "not_looked")
        loop.timers.every(SWEEP_S, self._sweep)
        loop.timers.every(PERSIST_SEEN_S, self.persist_seen)
        loop.timers.every(PERSIST_SEEN_S, self._note_time)
        loop.timers.every(LOOK_AT_CLOCK_S, self._look_at_clock)
        loop.timers.every(WATCH_S, self._watch_calls)
        loop.timers.every(FORGET_S, self._forget)
        loop.timers.every(TIDY_S, self._tidy)
        #: whose midnight ends a day in the bays' history
        self.timezone = "Asia/Shanghai"
        self._tidy_due_s = 0.0
        #: since when devices can be heard at all (the broker), and those behind each path, monotonic; None: they cannot
        self._hears_since_s: float | None = clock.monotonic_s()
        self._path_since_s: dict[str, float] = {}

    def begin(self) -> None:
        """The notebook has been read: take up what was waiting."""
        now_s, now_ms = self._clock.monotonic_s(), self._clock.now_ms()
        state = self._loop.state
        self._hears_since_s, self._path_since_s = now_s, {}
        self._loop.presences.all_anew()
        # What a device said while we were away, in a night without power, we have not heard: that time does not count.
        ended_ms = min(now_ms, state.newest_ms) if state.newest_ms else now_ms
        for device in state.devices.values():
            # "Last seen" on disk may be a quarter of an hour old; whatever the wall clock did meanwhile, nobody
            # is called silent for what we did not write down.
            age_s = max(0, ended_ms - device.last_seen_ms) / 1000 - PERSIST_SEEN_S
            new = self._loop.presences.of(device.device_id) is None
            one = self._loop.presences.begin(
                device.device_id, now_s - max(0.0, age_s), device.last_seen_ms
            )
            one.read_s = one.seen_s if new else None
            if one.order is None and (word := state.table(WordOrder).get(device.device_id)) is not None:
                one.order = Order(word)
        for path in state.table(Path).values():
            # A gateway that beats has its time to do so; a bridge's state is told by the broker as soon as we ask.
            self._loop.presences.begin(PathSeen(path.path_id, True).device_id, now_s, now_ms)
        self.resume()
        self._watch_calls()
        self.look_at_paths()
        self._look_at_clock()
        for device_id, name in self._hall_buttons.items():
            self._know_device(device_id, name)
        self._set_panels()
        self._loop.decide(caring.begin)

    @property
    def hears_since_s(self) -> float | None:
        """Since when the broker can be heard, monotonic; None: it cannot, and nobody's silence means anything."""
        return self._hears_since_s

    def resume(self) -> None:
        """Arm the timers of the state as it is now."""
        self.alarms.resume(self._loop.state.timers, self._loop.state.frame, self._frame_now())

    def _fire(self, timer_id: str) -> bool:
        """A timer is due. False: it could not be written, and is to be asked again."""
        try:
            return self._loop.decide(lambda child, now_ms: timer_rules.due(child, timer_id, now_ms))
        except MISTAKES as wrong:
            why = f"{type(wrong).__name__}: {wrong}"
            say(
                "timer_given_up",
                f"timer {timer_id}: its rule failed ({why}); this is a fault of Linli, please report it with this line",
                level=logging.ERROR,
            )
            return self._loop.decide(lambda _, now_ms: timer_rules.given_up(timer_id, why, now_ms))

    def _watch_calls(self) -> None:
        """No open call without its timer: those of an older notebook have none."""
        try:
            self._loop.decide(meals.watched)
        except MISTAKES as wrong:
            say(
                "calls_not_watched",
                f"open calls could not be looked after ({type(wrong).__name__}: {wrong}): they ring, but nobody "
                "else is told; this is a fault of Linli, please report it with this line",
                level=logging.ERROR,
            )

    def _frame_now(self) -> ClockFrame:
        """How the wall clock stands to the monotonic one, and whether it is believed."""
        offset_ms = self._clock.offset_ms()
        boot, now_ms = self._clock.boot(), self._clock.now_ms()
        old = clock_rules.standing(self._loop.state.frame, boot, offset_ms)
        self.believed = clock_rules.judge(self._clock.witness(), now_ms, self._loop.state.newest_ms, old)
        return ClockFrame(boot, offset_ms, self.believed.known, now_ms, old.confirmed_by if old else "")

    def _look_at_clock(self) -> None:
        """Has it stepped, has it become known? If so the rows are written anew, as they stand to it."""
        now = self._frame_now()
        state = "ready" if now.known else "degraded"
        self._loop.teller.part_is("clock", state, self.believed.why_zh, self.believed.why_en)
        if not clock_rules.same(self._loop.state.frame, now):
            self.alarms.clock_is(now.known)
            rows = self.alarms.rows_in(now.offset_ms)
            self._loop.decide(lambda child, now_ms: clock_rules.adopted(child, now, rows, now_ms))

    def _note_time(self) -> None:
        """The newest time that was believed: a clock that says less at the next start is wrong."""
        if self.believed.known and self._loop.state.frame is not None:
            frame = replace(self._loop.state.frame, at_ms=self._clock.now_ms())
            self._loop.decide(lambda _child, _now_ms: Decision(changes=[frame]))

    def _tidy(self) -> None:
        """Housekeeping, by a known clock, where no call waits (gateway/housekeeping.py)."""
        loop, now_s = self._loop, self._clock.monotonic_s()
        if loop.urgent or loop.held or not self.believed.known or now_s < self._tidy_due_s:
            return
        if not loop.tidy(self.timezone):
            self._tidy_due_s = now_s + NOTHING_TO_TIDY_S

    def _forget(self) -> None:
        """Closed calls and old keys leave memory, for the notebook has them; strangers of long ago leave both."""
        state, presences = self._loop.state, self._loop.presences
        state.forget_old(self._clock.now_ms())
        if not self.believed.known:
            return
        # In memory "last seen" is newer than in the state.
        self.refresh_seen([device_id for device_id, _ in presences.unsaved()])
        before = set(state.devices)
        self._loop.decide(forgetting.forgotten)
        gone = before - self._loop.state.devices.keys()
        for device_id in gone:
            presences.forget(device_id)
        if gone:
            self._loop.teller.all_anew(self._loop.snapshot())

    def _sweep(self) -> None:
        """Who has been silent for longer than it may, and which path is broken?"""
        now_s = self._clock.monotonic_s()
        self.look_at_paths()
        if any(call.heard == "sent" or call.coming == "sent" for call in self._loop.state.calls.values()):
            self._loop.decide(answering.overdue)
        state, presences = self._loop.state, self._loop.presences
        care = state.table(Care)
        silent: list[tuple[Device, int]] = []
        old: list[Device] = []
        for device in state.devices.values():
            if device.kind not in supervision.CARED:
                continue
            deadline_ms = supervision.deadline_ms(device, care.get(device.device_id))
            presence = presences.of(device.device_id)
            silent_s = now_s - presence.seen_s if presence is not None else 0.0
            if deadline_ms > 0 and presence is not None and self._age_s(presence, now_s) > deadline_ms / 1000:
                old.append(device)
            if device.health == "offline" or (
                deadline_ms > 0
                and silent_s > deadline_ms / 1000
                and now_s - self._heard_since_s(device, now_s) > min(deadline_ms / 3000, LONGEST_GRACE_S)
            ):
                silent.append((device, deadline_ms))
        # Those of whom it is known already need no decision.
        news = [one for one in silent if _is_news(state, one[0])][:SILENT_AT_ONCE]
        if news:
            written = self._loop.decide(lambda child, now_ms: _silence_of(news, child, now_ms))
            # A disk that refuses is not asked again at once: the next sweep finds the same devices.
            if written and len(news) == SILENT_AT_ONCE:
                self._loop.timers.at(now_s, self._sweep)
        self._forget_old_words(old, now_s)

    def _age_s(self, presence: Presence, now_s: float) -> float:
        """How old its last word is, whatever has kept us from hearing it: a path, the broker, our own absence."""
        age_s = now_s - presence.seen_s
        if presence.seen_s == presence.read_s and self.believed.known:
            dark_ms = self._clock.now_ms() - presence.seen_ms
            age_s = max(age_s, dark_ms / 1000 - PERSIST_SEEN_S)  # so much later it may have spoken
        return age_s

    def _forget_old_words(self, old: Sequence[Device], now_s: float) -> None:
        """Nobody need be at fault for it: what is older than it may be is not known any more."""
        state = self._loop.state
        news = [one for one in old if bays.too_old(state, one, 0).changes][:SILENT_AT_ONCE]
        if not news:
            return

        def rule(child: HallState, now_ms: int) -> Decision:
            whole = Decision()
            for device in news:
                decision = bays.too_old(child, device, now_ms)
                child.put(decision)
                whole.changes += decision.changes
            return whole

        if self._loop.decide(rule) and len(news) == SILENT_AT_ONCE:
            self._loop.timers.at(now_s, self._sweep)

    def _heard_since_s(self, device: Device, now_s: float) -> float:
        """Since when whatever it says reaches us; now, where it does not: then its silence means nothing."""
        since_s = now_s if self._hears_since_s is None else self._hears_since_s
        through: list[float] = []
        for path_id, path_since_s in self._path_since_s.items():
            voice = self._loop.state.table(Voice).get(device.device_id)
            if paths.behind(path_id, device.family, voice.via if voice else ""):
                through.append(path_since_s)
        # Of several radio gateways one is enough; the one that has stood longest has heard it.
        return max(since_s, min(through)) if through else since_s

    def look_at_paths(self) -> None:
        """Broker, bridges, radio gateways: a break is one fault, told once, and within three minutes."""
        now_s = self._clock.monotonic_s()
        state, presences, teller = self._loop.state, self._loop.presences, self._loop.teller
        broker_up = teller.parts.get("broker", {}).get("state", "ready") == "ready"
        if not broker_up:
            self._hears_since_s = None
        elif self._hears_since_s is None:
            self._hears_since_s = now_s
        for path in list(state.table(Path).values()):
            name = PathSeen(path.path_id, True).device_id
            if paths.beats(path.path_id) and path.state == "up" and self._hears_since_s is not None:
                beat = presences.of(name)
                beat_s = max(beat.seen_s if beat else 0.0, self._hears_since_s)
                if now_s - beat_s > paths.STATS_SILENT_MS / 1000:
                    gone = PathSeen(path.path_id, False)
                    self._loop.decide(partial(_path_seen, gone))
                    path = state.table(Path).get(path.path_id, path)
            if path.state == "up":
                self._path_since_s.setdefault(path.path_id, now_s)
                if name in teller.parts:
                    teller.part_is(name, "ready")
            else:
                # Whoever stands behind it is not heard: the clock of its silence stands at now.
                self._path_since_s[path.path_id] = now_s
                teller.part_is(name, "down", *supervision.path_words(path.path_id))
        for path_id in self._path_since_s.keys() - state.table(Path).keys():
            del self._path_since_s[path_id]
            if (name := PathSeen(path_id, True).device_id) in teller.parts:
                teller.part_is(name, "ready")

    def _know_device(self, device_id: str, name: str) -> None:
        """A button that hall.toml names: it is ours, and asks for help at the desk."""

        def rule(state: HallState, now_ms: int) -> Decision:
            old = state.devices.get(device_id)
            if old is not None and old.name:
                return Decision()
            return Decision(
                changes=[Device(device_id, "hall_button", now_ms, now_ms, 0, "gpio", "", name, "help", name)]
            )

        self._loop.decide(rule)

    def persist_seen(self, at_once: int = SEEN_AT_ONCE) -> None:
        """Put "last seen" on disk for those who spoke since; a quarter of an hour of it may be lost."""
        seen = [device_id for device_id, _ in self._loop.presences.unsaved()]
        now, later = seen[:at_once], seen[at_once:]
        if not self._loop.write(lambda: self.refresh_seen(now)):
            return
        for device_id in now:
            if (presence := self._loop.presences.of(device_id)) is not None:
                presence.unsaved = False
        if later:
            self._loop.timers.at(self._clock.monotonic_s(), self.persist_seen)

    def refresh_seen(self, device_ids: Sequence[str]) -> list[Change]:
        """Bring "last seen" of these and of their bays up to date in memory: signs of life change nothing else."""
        state, presences = self._loop.state, self._loop.presences
        seen: list[Change] = []
        for device_id in device_ids:
            device, presence = state.devices.get(device_id), presences.of(device_id)
            if device is None or presence is None:
                continue
            state.devices[device_id] = device = replace(device, last_seen_ms=presence.seen_ms)
            seen.append(device)
            bay = state.bays.get(device.bay_id or device_id)
            if bay is not None and bay.device_id == device_id:
                state.bays[bay.bay_id] = replace(bay, last_seen_ms=presence.seen_ms)
                seen.append(state.bays[bay.bay_id])
        return seen

    def _set_panels(self) -> None:
        """At start every panel's level is worked out anew: hall.toml may have changed."""

        def rule(state: HallState, now_ms: int) -> Decision:
            return showing.follow(state, self._panels, now_ms)

        self._loop.decide(rule)


def _is_news(state: HallState, device: Device) -> bool:
    if device.health not in ("silent", "offline"):
        return True
    bay = state.bays.get(device.bay_id) if device.bay_id else None
    return bay is not None and bay.state in ("free", "taken")


def _path_seen(fact: PathSeen, state: HallState, now_ms: int) -> Decision:
    return supervision.path_seen(state, fact, now_ms)


def _silence_of(devices: Sequence[tuple[Device, int]], child: HallState, now_ms: int) -> Decision:
    """They fell silent, all in one transaction; each sees what the one before has changed."""
    whole = Decision()
    for device, deadline_ms in devices:
        known = child.devices.get(device.device_id, device)
        decision = supervision.fell_silent(known, now_ms, deadline_ms)
        bay = child.bays.get(device.bay_id) if device.bay_id else None
        if bay is not None:
            decision.changes += bays.fell_silent(child, bay, now_ms).changes
        child.put(decision)
        whole.changes += decision.changes
    return whole
