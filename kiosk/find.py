"""Finding an item by a few letters: the page ``/find`` (it works without script, too) and ``/api/find``.

The names are the catalogue's; how near a query is to one is told by kiosk/rules/find.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Flask, current_app, jsonify, redirect, render_template, request
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
#: Everyday English for items, as the catalogue has everyday Chinese: a code that is not there is no harm.
EVERYDAY_ENGLISH = {
    "DW-04": "pay dues",
    "ZW-01": "poor poverty benefit welfare",
    "ZW-03": "disabled wheelchair",
    "ZW-04": "elderly old age bus card discount",
    "ZW-05": "retirement social security",
    "ZW-06": "health hospital doctor",
    "ZW-07": "job work unemployed",
    "ZW-08": "flat rent house apartment",
    "ZW-09": "baby birth child",
    "ZW-11": "soldier army",
    "ZW-12": "stamp proof letter",
    "ZW-13": "lawyer quarrel dispute",
    "ZW-14": "blood pressure sugar doctor",
    "ZW-15": "lunch food canteen dinner",
    "ZW-16": "complaint complain suggestion",
    "WY-01": "water pipe tap drain lamp broken",
    "WY-02": "elevator stuck trapped",
    "WY-03": "loud dog barking music",
    "WY-04": "car gate key door",
    "WY-05": "decorate decoration",
    "WY-06": "invoice bill",
    "WY-08": "garbage trash rubbish smoke fire escape",
}
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
            made = self._made = (catalogue, FindIndex(catalogue.services, english=EVERYDAY_ENGLISH))
        return made[1]


def begin(app: Flask) -> None:
    """What this room keeps for a hall (kiosk/app.py)."""
    app.extensions[_SHELF] = _Shelf()


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
