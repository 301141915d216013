"""``linli decode``: what would the gateway understand of these messages?

For a technician with a captured log. One JSON object a line in, one a line out, in the same order, each line
out as soon as it is understood, so it works in a pipe::

    $ echo '{"id": 1, "topic": "zigbee2mqtt/door", "payload": {"action": "single"}}' | linli decode
    {"id": 1, "event": "press", "alarm": true, "occupied": null, "battery_pct": null, "press_type": "single"}

Keys in: ``topic``, ``payload`` (an object, a string, null; hexadecimal where ``transport`` is
``raw_lorawan``), and, where known, ``transport``, ``vendor``, ``model``, ``cls``, ``kind``, ``fport``,
``retained``. The five keys out are always present, null where unknown; whatever else the message said
follows. A line that is not JSON gives an ``undecodable`` line with an ``error`` that names it: one line
out for every line in.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator
from typing import IO, cast

from devices.codecs import decode
from devices.reading import Heard, Reading

_LONGEST_INT = 32  # digits, as in the codecs: more is noise, and Python refuses thousands of them


def main(stdin: IO[str] | IO[bytes], stdout: IO[str] | IO[bytes]) -> int:
    """Decode ``stdin`` line by line to ``stdout``; always 0, for a broken message is an answer, too."""
    # The bytes beneath, where there are any: UTF-8 whatever the terminal's locale says.
    lines: IO[str] | IO[bytes] = getattr(stdin, "buffer", stdin)
    out: IO[str] | IO[bytes] = getattr(stdout, "buffer", stdout)
    binary = "b" in getattr(out, "mode", "") or not isinstance(out, io.TextIOBase)
    try:
        for answer in decode_lines(lines):
            if binary:
                cast(IO[bytes], out).write(f"{answer}\n".encode())
            else:
                cast(IO[str], out).write(f"{answer}\n")
            out.flush()
    except BrokenPipeError:  # the reader has seen enough: `linli decode | head`
        pass
    return 0


def decode_lines(lines: Iterable[str | bytes]) -> Iterator[str]:
    """The answers to these lines, one for each, blank ones included."""
    for number, line in enumerate(lines, start=1):
        yield _answer(line, number)


def _answer(line: str | bytes, number: int) -> str:
    try:
        words = line.decode("utf-8") if isinstance(line, bytes) else line
        row = json.loads(words.rstrip("\r\n"), parse_int=_whole, parse_constant=lambda _word: None)
    except ValueError as problem:  # bad UTF-8 is a ValueError, too
        return _failed(None, f"line {number}: not JSON: {problem}")
    except RecursionError:
        return _failed(None, f"line {number}: not JSON: nested too deep")
    if not isinstance(row, dict):
        return _failed(None, f"line {number}: not a JSON object")
    ident = row.get("id")
    ident = ident if isinstance(ident, (str, int, float)) else None
    try:
        heard = heard_of(row)
    except (ValueError, RecursionError) as problem:
        return _failed(ident, f"line {number}: the payload cannot be put back on the wire: {problem}")
    return _line(ident, decode(heard))


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_INT else None


def heard_of(row: dict[str, object]) -> Heard:
    """The message a line describes; raises ValueError where its payload cannot be put back on the wire."""
    transport = _text(row.get("transport"))
    kind_class = "parking" if row.get("kind") == "parking" else ""
    fport = row.get("fport")
    return Heard(
        topic=_text(row.get("topic")),
        payload=_wire(row.get("payload"), transport),
        retained=row.get("retained") is True,
        transport=transport,
        vendor=_text(row.get("vendor")),
        model=_text(row.get("model")),
        cls=_text(row.get("cls")) or kind_class,
        fport=fport if isinstance(fport, int) and not isinstance(fport, bool) else None,
    )


def _wire(payload: object, transport: str) -> bytes:
    if payload is None:
        return b""
    if isinstance(payload, str):
        if transport == "raw_lorawan":
            try:
                return bytes.fromhex(payload)
            except ValueError:
                raise ValueError("not hexadecimal") from None
        return payload.encode("utf-8", "replace")
    return json.dumps(payload, separators=(",", ":")).encode("ascii")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _failed(ident: object, error: str) -> str:
    return _line(ident, Reading("undecodable", extras={"error": error}))


def _line(ident: object, reading: Reading) -> str:
    pct = reading.battery_pct
    flat = reading.as_json()
    flat["battery_pct"] = int(pct) if pct is not None and pct == int(pct) else pct
    words = json.dumps({"id": ident, **flat}, ensure_ascii=False, default=str)
    # A lone surrogate in an id or a name cannot be written as UTF-8; it becomes "?".
    return words.encode("utf-8", "replace").decode("utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.stdin, sys.stdout))
