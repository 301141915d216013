"""Every text of the console: key → (Chinese, English). Chinese first, English complete (a test compares).

``{name}`` marks a place that is filled in, as text and never as HTML, by the template or by ``console_view.js``.
"""

from __future__ import annotations

from typing import Literal

# How a call ended and what kinds there are is decided where a call lives; the console only shows these words.
from gateway.hall.kinds import DEFAULTS, OUTCOMES
from kiosk.console.words_desk import WORDS as DESK
from kiosk.words_answering import WORDS as ANSWERING
from kiosk.words_book import WORDS as BOOK
from kiosk.words_care import WORDS as CARE
from kiosk.words_check import WORDS as CHECK
from kiosk.words_console_find import WORDS as FIND
from kiosk.words_content import WORDS as CONTENT
from kiosk.words_figures import WORDS as FIGURES
from kiosk.words_fleet import WORDS as FLEET
from kiosk.words_menu import WORDS as MENU
from kiosk.words_parking import WORDS as PARKING
from kiosk.words_parking_history import WORDS as PARKING_HISTORY
from kiosk.words_policy import WORDS as POLICY
from kiosk.words_posts import WORDS as POSTS
from kiosk.words_printers import WORDS as PRINTERS
from kiosk.words_queue import WORDS as QUEUE
from kiosk.words_reports import WORDS as REPORTS
from kiosk.words_request_desk import WORDS as REQUESTS
from kiosk.words_running import WORDS as RUNNING
from kiosk.words_screens import WORDS as SCREENS
from kiosk.words_start import WORDS as START
from kiosk.words_upkeep import WORDS as UPKEEP
from kiosk.words_voice import WORDS as VOICE

Lang = Literal["zh", "en"]

#: word → (Chinese, English) of the kinds that a hall begins with
KINDS = {kind.kind: (kind.name_zh, kind.name_en) for kind in DEFAULTS.values()}

__all__ = ["KINDS", "OUTCOMES", "WORDS", "Lang", "both", "say"]

_PAGE: dict[str, tuple[str, str]] = {
    "console": ("工作台", "Console"),
    "staff": ("工作人员", "Staff"),
    "devices": ("设备", "Devices"),
    "journal": ("操作记录", "Journal"),
    "other_language": ("English", "中文"),
    "skip": ("跳到呼叫", "Skip to calls"),
    "skip_menu": ("跳过菜单", "Skip the menu"),
    "sign_in": ("登录", "Sign in"),
    "sign_out": ("退出", "Sign out"),
    "lock": ("锁屏", "Lock"),
    "password_page": ("改密码", "Password"),
    "menu": ("菜单", "Menu"),
    "role_admin": ("管理员", "Administrator"),
    "role_staff": ("工作人员", "Staff"),
    # signing in
    "sign_in_title": ("工作人员登录", "Staff sign-in"),
    "sign_in_silent": (
        "没有人登录时，这个屏幕不会响铃。",
        "While nobody is signed in, this screen does not ring.",
    ),
    "name": ("姓名", "Name"),
    "password": ("密码", "Password"),
    "password_old": ("现在的密码", "Current password"),
    "password_new": ("新密码", "New password"),
    "password_again": ("再输一次", "Once more"),
    "password_rule": (
        "至少 8 位，不能和姓名一样。可以用一句话。",
        "At least 8 characters, not the name. A sentence is fine.",
    ),
    "password_differs": ("两次输入不一样，请重新输入。", "The two do not match; type them again."),
    "password_title": ("设置自己的密码", "Choose your own password"),
    "password_must": (
        "这是别人交给您的密码。请先换成只有您知道的。",
        "Somebody handed you this password. Change it to one that only you know.",
    ),
    "password_save": ("保存新密码", "Save the new password"),
    "first_title": ("建立第一位管理员", "The first administrator"),
    "first_how": (
        "它也在这台机器数据目录的这个文件里：",
        "It is also in this file of the machine's data directory:",
    ),
    "first_command": (
        "令牌只有技术人员能看到，用一次就失效。另开一个终端，在这台机器上运行这条命令，把它打印的那串字填在下面：",
        "The token is for the technician alone; it works once. In a second terminal on this machine type this command:",
    ),
    "first_desk": ("用 make run 启动的，在项目目录里", "Started by make run: in the project's folder"),
    "first_pi": ("装在树莓派上的", "Installed on a Raspberry Pi"),
    "token": ("令牌", "Token"),
    "first_make": ("建立管理员", "Make the administrator"),
    "form_stale": (
        "页面太旧或来自别处，什么也没有改。请重新打开页面再试。",
        "The page was stale or came from elsewhere; nothing was changed. Open it again and retry.",
    ),
    "not_allowed": ("您的角色不能做这件事。", "Your role may not do this."),
    "not_signed_in": ("请先登录。", "Sign in first."),
    "is_locked": ("屏幕已锁，请先解锁。", "The screen is locked; unlock it first."),
    "must_change_first": ("请先改密码。", "Change your password first."),
    # the live line
    "line_live": ("实时", "Live"),
    "line_lost": (
        "与主机断线，正在重连。屏幕上的内容可能是旧的；请留意按钮灯和警示灯。",
        "Connection lost, reconnecting. What you see may be old; watch the lamps and the beacon.",
    ),
    "line_polling": (
        "实时线路连不上：呼叫每 5 秒查询一次，照常响铃；其余内容可能是旧的。",
        "No live line: calls are asked for every 5 seconds and ring as always; the rest may be old.",
    ),
    "ended_title": (
        "已退出登录，本屏不再响铃",
        "Signed out: this screen no longer rings",
    ),
    "ended_why": (
        "可能是登录到期、在别处退出，或账号被停用。有人登录之前，每分钟提示一声。",
        "The sign-in ended, or somebody ended it elsewhere. Until somebody signs in, it reminds you once a minute.",
    ),
    "needs_script": (
        "这个页面需要 JavaScript。没有它，呼叫不会响铃。",
        "This page needs JavaScript. Without it no call rings here.",
    ),
    "loading": ("正在读取…", "Loading…"),
    "ends_soon": (
        "本次登录在 {time} 到期，到期后本屏不再响铃。请提前重新登录。",
        "This sign-in ends at {time}; after that the screen falls silent. Sign in again before.",
    ),
    # sound
    "sound_on": ("铃声已开", "Sound is on"),
    "sound_tap": ("点这里打开铃声", "Tap to enable sound"),
    "sound_why": (
        "浏览器要先点一下才肯响铃。",
        "The browser wants one tap before it may ring.",
    ),
    "sound_test": ("试听", "Test"),
    # calls
    "calls": ("呼叫", "Calls"),
    "calls_none": ("没有未处理的呼叫", "No open calls"),
    "calls_none_more": ("有人按下按钮时，这里会响铃。", "When somebody presses a button, it rings here."),
    "calls_closed": ("最近办结", "Closed lately"),
    "calls_unknown": (
        "网关没有应答，新的呼叫到不了这里；下面是断开前的样子。请直接看按钮灯和警示灯，并打电话核实。",
        "The gateway does not answer: new calls do not get here, what is below is old. Watch the lamps, telephone.",
    ),
    "close": ("办结", "Close"),
    "accepted_by": ("{name} 正在前往", "{name} is on the way"),
    "already_taken": ("{name} 已经去了，不用重复前往。", "Already taken by {name}; no need to go twice."),
    "already_closed": ("这个呼叫已由 {name} 办结。", "This call was already closed by {name}."),
    "waiting_for": ("已等 {time}", "waiting {time}"),
    "pressed_times": ("按了 {n} 次", "pressed {n} times"),
    "call_unclaimed": ("未登记设备", "Unclaimed device"),
    "call_unclaimed_more": (
        "不知道是哪里。请按设备编号查找，并登记。",
        "Place unknown. Look for the device by its id, then claim it.",
    ),
    "call_unwritten": ("未写入磁盘", "Not written on disk"),
    "call_unwritten_more": (
        "磁盘出错，老人的灯没有亮。请立即前往，并手工记下。",
        "The disk failed and the lamp stays dark. Go at once, and note it on paper.",
    ),
    "call_delayed": ("延迟送达", "Came late"),
    "call_overdue": ("超过一分钟没人应答", "Unanswered for over a minute"),
    "call_doubtful": ("可能不是人按的", "Perhaps nobody pressed"),
    "call_locked_more": ("解锁后接单。", "Unlock to accept."),
    "outcome_title": ("怎样办结？", "How did it end?"),
    "outcome_pick": ("请选一个结果。", "Choose an outcome."),
    "note": ("备注（可不填）", "Note (optional)"),
    "cancel": ("取消", "Cancel"),
    "save": ("保存", "Save"),
    # bays
    "bays": ("车位", "Parking"),
    "bays_none": (
        "还没有车位。登记一个车位传感器后会出现。",
        "No bays yet. They appear when a sensor is claimed.",
    ),
    "bay_free": ("空", "Free"),
    "bay_taken": ("占", "Taken"),
    "bay_unknown": ("不明", "Unknown"),
    "bay_closed": ("停用", "Closed"),
    "close_bay": ("停用", "Close"),
    "open_bay": ("启用", "Open"),
    "zone_counts": (
        "空 {free} · 占 {taken} · 不明 {unknown} · 停用 {closed}",
        "{free} free · {taken} taken · {unknown} unknown · {closed} closed",
    ),
    "zone_kept": ("预留 {reserved}", "{reserved} reserved"),
    "zone_impossible": ("数目不可能，屏上显示 --", "Cannot be: panels show --"),
    # panels
    "panel": ("屏", "Panel"),
    "panel_shows": ("显示", "shows"),
    "panel_green": ("绿", "green"),
    "panel_yellow": ("黄", "yellow"),
    "panel_red": ("红", "red"),
    "panel_unsure": ("不确定", "not certain"),
    "panel_least": ("（至少；不明的车位太多）", "(at least: too many bays are unknown)"),
    "panel_chosen": ("（不明的车位太多；本厅设为满位）", "(too many bays are unknown: “full” by this hall's choice)"),
    # devices
    "devices_none": ("还没有设备报到。", "No device has reported yet."),
    "devices_well": ("{n} 台设备正常", "{n} devices well"),
    "health_ok": ("正常", "Well"),
    "health_silent": ("没有消息", "Silent"),
    "health_offline": ("离线", "Offline"),
    "health_low_battery": ("电量低", "Battery low"),
    "health_fault": ("故障", "Fault"),
    "battery": ("电量 {n}%", "battery {n}%"),
    "last_seen": ("最后消息 {time}", "last heard {time}"),
    "never_seen": ("还没有消息", "never heard"),
    "unclaimed": ("未登记", "Unclaimed"),
    "claim": ("登记", "Claim"),
    "edit": ("修改", "Edit"),
    "claim_title": ("登记设备 {id}", "Claim device {id}"),
    "device_kind": ("是什么", "What it is"),
    "kind_call_button": ("呼叫按钮", "Call button"),
    "kind_bay_sensor": ("车位传感器", "Bay sensor"),
    "kind_hall_button": ("大厅按钮", "Hall button"),
    "kind_ignored": ("不理会", "Ignore it"),
    "kind_unclaimed": ("未登记", "Unclaimed"),
    "device_name": ("名称", "Name"),
    "device_call_kind": ("按下是", "A press means"),
    "device_place": ("地点", "Place"),
    "device_person": ("使用人", "Person"),
    "device_bay": ("车位号", "Bay"),
    "device_zone": ("分区", "Zone"),
    "device_model": ("型号（可不填）", "Model (optional)"),
    "device_model_hint": (
        "型号，如 R312A。LoRaWAN 设备收不到型号时才要填。",
        "Model, e.g. R312A. Needed only where a LoRaWAN network server does not tell it.",
    ),
    "claimed": ("已登记 {id}。", "{id} is claimed."),
    "zone_new": ("新分区", "New zone"),
    "zone_id": ("编号", "Id"),
    "zone_id_rule": ("小写字母、数字、- 和 _", "Lower-case letters, digits, - and _"),
    "name_zh": ("中文名", "Chinese name"),
    "name_en": ("英文名", "English name"),
    "zone_none": ("还没有分区，请先建一个。", "No zone yet; make one first."),
    # parts
    "parts": ("系统", "System"),
    "parts_well": ("一切正常", "All is well"),
    "part_gateway": ("网关", "Gateway"),
    "part_broker": ("消息服务", "Broker"),
    "part_notebook": ("记录本", "Notebook"),
    "part_gpio": ("接线按钮", "Wired buttons"),
    "part_bridge": ("打印程序", "Printing process"),
    "part_kiosk": ("取号", "Tickets"),
    "part_slips": ("小票太多", "Too many slips"),
    "part_herald": ("消息", "Messages"),
    "part_sms": ("短信模块", "SMS modem"),
    "part_clock": ("时钟", "Clock"),
    "part_ready": ("正常", "Ready"),
    "part_down": ("停了", "Down"),
    "part_degraded": ("不完整", "Degraded"),
    "part_todo_gateway": (
        "呼叫暂时收不到也接不了；取号、叫号、打印照常。它会自己重启，一分钟不好就找技术员。",
        "No call is seen or accepted; tickets, queue, paper go on. Not back in a minute: call the technician.",
    ),
    "part_todo_broker": (
        "无线按钮和车位收不到；服务台按钮、接单、取号照常。请找技术员看消息服务。",
        "Wireless buttons and bays are not heard; desk button, accepting, tickets go on. Call the technician.",
    ),
    "part_todo_notebook": (
        "写不进磁盘：有人按也只在这里响，灯不亮。请马上找技术员换卡或清理磁盘。",
        "Nothing can be written: a press rings only here, its lamp stays dark. Call the technician now.",
    ),
    "part_todo_gpio": (
        "服务台按钮和警示灯不工作；其余照常。",
        "Desk button and beacon do not work; the rest goes on.",
    ),
    "part_todo_bridge": (
        "纸不出来；号码照常，显示在屏幕上。请找技术员。",
        "No paper; numbers go on and are on the screen. Call the technician.",
    ),
    "part_todo_slips": (
        "别处取号照常；那里每六秒还能取一张，“叫人帮忙”照常。",
        "Elsewhere nobody is held up; there, one slip in six seconds still comes, and the help button works.",
    ),
    "part_todo_herald": (
        "微信、短信、邮件发不出去；呼叫照常在工作台和大厅响。不在大厅的人请打电话通知，再找技术员。",
        "No messages go out; calls ring in the hall. Telephone whoever is not here, and call the technician.",
    ),
    "part_todo_sms": (
        "短信发不出去；其他消息照常。请找技术员看短信模块和 SIM 卡。",
        "No short messages go out; others do. Have the technician look at the modem and its SIM card.",
    ),
    "part_todo_clock": (
        "呼叫照常。请看手表，再请技术员校对这台机器的时间。",
        "Calls ring as ever. Compare with a watch, then have the technician set this machine's time.",
    ),
    "part_todo_other": ("请找技术员。", "Call the technician."),
    # answers
    "outside_gateway": (
        "网关没有应答，什么也没有改。排队、打印、账号照常可用。请稍后再试。",
        "The gateway does not answer; nothing was changed. Queue, printing and accounts still work. Try again soon.",
    ),
    "outside_order": (
        "网关没有确认，可能没有写入。请看屏幕上的状态，再决定是否重试。",
        "The gateway did not confirm; it may not be written. Look at the state on the screen before you retry.",
    ),
    "outside_disk": (
        "写不进磁盘，什么也没有改。请马上找技术员。",
        "Nothing could be written, nothing was changed. Call the technician now.",
    ),
    "outside_unknown": (
        "磁盘太慢，还不知道有没有写入。请看屏幕上的状态；“叫下一位”可以放心再按，不会多叫一个人。",
        "The disk is slow: it may or may not be written. Look; “call next” may be pressed again, safely.",
    ),
    "bad_request": ("请求不完整，什么也没有改。", "The request was incomplete; nothing was changed."),
    "no_answer_http": (
        "主机没有应答，可能没有写入。请看屏幕上的状态，再决定是否重试。",
        "The host did not answer; it may not be written. Look at the state on the screen before you retry.",
    ),
    "gateway_needed": ("要等网关恢复", "Needs the gateway"),
    # lock
    "locked_title": ("屏幕已锁", "Screen locked"),
    "locked_still": ("仍会响铃。", "It still rings."),
    "unlock": ("解锁", "Unlock"),
    "locked_by": ("{name} 的屏幕", "{name}'s screen"),
    # staff page
    "staff_add": ("新增账号", "Add an account"),
    "role": ("角色", "Role"),
    "add": ("新增", "Add"),
    "reset": ("重设密码", "Reset password"),
    "disable": ("停用", "Disable"),
    "enable": ("启用", "Enable"),
    "disabled": ("已停用", "Disabled"),
    "must_change": ("下次登录要改密码", "Must change password"),
    "you": ("您", "you"),
    "hand_over": (
        "请把这个密码交给 {name}，只显示这一次。第一次登录时必须改：",
        "Hand this password to {name}; it is shown only now and must be changed at the first sign-in:",
    ),
    "last_active": ("最近在线", "Last active"),
    "never": ("从未", "Never"),
    "created_by": ("由 {name} 建立", "Added by {name}"),
    "created_by_token": ("首位管理员令牌", "the first administrator's token"),
    # journal page
    "journal_none": ("还没有记录。", "Nothing yet."),
    "when": ("时间", "When"),
    "who": ("谁", "Who"),
    "what": ("做了什么", "What"),
    "subject": ("对象", "Subject"),
    "did_first_admin": ("建立第一位管理员", "Made the first administrator"),
    "did_sign_in": ("登录", "Signed in"),
    "did_sign_in_refused": ("登录被拒绝", "Sign-in refused"),
    "did_sign_out": ("退出", "Signed out"),
    "did_unlock": ("解锁", "Unlocked"),
    "did_password_changed": ("改密码", "Changed password"),
    "did_password_reset": ("重设密码", "Reset a password"),
    "did_staff_added": ("新增账号", "Added an account"),
    "did_staff_disabled": ("停用账号", "Disabled an account"),
    "did_staff_enabled": ("启用账号", "Enabled an account"),
    "did_accept_call": ("接单", "Accepted a call"),
    "did_close_call": ("办结呼叫", "Closed a call"),
    "did_claim_device": ("登记设备", "Claimed a device"),
    "did_define_zone": ("新建分区", "Defined a zone"),
    "did_close_bay": ("停用车位", "Closed a bay"),
    "did_open_bay": ("启用车位", "Opened a bay"),
    "did_slip_printed": ("确认已打出", "Confirmed a slip"),
    "did_slip_again": ("补打", "Printed a slip again"),
    "did_slip_given_up": ("放弃一张纸", "Dropped a slip"),
    # time
    "seconds": ("{n} 秒", "{n} s"),
    "minutes": ("{n} 分", "{n} min"),
    "hours": ("{n} 小时", "{n} h"),
    "days": ("{n} 天", "{n} d"),
    "time_only": ("{time}", "{time}"),
    "ago": ("{time}前", "{time} ago"),
    "just_now": ("刚刚", "just now"),
}

WORDS: dict[str, tuple[str, str]] = {
    **_PAGE,
    **RUNNING,
    **DESK,
    **ANSWERING,
    **BOOK,
    **CARE,
    **UPKEEP,
    **CONTENT,
    **REPORTS,
    **POLICY,
    **PARKING,
    **PRINTERS,
    **FIGURES,
    **FLEET,
    **PARKING_HISTORY,
    **FIND,
    **MENU,
    **POSTS,
    **CHECK,
    **START,
    **VOICE,
    **SCREENS,
    **QUEUE,
    **REQUESTS,
    **{f"outcome_{key}": pair for key, pair in OUTCOMES.items()},
    **{f"call_kind_{key}": pair for key, pair in KINDS.items()},
}


def say(key: str, lang: Lang, **filled: object) -> str:
    """The text for ``key``; an unknown key raises, so that a typo is found by the first test that draws the page."""
    text = WORDS[key][0 if lang == "zh" else 1]
    for name, value in filled.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def both(key: str, **filled: object) -> dict[str, str]:
    """The shape in which an answer carries its sentence: ``{"why_zh", "why_en"}``."""
    return {"why_zh": say(key, "zh", **filled), "why_en": say(key, "en", **filled)}
