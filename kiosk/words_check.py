"""The console's words of the check-up and of the house itself: key → (Chinese, English)."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "check": ("体检", "Check-up"),
    "check_more": (
        "系统每天自己检查一次：笔记本、日志链、备份、磁盘、网络、打印机。串口要在机器上用 linli doctor 看。",
        "Looked at once a day: notebooks, journal, backups, disk, broker, printers. Serial ports: linli doctor, there.",
    ),
    "check_never": (
        "开机以后还没有检查过（开机十分钟后会自己查一次）。点“现在检查”。",
        "Not looked at since the start (it is, by itself, ten minutes after it). Touch “Look now”.",
    ),
    "check_at": ("{time} 检查的", "Looked at {time}"),
    "check_now": ("现在检查", "Look now"),
    "check_again": ("再检查一次", "Look again"),
    "check_working": ("正在检查：{done} / {of} 项", "Looking: {done} of {of}"),
    "check_working_more": (
        "呼叫、叫号照常；这一页会自己更新。",
        "Calls and queue go on; this page comes again by itself.",
    ),
    "check_before": ("下面是上一次的结果。", "Below is what was found before."),
    "check_stop": ("停止检查", "Stop"),
    "check_failed": (
        "检查没有做完：{why}。请再试一次，还不行就在机器上运行 linli doctor。",
        "The check-up was not finished: {why}. Try again, or run linli doctor on the machine.",
    ),
    "check_wrong": ("要处理的", "To be put right"),
    "check_note": ("知道就好", "Worth knowing"),
    "check_ok": ("正常的", "Well"),
    "check_all_well": ("没有要处理的。", "Nothing is wrong."),
    "did_check_up": ("检查了系统", "Had the system checked"),
    # on the desks
    "desk_check": ("体检发现的", "What the check-up found"),
    "desk_check_none": ("上次检查一切正常。", "All was well when it was looked at last."),
    "desk_check_at": (
        "{time} 检查：{wrong} 处要处理，{note} 处知道就好，{ok} 项正常。",
        "Looked at {time}: {wrong} to put right, {note} worth knowing, {ok} well.",
    ),
    "desk_check_wrong": ("体检发现 {n} 处要处理，请技术员看", "The check-up found {n}: the technician should look"),
    "desk_house": ("这套系统", "This system"),
    "desk_house_none": ("都好。", "All is well."),
    "desk_version": ("邻里 {version} 版", "Linli {version}"),
    "desk_restart": (
        "新版本已经放好，还没有启用：重启后才生效（sudo systemctl restart linli.target，几秒钟，呼叫不会丢）",
        "Newer files lie here and do not run yet: sudo systemctl restart linli.target (seconds, no call is lost)",
    ),
    "desk_version_same": ("正在运行的就是装好的这一版", "what runs is what is installed"),
    "desk_clips": ("{voice}：{of} 个词里还有 {n} 个没有录音", "{voice}: {n} of {of} words are not recorded"),
    "desk_clips_more": ("没有录的用普通话代替", "Mandarin stands in for them"),
    "desk_do_record": ("录音", "Record"),
    "desk_english": ("{n} 个停车区没有英文名", "{n} car park zones have no English name"),
    "desk_english_more": ("外国居民看到的是中文：{names}", "who reads English sees Chinese: {names}"),
    "desk_do_write": ("填写", "Write"),
    "desk_password_left": ("{n} 个账号还没有改初始密码", "{n} accounts still have the password they were handed"),
}
