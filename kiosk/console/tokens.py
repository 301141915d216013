"""Tokens for other programs: made here, shown once, ended here. For administrators."""

from __future__ import annotations

from datetime import datetime

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused
from kiosk.api_v1 import tokens
from kiosk.console import acts, blueprint, door
from kiosk.console.tables import Trouble, why_of
from kiosk.core import current_core
from kiosk.rules.scopes import SCOPES


@blueprint.get("/tokens")
@door.allow("admin")
def token_list() -> ResponseReturnValue:
    return _page()


@blueprint.post("/tokens")
@door.allow("admin")
def token_done() -> ResponseReturnValue:
    form, core = request.form, current_core()
    try:
        if form.get("do") == "end":
            raw = form.get("token_id", "")
            ended = tokens.end(core, int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0)
            acts.did("token_ended", ended.name)
            return redirect(url_for("console.token_list", saved=1), 303)
        scopes = [scope for scope in SCOPES if form.get(scope) == "yes"]
        secret = tokens.make(core, form.get("name", ""), scopes, door.me().name)
    except OrderRefused as refused:
        return _page(Trouble(why_of(refused), 409))
    name = " ".join(form.get("name", "").split())[: tokens.NAME_AT_MOST]
    acts.did("token_made", name, " ".join(scopes))
    # Not a redirect: the secret stands in this one answer and nowhere else.
    return _page(handed=(name, secret))


def _page(trouble: Trouble | None = None, handed: tuple[str, str] | None = None) -> ResponseReturnValue:
    core = current_core()

    def moment(at_ms: int) -> str:
        return f"{datetime.fromtimestamp(at_ms / 1000, core.zone):%Y-%m-%d %H:%M}"

    page = render_template(
        "console/tokens.html",
        rows=tokens.every(core),
        scopes=list(SCOPES),
        typed={name: request.form.get(name, "") for name in ("name", *SCOPES)} if trouble else {},
        handed=handed,
        moment=moment,
        gateway_there=True,  # nothing here needs it
        why=trouble.why if trouble else "",
    )
    return make_response(page, trouble.status if trouble else 200)
