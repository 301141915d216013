"""What a panel shows. Lives here: reserves, levels with hysteresis, when there is no number to show.

Rule 1. A panel shows no number that is not known: above 20 % unknown, where the counts cannot be, or where hall.toml
        names a zone that this hall does not have, it shows "--". Where every bay is closed there is no doubt, and
        nothing to be had: it says so.
Rule 2. What it shows is for whoever comes: the free bays without the reserves, and without fire lanes.
Rule 3. "Full" and "almost full" have a gap each between coming and going, so that one car does not make the word flap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from devices.messages import Level, ShowCount
from devices.plan import Panel
from gateway.hall.bays import UNCLAIMED_ZONE
from gateway.hall.parking_rows import OLD, BayPlan, Site, SiteSaid, ZonePlan
from gateway.hall.state import Change, Decision, Device, HallState, Zone

#: Above this share of unknown bays a panel shows no number: our choice, because one bay in five wrong sends a
#: driver on a tour of the compound.
CERTAIN_SHARE = 0.20
#: The site of a zone of which nobody has said more.
ONE_SITE = "site"
_SHOWN = (Zone, ZonePlan, BayPlan, Site, SiteSaid)


def follow(state: HallState, panels: Sequence[Panel], now_ms: int) -> Decision:
    """Levels of zones, and what each panel is to show now; only what differs from before."""
    decision = Decision()
    lanes = _fire_lanes(state)
    for plan in state.table(ZonePlan).values():
        zone = state.zones.get(plan.zone_id)
        if zone is None or not _certain(zone.free + zone.taken + zone.unknown, zone.unknown):
            continue
        level = level_of(plan, plan.level, max(0, zone.free - reserve_of(plan) - lanes.get(plan.zone_id, 0)))
        if level != plan.level:
            decision.changes.append(replace(plan, level=level))
    wrong = impossible(state)
    for panel in panels:
        count = _count(state, panel, lanes, wrong, now_ms)
        old = state.shown.get(panel.id)
        if old is None or replace(old, since_ms=0) != replace(count, since_ms=0):
            decision.changes.append(count)
            decision.effects.append(count)
    return decision


def of_zone(state: HallState, zone_id: str, now_ms: int = 0) -> ShowCount:
    """What a panel over exactly this zone shows. Its memory is ``state.shown["zone:<id>"]``, if anybody keeps one."""
    panel = Panel(f"zone:{zone_id}", zones=(zone_id,))
    return _count(state, panel, _fire_lanes(state), impossible(state), now_ms)


def kept_back(state: HallState, zone_id: str) -> int:
    """How many of a zone's free bays are not for whoever comes: its reserves, and fire lanes on which nobody stands."""
    plan = state.table(ZonePlan).get(zone_id) or ZonePlan(zone_id)
    return reserve_of(plan) + _fire_lanes(state).get(zone_id, 0)


def concerned(changes: Iterable[Change]) -> bool:
    """Whether any of these may change what a panel shows."""
    return any(
        isinstance(change, _SHOWN) or (isinstance(change, Device) and change.kind == "site_feed")
        for change in changes
    )


def site_of(state: HallState, zone_id: str) -> str:
    """The site to which a zone belongs."""
    plan = state.table(ZonePlan).get(zone_id)
    return plan.site_id if plan is not None else ONE_SITE


def zones_of(state: HallState, site_id: str) -> list[Zone]:
    """The zones of a site, those of unclaimed sensors not among them."""
    return [
        zone
        for zone in state.zones.values()
        if zone.zone_id != UNCLAIMED_ZONE.zone_id and site_of(state, zone.zone_id) == site_id
    ]


def missing(state: HallState, panel: Panel) -> list[str]:
    """Zones and the site that hall.toml names for a panel and this hall does not have."""
    zones = [one for one in panel.zones if one not in state.zones or one == UNCLAIMED_ZONE.zone_id]
    if panel.zones or not panel.site:
        return zones
    there = panel.site in state.table(Site) or zones_of(state, panel.site)
    return [] if there else [panel.site]


def impossible(state: HallState) -> frozenset[str]:
    """Subjects ("site:…") whose numbers cannot be, as long as that is so: whatever has been done with their task."""
    return frozenset(
        f"site:{site.site_id}"
        for site in state.table(Site).values()
        if feed_fault(state, site) or too_many(state, site)
    )


def feed_fault(state: HallState, site: Site) -> str:
    """Why what its feed said last cannot be, a word of gates.FAULTS; "" where it can, or where it has none."""
    said = state.table(SiteSaid).get(site.feed) if site.feed else None
    return said.fault if said is not None and said.fault != OLD else ""


def too_many(state: HallState, site: Site) -> int:
    """How many cars stand there (or bays are free, by its feed) where that is more than it has bays; else 0."""
    if site.capacity <= 0:
        return 0
    zones, said = zones_of(state, site.site_id), state.table(SiteSaid).get(site.feed)
    if zones or said is None:
        most = sum(zone.taken for zone in zones)
    else:
        most = max(said.taken or 0, said.free or 0)
    return most if most > site.capacity else 0


def reserve_of(plan: ZonePlan) -> int:
    return plan.residents_reserve + plan.disabled_reserve + plan.emergency_reserve


def level_of(plan: ZonePlan, before: str, number: int) -> Level:
    """How full it is with ``number`` bays left, after it was ``before``."""
    if number <= plan.full_at or (before == "full" and number < plan.full_until):
        return "full"
    if number <= plan.almost_at or (before in ("almost", "full") and number < plan.almost_until):
        return "almost"
    return "open"


def _count(
    state: HallState, panel: Panel, lanes: dict[str, int], wrong: frozenset[str], now_ms: int
) -> ShowCount:
    if panel.zones:
        named = (state.zones.get(zone_id) for zone_id in panel.zones if zone_id != UNCLAIMED_ZONE.zone_id)
        zones = [zone for zone in named if zone is not None]
    elif panel.site:
        zones = zones_of(state, panel.site)
    else:
        zones = [zone for zone in state.zones.values() if zone.zone_id != UNCLAIMED_ZONE.zone_id]
    if not zones and panel.site:
        return _count_of_feed(state, panel, wrong, now_ms)
    plans = [state.table(ZonePlan).get(zone.zone_id) or ZonePlan(zone.zone_id) for zone in zones]
    free, taken, unknown, closed = (
        sum(getattr(zone, name) for zone in zones) for name in ("free", "taken", "unknown", "closed")
    )
    # Zone by zone: what one zone cannot keep back, because too little of it is free, is not taken from its neighbour.
    kept = zip(zones, map(reserve_of, plans), strict=True)
    reserved = sum(min(zone.free, reserve + lanes.get(zone.zone_id, 0)) for zone, reserve in kept)
    possible = not missing(state, panel) and not any(f"site:{plan.site_id}" in wrong for plan in plans)
    total = free + taken + unknown + closed
    certain = possible and is_certain(total, unknown, closed)
    if not possible:
        reserved = max(reserved, free)  # a panel that has no "--" promises at least so many: none
    count = ShowCount(panel.id, "", free, taken, unknown, closed, total, certain, now_ms, reserved=reserved)
    return _worded(state, panel, count, _together(plans))


def _count_of_feed(state: HallState, panel: Panel, wrong: frozenset[str], now_ms: int) -> ShowCount:
    """A site without bays of ours: what its feed says, as long as it says it and it can be."""
    site = state.table(Site).get(panel.site)
    said = state.table(SiteSaid).get(site.feed) if site is not None and site.feed else None
    device = state.devices.get(said.device_id) if said is not None else None
    if said is None or said.free is None or said.fault or f"site:{panel.site}" in wrong:
        return _worded(state, panel, ShowCount(panel.id, "", 0, 0, 0, 0, 0, False, now_ms), ZonePlan(""))
    # What a feed does not say of its whole, the site's own row does.
    whole = said.total if said.total is not None else max(said.free, site.capacity if site is not None else 0)
    taken = said.taken if said.taken is not None else max(0, whole - said.free)
    total = said.total if said.total is not None else said.free + taken
    unknown = max(0, total - said.free - taken)
    heard = device is not None and device.health not in ("silent", "offline")
    certain = heard and _certain(total, unknown)
    reserved = 0 if heard else said.free
    count = ShowCount(panel.id, "", said.free, taken, unknown, 0, total, certain, now_ms, reserved=reserved)
    return _worded(state, panel, count, ZonePlan(""))


def _worded(state: HallState, panel: Panel, count: ShowCount, plan: ZonePlan) -> ShowCount:
    if not count.certain:
        return replace(count, text="空位 --", text_en="Free --", arrow=panel.arrow)
    if is_closed(count.closed, count.total):
        return replace(count, text="暂停使用", text_en="Closed")
    before = state.shown.get(panel.id)
    # While there was no number the zone has kept its level: "full" is not over because somebody did not know.
    was = before.level if before is not None and before.level else plan.level
    level = level_of(plan, was, max(0, count.free - count.reserved))
    if level == "full":
        # Nobody is sent to a zone that is full.
        return replace(count, level=level, text="车位已满", text_en="FULL")
    worded = replace(count, level=level, arrow=panel.arrow)
    return replace(worded, text=f"空位 {worded.number}", text_en=f"Free {worded.number}")


def _together(plans: Sequence[ZonePlan]) -> ZonePlan:
    """The limits of several zones on one panel: the widest of each; with their sum the word would come too soon."""
    if len(plans) == 1:
        return plans[0]
    return ZonePlan(
        "",
        full_at=max((plan.full_at for plan in plans), default=0),
        full_until=max((plan.full_until for plan in plans), default=1),
        almost_at=max((plan.almost_at for plan in plans), default=2),
        almost_until=max((plan.almost_until for plan in plans), default=4),
    )


def is_closed(closed: int, total: int) -> bool:
    """Whether all bays there are out of use, by the word of staff."""
    return 0 < total == closed


def is_certain(total: int, unknown: int, closed: int) -> bool:
    """Whether there is a number to be told (Rule 1): of so many bays."""
    return is_closed(closed, total) or _certain(total - closed, unknown)


def _certain(in_use: int, unknown: int) -> bool:
    return in_use > 0 and unknown <= CERTAIN_SHARE * in_use


def _fire_lanes(state: HallState) -> dict[str, int]:
    """zone → fire lanes in it on which nobody stands: free, and nobody may park there."""
    empty: dict[str, int] = {}
    for bay_id in state.fire_lanes():
        bay = state.bays.get(bay_id)
        if bay is not None and bay.state == "free":
            empty[bay.zone_id] = empty.get(bay.zone_id, 0) + 1
    return empty
