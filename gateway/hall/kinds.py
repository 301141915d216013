"""Kinds of call. A kind is data: whom its ladder tells, what staff are to say, how it may end.

What stands in ``DEFAULTS`` is what a hall begins with; a row of the table ``kinds`` (edited in the console) takes its
place. A kind that is neither is answered as an emergency: we may be wrong in one direction only.
"""

from __future__ import annotations

from gateway.hall.rows import Kind
from gateway.hall.state import HallState

#: How a call ended, as staff say it. The console shows these words.
OUTCOMES: dict[str, tuple[str, str]] = {
    "helped": ("已到场帮助", "Helped on the spot"),
    "false_alarm": ("误按", "Pressed by mistake"),
    "test": ("测试", "Test"),
    "referred": ("已转办", "Referred on"),
    "hospital": ("已送医", "Taken to hospital"),
    "meal_ordered": ("已订餐", "Meal ordered"),
    "meal_cancelled": ("已退餐", "Meal cancelled"),
    "no_answer": ("未见到人", "Nobody found"),
    "repaired": ("已修好", "Repaired"),
    "visited": ("已上门陪伴", "Visited"),
}

_ALL = ("console", "beacon", "voice", "display", "message")
_QUIET = ("console", "message")


def _outcomes(*words: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((word, *OUTCOMES[word]) for word in words)


#: What a hall begins with. Waits: the telecare bar is 97.5 % answered in 60 s and 99 % in 180 s (TSA Quality Standards
#: Framework), so the first step has 60 s and the next two are over by 180 s.
DEFAULTS: dict[str, Kind] = {
    kind.kind: kind
    for kind in (
        Kind(
            "emergency",
            "紧急求助",
            "Emergency",
            0,
            (
                ("duty", 60, _ALL),
                ("grid", 60, _ALL),
                ("building", 60, _ALL),
                ("unit", 60, _ALL),
                ("guard", 60, _ALL),
                ("secretary", 120, _ALL),
            ),
            900,
            "先打电话问清情况；没人接就马上上门，带上钥匙；有危险先打 120 或 119，再通知家属。",
            "Telephone; if nobody answers go at once, with the key. In danger call 120 or 119, then the family.",
            _outcomes("helped", "hospital", "false_alarm", "no_answer", "referred", "test"),
            position=1,
        ),
        Kind(
            "help",
            "请求帮忙",
            "Help wanted",
            2,
            (("duty", 120, ("console", "voice", "display")), ("volunteer", 300, _QUIET), ("grid", 600, _QUIET)),
            1800,
            "问清要帮什么忙，说好什么时候到。",
            "Ask what help is wanted and say when somebody will come.",
            _outcomes("helped", "referred", "false_alarm", "no_answer", "test"),
            position=2,
        ),
        Kind(
            "meal",
            "订餐",
            "Meal",
            4,
            (("kitchen", 600, _QUIET), ("duty", 600, ("console",))),
            7200,
            "核对菜单和份数；有忌口打电话确认。",
            "Check menu and portions; telephone if something must not be eaten.",
            _outcomes("meal_ordered", "meal_cancelled", "false_alarm", "test"),
            position=3,
        ),
        Kind(
            "repair",
            "报修",
            "Repair",
            3,
            (("repair", 600, _QUIET), ("duty", 900, ("console",)), ("grid", 1800, _QUIET)),
            3600,
            "问清哪里坏了；漏水漏电先关总阀、总闸；燃气泄漏让老人先出门，打燃气公司电话。",
            "Ask what is broken. Water, current: main valve, main switch. Gas: out of the flat, then the gas company.",
            _outcomes("repaired", "referred", "false_alarm", "no_answer", "test"),
            position=4,
        ),
        Kind(
            "company",
            "陪伴",
            "Company",
            4,
            (("volunteer", 900, _QUIET), ("grid", 1800, _QUIET), ("duty", 1800, ("console",))),
            7200,
            "先打电话聊两句，约好上门时间。",
            "Telephone for a chat first and agree on a time to come.",
            _outcomes("visited", "helped", "referred", "false_alarm", "no_answer", "test"),
            position=5,
        ),
        Kind(
            "hall",
            "大厅叫人",
            "Hall assistance",
            3,
            (("duty", 60, ("console", "voice")), ("duty", 120, ("console", "beacon", "voice"))),
            600,
            "到自助机旁帮忙。",
            "Go to the kiosk and help.",
            _outcomes("helped", "referred", "false_alarm", "test"),
            position=6,
        ),
        Kind(
            "test",
            "测试",
            "Test",
            6,
            (("duty", 3600, ("console",)),),
            3600,
            "请老人看一看按钮灯亮没有。",
            "Ask whether the lamp of the button is lit.",
            _outcomes("test", "false_alarm"),
            position=7,
        ),
    )
}


def kind_of(state: HallState, word: str) -> Kind:
    """The kind of that name, as the hall has it."""
    return state.table(Kind).get(word) or DEFAULTS.get(word) or DEFAULTS["emergency"]


def kinds(state: HallState) -> dict[str, Kind]:
    """All kinds, in the order in which the console shows them."""
    merged = {**DEFAULTS, **state.table(Kind)}
    return dict(sorted(merged.items(), key=lambda one: (one[1].position, one[0])))
