"""The kiosk's application over any core, without laying its three hundred routes anew for each story.

To bind a route Werkzeug compiles two functions of Python: with a hall a story that was the dearest part of the tests.
The first application of each shape is laid in full, as the kiosk does it; those that follow are copies of it with a
core, a configuration and extensions of their own. test_one_app.py says what a copy may not share.
"""

from __future__ import annotations

import copy
import functools

from flask import Flask

from kiosk.app import lay, move_in
from kiosk.core import Core

_laid = functools.cache(lay)


def app_over(core: Core) -> Flask:
    """As ``kiosk.app.create_app``, for one process of tests. Who adds routes of his own wants that one."""
    first = _laid(open_data=core.house.plan.open_data.on, demo=core.house.plan.virtual.on)
    app = copy.copy(first)
    app.config = copy.copy(first.config)
    return move_in(app, core)
