"""仰邦 (Onbon, Shanghai) BX-5K, BX-5MK and BX-6K controllers with a font of their own, RS-232 or RS-485, 8N1.

From the maker's "BX-5K/6K 通讯协议" (doc.onbonbx.com) and its own open Java (github onbonlab/bx.k.java)::

    A5 x 8 │ header 14 bytes │ data │ CRC-16 of header and data, low byte first │ 5A
    header: 目标 01 00, 源 00 80, six zeros, FE (any model), 02 (protocol), length of data, low byte first
    escapes between A5 and 5A: A5 → A6 02, A6 → A6 01, 5A → 5B 02, 5B → 5B 01
    CRC: polynomial A001 (reflected 8005), begun with 0

    data "show now" (发送实时显示信息):
    A3 06 │ 01 answer │ length of the rest │ 00 nothing deleted │ 01 one area │ its length │ area
    area: 00 │ x y width height, two bytes each │ 00 its number │ 00 │ 00 for ever │ 02 00 │ 00 no speech │ 00
          │ align │ lines │ wrapping │ manner │ 00 │ speed │ stay │ length of text, four bytes │ text in GBK

    A0 00 00 00 00    the controller's answer in a frame of its own (addresses changed round); another second or
                      third byte: no, with the number of its reason

``x`` and ``width`` count in 8 pixels unless the top bit of the high byte is set: then in pixels. The maker's example
(``012345QRSTTV'B`` on 192 x 32, CRC A8 7D) is a test, byte for byte. A backslash begins a command of its text and is
left out. The text is static: the controller has no blinking; a call is seen by its change, and heard.
"""

from __future__ import annotations

from devices.messages import ShowCount
from devices.plan import Panel
from firmware_bridge.lettering import clean
from firmware_bridge.panels import PLAIN, Frame, Shown

ANSWERS = True
TELL_AGAIN_MS = 30_000
ADDRESSED = True
KINDS = frozenset({"count", "window"})

_BEGIN, _END = b"\xa5" * 8, b"\x5a"
_ESCAPES = {0xA5: b"\xa6\x02", 0xA6: b"\xa6\x01", 0x5A: b"\x5b\x02", 0x5B: b"\x5b\x01"}
_BACK = {b"\xa6\x02": 0xA5, b"\xa6\x01": 0xA6, b"\x5b\x02": 0x5A, b"\x5b\x01": 0x5B}
_OURSELVES = 0x8000
_ANY_MODEL, _PROTOCOL = 0xFE, 0x02
_IN_PIXELS = 0x8000
#: In the middle, both ways.
_ALIGN_CENTRE = 0x02 | 0x08
_ONE_LINE, _NO_WRAPPING, _STATIC = 0x01, 0x01, 0x01

#: CmdError of the maker's table, as far as a text can cause it.
_REASONS = {
    0x01: "unknown group of commands",
    0x02: "unknown command",
    0x03: "busy",
    0x04: "out of memory",
    0x05: "checksum wrong: a bad line",
    0x0C: "the font is not in the controller",
    0x0D: "another model",
}


def compose(what: Shown, panel: Panel = PLAIN) -> Frame:
    """The gateway's own words for a count, a window's number as it is called; dark is one space."""
    text = clean(what.text).replace("\n", " ").replace("\\", "")
    if isinstance(what, ShowCount) and not what.certain:
        text = text or "--"
    return Frame(frame(panel.address, show_now(text or " ", panel.width_px, panel.height_px)), text)


def show_now(
    text: str,
    width_px: int,
    height_px: int,
    manner: bytes = bytes([_ALIGN_CENTRE, _ONE_LINE, _NO_WRAPPING, _STATIC, 0x00, 0x00, 0x05]),
) -> bytes:
    """The data of "show now" for one area as large as the sign.

    :param manner: alignment, lines, wrapping, how it comes, how it goes, speed, how long a page stays (half seconds).
    """
    words = text.encode("gbk", errors="ignore")
    wide = width_px // 8 if width_px % 8 == 0 else _IN_PIXELS | width_px
    area = (
        bytes(5)  # an area of text, at 0, 0
        + wide.to_bytes(2, "little")
        + height_px.to_bytes(2, "little")
        + bytes([0x00, 0x00, 0x00])  # its number, no space between lines, for ever
        + (2).to_bytes(2, "little")  # how long it may be old, where "for ever" is not set
        + bytes([0x00, 0x00])  # no speech, nothing more
        + manner
        + len(words).to_bytes(4, "little")
        + words
    )
    rest = bytes([0x00, 0x01]) + len(area).to_bytes(2, "little") + area
    return bytes([0xA3, 0x06, 0x01]) + len(rest).to_bytes(2, "little") + rest


def frame(address: int, data: bytes, source: int = _OURSELVES) -> bytes:
    """A whole frame around ``data``."""
    header = (
        address.to_bytes(2, "little")
        + source.to_bytes(2, "little")
        + bytes(6)
        + bytes([_ANY_MODEL, _PROTOCOL])
    )
    body = header + len(data).to_bytes(2, "little") + data
    body += crc16(body).to_bytes(2, "little")
    return _BEGIN + b"".join(_ESCAPES.get(one, bytes([one])) for one in body) + _END


def crc16(data: bytes) -> int:
    crc = 0
    for one in data:
        crc ^= one
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def confirmed(heard: bytes, sent: bytes) -> bool:
    """A whole answer "A0 00, error 0" from the sign that was told."""
    return any(data[1] == 0 and data[2] == 0 for data in _answers(heard, sent))


def refused(heard: bytes, sent: bytes) -> str:
    """The reason that it names."""
    for data in _answers(heard, sent):
        if data[1] or data[2]:
            return f"{_REASONS.get(data[2], 'refused')} ({data[2]:#04x})"
    return ""


def _answers(heard: bytes, sent: bytes) -> list[bytes]:
    """The data of each whole answer in ``heard``; what is torn, of another sign or an echo of ours is none."""
    told = _plain(sent[len(_BEGIN) : -1])[:2]
    found = []
    for piece in heard.split(_END)[:-1]:
        body = _plain(piece.lstrip(b"\x00").rpartition(b"\xa5")[2])
        if len(body) < 19 or crc16(body[:-2]) != int.from_bytes(body[-2:], "little"):
            continue
        to, source, data = body[:2], body[2:4], body[14:-2]
        if to == _OURSELVES.to_bytes(2, "little") and source == told and data[0] == 0xA0:
            found.append(data)
    return found


def _plain(escaped: bytes) -> bytes:
    out, at = bytearray(), 0
    while at < len(escaped):
        pair = escaped[at : at + 2]
        out.append(_BACK.get(pair, escaped[at]))
        at += 2 if pair in _BACK else 1
    return bytes(out)
