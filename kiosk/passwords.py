"""Hashing and making passwords: argon2id, one at a time."""

from __future__ import annotations

import ctypes
import secrets
import threading
from collections.abc import Callable
from typing import TypeVar

import argon2

from devices.faults import OutsideDown
from kiosk.rules.account import PASSWORD_LONGEST

T = TypeVar("T")

#: OWASP's smallest advice for argon2id: 19 MiB, 2 passes, 1 lane; 29 ms on a desk machine.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: One at a time: ten people signing in at once must not cost the Pi 190 MiB.
_ONE_AT_A_TIME = threading.Lock()
#: Longer than this in that line, and the kiosk says "busy" rather than holding a request thread. Our choice.
_LONGEST_QUEUE_S = 5.0
#: mallopt(3): blocks of this size and more are mapped alone, and unmapped when they are free.
_M_MMAP_THRESHOLD = -3
#: Letters of made passwords: none that look alike on a slip of paper (no 0 o 1 l i).
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def make_password(groups: int = 3) -> str:
    """A random word to hand over, such as ``k7mh-3xtp-9wqe``: 4 letters a group, 4.95 bits a letter."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(groups))


def hash_password(password: str) -> str:
    return _in_line(lambda: _HASHER.hash(password))


def verify(hashed: str, password: str) -> bool:
    """False for a wrong password. A hash of "" belongs to nobody: it costs the same time and is never right."""
    if len(password) > PASSWORD_LONGEST:
        return False
    try:
        return _in_line(lambda: _HASHER.verify(hashed or _NOBODY, password)) and bool(hashed)
    except argon2.exceptions.VerifyMismatchError:
        return False


def is_worn(hashed: str) -> bool:
    """True where the hash was made with other costs than today's."""
    return _HASHER.check_needs_rehash(hashed)


def _in_line(work: Callable[[], T]) -> T:
    if not _ONE_AT_A_TIME.acquire(timeout=_LONGEST_QUEUE_S):
        raise OutsideDown("too many people are signing in at once; try again in a few seconds")
    try:
        return work()
    finally:
        _ONE_AT_A_TIME.release()


def _give_memory_back() -> None:
    """Let each hash's 19 MiB go back to the machine.

    glibc raises its limit for giving memory back after the first large block, and keeps the following ones: measured,
    the kiosk grew by 19 MiB with each of the first attempts to sign in, to 146 MB. A limit that is set stays.
    """
    try:
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 1024 * 1024)
    except (OSError, AttributeError):
        pass  # another C library (musl) gives memory back by itself


_give_memory_back()
#: What is verified when the name is unknown, so that the answer takes as long as for a known one.
_NOBODY = _HASHER.hash(make_password())
