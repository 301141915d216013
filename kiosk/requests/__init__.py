"""What residents ask of the community: taking it in, telling how it goes, and what staff do with it.

    taken = requests.take(core, asked, key, "zh", "kiosk-1")     # row, first step, slip and journal: one transaction
    requests.do(core, taken.request_id, "accept", "王芳")          # a row of rules/request_life.py's table
    requests.by_code(core, "7KQ2M9XA")

`taking` writes a request, `acting` its steps, `looking` reads, `notes` keeps voices and drawings as files, `tries`
counts wrong codes, `sending` and `progress` are the residents' routes. The rules are in ``kiosk/rules/request*.py``;
what staff see is ``kiosk/console/requests.py``. Does not belong here: which kinds there are
(``rules/request_kinds.py``).
"""

from kiosk.requests.acting import do, show_person, undo
from kiosk.requests.looking import Row, by_code, by_id, open_counts, presets_of, progress_view
from kiosk.requests.taking import Taken, UnknownKind, take

__all__ = [
    "Row",
    "Taken",
    "UnknownKind",
    "by_code",
    "by_id",
    "do",
    "open_counts",
    "presets_of",
    "progress_view",
    "show_person",
    "take",
    "undo",
]
