"""What residents read about how a request goes: key → (Chinese, English). Kinds, states and steps have their words in
kiosk/rules/request*.py."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "progress": ("查办理进度", "How it goes"),
    "progress_title": ("请输入查询码", "Type your query code"),
    "progress_where": (
        "8 个字，在登记单上；也可以把单子上的码放到扫码口",
        "8 signs on your slip; or hold its code under the scanner",
    ),
    "progress_typed": ("已经输入", "Typed so far"),
    "progress_erase": ("删一个", "Erase one"),
    "progress_again": ("重输", "Start again"),
    "progress_do": ("查一查", "Look it up"),
    "progress_wrong": (
        "没有“{code}”这个查询码，请对照单子再输一次",
        "There is no code “{code}”: compare it with your slip and try again",
    ),
    "progress_locked": (
        "输错太多次，请等 {n} 秒再试，或按“叫人帮忙”",
        "Too many wrong codes: wait {n} s, or press “Call for help”",
    ),
    "progress_number": ("登记编号", "Log number"),
    "progress_code": ("查询码", "Query code"),
    "progress_so_far": ("办理经过", "What has happened"),
    "progress_late": (
        "比约定的时间晚了，工作人员已看到提醒；着急请按“叫人帮忙”",
        "This is later than planned; staff have been reminded. In a hurry? Press “Call for help”",
    ),
    "progress_late_phone": (
        "比约定的时间晚了，工作人员已看到提醒；着急请到服务大厅",
        "This is later than planned; staff have been reminded. In a hurry? Come to the service hall",
    ),
    "progress_other": ("查另一件", "Another code"),
    "progress_stage_past": ("已过", "past"),
    "progress_stage_now": ("现在", "now"),
    "progress_stage_ahead": ("还没到", "to come"),
    "js_progress_looking": ("正在查…", "Looking it up…"),
}
