"""What residents are shown of a zone is what its panel says: reserves, fire lanes, doubt and the impossible counted in.

A real gateway with a panel over each zone, real rows, a real browser; staff see the raw counts and why they differ.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.hall.parking_rows import BayPlan, Site, ZonePlan
from gateway.hall.state import Bay, Change, Zone
from kiosk.__main__ import close_door, open_door
from tests.kiosk import care_hall
from tests.kiosk.care_hall import CareHall
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, Ear

pytestmark = [
    pytest.mark.slow,
    # Playwright's own event loop is left to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: zone → its bays: f free, t taken, u unknown, c closed; l a fire lane on which nobody stands
ZONES = {
    "kept": "ffffffflt",
    "doubt": "ffffffuu",
    "few": "fftttttt",
    "full": "lttttttt",
    "wrong": "ffftttt",
    "shut": "ccc",
}
NAMES = {"kept": "东区", "doubt": "西区", "few": "南区", "full": "北区", "wrong": "地下", "shut": "后院"}
WORDS = {"f": "free", "l": "free", "t": "taken", "u": "unknown", "c": "closed"}


def rows() -> list[Change]:
    """Seven of "kept" are free, two of them reserved; the site of "wrong" has fewer bays than cars in it."""
    at_ms = care_hall.now_ms()
    made: list[Change] = [Site("site", "小区", "Compound", 40), Site("cellar", "地下", "Cellar", 3)]
    for zone_id, bays in ZONES.items():
        states = [WORDS[one] for one in bays]
        counts = {name: states.count(name) for name in ("free", "taken", "unknown", "closed")}
        made.append(Zone(zone_id, NAMES[zone_id], zone_id.title(), **counts, since_ms=at_ms))
        reserve = 2 if zone_id == "kept" else 0
        made.append(
            ZonePlan(zone_id, "cellar" if zone_id == "wrong" else "site", emergency_reserve=reserve)
        )
        for number, one in enumerate(bays):
            bay_id = f"{zone_id}-{number}"
            made.append(Bay(bay_id, zone_id, WORDS[one], "", at_ms, at_ms))  # type: ignore[arg-type]
            made.append(BayPlan(bay_id, zone_id, "fire_lane" if one == "l" else "general"))
    return made


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CareHall]:
    panels = "".join(
        f'[[panels]]\nid = "p-{zone_id}"\nname_zh = "{zone_id}"\nname_en = "{zone_id}"\nzones = ["{zone_id}"]\n'
        for zone_id in ZONES
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(care_hall, "HALL_TOML", care_hall.HALL_TOML + panels)
        with care_hall.care_hall(tmp_path_factory.mktemp("zones"), rows()) as one:
            yield one


@pytest.fixture(scope="module")
def url(hall: CareHall) -> Iterator[str]:
    server = open_door(hall.core, port=0)
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://127.0.0.1:{server.effective_port}"
    close_door(hall.core, server)


def zones(hall: CareHall) -> dict[str, dict[str, Any]]:
    told = hall.app.test_client().get("/api/state").get_json()["zones"]
    return {one["zone_id"]: one for one in told}


def as_panels_say(hall: CareHall) -> None:
    panels = {one["panel"]: one for one in hall.link.snapshot()["panels"]}
    for zone_id, shown in zones(hall).items():
        panel = panels[f"p-{zone_id}"]
        for name in ("number", "level", "certain", "text", "text_en"):
            assert shown[name] == panel[name], (zone_id, name)


def test_the_state_of_hall_screens_says_what_the_panels_say(hall: CareHall) -> None:
    shown = zones(hall)
    assert {zone_id: (one["number"], one["level"]) for zone_id, one in shown.items()} == {
        "kept": (5, "open"),
        "doubt": (None, ""),
        "few": (2, "almost"),
        "full": (0, "full"),
        "wrong": (None, ""),
        "shut": (0, ""),
    }
    assert shown["shut"]["text"] == "暂停使用" and [one for one in shown if shown[one]["shut"]] == ["shut"]
    assert (shown["kept"]["free"], shown["kept"]["reserved"]) == (8, 3)
    assert [zone_id for zone_id, one in shown.items() if not one["possible"]] == ["wrong"]
    as_panels_say(hall)


def look(page: Page, zone_id: str) -> str:
    """The number and the word that are to be seen in a zone's box."""
    box = page.locator(f'[data-zone="{zone_id}"]')
    expect(box).to_be_visible()
    return " ".join(box.locator("[data-number]:visible, [data-when]:visible").all_inner_texts())


def test_the_display_and_the_parking_page_show_it_and_the_console_says_why(
    hall: CareHall, url: str, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    said = {
        f"{url}/parking": ("5", "-- 不清楚", "2 快满", "满", "-- 不清楚", "停用"),
        f"{url}/parking?lang=en": ("5", "-- not known", "2 almost full", "full", "-- not known", "Closed"),
        f"{url}/display": (
            "5",
            "-- 不清楚 not known",
            "2 快满 almost full",
            "满 full",
            "-- 不清楚 not known",
            "停用 Closed",
        ),
    }
    for address, words in said.items():
        page.goto(address)
        assert tuple(look(page, zone_id) for zone_id in ZONES) == words, address
    page.goto(f"{url}/console/sign-in")
    page.fill("[name=name]", ADMIN)
    page.fill("[name=password]", ADMIN_PASSWORD)
    page.locator("main button").click()
    expect(page.locator('[data-key="zone-kept"]')).to_contain_text("空 8 · 占 1 · 不明 0 · 停用 0 · 预留 3")
    expect(page.locator('[data-key="zone-wrong"]')).to_contain_text("数目不可能")
    expect(page.locator('[data-key="zone-few"]')).not_to_contain_text("不可能")
    context.close()


def test_a_reserve_or_a_site_that_is_put_right_is_told_at_once(hall: CareHall) -> None:
    ear = Ear(hall.hub.stream("hall"))
    hall.link.order("put_zone_plan", zone_id="few", disabled_reserve=2, by="t")
    told = ear.wait("zone")
    assert (told["zone_id"], told["number"], told["text"]) == ("few", 0, "车位已满")
    hall.link.order("put_site", site_id="cellar", capacity=7, by="t")
    told = ear.wait("zone")
    assert (told["zone_id"], told["number"], told["possible"]) == ("wrong", 3, True)
    hall.link.order("close_bay", bay_id="kept-0", by="t")
    told = ear.wait("zone")
    assert (told["zone_id"], told["free"], told["number"]) == ("kept", 7, 4)
    as_panels_say(hall)
