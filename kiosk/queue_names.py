"""The queue's figures in people's words: names of items, windows and hours, and the tables of the files."""

from __future__ import annotations

import sqlite3
from typing import Any

from devices.faults import NotWritten
from kiosk.catalogue import Catalogue
from kiosk.core import Core
from kiosk.queue_figures import Report
from kiosk.rules.policy import DEFAULT, Policy, read_policy
from kiosk.rules.spreads import Line, Part, Spread
from kiosk.words_figures import WORDS

Json = dict[str, Any]
#: The columns of a file: what they hold, and the keys of their heads.
_COUNTS = ("total", "served", "transferred", "no_show", "cancelled")
_SPREAD = ("p50", "p90", "p99")


def _say(key: str, lang: str, **filled: object) -> str:
    return WORDS[key][lang == "en"].format(**filled)


def policy_now(core: Core) -> Policy:
    """The line's rules as this hall has set them; the defaults while the notebook cannot be read."""
    try:
        rows = core.reader().execute("SELECT key, value FROM queue_policy").fetchall()
    except (NotWritten, sqlite3.Error):
        return DEFAULT
    return read_policy({str(row[0]): str(row[1]) for row in rows})


def window_names(notebook: sqlite3.Connection, lang: str) -> dict[str, str]:
    """Every window that ever was: id → name."""
    column = "name_en" if lang == "en" else "name_zh"
    return {str(row[0]): str(row[1]) for row in notebook.execute(f"SELECT window_id, {column} FROM windows")}


def titled(core: Core, report: Report, part: Part, lang: str) -> list[tuple[str, Line]]:
    """A part's lines with their names as people say them."""
    return name_lines(core.catalogue, window_names(core.reader(), lang), report, part, lang)


def name_lines(
    catalogue: Catalogue, windows: dict[str, str], report: Report, part: Part, lang: str
) -> list[tuple[str, Line]]:
    """A part's lines with their names. What the catalogue no longer has keeps its code."""

    def name(line: Line) -> str:
        match part:
            case "item":
                service = catalogue.service(line.name)
                words = "" if service is None else service.name_en if lang == "en" else service.name_zh
                return f"{line.name} {words}".strip()
            case "window":
                return f"{line.name} {windows.get(line.name, '')}".strip()
            case "hour":
                return _say("qf_hour", lang, hour=line.name)
            case "lane":
                return _say(f"qf_lane_{line.name}", lang) if f"qf_lane_{line.name}" in WORDS else line.name
            case "day":
                return line.name
        return _say("qf_days", lang, first=report.first, last=report.last)

    return [(name(line), line) for line in report.of(part)]


def part_table(core: Core, report: Report, part: Part, lang: str) -> Json:
    """A part as a table of a file: title, note, head, rows. Durations are seconds, shares are floats."""
    return table(titled(core, report, part, lang), report, part, lang)


def table(lines: list[tuple[str, Line]], report: Report, part: Part, lang: str) -> Json:
    """As `part_table`, of lines that have their names."""

    def head(of: str, what: str) -> str:
        return f"{_say(f'qf_{of}', lang)} {_say(f'qf_{what}', lang)} ({_say('qf_seconds', lang)})"

    def seconds(spread: Spread) -> list[int | None]:
        return [spread.p50_s, spread.p90_s, spread.p99_s]

    return {
        "title": _say(f"qf_part_{part}", lang),
        "note": _say("qf_days", lang, first=report.first, last=report.last),
        "head": [
            _say(f"qf_name_{part}", lang),
            *(_say(f"qf_{one}", lang) for one in _COUNTS),
            _say("qf_no_show_share", lang),
            *(head("wait", one) for one in _SPREAD),
            head("wait", "longest"),
            _say("qf_beyond", lang),
            _say("qf_beyond_share", lang),
            *(head("service", one) for one in _SPREAD),
        ],
        "rows": [
            [
                name,
                *(getattr(line, one) for one in _COUNTS),
                _rounded(line.no_show_share),
                *seconds(line.wait),
                line.wait.max_s,
                line.beyond,
                _rounded(line.beyond_share),
                *seconds(line.service),
            ]
            for name, line in lines
        ],
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def spell_s(seconds: int | None) -> str:
    """ "12:05", "1:02:05", "–" where there is none."""
    if seconds is None:
        return "–"
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
