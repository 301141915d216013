"""The console's pages about what residents read: forms without a script, whose edits stay and lose nothing typed."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from kiosk import content, notices, quick
from kiosk.catalogue import Service
from kiosk.console.words import WORDS
from kiosk.core import Core
from kiosk.notices import Notice
from kiosk.rules import content as rules
from kiosk.words_content import WORDS as CONTENT
from tests.kiosk.console_hall import (
    ADMIN,
    ADMIN_PASSWORD,
    ORIGIN,
    STAFF,
    STAFF_PASSWORD,
    Client,
    ConsoleHall,
    console_hall,
)

ROOT = Path(__file__).parent.parent.parent
ITEM = "/console/content/service/ZW-01"
SCRIPT = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def _hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleHall]:
    """One hall for all stories here: to begin one, and to sign in, takes longer than most of them."""
    with console_hall(tmp_path_factory.mktemp("content")) as hall:
        hall.make_staff()
        yield hall


def empty(table: str, notebook: sqlite3.Connection) -> None:
    notebook.execute(f"DELETE FROM {table}")


@pytest.fixture
def hall(_hall: ConsoleHall) -> ConsoleHall:
    """A hall in which nobody has edited anything yet."""
    for table in ("content_edits", "notices", "opening_hours", "staff_journal"):
        _hall.writer.write(partial(empty, table))
    assert content.lay(_hall.core)
    return _hall


@pytest.fixture(scope="module")
def _clients(_hall: ConsoleHall) -> dict[str, Client]:
    return {
        name: _hall.client(name, password)
        for name, password in ((STAFF, STAFF_PASSWORD), (ADMIN, ADMIN_PASSWORD))
    }


@pytest.fixture
def staff(_clients: dict[str, Client]) -> Client:
    _clients[STAFF].get("/console/password?lang=zh")  # a story before may have read English
    return _clients[STAFF]


@pytest.fixture
def admin(_clients: dict[str, Client]) -> Client:
    return _clients[ADMIN]


def page(answer: TestResponse) -> str:
    return html.unescape(answer.get_data(as_text=True))


def form_of(client: Client, path: str) -> dict[str, list[str]]:
    """The page's form as a browser would send it untouched: name → values in their order."""
    raw = client.get(path).get_data(as_text=True)
    whole = re.search(r'<form method="post"[^>]*>.*?</form>', raw[raw.index("<main") :], re.DOTALL)
    assert whole, raw
    fields: dict[str, list[str]] = {}
    for tag in re.finditer(
        r'<input [^>]*?name="([^"]+)"[^>]*?>|<textarea name="([^"]+)"[^>]*>(.*?)</textarea>|'
        r'<select name="([^"]+)">(.*?)</select>',
        whole[0],
        re.DOTALL,
    ):
        if name := tag[1]:
            value = re.search(r'value="([^"]*)"', tag[0])
            fields.setdefault(name, []).append(html.unescape(value[1] if value else ""))
        elif name := tag[2]:
            fields.setdefault(name, []).append(html.unescape(tag[3]))
        else:
            chosen = re.search(r'<option value="([^"]*)" selected', tag[5])
            fields.setdefault(tag[4], []).append(chosen[1] if chosen else "")
    return fields


def send(client: Client, path: str, fields: dict[str, list[str]], do: str = "save") -> TestResponse:
    # As multipart, as the forms of long texts are sent: a Chinese sign is three bytes there, not nine.
    data = {**fields, "do": [do]}
    return client.post(path, data=data, headers={"Origin": ORIGIN}, content_type="multipart/form-data")


def service(hall: ConsoleHall, code: str = "ZW-01") -> Service:
    found = hall.core.catalogue.service(code)
    assert found is not None
    return found


def journal(hall: ConsoleHall) -> list[tuple[str, str, str, str]]:
    return [line[1:] for line in hall.accounts.journal()]


# ---------------------------------------------------------------- an item


def test_only_what_was_changed_is_written_and_residents_read_it_at_once(
    hall: ConsoleHall, staff: Client
) -> None:
    fields = form_of(staff, ITEM)
    assert send(staff, ITEM, fields).status_code == 303, "an untouched form is no edit, placeholder or not"
    assert content.history(hall.core.reader(), "service:ZW-01") == []
    fields["fee-zh"], fields["fee-en"] = ["  工本费\n10 元 "], ["10 yuan"]
    assert send(staff, ITEM, fields).headers["Location"] == f"{ITEM}?saved=1"
    (edit,) = content.history(hall.core.reader(), "service:ZW-01")
    assert (edit.field, edit.value, edit.by) == ("fee", {"zh": "工本费 10 元", "en": "10 yuan"}, STAFF)
    assert "工本费 10 元" in page(staff.get("/item/ZW-01", headers={"Accept": "text/html"}))
    assert (STAFF, "content_edited", "ZW-01", "fee") in journal(hall)


def test_lines_are_added_moved_and_taken_away_without_a_script_and_nothing_is_saved_by_that(
    hall: ConsoleHall, staff: Client
) -> None:
    fields = form_of(staff, ITEM)
    was = list(fields["materials-zh"])
    fields["desc-zh"] = ["我正在写的"]
    drawn = page(send(staff, ITEM, fields, "list:materials:down:0"))
    assert "我正在写的" in drawn, "what was typed elsewhere is still there"
    lines = re.findall(r'<textarea name="materials-zh"[^>]*>(.*?)</textarea>', drawn)
    assert lines == [was[1], was[0], *was[2:]]
    drawn = page(send(staff, ITEM, fields, "list:materials:remove:1"))
    assert re.findall(r'<textarea name="materials-zh"[^>]*>(.*?)</textarea>', drawn) == [was[0], *was[2:]]
    drawn = page(send(staff, ITEM, fields, "list:materials:add:"))
    assert re.findall(r'<textarea name="materials-zh"[^>]*>(.*?)</textarea>', drawn) == [*was, ""]
    assert content.history(hall.core.reader(), "service:ZW-01") == []
    fields["materials-zh"], fields["materials-en"] = was[::-1], fields["materials-en"][::-1]
    assert send(staff, ITEM, fields).status_code == 303
    assert [one.zh for one in service(hall).materials] == was[::-1]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_wrong_field_is_named_nothing_is_saved_and_all_that_was_typed_is_there(
    hall: ConsoleHall, staff: Client, lang: str
) -> None:
    fields = form_of(staff, ITEM)
    fields |= {
        "fee-zh": [""],
        "desc-zh": ["写得很好"],
        "phone": ["call me"],
        "note-zh": [SCRIPT],
        "note-en": [""],
    }
    answer = send(staff, f"{ITEM}?lang={lang}", fields)
    assert answer.status_code == 400
    drawn = page(answer)
    for kept in ("写得很好", "call me", WORDS["ct_f_fee"][lang == "en"], WORDS["ct_f_phone"][lang == "en"]):
        assert kept in drawn
    assert SCRIPT not in answer.get_data(as_text=True), "what is typed is text, never HTML"
    assert SCRIPT in drawn
    assert content.history(hall.core.reader(), "service:ZW-01") == []


def test_a_megabyte_is_refused_in_words_and_the_hall_goes_on(hall: ConsoleHall, staff: Client) -> None:
    answer = staff.post(
        ITEM,
        data=b"form_token=x&desc-zh=" + b"x" * 1_000_000,
        headers={"Origin": ORIGIN, "Accept": "text/html"},
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 413
    assert "64 KB" in page(answer)
    assert staff.get(ITEM).status_code == 200


def test_two_tabs_the_second_sees_both_texts_and_may_then_decide(
    hall: ConsoleHall, staff: Client, admin: Client
) -> None:
    first, second = form_of(admin, ITEM), form_of(staff, ITEM)
    first["fee-zh"], first["fee-en"] = ["管理员的字"], ["admin's words"]
    assert send(admin, ITEM, first).status_code == 303
    second["desc-zh"], second["fee-zh"] = ["另一处改动"], ["我的字"]
    answer = send(staff, ITEM, second)
    assert answer.status_code == 409
    drawn = page(answer)
    for there in (ADMIN, "管理员的字", "我的字", "另一处改动"):
        assert there in drawn
    assert service(hall).fee.zh == "管理员的字"
    base = re.search(r'name="base" value="(\d+)"', drawn)
    assert base
    second["base"] = [base[1]]
    assert send(staff, ITEM, second).status_code == 303
    assert (service(hall).fee.zh, service(hall).desc_zh) == ("我的字", "另一处改动")


def test_two_tabs_that_edit_different_fields_do_not_take_each_others_back(
    hall: ConsoleHall, staff: Client, admin: Client
) -> None:
    first, second = form_of(admin, ITEM), form_of(staff, ITEM)
    first["fee-zh"], second["desc-zh"] = ["管理员的字"], ["另一处改动"]
    assert send(admin, ITEM, first).status_code == 303
    assert send(staff, ITEM, second).status_code == 303
    assert (service(hall).fee.zh, service(hall).desc_zh) == ("管理员的字", "另一处改动")


def test_a_picture_of_what_is_typed_does_nothing_and_saves_nothing(hall: ConsoleHall, staff: Client) -> None:
    fields = form_of(staff, ITEM)
    fields["desc-zh"], fields["desc-en"] = ["还没保存的说明"], ["not saved yet"]
    answer = send(staff, f"{ITEM}/preview?large=1", fields, "")
    assert answer.status_code == 200
    raw = answer.get_data(as_text=True)
    assert "还没保存的说明" in raw
    assert 'class="large"' in raw
    assert "<script" not in raw
    assert not re.search(r'<a\b[^>]*\shref="[^#]', raw)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "not saved yet" in page(send(staff, f"{ITEM}/preview?as=en", fields, ""))
    assert content.history(hall.core.reader(), "service:ZW-01") == []
    fields["fee-zh"] = [""]
    assert send(staff, f"{ITEM}/preview", fields, "").status_code == 409


def test_a_pause_is_set_and_ended_on_the_items_page(hall: ConsoleHall, staff: Client) -> None:
    fields = form_of(staff, ITEM)
    fields |= {"paused-from": ["2027-01-01"], "paused-zh": ["系统升级"], "paused-en": ["being renewed"]}
    assert send(staff, ITEM, fields).status_code == 303
    assert "系统升级" in page(staff.get("/item/ZW-01", headers={"Accept": "text/html"}))
    assert WORDS["ct_paused"][0] in page(staff.get("/console/content"))
    assert send(staff, ITEM, form_of(staff, ITEM), "resume").status_code == 303
    assert content.pauses(hall.core.reader()) == {}


# ---------------------------------------------------------------- what is not confirmed, how it came to be


def test_what_is_unconfirmed_is_confirmed_one_by_one_and_counted(hall: ConsoleHall, staff: Client) -> None:
    of = sum(len(one.confirm_locally) for one in hall.core.shipped.services)
    drawn = page(staff.get("/console/content/unconfirmed"))
    assert f"0 / {of} 处已确认" in drawn
    seen = rules.spelled(rules.confirmable(service(hall), "promised"))
    answer = staff.form("/console/content/unconfirmed", code="ZW-01", field="promised", seen=seen, next="x")
    assert answer.status_code == 303
    assert service(hall).confirmed("promised")
    assert f"1 / {of} 处已确认" in page(staff.get("/console/content/unconfirmed?by=field"))
    for code, field, said in (
        ("ZW-01", "promised", seen),
        ("ZW-02", "promised", "另一个"),
        ("XX-99", "fee", ""),
    ):
        again = staff.form("/console/content/unconfirmed", code=code, field=field, seen=said)
        assert again.status_code == 409, "confirmed already; another text was read; no such item"
    assert not service(hall, "ZW-02").confirmed("promised")
    placeholder = staff.form(
        "/console/content/unconfirmed", code="ZW-02", field="phone", seen=service(hall).phone
    )
    assert placeholder.status_code == 409
    assert WORDS["ct_no_phone"][0] in page(placeholder)


def test_what_was_edited_since_the_page_was_drawn_is_confirmed_by_nobody_who_has_not_read_it(
    hall: ConsoleHall, staff: Client, admin: Client
) -> None:
    """An age, an amount: it stands in texts, and another has changed them meanwhile."""
    shipped = hall.core.shipped.services
    left = ((one.code, name) for one in shipped for name in one.confirm_locally)
    code, name = next((code, name) for code, name in left if name not in rules.BY_NAME)
    path = f"/console/content/service/{code}"
    seen, other = form_of(staff, path), form_of(admin, path)
    other["fee-zh"], other["fee-en"] = ["九十九元"], ["99 yuan"]
    assert send(admin, path, other).status_code == 303
    answer = send(staff, path, seen, f"confirm:{name}")
    assert answer.status_code == 409
    assert WORDS["ct_seen_other"][0] in page(answer)
    assert not service(hall, code).confirmed(name)
    assert send(staff, path, form_of(staff, path), f"confirm:{name}").status_code == 200
    assert service(hall, code).confirmed(name)


def test_a_number_that_is_longer_than_any_of_ours_is_none_of_ours(staff: Client) -> None:
    long = "9" * 30
    for path in (f"content/notices?change={long}", f"requests/{long}", f"requests/note/{long}"):
        assert staff.get(f"/console/{path}").status_code in (200, 404), path
    assert staff.form(ITEM, base="9" * 5000, do="save").status_code == 303
    assert staff.form("/console/content/notices", do="down", notice_id=long).status_code in (400, 404)
    assert staff.form("/console/content/history/quick", edit_id="1", base="9" * 5000, do="back").status_code == 404


def test_a_notice_that_another_changes_in_the_same_moment_is_not_written_over(
    hall: ConsoleHall, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/console/content/notices"
    fields = {**form_of(staff, path), "title_zh": ["停水"], "body_zh": ["明天九点"]}
    assert send(staff, path, fields, "put").status_code == 303
    (up,) = notices.notices_now(hall.core)
    mine, put = form_of(staff, f"{path}?change={up.notice_id}"), notices.put_notice

    def second(core: Core, by: str, notice: Notice) -> Notice:
        hall.clock.go(s=1)
        put(core, ADMIN, replace(up, title_zh="管理员的标题"))
        return put(core, by, notice)

    monkeypatch.setattr(notices, "put_notice", second)
    answer = send(staff, path, mine | {"title_zh": ["我的标题"]}, "put")
    assert answer.status_code == 409
    assert "管理员的标题" in page(answer) and "我的标题" in page(answer)
    assert [one.title_zh for one in notices.notices_now(hall.core)] == ["管理员的标题"]


def test_a_notice_that_was_taken_down_meanwhile_is_not_said_to_be_saved(hall: ConsoleHall, staff: Client) -> None:
    path = "/console/content/notices"
    fields = {**form_of(staff, path), "title_zh": ["停水"], "body_zh": ["明天九点"]}
    send(staff, path, fields, "put")
    (up,) = notices.notices_now(hall.core)
    mine = form_of(staff, f"{path}?change={up.notice_id}") | {"title_zh": ["停水改期"]}
    notices.take_down(hall.core, up.notice_id)
    answer = send(staff, path, mine, "put")
    assert answer.status_code == 409
    assert "已经撤下" in page(answer) and "停水改期" in page(answer)
    again = re.search(r'name="notice_id" value="[0-9]+"><input type="hidden" name="seen"', page(answer))
    assert again is None, "saved once more it hangs as a new one"


def test_the_history_says_what_was_and_became_by_whom_and_leads_back(
    hall: ConsoleHall, staff: Client, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for client, fee in ((staff, "十元"), (admin, "二十元")):
        fields = form_of(client, ITEM)
        fields["fee-zh"], fields["fee-en"] = [fee], ["yuan"]
        assert send(client, ITEM, fields).status_code == 303
    path = "/console/content/history/service:ZW-01"
    drawn = staff.get(path).get_data(as_text=True)
    assert re.search(r"<ins>.*二.*</ins>", drawn)
    assert STAFF in drawn and ADMIN in drawn
    newest, older = content.history(hall.core.reader(), "service:ZW-01")
    back = {"edit_id": str(older.edit_id), "base": str(newest.edit_id), "do": "back"}
    assert staff.form(path, **back).status_code == 303
    assert service(hall).fee.zh == "十元"
    assert len(content.history(hall.core.reader(), "service:ZW-01")) == 3, "to go back is a new edit"
    with monkeypatch.context() as short:  # the oldest line is compared with what stood before it, shown or not
        short.setattr(content, "history", partial(content.history, most=1))
        cut = staff.get(path).get_data(as_text=True)
        assert re.search(r"<del>.*二.*</del>", cut) and "最近 1 次修改" in cut
    assert "次修改；更早" not in drawn
    stale = staff.form(path, edit_id=str(newest.edit_id), base=str(newest.edit_id), do="back")
    assert stale.status_code == 409, "the page was drawn before somebody went back"
    assert staff.form(path, edit_id=str(newest.edit_id), base="0", do="ships").status_code == 409
    assert staff.form(path, edit_id="999", base="0", do="back").status_code == 404
    assert staff.get("/console/content/history/service:XX-99").status_code == 404


def test_the_home_page_leads_to_everything_with_its_last_change(hall: ConsoleHall, staff: Client) -> None:
    empty = page(staff.get("/console/content"))
    assert WORDS["ct_never"][0] in empty
    for one in hall.core.catalogue.services:
        assert f"/console/content/service/{one.code}" in empty
    for way in (
        "/console/windows",
        "/console/hours",
        "/console/hours#days",
        "/console/voice",
        "/console/content/quick",
    ):
        assert f'href="{way}"' in empty
    staff.form("/console/hours", do="week", item="", **{f"day-{n}": "9-12" for n in range(1, 8)})
    content.put(hall.core, "quick", {"codes": None, "x": 1}, ADMIN)
    drawn = page(staff.get("/console/content"))
    assert f"{STAFF} 改" in drawn and f"{ADMIN} 改" in drawn


# ---------------------------------------------------------------- lists


def test_the_six_are_chosen_ordered_and_taken_back(hall: ConsoleHall, staff: Client) -> None:
    path = "/console/content/quick"
    fields = form_of(staff, path)
    assert fields["code"] == list(quick.DEFAULT)
    moved = page(send(staff, path, fields, "down:0"))
    assert re.findall(r'value="(\S+)" selected', moved)[:2] == [quick.DEFAULT[1], quick.DEFAULT[0]]
    chosen = ["DW-01", *quick.DEFAULT[:5]]
    assert send(staff, path, {**fields, "code": chosen}).status_code == 303
    assert quick.quick_codes(hall.core) == tuple(chosen)
    twice = send(staff, path, {**form_of(staff, path), "code": ["DW-01"] * 6})
    assert twice.status_code == 400
    assert re.findall(r'value="(\S+)" selected', page(twice)) == ["DW-01"] * 6, (
        "what was chosen is still there"
    )
    older = send(staff, path, {**fields, "code": list(quick.DEFAULT[::-1])})
    assert older.status_code == 409
    assert send(staff, path, form_of(staff, path), "ships").status_code == 303
    assert quick.quick_codes(hall.core) == quick.DEFAULT


def test_sentences_of_a_kind_of_request_are_edited(hall: ConsoleHall, staff: Client) -> None:
    path = "/console/content/presets/leak"
    fields = form_of(staff, path)
    fields["lines-zh"][0], fields["lines-en"][0] = SCRIPT, "A script"
    assert send(staff, path, fields).status_code == 303
    lines = content.presets(hall.core.reader(), "leak")
    assert lines is not None and lines[0] == {"zh": SCRIPT, "en": "A script"}
    assert SCRIPT not in staff.get(path).get_data(as_text=True)
    half = form_of(staff, path)
    half["lines-en"][1] = ""
    answer = send(staff, path, half)
    assert answer.status_code == 400
    assert "第 2 行" in page(answer)
    assert page(send(staff, path, fields, "list:lines:add:")).count('name="lines-zh"') == len(lines) + 1
    assert (
        send(
            staff, path, form_of(staff, path) | {"base": ["0"], "lines-zh": ["一"], "lines-en": ["1"]}
        ).status_code
        == 409
    )
    shipped = send(staff, path, form_of(staff, path), "ships")
    assert SCRIPT not in page(shipped)
    assert staff.get("/console/content/presets/nothing").status_code == 404


def test_phones_are_written_and_a_wrong_one_is_named(hall: ConsoleHall, staff: Client) -> None:
    path = "/console/content/phones"
    good = form_of(staff, path) | {"lift": ["96333"], "gas": ["0851-12345678 转 3"]}
    assert send(staff, path, good).status_code == 303
    assert content.phone(hall.core.reader(), "lift") == "96333"
    wrong = form_of(staff, path) | {"water": ["ask at the desk"], "power": ["95598"]}
    answer = send(staff, path, wrong)
    assert answer.status_code == 400
    assert "ask at the desk" in page(answer) and "95598" in page(answer)
    assert content.phone(hall.core.reader(), "power") == ""
    older = send(staff, path, good | {"lift": ["12345"]})
    assert older.status_code == 409
    assert "96333" in page(older) and "12345" in page(older)


def test_a_notice_is_put_up_changed_and_taken_down_and_its_history_stays(
    hall: ConsoleHall, staff: Client
) -> None:
    path = "/console/content/notices"
    assert WORDS["ct_notices_none"][0] in page(staff.get(path))
    fields = {
        **form_of(staff, path),
        "title_zh": ["停水"],
        "body_zh": ["明天九点"],
        "until": ["2027-02-01T09:00"],
    }
    assert send(staff, path, fields, "put").status_code == 303
    (up,) = notices.notices_now(hall.core)
    assert (up.title_zh, up.made_by) == ("停水", STAFF)
    change = form_of(staff, f"{path}?change={up.notice_id}")
    assert change["title_zh"] == ["停水"] and change["until"] == ["2027-02-01T09:00"]
    hall.clock.go(min=1)
    assert send(staff, path, change | {"title_zh": ["停水改期"]}, "put").status_code == 303
    older = send(staff, path, change | {"title_zh": ["第三个标题"]}, "put")
    assert older.status_code == 409
    assert "停水改期" in page(older) and "第三个标题" in page(older)
    for wrong in ({"title_zh": [" "]}, {"until": ["2020-01-01T00:00"]}, {"from": ["yesterday"]}):
        answer = send(staff, path, fields | wrong, "put")
        assert answer.status_code == 400
        assert "明天九点" in page(answer)
    drawn = staff.get(f"/console/content/history/notice:{up.notice_id}").get_data(as_text=True)
    assert re.search(r"<ins>.*改期.*</ins>", drawn)
    assert staff.form(path, do="down", notice_id=str(up.notice_id)).status_code == 303
    assert notices.notices_now(hall.core) == []
    assert {"notice_put", "notice_down"} <= {line[1] for line in journal(hall)}


# ---------------------------------------------------------------- words


def test_every_word_is_used_in_a_page_and_says_both() -> None:
    files = [
        *(ROOT / "kiosk" / "console").glob("content*.py"),
        *(ROOT / "kiosk" / "templates" / "console").glob("content*"),
    ]
    seen = "".join(file.read_text(encoding="utf-8") for file in files)
    made = ("ct_f_", "ct_mode_", "did_", "ct_notice_", "ct_quick", "ct_hall")
    unused = [
        key
        for key in CONTENT
        if f"'{key}'" not in seen and f'"{key}"' not in seen and not key.startswith(made)
    ]
    assert unused == []
    asked = set(re.findall(r"\bsay\(['\"](ct_\w*[a-z])['\"]", seen))
    assert asked - set(CONTENT) == set()
    fields = {one.name for one in rules.FIELDS}
    assert {f"ct_f_{one}" for one in fields} | {f"ct_mode_{one}" for one in rules.MODES} <= set(CONTENT)
