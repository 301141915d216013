"""Search over everything: a page that works without a script, and the same as JSON."""

from __future__ import annotations

from itertools import groupby

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from kiosk.console import blueprint, care, door, searching
from kiosk.core import current_core


@blueprint.get("/search")
@door.allow("admin", "staff")
def search() -> ResponseReturnValue:
    text = searching.asked_words(request.args.get("q", ""))
    hits, unread = searching.search(current_core(), text, door.me().role == "admin")
    groups = [(kind, list(mine)) for kind, mine in groupby(hits, key=lambda one: one.kind)]
    return care.page(
        "console/search.html", q=text, groups=groups, unread=unread, n=len(hits), each=searching.EACH
    )


@blueprint.get("/api/search")
@door.allow("admin", "staff")
def search_now() -> ResponseReturnValue:
    """``{"q", "hits": [{"kind", "what", "more", "url"}], "unread": [kind]}``; each text as [Chinese, English]."""
    text = searching.asked_words(request.args.get("q", ""))
    hits, unread = searching.search(current_core(), text, door.me().role == "admin")
    told = [{"kind": one.kind, "what": one.what, "more": one.more, "url": one.url} for one in hits]
    return jsonify(q=text, hits=told, unread=unread)
