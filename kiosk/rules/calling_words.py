"""What the hall's voice says when a number is called, as a list of parts; each part is one clip. Pure.

    words_of("government", "B", 31, 3, "zh")
    ["gong", "word:please", "category:government", "digit:0", "digit:3", "digit:1", "word:number_to", "window:3",
     "word:window"]                                                        请 政务 零 三 一 号到 三 号窗口

A number is said digit by digit, with the zeros that are printed on the slip: who reads "B031" on paper must hear
零三一, not 三十一. The letter is not said (an ear does not tell B from D, and many old people never learnt it): the
category's own word is. Only a category that the catalogue no longer has leaves nothing but the letter.

A voice is an id: "zh" (Mandarin) and "en" are ours, any other ("gy" for the speech of Guiyang) is a dialect: it has
the Chinese order of words and clips of its own; where one is missing the Mandarin clip stands in.
The words of each part, in hanzi, pinyin and English, are `TEXTS`, hand-checked: the vocabulary is closed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MANDARIN, ENGLISH = "zh", "en"

#: What a dialect may be called: it is a part of file names and addresses.
VOICE_ID = re.compile(r"[a-z][a-z0-9-]{0,15}")

#: kiosk/schema: a window's number, as the voice says it.
LAST_WINDOW = 99

GONG = "gong"

_DIGITS_ZH = ("零", "一", "二", "三", "四", "五", "六", "七", "八", "九")
_DIGITS_PINYIN = ("ling2", "yi1", "er4", "san1", "si4", "wu3", "liu4", "qi1", "ba1", "jiu3")
_DIGITS_EN = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, slots=True)
class Text:
    """A part in writing. ``pinyin``: syllables with tone numbers, as they sound (号到 is hao4 dao4)."""

    hanzi: str
    pinyin: str
    en: str


#: What is the same in every sentence. `category:` words are those of the catalogue's three categories.
TEXTS: dict[str, Text] = {
    "word:please": Text("请", "qing3", "please"),
    "word:number_to": Text("号到", "hao4 dao4", ""),
    "word:window": Text("号窗口", "hao4 chuang1 kou3", ""),
    "word:number": Text("", "", "number"),
    "word:to_window": Text("", "", "please go to window"),
    "word:trial": Text("这是叫号试音", "zhe4 shi4 jiao4 hao4 shi4 yin1", "This is a test of the voice"),
    "word:alarm": Text(
        "有人需要帮助请工作人员马上处理",
        "you3 ren2 xu1 yao4 bang1 zhu4 qing3 gong1 zuo4 ren2 yuan2 ma3 shang4 chu2 li3",
        "Somebody needs help. Staff, please see to it now",
    ),
    "category:party": Text("党务", "dang3 wu4", "Party affairs"),
    "category:government": Text("政务", "zheng4 wu4", "Government affairs"),
    "category:property": Text("物业", "wu4 ye4", "Property"),
    **{f"digit:{n}": Text(_DIGITS_ZH[n], _DIGITS_PINYIN[n], _DIGITS_EN[n]) for n in range(10)},
}

_ZH_ORDER_ONLY = frozenset({"word:please", "word:number_to", "word:window"})
_EN_ORDER_ONLY = frozenset({"word:number", "word:to_window"})


def words_of(category: str, prefix: str, number: int, window_number: int, lang: str) -> list[str]:
    """The parts of one call in the order in which they are said.

    :param category: the id in the catalogue; "" where the item has gone from it: then the letter is said.
    :param prefix: the letter on the slip.
    :param lang: a voice: "zh", "en" or a dialect's id.
    :raises ValueError: a number or window that no slip and no hall has.
    """
    if number < 1 or not 1 <= window_number <= LAST_WINDOW:
        raise ValueError(f"nobody calls number {number} to window {window_number}")
    which = f"category:{category}" if category else f"letter:{prefix[:1].upper()}"
    digits = [f"digit:{one}" for one in f"{number:03d}"]
    window = f"window:{window_number}"
    if lang == ENGLISH:
        return [GONG, which, "word:number", *digits, "word:to_window", window]
    return [GONG, "word:please", which, *digits, "word:number_to", window, "word:window"]


def alarm_words() -> list[str]:
    """What the hall hears while somebody calls for help and nobody has come: no name, no place."""
    return [GONG, "word:alarm"]


def trial_words(voice: str) -> list[str]:
    """What the console's test button says: every kind of part once, and that it is a test."""
    return [GONG, "word:trial", *words_of("government", "B", 31, 3, voice)[1:]]


def text_of(part: str) -> Text | None:
    """A part in writing; None for what we have no words for (the gong, a hall's own category)."""
    if part in TEXTS:
        return TEXTS[part]
    kind, _, rest = part.partition(":")
    if kind == "window" and rest.isascii() and rest.isdecimal() and 1 <= int(rest) <= LAST_WINDOW:
        return _number(int(rest))
    if kind == "letter" and re.fullmatch("[A-Z]", rest):
        return Text(rest, "", rest)
    return None


def parts_to_record(voice: str, categories: list[str], windows: list[int]) -> list[str]:
    """What staff may record for a voice, in the order in which one would read it aloud."""
    skip = _ZH_ORDER_ONLY if voice == ENGLISH else _EN_ORDER_ONLY
    words = [part for part in TEXTS if part.startswith("word:") and part not in skip]
    return [
        GONG,
        *words,
        *(f"category:{one}" for one in categories),
        *(f"digit:{n}" for n in range(10)),
        *(f"window:{n}" for n in sorted(set(windows))),
    ]


def sentence(parts: list[str], lang: str) -> str:
    """The parts as a person would write them: "请政务零三一号到三号窗口"."""
    texts = [text for part in parts if (text := text_of(part)) is not None]
    if lang == ENGLISH:
        return " ".join(text.en for text in texts if text.en)
    return "".join(text.hanzi for text in texts)


def _number(n: int) -> Text:
    """1 to 99 as it is counted: 三, 十二, 二十; windows are counted, not spelled."""
    tens, ones = divmod(n, 10)
    hanzi, pinyin = "", ""
    if tens:
        lead = tens > 1
        hanzi = (_DIGITS_ZH[tens] if lead else "") + "十"
        pinyin = (_DIGITS_PINYIN[tens] + " " if lead else "") + "shi2"
    if ones:
        hanzi += _DIGITS_ZH[ones]
        pinyin = f"{pinyin} {_DIGITS_PINYIN[ones]}".strip()
    return Text(hanzi, pinyin, str(n))
