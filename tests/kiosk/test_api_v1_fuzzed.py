"""schemathesis asks the interface whatever its own description allows, and what it does not, against a real kiosk.db.

Bounded: so many examples an operation, always the same ones. More of them: ``SCHEMATHESIS_EXAMPLES=1000``.
"""

from __future__ import annotations

import os

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode

from kiosk import appointments, line
from kiosk.api_v1 import tokens
from kiosk.api_v1.door import OPERATIONS
from kiosk.core import Core
from kiosk.rules.scopes import SCOPES
from tests.kiosk.conftest import TEN_O_CLOCK_MS

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "8"))


@pytest.fixture
def secret(core: Core) -> str:
    """A token with all scopes, in a hall in which something goes on."""
    for number in range(4):
        line.take_ticket(core, "ZW-01", f"before-{number}", "zh", "kiosk-1")
    line.call_next(core, "W2", "li")
    appointments.book(core, "ZW-09", TEN_O_CLOCK_MS + 1_800_000, "before", "li")
    return tokens.make(core, "schemathesis", SCOPES, "王芳")


@pytest.mark.slow
@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(GenerationMode.POSITIVE, id="as-described", marks=pytest.mark.long),
        pytest.param(GenerationMode.NEGATIVE, id="not"),
    ],
)
def test_no_question_is_too_strange(app: Flask, secret: str, mode: GenerationMode) -> None:
    """No 5xx; each answer is one that the description names, and looks as it says."""
    described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    statuses: list[int] = []
    for one in OPERATIONS.values():
        if mode is GenerationMode.NEGATIVE and not one.scope:
            continue  # the description itself asks nothing that could be wrong
        operation = described[f"/api/v1{one.path}"][one.method]

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Case) -> None:
            answer = case.call_and_validate(headers={"Authorization": f"Bearer {secret}"})
            statuses.append(answer.status_code)

        ask()
    assert len(statuses) >= 2 * len(OPERATIONS)
    assert max(statuses) < 500
