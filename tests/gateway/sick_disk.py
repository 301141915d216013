"""A disk whose fsync fails, really: the kernel answers EIO, for one thread only, without root and without a compiler.

A seccomp filter cannot be taken away again, but it holds for the thread that asked for it: what is called in
:func:`with_failing_fsync` meets a failing disk, everybody else a sound one.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import threading
from collections.abc import Callable

from devices.faults import NotWritten

#: (fsync, fdatasync) in asm/unistd.h
_CALLS = {"x86_64": (74, 75), "aarch64": (82, 83)}
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _FILTER_MODE = 22, 38, 2
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000  # linux/seccomp.h


class _Step(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.POINTER(_Step)))


def _make_fsync_fail() -> None:
    fsync, fdatasync = _CALLS[platform.machine()]
    steps = (_Step * 5)(
        _Step(_LOAD, 0, 0, 0),  # the call's number
        _Step(_JUMP_IF_EQUAL, 2, 0, fsync),
        _Step(_JUMP_IF_EQUAL, 1, 0, fdatasync),
        _Step(_RETURN, 0, 0, _ALLOW),
        _Step(_RETURN, 0, 0, _ERRNO | errno.EIO),
    )
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    program = ctypes.byref(_Program(5, steps))
    assert libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, program, 0, 0) == 0, ctypes.get_errno()


def with_failing_fsync(work: Callable[[], object]) -> OSError | NotWritten | None:
    """Call ``work`` where every fsync fails with EIO; what it raised."""
    raised: list[OSError | NotWritten] = []

    def live() -> None:
        _make_fsync_fail()
        try:
            work()
        except (OSError, NotWritten) as wrong:
            raised.append(wrong)

    thread = threading.Thread(target=live)
    thread.start()
    thread.join()
    return raised[0] if raised else None
