"""What residents read about the car park: the map, the nearest free bay. key → (Chinese, English)."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "map_label": (
        "车位图：空位 {free} 个，已停 {taken} 个，不清楚 {unknown} 个，停用 {closed} 个",
        "Map of the bays: {free} free, {taken} taken, {unknown} not known, {closed} closed",
    ),
    "map_as_of": (
        "车位信息暂时没有更新：这是 {time} 的情况，仅供参考",
        "Parking is not being updated: this is how it was at {time}, for reference only",
    ),
    "map_see": ("看车位图", "See the map"),
    "map_whole": ("看全图", "Whole map"),
    "near_ask": (
        "您要去哪里？点一下，告诉您最近的空位",
        "Where are you going? Touch it to find the nearest free bay",
    ),
    "near_find": ("找最近的空位", "Find the nearest bay"),
    "near_where": ("您要去哪里？", "Where are you going?"),
    "near_title": ("离{place}最近的空位", "The free bay nearest to {place}"),
    "near_bay": ("{zone} {bay} 号", "{zone}, bay {bay}"),
    "near_far": ("直线约 {n} 米", "about {n} m as the crow flies"),
    "near_on_map": ("在图上用蓝框标出", "It has a blue frame on the map"),
    "near_none": ("现在没有您能用的空位", "There is no free bay for you just now"),
    "near_none_more": (
        "请等一会儿再看，或按“叫人帮忙”。",
        "Please look again in a while, or press “Call for help”.",
    ),
    "near_full_at": ("这一区{outlook}，请尽快", "This zone is {outlook}: do not wait long"),
    "zone_full_at": ("约 {clock} 停满", "full at about {clock}"),
    "near_away": ("现在不知道哪里有空位", "Just now nobody knows where a bay is free"),
    "near_away_more": (
        "车位信息没有更新，不敢给您指路。请看现场指示牌，或按“叫人帮忙”。",
        "Parking is not being updated, so we will not send you anywhere. Follow the signs, or press “Call for help”.",
    ),
    "near_other_disabled": (
        "无障碍车位现在没有空的，这是最近的普通空位",
        "No accessible bay is free now: this is the nearest ordinary one",
    ),
    "who_am_i": ("我是", "I am"),
    "who_visitor": ("访客", "a visitor"),
    "who_resident": ("本小区业主", "a resident"),
    "who_disabled": ("要无障碍车位", "in need of an accessible bay"),
    "who_charging": ("要充电", "charging a car"),
}
