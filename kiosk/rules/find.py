"""Finding one of the 31 items by what a person would call it: hanzi, pinyin, initials, everyday names, English words.

Guiyang's mouth does not part zh from z, n from l, ng from n, h from f; what it says it also types. So each name is kept
twice: as it is spelled, and folded (:func:`fold`), and a folded query is compared with folded names. A right spelling
comes before a folded one, the whole before a beginning, a beginning before a part.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

#: Signs of a query that are looked at: the longest name of the catalogue has 13 hanzi, in pinyin 45 letters.
SIGNS_AT_MOST = 60
#: Items that a screen shows at most: the elders' mode has six choices (docs/protocol.md, 10).
FOUND_AT_MOST = 6

_HANZI = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_LETTERS = re.compile(r"[^a-z]+")
_WORDS = re.compile(r"[a-z]+")
#: Words of English that say nothing about what is meant.
_EMPTY_WORDS = frozenset(
    {"a", "an", "and", "for", "i", "in", "is", "my", "of", "or", "the", "to", "want", "with"}
)

# How near a name is; the smaller the nearer. Between two of them stands what a person would take for more likely.
_WHOLE, _INITIALS, _WHOLE_FOLDED, _BEGINS, _WORDS_BEGIN, _SHORT, _INSIDE, _IN_IT = 0, 1, 2, 3, 4, 5, 6, 7
_SHORT_FOLDED, _INSIDE_FOLDED, _SOUNDS, _SHARED, _DESCRIBED = 8, 9, 10, 12, 14


class Named(Protocol):
    """What of a catalogue's item is needed here (kiosk.catalogue.Service has it)."""

    @property
    def code(self) -> str: ...
    @property
    def name_zh(self) -> str: ...
    @property
    def pinyin(self) -> str: ...
    @property
    def name_en(self) -> str: ...
    @property
    def desc_en(self) -> str: ...
    @property
    def aliases(self) -> Iterable[NamedAlias]: ...


class NamedAlias(Protocol):
    @property
    def zh(self) -> str: ...
    @property
    def pinyin(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as it is looked at. ``cut``: it was longer; ``strange``: signs that are no writing were left out."""

    text: str
    cut: bool = False
    strange: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """An item, and the name ``by`` which it was found (its own or an everyday one, Chinese; English words: "")."""

    code: str
    by: str


def asked(query: str) -> Asked:
    """What of ``query``, whoever sent it, can be looked for."""
    cut = len(query) > SIGNS_AT_MOST
    text = unicodedata.normalize("NFKC", query[:SIGNS_AT_MOST])
    signs = [" " if one.isspace() else one for one in text]
    kept = [one for one in signs if unicodedata.category(one)[0] != "C"]
    return Asked(" ".join("".join(kept[:SIGNS_AT_MOST]).split()), cut, len(kept) < len(signs))


def plain(text: str) -> str:
    """Letters without tones and marks, small: ``Lǎo nián`` → ``lao nian``; ü is v, as on keyboards."""
    small = text.lower().replace("ü", "v").replace("u:", "v")
    for toned in "ǖǘǚǜ":
        small = small.replace(toned, "v")
    apart = unicodedata.normalize("NFKD", small)
    return "".join(one for one in apart if not unicodedata.combining(one))


def fold(letters: str) -> str:
    """Letters with Guiyang's accents taken away: zh/z, ch/c, sh/s, ng/n, n/l, h/f, hu/f are one.

    Works on joined letters as on one syllable: a query is not cut into syllables. ``laolianzen`` and ``laonianzheng``
    are the same afterwards, ``huapiao`` and ``fapiao`` too.
    """
    folded = re.sub(r"([zcs])h", r"\1", letters.replace("v", "u"))
    folded = re.sub(r"ng+", "n", folded)
    folded = folded.replace("h", "f").replace("fu", "f")
    return re.sub(r"fe(?=[in])", "f", folded).replace("n", "l")


@dataclass(frozen=True, slots=True)
class _Name:
    code: str
    place: int
    """Of the item in the catalogue: where all else is equal, its order counts."""
    zh: str
    syllables: tuple[str, ...]
    joined: str
    initials: str
    folded: tuple[str, ...]
    folded_joined: str


@dataclass(frozen=True, slots=True)
class _English:
    code: str
    place: int
    words: tuple[str, ...]
    described: frozenset[str]


class FindIndex:
    """The items' names, made ready once. ``sounds``: hanzi → its syllable without tone, for hanzi typed wrongly."""

    def __init__(self, services: Iterable[Named], sounds: Mapping[str, str] | None = None) -> None:
        self._names: list[_Name] = []
        self._english: list[_English] = []
        self._sounds = dict(sounds or {})
        for place, service in enumerate(services):
            for zh, pinyin in [
                (service.name_zh, service.pinyin),
                *((one.zh, one.pinyin) for one in service.aliases),
            ]:
                syllables = tuple(plain(pinyin).split())
                self._names.append(_name(service.code, place, zh, syllables))
                if len(zh) == len(syllables):
                    self._sounds.update(zip(zh, syllables, strict=True))
            words = tuple(_WORDS.findall(service.name_en.lower()))
            described = frozenset(_WORDS.findall(service.desc_en.lower())) - _EMPTY_WORDS
            self._english.append(_English(service.code, place, words, described))

    def find(self, query: str, at_most: int = FOUND_AT_MOST) -> list[Found]:
        """The items that ``query`` (see :func:`asked`) may mean, the likeliest first."""
        small = plain(unicodedata.normalize("NFKC", query)).strip()
        best: dict[str, tuple[tuple[float, ...], Found]] = {}

        def offer(name: _Name | _English, rank: float, far: float, by: str) -> None:
            key = (rank, far, float(name.place))
            if name.code not in best or key < best[name.code][0]:
                best[name.code] = (key, Found(name.code, by))

        hanzi = "".join(_HANZI.findall(small))
        letters = _LETTERS.sub("", small)
        if hanzi:
            sounding = fold("".join(self._sounds.get(one, one) for one in small if one.isalpha()))
            for name in self._names:
                if (rank := _by_hanzi(name, hanzi, sounding)) is not None:
                    offer(name, *rank, name.zh)
        elif letters:
            folded = fold(letters)
            for name in self._names:
                if (rank := _by_letters(name, letters, folded)) is not None:
                    offer(name, *rank, name.zh)
            words = [one for one in _WORDS.findall(small) if one not in _EMPTY_WORDS]
            for english in self._english:
                if words and (rank := _by_words(english, words, small)) is not None:
                    offer(english, *rank, "")
        return [found for _, found in sorted(best.values(), key=lambda one: one[0])[:at_most]]


def _name(code: str, place: int, zh: str, syllables: tuple[str, ...]) -> _Name:
    joined = "".join(syllables)
    return _Name(
        code,
        place,
        zh,
        syllables,
        joined,
        "".join(one[0] for one in syllables),
        tuple(fold(one) for one in syllables),
        fold(joined),
    )


def _by_hanzi(name: _Name, hanzi: str, sounding: str) -> tuple[float, float] | None:
    if name.zh == hanzi:
        return _WHOLE, 0
    longer = len(name.zh) / len(hanzi)
    if name.zh.startswith(hanzi):
        return _BEGINS, longer
    if hanzi in name.zh:
        return _INSIDE, longer
    if name.zh in hanzi:  # a whole sentence: 我家厨房漏水了
        return _IN_IT, 1 / longer
    if sounding == name.folded_joined:  # 楼水: the wrong one of the words that sound like it
        return _WHOLE_FOLDED, 1
    if len(sounding) > 3 and (sounding in name.folded_joined or name.folded_joined in sounding):
        return _SOUNDS, longer
    shared = sum(hanzi[at : at + 2] in name.zh for at in range(len(hanzi) - 1))
    if shared:
        return _SHARED, len(name.zh) / shared
    return None


def _by_letters(name: _Name, letters: str, folded: str) -> tuple[float, float] | None:
    longer = len(name.joined) / len(letters)
    if name.joined == letters:
        return _WHOLE, 0
    if name.initials == letters:
        return _INITIALS, 0
    if name.folded_joined == folded:
        return _WHOLE_FOLDED, 0
    if name.joined.startswith(letters):
        return _BEGINS, longer
    if short_for(name.syllables, letters):
        return _SHORT, longer
    for rank, syllables, wanted in (
        (_INSIDE, name.syllables, letters),
        (_SHORT_FOLDED, name.folded, folded),
        (_INSIDE_FOLDED, name.folded, folded),
    ):
        starts = range(1, len(syllables)) if rank != _SHORT_FOLDED else range(1)
        if len(wanted) > 1 and any(short_for(syllables[start:], wanted) for start in starts):
            return rank, longer
    if len(folded) > 4 and (name.folded_joined.startswith(folded) or name.folded_joined in folded):
        return _SOUNDS, longer
    return None


def short_for(syllables: tuple[str, ...], letters: str) -> bool:
    """Whether ``letters`` are beginnings of the first syllables, one after the other: lnz, laonz, lnzheng, loush."""
    ends = {0}
    for syllable in syllables:
        ends = {
            end + length
            for end in ends
            for length in range(1, len(syllable) + 1)
            if letters.startswith(syllable[:length], end)
        }
        if len(letters) in ends:
            return True
        if not ends:
            return False
    return False


def _by_words(english: _English, words: list[str], whole: str) -> tuple[float, float] | None:
    longer = len(english.words) / len(words)
    if whole == " ".join(english.words):
        return _WHOLE, 0
    in_name = [any(one == word for one in english.words) for word in words]
    begins = [any(one.startswith(word) or _same_word(one, word) for one in english.words) for word in words]
    if all(in_name):
        return _WHOLE_FOLDED, longer
    if all(begins) and min(map(len, words)) > 1:
        return _WORDS_BEGIN, longer
    told = sum(any(_same_word(one, word) for one in (*english.words, *english.described)) for word in words)
    if told and max(map(len, words)) > 3:
        return _DESCRIBED, len(words) / told
    return None


def _same_word(one: str, other: str) -> bool:
    """leak and leaks, repair and repairs."""
    return one == other or one.removesuffix("s") == other.removesuffix("s")
