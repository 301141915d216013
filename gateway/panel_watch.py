"""Whether each panel on MQTT shows what it is told, by its own word (docs/protocol.md, section 9). In memory only.

A panel is a part of the hall ("panel:gate"): its fault stands on the console like that of one on a serial line, and
goes when it answers. Of one that has not spoken since we began nothing is said until its time is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING

from devices.messages import ShowCount
from devices.panel_words import PanelSaid
from devices.plan import Panel
from gateway.hall import panel_care
from gateway.hall.panel_care import PanelIs
from gateway.hall.parking_rows import ParkingTask
from gateway.hall.state import Decision, HallState
from gateway.timers import Clock

if TYPE_CHECKING:
    from gateway.loop import Loop

#: What a panel that promises nothing is taken to promise; three of its intervals in silence are a fault, as with bays.
EVERY_S, MISSED = 60, 3
#: What it was told until so long ago it may still show: a scrolling sign ends its line first (our choice).
SHOWN_WITHIN_S = 10.0
#: How often silence is looked for.
LOOK_S = 5.0


class _Watched:
    """One panel."""

    def __init__(self, plan: Panel) -> None:
        self.plan = plan
        self.heard_s: float | None = None
        self.every_s = EVERY_S
        self.gone = False
        self.agrees = True
        #: what it was told, and since when: the newest, and those that it may still show
        self.told: deque[tuple[float, ShowCount]] = deque()
        #: how it is, with the wall time since when it has not been well; None: nobody knows yet
        self.now: PanelIs | None = None

    def is_told(self, count: ShowCount, now_s: float) -> None:
        self.told.append((now_s, count))
        self._forget(now_s)

    def _forget(self, now_s: float) -> None:
        while len(self.told) > 1 and self.told[1][0] < now_s - SHOWN_WITHIN_S:
            self.told.popleft()

    def may_show(self, said: PanelSaid, now_s: float) -> bool:
        self._forget(now_s)
        # What it shows of the time before the first that we know of, nobody can judge.
        just_begun = not self.told or self.told[0][0] > now_s - SHOWN_WITHIN_S
        return just_begun or any(said.agrees(count) for _, count in self.told)


class PanelWatch:
    """The panels of hall.toml that listen to MQTT and answer. The loop's thread only."""

    def __init__(self, loop: Loop, clock: Clock, panels: Sequence[Panel]) -> None:
        self._loop = loop
        self._clock = clock
        self._watched = {one.id: _Watched(one) for one in panels if one.via == "mqtt" and one.answers}
        self._known = frozenset(one.id for one in panels)
        loop.timers.every(LOOK_S, self._look)

    def told(self, count: ShowCount) -> None:
        """It is to show this from now on."""
        one = self._watched.get(count.panel)
        if one is not None:
            one.is_told(count, self._clock.monotonic_s())

    def hear(self, panel: str, said: PanelSaid) -> bool:
        """It speaks. False: there is no such panel."""
        one = self._watched.get(panel)
        if one is None:
            return False
        one.gone = said.gone
        if not said.gone:
            now_s = self._clock.monotonic_s()
            one.heard_s = now_s
            one.every_s = said.every_s or one.every_s
            # A line that has only now come back has been told nothing meanwhile.
            hears_since_s = self._loop.rounds.hears_since_s
            if hears_since_s is None or now_s - hears_since_s >= SHOWN_WITHIN_S:
                one.agrees = one.may_show(said, now_s)
        self._judge(one)
        return True

    def _look(self) -> None:
        for one in self._watched.values():
            self._judge(one)
        panels = [one.now for one in self._watched.values() if one.now is not None]
        concerned = any(one.state != "ready" for one in panels) or any(
            task.kind == "panel" for task in self._loop.state.table(ParkingTask).values()
        )
        if concerned and self._loop.rounds.believed.known:
            self._loop.decide(partial(_judged, panels, self._known))

    def _judge(self, one: _Watched) -> None:
        hears_since_s = self._loop.rounds.hears_since_s
        if hears_since_s is None:
            return  # that is the broker's fault, and told as such
        silent_s = self._clock.monotonic_s() - max(one.heard_s or 0.0, hears_since_s)
        name_zh, name_en = one.plan.name_zh, one.plan.name_en
        if one.gone:
            self._be(
                one,
                "offline",
                f"{name_zh}断开了：看它的电源和网络；上面的数可能是旧的",
                f"{name_en} has gone off line: look at its power and network; what it shows may be old",
            )
        elif silent_s > MISSED * one.every_s:
            self._be(
                one,
                "silent",
                f"{name_zh}没有回话：看它的电源和网络；上面的数可能是旧的",
                f"no word from {name_en}: look at its power and network; what it shows may be old",
            )
        elif one.heard_s is None:
            pass  # its time is not over
        elif not one.agrees:
            self._be(
                one,
                "differs",
                f"{name_zh}显示的不是发给它的：请去看一眼，断电重启它",
                f"{name_en} does not show what it is told: look at it, switch it off and on",
            )
        else:
            self._be(one, "ready")

    def _be(self, one: _Watched, state: str, why_zh: str = "", why_en: str = "") -> None:
        since_ms = self._clock.now_ms()
        if one.now is not None and "ready" not in (one.now.state, state):
            since_ms = one.now.since_ms  # ill in another way: ill all the same
        one.now = PanelIs(one.plan.id, state, since_ms, why_zh, why_en)
        self._loop.teller.part_is(f"panel:{one.plan.id}", state, why_zh, why_en)


def _judged(panels: Sequence[PanelIs], known: Collection[str], state: HallState, now_ms: int) -> Decision:
    return panel_care.judged(state.child(), panels, now_ms, known)
