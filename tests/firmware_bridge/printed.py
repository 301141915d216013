"""Paper for tests: what the virtual printer's own decoder makes of bytes. It shares no line with their maker."""

from __future__ import annotations

from devices.virtual.paper import Decoder, Make, Piece
from firmware_bridge.profiles import Profile


def printed(raw: bytes, profile: Profile, said: bytearray | None = None) -> list[Piece]:
    """The pieces of paper that ``raw`` makes on a printer just as its profile says; what it answers goes to ``said``.

    What was not cut off is torn off at the end.
    """
    pieces: list[Piece] = []
    make = Make(charset=profile.encoding, kanji_next_line=profile.fs_next_line)
    heard = said if said is not None else bytearray()
    decoder = Decoder(heard.extend, pieces.append, profile.dots, make)
    for byte in raw:
        decoder.feed(byte)
    decoder.tear()
    return pieces
