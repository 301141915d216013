"""free + taken + unknown + closed = all, whatever happens: of each zone and site, in memory, on disk, on a panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.plan import Panel
from gateway import views_parking
from gateway.hall.parking_rows import ParkingTask
from tests.gateway.car_park import CarPark

SENSORS = ["s0", "s1", "s2", "chirpstack_v4:m0", "ghost"]
BAYS = ["b0", "b1", "b2", "b3", "s0"]
ZONES = ["east", "west", "unclaimed"]

_sensor, _bay, _zone = st.sampled_from(SENSORS), st.sampled_from(BAYS), st.sampled_from(ZONES)
_small = st.integers(0, 6)


def order(name: str, **fields: Any) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.just(name), st.fixed_dictionaries(fields))


_orders = st.one_of(
    order("claim_device", device_id=_sensor, kind=st.just("bay_sensor"), bay_id=_bay, zone_id=_zone),
    order("claim_device", device_id=_sensor, kind=st.sampled_from(["ignored", "call_button", "gate_counter"])),
    order("define_zone", zone_id=_zone, name_zh=st.just("区"), name_en=st.just("Z")),
    order("define_bay", bay_id=_bay, zone_id=_zone),
    order("drop_bay", bay_id=_bay),
    order("close_bay", bay_id=_bay),
    order("open_bay", bay_id=_bay),
    order("put_bay_plan", bay_id=_bay, zone_id=_zone, kind=st.sampled_from(["general", "fire_lane"])),
    order("drop_bay_plan", bay_id=_bay),
    order("put_zone_plan", zone_id=_zone, residents_reserve=_small),
    order("put_site", site_id=st.just("p1"), name_zh=st.just("甲"), name_en=st.just("A"), capacity=_small),
    order("put_zone_plan", zone_id=_zone, site_id=st.just("p1")),
    order("put_map", bays=st.lists(st.fixed_dictionaries({"bay_id": _bay, "zone_id": _zone}), max_size=3)),
    order("put_entrance", device_id=_sensor, zone_id=_zone),
    order("drop_entrance", device_id=_sensor),
    order("count_site", subject=st.sampled_from(["site:site", "zone:east"]), taken=_small, by=st.just("t")),
    order("finish_task", task_id=st.integers(1, 3), by=st.just("t")),
    order("put_sensor", device_id=_sensor, hold_ms=st.sampled_from([-1, 0, 5000])),
)
_words = st.tuples(st.just("says"), _sensor, st.sampled_from([True, False, None]))
_others = st.sampled_from(["passes", "long passes", "restart", "stop", "offline"])
_history = st.lists(st.one_of(_orders, _words, _words, _others), max_size=30)


def says(park: CarPark, device: str, occupied: bool | None, count: int) -> None:
    if device.startswith("chirpstack"):
        if occupied is not None:
            park.lorawan("m0", bytes([0x15, 0x66, occupied]), 2, count, "PlacePod")
    else:
        park.ours(device, occupied)


@given(history=_history)
@settings(deadline=None, max_examples=15)
def test_it_always_adds_up(tmp_path_factory: pytest.TempPathFactory, history: list[Any]) -> None:
    park = CarPark(tmp_path_factory.mktemp("park"), Panel(id="gate"), Panel(id="west", zones=("west",)))
    others: dict[str, Callable[[], None]] = {
        "passes": lambda: park.after(12, 1),
        "long passes": lambda: park.after(3700, 300),
        "restart": park.restart,
        "stop": lambda: park.restart(kindly=True),
        "offline": lambda: (park.hear("linli/v1/bay/s0/status", b"offline"), None)[1],
    }
    try:
        for number, step in enumerate(history):
            if isinstance(step, str):
                others[step]()
            elif step[0] == "says":
                says(park, step[1], step[2], number)
            else:
                park.order(step[0], **step[1])
            park.turn()
            whole(park)
    finally:
        park.die()


def whole(park: CarPark) -> None:
    park.adds_up()
    assert park.loop.counts["set_aside"] == 0, "nothing of it brought out a mistake of ours"
    for panel in park.loop.state.shown.values():
        assert panel.free + panel.taken + panel.unknown + panel.closed == panel.total
        assert panel.number is None or 0 <= panel.number <= panel.free
        assert panel.certain or panel.text == "空位 --"
    bays = [bay for bay in park.loop.state.bays.values() if bay.zone_id != "unclaimed"]
    sites = views_parking.sites(views_parking.known(park.book.connection))
    assert sum(int(str(site["total"])) for site in sites) == len(bays), "each bay is in one site, once"
    for site in sites:
        assert sum(int(str(site[name])) for name in ("free", "taken", "unknown", "closed")) == site["total"]
    open_ones = [(task.kind, task.subject) for task in park.tasks()]
    assert len(open_ones) == len(set(open_ones)), "one open task a kind and subject"
    ids = [task.task_id for task in park.loop.state.table(ParkingTask).values()]
    assert len(ids) == len(set(ids))
    told = dict(park.book.connection.execute("SELECT bay_id, state FROM bay_moves ORDER BY move_id"))
    assert {bay.bay_id: told.get(bay.bay_id) for bay in bays} == {bay.bay_id: bay.state for bay in bays}, (
        "history ends with what is"
    )
    for bay in bays:
        device = park.loop.state.devices.get(bay.device_id)
        if device is not None and device.kind == "bay_sensor" and device.bay_id == bay.bay_id:
            assert device.zone_id == bay.zone_id
