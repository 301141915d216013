"""The words of our own dictionary (``kiosk/data/pinyin_words.txt.gz``, made by make_words.py), read when wanted.

Kept as the file's own lines, some 0.8 MB; a line becomes Python's objects when a word of it is looked for, and the last
`KEPT` such lines stay ready. A kiosk on a small machine must not pay for 80,000 words that nobody asks for.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from functools import lru_cache
from heapq import nsmallest
from pathlib import Path

FILE = Path(__file__).parent.parent / "data" / "pinyin_words.txt.gz"
#: Buckets that stay parsed: a long phrase needs some 40.
KEPT = 256
#: Of the words that beginnings of syllables may mean: the rarer ones nobody would page to.
LIKE_AT_MOST = 20

_CHAR = re.compile(r"([^\x00-\x7f])(\d+)(\*?)")
_WORD = re.compile(r"([^\x00-\x7f]+)(\d+)([a-z']*)")


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its syllables; ``cost`` is four times the negative logarithm of its share of all words."""

    text: str
    cost: int
    syllables: tuple[str, ...]


class Dictionary:
    """All words, found by syllables or by beginnings of syllables."""

    def __init__(self, file: Path = FILE) -> None:
        """:raises OSError, EOFError: the file is not there or is no such file."""
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            head, *rest = lines.read().split("\n")
        if not head.startswith("linli pinyin words 1;"):
            raise OSError(f"{file} is no list of words: it begins with {head[:40]!r}")
        gap = rest.index("")
        self._chars: dict[str, str] = dict(self._parts(rest[:gap]))
        self._buckets: dict[str, bytes] = {key: line.encode() for key, line in self._parts(rest[gap + 1 :])}
        self.first = {
            sign: syllable
            for syllable, line in self._chars.items()
            for sign, _, other in _CHAR.findall(line)
            if not other
        }
        """Each character's usual syllable."""
        self.syllables = frozenset(self._chars)
        self.beginnings = frozenset(
            one[:length] for one in self.syllables for length in range(1, len(one) + 1)
        )
        self._bucket = lru_cache(KEPT)(self._read_bucket)
        self._like = lru_cache(KEPT)(self._find_like)
        self._char_words = lru_cache(KEPT)(self._read_chars)

    @staticmethod
    def _parts(lines: list[str]) -> list[tuple[str, str]]:
        return [(key, rest) for key, _, rest in (line.partition(" ") for line in lines) if key]

    def read(self, text: str) -> tuple[str, ...]:
        """The syllables of a text, by the usual reading of each character; () where one is unknown."""
        found = tuple(self.first.get(sign, "") for sign in text)
        return found if all(found) else ()

    def words(self, patterns: tuple[str, ...]) -> tuple[Word, ...]:
        """The words of just these whole syllables, the most frequent first."""
        if len(patterns) == 1:
            return self._char_words(patterns[0])
        return self._bucket(_key(patterns)).get(patterns, ())

    def words_like(self, patterns: tuple[str, ...]) -> tuple[Word, ...]:
        """The words whose syllables begin so, one by one; the `LIKE_AT_MOST` most frequent."""
        return self._like(patterns)

    def _find_like(self, patterns: tuple[str, ...]) -> tuple[Word, ...]:
        if len(patterns) == 1:
            begun = [one for one in self.syllables if one.startswith(patterns[0])]
            near = [word for syllable in begun for word in self._char_words(syllable)]
        else:
            near = [
                word
                for syllables, words in self._bucket(_key(patterns)).items()
                if all(map(str.startswith, syllables, patterns))
                for word in words
            ]
        return tuple(nsmallest(LIKE_AT_MOST, near, key=lambda one: one.cost))

    def _read_chars(self, syllable: str) -> tuple[Word, ...]:
        return tuple(
            Word(sign, int(cost), (syllable,))
            for sign, cost, _ in _CHAR.findall(self._chars.get(syllable, ""))
        )

    def _read_bucket(self, key: str) -> dict[tuple[str, ...], tuple[Word, ...]]:
        found: dict[tuple[str, ...], list[Word]] = {}
        first = self.first
        for text, cost, own in _WORD.findall(self._buckets.get(key, b"").decode()):
            syllables = tuple(own.split("'")) if own else tuple([first[sign] for sign in text])
            found.setdefault(syllables, []).append(Word(text, int(cost), syllables))
        return {syllables: tuple(words) for syllables, words in found.items()}


def _key(patterns: tuple[str, ...]) -> str:
    return f"{patterns[0][0]}{patterns[1][0]}{len(patterns)}"
