"""How the hall runs: the gateway's own figures, asked for at most once a second however many look at them.

The gateway answers between two turns of its loop, so each question costs it a fraction of a millisecond: ten consoles
and a monitoring system share one. While the gateway is away, or answers nothing, what it said last stays, with its age.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from devices.clock import mono_s
from devices.faults import OrderRefused, OutsideDown
from kiosk.figures import Statistics, read_statistics
from kiosk.gateway_link import GatewayLink

#: Nobody reads faster; a page asks every three seconds, Prometheus by default every fifteen.
ASK_EVERY_S = 1.0
#: It answers in a millisecond. One that hangs must not hold many of the threads that answer touches.
ANSWER_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What the gateway said last. ``statistics`` None: it has not said anything since we started."""

    statistics: Statistics | None = None
    heard_ms: int | None = None
    answers: bool = False
    """Whether it answered when it was asked last."""


class Running:
    """The one place from which the gateway is asked for its figures. Every method may be called by any thread."""

    def __init__(
        self,
        link: GatewayLink,
        now_ms: Callable[[], int],
        *,
        monotonic_s: Callable[[], float] = mono_s,
    ) -> None:
        self._link = link
        self._now_ms = now_ms
        self._monotonic_s = monotonic_s
        self._turn = threading.Condition()
        self._asking = False
        self._asked_s = float("-inf")
        self._last = Heard()

    def latest(self) -> Heard:
        """What the gateway said, at most `ASK_EVERY_S` old while it answers.

        One thread asks; the others take what is there, or wait for its answer where nothing is there yet.
        """
        with self._turn:
            while self._asking and self._last.statistics is None:
                if not self._turn.wait(2 * ANSWER_WITHIN_S):
                    break
            if self._asking or self._monotonic_s() - self._asked_s < ASK_EVERY_S:
                return self._last
            self._asking = True
        heard = self._last
        try:
            heard = self._ask()
        finally:
            with self._turn:
                self._last, self._asking, self._asked_s = heard, False, self._monotonic_s()
                self._turn.notify_all()
        return heard

    def _ask(self) -> Heard:
        try:
            answer = self._link.order("statistics", timeout_s=ANSWER_WITHIN_S)
        except (OutsideDown, OrderRefused):
            return Heard(self._last.statistics, self._last.heard_ms, answers=False)
        return Heard(read_statistics(answer.get("statistics")), self._now_ms(), answers=True)
