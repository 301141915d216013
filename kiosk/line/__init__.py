"""The line of waiting people: what the API and the console may do to it.

Each function decides by the rules in ``rules/queue.py`` and ``rules/fairness.py`` inside the writer's transaction, and
tells the screens only when the change is on the disk.

    ticket = call_next(core, "W2", "window2")      # raises OrderRefused with words for the person who tapped

``taking`` gives numbers, ``calling`` calls them, ``steps`` is the rest of a ticket's life, ``act`` writes one step so
that it can be taken back, ``looking`` reads, ``telling`` tells the screens, ``rows`` are the
tickets as SQLite has them.
Does not belong here: who is next (``rules/fairness.py``), windows (``kiosk/windows.py``), pages. Begin at ``taking``.
"""

from kiosk.line.calling import Before, call_next, call_number, recall
from kiosk.line.looking import (
    ahead,
    board,
    by_id,
    by_token,
    called_view,
    mode_view,
    open_items,
    policy,
    ticket_view,
    tickets_today,
    today,
    waiting,
    waiting_for,
)
from kiosk.line.steps import (
    add_item,
    begin,
    cancel,
    done,
    hold,
    late,
    next_item,
    no_show,
    resume,
    set_lane,
    transfer,
    undo,
)
from kiosk.line.taking import (
    KeyUsed,
    NoTicketNeeded,
    Taken,
    UnknownService,
    check_items,
    item_with_numbers,
    public_url,
    take_here,
    take_ticket,
    taken_again,
    tell_taken,
)

__all__ = [
    "Before",
    "KeyUsed",
    "NoTicketNeeded",
    "Taken",
    "UnknownService",
    "add_item",
    "ahead",
    "begin",
    "board",
    "by_id",
    "by_token",
    "call_next",
    "call_number",
    "called_view",
    "cancel",
    "check_items",
    "done",
    "hold",
    "item_with_numbers",
    "late",
    "mode_view",
    "next_item",
    "no_show",
    "open_items",
    "policy",
    "public_url",
    "recall",
    "resume",
    "set_lane",
    "take_here",
    "take_ticket",
    "taken_again",
    "tell_taken",
    "ticket_view",
    "tickets_today",
    "today",
    "transfer",
    "undo",
    "waiting",
    "waiting_for",
]
