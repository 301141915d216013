"""How soon a number is heard: from the click on "call next" to the first sample at the player, and in a real browser.

The player is a program named ``aplay`` that says when it was started and reads its file; the console's route, the
notebook, the clips and the subprocess are real. What a sound card adds behind it (some 50 ms) is not in the figure.
"""

from __future__ import annotations

import json
import os
import time

from kiosk.voice.speaker import Voice
from kiosk.windows import windows_now
from tests.bench.halls import line
from tests.bench.loop import Options
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, ConsoleHall
from tests.kiosk.voice_hall import FakePlayer, spoken_by
from tests.whole_hall import chromium

CALLS = 60
CALLS_IN_A_BROWSER = 6
BAR = "1,000 ms"


def voice(options: Options) -> None:
    """Click → player: the first call of a new hall (espeak-ng may still speak), then every other; then a browser."""
    home = options.folder / "voice"
    home.mkdir()
    player = FakePlayer(home / "player")
    before, os.environ["PATH"] = os.environ["PATH"], player.path
    hall = ConsoleHall(home / "hall")
    try:
        hall.make_admin()
        hall.clock.now_ms = time.time_ns() // 1_000_000
        hall.core.now_ms = lambda: time.time_ns() // 1_000_000
        hall.core.house = spoken_by(hall.core.house, "hall", player="aplay")
        client = hall.client(ADMIN, ADMIN_PASSWORD)
        token = client.token("/console")
        speaker = Voice(hall.core)
        speaker.start()

        def click() -> float:
            hall.app.test_client().post("/api/tickets", json={"service": "ZW-01"})
            began_ns = time.monotonic_ns()
            answer = client.post(
                "/console/api/queue/next",
                json={"window_id": _window(hall), "key": f"bench-{began_ns}"},
                headers={"Origin": "http://localhost", "X-Form-Token": token},
            )
            assert answer.status_code == 200, answer.text
            _, name, at_ns, _ = player.heard()
            told = ("begins", name)
            while told[0] != "ends" or "gong" in told[1]:
                told = player.heard()[:2]
            assert speaker.idle.wait(10)
            return (at_ns - began_ns) / 1e6

        line("click to player, the hall's first call", [click()], BAR)
        line("click to player", [click() for _ in range(CALLS)], BAR)
        speaker.stop()
        _in_a_browser(hall)
    finally:
        os.environ["PATH"] = before
        hall.close()
        player.close()


def _window(hall: ConsoleHall) -> str:
    return next(one.id for one in windows_now(hall.core).all if "ZW-01" in one.skills)


def _in_a_browser(hall: ConsoleHall) -> None:
    """Click → the browser's event "playing", by the kiosk's own clock."""
    hall.core.house = spoken_by(hall.core.house, "display")
    base = hall.serve()
    hall.core.writer.write(
        lambda notebook: notebook.execute(
            "INSERT OR REPLACE INTO voice_policy VALUES ('gong', ?)", (json.dumps(False),)
        )
    )
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    token = client.token("/console")
    took: list[float] = []
    with chromium("--autoplay-policy=no-user-gesture-required") as browser:
        page = browser.new_page()
        page.goto(base + "/display")
        for _ in range(CALLS_IN_A_BROWSER):
            hall.app.test_client().post("/api/tickets", json={"service": "ZW-01"})
            began_ms = time.time_ns() / 1e6
            client.post(
                "/console/api/queue/next",
                json={"window_id": _window(hall), "key": f"bench-{began_ms}"},
                headers={"Origin": "http://localhost", "X-Form-Token": token},
            )
            with page.expect_response(lambda answer: answer.url.endswith("/ended"), timeout=30_000):
                pass
            row = hall.core.reader().execute("SELECT max(began_ms) FROM announcements").fetchone()
            took.append(row[0] - began_ms)
    line("click to the browser's first sample", took, BAR)
