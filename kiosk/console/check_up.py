"""The check-up: what `linli doctor` found, what to do for each, when it was looked at; and to look again."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import OutsideDown
from kiosk.check_up import Round
from kiosk.console import acts, blueprint, care, door
from kiosk.console.report_pages import AGAIN_S
from kiosk.core import current_core


@blueprint.get("/check-up")
@door.allow("admin", "staff")
def check_up() -> ResponseReturnValue:
    """What was found last, at once; while somebody looks it says how far that is, and comes again by itself."""
    check = current_core().check_up
    job, last = check.under_way, check.last
    return care.page(
        "console/check_up.html",
        202 if job else 200,
        job=job,
        wait_s=AGAIN_S,
        last=last,
        trouble=check.trouble,
        found=_grouped(last),
    )


@blueprint.post("/check-up")
@door.allow("admin", "staff")
def check_up_again() -> ResponseReturnValue:
    """Look again; or ``do`` = "stop": what was found before stays."""
    check = current_core().check_up
    if request.form.get("do") == "stop":
        check.stop()
    else:
        try:
            check.look()
        except OutsideDown as wrong:
            return door.refuse(503, "check_failed", why=wrong)
        acts.did("check_up")
    return redirect(url_for("console.check_up"), 303)


def _grouped(last: Round | None) -> list[tuple[str, list[object]]]:
    """The worst first: what is wrong, what is worth knowing, what is well."""
    if last is None:
        return []
    return [(mark, list(found)) for mark in ("wrong", "note", "ok") if (found := last.of(mark))]
