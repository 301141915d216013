"""All texts of the residents' faces, as one table: a key without both languages cannot be written.

``say("take_number", lang)`` in Python, ``w("take_number", lang)`` in a template. Keys beginning with ``js_`` are
handed to the page's script. ``tests/kiosk/test_words.py`` checks that every key is used and every template text is
here. Names and rules of the items themselves are the catalogue's.
"""

from __future__ import annotations

from kiosk.words_aloud import TABLE as ALOUD
from kiosk.words_ask import TABLE as ASK
from kiosk.words_certificates import TABLE as CERTIFICATES
from kiosk.words_display import TABLE as DISPLAY
from kiosk.words_find import TABLE as FIND
from kiosk.words_frame import TABLE as FRAME
from kiosk.words_parking_hall import TABLE as PARKING
from kiosk.words_phone import TABLE as PHONE
from kiosk.words_requests import TABLE as REQUESTS

TABLE: dict[str, tuple[str, str]] = {
    **ASK,
    **ALOUD,
    **PHONE,
    **PARKING,
    **REQUESTS,
    **FIND,
    **FRAME,
    **CERTIFICATES,
    **DISPLAY,
    # the frame of every screen
    "call_help": ("叫人帮忙", "Call for help"),
    "home": ("首页", "Home"),
    "back": ("返回", "Back"),
    "large_on": ("大字版", "Large text"),
    "large_off": ("标准版", "Normal text"),
    "other_language": ("English", "中文"),
    "offline": ("离线，正在重新连接…", "Offline, reconnecting…"),
    "parking": ("车位", "Parking"),
    "skip": ("跳到内容", "Skip to content"),
    # home
    "choose": ("请点要办的事", "Touch what you need"),
    "choose_category": ("请选一类", "Choose a group"),
    "page_of": ("第 {n} 页", "Page {n}"),
    "no_number_mark": ("不用取号", "no number needed"),
    # an item
    "who": ("谁可以办", "Who may apply"),
    "materials": ("要带什么", "What to bring"),
    "no_materials": ("不用带材料", "Nothing to bring"),
    "steps": ("怎么办", "Steps"),
    "time_limits": ("多久办好", "How long"),
    "statutory": ("法定", "By law"),
    "promised": ("承诺", "Promised"),
    "fee": ("费用", "Fee"),
    "window": ("在哪里办", "Where"),
    "phone": ("电话", "Phone"),
    "agent": ("可以请人代办", "Somebody may do it for you"),
    "agent_no": ("须本人办理", "In person only"),
    "home_visit": ("行动不便可预约上门", "Home visits can be booked"),
    "result": ("办好后得到", "You receive"),
    "season": ("时间", "Season"),
    "unconfirmed": ("以窗口答复为准", "as the window confirms"),
    "note": ("请注意", "Please note"),
    "urgent_first": ("紧急情况", "Emergency"),
    "waiting_now": ("现在等候", "Waiting now"),
    "take_number": ("取号", "Take a number"),
    "first": ("优先取号", "Priority"),
    "first_elder": ("70岁以上", "Aged 70+"),
    "first_disabled": ("残疾人", "Disabled"),
    "first_veteran": ("军人", "Veteran"),
    "first_child": ("带小孩", "With a child"),
    "guide_only": ("这件事不用取号", "No number needed"),
    "guide_how": ("按“叫人帮忙”，工作人员来登记", "Press “Call for help”: staff will note it down"),
    "guide_call": ("叫人来登记", "Ask staff to note it"),
    # the number
    "your_number": ("您的号码", "Your number"),
    "ahead": ("前面还有", "Ahead of you"),
    "expected_wait": ("预计等候", "Expected wait"),
    "go_to": ("请到", "Go to"),
    "when_called": ("叫到号再过去，可以先坐下", "Wait to be called; please take a seat"),
    "second_touch": ("刚才已经取过号，就是这一个", "You have just taken this number: it is the same one"),
    # parking
    "parking_title": ("小区空车位", "Free parking bays"),
    "parking_empty": ("还没有登记车位", "No parking zones have been set up yet"),
    "parking_old": ("车位信息暂时没有更新，仅供参考", "Parking is not being updated now: for reference only"),
    "free": ("空位", "Free"),
    "taken": ("已停", "Taken"),
    "unknown": ("不清楚", "Not known"),
    "zone_unknown": ("不清楚", "not known"),
    "zone_almost": ("快满", "almost full"),
    "zone_full": ("满", "full"),
    "zone_reserved": ("预留", "Reserved"),
    "closed": ("停用", "Closed"),
    "total": ("共", "Total"),
    # errors
    "error_title": ("没有成功", "That did not work"),
    "error_desk": (
        "其他事项照常办理，也可以直接到服务台",
        "Everything else works; you may also go to the desk",
    ),
    # the virtual hall
    "demo_title": ("虚拟大厅", "The virtual hall"),
    "demo_intro": (
        "没有硬件也能试：点按钮让设备动作或出毛病，看纸、灯和屏怎样变化。",
        "No hardware needed: make devices act or misbehave and watch the paper, lamps and panels.",
    ),
    "demo_paper": ("打印机的纸", "The printer's paper"),
    "demo_no_paper": ("还没有打印", "Nothing printed yet"),
    "demo_devices": ("设备", "Devices"),
    "demo_empty": ("虚拟设备没有运行", "The virtual devices are not running"),
    "demo_panels": ("入口屏", "Entrance panels"),
    "demo_faces": ("打开各个屏幕", "Open the faces"),
    "demo_kiosk": ("自助机", "Kiosk"),
    "demo_display": ("叫号屏", "Hall display"),
    "demo_console": ("工作台", "Staff console"),
    "demo_nothing": ("没有显示", "shows nothing"),
    # what a virtual device is, says of itself and shows (kiosk/demo.py, FACTS and VALUES)
    "kind_printer": ("打印机", "Printer"),
    "kind_button": ("按钮", "Button"),
    "kind_bay": ("车位", "Bay"),
    "kind_panel": ("屏", "Panel"),
    "fact_light": ("灯", "Lamp"),
    "fact_silent": ("不出声", "Silent"),
    "fact_battery_pct": ("电量 %", "Battery %"),
    "fact_unwritten": ("还没记下的按动", "Presses not yet written"),
    "fact_written_after_ms": ("记下用了几毫秒", "Written after, ms"),
    "fact_occupied": ("有车", "Car in it"),
    "fact_text": ("显示", "Shows"),
    "fact_shown": ("显示", "Shows"),
    "fact_told": ("收到指令", "Orders heard"),
    "fact_refuses": ("拒收", "Refuses"),
    "fact_rubbish": ("听不懂的字节", "Bytes not understood"),
    "fact_plugged": ("线插着", "Plugged in"),
    "fact_paper": ("纸", "Paper"),
    "fact_cover_open": ("盖子开着", "Cover open"),
    "fact_trouble": ("故障", "Trouble"),
    "fact_put_offline": ("被按成脱机", "Put off line by hand"),
    "fact_off": ("关着电", "Switched off"),
    "fact_lost": ("丢掉的字节", "Bytes lost"),
    "fact_bps": ("每秒比特，0 为不限", "Bits per second, 0: no limit"),
    "fact_received": ("收到字节", "Bytes received"),
    "fact_in_buffer": ("还没打的字节", "Bytes not yet printed"),
    "fact_printed": ("已打张数", "Slips printed"),
    "fact_drawn": ("已画张数", "Slips drawn"),
    "fact_overflows": ("装不下次数", "Overflows"),
    "fact_unknown": ("不懂的命令", "Commands not known"),
    "fact_last_text": ("最后一行", "Last line"),
    "value_true": ("是", "yes"),
    "value_false": ("否", "no"),
    "value_off": ("灭", "off"),
    "value_blink": ("闪", "blinking"),
    "value_steady": ("亮", "on"),
    "value_in": ("有", "there"),
    "value_low": ("快用完", "low"),
    "value_out": ("用完了", "out"),
    "value_green": ("绿", "green"),
    "value_yellow": ("黄", "yellow"),
    "value_red": ("红", "red"),
    "value_unsure": ("不确定", "not certain"),
    "value_cutter": ("切刀卡住", "knife stuck"),
    "value_recoverable": ("可恢复的错误", "an error that can be ended"),
    "value_unrecoverable": ("不可恢复的错误", "an error for the repair shop"),
    "value_hot": ("打印头过热", "head too hot"),
    # what a virtual device can be told (kiosk/demo.py, CAN)
    "act_paper_out": ("缺纸", "Paper out"),
    "act_paper_in": ("装纸", "Paper in"),
    "act_paper_low": ("纸将尽", "Paper low"),
    "act_cover_open": ("开盖", "Open cover"),
    "act_cover_close": ("合盖", "Close cover"),
    "act_jam": ("卡刀", "Knife stuck"),
    "act_clear": ("清除故障", "Clear the trouble"),
    "act_power_off": ("关电源", "Switch off"),
    "act_power_on": ("开电源", "Switch on"),
    "act_silent": ("不出声", "Fall silent"),
    "act_talk": ("恢复", "Talk again"),
    "act_refuse": ("拒收", "Refuse"),
    "act_slow": ("线路变慢", "Slow line"),
    "act_unplug": ("拔线", "Unplug"),
    "act_plug": ("插线", "Plug in"),
    "act_press": ("按下", "Press"),
    "act_bounce": ("抖动连按", "Bounce"),
    "act_low_battery": ("电量低", "Low battery"),
    "act_arrive": ("车来", "Car arrives"),
    "act_leave": ("车走", "Car leaves"),
    "act_noisy": ("乱报", "Noisy"),
    # what scripts say
    "js_wait": ("正在取号…", "One moment…"),
    "js_reconnecting": ("正在重新连接，请稍等…", "Reconnecting, one moment…"),
    "js_no_window": (
        "办这件事的窗口现在没开，开了就叫号",
        "No window is open for this just now: you are called when one opens",
    ),
    "js_people": ("{n} 人", "{n}"),
    "js_paper_coming": ("正在打印，纸马上出来", "Printing: your slip is coming"),
    "js_paper_printed": ("纸已打好，请取走", "Your slip is ready: please take it"),
    "js_paper_there": ("纸从“{at}”出来，请到那里取", "Your slip comes out at “{at}”: please take it there"),
    "js_paper_printed_there": (
        "纸已在“{at}”打好，请到那里取",
        "Your slip is ready at “{at}”: please take it there",
    ),
    "js_paper_again": (
        "刚才那张没打完，正在补打，号码不变",
        "Your slip was cut short: it comes again, same number",
    ),
    "js_paper_time": (
        "纸应该已经打好；没看到请告诉工作人员，号码有效",
        "Your slip should be ready. No slip? Tell the staff: your number is valid",
    ),
    "js_paper_out": (
        "打印机没有纸了：请拍下这个号码，或告诉工作人员",
        "The printer is out of paper: photograph this number, or tell the staff",
    ),
    "js_paper_cover": (
        "打印机盖子开着：请拍下这个号码，或告诉工作人员",
        "The printer's cover is open: photograph this number, or tell the staff",
    ),
    "js_paper_stuck": (
        "打印机卡住了：请拍下这个号码，或告诉工作人员",
        "The printer is stuck: photograph this number, or tell the staff",
    ),
    "js_paper_broken": (
        "这张纸打不出来：请拍下这个号码，或告诉工作人员",
        "This slip cannot be printed: photograph this number, or tell the staff",
    ),
    "js_paper_away": (
        "打印机没有响应：请拍下这个号码，或告诉工作人员",
        "The printer does not answer: photograph this number, or tell the staff",
    ),
    "js_paper_unsure": ("没看到纸请告诉工作人员，号码有效", "No slip? Tell the staff: your number is valid"),
    "js_paper_none": ("请拍下或记住这个号码", "Please photograph or remember this number"),
    "js_idle": ("您还在办吗？", "Are you still there?"),
    "js_idle_left": ("{n} 秒后回首页", "Home in {n} s"),
    "js_idle_stay": ("我还在办", "I am still here"),
    "js_help_title": ("叫人帮忙", "Call for help"),
    "js_help_calling": ("正在呼叫…", "Calling…"),
    "js_help_called": ("已经叫了工作人员，请在这里等一下", "Staff have been called: please wait here"),
    "js_help_failed": (
        "没有呼叫成功，请招手或直接到服务台",
        "The call did not go out: please wave, or walk to the desk",
    ),
    "js_ok": ("知道了", "OK"),
    "js_failed": ("没有成功，请到服务台", "That did not work: please go to the desk"),
    "js_home": ("首页", "Home"),
    "js_home_in": ("{n} 秒后回首页", "Home in {n} s"),
    "js_state_WAITING": ("排队中", "Waiting"),
    "js_state_CALLED": ("到您了，请到", "Your turn, please go to"),
    "js_state_SERVING": ("正在办理", "Being served"),
    "js_state_HELD": ("等您的材料，备好请回到窗口", "On hold for your papers: bring them to the window"),
    "js_state_CANCELLED": ("这个号已取消", "This number was cancelled"),
    "js_state_NO_SHOW": ("已过号，请到服务台", "You missed your call: please go to the desk"),
    "js_state_DONE": ("已办结，谢谢", "Done, thank you"),
    "js_state_EXPIRED": ("这张号已过期，请重新取号", "This number is no longer valid: please take a new one"),
}


def say(key: str, lang: str, **values: object) -> str:
    """The text of ``key``; ``values`` fill its {braces}. An unknown key is a mistake of ours and raises KeyError."""
    text = TABLE[key][lang == "en"]
    return text.format(**values) if values else text


def for_script(lang: str) -> dict[str, str]:
    """What a page's script may have to say."""
    return {key: texts[lang == "en"] for key, texts in TABLE.items() if key.startswith("js_")}
