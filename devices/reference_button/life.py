"""A button's life: one turn looks at the finger, the line, the lamp and the buzzer. The same on every board.

A turn never waits, but for opening the line (``wire.py`` says how long). When it returns a rest, the board may switch
everything off: whoever wakes begins a new life with the same memory.
"""

from devices.reference_button.keeping import Memory
from devices.reference_button.mqtt import LineLost, Mqtt, Stream
from devices.reference_button.protocol import Protocol
from devices.reference_button.settings import Settings

#: The broker notices a dead button after one and a half of this, and says its last will.
KEEPALIVE_S = 30
#: After a line was lost or not got: the next try after 1 s, then 2, 4, 8 and 8 again.
RETRY_MS = 1_000
LONGEST_RETRY_MS = 8_000


class Board:
    """What a board must offer. The real one is in board.py, one without hardware in virtual_board.py."""

    memory: Memory

    def now_ms(self) -> int:
        """Milliseconds since some day: runs on through deep sleep, never backwards within a life."""
        raise NotImplementedError

    def edges(self) -> list[tuple[bool, int]]:
        """What the contact did since last asked: (closed, when). The first answer begins with how it was found."""
        raise NotImplementedError

    def battery_mv(self) -> int:
        """0: there is none."""
        raise NotImplementedError

    def radio(self) -> bool:
        """Switch it on if it is off. True: we have an address."""
        raise NotImplementedError

    def open_line(self) -> Stream:
        """:raises OSError: not possible now; ValueError: a certificate that is not the hall's."""
        raise NotImplementedError

    def show(self, lit: bool) -> None:
        raise NotImplementedError

    def sound(self, hertz: int) -> None:
        """0 is silence."""
        raise NotImplementedError

    def say(self, words: str) -> None:
        """For a technician at the cable."""
        raise NotImplementedError


class Life:
    """From power-up, or from waking, to the next sleep."""

    def __init__(self, board: Board, settings: Settings) -> None:
        self._board = board
        self._settings = settings
        self.protocol = Protocol(settings, board.memory, board.now_ms())
        self.line: Mqtt | None = None
        self.up = False
        self._failures = 0
        self._retry_ms = board.now_ms()

    def turn(self) -> tuple[int, bool] | None:
        """One look at everything. A rest, ``(ms, whether the finger may wake us)``, or None: go on turning."""
        board, protocol = self._board, self.protocol
        for down, at_ms in board.edges():
            protocol.finger(down, at_ms)
        now_ms = board.now_ms()
        try:
            self._look_at_line(now_ms)
            for topic, payload, tag in protocol.turn(now_ms, board.battery_mv()):
                if self.line is not None:
                    self.line.publish(topic, payload, tag, now_ms)
            if self.line is not None:
                self._take(self.line, now_ms)
        except LineLost as why:
            self._lost(str(why), now_ms)
        board.show(protocol.lit(now_ms))
        board.sound(protocol.player.hertz(now_ms))
        rest = protocol.rest(now_ms)
        if rest is not None:
            self.leave(now_ms)
            board.show(False)
            board.sound(0)
        return rest

    def leave(self, now_ms: int) -> None:
        """Hang up in peace."""
        if self.line is not None:
            self.line.goodbye(now_ms)
            self.line, self.up = None, False
            self.protocol.line_down(now_ms)

    def _look_at_line(self, now_ms: int) -> None:
        if self.line is not None or not self.protocol.wants_line(now_ms):
            return
        # The radio first: it takes seconds to find its network, and needs nothing from us meanwhile.
        if not self._board.radio() or now_ms < self._retry_ms:
            return
        try:
            stream = self._board.open_line()
        except (OSError, ValueError) as wrong:
            raise LineLost("cannot reach the broker: " + str(wrong)) from None
        settings = self._settings
        # A sleeping button has no last will: the broker would call it dead whenever its goodbye was lost. Its word is
        # the interval that it promises.
        will = None if settings.battery else (self.protocol.status_topic, b"offline")
        self.line = Mqtt(
            stream, settings.device, settings.user, settings.password, KEEPALIVE_S, will, self._board.now_ms()
        )

    def _take(self, line: Mqtt, now_ms: int) -> None:
        protocol = self.protocol
        for event in line.check(now_ms):
            if event.what == "up":
                # Asked before anything is said, so that no answer is missed; whether we may hear it is another matter.
                line.subscribe([protocol.written_topic, protocol.lamp_topic], now_ms)
                self.up, self._failures = True, 0
                protocol.line_up(now_ms)
            elif event.what == "message":
                protocol.heard(event.topic, event.payload, now_ms)
            elif event.what == "deaf":
                self._board.say("the broker does not let us hear our own topics: see its access list")
                protocol.deaf(now_ms)
            else:
                protocol.delivered(event.tag, now_ms)

    def _lost(self, why: str, now_ms: int) -> None:
        self._board.say(why)
        if self.line is not None:
            self.line.stream.close()
            self.line, self.up = None, False
        self.protocol.line_down(now_ms)
        self._retry_ms = now_ms + min(LONGEST_RETRY_MS, RETRY_MS << min(self._failures, 3))
        self._failures += 1
