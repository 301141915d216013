"""Touch → number on the screen while the printer is well, silent, slow, or its cable is out: nobody waits for paper.

A whole hall with its virtual printer, and a real Chromium on the touchscreen's own page. The clock is the page's:
from the touch's own timestamp to the number in the document, and to two frames later, when it has been painted.
"""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path

from playwright.sync_api import Page

from tests.bench.called import line
from tests.bench.figures import Bar
from tests.whole_hall import WholeHall, chromium, whole_hall

TOUCHES = 60
BAR = Bar(150.0, "150")
ITEM = "ZW-01"
HALL = '[[printers]]\nid = "hall"\nbaud = 9600\n[virtual]\non = true\nbuttons = 0\nbays = 0\n'
#: What the printer is told before the touches, what afterwards, and how it is called here.
MOODS: tuple[tuple[str, dict[str, object] | None, dict[str, object] | None], ...] = (
    ("well", None, None),
    ("silent", {"do": "silent"}, {"do": "talk"}),
    ("slow, 300 baud", {"do": "slow", "bps": 300}, {"do": "slow", "bps": 0}),
    ("unplugged", {"do": "unplug"}, {"do": "plug"}),
    ("out of paper", {"do": "paper_out"}, {"do": "paper_in"}),
)

#: Runs in the page: when it was touched, when the number stood there, when it had been painted.
_WATCH = """() => {
  const told = window.told = { touched: 0, drawn: 0, painted: 0 };
  addEventListener("click", (event) => { told.touched ||= event.timeStamp; }, { capture: true });
  new MutationObserver(() => {
    if (told.drawn || !document.querySelector("[data-number]").textContent) return;
    told.drawn = performance.now();
    requestAnimationFrame(() => requestAnimationFrame(() => { told.painted = performance.now(); }));
  }).observe(document.querySelector("[data-number-page]"), { subtree: true, childList: true, attributes: true });
}"""


def stuck_printer(folder: Path, touches: int = TOUCHES) -> None:
    with whole_hall(folder / "stuck", HALL) as hall, chromium() as browser:
        hall.wait_healthy()
        page = browser.new_page(viewport={"width": 1080, "height": 1920})
        for _ in range(5):
            _touch(hall, page)  # the first ones warm the browser up
        for mood, before, after in MOODS:
            if before is not None:
                hall.post("/demo/do", {"device": "printer:hall", **before})
            answers = [_ask(hall, f"{mood[:3]}-{number}") for number in range(touches)]
            told = [_touch(hall, page) for _ in range(touches)]
            line(f"printer {mood}: POST → its answer", answers, None)
            line(f"printer {mood}: touch → number drawn", [one[0] for one in told], BAR)
            line(f"printer {mood}: touch → painted", [one[1] for one in told], BAR)
            if after is not None:
                hall.post("/demo/do", {"device": "printer:hall", **after})


def _touch(hall: WholeHall, page: Page) -> tuple[float, float]:
    """One person: opens the item, touches "take a number"; milliseconds until it is drawn and until it is painted."""
    page.goto(f"{hall.url}/item/{ITEM}?screen=kiosk-1")
    page.evaluate(_WATCH)
    page.click("[data-take]")
    told = page.wait_for_function("() => window.told.painted && window.told").json_value()
    return told["drawn"] - told["touched"], told["painted"] - told["touched"]


def _ask(hall: WholeHall, key: str) -> float:
    client = http.client.HTTPConnection("127.0.0.1", hall.http_port, timeout=30)
    words = json.dumps(
        {"service": ITEM, "key": f"stuck-{key}".replace(",", ""), "lang": "zh", "screen": f"s-{key}"[:8]}
    )
    began_s = time.perf_counter()
    client.request("POST", "/api/tickets", words, {"Content-Type": "application/json"})
    answer = client.getresponse()
    said = answer.read()
    took_ms = (time.perf_counter() - began_s) * 1000
    client.close()
    assert answer.status == 201, said
    return took_ms
