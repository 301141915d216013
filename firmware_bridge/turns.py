"""Whose turn it is on a line that several panels share. RS-485 is half duplex: one is asked at a time, and answers.

A desk asks for the line when it has something to say, holds it until its panel has answered or has been given up, and
goes to the end of the queue. So a panel that is switched off costs the others the time of one answer, never more, and
none of them can talk another down.
"""

from __future__ import annotations

from typing import Generic, TypeVar

D = TypeVar("D")


class Turns(Generic[D]):
    """One line's turns. A panel that is alone on its line has its own and always gets it."""

    def __init__(self) -> None:
        #: who is speaking, or awaits its panel's answer
        self.speaker: D | None = None
        self._waiting: list[D] = []

    def take(self, desk: D) -> bool:
        """Whether ``desk`` may speak now; where not, it waits in the order of asking."""
        if self.speaker is desk:
            return True
        if desk not in self._waiting:
            self._waiting.append(desk)
        if self.speaker is not None or self._waiting[0] is not desk:
            return False
        self._waiting.pop(0)
        self.speaker = desk
        return True

    def give(self, desk: D) -> None:
        """``desk`` has no more to say, or has lost its line."""
        if self.speaker is desk:
            self.speaker = None
        elif desk in self._waiting:
            self._waiting.remove(desk)
