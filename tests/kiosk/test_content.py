"""What staff edit lies over the catalogue, on pages, in the API and on slips; it stays, and a wrong one is refused."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from devices.faults import NotWritten, OrderRefused
from kiosk import appointments, content, hours, quick
from kiosk.catalogue import AS_CONFIRMED, Catalogue
from kiosk.content import EditedMeanwhile
from kiosk.core import Core
from kiosk.rules import content as rules
from tests.kiosk.conftest import HeldClock

FEE = {"zh": "工本费 10 元", "en": "10 yuan for the card"}
TODAY = date(2026, 11, 22)


def service(core: Core, code: str = "ZW-01") -> Any:
    found = core.catalogue.service(code)
    assert found is not None
    return found


def page(client: FlaskClient, path: str) -> str:
    return client.get(path, headers={"Accept": "text/html"}).get_data(as_text=True)


@contextmanager
def refused(says: str) -> Iterator[None]:
    """A refusal whose Chinese says this, with an English for it."""
    with pytest.raises(OrderRefused) as wrong:
        yield
    assert says in wrong.value.why_zh
    assert wrong.value.why_en


# ---------------------------------------------------------------- the overlay


def test_an_edit_is_on_the_next_page_and_in_the_api_and_taking_it_back_brings_the_files_words(
    core: Core, client: FlaskClient
) -> None:
    content.put(core, "service:ZW-01", {"fee": FEE, "desc": {"zh": "新的说明", "en": "New words"}}, "王芳")
    assert FEE["zh"] in page(client, "/item/ZW-01")
    assert "New words" in page(client, "/item/ZW-01?lang=en")
    told = next(one for one in client.get("/api/services").get_json() if one["code"] == "ZW-01")
    assert FEE["zh"] in json.dumps(told, ensure_ascii=False)
    content.put(core, "service:ZW-01", {"fee": None, "desc": None}, "王芳")
    assert core.catalogue == core.shipped
    assert [(one.field, one.value) for one in content.history(core.reader(), "service:ZW-01")] == [
        ("desc", None),
        ("fee", None),
        ("desc", {"zh": "新的说明", "en": "New words"}),
        ("fee", FEE),
    ]


def test_edits_are_there_again_after_a_restart(core: Core) -> None:
    content.put(core, "service:ZW-01", {"fee": FEE}, "王芳")
    core.catalogue = core.shipped
    assert content.lay(core)
    assert service(core).fee.zh == FEE["zh"]


def test_an_edit_that_cannot_be_read_at_once_is_laid_as_soon_as_it_can(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(core: Core) -> sqlite3.Connection:
        raise NotWritten("the disk does not answer")

    content.lay(core)
    with monkeypatch.context() as patched:
        patched.setattr(Core, "reader", refuse)
        content.put(core, "service:ZW-01", {"fee": FEE}, "王芳")
    assert not core.laid, "the main loop tries again until it is (kiosk/__main__.py)"
    assert content.lay(core)
    assert service(core).fee.zh == FEE["zh"]


def test_a_slip_that_is_printed_after_an_edit_says_the_new_words(
    core: Core, take: Callable[..., dict[str, object]]
) -> None:
    content.put(
        core, "service:ZW-01", {"materials": [{"zh": "只要身份证", "en": "Just your ID card"}]}, "王芳"
    )
    take("ZW-01", "k-1", lang="zh")
    body = core.reader().execute("SELECT body FROM slips ORDER BY slip_id DESC LIMIT 1").fetchone()[0]
    assert "只要身份证" in body


@pytest.mark.parametrize("field", rules.FIELDS, ids=lambda one: one.name)
def test_each_shipped_value_is_a_good_edit_and_laying_it_changes_nothing_but_that_it_is_confirmed(
    catalogue: Catalogue, field: rules.Field
) -> None:
    """The limits of the forms fit all that ships; and value_of and laid are each other's way back."""
    for one in catalogue.services:
        value = "0851-86870000" if field.kind == "phone" else rules.value_of(one, field.name)
        now_is = rules.laid(one, {field.name: rules.checked(field, value)})
        assert rules.value_of(now_is, field.name) == value, one.code
        assert field.name not in now_is.confirm_locally


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("fee", {"zh": "", "en": ""}, "不能空着"),
        ("fee", {"zh": "10 元", "en": " "}, "英文"),
        ("desc", {"zh": "长" * 201, "en": "long"}, "201"),
        ("steps", [], "1 到 12 行"),
        ("steps", [{"zh": "一", "en": ""}], "第 1 行"),
        ("materials", [{"zh": "一", "en": "1"}] * 21, "21 行"),
        ("phone", "<script>alert(1)</script>", "电话"),
        ("phone", "", "电话"),
        ("phone", "0851-XXXXXXXX", "电话"),
        ("promised", {"zh": "五天", "en": "Five days", "mode": "days", "value": 5}, "单位"),
        ("promised", {"zh": "五天", "en": "Five days", "mode": "working_days", "value": 0}, "1 到"),
        ("desc", "no pair at all", "不能空着"),
    ],
)
def test_a_wrong_edit_is_refused_with_what_is_wrong(name: str, value: object, says: str) -> None:
    with refused(says):
        rules.checked(rules.BY_NAME[name], value)


def test_a_kept_row_that_fits_no_rule_is_left_out_and_the_others_are_shown(core: Core) -> None:
    content.put(core, "service:ZW-01", {"fee": FEE}, "王芳")

    def broken(notebook: sqlite3.Connection) -> None:
        for name, value in (("desc", '"text"'), ("steps", "17"), ("nobody_knows", "1"), ("promised", "{}")):
            notebook.execute(
                "INSERT INTO content_edits(subject, field, value, by, at_ms) VALUES ('service:ZW-01', ?, ?, 'x', 1)",
                (name, value),
            )

    core.writer.write(broken)
    assert content.lay(core)
    assert service(core).fee.zh == FEE["zh"]
    assert service(core).desc_zh == core.shipped.service("ZW-01").desc_zh  # type: ignore[union-attr]


# ---------------------------------------------------------------- what is not confirmed


def test_a_field_is_confirmed_by_an_edit_or_by_a_word_and_not_after_the_text_has_changed(core: Core) -> None:
    assert service(core).told("fee", "zh") == (
        service(core).fee.zh if service(core).confirmed("fee") else AS_CONFIRMED["zh"]
    )
    assert not service(core).confirmed("phone")
    content.put(core, "service:ZW-01", {"phone": "0851-86870000"}, "王芳")
    assert service(core).told("phone", "zh") == "0851-86870000"
    assert service(core).told("promised", "zh") == AS_CONFIRMED["zh"]
    mark = {"of": rules.confirmable(service(core), "promised")}
    content.put(core, "service:ZW-01", {"confirmed:promised": mark}, "王芳")
    assert service(core).told("promised", "zh") == service(core).time_limit.promised.zh
    # An update brings other words: what was confirmed is not what stands there.
    other = rules.laid(
        core.shipped.service("ZW-01"),  # type: ignore[arg-type]
        {"confirmed:promised": {"of": {**mark["of"], "zh": "另一个承诺"}}},
    )
    assert not other.confirmed("promised")
    content.put(core, "service:ZW-01", {"phone": None, "confirmed:promised": None}, "王芳")
    assert core.catalogue == core.shipped


# ---------------------------------------------------------------- two who edit the same


def test_who_edits_an_older_text_is_refused_with_both_and_nothing_is_written(core: Core) -> None:
    first = content.put(core, "service:ZW-01", {"fee": FEE}, "王芳", base=0)[0]
    with pytest.raises(EditedMeanwhile, match="王芳") as refused:
        content.put(core, "service:ZW-01", {"fee": {"zh": "免费", "en": "Free"}, "desc": FEE}, "李强", base=0)
    assert refused.value.edits["fee"] == first
    assert service(core).fee.zh == FEE["zh"]
    assert len(content.history(core.reader(), "service:ZW-01")) == 1
    content.put(core, "service:ZW-01", {"fee": {"zh": "免费", "en": "Free"}}, "李强", base=first.edit_id)
    assert service(core).fee.zh == "免费"


def test_what_changes_nothing_is_no_edit(core: Core) -> None:
    assert len(content.put(core, "hall", {"phone_lift": "96333"}, "王芳")) == 1
    assert content.put(core, "hall", {"phone_lift": "96333"}, "王芳") == []
    assert content.phone(core.reader(), "lift") == "96333"
    assert content.phone(core.reader(), "gas") == ""


# ---------------------------------------------------------------- a pause


def test_a_paused_item_says_why_and_gives_neither_number_nor_appointment(
    core: Core, client: FlaskClient, clock: HeldClock
) -> None:
    pause = {
        "from": "2026-11-22",
        "until": "2026-11-24",
        "zh": "系统升级",
        "en": "the system is being renewed",
    }
    content.put(core, "service:ZW-01", {rules.PAUSED: rules.checked_pause(pause)}, "王芳")
    assert "系统升级" in page(client, "/item/ZW-01")
    assert "the system is being renewed" in page(client, "/item/ZW-01?lang=en")
    refused = client.post("/api/tickets", json={"service": "ZW-01", "key": "k-2"})
    assert refused.status_code == 409
    assert "系统升级" in refused.get_json()["error"]["zh"]
    assert "11月25日" in refused.get_json()["error"]["zh"], "it says from when it goes on"
    assert client.post("/api/tickets", json={"service": "ZW-02", "key": "k-3"}).status_code == 201
    assert appointments.free_slots(core, "ZW-01", TODAY + timedelta(days=2)) == []
    assert appointments.free_slots(core, "ZW-01", TODAY + timedelta(days=3)) != []
    clock.forward(hours=3 * 24)
    assert hours.standing(core, "ZW-01").open
    assert client.post("/api/tickets", json={"service": "ZW-01", "key": "k-4"}).status_code == 201


@pytest.mark.parametrize(
    ("pause", "says"),
    [
        ({"from": "", "until": "", "zh": "一", "en": "1"}, "从哪一天"),
        ({"from": "2026-02-30", "until": "", "zh": "一", "en": "1"}, "日期"),
        ({"from": "2026-12-02", "until": "2026-12-01", "zh": "一", "en": "1"}, "早于"),
        ({"from": "2026-12-02", "until": "", "zh": "", "en": ""}, "为什么"),
    ],
)
def test_a_pause_without_days_or_words_is_refused(pause: dict[str, str], says: str) -> None:
    with refused(says):
        rules.checked_pause(pause)


# ---------------------------------------------------------------- the six


def test_the_six_are_ours_until_staff_choose(core: Core) -> None:
    assert quick.quick_codes(core) == quick.DEFAULT
    chosen = ["WY-06", "ZW-02", "ZW-01", "DW-01", "ZW-03", "ZW-04"]
    content.put(core, "quick", {"codes": quick.checked(core.catalogue, chosen)}, "王芳")
    assert quick.quick_codes(core) == tuple(chosen)
    for wrong in (chosen[:5], [*chosen[:5], chosen[0]], [*chosen[:5], "XX-99"], "ZW-01", None):
        with pytest.raises(OrderRefused):
            quick.checked(core.catalogue, wrong)


# ---------------------------------------------------------------- a difference that one can read


def test_a_difference_is_told_by_signs_in_chinese_and_by_words_in_english() -> None:
    parts = rules.difference("免费办理 free of charge", "收费办理 free of cost")
    assert "".join(text for what, text in parts if what != "new") == "免费办理 free of charge"
    assert "".join(text for what, text in parts if what != "gone") == "收费办理 free of cost"
    assert ("gone", "免") in parts and ("new", "cost") in parts
    assert rules.difference("", "") == []
