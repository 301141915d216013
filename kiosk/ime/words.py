"""The candidates of a few letters: the hall's own words, then the engines', each with a say in the first five.

Three layers, each better where the others are weak: the hall's names (local.py), libgooglepinyin where it is installed
(google.py: one good phrase, then words), our own dictionary (decoder.py: several phrases, persons' names). Hits among
the first five: docs/measurements.md.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest

from gateway.log import say_once
from kiosk.ime.decoder import Candidate, Decoder
from kiosk.ime.dictionary import Dictionary
from kiosk.ime.google import GooglePinyin
from kiosk.ime.local import LocalWords

CANDIDATES_AT_MOST = 20
#: Where the letters are one syllable: the characters of a name must be within reach (yi has 122 of them, most unused).
OF_ONE_SYLLABLE = 60
#: Names of the hall's before all else, and those that the letters may yet become, after the first phrases.
WHOLE_AT_MOST, BEGUN_AT_MOST = 3, 2

Names = Callable[["Dictionary | None"], Iterable[tuple[str, Iterable[str]]]]


class Ime:
    """All layers, made when the first letter is asked for: a hall whose people never type pays nothing.

    :param names: the hall's names with their syllables; it is handed the dictionary, to read names by.
    :param google: False leaves libgooglepinyin out, though it be installed.
    """

    def __init__(self, names: Names, *, google: bool = True) -> None:
        self._names = names
        self._google_wanted = google
        self._lock = threading.Lock()
        self._ready = False
        self._dictionary: Dictionary | None = None
        self._decoder: Decoder | None = None
        self._google: GooglePinyin | None = None
        self._local = LocalWords(())

    def candidates(self, letters: str) -> list[Candidate]:
        """For small letters a to z, the likeliest first, each text once."""
        self._begin()
        whole = [Candidate(text, len(letters)) for text in self._local.whole(letters)]
        begun = [Candidate(text, len(letters)) for text in self._local.begun(letters)]
        single = self._dictionary is not None and letters in self._dictionary.syllables
        at_most = OF_ONE_SYLLABLE if single else CANDIDATES_AT_MOST
        ours = self._decoder.candidates(letters, at_most) if self._decoder else []
        offered = self._google.candidates(letters, at_most) if self._google else []
        theirs = [one for one in offered if self._readable(one.text)]
        texts: dict[str, Candidate] = {}
        for one in _joined(len(letters), whole, begun, theirs, ours):
            texts.setdefault(one.text, one)
        return list(texts.values())[:at_most]

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that answer here, by name."""
        self._begin()
        return (*(("libgooglepinyin",) if self._google else ()), *(("own",) if self._decoder else ()))

    def renew(self) -> None:
        """The hall's names may be others now."""
        with self._lock:
            if self._ready:
                self._local = LocalWords(self._names(self._dictionary))

    def _begin(self) -> None:
        with self._lock:
            if self._ready:
                return
            try:
                self._dictionary = Dictionary()
                self._decoder = Decoder(self._dictionary)
            except (OSError, EOFError, ValueError) as wrong:
                say_once(
                    "ime-words", "ime_words_unread", f"the keyboard's words: {wrong}", level=logging.WARNING
                )
            self._google = GooglePinyin.find() if self._google_wanted else None
            self._local = LocalWords(self._names(self._dictionary))
            self._ready = True

    def _readable(self, text: str) -> bool:
        """Whether our fonts and our people know all its signs: libgooglepinyin offers traditional ones, too."""
        return self._dictionary is None or all(sign in self._dictionary.first for sign in text)


def _joined(
    letters: int,
    whole: list[Candidate],
    begun: list[Candidate],
    theirs: list[Candidate],
    ours: list[Candidate],
) -> Iterator[Candidate]:
    yield from whole[:WHOLE_AT_MOST]
    phrases = [[one for one in ones if one.used == letters] for ones in (theirs, ours)]
    in_turn = [one for pair in zip_longest(*phrases) for one in pair if one is not None]
    yield from in_turn[:3]
    yield from begun[:BEGUN_AT_MOST]
    yield from in_turn[3:8]
    words = [[one for one in ones if one.used < letters] for ones in (theirs, ours)]
    yield from sorted(words[0] or words[1], key=lambda one: -one.used)
    yield from in_turn[8:]
    yield from words[1]
