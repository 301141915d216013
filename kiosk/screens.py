"""The hall display: who is called, who waits, where one can park. It follows ``/live``."""

from __future__ import annotations

from flask import Blueprint, render_template

from kiosk import words
from kiosk.api import state_view
from kiosk.core import current_core

blueprint = Blueprint("screens", __name__)


@blueprint.get("/display")
def display() -> str:
    core = current_core()
    return render_template(
        "display.html",
        state=state_view(core),
        catalogue=core.catalogue,
        timezone=core.house.plan.hall.timezone,
        script_words=words.for_script("zh"),
        voice_by=core.house.plan.voice.by,
    )
