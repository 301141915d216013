"""The console's pages. All but ``/console`` itself are plain forms that work without a script."""

from __future__ import annotations

import datetime
import sqlite3
import zoneinfo
from typing import Any

from flask import Response, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from gateway.house import TOKEN_FILE
from kiosk import posts
from kiosk.accounts import TooManyTries, needs_first
from kiosk.console import blueprint, door, picture
from kiosk.console.menu import POSTS
from kiosk.console.words import WORDS, Lang, say
from kiosk.core import current_core
from kiosk.kinds import kinds_now

#: A close made by mistake may be undone for so long (docs/protocol.md, `reopen_call`); the gateway has the last word.
UNDO_MS = 60_000

#: Lines of the journal that are about accounts: for administrators only.
_ACCOUNT_LINES = frozenset(
    [
        "first_admin",
        "sign_in",
        "sign_in_refused",
        "sign_out",
        "unlock",
        "password_changed",
        "password_reset",
        "staff_added",
        "staff_disabled",
        "staff_enabled",
        "medical_granted",
        "medical_withdrawn",
    ]
)


@blueprint.context_processor
def _for_templates() -> dict[str, Any]:
    core = current_core()
    hall = core.house.plan.hall
    zone = zoneinfo.ZoneInfo(hall.timezone)

    def clock(at_ms: int | None, never: str = "", form: str = "%m-%d %H:%M:%S") -> str:
        if at_ms is None:
            return never
        return datetime.datetime.fromtimestamp(at_ms / 1000, zone).strftime(form)

    return {
        "say": lambda key, **filled: say(key, g.lang, **filled),
        "lang": g.lang,
        "me": g.staff_session,
        "form_token": door.form_token,
        "hall_name": hall.name_zh if g.lang == "zh" else hall.name_en,
        "hall": hall,
        "clock": clock,
        "spell": lambda ms: spell(ms, g.lang),
        "locked": g.staff_session is not None and g.staff_session.locked,
    }


def spell(ms: int, lang: Lang) -> str:
    """How long, as people say it; the page's own script says it in the same way (``console_view.js``)."""
    s = max(0, ms // 1000)
    if s < 60:
        return say("seconds", lang, n=s)
    if s < 3600:
        return say("minutes", lang, n=s // 60)
    return say("hours", lang, n=s // 3600) if s < 86400 else say("days", lang, n=s // 86400)


@blueprint.get("", strict_slashes=False)
@door.allow("admin", "staff", locked=True)
def page() -> ResponseReturnValue:
    """The console itself: an empty frame and the words; everything else comes on the live line."""
    return live_page("all")


@blueprint.get("/devices")
@door.allow("admin", "staff")
def devices() -> ResponseReturnValue:
    """The same live page with room for the devices: claim, edit, zones. Calls stay on top of it and ring."""
    return live_page("devices")


@blueprint.get("/running")
@door.allow("admin", "staff")
def running() -> ResponseReturnValue:
    """How the hall runs. A live page, too: whoever reads it hears a call as everywhere else."""
    return live_page("running")


def live_page(view: str, **more: Any) -> str:
    """The live frame as ``view``; ``more`` are facts of this page alone."""
    core, me = current_core(), door.me()
    return render_template(
        "console/console.html",
        view=view,
        facts={
            "words": WORDS,
            "kinds": kinds_now(core),
            "windows": picture.windows(core),
            "services": picture.services(core),
            "me": {"name": me.name, "role": me.role},
            "lang": g.lang,
            "timezone": core.house.plan.hall.timezone,
            "undo_ms": UNDO_MS,
            **more,
        },
    )


# ---------------------------------------------------------------- signing in and out


@blueprint.get("/sign-in")
@door.anyone
def sign_in() -> ResponseReturnValue:
    if g.staff_session is not None:
        return redirect(url_for("console.page"), 303)
    if needs_first(current_core().reader()):
        return redirect(url_for("console.first"), 303)
    return render_template("console/sign_in.html", name="", why="")


@blueprint.post("/sign-in")
@door.anyone
def sign_in_post() -> ResponseReturnValue:
    name, password = request.form.get("name", ""), request.form.get("password", "")
    try:
        cookie = door.accounts().sign_in(name, password, door.address(), door.old_cookie())
    except OrderRefused as refused:
        return _again("console/sign_in.html", refused, name=name)
    return door.let_in(_to_my_post(cookie), cookie)


def _to_my_post(cookie: str) -> Response:
    """Where signing in leads: to the post that was chosen, else to the overview."""
    session = door.accounts().session(cookie)
    try:
        post = "" if session is None else posts.post_of(current_core().reader(), session.staff_id)
    except (NotWritten, sqlite3.Error):
        post = ""
    if (
        session is None
        or post not in POSTS
        or session.must_change
        or (post == "admin" and session.role != "admin")
    ):
        return _go("console.page")
    answer = redirect(url_for("console.desk", post=post), 303)
    assert isinstance(answer, Response)
    return answer


@blueprint.get("/first")
@door.anyone
def first() -> ResponseReturnValue:
    if not needs_first(current_core().reader()):
        return redirect(url_for("console.sign_in"), 303)
    return render_template("console/first.html", name="", token="", why="", token_file=TOKEN_FILE)


@blueprint.post("/first")
@door.anyone
def first_post() -> ResponseReturnValue:
    name, token = request.form.get("name", ""), request.form.get("token", "")
    password = request.form.get("password", "")
    try:
        _same_twice()
        cookie = door.accounts().first(token, name, password, door.address())
    except OrderRefused as refused:
        return _again("console/first.html", refused, name=name, token=token, token_file=TOKEN_FILE)
    return door.let_in(_go("console.start"), cookie)


@blueprint.post("/sign-out")
@door.allow("admin", "staff", locked=True, quiet=True, unchanged=True)
def sign_out() -> ResponseReturnValue:
    door.accounts().sign_out(door.me())
    return door.let_out(_go("console.sign_in"))


@blueprint.get("/password")
@door.allow("admin", "staff", unchanged=True)
def password() -> ResponseReturnValue:
    return render_template("console/password.html", why="", saved=False)


@blueprint.post("/password")
@door.allow("admin", "staff", unchanged=True)
def password_post() -> ResponseReturnValue:
    old, new = request.form.get("old", ""), request.form.get("password", "")
    try:
        _same_twice()
        cookie = door.accounts().change_password(door.me(), old, new, door.address())
    except OrderRefused as refused:
        return _again("console/password.html", refused, saved=False)
    return door.let_in(_go("console.page"), cookie)


# ---------------------------------------------------------------- staff, journal


@blueprint.get("/staff")
@door.allow("admin")
def staff() -> ResponseReturnValue:
    return _staff_page()


@blueprint.post("/staff")
@door.allow("admin")
def staff_post() -> ResponseReturnValue:
    """One form for each thing an administrator does: add, reset, disable, enable."""
    book, do = door.accounts(), request.form.get("do", "")
    name = request.form.get("name", "")
    staff_id = int(raw) if (raw := request.form.get("staff_id", "")).isascii() and raw.isdigit() else -1
    try:
        if do == "add":
            return _staff_page(handed=(name, book.add(door.me(), name, request.form.get("role", ""))))
        if do == "reset":
            handed = book.reset(door.me(), staff_id)
            return _staff_page(
                handed=(next(one.name for one in book.members() if one.staff_id == staff_id), handed)
            )
        if do in ("disable", "enable"):
            book.set_disabled(door.me(), staff_id, do == "disable")
            return _go("console.staff")
        if do in ("medical", "no_medical"):
            book.set_medical(door.me(), staff_id, do == "medical")
            return _go("console.staff")
    except OrderRefused as refused:
        return _staff_page(refused=refused, name=name), 409
    return door.refuse(400, "bad_request")


@blueprint.get("/journal")
@door.allow("admin", "staff")
def journal() -> ResponseReturnValue:
    lines = door.accounts().journal()
    if door.me().role != "admin":
        lines = [line for line in lines if line[2] not in _ACCOUNT_LINES]
    return render_template("console/journal.html", lines=lines, words=WORDS)


def _staff_page(
    handed: tuple[str, str] | None = None, refused: OrderRefused | None = None, name: str = ""
) -> str:
    return render_template(
        "console/staff.html",
        members=door.accounts().members(),
        handed=handed,
        why="" if refused is None else _why(refused),
        name=name,
    )


def _again(template: str, refused: OrderRefused, **filled: object) -> ResponseReturnValue:
    """The same form with what was typed (never a password) and the reason."""
    answer = make_response(render_template(template, why=_why(refused), **filled), 403)
    if isinstance(refused, TooManyTries):
        answer.status_code = 429
        answer.headers["Retry-After"] = str(-(-refused.wait_ms // 1000))
    return answer


def _same_twice() -> None:
    if request.form.get("password") != request.form.get("again"):
        raise OrderRefused(say("password_differs", "zh"), say("password_differs", "en"))


def _why(refused: OrderRefused) -> str:
    return refused.why_zh if g.lang == "zh" else refused.why_en


def _go(endpoint: str) -> Response:
    answer = redirect(url_for(endpoint), 303)
    assert isinstance(answer, Response)
    return answer
