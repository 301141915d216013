"""Whose turn it is. Lives here: the steps of a ringing call. Must not live here: who is on duty (rosters.py), how a
message travels, what a call's states are (calls.py).

Rule 1. A ringing call stands on a step of its kind's ladder, and a timer, a row, says when the next one's turn comes:
        nobody has to remember it, and no restart loses it or does it twice.
Rule 2. A step on which nobody can be reached is skipped at once, in the same transaction: no console that listens
        (where the step rings there) and nobody on duty with a channel. A beacon, a voice, a display promise nobody.
Rule 3. The last step never gives up: it repeats until a person answers. Where nobody is behind it either, it rings
        with all that the ladder has, and whoever comes within reach is told at once (:func:`look_again`) or within
        ``AGAIN_MS``.
Rule 4. A message names no elder, no flat, no illness: it may be read in a group.
Rule 5. Whatever the kinds say, repetitions and messages to one address lie ``AGAIN_MS`` apart: a night in which nobody
        answers must not fill a card, nor teach a helper to switch the telephone off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from gateway.hall import rosters
from gateway.hall.fields import Fields
from gateway.hall.kinds import DEFAULTS, kind_of
from gateway.hall.life import call_of
from gateway.hall.rows import CallStep, Helper, Message
from gateway.hall.state import (
    Call,
    Change,
    Consoles,
    Decision,
    HallState,
    JournalLine,
    TimerGone,
    TimerSet,
)

#: (who, wait_s, acts)
Step = tuple[str, int, tuple[str, ...]]

#: Two repetitions, and two messages to one address about one call, lie this far apart. The first minute is what the
#: telecare bar counts (97.5 % in 60 s, TSA Quality Standards Framework); nobody reads faster than that.
AGAIN_MS = 60_000
#: A console that went is believed to be gone after this: a page that is loaded anew is back within a second.
CONSOLE_BACK_MS = 2_000
#: All that a step can do; and what is heard and seen by whoever happens to be in the hall.
ACTS = ("console", "beacon", "voice", "display", "message")
LOUD = frozenset({"beacon", "voice", "display"})
#: The kinds of timers that a ringing call may have, besides "unanswered" (calls.py).
STEP, LOOK = "step", "look"

#: Why a step was skipped, as staff read it.
WHY: dict[str, tuple[str, str]] = {
    "no_console": ("没有工作台在听", "no console is listening"),
    "nobody_on_duty": ("没有人当班", "nobody is on duty"),
    "no_channel": ("当班的人没有联系方式", "whoever is on duty has no channel"),
}


def begin(state: HallState, call: Call, now_ms: int) -> tuple[Call, list[Change]]:
    """The call rings, or rings anew: from the first step on which somebody can be reached."""
    return _climb(state, call, call.turn + 1, 0, now_ms)


def stop(state: HallState, call: Call, why: str, now_ms: int) -> list[Change]:
    """It rings no more: its timers are void, and so are the messages that have not gone out."""
    changes: list[Change] = [
        TimerGone(name) for name in (_name(call, STEP), _name(call, LOOK)) if state.timer(name) is not None
    ]
    changes += [
        replace(message, state="void", changed_ms=now_ms, why=why)
        for message in state.table(Message).values()
        if message.call_id == call.call_id and message.state == "queued"
    ]
    return changes


def look_again(state: HallState, now_ms: int) -> Decision:
    """Consoles came or went, a roster was changed: for each ringing call, is there still somebody on its step?"""
    decision = Decision()
    for call in state.calls.values():
        if call.state != "HEARD" or call.step < 0:
            continue
        steps = _steps(state, call)
        if _stands_empty(state, call):
            if any(not _empty(state, call, step, now_ms) for step in steps):
                _put(decision, *_climb(state, call, call.turn + 1, 0, now_ms))
        elif _empty(state, call, steps[min(call.step, len(steps) - 1)], now_ms):
            name = _name(call, LOOK)
            if state.timer(name) is None:
                decision.changes.append(TimerSet(name, LOOK, _subject(call), now_ms, CONSOLE_BACK_MS))
    return decision


def step_due(state: HallState, timer: TimerSet, now_ms: int) -> Decision:
    """Nobody has answered on this step: it is the next one's turn, or the last one's again."""
    call = _ringing(state, timer)
    return Decision() if call is None else _go_on(state, call, now_ms)


def look_due(state: HallState, timer: TimerSet, now_ms: int) -> Decision:
    """The console on which this step rang did not come back: if nobody else is on it, it has had its turn."""
    call = _ringing(state, timer)
    if call is None or _stands_empty(state, call):
        return Decision()
    steps = _steps(state, call)
    if not _empty(state, call, steps[min(call.step, len(steps) - 1)], now_ms):
        return Decision()
    return _go_on(state, call, now_ms)


def text_of(call: Call, state: HallState, turn: int) -> str:
    """What a helper reads (rule 4). How to take it is the herald's to add: a link, an answer by SMS."""
    kind = kind_of(state, call.kind)
    words = f"【邻里】有一个{kind.name_zh}等人处理"
    if turn > 1:
        words += f"（第 {turn} 次提醒）"
    if "en" in state.languages:
        words += f"\n[Linli] {kind.name_en}: somebody is waiting"
        if turn > 1:
            words += f" (reminder {turn})"
    return words


def _go_on(state: HallState, call: Call, now_ms: int) -> Decision:
    steps = _steps(state, call)
    last = len(steps) - 1
    decision = Decision()
    if call.step < last:
        _put(decision, *_climb(state, call, call.turn, call.step + 1, now_ms))
    elif not _empty(state, call, steps[last], now_ms):
        _put(decision, *_climb(state, call, call.turn + 1, last, now_ms))
    elif any(not _empty(state, call, step, now_ms) for step in steps):
        _put(decision, *_climb(state, call, call.turn + 1, 0, now_ms))
    elif _stands_empty(state, call):
        decision.changes.append(TimerSet(_name(call, STEP), STEP, _subject(call), now_ms, AGAIN_MS))
    else:
        _put(decision, *_climb(state, call, call.turn + 1, last, now_ms))
    return decision


def _climb(
    state: HallState, call: Call, turn: int, start: int, now_ms: int, least_ms: int = 0
) -> tuple[Call, list[Change]]:
    """From step ``start`` to the first on which somebody can be reached, or to the last. What was skipped is noted.

    ``least_ms``: the step gets at least so long, whatever its kind says.
    """
    steps = _steps(state, call)
    last = len(steps) - 1
    changes: list[Change] = []
    for index in range(min(start, last), last + 1):
        who, wait_s, acts = steps[index]
        people = rosters.on_duty(state, who, call, now_ms)
        why = _why_empty(state, people, acts)
        if not why:
            break
        changes.append(CallStep(call.call_id, turn, index, who, "skipped", now_ms, (), why))
    if why and any(not _empty(state, call, step, now_ms) for step in steps[:start]):
        # Nobody further up: those further down are asked again.
        after, more = _climb(state, call, turn + 1, 0, now_ms, AGAIN_MS)
        return after, changes + more
    if why:
        wait_ms, acts = AGAIN_MS, _everything(steps)
    else:
        wait_ms = max(wait_s * 1000, least_ms, AGAIN_MS if index == last else 0)
    after = replace(call, turn=turn, step=index, acts=" ".join(acts))
    names = tuple(one.helper_id for one in people)
    if not why:
        changes.append(CallStep(call.call_id, turn, index, who, "told", now_ms, names))
        changes += _messages(state, after, people, acts, now_ms, first=call.turn == 0)
    told = "nobody" if why else " ".join(names) or "console"
    changes.append(JournalLine(now_ms, "Step", _subject(call), "", f"turn {turn} step {index} {who}: {told}"))
    changes.append(TimerSet(_name(call, STEP), STEP, _subject(call), now_ms, wait_ms))
    return after, changes


def _messages(
    state: HallState, call: Call, people: Iterable[Helper], acts: Collection[str], now_ms: int, *, first: bool
) -> list[Change]:
    """One for each channel of those who can be reached by one, but for those who have only just got one (rule 5).

    ``first``: the call begins to ring, nobody has had any; there may be a thousand messages of other calls.
    """
    reachable = [one for one in people if rosters.reachable(state, one, acts)]
    if not reachable:
        return []
    had: set[str] = set()
    if not first:
        had = {
            one.channel
            for one in state.table(Message).values()
            if one.call_id == call.call_id
            and (one.state == "queued" or (one.state != "void" and 0 <= now_ms - one.created_ms < AGAIN_MS))
        }
    text = text_of(call, state, call.turn)
    return [
        Message(
            f"call:{call.call_id}:{call.turn}:{call.step}:{helper.helper_id}:{number}",
            call.call_id,
            call.turn,
            call.step,
            helper.helper_id,
            channel,
            text,
            now_ms,
            changed_ms=now_ms,
        )
        for helper in reachable
        for number, channel in enumerate(helper.channels)
        if channel not in had
    ]


def _everything(steps: Iterable[Step]) -> tuple[str, ...]:
    """What a call does that nobody can be told of: all that any step of its does, and the beacon if it may be loud."""
    acts = {act for _, _, acts in steps for act in acts}
    if not acts.isdisjoint(LOUD):
        acts.add("beacon")
    return tuple(act for act in ACTS if act in acts)


def _why_empty(state: HallState, people: Collection[Helper], acts: Collection[str]) -> str:
    """Words of ``WHY``; "" if somebody can be reached."""
    rings = "console" in acts
    if (rings and state.consoles > 0) or any(rosters.reachable(state, one, acts) for one in people):
        return ""
    return " ".join((*(("no_console",) if rings else ()), "no_channel" if people else "nobody_on_duty"))


def _empty(state: HallState, call: Call, step: Step, now_ms: int) -> bool:
    who, _, acts = step
    if "console" in acts and state.consoles > 0:
        return False
    return bool(_why_empty(state, rosters.on_duty(state, who, call, now_ms), acts))


def _stands_empty(state: HallState, call: Call) -> bool:
    """Nobody could be told when it came to the step on which it stands."""
    row = state.table(CallStep).get((call.call_id, call.turn, call.step))
    return row is None or row.state == "skipped"


def _steps(state: HallState, call: Call) -> tuple[Step, ...]:
    return kind_of(state, call.kind).ladder or DEFAULTS["emergency"].ladder


def _ringing(state: HallState, timer: TimerSet) -> Call | None:
    call = call_of(state, timer)
    return call if call is not None and call.state == "HEARD" else None


def _put(decision: Decision, call: Call, changes: list[Change]) -> None:
    decision.changes += [call, *changes]


def _subject(call: Call) -> str:
    return f"call:{call.call_id}"


def _name(call: Call, kind: str) -> str:
    return f"call:{call.call_id}:{kind}"


def _consoles(state: HallState, fields: Fields, now_ms: int) -> Decision:
    live = fields.number("live", most=10_000)
    after = state.child()
    after.consoles = live
    decision = look_again(after, now_ms)
    decision.quiet.append(Consoles(live))
    return decision


ORDERS = {"consoles": _consoles}
DUE = {STEP: step_due, LOOK: look_due}
