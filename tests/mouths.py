"""The teller's mouths for tests: what is said arrives as the thing that it is, when it is said and not before."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

from devices.messages import SetLamp, ShowCount
from gateway.hall.state import HallState
from gateway.teller import Mouths


def _nothing(*_said: object) -> None:
    pass


def mouths(
    set_lamp: Callable[[SetLamp], object] = _nothing,
    show_count: Callable[[ShowCount], None] = _nothing,
    tell_written: Callable[[str, str, int], object] = _nothing,
    tell_screens: Callable[[dict[str, Any]], object] = _nothing,
    beacon: Callable[[HallState], None] = _nothing,
) -> Mouths:
    """Mouths whose words are pickles, taken apart again by whoever hears them."""

    def heard(words: bytes) -> None:
        pieces = io.BytesIO(words)
        while pieces.tell() < len(words):
            mouth, said = pickle.load(pieces)
            match mouth:
                case "lamp":
                    set_lamp(*said)
                case "written":
                    tell_written(*said)
                case _:
                    tell_screens(*said)

    return Mouths(
        lamp_words=lambda lamp: pickle.dumps(("lamp", (lamp,))),
        written_words=lambda device, boot, seq: pickle.dumps(("written", (device, boot, seq))),
        tell_devices=heard,
        show_count=show_count,
        fact_words=lambda fact: pickle.dumps(("fact", (fact,))),
        tell_screens=heard,
        beacon=beacon,
    )
