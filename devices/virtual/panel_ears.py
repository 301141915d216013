"""What the virtual panels and signs understand: one reader of frames for each maker, written from the maker's document.

Theirs, not ours: `firmware_bridge/panels` says it, these listen, and neither imports the other. A reader takes what has
come so far and gives back what it understood and what it still waits for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Understood:
    """One frame: what is shown from now on, what the sign answers to it, and what it would answer to refuse it."""

    raw: bytes
    shown: str
    answer: bytes
    refusal: bytes = b""


@dataclass(slots=True)
class Heard:
    """``rest``: the beginning of a frame that has not come whole. ``rubbish``: bytes or frames that meant nothing."""

    rest: bytes = b""
    frames: list[Understood] = field(default_factory=list)
    rubbish: int = 0


Ear = Callable[[bytes, int], Heard]

_COLOURS = {0x00: "green", 0x01: "yellow", 0x02: "red"}
_XUNPENG_BYTES = 7


def xunpeng(data: bytes, address: int) -> Heard:
    """讯鹏: seven bytes begun by 3A; an address is none of its matters."""
    heard = Heard()
    while data:
        frame = data[:_XUNPENG_BYTES]
        if frame[0] == 0x3A and len(frame) < _XUNPENG_BYTES:
            break
        if (
            frame[0] == 0x3A
            and frame[6] == 0x0A
            and frame[5] == sum(frame[:5]) & 0xFF
            and frame[1] in _COLOURS
        ):
            back = b"\x2a" + frame[1:5]
            answer = back + bytes([sum(back) & 0xFF, 0x0A])
            shown = f"{frame[2] + 256 * frame[3]} {_COLOURS[frame[1]]}"
            heard.frames.append(Understood(frame, shown, answer))
            data = data[_XUNPENG_BYTES:]
        else:
            heard.rubbish += 1
            data = data[1:]
    heard.rest = data
    return heard


_AMPLUS = re.compile(rb"<ID([0-9A-F]{2})>(.*?)([0-9A-F]{2})<E>", re.DOTALL)
_AMPLUS_PAGE = re.compile(rb"<L1><P([A-Z])><F[A-Z]><M([A-Za-z])><W[A-Z]><F[A-Z]>(.*)", re.DOTALL)


def am03127(data: bytes, address: int) -> Heard:
    """Amplus: ``<ID01>…36<E>``. Another sign's frame is not answered, the broadcast 00 neither."""
    heard = Heard()
    while found := _AMPLUS.search(data):
        heard.rubbish += found.start()
        raw, number, words = found[0], int(found[1], 16), found[2]
        data = data[found.end() :]
        check = 0
        for one in words:
            check ^= one
        page = _AMPLUS_PAGE.fullmatch(words)
        if number not in (address, 0) or (page and page[1] != b"A"):
            continue
        answer = b"" if number == 0 else b"ACK"
        if check != int(found[3], 16) or page is None:
            heard.rubbish += 1
            heard.frames.append(Understood(raw, "", b"NACK" if number else b"", b"NACK"))
            continue
        text = page[3].decode("latin-1").strip()
        heard.frames.append(Understood(raw, text + (" blinking" if page[2] == b"B" else ""), answer, b"NACK"))
    heard.rest = data[-256:]
    return heard


def bx5k(data: bytes, address: int) -> Heard:
    """Onbon: A5 … 5A. Understands "show now" with one area; answers A0 00, or A0 01 with the number of the reason."""
    heard = Heard()
    while True:
        begin, end = data.find(0xA5), data.find(0x5A)
        if begin < 0 or end < 0:
            heard.rest = data
            return heard
        raw, data = data[begin : end + 1], data[end + 1 :]
        body = re.sub(
            rb"[\xa6\x5b][\x01\x02]",
            lambda pair: bytes([{0xA6: (0xA6, 0xA5), 0x5B: (0x5B, 0x5A)}[pair[0][0]][pair[0][1] - 1]]),
            raw.strip(b"\xa5")[:-1],
        )
        if len(body) < 21:
            heard.rubbish += 1
            continue
        to, source = int.from_bytes(body[:2], "little"), body[2:4]
        if to not in (address, 0xFFFF, 0xFFFE):
            continue
        yes = _bx_frame(source, body[:2], bytes([0xA0, 0x00, 0x00, 0x00, 0x00]))
        if _crc16(body[:-2]) != int.from_bytes(body[-2:], "little"):
            heard.rubbish += 1
            bad_check = _bx_frame(source, body[:2], bytes([0xA0, 0x01, 0x05, 0x00, 0x00]))
            heard.frames.append(Understood(raw, "", bad_check, bad_check))
            continue
        busy = _bx_frame(source, body[:2], bytes([0xA0, 0x01, 0x03, 0x00, 0x00]))
        told, length = body[14:-2], int.from_bytes(body[12:14], "little")
        # 9 bytes until the area; in it 23 bytes of where and how, then the text's length and the text
        size, text = int.from_bytes(told[32:36], "little"), told[36:]
        if told[:2] != b"\xa3\x06" or length != len(told) or size != len(text):
            heard.rubbish += 1
            heard.frames.append(Understood(raw, "", busy, busy))
            continue
        heard.frames.append(Understood(raw, text.decode("gbk", "replace").strip(), yes, busy))


def _bx_frame(to: bytes, source: bytes, data: bytes) -> bytes:
    body = to + source + bytes(6) + b"\xfe\x02" + len(data).to_bytes(2, "little") + data
    body += _crc16(body).to_bytes(2, "little")
    escapes = {0xA5: b"\xa6\x02", 0xA6: b"\xa6\x01", 0x5A: b"\x5b\x02", 0x5B: b"\x5b\x01"}
    return b"\xa5" * 8 + b"".join(escapes.get(one, bytes([one])) for one in body) + b"\x5a"


def _crc16(data: bytes) -> int:
    """CRC-16/ARC, bit by bit with the high bit first: another way to the same number than the driver's."""
    crc = 0
    for one in data:
        crc ^= _reversed(one) << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x8005) & 0xFFFF if crc & 0x8000 else crc << 1
    return _reversed(crc >> 8) | _reversed(crc & 0xFF) << 8


def _reversed(one: int) -> int:
    return int(f"{one:08b}"[::-1], 2)


def plain_text(data: bytes, address: int) -> Heard:
    """Lines of GBK ended by CR LF; nothing is answered."""
    *lines, rest = data.split(b"\r\n")
    frames = [Understood(line + b"\r\n", line.decode("gbk", "replace").strip(), b"") for line in lines]
    return Heard(rest[-256:], frames)


#: The driver of hall.toml → who understands it.
EARS: dict[str, Ear] = {"xunpeng": xunpeng, "am03127": am03127, "bx5k": bx5k, "ascii": plain_text}
