"""``GET /api/v1/openapi.json``: the description of the interface, made from the routes themselves (door.OPERATIONS)."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue

from kiosk.api_v1.door import MOMENT_AT_MOST, OPERATIONS, SERVICE, Described, route
from kiosk.api_v1.queue import CALLED, IN_LINE
from kiosk.appointments import LANE_WHY
from kiosk.rules.scopes import SCOPES

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_MS: Json = {"type": "integer", "description": "UTC milliseconds"}
_MS_OR_NULL: Json = {"type": ["integer", "null"], "description": "UTC milliseconds"}
_TEXT_OR_NULL: Json = {"type": ["string", "null"]}
_STATES = ["WAITING", "CALLED", "SERVING", "HELD", "NO_SHOW", "DONE", "CANCELLED", "EXPIRED"]
_STATE: Json = {"type": "string", "enum": _STATES}
_SERVICE: Json = {"type": "string", "pattern": f"^{SERVICE.pattern}$"}
_DAY: Json = {"type": "string", "format": "date"}


def _object(required: tuple[str, ...] | None = None, /, **properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties if required is None else required),
        "additionalProperties": False,
    }


def _list(name: str) -> Json:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


_IN_LINE_SCHEMAS: dict[str, Json] = {
    "ticket_id": _COUNT,
    "number": _TEXT,
    "service_code": _TEXT,
    "state": _STATE,
    "window_id": _TEXT_OR_NULL,
    "taken_ms": _MS,
    "called_ms": _MS_OR_NULL,
    "calls": _COUNT,
    "lang": {"type": "string", "enum": ["zh", "en"]},
}

SCHEMAS: dict[str, Json] = {
    "Error": _object(
        error={
            "type": "object",
            "properties": {"code": _TEXT, "zh": _TEXT, "en": _TEXT},
            "required": ["code", "zh", "en"],
            "description": "code: for programs; zh and en: for the person in front of it. Some name `field` or `scope`",
        }
    ),
    "TakeTicket": _object(
        ("service",),
        service={**_SERVICE, "examples": ["ZW-01"]},
        lang={"type": "string", "enum": ["zh", "en"], "default": "zh"},
    ),
    "Ticket": _object(
        ticket_id=_COUNT,
        number={"type": "string", "examples": ["B031"]},
        token={"type": "string", "description": "96 random bits: the right to see and cancel this ticket"},
        service=_TEXT,
        state=_STATE,
        ahead={**_COUNT, "description": "people before this one at the windows that serve its item"},
        wait_min={
            "type": ["array", "null"],
            "items": _COUNT,
            "minItems": 2,
            "maxItems": 2,
            "description": "eight in ten wait so many minutes, [from, to]; null where no open window serves the item",
        },
        window_id={**_TEXT_OR_NULL, "description": "null until it is called: bound late"},
        taken_ms=_MS,
        called_ms=_MS_OR_NULL,
        page={"type": "string", "description": "its page for a phone"},
    ),
    "InLine": _object(None, **_IN_LINE_SCHEMAS),
    "CalledNumber": _object(None, **{name: _IN_LINE_SCHEMAS[name] for name in CALLED}),
    "WindowNow": _object(window_id=_TEXT, zh=_TEXT, en=_TEXT, open={"type": "boolean"}, waiting=_COUNT),
    "ServiceNow": _object(
        service=_TEXT, zh=_TEXT, en=_TEXT, open={"type": "boolean", "description": "served now"}, ahead=_COUNT
    ),
    "Queue": _object(
        day=_DAY,
        now_ms=_MS,
        open={"type": "boolean", "description": "the hall is open"},
        opens_ms={**_MS_OR_NULL, "description": "when it opens next; null while it is open or nobody knows"},
        waiting=_COUNT,
        line=_list("InLine"),
        called=_list("CalledNumber"),
        windows=_list("WindowNow"),
        services=_list("ServiceNow"),
    ),
    "Slot": _object(slot_ms=_MS, free=_COUNT),
    "Slots": _object(day=_DAY, service=_TEXT, slots=_list("Slot")),
    "BookAppointment": _object(
        ("service", "slot_ms"),
        service={**_SERVICE, "examples": ["ZW-09"]},
        slot_ms={
            "type": "integer",
            "minimum": 0,
            "maximum": MOMENT_AT_MOST,
            "description": "of `GET /slots`",
        },
        lane_why={"type": "string", "enum": list(LANE_WHY), "default": ""},
        lang={"type": "string", "enum": ["zh", "en"], "default": "zh"},
        paper={"type": "boolean", "default": False, "description": "print a slip with the code in the hall"},
    ),
    "Appointment": _object(
        code={"type": "string", "pattern": "^[2-9A-HJ-NP-Z]{8}$"},
        service=_TEXT,
        day=_DAY,
        slot_ms=_MS,
        state={"type": "string", "enum": ["BOOKED", "ARRIVED", "CANCELLED", "MISSED"]},
        lane_why={"type": "string", "enum": list(LANE_WHY)},
        made_ms=_MS,
    ),
    "Appointments": _object(day=_DAY, appointments=_list("Appointment")),
    "ItemFigures": _object(
        service=_TEXT,
        done=_COUNT,
        no_show=_COUNT,
        cancelled=_COUNT,
        transferred=_COUNT,
        mean_wait_ms={"type": ["integer", "null"]},
        mean_service_ms={"type": ["integer", "null"]},
    ),
    "Figures": _object(day=_DAY, items=_list("ItemFigures")),
    "Description": {"type": "object", "description": "this document"},
}
assert tuple(_IN_LINE_SCHEMAS) == IN_LINE

_PROBLEMS = {
    400: "malformed: the error names the field",
    401: "no token, or one that is not known or has been ended",
    403: "the token lacks the scope",
    404: "there is no such thing",
    409: "a rule says no; nothing was changed",
    413: "the body is larger than 64 KB",
    415: "the body is not JSON",
    422: "the Idempotency-Key was used for another request",
    503: "it could not be written: say it again with the same key",
}


def document() -> Json:
    """The whole description, OpenAPI 3.1."""
    paths: dict[str, Json] = {}
    for one in OPERATIONS.values():
        paths.setdefault(f"/api/v1{one.path}", {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Linli 邻里",
            "version": "1",
            "summary": "The line of a community service hall, for other programs",
            "description": "Errors have one shape. Every POST carries an `Idempotency-Key`: the same key with the same "
            "body has the same answer for a day (header `Idempotent-Replayed: true`), with another body 422.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made in the console. Scopes: "
                    + "; ".join(f"`{name}` {words[1]}" for name, words in SCOPES.items()),
                }
            },
        },
    }


def _operation(one: Described) -> Json:
    told: Json = {
        "operationId": one.name,
        "summary": one.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": schema}
            for name, schema in one.parts.items()
        ],
        "responses": {
            **{str(status): _says("as asked", schema) for status, schema in one.answers.items()},
            **{str(status): _says(_PROBLEMS[status], "Error") for status in _problems(one)},
        },
    }
    if one.about or one.scope:
        scope = f"Scope `{one.scope}`. " if one.scope else ""
        told["description"] = f"{scope}{one.about}".strip()
    if not one.scope:
        told["security"] = []
    for name, schema in one.query.items():
        plain = {key: value for key, value in schema.items() if key != "required"}
        told["parameters"].append(
            {"name": name, "in": "query", "required": schema.get("required", False), "schema": plain}
        )
    if one.method == "POST":
        told["parameters"].append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"},
            }
        )
    if one.body:
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{one.body}"}}},
        }
    return told


def _problems(one: Described) -> list[int]:
    if not one.scope:
        return []
    found = [400, 401, 403, 503]
    if one.parts or "service" in one.query or one.body:
        found.append(404)
    if one.method == "POST":
        found += [409, 413, 415, 422]
    elif "service" in one.query:
        found.append(409)
    return sorted(found)


def _says(words: str, schema: str) -> Json:
    return {
        "description": words,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


@route("GET", "/openapi.json", "", "This description", {200: "Description"})
def read_openapi() -> ResponseReturnValue:
    return document()
