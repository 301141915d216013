"""The words of the car park's history and forecast: key → (Chinese, English). For the console's page and its files."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "ph": ("车位历史", "Parking history"),
    "ph_week": ("近 7 天", "Last 7 days"),
    "ph_month": ("近 30 天", "Last 30 days"),
    "ph_quarter": ("近 90 天", "Last 90 days"),
    "ph_year": ("近 365 天", "Last 365 days"),
    "ph_zone": ("区域", "Zone"),
    "ph_all_zones": ("全部区域", "All zones"),
    "ph_none": ("这些天没有车位数据。", "There is no parking data for these days."),
    "ph_none_more": (
        "车位有变化时才记一笔，保存 400 天；没有收到的时间算“不知道”，不算空也不算占。",
        "Only changes are written, and kept 400 days; time of which nothing was heard is unknown: not free, not taken.",
    ),
    "ph_working_more": (
        "车位、道闸屏和取号不受影响。这一页会自己更新。",
        "Bays, panels and tickets go on as ever. This page comes again by itself.",
    ),
    "ph_failed": (
        "统计没有做成：{why}。车位和屏幕不受影响；请再试一次，还不行就找技术员。",
        "The figures could not be worked out: {why}. Bays and panels go on; try again, then tell the technician.",
    ),
    "ph_zone_wrong": ("没有这个区域，请从上面选一个。", "There is no such zone; pick one above."),
    # ---- on top
    "ph_summary": (
        "平均占用 {occupied}，{arrivals} 辆次，每个车位每天 {turnover} 辆次。",
        "Occupied on average {occupied}; {arrivals} cars, {turnover} a bay and day.",
    ),
    "ph_summary_stay": (
        "一半的车停了不到 {p50}，九成不到 {p90}。",
        "Half of the cars stood up to {p50}, nine of ten up to {p90}.",
    ),
    "ph_unknown": (
        "不知道的时间占 {share}，没有算进占用率。",
        "Unknown for {share} of the time; not counted as either.",
    ),
    "ph_days_without": (
        "这段时间里有 {n} 天完全没有数据。",
        "Days of this range without any data: {n}.",
    ),
    # ---- forecast
    "ph_forecast": ("今天什么时候停满", "When it will be full today"),
    "ph_now": ("现在占用", "Occupied now"),
    "ph_full_time": ("预计停满", "Full at about"),
    "ph_error": ("通常误差", "Usual error"),
    "ph_ahead": ("{hours} 小时后", "In {hours} h"),
    "ph_usual": ("平时这一天", "Usually"),
    "ph_usually_full": ("一般 {clock} 前后停满", "usually full at about {clock}"),
    "ph_usually_not": ("一般停不满", "usually not full"),
    "ph_full_now": ("现在已满", "Full now"),
    "ph_not_today": ("今天大概停不满", "Probably not today"),
    "ph_between": ("{clock}（{early}–{late}）", "{clock} ({early}–{late})"),
    "ph_too_few": (
        "历史还不够（同类的日子至少 3 天，而且要知道后来怎样）",
        "Too few days yet (3 alike are needed, known to their end)",
    ),
    "ph_error_min": ("±{minutes} 分钟", "±{minutes} min"),
    "ph_error_none": ("还说不出", "Not known yet"),
    "ph_right": ("说中", "Right"),
    "ph_right_of": ("{n} 次中 {share}", "{share} of {n}"),
    "ph_forecast_how": (
        "按同一个星期几的往日和今天现在的情况推算。误差是用过去 28 天逐日回测得到的：每天只用那天以前的数据。",
        "From the same weekday's past and from now. The error is back-tested: 28 days, each with what lay before it.",
    ),
    # ---- the picture
    "ph_heat": ("几点有多满（%）", "How full, by hour (%)"),
    "ph_heat_table": ("同样的数字，按表看", "The same figures as a table"),
    "ph_heat_key": (
        "格里的数字是占用率：已知的时间里有车的部分。越深越满。“?”：不知道的时间超过两成，不给数字；“–”：没有数据。",
        "A cell's figure is occupancy: taken, of the time that is known. “?”: over 20 % unknown; “–”: no data.",
    ),
    "ph_heat_cell": (
        "{day} {hour} 点：占用 {share}，不知道 {unknown}",
        "{day} {hour}:00: occupied {share}, unknown {unknown}",
    ),
    "ph_weekday": ("星期", "Weekday"),
    "ph_day_0": ("周一", "Mon"),
    "ph_day_1": ("周二", "Tue"),
    "ph_day_2": ("周三", "Wed"),
    "ph_day_3": ("周四", "Thu"),
    "ph_day_4": ("周五", "Fri"),
    "ph_day_5": ("周六", "Sat"),
    "ph_day_6": ("周日", "Sun"),
    # ---- tables
    "ph_zones": ("按区域", "By zone"),
    "ph_bays": ("按车位", "By bay"),
    "ph_bay": ("车位", "Bay"),
    "ph_bay_count": ("车位数", "Bays"),
    "ph_days": ("有数据的天数", "Days with data"),
    "ph_occupied": ("占用率", "Occupied"),
    "ph_unknown_share": ("不知道", "Unknown"),
    "ph_known_share": ("有数据的时间", "Time known"),
    "ph_arrivals": ("来车", "Cars in"),
    "ph_departures": ("走车", "Cars out"),
    "ph_turnover": ("每位每天辆次", "Cars a bay and day"),
    "ph_stay": ("停多久", "Stays"),
    "ph_stay_p50": ("一半不超过", "half within"),
    "ph_stay_p90": ("九成不超过", "9 of 10 within"),
    "ph_minutes": ("分钟", "min"),
    "ph_hours_minutes": ("时:分", "h:min"),
    "ph_hour": ("钟点", "Hour"),
    "ph_more_bays": ("只列出最忙的 {n} 个；全部在下载的表里。", "The {n} busiest; the files hold all."),
    "ph_how": (
        "停多久只算来和走都看见的车；还停着的、中间断了信号的不算。来车：原来不是占用，变成占用。",
        "Stays: cars seen coming and leaving, and watched between. Cars in: a bay that was not taken, and is.",
    ),
    "ph_how_unknown": (
        "网关关着超过一刻钟的时间算“不知道”。哪个车位哪天有两成以上不知道，那天不算进它的每天辆次；预测也不学这样的时间。",
        "Gateway off (over 15 min): nothing is known. No forecast learns from it, no such day counts for turnover.",
    ),
    "did_export_parking_history": ("下载车位历史", "Downloaded parking history"),
}
