"""What the elder is told: *heard*, by itself after the commit; *a person is coming*, after somebody has accepted.

Rule 1. Each is told only to a device that can show it: the button's own lamp, or the siren or lamp beside it
        (``Voice``). Where there is none the call says "cannot": staff must telephone.
Rule 2. "sent" is not "shown". Shown is what the device, or the network that speaks for it, has said; what has said
        nothing after its time is "unconfirmed", and is told again, ``TRIES`` times in all.
Rule 3. What one device shows is one level, the most urgent of the calls that it answers for: heard, coming, over. A
        lamp that says "somebody is coming" is put out when nobody is coming any more, even if it can say nothing else.
Rule 4. Our own button's lamp is the level that calls.py keeps; here is only whether it says that it shows it.
Rule 5. What is told stands in ``Telling``, written with the call: after a restart, and when the broker is back, levels
        are told anew, and only levels. A siren that has sounded does not sound again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from devices import speaking
from devices.faults import OrderRefused
from devices.messages import Answered, CallState, DeviceSeen, SayTo, Word
from gateway.hall.fields import Fields
from gateway.hall.rows import RowGone, Telling, Voice
from gateway.hall.state import (
    Call,
    Change,
    Decision,
    Device,
    HallState,
    JournalLine,
    TimerGone,
    TimerSet,
)

WORD: dict[CallState, Word] = {"HEARD": "heard", "COMING": "coming", "CLOSED": "over"}
#: The lamp of our own button, as it names its light.
LIGHT: dict[str, Word] = {"blink": "heard", "steady": "coming"}

#: How long a device on mains, on Zigbee or of class C may take to say that it shows what it was told: Zigbee answers
#: within a second, a class C device with its next word of some seconds.
CONFIRM_MS = 10_000
#: How often something is told that nobody confirms, the first time included.
TRIES = 3
#: A button that is pressed again asks again; it is answered again, but not more often than this.
AGAIN_MS = 10_000

#: Who answers: the lamp of our own button; the hall itself, where somebody stands (a screen, a pin); nobody.
_LAMP, _HALL = "lamp", "hall"


def follow(state: HallState, decision: Decision, now_ms: int) -> Decision:
    """What this decision makes of a call is told to the elder. ``state`` is the hall before the decision."""
    places = {change.call_id: place for place, change in enumerate(decision.changes) if type(change) is Call}
    for call_id, place in places.items():
        call, old = decision.changes[place], state.calls.get(call_id)
        assert isinstance(call, Call)
        again = old is not None and call.presses > old.presses
        if old is not None and call.state == old.state and not again:
            continue
        who = _who(state, call.device_id)
        if who == _LAMP:
            # Its level is an effect of the call's own rule; a press more of the same call says nothing new.
            if old is None or old.state != call.state:
                _mark(decision, call, WORD[call.state], "sent")
        elif who is None:
            _mark(decision, call, WORD[call.state], "cannot")
        elif who != _HALL:
            _tell(state, decision, who, now_ms, again=again)
    return decision


def answered(state: HallState, fact: Answered, now_ms: int) -> Decision:
    """A device says what it shows, or its network what became of the message."""
    decision = Decision()
    telling = state.table(Telling).get(fact.device_id)
    if telling is None:
        _lamp_shows(state, decision, fact, now_ms)
        return decision
    if telling.state == "shown":
        return decision
    if fact.token:
        if fact.token != telling.token:
            return decision
        good = fact.ok
    elif fact.shows and fact.shows == telling.shows:
        good = True
    else:
        return decision
    verdict = "shown" if good else "unconfirmed"
    if verdict == telling.state:
        return decision
    decision.changes.append(replace(telling, state=verdict))
    if good:
        decision.changes += _timer_gone(state, _timer_of(fact.device_id))
    _verdict(state, decision, telling, verdict, now_ms)
    return decision


def told(state: HallState, timer: TimerSet, now_ms: int) -> Decision:
    """Its time to say that it shows it is over."""
    decision = Decision()
    telling = state.table(Telling).get(timer.subject.removeprefix("device:"))
    if telling is None or telling.state == "shown":
        return decision
    if telling.state == "sent":
        _verdict(state, decision, telling, "unconfirmed", now_ms)
    after = replace(telling, state="unconfirmed")
    if telling.tries < TRIES:
        _say(state, decision, replace(after, tries=telling.tries + 1), now_ms)
    else:
        decision.changes.append(after)
    return decision


def overdue(state: HallState, now_ms: int) -> Decision:
    """Our own lamps that have not said that they show it. Asked every few seconds: a press needs no timer for this."""
    decision = Decision()
    for call in list(state.calls.values()):
        if call.state == "CLOSED" or _standing(call) != "sent" or _who(state, call.device_id) != _LAMP:
            continue
        since_ms = call.accepted_ms if call.state == "COMING" else call.last_press_ms
        if now_ms - (since_ms or 0) >= _confirm_ms(state, call.device_id):
            word = WORD[call.state]
            _mark(decision, call, word, "unconfirmed")
            decision.changes.append(
                JournalLine(now_ms, "Unconfirmed", f"call:{call.call_id}", call.device_id, word)
            )
    return decision


def levels(state: HallState) -> Iterator[SayTo]:
    """Told anew when the broker is back: what each is to show; what is over only where nobody knows that it is."""
    for telling in state.table(Telling).values():
        if telling.word == "over" and telling.state == "shown":
            continue
        word = _word(telling.word)
        saying = speaking.say(_speaker(state, telling.device_id), word, telling.token)
        if saying is not None and saying.level:
            yield SayTo(telling.device_id, word, telling.call_id, saying.messages)


def learnt(state: HallState, fact: DeviceSeen, decision: Decision) -> Decision:
    """By which topics a device can be spoken to, its own words tell."""
    if not fact.via:
        return decision
    voice = state.table(Voice).get(fact.device_id)
    known = fact.device_id in state.devices or any(isinstance(one, Device) for one in decision.changes)
    if known and (voice is None or voice.via != fact.via):
        decision.changes.append(replace(voice or Voice(fact.device_id), via=fact.via))
    return decision


def forgotten(state: HallState, device_id: str) -> list[Change]:
    """The hall forgets this device: what was known of its voice, too."""
    gone: list[Change] = [
        RowGone(name, device_id) for name in (Voice.TABLE, Telling.TABLE) if device_id in state.tables[name]
    ]
    return gone + _timer_gone(state, _timer_of(device_id))


def claimed(state: HallState, fields: Fields, device: Device, now_ms: int) -> Decision:
    """A claim says who answers for a button, or how a siren or lamp is told. Fields that are not given stay."""
    decision = Decision()
    old = state.table(Voice).get(device.device_id) or Voice(device.device_id)
    voice = replace(
        old,
        answers=fields.text("answers", old.answers, longest=200).strip(),
        means=fields.text("means", old.means, longest=40).strip(),
        part=fields.text("part", old.part, longest=60).strip(),
        confirm_ms=fields.number("confirm_ms", old.confirm_ms, most=600_000),
    )
    if voice == old:
        return decision
    known = speaking.means(device.family)
    if voice.means and voice.means not in known:
        raise OrderRefused(
            f"这种设备不能用“{voice.means}”：可用 {'、'.join(known) or '（没有）'}",
            f"such a device is not told by {voice.means!r}: choose one of {', '.join(known) or '(none)'}",
        )
    if voice.answers == "own" and device.family != "linli":
        speaker = replace(_speaker(state, device.device_id, voice), model=device.model, via="?")
        if not (speaking.can(speaker, "heard") or speaking.can(speaker, "coming")):
            raise OrderRefused(
                "这个设备自己不能显示回应：请在旁边装警号或指示灯，或留空",
                "this device cannot show an answer by itself: put a siren or lamp beside it, or leave this empty",
            )
    elif voice.answers and voice.answers != "own":
        companion = state.devices.get(voice.answers)
        if companion is None or companion.kind != "companion":
            raise OrderRefused(
                f"请先把 {voice.answers} 登记为“警号或指示灯”",
                f"claim {voice.answers} as a companion (a siren or lamp) first",
            )
    decision.changes.append(voice)
    if old.answers not in (voice.answers, "", "own"):
        # The siren or lamp that answered until now answers no more: it must not stay lit.
        telling = state.table(Telling).get(old.answers)
        if telling is not None and telling.word != "over":
            _say(state, decision, replace(telling, word="over", state="sent", tries=1), now_ms)
    return decision


# ---------------------------------------------------------------- our own lamps


def _lamp_shows(state: HallState, decision: Decision, fact: Answered, now_ms: int) -> None:
    call_id = state.newest_call.get(fact.device_id)
    call = None if call_id is None else state.calls.get(call_id)
    if call is None or call.state == "CLOSED" or LIGHT.get(fact.shows) != WORD[call.state]:
        return
    if _who(state, fact.device_id) != _LAMP or _standing(call) not in ("sent", "unconfirmed"):
        return
    _mark(decision, call, WORD[call.state], "shown")
    decision.changes.append(
        JournalLine(now_ms, "Shown", f"call:{call.call_id}", fact.device_id, WORD[call.state])
    )


# ---------------------------------------------------------------- everybody else's


def _tell(state: HallState, decision: Decision, who: str, now_ms: int, *, again: bool) -> None:
    """Bring what this device shows into step with the calls that it answers for."""
    calls = _calls_of(state, decision, who)
    states = {call.state for call in calls}
    word: Word = "heard" if "HEARD" in states else "coming" if "COMING" in states else "over"
    telling = state.table(Telling).get(who)
    if telling is not None and telling.word == word and not (again and now_ms - telling.since_ms >= AGAIN_MS):
        _mark_all(decision, calls, word, telling.state)
        return
    call_id = max((call.call_id for call in calls if WORD[call.state] == word), default=0)
    wanted = Telling(who, word, call_id or (telling.call_id if telling else 0))
    if word != "over" and not speaking.can(_speaker(state, who), word):
        _mark_all(decision, calls, word, "cannot")
        wanted = replace(wanted, word="over")
        word = "over"
    if word == "over" and (telling is None or telling.word == "over"):
        return
    told_as = _say(state, decision, wanted, now_ms)
    _mark_all(decision, calls, word, told_as)


def _say(state: HallState, decision: Decision, telling: Telling, now_ms: int) -> str:
    """Tell it; the answer is what is known of it now."""
    who, word = telling.device_id, _word(telling.word)
    token = _token(who, telling, now_ms)
    saying = speaking.say(_speaker(state, who), word, token)
    if saying is None:
        return "cannot"
    timer_id = _timer_of(who)
    if not saying.messages:
        standing = "shown"  # nothing need be said: it has fallen silent by itself
    elif saying.shows or saying.token:
        standing = telling.state
        decision.changes.append(TimerSet(timer_id, "told", f"device:{who}", now_ms, _confirm_ms(state, who)))
    else:
        standing = "unconfirmed"  # it never says: nobody will know
    if standing in ("shown", "unconfirmed") and not (saying.shows or saying.token):
        decision.changes += _timer_gone(state, timer_id)
    if saying.messages:
        decision.effects.append(SayTo(who, word, telling.call_id, saying.messages))
    decision.changes.append(
        replace(telling, state=standing, token=saying.token, shows=saying.shows, since_ms=now_ms)
    )
    return standing


def _verdict(state: HallState, decision: Decision, telling: Telling, verdict: str, now_ms: int) -> None:
    event = "Shown" if verdict == "shown" else "Unconfirmed"
    decision.changes.append(
        JournalLine(now_ms, event, f"call:{telling.call_id}", telling.device_id, telling.word)
    )
    calls = _calls_of(state, decision, telling.device_id)
    _mark_all(decision, calls, _word(telling.word), verdict)


def _calls_of(state: HallState, decision: Decision, who: str) -> list[Call]:
    """The open calls for which this device answers, as this decision leaves them."""
    decided = {change.device_id: change for change in decision.changes if type(change) is Call}
    buttons = [voice.device_id for voice in state.table(Voice).values() if voice.answers == who]
    own = state.table(Voice).get(who)
    if own is not None and own.answers == "own":
        buttons.append(who)
    calls: list[Call] = []
    for button in buttons:
        call = decided.get(button)
        if call is None and (call_id := state.newest_call.get(button)) is not None:
            call = state.calls.get(call_id)
        if call is not None and call.state != "CLOSED":
            calls.append(call)
    return calls


# ---------------------------------------------------------------- pieces


def _who(state: HallState, device_id: str) -> str | None:
    """Who answers for this button: a device, ``_LAMP``, ``_HALL``, or nobody."""
    voice = state.table(Voice).get(device_id)
    if voice is not None and voice.answers and voice.answers != "own":
        return voice.answers
    if device_id.startswith(("screen:", "gpio-")):
        return _HALL
    if ":" not in device_id:
        return _LAMP
    return device_id if voice is not None and voice.answers == "own" else None


def _speaker(state: HallState, device_id: str, voice: Voice | None = None) -> speaking.Speaker:
    device = state.devices.get(device_id)
    voice = voice or state.table(Voice).get(device_id) or Voice(device_id)
    family = device.family if device else ""
    address = device_id.removeprefix(f"{family}:")
    via = voice.via or (speaking.root_of(family, "", device_id) if family == "linli" else "")
    return speaking.Speaker(family, address, device.model if device else "", via, voice.means, voice.part)


def _confirm_ms(state: HallState, device_id: str) -> int:
    voice = state.table(Voice).get(device_id)
    return (voice.confirm_ms if voice else 0) or CONFIRM_MS


def _token(who: str, telling: Telling, now_ms: int) -> str:
    """A name for this message that no other message of any year has, in the shape of a UUID (ChirpStack wants one)."""
    words = f"{who} {telling.call_id} {telling.word} {telling.tries} {now_ms}"
    sum_ = hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()
    return f"{sum_[:8]}-{sum_[8:12]}-5{sum_[13:16]}-8{sum_[17:20]}-{sum_[20:32]}"


def _standing(call: Call) -> str:
    return call.heard if call.state == "HEARD" else call.coming


def _mark_all(decision: Decision, calls: list[Call], word: Word, verdict: str) -> None:
    for call in calls:
        if WORD[call.state] == word:
            _mark(decision, call, word, verdict)


def _mark(decision: Decision, call: Call, word: Word, verdict: str) -> None:
    """Write on the call what is known of its elder's device; in place where this decision changes the call already."""
    if word == "over":
        return
    changes = decision.changes
    place = next(
        (
            place
            for place in range(len(changes) - 1, -1, -1)
            if isinstance(one := changes[place], Call) and one.call_id == call.call_id
        ),
        None,
    )
    newest = call if place is None else changes[place]
    assert isinstance(newest, Call)
    # A call that rings anew says nothing of somebody who was coming.
    heard, coming = (verdict, "") if word == "heard" else (newest.heard, verdict)
    if (heard, coming) == (newest.heard, newest.coming):
        return
    after = replace(newest, heard=heard, coming=coming)
    if place is None:
        changes.append(after)
    else:
        changes[place] = after
    if decision.call is not None and decision.call.call_id == call.call_id:
        decision.call = after


def _timer_of(device_id: str) -> str:
    return f"device:{device_id}:told"


def _timer_gone(state: HallState, timer_id: str) -> list[Change]:
    return [TimerGone(timer_id)] if state.timer(timer_id) is not None else []


def _word(text: str) -> Word:
    return "heard" if text == "heard" else "coming" if text == "coming" else "over"


#: Kinds of timers: hall/timers.py.
DUE = {"told": told}
