"""The interface for other programs: ``/api/v1``. Tokens with scopes, idempotency keys, one shape of error.

``door.py`` decides who may do what, deny by default; ``tokens.py`` keeps the tokens' hashes; ``once.py`` makes a
request that is sent twice happen once; ``tickets.py``, ``queue.py``, ``appointments.py`` and ``figures.py`` are the
routes, each with its description beside it; ``openapi.py`` gathers those into ``GET /api/v1/openapi.json``, so that the
description cannot drift from the routes. Begin reading at ``door.py``.
"""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("api_v1", __name__, url_prefix="/api/v1")

# The views register themselves on the blueprint above, so they are imported after it.
from kiosk.api_v1 import appointments, door, figures, openapi, queue, tickets  # noqa: E402

blueprint.before_request(door.check)

__all__ = ["appointments", "blueprint", "door", "figures", "openapi", "queue", "tickets"]
