"""Texts of the frame that every page of the touchscreen has, of its home, and of the pages that belong to no item."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "ways_to_see": ("怎样看这个屏幕", "Ways to see this screen"),
    "ways": ("到别处去", "Ways to go"),
    "low_on": ("低位", "Low position"),
    "low_off": ("标准位", "Full height"),
    "low_told": ("按钮都在下面", "All buttons are below"),
    "turn_pages": ("翻页", "Turn pages"),
    "turn_up": ("上一页", "Page up"),
    "turn_down": ("下一页", "Page down"),
    # home
    "often": ("常办的事", "Most asked for"),
    "more": ("更多", "More"),
    "find_item": ("找事项", "Find"),
    "progress_way": ("查进度", "Progress"),
    "certificates_way": ("能不能开证明", "Which papers?"),
    # calibrating a screen
    "calibrate": ("校准这个屏幕", "Calibrate this screen"),
    "calibrate_ask": (
        "给技术员用：在工作台的“自助机”页取六位校准码，在这里输入。",
        "For the technician: make a six-digit code on the console's page “Kiosks” and type it here.",
    ),
    "calibrate_code": ("校准码", "Code"),
    "calibrate_erase": ("删一位", "Erase"),
    "calibrate_open": ("开始校准", "Begin"),
    "calibrate_wrong": (
        "校准码不对，或者过了 15 分钟。请在工作台的“自助机”页重新取码。",
        "That code is wrong, or older than 15 minutes. Make a new one on the console's page “Kiosks”.",
    ),
    "calibrate_rest": ("输错太多次，请等 {n} 秒再试", "Too many wrong codes: wait {n} s"),
    "calibrate_bar": (
        "把银行卡贴在屏幕上，让黑条和卡一样长",
        "Hold a bank card to the glass: make the bar as long as it",
    ),
    "calibrate_card": ("85.6 毫米", "85.6 mm"),
    "calibrate_length": ("黑条的长短", "Length of the bar"),
    "calibrate_much_shorter": ("短很多", "Much shorter"),
    "calibrate_shorter": ("短一点", "Shorter"),
    "calibrate_longer": ("长一点", "Longer"),
    "calibrate_much_longer": ("长很多", "Much longer"),
    "calibrate_square": ("24 毫米", "24 mm"),
    "calibrate_sample": ("这行字高 6 毫米", "These letters are 6 mm"),
    "calibrate_px": ("每毫米像素", "Pixels in a mm"),
    "calibrate_place_zh": ("放在哪里，如“一楼东侧”（可不填）", "Where it stands, in Chinese (may stay empty)"),
    "calibrate_place_en": ("放在哪里：英文（可不填）", "Where it stands, in English (may stay empty)"),
    "calibrate_low": ("一直用低位（坐轮椅的人够得着）", "Always low (buttons within reach of a wheelchair)"),
    "calibrate_save": ("保存", "Save"),
    "calibrate_saved": ("校准好了", "Calibrated"),
    "calibrate_saved_more": (
        "{screen}：每毫米 {px} 像素。用尺量一量方块，是不是 24 毫米。",
        "{screen}: {px} pixels in a millimetre. Take a ruler: is the square 24 mm?",
    ),
}
