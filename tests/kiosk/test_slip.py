"""What a ticket's paper says."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any
from zoneinfo import ZoneInfo

from devices.plan import Hall
from kiosk.catalogue import Catalogue
from kiosk.rules.queue import Ticket
from kiosk.rules.slip import MOST_BYTES, compose_ticket, wire_bytes
from kiosk.rules.windows import Window
from tests.kiosk.conftest import TEN_O_CLOCK_MS

#: A ticket as it is taken; other parts of the queue add fields with values of their own.
_FIELDS: dict[str, Any] = {one.name: 0 for one in fields(Ticket)}
_FIELDS |= {"ticket_id": 31, "business_day": "2026-11-22", "prefix": "B", "number": 31, "service_code": "ZW-09"}
_FIELDS |= {"token": "AbCdEfGhIjKlMnOp", "lang": "zh", "screen": "kiosk-1", "state": "WAITING", "window_id": None}
_FIELDS |= {"taken_ms": TEN_O_CLOCK_MS, "called_ms": None}
NUMBER_31 = Ticket(**_FIELDS)


def windows_of(catalogue: Catalogue, code: str) -> tuple[Window, ...]:
    """The catalogue's window of that item; nobody has confirmed it."""
    service = catalogue.service(code)
    return tuple(
        Window(one.id, one.zh, one.en, number, frozenset({code}), confirm_locally=True)
        for number, one in enumerate(catalogue.windows, 1)
        if service is not None and one.id == service.window
    )


def slip_of(catalogue: Catalogue, lang: str, code: str = "ZW-09", **more: Any) -> dict[str, Any]:
    service = catalogue.service(code)
    assert service is not None
    ticket = replace(NUMBER_31, service_code=code, prefix=service.ticket_prefix, lang=lang)
    zone = ZoneInfo("Asia/Shanghai")
    return compose_ticket(
        Hall(), ticket, service, windows_of(catalogue, code), 3, zone, "http://192.168.1.10:8000/", **more
    )


def lines(slip: dict[str, Any]) -> list[str]:
    """Each block in one line, as a person would read the paper out."""
    told = []
    for block in slip["blocks"]:
        match block["t"]:
            case "text":
                told.append(f"{'*' * (block['size'] - 1)}{block['text']}")
            case "pair":
                told.append(f"{block['left']}|{block['right']}")
            case "qr":
                told.append(f"QR {block['data']}")
            case other:
                told.append(f"<{other}>")
    return told


def test_a_chinese_slip(catalogue: Catalogue) -> None:
    assert lines(slip_of(catalogue, "zh")) == [
        "示例社区便民服务大厅",
        "<feed>",
        "**政务 B031",
        "*生育登记与育儿补贴",
        "<rule>",
        "前面等候|3 人",
        "办理窗口|4号 综合受理窗口",
        "(以窗口答复为准)",
        "取号时间|2026-11-22 10:00",
        "<rule>",
        "请准备：",
        "□ 本人身份证（原件，当场核验，不留复印件）",
        "□ 孩子的出生医学证明和户口簿（育儿补贴）",
        "□ 申领人银行卡",
        "<rule>",
        "QR http://192.168.1.10:8000/t/AbCdEfGhIjKlMnOp",
        "扫码看排队进度",
        "当日有效，过号请到服务台",
        "<cut>",
    ]


def test_an_english_slip_says_the_same(catalogue: Catalogue) -> None:
    told = lines(slip_of(catalogue, "en"))
    assert told[2] == "**B031"
    assert "Ahead of you|3" in told
    assert "Window|4: General Affairs Window" in told
    assert "□ Applicant's bank card" in told
    assert "Scan: your place in line" in told


def test_it_has_the_contracts_shape(catalogue: Catalogue) -> None:
    slip = slip_of(catalogue, "zh")
    assert {name: slip[name] for name in ("v", "kind", "title", "copy_of")} == {
        "v": 1,
        "kind": "ticket",
        "title": "排队号 B031",
        "copy_of": None,
    }


def test_the_lane_the_wait_and_further_items_stand_where_a_person_looks_for_them(catalogue: Catalogue) -> None:
    other = catalogue.service("ZW-12")
    assert other is not None
    told = lines(slip_of(catalogue, "zh", lane_why="elder", wait_min=(10, 15), also=(other,)))
    assert told[2:5] == ["**政务 B031", "*生育登记与育儿补贴", "老年优先"]
    assert told[5:7] == ["接着办：社区证明出具", "<rule>"]
    assert told[7:10] == ["前面等候|3 人", "预计等候|10-15 分钟", "办理窗口|4号 综合受理窗口"]
    told = lines(slip_of(catalogue, "en", lane_why="veteran", wait_min=(5, 5), also=(other,)))
    assert told[4] == "Priority: veteran"
    assert told[5] == "Then: Community certificates"
    assert "Expected wait|about 5 min" in told


def test_who_has_no_lane_and_no_estimate_reads_nothing_about_them(catalogue: Catalogue) -> None:
    told = "".join(lines(slip_of(catalogue, "zh")) + lines(slip_of(catalogue, "en")))
    assert not any(word in told for word in ("优先", "Priority", "预计", "Expected"))


def test_a_list_that_is_too_long_is_shortened_and_the_code_leads_to_the_rest(catalogue: Catalogue) -> None:
    whole = lines(slip_of(catalogue, "en", "ZW-03"))
    assert whole[-8:-4] == [
        "□ Household register",
        "□ Recent photo as required locally",
        "  2 more: scan the code",
        "<rule>",
    ]
    others = catalogue.services[:3]
    short = lines(slip_of(catalogue, "en", "ZW-15", lane_why="elder", wait_min=(10, 15), also=others))
    assert short[5] == "3 more items after this one"
    assert short[-6:-4] == ["What to bring: scan the code", "<rule>"]
    assert sum("□" in line for line in short) == 0


def test_a_catalogue_of_novels_does_not_make_a_longer_slip(catalogue: Catalogue) -> None:
    service = catalogue.service("ZW-09")
    assert service is not None
    material = replace(service.materials[0], zh="字" * 900, en="word " * 180)
    wordy = replace(service, materials=(material,) * 50)
    for lang in ("zh", "en"):
        slip = compose_ticket(
            Hall(), replace(NUMBER_31, lang=lang), wordy, windows_of(catalogue, "ZW-09"), 3, ZoneInfo("Asia/Shanghai"),
            "http://192.168.1.10:8000", lane_why="child", wait_min=(10, 15), also=(service,) * 5,
        )  # fmt: skip
        assert wire_bytes(slip["blocks"]) <= MOST_BYTES
