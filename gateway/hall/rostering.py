"""The orders that change rosters: shifts, substitutions, holidays. Who is on duty by them says ``rosters.py``."""

from __future__ import annotations

from devices.faults import OrderRefused
from gateway.hall.fields import Fields
from gateway.hall.reading import Names, Reader, changed, in_order
from gateway.hall.rosters import local
from gateway.hall.rows import Helper, Holiday, Row, RowGone, Shift, Substitution
from gateway.hall.state import Decision, HallState, JournalLine

NAMES: Names = {
    "shift_id": ("班次编号", "Shift's id"),
    "helper_id": ("人员", "Helper"),
    "weekdays": ("星期", "Weekdays"),
    "from_min": ("开始时间", "From"),
    "to_min": ("结束时间", "To"),
    "first_day": ("开始日期", "First day"),
    "last_day": ("结束日期", "Last day"),
    "every_weeks": ("几周一轮", "Every so many weeks"),
    "week": ("轮到第几周", "Which week of the turn"),
    "holidays": ("节假日", "Holidays"),
    "substitution_id": ("替班编号", "Substitution's id"),
    "by_helper_id": ("替班的人", "Substitute"),
    "why": ("原因", "Reason"),
    "day": ("日期", "Day"),
    "kind": ("类型", "Kind"),
    "name": ("名称", "Name"),
}
#: Whether a shift runs on public holidays: word → (Chinese, English).
ON_HOLIDAYS: dict[str, tuple[str, str]] = {
    "too": ("节假日也上", "Holidays too"),
    "not": (
        "按国家日历：放假不上，调休要上",
        "Not on holidays, but on weekends on which the country works",
    ),
    "only": ("只在节假日上", "On holidays only"),
}
DAY_KINDS: dict[str, tuple[str, str]] = {
    "holiday": ("放假", "Holiday"),
    "workday": ("调休上班", "Workday"),
}
#: A turn of more than eight weeks nobody can follow on a wall (our choice).
MOST_WEEKS = 8


def shift_put(state: HallState, fields: Fields, now_ms: int) -> Decision:
    key = Reader(fields, None, NAMES).key("shift_id")
    old = state.table(Shift).get(key)
    read = Reader(fields, old, NAMES)
    first_day, last_day = read.day("first_day"), read.day("last_day")
    in_order(read, first_day, last_day)
    every_weeks = read.number("every_weeks", 1, MOST_WEEKS, 1)
    if every_weeks > 1 and not first_day:
        raise read.wrong(
            "first_day",
            "轮班要有开始日期，从那一周数起",
            "a rotation needs one: its weeks are counted from it",
        )
    new = Shift(
        shift_id=key,
        helper_id=_helper(state, read, "helper_id"),
        weekdays=_weekdays(read),
        from_min=read.number("from_min", 0, 1439),
        to_min=read.number("to_min", 0, 1440, 1440),
        first_day=first_day,
        last_day=last_day,
        every_weeks=every_weeks,
        week=read.number("week", 0, every_weeks - 1),
        holidays=read.choice("holidays", ON_HOLIDAYS, "too"),
    )
    return _put(old, new, "ShiftPut", f"shift:{key}", fields, now_ms)


def substitution_put(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """X stands in for Y on these days; ``by_helper_id`` "": Y is away, and nobody does."""
    key = Reader(fields, None, NAMES).key("substitution_id")
    old = state.table(Substitution).get(key)
    read = Reader(fields, old, NAMES)
    helper_id = _helper(state, read, "helper_id")
    by = read.words("by_helper_id", 64)
    if by:
        _helper(state, read, "by_helper_id")
        if by == helper_id:
            raise read.wrong("by_helper_id", "不能自己替自己", "nobody stands in for himself")
        if not state.table(Helper)[by].active:
            raise read.wrong(
                "by_helper_id",
                "这个人已不在岗，请选别人",
                "this helper is not active any more; choose another",
            )
    first_day, last_day = read.day("first_day", needed=True), read.day("last_day", needed=True)
    in_order(read, first_day, last_day)
    if old is None and last_day < local(state.zone, now_ms).date().isoformat():
        raise read.wrong("last_day", f"{last_day} 已经过去", f"{last_day} is over already")
    for other in state.table(Substitution).values():
        if other.substitution_id == key or other.helper_id != helper_id:
            continue
        if other.first_day <= last_day and first_day <= other.last_day:
            name = state.table(Helper)[helper_id].name
            raise OrderRefused(
                f"{name} 在 {other.first_day} 至 {other.last_day} 已经有替班，日期不能重叠",
                f"{name} already has a substitution from {other.first_day} to {other.last_day}",
            )
    new = Substitution(key, helper_id, by, first_day, last_day, read.words("why", 80))
    return _put(old, new, "SubstitutionPut", f"substitution:{key}", fields, now_ms)


def holiday_put(state: HallState, fields: Fields, now_ms: int) -> Decision:
    read = Reader(fields, None, NAMES)
    key = read.day("day", needed=True)
    old = state.table(Holiday).get(key)
    read = Reader(fields, old, NAMES)
    new = Holiday(key, read.choice("kind", DAY_KINDS, "holiday"), read.words("name", 40))
    return _put(old, new, "HolidayPut", f"day:{key}", fields, now_ms)


def _helper(state: HallState, read: Reader, key: str) -> str:
    helper_id = read.words(key, 64)
    if helper_id not in state.table(Helper):
        if not helper_id:
            raise read.wrong(key, "请选择", "choose one")
        raise read.wrong(key, f"没有“{helper_id}”这个人", f"there is no helper {helper_id!r}")
    return helper_id


def _weekdays(read: Reader) -> int:
    weekdays = read.number("weekdays", 0, 127, 127)
    if not weekdays:
        raise read.wrong("weekdays", "至少选一天", "choose one day at least")
    return weekdays


def _put(old: Row | None, new: Row, event: str, subject: str, fields: Fields, now_ms: int) -> Decision:
    if new == old:
        return Decision()
    line = JournalLine(now_ms, event, subject, fields.text("by", ""), changed(old, new))
    return Decision(changes=[new, line])


def _dropped(
    state: HallState, kind: type[Row], key: str, event: str, subject: str, fields: Fields, now_ms: int
) -> Decision:
    if key not in state.table(kind):
        return Decision()
    line = JournalLine(now_ms, event, f"{subject}:{key}", fields.text("by", ""))
    return Decision(changes=[RowGone(kind.TABLE, key), line])


def _drop_shift(state: HallState, fields: Fields, now_ms: int) -> Decision:
    return _dropped(state, Shift, fields.name("shift_id"), "ShiftDropped", "shift", fields, now_ms)


def _drop_substitution(state: HallState, fields: Fields, now_ms: int) -> Decision:
    key = fields.name("substitution_id")
    return _dropped(state, Substitution, key, "SubstitutionDropped", "substitution", fields, now_ms)


def _drop_holiday(state: HallState, fields: Fields, now_ms: int) -> Decision:
    return _dropped(state, Holiday, fields.name("day"), "HolidayDropped", "day", fields, now_ms)


ORDERS = {
    "put_shift": shift_put,
    "drop_shift": _drop_shift,
    "put_substitution": substitution_put,
    "drop_substitution": _drop_substitution,
    "put_holiday": holiday_put,
    "drop_holiday": _drop_holiday,
}
