"""Numbers called aloud: real espeak-ng, real WAV files, a player that is a real program."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from devices.plan import Voice as VoicePlan
from gateway.house import House
from kiosk import line
from kiosk.core import Core
from kiosk.rules import calling_words, voice_policy
from kiosk.rules.calling_words import words_of
from kiosk.rules.queue import Ticket
from kiosk.rules.voice_policy import VoicePolicy
from kiosk.voice import player, sound
from kiosk.voice.clips import Clips
from kiosk.voice.speaker import Voice
from tests.kiosk.conftest import HeldClock
from tests.kiosk.voice_hall import FakePlayer, call, policy, rows, spoken_by


@pytest.fixture
def house(house: House) -> House:
    return spoken_by(house, "hall", player="aplay", device="plughw:CARD=Hall")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePlayer]:
    one = FakePlayer(tmp_path / "player")
    monkeypatch.setenv("PATH", one.path)
    yield one
    one.close()


@pytest.fixture
def voice(core: Core, fake: FakePlayer) -> Iterator[Voice]:
    """The voice of a hall that has called before: each word was made once."""
    for category, number, window in (("government", 31, 3), ("government", 32, 3), ("party", 7, 1)):
        core.voice.clips.sentence(words_of(category, "B", number, window, "zh"), "zh", VoicePolicy())
    one = Voice(core)
    one.start()
    yield one
    one.stop()


# ---------------------------------------------------------------- sound


def test_espeak_says_every_part_of_the_table_in_chinese(tmp_path: Path) -> None:
    """Pinyin is read as pinyin: no part has English phonemes, each has as many tones as syllables."""
    for part, text in calling_words.TEXTS.items():
        if not text.pinyin:
            continue
        said = subprocess.run(
            ["espeak-ng", "-q", "-x", "-v", "cmn-latn-pinyin", text.pinyin],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "(en)" not in said, part
        assert sum(sign in "0123456789" for sign in said) >= len(text.pinyin.split()), (part, said)


def test_a_sentence_is_all_of_its_parts_in_order_and_none_is_silent(tmp_path: Path) -> None:
    clips = Clips(tmp_path, lambda voice, part: None)
    for lang in ("zh", "en"):
        words = words_of("government", "B", 31, 3, lang)
        spoken = clips.sentence(words, lang, VoicePolicy(volume=100))
        assert [part for part, _ in spoken.begins_ms] == words
        assert not spoken.missing
        ends = [*(begin for _, begin in spoken.begins_ms[1:]), int(spoken.sound.seconds * 1000)]
        for (part, begin), end in zip(spoken.begins_ms, ends, strict=True):
            piece = spoken.sound.samples[begin * sound.RATE // 1000 : end * sound.RATE // 1000]
            assert end - begin > 100, part
            if part != "gong":
                assert sound.loudness_db(piece) == pytest.approx(sound.SPEECH_DB, abs=1.5), part
        assert 3 < spoken.sound.seconds < 9
        assert sound.read_wav(spoken.sound.wav()).samples == spoken.sound.samples


def test_a_recording_takes_the_place_of_the_machine_and_a_lost_file_gives_it_back(tmp_path: Path) -> None:
    mine = tmp_path / "mine.wav"
    clips = Clips(tmp_path, lambda voice, part: mine if (voice, part) == ("zh", "digit:3") else None)
    machine = clips.part("zh", "digit:3")
    mine.write_bytes(sound.gong().wav())
    assert clips.part("zh", "digit:3") == sound.gong()
    assert clips.part("gy", "digit:3") == sound.gong(), (
        "a dialect without its own clip takes the Mandarin one"
    )
    assert clips.part("en", "digit:3") != sound.gong()
    mine.unlink()
    assert clips.part("zh", "digit:3") == machine


def test_what_espeak_made_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Clips(tmp_path, lambda voice, part: None).part("zh", "digit:7")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))
    assert first is not None
    assert Clips(tmp_path, lambda voice, part: None).part("zh", "digit:7") == first
    torn = next((tmp_path / "made").iterdir())
    torn.write_bytes(torn.read_bytes()[:30])
    assert Clips(tmp_path, lambda voice, part: None).part("zh", "digit:7") is None


def test_a_word_that_nobody_can_say_leaves_the_gong_and_no_half_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))
    clips = Clips(tmp_path, lambda voice, part: None)
    spoken = clips.sentence(words_of("government", "B", 31, 3, "zh"), "zh", VoicePolicy())
    assert "digit:3" in spoken.missing
    assert [part for part, _ in spoken.begins_ms] == ["gong"]
    assert "apt-get install espeak-ng" in clips.trouble


def test_twice_means_two_sentences_a_breath_apart_and_one_gong(tmp_path: Path) -> None:
    clips = Clips(tmp_path, lambda voice, part: None)
    words = words_of("party", "A", 7, 1, "zh")
    once, twice = (clips.sentence(words, "zh", VoicePolicy(twice=both)) for both in (False, True))
    assert [part for part, _ in twice.begins_ms] == [*words, *words[1:]]
    again = twice.begins_ms[len(words)][1]
    assert again - int(once.sound.seconds * 1000) == pytest.approx(voice_policy.TWICE_GAP_MS, abs=2)


def test_half_the_volume_is_a_quarter_of_the_wave(tmp_path: Path) -> None:
    full = sound.gong()
    half = sound.louder(full, 50)
    assert max(half.samples) == pytest.approx(max(full.samples) / 4, rel=0.01)
    assert not any(sound.louder(full, 0).samples)


# ---------------------------------------------------------------- the hall's own loudspeaker


def test_two_windows_call_in_the_same_moment_and_both_are_heard_whole_and_in_order(
    core: Core, fake: FakePlayer, voice: Voice
) -> None:
    fake.manner("play 0.2")
    first, second = call(core, 31, 3), call(core, 7, 1, category="party")
    core.voice_bell.set()
    told = [fake.heard() for _ in range(4)]
    assert [(word, name) for word, name, _, _ in told] == [
        ("begins", f"voice-{first}.wav"),
        ("ends", f"voice-{first}.wav"),
        ("begins", f"voice-{second}.wav"),
        ("ends", f"voice-{second}.wav"),
    ]
    assert told[0][3] == ["-q", "-D", "plughw:CARD=Hall"]
    assert fake.seconds(f"voice-{first}.wav") > 4
    assert voice.idle.wait(10)
    states = [(row["state"], row["began_ms"] is not None, row["ended_ms"] is not None) for row in rows(core)]
    assert states == [("spoken", True, True)] * 2


def test_a_new_halls_first_call_gongs_while_its_words_are_made(core: Core, fake: FakePlayer) -> None:
    number = call(core, 31, 3)
    Voice(core).turn()
    told = [fake.heard()[:2] for _ in range(4)]
    assert told == [
        ("begins", f"voice-gong-{number}.wav"),
        ("ends", f"voice-gong-{number}.wav"),
        ("begins", f"voice-{number}.wav"),
        ("ends", f"voice-{number}.wav"),
    ]
    gong, words = (fake.seconds(name) for name in (told[0][1], told[2][1]))
    again = call(core, 31, 3)
    Voice(core).turn()
    assert fake.heard()[1] == f"voice-{again}.wav"
    assert fake.seconds(f"voice-{again}.wav") == pytest.approx(gong + 0.25 + words, abs=0.01), (
        "nothing is left out"
    )
    assert [row["state"] for row in rows(core)] == ["spoken", "spoken"]


def test_a_bell_that_nobody_rang_only_delays(core: Core, fake: FakePlayer, voice: Voice) -> None:
    number = call(core, 31, 3)
    assert fake.heard()[:2] == ("begins", f"voice-{number}.wav")


def test_a_player_that_fails_is_a_fault_and_the_next_call_goes_on(
    core: Core, fake: FakePlayer, voice: Voice
) -> None:
    fake.manner("fail")
    call(core, 31, 3)
    assert fake.heard()[0] == "begins"
    fake.manner("ok")
    second = call(core, 32, 3)
    core.voice_bell.set()
    assert [fake.heard()[:2] for _ in range(2)] == [
        ("begins", f"voice-{second}.wav"),
        ("ends", f"voice-{second}.wav"),
    ]
    assert voice.idle.wait(10)
    assert [row["state"] for row in rows(core)] == ["failed", "spoken"]
    assert "Device or resource busy" in rows(core)[0]["why"]
    assert core.voice.faults == (), "it speaks again: no fault remains"


def test_a_player_that_hangs_is_ended(
    core: Core, fake: FakePlayer, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player, "LATE_S", -5.0)  # a sentence of 7 s counts as hung after 2
    fake.manner("hang")
    call(core, 31, 3)
    core.voice_bell.set()
    assert fake.heard()[0] == "begins"
    fake.manner("fail")
    call(core, 32, 3)
    core.voice_bell.set()
    assert fake.heard()[0] == "begins", "the next call found a free voice"
    assert voice.idle.wait(10)
    assert "hung" in rows(core)[0]["why"]
    assert [fault.kind for fault in core.voice.faults] == ["player"]


def test_no_player_at_all_is_said_in_both_languages(core: Core, tmp_path: Path) -> None:
    with pytest.raises(player.PlayerFault) as refused:
        player.command(VoicePlan(by="hall"), {"PATH": str(tmp_path)})
    assert "alsa-utils" in refused.value.zh
    assert "alsa-utils" in refused.value.en


def test_pipewire_is_asked_where_it_runs(tmp_path: Path) -> None:
    for name in ("pw-play", "aplay"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    plan = VoicePlan(by="hall", device="hall")
    environ = {"PATH": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    assert player.command(plan, environ) == [str(tmp_path / "aplay"), "-q", "-D", "hall"]
    (tmp_path / "pipewire-0").touch()
    assert player.command(plan, environ) == [str(tmp_path / "pw-play"), "--target", "hall"]
    assert player.command(replace(plan, player="aplay"), environ)[0].endswith("aplay")


# ---------------------------------------------------------------- when not


def test_a_stale_call_expires_with_a_word(core: Core, clock: HeldClock) -> None:
    call(core, 31, 3)
    clock.forward(seconds=61)
    fresh = call(core, 32, 3)
    said = core.voice.take("hall")
    assert said is not None
    assert said.announcement_id == fresh
    assert [(row["state"], row["why"]) for row in rows(core)] == [
        ("expired", "waited too long"),
        ("waiting", ""),
    ]


@pytest.mark.parametrize("step", [line.cancel, line.no_show, line.hold])
def test_nobody_is_sent_to_a_window_from_which_the_number_has_gone(
    core: Core, step: Callable[[Core, int, str], Ticket]
) -> None:
    """Two calls wait behind a long sentence; the first number is given up, marked as absent or put aside meanwhile."""
    for key in ("one", "two"):
        line.take_ticket(core, "ZW-01" if key == "one" else "ZW-05", key, "zh", "kiosk-1")
    gone = line.call_next(core, "W2", "li")
    line.call_next(core, "W3", "li")
    if step is line.hold:
        line.begin(core, gone.ticket_id, "li")
    step(core, gone.ticket_id, "li")
    said = core.voice.take("hall")
    assert said is not None
    assert said.announcement_id == rows(core)[1]["announcement_id"]
    assert [(row["state"], row["why"]) for row in rows(core)] == [("quiet", "gone"), ("waiting", "")]


def test_quiet_hours_are_quiet_and_the_hall_speaks_again_after_them(core: Core, clock: HeldClock) -> None:
    policy(core, quiet=[[9 * 60 + 30, 10 * 60 + 5]])  # the clock stands at 10:00
    call(core, 31, 3)
    assert core.voice.take("hall") is None
    assert rows(core)[0]["state"] == "quiet"
    clock.forward(seconds=301)
    call(core, 32, 3)
    assert core.voice.take("hall") is not None


def test_who_took_the_number_in_english_hears_it_in_both_languages_under_one_gong(core: Core) -> None:
    call(core, 31, 3, lang="en")
    assert [(row["lang"], row["words"].count("gong")) for row in rows(core)] == [("zh", 1), ("en", 0)]


def test_a_kill_in_the_middle_of_a_sentence_says_it_again_at_the_next_start(core: Core) -> None:
    call(core, 31, 3)
    said = core.voice.take("hall")
    assert said is not None
    assert core.voice.began(said, 5)
    assert rows(core)[0]["state"] == "speaking"
    core.voice.open()
    assert rows(core)[0]["state"] == "waiting"


def test_a_hall_without_a_voice_says_so_on_each_call(core: Core) -> None:
    silent = replace(core, house=spoken_by(core.house, "off"))
    call(silent, 31, 3)
    Voice(silent).turn()
    assert [(row["state"], row["why"]) for row in rows(silent)] == [("quiet", "off")]


def test_espeak_is_here() -> None:
    """What the tests above are worth: nothing here stands in for it."""
    assert shutil.which("espeak-ng") is not None
