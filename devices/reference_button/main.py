"""What the chip runs at every start, from power-up and from deep sleep alike. The last line of the way to help.

Whatever goes wrong here, the chip must come back: it says why on the cable, sleeps a minute (a mistake must not empty
the battery) and begins anew, with the same memory. Ctrl-C on the cable ends it: that is a technician.
"""

import sys

import machine

from devices.reference_button.board import Esp32Board, read_file
from devices.reference_button.life import Life
from devices.reference_button.settings import Settings

#: The pause after a fault.
FAULT_REST_MS = 60_000


def run() -> None:
    settings = Settings(read_file("settings.json").decode())
    board = Esp32Board(settings, read_file("ca.der"))
    try:
        life = Life(board, settings)
        while True:
            rest = life.turn()
            if rest is not None:
                board.sleep(*rest)
            board.wait()
    except Exception as wrong:  # noqa: BLE001 - said aloud, and the button goes on: nobody else would start it again
        sys.print_exception(wrong)  # type: ignore[attr-defined]
        board.sleep(FAULT_REST_MS, True)


if __name__ == "__main__":
    try:
        run()
    except Exception as wrong:  # noqa: BLE001 - the settings or the board: say it, and try again in a minute
        sys.print_exception(wrong)  # type: ignore[attr-defined]
        machine.deepsleep(FAULT_REST_MS)
