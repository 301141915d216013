"""Lists that residents touch or read: the six first items, sentences of requests, the hall's phones, notices."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from kiosk import content as kept
from kiosk import notices, quick
from kiosk.console import acts, blueprint, care, door
from kiosk.console.care import Json, lang
from kiosk.console.words import say
from kiosk.content import EditedMeanwhile
from kiosk.core import Core, current_core
from kiosk.notices import ChangedMeanwhile, Notice
from kiosk.rules import content as rules
from kiosk.rules.content import Value
from kiosk.rules.request_kinds import KINDS, Kind

#: How far back the page counts what people come for.
DAYS_BACK = 30


def seen_edit() -> int:
    """The newest edit that the form was drawn with."""
    return care.number(request.form.get("base", ""))


def line_of(index: str) -> int:
    """Which line of a list a button means; -1 for none."""
    return int(index) if index.isascii() and index.isdigit() and len(index) < 5 else -1


def saved(endpoint: str, subject: str, made: list[kept.Edit], **values: str) -> ResponseReturnValue:
    for edit in made:
        acts.did("content_edited", subject, edit.field)
    return redirect(url_for(f"console.{endpoint}", saved=1, **values), 303)  # type: ignore[arg-type]


# ---------------------------------------------------------------- the six


@blueprint.get("/content/quick")
@door.allow("admin", "staff")
def content_quick() -> ResponseReturnValue:
    return _quick(list(quick.quick_codes(current_core())))


@blueprint.post("/content/quick")
@door.allow("admin", "staff")
def content_quick_saved() -> ResponseReturnValue:
    core, typed = current_core(), request.form.getlist("code")
    do = request.form.get("do", "save")
    if do.startswith(("up:", "down:")):
        what, _, index = do.partition(":")
        return _quick(rules.moved(typed, what, line_of(index)), base=seen_edit())
    try:
        codes: Value = None if do == "ships" else quick.checked(core.catalogue, typed)
        if codes == list(quick.DEFAULT):
            codes = None
        made = kept.put(core, "quick", {"codes": codes}, door.me().name, seen_edit())
    except EditedMeanwhile as refused:
        return _quick(typed, 409, care.why(refused), theirs=refused)
    except OrderRefused as refused:
        return _quick(typed, 400, care.why(refused), base=seen_edit())
    return saved("content_quick", "quick", made)


def _quick(
    codes: list[str],
    status: int = 200,
    why: str = "",
    base: int | None = None,
    theirs: EditedMeanwhile | None = None,
) -> ResponseReturnValue:
    core = current_core()
    try:
        counts, last = _served(core), kept.edits_of(core.reader(), "quick").get("codes")
    except (NotWritten, sqlite3.Error):
        return care.unreadable("console/content_quick.html", codes=[])
    rows = [*codes, *quick.DEFAULT][: quick.QUICK]
    return care.page(
        "console/content_quick.html",
        status,
        why=why,
        codes=rows,
        services=core.catalogue.services,
        counts=counts,
        last=last,
        base=(last.edit_id if last else 0) if base is None else base,
        theirs=_named(core, theirs.edits["codes"].value) if theirs else "",
        is_ours=last is not None and last.value is not None,
    )


def _served(core: Core) -> Counter[str]:
    """code → numbers of the last days, as the queue's figures count them."""
    since = (care.today() - timedelta(days=DAYS_BACK)).isoformat()
    rows = core.reader().execute(
        "SELECT service_code, count(*) FROM serves WHERE business_day > ? GROUP BY service_code", (since,)
    )
    return Counter({str(code): int(count) for code, count in rows.fetchall()})


def _named(core: Core, codes: Value) -> str:
    found = (core.catalogue.service(code) for code in codes or quick.DEFAULT)
    return "、".join(one.say("name", lang()) for one in found if one is not None)


# ---------------------------------------------------------------- presets of a kind of request


@blueprint.get("/content/presets/<kind>")
@door.allow("admin", "staff")
def content_presets(kind: str) -> ResponseReturnValue:
    found = KINDS.get(kind)
    return door.refuse(404, "ct_unknown") if found is None else _presets(found)


@blueprint.post("/content/presets/<kind>")
@door.allow("admin", "staff")
def content_presets_saved(kind: str) -> ResponseReturnValue:
    core, found, form = current_core(), KINDS.get(kind), request.form
    if found is None:
        return door.refuse(404, "ct_unknown")
    pairs = zip(form.getlist("lines-zh"), form.getlist("lines-en"), strict=False)
    typed = [{"zh": zh, "en": en} for zh, en in pairs]
    ships, do = _ships(found), form.get("do", "save")
    if do.startswith("list:"):
        _, _, what, index = [*do.split(":"), "", "", ""][:4]
        return _presets(found, typed=rules.moved(typed, what, line_of(index)))
    if do == "ships":
        return _presets(found, typed=ships)
    try:
        value: Value = rules.checked_lines(typed, kept.PRESET_LONGEST * 2, (0, kept.PRESETS_AT_MOST))
        value = None if value == ships else value
        made = kept.put(core, f"presets:{kind}", {"lines": value}, door.me().name, seen_edit())
    except EditedMeanwhile as refused:
        return _presets(found, 409, care.why(refused), typed, refused)
    except OrderRefused as refused:
        return _presets(found, 400, care.why(refused), typed)
    return saved("content_presets", f"presets:{kind}", made, kind=kind)


def _ships(kind: Kind) -> list[dict[str, str]]:
    return [{"zh": one.zh, "en": one.en} for one in kind.presets]


def _presets(
    kind: Kind,
    status: int = 200,
    why: str = "",
    typed: list[dict[str, str]] | None = None,
    theirs: EditedMeanwhile | None = None,
) -> ResponseReturnValue:
    core, subject = current_core(), f"presets:{kind.code}"
    try:
        last = kept.edits_of(core.reader(), subject).get("lines")
    except (NotWritten, sqlite3.Error):
        return care.unreadable("console/content_presets.html", kind=kind, lines=None)
    ships = _ships(kind)
    now = last.value if last is not None and last.value is not None else ships
    lines = now if typed is None else typed
    newest = last.edit_id if last else 0
    return care.page(
        "console/content_presets.html",
        status,
        why=why,
        kind=kind,
        subject=subject,
        lines=lines,
        last=last,
        base=newest if typed is None or theirs else seen_edit(),
        theirs=theirs.edits["lines"] if theirs else None,
        parts=rules.difference(rules.spelled(now), rules.spelled(lines)) if theirs else [],
        theirs_text=rules.spelled(now),
        differs=lines != ships,
        longest=kept.PRESET_LONGEST * 2,
        most=kept.PRESETS_AT_MOST,
    )


# ---------------------------------------------------------------- phones


@blueprint.get("/content/phones")
@door.allow("admin", "staff")
def content_hall() -> ResponseReturnValue:
    return _phones()


@blueprint.post("/content/phones")
@door.allow("admin", "staff")
def content_hall_saved() -> ResponseReturnValue:
    core, form = current_core(), request.form
    typed = {one: form.get(one, "") for one in kept.HALL_PHONES}
    wrong: dict[str, str] = {}
    good: dict[str, Value] = {}
    try:
        seen = kept.edits_of(core.reader(), "hall", seen_edit())
        for one, raw in typed.items():
            try:
                value = rules.checked_phone(raw) or None
            except OrderRefused as refused:
                wrong[one] = care.why(refused)
                continue
            field = f"phone_{one}"
            if value != (seen[field].value if field in seen else None):
                good[field] = value
        if wrong:
            return _phones(400, say("ct_wrong_fields", lang(), n=len(wrong)), typed, wrong)
        made = kept.put(core, "hall", good, door.me().name, seen_edit())
    except EditedMeanwhile as refused:
        return _phones(409, care.why(refused), typed, theirs=refused)
    except sqlite3.Error as refused:
        raise NotWritten(f"edits cannot be read: {refused}") from refused
    return saved("content_hall", "hall", made)


def _phones(
    status: int = 200,
    why: str = "",
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    theirs: EditedMeanwhile | None = None,
) -> ResponseReturnValue:
    core = current_core()
    try:
        edits = kept.edits_of(core.reader(), "hall")
    except (NotWritten, sqlite3.Error):
        return care.unreadable("console/content_phones.html", phones=[])
    rows: list[Json] = []
    for one in kept.HALL_PHONES:
        edit = edits.get(f"phone_{one}")
        there = str(edit.value or "") if edit else ""
        rows.append(
            {
                "name": one,
                "title": say(f"ct_f_phone_{one}", lang()),
                "value": there if typed is None else typed[one],
                "edit": edit,
                "wrong": (wrong or {}).get(one, ""),
                "theirs": theirs.edits.get(f"phone_{one}") if theirs else None,
            }
        )
    newest = max((one.edit_id for one in edits.values()), default=0)
    base = newest if typed is None or theirs else seen_edit()
    return care.page("console/content_phones.html", status, why=why, phones=rows, base=base)


# ---------------------------------------------------------------- notices


@blueprint.get("/content/notices")
@door.allow("admin", "staff")
def content_notices() -> ResponseReturnValue:
    found = notices.by_id(current_core(), care.number(request.args.get("change", "")))
    return _notices(typed=None if found is None else _typed_of(found), chosen=found)


@blueprint.post("/content/notices")
@door.allow("admin", "staff")
def content_notices_saved() -> ResponseReturnValue:
    core, form = current_core(), request.form
    number = care.number(form.get("notice_id", ""))
    found = notices.by_id(core, number) if number else None
    typed = {
        name: form.get(name, "") for name in ("title_zh", "title_en", "body_zh", "body_en", "from", "until")
    }
    try:
        if form.get("do") == "down":
            notices.take_down(core, number)
            acts.did("notice_down", f"#{number}")
            return redirect(url_for("console.content_notices", saved=1), 303)
        from_ms, until_ms = _moment(typed["from"]), _moment(typed["until"])
        wanted = Notice(
            notice_id=number,
            title_zh=rules.text_of(typed["title_zh"]),
            title_en=rules.text_of(typed["title_en"]),
            body_zh=rules.text_of(typed["body_zh"]),
            body_en=rules.text_of(typed["body_en"]),
            from_ms=from_ms or core.now_ms(),
            until_ms=until_ms,
            made_ms=care.number(form.get("seen", "")),
        )
        if until_ms is not None and until_ms <= core.now_ms():
            raise OrderRefused("结束时间已经过了", "The time until which it stands is over already")
        written = notices.put_notice(core, door.me().name, wanted)
    except ChangedMeanwhile as refused:
        # The form now stands on top of what another has written, and shows both; what was taken down is written anew.
        now = None if refused.now.gone_ms is not None else refused.now
        return _notices(409, care.why(refused), typed, now, theirs=now is not None)
    except OrderRefused as refused:
        return _notices(400, care.why(refused), typed, found)
    said = {"zh": f"{written.title_zh}　{written.body_zh}", "en": f"{written.title_en} {written.body_en}"}
    span = {"from": _local(written.from_ms), "until": _local(written.until_ms)}
    kept.put(core, f"notice:{written.notice_id}", {"notice": {**said, **span}}, door.me().name)
    acts.did("notice_put", f"#{written.notice_id}", written.title_zh)
    return redirect(url_for("console.content_notices", saved=1), 303)


def _moment(typed: str) -> int | None:
    """A time as a form sends it, by the hall's clock. None: empty. :raises OrderRefused: it is none."""
    if not typed.strip():
        return None
    try:
        wall = datetime.fromisoformat(typed.strip()).replace(tzinfo=current_core().zone)
        if not 2000 <= wall.year <= 2200:
            raise ValueError(typed)
        return round(wall.timestamp() * 1000)
    except ValueError as wrong:
        raise OrderRefused(say("ct_notice_time_wrong", "zh"), say("ct_notice_time_wrong", "en")) from wrong


def _local(at_ms: int | None) -> str:
    """As an ``<input type="datetime-local">`` wants it."""
    return (
        "" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, current_core().zone):%Y-%m-%dT%H:%M}"
    )


def _typed_of(one: Notice) -> dict[str, str]:
    texts = {name: str(value) for name, value in asdict(one).items() if name.endswith(("_zh", "_en"))}
    return {**texts, "from": _local(one.from_ms), "until": _local(one.until_ms)}


def _notices(
    status: int = 200,
    why: str = "",
    typed: Mapping[str, str] | None = None,
    chosen: Notice | None = None,
    theirs: bool = False,
) -> ResponseReturnValue:
    core = current_core()
    now_ms = core.now_ms()
    try:
        found = notices.all_notices(core, 60)
    except (NotWritten, sqlite3.Error):
        return care.unreadable("console/content_notices.html", rows=[], typed={}, chosen=None)
    rows = [(one, _standing(one, now_ms), _local(one.from_ms), _local(one.until_ms)) for one in found]
    blank = dict.fromkeys(("title_zh", "title_en", "body_zh", "body_en", "from", "until"), "")
    longest: Any = {"title": notices.TITLE_AT_MOST, "body": notices.BODY_AT_MOST}
    return care.page(
        "console/content_notices.html",
        status,
        why=why,
        rows=rows,
        typed=typed or blank,
        chosen=chosen,
        theirs=theirs,
        longest=longest,
    )


def _standing(one: Notice, now_ms: int) -> str:
    if one.gone_ms is not None:
        return "gone"
    if one.from_ms > now_ms:
        return "soon"
    return "is_up" if one.hangs(now_ms) else "over"
