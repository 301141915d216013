"""The public API: services, tickets, state, and the live stream of hall screens (docs/protocol.md, 4)."""

from __future__ import annotations

import dataclasses
import re
import secrets
import sqlite3
from collections.abc import Iterator
from typing import Any, get_args

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten
from gateway import views
from gateway.hall.bays import UNCLAIMED_ZONE
from kiosk import line, words
from kiosk.answers import body, error, paper_asker, text
from kiosk.catalogue import AS_CONFIRMED, Service
from kiosk.core import Core, current_core
from kiosk.paper import fresh_slip, slip_view
from kiosk.rules.estimate_words import told as told_words
from kiosk.rules.queue import OVER, LaneWhy, Ticket
from kiosk.straight import straight_way
from kiosk.view import SCREEN
from kiosk.windows import windows_now
from kiosk.zones import faces

blueprint = Blueprint("api", __name__)

#: Who asks for a ticket: a screen or a program in the hall; only a word in the journal. Who may *call for help* is
#: narrower (`SCREEN`), because a call rings.
GIVER = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
#: A client's idempotency key: a plain word, so that it may stand in a log line.
KEY = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
#: Why somebody may say of himself that he goes first; "" does not. Staff alone have a word of their own.
LANE_WHYS = tuple(one for one in get_args(LaneWhy) if one != "staff")


# ---------------------------------------------------------------- the catalogue


@blueprint.get("/api/services")
def services() -> Response:
    return jsonify([service_view(one) for one in current_core().catalogue.services])


@blueprint.get("/api/categories")
def categories() -> Response:
    catalogue = current_core().catalogue
    return jsonify(
        [
            {**dataclasses.asdict(one), "services": len(catalogue.services_in(one.id))}
            for one in catalogue.categories
        ]
    )


@blueprint.get("/api/windows")
def windows() -> Response:
    return jsonify(
        [
            {
                "id": one.id,
                "zh": one.zh,
                "en": one.en,
                "number": one.number,
                "open": one.open,
                "confirm_locally": one.confirm_locally,
            }
            for one in windows_now(current_core()).all
        ]
    )


def service_view(service: Service) -> dict[str, Any]:
    """An item as programs read it. What nobody has confirmed is not told as a fact: `AS_CONFIRMED` stands there."""
    view = dataclasses.asdict(service)
    if not service.confirmed("promised"):
        view["time_limit"]["promised"] = {"mode": "local", "value": None, **AS_CONFIRMED}
    if not service.confirmed("fee"):
        view["fee"] = dict(AS_CONFIRMED)
    view["phone"] = service.phone if service.confirmed("phone") else None
    return view


# ---------------------------------------------------------------- tickets


@blueprint.post("/api/tickets")
def take() -> ResponseReturnValue:
    core = current_core()
    asked = body()
    # Our own screens always send a key; who sends none cannot ask for the same ticket again, and gets a new one.
    services, why = asked.get("services", []), asked.get("lane_why", "")
    if not isinstance(services, list) or not all(isinstance(one, str) for one in services):
        return error(
            400, "bad_services", "services 须为事项编号的列表", "services must be a list of service codes"
        )
    if why not in LANE_WHYS:
        return error(400, "bad_lane", "没有这种优先", f"lane_why must be one of {', '.join(LANE_WHYS[1:])}")
    service = services[0] if services and "service" not in asked else text(asked, "service")
    if services and service != services[0]:
        return error(
            400,
            "bad_services",
            "service 须是 services 的第一项",
            "service must be the first of services (or be left out)",
        )
    key = text(asked, "key") if "key" in asked else secrets.token_urlsafe(12)
    lang, screen = asked.get("lang", "zh"), asked.get("screen", "kiosk-1")
    if not KEY.fullmatch(key):
        return error(400, "bad_key", "key 须为 1-64 位字母数字", "key must be 1-64 of A-Z a-z 0-9 _ . : -")
    if lang not in core.house.plan.hall.languages or lang not in ("zh", "en"):
        return error(400, "bad_lang", "lang 须为 zh 或 en", "lang must be zh or en")
    if not isinstance(screen, str) or not GIVER.fullmatch(screen):
        return error(
            400, "bad_screen", "screen 须为 1-32 位 a-z 0-9 _ -", "screen must be 1-32 of a-z 0-9 _ -"
        )
    # A kiosk that names itself is touched by one person at a time; a program may take numbers for many.
    touched = "screen" in asked and SCREEN.fullmatch(screen) is not None
    who, now_ms = paper_asker(asked), core.now_ms()
    taken = line.take_ticket(
        core,
        service,
        key,
        lang,
        screen,
        services=services,
        lane_why=why,
        touched=touched,
        may_print=lambda: core.slip_limit.check(who, now_ms),
    )
    if taken.new:
        core.slip_limit.spend(who, now_ms)
    return jsonify(taken_view(core, taken)), 201 if taken.new else 200


def taken_view(core: Core, taken: line.Taken) -> dict[str, Any]:
    """What whoever took a number sees at once."""
    slip = slip_view(core, taken.ticket.ticket_id) if not taken.new else fresh_slip(taken.slip_id)
    view = ticket_view(core, taken.ticket, taken.ahead, slip)
    # As on the slip, for whoever's slip does not come; None where nothing can be promised.
    told = taken.estimate
    view["wait"] = None if told is None else {lang: told_words(told, lang) for lang in ("zh", "en")}
    if taken.second_touch:
        view["second_touch"] = True
        view["note"] = {lang: words.say("second_touch", lang) for lang in ("zh", "en")}
    return view


@blueprint.get("/api/tickets/<token>")
def one_ticket(token: str) -> ResponseReturnValue:
    core = current_core()
    ticket = line.by_token(core, token)
    if ticket is None:
        return error(404, "unknown_ticket", "没有这张号", "There is no such ticket")
    return jsonify(ticket_view(core, ticket, line.ahead(core, ticket), slip_view(core, ticket.ticket_id)))


def ticket_view(core: Core, ticket: Ticket, ahead: int, slip: dict[str, Any]) -> dict[str, Any]:
    """A ticket as its owner sees it."""
    service = core.catalogue.service(ticket.service_code)
    expired = ticket.state not in OVER and ticket.business_day != line.today(core)
    return {
        "number": ticket.spelled,
        "token": ticket.token,
        "service": ticket.service_code,
        "service_zh": service.name_zh if service is not None else ticket.service_code,
        "service_en": service.name_en if service is not None else ticket.service_code,
        "state": "EXPIRED" if expired else ticket.state,
        "lane_why": ticket.lane_why,
        "ahead": ahead,
        "windows": [
            {"id": one.id, "zh": one.say("zh"), "en": one.say("en"), "open": one.open}
            for one in windows_now(core).windows_for(ticket.service_code)
        ],
        "called_at": _window_view(core, ticket.window_id),
        "taken_ms": ticket.taken_ms,
        "slip": slip,
    }


def _window_view(core: Core, window_id: str | None) -> dict[str, str] | None:
    window = windows_now(core).window(window_id)
    return None if window is None else {"id": window.id, "zh": window.say("zh"), "en": window.say("en")}


# ---------------------------------------------------------------- hall screens


@blueprint.get("/api/state")
def state() -> Response:
    return jsonify(state_view(current_core()))


@blueprint.get("/live")
def live() -> Response:
    core = current_core()
    stream = core.hub.stream("hall")
    # Gathered after listening has begun: what happens in between is told twice rather than never.
    stream.begin_with(_state_now(core))
    stream.go_straight(straight_way(request.environ))
    return Response(stream, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _state_now(core: Core) -> Iterator[tuple[str, dict[str, Any]]]:
    """Gathered while the stream reads it, so that the stream gives its place back if this fails."""
    yield "state", state_view(core)


def state_view(core: Core) -> dict[str, Any]:
    """What any screen in the hall may show: nothing of a person."""
    return {**line.board(core), **zones_view(core), "alarm": core.link.alarm, "now_ms": core.now_ms()}


def zones_view(core: Core) -> dict[str, Any]:
    """What a panel over each zone shows. Without the gateway its last word, marked ``zones_live: false``."""
    heard = core.link.snapshot()
    zones: list[dict[str, Any]] = heard["zones"]
    if not heard["connected"] and not zones:
        try:
            told = views.zones(core.gateway_reader())
            zones = list(faces(core.zone_signs(), told)[0].values())
        except (NotWritten, sqlite3.OperationalError):
            zones = []  # no gateway has ever run here: no zones are known, and the page says so
    # A sensor that nobody has claimed may lie in a drawer: only staff are told of it.
    known = [one for one in zones if one["zone_id"] != UNCLAIMED_ZONE.zone_id]
    return {"zones": known, "zones_live": bool(heard["connected"])}


# ---------------------------------------------------------------- what was asked
