"""The hall's voice in the console: how it is, what it is set to, a trial, and the words that staff record.

Settings, trials and swaps are plain forms; only recording needs a script (static/console_voice.js), which sends a WAV.
"""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import datetime
from typing import Any

from flask import Response, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from kiosk.console import acts, blueprint, care, door
from kiosk.console.care import Json, lang
from kiosk.console.words import WORDS, say
from kiosk.core import current_core
from kiosk.rules import voice_policy
from kiosk.rules.calling_words import ENGLISH, GONG, MANDARIN, VOICE_ID, text_of, trial_words
from kiosk.rules.voice_policy import VoicePolicy
from kiosk.voice import recordings, sound
from kiosk.voice.asking import policy_of, put

#: Announcements of which the page says how soon they began.
_LATEST = 50
_SPAN = re.compile(r"(\d{1,2})[:：](\d{2})\s*[-–—~～至到]\s*(\d{1,2})[:：](\d{2})")
_SCRIPT = (
    "voice_record",
    "voice_stop",
    "voice_recording",
    "voice_sending",
    "voice_no_microphone",
    "voice_not_sound",
    "voice_not_sent",
)


@blueprint.get("/voice")
@door.allow("admin", "staff")
def voice_page() -> ResponseReturnValue:
    told = request.args.get("told", "")
    return _page(done=say(f"voice_{told}", lang()) if told in ("saved", "tried") else "")


@blueprint.post("/voice")
@door.allow("admin", "staff")
def voice_set() -> ResponseReturnValue:
    """Save the settings: all of them or, where one is wrong, none."""
    core, typed = current_core(), _typed()
    try:
        wanted = _wanted(typed)
    except OrderRefused as refused:
        return _page(400, care.why(refused), typed=typed)
    rows = voice_policy.to_rows(wanted)

    def work(notebook: sqlite3.Connection) -> None:
        notebook.execute("DELETE FROM voice_policy")
        notebook.executemany("INSERT INTO voice_policy VALUES (?, ?)", rows.items())

    core.writer.write(work)
    acts.did("voice_set", "", json.dumps(rows, ensure_ascii=False))
    return redirect(url_for("console.voice_page", told="saved", voice=request.args.get("voice")), 303)


@blueprint.post("/voice/try")
@door.allow("admin", "staff")
def voice_try() -> ResponseReturnValue:
    """One sentence in each voice that speaks here, by the same way as a called number."""
    core = current_core()
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> None:
        for number, voice in enumerate(policy_of(notebook).voices):
            words = trial_words(voice)
            put(notebook, None, voice, words[1:] if number else words, now_ms)

    core.writer.write(work)
    core.voice_bell.set()
    # The display asks for what waits when it hears of a call; a trial is told in the same way, with nobody's number.
    core.hub.publish("hall", "voice", {})
    acts.did("voice_tried")
    return redirect(url_for("console.voice_page", told="tried", voice=request.args.get("voice")), 303)


@blueprint.get("/voice/sound")
@door.allow("admin", "staff")
def voice_sound() -> ResponseReturnValue:
    """One word, as it would be heard now; or one take of it (``take``)."""
    core = current_core()
    voice, part = request.args.get("voice", ""), request.args.get("part", "")
    if take := request.args.get("take"):
        found = core.reader().execute("SELECT file FROM voice_clips WHERE clip_id = ?", (take,)).fetchone()
        file = None if found is None else core.voice.clips.folder / str(found[0])
        if file is None or not file.is_file():
            return door.refuse(404, "voice_from_nobody")
        return Response(file.read_bytes(), mimetype="audio/wav")
    clip = core.voice.clips.part(voice, part) if VOICE_ID.fullmatch(voice) else None
    if clip is None:
        return door.refuse(404, "voice_from_nobody")
    return Response(clip.wav(), mimetype="audio/wav")


@blueprint.post("/api/voice/clip")
@door.allow("admin", "staff")
def voice_clip() -> ResponseReturnValue:
    """A recording: the body is a WAV, ``voice`` and ``part`` stand in the address."""
    request.max_content_length = sound.LARGEST_CLIP_BYTES
    voice, part = request.args.get("voice", ""), request.args.get("part", "")
    try:
        take = recordings.add(current_core(), voice, part, request.get_data(), door.me().name)
    except OrderRefused as refused:
        return jsonify(error={"code": "no_clip", "zh": refused.why_zh, "en": refused.why_en}), 400
    acts.did("voice_recorded", f"{voice} {part}")
    return jsonify(ok=True, clip_id=take.clip_id), 201


@blueprint.post("/voice/clip")
@door.allow("admin", "staff")
def voice_swap() -> ResponseReturnValue:
    """An earlier take again, or the machine."""
    core, form = current_core(), request.form
    voice, part = form.get("voice", ""), form.get("part", "")
    try:
        if form.get("do") == "machine":
            recordings.machine(core, voice, part)
        elif form.get("clip_id", "").isascii() and form.get("clip_id", "").isdecimal():
            recordings.use(core, int(form["clip_id"]))
        else:
            return door.refuse(400, "bad_request")
    except OrderRefused as refused:
        return _page(409, care.why(refused))
    acts.did("voice_swapped", f"{voice} {part}", form.get("clip_id", "machine"))
    return redirect(url_for("console.voice_page", voice=voice) + f"#{part.replace(':', '-')}", 303)


# ---------------------------------------------------------------- drawing


def _page(status: int = 200, why: str = "", done: str = "", typed: Json | None = None) -> ResponseReturnValue:
    core = current_core()
    policy = core.voice.policy()
    try:
        names = _names(recordings.voices(core.reader()), policy)
        asked = request.args.get("voice") or request.form.get("voice") or MANDARIN
        voice = asked if asked in names else MANDARIN
        rows = _rows(voice)
        latest = _latest()
    except (NotWritten, sqlite3.Error):
        return care.unreadable(
            "console/voice.html", rows=[], names={}, voice="", latest=None, **_state(policy)
        )
    return care.page(
        "console/voice.html",
        status,
        why=why,
        done=done,
        names=names,
        voice=voice,
        rows=rows,
        latest=latest,
        typed=typed or _typed_of(policy),
        script_words={key: WORDS[key] for key in _SCRIPT},
        **_state(policy),
    )


def _state(policy: VoicePolicy) -> Json:
    core = current_core()
    return {
        "by": core.house.plan.voice.by,
        "faults": core.voice.faults,
        "quiet_now": voice_policy.is_quiet(core.voice.minute(), policy),
        "spoken": core.voice.spoken,
        "policy": policy,
    }


def _names(voices: list[str], policy: VoicePolicy) -> dict[str, str]:
    """Each voice's id and what people call it."""
    own = dict(policy.dialects)
    ours = {MANDARIN: say("voice_zh", lang()), ENGLISH: say("voice_en", lang())}
    return {one: ours.get(one) or own.get(one) or one for one in voices}


def _rows(voice: str) -> list[Json]:
    """A line for each part: what it says, what is used for it, the takes there are."""
    core = current_core()
    found = recordings.takes(core.reader(), voice)
    rows = []
    for part in recordings.parts(core, voice):
        takes = found.get(part, [])
        rows.append(
            {
                "part": part,
                "words": _said(voice, part),
                "in_use": next((one for one in takes if one.in_use), None),
                "takes": [one for one in takes if not one.in_use],
                "stands_in": voice not in (MANDARIN, ENGLISH)
                and core.voice.clips.recorded(MANDARIN, part) is not None,
            }
        )
    return rows


def _said(voice: str, part: str) -> str:
    if part == GONG:
        return say("voice_part_gong", lang())
    text = text_of(part)
    if text is None:  # a category of the hall's own catalogue
        category = next(
            (one for one in current_core().catalogue.categories if f"category:{one.id}" == part), None
        )
        return part if category is None else category.en if voice == ENGLISH else category.zh
    if part.startswith("window:"):
        return say("voice_part_window", lang(), n=text.en if voice == ENGLISH else text.hanzi)
    return text.en if voice == ENGLISH else text.hanzi


def _latest() -> Json | None:
    """How soon the latest calls began to be heard, seconds; None before the first."""
    rows = (
        current_core()
        .reader()
        .execute(
            "SELECT began_ms - asked_ms FROM announcements WHERE state = 'spoken' AND began_ms IS NOT NULL"
            " ORDER BY announcement_id DESC LIMIT ?",
            (_LATEST,),
        )
    )
    waits = sorted(max(0, int(row[0])) for row in rows)
    if not waits:
        return None
    return {
        "n": len(waits),
        "p50": f"{waits[len(waits) // 2] / 1000:.1f}",
        "worst": f"{waits[-1] / 1000:.1f}",
    }


# ---------------------------------------------------------------- what is typed


def _typed_of(policy: VoicePolicy) -> Json:
    return {
        "volume": policy.volume,
        "gong": policy.gong,
        "twice": policy.twice,
        "follow_ticket": policy.follow_ticket,
        "expires_s": policy.expires_s,
        "voices": list(policy.voices),
        "quiet": "\n".join(
            "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in span) for span in policy.quiet
        ),
        "dialect": "",
        "dialect_name": "",
    }


def _typed() -> Json:
    form = request.form
    return {
        "volume": _number(form.get("volume", "")),
        "expires_s": _number(form.get("expires_s", "")),
        **{name: form.get(name) == "yes" for name in ("gong", "twice", "follow_ticket")},
        "voices": form.getlist("voices"),
        "quiet": form.get("quiet", ""),
        "dialect": form.get("dialect", "").strip(),
        "dialect_name": form.get("dialect_name", "").strip(),
    }


def _number(text: str) -> Any:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else text


def _wanted(typed: Json) -> VoicePolicy:
    """:raises OrderRefused: one of the settings cannot be."""
    values = {key: typed[key] for key in ("volume", "gong", "twice", "follow_ticket", "expires_s", "voices")}
    dialects = list(current_core().voice.policy().dialects)
    if typed["dialect"] or typed["dialect_name"]:
        dialects = [one for one in dialects if one[0] != typed["dialect"]]
        dialects.append((typed["dialect"], typed["dialect_name"]))
    values |= {"quiet": _spans(typed["quiet"]), "dialects": dialects}
    return VoicePolicy(**{key: voice_policy.check(key, value) for key, value in values.items()})


def _spans(text: str) -> list[list[int]]:
    spans = []
    for line in filter(None, (one.strip() for one in text.splitlines())):
        found = _SPAN.fullmatch(line)
        if (
            found is None
            or int(found[1]) > 24
            or int(found[3]) > 24
            or int(found[2]) > 59
            or int(found[4]) > 59
        ):
            shown = line[:40]
            raise OrderRefused(
                say("voice_quiet_wrong", "zh", line=shown), say("voice_quiet_wrong", "en", line=shown)
            )
        spans.append([int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])])
    return spans


def day_of_take(made_ms: int) -> str:
    """When a clip was recorded, in the hall's zone."""
    return f"{datetime.fromtimestamp(made_ms / 1000, current_core().zone):%Y-%m-%d %H:%M}"


blueprint.add_app_template_filter(day_of_take, "day_of_take")
