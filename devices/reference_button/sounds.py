"""What the lamp and the buzzer say, and no more than is true.

==========  =======================================================================  ====================
``felt``    a tick: the contact has moved. It says nothing of anybody having heard.   the finger goes down
``heard``   two rising tones: the press is on the hall's disk.                        "written" has come
``coming``  three rising tones: a person has said "on my way".                        the lamp turns steady
``not_yet`` two low tones: nobody has heard this yet. Use the telephone, or wait.     10 s, and every 10 s
==========  =======================================================================  ====================
"""

#: name -> (hertz, ms) one after the other; 0 hertz is a pause. Old ears lose the high tones first: nothing above 2 kHz
#: carries meaning (ISO 7029: at 70 years the median loss at 4 kHz is several times that at 1 kHz).
TUNES = {
    "felt": ((2000, 25),),
    "heard": ((800, 150), (0, 60), (1200, 250)),
    "coming": ((800, 150), (0, 60), (1000, 150), (0, 60), (1400, 400)),
    "not_yet": ((350, 300), (0, 150), (350, 300)),
}
#: The blinking lamp: on and off for this long each. 1 Hz, far from what harms people with epilepsy (3-30 Hz).
BLINK_MS = 500


class Player:
    """Plays one tune after the other, by the time it is handed."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._began_ms = 0

    def play(self, name: str, now_ms: int) -> None:
        if not self._waiting:
            self._began_ms = now_ms
        if name not in self._waiting:
            self._waiting.append(name)

    def playing(self, now_ms: int) -> str:
        """The tune that sounds now, or ""."""
        while self._waiting:
            past_ms = now_ms - self._began_ms
            length_ms = sum(ms for _, ms in TUNES[self._waiting[0]])
            if past_ms < length_ms:
                return self._waiting[0]
            self._began_ms += length_ms
            del self._waiting[0]
        return ""

    def hertz(self, now_ms: int) -> int:
        """The tone of this moment; 0 is silence."""
        past_ms = now_ms - self._began_ms
        for hertz, ms in TUNES.get(self.playing(now_ms), ()):
            if past_ms < ms:
                return hertz
            past_ms -= ms
        return 0


def lit(light: str, now_ms: int) -> bool:
    """Whether the lamp is lit at this moment, where its level is ``off``, ``blink`` or ``steady``."""
    return light == "steady" or (light == "blink" and now_ms // BLINK_MS % 2 == 0)
