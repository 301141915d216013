"""The car park as open data, for a city's platform: NGSI-LD and NGSI v2, reading only. Off unless hall.toml says on.

``GET /ngsi-ld/v1/entities?type=ParkingSpot`` (``id``, ``limit``, ``offset``, ``count``, ``options=keyValues``),
``GET /ngsi-ld/v1/entities/<id>``, and ``GET /api/parking/ngsi`` with the same questions in NGSI v2. What is told of a
bay is written in gateway.db already; where gateway.db cannot be read the answer is 503 and never an old picture.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass

from flask import Blueprint, Response, current_app, json, request
from flask.typing import ResponseReturnValue

from devices.clock import mono_s
from devices.faults import NotWritten
from gateway import views_parking
from gateway.hall import showing
from kiosk.core import Core, current_core
from kiosk.rules import ngsi
from kiosk.rules.ngsi import CONTEXT, Entity, Json

blueprint = Blueprint("open_data", __name__)

#: Entities of an answer, where nobody says how many; and at most.
LIMIT, LIMIT_AT_MOST = 20, 1000
#: A picture of all bays is used for so long: 2,000 bays are read once, however many ask.
FRESH_S = 1.0
#: What a whole-site feed said longer ago is not known any more, as on a panel (docs/protocol.md, section 9).
FEED_FRESH_MS = 15 * 60_000
_ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"


@dataclass(slots=True)
class _Kept:
    """The newest picture, and when it was read."""

    lock: threading.Lock
    found: list[Entity]
    at_s: float = float("-inf")


class _Asked(Exception):
    """A question that cannot be answered: status, NGSI's word for it, why."""

    def __init__(self, status: int, kind: str, why: str) -> None:
        super().__init__(why)
        self.status, self.kind = status, kind


@blueprint.get("/ngsi-ld/v1/entities")
def linked_entities() -> ResponseReturnValue:
    try:
        if not (request.args.get("type") or request.args.get("id")):
            raise _Asked(400, "BadRequestData", "say which: type=ParkingSpot, type=OffStreetParking or id=urn:…")
        found, total = _page(_chosen())
        short = _options() == "keyValues"
    except _Asked as wrong:
        return _refused(wrong)
    answer = _linked([dict(one.values) if short else ngsi.linked(one) for one in found])
    if request.args.get("count") == "true":
        answer.headers["NGSILD-Results-Count"] = str(total)
    return answer


@blueprint.get("/ngsi-ld/v1/entities/<path:entity_id>")
def linked_entity(entity_id: str) -> ResponseReturnValue:
    try:
        short = _options() == "keyValues"
        one = next((one for one in _picture() if one.id == entity_id), None)
        if one is None:
            raise _Asked(404, "ResourceNotFound", f"there is no {entity_id}, or its site has no latitude and longitude")
    except _Asked as wrong:
        return _refused(wrong)
    return _linked(dict(one.values) if short else ngsi.linked(one))


@blueprint.get("/api/parking/ngsi")
def second_version() -> ResponseReturnValue:
    """NGSI v2; without a type all entities."""
    try:
        found, total = _page(_chosen())
        short = _options() == "keyValues"
    except _Asked as wrong:
        return _open(Response(_json({"error": wrong.kind, "description": str(wrong)}), wrong.status))
    answer = Response(_json([one.values if short else ngsi.version_2(one) for one in found]))
    answer.headers["Fiware-Total-Count"] = str(total)
    return _open(answer)


def _picture() -> list[Entity]:
    """:raises _Asked: gateway.db cannot be read."""
    kept: _Kept = current_app.extensions.setdefault("linli.open_data", _Kept(threading.Lock(), []))
    with kept.lock:
        if mono_s() - kept.at_s > FRESH_S:
            try:
                kept.found = _read(current_core())
            except (NotWritten, sqlite3.Error) as wrong:
                raise _Asked(503, "InternalError", f"the car park cannot be read just now: {wrong}") from wrong
            kept.at_s = mono_s()
        return kept.found


def _read(core: Core) -> list[Entity]:
    reader = core.gateway_reader()
    reader.execute("BEGIN")
    try:
        state = views_parking.known(reader)
        health = dict(reader.execute("SELECT device_id, health FROM devices WHERE kind = 'site_feed'").fetchall())
    finally:
        reader.execute("COMMIT")
    wrong = showing.impossible(state)
    sites: list[Json] = [dict(site) for site in views_parking.sites(state)]
    for site in sites:
        heard = health.get(str(site["feed"])) not in (None, "silent", "offline")
        said = site["said"]
        said_ms = int(said["at_ms"]) if said is not None else 0
        possible = f"site:{site['site_id']}" not in wrong and not (said and said["fault"])
        site["said_heard"] = heard and possible and core.now_ms() - said_ms <= FEED_FRESH_MS
    bays: list[Json] = [dict(bay) for bay in views_parking.bays(state)]
    return ngsi.entities(core.house.plan.open_data.hall, sites, bays)


def _chosen() -> list[Entity]:
    kinds = [one for one in request.args.get("type", "").split(",") if one]
    ids = [one for one in request.args.get("id", "").split(",") if one]
    return [
        one for one in _picture() if (not kinds or one.type in kinds) and (not ids or one.id in ids)
    ]


def _page(found: list[Entity]) -> tuple[list[Entity], int]:
    limit, offset = _number("limit", LIMIT), _number("offset", 0)
    if limit > LIMIT_AT_MOST:
        raise _Asked(400, "BadRequestData", f"limit: at most {LIMIT_AT_MOST}")
    return found[offset : offset + limit], len(found)


def _number(name: str, otherwise: int) -> int:
    said = request.args.get(name, "")
    if not said:
        return otherwise
    if not (said.isascii() and said.isdigit() and len(said) <= 9):
        raise _Asked(400, "BadRequestData", f"{name}: a whole number from 0")
    return int(said)


def _options() -> str:
    """ "keyValues" or "normalized"; "count" of NGSI v2 is always answered."""
    said = [one for one in request.args.get("options", "").split(",") if one not in ("", "count")]
    if said not in ([], ["keyValues"], ["normalized"]):
        raise _Asked(400, "BadRequestData", "options: keyValues or normalized")
    return said[0] if said else "normalized"


# ---------------------------------------------------------------- answers


def _linked(body: Json | list[Json]) -> Response:
    """JSON-LD with its context in it, or JSON with a link to it, as the asker accepts."""
    best = request.accept_mimetypes.best_match(["application/json", "application/ld+json"], "application/json")
    if best == "application/ld+json":
        for one in body if isinstance(body, list) else [body]:
            one["@context"] = list(CONTEXT)
        return _open(Response(_json(body), mimetype=best))
    answer = _open(Response(_json(body)))
    link = f'<{CONTEXT[1]}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
    answer.headers["Link"] = link
    return answer


def _refused(wrong: _Asked) -> Response:
    body = {"type": _ERRORS + wrong.kind, "title": wrong.kind, "detail": str(wrong)}
    return _open(Response(_json(body), wrong.status))


def _open(answer: Response) -> Response:
    """Anybody's page may read it: there is nothing of a person in it, and no cookie opens more."""
    if answer.mimetype == "text/html":
        answer.mimetype = "application/json"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
