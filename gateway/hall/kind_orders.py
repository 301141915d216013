"""The orders that change a kind of call: its ladder, its script, its outcomes. What a hall begins with: ``kinds.py``.

Rule 1. A ladder has a step, each step somebody to tell, a wait of 1 s to 1 h and something that it does.
Rule 2. A kind can always end: it has an outcome.
Rule 3. An emergency is an emergency: it stays first in rank and cannot be switched off.
Rule 4. What Linli brings is never lost: dropping such a kind's row brings its default back.
"""

from __future__ import annotations

import re
from typing import Any

from devices.faults import OrderRefused
from gateway.hall.fields import Fields, fit
from gateway.hall.kinds import DEFAULTS
from gateway.hall.reading import Names, Reader, changed
from gateway.hall.rows import ROLES, Kind, RowGone
from gateway.hall.state import Decision, HallState, JournalLine

#: What a step can do: word → (Chinese, English).
ACTS: dict[str, tuple[str, str]] = {
    "console": ("工作台响铃", "Console rings"),
    "beacon": ("大厅警灯", "Hall beacon"),
    "voice": ("大厅播报", "Hall voice"),
    "display": ("叫号屏", "Hall display"),
    "message": ("发消息", "Message"),
}
NAMES: Names = {
    "kind": ("代号", "Code"),
    "name_zh": ("中文名", "Chinese name"),
    "name_en": ("英文名", "English name"),
    "priority": ("优先级", "Priority"),
    "ladder": ("通知顺序", "Ladder"),
    "coming_s": ("接单后多久没到就重新通知（秒）", "An acceptance expires after (s)"),
    "script_zh": ("中文话术", "Chinese script"),
    "script_en": ("英文话术", "English script"),
    "outcomes": ("办理结果", "Outcomes"),
    "enabled": ("启用", "In use"),
    "position": ("排列", "Position"),
}
#: Bounds of a step's wait, of a ladder's and of the outcomes' length, of an acceptance's life.
LEAST_WAIT_S, MOST_WAIT_S = 1, 3600
MOST_STEPS, MOST_OUTCOMES = 12, 20
LEAST_COMING_S, MOST_COMING_S = 60, 86_400
LAST_PRIORITY = 9

_WORD = re.compile(r"[a-z][a-z0-9_]{0,31}")


def kind_put(state: HallState, fields: Fields, now_ms: int) -> Decision:
    word = _word(fields)
    row = state.table(Kind).get(word)
    old = row or DEFAULTS.get(word)
    read = Reader(fields, old, NAMES)
    new = Kind(
        kind=word,
        name_zh=read.words("name_zh", 20, needed=True),
        name_en=read.words("name_en", 40, needed=True),
        priority=read.number("priority", 0, LAST_PRIORITY, 5),
        ladder=_ladder(read, fields, old),
        coming_s=read.number("coming_s", LEAST_COMING_S, MOST_COMING_S, 900),
        script_zh=read.words("script_zh", 2000, lines=True),
        script_en=read.words("script_en", 2000, lines=True),
        outcomes=_outcomes(read, fields, old),
        enabled=read.flag("enabled", True),
        position=read.number("position", 0, 999, 99),
    )
    if word == "emergency" and (new.priority != 0 or not new.enabled):
        raise OrderRefused(
            "“紧急求助”必须启用，优先级必须是 0", "an emergency must be in use and have the priority 0"
        )
    if new == old:
        return Decision()
    line = JournalLine(now_ms, "KindPut", f"kind:{word}", fields.text("by", ""), changed(old, new))
    return Decision(changes=[new, line])


def kind_dropped(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """One of ours begins anew as it was; one of the hall's own goes, where nothing needs it any more."""
    word = _word(fields)
    if word not in state.table(Kind):
        return Decision()
    if word not in DEFAULTS:
        using = [one.name or one.device_id for one in state.devices.values() if one.call_kind == word]
        if using:
            raise OrderRefused(
                f"还有按钮用这种呼叫：{'、'.join(using[:5])}",
                f"buttons still call this kind: {', '.join(using[:5])}",
            )
        if any(call.kind == word and call.state != "CLOSED" for call in state.calls.values()):
            raise OrderRefused("还有这种呼叫没办结", "a call of this kind is still open")
    line = JournalLine(
        now_ms, "KindDropped", f"kind:{word}", fields.text("by", ""), "default" if word in DEFAULTS else ""
    )
    return Decision(changes=[RowGone(Kind.TABLE, word), line])


def _word(fields: Fields) -> str:
    word = fields.text("kind", "")
    if not _WORD.fullmatch(word):
        raise OrderRefused(
            "代号：用小写字母开头，只能有小写字母、数字和 _",
            "Code: begins with a lower-case letter; lower-case letters, digits and _ only",
        )
    return word


def _ladder(read: Reader, fields: Fields, old: Kind | None) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
    if "ladder" not in fields:
        if old is None:
            raise read.wrong("ladder", "至少要有一步", "one step at least")
        return old.ladder
    raw: Any = fields.raw["ladder"]
    if not isinstance(raw, list | tuple) or not raw:
        raise read.wrong(
            "ladder", "至少要有一步，否则没有人会知道", "one step at least, or nobody would know"
        )
    if len(raw) > MOST_STEPS:
        raise read.wrong("ladder", f"最多 {MOST_STEPS} 步", f"at most {MOST_STEPS} steps")
    return tuple(_step(read, number, step) for number, step in enumerate(raw, 1))


def _step(read: Reader, number: int, step: Any) -> tuple[str, int, tuple[str, ...]]:
    if not isinstance(step, list | tuple) or len(step) != 3:
        raise read.wrong("ladder", f"第 {number} 步不完整", f"step {number} is not complete")
    who, wait_s, acts = step
    if not isinstance(who, str) or who not in ROLES:
        said = fit(str(who))[:40]
        raise read.wrong(
            "ladder", f"第 {number} 步：没有“{said}”这个角色", f"step {number}: no role {said!r}"
        )
    if type(wait_s) is not int or not LEAST_WAIT_S <= wait_s <= MOST_WAIT_S:
        raise read.wrong(
            "ladder",
            f"第 {number} 步：等待时间应为 {LEAST_WAIT_S} 秒到 {MOST_WAIT_S // 60} 分钟",
            f"step {number}: the wait must be {LEAST_WAIT_S} s to {MOST_WAIT_S // 60} min",
        )
    if not isinstance(acts, list | tuple) or not acts:
        raise read.wrong(
            "ladder", f"第 {number} 步：至少选一种通知方式", f"step {number}: choose how to tell them"
        )
    for act in acts:
        if not isinstance(act, str) or act not in ACTS:
            said = fit(str(act))[:40]
            raise read.wrong(
                "ladder", f"第 {number} 步：没有“{said}”这种方式", f"step {number}: no act {said!r}"
            )
    return who, wait_s, tuple(act for act in ACTS if act in acts)


def _outcomes(read: Reader, fields: Fields, old: Kind | None) -> tuple[tuple[str, str, str], ...]:
    if "outcomes" not in fields:
        if old is None:
            raise read.wrong("outcomes", "至少要有一个", "one at least")
        return old.outcomes
    raw: Any = fields.raw["outcomes"]
    if not isinstance(raw, list | tuple) or not raw:
        raise read.wrong(
            "outcomes", "至少要有一个，否则办不完", "one at least, or a call could never be closed"
        )
    if len(raw) > MOST_OUTCOMES:
        raise read.wrong("outcomes", f"最多 {MOST_OUTCOMES} 个", f"at most {MOST_OUTCOMES}")
    read_ones: dict[str, tuple[str, str, str]] = {}
    for number, one in enumerate(raw, 1):
        if not isinstance(one, list | tuple) or len(one) != 3 or not all(isinstance(x, str) for x in one):
            raise read.wrong("outcomes", f"第 {number} 个不完整", f"number {number} is not complete")
        word, zh, en = (" ".join(fit(x).split()) for x in one)
        if not _WORD.fullmatch(word):
            raise read.wrong(
                "outcomes",
                f"第 {number} 个：代号只能有小写字母、数字和 _",
                f"number {number}: its code has lower-case letters, digits and _ only",
            )
        if not zh or not en or len(zh) > 20 or len(en) > 40:
            raise read.wrong(
                "outcomes",
                f"第 {number} 个：请填写中文（最多 20 字）和英文（最多 40 字）",
                f"number {number}: fill in Chinese (20 characters at most) and English (40)",
            )
        if word in read_ones:
            raise read.wrong("outcomes", f"“{word}”写了两次", f"{word!r} stands there twice")
        read_ones[word] = (word, zh, en)
    return tuple(read_ones.values())


ORDERS = {"put_kind": kind_put, "drop_kind": kind_dropped}
