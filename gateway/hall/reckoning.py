"""Whether what we say of the car park can be true. Lives here: entrances against bays, dead sensors, overstays.

Rule 1. Entrances against bays: more than max(2, 5 % of the bays) apart for 15 minutes is a task. Nothing is corrected
        by itself: a member of staff counts the cars and says how many there are (``count_site``).
Rule 2. A bay whose state has not turned for three days, while each of its neighbours turned twenty times at the mean
        and half of them within a day, may have a dead sensor.
Rule 3. A car that stands longer than it may: a minute in a fire lane, elsewhere as the plan says. A permit that a
        sensor reads and that the bay's plan does not name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.hall.bays import UNCLAIMED_ZONE
from gateway.hall.parking_rows import BayPlan, BayTag, Entrance, ParkingTask, Reckoning, Site, ZonePlan
from gateway.hall.parking_tasks import cleared, find, opened
from gateway.hall.showing import ONE_SITE, feed_fault, too_many, zones_of
from gateway.hall.state import Bay, Change, Decision, HallState, Zone
from gateway.hall.supervision import for_long

_MIN, _D = 60_000, 24 * 3_600_000

#: Apart by more than this many cars, or this share of the bays, whichever is more (the project's own bar).
DRIFT_LEAST, DRIFT_SHARE = 2, 0.05
#: … for so long: from the gate to a bay and into it takes five minutes at most in a compound, a sensor's settling and
#: radio one; three times that, so that nobody is sent for cars that are looking for a place.
DRIFT_FOR_MS = 15 * _MIN
#: A dead sensor. By chance alone, a bay like its neighbours would miss twenty turns once in 500 million times (e^-20);
#: three days, so that a weekend away is none; four neighbours, or there is nothing to compare with.
STUCK_TURNS, STUCK_MS, STUCK_NEIGHBOURS, STUCK_LIVELY = 20, 3 * _D, 4, 0.5
#: A car in a fire lane: time to unload nobody has.
FIRE_LANE_MS = _MIN


# ---------------------------------------------------------------- entrances against bays


def subject_of(entrance: Entrance) -> str:
    return f"zone:{entrance.zone_id}" if entrance.zone_id else f"site:{entrance.site_id}"


def known_subject(state: HallState, subject: str) -> bool:
    """Whether there is such a zone or site."""
    kind, _, name = subject.partition(":")
    if kind == "zone":
        return name in state.zones and name != UNCLAIMED_ZONE.zone_id
    return kind == "site" and (name in state.table(Site) or name == ONE_SITE)


def zones_under(state: HallState, subject: str) -> list[Zone]:
    kind, _, name = subject.partition(":")
    if kind == "site":
        return zones_of(state, name)
    return [state.zones[name]] if name in state.zones else []


def begun(state: HallState, subject: str, now_ms: int) -> list[Change]:
    """A first entrance counts for this site or zone: from what its bays say now."""
    if subject in state.table(Reckoning):
        return []
    taken = sum(zone.taken for zone in zones_under(state, subject))
    return [Reckoning(subject, taken, now_ms, taken)]


def drift_of(state: HallState, row: Reckoning) -> int:
    """Cars that the entrances have counted beyond those on bays. On a bay that is unknown, or closed with its car on
    it, there may stand one of them."""
    zones = zones_under(state, row.subject)
    least = sum(zone.taken for zone in zones)
    most = least + sum(zone.unknown + zone.closed for zone in zones)
    return row.counted - least if row.counted < least else max(0, row.counted - most)


def limit_of(state: HallState, subject: str) -> float:
    """So many cars apart is still weather."""
    bays = sum(zone.total - zone.closed for zone in zones_under(state, subject))
    return max(DRIFT_LEAST, DRIFT_SHARE * bays)


def drifts(state: HallState, now_ms: int) -> Decision:
    """Look at every reckoning. Only what is over its limit now and was not before, or the other way round, is news."""
    whole = Decision()
    for row in list(state.table(Reckoning).values()):
        drift = drift_of(state, row)
        over = abs(drift) > limit_of(state, row.subject)
        decision = Decision()
        after = replace(row, drift=drift)
        if over and not row.drift_since_ms:
            after = replace(after, drift_since_ms=now_ms)
        elif not over:
            after = replace(after, drift_since_ms=0)
            decision.changes += cleared(state, "drift", row.subject, now_ms)
        elif over and now_ms - row.drift_since_ms >= DRIFT_FOR_MS:
            decision.changes += opened(state, "drift", row.subject, _drift_words(state, after), now_ms)
        if after.drift_since_ms != row.drift_since_ms or decision.changes:
            decision.changes.insert(0, after)
        elif after != row:
            decision.quiet.append(after)
        _add(state, whole, decision)
    return whole


def _drift_words(state: HallState, row: Reckoning) -> tuple[str, str]:
    zones = zones_under(state, row.subject)
    taken, unknown, closed = (sum(getattr(zone, name) for zone in zones) for name in ("taken", "unknown", "closed"))
    maybe_zh = f"未知 {unknown}" + (f"，停用 {closed}" if closed else "")
    maybe_en = f"unknown {unknown}" + (f", closed {closed}" if closed else "")
    (zh, en), apart = for_long(DRIFT_FOR_MS), abs(row.drift)
    return (
        f"进出口算得 {row.counted} 辆，车位看到 {taken} 辆（{maybe_zh}），相差 {apart} 辆已超过{zh}：请点一次车",
        f"entrances: {row.counted} cars; bays: {taken} ({maybe_en}): {apart} apart for {en}: count the cars",
    )


# ---------------------------------------------------------------- more than there are


def overfull(state: HallState, now_ms: int) -> Decision:
    """A site on whose bays more cars stand than it has by its plan."""
    whole = Decision()
    for site in state.table(Site).values():
        if site.capacity <= 0:
            continue
        subject = f"site:{site.site_id}"
        if taken := too_many(state, site):
            most = site.capacity
            why = (
                f"{site.name_zh}：占用 {taken} 个，多于登记的 {most} 个车位；屏幕显示“--”，请核对车位和登记",
                f"{site.name_en}: {taken} taken, more than its {most} bays; the panel shows “--”; check the plan",
            )
            _add(state, whole, Decision(changes=opened(state, "impossible", subject, why, now_ms)))
        elif not feed_fault(state, site):
            _add(state, whole, Decision(changes=cleared(state, "impossible", subject, now_ms)))
    return whole


# ---------------------------------------------------------------- overstays and permits


def stays(state: HallState, now_ms: int) -> Decision:
    """Who stands longer than allowed, or with a permit for elsewhere; and whose car has gone."""
    whole = Decision()
    zone_plans, tags = state.table(ZonePlan), state.table(BayTag)
    plans = state.table(BayPlan)
    for plan in plans.values():
        allowed_ms = _allowed_ms(plan, zone_plans)
        if not allowed_ms and not plan.permits:
            continue
        bay = state.bays.get(plan.bay_id)
        if bay is None or bay.state != "taken":
            continue
        since_ms, subject = _taken_since_ms(bay), f"bay:{bay.bay_id}"
        stood_ms = now_ms - since_ms
        if 0 < allowed_ms <= stood_ms:
            why = _overstay_words(plan, stood_ms)
            _add(state, whole, Decision(changes=opened(state, "overstay", subject, why, now_ms, since_ms)))
        tag = tags.get(bay.bay_id)
        if plan.permits and tag is not None and tag.tag not in plan.permits and stood_ms >= FIRE_LANE_MS:
            why = (
                f"车位 {plan.label or bay.bay_id}：停着的车带的是 {tag.tag}，不是这个车位的许可",
                f"bay {plan.label or bay.bay_id}: the car's permit {tag.tag} is not one of this bay's",
            )
            _add(state, whole, Decision(changes=opened(state, "permit", subject, why, now_ms, since_ms)))
    for task in list(state.table(ParkingTask).values()):
        if task.kind in ("overstay", "permit") and task.done_ms is None and task.cleared_ms is None:
            bay = state.bays.get(task.subject.removeprefix("bay:"))
            if bay is None or bay.last_known == "free" or bay.state == "closed":
                _add(state, whole, Decision(changes=cleared(state, task.kind, task.subject, now_ms)))
    return whole


def _allowed_ms(plan: BayPlan, zones: Mapping[str, ZonePlan]) -> int:
    """How long a car may stand there; 0: as it likes."""
    if plan.stays_ms:
        return plan.stays_ms
    if plan.kind == "fire_lane":
        return FIRE_LANE_MS
    zone = zones.get(plan.zone_id)
    return zone.stays_ms if zone is not None else 0


def _taken_since_ms(bay: Bay) -> int:
    """Since when a car stands there, whatever its sensor did not say in between, and whatever zone it is in now."""
    return min(bay.turned_ms, bay.since_ms) if bay.last_known == "taken" and bay.turned_ms else bay.since_ms


def _overstay_words(plan: BayPlan, stood_ms: int) -> tuple[str, str]:
    zh, en = for_long(stood_ms)
    where = plan.label or plan.bay_id
    if plan.kind == "fire_lane":
        return (
            f"消防通道 {where} 有车停了{zh}：请马上挪车",
            f"a car stands in the fire lane {where} for {en}: have it moved",
        )
    return (
        f"车位 {where} 的车已停{zh}，超过规定时间",
        f"the car on bay {where} stands there for {en}, longer than allowed",
    )


# ---------------------------------------------------------------- dead sensors


def stuck(state: HallState, now_ms: int) -> Decision:
    """Bays that stay as they are while their neighbours come and go. To be asked once an hour: it looks at all."""
    whole = Decision()
    by_zone: dict[str, list[Bay]] = {}
    for bay in state.bays.values():
        if bay.zone_id != UNCLAIMED_ZONE.zone_id and bay.state in ("free", "taken"):
            by_zone.setdefault(bay.zone_id, []).append(bay)
    for zone_id, bays in by_zone.items():
        zone, others = state.zones[zone_id], len(bays) - 1
        if others < STUCK_NEIGHBOURS:
            continue
        lively = sum(now_ms - bay.turned_ms < _D for bay in bays)
        for bay in bays:
            quiet = bay.turned_ms > 0 and now_ms - bay.turned_ms >= STUCK_MS
            turns = zone.turns - bay.turned_at
            if quiet and turns >= STUCK_TURNS * others and lively >= STUCK_LIVELY * others:
                why = _stuck_words(bay, now_ms - bay.turned_ms, turns // others)
                _add(state, whole, Decision(changes=opened(state, "stuck", f"bay:{bay.bay_id}", why, now_ms)))
            elif not quiet and (task := find(state, "stuck", f"bay:{bay.bay_id}")) is not None:
                _add(state, whole, Decision(changes=cleared(state, "stuck", task.subject, now_ms)))
    return whole


def _stuck_words(bay: Bay, for_ms: int, turns: int) -> tuple[str, str]:
    zh, en = for_long(for_ms)
    state_zh = "有车" if bay.state == "taken" else "空"
    return (
        f"车位 {bay.bay_id} {zh}一直显示“{state_zh}”，旁边的车位平均变了 {turns} 次：请去看一眼，传感器可能坏了",
        f"bay {bay.bay_id} says “{bay.state}” for {en}; its neighbours turned {turns} times: a dead sensor?",
    )


def _add(state: HallState, whole: Decision, decision: Decision) -> None:
    """The next one sees what this one has changed: numbers of tasks among it."""
    if decision.changes or decision.quiet:
        state.put(decision)
        whole.changes += decision.changes
        whole.quiet += decision.quiet
