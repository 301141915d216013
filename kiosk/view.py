"""How one screen wants to be shown: its language, its size of text, its position, its name.

These travel in the address (``/item/ZW-01?lang=en&large=1``), never in a cookie: a shared screen must not remember
anything of the last person. What belongs to the screen itself (how large its pixels are, whether it hangs so that only
its lower part can be reached) is kept by the server under its name: `kiosk/calibrations.py`.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from typing import Any

from flask import current_app, request, url_for

from kiosk import calibrations, words
from kiosk.core import current_core

#: The names a screen may have. Few, because anybody on the hall's network may send one: each name holds one open
#: call for help at most (further presses join it), so their number bounds how much a stranger can make ring.
SCREEN = re.compile(r"kiosk-[1-9][0-9]?")


#: What an address says of the way a page is seen; everything else in it says which page it is.
WAYS_TO_SEE = frozenset({"lang", "large", "low", "screen"})


@dataclass(frozen=True, slots=True)
class View:
    """``lang`` is "zh" or "en"; ``large`` is the elders' mode; ``screen`` is the kiosk's name ("kiosk-1").

    ``low``: everything to be touched stands in the lower part of an upright panel, for who sits or is small.
    ``low_by_default``: the screen is always so, unless its address says otherwise.
    """

    lang: str = "zh"
    large: bool = False
    screen: str = "kiosk-1"
    low: bool = False
    low_by_default: bool = False

    def url(self, endpoint: str, **values: object) -> str:
        """The address of another page, seen in the same way."""
        return url_for(endpoint, **{**self._query(), **values})  # type: ignore[arg-type]

    def same(self, *, lang: str = "", large: bool | None = None, low: bool | None = None) -> str:
        """This page in another language, size or position, with all else that its address says."""
        other = replace(
            self,
            lang=lang or self.lang,
            large=self.large if large is None else large,
            low=self.low if low is None else low,
        )
        if request.endpoint is None:  # there is no such page to be seen in another way
            return other.url("touch.home")
        rest = {name: values for name, values in request.args.lists() if name not in WAYS_TO_SEE}
        return other.url(request.endpoint, **{**rest, **(request.view_args or {})})

    def home(self) -> str:
        """Where the next person begins: Chinese, normal size, as the screen hangs."""
        return View(screen=self.screen).url("touch.home")

    def _query(self) -> dict[str, object]:
        query: dict[str, object] = {}
        if self.lang != "zh":
            query["lang"] = self.lang
        if self.large:
            query["large"] = 1
        if self.low != self.low_by_default:
            query["low"] = int(self.low)
        if self.screen != "kiosk-1":
            query["screen"] = self.screen
        return query


def asked_view() -> View:
    """The view that this request's address asks for; what makes no sense is the default."""
    screen = request.args.get("screen", "kiosk-1")
    screen = screen if SCREEN.fullmatch(screen) else "kiosk-1"
    low_by_default = calibrations.is_low(current_core(), screen)
    return View(
        lang="en" if request.args.get("lang") == "en" else "zh",
        large=request.args.get("large") == "1",
        screen=screen,
        low={"1": True, "0": False}.get(request.args.get("low", ""), low_by_default),
        low_by_default=low_by_default,
    )


def frame() -> dict[str, Any]:
    """What every page of the touchscreen needs.

    ``key`` names a help call or ticket of this page view; ``pages`` are the endpoints there are, so that a page may
    offer a way only where it leads somewhere.
    """
    view = asked_view()
    return {
        "v": view,
        "lang": view.lang,
        "pages": current_app.view_functions,
        "key": secrets.token_hex(12),
        "script_words": words.for_script(view.lang),
    }
