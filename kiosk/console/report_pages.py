"""What the pages of reports share: a child works it out, the page waits a moment and then shows how far it is.

A subject (figures.py, parking_history.py, reports.py) says what is asked, what is drawn and which words a failure has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, current_app, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import OrderRefused, OutsideDown
from kiosk.answers import wants_page
from kiosk.console import acts, blueprint, care, door
from kiosk.console.words import say
from kiosk.core import current_core
from kiosk.queue_reports import Job, ReportFailed, Reports, TooBusy, sheets

R = TypeVar("R")

#: How long a page waits for its figures before it shows how far they are. Most are there in half of it.
PATIENCE_S = 1.5
#: How soon the page with the progress comes again.
AGAIN_S = 1
#: A file waits longer: nobody looks at it before it is there.
FILE_PATIENCE_S = 60.0
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def kept_reports(name: str) -> Reports[Any]:
    """The application's reports of one subject; those of another do not wait for them."""
    kept: Reports[Any] = current_app.extensions.setdefault(name, Reports(current_core().house.kiosk_db))
    return kept


def trouble(wrong: OutsideDown, failed: str = "qf_failed") -> str:
    """Why there is no report, in the reader's words; ``failed``: the subject's key for a child that could not read."""
    return say("qf_busy", care.lang()) if isinstance(wrong, TooBusy) else say(failed, care.lang(), why=str(wrong))


def file_of(
    ask: Callable[[], Job[R]],
    back: str,
    failed: str = "qf_failed",
    check: Callable[[R], object] = lambda _report: None,
) -> R | ResponseReturnValue:
    """A report for a file, or the answer that stands in its place: a page that shows how far it is and comes again (who
    is no browser simply waits), or the refusal.

    :param ask: may refuse, as may ``check`` (OrderRefused), which looks at the report once it is there.
    :param back: the endpoint of the report's own page.
    """
    try:
        job, browser = ask(), wants_page()
        if not job.finished.wait(PATIENCE_S if browser else FILE_PATIENCE_S) and browser:
            again = url_for(back, **request.args.to_dict())  # type: ignore[arg-type]
            return care.page("console/working.html", 202, job=job, wait_s=AGAIN_S, back=again)
        report = job.result()
        check(report)
        return report
    except OrderRefused as refused:
        return door.refuse_words(400, care.why(refused))
    except OutsideDown as wrong:
        return door.refuse_words(503, trouble(wrong, failed))


def workbook(
    tables: Callable[[], list[dict[str, Any]]], name: str, what: str, span: str, failed: str = "qf_failed"
) -> ResponseReturnValue:
    """Tables as a workbook, a sheet a table; ``what`` and ``span`` are the journal's words for it."""
    try:
        made = sheets(tables())
    except ReportFailed as wrong:
        return door.refuse_words(503, trouble(wrong, failed))
    acts.did(what, f"{span} xlsx")
    return Response(made, mimetype=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}.xlsx"'})


@blueprint.post("/reports/stop")
@door.allow("admin", "staff")
def reports_stop() -> ResponseReturnValue:
    """Somebody does not want a report any more: its child ends, and the next one has its turn."""
    number = request.form.get("job", "")
    kept = [one for one in current_app.extensions.values() if isinstance(one, Reports)]
    if any(one.stop(number) for one in kept):
        acts.did("report_stopped")
    return care.page("console/working.html", job=None, wait_s=0, back=url_for("console.reports"))
