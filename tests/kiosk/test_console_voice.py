"""The console's page about the hall's voice: settings, a trial, words recorded, swapped and taken back."""

from __future__ import annotations

import io
import json
import math
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from werkzeug.test import TestResponse

from kiosk.voice import sound
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, ORIGIN, Client, ConsoleHall, console_hall
from tests.kiosk.voice_hall import rows
from tests.whole_hall import chromium


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path / "hall") as one:
        yield one


@pytest.fixture
def admin(hall: ConsoleHall) -> Client:
    return hall.client(ADMIN, ADMIN_PASSWORD)


def tone(
    seconds: float = 0.5, *, hz: float = 440, loud: float = 0.1, rate: int = 48_000, channels: int = 2
) -> bytes:
    """A word from a microphone: half a second of silence, a tone, half a second of silence."""
    still = [0] * (rate // 2)
    samples = [
        *still,
        *(int(32767 * loud * math.sin(math.tau * hz * n / rate)) for n in range(int(rate * seconds))),
    ]
    samples += still
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(array("h", [one for one in samples for _ in range(channels)]).tobytes())
    return out.getvalue()


def record(client: Client, data: bytes, voice: str = "zh", part: str = "digit:3") -> TestResponse:
    headers = {"Origin": ORIGIN, "X-Form-Token": client.token("/console"), "Content-Type": "audio/wav"}
    return client.post(f"/console/api/voice/clip?voice={voice}&part={part}", data=data, headers=headers)


def settings(**more: str) -> dict[str, str]:
    return {"volume": "60", "expires_s": "45", "voices": "zh", "gong": "yes", "quiet": "", **more}


def test_what_is_set_is_in_force_and_written_down(hall: ConsoleHall, admin: Client) -> None:
    answer = admin.form("/console/voice", **settings(quiet="12:00-14:00\n22：30 至 6:00", twice="yes"))
    assert answer.status_code == 303
    policy = hall.core.voice.policy()
    assert (policy.volume, policy.expires_s, policy.twice, policy.follow_ticket) == (60, 45, True, False)
    assert policy.quiet == ((720, 840), (1350, 360))
    page = admin.get("/console/voice").get_data(as_text=True)
    assert "22:30-06:00" in page
    assert "改语音设置" in admin.get("/console/journal").get_data(as_text=True)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"volume": "101"}, "音量"),
        ({"volume": "laut"}, "音量"),
        ({"expires_s": "5"}, "过时不报"),
        ({"voices": "../zh"}, "代号"),
        ({"quiet": "25:00-26:00"}, "看不懂这一行"),
        ({"quiet": "中午"}, "看不懂这一行：中午"),
        ({"quiet": "12:00-12:00"}, "起止不能相同"),
        ({"dialect": "gy"}, "方言"),
        ({"dialect": "zh", "dialect_name": "国语"}, "方言"),
    ],
)
def test_one_wrong_setting_changes_none_and_keeps_what_was_typed(
    hall: ConsoleHall, admin: Client, wrong: dict[str, str], why: str
) -> None:
    answer = admin.form("/console/voice", **(settings() | wrong))
    assert answer.status_code == 400
    page = answer.get_data(as_text=True)
    assert why in page
    assert 'value="45"' in page or "expires_s" in wrong
    assert hall.core.voice.policy().volume == 80


def test_a_dialect_has_a_slot_of_its_own_and_mandarin_stands_in(hall: ConsoleHall, admin: Client) -> None:
    admin.form("/console/voice", **settings(dialect="gy", dialect_name="贵阳话"))
    assert record(admin, tone(), "zh", "digit:3").status_code == 201
    page = admin.get("/console/voice?voice=gy").get_data(as_text=True)
    assert "贵阳话" in page
    assert page.count(">用普通话顶上<") == 1
    assert hall.core.voice.clips.part("gy", "digit:3") == hall.core.voice.clips.part("zh", "digit:3")


def test_a_trial_is_said_by_the_way_of_a_call(hall: ConsoleHall, admin: Client) -> None:
    answer = admin.form("/console/voice/try", "/console/voice")
    assert answer.status_code == 303
    assert [(row["state"], row["ticket_id"], row["words"][:2]) for row in rows(hall.core)] == [
        ("waiting", None, ["gong", "word:trial"])
    ]
    assert hall.core.voice_bell.is_set()


def test_a_recording_is_trimmed_made_as_loud_as_all_others_and_used_at_once(
    hall: ConsoleHall, admin: Client
) -> None:
    before = hall.core.voice.clips.part("zh", "digit:3")
    for loud in (0.02, 0.9):
        assert record(admin, tone(loud=loud)).status_code == 201
        clip = hall.core.voice.clips.part("zh", "digit:3")
        assert clip is not None
        assert clip != before
        assert clip.seconds == pytest.approx(0.56, abs=0.05), (
            "half a second of word, and what a consonant needs"
        )
        assert sound.loudness_db(clip.samples) == pytest.approx(sound.SPEECH_DB, abs=1.0)
    heard = admin.get("/console/voice/sound?voice=zh&part=digit:3")
    assert heard.mimetype == "audio/wav"
    assert clip is not None
    assert sound.read_wav(heard.data).samples == clip.samples


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "不是 WAV"),
        (b"RIFF" + bytes(40), "不是 WAV"),
        (tone(loud=0.0), "听不到声音"),
        (tone(9.0, rate=16_000, channels=1), "太长"),
        (tone(rate=7_000), "8–96 kHz"),
    ],
)
def test_what_is_no_clip_is_refused_with_the_reason(
    hall: ConsoleHall, admin: Client, data: bytes, why: str
) -> None:
    answer = record(admin, data)
    assert answer.status_code == 400
    assert why in answer.get_json()["error"]["zh"]
    assert not hall.core.reader().execute("SELECT 1 FROM voice_clips").fetchall()
    assert not list((hall.house.home / "voice").glob("zh/*"))


def test_more_than_a_megabyte_is_refused_before_it_is_read(admin: Client) -> None:
    assert record(admin, bytes(1_000_001)).status_code == 413


@pytest.mark.parametrize(
    ("voice", "part"), [("zh", "digit:12"), ("../x", "digit:3"), ("zh", "../../x"), ("", "")]
)
def test_a_word_that_nobody_says_cannot_be_recorded(admin: Client, voice: str, part: str) -> None:
    assert record(admin, tone(), voice, part).status_code == 400


def test_a_swap_is_taken_back_and_old_takes_end_with_their_files(hall: ConsoleHall, admin: Client) -> None:
    first = record(admin, tone(hz=300)).get_json()["clip_id"]
    low = hall.core.voice.clips.part("zh", "digit:3")
    record(admin, tone(hz=900))
    fields = {"voice": "zh", "part": "digit:3"}
    answer = admin.form("/console/voice/clip", "/console/voice", clip_id=str(first), **fields)
    assert answer.status_code == 303
    assert hall.core.voice.clips.part("zh", "digit:3") == low
    admin.form("/console/voice/clip", "/console/voice", do="machine", **fields)
    machine = hall.core.voice.clips.part("zh", "digit:3")
    assert machine != low
    for hz in (400, 500, 600, 700, 800):
        record(admin, tone(hz=hz))
    assert len(list((hall.house.home / "voice" / "zh").iterdir())) == 5
    answer = admin.form("/console/voice/clip", "/console/voice", clip_id=str(first), **fields)
    assert answer.status_code == 409
    assert "已经没有了" in answer.get_data(as_text=True)


def test_a_fault_of_the_voice_stands_on_the_console_and_in_healthz(hall: ConsoleHall, admin: Client) -> None:
    assert hall.app.test_client().get("/healthz").get_json()["parts"]["voice"]["state"] == "ready"
    hall.core.voice.fault("player", "声音放不出来", "no sound")
    page = admin.get("/console/voice").get_data(as_text=True)
    assert "声音放不出来" in page
    part = hall.app.test_client().get("/healthz").get_json()["parts"]["voice"]
    assert (part["state"], part["why_en"]) == ("degraded", "no sound")
    facts = json.loads(json.dumps(admin.get("/console/api/calls").get_json()))
    assert facts is not None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_word_is_recorded_in_a_real_browser(hall: ConsoleHall) -> None:
    """Chromium's own pretended microphone beeps; what arrives is a clip of the hall."""
    base = hall.serve()
    with chromium("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream") as browser:
        page = browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda wrong: faults.append(str(wrong)))
        page.goto(base + "/console/sign-in")
        page.fill("input[name=name]", ADMIN)
        page.fill("input[name=password]", ADMIN_PASSWORD)
        page.click("form button.main")
        page.goto(base + "/console/voice")
        row = page.locator("tr[data-part='digit:3']")
        row.locator("[data-record]").click()
        expect(row.locator("[data-record]")).to_have_text("停")
        page.wait_for_timeout(1600)  # the pretended microphone beeps once a second
        with page.expect_response(lambda answer: "/console/api/voice/clip" in answer.url) as answered:
            row.locator("[data-record]").click()
        assert answered.value.status == 201
        expect(row).to_contain_text(ADMIN)
        expect(row.locator("button", has_text="改用机器读")).to_be_visible()
        assert faults == []
    clip = hall.core.voice.clips.part("zh", "digit:3")
    assert clip is not None
    assert sound.loudness_db(clip.samples) > -30
