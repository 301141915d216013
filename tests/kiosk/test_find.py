"""Finding an item as people type: right or as Guiyang speaks, whole or begun, in hanzi, pinyin, initials, English."""

from __future__ import annotations

import json
import re

import pytest
from flask.testing import FlaskClient

from kiosk.catalogue import Alias, Catalogue
from kiosk.rules.find import SIGNS_AT_MOST, FindIndex, asked, fold

#: An accent takes one of each pair for the other, at the beginning of a syllable and at its end.
BEGINNINGS = {
    "zh": "z",
    "ch": "c",
    "sh": "s",
    "z": "zh",
    "c": "ch",
    "s": "sh",
    "n": "l",
    "l": "n",
    "hu": "f",
    "h": "f",
}
ENDS = {"ng": "n", "n": "ng"}


@pytest.fixture(scope="module")
def index(catalogue: Catalogue) -> FindIndex:
    return FindIndex(catalogue.services)


def accented(syllable: str) -> str:
    """A syllable as another mouth has it: zheng → zen, nian → liang, hua → fa, fa → hua."""
    begun = next((one for one in BEGINNINGS if syllable.startswith(one)), "")
    if syllable.startswith("f") and syllable[1] in "a":
        begun, other = "f", "hu"
    else:
        other = BEGINNINGS.get(begun, "")
        if begun == "hu" and syllable == "hu":
            other = "fu"
    rest = syllable[len(begun) :]
    ending = next((one for one in ENDS if rest.endswith(one)), "")
    return other + (rest[: -len(ending)] + ENDS[ending] if ending else rest)


def aliases(catalogue: Catalogue) -> list[tuple[str, Alias]]:
    return [(service.code, alias) for service in catalogue.services for alias in service.aliases]


def test_each_everyday_name_finds_its_item_among_the_first_four_however_it_is_typed(
    index: FindIndex, catalogue: Catalogue
) -> None:
    missed = []
    for code, alias in aliases(catalogue):
        syllables = alias.pinyin.split()
        ways = {
            "hanzi": alias.zh,
            "pinyin": "".join(syllables),
            "initials": alias.initials,
            "accent": "".join(map(accented, syllables)),
            "accent in the beginnings": "".join(
                accented(one.rstrip("ng")) + re.findall("n?g?$", one)[0] for one in syllables
            ),
        }
        for way, typed in ways.items():
            if code not in [one.code for one in index.find(typed)][:4]:
                missed.append((alias.zh, way, typed))
    assert len(aliases(catalogue)) == 124
    assert missed == []


def test_the_accents_swapped_are_really_other_letters() -> None:
    told = {
        "zheng": "zen",
        "nian": "liang",
        "shui": "sui",
        "lou": "nou",
        "hua": "fa",
        "fa": "hua",
        "zao": "zhao",
    }
    assert {one: accented(one) for one in told} == told


def test_guiyangs_pairs_are_one_and_other_sounds_stay_apart() -> None:
    for one, other in (
        ("lousui", "loushui"),
        ("laolianzen", "laonianzheng"),
        ("zaosen", "zaosheng"),
        ("huapiao", "fapiao"),
        ("feiyi", "huiyi"),
        ("kunnangguan", "kunnanguan"),
        ("lvshi", "nüsi".replace("ü", "v")),
    ):
        assert fold(one) == fold(other), (one, other)
    for one, other in (("dibao", "yibao"), ("zufang", "zifang"), ("tingche", "dingche")):
        assert fold(one) != fold(other)


def test_the_own_names_and_their_beginnings_come_first(index: FindIndex, catalogue: Catalogue) -> None:
    for service in catalogue.services:
        for typed in (service.name_zh, service.pinyin.replace(" ", ""), service.initials, service.name_en):
            assert index.find(typed)[0].code == service.code, typed
    assert index.find("laonianzh")[0].by == "老年证"
    assert index.find("lnzheng")[0].by == "老年证"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("我家厨房漏水了怎么办", "WY-01"),  # a whole sentence, as somebody speaks it
        ("楼水", "WY-01"),  # the wrong one of two words that sound alike
        ("lǎo nián zhèng", "ZW-04"),
        ("ＬＳ", "ZW-13"),  # full-width letters
        ("  lou'shui ", "WY-01"),
        ("leak", "WY-01"),
        ("senior card", "ZW-04"),
        ("i want to pay property fees", "WY-06"),
        ("noise", "WY-03"),
        ("lift", "WY-02"),
    ],
)
def test_people_type_in_many_ways(index: FindIndex, typed: str, code: str) -> None:
    assert code in [one.code for one in index.find(asked(typed).text)][:2]


def test_nothing_is_found_for_nothing_and_at_most_six_for_a_letter(index: FindIndex) -> None:
    assert [index.find(one) for one in ("", "   ", "!!!", "xqxqxq", "麒麟", "<script>")] == [[]] * 6
    assert len(index.find("d")) == 6


def test_what_is_no_writing_is_left_out_and_what_is_too_long_is_cut() -> None:
    assert asked("漏\u0000水\u202e").text == "漏水"
    assert asked("漏\u0000水").strange
    assert not asked("漏 水\n").strange
    long = asked("漏水" * 500_000)
    assert (len(long.text), long.cut) == (SIGNS_AT_MOST, True)
    assert asked("\ud800").text == ""


# ---------------------------------------------------------------- the page and its JSON


def test_the_json_names_what_was_found_and_by_which_name(client: FlaskClient) -> None:
    told = client.get("/api/find?q=lousui").get_json()
    assert told["found"][0] == {
        "code": "WY-01",
        "name_zh": "公共设施与渗漏报修",
        "name_en": "Repairs to shared facilities and leaks",
        "category": "property",
        "needs_ticket": False,
        "by": "漏水",
    }
    assert client.get("/api/find").get_json() == {"found": []}


def test_the_page_works_without_script(client: FlaskClient) -> None:
    empty = client.get("/find?lang=en&large=1", headers={"Accept": "text/html"}).text
    assert empty.count("data-example=") == 6
    assert '<input type="hidden" name="lang" value="en">' in empty, "the form keeps the language"
    found = client.get("/find?q=loushui").text
    assert "/item/WY-01" in found
    assert "也叫“漏水”" in found
    assert "q=loushui" in re.findall(r'<a class="mode" href="([^"]*)"', found)[0], (
        "and the switch keeps the words"
    )
    nothing = client.get("/find?q=xqxqxq").text
    assert "没有找到“xqxqxq”" in nothing
    assert "叫人帮忙" in nothing


def test_hostile_input_is_answered_in_words(client: FlaskClient) -> None:
    script = client.get("/find", query_string={"q": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in script
    assert "没有找到“&lt;script&gt;alert(1)&lt;/script&gt;”" in script
    long = client.get("/find", query_string={"q": "ls" * 500_000}, follow_redirects=True)
    assert long.status_code == 200
    assert len(long.text) < 20_000
    assert f"太长了，只看前 {SIGNS_AT_MOST} 个字" in long.text
    assert "已经去掉" in client.get("/find", query_string={"q": "漏\u0007水"}).text
    assert client.get("/api/find?q=%ff%fe%00").get_json() == {"found": []}


def test_the_page_is_light(client: FlaskClient) -> None:
    assert len(json.dumps(client.get("/find?q=d").text)) < 20_000
