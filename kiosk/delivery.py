"""How our pages travel: packed where the browser unpacks, and each of our own files once.

A file's address carries a hash of its content (``/static/touch.js?v=3f0c…``): a browser may keep it for good and asks
no more, not even whether it has changed; a page that was changed names another address. Pages themselves are never
kept (a shared screen). What is packed: text of 1 kB and more; the console's and the API's answers to staff are not, for
they hold what a stranger could guess at by the length of a packed answer (BREACH).
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

#: Below this the header costs more than packing saves.
LEAST_BYTES = 1024
#: A file is packed once; a page at each request: level 1 takes a third of the time for a fifth more.
FILE_LEVEL, PAGE_LEVEL = 9, 1
PACKED = frozenset({"text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml"})
#: A year, the longest that HTTP knows (RFC 9111 leaves more to the browser).
FOR_GOOD = "public, max-age=31536000, immutable"
#: Endpoints beginning with these words answer staff.
NOT_PACKED = ("console.", "api_v1.", "link_page.")


class _Files:
    """Our static files: hash and packed bytes, made at the first need, anew where a file changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._hashes: dict[str, tuple[int, str]] = {}
        self._packed: dict[str, bytes] = {}

    def hash_of(self, name: str) -> str:
        """The first 12 hexadecimal digits of its content's hash; "" for what is not there."""
        path = self._folder / name
        try:
            changed_ns = path.stat().st_mtime_ns
            with self._lock:
                known = self._hashes.get(name)
            if known is None or known[0] != changed_ns:
                known = (changed_ns, hashlib.sha256(path.read_bytes()).hexdigest()[:12])
                with self._lock:
                    self._hashes[name] = known
        except OSError:
            return ""
        return known[1]

    def packed(self, name: str, content: bytes) -> bytes:
        key = f"{name} {hashlib.sha256(content).hexdigest()[:12]}"
        with self._lock:
            known = self._packed.get(key)
        if known is None:
            known = gzip.compress(content, FILE_LEVEL, mtime=0)
            with self._lock:
                self._packed[key] = known
        return known


def prepare(app: Flask) -> None:
    """Give every static address its hash, and pack what goes out."""
    files = _Files(Path(app.static_folder or "static"))

    @app.url_defaults
    def _version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "v" not in values and (found := files.hash_of(values.get("filename", ""))):
            values["v"] = found

    @app.after_request
    def _deliver(response: Response) -> Response:
        is_static = request.endpoint == "static"
        if is_static and response.status_code in (200, 304):
            asked = (request.view_args or {}).get("filename", "")
            if request.args.get("v") and request.args["v"] == files.hash_of(asked):
                response.headers["Cache-Control"] = FOR_GOOD
        if (
            request.method != "GET"
            or response.status_code != 200
            or response.mimetype not in PACKED
            or "Content-Encoding" in response.headers
            or (request.endpoint or "").startswith(NOT_PACKED)
            or (response.is_streamed and not is_static)
        ):
            return response
        response.vary.add("Accept-Encoding")
        if not request.accept_encodings["gzip"]:
            return response
        response.direct_passthrough = False
        content = response.get_data()
        if len(content) < LEAST_BYTES:
            return response
        name = (request.view_args or {}).get("filename", "") if is_static else ""
        response.set_data(files.packed(name, content) if is_static else gzip.compress(content, PAGE_LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        etag, weak = response.get_etag()
        if etag is not None and not weak:
            response.set_etag(etag, weak=True)  # the same content in other bytes
        return response
