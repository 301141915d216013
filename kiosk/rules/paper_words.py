"""What a resident is told about the paper: one line for each way in which a slip and its printer can be. Pure.

The number is valid whatever the paper does, so every line that is no good news ends with what to do without paper.
"""

from __future__ import annotations

#: A printer's state (docs/protocol.md, section 8) -> key of kiosk/words.py. Who is not here is about to print.
BY_PRINTER: dict[str, str] = {
    "paper_out": "js_paper_out",
    "cover_open": "js_paper_cover",
    "cutter_error": "js_paper_stuck",
    "recoverable": "js_paper_stuck",
    "unrecoverable": "js_paper_broken",
    "offline": "js_paper_away",
    "silent": "js_paper_away",
    "flow_stopped": "js_paper_away",
    "garbage": "js_paper_away",
    "port_missing": "js_paper_away",
    "away": "js_paper_away",
}
_BY_JOB: dict[str, str] = {
    "SETTLED": "js_paper_printed",
    "UNSURE": "js_paper_unsure",
    "FAILED": "js_paper_broken",
    "NONE": "js_paper_none",
}
#: All that may be said.
KEYS = frozenset(
    {
        *BY_PRINTER.values(),
        *_BY_JOB.values(),
        "js_paper_coming",
        "js_paper_there",
        "js_paper_again",
        "js_paper_printed",
    }
    | {"js_paper_printed_there", "js_paper_time"}
)


def told(job: str, confirmed_by: str, voided: int, moved: bool, printer: str) -> str:
    """The key of what is said.

    :param job: the job's state, NONE where there is no printer at all.
    :param confirmed_by: "time": nobody but the clock says that it is printed.
    :param voided: so many times the printer proved it unfinished.
    :param moved: it comes out at another printer than it was written for.
    :param printer: how the printer is at which it comes out, "" where nobody knows.
    """
    if job == "PRINTED":
        if confirmed_by == "time":
            return "js_paper_time"
        return "js_paper_printed_there" if moved else "js_paper_printed"
    if job in _BY_JOB:
        return _BY_JOB[job]
    if job == "QUEUED" and printer in BY_PRINTER:
        return BY_PRINTER[printer]
    if moved:
        return "js_paper_there"
    return "js_paper_again" if voided else "js_paper_coming"
