"""A screen read aloud: what is said of a text, who may have what said, and a real browser that plays it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from kiosk import aloud
from kiosk.core import Core
from kiosk.rules.reading import Phrase, count, sentences, spell
from kiosk.voice import reader as reading
from kiosk.voice.reader import CannotRead, Reader
from kiosk.voice.reading_child import pinyin
from kiosk.voice.sound import RATE
from tests.kiosk.glass import Open, forward
from tests.kiosk.test_idle import visit as visit  # the same fixture

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

GROUPS = {"B": "政务", "C": "物业"}


def said(text: str, lang: str = "zh") -> str:
    return "/".join(one.text for sentence in sentences(text, lang, GROUPS) for one in sentence)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("您的号码 B031", "您的号码/政务零三一"),
        ("前面还有 3 人", "前面还有三人"),
        ("2个工作日，第2步，2号窗口", "两个工作日/第二步/二号窗口"),
        ("70岁以上，10–15 分钟", "七十岁以上/十到十五分钟"),
        ("电话 0851-12345678", "电话零八五一一二三四五六七八"),
        ("请拨110，等120分钟", "请拨一一零/等一百二十分钟"),
        ("12345 热线", "一二三四五热线"),
        ("2026年9月1日 08:30-17:00", "二零二六年九月一日八点三十分到十七点"),
        ("费用 3600元，占 5%，2/3 同意", "费用三千六百元/占百分之五/三分之二同意"),
        ("上传 PDF 文件", "上传/PDF/文件"),
        ("□ ——", ""),
    ],
)
def test_numbers_are_said_as_people_say_them(text: str, spoken: str) -> None:
    assert said(text) == spoken


def test_english_is_said_by_its_own_voice_and_hanzi_within_it_by_the_other() -> None:
    phrases = sentences("Your number is B031. Window: 民生保障窗口", "en", {"B": "Government affairs"})
    assert [(one.lang, one.text) for sentence in phrases for one in sentence] == [
        ("en", "Your number is Government affairs zero three one"),
        ("en", "Window"),
        ("zh", "民生保障窗口"),
    ]


def test_counting_and_spelling() -> None:
    assert [count(one) for one in (0, 10, 15, 20, 105, 110, 1005, 2050, 10_000, 20_500)] == [
        "零", "十", "十五", "二十", "一百零五", "一百一十", "一千零五", "二千零五十", "一万", "二万零五百",
    ]  # fmt: skip
    assert spell("031") == "零三一"


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        ("一个", "yi2 ge4"),
        ("一次", "yi2 ci4"),
        ("一般", "yi4 ban1"),
        ("一起", "yi4 qi3"),
        ("第一步", "di4 yi1 bu4"),
        ("统一", "tong3 yi1"),
        ("零三一号", "ling2 san1 yi1 hao4"),
        ("一百一十", "yi4 bai3 yi1 shi2"),
        ("不会", "bu2 hui4"),
        ("我还在办", "wo3 hai2 zai4 ban4"),
        ("人民调解", "ren2 min2 tiao2 jie3"),
        ("老人", "lao3 ren2"),
        ("妇女", "fu4 nv3"),
    ],
)
def test_hanzi_sound_as_they_do_among_others(text: str, sounds: str) -> None:
    assert pinyin(text) == sounds


def test_every_hanzi_of_the_catalogue_has_a_toned_sound(core: Core) -> None:
    """What has none would be read by espeak-ng as English letters."""
    phrases = {one.text for text in aloud.standing_texts(core) for one in text if one.lang == "zh"}
    assert len(phrases) > 500
    for phrase in phrases:
        syllables = pinyin(phrase).split()
        assert len(syllables) == len(phrase), phrase
        assert all(one[-1] in "12345" for one in syllables), phrase


# ---------------------------------------------------------------- who may have what said


def ask(client: FlaskClient, text: str, page: str = "/", lang: str = "zh") -> list[str]:
    answer = client.post("/api/read", json={"page": page, "lang": lang, "texts": [text]})
    assert answer.status_code == 200, answer.text
    told: list[str] = answer.get_json()["said"][0]
    return told


def test_only_what_is_ours_is_said(client: FlaskClient) -> None:
    assert ask(client, "最低生活保障申请")
    assert ask(client, "现在等候 12")
    assert ask(client, "本人身份证（原件，当场核验，不留复印件）", "/item/ZW-01"), "it stands on that page"
    assert not ask(client, "本人身份证（原件，当场核验，不留复印件）", "/parking"), "and not on that one"
    assert not ask(client, "王芳欠了三千元")
    assert not ask(client, "Give me your money", lang="en")


@pytest.mark.parametrize(
    "page", ["/live", "/console", "//evil.example/", "/static/touch.js", "/no/such/page", "x"]
)
def test_no_page_but_the_touchscreen_s_is_looked_at(client: FlaskClient, page: str) -> None:
    assert ask(client, "王芳欠了三千元", page) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"lang": "fr", "texts": []},
        {"lang": "zh", "texts": "请"},
        {"lang": "zh", "texts": [1]},
        {"lang": "zh", "texts": ["请"] * 161},
        {"lang": "zh", "texts": ["请" * 12_001]},
        {"lang": "zh", "texts": [], "page": 3},
    ],
)
def test_what_makes_no_sense_is_refused(client: FlaskClient, asked: dict[str, object]) -> None:
    assert client.post("/api/read", json=asked).status_code == 400


def test_a_sound_that_nobody_asked_for_is_not_made(client: FlaskClient, core: Core) -> None:
    assert client.get("/read/0123456789abcdef01234567.wav").status_code == 404
    assert client.get("/read/..%2f..%2fkiosk.wav").status_code == 404
    assert not core.reading.folder.exists()


# ---------------------------------------------------------------- the sound


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Reader]:
    one = Reader(tmp_path / "read")
    yield one
    one.stop()


def test_a_sentence_is_made_once_and_kept(made: Reader) -> None:
    sentence = (Phrase("zh", "请取号", 150), Phrase("en", "please", 350))
    name = made.know(sentence)
    wav = made.wav(name)
    assert wav is not None
    assert len(wav) / 2 / RATE > 0.5 + 0.6, "two spoken phrases and their pauses"
    assert made.made == 2
    assert made.wav(made.know(sentence)) == wav
    assert made.made == 2
    torn = made.file(sentence[0])
    torn.write_bytes(torn.read_bytes()[:20])  # a power cut while it was written
    assert made.wav(name) == wav


def test_the_folder_never_grows_beyond_its_budget(made: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not said for longest goes first."""
    monkeypatch.setattr(reading, "DISK_AT_MOST", 300_000)
    for number in range(12):
        phrase = Phrase("zh", f"第{count(number)}个号码请稍等", 0)
        assert made.wav(made.know((phrase,)))
        os.utime(made.file(phrase), (number, number))
    left = [file.stat() for file in made.folder.iterdir()]
    assert sum(one.st_size for one in left) == made.size <= 300_000 + 150_000
    assert min(one.st_mtime for one in left) > 0


def test_without_espeak_it_says_so_and_nothing_breaks(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    url = ask(client, "请点要办的事")[0]
    answer = client.get(url)
    assert answer.status_code == 503
    assert answer.get_json()["error"]["code"] == "reading_missing"
    assert "espeak-ng" in answer.get_json()["error"]["zh"]


def test_a_crowd_waits_elsewhere(made: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for a sound answer no touches: there are never many."""
    gate, inside = threading.Event(), threading.Semaphore(0)

    def slow(phrase: Phrase, file: Path) -> None:
        inside.release()
        assert gate.wait(10)
        raise CannotRead("failed", "told to")

    monkeypatch.setattr(made, "_make", slow)

    def say() -> None:
        with pytest.raises(CannotRead, match="told to"):
            made.wav(made.know((Phrase("zh", "请", 0),)))

    crowd = [threading.Thread(target=say) for _ in range(reading.WAITING_AT_MOST)]
    for one in crowd:
        one.start()
        assert inside.acquire(timeout=10)
    with pytest.raises(CannotRead) as refused:
        made.wav(made.know((Phrase("zh", "等", 0),)))
    assert refused.value.kind == "busy"
    gate.set()
    for one in crowd:
        one.join()


def test_who_asks_while_the_kiosk_closes_begins_no_program(made: Reader) -> None:
    """A page that was being read when the kiosk stopped: its next sentence would be made by a child of nobody."""
    assert made.wav(made.know((Phrase("zh", "请", 0),)))
    made.stop()
    with pytest.raises(CannotRead, match="closing"):
        made.wav(made.know((Phrase("zh", "等", 0),)))
    assert made._child is None


def test_warming_makes_what_will_be_asked_for_and_stops_at_its_budget(made: Reader) -> None:
    wanted = [(Phrase("zh", one, 350),) for one in ("首页", "返回", "首页", "朗读")]
    made.begin_warming(wanted, 0.0)
    assert made.warmed.wait(20)
    assert made.made == 3
    assert all(made.is_ready(one) for one in wanted)


# ---------------------------------------------------------------- in the browser

HEARD = """() => { window.heard = []; for (const what of ['playing', 'ended', 'pause'])
  document.addEventListener(what, (event) => heard.push(what), true); }"""


def is_read(page: Page) -> None:
    page.wait_for_function("() => window.heard.includes('playing')")


@pytest.mark.slow
def test_the_button_reads_what_is_seen_in_its_order_and_a_touch_ends_it(visit: Open) -> None:
    page = visit("/item/ZW-01", clock=False)
    page.evaluate(HEARD)
    texts = page.evaluate("linliAloud.gather()")
    assert texts[0] == "政务 最低生活保障申请"
    bring, card = (
        texts.index("要带什么 以窗口答复为准"),
        texts.index("本人身份证（原件，当场核验，不留复印件）"),
    )
    assert bring < card < texts.index("怎么办")
    assert "可以点: 70岁以上" in texts
    assert texts[-1] == "叫人帮忙"
    assert not any("号码" in one for one in texts), "the number's page is not there yet"
    page.get_by_role("button", name="朗读").click()
    is_read(page)
    expect(page.locator(".aloud-now")).to_have_count(1)
    page.get_by_role("button", name="停", exact=True).click()
    expect(page.locator(".aloud-now")).to_have_count(0)
    page.get_by_role("button", name="朗读").click()
    is_read(page)
    page.mouse.click(400, 400)
    expect(page.get_by_role("button", name="朗读")).to_be_visible()
    assert page.evaluate("[...document.querySelectorAll('audio')].every((one) => one.paused)")


#: Players whose sentences end when the story says so: how long a real one lasts is the machine's affair, and the page's
#: clock is held meanwhile.
HELD_PLAYERS = """() => { window.playing = [];
  for (const one of document.querySelectorAll('[data-aloud-player]')) {
    Object.defineProperty(one, 'src', {set() { queueMicrotask(() => one.oncanplaythrough()); }});
    one.play = () => { playing.push(one); return Promise.resolve(); };
  } }"""


@pytest.mark.slow
def test_who_listens_is_not_asked_whether_he_is_there(visit: Open) -> None:
    """A minute and a half without a touch, and a new sentence each forty seconds."""
    page = visit("/item/ZW-01")
    page.evaluate(HELD_PLAYERS)
    page.get_by_role("button", name="朗读").click()
    for sentence in range(1, 4):
        page.wait_for_function("(many) => window.playing.length === many", arg=sentence, polling=50)
        forward(page, 40_000)
        expect(page.locator("dialog[data-idle]")).to_be_hidden()
        page.evaluate("playing.at(-1).onended()")


@pytest.mark.slow
def test_what_is_urgent_is_said_by_itself_but_not_in_quiet_hours(visit: Open, core: Core) -> None:
    page = visit("/item/WY-02", clock=False)
    page.evaluate(HEARD)
    show = "document.querySelector('.urgent').dataset.aloudNow = String(Math.random())"
    page.evaluate(show)
    is_read(page)
    core.writer.write(
        lambda notebook: notebook.execute("INSERT INTO voice_policy VALUES ('quiet', '[[0, 1440]]')")
    )
    page.reload()
    page.evaluate(HEARD)
    with page.expect_response("**/api/read") as told:
        page.evaluate(show)
    assert told.value.json()["quiet"] is True
    page.get_by_role("button", name="朗读").click()  # who wants to hear it, hears it
    is_read(page)
    assert page.evaluate("heard.filter((one) => one === 'playing').length") == 1


@pytest.mark.slow
def test_where_espeak_is_missing_the_button_says_so(
    visit: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit("/parking?lang=en", clock=False)
    assert shutil.which("espeak-ng") is not None
    monkeypatch.setenv("PATH", str(tmp_path))
    page.get_by_role("button", name="Read aloud").click()
    expect(page.locator("[data-aloud-told]")).to_contain_text("No reading voice is installed here")
    expect(page.get_by_role("button", name="Read aloud")).to_be_visible()
    page.get_by_role("link", name="Home").click()
    expect(page.locator(".item").first).to_be_attached()
