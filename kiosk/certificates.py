"""能不能开证明: which documents the community may issue, and for all others where to go. One touch to each answer.

The list is ``data/certificates.yaml``, which a community edits; a mistake in it is named with its entry and key, and
ends the start as one in the catalogue does.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from flask import Blueprint, Flask, render_template, request
from flask.typing import ResponseReturnValue

from devices.faults import HallFileFault
from kiosk.answers import error
from kiosk.view import asked_view, frame

blueprint = Blueprint("certificates", __name__)
blueprint.context_processor(frame)

FILE = Path(__file__).with_name("data") / "certificates.yaml"
#: Elders' mode: choices on one screen.
LARGE_CHOICES = 6
#: The catalogue's item of certificates: the window that answers what this page cannot.
ITEM = "ZW-12"

_ISSUE = ("no", "may")
_EVIDENCE = ("text", "secondary", "memory")


@dataclass(frozen=True, slots=True)
class Certificate:
    """One document. ``may_issue``: the community may; ``where``: who issues it; ``hint``: what often does instead.

    ``aliases_zh``: everyday names, for whoever searches; ``confirmed``: somebody has read where to go in its source.
    """

    id: str
    may_issue: bool
    name_zh: str
    name_en: str
    aliases_zh: tuple[str, ...]
    where_zh: str
    where_en: str
    hint_zh: str
    hint_en: str
    confirmed: bool

    def say(self, name: str, lang: str) -> str:
        """A text by its name without language: ``say("where", "en")``."""
        return str(getattr(self, f"{name}_{'en' if lang == 'en' else 'zh'}"))


_TEXTS = tuple(one.name for one in fields(Certificate) if one.name.endswith(("_zh", "_en")))


def load_certificates(text: str, file: str) -> tuple[Certificate, ...]:
    """Read and check the text of a list; ``file`` is its name for messages.

    :raises HallFileFault: no YAML, a key that is missing, unknown or of the wrong kind, an id that is given twice.
    """
    try:
        whole = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as wrong:
        raise HallFileFault(f"{file}: not valid YAML: {wrong}") from wrong
    if (
        not isinstance(whole, dict)
        or whole.get("schema") != 1
        or not isinstance(whole.get("certificates"), list)
    ):
        raise HallFileFault(f"{file}: must hold schema: 1 and a list of certificates")
    found: list[Certificate] = []
    for number, one in enumerate(whole["certificates"], 1):
        certificate = _certificate(one, f"{file}, certificate {number}")
        if any(other.id == certificate.id for other in found):
            raise HallFileFault(f"{file}, certificate {number}: id {certificate.id!r} is given twice")
        found.append(certificate)
    return tuple(found)


def _certificate(one: Any, where: str) -> Certificate:
    if not isinstance(one, dict):
        raise HallFileFault(f"{where}: must be a table of keys")
    wanted = {"id", "issue", "evidence", *_TEXTS}
    if wrong := sorted(map(str, wanted ^ set(one))):
        raise HallFileFault(f"{where}: missing or unknown keys: {', '.join(wrong)}")
    if bad := sorted(name for name in ("id", *_TEXTS) if not isinstance(one[name], str)):
        raise HallFileFault(f"{where}: must be texts: {', '.join(bad)}")
    if empty := sorted(
        name for name in ("id", "name_zh", "name_en", "where_zh", "where_en") if not one[name]
    ):
        raise HallFileFault(f"{where}: must not be empty: {', '.join(empty)}")
    if one["issue"] not in _ISSUE:
        raise HallFileFault(f'{where}: issue must be "no" or "may" (in quotes), not {one["issue"]!r}')
    evidence = one["evidence"]
    if (
        not isinstance(evidence, dict)
        or {*evidence} != {"list", "where"}
        or not {*evidence.values()} <= {*_EVIDENCE}
    ):
        raise HallFileFault(f"{where}: evidence needs list and where, each one of {', '.join(_EVIDENCE)}")
    texts = {name: one[name] for name in _TEXTS if name != "aliases_zh"}
    return Certificate(
        id=one["id"],
        may_issue=one["issue"] == "may",
        aliases_zh=tuple(one["aliases_zh"].split()),
        confirmed=evidence["where"] == "text",
        **texts,
    )


@cache
def certificates() -> tuple[Certificate, ...]:
    """The hall's list, in the file's order: what may not be issued first."""
    return load_certificates(FILE.read_text(encoding="utf-8"), FILE.name)


def begin(_app: Flask) -> None:
    """A wrong list is known when the kiosk starts, not when somebody asks."""
    certificates()


@blueprint.get("/certificates")
def page() -> str:
    """All documents at once; in the elders' mode six at a time, and on no page both kinds."""
    no = [one for one in certificates() if not one.may_issue]
    may = [one for one in certificates() if one.may_issue]
    if not asked_view().large:
        return render_template("certificates.html", no=no, may=may, page=1, numbered=0)
    sheets: list[tuple[list[Certificate], list[Certificate]]]
    sheets = [(part, []) for part in _sixes(no)] + [([], part) for part in _sixes(may)] or [([], [])]
    at = min(max(request.args.get("page", 1, type=int), 1), len(sheets))
    shown_no, shown_may = sheets[at - 1]
    return render_template("certificates.html", no=shown_no, may=shown_may, page=at, numbered=len(sheets))


def _sixes(ones: list[Certificate]) -> list[list[Certificate]]:
    return [ones[start : start + LARGE_CHOICES] for start in range(0, len(ones), LARGE_CHOICES)]


@blueprint.get("/certificates/<certificate_id>")
def one(certificate_id: str) -> ResponseReturnValue:
    """Whether this one is issued here, and if not, where to go."""
    found = next((one for one in certificates() if one.id == certificate_id), None)
    if found is None:
        return error(404, "unknown_certificate", "没有这种证明", "There is no such document")
    return render_template("certificate.html", one=found, item=ITEM)
