"""The reference button asleep, without power, with a flash that refuses: what it must remember, and what it may not do.

Time is handed to it; no wire. A press is never forgotten: it is the same press, with the same key, after any of this.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.reference_button.keeping import KEEP_MOST
from devices.reference_button.virtual_board import POWER_UP_MS, Files
from tests.devices.held_button import Spoken


@pytest.fixture
def button(tmp_path: Path) -> Spoken:
    return Spoken(tmp_path / "button")


@pytest.fixture
def on_battery(tmp_path: Path) -> Spoken:
    return Spoken(tmp_path / "button", power="battery")


def asleep(button: Spoken) -> Spoken:
    """A battery button that has said its word of life, found no call, and sleeps."""
    button.up()
    button.protocol.delivered("status", button.now_ms)
    button.pass_s(30)
    assert button.rest is not None
    button.down()
    button.said.clear()
    return button


def test_a_wake_from_deep_sleep_is_no_new_boot_and_a_power_cut_is(on_battery: Spoken) -> None:
    boot = asleep(on_battery).protocol.boot
    keys = []
    for _ in range(3):
        on_battery.wake(finger=True)
        on_battery.up()
        said = on_battery.presses()[0]
        keys.append((said["boot"], said["seq"]))
        on_battery.written(said)
        on_battery.lamp("off")
        on_battery.protocol.delivered("status", on_battery.now_ms)
        on_battery.pass_s(5)
        on_battery.down()
    assert keys == [(boot, 1), (boot, 2), (boot, 3)]
    on_battery.power_cut()
    assert on_battery.protocol.boot != boot


def test_the_power_went_between_press_and_written_and_it_is_still_the_same_press(button: Spoken) -> None:
    button.up()
    button.press()
    button.pass_s(700)
    before = button.presses()[-1]
    button.power_cut()
    button.up()
    after = button.presses()[0]
    assert (after["boot"], after["seq"], after["press"]) == (before["boot"], before["seq"], before["press"])
    assert before["boot"] != button.protocol.boot
    assert 600_000 <= after["age_ms"] <= before["age_ms"], "at least as old as it was when it was last kept"
    button.press()
    assert button.presses()[-1]["boot"] == button.protocol.boot
    button.written(after)
    button.power_cut()
    button.up()
    assert len(button.presses()) == 1, "the second is left, the first is done"


def test_through_deep_sleep_the_age_of_a_press_is_exact(on_battery: Spoken) -> None:
    began_ms = on_battery.now_ms
    on_battery.press()
    for _ in range(8):
        on_battery.pass_s(400)
        on_battery.wake()
    on_battery.up()
    assert on_battery.presses()[0]["age_ms"] == on_battery.now_ms - began_ms > 600_000


def test_a_battery_button_gives_the_radio_up_and_never_the_press(on_battery: Spoken) -> None:
    on_battery.press()
    on_battery.pass_s(1000)
    assert on_battery.rest == (30_000, True)
    assert 179_000 < on_battery.now_ms - POWER_UP_MS < 181_000
    rests_ms = [on_battery.rest[0]]
    for _ in range(900):  # three days of a hall that is away
        on_battery.wake()
        assert on_battery.protocol.wants_line(on_battery.now_ms)
        woken_ms = on_battery.now_ms
        on_battery.pass_s(1000)
        assert on_battery.rest is not None
        assert 19_000 < on_battery.now_ms - woken_ms < 21_000
        rests_ms.append(on_battery.rest[0])
    assert rests_ms[:6] == [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]
    assert max(rests_ms) == 300_000
    on_battery.wake()
    on_battery.up()
    said = on_battery.presses()[0]
    assert said["seq"] == 1
    assert said["age_ms"] == on_battery.now_ms - POWER_UP_MS
    on_battery.written(said)
    assert on_battery.protocol.unwritten == 0


def test_a_press_while_it_rests_wakes_it_and_all_tries_begin_anew(on_battery: Spoken) -> None:
    on_battery.press()
    for _ in range(6):
        on_battery.pass_s(1000)
        on_battery.wake()
    on_battery.pass_s(1000)
    on_battery.wake(finger=True)
    woken_ms = on_battery.now_ms
    on_battery.up()
    assert [words["seq"] for words in on_battery.presses()] == [1, 2]
    on_battery.pass_s(1000)
    assert 179_000 < on_battery.now_ms - woken_ms < 181_000
    assert on_battery.rest == (30_000, True)


def test_it_stays_awake_while_a_call_is_open_and_sleeps_when_it_is_closed(on_battery: Spoken) -> None:
    asleep(on_battery).wake(finger=True)
    on_battery.up()
    on_battery.lamp("blink")
    on_battery.written(on_battery.presses()[0])
    on_battery.protocol.delivered("status", on_battery.now_ms)
    on_battery.pass_s(600)
    assert on_battery.rest is None
    on_battery.lamp("steady")
    on_battery.pass_s(600)
    assert (on_battery.rest, on_battery.light) == (None, "steady")
    on_battery.lamp("off")
    on_battery.pass_s(5)
    assert on_battery.rest is not None


def test_a_call_that_stays_open_does_not_empty_the_battery_and_its_lamp_comes_back(
    on_battery: Spoken,
) -> None:
    asleep(on_battery).wake(finger=True)
    on_battery.up()
    on_battery.lamp("steady")
    on_battery.written(on_battery.presses()[0])
    on_battery.protocol.delivered("status", on_battery.now_ms)
    on_battery.pass_s(1900)
    assert on_battery.rest is not None
    tunes = len(on_battery.tunes)
    on_battery.wake()
    on_battery.up()
    assert on_battery.light == "off"
    on_battery.lamp("steady")
    assert on_battery.light == "steady"
    assert len(on_battery.tunes) == tunes, (
        "that somebody is coming was said before: nobody is woken for it again"
    )


def test_a_word_of_life_that_found_no_line_is_tried_again_sooner(on_battery: Spoken) -> None:
    asleep(on_battery)
    assert on_battery.rest is not None
    assert 14_375_000 < on_battery.rest[0] <= 14_400_000, "every four hours"
    on_battery.wake()
    woken_ms = on_battery.now_ms
    on_battery.pass_s(600)
    assert 19_000 < on_battery.now_ms - woken_ms < 21_000
    assert on_battery.rest == (900_000, True)
    on_battery.wake()
    on_battery.up()
    said = [words for _, what, words in on_battery.said if what == "status"]
    assert said[-1]["every_s"] == 14_400
    assert said[-1]["battery_pct"] == 75
    assert said[-1]["battery_mv"] == 3_900
    assert said[-1]["uptime_s"] == (on_battery.now_ms - POWER_UP_MS) // 1000


def test_on_mains_it_speaks_every_minute_and_never_rests(button: Spoken) -> None:
    button.up()
    for _ in range(10):
        button.protocol.delivered("status", button.now_ms)
        button.pass_s(60)
    said = [ms for ms, what, _ in button.said if what == "status"]
    assert said == [n * 60_000 for n in range(11)]
    assert button.rest is None
    assert "battery_pct" not in button.said[0][2]


def test_a_button_that_something_leans_on_calls_once_and_does_not_empty_its_battery(
    on_battery: Spoken,
) -> None:
    asleep(on_battery)
    on_battery.stir()
    on_battery.finger(True)
    on_battery.up()
    on_battery.lamp("off")
    on_battery.written(on_battery.presses()[0])
    on_battery.protocol.delivered("status", on_battery.now_ms)
    on_battery.pass_s(100)
    assert on_battery.rest is not None
    assert on_battery.rest == (60_000, False), "the finger that is on it already cannot wake it"
    for _ in range(3):
        on_battery.wake()
        on_battery.finger(True)  # how the board finds the contact
        assert on_battery.rest is not None
        assert not on_battery.protocol.wants_line(on_battery.now_ms)
        assert on_battery.protocol.unwritten == 0
    on_battery.wake()
    on_battery.finger(False)
    assert not on_battery.is_asleep, "a contact that bounces now must not wake it into a call"
    on_battery.pass_s(1)
    on_battery.wake(finger=True)
    assert on_battery.protocol.unwritten == 1, "let go and pressed again, it calls again"


def test_the_flash_refuses_and_the_press_is_said_all_the_same(on_battery: Spoken) -> None:
    on_battery.files.refuses = True
    on_battery.press()
    on_battery.up()
    assert [words["seq"] for words in on_battery.presses()] == [1]
    status = [words for _, what, words in on_battery.said if what == "status"]
    assert status[-1]["fault"] == "flash_refuses"
    on_battery.pass_s(300)
    on_battery.presses()
    on_battery.wake()
    on_battery.up()
    assert [words["seq"] for words in on_battery.presses()] == [1], "the note has carried it through sleep"


def test_what_was_kept_cannot_be_read_and_it_may_have_been_a_call(tmp_path: Path) -> None:
    button = Spoken(tmp_path)
    button.press()
    for damage in (b"\x00\xff\x00", b"{}", b'{"presses":[[1]]}', b'{"presses":7}'):
        Path(tmp_path / "kept.json").write_bytes(damage)
        button.power_cut()
        button.up()
        assert [words["press"] for words in button.presses()] == ["short"]
        assert button.protocol.unwritten == 1


def test_a_note_that_was_torn_is_no_note(tmp_path: Path) -> None:
    button = Spoken(tmp_path, power="battery")
    asleep(button)
    boot, note = button.protocol.boot, (tmp_path / "rtc").read_bytes()
    assert json.loads(note[8:])["boot"] == boot
    (tmp_path / "rtc").write_bytes(note.replace(b'"seq": 0', b'"seq": 9'))
    button.wake()
    assert button.protocol.boot != boot


def test_the_flash_is_written_twice_for_a_press_and_not_for_each_repeat(button: Spoken) -> None:
    button.up()
    before = button.files.writes
    button.press()
    button.pass_s(300)
    button.written(button.presses()[0])
    assert button.files.writes - before == 2


# ---------------------------------------------------------------- whatever happens, in any order

HAPPENS = st.lists(
    st.sampled_from(
        ["press", "up", "down", "written", "lamp", "second", "minutes", "power", "sleep", "refuse"]
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HAPPENS, st.sampled_from(["mains", "battery"]))
def test_no_press_is_forgotten_no_key_is_used_twice_and_no_lamp_runs_ahead(
    tmp_path_factory: pytest.TempPathFactory, happens: list[str], power: str
) -> None:
    button = Spoken(tmp_path_factory.mktemp("button"), power=power)
    pressed = 0
    open_keys: set[tuple[str, int]] = set()
    done: set[tuple[str, int]] = set()
    line = False
    for what in happens:
        if what == "press" and button.protocol.unwritten == KEEP_MOST:
            continue  # it would join those that wait: another story
        if button.rest is not None:
            button.down()
            line = False
            button.wake(finger=what == "press" and button.rest[1])
            if what == "press":
                pressed += 1
                what = "second"
        if what == "press":
            button.pass_s(0.5)
            if button.rest is not None:
                continue
            button.press()
            pressed += 1
        elif what in ("up", "down"):
            line = what == "up"
            button.up() if line else button.down()
        elif what == "lamp":
            button.lamp("blink")
        elif what == "second":
            button.pass_s(1)
        elif what in ("minutes", "sleep"):
            button.pass_s(400)
        elif what == "power":
            # A flash that refuses keeps no promise through a power cut, and says so: that is another story.
            if not button.files.refuses:
                button.power_cut()
                line = False
        elif what == "refuse":
            button.files.refuses = not button.files.refuses
            button.pass_s(1300)  # a flash that is well again is written when ages are kept anew
        for words in button.presses():
            key = (words["boot"], words["seq"])
            assert key not in done, "said again after it was written"
            open_keys.add(key)
        if what == "written" and line and open_keys and button.rest is None:
            key = sorted(open_keys)[0]
            button.written({"boot": key[0], "seq": key[1]})
            open_keys.discard(key)
            done.add(key)
            button.presses()
        if button.protocol.unwritten:
            assert not button.protocol.lit(button.now_ms)
        assert button.protocol.unwritten + len(done) == pressed


def test_virtual_flash_behaves_as_the_real_one(tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    assert (files.kept(), files.noted()) == (b"", b"")
    files.keep(b"one")
    files.note(b"two")
    files.forget_note()
    assert (files.kept(), files.noted()) == (b"one", b"")
    files.refuses = True
    with pytest.raises(OSError, match="no space left"):
        files.keep(b"three")
    assert files.kept() == b"one"
