"""The console's page about the rules of the line: key → (Chinese, English). Rules' names: kiosk/rules/policy.py."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "policy": ("排队规则", "Rules of the line"),
    "policy_what": (
        "优先号先叫，但谁都不会被后到的人超过太多次，也不会为别人一直等下去。做不到时按先来后到，屏幕上会说明。",
        "Priority first, but nobody is overtaken too often or kept for others' sake; else first come, and it is said.",
    ),
    "policy_usual": ("默认 {usual}", "default {usual}"),
    "policy_min": ("分钟", "min"),
    "policy_s": ("秒", "s"),
    "policy_items": ("办一件要多久", "How long an item takes"),
    "policy_items_what": (
        "空着就由系统自己学：先按事项估，办得多了按本厅的实际。",
        "Leave it empty and it is learned: first a guess from the item, then what really happens here.",
    ),
    "policy_learned": ("学到 {min} 分钟（{n} 次）", "learned: {min} min ({n} cases)"),
    "policy_guess": ("估 {min} 分钟，还没有办过", "a guess: {min} min, no cases yet"),
    "policy_fault": (
        "有一条规则读不懂，暂用默认值：{why}",
        "A rule cannot be used, its default is in force: {why}",
    ),
    "did_policy": ("修改排队规则", "Changed the rules of the line"),
}
