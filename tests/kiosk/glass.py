"""What the stories of the faces share: panels, ways to be seen, what a page's glass measures, a clock that is held."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

Open = Callable[..., Page]

#: The panels that a hall buys, and how many of their px are a millimetre: 21.5-inch upright and lying, 15, 10.1.
PORTRAIT, WIDE, SMALL, PANEL = (1080, 1920), (1920, 1080), (1024, 768), (1280, 800)
PX_PER_MM = {PORTRAIT: 4.03, WIDE: 4.03, SMALL: 3.36, PANEL: 5.91}

#: Of everything that can be touched now: what is smaller than `least` px, with its size. The skip link is the
#: keyboard's; a map's bays and places are reached by the large buttons beside it.
SMALL_TARGETS = """(least) => [...document.querySelectorAll('a:not(.skip), button, input, select, textarea')]
  .filter((one) => one.checkVisibility() && !one.closest('svg'))
  .map((one) => [one.closest('label') && one.type === 'checkbox' ? one.closest('label') : one, one.textContent.trim()])
  .map(([one, text]) => [one.getBoundingClientRect(), text])
  .filter(([box]) => Math.min(box.width, box.height) < least)
  .map(([box, text]) => `${text} ${box.width.toFixed(1)} x ${box.height.toFixed(1)}`)"""

#: Texts in letters smaller than `least` px; what a drawing says is said beside it too.
SMALL_TEXTS = """(least) => [...document.querySelectorAll('body *')].filter((one) => one.checkVisibility() &&
  !one.matches('.skip, option, script') && !one.closest('svg') &&
  [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .filter((one) => parseFloat(getComputedStyle(one).fontSize) < least)
  .map((one) => `${one.textContent.trim().slice(0, 20)} ${getComputedStyle(one).fontSize}`)"""

#: What of the frame or of a tile's own text is cut, or lies outside the glass.
CUT = """() => {
  const cut = [], frame = document.querySelector('.touch');
  for (const one of document.querySelectorAll('.top, .bottom, .top *, .bottom *')) {
    if (!one.checkVisibility() || one.closest('svg')) continue;
    const box = one.getBoundingClientRect();
    if (box.left < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1) cut.push(one.textContent.trim());
  }
  for (const one of document.querySelectorAll('.item, .way, .mode, .help, .group, button')) {
    if (!one.checkVisibility()) continue;
    // A line of hanzi is drawn within its line; the font's own box is half as high again, and empty there.
    const air_px = .4 * parseFloat(getComputedStyle(one).fontSize), wide = one.scrollWidth - one.clientWidth;
    const high = one.scrollHeight - one.clientHeight - air_px;
    if (wide > 1 || high > 1) cut.push(`${one.textContent.trim()} ${wide} ${high}`);
  }
  if (frame.scrollWidth > innerWidth) cut.push('the page is wider than the glass');
  // Brothers in one list stand beside each other, and nothing that turns the pages lies over what is touched.
  const lists = [...document.querySelectorAll('main ul, main .choose, main .asking > section, .page > .turn')];
  for (const list of lists) {
    const seen = [...list.querySelectorAll('a, button')].filter((one) => one.checkVisibility());
    const boxes = seen.map((one) => one.getBoundingClientRect());
    const across = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1;
    const over = (a, b) => across(a, b) && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
    const crowded = boxes.some((a, n) => boxes.slice(n + 1).some((b) => over(a, b)));
    if (crowded) cut.push(`one over another: ${list.className || list.dataset.step}`);
    const long = list.checkVisibility() && list.scrollHeight > list.clientHeight + 1;
    if (list.matches('.turn') && long) cut.push('the page-turning buttons');
  }
  return cut;
}"""


def address(path: str, **ways: object) -> str:
    """A page's address with ways to see it: ``address("/find?q=x", large=1)``."""
    told = "&".join(f"{name}={value}" for name, value in ways.items() if value)
    return path + ("&" if "?" in path else "?") + told if told else path


def contrast(ink: str, *behind: str) -> float:
    """WCAG's ratio of a CSS colour and the first sheet behind it through which nothing shines; none: white paper."""
    paper = next((one for one in map(_parts, behind) if len(one) == 3 or one[3] == 1), [255.0] * 3)
    dark, light = sorted(_light(one) for one in (_parts(ink), paper))
    return (light + 0.05) / (dark + 0.05)


def _parts(css: str) -> list[float]:
    return [float(part) for part in re.findall(r"[\d.]+", css)]


def _light(parts: list[float]) -> float:
    """Relative luminance (WCAG 2.2)."""
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4
        for one in (part / 255 for part in parts[:3])
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@contextmanager
def visits(page: Page, address: str) -> Iterator[Open]:
    """A way to open pages; with ``clock=True`` the page's clock is held, and somebody has just touched it.

    Fails at the end for any script error and any request that leaves this kiosk.
    """
    faults: list[str] = []
    page.on("pageerror", lambda wrong: faults.append(str(wrong)))
    page.on("request", lambda asked: None if asked.url.startswith(address) else faults.append(asked.url))

    def visit(path: str, *, clock: bool = False) -> Page:
        if clock:
            page.clock.install(time=0)
        page.goto(address + path)
        if clock:
            page.clock.pause_at(20)  # s of the browser's own day: longer than the page took
            page.evaluate("document.body.dispatchEvent(new Event('pointerdown', {bubbles: true}))")
        return page

    yield visit
    assert faults == []


def forward(page: Page, ms: int) -> None:
    """The clock jumps, and what is due then happens once: not each quarter of a second on the way."""
    page.clock.fast_forward(ms)
    page.clock.run_for(300)
