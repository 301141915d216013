"""The car park that finds its own faults: entrances against bays, dead sensors, cars that stand too long, feeds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.plan import Panel
from gateway import views_parking
from gateway.hall.parking_rows import BayTag, Entrance, Reckoning, SiteSaid
from gateway.hall.reckoning import DRIFT_FOR_MS, STUCK_TURNS
from tests.gateway.car_park import CarPark

GATE = "chirpstack_v4:ee00000000000001"
FEED = "generic_json:city"
DAY_S = 24 * 3600.0


@pytest.fixture
def park(tmp_path: Path) -> Iterator[CarPark]:
    """Ten bays of our own sensors, five of them taken, and a counter at the gate."""
    one = CarPark(tmp_path, Panel(id="gate"), Panel(id="city", site="city"))
    for number in range(10):
        one.bay(f"s{number}", f"e{number}")
        one.ours(f"s{number}", number < 5)
    one.turn()
    assert one.counts() == (5, 5, 0, 0)
    one.done("claim_device", device_id=GATE, kind="gate_counter", name="东门", model="TB-PCM", by="t")
    count(one, 100, 100)
    one.done("put_site", site_id="city", name_zh="城", name_en="City", by="t")
    yield one
    one.adds_up()
    one.die()


_FRAMES = {"n": 0}


def count(park: CarPark, ins: int, outs: int) -> None:
    """Terabee's counter: in and out, four bytes each."""
    _FRAMES["n"] += 1
    frame = ins.to_bytes(4, "big") + outs.to_bytes(4, "big")
    park.lorawan(GATE.partition(":")[2], frame, 82, _FRAMES["n"], "TB-PCM")
    park.turn()


def keep_alive(park: CarPark, seconds: float, *, but: tuple[str, ...] = ()) -> None:
    """Time passes, and each sensor goes on saying what it said."""
    states = {bay.device_id: bay.state for bay in park.loop.state.bays.values()}
    left = seconds
    while left > 0:
        step = min(600.0, left)
        park.after(step, 60)
        left -= step
        for device, state in states.items():
            if device not in but and state in ("free", "taken"):
                park.ours(device, state == "taken")
        park.turn()


def reckoned(park: CarPark, subject: str = "site:site") -> Reckoning:
    return park.loop.state.table(Reckoning)[subject]


# ---------------------------------------------------------------- entrances against bays


def test_a_drift_is_a_task_after_a_quarter_of_an_hour_and_is_not_corrected(park: CarPark) -> None:
    count(park, 103, 100)  # three more came in than bays have turned
    assert reckoned(park).counted == 8
    keep_alive(park, DRIFT_FOR_MS / 1000 - 60)
    assert park.tasks("drift") == []
    keep_alive(park, 120)
    (task,) = park.tasks("drift")
    assert "8" in task.why_zh and "3" in task.why_en and task.subject == "site:site"
    assert (park.counts(), reckoned(park).counted) == ((5, 5, 0, 0), 8), "nothing is corrected by itself"
    assert park.panel().text == "空位 5", "and the panel goes on with what the bays say"


def test_two_cars_between_gate_and_bay_are_no_drift(park: CarPark) -> None:
    count(park, 102, 100)
    keep_alive(park, 2 * DRIFT_FOR_MS / 1000)
    assert park.tasks() == []


def test_five_per_cent_of_a_large_car_park_are_no_drift(park: CarPark) -> None:
    for number in range(10, 80):
        park.bay(f"s{number}", f"e{number}")
        park.ours(f"s{number}", False)
    park.turn()
    count(park, 104, 100)  # 4 of 80 is 5 %
    keep_alive(park, 2 * DRIFT_FOR_MS / 1000)
    assert park.tasks() == []
    count(park, 105, 100)
    keep_alive(park, 2 * DRIFT_FOR_MS / 1000)
    assert [task.kind for task in park.tasks()] == ["drift"]


def test_a_car_that_may_stand_on_an_unknown_bay_is_no_drift(park: CarPark) -> None:
    for name in ("s7", "s8", "s9"):
        park.ours(name, None)
    park.turn()
    count(park, 103, 100)
    keep_alive(park, 2 * DRIFT_FOR_MS / 1000)
    assert park.tasks("drift") == []


def test_a_car_that_stands_on_a_bay_that_was_closed_is_no_drift(park: CarPark) -> None:
    """Works begin in a part of the garage: whoever stands there has driven in, and is counted by whoever counts."""
    for number in range(4):
        park.done("close_bay", bay_id=f"e{number}", by="t")
    keep_alive(park, 20 * 60)
    assert park.tasks("drift") == []
    park.done("count_site", subject="site:site", taken=5, by="小李")
    keep_alive(park, 20 * 60)
    assert park.tasks("drift") == []
    count(park, 108, 100)
    keep_alive(park, 20 * 60)
    assert len(park.tasks("drift")) == 1, "eight more can stand nowhere"


def test_somebody_counts_and_the_reckoning_begins_anew(park: CarPark) -> None:
    count(park, 104, 100)
    keep_alive(park, DRIFT_FOR_MS / 1000 + 60)
    (task,) = park.tasks("drift")
    park.done("count_site", subject="site:site", taken=5, by="小李")
    park.after(10)
    row = reckoned(park)
    assert (row.base, row.counted, row.drift, row.by) == (5, 5, 0, "小李")
    (task,) = park.tasks("drift")
    assert task.cleared_ms is not None, "the reason has gone; that somebody looked, somebody says"
    park.done("finish_task", task_id=task.task_id, by="小李", note="计数器擦过了")
    assert park.tasks() == []
    count(park, 105, 101)
    assert reckoned(park).counted == 5


def test_a_drift_that_was_finished_and_goes_on_comes_again_later(park: CarPark) -> None:
    count(park, 104, 100)
    keep_alive(park, DRIFT_FOR_MS / 1000 + 60)
    (task,) = park.tasks("drift")
    park.done("take_task", task_id=task.task_id, by="小李")
    assert "小李" in park.refused("take_task", task_id=task.task_id, by="小王")
    park.done("finish_task", task_id=task.task_id, by="小李")
    keep_alive(park, 1800)
    assert park.tasks() == []
    keep_alive(park, 2400)
    assert [one.task_id for one in park.tasks("drift")] == [task.task_id + 1]


# ---------------------------------------------------------------- counters


def test_a_counter_that_begins_anew_at_zero_has_sent_nobody_backwards(park: CarPark) -> None:
    count(park, 102, 100)
    count(park, 1, 0)  # its battery was changed; one car has come since
    gate = park.loop.state.table(Entrance)[GATE]
    assert (gate.ins, gate.outs, gate.last_in) == (3, 0, 1)


def test_a_counter_of_sixteen_bits_runs_over(park: CarPark) -> None:
    count(park, 101, 100)
    park.done("drop_entrance", device_id=GATE, by="t")
    park.done("put_entrance", device_id=GATE, by="t")
    count(park, 65_530, 100)
    count(park, 4, 100)
    gate = park.loop.state.table(Entrance)[GATE]
    assert (gate.ins, gate.outs) == (10, 0)


def test_more_cars_than_a_gate_lets_through_are_no_cars_but_a_task(park: CarPark) -> None:
    count(park, 50_000, 100)
    gate = park.loop.state.table(Entrance)[GATE]
    assert (gate.ins, gate.last_in) == (0, 50_000)
    (task,) = park.tasks("impossible")
    assert task.subject == f"entrance:{GATE}" and "50000" in task.why_zh
    count(park, 50_001, 100)
    assert park.loop.state.table(Entrance)[GATE].ins == 1


def test_a_counter_that_hangs_the_other_way_round(park: CarPark) -> None:
    park.done("put_entrance", device_id=GATE, turned=True, by="t")
    count(park, 102, 101)
    gate = park.loop.state.table(Entrance)[GATE]
    assert (gate.ins, gate.outs) == (1, 2)


def test_a_counter_may_say_what_came_since_its_last_word(park: CarPark) -> None:
    park.done("put_entrance", device_id=GATE, counts="deltas", by="t")
    count(park, 2, 0)
    count(park, 1, 1)
    gate = park.loop.state.table(Entrance)[GATE]
    assert (gate.ins, gate.outs) == (3, 1)


def test_what_a_counter_said_before_is_not_counted_twice(park: CarPark) -> None:
    park.done("put_entrance", device_id=GATE, counts="deltas", by="t")
    count(park, 2, 0)
    _FRAMES["n"] -= 1
    count(park, 2, 0)  # the same frame again
    assert park.loop.state.table(Entrance)[GATE].ins == 2


def test_a_zone_with_its_own_counter_is_reckoned_by_itself(park: CarPark) -> None:
    park.done("put_entrance", device_id=GATE, zone_id="east", by="t")
    assert set(park.loop.state.table(Reckoning)) == {"zone:east"}
    count(park, 101, 100)
    assert reckoned(park, "zone:east").counted == 6
    park.restart()
    assert reckoned(park, "zone:east").counted == 6


# ---------------------------------------------------------------- feeds


def said(park: CarPark, **numbers: int) -> None:
    park.hear("v1/up/city", {"id": "city", **numbers})
    park.turn()


@pytest.fixture
def city(park: CarPark) -> CarPark:
    park.done("claim_device", device_id=FEED, kind="site_feed", name="市平台", by="t")
    park.done("put_site", site_id="city", name_zh="市停车场", name_en="City", feed=FEED, by="t")
    said(park, totalSpaceCount=42, availableSpaceCount=24, occupiedSpaceCount=18)
    return park


def test_a_site_without_bays_of_ours_is_shown_as_its_feed_tells_it(city: CarPark) -> None:
    assert (city.panel("city").text, city.panel("city").text_en) == ("空位 24", "Free 24")
    said(city, totalSpaceCount=42, availableSpaceCount=23, occupiedSpaceCount=18)
    panel = city.panel("city")
    assert (panel.number, panel.unknown) == (23, 1), "the remainder is unknown, not dropped"
    said(city, totalSpaceCount=42, availableSpaceCount=20, occupiedSpaceCount=10)
    assert city.panel("city").text == "空位 --", "12 of 42 unknown is too much"


@pytest.mark.parametrize(
    ("numbers", "fault"),
    [
        ((42, 10, 50), "more_taken"),
        ((42, 50, 10), "more_free"),
        ((42, 30, 18), "sum"),
        ((42, -3, 18), "negative"),
    ],
)
def test_numbers_that_cannot_be_are_a_task_and_no_number(
    city: CarPark, numbers: tuple[int, int, int], fault: str
) -> None:
    total, free, taken = numbers
    said(city, totalSpaceCount=total, availableSpaceCount=free, occupiedSpaceCount=taken)
    assert city.loop.state.table(SiteSaid)[FEED].fault == fault
    panel = city.panel("city")
    assert panel.text == "空位 --" and panel.number is None and not panel.certain
    (task,) = city.tasks("impossible")
    assert task.subject == "site:city" and str(total) in task.why_zh
    said(city, totalSpaceCount=42, availableSpaceCount=24, occupiedSpaceCount=18)
    assert city.panel("city").text == "空位 24"
    assert city.tasks("impossible")[0].cleared_ms is not None


def test_a_feed_that_falls_silent_is_no_number_any_more(city: CarPark) -> None:
    city.after(16 * 60)
    assert city.loop.state.devices[FEED].health == "silent"
    assert city.panel("city").text == "空位 --"


def test_more_cars_than_a_site_has_bays_is_a_task_and_no_number(park: CarPark) -> None:
    park.done("put_site", site_id="site", name_zh="小区", name_en="Compound", capacity=4, by="t")
    park.after(10)
    (task,) = park.tasks("impossible")
    assert task.subject == "site:site" and "5" in task.why_en and "4" in task.why_en
    assert park.panel().text == "空位 --"
    park.done("put_site", site_id="site", capacity=10, by="t")
    park.after(10)
    assert park.panel().text == "空位 5"


# ---------------------------------------------------------------- dead sensors, long stays, permits


def test_a_bay_that_never_changes_while_its_neighbours_do_is_suspect(park: CarPark) -> None:
    for turn in range(STUCK_TURNS + 4):
        keep_alive(park, 3 * DAY_S / 23, but=("s9",))
        for number in range(9):
            park.ours(f"s{number}", turn % 2 == 0)
        park.ours("s9", False)
        park.turn()
    keep_alive(park, 3700)
    assert [task.subject for task in park.tasks("stuck")] == ["bay:e9"]
    park.done("finish_task", task_id=park.tasks("stuck")[0].task_id, by="小李", note="换了")
    keep_alive(park, 3 * 3600)
    assert park.tasks("stuck") == [], "it is watched anew"


def test_in_a_quiet_car_park_nobody_is_suspect(park: CarPark) -> None:
    keep_alive(park, 6 * DAY_S)
    assert park.tasks() == []


def test_one_sensor_that_flaps_makes_nobody_else_suspect(park: CarPark) -> None:
    for turn in range(60):
        keep_alive(park, 4 * DAY_S / 60, but=("s0",))
        for step in range(10):
            park.ours("s0", (turn + step) % 2 == 0)
            park.turn()
    assert park.tasks("stuck") == []


def test_a_car_in_a_fire_lane_is_told_within_a_minute_and_a_few_seconds(park: CarPark) -> None:
    park.done("put_bay_plan", bay_id="e9", kind="fire_lane", label="消防通道 2", by="t")
    park.turn()
    assert park.panel().text == "空位 4", "a fire lane is no bay that anybody may hope for"
    park.ours("s9", True)
    park.after(50)
    assert park.tasks() == []
    park.after(20)
    (task,) = park.tasks("overstay")
    assert "消防通道 2" in task.why_zh and "fire lane" in task.why_en
    park.ours("s9", False)
    park.after(10)
    assert park.tasks("overstay")[0].cleared_ms is not None


def test_a_visitor_may_stay_as_long_as_the_plan_says(park: CarPark) -> None:
    park.done("put_bay_plan", bay_id="e0", kind="visitor", stays_ms=2 * 3600 * 1000, by="t")
    keep_alive(park, 2 * 3600 - 300)
    assert park.tasks() == []
    keep_alive(park, 600)
    assert [task.subject for task in park.tasks("overstay")] == ["bay:e0"]


def test_a_permit_for_elsewhere_is_a_task(park: CarPark) -> None:
    device = "chirpstack_v4:dd00000000000001"
    park.bay(device, "v1", model="Nwave NPS405")
    park.done("put_bay_plan", bay_id="v1", kind="resident", permits=["00a1b2c3"], by="t")
    park.lorawan(device.partition(":")[2], bytes([1]), 1, 1, "NPS405")
    park.lorawan(device.partition(":")[2], bytes.fromhex("0000a1b2ff"), 10, 2, "NPS405")
    park.after(90)
    assert park.state_of("v1") == "taken"
    assert park.loop.state.table(BayTag)["v1"].tag == "00a1b2ff"
    (task,) = park.tasks("permit")
    assert "00a1b2ff" in task.why_zh
    park.lorawan(device.partition(":")[2], bytes([0]), 1, 3, "NPS405")
    park.after(10)
    assert park.loop.state.table(BayTag) == {}
    assert park.tasks("permit")[0].cleared_ms is not None


# ---------------------------------------------------------------- after a restart, and for the kiosk


def test_tasks_and_reckonings_outlive_the_process_and_keep_their_numbers(park: CarPark) -> None:
    count(park, 104, 100)
    keep_alive(park, DRIFT_FOR_MS / 1000 + 60)
    (task,) = park.tasks("drift")
    park.done("finish_task", task_id=task.task_id, by="t")
    park.restart()
    assert park.tasks() == [] and reckoned(park).counted == 9
    park.done("put_site", site_id="site", name_zh="小区", name_en="Compound", capacity=2, by="t")
    park.after(10)
    assert [one.task_id for one in park.tasks()] == [task.task_id + 1], "a number is never given twice"


def test_the_kiosk_reads_the_same(park: CarPark) -> None:
    count(park, 102, 100)
    park.done("put_bay_plan", bay_id="e0", kind="disabled", x_m=4, y_m=9.5, label="A-01", by="t")
    state = views_parking.known(park.book.connection)
    (_, site) = views_parking.sites(state)
    assert (site["free"], site["taken"], site["total"], site["number"]) == (5, 5, 10, 5)
    bays = {bay["bay_id"]: bay for bay in views_parking.bays(state)}
    assert (bays["e0"]["state"], bays["e0"]["kind"], bays["e0"]["x_m"], bays["e0"]["drawn"]) == (
        "taken",
        "disabled",
        4.0,
        True,
    )
    (row,) = views_parking.reckonings(state)
    assert (row["counted"], row["taken"], row["drift"], row["limit"]) == (7, 5, 2, 2)
    park.done("service_device", device_id=GATE, service_ms=park.clock.now_ms() - 1, by="t")
    fleet = views_parking.fleet(park.book.connection, park.clock.now_ms())
    assert fleet[0]["device_id"] == GATE and fleet[0]["service_due"] is True
    assert {one["kind"] for one in fleet} == {"bay_sensor", "gate_counter"}
