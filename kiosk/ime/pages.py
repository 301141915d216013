"""``/api/ime?q=loushui``: the candidates of the keyboard in the page (docs/protocol.md, 10)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator

from flask import Blueprint, Flask, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten
from kiosk.answers import error
from kiosk.core import Core, current_core
from kiosk.ime.dictionary import Dictionary
from kiosk.ime.words import Ime

blueprint = Blueprint("ime", __name__)

LETTERS_AT_MOST = 40
#: How often the hall's names are read anew: staff edit windows and places some times a year.
RENEW_MS = 300_000
_SHELF = "linli_ime"
_HANZI = re.compile(r"[\u4e00-\u9fff]+")


class _Shelf:
    def __init__(self) -> None:
        self.ime: Ime | None = None
        self.renewed_ms = 0


def begin(app: Flask) -> None:
    """What this room keeps for a hall (kiosk/app.py)."""
    app.extensions[_SHELF] = _Shelf()


def current_ime() -> Ime:
    """The words of this kiosk; its own names are at most `RENEW_MS` old."""
    core, shelf = current_core(), current_app.extensions[_SHELF]
    assert isinstance(shelf, _Shelf)
    now_ms = core.now_ms()
    if shelf.ime is None:
        shelf.ime, shelf.renewed_ms = Ime(lambda dictionary: names(core, dictionary)), now_ms
    elif not 0 <= now_ms - shelf.renewed_ms < RENEW_MS:
        shelf.renewed_ms = now_ms
        shelf.ime.renew()
    return shelf.ime


@blueprint.get("/api/ime")
def ime() -> ResponseReturnValue:
    letters = request.args.get("q", "").lower().replace("'", "").replace("ü", "v")
    if not re.fullmatch(f"[a-z]{{1,{LETTERS_AT_MOST}}}", letters):
        return error(
            400,
            "bad_letters",
            f"q 要 1 到 {LETTERS_AT_MOST} 个拼音字母（a 到 z）",
            f"q needs 1 to {LETTERS_AT_MOST} letters of pinyin (a to z)",
        )
    found = [{"text": one.text, "used": one.used} for one in current_ime().candidates(letters)]
    return jsonify({"q": letters, "candidates": found})


def names(core: Core, dictionary: Dictionary | None) -> Iterator[tuple[str, Iterable[str]]]:
    """The hall's own names with their syllables. Never a person's: a screen for everybody offers what it knows."""
    for service in core.catalogue.services:
        for alias in service.aliases:
            yield alias.zh, alias.pinyin.split()
        yield service.name_zh, service.pinyin.split()
    if dictionary is None:
        return
    plain = [core.house.plan.hall.name_zh, *(one.zh for one in core.catalogue.windows)]
    plain += [one.zh for one in core.catalogue.categories] + _asked(core)
    for text in plain:
        for name in _HANZI.findall(text):
            if syllables := dictionary.read(name):
                yield name, syllables


def _asked(core: Core) -> list[str]:
    """Windows as staff call them, and the places of the car park's plan; those that cannot be read are left out."""
    found: list[str] = []
    for reader, question in (
        (core.reader, "SELECT name_zh FROM windows"),
        (core.reader, "SELECT place_zh FROM screens"),
        (core.gateway_reader, "SELECT name_zh FROM parking_places"),
    ):
        try:
            found += [str(name) for (name,) in reader().execute(question)]
        except (NotWritten, sqlite3.Error):
            continue  # no such notebook yet: the keyboard works without
    return found
