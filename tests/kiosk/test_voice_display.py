"""The voice through the display's browser: a real Chromium that really plays, watched by the media events it fires."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from kiosk.core import Core
from kiosk.voice.desk import DISPLAY_GONE_S, GRACE_S
from tests.kiosk.conftest import HeldClock
from tests.kiosk.fake_gateway import FakeGateway
from tests.kiosk.test_alarm import call as alarming
from tests.kiosk.voice_hall import call, policy, rows
from tests.whole_hall import chromium

#: What the two sound elements of the page did, in order.
WATCH = """() => { window.heard = [];
for (const what of ['playing', 'pause', 'ended']) window.addEventListener(what, (event) => {
  const one = event.target;
  window.heard.push({what, which: one.matches('[data-calls]') ? 'calls' : 'help', src: one.currentSrc,
    played: one.currentTime, length: one.duration});
  document.documentElement.dataset.heard = window.heard.map((each) => each.which + '-' + each.what).join(' ');
}, true); }"""


@pytest.fixture(scope="class")
def browser() -> Iterator[Browser]:
    """As linli-browser.service starts it: it may speak without a touch."""
    with chromium("--autoplay-policy=no-user-gesture-required") as one:
        yield one


@pytest.fixture
def page(browser: Browser, address: str, core: Core) -> Iterator[Page]:
    # The sentences are short, so that the test is: no gong, and the parts of a loudspeaker's silence cost nothing.
    policy(core, gong=False)
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.add_init_script(f"({WATCH})()")
    page.goto(address + "/display")
    yield page
    context.close()


def heard(page: Page, *until: str) -> list[dict[str, Any]]:
    """Wait until these events came, in this order ("calls-ended"); all that came."""
    expect(page.locator("html")).to_have_attribute("data-heard", re.compile(".*".join(until)), timeout=30_000)
    found: list[dict[str, Any]] = page.evaluate("window.heard")
    return found


def ring(core: Core, *numbers: int) -> None:
    """The screens hear that somebody was called."""
    for number in numbers:
        core.hub.publish("hall", "called", {"number": f"B{number:03d}", "calls": 1, "category": "government",
                                            "window_zh": "三号窗口", "window_en": "Window 3"})  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestInTheBrowser:
    @pytest.mark.long
    def test_two_windows_in_the_same_moment_are_both_heard_whole_and_in_order(
        self, page: Page, core: Core
    ) -> None:
        gate = threading.Barrier(2)
        numbers: dict[int, int] = {}

        def window(number: int) -> None:
            gate.wait()
            numbers[number] = call(core, number, number)
            ring(core, number)

        windows = [threading.Thread(target=window, args=(number,)) for number in (3, 4)]
        for one in windows:
            one.start()
        for one in windows:
            one.join()
        first, second = sorted(numbers.values())
        with page.expect_response(lambda answer: answer.url.endswith(f"/voice/{second}/ended")):
            events = heard(page, "calls-ended", "calls-ended")
        order = [
            (one["what"], one["src"].rsplit("/", 1)[1].split(".")[0])
            for one in events
            if one["what"] != "pause"
        ]
        assert order == [
            ("playing", str(first)), ("ended", str(first)), ("playing", str(second)), ("ended", str(second)),
        ]  # fmt: skip
        for begins, ends in itertools.pairwise(events):
            if begins["what"] == "playing" and ends["what"] == "ended":
                assert ends["played"] == pytest.approx(ends["length"], abs=0.05), "to its end"
        assert [row["state"] for row in rows(core)] == ["spoken", "spoken"]

    @pytest.mark.long
    def test_an_emergency_comes_first_and_the_number_is_said_whole_afterwards(
        self, page: Page, core: Core, gateway: FakeGateway
    ) -> None:
        policy(core, twice=True)  # ten seconds: the call for help comes in their middle also on a busy machine
        number = call(core, 31, 3)
        ring(core, 31)
        heard(page, "calls-playing")
        gateway.tell("CallChanged", call=alarming(7))
        heard(page, "help-ended")
        gateway.tell("CallChanged", call=alarming(7, state="COMING"))
        events = heard(page, "calls-ended")
        told = [(one["which"], one["what"]) for one in events if one["what"] in ("playing", "ended")]
        assert told == [
            ("calls", "playing"), ("help", "playing"), ("help", "ended"), ("calls", "playing"), ("calls", "ended"),
        ]  # fmt: skip
        assert events[-1]["src"].count(f"/{number}.wav") == 1
        last = events[-1]
        assert last["played"] == pytest.approx(last["length"], abs=0.05)

    @pytest.mark.long
    def test_a_second_display_is_silent(self, page: Page, browser: Browser, core: Core, address: str) -> None:
        other = browser.new_page()
        other.add_init_script(f"({WATCH})()")
        other.goto(address + "/display")
        call(core, 31, 3)
        ring(core, 31)
        heard(page, "calls-ended")
        assert other.evaluate("window.heard") == []
        other.close()


#: What Firefox does, and Chromium with a window; Chromium without one has no such policy of its own.
SILENT_BEFORE_A_TOUCH = """(() => {
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    return navigator.userActivation.hasBeenActive ? play.call(this)
      : Promise.reject(new DOMException("nobody has touched this page", "NotAllowedError"));
  };
})()"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.long
def test_a_browser_that_wants_a_touch_says_so_and_speaks_after_it(address: str, core: Core) -> None:
    policy(core, gong=False)
    with chromium() as strict:
        page = strict.new_page(viewport={"width": 1920, "height": 1080})
        page.add_init_script(SILENT_BEFORE_A_TOUCH)
        page.add_init_script(f"({WATCH})()")
        page.goto(address + "/display")
        call(core, 31, 3)
        ring(core, 31)
        button = page.locator("[data-touch]")
        expect(button).to_be_visible()
        assert [fault.kind for fault in core.voice.faults] == ["muted"]
        assert rows(core)[0]["state"] == "waiting", "nothing is lost"
        button.click()
        heard(page, "calls-ended")
        expect(button).to_be_hidden()
        assert core.voice.faults == ()


# ---------------------------------------------------------------- what the server makes of displays


class HandClock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def tick(core: Core) -> HandClock:
    clock = HandClock()
    core.voice._mono_s = clock
    return clock


Ask = Callable[[str], dict[str, Any]]


@pytest.fixture
def ask(client: FlaskClient) -> Ask:
    def ask(display: str) -> dict[str, Any]:
        answer = client.get(f"/voice/next?display={display}")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.get_json()
        return told

    return ask


def test_a_browser_that_dies_in_the_middle_gives_the_row_back(
    client: FlaskClient, core: Core, ask: Ask, tick: HandClock
) -> None:
    number = call(core, 31, 3)
    assert ask("left")["say"]["id"] == number
    assert not ask("right")["speaks"]
    tick.now_s += GRACE_S - 1
    assert ask("right")["say"] is None, "it may still come"
    tick.now_s += DISPLAY_GONE_S
    again = ask("right")
    assert (again["speaks"], again["say"]["id"]) == (True, number)


def test_a_page_that_is_loaded_anew_learns_that_it_has_to_be_touched(client: FlaskClient, core: Core, ask: Ask) -> None:
    call(core, 31, 3)
    say = ask("left")["say"]
    client.post(f"/voice/{say['id']}/failed", json={"claim": say["claim"], "why": "autoplay"})
    assert [ask("left")[name] for name in ("mute", "say")] == [True, None]
    assert not ask("right")["mute"]
    touched = client.get("/voice/next?display=left&touched=1").get_json()
    assert not touched["mute"]


def test_a_claim_that_has_run_out_ends_nothing(
    client: FlaskClient, core: Core, ask: Ask, tick: HandClock
) -> None:
    call(core, 31, 3)
    old = ask("left")["say"]
    tick.now_s += DISPLAY_GONE_S + GRACE_S
    new = ask("right")["say"]
    for how, claim, status in (
        ("ended", old["claim"], 409),
        ("began", new["claim"], 200),
        ("ended", new["claim"], 200),
    ):
        assert client.post(f"/voice/{new['id']}/{how}", json={"claim": claim}).status_code == status, how
    assert client.get(old["wav"]).status_code == 409
    assert rows(core)[0]["state"] == "spoken"


def test_a_call_that_fails_three_times_does_not_silence_the_next(
    client: FlaskClient, core: Core, ask: Ask
) -> None:
    call(core, 31, 3)
    second = call(core, 32, 3)
    for _ in range(3):
        say = ask("left")["say"]
        assert (
            client.post(
                f"/voice/{say['id']}/failed", json={"claim": say["claim"], "why": "error"}
            ).status_code
            == 200
        )
    assert ask("left")["say"]["id"] == second
    assert (rows(core)[0]["state"], rows(core)[0]["why"]) == ("failed", "the browser could not play it")


def test_no_display_at_all_is_told_to_whoever_is_on_duty(core: Core, clock: HeldClock) -> None:
    call(core, 31, 3)
    clock.forward(seconds=61)
    core.voice.watch()
    assert [fault.kind for fault in core.voice.faults] == ["no_display"]
    assert rows(core)[0]["state"] == "expired"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/voice/next", None, 400),
        ("/voice/next?display=../../etc", None, 400),
        ("/voice/999.wav?claim=x", None, 409),
        ("/voice/999/ended", {"claim": "x"}, 409),
        ("/voice/999/ended", "x", 400),
        ("/voice/999/stopped", {"claim": "x"}, 404),
    ],
)
def test_what_nobody_gave_out_is_refused(client: FlaskClient, path: str, body: Any, status: int) -> None:
    answer = client.get(path) if body is None else client.post(path, json=body)
    assert answer.status_code == status


def test_the_wav_is_the_sentence(client: FlaskClient, core: Core, ask: Ask) -> None:
    call(core, 31, 3)
    say = ask("left")["say"]
    assert say["words"] == "请政务零三一号到三号窗口"
    answer = client.get(say["wav"])
    assert answer.mimetype == "audio/wav"
    assert answer.data[:4] == b"RIFF"
    assert len(answer.data) > 22_050 * 2 * 4
