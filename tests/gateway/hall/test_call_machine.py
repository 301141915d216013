"""The call's table, driven by chance against a small model, on a real notebook that is closed and opened again.

The model knows of each button only what a person would: does a call of its stand, has somebody taken it, how often was
it pressed. Timers fire in any order, early or late: whatever a clock may do, it must always be somebody's turn.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from devices.faults import OrderRefused
from devices.messages import Pressed, Released
from gateway.hall import timers
from gateway.hall.kinds import kind_of
from gateway.hall.rows import CallStep, Helper, Message, RowGone
from gateway.hall.rules import decide, obey
from gateway.hall.state import Call, Decision, HallState
from gateway.notebook import Notebook
from gateway.store import load_state, write_changes

SCHEMA = Path("gateway/schema").absolute()
NOON = 1_795_000_000_000
OWN, BOUGHT = "btn-01", "zigbee2mqtt:sos"
BUTTONS = st.sampled_from([OWN, BOUGHT, "screen:kiosk-1"])
PEOPLE = st.sampled_from(["小李", "老王"])
#: Of the kinds that a screen asks for here, the most urgent first.
URGENT = {"emergency": 0, "help": 1, "hall": 2}
ROLES = st.sampled_from(["duty", "grid", "secretary", "volunteer"])


class CallMachine(RuleBasedStateMachine):
    """One hall, one button of ours, one bought, one screen."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="linli-calls-"))
        self.book = Notebook(self.folder / "gateway.db", SCHEMA)
        self.state = load_state(self.book.connection, NOON)
        self.now_ms, self.number = NOON, 0
        #: device → its call's state, who has taken it, when and by whom it was closed; "" where there is none
        self.life: dict[str, str] = {}
        self.taken: dict[str, str] = {}
        self.closed_ms: dict[str, int] = {}
        #: presses of our own button, and messages of any that were neither refused nor a release of their own
        self.presses = 0
        self.said: Counter[str] = Counter()

    def teardown(self) -> None:
        if hasattr(self, "book"):
            self.book.close()
            shutil.rmtree(self.folder)

    # ------------------------------------------------------------ what the gateway does

    def write(self, decision: Decision) -> Decision:
        """As the loop does: decided, on the disk, then state."""
        if decision.changes:
            self.book.write(lambda connection: write_changes(connection, decision.changes))
        self.state.begin()
        self.state.put(decision)
        self.state.keep()
        for device in (OWN, BOUGHT, "screen:kiosk-1"):
            call = self.call(device)
            if call is not None and call.state == "HEARD" and self.life.get(device) == "COMING":
                assert decision.call is None or decision.call.call_id == call.call_id
        return decision

    def call(self, device: str) -> Call | None:
        call_id = self.state.newest_call.get(device)
        return None if call_id is None else self.state.calls[call_id]

    def refused(self, name: str, **fields: object) -> bool:
        """Give the order. If it is refused, nothing at all may have changed."""
        before, on_disk = everything(self.state), self.dump()
        try:
            self.write(obey(self.state, name, fields, self.now_ms))
        except OrderRefused as why:
            self.why = why
        else:
            return False
        assert self.why.why_zh and self.why.why_en
        assert everything(self.state) == before and self.dump() == on_disk
        return True

    def dump(self) -> list[object]:
        return [
            self.book.connection.execute(f"SELECT * FROM {table}").fetchall()
            for table in ("calls", "timers", "call_steps", "messages")
        ]

    # ------------------------------------------------------------ people and things

    @rule(seconds=st.sampled_from([0.1, 3, 5, 11, 45, 90, 700]))
    def time_passes(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)

    @rule()
    def press(self) -> None:
        self.number += 1
        self.presses += 1
        self.said[OWN] += 1
        self.pressed(Pressed(OWN, press_id=f"a:{self.number}", family="linli"))

    @precondition(lambda self: self.number > 0)
    @rule(back=st.integers(0, 3))
    def press_comes_again(self, back: int) -> None:
        """Our button repeats until it hears "written"; the broker sends what we did not acknowledge."""
        fact = Pressed(OWN, press_id=f"a:{max(1, self.number - back)}", family="linli", redelivered=back > 1)
        before = self.call(OWN)
        decision = self.write(decide(self.state, fact, self.now_ms))
        assert decision.duplicate and decision.changes == []
        self.said[OWN] += 1
        after = self.call(OWN)
        assert before and after and (after.state, after.presses) == (before.state, before.presses)

    @rule()
    def sos(self) -> None:
        self.said[BOUGHT] += 1
        self.pressed(Pressed(BOUGHT, family="zigbee2mqtt"))

    @rule()
    def let_go(self) -> None:
        before = self.call(BOUGHT)
        decision = self.write(decide(self.state, Released(BOUGHT, family="zigbee2mqtt"), self.now_ms))
        if decision.call is not None:
            self.said[BOUGHT] += 1
            self.rings(BOUGHT, before)

    @rule(kind=st.sampled_from(["help", "hall", "emergency"]))
    def screen(self, kind: str) -> None:
        before = self.call("screen:kiosk-1")
        assert not self.refused("raise_call", device_id="screen:kiosk-1", kind=kind, place_zh="自助机")
        self.said["screen:kiosk-1"] += 1
        if before is not None and before.state != "CLOSED" and URGENT[kind] < URGENT[before.kind]:
            closed, before = self.state.calls[before.call_id], None
            assert closed.state == "CLOSED", "what is more urgent is a call of its own"
        self.rings("screen:kiosk-1", before)

    def pressed(self, fact: Pressed) -> None:
        before = self.call(fact.device_id)
        self.write(decide(self.state, fact, self.now_ms))
        self.rings(fact.device_id, before)

    def rings(self, device: str, before: Call | None) -> None:
        """Somebody asked for help: now a call stands; a new one, or the one that stood."""
        after = self.call(device)
        assert after is not None
        if before is None or before.state == "CLOSED":
            if after == before or after.state == "CLOSED":
                assert before is not None and after.call_id == before.call_id and device != OWN
                return  # a copy, or a stuck button's repeat
            assert after.state == "HEARD" and after.presses == 1
            self.life[device] = "HEARD"
            return
        assert after.call_id == before.call_id
        assert after.presses + after.repeats == before.presses + before.repeats + 1
        if self.life[device] == "COMING" and after.state == "HEARD":
            assert before.accepted_ms is not None and self.now_ms - before.accepted_ms > 600_000
            self.life[device] = "HEARD"

    # ------------------------------------------------------------ staff

    @rule(device=BUTTONS, by=PEOPLE)
    def accept(self, device: str, by: str) -> None:
        call = self.call(device)
        legal = self.life.get(device) == "HEARD" or (
            self.life.get(device) == "COMING" and self.taken[device] == by
        )
        assert self.refused("accept_call", call_id=call.call_id if call else 99, by=by) is not legal
        if legal:
            self.life[device] = "COMING"
            self.taken[device] = by

    @rule(device=BUTTONS, one=PEOPLE, other=PEOPLE)
    def two_accept_in_one_batch(self, device: str, one: str, other: str) -> None:
        call = self.call(device)
        if call is None or self.life[device] != "HEARD" or one == other:
            return
        self.accept(device, one)
        assert self.refused("accept_call", call_id=call.call_id, by=other), "two people have one call"
        assert one in self.why.why_zh and one in self.why.why_en

    @rule(device=BUTTONS, by=PEOPLE)
    def arrive(self, device: str, by: str) -> None:
        call = self.call(device)
        there = call.arrived_by if call is not None and call.state == "COMING" else None
        legal = self.life.get(device) in ("HEARD", "COMING") and there in (None, by)
        assert self.refused("arrive_call", call_id=call.call_id if call else 99, by=by) is not legal
        if legal:
            if self.life[device] == "HEARD":
                self.taken[device] = by
            self.life[device] = "COMING"

    @rule(device=BUTTONS, by=PEOPLE, outcome=st.sampled_from(["helped", "test", "hospital", "", "eaten"]))
    def close(self, device: str, by: str, outcome: str) -> None:
        call = self.call(device)
        words = {word for word, _, _ in kind_of(self.state, call.kind).outcomes} if call else set()
        standing = self.life.get(device) in ("HEARD", "COMING")
        again = call is not None and (call.state, call.closed_by, call.outcome) == ("CLOSED", by, outcome)
        legal = outcome in words and (standing or again)
        number = call.call_id if call else 99
        assert self.refused("close_call", call_id=number, by=by, outcome=outcome) is not legal
        if legal and standing:
            self.closed_ms[device] = self.now_ms
            if self.life[device] == "HEARD":
                self.taken[device] = ""
            self.life[device] = "CLOSED"

    @rule(device=BUTTONS, by=PEOPLE)
    def reopen(self, device: str, by: str) -> None:
        call = self.call(device)
        legal = self.life.get(device) == "CLOSED" and self.now_ms - self.closed_ms[device] <= 60_000
        taken = call is not None and call.accepted_ms != call.closed_ms
        assert self.refused("reopen_call", call_id=call.call_id if call else 99, by=by) is not legal
        if legal:
            self.life[device] = "COMING" if taken else "HEARD"

    @rule(live=st.integers(0, 2))
    def consoles(self, live: int) -> None:
        assert not self.refused("consoles", live=live)

    @rule(number=st.integers(0, 3), role=ROLES, channel=st.booleans())
    def helper(self, number: int, role: str, channel: bool) -> None:
        one = Helper(f"h-{number}", "某人", role, channels=("sms:1",) if channel else ())
        self.write(Decision(changes=[one]))

    @precondition(lambda self: self.state.table(Helper))
    @rule(data=st.data())
    def helper_goes(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.state.table(Helper))))
        self.write(Decision(changes=[RowGone(Helper.TABLE, key)]))

    # ------------------------------------------------------------ time and power

    @precondition(lambda self: self.state.timers)
    @rule(data=st.data())
    def a_timer_is_due(self, data: st.DataObject) -> None:
        """Any of them, whatever the others wait for."""
        name = data.draw(st.sampled_from(sorted(self.state.timers)))
        kind, device = self.state.timers[name].kind, self.device_of(name)
        call = self.call(device)
        assert call is not None and name.startswith(f"call:{call.call_id}:")
        self.write(timers.due(self.state, name, self.now_ms))
        if kind == "coming" and call.arrived_ms is None:
            self.life[device] = "HEARD"

    def device_of(self, name: str) -> str:
        return self.state.calls[int(name.split(":")[1])].device_id

    @rule()
    def killed_and_started_again(self) -> None:
        self.book.close()
        self.book = Notebook(self.folder / "gateway.db", SCHEMA)
        again = load_state(self.book.connection, self.now_ms)
        assert uncounted(again) == uncounted(self.state)
        for call in again.calls.values():
            # Copies and repeats are counted in memory: what had not come to the disk with anything else is gone.
            missing = self.state.calls[call.call_id].repeats - call.repeats
            assert missing >= 0
            self.said[call.device_id] -= missing
        again.presses = self.state.presses  # on disk; the loop asks for them one by one (find_press)
        self.state = again

    # ------------------------------------------------------------ what must always be so

    @invariant()
    def the_model_agrees(self) -> None:
        if hasattr(self, "state"):
            for device, life in self.life.items():
                call = self.call(device)
                assert call is not None and call.state == life, (device, call, life)

    @invariant()
    def it_is_always_somebodys_turn(self) -> None:
        for call in self.calls():
            kinds = {one.kind for one in self.state.timers.values() if one.subject == f"call:{call.call_id}"}
            match call.state:
                case "HEARD":
                    assert "step" in kinds and "coming" not in kinds
                    assert call.acts and (call.call_id, call.turn, call.step) in self.state.table(CallStep)
                    assert call.accepted_by is None
                case "COMING":
                    assert kinds == {"coming"} and call.accepted_by
                case "CLOSED":
                    assert kinds == set() and call.outcome and call.closed_by

    @invariant()
    def a_button_has_one_open_call_at_most(self) -> None:
        open_calls = Counter(call.device_id for call in self.calls() if call.state != "CLOSED")
        assert all(number == 1 for number in open_calls.values())

    @invariant()
    def no_press_is_lost_and_none_is_invented(self) -> None:
        for device, said in self.said.items() if hasattr(self, "said") else ():
            heard = sum(call.presses + call.repeats for call in self.calls() if call.device_id == device)
            assert heard == said, device
        assert sum(call.presses for call in self.calls() if call.device_id == OWN) == (
            self.presses if hasattr(self, "presses") else 0
        )

    @invariant()
    def nobody_is_sent_for_what_somebody_has_taken(self) -> None:
        for message in self.state.table(Message).values() if hasattr(self, "state") else ():
            if message.state == "queued":
                assert self.state.calls[message.call_id].state == "HEARD"

    @invariant()
    def no_step_is_taken_twice(self) -> None:
        if hasattr(self, "book"):
            told = self.book.connection.execute(
                "SELECT count(*), count(DISTINCT subject || detail) FROM journal WHERE event = 'Step'"
            ).fetchone()
            assert told[0] == told[1]

    def calls(self) -> list[Call]:
        return list(self.state.calls.values()) if hasattr(self, "state") else []


def everything(state: HallState) -> tuple[object, ...]:
    return (
        dict(state.calls),
        dict(state.timers),
        {name: dict(table) for name, table in state.tables.items()},
        dict(state.newest_call),
        state.consoles,
        state.last_call_id,
    )


def uncounted(state: HallState) -> tuple[object, ...]:
    """All that a restart must bring back exactly: not the count of repeats, nor a button's rhythm."""
    calls = {number: replace(call, repeats=0) for number, call in state.calls.items()}
    tables = {
        name: dict(table)
        for name, table in state.tables.items()
        if name not in ("device_presses", "call_steps", "messages")
    }
    # Of a call that was closed, then the power went, then it was opened again, older turns are on disk only.
    turns = {number: call.turn for number, call in calls.items() if call.state == "HEARD"}
    steps = {key: row for key, row in state.table(CallStep).items() if turns.get(row.call_id) == row.turn}
    messages = {key: row for key, row in state.table(Message).items() if turns.get(row.call_id) == row.turn}
    return calls, dict(state.timers), tables, steps, messages, dict(state.newest_call), state.last_call_id


HELD = settings(
    max_examples=15,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
CallMachine.TestCase.settings = HELD
TestCallMachine = CallMachine.TestCase


class ManyLives(CallMachine):
    """The same for as many lives as the campaign has time for."""


ManyLives.TestCase.settings = settings(HELD, max_examples=200)
TestManyLives = pytest.mark.long(ManyLives.TestCase)
