"""The bays' counts. Lives here: free / taken / unknown / closed, per bay and zone. What a panel shows: showing.py.

Rule 1. free + taken + unknown + closed = all bays, always.
Rule 2. A silent sensor is *unknown*, never free.
Rule 3. A bay that staff closed stays closed until staff open it; what its sensor says meanwhile is not shown.
Rule 4. What a sensor says counts when it has settled (sensing.py).
Rule 5. A sensor that nobody has claimed shows its bay in the zone "unclaimed"; no panel counts that zone. Where
        a bay of the hall bears its name it has none: sensors come with names, and staff hang "bay-02" over bay-01.
"""

from __future__ import annotations

from dataclasses import replace

from devices.faults import OrderRefused
from devices.messages import BayHeard, BaySettled, BayState
from gateway.hall import sensing
from gateway.hall.fields import Fields
from gateway.hall.parking_rows import OLD, BayTag, SiteSaid
from gateway.hall.rows import RowGone
from gateway.hall.state import Bay, BayGone, BayMove, Decision, Device, HallState, JournalLine, Zone

UNCLAIMED_ZONE = Zone("unclaimed", "待认领", "Unclaimed")
#: A bay that turns more often than this is counted among its zone's turns as if it did not: one sensor that flaps must
#: not make all its neighbours look dead.
TURNS_APART_MS = 10 * 60_000


def heard(state: HallState, fact: BayHeard, device: Device, now_ms: int) -> Decision:
    """A sensor spoke of its bay. Only a change of state is written; the rest is its being seen."""
    bay_id = device.bay_id or device.device_id
    bay = state.bays.get(bay_id)
    spoken: BayState = "unknown" if fact.occupied is None else ("taken" if fact.occupied else "free")
    if bay is not None and device.kind == "unclaimed" and bay.zone_id != UNCLAIMED_ZONE.zone_id:
        return Decision()
    if bay is None:
        decision = placed(state, bay_id, device.zone_id or UNCLAIMED_ZONE.zone_id, device.device_id, now_ms)
        state_of_bay = next(one for one in decision.changes if isinstance(one, Bay))
        return _moved(state, state_of_bay, spoken, now_ms, decision)
    seen = replace(bay, last_seen_ms=now_ms)
    decision = Decision()
    if fact.tag or bay_id in state.table(BayTag):
        _tagged(state, bay_id, fact, decision, now_ms)
    if bay.state == "closed" or (fact.tag and fact.occupied is None):
        decision.quiet.append(seen)  # a permit alone says nothing of how the bay stands
        return decision
    counts, settling = sensing.counts(state, device, bay, spoken, fact.by_distance)
    if settling is not None:
        decision.quiet.append(settling)
    if counts:
        return _moved(state, seen, spoken, now_ms, decision)
    decision.quiet.append(seen)
    return decision


def settled(state: HallState, fact: BaySettled, now_ms: int) -> Decision:
    """What a sensor said of its bay has stood long enough."""
    bay, settling = sensing.has_settled(state, fact.device_id, fact.wanted, fact.number)
    decision = Decision(quiet=[settling] if settling is not None else [])
    return decision if bay is None else _moved(state, bay, fact.wanted, now_ms, decision)


def _tagged(state: HallState, bay_id: str, fact: BayHeard, decision: Decision, now_ms: int) -> None:
    """The permit that lies in the car, as long as the car stands there."""
    old = state.table(BayTag).get(bay_id)
    if fact.tag and fact.occupied is not False:
        if old is None or old.tag != fact.tag:
            decision.changes.append(BayTag(bay_id, fact.tag, now_ms))
    elif fact.occupied is False and old is not None:
        decision.changes.append(RowGone(BayTag.TABLE, bay_id))


def placed(state: HallState, bay_id: str, zone_id: str, device_id: str, now_ms: int) -> Decision:
    """A bay is put into a zone (or moved to another); its state is unknown until its own sensor speaks."""
    decision = Decision()
    old = state.bays.get(bay_id)
    zones: dict[str, Zone] = {}
    if old is not None:
        if old.zone_id == zone_id:
            decision.changes.append(replace(old, device_id=device_id))
            return decision
        zones[old.zone_id] = _recount(_zone(state, old.zone_id), old.state, None, now_ms)
    target = zones.get(zone_id) or _zone(state, zone_id)
    standing: BayState = old.state if old is not None else "unknown"
    zones[zone_id] = _recount(target, None, standing, now_ms)
    bay = Bay(bay_id, zone_id, standing, device_id, old.since_ms if old else now_ms, now_ms)
    if old is not None:
        # Among its new neighbours it is watched anew.
        bay = replace(bay, last_known=old.last_known, turned_ms=now_ms, turned_at=target.turns)
    decision.changes += [*zones.values(), bay]
    if zone_id == UNCLAIMED_ZONE.zone_id or (old is not None and old.zone_id != UNCLAIMED_ZONE.zone_id):
        return decision
    if old is not None and device_id != old.device_id and standing in ("free", "taken"):
        # The makeshift bay of another sensor: what that one saw is somewhere else.
        return _moved(state, replace(bay, last_known=""), "unknown", now_ms, decision)
    # Its history begins here: of a bay that nobody has ever heard, too, or what is told of a zone would leave it out.
    decision.changes.append(BayMove(bay_id, standing, now_ms))
    return decision


def without(state: HallState, bay: Bay, now_ms: int) -> Zone:
    """Its zone as it counts without this bay."""
    return _recount(_zone(state, bay.zone_id), bay.state, None, now_ms)


def left(
    state: HallState, device_id: str, keeps: str | None, decision: Decision, now_ms: int
) -> list[Zone | Bay | BayGone | BayMove]:
    """A sensor watches one bay. The others it had are watched by nobody now: unknown, never free.

    A makeshift bay (of an unclaimed sensor) goes altogether. ``decision`` holds what this order has changed so far.
    """
    changes: list[Zone | Bay | BayGone | BayMove] = []
    seen = state.child()
    seen.put(decision)
    for bay in list(seen.bays.values()):
        if bay.device_id != device_id or bay.bay_id == keeps:
            continue
        if bay.zone_id == UNCLAIMED_ZONE.zone_id:
            changes += [_recount(_zone(seen, bay.zone_id), bay.state, None, now_ms), BayGone(bay.bay_id)]
            continue
        gone = replace(bay, device_id="")
        if gone.state in ("free", "taken"):
            moved = _moved(seen, gone, "unknown", now_ms, Decision()).changes
            changes += [change for change in moved if isinstance(change, (Zone, Bay, BayMove))]
        else:
            changes.append(gone)
        seen.put(Decision(changes=list(changes)))
    return changes


def fell_silent(state: HallState, bay: Bay, now_ms: int) -> Decision:
    """The sensor has said nothing for longer than it promised: nobody knows any more."""
    if bay.state not in ("free", "taken"):
        return Decision()
    decision = _moved(state, bay, "unknown", now_ms, Decision())
    decision.changes.append(JournalLine(now_ms, "BaySilent", f"bay:{bay.bay_id}"))
    return decision


def too_old(state: HallState, device: Device, now_ms: int) -> Decision:
    """What the device said of its bay or site is older than it may be, and nobody need be at fault for that.

    It is among the changes itself: whatever it says next is news.
    """
    bay = state.bays.get(device.bay_id) if device.bay_id else None
    if bay is not None and bay.device_id == device.device_id:
        decision = fell_silent(state, bay, now_ms)
    else:
        said = state.table(SiteSaid).get(device.device_id)
        decision = Decision(changes=[] if said is None or said.fault else [replace(said, fault=OLD)])
    if decision.changes:
        decision.changes.append(state.devices.get(device.device_id, device))
    return decision


def set_closed(state: HallState, bay_id: str, close: bool, by: str, now_ms: int) -> Decision:
    """Staff take a bay out of use or bring it back; brought back it is unknown until its sensor speaks."""
    bay = state.bays.get(bay_id)
    if bay is None:
        raise OrderRefused(f"没有车位 {bay_id}", f"there is no bay {bay_id}")
    if close == (bay.state == "closed"):
        return Decision()
    if not close:
        bay = replace(bay, last_known="")  # the car that stands there now need not be the one of before
    decision = _moved(state, bay, "closed" if close else "unknown", now_ms, Decision())
    decision.changes.append(JournalLine(now_ms, "BayClosed" if close else "BayOpened", f"bay:{bay_id}", by))
    return decision


def _moved(state: HallState, bay: Bay, to: BayState, now_ms: int, decision: Decision) -> Decision:
    """Put the bay into its new state; the zone's counts follow in the same transaction."""
    zone = next(
        (one for one in decision.changes if isinstance(one, Zone) and one.zone_id == bay.zone_id), None
    ) or _zone(state, bay.zone_id)
    counted = _recount(zone, bay.state, to, now_ms)
    after = replace(bay, state=to, since_ms=now_ms if to != bay.state else bay.since_ms)
    if to in ("free", "taken") and to != bay.last_known:
        if bay.last_known and now_ms - bay.turned_ms >= TURNS_APART_MS:
            counted = replace(counted, turns=counted.turns + 1)
        after = replace(after, last_known=to, turned_ms=now_ms, turned_at=counted.turns)
    rest = [
        one
        for one in decision.changes
        if not (isinstance(one, Zone) and one.zone_id == counted.zone_id)
        and not (isinstance(one, Bay) and one.bay_id == after.bay_id)
    ]
    decision.changes[:] = [*rest, counted, after]
    if bay.zone_id != UNCLAIMED_ZONE.zone_id:
        decision.changes.append(BayMove(bay.bay_id, to, now_ms))
    return decision


def _recount(zone: Zone, leaves: BayState | None, enters: BayState | None, now_ms: int) -> Zone:
    counts = {"free": zone.free, "taken": zone.taken, "unknown": zone.unknown, "closed": zone.closed}
    if leaves is not None:
        counts[leaves] -= 1
    if enters is not None:
        counts[enters] += 1
    return replace(
        zone,
        free=counts["free"],
        taken=counts["taken"],
        unknown=counts["unknown"],
        closed=counts["closed"],
        since_ms=now_ms,
    )


def _zone(state: HallState, zone_id: str) -> Zone:
    zone = state.zones.get(zone_id)
    if zone is not None:
        return zone
    if zone_id == UNCLAIMED_ZONE.zone_id:
        return UNCLAIMED_ZONE
    return Zone(zone_id, zone_id, zone_id)


def _close(state: HallState, fields: Fields, now_ms: int) -> Decision:
    return set_closed(state, fields.text("bay_id"), True, fields.text("by", ""), now_ms)


def _open(state: HallState, fields: Fields, now_ms: int) -> Decision:
    return set_closed(state, fields.text("bay_id"), False, fields.text("by", ""), now_ms)


ORDERS = {"close_bay": _close, "open_bay": _open}
