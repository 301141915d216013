"""What the processes say of themselves: lines for a person, fields for journald, never a wait for the loop.

    begin_log("gateway")
    say("call_heard", "call 7 HEARD: 3栋1单元302 (btn-0302)", call_id=7, device="btn-0302")

On a terminal or in a pipe that is one line::

    10:42:07 gateway  call 7 HEARD: 3栋1单元302 (btn-0302)

Under systemd it is one journal entry with fields, so that ``journalctl HALL_EVENT=call_heard DEVICE=btn-0302``
finds it: ``HALL_EVENT``, ``MESSAGE_ID`` (the door to the explanations in ``systemd/linli.catalog``), ``PRIORITY``,
``SYSLOG_IDENTIFIER``, and each keyword in capitals (``CALL_ID``, ``PRINTER``, ``SLIP_ID``, ``PART`` ...).

Theory of operation. The caller only puts a record into a bounded queue (some 20 microseconds); a thread of its own
formats and writes. Where the reader is stuck (a paused terminal, a full disk) the queue fills, further lines
are dropped, and their number is told as soon as a line can be written again. What must not be lost belongs into
a notebook, never only into the log.

journald's native protocol comes from logging-journald, the one library for it that needs no compiler on the Pi
(systemd-python and cysystemd do). Only its transport is used: its handler sends from the calling thread.
"""

from __future__ import annotations

import atexit
import logging
import logging.handlers
import os
import queue
import sys
import threading
import time
import uuid
from collections.abc import Mapping

from devices.clock import mono_s

#: Lines that may wait for a slow reader. Our choice: some ten minutes of a busy hall, about 2 MB.
WAITING_LINES = 4096
#: One journal datagram. The kernel's default socket buffer holds 208 KiB (net.core.wmem_default); a line of ours
#: that is longer than this is a traceback or an attack, and its beginning is enough.
LONGEST_TEXT = 32_000
#: How long `end_log` waits for a stuck reader. systemd gives a unit 90 s to stop; nobody should wait for a log.
LAST_WORDS_S = 1.0
#: Kinds of trouble that `say_once` keeps apart before it only counts, and how long it remembers (our choice).
KINDS_REMEMBERED = 1024
FORGET_AFTER_S = 24 * 3600

JOURNAL_SOCKET = "/run/systemd/journal/socket"
#: Every event has its own MESSAGE_ID, made from its name: nothing to keep in step but the catalogue's own text.
_OUR_EVENTS = uuid.UUID("8f6a1d0e-55c3-4f3b-9a37-2f1c6d2b7e10")

_logger = logging.getLogger("linli")
_door: _Door | None = None
_writer: _Writer | None = None


def message_id(event: str) -> str:
    """The journal's MESSAGE_ID of an event: 32 hexadecimal digits, the same on every machine."""
    return uuid.uuid5(_OUR_EVENTS, event).hex


def begin_log(process: str) -> None:
    """Send everything that is said in this process to its writer thread. ``process`` is "gateway", "kiosk", ..."""
    global _door, _writer
    end_log()
    line = _Line(process)
    sink: logging.Handler = (
        _Journal(process, line, JOURNAL_SOCKET) if _stderr_is_the_journal(os.environ) else line
    )
    waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(WAITING_LINES)
    _door = _Door(waiting)
    _writer = _Writer(waiting, _door, sink)
    root = logging.getLogger()
    root.addHandler(_door)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    # Nothing of ours prints them, and looking them up costs as much as the rest of a record (logging's own advice).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    _writer.start()
    atexit.register(end_log)


def say(event: str, text: str, *, level: int = logging.INFO, **fields: object) -> None:
    """Say one thing. ``event`` is its name in the journal; ``fields`` whose value is None are left out."""
    _logger.log(level, text, extra={"hall_event": event, "hall_fields": fields})


def end_log() -> None:
    """Write what is waiting, but wait for a stuck reader no longer than `LAST_WORDS_S`."""
    global _door, _writer
    if _door is None or _writer is None:
        return
    logging.getLogger().removeHandler(_door)
    logging.captureWarnings(False)
    _writer.stop()
    _door = _writer = None
    atexit.unregister(end_log)


# ---------------------------------------------------------------- once per kind

_repeats: dict[str, int] = {}
_repeats_lock = threading.Lock()
_repeats_since = mono_s()


def say_once(key: str, event: str, text: str, *, level: int = logging.WARNING, **fields: object) -> bool:
    """Say something once for each ``key`` a day; count it after that. Returns whether it was said.

    Made for what a broken or hostile device can do a thousand times a second. With `KINDS_REMEMBERED` different
    keys in one day new ones are counted only, under the key "", after one line that says so.
    """
    global _repeats_since
    counted = 0
    with _repeats_lock:
        if mono_s() - _repeats_since > FORGET_AFTER_S:
            counted = sum(_repeats.values())
            _repeats.clear()
            _repeats_since = mono_s()
        known = key if key in _repeats or len(_repeats) < KINDS_REMEMBERED else ""
        first = known not in _repeats
        _repeats[known] = _repeats.get(known, -1) + 1
    if counted:
        say("repeats", f"in the last day {counted} more lines like earlier ones were counted, not written")
    if not first:
        return False
    if not known:
        text += " (from now on today, new kinds of trouble are counted, not written)"
    say(event, text, level=level, **fields)
    return True


def repeats() -> Mapping[str, int]:
    """How often each thing of `say_once` came again after it was said."""
    with _repeats_lock:
        return dict(_repeats)


# ---------------------------------------------------------------- the writer's side


class _Door(logging.handlers.QueueHandler):
    """Any thread's side of the queue. Never waits: what does not fit is counted."""

    dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """What `say` says is finished text: nothing of it can change before the writer has it, so it is not copied."""
        return super().prepare(record) if record.args or record.exc_info else record

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1  # Handler.handle holds this handler's lock here

    def take_dropped(self) -> int:
        self.acquire()
        try:
            dropped, self.dropped = self.dropped, 0
        finally:
            self.release()
        return dropped


class _Writer(threading.Thread):
    """The thread that formats and writes. A daemon: a reader that is stuck must not keep a process alive."""

    def __init__(
        self, waiting: queue.Queue[logging.LogRecord | None], door: _Door, sink: logging.Handler
    ) -> None:
        super().__init__(name="log", daemon=True)
        self._waiting = waiting
        self._door = door
        self._sink = sink

    def run(self) -> None:
        while (record := self._waiting.get()) is not None:
            self._sink.handle(record)
            if self._waiting.empty():
                self._own_up()
        self._own_up()

    def _own_up(self) -> None:
        if dropped := self._door.take_dropped():
            why = f"{dropped} log lines were lost: their reader was too slow"
            told = logging.LogRecord("linli", logging.WARNING, "", 0, why, None, None)
            told.__dict__.update(hall_event="log_lost", hall_fields={"lost": dropped})
            self._sink.handle(told)

    def stop(self) -> None:
        """Write what waits, then end; give up on a stuck reader."""
        try:
            self._waiting.put(None, timeout=LAST_WORDS_S)
        except queue.Full:
            return
        self.join(LAST_WORDS_S)
        if not self.is_alive():
            self._sink.close()


class _Line(logging.Handler):
    """One readable line on standard error."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def emit(self, record: logging.LogRecord) -> None:
        mark = "" if record.levelno < logging.WARNING else "! " if record.levelno < logging.ERROR else "!! "
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        try:
            sys.stderr.write(f"{clock} {self._process:<8} {mark}{_text(record)}\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass  # nobody listens any more (a closed pipe): there is nobody to tell it to


class _Journal(logging.Handler):
    """One journal entry with fields (systemd.io/JOURNAL_NATIVE_PROTOCOL).

    While journald is away the line goes to standard error, which is journald's too once it is back.
    """

    def __init__(self, process: str, otherwise: _Line, address: str) -> None:
        super().__init__()
        # Imported here: a desk, where nothing reaches this line, need not have it.
        from logging_journald import JournaldTransport

        self._process = process
        self._otherwise = otherwise
        # Not connected: journald is started by its socket and may be replaced under us.
        self._transport = JournaldTransport(address, connected=False)
        self._transport.socket.settimeout(LAST_WORDS_S)

    def close(self) -> None:
        self._transport.socket.close()
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._transport.send(journal_fields(self._process, record).items())
        except OSError:
            self._otherwise.emit(record)


def journal_fields(process: str, record: logging.LogRecord) -> dict[str, str]:
    """What journald is told of one record."""
    fields = {
        "MESSAGE": _text(record),
        "PRIORITY": str(_PRIORITIES.get(record.levelno, 6)),
        "SYSLOG_IDENTIFIER": f"linli-{process}",
        "LOGGER": record.name,
    }
    if event := getattr(record, "hall_event", ""):
        fields |= {"HALL_EVENT": event, "MESSAGE_ID": message_id(event)}
    for name, value in getattr(record, "hall_fields", {}).items():
        if value is not None:
            fields[name.upper()] = str(value)[:LONGEST_TEXT]
    # A lone surrogate (a topic that is not UTF-8) must not make a line unwritable.
    return {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}


#: syslog's priorities (syslog(3)).
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}

#: Devices choose some of the words we write: no escape sequence of theirs may reach a terminal.
_UNPRINTABLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}
_IN_TRACEBACK = {code: text for code, text in _UNPRINTABLE.items() if code not in (9, 10)}


def _text(record: logging.LogRecord) -> str:
    text = record.getMessage()[:LONGEST_TEXT]
    head, *rest = text.split("\nTraceback ", 1)
    return head.translate(_UNPRINTABLE) + "".join(
        "\nTraceback " + one.translate(_IN_TRACEBACK) for one in rest
    )


def _stderr_is_the_journal(environ: Mapping[str, str]) -> bool:
    """systemd sets JOURNAL_STREAM to device:inode of what it connected; a redirected stderr no longer matches."""
    try:
        device, inode = environ.get("JOURNAL_STREAM", "").split(":")
        here = os.fstat(2)
        return (here.st_dev, here.st_ino) == (int(device), int(inode))
    except (ValueError, OSError):
        return False
