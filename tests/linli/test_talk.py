"""Speaking with our own processes: what they say may be broken, and is then said to be so."""

import socket
import threading
from pathlib import Path

import pytest

from devices.faults import OutsideDown
from linli.talk import Line


@pytest.mark.parametrize("said", [b"{\n", b"[" * 100_000 + b"\n"], ids=["half", "deep"])
def test_a_line_that_is_no_json_is_said_to_be_none(tmp_path: Path, said: bytes) -> None:
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(tmp_path / "s"))
    door.listen()

    def answer() -> None:
        with door, door.accept()[0] as visitor:
            visitor.sendall(said)

    thread = threading.Thread(target=answer)
    thread.start()
    with Line(tmp_path / "s", "the gateway") as line, pytest.raises(OutsideDown, match="no JSON"):
        line.next()
    thread.join()
