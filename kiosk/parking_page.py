"""The residents' parking page: the map, and the nearest free bay to where somebody is going.

Every choice is an address (``/parking?to=b3&who=visitor``), so the page works without a script, and nothing of the last
person stays. The scripts only keep the picture true and its letters large enough (static/parking.js, parking_fit.js).

Elders see one question at a time, at most six choices (``step=``): how many bays are free; where to; who I am; the
answer; the map. Their map has no choices of its own: each of them is a button beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil
from typing import Any

from flask import render_template, request

from gateway.hall.parking_rows import BAY_KINDS
from kiosk import words
from kiosk.api import zones_view
from kiosk.core import Core
from kiosk.parking import (
    KIND_SIGNS,
    STATES,
    CarPark,
    Map,
    asked_for,
    car_park_or_none,
    clock_words,
    map_of,
    nearest_to,
)
from kiosk.rules.nearest import WHO, Found
from kiosk.view import asked_view

Json = dict[str, Any]

#: Elders' mode: choices on one screen, as of the items. On the map's page one of them is the whole map.
LARGE_CHOICES = 6


def parking_page(core: Core) -> str:
    """The page as it was asked for."""
    view, lang = asked_view(), asked_view().lang
    park = car_park_or_none(core)
    shown, outlook = zones_view(core), core.outlooks.lines()
    filled: Json = {**shown, "outlook": outlook, "map": None, "answer": None, "as_of": "", "asked": {}}
    if park is not None:
        who = request.args.get("who", "")
        who = who if who in WHO else "visitor"
        place = next((one for one in park.places if one["place_id"] == request.args.get("to")), None)
        zone_id = request.args.get("zone", "")
        found = nearest_to(park, place, who) if place is not None else None
        asked = {
            **({"to": place["place_id"]} if place is not None else {}),
            **({"who": who} if who != "visitor" else {}),
        }
        picture = map_of(park, lang, zone_id=zone_id, place=place, found=found)
        filled |= {
            "map": picture,
            "map_label": words.say("map_label", lang, **park.counts),
            "as_of": clock_words(core, park.as_of_ms) if park.as_of_ms else "",
            "asked": asked,
            "zone_id": zone_id if picture is not None and picture.zone_id else "",
            "who": who,
            "whos": [(one, _who_words(one, lang)) for one in asked_for(park)],
            "goals": sorted((one for one in park.places if one["kind"] != "gate"), key=_by_number),
            "answer": _answer(park, place, found, who, lang, outlook) if place is not None else None,
            "shown_kinds": _kinds(park),
            "kind_names": {kind: pair[lang == "en"] for kind, pair in BAY_KINDS.items()},
            "signs": {kind: pair[lang == "en"] for kind, pair in KIND_SIGNS.items()},
        }
    if view.large:
        filled |= _step(filled)
    return render_template(
        "parking_large.html" if view.large else "parking.html",
        states={name: words.say(name, lang) for name in STATES},
        way=lambda **more: view.url("touch.parking", **{k: v for k, v in more.items() if v}),
        **filled,
    )


def _step(filled: Json) -> Json:
    """Which of the elders' pages this is, and the choices on it: "", "to", "who", "answer" or "map".

    An address that asks for what there is not (a map where nobody has drawn a plan) is the first page.
    """
    picture: Map | None = filled["map"]
    step, choices = request.args.get("step", ""), []
    if picture is None or (step == "to" and not filled["goals"]) or step not in ("", "to", "who", "map"):
        step = ""
    if picture is not None and not step:
        step = "answer" if filled["answer"] is not None else "map" if filled["zone_id"] else ""
    most = LARGE_CHOICES
    if step == "to":
        choices = filled["goals"]
    elif step == "map" and picture is not None and len(picture.picture.zones) > 1:
        choices, most = [zone for zone, _ in picture.picture.zones], LARGE_CHOICES - 1
    pages = max(1, ceil(len(choices) / most))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    shown = choices[(page - 1) * most : page * most]
    return {"step": step, "choices": shown, "page": page, "numbered": pages if pages > 1 else 0}


def _answer(
    park: CarPark,
    place: Json,
    found: Found | None,
    who: str,
    lang: str,
    outlook: Mapping[str, Mapping[str, str]],
) -> Json:
    """What the page says of the nearest bay, in words that a screen reader reads as they stand."""
    if not park.live:
        title, more = words.say("near_away", lang), words.say("near_away_more", lang)
        return {"found": False, "title": title, "more": more, "bay_id": ""}
    if found is None:
        title, more = words.say("near_none", lang), words.say("near_none_more", lang)
        return {"found": False, "title": title, "more": more, "bay_id": ""}
    zone = next(one for one in park.zones if one["zone_id"] == found.zone_id)
    bay = next(one for one in park.bays if one["bay_id"] == found.bay_id)
    missing = words.say("near_other_disabled", lang) if who == "disabled" else ""
    soon = outlook.get(found.zone_id)
    return {
        "found": True,
        "title": words.say("near_title", lang, place=_name(place, lang)),
        "bay": words.say("near_bay", lang, zone=_name(zone, lang), bay=bay["label"] or bay["bay_id"]),
        "far": words.say("near_far", lang, n=found.metres),
        "more": words.say("near_on_map", lang),
        "soon": words.say("near_full_at", lang, outlook=soon[lang])
        if soon and zone["level"] != "full"
        else "",
        "other": "" if found.fitting else missing,
        "bay_id": found.bay_id,
    }


def _by_number(one: Json) -> list[str | int]:
    """As people look for a building: 2栋 before 10栋."""
    parts = re.split(r"([0-9]{1,9})", str(one["name_zh"]))
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def _name(one: Json, lang: str) -> str:
    return str(one["name_en"] if lang == "en" else one["name_zh"])


def _who_words(who: str, lang: str) -> str:
    return {
        "visitor": words.say("who_visitor", lang),
        "resident": words.say("who_resident", lang),
        "disabled": words.say("who_disabled", lang),
        "charging": words.say("who_charging", lang),
    }[who]


def _kinds(park: CarPark) -> list[str]:
    """Kinds of bays on the plan that bear a sign of their own, in the order of their table."""
    there = {one["kind"] for one in park.bays if one["drawn"]}
    return [kind for kind in BAY_KINDS if kind in there and kind != "general"]
