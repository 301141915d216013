"""The console's page about the hall's voice: key → (Chinese, English)."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "voice": ("语音", "Voice"),
    "voice_title": ("叫号语音", "The voice that calls numbers"),
    "voice_zh": ("普通话", "Mandarin"),
    "voice_en": ("英语", "English"),
    "voice_by_display": (
        "由叫号屏的浏览器播报（页面 /display 要开着）",
        "The browser of the hall's display speaks (its page /display must be open)",
    ),
    "voice_by_hall": ("由这台机器的音箱播报", "This machine's own loudspeaker speaks"),
    "voice_by_off": ("不播报（hall.toml 里 by = off）", "Nobody speaks (by = off in hall.toml)"),
    "voice_well": ("正常", "well"),
    "voice_quiet_now": ("现在是静音时段", "quiet hours now"),
    "voice_spoken": ("开机以来播报 {n} 条", "{n} spoken since start"),
    "voice_late": (
        "最近 {n} 条：从叫号到开口，一半在 {p50} 秒内，最慢 {worst} 秒",
        "The last {n}: half began within {p50} s of the call, the slowest after {worst} s",
    ),
    "voice_try": ("说一句试试", "Say one to try"),
    "voice_tried": (
        "已排上，马上播报。没听到？看上面的状态。",
        "It will be said now. Not heard? See the state above.",
    ),
    "voice_settings": ("设置", "Settings"),
    "voice_volume": ("音量（0–100）", "Volume (0-100)"),
    "voice_volume_hint": (
        "紧急呼叫的语音总是最大声，静音时段也照常。",
        "A call for help is always spoken at full volume, in quiet hours, too.",
    ),
    "voice_gong": ("先敲一声锣", "A gong first"),
    "voice_twice": ("每句说两遍", "Say each sentence twice"),
    "voice_follow": ("用英语取的号，再用英语说一遍", "Tickets taken in English are called in English, too"),
    "voice_expires": (
        "超过多少秒没播就不再播（10–300）",
        "Not spoken after so many seconds: not at all (10-300)",
    ),
    "voice_quiet": ("静音时段，一行一段，如 12:00-14:00", "Quiet hours, a line each, as 12:00-14:00"),
    "voice_quiet_hint": (
        "静音时只显示不出声；22:00-06:00 这样跨夜也行。",
        "Numbers are shown and not spoken then; 22:00-06:00 goes over midnight.",
    ),
    "voice_quiet_wrong": (
        "看不懂这一行：{line}（写成 12:00-14:00）",
        "This line is not clear: {line} (write 12:00-14:00)",
    ),
    "voice_who": ("谁来说，按这个顺序各说一遍", "Who says each call, in this order"),
    "voice_dialect": ("加一种方言", "Add a dialect"),
    "voice_dialect_hint": (
        "代号用小写字母（如 gy），再写名称（如 贵阳话）。没录的词，先用普通话顶上。",
        "An id of small letters (gy) and a name (Guiyang). Words without a recording are said in Mandarin.",
    ),
    "voice_dialect_id": ("代号", "Id"),
    "voice_dialect_name": ("名称", "Name"),
    "voice_saved": ("已保存，从下一次叫号起生效", "Saved: from the next call on"),
    "voice_clips": ("录音", "Recordings"),
    "voice_clips_more": (
        "每个词录一次，一句话就由它们拼成。没录的词由机器读（espeak-ng，离线）。录音会自动剪去头尾静音、调成一样响。",
        (
            "Each word is recorded once; sentences are made of them. What is not recorded the machine says (offline). "
            "Silence at both ends is cut off, and all are made equally loud."
        ),
    ),
    "voice_part": ("词", "Word"),
    "voice_source": ("现在用的", "In use"),
    "voice_from_take": ("{name} 录于 {day}", "{name}, recorded {day}"),
    "voice_from_machine": ("机器读", "the machine"),
    "voice_from_mandarin": ("用普通话顶上", "Mandarin stands in"),
    "voice_from_nobody": ("没人能读", "nobody can say it"),
    "voice_listen": ("试听", "Listen"),
    "voice_record": ("录音", "Record"),
    "voice_stop": ("停", "Stop"),
    "voice_upload": ("选文件", "A file"),
    "voice_use": ("换回这段", "Use this one"),
    "voice_to_machine": ("改用机器读", "Let the machine say it"),
    "voice_takes": ("以前录的 {n} 段", "{n} earlier takes"),
    "voice_part_gong": ("锣声", "the gong"),
    "voice_part_window": ("窗口号 {n}", "window number {n}"),
    "voice_recording": ("正在录…说完按“停”", "Recording … press Stop when you have said it"),
    "voice_sending": ("正在保存…", "Saving …"),
    "voice_no_microphone": (
        "这个浏览器现在用不了麦克风：请在 https 或本机（localhost）打开本页，或用“选文件”上传手机录音。",
        "No microphone in this browser: open the page by https or on this machine, or send “A file” from a telephone.",
    ),
    "voice_not_sound": ("这个文件不是能播放的声音", "This file is no sound that can be played"),
    "voice_not_sent": ("没有保存成功，请再试一次", "It was not saved: please try again"),
    "part_voice": ("叫号语音", "Voice"),
    "part_todo_voice": (
        "号码照常显示；到“语音”页面按“说一句试试”",
        "Numbers are shown as ever; go to “Voice” and press “Say one to try”",
    ),
    "did_voice_set": ("改语音设置", "Changed the voice's settings"),
    "did_voice_tried": ("试播语音", "Tried the voice"),
    "did_voice_recorded": ("录了一个词", "Recorded a word"),
    "did_voice_swapped": ("换了一段录音", "Swapped a recording"),
}
