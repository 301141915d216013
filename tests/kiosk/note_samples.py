"""Voices and drawings as browsers make them, byte by byte: for stories about what is taken and what is refused."""

from __future__ import annotations

import struct
import zlib


def png(wide: int = 200, high: int = 100) -> bytes:
    """A white sheet."""

    def chunk(name: bytes, held: bytes) -> bytes:
        return struct.pack(">I", len(held)) + name + held + struct.pack(">I", zlib.crc32(name + held))

    head = struct.pack(">IIBBBBB", wide, high, 1, 0, 0, 0, 0)
    sheet = zlib.compress((b"\0" + b"\xff" * ((wide + 7) // 8)) * high)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", sheet) + chunk(b"IEND", b"")


def ogg(seconds: float = 3, codec: bytes = b"OpusHead") -> bytes:
    """Opus in Ogg: head, tags, and pages of a second (RFC 7845). Checksums are left 0: nobody here plays it."""

    def page(granule: int, held: bytes, number: int) -> bytes:
        head = struct.pack("<4sBBqIIIB", b"OggS", 0, 0, granule, 7, number, 0, 1)
        return head + bytes([len(held)]) + held

    pages = [page(0, codec + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0), 0), page(0, b"OpusTags" + bytes(8), 1)]
    whole = int(seconds)
    steps = [*range(1, whole + 1), *([seconds] if seconds > whole else [])]
    pages += [page(312 + round(at * 48_000), bytes(40), 2 + n) for n, at in enumerate(steps)]
    return b"".join(pages)


def webm(seconds: float = 3, codec: bytes = b"A_OPUS") -> bytes:
    """Opus in WebM as a browser's recorder writes it: no duration, a live segment and clusters of unknown size."""

    def element(name: str, held: bytes, *, live: bool = False) -> bytes:
        size = b"\x01" + b"\xff" * 7 if live else (0x10000000 | len(held)).to_bytes(4, "big")
        return bytes.fromhex(name) + size + held

    track = element("ae", element("d7", b"\x01") + element("86", codec))
    clusters = b"".join(
        element("1f43b675", element("e7", struct.pack(">I", second * 1000)) + _block(0) + _block(500), live=True)
        for second in range(int(seconds))
    )
    scale = element("2ad7b1", (1_000_000).to_bytes(3, "big"))
    held = element("1549a966", scale) + element("1654ae6b", track) + clusters
    return element("1a45dfa3", element("4282", b"webm")) + element("18538067", held, live=True)


def _block(after_ms: int) -> bytes:
    held = b"\x81" + struct.pack(">hB", after_ms, 0x80) + bytes(40)
    return b"\xa3" + (0x10000000 | len(held)).to_bytes(4, "big") + held
