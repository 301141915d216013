"""The hall's own words: names of its items, windows, places. They come before any engine's; accents are forgiven."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.rules.find import fold, plain, short_for

#: Fewer letters may be anything: ``l`` is not yet 漏水.
LETTERS_AT_LEAST = 2


@dataclass(frozen=True, slots=True)
class _Name:
    text: str
    syllables: tuple[str, ...]
    joined: str
    initials: str
    folded: str


class LocalWords:
    """Names with their syllables; each is found by its whole pinyin, by initials, by beginnings of its syllables."""

    def __init__(self, names: Iterable[tuple[str, Iterable[str]]]) -> None:
        made: dict[str, _Name] = {}
        for text, spelled in names:
            syllables = tuple(plain(one) for one in spelled)
            if syllables:
                joined, initials = "".join(syllables), "".join(one[0] for one in syllables)
                made.setdefault(text, _Name(text, syllables, joined, initials, fold(joined)))
        self._names = tuple(made.values())

    def whole(self, letters: str) -> list[str]:
        """Names that ``letters`` spell, rightly or as Guiyang speaks, or whose initials they are."""
        if len(letters) < LETTERS_AT_LEAST:
            return []
        folded = fold(letters)
        right = [one.text for one in self._names if one.joined == letters]
        initials = [one.text for one in self._names if one.initials == letters]
        return list(
            dict.fromkeys([*right, *initials, *(one.text for one in self._names if one.folded == folded)])
        )

    def begun(self, letters: str) -> list[str]:
        """Names that ``letters`` may become, the shortest first."""
        if len(letters) < LETTERS_AT_LEAST:
            return []
        folded = fold(letters)
        near = [
            one
            for one in self._names
            if short_for(one.syllables, letters)
            or (len(letters) > LETTERS_AT_LEAST and one.folded.startswith(folded))
        ]
        return [one.text for one in sorted(near, key=lambda one: len(one.joined))]
