"""Screens read aloud, offline: which texts are ours to say, and their sound.

The browser sends what stands on its screen, text by text in reading order, and is told each sentence's address. Only
words of our own are spoken: those of the catalogue, of our tables of words and of the windows, and those that stand on
the page at the address that it names, as *we* render it. So nobody on the hall's network can fill the disk or have the
screen say his own sentences, and what a person typed is neither spoken nor kept.
Does not belong here: how a text is said (``rules/reading.py``), what makes the sound (``voice/reader.py``).
"""

from __future__ import annotations

import html
import sqlite3
from collections.abc import Iterable, Iterator
from functools import cached_property

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.test import EnvironBuilder

from devices.faults import LinliFault, NotWritten
from kiosk import words
from kiosk.answers import body, error
from kiosk.catalogue import AS_CONFIRMED, Catalogue
from kiosk.core import Core, current_core
from kiosk.rules import voice_policy
from kiosk.rules.reading import Sentence, sentences, words_of
from kiosk.voice.reader import CannotRead
from kiosk.windows import windows_now

blueprint = Blueprint("aloud", __name__)

#: A screen has some sixty texts; the home page with its 31 items has seventy.
TEXTS_AT_MOST = 160
SIGNS_AT_MOST = 12_000
#: Pages of the hall's screens are read; what has another first word in its endpoint is no such page.
NOT_READ = frozenset(
    {
        "console",
        "api",
        "static",
        "demo",
        "voice",
        "health",
        "metrics",
        "aloud",
        "ingest",
        "open_data",
        "api_v1",
    }
)
#: What rules put together in Python beside the tables of words (rules/estimate_words.py).
_PUT_TOGETHER = "马上就到 约 分钟 以内 小时以上 到 any moment now more than hours about within min to"


@blueprint.post("/api/read")
def read() -> ResponseReturnValue:
    """``{"page": "/item/ZW-01?lang=en", "lang": "en", "texts": ["Bring: …", …]}`` → for each text the addresses of its
    sentences ([] where it is not ours to say), how loud the hall wants it, and whether it wants silence now."""
    core = current_core()
    asked = body()
    lang, texts, page = asked.get("lang"), asked.get("texts"), asked.get("page", "/")
    if (
        lang not in ("zh", "en")
        or not isinstance(page, str)
        or not isinstance(texts, list)
        or not all(isinstance(one, str) for one in texts)
        or len(texts) > TEXTS_AT_MOST
        or sum(map(len, texts)) > SIGNS_AT_MOST
    ):
        raise BadRequest()
    ours = _Ours(core, page)
    groups = groups_of(core.catalogue, lang)
    said = [
        [f"/read/{core.reading.know(one)}.wav" for one in sentences(text, lang, groups)]
        if ours.has(text)
        else []
        for text in texts
    ]
    policy = core.voice.policy()
    # As a recording is made quieter (voice/sound.py): the ear hears loudness as a power.
    volume = (policy.volume / 100) ** 2
    silent = core.house.plan.voice.by == "off" or voice_policy.is_quiet(core.voice.minute(), policy)
    return jsonify(said=said, volume=round(volume, 4), quiet=silent)


@blueprint.get("/read/<name>.wav")
def wav(name: str) -> ResponseReturnValue:
    try:
        sound = current_core().reading.wav(name)
    except CannotRead as wrong:
        answer = current_app.make_response(
            error(
                503,
                f"reading_{wrong.kind}",
                "现在读不出来：请安装 espeak-ng 或稍后再试",
                f"It cannot be read now: {wrong}",
            )
        )
        answer.headers["Retry-After"] = "1"
        return answer
    if sound is None:
        return error(
            404, "unknown_sentence", "没有这一句，请再按一次朗读", "No such sentence: press Read aloud again"
        )
    return Response(sound, mimetype="audio/wav").make_conditional(
        request.environ, accept_ranges=True, complete_length=len(sound)
    )


def groups_of(catalogue: Catalogue, lang: str) -> dict[str, str]:
    """A ticket's letter → what is said for it: an ear does not tell B from D (rules/calling_words.py)."""
    return {one.ticket_prefix: one.en if lang == "en" else one.zh for one in catalogue.categories}


def standing_texts(core: Core) -> Iterator[Sentence]:
    """What will be read sooner or later, as sentences, the first screens first: made before anybody asks."""
    catalogue = core.catalogue
    for lang in ("zh", "en"):
        groups = groups_of(catalogue, lang)
        yield from _each((texts[lang == "en"] for texts in words.TABLE.values()), lang, groups)
        yield from _each((one.en if lang == "en" else one.zh for one in catalogue.categories), lang, groups)
        yield from _each((one.say("name", lang) for one in catalogue.services), lang, groups)
    for lang in ("zh", "en"):
        groups = groups_of(catalogue, lang)
        for service in catalogue.services:
            for name in ("desc", "who", "agent_note", "result", "note"):
                yield from _each([service.say(name, lang)], lang, groups)
            texts = [
                *service.materials,
                *service.steps,
                service.time_limit.statutory,
                service.time_limit.promised,
            ]
            texts += [one for one in (service.urgent, service.season) if one is not None]
            yield from _each((one.say(lang) for one in texts), lang, groups)
            yield from _each((service.told(one, lang) for one in ("promised", "fee", "window")), lang, groups)


def _each(texts: Iterable[str], lang: str, groups: dict[str, str]) -> Iterator[Sentence]:
    for text in texts:
        # A gap is filled with a number when it is said; the words around it are the same.
        yield from sentences(text.split("{")[0] if "{" in text else text, lang, groups)


class _Ours:
    """Which words are ours: the standing ones first, and only where one is missing the page itself is looked at."""

    def __init__(self, core: Core, page: str) -> None:
        self._core = core
        self._page = page

    def has(self, text: str) -> bool:
        runs = words_of(text)
        return all(run in self._standing or run in self._of_page for run in runs)

    @cached_property
    def _standing(self) -> str:
        core = self._core
        told = [*(f"{zh} {en}" for zh, en in words.TABLE.values()), *AS_CONFIRMED.values(), _PUT_TOGETHER]
        for one in core.catalogue.services:
            told += [one.name_zh, one.name_en]
        told += [f"{one.zh} {one.en}" for one in core.catalogue.categories]
        told += [f"{one.name_zh} {one.name_en}" for one in core.house.plan.printers]
        try:
            told += [f"{one.say('zh')} {one.say('en')}" for one in windows_now(core).all]
        except (NotWritten, sqlite3.Error):
            pass  # what stands on the page is still ours
        return " ".join(told)

    @cached_property
    def _of_page(self) -> str:
        """The page that stands at that address, as we would render it now; "" where there is none to be read."""
        if not self._page.startswith("/") or self._page.startswith("//"):
            return ""
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        path, _, query = self._page.partition("?")
        environ = EnvironBuilder(path, query_string=query, headers=[("Accept", "text/html")]).get_environ()
        try:
            with app.request_context(environ):
                if request.endpoint is None or request.endpoint.partition(".")[0] in NOT_READ:
                    return ""
                answer: Response = app.full_dispatch_request()
                if answer.status_code != 200 or answer.mimetype != "text/html":
                    answer.close()
                    return ""
                return html.unescape(answer.get_data(as_text=True))
        except (HTTPException, RequestRedirect, LinliFault, sqlite3.Error):
            return ""
