"""Letters to hanzi by our own dictionary: the cheapest ways through a lattice of words (Viterbi, the best few a place).

Letters are cut into syllables in every way that uses them all: ``xian`` is xian and xi'an. What is no syllable is the
beginning of one: at the end of the letters always (``loush``), elsewhere only if nothing else fits (``lnz``, ``sqfw``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.ime.dictionary import Dictionary, Word
from kiosk.ime.names import GIVEN, SURNAMES

WORD_SIGNS_AT_MOST = 5
#: Ways kept at each place, and words tried for one stretch of letters: more made no phrase of ours better.
WAYS, WORDS = 6, 5
#: What each word costs besides: two words are less likely than one of both.
A_WORD = 6
#: What it costs that a syllable was not typed to its end: at the end of the letters, and before.
UNENDED, ONLY_BEGUN = 10, 14


@dataclass(frozen=True, slots=True)
class Candidate:
    """``text`` for the first ``used`` letters."""

    text: str
    used: int


@dataclass(frozen=True, slots=True)
class _Cut:
    end: int
    pattern: str
    whole: bool


class Decoder:
    """Candidates for letters, the likeliest first."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._words = dictionary

    def candidates(self, letters: str, at_most: int = 20) -> list[Candidate]:
        """For small letters a to z; anything else has none."""
        cuts = self._cuts(letters, begun=False)
        if not self._reaches_end(cuts, len(letters)):
            cuts = self._cuts(letters, begun=True)
        found: dict[str, int] = {}
        ways = self._ways(letters, cuts, at_most)
        for text in ways[:3]:
            found.setdefault(text, len(letters))
        if names := self._names(letters, cuts):
            for text in names:
                found.setdefault(text, len(letters))
        for text in ways[3:]:
            found.setdefault(text, len(letters))
        for used, word in self._beginnings(letters, cuts):
            found.setdefault(word.text, used)
            if len(found) >= 3 * at_most:
                break
        return [Candidate(text, used) for text, used in found.items()][:at_most]

    # ------------------------------------------------------------ cutting

    def _cuts(self, letters: str, *, begun: bool) -> list[list[_Cut]]:
        """For each place the syllables that may begin there."""
        cuts: list[list[_Cut]] = []
        for start in range(len(letters)):
            here = []
            for end in range(start + 1, min(start + 6, len(letters)) + 1):
                part = letters[start:end]
                whole = part in self._words.syllables
                # At the end any beginning of a syllable; before it only a consonant's, as of 老年证 in lnz.
                short = end == len(letters) or (begun and part[-1] not in "aeiouv")
                if whole or (short and part in self._words.beginnings):
                    here.append(_Cut(end, part, whole))
            cuts.append(here)
        return cuts

    @staticmethod
    def _reaches_end(cuts: list[list[_Cut]], end: int) -> bool:
        reached = {0}
        for place in range(end):
            if place in reached:
                reached.update(cut.end for cut in cuts[place])
        return end in reached

    def _stretches(self, cuts: list[list[_Cut]], start: int) -> Iterator[tuple[int, tuple[str, ...], int]]:
        """(end, patterns, penalty) of each run of syllables from ``start``, up to a word's length.

        Without a penalty all of them are whole syllables.
        """
        waiting: list[tuple[int, tuple[str, ...], int]] = [(start, (), 0)]
        while waiting:
            place, patterns, penalty = waiting.pop()
            if patterns:
                yield place, patterns, penalty
            if place < len(cuts) and len(patterns) < WORD_SIGNS_AT_MOST:
                for cut in cuts[place]:
                    more = 0 if cut.whole else UNENDED if cut.end == len(cuts) else ONLY_BEGUN
                    waiting.append((cut.end, (*patterns, cut.pattern), penalty + more))

    def _found(self, patterns: tuple[str, ...], penalty: int) -> tuple[Word, ...]:
        return self._words.words_like(patterns) if penalty else self._words.words(patterns)

    # ------------------------------------------------------------ whole phrases

    def _ways(self, letters: str, cuts: list[list[_Cut]], at_most: int) -> list[str]:
        """The phrases for all letters, the cheapest first."""
        best: list[list[tuple[int, str]]] = [[] for _ in range(len(letters) + 1)]
        best[0] = [(0, "")]
        whole: list[tuple[int, str]] = []
        for start in range(len(letters)):
            best[start] = _cheapest(best[start])
            if not best[start]:
                continue
            for end, patterns, penalty in self._stretches(cuts, start):
                words = self._found(patterns, penalty)
                if start == 0 and end == len(letters):
                    whole += [(word.cost + A_WORD + penalty, word.text) for word in words[:at_most]]
                for word in words[:WORDS]:
                    more = word.cost + A_WORD + penalty
                    best[end] += [(cost + more, text + word.text) for cost, text in best[start]]
                if len(best[end]) > 200:
                    best[end] = _cheapest(best[end])
        return list(dict.fromkeys(text for _, text in sorted(whole + _cheapest(best[-1]))))

    def _beginnings(self, letters: str, cuts: list[list[_Cut]]) -> list[tuple[int, Word]]:
        """Words for the first letters, the longest first: to be chosen when no whole phrase is the right one."""
        found = [
            (-len(patterns), penalty, word.cost, end, word)
            for end, patterns, penalty in self._stretches(cuts, 0)
            for word in self._found(patterns, penalty)[:12]
        ]
        found.sort(key=lambda one: one[:4])
        return [(end, word) for _, _, _, end, word in found]

    def _names(self, letters: str, cuts: list[list[_Cut]]) -> list[str]:
        """Names of persons: a frequent surname and one or two characters of given names. At most two."""
        found: list[tuple[int, str]] = []
        for end, patterns, penalty in self._stretches(cuts, 0):
            if end != len(letters) or penalty or not 2 <= len(patterns) <= 3:
                continue
            ways = self._named(patterns[0], SURNAMES)
            for pattern in patterns[1:]:
                given = self._named(pattern, GIVEN)[:3]
                ways = sorted((cost + more, text + sign) for cost, text in ways for more, sign in given)[:6]
            found += ways
        return [text for _, text in sorted(found)[:2]]

    def _named(self, syllable: str, signs: str) -> list[tuple[int, str]]:
        """The characters among ``signs`` of a syllable with their place there: the earlier the more frequent."""
        words = self._words.words((syllable,))
        return sorted((signs.index(one.text), one.text) for one in words if one.text in signs)


def _cheapest(ways: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The few cheapest, each text once."""
    kept: dict[str, int] = {}
    for cost, text in sorted(ways):
        if text not in kept:
            kept[text] = cost
            if len(kept) == WAYS:
                break
    return [(cost, text) for text, cost in kept.items()]
