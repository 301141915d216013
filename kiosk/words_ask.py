"""What residents read while they make a request: key → (Chinese, English)."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    # which request
    "ask_title": ("要报什么事？点一下", "What is it about? Touch one"),
    "ask_pages": ("翻页", "Pages"),
    "ask_nothing": (
        "现在没有可以在这里报的事，请按“叫人帮忙”",
        "Nothing can be reported here just now: please press “Call for help”",
    ),
    "ask_here": ("在这里报", "Report it here"),
    "ask_here_too": ("在这里办", "Do it here"),
    # urgent: before anything else
    "ask_first_title": ("先做这个", "Do this first"),
    "ask_dial": ("马上打电话", "Call now"),
    "ask_no_number": (
        "请按“马上叫工作人员”。有人有危险，拨打 {numbers}",
        "Press “Call staff now”. Somebody in danger: call {numbers}",
    ),
    "ask_help_now": ("马上叫工作人员", "Call staff now"),
    "ask_go_on": ("已经安全，继续报", "I am safe: go on"),
    # where
    "ask_place_title": ("在哪里？", "Where is it?"),
    "ask_building_title": ("哪一栋楼？", "Which building?"),
    "ask_building_word": ("栋", "Building"),
    "ask_no_building": ("不在楼里，跳过", "Not in a building: skip"),
    "ask_unit_title": ("几单元？", "Which unit?"),
    "ask_unit_n": ("{n} 单元", "Unit {n}"),
    "ask_unit_word": ("单元", "Unit"),
    "ask_room_word": ("室", "Room"),
    "ask_no_unit": ("没有单元，跳过", "No unit: skip"),
    "ask_door_title": ("几单元，几号房？", "Which unit and room?"),
    "ask_no_door": ("不填，跳过", "Skip this"),
    "ask_clear": ("重填", "Clear"),
    "ask_erase": ("退格", "Erase"),
    "ask_next": ("下一步", "Next"),
    "ask_page_before": ("上一页", "Before"),
    "ask_page_after": ("下一页", "More"),
    # in words, or without
    "ask_so_far": ("您要报的", "Your request"),
    "ask_words_title": ("还想说什么？不说也可以", "Anything to add? You need not"),
    "ask_check_title": ("看一看，对不对？", "Is this right?"),
    "ask_pick_title": ("点一句，可以点几句", "Touch what fits, one or more"),
    "ask_way_pick": ("点一句话", "Choose a sentence"),
    "ask_way_speak": ("说一段话", "Say it"),
    "ask_way_draw": ("用手指写", "Write with a finger"),
    "ask_way_type": ("打字", "Type"),
    "ask_way_name": ("留个称呼", "Add a name"),
    "ask_way_phone": ("留个电话", "Add a phone"),
    "ask_way_skills": ("我会做什么", "What I can do"),
    "ask_has": ("已有", "added"),
    "ask_send": ("发送", "Send"),
    "ask_keep": ("好了", "Done"),
    "ask_leave_out": ("不填", "Leave it out"),
    # speaking
    "ask_speak_title": ("说一段话，最多 1 分钟", "Say it, one minute at most"),
    "ask_again": ("重新录", "Record again"),
    "ask_delete": ("删掉", "Delete"),
    # writing with a finger
    "ask_draw_title": ("用手指写，或者画", "Write or draw with a finger"),
    "ask_canvas": ("手写板：在这里写。也可以改用说话或打字", "Writing pad. You may speak or type instead"),
    "ask_undo": ("退一笔", "Undo a stroke"),
    "ask_wipe": ("全部擦掉", "Wipe all"),
    # typing
    "ask_field_words": ("打字写下来", "Type it here"),
    "ask_phone_title": ("您的电话", "Your phone number"),
    "ask_phone_why": ("只用来联系您办这件事", "Used only to reach you about this"),
    "ask_year_title": ("哪一年出生？", "Which year were you born?"),
    "ask_year_word": ("年", "Year"),
    "ask_day_title": ("想哪天来？", "Which day would you like?"),
    "ask_meal_title": ("哪一餐？", "Which meal?"),
    # sent
    "ask_sent_title": ("收到了，谢谢您", "Received, thank you"),
    "ask_code_word": ("查询码，请拍下来", "Your code: please photograph it"),
    "ask_qr": ("手机扫一扫，看办得怎样", "Scan to see how it goes"),
    "ask_stay": ("不要走，我再看看", "Stay, I am still reading"),
}

#: What the page's script says: name → (Chinese, English). No other page's script needs it.
SAYS: dict[str, tuple[str, str]] = {
    "mic_ready": (
        "点红色按钮，对着屏幕说。方言也可以",
        "Touch the red button and speak. Any dialect will do",
    ),
    "mic_opening": ("正在打开话筒…", "Opening the microphone…"),
    "mic_on": ("正在录音，还剩 {n} 秒", "Recording: {n} seconds left"),
    "mic_quiet": ("听不到声音，请靠近一点。还剩 {n} 秒", "Nothing is heard: come closer. {n} seconds left"),
    "mic_done": ("录好了，{n} 秒", "Recorded: {n} seconds"),
    "mic_playing": ("正在放给您听", "Playing it to you"),
    "mic_none": (
        "这里没有话筒。请返回，点一句话、用手指写，或者按“叫人帮忙”",
        "There is no microphone here. Go back and choose a sentence or write with a finger, or press “Call for help”",
    ),
    "mic_refused": (
        "话筒不能用。请返回，点一句话、用手指写，或者按“叫人帮忙”",
        "The microphone may not be used. Go back: choose a sentence or write with a finger; or press “Call for help”",
    ),
    "mic_broken": (
        "话筒出了毛病，没有录上。可以再试一次，或者返回用别的办法",
        "The microphone failed and nothing was recorded. Try again, or go back and use another way",
    ),
    "mic_start": ("开始说", "Start"),
    "mic_stop": ("说完了", "Stop"),
    "mic_play": ("听一听", "Listen"),
    "mic_hush": ("停", "Stop"),
    "drawing_large": (
        "画得太满，存不下，请擦掉一些",
        "There is too much on it to be kept: please wipe some of it",
    ),
    "summary_voice": ("录音 {n} 秒", "voice note, {n} s"),
    "summary_drawing": ("手写一张", "a finger note"),
    "summary_phone": ("电话 {text}", "phone {text}"),
    "summary_unit": ("{n} 单元", "unit {n}"),
    "summary_room": ("{n} 室", "room {n}"),
    "summary_building": ("{n} 栋", "building {n}"),
    "sending": ("正在发送…", "Sending…"),
    "send_trying": ("正在重新连接，您填的都还在…", "Reconnecting: all you gave is still here…"),
    "send_long": (
        "还没有连上，正在一直试。您填的都还在；急的话请直接叫工作人员",
        "Not connected yet; it keeps trying. All you gave is still here. If it is urgent, speak to the staff",
    ),
    "send_wait_no_more": ("先不等了", "Stop waiting"),
    "send_again": ("回去看看", "Go back"),
    "notes_coming": ("录音、手写正在存…请先别走", "Your voice or finger note is being saved: please wait"),
    "notes_there": ("录音、手写也存好了", "Your voice or finger note is saved, too"),
    "notes_lost": (
        "事情已经报上了，但录音或手写没有存上，请告诉工作人员",
        "Your request is in, but the voice or finger note was not saved: please tell the staff",
    ),
    "home_in": ("{n} 秒后回首页", "Home in {n} s"),
    "staying": ("看完请按“首页”", "Press “Home” when you have finished"),
}
