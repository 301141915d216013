"""Counters at gates and feeds of whole sites. Lives here: from what they say to cars, and what cannot be.

Rule 1. A total that grew is that many cars. One that is smaller has begun anew at zero, or has run over its width.
Rule 2. More cars than a gate lets through in the time are no cars: nothing is counted, and somebody is asked to look.
Rule 3. A feed's numbers stand beside ours and are never mixed with them; where they cannot be, no panel shows them.
"""

from __future__ import annotations

import re
from dataclasses import replace

from devices.faults import OrderRefused
from devices.messages import CarsCounted, SiteHeard
from gateway.hall import parking_tasks
from gateway.hall.fields import Fields
from gateway.hall.parking_rows import OLD, Entrance, Reckoning, Site, SiteSaid
from gateway.hall.reckoning import begun, drift_of, known_subject, subject_of
from gateway.hall.showing import ONE_SITE, site_of
from gateway.hall.state import Change, Decision, Device, HallState, JournalLine

#: A barrier lets a car through every two seconds at best; with two lanes one a second, and a burst after a silence.
CARS_A_SECOND, CARS_AT_ONCE = 1.0, 20
#: Counters of 16 bits: from so near to their end to so near to their beginning they have run over.
_RUN_OVER = 4096
#: Width of a counter by its model, 65536 where nobody knows. PNI's protocol: one byte.
_WIDTHS: tuple[tuple[re.Pattern[str], int], ...] = ((re.compile(r"placepod"), 256),)
#: Models that say what came since their last word. IMBuildings' payload type 06; Milesight VS121 ("in" and "out" of the
#: period, VS121 user guide); Parametric PCR2 and PMX TCR (devices/codecs/parametric.py).
_DELTAS = re.compile(r"imbuildings|vs121|\bpcr-?2|\btcr\b|\btcr-")
#: What a feed says is put on disk at least this often, so that its age is known after a restart.
_SAID_AGAIN_MS = 15 * 60_000

FAULTS: dict[str, tuple[str, str]] = {
    "negative": ("数据源报出负数", "the feed says a number below zero"),
    "more_taken": ("数据源：占用数大于总数", "the feed says more taken than there are"),
    "more_free": ("数据源：空位数大于总数", "the feed says more free than there are"),
    "sum": ("数据源：空位加占用大于总数", "the feed's free and taken are more than its total"),
}


# ---------------------------------------------------------------- counters


def claimed(state: HallState, device: Device, now_ms: int) -> list[Change]:
    """A device has become a counter at a gate: for the whole site, unless it was put for a zone."""
    if device.device_id in state.table(Entrance):
        return []
    zone_id = device.zone_id if device.zone_id in state.zones else ""
    site_id = site_of(state, zone_id) if zone_id else ONE_SITE
    entrance = Entrance(device.device_id, site_id, zone_id or "", device.name, since_ms=now_ms)
    return [entrance, *begun(state, subject_of(entrance), now_ms)]


def counted(state: HallState, fact: CarsCounted, now_ms: int) -> Decision:
    """A counter spoke."""
    device = state.devices.get(fact.device_id)
    if device is None or device.kind != "gate_counter":
        return Decision()
    decision = Decision()
    old = state.table(Entrance).get(fact.device_id)
    if old is None:
        old = next(one for one in claimed(state, device, now_ms) if isinstance(one, Entrance))
    ins, outs = fact.ins, fact.outs
    if ins is None and outs is None:
        ins = fact.passes
    if old.turned:
        ins, outs = outs, ins
    if ins is None and outs is None:
        return decision
    deltas = old.counts == "deltas" or (old.counts == "" and _says_deltas(device))
    most = CARS_AT_ONCE + int(max(0, now_ms - old.heard_ms) / 1000 * CARS_A_SECOND) if old.heard_ms else None
    width = _width(device)
    came, in_is = _advance(old.last_in, ins, deltas, most, width)
    went, out_is = _advance(old.last_out, outs, deltas, most, width)
    after = replace(
        old,
        ins=old.ins + came,
        outs=old.outs + went,
        last_in=old.last_in if deltas or ins is None else ins,
        last_out=old.last_out if deltas or outs is None else outs,
        heard_ms=now_ms,
    )
    where = f"entrance:{fact.device_id}"
    if not (in_is and out_is):
        said = f"{ins if not in_is else outs}"
        name = old.name or device.name
        why = (
            f"{name}：计数跳到 {said}，不可能有这么多车，没有计入；请检查计数器，并重新点车",
            f"{name}: its count jumps to {said}, more than can have passed: not counted; check it, count the cars",
        )
        decision.changes += parking_tasks.opened(state, "impossible", where, why, now_ms)
    if came == went == 0 and after.last_in == old.last_in and after.last_out == old.last_out:
        decision.quiet.append(after)
        return decision
    decision.changes.append(after)
    if came or went:
        _reckon(state, after, came - went, decision, now_ms)
    return decision


def _reckon(state: HallState, entrance: Entrance, more: int, decision: Decision, now_ms: int) -> None:
    subject = subject_of(entrance)
    row = state.table(Reckoning).get(subject)
    if row is None:
        decision.changes += begun(state, subject, now_ms)
        return
    row = replace(row, counted=row.counted + more)
    decision.changes.append(replace(row, drift=drift_of(state, row)))


def _advance(
    last: int | None, said: int | None, deltas: bool, most: int | None, width: int
) -> tuple[int, bool]:
    """How many cars that is, and whether it can be. The first word of a counter of totals only begins."""
    if said is None:
        return 0, True
    if deltas:
        more = said
    elif last is None:
        return 0, True
    elif said >= last:
        more = said - last
    elif last < width and last >= width - min(_RUN_OVER, width // 4) and said < min(_RUN_OVER, width // 4):
        more = said + width - last
    else:
        more = said  # it has begun anew
    if more < 0 or (most is not None and more > most):
        return 0, False
    return more, True


def _says_deltas(device: Device) -> bool:
    return bool(_DELTAS.search(device.model.lower()))


def _width(device: Device) -> int:
    small = device.model.lower()
    return next((width for models, width in _WIDTHS if models.search(small)), 65_536)


# ---------------------------------------------------------------- feeds


def fault_of(free: int | None, taken: int | None, total: int | None) -> str:
    """Why these numbers cannot be, a word of FAULTS; "" where they can. A remainder is unknown, and no fault."""
    if any(one is not None and one < 0 for one in (free, taken, total)):
        return "negative"
    if total is None:
        return ""
    if taken is not None and taken > total:
        return "more_taken"
    if free is not None and free > total:
        return "more_free"
    if free is not None and taken is not None and free + taken > total:
        return "sum"
    return ""


def site_said(state: HallState, fact: SiteHeard, now_ms: int) -> Decision:
    """A feed spoke for its site."""
    device = state.devices.get(fact.device_id)
    if device is None or device.kind != "site_feed":
        return Decision()
    fault = fault_of(fact.free, fact.taken, fact.total)
    said = SiteSaid(fact.device_id, fact.free, fact.taken, fact.total, now_ms, fault)
    old = state.table(SiteSaid).get(fact.device_id)
    if old is not None and replace(old, at_ms=now_ms) == said and now_ms - old.at_ms < _SAID_AGAIN_MS:
        return Decision(quiet=[replace(said, at_ms=old.at_ms)])
    site_id = next((s.site_id for s in state.table(Site).values() if s.feed == fact.device_id), "")
    subject = f"site:{site_id}" if site_id else f"feed:{fact.device_id}"
    decision = Decision(changes=[said])
    if fault:
        zh, en = FAULTS[fault]
        numbers = f"{fact.free} / {fact.taken} / {fact.total}"
        why = (
            f"{zh}（空位/占用/总数 {numbers}）：屏幕显示“--”，请联系数据提供方",
            f"{en} (free/taken/total {numbers}): the panel shows “--”; ask whoever runs the feed",
        )
        decision.changes += parking_tasks.opened(state, "impossible", subject, why, now_ms)
    elif old is not None and old.fault not in ("", OLD):
        decision.changes += parking_tasks.cleared(state, "impossible", subject, now_ms)
    return decision


# ---------------------------------------------------------------- orders


def _count_site(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """Somebody has counted the cars: the reckoning begins anew from what they say."""
    subject = fields.name("subject")
    if not known_subject(state, subject):
        raise OrderRefused(
            f"没有 {subject}，应为 site:编号 或 zone:编号", f"no {subject}: site:<id> or zone:<id>"
        )
    taken, by = fields.number("taken", most=100_000), fields.name("by")
    row = Reckoning(subject, taken, now_ms, taken, by=by)
    row = replace(row, drift=drift_of(state, row))
    return Decision(changes=[row, JournalLine(now_ms, "CarsCounted", subject, by, str(taken))])


ORDERS = {"count_site": _count_site}
