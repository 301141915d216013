"""libgooglepinyin (Apache-2.0), where Debian's package libgooglepinyin0 is installed: the better engine, by ctypes.

It is never told which candidate was chosen (``im_choose``), and has no dictionary of a user: nothing typed stays.
The library knows one search at a time, so a lock stands before it.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import threading
from pathlib import Path

from kiosk.ime.decoder import Candidate

NAMES = ("libgooglepinyin.so.0",)
#: Debian keeps the words beside the library, by architecture.
WORDS = ("*-linux-gnu*/googlepinyin/data/dict_pinyin.dat", "googlepinyin/data/dict_pinyin.dat")
SIGNS_AT_MOST = 64


class GooglePinyin:
    """The engine, opened; :meth:`find` says whether there is one."""

    def __init__(self, library: ctypes.CDLL, words: Path) -> None:
        """:raises OSError: it does not open its words."""
        self._lock = threading.Lock()
        self._search = library.im_search
        self._search.argtypes, self._search.restype = (ctypes.c_char_p, ctypes.c_size_t), ctypes.c_size_t
        self._candidate = library.im_get_candidate
        self._candidate.argtypes = (ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t)
        self._candidate.restype = ctypes.c_void_p
        self._starts = library.im_get_spl_start_pos
        self._starts.argtypes = (ctypes.POINTER(ctypes.POINTER(ctypes.c_uint16)),)
        self._starts.restype = ctypes.c_size_t
        self._reset = library.im_reset_search
        self._reset.argtypes, self._reset.restype = (), None
        opened = library.im_open_decoder
        opened.argtypes, opened.restype = (ctypes.c_char_p, ctypes.c_char_p), ctypes.c_bool
        # The second name is a user's dictionary: one that cannot be there.
        if not opened(str(words).encode(), b"/nonexistent/linli"):
            raise OSError(f"libgooglepinyin does not open {words}")
        self._buffer = ctypes.create_string_buffer(2 * (SIGNS_AT_MOST + 1))

    @classmethod
    def find(cls, libraries: Path = Path("/usr/lib")) -> GooglePinyin | None:
        """The engine of this machine; None where it is not installed or does not work."""
        words = next((one for pattern in WORDS for one in libraries.glob(pattern)), None)
        if words is None:
            return None
        for name in NAMES:
            try:
                return cls(ctypes.CDLL(name), words)
            except (OSError, AttributeError):
                continue  # another library, or a broken one: our own dictionary does it alone
        return None

    def candidates(self, letters: str, at_most: int = 20) -> list[Candidate]:
        """For small letters a to z, the likeliest first."""
        typed = letters.encode("ascii")
        with self._lock:
            count = min(int(self._search(typed, len(typed))), at_most)
            starts = ctypes.POINTER(ctypes.c_uint16)()
            syllables = int(self._starts(ctypes.byref(starts)))
            ends = [int(starts[place]) for place in range(syllables + 1)] if syllables else []
            found = []
            for place in range(count):
                if not self._candidate(place, self._buffer, SIGNS_AT_MOST):
                    continue
                text = (
                    ctypes.string_at(self._buffer, 2 * SIGNS_AT_MOST)
                    .decode("utf-16-le", "replace")
                    .split("\0")[0]
                )
                used = ends[len(text)] if len(text) < len(ends) else len(letters)
                if text and not text.isascii() and 0 < used <= len(letters):
                    found.append(Candidate(text, used))
            self._reset()
        return found
