"""A job's life is the table, the whole table and nothing but the table."""

from __future__ import annotations

import itertools

import pytest

from devices.faults import OwnRuleBroken
from firmware_bridge.spool import LIFE, Event, State, allowed, mermaid, next_state


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_what_is_not_in_the_table_raises_and_changes_nothing(state: State, event: Event) -> None:
    before = dict(LIFE)
    if allowed(state, event):
        assert next_state(state, event) is LIFE[state, event]
    else:
        with pytest.raises(OwnRuleBroken, match=rf"a job in {state.value} cannot meet '{event.value}'"):
            next_state(state, event)
    assert before == LIFE


def test_a_slip_that_goes_well() -> None:
    history = [Event.SEND_BEGAN, Event.SAID_DONE]
    state = State.QUEUED
    for event in history:
        state = next_state(state, event)
    assert state is State.PRINTED


def test_what_may_be_on_paper_is_never_sent_again_by_itself() -> None:
    """From UNSURE no road but a person's (or the printer's own late word) leads anywhere; none leads to SENDING."""
    onward = {event: after for (state, event), after in LIFE.items() if state is State.UNSURE}
    assert onward == {Event.SAID_DONE: State.PRINTED, Event.STAFF_SETTLED: State.SETTLED}


def test_back_to_the_queue_leads_only_what_is_proved() -> None:
    back = {event for (state, event), after in LIFE.items() if after is State.QUEUED}
    assert back == {Event.NOTHING_LEFT, Event.PROVED_UNFINISHED}


def test_every_state_is_reached_and_the_end_is_reached_from_all() -> None:
    reached = {State.QUEUED}
    for _ in State:
        reached |= {after for (state, _), after in LIFE.items() if state in reached}
    assert reached == set(State)
    ends = {state for state in State if not any(state is one for one, _ in LIFE)}
    assert ends == {State.PRINTED, State.SETTLED}


def test_the_diagram_has_every_step_of_the_table_and_no_other() -> None:
    arrows = [line.strip() for line in mermaid().splitlines() if ": " in line]
    assert arrows == [
        f"{state.value} --> {after.value}: {event.value}" for (state, event), after in LIFE.items()
    ]
