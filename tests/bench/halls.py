"""What residents and staff feel, on a whole hall (``linli run``) with its virtual devices.

Real mosquitto, real SQLite with WAL and FULL, real Chromium. Broker, load, hall and browser share the machine's cores,
as on a Pi.
"""

from __future__ import annotations

import http.client
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.figures import percentile
from tests.whole_hall import PASSWORD, WholeHall, chromium, sign_in

PRESSES = 300
TICKETS = 500
CLIENTS = 10


def line(what: str, values_ms: list[float], bar: str) -> None:
    print(
        f"  {what:<44} p50 {percentile(values_ms, 0.5):8.2f} ms   p99 {percentile(values_ms, 0.99):8.2f} ms   "
        f"max {max(values_ms):8.2f} ms   n {len(values_ms):<5} bar {bar}",
        flush=True,
    )


def disk_floor(folder: Path) -> None:
    """What no hall can beat here: one fdatasync of a 4 KiB append."""
    took = []
    with (folder / "floor").open("wb", buffering=0) as file:
        for _ in range(300):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - began) * 1000)
    line("floor: append 4 KiB and fdatasync", took, "-")


def press(hall: WholeHall) -> None:
    """Press → lamp, press → "written", with the button's own eyes, one press at a time."""
    lamp, written = "linli/v1/lamp/bench/set", "linli/v1/button/bench/written"
    button, seat = hall.device(lamp, written), hall.seat()
    to_lamp, to_written = [], []
    for number in range(PRESSES):
        began = time.perf_counter()
        button._client.publish(
            "linli/v1/button/bench/press", json.dumps({"boot": "b", "seq": number, "press": "short"}), qos=1
        )
        button.wait_heard(lamp, light="blink")
        to_lamp.append((time.perf_counter() - began) * 1000)
        button.wait_heard(written, seq=number)
        to_written.append((time.perf_counter() - began) * 1000)
        call = seat.wait_fact("CallChanged", device_id="bench", state="HEARD")
        seat.order("close_call", call_id=call["call_id"], by="bench", outcome="test")
        button.wait_heard(lamp, light="off")
    line("press → lamp (MQTT, on disk before it lights)", to_lamp, "p50 ≤ 15, p99 ≤ 60")
    line("press → written (the device may stop)", to_written, "-")


#: Runs in the page: notes when each call's card is in the document, and when it has been painted.
_WATCH = """() => {
  window.seen = {};
  new MutationObserver(() => {
    for (const card of document.querySelectorAll("[data-call]")) {
      const key = card.dataset.call;
      if (!(key in window.seen)) {
        const entry = window.seen[key] = { dom: performance.timeOrigin + performance.now(), painted: 0 };
        const paint = () => { entry.painted = performance.timeOrigin + performance.now(); };
        requestAnimationFrame(() => requestAnimationFrame(paint));
      }
    }
  }).observe(document.getElementById("calls"), { childList: true, subtree: true });
}"""


def console(hall: WholeHall) -> None:
    """Press → the call's card in a real browser's console."""
    with chromium() as browser:
        page = browser.new_page()
        sign_in(hall, page)
        page.wait_for_selector("#main[aria-busy=false]")
        page.evaluate(_WATCH)
        button, seat = hall.device(), hall.seat()
        to_dom, to_paint = [], []
        for number in range(PRESSES // 3):
            words = {"boot": "c", "seq": number, "press": "short"}
            began = time.time() * 1000
            button._client.publish("linli/v1/button/bench-c/press", json.dumps(words), qos=1)
            call = seat.wait_fact("CallChanged", device_id="bench-c", state="HEARD")
            entry = page.wait_for_function(
                f"() => window.seen[{call['call_id']}]?.painted && window.seen[{call['call_id']}]"
            ).json_value()
            to_dom.append(entry["dom"] - began)
            to_paint.append(entry["painted"] - began)
            seat.order("close_call", call_id=call["call_id"], by="bench", outcome="test")
            page.wait_for_function(f"() => !document.querySelector('[data-call=\"{call['call_id']}\"]')")
        line("press → card in the console (Chromium)", to_dom, "p50 ≤ 15, p99 ≤ 60")
        line("press → card painted (two frames later)", to_paint, "-")


SCREENS = 40


def screen(hall: WholeHall) -> None:
    """The responder's screen: asked of the kiosk, and opened in a real browser, with a ladder and earlier calls."""
    button, seat = hall.device(), hall.seat()
    seat.order("put_person", person_id="p-bench", name="王奶奶", building="1栋", place="1栋1单元101", by="bench")
    seat.order("claim_device", device_id="bench-s", kind="call_button", person_id="p-bench", by="bench")
    for number in range(11):
        button.press("bench-s", "d", number)
        call_id = seat.wait_fact("CallChanged", device_id="bench-s", state="HEARD")["call_id"]
        if number < 10:
            seat.order("close_call", call_id=call_id, by="bench", outcome="test")
            seat.wait_fact("CallChanged", device_id="bench-s", state="CLOSED")
    with chromium() as browser:
        page = browser.new_page()
        if (hall.home / "first-admin-token").exists():
            sign_in(hall, page)
        else:  # another bench was here first
            page.goto(f"{hall.url}/console/sign-in")
            page.fill("[name=name]", "小李")
            page.fill("[name=password]", PASSWORD)
            page.click("main button.main")
            page.wait_for_selector("#calls")
        asked, opened = [], []
        for _ in range(SCREENS):
            began = time.perf_counter()
            assert page.request.get(f"{hall.url}/console/api/call/{call_id}").ok
            asked.append((time.perf_counter() - began) * 1000)
            began = time.perf_counter()
            page.goto(f"{hall.url}/console/call/{call_id}", wait_until="commit")
            page.wait_for_selector(".card-way")
            opened.append((time.perf_counter() - began) * 1000)
    line("the call's facts asked of the kiosk", asked, "-")
    line("the responder's screen opened (Chromium)", opened, "max ≤ 1000")


def _take(client: http.client.HTTPConnection, key: str) -> tuple[str, float]:
    body = json.dumps({"service": "ZW-01", "key": key, "lang": "zh", "screen": "bench"})
    began = time.perf_counter()
    client.request("POST", "/api/tickets", body, {"Content-Type": "application/json"})
    answer = client.getresponse()
    words = json.loads(answer.read())
    assert answer.status == 201, words
    return words["number"], (time.perf_counter() - began) * 1000


def clients(hall: WholeHall) -> None:
    """500 tickets one after another, then from ten clients at once; each is on disk, with its slip, when answered."""
    client = http.client.HTTPConnection("127.0.0.1", hall.http_port, timeout=30)
    began = time.perf_counter()
    answers = [_take(client, f"bench-one-{number}") for number in range(TICKETS)]
    whole_s = time.perf_counter() - began
    line(
        f"{TICKETS} tickets, one client ({whole_s:.2f} s in all, bar 1.5)",
        [ms for _, ms in answers],
        "p99 ≤ 15",
    )
    many: list[tuple[str, float]] = []

    def customer(who: int) -> None:
        mine = http.client.HTTPConnection("127.0.0.1", hall.http_port, timeout=30)
        many.extend(_take(mine, f"bench-c{who}-{number}") for number in range(TICKETS // CLIENTS))
        mine.close()

    threads = [threading.Thread(target=customer, args=(who,)) for who in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [number for number, _ in answers + many]
    line(
        f"{TICKETS} tickets, {CLIENTS} clients ({time.perf_counter() - began:.2f} s, "
        f"{len(numbers) - len(set(numbers))} duplicates)",
        [ms for _, ms in many],
        "0 duplicates",
    )
    client.close()


def slip(hall: WholeHall) -> None:
    """Touch → the bridge has sent the slip's first byte, and → the printer's word that it is printed."""
    sent, printed = [], []
    for number in range(20):
        client = http.client.HTTPConnection("127.0.0.1", hall.http_port, timeout=30)
        began = time.time() * 1000
        _take(client, f"bench-slip-{number}")
        client.close()
        row = None
        while row is None:
            with sqlite3.connect(f"file:{hall.home}/bridge.db?mode=ro", uri=True) as book:
                row = book.execute(
                    "SELECT created_ms, changed_ms FROM jobs WHERE state='PRINTED' AND created_ms >= ? ORDER BY 1 DESC",
                    (int(began),),
                ).fetchone()
            threading.Event().wait(0.02)
        sent.append(row[0] - began)
        printed.append(row[1] - began)
    line("touch → the slip is a job of the bridge", sent, "-")
    line("touch → printed (virtual printer, no baud limit)", printed, "-")


def memory(hall: WholeHall) -> None:
    """Resident memory after the load above."""
    bars = {"gateway": 60, "kiosk": 80, "firmware_bridge": 45}
    for name, pid in sorted(hall.children().items()):
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        sizes = {
            row.split(":")[0]: int(row.split()[1]) / 1024
            for row in text.splitlines()
            if row.startswith(("VmRSS", "VmHWM"))
        }
        bar = f"bar {bars[name]} MB" if name in bars else ""
        print(f"  resident {name:<35} {sizes['VmRSS']:6.1f} MiB (peak {sizes['VmHWM']:.1f})   {bar}")


HALL_BENCHES: dict[str, Callable[[WholeHall], None]] = {
    "press": press,
    "console": console,
    "screen": screen,
    "slip": slip,
    "clients": clients,
    "memory": memory,
}
