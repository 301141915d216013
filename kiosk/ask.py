"""The resident's way to make a request: kind → place → building and door → speak, write or nothing → send.

The whole request is one page (static/ask.js): steps are shown and hidden, so that an error, a restart of the server,
another language or the large text lose nothing that was given, and nothing is kept in the browser beyond it. What may
be asked is not decided here: `rules/requests.py` says it of each kind, and the server refuses the rest.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

import segno
from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway.hall.meals import MEALS
from kiosk import content
from kiosk.answers import error
from kiosk.core import Core, current_core
from kiosk.line.taking import public_url
from kiosk.parking import car_park_or_none
from kiosk.requests.looking import presets_of
from kiosk.rules.request_kinds import ANYWHERE
from kiosk.rules.requests import (
    FIELD_WORDS,
    KINDS,
    LONGEST,
    PLACES,
    PLACES_IN_A_BUILDING,
    Both,
    Kind,
    kinds_of,
    may_ask,
    must_ask,
    read_code,
)
from kiosk.view import asked_view, frame
from kiosk.words_ask import SAYS

blueprint = Blueprint("ask", __name__)
blueprint.context_processor(frame)

#: Elders' mode: choices on one screen, as of the items.
LARGE_CHOICES = 6
#: Days offered for a visit to the health room: two weeks, which is what fits on one screen.
DAYS_OFFERED = 14
GROUPS = {
    "urgent": Both("紧急的事", "Urgent"),
    "repair": Both("报修和投诉", "Repairs and complaints"),
    "community": Both("找社区", "Ask the community"),
}
#: What is written behind the number of a building and of a unit that somebody has typed: staff read Chinese.
DOOR_WORDS = ("栋", "单元")
#: Whose telephone the hall has written down (`Kind.ask_for`).
WHOSE = {
    "gas": Both("燃气抢修", "Gas company"),
    "lift": Both("电梯应急", "Lift hotline"),
    "property": Both("物业值班", "Property office"),
}
#: The page's own blobs: a recording that is played back, nothing from anywhere else.
_BLOBS = {"media-src 'self'": "media-src 'self' blob:", "img-src 'self' data:": "img-src 'self' data: blob:"}
_WEEKDAYS = (
    ("周一", "Mon"), ("周二", "Tue"), ("周三", "Wed"), ("周四", "Thu"), ("周五", "Fri"), ("周六", "Sat"),
    ("周日", "Sun"),
)  # fmt: skip


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
    """What is done before anything else. ``own``: a telephone that this hall has written down, and whose it is.

    ``nobodys``: it is urgent, and there is no number to be shown large: the page says so, and whom one can reach."""

    words: Both
    dial: tuple[str, ...]
    own: str
    own_name: Both
    nobodys: bool

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


@dataclass(frozen=True, slots=True)
class Group:
    """Kinds that stand together: what is urgent, what is out of order, what the community is asked for."""

    id: str
    words: Both
    kinds: tuple[About, ...]


def offered(core: Core, service_code: str = "") -> tuple[Group, ...]:
    """What may be asked for here, or of one item; urgent ones first, for who is in a hurry reads no list."""
    kinds = kinds_of(service_code) if service_code else tuple(KINDS.values())
    there = [one for kind in kinds if (one := about(core, kind)) is not None]
    groups = (
        Group(name, words, tuple(one for one in there if _group(one) == name))
        for name, words in GROUPS.items()
    )
    return tuple(group for group in groups if group.kinds)


def _group(one: About) -> str:
    return "urgent" if one.kind.urgent else "repair" if one.category == "property" else "community"


def way_in(service_code: str) -> str:
    """Where a request about an item begins: its one kind, or the choice of its kinds; "" for an item without."""
    kinds = kinds_of(service_code)
    if not kinds:
        return ""
    view = asked_view()
    return (
        view.url("ask.kind", kind=kinds[0].code)
        if len(kinds) == 1
        else view.url("ask.kinds", item=service_code)
    )


@blueprint.app_context_processor
def _for_items() -> dict[str, Any]:
    return {"ask_way": way_in}


@blueprint.get("/ask")
def kinds() -> str:
    """Which request it is: all kinds, those of one item (``?item=WY-01``) or of one group; elders see six at a time."""
    core, view = current_core(), asked_view()
    item, group_id = request.args.get("item", ""), request.args.get("group", "")
    groups = offered(core, item)
    only = {"item": item} if item and groups else {}
    groups = groups or offered(core)
    if chosen := [one for one in groups if one.id == group_id]:
        groups, only = tuple(chosen), {**only, "group": group_id}
    pages = page = 1
    back = view.url("touch.item", code=item) if "item" in only else view.url("touch.home")
    if view.large and "group" in only:
        back = view.url("ask.kinds", **({"item": item} if "item" in only else {}))
    choose_group = view.large and not only
    if view.large and not choose_group:
        there = [(group, one) for group in groups for one in group.kinds]
        pages = ceil(len(there) / LARGE_CHOICES)
        page = min(max(request.args.get("page", 1, type=int), 1), pages)
        seen = there[(page - 1) * LARGE_CHOICES : page * LARGE_CHOICES]
        groups = tuple(
            replace(group, kinds=tuple(one for of, one in seen if of is group))
            for group in groups
            if any(of is group for of, _ in seen)
        )
    return render_template(
        "ask_kinds.html",
        groups=groups,
        choose_group=choose_group,
        page=page,
        pages=pages,
        only=only,
        back=back,
    )


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
        form=True,
        door_words=DOOR_WORDS,
        about=shown,
        first=first_of(core, shown.kind),
        anywhere=ANYWHERE,
        buildings=buildings(core),
        presets=presets_of(core.reader(), shown.kind),
        longest=LONGEST,
        field_words=FIELD_WORDS,
        meals=tuple((code, Both(*words)) for code, words in MEALS.items()),
        days=days(core),
        qr=bool(core.house.plan.http.base_url),
        says={name: both[view.lang == "en"] for name, both in SAYS.items()},
        back=view.url("ask.kinds") if several else view.url("touch.item", code=shown.kind.service_code),
    )


@blueprint.get("/ask/<code>/qr.svg")
def qr(code: str) -> ResponseReturnValue:
    """The address of a request's progress, for a telephone's camera. Only where telephones can reach this hall.

    Drawn for any code that could be one: whether there is such a request is told by `/progress` alone, which counts
    wrong codes.
    """
    core, read = current_core(), read_code(code)
    if not core.house.plan.http.base_url or not read:
        return error(404, "no_qr", "没有二维码", "There is no such picture")
    drawn = io.BytesIO()
    address = f"{public_url(core).rstrip('/')}{url_for('progress.of', code=read)}?phone=1"
    segno.make(address, error="m").save(
        drawn, kind="svg", border=4, svgns=True, xmldecl=False, nl=False, light="#fff"
    )
    return Response(drawn.getvalue(), mimetype="image/svg+xml")


@blueprint.after_request
def _may_play_what_it_recorded(response: Response) -> Response:
    """This page alone may hear (the microphone) and show what it has made itself (blobs)."""
    policy = current_app.config["CONTENT_SECURITY_POLICY"]
    for plain, wider in _BLOBS.items():
        policy = policy.replace(plain, wider)
    response.headers["Content-Security-Policy"] = policy
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(self)"
    return response


def first_of(core: Core, kind: Kind) -> First | None:
    """What is done first; also where only the hall's own telephone has to be called."""
    if kind.first is None:
        return None
    own = content.phone(core.reader(), kind.ask_for) if kind.urgent and kind.ask_for else ""
    nobodys = kind.urgent and not kind.dial and not own
    return First(kind.first, kind.dial, own, WHOSE.get(kind.ask_for, Both("", "")), nobodys)


def buildings(core: Core) -> tuple[tuple[str, str], ...]:
    """The hall's buildings, (Chinese, English), as written on their walls; none: a keypad asks for the number.

    What staff have written down for the hall counts (``content_edits``, subject "hall", field "buildings"); else those
    of the car park's plan. Never a resident's address: who lives where is shown on no screen.
    """
    written = content.value_now(core.reader(), "hall", "buildings")
    if isinstance(written, list) and written:
        return tuple((str(one["zh"]), str(one.get("en") or one["zh"])) for one in written)
    park = car_park_or_none(core)
    places = park.places if park is not None else []
    return tuple(
        (str(one["name_zh"]), str(one["name_en"] or one["name_zh"]))
        for one in places
        if one["kind"] == "building"
    )


def days(core: Core) -> tuple[tuple[str, Both], ...]:
    """The days that somebody may wish for, from tomorrow on: (2026-11-23, its words)."""
    today = datetime.fromtimestamp(core.now_ms() / 1000, core.zone).date()
    ahead = (today + timedelta(days=n + 1) for n in range(DAYS_OFFERED))
    return tuple((day.isoformat(), _day_words(day)) for day in ahead)


def _day_words(day: date) -> Both:
    zh, en = _WEEKDAYS[day.weekday()]
    return Both(f"{day.month}月{day.day}日 {zh}", f"{en} {day.day}/{day.month}")
