"""The console's door: who comes in, and to what. Deny by default.

Every view says who may use it (:func:`anyone` or :func:`allow`); a view that says nothing lets nobody in.
Every POST must come from our own page: an ``Origin`` that is ours *and* a token bound to the session.

The token is ``HMAC(cookie, "form")``: bound to the session by construction, nothing to store, gone when the
session is. Flask-WTF would give the same and wants Flask's signed client-side session, which we do not use
(a session here can be revoked); so these few lines were preferred over a dependency and a second kind of session.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from flask import (
    Response,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten
from gateway.log import say_once
from kiosk.accounts import Accounts, Session
from kiosk.console.words import Lang, say
from kiosk.core import current_core
from kiosk.rules.account import Role

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

#: Names of views → who may use them; filled by the two decorators below.
_ANYONE = "anyone"
_RULES: dict[str, _Rule] = {}

COOKIE, COOKIE_TLS = "linli_staff", "__Host-linli_staff"
#: Before there is a session a form is bound to this random cookie instead (a forged *sign-in* is an attack too).
FORM_COOKIE, LANG_COOKIE = "linli_form", "linli_console_lang"

#: No script but our own files; nothing may frame us; nothing of a resident stays in a cache.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _Rule:
    __slots__ = ("locked", "quiet", "roles", "unchanged")

    def __init__(self, roles: tuple[Role, ...], *, locked: bool, quiet: bool, unchanged: bool) -> None:
        self.roles, self.locked, self.quiet, self.unchanged = roles, locked, quiet, unchanged


def anyone(view: View) -> View:
    """This view needs no session."""
    _RULES[view.__name__] = _Rule((), locked=True, quiet=True, unchanged=True)
    return view


def allow(
    *roles: Role, locked: bool = False, quiet: bool = False, unchanged: bool = False
) -> Callable[[View], View]:
    """These roles may use this view.

    :param locked: also behind a locked screen.
    :param quiet: using it is no sign of a person (the live line): it does not put off the lock.
    :param unchanged: also with a handed-over password that was not changed yet.
    """

    def mark(view: View) -> View:
        _RULES[view.__name__] = _Rule(roles, locked=locked, quiet=quiet, unchanged=unchanged)
        return view

    return mark


def accounts() -> Accounts:
    core = current_core()
    return Accounts(core.writer.write, core.reader, core.now_ms, core.house.home)


def me() -> Session:
    """Whose request this is. Only in views that :func:`allow` a role."""
    session = g.staff_session
    assert isinstance(session, Session)
    return session


def look() -> None:
    """Who asks, and in which language: what every page of the console is drawn by."""
    g.lang = _lang()
    g.new_form_cookie = g.staff_session = None
    g.staff_session = accounts().session(request.cookies.get(_cookie_name(), ""))


def check() -> ResponseReturnValue | None:
    """Before every request of the console: who is it, may they, does it come from our own page?"""
    look()
    session = g.staff_session
    rule = _RULES.get((request.endpoint or "").rpartition(".")[2])
    if rule is None:
        return refuse(403, "not_allowed")
    if request.method not in ("GET", "HEAD", "OPTIONS") and not _is_our_form():
        return refuse(403, "form_stale")
    if not rule.roles:
        return None
    if session is None:
        return refuse(401, "not_signed_in")
    if session.role not in rule.roles:
        return refuse(403, "not_allowed")
    if session.locked and not rule.locked:
        return refuse(423, "is_locked")
    if session.must_change and not rule.unchanged:
        return refuse(403, "must_change_first")
    if not rule.quiet:
        try:
            accounts().active(session)
        except NotWritten as wrong:
            # A full disk must not stop anybody from taking a call; the screen will only lock a little early.
            say_once("console-active", "not_written", f"that somebody is here cannot be noted: {wrong}")
    return None


def refuse(status: int, key: str, **filled: object) -> ResponseReturnValue:
    """No, with the reason: JSON for the page's scripts, else the page where the reason can be mended."""
    if is_script():
        return jsonify(
            error={"code": key, "zh": say(key, "zh", **filled), "en": say(key, "en", **filled)}
        ), status
    if request.method == "GET" and key in _WHERE_TO_MEND:
        return redirect(url_for(_WHERE_TO_MEND[key]), 303)
    return refuse_words(status, say(key, g.lang, **filled))


def refuse_words(status: int, why: str) -> ResponseReturnValue:
    """No, as a page, for a reason that a rule has put into the reader's language already."""
    return make_response(draw("console/refused.html", why=why), status)


def draw(template: str, **filled: object) -> str:
    """A page with all that the console's pages know, also where no view of ours was found: Flask then adds nothing."""
    known: dict[str, object] = {}
    if request.blueprint is None:
        for processor in current_app.template_context_processors["console"]:
            known |= processor()  # type: ignore[arg-type]  # none of ours is a coroutine
    return render_template(template, **{**known, **filled})


_WHERE_TO_MEND = {
    "not_signed_in": "console.sign_in",
    "is_locked": "console.page",
    "must_change_first": "console.password",
}


def is_script() -> bool:
    """True for what the page's scripts ask; such a request is answered in JSON."""
    return request.path.startswith(("/console/api/", "/console/live"))


def form_token() -> str:
    """What our own forms carry; a page's scripts send it as ``X-Form-Token``."""
    return hmac.new(_form_secret().encode(), b"form", hashlib.sha256).hexdigest()


def _form_secret() -> str:
    if g.staff_session is not None:
        return request.cookies.get(_cookie_name(), "")
    if g.new_form_cookie is None:
        g.new_form_cookie = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    return str(g.new_form_cookie)


def _is_our_form() -> bool:
    """Every browser sends Origin with a POST; what sends none is no page of ours."""
    origin = urlsplit(request.headers.get("Origin", ""))
    base = urlsplit(current_core().house.plan.http.base_url)
    ours = {request.host, base.netloc} - {""}
    if origin.scheme not in ("http", "https") or origin.netloc not in ours:
        return False
    if base.scheme == "https" and origin.netloc == base.netloc and origin.scheme != "https":
        return False
    if g.staff_session is None and not request.cookies.get(FORM_COOKIE):
        return False
    given = request.headers.get("X-Form-Token") or request.form.get("form_token", "")
    return hmac.compare_digest(given.encode(), form_token().encode())


def let_in(response: Response, cookie: str) -> Response:
    """Put the session's cookie into the answer."""
    tls = _is_tls()
    response.set_cookie(
        _cookie_name(), cookie, httponly=True, samesite="Strict", secure=tls, path="/" if tls else "/console"
    )
    return response


def let_out(response: Response) -> Response:
    tls = _is_tls()
    response.delete_cookie(
        _cookie_name(), httponly=True, samesite="Strict", secure=tls, path="/" if tls else "/console"
    )
    return response


def seal(response: Response) -> Response:
    """After every request of the console: headers, and the cookie of a form that was just drawn."""
    for name, value in HEADERS.items():
        if name == "Content-Security-Policy":  # a page may allow still less (a picture of another page)
            response.headers.setdefault(name, value)
        else:
            response.headers[name] = value
    new = g.get("new_form_cookie")
    if new and request.cookies.get(FORM_COOKIE) != new:
        response.set_cookie(
            FORM_COOKIE, new, httponly=True, samesite="Strict", secure=_is_tls(), path="/console"
        )
    if request.args.get("lang") in ("zh", "en"):
        # Readable by the page's script, which switches without a reload; it holds "zh" or "en".
        response.set_cookie(
            LANG_COOKIE, request.args["lang"], samesite="Strict", max_age=31_536_000, path="/console"
        )
    return response


def address() -> str:
    """Who asks, for the limits of wrong passwords. Forwarded-for headers are not believed."""
    return request.remote_addr or "?"


def old_cookie() -> str:
    return request.cookies.get(_cookie_name(), "")


def _is_tls() -> bool:
    return current_core().house.plan.http.base_url.startswith("https://")


def _cookie_name() -> str:
    return COOKIE_TLS if _is_tls() else COOKIE


def _lang() -> Lang:
    asked = request.args.get("lang") or request.cookies.get(LANG_COOKIE)
    return "en" if asked == "en" else "zh"
