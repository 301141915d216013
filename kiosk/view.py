"""How one screen wants to be shown: its language, its size of text, its name.

These travel in the address (``/item/ZW-01?lang=en&large=1``), never in a cookie: a shared screen must not remember
anything of the last person.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from typing import Any

from flask import request, url_for

from kiosk import words

#: The names a screen may have. Few, because anybody on the hall's network may send one: each name holds one open
#: call for help at most (further presses join it), so their number bounds how much a stranger can make ring.
SCREEN = re.compile(r"kiosk-[1-9][0-9]?")


@dataclass(frozen=True, slots=True)
class View:
    """``lang`` is "zh" or "en"; ``large`` is the elders' mode; ``screen`` is the kiosk's name ("kiosk-1")."""

    lang: str = "zh"
    large: bool = False
    screen: str = "kiosk-1"

    def url(self, endpoint: str, **values: object) -> str:
        """The address of another page, seen in the same way."""
        return url_for(endpoint, **{**self._query(), **values})  # type: ignore[arg-type]

    def same(self, *, lang: str = "", large: bool | None = None) -> str:
        """This page in another language or size; what is looked for (``q``) stays."""
        kept = {"q": request.args["q"][:100]} if request.args.get("q") else {}
        other = replace(self, lang=lang or self.lang, large=self.large if large is None else large)
        return other.url(request.endpoint or "touch.home", **{**kept, **(request.view_args or {})})

    def _query(self) -> dict[str, object]:
        query: dict[str, object] = {}
        if self.lang != "zh":
            query["lang"] = self.lang
        if self.large:
            query["large"] = 1
        if self.screen != "kiosk-1":
            query["screen"] = self.screen
        return query


def asked_view() -> View:
    """The view that this request's address asks for; what makes no sense is the default."""
    screen = request.args.get("screen", "kiosk-1")
    return View(
        lang="en" if request.args.get("lang") == "en" else "zh",
        large=request.args.get("large") == "1",
        screen=screen if SCREEN.fullmatch(screen) else "kiosk-1",
    )


def frame() -> dict[str, Any]:
    """What every page of the touchscreen needs. ``key`` names a help call or ticket of this page view."""
    view = asked_view()
    return {
        "v": view,
        "lang": view.lang,
        "key": secrets.token_hex(12),
        "script_words": words.for_script(view.lang),
    }
