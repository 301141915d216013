"""A ticket on a phone: who scans the slip's QR code sees the place in the line, without an app, in the hall's network.

The page is drawn whole by the server and reloads itself where no script runs. With one, it asks ``/t/<token>/now``
every 5 to 15 s. Many phones must be cheap: an ETag names the notebook's state, so "has anything been written since?"
is answered without a look at the notebook, and an answer that would say the same again is a 304 without a body.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kiosk import estimates, line, words
from kiosk.answers import error, wants_page
from kiosk.catalogue import Service
from kiosk.core import Core, current_core
from kiosk.rules.estimate import Estimate
from kiosk.rules.estimate_words import told as told_words
from kiosk.rules.queue import Ticket
from kiosk.windows import windows_now

blueprint = Blueprint("phone", __name__)

#: `secrets.token_urlsafe(12)`: 96 bits.
TOKEN = re.compile(r"[A-Za-z0-9_-]{16}")
#: "Three before you": time to come back into the hall. The plan of the queue.
SOON = 3
#: Seconds until the next look: near the call often, far from it seldom (our choice; a call is seen within 5 s).
NEAR_S, FAR_S = 5, 15
#: An estimate moves with the clock, too: looked at anew this often even when nothing was written.
STALE_MS = 15_000
#: A run of the process: its commits begin at 0 again.
_RUN = secrets.token_hex(4)
#: States in which a person may give the number back (kiosk/rules/queue.py, LIFE).
CANCELLABLE = ("WAITING", "CALLED", "HELD", "NO_SHOW")
#: Nothing more will happen to these: the page stops asking.
OVER = ("DONE", "CANCELLED", "EXPIRED")


@blueprint.get("/t/<token>")
def ticket(token: str) -> ResponseReturnValue:
    core = current_core()
    found = _found(core, token)
    lang = _lang(found)
    if found is None:
        return _unknown(lang)
    return render_template(
        "ticket.html",
        lang=lang,
        token=token,
        now=phone_view(core, found),
        taken=datetime.fromtimestamp(found.taken_ms / 1000, core.zone),
        sure=request.args.get("cancel") == "1",
        script_words=words.for_script(lang),
        items=_items(core, found),
    )


def _items(core: Core, ticket: Ticket) -> list[Service]:
    """What is still to be done: the slip is short, and sends people here for all that they are to bring."""
    found = [core.catalogue.service(code) for code in line.open_items(core, ticket)]
    return [one for one in found if one is not None]


@blueprint.get("/t/<token>/now")
def now(token: str) -> ResponseReturnValue:
    """How it stands. 304 where the phone knows it already."""
    core = current_core()
    # Taken before the notebook is read: what is written meanwhile makes the next question a new one.
    stamp = f"{_RUN}-{core.writer.commits:x}-{core.now_ms() // STALE_MS:x}"
    known = request.headers.get("If-None-Match", "").strip('"')
    told, _, owner = known.partition(".")
    owned = hashlib.sha256(token.encode()).hexdigest()[:8]
    if told == stamp and owner.startswith(owned):
        return _answer(None, known)
    found = _found(core, token)
    if found is None:
        return error(404, "unknown_ticket", *UNKNOWN)
    body = json.dumps(phone_view(core, found), ensure_ascii=False)
    said = f"{owned}{hashlib.sha256(body.encode()).hexdigest()[:16]}"
    return _answer(None if owner == said else body, f"{stamp}.{said}")


def _answer(body: str | None, tag: str) -> Response:
    answer = current_app.response_class(body, 304 if body is None else 200, mimetype="application/json")
    answer.headers["ETag"] = f'"{tag}"'
    # Kept by the phone, and asked for each time: a shared proxy must not keep it.
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@blueprint.post("/t/<token>/cancel")
def cancel(token: str) -> ResponseReturnValue:
    """Give the number back. Who holds the token holds the paper; there is nothing else to prove."""
    core = current_core()
    found = _found(core, token)
    if found is None:
        return _unknown(_lang(found))
    if found.state != "CANCELLED":
        found = line.cancel(core, found.ticket_id, "phone")
    if wants_page():
        return redirect(url_for("phone.ticket", token=token, lang=request.args.get("lang")), 303)
    return phone_view(core, found)


UNKNOWN = (
    "没有这张号。可能是网址不完整，或者号已经很久了；请重新扫小票上的码，或到服务台",
    "There is no such ticket. The address may be incomplete or very old: scan the slip again, or ask at the desk",
)


def _unknown(lang: str) -> ResponseReturnValue:
    if wants_page():
        return render_template("ticket_gone.html", lang=lang, why=UNKNOWN[lang == "en"]), 404
    return error(404, "unknown_ticket", *UNKNOWN)


def _found(core: Core, token: str) -> Ticket | None:
    return line.by_token(core, token) if TOKEN.fullmatch(token) else None


def _lang(found: Ticket | None) -> str:
    return "en" if request.args.get("lang", found.lang if found is not None else "zh") == "en" else "zh"


def phone_view(core: Core, ticket: Ticket) -> dict[str, Any]:
    """What the phone shows: nothing of a person, nothing that changes without a reason."""
    service = core.catalogue.service(ticket.service_code)
    expired = ticket.state not in OVER and ticket.business_day != line.today(core)
    state = "EXPIRED" if expired else ticket.state
    ahead = line.ahead(core, ticket) if state == "WAITING" else 0
    told = estimate_of(core, ticket) if state == "WAITING" else None
    here = windows_now(core)
    at = here.window(ticket.window_id)
    return {
        "number": ticket.spelled,
        "service": {
            "zh": service.name_zh if service is not None else ticket.service_code,
            "en": service.name_en if service is not None else ticket.service_code,
        },
        "state": state,
        "ahead": ahead,
        "soon": state == "WAITING" and ahead <= SOON,
        "wait": None if told is None else {lang: told_words(told, lang) for lang in ("zh", "en")},
        "served_now": bool(here.open_for(ticket.service_code)),
        "windows": [{"zh": one.say("zh"), "en": one.say("en")} for one in here.windows_for(ticket.service_code)],
        "at": None if at is None else {"zh": at.say("zh"), "en": at.say("en")},
        "calls": ticket.calls,
        "can_cancel": state in CANCELLABLE,
        "after_s": _after_s(state, ahead),
    }


def estimate_of(core: Core, ticket: Ticket) -> Estimate | None:
    """How long its holder still waits; None where no open window serves the item, or it does not wait."""
    return estimates.estimate_for(core, core.reader(), ticket) if ticket.state == "WAITING" else None


def _after_s(state: str, ahead: int) -> int:
    """0: do not ask again."""
    if state in OVER:
        return 0
    if state != "WAITING":
        return NEAR_S
    return min(FAR_S, max(NEAR_S, 2 + ahead))
