"""What the hall's display says: key → (Chinese, English). It shows both at once."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "display_title": ("叫号屏", "Now serving"),
    "display_alarm": ("有人需要帮助 · 请工作人员马上处理", "Somebody needs help · staff, please see to it"),
    "display_mute": ("点一下，开启叫号语音", "Touch to turn the voice on"),
    "display_called": ("请到窗口", "Now serving"),
    "display_before": ("刚才叫过", "Called before"),
    "display_nobody": ("还没有叫号，请稍坐", "Nobody called yet. Please take a seat"),
    "display_hours": ("开门时间", "Opening hours"),
    "display_waiting": ("等候人数", "Waiting"),
    "display_no_window": ("窗口还没有开，开了就叫号", "No window is open yet. You will be called"),
    "display_bays": ("空车位", "Free bays"),
    "display_notice": ("通知", "Notice"),
    "display_services": ("31 项便民服务", "31 services"),
}
