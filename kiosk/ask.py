"""The resident's way to make a request: kind → place → building and door → speak, write or nothing → send.

The whole request is one page (static/ask.js): steps are shown and hidden, so that an error, a restart of the server,
another language or the large text lose nothing that was given, and nothing is kept in the browser beyond it. What may
be asked is not decided here: `rules/requests.py` says it of each kind, and the server refuses the rest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from gateway.hall.meals import MEALS
from kiosk.answers import error
from kiosk.core import Core, current_core
from kiosk.parking import car_park_or_none
from kiosk.rules.requests import (
    FIELD_WORDS,
    FIELDS,
    KINDS,
    LONGEST,
    PLACES,
    PLACES_IN_A_BUILDING,
    Both,
    Kind,
    kinds_of,
    may_ask,
    must_ask,
)
from kiosk.view import asked_view, frame
from kiosk.words_ask import SAYS

blueprint = Blueprint("ask", __name__)
blueprint.context_processor(frame)

#: Elders' mode: choices on one screen, as of the items.
LARGE_CHOICES = 6
#: Days offered for a visit to the health room: two weeks, which is what fits on one screen.
DAYS_OFFERED = 14
#: The page's own blobs: a recording that is played back, nothing from anywhere else.
_BLOBS = {"media-src 'self'": "media-src 'self' blob:", "img-src 'self' data:": "img-src 'self' data: blob:"}
_WEEKDAYS = (("周一", "Mon"), ("周二", "Tue"), ("周三", "Wed"), ("周四", "Thu"), ("周五", "Fri"), ("周六", "Sat"), ("周日", "Sun"))


@dataclass(frozen=True, slots=True)
class Place:
    """One place to choose. ``then``: what is asked after its building: "door" (unit and room), "unit" or ""."""

    place: str
    words: Both
    then: str
    inside: bool

    def say(self, lang: str) -> str:
        return self.words.say(lang)


@dataclass(frozen=True, slots=True)
class About:
    """A kind as its page draws it. ``fields``: ours that its item may ask; ``must``: those it cannot do without."""

    kind: Kind
    category: str
    fields: tuple[str, ...]
    must: tuple[str, ...]
    places: tuple[Place, ...]

    def say(self, lang: str) -> str:
        return self.kind.say(lang)

    @property
    def code(self) -> str:
        return self.kind.code


@dataclass(frozen=True, slots=True)
class First:
    """What is done before anything else. ``own``: a telephone that this hall has written down, and whose it is."""

    words: Both
    dial: tuple[str, ...]
    own: str = ""
    own_name: Both = Both("", "")

    def say(self, lang: str) -> str:
        return self.words.say(lang)


def about(core: Core, kind: Kind) -> About | None:
    """None where the catalogue of this hall has no such item."""
    service = core.catalogue.service(kind.service_code)
    if service is None:
        return None
    asked = service.kiosk_fields
    fields = tuple(name for name in kind.fields if may_ask(asked, name))
    notes = tuple(name for name in ("voice", "drawing") if "words" in fields and may_ask(asked, name))
    must = tuple(name for name in fields if name != "building" and must_ask(kind, asked, name))
    if "building" in fields and not kind.places and must_ask(kind, asked, "building"):
        must += ("building",)
    places = tuple(
        Place(one, PLACES[one], _then(one) if "unit" in fields else "", one in PLACES_IN_A_BUILDING)
        for one in kind.places
    )
    return About(kind, service.category, fields + notes, must, places)


def _then(place: str) -> str:
    return {"home": "door", "stairs": "unit", "lift": "unit"}.get(place, "")


def offered(core: Core, service_code: str = "") -> tuple[About, ...]:
    """What may be asked for here, or of one item; urgent ones first, for who is in a hurry reads no list."""
    kinds = kinds_of(service_code) if service_code else tuple(KINDS.values())
    there = [one for kind in kinds if (one := about(core, kind)) is not None]
    return tuple(there)


def way_in(service_code: str) -> str:
    """Where a request about an item begins: its one kind, or the choice of its kinds; "" for an item without."""
    kinds = kinds_of(service_code)
    if not kinds:
        return ""
    view = asked_view()
    return view.url("ask.kind", kind=kinds[0].code) if len(kinds) == 1 else view.url("ask.kinds", item=service_code)


@blueprint.app_context_processor
def _for_items() -> dict[str, Any]:
    return {"ask_way": way_in}


@blueprint.get("/ask")
def kinds() -> ResponseReturnValue:
    """Which request it is: all kinds, or those of one item (``?item=WY-01``)."""
    core, view = current_core(), asked_view()
    item = request.args.get("item", "")
    there = offered(core, item)
    only = {"item": item} if item and there else {}
    if item and not there:
        there = offered(core)
    pages = ceil(len(there) / LARGE_CHOICES) if view.large else 1
    page = min(max(request.args.get("page", 1, type=int), 1), max(pages, 1))
    shown = there[(page - 1) * LARGE_CHOICES : page * LARGE_CHOICES] if view.large else there
    back = view.url("touch.item", code=item) if only else view.url("touch.home")
    return render_template("ask_kinds.html", kinds=shown, page=page, pages=pages, only=only, back=back)


@blueprint.get("/ask/<kind>")
def kind(kind: str) -> ResponseReturnValue:
    """One request, from its first question to its code."""
    core, view = current_core(), asked_view()
    found = KINDS.get(kind)
    shown = about(core, found) if found is not None else None
    if shown is None:
        return error(404, "unknown_kind", "没有这一种诉求", "There is no such request")
    several = len(kinds_of(shown.kind.service_code)) > 1
    return render_template(
        "ask.html",
        about=shown,
        first=first_of(shown.kind),
        buildings=buildings(core),
        presets=shown.kind.presets,
        several="words" in shown.fields,
        longest=LONGEST,
        field_words=FIELD_WORDS,
        meals=tuple((code, Both(*words)) for code, words in MEALS.items()),
        days=days(core),
        says={name: both[view.lang == "en"] for name, both in SAYS.items()},
        back=view.url("ask.kinds") if several else view.url("touch.item", code=shown.kind.service_code),
    )


@blueprint.after_request
def _may_play_what_it_recorded(response: Response) -> Response:
    """This page alone may hear (the microphone) and show what it has made itself (blobs)."""
    policy = current_app.config["CONTENT_SECURITY_POLICY"]
    for plain, wider in _BLOBS.items():
        policy = policy.replace(plain, wider)
    response.headers["Content-Security-Policy"] = policy
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(self)"
    return response


def first_of(kind: Kind) -> First | None:
    return First(kind.first, kind.dial) if kind.first is not None else None


def buildings(core: Core) -> tuple[tuple[str, str], ...]:
    """The hall's buildings, (Chinese, English), as written on their walls; none: a keypad asks for the number.

    What staff have written down for the hall counts (``content_edits``, subject "hall", field "buildings"); else those
    of the car park's plan. Never a resident's address: who lives where is shown on no screen.
    """
    edited = core.reader().execute(
        "SELECT value FROM content_edits WHERE subject = 'hall' AND field = 'buildings' ORDER BY edit_id DESC LIMIT 1"
    ).fetchone()
    written = json.loads(edited[0]) if edited is not None else None
    if isinstance(written, list) and written:
        return tuple((str(one["zh"]), str(one.get("en") or one["zh"])) for one in written)
    park = car_park_or_none(core)
    places = park.places if park is not None else []
    return tuple(
        (str(one["name_zh"]), str(one["name_en"] or one["name_zh"])) for one in places if one["kind"] == "building"
    )


def days(core: Core) -> tuple[tuple[str, Both], ...]:
    """The days that somebody may wish for, from tomorrow on: (2026-11-23, its words)."""
    today = datetime.fromtimestamp(core.now_ms() / 1000, core.zone).date()
    return tuple((day.isoformat(), _day_words(day)) for day in (today + timedelta(days=n + 1) for n in range(DAYS_OFFERED)))


def _day_words(day: date) -> Both:
    zh, en = _WEEKDAYS[day.weekday()]
    return Both(f"{day.month}月{day.day}日 {zh}", f"{en} {day.day}/{day.month}")
