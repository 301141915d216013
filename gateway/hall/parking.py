"""What staff lay down about the car park: sites, zones, bays, places, gates, sensors. One order a row.

Rule 1. A row is made where its key is new, else changed: a field that is not given stays.
Rule 2. A bay is in one zone. Whoever gives it another one moves it, and its sensor with it.
Rule 3. What others need is not taken away under them.
"""

from __future__ import annotations

from dataclasses import replace

from devices.faults import OrderRefused
from gateway.hall import bays, reckoning
from gateway.hall.bays import UNCLAIMED_ZONE
from gateway.hall.fields import Fields
from gateway.hall.parking_rows import (
    BAY_KINDS,
    PLACE_KINDS,
    BayPlan,
    Entrance,
    Place,
    Reckoning,
    SensorSetting,
    Site,
    Vitals,
    ZonePlan,
)
from gateway.hall.reading import Names, Reader, changed
from gateway.hall.rows import Row, RowGone
from gateway.hall.showing import ONE_SITE, zones_of
from gateway.hall.state import Bay, BayGone, Change, Decision, Device, HallState, JournalLine

_DAY_MS = 24 * 3_600_000
#: The largest compound that anybody draws, in metres; the longest lorry; the most bays of a site.
MOST_METRES, LONGEST_BAY, MOST_BAYS = 5_000.0, 30.0, 100_000
MOST_PERMITS = 20
COUNTS = ("", "totals", "deltas")

NAMES: Names = {
    "site_id": ("停车场", "Site"),
    "zone_id": ("区域", "Zone"),
    "bay_id": ("车位", "Bay"),
    "place_id": ("地点编号", "Place"),
    "device_id": ("设备", "Device"),
    "name_zh": ("中文名", "Chinese name"),
    "name_en": ("英文名", "English name"),
    "name": ("名称", "Name"),
    "capacity": ("车位总数", "Capacity"),
    "lat": ("纬度", "Latitude"),
    "lon": ("经度", "Longitude"),
    "address": ("地址", "Address"),
    "feed": ("数据源", "Feed"),
    "kind": ("类型", "Kind"),
    "label": ("地面编号", "Label"),
    "x_m": ("横坐标（米）", "x (m)"),
    "y_m": ("纵坐标（米）", "y (m)"),
    "long_m": ("长（米）", "Length (m)"),
    "wide_m": ("宽（米）", "Width (m)"),
    "turn_deg": ("转角（度）", "Turn (degrees)"),
    "permits": ("许可", "Permits"),
    "stays_ms": ("可停多久", "May stay"),
    "residents_reserve": ("业主预留", "Residents' reserve"),
    "disabled_reserve": ("无障碍预留", "Reserve for the disabled"),
    "emergency_reserve": ("应急预留", "Emergency reserve"),
    "full_at": ("满位：不多于", "Full at"),
    "full_until": ("满位解除：不少于", "Full until"),
    "almost_at": ("将满：不多于", "Almost full at"),
    "almost_until": ("将满解除：不少于", "Almost full until"),
    "turned": ("方向相反", "Turned round"),
    "counts": ("计数方式", "Counts"),
    "threshold_mm": ("有车距离（毫米）", "A car is nearer than (mm)"),
    "hold_ms": ("稳定时间", "Must hold"),
    "readings": ("一致次数", "Readings that agree"),
    "service_ms": ("下次保养", "Next service"),
}


# ---------------------------------------------------------------- sites, zones, places


def put_site(state: HallState, fields: Fields, now_ms: int) -> Decision:
    site_id = fields.text("site_id", "")
    old = state.table(Site).get(site_id)
    read = Reader(fields, old, NAMES)
    feed = read.words("feed", 200)
    if feed:
        device = state.devices.get(feed)
        if device is None or device.kind != "site_feed":
            raise read.wrong("feed", f"没有数据源 {feed}", f"there is no site feed {feed}")
        other = next((s for s in state.table(Site).values() if s.feed == feed and s.site_id != site_id), None)
        if other is not None:
            raise read.wrong("feed", f"已用于 {other.name_zh}", f"it speaks for {other.name_en} already")
    new = Site(
        read.key("site_id"),
        read.words("name_zh", 40, needed=True),
        read.words("name_en", 80, needed=True),
        read.number("capacity", 0, MOST_BAYS),
        read.measure("lat", -90.0, 90.0, None),
        read.measure("lon", -180.0, 180.0, None),
        read.words("address", 120),
        feed,
    )
    return _put(old, new, "SitePut", f"site:{site_id}", fields, now_ms)


def drop_site(state: HallState, fields: Fields, now_ms: int) -> Decision:
    site_id = _known(state, Site, fields, "site_id")
    if site_id != ONE_SITE and (zones := zones_of(state, site_id)):
        names = "、".join(zone.name_zh for zone in zones[:5])
        raise OrderRefused(f"还有区域属于它：{names}", f"zones still belong to it: {names}")
    return _dropped(Site, site_id, "SiteDropped", f"site:{site_id}", fields, now_ms)


def put_zone_plan(state: HallState, fields: Fields, now_ms: int) -> Decision:
    zone_id = _zone(state, fields)
    old = state.table(ZonePlan).get(zone_id)
    read = Reader(fields, old, NAMES)
    default = ZonePlan(zone_id)

    def bays_of(key: str) -> int:
        return read.number(key, 0, 10_000, getattr(default, key))

    new = ZonePlan(
        zone_id,
        _site(state, read, ONE_SITE),
        residents_reserve=bays_of("residents_reserve"),
        disabled_reserve=bays_of("disabled_reserve"),
        emergency_reserve=bays_of("emergency_reserve"),
        full_at=bays_of("full_at"),
        full_until=bays_of("full_until"),
        almost_at=bays_of("almost_at"),
        almost_until=bays_of("almost_until"),
        stays_ms=read.number("stays_ms", 0, 30 * _DAY_MS),
        level=old.level if old else "open",
    )
    if not (new.full_at < new.full_until and new.almost_at < new.almost_until):
        raise read.wrong("full_until", "解除的数要比出现的数大", "must be more than where it begins")
    if new.full_at > new.almost_at or new.full_until > new.almost_until:
        raise read.wrong("almost_at", "“将满”要在“满位”之前", "almost full comes before full")
    return _put(old, new, "ZonePlanPut", f"zone:{zone_id}", fields, now_ms)


def put_place(state: HallState, fields: Fields, now_ms: int) -> Decision:
    place_id = fields.text("place_id", "")
    old = state.table(Place).get(place_id)
    read = Reader(fields, old, NAMES)
    new = Place(
        read.key("place_id"),
        read.choice("kind", PLACE_KINDS, "building"),
        read.words("name_zh", 40, needed=True),
        read.words("name_en", 80, needed=True),
        _needed(read, "x_m", 0.0, MOST_METRES),
        _needed(read, "y_m", 0.0, MOST_METRES),
    )
    return _put(old, new, "PlacePut", f"place:{place_id}", fields, now_ms)


def drop_place(state: HallState, fields: Fields, now_ms: int) -> Decision:
    place_id = _known(state, Place, fields, "place_id")
    return _dropped(Place, place_id, "PlaceDropped", f"place:{place_id}", fields, now_ms)


# ---------------------------------------------------------------- bays


def put_bay_plan(state: HallState, fields: Fields, now_ms: int) -> Decision:
    bay = _bay(state, fields)
    old = state.table(BayPlan).get(bay.bay_id)
    read = Reader(fields, old, NAMES)
    zone_id = _zone(state, fields) if "zone_id" in fields else bay.zone_id
    new = plan_of(read, bay.bay_id, zone_id)
    decision = _put(old, new, "BayPlanPut", f"bay:{bay.bay_id}", fields, now_ms)
    if zone_id != bay.zone_id:
        decision.changes = [*moved(state, bay, zone_id, now_ms), *decision.changes]
    return decision


def plan_of(read: Reader, bay_id: str, zone_id: str) -> BayPlan:
    """The plan of one bay as this order gives it."""
    permits = read.list("permits", MOST_PERMITS, 40)
    default = BayPlan(bay_id, zone_id)
    return BayPlan(
        bay_id,
        zone_id,
        read.choice("kind", BAY_KINDS, "general"),
        read.words("label", 20),
        _metres(read, "x_m", 0.0, MOST_METRES, 0.0),
        _metres(read, "y_m", 0.0, MOST_METRES, 0.0),
        _metres(read, "long_m", 1.0, LONGEST_BAY, default.long_m),
        _metres(read, "wide_m", 0.5, LONGEST_BAY, default.wide_m),
        _metres(read, "turn_deg", -360.0, 360.0, 0.0),
        permits,
        read.number("stays_ms", 0, 30 * _DAY_MS),
    )


def moved(state: HallState, bay: Bay, zone_id: str, now_ms: int) -> list[Change]:
    """Into another zone, as it is, and its sensor with it."""
    changes = bays.placed(state, bay.bay_id, zone_id, bay.device_id, now_ms).changes
    device = state.devices.get(bay.device_id)
    if device is not None and device.bay_id == bay.bay_id:
        changes.append(replace(device, zone_id=zone_id))
    return changes


def drop_bay_plan(state: HallState, fields: Fields, now_ms: int) -> Decision:
    bay_id = _known(state, BayPlan, fields, "bay_id")
    return _dropped(BayPlan, bay_id, "BayPlanDropped", f"bay:{bay_id}", fields, now_ms)


def define_bay(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """A bay without a sensor: it is there, and nobody knows how it stands."""
    read = Reader(fields, None, NAMES)
    bay_id, zone_id = read.key("bay_id"), _zone(state, fields)
    old = state.bays.get(bay_id)
    if old is not None and old.zone_id == UNCLAIMED_ZONE.zone_id:
        raise OrderRefused(
            f"{bay_id} 是还没有认领的传感器：请先认领它",
            f"{bay_id} is a sensor that nobody has claimed: claim it first",
        )
    if old is not None:
        raise OrderRefused(
            f"已有车位 {bay_id}（区域 {old.zone_id}）", f"there is a bay {bay_id} in {old.zone_id}"
        )
    decision = bays.placed(state, bay_id, zone_id, "", now_ms)
    decision.changes.append(
        JournalLine(now_ms, "BayDefined", f"bay:{bay_id}", fields.text("by", ""), zone_id)
    )
    return decision


def drop_bay(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """A bay that is no more. Its sensor, if it has one, must be somewhere else first."""
    bay = _bay(state, fields)
    device = state.devices.get(bay.device_id)
    if device is not None and device.kind == "bay_sensor" and device.bay_id == bay.bay_id:
        raise OrderRefused(
            f"车位 {bay.bay_id} 还有传感器 {bay.device_id}",
            f"bay {bay.bay_id} still has the sensor {bay.device_id}",
        )
    decision = Decision(changes=[bays.without(state, bay, now_ms), BayGone(bay.bay_id)])
    if bay.bay_id in state.table(BayPlan):
        decision.changes.append(RowGone(BayPlan.TABLE, bay.bay_id))
    decision.changes.append(JournalLine(now_ms, "BayDropped", f"bay:{bay.bay_id}", fields.text("by", "")))
    return decision


# ---------------------------------------------------------------- gates and sensors


def _claimed(state: HallState, fields: Fields, kind: str, words: tuple[str, str]) -> Device:
    """The device that an order is about. :raises OrderRefused: it is none of this kind that somebody has claimed."""
    device_id = fields.text("device_id", "")
    device = state.devices.get(device_id)
    if device is None or device.kind != kind:
        raise OrderRefused(f"{device_id} 不是已认领的{words[0]}", f"{device_id} is no claimed {words[1]}")
    return device


def put_entrance(state: HallState, fields: Fields, now_ms: int) -> Decision:
    device = _claimed(state, fields, "gate_counter", ("进出口计数器", "gate counter"))
    device_id = device.device_id
    old = state.table(Entrance).get(device_id)
    read = Reader(fields, old, NAMES)
    zone_id = fields.text("zone_id", old.zone_id if old else "")
    if zone_id and (zone_id not in state.zones or zone_id == UNCLAIMED_ZONE.zone_id):
        raise read.wrong("zone_id", f"没有区域 {zone_id}", f"there is no zone {zone_id}")
    new = replace(
        old or Entrance(device_id, ONE_SITE, since_ms=now_ms),
        site_id=_site(state, read, ONE_SITE),
        zone_id=zone_id,
        name=read.words("name", 40) or device.name,
        turned=read.flag("turned", False),
        counts=read.choice("counts", COUNTS, ""),
    )
    if old is not None and new.turned != old.turned:
        new = replace(new, last_in=old.last_out, last_out=old.last_in)
    decision = _put(old, new, "EntrancePut", f"entrance:{device_id}", fields, now_ms)
    subject = reckoning.subject_of(new)
    if old is not None and subject != reckoning.subject_of(old):
        decision.changes += _without_entrance(state, old)
    decision.changes += reckoning.begun(state, subject, now_ms)
    return decision


def drop_entrance(state: HallState, fields: Fields, now_ms: int) -> Decision:
    device_id = _known(state, Entrance, fields, "device_id")
    decision = _dropped(Entrance, device_id, "EntranceDropped", f"entrance:{device_id}", fields, now_ms)
    decision.changes += _without_entrance(state, state.table(Entrance)[device_id])
    return decision


def _without_entrance(state: HallState, gone: Entrance) -> list[Change]:
    """Where nothing counts any more, nothing is reckoned."""
    subject = reckoning.subject_of(gone)
    others = any(
        reckoning.subject_of(one) == subject
        for one in state.table(Entrance).values()
        if one.device_id != gone.device_id
    )
    if others or subject not in state.table(Reckoning):
        return []
    return [RowGone(Reckoning.TABLE, subject)]


def put_sensor(state: HallState, fields: Fields, now_ms: int) -> Decision:
    device = _claimed(state, fields, "bay_sensor", ("车位传感器", "bay sensor"))
    device_id = device.device_id
    old = state.table(SensorSetting).get(device_id)
    read = Reader(fields, old, NAMES)
    new = SensorSetting(
        device_id,
        read.number("threshold_mm", 0, 20_000),
        read.number("hold_ms", -1, 3_600_000, -1),
        read.number("readings", -1, 20, -1),
    )
    decision = _put(old, new, "SensorPut", f"device:{device_id}", fields, now_ms)
    # Whatever it says next is looked at again: with other eyes.
    decision.changes.append(device)
    return decision


def service_device(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """Somebody has looked after it, and says when it is to be done again."""
    device_id = fields.text("device_id", "")
    if device_id not in state.devices:
        raise OrderRefused(f"没有设备 {device_id}", f"there is no device {device_id}")
    old = state.table(Vitals).get(device_id)
    service_ms = fields.number("service_ms", most=now_ms + 20 * 365 * _DAY_MS)
    new = replace(old or Vitals(device_id, 0), service_ms=service_ms)
    return _put(old, new, "DeviceServiced", f"device:{device_id}", fields, now_ms)


# ---------------------------------------------------------------- pieces


def _put(old: Row | None, new: Row, event: str, subject: str, fields: Fields, now_ms: int) -> Decision:
    if new == old:
        return Decision()
    return Decision(
        changes=[new, JournalLine(now_ms, event, subject, fields.text("by", ""), changed(old, new))]
    )


def _dropped(kind: type[Row], key: str, event: str, subject: str, fields: Fields, now_ms: int) -> Decision:
    return Decision(
        changes=[RowGone(kind.TABLE, key), JournalLine(now_ms, event, subject, fields.text("by", ""))]
    )


def _known(state: HallState, kind: type[Row], fields: Fields, key: str) -> str:
    name = fields.text(key, "")
    if name not in state.table(kind):
        zh, en = NAMES[key]
        raise OrderRefused(f"{zh}：没有 {name}", f"{en}: there is no {name}")
    return name


def _zone(state: HallState, fields: Fields) -> str:
    zone_id = fields.text("zone_id", "")
    if zone_id not in state.zones or zone_id == UNCLAIMED_ZONE.zone_id:
        raise OrderRefused(f"区域：没有 {zone_id}", f"Zone: there is no {zone_id}")
    return zone_id


def _bay(state: HallState, fields: Fields) -> Bay:
    bay = state.bays.get(fields.text("bay_id", ""))
    if bay is None or bay.zone_id == UNCLAIMED_ZONE.zone_id:
        name = fields.text("bay_id", "")
        raise OrderRefused(f"车位：没有 {name}", f"Bay: there is no {name}")
    return bay


def _site(state: HallState, read: Reader, otherwise: str) -> str:
    site_id = read.words("site_id", 64) or otherwise
    if site_id != ONE_SITE and site_id not in state.table(Site):
        raise read.wrong("site_id", f"没有 {site_id}", f"there is no {site_id}")
    return site_id


def _metres(read: Reader, key: str, least: float, most: float, otherwise: float) -> float:
    found = read.measure(key, least, most, otherwise)
    return otherwise if found is None else found


def _needed(read: Reader, key: str, least: float, most: float) -> float:
    found = read.measure(key, least, most, None)
    if found is None:
        raise read.wrong(key, "请填写", "must be filled in")
    return found


ORDERS = {
    "put_site": put_site,
    "drop_site": drop_site,
    "put_zone_plan": put_zone_plan,
    "put_place": put_place,
    "drop_place": drop_place,
    "put_bay_plan": put_bay_plan,
    "drop_bay_plan": drop_bay_plan,
    "define_bay": define_bay,
    "drop_bay": drop_bay,
    "put_entrance": put_entrance,
    "drop_entrance": drop_entrance,
    "put_sensor": put_sensor,
    "service_device": service_device,
}
