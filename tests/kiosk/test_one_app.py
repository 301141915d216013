"""What the stories share to be quick may not let one hall speak for another."""

from __future__ import annotations

from pathlib import Path

import argon2

from kiosk.app import create_app
from tests.kiosk.conftest import PRODUCTS_HASHER
from tests.kiosk.console_hall import console_hall
from tests.kiosk.one_app import app_over


def test_two_halls_of_one_laying_keep_their_own_books_names_and_settings(tmp_path: Path) -> None:
    with console_hall(tmp_path / "a") as one, console_hall(tmp_path / "b") as other:
        first, second = app_over(one.core), app_over(other.core)
        assert first.url_map is second.url_map, "laid once"
        first.extensions["mine"] = 1
        first.config["MAX_CONTENT_LENGTH"] = 5
        first.testing = True
        assert "mine" not in second.extensions and second.extensions["linli"] is other.core
        assert second.config["MAX_CONTENT_LENGTH"] == create_app(other.core).config["MAX_CONTENT_LENGTH"]
        assert not second.testing
        one.job("QUEUED", "A001")
        told = [app.test_client().get("/api/state").get_json()["now_ms"] for app in (first, second)]
        one.clock.go(h=1)
        later = [app.test_client().get("/api/state").get_json()["now_ms"] for app in (first, second)]
        assert later == [told[0] + 3_600_000, told[1]], "each page was drawn by its own hall's clock"


def test_the_hashes_of_a_real_hall_cost_what_owasp_advises() -> None:
    assert (PRODUCTS_HASHER.time_cost, PRODUCTS_HASHER.memory_cost, PRODUCTS_HASHER.parallelism) == (2, 19 * 1024, 1)
    assert PRODUCTS_HASHER.type is argon2.Type.ID
