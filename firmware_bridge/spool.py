"""A job's life, as a table. What is not in the table cannot happen.

A job is one slip on its way to one printer. Paper is an edge: what has been printed cannot be taken back, so
the state says only what is known, and ``UNSURE`` where nobody can know.

Rule 1: a job that may have reached the paper is never sent again by itself, unless the printer has proved that
        the slip is not whole (it ran out of paper before it said "done"); the second one is marked 补打.
Rule 2: ``UNSURE`` waits for a person, and nothing waits for ``UNSURE``: later slips go on.
Rule 3: a step that is not in the table raises and changes nothing.

Theory of operation. ``SENDING`` is written to the disk before the first byte goes out and ``PRINTED`` after the
printer's own word, so after a crash every job in ``SENDING`` is exactly one that nobody can know of. What is
still ``QUEUED`` has not shed one byte.

This file holds the table and nothing else: no clock, no port, no notebook. It imports only ``devices.faults``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from devices.faults import OwnRuleBroken


class State(Enum):
    """Where a job stands; the words of docs/protocol.md, section 3."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    PRINTED = "PRINTED"
    UNSURE = "UNSURE"
    FAILED = "FAILED"
    SETTLED = "SETTLED"


class Event(Enum):
    """What can happen to a job, in the past tense."""

    #: Pre-flight passed; written before the first byte goes out.
    SEND_BEGAN = "send_began"
    #: The port was gone or stuck before one byte had left: nothing is on any paper.
    NOTHING_LEFT = "nothing_left"
    #: The printer said that everything before its completion mark is printed.
    SAID_DONE = "said_done"
    #: The printer said "no paper", "cover open" or "error" before it said "done": the slip is in two pieces, and void.
    PROVED_UNFINISHED = "proved_unfinished"
    #: Bytes went out and no word came back in time.
    WORD_MISSING = "word_missing"
    #: The cable was pulled or the port vanished in the middle of it.
    LINE_LOST = "line_lost"
    #: This process began anew and found the job in SENDING.
    RESTARTED = "restarted"
    #: The slip cannot be put on paper as it stands, or there is no such printer.
    BAD_SLIP = "bad_slip"
    #: A member of staff looked and decided: it lies there, it was printed anew, or it is not needed.
    STAFF_SETTLED = "staff_settled"


Q, S, P, U, F, T = (
    State.QUEUED,
    State.SENDING,
    State.PRINTED,
    State.UNSURE,
    State.FAILED,
    State.SETTLED,
)

#: (state, event) -> state. The whole life.
LIFE: Mapping[tuple[State, Event], State] = {
    (Q, Event.SEND_BEGAN): S,
    (Q, Event.BAD_SLIP): F,
    (Q, Event.STAFF_SETTLED): T,
    (S, Event.SAID_DONE): P,
    (S, Event.NOTHING_LEFT): Q,
    (S, Event.PROVED_UNFINISHED): Q,
    (S, Event.WORD_MISSING): U,
    (S, Event.LINE_LOST): U,
    (S, Event.RESTARTED): U,
    # The printer's word may come late (it was slow, or a cable came back): it is still its word.
    (U, Event.SAID_DONE): P,
    (U, Event.STAFF_SETTLED): T,
    (F, Event.STAFF_SETTLED): T,
}

#: How often a slip that the printer proved unfinished is sent again by itself. Our choice: three halves of one
#: slip on the floor are a broken printer, and a person must look.
MOST_SENDINGS = 3


def allowed(state: State, event: Event) -> bool:
    """Whether ``event`` can happen to a job in ``state``: for words from outside, which may come twice."""
    return (state, event) in LIFE


def next_state(state: State, event: Event) -> State:
    """Where ``event`` leads from ``state``.

    :raises OwnRuleBroken: the table has no such step. Nothing was changed.
    """
    try:
        return LIFE[state, event]
    except KeyError:
        raise OwnRuleBroken(
            f"a job in {state.value} cannot meet {event.value!r}; known there: "
            f"{', '.join(sorted(e.value for s, e in LIFE if s is state)) or 'nothing, it is at its end'}"
        ) from None


def mermaid() -> str:
    """The table as a Mermaid state diagram, for the README (a test compares the two)."""
    lines = ["stateDiagram-v2", "    [*] --> QUEUED"]
    lines += [f"    {state.value} --> {to.value}: {event.value}" for (state, event), to in LIFE.items()]
    ends = [state for state in State if not any(state is one for one, _ in LIFE)]
    lines += [f"    {state.value} --> [*]" for state in ends]
    return "\n".join(lines) + "\n"
