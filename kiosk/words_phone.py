"""What residents read about a ticket on a phone, and at the check-in by code: key → (Chinese, English)."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    # the phone page
    "phone_title": ("排队进度", "Your place in line"),
    "phone_keep": ("本页自动更新，请不要关", "Keep this page open: it updates by itself"),
    "phone_taken_at": ("取号时间", "Taken at"),
    "phone_cancel": ("我不办了，取消这个号", "I am leaving: cancel my number"),
    "phone_sure": ("真的不办了吗？", "Cancel your number?"),
    "phone_sure_more": (
        "取消后，这个号不能再用；想办要重新取号。",
        "This number will not be called any more; you would have to take a new one.",
    ),
    "phone_yes": ("取消 {number}", "Cancel {number}"),
    "phone_no": ("不取消，继续等", "No, I will wait"),
    "phone_gone": ("没有这张号", "No such ticket"),
    "js_remind": ("快到时响铃提醒我", "Ring when I am nearly there"),
    "js_remind_on": ("提醒已开，请不要关这一页", "Reminder is on: keep this page open"),
    "js_soon": ("快到您了，请回大厅等候", "Nearly your turn: please come back to the hall"),
    "js_next": ("下一个就是您", "You are next"),
    "js_wait_told": ("还要等：{told}", "Still to wait: {told}"),
    "js_none_serves": (
        "现在没有窗口在办这件事，请稍等或问服务台",
        "No window serves this just now: please wait, or ask at the desk",
    ),
    "js_now": ("到您了！", "Your turn!"),
    # checking in at the kiosk
    "check_in": ("预约报到", "Check in"),
    "check_in_title": ("请输入预约码", "Type your code"),
    "check_in_where": (
        "预约单上的 8 个字，没有 0、O、1、I",
        "The 8 signs on your slip; there is no 0, O, 1 or I",
    ),
    "check_in_erase": ("退格", "Erase"),
    "check_in_again": ("重输", "Clear"),
    "check_in_do": ("报到", "Check in"),
    "check_in_typed": ("已输入的预约码", "The code so far"),
    # opening hours, before anybody touches in vain
    "closed_now": ("现在不能取号", "No numbers now"),
}
