"""The residents' parking page before axe, with a forecast under a zone: Chinese and English, normal and large.

What stands on the map's drawing is said beside it or in its titles; a machine cannot see what lies under a letter of an
SVG, so the contrast of those letters is measured here by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.axe import judge
from tests.kiosk.glass import PANEL, PORTRAIT, SMALL, address, contrast
from tests.kiosk.parked_hall import parked_hall
from tests.kiosk.test_parking_map import Desk, page  # noqa: F401  (the fixture)

pytestmark = [
    pytest.mark.slow,
    # Playwright's own event loop is left to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: The letters on the map, each with its colour and that of the shape beneath it, bays and pins before the ground.
LETTERS = """() => {
  const map = document.querySelector('.plan-figure > .plan');
  const seen = (one) => getComputedStyle(one).visibility !== 'hidden';
  if (!map) return [];
  const shapes = [...map.querySelectorAll('rect')].filter(seen)
    .filter((one) => getComputedStyle(one).fill !== 'none').reverse();
  const within = (x, y, box) => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
  return [...map.querySelectorAll('use.letters')].filter(seen).map((use) => {
    const text = document.getElementById(use.getAttribute('href').slice(1));
    const box = use.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
    const under = shapes.find((one) => within(x, y, one.getBoundingClientRect()));
    return [text.textContent, getComputedStyle(use).fill, under ? getComputedStyle(under).fill : 'rgb(255, 255, 255)'];
  });
}"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    told = {"west": {"zh": "约 17:45 停满", "en": "full at about 17:45"}}
    with pytest.MonkeyPatch.context() as patched, parked_hall(tmp_path_factory.mktemp("judged")) as hall:
        patched.setattr(hall.core.outlooks, "lines", lambda: told)
        desk = Desk(hall)
        yield desk
        desk.close()


@pytest.mark.parametrize(
    ("ways", "size"),
    [
        pytest.param({}, PORTRAIT, id="zh", marks=pytest.mark.long),
        pytest.param({"lang": "en"}, PANEL, id="en", marks=pytest.mark.long),
        pytest.param({"large": 1}, SMALL, id="zh-large", marks=pytest.mark.long),
        pytest.param({"lang": "en", "large": 1}, PORTRAIT, id="en-large"),
    ],
)
def test_axe_finds_nothing(page: Page, desk: Desk, ways: dict[str, object], size: tuple[int, int]) -> None:  # noqa: F811
    page.set_viewport_size({"width": size[0], "height": size[1]})
    faults = {}
    paths = ["/parking", "/parking?to=b1", "/parking?zone=east", "/parking?to=b2&who=disabled"]
    paths += ["/parking?step=to", "/parking?step=who"] if "large" in ways else []
    for path in paths:
        page.goto(desk.url + address(path, **ways))
        if "large" not in ways or path == "/parking":
            expect(page.locator("[data-outlook]:visible")).to_contain_text("17:45")
        letters = [(text, contrast(ink, ground)) for text, ink, ground in page.evaluate(LETTERS)]
        assert letters or "large" in ways
        faults[path] = judge(page) + [f"{text}: {ratio:.1f}" for text, ratio in letters if ratio < 7]
    assert {path: found for path, found in faults.items() if found} == {}
