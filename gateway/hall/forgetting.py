"""What is forgotten. Lives here: devices that nobody claimed and nobody hears any more.

Rule 1. A claimed device is never forgotten: silence is shown, not tidied away.
Rule 2. A device that nobody has claimed goes when it has not been heard for ``FORGET_AFTER_MS``, and no call of its is
        open. Its makeshift bay goes with it. Heard again, it appears again.
Rule 3. What is remembered of the presses of an id that is no device (a screen, a device that was taken away) goes after
        the same time.
Rule 4. What somebody said or did is erased from the journal on demand, line by line; that there was a line stays.
Rule 5. It is journalled, but for rule 3; nothing happens while the time is not known (the loop asks only then).
"""

from __future__ import annotations

from gateway.hall import answering, bays, upkeep
from gateway.hall.fields import Fields
from gateway.hall.parking_rows import WordOrder
from gateway.hall.rows import LastPress, RowGone
from gateway.hall.state import Decision, DeviceGone, HallState, JournalLine, WordsErased

#: A neighbour's thermometer, a passing car's tyre sensor: our choice, longer than any holiday of a button's owner.
FORGET_AFTER_MS = 30 * 24 * 3600 * 1000
#: So many at a time: one transaction stays small.
AT_A_TIME = 50


def forgotten(state: HallState, now_ms: int) -> Decision:
    """Unclaimed devices that have been silent for a month."""
    decision = Decision()
    ringing = {call.device_id for call in state.calls.values() if call.state != "CLOSED"}
    gone = [
        device
        for device in state.devices.values()
        if device.kind == "unclaimed"
        and now_ms - device.last_seen_ms > FORGET_AFTER_MS
        and device.device_id not in ringing
    ]
    for device in gone[:AT_A_TIME]:
        decision.changes += bays.left(state, device.device_id, None, decision, now_ms)
        decision.changes.append(DeviceGone(device.device_id))
        decision.changes += [
            RowGone(LastPress.TABLE, key) for key in state.table(LastPress) if key[0] == device.device_id
        ]
        decision.changes += answering.forgotten(state, device.device_id)
        decision.changes += upkeep.forgotten(state, device.device_id)
        if device.device_id in state.table(WordOrder):
            decision.changes.append(RowGone(WordOrder.TABLE, device.device_id))
        decision.changes.append(
            JournalLine(now_ms, "DeviceForgotten", f"device:{device.device_id}", "", device.family)
        )
    nobodys = [
        last.key
        for last in state.table(LastPress).values()
        if last.device_id not in state.devices
        and last.device_id not in ringing
        and now_ms - last.heard_ms > FORGET_AFTER_MS
    ]
    decision.changes += [RowGone(LastPress.TABLE, key) for key in nobodys[:AT_A_TIME]]
    return decision


def words_erased(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """Erase who acted and what was said in one line of the journal; that this was done is a line itself."""
    line_id = fields.number("line_id", least=1)
    return Decision(
        changes=[
            WordsErased(line_id),
            JournalLine(now_ms, "WordsErased", f"line:{line_id}", fields.name("by")),
        ]
    )


ORDERS = {"erase_words": words_erased}
