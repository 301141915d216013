"""A request is taken in: once, with its slip, its notes and its code; and whatever goes wrong, nothing is lost."""

from __future__ import annotations

import itertools
import json
import os
import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk import content, requests
from kiosk.catalogue import Catalogue
from kiosk.core import Core
from kiosk.requests import keeping, looking, notes
from kiosk.rules.requests import EXTRA, FIELDS, KINDS, SIGNS, Both, may_ask
from kiosk.writer import NotKnown, Writer
from tests.kiosk.conftest import ROOM, HeldClock
from tests.kiosk.note_samples import ogg, png, webm
from tests.kiosk.one_app import app_over

Json = dict[str, Any]
LEAK: Json = {
    "kind": "leak", "place": "home", "building": "3栋", "unit": "2", "room": "502", "words": "天花板在滴水",
    "name": "张大伟", "phone": "13812345678", "lang": "zh", "screen": "kiosk-1",
}  # fmt: skip
#: What each field may look like.
FITTING: Json = {
    "name": "张伟", "phone": "13812345678", "building": "3", "unit": "1", "room": "502", "words": "x", "skills": "书法",
    "employer_branch": "一支部", "birth_year": "1950", "preferred_day": "2026-12-01", "meal_choice": "lunch",
}  # fmt: skip


@pytest.fixture
def send(client: FlaskClient) -> Callable[..., Json]:
    def send(status: int | None = 201, **asked: object) -> Json:
        answer = client.post("/api/requests", json={**LEAK, **asked})
        assert status in (None, answer.status_code), answer.text
        return dict(answer.get_json())

    return send


def count(core: Core, table: str) -> int:
    return int(core.reader().execute(f"SELECT count(*) FROM {table}").fetchone()[0])


# ---------------------------------------------------------------- taking in


def test_a_request_is_written_with_its_step_its_slip_and_its_line(core: Core, send: Callable[..., Json]) -> None:
    told = send(key="k1")
    assert len(told["code"]) == 8
    assert set(told["code"]) <= set(SIGNS)
    assert told["number"] == "1122-01"
    assert told["answer_by"]["zh"] == "一般明天 10:00 前有人答复（以窗口答复为准）"
    assert told["urgent"] is None
    assert told["slip"]["state"] == "QUEUED"
    assert told["notes"] == ["voice", "drawing"]
    row = requests.by_code(core, told["code"])
    assert row is not None
    assert (row.state, row.door, row.phone, row.urgent) == ("RECEIVED", "3栋-2-502", "13812345678", False)
    steps = looking.steps(core.reader(), row.request_id)
    assert [(one.event, one.by) for one in steps] == [("received", "kiosk-1")]
    slip = core.reader().execute("SELECT kind, body FROM slips WHERE slip_id = ?", (row.slip_id,)).fetchone()
    assert slip["kind"] == "receipt"
    assert told["code"] in slip["body"]
    assert not any(secret in slip["body"] for secret in ("张大伟", "1381234", "502", "滴水"))
    line = core.reader().execute("SELECT event, detail FROM journal").fetchone()
    assert line["event"] == "request"
    assert json.loads(line["detail"]) == {"request": row.request_id, "kind": "leak", "place": "home"}


def test_two_touches_and_two_tabs_with_one_key_are_one_request(
    core: Core, app: Flask, send: Callable[..., Json]
) -> None:
    first = send(key="same")
    again = send(200, key="same", words="another tab says something else")
    assert again["code"] == first["code"]
    assert app.test_client().post("/api/requests", json={**LEAK, "key": "same"}).get_json()["code"] == first["code"]
    assert (count(core, "requests"), count(core, "slips"), count(core, "request_steps")) == (1, 1, 1)
    assert send(409, key="same", kind="drain")["error"]["code"] == "key_used"


def test_an_urgent_request_is_due_in_minutes_and_says_first_whom_to_dial(
    core: Core, send: Callable[..., Json], clock: HeldClock
) -> None:
    told = send(key="gas", kind="gas")
    assert told["urgent"]["phone"] == "119"
    assert told["urgent"]["zh"].startswith("先关阀")
    row = requests.by_code(core, told["code"])
    assert row is not None
    assert row.answer_by_ms == clock.now_ms + 30 * 60_000
    # The gas company's number is the hall's own to write down; it is never guessed.
    assert told["phones"] == ["119"]
    content.put(core, "hall", {"phone_gas": "0851-96777"}, "王芳")
    assert send(200, key="gas", kind="gas")["phones"] == ["119", "0851-96777"]


def test_every_urgent_kind_begins_with_a_number_or_with_whom_to_call(
    core: Core, client: FlaskClient, send: Callable[..., Json]
) -> None:
    """119 large where somebody may be hurt now, and nowhere else; never an empty place where the hall wrote none."""

    def large(kind: str) -> list[str]:
        box = client.get(f"/ask/{kind}").text.split('class="danger" data-aloud-now')[1].split("do-first")[0]
        found = re.findall(r"<strong>([^<]+)</strong>", box)
        assert found or ("110" in box and "马上叫工作人员" in box), kind
        return found

    shown = {kind.code: large(kind.code) for kind in KINDS.values() if kind.urgent}
    assert {code for code, numbers in shown.items() if "119" in numbers} == {"fire", "gas", "trapped"}
    assert shown["fire_lane"] == shown["lift"] == []
    lane = send(key="lane", kind="fire_lane", place="yard")
    assert (lane["urgent"]["phone"], lane["phones"]) == ("110", ["110", "119"])
    content.put(core, "hall", {"phone_property": "0851-8888"}, "王芳")
    assert large("fire_lane") == ["0851-8888"]
    assert "已经起火" in lane["urgent"]["zh"]
    assert send(200, key="lane", kind="fire_lane", place="yard")["phones"] == ["0851-8888"]


def test_the_hall_own_sentences_are_its_presets(core: Core, send: Callable[..., Json]) -> None:
    lift = {"kind": "lift", "place": "lift", "name": "", "phone": "", "words": "二号梯停了"}
    assert send(422, key="l1", **lift)["error"]["field"] == "words"
    content.put(core, "presets:lift", {"lines": [{"zh": "二号梯停了", "en": "Lift two has stopped"}]}, "王芳")
    assert send(key="l1", **lift)["number"] == "1122-01"


def test_every_field_that_an_item_may_not_ask_for_is_refused_and_nothing_is_written(
    core: Core, client: FlaskClient, catalogue: Catalogue
) -> None:
    """Every kind and every field of ours, over HTTP. Voices and drawings travel by a road of their own."""
    refused = 0
    for kind, name in itertools.product(KINDS.values(), FIELDS):
        service = catalogue.service(kind.service_code)
        assert service is not None
        if may_ask(service.kiosk_fields, name):
            continue
        field = {"extra": {name: FITTING.get(name, "x")}} if name in EXTRA else {name: FITTING.get(name, "x")}
        asked = {"kind": kind.code, "key": f"{kind.code}-{name}", "place": (kind.places or ("",))[0], **field}
        answer = client.post("/api/requests", json=asked)
        wrong = answer.get_json()["error"]
        assert (answer.status_code, wrong["code"], wrong["field"]) == (422, "field_not_asked", name), kind.code
        refused += 1
    assert refused > 100
    assert count(core, "requests") == 0


def test_what_is_no_request_is_refused_in_both_languages(core: Core, send: Callable[..., Json]) -> None:
    wrong: list[tuple[Json, int, str]] = [
        ({"kind": "nothing"}, 404, "unknown_kind"),
        ({"kind": ["leak"]}, 404, "unknown_kind"),
        ({"kind": None}, 404, "unknown_kind"),
        ({"key": "not a key!"}, 400, "bad_key"),
        ({"key": 7}, 400, "bad_key"),
        ({"lang": "fr"}, 400, "bad_request"),
        ({"screen": "../x"}, 400, "bad_request"),
        ({"building": ""}, 422, "field_wrong"),
        ({"id_card": "52010319480101123X"}, 422, "field_not_asked"),
        ({"words": "52010319480101123X"}, 422, "field_wrong"),
        ({"kind": "trapped", "place": "lift", "name": "", "words": ["x"]}, 422, "field_not_asked"),
    ]
    for asked, status, code in wrong:
        said = send(status, **{"key": "k", **asked})["error"]
        assert said["code"] == code
        assert said["zh"] != said["en"]
    assert count(core, "requests") == 0


def test_a_field_left_empty_was_not_given_whatever_its_name(core: Core, send: Callable[..., Json]) -> None:
    send(key="k1", nickname="", door=None, extra={"kind": "", "place": None})
    assert count(core, "requests") == 1


def test_the_square_for_a_telephone_tells_nobody_which_codes_there_are(
    core: Core, client: FlaskClient, send: Callable[..., Json]
) -> None:
    """Codes are guessed five times a minute, by `/progress`; this picture would have answered a thousand guesses."""
    code = send(key="k1")["code"]
    plan = replace(core.house.plan, http=replace(core.house.plan.http, base_url="https://hall.example"))
    house = replace(core.house, plan=plan)
    seen = app_over(replace(core, house=house)).test_client()
    mine, guessed = seen.get(f"/ask/{code}/qr.svg"), seen.get("/ask/22222222/qr.svg")
    assert (mine.status_code, guessed.status_code) == (200, 200)
    assert mine.data != guessed.data
    assert seen.get("/ask/leak/qr.svg").status_code == 404, "no code at all"
    assert client.get(f"/ask/{code}/qr.svg").status_code == 404, "a hall that telephones cannot reach"


def test_half_a_sign_and_a_script_in_a_name_do_no_harm(client: FlaskClient, send: Callable[..., Json]) -> None:
    for field in ("words", "kind", "zzz"):
        body = json.dumps({**LEAK, "key": "h", field: "\ud800"})
        answer = client.post("/api/requests", data=body, content_type="application/json")
        assert answer.status_code in (404, 422), answer.text
    hostile = "<script>alert(1)</script>"
    code = send(key="s", name=hostile[:20], words=hostile)["code"]
    page = client.get(f"/progress/{code}", headers={"Accept": "text/html"}).text
    assert "alert(1)" not in page, "nothing that the resident wrote is on a page for whoever has the code"


def test_a_disk_that_is_full_says_so_and_the_same_key_works_afterwards(core: Core, send: Callable[..., Json]) -> None:
    """SQLite may not take another page: what it answers is what a full card answers."""
    core.writer.write(lambda notebook: notebook.execute("PRAGMA max_page_count=1").fetchall())
    words, written = "长" * 500, 0
    while send(None, key=f"k{written}", words=words).get("error") is None:
        written += 1
        assert written < 100, "the disk never filled up"
    assert count(core, "requests") == written, "what was promised is there, what was refused is not"
    assert core.writer.trouble
    # There is room again (the notebook reopens itself): the same key, as the page repeats it.
    assert send(201, key=f"k{written}", words=words)["number"] == f"1122-{written + 1:02d}"
    assert count(core, "requests") == count(core, "slips") == written + 1


# ---------------------------------------------------------------- notes


def test_a_voice_and_a_drawing_are_kept_whole_and_once(
    core: Core, client: FlaskClient, send: Callable[..., Json]
) -> None:
    code = send(key="k1")["code"]
    for kind, data, another in (("voice", webm(4), ogg(4)), ("drawing", png(), png(300))):
        url = f"/api/requests/{code}/{kind}?key=k1"
        assert client.post(url, data=data).status_code == 201
        assert client.post(url, data=data).status_code == 200, "sent again over a restart"
        assert client.post(url, data=another).get_json()["error"]["code"] == "note_again"
    kept = looking.notes(core.reader(), 1)
    assert [one.kind for one in kept] == ["voice", "drawing"]
    for one, data in zip(kept, (webm(4), png()), strict=True):
        file = core.house.home / "notes" / one.file
        assert file.read_bytes() == data
        assert file.stat().st_mode & 0o007 == 0, "a voice is nobody else's"
    assert len([file for file in (core.house.home / "notes").rglob("*") if file.is_file()]) == 2


def test_a_wrong_file_is_refused_and_the_request_stays(
    core: Core, client: FlaskClient, send: Callable[..., Json]
) -> None:
    code = send(key="k1")["code"]
    for kind, data, status, why in (
        ("voice", b"RIFFxxxxWAVE", 415, "note_kind"),
        ("voice", ogg(70), 400, "note_too_long"),
        ("voice", b"", 400, "note_empty"),
        ("voice", b"OggS" + bytes(1_000_001), 413, "note_too_large"),
        ("drawing", b"\x89PNG\r\n\x1a\n" + bytes(300_001), 413, "note_too_large"),
        ("drawing", b"<svg onload=alert(1)>", 415, "note_kind"),
    ):
        answer = client.post(f"/api/requests/{code}/{kind}?key=k1", data=data)
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, why)
        assert "不用重来" in answer.get_json()["error"]["zh"]
    assert client.get(f"/api/progress/{code}").get_json()["state"] == "RECEIVED"
    assert not list((core.house.home / "notes").rglob("*.*"))


def test_a_note_needs_the_key_the_item_and_the_hour(
    core: Core, client: FlaskClient, send: Callable[..., Json], clock: HeldClock
) -> None:
    code = send(key="k1")["code"]
    assert client.post(f"/api/requests/{code}/voice?key=k2", data=ogg()).status_code == 403
    assert client.post(f"/api/requests/{code}/voice", data=ogg()).status_code == 403
    assert client.post(f"/api/requests/{code}/film?key=k1", data=ogg()).status_code == 404
    lift = send(key="k2", kind="lift", place="lift", name="", phone="", words="")["code"]
    refused = client.post(f"/api/requests/{lift}/voice?key=k2", data=ogg())
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (422, "note_not_asked")
    clock.forward(hours=1, seconds=1)
    assert client.post(f"/api/requests/{code}/voice?key=k1", data=ogg()).get_json()["error"]["code"] == "note_late"
    clock.forward(hours=-1)
    requests.do(core, 1, "cancel", "王芳", Both("不用了", ""))
    assert client.post(f"/api/requests/{code}/voice?key=k1", data=ogg()).get_json()["error"]["code"] == "note_closed"


def test_a_large_body_is_only_taken_where_a_note_may_come(client: FlaskClient) -> None:
    assert client.post("/api/requests", data=b"{" + b" " * 70_000, content_type="application/json").status_code == 413


def test_a_note_for_which_there_is_no_room_is_refused_and_may_come_again(
    core: Core, client: FlaskClient, send: Callable[..., Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = send(key="k1")["code"]
    with monkeypatch.context() as nearly_full:
        nearly_full.setattr(notes, "FREE_AT_LEAST", 1 << 60)
        answer = client.post(f"/api/requests/{code}/voice?key=k1", data=ogg())
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "note_disk")
    (core.house.home / "notes").rmdir()
    (core.house.home / "notes").write_bytes(b"")  # a disk that went bad: no folder can be made
    assert client.post(f"/api/requests/{code}/voice?key=k1", data=ogg()).status_code == 503
    (core.house.home / "notes").unlink()
    assert client.post(f"/api/requests/{code}/voice?key=k1", data=ogg()).status_code == 201
    assert not list((core.house.home / "notes").rglob("*.part"))


def test_a_voice_of_which_the_disk_cannot_say_whether_it_is_written_is_not_thrown_away(
    core: Core, client: FlaskClient, send: Callable[..., Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, write = send(key="k1")["code"], core.writer.write

    def slow(work: Callable[[sqlite3.Connection], object]) -> object:
        write(work)
        raise NotKnown("the disk has not answered for 2 s: it may or may not be written")

    with monkeypatch.context() as patched:
        patched.setattr(core.writer, "write", slow)
        assert client.post(f"/api/requests/{code}/voice?key=k1", data=ogg()).status_code == 503
    # Sent again, as the page does.
    assert client.post(f"/api/requests/{code}/voice?key=k1", data=ogg()).status_code == 200
    found = notes.open_note(core, 1)
    assert found is not None
    assert found[1].read_bytes() == ogg()


# ---------------------------------------------------------------- how it goes, and who guesses


def test_progress_tells_the_steps_and_nothing_of_a_person(
    core: Core, client: FlaskClient, send: Callable[..., Json], clock: HeldClock
) -> None:
    code = send(key="k1")["code"]
    clock.forward(seconds=90)
    requests.do(core, 1, "accept", "王芳")
    requests.do(core, 1, "note", "王芳", note="他家有狗")
    requests.do(core, 1, "done", "王芳", Both("已修好", "Repaired"))
    told = client.get(f"/api/progress/{code.lower()}").get_json()
    assert told["state_words"] == {"zh": "已办结", "en": "Done"}
    assert [one["zh"] for one in told["steps"]] == ["已收到，工作人员会看到", "已有工作人员受理", "已办结：已修好"]
    assert told["steps"][2]["en"] == "Done: Repaired"
    whole = json.dumps(told, ensure_ascii=False) + client.get(f"/progress/{code}", headers={"Accept": "text/html"}).text
    assert not any(secret in whole for secret in ("张大伟", "1381234", "2-502", "滴水", "王芳", "狗"))


def test_five_wrong_codes_lock_that_asker_for_a_minute_also_across_a_restart(
    core: Core, client: FlaskClient, send: Callable[..., Json], clock: HeldClock
) -> None:
    code = send(key="k1")["code"]
    for _ in range(4):
        assert client.get("/api/progress/22222222?screen=kiosk-1").status_code == 404
        clock.forward(seconds=2)
    fifth = client.get("/api/progress/22222222?screen=kiosk-1")
    assert (fifth.status_code, fifth.headers["Retry-After"]) == (429, "60")
    assert "60 秒" in fifth.get_json()["error"]["zh"]
    clock.forward(seconds=20)
    core.writer.stop()
    # The power goes; another process opens the same notebook.
    writer = Writer(core.house.kiosk_db, ROOM / "schema")
    writer.start()
    again = app_over(replace(core, writer=writer)).test_client()
    locked = again.get(f"/api/progress/{code}?screen=kiosk-1")
    assert (locked.status_code, locked.headers["Retry-After"]) == (429, "40"), "a right code is told nothing either"
    assert again.get(f"/api/progress/{code}?screen=kiosk-2").status_code == 200, "another screen is nobody's fault"
    page = again.get(f"/progress/{code}", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["Retry-After"]) == (429, "40")
    # Somebody's guesses at this screen cost nobody a voice: who has the key has no need to guess.
    assert again.post(f"/api/requests/{code}/voice?key=k1", data=ogg()).status_code == 201
    assert again.post(f"/api/requests/{code}/drawing?key=k2", data=png()).status_code == 429
    clock.forward(seconds=40)
    assert again.get(f"/api/progress/{code}?screen=kiosk-1").status_code == 200
    writer.stop()


def test_one_wrong_code_locks_nobody_because_of_five_that_had_their_minute(
    client: FlaskClient, send: Callable[..., Json], clock: HeldClock
) -> None:
    """What is looked back at must not be cut within an old five: its rest and a new one were five again."""
    code = send(key="k1")["code"]
    for wait_s in (60, 60, 60, 60, 390, 42):
        client.get("/api/progress/22222222")
        clock.forward(seconds=wait_s)
    assert client.get(f"/api/progress/{code}").status_code == 200


def test_a_clock_that_was_set_back_locks_nobody_out(
    client: FlaskClient, send: Callable[..., Json], clock: HeldClock
) -> None:
    code = send(key="k1")["code"]
    for _ in range(5):
        client.get("/api/progress/22222222")
    clock.forward(hours=-3)
    assert client.get(f"/api/progress/{code}").status_code == 200


def test_a_stranger_is_known_by_the_address_whatever_screen_it_says(
    client: FlaskClient, send: Callable[..., Json]
) -> None:
    code = send(key="k1")["code"]
    stranger = {"REMOTE_ADDR": "192.168.1.77"}
    for number in range(1, 6):
        client.get(f"/api/progress/22222222?screen=kiosk-{number}", environ_base=stranger)
    assert client.get(f"/api/progress/{code}?screen=kiosk-9", environ_base=stranger).status_code == 429
    assert client.get(f"/api/progress/{code}?screen=kiosk-1").status_code == 200


def test_what_can_be_no_code_is_no_guess(client: FlaskClient) -> None:
    for typed in ("-", "123", "OOOO0000", "7KQ2M9XA7") * 3:
        assert client.get(f"/api/progress/{typed}").status_code == 400


# ---------------------------------------------------------------- what is kept, and how long


def test_voices_go_thirty_days_after_closing_and_names_after_two_years(
    core: Core, client: FlaskClient, send: Callable[..., Json], clock: HeldClock
) -> None:
    code = send(key="k1")["code"]
    client.post(f"/api/requests/{code}/voice?key=k1", data=ogg())
    client.get("/api/progress/22222222")
    file = core.house.home / "notes" / looking.notes(core.reader(), 1)[0].file
    stray = file.with_name("left-by-a-power-cut.ogg")
    stray.write_bytes(ogg())
    requests.do(core, 1, "done", "王芳", Both("给张大伟修好了", ""))
    clock.forward(hours=24 * 30)
    send(key="day-30")
    keeping.tidy(core)
    assert file.exists()
    assert count(core, "wrong_codes") == 0
    clock.forward(hours=24 * 1)
    send(key="day-31")
    while keeping.tidy(core):
        pass
    assert not file.exists()
    assert looking.notes(core.reader(), 1)[0].gone_ms is not None
    assert notes.open_note(core, 1) is None
    clock.forward(hours=24 * 730)
    send(key="two-years")
    while keeping.tidy(core):
        pass
    row = looking.by_id(core.reader(), 1)
    assert row is not None
    assert (row.name, row.phone, row.unit, row.room, row.words) == ("", "", "", "", "")
    assert (row.building, row.kind_code, row.state) == ("3栋", "leak", "DONE"), "what is counted stays"
    assert not any(one.told.zh or one.note for one in looking.steps(core.reader(), 1))
    newest = looking.by_id(core.reader(), 4)
    assert newest is not None
    assert newest.name == "张大伟"


def test_what_staff_wrote_goes_after_two_years_too_where_the_resident_gave_nothing(
    core: Core, send: Callable[..., Json], clock: HeldClock
) -> None:
    plain = dict.fromkeys(("unit", "room", "words", "name", "phone"), "")
    send(key="k1", **plain, place="stairs")
    send(key="k2", **plain, place="stairs")
    requests.do(core, 1, "done", "王芳", Both("已上门，302 的李伟在家", ""))
    clock.forward(hours=24 * 731)
    send(key="two-years")
    requests.do(core, 2, "note", "王芳", note="李伟又来问")
    while keeping.tidy(core):
        pass
    assert not any(one.told.zh or one.note for one in looking.steps(core.reader(), 1))
    assert looking.steps(core.reader(), 2)[-1].note, "an open one is still worked on"
    requests.do(core, 1, "note", "王芳", note="李伟又来问")
    while keeping.tidy(core):
        pass
    assert not any(one.note for one in looking.steps(core.reader(), 1)), "written after it was forgotten"


def test_a_file_that_goes_while_strays_are_looked_for_ends_nothing(
    core: Core, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A voice that comes in just then is renamed from its .part; the thread that tidies must live on."""
    folder = core.house.home / "notes" / "2026-11"
    folder.mkdir(parents=True)
    stray = folder / "stray.ogg"
    stray.write_bytes(ogg())
    walk = os.walk
    monkeypatch.setattr(os, "walk", lambda place: [*walk(place), (str(folder), [], ["gone.ogg.part"])])
    clock.forward(hours=24 * 3650)
    while keeping.tidy(core):
        pass
    assert not stray.exists()


def test_a_clock_that_runs_ahead_forgets_nothing(
    core: Core, client: FlaskClient, send: Callable[..., Json], clock: HeldClock
) -> None:
    code = send(key="k1")["code"]
    client.post(f"/api/requests/{code}/voice?key=k1", data=ogg())
    requests.do(core, 1, "done", "王芳", Both("好了", ""))
    clock.forward(hours=24 * 3650)  # nobody has been here since: the clock is wrong, not the hall empty
    keeping.tidy(core)
    assert looking.notes(core.reader(), 1)[0].gone_ms is None


def test_open_requests_are_counted_for_whoever_watches(
    client: FlaskClient, clock: HeldClock, send: Callable[..., Json]
) -> None:
    send(key="k1")
    send(key="k2", kind="gas")
    clock.forward(hours=1)
    told = client.get("/metrics").text
    for which, number in (("open", 2), ("new", 2), ("urgent", 1), ("overdue", 1)):
        assert f'linli_requests{{which="{which}"}} {number}' in told
