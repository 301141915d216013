"""How soon a page of the touchscreen is there, on a machine that is four times slower than this one.

Chromium's own CPU throttle stands in for a Raspberry Pi; it is not one. The whole hall is real. "Painted" is the largest
paint that the browser reports, "next screen" counts from the finger's touch on one page to the first paint of the next,
"feedback" from the touch to the frame in which the button looks pressed (Event Timing, in steps of 8 ms).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from tests.bench.halls import line
from tests.whole_hall import WholeHall, chromium

SLOWER = 4
VIEWS = 9
PANEL = {"width": 1080, "height": 1920}
PAGES = (
    "/", "/?large=1", "/?lang=en", "/category/government?large=1", "/item/ZW-01", "/item/WY-02?lang=en", "/find",
    "/ask", "/ask/leak", "/progress", "/certificates", "/parking", "/attract",
)  # fmt: skip
PAINT_MS, NEXT_MS, FEEDBACK_MS, PAGE_KB, SOUND_MS = 800, 300, 100, 60, 300

LARGEST = """() => new Promise((done) => {
  new PerformanceObserver((seen) => done(Math.max(...seen.getEntries().map((one) => one.startTime))))
    .observe({type: "largest-contentful-paint", buffered: true});
})"""
#: What the touched page leaves for the next one: when it was touched, and how late it looked so.
WATCH = """() => {
  addEventListener("pointerdown", (event) => { sessionStorage.touched = performance.timeOrigin + event.timeStamp; }, true);
  new PerformanceObserver((seen) => {
    for (const one of seen.getEntries()) if (one.name === "pointerdown") sessionStorage.feedback = one.duration;
  }).observe({type: "event", durationThreshold: 16});
}"""
ARRIVED = """() => new Promise((done) => {
  const tell = (paint) => done([performance.timeOrigin + paint.startTime - Number(sessionStorage.touched),
    Number(sessionStorage.feedback ?? 8)]);
  const known = performance.getEntriesByName("first-contentful-paint")[0];
  if (known) tell(known);
  else new PerformanceObserver((seen) => seen.getEntriesByName("first-contentful-paint").forEach(tell)).observe({type: "paint"});
})"""
NUMBER = """() => new Promise((done) => {
  const number = document.querySelector("[data-number]");
  let touched = 0;
  addEventListener("pointerdown", (event) => { touched = event.timeStamp; }, true);
  new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => { window.took = performance.now() - touched; })))
    .observe(number, {childList: true, characterData: true, subtree: true});
  done();
})"""


@contextmanager
def slow_page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PANEL)
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    yield page
    context.close()


def kiosk_pages(hall: WholeHall) -> None:
    print(f"  (processor {SLOWER} times slower; panel 1080 x 1920; {VIEWS} views each, files kept from the second on)")
    with chromium() as browser:
        for path in PAGES:
            _page(browser, hall, path)
        for name, path, target in (
            ("home, an item touched", "/", "a.item:visible"),
            ("item, back touched", "/item/ZW-01", "[data-back]"),
            ("home, large text touched", "/", "nav.modes a.mode >> nth=0"),
            ("home, a group touched (large)", "/?large=1", "a.group >> nth=0"),
        ):
            _touch(browser, hall, name, path, target)
        _take(browser, hall)


def _page(browser: Browser, hall: WholeHall, path: str) -> None:
    with slow_page(browser) as page:
        kilobytes, strangers = 0.0, []

        def finished(told: dict[str, float]) -> None:
            nonlocal kilobytes
            kilobytes += told["encodedDataLength"] / 1000

        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", finished)
        page.on("request", lambda asked: strangers.append(asked.url) if _is_strange(hall, asked.url) else None)
        answer = page.goto(hall.url + path)
        if answer is None or answer.status != 200:
            print(f"  {path}: not there ({answer.status if answer else '-'})")
            return
        first = page.evaluate(LARGEST)
        page.wait_for_load_state("load")
        cold = kilobytes
        took = []
        for _ in range(VIEWS):
            page.goto(hall.url + path)
            took.append(page.evaluate(LARGEST))
        line(f"{path}: painted", took, f"{PAINT_MS} ms")
        print(f"    first view {first:.0f} ms, {cold:.1f} kB packed (bar {PAGE_KB} kB), requests elsewhere: {len(strangers)}")


def _is_strange(hall: WholeHall, url: str) -> bool:
    return urlsplit(url).netloc != urlsplit(hall.url).netloc


def _touch(browser: Browser, hall: WholeHall, name: str, path: str, target: str) -> None:
    took, feedback = [], []
    with slow_page(browser) as page:
        for _ in range(VIEWS):
            page.goto(hall.url + path)
            page.evaluate(WATCH)
            before = page.url
            page.locator(target).first.click()
            page.wait_for_url(lambda url, was=before: url != was)  # type: ignore[misc]
            later, felt = page.evaluate(ARRIVED)
            took.append(later)
            feedback.append(felt)
    line(f"{name}: next screen", took, f"{NEXT_MS} ms")
    line(f"{name}: feedback", feedback, f"{FEEDBACK_MS} ms")


def _take(browser: Browser, hall: WholeHall) -> None:
    took = []
    with slow_page(browser) as page:
        for _ in range(VIEWS):
            page.goto(hall.url + "/item/ZW-01")
            page.evaluate(NUMBER)
            page.locator("[data-take]").click()
            page.wait_for_function("() => window.took")
            took.append(page.evaluate("window.took"))
    line("take a number touched: the number painted", took, f"{NEXT_MS} ms")


# ---------------------------------------------------------------- reading aloud

HEARD = """() => { document.addEventListener("pointerdown", (event) => { window.touched = event.timeStamp; window.heard = 0; }, true);
  document.addEventListener("click", (event) => { window.touched = event.timeStamp; }, true);
  document.addEventListener("playing", () => { window.heard ||= performance.now() - window.touched; }, true); }"""


def read_aloud(hall: WholeHall) -> None:
    """Click on "read aloud" → the audio element's event "playing": of what is kept, and of what was never said."""
    flags = ("--autoplay-policy=no-user-gesture-required",)
    with chromium(*flags) as browser, slow_page(browser) as page:
        codes = [one["code"] for one in hall.get("/api/services")][:12]
        fresh, kept = [], []
        for turn in range(3):
            for code in codes if turn < 2 else codes[:6]:
                page.goto(f"{hall.url}/item/{code}")
                page.evaluate(HEARD)
                page.locator("[data-aloud-button]").click()
                page.wait_for_function("() => window.heard", timeout=30_000)
                (kept if turn else fresh).append(page.evaluate("window.heard"))
    line("the hall's first reading (its program is begun)", fresh[:1], "-")
    line("click to first sample, never said before", fresh[1:], "-")
    line("click to first sample, kept", kept, f"{SOUND_MS} ms")
    folder = hall.home / "voice" / "read"
    sizes = [file.stat().st_size for file in folder.iterdir()]
    print(f"    {len(sizes)} phrases, {sum(sizes) / 1e6:.1f} MB on the disk")
