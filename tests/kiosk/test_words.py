"""Every text of the residents' faces stands in one table, in both languages, and is used."""

from __future__ import annotations

import re
import string
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kiosk.console.words import WORDS as CONSOLE
from kiosk.demo import CAN, FACTS, VALUES
from kiosk.rules import paper_words
from kiosk.words import TABLE, for_script, say
from kiosk.words_phone import TABLE as PHONE
from tests.kiosk.conftest import ROOM

PAGES = sorted((ROOM / "templates").glob("*.html"))
SCRIPTS = [path for path in sorted((ROOM / "static").glob("*.js")) if not path.name.startswith("console")]
HANZI = re.compile(r"[\u3400-\u9fff]")


#: What stands on a key is the same in every language.
KEYCAPS = {"kb_letters", "kb_digits"}


def name_of(path: Path) -> str:
    return path.name


def used_keys() -> set[str]:
    """Keys named in a template's w(…), in Python's words.say("…") or in a script as "js_…" / .js_…; js_state_ is put
    together there."""
    keys = {f"act_{act}" for acts in CAN.values() for act in acts}
    keys |= {f"fact_{one}" for ones in FACTS.values() for one in ones} | {f"kind_{kind}" for kind in CAN}
    keys |= set(VALUES.values()) | paper_words.KEYS
    for page in PAGES:
        for call in re.findall(r"\bw\((.*?), *(?:lang|'zh'|'en')", page.read_text(encoding="utf-8")):
            keys.update(re.findall(r"'([a-z_]+)'", call))
        keys.update(re.findall(r"\bboth\('([a-z_]+)'\)", page.read_text(encoding="utf-8")))
    for file in ROOM.glob("*.py"):
        keys.update(re.findall(r'\bwords\.say\(\s*"([a-z_]+)"', file.read_text(encoding="utf-8")))
    for script in SCRIPTS:
        keys.update(re.findall(r"\bjs_[A-Za-z_]+", script.read_text(encoding="utf-8")))
    if "js_state_" in keys:
        keys.remove("js_state_")
        keys.update(key for key in TABLE if key.startswith("js_state_"))
    return keys


def test_every_key_that_is_used_exists_and_every_key_that_exists_is_used() -> None:
    assert used_keys() - set(TABLE) == set(), "a template or script asks for what nobody wrote"
    assert set(TABLE) - used_keys() == set(), "these texts are shown nowhere"


def test_no_key_is_written_in_two_files() -> None:
    """The second would silently take the first one's place."""
    plain = (ROOM / "words.py").read_text(encoding="utf-8")
    assert [key for key in PHONE if f'    "{key}":' in plain] == []


def test_both_languages_say_something_and_fill_the_same_gaps() -> None:
    for key, (zh, en) in TABLE.items():
        assert zh.strip(), key
        assert en.strip(), key
        gaps = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (zh, en)]
        assert gaps[0] == gaps[1], key
        if key != "other_language":
            assert not HANZI.search(en), key
            assert HANZI.search(zh) or key in KEYCAPS, key


def test_say_fills_gaps_and_refuses_unknown_keys() -> None:
    assert say("page_of", "zh", n=7) == "第 7 页"
    assert say("page_of", "en", n=7) == "Page 7"
    with pytest.raises(KeyError):
        say("no_such_text", "zh")
    assert for_script("en")["js_ok"] == "OK"


def test_one_thing_has_one_name() -> None:
    """What a resident touches is 自助机, "kiosk"; what hangs on the wall 叫号屏, "hall display" (docs/protocol.md)."""
    root = ROOM.parent
    said = (*ROOM.rglob("words*.py"), *ROOM.glob("voice/*.py"), *ROOM.glob("rules/*.py"), *ROOM.glob("data/*.yaml"))
    files = [*said, *root.glob("gateway/hall/*.py"), *root.glob("systemd/*.catalog"), root / "README.zh-CN.md"]
    other = re.compile("触摸屏|大厅屏|显示屏|大屏|触屏")
    assert [file.name for file in files if other.search(file.read_text(encoding="utf-8"))] == []
    assert [key for key, both in (TABLE | CONSOLE).items() if "touchscreen" in both[1].lower()] == []


class _Texts(HTMLParser):
    """Collects what a page would show: text between tags, and attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [
            value or "" for name, value in attrs if name in ("aria-label", "alt", "title", "placeholder")
        ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_template_has_a_text_of_its_own(page: Path) -> None:
    # The block "kind" is the body's class, not a text.
    text = re.sub(r"\{% block kind %\}.*?\{% endblock %\}", "", page.read_text(encoding="utf-8"))
    bare = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", text, flags=re.DOTALL)
    parser = _Texts()
    parser.feed(bare)
    letters = [text.strip() for text in parser.texts if re.search(r"[A-Za-z\u3400-\u9fff]", text)]
    assert letters == []


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_no_script_has_a_text_of_its_own(script: Path) -> None:
    without_comments = re.sub(r"/\*.*?\*/|//[^\n]*", "", script.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not HANZI.search(without_comments)
