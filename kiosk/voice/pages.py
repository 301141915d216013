"""The voice in the display's browser: it asks for the next announcement, plays it, and says how it went.

One display speaks: the first that asked and is able to. Each taking of an announcement has a claim, a random word that
only this display knows: another page in the hall's network can neither end it nor take it.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from kiosk.answers import body, error
from kiosk.core import Core, current_core
from kiosk.rules.calling_words import sentence
from kiosk.voice.desk import Saying, is_display

blueprint = Blueprint("voice", __name__)

#: What a display may say about a sentence that it did not end → words for the row's `why`.
_FAILED = {
    "autoplay": "the browser makes no sound before it is touched",
    "alarm": "an emergency came first",
    "error": "the browser could not play it",
}


@blueprint.get("/voice/next")
def next_one() -> ResponseReturnValue:
    """What this display is to say now. ``mute``: it has to be touched first. ``alarm_by``: whose matter the alarm of a
    call is, this display's or the hall's own loudspeaker."""
    core = current_core()
    display, by = request.args.get("display", ""), core.house.plan.voice.by
    if not is_display(display):
        return error(
            400, "bad_display", "display 须为 1-16 位 a-z 0-9 -", "display must be 1-16 of a-z 0-9 -"
        )
    speaks, saying = False, None
    if by == "display":
        speaks = core.voice.display_asks(display, touched="touched" in request.args)
        saying = core.voice.take(display) if speaks else None
    ill = any(fault.kind in ("player", "clips") for fault in core.voice.faults)
    return jsonify(
        by=by,
        speaks=speaks,
        mute=core.voice.is_mute(display),
        alarm_by="hall" if by == "hall" and not ill else "display",
        say=None if saying is None else _view(saying),
    )


def _view(saying: Saying) -> dict[str, object]:
    number = saying.announcement_id
    return {
        "id": number,
        "claim": saying.claim,
        "lang": saying.voice,
        "words": sentence(list(saying.words), saying.voice),
        "wav": f"/voice/{number}.wav?claim={saying.claim}",
    }


@blueprint.get("/voice/<int:announcement_id>.wav")
def wav(announcement_id: int) -> ResponseReturnValue:
    core = current_core()
    saying = _claimed(core, announcement_id, request.args.get("claim", ""))
    if saying is None:
        return _not_yours()
    return Response(core.voice.sound_of(saying).sound.wav(), mimetype="audio/wav")


@blueprint.post("/voice/<int:announcement_id>/<any(began, ended, failed):how>")
def told(announcement_id: int, how: str) -> ResponseReturnValue:
    """The display's word on what it was given."""
    core, asked = current_core(), body()
    saying = _claimed(core, announcement_id, str(asked.get("claim", "")))
    if saying is None:
        return _not_yours()
    spoken = core.voice.sound_of(saying)
    if how == "began":
        done = core.voice.began(saying, spoken.sound.seconds)
    elif how == "ended":
        done = core.voice.ended(
            saying, why=f"only gonged: {', '.join(spoken.missing)}" if spoken.missing else ""
        )
    else:
        why = str(asked.get("why", ""))
        if why == "autoplay":
            core.voice.display_is_mute(saying.by)
        done = core.voice.cut(
            saying, _FAILED.get(why, _FAILED["error"]), harmless=why in ("alarm", "autoplay")
        )
    return jsonify(ok=True) if done else _not_yours()


def _claimed(core: Core, announcement_id: int, claim: str) -> Saying | None:
    saying = core.voice.find(announcement_id)
    return saying if saying is not None and saying.claim == claim else None


def _not_yours() -> ResponseReturnValue:
    return error(
        409,
        "not_yours",
        "这条播报已不归这块屏幕",
        "This announcement is no longer this display's",
    )
