"""The button without hardware, at a desk: the same life on a virtual board, led by lines of text.

    micropython devices/reference_button/desk.py FOLDER          (or python3 -m devices.reference_button.desk FOLDER)

FOLDER holds ``settings.json`` (and ``ca.der``) as ``pack.py`` makes them, and becomes the button's memory. Lines in:
``down``, ``up``, ``press`` (down and up), ``pass 1000`` (so many ms go by), ``power`` (the power went and came back),
``end``. A line of JSON comes out whenever something has changed: lamp, tune, unwritten presses, line, and what it said.
Ending it without ``end`` is a power cut; time stands still between two ``pass``.
"""

import json
import select
import sys

from devices.reference_button.life import Life
from devices.reference_button.settings import Settings
from devices.reference_button.virtual_board import VirtualBoard, _read


class Desk:
    """One virtual button and whoever leads it."""

    def __init__(self, folder: str) -> None:
        self._settings = Settings(_read(folder + "/settings.json").decode())
        self._board = VirtualBoard(folder, self._settings, _read(folder + "/ca.der"))
        self._board.files.forget_note()  # it was off
        self._life = Life(self._board, self._settings)
        self._shown = ""

    def run(self) -> None:
        going = True
        while going:
            self._turn()
            poll = select.poll()
            poll.register(0, select.POLLIN)
            if self._life.line is not None and self._board.wire is not None:
                poll.register(self._board.wire.raw, select.POLLIN)
            # Bounded, for what shows in no socket: a packet that has just been made, a line to be tried again.
            if any(ready[0] == 0 for ready in poll.poll(20)):
                going = self._obey(_line())

    def _turn(self) -> None:
        rest = self._life.turn()
        self._tell(rest[0] if rest else 0)
        if rest:
            self._board.slept(rest[0])
            self._life = Life(self._board, self._settings)

    def _obey(self, words: list[str]) -> bool:
        board = self._board
        if not words or words[0] == "end":
            self._life.leave(board.now_ms())
            return False
        if words[0] in ("down", "press"):
            board.put_finger(True)
        if words[0] in ("up", "press"):
            board.put_finger(False)
        if words[0] == "pass":
            board.pass_ms(int(words[1]))
        if words[0] == "power":
            board.power_cut()
            self._life = Life(board, self._settings)
        return True

    def _tell(self, rest_ms: int) -> None:
        board, protocol = self._board, self._life.protocol
        now_ms = board.now_ms()
        words = {
            "light": protocol.light(now_ms),
            "tune": protocol.player.playing(now_ms),
            "unwritten": protocol.unwritten,
            "line": self._life.up,
            "boot": protocol.boot,
            "rest_ms": rest_ms,
            "said": board.said[-1] if board.said else "",
        }
        shown = json.dumps(words)
        if shown != self._shown:
            self._shown = shown
            print(shown)
            if hasattr(sys.stdout, "flush"):
                sys.stdout.flush()


def _line() -> list[str]:
    """One line's words. Byte by byte: what was read ahead no poll would ever tell us of."""
    line = b""
    while not line.endswith(b"\n"):
        byte = _STDIN.read(1)
        if not byte:
            break  # nobody leads us any more
        line += byte
    return line.decode().split()


_STDIN = open(0, "rb", 0)  # noqa: SIM115 - as long as we live


if __name__ == "__main__":
    Desk(sys.argv[1]).run()
