"""The README's pictures, made anew from a running hall: ``make pictures``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect

from tests.test_three_lives import WAIT_MS, tell
from tests.whole_hall import chromium, sign_in, whole_hall

IMAGES = Path("docs/images")


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="linli-pictures-") as folder,
        whole_hall(Path(folder)) as hall,
        chromium() as browser,
    ):
        for number, service in enumerate(("ZW-01", "ZW-04", "WY-06", "DW-01", "ZW-05"), start=1):
            hall.post("/api/tickets", {"service": service, "key": f"picture-{number}", "lang": "zh"})

        kiosk = browser.new_page(viewport={"width": 1080, "height": 1920})
        kiosk.goto(hall.url)
        kiosk.wait_for_load_state("networkidle")
        kiosk.screenshot(path=IMAGES / "kiosk.png")

        console = browser.new_page(viewport={"width": 1920, "height": 1080})
        sign_in(hall, console)
        console.select_option("#queue select", "W2")
        console.locator("[data-act=next]").click()
        tell(hall, "button:btn-01", "press")
        expect(console.locator("article.call")).to_be_visible(timeout=WAIT_MS)
        expect(console.locator("#toast")).to_be_hidden(timeout=WAIT_MS)
        console.screenshot(path=IMAGES / "console.png")

        display = browser.new_page(viewport={"width": 1920, "height": 1080})
        display.goto(f"{hall.url}/display")
        expect(display.locator("body")).to_contain_text("B001", timeout=WAIT_MS)
        display.screenshot(path=IMAGES / "display.png")
    for image in sorted(IMAGES.glob("*.png")):
        print(f"{image}: {image.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
