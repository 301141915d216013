"""Where one may break into a slip, how long its paper is, and what a slip under way is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devices.virtual.paper import Decoder
from firmware_bridge import escpos
from firmware_bridge.jobs import Job
from firmware_bridge.printer_voice import SILENT_AFTER_MS, PrinterVoice, StillThere
from firmware_bridge.profiles import load_profiles
from firmware_bridge.sending import ALIVE_EVERY_MS, Believed, Sending, with_questions
from firmware_bridge.spool import State
from firmware_bridge.walk import CUT_DOTS, walk
from tests.firmware_bridge.paper_hall import TICKET
from tests.firmware_bridge.printed import printed
from tests.firmware_bridge.test_every_offset import checkers, long, rare

PROFILES = load_profiles()
BODIES: dict[str, dict[str, Any]] = {"ticket": TICKET, "rare": rare("政务 B031"), "long": long("政务 B031")}


def raw_of(body: dict[str, Any], profile: str) -> bytes:
    made = PROFILES[profile]
    return escpos.render(body, made, escpos.completion_mark(made, "0001"), checkers).raw


@pytest.mark.parametrize("profile", sorted(set(PROFILES) - {"mute58"}))
@pytest.mark.parametrize("body", BODIES)
def test_a_question_at_any_place_changes_nothing_on_paper(profile: str, body: str) -> None:
    raw = raw_of(BODIES[body], profile)
    places = walk(raw).places
    assert len(places) >= 3
    asked = bytearray()
    for place, byte in enumerate(raw):
        asked += escpos.ASK_STATUS[1] if place in places else b""
        asked.append(byte)
    made = PROFILES[profile]
    assert [one.text(made.dots) for one in printed(bytes(asked), made)] == [
        one.text(made.dots) for one in printed(raw, made)
    ]


@pytest.mark.parametrize("body", BODIES)
def test_the_paper_is_as_long_as_it_is_printed(body: str) -> None:
    raw, made = raw_of(BODIES[body], "generic80"), PROFILES["generic80"]
    decoder = Decoder(lambda _: None, lambda _: None, made.dots)
    for byte in raw:
        decoder.feed(byte)
    # The decoder moves no paper from the head to the knife.
    assert abs(walk(raw).dots - CUT_DOTS - decoder.dots_fed) <= 0.2 * decoder.dots_fed


def test_an_unknown_command_ends_the_walk() -> None:
    known = b"\x1b@a\nb\n"
    assert walk(known + b"\x1b\x7e\x0a\x0a\x0a").places == (4, 6)


@pytest.mark.parametrize("baud", [1200, 9600, 115_200])
def test_questions_stand_no_further_apart_than_a_printer_needs_to_wake_up(baud: int) -> None:
    raw = raw_of(BODIES["long"], "generic80")
    asked, offsets = with_questions(raw, baud)
    gaps = [there - here for here, there in zip((0, *offsets), (*offsets, len(asked)), strict=True)]
    longest_line = max(there - here for here, there in zip(walk(raw).places, walk(raw).places[1:], strict=False))
    assert max(gaps) <= max(baud * ALIVE_EVERY_MS // 10_000, longest_line) + 2 * len(escpos.ASK_STATUS[1])
    assert asked.replace(escpos.ASK_STATUS[1], b"") == raw
    assert bool(offsets) == (baud < 115_200)


def sending(**fields: Any) -> Sending:
    job = Job(1, 1, "hall", State.SENDING, 1, json.dumps(TICKET))
    return Sending(job, b"x" * 960, fields.pop("mark", ""), fields.pop("mute", False), 9600, 0, 100, **fields)


def test_a_done_of_a_printer_that_missed_a_question_is_not_believed() -> None:
    slip = sending(questions=(400, 800), still_there=1)
    slip.hear_paper(1100)
    slip.hear_paper(1100)
    assert slip.believed(1100) is Believed.AWAY
    named = sending(questions=(400,), mark="0001")
    named.named = True
    assert named.believed(1100) is Believed.AWAY


def test_two_answers_want_a_clean_round_and_after_a_second_asking_four() -> None:
    slip = sending()
    slip.hear_paper(1100)
    assert slip.believed(1110) is Believed.WAIT
    slip.hear_paper(1120)
    assert slip.believed(1120) is Believed.LOOK_AGAIN
    slip.clean_round = True
    assert slip.believed(1150) is Believed.DONE
    late = sending()
    assert late.probe_due(2500)
    late.probe(2500)
    late.hear_paper(2510)
    late.hear_paper(2510)
    assert late.believed(2600) is Believed.WAIT
    assert late.believed(3300) is Believed.NO_WORD, "it answers the second asking, and has never read the first"


def test_a_printer_without_a_voice_is_given_the_time_it_needs() -> None:
    slip = sending(mute=True)
    assert slip.believed(1000 + slip.print_ms - 1) is Believed.WAIT
    assert slip.believed(1000 + slip.print_ms) is Believed.DONE


def test_a_question_lost_within_a_slip_is_not_answered_by_the_next_round() -> None:
    """Its first answer would vouch for a printer that was away."""
    voice = PrinterVoice()
    voice.begin(0)
    voice.ask_within(2)
    assert voice.hear(b"\x12", 100) == [StillThere()]
    assert voice.lost_within()
    voice.ask(1000)
    assert not any(isinstance(one, StillThere) for one in voice.hear(b"\x12" * 4, 1010))
    assert voice.state == "ready"


def test_one_bad_byte_spoils_a_round_and_it_is_asked_anew() -> None:
    voice = PrinterVoice()
    voice.begin(0)
    voice.ask(0)
    assert voice.hear(b"\x12\x12\xff\x12\x12", 10) == []
    assert voice.state == "unknown"
    assert voice.due(10)


def test_noise_is_garbage_and_then_silence() -> None:
    voice = PrinterVoice()
    voice.begin(0)
    voice.ask(0)
    voice.hear(b"\xed\xed\xed\xed", 10)
    voice.look(100)
    assert voice.state == "unknown"
    voice.look(200)
    assert voice.state == "garbage"
    for tick in range(300, 300 + SILENT_AFTER_MS, 100):
        voice.look(tick)
        if voice.due(tick):
            voice.ask(tick)
    assert voice.state == "silent"


def test_a_line_that_is_held_is_not_silence_but_a_cause_that_is_named_goes_before_it() -> None:
    voice = PrinterVoice()
    voice.begin(0)
    voice.ask(0)
    voice.hear(b"\x12\x12\x12\x12", 10)
    voice.ask(1000)
    voice.hold(2500, 3500)
    assert not voice.look(9000)
    assert voice.state == "flow_stopped"
    voice.hear(b"\x18\x00\x0f\x0f", 9010)
    assert voice.state == "paper_out"
