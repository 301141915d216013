"""A resident goes to each of the 31: how many touches it takes, on each panel and in the elders' mode."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from kiosk import content, quick
from kiosk.catalogue import Catalogue, Service
from kiosk.core import Core
from tests.kiosk.ask_walk import go_on, step_of
from tests.kiosk.glass import PANEL, PORTRAIT, SMALL, WIDE, address
from tests.kiosk.test_pages import Open, visit  # noqa: F401  (the fixture)

pytestmark = [
    pytest.mark.slow,
    # Playwright's own event loop is left to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: Where a finger that aims at each of these arrives, without scrolling: the address of what it hits, or "".
HIT = """(what) => Object.fromEntries([...document.querySelectorAll(what)].filter((one) => one.checkVisibility())
  .map((one) => { const box = one.getBoundingClientRect();
    const hit = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
    return [one.getAttribute('href') ?? one.textContent.trim(), one === hit || one.contains(hit)]; }))"""


def resized(page: Page, size: tuple[int, int]) -> Page:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    return page


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_first_touch_reaches_each_of_the_31_on_every_panel(
    visit: Open,  # noqa: F811
    catalogue: Catalogue,
    lang: str,
) -> None:
    page = visit(f"/?lang={lang}")
    wanted = {f"/item/{one.code}" for one in catalogue.services}
    for size in (PORTRAIT, SMALL, PANEL, WIDE):
        hit = resized(page, size).evaluate(HIT, "section:not(.often) .item")
        assert {address.split("?")[0] for address in hit} == wanted, size
        assert all(hit.values()), (size, hit)
    low = visit(f"/?lang={lang}&low=1", PORTRAIT).evaluate(HIT, ".item")
    assert len(low) == len(wanted)
    assert all(low.values()), low


@pytest.mark.parametrize("some", [slice(0, None, 3), pytest.param(slice(None), marks=pytest.mark.long)], ids=str)
def test_the_second_touch_ends_each_of_the_31(
    visit: Open,  # noqa: F811
    core: Core,
    catalogue: Catalogue,
    some: slice,
) -> None:
    """A number for those with tickets; its request, or a call for help, for the others. A third of them each day."""
    taken = 0
    for service in catalogue.services[some]:
        page = visit(f"/item/{service.code}", SMALL)
        for size in (PORTRAIT, PANEL, SMALL):
            hit = resized(page, size).evaluate(HIT, ".act .main")
            assert list(hit.values()) == [True], (service.code, size)
        if service.needs_ticket:
            page.locator("[data-take]").click()
            expect(page.locator("[data-number]")).to_have_text(re.compile("[A-Z][0-9]{3}"))
            taken += 1
        else:
            way = page.locator(".act .main").get_attribute("href")
            assert way is None or way.startswith("/ask"), service.code
    waiting = core.reader().execute("SELECT COUNT(*) FROM tickets").fetchone()[0]
    assert waiting == taken == sum(one.needs_ticket for one in catalogue.services[some])
    assert 0 < taken < len(catalogue.services[some]), "both kinds were touched"


CHOICES = "main a, main button"


def test_elders_need_four_touches_at_most_and_choose_among_six(
    visit: Open,  # noqa: F811
    catalogue: Catalogue,
) -> None:
    """Every page that leads to an item: each choice is hit where it stands, and they are six at most."""
    touches: dict[str, int] = {}
    seen, ways = set(), [("/?large=1", 0)]
    while ways:
        address, so_far = ways.pop(0)
        if address in seen or so_far > 3:
            continue
        seen.add(address)
        page = visit(address, PANEL)
        for size in (PANEL, SMALL, PORTRAIT):
            hit = resized(page, size).evaluate(HIT, CHOICES)
            assert 1 <= len(hit) <= 6, (address, size)
            assert page.locator("[data-turn]").is_hidden(), (address, size, "six choices need no turning")
            assert all(hit.values()), (address, size, hit)
            assert all(page.evaluate(HIT, ".pages a").values()), (address, size)
        for way in [*hit, *page.evaluate(HIT, ".pages a")]:
            assert "large=1" in way, f"{address} leads out of the elders' mode"
            path = way.split("?")[0]
            if path.startswith("/item/"):
                touches.setdefault(path.rpartition("/")[2], so_far + 1)
            elif path.startswith(("/category", "/often", "/more")):
                ways.append((way, so_far + 1))
    assert set(touches) == {one.code for one in catalogue.services}
    # The last touch is 取号, or where the item's request begins.
    assert max(touches.values()) + 1 <= 4
    assert max(touches[code] for code in quick.DEFAULT) + 1 <= 3


#: What can be touched now, but keys of a keyboard and of its field, which are no choices.
SEEN = """() => [...document.querySelectorAll('main a, main button')]
  .filter((one) => one.checkVisibility() && !one.closest('.keyboard, .line, .pad, .keys, .mend, .pages'))
  .map((one) => one.textContent.trim())"""


def test_elders_choose_among_six_on_every_other_page_too(
    visit: Open,  # noqa: F811
    client: FlaskClient,
    core: Core,
) -> None:
    """Every page for residents that stands in the frame."""
    sent = {"kind": "leak", "place": "yard", "words": "x", "key": "elders"}
    code = client.post("/api/requests", json=sent).get_json()["code"]
    pages = [
        *(
            "/",
            "/often",
            "/more",
            "/item/ZW-01",
            "/item/WY-08",
            "/find",
            "/find?q=l",
            "/find?q=没有的",
            "/certificates",
        ),
        *(
            "/certificates?page=2",
            "/certificates/kinship",
            "/parking",
            "/check-in",
            "/progress",
            f"/progress/{code}",
        ),
        *("/no/such/page", "/ask", "/ask?group=urgent", "/ask?group=repair&page=2", "/ask?item=WY-01"),
    ]
    wrong: list[tuple[str, list[str]]] = []
    for path in pages:
        page = visit(address(path, large=1), PANEL)
        seen = page.evaluate(SEEN)
        wrong += [(path, seen)] if len(seen) > 6 else []
    assert wrong == []


@pytest.mark.parametrize(
    "kinds",
    [
        ("double_report", "leak"),
        pytest.param(("leak", "trapped", "fire", "health_day", "meal", "other"), marks=pytest.mark.long),
    ],
    ids=len,
)
def test_elders_choose_among_six_at_each_step_of_a_request(
    visit: Open,  # noqa: F811
    core: Core,
    kinds: tuple[str, ...],
) -> None:
    """Of the kinds with many questions; the last one in a hall with a list of buildings to choose from."""
    wrong: list[tuple[str, list[str]]] = []
    for number, kind in enumerate(kinds):
        if kind == kinds[-1]:
            content.put(core, "hall", {"buildings": [{"zh": f"{n}栋"} for n in range(1, 12)]}, "li")
        page = visit(f"/ask/{kind}?large=1", PANEL if number % 2 else PORTRAIT)
        while True:
            step, seen = step_of(page), page.evaluate(SEEN)
            wrong += [(f"{kind} {step}", seen)] if len(seen) > 6 else []
            if step == "words":
                break
            go_on(page)
    assert wrong == []


def say_quick(core: Core, value: str) -> None:
    core.writer.write(
        lambda notebook: notebook.execute(
            "INSERT INTO content_edits(subject, field, value, by, at_ms) VALUES ('quick', 'codes', ?, 'li', 1)",
            (value,),
        )
    )


def first_of(client: FlaskClient, category: Service) -> str:
    page = client.get("/").text
    section = page.split(f'aria-labelledby="c-{category.category}"')[1]
    found = re.search(r'href="/item/([A-Z]{2}-[0-9]{2})"', section)
    assert found is not None
    return found[1]


def test_what_staff_choose_stands_first(client: FlaskClient, core: Core, catalogue: Catalogue) -> None:
    assert quick.quick_codes(core) == quick.DEFAULT
    say_quick(core, '["WY-08", "DW-07", "ZW-16", "ZW-15", "ZW-14", "DW-05"]')
    assert quick.quick_codes(core) == ("WY-08", "DW-07", "ZW-16", "ZW-15", "ZW-14", "DW-05")
    for code in ("WY-08", "DW-07", "ZW-16"):
        service = catalogue.service(code)
        assert service is not None
        assert first_of(client, service) == code


@pytest.mark.parametrize(
    "value", ["null", "[]", '["XX-99", 7, null]', '{"a": 1}', "no json", '["ZW-10", "ZW-10"]'], ids=str
)
def test_there_are_always_six(core: Core, value: str) -> None:
    """Nonsense, an item that is gone, too few: the ones it ships with fill up."""
    say_quick(core, value)
    codes = quick.quick_codes(core)
    assert len(set(codes)) == len(codes) == quick.QUICK
    assert set(codes) <= {one.code for one in core.catalogue.services}
