"""The thread of the voice: on the hall's machine it speaks; where a display speaks it looks after what waits.

Theory of operation. It sleeps until `Core.voice_bell` rings, at most a quarter of a second: a call whose author forgot
to ring is spoken that much later and no more. One announcement at a time, each whole. An emergency that nobody has
taken goes before them: it cuts the sentence that is being said (which is said again, whole, afterwards), speaks at
once, and again every `ALARM_EVERY_S`; numbers are called in between and never over it. A player that hangs or is
missing is a fault on the console; the row fails, the next one is tried.
"""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from devices.clock import mono_s
from devices.faults import NotWritten
from gateway.log import say_once
from kiosk.core import Core
from kiosk.rules.calling_words import ENGLISH, GONG, MANDARIN, alarm_words, parts_to_record
from kiosk.voice import player
from kiosk.voice.desk import Saying
from kiosk.voice.player import PlayerFault
from kiosk.voice.sound import Sound

#: How long a bell that nobody rang can delay a call.
LOOK_AGAIN_S = 0.25
#: Clips that nobody has needed yet are made this long after the start (measured: 500 tickets beside it, p99 18 ms).
WARM_AFTER_S = 30.0
#: As the display's own clip is said (kiosk/static/display_voice.js).
ALARM_EVERY_S = 20.0
#: How often what waits is looked after where others speak.
WATCH_EVERY_S = 2.0
HALL = "hall"
#: The longest sentence, twice, with what espeak-ng takes for it.
LONGEST_S = 30.0


class Voice:
    """Begin with `start`, end with `stop`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._desk = core.voice
        self._by = core.house.plan.voice.by
        self._stopping = threading.Event()
        self.idle = threading.Event()
        """Set while nothing is being said and nothing that could be said waits."""
        self._alarm_due_s: float | None = None
        self._watched_s = float("-inf")
        self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
        self._warming = threading.Thread(target=self._warm, name="voice-clips", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if self._by != "off":
            self._warming.start()

    def stop(self) -> None:
        """Ends at once; what is being said is said again at the next start."""
        self._stopping.set()
        self._core.voice_bell.set()
        for thread in (self._thread, self._warming):
            if thread.ident is not None:
                thread.join(2)

    def _run(self) -> None:
        with contextlib.suppress(NotWritten):  # the writer's own trouble says it
            self._desk.open()
        while not self._stopping.is_set():
            self._core.voice_bell.wait(LOOK_AGAIN_S)
            self._core.voice_bell.clear()
            self.idle.clear()
            try:
                self.turn()
            except (NotWritten, sqlite3.Error) as wrong:
                say_once("voice_turn", "voice_failed", f"the voice cannot read its notebook: {wrong}")
                self._stopping.wait(LOOK_AGAIN_S)
            self.idle.set()

    def turn(self) -> None:
        """Say everything that waits now."""
        if self._by == "off":
            if mono_s() - self._watched_s >= WATCH_EVERY_S:
                self._watched_s = mono_s()
                self._desk.hush()
            return
        if self._by != HALL:
            if mono_s() - self._watched_s >= WATCH_EVERY_S:
                self._watched_s = mono_s()
                self._desk.watch()
            return
        while not self._stopping.is_set():
            if self._alarm_is_due():
                self._say_alarm()
            saying = self._desk.take(HALL)
            if saying is None:
                return
            self._say(saying)

    # ---------------------------------------------------------------- saying

    def _say(self, saying: Saying) -> None:
        try:
            whole, why = self._said(saying)
        except PlayerFault as wrong:
            self._desk.fault("player", wrong.zh, wrong.en)
            self._desk.ended(saying, why=wrong.en)
            return
        self._desk.well("player")
        if whole:
            self._desk.ended(saying, why=why)
        else:
            self._desk.cut(saying, "an emergency came first", harmless=True)

    def _said(self, saying: Saying) -> tuple[bool, str]:
        """Whether it was said to its end, and what was not said of it.

        :raises PlayerFault: it cannot be heard.
        """
        clips, policy, gong = self._desk.clips, self._desk.policy(), None
        if saying.words[0] == GONG and policy.gong and not clips.ready(saying.words, saying.voice):
            # A new hall's first calls: the gong sounds while espeak-ng makes the words.
            gong = clips.part(saying.voice, GONG, policy.volume)
        if gong is None:
            spoken = self._desk.sound_of(saying)
            whole = self._play(f"{saying.announcement_id}", spoken.sound, self._is_interrupted, saying)
        else:
            with self._playing(f"gong-{saying.announcement_id}", gong) as process:
                self._desk.began(saying, gong.seconds + LONGEST_S)
                spoken = self._desk.sound_of(replace(saying, words=saying.words[1:]))
                whole = player.finish(process, gong.seconds, self._is_interrupted)
            if whole and not spoken.missing:
                whole = self._play(f"{saying.announcement_id}", spoken.sound, self._is_interrupted)
        return whole, f"only gonged: {', '.join(spoken.missing)}" if spoken.missing else ""

    def _say_alarm(self) -> None:
        self._alarm_due_s = mono_s() + ALARM_EVERY_S
        policy = self._desk.policy()
        voices = [MANDARIN, *([ENGLISH] if ENGLISH in policy.voices else [])]
        for voice in voices:
            # At full volume, whatever the hall has set for numbers; a hall's quiet hours are not for this.
            sounds = [self._desk.clips.part(voice, part) for part in alarm_words()[voice != MANDARIN :]]
            for number, one in enumerate(sounds):
                if one is None:
                    continue
                try:
                    self._play(f"alarm-{voice}-{number}", one, self._stopping.is_set)
                except PlayerFault as wrong:
                    self._desk.fault("player", wrong.zh, wrong.en)
                    return
        self._desk.well("player")

    def _play(self, name: str, sound: Sound, stopped: player.Stopped, saying: Saying | None = None) -> bool:
        """Play it to its end; False where ``stopped`` said so. ``saying``: told that it began.

        :raises PlayerFault: it cannot be heard.
        """
        with self._playing(name, sound) as process:
            if saying is not None:
                self._desk.began(saying, sound.seconds)
            return player.finish(process, sound.seconds, stopped)

    @contextlib.contextmanager
    def _playing(self, name: str, sound: Sound) -> Iterator[subprocess.Popen[bytes]]:
        """:raises PlayerFault: the player cannot be started, or the file cannot be written."""
        file = self._core.house.run_dir / f"voice-{name}.wav"
        try:
            argv = player.command(self._core.house.plan.voice)
            _put(file, sound)
            yield player.start(argv, file)
        finally:
            file.unlink(missing_ok=True)

    def _is_interrupted(self) -> bool:
        return self._stopping.is_set() or (self._alarm_due_s is None and self._alarm_is_due())

    def _alarm_is_due(self) -> bool:
        """Whether somebody is to be told now that a call waits. None of `_alarm_due_s`: no alarm so far."""
        alarm = self._core.link.alarm
        if alarm is None or not alarm["voice"]:
            self._alarm_due_s = None
            return False
        return self._alarm_due_s is None or mono_s() >= self._alarm_due_s

    def _warm(self) -> None:
        # Making sounds keeps the interpreter busy for milliseconds at a time: not while a hall that has just been
        # switched on takes its first numbers. What is called before has its gong first, and its words are made then.
        if self._stopping.wait(WARM_AFTER_S):
            return
        categories = [one.id for one in self._core.catalogue.categories]
        with contextlib.suppress(NotWritten, sqlite3.Error):  # made when it is needed
            windows = [int(row[0]) for row in self._core.reader().execute("SELECT number FROM windows")]
            policy = self._desk.policy()
            for voice in dict.fromkeys((*policy.voices, ENGLISH)):
                parts = parts_to_record(voice, categories, windows)
                self._desk.clips.warm(voice, parts, policy.volume, self._stopping)


def _put(file: Path, sound: Sound) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(sound.wav())
    except OSError as wrong:
        raise PlayerFault(
            f"声音文件写不下（{file.parent}）：检查磁盘",
            f"the sound cannot be written to {file.parent}: {wrong}",
        ) from wrong
