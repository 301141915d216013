"""What a token of the HTTP interface may do. A token has scopes; a route names the one that it needs. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from devices.faults import OrderRefused

#: scope → what it allows, as the console says it when a token is made.
SCOPES: dict[str, tuple[str, str]] = {
    "tickets:read": ("看一张号的进度", "see how a ticket stands"),
    "tickets:take": ("取号、取消号", "take and cancel numbers"),
    "queue:read": ("看队列、窗口、开放时间", "see the line, the windows and the hours"),
    "queue:call": ("叫号、办结等窗口操作", "call numbers and take steps at the windows"),
    "appointments:read": ("看预约和空位", "see appointments and free slots"),
    "appointments:write": ("预约、取消预约、报到", "book, cancel and check in"),
    "figures:read": ("看统计", "see the figures"),
}


def read_scopes(words: Iterable[str]) -> str:
    """The scopes as they are written: in one order, each once.

    :raises OrderRefused: none, or one that there is not.
    """
    wanted = set(words)
    for one in sorted(wanted - set(SCOPES)):
        raise OrderRefused(f"没有“{one[:40]}”这种权限", f"There is no scope {one[:40]!r}")
    if not wanted:
        raise OrderRefused("请至少选一项权限", "Choose at least one scope")
    return " ".join(scope for scope in SCOPES if scope in wanted)


def allows(scopes: str, needed: str) -> bool:
    """``scopes`` as written; deny by default."""
    return needed in SCOPES and needed in scopes.split()
