"""Is this message a press? Lives here: copies, repeats, trains, releases. Must not live here: what a press means.

One press may come as five messages; some buttons say it again every few seconds until they are let go; of some only the
release arrives. Codecs keep nothing, so that is told apart here, from what is remembered of each button.

Rule 1. Within ``BURST_MS`` unnumbered messages of a device are copies of one press (zigbee2mqtt has up to five topics).
Rule 2. Within ``REPEAT_MS`` they are repeats: the call counts them. Two presses of a person lie further apart, or do
        not matter apart: the call rings already.
Rule 3. A *train*: a button that repeats. While its call is open it is only counted. If it goes on after the call is
        closed it belongs to the closed call, and the button is called stuck: it is a machine's rhythm, for which nobody
        has to run again. That is the one place where a press can be silent, so all of this must hold: the train was
        there before (``PROVEN`` gaps); not a beat is missing for longer than three of its own; and after
        ``HAND_MS`` it keeps time as no hand does.
Rule 4. A release belongs to a press of the same button within ``HELD_MS`` that has none yet. Else it was a press.
Rule 5. Whatever is in doubt is a press.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from devices.messages import Pressed, Released
from gateway.hall.rows import Care, LastPress
from gateway.hall.state import Call, Change, HallState, JournalLine

#: Copies of one unnumbered press come within 2 s of each other: live zigbee2mqtt logs show 0-1 s, we double it.
BURST_MS = 2_000
#: Copies of a press that the *network* numbers (a LoRaWAN frame counter starts again after a re-join, an
#: event counter after a reboot) are the same press within this time; later the same number is a new press. An
#: unnumbered one that the broker says it sent before is one, too.
NETWORK_COPY_MS = 30_000
#: A redelivery (MQTT's DUP) of the same number is believed for a day; after that the number has been used anew.
REDELIVERED_MS = 24 * 3600 * 1000
#: Nearer than this it is a repeat of a button; further apart they are two presses, two facts.
REPEAT_MS = 10_000
#: So many gaps in a row make a train; of one whose beat is longer than ``REPEAT_MS`` more, for people wait, too.
PROVEN, SLOW_PROVEN = 2, 4
#: The slowest train that is believed to be one.
SLOWEST_MS = 120_000
#: So much may a slow train's gap differ from its beat: network and queues delay by a second or so; hands by more.
SLOW_SLACK_MS = 1_500
#: So many beats in a row may be lost: one lost message is weather, three are an end (as things.MISSED).
LOST = 3
#: For so long after the call was closed a train may be a hand that presses on; then only a machine's rhythm joins.
HAND_MS = 60_000
#: What a machine's gaps differ from a multiple of its beat: a part of the beat, and what radio and queues add. A hand's
#: lie anywhere between two multiples, on average a quarter of the beat away. (Tried on gaps drawn at random: hands of
#: 2-9, 2-5 and 4±1 s ring anew within 131 s, half of them within 64; of 3±0.5 s within 9 min, half within 141 s;
#: machines of 2, 3 and 5 s do not while no three beats in a row are lost.)
JITTER, JITTER_MS = 8, 150
#: Nobody holds a button longer, and a press that was lost within this time is one of a call that has just rung.
HELD_MS = 120_000
#: A train's first repeats are written and shown one by one; then once a minute, or hours of them wear out the card.
SHOWN_REPEATS = 20
SHOWN_EVERY_MS = 60_000

#: Our own buttons and pins count each press and repeat it with its number only: what they say anew is a new press.
OWN_FAMILIES = frozenset({"linli", "gpio"})
STUCK = "stuck"
STUCK_WHY = (
    "按钮一直在重复发信号，可能卡住了：请去看一下",
    "it keeps on calling after its call was closed: the button may be stuck, go and look",
)

Word = Literal["copy", "repeat", "stuck", "press"]


def heard(touch: LastPress | None, last: Call | None, fact: Pressed, now_ms: int) -> tuple[Word, LastPress]:
    """What an (unknown) press message is, and what is to be remembered of its button then.

    :param touch: what is remembered of this button so far.
    :param last: the device's newest call, open or closed.
    """
    fresh = LastPress(fact.device_id, fact.button, now_ms)
    if fact.event == "release":
        fresh = replace(fresh, release_ms=now_ms, by_release=True)
    if last is not None and _is_copy(touch, last, fact, now_ms):
        return "copy", touch or fresh
    if touch is None or last is None or fact.family in OWN_FAMILIES or fact.event == "raised":
        return "press", fresh
    gap_ms = now_ms - touch.heard_ms
    after = _in_step(touch, fresh, gap_ms)
    near = 0 <= gap_ms < REPEAT_MS
    if last.state != "CLOSED":
        return ("repeat" if near else "press"), after
    if last.kind == "test":
        return "press", fresh  # who pressed all through a test was asking for help; a stuck button rings once more
    joins = (
        after.train > 0 and _proven(touch) and gap_ms <= max(LOST * touch.beat_ms + SLOW_SLACK_MS, REPEAT_MS)
    )
    if joins and last.closed_ms is not None and now_ms - last.closed_ms > HAND_MS:
        joins = after.jitter_ms <= after.beat_ms // JITTER + JITTER_MS
    return ("stuck" if joins else "press"), after


def _is_copy(touch: LastPress | None, last: Call, fact: Pressed, now_ms: int) -> bool:
    if touch is not None and touch.by_release and 0 <= now_ms - touch.heard_ms < BURST_MS:
        return True  # a maker that says "up" before it says what that was (Shelly)
    if fact.press_id:
        return False
    since_ms = now_ms - max(last.last_press_ms, touch.heard_ms if touch is not None else 0)
    return 0 <= since_ms < (NETWORK_COPY_MS if fact.redelivered else BURST_MS)


def _in_step(touch: LastPress, fresh: LastPress, gap_ms: int) -> LastPress:
    """The button's rhythm with one more gap in it."""
    if not 0 <= gap_ms <= LOST * SLOWEST_MS + SLOW_SLACK_MS:
        return fresh
    beat_ms = touch.beat_ms
    beats = max(1, round(gap_ms / beat_ms)) if beat_ms else 0
    if gap_ms < REPEAT_MS:
        follows = beat_ms <= REPEAT_MS  # two rhythms of one button are none
    else:
        follows = 0 < beats <= LOST and abs(gap_ms - beats * beat_ms) <= SLOW_SLACK_MS
    if not follows:
        return replace(fresh, beat_ms=gap_ms if gap_ms <= SLOWEST_MS else 0)
    if not beat_ms:
        return replace(fresh, train=1, beat_ms=gap_ms)
    return replace(
        fresh,
        train=touch.train + 1,
        beat_ms=beat_ms + (gap_ms - beat_ms) // 4 if beats == 1 else beat_ms,
        jitter_ms=touch.jitter_ms + (abs(gap_ms - beats * beat_ms) - touch.jitter_ms) // 8,
    )


def _proven(touch: LastPress) -> bool:
    return touch.train >= (PROVEN if touch.beat_ms < REPEAT_MS else SLOW_PROVEN)


def released(touch: LastPress | None, fact: Released, now_ms: int) -> tuple[bool, LastPress | None]:
    """Was it a press of which only the release arrived; and what is to be remembered of the button if it was not."""
    if touch is not None:
        if touch.release_ms < touch.heard_ms and 0 <= now_ms - touch.heard_ms <= HELD_MS:
            return False, replace(touch, release_ms=now_ms, train=0, beat_ms=0, jitter_ms=0)
        copies_ms = NETWORK_COPY_MS if fact.redelivered else BURST_MS
        if touch.release_ms and 0 <= now_ms - touch.release_ms < copies_ms:
            return False, None
    return not fact.level, None


def shown(repeats: int, before_ms: int, now_ms: int) -> bool:
    """Whether this repeat is to be written and told, or only counted in memory."""
    return repeats <= SHOWN_REPEATS or before_ms // SHOWN_EVERY_MS != now_ms // SHOWN_EVERY_MS


def stuck(state: HallState, device_id: str, now_ms: int) -> list[Change]:
    """The button goes on calling though its call is closed: somebody is to look at it. Nothing if that is known."""
    care = state.table(Care).get(device_id) or Care(device_id)
    if care.fault == STUCK:
        return []
    changes: list[Change] = [replace(care, fault=STUCK, fault_since_ms=now_ms)]
    device = state.devices.get(device_id)
    if device is not None and device.health != "fault":
        changes.append(replace(device, health="fault", why_zh=STUCK_WHY[0], why_en=STUCK_WHY[1]))
    changes.append(JournalLine(now_ms, "DeviceHealth", f"device:{device_id}", "", f"fault {STUCK}"))
    return changes


def free(state: HallState, device_id: str, now_ms: int) -> list[Change]:
    """It was let go, or a person has pressed it anew: it is stuck no longer."""
    care = state.table(Care).get(device_id)
    if care is None or care.fault != STUCK:
        return []
    changes: list[Change] = [replace(care, fault="", fault_since_ms=0)]
    device = state.devices.get(device_id)
    if device is not None and device.why_en == STUCK_WHY[1]:
        changes.append(replace(device, health="ok", why_zh="", why_en=""))
    changes.append(JournalLine(now_ms, "DeviceHealth", f"device:{device_id}", "", "ok"))
    return changes
