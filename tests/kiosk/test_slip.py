"""What a ticket's paper says."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from devices.plan import Hall
from kiosk.catalogue import Catalogue
from kiosk.rules.queue import Ticket
from kiosk.rules.slip import compose_ticket
from kiosk.rules.windows import Window
from tests.kiosk.conftest import TEN_O_CLOCK_MS

#: Where ZW-09 is served; nobody has confirmed it.
WINDOW = Window("W4", "综合受理窗口", "General Affairs Window", 4, frozenset({"ZW-09"}), confirm_locally=True)


def slip_of(catalogue: Catalogue, lang: str) -> dict[str, object]:
    ticket = Ticket(
        31, "2026-11-22", "B", 31, "ZW-09", "tok_en-1", lang, "kiosk-1", "WAITING", "normal", "", None,
        TEN_O_CLOCK_MS * 1000, 0, TEN_O_CLOCK_MS, TEN_O_CLOCK_MS, None, None, 0, 0
    )  # fmt: skip
    service = catalogue.service("ZW-09")
    assert service is not None
    zone = ZoneInfo("Asia/Shanghai")
    return compose_ticket(
        Hall(), ticket, service, (WINDOW,), 3, zone, "http://192.168.1.10:8000/"
    )


def lines(slip: dict[str, object]) -> list[str]:
    """Each block in one line, as a person would read the paper out."""
    told = []
    blocks = slip["blocks"]
    assert isinstance(blocks, list)
    for block in blocks:
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
        "<feed>",
        "*生育登记与育儿补贴",
        "<rule>",
        "前面等候|3 人",
        "办理窗口|综合受理窗口",
        "(以窗口答复为准)",
        "<rule>",
        "请准备：",
        "□ 本人身份证（原件，当场核验，不留复印件）",
        "□ 孩子的出生医学证明和户口簿（育儿补贴）",
        "□ 申领人银行卡",
        "<rule>",
        "取号时间|2026-11-22 10:00",
        "QR http://192.168.1.10:8000/t/tok_en-1",
        "扫码看排队进度",
        "当日有效，过号请到服务台",
        "<feed>",
        "<cut>",
    ]


def test_an_english_slip_says_the_same(catalogue: Catalogue) -> None:
    told = lines(slip_of(catalogue, "en"))
    assert told[2] == "**B031"
    assert "Ahead of you|3" in told
    assert "Window|General Affairs Window" in told
    assert len(told) == len(lines(slip_of(catalogue, "zh")))


def test_it_has_the_contracts_shape(catalogue: Catalogue) -> None:
    slip = slip_of(catalogue, "zh")
    assert {name: slip[name] for name in ("v", "kind", "title", "copy_of")} == {
        "v": 1,
        "kind": "ticket",
        "title": "排队号 B031",
        "copy_of": None,
    }
