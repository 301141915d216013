"""A hall as its display may meet it: lines at several windows, more zones than fit, notices, hours."""

from __future__ import annotations

from kiosk import line, notices
from kiosk.core import Core
from kiosk.notices import Notice
from kiosk.windows import open_window, save_window
from tests.kiosk.fake_gateway import FakeGateway

#: Who comes, in this order; six of them are called.
COME = ("DW-01", "ZW-01", "ZW-02", "ZW-01", "ZW-05", "ZW-05", "ZW-01", "ZW-02", "ZW-01", "DW-02", "ZW-03", "WY-06")
OPEN = ("W1", "W2", "W3", "W4", "W5")
CALLED_AT = ("W1", "W2", "W2", "W2", "W3", "W3")
LONG = Notice(
    title_zh="明天上午一栋二栋因管道检修停水请提前储水",
    title_en="Blocks 1 and 2 have no water tomorrow morning",
    body_zh="因市政管道检修，" + "十一月二十三日（周一）九点至十二点停水，请提前储水，老人可由志愿者送水上门。" * 6,
    body_en="The city's pipes are being repaired: no water on Monday from nine to twelve. " * 6,
)


def fill_line(core: Core) -> None:
    for window in OPEN:
        open_window(core, window, "li")
    save_window(
        core, "W2", "li", zh="民生保障与社会救助及残疾人帮扶综合受理窗口",
        en="Welfare, assistance and disability support reception window", number=12, skills=["ZW-01", "ZW-02"],
    )  # fmt: skip
    for number, service in enumerate(COME):
        line.take_ticket(core, service, f"come-{number}", "zh", "kiosk-1")
    for window in CALLED_AT:
        line.call_next(core, window, "li")


def hang(core: Core, *more: Notice) -> None:
    for notice in (LONG, *more):
        notices.put_notice(core, "li", notice)


def zones(gateway: FakeGateway, count: int) -> None:
    """So many zones besides those of the gateway."""
    for number in range(count):
        gateway.tell(
            "ZoneChanged",
            zone={
                "zone_id": f"z{number}", "name_zh": f"地下一层第{number + 1}区",
                "name_en": f"Basement one, part {number + 1}",
                "free": 9, "taken": 1, "unknown": 0, "closed": 0, "total": 10, "since_ms": 0,
            },
        )  # fmt: skip
