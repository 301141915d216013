"""The rules of the line: everybody who works here may read them, administrators change them. A plain form.

Durations are typed in minutes (the undo in seconds); what they mean and their limits are in ``kiosk/rules/policy.py``.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from kiosk import estimates, line
from kiosk.console import blueprint, door
from kiosk.console.acts import did
from kiosk.console.tables import why_of
from kiosk.core import current_core
from kiosk.policies import set_policy
from kiosk.queue_names import policy_now
from kiosk.rules.policy import DEFAULT, EXPECTED, LIMITS, MINUTE_MS, Limits

#: Typed in seconds; all other durations in minutes.
SECONDS = ("undo_within_ms",)


@blueprint.get("/queue/policy")
@door.allow("admin", "staff")
def queue_policy() -> ResponseReturnValue:
    return _form({})


@blueprint.post("/queue/policy")
@door.allow("admin")
def queue_policy_saved() -> ResponseReturnValue:
    typed = request.form.to_dict()
    try:
        changed: dict[str, Any] = {key: _number(typed.get(key, ""), key, one) for key, one in LIMITS.items()}
        changed["expected_ms"] = {
            code: _number(text, "item_ms", EXPECTED)
            for name, text in typed.items()
            if (code := name.removeprefix("item:")) != name and text.strip() and _known(code)
        }
        set_policy(current_core(), changed, door.me().name)
    except OrderRefused as refused:
        return _form(typed, 409, why_of(refused))
    did("policy")
    return redirect(url_for("console.queue_policy", saved=1), 303)


def _known(code: str) -> bool:
    return current_core().catalogue.service(code) is not None


def unit_ms(key: str) -> int:
    """What one of the typed unit is: a minute, a second, or nothing but a number."""
    if not key.endswith("_ms"):
        return 1
    return 1000 if key in SECONDS else MINUTE_MS


def _number(text: str, key: str, limits: Limits) -> int:
    """:raises OrderRefused: no number; outside of its limits, in the unit that is typed."""
    unit = unit_ms(key)
    try:
        value = round(float(text.strip()) * unit)
    except (ValueError, OverflowError):
        value = limits.least - 1
    if not limits.least <= value <= limits.most:
        least, most = _typed(limits.least, unit), _typed(limits.most, unit)
        raise OrderRefused(
            f"“{limits.zh}”应在 {least} 和 {most} 之间，不能是“{text[:20]}”",
            f"{limits.en}: from {least} to {most}, not {text[:20]!r}",
        )
    return value


def _typed(value: int, unit: int) -> str:
    return f"{value / unit:g}"


def _form(typed: dict[str, str], status: int = 200, why: str = "") -> ResponseReturnValue:
    core = current_core()
    policy = policy_now(core)
    rules = [
        {
            "key": key,
            "limits": limits,
            "value": typed.get(key, _typed(getattr(policy, key), unit_ms(key))),
            "usual": _typed(getattr(DEFAULT, key), unit_ms(key)),
            "own": getattr(policy, key) != getattr(DEFAULT, key),
            "unit": "" if unit_ms(key) == 1 else "s" if key in SECONDS else "min",
        }
        for key, limits in LIMITS.items()
    ]
    memory = estimates.memory_of(core)
    items = [
        {
            "code": one.code,
            "service": one,
            "value": typed.get(f"item:{one.code}", _typed(policy.expected_ms[one.code], MINUTE_MS))
            if one.code in policy.expected_ms
            else typed.get(f"item:{one.code}", ""),
            "learned": f"{memory.times.usual_ms(one.code) / MINUTE_MS:.1f}",
            "cases": memory.times.cases_of(one.code),
        }
        for one in core.catalogue.services
        if one.needs_ticket
    ]
    return render_template(
        "console/policy.html",
        gateway_there=True,
        rules=rules,
        items=items,
        alert=_alert(),
        mode=line.mode_view(core),
        may_change=door.me().role == "admin",
        faults=policy.faults,
        saved=request.args.get("saved") == "1",
        why=why,
    ), status


def _alert() -> Any:
    """Whether a predicted wait is beyond the limit just now; None also where the notebook cannot be read."""
    try:
        return estimates.alert_now(current_core())
    except (NotWritten, sqlite3.Error):
        return None
