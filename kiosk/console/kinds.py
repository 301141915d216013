"""The kinds of call: whom the ladder tells when, what is said, how it may end. Each shown in words before it is saved.

The ladder's editor is a form: its buttons "up", "down", "take away", "one more step" send what is typed and get the
same form back, changed and not saved. So it works without a script, by keyboard, and nothing typed is lost.
"""

from __future__ import annotations

import re
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway.hall.kind_orders import ACTS, LAST_PRIORITY, MOST_STEPS
from gateway.hall.kinds import DEFAULTS, OUTCOMES, kinds
from gateway.hall.rows import ROLES, Kind
from kiosk.console import blueprint, door
from kiosk.console.tables import Trouble, attempt, lang, number, pick, read
from kiosk.console.words import say

#: A kind that the hall makes begins like this: duty staff hear it at the console.
_NEW = Kind("", "", "", 5, (("duty", 300, ("console",)),), 1800, outcomes=(("helped", *OUTCOMES["helped"]),))
_BUTTON = re.compile(r"(up|down|remove|outcome-remove)-(\d{1,2})")


@blueprint.get("/kinds")
@door.allow("admin", "staff")
def kinds_list() -> ResponseReturnValue:
    state = read(Kind)
    own = state.table(Kind)
    return render_template(
        "console/kinds.html",
        kinds=[(one, ladder_words(one.ladder), one.kind in own) for one in kinds(state).values()],
        defaults=DEFAULTS,
    )


@blueprint.get("/kinds/new")
@door.allow("admin")
def kind_new() -> ResponseReturnValue:
    return _form("", _typed_of(_NEW), None)


@blueprint.post("/kinds/new")
@door.allow("admin")
def kind_made() -> ResponseReturnValue:
    return _worked_on("", None)


@blueprint.get("/kinds/<kind>")
@door.allow("admin", "staff")
def kind(kind: str) -> ResponseReturnValue:
    found = kinds(read(Kind)).get(kind)
    return door.refuse(404, "kind_unknown") if found is None else _form(kind, _typed_of(found), found)


@blueprint.post("/kinds/<kind>")
@door.allow("admin")
def kind_saved(kind: str) -> ResponseReturnValue:
    found = kinds(read(Kind)).get(kind)
    return door.refuse(404, "kind_unknown") if found is None else _worked_on(kind, found)


def _worked_on(word: str, old: Kind | None) -> ResponseReturnValue:
    typed, do = _typed_in_form(), request.form.get("do", "save")
    if do == "default":
        if trouble := attempt("drop_kind", word, kind=word):
            return _form(word, typed, old, trouble)
        there = word in DEFAULTS
        return redirect(
            url_for("console.kind", kind=word, saved=1) if there else url_for("console.kinds_list", saved=1),
            303,
        )
    if do != "save":
        _press(typed, do)
        return _form(word, typed, old)
    new = word or _code(typed["name_en"], kinds(read(Kind)))
    trouble = attempt(
        "put_kind",
        new,
        kind=new,
        **{name: typed[name] for name in ("name_zh", "name_en", "script_zh", "script_en", "enabled")},
        priority=typed["priority"],
        coming_s=typed["coming_min"] * 60 if isinstance(typed["coming_min"], int) else typed["coming_min"],
        ladder=[[step["who"], _wait_s(step), step["acts"]] for step in typed["steps"]],
        outcomes=_outcomes(typed["outcomes"]),
        **({} if old else {"position": 50}),
    )
    if trouble is not None:
        return _form(word, typed, old, trouble)
    return redirect(url_for("console.kind", kind=new, saved=1), 303)


def _form(
    word: str, typed: dict[str, Any], old: Kind | None, trouble: Trouble | None = None
) -> ResponseReturnValue:
    steps = [(step["who"], _wait_s(step), tuple(step["acts"])) for step in typed["steps"]]
    page = render_template(
        "console/kind.html",
        word=word,
        typed=typed,
        kind=old,
        roles=ROLES,
        acts=ACTS,
        most_steps=MOST_STEPS,
        last_priority=LAST_PRIORITY,
        preview=ladder_words(steps),
        is_ours=word in DEFAULTS,
        is_changed=bool(word) and word in read(Kind).table(Kind),
        may_change=door.me().role == "admin",
        why=trouble.why if trouble else "",
    )
    return page, trouble.status if trouble else 200


# ---------------------------------------------------------------- what is typed


def _typed_of(one: Kind) -> dict[str, Any]:
    return {
        "name_zh": one.name_zh,
        "name_en": one.name_en,
        "priority": one.priority,
        "coming_min": -(-one.coming_s // 60),
        "script_zh": one.script_zh,
        "script_en": one.script_en,
        "enabled": one.enabled,
        "steps": [_typed_step(who, wait_s, acts) for who, wait_s, acts in one.ladder],
        "outcomes": [{"word": word, "zh": zh, "en": en} for word, zh, en in one.outcomes],
    }


def _typed_step(who: str, wait_s: int, acts: tuple[str, ...]) -> dict[str, Any]:
    minutes = wait_s >= 120 and wait_s % 60 == 0
    return {
        "who": who,
        "wait": wait_s // 60 if minutes else wait_s,
        "unit": "min" if minutes else "s",
        "acts": list(acts),
    }


def _typed_in_form() -> dict[str, Any]:
    form = request.form
    steps = [
        {
            "who": form.get(f"who-{n}", ""),
            "wait": number(f"wait-{n}"),
            "unit": "min" if form.get(f"unit-{n}") == "min" else "s",
            "acts": [act for act in ACTS if form.get(f"act-{n}-{act}") == "yes"],
        }
        for n in range(MOST_STEPS + 1)
        if f"who-{n}" in form
    ]
    outcomes = [
        {
            "word": form.get(f"word-{n}", ""),
            "zh": form.get(f"zh-{n}", "").strip(),
            "en": form.get(f"en-{n}", "").strip(),
        }
        for n in range(40)
        if f"zh-{n}" in form
    ]
    return {
        **{name: form.get(name, "") for name in ("name_zh", "name_en", "script_zh", "script_en")},
        "priority": number("priority"),
        "coming_min": number("coming_min"),
        "enabled": form.get("enabled") == "yes",
        "steps": steps,
        "outcomes": outcomes,
    }


def _press(typed: dict[str, Any], do: str) -> None:
    """One of the editor's buttons: the form changes, nothing is saved. "preview" only draws it again."""
    steps, outcomes = typed["steps"], typed["outcomes"]
    if do == "add" and len(steps) < MOST_STEPS:
        steps.append(_typed_step("grid", 60, ("console", "message")))
    elif do == "outcome-add":
        outcomes.append({"word": "", "zh": "", "en": ""})
    elif found := _BUTTON.fullmatch(do):
        what, n = found[1], int(found[2])
        if what == "outcome-remove" and n < len(outcomes):
            outcomes.pop(n)
        elif what == "remove" and n < len(steps):
            steps.pop(n)
        elif what == "up" and 0 < n < len(steps):
            steps[n - 1], steps[n] = steps[n], steps[n - 1]
        elif what == "down" and n + 1 < len(steps):
            steps[n], steps[n + 1] = steps[n + 1], steps[n]


def _wait_s(step: dict[str, Any]) -> Any:
    wait = step["wait"]
    return wait * 60 if isinstance(wait, int) and step["unit"] == "min" else wait


def _outcomes(typed: list[dict[str, str]]) -> list[list[str]]:
    """Lines without words are left out; a new one gets a code of its own."""
    known = {zh: word for word, (zh, _) in OUTCOMES.items()}
    taken = {one["word"] for one in typed}
    found = []
    for one in typed:
        if not one["zh"] and not one["en"]:
            continue
        word = one["word"] or (known.get(one["zh"], "") if known.get(one["zh"]) not in taken else "")
        word = word or _code(one["en"], taken)
        taken.add(word)
        found.append([word, one["zh"], one["en"]])
    return found


def _code(name_en: str, taken: Any) -> str:
    """A code from an English name: "Home repair" is home_repair, or home_repair_2 where there is one."""
    code = re.sub(r"[^a-z0-9]+", "_", name_en.casefold()).strip("_")[:28]
    code = code if code[:1].isalpha() else f"own_{code}".rstrip("_")
    number_, free = 2, code
    while free in taken:
        free, number_ = f"{code}_{number_}", number_ + 1
    return free


# ---------------------------------------------------------------- in words


def ladder_words(steps: Any) -> str:
    """A ladder as one would say it: "先通知值班人员（工作台响铃），等 60 秒；没人接，再通知网格员…"."""
    said, last_acts, count = [], None, len(steps)
    for n, (who, wait_s, acts) in enumerate(steps):
        # Within a sentence English names are not capitalised; Chinese has no such letters.
        # Within a sentence English names are not capitalised; Chinese has no such letters.
        name = pick(ROLES.get(who, (who or "?", who or "?"))).lower()
        how = say("and", lang()).join(pick(ACTS[act]).lower() for act in acts if act in ACTS)
        how = how or say("acts_none", lang())
        by = "" if acts == last_acts else say("ladder_how", lang(), how=how)
        last_acts = acts
        key = (
            "ladder_only"
            if count == 1
            else "ladder_first"
            if n == 0
            else "ladder_last"
            if n == count - 1
            else "ladder_next"
        )
        said.append(say(key, lang(), who=name, how=by, wait=wait_words(wait_s)))
    return (
        say("ladder_join", lang()).join(said) + say("ladder_end", lang())
        if said
        else say("ladder_empty", lang())
    )


def wait_words(wait_s: Any) -> str:
    if not isinstance(wait_s, int):
        return "?"
    if wait_s >= 120 and wait_s % 60 == 0:
        return say("wait_minutes", lang(), n=wait_s // 60)
    return say("wait_seconds", lang(), n=wait_s)
