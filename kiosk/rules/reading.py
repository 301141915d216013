"""What a screen's text is, when it is read aloud: sentences of phrases, with every number in words. Pure.

    sentences("请带身份证。B031 号，前面 3 人", "zh", {"B": "政务"})
    [(Phrase("zh", "请带身份证", 350),),
     (Phrase("zh", "政务零三一号", 150), Phrase("zh", "前面三人", 350))]

A phrase is what is said in one breath: it is made by the speech program once, kept, and joined with others again and
again (kiosk/voice/reader.py). Latin letters within Chinese are a phrase for the English voice, and hanzi within English
one for the Chinese voice. The number of a ticket is said as the hall's voice calls it (calling_words.py): the group's
own word, then digit by digit with the zeros that are printed. What is counted is counted (70岁 is 七十岁), what is
dialled or spelled is said digit by digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kiosk.rules.calling_words import ENGLISH, MANDARIN

#: The pauses after a comma and after a full stop (our choice, by ear: old listeners need the second).
COMMA_MS, STOP_MS = 150, 350
#: A sentence that is longer is cut at its commas: 12 s of speech, and what is highlighted is found with the eye.
SENTENCE_AT_MOST = {MANDARIN: 32, ENGLISH: 120}
#: Nobody writes a phrase that is longer; the speech program is given no more at once.
PHRASE_AT_MOST = 200

_HAN = "\u3400-\u9fff"
_STOPS = re.compile(r"(?<=[。！？；!?;])|(?<=[.:])\s+|\n+")
_COMMAS = re.compile(r"[，、,：:；;。！？!?…·|/()（）“”\"「」《》\[\]—–\s]+")
_ENGLISH_COMMAS = re.compile(r"[,;:!?…·|()“”\"\[\]，、：；。！？（）—–]+\s*|\.(?:\s+|$)|\s+-\s+")
_DIGITS = "零一二三四五六七八九"
_DIGITS_EN = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
#: Numbers that are dialled, though short: 110 police, 119 fire, 120 ambulance, 122 traffic.
_DIALLED = frozenset({"110", "119", "120", "122"})
#: What is counted with 两 and not with 二.
_TWO_OF = "个位次天年份张本种项步名家分人小周层栋"
_MEASURES = _TWO_OF + "日月号楼元岁平米点时秒毫度级户间条件套笔"

_TICKET = r"(?P<letter>[A-Z])(?P<of>\d{3,4})(?!\d)"
_NUMBER = re.compile(
    rf"(?<![A-Za-z0-9]){_TICKET}"
    r"|(?P<hour>\d{1,2}):(?P<minute>\d{2})(?!\d)"
    r"|(?P<y>\d{4})[-/](?P<mo>\d{1,2})[-/](?P<d>\d{1,2})(?!\d)"
    r"|(?P<phone>\d{3,4}-\d{7,8}|1\d{10})(?!\d)"
    r"|(?P<percent>\d+(?:\.\d+)?)\s?%"
    r"|(?P<over>\d{1,2})/(?P<under>\d{1,2})(?!\d)"
    r"|(?P<decimal>\d+\.\d+)"
    r"|(?P<plain>\d+)"
)
_RANGE = re.compile(r"(?<=\d)\s?[-–—~～]\s?(?=\d)")


@dataclass(frozen=True, slots=True)
class Phrase:
    """``lang``: which voice says it. ``pause_ms``: the silence after it."""

    lang: str
    text: str
    pause_ms: int


Sentence = tuple[Phrase, ...]


def sentences(text: str, lang: str, groups: Mapping[str, str] | None = None) -> list[Sentence]:
    """A text as it is said; [] where nothing in it can be.

    :param lang: the language of the page: "zh" or "en".
    :param groups: a ticket's letter → the word that is said for it.
    """
    said = []
    for part in _STOPS.split(" ".join(text.split(" ")).strip()):
        for piece in _short(part.strip(), lang):
            phrases = list(_phrases(piece, lang, groups or {}))
            if phrases:
                last = phrases[-1]
                said.append((*phrases[:-1], Phrase(last.lang, last.text, STOP_MS)))
    return said


def words_of(text: str) -> list[str]:
    """The runs of letters in a text, numbers and signs left out: what must stand on a page that may be read."""
    return re.findall(rf"[{_HAN}]+|[^\W\d_{_HAN}]+", text)


def count(number: int) -> str:
    """1 to 99,999,999 as it is counted: 三百二十, 一千零五."""
    if number >= 10_000:
        low = number % 10_000
        return count(number // 10_000) + "万" + (("零" if low < 1000 else "") + count(low) if low else "")
    said, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if not digit:
            gap = bool(said)
            continue
        said += ("零" if gap else "") + ("" if unit == 10 and number < 20 else _DIGITS[digit]) + name
        gap = False
    return said or _DIGITS[0]


def spell(digits: str) -> str:
    """Digit by digit: 零三一."""
    return "".join(_DIGITS[int(one)] for one in digits if one.isdecimal() and one.isascii())


def _short(sentence: str, lang: str) -> Iterator[str]:
    """The sentence, cut at commas where it is too long to be said at once."""
    most = SENTENCE_AT_MOST.get(lang, SENTENCE_AT_MOST[MANDARIN])
    held = ""
    for part in re.split(r"(?<=[，、,：])", sentence):
        if held and len(held) + len(part) > most:
            yield held
            held = ""
        held += part
    if held:
        yield held


def _phrases(sentence: str, lang: str, groups: Mapping[str, str]) -> Iterator[Phrase]:
    numbered = _chinese_numbers(sentence, groups) if lang == MANDARIN else _english_numbers(sentence, groups)
    for part in (_COMMAS if lang == MANDARIN else _ENGLISH_COMMAS).split(numbered):
        for text, is_han in _by_script(part):
            clean = " ".join(re.sub(rf"[^\w{_HAN}'’.-]|_", " ", text).split()).strip(" .-'’")
            if re.search(r"\w", clean):
                yield Phrase(MANDARIN if is_han else ENGLISH, clean[:PHRASE_AT_MOST], COMMA_MS)


def _by_script(part: str) -> Iterator[tuple[str, bool]]:
    """Runs of hanzi, and runs without."""
    for run in re.findall(rf"[{_HAN}]+|[^{_HAN}]+", part):
        yield run, bool(re.match(f"[{_HAN}]", run))


def _chinese_numbers(text: str, groups: Mapping[str, str]) -> str:
    text = re.sub(rf"(?<=[{_HAN}])\s+(?=\d)|(?<=\d)\s+(?=[{_HAN}])", "", text)

    def say(found: re.Match[str]) -> str:
        after = text[found.end() : found.end() + 1]
        if letter := found["letter"]:
            return (groups.get(letter) or letter + " ") + spell(found["of"])
        if found["hour"]:
            minute = int(found["minute"])
            return f"{count(int(found['hour']))}点" + (f"{count(minute)}分" if minute else "")
        if found["y"]:
            return f"{spell(found['y'])}年{count(int(found['mo']))}月{count(int(found['d']))}日"
        if found["percent"]:
            return "百分之" + _decimal(found["percent"])
        if found["over"]:
            return f"{count(int(found['under']))}分之{count(int(found['over']))}"
        if found["decimal"]:
            return _decimal(found["decimal"])
        digits = found["phone"] or found["plain"]
        before = text[max(0, found.start() - 1) : found.start()]
        return _whole(digits, before, after)

    text = _RANGE.sub("到", text) if not re.search(r"\d{3,4}-\d{7,8}|\d{4}-\d{1,2}-\d", text) else text
    return _NUMBER.sub(say, text)


def _whole(digits: str, before: str, after: str) -> str:
    counted = after != "" and after in _MEASURES
    if not digits.isdecimal() or (digits.startswith("0") and len(digits) > 1) or len(digits) > 8:
        return spell(digits)
    if (digits in _DIALLED and not counted) or (len(digits) == 4 and after == "年"):
        return spell(digits)
    if len(digits) > 4 and after != "元":
        return spell(digits)
    if digits == "2" and after != "" and after in _TWO_OF and before != "第":
        return "两"
    return count(int(digits))


def _decimal(digits: str) -> str:
    whole, _, rest = digits.partition(".")
    return count(int(whole)) + ("点" + spell(rest) if rest else "")


def _english_numbers(text: str, groups: Mapping[str, str]) -> str:
    def say(found: re.Match[str]) -> str:
        if letter := found["letter"]:
            return f"{groups.get(letter) or letter} {_spell_en(found['of'])}"
        digits = found["phone"] or found["plain"] or ""
        if digits and (len(digits) > 4 or digits in _DIALLED or (digits[0] == "0" and len(digits) > 1)):
            return _spell_en(digits)
        return found[0].replace(":", " ") if found["hour"] else found[0]

    return re.sub(r"(?<=\d)\s?[–—~]\s?(?=\d)", " to ", _NUMBER.sub(say, text))


def _spell_en(digits: str) -> str:
    return " ".join(_DIGITS_EN[int(one)] for one in digits if one.isdecimal() and one.isascii())


# ---------------------------------------------------------------- the tone of 一


#: Beside these 一 is an ordinal or one of a row of digits, and keeps its tone.
_ORDINAL_BEFORE = "第十初周期零二三四五六七八九一"
_ORDINAL_AFTER = "十月日号楼栋一二三四五六七八九零〇"


def tone_of_one(text: str, at: int, following: str) -> str:
    """How the 一 at a place in a phrase sounds, given the tone of the syllable after it ("1" to "5", "" for none).

    yi1 as the last word, as an ordinal and among digits; yi2 before a falling tone; yi4 before the others
    (现代汉语词典, the entry 一).
    """
    before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    if not after or not following or (before and before in _ORDINAL_BEFORE) or after in _ORDINAL_AFTER:
        return "yi1"
    if before and before == after:  # 看一看: said lightly
        return "yi5"
    return "yi2" if following in "45" else "yi4"
