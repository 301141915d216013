"""`linli doctor`: looks at everything a hall stands on and says, in plain words, what is wrong and what to do.

It changes nothing and works while the hall runs, while it does not, and while half of it does. Each line begins
with ✓ (well), ✗ (wrong: the next line says what to do) or · (worth knowing). The status is 1 if there is any ✗.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TextIO

from devices.faults import HallFileFault
from gateway.finding import Check, Finding, ok, wrong
from linli.checks import ALL
from linli.talk import open_running_house

_MARKS = {"ok": "✓", "wrong": "✗", "note": "·"}


def examine(hall_file: str | None = None, checks: Mapping[str, Check] | None = None) -> Iterator[Finding]:
    """Every finding, one after another, as they are made. A wrong hall.toml ends it: nothing else can be known."""
    try:
        house = open_running_house(hall_file)
    except HallFileFault as fault:
        yield wrong(
            "hall.toml",
            f"有错误：{fault}",
            str(fault),
            "按提示改正该行，再运行一次",
            "mend that line, then run this again",
        )
        return
    plan = house.plan
    things = f"{len(plan.printers)} printers, {len(plan.panels)} panels"
    yield ok(
        "hall.toml",
        house.hall_file or "没有此文件，全部采用默认值",
        f"{house.hall_file or 'none: all defaults'} ({things})",
    )
    for check in (ALL if checks is None else checks).values():
        yield from check(house)


def doctor(
    hall_file: str | None = None, *, lang: str = "both", as_json: bool = False, out: TextIO | None = None
) -> int:
    """Examine and print. Returns 0 when nothing is wrong, else 1."""
    out = out or sys.stdout
    found: list[Finding] = []
    for one in examine(hall_file):
        found.append(one)
        if not as_json:
            out.write(spell(one, lang) + "\n")
            out.flush()
    bad = sum(one.mark == "wrong" for one in found)
    if as_json:
        json.dump(
            {"well": not bad, "findings": [asdict(one) for one in found]}, out, ensure_ascii=False, indent=1
        )
        out.write("\n")
    else:
        zh, en = (f"{bad} 处有问题", f"{bad} wrong") if bad else ("一切正常", "all well")
        out.write(_both(zh, en, lang) + "\n")
    return 1 if bad else 0


def spell(one: Finding, lang: str) -> str:
    """A finding as a person reads it."""
    text = f"{_MARKS[one.mark]} {one.part:<14} {_both(one.zh, one.en, lang)}"
    if one.do_zh or one.do_en:
        text += f"\n  → {_both(one.do_zh, one.do_en, lang)}"
    return text


def _both(zh: str, en: str, lang: str) -> str:
    return zh if lang == "zh" else en if lang == "en" else zh if zh == en else f"{zh} | {en}"
