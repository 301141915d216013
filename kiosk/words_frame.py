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
    "certificates_way": ("能不能开证明", "Certificates"),
}
