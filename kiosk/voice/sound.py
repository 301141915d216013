"""Sound as numbers: read a WAV, make it fit the others, join the parts of a sentence. Nothing here opens a device.

A `Sound` is 16-bit mono at `RATE`: what espeak-ng 1.51 gives (22,050 Hz), so nothing it says is resampled. A clip from
a microphone comes at 44.1 or 48 kHz, is brought down, trimmed of the silence at both ends, and made as loud as all
others: a sentence whose words jump in loudness is not understood by old ears. Standard library alone; Python's own
``audioop`` would do some of it and is gone from 3.13.
"""

from __future__ import annotations

import io
import math
import wave
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from devices.faults import OrderRefused

RATE = 22_050
_PEAK = 32_767

#: Loudness of speech, measured over its loud moments: -20 dB of full scale leaves consonants their peaks.
SPEECH_DB = -20.0
#: Never louder than this at any one moment: cheap amplifiers distort at full scale.
PEAK_DB = -1.0
#: What lies so far below the loudest moment of a clip is its room, not its word (our choice: a quiet office).
SILENCE_DB = -38.0
#: What is judged at once, and what is left at both ends of a word so that its first consonant is not cut.
_FRAME = RATE * 20 // 1000
_MARGIN = RATE * 30 // 1000
#: A clip fades in and out over so long: a cut in the middle of a wave clicks.
_FADE = RATE * 4 // 1000
#: Between two parts. Words of a sentence follow closely; digits must be told apart (our choice, by ear).
GAP_MS = 60
#: After the gong, before the first word.
AFTER_GONG_MS = 250
#: Quieter than this is no recording but a muted microphone.
_MUTE_DB = -50.0

#: What a clip may be. 8 s is far longer than "Government affairs", and 1 MB is 10 s at 48 kHz.
LONGEST_CLIP_S = 8.0
SHORTEST_CLIP_S = 0.08
LARGEST_CLIP_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Sound:
    """16-bit samples, mono, `RATE`."""

    samples: array[int]

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    def wav(self) -> bytes:
        """As a file."""
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(self.samples.tobytes())
        return out.getvalue()


class NoClip(OrderRefused):
    """What was sent is no clip that the hall can say."""


def read_wav(data: bytes) -> Sound:
    """A WAV file of 16-bit PCM, any rate from 8 to 96 kHz, one or two channels.

    :raises NoClip: it is something else, too long, or too large; with words for whoever sent it.
    """
    if len(data) > LARGEST_CLIP_BYTES:
        raise NoClip("录音太大：最多 1 MB", "The recording is too large: at most 1 MB")
    try:
        with wave.open(io.BytesIO(data), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            frames = file.readframes(min(file.getnframes(), len(data)))
    except (wave.Error, EOFError, ValueError) as wrong:
        raise NoClip("这不是 WAV 录音", f"This is not a WAV recording: {wrong}") from None
    if width != 2 or channels not in (1, 2) or not 8_000 <= rate <= 96_000:
        raise NoClip(
            "录音须为 16 位 PCM 的 WAV，单声道或立体声，8–96 kHz",
            "The recording must be a WAV of 16-bit PCM, mono or stereo, 8-96 kHz",
        )
    frames = frames[: len(frames) - len(frames) % (2 * channels)]
    samples = array("h", frames)
    if channels == 2:
        samples = array("h", ((one + two) // 2 for one, two in zip(samples[::2], samples[1::2], strict=True)))
    if len(samples) > rate * LONGEST_CLIP_S:
        raise NoClip(
            f"录音太长：最多 {LONGEST_CLIP_S:g} 秒",
            f"The recording is too long: at most {LONGEST_CLIP_S:g} s",
        )
    return Sound(resample(samples, rate))


def resample(samples: array[int], rate: int) -> array[int]:
    """To `RATE`: the mean of what falls into a sample's time on the way down, a straight line on the way up.

    Good enough for one word of speech: what is lost lies above 8 kHz.
    """
    if rate == RATE or not samples:
        return samples
    step, count = rate / RATE, int(len(samples) * RATE / rate)
    out = array("h", bytes(2 * count))
    last = len(samples) - 1
    for index in range(count):
        at = index * step
        if step > 1:
            begin, end = int(at), min(int(at + step) + 1, last + 1)
            part = samples[begin:end]
            out[index] = sum(part) // len(part)
        else:
            low = int(at)
            high = min(low + 1, last)
            out[index] = int(samples[low] + (samples[high] - samples[low]) * (at - low))
    return out


def loudness_db(samples: Sequence[int]) -> float:
    """How loud the loud moments are, in dB of full scale; minus infinity for silence.

    Over frames of 20 ms within 15 dB of the loudest: pauses must not make a slow speaker seem quiet.
    """
    frames = _frame_powers(samples)
    loudest = max(frames, default=0.0)
    if loudest <= 0:
        return -math.inf
    loud = [power for power in frames if power >= loudest * 10**-1.5]
    return 10 * math.log10(sum(loud) / len(loud) / _PEAK**2)


def trimmed(sound: Sound) -> Sound:
    """Without the silence before and after."""
    frames = _frame_powers(sound.samples)
    floor = max(frames, default=0.0) * 10 ** (SILENCE_DB / 10)
    heard = [index for index, power in enumerate(frames) if power > floor]
    if not heard:
        return Sound(array("h"))
    begin = max(0, heard[0] * _FRAME - _MARGIN)
    end = min(len(sound.samples), (heard[-1] + 1) * _FRAME + _MARGIN)
    return Sound(sound.samples[begin:end])


def fitted(sound: Sound) -> Sound:
    """Trimmed, as loud as all other clips, faded at both ends.

    :raises NoClip: nothing can be heard in it.
    """
    word = trimmed(sound)
    loud_db = loudness_db(word.samples)
    if word.seconds < SHORTEST_CLIP_S or loud_db < _MUTE_DB:
        raise NoClip(
            "录音里听不到声音：请检查麦克风后重录",
            "Nothing can be heard in the recording: check the microphone and record again",
        )
    peak = max(1, *(abs(one) for one in word.samples))
    gain = min(10 ** ((SPEECH_DB - loud_db) / 20), _PEAK * 10 ** (PEAK_DB / 20) / peak)
    out = array("h", (int(one * gain) for one in word.samples))
    for index in range(min(_FADE, len(out) // 2)):
        out[index] = out[index] * index // _FADE
        out[-1 - index] = out[-1 - index] * index // _FADE
    return Sound(out)


def louder(sound: Sound, volume: int) -> Sound:
    """At a volume of 0 to 100. The ear hears loudness as a power: 50 sounds half as loud (amplitude 0.25)."""
    if volume >= 100:
        return sound
    gain = (volume / 100) ** 2
    return Sound(array("h", (int(one * gain) for one in sound.samples)))


def silence(ms: int) -> Sound:
    return Sound(array("h", bytes(2 * (RATE * ms // 1000))))


def joined(sounds: Iterable[Sound]) -> Sound:
    """One after the other, nothing between."""
    out = array("h")
    for one in sounds:
        out.extend(one.samples)
    return Sound(out)


def gong() -> Sound:
    """Two falling tones with the overtones of a struck bar: ours, where a hall has recorded none.

    659 and 523 Hz (a major third down): in the range that ageing ears hear best, and unlike the ring of a call.
    """
    length = int(RATE * 1.1)
    out = array("h", bytes(2 * length))
    for hz, begin_s in ((659.3, 0.0), (523.3, 0.42)):
        begin = int(begin_s * RATE)
        for index in range(length - begin):
            at_s = index / RATE
            fall = math.exp(-at_s * 4.5) * min(1.0, at_s / 0.004)
            tone = math.sin(math.tau * hz * at_s) + 0.25 * math.sin(math.tau * 2.76 * hz * at_s) * math.exp(
                -at_s * 9
            )
            out[begin + index] += int(6_500 * fall * tone)
    tail = int(RATE * 0.05)
    for index in range(tail):
        out[-1 - index] = out[-1 - index] * index // tail
    return Sound(out)


def _frame_powers(samples: Sequence[int]) -> list[float]:
    return [
        sum(one * one for one in samples[begin : begin + _FRAME]) / len(samples[begin : begin + _FRAME])
        for begin in range(0, len(samples), _FRAME)
    ]
