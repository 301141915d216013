"""The console's words about touchscreens: key → (Chinese, English)."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "screens": ("自助机", "Kiosks"),
    "screens_more": (
        "每台自助机按名字记住自己的大小。没校准的，字和按钮的大小是猜的，可能太小。",
        "Each kiosk is known by its name with its size. Until it is calibrated, sizes are a guess.",
    ),
    "screens_how": (
        "校准一分钟：在这里取码，到自助机前连点大厅名字五下，输入码，用银行卡比一比，保存。",
        "A minute: make a code here, tap the hall's name on the kiosk five times, type the code, compare, save.",
    ),
    "screen_size": ("每毫米 {px} 像素", "{px} pixels in a millimetre"),
    "screen_set": ("{time} 由 {name} 校准（{days} 天前）", "calibrated {time} by {name} ({days} days ago)"),
    "screen_set_today": ("今天 {time} 由 {name} 校准", "calibrated today, {time}, by {name}"),
    "screen_at": ("机器地址 {address}", "machine {address}"),
    "screen_never": ("没有校准", "not calibrated"),
    "screen_low": ("一直用低位", "always in low position"),
    "screen_make_code": ("取校准码", "Make a code"),
    "screen_code_for": ("{screen} 的校准码", "Code for {screen}"),
    "screen_code_until": (
        "15 分钟内有效，用一次。只在这里显示这一次。",
        "For 15 minutes, for one calibration. It is shown here, once.",
    ),
    "screen_code_spent": (
        "{screen} 校准好了，这个码用过了。",
        "{screen} is calibrated; its code has been used.",
    ),
    "screen_other": ("另一台自助机", "Another kiosk"),
    "screen_name": ("名字，如 kiosk-2", "Name, like kiosk-2"),
    "screen_bad_name": (
        "名字要像 kiosk-2（1 到 99）。",
        "A name looks like kiosk-2 (1 to 99).",
    ),
    "did_screen_code": ("取自助机校准码", "Made a kiosk's code"),
    "did_screen_set": ("校准自助机", "Calibrated a kiosk"),
}
