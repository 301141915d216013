"""The keyboard's words: how long each letter waits for its candidates, how many phrases stand in the first five.

Each phrase of both sets (tests/data/ime) is typed letter by letter, and each letter asks anew, as the page does: by the
layers themselves (wall clock and processor's time), and through a kiosk's own door. With libgooglepinyin where it is
installed, and without. Each layer's memory is that of a process of its own.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from kiosk.catalogue import load_catalogue
from kiosk.ime.words import Ime
from tests.bench.figures import Bar, percentile
from tests.bench.taking import Kiosk
from tests.parts import ROOT

SETS = ("pinyin_phrases", "hall_phrases")
#: What was asked for: milliseconds at p99, and the shares in the first five.
BAR = Bar(30.0, "30")
SHARE = {True: 80.0, False: 75.0}


def ime(folder: Path) -> None:
    for google in (True, False):
        if google and "libgooglepinyin" not in Ime(_names).engines:
            print("  libgooglepinyin is not installed: our own dictionary alone")
            continue
        _layers(google)
    kiosk = Kiosk(folder / "ime")
    kiosk.start()
    try:
        _door(kiosk.port)
    finally:
        kiosk.close()


def phrases() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for name in SETS:
        file = ROOT / "tests" / "data" / "ime" / f"{name}.json"
        yield name, [(letters, hanzi) for letters, hanzi in json.loads(file.read_text(encoding="utf-8"))]


def _names(_: object) -> Iterable[tuple[str, list[str]]]:
    file = ROOT / "kiosk" / "data" / "services_31.yaml"
    for service in load_catalogue(file.read_text(encoding="utf-8"), file.name).services:
        yield service.name_zh, service.pinyin.split()
        for alias in service.aliases:
            yield alias.zh, alias.pinyin.split()


def _layers(google: bool) -> None:
    words = Ime(_names, google=google)
    began_s = time.perf_counter()
    words.candidates("l")
    first_ms = (time.perf_counter() - began_s) * 1000
    print(
        f"  {' + '.join(words.engines)}: first letter {first_ms:.0f} ms, {_memory_kb(google) / 1000:.1f} MB more"
    )
    for name, asked in phrases():
        five = [hanzi in [one.text for one in words.candidates(letters)[:5]] for letters, hanzi in asked]
        first = [words.candidates(letters)[0].text == hanzi for letters, hanzi in asked]
        share = 100 * sum(five) / len(five)
        met = "met" if share >= SHARE[google] else "MISSED"
        print(
            f"    {name} ({len(asked)}): first {100 * sum(first) / len(first):.0f} %, in the first five {share:.1f} %"
            f"   ≥ {SHARE[google]:.0f} {met}"
        )
    for clock, read in (("wall clock", time.perf_counter), ("processor", time.process_time)):
        _told(f"    each letter, {clock}", _typed(words.candidates, read), BAR)


def _typed(ask: Callable[[str], object], read: Callable[[], float]) -> list[float]:
    """Milliseconds of each letter of each phrase."""
    took = []
    for _, asked in phrases():
        for letters, _ in asked:
            for end in range(1, len(letters) + 1):
                began_s = read()
                ask(letters[:end])
                took.append((read() - began_s) * 1000)
    return took


def _door(port: int) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def ask(letters: str) -> None:
        line.request("GET", f"/api/ime?q={letters}")
        line.getresponse().read()

    ask("l")
    _told("  each letter through the kiosk's door", _typed(ask, time.perf_counter), BAR)
    line.close()


def _told(what: str, took: list[float], bar: Bar) -> None:
    p99 = percentile(took, 0.99)
    print(
        f"{what:<42} p50 {percentile(took, 0.5):.2f} p99 {p99:.2f} max {max(took):.1f} ms   {bar.verdict(p99)}"
        f"   ({len(took)} letters)",
        flush=True,
    )


def _memory_kb(google: bool) -> int:
    """How much a process grows that types all phrases; of kiosk.ime alone."""
    code = (
        "import json, re, sys; from kiosk.ime.words import Ime; from kiosk.ime import google, decoder\n"
        # not ru_maxrss: that is inherited from whoever starts a process
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
        f"before = peak(); words = Ime(lambda _: [], google={google})\n"
        "[words.candidates(one) for one in json.loads(sys.argv[1])]; print(peak() - before)\n"
    )
    letters = json.dumps([letters for _, asked in phrases() for letters, _ in asked])
    said = subprocess.run(
        [sys.executable, "-c", code, letters], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return int(said.stdout)
