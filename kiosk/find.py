"""Finding an item by a few letters: the page ``/find`` (it works without script, too) and ``/api/find``.

The names are the catalogue's; how near a query is to one is told by kiosk/rules/find.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, current_app, jsonify, redirect, render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from kiosk.catalogue import Catalogue, Service
from kiosk.core import current_core
from kiosk.rules.find import SIGNS_AT_MOST, Asked, FindIndex, asked
from kiosk.view import frame

blueprint = Blueprint("find", __name__)

#: Everyday things (漏水 …) for who does not know what to type; in English the words that find the same item.
EXAMPLES = (
    ("漏水", "leaks"),
    ("老年证", "senior card"),
    ("低保", "dibao"),
    ("开证明", "certificates"),
    ("医保", "medical insurance"),
    ("物业费", "property fees"),
)
_SHELF = "linli_find"


@dataclass(frozen=True, slots=True)
class Tile:
    """An item that was found; ``by`` is the name by which."""

    service: Service
    by: str

    def also(self, lang: str) -> str:
        """The everyday name to be shown beside the item's own; "" where it says nothing new."""
        return "" if lang == "en" or self.by == self.service.name_zh else self.by


@dataclass(frozen=True, slots=True)
class Example:
    zh: str
    en: str
    service: Service

    def say(self, lang: str) -> str:
        return self.en if lang == "en" else self.zh


class _Shelf:
    """The index of the catalogue as it is; made anew when the catalogue is another one."""

    def __init__(self) -> None:
        self._made: tuple[Catalogue, FindIndex] | None = None

    def index(self, catalogue: Catalogue) -> FindIndex:
        made = self._made
        if made is None or made[0] is not catalogue:
            made = self._made = (catalogue, FindIndex(catalogue.services))
        return made[1]


@blueprint.record_once
def _begin(state: BlueprintSetupState) -> None:
    state.app.extensions[_SHELF] = _Shelf()


def found_now(query: Asked) -> list[Tile]:
    """The items that are found, the nearest first."""
    catalogue = current_core().catalogue
    shelf = current_app.extensions[_SHELF]
    assert isinstance(shelf, _Shelf)
    tiles = []
    for one in shelf.index(catalogue).find(query.text):
        service = catalogue.service(one.code)
        assert service is not None, "the index is made of this catalogue"
        tiles.append(Tile(service, one.by))
    return tiles


@blueprint.get("/find")
def page() -> ResponseReturnValue:
    seen, query = frame(), asked(request.args.get("q", ""))
    if query.cut:
        # The page's own links carry its address: a megabyte must not be in each of them.
        return redirect(seen["v"].url("find.page", q=query.text, cut=1))
    return render_template(
        "find.html",
        **seen,
        asked=query,
        cut="cut" in request.args,
        at_most=SIGNS_AT_MOST,
        found=found_now(query) if query.text else [],
        examples=[] if query.text else _examples(),
        seen_by=parse_qsl(urlsplit(seen["v"].url("find.page")).query),
    )


def _examples() -> list[Example]:
    """The examples that lead somewhere: a community may have other items."""
    tiles = [(zh, en, found_now(asked(zh))) for zh, en in EXAMPLES]
    return [Example(zh, en, found[0].service) for zh, en, found in tiles if found]


@blueprint.get("/api/find")
def find() -> ResponseReturnValue:
    query = asked(request.args.get("q", ""))
    found = [
        {
            "code": one.service.code,
            "name_zh": one.service.name_zh,
            "name_en": one.service.name_en,
            "category": one.service.category,
            "needs_ticket": one.service.needs_ticket,
            "by": one.by,
        }
        for one in (found_now(query) if query.text else [])
    ]
    return jsonify({"found": found})
