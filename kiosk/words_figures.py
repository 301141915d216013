"""The words of the queue's figures: key → (Chinese, English).

For the console's page, its files and `linli queue figures`.

Whoever reads them runs a hall and need not know what a percentile is: "half within", "9 of 10 within".
"""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "qf": ("排队统计", "Queue figures"),
    "qf_today": ("今天", "Today"),
    "qf_week": ("本周", "This week"),
    "qf_month": ("本月", "This month"),
    "qf_last_month": ("上月", "Last month"),
    "qf_from": ("从", "From"),
    "qf_to": ("到", "To"),
    "qf_show": ("查看", "Show"),
    "qf_day_wrong": (
        "日期不对：请写成 2026-11-22，“从”不能晚于“到”。",
        "That is no day: write 2026-11-22, and “from” not after “to”.",
    ),
    "qf_days": ("{first} 至 {last}", "{first} to {last}"),
    "qf_none": ("这些天没有办结的号。", "No number came to an end on these days."),
    "qf_none_more": (
        "每个号办结、过号或取消时记一笔；记录里没有任何个人信息。",
        "Each number is counted when it is done, missed or cancelled; nothing of a person is kept.",
    ),
    "qf_working": ("正在统计：已数 {done} 天，共 {of} 天", "Counting: {done} of {of} days"),
    "qf_working_more": (
        "取号和叫号不受影响。这一页会自己更新。",
        "Tickets and calls go on as ever. This page comes again by itself.",
    ),
    "qf_busy": (
        "同时有几份统计在做，请一分钟后再看。取号和叫号不受影响。",
        "Several reports are being made; look again in a minute. Tickets and calls go on as ever.",
    ),
    "qf_failed": (
        "统计没有做成：{why}。取号和叫号不受影响；请再试一次，还不行就找技术员。",
        "The figures could not be worked out: {why}. Tickets and calls go on; try again, then tell the technician.",
    ),
    # ---- what stands on top
    "qf_summary": (
        "共 {total} 个号，办了 {served} 个。一半人等了不到 {p50}，九成不到 {p90}。",
        "{total} numbers, {served} served. Half waited up to {p50}, nine of ten up to {p90}.",
    ),
    "qf_summary_beyond": (
        "等了超过目标（{target} 分钟）的：{n} 个，{share}。",
        "Beyond the target ({target} min): {n}, {share}.",
    ),
    "qf_summary_no_show": ("过号没来的：{n} 个，{share}。", "Called and did not come: {n}, {share}."),
    "qf_target": ("目标：不超过（分钟）", "Target: at most (minutes)"),
    # ---- the parts
    "qf_part_all": ("合计", "All"),
    "qf_part_item": ("按事项", "By item"),
    "qf_part_window": ("按窗口", "By window"),
    "qf_part_hour": ("按钟点", "By hour"),
    "qf_part_lane": ("按队列", "By lane"),
    "qf_part_day": ("按天", "By day"),
    "qf_name_item": ("事项", "Item"),
    "qf_name_window": ("窗口", "Window"),
    "qf_name_hour": ("开始等的钟点", "Hour in which the wait began"),
    "qf_name_lane": ("队列", "Lane"),
    "qf_name_day": ("日期", "Day"),
    "qf_name_all": ("范围", "Range"),
    "qf_lane_normal": ("普通", "Normal"),
    "qf_lane_priority": ("优先", "Priority"),
    # ---- columns
    "qf_total": ("号数", "Numbers"),
    "qf_served": ("办了", "Served"),
    "qf_no_show": ("过号", "No-show"),
    "qf_no_show_share": ("过号率", "No-show rate"),
    "qf_cancelled": ("取消", "Cancelled"),
    "qf_transferred": ("其中转办", "Of these passed on"),
    "qf_beyond": ("超目标", "Beyond target"),
    "qf_beyond_share": ("超目标率", "Beyond target, share"),
    "qf_wait": ("等候", "Wait"),
    "qf_service": ("办理", "Service"),
    "qf_p50": ("一半人不超过", "half within"),
    "qf_p90": ("九成不超过", "9 of 10 within"),
    "qf_p99": ("99% 不超过", "99 % within"),
    "qf_longest": ("最长", "longest"),
    "qf_unit": ("分:秒", "min:s"),
    "qf_seconds": ("秒", "s"),
    "qf_chart": ("{part}：等了多久（分钟）", "{part}: how long people waited (minutes)"),
    "qf_chart_mark": (
        "{name}：{n} 人，一半 {p50}，九成 {p90}，99% {p99}",
        "{name}: {n} people, half within {p50}, 9 of 10 within {p90}, 99 % within {p99}",
    ),
    "qf_chart_key": (
        "色块：一半人等的时间；竖线到九成；短横是 99%；虚线是目标",
        "Block: half waited no longer; line: 9 of 10; stroke: 99 %; dashes: the target",
    ),
    "qf_how": (
        "百分位是真实的某一个人等的时间，精确到秒，不是平均。等候：从取号（或转办）到叫来办理那一次叫号；只算办了的人。",
        "Each percentile is a time that somebody had, to the second. Wait: of those served, from number to call.",
    ),
    "qf_csv": ("下载 CSV", "Download CSV"),
    "qf_xlsx": ("下载 Excel（XLSX）", "Download Excel (XLSX)"),
    "qf_print": ("打印", "Print"),
    "qf_hour": ("{hour} 点", "{hour}:00"),
    "did_export_queue_figures": ("下载排队统计", "Downloaded queue figures"),
}
