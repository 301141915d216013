"""The console's words of its menu, its posts' names and what stands on every page: key → (Chinese, English)."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "nav": ("页面", "Pages"),
    "nav_here": ("{group}里的页面", "Pages of: {group}"),
    "nav_all": ("所有页面", "All pages"),
    "nav_me": ("我的账号", "My account"),
    "nav_desk": ("工作台", "Desk"),
    "nav_overview": ("总览", "Overview"),
    "nav_queue": ("排队", "Queue"),
    "nav_calls": ("呼叫与探访", "Calls, visits"),
    "nav_requests": ("诉求", "Requests"),
    "nav_people": ("居民与排班", "People"),
    "nav_all_devices": ("设备一览", "Device list"),
    "nav_screens": ("自助机", "Kiosks"),
    "nav_reports": ("报表", "Reports"),
    "nav_all_reports": ("日周月报", "Day, week, month"),
    "nav_lists": ("名单导入导出", "Lists in and out"),
    "nav_settings": ("设置", "Settings"),
    "nav_content": ("内容", "Content"),
    "nav_start": ("开馆向导", "First steps"),
    "nav_my_post": ("我的岗位：{post}", "My post: {post}"),
    "not_found": (
        "没有这一页：地址写错了，或者它已经不在了。",
        "There is no such page: the address is wrong, or the page has gone.",
    ),
    "wrong_method": (
        "这个地址不是这样用的，什么也没有改。请从页面上的按钮进来。",
        "This address is not used in that way; nothing was changed. Come in by a page's own button.",
    ),
    "fault_what": (
        "这一页出错了，是系统的问题。刚才的操作可能没有保存。",
        "This page has failed, and that is our fault. What you just did may not be saved.",
    ),
    "fault_works": (
        "呼叫照常响铃，叫号、打印和其他页面照常可用。",
        "Calls still ring; queue, printing and the other pages still work.",
    ),
    "fault_do": (
        "请先看看状态，再试一次。还不行就告诉技术员：日志里找 {event}。",
        "Look at how it stands, then try again. If it fails again tell the technician: {event} in the log.",
    ),
    "fault_again": ("再试一次", "Try again"),
    "too_large": (
        "内容太大（一般最多 64 KB，名单文件最多 1 MB），什么也没有保存。请按“后退”，写的还在，改短再存。",
        "Too large (64 KB as a rule, a list 1 MB at most); nothing was saved. Go back: what you wrote is there.",
    ),
    "address_too_long": (
        "写的内容太长，没有收下，什么也没有改。请按“后退”，写短一点再试。",
        "That is too long and was not taken in; nothing was changed. Go back, and make it shorter.",
    ),
    "file_too_large": (
        "这个文件有 {n} KB，最多 {most} KB。是不是选错了文件？",
        "This file has {n} KB; {most} KB at most. Is it the right one?",
    ),
    "nav_find": ("搜号码、人、房号、设备、车位……", "Number, person, flat, device, bay …"),
    "nav_find_do": ("搜索", "Search"),
    "post_window": ("窗口员", "Window clerk"),
    "post_duty": ("值班", "Duty"),
    "post_grid": ("网格员", "Grid officer"),
    "post_property": ("物业", "Property"),
    "post_branch": ("党支部", "Party branch"),
    "post_technician": ("技术员", "Technician"),
    "post_admin": ("管理员", "Admin"),
}
