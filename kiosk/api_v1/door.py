"""The interface's door: who asks, may they, is the question whole? Deny by default.

A route is made by `route`, which takes its scope and its description together: what is not described cannot be asked,
and a scope that there is not lets nobody in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from flask import g, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from gateway.hall.reading import is_day
from kiosk.answers import body, error
from kiosk.api import KEY
from kiosk.api_v1 import blueprint, tokens
from kiosk.api_v1.once import OtherRequest, once
from kiosk.api_v1.tokens import Token
from kiosk.core import current_core
from kiosk.rules.scopes import SCOPES, allows

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
Json = dict[str, Any]

#: SQLite's integers end at 2**63; JSON's exact ones at 2**53.
ID_AT_MOST = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Described:
    """One operation as openapi.py tells it. ``scope`` "" is for everybody."""

    method: str
    path: str
    name: str
    scope: str
    summary: str
    answers: dict[int, str]
    body: str = ""
    query: dict[str, Json] = field(default_factory=dict)
    parts: dict[str, Json] = field(default_factory=dict)
    about: str = ""


#: name of the view → its description; openapi.py and the matrix test read it.
OPERATIONS: dict[str, Described] = {}

#: What the places in a path may hold: Flask's converter, and the schema.
_PARTS: dict[str, tuple[str, Json]] = {
    "token": ("", {"type": "string", "pattern": "^[A-Za-z0-9_-]{16}$"}),
    "ticket_id": (f"int(max={ID_AT_MOST}):", {"type": "integer", "minimum": 1, "maximum": ID_AT_MOST}),
    "window_id": ("", {"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^[A-Za-z0-9_-]+$"}),
    "code": ("", {"type": "string", "pattern": "^[2-9A-HJ-NP-Z]{8}$"}),
}


def route(
    method: str, path: str, scope: str, summary: str, answers: dict[int, str], **more: Any
) -> Callable[[View], View]:
    """Make a view a route of the interface.

    :param path: "/tickets/{token}", as OpenAPI writes it.
    :param answers: status → name of the body's schema in openapi.py.
    :param more: ``body``, ``query``, ``parts`` (schemas of places that are not in `_PARTS`), ``about``.
    """
    assert scope == "" or scope in SCOPES, scope

    def mark(view: View) -> View:
        rule, parts = path, dict(more.pop("parts", {}))
        for name, (converter, schema) in _PARTS.items():
            if "{" + name + "}" in rule:
                rule = rule.replace("{" + name + "}", f"<{converter}{name}>")
                parts[name] = schema
        for name, schema in parts.items():
            rule = rule.replace("{" + name + "}", f"<any({', '.join(schema.get('enum', []))}):{name}>")
        OPERATIONS[view.__name__] = Described(
            method, path, view.__name__, scope, summary, answers, parts=parts, **more
        )
        blueprint.add_url_rule(rule, view.__name__, view, methods=[method])
        return view

    return mark


def check() -> ResponseReturnValue | None:
    """Before every request: whose token is it, may it do this, does a POST carry its key?"""
    operation = OPERATIONS.get((request.endpoint or "").rpartition(".")[2])
    if operation is None:
        return error(403, "not_allowed", "没有开放这个接口", "This is not open")
    if not operation.scope:
        return None
    kind, _, shown = request.headers.get("Authorization", "").partition(" ")
    token = tokens.find(current_core(), shown.strip()) if kind.casefold() == "bearer" else None
    if token is None:
        zh = "令牌不对、已停用，或没有带上（Authorization: Bearer …）；请管理员在工作台重新发一个"
        en = "No valid token (Authorization: Bearer …): an administrator can make one in the console"
        answer = make_response(error(401, "bad_token", zh, en))
        answer.headers["WWW-Authenticate"] = 'Bearer realm="linli"'
        return answer
    if not allows(token.scopes, operation.scope):
        zh = f"这个令牌没有“{operation.scope}”权限"
        en = f"This token lacks the scope {operation.scope!r}"
        return error(403, "scope_missing", zh, en, scope=operation.scope)
    g.api_token = token
    for name in request.args:
        if name not in operation.query:
            raise wrong_field(_shown(name), "没有这个参数", "there is no such parameter")
    if request.method == "POST" and not KEY.fullmatch(request.headers.get("Idempotency-Key", "")):
        zh = "每个 POST 须带 Idempotency-Key：1-64 位字母数字 _ . : -"
        return error(400, "bad_key", zh, "Each POST needs an Idempotency-Key of 1-64 of A-Z a-z 0-9 _ . : -")
    return None


def me() -> Token:
    token = g.api_token
    assert isinstance(token, Token)
    return token


def own_key() -> str:
    """The key for the notebook's own idempotency: no two tokens share one."""
    return f"api-{me().token_id}-{request.headers['Idempotency-Key']}"


def do_once(
    do: Callable[[], tuple[int, Json]], again: Callable[[], tuple[int, Json]] | None = None
) -> ResponseReturnValue:
    """The answer of a POST (once.py)."""
    try:
        return once(current_core(), me(), request.headers["Idempotency-Key"], do, again=again)
    except OtherRequest as wrong:
        return error(422, "key_used", wrong.why_zh, wrong.why_en)


# ---------------------------------------------------------------- reading what was asked


def wrong_field(name: str, what_zh: str, what_en: str) -> BadRequest:
    return _Named(name, what_zh, what_en)


class _Named(BadRequest):
    """A 400 that names the field."""

    def __init__(self, name: str, what_zh: str, what_en: str) -> None:
        super().__init__()
        self.answer = (f"{name}：{what_zh}", f"{name}: {what_en}", name)


@blueprint.errorhandler(_Named)
def _named(wrong: _Named) -> ResponseReturnValue:
    zh, en, name = wrong.answer
    return error(400, "bad_field", zh, en, field=name)


def fields(known: tuple[str, ...]) -> Json:
    """The body's object. An unknown key is a mistake that is better told than ignored.

    A POST without fields may come without a body.
    """
    if not request.get_data(cache=True) and not known:
        return {}
    asked = body(half_signs=True)
    for name in asked:
        if name not in known:
            raise wrong_field(_shown(name), "没有这个字段", "there is no such field")
    return asked


def _shown(name: str) -> str:
    """A name from outside, as it can be said again: half a sign of two is no text."""
    return name.encode(errors="replace").decode()[:40]


#: An item's code, as the catalogue may write it.
SERVICE = re.compile(r"[A-Za-z0-9-]{1,16}")


def service(value: object) -> str:
    """The code of an item; whether there is one is the line's affair."""
    if not isinstance(value, str) or not SERVICE.fullmatch(value):
        raise wrong_field("service", "应为事项编号，如 ZW-01", "must be the code of a service, such as ZW-01")
    return value


def choice(asked: Json, name: str, of: tuple[str, ...], default: str) -> str:
    value = asked.get(name, default)
    if not isinstance(value, str) or value not in of:
        raise wrong_field(name, f"应为 {' / '.join(of)}", f"must be one of {', '.join(of)}")
    return value


def moment(asked: Json, name: str) -> int:
    """UTC milliseconds, this century."""
    value = asked.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON knows one kind of number: 424.0 is a whole one
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOMENT_AT_MOST:
        raise wrong_field(name, "应为 UTC 毫秒数", "must be UTC milliseconds")
    return value


#: The year 2100.
MOMENT_AT_MOST = 4_102_444_800_000


def asked_day(default: str) -> str:
    """``?day=2026-11-22``."""
    value = request.args.get("day", default)
    if not is_day(value):
        raise wrong_field("day", "应为 2026-11-22 这样的日期", "must be a date like 2026-11-22")
    return date.fromisoformat(value).isoformat()
