"""espeak-ng, asked for one sound: the only file that calls it.

    said(file, "zh", "ni3 hao3", 5.0, read)      # whole in `file`, or not there at all

espeak-ng 1.51 reads most hanzi as English letters: whoever asks gives it pinyin with tone numbers, never hanzi.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from kiosk.rules.calling_words import ENGLISH, MANDARIN
from kiosk.voice.sound import Sound

ESPEAK = "espeak-ng"
#: Its voice and words a minute. Old ears want it slow; below 120 espeak's own vowels break up (by ear).
ENGINES = {MANDARIN: ("cmn-latn-pinyin", 130), ENGLISH: ("en-gb", 140)}


def said(file: Path, language: str, words: str, within_s: float, read: Callable[[bytes], Sound]) -> Sound:
    """What it says of ``words``, as ``read`` makes it of the WAV, kept in ``file``.

    :param within_s: what takes longer than this hangs.
    :raises FileNotFoundError: it is not installed; the text says what to do.
    :raises OSError: / :raises subprocess.SubprocessError: it could not be made; and whatever ``read`` raises.
    """
    program = shutil.which(ESPEAK)
    if program is None:
        raise FileNotFoundError(f"{ESPEAK} is not installed: sudo apt-get install {ESPEAK}")
    voice, speed = ENGINES[language]
    fresh = file.with_name(f"{file.stem}.{os.getpid()}.{threading.get_ident()}.new")
    try:
        subprocess.run(
            [program, "-v", voice, "-s", str(speed), "-w", str(fresh), "--", words],
            check=True,
            timeout=within_s,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
        made = read(fresh.read_bytes())
        fresh.write_bytes(made.wav())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    return made
