"""The signed link of a message: whoever holds it is that helper, for that call, until it is old. Pure.

A token is base32 of (call_id, turn, expires, helper_id) and of their keyed BLAKE2b-128 under the hall's own secret
(gateway.db, ``meta.link_secret``). It is no password: it is sent to a chat or a telephone. So it opens one call only,
for `LIFE_MS`, and not longer than the call itself is open (gateway/hall/messages.py asks that). Nobody can make one
without the secret: 128 bits; comparing takes the same time whatever is wrong.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

#: Our choice: a night's duty. An acceptance may come late, the call's end makes a link void anyway.
LIFE_MS = 12 * 3600 * 1000
_MAC_BYTES = 16
#: The longest helper_id that fits; ids are made by us and have some ten letters.
LONGEST_ID = 64
#: base32 of the largest token there is: nothing longer is looked at.
LONGEST_TOKEN = 200


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says. ``turn``: the ladder's turn of its message; ``expires_ms``: full minutes."""

    call_id: int
    helper_id: str
    turn: int
    expires_ms: int


def make(secret: str, link: Link) -> str:
    """The token of a link: lower-case letters and the digits 2-7, some 45 signs.

    :raises ValueError: without a secret nothing can be signed; an id that is too long.
    """
    name = link.helper_id.encode("utf-8")
    if not secret or len(name) > LONGEST_ID:
        raise ValueError("a link needs the hall's secret and an id of a sensible length")
    body = b"".join(map(_varint, (link.call_id, link.turn, link.expires_ms // 60_000))) + name
    return _spell(body + _sign(secret, "link", body))


def read(secret: str, token: str) -> Link | None:
    """What an unforged token says, however old it is. None: nobody of this hall has made it."""
    if not secret or not 0 < len(token) <= LONGEST_TOKEN or not token.isascii():
        return None
    try:
        raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except binascii.Error:
        return None
    if _spell(raw) != token.lower():
        return None  # bits that mean nothing: each link has one spelling
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _sign(secret, "link", body)):
        return None
    numbers: list[int] = []
    at = 0
    for _ in range(3):
        value, at = _read_varint(body, at)
        numbers.append(value)
    return Link(numbers[0], body[at:].decode("utf-8"), numbers[1], numbers[2] * 60_000)


def seal(secret: str, purpose: str, words: str) -> str:
    """A short proof that this hall has said these words for this purpose, e.g. to the telephone that has accepted."""
    return _sign(secret, purpose, words.encode("utf-8")).hex() if secret else ""


def is_sealed(secret: str, purpose: str, words: str, proof: str) -> bool:
    """Whether :func:`seal` has made this proof."""
    good = seal(secret, purpose, words)
    return bool(good) and hmac.compare_digest(good.encode(), proof.encode("utf-8", "replace"))


def _spell(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _sign(secret: str, purpose: str, words: bytes) -> bytes:
    key, person = secret.encode()[:64], purpose.encode()[:16]
    return hashlib.blake2b(words, key=key, person=person, digest_size=_MAC_BYTES).digest()


def _varint(value: int) -> bytes:
    """Seven bits an octet, the lowest first."""
    octets = bytearray()
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])


def _read_varint(raw: bytes, at: int) -> tuple[int, int]:
    """Only of what we have signed: it is whole."""
    value = shift = 0
    while raw[at] >= 0x80:
        value |= (raw[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
    return value | raw[at] << shift, at + 1
