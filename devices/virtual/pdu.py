"""Short messages as they travel between a modem and its computer: 3GPP TS 23.040's SUBMIT and DELIVER, in hexadecimal.

Only for the virtual modem; the real ones are spoken to by gammu. What is not understood raises ValueError.
"""

from __future__ import annotations

from dataclasses import dataclass

#: 3GPP TS 23.038, the default alphabet; its extension table is not needed here.
_GSM7 = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: A part of a long text in UCS2: 140 octets, less 6 for the header that joins the parts.
_UCS2_ALONE, _UCS2_PART = 70, 67


@dataclass(frozen=True, slots=True)
class Submit:
    """What a computer asks to be sent. ``part`` of ``parts`` with the same ``reference`` are one text."""

    number: str
    text: str
    reference: int = 0
    part: int = 1
    parts: int = 1


def read_submit(hexadecimal: str) -> Submit:
    """The line after ``AT+CMGS=<length>``: the service centre's number, then an SMS-SUBMIT."""
    raw = bytes.fromhex(hexadecimal)
    try:
        at = 1 + raw[0]
        first, digits = raw[at], raw[at + 2]
        if first & 0x03 != 0x01:
            raise ValueError(f"not an SMS-SUBMIT: first octet {first:02x}")
        octets = (digits + 1) // 2
        number = _number(raw[at + 3], raw[at + 4 : at + 4 + octets], digits)
        at += 4 + octets
        alphabet = raw[at + 1] & 0x0C
        at += 2 + {0x00: 0, 0x10: 1, 0x08: 7, 0x18: 7}[first & 0x18]
        length, data = raw[at], raw[at + 1 :]
    except IndexError:
        raise ValueError(f"cut short: {hexadecimal}") from None
    reference, part, parts, header = 0, 1, 1, 0
    if first & 0x40:
        header = data[0] + 1
        reference, part, parts = _joined(data[1:header])
    if alphabet == 0x08:
        text = data[header:length].decode("utf-16-be")
    elif alphabet == 0x00:
        skipped = (header * 8 + 6) // 7
        text = _unpacked(data, length)[skipped:]
    else:
        text = data[header:length].decode("latin-1")
    return Submit(number, text, reference, part, parts)


def deliver(
    number: str, text: str, when: tuple[int, int, int, int, int, int], reference: int = 1
) -> list[str]:
    """The SMS-DELIVERs by which this text comes in: one, or several that belong together.

    :param when: year (two digits), month, day, hour, minute, second, as the network stamps it (UTC+8).
    """
    parts = [text] if len(text) <= _UCS2_ALONE else _cut(text)
    stamp = bytes(_swapped(value) for value in when) + bytes([_swapped(8 * 4)])
    pdus = []
    for place, one in enumerate(parts, 1):
        header = b"" if len(parts) == 1 else bytes([5, 0, 3, reference & 0xFF, len(parts), place])
        data = header + one.encode("utf-16-be")
        first = 0x04 | (0x40 if header else 0)
        pdu = bytes([0, first]) + _address(number) + b"\x00\x08" + stamp + bytes([len(data)]) + data
        pdus.append(pdu.hex().upper())
    return pdus


def _cut(text: str) -> list[str]:
    return [text[begin : begin + _UCS2_PART] for begin in range(0, len(text), _UCS2_PART)]


def _joined(header: bytes) -> tuple[int, int, int]:
    at = 0
    while at + 1 < len(header):
        kind, size = header[at], header[at + 1]
        body = header[at + 2 : at + 2 + size]
        if kind == 0 and len(body) == 3:
            return body[0], body[2], body[1]
        if kind == 8 and len(body) == 4:
            return body[0] << 8 | body[1], body[3], body[2]
        at += 2 + size
    return 0, 1, 1


def _number(kind: int, octets: bytes, digits: int) -> str:
    figures = "".join(f"{octet & 0x0F:x}{octet >> 4:x}" for octet in octets)[:digits]
    return ("+" if kind & 0x70 == 0x10 else "") + figures


def _address(number: str) -> bytes:
    digits = number.removeprefix("+")
    padded = digits + "f" * (len(digits) % 2)
    pairs = bytes(int(padded[at + 1] + padded[at], 16) for at in range(0, len(padded), 2))
    return bytes([len(digits), 0x91 if number.startswith("+") else 0x81]) + pairs


def _swapped(value: int) -> int:
    return value % 10 << 4 | value // 10


def _unpacked(data: bytes, septets: int) -> str:
    bits = int.from_bytes(data, "little")
    return "".join(_GSM7[bits >> 7 * place & 0x7F] for place in range(septets))
