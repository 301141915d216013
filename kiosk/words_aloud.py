"""Words of what the touchscreen says by itself: reading aloud, and the screen while nobody is there."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "aloud": ("朗读", "Read aloud"),
    "js_aloud_stop": ("停", "Stop"),
    "js_aloud_choices": ("可以点", "You can touch"),
    "js_aloud_missing": (
        "这台机器没有装朗读程序，请叫人帮忙",
        "No reading voice is installed here: please call for help",
    ),
    "js_aloud_failed": (
        "现在读不出来，请再按一次或叫人帮忙",
        "It cannot be read now: press again, or call for help",
    ),
    "js_aloud_muted": ("声音被静音了，请叫人帮忙", "The sound is switched off here: please call for help"),
    # while nobody is there
    "attract_touch": ("点一下屏幕开始", "Touch to begin"),
    "attract_waiting": ("现在等候人数", "Waiting now"),
    "attract_called": ("正在叫号", "Now serving"),
    "attract_open": ("今天办理时间", "Open today"),
    "attract_today": ("今天还有", "On today"),
    "attract_notices": ("通知", "Notices"),
}
