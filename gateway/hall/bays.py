"""The bays' counts. Lives here: free / taken / unknown / closed, per bay and zone, and what a panel shows.

Rule 1. free + taken + unknown + closed = all bays, always.
Rule 2. A silent sensor is *unknown*, never free.
Rule 3. A bay that staff closed stays closed until staff open it; what its sensor says meanwhile is not shown.
Rule 4. A panel never shows a number it does not know: above 20 % unknown it shows "--".
Rule 5. A sensor that nobody has claimed shows its bay in the zone "unclaimed"; no panel counts that zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from devices.faults import OrderRefused
from devices.messages import BayHeard, BayState, ShowCount
from devices.plan import Panel
from gateway.hall.fields import Fields
from gateway.hall.state import Bay, BayGone, BayMove, Decision, Device, HallState, JournalLine, Zone

UNCLAIMED_ZONE = Zone("unclaimed", "待认领", "Unclaimed")
#: Above this share of unknown bays a panel shows no number: our choice, because one bay in five wrong sends a
#: driver on a tour of the compound.
CERTAIN_SHARE = 0.20


def heard(state: HallState, fact: BayHeard, device: Device, now_ms: int) -> Decision:
    """A sensor spoke of its bay. Only a change of state is written; the rest is its being seen."""
    bay_id = device.bay_id or device.device_id
    bay = state.bays.get(bay_id)
    spoken: BayState = "unknown" if fact.occupied is None else ("taken" if fact.occupied else "free")
    if bay is None:
        decision = placed(state, bay_id, device.zone_id or UNCLAIMED_ZONE.zone_id, device.device_id, now_ms)
        state_of_bay = next(one for one in decision.changes if isinstance(one, Bay))
        return _moved(state, state_of_bay, spoken, now_ms, decision)
    seen = replace(bay, last_seen_ms=now_ms)
    if bay.state in ("closed", spoken):
        return Decision(quiet=[seen])
    return _moved(state, seen, spoken, now_ms, Decision())


def placed(state: HallState, bay_id: str, zone_id: str, device_id: str, now_ms: int) -> Decision:
    """A bay is put into a zone (or moved to another); its state is unknown until its sensor speaks."""
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
    decision.changes += [*zones.values(), bay]
    return decision


def left(
    state: HallState, device_id: str, keeps: str | None, decision: Decision, now_ms: int
) -> list[Zone | Bay | BayGone]:
    """A sensor watches one bay. The others it had are watched by nobody now: unknown, never free.

    A makeshift bay (of an unclaimed sensor) goes altogether. ``decision`` holds what this order has changed so far.
    """
    changes: list[Zone | Bay | BayGone] = []
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
            changes += [change for change in moved if isinstance(change, (Zone, Bay))]
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


def set_closed(state: HallState, bay_id: str, close: bool, by: str, now_ms: int) -> Decision:
    """Staff take a bay out of use or bring it back; brought back it is unknown until its sensor speaks."""
    bay = state.bays.get(bay_id)
    if bay is None:
        raise OrderRefused(f"没有车位 {bay_id}", f"there is no bay {bay_id}")
    if close == (bay.state == "closed"):
        return Decision()
    decision = _moved(state, bay, "closed" if close else "unknown", now_ms, Decision())
    decision.changes.append(JournalLine(now_ms, "BayClosed" if close else "BayOpened", f"bay:{bay_id}", by))
    return decision


def shown(state: HallState, panels: Sequence[Panel], now_ms: int) -> list[ShowCount]:
    """What each panel is to show now; only those that differ from what they show."""
    answer = []
    for panel in panels:
        zones = [
            zone
            for zone in state.zones.values()
            if (zone.zone_id in panel.zones if panel.zones else zone.zone_id != UNCLAIMED_ZONE.zone_id)
        ]
        count = _count(panel.id, zones, now_ms)
        old = state.shown.get(panel.id)
        if old is None or replace(old, since_ms=0) != replace(count, since_ms=0):
            answer.append(count)
    return answer


def _count(panel: str, zones: Sequence[Zone], now_ms: int) -> ShowCount:
    free = sum(zone.free for zone in zones)
    taken = sum(zone.taken for zone in zones)
    unknown = sum(zone.unknown for zone in zones)
    closed = sum(zone.closed for zone in zones)
    in_use = free + taken + unknown
    certain = in_use > 0 and unknown <= CERTAIN_SHARE * in_use
    if not certain:
        text = "空位 --"
    elif free:
        text = f"空位 {free}"
    else:
        text = "车位已满"
    return ShowCount(panel, text, free, taken, unknown, closed, in_use + closed, certain, now_ms)


def _moved(state: HallState, bay: Bay, to: BayState, now_ms: int, decision: Decision) -> Decision:
    """Put the bay into its new state; the zone's counts follow in the same transaction."""
    zone = next(
        (one for one in decision.changes if isinstance(one, Zone) and one.zone_id == bay.zone_id), None
    ) or _zone(state, bay.zone_id)
    counted = _recount(zone, bay.state, to, now_ms)
    after = replace(bay, state=to, since_ms=now_ms if to != bay.state else bay.since_ms)
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
