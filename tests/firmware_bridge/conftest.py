"""The fixture ``hall``: see paper_hall.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware_bridge.paper_hall import Hall


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    """A hall whose printer and panel are switched on; the bridge is not started yet."""
    one = Hall(tmp_path)
    one.printer.start()
    one.panel.start()
    yield one
    one.close()
