"""The nearest free bay: whom it is for, what is never offered, and whose reserve is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import views_parking
from gateway.hall.parking_rows import BAY_KINDS, BayPlan, ZonePlan
from gateway.hall.state import Bay, HallState, Zone
from kiosk.parking import CarPark, nearest_to
from kiosk.rules.nearest import WHO, Found, Reserve, Spot, nearest


def spot(bay_id: str, x_m: float, kind: str = "general", state: str = "free", **more: object) -> Spot:
    return Spot(bay_id, "east", kind, state, x_m, 0.0, **more)  # type: ignore[arg-type]


ROW = [
    spot("far", 40.0),
    spot("visitors", 20.0, "visitor"),
    spot("residents", 10.0, "resident"),
    spot("disabled", 30.0, "disabled"),
    spot("charger", 35.0, "charging"),
    spot("lane", 1.0, "fire_lane"),
    spot("ambulance", 2.0, "emergency"),
    spot("unknown", 3.0, state="unknown"),
    spot("taken", 4.0, state="taken"),
    spot("closed", 5.0, state="closed"),
    spot("mine", 6.0, permits=("A 1",)),
    spot("nowhere", 0.0, drawn=False),
]


@pytest.mark.parametrize(
    ("who", "bay", "metres"),
    [
        ("visitor", "visitors", 20),
        ("resident", "residents", 10),
        ("disabled", "disabled", 30),
        ("charging", "charger", 35),
        ("somebody else", "visitors", 20),
    ],
)
def test_each_is_sent_to_the_nearest_bay_that_is_for_them(who: str, bay: str, metres: int) -> None:
    assert nearest(ROW, {}, 0.0, 0.0, who) == Found(bay, "east", metres)


def test_where_no_accessible_bay_is_free_the_nearest_other_one_is_named_as_such() -> None:
    others = [one for one in ROW if one.kind != "disabled"]
    assert nearest(others, {}, 0.0, 0.0, "disabled") == Found("visitors", "east", 20, fitting=False)


def test_who_wants_to_charge_is_not_sent_where_there_is_no_charger() -> None:
    assert nearest([one for one in ROW if one.kind != "charging"], {}, 0.0, 0.0, "charging") is None


def test_of_two_bays_as_near_the_first_by_name_is_told_each_time() -> None:
    pair = [spot("b", 3.0), spot("a", -3.0)]
    assert nearest(pair, {}, 0.0, 0.0, "visitor") == nearest(pair[::-1], {}, 0.0, 0.0, "visitor")


def test_the_last_free_bays_are_kept_for_whom_they_are_reserved() -> None:
    two = [spot("a", 1.0), spot("b", 2.0)]
    kept = {"east": Reserve(residents=2)}
    assert nearest(two, kept, 0.0, 0.0, "visitor") is None
    assert nearest(two, kept, 0.0, 0.0, "resident") == Found("a", "east", 1)
    assert nearest(two, {"east": Reserve(residents=1)}, 0.0, 0.0, "visitor") == Found("a", "east", 1)
    assert nearest(two, {"east": Reserve(emergency=2)}, 0.0, 0.0, "resident") is None


def test_a_zone_whose_counts_cannot_be_sends_nobody() -> None:
    assert nearest([spot("a", 1.0)], {"east": Reserve(shut=True)}, 0.0, 0.0, "visitor") is None


@pytest.mark.parametrize(
    ("free", "level", "panel"),
    [(3, "open", "空位 3"), (2, "open", "车位已满"), (4, "full", "车位已满"), (5, "full", "空位 5")],
)
def test_nobody_is_sent_where_the_panel_says_full(free: int, level: str, panel: str) -> None:
    state = HallState()
    state.zones["east"] = Zone("east", "东", "East", free, 10 - free)
    plan = ZonePlan("east", full_at=2, full_until=5, almost_at=4, almost_until=6, level=level)
    state.table(ZonePlan)["east"] = plan
    for number in range(10):
        bay_id = f"e{number}"
        state.bays[bay_id] = Bay(bay_id, "east", "free" if number < free else "taken", "", 1, 1)
        state.table(BayPlan)[bay_id] = BayPlan(bay_id, "east", x_m=3.0 * number, y_m=5.0)
    face = views_parking.zone(state, state.zones["east"])
    assert face["text"] == panel
    park = CarPark(state, views_parking.bays(state), [face], [], True, 1)
    found = nearest_to(park, {"x_m": 0.0, "y_m": 5.0}, "visitor")
    assert (found is None) == (panel == "车位已满")


_spots = st.lists(
    st.builds(
        Spot,
        st.text("abc", min_size=1, max_size=3),
        st.sampled_from(["east", "west"]),
        st.sampled_from(sorted(BAY_KINDS)),
        st.sampled_from(["free", "taken", "unknown", "closed"]),
        st.floats(0, 100),
        st.floats(0, 100),
        st.booleans(),
        st.sampled_from([(), ("A",)]),
    ),
    unique_by=lambda one: one.bay_id,
)


@given(spots=_spots, who=st.sampled_from(sorted(WHO)))
def test_whatever_the_car_park_nobody_is_sent_to_a_bay_that_is_not_free_or_not_theirs(
    spots: list[Spot], who: str
) -> None:
    found = nearest(spots, {}, 50.0, 50.0, who)
    if found is None:
        return
    bay = next(one for one in spots if one.bay_id == found.bay_id)
    own, besides = WHO[who]
    assert bay.state == "free" and bay.drawn and not bay.permits
    assert bay.kind in (own if found.fitting else besides)
    assert bay.kind not in ("fire_lane", "emergency")
