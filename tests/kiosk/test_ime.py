"""The keyboard's words: how many phrases of a hall stand in the first five, with and without libgooglepinyin.

tests/data/ime/pinyin_phrases.json: 43 phrases handed to us. hall_phrases.json: 80 more that are not among them, written
before the dictionary was made and never changed since: what people report at home and in the stairs, what they ask for
at the windows, places and persons' names, as whole sentences of 2 to 8 signs; their letters are pypinyin's.
"""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from kiosk.catalogue import Catalogue
from kiosk.core import Core
from kiosk.ime import words as words_file
from kiosk.ime.decoder import Candidate, Decoder
from kiosk.ime.dictionary import Dictionary
from kiosk.ime.google import GooglePinyin
from kiosk.ime.pages import RENEW_MS, names
from kiosk.ime.words import CANDIDATES_AT_MOST, Ime
from tests.kiosk.conftest import HeldClock

DATA = Path(__file__).parent.parent / "data" / "ime"
GIVEN, OURS = DATA / "pinyin_phrases.json", DATA / "hall_phrases.json"


def phrases(file: Path) -> list[tuple[str, str]]:
    return [(letters, hanzi) for letters, hanzi in json.loads(file.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return Dictionary()


@pytest.fixture(scope="module")
def own(catalogue: Catalogue) -> Ime:
    """As on a machine without libgooglepinyin: pip's packages alone."""
    return Ime(lambda _: _catalogue_names(catalogue), google=False)


def _catalogue_names(catalogue: Catalogue) -> Iterator[tuple[str, list[str]]]:
    for service in catalogue.services:
        yield service.name_zh, service.pinyin.split()
        for alias in service.aliases:
            yield alias.zh, alias.pinyin.split()


@pytest.fixture(scope="module")
def alone(own: Ime) -> dict[Path, float]:
    """The share of each set that our own dictionary has in the first five."""
    return {file: in_the_first_five(own, file) for file in (GIVEN, OURS)}


def in_the_first_five(ime: Ime, file: Path) -> float:
    asked = phrases(file)
    return sum(hanzi in [one.text for one in ime.candidates(letters)[:5]] for letters, hanzi in asked) / len(
        asked
    )


def test_the_second_set_is_another_one() -> None:
    assert len(phrases(OURS)) >= 60
    assert {hanzi for _, hanzi in phrases(OURS)} & {hanzi for _, hanzi in phrases(GIVEN)} == set()


def test_three_of_four_phrases_stand_in_the_first_five_with_our_own_dictionary_alone(
    own: Ime, alone: dict[Path, float]
) -> None:
    assert own.engines == ("own",)
    assert min(alone.values()) >= 0.75, alone


def test_four_of_five_with_libgooglepinyin_where_it_is_installed(
    catalogue: Catalogue, alone: dict[Path, float]
) -> None:
    """Where it is not, the same holds of our own alone, which is more than is asked of it."""
    both = Ime(lambda _: _catalogue_names(catalogue))
    assert both.engines in (("libgooglepinyin", "own"), ("own",))
    for file in (GIVEN, OURS):
        share = in_the_first_five(both, file)
        assert share >= 0.80, file.name
        assert share >= alone[file], "a second engine takes nothing away"


def texts(ime: Ime, letters: str) -> list[str]:
    return [one.text for one in ime.candidates(letters)]


def test_beginnings_initials_and_accents_are_words_too(own: Ime) -> None:
    assert "漏水" in texts(own, "loush")[:2]
    assert texts(own, "lnz")[0] == "老年证"
    assert texts(own, "laolianzen")[0] == "老年证"
    assert texts(own, "lousui")[0] == "漏水"
    assert "社区服务" in texts(own, "sqfw")[:5]
    assert {"先", "西安"} <= set(texts(own, "xian")), "one syllable, or two"
    assert "女" in texts(own, "nv")
    assert texts(own, "wo")[0] == "我"


def test_a_candidate_says_how_many_letters_it_stands_for(own: Ime) -> None:
    """So somebody who finds no phrase takes a word and goes on with the rest."""
    rest, written = "shukongdengbuliang", ""
    for word in ("树", "空", "灯", "不", "亮"):
        chosen = next(one for one in own.candidates(rest) if one.text == word)
        written, rest = written + chosen.text, rest[chosen.used :]
    assert (written, rest) == ("树空灯不亮", "")
    for letters, _ in phrases(OURS)[:20]:
        found = own.candidates(letters)
        assert 0 < len(found) <= CANDIDATES_AT_MOST
        assert all(0 < one.used <= len(letters) for one in found)
        assert len({one.text for one in found}) == len(found), "no word twice"


def test_any_letters_at_all_are_answered(own: Ime) -> None:
    for letters in (
        "a",
        "v",
        "i",
        "uuuu",
        "zzzzzzzz",
        "qwertyuiop" * 4,
        "m" * 40,
        "xianxianxianxianxianxianxianxianxianxian",
    ):
        assert len(own.candidates(letters)) <= CANDIDATES_AT_MOST
    assert own.candidates("v") == []


def test_names_of_persons_that_no_list_of_words_has(dictionary: Dictionary) -> None:
    decoder = Decoder(dictionary)
    for letters, name in (("yangguiying", "杨桂英"), ("chenxiulan", "陈秀兰"), ("wujun", "吴军")):
        assert name in [one.text for one in decoder.candidates(letters)[:5]]


def test_the_dictionary_reads_hanzi_by_their_usual_sound(dictionary: Dictionary) -> None:
    assert dictionary.read("观山湖区") == ("guan", "shan", "hu", "qu")
    assert dictionary.read("楼A") == (), "a sign without a sound has none"
    assert dictionary.words(("lou", "shui"))[0].text == "漏水"
    assert dictionary.words(("lo", "shui")) == ()


def test_libgooglepinyin_that_is_not_there_or_no_library_is_no_engine(tmp_path: Path) -> None:
    assert GooglePinyin.find(tmp_path) is None
    data = tmp_path / "googlepinyin" / "data"
    data.mkdir(parents=True)
    (data / "dict_pinyin.dat").write_bytes(b"no words")
    assert GooglePinyin.find(tmp_path) is None


def test_without_its_words_the_keyboard_still_knows_the_hall(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "pinyin_words.txt.gz"
    broken.write_bytes(gzip.compress(b"something else\n"))
    monkeypatch.setattr(words_file, "Dictionary", lambda: Dictionary(broken))
    alone = Ime(lambda _: _catalogue_names(catalogue), google=False)
    assert alone.candidates("loushui") == [Candidate("漏水", 7)]
    assert alone.candidates("zhongguo") == []
    assert [one.levelno for one in caplog.records if "keyboard" in one.getMessage()] == [logging.WARNING]


def test_the_words_cost_little_memory_and_nothing_before_the_first_letter() -> None:
    """In a process of its own: the growth of its resident memory, in kB."""
    code = (
        "import re\n"
        "from kiosk.ime.words import Ime\n"
        "from kiosk.ime import decoder, dictionary\n"
        # not ru_maxrss: that is inherited from whoever starts a process
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
        "before = peak(); ime = Ime(lambda _: [], google=False); made = peak()\n"
        "[ime.candidates(letters) for letters in ('loushui', 'woshilaorenwoyaotousu', 'sqfw', 'l')]\n"
        "print(made - before, peak() - before)\n"
    )
    root = Path(__file__).resolve().parents[2]
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    made, used = map(int, said.stdout.split())
    assert made < 500
    assert 1_000 < used < 20_000


# ---------------------------------------------------------------- its door


def test_the_door_gives_candidates_and_refuses_what_is_no_pinyin(client: FlaskClient) -> None:
    told = client.get("/api/ime?q=LouShui").get_json()
    assert told["q"] == "loushui"
    assert told["candidates"][0] == {"text": "漏水", "used": 7}
    for wrong in ("", "漏水", "a" * 41, "lou shui;", "<script>", "%00", "1"):
        answer = client.get("/api/ime", query_string={"q": wrong})
        assert answer.status_code == 400
        assert answer.get_json()["error"]["code"] == "bad_letters"
    assert client.get("/api/ime", query_string={"q": "xi'an"}).get_json()["q"] == "xian"


def test_the_halls_own_places_are_offered_and_renewed_and_no_persons(
    client: FlaskClient, core: Core, clock: HeldClock, dictionary: Dictionary
) -> None:
    assert "民生保障窗口" in [text for text, _ in names(core, dictionary)]
    assert "漏水" in [text for text, _ in names(core, None)], "the catalogue brings its own pinyin"

    def offered() -> list[str]:
        return [one["text"] for one in client.get("/api/ime?q=bishuiwan").get_json()["candidates"]]

    assert "碧水湾" not in offered()
    screen = (
        "INSERT INTO screens(screen, place_zh, px_per_mm, set_ms, set_by) VALUES ('kiosk-2', ?, 4, 0, 'x')"
    )
    core.writer.write(lambda book: book.execute(screen, ("碧水湾大门口",)))
    assert "碧水湾大门口" not in offered()
    clock.forward(seconds=RENEW_MS / 1000)
    assert "碧水湾大门口" in offered()
