"""Makes ``kiosk/data/pinyin_words.txt.gz``, the words of the pinyin keyboard, for developers.

``python -m kiosk.ime.make_words`` needs jieba (its word list with frequencies) and pypinyin (their readings), which the
hall does not: both are MIT, and kiosk/data/NOTICE.md names them. The catalogue's names and everyday names are added
with a frequency that a hall would give them. The same versions give the same file, byte for byte.

The file is text, read by kiosk/ime/dictionary.py: a head; one line a syllable with its characters; one line a bucket of
words. ``漏25`` is 漏 with its cost, four times the negative logarithm of its share of all words: small is frequent.
"""

from __future__ import annotations

import gzip
import importlib
import math
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from kiosk.catalogue import load_catalogue

DATA = Path(__file__).parent.parent / "data"
#: Rarer words are left out: at 16 the file has 0.6 MB, and the phrases' hits in the top 5 do not change.
SEEN_AT_LEAST = 16
SIGNS_AT_MOST = 5
#: As often as a word of everyday life in jieba's count of 60 million.
LOCAL_SEEN = 2_000
#: So often for each time that a word of jieba's list stands in the catalogue's own sentences: a hall's talk.
TEXT_SEEN = 300
#: Another reading of a character (了 as liao) counts as this much rarer.
OTHER_READING = 12
#: Characters of given names that GB 2312 lacks.
NAME_SIGNS = frozenset("喆堃玥璟嫚翀垚燊祎珺珞玙昇淼")
COST = 4.0
_HANZI = re.compile(r"[\u4e00-\u9fff]+")


def main() -> int:
    try:
        jieba: Any = importlib.import_module("jieba")
        pypinyin: Any = importlib.import_module("pypinyin")
    except ImportError as wrong:
        print(
            f"needs jieba and pypinyin in this Python (pip install jieba pypinyin): {wrong}", file=sys.stderr
        )
        return 1
    seen, total = _seen(Path(jieba.__file__).parent / "dict.txt")
    readings: dict[str, list[str]] = {}
    for word in _catalogue_words(jieba):
        if word in seen:
            seen[word] += TEXT_SEEN
    for zh, pinyin in _catalogue():
        seen[zh] = max(seen.get(zh, 0), LOCAL_SEEN)
        readings[zh] = pinyin

    def cost(word: str) -> int:
        return round(-COST * math.log(seen[word] / total))

    def spelled(word: str) -> list[str]:
        return readings.get(word) or [_plain(one) for one in pypinyin.lazy_pinyin(word, v_to_u=False)]

    chars = _chars({sign for word in seen for sign in word}, seen, cost, pypinyin)
    first = {sign: syllable for syllable, ones in chars.items() for sign, _, other in ones if not other}
    buckets: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for word in seen:
        if len(word) < 2:
            continue
        syllables = spelled(word)
        if len(syllables) != len(word) or not all(one in chars for one in syllables):
            continue
        own = "" if [first[sign] for sign in word] == syllables else "'".join(syllables)
        buckets[syllables[0][0] + syllables[1][0] + str(len(word))].append((cost(word), word, own))
    lines = [f"linli pinyin words 1; jieba {jieba.__version__}, pypinyin {pypinyin.__version__}, both MIT"]
    for syllable, ones in sorted(chars.items()):
        lines.append(
            f"{syllable} "
            + "".join(f"{sign}{at}{'*' * other}" for sign, at, other in sorted(ones, key=_by_cost))
        )
    lines.append("")
    for bucket, words in sorted(buckets.items()):
        lines.append(f"{bucket} " + "".join(f"{word}{at}{own}" for at, word, own in sorted(words)))
    text = "\n".join(lines) + "\n"
    target = DATA / "pinyin_words.txt.gz"
    target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    words_count = sum(map(len, buckets.values()))
    print(
        f"{words_count} words, {len(first)} characters, {len(chars)} syllables: {target.stat().st_size} bytes"
    )
    return 0


def _seen(file: Path) -> tuple[dict[str, int], int]:
    """The words of jieba's list that are kept, how often each was seen; and how often all words were."""
    seen: dict[str, int] = {}
    total = 0
    for line in file.read_text(encoding="utf-8").splitlines():
        word, times, *_ = line.split(" ")
        total += int(times)
        if not _HANZI.fullmatch(word) or len(word) > SIGNS_AT_MOST or not all(map(_usual, word)):
            continue
        if len(word) == 1 or int(times) >= SEEN_AT_LEAST:
            seen[word] = int(times)
    for code in range(0x4E00, 0xA000):
        if _usual(chr(code)):
            seen.setdefault(chr(code), 1)
    return seen, total


def _usual(sign: str) -> bool:
    """Whether a keyboard offers it: the 6,763 of GB 2312 and some of names."""
    try:
        return len(sign.encode("gb2312")) == 2 or sign in NAME_SIGNS
    except UnicodeEncodeError:
        return sign in NAME_SIGNS


def _catalogue() -> list[tuple[str, list[str]]]:
    """Each item's names with their syllables, as the catalogue gives them."""
    file = DATA / "services_31.yaml"
    found = []
    for service in load_catalogue(file.read_text(encoding="utf-8"), file.name).services:
        for zh, pinyin in [
            (service.name_zh, service.pinyin),
            *((one.zh, one.pinyin) for one in service.aliases),
        ]:
            if len(zh) <= SIGNS_AT_MOST and _HANZI.fullmatch(zh):
                found.append((zh, pinyin.split()))
    return found


def _catalogue_words(jieba: Any) -> list[str]:
    """The words of the catalogue's sentences, as often as they stand there."""
    text = (DATA / "services_31.yaml").read_text(encoding="utf-8")
    sentences = _HANZI.findall("\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [
        word for one in sentences for word in jieba.lcut(one, HMM=False) if 1 < len(word) <= SIGNS_AT_MOST
    ]


def _chars(
    signs: set[str], seen: dict[str, int], cost: Any, pypinyin: Any
) -> dict[str, list[tuple[str, int, bool]]]:
    """syllable → its characters: (sign, cost, whether this is another reading than its usual one)."""
    chars: dict[str, list[tuple[str, int, bool]]] = defaultdict(list)
    for sign in sorted(signs):
        seen.setdefault(sign, 1)
        spelled = [
            _plain(one)
            for one in pypinyin.pinyin(sign, style=pypinyin.Style.NORMAL, heteronym=True, v_to_u=False)[0]
        ]
        for place, syllable in enumerate(dict.fromkeys(spelled)):
            if re.fullmatch("[a-z]+", syllable) and re.search("[aeiouv]", syllable):
                chars[syllable].append((sign, cost(sign) + (OTHER_READING if place else 0), place > 0))
    return chars


def _plain(syllable: str) -> str:
    return syllable.replace("ü", "v").replace("ê", "e")


def _by_cost(one: tuple[str, int, bool]) -> tuple[int, str]:
    return one[1], one[0]


if __name__ == "__main__":
    sys.exit(main())
