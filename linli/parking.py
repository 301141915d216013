"""`linli parking backtest`: how right the forecasts of full zones were, on days that are over. Chinese first.

Each day is foretold with nothing but what lay before it, at six hours of it. ``--simulated`` plays days for a hall that
has not lived enough of its own, and says so in every line's title: such figures are of the method, not of any site.
"""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import date, timedelta
from typing import TextIO
from zoneinfo import ZoneInfo

from devices import clock
from gateway.hall.days import day_of, moment_ms
from gateway.notebook import open_reader
from kiosk.parking_history import gather
from kiosk.rules import parking_forecast as forecasting
from kiosk.rules.parking_forecast import ASKED_AT, LOOK_BACK_DAYS, Errors
from kiosk.rules.parking_history import Standing, curve, quarters, walk_day
from linli.figures import AskedWrongly
from linli.played_parking import played_days
from linli.talk import open_running_house

#: The played zone: so many bays, and its panel says full at so many free ones.
PLAYED_BAYS, PLAYED_FULL_AT = 100, 2
_PLAYED_FROM = date(2026, 3, 2)
_MOST_DAYS = 300


def backtest(
    hall_file: str | None, *, days: int = 28, simulated: bool = False, seed: int = 1, out: TextIO | None = None
) -> int:
    """Print the errors of the forecasts, a line for each zone.

    :raises AskedWrongly: a number of days that makes no sense.
    :raises NotWritten: there is no notebook yet.
    """
    out = out or sys.stdout
    if not 1 <= days <= _MOST_DAYS:
        raise AskedWrongly(f"--days: 1 到 {_MOST_DAYS} | 1 to {_MOST_DAYS}")
    if simulated:
        out.write(
            f"模拟的日子，不是这个大厅的：{PLAYED_BAYS} 个车位，种子 {seed} | "
            f"played days, not this hall's: {PLAYED_BAYS} bays, seed {seed}\n"
        )
        _head(out, days)
        _line(out, "模拟 played", played_errors(days, seed))
        return 0
    house = open_running_house(hall_file)
    now_ms = clock.wall_ms()
    with closing(open_reader(house.kiosk_db)) as book, closing(open_reader(house.gateway_db)) as gateway:
        today = day_of(ZoneInfo(house.plan.hall.timezone), now_ms)
        history = gather(book, gateway, house.plan.hall.timezone, today, today, now_ms, tested_days=days)
    _head(out, days)
    for one in history.outlook:
        zh, en = history.names[one.zone_id]
        _line(out, f"{zh} {en}", one.errors)
    if not any(one.errors.asked for one in history.outlook):
        out.write(
            f"历史还不够：同一个星期几（或工作日、休息日）至少要有 {forecasting.MEMBERS_AT_LEAST} 天。\n"
            f"Too few days yet: at least {forecasting.MEMBERS_AT_LEAST} of the same weekday (or half of the week). "
            "--simulated shows the method on played days.\n"
        )
    return 0


def played_errors(days: int, seed: int) -> Errors:
    """The back-test over so many played days, after as many before them as a forecast looks back."""
    zone = ZoneInfo("Asia/Shanghai")
    bays = [f"S-{number:03}" for number in range(1, PLAYED_BAYS + 1)]
    in_all = LOOK_BACK_DAYS + days
    moves = list(played_days(bays, _PLAYED_FROM, in_all, seed=seed))
    standing: dict[str, Standing] = {}
    courses: dict[date, forecasting.Course] = {}
    at = 0
    for number in range(in_all):
        day = _PLAYED_FROM + timedelta(days=number)
        end_ms, begin = moment_ms(zone, day, 1440), at
        while at < len(moves) and moves[at][2] < end_ms:
            at += 1
        walked = walk_day(
            day.isoformat(), quarters(day, zone), moves[begin:at], dict.fromkeys(bays, "S"), standing
        )
        courses[day] = forecasting.Course(curve(walked["S"]))
    asked = [_PLAYED_FROM + timedelta(days=number) for number in range(LOOK_BACK_DAYS, in_all)]
    return forecasting.backtest(courses, forecasting.full_share(PLAYED_BAYS, 0, PLAYED_FULL_AT), asked)


def _head(out: TextIO, days: int) -> None:
    hours = "、".join(str(hour) for hour in ASKED_AT)
    out.write(
        f"{days} 天，每天 {hours} 点各预测一次；误差是“几点停满”差了几分钟 | {days} days, foretold at "
        f"{', '.join(str(hour) for hour in ASKED_AT)} o'clock; the error is of the time at which the zone is full\n"
        "  停满说中 full, as told; 没满说中 not full, as told; 漏报 missed; 误报 false alarm; "
        "只看往日 without looking at today\n"
    )


def _line(out: TextIO, name: str, one: Errors) -> None:
    out.write(
        f"  {name}: {one.days} 天 days, {one.asked} 次 forecasts: "
        f"停满说中 {one.hits}, 没满说中 {one.quiet}, 漏报 missed {one.missed}, 误报 false {one.false}; "
        f"误差 error p50 {_min(one.typical_min)}, p90 {_min(one.nine_of_ten_min)} "
        f"(只看往日 without today {_min(one.plain_min)}); "
        f"一小时后占用率 occupancy in an hour {_points(one.ahead_points)}\n"
    )


def _min(minutes: float | None) -> str:
    return "–" if minutes is None else f"±{minutes:.0f} 分 min"


def _points(points: float | None) -> str:
    return "–" if points is None else f"±{points:.1f} 个百分点 points"
