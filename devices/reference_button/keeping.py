"""What outlives sleep and power cuts: who we are, and which presses nobody has confirmed.

To the chip each wake from deep sleep is a start. To the protocol it is not: ``boot`` and ``seq`` are noted in the
clock's memory (RTC), which keeps its content while there is power. When power was lost the note is gone, and a new
``boot`` is drawn: 64 random bits, so no key of an earlier life is ever used again. The note is written *before* a
number is used, and carries a checksum: a note that was torn is no note.

A press is kept in flash with its own ``(boot, seq)`` before it is said for the first time, and goes only when the
gateway has said "written". So it is the same press after any number of restarts: one key, one call.

Its age: within one life the board's clock runs on through sleep, and the age is exact. After a power cut nobody knows
how long it was dark: the age that was kept is told, and "at least" is the truth of it. It is kept anew every ten
minutes and before each sleep.

Where the flash refuses, the note carries the presses as well, and the word of life says ``flash_refuses``.
"""

import binascii
import json

#: So many presses are kept one by one. More of the same kind would say nothing new.
KEEP_MOST = 16


class Memory:
    """What a board must offer. The real one is in board.py, one of files in virtual_board.py."""

    def noted(self) -> bytes:
        """What was noted last: outlives deep sleep, and nothing else. Empty: nothing."""
        raise NotImplementedError

    def note(self, data: bytes) -> None:
        raise NotImplementedError

    def kept(self) -> bytes:
        """What was kept last: outlives everything. Empty: nothing.

        :raises OSError: the flash cannot be read.
        """
        raise NotImplementedError

    def keep(self, data: bytes) -> None:
        """Whole or not at all, even if the power goes meanwhile.

        :raises OSError: the flash cannot be written.
        """
        raise NotImplementedError

    def random(self, count: int) -> bytes:
        raise NotImplementedError


class Press:
    """A press that nobody has confirmed yet. ``age_ms`` was its age when the board's clock showed ``at_ms``."""

    def __init__(self, boot: str, seq: int, kind: str, age_ms: int, at_ms: int) -> None:
        self.boot = boot
        self.seq = seq
        self.kind = kind
        self._age_ms = age_ms
        self._at_ms = at_ms
        #: when it is to be said again, by the board's clock
        self.next_ms = 0

    def age_ms(self, now_ms: int) -> int:
        return self._age_ms + max(0, now_ms - self._at_ms)

    def row(self, now_ms: int) -> list[object]:
        return [self.boot, self.seq, self.kind, self.age_ms(now_ms), now_ms]


class Keeper:
    """Identity, and the unwritten presses, oldest first."""

    def __init__(self, memory: Memory, now_ms: int) -> None:
        self._memory = memory
        note = _opened(memory.noted())
        #: we woke from deep sleep: the same life as before
        self.awoke = bool(note)
        self.boot = _word(note, "boot") or binascii.hexlify(memory.random(8)).decode()
        self.seq = _whole(note, "seq", 0)
        #: the board's clock when this life began
        self.since_ms = _whole(note, "since_ms", now_ms)
        #: rests since the last press, or since one was written
        self.rests = _whole(note, "rests", 0)
        #: when the next word of life is due, by the board's clock
        self.status_ms = _whole(note, "status_ms", now_ms)
        #: the level that the lamp last showed
        self.shown = _word(note, "shown") or "off"
        self.stuck = _whole(note, "stuck", 0)
        #: presses that joined an unwritten one because there were ``KEEP_MOST``
        self.joined = _whole(note, "joined", 0)
        #: what is wrong with the flash, in a word; it goes out with the word of life
        self.fault = _word(note, "fault")
        self.presses: list[Press] = []
        self._rows: list[list[object]] = []
        self._kept_ms = now_ms
        #: what was kept cannot be read: it may have been a call
        self.damaged = False
        try:
            if self.fault:
                self._restore(note.get("presses"), now_ms)
            else:
                kept = memory.kept()
                if kept:
                    self._restore(json.loads(kept)["presses"], now_ms)
        except (OSError, ValueError, KeyError, TypeError):
            self.damaged, self.fault = True, "flash_unreadable"
        self.note()

    def _restore(self, rows: object, now_ms: int) -> None:
        if not isinstance(rows, list):
            raise ValueError(rows)
        for boot, seq, kind, age_ms, at_ms in rows:
            same_life = boot == self.boot and at_ms <= now_ms
            since_ms = at_ms if same_life else now_ms
            self.presses.append(Press(str(boot), int(seq), str(kind), int(age_ms), since_ms))

    def add(self, kind: str, now_ms: int) -> None:
        """A new press: numbered, kept, and only then to be said."""
        alike = [press for press in self.presses if press.kind == kind]
        if len(self.presses) >= KEEP_MOST and alike:
            self.joined += 1
            return
        self.seq += 1
        self.note()
        self.presses.append(Press(self.boot, self.seq, kind, 0, now_ms))
        self.keep(now_ms)

    def written(self, boot: object, seq: object, now_ms: int) -> bool:
        """The gateway has this press on disk. False: we do not know such a press (any more)."""
        for press in self.presses:
            if press.boot == boot and press.seq == seq and not isinstance(seq, bool):
                self.presses.remove(press)
                self.keep(now_ms)
                return True
        return False

    def keep(self, now_ms: int) -> None:
        self._kept_ms = now_ms
        self._rows = [press.row(now_ms) for press in self.presses]
        try:
            self._memory.keep(json.dumps({"presses": self._rows}).encode())
            fault = ""
        except OSError:
            fault = "flash_refuses"
        if fault or self.fault:
            # Then the note carries them: they outlive sleep, though not a power cut, and the hall is told so.
            self.fault = fault
            self.note()

    def kept_ago_ms(self, now_ms: int) -> int:
        return now_ms - self._kept_ms

    def note(self) -> None:
        words: dict[str, object] = {
            "boot": self.boot,
            "seq": self.seq,
            "since_ms": self.since_ms,
            "rests": self.rests,
            "status_ms": self.status_ms,
            "shown": self.shown,
            "stuck": self.stuck,
            "joined": self.joined,
        }
        if self.fault:
            words["fault"], words["presses"] = self.fault, self._rows
        body = json.dumps(words).encode()
        self._memory.note(binascii.hexlify(binascii.crc32(body).to_bytes(4, "big")) + body)


def _opened(note: bytes) -> dict[str, object]:
    """The words of a note whose checksum fits; otherwise none."""
    body = note[8:]
    if not body or binascii.hexlify(binascii.crc32(body).to_bytes(4, "big")) != note[:8]:
        return {}
    words = json.loads(body)
    return words if isinstance(words, dict) else {}


def _whole(words: dict[str, object], key: str, otherwise: int) -> int:
    value = words.get(key)
    return value if isinstance(value, int) else otherwise


def _word(words: dict[str, object], key: str) -> str:
    value = words.get(key)
    return value if isinstance(value, str) else ""
