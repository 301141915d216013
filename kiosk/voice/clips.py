"""The sound of one part: what staff have recorded, else what espeak-ng says of its pinyin, made once and kept.

    clips = Clips(house.home / "voice", recorded)
    found = clips.sentence(["gong", "word:please", "digit:3"], "zh", VoicePolicy())
    found.sound.wav()                  # ready for a player
    found.missing                      # parts that nobody can say: no recording and no espeak-ng

Where a clip comes from, in this order: recorded for this voice; for a dialect recorded in Mandarin; made by espeak-ng.
espeak-ng 1.51 reads most hanzi as English letters, so it is given pinyin with tone numbers and the voice
``cmn-latn-pinyin``. What it made lies in ``<home>/voice/made/``, named by a hash of what it was asked: a newer table or
another speed is another name, and a torn file is made anew.
"""

from __future__ import annotations

import hashlib
import subprocess
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from devices.faults import OutsideDown
from kiosk.rules import voice_policy
from kiosk.rules.calling_words import ENGLISH, GONG, MANDARIN, text_of
from kiosk.rules.voice_policy import TWICE_GAP_MS, VoicePolicy
from kiosk.voice import sound
from kiosk.voice.espeak import ENGINES, ESPEAK, said
from kiosk.voice.sound import AFTER_GONG_MS, GAP_MS, NoClip, Sound

#: One word takes espeak-ng some 20 ms here and 150 ms on a Pi 3; what takes longer than this hangs.
_ENGINE_S = 5.0
#: Clips kept in memory: all parts of a sentence in three voices, some 25 kB each.
_KEPT = 160

#: The file that staff recorded for a voice's part, or None.
Recorded = Callable[[str, str], Path | None]


class NoEngine(OutsideDown):
    """espeak-ng is not there, or did not do what it was asked."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence as sound. ``missing``: parts that could not be said. ``begins_ms``: where each part that was said
    begins, for whoever wants to look."""

    sound: Sound
    missing: tuple[str, ...] = ()
    begins_ms: tuple[tuple[str, int], ...] = field(default=())


class Clips:
    """All clips of a hall. Any thread may ask.

    :param folder: ``<home>/voice``; made where it is missing.
    """

    def __init__(self, folder: Path, recorded: Recorded) -> None:
        self.folder = folder
        self._recorded = recorded
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, int], Sound] = {}
        self.trouble = ""
        """Why espeak-ng did not speak when it was last asked; "" while it does."""

    def sentence(self, words: Iterable[str], voice: str, policy: VoicePolicy) -> Spoken:
        """The whole of an announcement at the hall's volume; said twice where the hall wants it.

        Where a word cannot be said nothing but the gong remains: half a number sends somebody to the wrong window.
        """
        said: list[tuple[str, Sound]] = []
        missing: list[str] = []
        for part in voice_policy.spoken(list(words), policy):
            found = self.part(voice, part, policy.volume)
            if found is None:
                missing.append(part)
            else:
                said.append((part, found))
        if missing:
            said = [(GONG, one) for one in [self.part(voice, GONG, policy.volume)] if one is not None]
        spoken: list[Sound] = []
        begins: list[tuple[str, int]] = []
        at = 0
        rounds = [said]
        if policy.twice and not missing:
            rounds.append([one for one in said if one[0] != GONG])
        for turn, parts in enumerate(rounds):
            if turn:
                spoken.append(sound.silence(TWICE_GAP_MS))
                at += len(spoken[-1].samples)
            for index, (part, clip) in enumerate(parts):
                if index:
                    spoken.append(sound.silence(AFTER_GONG_MS if parts[index - 1][0] == GONG else GAP_MS))
                    at += len(spoken[-1].samples)
                begins.append((part, at * 1000 // sound.RATE))
                spoken.append(clip)
                at += len(clip.samples)
        return Spoken(sound.joined(spoken), tuple(missing), tuple(begins))

    def part(self, voice: str, part: str, volume: int = 100) -> Sound | None:
        """One part at a volume; None where nobody can say it (why: `trouble`)."""
        file = self.recorded(voice, part)
        key = (str(file) if file is not None else f"{voice}/{part}", volume)
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        found = self._read(file) if file is not None else None
        if found is None:
            found = self._made(voice, part)
        if found is None:
            return None
        found = sound.louder(found, volume)
        with self._lock:
            if len(self._kept) >= _KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = found
        return found

    def ready(self, words: Iterable[str], voice: str) -> bool:
        """Whether nothing of it has to be made by espeak-ng first, which takes some 0.1 s a word."""
        return all(self._is_there(voice, part) for part in words)

    def _is_there(self, voice: str, part: str) -> bool:
        if part == GONG or self.recorded(voice, part) is not None:
            return True
        language, words = _to_say(voice, part)
        return not words or self._file(language, words).is_file()

    def recorded(self, voice: str, part: str) -> Path | None:
        """The file that staff recorded, that is there."""
        for one in dict.fromkeys((voice, MANDARIN) if voice != ENGLISH or part == GONG else (voice,)):
            file = self._recorded(one, part)
            if file is not None and file.is_file():
                return file
        return None

    def warm(self, voice: str, parts: Iterable[str], volume: int, stop: threading.Event) -> None:
        """Make what is missing, and have it at hand, before anybody is called."""
        for part in parts:
            if stop.is_set():
                return
            self.part(voice, part, volume)

    def _read(self, file: Path) -> Sound | None:
        try:
            return sound.read_wav(file.read_bytes())
        except (OSError, NoClip) as wrong:
            self.trouble = f"{file}: {wrong}"
            return None

    def _made(self, voice: str, part: str) -> Sound | None:
        if part == GONG:
            return sound.gong()
        language, words = _to_say(voice, part)
        if not words:
            self.trouble = f"no words for {part}: record it"
            return None
        try:
            made = self._espeak(language, words)
        except NoEngine as wrong:
            self.trouble = str(wrong)
            return None
        self.trouble = ""
        return made

    def _file(self, language: str, words: str) -> Path:
        voice, speed = ENGINES[language]
        name = hashlib.sha256(f"{voice} {speed} {words}".encode()).hexdigest()[:24]
        return self.folder / "made" / f"{name}.wav"

    def _espeak(self, language: str, words: str) -> Sound:
        """:raises NoEngine: espeak-ng cannot be asked, or gave nothing."""
        file = self._file(language, words)
        if file.is_file() and (kept := self._read(file)) is not None:
            return kept
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            return said(file, language, words, _ENGINE_S, lambda wav: sound.fitted(sound.read_wav(wav)))
        except FileNotFoundError as missing:
            raise NoEngine(str(missing)) from missing
        except (OSError, subprocess.SubprocessError, NoClip) as wrong:
            raise NoEngine(f"{ESPEAK} did not say {words!r}: {wrong}") from wrong


def _to_say(voice: str, part: str) -> tuple[str, str]:
    """In which language espeak-ng says a part for a voice, and what it is given: pinyin or English; "" for nothing."""
    text = text_of(part)
    language = ENGLISH if voice == ENGLISH or part.startswith("letter:") else MANDARIN
    return language, "" if text is None else text.en if language == ENGLISH else text.pinyin
