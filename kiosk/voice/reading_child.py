"""The program beside the kiosk that makes speech of text: phrases as JSON lines in, one answer a line out.

    {"lang": "zh", "text": "请带身份证", "file": "/…/4f….wav"}   →   {"made": true}  or  {"made": false, "why": "…"}

A process of its own, below everybody's touches: the dictionary that knows how hanzi sound takes 57 MB and 0.15 s to
load, and making a sound keeps an interpreter busy. It ends when its input does, and after `IDLE_S` without work.
espeak-ng 1.51 reads most hanzi as English letters: it is given pinyin with tone numbers, never hanzi.
"""

from __future__ import annotations

import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import wave
from array import array
from functools import cache
from pathlib import Path

from kiosk.rules.calling_words import MANDARIN
from kiosk.rules.reading import tone_of_one
from kiosk.voice.espeak import ESPEAK, said
from kiosk.voice.sound import RATE, Sound, trimmed

#: Its 70 MB are given back to the hall after so long without a phrase (our choice: longer than a person's visit).
IDLE_S = 300.0
#: The longest phrase takes espeak-ng 60 ms here and 0.5 s on a Pi 3; what takes longer than this hangs.
_ENGINE_S = 8.0
#: Words that the dictionary reads wrongly or undecidedly, in the sense in which a community hall writes them.
_AS_WE_MEAN: dict[str, list[list[str]]] = {
    "调解": [["tiáo"], ["jiě"]],
    "还在": [["hái"], ["zài"]],
    "还有": [["hái"], ["yǒu"]],
    "叫号": [["jiào"], ["hào"]],
    "取号": [["qǔ"], ["hào"]],
    "几个": [["jǐ"], ["gè"]],
    "号码": [["hào"], ["mǎ"]],
    "给付": [["jǐ"], ["fù"]],
    "转入": [["zhuǎn"], ["rù"]],
    "转出": [["zhuǎn"], ["chū"]],
    "接转": [["jiē"], ["zhuǎn"]],
    "行动": [["xíng"], ["dòng"]],
}


def main() -> int:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the kiosk blocks its own: we end when we are told to
    try:
        os.nice(10)  # touches first
    except PermissionError:
        pass  # under systemd nobody may set priorities (linli-kiosk.service, ~@resources)
    buffer = b""
    while select.select([sys.stdin], [], [], IDLE_S)[0]:
        read = os.read(sys.stdin.fileno(), 65536)
        if not read:
            break
        *lines, buffer = (buffer + read).split(b"\n")
        for line in lines:
            print(json.dumps(_answer(line)), flush=True)
    return 0


def _answer(line: bytes) -> dict[str, object]:
    asked = json.loads(line)
    try:
        make(str(asked["lang"]), str(asked["text"]), Path(str(asked["file"])))
    except (OSError, subprocess.SubprocessError, wave.Error, EOFError) as wrong:
        return {"made": False, "why": str(wrong)}
    return {"made": True}


def make(lang: str, text: str, file: Path) -> None:
    """Say one phrase into a file, without the silence at both ends; whole or not at all.

    :raises FileNotFoundError: espeak-ng is not installed.
    :raises OSError: / :raises subprocess.SubprocessError: / :raises wave.Error: it could not be made.
    """
    said(file, lang, pinyin(text) if lang == MANDARIN else text, _ENGINE_S, _phrase)


def _phrase(wav: bytes) -> Sound:
    """A phrase may be longer than any clip, and is as loud as it was said."""
    with wave.open(io.BytesIO(wav), "rb") as sound:
        if (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) != (1, 2, RATE):
            raise wave.Error(f"{ESPEAK} gave another kind of sound than 16-bit mono at {RATE} Hz")
        return trimmed(Sound(array("h", sound.readframes(sound.getnframes()))))


def pinyin(text: str) -> str:
    """Syllables with tone numbers as they sound in a row: third tones, 不 and 一 as they change among others."""
    lazy, style = _dictionary()
    syllables: list[str] = lazy(
        text, style=style, tone_sandhi=True, neutral_tone_with_five=True, errors="ignore"
    )
    signs = re.findall("[\u3400-\u9fff]", text)
    if len(signs) != len(syllables):  # a sign without a sound: the others must not be shifted
        return " ".join(syllables)
    for at, sign in enumerate(signs):
        if sign == "一":
            following = syllables[at + 1][-1] if at + 1 < len(syllables) else ""
            syllables[at] = tone_of_one("".join(signs), at, following)
    return " ".join(syllables)


@cache
def _dictionary():  # type: ignore[no-untyped-def]
    from pypinyin import Style, lazy_pinyin, load_phrases_dict

    load_phrases_dict(_AS_WE_MEAN)
    return lazy_pinyin, Style.TONE3


if __name__ == "__main__":
    sys.exit(main())
