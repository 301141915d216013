"""A serial line that never makes anybody wait. One owner a port; it may be missing, pulled or stuck at any time.

pyserial opens the line and sets it up (it knows termios); reading and writing are ours, on its non-blocking
descriptor, when the loop's selector says so. Why not pyserial's own ``write``:

* without ``write_timeout`` it blocks for ever on a printer that stopped reading (measured: after 14-18 KiB);
* with ``write_timeout=0`` it spins at full speed while the line is full: 3.5 retries EAGAIN without end.

Closing waits too: Linux drains a tty for up to 30 s (``closing_wait``) when bytes are left in it. What is left is
thrown away first, so a stuck printer cannot hold up the shutdown.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
import termios

import serial

from devices.faults import OutsideDown

#: Between two tries to open a port that is not there, growing: a cable that is put back is seen within half a second,
#: and a hall without a printer costs two stats a second.
FIRST_RETRY_MS, LONGEST_RETRY_MS = 250, 500
#: How often it is looked whether the path still leads to the open line: two system calls.
LOOK_EVERY_MS = 1000
#: Bytes handed to the kernel at once. Small, so that a slip that must stop has few bytes under way: a quarter
#: of a second at 9600 baud.
CHUNK_BYTES = 256


class SerialPort:
    """One port, by its path. Nothing is opened by making one.

    ``why_zh`` and ``why_en`` say why it is not open, for the person on duty.
    """

    def __init__(self, path: str, baud: int, flow: str = "software") -> None:
        self.path = path
        self.baud = baud
        self._flow = flow
        self.why_zh = ""
        self.why_en = ""
        #: How often it was opened: two lines may have the same descriptor one after the other.
        self.openings = 0
        self._line: serial.Serial | None = None
        self._retry_ms = FIRST_RETRY_MS
        self._next_try_ms = self._look_ms = 0

    @property
    def is_open(self) -> bool:
        return self._line is not None

    def fileno(self) -> int:
        """The descriptor for the selector. Only while it is open."""
        assert self._line is not None
        return int(self._line.fileno())

    def try_open(self, tick_ms: int) -> bool:
        """Open the port if it is time to try again. ``tick_ms`` is monotonic. True: it is open now."""
        if self._line is not None:
            return True
        if tick_ms < self._next_try_ms:
            return False
        try:
            # A path that is a plain file or a pipe is a mistake in hall.toml; opening a pipe would block.
            if not stat.S_ISCHR(os.stat(self.path).st_mode):
                raise OSError(errno.ENOTTY, "not a serial port")
            self._line = serial.Serial(
                self.path,
                self.baud,
                timeout=0,
                write_timeout=0,
                # XON/XOFF costs nothing where it is not used: no answer of a printer contains 0x11 or 0x13.
                xonxoff=self._flow == "software",
                rtscts=self._flow == "hardware",
                exclusive=True,
            )
        except (OSError, ValueError, termios.error) as wrong:  # SerialException is an OSError; termios.error is not
            self._missing(wrong, tick_ms)
            return False
        self.openings += 1
        self.why_zh = self.why_en = ""
        self._retry_ms = FIRST_RETRY_MS
        return True

    def still_there(self, tick_ms: int) -> bool:
        """Whether the path still leads to the line that is open; looked at once a second.

        A link (``/dev/serial/by-id/…``, a virtual port) may be laid anew to another line while the old one seems alive.
        False: the port is closed, and may be opened anew.
        """
        if tick_ms < self._look_ms:
            return True
        self._look_ms = tick_ms + LOOK_EVERY_MS
        try:
            if os.stat(self.path).st_rdev == os.fstat(self.fileno()).st_rdev:
                return True
        except OSError:
            pass  # the path is gone: said below
        self._lost(OSError(errno.ENODEV, "the port's name leads elsewhere"))
        return False

    def read(self) -> bytes:
        """What has come in; empty if nothing has.

        :raises OutsideDown: the line is gone. The port is closed.
        """
        try:
            data = os.read(self.fileno(), 4096)
        except BlockingIOError:
            return b""
        except OSError as wrong:
            raise self._lost(wrong) from wrong
        if not data:  # readable and empty: hung up
            raise self._lost(OSError(errno.EIO, "hung up"))
        return data

    def write(self, data: bytes) -> int:
        """Hand over as much as the line takes without waiting, at most `CHUNK_BYTES`. Gives how many bytes went.

        :raises OutsideDown: the line is gone. The port is closed.
        """
        try:
            return os.write(self.fileno(), data[:CHUNK_BYTES])
        except BlockingIOError:
            return 0
        except OSError as wrong:
            raise self._lost(wrong) from wrong

    def waiting(self) -> int:
        """How many bytes the kernel holds that have not left yet; 0 where it cannot say (a pseudo-terminal)."""
        try:
            return int.from_bytes(fcntl.ioctl(self.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"), sys.byteorder)
        except OSError:
            return 0

    def discard(self) -> int:
        """Throw away what the kernel still holds; gives how many bytes that were."""
        count = self.waiting()
        try:
            termios.tcflush(self.fileno(), termios.TCOFLUSH)
        except (OSError, termios.error):
            return 0  # the line is going: the next read or write says so
        return count

    def close(self) -> None:
        """Give the port back at once. What the line has not taken yet is thrown away."""
        line, self._line = self._line, None
        if line is None:
            return
        try:
            line.reset_output_buffer()
        except (OSError, termios.error):
            pass  # a line that is gone has nothing to throw away (termios.error is no OSError)
        try:
            line.close()
        except OSError:
            pass  # pulled: the descriptor is given back all the same

    def _lost(self, wrong: OSError) -> OutsideDown:
        self.close()
        self._next_try_ms = 0
        self.why_zh = f"{self.path} 断开了：检查数据线和电源，插好后会自动恢复"
        self.why_en = f"{self.path} was unplugged: check cable and power; it comes back by itself"
        return OutsideDown(f"{self.why_en} ({wrong})")

    def _missing(self, wrong: Exception, tick_ms: int) -> None:
        self._next_try_ms = tick_ms + self._retry_ms
        self._retry_ms = min(self._retry_ms * 2, LONGEST_RETRY_MS)
        number = getattr(wrong, "errno", None)
        if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
            self.why_zh = f"找不到 {self.path}：检查数据线、电源和 hall.toml 里的端口"
            self.why_en = f"{self.path} is not there: check cable, power, and the port in hall.toml"
        elif number in (errno.EACCES, errno.EPERM):
            self.why_zh = f"无权打开 {self.path}：把运行用户加入 dialout 组"
            self.why_en = f"{self.path} may not be opened: add the service's user to the group dialout"
        elif number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
            self.why_zh = f"{self.path} 被另一个程序占用：请关闭那个程序"
            self.why_en = f"{self.path} is held by another program: close that program"
        else:
            self.why_zh = f"{self.path} 打不开（{wrong}）：检查 hall.toml 里的端口和波特率"
            self.why_en = f"{self.path} cannot be opened ({wrong}): check port and baud in hall.toml"
