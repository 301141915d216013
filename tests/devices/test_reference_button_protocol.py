"""The reference button's protocol without hardware and without a wire: time is handed to it, second by second.

A press is said again until it is written, and the lamp never says more than is true. What happens to a press in sleep
and without power: test_reference_button_memory.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.reference_button.keeping import KEEP_MOST
from devices.reference_button.virtual_board import POWER_UP_MS
from tests.devices.held_button import Spoken


@pytest.fixture
def button(tmp_path: Path) -> Spoken:
    return Spoken(tmp_path / "button")


# ---------------------------------------------------------------- a press


def test_a_press_is_said_each_second_with_the_same_key_until_it_is_written(button: Spoken) -> None:
    button.up()
    button.press()
    button.pass_s(3)
    said = button.presses()
    assert [words["age_ms"] for words in said] == [0, 1000, 2000, 3000]
    assert {(words["boot"], words["seq"], words["press"], words["button"]) for words in said} == {
        (button.protocol.boot, 1, "short", 1)
    }
    assert len(button.protocol.boot) == 16
    assert int(button.protocol.boot, 16) >= 0
    button.written(said[0])
    button.pass_s(60)
    assert button.presses() == []


def test_it_is_said_when_the_finger_goes_down_and_not_when_it_leaves(button: Spoken) -> None:
    button.up()
    button.finger(True)
    assert [words["press"] for words in button.presses()] == ["short"]
    button.pass_s(0.9)
    button.finger(False)
    assert button.presses() == []


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff",
        b"[1]",
        b"7",
        b"{}",
        b'{"boot":null,"seq":1}',
        b'{"boot":"0000000000000000","seq":1}',
        b'{"boot":"BOOT","seq":2}',
        b'{"boot":"BOOT","seq":"1"}',
        b'{"boot":"BOOT","seq":true}',
    ],
)
def test_what_is_not_the_word_written_for_this_very_press_changes_nothing(
    button: Spoken, answer: bytes
) -> None:
    button.up()
    button.press()
    answer = answer.replace(b"BOOT", button.protocol.boot.encode())
    button.protocol.heard(button.protocol.written_topic, answer, button.now_ms)
    button.protocol.heard("linli/v1/button/other/written", answer, button.now_ms)
    button.pass_s(1)
    assert button.protocol.unwritten == 1
    assert len(button.presses()) == 2


def test_two_presses_are_two_keys_each_written_by_itself(button: Spoken) -> None:
    button.up()
    button.press()
    button.pass_s(12)
    button.press()
    first, second = {words["seq"]: words for words in button.presses()}.values()
    assert (first["seq"], second["seq"]) == (1, 2)
    button.written(second)
    button.pass_s(1)
    assert [words["seq"] for words in button.presses()] == [1]
    button.written(first)
    assert button.protocol.unwritten == 0


def test_a_trembling_hand_and_a_bouncing_contact_press_once(button: Spoken) -> None:
    button.up()
    for pause_s in (0.005, 0.02, 0.1, 0.25, 0.3, 0.35):
        button.finger(True)
        button.pass_s(pause_s)
        button.finger(False)
        button.pass_s(pause_s)
    assert {words["seq"] for words in button.presses()} == {1}
    button.pass_s(1.5)
    button.press()
    assert {words["seq"] for words in button.presses()} == {1, 2}


def test_a_meal_button_tells_a_long_press_from_a_short_one(tmp_path: Path) -> None:
    button = Spoken(tmp_path, long_press=True)
    button.up()
    button.press(held_s=0.8)
    assert button.presses() == [], "nobody knows yet whether the finger comes back"
    button.pass_s(0.5)
    assert [words["press"] for words in button.presses()] == ["short"]
    button.pass_s(5)
    button.finger(True)
    button.presses()
    button.pass_s(1.6)
    assert [words["press"] for words in button.presses() if words["seq"] == 2] == ["long"], "while it is held"
    button.pass_s(3)
    button.finger(False)
    button.pass_s(1)
    assert {words["seq"] for words in button.presses()} == {1, 2}


def test_a_trembling_long_press_is_one_long_press(tmp_path: Path) -> None:
    button = Spoken(tmp_path, long_press=True)
    button.up()
    for _ in range(9):
        button.finger(True)
        button.pass_s(0.15)
        button.finger(False)
        button.pass_s(0.05)
    button.pass_s(1)
    assert {words["press"] for words in button.presses()} == {"long"}


def test_a_trembling_second_press_never_cancels_a_meal(tmp_path: Path) -> None:
    button = Spoken(tmp_path, long_press=True)
    button.up()
    button.press()
    button.pass_s(0.2)
    button.press()
    button.pass_s(2)
    assert {(words["seq"], words["press"]) for words in button.presses()} == {(1, "short")}


def test_more_presses_than_fit_join_those_that_wait_and_a_long_one_is_still_kept(tmp_path: Path) -> None:
    button = Spoken(tmp_path, long_press=True)
    for _ in range(KEEP_MOST + 5):
        button.press()
        button.pass_s(0.5)
    button.press(held_s=2)
    assert button.protocol.unwritten == KEEP_MOST + 1
    button.up()
    waiting = button.presses()
    assert waiting[-1]["press"] == "long"
    status = [words for _, what, words in button.said if what == "status"]
    assert status[-1]["joined"] == 5


# ---------------------------------------------------------------- the lamp and the buzzer


def test_from_the_press_until_it_is_written_the_lamp_is_dark(button: Spoken) -> None:
    button.up()
    button.lamp("off")
    button.press()
    assert (button.light, button.protocol.lit(button.now_ms)) == ("off", False)
    button.lamp("blink")
    assert button.light == "off", "the level has come, the word has not"
    button.written(button.presses()[0])
    assert button.light == "blink"
    assert [name for _, name in button.tunes] == ["felt", "heard"]


def test_a_lamp_that_says_somebody_is_coming_does_not_answer_the_next_press(button: Spoken) -> None:
    button.up()
    button.lamp("steady")
    assert button.light == "steady"
    button.press()
    assert button.light == "off"
    button.written(button.presses()[0])
    assert button.light == "steady"


def test_an_empty_or_unknown_level_is_no_level(button: Spoken) -> None:
    button.up()
    button.lamp("steady")
    for payload in (b"", b'{"light":"disco"}', b'{"light":["blink"]}', b'{"light":1}', b"blink"):
        button.protocol.heard(button.protocol.lamp_topic, payload, button.now_ms)
        assert button.light == "steady"


def test_a_minute_without_a_line_and_the_lamp_says_nothing_any_more(button: Spoken) -> None:
    button.up()
    button.lamp("steady")
    button.down()
    button.pass_s(59)
    assert button.light == "steady"
    button.pass_s(2)
    assert button.light == "off"


def test_a_blinking_lamp_is_lit_half_of_each_second(button: Spoken) -> None:
    button.up()
    button.lamp("blink")
    lit = [button.protocol.lit(button.now_ms + ms) for ms in range(0, 10_000, 100)]
    assert lit.count(True) == 50
    assert lit[:10] == lit[10:20] != lit[5:15]


def test_nobody_has_heard_it_is_said_and_not_for_ever(button: Spoken) -> None:
    button.press()
    button.pass_s(600)
    spoken = [ms for ms, name in button.tunes if name == "not_yet"]
    assert 9_500 < spoken[0] - POWER_UP_MS < 10_500
    assert 15 < len(spoken) < 19, "every ten seconds, for three minutes"
    assert "heard" not in [name for _, name in button.tunes]
    button.press()
    button.pass_s(11)
    assert [name for _, name in button.tunes][-2:] == ["felt", "not_yet"], "a new press asks anew"


def test_it_says_what_its_lamp_shows_so_that_the_hall_calls_nothing_shown_that_is_dark(
    button: Spoken,
) -> None:
    button.up()
    button.lamp("off")
    button.press()
    button.lamp("blink")
    button.pass_s(1)
    assert not [words for _, what, words in button.said if words.get("light") == "blink"], (
        "it is not written yet"
    )
    button.written(button.presses()[0])
    button.pass_s(1)
    button.protocol.delivered("status", button.now_ms)
    button.lamp("steady")
    button.pass_s(1)
    lights = [words["light"] for _, what, words in button.said if what == "status" and "light" in words]
    assert list(dict.fromkeys(lights))[-2:] == ["blink", "steady"]
