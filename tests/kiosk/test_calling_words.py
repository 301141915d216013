"""The sentence that the hall hears: every number that a day can give, said as it stands on the slip."""

from __future__ import annotations

import re

import pytest

from kiosk.rules import calling_words
from kiosk.rules.calling_words import parts_to_record, sentence, text_of, words_of


def test_the_sentence_of_the_hall() -> None:
    parts = words_of("government", "B", 31, 3, "zh")
    assert parts == [
        "gong", "word:please", "category:government", "digit:0", "digit:3", "digit:1", "word:number_to", "window:3",
        "word:window",
    ]  # fmt: skip
    assert sentence(parts, "zh") == "请政务零三一号到三号窗口"
    english = words_of("government", "B", 31, 3, "en")
    assert sentence(english, "en") == "Government affairs number zero three one please go to window 3"


@pytest.mark.parametrize("lang", ["zh", "en", "gy"])
@pytest.mark.parametrize("category", ["party", "government", "property"])
def test_no_number_and_no_window_is_without_words(lang: str, category: str) -> None:
    for number in (1, 9, 10, 31, 100, 999, 1000, 12045):
        for window in range(1, 100):
            parts = words_of(category, "B", number, window, lang)
            assert [part[6:] for part in parts if part.startswith("digit:")] == list(f"{number:03d}")
            for part in parts[1:]:
                text = text_of(part)
                assert text is not None, part
                assert text.en if lang == "en" else text.hanzi and text.pinyin, part
            # no letter is ever read aloud
            assert not re.search(r"[A-Z]", sentence(parts, "zh"))


def test_a_window_is_counted_and_a_number_is_spelled() -> None:
    assert [text.hanzi for n in (3, 10, 12, 20, 21, 99) if (text := text_of(f"window:{n}"))] == [
        "三", "十", "十二", "二十", "二十一", "九十九",
    ]  # fmt: skip
    twelve = text_of("window:12")
    assert twelve is not None and twelve.pinyin == "shi2 er4"


def test_each_syllable_of_the_table_is_one_hanzi_with_its_tone() -> None:
    for part, text in calling_words.TEXTS.items():
        syllables = text.pinyin.split()
        assert len(syllables) == len(text.hanzi), part
        assert all(re.fullmatch(r"[a-zü]+[1-5]", one) for one in syllables), part


def test_an_item_that_has_gone_leaves_only_its_letter() -> None:
    assert words_of("", "B", 31, 3, "zh")[2] == "letter:B"


def test_what_nobody_can_call_is_refused() -> None:
    for number, window in ((0, 3), (31, 0), (31, 100)):
        with pytest.raises(ValueError, match="nobody calls"):
            words_of("party", "A", number, window, "zh")


def test_a_voice_is_asked_to_record_only_what_it_says() -> None:
    chinese = parts_to_record("gy", ["party", "government"], [2, 1])
    english = parts_to_record("en", ["party", "government"], [2, 1])
    for lang, offered in (("gy", chinese), ("en", english)):
        said = {part for n in range(1, 1000) for part in words_of("party", "A", n, 2, lang)}
        assert said <= set(offered)
    assert "word:to_window" not in chinese and "word:please" not in english
    assert chinese[-2:] == ["window:1", "window:2"]
