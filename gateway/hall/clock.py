"""Is the time known? Lives here: the judgement, and what a timer is worth after a restart. Must not live here: clocks.

A Raspberry Pi has no clock battery: after a power cut it may believe that it is 1970, or the hour at which it died.

Rule 1. While we run, every lapse is measured by the monotonic clock; no jump of the wall clock touches it.
Rule 2. The rows remember how wall and monotonic time stood to each other (``ClockFrame``). In the same run of the
        kernel what is left of a timer is exact, whatever the wall clock did meanwhile, also while we were dead.
Rule 3. In another run of the kernel only the wall clock can tell, and it is asked only where it was known then and is
        known now and does not contradict itself. Else the whole time begins again: late by at most the time that had
        passed, never too early, never never.
Rule 4. Who is believed, the strongest first: a person; the day this software was made; the network; the notebook; a
        clock with a battery. Until somebody is believed nothing is scheduled by wall time. Calls ring as ever.
Rule 5. Who was believed stays believed until the clock is moved or the power goes: a hall that was put right by the
        network this morning knows the time this evening, when the network is gone.
Rule 6. A step of the wall clock is journalled, and the rows are written anew as they stand to the new time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from devices.faults import OrderRefused
from gateway.hall.fields import Fields
from gateway.hall.state import ClockFrame, Decision, HallState, JournalLine, TimerSet

#: A step of the wall clock. Slewing moves wall and monotonic time alike, a leap second is 1 s, and timesyncd steps
#: from 0.4 s on: what is below 2 s hurts no timer of ours (the shortest has 60 s).
STEP_MS = 2_000
#: Before this (2026-01-01 UTC) there was no Linli: a clock that says so is wrong, whoever vouches for it.
MADE_MS = 1_767_225_600_000
#: So far the wall clock may lie before the newest row: commits and readings of the clock are not one moment.
BEHIND_MS = 5_000


@dataclass(frozen=True, slots=True)
class Witness:
    """What the machine says of its clock. ``synchronised`` is None where it does not say."""

    synchronised: bool | None
    own_clock: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """Is the wall clock believed, and why; the words are for the person on duty."""

    known: bool
    why: str
    why_zh: str = ""
    why_en: str = ""


_WHAT_TO_DO_ZH = (
    "；呼叫照常响，只是记录的时间可能不对。请看一下时间：对的话运行 linli clock confirm --by 姓名，"
    "不对请叫技术员"
)
_WHAT_TO_DO_EN = (
    "; calls ring as ever, only their written times may be wrong. Look at the time: if it is right, "
    "linli clock confirm --by NAME; if not, call the technician"
)


def judge(witness: Witness, now_ms: int, newest_ms: int, standing: ClockFrame | None) -> Judgement:
    """Rules 4 and 5. ``newest_ms`` is the time of the newest row in the notebook, 0 where there is none.

    ``standing`` is what was written of this very clock, in this run of the kernel (:func:`standing`).
    """
    behind = now_ms < newest_ms - BEHIND_MS
    if standing is not None and standing.confirmed_by:
        return Judgement(True, "confirmed")
    if now_ms < MADE_MS:
        return _unknown(
            "too_early", "时间显然不对（早于本软件的制作日期）", "the clock is before this software was made"
        )
    if witness.synchronised:
        return Judgement(True, "synchronised")
    if witness.own_clock and not behind:
        return Judgement(True, "own_clock")
    if standing is not None and standing.known:
        return Judgement(True, "kept")
    if behind:
        late_min = (newest_ms - now_ms) // 60_000
        return _unknown(
            "behind",
            f"时间比最近的记录还早 {late_min} 分钟",
            f"the clock is {late_min} min before the newest record",
        )
    return _unknown(
        "nobody",
        "不知道现在几点：这台机器没有时钟电池，网络时间也还没有来",
        "the time is not known: this machine has no clock battery, and no network time has come",
    )


def _unknown(why: str, zh: str, en: str) -> Judgement:
    return Judgement(False, why, zh + _WHAT_TO_DO_ZH, en + _WHAT_TO_DO_EN)


def left_ms(timer: TimerSet, then: ClockFrame | None, now: ClockFrame, mono_ms: int) -> int:
    """Rules 2 and 3: what is left of a lapse at monotonic time ``mono_ms``, 0 to ``after_ms``.

    ``then`` is the frame in which the row was written (None: by a Linli that did not keep one).
    """
    if then is not None and then.boot == now.boot:
        then_ms = mono_ms + then.offset_ms
    elif now.known and (then is None or then.known) and mono_ms + now.offset_ms >= timer.set_ms:
        then_ms = mono_ms + now.offset_ms
    else:
        return timer.after_ms
    return min(max(0, timer.due_ms - then_ms), timer.after_ms)


def same(one: ClockFrame | None, other: ClockFrame) -> bool:
    """Do two frames tell the same time?"""
    return (
        one is not None
        and (one.boot, one.known) == (other.boot, other.known)
        and abs(one.offset_ms - other.offset_ms) < STEP_MS
    )


def standing(frame: ClockFrame | None, boot: str, offset_ms: int) -> ClockFrame | None:
    """The frame on disk, if it is this run of the kernel's and nothing has moved the wall clock since."""
    if frame is None or frame.boot != boot or abs(frame.offset_ms - offset_ms) >= STEP_MS:
        return None
    return frame


def adopted(state: HallState, new: ClockFrame, rows: Iterable[TimerSet], now_ms: int) -> Decision:
    """Rule 6: from now on rows are written in the new frame; ``rows`` are the lapses as they stand to it."""
    old = state.frame
    decision = Decision(changes=[new])
    if old is not None and old.boot == new.boot and abs(new.offset_ms - old.offset_ms) >= STEP_MS:
        stepped_ms = new.offset_ms - old.offset_ms
        decision.changes.append(JournalLine(now_ms, "ClockStepped", "clock", "", f"{stepped_ms:+d} ms"))
    if old is not None and old.known != new.known:
        event = "ClockKnown" if new.known else "ClockUnknown"
        decision.changes.append(JournalLine(now_ms, event, "clock"))
    decision.changes += [row for row in rows if state.timer(row.timer_id) not in (None, row)]
    return decision


def confirmed(state: HallState, by: str, now_ms: int) -> Decision:
    """A person says that the wall clock is right. The hall may be offline for years; a person is its best clock."""
    if not by.strip():
        raise OrderRefused("请写明是谁确认的", "say who confirms the clock")
    if state.frame is None:
        raise OrderRefused("大厅刚启动，请稍后再试", "the hall has only just started: try again in a moment")
    if now_ms < MADE_MS:
        raise OrderRefused("时间显然不对，请先校准时间", "the clock cannot be right: set it first")
    if state.frame.confirmed_by:
        return Decision(duplicate=True)
    return Decision(
        changes=[
            replace(state.frame, known=True, at_ms=now_ms, confirmed_by=by.strip()[:200]),
            JournalLine(now_ms, "ClockConfirmed", "clock", by.strip()[:200]),
        ]
    )


def _confirm(state: HallState, fields: Fields, now_ms: int) -> Decision:
    return confirmed(state, fields.text("by"), now_ms)


ORDERS = {"confirm_clock": _confirm}
