"""Is this really a voice note, a drawing? Pure: bytes in, a verdict out; what a browser says of them is not believed.

    voice = read_voice(data)       # Note("ogg", "audio/ogg", 12.4)
    drawing = read_drawing(data)   # Note("png", "image/png")

Read are only the containers' outlines (RFC 3533 and 7845 for Ogg and Opus; RFC 8794 and 9559 for WebM; the PNG
specification): enough to refuse a wrong, cut or too long file, and to name the length that the container tells.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass

from kiosk.rules.requests import DRAWING_AT_MOST, DRAWING_SIDE_AT_MOST, VOICE_AT_MOST, VOICE_AT_MOST_S

#: A recorder that is told to stop at 60 s ends with the packet under way.
_GRACE_S = 2.0
_OPUS_HZ = 48_000
_PNG = b"\x89PNG\r\n\x1a\n"

# EBML ids that are looked at; all others are stepped over.
_EBML, _DOC_TYPE, _SEGMENT, _INFO, _SCALE, _DURATION = 0x1A45DFA3, 0x4282, 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489
_TRACKS, _TRACK, _CODEC, _CLUSTER, _TIME = 0x1654AE6B, 0xAE, 0x86, 0x1F43B675, 0xE7
_SIMPLE_BLOCK, _GROUP, _BLOCK = 0xA3, 0xA0, 0xA1
_OPENED = frozenset({_EBML, _SEGMENT, _INFO, _TRACKS, _TRACK, _CLUSTER, _GROUP})
#: Packets of 60 s at 2.5 ms each, and some; more elements than these no recorder makes.
_ELEMENTS_AT_MOST = 40_000


class NoteWrong(ValueError):
    """``why``: a key of `rules.requests.note_wrong`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Note:
    """``ending`` of its file, its type for a browser, its length (0: the container does not tell)."""

    ending: str
    mime: str
    long_s: float = 0.0


def read_note(kind: str, data: bytes) -> Note:
    """:raises NoteWrong: too_large, empty, kind, broken, too_long."""
    if not data:
        raise NoteWrong("empty")
    if len(data) > (VOICE_AT_MOST if kind == "voice" else DRAWING_AT_MOST):
        raise NoteWrong("too_large")
    return read_voice(data) if kind == "voice" else read_drawing(data)


def read_voice(data: bytes) -> Note:
    """Opus in Ogg or WebM, at most a minute."""
    if data.startswith(b"OggS"):
        note = Note("ogg", "audio/ogg", _ogg_s(data))
    elif data.startswith(b"\x1a\x45\xdf\xa3"):
        note = Note("webm", "audio/webm", _webm_s(data))
    else:
        raise NoteWrong("kind")
    if note.long_s > VOICE_AT_MOST_S + _GRACE_S:
        raise NoteWrong("too_long")
    return note


# ---------------------------------------------------------------- Ogg


def _ogg_s(data: bytes) -> float:
    """From page to page to the last one: its granule position is the length, in samples of 48 kHz."""
    at, granule, skip, pages = 0, 0, 0, 0
    while at < len(data):
        if len(data) - at < 27 or data[at : at + 4] != b"OggS":
            raise NoteWrong("broken")
        segments = data[at + 26]
        body = at + 27 + segments
        end = body + sum(data[at + 27 : body])
        if body > len(data) or end > len(data):
            raise NoteWrong("broken")
        if not pages:
            if data[body : body + 8] != b"OpusHead" or end - body < 19:
                raise NoteWrong("kind")
            skip = struct.unpack_from("<H", data, body + 10)[0]
        told = struct.unpack_from("<q", data, at + 6)[0]
        granule = max(granule, told)
        at, pages = end, pages + 1
    if pages < 2:
        raise NoteWrong("empty")
    return max(0.0, (granule - skip) / _OPUS_HZ)


# ---------------------------------------------------------------- WebM


def _webm_s(data: bytes) -> float:
    """Where no duration is written (a browser's recorder writes none), the time of the last packet is the length."""
    at, scale_ns, duration, cluster, last = 0, 1_000_000, 0.0, 0, 0
    seen: set[int] = set()
    for _ in range(_ELEMENTS_AT_MOST):
        if at >= len(data):
            break
        name, at = _vint(data, at, keep=True)
        size, body = _vint(data, at, keep=False)
        # Of unknown size are a live segment and its clusters: they are opened, and their children follow.
        at = body if name in _OPENED else body + size
        if (size < 0 and name not in _OPENED) or (at > len(data)):
            raise NoteWrong("broken")
        held = b"" if name in _OPENED else data[body:at]
        if name == _DOC_TYPE and held.rstrip(b"\0") not in (b"webm", b"matroska"):
            raise NoteWrong("kind")
        if name == _CODEC and held.rstrip(b"\0") != b"A_OPUS":
            raise NoteWrong("kind")
        seen.add(name)
        if name == _SCALE:
            scale_ns = _number(held)
        elif name == _DURATION and len(held) in (4, 8):
            duration = struct.unpack(">f" if len(held) == 4 else ">d", held)[0]
        elif name == _TIME:
            cluster = _number(held)
        elif name in (_SIMPLE_BLOCK, _BLOCK) and len(held) > 3:
            _, after = _vint(held, 0, keep=False)
            if len(held) < after + 2:
                raise NoteWrong("broken")
            last = max(last, cluster + struct.unpack_from(">h", held, after)[0])
    if not seen >= {_EBML, _SEGMENT, _CODEC}:
        raise NoteWrong("kind" if _SEGMENT in seen else "broken")
    if not seen & {_SIMPLE_BLOCK, _BLOCK}:
        raise NoteWrong("empty")
    longest = max(float(last), duration if duration == duration and duration > 0 else 0.0)
    return longest * scale_ns / 1e9


def _number(held: bytes) -> int:
    """An unsigned integer has at most eight bytes (RFC 8794, 7.2)."""
    if len(held) > 8:
        raise NoteWrong("broken")
    return int.from_bytes(held, "big")


def _vint(data: bytes, at: int, *, keep: bool) -> tuple[int, int]:
    """A number of variable length and where it ends; ``keep``: with its marker (ids). -1: a size that is not known."""
    if at >= len(data) or not data[at]:
        raise NoteWrong("broken")
    length = 9 - data[at].bit_length()
    if at + length > len(data) or (keep and length > 4):
        raise NoteWrong("broken")
    whole = int.from_bytes(data[at : at + length], "big")
    if keep:
        return whole, at + length
    value = whole & ((1 << 7 * length) - 1)
    return (-1 if value == (1 << 7 * length) - 1 else value), at + length


# ---------------------------------------------------------------- PNG


def read_drawing(data: bytes) -> Note:
    """Chunk by chunk, each with its checksum; a size that a screen can have."""
    if not data.startswith(_PNG):
        raise NoteWrong("kind")
    at = len(_PNG)
    names: list[bytes] = []
    while at < len(data):
        if len(data) - at < 12:
            raise NoteWrong("broken")
        size, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        if end > len(data) or binascii.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise NoteWrong("broken")
        if not names:
            if name != b"IHDR" or size != 13:
                raise NoteWrong("broken")
            wide, high = struct.unpack_from(">II", data, at + 8)
            if not (0 < wide <= DRAWING_SIDE_AT_MOST and 0 < high <= DRAWING_SIDE_AT_MOST):
                raise NoteWrong("kind")
        names.append(name)
        at = end
        if name == b"IEND":
            break
    if at != len(data) or names[-1:] != [b"IEND"] or b"IDAT" not in names:
        raise NoteWrong("broken")
    return Note("png", "image/png")
