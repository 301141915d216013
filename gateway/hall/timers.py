"""What happens when a timer is due. Lives here: which rule a kind of timer calls. Must not live here: clocks, heaps.

Rule 1. A timer is a row. It is written in the transaction of the decision that sets it, and goes in the transaction
        of the decision that fires it or makes it void: a call never waits for a timer that is not on disk, and no
        timer fires twice.
Rule 2. Kinds are data: a later subject (a ladder of several steps, an appointment, a deadline of days) brings a row
        for ``DUE``, and sets as many timers as it likes under names of its own.
Rule 3. A kind that this Linli does not know (written by a newer one) is journalled and goes; it never stops the hall.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.hall import answering, calls, caring, ladder, meals, upkeep
from gateway.hall.state import Decision, HallState, JournalLine, TimerGone, TimerSet

#: kind of timer -> what it means that it is due. The rule may set further timers, also one of the same name.
DUE: dict[str, Callable[[HallState, TimerSet, int], Decision]] = {
    **calls.DUE,
    **ladder.DUE,
    **caring.DUE,
    **meals.DUE,
    **answering.DUE,
    **upkeep.DUE,
}


def due(state: HallState, timer_id: str, now_ms: int) -> Decision:
    """The time of this timer has come. Nothing happens if it has become void in the same moment."""
    timer = state.timer(timer_id)
    if timer is None:
        return Decision()
    rule = DUE.get(timer.kind)
    if rule is None:
        return Decision(
            changes=[TimerGone(timer_id), JournalLine(now_ms, "TimerUnknown", timer.subject, "", timer.kind)]
        )
    decision = answering.follow(state, rule(state, timer, now_ms), now_ms)
    # First of all: what the rule sets anew, under the same name too, comes after it.
    decision.changes.insert(0, TimerGone(timer_id))
    return decision


def given_up(timer_id: str, why: str, now_ms: int) -> Decision:
    """A fault of ours made its rule fail: it goes, aloud, or it would fail again at every start."""
    return Decision(
        changes=[TimerGone(timer_id), JournalLine(now_ms, "TimerGivenUp", timer_id, "", why[:200])]
    )
