"""A week of menus as people paste it: from a spreadsheet, from a chat, with everything that goes wrong."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.rules.menu_paste import Meal, cutoff_of, day_of, price_of, read_week

MONDAY = date(2026, 11, 23)


def test_lines_from_a_spreadsheet_a_chat_and_a_keyboard_say_the_same() -> None:
    wanted = [
        Meal("2026-11-23", "lunch", "红烧肉、青菜、米饭", 1200, 600),
        Meal("2026-11-24", "breakfast", "小米粥", 450, -240),
    ]
    pastes = [
        "日期\t餐\t菜\t价格\t截止\n2026-11-23\t午餐\t红烧肉、青菜、米饭\t12\t10:00\n2026/11/24\t早餐\t小米粥\t4.5\t前一天20:00\n",
        "周一，午饭，红烧肉、青菜、米饭，12元，10：00\n\n周二，早饭，小米粥，￥4.50，前晚20:00",
        "11月23日 中餐 红烧肉、青菜、米饭 12元 10:00\n星期二 早餐 小米粥 4.5 -20:00",
        "Mon | lunch | 红烧肉、青菜、米饭 | 12 | 10:00\nTue | breakfast | 小米粥 | 4.5 | eve20:00",
        "１１-２３ 午餐 红烧肉、青菜、米饭 １２ １０：００\n11/24,早,小米粥,4.5块,前日20:00",
    ]
    for paste in pastes:
        assert read_week(paste, MONDAY) == (wanted, []), paste


def test_a_dish_with_commas_or_blanks_of_its_own_stays_one_dish() -> None:
    meals, wrong = read_week("周一,午餐,红烧肉,青菜,米饭,12,10:00\n周二 午餐 番茄 炒蛋 8 10:00", MONDAY)
    assert [one.dish for one in meals] == ["红烧肉、青菜、米饭", "番茄 炒蛋"] and wrong == []


def test_each_line_that_will_not_do_is_named_with_what_is_wrong() -> None:
    paste = """周一 午餐 鱼 12 10:00
        周八 午餐 鱼 12 10:00
        周二 宵夜 鱼 12 10:00
        周三 午餐 鱼 很贵 10:00
        周四 午餐 鱼 12 中午
        周五 午餐
        周一 午餐 肉 12 10:00
        2026-02-30 午餐 鱼 12 10:00"""
    meals, wrong = read_week(paste, MONDAY)
    assert [one.day for one in meals] == ["2026-11-23"]
    assert [(one.number, one.key) for one in wrong] == [
        (2, "menu_bad_day"),
        (3, "menu_bad_meal"),
        (4, "menu_bad_price"),
        (5, "menu_bad_cutoff"),
        (6, "menu_bad_line"),
        (7, "menu_bad_twice"),
        (8, "menu_bad_day"),
    ]


def test_a_day_without_a_year_is_the_nearest_one() -> None:
    assert day_of("1-4", date(2026, 12, 28)) == date(2027, 1, 4)
    assert day_of("12/31", date(2027, 1, 4)) == date(2026, 12, 31)
    assert day_of("2-29", date(2027, 11, 1)) == date(2028, 2, 29), "the nearest year that has one"


@pytest.mark.parametrize(
    ("word", "fen"),
    [("12", 1200), ("0", 0), ("免费", 0), ("8.5元", 850), ("¥3.05", 305), ("1e3", None), ("-1", None)],
)
def test_prices(word: str, fen: int | None) -> None:
    assert price_of(word) == fen


@pytest.mark.parametrize(
    ("word", "minute"),
    [("10:00", 600), ("24:00", 1440), ("24:01", None), ("9:60", None), ("前一天 20:00", -240)],
)
def test_cutoffs(word: str, minute: int | None) -> None:
    assert cutoff_of(word) == minute


@given(st.text(max_size=300))
def test_whatever_is_pasted_is_read_or_named_and_never_stumbles(text: str) -> None:
    meals, wrong = read_week(text, MONDAY)
    assert len(meals) + len(wrong) <= len(text.splitlines())
    assert all(one.dish and date.fromisoformat(one.day) for one in meals)
