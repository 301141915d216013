"""Sections of the desks about the house itself: what the check-up found, which version runs, what is missing."""

from __future__ import annotations

from datetime import datetime

from gateway import views
from gateway.hall.bays import UNCLAIMED_ZONE
from kiosk.console.desk_lines import Line, Pair, Section, page, same, section, words
from kiosk.console.desk_things import backup_line, disk_line
from kiosk.core import Core
from kiosk.rules.calling_words import ENGLISH, MANDARIN
from kiosk.version import version
from kiosk.voice import recordings


def check(core: Core) -> Section:
    """What `linli doctor` found last, each with what to do; nobody waits for a round that is under way."""
    last, job, url = core.check_up.last, core.check_up.under_way, page("check_up")
    look = words("desk_do_look")
    if last is None:
        if job is not None:
            said = words("check_working", done=job.done, of=job.of or "…")
            return section("desk_check", [Line("looking", said, url=url, do=look)], url=url)
        return section("desk_check", [Line("never", words("check_never"), url=url, do=words("check_now"))], url=url)
    lines = [
        Line(f"check-{number}", _said(one.part, (one.zh, one.en)), (one.do_zh, one.do_en), "warn", None, url, look)
        for number, one in enumerate(last.of("wrong"))
    ]
    counts = {mark: len(last.of(mark)) for mark in ("wrong", "note", "ok")}
    note = words("desk_check_at", time=_clock(core, last.at_ms), **counts)
    return section("desk_check", lines, url=url, note=note)


def house(core: Core) -> Section:
    """What an administrator has done next of the system: a restart, a backup, room, a recording, a name in English."""
    restart = core.files.are_others()
    lines = [
        Line(
            "version",
            words("desk_version", version=version()),
            words("desk_restart" if restart else "desk_version_same"),
            "warn" if restart else "",
            url=page("running"),
            do=words("look"),
        ),
        backup_line(core),
        disk_line(core),
        *_check_line(core),
        *_clips(core),
        *_english(core),
    ]
    return section("desk_house", lines, url=page("running"))


def _check_line(core: Core) -> list[Line]:
    last = core.check_up.last
    wrong = 0 if last is None else len(last.of("wrong"))
    if last is None or not wrong:
        return []
    said = words("desk_check_wrong", n=wrong)
    return [Line("check", said, same(""), "warn", last.at_ms, page("check_up"), words("desk_do_look"))]


def _clips(core: Core) -> list[Line]:
    """Voices of the hall's own that call numbers here and have words that nobody has recorded."""
    policy = core.voice.policy()
    names, lines = dict(policy.dialects), []
    for voice in policy.voices:
        if voice in (MANDARIN, ENGLISH):
            continue
        parts = recordings.parts(core, voice)
        takes = recordings.takes(core.reader(), voice)
        left = sum(not any(one.in_use for one in takes.get(part, ())) for part in parts)
        if left:
            said = words("desk_clips", voice=same(names.get(voice, voice)), n=left, of=len(parts))
            url = page("voice_page", voice=voice)
            lines.append(Line(f"voice-{voice}", said, words("desk_clips_more"), "", None, url, words("desk_do_record")))
    return lines


def _english(core: Core) -> list[Line]:
    """Zones of the car park whose English name is missing: residents and panels show it. Other texts must have both."""
    if not core.house.gateway_db.exists():
        return []
    rows = [
        one
        for one in views.zones(core.gateway_reader())
        if one["zone_id"] != UNCLAIMED_ZONE.zone_id and (not one["name_en"] or one["name_en"] == one["name_zh"])
    ]
    if not rows:
        return []
    names = same("、".join(str(one["name_zh"] or one["zone_id"]) for one in rows[:5]))
    said, more = words("desk_english", n=len(rows)), words("desk_english_more", names=names)
    return [Line("english", said, more, "", None, page("parking_laid_out"), words("desk_do_write"))]


def _said(part: str, pair: Pair) -> Pair:
    return f"{part} {pair[0]}", f"{part} {pair[1]}"


def _clock(core: Core, at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, core.zone):%m-%d %H:%M}"
