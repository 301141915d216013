"""What devices need from people: a battery, a monthly test, somebody who looks.

Rule 1. A low battery is remembered until a replacement is recorded or seen (a jump of 30 points); it is reminded of
        every seven days and overdue at fourteen (Tunstall's Lifeline manuals). A charge that creeps up is weather.
Rule 2. A test call is a press that somebody has announced, or that the device itself calls a test. A press
        while it is open is soon no test: it ends it and is a call of its own. We may be wrong in one direction only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from devices.faults import OrderRefused
from devices.messages import DeviceSeen, Pressed
from gateway.hall import calls
from gateway.hall.fields import Fields
from gateway.hall.parking_rows import Vitals
from gateway.hall.rows import Care, LastPress, RowGone
from gateway.hall.state import Call, Change, Decision, Device, HallState, JournalLine, TimerGone, TimerSet
from gateway.hall.supervision import CARED, LOW_BATTERY_PCT, LOW_MV, judged

_S, _MIN, _D = 1_000, 60_000, 24 * 3_600_000

#: What no temperature does: 30 points, or 0.3 V above the limit. Somebody has put in another battery.
JUMP_PCT, JUMP_MV = 30, 300
#: Remind, and overdue: Tunstall's Lifeline manuals (every 7 days; replace within two weeks).
REMIND_MS, OVERDUE_MS = 7 * _D, 14 * _D

#: How long an announced test waits for its press: up the stairs to the flat and talk to the elder.
TEST_MS = 10 * _MIN
#: A press this long after the test began is a call of its own.
TEST_OVER_MS = 10 * _S
#: What numbers nothing, and comes nearer than a person presses twice, may be a button that repeats while it is held:
#: for so long after the test began. Longer than anybody holds it for a test.
TEST_REPEATS_MS = 30 * _S


# ---------------------------------------------------------------- batteries


def battery(
    state: HallState, device: Device, fact: DeviceSeen, now_ms: int
) -> tuple[Care | None, list[Change]]:
    """What this word says of its battery: the care that the device needs from now on, and what changes by it."""
    care = state.table(Care).get(device.device_id)
    if device.kind not in CARED or fact.offline:
        return care, []
    pct = device.battery_pct
    low = fact.battery_low or (pct is not None and pct <= LOW_BATTERY_PCT)
    if pct is None and fact.battery_mv is not None:
        low = low or fact.battery_mv < LOW_MV
    subject = f"device:{device.device_id}"
    if care is None or not care.battery_low_ms:
        if not low:
            return care, []
        worst = -1 if pct is None else int(pct)
        care = replace(
            care or Care(device.device_id),
            battery_low_ms=now_ms,
            battery_reminded_ms=now_ms,
            battery_worst=worst,
        )
        detail = "" if pct is None else f"{pct:.0f}"
        return care, [
            care,
            _reminder(device.device_id, now_ms),
            JournalLine(now_ms, "BatteryLow", subject, "", detail),
        ]
    if _is_another(care, fact, low):
        care = _battery_changed(care, now_ms)
        gone = [*_gone(state, f"{subject}:battery"), *_paced_anew(state, device.device_id)]
        return care, [care, *gone, JournalLine(now_ms, "BatteryChanged", subject, "", "seen")]
    return care, []


def _is_another(care: Care, fact: DeviceSeen, low: bool) -> bool:
    if low:
        return False
    if fact.battery_pct is not None:
        return fact.battery_pct - max(care.battery_worst, 0) >= JUMP_PCT
    return fact.battery_mv is not None and fact.battery_mv >= LOW_MV + JUMP_MV


def _battery_changed(care: Care, now_ms: int) -> Care:
    fault = "" if care.fault == "battery_overdue" else care.fault
    return replace(
        care,
        battery_low_ms=0,
        battery_reminded_ms=0,
        battery_worst=-1,
        battery_changed_ms=now_ms,
        fault=fault,
        fault_since_ms=care.fault_since_ms if fault else 0,
    )


def _paced_anew(state: HallState, device_id: str) -> list[Change]:
    """How fast the battery that was there lost its charge says nothing of the one that is there now."""
    old = state.table(Vitals).get(device_id)
    return [] if old is None or old.base is None else [replace(old, base=None, base_ms=0, a_month=None)]


def _reminder(device_id: str, now_ms: int) -> TimerSet:
    # An appointment: days are the wall clock's.
    return TimerSet(
        f"device:{device_id}:battery", "battery", f"device:{device_id}", now_ms, REMIND_MS, by_wall=True
    )


def battery_due(state: HallState, timer: TimerSet, now_ms: int) -> Decision:
    """Seven days more, and nobody has changed it."""
    device_id = timer.subject.removeprefix("device:")
    device, care = state.devices.get(device_id), state.table(Care).get(device_id)
    if device is None or care is None or not care.battery_low_ms:
        return Decision()
    overdue = now_ms - care.battery_low_ms >= OVERDUE_MS
    after = replace(care, battery_reminded_ms=now_ms)
    if overdue and not care.fault:
        after = replace(after, fault="battery_overdue", fault_since_ms=now_ms)
    event = "BatteryOverdue" if overdue else "BatteryReminder"
    decision = Decision(
        changes=[after, _reminder(device_id, now_ms), JournalLine(now_ms, event, timer.subject)]
    )
    if device.health in ("ok", "low_battery"):
        decision.changes.append(judged(device, None, after, now_ms))
    return decision


# ---------------------------------------------------------------- test calls


#: What a press means that is no test: hall/rules.py.
Ask = Callable[[HallState, Pressed, Device | None, int], Decision]


def pressed(state: HallState, fact: Pressed, device: Device | None, now_ms: int, ask: Ask) -> Decision:
    """A press, seen by whoever waits for a test of this device; ``ask`` says what it means otherwise."""
    care = state.table(Care).get(fact.device_id)
    announced = care is not None and 0 <= care.test_until_ms - now_ms <= TEST_MS
    awaited = fact.event == "test" or announced
    standing = _open_call(state, fact.device_id)
    if device is None or device.kind != "call_button" or device.call_kind == "test":
        return ask(state, fact, device, now_ms)
    if standing is None and awaited:
        decision = ask(state, fact, replace(device, call_kind="test"), now_ms)
        if decision.duplicate or decision.call is None:
            return decision
        after = replace(care or Care(fact.device_id), tested_ms=now_ms, test_until_ms=0)
        subject = f"device:{fact.device_id}"
        decision.changes += [after, JournalLine(now_ms, "DeviceTested", subject, "", "press")]
        decision.changes += _gone(state, f"{subject}:test")
        return decision
    decision = ask(state, fact, device, now_ms)
    if standing is not None and standing.kind == "test" and fact.event != "test":
        # From the test's beginning, not from its newest press: who presses on and on is heard.
        since_ms = now_ms - standing.opened_ms
        if not 0 <= since_ms < (TEST_OVER_MS if fact.press_id or not decision.duplicate else TEST_REPEATS_MS):
            return _no_test(state, fact, device, standing, now_ms, ask) or decision
    return decision


def _no_test(
    state: HallState, fact: Pressed, device: Device, test: Call, now_ms: int, ask: Ask
) -> Decision | None:
    """The test is over, and this is a call. None: it is only a copy of what was heard before."""
    order = {"call_id": test.call_id, "by": "系统 Linli", "outcome": "test", "note": "再次按下，另起呼叫"}
    ended = calls.ORDERS["close_call"](state, Fields(order), now_ms)
    touch = state.table(LastPress).get((fact.device_id, fact.button))
    if touch is not None:
        # A rhythm that began in the test makes no call of this press's own silent: it is no stuck button's.
        ended.quiet.append(replace(touch, train=0, beat_ms=0, jitter_ms=0))
    child = state.child()
    child.put(ended)
    decision = ask(child, fact, device, now_ms)
    if decision.duplicate:
        return None
    return replace(
        decision, changes=[*ended.changes, *decision.changes], effects=[*ended.effects, *decision.effects]
    )


def _open_call(state: HallState, device_id: str) -> Call | None:
    call_id = state.newest_call.get(device_id)
    call = None if call_id is None else state.calls.get(call_id)
    return None if call is None or call.state == "CLOSED" else call


def test_missed(state: HallState, timer: TimerSet, now_ms: int) -> Decision:
    """A test was announced and no press has come: the device stays due, and somebody should look."""
    device_id = timer.subject.removeprefix("device:")
    care = state.table(Care).get(device_id)
    if care is None or not care.test_until_ms:
        return Decision()
    return Decision(
        changes=[replace(care, test_until_ms=0), JournalLine(now_ms, "TestMissed", timer.subject)]
    )


def test_due_ms(device: Device, care: Care | None) -> int:
    """When its next test is due; 0: never. A device that was never tested is due a while after it came."""
    every_d = care.test_every_d if care is not None else Care("").test_every_d
    if device.kind != "call_button" or not every_d:
        return 0
    tested_ms = care.tested_ms if care is not None else 0
    return (tested_ms or device.first_seen_ms) + every_d * _D


# ---------------------------------------------------------------- orders


def _care(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """Staff set a deadline, record a battery or a test, announce a test, or say that a fault is mended."""
    device_id, by = fields.name("device_id"), fields.text("by", "")
    device = state.devices.get(device_id)
    if device is None:
        raise OrderRefused(f"没有设备 {device_id}", f"there is no device {device_id}")
    old = state.table(Care).get(device_id) or Care(device_id)
    subject = f"device:{device_id}"
    silent_after_ms = fields.number("silent_after_ms", old.silent_after_ms, most=60 * _D)
    if 0 < silent_after_ms < _MIN:
        raise OrderRefused("失联时限最短 1 分钟", "silent_after_ms must be at least a minute, or 0")
    after = replace(
        old,
        silent_after_ms=silent_after_ms,
        test_every_d=fields.number("test_every_d", old.test_every_d, most=366),
    )
    decision = Decision()
    done = [
        word for word in ("silent_after_ms", "test_every_d") if getattr(after, word) != getattr(old, word)
    ]
    if fields.flag("battery_changed"):
        after = _battery_changed(after, now_ms)
        decision.changes += [*_gone(state, f"{subject}:battery"), *_paced_anew(state, device_id)]
        done.append("battery_changed")
    if fields.flag("repaired"):
        after = replace(after, fault="", fault_since_ms=0)
        done.append("repaired")
    if fields.flag("tested"):
        after = replace(after, tested_ms=now_ms, test_until_ms=0)
        decision.changes += _gone(state, f"{subject}:test")
        done.append("tested")
    if "expect_test" in fields:
        if device.kind != "call_button":
            raise OrderRefused("只有呼叫按钮需要测试", "only call buttons are tested")
        if _open_call(state, device_id) is not None:
            raise OrderRefused(
                "这个按钮还有没办结的呼叫：先办结，再测试",
                "this button has an open call: close it first, then test",
            )
        expected = fields.flag("expect_test")
        decision.changes += _gone(state, f"{subject}:test")
        after = replace(after, test_until_ms=now_ms + TEST_MS if expected else 0)
        if expected:
            decision.changes.append(TimerSet(f"{subject}:test", "test", subject, now_ms, TEST_MS))
        done.append("expect_test" if expected else "expect_no_test")
    decision.changes.append(after)
    if device.health in ("low_battery", "fault") and {"battery_changed", "repaired"} & set(done):
        # What it says next may say otherwise; until then staff are believed.
        known = replace(device, battery_pct=None) if "battery_changed" in done else device
        decision.changes.append(judged(known, None, after, now_ms))
    if done:
        decision.changes.append(JournalLine(now_ms, "DeviceCared", subject, by, " ".join(done)))
    return decision


def forgotten(state: HallState, device_id: str) -> list[Change]:
    """The hall forgets this device: its care, too."""
    gone: list[Change] = []
    if device_id in state.table(Care):
        gone.append(RowGone(Care.TABLE, device_id))
    return [*gone, *_gone(state, f"device:{device_id}:battery"), *_gone(state, f"device:{device_id}:test")]


def _gone(state: HallState, timer_id: str) -> list[Change]:
    return [TimerGone(timer_id)] if state.timer(timer_id) is not None else []


ORDERS = {"care_device": _care}
#: Kinds of timers: hall/timers.py.
DUE = {"battery": battery_due, "test": test_missed}
