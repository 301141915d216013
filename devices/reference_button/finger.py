"""What a hand did: edges of a contact in, presses out.

An emergency button calls when the finger goes *down*: whoever faints while pressing has called. A button that also
knows a long press (a meal: order it, or hold to cancel) cannot tell before the finger has left, and calls then.

A hand may tremble, and a contact bounces. Whatever follows within ``TREMBLE_MS`` of letting go is the same press. So
this button never says "double": a trembling second press must not mean something else than the first.
"""

#: A down this soon after an up is the same press. Contacts bounce some 5-30 ms; a tremor has 4-12 beats a second, that
#: is 80-250 ms from beat to beat; we take more than the slowest beat.
TREMBLE_MS = 400
#: Held this long it is a long press: longer than a slow hand that means a short one. Our choice.
LONG_MS = 1_500
#: Held this long nobody is holding it: something leans against it, or it is broken.
STUCK_MS = 60_000


class Finger:
    """One contact.

    :param long_press: tell long from short presses; otherwise each press is told at once, as "short".
    :param stuck: it was held down when we fell asleep: that press has been told.
    """

    def __init__(self, long_press: bool, stuck: bool, now_ms: int) -> None:
        self.down = stuck
        self._long_press = long_press
        self._began_ms = now_ms - STUCK_MS if stuck else now_ms
        self._up_ms = now_ms - TREMBLE_MS
        self._told = True
        #: how many presses have begun: a tick is sounded for each
        self.begun = 0

    def moved(self, down: bool, at_ms: int) -> str:
        """The contact closed or opened at ``at_ms``. Returns "short" or "long" where that makes a press, else ""."""
        if down == self.down:
            return ""
        self.down = down
        if down:
            if at_ms - self._up_ms < TREMBLE_MS:
                return ""
            kind = self.settle(at_ms)
            self._began_ms, self._told = at_ms, False
            self.begun += 1
            return kind if self._long_press else self._tell("short")
        self._up_ms = at_ms
        return self._tell("long") if self._is_long(at_ms) else ""

    def settle(self, now_ms: int) -> str:
        """What has become certain by the mere passing of time: "short", "long" or ""."""
        if self._told:
            return ""
        if self.down:
            return self._tell("long") if self._is_long(now_ms) else ""
        return self._tell("short") if now_ms - self._up_ms >= TREMBLE_MS else ""

    def busy(self, now_ms: int) -> bool:
        """A press is under way, or its contact may still bounce: not the moment to fall asleep."""
        if self.stuck(now_ms):
            return False
        return self.down or not self._told or now_ms - self._up_ms < TREMBLE_MS

    def stuck(self, now_ms: int) -> bool:
        return self.down and now_ms - self._began_ms >= STUCK_MS

    def _is_long(self, at_ms: int) -> bool:
        return self._long_press and not self._told and at_ms - self._began_ms >= LONG_MS

    def _tell(self, kind: str) -> str:
        self._told = True
        return kind
