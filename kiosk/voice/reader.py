"""Screens read aloud: a sentence as a WAV, its phrases made once by a child process and kept on the disk.

    reader = Reader(house.home / "voice" / "read", groups)
    name = reader.know(sentence)            # "4f0c…": the sentence's name, as its address says it
    reader.wav(name)                        # bytes; made now where a phrase is missing
    reader.begin_warming(phrases)           # idle minutes: whatever will be asked for is made before

Theory of operation. A phrase is a file, named by a hash of its language, its text and `EDITION`; a sentence is its
phrases joined, with pauses. What makes them (``reading_child.py``) is one process below everybody's touches, begun at
the first need; it speaks one phrase after the other, whoever reads waits for one of the warming's at most, and at most
`WAITING_AT_MOST` requests wait for it: whoever comes then is told to come again, so that threads are left for touches.
The folder holds `DISK_AT_MOST` bytes: what was not said for longest goes first. Nothing that a person typed is ever
spoken here (kiosk/aloud.py knows which texts are ours), so nothing of a person lies in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import os
import select
import subprocess
import sys
import threading
import wave
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from devices.clock import mono_s, wall_s
from devices.faults import OutsideDown
from gateway.log import say_once
from kiosk.rules.reading import Phrase, Sentence
from kiosk.voice.sound import RATE

#: Raised whenever what is made of the same text sounds differently: old files are then asked for no more, and go.
EDITION = 1
#: All standing texts in both languages are some 2,300 phrases, by their length about 160 MB; the rest is for what staff
#: write and for numbers.
DISK_AT_MOST = 256_000_000
#: So much of it the warming may fill.
WARM_AT_MOST = 200_000_000
#: Sentences whose names are remembered: some 40 screens.
KNOWN_AT_MOST = 4096
WAITING_AT_MOST = 4
#: The child's first phrase needs its dictionary (0.2 s here, 2 s on a Pi 3) and a slow disk.
PATIENCE_S = 12.0
#: A file's time is written anew at most once in so long: an SD card is not worn by being listened to.
TOUCHED_AGAIN_S = 86_400.0
#: Between two phrases that are made before anybody asked: a tenth of a core at most.
WARM_REST_S = 0.15

_CLOSING = "the kiosk is closing"
_ROOT = Path(__file__).parent.parent.parent


class CannotRead(OutsideDown):
    """No speech: espeak-ng is missing, or hangs, or the disk refuses. ``kind``: "missing", "failed" or "busy"."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


class Reader:
    """Any thread may ask.

    :param folder: made where it is missing; nothing else lies in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Sentence] = OrderedDict()
        self._mouth = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._waiting = 0
        self._bytes: int | None = None
        self._stopping = threading.Event()
        self._warming: threading.Thread | None = None
        self.made = 0
        """Phrases made since the start."""
        self.warmed = threading.Event()
        """Set when the warming has come to its end."""

    # ---------------------------------------------------------------- sentences

    def know(self, sentence: Sentence) -> str:
        """The sentence's name; `wav` knows it by that for a while."""
        key = json.dumps([(one.lang, one.text, one.pause_ms) for one in sentence], ensure_ascii=False)
        name = hashlib.sha256(f"{EDITION} {key}".encode()).hexdigest()[:24]
        with self._lock:
            self._known[name] = sentence
            self._known.move_to_end(name)
            if len(self._known) > KNOWN_AT_MOST:
                self._known.popitem(last=False)
        return name

    def is_ready(self, sentence: Sentence) -> bool:
        """Whether all of it lies on the disk."""
        return all(self.file(one).is_file() for one in sentence)

    def wav(self, name: str) -> bytes | None:
        """A sentence as a file; None where nobody told us of it (or too long ago).

        :raises CannotRead: it could not be made, with the reason.
        """
        with self._lock:
            sentence = self._known.get(name)
        if sentence is None:
            return None
        parts = []
        for one in sentence:
            parts.append(self._phrase(one))
            parts.append(bytes(2 * (RATE * one.pause_ms // 1000)))
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(b"".join(parts))
        return out.getvalue()

    def file(self, phrase: Phrase) -> Path:
        """Where a phrase lies, or will."""
        name = hashlib.sha256(f"{EDITION} {phrase.lang} {phrase.text}".encode()).hexdigest()[:24]
        return self.folder / f"{name}.wav"

    # ---------------------------------------------------------------- phrases

    def _phrase(self, phrase: Phrase) -> bytes:
        """Its samples.

        :raises CannotRead: it could not be made.
        """
        file = self.file(phrase)
        with contextlib.suppress(OSError):  # it was never made, or has just made room
            kept = _samples(file.read_bytes())
            if kept is not None:
                if wall_s() - file.stat().st_mtime > TOUCHED_AGAIN_S:
                    os.utime(file)
                return kept
            file.unlink()  # torn by a power cut
        with self._lock:
            if self._waiting >= WAITING_AT_MOST:
                raise CannotRead("busy", f"{self._waiting} phrases are being made already")
            self._waiting += 1
        try:
            self._make(phrase, file)
            made = _samples(file.read_bytes())
            if made is None:
                raise CannotRead("failed", f"{file} is torn as soon as it is made: is the disk full?")
            return made
        except CannotRead:
            raise
        except OSError as wrong:
            raise CannotRead("failed", f"{file}: {wrong}") from wrong
        finally:
            with self._lock:
                self._waiting -= 1

    def _make(self, phrase: Phrase, file: Path) -> None:
        """:raises CannotRead: it cannot be made."""
        with self._mouth:
            if file.is_file():
                return  # somebody else has asked for it meanwhile
            if self._stopping.is_set():
                raise CannotRead("failed", _CLOSING)  # a child begun now would be ended by nobody
            asked = json.dumps(
                {"lang": phrase.lang, "text": phrase.text, "file": str(file)}, ensure_ascii=False
            )
            try:
                self._make_room()
                answer = self._ask_child(asked.encode() + b"\n")
            except OSError as wrong:
                self._end_child()
                raise CannotRead("failed", f"the program that reads aloud: {wrong}") from wrong
            if not answer.get("made"):
                if self._stopping.is_set():
                    raise CannotRead("failed", _CLOSING)
                why = str(answer.get("why", "it ended"))
                say_once(
                    "reading",
                    "reading_failed",
                    f"a screen could not be read aloud: {why}",
                    level=logging.WARNING,
                )
                raise CannotRead("missing" if "not installed" in why else "failed", why)
            self.made += 1
            if self._bytes is not None:
                self._bytes += file.stat().st_size

    def _ask_child(self, asked: bytes) -> dict[str, object]:
        """:raises OSError: it cannot be begun."""
        for _ in range(2):  # one that has rested long enough has ended: it is begun anew
            child = self._child or self._begin_child()
            assert child.stdin is not None and child.stdout is not None
            try:
                child.stdin.write(asked)
                child.stdin.flush()
                line = _line(child.stdout, PATIENCE_S)
            except BrokenPipeError:
                line = b""
            if line:
                return dict(json.loads(line))
            self._end_child()
            if self._stopping.is_set():
                break
        return {}

    def _begin_child(self) -> subprocess.Popen[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._child = subprocess.Popen(
            [sys.executable, "-m", "kiosk.voice.reading_child"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self._child

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        with contextlib.suppress(BrokenPipeError), child:  # closes its pipes, and waits for it
            pass

    # ---------------------------------------------------------------- the disk

    @property
    def size(self) -> int:
        """Bytes that the phrases take."""
        if self._bytes is None:
            self._bytes = sum(size for _, size, _ in self._files())
        return self._bytes

    def _files(self) -> list[tuple[float, int, Path]]:
        found = []
        with contextlib.suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for one in entries:
                with contextlib.suppress(FileNotFoundError):
                    told = one.stat()
                    found.append((told.st_mtime, told.st_size, Path(one.path)))
        return found

    def _make_room(self) -> None:
        """What was not said for longest goes, a tenth at once: the folder is not read at every phrase."""
        if self.size < DISK_AT_MOST:
            return
        left = sum(size for _, size, _ in self._files())
        for _, size, path in sorted(self._files()):
            if left <= DISK_AT_MOST * 9 // 10:
                break
            path.unlink(missing_ok=True)
            left -= size
        self._bytes = left

    # ---------------------------------------------------------------- before anybody asks

    def begin_warming(self, sentences: Iterable[Sentence], after_s: float) -> None:
        """Make what is missing of these, the first first, once ``after_s`` has passed, and no more than the budget."""
        self._warming = threading.Thread(
            target=self._warm, args=(sentences, after_s), name="reading", daemon=True
        )
        self._warming.start()

    def _warm(self, sentences: Iterable[Sentence], after_s: float) -> None:
        if self._stopping.wait(after_s):
            return
        for phrase in dict.fromkeys((one.lang, one.text) for sentence in sentences for one in sentence):
            one = Phrase(*phrase, 0)
            if self._stopping.is_set() or self.size > WARM_AT_MOST:
                break
            if self.file(one).is_file():
                continue
            began_s = mono_s()
            try:
                self._make(one, self.file(one))
            except CannotRead:
                break  # it is said when somebody asks for it, with the reason
            self._stopping.wait(max(WARM_REST_S, mono_s() - began_s))
        self.warmed.set()

    def stop(self) -> None:
        """End the child and the warming."""
        self._stopping.set()
        child = self._child
        if child is not None:
            child.kill()  # whoever waits for it is told at once
        if self._warming is not None:
            self._warming.join(2)
        with self._mouth:
            self._end_child()


def _line(said: IO[bytes], patience_s: float) -> bytes:
    """The child's next line; b"" where it has ended or hangs."""
    return said.readline() if select.select([said], [], [], patience_s)[0] else b""


def _samples(data: bytes) -> bytes | None:
    """What is in a file; None where it is torn."""
    try:
        with wave.open(io.BytesIO(data), "rb") as file:
            return file.readframes(file.getnframes()) or None
    except (wave.Error, EOFError):
        return None
